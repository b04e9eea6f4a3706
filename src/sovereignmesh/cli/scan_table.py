"""Runs of scans on a terminal: a table that moves while they are followed, and one of how they ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from sovereignmesh.cli.fitting import fit, open_console, print_rows, print_unread, table_of
from sovereignmesh.result import printable
from sovereignmesh.scans.progress import change_line
from sovereignmesh.scans.states import SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from sovereignmesh.scans import ScanRun, ScanRuns, Watching
    from sovereignmesh.scans.progress import Tell

__all__ = ["follow_runs", "print_runs"]

_STATUS: Final = "Status"  # a column
_NAMES: Final = ("Source", "Scan", _STATUS, "Started (UTC)", "Elapsed", "Discovered", "Classified", "Failed")
# Columns that a narrow terminal does without, in this order: names and statuses are never cut for them.
_LEAST: Final = ("Type", "Level", "Run", "Elapsed", "Classified", "Discovered", "Started (UTC)")
_NUMBERS: Final = frozenset({"Elapsed", "Discovered", "Classified", "Failed"})
_BESIDES: Final = 4  # lines of a terminal that hold no run: the names, what stands below in up to two, the cursor


@contextmanager
def follow_runs(watching: Watching) -> Iterator[Tell]:
    """A table on standard error, a row for each run, that follows them while it lasts.

    What is being started stays above it, so that no id is lost whatever becomes of the command.
    """
    console = Console(stderr=True, highlight=False)
    with Live(
        get_renderable=lambda: _moving(watching, console.width, console.height - _BESIDES),
        console=console, transient=True, refresh_per_second=4,
    ) as live:  # fmt: skip

        def tell(run: ScanRun) -> None:
            if run.run is None and not run.why:
                live.console.print(Text(change_line(run, watching.now())))

        yield tell


def _moving(watching: Watching, width: int, height: int) -> RenderableType:
    """As many runs as there are lines for: first what goes on, then what is to be started, then what is over."""
    runs, now = watching.runs, watching.now()
    shown = sorted(runs, key=_turn)[: max(1, height)]
    more = f", {len(runs) - len(shown):,} more are not shown" if len(shown) < len(runs) else ""
    over = sum(run.ended for run in runs)
    title = Text(f"{over} of {len(runs)} runs have ended{more}; Ctrl-C stops watching, not the runs", "dim")
    rows = [run.cells(now)[: len(_NAMES)] for run in shown]
    for row, run in zip(rows, shown, strict=True):
        if _waits(run):
            row[_NAMES.index(_STATUS)] = "to be started"
    kept, rows = fit(_NAMES, rows, width, _LEAST)
    return Group(table_of(kept, rows, _STATUS, map(_colour, shown), numbers=_NUMBERS), title)


def _waits(run: ScanRun) -> bool:
    return run.run is None and not run.why


def _turn(run: ScanRun) -> int:
    return 1 if _waits(run) else 2 if run.ended or run.why else 0


def print_runs(found: ScanRuns, nothing: str) -> None:
    """Prints the runs, why those failed that did, and what could not be read; `nothing` where there are none."""
    console = open_console()
    names, rows = found.table
    if rows:
        kept, shown = fit(names, rows, console.width, _LEAST)
        print_rows(console, table_of(kept, shown, _STATUS, map(_colour, found.runs), numbers=_NUMBERS), names)
    elif not found.unread:
        console.print(Text(printable(f"{found.account}: {nothing}")))
    for line in found.failure_lines:
        console.print(Text(printable(line), "red"), soft_wrap=True)
    print_unread(console, found.unread)


def _colour(run: ScanRun) -> str:
    if run.why or (run.ended and not run.succeeded):
        return "red"
    return "green" if run.status == SUCCEEDED else "cyan"
