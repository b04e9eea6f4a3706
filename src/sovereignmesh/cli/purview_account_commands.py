"""`sovereignmesh purview account`: plan, apply."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sovereignmesh.cli.common import azure_options, find_mesh, open_azure
from sovereignmesh.cli.plan_commands import apply_options, apply_planned, plan_options, tell_plan
from sovereignmesh.mesh import load_mesh

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.azure import Azure
    from sovereignmesh.purview import PurviewAccountPlan

__all__ = ["account"]


@click.group(epilog="Example: sovereignmesh purview account plan --estate seed")
def account() -> None:
    """The Purview account itself: its region, network, identity and tags.

    `accountResource` in the mesh's document `purview` says what it is to be. An account is made, or the one that is
    there by that name is adopted; none is ever deleted.
    """


def _planned(command: Callable[..., Any]) -> Callable[..., Any]:
    drift = click.option(
        "--allow-drift", is_flag=True, help="Go on with a region, or an open network, that the policy does not allow."
    )
    return azure_options(drift(command))


@account.command(epilog="Example: sovereignmesh purview account plan --estate seed")
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@_planned
@plan_options
@click.pass_context
def plan(
    ctx: click.Context,
    /,
    mesh: Path | None,
    allow_drift: bool,
    detailed_exitcode: bool,
    output: str,
    **where: Any,
) -> None:
    """Show what `purview account apply` would do. Only reads.

    Reader at the subscription suffices.

    Exit codes: 0 planned, 1 it could not be planned or has errors, 2 wrong usage, 3 with --detailed-exitcode: there is
    something to do, 4 not all could be read.
    """
    azure, estate = open_azure(**where)
    with azure:
        found = _plan(azure, find_mesh(mesh, estate), allow_drift=allow_drift)
    ctx.exit(tell_plan(found, detailed_exitcode=detailed_exitcode, output=output))


@account.command(epilog="Example: sovereignmesh purview account apply --estate seed --state sandbox.json --yes")
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@_planned
@apply_options
@click.pass_context
def apply(
    ctx: click.Context,
    /,
    mesh: Path | None,
    allow_drift: bool,
    yes: bool,
    expect: str | None,
    force: bool,
    output: str,
    **where: Any,
) -> None:
    """Make the Purview account, or change it, as the mesh wishes.

    Shows the plan and asks before anything is written, then waits until the account is ready: some minutes for a new
    one. --force goes on where the public network is shut or the identity changes. Wants Contributor on the resource
    group.

    Exit codes: 0 it is as wished, 1 nothing was written, 2 wrong usage, 4 it failed, was left or was not read.
    """
    from sovereignmesh.purview import apply_purview_account  # noqa: PLC0415 - the SDK

    azure, estate = open_azure(**where)
    with azure:
        plan_now = partial(_plan, azure, find_mesh(mesh, estate), allow_drift=allow_drift)
        code = apply_planned(azure, plan_now, apply_purview_account, yes=yes, expect=expect, force=force, output=output)
    ctx.exit(code)


def _plan(azure: Azure, mesh: Path, *, allow_drift: bool) -> PurviewAccountPlan:
    from sovereignmesh.purview import plan_purview_account  # noqa: PLC0415 - the SDK

    return plan_purview_account(azure, load_mesh(mesh), allow_drift=allow_drift)
