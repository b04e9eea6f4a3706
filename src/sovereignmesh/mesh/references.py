"""Cross references: what only the whole mesh can tell to be wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from sovereignmesh.facts import regions
from sovereignmesh.mesh.contract_references import check_contracts
from sovereignmesh.mesh.documents import Directory, Domain, GovernancePolicies
from sovereignmesh.mesh.policy import area_of
from sovereignmesh.mesh.products import DataProduct, ProductResidency
from sovereignmesh.mesh.purview import PurviewAccountWish
from sovereignmesh.mesh.words import did_you_mean, listed, repeated
from sovereignmesh.patterns import runs_away
from sovereignmesh.result.location import Location, Problem
from sovereignmesh.result.text import printable
from sovereignmesh.yamlfile import json_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sovereignmesh.yamlfile import Document, Path

__all__ = ["Documents", "Loaded", "check_references"]

ModelT = TypeVar("ModelT", GovernancePolicies, DataProduct, Domain, Directory, PurviewAccountWish)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[ModelT]):
    """A model together with the document that it was read from."""

    model: ModelT
    document: Document
    top: str

    def locate(self, *path: str | int) -> Location:
        return self.document.locate((self.top, *path))

    def problem(self, path: Path, message: str, severity: str = "error") -> Problem:
        return Problem(self.locate(*path), json_path((self.top, *path)), printable(message), severity)


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents that are right in themselves, in file order.

    `refused_domains` are the names in documents that are not: nobody is told that such a domain does not exist.
    None: a whole document could not be read, so that any domain may exist.
    """

    policies: list[Loaded[GovernancePolicies]]
    products: list[Loaded[DataProduct]]
    domains: list[Loaded[Domain]]
    refused_domains: frozenset[str] | None
    directories: list[Loaded[Directory]] = field(default_factory=list)


def check_references(documents: Documents, today: date) -> Iterator[Problem]:
    """Every problem between the documents, errors and warnings, in no particular order."""
    first = documents.policies[0] if documents.policies else None
    for other in documents.policies[1:]:
        assert first is not None
        yield other.problem((), f"a second governancePolicies; the first is at {first.locate()}: a mesh has one")
    if first is not None:
        yield from _policy(first, today)
    elif documents.products:
        message = (
            "no governancePolicies in the mesh: keys, networks and tags are not asked for, nor regions beyond this"
        )
        yield documents.products[0].problem((), message, "warning")
    yield from _domains(documents.domains)
    yield from _directories(documents.directories)
    yield from _products(documents)
    known = _known_domains(documents)
    for product in documents.products:
        yield from _residency(product, first.model if first else None)
        yield from check_contracts(product, known)
    yield from _clouds(first, documents.products)


def _tag_patterns(policy: Loaded[GovernancePolicies]) -> Iterator[Problem]:
    for index, tag in enumerate(policy.model.required_tags):
        if tag.pattern and (part := runs_away(tag.pattern)):
            message = f"{part} matches one text in many ways: on a long value that nearly matches it may never end"
            yield policy.problem(("requiredTags", index, "pattern"), message, "warning")


def _policy(policy: Loaded[GovernancePolicies], today: date) -> Iterator[Problem]:
    model, residency = policy.model, policy.model.data_residency
    for index, first in repeated(tag.name for tag in model.required_tags):
        name, line = model.required_tags[index].name, policy.locate("requiredTags", first).line
        yield policy.problem(("requiredTags", index), f"the tag '{name}' is already required in line {line}")
    yield from _tag_patterns(policy)
    for index, waiver in enumerate(model.waivers):
        if waiver.expires < today:
            message = f"the waiver has expired on {waiver.expires}: it exempts nothing; renew or remove it"
            yield policy.problem(("waivers", index, "expires"), message, "warning")
    if residency is None:
        return
    if not residency.enforced:
        message = "residency is not enforced: findings are advisory and never change the exit code"
        yield policy.problem(("dataResidency", "enforced"), message, "warning")
    if residency.region is None and residency.allowed_regions is None:
        message = "neither 'region' nor 'allowedRegions' is given: the policy itself bounds nothing"
        yield policy.problem(("dataResidency",), message, "warning")
    if residency.region is not None:
        area = area_of(residency.region)
        for index, region in enumerate(residency.allowed_regions or ()):
            if region not in area:
                message = f"{region} is not in {residency.region}, the area of the policy: {listed(sorted(area))}"
                yield policy.problem(("dataResidency", "allowedRegions", index), message)


