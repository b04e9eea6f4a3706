"""Purview from the mesh: what is wished of an account, what is there, the plan between them, and carrying it out."""

from sovereignmesh.purview.account import PurviewAccountPlan, plan_purview_account
from sovereignmesh.purview.account_apply import apply_purview_account
from sovereignmesh.purview.apply import apply_purview
from sovereignmesh.purview.export import Export, export_purview
from sovereignmesh.purview.planning import PurviewPlan, plan_purview
from sovereignmesh.purview.status import PurviewStatus, ScanStatus, purview_status

__all__ = [
    "Export",
    "PurviewAccountPlan",
    "PurviewPlan",
    "PurviewStatus",
    "ScanStatus",
    "apply_purview",
    "apply_purview_account",
    "export_purview",
    "plan_purview",
    "plan_purview_account",
    "purview_status",
]
