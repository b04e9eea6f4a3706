"""What the wrappers of Purview make of what the service was recorded to answer, whatever the version then."""

import copy
import datetime as dt
import json
import re
from urllib.parse import urlsplit

import pytest
from openapi.recordings import recordings

import sovereignmesh as sm
from sovereignmesh.azure.purview import (
    Classification,
    ClassificationRule,
    Collection,
    Filter,
    KeyVaultConnection,
    MetadataPolicy,
    MetadataRole,
    Operation,
    PurviewAccount,
    Ruleset,
    Run,
    Scan,
    Source,
    Trigger,
    UserRequest,
    Workflow,
    find_purview_account,
    list_purview_accounts,
)
from sovereignmesh.plan import compare, merged
from sovereignmesh.purview.kinds import KINDS, objects_of
from sovereignmesh.purview.roles import assigned, with_roles

ROOT = "https://contoso-purview.purview.azure.com"
ACCOUNT = PurviewAccount("id", "contoso-purview", "westeurope", ROOT, f"{ROOT}/scan", "Enabled")
SCAN, SYSTEM = "/scan/datasources/lake/scans/weekly", "/scan/systemScanRulesets"
RUN = "32767c50-ccd7-c3fd-5aea-94abe54044de"
UTC = dt.UTC

# Whose answers are served: where, to what, and what that must be read as, by the body.
# The paths are those of today, with names that may be in them.


COMPUTED = ("createdAt", "lastModifiedAt", "dataSourceCollectionMovingState", "parentCollection")


def _given(told):
    """What is somebody's wish: not what is null, nor what the service works out."""
    return {
        key: _given(value) if isinstance(value, dict) else value
        for key, value in told.items()
        if value is not None and key not in COMPUTED
    }


def _source(body):
    kept = {key: value for key, value in _given(body["properties"]).items() if key != "collection"}
    placed = body["properties"].get("collection", {"referenceName": ""})  # once a collection was a source itself
    return Source(body["name"], body["kind"], kept, placed["referenceName"])


def _scan(body):
    kept = {key: value for key, value in _given(body["properties"]).items() if key != "collection"}
    return Scan(body["name"], body["kind"], kept, body["properties"]["collection"]["referenceName"])


def _ruleset(body):
    return Ruleset(body["name"], body["kind"], _given(body["properties"]))


def _rule(body):
    told = body["properties"]
    columns, data = ([each["pattern"] for each in told[key]] for key in ("columnPatterns", "dataPatterns"))
    return ClassificationRule(
        body["name"], told["classificationName"], tuple(columns), tuple(data), told["minimumPercentageMatch"],
        told["description"], enabled=True,
    )  # fmt: skip


def _vault(body):
    return KeyVaultConnection(body["name"], body["properties"]["baseUrl"], body["properties"]["description"])


def _filter(body):
    told = body["properties"]
    return Filter(tuple(told["includeUriPrefixes"]), tuple(told["excludeUriPrefixes"]))


def _trigger(body):
    recurrence = _given(body["properties"]["recurrence"])
    recurrence["timeZone"] = recurrence.pop("timezone")  # as the specification spells it
    return Trigger(recurrence, body["properties"]["scanLevel"], enabled=True)


def _collection(body):
    above = body.get("parentCollection", {}).get("referenceName", "")
    state = body["collectionProvisioningState"]
    return Collection(body["name"], body["friendlyName"], above, body.get("description", ""), state)


def _policy(body):
    return MetadataPolicy(body["id"], body["version"], body["properties"]["collection"]["referenceName"], body)


def _role(body):
    return MetadataRole(body["id"], body["properties"]["friendlyName"])


def _workflow(body):
    triggers = tuple(body["triggers"])
    return Workflow(body["id"], body["name"], triggers, body["actionDag"], body["description"], body["isEnabled"])


def _request(body):
    operations = tuple(
        Operation(one["type"], one["payload"], tuple(one["workflowRunIds"])) for one in body["operations"]
    )
    return UserRequest(body["requestId"], body["requestor"], body["status"], operations, body["comment"])


def _each(read, key="value"):
    return lambda body: [read(each) for each in body[key]]


def _nothing(_):
    return None


def _as_it_is(body):
    return body


