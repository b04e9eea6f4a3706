"""`sovereignmesh contract` and `quality`: data held to what is promised of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sovereignmesh.cli.common import find_mesh, folder_of, reading
from sovereignmesh.cli.standards_commands import export_contract, import_contract
from sovereignmesh.mesh import load_mesh
from sovereignmesh.mesh.values import instant
from sovereignmesh.result import printable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sovereignmesh.contracts import CheckResult

__all__ = ["contract", "quality"]

_ORDER: Final = ("low", "medium", "high")
_PATH: Final = click.Path(path_type=Path)


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dt.datetime | None:
    moment = instant(value) if value is not None else None
    if value is not None and moment is None:
        raise click.BadParameter(f"{value!r} is no moment: 2026-01-31T12:00:00Z, in UTC without an offset")
    return moment


_MESH = click.option("--mesh", metavar="DIR", type=_PATH, help="The mesh: a folder or a file (default ./mesh).")
_AT = click.option("--at", metavar="MOMENT", callback=_moment, help="Measure ages at this moment (default: now).")
_FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print.",
)
_FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice([*reversed(_ORDER), "never"]),
    default="low",
    show_default=True,
    help="The least severity that ends with 3.",
)
_PRODUCT = click.option(
    "--product", metavar="NAME", help="The product, or DOMAIN/NAME; needed where there are several."
)
_CONSUMER = click.option("--consumer", metavar="DOMAIN", help="The consumer; needed where the product has several.")


def _code(checks: Sequence[CheckResult], fail_on: str) -> int:
    """4 where something could not be checked, else 3 for what is not compliant at this severity."""
    if any(check.state == "unknown" for check in checks):
        return 4
    counting = () if fail_on == "never" else _ORDER[_ORDER.index(fail_on) :]
    return 3 if any(check.state == "non-compliant" and check.severity in counting for check in checks) else 0


def _plain(value: Any) -> Any:
    """The value as JSON knows it, which has no NaN."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@click.group(epilog="Example: sovereignmesh contract check customers.parquet --consumer Sales")
def contract() -> None:
    """Hold data to the contract with a consumer, compare contracts, give a consumer its part."""


contract.add_command(export_contract, "export")
contract.add_command(import_contract, "import")


@contract.command(epilog='Example: sovereignmesh contract check c.parquet --product "Customer 360" --consumer Sales')
@click.argument("data")
@_PRODUCT
@_CONSUMER
@_MESH
@_AT
@_FAIL_ON
@click.option("--rows", metavar="N", type=click.IntRange(0), default=0, help="Also show N rows that break a rule.")
@click.option("--sample", metavar="N", type=click.IntRange(1), default=1000, show_default=True, help="Classify N rows.")
@click.option("--show-compliant", is_flag=True, help="Show the checks that are compliant with what was observed, too.")
@_FORMAT
@click.pass_context
def check(
    ctx: click.Context,
    data: str,
    product: str | None,
    consumer: str | None,
    mesh: Path | None,
    at: dt.datetime | None,
    fail_on: str,
    rows: int,
    sample: int,
    show_compliant: bool,
    output: str,
) -> None:
    """Check DATA against the contract of a product with a consumer.

    DATA is a file or folder of Parquet, CSV or JSON lines, a Delta table, abfss://CONTAINER@ACCOUNT... of a lake, or
    mssql://SERVER/DATABASE/SCHEMA.TABLE. Values that nobody may see (excluded, not allowed, personal) are masked in the
    rows shown. What could not be checked comes before what does not hold.

    Exit codes: 0 the contract holds, 1 could not run, 2 wrong usage, 3 it does not, 4 something could not be checked.
    """
    from sovereignmesh.contracts import DataContract, check_contract  # noqa: PLC0415 - an extra

    wanted = DataContract.from_mesh(load_mesh(find_mesh(mesh)), product, consumer)
    with reading(data):
        result = check_contract(data, wanted, at=at, sample=sample)
        failing = result.failing_rows(rows) if rows and result.rows else []
    if output == "json":
        plain = result.to_dict()
        click.echo(json.dumps(_plain({**plain, "failing_rows": failing} if rows else plain), indent=2, default=str))
    else:
        from sovereignmesh.cli.contract_table import print_contract, print_failing  # noqa: PLC0415

        print_contract(result, show_compliant=show_compliant)
        print_failing(result, failing)
    ctx.exit(_code(result.checks, fail_on))


