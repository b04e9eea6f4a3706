"""The catalog of a Purview account: what its assets lack, and what the mesh tells of them."""

from sovereignmesh.catalog.apply import apply_catalog
from sovereignmesh.catalog.audit import audit_catalog
from sovereignmesh.catalog.planning import CatalogPlan, plan_catalog

__all__ = ["CatalogPlan", "apply_catalog", "audit_catalog", "plan_catalog"]
