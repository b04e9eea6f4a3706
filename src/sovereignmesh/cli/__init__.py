"""The command: parse, call one public function, show. A command's module is imported when the command runs."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from pathlib import Path
from typing import Final

import click

from sovereignmesh import __version__
from sovereignmesh.errors import SovereignMeshError

__all__ = ["main"]

# Command -> where it lives, and its line in the list: reading the list must not import the commands.
_COMMANDS: Final = {
    "access": (
        "sovereignmesh.cli.access_commands:access",
        "Ask for access to a product's data, decide who gets it, and list who did.",
    ),
    "audit": ("sovereignmesh.cli.audit_command:audit", "Audit live subscriptions, or an export, against a mesh."),
    "catalog": (
        "sovereignmesh.cli.catalog_commands:catalog",
        "Audit the assets in Purview, and give them what the mesh knows of them.",
    ),
    "classify": (
        "sovereignmesh.cli.classify_command:classify",
        "Say what the columns of data are, and what Purview's scan would assign.",
    ),
    "contract": (
        "sovereignmesh.cli.contract_commands:contract",
        "Hold data to a contract, compare contracts, give a consumer its part.",
    ),
    "doctor": (
        "sovereignmesh.cli.doctor_command:doctor",
        "Show who you are, what can be reached, and which role is missing for what.",
    ),
    "init": ("sovereignmesh.cli.mesh_commands:init", "Write a mesh to start from."),
    "product": (
        "sovereignmesh.cli.product_commands:product",
        "Write a product and its contracts in the open standards, and read them.",
    ),
    "purview": (
        "sovereignmesh.cli.purview_commands:purview",
        "Plan and make what a Purview account holds; export it, and see how it stands.",
    ),
    "quality": (
        "sovereignmesh.cli.contract_commands:quality",
        "Measure the quality of data against what its product promises.",
    ),
    "scan": (
        "sovereignmesh.cli.scan_commands:scan",
        "Run the scans of a Purview account, follow them to their ends, see what ran, cancel.",
    ),
    "schema": (
        "sovereignmesh.cli.mesh_commands:schema",
        "Print a JSON Schema: of the mesh's documents or of a result.",
    ),
    "validate": ("sovereignmesh.cli.mesh_commands:validate", "Check a mesh and list every defect with its place."),
}


class _Commands(click.Group):
    """A group that knows its commands by name and imports the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SovereignMeshError as error:
            if ctx.params["debug"]:
                raise
            _complain(str(error))
            ctx.exit(1)
        except OSError as error:
            if ctx.params["debug"] or isinstance(error, BrokenPipeError):  # click ends quietly where nobody reads on
                raise
            _complain(f"{error.filename or 'a file or the output'}: {error.strerror}")
            ctx.exit(1)


def _complain(message: str) -> None:
    """One paragraph on standard error, in which no name can move the cursor."""
    from sovereignmesh.result.text import printable  # noqa: PLC0415 - only a failure needs it

    click.echo("\n".join(map(printable, f"Error: {message}".splitlines())), err=True)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: sovereignmesh audit --sandbox",
)
@click.version_option(__version__, prog_name="sovereignmesh")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:  # noqa: ARG001 - the group reads it from the context
    """A sovereign data mesh on Azure: where data, copies and keys are, and where they may be.

    Exit codes: 0 compliant and complete, 1 could not run, 2 wrong usage, 3 not compliant, 4 incomplete.
    """
    if sys.stdout is None:  # closed by whoever started the command
        raise OSError(errno.EBADF, "closed", "standard output")
    for name, mode in (("stdin", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:  # likewise; nothing is asked, and nobody reads what is said
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
