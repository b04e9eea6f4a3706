"""From a mesh and an account's catalog to a plan: what assets get that lack it, and the lineage of contracts."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.catalog.coverage import holes, scopes_of, unplaced
from sovereignmesh.catalog.kinds import DATA_SET, KINDS, MADE, PROCESS, TYPES, domain_in
from sovereignmesh.catalog.opening import open_catalog
from sovereignmesh.catalog.reading import CatalogReading
from sovereignmesh.catalog.wishes import Wishes
from sovereignmesh.errors import AzureError, DeadlineError, SignInError
from sovereignmesh.plan import Item, Key, Plan, Unread, diff

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
    """A plan for the catalog of a Purview account. `ids` are the guids of what is there of what it changes, by key.

    `existing` counts what plans made: an asset only gets what it lacks.
    """

    purview: Purview = field(kw_only=True, repr=False, compare=False)
    ids: Mapping[Key, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

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
    lineage of contracts that the mesh no longer has, of domains that it knows: other meshes may share the account.
    Where not all could be read, nothing is deleted and no lineage loses an input.

    Raises MeshError where nobody names an account, an AzureError where the account or its collections cannot be read;
    what else cannot be is in the plan's `unread`.
    """
    catalog = open_catalog(azure, mesh, account)
    draft = _Draft(mesh, catalog)
    reading = CatalogReading(catalog.purview, catalog.collections, draft.in_doubt)
    with progress(reading):
        for read in reading:
            draft.take(read)
        draft.read_made()
    for scope in scopes_of(catalog, reading):
        if scope.state != "read":
            draft.unread.append(Unread(f"{scope.kind} {scope.name}", scope.reason))
    draft.unread += [Unread(*hole) for hole in (*holes(catalog, reading), *unplaced(catalog))]
    return draft.plan(prune=prune)


class _Draft:
    """What has been read so far, and what is wished of it."""

    def __init__(self, mesh: Mesh, catalog: Catalog) -> None:
        self._mesh, self._catalog = mesh, catalog
        self._wishes = Wishes(mesh)
        self._lacking: dict[str, list[tuple[str, Entity, dict[str, Any]]]] = {}  # assets, by their names without case
        self._desired: list[Item] = []
        self._live: dict[Key, Item] = {}
        self._ids: dict[Key, str] = {}
        self._made: dict[str, list[str]] = {kind: [] for kind in TYPES}  # qualified names that the search has
        self._lost: set[str] = set()  # kinds of which nobody knows what is there
        self._as_wished = 0  # assets
        self._without: Counter[tuple[str, str]] = Counter()  # what is lacked, and whose it is
        self.unread: list[Unread] = []

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
        if read.missing:
            self.unread.append(Unread(f"{asset.type} {asset.qualified_name}", read.missing))
            return
        told = read.entity or asset
        lacks = {
            "description": () if told.description else self._wishes.description_for(place),
            "owners": () if told.owners else self._wishes.owners_for(place),
        }
        lacks = {name: wish for name, wish in lacks.items() if wish != ()}
        body = {name: wish for name, wish in lacks.items() if wish}
        whose = ", ".join(product.name for product in place.products) or f"the domain {place.domain}"
        self._without.update((name, whose) for name in lacks if name not in body)
        self._as_wished += not lacks
        if body and read.entity is not None:
            self._lacking.setdefault(asset.qualified_name.casefold(), []).append(
                (asset.qualified_name, read.entity, body)
            )

    def _plan_assets(self) -> None:
        for alike in self._lacking.values():  # of another type, or told apart by case alone
            for name, entity, body in alike:
                told = f"{name} ({entity.id})" if len(alike) > 1 else name
                there = live_item("asset", told, entity)
                self._desired.append(Item("asset", told, body))
                self._live[there.key], self._ids[there.key] = there, entity.id

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
            self._live[item.key], self._ids[item.key] = item, entity.id

    def plan(self, *, prune: bool) -> CatalogPlan:
        """What is to be done."""
        purview = self._catalog.purview
        self._plan_assets()
        desired = [item for item in self._desired if item.kind not in self._lost]
        notes = list(self._wishes.notes)
        for (lack, whose), count in self._without.items():
            told = f"{count:,} assets of {whose} have no {lack} as the search tells"
            notes.append(f"{told}, and the mesh has none for them")
        if self.unread:
            desired = list(map(self._keeping, desired))
            if prune:
                prune = False
                notes.append("nothing is deleted, since not all could be read")
        changes = diff(desired, self._live.values(), KINDS, prune=prune)
        kept = self._kept(changes)
        changes = [change for change in changes if change.key not in kept]
        notes += kept.values()
        touched = {change.key for change in changes if change.action != "delete"}
        made = [key for key in self._live if key.kind in TYPES]
        return CatalogPlan(
            target=f"{purview.account.id}:catalog",
            changes=tuple(changes),
            existing=len(made),
            unchanged=self._as_wished + sum(item.kind in TYPES and item.key not in touched for item in desired),
            unread=tuple(dict.fromkeys(self.unread)),
            notes=tuple(dict.fromkeys(notes)),
            purview=purview,
            ids=self._ids,
        )

    def _keeping(self, item: Item) -> Item:
        """The wish for a process with what it has already: what could not be read is no reason to take it out."""
        there = self._live.get(item.key)
        if item.kind != PROCESS or there is None:
            return item
        inputs = item.body["inputs"]
        more = [each for each in there.body["inputs"] if each not in inputs]
        return replace(item, body={**item.body, "inputs": [*inputs, *more]})

    def _kept(self, changes: Iterable[Change]) -> dict[Key, str]:
        """What is not deleted although the mesh does not wish it, and why: other meshes may share the account."""
        gone = [change for change in changes if change.action == "delete"]
        kept = {}
        for change in gone:
            domain = domain_in(change.item.name)
            if self._mesh.domain_named(domain) is None:
                kept[change.key] = f"the lineage of the domain {domain} stays: this mesh does not know it"
        going = {change.key for change in gone if change.key not in kept}
        staying = [item for key, item in self._live.items() if key.kind == PROCESS and key not in going]
        used = {each["qualifiedName"] for item in staying for each in (*item.body["inputs"], *item.body["outputs"])}
        for key in going:
            name = self._live[key].name
            if key.kind == DATA_SET and name in used:
                kept[key] = f"{name} stays: lineage that stays leads to it"
        return kept


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
