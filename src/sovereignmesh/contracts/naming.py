"""What a contract says of names: which fields may be there, which must, and of which type they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sovereignmesh.contracts.result import CheckResult
from sovereignmesh.contracts.rules import MEDIUM
from sovereignmesh.patterns import resembles
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.frames import Column, Data
    from sovereignmesh.result.checks import Severity

__all__ = ["check_names", "excluded_names"]

_NAMED: Final = 12
_AS: Final = {("integer", "number")}  # what a column may be besides what is wanted


def check_names(data: Data, contract: DataContract) -> Iterator[CheckResult]:
    """Every check that the columns alone decide."""
    unauthorised = tuple(name for name in data.columns if name not in contract.allowed_fields)
    yield _of_names("allowed-fields", unauthorised, f"only {listed(contract.allowed_fields, _NAMED)}")
    if contract.excluded_fields:
        words = f"none of {listed(contract.excluded_fields, _NAMED)}"
        words += ", nor a name like it" if contract.exclude_similar else ""
        yield _of_names("excluded-fields", tuple(excluded_names(data, contract)), words)
    schema = contract.data_schema
    wanted = [field.name for field in schema.fields if field.required or field.unique]
    wanted += [*schema.primary_key, *([schema.timestamp_column] if schema.timestamp_column else [])]
    wanted = [name for name in dict.fromkeys(wanted) if name in contract.allowed_fields]
    if wanted:
        absent = tuple(name for name in wanted if name not in data.columns)
        yield _of_names("present-fields", absent, listed(wanted, _NAMED), "not there: ")
    for field in schema.fields:
        if field.type and field.name in data.columns and not data.text:
            yield _type(data.columns[field.name], field.type, field.severity or MEDIUM)


def excluded_names(data: Data, contract: DataContract) -> list[str]:
    """The columns, and the fields nested in them, that are excluded: by name, or by one like it if that is wished."""
    wanted = contract.excluded_fields
    if contract.exclude_similar:
        return [name for name in data.names() if any(resembles(name, excluded) for excluded in wanted)]
    return [name for name in data.names() if name in wanted or name.rpartition(".")[2] in wanted]


def _of_names(check: str, names: tuple[str, ...], expected: str, before: str = "") -> CheckResult:
    return CheckResult(
        check,  # type: ignore[arg-type]  # one of three literals
        "non-compliant" if names else "compliant",
        "high" if check != "present-fields" else MEDIUM,
        expected=printable(expected),
        observed=printable(before + listed(names, _NAMED)) if names else "",
        names=names,
    )


def _type(column: Column, wanted: str, severity: Severity) -> CheckResult:
    if column.mixed:
        return CheckResult("type", "non-compliant", severity, column.name, wanted, "objects of several types")
    if column.kind is None:
        reason = f"{column.dtype} is no type that tells what its values are"
        return CheckResult("type", "unknown", severity, column.name, wanted, reason=reason)
    right = column.kind == wanted or (column.kind, wanted) in _AS
    observed = f"{column.kind} ({column.dtype})"
    return CheckResult("type", "compliant" if right else "non-compliant", severity, column.name, wanted, observed)
