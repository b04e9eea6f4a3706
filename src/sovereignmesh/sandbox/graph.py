"""Resource Graph: queries, pages, the quota, and the service's ways to refuse."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from sovereignmesh.sandbox.engine import (
    Engine,
    Scope,
    UnknownColumnError,
    UnknownTableError,
    UnsupportedError,
    object_rows,
)
from sovereignmesh.sandbox.facets import facet
from sovereignmesh.sandbox.kql import ParserFailure
from sovereignmesh.sandbox.refusals import details_error, refused, too_large
from sovereignmesh.sandbox.store import GROUP, SUBSCRIPTION
from sovereignmesh.sandbox.tables import TABLES
from sovereignmesh.sandbox.wire import Call, Refusal, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sovereignmesh.sandbox.access import Access
    from sovereignmesh.sandbox.engine import Answer
    from sovereignmesh.sandbox.estate import Estate
    from sovereignmesh.sandbox.groups import ManagementGroups
    from sovereignmesh.sandbox.store import Store

__all__ = ["LARGEST_ANSWER", "Graph"]

LARGEST_ANSWER: Final = 16 << 20  # bytes
_QUOTA: Final = 15  # queries in a window, of one principal
_WINDOW: Final = 5.0  # seconds
_LARGEST_PAGE: Final = 1000
_TABLES_BEFORE: Final = ("2019-04-01", "2020-04-01-preview")  # versions that answer with a table unless asked
_SCOPED_FROM: Final = "2021-06-01-preview"
# https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language#query-scope: at the scope and (in,
# over) it.
_FILTERS: Final = {
    "atscopeandbelow": (True, False), "atscopeandabove": (False, True), "atscopeaboveandbelow": (True, True),
    "atscopeexact": (False, False),
}  # fmt: skip
_VERSIONS: Final = (*_TABLES_BEFORE, "2021-03-01", "2021-06-01-preview", "2022-10-01", "2024-04-01")
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EXPECTED: Final = "\u01cf"  # what the service sends for the token that it expected
_INVALID: Final = {
    "code": "InvalidQuery",
    "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the "
    "error before retrying.",
}


class _Asked(NamedTuple):
    """A request's options, checked."""

    query: str
    top: int
    skip: int
    as_table: bool
    facets: Sequence[Any]


