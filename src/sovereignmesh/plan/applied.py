"""Whether a plan may be carried out, and what became of it."""

from __future__ import annotations

import html
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sovereignmesh.errors import PlanError
from sovereignmesh.plan.text import outcome_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.plan.carry import Outcome, State
    from sovereignmesh.plan.items import Key
    from sovereignmesh.plan.plan import Plan

__all__ = ["Applied", "check_applicable", "told"]


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcomes of a plan's changes, in the order in which they came; one that is told twice failed at the end."""

    outcomes: tuple[Outcome, ...]

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)

    def count(self, state: State) -> int:
        """How many changes are done, were done already, failed, or are left."""
        return sum(outcome.state == state for outcome in self.outcomes)

    @property
    def complete(self) -> bool:
        """Whether nothing failed and nothing is left."""
        return not self.count("failed") and not self.count("left")

    def __repr__(self) -> str:
        return f"<Applied: {self.summary}>"

    @property
    def summary(self) -> str:
        """The counts in words."""
        states = dict.fromkeys(outcome.state for outcome in self.outcomes)
        counts = ", ".join(f"{self.count(state)} {state}" for state in states) or "nothing to do"
        return counts if self.complete else f"{counts}: the next apply goes on from here"

    def to_dict(self) -> dict[str, Any]:
        """The outcomes as JSON: the member `applied` of the schema of plans, which has the changes whole."""
        return {
            "complete": self.complete,
            "outcomes": [
                {
                    "action": outcome.change.action,
                    "kind": outcome.change.item.kind,
                    "name": outcome.change.item.name,
                    "state": outcome.state,
                    "reason": outcome.reason,
                }
                for outcome in self.outcomes
            ],
        }

    def _repr_html_(self) -> str:
        rows = "".join(f"<div>{html.escape(outcome_line(outcome).text)}</div>" for outcome in self.outcomes)
        return f'<div style="font-family:monospace">{rows}<div>{html.escape(self.summary)}</div></div>'


def check_applicable(plan: Plan, expect: str | None, *, force: bool) -> None:
    """Raises PlanError for a plan that must not be applied: another than expected, one with errors, or too large."""
    if expect is not None and expect != plan.digest:
        raise PlanError(f"the plan is not the one expected: its digest is {plan.digest}. Look at it, then expect that")
    if plan.errors:
        listed = "\n".join(map(str, plan.errors))
        raise PlanError(f"nothing was sent, since the plan has errors:\n{listed}")
    if plan.excess and not force:
        raise PlanError(f"{plan.excess}: nothing was sent. If that is meant, look at it and apply it with --force")


def told(
    run: Callable[[Callable[[], bool]], Iterator[Outcome]],
    on_outcome: Callable[[Outcome], object],
    stopped: Callable[[], bool],
) -> Applied:
    """What became of the changes that `run` does; each is told as it comes. `run` is given what says that it stops."""
    outcomes: dict[Key, Outcome] = {}  # of one that is told twice the last word counts
    halted = threading.Event()
    running = run(lambda: halted.is_set() or stopped())
    try:
        for outcome in running:
            outcomes[outcome.change.key] = outcome
            on_outcome(outcome)
    finally:
        halted.set()  # where `on_outcome` raises, what is under way ends first
        for _ in running:
            pass
    return Applied(tuple(outcomes.values()))
