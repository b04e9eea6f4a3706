"""Names come from other people's resources: what may not reach a terminal, a table or a page as it is."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["printable"]

# Controls, line and paragraph separators, the marks that turn reading direction around, and lone surrogates.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""The text with everything that could move a cursor or hide a character written out.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)
