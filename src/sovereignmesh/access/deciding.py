"""Approving or rejecting what somebody asked for."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar

from sovereignmesh.access.asking import actor_of, recorded
from sovereignmesh.access.record import Entry
from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.azure.purview.workflow import GRANT_ACCESS
from sovereignmesh.errors import (
    AccessError,
    AnswerError,
    AzureError,
    DeniedError,
    NotFoundError,
    RecordError,
    RejectedError,
)
from sovereignmesh.purview.workflows import no_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.access.record import AccessRecord
    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount, WorkflowRun, WorkflowTask

__all__ = ["WINDOW", "Decided", "Decision", "decide_access", "readable_of", "runs_in", "tasks_of", "text_in"]

Decision = Literal["approve", "reject"]
_RECEIVED: Final = "received"  # what the caller is to decide; the other views show what others are
_VIEWS: Final = ("sent", _RECEIVED, "history")  # all that somebody has to do with
_PENDING: Final = "Pending"
WINDOW: Final = "90d"  # the longest that the service knows
_REPLIES: Final = {"approve": "Approved", "reject": "Rejected"}

_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided: the request, what it was about, the approval's status since, "" if not known, and its task."""

    request: str
    product: str
    consumer: str
    status: str
    task: str


def decide_access(
    azure: Azure,
    account: str | PurviewAccount,
    request: str,
    decision: Decision,
    *,
    comment: str,
    record: AccessRecord,
) -> Decided:
    """Approves or rejects a request for access, as the caller; what came of it.

    `request` is its id as `list_access` gives it. Raises AccessError, before anything is sent, where the caller has
    nothing to decide there; RecordError, then too, where `record` cannot be written; an `AzureError` where the service
    refuses, which is recorded. An interruption while it is sent is recorded too, as unknown.
    """
    purview = connect_purview(account, azure)
    task, named = _task(purview, request.strip().lower(), record)
    entry = Entry(
        decision, "sending", purview.account.id, actor=actor_of(azure), request=named,
        runs=(task.run,), product=text_in(task, "dataProduct"), consumer=text_in(task, "consumer"), comment=comment,
    )  # fmt: skip
    with recorded(record, entry) as accepted:
        send = purview.workflow_tasks.approve if decision == "approve" else purview.workflow_tasks.reject
        send(task.id, comment)
        accepted()
        after = _after(purview, task)
        if not entry.actor and (who := _who(task, after, _REPLIES[decision])):
            with contextlib.suppress(RecordError):  # that it was decided is recorded
                accepted(actor=who)
    return Decided(entry.request, entry.product, entry.consumer, after.status if after else "", task.id)


def text_in(asked: WorkflowTask | WorkflowRun | None, key: str) -> str:
    """What the request of a task or a run says under a key, "" where it does not."""
    value = asked.payload.get(key) if asked else None
    return value if isinstance(value, str) else ""


class _Found(NamedTuple):
    """The task in which the caller decides a request, and the request's id as the service has it."""

    task: WorkflowTask
    request: str


def _task(purview: Purview, request: str, record: AccessRecord) -> _Found:
    """The task in which the caller decides a request. Raises AccessError where there is none, or none any more.

    Which request a task is of, the service says; where it does not, the first run of a request bears its id, as was
    recorded, and the record has the others.
    """
    told = record.read()
    known = () if told.broken else runs_in(told.entries, purview.account.id).items()
    wanted = {request, *(run for run, name in known if name == request)}

    def of_it(tasks: Iterable[WorkflowTask]) -> list[WorkflowTask]:
        return [task for task in tasks if wanted & {task.id, task.run} and task.asks == GRANT_ACCESS]

    unread: list[AnswerError] = []
    try:
        readable = readable_of(_view(purview, _RECEIVED), unread.append)
        received = [one for one in readable if one.asks == GRANT_ACCESS and one.status == _PENDING]
        likely = of_it(received)
        for task in (*likely, *(one for one in received if one not in likely)):
            said = _request_of(purview, task)
            if request in (said, task.id, task.run) or (not said and task in likely):
                return _Found(task, said or request)
        others = [task for task in of_it(tasks_of(purview, unread.append)) if task not in received]
        found = sorted(others, key=lambda task: task.status != _PENDING)
    except NotFoundError as error:
        raise AccessError(no_service(purview.account.name, str(error))) from error
    unused = f"; the record {record.path} is not whole ({told.broken}), and was not used" if told.broken else ""
    unseen = f"; not every approval can be read: {unread[0]}" if unread else ""
    raise AccessError(_why_not(found, request, purview.account.name) + unused + unseen)


def runs_in(entries: Iterable[Entry], account: str) -> dict[str, str]:
    """The request of each run that the service has told, in an account, as a record has them."""
    return {
        run: entry.request
        for entry in entries
        if (entry.action, entry.outcome) == ("request", "accepted") and entry.account.casefold() == account.casefold()
        for run in entry.runs
    }


def _request_of(purview: Purview, task: WorkflowTask) -> str:
    """The request that a task is of, "" where the service does not say it to the caller."""
    try:
        return purview.workflow_runs.get(task.run).request.lower()
    except (DeniedError, NotFoundError, RejectedError, AnswerError):
        return ""


def _why_not(found: list[WorkflowTask], request: str, account: str) -> str:
    """Why the caller has nothing to decide, of the tasks of a request that they may see, the pending one first."""
    if not found:
        return (
            f"the account {account} shows you no request {request}: you are none of its approvers, it is older than "
            f"{WINDOW}, or there is none; `sovereignmesh access list` shows those that are"
        )
    task = found[0]
    if task.status == _PENDING:
        who = ", ".join(one.id for one in task.approvers if one.reply == _PENDING) or "nobody who is told"
        return f"the request {request} is not yours to decide: it waits for {who}; nothing was sent"
    said = [f"{one.reply} by {one.id}" for one in task.approvers if one.reply != _PENDING]
    return (
        f"the request {request} is decided already ({task.status or 'unknown'}{': ' + ', '.join(said) if said else ''})"
    )


def readable_of(found: Iterator[_One], refuse: Callable[[AnswerError], None]) -> Iterator[_One]:
    """What of a list can be read; what cannot is refused alone: a `map` goes on after it."""
    while True:
        try:
            one = next(found)
        except StopIteration:
            return
        except AnswerError as error:
            refuse(error)
            continue
        yield one


def tasks_of(purview: Purview, refuse: Callable[[AnswerError], None]) -> Iterator[WorkflowTask]:
    """Every approval that the caller has asked for, has to give, or has given, each once; refuses the unreadable."""
    seen = set()
    for view in _VIEWS:
        for task in readable_of(_view(purview, view), refuse):
            if task.id not in seen:
                seen.add(task.id)
                yield task


def _view(purview: Purview, view: str) -> Iterator[WorkflowTask]:
    return purview.workflow_tasks.list(view, WINDOW, ("approval",))


def _after(purview: Purview, task: WorkflowTask) -> WorkflowTask | None:
    """The task since; None where it cannot be read, or nobody waits for it: what was decided is decided."""
    try:
        return purview.workflow_tasks.get(task.id)
    except (AzureError, KeyboardInterrupt):
        return None


def _who(before: WorkflowTask, after: WorkflowTask | None, reply: str) -> str:
    """Whose reply has come meanwhile, "" where that is not one alone."""
    known = {one.id for one in before.approvers if one.reply == reply}
    fresh = [one.id for one in after.approvers if one.reply == reply and one.id not in known] if after else []
    return fresh[0] if len(fresh) == 1 else ""
