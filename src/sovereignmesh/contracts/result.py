"""What a check of data against a contract found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh.contracts.quality import Quality  # noqa: TC001 - a field of a dataclass
from sovereignmesh.result.notebook import table_html
from sovereignmesh.result.text import printable, timestamp

if TYPE_CHECKING:
    import datetime as dt

    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.contracts.failing import Failing
    from sovereignmesh.result.checks import Severity

__all__ = ["CONTRACT_CHECKS", "CheckResult", "ContractCheck", "ContractResult", "ContractState"]

ContractCheck = Literal[
    "allowed-fields", "excluded-fields", "excluded-classifications", "allowed-classifications", "present-fields",
    "type", "row-count", "primary-key", "unique", "required", "pattern", "allowed-values", "range", "validity-rule",
    "completeness", "accuracy", "timeliness", "freshness",
]  # fmt: skip
# What is in the data; the others are of how good it is.
CONTRACT_CHECKS: Final[frozenset[str]] = frozenset(
    (
        "allowed-fields",
        "excluded-fields",
        "excluded-classifications",
        "allowed-classifications",
        "present-fields",
        "type",
    )
)
ContractState = Literal["compliant", "non-compliant", "unknown"]
_COLOURS: Final = {"ok": "#2e7d32", "FAIL": "#c62828", "unknown": "#7b1fa2"}
_SHOWN: Final = {"compliant": "ok", "non-compliant": "FAIL", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one field, or of all ("" as `field`).

    `state` is compliant, non-compliant or unknown, which is no pass; `reason` says why it is unknown. `broken` counts
    the rows that break it, None where it is not about rows.
    """

    check: ContractCheck
    state: ContractState
    severity: Severity
    field: str = ""
    expected: str = ""
    observed: str = ""
    reason: str = ""
    broken: int | None = None
    names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The check as plain data."""
        return {
            "check": self.check,
            "state": self.state,
            "severity": self.severity,
            "field": self.field,
            "expected": self.expected,
            "observed": self.observed,
            "reason": self.reason,
            "broken": self.broken,
            "names": list(self.names),
        }


@dataclass(frozen=True, slots=True, repr=False)
class ContractResult:
    """Every check of a contract on data. `ok` is true where all are compliant: what is unknown is not.

    `rows` is None where they could not be counted; `at` is the moment that ages are measured at.
    """

    contract: DataContract = field(repr=False)
    data: str
    at: dt.datetime
    rows: int | None
    fields: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    quality: Quality | None = None
    _failing: Failing | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether every check is compliant."""
        return all(check.state == "compliant" for check in self.checks)

    @property
    def complete(self) -> bool:
        """Whether every check could be made."""
        return not self.unknown

    @property
    def violations(self) -> tuple[CheckResult, ...]:
        """The checks that are not compliant."""
        return tuple(check for check in self.checks if check.state == "non-compliant")

    @property
    def unknown(self) -> tuple[CheckResult, ...]:
        """The checks that could not be made."""
        return tuple(check for check in self.checks if check.state == "unknown")

    def failing_rows(self, limit: int = 10) -> list[dict[str, Any]]:
        """Rows that break a rule on values, at most `limit`: each as `row`, its values, and `broken`, the rules.

        Values of fields that are excluded, not allowed, personal or not to be looked into are masked.
        Reads the data again, and raises FrameError where that fails. Empty where no rule is on values.
        """
        return self._failing.rows(limit) if self._failing is not None and limit > 0 else []

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, in the shape of `sovereignmesh schema contract`."""
        return {
            "schema": "sovereignmesh.contract/v1",
            "product": self.contract.product,
            "consumer": self.contract.consumer,
            "purpose": self.contract.purpose,
            "data": self.data,
            "at": timestamp(self.at),
            "ok": self.ok,
            "complete": self.complete,
            "rows": self.rows,
            "fields": list(self.fields),
            "quality": self.quality.to_dict() if self.quality else None,
            "checks": [check.to_dict() for check in self.checks],
        }

    def to_pandas(self) -> Any:
        """A pandas DataFrame with a row for each check."""
        import pandas as pd  # noqa: PLC0415 - an extra

        return pd.DataFrame([check.to_dict() for check in self.checks])

    def __repr__(self) -> str:
        return f"<ContractResult of {self.title}>"

    def __str__(self) -> str:
        wrong = [*self.violations, *self.unknown]
        lines = [f"{_SHOWN[one.state]} {one.check} {one.field}: {one.observed or one.reason}" for one in wrong]
        return "\n".join(map(printable, [self.title, *lines]))

    @property
    def title(self) -> str:
        """The contract and how it stands, in words."""
        told = [f"{len(self.violations)} of {len(self.checks)} checks fail"] if self.violations else []
        told += [f"{len(self.unknown)} unknown"] if self.unknown else []
        told += [f"{len(self.checks)} checks"] if not told else []
        return f"{self.contract.title}: {'ok' if self.ok else 'NOT OK'}, {', '.join((*told, self.told_rows))}"

    def _repr_html_(self) -> str:
        rows = [
            (_SHOWN[one.state], one.check, one.field, one.severity, one.expected, one.observed or one.reason)
            for one in sorted(self.checks, key=lambda one: (one.state == "compliant", one.state == "unknown"))
        ]
        return table_html(
            self.title, ("", "check", "field", "severity", "expected", "observed"), rows, colours=_COLOURS
        )

    @property
    def told_rows(self) -> str:
        """How many rows there are, in words."""
        return "rows not counted" if self.rows is None else f"{self.rows:,} row{'s' * (self.rows != 1)}"
