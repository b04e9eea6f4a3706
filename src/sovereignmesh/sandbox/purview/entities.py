"""The Data Map's entities as they are read: by guid or by name, one or many, with what they refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from sovereignmesh.sandbox.purview.account import Account, routes
from sovereignmesh.sandbox.purview.answers import atlas_refusal
from sovereignmesh.sandbox.purview.asset_types import ASSET_TYPES
from sovereignmesh.sandbox.purview.assets import ENTITIES, PROCESSES, READERS, by_name, guid_of, readable
from sovereignmesh.sandbox.wire import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call

__all__ = ["ROUTES", "entity_header", "entity_of", "entity_of_call", "header", "parts_of"]

# https://learn.microsoft.com/dotnet/api/microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits.maxrequestlinesize:
# that Purview is behind Kestrel was recorded, that it keeps this limit is inferred.
_LINE: Final = 8192  # bytes of a request's first line
_NAMED: Final = re.compile(r"attr(?:_\d+)?:(?P<attribute>\w+)")
_UNIQUE: Final = "qualifiedName"
_TRUE: Final = "true"
# What entities are related to where it is nothing: lists, and the schema of a file, which is null (Entity_Get.json).
_SCHEMA: Final = "tabular_schema"
_RELATIONS: Final = ("inputToProcesses", "outputFromProcesses", "meanings", "schema", "attachedSchema")


def entity_of(account: Account, guid: str, allowed: frozenset[str]) -> Body:
    """The entity of a guid. Raises Refusal where there is none, or none in the collections that are `allowed`.

    Codes and words are Apache Atlas' own: its AtlasErrorCode.java.
    """
    found = account.get(ENTITIES, guid)
    if found is None:
        raise atlas_refusal(404, "ATLAS-404-00-005", f"Given instance guid {guid} is invalid/not found")
    return _allowed(account, found, allowed)


def _allowed(account: Account, entity: Body, allowed: frozenset[str]) -> Body:
    if entity["collectionId"] not in allowed:
        what = f"{account.principal} is not authorized to perform this on entity: guid={entity['guid']}"
        raise atlas_refusal(403, "ATLAS-403-00-001", what)
    return entity


def entity_of_call(account: Account, call: Call, names: dict[str, str], allowed: frozenset[str]) -> Body:
    """The entity that a call's path and its attribute name. Raises Refusal where there is none."""
    wanted = _named_in(call)
    if len(wanted) != 1:
        raise atlas_refusal(400, "ATLAS-400-00-01A", "invalid parameters: one attr:qualifiedName is required")
    return _by_name(account, names["type"], wanted[0], allowed)


def _named_in(call: Call) -> list[str]:
    """The qualified names in a call's query. Raises Refusal for another attribute."""
    found = []
    for key, value in call.pairs:
        named = _NAMED.fullmatch(key)
        if named and named["attribute"].lower() != _UNIQUE.lower():
            raise atlas_refusal(
                400, "ATLAS-400-00-013", f"Type with unique attribute {named['attribute']} does not exist"
            )
        if named:
            found.append(value)
    return found


def _by_name(account: Account, kind: str, name: str, allowed: frozenset[str]) -> Body:
    if kind not in ASSET_TYPES:
        raise atlas_refusal(404, "ATLAS-404-00-001", f"Given typename {kind} was invalid")
    found = by_name(account, kind, name)
    if found is None:
        raise atlas_refusal(
            404, "ATLAS-404-00-009", f"Instance {kind} with unique attribute {{{_UNIQUE}={name}}} does not exist"
        )
    return _allowed(account, found, allowed)


def header(entity: Body) -> Body:
    """The short form of an entity in the answers to writes."""
    keys = ("typeName", "lastModifiedTS", "guid", "status")
    name = {_UNIQUE: entity["attributes"][_UNIQUE]}
    return {"attributes": name, **{key: entity[key] for key in keys}}


def _list(account: Account, call: Call, _: dict[str, str]) -> Reply:
    """Many entities. One that is not there makes Apache Atlas refuse all; what Purview does is undocumented."""
    if len(f"GET {call.path}?{urlencode(call.pairs)} HTTP/1.1\r\n") > _LINE:
        return Reply(414, b"", {"Content-Type": "text/plain"})
    guids = list(dict.fromkeys(guid.lower() for guid in call.every("guid")))
    if not guids:
        raise atlas_refusal(400, "ATLAS-400-00-01A", "invalid parameters: no guid is given")
    allowed = readable(account)
    return _answer(account, call, [entity_of(account, guid, allowed) for guid in guids], many=True)


