"""What there is in a tenant, and what the caller may do there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sovereignmesh.azure import queries
from sovereignmesh.azure.graph import query_rows
from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sovereignmesh.azure.connection import Azure

__all__ = [
    "Location",
    "ManagementGroup",
    "Permission",
    "Subscription",
    "Tenant",
    "list_ancestors",
    "list_locations",
    "list_management_groups",
    "list_permissions",
    "list_subscriptions",
    "list_subscriptions_below",
    "list_tenants",
    "reads_everything",
]

# https://learn.microsoft.com/rest/api/resources/subscriptions/list
_SUBSCRIPTIONS: Final = "2022-12-01"
# https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants
_MANAGEMENT_GROUPS: Final = "2020-05-01"
# https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group
_PERMISSIONS: Final = "2022-04-01"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription: its id (lower case), its name, its state (Enabled, Disabled, ...) and its tenant."""

    id: str
    name: str
    state: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that the caller can sign in to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ManagementGroup:
    """A management group: its name (which is its id) and what people call it."""

    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Location:
    """A region that a subscription can use; `pair` is "" where Azure names none."""

    name: str
    display_name: str
    geography: str
    pair: str


@dataclass(frozen=True, slots=True)
class Permission:
    """One grant that the caller has at a scope: what it allows, less what it takes away."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    condition: str = ""

    def allows(self, action: str) -> bool:
        """Whether the grant allows the action, unconditionally."""
        return (
            not self.condition
            and any(_matches(pattern, action) for pattern in self.actions)
            and not any(_matches(pattern, action) for pattern in self.not_actions)
        )

    @property
    def reads_everything(self) -> bool:
        """Whether the grant allows `*/read` and takes no reading away, unconditionally."""
        return (
            not self.condition
            and any(pattern.lower() in ("*", "*/read") for pattern in self.actions)
            and not any(_takes_reading(pattern) for pattern in self.not_actions)
        )


def reads_everything(permissions: list[Permission]) -> bool:
    """Whether any of the grants alone lets the caller read every resource of the scope."""
    return any(permission.reads_everything for permission in permissions)


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)


def _matches(pattern: str, action: str) -> bool:
    return _pattern(pattern).fullmatch(action) is not None


def _takes_reading(pattern: str) -> bool:
    """Whether a notAction can match an action that ends in /read."""
    *_, last = pattern.lower().split("/")
    return last == "read" or "*" in last


def list_subscriptions(azure: Azure) -> Iterator[Subscription]:
    """The subscriptions in which the caller has any role. One without is missing, silently."""
    for item in azure.items("/subscriptions", _SUBSCRIPTIONS):
        identity = _text(item, "subscriptionId")
        if not identity:
            raise AnswerError("/subscriptions: an item without `subscriptionId`")
        yield Subscription(
            identity.lower(), _text(item, "displayName") or identity, _text(item, "state"), _text(item, "tenantId")
        )


def list_tenants(azure: Azure) -> Iterator[Tenant]:
    """The tenants that the caller can sign in to."""
    for item in azure.items("/tenants", _SUBSCRIPTIONS):
        yield Tenant(_text(item, "tenantId"), _text(item, "displayName") or _text(item, "defaultDomain"))


def list_locations(azure: Azure, subscription: str) -> Iterator[Location]:
    """The regions that the subscription can use; logical ones (geographies) are left out."""
    for item in azure.items(f"/subscriptions/{subscription}/locations", _SUBSCRIPTIONS):
        metadata = _object(item, "metadata")
        if _text(metadata, "regionType").lower() != "logical":
            pairs = metadata.get("pairedRegion")
            pair = _text(pairs[0], "name") if isinstance(pairs, list) and pairs and isinstance(pairs[0], dict) else ""
            yield Location(_text(item, "name"), _text(item, "displayName"), _text(metadata, "geography"), pair)


def list_management_groups(azure: Azure) -> Iterator[ManagementGroup]:
    """The management groups at which the caller has a role."""
    for item in azure.items("/providers/Microsoft.Management/managementGroups", _MANAGEMENT_GROUPS):
        yield ManagementGroup(_text(item, "name"), _text(_object(item, "properties"), "displayName"))


def list_subscriptions_below(azure: Azure, management_group: str) -> Iterator[Subscription]:
    """The subscriptions below a management group, at any depth, readable or not. Needs a reader's role at the group."""
    path = f"/providers/Microsoft.Management/managementGroups/{quote(management_group, safe='')}/descendants"
    for item in azure.items(path, _MANAGEMENT_GROUPS):
        if _text(item, "type").lower().endswith("/subscriptions"):
            identity = _text(item, "name").lower()
            yield Subscription(identity, _text(_object(item, "properties"), "displayName") or identity, "", "")


def list_ancestors(azure: Azure, subscriptions: Sequence[str]) -> dict[str, frozenset[str]]:
    """By subscription the names (lower case) of the management groups above it, as Resource Graph shows them."""
    found = {}
    for row in query_rows(azure, queries.ANCESTORS, subscriptions):
        chain = row.get("ancestors")
        groups = [group for group in chain if isinstance(group, dict)] if isinstance(chain, list) else []
        found[_text(row, "subscriptionId").lower()] = frozenset(_text(group, "name").lower() for group in groups)
    return found


def list_permissions(azure: Azure, scope: str) -> list[Permission]:
    """What the caller may do at a scope (the id of a subscription, group or resource)."""
    return [
        Permission(_texts(item, "actions"), _texts(item, "notActions"), _text(item, "condition"))
        for item in azure.items(f"{scope}/providers/Microsoft.Authorization/permissions", _PERMISSIONS)
    ]


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _texts(item: dict[str, Any], key: str) -> tuple[str, ...]:
    value = item.get(key)
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def _object(item: dict[str, Any], key: str) -> dict[str, Any]:
    value = item.get(key)
    return value if isinstance(value, dict) else {}
