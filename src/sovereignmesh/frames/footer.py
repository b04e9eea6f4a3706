"""What the footers of Parquet files say of a column without reading it: how many nulls, and the greatest value.

Null counts and maxima are exact where they are written (https://parquet.apache.org/docs/file-format/metadata/); they do
not know NaN. A file whose footer lacks them leaves the question open.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Footers"]


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
        """The greatest moment in the column, as it is written there; None where a footer does not say."""
        try:
            found = [
                statistics.max if statistics.has_min_max else _empty(statistics) for statistics in self._of(column)
            ]
        except (OverflowError, ValueError):  # a year that Python does not know
            return None
        if len({getattr(value, "tzinfo", None) is None for value in found if value is not _NOTHING}) > 1:
            return None
        moments = [value for value in found if value is not _NOTHING]
        if not moments or any(not isinstance(value, dt.datetime) for value in moments):
            return None
        latest: dt.datetime = max(moments)
        return latest

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


_NOTHING = object()


def _places(schema: Any, columns: int) -> dict[str, int]:
    """Where the columns are that have nothing nested; one named a.b is not the field b in a."""
    flat = [(schema.column(at), at) for at in range(columns)]
    return {one.path: at for one, at in flat if one.max_definition_level <= 1 and one.max_repetition_level == 0}


def _empty(statistics: Any) -> Any:
    """A part that holds nothing but nulls has no greatest value, and needs none."""
    return _NOTHING if statistics.has_null_count and statistics.num_values == 0 else None