def _get(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _answer(account, call, [entity_of(account, names["guid"], readable(account))])


def entity_header(entity: Body) -> Body:
    """An entity without all that it is made of; `collectionId` was recorded in lineage."""
    return {
        **header(entity),
        "displayText": entity["attributes"].get("name"),
        "classificationNames": [one["typeName"] for one in entity["classifications"]],
        "classifications": entity["classifications"],
        "collectionId": entity["collectionId"],
        "labels": entity.get("labels", []),
        "meaningNames": [],
        "meanings": [],
    }


def _header(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(entity_header(entity_of(account, names["guid"], readable(account))))


def _get_named(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _answer(account, call, [entity_of_call(account, call, names, readable(account))])


def _list_named(account: Account, call: Call, names: dict[str, str]) -> Reply:
    allowed = readable(account)
    found = [_by_name(account, names["type"], name, allowed) for name in _named_in(call)]
    return _answer(account, call, found, many=True)


def _answer(account: Account, call: Call, found: list[Body], *, many: bool = False) -> Reply:
    related = call.query.get("ignorerelationships", "").lower() != _TRUE
    minimal = call.query.get("minextinfo", "").lower() == _TRUE
    # What a table is made of comes with it; recorded with `ignoreRelationships` there is none of it.
    flows = _flows(account) if related else None
    parts = [part for entity in found for part in parts_of(account, entity)] if related else []
    referred = {part["guid"]: _minimal(part) if minimal else _shown(account, part, flows) for part in parts}
    shown = [_shown(account, entity, flows) for entity in found]
    return json_reply({"referredEntities": referred, **({"entities": shown} if many else {"entity": shown[0]})})


def parts_of(account: Account, entity: Body) -> Iterator[Body]:
    """What an entity is made of: the columns of a table."""
    name = ASSET_TYPES[entity["typeName"]].parts
    return _there(account, entity.get("relationshipAttributes", {}).get(name) or ())


def _there(account: Account, references: Iterable[Body]) -> Iterator[Body]:
    for reference in references:
        found = account.get(ENTITIES, reference["guid"])
        if found is not None:
            yield found


def _minimal(entity: Body) -> Body:
    """With its unique attributes and its name, as Apache Atlas' EntityGraphRetriever answers; the rest is left out."""
    attributes = {key: entity["attributes"].get(key) for key in (_UNIQUE, "name")}
    return {key: attributes if key == "attributes" else entity[key] for key in ("typeName", "attributes", "guid")}


def _flows(account: Account) -> dict[str, dict[str, list[Body]]]:
    """The processes next to each entity, by the name of the relationship."""
    found: dict[str, dict[str, list[Body]]] = {}
    for process in _there(account, account.all(PROCESSES).values()):
        for key, relation in (("inputs", "inputToProcesses"), ("outputs", "outputFromProcesses")):
            for end in process["attributes"].get(key) or ():
                found.setdefault(end["guid"], {}).setdefault(relation, []).append(process)
    return found


def _shown(account: Account, entity: Body, flows: dict[str, dict[str, list[Body]]] | None) -> Body:
    """An entity as it is answered: references with what they refer to, lists that are empty as recorded."""
    shown = {key: value for key, value in entity.items() if key != "relationshipAttributes"}
    ends = {
        key: [_unique(one) for one in _there(account, entity["attributes"][key])]
        for key in ("inputs", "outputs")
        if key in entity["attributes"]
    }
    shown["attributes"] = {**entity["attributes"], **ends}
    if flows is None:
        return shown
    own = entity.get("relationshipAttributes", {})
    empty: Body = {_SCHEMA: None, **{name: [] for name in _RELATIONS}}
    relations = {
        key: [_reference(entity, one) for one in _there(account, value)]
        if isinstance(value, list)
        else next((_reference(entity, one) for one in _there(account, [value])), None)
        for key, value in own.items()
    }
    processes = {key: [_reference(entity, one) for one in many] for key, many in flows.get(entity["guid"], {}).items()}
    return {**shown, "relationshipAttributes": {**empty, **relations, **processes}}


def _unique(entity: Body) -> Body:
    name = {_UNIQUE: entity["attributes"][_UNIQUE]}
    return {"guid": entity["guid"], "typeName": entity["typeName"], "uniqueAttributes": name}


def _reference(of: Body, entity: Body) -> Body:
    """What an entity says of another that it is related to."""
    between = "/".join(sorted((of["guid"], entity["guid"])))
    return {
        "guid": entity["guid"],
        "typeName": entity["typeName"],
        "displayText": entity["attributes"].get("name"),
        "entityStatus": entity["status"],
        "relationshipGuid": guid_of(between),
        "relationshipStatus": "ACTIVE",
    }


ROUTES: Final = routes(
    "/datamap/api/atlas/v2/entity",
    ("GET", r"/bulk", _list, READERS),
    ("GET", r"/bulk/uniqueAttribute/type/(?P<type>[^/]+)", _list_named, READERS),
    ("GET", r"/guid/(?P<guid>[^/]+)", _get, READERS),
    ("GET", r"/guid/(?P<guid>[^/]+)/header", _header, READERS),
    ("GET", r"/uniqueAttribute/type/(?P<type>[^/]+)", _get_named, READERS),
)
