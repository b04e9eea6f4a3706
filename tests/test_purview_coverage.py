"""Which of Purview's operations the client uses, each at least once against the sandbox, all on the specification."""

import datetime as dt
from collections import Counter

import pytest

import sovereignmesh as sm
from sovereignmesh.azure.purview import (
    Classification,
    ClassificationRule,
    Collection,
    Credential,
    Filter,
    KeyVaultConnection,
    Operation,
    Ruleset,
    Scan,
    Trigger,
    Workflow,
    find_purview_account,
)
from sovereignmesh.purview.roles import with_roles

HOME = "sovereign-purview"
RUN = "0f8fad5b-d9cb-469f-a165-70867728950e"
ADA, BOB = "00000000-0000-0000-0000-0000000000ad", "00000000-0000-0000-0000-0000000000b0"
READER = "purviewmetadatarole_builtin_purview-reader"
SALES = "/subscriptions/77777777-7777-7777-7777-777777777777/resourceGroups/sales-rg/providers"

POLICY = """\
governancePolicies:
  dataResidency: {enforced: true, allowedRegions: [westeurope]}
  dataClassification:
    autoClassify: true
    rules:
      - {pattern: "(?i)ssn|social.?security", classification: PII.HighRisk}
      - {pattern: "(?i)e?mail|phone", classification: PII.Contact}
"""
FIRST = f"""\
purview:
  account: {HOME}
  roles: {{dataReaders: [{ADA}]}}
  classifications: [Of.Nothing]
  classificationRules:
    - {{name: Order-Number, classification: Order.Number, dataPatterns: ["O-[0-9]{{8}}"], minimumPercentageMatch: 80}}
    - {{name: Order-Date, classification: Order.Date, columnPatterns: [ordered_at]}}
  collections:
    - name: Sales
      description: What the sales domain owns.
      roles: {{dataCurators: [{BOB}]}}
      collections:
        - {{name: Orders}}
    - {{name: Customer}}
  keyVaults:
    - {{name: kv-scans, baseUrl: "https://kv-scans.vault.azure.net/"}}
  credentials:
    - {{name: scan-reader, kind: SqlAuth, user: purview, secret: password, keyVault: kv-scans}}
  rulesets:
    - {{name: lake-files, kind: AdlsGen2, fileExtensions: [CSV, PARQUET], classificationRules: [Order-Number]}}
  sources:
    discover: {{domains: all, types: [Microsoft.Sql/servers]}}
    register:
      - name: sales-lake
        resource: {SALES}/Microsoft.Storage/storageAccounts/saleslake
        collection: Sales
        scans:
          - name: weekly
            ruleset: lake-files
            collection: Orders
            filter: {{include: ["https://saleslake.dfs.core.windows.net/orders/"]}}
            trigger:
              recurrence: {{frequency: Week, startTime: "2026-01-04T02:00:00Z", schedule: {{weekDays: [Sunday]}}}}
      - name: sales-sql
        resource: {SALES}/Microsoft.Sql/servers/sales-sql
        scans:
          - {{name: orders, database: salesdb, credential: scan-reader, kind: AzureSqlDatabaseCredential}}
"""
# The same account later: something of each kind is gone or is another.
SECOND = f"""\
purview:
  account: {HOME}
  roles: {{dataReaders: [{BOB}]}}
  classificationRules:
    - {{name: Order-Number, classification: Order.Number, dataPatterns: ["O-[0-9]{{9}}"]}}
  collections:
    - {{name: Sales, description: Orders and their aggregates.}}
  sources:
    - name: sales-lake
      resource: {SALES}/Microsoft.Storage/storageAccounts/saleslake
      collection: Sales
      scans:
        - name: weekly
          filter: {{exclude: ["https://saleslake.dfs.core.windows.net/drafts/"]}}
"""


@pytest.fixture
def azure(open_azure):
    return open_azure("seed")


@pytest.fixture
def mesh(tmp_path):
    def load(document):
        folder = tmp_path / "mesh"
        folder.mkdir(exist_ok=True)
        (folder / "policy.yaml").write_text(POLICY)
        (folder / "purview.yaml").write_text(document)
        return sm.load_mesh(folder)

    return load


