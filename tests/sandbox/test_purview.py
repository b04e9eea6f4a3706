"""The life of each object in Purview's data plane."""

import json
import re
import time

import pytest
from sandbox.purview_client import (
    CREDENTIAL,
    SALES,
    SQL,
    TRIGGER,
    TYPES,
    VAULT,
    WEEKLY,
    Purview,
    classification,
    collection,
    rule,
    ruleset,
    scan,
    source,
)

WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


@pytest.fixture
def purview():
    return Purview()


def test_the_account(purview):
    body = purview.read("/")
    assert body["name"] == "sovereign-purview"
    assert body["type"].lower() == "microsoft.purview/accounts"
    assert body["location"] == "westeurope"
    assert body["properties"]["managedResourceGroupName"] == "purview-managed-rg"
    assert body["properties"]["endpoints"]["scan"] == "https://sovereign-purview.purview.azure.com/scan"
    assert body["systemData"]["createdByType"] == "User"


def test_a_new_account_has_its_root_collection_alone(purview):
    (root,) = purview.every("/collections")
    assert (root["name"], root["collectionProvisioningState"]) == ("sovereign-purview", "Succeeded")
    assert "parentCollection" not in root
    assert purview.every("/scan/datasources") == []


def test_a_collection_takes_a_second_look(purview):
    made = purview.put("/collections/Sales", collection("Sovereign-Purview", friendlyName="Sales domain"))
    assert made.status_code == 200, "the specification has no 201 here"
    assert made.json()["collectionProvisioningState"] == "Creating"
    assert made.json()["name"] == "sales"
    assert made.json()["parentCollection"] == {"type": "CollectionReference", "referenceName": "sovereign-purview"}
    states = [purview.read("/collections/sales")["collectionProvisioningState"] for _ in range(3)]
    assert states == ["Creating", "Succeeded", "Succeeded"]


def test_a_collection_takes_a_second(purview):
    purview.make(("/collections/sales", collection()))
    purview.now += 1
    assert purview.read("/collections/sales")["collectionProvisioningState"] == "Succeeded"


def test_a_collection_changes_and_goes(purview):
    purview.make(("/collections/sales", collection()))
    before = purview.read("/collections/sales")
    changed = purview.put("/collections/SALES", collection(friendlyName="Sales", description="Of sales")).json()
    assert (changed["name"], changed["friendlyName"], changed["description"]) == ("sales", "Sales", "Of sales")
    assert changed["collectionProvisioningState"] == "Creating", "still"
    assert changed["systemData"]["createdAt"] == before["systemData"]["createdAt"]
    assert purview.delete("/collections/sales").status_code == 204
    assert purview.ask("GET", "/collections/sales").status_code == 404
    assert [policy["name"] for policy in purview.read("/policyStore/metadataPolicies")["values"]] == [
        "policy_sovereign-purview"
    ]


def test_the_tree_of_collections(purview):
    purview.make(
        ("/collections/eu", collection(friendlyName="Europe")),
        ("/collections/sales", collection("eu")),
        ("/collections/leads", collection("sales")),
    )
    children = purview.every("/collections/eu/getChildCollectionNames")
    assert children == [{"name": "sales", "friendlyName": "sales"}]
    path = purview.read("/collections/leads/getCollectionPath")
    assert path["parentNameChain"] == ["sovereign-purview", "eu", "sales"]
    assert path["parentFriendlyNameChain"] == ["sovereign-purview", "Europe", "sales"]
    purview.make(("/collections/leads", collection("sovereign-purview")))
    assert purview.every("/collections/sales/getChildCollectionNames") == []
    assert purview.read("/collections/sovereign-purview/getCollectionPath")["parentNameChain"] == []


def conditions(policy, rule_id):
    (found,) = [one for one in policy["properties"]["attributeRules"] if one["id"] == rule_id]
    return found["dnfCondition"]


