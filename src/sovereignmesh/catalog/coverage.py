"""What of a catalog was read, and what was not, for all that the caller can know."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sovereignmesh.catalog.reading import NO_TERMS
from sovereignmesh.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.catalog.opening import Catalog
    from sovereignmesh.catalog.reading import CatalogReading
    from sovereignmesh.result import Scope

__all__ = ["holes", "scopes_of", "unplaced"]


def scopes_of(catalog: Catalog, reading: CatalogReading) -> tuple[Scope, ...]:
    """What was read of each collection that the caller sees."""
    return tuple(_doubted(catalog, scope) for scope in reading.scopes(catalog.places.title))


def _doubted(catalog: Catalog, scope: Scope) -> Scope:
    """A collection with sources and not one asset that is seen: nobody can tell it from a role that is missing."""
    if scope.state != "read" or scope.read:
        return scope
    names = catalog.sources.get(scope.id.casefold(), ())
    if names:
        why = f"no asset of its sources ({', '.join(names)}) is seen: not scanned yet, or you lack Data Reader there"
    elif catalog.error is not None:
        why = f"no asset is seen, and whether it has sources could not be read: {catalog.error}"
    else:
        return scope
    return dataclasses.replace(scope, state="partial", reason=why)


def holes(catalog: Catalog, reading: CatalogReading) -> Iterator[tuple[str, str]]:
    """What no collection that the caller sees tells of, and why nobody knows it."""
    for title in catalog.unseen:
        yield f"the collection {title}", "the mesh wishes it, and it is not there, or you have no role in it"
    name, seen = catalog.purview.account.name, reading.total
    if not catalog.collections:
        yield name, "you see no collection: have the role Data Reader assigned to you in its collections"
    try:
        page = catalog.purview.data_map.search(NO_TERMS, limit=1)
    except AzureError as error:
        yield name, f"the account's assets could not be counted: {error}"
        return
    if page.total != seen:  # those of a collection that nobody listed, or written meanwhile
        about = "about " if page.approximate else ""
        yield (
            name,
            f"the search counts {about}{page.total:,} assets in the account, {seen:,} in the collections you see",
        )


def unplaced(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Which products' assets cannot be told from others, and why."""
    why = (
        f"the sources could not be read: {catalog.error}" if catalog.error else "the account has no source of that name"
    )
    for product, name in catalog.places.unknown:
        yield f"the assets of the source {name}, of {product.name}", why
    for product in catalog.places.unclaimed:
        lacks = (
            "it says what may be found in it, and neither `sources` nor `interfaces` with an address say where it is"
        )
        yield f"the assets of {product.name}", lacks
