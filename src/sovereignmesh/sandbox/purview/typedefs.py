"""The Data Map's types: the classifications, and those of entities as they come with an account."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, TYPEDEFS, Account, routes
from sovereignmesh.sandbox.purview.answers import atlas_refusal, gone
from sovereignmesh.sandbox.purview.asset_types import ASSET_TYPES
from sovereignmesh.sandbox.wire import Refusal, json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES", "give_classification", "give_types"]

_CURATOR: Final = frozenset({"data-curator", "data-source-administrator"})
_GROUPS: Final = ("enumDefs", "structDefs", "classificationDefs", "entityDefs", "relationshipDefs")
_OURS: Final = "classificationDefs"
_CATEGORY, _ENTITY = "CLASSIFICATION", "ENTITY"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ .]*")
_MADE: Final = 1615361058210  # milliseconds
_TYPES_OF: Final = {
    **dict.fromkeys(("createTime", "modifiedTime", "lastRunTime"), "date"),
    **dict.fromkeys(("size", "totalSizeBytes", "partitionCount", "schemaCount"), "long"),
    **dict.fromkeys(("inputs", "outputs"), "array<DataSet>"),
    "isFile": "boolean",
    "length": "int",
}
# A dozen of the system's own.
_SYSTEM: Final = {
    "MICROSOFT.PERSONAL.EMAIL": "Email Address",
    "MICROSOFT.PERSONAL.EU.PHONE_NUMBER": "EU Phone Number",
    "MICROSOFT.PERSONAL.US.PHONE_NUMBER": "U.S. Phone Number",
    "MICROSOFT.PERSONAL.NAME": "Person's Name",
    "MICROSOFT.PERSONAL.DATE_OF_BIRTH": "Date of Birth",
    "MICROSOFT.PERSONAL.IPADDRESS": "IP Address",
    "MICROSOFT.GOVERNMENT.US.SOCIAL_SECURITY_NUMBER": "U.S. Social Security Number (SSN)",
    "MICROSOFT.GOVERNMENT.US.PASSPORT_NUMBER": "U.S. Passport Number",
    "MICROSOFT.GOVERNMENT.EU.NATIONAL_ID_NUMBER": "EU National Identification Number",
    "MICROSOFT.GOVERNMENT.CITY_NAME": "World Cities",
    "MICROSOFT.FINANCIAL.CREDIT_CARD_NUMBER": "Credit Card Number",
    "MICROSOFT.FINANCIAL.INTERNATIONAL_BANK_ACCOUNT_NUMBER": "International Banking Account Number (IBAN)",
}


def give_types(account: Account) -> None:
    """Makes the system's classifications, which nobody writes."""
    for name, label in _SYSTEM.items():
        give_classification(account, name, label)


