"""A loaded mesh: the documents, and the questions that an audit asks of them a million times."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.documents import DataCatalog, GovernancePolicies
from sovereignmesh.mesh.policy import Policy, derive_policy
from sovereignmesh.mesh.values import is_object_id
from sovereignmesh.mesh.words import consumer_in
from sovereignmesh.result import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from pydantic import BaseModel

    from sovereignmesh.mesh.documents import Domain, Waiver
    from sovereignmesh.mesh.products import DataProduct
    from sovereignmesh.mesh.purview import PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.result.checks import Check, Severity

__all__ = ["Mesh", "domain_names"]

_MOST_SPELLINGS: Final = 10_000  # tags hold anything: what is remembered of them must not grow with the estate
_DOMAIN: Final = "@domain"  # whichever it is
_Names = tuple[str | None, str | None]


@dataclass(frozen=True, eq=False)
class Mesh:
    """What is wanted: the documents of `path`, checked, with their cross references resolved.

    `domains` holds every domain's name in its canonical spelling, `domain_documents` those that are described.
    `purview` and `policies_document` know their places in the files, for what only a live account shows to be wrong.
    `directory` has object ids by name or mail, as written. Two meshes with the same `digest` want the same.
    """

    path: Path
    files: tuple[str, ...]
    policies: GovernancePolicies | None
    products: tuple[DataProduct, ...]
    domain_documents: tuple[Domain, ...]
    purview: Loaded[PurviewAccountWish] | None = field(default=None, repr=False)
    policies_document: Loaded[GovernancePolicies] | None = field(default=None, repr=False)
    directory: Mapping[str, str] = field(default_factory=dict, repr=False)
    domains: tuple[str, ...] = field(init=False)
    waivers: tuple[Waiver, ...] = field(init=False)
    digest: str = field(init=False)
    asked: frozenset[Check] = field(init=False)
    severity: Mapping[Check, Severity] = field(init=False)
    inherits_tags: bool = field(init=False)
    _canonical: dict[str, str] = field(init=False, repr=False)
    _people: dict[str, str] = field(init=False, repr=False)
    _subscriptions: dict[str, str] = field(init=False, repr=False)
    _exact: dict[tuple[Check, str], list[Waiver]] = field(init=False, repr=False)
    _wide: dict[Check, list[tuple[re.Pattern[str], Waiver]]] = field(init=False, repr=False)
    _policies: dict[_Names, Policy] = field(init=False, repr=False)
    _spellings: dict[_Names, Policy] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wishes = self.policies or GovernancePolicies()
        domains = domain_names(self.domain_documents, self.products)
        derived: dict[str, object] = {
            "domains": tuple(domains.values()),
            "waivers": wishes.waivers,
            "digest": _digest(self.policies, self.products, self.domain_documents),
            "severity": MappingProxyType(wishes.severity),
            "inherits_tags": wishes.inherit_tags,
            "_canonical": domains,
            "_people": {name.casefold(): identity for name, identity in self.directory.items()},
            "_subscriptions": {
                name.casefold(): domains[domain.name.casefold()]
                for domain in self.domain_documents
                for name in domain.subscriptions or ()
            },
            "_exact": _by_resource(wishes.waivers),
            "_wide": _by_pattern(wishes.waivers),
            "_policies": dict(_all_policies(self.policies, self.products, domains)),
            "_spellings": {},
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        asked = (*_asked(self._policies.values()), *_asked_of_the_catalog(wishes, self.products))
        object.__setattr__(self, "asked", frozenset(asked))

    def policy_for(self, domain: str | None, product: str | None = None) -> Policy:
        """What is wanted of a resource with these tags; always the same object for the same names, without case.

        A product that is none of the domain's is not heeded; a domain that no product names, or that is unknown,
        has the governance policies alone.
        """
        spelled = (domain, product)
        known = self._spellings.get(spelled)
        if known is None:
            names = (domain and domain.casefold(), product and product.casefold())
            known = self._policies.get(names) or self._policies.get((names[0], None)) or self._policies[None, None]
            if len(self._spellings) < _MOST_SPELLINGS:
                self._spellings[spelled] = known
        return known

    def waiver_for(self, check: Check, resource_id: str, today: date) -> Waiver | None:
        """A waiver of this check for this resource that is in force on `today`, its last day included.

        One for the resource by its id before one for a pattern, and of several the first in the mesh.
        """
        exact = self._exact.get((check, resource_id.casefold()), ())
        wide = self._wide.get(check, ())
        found = (waiver for waiver in exact if waiver.expires >= today)
        matching = (waiver for target, waiver in wide if waiver.expires >= today and target.fullmatch(resource_id))
        return next(found, None) or next(matching, None)

    def domain_of_subscription(self, id_or_name: str) -> str | None:
        """The domain whose document lists this subscription, without case."""
        return self._subscriptions.get(id_or_name.casefold())

    def domain_named(self, tag_value: str) -> str | None:
        """The canonical spelling of the domain that a tag names; None for an unknown one."""
        return self._canonical.get(tag_value.strip().casefold())

    @property
    def purview_document(self) -> Loaded[PurviewAccountWish]:
        """The mesh's `purview` document, with its places. Raises MeshError where it has none."""
        if self.purview is None:
            raise self._no_purview("write one that names the account")
        return self.purview

    @property
    def purview_account(self) -> str:
        """The Purview account that the mesh names. Raises MeshError where it names none."""
        if self.purview is None:
            raise self._no_purview("write one that names the account, or give the account (--account)")
        return self.purview.model.account

    def _no_purview(self, what_to_do: str) -> MeshError:
        message = f"no `purview` document in the mesh: {what_to_do}"
        return MeshError([Problem(Location(str(self.path)), "$", message)])

    def consumer_named(self, name: str) -> str | None:
        """The canonical spelling of the domain that `Sales` and `Sales Domain` mean; None for an unknown one."""
        return consumer_in(self._canonical, name)

    def object_id_of(self, name: str, domain: str = "") -> str | None:
        """The object id that a name or a mail of the directory means, None where it is not in it.

        A name that ends with `@domain` is first looked for with the name of that domain. An object id means itself.
        """
        if is_object_id(name):
            return name.lower()
        folded = name.casefold()
        of_domain = folded.removesuffix(_DOMAIN) + f"@{domain.casefold()}" if folded.endswith(_DOMAIN) else folded
        return self._people.get(of_domain) or self._people.get(folded)

    def name_of(self, object_id: str) -> str:
        """The first name in the directory of an object id, the id itself where there is none."""
        return next((name for name, known in self.directory.items() if known == object_id.lower()), object_id)


