"""Search in the Data Map: one query, its pages, and what it counts."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import orjson

from sovereignmesh.sandbox.purview.account import Account, routes
from sovereignmesh.sandbox.purview.assets import READERS
from sovereignmesh.sandbox.purview.filters import compile_filter, compile_keywords, refuse, values_of
from sovereignmesh.sandbox.purview.hits import find_hits
from sovereignmesh.sandbox.wire import Refusal, json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES"]

_LIMIT, _LARGEST = 50, 1000  # the specification's
_LIFE: Final = 1800.0  # seconds of a token: how long one lives, and that one does not outlive it, is undocumented
_SORTED: Final = ("name", "qualifiedName", "entityType", "createTime", "updateTime")
# The specification's SearchFacetResultValue.
_FACETS: Final = (
    "entityType", "assetType", "classification", "term", "contactId", "contactType", "label", "glossaryType",
    "termStatus", "termTemplate",
)  # fmt: skip
_FACET_COUNT: Final = 10  # values of a facet that does not say how many; undocumented


def _query(account: Account, call: Call, _: dict[str, str]) -> Reply:
    body = call.json()
    if not isinstance(body, dict):
        raise refuse("the body is no object")
    limit = _limit(body.get("limit"))
    if body.get("taxonomySetting") is not None:
        raise Refusal(501, "SandboxUnsupported", "the sandbox (not Azure) has no taxonomySetting")
    start = _start(account, body)
    wanted, named = compile_filter(body.get("filter"), account.now), compile_keywords(body.get("keywords"))
    hits = [hit for hit, entity in find_hits(account, goes_on=start > 0) if wanted(hit, entity) and named(hit)]
    hits = _in_order(hits, body.get("orderby"))
    facets = _facets(hits, body.get("facets"))
    size = min(limit, account.page_size)
    answer: Body = {
        "@search.count": len(hits),
        "@search.count.approximate": False,
        "@search.facets": facets,
        "value": hits[start : start + size],
    }
    if start + size < len(hits):
        answer["continuationToken"] = _token(account, body, start + size)
    return json_reply(answer)


def _limit(value: Any) -> int:
    if value is None:
        return _LIMIT
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LARGEST:
        raise refuse(f"limit must be an integer from 1 to {_LARGEST}")
    return value


def _digest(body: Body) -> str:
    """What a token is bound to: the next page of another query would be none of its pages."""
    asked = {key: body.get(key) for key in ("keywords", "filter", "orderby")}
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _token(account: Account, body: Body, start: int) -> str:
    held = {"query": _digest(body), "from": start, "until": account.clock() + _LIFE}
    return base64.b64encode(orjson.dumps(held)).decode()


def _start(account: Account, body: Body) -> int:
    """Where the page begins that a body asks for. Raises Refusal for a token of another query, or an old one."""
    token = body.get("continuationToken")
    if token is None:
        return 0
    try:
        held = orjson.loads(base64.b64decode(token, validate=True))
        query, start, until = held["query"], int(held["from"]), float(held["until"])
    except (binascii.Error, ValueError, TypeError, KeyError):
        raise refuse("continuationToken is invalid") from None
    if start < 1:
        raise refuse("continuationToken is invalid")
    if query != _digest(body):
        raise refuse("continuationToken belongs to another query")
    if account.clock() > until:
        raise refuse("continuationToken has expired")
    return start


def _in_order(hits: list[Body], orderby: Any) -> list[Body]:
    """The hits by the fields that are asked for, else as they came in: all have the same score."""
    if orderby is None:
        return hits
    if not isinstance(orderby, list) or not all(isinstance(one, dict) and len(one) == 1 for one in orderby):
        raise refuse("orderby must be a list of objects with one field each")
    for one in reversed(orderby):
        ((field, way),) = one.items()
        if field not in _SORTED or str(way).upper() not in ("ASC", "DESC"):
            raise refuse(f"orderby has {field!r}: {way!r}")
        hits = sorted(hits, key=lambda hit: hit[field], reverse=str(way).upper() == "DESC")
    return hits


def _facets(hits: list[Body], facets: Any) -> Body | None:
    if facets is None:
        return None
    if not isinstance(facets, list) or not all(isinstance(one, dict) for one in facets):
        raise refuse("facets must be a list of objects")
    return {one["facet"]: _facet(hits, one) for one in map(_known, facets)}


def _known(facet: Body) -> Body:
    count, sort = facet.get("count", _FACET_COUNT), facet.get("sort") or {"count": "desc"}
    if facet.get("facet") not in _FACETS:
        raise refuse(f"{facet.get('facet')!r} is no facet")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise refuse("the count of a facet must be an integer from 0 on")
    if not isinstance(sort, dict) or not sort.items() <= {(by, way) for by in ("count", "value") for way in _WAYS}:
        raise refuse("the sort of a facet must be by count or value, asc or desc")
    return {"facet": facet["facet"], "count": count, "sort": sort}


_WAYS: Final = ("asc", "desc")


def _facet(hits: list[Body], facet: Body) -> list[Body]:
    counted = Counter(value for hit in hits for value in dict.fromkeys(values_of(hit, facet["facet"])))
    found = [{"count": count, "value": value} for value, count in sorted(counted.items())]
    for by, way in reversed(facet["sort"].items()):
        found.sort(key=lambda one: one[by], reverse=way == "desc")
    return found[: facet["count"]]


ROUTES: Final = routes("/datamap/api/search", ("POST", r"/query", _query, READERS))
