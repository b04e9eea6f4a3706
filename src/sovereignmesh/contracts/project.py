"""What a consumer may see of data, and nothing else, in a file of its own."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.classified import check_classifications
from sovereignmesh.contracts.expressions import Words
from sovereignmesh.contracts.naming import excluded_names
from sovereignmesh.contracts.rules import kinds_of
from sovereignmesh.errors import ContractError, FrameError
from sovereignmesh.frames import open_data
from sovereignmesh.frames.data import engine_errors, said
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.frames import Data

__all__ = ["Projection", "project_contract"]

_NAMED: Final = 8
_SUFFIXES: Final = (".parquet", ".csv", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Projection:
    """What was written: the fields that the contract gives, what it left out, and what it gives and was not there."""

    path: Path
    fields: tuple[str, ...]
    left_out: tuple[str, ...]
    absent: tuple[str, ...]


def project_contract(
    data: Any, contract: DataContract, output: str | os.PathLike[str], *, overwrite: bool = False
) -> Projection:
    """Writes what the consumer may see into `output` (.parquet, .csv, .jsonl), and gives back what that is.

    Nothing is written where a required field is missing, where something excluded is nested in a field, or where the
    contract excludes what it finds in one (ContractError); where the data cannot be read, or `output` is there already
    and is not to be overwritten (FrameError). The file is complete or not there. Quality is `check_contract`'s.
    """
    path = Path(output)
    if path.suffix.lower() not in _SUFFIXES:
        raise FrameError(f"{printable(str(path))}: wants a name that ends with {listed(_SUFFIXES, _NAMED)}")
    if os.path.lexists(path) and not overwrite:
        raise FrameError(f"{printable(str(path))} is there already: nothing was written")
    opened = open_data(data)
    if isinstance(data, str | os.PathLike) and path.exists() and path.samefile(data):
        raise FrameError(f"{printable(str(path))} is the data itself: give another name")
    fields = _given(opened, contract)
    _write(_as_meant(opened, contract, path), fields, path)
    left_out = tuple(name for name in opened.columns if name not in fields)
    absent = tuple(name for name in contract.allowed_fields if name not in opened.columns)
    return Projection(path, fields, left_out, absent)


def _given(data: Data, contract: DataContract) -> tuple[str, ...]:
    """The fields that the contract gives and that are there; raises ContractError where it cannot give them."""
    schema = contract.data_schema
    wanted = {
        *contract.required_fields,
        *schema.primary_key,
        *(field.name for field in schema.fields if field.required),
    }
    if missing := [name for name in contract.allowed_fields if name in wanted and name not in data.columns]:
        raise ContractError(printable(f"required and not there: {listed(missing, _NAMED)}: nothing was written"))
    fields = tuple(name for name in contract.allowed_fields if name in data.columns)
    if not fields:
        raise ContractError("none of the contract's fields is there: nothing was written")
    hidden = [name for name in fields if data.columns[name].opaque and contract.excluded_fields]
    if hidden:
        words = f"nobody can tell what is in {listed(hidden, _NAMED)}, whose inside has no names"
        raise ContractError(printable(f"{words}: nothing was written"))
    inside = [path for path, column in excluded_names(data, contract).items() if column in fields]
    if inside:
        words = f"excluded, and in what the contract gives: {listed(inside, _NAMED)}"
        raise ContractError(printable(f"{words}: nothing was written; take it out of the data"))
    for check in check_classifications(data.only(fields), contract):
        if check.state != "compliant":
            words = f"{check.check}, {check.observed or check.reason}"
            raise ContractError(printable(f"what it excludes may be in the data: {words}: nothing was written"))
    return fields


def _as_meant(data: Data, contract: DataContract, path: Path) -> Data:
    """Text as what the schema says that it is, for a file that knows types; nothing is lost by it."""
    if not data.text or path.suffix.lower() == ".csv":
        return data
    typed = data.typed(kinds_of(contract.data_schema))
    names = [name for name in typed.parsed if name in contract.allowed_fields]
    words = Words(typed)
    if names:
        import narwhals as nw  # noqa: PLC0415 - an extra

        marks = {f"u{at}": words.unread(name) for at, name in enumerate(names)}
        unread = typed.fetch(typed.frame.select(**marks).select(nw.all().any()))
        if odd := [name for name, some in zip(names, unread.row(0), strict=True) if some]:
            what = ", ".join(f"{name} is not always {typed.columns[name].kind}" for name in odd[:_NAMED])
            raise ContractError(printable(f"{what}: nothing was written; a .csv would have the text as it is"))
    return typed


def _write(data: Data, fields: tuple[str, ...], path: Path) -> None:
    """Into a file beside the wanted one, which takes its place in the end."""
    import narwhals as nw  # noqa: PLC0415 - an extra

    chosen = data.frame.select(**{f"f{at}": nw.col(data.parsed.get(name, name)) for at, name in enumerate(fields)})
    frame = chosen.rename({f"f{at}": name for at, name in enumerate(fields)})
    native = frame.to_native()
    if not type(native).__module__.startswith("polars"):
        native = data.fetch(frame).to_polars().lazy()  # DuckDB and Spark hand over what was asked for as a whole
    sink = {".parquet": native.sink_parquet, ".csv": native.sink_csv}.get(path.suffix.lower(), native.sink_ndjson)
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise FrameError(f"{printable(str(path))} cannot be written: {error.strerror}") from error
    try:
        sink(beside)
        Path(beside).chmod(0o666 & ~_umask())
        Path(beside).replace(path)
    except engine_errors() as error:
        raise FrameError(f"{printable(str(path))} cannot be written: {said(error)}") from error
    finally:
        Path(beside).unlink(missing_ok=True)


def _umask() -> int:
    """What the user's new files are not allowed; a temporary one is allowed less."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
