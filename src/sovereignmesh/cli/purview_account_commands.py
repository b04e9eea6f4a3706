"""`sovereignmesh purview account`: plan, apply."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from sovereignmesh.cli.plan_commands import apply_options, apply_plan, plan_options, show_plan

if TYPE_CHECKING:
    from sovereignmesh.azure import Azure
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.purview import PurviewAccountPlan

__all__ = ["account"]


@click.group(epilog="Example: sovereignmesh purview account plan --estate seed")
def account() -> None:
    """The Purview account itself: its region, network, tags.

    `accountResource` in the mesh's document `purview` says what it is to be. An account is made, or the one that is
    there by that name is adopted; none is ever deleted.
    """


_DRIFT: Final = click.option(
    "--allow-drift", is_flag=True, help="Go on with a region, or an open network, that the policy does not allow."
)


@account.command(epilog="Example: sovereignmesh purview account plan --estate seed")
@plan_options(_DRIFT)
def plan(allow_drift: bool, **options: Any) -> None:
    """Show what `purview account apply` would do. Only reads.

    Reader at the subscription suffices.

    Exit codes: 0 planned, 1 it could not be planned or has errors, 2 wrong usage, 3 with --detailed-exitcode: there is
    something to do, 4 not all could be read.
    """
    show_plan(partial(_plan, allow_drift), **options)


@account.command(epilog="Example: sovereignmesh purview account apply --estate seed --state sandbox.json --yes")
@apply_options(_DRIFT)
def apply(allow_drift: bool, **options: Any) -> None:
    """Make the Purview account, or change it, as the mesh wishes.

    Shows the plan and asks before anything is written, then waits until the account is ready: some minutes for a new
    one. --force goes on where the public network is shut or the identity changes. Wants Contributor on the resource
    group.

    Exit codes: 0 it is as wished, 1 nothing was written, 2 wrong usage, 4 it failed, was left or was not read.
    """
    from sovereignmesh.purview import apply_purview_account  # noqa: PLC0415 - the SDK

    apply_plan(partial(_plan, allow_drift), apply_purview_account, **options)


def _plan(allow_drift: bool, azure: Azure, mesh: Mesh) -> PurviewAccountPlan:
    from sovereignmesh.purview import plan_purview_account  # noqa: PLC0415 - the SDK

    return plan_purview_account(azure, mesh, allow_drift=allow_drift)
