"""Azure's regions: every spelling, the pair, the country, and the areas that a policy may name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from sovereignmesh.facts.tables import read_table

__all__ = ["Region", "area_regions", "areas", "find_region", "geography_regions", "regions", "squeeze"]


_PLACE: Final = re.compile(r"[A-Za-z0-9 ()-]+")


@dataclass(frozen=True, slots=True)
class Region:
    """One region. `pair` is the name of the region that geo-redundant copies go to, None where there is none."""

    name: str
    display_name: str
    cloud: str
    country: str
    geography: str
    pair: str | None


def squeeze(spelling: str) -> str:
    """A place name as it is compared: letters and digits alone, without case.

    A name with anything but these, blanks, hyphens and brackets stays as it is, and so is nobody's.
    """
    return re.sub(r"[ ()-]", "", spelling).lower() if _PLACE.fullmatch(spelling) else spelling


@cache
def regions() -> dict[str, Region]:
    """All known regions by name. Source: `regions.yaml` beside this module."""
    rows = read_table("regions.yaml")["regions"]
    return {
        name: Region(name, row["display"], row["cloud"], row["country"], row["geography"], row["pair"])
        for name, row in rows.items()
    }


@cache
def _spellings() -> dict[str, Region]:
    table = {region.name: region for region in regions().values()}
    table |= {squeeze(region.display_name): region for region in regions().values()}
    return table


@lru_cache(maxsize=4096)
def find_region(spelling: str) -> Region | None:
    """The region that `West Europe`, `westeurope` or `WESTEUROPE` means; None where none is known.

    >>> find_region("West Europe").name
    'westeurope'
    >>> find_region("global") is None
    True
    """
    return _spellings().get(squeeze(spelling))


@cache
def areas() -> dict[str, frozenset[str]]:
    """The legal areas by name, each with its region names: `EU`, `EUDB`, and every country.

    `EU` is the 27 member states; `EUDB` adds the EFTA states of the EU Data Boundary; neither has the UK.
    """
    named = read_table("regions.yaml")["areas"]
    by_country: dict[str, frozenset[str]] = {}
    for region in regions().values():
        by_country[region.country] = by_country.get(region.country, frozenset()) | {region.name}
    found = dict(by_country)
    for name, members in named.items():
        found[name] = frozenset().union(*(found.get(member, frozenset()) for member in members))
    return found


def area_regions(name: str) -> frozenset[str] | None:
    """The region names inside the area called `name` (without case), None for an unknown area.

    >>> "switzerlandnorth" in area_regions("EU"), "switzerlandnorth" in area_regions("EUDB")
    (False, True)
    """
    return {key.casefold(): value for key, value in areas().items()}.get(name.casefold())


def geography_regions(name: str) -> frozenset[str]:
    """The region names of one of Azure's geographies (`Asia Pacific`, `Brazil`); empty for an unknown one.

    Not an area of a policy: the geography Europe is Ireland and the Netherlands alone.
    """
    return frozenset(region.name for region in regions().values() if squeeze(region.geography) == squeeze(name))
