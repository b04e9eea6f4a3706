"""Where data comes from and goes to: the processes between the Data Map's entities, and the graph that they make."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from sovereignmesh.sandbox.purview.account import Account, routes
from sovereignmesh.sandbox.purview.answers import atlas_refusal
from sovereignmesh.sandbox.purview.asset_types import above
from sovereignmesh.sandbox.purview.assets import ENTITIES, PROCESSES, READERS, readable
from sovereignmesh.sandbox.purview.entities import entity_header, entity_of, entity_of_call
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES"]

_DEPTH: Final = 3  # hops where none are asked for: Apache Atlas' own default
_DEEPEST: Final = 1000
_BOTH: Final = "BOTH"
Edge = tuple[str, str]


class _Graph:
    """The edges next to an entity that the caller may see, either way; data goes from the first to the second."""

    def __init__(self, account: Account) -> None:
        self.edges: dict[str, dict[str, list[Edge]]] = {"INPUT": {}, "OUTPUT": {}}
        allowed = readable(account)
        self.seen = {
            guid: entity for guid, entity in account.all(ENTITIES).items() if entity["collectionId"] in allowed
        }
        for guid in account.all(PROCESSES):
            ends = self.seen.get(guid, {}).get("attributes", {})
            for source in ends.get("inputs") or ():
                self._add(source["guid"], guid)
            for sink in ends.get("outputs") or ():
                self._add(guid, sink["guid"])

    def _add(self, source: str, sink: str) -> None:
        if source in self.seen and sink in self.seen:
            self.edges["OUTPUT"].setdefault(source, []).append((source, sink))
            self.edges["INPUT"].setdefault(sink, []).append((source, sink))

    def walk(self, start: str, way: str, depth: int) -> list[Edge]:
        """The edges within so many hops from one set of data to another; a process on the way is no hop."""
        found: dict[Edge, None] = {}
        far_end = 0 if way == "INPUT" else 1
        front, left = {start}, depth
        while front and left:
            edges = [edge for guid in front for edge in self.edges[way].get(guid, ()) if edge not in found]
            found |= dict.fromkeys(edges)
            ends = {edge[far_end] for edge in edges}
            front = ends
            left -= not any(self.is_process(end) for end in ends)
        return list(found)

    def is_process(self, guid: str) -> bool:
        """Whether data goes through it, and is not in it."""
        return "Process" in above(self.seen[guid]["typeName"])


def _get(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _answer(account, call, entity_of(account, names["guid"], readable(account)))


def _get_named(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _answer(account, call, entity_of_call(account, call, names, readable(account)))


def _answer(account: Account, call: Call, entity: Body) -> Reply:
    way, depth = call.query.get("direction", ""), call.query.get("depth", str(_DEPTH))
    if way not in ("INPUT", "OUTPUT", _BOTH) or not depth.isdigit() or not 0 < int(depth) <= _DEEPEST:
        bad = f"Invalid lineage query parameters passed direction, depth: {way}, {depth}"
        raise atlas_refusal(400, "ATLAS-400-00-026", bad)
    graph, guid = _Graph(account), entity["guid"]
    ways = ("INPUT", "OUTPUT") if way == _BOTH else (way,)
    by_way = {one: graph.walk(guid, one, int(depth)) for one in ways}
    relations = dict.fromkeys(edge for edges in by_way.values() for edge in edges)
    there = dict.fromkeys([guid, *(end for edge in relations for end in edge)])
    widths = {one: _widths(edges, 1 if one == "INPUT" else 0) for one, edges in by_way.items()}
    return json_reply({
        "baseEntityGuid": guid,
        "lineageDirection": way,
        "lineageDepth": int(depth),
        "lineageWidth": max((count for counted in widths.values() for count in counted.values()), default=0),
        "childrenCount": 0,
        "guidEntityMap": {one: entity_header(graph.seen[one]) for one in there} if relations else {},
        "widthCounts": widths,
        "parentRelations": [],
        "relations": [
            {"fromEntityId": source, "toEntityId": sink, "relationshipId": _id(source, sink)}
            for source, sink in relations
        ],
    })  # fmt: skip


def _widths(edges: Iterable[Edge], near_end: int) -> dict[str, int]:
    counted: dict[str, int] = {}
    for edge in edges:
        counted[edge[near_end]] = counted.get(edge[near_end], 0) + 1
        counted.setdefault(edge[1 - near_end], 0)
    return counted


def _id(source: str, sink: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source} to {sink}"))


ROUTES: Final = routes(
    "/datamap/api/atlas/v2/lineage",
    ("GET", r"/uniqueAttribute/type/(?P<type>[^/]+)", _get_named, READERS),
    ("GET", r"/(?P<guid>[^/]+)", _get, READERS),
)
