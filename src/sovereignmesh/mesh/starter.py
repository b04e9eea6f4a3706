"""Writes a mesh to begin with: a working example for the EU, and the schema that editors check it by."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.json_schema import schema
from sovereignmesh.result.location import Location, Problem

if TYPE_CHECKING:
    import os

__all__ = ["init"]

_SCHEMA: Final = "sovereignmesh.schema.json"
_TEMPLATES: Final = ("policy.yaml", "domains/sales.yaml", "products/sales-analytics.yaml")


def init(path: str | os.PathLike[str]) -> list[Path]:
    """Writes a mesh that validates into the folder `path`, and gives back the files written.

    Overwrites nothing: raises `MeshError`, before anything is written, if one of the files is there already.
    """
    root = Path(path)
    templates = files(__package__).joinpath("templates")
    contents = {root / name: templates.joinpath(name).read_text(encoding="utf-8") for name in _TEMPLATES}
    contents[root / _SCHEMA] = json.dumps(schema(), indent=2) + "\n"
    present = [file for file in contents if file.exists() or file.is_symlink()]
    if present:
        names = ", ".join(str(file) for file in present)
        raise _refused(root, f"already holds {names}: nothing was written; choose another folder")
    for file, content in contents.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", newline="\n")
        except OSError as error:
            raise _refused(file, f"cannot be written: {error.strerror}") from error
    return list(contents)


def _refused(path: Path, message: str) -> MeshError:
    return MeshError([Problem(Location(str(path)), "$", message)])
