"""Asking for access to a product's data, for a domain that a contract lets have it."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sovereignmesh.access.record import Entry
from sovereignmesh.azure.caller import find_caller
from sovereignmesh.azure.purview import Operation, connect_purview
from sovereignmesh.azure.purview.workflow import GRANT_ACCESS
from sovereignmesh.errors import AccessError, AzureError, NotFoundError, RecordError, SignInError
from sovereignmesh.mesh.words import did_you_mean, listed
from sovereignmesh.plan import Item, compare
from sovereignmesh.purview.kinds import KINDS
from sovereignmesh.purview.tree import Tree
from sovereignmesh.purview.workflows import asks_approval, compile_workflows, exactly, no_service, workflow_id
from sovereignmesh.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sovereignmesh.access.record import AccessRecord
    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount, UserRequest
    from sovereignmesh.mesh import DataProduct, Mesh

__all__ = ["Submitted", "actor_of", "recorded", "request_access", "was_sent"]

_TIMED_OUT: Final = 408  # no answer in time: what was sent may have been taken all the same
_CLIENT: Final = frozenset(range(400, 500)) - {_TIMED_OUT}  # what the service refused; of all else nobody knows

_NOBODY_KNOWS: Final = "whether the service has taken it, nobody knows: look with `sovereignmesh access list`"
_SENT: Final = "It was sent."

_Error = TypeVar("_Error", bound=BaseException)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request that the service has taken: its id, the runs of workflows that it started, and who decides."""

    id: str
    runs: tuple[str, ...]
    product: str
    consumer: str
    approvers: tuple[str, ...]


def request_access(
    azure: Azure,
    mesh: Mesh,
    product: str,
    consumer: str,
    reason: str,
    *,
    record: AccessRecord,
    person: str = "",
    asset: str = "",
    account: str | PurviewAccount | None = None,
) -> Submitted:
    """Asks for access to the data of a product for a domain; what the service took.

    `person` is whom the access is for, a name of the mesh's directory or an object id: without it, the caller; `asset`
    is the GUID of an asset in the Data Map. `account` is another than the mesh names. Raises AccessError, before
    anything is sent, where no contract of the mesh lets the domain have it, or where nothing would approve it;
    RecordError, then too, where `record` cannot be written; an `AzureError` where the service refuses, which is
    recorded. One AccessError comes after it was sent, and has the id as `request`: the service took the request, and no
    workflow did; the record says that too. An interruption while it is sent is recorded as unknown.
    """
    wanted = _product(mesh, product)
    for_domain = _consumer(mesh, wanted, consumer)
    for_whom = mesh.object_id_of(person) if person else ""
    if for_whom is None:
        near = did_you_mean(person, mesh.directory)
        raise AccessError(f"nobody knows who '{person}' is: give an object id, or a name of the `directory`{near}")
    if not asks_approval(mesh):
        raise AccessError(
            "the mesh asks for no approval of access (accessControl.requireApproval), so that no workflow would take "
            "the request"
        )
    named = mesh.purview_document.model.account
    purview = connect_purview(named if account is None else account, azure)
    collection, approvers = _workflow(mesh, purview, wanted)
    payload: dict[str, Any] = {
        # What a payload holds is not documented. `dataAssetGuid` and `note` are what a public program sends
        # (PurviewConsortium); the rest says what is asked for, and comes back in the approval's task where it is kept.
        **({"dataAssetGuid": asset} if asset else {}),
        "collectionName": collection,
        "note": reason,
        "dataProduct": wanted.name,
        "consumer": for_domain,
        **({"requestedFor": for_whom} if for_whom else {}),
    }
    comment = f"{wanted.name} for {for_domain}: {reason}"
    entry = Entry(
        "request", "sending", purview.account.id, actor=actor_of(azure), product=wanted.name,
        consumer=for_domain, person=for_whom, comment=reason,
    )  # fmt: skip
    with recorded(record, entry) as accepted:
        told = purview.user_requests.submit(Operation(GRANT_ACCESS, payload), comment=comment)
        runs = tuple(run for operation in told.operations for run in operation.runs)
        lost = "" if runs else _no_workflow(told)
        accepted(request=told.id, runs=runs, actor=entry.actor or told.requestor, why=lost)
    if lost:
        raise AccessError(lost, request=told.id)
    return Submitted(told.id, runs, wanted.name, for_domain, approvers)


@contextlib.contextmanager
def recorded(record: AccessRecord, entry: Entry) -> Iterator[Callable[..., None]]:
    """Records that something is sent, before it is, and what came of it; what is given is called when it is accepted.

    Raises RecordError before anything is sent where that cannot be recorded. What is raised where the service has taken
    it, or nobody knows, `was_sent`; a KeyboardInterrupt says so too.
    """
    with record.writing() as add:
        add(entry)
        taken: Entry | None = None
        kept = False  # that it was taken

        def accepted(**told: Any) -> None:
            nonlocal taken
            taken = dataclasses.replace(entry, outcome="accepted", **told)
            keep(taken)

        def keep(done: Entry) -> None:
            nonlocal kept
            try:
                add(done)
                kept = True
            except RecordError as error:
                raise _sent(RecordError(f"{_taken(done)}, which nothing here records: {error}")) from error

        try:
            yield accepted
        except KeyboardInterrupt as error:
            what = f"interrupted: {_taken(taken)}" if taken else f"interrupted while it was sent; {_NOBODY_KNOWS}"
            if not taken:
                _end(add, dataclasses.replace(entry, outcome="unknown"), what, error)
            elif not kept:
                keep(taken)
            raise _sent(KeyboardInterrupt(what)) from error
        except AzureError as error:
            if error.status in _CLIENT or isinstance(error, SignInError):
                _end(add, dataclasses.replace(entry, outcome="refused"), str(error), error)
                raise
            what = f"{error}; {_NOBODY_KNOWS}"
            _end(add, dataclasses.replace(entry, outcome="unknown"), what, error)
            again = type(error)(
                what, status=error.status, code=error.code, request_id=error.request_id, target=error.target
            )
            raise _sent(again) from error


