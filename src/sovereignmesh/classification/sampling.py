"""Any frame in, the distinct values of each column as text out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sovereignmesh.classification.result import NO_VALUES
from sovereignmesh.classification.validators import missing
from sovereignmesh.errors import FrameError
from sovereignmesh.frames import Data
from sovereignmesh.result.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import narwhals as nw
    import polars as pl

__all__ = ["PURVIEW_ROWS", "Sample", "SampledColumn", "take_sample"]

PURVIEW_ROWS: Final = 128  # what a scan reads; https://learn.microsoft.com/purview/data-map-classification
_WRITTEN: Final = (str, Number, dt.date, dt.time, UUID)  # objects whose text is how a person writes them
_EXACT: Final = 2**53  # the largest whole number that a float holds with all below it


@dataclass(frozen=True, slots=True)
class SampledColumn:
    """`texts` has the distinct values as `text`, without blanks around, and as `first` the row of each; None: unknown.

    `values` counts those that are there, `reason` says why there are none, or why they cannot be read.
    """

    name: str
    dtype: str
    texts: pl.DataFrame | None
    values: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The columns by name, the number of `rows` that they are from, and whether there are `more`."""

    columns: tuple[SampledColumn, ...]
    rows: int
    more: bool


def take_sample(data: Any, rows: int) -> Sample:
    """The first rows of data that `frames` has opened, or of a frame that narwhals knows; FrameError for the rest."""
    try:
        import narwhals as nw  # noqa: PLC0415 - heavy
        import polars  # noqa: F401, ICN001, PLC0415 - what all is read with
    except ImportError as error:
        raise missing(error) from error
    try:
        frame = data.frame if isinstance(data, Data) else nw.from_native(data)
    except TypeError as error:
        kind = type(data).__name__
        raise FrameError(f"{kind} is no frame: give one of pandas, Polars, PyArrow, DuckDB or Spark") from error
    except (nw.exceptions.NarwhalsError, ValueError) as error:
        raise FrameError(f"the frame cannot be read: {printable(str(error))}") from error
    read = list(_lazy(frame, rows + 1) if isinstance(frame, nw.LazyFrame) else _eager(frame.head(rows + 1)))
    _refuse_duplicates([name for name, _, _ in read])
    height = max((len(one) for _, _, one in read if not isinstance(one, str)), default=0)
    columns = (_column(name, dtype, one if isinstance(one, str) else one.head(rows)) for name, dtype, one in read)
    ordered = tuple(sorted(columns, key=lambda one: one.name))
    return Sample(ordered, min(height, rows), more=height > rows)


def _errors() -> tuple[type[Exception], ...]:
    """What engines raise where a column of theirs has no like in Polars."""
    import narwhals as nw  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    return (nw.exceptions.NarwhalsError, pl.exceptions.PolarsError, ValueError, TypeError, NotImplementedError)


def _lazy(frame: nw.LazyFrame[Any], rows: int) -> Iterator[tuple[str, str, pl.Series | str]]:
    """All columns in one query; one by one only where one of them spoils it."""
    schema = frame.collect_schema()
    head = frame.head(rows)
    try:
        whole = head.collect("polars").to_native()
    except _errors():
        for name, dtype in schema.items():
            try:
                yield name, str(dtype), head.select(name).collect("polars").to_native()[name]
            except _errors() as error:
                yield name, str(dtype), _said(error)
        return
    for name, dtype in schema.items():
        yield name, str(dtype), whole[name]


def _eager(frame: nw.DataFrame[Any]) -> Iterator[tuple[str, str, pl.Series | str]]:
    import narwhals as nw  # noqa: PLC0415

    for name in frame.columns:
        column = frame.get_column(name)
        try:
            read = _objects(column) if column.dtype == nw.Object else column.to_polars()
        except _errors() as error:
            yield str(name), str(column.dtype), _said(error)
        else:
            yield str(name), str(column.dtype), read


def _objects(column: nw.Series[Any]) -> pl.Series:
    """A column of Python's objects: their texts, where all have one."""
    import polars as pl  # noqa: PLC0415

    texts: list[str | None] = []
    for value in column.to_list():
        if value is None or value != value:  # noqa: PLR0124 - not a number
            texts.append(None)
        elif isinstance(value, _WRITTEN):
            texts.append(str(value))
        else:
            raise TypeError(f"objects of type {type(value).__name__}, which are not looked into")
    return pl.Series(str(column.name), texts, dtype=pl.String)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"cannot be read: {printable(lines[0][:200])}"


def _refuse_duplicates(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise FrameError(f"several columns have the same name: {printable(', '.join(twice[:5]))}: rename them")


def _column(name: str, dtype: str, read: pl.Series | str) -> SampledColumn:
    import polars as pl  # noqa: PLC0415

    if isinstance(read, str):
        return SampledColumn(name, dtype, None, 0, read)
    told = _text_of(read)
    if isinstance(told, str):
        return SampledColumn(name, dtype, None, 0, told)
    texts = pl.DataFrame({"text": told.str.strip_chars()}).with_row_index("first").filter(pl.col("text") != "")
    distinct = texts.group_by("text").agg(pl.col("first").min())
    reason = "" if len(texts) else NO_VALUES if len(read) else "no rows"
    return SampledColumn(name, dtype, distinct, len(texts), reason)


def _text_of(column: pl.Series) -> pl.Series | str:
    """The values as a person would write them; a reason where they have no such form."""
    import polars as pl  # noqa: PLC0415

    dtype = column.dtype
    if dtype.is_nested() or dtype == pl.Object:
        return "nested: the fields inside are not looked at; give them as columns of their own"
    if dtype == pl.Binary:
        return "binary: bytes are not looked at"
    if dtype.is_float():
        column = column.fill_nan(None)
        finite = column.drop_nulls()
        if (finite.is_finite() & (finite.abs() < _EXACT) & (finite.floor() == finite)).all():
            column = column.cast(pl.Int64)  # whole numbers that a null has made floats
    if dtype == pl.Duration:
        column = column.dt.total_microseconds()
    return column.cast(pl.String)
