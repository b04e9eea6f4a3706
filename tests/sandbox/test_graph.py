"""Resource Graph: what it answers, pages, its quota, and its refusals."""

import base64
import json

import orjson
import pytest
from sandbox.tiny import HIDDEN, ONE, TENANT, TWO, UNKNOWN

from sovereignmesh.azure import query_rows
from sovereignmesh.errors import RejectedError
from sovereignmesh.sandbox import open_sandbox
from sovereignmesh.sandbox.estate import load_estate
from sovereignmesh.sandbox.kql import read_query
from sovereignmesh.sandbox.nulls import Nulls
from sovereignmesh.sandbox.service import Service
from sovereignmesh.sandbox.wire import Call

COLUMNS = [
    "id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan",
    "properties", "tags", "identity", "zones", "extendedLocation",
]  # fmt: skip
AUDIT = """resources
| project id, name, type, kind, location, sku, tags, managedBy, apiVersion,
  properties = case(
    isnull(properties), properties,
    type in~ ('Microsoft.Storage/storageAccounts'),
      bag_pack('encryption', properties.encryption, 'networkAcls', properties.networkAcls),
    type in ('microsoft.sql/servers', 'b'), properties,
    dynamic(null))
| order by id asc"""


def test_the_columns_that_are_documented(client):
    answer = client.query("resources | order by id asc")
    assert list(answer["data"][0]) == COLUMNS
    assert {key: value for key, value in answer.items() if key != "data"} == {
        "totalRecords": 9, "count": 9, "facets": [], "resultTruncated": "false",
    }  # fmt: skip
    row = next(row for row in answer["data"] if row["name"] == "stkeys")
    assert row["properties"] == {
        "encryption": {"keySource": "Microsoft.Keyvault", "identity": None}, "networkAcls": None,
    }  # fmt: skip
    assert (row["plan"], row["managedBy"], row["sku"]["name"]) == (None, "", "Standard_LRS")


def test_the_query_of_an_audit(client):
    found = {row["name"]: row for row in client.rows(AUDIT)}
    assert found["st0"]["properties"] == {"encryption": {"keySource": "Microsoft.Storage"}, "networkAcls": None}
    assert found["stkeys"]["properties"]["encryption"]["keySource"] == "Microsoft.Keyvault"
    assert found["sql"]["properties"] == {}
    assert found["db"]["properties"] is None
    assert found["st0"]["apiVersion"] == "2024-01-01"
    assert [row["id"] for row in client.rows(AUDIT)] == sorted(row["id"] for row in found.values())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("summarize count() by type | order by count_ desc | project type, count_ | take 1",
         [{"type": "microsoft.storage/storageaccounts", "count_": 7}]),
        ("where kind =~ 'storagev2' | summarize n = count() by kind", [{"kind": "StorageV2", "n": 7}]),
        ("RESOURCES | where type == 'microsoft.sql/servers' | project name", [{"name": "sql"}]),
        ("resources | where isnull(properties.networkAcls) and name == 'stkeys' | project name", [{"name": "stkeys"}]),
        ("resources | where isnotempty(properties.encryption.identity)", []),
        ("resources | where name == 'sql' | mv-expand zones | project zones", [{"zones": "1"}, {"zones": "2"}]),
        ("resources | where name == 'st1' | mv-expand properties.encryption | project properties_encryption",
         [{"properties_encryption": {"keySource": "Microsoft.Storage"}}]),
        (("resources | where name == 'db' | join kind=leftouter (ResourceContainers "
          "| where type =~ 'microsoft.resources/subscriptions' | project sub = name, subscriptionId) on subscriptionId "
          "| project name, sub"), [{"name": "db", "sub": "one"}]),
        ("union resources, resourcecontainers | count", [{"Count": 17}]),
        ("resources | where name has 'sql' | project t = tolower('AB'), i = iff(name == 'sql', 'x', 'y')",
         [{"t": "ab", "i": "x"}]),
        ("resources | where name == 'sql' | extend p = pack('a', location) | project p",
         [{"p": {"a": "northeurope"}}]),
        ("resources | where name == 'st1' | project properties.encryption.keySource, properties.number",
         [{"properties_encryption_keySource": "Microsoft.Storage", "properties_number": 1}]),
        ("resources | where tags.Domain == 'Sales' | summarize names = make_set(location)",
         [{"names": ["westeurope"]}]),
        (("resourcecontainers | where type == 'microsoft.management/managementgroups' | where name == 'mg-left' "
          "| project properties.details.parent.name"), [{"properties_details_parent_name": "mg-top"}]),
        ("resources | where name == 'st1' // | where name == 'nothing'\n| project kind, x = \"Resources | kind\"",
         [{"kind": "StorageV2", "x": "Resources | kind"}]),
    ],
)  # fmt: skip
def test_queries(client, query, expected):
    assert client.rows(query) == expected


