"""What every pair of commands `plan` and `apply` does alike: show, ask, carry out, tell, and how it ends."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sovereignmesh.cli.common import Interruptions, azure_options, coloured, find_mesh, open_azure, tell_forgotten
from sovereignmesh.errors import SovereignMeshError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.azure import Azure
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.plan import Applied, Key, Outcome, Plan
    from sovereignmesh.plan.text import Line

__all__ = ["apply_options", "apply_plan", "plan_options", "print_json", "show_plan"]

Planned = TypeVar("Planned", bound="Plan")
Command = TypeVar("Command", bound="Callable[..., Any]")

_MESH: Final = click.argument("mesh", required=False, type=click.Path(path_type=Path))
_PLAN: Final = (
    click.option("--detailed-exitcode", is_flag=True, help="Exit 3 where there is something to do."),
    click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True),
)
_APPLY: Final = (
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option("--expect", metavar="DIGEST", help="Apply only the plan with this digest, as `plan` showed it."),
    click.option(
        "--force",
        is_flag=True,
        help="Go on with a plan that holds itself back, as it says, as for changing more than 30% of what is there.",
    ),
    click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="json, with --yes: the plan, and in `applied` what became of each change.",
    ),
)


def plan_options(*own: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """The options of a `plan`, its own among them; `show_plan` takes the others."""
    return _options(own, _PLAN)


def apply_options(*own: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """The options of an `apply`, its own among them; `apply_plan` takes the others."""
    return _options(own, _APPLY)


def _options(
    own: tuple[Callable[[Any], Any], ...], common: tuple[Callable[[Any], Any], ...]
) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed((_MESH, *own, azure_options, *common)):
            command = option(command)
        return command

    return add


def show_plan(
    plan: Callable[[Azure, Mesh], Plan], *, mesh: Path | None, detailed_exitcode: bool, output: str, **where: Any
) -> None:
    """Shows what `plan` finds of a mesh, and ends the command."""
    azure, estate = open_azure(**where)
    with azure:
        found = plan(azure, load_mesh(find_mesh(mesh, estate)))
    if output == "json":
        print_json(found.to_dict())
    else:
        _show(found)
    code = 3 if detailed_exitcode and not found.empty else 0
    if found.errors or not found.complete:
        code = 1 if found.errors else 4
    click.get_current_context().exit(code)


def apply_plan(
    plan: Callable[[Azure, Mesh], Planned],
    apply: Callable[..., Applied],
    *,
    mesh: Path | None,
    yes: bool,
    expect: str | None,
    force: bool,
    output: str,
    **where: Any,
) -> None:
    """Shows what `plan` finds of a mesh, asks, lets `apply` carry it out, and ends the command.

    `apply` takes the plan, and `expect`, `force`, `on_outcome` and `stopped` as `apply_purview` does.
    """
    azure, estate = open_azure(**where)
    with azure:
        folder = find_mesh(mesh, estate)
        code = _applied(azure, lambda: plan(azure, load_mesh(folder)), apply, yes, expect, force, output, where)
    click.get_current_context().exit(code)


def _applied(
    azure: Azure,
    plan_now: Callable[[], Planned],
    apply: Callable[..., Applied],
    yes: bool,
    expect: str | None,
    force: bool,
    output: str,
    where: dict[str, Any],
) -> int:
    if output == "json" and not yes:
        raise click.UsageError("--format json leaves no place for a question: add --yes")
    found = plan_now()
    if output == "text":
        _show(found)
    if found.errors or found.empty:
        _tell_applied(found, None, output)
        if found.errors:
            raise click.ClickException("nothing was sent, since the plan has errors: they are above")
        return 0 if found.complete else 4
    if not yes:
        _ask(found)
    # Minutes may have passed: what is applied is what was looked at.
    planned, digest = (found, expect) if yes else (plan_now(), expect or found.digest)
    whole = _carry_out(azure, planned, partial(apply, planned, expect=digest, force=force), output)
    tell_forgotten("written to", **where)
    return 0 if whole and planned.complete else 4


def _carry_out(azure: Azure, found: Plan, apply: Callable[..., Applied], output: str) -> bool:
    """Carries the plan out and tells each outcome, on standard error where standard output is for JSON.

    An interruption lets what is under way end, and tells that too. Whether all is done, and somebody could be told.
    """
    from sovereignmesh.plan import Applied, Outcome, outcome_line  # noqa: PLC0415

    stop = threading.Event()
    seen: dict[Key, Outcome] = {}

    def interrupt() -> None:
        stop.set()
        azure.pace.stop()

    def tell(outcome: Outcome) -> None:
        seen[outcome.change.key] = outcome
        with suppress(OSError):  # nobody reads on: what was begun is done all the same
            _echo(outcome_line(outcome), err=output == "json")

    with Interruptions(interrupt):
        try:
            applied = apply(on_outcome=tell, stopped=stop.is_set)
        except SovereignMeshError as error:
            if not seen:
                _tell_applied(found, None, output)
                raise
            # What was written before is told, and that nobody looked whether it shows; the rest is left.
            ended = f"the run ended: {error}"
            told = [Outcome(each.change, "failed", ended) if each.state == "done" else each for each in seen.values()]
            rest = [Outcome(each, "left", ended) for each in found.changes if each.key not in seen]
            _tell_applied(found, Applied((*told, *rest)), output)
            click.echo(printable(f"Error: {error}"), err=True)
            return False
        return _tell_applied(found, applied, output) and applied.complete


def _tell_applied(found: Plan, applied: Applied | None, output: str) -> bool:
    """Tells the end of an apply; False where something was written, and nobody could be told."""
    try:
        if output == "json":
            print_json({**found.to_dict(), "applied": applied and applied.to_dict()})
        elif applied is not None:
            click.echo(applied.summary)
    except OSError as error:
        if applied is None:
            raise
        with suppress(OSError):
            click.echo(f"it was written, and could not be told: {error.strerror}", err=True)
        return False
    return True


def print_json(value: object) -> None:
    """A result as JSON."""
    json.dump(value, sys.stdout, indent=2, default=str)
    click.echo()


def is_somebody_there() -> bool:
    """Whether a question would reach a person."""
    return sys.stdin.isatty()


def _ask(found: Plan) -> None:
    if not is_somebody_there():
        raise click.ClickException("nobody is there to ask: add --yes, and --expect with the digest that was looked at")
    deleted = found.count("delete")
    what = f"{len(found.changes)} changes" + (f", {deleted} of them deletions" if deleted else "")
    click.confirm(f"Apply these {what}?", abort=True)


def _show(found: Plan) -> None:
    from sovereignmesh.plan import plan_lines  # noqa: PLC0415

    for line in plan_lines(found):
        _echo(line)


def _echo(line: Line, *, err: bool = False) -> None:
    click.echo(coloured(line.text, line.colour), err=err)