def _domains(domains: list[Loaded[Domain]]) -> Iterator[Problem]:
    for index, first in repeated(domain.model.name for domain in domains):
        message = f"the domain '{domains[index].model.name}' is already at {domains[first].locate('name')}"
        yield domains[index].problem(("name",), message)
    listings = [(domain, at, name) for domain in domains for at, name in enumerate(domain.model.subscriptions or ())]
    for index, first in repeated(name for _, _, name in listings):
        (domain, at, name), (other, other_at, _) = listings[index], listings[first]
        place = other.locate("subscriptions", other_at)
        message = f"the subscription '{name}' already belongs to '{other.model.name}' at {place}"
        yield domain.problem(("subscriptions", at), message)


def _directories(directories: list[Loaded[Directory]]) -> Iterator[Problem]:
    names = [(part, name) for part in directories for name in part.model.root]
    for index, first in repeated(name for _, name in names):
        (part, name), (other, other_name) = names[index], names[first]
        yield part.problem((name,), f"'{name}' is already at {other.locate(other_name)}: a name is one of somebody")


def _products(documents: Documents) -> Iterator[Problem]:
    products = documents.products
    for index, first in repeated(f"{product.model.domain}\0{product.model.name}" for product in products):
        product, place = products[index], products[first].locate("name")
        message = f"the domain '{product.model.domain}' already has a product '{product.model.name}' at {place}"
        yield product.problem(("name",), message)
    described = {domain.model.name.casefold(): domain.model.name for domain in documents.domains}
    if not described or documents.refused_domains is None:
        return
    for product in products:
        name = product.model.domain
        if name.casefold() not in {*described, *documents.refused_domains}:
            guess = did_you_mean(name, described.values())
            yield product.problem(("domain",), f"no domain document describes '{name}'{guess}")


def _known_domains(documents: Documents) -> dict[str, str] | None:
    """The domains by case-folded name; None where that is not known."""
    if documents.refused_domains is None:
        return None
    names = [domain.model.name for domain in documents.domains]
    names += [product.model.domain for product in documents.products]
    return {name.casefold(): name for name in (*documents.refused_domains, *reversed(names))}


def _residency(product: Loaded[DataProduct], policies: GovernancePolicies | None) -> Iterator[Problem]:
    wish = product.model.data_residency
    if wish is None:
        message = "the product has no dataResidency: only the governance policies bound it"
        yield product.problem((), message, "warning")
        return
    governed = policies.data_residency if policies else None
    allowed = frozenset((governed and governed.allowed_regions) or ())
    yield from _area(product, wish, governed.region if governed else None, allowed)
    name = wish.region or (governed.region if governed else None)
    bounds = [(f"in {name}", area_of(name))] if name else []
    bounds += [("one of the policy's allowedRegions", allowed)] if allowed else []
    for key, locations in (
        ("storageLocations", wish.storage_locations),
        ("replicaLocations", wish.replica_locations),
    ):
        for index, region in enumerate(locations or ()):
            for what, inside in bounds:
                if region not in inside:
                    message = f"{region} is not {what}: {listed(sorted(inside))}"
                    yield product.problem(("dataResidency", key, index), message)


def _area(
    product: Loaded[DataProduct], wish: ProductResidency, governed: str | None, allowed: frozenset[str]
) -> Iterator[Problem]:
    if wish.region is None:
        return
    at, area = ("dataResidency", "region"), area_of(wish.region)
    if governed and not area <= area_of(governed):
        message = f"{wish.region} is wider than {governed}, the area of the policy: a product narrows it only"
        yield product.problem(at, message)
    if allowed and not area & allowed:
        message = f"no region of {wish.region} is among the policy's allowedRegions ({listed(sorted(allowed))})"
        yield product.problem(at, f"{message}: the product can be nowhere")


def _clouds(policy: Loaded[GovernancePolicies] | None, products: list[Loaded[DataProduct]]) -> Iterator[Problem]:
    """Warnings for regions of another cloud than most: no account reaches two."""
    named: list[tuple[Loaded[GovernancePolicies] | Loaded[DataProduct], str, int, str]] = []
    for loaded in (*([policy] if policy else ()), *products):
        residency = loaded.model.data_residency
        for key in ("allowed_regions", "storage_locations", "replica_locations"):
            names = getattr(residency, key, None) or ()
            alias = type(residency).model_fields[key].alias if names else None
            named += [(loaded, str(alias), index, name) for index, name in enumerate(names)]
    known = regions()
    clouds = Counter(known[name].cloud for *_, name in named)
    usual = clouds.most_common(1)[0][0] if clouds else None
    for loaded, key, index, name in named:
        if known[name].cloud != usual:
            message = f"{name} is a region of {known[name].cloud}, most others are of {usual}"
            yield loaded.problem(("dataResidency", key, index), message, "warning")
