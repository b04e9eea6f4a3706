"""What there is in a tenant, as recorded, and what a caller may do there."""

import json

import pytest

from sovereignmesh.azure import (
    Location,
    ManagementGroup,
    Permission,
    Subscription,
    Tenant,
    list_locations,
    list_management_groups,
    list_permissions,
    list_subscriptions,
    list_subscriptions_below,
    list_tenants,
    reads_everything,
)
from sovereignmesh.errors import AnswerError

ARM = "https://management.azure.com"
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUPS = "/providers/Microsoft.Management/managementGroups"


def test_each_recorded_list_of_subscriptions_is_read(recordings, azure, service):
    records = [record for record in recordings("subscriptions.jsonl") if "/subscriptions?" in record["url"]
               and "/resourceGroups/" not in record["url"]]  # fmt: skip
    assert len(records) >= 4
    for record in records:
        service.mock.reset()
        service.says("/subscriptions", (200, record["response"]))
        assert list(list_subscriptions(azure)) == [
            Subscription(item["subscriptionId"], item["displayName"], item["state"], item["tenantId"])
            for item in record["response"]["value"]
        ]
        assert service.urls == [f"{ARM}/subscriptions?api-version=2022-12-01"]


def test_the_id_of_a_subscription_is_in_lower_case_and_stands_for_a_name(azure, service):
    service.says("/subscriptions", {"value": [{"subscriptionId": "AAAAAAAA-0000-0000-0000-000000000000"}]})
    assert list(list_subscriptions(azure)) == [
        Subscription("aaaaaaaa-0000-0000-0000-000000000000", "AAAAAAAA-0000-0000-0000-000000000000", "", "")
    ]


@pytest.mark.parametrize("item", [{}, {"subscriptionId": None}, {"subscriptionId": 7}, {"subscriptionId": ""},
                                  {"subscriptionId": "a/../b"}, {"subscriptionId": "a?b"}, {"subscriptionId": "a b"},
                                  {"subscriptionId": "a\n"}, {"subscriptionId": "größe"}])  # fmt: skip
def test_a_subscription_without_an_id_is_no_answer(azure, service, item):
    service.says("/subscriptions", {"value": [item]})
    with pytest.raises(AnswerError):
        list(list_subscriptions(azure))


def test_the_recorded_locations_are_read(recorded, azure, service):
    body = json.loads((recorded / "recordings" / "arm" / "locations.json").read_text(encoding="utf-8"))
    service.says(f"{SUBSCRIPTION}/locations", body)
    found = list(list_locations(azure, SUBSCRIPTION.rpartition("/")[2]))
    physical = {item["name"] for item in body["value"] if item["metadata"]["regionType"] == "Physical"}
    assert len(found) == len(physical) < len(body["value"])
    assert {location.name for location in found} == physical
    assert found[0] == Location("eastus", "East US", "United States", "westus")
    assert {location.name: location.pair for location in found if location.pair} == {
        item["name"]: item["metadata"]["pairedRegion"][0]["name"]
        for item in body["value"]
        if item["metadata"].get("pairedRegion")
    }
    assert "europe" not in {location.name for location in found}
    assert service.urls == [f"{ARM}{SUBSCRIPTION}/locations?api-version=2022-12-01"]


@pytest.mark.parametrize("metadata", [None, "x", {}, {"pairedRegion": None}, {"pairedRegion": []},
                                      {"pairedRegion": ["westus"]}, {"pairedRegion": [{"name": None}]}])  # fmt: skip
def test_a_location_may_say_little(azure, service, metadata):
    service.says(f"{SUBSCRIPTION}/locations", {"value": [{"name": "eastus", "metadata": metadata}]})
    assert list(list_locations(azure, SUBSCRIPTION.rpartition("/")[2])) == [Location("eastus", "", "", "")]


