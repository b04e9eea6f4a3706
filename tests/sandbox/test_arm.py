"""Azure Resource Manager's routes and refusals."""

import json

import pytest
import requests
from sandbox.tiny import HOST, ONE, TENANT, TWO, UNKNOWN

GROUP = f"/subscriptions/{ONE}/resourceGroups/Data-RG"


def pages(client, path, **parameters):
    """The values of a list, over all its pages, and how many there were."""
    answer = client.get(path, params=parameters).json()
    values, count = list(answer["value"]), 1
    while link := answer.get("nextLink"):
        answer = client.session.get(link).json()
        values += answer["value"]
        count += 1
    return values, count


def test_a_subscription(client):
    listed = client.get("/subscriptions", version="2022-12-01").json()["value"][0]
    assert listed == {
        "id": f"/subscriptions/{ONE}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": ONE,
        "tenantId": TENANT,
        "displayName": "one",
        "state": "Enabled",
        "subscriptionPolicies": {"spendingLimit": "Off"},
        "tags": {"Domain": "one"},
    }
    assert client.get(f"/subscriptions/{ONE}").json() == listed


def test_the_tenant(client):
    (tenant,) = client.get("/tenants").json()["value"]
    assert (tenant["tenantId"], tenant["displayName"], tenant["defaultDomain"]) == (TENANT, "Tiny", "tiny.example")


def test_locations(client):
    found = {place["name"]: place for place in client.get(f"/subscriptions/{ONE}/locations").json()["value"]}
    europe = found["westeurope"]
    pair = {"name": "northeurope", "id": f"/subscriptions/{ONE}/locations/northeurope"}
    assert europe["metadata"]["pairedRegion"] == [pair]
    assert europe["regionalDisplayName"] == "(Europe) West Europe"
    assert found["polandcentral"]["metadata"]["pairedRegion"] == []
    assert found["brazilsouth"]["metadata"]["pairedRegion"][0]["name"] == "southcentralus"
    assert "pairedRegion" not in found["global"]["metadata"]
    physical = {name for name, place in found.items() if place["metadata"]["regionType"] == "Physical"}
    assert len(physical) > 55
    assert {pair["name"] for name in physical for pair in found[name]["metadata"]["pairedRegion"]} - physical == {
        "swedensouth"  # Azure itself names it as a pair and does not list it
    }


def test_locations_are_those_that_azure_lists(client, recorded):
    ours = {place["name"]: place for place in client.get(f"/subscriptions/{ONE}/locations").json()["value"]}
    theirs = json.loads((recorded / "recordings/arm/locations.json").read_text())["value"]
    for place in theirs:
        if place["name"] not in ours:
            assert "STG" in place["displayName"], "only what is no public region may be missing"
            continue
        mine = ours[place["name"]]
        assert set(mine) == set(place)
        for key in ("name", "type", "displayName", "regionalDisplayName"):
            assert mine[key] == place[key]
        without = {key: value for key, value in place["metadata"].items() if key != "pairedRegion"}
        assert {key: value for key, value in mine["metadata"].items() if key != "pairedRegion"} == without


