"""Azure Policy's own view of resources, through the table `policyresources` of Resource Graph.

A Reader may read that table; the query API of Policy Insights is an action that a Reader lacks. The columns are those
of https://learn.microsoft.com/rest/api/policyinsights/policy-states and
https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.azure import queries
from sovereignmesh.azure.directory import list_ancestors
from sovereignmesh.azure.graph import LARGEST_SCOPE, query_rows
from sovereignmesh.errors import AnswerError, AzureError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sovereignmesh.azure.connection import Azure

__all__ = ["Exemption", "PolicyReading", "PolicyState", "Selector", "read_policy_view"]

_BUILT_IN: Final = "/providers/microsoft.authorization/policydefinitions/"
_SETS: Final = "/policysetdefinitions/"
_GROUPS: Final = "/providers/microsoft.management/managementgroups/"
_EXEMPTION: Final = "/providers/microsoft.authorization/policyexemptions/"
# A fraction of up to seven digits, of which Python reads six.
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)


class PolicyState(NamedTuple):
    """How one assignment sees one resource by one built-in definition; ids and names in lower case.

    `state` is Azure's word: Compliant, NonCompliant, Conflict, Exempt, Unknown and others. `at` is when it was
    evaluated.
    """

    resource: str
    definition: str
    assignment: str
    reference: str
    state: str
    at: str


class Selector(NamedTuple):
    """One condition of an exemption's resource selector: a kind, and the values of which one, or none, must hold."""

    kind: str
    values: frozenset[str]
    negated: bool


class Exemption(NamedTuple):
    """An exemption: a scope (lower case) in which resources are exempt from what an assignment asks.

    `references` are those of the initiative's definitions that are meant; empty: all of them. `expires` None: never.
    Of `selectors` a resource must meet all of any one group; no group: all resources. `definitions` are the built-ins
    that it is about, as far as anybody can tell. `flaw` says why it cannot be understood, and so not be honoured.
    """

    id: str
    name: str
    scope: str
    assignment: str
    references: frozenset[str]
    category: str
    expires: dt.datetime | None
    title: str
    description: str
    selectors: tuple[tuple[Selector, ...], ...]
    definitions: frozenset[str] = frozenset()
    flaw: str = ""


class PolicyReading(NamedTuple):
    """What Azure Policy says, of the subscriptions that were asked for.

    `assignments` are the names of those that are visible, by id in lower case; `ancestors` the management groups above
    each subscription. `unread` names what could not be read and why; `unread_subscriptions` those (lower case) whose
    states are not all here.
    """

    states: tuple[PolicyState, ...]
    exemptions: tuple[Exemption, ...]
    assignments: dict[str, str]
    ancestors: dict[str, frozenset[str]]
    unread: tuple[tuple[str, str], ...]
    unread_subscriptions: frozenset[str]


def read_policy_view(azure: Azure, subscriptions: Sequence[str], definitions: Collection[str]) -> PolicyReading:
    """What Azure Policy says of the resources in some subscriptions: states, exemptions, assignments.

    Only states of the built-in `definitions` (GUIDs) are read: their number bounds the reading and the memory. What
    could not be read is said in the reading; nothing is raised for it, the end of the time given included.
    """
    reader = _Reader(azure, [subscription.lower() for subscription in subscriptions])
    wanted = {definition.lower() for definition in definitions}
    # A state stands in many rows: a text that comes again is kept once.
    texts: dict[str, str] = {}
    rows = reader.rows("compliance states of Azure Policy", queries.list_policy_states(wanted), marks=True)
    states = tuple(state for row in rows if (state := _state(row, wanted, texts)) is not None)
    exemptions = {
        exemption.id: exemption
        for row in reader.rows("exemptions of Azure Policy", queries.POLICY_EXEMPTIONS, above=True)
        if (exemption := _exemption(row)) is not None
    }
    assigned: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in reader.rows("assignments of Azure Policy", queries.POLICY_ASSIGNMENTS, above=True):
        identity = _low(row, "id")
        assigned[identity] = _low(row, "policyDefinitionId")
        names[identity] = _text(row, "displayName") or identity.rpartition("/")[2]
    members = _members(reader, exemptions.values(), assigned)
    known = _known_definitions(states, assigned, members)
    ancestors = {}
    if any(exemption.scope.startswith(_GROUPS) for exemption in exemptions.values()):
        ancestors = reader.ancestors()
    return PolicyReading(
        states,
        tuple(_resolved(exemption, known, assigned, members) for exemption in exemptions.values()),
        names,
        ancestors,
        tuple(reader.unread),
        frozenset(reader.unread_subscriptions),
    )