def test_tenants_are_read(azure, service):
    service.says(
        "/tenants",
        {"value": [{"tenantId": "a", "displayName": "Contoso"}, {"tenantId": "b", "defaultDomain": "b.com"}]},
    )
    assert list(list_tenants(azure)) == [Tenant("a", "Contoso"), Tenant("b", "b.com")]


def test_management_groups_are_read(azure, service):
    value = [{"name": "mg-a", "properties": {"displayName": "A"}}, {"name": "mg-b", "properties": None}]
    service.says(GROUPS, {"value": value})
    assert list(list_management_groups(azure)) == [ManagementGroup("mg-a", "A"), ManagementGroup("mg-b", "")]
    assert service.urls == [f"{ARM}{GROUPS}?api-version=2020-05-01"]


GROUP = "Microsoft.Management/managementGroups"


def below(name, display_name="", kind="/subscriptions"):
    return {"id": f"/subscriptions/{name}", "type": kind, "name": name, "properties": {"displayName": display_name}}


def test_the_subscriptions_below_a_group_are_read_over_all_pages(azure, service):
    path = f"{GROUPS}/mg-a/descendants"
    service.says(
        path,
        {
            "value": [below("MG-B", "B", GROUP), below("AAAA", "sales")],
            "nextLink": f"{ARM}{path}?$skiptoken=1&api-version=2020-05-01",
        },
        {"value": [below("bbbb", "", f"{GROUP}/subscriptions")], "@nextLink": "x"},
    )
    assert list(list_subscriptions_below(azure, "mg-a")) == [
        Subscription("aaaa", "sales", "", ""),
        Subscription("bbbb", "bbbb", "", ""),
    ]
    assert service.urls == [f"{ARM}{path}?api-version=2020-05-01", f"{ARM}{path}?$skiptoken=1&api-version=2020-05-01"]


@pytest.mark.parametrize("kind", [None, "", 7])
def test_what_is_below_a_group_of_a_type_that_is_not_known_is_no_answer(azure, service, kind):
    """It might be a subscription, and nobody would miss it."""
    service.says(f"{GROUPS}/mg-a/descendants", {"value": [below("aaaa"), below("bbbb", kind=kind)]})
    found = list_subscriptions_below(azure, "mg-a")
    assert next(found).id == "aaaa"
    with pytest.raises(AnswerError, match="of the type"):
        next(found)


@pytest.mark.parametrize("name", ["", "a/b", None])
def test_what_is_below_a_group_without_an_id_is_no_answer(azure, service, name):
    service.says(f"{GROUPS}/mg-a/descendants", {"value": [below(name)]})
    with pytest.raises(AnswerError, match="which is none"):
        list(list_subscriptions_below(azure, "mg-a"))


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("mg (a)", "mg%20%28a%29"), ("../../subscriptions", "..%2F..%2Fsubscriptions"), ("a?b#c", "a%3Fb%23c"),
        ("größe", "gr%C3%B6%C3%9Fe"), ("a%2Fb", "a%252Fb"),
    ],
)  # fmt: skip
def test_the_name_of_a_group_cannot_leave_its_place(azure, service, name, quoted):
    service.says(f"{GROUPS}/{quoted}/descendants", {"value": []})
    assert list(list_subscriptions_below(azure, name)) == []
    assert service.urls == [f"{ARM}{GROUPS}/{quoted}/descendants?api-version=2020-05-01"]


def test_permissions_are_read(azure, service):
    service.says(
        f"{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions",
        {"value": [
            {"actions": ["*/read"], "notActions": [], "dataActions": ["*"], "condition": None},
            {"actions": None, "notActions": ["a/b"], "condition": "@Resource[a] StringEquals 'b'"},
            {"actions": ["*"], "notActions": None, "condition": ""},
            {},
        ]},
    )  # fmt: skip
    assert list_permissions(azure, SUBSCRIPTION) == [
        Permission(("*/read",), ()),
        Permission((), ("a/b",), "@Resource[a] StringEquals 'b'"),
        Permission(("*",), ()),
        Permission((), ()),
    ]
    assert service.urls == [f"{ARM}{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"]


