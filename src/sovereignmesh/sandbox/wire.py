"""A request and an answer as the services of the sandbox see them, and ARM's way to say no."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BATCH",
    "ENTITY",
    "GRAPH",
    "GROUPS",
    "HOST",
    "PURVIEW",
    "SEARCH",
    "UNIFIED",
    "Call",
    "Refusal",
    "Reply",
    "arm_error",
    "json_reply",
    "offset_of",
    "page_of",
    "positive",
    "token_for",
]

HOST: Final = "management.azure.com"
PURVIEW: Final = ".purview.azure.com"  # the end of an account's host
SEARCH: Final = "/datamap/api/search/query"  # of an account
ENTITY: Final = "/datamap/api/atlas/v2/entity"
UNIFIED: Final = "api.purview-service.microsoft.com"  # the Unified Catalog's, of every tenant
BATCH: Final = "/batch"
GRAPH: Final = "/providers/microsoft.resourcegraph/resources"
GROUPS: Final = "/providers/microsoft.management/managementgroups"
_LARGEST_LIST: Final = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `path` is unquoted and keeps its case; the names in `query` are lower-case.

    `pairs` are the query's names and values as they were sent, where a name may stand more than once. `lagging` says
    that what the call writes, readers see late, and that it reads what was there before.
    """

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names lower-case
    body: bytes = b""
    lagging: bool = False
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Call:
        """The call that a method, a URL and headers make."""
        parts = urlsplit(url)
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        query = {key.lower(): value for key, value in pairs}
        path = unquote(parts.path).rstrip("/") or "/"
        lowered = {key.lower(): value for key, value in headers.items()}
        return cls(method.upper(), (parts.hostname or "").lower(), path, query, lowered, body, pairs=pairs)

    def every(self, name: str) -> list[str]:
        """Each value that the query has by that name, in any case."""
        return [value for key, value in self.pairs if key.lower() == name]

    def json(self) -> Any:
        """The parsed body. Raises Refusal where it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Refusal(
                400,
                "InvalidRequestContent",
                f"The request content was invalid and could not be deserialized: '{error}'.",
            ) from None


@dataclass(slots=True)
class Reply:
    """An answer. `broken` is how reading its body fails after `body`, None where it does not."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    broken: Exception | None = None

    def json(self) -> Any:
        """The parsed body, None where there is none."""
        return orjson.loads(self.body) if self.body else None


class Refusal(Exception):  # noqa: N818 - it is an answer, and a normal one
    """An error answer in ARM's shape, raised where the reason is found."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reply = arm_error(status, code, message, details=details, headers=headers)

    @classmethod
    def of(cls, reply: Reply) -> Refusal:
        """The refusal that answers so."""
        refusal = cls(reply.status, "", "")
        refusal.reply = reply
        return refusal


def json_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer with a JSON body."""
    told = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache", **(headers or {})}
    return Reply(status, orjson.dumps(body), told)


def arm_error(
    status: int,
    code: str,
    message: str,
    *,
    details: Sequence[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """ARM's error answer: `{"error": {code, message[, details]}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if details is not None:
        error["details"] = list(details)
    return json_reply({"error": error}, status, {"x-ms-failure-cause": "gateway", **(headers or {})})


def positive(text: str | None, name: str) -> int | None:
    """The number that an option holds; None where it is not given. Raises Refusal for anything but a positive one."""
    if text is None:
        return None
    if not text.isdigit() or not int(text):
        raise Refusal(400, "InvalidQueryParameterValue", f"Invalid {name} query parameter value '{text}'.")
    return int(text)


def page_of(call: Call, items: Sequence[Any], page_size: int, *, always_link: bool = False) -> dict[str, Any]:
    """One page of an ARM list: `value`, and `nextLink` where there is more (`always_link`: null where there is not)."""
    start = offset_of(call.query.get("$skiptoken"))
    asked = positive(call.query.get("$top"), "$top")
    size = min(asked or _LARGEST_LIST, page_size)
    body: dict[str, Any] = {"value": list(items[start : start + size])}
    if start + size < len(items):
        query = urlencode({**call.query, "$skiptoken": token_for(start + size)}, safe="$")
        body["nextLink"] = f"https://{HOST}{call.path}?{query}"
    elif always_link:
        body["nextLink"] = None
    return body


def token_for(offset: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def offset_of(token: str | None) -> int:
    """Where a page begins. Raises Refusal for a token that no page gave."""
    if token is None:
        return 0
    try:
        name, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = number = ""
    if name != "from" or not number.isdigit():
        raise Refusal(400, "InvalidSkipToken", "The skip token is malformed or invalid.")
    return int(number)
