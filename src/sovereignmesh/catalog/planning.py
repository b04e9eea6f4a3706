"""From a mesh and an account's catalog to a plan: what assets get that lack it, and the lineage of contracts."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.catalog.kinds import KINDS, MADE, PROCESS, TYPES
from sovereignmesh.catalog.opening import open_catalog
from sovereignmesh.catalog.reading import CatalogReading
from sovereignmesh.catalog.wishes import Wishes
from sovereignmesh.errors import AzureError, DeadlineError, SignInError
from sovereignmesh.plan import Item, Key, Plan, Unread, diff
from sovereignmesh.result import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Entity, Purview, PurviewAccount
    from sovereignmesh.catalog.opening import Catalog
    from sovereignmesh.catalog.placing import Place
    from sovereignmesh.catalog.reading import Read
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.plan import Change

__all__ = ["CatalogPlan", "live_item", "plan_catalog"]

_NAMED_AT_ONCE: Final = 20  # qualified names are long, and stand in the address


@dataclass(frozen=True, repr=False)
class CatalogPlan(Plan):
    """A plan for the catalog of a Purview account. `entities` are what is there of what it changes, by key."""

    purview: Purview = field(kw_only=True, repr=False, compare=False)
    entities: Mapping[Key, Entity] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def touched(self) -> list[Change]:
        """What goes: an asset only gets what it lacks, and what else is changed is a plan's own."""
        return [change for change in super().touched if change.action == "delete"]


def plan_catalog(
    azure: Azure,
    mesh: Mesh,
    account: str | PurviewAccount | None = None,
    *,
    prune: bool = False,
    progress: Callable[[CatalogReading], AbstractContextManager[object]] = nullcontext,
) -> CatalogPlan:
    """What the catalog of a Purview account gets from the mesh. Only reads.

    An asset without a description gets its product's, one without an Owner contact its product's owner, else its
    domain's; what it has stays. Every contract becomes a process from the product to the domain that consumes it, so
    that lineage shows who gets the data. `account` is another than the mesh names; `prune` also plans to delete the
    lineage of contracts that the mesh no longer has. Raises MeshError where nobody names an account, an AzureError
    where the account or its collections cannot be read; what else cannot be is in the plan's `unread`.
    """
    catalog = open_catalog(azure, mesh, account)
    draft = _Draft(mesh, catalog)
    reading = CatalogReading(catalog.purview, catalog.collections, draft.in_doubt)
    with progress(reading):
        for read in reading:
            draft.take(read)
        draft.read_made()
    draft.unread += [
        Unread(f"{scope.kind} {scope.name}", scope.reason)
        for scope in reading.scopes(catalog.places.title)
        if scope.state != "read"
    ]
    return draft.plan(prune=prune)


