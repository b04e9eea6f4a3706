"""Data sources and their scans."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, Account, reference, routes
from sovereignmesh.sandbox.purview.answers import (
    body_of,
    check_name,
    created,
    flag,
    gone,
    invalid,
    missing,
    object_in,
    page,
    purview_refusal,
    referenced,
)
from sovereignmesh.sandbox.purview.kinds import (
    AZURE_KINDS,
    NULLS,
    SCAN_KINDS,
    SOURCE_KINDS,
    address_in,
    source_kind_of,
)
from sovereignmesh.sandbox.purview.policies import check_allowed, seen
from sovereignmesh.sandbox.purview.rules import SYSTEM_RULESETS
from sovereignmesh.sandbox.purview.runs import last_run
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES"]

_SHELF: Final = "datasources"
_CLAIMS: Final = "claims"  # by resource, the source that it is registered as
_COMPUTED: Final = ("collection", "createdAt", "lastModifiedAt", "parentCollection", "dataSourceCollectionMovingState")
_ADMIN: Final = frozenset({"data-source-administrator"})
_SOURCES, _SCANS = "source/read", "scan/read"  # data actions, as the roles have them


def _list(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return page(call, seen(account, account.listed(_SHELF, call), _SOURCES), account.page_size)


def _get(account: Account, _: Call, names: dict[str, str]) -> Reply:
    found = account.shown(_SHELF, names["source"], "DataSource")
    check_allowed(account, found, _SOURCES)
    return json_reply(found)


def _put(account: Account, call: Call, names: dict[str, str]) -> Reply:
    check_name("DataSource", names["source"])
    body = body_of(call, "DataSource")
    given = object_in(body, "properties", "DataSource")
    kind = body.get("kind")
    if kind not in SOURCE_KINDS:
        raise invalid("DataSource", f"'{kind}' is no kind of data source.")
    before = account.get(_SHELF, names["source"])
    if before and before["kind"] != kind:
        # The code is synthetic.
        raise purview_refusal(
            409,
            "DataSource_KindMismatch",
            f"The data source '{before['name']}' is of kind '{before['kind']}', which cannot be changed to '{kind}'. "
            "Delete it and register it again.",
        )
    collection = account.collection_in(given, account.name, "DataSource")
    name = before["name"] if before else names["source"]
    _claim(account, name, kind, given, before)
    kept = {
        "properties": {
            **({"resourceId": None, "dataUseGovernance": "Disabled"} if kind in AZURE_KINDS else {}),
            **NULLS.get(kind, {}),
            **{key: value for key, value in given.items() if key not in _COMPUTED},
            "createdAt": before["properties"]["createdAt"] if before else account.now,
            "lastModifiedAt": account.now,
            "parentCollection": None,
            "collection": account.placed(collection, before),
            "dataSourceCollectionMovingState": "0",
        },
        "kind": kind,
        "creationType": "Manual",
        "id": f"datasources/{name}",
        "name": name,
    }
    account.put(_SHELF, name, kept)
    return created(call, kept, new=before is None)


def _resource(kind: str, properties: dict[str, Any]) -> str:
    """What a source is registered for, "" where that is not known.

    A kind is a part of it: a storage account is a source of blobs and another one of files.
    """
    where = str(properties.get("resourceId") or "").lower() or address_in(properties)
    return f"{kind} {where}" if where else ""


def _claim(account: Account, name: str, kind: str, given: dict[str, Any], before: Body | None) -> None:
    """Notes what a source is registered for. Raises Refusal where another one already is."""
    resource = _resource(kind, given)
    holder = account.get(_CLAIMS, resource)
    if resource and holder and holder["name"].lower() != name.lower():
        # The code is synthetic; that a source cannot be registered twice is
        # https://learn.microsoft.com/purview/manage-data-sources
        raise purview_refusal(
            409,
            "DataSource_AlreadyRegistered",
            f"The data source '{resource.partition(' ')[2]}' is already registered as '{holder['name']}'.",
        )
    old = _resource(kind, before["properties"]) if before else ""
    if old and old != resource:
        account.drop(_CLAIMS, old)
    if resource and resource != old:
        account.put(_CLAIMS, resource, {"name": name})


def _delete(account: Account, _: Call, names: dict[str, str]) -> Reply:
    name = names["source"].lower()
    found = account.get(_SHELF, name)
    if found is None:
        return gone()
    if scans := account.all(f"scans/{name}"):
        raise referenced("DataSource", found["name"], f"the scan '{next(iter(scans.values()))['name']}'")
    account.drop(_SHELF, name)
    account.drop(_CLAIMS, _resource(found["kind"], found["properties"]))
    return gone()


def _list_scans(account: Account, call: Call, names: dict[str, str]) -> Reply:
    source = names["source"].lower()
    if account.get(_SHELF, source) is None:
        raise missing("DataSource", names["source"])
    found = seen(account, account.listed(f"scans/{source}", call), _SCANS)
    return page(call, [last_run(account, body) for body in found], account.page_size)


def _get_scan(account: Account, _: Call, names: dict[str, str]) -> Reply:
    found = account.shown(f"scans/{names['source'].lower()}", names["scan"], "Scan")
    check_allowed(account, found, _SCANS)
    return json_reply(last_run(account, found))


def _put_scan(account: Account, call: Call, names: dict[str, str]) -> Reply:
    check_name("Scan", names["scan"])
    source = account.get(_SHELF, names["source"])
    if source is None:
        raise missing("DataSource", names["source"])
    body = body_of(call, "Scan")
    given = object_in(body, "properties", "Scan")
    kind = body.get("kind")
    if kind not in SCAN_KINDS:
        raise invalid("Scan", f"'{kind}' is no kind of scan.")
    if source_kind_of(str(kind)) != source["kind"]:
        raise invalid("Scan", f"A scan of kind '{kind}' cannot scan '{source['name']}' of kind '{source['kind']}'.")
    collection = _collection(account, source, given)
    _check_needs(account, given)
    shelf = f"scans/{source['name'].lower()}"
    before = account.get(shelf, names["scan"])
    name = before["name"] if before else names["scan"]
    kept = {
        "properties": {
            **NULLS.get(str(kind), {}),
            **{key: value for key, value in given.items() if key not in _COMPUTED},
            "collection": account.placed(collection, before),
            "createdAt": before["properties"]["createdAt"] if before else account.now,
            "lastModifiedAt": account.now,
        },
        "kind": kind,
        "scanId": before["scanId"] if before else str(uuid.uuid4()),
        "dataSourceName": source["name"],
        "creationType": "Manual",
        "id": f"datasources/{source['name']}/scans/{name}",
        "name": name,
    }
    account.put(shelf, name, kept)
    return created(call, last_run(account, kept), new=before is None)


def _collection(account: Account, source: Body, given: dict[str, Any]) -> str:
    """The collection of a scan. Raises Refusal where it is not its source's, nor below it."""
    home = source["properties"]["collection"]["referenceName"]
    collection = account.collection_in(given, home, "Scan")
    if home not in account.above(collection):
        raise purview_refusal(
            400,
            "Scan_CollectionOutOfBound",
            f"The scan's collection '{collection}' must be the collection '{home}' of data source '{source['name']}' "
            "or one below it.",
        )
    return collection


