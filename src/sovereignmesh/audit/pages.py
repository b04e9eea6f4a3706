"""What an export's pages hold: rows, what says that there are more, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.result import Check

__all__ = ["ENVELOPE", "ROWS", "Pages", "Unread", "kind_of", "page_rows"]

# How each of the tools names the rows of a page, the total, and the mark that a further page exists.
ROWS: Final = ("data", "value")
_TOTALS: Final = ("total_records", "totalRecords")
_MORE: Final = ("skip_token", "$skipToken", "nextLink")
# What may stand beside the rows of a page; anything else makes the value a row itself.
ENVELOPE: Final = frozenset({*ROWS, *_TOTALS, *_MORE, "count", "facets", "resultTruncated"})


@dataclass(frozen=True, slots=True)
class Unread:
    """A part that could not be read: where and why. `final`: no row of its own is lost, or all that would follow.

    `checks` are those that it concerns, empty for all; `scope` is its subscription, if it is one's.
    """

    where: str
    why: str
    final: bool = False
    checks: frozenset[Check] = frozenset()
    scope: str = ""


class Pages:
    """What the pages of an export say of their number: a page without a further one ends its query's answer."""

    def __init__(self) -> None:
        self.missing = 0
        self._rows = 0
        self._total: int | None = None
        self._more = self._cut = self._odd = False

    def add(self, envelope: dict[str, Any], rows: int) -> None:
        """Takes note of what a page says about itself."""
        said = [envelope[key] for key in _TOTALS if envelope.get(key) is not None]
        totals = [total for total in said if type(total) is int and total >= 0]
        self._odd |= len(totals) < len(said)
        total = max(totals) if totals else self._total
        if self._more and total != self._total:  # another query's answer: this one's further pages never came
            self._cut = True
            self._end()
        self._rows, self._total = self._rows + rows, total
        self._more = any(envelope.get(key) for key in _MORE)
        count = envelope.get("count")
        short = type(count) is int and count > rows
        self._cut |= short or (not self._more and str(envelope.get("resultTruncated")).lower() == "true")
        if not self._more:
            self._end()

    def complaints(self) -> Iterator[str]:
        """What is missing, known at the end."""
        more = self._more
        if more:
            self._end()
        if self.missing:
            yield f"says itself that {self.missing} more rows belong to it: further pages are not in it"
        elif self._cut:
            yield "holds a page that says itself that it is cut short"
        elif more:
            yield "ends with a link to a further page, which is not in it"
        if self._odd:
            yield "says how many rows belong to it in a way that cannot be understood"

    def _end(self) -> None:
        self.missing += max(0, (self._total or 0) - self._rows)
        self._rows, self._total, self._more = 0, None, False


def kind_of(value: Any) -> str:
    """What a JSON value is, in a word."""
    names = {str: "a string", type(None): "null", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def page_rows(value: Any) -> list[Any] | None:
    """The rows of a page; None for a value that is no page, and so a row itself."""
    if type(value) is not dict or "id" in value or value.keys() - ENVELOPE:  # most rows have an id
        return None
    found = [value[key] for key in ROWS if key in value]
    if len(found) != 1:
        return None
    (rows,) = found
    if type(rows) is dict and _lists_of(rows.get("columns"), dict) and _lists_of(rows.get("rows"), list):
        names = [str(column.get("name")) for column in rows["columns"]]
        if all(len(row) == len(names) for row in rows["rows"]):
            return [dict(zip(names, row, strict=True)) for row in rows["rows"]]
    return rows if type(rows) is list else None


def _lists_of(value: Any, kind: type) -> bool:
    return type(value) is list and all(type(item) is kind for item in value)
