"""The words of a `purview` document that are checked one by one: names, places, people, moments, kinds."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sovereignmesh.facts.purview import all_scan_kinds, all_source_kinds, metadata_roles, source_kinds
from sovereignmesh.mesh.values import wrong
from sovereignmesh.mesh.words import did_you_mean, found

__all__ = [
    "Address",
    "Level",
    "Moment",
    "MonthDay",
    "ObjectName",
    "Occurrence",
    "Properties",
    "ReferenceName",
    "Roles",
    "ScanKindName",
    "SourceKindName",
    "TypeOrKind",
    "WeekDay",
    "is_object_name",
]

# Of sources, scans, rules, rulesets, credentials and key vaults: the scanning API's own pattern, 2023-09-01; and of
# accounts: https://learn.microsoft.com/azure/templates/microsoft.purview/2023-05-01-preview/accounts.
_OBJECT: re.Pattern[str] = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_SHORTEST, _LONGEST = 3, 63
_LARGEST = 2**63
_FEW = 12  # names that a message lists
# https://learn.microsoft.com/purview/how-to-create-and-manage-collections, and what accounts answer with.
_COLLECTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{1,34})[A-Za-z0-9]")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def is_object_name(value: str) -> bool:
    """Whether an object in an account, or an account, may have this name."""
    return _OBJECT.fullmatch(value) is not None and _SHORTEST <= len(value) <= _LONGEST


def _object_name(value: str) -> str:
    if not is_object_name(value):
        rule = f"letters, digits and single hyphens between them, {_SHORTEST} to {_LONGEST} characters"
        raise wrong(f"found {found(value)}, wants a name as Purview allows it: {rule}")
    return value


def _reference_name(value: str) -> str:
    if not _COLLECTION.fullmatch(value):
        rule = "letters, digits and hyphens inside, 3 to 36 characters; its title is `friendlyName`"
        raise wrong(f"found {found(value)}, wants a collection's reference name: {rule}")
    return value


def _principal(value: str) -> str:
    if not _GUID.fullmatch(value.removeprefix("group:")):
        wanted = "the object id of a user or a service principal, a GUID, or group:GUID for a group"
        raise wrong(f"found {found(value)}, wants {wanted}")
    return value.lower()


def _address(value: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+/?", value):
        raise wrong(f"found {found(value)}, wants the address of a vault: https://NAME.vault.azure.net/")
    return value


def _moment(value: str) -> str:
    try:
        dt.datetime.fromisoformat(value)
        known = _MOMENT.fullmatch(value)
    except ValueError:
        known = None
    if not known:
        raise wrong(f"found {found(value)}, wants a moment such as 2026-01-31T02:00:00Z")
    return value


def _not_zero(value: int) -> int:
    if value == 0:
        raise wrong("found the number 0, wants a day from the beginning, or -1 for the last")
    return value


def _sendable(properties: dict[str, Any]) -> dict[str, Any]:
    """Refuses numbers that JSON, or whoever reads it, cannot hold."""
    waiting: list[Any] = [properties]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int | float) and not abs(value) < _LARGEST:  # which no NaN is either
            raise wrong(f"found {found(value)}, wants a number that fits into 64 bits")
    return properties


def _known(value: str, known: frozenset[str], what: str) -> str:
    if value not in known:
        listing = f": {', '.join(sorted(known))}" if len(known) <= _FEW else ""
        raise wrong(f"found {found(value)}, wants {what}{did_you_mean(value, sorted(known))}{listing}")
    return value


def _source_kind(value: str) -> str:
    return _known(value, all_source_kinds(), "a kind of source")


def _scan_kind(value: str) -> str:
    return _known(value, all_scan_kinds(), "a kind of scan")


def _role(value: str) -> str:
    return _known(value, frozenset(metadata_roles()), "a role in collections")


def _type_or_kind(value: str) -> str:
    types = {resource: resource for kind in source_kinds().values() for resource in kind.resource_types}
    folded = value.lower()
    if folded in types:
        return folded
    kind = source_kinds().get(value)
    if kind is not None and kind.on_request:
        raise wrong(f"found {found(value)}, which no type of resource means alone: register its sources one by one")
    if kind is None or not kind.resource_types:
        known = sorted({*types, *(kind.kind for kind in source_kinds().values() if kind.resource_types)})
        raise wrong(f"found {found(value)}, wants a resource type or kind of source{did_you_mean(value, known)}")
    return value


ObjectName = Annotated[str, AfterValidator(_object_name)]
ReferenceName = Annotated[str, AfterValidator(_reference_name)]
Principals = Annotated[tuple[Annotated[str, AfterValidator(_principal)], ...], Field(strict=False)]
Roles = Annotated[
    dict[Annotated[str, AfterValidator(_role)], Principals],
    Field(
        description=f"Object ids, or group:ID, by role: {', '.join(metadata_roles())}; with --prune [] is nobody",
        json_schema_extra={"propertyNames": {"enum": sorted(metadata_roles())}},
    ),
]
Address = Annotated[str, AfterValidator(_address)]
Moment = Annotated[str, AfterValidator(_moment)]
SourceKindName = Annotated[str, AfterValidator(_source_kind)]
ScanKindName = Annotated[str, AfterValidator(_scan_kind)]
Properties = Annotated[dict[str, Any], AfterValidator(_sendable)]
Level = Literal["Full", "Incremental"]
WeekDay = Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
MonthDay = Annotated[int, AfterValidator(_not_zero), Field(ge=-1, le=31)]
Occurrence = Annotated[int, AfterValidator(_not_zero), Field(ge=-1, le=5)]
TypeOrKind = Annotated[str, AfterValidator(_type_or_kind)]
