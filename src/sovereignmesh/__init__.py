"""A sovereign data mesh on Azure: where data, its copies and its keys are, and where they may be.

The names below are the public ones; each is imported when it is first used, so that importing the package is cheap.
Everything else may change in any release.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sovereignmesh.audit import Inventory, audit_inventory
    from sovereignmesh.errors import InventoryError, MeshError, ReportError, SovereignMeshError
    from sovereignmesh.mesh import Mesh, load_mesh, validate
    from sovereignmesh.report import write_report
    from sovereignmesh.result import Audit, Coverage, Finding, Gap, Problem

__version__ = "0.1.0"

_HOME: Final = {
    "Audit": "result",
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
    "audit_inventory": "audit",
    "load_mesh": "mesh",
    "validate": "mesh",
    "write_report": "report",
}

__all__ = [
    "Audit",
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
    "audit_inventory",
    "load_mesh",
    "validate",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
