"""What can go wrong with Azure, on purpose: each fault wraps the service and hits some of the calls."""

from __future__ import annotations

import dataclasses
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.journeys import JOURNEYS, Hit, question
from sovereignmesh.sandbox.purview import faults as data_map
from sovereignmesh.sandbox.purview.answers import closed, denied
from sovereignmesh.sandbox.refusals import too_large, unauthorised
from sovereignmesh.sandbox.wire import HOST, PURVIEW, Call, Refusal, Reply, arm_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sovereignmesh.sandbox.estate import Estate

__all__ = ["FAULTS", "JOURNEYS", "Fault", "Faulty", "find_fault"]

_MANY: Final = 250  # rows of a page that is never too large
_LIMIT: Final = 16 << 20
_SLOW: Final = 10.0  # seconds
_FOREIGN: Final = f"https://{HOST}.example.net/subscriptions?api-version=2022-12-01&$skiptoken=2"
_BURST: Final = (
    (500, "InternalServerError", "The server encountered an internal error. Please retry the request."),
    (502, "BadGatewayConnection", "The network connectivity issue encountered; cannot fulfill the request."),
    (503, "ServerTimeout", "The request timed out."),
    (504, "GatewayTimeout", "The gateway did not receive a response within the specified time period."),
)
_HTML: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to your network</body></html>\n"
)
_SPEC: Final = re.compile(r"(?P<name>[a-z0-9-]+)(?::(?P<journey>[a-z-]+))?(?:@(?P<nth>[1-9][0-9]*))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: `says` describes it in a line. It hits from the `nth` call of its journey, `times` calls (None: all)."""

    name: str
    says: str
    act: Callable[[Hit], Reply]
    journey: str = "any"
    nth: int = 1
    times: int | None = 1


class Faulty:
    """A service behind faults; they come in their order, the first outermost."""

    def __init__(
        self,
        handle: Callable[[Call], Reply],
        faults: Iterable[str | Fault],
        *,
        estate: Estate,
        sleep: Callable[[float], object],
    ) -> None:
        self._handle, self._estate, self._sleep = handle, estate, sleep
        self._faults = [fault if isinstance(fault, Fault) else find_fault(fault) for fault in faults]
        self._seen = [0] * len(self._faults)
        self._memories: list[dict[Any, Any]] = [{} for _ in self._faults]
        self._lock = threading.Lock()

    def handle(self, call: Call) -> Reply:
        """The answer to a call, with whatever is wrong with it."""
        return self._from(0, call)

    def _from(self, index: int, call: Call) -> Reply:
        if index == len(self._faults):
            return self._handle(call)
        fault = self._faults[index]
        count = 0
        if JOURNEYS[fault.journey](call):
            with self._lock:
                self._seen[index] += 1
                count = self._seen[index] - fault.nth + 1
        if count < 1 or (fault.times is not None and count > fault.times):
            return self._from(index + 1, call)
        memory = self._memories[index]
        return fault.act(
            Hit(call, lambda passed: self._from(index + 1, passed), count, memory, self._estate, self._sleep)
        )


def find_fault(spec: str) -> Fault:
    """The fault of that name; `name:journey` hits another journey, `name@3` from its third call on.

    Raises SandboxError for an unknown name or journey.
    """
    found = _SPEC.fullmatch(spec)
    if found is None or found["name"] not in _FAULTS:
        raise SandboxError(f"no fault is called {spec!r}; there are: {', '.join(_FAULTS)}")
    fault = _FAULTS[found["name"]]
    journey = found["journey"] or fault.journey
    if journey not in JOURNEYS:
        raise SandboxError(f"{spec!r}: no journey is called {journey!r}; there are: {', '.join(JOURNEYS)}")
    return dataclasses.replace(fault, journey=journey, nth=int(found["nth"] or fault.nth))


def _too_many(**headers: str) -> Reply:
    message = "Number of requests exceeded the limit for this time interval. Please try again later."
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return arm_error(429, "TooManyRequests", message, headers=told)


def _throttle(**headers: str) -> Callable[[Hit], Reply]:
    return lambda _: _too_many(**headers)


def _burst(hit: Hit) -> Reply:
    return arm_error(*_BURST[(hit.count - 1) % len(_BURST)])


def _down(_: Hit) -> Reply:
    return arm_error(503, "ServiceUnavailable", "The service is unavailable.")


def _reset(hit: Hit) -> Reply:
    reply = hit.reply()
    reply.body = reply.body[: len(reply.body) // 2]
    reply.broken = ConnectionResetError(104, "Connection reset by peer")
    return reply


def _truncate(hit: Hit) -> Reply:
    reply = hit.reply()
    reply.body = reply.body[: len(reply.body) // 2]
    return reply


def _html(_: Hit) -> Reply:
    return Reply(200, _HTML, {"Content-Type": "text/html; charset=utf-8"})


def _edit(change: Callable[[dict[str, Any], Hit], None]) -> Callable[[Hit], Reply]:
    """A fault that changes the body of a good answer."""

    def act(hit: Hit) -> Reply:
        reply = hit.reply()
        is_json = "json" in reply.headers.get("Content-Type", "")  # another fault may have come first
        body = reply.json() if reply.status == 200 and is_json else None  # noqa: PLR2004
        if isinstance(body, dict):
            change(body, hit)
            reply.body = orjson.dumps(body)
        return reply

    return act


def _edit_each(change: Callable[[dict[str, Any], Hit], None]) -> Callable[[Hit], Reply]:
    """A fault that changes the body of a good answer, in a batch of each in it."""

    def of_all(body: dict[str, Any], hit: Hit) -> None:
        for one in body.get("responses", ({"content": body},)):
            if isinstance(one.get("content"), dict):
                change(one["content"], hit)

    return _edit(of_all)


def _rows_of(body: dict[str, Any]) -> list[Any]:
    data = body.get("data", body.get("value"))
    rows = data.get("rows") if isinstance(data, dict) else data
    return rows if isinstance(rows, list) else []


def _repeat_row(body: dict[str, Any], _: Hit) -> None:
    rows = _rows_of(body)
    if len(rows) > 1:
        rows[-1] = rows[0]


def _change_totals(body: dict[str, Any], hit: Hit) -> None:
    """More by the number of the hit: the total, and every count in a row."""
    if "totalRecords" in body:
        body["totalRecords"] += hit.count
    for row in _rows_of(body):
        for key, value in row.items() if isinstance(row, dict) else enumerate(row):
            if isinstance(value, int) and not isinstance(value, bool):
                row[key] = value + hit.count


def _foreign_link(body: dict[str, Any], _: Hit) -> None:
    if "value" in body:
        body["nextLink"] = _FOREIGN


def _expired(hit: Hit) -> Reply:
    why = (
        "The access token expiry UTC time '1/5/2026 8:00:00 AM' is earlier than current UTC time '1/5/2026 8:00:01 AM'."
    )
    return unauthorised(hit.estate, "ExpiredAuthenticationToken", why).reply


def _rejected(hit: Hit) -> Reply:
    return unauthorised(hit.estate, "InvalidAuthenticationToken", "The access token is invalid.").reply


def _options(call: Call) -> dict[str, Any]:
    options = question(call).get("options")
    return options if isinstance(options, dict) else {}


def _too_large(hit: Hit) -> Reply:
    if not question(hit.call):
        return hit.reply()
    top = _options(hit.call).get("$top")
    if isinstance(top, int) and top <= _MANY:
        return hit.reply()
    return too_large(_LIMIT * 3, _LIMIT).reply


def _slow(hit: Hit) -> Reply:
    hit.sleep(_SLOW)
    return hit.reply()


def _same_token(hit: Hit) -> Reply:
    """The first token again and again: what it leads to is always the same page."""
    body = question(hit.call)
    if not body:
        return hit.reply()
    key = (str(body.get("query")), str(body.get("subscriptions")))
    options = _options(hit.call)
    call = hit.call
    if options.get("$skipToken") == _MADE_UP:
        del options["$skipToken"]
        call = dataclasses.replace(call, body=orjson.dumps({**body, "options": options}))
    reply = hit.next(call)
    if reply.status == 200:  # noqa: PLR2004
        told = reply.json()
        told["$skipToken"] = hit.memory.setdefault(key, told.get("$skipToken", _MADE_UP))
        reply.body = orjson.dumps(told)
    return reply


_MADE_UP: Final = "ew0KICAiJGlkIjogIjEiDQp9"


def _denied(hit: Hit) -> Reply:
    who = hit.estate.principal
    message = (
        f"The client '{who['name']}' with object id '{who['id']}' does not have authorization to perform action "
        "'Microsoft.ResourceGraph/resources/read' over scope '/providers/Microsoft.ResourceGraph' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials."
    )
    return arm_error(403, "AuthorizationFailed", message)


def _limited(hit: Hit) -> Reply:
    reply = hit.reply()
    reply.headers["x-ms-tenant-subscription-limit-hit"] = "true"
    return reply


def _of_first(reply: Reply) -> Callable[[dict[str, Any], Hit], None]:
    """Changes the first answer of a batch."""

    def change(body: dict[str, Any], _: Hit) -> None:
        if answers := body.get("responses"):
            answers[0] |= {"httpStatusCode": reply.status, "headers": reply.headers, "content": reply.json()}

    return change


def _lose_answer(body: dict[str, Any], _: Hit) -> None:
    if body.get("responses"):
        del body["responses"][-1]


def _no_batch(_: Hit) -> Reply:
    return arm_error(404, "InvalidResourceType", "The resource type could not be found: '/batch'.")


def _lagging(hit: Hit) -> Reply:
    return hit.next(dataclasses.replace(hit.call, lagging=True))


def _shut(refuse: Callable[[str], Refusal]) -> Callable[[Hit], Reply]:
    return lambda hit: refuse(hit.call.host.removesuffix(PURVIEW)).reply


_THROTTLED_PART: Final = _edit(_of_first(_too_many(Retry_After="1")))
_DENIED_PART: Final = _edit(
    _of_first(arm_error(403, "AuthorizationFailed", "The client does not have authorization to perform this action."))
)

_GROWING: Final = _edit(_change_totals)
_TWICE: Final = _edit_each(_repeat_row)
_FOREIGN_LINK: Final = _edit_each(_foreign_link)

_FAULTS: Final = {
    fault.name: fault
    for fault in (
        Fault("throttled", "429 with Retry-After: 1, twice", _throttle(Retry_After="1"), times=2),
        Fault("throttled-silent", "429 that does not say how long to wait, twice", _throttle(), times=2),
        Fault("throttled-a-day", "429 with Retry-After: 86400, for ever", _throttle(Retry_After="86400"), times=None),
        Fault("server-errors", "500, 502, 503 and 504 in a row, then all is well", _burst, times=len(_BURST)),
        Fault("server-down", "503 for ever", _down, times=None),
        Fault("reset", "the connection is reset while the body is read, once", _reset),
        Fault("reset-always", "the connection is reset while the body is read, always", _reset, times=None),
        Fault("truncated", "half a body with the right status, once", _truncate),
        Fault("truncated-always", "half a body with the right status, always", _truncate, times=None),
        Fault("html", "a sign-in page with status 200, once", _html),
        Fault("html-always", "a sign-in page with status 200, always", _html, times=None),
        Fault("row-twice", "a row comes twice, in place of another", _TWICE, "graph", nth=3, times=None),
        Fault("total-changes", "totals and counts are higher in one answer", _edit(_change_totals), "graph", nth=2),
        Fault("total-changes-always", "totals and counts grow from answer to answer", _GROWING, "graph", 3, times=None),
        Fault("token-expired", "401 ExpiredAuthenticationToken in the middle of a run, once", _expired, nth=3),
        Fault("token-rejected", "401 InvalidAuthenticationToken, always", _rejected, times=None),
        Fault("foreign-next-link", "lists link to another host", _FOREIGN_LINK, journey="lists", times=None),
        Fault(
            "payload-too-large",
            "400 ResponsePayloadTooLarge unless 250 rows or fewer are asked for",
            _too_large,
            journey="graph",
            times=None,
        ),
        Fault("slow-page", f"every page of a query takes {_SLOW:.0f} s", _slow, journey="graph", times=None),
        Fault("repeated-skip-token", "the same $skipToken for ever", _same_token, journey="graph", times=None),
        Fault("denied-mid-run", "403 AuthorizationFailed from the second query on", _denied, "graph", 2, times=None),
        Fault("part-throttled", "429 for the first request of a batch, twice", _THROTTLED_PART, "batch", times=2),
        Fault("part-throttled-always", "429 for the first request of each batch", _THROTTLED_PART, "batch", times=None),
        Fault("part-denied", "403 for the first request of each batch", _DENIED_PART, "batch", times=None),
        Fault("part-lost", "each batch has an answer too few", _edit(_lose_answer), "batch", times=None),
        Fault("no-batch", "404 for a batch, always", _no_batch, "batch", times=None),
        Fault("lagging-reads", "reads of Purview show a write two reads later", _lagging, "purview", times=None),
        Fault("purview-denied", "403 from Purview: the caller has no role", _shut(denied), "purview", times=None),
        Fault("purview-closed", "403 from Purview: the network is closed", _shut(closed), "purview", times=None),
        Fault("search-denied", "403 for every search of the Data Map", _shut(denied), "search", times=None),
        Fault("search-denied-one", "403 for searches of one collection", data_map.deny_one, "search", times=None),
        Fault("search-token-refused", "400 for the token of the second page, once", data_map.refuse_token, "search", 2),
        Fault("search-token-refused-always", "400 for every token", data_map.refuse_token, "search", times=None),
        Fault("search-loses-rows", "each page has a hit too few", data_map.lose_hit, "search", times=None),
        Fault("entity-deleted", "404 for an entity that was found", data_map.delete_one, "entities", times=None),
        Fault("entity-lost", "reads of many lack one of them", data_map.lose_one, "entities", times=None),
        Fault("subscription-limit", "the tenant has too many subscriptions to query", _limited, "graph", times=None),
    )
}

FAULTS: Final[dict[str, str]] = {name: fault.says for name, fault in _FAULTS.items()}