RULE_SET, RULES, VAULTS, SOURCES = (
    "/scan/scanrulesets/own",
    "/scan/classificationrules",
    "/scan/azureKeyVaults",
    "/scan/datasources",
)
FLOW, TASK = "js/workflow", f"/workflow/workflowtasks/{RUN}"
READ = {
    # sources
    "js/scanning/list_data_sources/recording_should_list_all_available_data_sources.json[0]":
        ("GET", SOURCES, lambda it: list(it.sources.list()), _each(_source)),
    "python/test_smoke.pyTestPurviewScanningSmoketest_basic_smoke_test.json[3]":
        ("GET", SOURCES, lambda it: list(it.sources.list()), _each(_source)),
    "python/test_smoke.test_basic_smoke_test@00780947.yaml[0]":
        ("GET", SOURCES, lambda it: list(it.sources.list()), _each(_source)),
    "net-transcribed/DataSourceOperations.json[0]":
        ("PUT", f"{SOURCES}/lake", lambda it: it.sources.put(Source("lake", "AmazonS3"), "lake"), _source),
    "net-transcribed/DataSourceOperations.json[1]":
        ("GET", f"{SOURCES}/lake", lambda it: it.sources.get("lake"), _source),
    "net-transcribed/DataSourceOperations.json[2]":
        ("DELETE", f"{SOURCES}/lake", lambda it: it.sources.delete("lake"), _nothing),
    # collections
    "java-transcribed/Collections_testCollections.json[0]":
        ("GET", "/collections", lambda it: list(it.collections.list()), _each(_collection)),
    "js/administration/list_collections/recording_should_list_all_available_collections.json[0]":
        ("GET", "/collections", lambda it: list(it.collections.list()), _each(_collection)),
    "python/test_smoke.pyTestPurviewAccountSmoketest_collections_list.json[3]":
        ("GET", "/collections", lambda it: list(it.collections.list()), _each(_collection)),
    "python/test_smoke.test_collections_list@6a79f618.yaml[0]":
        ("GET", "/collections", lambda it: list(it.collections.list()), _each(_collection)),
    "net-transcribed/Collections_CreateOrUpdateTask.json[0]":
        ("PUT", "/collections/own", lambda it: it.collections.put(Collection("own", parent="x"), "own"), _collection),
    "net-transcribed/Collections_CreateOrUpdateTask.json[1]":
        ("GET", "/collections/own", lambda it: it.collections.get("own"), _collection),
    "net-transcribed/Collections_CreateOrUpdateTask.json[2]":
        ("GET", "/collections/own", lambda it: it.collections.get("own"), _collection),
    "net-transcribed/Collections_CreateOrUpdateTask.json[3]":
        ("DELETE", "/collections/own", lambda it: it.collections.delete("own"), _nothing),
    # the account, its policies and roles
    "js/administration/get_account_info/recording_should_get_the_account_info.json[0]":
        ("GET", "/", lambda it: it.properties().body, _as_it_is),
    "js/administration/list_metadata/recording_should_list_all_available_metdatapolicies.json[0]":
        ("GET", "/policyStore/metadataPolicies", lambda it: list(it.policies.list()), _each(_policy, "values")),
    "python/test_smoke.pyTestPurviewMetaPolicySmoketest_meta_policy_smoke_test.json[3]":
        ("GET", "/policyStore/metadataPolicies", lambda it: list(it.policies.list()), _each(_policy, "values")),
    "python/test_smoke.test_meta_policy_smoke_test@6a79f618.yaml[0]":
        ("GET", "/policyStore/metadataPolicies", lambda it: list(it.policies.list()), _each(_policy, "values")),
    "python/test_smoke.pyTestPurviewMetaPolicySmoketest_meta_roles_smoke_test.json[3]":
        ("GET", "/policyStore/metadataRoles", lambda it: list(it.policies.roles()), _each(_role, "values")),
    # scans, and what belongs to them
    "net-transcribed/ScanOperations.json[0]":
        ("PUT", SCAN, lambda it: it.scans.put(Scan("weekly", "AmazonS3Credential"), "lake", "weekly"), _scan),
    "net-transcribed/ScanOperations.json[1]": ("GET", SCAN, lambda it: it.scans.get("lake", "weekly"), _scan),
    "net-transcribed/ScanOperations.json[2]": ("DELETE", SCAN, lambda it: it.scans.delete("lake", "weekly"), _nothing),
    "net-transcribed/FilterOperations.json[0]":
        ("PUT", f"{SCAN}/filters/custom", lambda it: it.filters.put(Filter(), "lake", "weekly"), _filter),
    "net-transcribed/FilterOperations.json[1]":
        ("GET", f"{SCAN}/filters/custom", lambda it: it.filters.get("lake", "weekly"), _filter),
    "net-transcribed/ScanTriggerOperations.json[0]":
        ("PUT", f"{SCAN}/triggers/default", lambda it: it.triggers.put(Trigger({}), "lake", "weekly"), _trigger),
    "net-transcribed/ScanTriggerOperations.json[1]":
        ("DELETE", f"{SCAN}/triggers/default", lambda it: it.triggers.delete("lake", "weekly"), _nothing),
    "net-transcribed/ScanRunOperations.json[0]":  # a PUT then
        ("POST", f"{SCAN}:run", lambda it: it.runs.start("lake", "weekly", RUN),
         lambda body: Run(RUN, "Accepted", started=dt.datetime(2021, 10, 14, 9, 48, 29, 648027, UTC))),
    "net-transcribed/ScanRunOperations.json[1]":  # whose counts stood elsewhere then
        ("GET", f"{SCAN}/runs", lambda it: list(it.runs.list("lake", "weekly")),
         lambda body: [Run(RUN, "Queued", "Full", dt.datetime(2021, 10, 14, 9, 48, 29, 379599, UTC), type="Manual")]),
    "net-transcribed/ScanRunOperations.json[2]":
        ("POST", f"{SCAN}/runs/{RUN}:cancel", lambda it: it.runs.cancel("lake", "weekly", RUN), _nothing),
    # what scans need
    "net-transcribed/ScanRulesOperations.json[0]":
        ("PUT", RULE_SET, lambda it: it.rulesets.put(Ruleset("own", "AmazonS3"), "own"), _ruleset),
    "net-transcribed/ScanRulesOperations.json[1]":
        ("PUT", RULE_SET, lambda it: it.rulesets.put(Ruleset("own", "AmazonS3"), "own"), _ruleset),
    "net-transcribed/ScanRulesOperations.json[2]": ("GET", RULE_SET, lambda it: it.rulesets.get("own"), _ruleset),
    "net-transcribed/ScanRulesOperations.json[3]":
        ("DELETE", RULE_SET, lambda it: it.rulesets.delete("own"), _nothing),
    "net-transcribed/ClassificationRuleOperations.json[0]":
        ("PUT", f"{RULES}/own", lambda it: it.classification_rules.put(ClassificationRule("own", "a"), "own"), _rule),
    "net-transcribed/ClassificationRuleOperations.json[1]":
        ("PUT", f"{RULES}/own", lambda it: it.classification_rules.put(ClassificationRule("own", "a"), "own"), _rule),
    "net-transcribed/ClassificationRuleOperations.json[2]":
        ("GET", f"{RULES}/own", lambda it: it.classification_rules.get("own"), _rule),
    "net-transcribed/ClassificationRuleOperations.json[5]":
        ("DELETE", f"{RULES}/own", lambda it: it.classification_rules.delete("own"), _nothing),
    "net-transcribed/GetClassificationRules.json[0]":
        ("GET", RULES, lambda it: list(it.classification_rules.list()), _each(_rule)),
    "net-transcribed/KeyVaultReferenceOperations.json[0]":
        ("PUT", f"{VAULTS}/own", lambda it: it.key_vaults.put(KeyVaultConnection("own", "https://x"), "own"), _vault),
    "net-transcribed/KeyVaultReferenceOperations.json[1]":
        ("GET", f"{VAULTS}/own", lambda it: it.key_vaults.get("own"), _vault),
    "net-transcribed/KeyVaultReferenceOperations.json[2]":
        ("DELETE", f"{VAULTS}/own", lambda it: it.key_vaults.delete("own"), _nothing),
    "java-transcribed/SystemScanRulesets_testListAll.json[0]":
        ("GET", SYSTEM, lambda it: list(it.system_rulesets.list()), _each(_ruleset)),
    "net-transcribed/SystemRulesetsDataSourceOperations.json[0]":
        ("GET", f"{SYSTEM}/datasources/AdlsGen2", lambda it: it.system_rulesets.get("AdlsGen2"), _ruleset),
    # workflows, and what is asked of them
    f"{FLOW}/get_a_workflow/recording_should_create_a_workflow.json[0]":
        ("PUT", f"/workflow/workflows/{RUN}", lambda it: it.workflows.put(Workflow(RUN, "own", ()), RUN), _workflow),
    f"{FLOW}/get_a_workflow/recording_should_get_a_workflow.json[0]":
        ("GET", f"/workflow/workflows/{RUN}", lambda it: it.workflows.get(RUN), _workflow),
    f"{FLOW}/submit_a_user_request/recording_should_submit_a_user_request.json[0]":
        ("POST", "/workflow/userrequests", lambda it: it.user_requests.submit(Operation("CreateTerm", {})), _request),
    f"{FLOW}/operate_the_workflow_task/recording_should_approve_a_workflow_task.json[0]":
        ("POST", f"{TASK}/approve-approval", lambda it: it.workflow_tasks.approve(RUN), _nothing),
    f"{FLOW}/operate_the_workflow_task/recording_should_reject_a_workflow_task.json[0]":
        ("POST", f"{TASK}/reject-approval", lambda it: it.workflow_tasks.reject(RUN), _nothing),
    # the Data Map's types
    "python/test_smoke.test_basic_smoke_test@e0406a6e.yaml[0]":
        ("GET", "/datamap/api/atlas/v2/types/typedefs", lambda it: list(it.classifications.list()),
         _each(lambda body: Classification(body["name"], body["description"]), "classificationDefs")),
}  # fmt: skip

