"""How a Purview account stands, as a table that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sovereignmesh.result import printable

if TYPE_CHECKING:
    from sovereignmesh.purview import PurviewStatus

__all__ = ["print_status"]

_PIPED: Final = 200  # columns where nobody's terminal says how many there are
_RUN: Final = 4  # the column of the last run
_COLOURS: Final = {"Succeeded": "green", "Failed": "red", "Canceled": "yellow", "CompletedWithExceptions": "red"}


def print_status(status: PurviewStatus) -> None:
    """Prints the sources with their scans, and what could not be read."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    console.print(Text(f"Purview account {printable(status.account)} in {printable(status.location)}"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    names, rows = status.table
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = [Text(printable(cell)) for cell in row]
        cells[_RUN].stylize(_COLOURS.get(row[_RUN], ""))
        table.add_row(*cells)
    console.print(table)
    for unread in status.unread:
        console.print(Text(f"not read: {printable(unread.what)}: {printable(unread.why)}", "red"))
