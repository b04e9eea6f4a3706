"""How Resource Graph words its errors, and ARM the refusal of a token."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

from sovereignmesh.sandbox.wire import Refusal, Reply, arm_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.sandbox.estate import Estate

__all__ = ["details_error", "refused", "too_large", "unauthorised"]


def details_error(status: int, code: str, *details: Mapping[str, Any]) -> Reply:
    """An error as Resource Graph words it: what it is about stands in the details."""
    when = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    message = f"Please provide below info when asking for support: timestamp = {when}, correlationId = {uuid.uuid4()}."
    reply = arm_error(status, code, message, details=details)
    del reply.headers["x-ms-failure-cause"]
    return reply


def too_large(size: int, limit: int) -> Refusal:
    """The refusal of an answer that would be too large."""
    message = (
        f"Response payload size is {size}, and has exceeded the limit of {limit}. Please consider querying less "
        "data at a time and make paginated call if needed."
    )
    return refused({"code": "ResponsePayloadTooLarge", "message": message})


def refused(*details: Mapping[str, Any], status: int = 400, code: str = "BadRequest") -> Refusal:
    """The refusal of a query, for the reasons in the details."""
    return Refusal.of(details_error(status, code, *details))


def unauthorised(estate: Estate, code: str, why: str) -> Refusal:
    """The refusal of a call that carries no good token."""
    message = why if "Token" in code else f"Authentication failed. {why}"
    challenge = (
        f'Bearer authorization_uri="https://login.microsoftonline.com/{estate.tenant_id}", error="invalid_token", '
        f'error_description="{why}"'
    )
    return Refusal(401, code, message, headers={"WWW-Authenticate": challenge})
