"""One subscription's share of an inventory: what the service counts, what came of it, and what that proves."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import DeadlineError, DeniedError
from sovereignmesh.result import Scope

if TYPE_CHECKING:
    from sovereignmesh.azure.directory import Subscription
    from sovereignmesh.errors import AzureError

__all__ = ["TABLES", "Proof", "Share"]

TABLES: Final = ("resourcecontainers", "resources")
_NOT_ASKED: Final = "what you may read there was not found out before the run ended"


@dataclass(slots=True)
class Proof:
    """Whether the caller may read everything in the subscription, and else why that is not sure."""

    given: bool = False
    doubt: str = _NOT_ASKED


@dataclass(slots=True)
class Share:
    """What is known of one subscription after one reading."""

    subscription: Subscription
    proof: Proof = field(default_factory=Proof)
    counts: dict[str, int] = field(default_factory=dict)  # rows by table, as Resource Graph counts them
    # By table the hashes of the ids that came: a string each would take memory.
    seen: dict[str, array[int]] = field(default_factory=lambda: {table: array("q") for table in TABLES})
    pending: int | None = None  # tables still to be read; None: not yet begun
    error: AzureError | None = None
    missing: str = ""  # what shows, besides the counts, that rows are missing

    @property
    def read(self) -> int:
        """How many different rows came."""
        return sum(len(set(hashes)) for hashes in self.seen.values())

    @property
    def counted(self) -> int:
        """How many rows there are."""
        return sum(self.counts.values())

    @property
    def shows_something(self) -> bool:
        """Whether there is more to see than the row of the subscription itself, which is no more than its name."""
        return self.counted > 1 or self.counts.get("resources", 0) > 0

    @property
    def disagrees(self) -> bool:
        """Whether everything came, and it is not as much as the service counts, or not even the subscription."""
        short = self._differs or bool(self.missing) or (self.proof.given and not self._is_known)
        return self.error is None and short

    @property
    def _differs(self) -> bool:
        """Whether any table gave other than as many different rows as are counted in it."""
        return any(len(set(self.seen[table])) != count for table, count in self.counts.items())

    @property
    def _is_known(self) -> bool:
        return self.counts.get("resourcecontainers", 0) > 0

    def end(self, why: str) -> None:
        """The reading is over; what has not come by now has not been read, for this reason."""
        if self.error is None and self.pending != 0:
            self.error = DeadlineError(why)

    def scope(self) -> Scope:
        """The subscription's state: read, partial, denied or failed, and why."""
        state, expected, reason = self._verdict()
        return Scope("subscription", self.subscription.id, self.subscription.name, state, self.read, expected, reason)

    def _verdict(self) -> tuple[str, int | None, str]:
        expected = self.counted if self.proof.given and self.counts else None
        if self.error is not None:
            denied = isinstance(self.error, DeniedError)
            return "partial" if self.read else "denied" if denied else "failed", expected, str(self.error)
        if not self.proof.given:
            return ("partial" if self.shows_something else "denied"), None, self.proof.doubt
        if not self._is_known:
            return "partial", None, "Resource Graph does not know the subscription, or not yet"
        if self.missing:
            return "partial", expected, self.missing
        if self._differs:
            found = ", ".join(
                f"{count} {table} and gave {len(set(self.seen[table]))}" for table, count in self.counts.items()
            )
            return "partial", expected, f"Resource Graph counts {found} different ones, asked twice"
        return "read", expected, ""
