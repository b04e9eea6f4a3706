"""What is shown while runs are followed: in a notebook the table itself, else a line for each change."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.result import printable
from sovereignmesh.scans.result import ScanRuns, span

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from sovereignmesh.scans.result import ScanRun
    from sovereignmesh.scans.watch import Watching

    Tell = Callable[[ScanRun], object]

__all__ = ["change_line", "show_runs"]

_BETWEEN: Final = 1.0  # seconds between two tables in a notebook, which has all of one sent again


@contextmanager
def show_runs(watching: Watching) -> Iterator[Tell]:
    """Shows the runs while it lasts: in a notebook as a table in one place, else by lines on standard error."""
    notebook = _notebook()
    if notebook is None:
        said: dict[str, tuple[str, str]] = {}

        def say(run: ScanRun) -> None:
            if said.get(run.id) == (run.status, run.why):  # what it has counted meanwhile is no news for a log
                return
            said[run.id] = run.status, run.why
            with suppress(OSError):  # nobody reads on: what runs is followed all the same
                sys.stderr.write(f"{change_line(run, watching.now())}\n")

        yield say
        return

    def seen() -> ScanRuns:
        return ScanRuns(watching.account, tuple(watching.runs), watching.now(), waited=True)

    shown, clock = notebook(seen(), display_id=True), watching.purview.azure.pace.clock
    last = clock()

    def update(_: ScanRun | None = None) -> None:
        nonlocal last
        if clock() - last >= _BETWEEN:
            last = clock()
            shown.update(seen())

    watching.rest = update  # what was told too soon after another is shown at the next look
    yield update
    shown.update(seen())


def _notebook() -> Any:
    """IPython's `display` where a kernel runs this, else None; nothing is imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return sys.modules["IPython.display"].display if shell is not None and hasattr(shell, "kernel") else None


def change_line(run: ScanRun, now: dt.datetime) -> str:
    """A run in a line: what it is now, and once it is over what it counted and why it failed."""
    parts = [f"{run.name}: {run.status}"]
    if run.run is None and not run.why:
        return printable(f"{run.name}: run {run.id} is being started")
    if (elapsed := run.elapsed(now)) is not None:
        parts.append(f"after {span(elapsed)}")
    if run.ended and run.run:
        counts = {"discovered": run.run.discovered, "classified": run.run.classified, "failed": run.run.failed}
        parts += [f"{count:,} {what}" for what, count in counts.items() if count is not None]
    return printable(", ".join(parts) + (f": {run.reason}" if run.reason else ""))
