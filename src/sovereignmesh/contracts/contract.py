"""A data contract as it is enforced: a product's schema and promises, as far as they are of what one consumer gets."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from sovereignmesh import yamlfile
from sovereignmesh.errors import ContractError
from sovereignmesh.mesh import Mesh, load_products
from sovereignmesh.mesh.documents import ClassificationRule, DataClassification, GovernancePolicies
from sovereignmesh.mesh.policy import residency_of
from sovereignmesh.mesh.products import (
    DataContractWish,
    DataProduct,
    DataSchema,
    ProductResidency,
    QualityMetrics,
    ServiceLevel,
)
from sovereignmesh.mesh.validity import fields_of, parse_rule
from sovereignmesh.mesh.values import AnyClassificationName, Duration, Model, Names, Percent, age, wrong
from sovereignmesh.mesh.words import did_you_mean, party, say_plainly
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterable


__all__ = ["DataContract", "choose_contracts", "load_contracts"]

_NAMED: Final = 8
_Classifications = Annotated[tuple[AnyClassificationName, ...], Field(strict=False)]


class DataContract(Model):
    """What a consumer may see of a product, and how good it is.

    The consumer may see `allowed_fields`, and is promised `required_fields` of them: of a mesh's contract all that are
    not optional. `data_schema` describes the fields (`schema` in YAML); thresholds are percentages, `freshness` is a
    duration as in "< 1 hour". `residency` names the regions where the data may be, for whoever serves it. By
    `classification_rules`, the policy's, excluded classifications are recognised. Raises ContractError for what
    contradicts itself.

    >>> DataContract(allowed_fields=["customerId"], excluded_fields=["email"], min_completeness=98).min_completeness
    98.0
    """

    model_config = ConfigDict(alias_generator=None)

    allowed_fields: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]  # a column may be called anything
    required_fields: Names = ()
    excluded_fields: Names = ()
    min_completeness: Percent | None = None
    min_accuracy: Percent | None = None
    min_timeliness: Percent | None = None
    freshness: Duration | None = None
    data_schema: DataSchema = DataSchema()
    exclude_similar: bool = False
    excluded_classifications: _Classifications = ()
    allowed_classifications: _Classifications | None = None
    classification_rules: Annotated[tuple[ClassificationRule, ...], Field(strict=False)] = ()
    residency: Names = ()
    consumer: str = ""
    purpose: str = ""
    product: str = ""
    domain: str = ""
    owner: str = ""

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ContractError("; ".join(say_plainly(error, type(self)))) from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        folded = {name.casefold() for name in self.allowed_fields}
        if twice := [name for name, count in Counter(self.allowed_fields).items() if count > 1]:
            raise wrong(f"given twice: {listed(twice, _NAMED)}: a field is given once")
        schema = self.data_schema
        said = {*(field.name for field in schema.fields), *schema.primary_key} - {*self.allowed_fields}
        if said:
            raise wrong(
                f"described and not allowed: {listed(sorted(said), _NAMED)}: the schema is of what may be there"
            )
        if both := [name for name in self.excluded_fields if name.casefold() in folded]:
            raise wrong(f"both allowed and excluded: {listed(both, _NAMED)}: a field is given or excluded")
        if odd := [name for name in self.required_fields if name not in self.allowed_fields]:
            raise wrong(f"required and not allowed: {listed(odd, _NAMED)}: what must be there may be there")
        if doubly := set(self.allowed_classifications or ()) & set(self.excluded_classifications):
            raise wrong(f"both allowed and excluded: {listed(sorted(doubly), _NAMED)}: it is one of them")
        return self

    @property
    def max_age(self) -> dt.timedelta | None:
        """How old the newest row may be."""
        return age(self.freshness) if self.freshness else None

    @property
    def title(self) -> str:
        """Product and consumer, as a person calls the contract."""
        return f"{self.product or 'data'} for {self.consumer or 'a consumer'}"

    @classmethod
    def from_mesh(cls, mesh: Mesh, product: str | None = None, consumer: str | None = None) -> DataContract:
        """The contract of a product with a consumer, by names without case; one may be left out where it is clear.

        Raises ContractError where the mesh has none of that name, or several.
        """
        if not isinstance(mesh, Mesh):
            raise ContractError(f"found {type(mesh).__name__}, wants a mesh: load_mesh(path), or from_yaml(path)")
        return _contract_of(mesh.products, mesh.policies, product, consumer)

    @classmethod
    def from_yaml(
        cls, path: str | os.PathLike[str], product: str | None = None, consumer: str | None = None
    ) -> DataContract:
        """The same from a file or folder, whose documents need not be a whole mesh. Raises MeshError, ContractError."""
        policies, products = load_products(path)
        return _contract_of(products, policies, product, consumer)

    @classmethod
    def of_product(cls, mesh: Mesh, product: str | None, fields: tuple[str, ...]) -> DataContract:
        """What a product promises of all its data, `fields` among it; for its owner, not for a consumer."""
        chosen = _product(mesh.products, product)
        schema = chosen.data_schema or DataSchema()
        every = tuple(dict.fromkeys((*(field.name for field in schema.fields), *fields)))
        promised = _promised(chosen.quality_metrics, None)
        return cls(
            **{f"min_{name}": value for name, value in promised.items()},
            allowed_fields=every,
            freshness=chosen.sla.freshness if chosen.sla else None,
            data_schema=schema,
            product=chosen.name,
            domain=chosen.domain,
            owner=chosen.owner,
        )

    def to_yaml(self) -> str:
        """The contract as the document of its product, with the policy's classification rules; `from_yaml` reads it.

        Raises ContractError where it has no names to write.
        """
        names = {"product": self.product, "domain": self.domain, "owner": self.owner, "consumer": self.consumer}
        if missing := [name for name, value in {**names, "purpose": self.purpose}.items() if not value]:
            raise ContractError(f"a contract without {listed(missing, _NAMED)} cannot be written: give it one")
        metrics = {
            name: value
            for name in ("completeness", "accuracy", "timeliness")
            if (value := getattr(self, f"min_{name}")) is not None
        }
        wish = DataContractWish(
            consumer=self.consumer,
            purpose=self.purpose,
            fields=self.allowed_fields,
            optional_fields=tuple(name for name in self.allowed_fields if name not in self.required_fields),
            excluded_fields=self.excluded_fields,
            exclude_similar=self.exclude_similar,
            excluded_classifications=self.excluded_classifications,
            allowed_classifications=self.allowed_classifications,
        )
        document = DataProduct(
            name=self.product,
            domain=self.domain,
            owner=self.owner,
            data_residency=ProductResidency(storage_locations=self.residency) if self.residency else None,
            sla=ServiceLevel(freshness=self.freshness) if self.freshness else None,
            quality_metrics=QualityMetrics(**metrics) if metrics else None,
            data_schema=None if self.data_schema == DataSchema() else self.data_schema,
            data_contracts=(wish,),
        )
        text = yamlfile.dump({"dataProduct": _plain(document)})
        if self.classification_rules:
            policies = GovernancePolicies(data_classification=DataClassification(rules=self.classification_rules))
            text += "---\n" + yamlfile.dump({"governancePolicies": _plain(policies)})
        return text


def load_contracts(path: str | os.PathLike[str]) -> list[DataContract]:
    """Every contract in a file or folder, in its order. Raises MeshError for a document that is wrong in itself."""
    policies, products = load_products(path)
    return [_made(product, wish, policies) for product in products for wish in product.data_contracts]


def choose_contracts(
    contracts: Iterable[DataContract], product: str | None, consumer: str | None
) -> list[DataContract]:
    """Those of a product, and of a consumer, by names without case; None for any."""
    wanted = product.strip().casefold() if product else None
    return [
        one
        for one in contracts
        if wanted in (None, one.product.casefold(), f"{one.domain}/{one.product}".casefold())
        and (consumer is None or party(one.consumer) == party(consumer))
    ]


def _plain(model: Model) -> dict[str, Any]:
    plain: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return plain


def _contract_of(
    products: Iterable[DataProduct],
    policies: GovernancePolicies | None,
    product: str | None,
    consumer: str | None,
) -> DataContract:
    chosen = _product(tuple(products), product)
    return _made(chosen, _wish(chosen, consumer), policies)


def _made(chosen: DataProduct, wish: DataContractWish, policies: GovernancePolicies | None) -> DataContract:
    classification = policies.data_classification if policies else None
    residency = residency_of(policies, chosen.data_residency)
    promised = _promised(chosen.quality_metrics, wish.quality_metrics)
    return DataContract(
        **{f"min_{name}": value for name, value in promised.items()},
        allowed_fields=wish.fields,
        required_fields=tuple(name for name in wish.fields if name not in wish.optional_fields),
        excluded_fields=wish.excluded_fields,
        freshness=chosen.sla.freshness if chosen.sla else None,
        data_schema=_narrowed(chosen.data_schema or DataSchema(), frozenset(wish.fields)),
        exclude_similar=wish.exclude_similar,
        excluded_classifications=wish.excluded_classifications,
        allowed_classifications=wish.allowed_classifications,
        classification_rules=classification.rules if classification else (),
        residency=tuple(sorted(residency.allowed)) if residency else (),
        consumer=wish.consumer,
        purpose=wish.purpose,
        product=chosen.name,
        domain=chosen.domain,
        owner=chosen.owner,
    )


def _promised(product: QualityMetrics | None, consumer: QualityMetrics | None) -> dict[str, float]:
    """The product's figures, and where this consumer is promised others, those."""
    figures = {**(product.model_dump(exclude_none=True) if product else {})}
    return {**figures, **(consumer.model_dump(exclude_none=True) if consumer else {})}


