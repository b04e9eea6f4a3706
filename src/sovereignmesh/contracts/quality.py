"""Quality: completeness, accuracy and timeliness of data, in percent."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from sovereignmesh.result.notebook import table_html
from sovereignmesh.result.text import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


__all__ = ["Quality", "percent"]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good data is, in percent; None is unknown, and `reasons` says why.

    `fields` has the completeness of each field; `latest` is the newest timestamp, in UTC.
    """

    rows: int | None
    completeness: float | None = None
    accuracy: float | None = None
    timeliness: float | None = None
    fields: Mapping[str, float | None] = field(default_factory=dict)
    latest: dt.datetime | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {
            "completeness": self.completeness,
            "accuracy": self.accuracy,
            "timeliness": self.timeliness,
            "fields": dict(self.fields),
            "latest": timestamp(self.latest) if self.latest else None,
            "reasons": dict(self.reasons),
        }

    def _repr_html_(self) -> str:
        figures = {"completeness": self.completeness, "accuracy": self.accuracy, "timeliness": self.timeliness}
        rows = [(name, percent(value), self.reasons.get(name, "")) for name, value in figures.items()]
        rows += [(f"completeness of {name}", percent(value), "") for name, value in self.fields.items()]
        title = f"quality of {'unknown' if self.rows is None else format(self.rows, ',')} rows"
        return table_html(title, ("", "%", ""), rows)


def percent(value: float | None) -> str:
    """The figure for a person: as many decimals as tell it from a threshold of two.

    >>> percent(98.0), percent(97.99999), percent(None)
    ('98 %', '97.99 %', 'unknown')
    """
    if value is None:
        return "unknown"
    cut = Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_DOWN)  # not rounded: 99.999 is not 100
    shown = f"{cut:f}".rstrip("0").rstrip(".")
    return f"{shown} %"
