"""Microsoft Purview: accounts and what is in them, through the SDK's clients."""

from sovereignmesh.azure.purview import constructors as sources
from sovereignmesh.azure.purview.account import PurviewAccount, find_purview_account, list_purview_accounts
from sovereignmesh.azure.purview.datamap import Asset, Column, DataMap, Entity
from sovereignmesh.azure.purview.objects import (
    Classification,
    ClassificationRule,
    Collection,
    Credential,
    Filter,
    KeyVaultConnection,
    MetadataPolicy,
    MetadataRole,
    Ruleset,
    Scan,
    Source,
    Trigger,
)
from sovereignmesh.azure.purview.run import Run
from sovereignmesh.azure.purview.service import Objects, Purview, connect_purview
from sovereignmesh.azure.purview.workflow import (
    Approver,
    Operation,
    UserRequest,
    Violation,
    Workflow,
    WorkflowRun,
    WorkflowTask,
)

__all__ = [
    "Approver",
    "Asset",
    "Classification",
    "ClassificationRule",
    "Collection",
    "Column",
    "Credential",
    "DataMap",
    "Entity",
    "Filter",
    "KeyVaultConnection",
    "MetadataPolicy",
    "MetadataRole",
    "Objects",
    "Operation",
    "Purview",
    "PurviewAccount",
    "Ruleset",
    "Run",
    "Scan",
    "Source",
    "Trigger",
    "UserRequest",
    "Violation",
    "Workflow",
    "WorkflowRun",
    "WorkflowTask",
    "connect_purview",
    "find_purview_account",
    "list_purview_accounts",
    "sources",
]
