"""What there is in a tenant, and what the caller may do there."""

from __future__ import annotations

import re
from dataclasses import dataclass
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

_PLAIN: Final = re.compile(r"[A-Za-z0-9-]+")
# https://learn.microsoft.com/rest/api/resources/subscriptions/list
_SUBSCRIPTIONS: Final = "2022-12-01"
# https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants
_MANAGEMENT_GROUPS: Final = "2020-05-01"
# https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group: the page has groups and
# resources only; that subscriptions answer too is known from use.
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


def _takes_reading(pattern: str) -> bool:
    """Whether a notAction can match an action that ends in /read."""
    *_, last = pattern.strip().lower().split("/")
    return last == "read" or "*" in last


def list_subscriptions(azure: Azure) -> Iterator[Subscription]:
    """The subscriptions in which the caller has any role. One without is missing, silently."""
    for item in azure.items("/subscriptions", _SUBSCRIPTIONS):
        identity = _identity(_text(item, "subscriptionId"))
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
        kind = _text(item, "type").lower()
        if not kind.endswith(("/subscriptions", "/managementgroups")):
            raise AnswerError(f"{path}: an item of the type {kind!r}, which is not known")
        if kind.endswith("/subscriptions"):
            identity = _identity(_text(item, "name")).lower()
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
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    return [_permission(item, path) for item in azure.items(path, _PERMISSIONS)]


def _permission(item: dict[str, Any], path: str) -> Permission:
    """Raises AnswerError for a grant in a shape that is not understood: it might take something away."""
    actions, not_actions, condition = item.get("actions"), item.get("notActions", []), item.get("condition")
    understood = _are_texts(actions) and _are_texts(not_actions) and (condition is None or isinstance(condition, str))
    if not understood:
        raise AnswerError(f"{path}: a grant in a shape that is not known")
    return Permission(tuple(actions or ()), tuple(not_actions or ()), condition or "")


def _are_texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(entry, str) for entry in value))


def _identity(text: str) -> str:
    """Raises AnswerError for what cannot be a subscription's id: it goes into paths."""
    if not _PLAIN.fullmatch(text):
        raise AnswerError(f"a subscription with the id {text!r}, which is none")
    return text


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _object(item: dict[str, Any], key: str) -> dict[str, Any]:
    value = item.get(key)
    return value if isinstance(value, dict) else {}
