"""How a Purview account stands, as a table that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from sovereignmesh.cli.fitting import open_console, print_rows, print_unread, table_of
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from sovereignmesh.purview import PurviewStatus

__all__ = ["print_status"]

_RUN: Final = "Last run"  # a column
_COLOURS: Final = {"Succeeded": "green", "Failed": "red", "Canceled": "yellow", "CompletedWithExceptions": "red"}


def print_status(status: PurviewStatus) -> None:
    """Prints the sources with their scans, and what could not be read."""
    console = open_console()
    console.print(Text(f"Purview account {printable(status.account)} in {printable(status.location)}"))
    names, rows = status.table
    styles = [_COLOURS.get(row[names.index(_RUN)], "") for row in rows]
    print_rows(console, table_of(names, rows, _RUN, styles), names)
    print_unread(console, status.unread)
