"""Names come from other people's resources and files: what may not reach a terminal, a table or a page as it is."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""The text with everything that a terminal would act on, or not show, written out.

    >>> print(printable("a\x1b[31m"))
    a\x1b[31m
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
