"""Azure Resource Manager: subscriptions, resource groups, resources, permissions and regions."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.children import given_by, is_no_record, lists_by_location, parent_of, with_plain_locations
from sovereignmesh.sandbox.purview.resource import Accounts, account_types
from sovereignmesh.sandbox.store import ACCOUNT, GROUP, SUBSCRIPTION, Record, Store, type_in
from sovereignmesh.sandbox.wire import Call, Refusal, Reply, json_reply, page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.sandbox.access import Access
    from sovereignmesh.sandbox.estate import Estate

__all__ = ["Arm", "read_action"]

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WRITES: Final = {"PUT", "PATCH"}
_ACTIONS: Final = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_ACTION_TYPES: Final = {
    SUBSCRIPTION: "Microsoft.Resources/subscriptions",
    GROUP: "Microsoft.Resources/subscriptions/resourceGroups",
}


def read_action(kind: str) -> str:
    """The action that reading a resource of that type is."""
    return f"{_ACTION_TYPES.get(kind, kind)}/read"


class Arm:
    """Answers what is below `/subscriptions` and `/tenants`."""

    def __init__(self, estate: Estate, store: Store, access: Access, page_size: int) -> None:
        self._estate, self._store, self._access, self._page_size = estate, store, access, page_size
        self._accounts = Accounts(estate, store, access)

    def answer(self, call: Call) -> Reply:
        """The answer to a call. Raises Refusal for one that ARM would refuse."""
        if (plain := with_plain_locations(call.path)) != call.path:
            call = replace(call, path=plain)
        path = call.path.lower()
        if path.startswith("/subscriptions/"):
            self._check_subscription(call.path.split("/")[2])
        if (reply := self._accounts.answer(call)) is not None:
            return reply
        name, end = _route(path)
        if not name:
            raise Refusal(404, "InvalidResourceType", f"The resource type could not be found: '{call.path}'.")
        if name != "resource" and call.method != "GET":
            raise _no_method(call, "GET")
        return _ANSWERS[name](self, call, call.path[:end])

    def _subscriptions(self, call: Call, _: str) -> Reply:
        every = [
            record.body
            for record in self._store.below("/subscriptions")
            if record.type == SUBSCRIPTION and self._access.sees_subscription(record.body["subscriptionId"])
        ]
        body = page_of(call, every, self._page_size)
        return json_reply({**body, "count": {"type": "Total", "value": len(every)}})

    def _tenants(self, call: Call, _: str) -> Reply:
        tenant = self._estate.tenant
        found = {
            "id": f"/tenants/{tenant['id']}",
            "tenantId": tenant["id"],
            "displayName": tenant["displayName"],
            "defaultDomain": tenant["defaultDomain"],
            "domains": [tenant["defaultDomain"]],
            "tenantCategory": "Home",
            "tenantType": "AAD",
        }
        return json_reply(page_of(call, [found], self._page_size))

    def _check_subscription(self, identity: str) -> None:
        if not _GUID.fullmatch(identity):
            raise Refusal(
                400,
                "InvalidSubscriptionId",
                f"The provided subscription identifier '{identity}' is malformed or invalid.",
            )
        if self._store.get(f"/subscriptions/{identity}") is None:
            raise Refusal(404, "SubscriptionNotFound", f"The subscription '{identity}' could not be found.")
        if not self._access.sees_subscription(identity):
            self._access.demand("Microsoft.Resources/subscriptions/read", f"/subscriptions/{identity}")

    def _permissions(self, call: Call, scope: str) -> Reply:
        self._access.demand("Microsoft.Authorization/permissions/read", scope)
        every = [
            {
                "actions": list(role.actions),
                "notActions": list(role.not_actions),
                "dataActions": [],
                "notDataActions": [],
            }
            for role in self._access.roles(scope)
        ]
        return json_reply(page_of(call, every, self._page_size))

    def _subscription(self, _: Call, scope: str) -> Reply:
        return json_reply(self._found(scope).body)

    def _locations(self, _: Call, scope: str) -> Reply:
        return json_reply({"value": [_location(region, f"{scope}/locations/") for region in _regions()]})

    def _provider(self, call: Call, scope: str) -> Reply:
        """What a resource provider is in a subscription; using one has registered it."""
        self._access.demand("Microsoft.Resources/subscriptions/providers/read", scope)
        namespace = call.path.rpartition("/")[2]
        used = self._store.uses(scope, namespace)
        places = [region["displayName"] for region in _regions() if region["regionType"] == "Physical"]
        return json_reply(
            {
                "id": call.path,
                "namespace": namespace,
                "registrationPolicy": "RegistrationRequired",
                "registrationState": "Registered" if used else "NotRegistered",
                "resourceTypes": [
                    *({"resourceType": kind, "locations": places} for kind in lists_by_location(namespace)),
                    *account_types(namespace),
                ],
            }
        )

    def _groups(self, call: Call, scope: str) -> Reply:
        return self._list(call, scope, lambda kind: kind == GROUP)

    def _resources(self, call: Call, scope: str) -> Reply:
        self._check_group(scope)
        return self._list(call, scope, lambda kind: kind not in (GROUP, SUBSCRIPTION))

    def _list(self, call: Call, scope: str, fits: Callable[[str], bool]) -> Reply:
        """What is below a scope, fits, and the caller may read."""
        wanted = _filter(call.query.get("$filter"))
        every = [
            record.body
            for record in self._store.below(scope)
            if fits(kind := record.type.lower())
            and wanted in ("", kind)
            and self._store.lists(record)
            and self._access.may(read_action(kind), record.id)
        ]
        return json_reply(page_of(call, every, self._page_size))

    def _of_type(self, call: Call, _: str) -> Reply:
        kind = type_in(call.path)
        parent = parent_of(call.path)
        self._check_group(parent.partition("/providers/")[0])
        self._access.demand(f"{kind}/read", parent)
        self._check_parent(parent)
        every = [record.body for record in self._store.chosen(parent, given_by(call.path))]
        return json_reply(page_of(call, every, self._page_size))

    def _resource(self, call: Call, _: str) -> Reply:
        if call.method not in _ACTIONS:
            raise _no_method(call, *_ACTIONS)
        kind = type_in(call.path)
        if kind != GROUP:
            self._check_group(call.path.partition("/providers/")[0])
        self._access.demand(f"{_ACTION_TYPES.get(kind, kind)}/{_ACTIONS[call.method]}", call.path)
        if call.method == "HEAD":
            return Reply(204 if self._store.get(call.path) else 404)
        if call.method == "DELETE":
            return Reply(200 if self._store.delete(call.path) else 204)
        if call.method in _WRITES:
            return self._write(call)
        record = self._found(call.path)
        return self._accounts.read(record) if kind.lower() == ACCOUNT else json_reply(record.body)

    def _write(self, call: Call) -> Reply:
        body = call.json()
        if not isinstance(body, dict):
            raise Refusal(400, "InvalidRequestContent", "The request content was invalid: it is no object.")
        before = self._store.get(call.path)
        if type_in(call.path).count("/") > 1 and type_in(call.path) != GROUP:
            self._check_parent(call.path.rsplit("/", 2)[0])
        if type_in(call.path).lower() == ACCOUNT:
            return self._accounts.write(call, body, self._found(call.path) if call.method == "PATCH" else before)
        if call.method == "PATCH":
            body = _merged(self._found(call.path).body, body)
        elif type_in(call.path) == GROUP:
            _check_location(call.path, body, before)
            body["properties"] = {"provisioningState": "Succeeded"}
        record, new = self._store.put(call.path, body, call.query["api-version"])
        return json_reply(record.body, 201 if new else 200)

    def _check_parent(self, path: str) -> None:
        """Raises Refusal where there is no such resource, nor anything that it is a part of without being one."""
        while is_no_record(path):
            path = parent_of(path.rpartition("/")[0])
        if "/providers/" in path:
            self._found(path)

    def _check_group(self, scope: str) -> None:
        if "/resourcegroups/" in scope.lower() and self._store.get(scope) is None:
            name = scope.rpartition("/")[2]
            raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")

    def _found(self, path: str) -> Record:
        record = self._store.get(path)
        if record is not None:
            return record
        scope, _, named = path.partition("/providers/")
        group = scope.rpartition("/")[2]
        if not named:
            raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        if "/resourcegroups/" in scope.lower():
            named = self._missing(scope, named)
            what = f"The Resource '{named}' under resource group '{group}' was not found."
        else:
            what = f"The resource '{named.rpartition('/')[2]}' was not found."
        raise Refusal(
            404, "ResourceNotFound", f"{what} For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        )

    def _missing(self, scope: str, named: str) -> str:
        """The first of a resource and those above it that is not there: it is the one that ARM names."""
        parts = named.partition("/providers/")[0].split("/")
        names = ("/".join(parts[:length]) for length in range(3, len(parts) + 1, 2))
        return next((name for name in names if self._store.get(f"{scope}/providers/{name}") is None), named)


_SCOPE: Final = r"(?P<scope>/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?)"
_ANY_SCOPE: Final = r"(?P<scope>/subscriptions/[^/]+(?:/.+)?)"
_ROUTES: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"/subscriptions", "subscriptions"),
        (r"/tenants", "tenants"),
        (r"/subscriptions/[^/]+", "subscription"),
        (r"(?P<scope>/subscriptions/[^/]+)/locations", "locations"),
        (r"(?P<scope>/subscriptions/[^/]+)/resourcegroups", "groups"),
        (rf"{_SCOPE}/resources", "resources"),
        (r"(?P<scope>/subscriptions/[^/]+)/providers/[^/]+", "provider"),
        (rf"{_ANY_SCOPE}/providers/microsoft\.authorization/permissions", "permissions"),
        (r"/subscriptions/[^/]+/resourcegroups/[^/]+", "resource"),
        (rf"{_ANY_SCOPE}/providers/[^/]+(?:/[^/]+/[^/]+)*/[^/]+", "of_type"),
        (rf"{_ANY_SCOPE}/providers/[^/]+(?:/[^/]+/[^/]+)+", "resource"),
    )
)
_ANSWERS: Final[dict[str, Callable[[Arm, Call, str], Reply]]] = {name: getattr(Arm, f"_{name}") for _, name in _ROUTES}


@lru_cache(maxsize=1 << 12)
def _route(path: str) -> tuple[str, int]:
    """What answers a path in lower case, "" for nothing, and where its scope ends."""
    for pattern, name in _ROUTES:
        if found := pattern.fullmatch(path):
            return name, found.end("scope") if "scope" in pattern.groupindex else len(path)
    return "", 0


def _no_method(call: Call, *methods: str) -> Refusal:
    return Refusal(
        405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported at '{call.path}'.",
        headers={"Allow": ", ".join(methods)},
    )  # fmt: skip


def _filter(text: str | None) -> str:
    """The resource type that a `$filter` asks for, "" for none. Raises Refusal for a filter that is not understood."""
    if text is None:
        return ""
    found = re.fullmatch(r"\s*resourceType\s+eq\s+'([^']+)'\s*", text, re.IGNORECASE)
    if not found:
        raise Refusal(501, "SandboxUnsupported", f"the sandbox (not Azure) cannot filter a list by {text!r}")
    return found[1].lower()


def _check_location(path: str, body: dict[str, Any], before: Record | None) -> None:
    location = body.get("location")
    if not location:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    if before and before.body["location"] != location:
        name = path.rpartition("/")[2]
        raise Refusal(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{before.body['location']}'. Resource group: '{name}'.",
        )


def _merged(old: Any, new: Any) -> Any:
    """`old` with a JSON merge patch (RFC 7396) applied."""
    if not isinstance(new, dict):
        return new
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


@cache
def _regions() -> tuple[dict[str, str], ...]:
    text = resources.files(__package__).joinpath("locations.tsv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines(), dialect="excel-tab"))


def _location(region: dict[str, str], below: str) -> dict[str, Any]:
    name, group = region["name"], region["geographyGroup"]
    metadata: dict[str, Any] = {key: region[key] for key in ("regionType", "regionCategory")}
    metadata |= {key: region[key] for key in ("geography", "geographyGroup") if region[key]}
    if region["regionType"] == "Physical":
        pair = region["pair"]
        metadata |= {key: region[key] for key in ("longitude", "latitude", "physicalLocation")}
        metadata["pairedRegion"] = [{"name": pair, "id": below + pair}] if pair else []
    found: dict[str, Any] = {
        "id": below + name,
        "name": name,
        "type": "Region",
        "displayName": region["displayName"],
        "regionalDisplayName": f"({group}) {region['displayName']}" if group else region["displayName"],
        "metadata": metadata,
    }
    if zones := int(region["zones"]):
        found["availabilityZoneMappings"] = [
            {"logicalZone": str(zone), "physicalZone": f"{name}-az{zone}"} for zone in range(1, zones + 1)
        ]
    return found
