"""The account itself and the tree of its collections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, COLLECTIONS, Account, reference, routes
from sovereignmesh.sandbox.purview.answers import body_of, gone, invalid, missing, page, purview_refusal
from sovereignmesh.sandbox.purview.assets import ENTITIES
from sovereignmesh.sandbox.purview.policies import adopt_policy, drop_policy, give_policies, put_policy
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES", "give_root"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_LONGEST: Final = 36  # characters of a name, which the portal makes of 6
_SECONDS, _READS = 1.0, 2  # until a collection is there, whichever comes first
_ADMIN: Final = frozenset({"collection-administrator"})
# What an account's body has in Azure Resource Manager and not here.
_ARM_ONLY: Final = (
    "accountStatus", "managedEventHubState", "managedResourcesPublicNetworkAccess", "tenantEndpointState", "mergeInfo",
)  # fmt: skip


def give_root(account: Account) -> None:
    """Makes an account's root collection and its policy, which nobody writes."""
    made = account.record.body.get("properties", {})
    who, when = made.get("createdByObjectId", account.principal), made.get("createdAt", account.now)
    root = {
        "name": account.name,
        "friendlyName": account.record.id.rpartition("/")[2],
        "description": "The root collection.",
        "systemData": _system_data(who, "User", when),
    }
    account.objects.give(f"{account.name}/{COLLECTIONS}", account.name, root)
    give_policies(account)


def _get_account(account: Account, _: Call, __: dict[str, str]) -> Reply:
    body = account.record.body
    properties: dict[str, Any] = body.get("properties", {})
    who, when = properties.get("createdBy", account.principal), properties.get("createdAt", account.now)
    shown: Body = {
        **{key: body[key] for key in ("sku", "id", "name", "type", "location", "identity", "tags") if key in body},
        "properties": {key: value for key, value in properties.items() if key not in _ARM_ONLY},
        "systemData": _system_data(who, "User", when),
    }
    return json_reply(shown, headers={"x-ms-account-status": str(properties.get("provisioningState", "Succeeded"))})


def _list(account: Account, call: Call, _: dict[str, str]) -> Reply:
    every = [_seen(account, body) for body in account.listed(COLLECTIONS, call)]
    return page(call, every, account.page_size)


