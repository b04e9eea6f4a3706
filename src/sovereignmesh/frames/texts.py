"""Text that is meant as something else, in files that know no types: CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = ["WRITTEN", "reading"]

WRITTEN: Final = frozenset(("integer", "number", "boolean", "date", "time", "timestamp"))  # types that text may mean

_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")


def reading(column: str, kind: str) -> pl.Expr:
    """The column's text as a logical type, null where it is none: ISO 8601 for moments, a point in numbers.

    A moment without an offset is in UTC; 3.0 is an integer, as pandas writes one.
    """
    import polars as pl  # noqa: PLC0415 - an extra

    text = pl.col(column).str.strip_chars()
    readings = {
        "integer": lambda: text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False),
        "number": lambda: text.cast(pl.Float64, strict=False),
        "boolean": lambda: _boolean(text.str.to_lowercase()),
        "date": lambda: _dated(text).str.to_date("%Y-%m-%d", strict=False),
        "time": lambda: text.str.to_time("%H:%M:%S%.f", strict=False),
        "timestamp": lambda: _timestamp(_dated(text)),
    }
    return readings[kind]()


def _dated(text: pl.Expr) -> pl.Expr:
    """Text that begins with a day as ISO 8601 has it: parsers take 26-6-1 as well."""
    import polars as pl  # noqa: PLC0415

    return pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")).then(text)


def _boolean(text: pl.Expr) -> pl.Expr:
    import polars as pl  # noqa: PLC0415

    return pl.when(text == "true").then(statement=True).when(text == "false").then(statement=False)


def _timestamp(text: pl.Expr) -> pl.Expr:
    import polars as pl  # noqa: PLC0415

    zoned = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    plain = [text.str.to_datetime(form, time_unit="us", strict=False) for form in _MOMENTS]
    day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    return pl.coalesce(zoned, *(moment.dt.replace_time_zone("UTC") for moment in (*plain, day)))