class _Reader:
    """Reads the table by groups of subscriptions, and keeps what went wrong."""

    def __init__(self, azure: Azure, subscriptions: Sequence[str]) -> None:
        self._azure = azure
        self._groups = [
            subscriptions[start : start + LARGEST_SCOPE] for start in range(0, len(subscriptions), LARGEST_SCOPE)
        ]
        self.unread: list[tuple[str, str]] = []
        self.unread_subscriptions: set[str] = set()

    def rows(self, what: str, query: str, *, above: bool = False, marks: bool = False) -> Iterator[dict[str, Any]]:
        """The rows that can be read; `marks` notes the subscriptions of which some are missing."""
        for group in self._groups:
            given, seen = 0, set[int]()
            try:
                for row in query_rows(self._azure, query, group, above=above):
                    given += 1
                    seen.add(hash(_low(row, "id")))
                    yield row
                if len(seen) < given:
                    raise AnswerError(f"Resource Graph gave a row twice: {len(seen)} of {given}")
            except AzureError as error:
                self.unread.append((f"{what} in {_in_words(group)}", str(error)))
                if marks:
                    self.unread_subscriptions.update(group)

    def ancestors(self) -> dict[str, frozenset[str]]:
        """The management groups above each subscription, as far as they can be read."""
        found: dict[str, frozenset[str]] = {}
        for group in self._groups:
            try:
                found |= list_ancestors(self._azure, group)
            except AzureError as error:
                self.unread.append((f"the management groups above {_in_words(group)}", str(error)))
        return found


def _in_words(subscriptions: Sequence[str]) -> str:
    return subscriptions[0] if len(subscriptions) == 1 else f"{len(subscriptions)} subscriptions"


def _state(row: dict[str, Any], wanted: Collection[str], texts: dict[str, str]) -> PolicyState | None:
    """The state in a row; None for one of a custom definition that bears a built-in's name."""
    definition = _low(row, "policyDefinitionId").removeprefix(_BUILT_IN)
    resource = _low(row, "resourceId").rstrip("/")
    if definition not in wanted or not resource:
        return None
    at = _text(row, "timestamp")
    parts = (
        resource, definition, _low(row, "policyAssignmentId"), _low(row, "policyDefinitionReferenceId"),
        _text(row, "complianceState"), at if _moment(at) else "",
    )  # fmt: skip
    return PolicyState(*(texts.setdefault(part, part) for part in parts))


def _exemption(row: dict[str, Any]) -> Exemption | None:
    identity = _text(row, "id")
    scope, found, _ = identity.lower().rpartition(_EXEMPTION)
    if not found:
        return None
    flaw = ""
    references, said = row.get("policyDefinitionReferenceIds"), _text(row, "expiresOn").strip()
    if references is not None and not _are_texts(references):
        references, flaw = None, "which definitions of the initiative it means is not understood"
    expires, written = _moment(said), row.get("expiresOn")
    if (said and expires is None) or not isinstance(written, str | None):
        flaw = f"its expiry {str(written)[:40]!r} is not understood"
    if not _text(row, "policyAssignmentId"):
        flaw = "it names no assignment"
    selectors = _selectors(row.get("resourceSelectors"))
    if selectors is None:
        flaw = "its resource selectors are not understood"
    return Exemption(
        id=identity,
        name=_text(row, "name") or identity.rpartition("/")[2],
        scope=scope,
        assignment=_low(row, "policyAssignmentId"),
        references=frozenset(reference.lower() for reference in references or ()),
        category=_text(row, "exemptionCategory") or "no category",
        expires=expires,
        title=_text(row, "displayName"),
        description=_text(row, "description"),
        selectors=selectors or (),
        flaw=flaw,
    )


