"""Who may do what: role assignments at scopes, inherited downwards."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.wire import GROUPS, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.sandbox.estate import Estate

__all__ = ["Access", "Role"]

_GROUPS: Final = f"{GROUPS}/"


class Role(NamedTuple):
    """What a role definition grants: actions, less notActions."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def grants(self, action: str) -> bool:
        """Whether the role has the action; names are compared without case."""
        return _any_fits(self.actions, action) and not _any_fits(self.not_actions, action)


# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged and .../general
_BUILT_IN: Final = {
    "owner": Role(("*",)),
    "contributor": Role(
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
        ),
    ),
    "reader": Role(("*/read",)),
    "management group reader": Role(("Microsoft.Management/managementGroups/read",)),
}


class Access:
    """The caller's rights in an estate. A scope is a path; its case does not matter."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._at: dict[str, list[Role]] = {}
        for scope, name in estate.roles:
            self._at.setdefault(scope.lower().rstrip("/"), []).append(_role(estate, name))
        self._known: dict[str, tuple[Role, ...]] = {}

    def roles(self, scope: str) -> tuple[Role, ...]:
        """The roles that the caller has at a scope, those from above among them."""
        key = scope.lower().rstrip("/")
        if key not in self._known:
            self._known[key] = tuple(role for above in self._upwards(key) for role in self._at.get(above, ()))
        return self._known[key]

    def may(self, action: str, scope: str) -> bool:
        """Whether the caller may do `action` at the scope."""
        return any(role.grants(action) for role in self.roles(scope))

    def demand(self, action: str, scope: str) -> None:
        """Raises ARM's 403 where the caller may not."""
        if self.may(action, scope):
            return
        who = self._estate.principal
        raise Refusal(
            403,
            "AuthorizationFailed",
            f"The client '{who['name']}' with object id '{who['id']}' does not have authorization to perform action "
            f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
            "your credentials.",
        )

    def sees_subscription(self, identity: str) -> bool:
        """Whether the subscription is in the caller's list: any role at it, above it or below it."""
        scope = f"/subscriptions/{identity.lower()}"
        return bool(self.roles(scope)) or any(at.startswith(f"{scope}/") for at in self._at)

    @cached_property
    def sees_tenant(self) -> bool:
        """Whether the caller has a role at the tenant's root."""
        return bool(self.roles(_GROUPS + self._estate.tenant_id))

    def _upwards(self, scope: str) -> Iterator[str]:
        if scope.startswith(_GROUPS):
            group: str | None = scope.removeprefix(_GROUPS).partition("/")[0]
            above = self._estate.groups_above(group)
        else:
            parts = scope.split("/")
            yield from ("/".join(parts[:length]) for length in range(len(parts), 2, -1))
            above = self._estate.groups_over(parts[2]) if scope.startswith("/subscriptions/") else iter(())
        yield from (_GROUPS + found.name.lower() for found in above)
        yield ""  # the tenant itself: "/"


def _role(estate: Estate, name: str) -> Role:
    if name in estate.role_definitions:
        defined = estate.role_definitions[name]
        return Role(tuple(defined.get("actions", ())), tuple(defined.get("notActions", ())))
    if name.lower() not in _BUILT_IN:
        raise SandboxError(f"estate {estate.name}: the role {name!r} is neither built in nor in `role_definitions`")
    return _BUILT_IN[name.lower()]


def _any_fits(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
