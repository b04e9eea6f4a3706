"""What the mesh wishes of the Unified Catalog: a governance domain for each domain, a data product for each product.

What each member means, and what the catalog has no place for: docs/unified-catalog.md.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.plan import Item, Key, Kind, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.products import DataProduct

__all__ = ["AT_FIRST", "DOMAIN", "DRAFT", "KINDS", "PRODUCT", "PUBLISHED", "compile_unified", "key_of", "unsaid"]

DOMAIN, PRODUCT = "governance-domain", "data-product"
DRAFT, PUBLISHED = "DRAFT", "PUBLISHED"
_MARKUP: Final = re.compile(r"<[^>]+>")


def _plain(value: Any) -> Any:
    """A text without its markup: the portal's editor writes rich text (https://pypi.org/project/unifiedcatalogpy/)."""
    return " ".join(html.unescape(_MARKUP.sub(" ", value)).split()) if isinstance(value, str) else value


# The name is what an object is known by: another spelling of it is nobody's wish.
_SAME: Final = {"name": fold, "status": fold, "description": _plain, "businessUse": _plain}
KINDS: Final = {kind.name: kind for kind in (Kind(DOMAIN, 0, same=_SAME), Kind(PRODUCT, 1, same=_SAME))}
# What a new object has besides the wish. The mesh knows no types: these are set once, then they are people's. A domain
# of the mesh is a business area with a team, its products serve analysis:
# https://martinfowler.com/articles/data-mesh-principles.html. The specification wants a domain's lists and thumbnail.
AT_FIRST: Final[dict[str, dict[str, Any]]] = {
    DOMAIN: {"type": "FunctionalUnit", "thumbnail": {}, "domains": [], "managedAttributes": []},
    PRODUCT: {"type": "Analytical"},
}
# Each `sla.freshness` that is exactly one of UpdateFrequencyEnum: how old data is at most, and so how often it is new.
_FREQUENCIES: Final = {
    "Hourly": ("1 hour", "60 minutes", "hourly"),
    "Daily": ("1 day", "24 hours", "daily"),
    "Weekly": ("1 week", "7 days", "weekly"),
    "Monthly": ("1 month", "monthly"),
    "Quarterly": ("1 quarter", "3 months", "quarterly"),
    "Yearly": ("1 year", "12 months", "yearly"),
}
_FREQUENCY: Final = {words: name for name, spellings in _FREQUENCIES.items() for words in spellings}


def key_of(domain: str, product: str | None = None) -> Key:
    """What a domain, or a product of it, is known by."""
    return Key(DOMAIN, domain.casefold()) if product is None else Key(PRODUCT, f"{domain}/{product}".casefold())


def compile_unified(mesh: Mesh) -> list[Item]:
    """The wished objects: of domains and products what the mesh says of them, published, and no more."""
    described = {each.name.casefold(): each.description for each in mesh.domain_documents}
    items = [
        Item(DOMAIN, name, _told(name=name, description=described.get(name.casefold()), status=PUBLISHED))
        for name in mesh.domains
    ]
    for product in mesh.products:
        domain = mesh.domain_named(product.domain) or product.domain
        name = f"{domain}/{product.name}"
        items.append(Item(PRODUCT, name, _product(mesh, product), frozenset({key_of(domain)})))
    return items


def unsaid(mesh: Mesh) -> Iterator[str]:
    """What the mesh says and the catalog is not told, in words."""
    people = [each.owner for each in mesh.products if mesh.object_id_of(each.owner, each.domain) is None]
    if people:
        yield f"no owner is set where the mesh's `directory` has no object id: {_listed(people)}"
    if any(domain.owner for domain in mesh.domain_documents):
        yield "a governance domain has no owner among its properties: it is a role, given in the portal"
    odd = [each.sla.freshness for each in mesh.products if each.sla and each.sla.freshness and not _frequency(each)]
    if odd:
        yield f"a freshness that is no update frequency of the catalog is left out: {_listed(odd)}"
    contracts = sum(len(product.data_contracts) for product in mesh.products)
    if contracts:
        yield (
            f"{contracts} data contract{'s' * (contracts != 1)}: the catalog has no place for fields, only for the "
            "purposes, as the products' business use"
        )


def _product(mesh: Mesh, product: DataProduct) -> dict[str, Any]:
    purposes = dict.fromkeys(contract.purpose.strip().rstrip(".") for contract in product.data_contracts)
    body = _told(
        name=product.name,
        description=product.description,
        businessUse=" ".join(f"{purpose}." for purpose in purposes),
        updateFrequency=_frequency(product),
        status=PUBLISHED,
    )
    owner = mesh.object_id_of(product.owner, product.domain)
    if owner is not None:
        body["contacts"] = {"owner": [{"id": owner}]}
    return body


def _frequency(product: DataProduct) -> str | None:
    said = product.sla.freshness if product.sla else None
    return _FREQUENCY.get(re.sub(r"^(<=?|\N{LESS-THAN OR EQUAL TO})\s*", "", said.casefold())) if said else None


def _told(**values: str | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
