"""`export` and `import` of `sovereignmesh contract` and `sovereignmesh product`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sovereignmesh.cli.common import find_mesh, folder_of, write_new
from sovereignmesh.mesh import load_mesh
from sovereignmesh.mesh.words import did_you_mean
from sovereignmesh.result import listed, printable
from sovereignmesh.yamlfile import dump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sovereignmesh.mesh import DataProduct
    from sovereignmesh.standards import Imported

__all__ = ["export_contract", "export_product", "import_contract", "import_product"]

Command = TypeVar("Command", bound="Callable[..., Any]")
_ODCS: Final = click.Choice(["3.2", "3.1", "3.0"])
_ODPS: Final = click.Choice(["1.1"])
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_MOST: Final = 12

_mesh = click.option("--mesh", metavar="DIR", type=click.Path(path_type=Path), help="The mesh (default ./mesh).")
_product = click.option("--product", required=True, metavar="NAME", help="The product, as the mesh names it.")
_of_one = click.option("--schema", metavar="NAME", help="The object of the schema, where a contract has several.")
_new_file = click.option(
    "-o",
    "output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=lambda _ctx, _param, file: file and (None if str(file) == "-" else folder_of(file)),
    help="Write it there; a file that exists is not overwritten.",
)
_GIVEN: Final = (
    click.option("--consumer", metavar="DOMAIN", help="The domain that the contract is for, where it does not say it."),
    click.option("--domain", metavar="NAME", help="The product's domain, instead of what the document says."),
    click.option("--owner", metavar="WHO", help="The product's owner, instead of what the document says."),
    click.option("--purpose", metavar="TEXT", help="What the consumer wants the data for, where it does not say it."),
)


def _given(command: Command) -> Command:
    for option in reversed(_GIVEN):
        command = option(command)
    return command


@click.command(
    epilog="Example: sovereignmesh contract export --product 'Sales Analytics' --consumer Marketing --odcs 3.1"
)
@_product
@click.option("--consumer", required=True, metavar="DOMAIN", help="The consumer whose contract it is.")
@_mesh
@click.option("--odcs", type=_ODCS, default="3.2", show_default=True, help="The version of the standard.")
@_new_file
def export_contract(product: str, consumer: str, mesh: Path | None, odcs: str, output: Path | None) -> None:
    """Write a contract of the mesh in the Open Data Contract Standard, as YAML or to a file *.json.

    What the standard has no word for is in customProperties that begin with `sovereignmesh`, so that `contract import`
    makes the same product of it, with this contract.

    Exit codes: 0 written, 1 not written, 2 wrong usage.
    """
    from sovereignmesh.standards import export_odcs  # noqa: PLC0415 - only where it runs

    document = export_odcs(_find(mesh, product), consumer, version=odcs)
    _write(output, _text(output, document))


@click.command(
    epilog="Example: sovereignmesh contract import orders.odcs.yaml --consumer Marketing -o mesh/orders.yaml"
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--odcs", type=_ODCS, help="Refuse another version of the standard than this.")
@_of_one
@_given
@_new_file
def import_contract(file: Path, odcs: str | None, schema: str | None, output: Path | None, **given: str | None) -> None:
    """Make a product for the mesh of a contract in the Open Data Contract Standard, 3.0 to 3.2, YAML or JSON.

    What cannot be taken over is listed with its place, on standard error.

    Exit codes: 0 written, 1 not written, 2 wrong usage.
    """
    from sovereignmesh.standards import import_odcs  # noqa: PLC0415 - only where it runs

    _tell(import_odcs(file, version=odcs, schema=schema, **given), output)


@click.command(epilog="Example: sovereignmesh product export --product 'Sales Analytics' -o sales")
@_product
@_mesh
@click.option("--odps", type=_ODPS, default="1.1", show_default=True, help="The version of the product's standard.")
@click.option("--odcs", type=_ODCS, default="3.2", show_default=True, help="The version of the contracts' standard.")
@click.option(
    "-o",
    "output",
    metavar="DIR|FILE",
    type=click.Path(path_type=Path),
    help="A folder for one file each, or a file *.yaml for all; what exists is not overwritten.",
)
def export_product(product: str, mesh: Path | None, odps: str, odcs: str, output: Path | None) -> None:
    """Write a product in the Open Data Product Standard, and its contracts in the Open Data Contract Standard.

    `product import` makes the same product of them.

    Exit codes: 0 written, 1 not written, 2 wrong usage.
    """
    from sovereignmesh.standards import export_contracts, export_odps  # noqa: PLC0415 - only where it runs
    from sovereignmesh.standards.tables import object_name  # noqa: PLC0415 - likewise

    found = _find(mesh, product)
    documents = [export_odps(found, version=odps), *export_contracts(found, version=odcs)]
    if output is None or str(output) == "-" or output.suffix.lower() in _SUFFIXES:
        file = None if output is None or str(output) == "-" else folder_of(output)
        if file is not None and file.suffix.lower() == ".json" and len(documents) > 1:
            raise click.BadParameter(f"{file}: a file of JSON holds one document: give a folder, or *.yaml")
        _write(file, "---\n".join(_text(file, document) for document in documents))
        return
    name = object_name(found.name)
    names = [f"{name}.odps.yaml"]
    for contract in found.data_contracts:
        stem = f"{name}-{object_name(contract.consumer)}"
        names.append(f"{stem}{f'-{len(names)}' if f'{stem}.odcs.yaml' in names else ''}.odcs.yaml")
    files = [output / name for name in names]
    if there := [file for file in files if file.exists()]:
        raise click.ClickException(f"{printable(str(there[0]))} exists, and is not overwritten")
    output.mkdir(exist_ok=True)
    for file, document in zip(files, documents, strict=True):
        _write(file, dump(document))


@click.command(epilog="Example: sovereignmesh product import sales -o mesh/products/sales.yaml")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--odps", type=click.Choice(["1.1", "1.0"]), help="Refuse another version of the standard than this.")
@_of_one
@_given
@_new_file
def import_product(
    paths: tuple[Path, ...], odps: str | None, schema: str | None, output: Path | None, **given: str | None
) -> None:
    """Make a product for the mesh of one in the Open Data Product Standard 1.0 or 1.1, and of its contracts.

    PATH is a file of YAML or JSON, or a folder of them: the product, and the contracts that its output ports name.
    What cannot be taken over is listed with its place, on standard error.

    Exit codes: 0 written, 1 not written, 2 wrong usage.
    """
    from sovereignmesh.standards import import_odps  # noqa: PLC0415 - only where it runs

    _tell(import_odps(*paths, version=odps, schema=schema, **given), output)


def _find(mesh: Path | None, name: str) -> DataProduct:
    """The product of the mesh with that name, before which its domain may stand: `Sales/Orders`."""
    products = load_mesh(find_mesh(mesh)).products
    wanted = name.strip().casefold()
    same = [one for one in products if wanted in (one.name.casefold(), f"{one.domain}/{one.name}".casefold())]
    if len(same) == 1:
        return same[0]
    if same:
        known = listed([f"'{one.domain}/{one.name}'" for one in same], _MOST)
        raise click.ClickException(printable(f"several domains have a product '{name}': give one of {known}"))
    names = [one.name for one in products]
    known = listed(names, _MOST) or "none"
    raise click.ClickException(
        printable(f"the mesh has no product '{name}'{did_you_mean(name, names)}; it has: {known}")
    )


def _text(file: Path | None, document: Mapping[str, Any]) -> str:
    if file is not None and file.suffix.lower() == ".json":
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return dump(document)


def _write(file: Path | None, text: str) -> None:
    if file is None:
        click.echo(text, nl=False)
        return
    if file.exists():
        raise click.ClickException(f"{printable(str(file))} exists, and is not overwritten")
    write_new(file, text)
    click.echo(f"wrote {printable(str(file))}")


def _tell(imported: Imported, output: Path | None) -> None:
    _write(output, imported.yaml)
    for note in imported.notes:
        click.echo(str(note), err=True)