class Graph:
    """Answers queries on what the caller may read, at most 15 in 5 seconds of `clock`."""

    def __init__(
        self,
        estate: Estate,
        store: Store,
        access: Access,
        groups: ManagementGroups,
        *,
        page_size: int,
        clock: Callable[[], float],
        largest: int = LARGEST_ANSWER,
    ) -> None:
        self._estate, self._store, self._access, self._groups = estate, store, access, groups
        self._page_size, self._clock, self._largest = page_size, clock, largest
        self._engine: Engine | None = None  # of its own, once something was written
        self._window_ends: float | None = None
        self._spent = 0

    def answer(self, call: Call) -> Reply:
        """The answer to a call; every one counts against the quota."""
        if call.method != "POST":
            raise Refusal(405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported here.")
        version = call.query["api-version"]
        if version not in _VERSIONS:
            raise Refusal(
                400,
                "InvalidResourceType",
                "The resource type 'resources' could not be found in the namespace 'Microsoft.ResourceGraph' for api "
                f"version '{version}'. The supported api-versions are '{','.join(_VERSIONS)}'.",
            )
        quota = self._spend()
        if quota is None:
            return self._throttled()
        try:
            reply = self._answer(call, version)
        except Refusal as refusal:
            reply = refusal.reply
        reply.headers |= quota
        return reply

    def _spend(self) -> dict[str, str] | None:
        """The quota's headers; None where it is used up."""
        now = self._clock()
        if self._window_ends is None or now >= self._window_ends:
            self._window_ends, self._spent = now + _WINDOW, 0
        if self._spent >= _QUOTA:
            return None
        self._spent += 1
        left = str(_QUOTA - self._spent)
        return {
            "x-ms-user-quota-remaining": left,
            "x-ms-user-quota-resets-after": _clock_text(self._window_ends - now),
            "x-ms-ratelimit-remaining-tenant-resource-requests": left,
        }

    def _throttled(self) -> Reply:
        assert self._window_ends is not None, "a window is open where one is used up"
        left = self._window_ends - self._clock()
        reply = details_error(
            429,
            "RateLimiting",
            {
                "code": "RateLimiting",
                "message": "Client application has been throttled and should not attempt to repeat the request until "
                "an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help.",
            },
        )
        reply.headers |= {
            "Retry-After": str(_seconds(left)),
            "x-ms-user-quota-remaining": "0",
            "x-ms-user-quota-resets-after": _clock_text(left),
        }
        return reply

    def _answer(self, call: Call, version: str) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("query"), str) or not body["query"].strip():
            raise refused({"code": "InvalidQuery", "message": "Query cannot be null or empty."})
        asked = self._asked(body, as_table=version in _TABLES_BEFORE)
        scope = self._scope(body, *_filter(body, version))
        answer = self._run(asked.query, scope)
        start = 0 if answer.limited else asked.skip  # as documented
        end = min(start + asked.top, len(answer.rows))
        rows = answer.rows[start:end]
        told: dict[str, Any] = {"totalRecords": len(answer.rows), "count": len(rows)}
        if asked.as_table:
            columns = [{"name": column.name, "type": column.type} for column in answer.columns]
            told["data"] = {"columns": columns, "rows": rows}
        else:
            told["data"] = object_rows(answer.columns, rows)
        more = end < len(answer.rows)
        pages = not answer.limited and any(column.type != "object" for column in answer.columns)
        told["facets"] = [facet(wanted, answer, as_table=asked.as_table) for wanted in asked.facets]
        # A string, as the service sends it; true says that there is more and no way to it.
        told["resultTruncated"] = "true" if more and not pages else "false"
        if more and pages:
            told["$skipToken"] = _token(asked.query, asked.top, end)
        reply = json_reply(told, headers={"x-ms-resource-graph-request-duration": "0:00:00:00.0516172"})
        if len(reply.body) > self._largest:
            raise too_large(len(reply.body), self._largest)
        return reply

    def _asked(self, body: Mapping[str, Any], *, as_table: bool) -> _Asked:
        options = body.get("options") or {}
        query = body["query"]
        top = _number(options, "$top", 1, _LARGEST_PAGE)
        skip = _number(options, "$skip", 0, None) or 0
        size = _LARGEST_PAGE
        if (token := options.get("$skipToken")) is not None:
            size, skip = _read_token(token, query)
        wanted = options.get("resultFormat", "table" if as_table else "objectArray")
        if wanted not in ("table", "objectArray"):
            raise refused({"code": "InvalidResultFormat", "message": f"The result format '{wanted}' is not valid."})
        return _Asked(query, min(top or size, self._page_size), skip, wanted == "table", body.get("facets") or ())

    def _scope(self, body: Mapping[str, Any], below: bool, above: bool) -> Scope | None:
        """What to look at; None: the tenant. Raises Refusal where the caller reads none of the subscriptions asked for.

        Of policies only those at the scope itself, where they are not wanted below and above it too.
        """
        asked = body.get("subscriptions")
        groups = body.get("managementGroups")
        if asked is None and not groups:
            return None
        wanted = {str(identity).lower() for identity in asked or ()}
        if bad := [identity for identity in sorted(wanted) if not _GUID.fullmatch(identity)]:
            message = f"Subscriptions contain invalid guids: '{','.join(bad)}'."
            raise refused({"code": "SubscriptionsContainInvalidGuids", "message": message})
        for group in groups or ():
            wanted |= self._groups.subscriptions_below(str(group))
        if not wanted and not groups:
            message = "There must be at least one subscription that is eligible to contain resources. Given: ''."
            raise refused({"code": "NoValidSubscriptionsInQueryRequest", "message": message})
        if not any(self._access.sees_subscription(identity) for identity in wanted if self._is_there(identity)):
            message = "Access is denied to the requested resource. The user might not have enough permission."
            raise refused({"code": "AccessDenied", "message": message}, status=403, code="AccessDenied")
        return Scope(
            # Asked for by management group, the groups themselves are in scope too; they hang on no subscription.
            frozenset(wanted | {""} if groups else wanted),
            frozenset(wanted if below else ()),
            frozenset(self._groups.places(asked or (), groups or (), below=below, above=above)),
        )

    def _is_there(self, identity: str) -> bool:
        return self._store.get(f"/subscriptions/{identity}") is not None

    def _run(self, query: str, scope: Scope | None) -> Answer:
        try:
            if self._store.is_untouched:
                return _engine_of(self._estate).run(query, scope, 0, self._visible_rows)
            self._engine = self._engine or Engine()
            return self._engine.run(query, scope, self._store.version, self._visible_rows)
        except ParserFailure as failure:
            raise refused(
                _INVALID,
                {
                    "code": "ParserFailure",
                    "message": "ParserFailure",
                    "line": failure.line,
                    "characterPositionInLine": failure.column,
                    "token": failure.token,
                    "expectedToken": _EXPECTED,
                },
            ) from None
        except UnknownTableError as error:
            table = str(error)
            if table.lower() in TABLES:
                raise _unsupported(f"it has no table {table}") from None
            message = f"Table {table} is invalid, unsupported or disallowed."
            raise refused({"code": "DisallowedLogicalTableName", "message": message}) from None
        except UnknownColumnError as error:
            raise refused(
                _INVALID, {"code": "InvalidColumnNames", "message": f"Invalid column names: [{error}]."}
            ) from None
        except UnsupportedError as error:
            raise _unsupported(str(error)) from None

    def _visible_rows(self) -> dict[str, list[dict[str, Any]]]:
        resources: list[dict[str, Any]] = []
        containers = list(self._groups.graph_rows())
        for row in self._store.graph_rows():
            if row["type"] in (SUBSCRIPTION, GROUP):
                action = f"microsoft.resources/subscriptions{'/resourcegroups' * (row['type'] == GROUP)}/read"
                if self._access.may(action, row["id"]):
                    containers.append(row)
            elif self._access.may(f"{row['type']}/read", row["id"]):
                resources.append(row)
        policies = [row for row in self._estate.policy if self._access.may(f"{row['type']}/read", row["id"])]
        return {"resources": resources, "resourcecontainers": containers, "policyresources": policies}


