"""The validator of the data mesh pattern: true, or an exception that says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.checking import check_contract
from sovereignmesh.contracts.examining import measure_quality
from sovereignmesh.contracts.result import CONTRACT_CHECKS
from sovereignmesh.errors import DataContractViolation, DataQualityViolation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.contracts.quality import Quality
    from sovereignmesh.contracts.result import CheckResult

__all__ = ["DataContractValidator"]

_NAMED: Final = 20
_WORDS: Final = {
    "allowed-fields": "Unauthorized fields",
    "excluded-fields": "PII fields included",
    "present-fields": "Required fields missing",
    "completeness": "Completeness below threshold",
    "accuracy": "Accuracy below threshold",
    "timeliness": "Timeliness below threshold",
}


class DataContractValidator:
    """Holds data to contracts; what was found is in the exception, as its `result`."""

    def validate_output(self, data: Any, contract: DataContract, *, at: dt.datetime | None = None) -> bool:
        """True; everything that is not is an exception.

        Raises DataContractViolation where data holds what it must not, or lacks what it must hold,
        DataQualityViolation where it is not as good as promised, and either for what could not be checked; FrameError
        where it cannot be opened.
        """
        result = check_contract(data, contract, at=at)
        wrong = [*result.violations, *result.unknown]
        of_contract = [check for check in wrong if check.check in CONTRACT_CHECKS]
        if of_contract:
            raise DataContractViolation(_said(of_contract), result)
        if wrong:
            raise DataQualityViolation(_said(wrong), result)
        return True

    def calculate_quality(
        self, data: Any, contract: DataContract | None = None, *, at: dt.datetime | None = None
    ) -> Quality:
        """Completeness, accuracy and timeliness, as `measure_quality` gives them."""
        return measure_quality(data, contract, at=at)


def _said(checks: Iterable[CheckResult]) -> str:
    return "; ".join(map(_sentence, checks))


def _sentence(check: CheckResult) -> str:
    words = _WORDS.get(check.check)
    if check.state == "unknown":
        return f"{_title(check)} could not be checked: {check.reason}"
    if check.names:
        return f"{words or _title(check)}: {_set(check.names)}"
    if words:
        return f"{words}: {check.observed}, expected {check.expected}"
    return f"{_title(check)}: {check.observed}, expected {check.expected}"


def _title(check: CheckResult) -> str:
    return f"{check.check.replace('-', ' ').capitalize()}{f' of {check.field}' if check.field else ''}"


def _set(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) for name in sorted(names)[:_NAMED])
    more = f", and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{{{shown}{more}}}"
