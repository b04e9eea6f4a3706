"""Files and folders on disk: Parquet, CSV, JSON lines, Delta. None is loaded whole, none is trusted to be regular."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.frames.data import Data, duplicates, refused
from sovereignmesh.frames.footer import Footers
from sovereignmesh.frames.kinds import columns_of
from sovereignmesh.frames.texts import WRITTEN
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

__all__ = ["SUFFIXES", "open_path"]

SUFFIXES: Final = {
    ".parquet": "Parquet", ".pq": "Parquet", ".csv": "CSV", ".tsv": "CSV", ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
}  # fmt: skip
_OF_JSON: Final = frozenset(("date", "time", "timestamp"))  # JSON has no word of its own for these
_NAMED: Final = 5
_CHUNK: Final = 16 * 1024 * 1024


def open_path(path: Path) -> Data:
    """The data in a file, or in all files of a folder, which are of one kind and have the same columns."""
    if not path.exists():
        raise refused(str(path), "there is no such file or folder")
    if path.is_dir() and (path / "_delta_log").is_dir():
        return _delta(path)
    files = _files(path)
    kinds = Counter(SUFFIXES.get(file.suffix.lower(), "") for file in files)
    odd = [file.name for file in files if file.suffix.lower() not in SUFFIXES]
    if odd:
        known = ", ".join(SUFFIXES)
        raise refused(
            str(path), f"no known kind of data: {printable(listed(odd, _NAMED))}; known are {known}, and Delta"
        )
    if len(kinds) > 1:
        raise refused(str(path), f"the folder mixes {' and '.join(sorted(kinds))}: give one of them")
    return {"Parquet": _parquet, "CSV": _csv, "JSON lines": _json_lines}[next(iter(kinds))](path, files)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(path.rglob("*"))
    if links := [one.name for one in found if one.is_symlink() and one.is_dir()]:
        raise refused(str(path), f"{printable(links[0])} is a link to a folder: give what it points to")
    files = [one for one in found if one.is_file() and not any(map(_hidden, one.relative_to(path).parts))]
    if not files:
        raise refused(str(path), "no file is in this folder")
    return files


def _hidden(part: str) -> bool:
    """Whether it is no data by convention; `_email=x` is a partition as any other."""
    return part.startswith(".") or (part.startswith("_") and "=" not in part)


def _partitioned(path: Path, files: list[Path]) -> bool:
    """Whether folders are values of columns, as in year=2026."""
    if path.is_file():
        return False
    return "=" in path.name or any("=" in part for file in files for part in file.relative_to(path).parts[:-1])


def _unpartitioned(path: Path, files: list[Path]) -> None:
    if _partitioned(path, files):
        raise refused(
            str(path), "folders named column=value are read of Parquet alone: what they say would not be seen"
        )


def _data(
    path: Path, frame: pl.LazyFrame, *, text: frozenset[str] = frozenset(), footers: Footers | None = None
) -> Data:
    import narwhals as nw  # noqa: PLC0415 - an extra

    lazy = nw.from_native(frame)
    return Data(lazy, str(path), columns_of(lazy), text=text, footers=footers)


def _parquet(path: Path, files: list[Path]) -> Data:
    import polars as pl  # noqa: PLC0415

    footers = Footers(files)
    _same(path, [(file, pl.read_parquet_schema(file)) for file in files])
    keys = {tuple(part.partition("=")[0] for part in file.parts if "=" in part) for file in files}
    if len(keys) > 1:
        raise refused(
            str(path), "its files are not in the same partitions (folders named column=value): give them apart"
        )
    return _data(path, pl.scan_parquet(files, hive_partitioning=_partitioned(path, files), glob=False), footers=footers)


def _delta(path: Path) -> Data:
    try:
        import deltalake  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise refused(str(path), "a Delta table needs the extra `lake`: pip install 'sovereignmesh[lake]'") from None
    import polars as pl  # noqa: PLC0415

    return _data(path, pl.scan_delta(str(path)))


def _csv(path: Path, files: list[Path]) -> Data:
    """All columns as text: what they are meant as, a schema says. A row that is too short or too long is an error."""
    import polars as pl  # noqa: PLC0415

    _unpartitioned(path, files)
    headers = [(file, _header(file)) for file in files]
    _same(path, [(file, dict.fromkeys(names)) for file, names in headers])
    for file, names in headers:
        if twice := duplicates(names):
            raise refused(str(file), f"two columns have the name {twice}: rename one, or nobody knows which is meant")
        _count_cells(file, names)
    frame = pl.scan_csv(files, infer_schema=False, separator=_separator(files[0]), low_memory=True, glob=False)
    return _data(path, frame, text=WRITTEN)


def _separator(file: Path) -> str:
    return "\t" if file.suffix.lower() == ".tsv" else ","


def _header(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            names = next(csv.reader(stream, delimiter=_separator(file)), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise refused(str(file), f"is no CSV in UTF-8: {error}") from None
    if not names:
        raise refused(str(file), "the file is empty: the first line must name the columns")
    if len(names) == 1 and ";" in names[0]:
        raise refused(str(file), "the cells are separated by ;: write it with commas, or with tabs as .tsv")
    if blank := [at + 1 for at, name in enumerate(names) if not name.strip()]:
        raise refused(str(file), f"column {blank[0]} has no name: the first line must name every column")
    return names


def _count_cells(file: Path, names: list[str]) -> None:
    """Reads the rows without keeping them: Polars fills short rows with nulls, which would pass for missing values."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as arrow_csv  # noqa: PLC0415

    parse = arrow_csv.ParseOptions(
        delimiter=_separator(file), newlines_in_values=True, ignore_empty_lines=len(names) == 1
    )
    convert = arrow_csv.ConvertOptions(include_columns=names[:1], column_types={names[0]: pa.string()})
    try:
        with arrow_csv.open_csv(
            file, arrow_csv.ReadOptions(block_size=_CHUNK), parse_options=parse, convert_options=convert
        ) as batches:
            for _ in batches:
                pass
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            # What Arrow says ends with what stands there.
            what = _odd_row(file, len(names)) or printable(str(error).partition(":")[0])
            raise refused(str(file), f"the rows are not all alike: {what}") from None


