"""The rules on values that a contract has: for each, where a row breaks it, or why nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.expressions import Undecided, Words, implied_kinds
from sovereignmesh.frames.data import engine_errors
from sovereignmesh.mesh.validity import parse_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import narwhals as nw

    from sovereignmesh.contracts.result import ContractCheck
    from sovereignmesh.frames import Data
    from sovereignmesh.mesh.products import DataSchema, FieldWish
    from sovereignmesh.result.checks import Severity

__all__ = ["MEDIUM", "RowRule", "kinds_of", "row_rules"]

MEDIUM: Final[Severity] = "medium"
_LISTED: Final = 6


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule on values: `broken` is true where a row breaks it; None where it is `undecided`, with the reason."""

    check: ContractCheck
    field: str
    severity: Severity
    expected: str
    broken: nw.Expr | None
    undecided: str = ""

    @property
    def name(self) -> str:
        """As it is named in a failing row."""
        return f"{self.check} {self.field}"


def kinds_of(schema: DataSchema) -> dict[str, str]:
    """What text is to be read as, by field: its type, else what its rules compare it with."""
    kinds: dict[str, str] = {}
    for rule in schema.validity_rules:
        kinds.update(implied_kinds(parse_rule(rule.rule)))
    for field in schema.fields:
        kinds.update(_implied(field))
    if schema.timestamp_column:
        kinds.setdefault(schema.timestamp_column, "timestamp")
    return {**kinds, **{field.name: field.type for field in schema.fields if field.type}}


def _implied(field: FieldWish) -> Iterator[tuple[str, str]]:
    values = [value for value in (field.minimum, field.maximum, *(field.allowed_values or ())) if value is not None]
    if values and all(isinstance(value, bool) for value in values):
        yield field.name, "boolean"
    elif values and all(isinstance(value, int | float) for value in values):
        yield field.name, "number"


def row_rules(data: Data, schema: DataSchema) -> list[RowRule]:
    """Every rule on values of the fields that are there; a field that is not is told once, elsewhere."""
    words = Words(data)
    rules: list[RowRule] = []
    for field in schema.fields:
        if field.name in data.columns:
            rules += _field_rules(data, words, field)
    for rule in schema.validity_rules:
        breaks = partial(words.breaks, parse_rule(rule.rule))
        rules.append(_decided("validity-rule", rule.name, rule.severity, rule.rule, breaks))
    return rules


def _field_rules(data: Data, words: Words, field: FieldWish) -> Iterator[RowRule]:
    name = field.name
    if name in data.parsed:
        kind = field.type or data.columns[name].kind or ""
        yield RowRule("type", name, field.severity or MEDIUM, kind, words.unread(name))
    if field.required:
        yield _decided("required", name, field.severity, "a value in every row", lambda: words.missing(name))
    if field.pattern is not None:
        pattern = field.pattern
        yield _decided("pattern", name, field.severity, pattern, lambda: words.unlike(name, pattern))
    if field.allowed_values is not None:
        values = field.allowed_values
        shown = ", ".join(map(str, values[:_LISTED])) + (" ..." if len(values) > _LISTED else "")
        yield _decided("allowed-values", name, field.severity, f"one of {shown}", lambda: words.none_of(name, values))
    if field.minimum is not None or field.maximum is not None:
        low, high = field.minimum, field.maximum
        bounds = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
        yield _decided("range", name, field.severity, ", ".join(bounds), lambda: words.outside(name, low, high))


def _decided(
    check: ContractCheck, field: str, severity: Severity | None, expected: str, build: Callable[[], Any]
) -> RowRule:
    # An engine may have no number for a bound, either.
    undecided: tuple[type[BaseException], ...] = (Undecided, OverflowError, *engine_errors())
    try:
        return RowRule(check, field, severity or MEDIUM, expected, build())
    except undecided as why:
        return RowRule(check, field, severity or MEDIUM, expected, None, str(why))
