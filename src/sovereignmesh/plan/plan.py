"""A plan: what is to be done, in order, with what nobody could read and what ought to be said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.plan.items import ACTIONS

if TYPE_CHECKING:
    from sovereignmesh.plan.items import Action, Change
    from sovereignmesh.result import Problem

__all__ = ["SCHEMA", "Plan", "Unread"]

SCHEMA: Final = "sovereignmesh.plan/v1"
_MOST: Final = 0.3  # of what is there may change or go before somebody has to say that it is meant
_FEW: Final = 10  # objects, of which any number may


class Unread(NamedTuple):
    """Something that could not be read, so that nobody can plan it, and why."""

    what: str
    why: str


@dataclass(frozen=True, repr=False)
class Plan:
    """What is to be done to `target`, in the order in which it can be done.

    `existing` counts the objects that are there and were compared, `unchanged` those that are as wished. `problems`
    are what was noticed: warnings, and errors that keep the plan from being applied. `notes` say what is worth knowing.
    """

    target: str
    changes: tuple[Change, ...]
    existing: int = 0
    unchanged: int = 0
    problems: tuple[Problem, ...] = ()
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes

    @property
    def complete(self) -> bool:
        """Whether all that is wished could be compared."""
        return not self.unread

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems with which nothing is applied."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @cached_property
    def digest(self) -> str:
        """Two plans with the same digest do the same to the same target, and say the same of it."""
        said = sorted(f"{problem.severity}: {problem.message}" for problem in self.problems)
        told = [self.target, [{**change.to_dict(), "place": ""} for change in self.changes], said]
        text = json.dumps(told, sort_keys=True, default=str)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def count(self, action: Action) -> int:
        """How many objects are created, updated or deleted."""
        return sum(change.action == action for change in self.changes)

    @property
    def touched(self) -> list[Change]:
        """The changes of what is there."""
        return [change for change in self.changes if change.action != "create"]

    @property
    def excess(self) -> str:
        """Why this is more than anybody does by the way; "" where it is not.

        New objects harm none that is there; changed and deleted ones may, if the wish was for another account. Of a few
        objects any number may change, and of none more than a third go.
        """
        deleted, touched = self.count("delete"), len(self.touched)
        few = self.existing < _FEW or touched <= _MOST * self.existing
        if few and deleted <= _MOST * self.existing:
            return ""
        return (
            f"the plan updates {touched - deleted:,} and deletes {self.count('delete'):,} of the {self.existing:,} "
            f"objects that are there, more than {_MOST:.0%}"
        )

    @property
    def counts(self) -> str:
        """How much is to be done, in words."""
        if self.empty:
            return "nothing to do" if self.complete else "nothing to do in what could be read"
        return ", ".join(f"{self.count(action)} to {action}" for action in ACTIONS)

    @property
    def verdict(self) -> str:
        """That it cannot be applied, in words that follow others; "" where it can."""
        wrong = len(self.errors)
        return f"; {wrong} error{'s' * (wrong != 1)}: it cannot be applied" if wrong else ""

    @property
    def summary(self) -> str:
        """The counts in words, and whether it can be applied."""
        return self.counts + self.verdict

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self.target.rpartition('/')[2]}: {self.summary}>"

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON; its schema is in this package."""
        return {
            "schema": SCHEMA,
            "target": self.target,
            "digest": self.digest,
            "complete": self.complete,
            "summary": {**{action: self.count(action) for action in ACTIONS}, "unchanged": self.unchanged},
            "changes": [change.to_dict() for change in self.changes],
            "problems": [problem_dict(problem) for problem in self.problems],
            "unread": [unread._asdict() for unread in self.unread],
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        from sovereignmesh.plan.text import plan_html  # noqa: PLC0415 - of notebooks alone

        return plan_html(self)


def problem_dict(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return {
        "severity": problem.severity,
        "place": str(problem.location),
        "path": problem.path,
        "message": problem.message,
    }
