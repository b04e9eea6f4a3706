"""Settles the assets that lack nothing by what the search says of them, without a value of ours for each.

Of a large catalog nearly all are such, and to read, place and judge each with all care takes longer than to fetch it.
Whatever is not plainly so, or not in the shape that the API says, is left to those who look closely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sovereignmesh.facts.assets import is_label

if TYPE_CHECKING:
    from collections.abc import Collection

    from sovereignmesh.catalog.placing import Places
    from sovereignmesh.result import Check

__all__ = ["Settled", "Settler"]


class Settled(NamedTuple):
    """What is counted of an asset that passes every check: its guid, type and domain."""

    id: str
    type: str
    domain: str


class Settler:
    """Settles assets by the checks that were asked for: all that it settles pass, and nothing of them is limited."""

    def __init__(self, checks: Collection[Check], places: Places) -> None:
        self._places = places
        self._description = "asset-description" in checks
        self._owner = "asset-owner" in checks
        self._label = "sensitivity-label" in checks
        self._classification = "asset-classification" in checks

    def __call__(self, hit: Any, collection: str) -> Settled | None:
        """The asset of a hit, None where somebody must look."""
        try:
            identity, kind, name = hit["id"], hit["entityType"], hit["qualifiedName"]
            if not (type(identity) is str and type(kind) is str and type(name) is str and identity and kind and name):
                return None
            if self._description and not hit["description"].strip():
                return None
            if self._owner and not _has_owner(hit["contact"]):
                return None
            if self._label and not any(map(is_label, hit["label"])):
                return None
        except (KeyError, TypeError, AttributeError):
            return None
        place = self._places.find(name, collection)
        return None if place.limited and self._classification else Settled(identity, kind, place.domain)


def _has_owner(contacts: Any) -> bool:
    for contact in contacts:
        if contact["contactType"] == "Owner" and type(contact["id"]) is str and contact["id"]:
            return True
    return False
