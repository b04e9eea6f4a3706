"""What scans sign in with and run on: credentials, connections to key vaults, integration runtimes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, Account, reference, routes
from sovereignmesh.sandbox.purview.answers import (
    body_of,
    check_name,
    created,
    gone,
    invalid,
    missing,
    object_in,
    page,
    referenced,
)
from sovereignmesh.sandbox.purview.kinds import CREDENTIAL_KINDS
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES"]

_VAULTS: Final = "azurekeyvaults"
_CREDENTIALS: Final = "credentials"
_ADMIN: Final = frozenset({"data-source-administrator"})
_RUNTIME: Final = {
    "name": "AutoResolveIntegrationRuntime",
    "kind": "Managed",
    "properties": {"typeProperties": {"computeProperties": {"location": "AutoResolve"}}},
    "id": "integrationruntimes/AutoResolveIntegrationRuntime",
}


def _list_vaults(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return account.page(_VAULTS, call)


def _get_vault(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(account.shown(_VAULTS, names["vault"], "AzureKeyVault"))


def _put_vault(account: Account, call: Call, names: dict[str, str]) -> Reply:
    check_name("AzureKeyVault", names["vault"])
    given = object_in(body_of(call, "AzureKeyVault"), "properties", "AzureKeyVault")
    # It was recorded that the case of this name does not matter.
    url = next((value for key, value in given.items() if key.lower() == "baseurl"), None)
    if not isinstance(url, str) or not url.startswith("https://"):
        raise invalid("AzureKeyVault", "The request body is invalid: 'properties.baseUrl' must be an https address.")
    before = account.get(_VAULTS, names["vault"])
    name = before["name"] if before else names["vault"]
    scope = account.record.id.partition("/resourceGroups/")[0]
    inner = uuid.uuid5(uuid.NAMESPACE_URL, account.record.id.lower())
    kept = {
        "properties": {"baseUrl": url, "description": str(given.get("description") or "")},
        "id": (
            f"{scope}/resourceGroups/scanning-prod/providers/Microsoft.Purview/accounts/purview-{inner}"
            f"/linkedservices/{name}"
        ),
        "name": name,
    }
    account.put(_VAULTS, name, kept)
    return created(call, kept, new=before is None)


def _delete_vault(account: Account, _: Call, names: dict[str, str]) -> Reply:
    name = names["vault"].lower()
    for credential in account.all(_CREDENTIALS).values():
        if name in (vault.lower() for vault in _vaults_in(credential["properties"])):
            raise referenced("AzureKeyVault", names["vault"], f"the credential '{credential['name']}'")
    account.drop(_VAULTS, name)
    return gone()


def _list_credentials(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return account.page(_CREDENTIALS, call)


def _get_credential(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(account.shown(_CREDENTIALS, names["credential"], "Credential"))


def _put_credential(account: Account, call: Call, names: dict[str, str]) -> Reply:
    check_name("Credential", names["credential"])
    body = body_of(call, "Credential")
    given = object_in(body, "properties", "Credential")
    kind = body.get("kind")
    if kind not in CREDENTIAL_KINDS:
        raise invalid("Credential", f"'{kind}' is no kind of credential.")
    for vault in _vaults_in(given):
        if account.get(_VAULTS, vault) is None:
            raise invalid("Credential", f"The key vault connection '{vault}' does not exist.")
    before = account.get(_CREDENTIALS, names["credential"])
    name = before["name"] if before else names["credential"]
    kept = {"properties": given, "kind": kind, "id": f"credentials/{name}", "name": name}
    account.put(_CREDENTIALS, name, kept)
    return created(call, kept, new=before is None)


def _vaults_in(value: Any) -> Iterator[str]:
    """The key vault connections that a credential's secrets are in."""
    if isinstance(value, dict):
        if name := reference(value.get("store")):
            yield name
        for inner in value.values():
            yield from _vaults_in(inner)


def _delete_credential(account: Account, _: Call, names: dict[str, str]) -> Reply:
    name = names["credential"].lower()
    for shelf in account.shelves("scans"):
        for scan in account.all(shelf).values():
            if reference(scan["properties"].get("credential")).lower() == name:
                by = f"the scan '{scan['name']}' of '{scan['dataSourceName']}'"
                raise referenced("Credential", names["credential"], by)
    account.drop(_CREDENTIALS, name)
    return gone()


def _list_runtimes(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return page(call, [_RUNTIME], account.page_size)


def _get_runtime(_: Account, __: Call, names: dict[str, str]) -> Reply:
    if names["runtime"].lower() != str(_RUNTIME["name"]).lower():
        raise missing("IntegrationRuntime", names["runtime"])
    return json_reply(_RUNTIME)


_VAULT: Final = r"/azureKeyVaults/(?P<vault>[^/]+)"
_CREDENTIAL: Final = r"/credentials/(?P<credential>[^/]+)"
ROUTES: Final = routes(
    "/scan",
    ("GET", r"/azureKeyVaults", _list_vaults, ANY_ROLE),
    ("GET", _VAULT, _get_vault, ANY_ROLE),
    ("PUT", _VAULT, _put_vault, _ADMIN),
    ("DELETE", _VAULT, _delete_vault, _ADMIN),
    ("GET", r"/credentials", _list_credentials, ANY_ROLE),
    ("GET", _CREDENTIAL, _get_credential, ANY_ROLE),
    ("PUT", _CREDENTIAL, _put_credential, _ADMIN),
    ("DELETE", _CREDENTIAL, _delete_credential, _ADMIN),
    ("GET", r"/integrationruntimes", _list_runtimes, ANY_ROLE),
    ("GET", r"/integrationruntimes/(?P<runtime>[^/]+)", _get_runtime, ANY_ROLE),
)
