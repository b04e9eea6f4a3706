"""The documents of a mesh, as typed and frozen models: what a person writes, checked and normalised."""

from __future__ import annotations

import re
import warnings
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from sovereignmesh.facts import areas, find_region, regions
from sovereignmesh.mesh.words import did_you_mean, found
from sovereignmesh.patterns import check_pattern, slug
from sovereignmesh.result.checks import Check, Severity  # noqa: TC001 - pydantic reads the annotations

__all__ = [
    "DataContract",
    "DataProduct",
    "Directory",
    "Domain",
    "GovernancePolicies",
    "PolicyResidency",
    "ProductResidency",
    "RequiredTag",
    "Waiver",
    "is_object_id",
]


def _wrong(message: str) -> PydanticCustomError:
    # The message is passed as a value: braces in what a person wrote are no placeholders.
    return PydanticCustomError("mesh", "{said}", {"said": message})


def _text(value: str) -> str:
    if not value.strip():
        raise _wrong("found an empty string, wants some text")
    return value


def _name(value: str) -> str:
    if value != _text(value).strip() or not value.isprintable():
        raise _wrong(f"found {found(value)}, wants one line without spaces around it")
    return value


def _region(spelling: str) -> str:
    region = find_region(spelling)
    if region is None:
        names = [name for known in regions().values() for name in (known.name, known.display_name)]
        raise _wrong(f"found {found(spelling)}, wants an Azure region{did_you_mean(spelling, names)}")
    return region.name


def _area(spelling: str) -> str:
    names = {name.casefold(): name for name in areas()}
    if spelling.casefold() not in names:
        guess = did_you_mean(spelling, names.values())
        raise _wrong(f"found {found(spelling)}, wants an area: EU, EUDB or a country with a region{guess}")
    return names[spelling.casefold()]


# As Apache Atlas, on which the Data Map is built, says in its refusal ATLAS-400-00-019; Purview's own names have dots.
_TYPE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_. ]*")


def _pattern(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python will read differently one day is refused today
            re.compile(value)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise _wrong(f"found {found(value)}, wants a regular expression: {error}") from None
    return value


def _rule_pattern(value: str) -> str:
    problem = next((problem for problem in check_pattern(value) if problem.severity == "error"), None)
    if problem is not None:
        raise _wrong(f"found {found(value)}, wants a pattern for Purview: {problem.message}")
    return value


def _classification(value: str) -> str:
    if value.upper().startswith("MICROSOFT."):
        raise _wrong(f"found {found(value)}, wants a name that does not begin with MICROSOFT.: these are Purview's own")
    return _any_classification(value)


def _any_classification(value: str) -> str:
    if not _TYPE_NAME.fullmatch(value):
        rule = "a letter, then letters, digits, spaces, '_' and '.'"
        raise _wrong(f"found {found(value)}, wants a classification's name as the Data Map allows it: {rule}")
    return value


def _rule_name(value: str) -> str:
    if slug(value) != value:
        raise _wrong(f"found {found(value)}, wants a name that Purview accepts, such as '{slug(value)}'")
    return value


def _date(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # a day that no month has is said like any other wrong date
    raise _wrong(f"found {found(value)}, wants a date as YYYY-MM-DD")


def _resource_id(value: str) -> str:
    if "*" in value:
        raise _wrong(f"found {found(value)}, wants one full resource id; write 'pattern' for a value with '*'")
    if not re.match(r"/(subscriptions|providers)/[^/]", value, re.IGNORECASE):
        raise _wrong(f"found {found(value)}, wants a full resource id: /subscriptions/...")
    return value


_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_object_id(value: str) -> bool:
    """Whether it is written as an object id of Microsoft Entra ID is: a GUID."""
    return _GUID.fullmatch(value) is not None


def _object_id(value: str) -> str:
    if not is_object_id(value):
        raise _wrong(f"found {found(value)}, wants an object id of Microsoft Entra ID, a GUID")
    return value.lower()


def _as_named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _completions(known: list[str]) -> dict[str, Any]:
    """An editor offers these, and refuses no other spelling: `validate` knows them all."""
    return {"anyOf": [{"enum": known}, {"type": "string"}]}


Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_name)]
RegionName = Annotated[str, AfterValidator(_region), Field(json_schema_extra=_completions(sorted(regions())))]
AreaName = Annotated[str, AfterValidator(_area), Field(json_schema_extra=_completions(sorted(areas())))]
Pattern = Annotated[str, AfterValidator(_pattern), Field(json_schema_extra={"format": "regex"})]
RulePattern = Annotated[str, AfterValidator(_rule_pattern), Field(json_schema_extra={"format": "regex"})]
ClassificationName = Annotated[Name, AfterValidator(_classification)]
AnyClassificationName = Annotated[Name, AfterValidator(_any_classification)]
RuleName = Annotated[str, AfterValidator(_rule_name)]
Day = Annotated[
    date, BeforeValidator(_date, json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date"})])
]
ResourceId = Annotated[str, AfterValidator(_resource_id)]
ObjectId = Annotated[str, AfterValidator(_object_id), Field(json_schema_extra={"format": "uuid"})]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

# Lists become tuples; their items stay strict.
RegionNames = Annotated[tuple[RegionName, ...], Field(strict=False, min_length=1)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]
SomeNames = Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        model_title_generator=lambda model: model.__name__.removesuffix("Wish"),
    )


