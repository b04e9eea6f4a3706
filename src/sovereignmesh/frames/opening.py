"""Opens whatever a user has: a frame of a library, a path, an address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sovereignmesh.errors import FrameError
from sovereignmesh.frames.data import Data, duplicates, engine_errors, refused, said

__all__ = ["open_data"]

_EXTRA: Final = "frames need the extra `frames`: pip install 'sovereignmesh[frames]'"


def open_data(data: Any) -> Data:
    """The data, lazily: a frame of pandas, Polars, PyArrow, DuckDB or PySpark, a file or folder, or an address.

    Files are Parquet, CSV and JSON lines; folders hold files of one kind, or a Delta table; addresses are `abfss://` of
    a lake, and `mssql://SERVER/DATABASE/SCHEMA.TABLE` of Azure SQL or Fabric. Raises FrameError where it cannot be
    opened: nothing there, no columns, two of one name, a file that is broken.
    """
    if isinstance(data, Data):
        return data
    try:
        import narwhals  # noqa: F401, PLC0415 - an extra
        import polars  # noqa: F401, ICN001, PLC0415
    except ImportError as error:
        raise FrameError(f"{_EXTRA} ({error})") from None
    try:
        opened = _open(data)
    except engine_errors() as error:
        name = str(data) if isinstance(data, str | os.PathLike) else type(data).__name__
        raise refused(name, f"cannot be read: {said(error)}") from error
    if not opened.columns:
        raise refused(opened.name, "it has no columns: there is nothing to look at")
    return opened


def _open(data: Any) -> Data:
    if isinstance(data, str) and not data:
        raise FrameError("no data is named: give a path or an address")
    if isinstance(data, str) and "://" in data:
        from sovereignmesh.frames.remote import open_address  # noqa: PLC0415 - other extras

        return open_address(data)
    if isinstance(data, str | os.PathLike):
        from sovereignmesh.frames.files import open_path  # noqa: PLC0415

        return open_path(Path(data))
    return _of_frame(data)


def _of_frame(data: Any) -> Data:
    import narwhals as nw  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    from sovereignmesh.frames.kinds import columns_of  # noqa: PLC0415
    from sovereignmesh.frames.pandas_frames import names_of, read_pandas  # noqa: PLC0415

    module = type(data).__module__.partition(".")[0]
    name = f"the {module} frame"
    objects: dict[str, str] = {}
    if module == "pandas" and hasattr(data, "columns"):
        _check_names(name, names_of(data))
        data, objects = read_pandas(data)
    elif type(data).__name__ in ("Table", "RecordBatch") and module == "pyarrow":
        _check_names(name, data.schema.names)
        data = pl.from_arrow(data)
    try:
        frame = nw.from_native(data)
    except TypeError:
        kinds = "a frame of pandas, Polars, PyArrow, DuckDB or PySpark, a path or an address"
        raise FrameError(f"found {type(data).__name__}, wants {kinds}") from None
    if not isinstance(frame, nw.LazyFrame):
        frame = frame.lazy("polars")
    _check_names(name, frame.collect_schema().names())
    return Data(frame, name, columns_of(frame, objects))


def _check_names(name: str, names: list[str]) -> None:
    if twice := duplicates(names):
        raise refused(name, f"two columns have the name {twice}: rename one, or nobody knows which is meant")
