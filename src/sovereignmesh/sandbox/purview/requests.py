"""Requests of users, the runs of workflows that they start, and the tasks in which somebody decides."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, COLLECTIONS, Account, routes
from sovereignmesh.sandbox.purview.answers import body_of, denied, flag, invalid, object_in, page, purview_refusal
from sovereignmesh.sandbox.purview.workflows import ADMIN, approvals, guid_in, not_found, workflow_for
from sovereignmesh.sandbox.wire import Reply, json_reply, positive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call

__all__ = ["ROUTES"]

_RUNS: Final = "workflowruns"
_TASKS: Final = "workflowtasks"
_OPERATIONS: Final = ("CreateTerm", "UpdateTerm", "DeleteTerm", "ImportTerms", "UpdateAsset", "GrantDataAccess")
_WINDOWS: Final = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}
_SENT, _RECEIVED, _HISTORY = "sent", "received", "history"
_OVER: Final = ("Completed", "Failed", "Canceled")


def _submit(account: Account, call: Call, _: dict[str, str]) -> Reply:
    """A request: each operation starts a run of the workflow that fits, or is done at once."""
    body = body_of(call, "UserRequest")
    operations = body.get("operations")
    if not isinstance(operations, list) or not operations:
        raise invalid("UserRequest", "The request body is invalid: 'operations' is required.")
    identity = str(uuid.uuid4())
    found, waits = [], False
    for number, operation in enumerate(operations):
        kind = flag(operation.get("type"), _OPERATIONS, "", "operation", "UserRequest")
        payload = object_in(operation, "payload", "UserRequest")
        told: Body = {"type": kind, "payload": payload}
        workflow = workflow_for(account, _collection(account, payload)) if kind == "GrantDataAccess" else None
        if workflow is not None:
            # Recorded: the first run bears the id of the request.
            run = identity if number == 0 else str(uuid.uuid4())
            waits |= _start(account, workflow, run, identity, told)
            told["workflowRunIds"] = [run]
        found.append(told)
    answer = {
        "requestId": identity,
        "requestor": account.principal,
        "operations": found,
        **({"comment": body["comment"]} if body.get("comment") else {}),
        "status": "InProgress" if waits else "Completed",
    }
    return json_reply(answer)


def _collection(account: Account, payload: Body) -> str:
    """The collection that access is asked in. What a payload has is not documented; this key is synthetic."""
    name = payload.get("collectionName") or account.name
    if not isinstance(name, str) or account.get(COLLECTIONS, name) is None:
        raise invalid("UserRequest", f"The collection '{name}' does not exist in account '{account.name}'.")
    return name.lower()


def _start(account: Account, workflow: Body, run: str, request: str, operation: Body) -> bool:
    """Starts a run; whether it waits for somebody."""
    payload = operation["payload"]
    target = str(payload.get("dataAssetGuid") or payload.get("collectionName") or account.name)
    asked = {"type": operation["type"], "targetValue": target, "payload": payload}
    waiting = approvals(workflow)
    actions = {name: {"startTime": account.now, "status": "Running", "input": one["inputs"]} for name, one in waiting}
    kept = {
        "id": run,
        "workflowId": workflow["id"],
        "startTime": account.now,
        "requestor": account.principal,
        "userRequestId": request,
        "runPayload": asked,
        "status": "InProgress" if waiting else "Completed",
        **({} if waiting else {"endTime": account.now}),
        "actionDag": workflow["actionDag"],
        "detail": {"runInput": {"request": {"requestor": account.principal, **payload}}, "actions": actions},
    }
    account.put(_RUNS, run, kept)
    for name, action in waiting:
        given = action["inputs"]["parameters"]
        task = str(uuid.uuid4())
        approvers = {str(who).lower(): {"reply": "Pending"} for who in given["assignedTo"]}
        detail = {"approvalType": given["approvalType"], "status": "Pending", "approvers": approvers}
        kept = {
            "type": "Approval",
            "id": task,
            "workflowRunId": run,
            "workflowId": workflow["id"],
            "requestor": account.principal,
            "createdTime": account.now,
            "lastUpdateTime": account.now,
            "payload": asked,
            "title": given.get("title", name),
            "approvalDetail": detail,
        }
        account.put(_TASKS, task, kept)
    return bool(waiting)


# Runs


def _list_runs(account: Account, call: Call, _: dict[str, str]) -> Reply:
    view = flag(call.query.get("viewmode"), ("admin", "mine"), "mine", "view", "WorkflowRun")
    if view == "admin" and ADMIN not in account.roles:
        raise denied()
    every = [_moved_on(account, run) for run in account.listed(_RUNS, call)]
    own = [run for run in every if view == "admin" or run["requestor"] == account.principal]
    found = _filtered(account, call, own, "startTime", statuses="runstatuses")
    told = [{key: value for key, value in run.items() if key not in ("actionDag", "detail")} for run in found]
    for run in told:
        run["runPayload"] = {key: run["runPayload"][key] for key in ("type", "targetValue")}
    return page(call, told, _size(account, call), counted=False)


def _moved_on(account: Account, run: Body) -> Body:
    """A run as it is at this read: once its tasks are over, what is left of it is done."""
    states = [
        task["approvalDetail"]["status"] for task in account.all(_TASKS).values() if task["workflowRunId"] == run["id"]
    ]
    if run["status"] != "InProgress" or "Pending" in states:
        return run
    moved = {**run, "status": "Completed", "endTime": account.now}
    account.put(_RUNS, run["id"], moved)
    return moved


def _get_run(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(_moved_on(account, _run(account, names)))


def _run(account: Account, names: dict[str, str]) -> Body:
    identity = guid_in(names, "run", "WorkflowRun")
    run = account.get(_RUNS, identity)
    if run is None:
        raise not_found("workflow run", identity)
    who = {one for task in _tasks_of(account, identity) for one in task["approvalDetail"]["approvers"]}
    if account.principal not in (run["requestor"], *who) and ADMIN not in account.roles:
        raise denied()
    return run


def _tasks_of(account: Account, run: str) -> list[Body]:
    return [task for task in account.all(_TASKS).values() if task["workflowRunId"] == run]


def _cancel(account: Account, call: Call, names: dict[str, str]) -> Reply:
    run = _run(account, names)
    if run["status"] in _OVER:
        raise purview_refusal(400, "InvalidRunStatus", f"The run '{run['id']}' is over: it is {run['status']}.")
    comment = body_of(call, "WorkflowRun").get("comment")
    told = {"cancelComment": comment} if comment else {}
    account.put(_RUNS, run["id"], {**run, "status": "Canceled", "cancelTime": account.now, **told})
    for task in _tasks_of(account, run["id"]):
        detail = {**task["approvalDetail"], "status": "Canceled"}
        account.put(_TASKS, task["id"], {**task, "approvalDetail": detail, "lastUpdateTime": account.now})
    return Reply(200)


# Tasks


def _list_tasks(account: Account, call: Call, _: dict[str, str]) -> Reply:
    view = flag(call.query.get("viewmode"), (_SENT, _RECEIVED, _HISTORY, "mine"), "mine", "view", "WorkflowTask")
    wanted = [one.lower() for one in call.query.get("tasktypes", "").split(",") if one]
    found = [
        task
        for task in account.listed(_TASKS, call)
        if (not wanted or task["type"].lower() in wanted) and _is_seen(account, task, view)
    ]
    found = _filtered(account, call, found, "createdTime", statuses="taskstatuses")
    return page(call, found, _size(account, call), counted=False)


def _is_seen(account: Account, task: Body, view: str) -> bool:
    """Whether a view of the caller's shows a task; what each shows is told by its name alone."""
    mine, detail = task["requestor"] == account.principal, task["approvalDetail"]
    theirs, pending = account.principal in detail["approvers"], detail["status"] == "Pending"
    seen: dict[str, bool] = {
        _SENT: mine,
        _RECEIVED: theirs and pending,
        _HISTORY: theirs and not pending,
        "mine": mine or theirs,
    }
    return seen[view]


