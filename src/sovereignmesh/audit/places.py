"""Where a resource and the copies of its data are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sovereignmesh.audit.judgement import (
    ABSENT,
    COMPLIANT,
    NO_WISH,
    Judgement,
    Resource,
    excepted,
    first_case,
    not_yet_known,
    one_of,
    places_at,
    region_of,
    told_by_children,
    unsettled,
)
from sovereignmesh.facts import find_global_service, find_resource_type, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sovereignmesh.audit.index import Index
    from sovereignmesh.facts import CopiesRule, Copy, Exclusion, GlobalService, Region
    from sovereignmesh.mesh import Residency
    from sovereignmesh.result import Check

__all__ = ["judge_by_children", "judge_copies", "judge_edge", "judge_region", "outside", "reference_unseen"]


def judge_region(resource: Resource, replica: Sequence[Exclusion] = ()) -> Iterable[Judgement]:
    """Whether the resource itself is where its policy allows; in the cases `replica` it is one."""
    residency = resource.policy.residency
    if residency is None:
        return NO_WISH
    region = region_of(resource.location)
    if region is None:
        return (_without_region(resource, residency),)
    allowed = residency.replicas if replica and first_case(replica, resource) else residency.allowed
    if region.name in allowed:
        return COMPLIANT
    return (outside(region, residency.area, "", one_of(allowed)),)


def judge_edge(service: GlobalService, resource: Resource) -> Iterable[Judgement]:
    """A service at the edge: a region in its location says only where its own record is kept."""
    residency = resource.policy.residency
    return NO_WISH if residency is None else (_in_service(service, resource, residency),)


def outside(region: Region, area: frozenset[str], subject: str, expected: str, kind: str = "") -> Judgement:
    """The judgement of a region that is not allowed; `kind` goes before the reason."""
    reason = "outside-policy" if region.name in area else "outside-area"
    return Judgement("non-compliant", subject, kind + reason, expected, region.name)


def _without_region(resource: Resource, residency: Residency) -> Judgement:
    expected = one_of(residency.allowed)
    location = resource.location
    if resource.type == "microsoft.resources/subscriptions":
        return Judgement("not-applicable", reason="container")
    if type(location) is not str or not location.strip():
        row = find_resource_type(resource.type)
        if row is not None and row.child_of and not row.replica:
            return Judgement("not-applicable", reason="in-parent")
        reason = not_yet_known(resource, frozenset({"location"})) or "no-location"
        return Judgement("unknown", "", reason, expected, "no location")
    service, place = find_global_service(resource.type), squeeze(location)
    if service is not None and (place == "global" or place in service.places):
        return _in_service(service, resource, residency)
    reason = "global-unknown" if place == "global" else "unknown-location"
    return Judgement("unknown", "", reason, expected, location)


def _in_service(service: GlobalService, resource: Resource, residency: Residency) -> Judgement:
    """Judges a service that has no region of its own by what is known of it."""
    expected, location = one_of(residency.allowed), str(resource.location)
    if service.at is not None:
        return _in_place(service, resource, residency)
    if service.kind == "no-customer-data":
        return Judgement("not-applicable", reason="no-customer-data", actual=service.because)
    if service.kind == "edge" and residency.implicit == "deny":
        return Judgement("non-compliant", "", "edge-cache", expected, f"{location}, cached at the edge")
    reason = "edge-cache-possible" if service.kind == "edge" else "global-unknown"
    return Judgement("unknown", "", reason, expected, location)


def _in_place(service: GlobalService, resource: Resource, residency: Residency) -> Judgement:
    """Judges a service by the property that names a region or a geography."""
    expected = one_of(residency.allowed)
    assert service.at is not None
    place = service.at.find(resource.row)
    if type(place) is not str or not place:
        known = type(resource.row.get("properties")) is dict
        reason = "missing-property" if known else "no-properties"
        return Judgement("unknown", "", reason, expected, f"{resource.location}, no {service.at.label}")
    region = region_of(place)
    inside = frozenset({region.name}) if region else service.places.get(squeeze(place), frozenset())
    actual = service.at.found(place)
    if not inside:
        return Judgement("unknown", "", "unrecognised-value", expected, actual)
    if inside <= residency.allowed:
        return Judgement("compliant", actual=actual)
    if not inside & residency.area:
        return Judgement("non-compliant", "", "outside-area", expected, actual)
    if inside <= residency.area and not inside & residency.allowed:
        return Judgement("non-compliant", "", "outside-policy", expected, actual)
    return Judgement("unknown", "", "wide-place", expected, actual)


def judge_copies(rule: CopiesRule, index: Index, governed: Residency | None, resource: Resource) -> Iterator[Judgement]:
    """Whether each copy is where the policy allows.

    `governed` bounds what no product narrows: the copies that cannot be switched off, and logs.
    """
    residency = resource.policy.residency
    if residency is None:
        yield NO_WISH[0]
    elif case := first_case(rule.not_applicable, resource):
        yield excepted(case)
    else:
        bound = governed or residency
        found = [judgement for copy in rule.copies for judgement in _of_copy(rule, copy, index, resource, bound)]
        if rule.some and all(judgement.reason == "no-copy" for judgement in found):
            yield Judgement("unknown", "", "missing-property", actual="not said by the body")
        else:
            yield from found


def _of_copy(
    rule: CopiesRule, copy: Copy, index: Index, resource: Resource, governed: Residency
) -> Iterable[Judgement]:
    # A copy that the body names is judged, whatever the table says of its kind.
    case = first_case(copy.not_applicable, resource)
    if case and not places_at(copy.at or copy.of, resource, keep_missing=True):
        return (excepted(case, copy.name),)
    residency = resource.policy.residency
    assert residency is not None, "nothing is judged without it"
    bound = governed.allowed if copy.implicit or rule.check == "log-region" else residency.replicas
    return _placed(rule, copy, index, resource, bound)


def _placed(
    rule: CopiesRule, copy: Copy, index: Index, resource: Resource, allowed: frozenset[str]
) -> Iterator[Judgement]:
    residency, expected = resource.policy.residency, one_of(allowed)
    assert residency is not None, "nothing is judged without it"
    answer = copy.exists.answer(resource.row) if copy.exists else None
    if answer == "no":
        yield Judgement("compliant", copy.name)
    elif places := places_at(copy.at, resource, keep_missing=True):
        yield from dict.fromkeys(_in_region(copy, place, residency, allowed) for place in places)
    elif references := _others(copy, resource):
        yield from (_at_other(copy, reference, index, residency, allowed) for reference in references)
    elif answer == "unrecognised":
        assert copy.exists is not None
        actual = copy.exists.at.found(copy.exists.at.find(resource.row))
        yield Judgement("unknown", copy.name, "unrecognised-value", expected, actual)
    elif copy.pair and answer != "absent":
        yield _in_pair(copy, resource, residency, allowed)
    elif copy.unclear and answer == "yes":
        yield Judgement("unknown", copy.name, copy.unclear, expected, "a copy whose region is not named")
    elif copy.empty and copy.at is not None and copy.at.find(resource.row) == []:
        yield Judgement("not-applicable", copy.name, "no-copy")
    elif copy.absent == "child":
        yield told_by_children(resource, rule.check)._replace(subject=copy.name, expected=expected)
    elif reason := unsettled(rule, resource) or ABSENT.get(copy.absent):
        yield Judgement("unknown", copy.name, reason, expected, "not said by the body")
    else:
        yield Judgement("not-applicable", copy.name, "no-copy")


def _others(copy: Copy, resource: Resource) -> list[str]:
    """What a copy is at; a list of partners may name the resource's own parent too."""
    own = resource.parent.lower()
    return [other for other in places_at(copy.of, resource, keep_missing=True) if not own or other.lower() != own]


