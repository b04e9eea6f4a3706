"""What a Purview account keeps, as frozen values: each reads itself from an answer and writes itself into a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sovereignmesh.azure.sdk import Facts

__all__ = [
    "Classification",
    "ClassificationRule",
    "Collection",
    "Credential",
    "Filter",
    "KeyVaultConnection",
    "MetadataPolicy",
    "MetadataRole",
    "Ruleset",
    "Scan",
    "Source",
    "Trigger",
]

_COLLECTION = "CollectionReference"
# What the service computes: a value that was read can be written back without it.
_COMPUTED = frozenset({"createdAt", "lastModifiedAt", "dataSourceCollectionMovingState", "parentCollection"})


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of an object is somebody's wish: neither null, at any depth, nor computed."""
    return {
        name: _given(value) if isinstance(value, dict) else value
        for name, value in body.items()
        if value is not None and name not in _COMPUTED
    }


@dataclass(frozen=True, slots=True)
class _Placed:
    """What is of a kind, has properties and lies in a collection."""

    name: str
    kind: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    collection: str = ""

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        placed = {"collection": {"referenceName": self.collection, "type": _COLLECTION}} if self.collection else {}
        return {"kind": self.kind, "properties": {**self.properties, **placed}}

    @classmethod
    def of(cls, answer: Facts) -> Self:
        """The one that an answer describes; raises AnswerError where it does not."""
        within = answer.within("properties")
        placed = within.within("collection").text("referenceName") if within.body.get("collection") else ""
        rest = {name: value for name, value in _given(within.body).items() if name != "collection"}
        return cls(answer.text("name"), answer.text("kind"), rest, placed)


class Source(_Placed):
    """A data source: where data is that Purview may scan.

    `properties` are those of its kind in the API's own words (`serverEndpoint`, `resourceId`); `collection` is the
    reference name of the collection that it is in, "" for none given. The named constructors (`AzureSqlDatabase(...)`)
    make one of a kind that is modelled; this class itself takes any kind and any properties.

    >>> Source("lake", "AdlsGen2", {"endpoint": "https://lake.dfs.core.windows.net/"}, "sales").body()["kind"]
    'AdlsGen2'
    """

    __slots__ = ()


class Scan(_Placed):
    """A scan of a source: what is looked at, as whom, with which ruleset.

    `properties` are those of its kind in the API's own words (`databaseName`, `scanRulesetName`); `collection` is the
    reference name of the collection that its assets come into: that of its source, or one below it.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is of a kind and has properties."""

    name: str
    kind: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        return {"kind": self.kind, "properties": dict(self.properties)}

    @classmethod
    def of(cls, answer: Facts) -> Self:
        """The one that an answer describes."""
        return cls(answer.text("name"), answer.text("kind"), _given(answer.body.get("properties") or {}))


class Ruleset(_Kept):
    """What a scan of a kind of source classifies, and which files it reads; `kind` is the source's."""

    __slots__ = ()

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        return {"kind": self.kind, "scanRulesetType": "Custom", "properties": dict(self.properties)}


class Credential(_Kept):
    """As whom a scan signs in; the secret itself lies in a key vault."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class KeyVaultConnection:
    """A key vault that credentials take their secrets from."""

    name: str
    base_url: str
    description: str = ""

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        told = {"description": self.description} if self.description else {}
        return {"properties": {"baseUrl": self.base_url, **told}}

    @classmethod
    def of(cls, answer: Facts) -> KeyVaultConnection:
        """The one that an answer describes."""
        within = answer.within("properties")
        return cls(answer.text("name"), within.text("baseUrl"), within.text("description"))


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: `name` is its reference name, `parent` that of the one above, "" for the root."""

    name: str
    friendly_name: str = ""
    parent: str = ""
    description: str = ""
    state: str = ""

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        told = {"friendlyName": self.friendly_name, "description": self.description}
        above = {"parentCollection": {"referenceName": self.parent, "type": _COLLECTION}} if self.parent else {}
        return {**{name: value for name, value in told.items() if value}, **above}

    @classmethod
    def of(cls, answer: Facts) -> Collection:
        """The one that an answer describes."""
        above = answer.within("parentCollection").text("referenceName") if answer.body.get("parentCollection") else ""
        return cls(
            answer.text("name"),
            answer.text("friendlyName"),
            above,
            answer.text("description"),
            answer.text("collectionProvisioningState"),
        )


