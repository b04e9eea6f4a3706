"""What is done for a resource type: the checks that were asked, met with the facts that are known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.audit.children import SUBSCRIPTIONS, children_in
from sovereignmesh.audit.judgement import Judgement, Resource
from sovereignmesh.audit.places import judge_by_children, judge_copies, judge_edge, judge_region, reference_unseen
from sovereignmesh.audit.processing import judge_processing
from sovereignmesh.audit.protection import holder_unseen, judge_key, judge_state, judge_vault, vault_unseen
from sovereignmesh.audit.tagging import judge_tags
from sovereignmesh.facts import (
    CopiesRule,
    KeyStateRule,
    NeverRule,
    ProcessingRule,
    StateRule,
    VaultRule,
    child_reads,
    find_global_service,
    find_resource_type,
    supports_tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sovereignmesh.audit.index import Index
    from sovereignmesh.facts import ChildRead, ResourceType, Rule
    from sovereignmesh.mesh import Residency
    from sovereignmesh.result import Check

    Judge = Callable[[Resource], Iterable[Judgement]]

__all__ = ["Plan", "Surroundings", "make_plan"]

_REGIONS: Final = "https://learn.microsoft.com/azure/reliability/regions-list"
_TAG_SUPPORT: Final = "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-support"


class Surroundings(NamedTuple):
    """What judging needs besides the resource: what others point at, the mesh's own residency, and the time.

    `governed` bounds what no product narrows: the copies that cannot be switched off, and logs. `today` is in seconds
    since 1970.
    """

    others: Index
    governed: Residency | None
    today: float


class Plan(NamedTuple):
    """What is done for one type.

    `steps`: check, judge, and the source of the fact that it judges by. `settled`: check and answer where the answer is
    the same for every resource of the type. `waits` tell whether a resource points at something not seen yet. `reads`
    are for the children that answer one of the checks.
    """

    steps: tuple[tuple[Check, Judge, str], ...]
    settled: tuple[tuple[Check, Judgement, str], ...]
    assessed: tuple[Check, ...]
    not_assessed: tuple[Check, ...]
    row: ResourceType | None
    waits: tuple[Callable[[Resource], bool], ...]
    reads: tuple[ChildRead, ...]

    def must_wait(self, resource: Resource) -> bool:
        """Whether the resource points at something that has not been seen yet."""
        for waits in self.waits:  # noqa: SIM110 - a generator costs more than the reasons of most types, which are none
            if waits(resource):
                return True
        return False

    def replaced(self, row: dict[str, Any]) -> set[Check]:
        """The checks that the resource's children answer in its place, where they were read."""
        read = ((read, children_in(row, read.child)) for read in self.reads if read.replaces)
        return {check for read, found in read if found and found.items and not found.failed for check in read.checks}


def make_plan(resource_type: str, checks: Sequence[Check], around: Surroundings, *, child: bool = False) -> Plan:
    """The plan for a type (in lower case); a `child` is judged by its own row alone."""
    row = find_resource_type(resource_type)
    # What a subscription lists by itself comes as rows of its own.
    every = () if resource_type == SUBSCRIPTIONS else child_reads().get(resource_type, ())
    reads = tuple(read for read in every if not read.checks.isdisjoint(checks))
    steps: list[tuple[Check, Judge, str]] = []
    settled: list[tuple[Check, Judgement, str]] = []
    missing: list[Check] = []
    waits: list[Callable[[Resource], bool]] = []
    for check in checks:
        rule = row.rules.get(check) if row else None
        if isinstance(rule, NeverRule):
            answer = Judgement("not-applicable", reason="documented-exception", actual=rule.because)
            settled.append((check, answer, " ".join(rule.source)))
        elif rule is not None:
            steps.append((check, _judge_by(rule, around), " ".join(rule.source)))
            waits += _waits(rule, row, around.others)
        elif step := _unruled(check, resource_type, row, reads, child=child):
            steps.append((check, *step))
        elif row is not None and (row.holds_no_data or row.metadata):
            if not child:
                why = row.holds_no_data or "It is metadata."
                settled.append((check, Judgement("not-applicable", reason="no-customer-data", actual=why), ""))
        elif not child:
            missing.append(check)
    assessed = tuple(check for check in checks if check not in missing)
    return Plan(tuple(steps), tuple(settled), assessed, tuple(missing), row, tuple(waits), reads)


def _unruled(
    check: Check, resource_type: str, row: ResourceType | None, reads: Sequence[ChildRead], *, child: bool
) -> tuple[Judge, str] | None:
    """How a check is answered without an entry for it in the row, and by which source; None where it is not."""
    if child:
        return None
    if check == "region":
        return _region_judge(resource_type, row), _REGIONS
    if check == "required-tags":
        return partial(judge_tags, supports_tags(resource_type)), _TAG_SUPPORT
    told_by = [read for read in reads if check in read.checks]
    if not told_by:
        return None
    return partial(judge_by_children, check), " ".join(dict.fromkeys(page for read in told_by for page in read.source))


def _region_judge(resource_type: str, row: ResourceType | None) -> Judge:
    service = find_global_service(resource_type)
    if service is not None and service.kind == "edge":
        return partial(judge_edge, service)
    return partial(judge_region, replica=row.replica) if row and row.replica else judge_region


def _judge_by(rule: Rule, around: Surroundings) -> Judge:
    if isinstance(rule, CopiesRule):
        return partial(judge_copies, rule, around.others, around.governed)
    if isinstance(rule, VaultRule):
        return partial(judge_vault, rule, around.others)
    if isinstance(rule, KeyStateRule):
        return partial(judge_key, rule, around.today)
    if isinstance(rule, ProcessingRule):
        return partial(judge_processing, rule)
    assert isinstance(rule, StateRule)
    return partial(judge_state, rule, around.others)


def _waits(rule: Rule, row: ResourceType | None, others: Index) -> Iterator[Callable[[Resource], bool]]:
    if isinstance(rule, VaultRule):
        yield partial(vault_unseen, rule, others)
    elif isinstance(rule, StateRule) and rule.held_by:
        yield partial(holder_unseen, rule, others)
    elif isinstance(rule, CopiesRule) and any(copy.of for copy in rule.copies):
        yield partial(reference_unseen, rule)
    vaults = row.rules.get("key-residency") if row and rule.check == "customer-managed-key" else None
    if vaults is not None:
        yield from _waits(vaults, row, others)  # whether a key is in hardware, the vault tells
