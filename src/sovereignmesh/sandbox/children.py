"""Which resources a list in Azure Resource Manager gives, and what stands in a path without being a resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sovereignmesh.sandbox.store import type_in

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["given_by", "is_no_record", "lists_by_location", "parent_of", "with_plain_locations"]

_LOCATION: Final = re.compile(r"(?<=/locations/)[^/]+", re.IGNORECASE)

# Lists that reach further than the next level: the type that their address names, and the type of the ids that they
# give. From the examples in https://github.com/Azure/azure-rest-api-specs.
_REACH: Final = {
    "microsoft.apimanagement/deletedservices": "microsoft.apimanagement/locations/deletedservices",
    "microsoft.appconfiguration/deletedconfigurationstores": (
        "microsoft.appconfiguration/locations/deletedconfigurationstores"
    ),
    "microsoft.cognitiveservices/deletedaccounts": (
        "microsoft.cognitiveservices/locations/resourcegroups/deletedaccounts"
    ),
    "microsoft.documentdb/restorabledatabaseaccounts": "microsoft.documentdb/locations/restorabledatabaseaccounts",
    "microsoft.keyvault/deletedmanagedhsms": "microsoft.keyvault/locations/deletedmanagedhsms",
    "microsoft.keyvault/deletedvaults": "microsoft.keyvault/locations/deletedvaults",
    "microsoft.recoveryservices/vaults/replicationprotecteditems": (
        "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers/replicationprotecteditems"
    ),
    "microsoft.storage/deletedaccounts": "microsoft.storage/locations/deletedaccounts",
    "microsoft.sql/locations/longtermretentionbackups": (
        "microsoft.sql/locations/longtermretentionservers/longtermretentiondatabases/longtermretentionbackups"
    ),
    "microsoft.sql/locations/longtermretentionmanagedinstancebackups": (
        "microsoft.sql/locations/longtermretentionmanagedinstances/longtermretentiondatabases"
        "/longtermretentionmanagedinstancebackups"
    ),
    "microsoft.sql/servers/replicationlinks": "microsoft.sql/servers/databases/replicationlinks",
}
_BY_LOCATION: Final = re.compile(r"([^/]+)/(locations/[^/]+)")
# What every resource of the type around it has, by one name, without a resource of its own in the estate.
_PARTS: Final = {f"microsoft.storage/storageaccounts/{part}services" for part in ("blob", "file", "queue", "table")}


def lists_by_location(namespace: str) -> list[str]:
    """The types of which a provider has a list in each location."""
    found = (_BY_LOCATION.fullmatch(kind) for kind in _REACH)
    return sorted(match[2] for match in found if match and match[1] == namespace.lower())


def with_plain_locations(path: str) -> str:
    """The path with locations spelled as ids here spell them: Azure takes "West Europe" for westeurope."""
    return _LOCATION.sub(lambda found: found[0].replace(" ", "").lower(), path)


def parent_of(path: str) -> str:
    """What the list at a path is asked of: the resource above it, a resource group or a subscription."""
    if type_in(path).count("/") > 1:
        return path.rpartition("/")[0]
    return path.rpartition("/providers/")[0]


def is_no_record(path: str) -> bool:
    """Whether a path names what can have children and is no resource: a location, or a part of a resource."""
    kind = type_in(path).lower()
    return kind in _PARTS or (kind.endswith("/locations") and kind.count("/") == 1)


def given_by(path: str) -> Callable[[str], bool]:
    """Whether the list at a path gives the resource of an id in lower case, which is below the list's parent."""
    asked = path.lower()
    kind = type_in(asked)
    if kind in _REACH:
        return lambda own: type_in(own) == _REACH[kind]
    if "/providers/" in parent_of(asked):
        return lambda own: own.rpartition("/")[0] == asked  # no further than the next level
    start = f"/providers/{kind.partition('/')[0]}/"
    return lambda own: start in own and type_in(own) == kind and own.count("/providers/") == 1
