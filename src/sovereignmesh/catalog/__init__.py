"""The catalog of a Purview account: what its assets lack, and what the mesh tells of them."""

from sovereignmesh.catalog.audit import audit_catalog

__all__ = ["audit_catalog"]
