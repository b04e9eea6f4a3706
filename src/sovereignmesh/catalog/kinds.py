"""What the plan for a catalog is of: assets that get what they lack, and the lineage of contracts."""

from __future__ import annotations

from typing import Final

from sovereignmesh.plan import Kind

__all__ = ["DATA_SET", "KINDS", "MADE", "PROCESS", "TYPES", "domain_in"]

DATA_SET, PROCESS = "data-set", "process"
# Types of Apache Atlas that every account has: what has no scanner is a DataSet, what joins two of them a Process.
TYPES: Final = {DATA_SET: "DataSet", PROCESS: "Process"}
MADE: Final = "sovereignmesh://"  # how the qualified names begin of what only a plan makes
_UNORDERED: Final = frozenset({"owners", "inputs", "outputs"})
KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("asset", 0, unordered=_UNORDERED),
        Kind(DATA_SET, 1, unordered=_UNORDERED),
        Kind(PROCESS, 2, unordered=_UNORDERED),
    )
}


def domain_in(name: str) -> str:
    """The domain in the name of what a plan makes, "" where there is none.

    >>> domain_in("sovereignmesh://products/Customer/Customer 360")
    'Customer'
    """
    return next(iter(name.removeprefix(MADE).split("/")[1:2]), "")
