"""What a mesh wants of a resource: derived from the governance policies and the products of its domain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from sovereignmesh.facts import area_regions
from sovereignmesh.mesh.documents import GovernancePolicies, PolicyResidency
from sovereignmesh.mesh.products import CUSTOMER_KEY, NO_PERSONAL_DATA, ProductResidency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sovereignmesh.mesh.documents import RequiredTag
    from sovereignmesh.mesh.products import DataProduct

__all__ = ["Policy", "Residency", "TagRule", "area_of", "derive_policy", "residency_of"]

KeyWish = Literal["required", "recommended", "off"]
_STRICTEST_FIRST: Final[tuple[KeyWish, ...]] = ("required", "recommended", "off")
_AREAS: Final = ("EU", "EUDB")  # smallest first
_NO_POLICIES: Final = GovernancePolicies()


@dataclass(frozen=True, slots=True)
class TagRule:
    """A tag that a resource must carry: names are compared without case, values with; a pattern matches fully."""

    name: str
    allowed: tuple[str, ...] | None = None
    pattern: re.Pattern[str] | None = None
    key: str = field(init=False)  # the name as it is compared

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.name.lower())

    def accepts(self, value: str) -> bool:
        """Whether the tag may have this value; a blank one never."""
        if self.allowed is not None:
            return value in self.allowed
        if self.pattern is not None:
            return self.pattern.fullmatch(value) is not None
        return bool(value.strip())

    @property
    def wanted(self) -> str:
        """The rule in words: `Classification: one of Public, Internal`."""
        if self.allowed is not None:
            return f"{self.name}: one of {', '.join(self.allowed)}"
        if self.pattern is not None:
            return f"{self.name}: matching {self.pattern.pattern}"
        return self.name


@dataclass(frozen=True, slots=True)
class Residency:
    """Where data may be, as region names: `allowed` for the data, `replicas` for replicas and backups.

    `area` is the legal bound around both; what is inside it but not allowed is less grave than what is outside.
    """

    allowed: frozenset[str]
    replicas: frozenset[str]
    area: frozenset[str]
    area_name: str
    implicit: Literal["report", "deny"]
    enforced: bool


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """All that is wanted of one resource; each is equal to itself alone, so that looking up by one is cheap.

    `products` are those that the resource may belong to; `residency` None: anywhere.
    """

    domain: str | None
    products: tuple[str, ...]
    residency: Residency | None
    key: KeyWish
    hsm: bool
    public_access_denied: bool
    private_endpoint_required: bool
    tags: tuple[TagRule, ...]
    inherit_tags: bool
    personal: bool


def derive_policy(policies: GovernancePolicies | None, domain: str | None, products: Sequence[DataProduct]) -> Policy:
    """The policy of a resource that belongs to one of `products`; of the mesh itself where there are none."""
    wishes = policies or _NO_POLICIES
    pii = {product.data_residency.pii_handling for product in products if product.data_residency}
    keys = {wishes.encryption.customer_managed_keys, "required" if CUSTOMER_KEY in pii else "off"}
    residencies = [residency_of(policies, product.data_residency) for product in products] or [
        residency_of(policies, None)
    ]
    return Policy(
        domain=domain,
        products=tuple(product.name for product in products),
        residency=_union([residency for residency in residencies if residency]),
        key=next(key for key in _STRICTEST_FIRST if key in keys),
        hsm=wishes.encryption.key_type == "hsm",
        public_access_denied=wishes.network.public_access == "denied",
        private_endpoint_required=wishes.network.private_endpoints == "required",
        tags=tuple(_tag_rule(tag) for tag in wishes.required_tags),
        inherit_tags=wishes.inherit_tags,
        personal=bool(pii - {None, NO_PERSONAL_DATA}),
    )


def residency_of(policies: GovernancePolicies | None, product: ProductResidency | None) -> Residency | None:
    """Where a product's data may be (with None: the mesh's own); None where neither says anything."""
    governed = (policies and policies.data_residency) or PolicyResidency()
    product = product or ProductResidency()
    storage, replicas = frozenset(product.storage_locations or ()), frozenset(product.replica_locations or ())
    everywhere = frozenset(governed.allowed_regions or ()) or storage | replicas
    name = product.region or governed.region
    if name is None and not everywhere:
        return None
    area_name, area = (name, area_of(name)) if name else _smallest_area(everywhere)
    bound = area & frozenset(governed.allowed_regions or area)
    allowed = bound & storage if storage else bound
    return Residency(
        allowed=allowed,
        replicas=allowed | (bound & replicas),
        area=area,
        area_name=area_name,
        implicit=policies.implicit_replicas if policies else _NO_POLICIES.implicit_replicas,
        enforced=governed.enforced,
    )


def area_of(name: str) -> frozenset[str]:
    """The region names of an area that a document has been checked to name."""
    area = area_regions(name)
    assert area is not None
    return area


def _smallest_area(regions: frozenset[str]) -> tuple[str, frozenset[str]]:
    known = ((name, area_of(name)) for name in _AREAS)
    return next(((name, area) for name, area in known if regions <= area), ("allowed regions", regions))


def _union(residencies: Sequence[Residency]) -> Residency | None:
    if len(residencies) <= 1:
        return residencies[0] if residencies else None
    return Residency(
        allowed=_all(residency.allowed for residency in residencies),
        replicas=_all(residency.replicas for residency in residencies),
        area=_all(residency.area for residency in residencies),
        area_name=" or ".join(dict.fromkeys(residency.area_name for residency in residencies)),
        implicit=residencies[0].implicit,  # both are the governance policies' word, the same for all products
        enforced=residencies[0].enforced,
    )


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _tag_rule(tag: RequiredTag) -> TagRule:
    return TagRule(tag.name, tag.allowed_values, re.compile(tag.pattern) if tag.pattern else None)
