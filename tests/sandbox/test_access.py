"""Roles at scopes, inherited downwards; what may not be read is missing in one place and refused in another."""

import pytest
from sandbox.tiny import HIDDEN, ONE, TWO

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.access import Access, Role
from sovereignmesh.sandbox.estate import load_estate

ACCOUNT = f"/subscriptions/{ONE}/resourceGroups/Data-RG/providers/Microsoft.Storage/storageAccounts/st0"
PERMISSIONS = "/providers/Microsoft.Authorization/permissions"


@pytest.mark.parametrize(
    ("role", "action", "granted"),
    [
        (Role(("*/read",)), "Microsoft.Storage/storageAccounts/read", True),
        (Role(("*/read",)), "microsoft.storage/storageaccounts/READ", True),
        (Role(("*/read",)), "Microsoft.Storage/storageAccounts/write", False),
        (Role(("*",), ("Microsoft.Authorization/*/Write",)), "Microsoft.Authorization/roleAssignments/write", False),
        (Role(("*",), ("Microsoft.Authorization/*/Write",)), "Microsoft.Storage/storageAccounts/write", True),
        (Role(("Microsoft.Storage/*",)), "Microsoft.StorageSync/x/read", False),
    ],
)
def test_a_role_grants(role, action, granted):
    assert role.grants(action) is granted


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (ACCOUNT, True),
        (ACCOUNT.lower(), True),
        (f"/subscriptions/{ONE}/resourceGroups/DATA-rg", True),
        (f"/subscriptions/{ONE}", True),
        ("/providers/Microsoft.Management/managementGroups/mg-left", True),
        ("/providers/microsoft.management/managementGroups/MG-TOP", True),
        ("/providers/Microsoft.Management/managementGroups/aaaaaaaa-0000-0000-0000-000000000000", True),
        ("/", True),
        (f"/subscriptions/{TWO}", False),
        (f"/subscriptions/{ONE}/resourceGroups/App-RG", False),
        ("/providers/Microsoft.Management/managementGroups/mg-right", False),
    ],
)
def test_a_role_is_inherited_downwards_alone(build_estate, scope, may):
    access = Access(load_estate(build_estate([(scope, "reader")])))
    assert access.may("Microsoft.Storage/storageAccounts/read", ACCOUNT) is may


def test_not_actions_take_away_in_their_own_role_alone(build_estate):
    definitions = {"No Storage": {"actions": ["*/read"], "notActions": ["Microsoft.Storage/*"]}}
    one = Access(load_estate(build_estate([("/", "No Storage")], definitions)))
    assert not one.may("Microsoft.Storage/storageAccounts/read", ACCOUNT)
    assert one.may("Microsoft.Sql/servers/read", ACCOUNT)
    both = Access(load_estate(build_estate([("/", "No Storage"), ("/", "Reader")], definitions, "both")))
    assert both.may("Microsoft.Storage/storageAccounts/read", ACCOUNT)


def test_a_role_that_nobody_defined(build_estate):
    with pytest.raises(SandboxError, match="Emperor"):
        Access(load_estate(build_estate([("/", "Emperor")])))


def test_a_subscription_without_a_role_is_missing(client):
    listed = client.get("/subscriptions").json()
    assert [item["subscriptionId"] for item in listed["value"]] == [ONE, TWO]
    assert listed["count"] == {"type": "Total", "value": 2}
    denied = client.get(f"/subscriptions/{HIDDEN}")
    assert denied.status_code == 403
    assert denied.json()["error"]["code"] == "AuthorizationFailed"
    assert denied.json()["error"]["message"] == (
        "The client 'reader' with object id '00000000-0000-0000-0000-00000000cafe' does not have authorization to "
        f"perform action 'Microsoft.Resources/subscriptions/read' over scope '/subscriptions/{HIDDEN}' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials."
    )


def test_a_reader_of_one_group_sees_little_and_no_sign_of_the_rest(open_client):
    client = open_client([(f"/subscriptions/{ONE}/resourceGroups/App-RG", "Reader")])
    assert [item["subscriptionId"] for item in client.get("/subscriptions").json()["value"]] == [ONE]
    assert [row["name"] for row in client.rows("resources | order by name asc | project name")] == [
        "db", "sql", "stkeys",
    ]  # fmt: skip
    total = client.query("resources | summarize rows = count() by subscriptionId")
    assert total["data"] == [{"subscriptionId": ONE, "rows": 3}]
    assert client.rows("resourcecontainers | project name") == [{"name": "App-RG"}]
    assert [item["name"] for item in client.get(f"/subscriptions/{ONE}/resourcegroups").json()["value"]] == ["App-RG"]
    assert len(client.get(f"/subscriptions/{ONE}/resources").json()["value"]) == 3
    assert client.get(f"/subscriptions/{ONE}{PERMISSIONS}").status_code == 403
    assert client.get(f"/subscriptions/{ONE}/resourceGroups/App-RG{PERMISSIONS}").status_code == 200
    assert client.get(f"/subscriptions/{ONE}/providers/Microsoft.Storage/storageAccounts").status_code == 403
    assert client.get(ACCOUNT).status_code == 403


def test_a_lister_sees_the_subscription_and_nothing_in_it(open_client):
    definitions = {"Lister": {"actions": ["Microsoft.Resources/subscriptions/read"], "notActions": []}}
    client = open_client([(f"/subscriptions/{ONE}", "Lister")], definitions=definitions)
    assert len(client.get("/subscriptions").json()["value"]) == 1
    assert client.rows("resources") == []
    assert client.rows("resourcecontainers | project name") == [{"name": "one"}]


def test_permissions_are_those_of_every_role(open_client):
    client = open_client(
        [(f"/subscriptions/{ONE}", "Reader"), ("/providers/Microsoft.Management/managementGroups/mg-left", "Owner")]
    )
    value = client.get(f"/subscriptions/{ONE}{PERMISSIONS}", version="2022-04-01").json()["value"]
    assert [item["actions"] for item in value] == [["*/read"], ["*"]]
    assert set(value[0]) == {"actions", "notActions", "dataActions", "notDataActions"}


def test_a_reader_writes_nothing(client):
    for method, action in (("PUT", "write"), ("PATCH", "write"), ("DELETE", "delete")):
        denied = client.call(method, ACCOUNT, json={})
        assert denied.status_code == 403
        assert (
            f"'Microsoft.Storage/storageAccounts/{action}' over scope '{ACCOUNT}'" in denied.json()["error"]["message"]
        )
