"""What is known of types apart from their rows: support for tags, and services without a region of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sovereignmesh.errors import FactsError
from sovereignmesh.facts.regions import area_regions, geography_regions, squeeze
from sovereignmesh.facts.rules import Expression
from sovereignmesh.facts.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GlobalService", "find_global_service", "global_services", "supports_tags"]

_CLASSES = ("no-customer-data", "located-by", "edge", "unknown")


@dataclass(frozen=True, slots=True)
class GlobalService:
    """A type whose `location` may be `global`. `places` maps squeezed values of `at` to region names."""

    kind: str
    because: str
    source: str
    at: Expression | None
    places: Mapping[str, frozenset[str]]


@cache
def global_services() -> dict[str, GlobalService]:
    """All of them, by type in lower case."""
    return {
        name.lower(): _load(row, f"facts/global.yaml: {name}")
        for name, row in read_table("global.yaml")["types"].items()
    }


def _load(row: dict[str, object], where: str) -> GlobalService:
    kind, at, places = row.get("class"), row.get("at"), row.get("places", {})
    if kind not in _CLASSES or not isinstance(places, dict):
        raise FactsError(f"{where}: `class` must be one of {', '.join(_CLASSES)}")
    if (kind == "located-by") != isinstance(at, str):
        raise FactsError(f"{where}: `at` goes with class located-by, and only with it")
    return GlobalService(
        kind=str(kind),
        because=str(row["because"]),
        source=str(row["source"]),
        at=Expression.of(at, where) if isinstance(at, str) else None,
        places={squeeze(value): _regions_of(place, where) for value, place in places.items()},
    )


def _regions_of(place: str, where: str) -> frozenset[str]:
    inside = area_regions(place) or geography_regions(place)
    if not inside:
        raise FactsError(f"{where}: {place!r} is neither an area nor a geography")
    return inside


def find_global_service(resource_type: str) -> GlobalService | None:
    """What is known of a type that has no region of its own, None where nothing is."""
    return global_services().get(resource_type.lower())


@cache
def _tag_table() -> dict[str, bool]:
    table = read_table("tags.yaml")
    found: dict[str, bool] = {}
    for key, answer in (("does_not", False), ("supports", True), ("seen_with_tags", True)):
        for provider, names in (table.get(key) or {}).items():
            found |= {f"{provider}/{name}".lower(): answer for name in names}
    return found


def supports_tags(resource_type: str) -> bool | None:
    """Whether resources of the type can have tags; None where the documentation does not list it."""
    return _tag_table().get(resource_type.lower())