def use_wrappers(azure):
    """Every method of every set of objects, once at least."""
    purview = sm.connect_purview(find_purview_account(azure, HOME).id, azure)
    assert purview.properties().text("name") == HOME
    collection = Collection("mine", "Mine", HOME)
    vault = KeyVaultConnection("my-vault", "https://kv-mine.vault.azure.net/")
    store = {"type": "AzureKeyVaultSecret", "secretName": "key", "store": {"referenceName": "my-vault"}}
    login = Credential("my-key", "AccountKey", {"typeProperties": {"accountKey": store}})
    rule = ClassificationRule("my-rule", "My.Own", ("own",), (), 60.0, "Mine", enabled=False)
    ruleset = Ruleset("my-rules", "AdlsGen2", {"scanningRule": {"fileExtensions": ["CSV"]}})
    source = sm.sources.AdlsGen2("my-lake", endpoint="https://mylake.dfs.core.windows.net/", collection="mine")
    scan = Scan("daily", "AdlsGen2Msi", {"scanRulesetName": "my-rules", "scanRulesetType": "Custom"}, "mine")
    at = ("my-lake", "daily")
    purview.classifications.create(Classification("My.Own").body())
    purview.classifications.update(Classification("My.Own", "Mine").body())
    assert purview.classifications.get("My.Own").description == "Mine"
    assert "My.Own" in {each.name for each in purview.classifications.list()}
    lives = [
        (purview.collections, collection),
        (purview.key_vaults, vault),
        (purview.credentials, login),
        (purview.classification_rules, rule),
        (purview.rulesets, ruleset),
        (purview.sources, source),
    ]
    for objects, one in lives:
        objects.put(one, one.name)
        assert objects.get(one.name).name == one.name
        assert one.name in {each.name for each in objects.list()}
    purview.scans.put(scan, *at)
    assert purview.scans.get(*at).name == "daily"
    assert [each.name for each in purview.scans.list("my-lake")] == ["daily"]
    purview.filters.put(Filter(("https://mylake.dfs.core.windows.net/in/",)), *at)
    assert purview.filters.get(*at).exclude == ()
    purview.triggers.put(Trigger({"frequency": "Day", "interval": 1}), *at)
    assert purview.triggers.get(*at).enabled
    assert purview.runs.start(*at, RUN, "Full").status == "Accepted"
    assert [run.id for run in purview.runs.list(*at)] == [RUN]
    assert purview.runs.get(*at, RUN).level == "Full"
    purview.runs.cancel(*at, RUN)
    assert purview.system_rulesets.get("AdlsGen2") in list(purview.system_rulesets.list())
    assert READER in {role.id for role in purview.policies.roles()}
    policy = next(each for each in purview.policies.list() if each.collection == "mine")
    purview.policies.update(with_roles(purview.policies.get(policy.id).document, "mine", {READER: [ADA]}))
    use_workflows(purview)
    use_data_map(purview.data_map)
    purview.triggers.delete(*at)
    purview.scans.delete(*at)
    for objects, one in reversed(lives):
        objects.delete(one.name)
    purview.classifications.delete("My.Own")


