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
    from sovereignmesh.contracts.result import ContractCheck
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
        yield _excluded(data, contract, words)
    schema = contract.data_schema
    wanted = [*contract.required_fields, *(field.name for field in schema.fields if field.required or field.unique)]
    wanted += [*schema.primary_key, *([schema.timestamp_column] if schema.timestamp_column else [])]
    wanted = [name for name in dict.fromkeys(wanted) if name in contract.allowed_fields]
    if wanted:
        absent = tuple(name for name in wanted if name not in data.columns)
        yield _of_names("present-fields", absent, listed(wanted, _NAMED), "not there: ")
    for field in schema.fields:
        if field.type and field.name in data.columns and field.name not in data.parsed:
            yield _type(data.columns[field.name], field.type, field.severity or MEDIUM)


def excluded_names(data: Data, contract: DataContract) -> dict[str, str]:
    """What is excluded by its name, or by one like it if that is wished: the columns, and fields nested in them.

    By path, the column that it is in.
    """
    wanted = {name.casefold() for name in contract.excluded_fields}
    found: dict[str, str] = {}
    for column, path in data.names():
        whole = f".{path.casefold()}"
        if any(whole.endswith(f".{name}") for name in wanted) or (
            contract.exclude_similar and any(resembles(path, name) for name in contract.excluded_fields)
        ):
            found[path] = column
    return found


def _excluded(data: Data, contract: DataContract, words: str) -> CheckResult:
    """Not compliant for what is found; unknown where a column has an inside without names."""
    found = tuple(excluded_names(data, contract))
    hidden = [f"{one.name} is {one.opaque}" for one in data.columns.values() if one.opaque]
    if found or not hidden:
        return _of_names("excluded-fields", found, words)
    reason = f"{listed(hidden, _NAMED)}: what is in it has no names to look at"
    return CheckResult("excluded-fields", "unknown", "high", expected=printable(words), reason=printable(reason))


def _of_names(check: ContractCheck, names: tuple[str, ...], expected: str, before: str = "") -> CheckResult:
    return CheckResult(
        check,
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
