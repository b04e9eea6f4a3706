"""How a Purview account stands, as a table that fits the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sovereignmesh.result import printable

if TYPE_CHECKING:
    import datetime as dt

    from sovereignmesh.purview import PurviewStatus

__all__ = ["print_status"]

_PIPED: Final = 200  # columns where nobody's terminal says how many there are
_COLOURS: Final = {"Succeeded": "green", "Failed": "red", "Canceled": "yellow", "CompletedWithExceptions": "red"}


def print_status(status: PurviewStatus) -> None:
    """Prints the sources with their scans, and what could not be read."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    console.print(Text(f"Purview account {printable(status.account)} in {printable(status.location)}"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Source", "Kind", "Collection", "Scan", "Last run", "Ended (UTC)", "Next run (UTC)", "Note"):
        table.add_column(name, overflow="fold")
    for scan in status.scans:
        cells = [scan.source, scan.kind, scan.collection, scan.scan or "no scan"]
        run = Text(printable(scan.run or ("never" if scan.scan else "")), _COLOURS.get(scan.run, ""))
        told = [_when(scan.ended), _when(scan.next_run), scan.note]
        table.add_row(*(Text(printable(cell)) for cell in cells), run, *(Text(printable(cell)) for cell in told))
    console.print(table)
    for unread in status.unread:
        console.print(Text(f"not read: {printable(unread.what)}: {printable(unread.why)}", "red"))


def _when(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
