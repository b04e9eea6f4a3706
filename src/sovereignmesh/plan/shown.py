"""Lists lag behind what is written: a change is done when they show it, for else the next plan would write it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from sovereignmesh.errors import AzureError
from sovereignmesh.plan.applied import Applied
from sovereignmesh.plan.carry import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["looked_for", "until_shown"]

_LIMIT: Final = 60.0  # seconds in which what was written should show
_SHORTEST, _LONGEST = 0.2, 5.0  # seconds between two looks


class Pacing(Protocol):
    """Time as a run has it."""

    clock: Callable[[], float]

    def wait(self, seconds: float) -> None:
        """Waits."""


def looked_for(look: Callable[[], bool], pace: Pacing, *, stopped: Callable[[], bool]) -> bool:
    """Looks again and again, a minute long, until `look` finds what it looks for; whether it did."""
    until, pause = pace.clock() + _LIMIT, _SHORTEST
    while not stopped():
        if look():
            return True
        if pace.clock() >= until:
            break
        pace.wait(pause)
        pause = min(pause * 2, _LONGEST)
    return False


def until_shown(
    outcomes: Iterator[Outcome],
    hidden: Callable[[list[Outcome]], list[Outcome]],
    lists: str,
    pace: Pacing,
    *,
    stopped: Callable[[], bool],
) -> Iterator[Outcome]:
    """Passes the outcomes on as they come; then, what was done and does not show within a minute comes again, failed.

    `hidden` reads what is there, and gives those of the outcomes that do not show; `lists` is where they should.
    """
    told = []
    for outcome in outcomes:
        told.append(outcome)
        yield outcome
    done = [outcome for outcome in told if outcome.state == "done"]
    if not done or (stopped() and not Applied(tuple(told)).complete):
        return

    def look() -> bool:
        nonlocal done
        done = hidden(done)
        return not done

    why = f"written, but it does not show in {lists} after {_LIMIT:.0f} s: plan again later"
    unknown = f"written, but the run was stopped before it showed in {lists}: plan again"
    try:
        looked_for(look, pace, stopped=stopped)
        why = unknown if stopped() else why
    except AzureError as error:
        why = unknown if stopped() else f"written, but nobody could look whether it shows: {error}"
    for outcome in done:
        yield Outcome(outcome.change, "failed", why)
