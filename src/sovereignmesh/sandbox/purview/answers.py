"""How Purview answers: its errors, its pages, and what it says of a body that it was sent."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from sovereignmesh.sandbox.wire import Refusal, Reply, json_reply, offset_of, token_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.sandbox.wire import Call

__all__ = [
    "atlas_refusal",
    "body_of",
    "check_name",
    "closed",
    "created",
    "denied",
    "flag",
    "goes_on",
    "gone",
    "invalid",
    "missing",
    "object_in",
    "page",
    "purview_refusal",
    "referenced",
]

_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_SHORTEST, _LONGEST = 3, 63


def purview_refusal(status: int, code: str, message: str) -> Refusal:
    """A refusal in the shape of the scanning and account services."""
    error = {"code": code, "message": message}
    return Refusal.of(json_reply({"error": error}, status, {"x-ms-error-code": code}))


def atlas_refusal(status: int, code: str, message: str) -> Refusal:
    """A refusal in the shape of the Data Map."""
    body = {"requestId": str(uuid.uuid4()), "errorCode": code, "errorMessage": message}
    return Refusal.of(json_reply(body, status))


def denied(_: str = "") -> Refusal:
    """The refusal of a caller without a role in an account.

    Recorded: https://learn.microsoft.com/answers/questions/5857327, https://github.com/wjohnson/pyapacheatlas/issues/236
    """
    return purview_refusal(403, "Unauthorized", "Not authorized to access account")


def closed(account: str) -> Refusal:
    """The refusal of a caller from a public network. Code and words are synthetic: none are documented."""
    return purview_refusal(
        403,
        "PublicNetworkAccessDisabled",
        f"Public network access to the account '{account}' is disabled. Use a private endpoint of the account.",
    )


# The codes below are synthetic but for their form, which is that of `Scan_CollectionOutOfBound`: no public source lists
# the scanning service's own.
def missing(kind: str, name: str) -> Refusal:
    """The refusal to read what is not there."""
    return purview_refusal(404, f"{kind}_NotFound", f"{kind} '{name}' could not be found.")


def invalid(kind: str, message: str) -> Refusal:
    """The refusal of a body or a name."""
    return purview_refusal(400, f"{kind}_Invalid", message)


def referenced(kind: str, name: str, by: str) -> Refusal:
    """The refusal to delete what something else still needs."""
    return purview_refusal(
        409, f"{kind}_StillReferenced", f"{kind} '{name}' cannot be deleted: it is still referenced by {by}."
    )


def check_name(kind: str, name: str) -> None:
    """Raises Refusal for a name that the specification of 2023-09-01 does not allow."""
    if not _NAME.fullmatch(name) or not _SHORTEST <= len(name) <= _LONGEST:
        raise invalid(
            kind,
            f"The name '{name}' is invalid: it must have {_SHORTEST} to {_LONGEST} characters and match "
            f"^{_NAME.pattern}$.",
        )


def body_of(call: Call, kind: str) -> dict[str, Any]:
    """The object that a call brings. Raises Refusal for anything else."""
    body = call.json()
    if not isinstance(body, dict):
        raise invalid(kind, "The request body is invalid: it is no object.")
    return body


def object_in(body: dict[str, Any], key: str, kind: str) -> dict[str, Any]:
    """The object below a key. Raises Refusal where there is something else, or nothing."""
    found = body.get(key)
    if not isinstance(found, dict):
        raise invalid(kind, f"The request body is invalid: '{key}' is required and must be an object.")
    return found


def flag(value: Any, allowed: Sequence[str], default: str, what: str, kind: str) -> str:
    """A value out of a few. Raises Refusal for another."""
    if value is None:
        return default
    if value not in allowed:
        raise invalid(kind, f"'{value}' is no {what}: it must be one of {', '.join(allowed)}.")
    return str(value)


def created(call: Call, body: dict[str, Any], *, new: bool) -> Reply:
    """The answer to a PUT: 201 and where it is for something new, 200 for an update."""
    if not new:
        return json_reply(body)
    return json_reply(body, 201, {"Location": f"https://{call.host}{quote(call.path)}?{_query(call)}"})


def gone() -> Reply:
    """The answer to a DELETE, also of what was not there."""
    return Reply(204)


def page(call: Call, items: Sequence[Any], size: int, *, key: str = "value", counted: bool = True) -> Reply:
    """One page of a list, with a link to the next where there is more."""
    start = offset_of(call.query.get("skiptoken", call.query.get("$skiptoken")))
    body: dict[str, Any] = {key: list(items[start : start + size])}
    if counted:
        body["count"] = len(items)
    if start + size < len(items):
        query = urlencode({"skipToken": token_for(start + size)})
        body["nextLink"] = f"https://{call.host}{quote(call.path)}?{_query(call)}&{query}"
    return json_reply(body)


def goes_on(call: Call) -> bool:
    """Whether a call asks for a further page of a list."""
    return bool(call.query.get("skiptoken", call.query.get("$skiptoken")))


def _query(call: Call) -> str:
    return urlencode({key: value for key, value in call.query.items() if key not in ("skiptoken", "$skiptoken")})
