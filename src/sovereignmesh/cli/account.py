"""Which Purview account a command is about: the one that is given, or the one that the mesh names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["account_option", "named_account"]


def _given(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("is empty: give a name or a resource id, or leave it out")
    return value


account_option: Final = click.option(
    "--account",
    metavar="NAME|ID",
    callback=_given,
    help="Another account than the mesh names: by name, or by resource id.",
)


def named_account(mesh: Path) -> str:
    """The account that a mesh names. Ends the command where it names none."""
    loaded = load_mesh(mesh)
    if loaded.purview is None:
        raise click.ClickException(f"{printable(str(mesh))} has no `purview` document: give the account with --account")
    return loaded.purview.model.account
