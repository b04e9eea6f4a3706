"""Management groups: who hangs below whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.store import SUBSCRIPTION
from sovereignmesh.sandbox.wire import Call, Refusal, Reply, json_reply, page_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.sandbox.access import Access
    from sovereignmesh.sandbox.estate import Estate, ManagementGroup
    from sovereignmesh.sandbox.store import Store

__all__ = ["GROUP_TYPE", "ManagementGroups"]

GROUP_TYPE: Final = "Microsoft.Management/managementGroups"
_PATH: Final = f"/providers/{GROUP_TYPE}/"
_UPDATED: Final = "2026-01-05T08:00:00Z"


class ManagementGroups:
    """Answers what is below `/providers/Microsoft.Management/managementGroups`."""

    def __init__(self, estate: Estate, store: Store, access: Access, page_size: int) -> None:
        self._estate, self._store, self._access, self._page_size = estate, store, access, page_size

    def answer(self, call: Call) -> Reply:
        """The answer to a call. Raises Refusal for one that the service would refuse."""
        if call.method != "GET":
            raise Refusal(405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported here.")
        match call.path[len(_PATH) :].split("/"):
            case [""]:
                every = [self._listed(group) for group in self.readable()]
                return json_reply(page_of(call, every, self._page_size, always_link=True))
            case [name]:
                return json_reply(self._whole(self._group(name, "read")))
            case [name, last] if last.lower() == "descendants":
                below = list(self._below(self._group(name, "descendants/read").name))
                return json_reply(page_of(call, below, self._page_size, always_link=True))
        raise Refusal(404, "InvalidResourceType", f"The resource type could not be found: '{call.path}'.")

    def readable(self) -> Iterator[ManagementGroup]:
        """The groups that the caller may read."""
        for group in self._estate.groups.values():
            if self._access.may(f"{GROUP_TYPE}/read", _PATH + group.name):
                yield group

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the groups that the caller may read, as Resource Graph has them among the containers."""
        for group in self.readable():
            chain = [
                {"name": above.name, "displayName": above.display_name}
                for above in self._estate.groups_above(group.parent)
            ]
            whole = self._whole(group)
            details = {**whole["properties"]["details"], "managementGroupAncestorsChain": chain}
            yield {
                "id": whole["id"],
                "name": group.name,
                "type": GROUP_TYPE.lower(),
                "tenantId": self._estate.tenant_id,
                **dict.fromkeys(("kind", "location", "resourceGroup", "subscriptionId", "managedBy"), ""),
                "properties": {**whole["properties"], "details": details},
                "apiVersion": "2020-05-01",
            }

    def subscriptions_below(self, name: str) -> set[str]:
        """The ids of the subscriptions below a group, lower-case."""
        return {
            record.body["subscriptionId"].lower()
            for record in self._store.below("/subscriptions")
            if record.type == SUBSCRIPTION and self._is_over(name, record.body["subscriptionId"])
        }

    def places(self, subscriptions: Iterable[str], groups: Iterable[str], *, below: bool, above: bool) -> Iterator[str]:
        """The paths (lower case) of what is asked for, and of the groups below or above it."""
        for identity in subscriptions:
            yield f"/subscriptions/{identity}".lower()
            if above:
                yield from (_path_of(group) for group in self._estate.groups_over(identity))
        for name in groups:
            chain = [_path_of(group) for group in self._estate.groups_above(name)]
            yield from chain if above else chain[:1]
            if below:
                yield from (_path_of(group) for group in self._estate.groups.values() if self._is_below(group, name))

    def _is_below(self, group: ManagementGroup, name: str) -> bool:
        return any(above.name.lower() == name.lower() for above in self._estate.groups_above(group.parent))

    def _is_over(self, name: str, subscription: str) -> bool:
        return any(group.name.lower() == name.lower() for group in self._estate.groups_over(subscription))

    def _group(self, name: str, action: str) -> ManagementGroup:
        group = self._estate.groups.get(name.lower())
        if group is None and self._access.sees_tenant:
            raise Refusal(404, "NotFound", f"'{_PATH}{name}' not found")
        # Who may not read a group is not told whether there is one.
        self._access.demand(f"{GROUP_TYPE}/{action}", _PATH + (group.name if group else name))
        assert group is not None, "who sees the tenant was answered above"
        return group

    def _listed(self, group: ManagementGroup) -> dict[str, Any]:
        return {
            "id": _PATH + group.name,
            "type": GROUP_TYPE,
            "name": group.name,
            "properties": {"tenantId": self._estate.tenant_id, "displayName": group.display_name},
        }

    def _whole(self, group: ManagementGroup) -> dict[str, Any]:
        listed = self._listed(group)
        parent = next(self._estate.groups_above(group.parent), None)
        details: dict[str, Any] = {
            "version": 1,
            "updatedTime": _UPDATED,
            "updatedBy": self._estate.principal["id"],
        }
        if parent:
            details["parent"] = {"id": _PATH + parent.name, "name": parent.name, "displayName": parent.display_name}
        listed["properties"]["details"] = details
        return listed

    def _below(self, name: str) -> Iterator[dict[str, Any]]:
        above = {found.name.lower() for found in self._estate.groups_above(name)} - {name.lower()}
        for group in self._estate.groups.values():
            chain = [found.name.lower() for found in self._estate.groups_above(group.parent)]
            if name.lower() in chain and group.name.lower() not in above:
                yield _descendant(_PATH + group.name, GROUP_TYPE, group.name, group.display_name, group.parent or "")
        for record in self._store.below("/subscriptions"):
            identity = record.body.get("subscriptionId", "")
            if record.type == SUBSCRIPTION and self._is_over(name, identity):
                parent = next(self._estate.groups_over(identity)).name
                kind = f"{GROUP_TYPE}/subscriptions"
                yield _descendant(record.id, kind, identity, record.body["displayName"], parent)


def _path_of(group: ManagementGroup) -> str:
    return f"{_PATH}{group.name}".lower()


def _descendant(identity: str, kind: str, name: str, display_name: str, parent: str) -> dict[str, Any]:
    return {
        "id": identity,
        "type": kind,
        "name": name,
        "properties": {"displayName": display_name, "parent": {"id": _PATH + parent}},
    }
