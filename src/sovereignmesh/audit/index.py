"""What other resources are judged by: containers, vaults, and holders of keys. Only these are kept in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sovereignmesh.facts import StateRule, VaultRule, resource_types

__all__ = ["Container", "Index", "vault_name"]

_GROUPS: Final = frozenset({"microsoft.resources/subscriptions/resourcegroups", "microsoft.resources/resourcegroups"})
_SUBSCRIPTIONS: Final = frozenset({"microsoft.resources/subscriptions"})
_VAULTS: Final = {"microsoft.keyvault/vaults": "vault", "microsoft.keyvault/managedhsms": "managedhsm"}
_VAULT_URI: Final = re.compile(r"https://([a-z0-9-]+)\.(vault|managedhsm)\.[a-z0-9.-]+(?::443)?(?:/|$)", re.IGNORECASE)
_VAULT_ID: Final = re.compile(r"/providers/(microsoft\.keyvault/(?:vaults|managedhsms))/([^/]+)(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Container:
    """A resource group or subscription: its tags by lower-case name, and the id of the resource that manages it."""

    tags: dict[str, str]
    owner: str = ""
    name: str = ""


def tags_of(row: dict[str, Any]) -> dict[str, str]:
    """The tags by lower-case name; Azure compares names without case and values with it."""
    tags = row.get("tags")
    if type(tags) is not dict or not tags:
        return {}
    return {name.lower(): value for name, value in tags.items() if type(value) is str}


def name_of(row: dict[str, Any]) -> str:
    """The name, as text; empty where there is none."""
    return _text_at(row, "name")


def _text_at(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if type(value) is str else ""


def type_of(resource_id: str) -> str:
    """The type that a resource id names, in lower case; empty where it names none.

    >>> type_of("/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b")
    'microsoft.sql/servers/databases'
    """
    provider, *rest = resource_id.lower().rpartition("/providers/")[2].split("/")
    return "/".join((provider, *rest[::2])) if rest else ""


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
def _holder_types() -> frozenset[str]:
    """The types that answer for others."""
    rules = [rule for row in resource_types().values() for rule in row.rules.values()]
    through = {rule.through_type for rule in rules if isinstance(rule, VaultRule)}
    held_by = {rule.held_by_type for rule in rules if isinstance(rule, StateRule)}
    return frozenset(name.lower() for name in through | held_by if name)


class Index:
    """Looks up what a resource points at. `vaults` gives a vault's location as its body spells it."""

    def __init__(self) -> None:
        self.groups: dict[tuple[str, str], Container] = {}
        self.subscriptions: dict[str, Container] = {}
        self.vaults: dict[tuple[str, str], Any] = {}
        self.holders: set[str] = set()
        self._kept = _GROUPS | _SUBSCRIPTIONS | _VAULTS.keys() | _holder_types()

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
            self.subscriptions[parts[-1]] = Container(tags_of(row), name=name_of(row))
        elif resource_type in _GROUPS:
            subscription = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/ID/...
            self.groups[subscription, parts[-1]] = Container(tags_of(row), owner=_text_at(row, "managedBy"))
        else:
            self.holders.add(resource_id.lower())
