"""`sovereignmesh validate`, `init` and `schema`."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sovereignmesh.cli.common import find_mesh
from sovereignmesh.mesh import validate as validate_mesh
from sovereignmesh.mesh.json_schema import schema as mesh_schema
from sovereignmesh.mesh.starter import init as init_mesh
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["init", "schema", "validate"]


def _audit_schema() -> str:
    return files("sovereignmesh.result").joinpath("audit.schema.json").read_text(encoding="utf-8")


def _plan_schema() -> str:
    return files("sovereignmesh.plan").joinpath("plan.schema.json").read_text(encoding="utf-8")


def _contract_schema() -> str:
    return files("sovereignmesh.contracts").joinpath("contract.schema.json").read_text(encoding="utf-8")


_SCHEMAS: Final[dict[str, Callable[[], str]]] = {
    "mesh": lambda: json.dumps(mesh_schema(), indent=2) + "\n",
    "audit": _audit_schema,
    "plan": _plan_schema,
    "contract": _contract_schema,
}


@click.command(epilog="Example: sovereignmesh validate mesh")
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@click.pass_context
def validate(ctx: click.Context, mesh: Path | None) -> None:
    """Check the mesh in MESH (a folder or a file, default ./mesh) and list every defect with its place.

    Exit codes: 0 it can be used (warnings allowed), 1 it has errors, 2 wrong usage.
    """
    path = find_mesh(mesh)
    problems = validate_mesh(path)
    for problem in problems:
        click.echo(str(problem))
    count = Counter(problem.severity for problem in problems)
    click.echo(f"{printable(str(path))}: {_counted(count['error'], 'error')}, {_counted(count['warning'], 'warning')}")
    ctx.exit(1 if count["error"] else 0)


@click.command(epilog="Example: sovereignmesh init mesh && sovereignmesh validate mesh")
@click.argument("folder", metavar="[DIR]", default="mesh", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write a mesh to start from into DIR (default ./mesh), and the schema that editors check it by.

    Overwrites nothing. Exit codes: 0 written, 1 not written, 2 wrong usage.
    """
    for file in init_mesh(folder):
        click.echo(f"wrote {printable(str(file))}")


@click.command(epilog="Example: sovereignmesh schema mesh -o mesh/sovereignmesh.schema.json")
@click.argument("kind", metavar="mesh|audit|plan|contract", type=click.Choice(list(_SCHEMAS)))
@click.option("-o", "output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write it there.")
def schema(kind: str, output: Path | None) -> None:
    """Print the JSON Schema of a mesh's documents, of the audit's JSON, of a plan's, or of a contract's.

    Exit codes: 0 written, 1 FILE cannot be written, 2 wrong usage.
    """
    text = _SCHEMAS[kind]()
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.ClickException(f"{printable(str(output))} cannot be written: {error.strerror}") from error


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