class PolicyResidency(_Model):
    """Where the data of the whole mesh may be."""

    enforced: bool = Field(True, description="false: judged and marked advisory, never in the exit code")
    region: AreaName | None = Field(None, description="The legal area: EU, EUDB, or a country")
    allowed_regions: RegionNames | None = Field(None, description="Azure regions; they narrow the area")


class ClassificationRule(_Model):
    """Columns whose name (or values) match `pattern` are classified as `classification`."""

    pattern: RulePattern
    classification: ClassificationName
    applies_to: Literal["column", "data"] = Field("column", description="What `pattern` is of: the name, or the values")
    data_pattern: RulePattern | None = Field(None, description="Of the values: the name and these must match")
    minimum_percentage_match: Annotated[float, Field(ge=1, le=100)] | None = Field(
        None, description="How many of the distinct values must match; Purview's default is 60"
    )
    name: RuleName | None = Field(None, description="Of the rule in Purview; default: from the classification")
    description: Text | None = None

    @model_validator(mode="after")
    def _one_data_pattern(self) -> ClassificationRule:
        if self.data_pattern is not None and self.applies_to == "data":
            raise _wrong("found 'dataPattern' beside a 'pattern' of data, wants one of them")
        return self


class DataClassification(_Model):
    """How personal data is recognised."""

    auto_classify: bool = False
    rules: Annotated[tuple[ClassificationRule, ...], Field(strict=False)] = ()


class DataCatalog(_Model):
    """What the catalog asks of an asset."""

    require_description: bool = False
    require_owner: bool = False
    require_sensitivity_label: bool = False


class AccessControl(_Model):
    """Who approves access to a product's data."""

    require_approval: bool = False
    approvers: Names = Field(
        (), description="Names of the `directory`, or object ids; NAME@domain is NAME@ with each domain's own name"
    )


class RequiredTag(_Model):
    """A tag that every resource must carry, with the values that it may have."""

    name: Name = Field(description="The tag's name, compared without case")
    allowed_values: SomeNames | None = Field(None, description="Values, compared with case")
    pattern: Pattern | None = Field(None, description="A regular expression that the whole value must match")

    @model_validator(mode="after")
    def _one_condition(self) -> RequiredTag:
        if self.allowed_values is not None and self.pattern is not None:
            raise _wrong("found both 'allowedValues' and 'pattern', wants one of them")
        return self


class Encryption(_Model):
    """Who holds the keys."""

    customer_managed_keys: Literal["required", "recommended", "off"] = "off"
    key_type: Literal["any", "hsm"] = "any"


class Network(_Model):
    """From where the data can be reached."""

    public_access: Literal["denied", "allowed"] = "allowed"
    private_endpoints: Literal["required", "off"] = "off"


class Waiver(_Model):
    """An exemption with a reason, an owner and an end: of one resource, or of all whose id matches a pattern."""

    resource: ResourceId | None = Field(None, description="A full resource id, compared without case")
    pattern: Name | None = Field(None, description="A resource id with * and ?, compared without case")
    check: Check
    reason: Text
    owner: Name
    expires: Day = Field(description="The last day on which it is in force: YYYY-MM-DD")

    @model_validator(mode="after")
    def _one_target(self) -> Waiver:
        if (self.resource is None) == (self.pattern is None):
            raise _wrong("wants exactly one of 'resource' and 'pattern'")
        return self

    @property
    def target(self) -> str:
        """The resource id or the pattern, as written."""
        return self.resource or self.pattern or ""


