"""`sovereignmesh product`: export, import."""

from __future__ import annotations

import click

from sovereignmesh.cli.standards_commands import export_product, import_product

__all__ = ["product"]


@click.group(epilog="Example: sovereignmesh product export --product 'Sales Analytics' -o sales")
def product() -> None:
    """A data product of the mesh, in the words of others."""


product.add_command(export_product, "export")
product.add_command(import_product, "import")
