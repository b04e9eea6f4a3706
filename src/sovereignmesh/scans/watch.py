"""Starting runs and following them to their ends: one id for each, asked politely, given up where nobody answers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.pace import LONGEST_WAIT
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.errors import (
    AzureError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
    ThrottledError,
)
from sovereignmesh.purview.live import WORKERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from sovereignmesh.azure.purview import Purview, Run
    from sovereignmesh.scans.result import ScanRun

__all__ = ["AT_ONCE", "INTERRUPTED", "Watching"]

# https://learn.microsoft.com/purview/how-to-manage-quotas: concurrent scans of an account, by default.
AT_ONCE: Final = 5
INTERRUPTED: Final = "interrupted"
# Seconds between two looks at a run: few right after something has changed, then more and more. How often one may look
# is nowhere documented; a scan takes minutes.
_FIRST, _GROWTH, _LONGEST = 1.0, 1.5, 30.0
_LONGEST_RUN: Final = 7 * 86400.0  # seconds that a scan may run, from the same page as AT_ONCE
_STARTS: Final = 5  # times that a start is sent, each after a look that found nothing under its id
# What says that nothing was started, and would say so again.
_REFUSED: Final = (DeniedError, NotFoundError, RejectedError, ThrottledError)
_PATIENCE: Final = 5  # looks in a row at which nothing could be read of a run, each of which was repeated
_BEFORE_THE_END: Final = 1.0  # seconds before the time is up that a last look is taken


@dataclass(slots=True)
class _Next:
    """When to look at a run next, and since when it is looked at: by a clock that nobody sets."""

    due: float
    since: float
    interval: float = _FIRST
    failures: int = 0


class Watching:
    """Runs that are being started and followed. Any thread may look at `runs`, each of which is replaced as a whole."""

    def __init__(
        self, purview: Purview, runs: list[ScanRun], now: Callable[[], dt.datetime], *, asked_before: bool = False
    ) -> None:
        """`asked_before`: runs of these ids may be there already, and are then followed."""
        self.purview, self.runs, self.now, self.asked_before = purview, runs, now, asked_before
        self.tell: Callable[[ScanRun], object] = lambda _: None
        self.rest: Callable[[], object] = lambda: None  # called before a wait
        self._starting: int | None = None

    @property
    def account(self) -> str:
        """The name of the account."""
        return self.purview.account.name

    def go(self, *, level: str, at_once: int, wait: bool) -> str:
        """Starts what is not started, `at_once` at a time where their ends are waited for, and follows all to these.

        Why it stopped before, "" where it did not.
        """
        todo = deque(index for index, run in enumerate(self.runs) if run.run is None)
        open_: dict[int, _Next] = {}
        if wait:
            now = self.purview.azure.pace.clock()
            open_ = {
                index: _Next(now, now) for index, run in enumerate(self.runs) if run.run is not None and not run.ended
            }
        try:
            self._go_on(todo, open_, level, at_once if wait else None)
        except (SignInError, DeadlineError) as error:
            stopped = str(error)
        except KeyboardInterrupt:
            stopped = INTERRUPTED
        else:
            return ""
        for index in (*todo, *open_, *([] if self._starting is None else [self._starting])):
            if not self.runs[index].ended:
                self._change(index, why=f"given up: {stopped}", unsure=index == self._starting)
        return stopped

    def _go_on(self, todo: deque[int], open_: dict[int, _Next], level: str, at_once: int | None) -> None:
        """Until there is nothing left to start, and nothing to follow; without `at_once` nothing is followed."""
        for index in open_:
            self.tell(self.runs[index])
        while todo or open_:
            while todo and (at_once is None or len(open_) < at_once):
                index = todo.popleft()
                if self._start(index, level) and at_once is not None:
                    now = self.purview.azure.pace.clock()
                    open_[index] = _Next(now + _FIRST, now)
            if open_:
                self._look(open_)

    def _change(self, index: int, **what: Any) -> None:
        self.runs[index] = replace(self.runs[index], **what)
        self.tell(self.runs[index])

    def _start(self, index: int, level: str) -> bool:
        """Starts a run, and says whether it goes on. Its id is told before anything is sent."""
        run = self.runs[index]
        self._starting = index
        self.tell(run)
        made, looked = None, not self.asked_before
        try:
            if not looked:
                made, looked = self._there(run), True
            made = made or self._send(run, level)
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            self._change(index, why=str(error), unsure=not looked or not isinstance(error, _REFUSED))
        else:
            self._change(index, run=made)
        self._starting = None
        run = self.runs[index]
        return run.run is not None and not run.ended

    def _send(self, run: ScanRun, level: str) -> Run:
        """The run that was started, or that is there although its start was not answered, or was refused.

        Where nothing is there it is asked for again, under its id. Raises what the start raised.
        """
        pace, sent = self.purview.azure.pace, 0
        while True:
            try:
                return self.purview.runs.start(run.source, run.scan, run.id, level)
            except (SignInError, DeadlineError, DeniedError, NotFoundError):
                raise
            except AzureError as error:
                sent, refused = sent + 1, isinstance(error, _REFUSED)
                if not refused:
                    pace.wait(pace.backoff(min(sent - 1, 2)))  # what was taken just now may not be seen yet
                try:
                    found = self._there(run)
                except (SignInError, DeadlineError):
                    raise
                except AzureError:
                    raise error from None
                if found is not None:
                    return found
                if refused or sent == _STARTS:
                    raise

    def _there(self, run: ScanRun) -> Run | None:
        """The run that has the id, None where the service says that there is none."""
        try:
            return self.purview.runs.get(run.source, run.scan, run.id)
        except NotFoundError:
            return None

    def _look(self, open_: dict[int, _Next]) -> None:
        """Waits until the next look is due, and looks at all runs that are; those that are over leave `open_`."""
        moment = min(each.due for each in open_.values())
        self._wait_until(moment)
        pace = self.purview.azure.pace
        asked = [partial(self._ask, index) for index, each in open_.items() if each.due <= moment]
        for index, found, wanted in in_parallel(asked, WORKERS, waiting=0, stopped=lambda: pace.stopped):
            each = open_[index]
            if isinstance(found, AzureError):
                each.failures += 1
                each.interval = min(each.interval * _GROWTH, _LONGEST)
                if isinstance(found, DeniedError) or each.failures >= _PATIENCE:
                    del open_[index]
                    self._change(index, why=f"given up: {found}")
            else:
                self._take(index, each, found)
                if self.runs[index].ended or self.runs[index].why:
                    del open_[index]
            each.due = pace.clock() + max(each.interval, min(wanted, LONGEST_WAIT))

    def _take(self, index: int, each: _Next, found: Run) -> None:
        """Keeps what was read of a run, and tells of it where it is another than before; one that hangs is given up."""
        before = self.runs[index]
        self.runs[index] = replace(before, run=found)
        moved = self.runs[index].status != before.status
        each.failures, each.interval = 0, _FIRST if moved else min(each.interval * _GROWTH, _LONGEST)
        # A run may not say when it began, and the two clocks may differ.
        lasted = max(self.runs[index].elapsed(self.now()) or 0.0, self.purview.azure.pace.clock() - each.since)
        if not self.runs[index].ended and lasted > _LONGEST_RUN:
            self._change(index, why="given up: it has not ended in 7 days, the longest that a scan may run")
        elif found != before.run:
            self.tell(self.runs[index])

    def _ask(self, index: int) -> Iterator[tuple[int, Run | AzureError, float]]:
        run = self.runs[index]
        try:
            found, wanted = self.purview.runs.poll(run.source, run.scan, run.id)
            yield index, found, wanted or 0.0
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            yield index, error, 0.0

    def _wait_until(self, moment: float) -> None:
        """Waits, but not over the time given: a last look comes just before its end."""
        self.rest()
        pace = self.purview.azure.pace
        pace.check()
        wait, left = moment - pace.clock(), pace.remaining()
        if left is not None:
            if left <= _BEFORE_THE_END:
                raise DeadlineError("the time given was up")
            wait = min(wait, left - _BEFORE_THE_END)
        if wait > 0:
            pace.wait(wait)
