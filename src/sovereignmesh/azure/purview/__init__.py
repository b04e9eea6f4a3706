"""Microsoft Purview: accounts and what is in them, through the SDK's clients."""

from sovereignmesh.azure.purview import constructors as sources
from sovereignmesh.azure.purview.account import PurviewAccount, find_purview_account, list_purview_accounts
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
    Run,
    Scan,
    Source,
    Trigger,
)
from sovereignmesh.azure.purview.service import Objects, Purview, connect_purview

__all__ = [
    "Classification",
    "ClassificationRule",
    "Collection",
    "Credential",
    "Filter",
    "KeyVaultConnection",
    "MetadataPolicy",
    "MetadataRole",
    "Objects",
    "Purview",
    "PurviewAccount",
    "Ruleset",
    "Run",
    "Scan",
    "Source",
    "Trigger",
    "connect_purview",
    "find_purview_account",
    "list_purview_accounts",
    "sources",
]
