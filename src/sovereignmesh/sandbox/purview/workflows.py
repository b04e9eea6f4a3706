"""Workflows of the classic Data Catalog: they are kept as they are sent, and checked as far as they are run here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, COLLECTIONS, Account, routes
from sovereignmesh.sandbox.purview.answers import body_of, invalid, object_in, page, purview_refusal
from sovereignmesh.sandbox.wire import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call

__all__ = ["ADMIN", "GRANT", "ROUTES", "approvals", "guid_in", "not_found", "workflow_for"]

ADMIN: Final = "workflow-administrator"
GRANT: Final = "when_data_access_grant_is_requested"
_SHELF: Final = "workflows"
_TRIGGERS: Final = (
    "when_term_creation_is_requested", "when_term_deletion_is_requested", "when_term_update_is_requested",
    "when_terms_import_is_requested", GRANT, "when_asset_update_is_requested",
)  # fmt: skip
_TYPES: Final = ("PendingOnAny", "PendingOnAll")
_ADMINS: Final = frozenset({ADMIN})
# What was recorded beside an action with inputs that sends a mail, and beside no other.
_RUNTIME: Final = {"secureInput": False, "secureOutput": False}


# The codes of this service are synthetic: no public source lists them, or has an error of it.
def not_found(kind: str, identity: str) -> Any:
    """The refusal to read what is not there."""
    return purview_refusal(404, "NotFound", f"The {kind} '{identity}' could not be found.")


def guid_in(names: dict[str, str], key: str, kind: str) -> str:
    """The GUID that a path names, in lower case. Raises Refusal for anything else."""
    try:
        return str(uuid.UUID(names[key]))
    except ValueError:
        raise invalid(kind, f"The id '{names[key]}' is no GUID.") from None


def _list(account: Account, call: Call, _: dict[str, str]) -> Reply:
    told = [{key: value for key, value in body.items() if key != "actionDag"} for body in account.listed(_SHELF, call)]
    return page(call, told, account.page_size, counted=False)


def _get(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(_found(account, names))


def _found(account: Account, names: dict[str, str]) -> Body:
    identity = guid_in(names, "workflow", "Workflow")
    found = account.objects.shown(f"{account.name}/{_SHELF}", identity)
    if found is None:
        raise not_found("workflow", identity)
    return found


def _put(account: Account, call: Call, names: dict[str, str]) -> Reply:
    identity = guid_in(names, "workflow", "Workflow")
    body = body_of(call, "Workflow")
    for violation in _violations(account, body):
        raise invalid("Workflow", violation["message"])
    before = account.get(_SHELF, identity)
    kept = {
        "id": identity,
        "triggers": body["triggers"],
        "createdTime": before["createdTime"] if before else account.now,
        "createdBy": before["createdBy"] if before else account.principal,
        "lastUpdateTime": account.now,
        "updatedBy": account.principal,
        "name": body["name"],
        "isEnabled": body["isEnabled"],
        "description": body["description"],
        "actionDag": _with_runtime(body.get("actionDag") or {"actions": {}}),
    }
    account.put(_SHELF, identity, kept)
    return json_reply(kept)  # recorded: 200 also for a new one


def _with_runtime(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_runtime(each) for each in value]
    if not isinstance(value, dict):
        return value
    told = {name: _with_runtime(each) for name, each in value.items()}
    return {**told, "runtimeConfiguration": _RUNTIME} if value.get("type") == "EmailNotification" else told


def _delete(account: Account, _: Call, names: dict[str, str]) -> Reply:
    account.drop(_SHELF, guid_in(names, "workflow", "Workflow"))
    return Reply(204)


def _validate(account: Account, call: Call, names: dict[str, str]) -> Reply:
    guid_in(names, "workflow", "Workflow")
    return json_reply({"value": list(_violations(account, body_of(call, "Workflow")))})


def _violations(account: Account, body: Body) -> Iterator[dict[str, Any]]:
    for key, kind in (("name", str), ("description", str), ("isEnabled", bool), ("triggers", list)):
        if not isinstance(body.get(key), kind):
            yield _violation("workflow", f"'{key}' is required.")
    for trigger in body.get("triggers") or ():
        if trigger.get("type") not in _TRIGGERS:
            yield _violation("workflow", f"'{trigger.get('type')}' is no trigger.")
        collection = trigger.get("underCollection")
        if collection and account.get(COLLECTIONS, collection) is None:
            yield _violation("workflow", f"The collection '{collection}' does not exist in account '{account.name}'.")
    for name, action in approvals(body):
        inputs = action.get("inputs") or {}
        given = inputs.get("parameters") if isinstance(inputs, dict) else None
        told = given if isinstance(given, dict) else {}
        if told.get("approvalType") not in _TYPES:
            yield _violation("actionParameter", f"'approvalType' must be one of {', '.join(_TYPES)}.", name)
        if not told.get("assignedTo") or not all(map(_is_guid, told["assignedTo"])):
            yield _violation("actionParameter", "'assignedTo' must be ids of users or groups.", name)


def _violation(kind: str, message: str, action: str = "") -> dict[str, Any]:
    told = {"actionName": action} if action else {}
    return {"severity": "error", "location": {"type": kind, **told}, "message": message}


def _is_guid(value: Any) -> bool:
    try:
        return bool(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        return False


def approvals(body: Body) -> list[tuple[str, dict[str, Any]]]:
    """The approvals that a workflow begins with, by name. Raises Refusal for a graph that is none."""
    graph = object_in(body, "actionDag", "Workflow") if body.get("actionDag") else {}
    actions = graph.get("actions") or {}
    if not isinstance(actions, dict) or not all(isinstance(action, dict) for action in actions.values()):
        raise invalid("Workflow", "The request body is invalid: 'actionDag.actions' must be an object of objects.")
    return [(name, action) for name, action in actions.items() if action.get("type") == "Approval"]


def workflow_for(account: Account, collection: str) -> Body | None:
    """The workflow for requests of access in a collection: the nearest that is bound to it or above, and is enabled.

    https://github.com/MicrosoftDocs/azure-docs/blob/07fecaecceee7469d3c339cf61f44250ec0a5533/articles/purview/how-to-workflow-self-service-data-access-hybrid.md
    """
    bound = {
        str(trigger.get("underCollection") or "").lower(): body
        for body in account.all(_SHELF).values()
        if body["isEnabled"]
        for trigger in body["triggers"]
        if trigger["type"] == GRANT
    }
    return next((bound[name] for name in (*account.above(collection), "") if name in bound), None)


_ONE: Final = r"/workflows/(?P<workflow>[^/]+)"
ROUTES: Final = routes(
    "/workflow",
    ("GET", r"/workflows", _list, ANY_ROLE),
    ("GET", _ONE, _get, ANY_ROLE),
    ("PUT", _ONE, _put, _ADMINS),
    ("DELETE", _ONE, _delete, _ADMINS),
    ("POST", rf"{_ONE}/validate", _validate, _ADMINS),
)
