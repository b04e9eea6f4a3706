"""The Data Map's entities as they are written: made and changed, whole or in part, moved, classified and deleted."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import COLLECTIONS, TYPEDEFS, Account, routes
from sovereignmesh.sandbox.purview.answers import atlas_refusal
from sovereignmesh.sandbox.purview.asset_types import ASSET_TYPES, attributes_of, required_of
from sovereignmesh.sandbox.purview.assets import (
    CURATOR,
    ENTITIES,
    READERS,
    by_name,
    drop_entity,
    keep_entity,
    readable,
    writable,
)
from sovereignmesh.sandbox.purview.entities import entity_of, entity_of_call, header, parts_of
from sovereignmesh.sandbox.wire import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Refusal

__all__ = ["ROUTES"]

_MOST_CONTACTS: Final = 20  # of each type: the specification's
_CONTACTS: Final = ("Expert", "Owner")
_REFERENCES: Final = ("inputs", "outputs")  # attributes that refer to entities


def _bad(why: str) -> Refusal:
    return atlas_refusal(400, "ATLAS-400-00-01A", f"invalid parameters: {why}")


def _create_one(account: Account, call: Call, _: dict[str, str]) -> Reply:
    body = _object(call)
    return _write(account, call, [body.get("entity")], body.get("referredEntities"))


def _create_many(account: Account, call: Call, _: dict[str, str]) -> Reply:
    body = _object(call)
    given = body.get("entities")
    if not isinstance(given, list):
        raise _bad("entities must be a list")
    return _write(account, call, given, body.get("referredEntities"))


def _write(account: Account, call: Call, given: list[Any], referred: Any) -> Reply:
    """Makes or changes entities: all, or none where one is refused.

    Null and absent attributes stay as they are, which the specification says of partial updates alone; contacts
    replace those of the entity as a whole: undocumented. Classifications of what is there are left alone:
    https://github.com/Azure/azure-sdk-for-net/issues/30699.
    """
    given = [*given, *(referred or {}).values()]
    if not all(isinstance(one, dict) for one in given):
        raise _bad("an entity is no object")
    collection = _collection(account, call)
    assigned: dict[str, str] = {}
    made: dict[tuple[str, str], tuple[Body, Body | None]] = {}  # by type and qualified name, each once
    for one in given:
        name = (str(one.get("typeName")), str((one.get("attributes") or {}).get("qualifiedName")))
        if name not in made:
            made[name] = _matched(account, one, collection)
        assigned[str(one.get("guid") or f"-{time.time_ns()}{len(assigned)}")] = made[name][0]["guid"]
    for one in given:
        entity, before = made[str(one["typeName"]), str(one["attributes"]["qualifiedName"])]
        _fill(account, one, entity, assigned, new=before is None)
    done: dict[str, list[Body]] = {}
    for entity, before in made.values():
        keep_entity(account, entity)
        done.setdefault("CREATE" if before is None else "UPDATE", []).append(header(entity))
    return json_reply({"mutatedEntities": done, "guidAssignments": assigned})


def _matched(account: Account, given: Body, collection: str | None) -> tuple[Body, Body | None]:
    """The new body of an entity, still without what is given, and the one before it. Raises Refusal for a bad one."""
    kind, attributes = given.get("typeName"), given.get("attributes") or {}
    if kind not in ASSET_TYPES:
        raise atlas_refusal(400, "ATLAS-400-00-014", f"Type ENTITY with name {kind} does not exist")
    if not isinstance(attributes, dict):
        raise _bad("attributes must be an object")
    for owner, name in required_of(str(kind)):
        if attributes.get(name) in (None, ""):
            why = f"{owner}.{name}: mandatory attribute value missing in type {kind}"
            raise atlas_refusal(
                404, "ATLAS-404-00-007", f"Invalid instance creation/updation parameters passed : {why}"
            )
    guid, allowed = str(given.get("guid") or ""), writable(account)
    if guid and not guid.startswith("-"):
        before: Body | None = entity_of(account, guid, allowed)
    else:
        before = by_name(account, str(kind), str(attributes["qualifiedName"]))
        before = before and entity_of(account, before["guid"], allowed)
    where = collection or (before["collectionId"] if before else account.name)
    if where not in allowed:
        raise atlas_refusal(
            403, "ATLAS-403-00-001", f"{account.principal} is not authorized to perform this in collection {where}"
        )
    entity = _changed(account, before) if before else _new(account, str(kind))
    entity["collectionId"] = where
    return entity, before


def _new(account: Account, kind: str) -> Body:
    return {
        "typeName": kind,
        "attributes": {},
        "lastModifiedTS": "1",
        "guid": str(uuid.uuid4()),
        "status": "ACTIVE",
        "createdBy": account.principal,
        "updatedBy": account.principal,
        "createTime": _now(),
        "updateTime": _now(),
        "version": 0,
        "classifications": [],
    }


def _changed(account: Account, before: Body) -> Body:
    return {
        **before,
        "attributes": dict(before["attributes"]),
        "lastModifiedTS": str(int(before["lastModifiedTS"]) + 1),
        "updatedBy": account.principal,
        "updateTime": _now(),
    }


def _now() -> int:
    return time.time_ns() // 1_000_000


def _fill(account: Account, given: Body, entity: Body, assigned: dict[str, str], *, new: bool) -> None:
    """Puts into an entity what is given; attributes that its type has not are passed over, as Apache Atlas does."""
    known = attributes_of(entity["typeName"])
    for name, value in (given.get("attributes") or {}).items():
        if value is not None and name in known:
            _check_name(entity, name, value)
            entity["attributes"][name] = _references(account, value, assigned) if name in _REFERENCES else value
    relations = {
        name: _references(account, value, assigned) if isinstance(value, list) else _referred(account, value, assigned)
        for name, value in (given.get("relationshipAttributes") or {}).items()
        if value is not None
    }
    if relations:
        entity["relationshipAttributes"] = {**entity.get("relationshipAttributes", {}), **relations}
    if given.get("contacts") is not None:
        entity["contacts"] = _contacts(given["contacts"])
    if new:
        entity["classifications"] = _classified(account, entity["guid"], given.get("classifications") or [])
        if given.get("labels"):
            entity["labels"] = list(given["labels"])


def _contacts(given: Any) -> Body:
    if not isinstance(given, dict) or not given.keys() <= set(_CONTACTS):
        raise _bad("contacts must be an object with Expert and Owner")
    for kind, people in given.items():
        if not isinstance(people, list) or not all(isinstance(one, dict) and one.get("id") for one in people):
            raise _bad(f"contacts.{kind} must be a list of objects with an id")
        if len(people) > _MOST_CONTACTS:
            raise _bad(f"contacts.{kind} has more than {_MOST_CONTACTS} contacts")
    return given


def _classified(account: Account, guid: str, given: Any) -> list[Body]:
    """Classifications of an entity. Raises Refusal for one that is not defined, as no sensitivity label is."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise _bad("classifications must be a list of objects")
    for one in given:
        if account.get(TYPEDEFS, str(one.get("typeName"))) is None:
            raise atlas_refusal(404, "ATLAS-404-00-008", f"Given classification {one.get('typeName')} was invalid")
    return [{**one, "lastModifiedTS": "1", "entityGuid": guid, "entityStatus": "ACTIVE"} for one in given]


