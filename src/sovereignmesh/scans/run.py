"""Running the scans of an account, and knowing that they ran."""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, Literal

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.errors import AzureError, DeadlineError, RejectedError, SignInError
from sovereignmesh.plan import Unread
from sovereignmesh.purview.history import read_runs
from sovereignmesh.purview.live import Live
from sovereignmesh.scans.progress import show_runs
from sovereignmesh.scans.result import ScanRun, ScanRuns
from sovereignmesh.scans.states import has_ended
from sovereignmesh.scans.watch import AT_ONCE, Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount, Run
    from sovereignmesh.scans.progress import Tell

    Progress = Callable[[Watching], AbstractContextManager[Tell]]

__all__ = ["Level", "cancel_scan", "run_scan", "run_scans", "scan_history", "watch_scans"]

Level = Literal["incremental", "full"]
_LEVELS: Final = {
    "incremental": "Incremental",
    "full": "Full",
}  # ScanLevelType; the specification's default comes first

_NONE_SEEN: Final = (
    "none is seen, so that none was run: it has none, or you lack the role Data Source Administrator in its collections"
)


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

    `timeout` is in seconds; a run that has not ended by then goes on, and `watch_scans` finds it again, as it does
    after an interruption. `run_id` is a GUID of yours: asked with the same again, the same run is followed and none
    started. `progress` is a context that is given what is watched and gives what to call with each run that changes;
    `contextlib.nullcontext` shows nothing.

    What could not be started or followed is said in the result. Raises an `AzureError` where the account cannot be
    found; before anything is asked a ValueError for a `run_id` or a `level` that is none.
    """
    _check_level(level)
    identity = str(uuid.UUID(run_id)) if run_id else str(uuid.uuid4())
    purview = connect_purview(account, azure)
    runs = [ScanRun(source, scan, identity)]
    return _carry_on(purview, runs, (), level, AT_ONCE, wait=wait, timeout=timeout, progress=progress, now=now)


def run_scans(
    azure: Azure,
    account: str | PurviewAccount,
    scans: Iterable[tuple[str, str]] | None = None,
    *,
    level: Level = "incremental",
    wait: bool = True,
    timeout: float | None = None,
    concurrency: int = AT_ONCE,
    progress: Progress | None = show_runs,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """What came of a run of each of the scans, (source, scan), without them of every scan of the account.

    An account that shows no scan at all, as it does to who lost a role, is told as not read. At most `concurrency` of
    them run at once while their ends are waited for; without `wait` all are started, and Purview lets those wait that
    are too many. The rest is as with `run_scan`; a ValueError also for a `concurrency` below 1.
    """
    _check_level(level)
    if concurrency < 1:
        raise ValueError(f"{concurrency} runs at once are none")
    purview = connect_purview(account, azure)
    unread: list[Unread] = []
    if scans is None:
        found, unread = _scans(purview)
        if not found and not unread:  # whoever lost a role sees the same as whoever has no scans
            unread = [Unread("the scans of the account", _NONE_SEEN)]
        scans = found
    runs = [ScanRun(*each, str(uuid.uuid4())) for each in scans]
    return _carry_on(purview, runs, unread, level, concurrency, wait=wait, timeout=timeout, progress=progress, now=now)


def watch_scans(
    azure: Azure,
    account: str | PurviewAccount,
    source: str | None = None,
    scan: str | None = None,
    *,
    timeout: float | None = None,
    progress: Progress | None = show_runs,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """What came of the runs that had not ended, whoever started them: of a scan, of a source's, or of the account's.

    The rest is as with `run_scan`; a ValueError for a scan without its source.
    """
    _check_scan(source, scan)
    purview = connect_purview(account, azure)
    runs, unread = _history(purview, source, scan, _open)
    return _carry_on(purview, runs, unread, "incremental", AT_ONCE, wait=True, timeout=timeout, progress=progress,
                     now=now)  # fmt: skip


def scan_history(
    azure: Azure,
    account: str | PurviewAccount,
    source: str | None = None,
    scan: str | None = None,
    *,
    now: Callable[[], dt.datetime] = _now,
) -> ScanRuns:
    """The runs that there were, newest first: of a scan, of a source's, or of the account's. Only reads.

    What could not be read is said in the result. Raises an `AzureError` where the account cannot be found; before
    anything is asked a ValueError for a scan without its source.
    """
    _check_scan(source, scan)
    purview = connect_purview(account, azure)
    runs, unread = _history(purview, source, scan, list)
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

    A run that had ended before stays as it is. What could not be asked, or read, is said in the result. Raises an
    `AzureError` where the account cannot be found; before anything is asked a ValueError for a `run_id` that is none.
    """
    identity = str(uuid.UUID(run_id)) if run_id else ""
    purview = connect_purview(account, azure)
    unread: list[Unread] = []
    if identity:
        runs = [ScanRun(source, scan, identity)]
    else:
        runs, unread = _history(purview, source, scan, _open)
    return ScanRuns(purview.account.name, tuple(_cancelled(purview, run) for run in runs), now(), tuple(unread))