def _get(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(_seen(account, account.shown(COLLECTIONS, names["collection"], "Collection")))


def _put(account: Account, call: Call, names: dict[str, str]) -> Reply:
    name = names["collection"].lower()
    body = body_of(call, "Collection")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise invalid("Collection", f"The collection name '{name}' is invalid.")
    before = account.get(COLLECTIONS, name)
    parent = None if name == account.name else _parent_in(account, name, body)
    kept: Body = {"name": name, "friendlyName": str(body.get("friendlyName") or names["collection"])}
    if body.get("description") is not None:
        kept["description"] = str(body["description"])
    if parent is not None:
        kept["parentCollection"] = {"type": "CollectionReference", "referenceName": parent}
    made = before["systemData"] if before else _system_data(account.principal, "Application", account.now)
    changed = _system_data(account.principal, "Application", account.now)
    kept["systemData"] = {**changed, **{key: made[key] for key in ("createdBy", "createdByType", "createdAt")}}
    account.put(COLLECTIONS, name, kept)
    if before is None:
        put_policy(account, name, str(parent))
    elif parent is not None and parent != _parent(before):
        adopt_policy(account, name, _parent(before), parent)
    if before is None or parent != _parent(before):
        account.pending[f"{account.name}/{name}"] = [account.clock(), 0]
    return json_reply({**kept, "collectionProvisioningState": _state(account, name)})


def _parent_in(account: Account, name: str, body: Body) -> str:
    """The parent that a body names. Raises Refusal where it is not there, or is below the collection."""
    parent = reference(body.get("parentCollection")).lower()
    if not parent:
        raise invalid("Collection", "The request body is invalid: 'parentCollection.referenceName' is required.")
    if account.get(COLLECTIONS, parent) is None:
        # The code is synthetic.
        raise purview_refusal(404, "ParentCollection_NotFound", f"The parent collection '{parent}' does not exist.")
    if name in account.above(parent):
        # The code is synthetic.
        raise purview_refusal(
            400, "Collection_Cycle", f"The collection '{name}' cannot be moved below '{parent}': it is above it."
        )
    return parent


def _delete(account: Account, _: Call, names: dict[str, str]) -> Reply:
    name = names["collection"].lower()
    if name == account.name:
        raise purview_refusal(409, "1006", f"The collection '{name}' is a system collection and cannot be deleted.")
    if account.get(COLLECTIONS, name) is None:
        raise missing("Collection", name)
    if by := _who_refers(account, name):
        raise purview_refusal(
            409, "12005", f"The collection '{name}' cannot be deleted because it is still referenced by {by}."
        )
    account.drop(COLLECTIONS, name)
    account.pending.pop(f"{account.name}/{name}", None)
    drop_policy(account, name)
    return gone()


def _who_refers(account: Account, name: str) -> str:
    for child in account.all(COLLECTIONS).values():
        if _parent(child) == name:
            return f"the child collection '{child['name']}'"
    for source in account.all("datasources").values():
        if source["properties"]["collection"]["referenceName"] == name:
            return f"the data source '{source['name']}'"
    if asset := next((body for body in account.all(ENTITIES).values() if body["collectionId"] == name), None):
        return f"the asset '{asset['attributes']['qualifiedName']}'"
    for shelf in account.shelves("scans"):
        for scan in account.all(shelf).values():
            if scan["properties"]["collection"]["referenceName"] == name:
                return f"the scan '{scan['name']}' of data source '{scan['dataSourceName']}'"
    return ""


def _children(account: Account, call: Call, names: dict[str, str]) -> Reply:
    name = names["collection"].lower()
    account.shown(COLLECTIONS, name, "Collection")
    found = [
        {"name": body["name"], "friendlyName": body["friendlyName"]}
        for body in account.listed(COLLECTIONS, call)
        if _parent(body) == name
    ]
    return page(call, found, account.page_size)


def _path(account: Account, _: Call, names: dict[str, str]) -> Reply:
    found = account.shown(COLLECTIONS, names["collection"], "Collection")
    above = [] if (parent := _parent(found)) is None else list(account.above(parent))[::-1]
    friendly = [str((account.get(COLLECTIONS, name) or {}).get("friendlyName")) for name in above]
    return json_reply({"parentNameChain": above, "parentFriendlyNameChain": friendly})


def _parent(body: Body) -> str | None:
    found: str | None = body.get("parentCollection", {}).get("referenceName")
    return found


def _seen(account: Account, body: Body) -> Body:
    """A collection's body in an answer; reading it is what its making waits for."""
    key = f"{account.name}/{body['name']}"
    if key in account.pending:
        account.pending[key][1] += 1
    return {**body, "collectionProvisioningState": _state(account, body["name"])}


def _state(account: Account, name: str) -> str:
    """Creating until a second has passed or it was read twice, as it was recorded."""
    key = f"{account.name}/{name}"
    if key not in account.pending:
        return "Succeeded"
    written, reads = account.pending[key]
    if reads and (reads >= _READS or account.clock() - written >= _SECONDS):
        del account.pending[key]
        return "Succeeded"
    return "Creating"


def _system_data(who: str, kind: str, when: str) -> dict[str, Any]:
    return {
        "createdBy": who, "createdByType": kind, "createdAt": when,
        "lastModifiedBy": who, "lastModifiedByType": kind, "lastModifiedAt": when,
    }  # fmt: skip


_ONE: Final = r"/collections/(?P<collection>[^/]+)"
ROUTES: Final = routes(
    "",
    ("GET", r"/", _get_account, ANY_ROLE),
    ("GET", r"/collections", _list, ANY_ROLE),
    ("GET", _ONE, _get, ANY_ROLE),
    ("PUT", _ONE, _put, _ADMIN),
    ("DELETE", _ONE, _delete, _ADMIN),
    ("GET", rf"{_ONE}/getChildCollectionNames", _children, ANY_ROLE),
    ("GET", rf"{_ONE}/getCollectionPath", _path, ANY_ROLE),
)