def _references(account: Account, given: Any, assigned: dict[str, str]) -> list[Body]:
    if not isinstance(given, list):
        raise _bad("references must be a list")
    return [_referred(account, one, assigned) for one in given]


def _referred(account: Account, given: Any, assigned: dict[str, str]) -> Body:
    """The reference to an entity that is there, or made by the same call. Raises Refusal for another."""
    if not isinstance(given, dict):
        raise atlas_refusal(400, "ATLAS-400-00-021", f"ObjectId is not valid {given}")
    guid = str(given.get("guid") or "")
    unique = given.get("uniqueAttributes")
    if guid:
        guid = assigned.get(guid, guid)
        if guid in assigned.values() or account.get(ENTITIES, guid) is not None:
            return {"guid": guid.lower()}
    elif isinstance(unique, dict):
        found = by_name(account, str(given.get("typeName")), str(unique.get("qualifiedName")))
        if found:
            return {"guid": found["guid"]}
    raise atlas_refusal(404, "ATLAS-404-00-00A", f"Referenced entity {guid or unique} is not found")


def _update_attribute(account: Account, call: Call, names: dict[str, str]) -> Reply:
    before = entity_of(account, names["guid"], writable(account))
    return _update(account, before, {call.query.get("name", ""): call.json()})


def _update_named(account: Account, call: Call, names: dict[str, str]) -> Reply:
    before = entity_of_call(account, call, names, writable(account))
    entity = _object(call).get("entity")
    given = entity.get("attributes") if isinstance(entity, dict) else None
    if not isinstance(given, dict):
        raise _bad("entity.attributes must be an object")
    return _update(account, before, given)


