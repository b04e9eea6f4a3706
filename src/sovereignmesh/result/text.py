"""Names come from other people's resources and files: what may not reach a terminal, a table or a page as it is."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["encodable", "listed", "printable", "spoken", "timestamp"]


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


def encodable(text: str) -> str:
    r"""The text with what UTF-8 has no bytes for written out: JSON may hold half of a character.

    >>> print(encodable("a\ud800"))
    a\ud800
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def spoken(span: dt.timedelta) -> str:
    """A duration in words, the two largest units of it.

    >>> spoken(dt.timedelta(hours=1)), spoken(dt.timedelta(days=1, minutes=30))
    ('1 hour', '1 day 30 minutes')
    """
    seconds, parts = round(span.total_seconds()), []
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        parts += [f"{count:,} {unit}{'s' * (count != 1)}"] if count else []
    return " ".join(parts[:2]) or "no time"


def timestamp(moment: dt.datetime) -> str:
    """A moment in UTC, to the second.

    >>> timestamp(dt.datetime(2026, 11, 30, 4, 0, 0, 5, dt.timezone(dt.timedelta(hours=1))))
    '2026-11-30T03:00:00Z'
    """
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