def domain_names(documents: Iterable[Domain], products: Iterable[DataProduct]) -> dict[str, str]:
    """Every domain, case-folded, with its canonical spelling: its document's, else its first product's."""
    names: dict[str, str] = {}
    for name in (*(domain.name for domain in documents), *(product.domain for product in products)):
        names.setdefault(name.casefold(), name)
    return names


def _all_policies(
    policies: GovernancePolicies | None, products: Sequence[DataProduct], domains: dict[str, str]
) -> Iterator[tuple[_Names, Policy]]:
    yield (None, None), derive_policy(policies, None, ())
    for folded, domain in domains.items():
        own = [product for product in products if product.domain.casefold() == folded]
        yield (folded, None), derive_policy(policies, domain, own)
        for product in own:
            yield (folded, product.name.casefold()), derive_policy(policies, domain, (product,))


def _asked(policies: Iterable[Policy]) -> Iterator[Check]:
    """The checks that at least one policy has a wish for."""
    every = list(policies)
    keys = any(policy.key != "off" for policy in every)
    if any(policy.residency for policy in every):
        yield from ("region", "replica-region", "backup-region", "processing-region", "log-region", "key-residency")
    if keys:
        yield "customer-managed-key"
    if every[0].tags:
        yield "required-tags"
    if every[0].public_access_denied:
        yield "public-access"
    if every[0].private_endpoint_required:
        yield "private-endpoint"


def _asked_of_the_catalog(wishes: GovernancePolicies, products: Iterable[DataProduct]) -> Iterator[Check]:
    """The checks of the catalog that the policy or a product has a wish for."""
    catalog = wishes.data_catalog or DataCatalog()
    if catalog.require_description:
        yield "asset-description"
    if catalog.require_owner:
        yield "asset-owner"
    if catalog.require_sensitivity_label:
        yield "sensitivity-label"
    if any(product.limits_classifications for product in products):
        yield "asset-classification"


def _by_resource(waivers: Iterable[Waiver]) -> dict[tuple[Check, str], list[Waiver]]:
    found: dict[tuple[Check, str], list[Waiver]] = {}
    for waiver in waivers:
        if waiver.resource:
            found.setdefault((waiver.check, waiver.resource.casefold()), []).append(waiver)
    return found


def _by_pattern(waivers: Iterable[Waiver]) -> dict[Check, list[tuple[re.Pattern[str], Waiver]]]:
    found: dict[Check, list[tuple[re.Pattern[str], Waiver]]] = {}
    for waiver in waivers:
        if waiver.pattern:
            expression = re.escape(waiver.pattern).replace(r"\*", ".*").replace(r"\?", ".")
            target = re.compile(expression, re.IGNORECASE | re.DOTALL)
            found.setdefault(waiver.check, []).append((target, waiver))
    return found


def _digest(policies: GovernancePolicies | None, *documents: Sequence[BaseModel]) -> str:
    """Of what is meant, not of how it is written: defaults left out, keys and documents in order."""
    content = [_normalised(policies) if policies else "", *(sorted(map(_normalised, group)) for group in documents)]
    return "sha256:" + hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _normalised(document: BaseModel) -> str:
    return json.dumps(document.model_dump(mode="json", by_alias=True, exclude_defaults=True), sort_keys=True)
