"""Children, which Resource Graph does not list: one, and lists of them, as Azure Resource Manager gives them."""

import json

import pytest
from sandbox.tiny import HIDDEN, HOST, ONE, SETTINGS, TWO, UNKNOWN, Client, children

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.estate import load_estate

SUBSCRIPTION = f"/subscriptions/{ONE}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/App-RG"
SQL = f"{GROUP}/providers/Microsoft.Sql/servers/sql"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stkeys"


def names(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [body["name"] for body in answer.json()["value"]]


def batch(client, *paths, **extra):
    requests = [{"httpMethod": "GET", "name": str(number), "url": path} for number, path in enumerate(paths)]
    return client.call("POST", "/batch", "2020-06-01", json={"requests": requests}, **extra)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"{SQL}/failoverGroups", ["fog0", "fog1", "fog2"]),
        (f"{SQL}/FAILOVERGROUPS", ["fog0", "fog1", "fog2"]),
        (f"{SQL}/encryptionProtector", ["current"]),
        (f"{SQL}/replicationLinks", ["link0", "link1"]),
        (f"{SQL}/databases/db/replicationLinks", ["link0", "link1"]),
        (f"{SQL}/databases/db/transparentDataEncryption", ["current"]),
        (f"{SQL}/databases", ["db"]),
        (f"{SQL}/providers/Microsoft.Insights/diagnosticSettings", ["of-server"]),
        (f"{SQL}/databases/db/providers/Microsoft.Insights/diagnosticSettings", ["of-database"]),
        (f"{ACCOUNT}/{SETTINGS}", ["of-account"]),
        (f"{ACCOUNT}/blobServices/default/{SETTINGS}", ["of-blobs"]),
        (f"{SUBSCRIPTION}/{SETTINGS}", ["of-subscription"]),
        (f"{GROUP}/providers/Microsoft.Sql/locations/westeurope/instanceFailoverGroups", ["fog"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.Sql/locations/westeurope/longTermRetentionBackups", ["1;2;Hot"]),
        (f"{GROUP}/providers/Microsoft.Sql/locations/West Europe/instanceFailoverGroups", ["fog"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedVaults", ["kv"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults", ["kv"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.Storage/deletedAccounts", ["st"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/deletedAccounts", ["lang"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.DocumentDB/restorableDatabaseAccounts", ["cosmos"]),
        (f"{SUBSCRIPTION}/providers/Microsoft.Sql/servers", ["sql"]),
    ],
)
def test_a_list_gives_its_own(client, path, found):
    assert names(client, path) == found


@pytest.mark.parametrize(
    "path",
    [
        f"{SQL}/devOpsAuditingSettings",
        f"{ACCOUNT}/encryptionScopes",
        f"{ACCOUNT}/tableServices/default/{SETTINGS}",
        f"{SQL}/databases/db/providers/Microsoft.Authorization/locks",
        f"{GROUP}/providers/Microsoft.Sql/locations/northeurope/instanceFailoverGroups",
        f"{SUBSCRIPTION}/providers/Microsoft.Sql/locations/northeurope/longTermRetentionBackups",
        f"/subscriptions/{TWO}/providers/Microsoft.KeyVault/deletedVaults",
    ],
)
def test_a_list_may_be_empty(client, path):
    assert client.get(path).json() == {"value": []}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{GROUP}/providers/Microsoft.Sql/servers/nope/failoverGroups", "ResourceNotFound"),
        (f"{SQL}/databases/nope/replicationLinks", "ResourceNotFound"),
        (f"{GROUP}/providers/Microsoft.KeyVault/vaults/nope/{SETTINGS}", "ResourceNotFound"),
        (
            f"{GROUP}/providers/Microsoft.Storage/storageAccounts/nope/blobServices/default/{SETTINGS}",
            "ResourceNotFound",
        ),
        (
            f"{SUBSCRIPTION}/resourceGroups/nope/providers/Microsoft.Sql/servers/sql/failoverGroups",
            "ResourceGroupNotFound",
        ),
        (f"{SUBSCRIPTION}/resourceGroups/nope/providers/Microsoft.Sql/locations/x/y", "ResourceGroupNotFound"),
        (f"/subscriptions/{UNKNOWN}/providers/Microsoft.KeyVault/deletedVaults", "SubscriptionNotFound"),
        (f"{SQL}/auditingSettings/default", "ResourceNotFound"),
    ],
)
def test_what_is_below_nothing(client, path, code):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_a_child_has_the_body_that_the_estate_has(client):
    for body in children():
        answer = client.get(body["id"].upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))
        if HIDDEN in body["id"]:
            assert answer.status_code == 403
        else:
            assert answer.json() == body


@pytest.mark.parametrize("size", [1, 2])
def test_lists_of_children_have_pages(open_client, size):
    client = open_client(page_size=size)
    first = client.get(f"{SQL}/failoverGroups").json()
    assert len(first["value"]) == size
    assert len(client.session.get(first["nextLink"]).json()["value"]) in (1, 2)


def test_nothing_else_lists_children(client):
    own = {body["id"].lower() for body in children()}
    listed = [body["id"].lower() for body in client.get(f"{SUBSCRIPTION}/resources").json()["value"]]
    shown = [row["id"].lower() for row in client.rows("resources | project id")]
    assert own.isdisjoint(listed)
    assert own.isdisjoint(shown)
    assert len(shown) == 9


def test_who_reads_a_group_reads_its_children(open_client):
    client = open_client([(GROUP, "Reader")])
    assert names(client, f"{SQL}/failoverGroups") == ["fog0", "fog1", "fog2"]
    for path in (f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedVaults", f"{SUBSCRIPTION}/{SETTINGS}"):
        assert client.get(path).status_code == 403


def test_a_role_may_leave_a_kind_of_child_out(open_client):
    roles = {"No settings": {"actions": ["*/read"], "notActions": ["microsoft.insights/diagnosticSettings/read"]}}
    client = open_client([("/", "No settings")], definitions=roles)
    denied = client.get(f"{SQL}/{SETTINGS}")
    assert (denied.status_code, denied.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert names(client, f"{SQL}/failoverGroups")


def test_a_child_goes_with_its_parent(owner):
    assert owner.call("DELETE", SQL).status_code == 200
    assert owner.get(f"{SQL}/failoverGroups").status_code == 404
    assert owner.call("PUT", SQL, json={"location": "westeurope"}).status_code == 201
    assert names(owner, f"{SQL}/failoverGroups") == []
    assert owner.call("PUT", f"{SQL}/failoverGroups/new", json={"properties": {}}).status_code == 201
    assert names(owner, f"{SQL}/failoverGroups") == ["new"]


def test_what_has_no_record_may_have_children(owner):
    path = f"{ACCOUNT}/blobServices/default/containers/new"
    assert owner.call("PUT", path, json={"properties": {}}).status_code == 201
    assert names(owner, f"{ACCOUNT}/blobServices/default/containers") == ["new"]


def test_an_estate_without_children(build_estate):
    folder = build_estate([("/", "Reader")])
    described = json.loads((folder / "estate.json").read_text())
    del described["children"]
    (folder / "estate.json").write_text(json.dumps(described))
    assert load_estate(folder).children == ()
    assert names(Client(folder), f"{SQL}/failoverGroups") == []


@pytest.mark.parametrize("content", ["[]\n", '{"id": "/x"}\n', "nonsense\n"])
def test_children_that_cannot_be_read(build_estate, content):
    folder = build_estate([("/", "Reader")])
    (folder / "children.jsonl").write_text(content)
    with pytest.raises(SandboxError, match=r"children\.jsonl"):
        load_estate(folder)


def test_a_batch_answers_each_as_if_it_had_come_alone(open_client):
    client = open_client([(GROUP, "Reader")])
    paths = [
        f"{SQL}/failoverGroups?api-version=2025-01-01",
        f"{HOST}{SQL}?api-version=2025-01-01",
        f"{SQL}/nope/x?api-version=2025-01-01",
        f"{SUBSCRIPTION}/{SETTINGS}?api-version=2021-05-01-preview",
        f"{SQL}/failoverGroups",
        f"/subscriptions/{UNKNOWN}?api-version=2025-01-01",
        "https://example.net/subscriptions?api-version=2025-01-01",
        "/batch?api-version=2020-06-01",
    ]
    answer = batch(client, *paths)
    assert answer.status_code == 200
    parts = answer.json()["responses"]
    assert [part["name"] for part in parts] == [str(number) for number in range(len(paths))]
    assert [part["httpStatusCode"] for part in parts] == [200, 200, 404, 403, 400, 404, 400, 405]
    assert parts[0]["content"] == client.get(f"{SQL}/failoverGroups").json()
    assert parts[1]["content"] == client.get(SQL).json()
    assert parts[3]["content"]["error"]["code"] == "AuthorizationFailed"
    assert parts[4]["content"]["error"]["code"] == "MissingApiVersionParameter"
    assert all(isinstance(part["headers"], dict) for part in parts)


def test_the_pages_of_a_batch_s_lists(open_client):
    client = open_client(page_size=2)
    (part,) = batch(client, f"{SQL}/failoverGroups?api-version=2025-01-01").json()["responses"]
    rest = client.session.get(part["content"]["nextLink"]).json()
    assert [body["name"] for body in rest["value"]] == ["fog2"]


def test_requests_without_names_and_with_content(client):
    sent = {
        "httpMethod": "POST",
        "relativeUrl": "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
        "content": {"query": "resources | count"},
    }
    answer = client.call("POST", "/batch", "2020-06-01", json={"requests": [sent]}).json()
    assert answer["responses"][0]["content"]["data"] == [{"Count": 9}]
    assert answer["responses"][0]["name"]


def test_batches_that_are_none(client):
    assert batch(client, *[f"{SQL}?api-version=1"] * 20).status_code == 200
    assert batch(client, *[f"{SQL}?api-version=1"] * 21).status_code == 501
    for body in ({}, [], {"requests": []}, {"requests": ["x"]}):
        assert client.call("POST", "/batch", "2020-06-01", json=body).status_code == 400
    assert client.get("/batch").status_code == 405
    assert client.call("POST", "/batch", "", json={"requests": [{}]}).status_code == 400
