"""Rows that break a rule on values, shown without what nobody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.naming import excluded_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        """At most `limit` rows, in the order of the data where it has one, each with `broken`."""
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
        masked = self._masked()
        return [
            self._shown(row, masked, [row[each] for each in marks])
            for row in self._data.fetch(found).iter_rows(named=True)
        ]

    def _masked(self) -> frozenset[str]:
        """Fields whose values are not shown: not allowed, excluded, with something excluded in them, or classified."""
        excluded = {name.partition(".")[0] for name in excluded_names(self._data, self._contract)}
        return frozenset({*excluded, *(set(self._data.columns) - set(self._contract.allowed_fields))})

    def _shown(self, row: Mapping[str, Any], masked: frozenset[str], marks: Sequence[bool]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            name: MASK if name in masked and row[name] is not None else row[name] for name in self._data.columns
        }
        broken = [rule.name for rule, mark in zip(self._rules, marks, strict=True) if mark]
        return {**shown, "broken": broken}
