"""What Purview refuses, each with a code and a sentence that names what is wrong."""

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
    code,
    collection,
    rule,
    ruleset,
    scan,
    source,
)

LAKE = "https://lake.dfs.core.windows.net/"


@pytest.fixture
def purview():
    return Purview()


@pytest.mark.parametrize("name", ["PII.HighRisk", "ab", "a" * 64, "-sales", "sales-", "a--b", "a_b"])
@pytest.mark.off_spec("Name")
def test_names(purview, name):
    for path, body in (
        (f"/scan/datasources/{name}", source()),
        (f"/scan/classificationrules/{name}", rule()),
        (f"/scan/scanrulesets/{name}", ruleset()),
        (f"/scan/credentials/{name}", CREDENTIAL[1]),
        (f"/scan/azureKeyVaults/{name}", VAULT[1]),
    ):
        answer = purview.put(path, body)
        assert answer.status_code == 400, path
        assert name in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/scan/datasources/sales-sql", source(collection="nowhere"), "DataSource_Invalid"),
        ("/scan/classificationrules/no-name", rule(""), "ClassificationRule_Invalid"),
        ("/scan/scanrulesets/governance", ruleset("no-rule"), "ScanRuleset_Invalid"),
        ("/scan/credentials/sql-login", CREDENTIAL[1], "Credential_Invalid"),
        ("/scan/azureKeyVaults/main-vault", {"properties": {"baseUrl": "nowhere"}}, "AzureKeyVault_Invalid"),
        ("/scan/datasources/sales-sql", {"kind": "AzureStorage"}, "DataSource_Invalid"),
        ("/collections/sales", {}, "Collection_Invalid"),
        ("/collections/a_b", collection(), "Collection_Invalid"),
    ],
)
def test_bodies(purview, path, body, expected):
    assert code(purview.put(path, body)) == (400, expected)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/scan/datasources/sales-sql", {**source(), "kind": "Excel"}),
        ("/scan/datasources/sales-sql", []),
        ("/scan/classificationrules/system", {**rule(), "kind": "System"}),
        ("/scan/classificationrules/patterns", rule(columnPatterns=["ssn"])),
        ("/scan/scanrulesets/governance", {**ruleset(), "kind": "Excel"}),
        ("/scan/scanrulesets/governance", ruleset(excludedSystemClassifications="x")),
        ("/scan/scanrulesets/governance", ruleset(scanningRule="x")),
        ("/scan/credentials/sql-login", {**CREDENTIAL[1], "kind": "Password"}),
        ("/policyStore/metadataPolicies/x", []),
    ],
)
@pytest.mark.off_spec(".")
def test_bodies_off_the_specification(purview, path, body):
    answer = purview.put(path, body)
    assert answer.status_code in (400, 404)
    assert code(answer)


@pytest.mark.off_spec(".")
def test_a_body_that_is_no_json(purview):
    answer = purview.ask("PUT", "/scan/datasources/sales-sql", data=b"{")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    "path",
    [
        "/collections/nothing",
        "/collections/nothing/getCollectionPath",
        "/collections/nothing/getChildCollectionNames",
        "/policyStore/metadataPolicies/00000000-0000-0000-0000-000000000000",
        "/policyStore/metadataPolicies?collectionName=nothing",
        "/scan/datasources/nothing",
        "/scan/datasources/nothing/scans",
        "/scan/datasources/sales-sql/scans/nothing",
        "/scan/datasources/sales-sql/scans/nothing/runs",
        "/scan/datasources/sales-sql/scans/weekly/triggers/default",
        "/scan/datasources/sales-sql/scans/weekly/filters/custom",
        "/scan/datasources/sales-sql/scans/weekly/runs/00000000-0000-0000-0000-000000000000",
        "/scan/classificationrules/nothing",
        "/scan/classificationrules/nothing/versions",
        "/scan/scanrulesets/nothing",
        "/scan/credentials/nothing",
        "/scan/azureKeyVaults/nothing",
        "/scan/integrationruntimes/nothing",
        "/scan/systemScanRulesets/datasources/Fabric",
    ],
)
def test_what_is_not_there(purview, path):
    status, found = code(purview.make(SALES, WEEKLY).ask("GET", path))
    assert status == 404
    assert found.endswith("_NotFound")


def test_collections(purview):
    purview.make(("/collections/eu", collection()), ("/collections/sales", collection("eu")))
    assert code(purview.put("/collections/x", collection("nowhere"))) == (404, "ParentCollection_NotFound")
    assert code(purview.put("/collections/eu", collection("sales"))) == (400, "Collection_Cycle")
    assert code(purview.put("/collections/eu", collection("eu"))) == (400, "Collection_Cycle")
    assert code(purview.delete("/collections/sovereign-purview")) == (409, "1006")
    assert code(purview.delete("/collections/nothing")) == (404, "Collection_NotFound")


