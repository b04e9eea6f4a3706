"""The table policyresources: what is in the scope of a query, and what its caller may read of that."""

import json

import pytest
from sandbox.tiny import LEFT, ONE, TOP, TWO, Client, policies

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox import open_adapter

NAMES = "policyresources | project name | order by name asc"
BELOW, ABOVE, BOTH, EXACT = "AtScopeAndBelow", "AtScopeAndAbove", "AtScopeAboveAndBelow", "AtScopeExact"


def names(client, wanted=None, **options):
    said = {"authorizationScopeFilter": wanted} if wanted else {}
    return {row["name"] for row in client.rows(NAMES, **said, **options)}


def test_a_row_comes_as_it_was_written(client):
    found = {
        row["name"]: row for row in client.rows("PolicyResources | order by id asc", body={"subscriptions": [ONE]})
    }
    written = {row["name"]: row for row in policies()}
    assert found == {name: written[name] for name in ("of-one", "of-account")}
    assert client.query("policyresources | where properties.at == 'of-two' | project id")["totalRecords"] == 1


def test_no_other_table_has_the_rows(client):
    assert client.rows("resources | where type has 'policy'") == []
    assert client.rows("resourcecontainers | where type has 'policy'") == []
    assert client.get(f"/subscriptions/{ONE}/resources").json()["value"]
    assert client.get(policies()[3]["id"]).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, {"of-one", "of-account"}), (BELOW, {"of-one", "of-account"}),
        (BOTH, {"of-one", "of-account", "of-left", "of-top"}), (ABOVE, {"of-one", "of-left", "of-top"}),
        (EXACT, {"of-one"}), (BOTH.lower(), {"of-one", "of-account", "of-left", "of-top"}),
    ],
)  # fmt: skip
def test_what_is_above_comes_where_it_is_wanted(client, wanted, expected):
    assert names(client, wanted, body={"subscriptions": [ONE.upper()]}) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, {"of-left", "of-one", "of-account"}), (BOTH, {"of-top", "of-left", "of-one", "of-account"}),
        (ABOVE, {"of-top", "of-left"}), (EXACT, {"of-left"}),
    ],
)  # fmt: skip
def test_a_management_group_is_a_scope_too(client, wanted, expected):
    assert names(client, wanted, body={"managementGroups": ["mg-left"]}) == expected
    assert names(client, body={"managementGroups": ["MG-TOP"]}) == {
        "of-top", "of-left", "of-right", "of-one", "of-two", "of-account",
    }  # fmt: skip


def test_of_the_tenant_all_that_the_caller_may_read(client):
    assert names(client) == {"of-top", "of-left", "of-right", "of-one", "of-two", "of-account"}
    assert names(client, body={"subscriptions": [TWO]}) == {"of-two"}
    assert names(client, BOTH, body={"subscriptions": [ONE, TWO]}) == names(client)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([(f"/subscriptions/{ONE}", "Reader")], {"of-one", "of-account"}),
        ([(f"/subscriptions/{ONE}/resourceGroups/App-RG", "Reader")], {"of-account"}),
        ([(f"/subscriptions/{ONE}/resourceGroups/Data-RG", "Reader")], set()),
        ([(LEFT, "Reader")], {"of-one", "of-account", "of-left"}),
        ([(TOP, "Reader")], {"of-one", "of-account", "of-left", "of-top"}),
        ([(TOP, "Management Group Reader"), (f"/subscriptions/{ONE}", "Reader")], {"of-one", "of-account"}),
    ],
)
def test_a_role_shows_what_is_below_it_and_no_more(open_client, roles, expected):
    assert names(open_client(roles), BOTH, body={"subscriptions": [ONE]}) == expected


def test_versions_before_the_option_do_not_know_it(client):
    old = client.query(
        NAMES, version="2021-03-01", body={"subscriptions": [ONE]}, authorizationScopeFilter=BOTH, resultFormat="table"
    )
    assert old["data"]["rows"] == [["of-account"], ["of-one"]]


def test_a_value_that_is_none_is_not_run(client):
    answer = client.post_query(NAMES, authorizationScopeFilter="AtNoScope")
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "SandboxUnsupported")


def test_an_estate_may_have_none(build_estate):
    folder = build_estate([("/", "Reader")])
    described = json.loads((folder / "estate.json").read_text())
    del described["policy"]
    (folder / "estate.json").write_text(json.dumps(described))
    assert Client(folder).rows("policyresources") == []


def test_rows_that_cannot_be_read(build_estate):
    folder = build_estate([("/", "Reader")])
    (folder / "policy.jsonl").write_text('{"id": "/x"}\n')
    with pytest.raises(SandboxError, match=r"policy\.jsonl"):
        open_adapter(folder)
