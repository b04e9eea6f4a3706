"""Who calls: what a token says of its bearer. Nothing is verified: that is Azure's to do."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from azure.core.exceptions import AzureError as SdkError

from sovereignmesh.azure.policies import CREDENTIAL_FAILURES
from sovereignmesh.errors import SignInError

if TYPE_CHECKING:
    from sovereignmesh.azure.connection import Azure

__all__ = ["Caller", "claims_in", "find_caller"]

_PARTS = 3  # header, claims, signature
_NAMES = ("upn", "unique_name", "preferred_username", "app_displayname", "appid")


class Caller(NamedTuple):
    """The signed-in principal: its object id and its name, "" where the token does not say."""

    id: str
    name: str


def find_caller(azure: Azure, scope: str) -> Caller:
    """Whom a token for the scope is of. Nothing is sent but for the token. Raises SignInError where there is none."""
    try:
        token = azure.credential.get_token(scope).token
    except (*CREDENTIAL_FAILURES, SdkError) as error:
        raise SignInError(f"the credential failed: {type(error).__name__}: {error}") from error
    claims = claims_in(token)
    name = next((str(claims[key]) for key in _NAMES if claims.get(key)), "")
    return Caller(str(claims.get("oid") or "").lower(), name)


def claims_in(token: object) -> dict[str, Any]:
    """What the token says of its bearer; empty where it is no JWT."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != _PARTS:
        return {}
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
