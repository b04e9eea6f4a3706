"""Our judgements beside Azure Policy's states, and Azure Policy's exemptions where they are to be honoured."""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sovereignmesh.audit.index import type_of
from sovereignmesh.facts import find_resource_type, resource_types, squeeze
from sovereignmesh.result import CHECKS
from sovereignmesh.result.azure_policy import OUTCOMES, AzurePolicy, ExemptionUse, PolicyAssignment, PolicyDifference

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator

    from sovereignmesh.azure.policy import Exemption, PolicyReading, Selector
    from sovereignmesh.result import Check, State

__all__ = ["COMPARED", "PolicyComparison", "cited_definitions"]

# The checks whose built-ins ask the same question. Those that the other checks' facts cite ask for something else:
# that backups are geo-redundant, that a key is the customer's at all.
COMPARED: Final[tuple[Check, ...]] = ("customer-managed-key", "public-access", "private-endpoint")
_SHOWN: Final = 200
_WORST: Final[tuple[State, ...]] = ("non-compliant", "unknown", "exempt", "compliant", "not-applicable")
_RANK: Final = {state: rank for rank, state in enumerate(_WORST)}
# Of several states of a resource that which counts, as in Azure's own sample queries.
_WEIGHT: Final = {"noncompliant": 300, "compliant": 200, "conflict": 100, "exempt": 50}
_FAILS: Final = "noncompliant"
_COUNTED_ALONE: Final = frozenset({"agree", "not-asked", "not-evaluated", "not-read"})
_MANAGEMENT_GROUP: Final = "/providers/microsoft.management/managementgroups/"
_MATCHED: Final[dict[str, dict[State, str]]] = {
    "noncompliant": {
        "non-compliant": "agree", "unknown": "undecided", "exempt": "excused", "compliant": "azure-only",
        "not-applicable": "azure-only",
    },
    "compliant": {
        "non-compliant": "ours-only", "unknown": "undecided", "exempt": "excused", "compliant": "agree",
        "not-applicable": "agree",
    },
    "exempt": {
        "non-compliant": "excused", "unknown": "excused", "exempt": "agree", "compliant": "agree",
        "not-applicable": "agree",
    },
}  # fmt: skip


@cache
def cited_definitions() -> dict[str, frozenset[Check]]:
    """The built-ins of Azure Policy (GUIDs in lower case) that the facts of COMPARED cite, and for which checks."""
    found: dict[str, set[Check]] = {}
    for row in resource_types().values():
        for check in COMPARED:
            if check in row.rules:
                for definition in _cited(" ".join(row.rules[check].source)):
                    found.setdefault(definition, set()).add(check)
    return {definition: frozenset(checks) for definition, checks in found.items()}


@lru_cache(maxsize=4096)
def _cited(source: str) -> tuple[str, ...]:
    """The built-ins that a finding's source cites."""
    return tuple(word.removeprefix("policy:").lower() for word in source.split() if word.startswith("policy:"))


class _Ours(NamedTuple):
    """The worst of our judgements of a resource in a check; `resource_id` is the one that was judged."""

    state: State
    reason: str
    resource_id: str
    cited: tuple[str, ...]


