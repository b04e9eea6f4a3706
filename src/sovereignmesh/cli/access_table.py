"""Requests for access, as a table that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sovereignmesh.result import printable

if TYPE_CHECKING:
    from sovereignmesh.access import AccessList

__all__ = ["print_access"]

_PIPED: Final = 240  # columns where nobody's terminal says how many there are
_STATUS: Final = 5  # the column of the status
_COLOURS: Final = {"Approved": "green", "Rejected": "yellow", "Pending": "bold", "Failed": "red", "Unknown": "red"}


def print_access(found: AccessList) -> None:
    """Prints the requests, and what could not be read."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    table = Table(box=None, pad_edge=False, header_style="bold")
    names, rows = found.table
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = [Text(printable(cell)) for cell in row]
        cells[_STATUS].stylize(_COLOURS.get(row[_STATUS], ""))
        table.add_row(*cells)
    console.print(table if rows else Text("no request for access"))
    for unread in found.unread:
        console.print(Text(f"not read: {printable(unread.what)}: {printable(unread.why)}", "red"))
    if found.broken:
        console.print(Text(f"the record {printable(found.record)} is not whole: {printable(found.broken)}", "red"))
