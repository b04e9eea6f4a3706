"""Requests for access, as a table that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.access import AccessList

__all__ = ["print_access"]

_PIPED: Final = 240  # columns where nobody's terminal says how many there are
_ID, _STATUS = "request", "status"  # columns
_LEAST: Final = ("when (UTC)", "comment", "decided by", "asked (UTC)", "requestor", "for", "reason")
_FOLDED: Final = 24  # columns that a text has at the least, or as many as it needs
_COLOURS: Final = {"Approved": "green", "Rejected": "yellow", "Pending": "bold", "Failed": "red", "Unknown": "red"}


def print_access(found: AccessList, nothing: str) -> None:
    """Prints the requests, and what could not be read; `nothing` where all was read and there are none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    names, rows = found.table
    if rows:
        fitting = _fitting(names, rows, console.width)
        console.print(_table(fitting, [dict(zip(names, row, strict=True)) for row in rows]))
        if len(fitting) < len(names):
            console.print(Text("a wider terminal, or --format json, has more columns", "dim"), soft_wrap=True)
    elif found.complete:
        console.print(Text(printable(nothing)), soft_wrap=True)
    for unread in found.unread:
        console.print(Text(f"not read: {printable(unread.what)}: {printable(unread.why)}", "red"), soft_wrap=True)
    if found.broken:
        why = f"the record {printable(found.record)} is not whole: {printable(found.broken)}"
        console.print(Text(why, "red"), soft_wrap=True)


def _fitting(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The columns that a terminal has place for; the least of them go first, and what people wrote may be folded."""
    wide = {name: max(map(len, (name, *column))) for name, *column in zip(names, *rows, strict=True)}
    wide |= {name: min(wide[name], _FOLDED) for name in names if name != _ID}
    kept = list(names)
    for name in _LEAST:
        if sum(wide[each] + 2 for each in kept) - 2 > width:
            kept.remove(name)
    return kept


def _table(names: Sequence[str], rows: Sequence[dict[str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name == _ID)  # an id is copied
    for row in rows:
        cells = {name: Text(printable(row[name])) for name in names}
        cells[_STATUS].stylize(_COLOURS.get(row[_STATUS], ""))
        table.add_row(*cells.values())
    return table