def _update(account: Account, before: Body, given: Body) -> Reply:
    """Changes attributes and nothing else.

    The refusal of another was seen: https://github.com/wjohnson/pyapacheatlas/issues/283.
    """
    entity = _changed(account, before)
    for name, value in given.items():
        if name not in attributes_of(entity["typeName"]):
            why = f"Attribute {name} not found for type {entity['typeName']}"
            raise atlas_refusal(400, "ATLAS-400-00-023", why)
        if value is None or isinstance(value, dict | list):
            raise atlas_refusal(400, "ATLAS-400-00-028", f"invalid value: {name}")
        if name == "qualifiedName" and value != entity["attributes"][name]:
            raise atlas_refusal(
                400, "ATLAS-400-00-027", f"{entity['typeName']}.{name} : attribute update not supported"
            )
        entity["attributes"][name] = value
    keep_entity(account, entity)
    told = [header(entity)]
    return json_reply({"mutatedEntities": {"UPDATE": told}, "partialUpdatedEntities": told})


def _check_name(entity: Body, attribute: str, value: Any) -> None:
    """Raises Refusal where an entity would get another qualified name. That none does is the sandbox's own rule."""
    if attribute == "qualifiedName" and value != entity["attributes"].get(attribute, value):
        why = f"{entity['typeName']}.{attribute} : attribute update not supported"
        raise atlas_refusal(400, "ATLAS-400-00-027", why)


