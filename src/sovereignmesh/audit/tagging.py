"""Whether a resource carries the tags that say whose it is."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from sovereignmesh.audit.index import tag_undecided
from sovereignmesh.audit.judgement import MANAGED, NO_WISH, Judgement, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.mesh import Policy, TagRule

__all__ = ["judge_tags"]


def judge_tags(supported: bool | None, resource: Resource) -> Iterable[Judgement]:
    """One answer for each required tag; `supported`: whether resources of the type can have tags, if that is known."""
    if not resource.policy.tags:
        return NO_WISH
    if resource.answered_for("required-tags"):
        return MANAGED
    if supported is False:
        return (Judgement("not-applicable", reason="no-tag-support"),)
    policy, tags = resource.policy, resource.tags
    values = [tags.get(rule.key, "") for rule in policy.tags]
    if policy.inherit_tags:
        for container in resource.containers:
            values = [
                value or container.tags.get(rule.key, "") for value, rule in zip(values, policy.tags, strict=True)
            ]
    answers = _answers(policy, tuple(values), bool(supported or resource.row.get("tags")))
    return answers if "notKnown" not in resource.row else _as_planned(answers, resource)


def _as_planned(answers: Iterable[Judgement], resource: Resource) -> list[Judgement]:
    """The answers, where some tags are not known before deployment; one that is inherited then may be replaced."""
    return [
        answer._replace(state="unknown", reason="not-before-deployment", actual="not known")
        if tag_undecided(resource.row, resource.tags, answer.subject.lower())
        else answer
        for answer in answers
    ]


@lru_cache(maxsize=4096)
def _answers(policy: Policy, values: tuple[str, ...], supported: bool) -> tuple[Judgement, ...]:
    """The answers for these values, in the order of the policy's rules: an estate has few different sets of tags."""
    return tuple(_answer(rule, value, supported=supported) for rule, value in zip(policy.tags, values, strict=True))


def _answer(rule: TagRule, value: str, *, supported: bool) -> Judgement:
    if value and rule.accepts(value):
        return Judgement("compliant", rule.name, actual=value)
    if value:
        return Judgement("non-compliant", rule.name, "tag-not-allowed", rule.wanted, value)
    if supported:
        return Judgement("non-compliant", rule.name, "tag-missing", rule.wanted, "no tag")
    return Judgement("unknown", rule.name, "tag-support-unknown", rule.wanted, "no tag")
