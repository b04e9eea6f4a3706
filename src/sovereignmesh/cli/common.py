"""What several commands do alike."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sovereignmesh.errors import MeshError
from sovereignmesh.result import Location, Problem

__all__ = ["find_mesh"]

_DEFAULT: Final = Path("mesh")


def find_mesh(given: Path | None) -> Path:
    """The mesh that a command works on: the one given, else ./mesh. Raises MeshError where there is none."""
    path = given or _DEFAULT
    if not path.exists():
        hint = f"no mesh at {path}: write one with `sovereignmesh init {path}`, or give the path of yours"
        raise MeshError([Problem(Location(str(path)), "$", hint)])
    return path