# What nothing here asks for, by why; a word of the address.
ELSEWHERE = {
    "login.microsoftonline.com": "signs in",
    "listkeys": "the account's Kafka keys are nobody's business",
    "/glossary": "of glossaries",
    "/entity/": "of assets",
    "/search/": "of assets",
    "/versions": "of versions of rules and rulesets",
    "metadataRoles": "two pages, of which there is a test",
}


@pytest.fixture(scope="module")
def entries(recorded):
    return {entry.id: entry for entry in recordings(recorded / "recordings" / "purview")}


@pytest.fixture
def purview(azure):
    return sm.connect_purview(ACCOUNT, azure)


@pytest.mark.parametrize("identity", READ)
def test_what_was_recorded_is_read(entries, purview, service, identity):
    method, path, ask, read = READ[identity]
    entry = entries[identity]
    service.says(f"{ROOT}{path}", (entry.status, entry.answer or b""), method=method)
    assert ask(purview) == read(json.loads(entry.answer or b"null"))
    (request,) = service.requests
    assert (request.method, urlsplit(request.url).path) == (method, path)


def test_every_recording_is_read_or_left_for_a_reason(entries):
    left = [entry for entry in entries.values() if entry.id not in READ and not entry.id.startswith("azcli/")]
    assert READ.keys() <= entries.keys()
    assert [entry.id for entry in left if not any(word in entry.url for word in ELSEWHERE)] == []
    assert [word for word in ELSEWHERE if not any(word in entry.url for entry in left)] == []


