"""One run of a scan: how far it is, what it counted, and why it did not succeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.channel import error_in
from sovereignmesh.azure.sdk import Facts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

__all__ = ["Run"]

_LONGEST: Final = 2000  # characters of a reason
_PHASES: Final = (("discovery", "discoveryExecutionDetails"), ("ingestion", "ingestionExecutionDetails"))
# What the specification's ScanStatus and IngestionPhaseStatus have for a phase that went well or goes on.
_WELL: Final = frozenset({"", "None", "Queued", "Running", "InProgress", "Delayed", "Throttled", "Succeeded"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scan. `status` is the service's word, and an open set: Queued, InProgress, Succeeded, Failed, ...

    `failed` counts the assets that failed in either phase, discovery or ingestion. `error` is all that the service says
    of what went wrong, in one line, "" for nothing. `type` is Manual, Scheduled, or another word of the service.
    """

    id: str
    status: str
    level: str = ""
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    discovered: int | None = None
    classified: int | None = None
    failed: int | None = None
    error: str = ""
    type: str = ""

    @classmethod
    def of(cls, answer: Facts) -> Run:
        """The one that an answer describes; the counts are None while nobody has counted."""
        found, taken = (_assets(answer, name) for _, name in _PHASES)
        failed = [count for phase in (found, taken) if (count := phase.number("failed")) is not None]
        return cls(
            answer.text("id") or answer.text("scanResultId"),
            answer.text("status"),
            answer.text("scanLevelType"),
            answer.time("startTime"),
            answer.time("endTime"),
            found.number("discovered"),
            found.number("classified"),
            sum(failed) if failed else None,
            _reason(answer),
            answer.text("runType"),
        )


def _assets(answer: Facts, phase: str) -> Facts:
    """The counts of assets of a phase; examples and recordings have them, the specification leaves them open."""
    inside: Any = answer.body
    for name in (phase, "statistics", "assets"):
        inside = inside.get(name) if isinstance(inside, dict) else None
    return Facts(inside if isinstance(inside, dict) else {}, answer.place)


def _reason(answer: Facts) -> str:
    """What the service says of what went wrong; an error of the same words twice is told once."""
    told: list[str] = []
    for part in _parts(answer.body):
        words = " ".join(part.split())
        if words and not any(words in before for before in told):
            told.append(words)
    return "; ".join(told or _phases(answer.body))[:_LONGEST]


def _parts(body: Mapping[str, Any]) -> Iterator[str]:
    yield ": ".join(filter(None, error_in(body.get("error"))))
    yield str(body.get("errorMessage") or "")
    diagnostics = body.get("diagnostics")
    diagnostics = diagnostics if isinstance(diagnostics, dict) else {}
    notes = diagnostics.get("notifications")
    for note in notes if isinstance(notes, list) else ():
        if isinstance(note, dict):
            yield (
                f"{note.get('message') or ''} ({note['code']})" if note.get("code") else str(note.get("message") or "")
            )
    counts = diagnostics.get("exceptionCountMap")
    if isinstance(counts, dict):
        yield ", ".join(f"{count} x {name}" for name, count in counts.items() if count)


def _phases(body: Mapping[str, Any]) -> Iterator[str]:
    """The phases that did not go well, where nothing else is said."""
    for phase, name in _PHASES:
        details = body.get(name)
        status = details.get("status") if isinstance(details, dict) else None
        if isinstance(status, str) and status not in _WELL:
            yield f"{phase}: {status}"