def _end(add: Callable[[Entry], None], entry: Entry, what: str, error: BaseException) -> None:
    """Records that something was not accepted, and why."""
    try:
        add(dataclasses.replace(entry, why=str(error) or what))
    except RecordError as lost:
        failed = RecordError(f"{what}; and nothing here records that: {lost}")
        raise failed if entry.outcome == "refused" else _sent(failed) from error


def was_sent(error: BaseException) -> bool:
    """Whether what ended with this error was sent: the service has taken it, or nobody knows."""
    return _SENT in getattr(error, "__notes__", ()) or (isinstance(error, AccessError) and bool(error.request))


def _sent(error: _Error) -> _Error:
    error.add_note(_SENT)
    return error


def _taken(done: Entry) -> str:
    return f"the service has taken the {done.action} of {done.request}"


def actor_of(azure: Azure) -> str:
    """Who is signed in: object id and name, "" where the token says neither."""
    return " ".join(filter(None, find_caller(azure, azure.cloud.purview_scope)))


def _no_workflow(told: UserRequest) -> str:
    return (
        f"the service took the request {told.id}, and no workflow did: its status is {told.status}, and nobody is "
        "asked. Look in the portal whether access was given, and plan the account again"
    )


def _product(mesh: Mesh, name: str) -> DataProduct:
    same = [one for one in mesh.products if one.name.casefold() == name.strip().casefold()]
    if len(same) == 1:
        return same[0]
    if same:
        raise AccessError(f"several domains have a product '{name}': {listed(one.domain for one in same)}")
    names = [one.name for one in mesh.products]
    raise AccessError(f"the mesh has no product '{name}'{did_you_mean(name, names)}; it has: {listed(names) or 'none'}")


def _consumer(mesh: Mesh, product: DataProduct, consumer: str) -> str:
    """The domain that a contract lets have a product. Raises AccessError where none does."""
    wanted = mesh.consumer_named(consumer)
    if wanted is None:
        near = did_you_mean(consumer, mesh.domains)
        raise AccessError(f"the mesh has no domain '{consumer}'{near}; it has: {listed(mesh.domains) or 'none'}")
    parties = [contract.consumer for contract in product.data_contracts]
    if wanted in map(mesh.consumer_named, parties):
        return wanted
    raise AccessError(
        f"no contract lets {wanted} have {product.name}: "
        + (f"its dataContracts are with {listed(parties)}" if parties else "it has no dataContracts")
        + f". Sharing is by contract: have one written in the product ({product.owner})"
    )


def _workflow(mesh: Mesh, purview: Purview, product: DataProduct) -> tuple[str, tuple[str, ...]]:
    """The collection of a product's domain, and who decides there. Raises AccessError where nobody would."""
    name = purview.account.name
    how = "; `sovereignmesh purview apply` makes it"
    body = _live_workflow(purview, product.domain)  # first of all: where there is no such service, nothing makes it
    live = list(purview.collections.list())
    tree = Tree(mesh.purview_document, live, name)
    collection = tree.find(product.domain)
    if collection is None or collection not in {one.name.casefold() for one in live}:
        raise AccessError(f"the account {name} has no collection of the domain {product.domain}{how}")
    if body is None:
        raise AccessError(f"the account {name} has no workflow that approves access to data of {product.domain}{how}")
    if found := _otherwise(mesh, tree, product.domain, body):
        raise AccessError(
            f"the workflow '{body.get('name')}' of the account {name} {found}: `sovereignmesh purview apply` mends it, "
            "and nothing was sent"
        )
    return collection, tuple(_approvers(mesh, body))


def _live_workflow(purview: Purview, domain: str) -> Mapping[str, Any] | None:
    """The workflow of a domain, None where there is none. Raises AccessError where the account has no workflows."""
    try:
        return purview.workflows.body(workflow_id(purview.account.id, domain)).body
    except NotFoundError:
        try:
            list(purview.workflows.list())
        except NotFoundError as error:
            raise AccessError(no_service(purview.account.name, str(error))) from error
    return None


def _otherwise(mesh: Mesh, tree: Tree, domain: str, body: Mapping[str, Any]) -> str:
    """What of a workflow is not as the mesh wants it, "" where all is. Raises AccessError where it wants none."""
    wishes = list(compile_workflows(mesh, tree))
    wish = next((one for one in wishes if isinstance(one, Item) and one.name.casefold() == domain.casefold()), None)
    if wish is None:
        wrong = [str(one) for one in wishes if isinstance(one, Problem)]
        raise AccessError("; ".join(wrong) or f"the mesh makes no workflow for {domain}: nothing was sent")
    whole = exactly(wish, Item("workflow", wish.name, dict(body)))
    differences = list(compare(whole.body, body, KINDS["workflow"]))
    if not differences:
        return ""
    if any(each.path == "isEnabled" for each in differences):
        return "is switched off"
    return f"is not as the mesh wants it ({listed(each.path for each in differences)})"


def _approvers(mesh: Mesh, body: Mapping[str, Any]) -> Iterator[str]:
    """Whom the workflow asks, as the mesh names them."""
    for action in body["actionDag"]["actions"].values():
        if action["type"] == "Approval":
            yield from map(mesh.name_of, action["inputs"]["parameters"]["assignedTo"])