def _get_task(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(_task(account, names))


def _task(account: Account, names: dict[str, str]) -> Body:
    identity = guid_in(names, "task", "WorkflowTask")
    task = account.get(_TASKS, identity)
    if task is None:
        raise not_found("workflow task", identity)
    if not _is_seen(account, task, "mine") and ADMIN not in account.roles:
        raise denied()
    return task


def _approve(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _decide(account, call, names, "Approved")


def _reject(account: Account, call: Call, names: dict[str, str]) -> Reply:
    return _decide(account, call, names, "Rejected")


def _decide(account: Account, call: Call, names: dict[str, str], reply: str) -> Reply:
    task = _task(account, names)
    detail = task["approvalDetail"]
    if account.principal not in detail["approvers"]:
        raise purview_refusal(403, "Forbidden", f"The caller is no approver of the task '{task['id']}'.")
    if detail["status"] != "Pending":
        message = f"The task '{task['id']}' is decided: it is {detail['status']}."
        raise purview_refusal(400, "InvalidTaskStatus", message)
    comment = body_of(call, "WorkflowTask").get("comment")
    told = {"reply": reply, **({"comment": comment} if comment else {}), "responseTime": account.now}
    approvers = {**detail["approvers"], account.principal: told}
    replies = {one["reply"] for one in approvers.values()}
    all_of = detail["approvalType"] == "PendingOnAll"
    status = reply if reply == "Rejected" or not all_of or replies == {"Approved"} else "Pending"
    kept = {**task, "lastUpdateTime": account.now}
    kept["approvalDetail"] = {**detail, "approvers": approvers, "status": status}
    account.put(_TASKS, task["id"], kept)
    return Reply(200)  # recorded: without a body


def _reassign(account: Account, call: Call, names: dict[str, str]) -> Reply:
    task = _task(account, names)
    detail = task["approvalDetail"]
    approvers = dict(detail["approvers"])
    for each in body_of(call, "WorkflowTask").get("reassignments") or ():
        old, new = str(each.get("reassignFrom")).lower(), str(each.get("reassignTo")).lower()
        if old not in approvers:
            raise invalid("WorkflowTask", f"'{old}' is no approver of the task '{task['id']}'.")
        approvers[new] = approvers.pop(old)
    detail = {**detail, "approvers": approvers}
    account.put(_TASKS, task["id"], {**task, "approvalDetail": detail, "lastUpdateTime": account.now})
    return Reply(200)


# Lists


def _size(account: Account, call: Call) -> int:
    return min(account.page_size, positive(call.query.get("maxpagesize"), "maxpagesize") or account.page_size)


def _filtered(account: Account, call: Call, items: Iterable[Body], moment: str, *, statuses: str) -> list[Body]:
    """What a list's parameters ask for, the newest first unless they say otherwise."""
    asked = {
        name: {one.lower() for one in call.query.get(name, "").split(",") if one}
        for name in (statuses, "workflowids", "requestors", "assignees")
    }
    window = flag(call.query.get("timewindow"), tuple(_WINDOWS), "", "time window", "Workflow")
    now = dt.datetime.fromisoformat(account.now)
    since = now - dt.timedelta(days=_WINDOWS[window]) if window else None
    found = []
    for item in items:
        detail = item.get("approvalDetail") or item
        facts = {
            statuses: {detail["status"].lower()},
            "workflowids": {item["workflowId"]},
            "requestors": {item["requestor"]},
            "assignees": set(detail.get("approvers", ())),
        }
        fits = all(not wanted or wanted & facts[name] for name, wanted in asked.items())
        if fits and (since is None or dt.datetime.fromisoformat(item[moment]) >= since):
            found.append(item)
    key, _, way = call.query.get("orderby", f"{moment} desc").partition(" ")
    return sorted(found, key=lambda item: str(item.get(key, "")), reverse=way == "desc")


_ONE_RUN: Final = r"/workflowruns/(?P<run>[^/]+)"
_ONE_TASK: Final = r"/workflowtasks/(?P<task>[^/]+)"
ROUTES: Final = routes(
    "/workflow",
    ("POST", r"/userrequests", _submit, ANY_ROLE),
    ("GET", r"/workflowruns", _list_runs, ANY_ROLE),
    ("GET", _ONE_RUN, _get_run, ANY_ROLE),
    ("POST", rf"{_ONE_RUN}/cancel", _cancel, ANY_ROLE),
    ("GET", r"/workflowtasks", _list_tasks, ANY_ROLE),
    ("GET", _ONE_TASK, _get_task, ANY_ROLE),
    ("POST", rf"{_ONE_TASK}/approve-approval", _approve, ANY_ROLE),
    ("POST", rf"{_ONE_TASK}/reject-approval", _reject, ANY_ROLE),
    ("POST", rf"{_ONE_TASK}/reassign", _reassign, ANY_ROLE),
)
