"""The shape of what a tenant holds, without any value: so that fact tables can learn from estates nobody may show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh import __version__
from sovereignmesh.azure import queries
from sovereignmesh.azure.graph import query_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sovereignmesh.azure.connection import Azure

__all__ = ["list_shapes", "shape_of"]

_NAME: Final = re.compile(r"[A-Za-z$@][A-Za-z_.$@-]{0,63}")  # no digit: names that people give have them
# What the names of objects end in whose keys, and all below, are the customer's own words.
_OF_THE_CUSTOMER: Final = (
    "annotations", "backends", "config", "customproperties", "definition", "dictionary", "extendedproperties",
    "headers", "identities", "labels", "mappings", "metadata", "outputs", "parameters", "schema", "secrets",
    "settings", "strings", "tags", "toapply", "traffic", "variables", "webhookproperties",
)  # fmt: skip
_DEEPEST: Final = 12
_COLUMNS: Final = ("kind", "location", "sku", "tags", "managedBy", "properties")
_KINDS: Final = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}


def list_shapes(azure: Azure, subscriptions: Sequence[str]) -> dict[str, Any]:
    """By type and api-version: how many resources there are, and which property paths with which kinds of value.

    No value is in it, no name of a resource, and no key that may be a customer's word: that is `*`.
    """
    types: dict[str, dict[str, dict[str, Any]]] = {}
    for row in query_rows(azure, queries.list_resources(), subscriptions):
        versions = types.setdefault(str(row.get("type", "")).lower(), {})
        found = versions.setdefault(str(row.get("apiVersion") or ""), {"resources": 0, "paths": {}})
        found["resources"] += 1
        for path, kind in shape_of({column: row.get(column) for column in _COLUMNS}):
            kinds = found["paths"].setdefault(path, [])
            if kind not in kinds:
                kinds.append(kind)
    for versions in types.values():
        for found in versions.values():
            found["paths"] = {path: sorted(kinds) for path, kinds in sorted(found["paths"].items())}
    return {"schema": "sovereignmesh.shape/v1", "tool_version": __version__, "types": dict(sorted(types.items()))}


def shape_of(body: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The paths in a body and the kind of value at each.

    >>> list(shape_of({"encryption": {"keySource": "Microsoft.Storage"}, "tags": {"Owner": "me"}}))
    [('encryption.keySource', 'string'), ('tags.*', 'not shown')]
    """
    if depth >= _DEEPEST:
        yield path, "deeper"
    elif isinstance(body, dict):
        if not body:
            yield path, "empty object"
        elif path.rpartition(".")[2].lower().replace("[]", "").endswith(_OF_THE_CUSTOMER):
            yield f"{path}.*", "not shown"
        else:
            for key, value in body.items():
                name = key if _NAME.fullmatch(key) else "*"
                yield from shape_of(value, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(body, list):
        if not body:
            yield f"{path}[]", "empty list"
        for value in body:
            yield from shape_of(value, f"{path}[]", depth + 1)
    else:
        yield path, _KINDS.get(type(body), "other")
