"""The document of a data product, with its contracts, as a typed and frozen model."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from sovereignmesh.mesh.validity import Rule  # noqa: TC001 - pydantic reads the annotations
from sovereignmesh.mesh.values import (
    AnyClassificationName,
    AreaName,
    Duration,
    Model,
    Name,
    Names,
    Percent,
    RegionNames,
    SomeNames,
    Text,
    ValuePattern,
    wrong,
)
from sovereignmesh.result.checks import Severity  # noqa: TC001

__all__ = [
    "CUSTOMER_KEY",
    "NO_PERSONAL_DATA",
    "DataContractWish",
    "DataProduct",
    "DataSchema",
    "FieldWish",
    "LogicalType",
    "ProductResidency",
    "QualityMetrics",
    "RowCount",
    "ServiceLevel",
    "ValidityRule",
]

PiiHandling = Literal["Encrypted-CMK", "Encrypted", "Masked", "Pseudonymised", "None"]
NO_PERSONAL_DATA: Final[PiiHandling] = "None"
CUSTOMER_KEY: Final[PiiHandling] = "Encrypted-CMK"


class ProductResidency(Model):
    """Where one product's data may be; narrower than the policy, never wider."""

    region: AreaName | None = Field(None, description="The legal area: EU, EUDB, or a country")
    storage_locations: RegionNames | None = Field(None, description="Azure regions of the data itself")
    replica_locations: RegionNames | None = Field(None, description="Azure regions that replicas and backups may add")
    pii_handling: PiiHandling | None = Field(
        None, description="How personal data is kept; Encrypted-CMK requires a customer-managed key"
    )


class Interface(Model):
    """One way in to a product's data."""

    type: Name = Field(description="API, SQL, ...")
    endpoint: Name
    authentication: Name | None = None
    scopes: Names = ()
    access_level: Name | None = None
    rate_limit: Annotated[int, Field(ge=1)] | None = None


class ServiceLevel(Model):
    """What consumers may rely on."""

    availability: Percent | None = None
    latency: Name | None = None
    freshness: Duration | None = Field(None, description="How old the newest row may be: '< 1 hour', 15m, PT1H")


class QualityMetrics(Model):
    """Percentages that the product's data reaches at least."""

    completeness: Percent | None = Field(None, description="Cells that are neither null nor NaN")
    accuracy: Percent | None = Field(None, description="Rows that break no rule on their values")
    timeliness: Percent | None = Field(None, description="Rows younger than the freshness of the sla")


# The logical types of the Open Data Contract Standard 3.
LogicalType = Literal["string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"]
Scalar = str | int | float | bool
Bound = int | Annotated[float, Field(allow_inf_nan=False)] | str


class FieldWish(Model):
    """What one field holds. Only values that are there are judged; `required` says that none may be missing."""

    name: Name
    type: LogicalType | None = Field(None, description="A logical type of the Open Data Contract Standard")
    description: Text | None = None
    required: bool = Field(False, description="true: neither null nor NaN")
    unique: bool = Field(False, description="true: no value twice")
    pattern: ValuePattern | None = Field(None, description="A regular expression that the whole value must match")
    allowed_values: Annotated[tuple[Scalar, ...], Field(strict=False, min_length=1)] | None = None
    minimum: Bound | None = Field(None, description="The least value: a number, or a date as in '2026-01-31'")
    maximum: Bound | None = Field(None, description="The greatest value, itself allowed")
    severity: Severity | None = Field(None, description="Of what breaks this; default: medium")

    @model_validator(mode="after")
    def _in_order(self) -> FieldWish:
        low, high = self.minimum, self.maximum
        if low is None or high is None:
            return self
        if isinstance(low, str) and isinstance(high, str):
            above = low > high
        elif isinstance(low, str) or isinstance(high, str):
            raise wrong("found a number and a text as 'minimum' and 'maximum', wants two of a kind")
        else:
            above = low > high
        if above:
            raise wrong(f"found 'minimum' {low} above 'maximum' {high}: no value fits")
        return self

    @property
    def judges_values(self) -> bool:
        """Whether a value can break it."""
        return self.required or any(
            each is not None for each in (self.pattern, self.allowed_values, self.minimum, self.maximum)
        )


class RowCount(Model):
    """How many rows there are."""

    minimum: Annotated[int, Field(ge=0)] | None = None
    maximum: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> RowCount:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise wrong(f"found 'minimum' {self.minimum} above 'maximum' {self.maximum}: no number fits")
        return self


class ValidityRule(Model):
    """What holds in every row, as a comparison of fields: `shippedAt >= orderedAt or status == 'open'`."""

    name: Name
    rule: Rule
    description: Text | None = None
    severity: Severity | None = Field(None, description="Of rows that break it; default: medium")


class DataSchema(Model):
    """What the product's data looks like. Fields that are not described may hold anything."""

    fields: Annotated[tuple[FieldWish, ...], Field(strict=False)] = ()
    primary_key: Names = Field((), description="Fields that together are there and unique in every row")
    row_count: RowCount | None = None
    validity_rules: Annotated[tuple[ValidityRule, ...], Field(strict=False)] = ()
    timestamp_column: Name | None = Field(None, description="When a row was last true: freshness and timeliness")

    @property
    def judges_values(self) -> bool:
        """Whether it has a rule that rows can break: without one, accuracy cannot be measured."""
        return bool(self.validity_rules) or any(field.judges_values for field in self.fields)


class DataContractWish(Model):
    """What one consumer may see of a product."""

    consumer: Name = Field(description="A domain: 'Sales', or 'Sales Domain'")
    purpose: Text
    fields: SomeNames = Field(description="What the consumer gets: all of it is there, but `optionalFields`")
    optional_fields: Names = Field((), description="Those of `fields` that may be missing from the data")
    excluded_fields: Names = ()
    exclude_similar: bool = Field(
        False, description="true: nor fields whose names resemble: E-Mail, customer_email, contact.email"
    )
    excluded_classifications: Annotated[tuple[AnyClassificationName, ...], Field(strict=False)] = Field(
        (), description="What must not be found in the fields, by names and sampled values"
    )
    allowed_classifications: Annotated[tuple[AnyClassificationName, ...], Field(strict=False)] | None = Field(
        None, description="What may be found in the fields; [] for nothing; without it, anything"
    )
    quality_metrics: QualityMetrics | None = Field(None, description="Where this consumer is promised other figures")


class DataProduct(Model):
    """A product of a domain."""

    name: Name
    domain: Name
    owner: Name
    description: Text | None = Field(None, description="What the data is; assets in the catalog without one get it")
    data_residency: ProductResidency | None = None
    interfaces: Annotated[tuple[Interface, ...], Field(strict=False)] = ()
    sources: Names = Field((), description="Sources in Purview, by name, whose assets are the product's")
    sla: ServiceLevel | None = None
    quality_metrics: QualityMetrics | None = None
    data_schema: DataSchema | None = Field(None, alias="schema", description="Fields, keys and rules of the data")
    data_contracts: Annotated[tuple[DataContractWish, ...], Field(strict=False)] = ()

    @property
    def holds_no_personal_data(self) -> bool:
        """Whether the product says so."""
        return self.data_residency is not None and self.data_residency.pii_handling == NO_PERSONAL_DATA

    @property
    def limits_classifications(self) -> bool:
        """Whether it says what may be found in its data."""
        limited = any(contract.allowed_classifications is not None for contract in self.data_contracts)
        return limited or self.holds_no_personal_data
