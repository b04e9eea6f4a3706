import json

import pytest

from sovereignmesh.facts import area_regions, areas, find_region, geography_regions, regions


def test_the_table_has_every_region_with_a_pair_that_exists():
    table = regions()
    assert len(table) == 75
    for region in table.values():
        assert region.pair is None or region.pair in table
        assert region.cloud in {"AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}


def test_the_table_says_what_the_published_facts_say(recorded):
    published = json.loads((recorded / "facts" / "regions.json").read_text())["regions"]
    eu, boundary = area_regions("EU"), area_regions("EUDB")
    for row in published:
        region = regions()[row["name"]]
        assert (region.display_name, region.country, region.pair) == (
            row["display_name"], row["country"], row["paired_region"],
        )  # fmt: skip
        assert (region.name in eu) == row["in_eu"]
        assert (region.name in boundary) == row["eu_data_boundary"]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("West Europe", "westeurope"), ("WESTEUROPE", "westeurope"), ("West US 2", "westus2"), (" uk south ", "uksouth"),
     ("EAST US 2 EUAP", "eastus2euap"), ("US Gov Virginia", "usgovvirginia")],
)  # fmt: skip
def test_any_spelling_is_found(spelling, name):
    assert find_region(spelling).name == name


@pytest.mark.parametrize("spelling", ["global", "", "Europe", "unitedstates", "westeurop", "North Central US (Stage)"])
def test_what_is_no_region_is_not_found(spelling):
    assert find_region(spelling) is None


def test_areas():
    assert "uksouth" not in area_regions("EUDB")
    assert area_regions("eu") < area_regions("eudb")
    assert area_regions("Atlantis") is None
    assert area_regions("Germany") == {"germanywestcentral", "germanynorth"}
    assert all(found for found in areas().values())


def test_a_geography_is_not_an_area():
    assert geography_regions("Europe") == {"westeurope", "northeurope"}
    assert geography_regions("nowhere") == frozenset()
    assert area_regions("Europe") is None
