"""Which Purview account a command is about, where not the one that the mesh names."""

from __future__ import annotations

from typing import Final

import click

__all__ = ["account_option"]


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