@contract.command(epilog="Example: sovereignmesh contract diff mesh-of-main mesh")
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
@_PRODUCT
@_CONSUMER
@_FORMAT
@click.pass_context
def diff(ctx: click.Context, old: Path, new: Path, product: str | None, consumer: str | None, output: str) -> None:
    """Compare the contracts in OLD and NEW, files or folders of YAML.

    Breaking is what leaves the consumer less or worse data than before, and what takes a protection away. A field or a
    contract that is new is listed as compatible.

    Exit codes: 0 nothing breaks, 1 could not run, 2 wrong usage, 3 a change breaks.
    """
    from sovereignmesh.contracts import choose_contracts, diff_contracts, load_contracts  # noqa: PLC0415

    sides = [choose_contracts(load_contracts(path), product, consumer) for path in (old, new)]
    if not any(sides):
        raise click.ClickException("neither has such a contract")
    changes = diff_contracts(*sides)
    if output == "json":
        click.echo(json.dumps([change.to_dict() for change in changes], indent=2))
    else:
        from sovereignmesh.cli.contract_table import print_changes  # noqa: PLC0415

        print_changes(changes)
    ctx.exit(3 if any(change.breaking for change in changes) else 0)


@contract.command(epilog="Example: sovereignmesh contract project customers.parquet --consumer Sales -o sales.parquet")
@click.argument("data")
@_PRODUCT
@_CONSUMER
@_MESH
@click.option("-o", "output", metavar="OUT", type=_PATH, required=True, help="The file: .parquet, .csv or .jsonl.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def project(data: str, product: str | None, consumer: str | None, mesh: Path | None, output: Path, force: bool) -> None:
    """Write what the consumer may see of DATA into OUT, and nothing else.

    Refuses where a promised field is missing, or something excluded is in a field. How good the data is, is not asked:
    that is `contract check`. Text of a CSV becomes what the schema says that it is, unless OUT is a .csv too.

    Exit codes: 0 written, 1 not written, 2 wrong usage.
    """
    from sovereignmesh.contracts import DataContract, project_contract  # noqa: PLC0415

    folder_of(output)
    wanted = DataContract.from_mesh(load_mesh(find_mesh(mesh)), product, consumer)
    with reading(data):
        written = project_contract(data, wanted, output, overwrite=force)
    click.echo(printable(f"wrote {written.path}: {', '.join(written.fields)}"))
    for what, names in (("left out", written.left_out), ("not there", written.absent)):
        if names:
            click.echo(printable(f"{what}: {', '.join(names)}"))


@click.command(epilog='Example: sovereignmesh quality orders.parquet --product "Sales Analytics"')
@click.argument("data")
@_PRODUCT
@_MESH
@_AT
@_FORMAT
@click.pass_context
def quality(
    ctx: click.Context, data: str, product: str | None, mesh: Path | None, at: dt.datetime | None, output: str
) -> None:
    """Measure the quality of DATA against the qualityMetrics of a product.

    Completeness: cells that are neither null nor NaN, in all and by field. Accuracy: rows that break no rule on values
    of the product's schema. Timeliness: rows younger than the freshness of its sla. DATA is as of `contract check`.

    Exit codes: 0 as promised, 1 could not run, 2 wrong usage, 3 below, 4 a promised figure could not be measured.
    """
    from sovereignmesh.contracts import DataContract, check_contract  # noqa: PLC0415 - an extra
    from sovereignmesh.frames import open_data  # noqa: PLC0415

    wanted = load_mesh(find_mesh(mesh))
    with reading(data):
        opened = open_data(data)
        promised = DataContract.of_product(wanted, product, tuple(opened.columns))
        result = check_contract(opened, promised, at=at)
    figures = ("completeness", "accuracy", "timeliness", "freshness", "row-count", "present-fields")
    checks = tuple(check for check in result.checks if check.check in figures)
    result = replace(result, checks=checks)
    if output == "json":
        click.echo(json.dumps(_plain(result.to_dict()), indent=2))
    else:
        from sovereignmesh.cli.contract_table import print_quality  # noqa: PLC0415

        figured = [(name, getattr(promised, f"min_{name}")) for name in figures[:3]]
        assert result.quality is not None, "check_contract measures it"
        click.echo(f"{printable(promised.product)}: {result.told_rows}")
        print_quality(result.quality, figured, checks)
    ctx.exit(_code(checks, "low"))
