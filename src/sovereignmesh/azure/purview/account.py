"""Purview accounts: found through Azure Resource Manager, which says where their services answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from azure.mgmt.purview import PurviewManagementClient

from sovereignmesh.azure.connection import CONNECTIONS
from sovereignmesh.azure.directory import list_subscriptions
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.azure.sdk import get_one, list_all
from sovereignmesh.errors import AnswerError, AzureError, DeniedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.sdk import Facts

__all__ = [
    "PurviewAccount",
    "account_client",
    "account_place",
    "find_purview_account",
    "list_purview_accounts",
    "look_for_accounts",
]

_ID: Final = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Purview/accounts/([^/]+)", re.IGNORECASE
)
# An example of ARM's specification 2021-12-01 has https://NAME.catalog.SUFFIX and https://NAME.scan.SUFFIX, which were
# there before https://NAME.SUFFIX/catalog and /scan, where collections and policies answer too.
_LEGACY: Final = re.compile(r"https://([^./]+)\.(catalog|scan)\.([^/]+)")
_SLOWEST: Final = 10  # capacity units, where the account does not say: what every account has
_PROVIDER: Final = "providers/Microsoft.Purview/accounts"


@dataclass(frozen=True, slots=True)
class PurviewAccount:
    """A Purview account.

    `endpoint` is where collections, policies and the Data Map answer, `scan` where the scanning service does.
    `public_network` is Enabled, Disabled or "" where it is not said; `location` is a region as Azure writes it.
    """

    id: str
    name: str
    location: str
    endpoint: str
    scan: str
    public_network: str = ""


def list_purview_accounts(azure: Azure, subscriptions: Sequence[str] | None = None) -> list[PurviewAccount]:
    """The Purview accounts in some subscriptions (ids), without them in all that the caller sees; sorted by id.

    Raises an `AzureError` where one cannot be asked: an account that is not seen is not absent.
    """
    given = subscriptions if subscriptions is not None else [each.id for each in list_subscriptions(azure)]
    bodies, denied = look_for_accounts(azure, given)
    if denied:
        raise denied[0]
    return [_account(azure, body) for body in bodies]


def find_purview_account(
    azure: Azure, account: str, subscriptions: Callable[[], Iterable[str]] | None = None
) -> PurviewAccount:
    """The account with this resource id, or the one with this name in the subscriptions that the caller sees.

    `subscriptions` gives the ids of these where they are listed already; it is called for a name alone. Raises
    NotFoundError where there is none, AzureError where there are several.
    """
    found = _ID.fullmatch(account.strip())
    if found:
        return _read(azure, *found.groups())
    given = subscriptions() if subscriptions else (each.id for each in list_subscriptions(azure))
    bodies, denied = look_for_accounts(azure, list(given))
    accounts = [_account(azure, body) for body in bodies]
    same = [each for each in accounts if each.name.lower() == account.strip().lower()]
    if len(same) == 1:
        return same[0]
    if same:
        raise AzureError(f"several Purview accounts are called {account}: give the id, one of {_ids(same)}")
    known = f"there are: {_ids(accounts)}" if accounts else "there is none in the subscriptions that you see"
    if denied:
        known += f"; {len(denied)} of your subscriptions could not be asked: {denied[0]}"
    raise NotFoundError(f"no Purview account is called {account!r}; {known}")


def look_for_accounts(azure: Azure, subscriptions: Sequence[str]) -> tuple[list[Facts], list[DeniedError]]:
    """The accounts as Azure words them, sorted by id, and the refusals of subscriptions that may not be asked.

    Names of accounts are names of hosts: whoever finds one need not ask the others.
    """

    def one(subscription: str) -> Iterator[Facts | DeniedError]:
        try:
            yield from _in_subscription(azure, subscription)
        except DeniedError as error:
            yield error

    accounts, denied = [], []
    for found in in_parallel([partial(one, each) for each in subscriptions], CONNECTIONS):
        if isinstance(found, DeniedError):
            denied.append(found)
        else:
            accounts.append(found)
    return sorted(accounts, key=lambda account: account.text("id").lower()), denied


def _ids(accounts: Sequence[PurviewAccount]) -> str:
    return ", ".join(account.id for account in accounts)


def account_place(identity: str) -> tuple[str, str, str]:
    """Subscription, resource group and name in an account's resource id. Raises AnswerError for what is none."""
    found = _ID.fullmatch(identity)
    if found is None:
        raise AnswerError(f"{identity[:200]!r} is no resource id of a Purview account")
    return found[1], found[2], found[3]


def account_client(azure: Azure, subscription: str) -> PurviewManagementClient:
    """The SDK's client of Azure Resource Manager, over the connection."""
    return PurviewManagementClient(subscription_id=subscription, **azure.client_options())


def _in_subscription(azure: Azure, subscription: str) -> Iterator[Facts]:
    operation = account_client(azure, subscription).accounts.list_by_subscription
    return list_all(azure, f"/subscriptions/{subscription}/{_PROVIDER}", operation)


def _read(azure: Azure, subscription: str, group: str, name: str) -> PurviewAccount:
    place = f"/subscriptions/{subscription}/resourceGroups/{group}/{_PROVIDER}/{name}"
    return _account(azure, get_one(azure, place, account_client(azure, subscription).accounts.get, group, name))


def _account(azure: Azure, body: Facts) -> PurviewAccount:
    properties = body.within("properties")
    name = body.text("name")
    endpoints = properties.within("endpoints")
    scan = _endpoint(azure, name, endpoints.text("scan"))
    catalog = _endpoint(azure, name, endpoints.text("catalog"))
    return PurviewAccount(
        body.text("id"),
        name,
        body.text("location"),
        catalog.removesuffix("/catalog"),
        scan,
        properties.text("publicNetworkAccess"),
    )


def _endpoint(azure: Azure, name: str, address: str) -> str:
    """The address without a slash at its end. Raises AnswerError where a token for Purview may not go there."""
    suffix = azure.cloud.purview
    try:
        url = urlsplit(address)
        fits = url.scheme == "https" and (url.hostname or "").endswith(f".{suffix}") and url.port in (None, 443)
    except ValueError:
        fits = False
    if not suffix or not fits:
        raise AnswerError(
            f"the Purview account {name} names the endpoint {address[:200]!r}, which is not below "
            f"{suffix or 'any host'}: no token is sent there; a cloud file with another `purview` may allow it"
        )
    return _LEGACY.sub(r"https://\1.\3/\2", address.rstrip("/"))
