"""Resources of the azapi provider, which spells bodies as ARM does.

Its form: https://registry.terraform.io/providers/Azure/azapi/latest/docs/resources/resource.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.planned.expressions import find_key
from sovereignmesh.audit.planned.rows import tell_unknown

if TYPE_CHECKING:
    from sovereignmesh.audit.planned.bodies import Body
    from sovereignmesh.audit.planned.references import Change

__all__ = ["azapi_body", "azapi_type"]

_BODY: Final = ("properties", "sku", "kind", "location", "tags", "managedBy", "zones")


def azapi_type(change: Change) -> tuple[str, str] | None:
    """The ARM type and api-version of the resource; None where they are not known."""
    written = change.after.get("type")
    name, mark, version = written.partition("@") if type(written) is str else ("", "", "")
    return (name, version) if mark and "/" in name else None


def azapi_body(change: Change, row: dict[str, Any], body: Body) -> str | None:
    """Writes the body into the row; says what is wrong with it, if anything is."""
    after, unknown = change.after.get("body"), change.unknown
    unknown = unknown.get("body") if type(unknown) is dict else unknown
    if type(after) is str:  # before version 2 of the provider
        try:
            after = json.loads(after)
        except (ValueError, RecursionError):
            return "its `body` is no JSON"
    if after is not None and type(after) is not dict:
        return "its `body` is no object"
    if unknown is True:
        unknown = dict.fromkeys(("properties", "sku", "kind"), True)
    marks = unknown if type(unknown) is dict else {}
    written = after or {}
    if find_key(marks, "properties") is not True:
        row["properties"] = {}
    for name in _BODY:
        value = _known(find_key(written, name), find_key(marks, name), name, row)
        if value is not None:
            row[name] = value
    _outside(row, body)
    return None


def _outside(row: dict[str, Any], body: Body) -> None:
    """Location and tags, which may stand beside the body."""
    told = {*row, *(path.split(".")[0] for path in row.get("notKnown", ()))}
    if "tags" not in told:
        body.write_tags(row)
    if "location" not in told:
        body.write_location(row)


def _known(value: Any, unknown: Any, path: str, row: dict[str, Any]) -> Any:
    """The value without what is not known; None where nothing is left of it."""
    if unknown is True:
        tell_unknown(row, path)
        return None
    if type(value) is dict or type(unknown) is dict:
        inside = value if type(value) is dict else {}
        marks = unknown if type(unknown) is dict else {}
        pairs = ((key, _known(inside.get(key), marks.get(key), f"{path}.{key}", row)) for key in {**inside, **marks})
        found = {key: inner for key, inner in pairs if inner is not None}
        return found if found or type(value) is dict else None
    if type(value) is list:
        of_items = unknown if type(unknown) is list else []
        items = [_known(item, mark, path, row) for item, mark in zip_longest(value, of_items)]
        if any(item is None for item in items):
            tell_unknown(row, path)
            return None  # a list with a gap in it would pass for the whole
        return items
    return value