@lru_cache(maxsize=4)
def _engine_of(_: Estate) -> Engine:
    """What all sandboxes of an estate ask while they are untouched: its rows, and who reads them, are the same."""
    return Engine()


def _filter(body: Mapping[str, Any], version: str) -> tuple[bool, bool]:
    """Whether policies are wanted below the scope, and above it."""
    wanted = (body.get("options") or {}).get("authorizationScopeFilter") if version >= _SCOPED_FROM else None
    if wanted is None:
        return True, False
    if (found := _FILTERS.get(str(wanted).lower())) is None:
        raise _unsupported(f"it knows no authorizationScopeFilter {wanted!r}")
    return found


def _unsupported(why: str) -> Refusal:
    return Refusal(501, "SandboxUnsupported", f"the sandbox (not Azure) cannot run this query: {why}")


def _number(options: Mapping[str, Any], name: str, least: int, most: int | None) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f"between {least} and {most}" if most is not None else f"at least {least}"
        message = f"The value of the option '{name}' must be {bounds}."
        raise refused({"code": "InvalidQueryOptions", "message": message})
    return value


def _token(query: str, size: int, skip: int) -> str:
    token = {"$id": "1", "MaxRows": size, "RowsToSkip": skip, "Query": _fingerprint(query)}
    return base64.b64encode(orjson.dumps(token)).decode()


def _read_token(token: Any, query: str) -> tuple[int, int]:
    """The size of the pages, and the rows to skip. Raises Refusal for a token that is not of this query."""
    try:
        read = orjson.loads(base64.b64decode(str(token), validate=True))
        size, skip = int(read["MaxRows"]), int(read["RowsToSkip"])
        if read["Query"] == _fingerprint(query):
            return size, skip
    except (binascii.Error, orjson.JSONDecodeError, LookupError, TypeError, ValueError):
        pass
    raise refused({"code": "InvalidSkipToken", "message": "The skip token is invalid, or of another query."})


def _fingerprint(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]


def _seconds(left: float) -> int:
    return max(1, -int(-left // 1))


def _clock_text(left: float) -> str:
    return f"00:00:{_seconds(left):02}"
