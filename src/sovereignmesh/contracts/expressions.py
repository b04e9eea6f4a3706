"""What is asked of a row, in narwhals' words: one expression that every engine answers alike.

All of them are true or false, never null: a comparison with a missing value neither holds nor fails.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sovereignmesh.mesh.validity import Both, Compared, Field, Missing, Negated, Node, fields_of
from sovereignmesh.mesh.values import instant
from sovereignmesh.patterns import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import narwhals as nw

    from sovereignmesh.frames import Data

__all__ = ["Undecided", "Words", "implied_kinds"]

_NUMBERS: Final = ("integer", "number")
_MOMENTS: Final = ("date", "timestamp")


class Undecided(Exception):  # noqa: N818 - no error: the check is unknown, for the reason in its words
    """A question that the columns cannot answer, and why."""


class Words:
    """The expressions over the columns of one frame."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._schema = data.frame.collect_schema()
        self._polars = type(data.frame.to_native()).__module__.startswith("polars")

    def missing(self, name: str) -> nw.Expr:
        """Where the field is null or NaN."""
        import narwhals as nw  # noqa: PLC0415 - an extra

        null = nw.col(name).is_null()
        return null | self._sure(self._column(name).is_nan()) if self._data.columns[name].floating else null

    def there(self, name: str) -> nw.Expr:
        """Where the field has a value."""
        return ~self.missing(name)

    def unread(self, name: str) -> nw.Expr:
        """Where text has a value, and none of the type that it is meant to be of."""
        return self.there(name) & self._column(name).is_null()

    def value(self, name: str) -> nw.Expr:
        """The field, NaN read as null."""
        import narwhals as nw  # noqa: PLC0415

        column = nw.col(name)  # text as it is written: a number of floats would lose digits
        floating = self._data.columns[name].floating and name not in self._data.parsed
        return nw.when(self.there(name)).then(column) if floating else column

    def unlike(self, name: str, pattern: str) -> nw.Expr:
        """Where a value does not match the whole pattern."""
        if self._kind(name) != "string":
            raise Undecided(f"'{name}' is {self._shown(name)}, which has no text to match")
        text = self._text(name).str.contains(self.dialect(whole(pattern)))
        return self.there(name) & self._not(text)

    def outside(self, name: str, minimum: Any, maximum: Any) -> nw.Expr:
        """Where a value is below the least or above the greatest."""
        parts = [self._compared(name, ">=", minimum)] if minimum is not None else []
        parts += [self._compared(name, "<=", maximum)] if maximum is not None else []
        within = parts[0] if len(parts) == 1 else parts[0] & parts[1]
        return self.there(name) & self._not(within)

    def none_of(self, name: str, values: tuple[Any, ...]) -> nw.Expr:
        """Where a value is none of these."""
        return self.there(name) & self._not(self._among(name, values))

    def breaks(self, node: Node) -> nw.Expr:
        """Where the rule does not hold: false, or a value that it needs is missing."""
        absent = sorted(fields_of(node) - self._data.columns.keys())
        if absent:
            raise Undecided(f"the rule reads '{absent[0]}', which is not there")
        return ~self._truth(node)[0]

    def older(self, name: str, moment: dt.datetime) -> nw.Expr:
        """Where the field is not after the moment; a day begins at midnight, in UTC."""
        return self.there(name) & self._sure(self._moment_column(name) <= self._moment(name, moment))

    def later(self, name: str, moment: dt.datetime) -> nw.Expr:
        """Where the field is after the moment."""
        return self.there(name) & self._sure(self._moment_column(name) > self._moment(name, moment))

    def bounded(self, name: str) -> nw.Expr:
        """The moments, those beyond the years that Python knows as the last, or the first, of these."""
        import narwhals as nw  # noqa: PLC0415

        column, first, last = self._moment_column(name), self._moment(name, _FIRST), self._moment(name, _LAST)
        upper = nw.when(column > last).then(last).otherwise(column)
        return nw.when(column < first).then(first).otherwise(upper)

    def dialect(self, pattern: str) -> str:
        """The pattern for the engine: Java folds cases of ASCII alone, and takes five characters for a new line."""
        return f"(?ud){pattern}" if self._spark else pattern

    @property
    def _spark(self) -> bool:
        return "spark" in type(self._data.frame.to_native()).__module__

    def _kind(self, name: str) -> str | None:
        column = self._data.columns[name]
        if column.mixed:
            raise Undecided(f"'{name}' holds objects of several types, which are not compared")
        return column.kind

    def _shown(self, name: str) -> str:
        return f"of type {self._data.columns[name].dtype}"

    def _column(self, name: str) -> nw.Expr:
        """What the field's values are, whatever it is written as."""
        import narwhals as nw  # noqa: PLC0415

        column = nw.col(self._data.parsed.get(name, name))
        # Engines compare a short float with a number as the one or as the other.
        return column.cast(nw.Float64) if self._dtype(name) == nw.Float32 else column

    def _dtype(self, name: str) -> Any:
        return self._schema[self._data.parsed.get(name, name)]

    def _text(self, name: str) -> nw.Expr:
        import narwhals as nw  # noqa: PLC0415

        column = self._column(name)
        return column if self._dtype(name) == nw.String else column.cast(nw.String)

    def _sure(self, expression: nw.Expr) -> nw.Expr:
        """The expression, false where it is null."""
        return expression.fill_null(value=False)

    def _not(self, expression: nw.Expr) -> nw.Expr:
        return ~self._sure(expression)

    def _truth(self, node: Node) -> tuple[nw.Expr, nw.Expr]:
        """Where it is true and where it is false; neither where a value is missing (Kleene's logic)."""
        import narwhals as nw  # noqa: PLC0415

        match node:
            case Missing():
                return self.missing(node.field.name), self.there(node.field.name)
            case Negated():
                true, false = self._truth(node.part)
                return false, true
            case Both():
                trues, falses = zip(*map(self._truth, node.parts), strict=True)
                every, some = nw.all_horizontal, nw.any_horizontal
                true = (every if node.word == "and" else some)(*trues, ignore_nulls=False)
                return true, (some if node.word == "and" else every)(*falses, ignore_nulls=False)
            case Compared():
                return self._pair(node)

    def _pair(self, node: Compared) -> tuple[nw.Expr, nw.Expr]:
        import narwhals as nw  # noqa: PLC0415

        names = sorted(fields_of(node))
        there = (
            self.there(names[0]) if len(names) == 1 else nw.all_horizontal(*map(self.there, names), ignore_nulls=False)
        )
        if node.operator == "in":
            holds = self._among(node.left.name, node.right)
        elif isinstance(node.left, Field):
            holds = self._compared(node.left.name, node.operator, node.right)
        else:
            holds = self._compared(node.right.name, _MIRRORED[node.operator], node.left)
        return there & self._sure(holds), there & self._not(holds)

    def _compared(self, name: str, operator: str, other: Any) -> nw.Expr:
        left, right = self._sides(name, operator, other)
        compared: nw.Expr = _COMPARE[operator](left, right)
        return compared

    def _countable(self, values: tuple[Any, ...]) -> None:
        for value in values:
            if isinstance(value, int) and abs(value) >= _TOO_LARGE:
                raise Undecided(f"{str(value)[:20]}... is a larger number than engines have")

    def _declared(self, name: str, operator: str) -> None:
        """Refuses to put text of a file without types in an order: '10' is before '9'."""
        if operator not in ("==", "!=") and "number" in self._data.text and name not in self._data.declared:
            raise Undecided(f"'{name}' has no type in the schema, and the file has none: what is less is not known")

    def _sides(self, name: str, operator: str, other: Any) -> tuple[Any, Any]:
        import narwhals as nw  # noqa: PLC0415

        kind = self._kind(name)
        self._countable((other,))
        if isinstance(other, Field):
            return self._both(name, operator, other.name)
        if isinstance(other, bool):
            if kind == "boolean":
                return self._column(name), nw.lit(other)
        elif isinstance(other, int | float):
            if kind in _NUMBERS:
                return self._column(name), nw.lit(other)
        elif kind == "string":
            self._declared(name, operator)
            return self._text(name), nw.lit(other)
        elif kind in _MOMENTS:
            moment = instant(other)
            if moment is None:
                raise Undecided(f"'{other}' is no date or moment as in 2026-01-31T12:00:00Z to compare '{name}' with")
            return self._moment_column(name), self._moment(name, moment)
        raise Undecided(f"'{name}' is {self._shown(name)}, which is not compared with {other!r}")

    def _both(self, name: str, operator: str, other: str) -> tuple[nw.Expr, nw.Expr]:

        kinds = {self._kind(name), self._kind(other)}
        if kinds <= {*_NUMBERS}:
            return self._column(name), self._column(other)
        if kinds == {"string"}:
            self._declared(name, operator)
            return self._text(name), self._text(other)
        if kinds <= {*_MOMENTS}:
            zones = {self._zone(name) is None, self._zone(other) is None}
            if len(zones) == 1:
                return self._moment_column(name), self._same_zone(name, other)
        elif len(kinds) == 1 and kinds < {"boolean", "time"}:
            return self._column(name), self._column(other)
        raise Undecided(f"'{name}' is {self._shown(name)} and '{other}' {self._shown(other)}: these are not compared")

    def _among(self, name: str, values: tuple[Any, ...]) -> nw.Expr:
        import narwhals as nw  # noqa: PLC0415

        kind = self._kind(name)
        self._countable(values)
        texts = all(isinstance(value, str) for value in values)
        truths = all(isinstance(value, bool) for value in values)
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if kind == "string" and texts:
            return self._text(name).is_in(list(values))
        if kind == "boolean" and truths:
            return self._column(name).is_in(list(values))
        if kind == "integer" and all(isinstance(value, int) for value in values):
            return self._column(name).is_in(list(values))
        if kind in _NUMBERS and numbers:
            return self._column(name).cast(nw.Float64).is_in([float(value) for value in values])
        if kind in _MOMENTS and texts:
            return nw.any_horizontal(*(self._compared(name, "==", value) for value in values), ignore_nulls=False)
        raise Undecided(f"'{name}' is {self._shown(name)}, which is not compared with {values[0]!r}")

    def _zone(self, name: str) -> str | None:
        return getattr(self._dtype(name), "time_zone", None)

    def _moment_column(self, name: str) -> nw.Expr:
        import narwhals as nw  # noqa: PLC0415

        if self._kind(name) not in _MOMENTS:
            raise Undecided(f"'{name}' is {self._shown(name)}, which is no date or timestamp")
        column = self._column(name)
        return column if self._dtype(name) == nw.Datetime else column.cast(nw.Datetime("us"))

    def _same_zone(self, name: str, other: str) -> nw.Expr:
        zone, column = self._zone(name), self._moment_column(other)
        return column.dt.convert_time_zone(zone) if zone and zone != self._zone(other) else column

    def _moment(self, name: str, moment: dt.datetime) -> nw.Expr:
        """The moment as the column has it: in its zone, or in UTC without one."""
        import narwhals as nw  # noqa: PLC0415

        zone = self._zone(name)
        if zone:
            return nw.lit(_in_zone(moment, zone))
        plain = _in_zone(moment, "UTC").replace(tzinfo=None)
        if self._polars:
            return nw.lit(plain)
        # Spark would read a plain datetime in the zone of the session.
        return nw.lit(plain.isoformat(" ", "microseconds")).cast(nw.Datetime("us"))


_TOO_LARGE: Final = 2**63
_FIRST: Final = dt.datetime(2, 1, 1, tzinfo=dt.UTC)
_LAST: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def _in_zone(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise Undecided(f"{moment} is no moment in {zone}") from None


_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_MIRRORED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def implied_kinds(node: Node) -> Iterator[tuple[str, str]]:
    """Fields that a rule compares with numbers or truths, and so what text is to be read as."""
    match node:
        case Compared(left=left, right=right):
            values = right if isinstance(right, tuple) else (left, right)
            fields = [side.name for side in (left, right) if isinstance(side, Field)]
            literals = [value for value in values if not isinstance(value, Field)]
            for name in fields if literals else ():
                if all(isinstance(value, bool) for value in literals):
                    yield name, "boolean"
                elif all(isinstance(value, int | float) for value in literals):
                    yield name, "number"
        case Negated(part=part):
            yield from implied_kinds(part)
        case Both(parts=parts):
            for part in parts:
                yield from implied_kinds(part)
        case Missing():
            pass
