"""What is planned, read as an inventory of what will be there.

Three files say it: the answer of ARM's what-if operation, a compiled ARM template (Bicep's output), and a Terraform
plan as JSON. Each is recognised by what is in it. What only Azure knows when it deploys is left out of a body and
listed in its `notKnown`, so that silence there is never taken for an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["planned_rows"]


def planned_rows(value: Any, name: str) -> Iterator[Any] | None:
    """The rows that `value`, a whole document of the file `name`, plans; None where it is no plan.

    Each row is a resource body with `notKnown`, or an `Unread` that says which part of the plan tells nothing, and why.
    """
    if type(value) is not dict or "id" in value:  # most rows have an id, and no plan has
        return None
    schema = value.get("$schema")
    if "terraform_version" in value or ("format_version" in value and "resource_changes" in value):
        from sovereignmesh.audit.planned.terraform import terraform_rows  # noqa: PLC0415 - a plain export needs none

        return _guarded(terraform_rows(value, name), name)
    if type(schema) is str and "deploymenttemplate.json" in schema.lower():
        from sovereignmesh.audit.planned.template import template_rows  # noqa: PLC0415

        return _guarded(template_rows(value, name), name)
    properties = value.get("properties")
    changes = properties.get("changes") if type(properties) is dict else value.get("changes")
    if type(changes) is list and (
        "status" in value or any(type(one) is dict and "changeType" in one for one in changes)
    ):
        from sovereignmesh.audit.planned.whatif import whatif_rows  # noqa: PLC0415

        return _guarded(whatif_rows(value, changes, name), name)
    return None


def _guarded(rows: Iterator[Any], name: str) -> Iterator[Any]:
    from sovereignmesh.audit.pages import Unread  # noqa: PLC0415 - which imports this

    try:
        yield from rows
    except RecursionError:
        yield Unread(name, "the plan is nested too deeply", final=True)
