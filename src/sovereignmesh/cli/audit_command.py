"""`sovereignmesh audit`."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from sovereignmesh.audit import Depth, DepthForecast, Inventory, audit_azure, audit_inventory
from sovereignmesh.cli.audit_options import audit_options, exit_code, say, tell_audit
from sovereignmesh.cli.common import Interruptions, azure_options, duration, find_mesh, folder_of, open_azure
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import AZURE_CHECKS, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.audit.depth import DeepInventory
    from sovereignmesh.azure import AzureInventory, Forecast
    from sovereignmesh.result import Audit

__all__ = ["audit"]

_WORTH_A_BAR: Final = 8_000_000  # bytes: about a second's work
_OPTIONS: Final = {"subscriptions": "subscription", "management_groups": "management-group", "faults": "fault"}
_MINUTES: Final = 120  # seconds from which they are told in minutes
_WORTH_A_WORD: Final = 5  # seconds that a reading will last


def _in_a_folder(_ctx: click.Context, _param: click.Parameter, file: Path | None) -> Path | None:
    return file and folder_of(file)


@click.command(
    epilog="Examples: sovereignmesh audit --sandbox; sovereignmesh audit mesh --subscription sales-prod -o findings.csv"
)
@click.argument("mesh", required=False, type=click.Path(path_type=Path))
@click.option(
    "--subscription",
    "subscriptions",
    metavar="ID|NAME",
    multiple=True,
    help="Only this subscription; may be repeated. Without it: all that you can see, and all that the mesh lists.",
)
@click.option(
    "--management-group",
    "management_groups",
    metavar="ID",
    multiple=True,
    help="The subscriptions below this management group; may be repeated.",
)
@click.option(
    "--exclude", metavar="ID|NAME", multiple=True, help="Not this subscription or management group; may be repeated."
)
@click.option(
    "--deadline",
    metavar="DURATION",
    callback=duration,
    help="End by then with what has been read: 90s (or 90), 15m, 2h.",
)
@click.option(
    "--depth",
    type=click.Choice(get_args(Depth)),
    help="inventory: the list of resources alone; full (the default): also what only their children tell, which takes "
    "more calls.",
)
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_in_a_folder,
    help="Keep what is read of the children in FILE, and go on from what it holds after a run that was cut off.",
)
@click.option("--compare-azure-policy", is_flag=True, help="Set Azure Policy's compliance states beside the findings.")
@click.option(
    "--honour-azure-exemptions", is_flag=True, help="Findings that Azure Policy's exemptions are for are exempt."
)
@click.option(
    "--inventory",
    metavar="FILE",
    help="Audit an export of resources instead: JSON lines, a JSON array, `az graph query` output, gzip of these; or "
    "what is planned: ARM's what-if, a compiled ARM template, `terraform show -json`; - reads standard input.",
)
@azure_options
@audit_options(AZURE_CHECKS)
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    mesh: Path | None,
    inventory: str | None,
    checks: tuple[Any, ...],
    fail_on: Any,
    allow_unknown: bool,
    show_compliant: bool,
    output: str,
    reports: tuple[Path, ...],
    **live: Any,
) -> None:
    """Audit live Azure subscriptions against the mesh in MESH (default ./mesh).

    The role Reader at the subscriptions suffices; nothing is written. With --sandbox no account is needed, and without
    MESH the estate's own mesh is used.

    Exit codes: 0 compliant and complete, 1 could not run, 2 wrong usage, 3 findings at --fail-on, 4 incomplete.
    """
    asked = {"checks": checks or None, "show_compliant": show_compliant}
    with Interruptions() if inventory is None else nullcontext() as interruptions:
        if inventory is None:
            assert interruptions is not None, "of a live audit"
            result = _audit_live(mesh, reports, asked, interruptions, **live)
        else:
            if strange := [f"--{_OPTIONS.get(name, name).replace('_', '-')}" for name, value in live.items() if value]:
                raise click.UsageError(f"{', '.join(strange)}: of a live audit; an --inventory holds what it holds")
            result = _audit_export(mesh, inventory, reports, asked)
        tell_audit(result, reports, output, live["resume"])
        if live["resume"] and result.complete:
            _forget(live["resume"])
    ctx.exit(exit_code(result, fail_on, allow_unknown=allow_unknown))


def _forget(checkpoint: Path) -> None:
    """Removes a checkpoint that has done its work: the result is written, and nothing of it can be lost any more."""
    try:
        checkpoint.unlink(missing_ok=True)
    except OSError as error:
        say(f"{printable(str(checkpoint))} is of no more use and could not be removed: {error.strerror}")


def _audit_live(
    mesh: Path | None,
    reports: tuple[Path, ...],
    asked: dict[str, Any],
    interruptions: Interruptions,
    *,
    subscriptions: tuple[str, ...],
    management_groups: tuple[str, ...],
    exclude: tuple[str, ...],
    deadline: float | None,
    depth: Depth | None,
    resume: Path | None,
    compare_azure_policy: bool,
    honour_azure_exemptions: bool,
    **where: Any,
) -> Audit:
    if resume and depth == "inventory":
        raise click.UsageError("--resume is of the children, which --depth inventory does not read")
    if resume and resume.resolve() in [file.resolve() for file in reports]:
        raise click.UsageError(f"{resume} is what --resume keeps: write the report elsewhere")
    azure, estate = open_azure(**where)
    with azure:
        return audit_azure(
            azure,
            load_mesh(find_mesh(mesh, estate)),
            subscriptions=subscriptions,
            management_groups=management_groups,
            exclude=exclude,
            deadline=deadline,
            depth=depth or "full",
            resume=resume,
            forget=False,
            compare_azure_policy=compare_azure_policy,
            honour_azure_exemptions=honour_azure_exemptions,
            on_forecast=_say_forecast,
            progress=partial(_watched, interruptions),
            **asked,
        )


def _audit_export(mesh: Path | None, inventory: str, reports: tuple[Path, ...], asked: dict[str, Any]) -> Audit:
    for file in reports:
        if file.exists() and inventory != "-" and file.samefile(inventory):
            raise click.UsageError(f"{file} is the inventory: write the report elsewhere")
    wish = load_mesh(find_mesh(mesh))
    export = Inventory(inventory)
    with _progress(export):
        return audit_inventory(export, wish, **asked)


def _say_forecast(forecast: Forecast | DepthForecast) -> None:
    """Says what the reading will cost where that is worth a word."""
    if isinstance(forecast, DepthForecast):
        _say_depth(forecast)
    elif forecast.seconds >= _WORTH_A_WORD:
        say(
            f"{forecast.rows:,} rows in {forecast.queries:,} queries of Resource Graph, and {forecast.other_calls:,} "
            f"other calls: at least {forecast.seconds} s, as 15 queries in 5 s are allowed"
        )


def _say_depth(forecast: DepthForecast) -> None:
    calls = sum(forecast.calls.values())
    if not calls:
        return
    known = f", {forecast.known:,} of them known from --resume" if forecast.known else ""
    how_long = f", at least {_in_words(forecast.seconds)}" if forecast.seconds else ""
    say(
        f"reading the children of {forecast.resources:,} resources: {calls:,} reads{known}, in about "
        f"{forecast.requests:,} requests{how_long}"
    )


def _in_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < _MINUTES else f"{-(-seconds // 60)} min"


@contextmanager
def _watched(interruptions: Interruptions, inventory: AzureInventory | DeepInventory) -> Iterator[None]:
    """A bar while the subscriptions are read; once they are, nothing may lose what was."""
    with _live_progress(inventory):
        yield
    interruptions.enough()


def _live_progress(inventory: AzureInventory | DeepInventory) -> AbstractContextManager[object]:
    """A bar on a terminal while the subscriptions are read."""
    if not sys.stderr.isatty():
        return nullcontext()
    from sovereignmesh.result.progress import follow  # noqa: PLC0415 - rich, on a terminal only

    count = len(inventory.asked.visible)
    title = f"Reading {count} subscription{'' if count == 1 else 's'}"
    return follow(lambda: inventory.position, lambda: inventory.size, title)


def _progress(export: Inventory) -> AbstractContextManager[object]:
    """A bar on a terminal where the export is worth one."""
    if export.size < _WORTH_A_BAR or not sys.stderr.isatty():
        return nullcontext()
    from sovereignmesh.result.progress import follow  # noqa: PLC0415 - rich, for large files only

    return follow(lambda: export.position, lambda: export.size, f"Auditing {Path(export.name).name}")
