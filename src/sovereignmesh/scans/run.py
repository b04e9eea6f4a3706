"""Running the scans of an account, and knowing that they ran."""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.errors import AzureError, DeadlineError, RejectedError
from sovereignmesh.plan import Unread
from sovereignmesh.scans.finding import find_runs, find_scans
from sovereignmesh.scans.progress import show_runs
from sovereignmesh.scans.result import ScanRun, ScanRuns
from sovereignmesh.scans.states import has_ended
from sovereignmesh.scans.watch import AT_ONCE, Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount, Run
    from sovereignmesh.scans.finding import Expected
    from sovereignmesh.scans.progress import Tell

    Progress = Callable[[Watching], AbstractContextManager[Tell]]

__all__ = ["Level", "cancel_scan", "run_scan", "run_scans", "scan_history", "watch_scans"]

Level = Literal["incremental", "full"]
_LEVELS: Final = {
    "incremental": "Incremental",
    "full": "Full",
}  # ScanLevelType; the specification's default comes first


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def run_scan(
    azure: Azure,
    account: str | PurviewAccount,
    source: str,
    scan: str,
    *,
    level: Level = "incremental",
    wait: bool = True,
    timeout: float | None = None,
    run_id: str | None = None,
    progress: Progress | None = show_runs,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """What came of a run of a scan, which is started here: one run, seen to its end unless `wait` is False.

    `timeout` is in seconds, the search for the account and its scans among them; a run that has not ended by then goes
    on, and `watch_scans` finds it again, as it does after an interruption. `run_id` is a GUID of yours: where a run has
    it already, that one is followed and none started. A start that is not answered is sent again, under the same id,
    only where the service says that no run has it; that it takes an id once is not documented. `progress` is a context
    that is given what is watched and gives what to call with each run that changes; `contextlib.nullcontext` shows
    nothing.

    What could not be started or followed is said in the result. Raises an `AzureError` where the account cannot be
    found; before anything is asked a ValueError for a `run_id` or a `level` that is none, and for a source or a scan
    without a name.
    """
    _check_names(source, scan)
    _check_level(level)
    identity = str(uuid.uuid4() if run_id is None else uuid.UUID(run_id))
    runs = [ScanRun(source, scan, identity)]
    return _carry_on(azure, account, runs, level, AT_ONCE, wait=wait, timeout=timeout, progress=progress, now=now,
                     asked_before=run_id is not None)  # fmt: skip


def run_scans(
    azure: Azure,
    account: str | PurviewAccount,
    scans: Iterable[tuple[str, str]] | None = None,
    *,
    level: Level = "incremental",
    wait: bool = True,
    timeout: float | None = None,
    concurrency: int = AT_ONCE,
    expected: Expected | None = None,
    progress: Progress | None = show_runs,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """What came of a run of each of the scans, (source, scan), without them of every scan of the account.

    A list leaves out what the caller may not read. So an account that shows no scan at all, as it does to who lost a
    role, is told as not read; and so is what is `expected`, by source the names of its scans, and may be there unseen.

    At most `concurrency` of them run at once while their ends are waited for; without `wait` all are started, and
    Purview lets those wait that are too many. The rest is as with `run_scan`; a ValueError also for a `concurrency`
    below 1.
    """
    _check_level(level)

    def with_ids(scans: Iterable[tuple[str, str]]) -> list[ScanRun]:
        return [ScanRun(*each, str(uuid.uuid4())) for each in scans]

    def find(purview: Purview) -> tuple[list[ScanRun], list[Unread]]:
        found, unread = find_scans(purview, expected=expected)
        return with_ids(found), unread

    runs = find if scans is None else with_ids(scans)
    return _carry_on(azure, account, runs, level, concurrency, wait=wait, timeout=timeout, progress=progress, now=now)


def watch_scans(
    azure: Azure,
    account: str | PurviewAccount,
    source: str | None = None,
    scan: str | None = None,
    *,
    expected: Expected | None = None,
    timeout: float | None = None,
    progress: Progress | None = show_runs,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """What came of the runs that had not ended, whoever started them: of a scan, of a source's, or of the account's.

    What may be there and is not seen is told as with `run_scans`, the rest is as with `run_scan`; a ValueError for a
    scan without its source.
    """
    _check_names(source, scan)

    def find(purview: Purview) -> tuple[list[ScanRun], list[Unread]]:
        return find_runs(purview, source, scan, _open, expected)

    return _carry_on(azure, account, find, "incremental", AT_ONCE, wait=True, timeout=timeout, progress=progress,
                     now=now)  # fmt: skip


def scan_history(
    azure: Azure,
    account: str | PurviewAccount,
    source: str | None = None,
    scan: str | None = None,
    *,
    expected: Expected | None = None,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """The runs that there were, newest first: of a scan, of a source's, or of the account's. Only reads.

    What could not be read is said in the result, and as with `run_scans` what may be there and is not seen. Raises an
    `AzureError` where the account cannot be found; before anything is asked a ValueError for a source or a scan without
    a name, and for a scan without its source.
    """
    _check_names(source, scan)
    purview = connect_purview(account, azure)
    runs, unread = find_runs(purview, source, scan, list, expected)
    return ScanRuns(purview.account.name, tuple(runs), now(), tuple(unread))


def cancel_scan(
    azure: Azure,
    account: str | PurviewAccount,
    source: str,
    scan: str,
    run_id: str | None = None,
    *,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """The run with that id, or all runs of the scan that had not ended, after each was asked to end.

    A run that had ended before stays as it is, and says so: `ended_before`. What could not be asked, or read, is said
    in the result. Raises an `AzureError` where the account cannot be found; before anything is asked a ValueError for a
    `run_id` that is none, and for a source or a scan without a name.
    """
    _check_names(source, scan)
    identity = "" if run_id is None else str(uuid.UUID(run_id))
    purview = connect_purview(account, azure)
    unread: list[Unread] = []
    if identity:
        runs = [ScanRun(source, scan, identity)]
    else:
        runs, unread = find_runs(purview, source, scan, _open)
    return ScanRuns(purview.account.name, tuple(_cancelled(purview, run) for run in runs), now(), tuple(unread))


def _cancelled(purview: Purview, run: ScanRun) -> ScanRun:
    """A run after it was asked to end, unless it is over; refusing that is no failure where it is over, or ends."""
    if run.run is None:
        with suppress(AzureError):  # what keeps it from being read is told by what follows
            run = replace(run, run=purview.runs.get(run.source, run.scan, run.id))
    if run.ended:
        return replace(run, ended_before=True)
    refused: AzureError | None = None
    try:
        purview.runs.cancel(run.source, run.scan, run.id)
    except RejectedError as error:
        refused = error
    except AzureError as error:
        return ScanRun(run.source, run.scan, run.id, run.run, str(error), unsure=run.run is None)
    try:
        found = purview.runs.get(run.source, run.scan, run.id)
    except AzureError as error:
        return ScanRun(run.source, run.scan, run.id, run.run, f"asked to end, and not read: {error}", unsure=True)
    over = has_ended(found) or found.status == "Canceling"
    return ScanRun(run.source, run.scan, run.id, found, str(refused) if refused and not over else "")


def _check_level(level: str) -> None:
    if level not in _LEVELS:
        raise ValueError(f"there is no level '{level}': give one of {', '.join(_LEVELS)}")


def _carry_on(
    azure: Azure,
    account: str | PurviewAccount,
    runs: list[ScanRun] | Callable[[Purview], tuple[list[ScanRun], list[Unread]]],
    level: Level,
    concurrency: int,
    *,
    wait: bool,
    timeout: float | None,
    progress: Progress | None,
    now: Callable[[], dt.datetime],
    asked_before: bool = False,
) -> ScanRuns:
    """Starts and follows the runs, or those that are found in the account; all of it within the time given."""
    if concurrency < 1:
        raise ValueError(f"{concurrency} runs at once are none")
    if timeout is not None:
        azure.begin(timeout)
    try:
        try:
            purview = connect_purview(account, azure)
            found, unread = (runs, []) if isinstance(runs, list) else runs(purview)
        except DeadlineError as error:
            if timeout is None:
                raise
            return _nothing_begun(account, runs if isinstance(runs, list) else [], str(error), now(), waited=wait)
        watching = Watching(purview, found, now, asked_before=asked_before)
        with progress(watching) if progress else nullcontext(watching.tell) as watching.tell:
            stopped = watching.go(level=_LEVELS[level], at_once=concurrency, wait=wait)
    finally:
        if timeout is not None:
            azure.begin()
    return ScanRuns(purview.account.name, tuple(watching.runs), now(), tuple(unread), wait, stopped)


def _nothing_begun(
    account: str | PurviewAccount, runs: list[ScanRun], why: str, at: dt.datetime, *, waited: bool
) -> ScanRuns:
    """What there is to say where the time was up before anything was started or followed."""
    name = account.rpartition("/")[2] if isinstance(account, str) else account.name
    given_up = tuple(replace(run, why=f"given up: {why}") for run in runs)
    unread = () if runs else (Unread("the scans of the account", why),)
    return ScanRuns(name, given_up, at, unread, waited, why)


def _check_names(source: str | None, scan: str | None) -> None:
    """Raises ValueError for names that tell no scan, and no source: they would stand for all of them."""
    if any(name is not None and not name.strip() for name in (source, scan)):
        raise ValueError("the name of a source or of a scan is empty")
    if scan is not None and source is None:
        raise ValueError("a scan is told by its source and its name")


def _open(runs: Iterator[Run]) -> list[Run]:
    return [run for run in runs if not has_ended(run)]
