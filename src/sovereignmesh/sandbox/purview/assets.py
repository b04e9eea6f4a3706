"""The entities of an account's Data Map: how they are kept, found by their names, and come with an estate."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.purview.account import COLLECTIONS, TYPEDEFS
from sovereignmesh.sandbox.purview.asset_types import ASSET_TYPES, above
from sovereignmesh.sandbox.purview.policies import permitted
from sovereignmesh.sandbox.purview.typedefs import give_classification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.sandbox.purview.account import Account
    from sovereignmesh.sandbox.purview.objects import Body

__all__ = [
    "CURATOR",
    "ENTITIES",
    "PROCESSES",
    "READERS",
    "STALE",
    "by_name",
    "drop_entity",
    "give_assets",
    "guid_of",
    "keep_entity",
    "readable",
    "writable",
]

ENTITIES: Final = "entities"  # by guid, as the service answers them
PROCESSES: Final = "processes"  # by guid, which entities data goes through
NAMES: Final = "entitynames"  # by `name_key`, the guid of who has that name
STALE: Final = "staleindex"  # by guid, what the search index still says of an entity
READERS: Final = frozenset({"purview-reader", "data-curator"})
CURATOR: Final = frozenset({"data-curator"})
_MADE: Final = 1741767342173  # milliseconds


def readable(account: Account) -> frozenset[str]:
    """The collections whose assets the caller may read.

    Only those are found: https://learn.microsoft.com/purview/how-to-search-catalog
    """
    return permitted(account, READERS)


def writable(account: Account) -> frozenset[str]:
    """The collections whose assets the caller may change."""
    return permitted(account, CURATOR)


def name_key(kind: str, qualified_name: str) -> str:
    """The key of a name, which is one of a type's."""
    return guid_of(f"{kind}\n{qualified_name}")


@lru_cache(maxsize=1 << 14)
def guid_of(name: str) -> str:
    """An id that is always the same for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def by_name(account: Account, kind: str, qualified_name: str) -> Body | None:
    """The entity of that type and name, None where there is none."""
    found = account.get(NAMES, name_key(kind, qualified_name))
    return account.get(ENTITIES, found["guid"]) if found else None


def keep_entity(account: Account, entity: Body) -> None:
    """Keeps an entity that was written, from then on under its name too; search learns of it."""
    guid = entity["guid"]
    account.put(ENTITIES, guid, entity)
    account.put(NAMES, name_key(entity["typeName"], entity["attributes"]["qualifiedName"]), {"guid": guid})
    if "Process" in above(entity["typeName"]):
        account.put(PROCESSES, guid, {"guid": guid})
    account.drop(STALE, guid)


def drop_entity(account: Account, entity: Body) -> None:
    """Forgets an entity and its name."""
    account.drop(NAMES, name_key(entity["typeName"], entity["attributes"]["qualifiedName"]))
    for shelf in (ENTITIES, PROCESSES, STALE):
        account.drop(shelf, entity["guid"])


def give_assets(account: Account, assets: Iterable[Body]) -> None:
    """Puts the assets of an estate into its account, with their columns and what search does not know of them yet.

    An asset is an entity as it is sent, with `collectionId`, and for short: its classifications are names, `columns`
    are (name, type of data, names of classifications), and `index` is what the search index has in place of the hit's
    own. Raises SandboxError for a type or a collection that is not there.
    """
    for asset in assets:
        name, kind, collection = (asset["attributes"]["qualifiedName"], asset["typeName"], asset["collectionId"])
        if kind not in ASSET_TYPES or account.get(COLLECTIONS, collection) is None:
            raise SandboxError(f"{account.name}: {name}: no type {kind!r} or no collection {collection!r} is there")
        entity = _given(account, asset)
        _give(account, entity)
        columns = [_column(entity, *column) for column in asset.get("columns", ())]
        if columns:
            entity["relationshipAttributes"] = {"columns": [{"guid": column["guid"]} for column in columns]}
        for column in columns:
            _give(account, column)
        if "index" in asset:
            account.objects.give(f"{account.name}/{STALE}", entity["guid"], {"id": entity["guid"], **asset["index"]})


def _give(account: Account, entity: Body) -> None:
    guid = entity["guid"]
    key = name_key(entity["typeName"], entity["attributes"]["qualifiedName"])
    account.objects.give(f"{account.name}/{ENTITIES}", guid, entity)
    account.objects.give(f"{account.name}/{NAMES}", key, {"guid": guid})
    for own in entity["classifications"]:
        if account.get(TYPEDEFS, own["typeName"]) is None and not own["typeName"].upper().startswith("MICROSOFT."):
            give_classification(account, own["typeName"])


def _given(account: Account, asset: Body) -> Body:
    return _entity(
        account.name,
        asset["typeName"],
        asset["attributes"],
        asset["collectionId"],
        asset.get("classifications", ()),
        {key: asset[key] for key in ("contacts", "labels") if key in asset},
    )


def _column(table: Body, name: str, data_type: str, classifications: Iterable[str]) -> Body:
    attributes = {
        "qualifiedName": f"{table['attributes']['qualifiedName']}#{name}",
        "name": name,
        "data_type": data_type,
    }
    own = {"relationshipAttributes": {"table": {"guid": table["guid"]}}}
    return _entity("", "azure_sql_column", attributes, table["collectionId"], classifications, own)


def _entity(  # noqa: PLR0917 - the parts of an entity
    salt: str, kind: str, attributes: Body, collection: str, classifications: Iterable[str], more: Body
) -> Body:
    guid = guid_of(f"{salt}{kind} {attributes['qualifiedName']}")
    return {
        "typeName": kind,
        "attributes": {"owner": None, "description": None, **attributes},
        "lastModifiedTS": "1",
        "guid": guid,
        "status": "ACTIVE",
        "createdBy": "ServiceAdmin",
        "updatedBy": "ServiceAdmin",
        "createTime": _MADE,
        "updateTime": _MADE,
        "version": 0,
        "collectionId": collection,
        "classifications": list(_classified(guid, classifications)),
        **more,
    }


def _classified(guid: str, names: Iterable[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        yield {"typeName": name, "lastModifiedTS": "1", "entityGuid": guid, "entityStatus": "ACTIVE"}