def _check_needs(account: Account, given: dict[str, Any]) -> None:
    """Raises Refusal where a scan names a ruleset or a credential that is not there."""
    of_type = flag(given.get("scanRulesetType"), ("Custom", "System"), "System", "type of scan ruleset", "Scan")
    ruleset = given.get("scanRulesetName")
    if ruleset is not None:
        there = account.get("scanrulesets", str(ruleset)) if of_type == "Custom" else SYSTEM_RULESETS.get(str(ruleset))
        if there is None:
            raise invalid("Scan", f"The scan ruleset '{ruleset}' of type '{of_type}' does not exist.")
    credential = reference(given.get("credential"))
    if credential and account.get("credentials", credential) is None:
        raise invalid("Scan", f"The credential '{credential}' does not exist.")


def _delete_scan(account: Account, _: Call, names: dict[str, str]) -> Reply:
    source, scan = names["source"].lower(), names["scan"].lower()
    account.drop(f"scans/{source}", scan)
    for shelf in ("filters", "triggers"):
        account.drop(shelf, f"{source}/{scan}")
    account.drop_all(f"runs/{source}/{scan}")
    return gone()


_ONE: Final = r"/datasources/(?P<source>[^/]+)"
_SCAN: Final = rf"{_ONE}/scans/(?P<scan>[^/:]+)"
ROUTES: Final = routes(
    "/scan",
    ("GET", r"/datasources", _list, ANY_ROLE),
    ("GET", _ONE, _get, ANY_ROLE),
    ("PUT", _ONE, _put, _ADMIN),
    ("DELETE", _ONE, _delete, _ADMIN),
    ("GET", rf"{_ONE}/scans", _list_scans, ANY_ROLE),
    ("GET", _SCAN, _get_scan, ANY_ROLE),
    ("PUT", _SCAN, _put_scan, _ADMIN),
    ("DELETE", _SCAN, _delete_scan, _ADMIN),
)
