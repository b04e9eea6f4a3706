"""Any frame in, the distinct values of each column as text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.classification.result import NO_VALUES
from sovereignmesh.frames import open_data
from sovereignmesh.frames.data import engine_errors, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    import narwhals as nw
    import polars as pl

__all__ = ["PURVIEW_ROWS", "Sample", "SampledColumn", "take_sample"]

PURVIEW_ROWS: Final = 128  # what a scan reads; https://learn.microsoft.com/purview/data-map-classification
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
    """The first rows of whatever `frames` opens; raises FrameError where it cannot."""
    opened = open_data(data)
    read = list(_heads(opened.frame.select(*opened.columns), rows + 1))
    height = max((len(one) for _, _, one in read if not isinstance(one, str)), default=0)
    columns = []
    for name, dtype, one in read:
        opaque = opened.columns[name].opaque
        told = f"objects of type {opaque}, which are not looked into" if opaque else one
        columns.append(_column(name, dtype, told if isinstance(told, str) else told.head(rows), more=height > rows))
    return Sample(tuple(sorted(columns, key=lambda one: one.name)), min(height, rows), more=height > rows)


def _errors() -> tuple[type[BaseException], ...]:
    """What engines raise where they cannot read, or a column of theirs has no like in Polars: then it is unknown.

    Python's own three are what narwhals (NotImplementedError), pyarrow and Polars raise for a type without a like, as
    DuckDB's unions.
    """
    return (*engine_errors(), ValueError, TypeError, NotImplementedError)


def _heads(frame: nw.LazyFrame[Any], rows: int) -> Iterator[tuple[str, str, pl.Series | str]]:
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


def _said(error: BaseException) -> str:
    return f"cannot be read: {said(error)}"


def _column(name: str, dtype: str, read: pl.Series | str, *, more: bool) -> SampledColumn:
    import polars as pl  # noqa: PLC0415

    if isinstance(read, str):
        return SampledColumn(name, dtype, None, 0, read)
    told = _text_of(read)
    if isinstance(told, str):
        return SampledColumn(name, dtype, None, 0, told)
    texts = pl.DataFrame({"text": told.str.strip_chars()}).with_row_index("first").filter(pl.col("text") != "")
    distinct = texts.group_by("text").agg(pl.col("first").min())
    nothing = f"no values in the first {len(read):,} rows" if more else NO_VALUES
    reason = "" if len(texts) else nothing if len(read) else "no rows"
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
        whole = column.is_finite() & (column.abs() < _EXACT) & (column.floor() == column)
        integers = column.zip_with(whole.fill_null(value=False), pl.Series([None], dtype=dtype)).cast(pl.Int64)
        return integers.cast(pl.String).zip_with(whole.fill_null(value=False), column.cast(pl.String))
    if dtype.is_decimal():
        return column.cast(pl.String).str.replace(r"\.0+$", "")
    if dtype == pl.Duration:
        column = column.dt.total_microseconds()
    return column.cast(pl.String)
