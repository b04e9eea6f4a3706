"""JMESPath expressions of the fact tables, turned into closures when a table is loaded.

The jmespath library parses; walking its tree for every body would cost many times what parsing the body does. A test
compares the two on every fixture. One deliberate difference: comparing two strings ignores case, because Azure's own
answers spell one value in several ways (`Microsoft.Keyvault`, `Microsoft.KeyVault`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import jmespath.exceptions
import jmespath.parser

from sovereignmesh.errors import FactsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Getter = Callable[[Any], Any]
    Node = dict[str, Any]
    Builder = Callable[[Node, list[Getter]], Getter]

__all__ = ["compile_expression"]


def compile_expression(text: str, where: str, *, keep_missing: bool = False) -> Getter:
    """A function from a body to the expression's value, None where it finds nothing.

    JMESPath leaves items out of a projected list that lack the property. With `keep_missing` they stay, as "", so that
    an item which hides its region is not an item less.

    Raises FactsError, naming `where`, for a syntax error or a construct that the tables have no use for.

    >>> compile_expression("sku.name", "example")({"sku": {"name": "Standard_LRS"}})
    'Standard_LRS'
    """
    try:
        tree = jmespath.parser.Parser().parse(text).parsed
    except jmespath.exceptions.JMESPathError as error:
        raise FactsError(f"{where}: {text!r} is not JMESPath: {error}") from error
    return _compile(cast("Node", tree), where, _KEEPING if keep_missing else _BUILDERS)


def _compile(node: Node, where: str, builders: Mapping[str, Builder]) -> Getter:
    names = _field_chain(node)
    if names:
        return _chain(names)
    build = builders.get(node["type"])
    if build is None:
        raise FactsError(f"{where}: {node['type']} is not used in fact tables; write it as values of a reading")
    return build(node, [_compile(child, where, builders) for child in node["children"]])


def _field_chain(node: Node) -> list[str]:
    """The names of `a.b.c`; empty for anything else."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] == "subexpression":
        chains = [_field_chain(child) for child in node["children"]]
        return [name for chain in chains for name in chain] if all(chains) else []
    return []


def _chain(names: Sequence[str]) -> Getter:
    if len(names) == 1:
        (only,) = names
        return lambda body: body.get(only) if type(body) is dict else None

    *above, last = names
    first, *between = above

    def follow(body: Any) -> Any:
        body = body.get(first) if type(body) is dict else None
        for name in between:
            if type(body) is not dict:
                return None
            body = body.get(name)
        return body.get(last) if type(body) is dict else None

    return follow


def _then(_: Node, parts: list[Getter]) -> Getter:
    if len(parts) == 2:  # noqa: PLR2004 - nearly always
        left, right = parts
        return lambda body: right(left(body))

    def follow(body: Any) -> Any:
        for part in parts:
            body = part(body)
        return body

    return follow


def _index(node: Node, _: list[Getter]) -> Getter:
    position: int = node["value"]

    def pick(body: Any) -> Any:
        return body[position] if type(body) is list and -len(body) <= position < len(body) else None

    return pick


def _flatten(_: Node, parts: list[Getter]) -> Getter:
    (inner,) = parts

    def flatten(body: Any) -> Any:
        base = inner(body)
        if type(base) is not list:
            return None
        flat: list[Any] = []
        for item in base:
            if type(item) is list:
                flat.extend(item)
            else:
                flat.append(item)
        return flat

    return flatten


def _projection(_: Node, parts: list[Getter]) -> Getter:
    left, right = parts

    def project(body: Any) -> Any:
        base = left(body)
        if type(base) is not list:
            return None
        return [value for value in map(right, base) if value is not None]

    return project


def _value_projection(_: Node, parts: list[Getter]) -> Getter:
    left, right = parts

    def project(body: Any) -> Any:
        base = left(body)
        if type(base) is not dict:
            return None
        return [value for value in map(right, base.values()) if value is not None]

    return project


def _filter_projection(_: Node, parts: list[Getter]) -> Getter:
    left, right, keep = parts

    def project(body: Any) -> Any:
        base = left(body)
        if type(base) is not list:
            return None
        return [value for item in base if _truthy(keep(item)) and (value := right(item)) is not None]

    return project


def _or(_: Node, parts: list[Getter]) -> Getter:
    left, right = parts

    def either(body: Any) -> Any:
        value = left(body)
        return value if _truthy(value) else right(body)

    return either


def _and(_: Node, parts: list[Getter]) -> Getter:
    left, right = parts

    def both(body: Any) -> Any:
        value = left(body)
        return right(body) if _truthy(value) else value

    return both


def _comparator(node: Node, parts: list[Getter]) -> Getter:
    left, right = parts
    if node["value"] != "eq":
        # `!=` and `<` are true of what is missing or make no sense there: a missing fact could pass.
        raise FactsError(f"{node['value']} is not used in fact tables: a missing value must never satisfy a condition")

    if node["children"][1]["type"] == "literal":  # nearly always
        value = _fold(node["children"][1]["value"])
        return lambda body: bool(_fold(left(body)) == value)
    return lambda body: bool(_fold(left(body)) == _fold(right(body)))


def _fold(value: Any) -> Any:
    return value.casefold() if type(value) is str else value


def _literal(node: Node, _: list[Getter]) -> Getter:
    value = node["value"]
    return lambda _body: value


def _identity(_: Node, __: list[Getter]) -> Getter:
    return lambda body: body


def _multi_select_list(_: Node, parts: list[Getter]) -> Getter:
    return lambda body: None if body is None else [part(body) for part in parts]


def _truthy(value: Any) -> bool:
    """JMESPath's truth: 0 is true; false, null and what is empty are not."""
    return bool(value) or type(value) is int or type(value) is float


def _marking(project: Builder) -> Builder:
    """A projection that gives "" for an item that lacks the property, instead of leaving the item out."""

    def build(node: Node, parts: list[Getter]) -> Getter:
        if node["children"][1]["type"] == "identity":  # the items themselves: null among them is nothing left out
            return project(node, parts)
        left, right, *keep = parts
        return project(node, [left, lambda item: "" if (value := right(item)) is None else value, *keep])

    return build


_BUILDERS: dict[str, Builder] = {
    "and_expression": _and,
    "comparator": _comparator,
    "current": _identity,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "identity": _identity,
    "index": _index,
    "index_expression": _then,
    "literal": _literal,
    "multi_select_list": _multi_select_list,
    "or_expression": _or,
    "pipe": _then,
    "projection": _projection,
    "subexpression": _then,
    "value_projection": _value_projection,
}
_KEEPING = {
    **_BUILDERS,
    "filter_projection": _marking(_filter_projection),
    "projection": _marking(_projection),
}