def test_a_collection_comes_with_a_policy(purview):
    purview.make(("/collections/eu", collection()), ("/collections/sales", collection("eu")))
    root, _, sales = purview.read("/policyStore/metadataPolicies")["values"]
    assert "parentCollectionName" not in root["properties"]
    assert len(root["properties"]["attributeRules"]) == 6  # five recorded; the caller administers workflows too
    assert (sales["name"], sales["version"]) == ("policy_sales", 1)
    assert sales["properties"]["parentCollectionName"] == "eu"
    own, inherited = conditions(sales, "purviewmetadatarole_builtin_collection-administrator:sales")
    assert own[0]["attributeValueIncludedIn"] == ["00000000-0000-0000-0000-00005eed0001"]
    admin_of_eu = "purviewmetadatarole_builtin_collection-administrator:eu"
    assert inherited == [
        {
            "fromRule": admin_of_eu,
            "attributeName": "derived.purview.permission",
            "attributeValueIncludes": admin_of_eu,
        }
    ]
    assert conditions(sales, "permission:sales")[1][0]["attributeValueIncludes"] == "permission:eu"
    (only,) = purview.read("/policyStore/metadataPolicies", params={"collectionName": "sales"})["values"]
    assert only == sales == purview.read(f"/policyStore/metadataPolicies/{sales['id']}")
    purview.make(("/collections/sales", collection("sovereign-purview")))
    moved = purview.read(f"/policyStore/metadataPolicies/{sales['id']}")
    assert (moved["version"], moved["properties"]["parentCollectionName"]) == (2, "sovereign-purview")
    assert conditions(moved, "permission:sales")[1][0]["fromRule"] == "permission:sovereign-purview"


def test_a_policy_is_read_changed_and_written_back(purview):
    (policy,) = purview.read("/policyStore/metadataPolicies")["values"]
    rules = policy["properties"]["attributeRules"]
    rules[1]["dnfCondition"][0][0]["attributeValueIncludedIn"].append("11111111-1111-1111-1111-111111111111")
    for one in [*rules, *policy["properties"]["decisionRules"]]:
        del one["kind"]
        for every in one["dnfCondition"]:
            for matcher in every:
                matcher.pop("fromRule", None)
    path = f"/policyStore/metadataPolicies/{policy['id']}"
    written = purview.put(path, policy)
    assert written.status_code == 200, written.text
    assert written.json()["version"] == policy["version"] + 1
    kept = purview.read(path)["properties"]["attributeRules"]
    assert kept[1]["kind"] == "attributerule"
    assert kept[1]["dnfCondition"][0][1]["fromRule"] == "purviewmetadatarole_builtin_purview-reader"
    assert kept[1]["dnfCondition"][0][0]["attributeValueIncludedIn"][-1].startswith("1111")
    again = purview.put(path, policy)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "MetadataPolicy_Conflict")


def test_the_roles(purview):
    roles = purview.read("/policyStore/metadataRoles")["values"]
    assert len(roles) == 8
    assert {"data-curator", "collection-administrator"} <= {role["name"] for role in roles}
    assert roles[3]["properties"]["cnfCondition"][0][0]["attributeValueIncludedIn"] == [
        "Microsoft.Purview/accounts/data/read",
        "Microsoft.Purview/accounts/collection/read",
    ]


def test_a_source(purview):
    purview.make(("/collections/sales", collection()))
    made = purview.put("/scan/datasources/sales-sql", source(collection="SALES", resourceId=SQL))
    assert made.status_code == 201
    assert made.headers["Location"].startswith("https://sovereign-purview.purview.azure.com/scan/datasources/sales-sql")
    body = made.json()
    assert body["id"] == "datasources/sales-sql"
    assert body["properties"]["collection"]["referenceName"] == "sales", "in lower case"
    assert WHEN.fullmatch(body["properties"]["createdAt"])
    assert purview.read("/scan/datasources/SALES-SQL") == body
    moved = purview.put("/scan/datasources/sales-sql", source(resourceId=SQL, serverEndpoint="x.example"))
    assert moved.status_code == 200
    assert moved.json()["properties"]["createdAt"] == body["properties"]["createdAt"]
    assert moved.json()["properties"]["collection"]["referenceName"] == "sovereign-purview"
    assert [purview.delete("/scan/datasources/sales-sql").status_code for _ in range(2)] == [204, 204]
    assert purview.put("/scan/datasources/other-name", source(resourceId=SQL)).status_code == 201, "it is free again"


