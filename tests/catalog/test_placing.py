"""Whose an asset is."""

import pytest
from catalog.conftest import collection, source

from sovereignmesh.catalog.placing import Places, address

SALES = """
    dataProduct:
      name: Sales Analytics
      domain: Sales
      owner: sales@contoso.com
      dataResidency: {region: EU}
      interfaces: [{type: SQL, endpoint: sales-sql.database.windows.net}]
"""
RETURNS = """
    dataProduct:
      name: Returns
      domain: Sales
      owner: returns@contoso.com
      dataResidency: {region: EU}
      interfaces: [{type: SQL, endpoint: "mssql://sales-sql.database.windows.net/returns"}]
      sources: [returns-lake]
"""
TREE = [collection("pview", parent=""), collection("c1", "Sales"), collection("c2", "Archive", "c1"), collection("c3")]


def places(mesh, sources=()):
    return Places(mesh, TREE, sources)


@pytest.mark.parametrize(
    ("qualified_name", "where", "domain", "products"),
    [
        ("mssql://sales-sql.database.windows.net/db/dbo/orders", "c3", "Sales", ["Sales Analytics"]),
        ("mssql://SALES-SQL.database.windows.net", "c3", "Sales", ["Sales Analytics"]),
        # The longest claim is the nearest; a path ends where a name ends.
        ("mssql://sales-sql.database.windows.net/Returns/dbo/items", "c3", "Sales", ["Returns"]),
        ("mssql://sales-sql.database.windows.net/returns-old/dbo/items", "c3", "Sales", ["Sales Analytics"]),
        ("https://returns.dfs.core.windows.net/in/a.csv", "c3", "Sales", ["Returns"]),
        ("https://elsewhere.dfs.core.windows.net/in/a.csv", "c3", "", []),
        # Two products share the domain: the collection alone does not say which.
        ("https://elsewhere.dfs.core.windows.net/in/a.csv", "c2", "Sales", []),
        ("no address at all", "C1", "Sales", []),
        ("mssql://[half", "unknown", "", []),
    ],
)
def test_claims(write_mesh, qualified_name, where, domain, products):
    lake = source("Returns-Lake", endpoint="https://returns.dfs.core.windows.net/")
    found = places(write_mesh(SALES, RETURNS), [lake]).find(qualified_name, where)
    assert (found.domain, [product.name for product in found.products]) == (domain, products)


def test_a_domain_with_one_product_has_what_is_in_its_collection(write_mesh):
    found = places(write_mesh(SALES)).find("https://elsewhere.dfs.core.windows.net/", "c2")
    assert [product.name for product in found.products] == ["Sales Analytics"]


def test_a_source_that_is_not_there_is_told(write_mesh):
    assert [(product.name, name) for product, name in places(write_mesh(RETURNS)).unknown] == [
        ("Returns", "returns-lake")
    ]


def test_two_products_at_one_endpoint_share_it(write_mesh):
    other = SALES.replace("Sales Analytics", "Finance Ledger").replace("domain: Sales", "domain: Finance")
    found = places(write_mesh(SALES, other)).find("mssql://sales-sql.database.windows.net/db", "c1")
    assert found.domain == ""
    assert {product.name for product in found.products} == {"Sales Analytics", "Finance Ledger"}


def test_titles(write_mesh):
    found = places(write_mesh(SALES))
    assert [found.title(name) for name in ("c1", "C3", "gone")] == ["Sales", "c3", "gone"]


def test_collections_in_a_circle_are_of_nobody(write_mesh):
    tree = [collection("a", parent="b"), collection("b", parent="a")]
    assert Places(write_mesh(SALES), tree, ()).find("x", "a").domain == ""


def test_an_address_is_compared_without_case():
    assert address("HTTPS://Lake.dfs.core.windows.net/In/") == ("lake.dfs.core.windows.net", "/in/")
    assert address("https:///nowhere") is None


LIMITS = """
    dataProduct:
      name: {name}
      domain: Sales
      owner: sales@contoso.com
      dataResidency: {{piiHandling: None}}
      interfaces: [{{type: SQL, endpoint: "{endpoint}"}}]
"""


def test_a_limiting_product_that_claims_nothing_is_told(write_mesh):
    nowhere = [LIMITS.format(name=name, endpoint=endpoint) for name, endpoint in (("A", "the portal"), ("B", "later"))]
    assert {product.name for product in places(write_mesh(*nowhere)).unclaimed} == {"A", "B"}
    tcp = LIMITS.format(name="B", endpoint="tcp:sales-sql.database.windows.net,1433")
    told = places(write_mesh(nowhere[0], tcp))
    assert {product.name for product in told.unclaimed} == {"A"}
    assert told.find("mssql://sales-sql.database.windows.net/db", "c3").limited
    # The one product of a domain that has a collection holds what is in it.
    assert places(write_mesh(nowhere[0])).unclaimed == []


def test_lineage_that_a_plan_made_is_of_the_domain_in_its_name(write_mesh):
    mesh = write_mesh(SALES)
    assert places(mesh).find("sovereignmesh://contracts/sales/Sales Analytics/Finance", "pview").domain == "Sales"
    assert places(mesh).find("sovereignmesh://domains/Nowhere", "c1").domain == ""