def test_roles_over_two_pages(entries, purview, service):
    """The link of the recorded page leads to an empty one."""
    first, second = (entries[f"python/test_smoke.test_meta_roles_smoke_test@6a79f618.yaml[{it}]"] for it in (0, 1))
    page = json.loads(first.answer)
    page["nextLink"] = f"{ROOT}/policyStore/metadataRoles?{urlsplit(second.url).query}"
    service.says(f"{ROOT}/policyStore/metadataRoles", page, second.answer)
    assert list(purview.policies.roles()) == [_role(body) for body in page["values"]]
    assert len(service.requests) == 2


# What stands in some of them, to the letter.


def test_the_letter(entries, purview, service):
    def read(identity):
        method, path, ask, _ = READ[identity]
        service.mock.reset()
        service.says(f"{ROOT}{path}", (entries[identity].status, entries[identity].answer), method=method)
        return ask(purview)

    (files,) = read("python/test_smoke.pyTestPurviewScanningSmoketest_basic_smoke_test.json[3]")
    assert (files.name, files.kind, files.collection) == ("storageyyc", "AzureStorage", "purview-msyyc")
    assert files.properties["endpoint"] == "https://storageyyc.blob.core.windows.net/"
    assert read("net-transcribed/Collections_CreateOrUpdateTask.json[1]") == Collection(
        "mysubCollection", "mysubCollection", "dotnetllcpurviewaccount", "", "Creating"
    )
    (rule,) = read("net-transcribed/GetClassificationRules.json[0]")
    assert rule == ClassificationRule(
        "test_rule1008", "MICROSOFT.FINANCIAL.US.ABA_ROUTING_NUMBER", ("classid",), ("^[0-9]$",), 60.0
    )
    trigger = read("net-transcribed/ScanTriggerOperations.json[0]")
    assert (trigger.level, trigger.enabled, trigger.last_scheduled) == ("Incremental", True, None)
    assert trigger.recurrence["timeZone"] == "China Standard Time"
    assert read("net-transcribed/KeyVaultReferenceOperations.json[1]") == KeyVaultConnection(
        "default-keyvault", "https://test-keyvault0908.vault.azure.net/", "test"
    )
    assert "Collection Administrator" in {
        role.friendly_name
        for role in read("python/test_smoke.pyTestPurviewMetaPolicySmoketest_meta_roles_smoke_test.json[3]")
    }
    types = read("python/test_smoke.test_basic_smoke_test@e0406a6e.yaml[0]")
    assert "MICROSOFT.GOVERNMENT.US.SOCIAL_SECURITY_NUMBER" in {found.name for found in types}
    assert len(types) == 107


