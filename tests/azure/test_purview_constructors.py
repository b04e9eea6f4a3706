import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from sovereignmesh.azure.purview import constructors
from sovereignmesh.azure.purview.constructors import SCAN_PROPERTIES, SOURCE_PROPERTIES
from sovereignmesh.facts.purview import scan_properties, source_kinds

ROOT = Path(__file__).parents[2]
KINDS = sorted(source_kinds())


def test_the_module_is_what_the_table_makes():
    script = ROOT / "scripts" / "purview_kinds.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_all_kinds_and_names_are_there():
    assert set(constructors.__all__) == {*KINDS, "SCAN_PROPERTIES", "SOURCE_PROPERTIES"}
    assert {name: set(kind.allowed) for name, kind in source_kinds().items()} == {
        name: set(names) for name, names in SOURCE_PROPERTIES.items()
    }
    assert {name: set(names) for name, names in SCAN_PROPERTIES.items()} == {
        name: set(names) for name, names in scan_properties().items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_keyword_reaches_its_property(kind):
    make = getattr(constructors, kind)
    keywords = [
        parameter
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name != "collection"
    ]
    given = {one.name: f"of {one.name}" if isinstance(one.default, str) else 1234 for one in keywords}
    source = make("mine", collection="sales", **given)
    assert (source.name, source.kind, source.collection) == ("mine", kind, "sales")
    assert source.properties.keys() == set(SOURCE_PROPERTIES[kind]) - {"dataUseGovernance"}
    for name, value in source.properties.items():
        spelled = name.replace("ARN", "Arn")
        keyword = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in spelled)
        assert value == given[keyword]
    assert source.body() == {
        "kind": kind,
        "properties": {
            **source.properties,
            "collection": {"referenceName": "sales", "type": "CollectionReference"},
        },
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_empty_is_left_out(kind):
    port = source_kinds()[kind].port
    assert getattr(constructors, kind)("mine").body() == {"kind": kind, "properties": {"port": port} if port else {}}


@pytest.mark.parametrize("kind", KINDS)
def test_each_says_its_product_and_its_source(kind):
    text = getattr(constructors, kind).__doc__
    assert text.startswith(source_kinds()[kind].title)
    assert source_kinds()[kind].source[0] in text


def test_further_properties_are_in_the_words_of_the_api():
    source = constructors.AzureSqlDatabase(
        "orders", server_endpoint="a", serverEndpoint="b", dataUseGovernance="Enabled"
    )
    assert source.properties == {"serverEndpoint": "b", "dataUseGovernance": "Enabled"}
    with pytest.raises(TypeError, match="has no 'server_endpont'"):
        constructors.AzureSqlDatabase("orders", server_endpont="a")
