"""The document `purview`: an account's collections, sources, scans and what these need, as a person writes them."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from sovereignmesh.facts.purview import all_scan_kinds, all_source_kinds, credential_kinds, metadata_roles, source_kinds
from sovereignmesh.mesh.documents import (
    ClassificationName,
    Name,
    Names,
    RegionName,
    ResourceId,
    RulePattern,
    SomeNames,
    Text,
    _Model,
    _wrong,
)
from sovereignmesh.mesh.words import did_you_mean, found

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

# Of sources, scans, rules, rulesets, credentials and key vaults: the scanning API's own pattern, 2023-09-01.
_OBJECT: re.Pattern[str] = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_SHORTEST, _LONGEST = 3, 63
_LARGEST = 2**63
_FEW = 12  # names that a message lists
# https://learn.microsoft.com/purview/how-to-create-and-manage-collections, and what accounts answer with.
_COLLECTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{1,34})[A-Za-z0-9]")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def _object_name(value: str) -> str:
    if not _OBJECT.fullmatch(value) or not _SHORTEST <= len(value) <= _LONGEST:
        rule = f"letters, digits and single hyphens between them, {_SHORTEST} to {_LONGEST} characters"
        raise _wrong(f"found {found(value)}, wants a name as Purview allows it: {rule}")
    return value


def _reference_name(value: str) -> str:
    if not _COLLECTION.fullmatch(value):
        rule = "letters, digits and hyphens inside, 3 to 36 characters; its title is `friendlyName`"
        raise _wrong(f"found {found(value)}, wants a collection's reference name: {rule}")
    return value


def _principal(value: str) -> str:
    if not _GUID.fullmatch(value.removeprefix("group:")):
        wanted = "the object id of a user or a service principal, a GUID, or group:GUID for a group"
        raise _wrong(f"found {found(value)}, wants {wanted}")
    return value.lower()


def _address(value: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+/?", value):
        raise _wrong(f"found {found(value)}, wants the address of a vault: https://NAME.vault.azure.net/")
    return value


def _moment(value: str) -> str:
    try:
        dt.datetime.fromisoformat(value)
        known = _MOMENT.fullmatch(value)
    except ValueError:
        known = None
    if not known:
        raise _wrong(f"found {found(value)}, wants a moment such as 2026-01-31T02:00:00Z")
    return value


def _not_zero(value: int) -> int:
    if value == 0:
        raise _wrong("found the number 0, wants a day from the beginning, or -1 for the last")
    return value


def _sendable(properties: dict[str, Any]) -> dict[str, Any]:
    """Refuses numbers that JSON, or whoever reads it, cannot hold."""
    waiting: list[Any] = [properties]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) < _LARGEST):
            raise _wrong(f"found {found(value)}, wants a number that fits into 64 bits")
    return properties


def _known(value: str, known: frozenset[str], what: str) -> str:
    if value not in known:
        listing = f": {', '.join(sorted(known))}" if len(known) <= _FEW else ""
        raise _wrong(f"found {found(value)}, wants {what}{did_you_mean(value, sorted(known))}{listing}")
    return value


def _source_kind(value: str) -> str:
    return _known(value, all_source_kinds(), "a kind of source")


def _scan_kind(value: str) -> str:
    return _known(value, all_scan_kinds(), "a kind of scan")


def _role(value: str) -> str:
    return _known(value, frozenset(metadata_roles()), "a role in collections")


def _type_or_kind(value: str) -> str:
    types = {resource: resource for kind in source_kinds().values() for resource in kind.resource_types}
    folded = value.lower()
    if folded in types:
        return folded
    kind = source_kinds().get(value)
    if kind is None or not kind.resource_types:
        known = sorted({*types, *(kind.kind for kind in source_kinds().values() if kind.resource_types)})
        raise _wrong(f"found {found(value)}, wants a resource type or kind of source{did_you_mean(value, known)}")
    return value


ObjectName = Annotated[str, AfterValidator(_object_name)]
ReferenceName = Annotated[str, AfterValidator(_reference_name)]
Principals = Annotated[tuple[Annotated[str, AfterValidator(_principal)], ...], Field(strict=False)]
Roles = Annotated[
    dict[Annotated[str, AfterValidator(_role)], Principals],
    Field(
        description=f"Object ids, or group:ID, by role: {', '.join(metadata_roles())}; with --prune [] is nobody",
        json_schema_extra={"propertyNames": {"enum": sorted(metadata_roles())}},
    ),
]
Address = Annotated[str, AfterValidator(_address)]
Moment = Annotated[str, AfterValidator(_moment)]
SourceKindName = Annotated[str, AfterValidator(_source_kind)]
ScanKindName = Annotated[str, AfterValidator(_scan_kind)]
Properties = Annotated[dict[str, Any], AfterValidator(_sendable)]
Level = Literal["Full", "Incremental"]
WeekDay = Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]


MonthDay = Annotated[int, AfterValidator(_not_zero), Field(ge=-1, le=31)]


class OccurrenceWish(_Model):
    """The first, second, ... Monday of a month; -1 is the last."""

    day: WeekDay
    occurrence: Annotated[int, AfterValidator(_not_zero), Field(ge=-1, le=5)]


class ScheduleWish(_Model):
    """At which hours, minutes and days of its period a trigger fires."""

    hours: Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], Field(strict=False)] | None = None
    minutes: Annotated[tuple[Annotated[int, Field(ge=0, le=59)], ...], Field(strict=False)] | None = None
    week_days: Annotated[tuple[WeekDay, ...], Field(strict=False)] | None = None
    month_days: (
        Annotated[tuple[Annotated[int, AfterValidator(_not_zero), Field(ge=-1, le=31)], ...], Field(strict=False)]
        | None
    ) = None
    monthly_occurrences: Annotated[tuple[OccurrenceWish, ...], Field(strict=False)] | None = None


class RecurrenceWish(_Model):
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
            raise _wrong("'endTime' is before 'startTime'")
        return self

    @model_validator(mode="after")
    def _days_of_its_period(self) -> RecurrenceWish:
        days = self.schedule
        if days is not None and days.week_days and self.frequency != "Week":
            raise _wrong(f"found 'weekDays' in a recurrence by {self.frequency}: they are of frequency Week")
        if days is not None and (days.month_days or days.monthly_occurrences) and self.frequency != "Month":
            raise _wrong(f"found days of a month in a recurrence by {self.frequency}: they are of frequency Month")
        return self


class TriggerWish(_Model):
    """When a scan runs by itself."""

    recurrence: RecurrenceWish
    level: Level = Field("Incremental", description="What is read again: what has changed, or all")
    enabled: bool = True


class FilterWish(_Model):
    """Which parts of a source are read, by how their addresses begin."""

    include: Names = ()
    exclude: Names = ()


class ScanWish(_Model):
    """A scan of a source."""

    name: ObjectName
    kind: ScanKindName | None = Field(None, description="Default: with the account's own identity, where there is one")
    database: Name | None = Field(None, description="The database, or share, that is scanned")
    credential: ObjectName | None = None
    ruleset: ObjectName | None = Field(
        None, description="Default: the mesh's own, which has its classification rules, else the kind's system ruleset"
    )
    collection: Name | None = Field(None, description="By name or title; default: the source's; else one below it")
    runtime: Name | None = Field(None, description="The integration runtime that scans")
    properties: Properties = Field({}, description="Others of the kind, in the API's words")
    filter: FilterWish | None = None
    trigger: TriggerWish | None = None


class SourceWish(_Model):
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
            raise _wrong("wants 'resource', or 'kind' with 'properties'")
        return self


class DiscoverWish(_Model):
    """Registers what the subscriptions hold, each in the collection of its domain."""

    domains: Literal["all"] | SomeNames = Field("all", description="Of these domains; all: of every one")
    types: Annotated[tuple[Annotated[str, AfterValidator(_type_or_kind)], ...], Field(strict=False, min_length=1)] = (
        Field(description="Resource types, or kinds of source")
    )


class SourcesWish(_Model):
    """Sources that are found, and those that are written out."""

    discover: DiscoverWish
    register_: Annotated[tuple[SourceWish, ...], Field(strict=False, alias="register")] = ()


class CollectionWish(_Model):
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


class KeyVaultWish(_Model):
    """A key vault in which credentials keep their secrets."""

    name: ObjectName
    base_url: Address
    description: Text | None = None


_OPTIONAL = frozenset({"tenant", "principalId", "tenantId", "resourceId"})


class CredentialWish(_Model):
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
            raise _wrong(f"{', '.join(strange)}: not of a {self.kind}, which has {', '.join(known.fields)}")
        needed = [name for name in (*known.texts, *known.secrets) if name not in _OPTIONAL]
        if missing := [name for name in needed if name not in self.told]:
            raise _wrong(f"a {self.kind} wants {', '.join(missing)}")
        named = [name for name in known.secrets if name in self.told]
        if named and self.key_vault is None:
            raise _wrong(f"names the secret '{named[0]}' without 'keyVault', where it lies")
        return self

    @property
    def told(self) -> dict[str, str]:
        """What is written besides name, kind and description, by its key in YAML."""
        written = self.model_dump(by_alias=True, exclude_none=True, exclude={"name", "kind", "description"})
        return {key: str(value) for key, value in written.items()}


class CustomClassificationRuleWish(_Model):
    """A custom rule in Purview's own words, beside those that the policy's rules become."""

    name: ObjectName
    classification: ClassificationName
    column_patterns: Annotated[tuple[RulePattern, ...], Field(strict=False)] = ()
    data_patterns: Annotated[tuple[RulePattern, ...], Field(strict=False)] = ()
    minimum_percentage_match: Annotated[float, Field(ge=1, le=100)] | None = None
    description: Text | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _matches_something(self) -> CustomClassificationRuleWish:
        if not self.column_patterns and not self.data_patterns:
            raise _wrong("wants 'columnPatterns', 'dataPatterns' or both")
        return self


class RulesetWish(_Model):
    """Which classification rules and files a scan heeds."""

    name: ObjectName
    kind: SourceKindName
    description: Text | None = None
    file_extensions: SomeNames | None = Field(None, description="Default: those of the kind's system ruleset")
    excluded_system_classifications: Names = ()
    classification_rules: Names = Field((), description="Custom rules, by name; the policy's are there anyway")


def _sort(value: object) -> str:
    return "<list>" if isinstance(value, list | tuple) else "<mapping>"


class PurviewAccountWish(_Model):
    """What is to be in a Purview account."""

    account: Name = Field(description="The account's name, or its resource id")
    roles: Roles = Field({})
    collections: Annotated[tuple[CollectionWish, ...], Field(strict=False)] = ()
    key_vaults: Annotated[tuple[KeyVaultWish, ...], Field(strict=False)] = ()
    credentials: Annotated[tuple[CredentialWish, ...], Field(strict=False)] = ()
    classifications: Annotated[tuple[ClassificationName, ...], Field(strict=False)] = Field(
        (), description="Besides those of rules"
    )
    classification_rules: Annotated[tuple[CustomClassificationRuleWish, ...], Field(strict=False)] = ()
    rulesets: Annotated[tuple[RulesetWish, ...], Field(strict=False)] = ()
    sources: Annotated[
        Annotated[Annotated[tuple[SourceWish, ...], Field(strict=False)], Tag("<list>")]
        | Annotated[SourcesWish, Tag("<mapping>")],
        Discriminator(_sort),
    ] = ()

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
