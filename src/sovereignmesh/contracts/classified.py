"""What a contract says of classifications: what must not, or alone may, be found in the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.contracts.result import CheckResult
from sovereignmesh.mesh.documents import DataClassification, GovernancePolicies
from sovereignmesh.mesh.words import did_you_mean
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.classification import Classification, ClassifiedColumn, Detection
    from sovereignmesh.contracts.contract import DataContract
    from sovereignmesh.contracts.result import ContractCheck
    from sovereignmesh.frames import Data

__all__ = ["SAMPLE", "check_classifications", "classify", "found_in"]

SAMPLE: Final = 1000  # rows
_NAMED: Final = 6
_BY: Final = {"name": "its name", "values": "its values", "both": "its name and values"}
_Found = list[tuple[str, "Detection"]]


def classify(data: Any, contract: DataContract, sample: int = SAMPLE) -> Classification:
    """What the columns are, by the policy's rules and the library of detectors. Raises FrameError."""
    from sovereignmesh.classification import classify_columns  # noqa: PLC0415 - only for contracts that ask for it

    policies = GovernancePolicies(data_classification=DataClassification(rules=contract.classification_rules))
    return classify_columns(data, policies, rows=sample)


def check_classifications(data: Data, contract: DataContract, sample: int = SAMPLE) -> Iterator[CheckResult]:
    """The checks of classifications, for a contract that says something of them; by names and sampled values."""
    if not contract.excluded_classifications and contract.allowed_classifications is None:
        return
    found = classify(data, contract, sample)
    if contract.excluded_classifications:
        excluded = found_in(found, lambda one: one.classification in contract.excluded_classifications)
        expected = f"none of {listed(contract.excluded_classifications, _NAMED)}"
        unknown = [*_nobody_finds(contract), *_not_examined(found.columns)]
        yield _judged("excluded-classifications", expected, excluded, unknown, found.extent)
    allowed = contract.allowed_classifications
    if allowed is not None:
        others = found_in(found, lambda one: one.classification not in allowed)
        expected = f"only {listed(allowed, _NAMED)}" if allowed else "none at all"
        yield _judged("allowed-classifications", expected, others, _not_examined(found.columns), found.extent)


def found_in(found: Classification, wanted: Callable[[Detection], bool]) -> _Found:
    """The columns with such a detection, and the surest of each."""
    firsts = ((column.name, next(filter(wanted, column.detections), None)) for column in found.columns)
    return [(name, detection) for name, detection in firsts if detection is not None]


def _judged(check: ContractCheck, expected: str, found: _Found, unknown: list[str], extent: str) -> CheckResult:
    """Not compliant for what is found for sure; unknown for what only may be there, or could not be looked at."""
    sure = [(name, one) for name, one in found if one.rule or one.confidence != "low"]
    if sure:
        names = tuple(name for name, _ in sure)
        words = [f"{name}: {one.classification}, by {_BY[one.by]}" for name, one in sure]
        return CheckResult(check, "non-compliant", "high", "", expected, printable(listed(words, _NAMED)), names=names)
    unknown = [f"{name} may be {one.classification}" for name, one in found] + unknown
    if unknown:
        return CheckResult(check, "unknown", "high", "", expected, reason=printable(listed(unknown, _NAMED)))
    return CheckResult(check, "compliant", "high", "", expected, f"none found in the names and {extent}")


def _nobody_finds(contract: DataContract) -> list[str]:
    """Excluded classifications that no rule and no detector gives: not finding them proves nothing."""
    from sovereignmesh.classification import detectors  # noqa: PLC0415

    known = {rule.classification for rule in contract.classification_rules}
    known |= {one.classification for one in detectors()}
    missing = [name for name in contract.excluded_classifications if name not in known]
    return [f"no rule and no detector finds {name}{did_you_mean(name, known)}" for name in missing]


def _not_examined(columns: Iterable[ClassifiedColumn]) -> list[str]:
    """Columns of which something could not be looked at."""
    return [f"{one.name} was not examined: {one.unknown[0]}" for one in columns if not one.examined]
