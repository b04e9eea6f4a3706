"""What is settled without a closer look is what a closer look would pass."""

import pytest
from catalog.conftest import LABEL, OWNER, asset, collection, hit_of
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.azure.purview import Asset
from sovereignmesh.azure.purview.datamap import Contact, Hit
from sovereignmesh.catalog.judging import Judges
from sovereignmesh.catalog.placing import Places
from sovereignmesh.catalog.reading import Read
from sovereignmesh.catalog.settling import Settler
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
contacts = st.builds(Contact, id=st.sampled_from([OWNER, "", None]), type=st.sampled_from(["Owner", "Expert", None]))
NAMES = ["mssql://ledger.database.windows.net/db/dbo/t", "mssql://other.database.windows.net/db", "x"]
hits = st.builds(
    Hit,
    id=st.just(asset().id),
    type=st.sampled_from(["azure_sql_table", "azure_sql_server"]),
    qualified_name=st.sampled_from(NAMES),
    description=st.sampled_from(["It says.", " ", "", None]),
    labels=st.none() | st.lists(st.sampled_from([LABEL, LABEL.upper(), "confidential"]), max_size=2).map(tuple),
    contacts=st.none() | st.lists(contacts, max_size=2).map(tuple),
)


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
    assert (settled.id, settled.type) == (hit.id, hit.type)


def test_what_lacks_nothing_is_settled(around):
    settled = around[2](hit_of(asset()), "pview")
    assert (settled.id, settled.type, settled.domain) == (asset().id, "azure_sql_table", "")


@pytest.mark.parametrize(
    "lacks",
    [{"description": ""}, {"owners": ()}, {"labels": ()}, {"qualified_name": "mssql://LEDGER.database.windows.net/db"}],
)
def test_what_lacks_something_or_is_limited_is_looked_at(around, lacks):
    assert around[2](hit_of(asset(**lacks)), "pview") is None
