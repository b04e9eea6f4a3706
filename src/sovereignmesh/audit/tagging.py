"""Whether a resource carries the tags that say whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sovereignmesh.audit.judgement import MANAGED, NO_WISH, Judgement, Resource
from sovereignmesh.facts import supports_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["judge_tags"]


def judge_tags(resource: Resource) -> Iterable[Judgement]:
    """One answer for each required tag."""
    if not resource.policy.tags:
        return NO_WISH
    if resource.answered_for("required-tags"):
        return MANAGED
    supported = supports_tags(resource.type)
    if supported is False:
        return (Judgement("not-applicable", reason="no-tag-support"),)
    return _each_tag(resource, supported=bool(supported or resource.row.get("tags")))


def _each_tag(resource: Resource, *, supported: bool) -> Iterator[Judgement]:
    inherited = resource.containers if resource.policy.inherit_tags else ()
    for rule in resource.policy.tags:
        value = resource.tags.get(rule.key, "")
        for container in inherited:
            value = value or container.tags.get(rule.key, "")
        if value and rule.accepts(value):
            yield Judgement("compliant", rule.name, actual=value)
        elif value:
            yield Judgement("non-compliant", rule.name, "tag-not-allowed", rule.wanted, value)
        elif supported:
            yield Judgement("non-compliant", rule.name, "tag-missing", rule.wanted, "no tag")
        else:
            yield Judgement("unknown", rule.name, "tag-support-unknown", rule.wanted, "no tag")
