"""Frames of pandas for Polars, column by column, copied only where Arrow has no like."""

from __future__ import annotations

import datetime as dt
from numbers import Number
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sovereignmesh.frames.data import engine_errors
from sovereignmesh.result.text import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["names_of", "read_pandas"]

_WRITTEN: Final = (str, Number, dt.date, dt.time, UUID)  # objects whose text is how a person writes them


def names_of(data: Any) -> list[str]:
    """The names of the columns; those of an index that holds data come first, since it goes where the frame goes."""
    return [str(name) for name in _with_index(data).columns]


def read_pandas(data: Any) -> tuple[pl.DataFrame, dict[str, str]]:
    """The frame, and the columns whose objects are of several types, which are read as texts.

    With such a column stands the type whose text says nothing of what is in it, "" where there is none.
    """
    import polars as pl  # noqa: PLC0415 - an extra

    columns: list[pl.Series] = []
    objects: dict[str, str] = {}
    frame = _with_index(data)
    for place, name in enumerate(map(str, frame.columns)):
        column = frame.iloc[:, place]
        missing = column.isna()
        nothing = column.dtype == object and missing.all()
        read = pl.Series(dtype=pl.Null, values=[None] * len(column)) if nothing else _arrow(column)
        if read is None:
            texts = [None if gone else encodable(str(value)) for value, gone in zip(column, missing, strict=True)]
            read = pl.Series(values=texts, dtype=pl.String)
            objects[name] = _opaque(value for value, gone in zip(column, missing, strict=True) if not gone)
        columns.append(read.alias(name))
    return pl.DataFrame(columns), objects


def _with_index(data: Any) -> Any:
    """The frame with its index as columns, unless that only counts rows."""
    if data.index.nlevels == 1 and data.index.name is None and data.index.dtype.kind in "iu":
        return data
    return data.reset_index(allow_duplicates=True)


def _arrow(column: Any) -> pl.Series | None:
    """The column as Arrow has it, NaN as null; None where it is of all sorts."""
    import polars as pl  # noqa: PLC0415

    no_series: tuple[type[BaseException], ...] = (*engine_errors(), TypeError, ValueError, OverflowError)
    try:
        read: pl.Series = pl.from_pandas(column, nan_to_null=True)
    except no_series:
        return None
    return read


def _opaque(values: Iterable[Any]) -> str:
    return next((type(value).__name__ for value in values if not isinstance(value, _WRITTEN)), "")
