"""The catalog of a Purview account: what its assets lack, what the mesh tells of them, and what it publishes."""

from sovereignmesh.catalog.apply import apply_catalog
from sovereignmesh.catalog.audit import audit_catalog
from sovereignmesh.catalog.planning import CatalogPlan, plan_catalog
from sovereignmesh.catalog.unified import UnifiedPlan, apply_unified, plan_unified

__all__ = [
    "CatalogPlan",
    "UnifiedPlan",
    "apply_catalog",
    "apply_unified",
    "audit_catalog",
    "plan_catalog",
    "plan_unified",
]