def _selectors(value: Any) -> tuple[tuple[Selector, ...], ...] | None:
    """The resource selectors; None where they are of a kind or in a shape that is not known."""
    if value in (None, []):
        return ()
    if not isinstance(value, list):
        return None
    groups = []
    for group in value:
        conditions = group.get("selectors") if isinstance(group, dict) else None
        if not isinstance(conditions, list) or not conditions:
            return None
        found = [_selector(condition) for condition in conditions]
        if None in found:
            return None
        groups.append(tuple(selector for selector in found if selector is not None))
    return tuple(groups)


def _selector(value: Any) -> Selector | None:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind.lower() not in ("resourcelocation", "resourcetype"):
        return None
    wanted, refused = value.get("in"), value.get("notIn")
    values = wanted if wanted is not None else refused
    if (wanted is None) == (refused is None) or not _are_texts(values):
        return None
    return Selector(kind.lower(), frozenset(text.lower() for text in values), negated=wanted is None)


def _members(reader: _Reader, exemptions: Iterable[Exemption], assigned: dict[str, str]) -> dict[str, dict[str, str]]:
    """What is in the initiatives that exemptions are about: by set and reference the id of the definition."""
    definitions = (assigned.get(exemption.assignment, "") for exemption in exemptions)
    sets = {definition for definition in definitions if _SETS in definition}
    if not sets:
        return {}
    found: dict[str, dict[str, str]] = {}
    for row in reader.rows("initiatives of Azure Policy", queries.list_policy_sets(sets), above=True):
        listed = row.get("policyDefinitions")
        if isinstance(listed, list):
            found[_low(row, "id")] = {
                _low(member, "policyDefinitionReferenceId"): _low(member, "policyDefinitionId")
                for member in listed
                if isinstance(member, dict)
            }
    return found


def _known_definitions(
    states: Iterable[PolicyState], assigned: dict[str, str], members: dict[str, dict[str, str]]
) -> dict[str, dict[str, set[str]]]:
    """By assignment and reference the built-ins: as assigned, as the initiative lists them, and as states name them.

    Initiatives that are not in the table are known by the states alone.
    """
    known: dict[str, dict[str, set[str]]] = {}
    for assignment, definition in assigned.items():
        if definition.startswith(_BUILT_IN):
            known.setdefault(assignment, {}).setdefault("", set()).add(definition.removeprefix(_BUILT_IN))
        for reference, member in members.get(definition, {}).items():
            if member.startswith(_BUILT_IN):
                known.setdefault(assignment, {}).setdefault(reference, set()).add(member.removeprefix(_BUILT_IN))
    for state in states:
        known.setdefault(state.assignment, {}).setdefault(state.reference, set()).add(state.definition)
    return known


def _resolved(
    exemption: Exemption,
    known: dict[str, dict[str, set[str]]],
    assigned: dict[str, str],
    members: dict[str, dict[str, str]],
) -> Exemption:
    """The exemption with the built-ins that it is about; with a flaw where nobody can tell."""
    found = known.get(exemption.assignment, {})
    about = found.keys() if not exemption.references else found.keys() & exemption.references
    definitions = frozenset(definition for reference in about for definition in found[reference])
    definition = assigned.get(exemption.assignment, "")
    settled = definitions or definition in members or (definition and _SETS not in definition)
    flaw = "" if settled else "the definitions of its assignment are not visible, and no state names them"
    return exemption._replace(definitions=definitions, flaw=exemption.flaw or flaw)


def _moment(text: str) -> dt.datetime | None:
    found = _MOMENT.fullmatch(text)
    if not found:
        return None
    zone = (found[2] or "Z").upper().replace("Z", "+00:00")
    try:
        return dt.datetime.fromisoformat(f"{found[1].upper()}{zone}")
    except ValueError:
        return None


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _low(row: dict[str, Any], key: str) -> str:
    return _text(row, key).lower()