def test_a_collection_that_something_is_in(purview):
    purview.make(("/collections/eu", collection()), ("/collections/sales", collection("eu")))
    assert code(purview.delete("/collections/eu")) == (409, "12005")
    purview.make(("/scan/datasources/lake", source("AdlsGen2", "eu", endpoint=LAKE)))
    purview.make(
        (
            "/scan/datasources/lake/scans/weekly",
            scan("AdlsGen2Msi", "sales", scanRulesetName="AdlsGen2", databaseName=None),
        )
    )
    answer = purview.delete("/collections/sales")
    assert code(answer) == (409, "12005")
    assert "weekly" in answer.json()["error"]["message"]
    purview.delete("/scan/datasources/lake/scans/weekly")
    assert purview.delete("/collections/sales").status_code == 204
    answer = purview.delete("/collections/eu")
    assert "lake" in answer.json()["error"]["message"]


def test_a_resource_is_one_source(purview):
    purview.make(SALES)
    answer = purview.put("/scan/datasources/again", source(resourceId=SQL.upper()))
    assert code(answer) == (409, "DataSource_AlreadyRegistered")
    assert "sales-sql" in answer.json()["error"]["message"]
    purview.make(("/scan/datasources/lake", source("AdlsGen2", endpoint=LAKE)))
    answer = purview.put("/scan/datasources/lake-again", source("AdlsGen2", endpoint=LAKE.upper().rstrip("/")))
    assert code(answer) == (409, "DataSource_AlreadyRegistered")
    assert purview.put("/scan/datasources/files", source("AzureFileService", endpoint=LAKE)).status_code == 201
    moved = source(resourceId=f"{SQL}-other")
    assert purview.put(SALES[0], moved).status_code == 200
    assert purview.put("/scan/datasources/again", source(resourceId=SQL)).status_code == 201


def test_a_source_keeps_its_kind(purview):
    purview.make(SALES)
    answer = purview.put(SALES[0], source("AdlsGen2", endpoint=LAKE))
    assert code(answer) == (409, "DataSource_KindMismatch")


@pytest.mark.off_spec("databaseName")  # in a scan of another kind
def test_scans(purview):
    purview.make(SALES, ("/collections/eu", collection()), ("/collections/customer", collection()))
    assert code(purview.put("/scan/datasources/nothing/scans/weekly", scan())) == (404, "DataSource_NotFound")
    for body in (
        scan("AdlsGen2Msi"),
        scan(collection="nowhere"),
        scan(scanRulesetName="own", scanRulesetType="Custom"),
        scan(scanRulesetName="Excel"),
        scan("AzureSqlDatabaseCredential", credential={"referenceName": "no-login", "credentialType": "SqlAuth"}),
    ):
        assert code(purview.put(WEEKLY[0], body)) == (400, "Scan_Invalid")
    purview.make((SALES[0], source(collection="eu", resourceId=SQL)))
    for outside in ("customer", "sovereign-purview"):
        answer = purview.put(WEEKLY[0], scan(collection=outside))
        assert code(answer) == (400, "Scan_CollectionOutOfBound")
    purview.make(("/collections/sales", collection("eu")))
    assert purview.put(WEEKLY[0], scan(collection="sales")).status_code == 201


@pytest.mark.off_spec(".")
def test_scans_off_the_specification(purview):
    purview.make(SALES)
    assert code(purview.put(WEEKLY[0], scan("ExcelMsi"))) == (400, "Scan_Invalid")
    assert code(purview.put("/scan/datasources/sales-sql/scans/a_b", scan())) == (400, "Scan_Invalid")
    assert code(purview.put(WEEKLY[0], scan(scanRulesetType="Own"))) == (400, "Scan_Invalid")


def test_what_is_still_needed(purview):
    reference = {"referenceName": "sql-login", "credentialType": "SqlAuth"}
    own = {"scanRulesetName": "governance", "scanRulesetType": "Custom", "credential": reference}
    steps = [
        VAULT,
        CREDENTIAL,
        ("/scan/classificationrules/PII-HighRisk", rule()),
        ("/scan/scanrulesets/governance", ruleset("PII-HighRisk")),
        SALES,
        (WEEKLY[0], scan("AzureSqlDatabaseCredential", **own)),
    ]
    purview.make(*steps)
    for path, _ in steps[:-1]:
        status, found = code(purview.delete(path))
        assert (status, found.partition("_")[2]) == (409, "StillReferenced")
    for path, _ in reversed(steps):
        assert purview.delete(path).status_code == 204


