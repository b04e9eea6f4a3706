"""A sovereign data mesh on Azure: where data, its copies and its keys are, and where they may be.

The names below are the public ones; each is imported when it is first used, so that importing the package is cheap.
Everything else may change in any release.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sovereignmesh.access import AccessList, AccessRecord, decide_access, list_access, request_access
    from sovereignmesh.audit import Inventory, audit_azure, audit_inventory
    from sovereignmesh.azure import Azure, Cloud, connect
    from sovereignmesh.azure.purview import Purview, Scan, Source, connect_purview, sources
    from sovereignmesh.azure.sql import connect_sql
    from sovereignmesh.catalog import (
        CatalogPlan,
        UnifiedPlan,
        apply_catalog,
        apply_unified,
        audit_catalog,
        plan_catalog,
        plan_unified,
    )
    from sovereignmesh.contracts import (
        CheckResult,
        ContractResult,
        DataContract,
        DataContractValidator,
        Quality,
        check_contract,
        measure_quality,
    )
    from sovereignmesh.errors import (
        AccessError,
        AzureError,
        CheckpointError,
        ContractError,
        ContractViolation,
        DataContractViolation,
        DataQualityViolation,
        FrameError,
        InventoryError,
        MeshError,
        PlanError,
        RecordError,
        ReportError,
        SovereignMeshError,
    )
    from sovereignmesh.mesh import Mesh, load_mesh, validate
    from sovereignmesh.plan import Applied, Outcome, Plan
    from sovereignmesh.purview import (
        Export,
        PurviewAccountPlan,
        PurviewPlan,
        PurviewStatus,
        apply_purview,
        apply_purview_account,
        export_purview,
        plan_purview,
        plan_purview_account,
        purview_status,
    )
    from sovereignmesh.report import write_report
    from sovereignmesh.result import Audit, Coverage, Finding, Gap, Problem
    from sovereignmesh.sandbox import open_sandbox
    from sovereignmesh.scans import ScanRun, ScanRuns, cancel_scan, run_scan, run_scans, scan_history, watch_scans

__version__ = "0.1.0"

_HOME: Final = {
    "AccessError": "errors",
    "AccessList": "access",
    "AccessRecord": "access",
    "Applied": "plan",
    "Audit": "result",
    "Azure": "azure",
    "AzureError": "errors",
    "CatalogPlan": "catalog",
    "CheckResult": "contracts",
    "CheckpointError": "errors",
    "Cloud": "azure",
    "ContractError": "errors",
    "ContractResult": "contracts",
    "ContractViolation": "errors",
    "Coverage": "result",
    "DataContract": "contracts",
    "DataContractValidator": "contracts",
    "DataContractViolation": "errors",
    "DataQualityViolation": "errors",
    "Export": "purview",
    "Finding": "result",
    "FrameError": "errors",
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
    "PurviewAccountPlan": "purview",
    "PurviewPlan": "purview",
    "PurviewStatus": "purview",
    "Quality": "contracts",
    "RecordError": "errors",
    "ReportError": "errors",
    "Scan": "azure.purview",
    "ScanRun": "scans",
    "ScanRuns": "scans",
    "Source": "azure.purview",
    "SovereignMeshError": "errors",
    "UnifiedPlan": "catalog",
    "apply_catalog": "catalog",
    "apply_purview": "purview",
    "apply_purview_account": "purview",
    "apply_unified": "catalog",
    "audit_azure": "audit",
    "audit_catalog": "catalog",
    "audit_inventory": "audit",
    "cancel_scan": "scans",
    "check_contract": "contracts",
    "connect": "azure",
    "connect_purview": "azure.purview",
    "connect_sql": "azure.sql",
    "decide_access": "access",
    "export_purview": "purview",
    "list_access": "access",
    "load_mesh": "mesh",
    "measure_quality": "contracts",
    "open_sandbox": "sandbox",
    "plan_catalog": "catalog",
    "plan_purview": "purview",
    "plan_purview_account": "purview",
    "plan_unified": "catalog",
    "purview_status": "purview",
    "request_access": "access",
    "run_scan": "scans",
    "run_scans": "scans",
    "scan_history": "scans",
    "sources": "azure.purview",
    "validate": "mesh",
    "watch_scans": "scans",
    "write_report": "report",
}

__all__ = [
    "AccessError",
    "AccessList",
    "AccessRecord",
    "Applied",
    "Audit",
    "Azure",
    "AzureError",
    "CatalogPlan",
    "CheckResult",
    "CheckpointError",
    "Cloud",
    "ContractError",
    "ContractResult",
    "ContractViolation",
    "Coverage",
    "DataContract",
    "DataContractValidator",
    "DataContractViolation",
    "DataQualityViolation",
    "Export",
    "Finding",
    "FrameError",
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
    "PurviewAccountPlan",
    "PurviewPlan",
    "PurviewStatus",
    "Quality",
    "RecordError",
    "ReportError",
    "Scan",
    "ScanRun",
    "ScanRuns",
    "Source",
    "SovereignMeshError",
    "UnifiedPlan",
    "apply_catalog",
    "apply_purview",
    "apply_purview_account",
    "apply_unified",
    "audit_azure",
    "audit_catalog",
    "audit_inventory",
    "cancel_scan",
    "check_contract",
    "connect",
    "connect_purview",
    "connect_sql",
    "decide_access",
    "export_purview",
    "list_access",
    "load_mesh",
    "measure_quality",
    "open_sandbox",
    "plan_catalog",
    "plan_purview",
    "plan_purview_account",
    "plan_unified",
    "purview_status",
    "request_access",
    "run_scan",
    "run_scans",
    "scan_history",
    "sources",
    "validate",
    "watch_scans",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
