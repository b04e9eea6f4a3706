"""What other resources are judged by: containers, vaults and their keys, holders of keys, and where logs and copies go.

Only these are kept in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.children import Children, children_in, text_at
from sovereignmesh.audit.references import VAULT_TYPES, PlaceBook
from sovereignmesh.facts import CopiesRule, KeyStateRule, StateRule, VaultRule, find_resource_type, resource_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.audit.references import KeyName, VaultName

__all__ = ["Container", "Index", "containers_in", "name_of", "said", "tag_undecided", "tags_of", "type_of"]

_GROUPS: Final = frozenset({"microsoft.resources/subscriptions/resourcegroups", "microsoft.resources/resourcegroups"})
_SUBSCRIPTIONS: Final = frozenset({"microsoft.resources/subscriptions"})


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


def said(tags: dict[str, str], name: str) -> str:
    """A tag's value; a blank one says nothing."""
    return tags.get(name, "").strip()


def tag_undecided(row: dict[str, Any], tags: dict[str, str], name: str) -> bool:
    """Whether a tag (in lower case) that a planned resource does not have yet may be among those that are not known."""
    unknown = row.get("notKnown")
    if not unknown or type(unknown) is not list or said(tags, name):
        return False
    path = f"tags.{name}"
    paths = (one.lower() for one in unknown if type(one) is str)
    return any(one in ("tags", path) or (one[-1:] == "*" and path.startswith(one[:-1])) for one in paths)


def name_of(row: dict[str, Any]) -> str:
    """The name, as text; empty where there is none."""
    return text_at(row, "name")


def containers_in(resource_id: str) -> tuple[str, str]:
    """The subscription and the resource group that an id begins with; empty where it does not."""
    parts = resource_id.split("/", 5)  # "", subscriptions, ID, resourceGroups, NAME, ...
    if len(parts) < 3 or parts[1].lower() != "subscriptions":  # noqa: PLR2004
        return "", ""
    return parts[2], parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""  # noqa: PLR2004


def type_of(resource_id: str) -> str:
    """The type that a resource id names, in lower case; empty where it names none.

    >>> type_of("/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b")
    'microsoft.sql/servers/databases'
    """
    provider, *rest = resource_id.lower().rpartition("/providers/")[2].split("/")
    return "/".join((provider, *rest[::2])) if rest else ""


@cache
def _destination_types() -> frozenset[str]:
    """The types that copies and logs go to, by their ids or names."""
    rules = [rule for row in resource_types().values() for rule in row.rules.values()]
    return frozenset(
        name for rule in rules if isinstance(rule, CopiesRule) for copy in rule.copies for name in copy.of_types
    )


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
        self.hides = False  # whether some resource does not say in which vault its key is
        self.groups: dict[tuple[str, str], Container] = {}
        self.contradicted: set[str] = set()  # ids of containers and vaults whose rows differ
        self.subscriptions: dict[str, Container] = {}
        self._vaults: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._keys: dict[tuple[str, str], Children] = {}
        self.holders: set[str] = set()
        self._places = PlaceBook()
        self.kept = _GROUPS | _SUBSCRIPTIONS | VAULT_TYPES.keys() | _holder_types() | _destination_types()

    def add(self, resource_type: str, resource_id: str, row: dict[str, Any]) -> None:
        """Keeps what others may point at; any other type is passed over."""
        if resource_type not in self.kept:
            return
        parts = resource_id.lower().split("/")
        if resource_type in _destination_types():
            self._places.add(resource_type, resource_id, text_at(row, "location"))
        if resource_type in VAULT_TYPES:
            place = (resource_id.lower(), text_at(row, "location"))
            vault = (VAULT_TYPES[resource_type], parts[-1])
            if keys := children_in(row, f"{resource_type}/keys"):
                self._keys[vault] = keys
            known = self._vaults.setdefault(vault, set())
            known.add(place)
            if sum(vault_id == place[0] for vault_id, _ in known) > 1:
                self.contradicted.add(place[0])
        elif resource_type in _SUBSCRIPTIONS:
            self._keep(self.subscriptions, parts[-1], resource_id, Container(tags_of(row), name=name_of(row)))
        elif resource_type in _GROUPS:
            subscription = parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/ID/...
            owner = text_at(row, "managedBy")
            if owner.lower().startswith(resource_id.lower() + "/"):
                owner = ""  # nobody answers for the group that it is in itself
            self._keep(self.groups, (subscription, parts[-1]), resource_id, Container(tags_of(row), owner=owner))
        elif resource_type in _holder_types():
            self.holders.add(resource_id.lower())

    def places_of(self, reference: str, types: Sequence[str]) -> tuple[str, list[str]]:
        """The name of the resource that an id, a name or an address means, and where it is as its rows spell it."""
        return self._places.find(reference, types)

    def key_type(self, key: KeyName) -> tuple[str, str]:
        """The type of a key (`RSA-HSM`), and else why it is not known; both empty where no keys were read."""
        keys = self._keys.get((key.vault.kind, key.vault.name))
        if keys is None:
            return "", ""
        for body in keys.items:
            if name_of(body).lower() == key.name:
                found = _type_rule(key.vault.kind).type.find(body)
                return (found, "") if type(found) is str and found else ("", "the key's body names no type")
        return "", keys.failed or "the key was not read"

    def _keep(self, known: dict[Any, Container], key: Any, resource_id: str, container: Container) -> None:
        """Of two rows that differ the one without an owner, who would excuse what is inside; then always the same one.

        What came between the two was judged by the first: that they differ is a gap.
        """
        other = known.get(key)
        if other is not None and other != container:
            self.contradicted.add(resource_id.lower())
        if other is None or _rank(container) < _rank(other):
            known[key] = container

    def has_vault(self, vault: VaultName) -> bool:
        """Whether a row of the vault has been seen."""
        known = self._vaults.get((vault.kind, vault.name), ())
        return bool(known) if not vault.id else any(vault_id == vault.id for vault_id, _ in known)

    def vault_locations(self, vault: VaultName) -> list[str]:
        """Where the vault is, as its rows spell it; empty where it has not been seen."""
        places = self._vaults.get((vault.kind, vault.name), ())
        return sorted(location for vault_id, location in places if vault.id in ("", vault_id))


def _rank(container: Container) -> tuple[str, list[tuple[str, str]], str]:
    return container.owner, sorted(container.tags.items()), container.name


def _type_rule(kind: str) -> KeyStateRule:
    """Where the body of a key in such a vault says what it is."""
    (vault,) = (name for name, named in VAULT_TYPES.items() if named == kind)
    row = find_resource_type(f"{vault}/keys")
    rule = row.rules.get("key-residency") if row else None
    assert isinstance(rule, KeyStateRule), f"no facts about the keys of a {kind}"
    return rule