# Accounts, as Azure Resource Manager was recorded to answer.


def test_recorded_accounts(entries, azure, service):
    listed = entries["azcli/test_purview_account.yaml[14]"]
    path = urlsplit(listed.url).path
    service.says(path, (200, listed.answer))
    bodies = json.loads(listed.answer)["value"]
    found = list_purview_accounts(azure, [path.split("/")[2]])
    assert {account.id for account in found} == {body["id"] for body in bodies}
    for account in found:
        (body,) = (body for body in bodies if body["id"] == account.id)
        assert account == PurviewAccount(
            body["id"],
            body["name"],
            body["location"],
            f"https://{body['name']}.purview.azure.com",
            f"https://{body['name']}.purview.azure.com/scan",
            body["properties"]["publicNetworkAccess"],
        )


def test_a_recorded_account_at_each_step_of_its_making(entries, azure, service):
    states = set()
    for entry in entries.values():
        if (
            entry.id.startswith("azcli/")
            and entry.method == "GET"
            and entry.url.partition("?")[0].endswith("/pv-000002")
        ):
            service.mock.reset()
            service.says(urlsplit(entry.url).path, (entry.status, entry.answer))
            assert find_purview_account(azure, urlsplit(entry.url).path).name == "pv-000002"
            states.add(json.loads(entry.answer)["properties"]["provisioningState"])
    assert {"Creating", "Succeeded"} <= states


# What was recorded to be written, beside what came of it.

WRITTEN = {
    "net-transcribed/ClassificationRuleOperations.json[0]": "classification-rule",
    "net-transcribed/ClassificationRuleOperations.json[1]": "classification-rule",
    "net-transcribed/Collections_CreateOrUpdateTask.json[0]": "collection",
    "net-transcribed/DataSourceOperations.json[0]": "source",
    "net-transcribed/FilterOperations.json[0]": "filter",
    "net-transcribed/KeyVaultReferenceOperations.json[0]": "key-vault",
    "net-transcribed/ScanOperations.json[0]": "scan",
    "net-transcribed/ScanRulesOperations.json[0]": "ruleset",
    "net-transcribed/ScanRulesOperations.json[1]": "ruleset",
    "net-transcribed/ScanTriggerOperations.json[0]": "trigger",
    f"{FLOW}/get_a_workflow/recording_should_create_a_workflow.json[0]": "workflow",
}
NAMES = {"scan": ("lake", "weekly"), "filter": ("lake", "weekly"), "trigger": ("lake", "weekly")}
# What was sent and is no property, so that nothing came of it: it stands elsewhere in the answer, or nowhere.
LEFTOVERS = {
    **dict.fromkeys(WRITTEN, ("name",)),
    "net-transcribed/ClassificationRuleOperations.json[0]": ("name", "ruleStatus"),
    "net-transcribed/ClassificationRuleOperations.json[1]": ("name", "ruleStatus"),
    "net-transcribed/FilterOperations.json[0]": ("name", "id"),
    "net-transcribed/Collections_CreateOrUpdateTask.json[0]": (),
    f"{FLOW}/get_a_workflow/recording_should_create_a_workflow.json[0]": (),
}
# Where the answer is not what was sent, and why.
OTHERWISE = {
    "net-transcribed/KeyVaultReferenceOperations.json[0]": {
        "properties.baseurl": "the service reads this name without case, and answers it as it is specified: baseUrl",
    },
}


