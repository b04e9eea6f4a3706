"""Every exception that the package raises on purpose.

::

    SovereignMeshError          the root: catch this to catch all of them
    ├── MeshError               the mesh's documents are wrong; `problems` lists all of them with file:line:col
    ├── InventoryError          an export could not be opened, or is no export at all
    ├── ReportError             a report could not be written
    └── FactsError              a table of this package is malformed: a defect here, not in your input

`str(error)` is one paragraph for a person: what, where, what to do. The command prints it and exits 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.result.location import Problem

__all__ = ["FactsError", "InventoryError", "MeshError", "ReportError", "SovereignMeshError"]


class SovereignMeshError(Exception):
    """The root of the package's exceptions."""


class MeshError(SovereignMeshError):
    """The mesh cannot be used; `problems` holds every defect found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InventoryError(SovereignMeshError):
    """An inventory file could not be opened, or is no JSON at all."""


class ReportError(SovereignMeshError):
    """A report could not be written: the path and the reason."""


class FactsError(SovereignMeshError):
    """A fact table is malformed. Says the file, the row and the rule that it breaks."""
