"""Where data is processed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sovereignmesh.audit.judgement import (
    ABSENT,
    NO_WISH,
    Judgement,
    Resource,
    excepted,
    first_case,
    one_of,
    region_of,
    told_by_children,
    unsettled,
)
from sovereignmesh.audit.places import outside
from sovereignmesh.facts import areas, fold, geography_regions, is_blank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.facts import ProcessingRule, Region
    from sovereignmesh.mesh import Residency

__all__ = ["judge_processing"]

# By where the resource is, the area that its data zone is told to be in. The EU's follows the EU Data Boundary, which
# can include EFTA states: https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/deployment-types
_ZONES: Final = {"EU": "EUDB", "United States": "United States"}


def judge_processing(rule: ProcessingRule, resource: Resource) -> Iterator[Judgement]:
    """Whether data is processed where the policy allows."""
    residency = resource.policy.residency
    if residency is None:
        yield NO_WISH[0]
    elif case := first_case(rule.not_applicable, resource):
        yield excepted(case)
    else:
        yield _said(rule, resource, residency)._replace(expected=one_of(residency.allowed))


def _said(rule: ProcessingRule, resource: Resource, residency: Residency) -> Judgement:
    """What the value says, or its absence."""
    value = rule.at.find(resource.row)
    region = region_of(resource.location)
    if not is_blank(value):
        judge = next((judge for name, judge in _JUDGES.items() if fold(value) in getattr(rule, name)), None)
        if judge is not None:
            return judge(region, residency, rule.at.found(value))
        named = region_of(value) if rule.named else None
        if named is None:
            return Judgement("unknown", reason="unrecognised-value", actual=rule.at.found(value))
        return Judgement("compliant") if named.name in residency.allowed else outside(named, residency.area, "", "")
    if rule.absent == "child":
        return told_by_children(resource, rule.check)
    if reason := unsettled(rule, resource) or ABSENT.get(rule.absent):
        return Judgement("unknown", reason=reason, actual=f"no {rule.at.label}")
    return _JUDGES[rule.absent](region, residency, f"no {rule.at.label}")


def _anywhere(_: Region | None, __: Residency, actual: str) -> Judgement:
    return Judgement("non-compliant", reason="processed-anywhere", actual=actual)


def _auto(_: Region | None, __: Residency, actual: str) -> Judgement:
    return Judgement("unknown", reason="auto-resolve", actual=actual)


def _here(region: Region | None, residency: Residency, actual: str) -> Judgement:
    inside = region is not None and region.name in residency.allowed
    return Judgement("compliant") if inside else Judgement("not-applicable", reason="in-parent", actual=actual)


def _in_geography(region: Region | None, residency: Residency, actual: str) -> Judgement:
    if region is None:
        return Judgement("unknown", reason="unknown-location", actual=actual)
    regions = geography_regions(region.geography)
    actual = f"{actual} in the geography {region.geography}"
    return _somewhere(regions, regions, residency, "processed-in-geography", actual)


def _in_zone(region: Region | None, residency: Residency, actual: str) -> Judgement:
    area = next((area for area in _ZONES if region is not None and region.name in areas()[area]), None)
    if region is None or area is None:
        return Judgement("unknown", reason="unrecognised-value" if region else "unknown-location", actual=actual)
    actual = f"{actual} of {region.name}"
    return _somewhere(areas()[_ZONES[area]], areas()[area], residency, "processed-in-zone", actual)


def _somewhere(
    regions: frozenset[str], mostly: frozenset[str], residency: Residency, partly: str, actual: str
) -> Judgement:
    """In any of the regions: for the reason `partly`, unless even those that it is `mostly` are not inside the area."""
    if regions <= residency.allowed:
        return Judgement("compliant")
    reason = partly if mostly <= residency.area else "outside-area"
    return Judgement("non-compliant", reason=reason, actual=actual)


# By the name of the rule's values.
_JUDGES: Final[dict[str, Callable[[Region | None, Residency, str], Judgement]]] = {
    "anywhere": _anywhere, "auto": _auto, "here": _here, "geography": _in_geography, "zone": _in_zone,
}  # fmt: skip
