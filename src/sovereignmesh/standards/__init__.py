"""Contracts and products in the Open Data Contract and Open Data Product Standards, written and read."""

from __future__ import annotations

from sovereignmesh.standards.odcs import Imported, export_odcs, import_odcs
from sovereignmesh.standards.odps import export_contracts, export_odps, import_odps

__all__ = ["Imported", "export_contracts", "export_odcs", "export_odps", "import_odcs", "import_odps"]