class _Draft:
    """What has been read so far, and what is wished of it."""

    def __init__(self, mesh: Mesh, catalog: Catalog) -> None:
        self._mesh, self._catalog = mesh, catalog
        self._wishes = Wishes(mesh)
        self._desired: list[Item] = []
        self._live: dict[Key, Item] = {}
        self._entities: dict[Key, Entity] = {}
        self._made: dict[str, list[str]] = {kind: [] for kind in TYPES}  # qualified names that the search has
        self._lost: set[str] = set()  # kinds of which nobody knows what is there
        self._seen = 0
        self.unread: list[Unread] = []
        if catalog.error is not None and any(product.sources for product in mesh.products):
            self.unread.append(Unread("the sources, which tell whose assets are", str(catalog.error)))

    def _place(self, read: Read) -> Place:
        return self._catalog.places.find(read.asset.qualified_name, read.collection)

    def in_doubt(self, read: Read) -> bool:
        """Whether an asset lacks something that the mesh has, as far as the index tells."""
        asset, place = read.asset, self._place(read)
        if asset.qualified_name.startswith(MADE):
            return False
        return bool(
            (not asset.description and self._wishes.description_for(place))
            or (not asset.owners and self._wishes.owners_for(place))
        )

    def take(self, read: Read) -> None:
        """Plans for an asset."""
        asset, place = read.asset, self._place(read)
        for kind, name in TYPES.items():
            if asset.type == name and asset.qualified_name.startswith(MADE):
                self._made[kind].append(asset.qualified_name)
                return
        self._wishes.note_data(asset, place)
        if not place.products and not place.domain:
            return
        self._seen += 1
        if read.missing:
            self.unread.append(Unread(f"{asset.type} {asset.qualified_name}", read.missing))
        if read.entity is None:
            return
        body: dict[str, Any] = {}
        if not read.entity.description and (text := self._wishes.description_for(place)):
            body["description"] = text
        if not read.entity.owners and (owners := self._wishes.owners_for(place)):
            body["owners"] = owners
        if body:
            name = asset.qualified_name
            if Key("asset", name.casefold()) in self._live:  # of another type, or told apart by case alone
                name = f"{name} ({asset.id})"
            there = live_item("asset", name, read.entity)
            self._desired.append(Item("asset", name, body))
            self._live[there.key], self._entities[there.key] = there, read.entity

    def read_made(self) -> None:
        """Reads what earlier plans made, by name and not by the index, which lags."""
        self._desired += self._wishes.lineage()
        for kind, type_name in TYPES.items():
            wished = (item.name for item in self._desired if item.kind == kind)
            names = list(dict.fromkeys([*wished, *self._made[kind]]))
            for start in range(0, len(names), _NAMED_AT_ONCE):
                self._read_named(kind, type_name, names[start : start + _NAMED_AT_ONCE])

    def _read_named(self, kind: str, type_name: str, names: list[str]) -> None:
        try:
            found = self._catalog.purview.data_map.named(type_name, names)
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            self._lost.add(kind)
            self.unread.append(Unread(f"what is there of the lineage ({type_name})", str(error)))
            return
        for name, entity in found.items():
            item = live_item(kind, name, entity)
            self._live[item.key], self._entities[item.key] = item, entity

    def plan(self, *, prune: bool) -> CatalogPlan:
        """What is to be done."""
        purview = self._catalog.purview
        notes = list(self._wishes.notes)
        if prune and self.unread:
            prune = False
            notes.append("nothing is deleted, since not all could be read")
        desired = [item for item in self._desired if item.kind not in self._lost]
        changes = diff(desired, self._live.values(), KINDS, prune=prune)
        touched = {change.key for change in changes if change.action != "delete"}
        return CatalogPlan(
            target=f"{purview.account.id}:catalog",
            changes=tuple(changes),
            existing=self._seen + len([key for key in self._live if key.kind in TYPES]),
            unchanged=self._seen + sum(item.key.kind in TYPES for item in desired) - len(touched),
            problems=tuple(self._problems()),
            unread=tuple(dict.fromkeys(self.unread)),
            notes=tuple(notes),
            purview=purview,
            entities=self._entities,
        )

    def _problems(self) -> Iterable[Problem]:
        for product, name in self._catalog.places.unknown:
            if self._catalog.error is None:
                message = f"{product.name}: the account has no source '{name}', so that its assets are not known"
                yield Problem(Location(str(self._mesh.path)), "$.dataProduct.sources", message, "warning")


def live_item(kind: str, name: str, entity: Entity) -> Item:
    """What is there, as it is compared."""
    body: dict[str, Any] = {"description": entity.description, "owners": list(entity.owners)}
    if kind != "asset":
        body["name"] = str((entity.body.get("attributes") or {}).get("name") or "")
    if kind == PROCESS:
        for attribute in ("inputs", "outputs"):
            body[attribute] = [
                {"type": type_name, "qualifiedName": qualified} for type_name, qualified in entity.references(attribute)
            ]
    return Item(kind, name, body)
