"""Which calls a fault may hit, by name, and what it is given of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from sovereignmesh.sandbox.wire import BATCH, ENTITY, GRAPH, GROUPS, PURVIEW, SEARCH, UNIFIED, Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.sandbox.estate import Estate

__all__ = ["JOURNEYS", "Hit", "question"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One call that a fault hits. `count` is 1 for the first; `memory` is the fault's own, between its hits."""

    call: Call
    next: Callable[[Call], Reply]
    count: int
    memory: dict[Any, Any]
    estate: Estate
    sleep: Callable[[float], object]

    def reply(self) -> Reply:
        """What the service itself answers."""
        return self.next(self.call)


def _subscription_path(last: str) -> Callable[[Call], bool]:
    pattern = re.compile(rf"/subscriptions/[^/]+/{last}", re.IGNORECASE)
    return lambda call: pattern.fullmatch(call.path) is not None


_CHILDREN: Final = re.compile(r"/subscriptions/.+/providers/(?!microsoft\.authorization/)[^/]+/.+", re.IGNORECASE)


def _is_purview(call: Call) -> bool:
    return call.host.endswith(PURVIEW) or call.host == UNIFIED


def _is_batch(call: Call) -> bool:
    return call.path.lower() == BATCH


JOURNEYS: Final[dict[str, Callable[[Call], bool]]] = {
    "any": lambda _: True,
    "graph": lambda call: call.path.lower() == GRAPH,
    "lists": lambda call: call.method == "GET",
    "policy": lambda call: "policyresources" in str(question(call).get("query")).lower(),
    "subscriptions": lambda call: call.path.lower() == "/subscriptions",
    "permissions": lambda call: call.path.lower().endswith("/providers/microsoft.authorization/permissions"),
    "locations": _subscription_path("locations"),
    "management-groups": lambda call: call.path.lower().startswith(GROUPS),
    "batch": _is_batch,
    "children": lambda call: _is_batch(call) or (call.method == "GET" and _CHILDREN.fullmatch(call.path) is not None),
    "writes": lambda call: call.method in ("PUT", "PATCH", "DELETE"),
    "purview": _is_purview,
    "search": lambda call: _is_purview(call) and call.path.lower() == SEARCH,
    "entities": lambda call: _is_purview(call) and call.method == "GET" and call.path.lower().startswith(ENTITY),
    "purview-writes": lambda call: _is_purview(call) and call.method not in ("GET", "HEAD"),
}


def question(call: Call) -> dict[str, Any]:
    """The body of a query; empty for any other call, which the faults of queries leave alone."""
    body = orjson.loads(call.body) if JOURNEYS["graph"](call) and call.body else None
    return body if isinstance(body, dict) else {}
