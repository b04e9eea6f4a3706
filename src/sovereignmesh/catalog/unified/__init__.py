"""Microsoft Purview's Unified Catalog from the mesh: what is wished, what is there, the plan, and carrying it out."""

from sovereignmesh.catalog.unified.apply import apply_unified
from sovereignmesh.catalog.unified.planning import UnifiedPlan, plan_unified

__all__ = ["UnifiedPlan", "apply_unified", "plan_unified"]
