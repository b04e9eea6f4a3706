"""What data is once it is open: a lazy frame, its columns, and what they hold."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import FrameError
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import narwhals as nw

    from sovereignmesh.frames.footer import Footers

__all__ = ["Column", "Data", "engine_errors"]

# The classes that engines raise where they cannot read or compute; only of those that are in use.
_ERRORS: Final = {
    "polars.exceptions": "PolarsError",
    "narwhals.exceptions": "NarwhalsError",
    "duckdb": "Error",
    "pyarrow.lib": "ArrowException",
    "pyspark.errors": "PySparkException",
    "py4j.protocol": "Py4JError",
    "deltalake.exceptions": "DeltaError",
}
_NAMED: Final = 5
_UNREAD: Final = "\0unread"  # no name of a column has it: a value that is there, and not of the type


def engine_errors() -> tuple[type[Exception], ...]:
    """The exceptions by which an engine in use says that it cannot read or compute."""
    modules = ((sys.modules.get(module), name) for module, name in _ERRORS.items())
    return (OSError, *(getattr(module, name) for module, name in modules if hasattr(module, name)))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `kind` is its logical type in the words of ODCS, None where its values do not tell.

    `paths` are the fields nested in it, as in `contact.email`. A `mixed` one held Python objects of several types, and
    is read as their texts; an `opaque` one held objects of this type, whose texts say nothing of what is in them.
    """

    name: str
    dtype: str
    kind: str | None
    floating: bool = False
    mixed: bool = False
    opaque: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Data that is open: nothing but its columns has been read.

    `text` says that it is a file without types, all of whose columns are text: `typed` reads them as what they are
    meant to be. `footers` are those of Parquet files, if it is such.
    """

    frame: nw.LazyFrame[Any]
    name: str
    columns: Mapping[str, Column]
    text: bool = False
    footers: Footers | None = field(default=None, repr=False)
    kept: Any = field(default=None, repr=False)  # what must not go before the data does: a folder of its copy

    def typed(self, kinds: Mapping[str, str]) -> Data:
        """The same with text read as these logical types; what cannot be is null, and `unread` says where.

        Data that has types of its own stays as it is.
        """
        from sovereignmesh.frames.texts import reading  # noqa: PLC0415 - the engine, for files without types

        wanted = {name: kind for name, kind in kinds.items() if self.text and name in self.columns and kind != "string"}
        if not wanted:
            return self
        native = self.frame.to_native()
        read = {name: reading(name, kind) for name, kind in wanted.items()}
        marks = {f"{name}{_UNREAD}": expression.is_null() for name, expression in read.items()}
        import narwhals as nw  # noqa: PLC0415
        import polars as pl  # noqa: PLC0415

        marks = {f"{name}{_UNREAD}": pl.col(name).is_not_null() & read[name].is_null() for name in wanted}
        floats = {name for name, kind in wanted.items() if kind == "number"}
        columns = {
            name: replace(column, kind=wanted.get(name, column.kind), floating=name in floats)
            for name, column in self.columns.items()
        }
        frame = nw.from_native(native.with_columns(**marks).with_columns(**read))
        return replace(self, frame=frame, columns=columns)

    def unread(self, name: str) -> nw.Expr | None:
        """Where a text is not of the type that `typed` read it as; None where it was not asked to."""
        import narwhals as nw  # noqa: PLC0415

        mark = f"{name}{_UNREAD}"
        return nw.col(mark) if self.text and mark in self.frame.collect_schema() else None

    def names(self) -> Iterator[str]:
        """Every column, and every field nested in one."""
        for column in self.columns.values():
            yield column.name
            yield from column.paths

    def fetch(self, frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
        """What a query on the frame answers, in memory. Raises FrameError in the engine's own words."""
        try:
            native = frame.to_native()
            if type(native).__module__.startswith("polars"):
                return frame.collect("polars", engine="streaming")
            return frame.collect("polars" if "pyspark" not in type(native).__module__ else "pyarrow")
        except engine_errors() as error:
            raise FrameError(f"{self.name}: {said(error)}") from error


def said(error: BaseException) -> str:
    """The first sentence of what an engine says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable((lines or [type(error).__name__])[0][:300])


def refused(name: str, what: str) -> FrameError:
    return FrameError(f"{printable(name)}: {what}")


def duplicates(names: list[str]) -> str:
    """The names that come twice, "" for none."""
    twice = list(dict.fromkeys(name for name in names if names.count(name) > 1)) if len(set(names)) < len(names) else []
    return printable(listed(twice, _NAMED))
