"""What is done for a resource type: the checks that were asked, met with the facts that are known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from sovereignmesh.audit.judgement import Judgement, Resource
from sovereignmesh.audit.places import judge_copies, judge_edge, judge_region
from sovereignmesh.audit.protection import holder_unseen, judge_state, judge_vault, vault_unseen
from sovereignmesh.audit.tagging import judge_tags
from sovereignmesh.facts import CopiesRule, NeverRule, StateRule, VaultRule, find_global_service, find_resource_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sovereignmesh.audit.index import Index
    from sovereignmesh.facts import ResourceType, Rule
    from sovereignmesh.mesh import Residency
    from sovereignmesh.result import Check

    Judge = Callable[[Resource], Iterable[Judgement]]

__all__ = ["Plan", "make_plan"]

_REGIONS: Final = "https://learn.microsoft.com/azure/reliability/regions-list"
_TAG_SUPPORT: Final = "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-support"


class Plan(NamedTuple):
    """What is done for one type.

    `steps`: check, judge, and the source of the fact that it judges by. `settled`: check and answer where the answer is
    the same for every resource of the type. `waits` tell whether a resource points at something not seen yet.
    """

    steps: tuple[tuple[Check, Judge, str], ...]
    settled: tuple[tuple[Check, Judgement, str], ...]
    assessed: tuple[Check, ...]
    not_assessed: tuple[Check, ...]
    row: ResourceType | None
    waits: tuple[Callable[[Resource], bool], ...]


def make_plan(resource_type: str, checks: Sequence[Check], index: Index, governed: Residency | None) -> Plan:
    """The plan for a type (in lower case): `governed` bounds the copies that cannot be switched off."""
    row = find_resource_type(resource_type)
    steps: list[tuple[Check, Judge, str]] = []
    settled: list[tuple[Check, Judgement, str]] = []
    missing: list[Check] = []
    waits: list[Callable[[Resource], bool]] = []
    for check in checks:
        rule = row.rules.get(check) if row else None
        if check == "region":
            steps.append((check, _region_judge(resource_type, row), _REGIONS))
        elif check == "required-tags":
            steps.append((check, judge_tags, _TAG_SUPPORT))
        elif isinstance(rule, NeverRule):
            answer = Judgement("not-applicable", reason="documented-exception", actual=rule.because)
            settled.append((check, answer, " ".join(rule.source)))
        elif rule is not None:
            steps.append((check, _judge_by(rule, index, governed), " ".join(rule.source)))
            if isinstance(rule, VaultRule):
                waits.append(partial(vault_unseen, rule, index))
            elif isinstance(rule, StateRule) and rule.held_by:
                waits.append(partial(holder_unseen, rule, index))
        elif row is not None and (row.holds_no_data or row.metadata):
            why = row.holds_no_data or "It is metadata."
            settled.append((check, Judgement("not-applicable", reason="no-customer-data", actual=why), ""))
        else:
            missing.append(check)
    assessed = tuple(check for check in checks if check not in missing)
    return Plan(tuple(steps), tuple(settled), assessed, tuple(missing), row, tuple(waits))


def _region_judge(resource_type: str, row: ResourceType | None) -> Judge:
    service = find_global_service(resource_type)
    if service is not None and service.kind == "edge":
        return partial(judge_edge, service)
    return partial(judge_region, replica=row.replica) if row and row.replica else judge_region


def _judge_by(rule: Rule, index: Index, governed: Residency | None) -> Judge:
    if isinstance(rule, CopiesRule):
        return partial(judge_copies, rule, governed)
    if isinstance(rule, VaultRule):
        return partial(judge_vault, rule, index)
    assert isinstance(rule, StateRule)
    return partial(judge_state, rule, index)