def _narrowed(schema: DataSchema, given: frozenset[str]) -> DataSchema:
    """What the schema says of these fields. The timestamp column stays: without it freshness is unknown, not right."""
    return DataSchema(
        fields=tuple(field for field in schema.fields if field.name in given),
        primary_key=schema.primary_key if given.issuperset(schema.primary_key) else (),
        row_count=schema.row_count,
        validity_rules=tuple(
            rule for rule in schema.validity_rules if given.issuperset(fields_of(parse_rule(rule.rule)))
        ),
        timestamp_column=schema.timestamp_column,
    )


def _product(products: tuple[DataProduct, ...], name: str | None) -> DataProduct:
    """The product of that name, `Domain/Product` where several domains have one; the only one without a name."""
    wanted = name.strip().casefold() if name else None
    found = [one for one in products if wanted in (None, one.name.casefold(), f"{one.domain}/{one.name}".casefold())]
    if len(found) == 1:
        return found[0]
    names = [one.name for one in products]
    if not found:
        guess = did_you_mean(name, names) if name else ""
        known = f"; known: {listed(names, _NAMED)}" if names else ": it describes none"
        raise ContractError(printable(f"no product '{name or ''}' is in the mesh{guess}{known}"))
    several = listed([f"{one.domain}/{one.name}" for one in found], _NAMED)
    raise ContractError(printable(f"several products: {several}: say which (--product)"))


def _wish(product: DataProduct, consumer: str | None) -> DataContractWish:
    contracts = product.data_contracts
    if consumer is None:
        found = list(contracts)
    else:
        found = [one for one in contracts if party(one.consumer) == party(consumer)]
    if len(found) == 1:
        return found[0]
    names = [one.consumer for one in contracts]
    if not found:
        known = f": it has them with {listed(names, _NAMED)}" if names else ": it has no dataContracts"
        who = f" with '{consumer}'" if consumer else ""
        raise ContractError(printable(f"the product '{product.name}' has no contract{who}{known}"))
    several = "several contracts" if consumer is None else "several contracts with that consumer"
    raise ContractError(
        printable(f"the product '{product.name}' has {several}: {listed(names, _NAMED)}: say which (--consumer)")
    )
