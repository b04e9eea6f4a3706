"""The checks, their words, and the order in which people read them."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["CHECKS", "SEVERITIES", "STATES", "Check", "Severity", "State"]

Check = Literal[
    "region",
    "replica-region",
    "backup-region",
    "processing-region",
    "log-region",
    "key-residency",
    "customer-managed-key",
    "public-access",
    "private-endpoint",
    "required-tags",
]
State = Literal["compliant", "non-compliant", "unknown", "exempt", "not-applicable"]
Severity = Literal["high", "medium", "low"]

CHECKS: Final[tuple[Check, ...]] = get_args(Check)
STATES: Final[tuple[State, ...]] = get_args(State)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)  # worst first