class PolicyComparison:
    """Listens to an audit. Keeps what Azure's states name, so that memory is bounded by them and by what fails.

    `note` is told of every judgement, `exemption_for` is asked for every failure before it is listed, and `result`
    gives what came out. `checks` are those that are judged; `now` decides whether an exemption has expired. The states
    come first: the reading is made before the audit begins.
    """

    def __init__(
        self, reading: PolicyReading, *, compare: bool, honour: bool, checks: Collection[Check], now: dt.datetime
    ) -> None:
        self._compare, self._honour, self._checks, self._now = compare, honour, frozenset(checks), now
        self._states: dict[str, dict[str, str]] = {}
        self._failing: dict[str, set[tuple[str, str, str]]] = {}  # by resource: definition, assignment, reference
        for state in reading.states:
            if state.state.lower() == _FAILS:
                self._failing.setdefault(state.resource, set()).add(
                    (state.definition, state.assignment, state.reference)
                )
            held = self._states.setdefault(state.resource, {})
            held[state.definition] = _heavier((held.get(state.definition, state.state), state.state))
        per_assignment = Counter(state.assignment for state in reading.states)
        self._assignments = tuple(
            PolicyAssignment(identity, reading.assignments.get(identity, identity.rpartition("/")[2]), count)
            for identity, count in sorted(per_assignment.items())
        )
        times = [state.at for state in reading.states if state.at]
        self._count, self._oldest, self._newest = len(reading.states), min(times, default=""), max(times, default="")
        self._exemptions = [
            exemption
            for exemption in reading.exemptions
            if exemption.flaw or exemption.definitions & cited_definitions().keys()
        ]
        self._by_scope: dict[str, list[Exemption]] = {}
        for exemption in sorted(self._exemptions):
            if honour and not exemption.flaw and not self._expired(exemption):
                self._by_scope.setdefault(exemption.scope, []).append(exemption)
        self._used: Counter[str] = Counter()
        self._ancestors = reading.ancestors
        self.unread = reading.unread
        self._unread_subscriptions = reading.unread_subscriptions
        self._ours: dict[tuple[str, Check], _Ours] = {}
        self._seen: set[str] = set()
        self._alone: set[int] = set()
        self._outcomes: Counter[str] = Counter()

    def note(self, resource_id: str, check: Check, state: State, reason: str, source: str) -> None:
        """Takes a judgement in: its state as it is counted, so `exempt` where it is waived."""
        if not self._compare:
            return
        low = resource_id.lower()
        if low in self._states:
            self._seen.add(low)
        cited = _cited(source) if check in COMPARED else ()
        if not cited:
            return
        judged = next((at for at in _with_parents(low) if not self._states.get(at, {}).keys().isdisjoint(cited)), "")
        if judged:
            known = self._ours.get((judged, check))
            if known is None or _RANK[state] < _RANK[known.state]:
                self._ours[judged, check] = _Ours(state, reason, resource_id, cited)
        elif state in ("non-compliant", "unknown") and (key := hash((low, check))) not in self._alone:
            self._alone.add(key)
            unread = _subscription_of(low) in self._unread_subscriptions
            self._outcomes["not-read" if unread else "not-evaluated"] += 1

    def exemption_for(self, check: Check, source: str, resource_id: str, location: object) -> dict[str, str] | None:
        """The waiver that an exemption of Azure Policy means for a failure; None where none does.

        An exemption counts whose scope contains the resource and which is about a built-in that `source` cites. It
        does not where Azure Policy itself holds the resource non-compliant by one of the cited built-ins that is not
        exempt, or by another assignment of it, or where that is not known because its states could not be read.
        """
        if not self._by_scope or check not in COMPARED:
            return None
        cited, low = frozenset(_cited(source)), resource_id.lower()
        found = [
            exemption
            for scope in self._scopes_of(low)
            for exemption in self._by_scope.get(scope, ())
            if exemption.definitions & cited and _selects(exemption, low, location)
        ]
        if not found:
            return None
        if _subscription_of(low) in self._unread_subscriptions:
            return None
        failing = (state for at in _with_parents(low) for state in self._failing.get(at, ()) if state[0] in cited)
        if not all(any(_excuses(exemption, *state) for exemption in found) for state in failing):
            return None
        first = found[0]
        self._used[first.id] += 1
        words = first.description or first.title
        return {
            "reason": f"Azure Policy exemption {first.name} ({first.category})" + (f": {words}" if words else ""),
            "owner": "Azure Policy",
            "expires": first.expires.date().isoformat() if first.expires else "",
        }

    def result(self) -> AzurePolicy:
        """What came out, when every judgement has been noted."""
        outcomes = Counter(self._outcomes)
        shown: list[PolicyDifference] = []
        different = 0
        for difference in self._compared() if self._compare else ():
            outcomes[difference.outcome] += 1
            if difference.outcome not in _COUNTED_ALONE:
                different += 1
                shown.append(difference)
                if len(shown) > 2 * _SHOWN:
                    shown = sorted(shown, key=_order)[:_SHOWN]
        return AzurePolicy(
            compared=self._compare,
            honoured=self._honour,
            states=self._count,
            oldest=self._oldest,
            newest=self._newest,
            assignments=self._assignments,
            outcomes={outcome: outcomes[outcome] for outcome in OUTCOMES if outcomes[outcome]},
            different=different,
            differences=tuple(sorted(shown, key=_order)[:_SHOWN]),
            exemptions=tuple(self._use(exemption) for exemption in sorted(self._exemptions)),
            unread=tuple(f"{what}: {why}" for what, why in self.unread),
        )

    def _compared(self) -> Iterator[PolicyDifference]:
        """Every resource and check of which Azure Policy has a state and we a judgement, or should have."""
        for (resource, check), ours in self._ours.items():
            states = self._states[resource]
            definitions = tuple(definition for definition in ours.cited if definition in states)
            azure = _heavier(states[definition] for definition in definitions)
            outcome = _MATCHED.get(azure.lower(), {}).get(ours.state, "undecided")
            why = "" if outcome == "agree" else _why(outcome, check, azure, ours, len(definitions))
            yield PolicyDifference(outcome, ours.resource_id, check, azure, ours.state, definitions, why)
        for resource, states in self._states.items():
            missed: dict[Check, list[str]] = {}
            for definition, state in states.items():
                if state.lower() == _FAILS:
                    for check in cited_definitions().get(definition, ()):
                        if (resource, check) not in self._ours:
                            missed.setdefault(check, []).append(definition)
            for check, definitions_missed in missed.items():
                if check not in self._checks:
                    outcome, why = "not-asked", ""
                elif resource in self._seen:
                    outcome, why = "not-judged", "the facts of its type do not cite this built-in"
                else:
                    outcome, why = "not-judged", "the resource is not in what was read"
                yield PolicyDifference(outcome, resource, check, "NonCompliant", "", tuple(definitions_missed), why)

    def _scopes_of(self, low: str) -> Iterator[str]:
        yield from _with_parents(low)
        parts = low.split("/", 5)  # "", subscriptions, ID, resourcegroups, NAME, ...
        if len(parts) > 4:  # noqa: PLR2004
            yield "/".join(parts[:5])
        subscription = _subscription_of(low)
        yield f"/subscriptions/{subscription}"
        for group in sorted(self._ancestors.get(subscription, ())):
            yield _MANAGEMENT_GROUP + group

    def _expired(self, exemption: Exemption) -> bool:
        return exemption.expires is not None and exemption.expires <= self._now

    def _use(self, exemption: Exemption) -> ExemptionUse:
        used = self._used[exemption.id]
        if self._expired(exemption):
            state = "expired"
        elif exemption.flaw:
            state = "not understood"
        elif not self._honour:
            state = "not honoured"
        else:
            state = "in force" if used else "matches nothing"
        expires = exemption.expires.date().isoformat() if exemption.expires else ""
        return ExemptionUse(
            exemption.id, exemption.name, exemption.category, expires, state, used,
            exemption.flaw if state == "not understood" else "",
        )  # fmt: skip


