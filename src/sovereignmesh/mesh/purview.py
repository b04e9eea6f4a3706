"""The document `purview`: an account's collections, sources, scans and what these need, as a person writes them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from sovereignmesh.facts.purview import credential_kinds
from sovereignmesh.mesh.purview_account import ACCOUNT_ID, AccountResourceWish
from sovereignmesh.mesh.purview_words import (  # noqa: TC001 - pydantic reads the annotations
    Address,
    Level,
    Moment,
    MonthDay,
    ObjectName,
    Occurrence,
    Properties,
    ReferenceName,
    Roles,
    ScanKindName,
    SourceKindName,
    TypeOrKind,
    WeekDay,
)
from sovereignmesh.mesh.values import (
    AnyClassificationName,
    ClassificationName,
    Model,
    Name,
    Names,
    RegionName,
    ResourceId,
    RulePattern,
    SomeNames,
    Text,
    as_named,
    wrong,
)

__all__ = [
    "CollectionWish",
    "CredentialWish",
    "CustomClassificationRuleWish",
    "DiscoverWish",
    "FilterWish",
    "KeyVaultWish",
    "PurviewAccountWish",
    "RulesetWish",
    "ScanWish",
    "SourceWish",
    "TriggerWish",
]  # fmt: skip


class OccurrenceWish(Model):
    """The first, second, ... Monday of a month; -1 is the last."""

    day: WeekDay
    occurrence: Occurrence


class ScheduleWish(Model):
    """At which hours, minutes and days of its period a trigger fires."""

    hours: Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], Field(strict=False)] | None = None
    minutes: Annotated[tuple[Annotated[int, Field(ge=0, le=59)], ...], Field(strict=False)] | None = None
    week_days: Annotated[tuple[WeekDay, ...], Field(strict=False)] | None = None
    month_days: Annotated[tuple[MonthDay, ...], Field(strict=False)] | None = None
    monthly_occurrences: Annotated[tuple[OccurrenceWish, ...], Field(strict=False)] | None = None


class RecurrenceWish(Model):
    """How often a trigger fires."""

    frequency: Literal["Hour", "Day", "Week", "Month"]
    interval: Annotated[int, Field(ge=1, le=1000)] = 1
    start_time: Moment | None = None
    end_time: Moment | None = None
    time_zone: Name | None = Field(None, description="As Windows names it: W. Europe Standard Time; default: UTC")
    schedule: ScheduleWish | None = None

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> RecurrenceWish:
        moments = [dt.datetime.fromisoformat(each) for each in (self.start_time, self.end_time) if each]
        zoned = [each.replace(tzinfo=each.tzinfo or dt.UTC) for each in moments]
        if zoned != sorted(zoned):
            raise wrong("'endTime' is before 'startTime'")
        return self

    @model_validator(mode="after")
    def _days_of_its_period(self) -> RecurrenceWish:
        days = self.schedule
        if self.frequency == "Month" and not (days and (days.month_days or days.monthly_occurrences)):
            # So refused in an example of the specification: Triggers_CreateOrReplace.
            raise wrong("a recurrence by Month wants 'monthDays' or 'monthlyOccurrences' in its 'schedule'")
        if days is not None and days.week_days and self.frequency != "Week":
            raise wrong(f"found 'weekDays' in a recurrence by {self.frequency}: they are of frequency Week")
        if days is not None and (days.month_days or days.monthly_occurrences) and self.frequency != "Month":
            raise wrong(f"found days of a month in a recurrence by {self.frequency}: they are of frequency Month")
        return self


class TriggerWish(Model):
    """When a scan runs by itself."""

    recurrence: RecurrenceWish
    level: Level = Field("Incremental", description="What is read again: what has changed, or all")
    enabled: bool = True


class FilterWish(Model):
    """Which parts of a source are read, by how their addresses begin, or by regular expressions."""

    include: Names = ()
    exclude: Names = ()
    include_regexes: Names = ()
    exclude_regexes: Names = ()


class ScanWish(Model):
    """A scan of a source."""

    name: ObjectName
    kind: ScanKindName | None = Field(None, description="Default: with the account's own identity, where there is one")
    database: Name | None = Field(None, description="The database, or share, that is scanned")
    credential: ObjectName | None = None
    ruleset: ObjectName | None = Field(
        None, description="Default: the mesh's own, which has its classification rules, else the kind's system ruleset"
    )
    ruleset_type: Literal["Custom", "System", "none"] | None = Field(
        None,
        description="Default: System where `ruleset` is the name of the kind's, else Custom; none: it has no ruleset",
    )
    collection: Name | None = Field(None, description="By name or title; default: the source's; else one below it")
    runtime: Name | None = Field(None, description="The integration runtime that scans")
    properties: Properties = Field({}, description="Others of the kind, in the API's words")
    filter: FilterWish | None = None
    trigger: TriggerWish | None = None

    @model_validator(mode="after")
    def _ruleset_told(self) -> ScanWish:
        if self.ruleset_type == "none" and self.ruleset is not None:
            raise wrong("'rulesetType' none goes with no 'ruleset'")
        if self.ruleset_type == "Custom" and self.ruleset is None:
            raise wrong("'rulesetType' Custom wants the name of the 'ruleset'")
        return self


class SourceWish(Model):
    """A data source: by the id of a resource, from which all else follows, or in full."""

    name: ObjectName
    resource: ResourceId | None = Field(
        None, description="A server, an account, a workspace; or a database in a server"
    )
    kind: SourceKindName | None = Field(None, description="Default: that of the resource")
    location: RegionName | None = Field(None, description="Default: the resource's, as Azure says it")
    collection: Name | None = Field(None, description="By name or title; default: that of the data's domain")
    properties: Properties = Field({}, description="Of the kind, in the API's words")
    scans: Annotated[tuple[ScanWish, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _told(self) -> SourceWish:
        if self.resource is None and self.kind is None:
            raise wrong("wants 'resource', or 'kind' with 'properties'")
        return self


class DiscoverWish(Model):
    """Registers what the subscriptions hold, each in the collection of its domain."""

    domains: Literal["all"] | SomeNames = Field("all", description="Of these domains; all: of every one")
    types: Annotated[tuple[TypeOrKind, ...], Field(strict=False, min_length=1)] = Field(
        description="Resource types, or kinds of source"
    )


class SourcesWish(Model):
    """Sources that are found, and those that are written out."""

    discover: DiscoverWish
    register_: Annotated[tuple[SourceWish, ...], Field(strict=False, alias="register")] = ()


class CollectionWish(Model):
    """A collection, and those below it."""

    name: ReferenceName = Field(description="Its reference name; accounts answer with it in lower case")
    friendly_name: Name | None = Field(None, description="Its title; default: the name as written")
    description: Text | None = None
    parent: ReferenceName | None = Field(None, description="Default: the collection that it is written in, or the root")
    roles: Roles = Field({})
    collections: Annotated[tuple[CollectionWish, ...], Field(strict=False)] = ()

    @property
    def title(self) -> str:
        """What people see."""
        return self.friendly_name or self.name


class KeyVaultWish(Model):
    """A key vault in which credentials keep their secrets."""

    name: ObjectName
    base_url: Address
    description: Text | None = None


_OPTIONAL = frozenset({"tenant", "principalId", "tenantId", "resourceId"})


class CredentialWish(Model):
    """As whom a scan signs in. Secrets are named here, and lie in a key vault."""

    name: ObjectName
    kind: Literal[
        "AccountKey", "ServicePrincipal", "BasicAuth", "SqlAuth", "AmazonARN", "ConsumerKeyAuth", "DelegatedAuth",
        "ManagedIdentity",
    ]  # fmt: skip
    description: Text | None = None
    key_vault: ObjectName | None = None
    secret: Name | None = None
    secret_version: Name | None = None
    consumer_secret: Name | None = None
    consumer_secret_version: Name | None = None
    user: Name | None = None
    service_principal_id: Name | None = None
    tenant: Name | None = None
    role_arn: Name | None = None
    consumer_key: Name | None = None
    client_id: Name | None = None
    principal_id: Name | None = None
    tenant_id: Name | None = None
    resource_id: Name | None = None

    @model_validator(mode="after")
    def _of_its_kind(self) -> CredentialWish:
        known = credential_kinds()[self.kind]
        if strange := sorted(self.told.keys() - set(known.fields)):
            raise wrong(f"{', '.join(strange)}: not of a {self.kind}, which has {', '.join(known.fields)}")
        needed = [name for name in (*known.texts, *known.secrets) if name not in _OPTIONAL]
        if missing := [name for name in needed if name not in self.told]:
            raise wrong(f"a {self.kind} wants {', '.join(missing)}")
        named = [name for name in known.secrets if name in self.told]
        if named and self.key_vault is None:
            raise wrong(f"names the secret '{named[0]}' without 'keyVault', where it lies")
        return self

    @property
    def told(self) -> dict[str, str]:
        """What is written besides name, kind and description, by its key in YAML."""
        written = self.model_dump(by_alias=True, exclude_none=True, exclude={"name", "kind", "description"})
        return {key: str(value) for key, value in written.items()}


class CustomClassificationRuleWish(Model):
    """A custom rule in Purview's own words, beside those that the policy's rules become."""

    name: ObjectName
    classification: AnyClassificationName = Field(
        description="One of the account's own, or of the system's: MICROSOFT..."
    )
    column_patterns: Annotated[tuple[RulePattern, ...], Field(strict=False)] = ()
    data_patterns: Annotated[tuple[RulePattern, ...], Field(strict=False)] = ()
    minimum_percentage_match: Annotated[float, Field(ge=1, le=100)] | None = None
    description: Text | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _matches_something(self) -> CustomClassificationRuleWish:
        if not self.column_patterns and not self.data_patterns:
            raise wrong("wants 'columnPatterns', 'dataPatterns' or both")
        return self


class ClassificationWish(Model):
    """A classification that no rule bears, or of which there is more to say."""

    name: ClassificationName
    description: Text | None = None


class KeepWish(Model):
    """An object that is not wished and stays where it is all the same; a source with all that lies in it."""

    kind: Literal[
        "collection", "key-vault", "credential", "classification", "classification-rule", "ruleset", "source", "scan",
        "trigger",
    ]  # fmt: skip
    name: Name = Field(description="As a plan writes it: of scans and triggers SOURCE/SCAN")


class RulesetWish(Model):
    """Which classification rules and files a scan heeds."""

    name: ObjectName
    kind: SourceKindName
    description: Text | None = None
    file_extensions: Names | None = Field(None, description="Default: those of the kind's system ruleset")
    excluded_system_classifications: Names = ()
    classification_rules: Names = Field((), description="Custom rules, by name; the policy's are there anyway")


def _sort(value: object) -> str:
    return "<list>" if isinstance(value, list | tuple) else "<mapping>"


class PurviewAccountWish(Model):
    """What is to be in a Purview account."""

    account: Name = Field(description="The account's name, or its resource id")
    account_resource: AccountResourceWish | None = Field(
        None, description="What the account itself is to be: of `purview account`"
    )
    roles: Roles = Field({})
    collections: Annotated[tuple[CollectionWish, ...], Field(strict=False)] = ()
    key_vaults: Annotated[tuple[KeyVaultWish, ...], Field(strict=False)] = ()
    credentials: Annotated[tuple[CredentialWish, ...], Field(strict=False)] = ()
    classifications: Annotated[
        tuple[
            Annotated[ClassificationWish, BeforeValidator(as_named, json_schema_input_type=str | ClassificationWish)],
            ...,
        ],
        Field(strict=False),
    ] = Field((), description="Besides those of rules: names, or with a description")
    classification_rules: Annotated[tuple[CustomClassificationRuleWish, ...], Field(strict=False)] = ()
    rulesets: Annotated[tuple[RulesetWish, ...], Field(strict=False)] = ()
    sources: Annotated[
        Annotated[Annotated[tuple[SourceWish, ...], Field(strict=False)], Tag("<list>")]
        | Annotated[SourcesWish, Tag("<mapping>")],
        Discriminator(_sort),
    ] = ()
    keep: Annotated[tuple[KeepWish, ...], Field(strict=False)] = Field(
        (), description="What a plan with --prune does not delete"
    )

    @property
    def parts(self) -> tuple[str, str, str]:
        """Subscription, resource group and name of the account, "" for what is not written."""
        given = ACCOUNT_ID.fullmatch(self.account)
        subscription, group, name = given.groups() if given else ("", "", self.account)
        wish = self.account_resource
        return (wish and wish.subscription) or subscription, (wish and wish.resource_group) or group, name

    @property
    def registered(self) -> tuple[SourceWish, ...]:
        """The sources that are written out."""
        return self.sources.register_ if isinstance(self.sources, SourcesWish) else self.sources

    @property
    def discovers(self) -> DiscoverWish | None:
        """Which sources are found."""
        return self.sources.discover if isinstance(self.sources, SourcesWish) else None

    @property
    def steps(self) -> tuple[str, ...]:
        """Where in the document the sources that are written out stand."""
        return ("sources", "register") if isinstance(self.sources, SourcesWish) else ("sources",)
