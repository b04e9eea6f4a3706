"""The resources that sources are made of, as Resource Graph shows them, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sovereignmesh.azure import list_subscriptions, queries, query_rows
from sovereignmesh.azure.graph import LARGEST_SCOPE
from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sovereignmesh.azure import Azure
    from sovereignmesh.mesh import Mesh

__all__ = ["Resources", "Visible", "read_resources"]

_DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Resources:
    """Rows by id in lower case; the tags of groups and subscriptions by theirs; subscriptions' names by id."""

    rows: Mapping[str, Mapping[str, Any]]
    tags: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]

    def find(self, resource: str) -> Mapping[str, Any] | None:
        """The row of a resource; None where it is not there, or not for this caller."""
        return self.rows.get(resource.lower().rstrip("/"))

    def domain_of(self, mesh: Mesh, resource: str) -> str:
        """The domain of a resource: by its own tag, its group's, its subscription's, or as listed; "" for none."""
        identity = resource.lower().rstrip("/")
        parts = identity.split("/", 5)
        subscription, group = "/".join(parts[:3]), "/".join(parts[:5])
        row = self.rows.get(identity)
        named = (
            (_domain_tag(row.get("tags")) if row else "")
            or _domain_tag(self.tags.get(group))
            or _domain_tag(self.tags.get(subscription))
        )
        if named:
            return mesh.domain_named(named) or named
        identifier = subscription.rpartition("/")[2]
        listed = (mesh.domain_of_subscription(name) for name in (identifier, self.names.get(identifier, "")) if name)
        return next(filter(None, listed), "")


class Visible:
    """The subscriptions that the caller sees, listed once, when somebody wants to know."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    @cached_property
    def names(self) -> dict[str, str]:
        """Their names by id. Raises an `AzureError`."""
        return {each.id: each.name for each in list_subscriptions(self._azure)}


def read_resources(
    azure: Azure, seen: Visible, types: Collection[str], subscriptions: Collection[str] | None
) -> Resources:
    """Resources of the types in the subscriptions (ids), None: in all that the caller sees. Raises an `AzureError`."""
    if not types:
        return Resources({}, {}, {})
    visible = seen.names
    wanted = [each for each in visible if subscriptions is None or each in subscriptions]
    if not wanted:
        return Resources({}, {}, visible)
    rows = {str(row["id"]).lower().rstrip("/"): row for row in _rows(azure, queries.list_resources_of(types), wanted)}
    containers = {str(row["id"]).lower(): row for row in _rows(azure, queries.CONTAINERS, wanted)}
    rows |= {key: _as_resource(row) for key, row in containers.items() if str(row.get("type")).lower() in types}
    return Resources(rows, {key: row.get("tags") or {} for key, row in containers.items()}, visible)


def _as_resource(row: dict[str, Any]) -> dict[str, Any]:
    """A subscription or a group as a row like others; where a group is does not say where its resources are."""
    parts = row["id"].split("/")
    group = parts[4] if len(parts) > 4 else ""  # noqa: PLR2004 - /subscriptions/ID/resourceGroups/NAME
    return {**row, "subscriptionId": parts[2], "resourceGroup": group, "location": None}


def _rows(azure: Azure, query: str, subscriptions: list[str]) -> Iterable[dict[str, Any]]:
    for start in range(0, len(subscriptions), LARGEST_SCOPE):
        for row in query_rows(azure, query, subscriptions[start : start + LARGEST_SCOPE]):
            if not isinstance(row.get("id"), str):
                raise AnswerError("Resource Graph gave a row without an id")
            yield row


def _domain_tag(tags: Any) -> str:
    """The value of the tag Domain, whose name counts without case."""
    for name, value in tags.items() if hasattr(tags, "items") else ():
        if name.casefold() == _DOMAIN and isinstance(value, str) and value.strip():
            return value.strip()
    return ""