def test_the_hidden_column_shows_where_it_is_named(client):
    assert "apiVersion" not in client.rows("resources | where apiVersion == '2024-01-01' | limit 1")[0]
    assert client.rows("resources | distinct apiVersion") == [{"apiVersion": "2024-01-01"}]
    joined = client.rows("resources | join kind=inner (resources) on id | limit 1")[0]
    assert not [name for name in joined if name.startswith("apiVersion")]
    assert {"id1", "kind1", "properties1"} <= set(joined), "as Kusto names the other side's columns"


def test_a_table(client):
    answer = client.query("project id, tags, n = 1, b = true, f = 1.5 | limit 2", resultFormat="table")
    assert answer["data"]["columns"] == [
        {"name": "id", "type": "string"}, {"name": "tags", "type": "object"}, {"name": "n", "type": "integer"},
        {"name": "b", "type": "boolean"}, {"name": "f", "type": "number"},
    ]  # fmt: skip
    assert len(answer["data"]["rows"]) == 2
    assert client.query("project id", version="2020-04-01-preview")["data"]["columns"]
    assert client.query("project id", version="2020-04-01-preview", resultFormat="objectArray")["data"][0]["id"]
    assert client.post_query("project id", resultFormat="xml").status_code == 400


def test_scopes(client):
    count = "resources | summarize n = count() by subscriptionId | order by subscriptionId asc"
    assert client.rows(count) == [{"subscriptionId": ONE, "n": 8}, {"subscriptionId": TWO, "n": 1}]
    assert client.rows(count, body={"subscriptions": [TWO]}) == [{"subscriptionId": TWO, "n": 1}]
    assert client.rows(count, body={"subscriptions": [TWO, HIDDEN, UNKNOWN]}) == [{"subscriptionId": TWO, "n": 1}]
    assert client.rows(count, body={"managementGroups": ["mg-left"]}) == [{"subscriptionId": ONE, "n": 8}]
    assert client.rows(count, body={"subscriptions": [ONE.upper()]}) == [{"subscriptionId": ONE, "n": 8}]
    kinds = "resourcecontainers | summarize by type | order by type asc"
    assert len(client.rows(kinds, body={"subscriptions": [ONE]})) == 2, "groups are above what was asked for"
    assert len(client.rows(kinds)) == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"subscriptions": [HIDDEN]}, 403, "AccessDenied"),
        ({"subscriptions": [HIDDEN, UNKNOWN]}, 403, "AccessDenied"),
        ({"managementGroups": ["mg-unknown"]}, 403, "AccessDenied"),
        ({"subscriptions": []}, 400, "NoValidSubscriptionsInQueryRequest"),
        ({"subscriptions": ["mine"]}, 400, "SubscriptionsContainInvalidGuids"),
    ],
)
def test_scopes_that_are_not_for_the_caller(client, body, status, code):
    answer = client.post_query("resources", body=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == ("BadRequest" if status == 400 else code)
    assert error["details"][0]["code"] == code
    assert error["message"].startswith("Please provide below info when asking for support: timestamp = ")


@pytest.mark.parametrize("size", [1, 2, 4, 9, 1000])
def test_pages_add_up(open_client, size):
    client = open_client(page_size=size)
    rows, token = [], {}
    while True:
        page = client.query("resources | project id | order by id asc", **token)
        assert page["totalRecords"] == 9
        assert page["count"] == len(page["data"])
        rows += page["data"]
        if "$skipToken" not in page:
            break
        base64.b64decode(page["$skipToken"], validate=True)
        token = {"token": page["$skipToken"]}
    assert rows == client.query("resources | project id | order by id asc")["data"] or size < 9
    assert len({row["id"] for row in rows}) == 9


def test_top_and_skip(client):
    first = client.query("project id | order by id asc", top=3, skip=2)
    assert (first["count"], first["totalRecords"], first["resultTruncated"]) == (3, 9, "false")
    second = client.query("project id | order by id asc", token=first["$skipToken"])
    assert second["count"] == 3, "a token keeps the size of its pages"
    third = client.query("project id | order by id asc", token=second["$skipToken"], top=1000)
    assert (third["count"], "$skipToken" in third) == (1, False)
    every = client.rows("project id | order by id asc")
    assert every[2:] == first["data"] + second["data"] + third["data"]


def test_skip_is_ignored_where_the_query_limits(client):
    assert client.query("project id | order by id asc | limit 3", skip=2)["count"] == 3


@pytest.mark.parametrize("options", [{"top": 0}, {"top": 1001}, {"skip": -1}, {"top": "5"}, {"token": "mine"}])
def test_options_that_are_wrong(client, options):
    answer = client.post_query("project id", **options)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_a_token_is_bound_to_its_query(client):
    token = client.query("project id | order by id asc", top=1)["$skipToken"]
    answer = client.post_query("project name | order by name asc", token=token)
    assert answer.json()["error"]["details"][0]["code"] == "InvalidSkipToken"


@pytest.mark.parametrize("query", ["project id | limit 3", "project id | take 3", "project tags, sku"])
def test_what_has_no_pages_is_truncated(client, query):
    answer = client.query(query, top=2)
    assert (answer["count"], answer["resultTruncated"], "$skipToken" in answer) == (2, "true", False)
    assert client.query(query)["resultTruncated"] == "false"


def test_the_quota(client):
    for spent in range(1, 16):
        client.now = 0
        answer = client.post_query("project id")
        assert answer.headers["x-ms-user-quota-remaining"] == str(15 - spent)
        assert answer.headers["x-ms-ratelimit-remaining-tenant-resource-requests"] == str(15 - spent)
        assert answer.headers["x-ms-user-quota-resets-after"] == "00:00:05"
    client.now = 1.5  # of the window, which began at 1
    refused = client.post_query("project id")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "4"
    assert refused.headers["x-ms-user-quota-resets-after"] == "00:00:04"
    assert refused.json()["error"]["code"] == refused.json()["error"]["details"][0]["code"] == "RateLimiting"
    client.now = 5
    assert client.post_query("project id").status_code == 200


def test_a_refused_query_costs_as_much(client):
    client.post_query("where where")
    client.now = 0
    assert client.post_query("project id").headers["x-ms-user-quota-remaining"] == "13"


def test_an_answer_that_is_too_large(build_estate):
    service = Service(load_estate(build_estate([("/", "Reader")])), largest=1500)
    url = "https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"

    def ask(top):
        body = orjson.dumps({"query": "resources", "options": {"$top": top}})
        return service.handle(Call.of("POST", url, {"Authorization": "Bearer x"}, body))

    refused = ask(9)
    assert refused.status == 400
    (detail,) = refused.json()["error"]["details"]
    assert detail["code"] == "ResponsePayloadTooLarge"
    assert detail["message"].endswith(
        "and has exceeded the limit of 1500. Please consider querying less data at a time and make paginated call if "
        "needed."
    )
    assert ask(1).status == 200


@pytest.mark.parametrize(
    ("query", "line", "column", "token"),
    [
        ("where where", 1, 11, "<EOF>"),
        ("project id, location | where where", 1, 34, "<EOF>"),
        ("resources\n| project a,, b", 2, 12, ","),
        ("resources | wherex a", 1, 12, "wherex"),
        ("where kind has 'x' | foo kind", 1, 21, "foo"),
        ("Resources | where (name == 'x'", 1, 30, "<EOF>"),
        ("where properties.kind == 'x' and kind ==", 1, 40, "<EOF>"),
        ("resources |\n", 2, 0, "<EOF>"),
    ],
)
def test_where_a_query_is_wrong(client, query, line, column, token):
    answer = client.post_query(query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    invalid, failure = answer.json()["error"]["details"]
    assert invalid["code"] == "InvalidQuery"
    assert set(failure) == {"code", "message", "line", "characterPositionInLine", "token", "expectedToken"}
    assert failure["code"] == "ParserFailure"
    if query != "resources\n| project a,, b":  # the parser may name either comma or what follows them
        assert (failure["line"], failure["characterPositionInLine"], failure["token"]) == (line, column, token)
    assert failure["line"] == line


def test_names_that_are_not_there(client):
    answer = client.post_query("advisorresourcez | limit 1").json()["error"]["details"]
    assert answer == [
        {
            "code": "DisallowedLogicalTableName",
            "message": "Table advisorresourcez is invalid, unsupported or disallowed.",
        }
    ]
    for query in ("resources | join kind=inner (nowhere) on id", "held.resources", "all_resources"):
        assert client.post_query(query).status_code in (400, 501)
    answer = client.post_query("where nothing == 1")
    assert (answer.status_code, answer.json()["error"]["details"][0]["code"]) == (400, "InvalidQuery")


@pytest.mark.parametrize(
    "query",
    [
        "AdvisorResources",
        "resources | join kind=inner (ExtensibilityResources) on id",
        "project pack_all()",
        "sample 2",
        "project bag_keys(tags)",
        "where name + 1 == 2",
    ],
)
def test_what_the_sandbox_cannot_it_says(client, query):
    answer = client.post_query(query)
    assert answer.status_code == 501
    assert "the sandbox (not Azure) cannot run this query" in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [{}, [], {"query": ""}, {"query": 1}])
def test_a_request_without_a_query(client, body):
    answer = client.call("POST", "/providers/Microsoft.ResourceGraph/resources", "2022-10-01", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert (
        client.call("POST", "/providers/Microsoft.ResourceGraph/resources", "2022-10-01", data="x").status_code == 400
    )


def test_versions_and_methods(client):
    assert client.post_query("limit 1", version="2024-04-01").status_code == 200
    assert client.post_query("limit 1", version="1999-01-01").json()["error"]["code"] == "InvalidResourceType"
    assert client.get("/providers/Microsoft.ResourceGraph/resources", version="2022-10-01").status_code == 405


def test_facets(client):
    body = {
        "facets": [
            {"expression": "type", "options": {"$top": 1}},
            {"expression": "nothing"},
            {"expression": "type", "options": {"filter": "x"}},
        ]
    }
    found, missing, unsupported = client.query("project id, type", body=body)["facets"]
    assert (found["totalRecords"], found["count"], found["resultType"]) == (3, 1, "FacetResult")
    assert found["data"] == [{"type": "microsoft.storage/storageaccounts", "count": 7}]
    table = client.query("project id, type", body=body, resultFormat="table")["facets"][0]["data"]
    assert table["rows"] == [["microsoft.storage/storageaccounts", 7]]
    assert [error["code"] for error in missing["errors"]] == ["NoValidColumns", "InvalidColumnNames"]
    assert unsupported["errors"][0]["code"] == "SandboxUnsupported"


@pytest.mark.parametrize(
    ("sent", "run"),
    [
        ("where a == 1", "resources | where a == 1"),
        ("Resources | project kind", "resources | project ['kind']"),
        ("resources | join kind=inner (Resources) on kind", "resources | join kind=inner (resources) on ['kind']"),
        ("resources | where properties.kind == 1", "resources | where properties['kind'] == 1"),
        ("resources | mv-expand a.b.c | limit 1", "resources | mv-expand a_b_c = a.b.c | limit 1"),
        ("resources | mv-expand x = a.b", "resources | mv-expand x = a.b"),
        ("resources | mv-expand a", "resources | mv-expand a"),
        ("union resources", "union resources"),
        ("resources | where a.resources == 'Resources'", "resources | where a.resources == 'Resources'"),
    ],
)
def test_what_the_shim_rewrites(sent, run):
    assert read_query(sent).text == run


def test_nulls_come_back_to_their_own_place():
    nulls = Nulls()
    row = {"id": "a", "properties": {"x": None, "y": {"z": None, "w": 1}, "l": [{"q": None}, None]}, "tags": None}
    bare = nulls.without(row)
    assert bare["properties"] == {"y": {"w": 1}, "l": [{}, None]}
    assert nulls.restored(["id", "properties"], [("a", bare["properties"])]) == [("a", row["properties"])]
    assert nulls.restored(["id", "y"], [("a", {"w": 1}), ("b", {"w": 1})]) == [
        ("a", {"z": None, "w": 1}),
        ("b", {"w": 1}),
    ]
    assert nulls.restored(["y"], [({"w": 1},)]) == [({"w": 1},)]
    assert list(nulls.restored(["id", "properties"], [("a", bare["properties"])])[0][1]) == ["x", "y", "l"]
    alike = {"id": "c", "properties": {"a": {"x": None}, "b": {"y": None}}}
    assert nulls.without(alike)["properties"] == {"a": {}, "b": {}}
    assert nulls.restored(["id", "p"], [("c", {"a": {}, "b": {}})]) == [("c", alike["properties"])]
    assert nulls.restored(["id", "p"], [("c", {})]) == [("c", {})], "which of the two it was nobody knows"
    plain = {"id": "d", "properties": {"a": {}, "b": {"x": None}}}
    nulls.without(plain)
    assert nulls.restored(["id", "p"], [("d", {})]) == [("d", {})]


def test_the_answer_is_json(client):
    answer = client.post_query("resources | project t = now(), d = datetime(2024-01-02), s = split(id, '/') | limit 1")
    (row,) = json.loads(answer.text)["data"]
    assert row["d"] == "2024-01-02T00:00:00Z"
    assert row["s"][1] == "subscriptions"
    assert client.rows("project tenantId | limit 1") == [{"tenantId": TENANT}]


@pytest.mark.parametrize("query", ["resources | project nosuchcolumn", "resources | where nosuchcolumn == 1"])
def test_a_column_that_is_not_there_is_named_as_the_service_names_it(query):
    azure = open_sandbox("contoso")
    with pytest.raises(RejectedError, match="nosuchcolumn") as caught:
        list(query_rows(azure, query, ["11111111-1111-1111-1111-111111111111"]))
    assert caught.value.status == 400
