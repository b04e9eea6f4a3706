"""The policy's rules on names and values: what they find here, and what Purview would make of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sovereignmesh.classification.deciding import EVIDENCE
from sovereignmesh.classification.masking import mask
from sovereignmesh.classification.predicting import predict_rule
from sovereignmesh.classification.result import Detection, Prediction
from sovereignmesh.classification.rules import Rule, name_readings, value_readings
from sovereignmesh.classification.validators import missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from sovereignmesh.classification.tables import Values

__all__ = ["Ruled", "apply_rules"]

_OURS: Final = "searched, whatever the case"  # of names; the widest reading, so that nothing is missed
_OURS_OF_VALUES: Final = "searched"


@dataclass(slots=True)
class Ruled:
    """What the rules say of one column."""

    detections: list[Detection] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class _Seen(NamedTuple):
    """Of one rule and one column: by reading whether the name matches, and how many early values do.

    `positions` are of the values that match in our own reading; `distinct` counts all, and the early ones.
    """

    names: dict[str, bool]
    early: dict[str, int]
    positions: list[int]
    distinct: tuple[int, int]


_NOTHING: Final[tuple[int, list[int]]] = (0, [])


def apply_rules(values: Values, rules: Sequence[Rule], names: Sequence[str], *, cut: bool) -> list[Ruled]:
    """For each column what the rules find. A rule that Rust's engine refuses is unknown for every column."""
    ruled = [Ruled() for _ in names]
    for rule in rules:
        try:
            hits = _name_hits(rule, names)
            found = {reading: values.texts.find(pattern) for reading, pattern in _of_values(rule).items()}
        except _refusals() as error:
            for one in ruled:
                one.unknown.append(f"rule {rule.name}: the pattern cannot be run here: {_first_line(error)}")
            continue
        tables = {reading: _by_column(values, positions) for reading, positions in found.items()}
        for at, one in enumerate(ruled):
            seen = _Seen(
                names={reading: hit[at] for reading, hit in hits.items()},
                early={reading: table.get(at, _NOTHING)[0] for reading, table in tables.items()},
                positions=tables[_OURS_OF_VALUES].get(at, _NOTHING)[1] if tables else [],
                distinct=(values.distinct[at], values.early[at]),
            )
            _apply(rule, one, seen, values, cut=cut)
    return ruled


def _refusals() -> tuple[type[Exception], ...]:
    try:
        import polars as pl  # noqa: PLC0415 - heavy
    except ImportError as error:
        raise missing(error) from error
    return (ValueError, pl.exceptions.ComputeError)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]


def _of_values(rule: Rule) -> dict[str, str]:
    return value_readings(rule.data) if rule.data else {}


def _name_hits(rule: Rule, names: Sequence[str]) -> dict[str, list[bool]]:
    import polars as pl  # noqa: PLC0415 - heavy

    if not rule.columns:
        return {}
    series = pl.Series(list(names), dtype=pl.String)
    return {reading: series.str.contains(pattern).to_list() for reading, pattern in name_readings(rule.columns).items()}


def _by_column(values: Values, positions: pl.Series) -> dict[int, tuple[int, list[int]]]:
    """By column: how many early values are at these positions, and all positions."""
    import polars as pl  # noqa: PLC0415 - heavy

    table = values.table.join(positions.alias("at").to_frame(), on="at")
    counted = table.group_by("column").agg(pl.col("early").sum(), pl.col("at"))
    return {column: (early, at) for column, early, at in counted.iter_rows()}


def _apply(rule: Rule, ruled: Ruled, seen: _Seen, values: Values, *, cut: bool) -> None:
    import polars as pl  # noqa: PLC0415 - heavy

    names, positions = seen.names, seen.positions
    distinct, early = seen.distinct
    told = predict_rule(rule, names, seen.early, early, cut=cut)
    named = names.get(_OURS, True)
    if rule.data and named and not distinct:
        if names:
            ruled.unknown.append(f"rule {rule.name}: the name matches, and there are no values to test")
        return
    if named and (not rule.data or 100 * len(positions) >= rule.minimum * distinct):
        shown = sorted(values.text(pl.Series(positions, dtype=pl.UInt32)))[:EVIDENCE]
        ruled.detections.append(
            Detection(
                classification=rule.classification,
                title=f"rule {rule.name} of the policy",
                detector="",
                rule=rule.name,
                by="both" if names and rule.data else "name" if names else "values",
                confidence="high" if rule.data else "medium",
                matching=len(positions),
                distinct=distinct,
                share=len(positions) / distinct if distinct else 0.0,
                why=_why(rule, len(positions), distinct, names=bool(names)),
                evidence=tuple(dict.fromkeys(map(mask, shown))),
            )
        )
        ruled.predictions.append(told)
    elif told.outcome != "not-assigned":
        ruled.predictions.append(told)


def _why(rule: Rule, matching: int, distinct: int, *, names: bool) -> str:
    said = "the name matches, searched and whatever its case" if names else ""
    values = f"{matching} of {distinct} distinct values match: {rule.minimum:g} % must" if rule.data else ""
    return ", and ".join(filter(None, (said, values)))
