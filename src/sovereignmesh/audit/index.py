"""What other resources are judged by: containers, vaults, and holders of keys. Only these are kept in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sovereignmesh.facts import VaultRule, resource_types

__all__ = ["Container", "Index", "vault_name"]

_GROUPS: Final = frozenset({"microsoft.resources/subscriptions/resourcegroups", "microsoft.resources/resourcegroups"})
_SUBSCRIPTIONS: Final = frozenset({"microsoft.resources/subscriptions"})
_VAULTS: Final = {"microsoft.keyvault/vaults": "vault", "microsoft.keyvault/managedhsms": "managedhsm"}
_VAULT_URI: Final = re.compile(r"https://([a-z0-9-]+)\.(vault|managedhsm)\.[a-z0-9.-]+(?::443)?(?:/|$)", re.IGNORECASE)
_VAULT_ID: Final = re.compile(r"/providers/(microsoft\.keyvault/(?:vaults|managedhsms))/([^/]+)(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Container:
    """A resource group or subscription: its tags by lower-case name, and whether another resource manages it."""

    tags: dict[str, str]
    managed: bool


def tags_of(row: dict[str, Any]) -> dict[str, str]:
    """The tags by lower-case name; Azure compares names without case and values with it."""
    tags = row.get("tags")
    if type(tags) is not dict or not tags:
        return {}
    return {name.lower(): value for name, value in tags.items() if type(value) is str}


def vault_name(reference: str) -> tuple[str, str] | None:
    """(kind, name) of the vault that a key URI, a vault URI or a resource id names; None where it names none.

    >>> vault_name("https://Contoso.vault.azure.net/keys/k/1")
    ('vault', 'contoso')
    """
    found = _VAULT_URI.match(reference)
    if found:
        return found[2].lower(), found[1].lower()
    found = _VAULT_ID.search(reference)
    return (_VAULTS[found[1].lower()], found[2].lower()) if found else None


@cache
def _key_holders() -> frozenset[str]:
    rules = (rule for row in resource_types().values() for rule in row.rules.values())
    return frozenset(rule.through_type.lower() for rule in rules if isinstance(rule, VaultRule) and rule.through_type)


class Index:
    """Looks up what a resource points at. `vaults` gives a vault's location as its body spells it."""

    def __init__(self) -> None:
        self.groups: dict[tuple[str, str], Container] = {}
        self.subscriptions: dict[str, Container] = {}
        self.vaults: dict[tuple[str, str], Any] = {}
        self.key_holders: set[str] = set()
        self._kept = _GROUPS | _SUBSCRIPTIONS | _VAULTS.keys() | _key_holders()

    @property
    def types(self) -> tuple[str, ...]:
        """The types that are kept, in lower case."""
        return tuple(sorted(self._kept))

    def add(self, resource_type: str, resource_id: str, row: dict[str, Any]) -> None:
        """Keeps what others may point at; any other type is passed over."""
        if resource_type not in self._kept:
            return
        parts = resource_id.lower().split("/")
        if resource_type in _VAULTS:
            self.vaults[_VAULTS[resource_type], parts[-1]] = row.get("location")
        elif resource_type in _SUBSCRIPTIONS:
            self.subscriptions[parts[-1]] = Container(tags_of(row), managed=False)
        elif resource_type in _GROUPS:
            subscription = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/ID/...
            self.groups[subscription, parts[-1]] = Container(tags_of(row), managed=bool(row.get("managedBy")))
        else:
            self.key_holders.add(resource_id.lower())
