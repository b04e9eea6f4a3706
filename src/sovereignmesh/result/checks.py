"""The checks, their words, and the order in which people read them."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["AZURE_CHECKS", "CATALOG_CHECKS", "CHECKS", "SEVERITIES", "STATES", "Check", "Severity", "State"]

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
    "asset-classification",
    "sensitivity-label",
    "asset-owner",
    "asset-description",
]
State = Literal["compliant", "non-compliant", "unknown", "exempt", "not-applicable"]
Severity = Literal["high", "medium", "low"]

CHECKS: Final[tuple[Check, ...]] = get_args(Check)
# What an audit of the catalog judges; the others are of Azure's resources.
CATALOG_CHECKS: Final[tuple[Check, ...]] = (
    "asset-classification",
    "sensitivity-label",
    "asset-owner",
    "asset-description",
)
AZURE_CHECKS: Final[tuple[Check, ...]] = tuple(check for check in CHECKS if check not in CATALOG_CHECKS)
STATES: Final[tuple[State, ...]] = get_args(State)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)  # worst first
