"""What a consumer may see of data, and nothing else, in a file of its own."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.classified import check_classifications
from sovereignmesh.contracts.naming import excluded_names
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
    if path.exists() and not overwrite:
        raise FrameError(f"{printable(str(path))} is there already: nothing was written")
    opened = open_data(data)
    fields = _given(opened, contract)
    _write(opened, fields, path)
    left_out = tuple(name for name in opened.columns if name not in fields)
    absent = tuple(name for name in contract.allowed_fields if name not in opened.columns)
    return Projection(path, fields, left_out, absent)


def _given(data: Data, contract: DataContract) -> tuple[str, ...]:
    """The fields that the contract gives and that are there; raises ContractError where it cannot give them."""
    schema = contract.data_schema
    wanted = {*schema.primary_key, *(field.name for field in schema.fields if field.required)}
    if missing := [name for name in contract.allowed_fields if name in wanted and name not in data.columns]:
        raise ContractError(printable(f"required and not there: {listed(missing, _NAMED)}: nothing was written"))
    fields = tuple(name for name in contract.allowed_fields if name in data.columns)
    if not fields:
        raise ContractError("none of the contract's fields is there: nothing was written")
    inside = [name for name in excluded_names(data, contract) if name.partition(".")[0] in fields or name in fields]
    if inside:
        words = f"excluded, and in what the contract gives: {listed(inside, _NAMED)}"
        raise ContractError(printable(f"{words}: nothing was written; take it out of the data"))
    for check in check_classifications(data, contract):
        if check.state != "compliant" and set(check.names or fields) & set(fields):
            words = f"{check.check}, {check.observed or check.reason}"
            raise ContractError(printable(f"what it excludes may be in the data: {words}: nothing was written"))
    return fields


def _write(data: Data, fields: tuple[str, ...], path: Path) -> None:
    """Row group by row group, into a file beside the wanted one that takes its place in the end."""
    native = data.frame.select(*fields).to_native()
    if not type(native).__module__.startswith("polars"):
        native = data.fetch(data.frame.select(*fields)).to_native().lazy()
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
