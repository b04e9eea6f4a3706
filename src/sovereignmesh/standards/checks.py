"""The quality checks of a contract: what a check measures, what it wants of that, and how bad it is if it fails."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.result import SEVERITIES
from sovereignmesh.standards.words import is_number

if TYPE_CHECKING:
    from sovereignmesh.standards.reading import Part

__all__ = ["METRICS_SINCE", "limits", "metric_of", "none_may", "severity_of", "take_check", "write_check"]

METRICS_SINCE: Final = (3, 1)  # before, a measure was a `rule`
_SEVERITIES: Final[dict[str, str]] = {
    **{name: name for name in SEVERITIES}, "critical": "high", "error": "high", "warning": "medium", "info": "low",
}  # fmt: skip
# Operator -> the least and the most whole number that it lets pass.
_OPERATORS: Final[dict[str, Any]] = {
    "mustBe": lambda value: (math.ceil(value), math.floor(value)),
    "mustBeGreaterThan": lambda value: (math.floor(value) + 1, None),
    "mustBeGreaterOrEqualTo": lambda value: (math.ceil(value), None),
    "mustBeLessThan": lambda value: (None, math.ceil(value) - 1),
    "mustBeLessOrEqualTo": lambda value: (None, math.floor(value)),
    "mustBeBetween": lambda pair: (math.ceil(pair[0]), math.floor(pair[1])),
}


def write_check(what: dict[str, Any], severity: str | None = None, dimension: str = "conformity") -> dict[str, Any]:
    """The check that counts what breaks something, and wants none; `what` says how it counts."""
    limit = {} if "mustBe" in what or "rule" in what else {"mustBe": 0, "unit": "rows"}
    worst = {"severity": severity} if severity else {}
    return {"type": "library", **what, **limit, "dimension": dimension, **worst}


def metric_of(item: Part) -> str | None:
    """The name of what a check of the standard's library measures, before 3.1 of its rule; None for other checks."""
    name = item.value.get("metric", item.value.get("rule"))
    return name if isinstance(name, str) and item.value.get("type", "library") == "library" else None


def limits(item: Part) -> tuple[int | None, int | None] | None:
    """The least and the most that a check lets pass; None where it does not say that of a count."""
    said = [key for key in item.value if key.startswith("must")]
    if len(said) != 1 or said[0] not in _OPERATORS or item.value.get("unit", "rows") != "rows":
        return None
    value = item.value[said[0]]
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) != 1 + (said[0] == "mustBeBetween") or not all(map(is_number, numbers)):
        return None
    found: tuple[int | None, int | None] = _OPERATORS[said[0]](value)
    return found


def none_may(item: Part) -> bool:
    """Whether a check lets nothing that it counts pass."""
    return (limits(item) or (None, None))[1] == 0


def take_check(item: Part, *keys: str, dimension: str = "conformity") -> None:
    """Marks as taken what a check measures and what it wants of that."""
    item.take("type", "metric", "rule", "unit", *keys, *(key for key in item.value if key.startswith("must")))
    item.expect("dimension", dimension)


def severity_of(item: Part) -> str | None:
    """How bad a check says that its failure is, in a word of ours; None where it has none of these."""
    word = item.value.get("severity")
    return _SEVERITIES.get(word.casefold()) if isinstance(word, str) else None