def _odd_row(file: Path, cells: int) -> str:
    """Where the first row is that has more or fewer cells than the header."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream, delimiter=_separator(file))
            for row in rows:
                if len(row) != cells:
                    return f"line {rows.line_num:,} has {len(row)} of {cells} cells"
    except (UnicodeDecodeError, csv.Error) as error:
        return f"no CSV in UTF-8: {type(error).__name__}"
    return ""


def _json_lines(path: Path, files: list[Path]) -> Data:
    """A key of any row is a column: every row is looked at, or a field that comes late would not be seen."""
    import polars as pl  # noqa: PLC0415

    _unpartitioned(path, files)
    if odd := [file.name for file in files if set("*?[") & set(str(file))]:
        raise refused(str(path), f"{printable(odd[0])} has a sign in its path that is read as a pattern: rename it")
    full = [file for file in files if file.stat().st_size]
    if not full:
        raise refused(str(path), "the file is empty: there are no rows, and so no columns")
    # Polars takes the first file's keys for those of all: each file tells its own.
    frames = [pl.scan_ndjson(file, infer_schema_length=None) for file in full]
    frame = pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0]
    data = _data(path, frame, text=_OF_JSON)
    texts = [name for name, column in data.columns.items() if column.kind == "string"]
    if not texts:
        return data
    # Where some rows have a text and others an object, Polars gives the objects as texts.
    looks = frame.select(pl.col(name).str.contains(r"^\s*[{\[]").any() for name in texts)
    (mixed,) = looks.collect(engine="streaming").iter_rows(named=True)
    columns = {
        name: replace(one, opaque="text with objects in it") if mixed.get(name) else one
        for name, one in data.columns.items()
    }
    return replace(data, columns=columns)


def _same(path: Path, columns: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    """Files that are read as one have the same columns, of the same types, also inside of structs."""
    first, wanted = columns[0]
    for file, others in columns[1:]:
        names = [*dict.fromkeys((*wanted, *others))]
        if odd := [name for name in names if name not in wanted or name not in others or wanted[name] != others[name]]:
            which = printable(listed(odd, _NAMED))
            raise refused(str(path), f"{file.name} and {first.name} differ in the columns {which}: give them apart")
