"""Checks data against a contract, and says of each check how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.contracts.classified import SAMPLE, check_classifications
from sovereignmesh.contracts.examining import NO_ROWS, examine
from sovereignmesh.contracts.failing import Failing
from sovereignmesh.contracts.naming import check_names
from sovereignmesh.contracts.quality import percent
from sovereignmesh.contracts.result import CheckResult, ContractResult
from sovereignmesh.contracts.rules import MEDIUM
from sovereignmesh.mesh.products import RowCount
from sovereignmesh.result.text import listed, spoken, timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.contracts.examining import Examination
    from sovereignmesh.contracts.result import ContractCheck, ContractState
    from sovereignmesh.result.checks import Severity

__all__ = ["check_contract"]

_NAMED: Final = 6


def check_contract(
    data: Any, contract: DataContract, *, at: dt.datetime | None = None, sample: int = SAMPLE
) -> ContractResult:
    """Every check of the contract on the data; it raises for none, not even for one that could not be made.

    `data` is a frame of pandas, Polars, PyArrow, DuckDB or PySpark, a file or folder, or an address. `at` is the moment
    at which ages are measured (default: now); `sample` rows are classified, where the contract speaks of that. Raises
    FrameError where the data cannot be opened.
    """
    seen = examine(data, contract, at)
    checks = [*check_names(seen.data, contract), _row_count(seen), *_uniqueness(seen), *_values(seen)]
    checks += [
        *_figures(seen, contract),
        *_freshness(seen, contract),
        *check_classifications(seen.data, contract, sample),
    ]
    return ContractResult(
        contract=contract,
        data=seen.data.name,
        at=seen.at,
        rows=seen.rows,
        fields=tuple(seen.data.columns),
        checks=tuple(checks),
        quality=seen.quality,
        _failing=Failing(seen.data, contract, tuple(seen.rules)),
    )


def _row_count(seen: Examination) -> CheckResult:
    """Whether there are as many rows as promised. No rows prove nothing, unless none are allowed explicitly."""
    wanted = seen.schema.row_count or RowCount()
    least, most = wanted.minimum, wanted.maximum
    bounds = [f"at least {least:,}"] if least is not None else []
    bounds += [f"at most {most:,}"] if most is not None else []
    expected = ", ".join(bounds) or "at least one, or nothing is proven"
    rows = seen.rows
    if rows is None or seen.failed:
        return CheckResult("row-count", "unknown", MEDIUM, expected=expected, reason=seen.failed)
    if (least is not None and rows < least) or (most is not None and rows > most):
        return CheckResult("row-count", "non-compliant", MEDIUM, expected=expected, observed=f"{rows:,}")
    if rows == 0 and least != 0 and most != 0:
        return CheckResult("row-count", "unknown", MEDIUM, expected=expected, observed="0", reason=NO_ROWS)
    return CheckResult("row-count", "compliant", MEDIUM, expected=expected, observed=f"{rows:,}")


class _Asked(NamedTuple):
    """What a check of rows is of."""

    check: ContractCheck
    field: str
    severity: Severity
    expected: str


def _uniqueness(seen: Examination) -> Iterator[CheckResult]:
    for name in seen.unique:
        severity = next((one.severity for one in seen.schema.fields if one.name == name), None)
        asked = _Asked("unique", name, severity or MEDIUM, "no value twice")
        yield _counted(seen, asked, _repeated(seen, name), "repeated", _not_told(seen, name))
    if seen.key:
        missing = [seen.count(f"missing {name}") for name in seen.key]
        incomplete = missing[0] if len(seen.key) == 1 else seen.count("incomplete")
        repeated = _repeated(seen, seen.key[0]) if len(seen.key) == 1 else seen.count("key")
        broken = None if repeated is None or incomplete is None else repeated + incomplete
        why = _not_told(seen, seen.key[0]) if len(seen.key) == 1 else ""
        asked = _Asked("primary-key", ", ".join(seen.key), "high", "a value in every row, and none twice")
        yield _counted(seen, asked, broken, "missing or repeated", why)


def _repeated(seen: Examination, name: str) -> int | None:
    """How many values are there again; the missing ones are one of the distinct."""
    distinct, missing = seen.count(f"distinct {name}"), seen.count(f"missing {name}")
    if distinct is None or missing is None or seen.rows is None:
        return None
    return seen.rows - missing - (distinct - (missing > 0))


def _not_told(seen: Examination, name: str) -> str:
    kind = seen.data.columns[name].kind
    return f"values of '{name}' are each an {kind}: these are not compared" if kind in ("object", "array") else ""


def _values(seen: Examination) -> Iterator[CheckResult]:
    for at, rule in enumerate(seen.rules):
        broken = None if rule.undecided else seen.count(f"rule {at}")
        asked = _Asked(rule.check, rule.field, rule.severity, rule.expected)
        yield _counted(seen, asked, broken, "breaking it", rule.undecided)


def _counted(seen: Examination, asked: _Asked, broken: int | None, what: str, why: str) -> CheckResult:
    """A check that some rows break; `why` nobody can tell how many."""
    if broken is None or not seen.rows:
        reason = why or seen.failed or NO_ROWS
        fine = seen.rows == 0 and _none_is_fine(seen) and not why
        return CheckResult(
            asked.check,
            "compliant" if fine else "unknown",
            asked.severity,
            asked.field,
            asked.expected,
            reason=reason,
            broken=broken,
        )
    observed = f"{broken:,} of {seen.rows:,} rows {what}" if broken else f"{seen.rows:,} rows"
    state: ContractState = "non-compliant" if broken else "compliant"
    return CheckResult(asked.check, state, asked.severity, asked.field, asked.expected, observed, broken=broken)


def _none_is_fine(seen: Examination) -> bool:
    """Whether no rows are allowed explicitly: then no row breaks anything."""
    return seen.schema.row_count is not None and 0 in (seen.schema.row_count.minimum, seen.schema.row_count.maximum)


def _figures(seen: Examination, contract: DataContract) -> Iterator[CheckResult]:
    """The promised percentages. The figures are compared as they are; what is shown is cut to two decimals."""
    quality = seen.quality
    promised: dict[ContractCheck, float | None] = {
        "completeness": contract.min_completeness,
        "accuracy": contract.min_accuracy,
        "timeliness": contract.min_timeliness,
    }
    for check, least in promised.items():
        if least is None:
            continue
        value = getattr(quality, check)
        state: ContractState = "unknown" if value is None else "compliant" if value >= least else "non-compliant"
        observed = "" if value is None else percent(value)
        if check == "completeness" and state == "non-compliant":
            observed += _worst(seen)
        reason = quality.reasons.get(check, "")
        yield CheckResult(check, state, MEDIUM, "", f"at least {percent(least)}", observed, reason)


def _worst(seen: Examination) -> str:
    shares = sorted((share, name) for name, share in seen.quality.fields.items() if share is not None and share < 100)  # noqa: PLR2004
    words = [f"{name} {percent(share)}" for share, name in shares]
    return f": {listed(words, _NAMED)}" if words else ""


def _freshness(seen: Examination, contract: DataContract) -> Iterator[CheckResult]:
    """Whether the newest row is young enough. A row of tomorrow is no proof of today's."""
    oldest = contract.max_age
    if oldest is None:
        return
    column = seen.schema.timestamp_column or ""
    expected = f"newest row younger than {spoken(oldest)} at {timestamp(seen.at)}"
    reason = seen.quality.reasons.get("timeliness", "")
    latest = seen.latest
    if latest is None:
        reason = reason or f"every value of '{column}' is missing"
        yield CheckResult("freshness", "unknown", MEDIUM, column, expected, reason=reason)
        return
    state: ContractState
    if latest > seen.at:
        observed, state = f"{timestamp(latest)}, which is in the future", "non-compliant"
    else:
        observed = timestamp(latest)
        state = "compliant" if seen.at - latest < oldest else "non-compliant"
    yield CheckResult("freshness", state, MEDIUM, column, expected, observed)