def use_workflows(purview):
    caller = "00000000-0000-0000-0000-00005eed0001"
    told = {"approvalType": "PendingOnAny", "title": "Access", "assignedTo": [caller]}
    actions = {"Ask": {"type": "Approval", "inputs": {"parameters": told}, "runAfter": {}}}
    triggers = ({"type": "when_data_access_grant_is_requested", "underCollection": "mine"},)
    workflow = Workflow(RUN, "Access", triggers, {"actions": actions}, "Who may")
    assert purview.workflows.validate(workflow) == []
    assert purview.workflows.put(workflow, RUN) == purview.workflows.get(RUN) == workflow
    assert [each.name for each in purview.workflows.list()] == ["Access"]
    asked = [
        purview.user_requests.submit(Operation("GrantDataAccess", {"collectionName": "mine"}), comment=comment)
        for comment in ("", "Please", "Now")
    ]
    first, second, third = (request.operations[0].runs[0] for request in asked)
    assert {run.id for run in purview.workflow_runs.list("mine", "90d", ("InProgress",))} == {first, second, third}
    tasks = {task.run: task for task in purview.workflow_tasks.list("received", "90d", ("approval",), ("Pending",))}
    purview.workflow_tasks.approve(tasks[first].id, "Yes")
    purview.workflow_tasks.reject(tasks[second].id, "No")
    purview.workflow_tasks.reassign(tasks[third].id, caller, ADA)
    purview.workflow_runs.cancel(third, "Never mind")
    states = [purview.workflow_tasks.get(tasks[run].id).status for run in (first, second, third)]
    assert states == ["Approved", "Rejected", "Canceled"]
    assert [purview.workflow_runs.get(run).status for run in (first, second, third)] == ["Completed"] * 2 + ["Canceled"]
    purview.workflows.delete(RUN)


def use_data_map(data_map):
    name = "sovereignmesh://products/Sales/Mine"
    attributes = {"qualifiedName": name, "name": "Mine", "userDescription": "What is mine."}
    data_map.write({"typeName": "DataSet", "guid": "-1", "attributes": attributes})
    entity = data_map.named("DataSet", [name])[name]
    assert data_map.entities([entity.id])[entity.id].description == "What is mine."
    (page,) = data_map.pages({"entityType": "DataSet"})
    assert [hit.qualified_name for hit in page.hits] == [name]
    data_map.delete(entity.id)
    assert data_map.entities([entity.id]) == {}


def carry_out(azure, mesh, *, prune=False):
    """Plans, applies all of it, and finds nothing left to do; the plan."""
    plan = sm.plan_purview(azure, mesh, prune=prune)
    assert plan.errors == ()
    assert plan.complete
    done = list(sm.apply_purview(plan, expect=plan.digest, force=True))
    assert {(outcome.state, outcome.reason) for outcome in done} == {("done", "")}
    again = sm.plan_purview(azure, mesh, prune=prune)
    assert [change.to_dict() for change in again.changes] == []
    return plan


def test_the_operations_that_the_client_uses(exchanges, azure, mesh, tmp_path):
    use_wrappers(azure)
    of_wrappers = set(exchanges.operations)
    first = carry_out(azure, mesh(FIRST))
    assert first.count("create") > 15
    purview = sm.connect_purview(HOME, azure)
    purview.runs.start("sales-lake", "weekly", RUN)
    for _ in range(3):
        purview.runs.get("sales-lake", "weekly", RUN)
    status = sm.purview_status(azure, HOME, now=lambda: dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC))
    assert status.complete
    (weekly,) = (scan for scan in status.scans if scan.scan == "weekly")
    assert (weekly.run, weekly.next_run) == ("Succeeded", dt.datetime(2026, 11, 29, 2, 0, tzinfo=dt.UTC))
    export = sm.export_purview(azure, HOME)
    assert export.complete, export.yaml
    folder = tmp_path / "exported"
    folder.mkdir()
    (folder / "purview.yaml").write_text(export.yaml)
    exported = sm.plan_purview(azure, sm.load_mesh(folder))
    assert exported.empty, [change.to_dict() for change in exported.changes]
    second = carry_out(azure, mesh(SECOND), prune=True)
    counts = Counter((change.action, change.item.kind) for change in second.changes)
    gone = {kind for action, kind in counts if action == "delete"}
    assert gone == {
        "collection", "key-vault", "credential", "classification", "classification-rule", "ruleset", "source", "scan",
        "trigger",
    }  # fmt: skip
    updated = {kind for action, kind in counts if action == "update"}
    assert updated == {"collection", "roles", "classification-rule", "scan", "filter"}
    operations = sorted(exchanges.operations)
    print(f"\n{len(operations)} operations of Purview's specifications:", *operations, sep="\n  ")  # noqa: T201 - for -s
    assert exchanges.violations == []
    assert exchanges.soft == []
    assert len(operations) >= 60
    assert set(operations) == of_wrappers, "what plan and apply use, the wrappers have too"
