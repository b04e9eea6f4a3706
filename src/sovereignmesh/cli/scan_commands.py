"""`sovereignmesh scan`: run, watch, history, cancel."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sovereignmesh.cli.account import account_option
from sovereignmesh.cli.common import Interruptions, azure_options, duration, find_mesh, open_azure, tell_forgotten
from sovereignmesh.cli.plan_commands import print_json
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from uuid import UUID

    from sovereignmesh.scans import Level, ScanRuns, Watching
    from sovereignmesh.scans.progress import Tell

__all__ = ["scan"]

_FIND_AGAIN: Final = (
    "what was started goes on; `sovereignmesh scan watch` finds it again, and what ended meanwhile stands in "
    "`sovereignmesh scan history`"
)
_NOT_THERE: Final = ": 404 "  # as errors of an answer say it
_WHICH: Final = (
    "`sovereignmesh purview status` shows which sources and scans there are, `sovereignmesh scan history` their runs"
)


@click.group(epilog="Example: sovereignmesh scan run --all --wait --sandbox")
def scan() -> None:
    """The scans of a Purview account: run them, and know that they ran.

    A scan is told by its source and its name. The account is the one that the mesh's document `purview` names.
    """


_WHERE: Final = (
    click.option(
        "--mesh", metavar="DIR", type=click.Path(path_type=Path), help="The mesh that names the account (./mesh)."
    ),
    account_option,
    azure_options,
    click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True),
)
_TIMEOUT: Final = click.option(
    "--timeout",
    metavar="DURATION",
    callback=duration,
    help="Stop watching after 90s (or 90), 15m, 2h; what runs goes on.",
)


def _name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """A name that is one; an argument's callback: an empty one would stand for all."""
    if value is not None and not value.strip():
        raise click.BadParameter("is empty: give a name")
    return value


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_WHERE):
        command = option(command)
    return command


@scan.command(
    epilog="Examples: sovereignmesh scan run sales-lake weekly --wait; sovereignmesh scan run --all --wait --sandbox"
)
@click.argument("source", required=False, callback=_name)
@click.argument("scan", required=False, callback=_name)
@click.option("--all", "every", is_flag=True, help="Every scan of the account.")
@click.option(
    "--level",
    type=click.Choice(["incremental", "full"], case_sensitive=False),
    default="incremental",
    show_default=True,
    help="incremental: what is new or has changed since the last run; full: everything.",
)
@click.option("--wait", is_flag=True, help="Follow the runs to their ends.")
@_TIMEOUT
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    help="With --all and --wait: how many run at once (default 5, as many as Purview runs by default).",
)
@click.option(
    "--run-id", metavar="GUID", type=click.UUID, help="The run's id; where a run has it, that one is followed."
)
@_where
@click.pass_context
def run(
    ctx: click.Context,
    /,
    source: str | None,
    scan: str | None,
    every: bool,
    level: Level,
    wait: bool,
    timeout: float | None,
    concurrency: int | None,
    run_id: UUID | None,
    **where: Any,
) -> None:
    """Start a run of a scan, or of every scan of the account.

    The id of each run is told before it is started: after a command that was cut off, `scan watch` finds what runs, and
    what ended meanwhile stands in `scan history`.

    Exit codes: 0 started, with --wait: all succeeded; 1 could not run, 2 wrong usage, 3 with --wait: one failed, was
    cancelled, or ended with exceptions or with a status that nobody knows; 4 one could not be started, or was not
    followed to its end, or with --all not every scan was seen: none is there, or you lack the role that shows them, as
    for one that the mesh wishes and no list shows.
    """
    from sovereignmesh.scans import AT_ONCE, run_scan, run_scans  # noqa: PLC0415 - the SDK

    if {source is not None, scan is not None} != {not every}:
        raise click.UsageError("give the SOURCE and the SCAN, or --all")
    for option, given, fits, why in (
        ("--timeout", timeout, wait, "of --wait: without it nothing is waited for"),
        ("--concurrency", concurrency, wait and every, "of --all with --wait: otherwise Purview alone decides"),
        ("--run-id", run_id, not every, "of one run: leave it out with --all"),
    ):
        if given is not None and not fits:
            raise click.UsageError(f"{option} is {why}")
    asked: dict[str, Any] = {"level": level, "wait": wait, "timeout": timeout}
    if every:
        work = partial(run_scans, concurrency=concurrency or AT_ONCE, **asked)
    else:
        work = partial(run_scan, source=source or "", scan=scan or "", run_id=str(run_id) if run_id else None, **asked)
    with _carried_out(work, expects=every, **where) as found:
        if not wait and _begun(found):
            tell_forgotten("started in", **where)
        code = _tell(found, "nothing was run", done="what is named above was started", **where)
    ctx.exit(code)


@scan.command(epilog="Example: sovereignmesh scan watch --state sandbox.json")
@click.argument("source", required=False, callback=_name)
@click.argument("scan", required=False, callback=_name)
@_TIMEOUT
@_where
@click.pass_context
def watch(ctx: click.Context, /, source: str | None, scan: str | None, timeout: float | None, **where: Any) -> None:
    """Follow every run that has not ended to its end.

    Of one scan, of all of a SOURCE, or of the whole account; whoever started it.

    Exit codes: 0 all succeeded, or none was running; 1 could not run, 2 wrong usage, 3 one failed, was cancelled, or
    ended with exceptions or with a status that nobody knows; 4 one was not followed to its end, or not all could be
    read: there is no scan, or you lack the role that shows them, as for one that the mesh wishes and no list shows.
    """
    from sovereignmesh.scans import watch_scans  # noqa: PLC0415 - the SDK

    work = partial(watch_scans, source=source, scan=scan, timeout=timeout)
    with _carried_out(work, expects=True, **where) as found:
        code = _tell(found, f"no run{_of(source, scan)} is under way", **where)
    ctx.exit(code)


