"""What stands around the assets of an account: its collections and sources, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.catalog.placing import Places
from sovereignmesh.errors import AzureError, DeadlineError, SignInError
from sovereignmesh.mesh.purview_references import collections_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Collection, Purview, PurviewAccount, Source
    from sovereignmesh.mesh import Mesh

__all__ = ["Catalog", "open_catalog"]


class Catalog(NamedTuple):
    """An account, whose its assets are, its collections, and the names of the sources in each.

    `error` is why the sources could not be read, None where they were; `unseen` are the collections that the mesh
    wishes in this account and that were not listed.
    """

    purview: Purview
    places: Places
    collections: list[Collection]
    sources: dict[str, list[str]]
    error: AzureError | None
    unseen: tuple[str, ...]


def open_catalog(azure: Azure, mesh: Mesh, account: str | PurviewAccount | None) -> Catalog:
    """The account's catalog. Raises MeshError where nobody names the account, an AzureError where it cannot be read."""
    purview = connect_purview(mesh.purview_account if account is None else account, azure)
    collections = list(purview.collections.list())
    sources: list[Source] = []
    error = None
    try:
        sources = list(purview.sources.list())
    except (SignInError, DeadlineError):
        raise
    except AzureError as failure:
        error = failure
    inside: dict[str, list[str]] = {}
    for source in sources:
        inside.setdefault(source.collection.casefold(), []).append(source.name)
    unseen = tuple(_unseen(mesh, purview, collections))
    return Catalog(purview, Places(mesh, collections, sources), collections, inside, error, unseen)


def _unseen(mesh: Mesh, purview: Purview, collections: Iterable[Collection]) -> Iterator[str]:
    if mesh.purview is None or mesh.purview.model.account.casefold() not in _names(purview):
        return
    seen = {name.casefold() for one in collections for name in (one.name, one.friendly_name)}
    for wish, _, _ in collections_in(mesh.purview.model):
        if wish.name.casefold() not in seen and (wish.friendly_name or wish.name).casefold() not in seen:
            yield wish.friendly_name or wish.name


def _names(purview: Purview) -> tuple[str, str]:
    return purview.account.name.casefold(), purview.account.id.casefold()