@pytest.mark.parametrize(
    "path",
    [
        f"/subscriptions/{ONE}/resources",
        f"/subscriptions/{ONE}/resourcegroups",
        f"{GROUP}/resources",
        f"/subscriptions/{ONE}/providers/Microsoft.Storage/storageAccounts",
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts",
        "/subscriptions",
        f"/subscriptions/{ONE}/providers/Microsoft.Authorization/permissions",
        "/providers/Microsoft.Management/managementGroups",
        "/providers/Microsoft.Management/managementGroups/mg-top/descendants",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_add_up(open_client, path, size):
    client = open_client(page_size=size)
    values, count = pages(client, path)
    assert count == -(-len(values) // size)
    assert len({json.dumps(value) for value in values}) == len(values)
    client.session.close()


def test_top_is_the_smaller_page(client):
    values, count = pages(client, f"{GROUP}/resources", **{"$top": "2"})
    assert (len(values), count) == (5, 3)
    for wrong in ("0", "-1", "many"):
        assert client.get(f"{GROUP}/resources", params={"$top": wrong}).status_code == 400
    assert client.get(f"{GROUP}/resources", params={"$skiptoken": "mine"}).json()["error"]["code"] == "InvalidSkipToken"


def test_a_list_by_type(client):
    servers = client.get(f"/subscriptions/{ONE}/providers/microsoft.sql/SERVERS").json()["value"]
    assert [server["name"] for server in servers] == ["sql"]
    databases = client.get(servers[0]["id"] + "/databases").json()["value"]
    assert [database["type"] for database in databases] == ["Microsoft.Sql/servers/databases"]
    filtered = client.get(
        f"/subscriptions/{ONE}/resources", params={"$filter": "resourceType eq 'Microsoft.Sql/servers'"}
    )
    assert filtered.json()["value"] == servers
    assert client.get(f"/subscriptions/{ONE}/resources", params={"$filter": "x"}).status_code == 501


def test_a_resource_has_the_body_of_arm(client):
    body = client.get(f"{GROUP}/providers/Microsoft.Storage/storageAccounts/ST0").json()
    assert body == {
        "id": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st0",
        "name": "st0",
        "type": "Microsoft.Storage/storageAccounts",
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "properties": {"encryption": {"keySource": "Microsoft.Storage"}, "number": 0},
        "tags": {"Domain": "Sales"},
    }
    assert client.get(GROUP).json()["type"] == "Microsoft.Resources/resourceGroups"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions/not-a-guid/resources", 400, "InvalidSubscriptionId"),
        (f"/subscriptions/{UNKNOWN}", 404, "SubscriptionNotFound"),
        (f"/subscriptions/{UNKNOWN}/resourceGroups/x/providers/Microsoft.Sql/servers/y", 404, "SubscriptionNotFound"),
        (f"/subscriptions/{ONE}/resourceGroups/nope", 404, "ResourceGroupNotFound"),
        (f"/subscriptions/{ONE}/resourceGroups/nope/resources", 404, "ResourceGroupNotFound"),
        (f"/subscriptions/{ONE}/resourceGroups/nope/providers/Microsoft.Sql/servers", 404, "ResourceGroupNotFound"),
        (f"{GROUP}/providers/Microsoft.Sql/servers/nope", 404, "ResourceNotFound"),
        (f"{GROUP}/providers/Microsoft.Sql/servers/nope/databases", 404, "ResourceNotFound"),
        (f"/subscriptions/{ONE}/providers/Microsoft.Resources/deploymentStacks/nope", 404, "ResourceNotFound"),
        ("/nothing/here", 404, "InvalidResourceType"),
    ],
)
def test_what_is_not_there(client, path, status, code):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.headers["x-ms-failure-cause"] == "gateway"


def recorded_refusals(recorded):
    """Path, status and error of what was recorded as missing in a subscription, as today's ARM says it."""
    for line in (recorded / "recordings/arm/arm_errors.jsonl").read_text().splitlines():
        exchange = json.loads(line)
        error = exchange["response"].get("error") if isinstance(exchange["response"], dict) else None
        path = exchange["url"].removeprefix(HOST).partition("?")[0]
        if isinstance(error, dict) and path.startswith("/subscriptions/") and path.count("/") > 2:
            message = error.get("message", "")
            ours = error["code"] in ("SubscriptionNotFound", "ResourceGroupNotFound", "ResourceNotFound")
            group = message.partition("resource group '")[2].partition("'")[0]
            scrubbed = group.lower() not in path.lower()
            if (
                ours
                and not scrubbed
                and ("ARMResourceNotFoundFix" in message or message.endswith("could not be found."))
            ):
                yield path, exchange["status"], error


def test_errors_read_like_recorded_ones(owner, recorded):
    told = set()
    for path, status, error in recorded_refusals(recorded):
        parts = path.split("/")
        theirs, parts[2] = parts[2], UNKNOWN if error["code"] == "SubscriptionNotFound" else ONE
        if error["code"] == "ResourceNotFound" and parts[3].lower() == "resourcegroups":
            group = "/".join(parts[:5])
            owner.call("PUT", group, json={"location": "westeurope"})
            named = error["message"].partition("'")[2].partition("'")[0].split("/")
            for length in range(3, len(named), 2):  # what is above the missing one was there
                owner.call("PUT", f"{group}/providers/{'/'.join(named[:length])}", json={"location": "westeurope"})
        answer = owner.get("/".join(parts))
        ours = answer.json()["error"]
        assert (answer.status_code, ours["code"]) == (status, error["code"]), path
        assert ours["message"].lower() == error["message"].replace(theirs, parts[2]).lower()
        told.add(error["code"])
    assert told == {"SubscriptionNotFound", "ResourceGroupNotFound", "ResourceNotFound"}


def test_no_api_version(client):
    answer = client.get("/subscriptions", version="")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AuthenticationFailed"),
        ("", "AuthenticationFailed"),
        ("Bearer ", "AuthenticationFailedInvalidHeader"),
        ("Basic abc", "AuthenticationFailedInvalidHeader"),
    ],
)
def test_no_token(client, header, code):
    client.session.headers["Authorization"] = header
    answer = client.get("/subscriptions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith(
        f'Bearer authorization_uri="https://login.microsoftonline.com/{TENANT}"'
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/subscriptions"),
        ("DELETE", f"/subscriptions/{ONE}"),
        ("POST", f"{GROUP}/resources"),
        ("OPTIONS", GROUP),
    ],
)
def test_a_method_that_nothing_has(owner, method, path):
    assert owner.call(method, path).status_code == 405


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com.example.net/subscriptions?api-version=1",
        "https://login.microsoftonline.com/x",
        "http://management.azure.com/subscriptions?api-version=1",
        "https://management.azure.com:8443/subscriptions?api-version=1",
    ],
)
def test_no_other_host(client, url):
    with pytest.raises(requests.ConnectionError, match="the sandbox has no"):
        client.session.get(url)


