"""The Unified Catalog: governance domains and data products, which the account of the tenant that is `unified` keeps.

Paths, members and words are those of the specification 2026-03-20-preview. What it leaves open is synthetic here: the
codes and words of refusals, that a tenant without a catalog answers 404, that what is not sent is gone after a PUT.
That a domain is published before what is in it, and is a draft before it is deleted, is documented of the portal:
https://learn.microsoft.com/purview/unified-catalog-governance-domains-create-manage.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from sovereignmesh.sandbox.purview.account import Account, routes
from sovereignmesh.sandbox.purview.answers import body_of, gone, invalid, page, purview_refusal
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Refusal, Reply

__all__ = ["ROUTES", "no_catalog"]

_DOMAINS, _PRODUCTS = "unified-domains", "unified-products"
_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_STATUSES: Final = ("DRAFT", "PUBLISHED", "EXPIRED")
_TYPES: Final = {
    _DOMAINS: ("FunctionalUnit", "LineOfBusiness", "DataDomain", "Regulatory", "Project"),
    _PRODUCTS: (
        "Master", "Reference", "Analytical", "AI", "MasterDataAndReferenceData", "BusinessSystemOrApplication",
        "ModelTypes", "DashboardsOrReports", "Operational", "MLAITrainingDataSet", "MLAITestingDataSet",
        "TransactionalDataset", "AnalyticsModel", "SemanticModel",
    ),
}  # fmt: skip
_FREQUENCIES: Final = ("Hourly", "Daily", "Weekly", "Monthly", "Quarterly", "Yearly")
_KEPT: Final = {
    _DOMAINS: (
        "name", "description", "type", "isRestricted", "parentId", "thumbnail", "domains", "managedAttributes",
    ),
    _PRODUCTS: (
        "name", "description", "type", "domain", "businessUse", "contacts", "updateFrequency", "termsOfUse",
        "documentation", "sensitivityLabel", "endorsed", "audience", "managedAttributes",
    ),
}  # fmt: skip
_WORDS: Final = {_DOMAINS: "BusinessDomain", _PRODUCTS: "DataProduct"}
_READERS: Final = frozenset(
    {"global-catalog-reader", "governance-domain-creator", "governance-domain-owner", "data-product-owner"}
)
_CREATORS: Final = frozenset({"governance-domain-creator"})
# Who makes a domain is its owner: https://learn.microsoft.com/purview/data-governance-roles-permissions.
_OWNERS: Final = frozenset({"governance-domain-creator", "governance-domain-owner"})
_PRODUCERS: Final = frozenset({"data-product-owner"})


def no_catalog() -> Refusal:
    """The refusal of a tenant none of whose accounts has the Unified Catalog. Code and words are synthetic."""
    return purview_refusal(404, "CatalogNotFound", "The tenant has no Unified Catalog.")


def _missing(shelf: str, identity: str) -> Refusal:
    return purview_refusal(404, f"{_WORDS[shelf]}NotFound", f"{_WORDS[shelf]} '{identity}' was not found.")


def _conflict(shelf: str, message: str) -> Refusal:
    return purview_refusal(409, f"{_WORDS[shelf]}Conflict", message)


def _list_domains(account: Account, call: Call, _: dict[str, str]) -> Reply:
    return page(call, account.listed(_DOMAINS, call), account.page_size, counted=False)


def _list_products(account: Account, call: Call, _: dict[str, str]) -> Reply:
    domain = call.query.get("domainid", "").lower()
    start, top = (int(text) if (text := call.query.get(name, "")).isdigit() else None for name in ("skip", "top"))
    every = account.objects.listed(f"{account.name}/{_PRODUCTS}", goes_on=bool(start))
    found = [body for body in every if domain in ("", str(body.get("domain")).lower())]
    start, size = start or 0, min(top or account.page_size, account.page_size)
    body: dict[str, Any] = {"value": found[start : start + size]}
    if start + size < len(found):
        query = urlencode({**call.query, "skip": start + size}).replace("domainid=", "domainId=")
        body["nextLink"] = f"https://{call.host}{quote(call.path)}?{query}"
    return json_reply(body)


def _get(account: Account, _: Call, names: dict[str, str]) -> Reply:
    shelf = _shelf(names)
    found = account.objects.shown(f"{account.name}/{shelf}", names["id"].lower())
    if found is None:
        raise _missing(shelf, names["id"])
    return json_reply(found)


def _post(account: Account, call: Call, names: dict[str, str]) -> Reply:
    shelf = _shelf(names)
    body = body_of(call, _WORDS[shelf])
    identity = body.get("id")
    if not isinstance(identity, str) or not _GUID.fullmatch(identity):
        raise invalid(_WORDS[shelf], "'id' is required and must be a GUID.")
    if account.get(shelf, identity) is not None:
        raise _conflict(shelf, f"There is a {_WORDS[shelf]} with the id '{identity}'.")
    made = {"createdAt": account.now, "createdBy": account.principal}
    return json_reply(_keep(account, shelf, identity, body, made), 201)


def _put(account: Account, call: Call, names: dict[str, str]) -> Reply:
    shelf, identity = _shelf(names), names["id"]
    before = account.get(shelf, identity)
    if before is None:
        raise _missing(shelf, identity)
    body = body_of(call, _WORDS[shelf])
    if str(body.get("id")).lower() != identity.lower():
        raise invalid(_WORDS[shelf], "'id' is required and must be that of the path.")
    return json_reply(_keep(account, shelf, identity, body, before["systemData"]))


def _keep(account: Account, shelf: str, identity: str, body: Body, made: Body) -> Body:
    """Keeps an object, checked; what is not sent is not there any more."""
    kept: Body = {"id": identity, **{name: body[name] for name in _KEPT[shelf] if body.get(name) is not None}}
    kept["status"] = _word(shelf, "status", body.get("status") or "DRAFT", _STATUSES)
    _check(account, shelf, kept)
    if shelf == _DOMAINS:
        kept = {"thumbnail": {}, "domains": [], "managedAttributes": [], **kept}
    else:
        kept["additionalProperties"] = {"assetCount": 0}
    when = {name: made[name] for name in ("createdAt", "createdBy")}
    kept["systemData"] = {**when, "lastModifiedAt": account.now, "lastModifiedBy": account.principal}
    if kept["status"] == "EXPIRED":
        kept["systemData"] |= {"expiredAt": account.now, "expiredBy": account.principal}
    account.put(shelf, identity, kept)
    return kept


def _check(account: Account, shelf: str, body: Body) -> None:
    """Raises Refusal for a body that the specification does not allow, or what it refers to does not."""
    word = _WORDS[shelf]
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise invalid(word, "'name' is required.")
    for name, allowed in (("type", _TYPES[shelf]), ("updateFrequency", _FREQUENCIES)):
        if name in body:
            body[name] = _word(shelf, name, body[name], allowed)
    contacts = body.get("contacts", {})
    people = [each for role in contacts.values() for each in role] if isinstance(contacts, dict) else [None]
    if not all(isinstance(each, dict) and _GUID.fullmatch(str(each.get("id"))) for each in people):
        raise invalid(word, "'contacts' must hold the object ids of people or groups, by role.")
    if shelf == _DOMAINS:
        parent = body.get("parentId")
        if parent is not None and account.get(_DOMAINS, str(parent)) is None:
            raise invalid(word, f"The parent '{parent}' does not exist.")
        return
    domain = account.get(_DOMAINS, str(body.get("domain")))
    if domain is None:
        raise invalid(word, f"The domain '{body.get('domain')}' does not exist.")
    if body["status"] == "PUBLISHED" and domain["status"] != "PUBLISHED":
        raise invalid(word, f"The domain '{domain['name']}' must be published before its data products.")


def _word(shelf: str, name: str, value: Any, allowed: tuple[str, ...]) -> str:
    found = next((word for word in allowed if word.lower() == str(value).lower()), None)
    if found is None:
        raise invalid(_WORDS[shelf], f"'{value}' is no {name}: it must be one of {', '.join(allowed)}.")
    return found


def _delete(account: Account, _: Call, names: dict[str, str]) -> Reply:
    shelf, identity = _shelf(names), names["id"].lower()
    found = account.get(shelf, identity)
    if found is None:
        return gone()
    if found["status"] == "PUBLISHED":  # documented of domains, and taken for the same of products
        raise _conflict(shelf, f"'{found['name']}' is published: unpublish it before it is deleted.")
    if shelf == _DOMAINS:
        inside = [body for body in account.all(_PRODUCTS).values() if str(body["domain"]).lower() == identity]
        inside += [body for body in account.all(_DOMAINS).values() if str(body.get("parentId")).lower() == identity]
        if inside:
            raise _conflict(shelf, f"'{found['name']}' still holds '{inside[0]['name']}'.")
    account.drop(shelf, identity)
    return gone()


def _shelf(names: dict[str, str]) -> str:
    return _DOMAINS if names["kind"].lower() == "businessdomains" else _PRODUCTS


_OF_DOMAINS, _OF_PRODUCTS, _ONE = r"/(?P<kind>businessdomains)", r"/(?P<kind>dataProducts)", r"/(?P<id>[^/]+)"
ROUTES: Final = routes(
    "/datagovernance/catalog",
    ("GET", _OF_DOMAINS, _list_domains, _READERS),
    ("POST", _OF_DOMAINS, _post, _CREATORS),
    ("GET", f"{_OF_DOMAINS}{_ONE}", _get, _READERS),
    ("PUT", f"{_OF_DOMAINS}{_ONE}", _put, _OWNERS),
    ("DELETE", f"{_OF_DOMAINS}{_ONE}", _delete, _OWNERS),
    ("GET", _OF_PRODUCTS, _list_products, _READERS),
    ("POST", _OF_PRODUCTS, _post, _PRODUCERS),
    ("GET", f"{_OF_PRODUCTS}{_ONE}", _get, _READERS),
    ("PUT", f"{_OF_PRODUCTS}{_ONE}", _put, _PRODUCERS),
    ("DELETE", f"{_OF_PRODUCTS}{_ONE}", _delete, _PRODUCERS),
)
