"""Which values of which columns each detector accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sovereignmesh.classification.evidence import Counts
from sovereignmesh.classification.validators import find_validator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from sovereignmesh.classification.library import Detector
    from sovereignmesh.classification.tables import Values

__all__ = ["ColumnMatches", "match_detectors"]

_TRIED: Final = 40  # values of a column
_PROMISING: Final = 0.3  # of them; half of what makes a detection, so that chance decides nothing


@dataclass(slots=True)
class ColumnMatches:
    """Of one column: how many distinct values it has, also early, and for each detector's name what it accepts."""

    values: Values
    distinct: int
    early: int
    accepted: dict[str, tuple[Counts, pl.Series]]

    def counts(self, name: str) -> Counts:
        """What the detector accepts here."""
        return self.accepted[name][0] if name in self.accepted else Counts(self.distinct, 0, 0, 0)

    def positions(self, name: str) -> frozenset[int]:
        """The positions of the texts that the detector accepts here."""
        return frozenset(self.accepted[name][1].to_list()) if name in self.accepted else frozenset()

    def some(self, name: str, most: int) -> list[str]:
        """The first texts, in their own order, that the detector accepts here."""
        return sorted(self.values.text(self.accepted[name][1]))[:most] if name in self.accepted else []


def match_detectors(
    values: Values, detectors: Sequence[Detector], named: Sequence[Mapping[str, int]]
) -> list[ColumnMatches]:
    """The matches of each column, in the columns' order; a detector that needs a name looks only where it has it."""
    import polars as pl  # noqa: PLC0415 - heavy

    matches = [ColumnMatches(values, *each, {}) for each in zip(values.distinct, values.early, strict=True)]
    for detector in detectors:
        table = values.table
        if detector.needs_name:
            columns = [at for at, names in enumerate(named) if detector.name in names]
            if not columns:
                continue
            table = table.filter(pl.col("column").is_in(columns))
        shaped = table.join(values.texts.find(detector.pattern).alias("at").to_frame(), on="at")
        if shaped.is_empty():
            continue
        passing = shaped.with_columns(passes=_passes(detector, shaped, values))
        counted = passing.group_by("column").agg(
            pl.len(), pl.col("passes").sum(), (pl.col("passes") & pl.col("early")).sum().alias("soon"),
            pl.col("at").filter("passes"),
        )  # fmt: skip
        for column, count, good, soon, accepted in counted.iter_rows():
            counts = Counts(values.distinct[column], count, good, soon)
            matches[column].accepted[detector.name] = counts, pl.Series(accepted, dtype=pl.UInt32)
    return matches


def _passes(detector: Detector, shaped: pl.DataFrame, values: Values) -> pl.Series:
    """For each value whether it passes the detector's test, which is slow, since it is in Python.

    First some of each column are tried; where few of them pass, the others are not: what is believed passes mostly.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    if detector.validator is None:
        return pl.repeat(value=True, n=len(shaped), eager=True)
    valid, known = find_validator(*detector.validator), dict[int, bool]()

    def test(rows: pl.DataFrame) -> None:
        positions = [at for at in rows["at"].unique().to_list() if at not in known]
        known.update(zip(positions, map(valid, values.text(pl.Series(positions, dtype=pl.UInt32))), strict=True))

    def passed() -> pl.Expr:
        return pl.col("at").replace_strict(known, default=False, return_dtype=pl.Boolean)

    drawn = shaped.with_columns(first=pl.col("draw").rank("ordinal").over("column") <= _TRIED)
    test(drawn.filter("first"))
    share = (passed() & pl.col("first")).sum().over("column") / pl.col("first").sum().over("column")
    drawn = drawn.with_columns(tried=pl.col("first") | (share >= _PROMISING))
    test(drawn.filter("tried"))
    return drawn.select(passed() & pl.col("tried")).to_series()
