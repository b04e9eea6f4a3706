"""The kinds of objects in an account: in which order they come, what of them is the service's own, how they are kept.

What is computed and what is folded was seen in recorded answers of the service; the recordings are named in the tests.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.facts import find_region
from sovereignmesh.plan import Kind, fold
from sovereignmesh.purview.workflows import AccessWorkflows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.azure.purview import Purview
    from sovereignmesh.azure.purview.line import Removable, Single
    from sovereignmesh.plan import Item

__all__ = ["ACCOUNT", "FILTERS", "KINDS", "VERSIONED", "is_system", "names_of", "objects_of"]

_OWN: Final = frozenset(
    {"id", "name", "createdAt", "lastModifiedAt", "properties.createdAt", "properties.lastModifiedAt"}
)
_PLACED: Final = {"properties.collection.referenceName": fold}
_MOVED: Final = frozenset({"properties.collection.lastModifiedAt", "creationType"})


def _address(value: Any) -> Any:
    return value.casefold().rstrip("/") if isinstance(value, str) else value


def _region(value: Any) -> Any:
    region = find_region(value) if isinstance(value, str) else None
    return region.name if region else fold(value)


def _moment(value: Any) -> Any:
    """A moment as it is compared: without a zone it is UTC, as the service answers."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp()


_ENDPOINTS: Final = (
    "accountUri", "dedicatedSqlEndpoint", "endpoint", "serverEndpoint", "serverlessSqlEndpoint", "sqlEndpoint",
    "sqlOnDemandEndpoint",
)  # fmt: skip
_IDENTITY: Final = ("resourceGroup", "resourceId", "resourceName", "subscriptionId")
_SCHEDULE: Final = ("hours", "minutes", "monthDays", "weekDays")

_SYSTEM: Final = "MICROSOFT."
# By property of a filter, the key in the mesh.
FILTERS: Final = {
    "includeUriPrefixes": "include", "excludeUriPrefixes": "exclude",
    "includeRegexes": "includeRegexes", "excludeRegexes": "excludeRegexes",
}  # fmt: skip

KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "collection", 0, frozenset({"name", "systemData", "collectionProvisioningState"}),
            same={"parentCollection.referenceName": fold},
        ),
        Kind("roles", 1),
        Kind("key-vault", 2, _OWN, same={"properties.baseUrl": _address}),
        Kind("credential", 3, _OWN, same={"properties.typeProperties.resourceId": fold}),
        Kind("classification", 4, frozenset({"typeVersion"})),
        Kind(
            "classification-rule", 5,
            _OWN | {"properties.version", "properties.classificationAction", "properties.owner"},
            unordered=frozenset({"properties.columnPatterns", "properties.dataPatterns"}),
        ),
        Kind(
            "ruleset", 6, _OWN | {"version", "status", "properties.temporaryResourceFilters"},
            unordered=frozenset({
                "properties.excludedSystemClassifications", "properties.includedCustomClassificationRuleNames",
                "properties.scanningRule.fileExtensions",
            }),
            same={"properties.includedCustomClassificationRuleNames": fold},
        ),
        Kind(
            "source", 7,
            _OWN | _MOVED | {"scans", "properties.dataSourceCollectionMovingState", "properties.parentCollection"},
            same={
                **_PLACED, **{f"properties.{name}": _address for name in _ENDPOINTS}, "properties.location": _region,
                **{f"properties.{name}": fold for name in _IDENTITY},
            },
        ),
        Kind(
            "scan", 8,
            _OWN | _MOVED | {"dataSourceName", "lastRunResult", "scanResults", "properties.scanRulesetVersion"}
            | {"properties.connectedVia.integrationRuntimeType", "scanId"},
            same={
                **_PLACED, "properties.serverEndpoint": _address, "properties.scanRulesetName": fold,
                "properties.credential.referenceName": fold,
            },
        ),
        Kind(
            "filter", 9, _OWN, unordered=frozenset(f"properties.{name}" for name in FILTERS),
        ),
        Kind(
            "trigger", 10, _OWN | {"properties.lastScheduled", "validationErrorInfo"},
            unordered=frozenset(f"properties.recurrence.schedule.{name}" for name in _SCHEDULE),
            same={f"properties.recurrence.{name}": _moment for name in ("startTime", "endTime")},
        ),
        Kind("workflow", 11, frozenset({"id", "createdTime", "createdBy", "lastUpdateTime", "updatedBy"})),
    )
}  # fmt: skip

# The account itself, whose identities a plan has in a list.
ACCOUNT: Final = Kind(
    "account", 0, unordered=frozenset({"identity.userAssignedIdentities"}),
    same={"location": _region, "identity.userAssignedIdentities": fold},
)  # fmt: skip

# Of which every write makes a new version: they are looked at by name before they are made.
VERSIONED: Final = frozenset({"classification-rule", "ruleset"})

_OBJECTS: Final[dict[str, Callable[[Purview], Single[Any] | AccessWorkflows]]] = {
    "collection": lambda purview: purview.collections,
    "key-vault": lambda purview: purview.key_vaults,
    "credential": lambda purview: purview.credentials,
    "classification-rule": lambda purview: purview.classification_rules,
    "ruleset": lambda purview: purview.rulesets,
    "source": lambda purview: purview.sources,
    "scan": lambda purview: purview.scans,
    "filter": lambda purview: purview.filters,
    "trigger": lambda purview: purview.triggers,
    "workflow": AccessWorkflows,
}


def is_system(classification: str) -> bool:
    """Whether a classification is the service's own, which every account has."""
    return classification.upper().startswith(_SYSTEM)


def names_of(item: Item) -> list[str]:
    """The names by which an object is addressed: of what lies in a scan, those of its source and scan."""
    return item.name.split("/", 1) if item.kind in ("scan", "filter", "trigger") else [item.name]


def objects_of(purview: Purview, kind: str) -> Single[Any] | Removable[Any] | AccessWorkflows | None:
    """Where objects of a kind are read and written by name; None for those with ways of their own."""
    found = _OBJECTS.get(kind)
    return found(purview) if found else None