def written(entries, identity):
    """The wish that a recorded PUT sent, and what came of it."""
    wish, found = (json.loads(text) for text in (entries[identity].body, entries[identity].answer))
    for name in LEFTOVERS[identity]:
        assert name in wish
        del wish[name]
    return wish, found


def test_all_that_was_written_is_compared(entries):
    puts = {
        entry.id
        for entry in entries.values()
        if entry.method == "PUT" and entry.body and not entry.id.startswith("azcli/")
    }
    assert puts == WRITTEN.keys()


@pytest.mark.parametrize("identity", WRITTEN)
def test_what_was_written_is_as_wished(entries, identity):
    wish, found = written(entries, identity)
    differences = compare(wish, found, KINDS[WRITTEN[identity]])
    assert {difference.path for difference in differences} == OTHERWISE.get(identity, {}).keys()


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


@pytest.mark.parametrize("identity", WRITTEN)
def test_another_wish_is_another_wish(entries, identity):
    """Whatever value of what was sent is another, the difference is seen; but for what is the service's own."""
    wish, found = written(entries, identity)
    kind = KINDS[WRITTEN[identity]]
    known = OTHERWISE.get(identity, {})
    for path in leaves(wish):
        other = copy.deepcopy(wish)
        inner = other
        for name in path[:-1]:
            inner = inner[name]
        value = inner[path[-1]]
        inner[path[-1]] = [*value, "other"] if isinstance(value, list) else f"{value}-other"
        seen = {difference.path for difference in compare(other, found, kind)}
        assert seen == {".".join(path), *known}


@pytest.mark.parametrize("identity", WRITTEN)
def test_what_is_written_back_fits_the_specification(entries, purview, service, identity, exchanges):
    """What is there with the wish in it, less what is the service's own: as a change of it is sent."""
    wish, found = written(entries, identity)
    kind = WRITTEN[identity]
    if kind == "key-vault":
        wish["properties"]["baseUrl"] = wish["properties"].pop("baseurl")
    if kind == "trigger":
        for one in (wish, found):
            recurrence = one["properties"]["recurrence"]
            recurrence["timeZone"] = recurrence.pop("timezone")  # as what is there is read, before it is compared
            recurrence["startTime"] += "Z"  # the service takes and answers a start in the trigger's own zone too
    body = merged(found, wish, KINDS[kind])
    service.mock.add_callback("PUT", re.compile(".*"), lambda _: (200, {}, json.dumps(found)))
    objects_of(purview, kind).write(body, *NAMES.get(kind, ("own",)))
    assert len(exchanges.operations) == 1
    assert (exchanges.violations, exchanges.soft) == ([], [])


def test_a_recorded_policy_is_written_back_as_it_was_specified(entries, purview, service, exchanges):
    listed = json.loads(
        entries["js/administration/list_metadata/recording_should_list_all_available_metdatapolicies.json[0]"].answer
    )
    for policy in listed["values"]:
        collection = policy["properties"]["collection"]["referenceName"]
        there = assigned(policy, collection)
        assert there
        service.says(f"{ROOT}/policyStore/metadataPolicies/{policy['id']}", policy, method="PUT")
        written = purview.policies.update(with_roles(policy, collection, there))
        assert written == _policy(policy)
        assert assigned(json.loads(service.requests[-1].body), collection) == there
    assert (exchanges.violations, exchanges.soft) == ([], [])
