"""Which ruleset a scan takes, and that an export says it so that a plan has nothing to do."""

import pytest
from purview.test_export import replanned

from sovereignmesh.azure.purview import Scan, Source, connect_purview
from sovereignmesh.mesh import load_mesh
from sovereignmesh.purview import export_purview, plan_purview

CLASSIFYING = """
governancePolicies:
  dataClassification:
    autoClassify: true
    rules: [{pattern: '(?i).*email.*', classification: PII.Contact}]
"""


def scanned(*lines, name="abc", kind="AzureStorage", where="endpoint: 'https://customerfiles.blob.core.windows.net/'"):
    scan = ", ".join(("name: one", *lines))
    source = f"{{name: {name}, kind: {kind}, location: westeurope, properties: {{{where}}}, scans: [{{{scan}}}]}}"
    rulesets = "[{name: own-files, kind: AzureStorage}, {name: AzureStorage, kind: AzureStorage}]"
    return f"purview: {{account: sovereign-purview, rulesets: {rulesets}, sources: [{source}]}}"


def ruleset_of(plan):
    (scan,) = (change.item for change in plan.changes if change.item.kind == "scan")
    properties = scan.body["properties"]
    return properties.get("scanRulesetName"), properties.get("scanRulesetType")


@pytest.mark.parametrize(
    ("lines", "classified", "expected"),
    [
        ([], False, ("AzureStorage", "System")),
        ([], True, ("sovereignmesh-AzureStorage", "Custom")),
        (["ruleset: own-files"], True, ("own-files", "Custom")),
        (["ruleset: AzureStorage"], True, ("AzureStorage", "System")),
        (["ruleset: azurestorage"], True, ("AzureStorage", "System")),
        (["ruleset: AzureStorage", "rulesetType: Custom"], True, ("AzureStorage", "Custom")),
        (["rulesetType: System"], True, ("AzureStorage", "System")),
        (["ruleset: Other", "rulesetType: System"], True, ("Other", "System")),
        (["rulesetType: none"], True, (None, None)),
    ],
)
def test_the_ruleset_that_a_scan_takes(azure, write_mesh, lines, classified, expected):
    policy = CLASSIFYING if classified else "governancePolicies: {}"
    plan = plan_purview(azure, load_mesh(write_mesh(scanned(*lines), policy=policy)))
    assert not plan.errors
    assert ruleset_of(plan) == expected


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("PowerBI", "tenant: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"),
        ("AzureSubscription", "subscriptionId: 77777777-7777-7777-7777-777777777777"),
        ("AzureResourceGroup", "subscriptionId: 77777777-7777-7777-7777-777777777777, resourceGroup: sales-rg"),
    ],
)
def test_kinds_whose_scans_have_no_ruleset_get_none(azure, settle, write_mesh, kind, where):
    document = scanned(kind=kind, where=where)
    plan = plan_purview(azure, load_mesh(write_mesh(document, policy=CLASSIFYING)))
    assert ruleset_of(plan) == (None, None)
    assert not any(change.item.name == f"sovereignmesh-{kind}" for change in plan.changes)
    assert any(f"scans of {kind} are sent without a ruleset" in note for note in plan.notes)
    assert settle(document, policy=CLASSIFYING).empty


SYNAPSE = {"kind": "AzureSynapseWorkspace", "where": "dedicatedSqlEndpoint: syn.sql.azuresynapse.net"}


@pytest.mark.parametrize(
    ("source", "ruleset"),
    [
        ({}, {}),
        ({}, {"scanRulesetName": "AzureStorage", "scanRulesetType": "Custom"}),
        ({}, {"scanRulesetName": "AzureStorage", "scanRulesetType": "System"}),
        (SYNAPSE, {"scanRulesetName": "AzureSynapseSQL", "scanRulesetType": "System"}),
        (SYNAPSE, {"scanRulesetName": "AzureSynapseWorkspace", "scanRulesetType": "System"}),
    ],
)
def test_an_export_tells_the_ruleset_of_either_type_or_none(settle, write_mesh, tmp_path, source, ruleset, azure):  # noqa: PLR0917
    settle(scanned(**source))
    purview = connect_purview("sovereign-purview", azure)
    purview.scans.put(Scan("one", f"{source.get('kind', 'AzureStorage')}Msi", ruleset), "abc", "one")
    export = export_purview(azure, "sovereign-purview")
    assert export.complete, export.left_out
    assert replanned(azure, export, tmp_path).empty
    beside = plan_purview(azure, load_mesh(write_mesh(export.yaml, policy=CLASSIFYING)))
    assert {change.item.kind for change in beside.changes} == {"classification", "classification-rule", "ruleset"}


def test_a_ruleset_is_taken_away(azure, settle):
    settle(scanned("ruleset: own-files"))
    assert settle(scanned("rulesetType: none")).empty
    scan = connect_purview("sovereign-purview", azure).scans.get("abc", "one")
    assert not scan.properties.get("scanRulesetName")


def test_a_ruleset_without_files_comes_back_as_one(azure, settle, tmp_path):
    document = "purview: {account: sovereign-purview, rulesets: [{name: no-files, kind: AdlsGen2, fileExtensions: []}]}"
    assert settle(document).empty
    export = export_purview(azure, "sovereign-purview")
    assert export.document["purview"]["rulesets"] == [{"name": "no-files", "kind": "AdlsGen2", "fileExtensions": []}]
    assert replanned(azure, export, tmp_path).empty


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        ("rulesetType: Custom", "wants the name of the 'ruleset'"),
        ("ruleset: own-files, rulesetType: none", "goes with no 'ruleset'"),
    ],
)
def test_words_that_contradict_each_other_are_refused(write_mesh, scan, said):
    from sovereignmesh.errors import MeshError

    with pytest.raises(MeshError, match=said):
        load_mesh(write_mesh(scanned(scan)))


def test_sources_of_a_kind_that_nobody_modelled_get_no_ruleset(azure, write_mesh):
    document = scanned("kind: FabricMsi", kind="Fabric", where="tenant: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
    assert ruleset_of(plan_purview(azure, load_mesh(write_mesh(document, policy=CLASSIFYING)))) == (None, None)
    assert Source("abc", "Fabric", {}).kind == "Fabric"
