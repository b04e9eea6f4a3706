"""The children that travel with a resource: what was read of them, and what that says where the resource is silent."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.audit.judgement import Judgement, Resource
from sovereignmesh.facts import child_reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.facts import ChildRead
    from sovereignmesh.result import Check

__all__ = [
    "SUBSCRIPTIONS",
    "Children",
    "child_resources",
    "children_in",
    "judge_by_children",
    "location_in",
    "packed",
    "text_at",
    "told_by_children",
]

SUBSCRIPTIONS: Final = "microsoft.resources/subscriptions"
_LOCATION: Final = re.compile(r"/locations/([^/]+)/", re.IGNORECASE)


def text_at(row: dict[str, Any], key: str) -> str:
    """The text at a key of a row; empty where there is none."""
    value = row.get(key)
    return value if type(value) is str else ""


class Children(NamedTuple):
    """The children of one type: their bodies, why some or all could not be read ("" where all were), and when."""

    items: tuple[dict[str, Any], ...]
    failed: str
    at: str


class DepthForecast(NamedTuple):
    """What reading the children will cost.

    `calls` are reads by the type of child, `known` those of them that a checkpoint has, `requests` what is sent for the
    others; `seconds` is what the quotas of Azure Resource Manager and its providers make it last at least.
    """

    resources: int
    calls: dict[str, int]
    known: int
    requests: int
    seconds: int


def packed(items: Iterable[dict[str, Any]], failed: str, at: str) -> dict[str, Any]:
    """The children of one type as a row carries them: below `children` and their type in lower case."""
    return {"items": list(items), "failed": failed, "at": at}


def children_in(row: dict[str, Any], child: str) -> Children | None:
    """What a row carries of the children of type `child`; None where they were not read."""
    every = row.get("children")
    found = every.get(child.lower()) if type(every) is dict else None
    if type(found) is not dict or type(found.get("items")) is not list:
        return None
    items = tuple(item for item in found["items"] if type(item) is dict)
    failed = found.get("failed")
    if len(items) < len(found["items"]) or type(failed) is not str:
        failed = "an answer that makes no sense"
    return Children(items, failed, text_at(found, "at"))


def child_resources(resource: Resource, child: str) -> Iterator[Resource]:
    """The children of that type, each in its parent's surroundings: tags, domain, policy; region, if it names none."""
    found = children_in(resource.row, child)
    for number, body in enumerate(found.items if found else (), 1):
        identity = body.get("id")
        own = identity.rstrip("/") if type(identity) is str and identity else _made_up(resource.id, child, number)
        location = body.get("location") or location_in(own) or resource.location
        at = found.at if found else ""
        yield resource._replace(row=body, id=own, type=child.lower(), location=location, parent=resource.id, read_at=at)


def _made_up(parent: str, child: str, number: int) -> str:
    """An id for a child whose body has none."""
    return f"{parent}/{child.rpartition('/')[2]}" + (f"/{number}" if number > 1 else "")


def location_in(identity: str) -> str:
    """The region that an id names, as in `.../locations/westeurope/deletedVaults/kv`; "" where it names none."""
    place = _LOCATION.search(identity)
    return place[1] if place else ""


@cache
def _reads(resource_type: str, check: Check) -> tuple[ChildRead, ...]:
    return tuple(read for read in child_reads().get(resource_type, ()) if check in read.checks)


def told_by_children(resource: Resource, check: Check) -> Judgement:
    """What the resource's children say for it: judged there, there are none, or unknown and why."""
    reads = _reads(resource.type, check)
    known = [children_in(resource.row, read.child) for read in reads]
    if failed := next((children.failed for children in known if children and children.failed), ""):
        return Judgement("unknown", reason="child-not-read", actual=failed)
    if not reads or any(children is None for children in known):
        return Judgement("unknown", reason="needs-child-read", actual="not said by the body")
    judged = any(children.items for children in known if children)
    return Judgement("not-applicable", reason="held-elsewhere" if judged else "no-copy")


def judge_by_children(check: Check, resource: Resource) -> Iterator[Judgement]:
    """The answer for a resource whose own body never has one; nothing where its children are judged instead."""
    if resource.policy.residency is None:
        yield Judgement("not-applicable", reason="no-wish")
        return
    told = told_by_children(resource, check)
    if told.reason != "held-elsewhere":
        yield told
