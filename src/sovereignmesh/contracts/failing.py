"""Rows that break a rule on values, shown without what nobody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.classified import classify
from sovereignmesh.contracts.naming import excluded_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import narwhals as nw

    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.contracts.rules import RowRule
    from sovereignmesh.frames import Data

__all__ = ["MASK", "Failing"]

MASK: Final = "***"


class Failing:
    """Finds the rows again: nothing of them was kept."""

    def __init__(self, data: Data, contract: DataContract, rules: Sequence[RowRule]) -> None:
        self._data = data
        self._contract = contract
        self._rules = [rule for rule in rules if rule.broken is not None]

    def rows(self, limit: int) -> list[dict[str, Any]]:
        """At most `limit` rows, in the order of the data where it has one, each as `row` and what is `broken` by it."""
        if not self._rules:
            return []
        import narwhals as nw  # noqa: PLC0415 - an extra

        mark = "broken"
        while any(name.startswith(mark) for name in self._data.columns):
            mark += "_"
        marks = {f"{mark}{at}": rule.broken for at, rule in enumerate(self._rules) if rule.broken is not None}
        wanted = nw.any_horizontal(*(nw.col(name) for name in marks), ignore_nulls=False)
        names = list(self._data.columns)
        found = self._data.frame.with_columns(**marks).filter(wanted).select(*names, *marks).head(limit)
        rows = self._data.fetch(found)
        masked = self._masked(rows)
        return [self._shown(row, masked, [row[each] for each in marks]) for row in rows.iter_rows(named=True)]

    def _masked(self, rows: nw.DataFrame[Any]) -> frozenset[str]:
        """Fields whose values are not shown: not allowed, excluded or with something excluded in them, personal.

        What could not be looked into is not shown either; the rows themselves are looked at, beside the sample.
        """
        masked = {*excluded_names(self._data, self._contract).values()}
        masked |= set(self._data.columns) - set(self._contract.allowed_fields)
        for data in (self._data, rows.select(*self._data.columns).to_native()):
            found = classify(data, self._contract).columns
            masked |= {one.name for one in found if one.personal or not one.examined}
        return frozenset(masked)

    def _shown(self, row: Mapping[str, Any], masked: frozenset[str], marks: Sequence[bool]) -> dict[str, Any]:
        values = {name: MASK if name in masked and row[name] is not None else row[name] for name in self._data.columns}
        broken = [rule.name for rule, mark in zip(self._rules, marks, strict=True) if mark]
        return {"row": values, "broken": broken}
