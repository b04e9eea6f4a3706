"""Settles the assets that lack nothing by what the search says of them, without a value of ours for each.

Of a large catalog nearly all are such, and to read, place and judge each with all care takes longer than to fetch it.
Whatever is not plainly so is left to those who look closely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sovereignmesh.facts.assets import is_label

if TYPE_CHECKING:
    from collections.abc import Collection

    from sovereignmesh.azure.purview.datamap import Hit
    from sovereignmesh.catalog.placing import Places
    from sovereignmesh.result import Check

__all__ = ["Settled", "Settler"]


class Settled(msgspec.Struct, frozen=True, gc=False):
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

    def __call__(self, hit: Hit, collection: str) -> Settled | None:
        """The asset of a hit, None where somebody must look."""
        if self._description and not (hit.description and hit.description.strip()):
            return None
        if self._owner and not _has_owner(hit):
            return None
        if self._label and not any(map(is_label, hit.labels or ())):
            return None
        place = self._places.find(hit.qualified_name, collection)
        return None if place.limited and self._classification else Settled(hit.id, hit.type, place.domain)


def _has_owner(hit: Hit) -> bool:
    for contact in hit.contacts or ():  # noqa: SIM110 - a generator costs more than the contacts of most assets
        if contact.type == "Owner" and contact.id:
            return True
    return False