@scan.command(epilog="Example: sovereignmesh scan history stsalesprodarchive monthly --sandbox")
@click.argument("source", required=False, callback=_name)
@click.argument("scan", required=False, callback=_name)
@_where
@click.pass_context
def history(ctx: click.Context, /, source: str | None, scan: str | None, **where: Any) -> None:
    """Show the runs that there were, newest first.

    Of one scan, of all of a SOURCE, or of the whole account, those that a trigger started among them. Only reads.

    Exit codes: 0 shown, 1 it could not be read, 2 wrong usage, 4 not all could be read: there is no scan, or you lack
    the role that shows them, as for one that the mesh wishes and no list shows.
    """
    from sovereignmesh.scans import scan_history  # noqa: PLC0415 - the SDK

    found = _with_account(partial(scan_history, source=source, scan=scan), expects=True, **where)
    ctx.exit(_tell(found, f"there was no run{_of(source, scan)}", **where))


@scan.command(epilog="Example: sovereignmesh scan cancel sales-lake weekly --state sandbox.json")
@click.argument("source", callback=_name)
@click.argument("scan", callback=_name)
@click.argument("run_id", required=False, type=click.UUID)
@_where
@click.pass_context
def cancel(ctx: click.Context, /, source: str, scan: str, run_id: UUID | None, **where: Any) -> None:
    """Ask a run to end, or all runs of a scan.

    Without RUN_ID it is all runs of the scan that have not ended.

    Exit codes: 0 asked, or nothing was running, or the run had ended already; 1 could not run, 2 wrong usage, 4 one
    could not be asked or read.
    """
    from sovereignmesh.scans import cancel_scan  # noqa: PLC0415 - the SDK

    given = str(run_id) if run_id else None
    found = _with_account(partial(cancel_scan, source=source, scan=scan, run_id=given), **where)
    nothing = f"no run{_of(source, scan)} is under way"
    code = _tell(found, nothing, done="what was under way was asked to end", **where)
    for each in found.runs:
        if each.ended_before:
            said = f"run {each.id} of {each.name} had ended already ({each.status}): nothing was cancelled"
            click.echo(printable(said), err=True)
    ctx.exit(code)


def _of(source: str | None, scan: str | None) -> str:
    """What a command was asked about, after `run`; "" for the whole account."""
    return f" of {'/'.join(filter(None, (source, scan)))}" if source else ""


def _with_account(
    work: Callable[..., ScanRuns],
    mesh: Path | None,
    account: str | None,
    output: str,
    *,
    expects: bool = False,
    **azure: Any,
) -> ScanRuns:
    """What comes of the work; one that `expects` is told what the mesh wishes, unless another account is given."""
    del output
    connected, estate = open_azure(**azure)
    with connected:
        if account:
            return work(connected, account)
        from sovereignmesh.purview.sources import wished_scans  # noqa: PLC0415 - the SDK

        loaded = load_mesh(find_mesh(mesh, estate))
        name, wish = loaded.purview_account, loaded.purview_document.model
        return work(connected, name, **({"expected": wished_scans(wish)} if expects else {}))


@contextmanager
def _carried_out(work: Callable[..., ScanRuns], **where: Any) -> Iterator[ScanRuns]:
    """Lets runs be followed; the first interruption ends the watching, and none loses what is told of the result."""
    with Interruptions() as interruptions:
        try:
            found = _with_account(partial(work, progress=_progress), **where)
        except KeyboardInterrupt:
            click.echo("interrupted before anything was started or followed", err=True)
            click.get_current_context().exit(4)
        interruptions.enough()
        yield found


def _progress(watching: Watching) -> AbstractContextManager[Tell]:
    """A table that moves on a terminal, else a line for each change."""
    if sys.stderr.isatty():
        from sovereignmesh.cli.scan_table import follow_runs  # noqa: PLC0415 - rich, on a terminal only

        return follow_runs(watching)
    from sovereignmesh.scans.progress import show_runs  # noqa: PLC0415 - the SDK

    return show_runs(watching)


def _begun(found: ScanRuns) -> bool:
    """Whether something was, or may have been, started or followed."""
    return any(run.run or run.unsure for run in found.runs)


def _tell(found: ScanRuns, nothing: str, *, done: str = "", output: str, **where: Any) -> int:
    """Shows the runs; the exit code, 4 where something was `done`, and could not be told."""
    try:
        if output == "json":
            print_json(found.to_dict())
        else:
            from sovereignmesh.cli.scan_table import print_runs  # noqa: PLC0415 - rich is not needed for JSON

            print_runs(found, nothing)
    except OSError as error:
        if not done or not _begun(found):
            raise
        with suppress(OSError):
            click.echo(f"{done}, and could not be told: {error.strerror}; see `sovereignmesh scan history`", err=True)
        return 4
    if any(_NOT_THERE in why for why in (*(run.why for run in found.runs), *(each.why for each in found.unread))):
        click.echo(_WHICH, err=True)
    if found.stopped:
        next_ = f": {_FIND_AGAIN}" if _begun(found) else " before anything was started or followed"
        click.echo(printable(f"no longer watching ({found.stopped}){next_}"), err=True)
        if _begun(found):
            tell_forgotten("started in", **where)
    if not found.complete:
        return 4
    return 3 if found.waited and not found.succeeded else 0
