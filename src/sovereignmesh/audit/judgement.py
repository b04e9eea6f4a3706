"""What a judgement is about, and what comes out of it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.audit.children import IN_LIST, children_in, location_in
from sovereignmesh.facts import child_reads, find_region, find_resource_type, in_words, paths_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sovereignmesh.audit.index import Container
    from sovereignmesh.facts import ChildRead, Exclusion, Expression, Reading, Region, Rule
    from sovereignmesh.mesh import Policy
    from sovereignmesh.result import Check, State

__all__ = [
    "ABSENT",
    "COMPLIANT",
    "MANAGED",
    "NO_WISH",
    "Judgement",
    "Resource",
    "child_resources",
    "excepted",
    "first_case",
    "looked_at",
    "not_yet_known",
    "one_of",
    "places_at",
    "region_of",
    "told_by_children",
    "unsettled",
]


_VERSION: Final = re.compile(r"(\d{4}-\d\d-\d\d)(-[a-z]+)?")


class Judgement(NamedTuple):
    """One answer: for `subject` of the resource. `reason` is a code of `result.REASONS`."""

    state: State
    subject: str = ""
    reason: str = ""
    expected: str = ""
    actual: str = ""


class Resource(NamedTuple):
    """A row of the inventory with what its judgement needs to know of its surroundings.

    `owner` is the type of the resource that manages its group, where that resource is in the inventory too; `parent`
    the id of the resource that a child was read for, `read_at` when it was, if not by this run.
    """

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
    owner: str
    parent: str = ""
    read_at: str = ""

    def answered_for(self, check: Check) -> bool:
        """Whether the resource that owns its group, of type `owner`, is judged in its place."""
        if not self.owner or check == "required-tags":
            return bool(self.owner)
        row = find_resource_type(self.owner)
        return row is not None and check in row.rules


COMPLIANT: Final = (Judgement("compliant"),)
MANAGED: Final = (Judgement("not-applicable", reason="managed"),)
NO_WISH: Final = (Judgement("not-applicable", reason="no-wish"),)
# What the silence of a body means, by what its row says of it.
ABSENT: Final = {"unknown": "missing-property"}


@cache
def one_of(regions: frozenset[str]) -> str:
    """The regions in words."""
    return "one of " + ", ".join(sorted(regions)) if regions else "no region"


def region_of(location: Any) -> Region | None:
    """The region that a body's location means, if it means one."""
    return find_region(location) if type(location) is str else None


def first_case(cases: Iterable[Exclusion], resource: Resource) -> Exclusion | None:
    """The first of the cases that is the resource's."""
    for case in cases:  # a generator costs more than most resources' cases, which are none
        if case.holds(resource.row):
            return case
    return None


def excepted(case: Exclusion, subject: str = "") -> Judgement:
    """The check does not concern the case, for the reason that its row gives."""
    return Judgement("not-applicable", subject, "documented-exception", actual=case.because)


def places_at(at: Expression | None, resource: Resource, *, keep_missing: bool = False) -> Sequence[str]:
    """What stands at an expression, without repeats; with `keep_missing` "" stands for an item that does not say it."""
    value = at.find(resource.row) if at else None
    if value is None:
        return ()
    if type(value) is str:  # nearly always
        return (value,) if value else ()
    values = value if type(value) is list else (value,)
    said = (place for place in values if place is not None and place is not False)
    places = dict.fromkeys(place if type(place) is str else in_words(place) for place in said)
    if not keep_missing or type(value) is not list:
        places.pop("", None)
    return list(places)


@lru_cache(maxsize=4096)
def _version(text: str) -> tuple[str, bool] | None:
    """An api-version as it sorts: by its date, a preview before what it previews; None where it is none."""
    found = _VERSION.fullmatch(text)
    return (found[1], found[2] is None) if found else None


def not_yet_known(resource: Resource, places: frozenset[str]) -> str:
    """Why one of the places in a planned body is not known: a name, or two below `properties`; "" where all are."""
    unknown = resource.row.get("notKnown")
    if not unknown or type(unknown) is not list:
        return ""
    beginnings = set(map(_beginning, unknown))
    missed = {at for at in places if at in beginnings or ("properties" in beginnings and at.startswith("properties."))}
    if not missed:
        return ""
    spelled = resource.row.get("notTranslated")
    return (
        "not-translated" if type(spelled) is list and all(at in spelled for at in missed) else "not-before-deployment"
    )


@cache
def looked_at(value: Rule | Reading) -> frozenset[str]:
    """What of a body a rule or a reading looks at: one name, or two below `properties`."""
    return frozenset(_beginning(".".join(path)) for path in paths_in(value))


def _beginning(path: Any) -> str:
    names = str(path).split(".")
    return ".".join(names[:2]) if names[0] == "properties" and len(names) > 1 else names[0]


def unsettled(rule: Rule, resource: Resource) -> str | None:
    """Why the body's silence means nothing; None where the documented meaning of an absent property holds."""
    if unknown := not_yet_known(resource, looked_at(rule)):
        return unknown
    if type(resource.row.get("properties")) is not dict:
        return "no-properties"
    if rule.since is not None:
        written = resource.row.get("apiVersion")
        version = _version(written) if type(written) is str else None
        if version is None:
            return "no-api-version"
        since = _version(rule.since)
        if since is None or version < since:
            return "older-api-version"
    return None


def child_resources(resource: Resource, child: str) -> Iterator[Resource]:
    """The children of that type, each in its parent's surroundings: tags, domain, policy; region, if it names none."""
    found = children_in(resource.row, child)
    for number, body in enumerate(found.items if found else (), 1):
        if IN_LIST in body:
            continue
        identity = body.get("id")
        own = identity.strip().rstrip("/") if type(identity) is str else ""
        if not own.lower().startswith(_above(resource.id)):  # none, or another subscription's: it is not believed
            own = _made_up(resource.id, child, number)
        location = body.get("location") or location_in(own) or resource.location
        at = found.at if found else ""
        yield resource._replace(row=body, id=own, type=child.lower(), location=location, parent=resource.id, read_at=at)


def _above(identity: str) -> str:
    """The beginning that the ids of a resource and of its children share: that of their subscription."""
    parts = identity.lower().split("/", 3)
    return "/".join(parts[:3]) + "/" if len(parts) > 3 else identity.lower()  # noqa: PLR2004 - "", subscriptions, ID, ...


def _made_up(parent: str, child: str, number: int) -> str:
    """An id for a child whose body has none."""
    return f"{parent}/{child.rpartition('/')[2]}" + (f"/{number}" if number > 1 else "")


@cache
def _reads(resource_type: str, check: Check) -> tuple[ChildRead, ...]:
    return tuple(read for read in child_reads().get(resource_type, ()) if check in read.checks)


def _silent(resource: Resource, reason: str) -> str:
    """Why children are not known: of what is planned none can be read, and its row says what is not known."""
    return "not-before-deployment" if "notKnown" in resource.row else reason


def told_by_children(resource: Resource, check: Check) -> Judgement:
    """What the resource's children say for it: judged there, there are none, or unknown and why."""
    reads = _reads(resource.type, check)
    known = [children_in(resource.row, read.child) for read in reads]
    if failed := next((children.failed for children in known if children and children.failed), ""):
        return Judgement("unknown", reason=_silent(resource, "child-not-read"), actual=failed)
    if not reads or any(children is None for children in known):
        return Judgement("unknown", reason=_silent(resource, "needs-child-read"), actual="not said by the body")
    judged = any(children.items for children in known if children)
    return Judgement("not-applicable", reason="held-elsewhere" if judged else "no-copy")
