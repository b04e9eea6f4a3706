"""What is in the Unified Catalog: its domains, and the products of those that the mesh knows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.catalog.unified.desired import DOMAIN, PRODUCT, key_of
from sovereignmesh.errors import AnswerError, AzureError, DeadlineError, SignInError
from sovereignmesh.plan import Item, Key, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.azure.purview.unified import UnifiedCatalog
    from sovereignmesh.azure.sdk import Facts

__all__ = ["Live", "as_wished", "owners_of"]

_GONE: Final = "SoftDeleted"  # the specification's DataAssetProvisioningState, which systemData has


@dataclass
class Live:
    """The objects of the catalog that were read, as items, and their ids.

    `twice` are keys that several objects go by, of which nobody knows which one is meant; `lost` are domains whose
    products could not be read, and `unread` says so. `done` and `total` count the lists that were asked for.
    """

    catalog: UnifiedCatalog
    items: dict[Key, Item] = field(default_factory=dict)
    ids: dict[Key, str] = field(default_factory=dict)
    twice: set[Key] = field(default_factory=set)
    lost: set[Key] = field(default_factory=set)
    unread: list[Unread] = field(default_factory=list)
    done: int = 0
    total: int = 0

    def read(self, domains: Iterable[str]) -> None:
        """Reads the list of domains, and the products of those with these names.

        Raises an `AzureError` where domains cannot be read: then nothing can.
        """
        wanted = {key_of(name) for name in domains}
        self.total += 1
        for body in self.catalog.domains.list():
            if key_of(_name(body)) in wanted:
                self._take(Item(DOMAIN, _name(body), body.body), body)
        self.done += 1
        known = [key for key in self.items if key not in self.twice]
        self.total += len(known)
        for key in known:
            try:
                self._products(self.items[key].name, self.ids[key])
            except (SignInError, DeadlineError):
                raise
            except AzureError as error:
                self.lost.add(key)
                self.unread.append(Unread(f"the data products of {self.items[key].name}", str(error)))
            self.done += 1

    def _products(self, domain: str, identity: str) -> None:
        for body in list(self.catalog.products.list(domainId=identity)):
            owners_of(body.body)
            # The service filters; one that did not would have products of other domains deleted.
            if body.text("domain").casefold() == identity.casefold():
                needs = frozenset({key_of(domain)})
                self._take(Item(PRODUCT, f"{domain}/{_name(body)}", body.body, needs), body)

    def _take(self, item: Item, body: Facts) -> None:
        system = body.body.get("systemData")
        if isinstance(system, dict) and system.get("provisioningState") == _GONE:
            return
        identity = body.text("id")
        if not identity or not body.text("status"):
            raise AnswerError(f"{body.place}: {item.kind} {item.name} has no id, or no status")
        if item.key in self.items:
            self.twice.add(item.key)
        self.items[item.key], self.ids[item.key] = item, identity


def as_wished(found: Item, wish: Item | None) -> Item:
    """What is there as it is compared: of owners those that are wished, since others stay what they are."""
    wanted = owners_of(wish.body) if wish is not None else []
    if not wanted:
        return found
    there = {str(each.get("id")).casefold() for each in owners_of(found.body)}
    owners = [each for each in wanted if each["id"].casefold() in there]
    contacts = found.body.get("contacts") or {}
    return replace(found, body={**found.body, "contacts": {**contacts, "owner": owners}})


def owners_of(body: Any) -> list[dict[str, Any]]:
    """The owners among the contacts of a product. Raises AnswerError where they are none."""
    return list(_people((body.get("contacts") or {}), "owner"))


def _people(contacts: Any, role: str) -> Iterator[dict[str, Any]]:
    people = contacts.get(role) or [] if isinstance(contacts, dict) else None
    if not isinstance(people, list) or not all(isinstance(each, dict) for each in people):
        raise AnswerError(f"the contacts of a data product should be people by role, and are {contacts!r:.100}")
    yield from people


def _name(body: Facts) -> str:
    name = body.text("name")
    if not name:
        raise AnswerError(f"{body.place}: an object without a name")
    return name
