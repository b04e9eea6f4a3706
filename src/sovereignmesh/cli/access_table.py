"""Requests for access, as a table that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from sovereignmesh.cli.fitting import fit, open_console, print_rows, print_unread, table_of
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from sovereignmesh.access import AccessList

__all__ = ["print_access"]

_ID, _STATUS = "request", "status"  # columns
_LEAST: Final = ("when (UTC)", "asked (UTC)", "for", "comment", "decided by", "requestor", "reason")
_COLOURS: Final = {"Approved": "green", "Rejected": "yellow", "Pending": "bold", "Failed": "red", "Unknown": "red"}


def print_access(found: AccessList, nothing: str) -> None:
    """Prints the requests, and what could not be read; `nothing` where all was read and there are none."""
    console = open_console()
    names, rows = found.table
    if rows:
        styles = [_COLOURS.get(row[names.index(_STATUS)], "") for row in rows]
        kept, shown = fit(names, rows, console.width, _LEAST, folded={*names} - {_ID})
        print_rows(console, table_of(kept, shown, _STATUS, styles, whole={_ID}), names)
    elif found.complete:
        console.print(Text(printable(nothing)), soft_wrap=True)
    print_unread(console, found.unread)
    if found.broken:
        why = f"the record {printable(found.record)} is not whole: {printable(found.broken)}"
        console.print(Text(why, "red"), soft_wrap=True)
