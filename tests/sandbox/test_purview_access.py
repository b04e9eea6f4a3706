"""Who may ask Purview what, at which host and in which version; faults, late reads, and what a later process finds."""

import json
import time

import orjson
import pytest
import requests
from sandbox.purview_client import (
    SALES,
    TYPES,
    WEEKLY,
    Purview,
    classification,
    code,
    collection,
    rule,
    scan,
    source,
    without_what_is_above,
    write_contoso,
)
from sandbox.tiny import ONE

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.estate import load_estate

WHOLE = ["collection-administrator", "data-source-administrator", "data-curator", "purview-reader"]
OWN = f"/subscriptions/{ONE}/resourceGroups/App-RG/providers/Microsoft.Purview/accounts/Own-Account"


@pytest.fixture
def build_account(build_estate):
    """An estate with a Purview account; `purview` is what it says of it."""

    def build(purview=None, access="Enabled", role="Reader", name="tiny"):
        folder = build_estate([("/", role)], name=name)
        row = json.loads((folder / "resources.jsonl").read_text().splitlines()[-2])
        row |= {"id": OWN, "name": "Own-Account", "type": "microsoft.purview/accounts", "zones": None}
        row["properties"] = {"publicNetworkAccess": access, "friendlyName": "Own-Account"}
        with (folder / "resources.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        described = json.loads((folder / "estate.json").read_text())
        (folder / "estate.json").write_text(json.dumps({**described, "purview": purview or {}}))
        return folder

    return build


@pytest.fixture
def open_account(build_account):
    def open_it(role):
        return Purview(build_account({"OWN-account": {"roles": [role]}}, name=role), "own-ACCOUNT")

    return open_it


@pytest.mark.off_spec("api-version")
def test_only_an_account_of_the_estate_has_a_host():
    client = Purview("seed", "other-purview")
    for url in ("https://other-purview.purview.azure.com/", "https://purview.azure.com/", "http://example.com/"):
        with pytest.raises(requests.ConnectionError, match="the sandbox has no"):
            client.session.get(url)
    with pytest.raises(requests.ConnectionError, match="the sandbox has no"):
        client.session.get("http://sovereign-purview.purview.azure.com/")
    assert Purview("seed", "SOVEREIGN-Purview").every("/collections")


def test_a_token_is_asked_for():
    client = Purview()
    client.session.headers.pop("Authorization")
    assert client.ask("GET", "/collections").status_code == 401


@pytest.mark.off_spec("api-version")
@pytest.mark.parametrize(
    "path", ["/collections", "/scan/datasources", "/policyStore/metadataRoles", f"{TYPES}/typedefs"]
)
def test_versions(path):
    client = Purview()
    assert code(client.ask("GET", path, "2018-12-01-preview")) == (400, "UnsupportedApiVersion")
    if not path.startswith(TYPES):
        assert code(client.ask("GET", path, "")) == (400, "ApiVersionUnspecified")
    answer = client.ask("GET", path)
    assert answer.status_code == 200
    assert answer.headers["api-supported-versions"]


@pytest.mark.off_spec(".")
def test_paths_and_methods_that_are_none():
    client = Purview()
    assert code(client.ask("GET", "/scan/nothing")) == (404, "ResourceNotFound")
    assert code(client.ask("PATCH", "/collections", json={})) == (405, "MethodNotAllowed")


def test_who_has_no_role_is_not_let_in(build_account):
    client = Purview(build_account(), "own-account")
    for path in ("/", "/collections", "/scan/datasources", "/policyStore/metadataPolicies", f"{TYPES}/typedefs"):
        answer = client.ask("GET", path)
        assert answer.status_code == 403
        assert answer.json() == {"error": {"code": "Unauthorized", "message": "Not authorized to access account"}}


def test_a_closed_network_says_so(build_account):
    folder = build_account({"own-account": {"roles": WHOLE}}, "Disabled")
    answer = Purview(folder, "own-account").ask("GET", "/collections")
    assert code(answer) == (403, "PublicNetworkAccessDisabled")
    assert "private endpoint" in answer.json()["error"]["message"]


def test_the_accounts_of_contoso():
    client = Purview("contoso", "pview-customer-prod")
    assert client.names("/collections") == ["pview-customer-prod", "sales", "customer", "consent", "finance"]
    sources = ["stsalesprodarchive", "stcustomerprodlake", "stfinanceprodlake", "sales-sql"]
    assert client.names("/scan/datasources") == sources
    for name in ("pview-sales-prod", "pview-finance-prod"):
        assert code(Purview("contoso", name).ask("GET", "/"))[1] == "PublicNetworkAccessDisabled"
    assert code(Purview("contoso-partial", "pview-customer-prod").ask("GET", "/"))[1] == "Unauthorized"


def test_the_estate_of_the_document():
    rows = {row["name"]: row for row in load_estate("seed").rows}
    assert rows["sovereign-purview"]["resourceGroup"] == "governance-rg"
    assert rows["purview-managed-rg"]["managedBy"] == rows["sovereign-purview"]["id"]
    assert rows["sales-sql"]["properties"]["fullyQualifiedDomainName"] == "sales-sql.database.windows.net"
    assert rows["salesdb"]["tags"] == {
        "Domain": "Sales",
        "DataOwner": "sales-data-team@contoso.com",
        "Classification": "Confidential",
        "Region": "EU",
    }
    assert rows["saleslake"]["properties"]["isHnsEnabled"] is True
    assert {row["location"] for row in rows.values()} == {"", "westeurope"}


def test_roles(open_account):
    writes = {
        "collection-administrator": ("/collections/sales", collection("own-account")),
        "data-source-administrator": ("/scan/datasources/own", source(collection="own-account")),
        "data-curator": ("/scan/classificationrules/PII-HighRisk", rule()),
    }
    may = {
        "purview-reader": set(),
        "collection-administrator": {"collection-administrator"},
        "data-curator": {"data-curator"},
        "data-source-administrator": {"data-source-administrator", "data-curator"},
    }

    for role, allowed in may.items():
        client = open_account(role)
        for name, (path, body) in writes.items():
            assert client.put(path, body).status_code in ((200, 201) if name in allowed else (403,)), (role, path)
        assert client.ask("GET", "/collections").status_code == 200


def test_who_makes_an_account_has_all_roles(build_account):
    client = Purview(build_account(role="Owner"), "made-here")
    path = OWN.replace("Own-Account", "made-here")
    with pytest.raises(requests.ConnectionError):
        client.ask("GET", "/")
    made = {"location": "westeurope", "identity": {"type": "SystemAssigned"}}
    assert client.call("PUT", path, "2021-12-01", json=made).status_code == 201
    client.make(("/collections/sales", collection("made-here")), ("/scan/datasources/own", source(collection="sales")))
    client.call("DELETE", path, "2021-12-01")
    with pytest.raises(requests.ConnectionError):
        client.ask("GET", "/")
    assert client.call("PUT", path, "2021-12-01", json=made).status_code == 201
    assert client.names("/collections") == ["made-here"]
    assert client.every("/scan/datasources") == []


def test_an_estate_may_come_with_objects(build_account, tmp_path):
    folder = build_account({"own-account": {"roles": WHOLE, "objects": "purview.json"}})
    steps = [
        ("/collections/sales", collection("own-account")),
        (f"{TYPES}/typedefs", classification("PII.Contact")),
        ("/scan/datasources/sales-sql", source(collection="sales")),
    ]
    given = folder / "purview.json"
    given.write_text(json.dumps([{"path": path, "body": body} for path, body in steps]))
    client = Purview(folder, "own-account", state=tmp_path / "state")
    assert client.read("/collections/sales")["collectionProvisioningState"] == "Succeeded"
    assert client.read("/scan/datasources/sales-sql")["properties"]["createdAt"].startswith("2025-03-12")
    client.delete("/scan/datasources/sales-sql")
    later = Purview(folder, "own-account", state=tmp_path / "state")
    assert later.every("/scan/datasources") == []
    assert later.read(f"{TYPES}/typedef/name/PII.Contact")["version"] == 1
    given.write_text('[{"path": "/scan/datasources/x", "body": {}}]')
    for options in ({}, {"state": tmp_path / "state"}):
        with pytest.raises(SandboxError, match="/scan/datasources/x"):
            Purview(folder, "own-account", **options).ask("GET", "/collections")
    given.write_text("[1]")
    with pytest.raises(SandboxError, match=r"purview\.json"):
        Purview(folder)


def test_a_role_that_is_none(build_account):
    with pytest.raises(SandboxError, match="'king' is no role"):
        load_estate(build_account({"own-account": {"roles": ["king"]}}))


def test_a_later_process_continues(tmp_path):
    state = tmp_path / "state.json"
    first = Purview(state=state)
    first.make(("/collections/sales", collection()), (SALES[0], source(collection="sales")))
    first.make((WEEKLY[0], scan(collection="sales")), (f"{TYPES}/typedefs", classification("PII.HighRisk")))
    first.make(("/scan/classificationrules/PII-HighRisk", rule()), ("/scan/classificationrules/old", rule()))
    first.delete("/scan/classificationrules/old")
    paths = ("/scan/datasources", "/scan/datasources/sales-sql/scans", "/scan/classificationrules")
    before = [first.every(path) for path in paths]
    later = Purview(state=state)
    assert [later.every(path) for path in paths] == before
    assert later.read("/collections/sales")["collectionProvisioningState"] == "Succeeded"
    assert code(later.put("/scan/datasources/again", source()))[1] == "DataSource_AlreadyRegistered"
    assert later.read(f"{TYPES}/typedef/name/PII.HighRisk")
    assert [one["name"] for one in later.read("/policyStore/metadataPolicies")["values"]][1] == "policy_sales"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"], "nothing else is left beside it"


def test_a_state_without_purview_is_one(tmp_path):
    state = tmp_path / "state.json"
    state.write_bytes(orjson.dumps({"estate": "seed", "written": {}}))
    assert Purview(state=state).every("/scan/datasources") == []
    for wrong in ([], {"own/datasources": 1}, {"own/datasources": []}):
        state.write_bytes(orjson.dumps({"written": {}, "purview": wrong or 1}))
        with pytest.raises(SandboxError, match="not a state"):
            Purview(state=state)


def test_reads_lag():
    client = Purview(faults=["lagging-reads"], page_size=1)
    client.make(SALES, ("/scan/datasources/lake", source("AdlsGen2", endpoint="https://lake.dfs.core.windows.net/")))
    assert [len(client.every("/scan/datasources")) for _ in range(4)] == [0, 0, 2, 2]
    client.make((SALES[0], source(serverEndpoint="new.example")))
    ends = [client.read(SALES[0])["properties"]["serverEndpoint"] for _ in range(3)]
    assert ends == ["sales-sql.database.windows.net"] * 2 + ["new.example"]
    client.delete(SALES[0])
    assert [client.ask("GET", SALES[0]).status_code for _ in range(3)] == [200, 200, 404]
    client.make(("/collections/sales", collection()))
    assert [client.ask("GET", "/collections/sales").status_code for _ in range(3)] == [404, 404, 200]
    client.make((f"{TYPES}/typedefs", classification("PII.HighRisk")))
    found = [len(client.read(f"{TYPES}/typedefs")["classificationDefs"]) for _ in range(3)]
    assert found == [12, 12, 13]


def test_what_lags_is_there_for_the_service():
    client = Purview(faults=["lagging-reads"])
    client.make(SALES, WEEKLY)
    assert client.put(*SALES).status_code == 200
    assert code(client.delete(SALES[0])) == (409, "DataSource_StillReferenced")


def statuses(client, *calls):
    return [client.ask(method, path, **more).status_code for method, path, more in calls]


def test_faults_of_purview_alone():
    client = Purview(faults=["throttled:purview-writes"])
    write = ("PUT", SALES[0], {"json": SALES[1]})
    read = ("GET", "/scan/datasources", {})
    assert statuses(client, read, write, read, write, write) == [200, 429, 200, 429, 201]
    client = Purview(faults=["server-errors:purview"])
    assert client.get("/subscriptions", version="2022-12-01").status_code == 200
    assert statuses(client, *[read] * 5) == [500, 502, 503, 504, 200]
    client = Purview(faults=["reset:purview@3"])
    assert statuses(client, read, read) == [200, 200]
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.ask("GET", "/scan/datasources")


@pytest.mark.parametrize(
    ("fault", "expected"), [("purview-denied", "Unauthorized"), ("purview-closed", "PublicNetworkAccessDisabled")]
)
def test_faults_that_shut_it(fault, expected):
    client = Purview(faults=[fault])
    assert code(client.ask("GET", "/collections")) == (403, expected)
    assert client.get("/subscriptions", version="2022-12-01").status_code == 200


def test_a_write_takes_no_longer_where_much_is_kept():
    client = Purview()
    began = time.perf_counter()
    for number in range(200):
        client.make((f"/collections/c{number}", collection()))
    assert len(client.every("/collections")) == 201
    assert time.perf_counter() - began < 30


RUN = "0f8fad5b-d9cb-469f-a165-70867728950e"
SCANNED = "/scan/datasources/sales-sql/scans/orders"


@pytest.fixture
def contoso_without(tmp_path):
    """The estate contoso, whose caller has no other roles than these, in a folder of its own."""

    def open_it(roles):
        return Purview(write_contoso(tmp_path, roles=roles), "pview-customer-prod")

    return open_it


@pytest.mark.parametrize("roles", [["purview-reader"], ["collection-administrator", "data-curator"], WHOLE])
def test_who_may_read_no_source_is_told_of_none(contoso_without, roles):
    client = contoso_without(roles)
    may = "data-source-administrator" in roles
    assert bool(client.every("/scan/datasources")) is may
    assert bool(client.every("/scan/datasources/sales-sql/scans")) is may
    for path in ("/scan/datasources/sales-sql", SCANNED, f"{SCANNED}/runs"):
        assert client.ask("GET", path).status_code == (200 if may else 403)
    for path in (f"{SCANNED}/filters/custom", f"{SCANNED}/triggers/default", f"{SCANNED}/runs/{RUN}"):
        assert client.ask("GET", path).status_code == (404 if may else 403)
    assert client.ask("POST", f"{SCANNED}:run", params={"runId": RUN}).status_code == (202 if may else 403)


@pytest.mark.off_spec("metadataPolicies")  # sends back what it read
def test_a_collection_without_the_role_keeps_its_sources_and_scans_to_itself():
    client = Purview("contoso", "pview-customer-prod", page_size=2)
    seen = client.names("/scan/datasources")
    (policy,) = client.read("/policyStore/metadataPolicies", params={"collectionName": "finance"})["values"]
    path, changed = f"/policyStore/metadataPolicies/{policy['id']}", without_what_is_above(policy, "finance")
    assert client.put(path, changed).status_code == 200
    assert client.names("/scan/datasources") == [name for name in seen if name != "stfinanceprodlake"]
    assert client.every("/scan/datasources/stfinanceprodlake/scans") == []
    assert client.ask("GET", "/scan/datasources/stfinanceprodlake").status_code == 403
    run = "/scan/datasources/stfinanceprodlake/scans/nightly"
    assert client.ask("GET", run).status_code == 403
    assert client.ask("POST", f"{run}/runs/{RUN}:cancel").status_code == 403
    assert client.ask("GET", "/scan/datasources/nowhere").status_code == 404
