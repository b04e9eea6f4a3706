"""The words of every result: findings, coverage, places in files."""

from sovereignmesh.result.audit import (
    Audit,
    Coverage,
    DomainSummary,
    Gap,
    PolicyView,
    Scope,
    ScopeView,
    TypeCoverage,
    WaiverUse,
)
from sovereignmesh.result.checks import (
    AZURE_CHECKS,
    CATALOG_CHECKS,
    CHECKS,
    SEVERITIES,
    STATES,
    Check,
    Severity,
    State,
)
from sovereignmesh.result.finding import Finding, finding_id
from sovereignmesh.result.location import Location, Problem
from sovereignmesh.result.reasons import REASONS, Reason
from sovereignmesh.result.store import FindingStore
from sovereignmesh.result.text import listed, printable

__all__ = [
    "AZURE_CHECKS",
    "CATALOG_CHECKS",
    "CHECKS",
    "REASONS",
    "SEVERITIES",
    "STATES",
    "Audit",
    "Check",
    "Coverage",
    "DomainSummary",
    "Finding",
    "FindingStore",
    "Gap",
    "Location",
    "PolicyView",
    "Problem",
    "Reason",
    "Scope",
    "ScopeView",
    "Severity",
    "State",
    "TypeCoverage",
    "WaiverUse",
    "finding_id",
    "listed",
    "printable",
]