def _at_other(copy: Copy, reference: str, index: Index, residency: Residency, allowed: frozenset[str]) -> Judgement:
    """A copy at another resource is where that one is; where rows contradict each other, the worst counts."""
    if not reference:
        return _in_region(copy, "", residency, allowed)
    name, locations = index.places_of(reference, copy.of_types)
    subject = f"{copy.name} {name}"
    if not locations:
        return Judgement("unknown", subject, "not-in-inventory", one_of(allowed), reference)
    found = [_in_region(copy, location, residency, allowed)._replace(subject=subject) for location in locations]
    return next((judgement for judgement in found if judgement.state != "compliant"), found[0])


def reference_unseen(rule: CopiesRule, resource: Resource) -> bool:
    """Whether a copy is at another resource: it is looked up when all have been seen."""
    return any(places_at(copy.of, resource) for copy in rule.copies)


def _in_region(copy: Copy, place: str, residency: Residency, allowed: frozenset[str]) -> Judgement:
    if not place:
        return Judgement("unknown", copy.name, "missing-property", one_of(allowed), "a copy whose region is not named")
    region = region_of(place)
    if region is None:
        return Judgement("unknown", f"{copy.name} {place}", "unknown-location", one_of(allowed), place)
    subject = f"{copy.name} {region.name}"
    if region.name in allowed:
        return Judgement("compliant", subject, actual=region.name)
    kind = "implicit-copy-" if copy.implicit and residency.implicit == "report" else ""
    return outside(region, residency.area, subject, one_of(allowed), kind)


def _in_pair(copy: Copy, resource: Resource, residency: Residency, allowed: frozenset[str]) -> Judgement:
    region = region_of(resource.location)
    if region is None:
        actual = f"the pair of {resource.location}"
        return Judgement("unknown", copy.name, "unknown-location", one_of(allowed), actual)
    if region.name in copy.not_in or (copy.implicit and region.pair is None):
        return Judgement("not-applicable", copy.name, "no-copy")
    if region.pair is None:
        return Judgement("unknown", copy.name, "no-pair", one_of(allowed), f"the pair of {region.name}")
    return _in_region(copy, region.pair, residency, allowed)


def judge_by_children(check: Check, resource: Resource) -> Iterator[Judgement]:
    """The answer for a resource whose own body never has one; nothing where its children are judged instead."""
    if resource.policy.residency is None:
        yield NO_WISH[0]
        return
    told = told_by_children(resource, check)
    if told.reason != "held-elsewhere":
        yield told
