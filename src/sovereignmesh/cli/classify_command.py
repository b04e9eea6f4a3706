"""`sovereignmesh classify`: what the columns of data are, before Purview looks at them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.text import Text

from sovereignmesh.cli.common import find_mesh, reading
from sovereignmesh.cli.fitting import fit, open_console, print_rows, table_of
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from sovereignmesh.classification import Classification

__all__ = ["classify"]

_DEFAULT: Final = Path("mesh")
_COLUMNS: Final = ("column", "classification", "by", "confidence", "values", "evidence", "Purview")
_REASONS: Final = 5
_STYLES: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}


@click.command(epilog="Example: sovereignmesh classify customers.csv --mesh mesh")
@click.argument("data")
@click.option(
    "--mesh",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The mesh whose policy's rules are applied too (default ./mesh, if there is one).",
)
@click.option("--rows", metavar="N", type=click.IntRange(1), default=1000, show_default=True, help="Read so many rows.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print.",
)
@click.pass_context
def classify(ctx: click.Context, data: str, mesh: Path | None, rows: int, output: str) -> None:
    """Say what the columns of DATA are: by the policy's rules and a library of detectors, in names and values.

    DATA is as of `contract check`. Values are shown masked. The last column is what a scan of Microsoft Purview would
    assign, as far as its documentation tells: it reads 128 rows, and wants at least 8 distinct values.

    Exit codes: 0 all was looked at, 1 could not run, 2 wrong usage, 4 a column could not be examined.
    """
    from sovereignmesh.classification import classify_columns  # noqa: PLC0415 - an extra
    from sovereignmesh.frames import open_data  # noqa: PLC0415

    policy = load_mesh(find_mesh(mesh)) if mesh or _DEFAULT.exists() else None
    with reading(data):
        found = classify_columns(open_data(data), policy, rows=rows)
    if output == "json":
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        _print(found, policy is not None)
    ctx.exit(4 if found.not_examined else 0)


def _print(found: Classification, with_policy: bool) -> None:
    console = open_console()
    console.print(Text(printable(found.title), "bold"), soft_wrap=True)
    rows = found.table
    if rows:
        kept, shown = fit(
            _COLUMNS, rows, console.width, ("evidence", "by", "Purview"), folded={*_COLUMNS[:2], "evidence"}
        )
        styles = [_STYLES.get(row[kept.index("confidence")], "") for row in shown]
        print_rows(console, table_of(kept, shown, "confidence", styles), _COLUMNS)
    for one in found.columns:
        for reason in () if one.examined else one.unknown:
            console.print(Text(printable(f"not examined: {one.name}: {reason}"), "red"), soft_wrap=True)
    reasons = {told.reason: told.outcome for one in found.columns for told in one.purview if told.outcome != "assigned"}
    for reason, outcome in [*reasons.items()][:_REASONS]:
        console.print(Text(printable(f"{outcome}: {reason}"), "dim"), soft_wrap=True)
    if not with_policy:
        console.print(Text("no mesh: the policy's own rules were not applied (--mesh)", "dim"), soft_wrap=True)
    excluded = ", ".join(found.suggested_excluded_fields) or "none"
    console.print(Text.assemble(("suggested excludedFields: ", "bold"), printable(excluded)), soft_wrap=True)
