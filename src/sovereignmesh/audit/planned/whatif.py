"""The answer of ARM's what-if operation: what will be there after the deployment.

Its form: https://learn.microsoft.com/rest/api/resources/deployments/what-if (WhatIfOperationResult); the command line
(`az deployment group what-if --no-pretty-print`) leaves out the level `properties`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.children import OURS, azures
from sovereignmesh.audit.index import type_of
from sovereignmesh.audit.pages import Unread
from sovereignmesh.audit.planned.rows import Planned, finish, tell_unknown
from sovereignmesh.facts.terraform import without_data

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["whatif_rows"]

# What-if leaves what it could not evaluate as the template wrote it.
_EXPRESSION: Final = re.compile(r"\[(?!\[).*[(].*[)].*\]", re.DOTALL)
_STAYS: Final = ("create", "modify", "nochange", "ignore", "deploy")


def whatif_rows(answer: dict[str, Any], changes: list[Any], name: str) -> Iterator[Any]:
    """The rows of what will be there, and an `Unread` for each change that does not say it."""
    properties = answer.get("properties")
    inner = properties if type(properties) is dict else answer
    error = answer.get("error") or inner.get("error")
    if error or str(answer.get("status", "succeeded")).lower() != "succeeded":
        said = error.get("message") if type(error) is dict else error
        yield Unread(name, f"what-if did not succeed: {said or answer.get('status')}", final=True)
    yield from _left_out(inner.get("diagnostics"), name)
    planned: list[Planned] = []
    for key in ("changes", "potentialChanges"):
        found = changes if key == "changes" else inner.get(key) or []
        if type(found) is not list:
            yield Unread(f"{name}: {key}", "must be a list of changes", final=True)
            continue
        for number, change in enumerate(found):
            where = f"{name}: {key}[{number}]"
            change, ours = _azures(change)  # noqa: PLW2901 - the same without what is no part of it
            if ours:
                yield Unread(where, f"no body of Azure's has {', '.join(ours)}: it is left out", final=True)
            one = _planned(change, where, frozenset() if key == "changes" else frozenset({where}))
            if isinstance(one, Unread):
                yield one
            elif one is not None:
                planned.append(one)
    yield from finish(planned)


def _left_out(diagnostics: Any, name: str) -> Iterator[Unread]:
    """What Azure says that it did not look at, a nested deployment among them, though it succeeded.

    https://learn.microsoft.com/rest/api/resources/deployments/what-if (DeploymentDiagnosticsDefinition)
    """
    for number, one in enumerate(diagnostics if type(diagnostics) is list else (diagnostics,) if diagnostics else ()):
        said = one if type(one) is dict else {"message": one}
        if str(said.get("level")).lower() != "info":
            where = said.get("target") or f"diagnostics[{number}]"
            yield Unread(
                f"{name}: {where}", f"what-if says: {said.get('code', '')} {said.get('message', '')}", final=True
            )


def _azures(change: Any) -> tuple[Any, list[str]]:
    """The change without keys that only rows of this audit have, and those keys."""
    bodies = (
        {key: change[key] for key in ("before", "after") if type(change.get(key)) is dict}
        if type(change) is dict
        else {}
    )
    ours = sorted({key for body in bodies.values() for key in OURS & body.keys()})
    if not ours:
        return change, ours
    return change | {at: azures(body) for at, body in bodies.items()}, ours


def _planned(change: Any, where: str, whether: frozenset[str]) -> Planned | Unread | None:
    if type(change) is not dict or type(change.get("changeType")) is not str:
        return Unread(where, "a change without its changeType")
    kind, resource_id = change["changeType"].lower(), change.get("resourceId")
    named = resource_id if type(resource_id) is str and resource_id else where
    if kind == "delete" or (change.get("identifiers") and not resource_id):
        return None  # gone, or of another provider than Azure
    body = change.get("after") or (change.get("before") if kind in ("ignore", "nochange") else None)
    if (why := _silent(change, kind, body)) or type(body) is not dict:
        return Unread(named, why or "a change whose state afterwards is no object")
    row = {key: value for key, value in body.items() if value is not None}
    row.setdefault("id", resource_id)
    if type(row["id"]) is not str or not row["id"] or type(row.setdefault("type", type_of(row["id"]))) is not str:
        return Unread(where, "a change without the id or the type of its resource")
    if without_data(row["type"]):
        return None
    row = _row(row, kind)
    _tell_left_out(change.get("before") if kind == "modify" else None, row, row, "")
    return Planned(row, named, whether, kind == "create")


def _silent(change: dict[str, Any], kind: str, body: Any) -> str:
    """Why the change does not say what will be there; "" where it does."""
    if kind == "unsupported":
        return f"what-if cannot tell what will be deployed: {change.get('unsupportedReason') or 'no reason is given'}"
    if kind not in _STAYS:
        return f"a changeType that is not known: {change['changeType']}"
    return "" if body else "what-if says that it will be deployed and not how: ask for FullResourcePayloads"


def _row(row: dict[str, Any], kind: str) -> dict[str, Any]:
    row.setdefault("name", row["id"].rpartition("/")[2])
    if kind != "ignore":  # such come from a list of the group, which has no properties
        row.setdefault("properties", {})
    for key in [key for key in row if key not in ("id", "name", "type")]:
        clean = _evaluated(row.pop(key), key, row)
        if clean is not None:
            row[key] = clean
    return row


def _tell_left_out(before: Any, after: Any, row: dict[str, Any], at: str) -> None:
    """Notes what is there before and not after: what-if says that it goes, and services may keep it all the same.

    https://github.com/Azure/azure-rest-api-specs/issues/7649
    """
    if type(before) is not dict or type(after) is not dict:
        return
    for key, value in before.items():
        if value not in (None, [], {}) and key not in after and at != "tags.":
            tell_unknown(row, f"{at}{key}")
        else:
            _tell_left_out(value, after.get(key), row, f"{at}{key}.")


def _evaluated(value: Any, path: str, row: dict[str, Any]) -> Any:
    """The value without what was not evaluated; None where nothing is left of it."""
    if type(value) is str and _EXPRESSION.fullmatch(value):
        tell_unknown(row, path)
        return None
    if type(value) is dict:
        pairs = ((key, _evaluated(inner, f"{path}.{key}", row)) for key, inner in value.items() if inner is not None)
        return {key: inner for key, inner in pairs if inner is not None}
    if type(value) is list:
        items = [_evaluated(item, path, row) for item in value]
        if any(item is None for item in items):
            tell_unknown(row, path)
            return None  # a list with a gap in it would pass for the whole
        return items
    return value
