"""What of a body the tables look at: whoever fetches bodies needs no more than that."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jmespath

from sovereignmesh.facts.children import child_reads
from sovereignmesh.facts.rows import find_resource_type, resource_types
from sovereignmesh.facts.rules import Expression, NeverRule
from sovereignmesh.facts.services import find_global_service, global_services

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["paths_in", "properties_read", "spellings"]


_SHOWS_THAT_IT_IS_THERE: Final = ("provisioningState",)


@cache
def properties_read() -> dict[str, tuple[str, ...]]:
    """By type in lower case: the names inside `properties` that the tables look at; empty where they look at none."""
    return {name: _names_of(name) for name in sorted(resource_types().keys() | global_services().keys())}


def _names_of(resource_type: str) -> tuple[str, ...]:
    row = find_resource_type(resource_type)
    paths = paths_in((row, find_global_service(resource_type), child_reads().get(resource_type, ())))
    names = tuple(sorted({path[1] for path in paths if path[0] == "properties"}))
    if names or row is None or all(isinstance(rule, NeverRule) for rule in row.rules.values()):
        return names
    return _SHOWS_THAT_IT_IS_THERE  # its rules look elsewhere, but a body without properties settles nothing


@cache
def spellings(resource_type: str) -> dict[str, tuple[str, ...]]:
    """The names that the tables look at in the body of a type (in lower case), at any depth; by lower case."""
    row = (find_resource_type(resource_type), find_global_service(resource_type))
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted({name for expression in _expressions_in(row) for name in _names_in(_parsed(expression))}):
        found[name.lower()] = (*found.get(name.lower(), ()), name)
    return found


def paths_in(value: Any) -> Iterator[tuple[str, ...]]:
    """The beginnings (two names at most) of all paths in the expressions that `value` holds anywhere."""
    for expression in _expressions_in(value):
        for path in _beginnings(_parsed(expression)):
            assert path != ("properties",), f"{expression.text} wants the whole of properties"
            yield path


def _parsed(expression: Expression) -> Any:
    return jmespath.compile(expression.text).parsed


def _expressions_in(value: Any) -> Iterator[Expression]:
    if isinstance(value, Expression):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _expressions_in(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _expressions_in(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _expressions_in(item)


def _names_in(node: Any) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    for child in node["children"]:
        yield from _names_in(child)


def _beginnings(node: Any) -> list[tuple[str, ...]]:
    kind, children = node["type"], node["children"]
    if kind == "field":
        return [(node["value"],)]
    if kind in ("or_expression", "and_expression", "comparator", "multi_select_list"):
        return [path for child in children for path in _beginnings(child)]
    if not children:
        return []
    left = _beginnings(children[0])
    if kind == "subexpression" and (right := _beginnings(children[1])):
        return [path if len(path) > 1 else (*path, right[0][0]) for path in left]
    return left  # what follows is read inside what was found
