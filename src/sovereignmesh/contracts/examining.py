"""One look at data: all that a contract asks of its values, in one query, and the figures that follow."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from sovereignmesh.contracts.contract import DataContract
from sovereignmesh.contracts.expressions import Undecided, Words
from sovereignmesh.contracts.quality import Quality
from sovereignmesh.contracts.rules import kinds_of, row_rules
from sovereignmesh.errors import ContractError, FrameError
from sovereignmesh.frames import open_data
from sovereignmesh.frames.data import engine_errors, said
from sovereignmesh.mesh.products import DataSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import narwhals as nw

    from sovereignmesh.frames import Data

__all__ = ["NO_ROWS", "Examination", "examine", "measure_quality"]

_FIRST_YEAR: Final = 200  # an age is at most a hundred years
NO_ROWS: Final = "there are no rows"


class _Ask(NamedTuple):
    """A question: what each row says, and what is made of it."""

    how: Literal["count", "distinct", "latest"]
    of: nw.Expr


def _count(column: nw.Expr) -> nw.Expr:
    """How often it is true; Spark adds up numbers alone."""
    import narwhals as nw  # noqa: PLC0415

    return column.cast(nw.Int64).sum()


_SUMS: Final[Mapping[str, Callable[[nw.Expr], nw.Expr]]] = {
    "count": _count,
    "distinct": lambda column: column.n_unique(),
    "latest": lambda column: column.max(),
}


def measure_quality(data: Any, contract: DataContract | None = None, *, at: dt.datetime | None = None) -> Quality:
    """How good the data is: over the contract's fields and by its rules, or over all fields where none is given.

    `at` is the moment at which ages are measured (default: now). Raises FrameError where the data cannot be opened.
    """
    return examine(data, contract, at).quality


def examine(data: Any, contract: DataContract | None, at: dt.datetime | None) -> Examination:
    """What the data answers to all that a contract asks of values; of every field where there is none."""
    moment = at or dt.datetime.now(dt.UTC)
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise ContractError(f"the moment {moment!r} has no time zone: give one, as in datetime.now(timezone.utc)")
    given: Any = contract  # in a notebook it may be anything
    if given is not None and not isinstance(given, DataContract):
        kind = type(given).__name__
        raise ContractError(f"found {kind}, wants a DataContract: DataContract.from_mesh(mesh, product, consumer)")
    schema = contract.data_schema if contract else DataSchema()
    if moment.year < _FIRST_YEAR:
        raise ContractError(f"the moment {moment} is before any age can be told")
    opened = open_data(data).typed(kinds_of(schema))
    names = contract.allowed_fields if contract else tuple(opened.columns)
    return Examination(opened, contract, schema, names, moment)


class Examination:
    """One look at the data: what is asked, and what came back; `failed` says why nothing did."""

    def __init__(
        self, data: Data, contract: DataContract | None, schema: DataSchema, names: tuple[str, ...], at: dt.datetime
    ) -> None:
        self.data, self.contract, self.schema, self.names, self.at = data, contract, schema, names, at
        self.failed = ""
        self.words = Words(self.data)
        self.rules = row_rules(self.data, self.schema)
        self.there = [name for name in self.names if name in self.data.columns]
        self.absent = [one.name for one in self.schema.fields if one.required and one.name not in self.data.columns]
        self.unique = [one.name for one in self.schema.fields if one.unique and one.name in self.data.columns]
        key = [name for name in self.schema.primary_key if name in self.data.columns]
        self.key = key if len(key) == len(self.schema.primary_key) else []
        self.answers = self._known()
        self._ask()
        self.quality = self._quality()

    @property
    def rows(self) -> int | None:
        """How many rows there are; None where the data could not be read."""
        return self.answers.get("rows")

    def _known(self) -> dict[str, Any]:
        """What the footers of Parquet files decide: nothing need be read for it."""
        footers = self.data.footers
        if footers is None:
            return {}
        known: dict[str, Any] = {"rows": footers.rows}
        for name in self.there:
            if not self.data.columns[name].floating and (nulls := footers.nulls(name)) is not None:
                known[f"missing {name}"] = nulls
        column = self.schema.timestamp_column
        if column and column in self.data.columns and (latest := footers.latest(column)) is not None:
            known["latest"] = latest
        return known

    def _ask(self) -> None:
        """All questions that are open, in one query: first what each row says, then what comes of the rows.

        An engine computes what it is told twice twice: what a row says is said once.
        """
        import narwhals as nw  # noqa: PLC0415 - an extra

        asked = {name: ask for name, ask in self._questions() if name not in self.answers}
        places = {name: f"q{at}" for at, name in enumerate(asked)}  # names are anybody's, these are ours
        sums = {places[name]: _SUMS[ask.how](nw.col(places[name])) for name, ask in asked.items()}
        if rules := [nw.col(places[name]) for name in asked if name.startswith("rule ")]:
            places["broken"] = "broken"
            sums["broken"] = _SUMS["count"](nw.any_horizontal(*rules, ignore_nulls=False))
        frame = self.data.frame
        if "rows" not in self.answers:
            places["rows"] = "rows"
            sums["rows"] = nw.len()
        try:
            if sums:
                told = frame.select(**{places[name]: ask.of for name, ask in asked.items()}) if asked else frame
                (answered,) = self.data.fetch(told.select(**sums)).iter_rows(named=True)
                self.answers |= {name: answered[place] for name, place in places.items()}
            if len(self.key) > 1:
                self.answers["key"] = self._key_repeats()
        except FrameError as error:
            self.failed = str(error)
        except engine_errors() as error:
            self.failed = f"{self.data.name}: {said(error)}"

    def _questions(self) -> Iterator[tuple[str, _Ask]]:
        import narwhals as nw  # noqa: PLC0415

        for name in dict.fromkeys((*self.there, *self.unique, *self.key)):
            yield f"missing {name}", _Ask("count", self.words.missing(name))
        if len(self.key) > 1:
            missing = [self.words.missing(name) for name in self.key]
            yield "incomplete", _Ask("count", nw.any_horizontal(*missing, ignore_nulls=False))
        for name in dict.fromkeys((*self.unique, *(self.key if len(self.key) == 1 else ()))):
            if self.data.columns[name].kind not in ("object", "array"):
                yield f"distinct {name}", _Ask("distinct", self.words.value(name))
        for at, rule in enumerate(self.rules):
            if rule.broken is not None:
                yield f"rule {at}", _Ask("count", rule.broken)
        column = self.schema.timestamp_column
        if column is None or column not in self.data.columns or self._no_moments(column):
            return
        yield "latest", _Ask("latest", self.words.bounded(column))
        age = self.contract.max_age if self.contract else None
        if age is not None:
            young = self.words.later(column, self.at - age) & self.words.older(column, self.at)
            yield "young", _Ask("count", young)

    def _no_moments(self, column: str) -> str:
        try:
            self.words.older(column, self.at)
        except Undecided as why:
            return str(why)
        return ""

    def _key_repeats(self) -> int:
        """How many complete keys are there again."""
        import narwhals as nw  # noqa: PLC0415

        there = nw.all_horizontal(*map(self.words.there, self.key), ignore_nulls=False)
        complete = self.data.frame.filter(there).select(*self.key)
        counted = [self.data.fetch(each.select(n=nw.len())).row(0)[0] for each in (complete, complete.unique())]
        return int(counted[0] - counted[1])

    def count(self, question: str) -> int | None:
        """The answer as a number; None where there is none. A sum of nothing is 0."""
        if question not in self.answers:
            return None
        return int(self.answers[question] or 0)

    @property
    def latest(self) -> dt.datetime | None:
        """The newest timestamp, in UTC; None where there is none, or nobody knows."""
        value = self.answers.get("latest")
        if value is None:
            return None
        if not isinstance(value, dt.datetime):
            value = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day begins in UTC, below
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)

    def _quality(self) -> Quality:
        reasons: dict[str, str] = {}
        fields = {name: self._share(f"missing {name}") for name in self.there}
        for name in self.names:
            if name not in self.data.columns and self.rows:
                fields[name] = 0.0
        completeness = self._completeness(reasons)
        return Quality(
            rows=self.rows,
            completeness=completeness,
            accuracy=self._accuracy(reasons),
            timeliness=self._timeliness(reasons),
            fields={name: fields[name] for name in self.names if name in fields},
            latest=self.latest,
            reasons=reasons,
        )

    def _share(self, question: str) -> float | None:
        """The share of rows, in percent, that the question does not count."""
        counted = self.count(question)
        return None if counted is None or not self.rows else 100 * (self.rows - counted) / self.rows

    def _completeness(self, reasons: dict[str, str]) -> float | None:
        missing = [self.count(f"missing {name}") for name in self.there]
        if self.failed or None in missing or not self.rows:
            reasons["completeness"] = self.failed or NO_ROWS
            return None
        cells = self.rows * len(self.names)
        there = self.rows * len(self.there) - sum(count for count in missing if count is not None)
        return 100 * there / cells

    def _accuracy(self, reasons: dict[str, str]) -> float | None:
        undecided = next((rule.undecided for rule in self.rules if rule.undecided), "")
        if self.rows and not self.failed and self.absent:
            return 0.0  # a field that must have a value in every row is not there: every row breaks that
        if self.failed or not self.rules or undecided or not self.rows:
            no_rules = "" if self.rules else "there is no rule on values of these fields"
            reasons["accuracy"] = self.failed or no_rules or undecided or NO_ROWS
            return None
        return self._share("broken")

    def _timeliness(self, reasons: dict[str, str]) -> float | None:
        column = self.schema.timestamp_column
        if column is None:
            why = "the schema has no timestampColumn"
        elif column not in self.data.columns:
            why = f"the timestampColumn '{column}' is not there"
        elif not (self.contract and self.contract.max_age):
            why = "no freshness is promised"
        else:
            why = self._no_moments(column) or self.failed or ("" if self.rows else NO_ROWS)
        if why:
            reasons["timeliness"] = why
            return None
        young = self.count("young")
        return None if young is None or not self.rows else 100 * young / self.rows