def _why(outcome: str, check: Check, azure: str, ours: _Ours, evaluated: int) -> str:
    """The first reason that holds."""
    row = find_resource_type(type_of(ours.resource_id))
    rule = row.rules.get(check) if row else None
    opposed = outcome in ("azure-only", "ours-only")
    because = f" ({ours.reason})" if ours.reason else ""
    reasons = (
        (opposed and rule and rule.deviates_from, f"documented: {((rule and rule.deviates_from) or '').rstrip('.')}"),
        (
            outcome == "ours-only" and evaluated < len(ours.cited),
            f"Azure Policy evaluates {evaluated} of the {len(ours.cited)} built-ins that the facts cite",
        ),
        (ours.state == "unknown", f"we do not know: {ours.reason}"),
        (azure.lower() not in _MATCHED, f"Azure Policy's state is {azure or 'empty'}"),
        (ours.state == "exempt", "a waiver or an exemption is in force"),
        (azure.lower() == "exempt", "an exemption of Azure Policy, which was not honoured"),
    )
    otherwise = f"judged {ours.state}{because} by the body as it was read; Azure Policy evaluates once a day"
    return next((words for holds, words in reasons if holds), otherwise)


def _order(difference: PolicyDifference) -> tuple[int, int, str]:
    return list(OUTCOMES).index(difference.outcome), CHECKS.index(difference.check), difference.resource_id.lower()


def _heavier(states: Iterable[str]) -> str:
    """Of several states that which counts; of those that count alike the first by its name."""
    return max(sorted(states), key=lambda state: _WEIGHT.get(state.lower(), 0))


def _with_parents(low: str) -> Iterator[str]:
    """A resource's id, and those of the resources that it is in."""
    yield low
    below = low.rpartition("/providers/")[2].count("/")
    while below > 2:  # noqa: PLR2004 - provider/type/name
        low = low.rsplit("/", 2)[0]
        below -= 2
        yield low


def _subscription_of(low: str) -> str:
    return low.removeprefix("/subscriptions/").partition("/")[0] if low.startswith("/subscriptions/") else ""


def _excuses(exemption: Exemption, definition: str, assignment: str, reference: str) -> bool:
    """Whether the exemption is for what an assignment says by a definition, one of its initiative by its reference."""
    meant = not exemption.references or reference in exemption.references
    return meant and assignment == exemption.assignment and definition in exemption.definitions


def _selects(exemption: Exemption, low: str, location: object) -> bool:
    """Whether the exemption's selectors want the resource; one whose place is not known is not wanted by it."""
    groups = exemption.selectors
    return not groups or any(all(_meets(selector, low, location) for selector in group) for group in groups)


def _meets(selector: Selector, low: str, location: object) -> bool:
    if selector.kind == "resourcetype":
        return (type_of(low) in selector.values) is not selector.negated
    if not isinstance(location, str) or not location:
        return False
    return (squeeze(location) in {squeeze(value) for value in selector.values}) is not selector.negated
