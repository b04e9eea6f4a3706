"""A Purview account as a resource of Azure Resource Manager: read, made, changed, and what has to be there before.

Azure's own words come out and go in. The SDK sends api-version 2021-07-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from sovereignmesh.azure.many import PROVIDERS_VERSION
from sovereignmesh.azure.purview.account import account_client, account_place
from sovereignmesh.azure.sdk import Facts, get_one, write
from sovereignmesh.errors import AnswerError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.azure.connection import Azure

__all__ = [
    "Provider",
    "create_account",
    "default_account",
    "group_tags",
    "name_refusal",
    "read_account",
    "read_provider",
    "tags_in",
    "update_account",
]

_NAMESPACE: Final = "Microsoft.Purview"
_TYPE: Final = f"{_NAMESPACE}/accounts"
# https://learn.microsoft.com/rest/api/resources/resource-groups/get
_GROUPS: Final = "2021-04-01"
_NO_SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"  # the client wants one, and this operation none


@dataclass(frozen=True, slots=True)
class Provider:
    """Whether a subscription may make accounts (Registered), and in which regions, as Azure spells these."""

    state: str
    locations: tuple[str, ...]


def read_account(azure: Azure, identity: str) -> Facts:
    """The account with this resource id. Raises NotFoundError where there is none."""
    subscription, group, name = account_place(identity)
    return get_one(azure, identity, account_client(azure, subscription).accounts.get, group, name)


def create_account(azure: Azure, identity: str, body: Mapping[str, Any]) -> None:
    """Begins to make an account; one that is there is replaced."""
    subscription, group, name = account_place(identity)
    operation = account_client(azure, subscription).accounts.begin_create_or_update
    write(azure, identity, operation, group, name, orjson.dumps(body))


def update_account(azure: Azure, identity: str, body: Mapping[str, Any]) -> None:
    """Begins to change tags, identity or properties of an account."""
    subscription, group, name = account_place(identity)
    write(azure, identity, account_client(azure, subscription).accounts.begin_update, group, name, orjson.dumps(body))


def name_refusal(azure: Azure, subscription: str, name: str) -> str:
    """Why no account can have this name, "" where one can: names are names of hosts, and there is one of each."""
    place = f"/subscriptions/{subscription}/providers/{_NAMESPACE}/checkNameAvailability"
    operation = account_client(azure, subscription).accounts.check_name_availability
    answer = get_one(azure, place, operation, orjson.dumps({"name": name, "type": _TYPE}))
    free = answer.flag("nameAvailable")
    if free is None:
        raise AnswerError(f"{place}: an answer without `nameAvailable`")
    return "" if free else answer.text("message") or answer.text("reason") or "it is not available"


def default_account(azure: Azure, tenant: str) -> str:
    """The resource id of the account that is the tenant's default, "" where none is.

    That there is none is no answer of any example: 404, or an answer that names no account, counts as that.
    """
    place = f"/providers/{_NAMESPACE}/getDefaultAccount"
    operation = account_client(azure, _NO_SUBSCRIPTION).default_accounts.get
    try:
        found = get_one(azure, place, operation, tenant, "Tenant")
    except NotFoundError:
        return ""
    subscription, group, name = (found.text(key) for key in ("subscriptionId", "resourceGroupName", "accountName"))
    if not name:
        return ""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{_TYPE}/{name}"


def read_provider(azure: Azure, subscription: str) -> Provider:
    """What the subscription may make. Raises AnswerError where it is not told in which regions."""
    place = f"/subscriptions/{subscription}/providers/{_NAMESPACE}"
    answer = _object(azure, place, PROVIDERS_VERSION)
    for kind in answer.each("resourceTypes"):
        if kind.text("resourceType").lower() == "accounts":
            return Provider(answer.text("registrationState"), kind.texts("locations"))
    raise AnswerError(f"{place}: an answer that does not tell where accounts can be")


def group_tags(azure: Azure, subscription: str, group: str) -> dict[str, str]:
    """The tags of a resource group. Raises NotFoundError where there is none."""
    return tags_in(_object(azure, f"/subscriptions/{subscription}/resourceGroups/{group}", _GROUPS))


def tags_in(facts: Facts) -> dict[str, str]:
    """The tags of a resource. Raises AnswerError for what are none."""
    tags = facts.body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise AnswerError(f"{facts.place}: `tags` should be an object of texts, and is {tags!r:.100}")
    return tags


def _object(azure: Azure, place: str, version: str) -> Facts:
    body = azure.get(place, version)
    if not isinstance(body, dict):
        raise AnswerError(f"{place}: the answer should be an object, and is {body!r:.100}")
    return Facts(body, place)
