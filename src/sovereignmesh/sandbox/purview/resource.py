"""Accounts of Purview in Azure Resource Manager: what their resource provider does that no other does.

An account takes a while: it is Creating until it was read twice, and so it is after a change. The names in answers are
recorded (the Azure CLI's tests of 2023, api-version 2021-07-01); codes and words without a source are synthetic.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.wire import HOST, PURVIEW, Refusal, Reply, json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.access import Access
    from sovereignmesh.sandbox.estate import Estate
    from sovereignmesh.sandbox.store import Record, Store
    from sovereignmesh.sandbox.wire import Call

__all__ = ["NAMESPACE", "Accounts", "account_types"]

NAMESPACE: Final = "Microsoft.Purview"
_TYPE: Final = f"{NAMESPACE}/accounts"
_PART: Final = f"/providers/{NAMESPACE}/".lower()
_DEFAULTS: Final = "/default-accounts"  # a shelf of no account: each has a name
_READS: Final = 2  # of an account that see it unfinished
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_SHORTEST, _LONGEST = 3, 63
_BUSY: Final = ("Creating", "Moving", "Deleting", "SoftDeleting")
_ACCESS: Final = ("NotSpecified", "Enabled", "Disabled")
_IDENTITIES: Final = ("None", "SystemAssigned", "UserAssigned")
# No page lists where accounts can be; these are the regions that the page on connectors names:
# https://learn.microsoft.com/purview/microsoft-purview-connector-overview
_REGIONS: Final = (
    "Australia East", "Australia Southeast", "Brazil South", "Canada Central", "Canada East", "Central India",
    "East Asia", "East US", "East US 2", "France Central", "Germany West Central", "Japan East", "Korea Central",
    "North Central US", "North Europe", "South Africa North", "South Central US", "Southeast Asia", "UAE North",
    "UK South", "West Central US", "West Europe", "West US", "West US 2",
)  # fmt: skip


def account_types(namespace: str) -> list[dict[str, Any]]:
    """What a provider tells of accounts: the type, and where it can be; nothing of another provider."""
    mine = namespace.lower() == NAMESPACE.lower()
    return [{"resourceType": "accounts", "locations": list(_REGIONS)}] if mine else []


class Accounts:
    """The resource provider of accounts."""

    def __init__(self, estate: Estate, store: Store, access: Access) -> None:
        self._estate, self._store, self._access = estate, store, access
        self._reads: dict[str, int] = {}  # of an account that is unfinished, by its id in lower case
        self._own = next((name for name, given in estate.purview.items() if given.of_tenant), "")
        if self._own in store.accounts:
            store.objects.give(_DEFAULTS, estate.tenant_id, self._default(store.accounts[self._own].id))

    def answer(self, call: Call) -> Reply | None:
        """The answer to what is asked of the provider besides accounts; None for anything else."""
        if _PART not in call.path.lower():
            return None
        for method, pattern, name in _ROUTES:
            found = pattern.fullmatch(call.path)
            if found and method == call.method:
                reply: Reply = getattr(self, f"_{name}")(call, *found.groups())
                return reply
        return None

    def read(self, record: Record) -> Reply:
        """The answer to a GET of an account, which lets its provisioning go on."""
        state = (record.body.get("properties") or {}).get("provisioningState", "Succeeded")
        body = self._later(record)
        return json_reply(body, headers={"x-ms-account-status": state})

    def write(self, call: Call, body: dict[str, Any], before: Record | None) -> Reply:
        """The answer to a PUT, or to a PATCH of an account that is there. Raises Refusal for what is refused."""
        name = call.path.rpartition("/")[2]
        self._check(call, body, name, before)
        if call.method == "PATCH":
            assert before is not None, "what is not there is not changed"
            return self._changed(call, body, before)
        location = str(body.get("location") or "").replace(" ", "").lower()
        made = self._made(call.path, body, location) if before is None else dict(before.body)
        made |= {"location": location, "tags": body.get("tags") or {}, "identity": self._identity(call.path, body, {})}
        made["properties"] = self._begun(made["properties"], body)
        record = self._put(call, made)
        headers = {"Location": f"https://{HOST}{call.path}?api-version={call.query['api-version']}"}
        told = {"x-ms-account-status": "Creating"}
        return json_reply(record.body, 200 if before else 201, told if before else headers | told)

    def _changed(self, call: Call, body: dict[str, Any], before: Record) -> Reply:
        """That tags are replaced, and identities and properties are merged, is synthetic."""
        made = dict(before.body)
        if "tags" in body:
            made["tags"] = body["tags"] or {}
        if "identity" in body:
            made["identity"] = self._identity(call.path, body, made.get("identity") or {})
        made["properties"] = self._begun(made.get("properties") or {}, body)
        record = self._put(call, made)
        return json_reply(record.body, 202, _operation(call))

    def _put(self, call: Call, body: dict[str, Any]) -> Record:
        record, _ = self._store.put(call.path, body, call.query["api-version"])
        self._reads[record.id.lower()] = 0
        return record

    def _check(self, call: Call, body: dict[str, Any], name: str, before: Record | None) -> None:
        if not all(isinstance(body.get(part) or {}, dict) for part in ("properties", "identity", "tags")):
            raise _invalid("The request content is invalid: properties, identity and tags are objects.")
        if not _NAME.fullmatch(name) or not _SHORTEST <= len(name) <= _LONGEST:
            raise _invalid(f"The account name '{name}' is invalid.")
        properties, identity = body.get("properties") or {}, body.get("identity")
        if properties.get("publicNetworkAccess", "Enabled") not in _ACCESS:
            raise _invalid(f"'{properties['publicNetworkAccess']}' is no publicNetworkAccess.")
        if identity is not None and identity.get("type") not in _IDENTITIES:
            raise _invalid(f"'{identity.get('type')}' is no type of identity.")
        if identity is None and call.method == "PUT":  # https://github.com/Azure/azure-rest-api-specs/issues/23289
            raise _invalid("The identity of the account is required.")
        if before is None:
            self._check_new(body, name, call.path)
        else:
            self._check_kept(body, properties, before)

    def _check_new(self, body: dict[str, Any], name: str, path: str) -> None:
        location = body.get("location")
        if not location:
            raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
        if not self._store.uses("/".join(path.split("/")[:3]), NAMESPACE):
            # Its words: https://github.com/microsoft/microsoft-foundry-for-vscode/issues/270
            why = f"The subscription is not registered to use namespace '{NAMESPACE}'. See "
            raise Refusal(
                409, "MissingSubscriptionRegistration",
                f"{why}https://aka.ms/rps-not-found for how to register subscriptions.",
            )  # fmt: skip
        if str(location).replace(" ", "").lower() not in {place.replace(" ", "").lower() for place in _REGIONS}:
            raise Refusal(
                400, "LocationNotAvailableForResourceType",
                f"The provided location '{location}' is not available for resource type '{_TYPE}'. List of available "
                f"regions for the resource type is '{','.join(_REGIONS)}'.",
            )  # fmt: skip
        if name.lower() in self._store.accounts:
            raise Refusal(409, "AccountNameNotAvailable", f"The account name '{name}' is already in use.")
        if self._own in self._store.accounts:
            # Its words: https://github.com/Azure/azure-rest-api-specs/issues/34027; status and code: a public log.
            why = f"Validation failed for {name}. An Enterprise Tenant-level Purview Account already exists for tenant"
            raise Refusal(409, "35001", f"{why} with ID: {self._estate.tenant_id}.")

    @staticmethod
    def _check_kept(body: dict[str, Any], properties: dict[str, Any], before: Record) -> None:
        old = before.body.get("properties") or {}
        location = str(body.get("location") or before.body["location"]).replace(" ", "").lower()
        if location != str(before.body["location"]).lower():
            name, group = before.body["name"], before.id.split("/")[4]
            raise Refusal(
                409, "InvalidResourceLocation",
                f"The resource '{name}' already exists in location '{before.body['location']}' in resource group "
                f"'{group}'. A resource with the same name cannot be created in location '{location}'. Please select a "
                "new resource name.",
            )  # fmt: skip
        managed = "managedResourceGroupName"
        if properties.get(managed, old.get(managed)) != old.get(managed):
            raise _invalid("The managed resource group of an account cannot be changed.")
        if old.get("provisioningState") in _BUSY:
            raise Refusal(409, "AccountBusy", f"The account '{before.body['name']}' is {old['provisioningState']}.")

    def _made(self, path: str, body: dict[str, Any], location: str) -> dict[str, Any]:
        """What a new account has that nobody has sent."""
        name, who, now = path.rpartition("/")[2], self._estate.principal, _now()
        host = f"https://{name.lower()}{PURVIEW}"
        managed = (body.get("properties") or {}).get("managedResourceGroupName")
        return {
            "sku": {"name": "Standard", "capacity": 1},
            "location": location,
            "properties": {
                "cloudConnectors": {"awsExternalId": _guid(path, "aws")},
                "friendlyName": name,
                "createdBy": who["name"],
                "createdByObjectId": who["id"],
                "createdAt": now,
                "endpoints": {part: f"{host}/{part}" for part in ("catalog", "scan", "guardian")},
                "privateEndpointConnections": [],
                "publicNetworkAccess": "Enabled",
                "managedResourceGroupName": managed or f"managed-rg-{_guid(path, 'group')[:7]}",
            },
            "systemData": {
                f"{when}{what}": value
                for when in ("created", "lastModified")
                for what, value in (("By", who["name"]), ("ByType", "User"), ("At", now))
            },
        }

    def _begun(self, old: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        given = (body.get("properties") or {}).get("publicNetworkAccess")
        access = {"publicNetworkAccess": given} if given in ("Enabled", "Disabled") else {}
        return {**old, **access, "provisioningState": "Creating"}  # so it is recorded for an update too

    def _identity(self, path: str, body: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        given = body.get("identity")
        if given is None:
            return old
        made = {"type": given["type"]}
        if given["type"] == "SystemAssigned":
            made |= {"principalId": _guid(path, "principal"), "tenantId": self._estate.tenant_id}
        named = {**(old.get("userAssignedIdentities") or {}), **(given.get("userAssignedIdentities") or {})}
        each = {
            one: {"principalId": _guid(one.lower(), "principal"), "clientId": _guid(one.lower(), "client")}
            for one in named
        }
        return made | ({"userAssignedIdentities": each} if given["type"] == "UserAssigned" else {})

    def _later(self, record: Record) -> dict[str, Any]:
        """The body of an account after one more look at it."""
        properties = record.body.get("properties") or {}
        if properties.get("provisioningState") not in _BUSY:
            return record.body
        key = record.id.lower()
        self._reads[key] = self._reads.get(key, 0) + 1
        done = self._reads[key] > _READS
        changed = {**properties, **_managed(key, properties, done=done)}
        if done:
            changed["provisioningState"] = "Succeeded"
        if changed == properties:
            return record.body
        return self._store.put(record.id, {**record.body, "properties": changed}, record.api_version)[0].body

    def _result(self, call: Call, scope: str) -> Reply:
        """How far a change is: nothing until it is done, then the account."""
        self._access.demand(f"{_TYPE}/operationResults/read", scope)
        record = self._store.get(scope)
        if record is None:
            raise Refusal(404, "OperationNotFound", "The operation could not be found.")
        body = self._later(record)
        if body["properties"].get("provisioningState") in _BUSY:
            return Reply(
                202, headers={"Location": f"https://{HOST}{call.path}?api-version={call.query['api-version']}"}
            )
        return json_reply(body)

    def _available(self, call: Call, scope: str) -> Reply:
        self._access.demand(f"{NAMESPACE}/checknameavailability/read", scope)
        asked = call.json()
        name = str(asked.get("name")) if isinstance(asked, dict) else ""
        if not _NAME.fullmatch(name) or not _SHORTEST <= len(name) <= _LONGEST:
            return json_reply({"nameAvailable": False, "reason": "Invalid", "message": f"'{name}' is not valid."})
        if name.lower() in self._store.accounts:
            why = f"The account name '{name}' is already in use."
            return json_reply({"nameAvailable": False, "reason": "AlreadyExists", "message": why})
        return json_reply({"nameAvailable": True})

    def _show_default(self, call: Call) -> Reply:
        """That everybody in the tenant may ask, and that 404 says there is none, is synthetic."""
        found = self._store.objects.get(_DEFAULTS, _asked_of(call.query.get("scopetenantid"), self._estate))
        if found is None or found["accountName"].lower() not in self._store.accounts:
            raise Refusal(404, "DefaultAccountNotFound", "No default account is set for the scope.")
        return json_reply(found)

    def _set_default(self, call: Call) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise _invalid("The request content is invalid: it is no object.")
        tenant = _asked_of(body.get("scopeTenantId"), self._estate)
        group = f"/subscriptions/{body.get('subscriptionId')}/resourceGroups/{body.get('resourceGroupName')}"
        path = f"{group}/providers/{_TYPE}/{body.get('accountName')}"
        self._access.demand(f"{NAMESPACE}/setDefaultAccount/action", path)
        if self._store.get(path) is None:
            raise Refusal(404, "AccountNotFound", f"The account '{body.get('accountName')}' could not be found.")
        made = self._default(path)
        self._store.objects.put(_DEFAULTS, tenant, made)
        self._store.save_objects()
        return json_reply(made)

    def _remove_default(self, call: Call) -> Reply:
        tenant = _asked_of(call.query.get("scopetenantid"), self._estate)
        found = self._store.objects.get(_DEFAULTS, tenant)
        if found is None:
            return Reply(204)
        scope = f"/subscriptions/{found['subscriptionId']}/resourceGroups/{found['resourceGroupName']}"
        self._access.demand(f"{NAMESPACE}/removeDefaultAccount/action", scope)
        self._store.objects.drop(_DEFAULTS, tenant)
        self._store.save_objects()
        return Reply(200)

    def _default(self, path: str) -> dict[str, Any]:
        parts, tenant = path.split("/"), self._estate.tenant_id
        return {
            "scopeTenantId": tenant,
            "scopeType": "Tenant",
            "scope": tenant,
            "accountName": parts[-1],
            "resourceGroupName": parts[4],
            "subscriptionId": parts[2],
        }


_SCOPE: Final = "/subscriptions/[^/]+"
_ACCOUNT: Final = f"{_SCOPE}/resourcegroups/[^/]+/providers/microsoft\\.purview/accounts/[^/]+"
_PROVIDER: Final = "/providers/microsoft\\.purview"
_ROUTES: Final = tuple(
    (method, re.compile(pattern, re.IGNORECASE), name)
    for method, pattern, name in (
        ("POST", f"({_SCOPE}){_PROVIDER}/checknameavailability", "available"),
        ("GET", f"({_ACCOUNT})/operationresults/[^/]+", "result"),
        ("GET", f"{_PROVIDER}/getdefaultaccount", "show_default"),
        ("POST", f"{_PROVIDER}/setdefaultaccount", "set_default"),
        ("POST", f"{_PROVIDER}/removedefaultaccount", "remove_default"),
    )
)


def _managed(key: str, properties: dict[str, Any], *, done: bool) -> dict[str, Any]:
    """The resources that an account makes for itself, of one that has a group for them; recorded as they appear."""
    named = properties.get("managedResourceGroupName")
    if not named or (done and "storageAccount" in (properties.get("managedResources") or {})):
        return {}
    group = f"/subscriptions/{key.split('/')[2]}/resourceGroups/{named}"
    if not done:
        return {"managedResources": {"resourceGroup": group}} if "managedResources" not in properties else {}
    storage = f"{group}/providers/Microsoft.Storage/storageAccounts/scan{_guid(key, 'managed')[:7]}"
    hub = f"{group}/providers/Microsoft.EventHub/namespaces/Atlas-{_guid(key, 'hub')}"
    return {"managedResources": {"resourceGroup": group, "storageAccount": storage, "eventHubNamespace": hub}}


def _operation(call: Call) -> dict[str, str]:
    version = call.query["api-version"]
    return {"Location": f"https://{HOST}{call.path}/operationResults/{uuid.uuid4()}?api-version={version}"}


def _asked_of(tenant: Any, estate: Estate) -> str:
    if tenant != estate.tenant_id:
        raise _invalid(f"The tenant '{tenant}' is not the caller's.")
    return estate.tenant_id


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidRequest", message)


def _guid(path: str, what: str) -> str:
    """An id that is always the same for the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{path.lower()}#{what}"))


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
