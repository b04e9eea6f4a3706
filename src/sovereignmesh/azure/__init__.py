"""Thin typed wrappers over the Azure SDKs: connection, clouds, subscriptions, Resource Graph."""

from sovereignmesh.azure.asked import Asked, find_asked
from sovereignmesh.azure.buckets import BucketKey, Buckets
from sovereignmesh.azure.clouds import CLOUDS, Cloud, find_cloud
from sovereignmesh.azure.connection import Azure, connect
from sovereignmesh.azure.diagnosis import Diagnosis, diagnose
from sovereignmesh.azure.directory import (
    Location,
    ManagementGroup,
    Permission,
    Subscription,
    Tenant,
    list_ancestors,
    list_locations,
    list_management_groups,
    list_permissions,
    list_subscriptions,
    list_subscriptions_below,
    list_tenants,
    reads_everything,
)
from sovereignmesh.azure.graph import query_rows
from sovereignmesh.azure.inventory import AzureInventory, Forecast
from sovereignmesh.azure.many import LARGEST_BATCH, PROVIDERS_VERSION, Ask, Reader, Told, never_registered
from sovereignmesh.azure.pace import Pace
from sovereignmesh.azure.policy import read_policy_view
from sovereignmesh.azure.shape import list_shapes, shape_of
from sovereignmesh.azure.turns import Turns, take_turns

__all__ = [
    "CLOUDS",
    "LARGEST_BATCH",
    "PROVIDERS_VERSION",
    "Ask",
    "Asked",
    "Azure",
    "AzureInventory",
    "BucketKey",
    "Buckets",
    "Cloud",
    "Diagnosis",
    "Forecast",
    "Location",
    "ManagementGroup",
    "Pace",
    "Permission",
    "Reader",
    "Subscription",
    "Tenant",
    "Told",
    "Turns",
    "connect",
    "diagnose",
    "find_asked",
    "find_cloud",
    "list_ancestors",
    "list_locations",
    "list_management_groups",
    "list_permissions",
    "list_shapes",
    "list_subscriptions",
    "list_subscriptions_below",
    "list_tenants",
    "never_registered",
    "query_rows",
    "read_policy_view",
    "reads_everything",
    "shape_of",
    "take_turns",
]
