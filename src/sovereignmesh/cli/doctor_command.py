"""`sovereignmesh doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sovereignmesh.cli.common import azure_options, coloured, folder_of, open_azure
from sovereignmesh.facts import find_region
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from sovereignmesh.azure import Azure, Diagnosis

__all__ = ["doctor"]


@click.command(epilog="Example: sovereignmesh doctor --shape shape.json")
@azure_options
@click.option(
    "--shape",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=lambda _ctx, _param, file: file and folder_of(file),
    help="Also write which property paths your resources have, by type and api-version, without any value.",
)
@click.pass_context
def doctor(ctx: click.Context, /, shape: Path | None, **where: Any) -> None:
    """Show who you are, what can be reached, and which role is missing for what.

    A missing role and a closed network are told apart. Nothing is written to Azure, and --shape sends nothing anywhere:
    read the file, then attach it to a report.

    Exit codes: 0 an audit can run, 1 it cannot, 2 wrong usage, 4 it would be incomplete.
    """
    from sovereignmesh.azure import diagnose  # noqa: PLC0415 - the SDK

    azure, _ = open_azure(**where)
    with azure:
        found = []
        for diagnosis in diagnose(azure, lambda name: find_region(name) is not None):
            found.append(diagnosis)
            _show(diagnosis)
        able = any(diagnosis.part == "Resource Graph" and diagnosis.state == "ok" for diagnosis in found)
        short = any(diagnosis.part == "audit" and diagnosis.state != "ok" for diagnosis in found)
        if shape is not None and able:
            _write_shape(azure, shape)
        elif shape is not None:
            click.echo(f"{printable(str(shape))} was not written: no resource can be read", err=True)
    ctx.exit(1 if not able else 4 if short else 0)


def _show(diagnosis: Diagnosis) -> None:
    """A line, and what to do under it."""
    colour = {"ok": "green", "note": "yellow"}.get(diagnosis.state, "red")
    first, *others = diagnosis.detail.splitlines()
    click.echo(f"{coloured(f'{diagnosis.state:8}', colour)}{diagnosis.part}: {printable(first)}")
    for line in (*others, *filter(None, [diagnosis.remedy])):
        click.echo(f"        {printable(line)}")


def _write_shape(azure: Azure, file: Path) -> None:
    from sovereignmesh.azure import list_shapes, list_subscriptions  # noqa: PLC0415 - the SDK

    shapes = list_shapes(azure, [subscription.id for subscription in list_subscriptions(azure)])
    try:
        file.write_text(json.dumps(shapes, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{printable(str(file))} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {printable(str(file))}: property paths of {len(shapes['types'])} types, no values")
