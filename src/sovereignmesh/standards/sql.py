"""Rules on rows as queries in standard SQL, for the tools that read a contract.

`{object}` and `{property}` stand for the table and the column, as the standard says
(https://bitol-io.github.io/open-data-contract-standard/latest/data-quality/#sql). A rule that needs a value which is
missing does not hold, as here; a bound is of values that are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.mesh.validity import Both, Compared, Field, Missing, Negated, parse_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.mesh.validity import Node

__all__ = ["filled", "literal", "not_among", "outside", "rows_that_break"]

_OPERATORS: Final = {"==": "=", "!=": "<>", "in": "IN"}
_INFINITY: Final = "1e999"  # beyond every double


def rows_that_break(rule: str) -> str:
    """The query that counts the rows that break the rule.

    >>> rows_that_break("price > 0 or note is None")
    'SELECT COUNT(*) - COUNT(CASE WHEN "price" > 0 OR "note" IS NULL THEN 1 END) FROM {object}'
    """
    holds = _condition(parse_rule(rule))
    return f"SELECT COUNT(*) - COUNT(CASE WHEN {holds} THEN 1 END) FROM {{object}}"  # noqa: S608 - text of a contract


def outside(operator: str, bound: str | float) -> str:
    """The query that counts the rows whose value lies beyond a bound.

    >>> outside("<", 5)
    'SELECT COUNT(*) FROM {object} WHERE {property} < 5'
    """
    return f"SELECT COUNT(*) FROM {{object}} WHERE {{property}} {operator} {literal(bound)}"  # noqa: S608 - text of a contract


def not_among(values: Sequence[str | float]) -> str:
    """The query that counts the rows whose value is none of these.

    >>> not_among(["open", 3])
    "SELECT COUNT(*) FROM {object} WHERE {property} NOT IN ('open', 3)"
    """
    listed = ", ".join(map(literal, values))
    return f"SELECT COUNT(*) FROM {{object}} WHERE {{property}} NOT IN ({listed})"  # noqa: S608 - text of a contract


def filled(fields: Sequence[str]) -> str:
    """The query for the percentage of cells that are filled.

    >>> filled(["a", "b"])
    'SELECT 100.0 * (COUNT("a") + COUNT("b")) / NULLIF(2 * COUNT(*), 0) FROM {object}'
    """
    counts = " + ".join(f"COUNT({_name(field)})" for field in fields)
    return f"SELECT 100.0 * ({counts}) / NULLIF({len(fields)} * COUNT(*), 0) FROM {{object}}"  # noqa: S608 - text of a contract


def literal(value: str | float) -> str:
    """A value as SQL writes it.

    >>> literal("it's"), literal(True), literal(-1.5)
    ("'it''s'", 'TRUE', '-1.5')
    """
    match value:
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bool():
            return str(value).upper()
        case _:
            return repr(value).replace("inf", _INFINITY)


def _condition(node: Node, *, inside: bool = False) -> str:
    match node:
        case Compared(operator="in"):
            values = ", ".join(map(_operand, node.right))
            return f"{_operand(node.left)} IN ({values})"
        case Compared():
            return f"{_operand(node.left)} {_OPERATORS.get(node.operator, node.operator)} {_operand(node.right)}"
        case Missing():
            return f"{_name(node.field.name)} IS NULL"
        case Negated():
            return f"NOT ({_condition(node.part)})"
        case Both():
            text = f" {node.word.upper()} ".join(_condition(part, inside=True) for part in node.parts)
            return f"({text})" if inside else text


def _operand(value: Any) -> str:
    return _name(value.name) if isinstance(value, Field) else literal(value)


def _name(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'
