"""The children that travel with a resource: how its row carries what was read of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.facts import ChildRead


__all__ = [
    "IN_LIST",
    "OURS",
    "SUBSCRIPTIONS",
    "Children",
    "DepthForecast",
    "azures",
    "children_in",
    "location_in",
    "packed",
    "text_at",
    "unread_children",
]

SUBSCRIPTIONS: Final = "microsoft.resources/subscriptions"
# Keys of a row that no body of Azure's has.
OURS: Final = frozenset({"children", "readAt", "notKnown", "notTranslated", "inList"})
IN_LIST: Final = "inList"  # stands in for the body of a child that the list of resources has too: it is judged there
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
    """What reading the children of the resources that are listed will cost.

    The keys of vaults, and what subscriptions list by themselves, come on top: they are known later. `calls` are reads
    by the type of child, `known` those of them that a checkpoint has, `requests` what is sent for the others; `seconds`
    is what the quotas of Azure Resource Manager and its providers make it last at least.
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


def azures(body: dict[str, Any]) -> dict[str, Any]:
    """A body without the keys that only rows of this audit have."""
    return body if OURS.isdisjoint(body) else {key: value for key, value in body.items() if key not in OURS}


def unread_children(row: dict[str, Any], reads: Iterable[ChildRead]) -> Iterator[tuple[ChildRead, str]]:
    """The children that could not be read, by one read for each type, and why."""
    for read in {read.child: read for read in reads}.values():
        found = children_in(row, read.child)
        if found and found.failed and "notKnown" not in row:  # of a plan nothing more can be read
            yield read, found.failed


def location_in(identity: str) -> str:
    """The region that an id names, as in `.../locations/westeurope/deletedVaults/kv`; "" where it names none."""
    place = _LOCATION.search(identity)
    return place[1] if place else ""