def test_a_scan_and_what_belongs_to_it(purview):
    purview.make(SALES, WEEKLY)
    path = WEEKLY[0]
    body = purview.read(path)
    assert body["id"] == "datasources/sales-sql/scans/weekly"
    assert purview.every("/scan/datasources/sales-sql/scans") == [body]
    assert purview.put(path, scan(databaseName="other")).status_code == 200
    assert purview.put(f"{path}/triggers/default", TRIGGER).status_code == 201
    trigger = purview.read(f"{path}/triggers/default")
    assert trigger["properties"]["recurrence"]["timezone"] == "W. Europe Standard Time"
    assert trigger["properties"]["recurrence"]["schedule"]["monthDays"] is None
    assert trigger["properties"]["state"] == "Enabled"
    assert purview.ask("POST", f"{path}/triggers/default:disable").json()["properties"]["state"] == "Disabled"
    assert purview.read(f"{path}/triggers/default")["properties"]["state"] == "Disabled"
    assert purview.ask("POST", f"{path}/triggers/default:enable").json()["properties"]["state"] == "Enabled"
    given = {"properties": {"includeUriPrefixes": ["mssql://x/sales"], "excludeUriPrefixes": []}}
    statuses = [purview.put(f"{path}/filters/custom", given).status_code for _ in range(2)]
    assert statuses == [201, 200]
    assert purview.read(f"{path}/filters/custom")["properties"] == given["properties"]
    assert purview.delete(f"{path}/triggers/default").status_code == 204
    assert purview.ask("GET", f"{path}/triggers/default").status_code == 404
    assert purview.delete(path).status_code == 204
    purview.make(WEEKLY)
    assert purview.ask("GET", f"{path}/filters/custom").status_code == 404, "it went with the scan"


def test_a_run(purview):
    purview.make(SALES, WEEKLY)
    path, identity = WEEKLY[0], "32767c50-ccd7-c3fd-5aea-94abe54044de"
    for _ in range(2):
        started = purview.ask("POST", f"{path}:run", params={"runId": identity, "scanLevel": "Full"})
        assert (started.status_code, started.json()["id"], started.json()["status"]) == (202, identity, "Accepted")
    assert f"/runs/{identity}" in started.headers["Operation-Location"]
    states = [purview.ask("GET", started.headers["Operation-Location"]).json()["status"] for _ in range(4)]
    assert states == ["Queued", "InProgress", "Succeeded", "Succeeded"]
    (run,) = purview.every(f"{path}/runs")
    assert run["discoveryExecutionDetails"]["statistics"]["assets"] == {"discovered": 0, "classified": 0, "failed": 0}
    assert purview.read(path)["lastRunResult"]["status"] == "Succeeded"
    assert purview.ask("POST", f"{path}/runs/{identity}:cancel").status_code == 409


def test_a_run_is_cancelled(purview):
    purview.make(SALES, WEEKLY)
    run = purview.ask("POST", f"{WEEKLY[0]}:run", params={"runId": "32767c50-ccd7-c3fd-5aea-94abe54044de"}).json()
    cancelled = purview.ask("POST", f"{WEEKLY[0]}/runs/{run['id']}:cancel")
    assert (cancelled.status_code, cancelled.json()["scanResultId"]) == (202, run["id"])
    assert purview.read(f"{WEEKLY[0]}/runs/{run['id']}")["status"] == "Canceled"


def test_every_version_of_a_rule_is_kept(purview):
    path = "/scan/classificationrules/PII-HighRisk"
    first = purview.put(path, rule(minimumPercentageMatch=60))
    second = purview.put(path, rule(dataPatterns=[{"kind": "Regex", "pattern": "^[0-9]{9}$"}]))
    assert (first.status_code, second.status_code) == (201, 200)
    assert [one.json()["properties"]["version"] for one in (first, second)] == [1, 2]
    assert purview.read(path)["properties"]["minimumPercentageMatch"] is None, "the body replaced the whole"
    versions = purview.every(f"{path}/versions")
    assert [one["id"].rpartition("/")[2] for one in versions] == ["1", "2"]
    tagged = purview.ask("POST", f"{path}/versions/1:tag", params={"action": "Delete"})
    assert (tagged.status_code, tagged.json()["status"]) == (202, "Accepted")
    assert purview.every(f"{path}/versions")[0]["properties"]["classificationAction"] == "Delete"
    assert purview.delete(path).status_code == 204
    assert purview.every("/scan/classificationrules") == []


def test_a_ruleset_is_replaced(purview):
    purview.make(("/scan/classificationrules/PII-HighRisk", rule()))
    path = "/scan/scanrulesets/governance"
    first = purview.put(path, ruleset("PII-HighRisk", kind="AdlsGen2"))
    assert (first.status_code, first.json()["version"]) == (201, 1)
    assert first.json()["properties"]["temporaryResourceFilters"][0]["ingestTemporaryResource"] is True
    second = purview.put(path, ruleset(kind="AdlsGen2", description="d"))
    assert (second.status_code, second.json()["version"]) == (200, 2)
    assert second.json()["properties"]["includedCustomClassificationRuleNames"] is None
    assert purview.names("/scan/scanrulesets") == ["governance"]
    assert purview.delete(path).status_code == 204


