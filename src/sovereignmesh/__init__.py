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
    from sovereignmesh.azure.sql import connect_sql
    from sovereignmesh.errors import (
        AzureError,
        CheckpointError,
        InventoryError,
        MeshError,
        ReportError,
        SovereignMeshError,
    )
    from sovereignmesh.mesh import Mesh, load_mesh, validate
    from sovereignmesh.report import write_report
    from sovereignmesh.result import Audit, Coverage, Finding, Gap, Problem
    from sovereignmesh.sandbox import open_sandbox

__version__ = "0.1.0"

_HOME: Final = {
    "Audit": "result",
    "Azure": "azure",
    "AzureError": "errors",
    "CheckpointError": "errors",
    "Cloud": "azure",
    "Coverage": "result",
    "Finding": "result",
    "Gap": "result",
    "Inventory": "audit",
    "InventoryError": "errors",
    "Mesh": "mesh",
    "MeshError": "errors",
    "Problem": "result",
    "ReportError": "errors",
    "SovereignMeshError": "errors",
    "audit_azure": "audit",
    "audit_inventory": "audit",
    "connect": "azure",
    "connect_sql": "azure.sql",
    "load_mesh": "mesh",
    "open_sandbox": "sandbox",
    "validate": "mesh",
    "write_report": "report",
}

__all__ = [
    "Audit",
    "Azure",
    "AzureError",
    "CheckpointError",
    "Cloud",
    "Coverage",
    "Finding",
    "Gap",
    "Inventory",
    "InventoryError",
    "Mesh",
    "MeshError",
    "Problem",
    "ReportError",
    "SovereignMeshError",
    "audit_azure",
    "audit_inventory",
    "connect",
    "connect_sql",
    "load_mesh",
    "open_sandbox",
    "validate",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
