"""What a judgement is about, and what comes out of it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.facts import find_region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sovereignmesh.audit.index import Container
    from sovereignmesh.facts import Exclusion, Expression, Region, Rule
    from sovereignmesh.mesh import Policy
    from sovereignmesh.result import State

__all__ = [
    "ABSENT",
    "COMPLIANT",
    "MANAGED",
    "NO_WISH",
    "Judgement",
    "Resource",
    "any_holds",
    "one_of",
    "places_at",
    "region_of",
    "unsettled",
]


class Judgement(NamedTuple):
    """One answer: for `subject` of the resource. `reason` is a code of `result.REASONS`."""

    state: State
    subject: str = ""
    reason: str = ""
    expected: str = ""
    actual: str = ""


class Resource(NamedTuple):
    """A row of the inventory with what its judgement needs to know of its surroundings."""

    row: dict[str, Any]
    id: str
    type: str
    location: Any
    subscription: str
    group: str
    tags: dict[str, str]
    containers: tuple[Container, ...]
    domain: str
    policy: Policy

    @property
    def managed(self) -> bool:
        """Whether another resource owns its resource group, and answers for its tags and keys."""
        return self.containers[0].managed


COMPLIANT: Final = (Judgement("compliant"),)
MANAGED: Final = (Judgement("not-applicable", reason="managed"),)
NO_WISH: Final = (Judgement("not-applicable", reason="no-wish"),)
# What the silence of a body means, by what its row says of it.
ABSENT: Final = {"child": "needs-child-read", "unknown": "missing-property"}


@cache
def one_of(regions: frozenset[str]) -> str:
    """The regions in words."""
    return "one of " + ", ".join(sorted(regions)) if regions else "no region"


def region_of(location: Any) -> Region | None:
    """The region that a body's location means, if it means one."""
    return find_region(location) if type(location) is str else None


def any_holds(cases: Iterable[Exclusion], resource: Resource) -> bool:
    """Whether one of the cases is the resource's."""
    for case in cases:  # noqa: SIM110 - a generator costs more than most resources' cases, which are none
        if case.holds(resource.row):
            return True
    return False


def places_at(at: Expression | None, resource: Resource, *, keep_missing: bool = False) -> Sequence[str]:
    """What stands at an expression, without repeats; with `keep_missing` "" stands for items of a list without it."""
    value = at.find(resource.row) if at else None
    if value is None:
        return ()
    values = value if type(value) is list else (value,)
    places = dict.fromkeys(place if type(place) is str else str(place or "") for place in values)
    if not keep_missing or type(value) is not list:
        places.pop("", None)
    return list(places)


def unsettled(rule: Rule, resource: Resource) -> str | None:
    """Why the body's silence means nothing; None where the documented meaning of an absent property holds."""
    if type(resource.row.get("properties")) is not dict:
        return "no-properties"
    if rule.since is not None:
        version = resource.row.get("apiVersion")
        if type(version) is not str or version < rule.since:  # versions are dates: they sort as text
            return "older-api-version"
    return None
