"""What is settled without a closer look is what a closer look would pass."""

import pytest
from catalog.conftest import LABEL, OWNER, asset, collection, worded
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.azure.purview import Asset
from sovereignmesh.catalog.judging import Judges
from sovereignmesh.catalog.placing import Places
from sovereignmesh.catalog.reading import Read
from sovereignmesh.catalog.settling import Settler
from sovereignmesh.errors import AnswerError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import CATALOG_CHECKS

MESH = """
governancePolicies: {dataCatalog: {requireDescription: true, requireOwner: true, requireSensitivityLabel: true}}
---
dataProduct:
  name: Ledger
  domain: Finance
  owner: finance@contoso.com
  dataResidency: {region: EU, piiHandling: None}
  interfaces: [{type: SQL, endpoint: ledger.database.windows.net}]
"""
anything = st.one_of(st.none(), st.integers(), st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=1))
contacts = st.fixed_dictionaries(
    {},
    optional={"id": st.sampled_from([OWNER, "", None, 7]), "contactType": st.sampled_from(["Owner", "Expert", None])},
)
texts = {
    "id": st.sampled_from([asset().id, "", None]),
    "entityType": st.sampled_from(["azure_sql_table", "azure_sql_server", "", None]),
    "qualifiedName": st.sampled_from(
        ["mssql://ledger.database.windows.net/db/dbo/t", "mssql://other.database.windows.net/db", "x", ""]
    ),
    "description": st.sampled_from(["It says.", " ", "", None]),
    "label": st.lists(st.sampled_from([LABEL, LABEL.upper(), "confidential", 7]), max_size=2),
    "contact": st.lists(contacts, max_size=2),
}
hits = st.fixed_dictionaries({}, optional={name: st.one_of(kind, anything) for name, kind in texts.items()})


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "mesh.yaml").write_text(MESH)
    mesh = load_mesh(folder)
    places = Places(mesh, [collection("pview", parent="")], ())
    return places, Judges(mesh, CATALOG_CHECKS), Settler(CATALOG_CHECKS, places)


def judged(around, hit):
    places, judges, _ = around
    read = Read(Asset.of(hit), "pview")
    place = places.find(read.asset.qualified_name, "pview")
    return judges.in_doubt(read, place), [one.state for _, one, _ in judges.judge(read, place)]


@given(hits)
def test_whatever_is_settled_passes(around, hit):
    settled = around[2](hit, "pview")
    if settled is None:
        return
    doubt, states = judged(around, hit)
    assert not doubt
    assert set(states) <= {"compliant", "not-applicable"}
    assert (settled.id, settled.type) == (hit["id"], hit["entityType"])


def test_what_lacks_nothing_is_settled(around):
    settled = around[2](worded(asset()), "pview")
    assert (settled.id, settled.type, settled.domain) == (asset().id, "azure_sql_table", "")


@pytest.mark.parametrize(
    "lacks",
    [{"description": ""}, {"owners": ()}, {"labels": ()}, {"qualified_name": "mssql://LEDGER.database.windows.net/db"}],
)
def test_what_lacks_something_or_is_limited_is_looked_at(around, lacks):
    assert around[2](worded(asset(**lacks)), "pview") is None


@pytest.mark.parametrize("hit", [None, 7, [], "text", {}, {"id": 7}])
def test_what_is_no_hit_is_left_to_who_refuses_it(around, hit):
    assert around[2](hit, "pview") is None
    with pytest.raises(AnswerError):
        Asset.of(hit)
