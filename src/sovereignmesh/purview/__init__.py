"""Purview from the mesh: what is wished of an account, what is there, the plan between them, and carrying it out."""

from sovereignmesh.purview.apply import apply_purview
from sovereignmesh.purview.export import Export, export_purview
from sovereignmesh.purview.planning import PurviewPlan, plan_purview
from sovereignmesh.purview.status import PurviewStatus, ScanStatus, purview_status

__all__ = [
    "Export",
    "PurviewPlan",
    "PurviewStatus",
    "ScanStatus",
    "apply_purview",
    "export_purview",
    "plan_purview",
    "purview_status",
]
