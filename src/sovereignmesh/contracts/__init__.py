"""Contracts enforced on data, and its quality measured.

Definitions, the same on every engine. *Completeness*: the share of cells that are neither null nor NaN, in percent,
over the contract's fields; a field that is promised and not there has none. *Accuracy*: the share of rows that break no
rule on values: `required`, `pattern`, `allowedValues`, range, and each validity rule. *Timeliness*: the share of rows
whose timestamp is younger than the sla's freshness at a moment that is given, and not after it. Without rows none of
them is known.
"""

from __future__ import annotations

from sovereignmesh.contracts.checking import check_contract
from sovereignmesh.contracts.contract import DataContract, choose_contracts, load_contracts
from sovereignmesh.contracts.diff import ContractChange, diff_contracts
from sovereignmesh.contracts.examining import measure_quality
from sovereignmesh.contracts.project import Projection, project_contract
from sovereignmesh.contracts.quality import Quality, percent
from sovereignmesh.contracts.result import CheckResult, ContractResult
from sovereignmesh.contracts.validator import DataContractValidator

__all__ = [
    "CheckResult",
    "ContractChange",
    "ContractResult",
    "DataContract",
    "DataContractValidator",
    "Projection",
    "Quality",
    "check_contract",
    "choose_contracts",
    "diff_contracts",
    "load_contracts",
    "measure_quality",
    "percent",
    "project_contract",
]
