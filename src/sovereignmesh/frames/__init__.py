"""A frame, a file, a folder or an address -> one lazy frame that every engine answers alike.

Frames of pandas, Polars and PyArrow, and files, are read by Polars; relations of DuckDB and frames of Spark stay where
they are. narwhals is the one language that all of them are asked in.
"""

from __future__ import annotations

from sovereignmesh.frames.data import Column, Data
from sovereignmesh.frames.footer import Footers
from sovereignmesh.frames.opening import open_data

__all__ = ["Column", "Data", "Footers", "open_data"]
