"""The catalog that people search: the mesh's domains and products in Microsoft Purview's Unified Catalog."""

from sovereignmesh.catalog.unified import UnifiedPlan, apply_unified, plan_unified

__all__ = ["UnifiedPlan", "apply_unified", "plan_unified"]