@pytest.mark.parametrize(
    "grant",
    [
        {"actions": ["*"], "notActions": "*/read"}, {"actions": ["*"], "notActions": ["a/b", 7]},
        {"actions": ["*"], "notActions": [None]}, {"actions": ["*"], "notActions": {"a": 1}},
        {"actions": ["*"], "notActions": False}, {"actions": "*"}, {"actions": ["*/read", 7]}, {"actions": {"*": 1}},
        {"actions": ["*"], "condition": {"a": 1}}, {"actions": ["*"], "condition": ["a"]},
        {"actions": ["*"], "condition": False}, {"actions": ["*"], "condition": 0},
    ],
)  # fmt: skip
def test_a_grant_that_is_not_understood_is_no_answer(azure, service, grant):
    """It might take away what it seems to give."""
    grants = {"value": [{"actions": ["a/read"]}, grant]}
    service.says(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions", grants)
    with pytest.raises(AnswerError, match=r"Authorization/permissions: a grant in a shape"):
        list_permissions(azure, SUBSCRIPTION)


@pytest.mark.parametrize("value", [["x"], [None], "x", {"actions": ["*"]}])
def test_grants_that_are_none_are_no_answer(azure, service, value):
    service.says(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions", {"value": value})
    with pytest.raises(AnswerError):
        list_permissions(azure, SUBSCRIPTION)


# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
OWNER = Permission(("*",), ())
READER = Permission(("*/read",), ())
CONTRIBUTOR = Permission(
    ("*",),
    (
        "Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
        "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
        "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
        "Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action",
    ),
)  # fmt: skip
NETWORK_CONTRIBUTOR = Permission(("Microsoft.Authorization/*/read", "Microsoft.Network/*", "Microsoft.Support/*"), ())
COST_READER = Permission(("Microsoft.Consumption/*/read", "Microsoft.Resources/subscriptions/read"), ())


@pytest.mark.parametrize(
    ("permission", "everything"),
    [
        (OWNER, True),
        (READER, True),
        (CONTRIBUTOR, True),
        (NETWORK_CONTRIBUTOR, False),
        (COST_READER, False),
        (Permission((), ()), False),
        (Permission(("*/READ",), ()), True),
        (Permission(("Microsoft.KeyVault/*/read", "*/read"), ()), True),
        (Permission(("*/read",), ("Microsoft.KeyVault/*/read",)), False),
        (Permission(("*/read",), ("Microsoft.KeyVault/vaults/read",)), False),
        (Permission(("*",), ("*/read",)), False),
        (Permission(("*",), ("*/Read",)), False),
        (Permission(("*",), ("*",)), False),
        (Permission(("*",), ("Microsoft.KeyVault/*",)), False),
        (Permission(("*",), ("Microsoft.KeyVault/vaults/*",)), False),
        (Permission(("*",), ("Microsoft.KeyVault/vaults/re*",)), False),
        (Permission(("*",), ("*d",)), False),
        (Permission(("*",), ("*/write", "*/delete", "*/action")), True),
        (Permission(("*/write", "*/action"), ()), False),
        (Permission(("*/read",), (), "@Resource[Microsoft.Storage:x] StringEquals 'y'"), False),
        (Permission(("Microsoft.*/read",), ()), False),
    ],
)
def test_what_reads_everything(permission, everything):
    assert permission.reads_everything is everything
    assert reads_everything([permission]) is everything
    assert reads_everything([COST_READER, permission]) is everything


def test_grants_add_up_only_where_one_is_enough():
    """What one takes away, another may give: each alone is looked at."""
    assert not reads_everything([])
    assert reads_everything([Permission(("*",), ("*/read",)), READER])
    assert not reads_everything([Permission(("*",), ("Microsoft.KeyVault/*/read",)), NETWORK_CONTRIBUTOR])
