"""What can go wrong with the Data Map: refusals in the middle, and answers that lack something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from sovereignmesh.sandbox.journeys import JOURNEYS
from sovereignmesh.sandbox.purview.answers import atlas_refusal, denied
from sovereignmesh.sandbox.purview.filters import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.sandbox.journeys import Hit
    from sovereignmesh.sandbox.wire import Reply

__all__ = ["delete_one", "deny_one", "lose_hit", "lose_one", "refuse_token"]

_FIRST = "first"  # what a fault remembers


def deny_one(hit: Hit) -> Reply:
    """Denies every search that names the collection which was named first."""
    named = set(_collections(_body(hit).get("filter")))
    denied_one = hit.memory.setdefault(_FIRST, min(named)) if named else None
    return denied().reply if denied_one in named else hit.reply()


def _collections(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("collectionId"), str):
            yield value["collectionId"].lower()
        for inner in value.values():
            yield from _collections(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _collections(inner)


def refuse_token(hit: Hit) -> Reply:
    """Takes a search's token for one that has expired."""
    if _body(hit).get("continuationToken") is None:
        return hit.reply()
    return refuse("continuationToken has expired").reply


def lose_hit(hit: Hit) -> Reply:
    """Leaves the last hit of a page out, and counts it."""
    reply = hit.reply()
    told = _told(reply) if JOURNEYS["search"](hit.call) else {}
    if told.get("value"):
        del told["value"][-1]
        reply.body = orjson.dumps(told)
    return reply


def delete_one(hit: Hit) -> Reply:
    """Has the entity that was asked for first no more; who asks for it among others gets none."""
    asked = _guids(hit)
    gone = hit.memory.setdefault(_FIRST, asked[0]) if asked else None
    if gone not in asked:
        return hit.reply()
    return atlas_refusal(404, "ATLAS-404-00-005", f"Given instance guid {gone} is invalid/not found").reply


def lose_one(hit: Hit) -> Reply:
    """Leaves the entity that was asked for first out of every answer of many."""
    reply, asked = hit.reply(), _guids(hit)
    lost = hit.memory.setdefault(_FIRST, asked[0]) if asked else None
    told = _told(reply)
    if asked and "entities" in told:
        told["entities"] = [entity for entity in told["entities"] if entity["guid"] != lost]
        reply.body = orjson.dumps(told)
    return reply


def _guids(hit: Hit) -> list[str]:
    """The guids that a call asks for, in its query or its path."""
    if not JOURNEYS["entities"](hit.call):
        return []
    _, found, last = hit.call.path.lower().partition("/guid/")
    return [last.partition("/")[0]] if found else [guid.lower() for guid in hit.call.every("guid")]


def _body(hit: Hit) -> dict[str, Any]:
    """What a search asks for; empty for any other call."""
    body = orjson.loads(hit.call.body) if JOURNEYS["search"](hit.call) and hit.call.body else None
    return body if isinstance(body, dict) else {}


def _told(reply: Reply) -> dict[str, Any]:
    """The object that an answer brings; empty for any other: another fault may have come first."""
    body = reply.json() if "json" in reply.headers.get("Content-Type", "") else None
    return body if isinstance(body, dict) else {}
