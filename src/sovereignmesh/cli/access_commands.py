"""`sovereignmesh access`: request, list, approve, reject."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import click

from sovereignmesh.cli.account import account_option
from sovereignmesh.cli.common import Interruptions, azure_options, find_mesh, folder_of, open_azure
from sovereignmesh.cli.plan_commands import print_json
from sovereignmesh.errors import SovereignMeshError
from sovereignmesh.mesh import Mesh, load_mesh
from sovereignmesh.mesh.values import is_object_id
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.access import AccessRecord
    from sovereignmesh.azure import Azure

__all__ = ["access"]

_FILE: Final = "access-record.jsonl"
_STATUSES: Final = (  # those of `sovereignmesh.access`; a test compares them
    "Pending", "Approved", "Rejected", "Canceled", "NotStarted", "InProgress", "Completed", "Failed", "Canceling",
    "CancellationFailed", "Refused", "Unknown",
)  # fmt: skip


@click.group(epilog="Example: sovereignmesh access list --state sandbox.json")
def access() -> None:
    """Access to a product's data: asked for by contract, approved by people, and recorded.

    The policy's `accessControl` says who approves, and `purview apply` makes the workflow that asks them. What is
    asked, decided and why is also kept in a file of your own: --record FILE.
    """


def _some_text(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("is empty: give some text")
    return value


def _guid(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_object_id(value.strip()):
        raise click.BadParameter(f"{value!r} is no GUID")
    return value and value.strip().lower()


def _file(_ctx: click.Context, _param: click.Parameter, file: Path | None) -> Path | None:
    if file == Path():  # what an empty text becomes; a folder is refused already
        raise click.BadParameter("is empty: name a file, or leave it out")
    return file and folder_of(file)


_WHERE: Final = (
    click.option(
        "--mesh", metavar="DIR", type=click.Path(path_type=Path), help="The mesh (default ./mesh, or the estate's)."
    ),
    account_option,
    click.option(
        "--record",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        callback=_file,
        help=f"The record of decisions (default {_FILE} in the mesh's folder, with --state beside the state).",
    ),
)


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_WHERE):
        command = option(command)
    return azure_options(command)


class _Opened(NamedTuple):
    """What every command works on."""

    azure: Azure
    mesh: Mesh
    account: str
    record: AccessRecord | None


@contextmanager
def _opened(mesh: Path | None, account: str | None, record: Path | None, where: dict[str, Any]) -> Iterator[_Opened]:
    """The Azure, the mesh, the account in it, and the record, None where a sandbox forgets all of it."""
    from sovereignmesh.access import AccessRecord  # noqa: PLC0415 - the SDK

    azure, estate = open_azure(**where)
    with azure:
        folder = find_mesh(mesh, estate)
        loaded = load_mesh(folder)
        state: Path | None = where["state"]
        if record is None and estate is not None:  # decisions in a sandbox are none
            record = state.with_name(f"{state.name}.{_FILE}") if state is not None else None
        elif record is None:
            record = (folder if folder.is_dir() else folder.parent) / _FILE
        yield _Opened(
            azure, loaded, account or loaded.purview_account, AccessRecord(record) if record is not None else None
        )


def _kept(record: AccessRecord | None) -> AccessRecord:
    if record is None:
        raise click.UsageError("a sandbox without a state forgets what is asked of it: add --state FILE")
    return record


@access.command(
    epilog='Example: sovereignmesh access request "Customer 360" --consumer Sales --reason Churn --state s.json'
)
@click.argument("product")
@click.option("--consumer", metavar="DOMAIN", required=True, help="The domain that is to have access.")
@click.option("--reason", metavar="TEXT", required=True, callback=_some_text, help="Why; the approvers read it.")
@click.option(
    "--for",
    "person",
    metavar="PERSON",
    callback=_some_text,
    help="Whom it is for: a name of the mesh's directory, or an object id (default: you).",
)
@click.option("--asset", metavar="GUID", callback=_guid, help="An asset in the Data Map, where not all are meant.")
@_where
def request(
    product: str,
    consumer: str,
    reason: str,
    person: str | None,
    asset: str | None,
    mesh: Path | None,
    account: str | None,
    record: Path | None,
    **where: Any,
) -> None:
    """Ask for access to the data of PRODUCT.

    It is for a domain that a contract lets have the data: without such a contract nothing is sent. The workflow of the
    product's domain asks its approvers.

    Exit codes: 0 asked, 1 not asked, 2 wrong usage, 4 sent, and nobody is asked: the service took the request, and no
    workflow did; or nobody knows whether it was taken, as where no answer came or the command was interrupted: `access
    list` tells; or it was taken, and could not be recorded or told.
    """
    from sovereignmesh.access import request_access  # noqa: PLC0415 - the SDK

    with _sending() as tell, _opened(mesh, account, record, where) as opened:
        told = request_access(
            opened.azure,
            opened.mesh,
            product,
            consumer,
            reason,
            record=_kept(opened.record),
            person=person or "",
            asset=asset or "",
            account=opened.account,
        )
        who = ", ".join(told.approvers)
        tell(
            f"asked for access to {told.product} for {told.consumer}: request {told.id}", f"one of these decides: {who}"
        )


@contextmanager
def _sending() -> Iterator[Callable[..., None]]:
    """What tells what became of something that was sent; exits with 4 where nobody knows, or nobody could be told."""
    from sovereignmesh.access.asking import was_sent  # noqa: PLC0415 - the SDK

    def tell(*lines: str) -> None:
        interruptions.enough()
        try:
            for line in lines:
                click.echo(printable(line))
        except OSError as error:
            with suppress(OSError):
                click.echo(printable(f"taken, and could not be told ({error.strerror}): {lines[0]}"), err=True)
            click.get_current_context().exit(4)

    with Interruptions() as interruptions:
        try:
            yield tell
        except (SovereignMeshError, KeyboardInterrupt) as error:
            if not was_sent(error):
                raise
            click.echo(printable(f"Error: {error}"), err=True)
            click.get_current_context().exit(4)


@access.command("list", epilog="Example: sovereignmesh access list --state sandbox.json --status Pending")
@_where
@click.option(
    "--status",
    "statuses",
    type=click.Choice(_STATUSES, case_sensitive=False),
    multiple=True,
    help="Only requests that are so; may be repeated.",
)
@click.option("--all", "everybody", is_flag=True, help="Those of everybody; takes the role Workflow Administrator.")
@click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def list_(
    ctx: click.Context,
    /,
    mesh: Path | None,
    account: str | None,
    record: Path | None,
    statuses: tuple[str, ...],
    everybody: bool,
    output: str,
    **where: Any,
) -> None:
    """List requests for access, who decided, and why.

    Who asked, and what for: those that you made, decided or have to decide, as far as the service knows them (90 days),
    then those that the record alone has.

    Exit codes: 0 listed, 1 it could not be read, 2 wrong usage, 4 not all could be read, or the record is not whole.
    """
    from dataclasses import replace  # noqa: PLC0415 - of this command alone

    from sovereignmesh.access import list_access  # noqa: PLC0415 - the SDK

    with _opened(mesh, account, record, where) as opened:
        found = list_access(opened.azure, opened.account, opened.record, mesh=opened.mesh, everybody=everybody)
    if statuses:
        found = replace(found, requests=tuple(one for one in found.requests if one.status in statuses))
    if output == "json":
        print_json(found.to_dict())
    else:
        from sovereignmesh.cli.access_table import print_access  # noqa: PLC0415 - rich is not needed for JSON

        which = f" is {' or '.join(statuses)}" if statuses else ""
        print_access(found, f"no request for access{which}")
    ctx.exit(0 if found.complete else 4)


@access.command(epilog="Example: sovereignmesh access approve 879fd1b1-275d-4cfa-bc5e-162fe9ade74a --state s.json")
@click.argument("request", callback=_guid)
@click.option("--comment", metavar="TEXT", callback=_some_text, help="Why; it is recorded.")
@_where
def approve(request: str, comment: str | None, **options: Any) -> None:
    """Approve REQUEST, an id that `access list` shows.

    Exit codes: 0 approved, 1 not approved, 2 wrong usage, 4 sent, and nobody knows whether it was taken, as where no
    answer came or the command was interrupted: `access list` tells; or it was taken, and could not be recorded or told.
    """
    _decide(request, "approve", comment or "", **options)


@access.command(
    epilog="Example: sovereignmesh access reject 879fd1b1-275d-4cfa-bc5e-162fe9ade74a --comment Why --state s.json"
)
@click.argument("request", callback=_guid)
@click.option("--comment", metavar="TEXT", required=True, callback=_some_text, help="Why; it is recorded.")
@_where
def reject(request: str, comment: str, **options: Any) -> None:
    """Reject REQUEST, an id that `access list` shows.

    Exit codes: 0 rejected, 1 not rejected, 2 wrong usage, 4 sent, and nobody knows whether it was taken, as where no
    answer came or the command was interrupted: `access list` tells; or it was taken, and could not be recorded or told.
    """
    _decide(request, "reject", comment, **options)


def _decide(
    request: str,
    decision: Literal["approve", "reject"],
    comment: str,
    *,
    mesh: Path | None,
    account: str | None,
    record: Path | None,
    **where: Any,
) -> None:
    from sovereignmesh.access import decide_access  # noqa: PLC0415 - the SDK

    with _sending() as tell, _opened(mesh, account, record, where) as opened:
        told = decide_access(
            opened.azure, opened.account, request, decision, comment=comment, record=_kept(opened.record)
        )  # fmt: skip
        about = f" ({told.product} for {told.consumer})" if told.product else ""
        status = told.status or "taken; its status could not be read"
        tell(f"request {told.request}{about}: {status} (task {told.task})")
