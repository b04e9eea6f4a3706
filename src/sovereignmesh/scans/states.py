"""When a run is over. The service's words are an open set: one that nobody knows ends nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sovereignmesh.azure.purview import Run

__all__ = ["SUCCEEDED", "has_ended", "is_known"]

SUCCEEDED: Final = "Succeeded"
# ScanRunStatus of the specification 2023-09-01 has the first three; ScanStatus, of the phase of discovery, the fourth,
# which https://learn.microsoft.com/purview/how-to-monitor-data-map-population has for whole runs too.
_ENDS: Final = frozenset({SUCCEEDED, "Failed", "Canceled", "CompletedWithExceptions"})
# Likewise, with Queued as recorded in 2021 and Throttled from the same page: waiting for others of the account to end.
# An official example has an `endTime` with Accepted. Canceling is IngestionPhaseStatus's.
_GOES_ON: Final = frozenset({"Accepted", "Queued", "Throttled", "InProgress", "Canceling"})


def is_known(status: str) -> bool:
    """Whether it is documented what a status means; of TransientFailure, which the specification has, it is not."""
    return status in _ENDS or status in _GOES_ON


def has_ended(run: Run) -> bool:
    """Whether a run is over: by its status, and with one that nobody knows where the service says when it ended."""
    return run.status in _ENDS or (run.status not in _GOES_ON and run.ended is not None)
