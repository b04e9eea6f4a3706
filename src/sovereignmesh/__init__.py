"""A sovereign data mesh on Azure: where data, its copies and its keys are, and where they may be.

The names below are the public ones; each is imported when it is first used, so that importing the package is cheap.
Everything else may change in any release.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sovereignmesh.audit import Inventory, audit_azure, audit_inventory
    from sovereignmesh.azure import Azure, Cloud, connect
    from sovereignmesh.azure.purview import Purview, Scan, Source, connect_purview, sources
    from sovereignmesh.azure.sql import connect_sql
    from sovereignmesh.catalog import UnifiedPlan, apply_unified, plan_unified
    from sovereignmesh.errors import (
        AzureError,
        CheckpointError,
        InventoryError,
        MeshError,
        PlanError,
        ReportError,
        SovereignMeshError,
    )
    from sovereignmesh.mesh import Mesh, load_mesh, validate
    from sovereignmesh.plan import Applied, Outcome, Plan
    from sovereignmesh.purview import (
        Export,
        PurviewPlan,
        PurviewStatus,
        apply_purview,
        export_purview,
        plan_purview,
        purview_status,
    )
    from sovereignmesh.report import write_report
    from sovereignmesh.result import Audit, Coverage, Finding, Gap, Problem
    from sovereignmesh.sandbox import open_sandbox

__version__ = "0.1.0"

_HOME: Final = {
    "Applied": "plan",
    "Audit": "result",
    "Azure": "azure",
    "AzureError": "errors",
    "CheckpointError": "errors",
    "Cloud": "azure",
    "Coverage": "result",
    "Export": "purview",
    "Finding": "result",
    "Gap": "result",
    "Inventory": "audit",
    "InventoryError": "errors",
    "Mesh": "mesh",
    "MeshError": "errors",
    "Outcome": "plan",
    "Plan": "plan",
    "PlanError": "errors",
    "Problem": "result",
    "Purview": "azure.purview",
    "PurviewPlan": "purview",
    "PurviewStatus": "purview",
    "ReportError": "errors",
    "Scan": "azure.purview",
    "Source": "azure.purview",
    "SovereignMeshError": "errors",
    "UnifiedPlan": "catalog",
    "apply_purview": "purview",
    "apply_unified": "catalog",
    "audit_azure": "audit",
    "audit_inventory": "audit",
    "connect": "azure",
    "connect_purview": "azure.purview",
    "connect_sql": "azure.sql",
    "export_purview": "purview",
    "load_mesh": "mesh",
    "open_sandbox": "sandbox",
    "plan_purview": "purview",
    "plan_unified": "catalog",
    "purview_status": "purview",
    "sources": "azure.purview",
    "validate": "mesh",
    "write_report": "report",
}

__all__ = [
    "Applied",
    "Audit",
    "Azure",
    "AzureError",
    "CheckpointError",
    "Cloud",
    "Coverage",
    "Export",
    "Finding",
    "Gap",
    "Inventory",
    "InventoryError",
    "Mesh",
    "MeshError",
    "Outcome",
    "Plan",
    "PlanError",
    "Problem",
    "Purview",
    "PurviewPlan",
    "PurviewStatus",
    "ReportError",
    "Scan",
    "Source",
    "SovereignMeshError",
    "UnifiedPlan",
    "apply_purview",
    "apply_unified",
    "audit_azure",
    "audit_inventory",
    "connect",
    "connect_purview",
    "connect_sql",
    "export_purview",
    "load_mesh",
    "open_sandbox",
    "plan_purview",
    "plan_unified",
    "purview_status",
    "sources",
    "validate",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