@pytest.mark.off_spec(".")
def test_triggers(purview):
    purview.make(SALES, WEEKLY)
    path = f"{WEEKLY[0]}/triggers/default"
    recurrence = TRIGGER["properties"]["recurrence"]
    for properties in (
        {},
        {"recurrence": {**recurrence, "frequency": "Year"}},
        {"recurrence": {**recurrence, "frequency": "Month"}},
        {"recurrence": {**recurrence, "schedule": "daily"}},
        {**TRIGGER["properties"], "state": "Off"},
    ):
        assert code(purview.put(path, {"properties": properties})) == (400, "Trigger_Invalid")
    assert code(purview.ask("POST", f"{path}:enable")) == (404, "Trigger_NotFound")
    assert code(purview.put(f"{WEEKLY[0]}/filters/custom", {"properties": {"includeUriPrefixes": 1}}))[0] == 400
    assert code(purview.ask("POST", f"{WEEKLY[0]}:run", params={"runId": "1"})) == (400, "ScanResult_Invalid")
    assert code(purview.ask("POST", f"{WEEKLY[0]}/runs/1:cancel")) == (404, "ScanResult_NotFound")


@pytest.mark.off_spec(".")
def test_tags_of_versions(purview):
    purview.make(("/scan/classificationrules/PII-HighRisk", rule()))
    path = "/scan/classificationrules/PII-HighRisk/versions"
    assert code(purview.ask("POST", f"{path}/1:tag")) == (400, "ClassificationRule_Invalid")
    tagged = purview.ask("POST", f"{path}/2:tag", params={"action": "Keep"})
    assert code(tagged) == (404, "ClassificationRule_NotFound")


@pytest.mark.off_spec("kind: is read-only", "fromRule")  # as it was read
def test_policies(purview):
    (policy,) = purview.read("/policyStore/metadataPolicies")["values"]
    path = f"/policyStore/metadataPolicies/{policy['id']}"
    assert code(purview.put(path, {**policy, "version": 7})) == (409, "MetadataPolicy_Conflict")
    assert code(purview.put(path, {**policy, "id": "x"})) == (409, "MetadataPolicy_Conflict")
    other = {**policy["properties"], "collection": {"referenceName": "other"}}
    assert code(purview.put(path, {**policy, "properties": other})) == (400, "MetadataPolicy_Invalid")


@pytest.mark.off_spec(".")
def test_policies_off_the_specification(purview):
    (policy,) = purview.read("/policyStore/metadataPolicies")["values"]
    path = f"/policyStore/metadataPolicies/{policy['id']}"
    for rules in (None, ["x"], [{"id": "x"}], [{"dnfCondition": [["x"]]}]):
        wrong = {**policy["properties"], "attributeRules": rules}
        assert code(purview.put(path, {**policy, "properties": wrong})) == (400, "MetadataPolicy_Invalid")


@pytest.mark.off_spec(".")
def test_classifications(purview):
    def atlas(answer):
        body = answer.json()
        assert set(body) == {"requestId", "errorCode", "errorMessage"}
        return answer.status_code, body["errorCode"]

    purview.make((f"{TYPES}/typedefs", classification("PII.HighRisk")))
    for names in (["PII.HighRisk"], ["PII.New", "PII.HighRisk"], ["MICROSOFT.PERSONAL.EMAIL"]):
        answer = purview.ask("POST", f"{TYPES}/typedefs", json=classification(*names))
        assert atlas(answer) == (409, "ATLAS-409-00-001")
    missing = (404, "ATLAS-404-00-001")
    assert atlas(purview.ask("GET", f"{TYPES}/typedef/name/PII.New")) == missing
    assert atlas(purview.ask("DELETE", f"{TYPES}/typedef/name/PII.New")) == missing
    assert atlas(purview.ask("PUT", f"{TYPES}/typedefs", json=classification("PII.New"))) == missing
    assert atlas(purview.ask("DELETE", f"{TYPES}/typedefs", json=classification("PII.New"))) == missing
    assert atlas(purview.ask("GET", f"{TYPES}/typedef/guid/x")) == (404, "ATLAS-404-00-002")
    assert atlas(purview.ask("POST", f"{TYPES}/typedefs", json=classification("1-x"))) == (400, "ATLAS-400-00-019")
    assert atlas(purview.ask("POST", f"{TYPES}/typedefs", json=[])) == (400, "ATLAS-400-00-01A")
    other = purview.ask("POST", f"{TYPES}/typedefs", json={"entityDefs": [{"name": "table"}]})
    assert (other.status_code, other.json()["error"]["code"]) == (501, "SandboxUnsupported")