def _cancelled(purview: Purview, run: ScanRun) -> ScanRun:
    """A run after it was asked to end; refusing that is no failure where it is over, or ends."""
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


def _check_scan(source: str | None, scan: str | None) -> None:
    if scan is not None and source is None:
        raise ValueError("a scan is told by its source and its name: give its source too")


def _carry_on(
    purview: Purview,
    runs: list[ScanRun],
    unread: Iterable[Unread],
    level: Level,
    concurrency: int,
    *,
    wait: bool,
    timeout: float | None,
    progress: Progress | None,
    now: Callable[[], dt.datetime],
) -> ScanRuns:
    watching, azure = Watching(purview, runs, now), purview.azure
    if timeout is not None:
        azure.begin(timeout)
    try:
        with progress(watching) if progress else nullcontext(watching.tell) as watching.tell:
            stopped = watching.go(level=_LEVELS[level], at_once=concurrency, wait=wait)
    finally:
        if timeout is not None:
            azure.begin()
    return ScanRuns(purview.account.name, tuple(watching.runs), now(), tuple(unread), wait, stopped)


def _scans(purview: Purview, source: str | None = None) -> tuple[list[tuple[str, str]], list[Unread]]:
    """The scans of the account, or of a source, as (source, scan) in order, and what could not be listed."""
    if source is not None:
        try:
            return sorted((source, scan.name) for scan in purview.scans.list(source)), []
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            return [], [Unread(f"the scans of source {source}", str(error))]
    live = Live(purview)
    live.read_lists({"source"})
    live.read_scans(item.name for item in live.of("source"))
    names = (item.name.partition("/") for item in live.of("scan"))
    return sorted((source, scan) for source, _, scan in names), live.unread


def _open(runs: Iterator[Run]) -> list[Run]:
    return [run for run in runs if not has_ended(run)]


def _history(
    purview: Purview, source: str | None, scan: str | None, keep: Callable[[Iterator[Run]], list[Run]]
) -> tuple[list[ScanRun], list[Unread]]:
    """The runs that there were, newest first, as far as they are to be kept; and what could not be read."""
    scans, unread = ([(source, scan)], []) if source and scan else _scans(purview, source)
    found, more = read_runs(purview, ["/".join(each) for each in scans], keep)

    def told() -> Iterator[ScanRun]:
        for name, runs in found.items():
            for run in runs:
                of, _, its = name.partition("/")
                yield ScanRun(of, its, run.id, run)

    never = dt.datetime.max.replace(tzinfo=dt.UTC)  # what does not say when it began may just begin
    ordered = sorted(told(), key=lambda each: ((each.run and each.run.started) or never, each.name), reverse=True)
    return ordered, [*unread, *more]
