"""`sovereignmesh catalog`: audit, plan, apply."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sovereignmesh.cli.audit_options import audit_options, exit_code, tell_audit
from sovereignmesh.cli.common import (
    Interruptions,
    account_option,
    azure_options,
    duration,
    find_mesh,
    open_azure,
)
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import CATALOG_CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.catalog.reading import CatalogReading

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

    Data Reader in the collections suffices, with Reader on the account; nothing is written.

    Exit codes: 0 compliant and complete, 1 could not run, 2 wrong usage, 3 findings at --fail-on, 4 incomplete.
    """
    from sovereignmesh.catalog import audit_catalog  # noqa: PLC0415 - the SDK

    azure, estate = open_azure(**where)
    with Interruptions() as interruptions:
        with azure:
            result = audit_catalog(
                azure,
                load_mesh(find_mesh(mesh, estate)),
                account,
                checks=checks or None,
                show_compliant=show_compliant,
                deadline=deadline,
                progress=partial(_watched, interruptions),
            )
        tell_audit(result, reports, output)
    ctx.exit(exit_code(result, fail_on, allow_unknown=allow_unknown))


@contextmanager
def _watched(interruptions: Interruptions, reading: CatalogReading) -> Iterator[None]:
    """A bar while the assets are read; once they are, nothing may lose what was."""
    with _bar(reading):
        yield
    interruptions.enough()


def _bar(reading: CatalogReading) -> AbstractContextManager[object]:
    """A bar on a terminal while assets are read."""
    if not sys.stderr.isatty():
        return nullcontext()
    from sovereignmesh.result.progress import follow  # noqa: PLC0415 - rich, on a terminal only

    return follow(lambda: reading.done, lambda: reading.total, f"Reading {reading.purview.account.name}")
