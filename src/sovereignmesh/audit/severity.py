"""How bad a finding is: one table, which the mesh may override by check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sovereignmesh.result import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.facts import ResourceType
    from sovereignmesh.mesh import Policy
    from sovereignmesh.result import Check, Severity

__all__ = ["severity_of"]

# The worst that each check can say: what is unknown counts as that.
_WORST: Final[dict[Check, Severity]] = {
    "region": "high",
    "replica-region": "high",
    "backup-region": "high",
    "processing-region": "high",
    "log-region": "high",
    "key-residency": "high",
    "customer-managed-key": "medium",
    "public-access": "medium",
    "private-endpoint": "medium",
    "required-tags": "low",
    "asset-classification": "medium",
    "asset-description": "low",
    "asset-owner": "low",
    "sensitivity-label": "low",
}


def severity_of(
    check: Check, reason: str, policy: Policy, overrides: Mapping[Check, Severity], row: ResourceType | None
) -> Severity:
    """The severity of a judgement that came out as `reason`, for a resource whose type has `row` in the tables."""
    if check in overrides:
        return overrides[check]
    if row is not None and row.metadata:
        return "low"
    if check == "customer-managed-key" and policy.key == "recommended":
        return "low"
    if check == "public-access" and policy.personal:
        return "high"
    severity = REASONS[reason].severity or _WORST[check]
    # Configuration abroad is worse than metadata and less than data; what computes there, or sends logs, has data in
    # its hands.
    configuration = row is not None and row.holds_no_data and not row.processes_data and check != "log-region"
    return "medium" if severity == "high" and configuration else severity