def _delete_one(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return _delete(account, [entity_of(account, names["guid"], writable(account))])


def _delete_many(account: Account, call: Call, _: dict[str, str]) -> Reply:
    allowed = writable(account)
    return _delete(account, [entity_of(account, guid, allowed) for guid in dict.fromkeys(call.every("guid"))])


def _delete_named(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _delete(account, [entity_of_call(account, call, names, writable(account))])


def _delete(account: Account, found: Iterable[Body]) -> Reply:
    """Deletes entities with what they are made of."""
    gone: dict[str, Body] = {}
    for entity in found:
        gone |= {one["guid"]: one for one in itertools.chain((entity,), parts_of(account, entity))}
    for entity in gone.values():
        drop_entity(account, entity)
    return json_reply({"mutatedEntities": {"DELETE": [header(entity) for entity in gone.values()]}})


def _move(account: Account, call: Call, _: dict[str, str]) -> Reply:
    """Moves entities, with what they are made of, to a collection; the caller writes in both."""
    collection, guids = _collection(account, call), _object(call).get("entityGuids")
    if collection is None or not isinstance(guids, list):
        raise _bad("collectionId and entityGuids are required")
    allowed = writable(account)
    if collection not in allowed:
        raise atlas_refusal(
            403, "ATLAS-403-00-001", f"{account.principal} is not authorized to perform this in collection {collection}"
        )
    moved = [entity_of(account, str(guid), allowed) for guid in guids]
    done = [{**_changed(account, entity), "collectionId": collection} for entity in moved]
    for entity in done:
        keep_entity(account, entity)
        for part in parts_of(account, entity):
            keep_entity(account, {**part, "collectionId": collection})
    return json_reply({"mutatedEntities": {"UPDATE": [header(entity) for entity in done]}})


def _collection(account: Account, call: Call) -> str | None:
    """The collection that a call names, in lower case. Raises Refusal for one that is not there."""
    name = call.query.get("collectionid", "").lower()
    if name and account.get(COLLECTIONS, name) is None:
        raise _bad(f"collection {name} does not exist")
    return name or None


def _list_classifications(account: Account, _: Call, names: dict[str, str]) -> Reply:
    entity = entity_of(account, names["guid"], readable(account))
    return json_reply({"list": entity["classifications"]})


def _classify(account: Account, call: Call, names: dict[str, str]) -> Reply:
    _add(account, entity_of(account, names["guid"], writable(account)), call.json())
    return Reply(204)


def _classify_many(account: Account, call: Call, _: dict[str, str]) -> Reply:
    body, allowed = _object(call), writable(account)
    guids = body.get("entityGuids")
    if not isinstance(guids, list):
        raise _bad("entityGuids must be a list")
    for entity in [entity_of(account, str(guid), allowed) for guid in guids]:
        _add(account, entity, [body.get("classification")])
    return Reply(204)


def _add(account: Account, before: Body, given: Any) -> None:
    added = _classified(account, before["guid"], given)
    held = {one["typeName"] for one in before["classifications"]}
    if twice := held & {one["typeName"] for one in added}:
        why = f"instance {before['guid']} already is associated with classification {min(twice)}"
        raise atlas_refusal(400, "ATLAS-400-00-01B", why)
    keep_entity(account, {**_changed(account, before), "classifications": [*before["classifications"], *added]})


def _declassify(account: Account, _: Call, names: dict[str, str]) -> Reply:
    before = entity_of(account, names["guid"], writable(account))
    left = [one for one in before["classifications"] if one["typeName"] != names["name"]]
    if len(left) == len(before["classifications"]):
        why = f"Classification {names['name']} is not associated with entity"
        raise atlas_refusal(400, "ATLAS-400-00-06D", why)
    keep_entity(account, {**_changed(account, before), "classifications": left})
    return Reply(204)


def _object(call: Call) -> Body:
    body = call.json()
    if not isinstance(body, dict):
        raise _bad("the body is no object")
    return body


_GUID: Final = r"/atlas/v2/entity/guid/(?P<guid>[^/]+)"
_NAMED: Final = r"/atlas/v2/entity/uniqueAttribute/type/(?P<type>[^/]+)"
ROUTES: Final = routes(
    "/datamap/api",
    ("POST", r"/atlas/v2/entity", _create_one, CURATOR),
    ("POST", r"/atlas/v2/entity/bulk", _create_many, CURATOR),
    ("DELETE", r"/atlas/v2/entity/bulk", _delete_many, CURATOR),
    ("POST", r"/atlas/v2/entity/bulk/classification", _classify_many, CURATOR),
    ("PUT", _GUID, _update_attribute, CURATOR),
    ("DELETE", _GUID, _delete_one, CURATOR),
    ("GET", rf"{_GUID}/classifications", _list_classifications, READERS),
    ("POST", rf"{_GUID}/classifications", _classify, CURATOR),
    ("DELETE", rf"{_GUID}/classification/(?P<name>[^/]+)", _declassify, CURATOR),
    ("PUT", _NAMED, _update_named, CURATOR),
    ("DELETE", _NAMED, _delete_named, CURATOR),
    ("POST", r"/entity/moveTo", _move, CURATOR),
)
