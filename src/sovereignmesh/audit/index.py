"""What other resources are judged by: containers, vaults, and holders of keys. Only these are kept in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from sovereignmesh.facts import StateRule, VaultRule, resource_types

__all__ = ["Container", "Index", "VaultName", "name_of", "tags_of", "type_of", "vault_name"]

_GROUPS: Final = frozenset({"microsoft.resources/subscriptions/resourcegroups", "microsoft.resources/resourcegroups"})
_SUBSCRIPTIONS: Final = frozenset({"microsoft.resources/subscriptions"})
_VAULTS: Final = {"microsoft.keyvault/vaults": "vault", "microsoft.keyvault/managedhsms": "managedhsm"}
_VAULT_URI: Final = re.compile(
    r"https://([a-z0-9-]+)\.(vault|managedhsm)\.(azure\.net|azure\.cn|chinacloudapi\.cn|usgovcloudapi\.net)(?::443)?(?:/|$)",
    re.IGNORECASE,
)
# https://docs.azure.cn/key-vault/keys/about-keys for the hosts in China.
_CLOUDS: Final = {
    "azure.net": "AzureCloud", "azure.cn": "AzureChinaCloud", "chinacloudapi.cn": "AzureChinaCloud",
    "usgovcloudapi.net": "AzureUSGovernment",
}  # fmt: skip
_VAULT_ID: Final = re.compile(
    r"(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/(microsoft\.keyvault/(?:vaults|managedhsms))/([^/]+))(?:/|$)",
    re.IGNORECASE,
)


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
    return {name.lower(): value for name, value in tags.items() if type(value) is str and type(name) is str}


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


class VaultName(NamedTuple):
    """The vault that a reference names: its kind and name; a URI's cloud, or the resource id where it is one."""

    kind: str
    name: str
    cloud: str = ""
    id: str = ""


def vault_name(reference: str) -> VaultName | None:
    """The vault that a key URI, a vault URI or a resource id names; None where it names none of Azure's.

    >>> vault_name("https://Contoso.vault.azure.net/keys/k/1")
    VaultName(kind='vault', name='contoso', cloud='AzureCloud', id='')
    >>> vault_name("https://contoso.vault.azure.net.example.com") is None
    True
    """
    found = _VAULT_URI.match(reference)
    if found:
        return VaultName(found[2].lower(), found[1].lower(), cloud=_CLOUDS[found[3].lower()])
    found = _VAULT_ID.match(reference)
    return VaultName(_VAULTS[found[2].lower()], found[3].lower(), id=found[1].lower()) if found else None


@cache
def _holder_types() -> frozenset[str]:
    """The types that answer for others."""
    rules = [rule for row in resource_types().values() for rule in row.rules.values()]
    through = {rule.through_type for rule in rules if isinstance(rule, VaultRule)}
    held_by = {rule.held_by_type for rule in rules if isinstance(rule, StateRule)}
    return frozenset(name.lower() for name in through | held_by if name)


class Index:
    """Looks up what a resource points at, of the types `kept`.

    Where two rows contradict each other, the same one counts in any order.
    """

    def __init__(self) -> None:
        self.groups: dict[tuple[str, str], Container] = {}
        self.contradicted: set[str] = set()  # ids of containers and vaults whose rows differ
        self.subscriptions: dict[str, Container] = {}
        self._vaults: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self.holders: set[str] = set()
        self.kept = _GROUPS | _SUBSCRIPTIONS | _VAULTS.keys() | _holder_types()

    def add(self, resource_type: str, resource_id: str, row: dict[str, Any]) -> None:
        """Keeps what others may point at; any other type is passed over."""
        if resource_type not in self.kept:
            return
        parts = resource_id.lower().split("/")
        if resource_type in _VAULTS:
            place = (resource_id.lower(), _text_at(row, "location"))
            known = self._vaults.setdefault((_VAULTS[resource_type], parts[-1]), set())
            known.add(place)
            if sum(vault_id == place[0] for vault_id, _ in known) > 1:
                self.contradicted.add(place[0])
        elif resource_type in _SUBSCRIPTIONS:
            self._keep(self.subscriptions, parts[-1], resource_id, Container(tags_of(row), name=name_of(row)))
        elif resource_type in _GROUPS:
            subscription = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/ID/...
            owner = _text_at(row, "managedBy")
            if owner.lower().startswith(resource_id.lower() + "/"):
                owner = ""  # nobody answers for the group that it is in itself
            self._keep(self.groups, (subscription, parts[-1]), resource_id, Container(tags_of(row), owner=owner))
        else:
            self.holders.add(resource_id.lower())

    def _keep(self, known: dict[Any, Container], key: Any, resource_id: str, container: Container) -> None:
        """Of two rows that differ the one without an owner, who would excuse what is inside; then always the same one.

        What came between the two was judged by the first: that they differ is a gap.
        """
        other = known.get(key)
        if other is not None and other != container:
            self.contradicted.add(resource_id.lower())
        if other is None or _rank(container) < _rank(other):
            known[key] = container

    def vault_locations(self, vault: VaultName) -> list[str]:
        """Where the vault is, as its rows spell it; empty where it has not been seen."""
        places = self._vaults.get((vault.kind, vault.name), ())
        return sorted(location for vault_id, location in places if vault.id in ("", vault_id))


def _rank(container: Container) -> tuple[str, list[tuple[str, str]], str]:
    return container.owner, sorted(container.tags.items()), container.name
