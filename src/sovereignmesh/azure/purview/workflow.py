"""Workflows of a Purview account: what they do, what was asked of them, and who is to approve it.

https://learn.microsoft.com/rest/api/purview/workflowdataplane: the service of the classic Data Catalog, in preview.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview.line import Objects, segment
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from sovereignmesh.azure.purview.line import Line

__all__ = [
    "GRANT_ACCESS",
    "WORKFLOWS",
    "Approver",
    "Operation",
    "UserRequest",
    "UserRequests",
    "Violation",
    "Workflow",
    "WorkflowRun",
    "WorkflowRuns",
    "WorkflowTask",
    "WorkflowTasks",
    "Workflows",
]

WORKFLOWS: Final = "2023-10-01-preview"  # no release of this plane exists
GRANT_ACCESS: Final = "GrantDataAccess"  # the operation that asks for access to data


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow: when it runs, and what it does then.

    `triggers` and `actions` (the API's `actionDag`) are in the API's words; a list tells no actions. `id` is a GUID
    that whoever makes the workflow chooses.
    """

    id: str
    name: str
    triggers: tuple[Mapping[str, Any], ...]
    actions: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    enabled: bool = True

    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""
        return {
            "name": self.name,
            "description": self.description,
            "isEnabled": self.enabled,
            "triggers": [dict(trigger) for trigger in self.triggers],
            "actionDag": dict(self.actions),
        }

    @classmethod
    def of(cls, answer: Facts) -> Workflow:
        """The one that an answer describes."""
        actions = answer.within("actionDag").body if answer.body.get("actionDag") else {}
        return cls(
            _identity(answer, "id"),
            answer.text("name"),
            tuple(trigger.body for trigger in answer.each("triggers")),
            actions,
            answer.text("description"),
            answer.flag("isEnabled") is True,
        )


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with a workflow: `severity` is error or warning, `action` and `parameter` say where."""

    severity: str
    message: str
    action: str = ""
    parameter: str = ""

    @classmethod
    def of(cls, answer: Facts) -> Violation:
        """The one that an answer describes."""
        place = answer.within("location")
        return cls(
            answer.text("severity"), answer.text("message"), place.text("actionName"), place.text("parameterKey")
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """What somebody asks for, `GrantDataAccess` and others, and the ids of the runs that it has started."""

    type: str
    payload: Mapping[str, Any]
    runs: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Facts) -> Operation:
        """The one that an answer describes."""
        return cls(answer.text("type"), answer.within("payload").body, answer.texts("workflowRunIds"))


@dataclass(frozen=True, slots=True)
class UserRequest:
    """What the service made of a request; `status` is its word, and an open set: InProgress, Completed, Failed, ..."""

    id: str
    requestor: str
    status: str
    operations: tuple[Operation, ...]
    comment: str = ""

    @classmethod
    def of(cls, answer: Facts) -> UserRequest:
        """The one that an answer describes."""
        return cls(
            _identity(answer, "requestId"),
            answer.text("requestor"),
            answer.text("status"),
            tuple(map(Operation.of, answer.each("operations"))),
            answer.text("comment"),
        )


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of a workflow. `type`, `target` and `payload` are of what was asked for; a list tells no payload.

    `request` is the id of the user request, "" where it is not said; `status` is the service's word, and an open set.
    `approving` says whether an approval in it was begun and has not ended, which a list does not tell either.
    """

    id: str
    workflow: str
    requestor: str
    type: str
    target: str
    status: str
    request: str = ""
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    approving: bool = False

    @classmethod
    def of(cls, answer: Facts) -> WorkflowRun:
        """The one that an answer describes."""
        asked = answer.within("runPayload")
        return cls(
            _identity(answer, "id"),
            answer.text("workflowId"),
            answer.text("requestor"),
            asked.text("type"),
            asked.text("targetValue"),
            answer.text("status"),
            answer.text("userRequestId"),
            answer.time("startTime"),
            answer.time("endTime") or answer.time("cancelTime"),
            _payload(asked),
            any(_approving(answer.body)),
        )


@dataclass(frozen=True, slots=True)
class Approver:
    """Who is to approve: an object id, and the reply: Pending, Approved or Rejected, with comment and time."""

    id: str
    reply: str
    comment: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkflowTask:
    """What somebody has to do: approve (`type` Approval), or a task. `target` and `payload` are of what was asked for.

    `status` is the service's word, and an open set: Pending, Approved, Rejected, Canceled, and others of other tasks.
    """

    id: str
    type: str
    workflow: str
    run: str
    requestor: str
    asks: str
    target: str
    status: str
    title: str = ""
    approvers: tuple[Approver, ...] = ()
    created: dt.datetime | None = None
    updated: dt.datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Facts) -> WorkflowTask:
        """The one that an answer describes."""
        asked = answer.within("payload")
        approval = answer.text("type") == "Approval"
        # The specification requires neither detail; a task without one has a status that nobody knows.
        name = "approvalDetail" if approval else "taskDetail"
        detail = answer.within(name) if answer.body.get(name) else Facts({}, answer.place)
        return cls(
            _identity(answer, "id"),
            answer.text("type"),
            answer.text("workflowId"),
            answer.text("workflowRunId"),
            answer.text("requestor"),
            asked.text("type"),
            asked.text("targetValue"),
            detail.text("status"),
            answer.text("title"),
            tuple(_approvers(detail)) if approval else (),
            answer.time("createdTime"),
            answer.time("lastUpdateTime"),
            _payload(asked),
        )