def test_system_rulesets(purview):
    every = purview.every("/scan/systemScanRulesets")
    assert len(every) == 20
    one = purview.read("/scan/systemScanRulesets/datasources/AdlsGen2")
    assert one in every
    assert "PARQUET" in one["properties"]["scanningRule"]["fileExtensions"]
    asked = {"params": {"dataSourceType": "AdlsGen2"}}
    assert purview.read("/scan/systemScanRulesets/versions/latest", **asked) == one
    assert purview.read("/scan/systemScanRulesets/versions/1", **asked) == one
    assert purview.read("/scan/systemScanRulesets/versions", **asked)["value"] == [one]
    assert purview.ask("GET", "/scan/systemScanRulesets/versions/9", **asked).status_code == 404


def test_credentials_and_key_vaults(purview):
    made = purview.put(*VAULT)
    assert made.status_code == 201
    assert made.json()["id"].endswith("/linkedservices/main-vault")
    assert purview.put(*CREDENTIAL).status_code == 201
    assert purview.put(*CREDENTIAL).status_code == 200
    assert purview.names("/scan/credentials") == ["sql-login"]
    assert purview.names("/scan/azureKeyVaults") == ["main-vault"]
    reference = {"referenceName": "sql-login", "credentialType": "SqlAuth"}
    purview.make(SALES, (WEEKLY[0], scan("AzureSqlDatabaseCredential", credential=reference)))
    for path in (WEEKLY[0], CREDENTIAL[0], VAULT[0]):
        assert purview.delete(path).status_code == 204


def test_integration_runtimes(purview):
    (name,) = purview.names("/scan/integrationruntimes")
    assert purview.read(f"/scan/integrationruntimes/{name}")["kind"] == "Managed"


def test_classifications(purview):
    types = purview.read(f"{TYPES}/typedefs", params={"type": "CLASSIFICATION"})
    assert len(types["classificationDefs"]) == 12
    assert "MICROSOFT.PERSONAL.EMAIL" in {one["name"] for one in types["classificationDefs"]}
    assert types["entityDefs"] == []
    assert purview.read(f"{TYPES}/typedefs", params={"type": "ENTITY"})["classificationDefs"] == []
    made = purview.ask("POST", f"{TYPES}/typedefs", json=classification("PII.HighRisk", "PII.Contact"))
    assert (made.status_code, len(made.json()["classificationDefs"])) == (200, 2)
    body = purview.read(f"{TYPES}/typedef/name/PII.HighRisk")
    assert body == purview.read(f"{TYPES}/classificationdef/name/PII.HighRisk")
    assert body == purview.read(f"{TYPES}/typedef/guid/{body['guid']}")
    changed = classification("PII.HighRisk")
    changed["classificationDefs"][0]["description"] = "High risk"
    updated = purview.ask("PUT", f"{TYPES}/typedefs", json=changed).json()["classificationDefs"][0]
    assert (updated["guid"], updated["version"], updated["description"]) == (body["guid"], 2, "High risk")
    headers = purview.ask("GET", f"{TYPES}/typedefs/headers").json()
    assert {"category": "CLASSIFICATION", "guid": body["guid"], "name": "PII.HighRisk"} in headers
    assert purview.ask("DELETE", f"{TYPES}/typedef/name/PII.HighRisk").status_code == 204
    assert purview.ask("DELETE", f"{TYPES}/typedefs", json=classification("PII.Contact")).status_code == 204
    assert len(purview.read(f"{TYPES}/typedefs")["classificationDefs"]) == 12


def test_lists_come_in_pages():
    purview = Purview(page_size=2)
    for number in range(5):
        purview.make((f"/scan/datasources/source-{number}", source(serverEndpoint=f"s{number}.example")))
    first = purview.read("/scan/datasources")
    assert (len(first["value"]), first["count"]) == (2, 5)
    assert purview.names("/scan/datasources") == [f"source-{number}" for number in range(5)]
    purview.make(("/collections/sales", collection()), ("/collections/customer", collection()))
    assert purview.names("/collections") == ["sovereign-purview", "sales", "customer"]
    policies = purview.read("/policyStore/metadataPolicies")
    rest = purview.ask("GET", policies["nextLink"]).json()["values"]
    assert len(policies["values"] + rest) == 3
    assert purview.ask("GET", first["nextLink"] + "x").json()["error"]["code"] == "InvalidSkipToken"


def test_a_thousand_sources_take_no_long_time():
    purview = Purview()
    began = time.perf_counter()
    for number in range(1000):
        purview.make((f"/scan/datasources/source-{number}", source(serverEndpoint=f"s{number}.example")))
    assert len(json.dumps(purview.every("/scan/datasources"))) > 100_000
    assert time.perf_counter() - began < 60, "a tenth of it here, unless each request looks at every source"
