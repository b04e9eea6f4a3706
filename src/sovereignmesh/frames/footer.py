"""What the footers of Parquet files say of a column without reading it: how many nulls, and the greatest value.

Null counts and maxima are exact where they are written (https://parquet.apache.org/docs/file-format/metadata/); they do
not know NaN. A file whose footer lacks them leaves the question open.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Footers"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS: Final = {"milliseconds": 1_000_000, "microseconds": 1000, "nanoseconds": 1}  # in nanoseconds


class Footers:
    """The footers of some files, read once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra

        self._footers = [pq.read_metadata(path) for path in paths]
        self._places = [_places(footer.schema, footer.num_columns) for footer in self._footers]
        self.rows: int = sum(footer.num_rows for footer in self._footers)

    def nulls(self, column: str) -> int | None:
        """How many nulls the column has; None where a footer does not say, or the column is nested."""
        counts: list[int | None] = [
            statistics.null_count if statistics.has_null_count else None for statistics in self._of(column)
        ]
        return None if not counts or None in counts else sum(count for count in counts if count is not None)

    def latest(self, column: str) -> dt.datetime | None:
        """The greatest moment in the column, one without a zone read as UTC; None where a footer does not say."""
        parts = list(self._of(column))
        held = [part for part in parts if not (part.has_null_count and part.num_values == 0)]  # nulls have no greatest
        moments = [_moment(part) for part in held]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

    def _of(self, column: str) -> Iterator[Any]:
        """The statistics of each part of the column; nothing at all where a part has none."""
        parts = []
        for footer, places in zip(self._footers, self._places, strict=True):
            if column not in places:
                return
            for group in range(footer.num_row_groups):
                chunk = footer.row_group(group).column(places[column])
                if chunk.statistics is None:
                    return
                parts.append(chunk.statistics)
        yield from parts


def _places(schema: Any, columns: int) -> dict[str, int]:
    """Where the columns are that have nothing nested; one named a.b is not the field b in a."""
    flat = [(schema.column(at), at) for at in range(columns)]
    return {one.path: at for one, at in flat if one.max_definition_level <= 1 and one.max_repetition_level == 0}


def _moment(statistics: Any) -> dt.datetime | None:
    """The greatest value of a part as a moment; None where it is none, or of a year that Python does not know.

    The number as it is written: pyarrow would import pandas to make it a moment, which takes longer than all the rest.
    """
    if not statistics.has_min_max or statistics.physical_type != "INT64":
        return None
    kind = json.loads(statistics.logical_type.to_json())
    size = _UNITS.get(kind.get("timeUnit", "")) if kind.get("Type") == "Timestamp" else None
    if size is None:
        return None
    try:
        return _EPOCH + dt.timedelta(microseconds=statistics.max_raw * size // 1000)
    except OverflowError:
        return None