def test_headers_and_packing(client):
    answer = client.get(f"/subscriptions/{ONE}/locations")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["CONTENT-TYPE"] == "application/json; charset=utf-8"
    assert answer.headers["x-ms-request-id"]
    assert answer.elapsed.total_seconds() > 0
    assert (answer.reason, answer.ok) == ("OK", True)
    plain = client.get(f"/subscriptions/{ONE}/locations", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == answer.json()
    with client.session.get(f"{HOST}/subscriptions?api-version=1", stream=True) as streamed:
        assert json.loads(b"".join(streamed.iter_content(16)))["count"]["value"] == 2


def test_management_groups(client):
    path = "/providers/Microsoft.Management/managementGroups"
    listed = client.get(path, version="2020-05-01").json()
    assert [group["name"] for group in listed["value"]] == ["mg-top", "mg-left", "mg-right"]
    assert listed["nextLink"] is None
    left = client.get(f"{path}/MG-LEFT").json()
    assert left["id"] == f"{path}/mg-left"
    assert left["properties"]["displayName"] == "Left"
    assert left["properties"]["details"]["parent"]["id"] == f"{path}/mg-top"
    below = client.get(f"{path}/mg-top/descendants").json()["value"]
    kind = "Microsoft.Management/managementGroups"
    assert [(item["name"], item["type"]) for item in below] == [
        ("mg-left", kind), ("mg-right", kind), (ONE, f"{kind}/subscriptions"), (TWO, f"{kind}/subscriptions"),
    ]  # fmt: skip
    assert below[2]["id"] == f"/subscriptions/{ONE}"
    assert below[2]["properties"] == {"displayName": "one", "parent": {"id": f"{path}/mg-left"}}


def test_management_groups_that_are_not_for_the_caller(client, open_client):
    path = "/providers/Microsoft.Management/managementGroups"
    for name in (TENANT, "mg-unknown"):  # who may not read a group is not told whether there is one
        denied = client.get(f"{path}/{name}/descendants")
        assert denied.status_code == 403
        assert f"'{path[11:]}/descendants/read' over scope '{path}/{name}'" in denied.json()["error"]["message"]
    assert client.get(f"{path}/mg-top/nothing").status_code == 404
    assert client.call("PUT", f"{path}/mg-top").status_code == 405


def test_management_groups_for_who_sees_the_tenant(owner):
    path = "/providers/Microsoft.Management/managementGroups"
    assert owner.get(f"{path}/mg-unknown").status_code == 404
    root = owner.get(f"{path}/{TENANT}").json()["properties"]
    assert root["displayName"] == "Tenant Root Group"
    assert "parent" not in root["details"]
    assert len(owner.get(f"{path}/{TENANT}/descendants").json()["value"]) == 6
