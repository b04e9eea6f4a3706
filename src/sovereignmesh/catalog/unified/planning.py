"""From a mesh and a tenant's Unified Catalog to a plan."""

from __future__ import annotations

import dataclasses
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sovereignmesh.azure.purview.account import find_purview_account
from sovereignmesh.azure.purview.unified import connect_unified
from sovereignmesh.catalog.unified.desired import DOMAIN, DRAFT, KINDS, PUBLISHED, compile_unified, unsaid
from sovereignmesh.catalog.unified.live import Live, as_wished
from sovereignmesh.plan import Item, Plan, diff, fold
from sovereignmesh.result import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import PurviewAccount
    from sovereignmesh.azure.purview.unified import UnifiedCatalog
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.plan import Key

__all__ = ["UnifiedPlan", "comparable", "plan_unified"]

_OURS: Final = frozenset({fold(DRAFT), fold(PUBLISHED)})  # another status is somebody's decision


@dataclass(frozen=True, repr=False)
class UnifiedPlan(Plan):
    """A plan for a tenant's Unified Catalog, which it was made for and in which it is applied."""

    catalog: UnifiedCatalog = dataclasses.field(kw_only=True, repr=False, compare=False)
    desired: tuple[Item, ...] = dataclasses.field(default=(), kw_only=True, repr=False)
    domains: tuple[str, ...] = dataclasses.field(default=(), kw_only=True, repr=False)


def plan_unified(
    azure: Azure,
    mesh: Mesh,
    account: str | PurviewAccount | None = None,
    *,
    prune: bool = False,
    progress: Callable[[Live], AbstractContextManager[object]] = nullcontext,
) -> UnifiedPlan:
    """What is to be done so that the Unified Catalog has the mesh's domains and products, published. Only reads.

    `account` is another than the mesh names: its name, its resource id, or as found before; the catalog is its
    tenant's, one for all of the tenant's accounts. `prune` also plans to delete products that the mesh does not wish,
    of domains that it knows; domains are never deleted. `progress` is a context in which the catalog is read, and is
    given what counts it.

    Raises MeshError where neither names an account; an `AzureError` where the tenant has no Unified Catalog
    (NotFoundError), where nobody knows whether it has one (DeniedError), and where its domains cannot be read. What
    else cannot be read is in the plan's `unread`.
    """
    named = mesh.purview_account if account is None else account
    found = find_purview_account(azure, named) if isinstance(named, str) else named
    catalog = connect_unified(azure, found)
    live = Live(catalog)
    with progress(live):
        live.read(mesh.domains)
    return _compared(found, mesh, live, prune=prune)


def _compared(account: PurviewAccount, mesh: Mesh, live: Live, *, prune: bool) -> UnifiedPlan:
    items = compile_unified(mesh)
    problems = [*_alike(mesh, items), *_twice(mesh, items, live)]
    kept = _ended(items, live)
    problems += [Problem(Location(str(mesh.path)), "$", _said(live.items[key]), "warning") for key in sorted(kept)]
    ours = {item.key: item for item in items if not item.needs & live.lost}
    wished = [_left(item) if {item.key, *item.needs} & kept else item for item in ours.values()]
    notes = ["the Unified Catalog is one for the tenant, whichever of its accounts is named", *unsaid(mesh)]
    if prune and live.unread:
        prune = False
        notes.append("nothing is deleted, since not all could be read")
    there = list(comparable(live, wished, prune=prune))
    changes = diff(wished, there, KINDS, prune=prune)
    touched = {change.key for change in changes if change.action != "delete"}
    return UnifiedPlan(
        target=f"{account.id}#unified-catalog",
        changes=tuple(changes),
        existing=len(there),
        unchanged=sum(item.key not in touched for item in wished),
        problems=tuple(sorted(problems)),
        unread=tuple(live.unread),
        notes=tuple(notes),
        catalog=live.catalog,
        desired=tuple(wished),
        domains=mesh.domains,
    )


def comparable(live: Live, wished: Iterable[Item], *, prune: bool) -> Iterator[Item]:
    """What is there as it is compared: with `prune` also what nobody wishes, but for domains, which always stay."""
    wishes = {item.key: item for item in wished}
    for key, item in live.items.items():
        if key in wishes or (prune and item.kind != DOMAIN):
            yield as_wished(item, wishes.get(key))


def _alike(mesh: Mesh, items: list[Item]) -> Iterator[Problem]:
    """Wished objects that would be one: a slash stands between a domain and its product, and may stand in names."""
    for key, count in Counter(item.key for item in items).items():
        if count > 1:
            yield Problem(Location(str(mesh.path)), "$", f"{count} objects would be the {key.kind} '{key.name}'")


def _twice(mesh: Mesh, items: list[Item], live: Live) -> Iterator[Problem]:
    """Wished objects whose name several have in the catalog, which lets names come twice."""
    for item in items:
        if item.key in live.twice:
            message = (
                f"several objects in the catalog are the {item.kind} '{item.name}', and nobody knows which is meant: "
                "rename or delete all but one in the portal"
            )
            yield Problem(Location(str(mesh.path)), "$", message)


def _ended(items: list[Item], live: Live) -> set[Key]:
    """What is wished and neither a draft nor published: what becomes of it is not for a plan to say."""
    return {
        item.key
        for item in items
        if (found := live.items.get(item.key)) is not None and fold(found.body["status"]) not in _OURS
    }


def _said(item: Item) -> str:
    inside = "; nor are new products of it" if item.kind == DOMAIN else ""
    return (
        f"the {item.kind} '{item.name}' is {item.body.get('status')} in the catalog: it is not published "
        f"again{inside}; where that is meant, do it in the portal"
    )


def _left(item: Item) -> Item:
    """A wish without publishing: what is there stays in its state, what is new is a draft."""
    return dataclasses.replace(item, body={name: value for name, value in item.body.items() if name != "status"})
