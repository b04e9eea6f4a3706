"""Writes an audit as JSON, CSV and Markdown, finding by finding: a million of them need no more memory than one."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from sovereignmesh.errors import ReportError
from sovereignmesh.report.markdown import write_markdown
from sovereignmesh.result import Finding, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.result import Audit

__all__ = ["SUFFIXES", "write_csv", "write_json", "write_markdown", "write_report"]

_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # and their full-width forms


def write_json(audit: Audit, stream: TextIO) -> None:
    """The JSON contract, one finding a line. All in ASCII: nothing in it can move a terminal's cursor."""
    head = json.dumps(audit.head(), indent=1)
    stream.write(head.removesuffix("\n}") + ',\n "findings": [')
    separator = "\n  "
    for finding in audit.findings:
        stream.write(separator + json.dumps(finding.as_dict()))
        separator = ",\n  "
    stream.write("\n ]\n}\n")


def write_csv(audit: Audit, stream: TextIO) -> None:
    """The findings as a table for a spreadsheet: a cell that would be a formula there begins with an apostrophe."""
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)  # a comma is not everybody's separator
    columns = [*Finding.COLUMNS, "controls", "waiver_reason", "waiver_owner", "waiver_expires"]
    writer.writerow(columns)
    for finding in audit.findings:
        row = finding.as_dict()
        waiver = row.pop("waiver") or {}
        row["controls"] = "; ".join(finding.controls)
        row |= {f"waiver_{key}": waiver.get(key, "") for key in ("reason", "owner", "expires")}
        writer.writerow([_cell(row[column]) for column in columns])


def _cell(value: object) -> str:
    text = printable(str(value).lower() if isinstance(value, bool) else str(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


_WRITERS: Final[dict[str, Callable[[Audit, TextIO], None]]] = {
    ".json": write_json,
    ".csv": write_csv,
    ".md": write_markdown,
}
SUFFIXES: Final = tuple(_WRITERS)


def write_report(audit: Audit, path: Path) -> None:
    """Writes the audit to `path` in the form that its suffix names; the file appears whole or not at all.

    Raises ReportError where it cannot be written, ValueError for a suffix that is not in SUFFIXES.
    """
    if path.suffix not in _WRITERS:
        raise ValueError(f"{path}: a report is written by suffix; known: {', '.join(SUFFIXES)}")
    try:
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".sovereignmesh-")
        try:
            with open(handle, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 - a handle
                _WRITERS[path.suffix](audit, stream)
            os.chmod(unfinished, 0o666 & ~_umask())  # noqa: PTH101 - mkstemp gives it to its owner alone
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ReportError(f"{path}: the report cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
