"""Runs of scans as they were last seen, and what came of them together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.result.notebook import table_html
from sovereignmesh.result.text import timestamp
from sovereignmesh.scans.states import SUCCEEDED, has_ended, is_known

if TYPE_CHECKING:
    import datetime as dt

    from sovereignmesh.azure.purview import Run
    from sovereignmesh.plan import Unread

__all__ = ["ScanRun", "ScanRuns", "span"]

_COLUMNS: Final = (
    "Source", "Scan", "Status", "Started (UTC)", "Elapsed", "Discovered", "Classified", "Failed", "Level", "Type",
    "Run",
)  # fmt: skip
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class ScanRun:
    """A run of a scan, as it was last seen.

    `id` is the run's, a GUID. `run` is what the service last said of it, None where it has not said anything: then it
    was not started, or, where `unsure`, nobody knows. `why` says what kept from starting it, or from following it to
    its end. `ended_before`: it was to be cancelled, and was over when that was asked.
    """

    source: str
    scan: str
    id: str
    run: Run | None = None
    why: str = ""
    unsure: bool = False
    ended_before: bool = False

    @property
    def name(self) -> str:
        """The scan as SOURCE/SCAN."""
        return f"{self.source}/{self.scan}"

    @property
    def status(self) -> str:
        """The service's word for how it is; `not started` or `unknown` where there is none."""
        if self.run is None:
            return "unknown" if self.unsure else "not started"
        return self.run.status or "unknown"

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.run is not None and has_ended(self.run)

    @property
    def succeeded(self) -> bool:
        """Whether it is over and went well; a status that nobody knows is none that went well."""
        return self.ended and self.status == SUCCEEDED

    @property
    def reason(self) -> str:
        """Why it did not succeed, or could not be followed: all that is known of it."""
        told = [self.why, self.run.error if self.run else ""]
        if self.ended and not is_known(self.status):
            told.append(f"it has ended with the status {self.status}, and nobody knows whether that is a success")
        elif self.ended and not self.succeeded and not any(told):
            told.append("the service gives no reason")
        return "; ".join(filter(None, told))

    def elapsed(self, now: dt.datetime) -> float | None:
        """The seconds that it lasted, or has lasted until `now`; None where it is not said when it began or ended."""
        if self.run is None or self.run.started is None:
            return None
        until = self.run.ended if self.ended else now
        return max(0.0, (until - self.run.started).total_seconds()) if until else None

    def cells(self, now: dt.datetime) -> list[str]:
        """What is in the columns of a table."""
        run, elapsed = self.run, self.elapsed(now)
        counts = (run.discovered, run.classified, run.failed) if run else (None, None, None)
        return [
            self.source, self.scan, self.status,
            f"{run.started:%Y-%m-%d %H:%M}" if run and run.started else "",
            "" if elapsed is None else span(elapsed),
            *("" if count is None else f"{count:,}" for count in counts),
            run.level if run else "", run.type if run else "", self.id,
        ]  # fmt: skip

    def to_dict(self, now: dt.datetime) -> dict[str, Any]:
        """The run as JSON: times in UTC to the second, null for what is not known."""
        run = self.run
        return {
            "source": self.source,
            "scan": self.scan,
            "run_id": self.id,
            "status": self.status,
            "ended": self.ended,
            "succeeded": self.succeeded,
            "reason": self.reason or None,
            "level": (run.level or None) if run else None,
            "type": (run.type or None) if run else None,
            "started_at": timestamp(run.started) if run and run.started else None,
            "ended_at": timestamp(run.ended) if run and run.ended else None,
            "elapsed_seconds": self.elapsed(now),
            "discovered": run.discovered if run else None,
            "classified": run.classified if run else None,
            "failed": run.failed if run else None,
        }


@dataclass(frozen=True, slots=True, repr=False)
class ScanRuns:
    """Runs of an account's scans at the moment `at`.

    `waited` says whether their ends were waited for. `unread` is what could not be listed: there may be more runs, or
    more scans, than these. `stopped` says why nobody waits any more where not all have ended, "" where all did.
    """

    account: str
    runs: tuple[ScanRun, ...]
    at: dt.datetime
    unread: tuple[Unread, ...] = ()
    waited: bool = False
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """Whether all is known that was asked for: each run was started and, where waited for, seen to its end."""
        if self.unread or self.stopped or any(run.why for run in self.runs):
            return False
        return all(run.ended if self.waited else run.run is not None for run in self.runs)

    @property
    def succeeded(self) -> bool:
        """Whether all is known, and every run is over and went well."""
        return self.complete and all(run.succeeded for run in self.runs)

    @property
    def failures(self) -> tuple[ScanRun, ...]:
        """The runs that are over and did not go well, and those that nobody could start or follow."""
        return tuple(run for run in self.runs if run.why or (run.ended and not run.succeeded))

    @property
    def failure_lines(self) -> list[str]:
        """The failures in a line each: which scan, which run where there are several of it, the status, the reason."""
        count = Counter(run.name for run in self.runs)
        return [
            f"{run.name}{f', run {run.id}' if count[run.name] > 1 else ''}: {run.status}: {run.reason}"
            for run in self.failures
        ]

    @property
    def table(self) -> tuple[list[str], list[list[str]]]:
        """The names of the columns and, by run, what is in them; without columns in which there is nothing."""
        rows = [run.cells(self.at) for run in self.runs]
        kept = [at for at, _ in enumerate(_COLUMNS) if any(row[at] for row in rows)]
        return [_COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in rows]

    def __repr__(self) -> str:
        well = sum(run.succeeded for run in self.runs)
        return f"<{type(self).__name__} of {self.account}: {len(self.runs)} runs, {well} of them succeeded>"

    def _repr_html_(self) -> str:
        title = f"Purview account {self.account}"
        over = sum(run.ended for run in self.runs)
        bar = (over, len(self.runs)) if self.waited and over < len(self.runs) else None
        return table_html(title, *self.table, bar=bar, notes=self.failure_lines, unread=self.unread)

    def to_dict(self) -> dict[str, Any]:
        """The runs as JSON."""
        return {
            "schema": "sovereignmesh.scans/v1",
            "account": self.account,
            "at": timestamp(self.at),
            "waited": self.waited,
            "complete": self.complete,
            "succeeded": self.succeeded,
            "stopped": self.stopped or None,
            "runs": [run.to_dict(self.at) for run in self.runs],
            "unread": [unread._asdict() for unread in self.unread],
        }


def span(seconds: float) -> str:
    """Seconds in words.

    >>> span(8), span(75), span(3723)
    ('8 s', '1 min 15 s', '1 h 02 min')
    """
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
