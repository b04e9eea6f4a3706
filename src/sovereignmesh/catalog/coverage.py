"""What of a catalog was read, and what was not, for all that the caller can know."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.catalog.reading import NO_TERMS, WORKERS
from sovereignmesh.errors import AzureError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sovereignmesh.azure.purview import Scan
    from sovereignmesh.catalog.opening import Catalog
    from sovereignmesh.catalog.reading import CatalogReading
    from sovereignmesh.result import Scope

__all__ = ["holes", "scopes_of", "unplaced"]


def scopes_of(catalog: Catalog, reading: CatalogReading) -> tuple[Scope, ...]:
    """What was read of each collection that the caller sees. Where one seems empty, asks what is scanned into it."""
    scopes = reading.scopes(catalog.places.title)
    empty = [scope.id for scope in scopes if scope.state == "read" and not scope.read]
    # Which scans may lead there: the service refuses a collection that is not the source's, nor below it, with
    # Scan_CollectionOutOfBound. One that has sources itself is in doubt without them.
    above = {name: _sources_above(catalog, name) for name in empty if name.casefold() not in catalog.sources}
    scans = _scans_of(catalog, (source for sources in above.values() for source in sources))
    return tuple(
        _doubted(catalog, scope, {source: scans[source] for source in above.get(scope.id, ())})
        if scope.id in empty
        else scope
        for scope in scopes
    )


def _sources_above(catalog: Catalog, collection: str) -> list[str]:
    return [source for name in catalog.places.above(collection) for source in catalog.sources.get(name, ())]


def _scans_of(catalog: Catalog, sources: Iterable[str]) -> dict[str, list[Scan] | AzureError]:
    """The scans of each source, or why they could not be read."""
    purview = catalog.purview
    late = DeadlineError("the time given was up, or the run was stopped")
    found: dict[str, list[Scan] | AzureError] = dict.fromkeys(sources, late)

    def read(source: str) -> Iterator[tuple[str, list[Scan] | AzureError]]:
        try:
            yield source, list(purview.scans.list(source))
        except AzureError as error:
            yield source, error

    tasks = [partial(read, source) for source in found]
    found.update(in_parallel(tasks, WORKERS, stopped=lambda: purview.azure.pace.stopped))
    return found


def _doubted(catalog: Catalog, scope: Scope, scans: Mapping[str, list[Scan] | AzureError]) -> Scope:
    """A collection without one asset that is seen, and assets may be in it: who lacks a role there sees the same."""
    name = scope.id.casefold()
    into = [
        f"{source}/{scan.name}"
        for source, found in scans.items()
        if not isinstance(found, AzureError)
        for scan in found
        if scan.collection.casefold() == name
    ]
    unread = {source: error for source, error in scans.items() if isinstance(error, AzureError)}
    if names := catalog.sources.get(name, ()):
        why = f"no asset of its sources ({', '.join(names)}) is seen: not scanned yet, or you lack Data Reader there"
    elif into:
        why = f"no asset of the scans into it ({', '.join(into)}) is seen: not run yet, or you lack Data Reader there"
    elif catalog.error is not None:
        why = f"no asset is seen, and whether it has sources could not be read: {catalog.error}"
    elif unread:
        first = next(iter(unread.values()))
        why = f"no asset is seen, and whether a scan of {', '.join(unread)} leads into it could not be read: {first}"
    else:
        return scope
    return dataclasses.replace(scope, state="partial", reason=why)


def holes(catalog: Catalog, reading: CatalogReading) -> Iterator[tuple[str, str]]:
    """What no collection that the caller sees tells of, and why nobody knows it."""
    for title in catalog.unseen:
        yield f"the collection {title}", "the mesh wishes it, and it is not there, or you have no role in it"
    name, seen = catalog.purview.account.name, reading.total
    if reading.unread:
        count, (why, _) = sum(number for _, number in reading.unread), reading.unread[0]
        yield f"{count:,} assets", f"they could not be looked up themselves: {why}"
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
