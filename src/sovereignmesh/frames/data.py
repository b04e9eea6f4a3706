"""What data is once it is open: a lazy frame, its columns, and what they hold."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import FrameError
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import narwhals as nw

    from sovereignmesh.frames.footer import Footers

__all__ = ["Column", "Data", "engine_errors"]

# The classes that engines raise where they cannot read or compute; only of those that are in use.
_ERRORS: Final = (
    ("polars.exceptions", "PolarsError"),
    ("narwhals.exceptions", "NarwhalsError"),
    ("duckdb", "Error"),
    ("pyarrow.lib", "ArrowException"),
    ("pyspark.errors", "PySparkException"),
    ("py4j.protocol", "Py4JError"),
    ("deltalake.exceptions", "DeltaError"),
    ("azure.core.exceptions", "AzureError"),
    ("polars._plr", "PanicException"),  # of a defect in Polars: a BaseException
)
_NAMED: Final = 5
_QUOTED: Final = re.compile(r"`[^`]*`|(?<=Conversion Error: ).*")
_PARSED: Final = "\0parsed"  # no name of a column has it


def engine_errors() -> tuple[type[BaseException], ...]:
    """The exceptions by which an engine in use says that it cannot read or compute."""
    modules = ((sys.modules.get(module), name) for module, name in _ERRORS)
    return (OSError, UnicodeDecodeError, *(getattr(module, name) for module, name in modules if hasattr(module, name)))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `kind` is its logical type in the words of ODCS, None where its values do not tell.

    `paths` are the fields nested in it, as in `contact.email`. A `mixed` one held Python objects of several types, and
    is read as their texts; of an `opaque` one, of this type, nobody can tell by names what is in it.
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

    `text` has the logical types that are written as text in files of its kind: `typed` reads columns as what they are
    meant to be, into columns beside them, whose names `parsed` has; `declared` are those of which it was told so.
    `footers` are those of Parquet files.
    """

    frame: nw.LazyFrame[Any]
    name: str
    columns: Mapping[str, Column]
    text: frozenset[str] = frozenset()
    footers: Footers | None = field(default=None, repr=False)
    kept: Any = field(default=None, repr=False)  # what must not go before the data does: a folder of its copy
    parsed: Mapping[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    def typed(self, kinds: Mapping[str, str]) -> Data:
        """The same with text read as these logical types beside; data that has types of its own stays as it is."""
        wanted = {
            name: kind
            for name, kind in kinds.items()
            if kind in self.text and name in self.columns and self.columns[name].kind == "string"
        }
        if not wanted:
            return replace(self, declared=frozenset(kinds))
        import narwhals as nw  # noqa: PLC0415 - an extra

        from sovereignmesh.frames.texts import reading  # noqa: PLC0415 - the engine, for files without types

        parsed = {name: f"{name}{_PARSED}" for name in wanted}
        read = {parsed[name]: reading(name, kind) for name, kind in wanted.items()}
        columns = {
            name: replace(column, kind=wanted[name], floating=wanted[name] == "number") if name in wanted else column
            for name, column in self.columns.items()
        }
        frame = nw.from_native(self.frame.to_native().with_columns(**read))
        return replace(self, frame=frame, columns=columns, parsed=parsed, declared=frozenset(kinds))

    def names(self) -> Iterator[tuple[str, str]]:
        """Every column and every field nested in one: the column that it is in, and its path."""
        for column in self.columns.values():
            yield column.name, column.name
            for path in column.paths:
                yield column.name, path

    def only(self, names: Sequence[str]) -> Data:
        """The same with these columns alone."""
        frame = self.frame.select(*names, *(self.parsed[name] for name in names if name in self.parsed))
        return replace(self, frame=frame, columns={name: self.columns[name] for name in names})

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
    """The first line of what an engine says, without the values that it quotes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable(_QUOTED.sub("...", (lines or [type(error).__name__])[0])[:300])


def refused(name: str, what: str) -> FrameError:
    return FrameError(f"{printable(name)}: {printable(what)}")


def duplicates(names: list[str]) -> str:
    """The names that come twice, "" for none."""
    twice = list(dict.fromkeys(name for name in names if names.count(name) > 1)) if len(set(names)) < len(names) else []
    return printable(listed(twice, _NAMED))