class GovernancePolicies(_Model):
    """What the whole mesh is held to."""

    data_residency: PolicyResidency | None = None
    data_classification: DataClassification | None = None
    data_catalog: DataCatalog | None = None
    access_control: AccessControl | None = None
    required_tags: Annotated[
        tuple[Annotated[RequiredTag, BeforeValidator(_as_named, json_schema_input_type=str | RequiredTag)], ...],
        Field(strict=False),
    ] = ()
    inherit_tags: bool = Field(False, description="true: a tag of the resource group or subscription counts")
    encryption: Encryption = Encryption()
    network: Network = Network()
    severity: dict[Check, Severity] = Field({}, description="A check's severity, where the usual one is not wanted")
    implicit_replicas: Literal["report", "deny"] = Field(
        "report", description="Copies that cannot be switched off, inside the area: report them as low, or deny them"
    )
    waivers: Annotated[tuple[Waiver, ...], Field(strict=False)] = ()


PiiHandling = Literal["Encrypted-CMK", "Encrypted", "Masked", "Pseudonymised", "None"]
NO_PERSONAL_DATA: Final[PiiHandling] = "None"
CUSTOMER_KEY: Final[PiiHandling] = "Encrypted-CMK"


class ProductResidency(_Model):
    """Where one product's data may be; narrower than the policy, never wider."""

    region: AreaName | None = Field(None, description="The legal area: EU, EUDB, or a country")
    storage_locations: RegionNames | None = Field(None, description="Azure regions of the data itself")
    replica_locations: RegionNames | None = Field(None, description="Azure regions that replicas and backups may add")
    pii_handling: PiiHandling | None = Field(
        None, description="How personal data is kept; Encrypted-CMK requires a customer-managed key"
    )


class Interface(_Model):
    """One way in to a product's data."""

    type: Name = Field(description="API, SQL, ...")
    endpoint: Name
    authentication: Name | None = None
    scopes: Names = ()
    access_level: Name | None = None
    rate_limit: Annotated[int, Field(ge=1)] | None = None


class ServiceLevel(_Model):
    """What consumers may rely on."""

    availability: Percent | None = None
    latency: Name | None = None
    freshness: Name | None = None


class QualityMetrics(_Model):
    """Percentages that the product's data reaches at least."""

    completeness: Percent | None = None
    accuracy: Percent | None = None
    timeliness: Percent | None = None


class DataContract(_Model):
    """What one consumer may see of a product."""

    consumer: Name = Field(description="A domain: 'Sales', or 'Sales Domain'")
    purpose: Text
    fields: SomeNames
    excluded_fields: Names = ()
    allowed_classifications: Annotated[tuple[AnyClassificationName, ...], Field(strict=False)] | None = Field(
        None, description="What may be found in the fields; [] for nothing; without it, anything"
    )


class DataProduct(_Model):
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
    data_contracts: Annotated[tuple[DataContract, ...], Field(strict=False)] = ()

    @property
    def holds_no_personal_data(self) -> bool:
        """Whether the product says so."""
        return self.data_residency is not None and self.data_residency.pii_handling == NO_PERSONAL_DATA

    @property
    def limits_classifications(self) -> bool:
        """Whether it says what may be found in its data."""
        limited = any(contract.allowed_classifications is not None for contract in self.data_contracts)
        return limited or self.holds_no_personal_data


class Domain(_Model):
    """A domain, and the subscriptions that are wholly its own."""

    name: Name
    owner: Name | None = None
    subscriptions: SomeNames | None = Field(None, description="Ids or names")
    description: Text | None = None


class Directory(RootModel[dict[Name, ObjectId]]):
    """Who somebody is: by name or mail the object id of a user or a group in Microsoft Entra ID.

    An approver `data-steward@domain` is `data-steward@Sales` for what is of the domain Sales; names without case.
    """

    model_config = ConfigDict(strict=True, frozen=True)