def _identity(answer: Facts, name: str) -> str:
    found = answer.text(name)
    if not found:
        raise AnswerError(f"{answer.place}: an answer without `{name}`")
    return found


def _payload(asked: Facts) -> Mapping[str, Any]:
    return asked.within("payload").body if asked.body.get("payload") else {}


def _approving(body: Mapping[str, Any]) -> Iterator[bool]:
    """By approval that a run begins with, whether it goes on: in the words of the official example GetWorkflowRun."""
    made, done = (_actions(body.get(name)) for name in ("actionDag", "detail"))
    for name, action in made.items():
        now = done.get(name)
        if isinstance(action, dict) and isinstance(now, dict) and action.get("type") == "Approval":
            yield now.get("status") == "Running"


def _actions(part: Any) -> Mapping[str, Any]:
    actions = part.get("actions") if isinstance(part, dict) else None
    return actions if isinstance(actions, dict) else {}


def _approvers(detail: Facts) -> Iterator[Approver]:
    who = detail.within("approvers") if detail.body.get("approvers") else detail
    for identity in who.body if who is not detail else ():
        told = who.within(identity)
        yield Approver(identity, told.text("reply"), told.text("comment"), told.time("responseTime"))


class Workflows(Objects[Workflow]):
    """The workflows of an account, each by its id."""

    def validate(self, one: Workflow) -> list[Violation]:
        """What the service finds wrong with a workflow; nothing is written."""
        path = f"{self._at(one.id)}/validate"
        found = self._line.object("POST", path, self._version, one.body())
        return [Violation.of(each) for each in found.each("value")]


class UserRequests:
    """Requests of the caller's own."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def submit(self, *operations: Operation, comment: str = "") -> UserRequest:
        """Asks for something: a workflow whose trigger fits decides, and where there is none it is done at once.

        It is a POST, which is not sent twice: after UnreachableError nobody knows whether it was taken.
        """
        body: dict[str, Any] = {"operations": [{"type": one.type, "payload": dict(one.payload)} for one in operations]}
        told = {"comment": comment} if comment else {}
        return UserRequest.of(self._line.object("POST", "/userrequests", WORKFLOWS, {**body, **told}))


class WorkflowRuns:
    """The runs of workflows."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def list(self, view: str = "", window: str = "", statuses: Sequence[str] = ()) -> Iterator[WorkflowRun]:
        """The runs: `view` is admin (of everybody) or mine, `window` 1d, 7d, 30d or 90d, "" what the service does."""
        asked = {"viewMode": view, "timeWindow": window, "runStatuses": ",".join(statuses)}
        return map(WorkflowRun.of, self._line.items("/workflowruns", WORKFLOWS, **_told(asked)))

    def get(self, identity: str) -> WorkflowRun:
        """The run with that id, with what was asked for."""
        return WorkflowRun.of(self._line.object("GET", f"/workflowruns/{segment(identity)}", WORKFLOWS))

    def cancel(self, identity: str, comment: str = "") -> None:
        """Asks a run to end."""
        body = {"comment": comment} if comment else {}
        self._line.send("POST", f"/workflowruns/{segment(identity)}/cancel", WORKFLOWS, body)


class WorkflowTasks:
    """What workflows want of people."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def list(
        self, view: str = "", window: str = "", types: Sequence[str] = (), statuses: Sequence[str] = ()
    ) -> Iterator[WorkflowTask]:
        """The tasks: `view` is sent, received, history or mine, `types` are approval and simpleTask."""
        asked = {
            "viewMode": view,
            "timeWindow": window,
            "taskTypes": ",".join(types),
            "taskStatuses": ",".join(statuses),
        }
        return map(WorkflowTask.of, self._line.items("/workflowtasks", WORKFLOWS, **_told(asked)))

    def get(self, identity: str) -> WorkflowTask:
        """The task with that id."""
        # The specification names no version for this one alone; its example sends it.
        return WorkflowTask.of(self._line.object("GET", f"/workflowtasks/{segment(identity)}", WORKFLOWS))

    def approve(self, identity: str, comment: str = "") -> None:
        """Approves what the task asks for."""
        self._reply(identity, "approve-approval", comment)

    def reject(self, identity: str, comment: str = "") -> None:
        """Rejects what the task asks for."""
        self._reply(identity, "reject-approval", comment)

    def reassign(self, identity: str, old: str, new: str) -> None:
        """Lets another one decide: object ids of users or groups."""
        body = {"reassignments": [{"reassignFrom": old, "reassignTo": new}]}
        self._line.send("POST", f"/workflowtasks/{segment(identity)}/reassign", WORKFLOWS, body)

    def _reply(self, identity: str, how: str, comment: str) -> None:
        body = {"comment": comment} if comment else {}
        self._line.send("POST", f"/workflowtasks/{segment(identity)}/{how}", WORKFLOWS, body)


def _told(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
