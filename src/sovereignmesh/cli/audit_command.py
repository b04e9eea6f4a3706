"""`sovereignmesh audit`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from sovereignmesh.audit import CHECKS_OF_AN_INVENTORY, Inventory, audit_inventory
from sovereignmesh.cli.common import find_mesh
from sovereignmesh.mesh import load_mesh
from sovereignmesh.report import SUFFIXES, write_json, write_report
from sovereignmesh.result import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.result import Audit

__all__ = ["audit"]

_WORTH_A_BAR: Final = 8_000_000  # bytes: about a second's work


def _checked_suffix(_ctx: click.Context, _param: click.Parameter, files: tuple[Path, ...]) -> tuple[Path, ...]:
    for file in files:
        if file.suffix not in SUFFIXES:
            raise click.BadParameter(f"{file}: a report is written by suffix; known: {', '.join(SUFFIXES)}")
    return files


@click.command(
    epilog="Example: sovereignmesh audit mesh --inventory export.json -o findings.csv (README.md, 'Reading an export', "
    "says how to make one)"
)
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@click.option(
    "--inventory",
    metavar="FILE",
    required=True,
    help="An export of resources: JSON lines, a JSON array, `az graph query` output, gzip of these; - reads standard "
    "input.",
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    type=click.Choice(CHECKS_OF_AN_INVENTORY),
    help="Only this check; may be repeated.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*get_args(Severity), "never"]),
    default="low",
    show_default=True,
    help="Exit 3 for a finding this bad or worse.",
)
@click.option("--allow-unknown", is_flag=True, help="What is unknown does not count for the exit code.")
@click.option("--show-compliant", is_flag=True, help="Also list what passed or did not apply.")
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "-o",
    "reports",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_checked_suffix,
    help=f"Also write a report, by suffix {' '.join(SUFFIXES)}; may be repeated.",
)
@click.pass_context
def audit(
    ctx: click.Context,
    mesh: Path | None,
    inventory: str,
    checks: tuple[Any, ...],
    fail_on: Any,
    allow_unknown: bool,
    show_compliant: bool,
    output: str,
    reports: tuple[Path, ...],
) -> None:
    """Audit an export of Azure resources against the mesh in MESH (default ./mesh).

    Exit codes: 0 compliant and complete, 1 could not run, 2 wrong usage, 3 findings at --fail-on, 4 incomplete.
    """
    for file in reports:
        if file.exists() and inventory != "-" and file.samefile(inventory):
            raise click.UsageError(f"{file} is the inventory: write the report elsewhere")
    wish = load_mesh(find_mesh(mesh))
    export = Inventory(inventory)
    with _progress(export) as rows:
        result = audit_inventory(rows, wish, checks=checks or CHECKS_OF_AN_INVENTORY, show_compliant=show_compliant)
    for file in reports:
        write_report(result, file)
    if output == "json":
        write_json(result, sys.stdout)
    else:
        from sovereignmesh.result.table import print_audit  # noqa: PLC0415 - rich is not needed for JSON

        print_audit(result)
    ctx.exit(_exit_code(result, fail_on, allow_unknown=allow_unknown))


def _exit_code(result: Audit, fail_on: Any, *, allow_unknown: bool) -> int:
    if not result.complete:
        return 4
    return 3 if fail_on != "never" and result.fails_at(fail_on, allow_unknown=allow_unknown) else 0


def _progress(export: Inventory) -> AbstractContextManager[Iterable[Any]]:
    """The export's rows, with a bar on a terminal where it is worth one."""
    if export.size < _WORTH_A_BAR or not sys.stderr.isatty():
        return nullcontext(export)
    from sovereignmesh.result.progress import with_bar  # noqa: PLC0415 - rich, for large files only

    return with_bar(export, lambda: export.position, export.size, f"Auditing {Path(export.name).name}")
