"""What Azure Policy says beside what we say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.result.checks import Check

__all__ = ["OUTCOMES", "AzurePolicy", "ExemptionUse", "PolicyAssignment", "PolicyDifference"]

# What comes out of a comparison, for a resource and a check; the order in which people read it.
OUTCOMES: Final[dict[str, str]] = {
    "agree": "both say the same",
    "azure-only": "Azure Policy fails it, we do not",
    "ours-only": "we fail it, Azure Policy does not",
    "excused": "one of the two excuses what the other fails or judges",
    "undecided": "one of the two does not know",
    "not-judged": "Azure Policy fails it, and it is not among what we judged",
    "not-asked": "Azure Policy fails it, and the mesh does not ask for the check",
    "not-evaluated": "we fail it, and no assignment of the built-in evaluates it",
    "not-read": "we fail it, and Azure Policy's states there could not be read",
}


@dataclass(frozen=True, slots=True)
class PolicyDifference:
    """A resource of which Azure Policy and we say different things in a check, and why as far as that is known.

    `outcome` is one of OUTCOMES; `azure` is Azure's state, `ours` ours or "" where there is none; `definitions` are the
    built-ins, by GUID.
    """

    outcome: str
    resource_id: str
    check: Check
    azure: str
    ours: str
    definitions: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class PolicyAssignment:
    """An assignment whose states were compared, and how many they are."""

    id: str
    name: str
    states: int


@dataclass(frozen=True, slots=True)
class ExemptionUse:
    """What an exemption of Azure Policy did in this run; `expires` is "" where it does not.

    `state` is "in force", "expired", "matches nothing", "not understood" (`why` says what) or "not honoured" (nobody
    asked for it).
    """

    id: str
    name: str
    category: str
    expires: str
    state: str
    findings: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class AzurePolicy:
    """Azure Policy's view of what was audited. Nothing of it counts for the verdict but exemptions that are honoured.

    `compared` and `honoured` say what was asked for. `states` are the compliance states of built-ins that the facts
    cite, evaluated between `oldest` and `newest`. `outcomes` count resources by check; of the `different` ones that
    are worth a look, `differences` lists the first. `unread` names what could not be read.
    """

    compared: bool
    honoured: bool
    states: int
    oldest: str
    newest: str
    assignments: tuple[PolicyAssignment, ...]
    outcomes: Mapping[str, int]
    different: int
    differences: tuple[PolicyDifference, ...]
    exemptions: tuple[ExemptionUse, ...]
    unread: tuple[str, ...]

    @property
    def exempted(self) -> int:
        """How many findings exemptions have made exempt."""
        return sum(exemption.findings for exemption in self.exemptions)

    @property
    def sentence(self) -> str:
        """In one sentence what was read and what came out; all of it in our own words."""
        if self.unread:
            said = "not all of it could be read"
        elif not self.states:
            said = "no state of any built-in that the facts cite"
        else:
            said = f"{self.states:,} states by {len(self.assignments):,} assignment{'s' * (len(self.assignments) != 1)}"
        parts = [said]
        if self.states and self.oldest:
            parts.append(f"evaluated {self.oldest[:16]} to {self.newest[:16]}")
        if self.outcomes:
            parts.append(", ".join(f"{outcome} {count:,}" for outcome, count in self.outcomes.items()))
        if self.honoured:
            parts.append(f"exempted: {self.exempted:,}")
        return "; ".join(parts)
