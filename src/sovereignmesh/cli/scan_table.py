"""Runs of scans on a terminal: a table that moves while they are followed, and one of how they ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sovereignmesh.result import printable
from sovereignmesh.scans.progress import change_line
from sovereignmesh.scans.states import SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from sovereignmesh.scans import ScanRun, ScanRuns, Watching
    from sovereignmesh.scans.progress import Tell

__all__ = ["follow_runs", "print_runs"]

_PIPED: Final = 200  # columns where nobody's terminal says how many there are
_STATUS: Final = 2  # the column of the status
_WATCHED: Final = 8  # columns while runs are followed: up to what they have counted
_NAMES: Final = ("Source", "Scan", "Status", "Started (UTC)", "Elapsed", "Discovered", "Classified", "Failed")
# Columns that a narrow terminal does without, in this order: names and statuses are never cut for them.
_LEAST: Final = ("Type", "Level", "Run", "Started (UTC)", "Classified", "Discovered", "Elapsed")
_NUMBERS: Final = frozenset({"Elapsed", "Discovered", "Classified", "Failed"})


@contextmanager
def follow_runs(watching: Watching) -> Iterator[Tell]:
    """A table on standard error, a row for each run, that follows them while it lasts.

    What is being started stays above it, so that no id is lost whatever becomes of the command.
    """
    console = Console(stderr=True, highlight=False)
    with Live(
        get_renderable=lambda: _moving(watching, console.width), console=console, transient=True, refresh_per_second=4
    ) as live:

        def tell(run: ScanRun) -> None:
            if run.run is None and not run.why:
                live.console.print(Text(change_line(run, watching.now())))

        yield tell


def _moving(watching: Watching, width: int) -> RenderableType:
    """What goes on comes first: a terminal may not have a line for each."""
    runs, now = sorted(watching.runs, key=lambda run: run.ended), watching.now()
    over = sum(run.ended for run in runs)
    title = Text(f"{over} of {len(runs)} runs have ended; Ctrl-C stops watching, not the runs", "dim")
    rows = [run.cells(now)[:_WATCHED] for run in runs]
    for row, run in zip(rows, runs, strict=True):
        if run.run is None and not run.why:
            row[_STATUS] = "to be started"
    return Group(_table(*_fitting(_NAMES, rows, width), runs), title)


def print_runs(found: ScanRuns, nothing: str) -> None:
    """Prints the runs, why those failed that did, and what could not be read; `nothing` where there are none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    names, rows = found.table
    if rows:
        fitting, shown = _fitting(names, rows, console.width)
        console.print(_table(fitting, shown, found.runs))
        if len(fitting) < len(names):
            console.print(Text("a wider terminal, or --format json, has more columns", "dim"))
    elif not found.unread:
        console.print(Text(printable(f"{found.account}: {nothing}")))
    for line in found.failure_lines:
        console.print(Text(printable(line), "red"), soft_wrap=True)
    for unread in found.unread:
        console.print(Text(printable(f"not read: {unread.what}: {unread.why}"), "red"), soft_wrap=True)


def _fitting(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> tuple[list[str], list[list[str]]]:
    """The columns that a terminal has place for, and the rows with them; the least of the columns go first."""
    wide = {name: max(map(len, (name, *column))) + 2 for name, *column in zip(names, *rows, strict=True)}
    kept = list(names)
    for name in _LEAST:
        if sum(wide[each] for each in kept) - 2 > width and name in kept:
            kept.remove(name)
    return kept, [[row[names.index(name)] for name in kept] for row in rows]


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], runs: Sequence[ScanRun]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold", justify="right" if name in _NUMBERS else "left")
    for row, run in zip(rows, runs, strict=True):
        cells = [Text(printable(cell)) for cell in row]
        cells[_STATUS].stylize(_colour(run))
        table.add_row(*cells)
    return table


def _colour(run: ScanRun) -> str:
    if run.why or (run.ended and not run.succeeded):
        return "red"
    return "green" if run.status == SUCCEEDED else "cyan"
