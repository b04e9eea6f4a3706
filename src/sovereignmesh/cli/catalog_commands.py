"""`sovereignmesh catalog`: audit, plan, apply."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sovereignmesh.cli.account import account_option
from sovereignmesh.cli.audit_options import audit_options, exit_code, tell_audit
from sovereignmesh.cli.common import (
    Interruptions,
    azure_options,
    duration,
    find_mesh,
    open_azure,
)
from sovereignmesh.cli.plan_commands import apply_options, apply_plan, plan_options, show_plan
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import CATALOG_CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.catalog.reading import CatalogReading
    from sovereignmesh.catalog.unified.live import Live
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.plan import Plan

__all__ = ["catalog"]


@click.group(epilog="Example: sovereignmesh catalog audit --sandbox")
def catalog() -> None:
    """What the assets in a Purview account's catalog lack, and what the mesh tells of them."""


@catalog.command(epilog="Example: sovereignmesh catalog audit --sandbox -o catalog.csv")
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@account_option
@click.option(
    "--deadline",
    metavar="DURATION",
    callback=duration,
    help="End by then with what has been read: 90s (or 90), 15m, 2h.",
)
@azure_options
@audit_options(CATALOG_CHECKS)
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    mesh: Path | None,
    account: str | None,
    deadline: float | None,
    checks: tuple[Any, ...],
    fail_on: Any,
    allow_unknown: bool,
    show_compliant: bool,
    output: str,
    reports: tuple[Path, ...],
    **where: Any,
) -> None:
    """Audit the catalog of the mesh's Purview account.

    Every asset in every collection that you see: whether it has the description, the owner and the sensitivity label
    that the policy's dataCatalog requires, and whether what was classified in it is what its product allows.

    Data Reader and Data Source Administrator in the root collection suffice, with Reader on the account; nothing is
    written.

    Exit codes: 0 compliant and complete, 1 could not run, 2 wrong usage, 3 findings at --fail-on, 4 incomplete.
    """
    from sovereignmesh.catalog import audit_catalog  # noqa: PLC0415 - the SDK

    azure, estate = open_azure(**where)
    with Interruptions() as interruptions:
        wanted = load_mesh(find_mesh(mesh, estate))
        with azure:
            result = audit_catalog(
                azure,
                wanted,
                account,
                checks=checks or None,
                show_compliant=show_compliant,
                deadline=deadline,
                progress=partial(_watched, interruptions),
            )
        tell_audit(result, reports, output)
    ctx.exit(exit_code(result, fail_on, allow_unknown=allow_unknown))


_PLANNED = (
    account_option,
    click.option(
        "--to",
        "target",
        type=click.Choice(["assets", "unified"]),
        default="assets",
        show_default=True,
        help="assets: what they lack, and the lineage of contracts; unified: domains and products to the tenant's "
        "Unified Catalog (preview).",
    ),
    click.option(
        "--prune",
        is_flag=True,
        help="Also delete what the mesh no longer has: lineage of contracts, or products of its domains.",
    ),
)


@catalog.command(epilog="Example: sovereignmesh catalog plan --sandbox")
@plan_options(*_PLANNED)
def plan(account: str | None, target: str, prune: bool, **options: Any) -> None:
    """Show what `catalog apply` would do. Only reads.

    Assets that lack a description or an owner get those of their product; what they have stays. Every contract of the
    mesh becomes lineage from the product to the domain that consumes it.

    Data Reader and Data Source Administrator in the root collection suffice, with Reader on the account; for the
    Unified Catalog Global Catalog Reader, with Reader on the account and its subscription.

    Exit codes: 0 planned, 1 it could not be planned, 2 wrong usage, 3 with --detailed-exitcode: there is something to
    do, 4 not all could be read.
    """
    show_plan(partial(_plan, target, account, prune), **options)


@catalog.command(epilog="Example: sovereignmesh catalog apply --state sandbox.json --yes")
@apply_options(*_PLANNED)
def apply(account: str | None, target: str, prune: bool, **options: Any) -> None:
    """Tell the catalog what the mesh knows.

    Shows the plan and asks before anything is written. Data Curator in the collections is needed, for the Unified
    Catalog the roles of its governance domains.

    Exit codes: 0 all is as wished, 1 nothing was written, 2 wrong usage, 4 something failed, was left or not read.
    """
    from sovereignmesh.catalog import apply_catalog, apply_unified  # noqa: PLC0415 - the SDK

    carry_out: Any = apply_unified if target == "unified" else apply_catalog
    apply_plan(partial(_plan, target, account, prune), carry_out, **options)


def _plan(target: str, account: str | None, prune: bool, azure: Azure, mesh: Mesh) -> Plan:
    from sovereignmesh.catalog import plan_catalog, plan_unified  # noqa: PLC0415 - the SDK

    if target == "unified":
        return plan_unified(azure, mesh, account, prune=prune, progress=_unified_bar)
    return plan_catalog(azure, mesh, account, prune=prune, progress=_bar)


@contextmanager
def _watched(interruptions: Interruptions, reading: CatalogReading) -> Iterator[None]:
    """A bar while the assets are read; once they are, nothing may lose what was."""
    with _bar(reading):
        yield
    interruptions.enough()


def _bar(reading: CatalogReading) -> AbstractContextManager[object]:
    """A bar on a terminal while assets are read."""
    return _followed(reading, reading.purview.account.name)


def _unified_bar(live: Live) -> AbstractContextManager[object]:
    return _followed(live, "the Unified Catalog")


def _followed(reading: CatalogReading | Live, what: str) -> AbstractContextManager[object]:
    if not sys.stderr.isatty():
        return nullcontext()
    from sovereignmesh.result.progress import follow  # noqa: PLC0415 - rich, on a terminal only

    return follow(lambda: reading.done, lambda: reading.total, f"Reading {what}")
