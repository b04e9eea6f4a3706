"""Validity rules: a comparison of a row's fields, written as in Python, read into a small tree.

`shippedAt >= orderedAt or status in ('open', 'held')`; `discount is None or 0 <= discount < price`. Names are fields
(`field('odd name')` for one that is no name), the rest are numbers, texts, True, False and None.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator

from sovereignmesh.mesh.values import wrong
from sovereignmesh.mesh.words import found

__all__ = ["Both", "Compared", "Field", "Missing", "Negated", "Node", "Operator", "Rule", "fields_of", "parse_rule"]

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
_LONGEST: Final = 2000
_OPERATORS: Final[dict[type[ast.cmpop], Operator]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the row."""

    name: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Two operands, a `Field` or a literal; for `in` the right one is a tuple of literals."""

    left: Any
    operator: Operator
    right: Any


@dataclass(frozen=True, slots=True)
class Missing:
    """`field is None`: null or NaN."""

    field: Field


@dataclass(frozen=True, slots=True)
class Negated:
    """`not part`."""

    part: Node


@dataclass(frozen=True, slots=True)
class Both:
    """Parts joined by `and` or `or`."""

    word: Literal["and", "or"]
    parts: tuple[Node, ...]


Node = Compared | Missing | Negated | Both


@lru_cache(maxsize=1024)
def parse_rule(text: str) -> Node:
    """The tree of a rule. Raises ValueError, whose words say what is not understood and what is.

    >>> parse_rule("0 <= discount")
    Compared(left=0, operator='<=', right=Field(name='discount'))
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the rule is longer than {_LONGEST:,} characters: divide it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a text's escapes: it means what Python reads
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError(f"it is no comparison as in Python: {error.args[0] if error.args else 'too deep'}") from None
    try:
        node = _read(tree)
    except RecursionError:
        raise ValueError("it is too deep: divide it") from None
    if not fields_of(node):
        raise ValueError("it names no field, so that it holds for every row or for none")
    return node


def fields_of(node: Node) -> frozenset[str]:
    """The fields that a rule reads."""
    match node:
        case Compared():
            return frozenset(side.name for side in (node.left, node.right) if isinstance(side, Field))
        case Missing():
            return frozenset((node.field.name,))
        case Negated():
            return fields_of(node.part)
        case Both():
            return frozenset().union(*map(fields_of, node.parts))


def _read(tree: ast.expr) -> Node:
    match tree:
        case ast.BoolOp(op=word, values=values):
            return Both("and" if isinstance(word, ast.And) else "or", tuple(map(_read, values)))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Negated(_read(operand))
        case ast.Compare():
            return _comparison(tree)
        case _:
            raise ValueError(f"'{ast.unparse(tree)}' is no comparison: write one as in amount > 0")


def _comparison(tree: ast.Compare) -> Node:
    """One comparison, or those of a chain such as 0 <= a < b, all of which hold."""
    sides = [tree.left, *tree.comparators]
    links = list(zip(sides, tree.ops, sides[1:], strict=False))
    parts = tuple(_link(left, operator, right) for left, operator, right in links)
    return parts[0] if len(parts) == 1 else Both("and", parts)


def _link(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Node:
    if isinstance(operator, ast.Is | ast.IsNot):
        field = _operand(left)
        if not isinstance(field, Field) or not (isinstance(right, ast.Constant) and right.value is None):
            raise ValueError("'is' asks for a missing value: write a field, then 'is None' or 'is not None'")
        return Missing(field) if isinstance(operator, ast.Is) else Negated(Missing(field))
    if isinstance(operator, ast.NotIn):
        return Negated(_link(left, ast.In(), right))
    if isinstance(operator, ast.In):
        if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
            raise ValueError("'in' wants a list of values: status in ('open', 'held')")
        field, values = _operand(left), tuple(map(_operand, right.elts))
        if not isinstance(field, Field) or any(isinstance(value, Field) for value in values):
            raise ValueError("'in' wants a field, and a list of values: status in ('open', 'held')")
        return Compared(field, "in", values)
    sides = _operand(left), _operand(right)
    if bool in map(type, sides) and not isinstance(operator, ast.Eq | ast.NotEq):
        raise ValueError("True and False are neither less nor more than anything: compare with == or !=")
    if not any(isinstance(side, Field) for side in sides):
        raise ValueError(f"'{ast.unparse(left)}' and '{ast.unparse(right)}' are compared without a field")
    return Compared(sides[0], _OPERATORS[type(operator)], sides[1])


def _operand(tree: ast.expr) -> Field | str | float | bool:
    match tree:
        case ast.Name(id=name):
            return Field(name)
        case ast.Call(func=ast.Name(id="field"), args=[ast.Constant(value=str(name))], keywords=[]):
            return Field(name)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if not isinstance(
            number, bool
        ):
            return -number
        case ast.Constant(value=str() | int() | float() as value):
            return value
        case ast.Constant(value=None):
            raise ValueError("nothing is equal to None: write 'is None' or 'is not None'")
        case _:
            raise ValueError(f"'{ast.unparse(tree)}' is no field and no value: write a name, a number or a 'text'")


def _rule(value: str) -> str:
    try:
        parse_rule(value)
    except ValueError as error:
        raise wrong(f"found {found(value)}, wants a rule on a row: {error}") from None
    return value


Rule = Annotated[str, AfterValidator(_rule)]
