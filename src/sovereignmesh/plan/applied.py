"""What became of a plan."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sovereignmesh.plan.text import outcome_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.plan.carry import Outcome, State

__all__ = ["Applied"]


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
