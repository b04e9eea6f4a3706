"""What search finds of the Data Map's entities: a document for each asset, as the index has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.asset_types import ASSET_TYPES
from sovereignmesh.sandbox.purview.assets import ENTITIES, STALE, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sovereignmesh.sandbox.purview.account import Account
    from sovereignmesh.sandbox.purview.objects import Body

__all__ = ["LABEL", "find_hits"]

LABEL: Final = "microsoft.label."  # how the classification begins that is a sensitivity label
_CONTACTS: Final = ("Expert", "Owner")


def find_hits(account: Account, *, goes_on: bool) -> Iterator[tuple[Body, Body]]:
    """The (hit, entity) of each asset that the caller may find, as the index knows it.

    The index lags behind writes where `Objects` does; a search that `goes_on` is still one read of it.
    """
    shelf = f"{account.name}/"
    entities = {body["guid"]: body for body in account.objects.listed(shelf + ENTITIES, goes_on=goes_on)}
    stale = {body["id"]: body for body in account.objects.listed(shelf + STALE, goes_on=goes_on)}
    allowed = readable(account)
    for guid, entity in entities.items():
        if entity["collectionId"] in allowed and _type(entity).found:
            yield {**_hit(entity, entities), **stale.get(guid, {})}, entity


def _type(entity: Body) -> Any:
    return ASSET_TYPES[entity["typeName"]]


def _hit(entity: Body, entities: Mapping[str, Body]) -> Body:
    """The document of an asset.

    The names are those of the specification and of recorded hits, which have `collectionId` besides, and labels apart
    from classifications: https://github.com/tayganr/purviewcli (doc/commands/search/query.md). That a table's hit has
    the classifications of its columns, the example Discovery_Query_Classification shows.
    """
    attributes, kind = entity["attributes"], _type(entity)
    parts = entity.get("relationshipAttributes", {}).get(kind.parts) or ()
    columns = [entities[part["guid"]] for part in parts if part["guid"] in entities]
    names = _classifications((entity, *columns))
    folder = attributes.get("isFile") is False
    return {
        "@search.score": 1.0,
        "@search.highlights": None,
        "objectType": ("Folders" if folder else kind.object_type) or None,
        "createTime": entity["createTime"],
        "updateTime": entity["updateTime"],
        "id": entity["guid"],
        "qualifiedName": attributes["qualifiedName"],
        "name": attributes.get("name"),
        "description": attributes.get("userDescription") or attributes.get("description"),
        "owner": attributes.get("owner"),
        "entityType": entity["typeName"],
        "collectionId": entity["collectionId"],
        "classification": [name for name in names if not name.lower().startswith(LABEL)],
        "label": [name for name in _classifications((entity,)) if name.lower().startswith(LABEL)],
        "assetType": [name for name in (*kind.also, kind.service) if name],
        "term": [],
        "contact": list(_contacts(entity)),
    }


def _classifications(entities: Iterable[Body]) -> list[str]:
    """The names of the entities' classifications, each once."""
    return list(dict.fromkeys(own["typeName"] for entity in entities for own in entity.get("classifications") or ()))


def _contacts(entity: Body) -> Iterator[Body]:
    contacts = entity.get("contacts") or {}
    for kind in _CONTACTS:
        for contact in contacts.get(kind) or ():
            yield {**contact, "contactType": kind}
