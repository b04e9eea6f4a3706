"""`sovereignmesh purview`: plan, apply, export, status; and the group `account`."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sovereignmesh.cli.account import account_option
from sovereignmesh.cli.common import azure_options, find_mesh, folder_of, open_azure, write_new
from sovereignmesh.cli.plan_commands import apply_options, apply_plan, plan_options, print_json, show_plan
from sovereignmesh.cli.purview_account_commands import account as account_commands
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.purview import PurviewPlan
    from sovereignmesh.purview.live import Live

__all__ = ["purview"]


@click.group(epilog="Example: sovereignmesh purview plan --sandbox")
def purview() -> None:
    """What a Purview account holds: collections, roles, sources, classification rules, scans.

    The mesh's document `purview` says what is to be there; its policy's classification rules come with it.
    """


purview.add_command(account_commands)

_PLANNED = (
    account_option,
    click.option("--prune", is_flag=True, help="Also delete what is there and not wished."),
    click.option("--allow-drift", is_flag=True, help="Go on with what would be outside the policy's regions."),
)


@purview.command(epilog="Example: sovereignmesh purview plan --sandbox")
@plan_options(*_PLANNED)
def plan(account: str | None, prune: bool, allow_drift: bool, **options: Any) -> None:
    """Show what `purview apply` would do. Only reads.

    Reader on the account, and in it Data Source Administrator and Data Reader, suffice.

    Exit codes: 0 planned, 1 it could not be planned or has errors, 2 wrong usage, 3 with --detailed-exitcode: there is
    something to do, 4 not all could be read.
    """
    show_plan(partial(_plan, account, prune, allow_drift), **options)


@purview.command(epilog="Example: sovereignmesh purview apply --state sandbox.json --yes")
@apply_options(*_PLANNED)
def apply(account: str | None, prune: bool, allow_drift: bool, **options: Any) -> None:
    """Make a Purview account as the mesh wishes.

    Shows the plan and asks before anything is written.

    An apply that was interrupted, or of which something failed, is finished by the next one.

    Exit codes: 0 all is as wished, 1 nothing was written, 2 wrong usage, 4 something failed, was left or not read.
    """
    from sovereignmesh.purview import apply_purview  # noqa: PLC0415 - the SDK

    apply_plan(partial(_plan, account, prune, allow_drift), apply_purview, **options)


def _plan(account: str | None, prune: bool, allow_drift: bool, azure: Azure, mesh: Mesh) -> PurviewPlan:
    from sovereignmesh.purview import plan_purview  # noqa: PLC0415 - the SDK

    return plan_purview(azure, mesh, account, prune=prune, allow_drift=allow_drift, progress=_watched)


def _watched(live: Live) -> AbstractContextManager[object]:
    """A bar on a terminal while an account is read."""
    if not sys.stderr.isatty():
        return nullcontext()
    from sovereignmesh.result.progress import follow  # noqa: PLC0415 - rich, on a terminal only

    return follow(lambda: live.done, lambda: live.total, f"Reading {live.purview.account.name}")


@purview.command(epilog="Example: sovereignmesh purview export --account sovereign-purview -o mesh/purview.yaml")
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@account_option
@azure_options
@click.option(
    "-o",
    "output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=lambda _ctx, _param, file: file and (None if str(file) == "-" else folder_of(file)),
    help="Write it there; a file that exists is not overwritten.",
)
@click.pass_context
def export(ctx: click.Context, /, mesh: Path | None, account: str | None, output: Path | None, **where: Any) -> None:
    """Write a Purview account as the document of a mesh.

    A plan on it is empty. Without --account it is the account that the mesh names. Secrets are not in it.

    Exit codes: 0 written, 1 not written, 2 wrong usage, 4 not all could be read or be said in a document.
    """
    from sovereignmesh.purview import export_purview  # noqa: PLC0415 - the SDK

    if output is not None and output.exists():
        raise click.ClickException(f"{printable(str(output))} exists, and is not overwritten")
    azure, estate = open_azure(**where)
    with azure:
        found = export_purview(azure, account or load_mesh(find_mesh(mesh, estate)).purview_account, progress=_watched)
    if output is None:
        click.echo(found.yaml, nl=False)
    else:
        write_new(output, found.yaml)
        click.echo(f"wrote {printable(str(output))}")
    for missing in (*found.left_out, *(f"not read: {unread.what}: {unread.why}" for unread in found.unread)):
        click.echo(printable(missing), err=True)
    ctx.exit(0 if found.complete else 4)


@purview.command(epilog="Example: sovereignmesh purview status --sandbox")
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@account_option
@azure_options
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def status(ctx: click.Context, /, mesh: Path | None, account: str | None, output: str, **where: Any) -> None:
    """Show sources, last runs, and when triggers fire next.

    Exit codes: 0 shown, 1 it could not be read, 2 wrong usage, 4 not all could be read.
    """
    from sovereignmesh.purview import purview_status  # noqa: PLC0415 - the SDK

    azure, estate = open_azure(**where)
    with azure:
        found = purview_status(azure, account or load_mesh(find_mesh(mesh, estate)).purview_account, progress=_watched)
    if output == "json":
        print_json(found.to_dict())
    else:
        from sovereignmesh.cli.purview_table import print_status  # noqa: PLC0415 - rich is not needed for JSON

        print_status(found)
    ctx.exit(0 if found.complete else 4)