def give_classification(account: Account, name: str, label: str = "") -> None:
    """Makes a classification that comes with the account; `label` is its name to read, where it has one."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{account.name}/{name}"))
    given = {"name": name, "description": label, "options": {"displayName": label} if label else None}
    account.objects.give(f"{account.name}/{TYPEDEFS}", name, _typedef(given, identity, "admin", _MADE))


def _typedef(given: Body, identity: str, who: str, when: int) -> Body:
    return {
        "category": _CATEGORY,
        "guid": identity,
        "createdBy": who,
        "updatedBy": who,
        "createTime": when,
        "updateTime": when,
        "version": 1,
        "name": given["name"],
        "description": str(given.get("description") or given["name"]),
        "typeVersion": str(given.get("typeVersion") or "1.0"),
        "lastModifiedTS": "1",
        **({"options": given["options"]} if given.get("options") else {}),
        **{key: given.get(key) or [] for key in ("attributeDefs", "superTypes", "entityTypes")},
        "subTypes": [],
    }


def _wanted(account: Account, call: Call) -> list[Body]:
    """The types of the category that a call asks for, all where it asks for none."""
    category = call.query.get("type", "").upper()
    found = account.listed(TYPEDEFS, call) if category in ("", _CATEGORY) else []
    return found + ([_entity_type(name) for name in ASSET_TYPES] if category in ("", _ENTITY) else [])


def _list(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return json_reply(_grouped(_wanted(account, call)))


def _headers(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return json_reply([{key: body[key] for key in ("category", "guid", "name")} for body in _wanted(account, call)])


def _entity_type(name: str) -> Body:
    """A type of entities, which comes with every account and which nobody changes here."""
    kind = ASSET_TYPES[name]
    body = _typedef({"name": name, "superTypes": list(kind.supers)}, _guid_of(name), "admin", _MADE)
    return {
        **{key: value for key, value in body.items() if key != "entityTypes"},
        "category": _ENTITY,
        "serviceType": kind.service or "atlas_core",
        "subTypes": [other for other, one in ASSET_TYPES.items() if name in one.supers],
        **({"options": {"schemaElementsAttribute": kind.parts}} if kind.parts else {}),
        "attributeDefs": [_attribute(own, required=own in kind.required) for own in kind.attributes],
        "relationshipAttributeDefs": [_columns(name, kind.parts)] if kind.parts else [],
    }


def _guid_of(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def _attribute(name: str, *, required: bool) -> Body:
    return {
        "name": name,
        "typeName": _TYPES_OF.get(name, "string"),
        "isOptional": not required,
        "cardinality": "SINGLE",
        "valuesMinCount": int(required),
        "valuesMaxCount": 1,
        "isUnique": name == "qualifiedName",
        "isIndexable": name in ("qualifiedName", "name"),
        "includeInNotification": False,
    }


# https://learn.microsoft.com/purview/data-gov-api-custom-types
def _columns(table: str, name: str) -> Body:
    return {
        "name": name,
        "typeName": "array<azure_sql_column>",
        "isOptional": True,
        "cardinality": "SET",
        "relationshipTypeName": f"{table}_columns",
    }


def _get(account: Account, _: Call, names: dict[str, str]) -> Reply:
    if names["name"] in ASSET_TYPES:
        found: Body | None = _entity_type(names["name"])
    else:
        found = account.objects.shown(f"{account.name}/{TYPEDEFS}", names["name"])
    if found is None or not _fits(found, names["kind"]):
        raise _unknown(names["name"])
    return json_reply(found)


def _get_by_guid(account: Account, _: Call, names: dict[str, str]) -> Reply:
    guid = names["guid"].lower()
    found = [body for body in account.all(TYPEDEFS).values() if body["guid"] == guid]
    found += [_entity_type(name) for name in ASSET_TYPES if _guid_of(name) == guid]
    if not found or not _fits(found[0], names["kind"]):
        raise atlas_refusal(404, "ATLAS-404-00-002", f"Given type guid {names['guid']} was invalid")
    return json_reply(found[0])


def _fits(found: Body, kind: str) -> bool:
    """Whether a type is of the category that a path names: any, one of classifications or one of entities."""
    return kind.lower() in ("typedef", f"{found['category'].lower()}def")


def _create(account: Account, call: Call, _: dict[str, str]) -> Reply:
    given = _given(call)
    for one in given:
        if account.get(TYPEDEFS, one["name"]) is not None or one["name"] in ASSET_TYPES:
            raise atlas_refusal(409, "ATLAS-409-00-001", f"Given type {one['name']} already exists")
    made = [_typedef(one, str(uuid.uuid4()), account.principal, _now()) for one in given]
    for body in made:
        account.put(TYPEDEFS, body["name"], body)
    return json_reply(_grouped(made))


def _update(account: Account, call: Call, _: dict[str, str]) -> Reply:
    given = _given(call)
    found = [_known(account, one["name"]) for one in given]
    made = []
    for one, before in zip(given, found, strict=True):
        body = _typedef(one, before["guid"], account.principal, _now())
        body |= {key: before[key] for key in ("createdBy", "createTime")}
        body["version"] = before["version"] + 1
        body["lastModifiedTS"] = str(body["version"])
        account.put(TYPEDEFS, body["name"], body)
        made.append(body)
    return json_reply(_grouped(made))


def _delete(account: Account, _: Call, names: dict[str, str]) -> Reply:
    account.drop(TYPEDEFS, _known(account, names["name"])["name"])
    return gone()


def _delete_all(account: Account, call: Call, _: dict[str, str]) -> Reply:
    for body in [_known(account, one["name"]) for one in _given(call)]:
        account.drop(TYPEDEFS, body["name"])
    return gone()


def _known(account: Account, name: str) -> Body:
    found = account.get(TYPEDEFS, name)
    if found is None:
        raise _unknown(name)
    return found


# The codes are Apache Atlas' own: its AtlasErrorCode.java.
def _unknown(name: str) -> Refusal:
    return atlas_refusal(404, "ATLAS-404-00-001", f"Given typename {name} was invalid")


def _given(call: Call) -> list[Body]:
    """The classifications in a body. Raises Refusal for a bad one, and for types that the sandbox has not."""
    body: Any = call.json()
    if not isinstance(body, dict) or not all(isinstance(value, list) for value in body.values() if value is not None):
        raise atlas_refusal(400, "ATLAS-400-00-01A", "invalid parameters: the body is no object of lists")
    if other := [key for key, value in body.items() if value and key != _OURS]:
        raise Refusal(501, "SandboxUnsupported", f"the sandbox (not Azure) has no {other[0]}")
    given = body.get(_OURS) or []
    for one in given:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            message = (
                f"{name}: invalid name for {_CATEGORY}.  Names must consist of a letter followed by a sequence of "
                "letter, number, space, or '_' characters"
            )
            raise atlas_refusal(400, "ATLAS-400-00-019", message)
    return given


def _grouped(found: list[Body]) -> Body:
    categories = {_OURS: _CATEGORY, "entityDefs": _ENTITY}
    return {group: [body for body in found if body["category"] == categories.get(group)] for group in _GROUPS}


def _now() -> int:
    return time.time_ns() // 1_000_000


ROUTES: Final = routes(
    "/datamap/api/atlas/v2/types",
    ("GET", r"/typedefs", _list, ANY_ROLE),
    ("POST", r"/typedefs", _create, _CURATOR),
    ("PUT", r"/typedefs", _update, _CURATOR),
    ("DELETE", r"/typedefs", _delete_all, _CURATOR),
    ("GET", r"/typedefs/headers", _headers, ANY_ROLE),
    ("GET", r"/(?P<kind>typedef|classificationdef|entitydef)/name/(?P<name>[^/]+)", _get, ANY_ROLE),
    ("GET", r"/(?P<kind>typedef|classificationdef|entitydef)/guid/(?P<guid>[^/]+)", _get_by_guid, ANY_ROLE),
    ("DELETE", r"/typedef/name/(?P<name>[^/]+)", _delete, _CURATOR),
)
