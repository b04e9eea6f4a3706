"""Purview beside what was recorded of it: the same request has an answer with the same names."""

import json
from urllib.parse import urlsplit

import pytest
from sandbox.purview_client import CREDENTIAL, VAULT, Purview, collection, rule

# What 2023-09-01 says, by its specification and its examples, and 2018-12-01-preview did not.
SINCE = {
    "creationType", "scanId", "dataSourceName", "properties.dataSourceCollectionMovingState", "properties.state",
}  # fmt: skip
NAMES = {
    "test_rule1008": "test-rule1008",
    "test_classificationrule1009": "test-classificationrule1009",
    "mysubCollection": "mysubcollection",
    "dotnetllcpurviewaccount": "sovereign-purview",
    "dotnetLLCPurviewAccount": "sovereign-purview",
    "baseurl": "baseUrl",
}
LIVES = [
    "DataSourceOperations", "ScanOperations", "ScanTriggerOperations", "FilterOperations", "ScanRulesOperations",
    "ClassificationRuleOperations", "KeyVaultReferenceOperations",
]  # fmt: skip


def names_in(value, at=""):
    """The path of every name in a body, lists unfolded."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{at}{key}"
            yield from names_in(inner, f"{at}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner, at)


@pytest.fixture
def purview():
    """An account with what the recorded requests refer to."""
    client = Purview()
    bucket = {"kind": "AmazonS3", "properties": {"serviceUrl": "s3://other"}}
    key = {"kind": "AmazonARN", "properties": {"typeProperties": {"roleARN": "arn:aws:iam::1:role/x"}}}
    client.make(
        VAULT,
        CREDENTIAL,
        ("/scan/credentials/test-credential1009", key),
        ("/scan/datasources/test-datasource1009", bucket),
        ("/scan/datasources/test-datasource1009/scans/test-scan1009", {"kind": "AmazonS3RoleARN", "properties": {}}),
        ("/scan/classificationrules/test-rule1008", rule("test")),
        ("/collections/other", collection()),
    )
    return client


def entries(recorded, name):
    text = (recorded / f"recordings/purview/net-transcribed/{name}.json").read_text()
    for old, new in NAMES.items():
        text = text.replace(old, new)
    return json.loads(text)["Entries"]


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.off_spec(".")) for name in LIVES),  # names in bodies of another version
        "Collections_CreateOrUpdateTask",
    ],
)
def test_a_put_is_answered_with_the_recorded_names(purview, recorded, name):
    compared = 0
    for entry in entries(recorded, name):
        if entry["RequestMethod"] != "PUT":
            continue
        parts = urlsplit(entry["RequestUri"])
        path = f"/scan{parts.path}" if ".scan." in parts.netloc else parts.path
        answer = purview.put(path, entry["RequestBody"])
        assert answer.status_code in (200, 201), answer.text
        ours, theirs = set(names_in(answer.json())), set(names_in(entry["ResponseBody"]))
        assert theirs - ours == set()
        assert ours - theirs <= SINCE
        compared += 1
    assert compared


def test_lists_have_the_recorded_names(purview, recorded):
    (listed,) = entries(recorded, "GetClassificationRules")
    ours, theirs = purview.read("/scan/classificationrules"), listed["ResponseBody"]
    assert set(names_in(ours)) >= set(names_in(theirs)) - {"value.properties.dataPatterns.pattern"} - {
        "value.properties.dataPatterns.kind"
    }
    (run,) = entries(recorded, "ScanRunOperations")[1]["ResponseBody"]["value"]
    path = "/scan/datasources/test-datasource1009/scans/test-scan1009"
    started = purview.ask("POST", f"{path}:run", params={"runId": run["id"]}).json()
    # Counts of 2018-12-01-preview, which stand in discoveryExecutionDetails since.
    assert set(run) - set(started) == {"assetsDiscovered", "assetsClassified", "webScanResults"}


def test_policies_and_roles_are_the_recorded_ones(purview, recorded):
    folder = recorded / "recordings/purview"
    policies = json.loads(
        (
            folder / "js/administration/list_metadata/recording_should_list_all_available_metdatapolicies.json"
        ).read_text()
    )["Entries"][0]["ResponseBody"]["values"]
    root, child = (json.dumps(policy) for policy in policies)
    ours = purview.read("/policyStore/metadataPolicies")["values"]

    def plain(policy, mine):
        """A policy without its ids, version and principals, with the names of ours."""
        text = json.dumps(policy) if isinstance(policy, dict) else policy
        for old, new in mine.items():
            text = text.replace(old, new)
        body = json.loads(text)
        # Nobody had this role where the policies were recorded; our caller has.
        rules = [one for one in body["properties"]["attributeRules"] if "workflow-administrator" not in one["id"]]
        body["properties"]["attributeRules"] = rules
        for one in rules:
            one["dnfCondition"] = [each for each in one["dnfCondition"] if "workflow-admin" not in json.dumps(each)]
            for every in one["dnfCondition"]:
                for matcher in every:
                    matcher.pop("attributeValueIncludedIn", None)
        return {**body, "id": "", "version": 0}

    mine = {"newpurviewllc": "sovereign-purview", "la7eio": "other"}
    assert plain(ours[0], {}) == plain(root, mine)
    assert plain(ours[1], {}) == plain(child, mine)
    recorded_roles = json.loads(
        (folder / "python/test_smoke.pyTestPurviewMetaPolicySmoketest_meta_roles_smoke_test.json").read_text()
    )["Entries"][-1]["ResponseBody"]["values"]
    assert purview.read("/policyStore/metadataRoles")["values"] == recorded_roles


def test_the_account_has_the_recorded_names(purview, recorded):
    path = recorded / "recordings/purview/js/administration/get_account_info/recording_should_get_the_account_info.json"
    theirs = json.loads(path.read_text())["Entries"][0]["ResponseBody"]
    ours = set(names_in(purview.read("/")))
    # Resources that only accounts of that time have, and what an account is not made with.
    without = {"properties.cloudConnectors", "properties.managedResources"}
    missing = {name for name in set(names_in(theirs)) - ours if not name.startswith(tuple(without))}
    assert missing == set()


def test_a_search_is_answered_as_recorded(purview, recorded):
    (entry,) = entries(recorded, "Catalog_Search")
    answer = purview.ask("POST", "/datamap/api/search/query", "2023-09-01", json=entry["RequestBody"])
    # The approximation came with 2023-09-01.
    assert answer.json() == {**entry["ResponseBody"], "@search.count.approximate": False}


def placed(value):
    """A body of an example, the first where it names all that could stand there."""
    if isinstance(value, dict):
        return {key: placed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [placed(inner) for inner in value]
    return value.partition("|")[0] if isinstance(value, str) else value


def test_the_official_searches_are_understood(recorded):
    contoso = Purview("contoso", "pview-customer-prod")
    (ours,) = contoso.ask("POST", "/datamap/api/search/query", "2023-09-01", json={"limit": 1}).json()["value"]
    of_terms = {"glossaryType", "glossary", "termStatus", "termTemplate", "longDescription"}
    examples = sorted((recorded / "purview-specs/datamap-2023-09-01/examples").glob("Discovery_Query*.json"))
    assert len(examples) >= 19
    for path in examples:
        example = json.loads(path.read_text())
        asked = placed(example["parameters"]["body"])
        asked.pop("continuationToken", None)
        answer = contoso.ask("POST", "/datamap/api/search/query", "2023-09-01", json=asked)
        assert answer.status_code == (501 if "taxonomySetting" in asked else 200), (path.name, answer.text)
        names = {name for hit in example["responses"]["200"]["body"]["value"] for name in hit}
        assert names - set(ours) <= of_terms
