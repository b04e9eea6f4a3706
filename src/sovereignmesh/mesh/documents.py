"""The documents of a mesh that govern it, as typed and frozen models: policies, domains, people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, RootModel, model_validator

from sovereignmesh.mesh.values import (
    AreaName,
    ClassificationName,
    Day,
    Model,
    Name,
    Names,
    ObjectId,
    Pattern,
    RegionNames,
    ResourceId,
    RuleName,
    RulePattern,
    SomeNames,
    Text,
    as_named,
    wrong,
)
from sovereignmesh.result.checks import Check, Severity  # noqa: TC001 - pydantic reads the annotations

__all__ = ["DataCatalog", "Directory", "Domain", "GovernancePolicies", "PolicyResidency", "RequiredTag", "Waiver"]


class PolicyResidency(Model):
    """Where the data of the whole mesh may be."""

    enforced: bool = Field(True, description="false: judged and marked advisory, never in the exit code")
    region: AreaName | None = Field(None, description="The legal area: EU, EUDB, or a country")
    allowed_regions: RegionNames | None = Field(None, description="Azure regions; they narrow the area")


class ClassificationRule(Model):
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
            raise wrong("found 'dataPattern' beside a 'pattern' of data, wants one of them")
        return self


class DataClassification(Model):
    """How personal data is recognised."""

    auto_classify: bool = False
    rules: Annotated[tuple[ClassificationRule, ...], Field(strict=False)] = ()


class DataCatalog(Model):
    """What the catalog asks of an asset."""

    require_description: bool = False
    require_owner: bool = False
    require_sensitivity_label: bool = False


class AccessControl(Model):
    """Who approves access to a product's data."""

    require_approval: bool = False
    approvers: Names = Field(
        (), description="Names of the `directory`, or object ids; NAME@domain is NAME@ with each domain's own name"
    )


class RequiredTag(Model):
    """A tag that every resource must carry, with the values that it may have."""

    name: Name = Field(description="The tag's name, compared without case")
    allowed_values: SomeNames | None = Field(None, description="Values, compared with case")
    pattern: Pattern | None = Field(None, description="A regular expression that the whole value must match")

    @model_validator(mode="after")
    def _one_condition(self) -> RequiredTag:
        if self.allowed_values is not None and self.pattern is not None:
            raise wrong("found both 'allowedValues' and 'pattern', wants one of them")
        return self


class Encryption(Model):
    """Who holds the keys."""

    customer_managed_keys: Literal["required", "recommended", "off"] = "off"
    key_type: Literal["any", "hsm"] = "any"


class Network(Model):
    """From where the data can be reached."""

    public_access: Literal["denied", "allowed"] = "allowed"
    private_endpoints: Literal["required", "off"] = "off"


class Waiver(Model):
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
            raise wrong("wants exactly one of 'resource' and 'pattern'")
        return self

    @property
    def target(self) -> str:
        """The resource id or the pattern, as written."""
        return self.resource or self.pattern or ""


class GovernancePolicies(Model):
    """What the whole mesh is held to."""

    data_residency: PolicyResidency | None = None
    data_classification: DataClassification | None = None
    data_catalog: DataCatalog | None = None
    access_control: AccessControl | None = None
    required_tags: Annotated[
        tuple[Annotated[RequiredTag, BeforeValidator(as_named, json_schema_input_type=str | RequiredTag)], ...],
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


class Domain(Model):
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
