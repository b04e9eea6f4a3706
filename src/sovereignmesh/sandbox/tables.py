"""The tables of Resource Graph: those that the sandbox has, with their columns, and those that it has not."""

from __future__ import annotations

from typing import Final

__all__ = ["HELD", "HIDDEN", "TABLES"]

HIDDEN: Final = "apiVersion"  # a column that answers have only where a query names it
_TEXTS: Final = ("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId")
_OBJECTS: Final = ("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation")
_OF_RESOURCES: Final = {
    **dict.fromkeys((*_TEXTS, "managedBy"), "VARCHAR"), **dict.fromkeys(_OBJECTS, "JSON"), HIDDEN: "VARCHAR",
}  # fmt: skip

# Columns and their types, by table.
HELD: Final[dict[str, dict[str, str]]] = {
    "resources": _OF_RESOURCES,
    "resourcecontainers": _OF_RESOURCES,
    "policyresources": {**dict.fromkeys(_TEXTS, "VARCHAR"), "properties": "JSON"},
}

# https://learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources
TABLES: Final = frozenset(
    """
    advisorresources alertsmanagementresources appserviceresources authorizationresources awsresources
    azurebusinesscontinuityresources azuredevopsplatformresources batchresources capabilityresources chaosresources
    communitygalleryresources computeresources connectedvmwarevsphereresources desktopvirtualizationresources
    deploymentresources dnsresources edgeorderresources elasticsanresources extendedlocationresources
    extensibilityresources featureresources guestconfigurationresources healthresourcechanges healthresources
    impactreportresources insightsresources iotsecurityresources kubernetesconfigurationresources kustoresources
    maintenanceresources managedservicesresources migrateresources netappresources networkresources orbitalresources
    patchassessmentresources patchinstallationresources quotaresources recoveryservicesresources
    resourcechanges resourcecontainerchanges securityresources servicefabricresources servicehealthresources
    spotresources sqlresources supportresources tagsresources
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