@dataclass(frozen=True, slots=True)
class ClassificationRule:
    """A custom rule: columns whose name, values, or both match are given `classification`.

    `minimum_percentage_match` is of the distinct values sampled. With column and data patterns both must match.
    """

    name: str
    classification: str
    column_patterns: tuple[str, ...] = ()
    data_patterns: tuple[str, ...] = ()
    minimum_percentage_match: float | None = None
    description: str = ""
    enabled: bool = True

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it; the service keeps the version before."""
        properties: dict[str, Any] = {
            "classificationName": self.classification,
            "ruleStatus": "Enabled" if self.enabled else "Disabled",
            "columnPatterns": [{"kind": "Regex", "pattern": pattern} for pattern in self.column_patterns],
            "dataPatterns": [{"kind": "Regex", "pattern": pattern} for pattern in self.data_patterns],
        }
        if self.minimum_percentage_match is not None:
            properties["minimumPercentageMatch"] = self.minimum_percentage_match
        if self.description:
            properties["description"] = self.description
        return {"kind": "Custom", "properties": properties}

    @classmethod
    def of(cls, answer: Facts) -> ClassificationRule:
        """The one that an answer describes."""
        within = answer.within("properties")
        match = within.body.get("minimumPercentageMatch")
        return cls(
            answer.text("name"),
            within.text("classificationName"),
            tuple(each.text("pattern") for each in within.each("columnPatterns")),
            tuple(each.text("pattern") for each in within.each("dataPatterns")),
            float(match) if isinstance(match, int | float) else None,
            within.text("description"),
            within.text("ruleStatus") != "Disabled",
        )


@dataclass(frozen=True, slots=True)
class Classification:
    """A classification: its name is what assets bear."""

    name: str
    description: str = ""

    def body(self) -> dict[str, Any]:
        """Its type definition in the Data Map."""
        told = {"description": self.description} if self.description else {}
        return {"category": "CLASSIFICATION", "name": self.name, "typeVersion": "1.0", **told}

    @classmethod
    def of(cls, answer: Facts) -> Classification:
        """The one that an answer describes."""
        return cls(answer.text("name"), answer.text("description"))


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a scan runs by itself. `recurrence` is in the API's words; `last_scheduled` is the service's."""

    recurrence: Mapping[str, Any]
    level: str = "Incremental"
    enabled: bool = True
    last_scheduled: dt.datetime | None = None

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        state = "Enabled" if self.enabled else "Disabled"
        return {"properties": {"recurrence": dict(self.recurrence), "scanLevel": self.level, "state": state}}

    @classmethod
    def of(cls, answer: Facts) -> Trigger:
        """The one that an answer describes."""
        within = answer.within("properties")
        told = _given(within.within("recurrence").body)
        return cls(
            # The service was recorded with `timezone`; the specification says otherwise.
            {"timeZone" if name == "timezone" else name: value for name, value in told.items()},
            within.text("scanLevel"),
            within.text("state") != "Disabled",
            within.time("lastScheduled"),
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which parts of a source a scan reads, by the beginnings of their addresses."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        return {"properties": {"includeUriPrefixes": list(self.include), "excludeUriPrefixes": list(self.exclude)}}

    @classmethod
    def of(cls, answer: Facts) -> Filter:
        """The one that an answer describes."""
        within = answer.within("properties")
        return cls(within.texts("includeUriPrefixes"), within.texts("excludeUriPrefixes"))


@dataclass(frozen=True, slots=True)
class MetadataRole:
    """A role in collections: its id is what policies name."""

    id: str
    friendly_name: str

    @classmethod
    def of(cls, answer: Facts) -> MetadataRole:
        """The one that an answer describes."""
        return cls(answer.text("id"), answer.within("properties").text("friendlyName"))


@dataclass(frozen=True, slots=True)
class MetadataPolicy:
    """Who has which role in a collection: one document for each, which all role assignments share."""

    id: str
    version: int
    collection: str
    document: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Facts) -> MetadataPolicy:
        """The one that an answer describes."""
        collection = answer.within("properties").within("collection").text("referenceName")
        if not answer.text("id") or not collection:
            raise AnswerError(f"{answer.place}: a metadata policy without an id, or of no collection")
        return cls(answer.text("id"), answer.number("version") or 0, collection, answer.body)
