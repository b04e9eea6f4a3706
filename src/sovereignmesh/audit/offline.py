"""The audit of resources that somebody has in a file or in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sovereignmesh.audit.engine import CHECKS_OF_AN_INVENTORY, Run
from sovereignmesh.audit.export import Inventory
from sovereignmesh.result import AZURE_CHECKS, ScopeView

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from sovereignmesh.mesh import Mesh
    from sovereignmesh.result import Audit, Check

__all__ = ["audit_inventory"]


def audit_inventory(
    rows: Iterable[dict[str, Any]] | Path | str,
    mesh: Mesh,
    *,
    checks: Iterable[Check] | None = None,
    show_compliant: bool = False,
    now: Callable[[], dt.datetime] | None = None,
) -> Audit:
    """The audit of an inventory against a mesh.

    `rows` are resource bodies as Resource Graph or ARM give them, in any order, or the path of an export: JSON lines,
    a JSON array, `az graph query` output, gzip of these; or what is planned: the answer of ARM's what-if, a compiled
    ARM template, `terraform show -json`. Rows of resource groups, subscriptions and vaults among them
    are used to judge the others. `checks` says what is judged, without it all that a list of resources can answer;
    `show_compliant` also lists what passed or did not apply; `now` is the clock (UTC), which decides whether a waiver
    is in force.

    Nothing that a row holds raises: what cannot be judged is a gap in `Audit.coverage`. Raises InventoryError where
    the path cannot be opened or holds no JSON, ValueError for a check that an inventory cannot answer.
    """
    inventory = Inventory(rows) if isinstance(rows, (Path, str)) else rows
    if checks is None:
        # A plan holds what is a child elsewhere.
        planned = isinstance(inventory, Inventory) and inventory.is_plan()
        checks = AZURE_CHECKS if planned else CHECKS_OF_AN_INVENTORY
    run = Run(mesh, checks, now, show_compliant=show_compliant)
    run.read(inventory)
    name, missing = (inventory.name, inventory.missing) if isinstance(inventory, Inventory) else ("rows", 0)
    view = ScopeView(None, None, run.subscriptions, (), "file")
    return run.result(name, view, lambda: (run.tally.file_scope(name, missing),))
