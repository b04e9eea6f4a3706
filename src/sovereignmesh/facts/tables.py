"""Reads the tables of this package: YAML beside the code, parsed once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from sovereignmesh.errors import FactsError, MeshError
from sovereignmesh.yamlfile import parse

__all__ = ["read_table"]


@cache
def read_table(name: str) -> dict[str, Any]:
    """The table `name`, a path below `facts/`, as plain data."""
    content = files(__package__).joinpath(name).read_bytes()
    try:
        table: dict[str, Any] = parse(content, f"facts/{name}").require()
    except MeshError as error:
        raise FactsError(str(error)) from error
    return table
