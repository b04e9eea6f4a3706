"""The tables that Resource Graph has and the sandbox has not."""

from __future__ import annotations

from typing import Final

__all__ = ["TABLES"]

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
    patchassessmentresources patchinstallationresources policyresources quotaresources recoveryservicesresources
    resourcechanges resourcecontainerchanges securityresources servicefabricresources servicehealthresources
    spotresources sqlresources supportresources tagsresources
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
