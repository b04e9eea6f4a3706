"""What may be shown of a value."""

from __future__ import annotations

from typing import Final

from sovereignmesh.result.text import printable

__all__ = ["mask"]

_HIDDEN: Final = "***"
_SHORTEST: Final = 5  # of a shorter one even the first character is much


def mask(value: str) -> str:
    """The value with all hidden but its first character and, of an address, the end behind the last dot.

    Not even its length is told; of less than five characters nothing is.

    >>> mask("ada@contoso.com"), mask("ES1200491500051234567892"), mask("1234")
    ('a***@***.com', 'E***', '***')
    """
    if len(value) < _SHORTEST:
        return _HIDDEN
    first = printable(value[0])
    local, at, domain = value.rpartition("@")
    top = domain.rpartition(".")[2]
    if at and local and "." in domain and top.isalpha():
        return f"{first}{_HIDDEN}@{_HIDDEN}.{top}"
    return first + _HIDDEN
