"""An export is the wish on which there is nothing to do."""

import dataclasses

import pytest
from purview.conftest import POLICY
from purview.test_planning import EVERYTHING

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.mesh import load_mesh
from sovereignmesh.purview import apply_purview, export_purview, plan_purview
from sovereignmesh.sandbox import estate_mesh
from sovereignmesh.yamlfile import parse


def replanned(azure, export, tmp_path, **options):
    folder = tmp_path / "exported"
    folder.mkdir()
    (folder / "purview.yaml").write_text(export.yaml, encoding="utf-8")
    return plan_purview(azure, load_mesh(folder), **options)


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("estate", ["seed", "contoso"])
def test_a_plan_on_what_was_exported_is_empty(open_azure, tmp_path, estate, prune):
    azure, mesh = open_azure(estate), load_mesh(estate_mesh(estate))
    list(apply_purview(plan_purview(azure, mesh)))
    export = export_purview(azure, mesh.purview.model.account)
    assert export.complete, export.left_out
    plan = replanned(azure, export, tmp_path, prune=prune)
    assert plan.empty, [change.to_dict() for change in plan.changes]
    assert not plan.errors
    assert plan.unchanged > 9


@pytest.mark.parametrize("prune", [False, True])
def test_every_kind_of_object_comes_back(azure, settle, tmp_path, prune):
    settle(EVERYTHING)
    export = export_purview(azure, "sovereign-purview")
    assert export.complete, export.left_out
    assert replanned(azure, export, tmp_path, prune=prune).empty
    told = parse(export.yaml.encode(), "export.yaml").require()["purview"]
    assert told == export.document["purview"]
    assert told["credentials"] == [
        {"name": "reader", "kind": "SqlAuth", "user": "me", "secret": "word", "keyVault": "kv-one"}
    ]
    lake = next(source for source in told["sources"] if source["name"] == "lake")
    (scan,) = lake["scans"]
    assert scan["collection"] == "lake"
    assert scan["ruleset"] == "lake-rules"
    assert scan["trigger"]["recurrence"]["timeZone"] == "W. Europe Standard Time"
    assert told["classifications"] == ["PII.Other"]


def test_an_empty_account_is_its_name_and_its_administrators(azure):
    export = export_purview(azure, "sovereign-purview")
    assert set(export.document["purview"]) == {"account", "roles"}


def test_what_no_document_can_say_is_left_out_and_said(azure, settle, tmp_path):
    settle(EVERYTHING)
    purview = connect_purview("sovereign-purview", azure)
    rule = {"kind": "AdlsGen2", "scanRulesetType": "Custom", "properties": {"scanningRule": {
        "fileExtensions": ["CSV"],
        "customFileExtensions": [{"fileExtension": ".x", "enabled": True, "customFileType": {"builtInType": "JSON"}}],
    }}}  # fmt: skip
    purview.rulesets.write(rule, "by-hand")
    export = export_purview(azure, "sovereign-purview")
    assert not export.complete
    (said,) = export.left_out
    assert "by-hand" in said
    assert export.yaml.startswith(f"# {said}\n")
    assert replanned(azure, export, tmp_path).empty


def test_what_could_not_be_read_is_said_at_its_head(open_azure, seed, tmp_path):
    from purview.test_apply import denied_at

    state = tmp_path / "state.json"
    list(apply_purview(plan_purview(open_azure(state=state), seed)))
    export = export_purview(open_azure(state=state, faults=[denied_at("/scanrulesets")]), "sovereign-purview")
    assert not export.complete
    assert export.yaml.splitlines()[0].startswith("# not read: ruleset: ")
    assert "Not authorized" in export.yaml.splitlines()[0]


def test_a_name_that_would_end_a_comment_does_not(azure, settle):
    from sovereignmesh.purview import Export

    export = Export({"purview": {"account": "a"}}, ("left out: a\nevil: true",))
    assert parse(export.yaml.encode(), "x").require() == {"purview": {"account": "a"}}


def test_the_export_may_stand_beside_a_policy(azure, settle, write_mesh):
    settle(EVERYTHING)
    export = export_purview(azure, "sovereign-purview")
    assert plan_purview(azure, load_mesh(write_mesh(export.yaml, policy=POLICY))).empty


def test_names_that_look_like_numbers_come_back_as_names(azure, settle, tmp_path):
    from sovereignmesh.azure.purview import Collection

    collections = connect_purview("sovereign-purview", azure).collections
    for name, title in (("5e1234", "1e3"), ("abc123", "0o17"), ("xyz", "no")):
        collections.put(Collection(name, title, "sovereign-purview"), name)
        azure.pace.wait(2)
        collections.get(name)
    export = export_purview(azure, "sovereign-purview")
    assert export.complete
    assert replanned(azure, export, tmp_path, prune=True).empty


def live_body(azure, kind, *names):
    return getattr(connect_purview("sovereign-purview", azure), kind).body(*names).body


def patched(monkeypatch, kind, change):
    """Lets the account answer as `change` says: with what its service holds since times when more was allowed."""
    from sovereignmesh.purview.live import Live

    single, listed, scans = Live._single, Live._list, Live._scans

    def seen(items):
        return [change(item) if item.kind == kind else item for item in items]

    monkeypatch.setattr(Live, "_list", lambda self, what: seen(listed(self, what)))
    monkeypatch.setattr(Live, "_scans", lambda self, source: seen(scans(self, source)))
    monkeypatch.setattr(Live, "_single", lambda self, what, name: seen(single(self, what, name)))


@pytest.mark.off_spec("fab_ric")  # a name that the account has, and the specification does not allow
def test_what_is_left_out_whole_is_kept_by_a_plan_that_prunes(azure, settle, tmp_path, monkeypatch):
    settle(EVERYTHING)
    patched(monkeypatch, "source", lambda item: dataclasses.replace(item, name=item.name.replace("fabric", "fab_ric")))
    patched(monkeypatch, "trigger", monthly)
    export = export_purview(azure, "sovereign-purview")
    assert [line.split(":")[1] for line in export.left_out] == [" source fab_ric", " trigger lake/weekly"]
    assert export.document["purview"]["keep"] == [
        {"kind": "source", "name": "fab_ric"}, {"kind": "trigger", "name": "lake/weekly"},
    ]  # fmt: skip
    plan = replanned(azure, export, tmp_path, prune=True)
    assert plan.empty, [change.to_dict() for change in plan.changes]
    assert not plan.errors


def monthly(item):
    recurrence = {"frequency": "Month", "interval": 1, "startTime": "2026-01-04T02:00:00Z"}
    return dataclasses.replace(item, body={**item.body, "properties": {"recurrence": recurrence, "scanLevel": "Full"}})


def test_a_property_that_the_specification_lacks_leaves_out_itself_alone(azure, settle, tmp_path, monkeypatch):
    settle(EVERYTHING)
    more = {"scanScope": {"workspaces": ["one"]}, "password": "hunter2", "domain": "of-the-account"}
    patched(
        monkeypatch, "scan",
        lambda item: dataclasses.replace(item, body={**item.body, "properties": {**item.body["properties"], **more}}),
    )  # fmt: skip
    export = export_purview(azure, "sovereign-purview")
    assert "hunter2" not in export.yaml
    assert "of-the-account" not in export.yaml
    assert {line.partition(" of ")[0] for line in export.left_out} == {"left out: password", "left out: scanScope"}
    assert replanned(azure, export, tmp_path, prune=True).empty


def test_a_reference_to_nothing_is_none(azure, settle, tmp_path, monkeypatch):
    settle(EVERYTHING)
    empty = {"credential": {"referenceName": None, "credentialType": None}, "connectedVia": {}}
    patched(
        monkeypatch, "scan",
        lambda item: dataclasses.replace(item, body={**item.body, "properties": {**item.body["properties"], **empty}}),
    )  # fmt: skip
    for source in export_purview(azure, "sovereign-purview").document["purview"]["sources"]:
        assert all(not {"credential", "runtime"} & scan.keys() for scan in source.get("scans", ()))


def test_filters_by_expressions_and_descriptions_come_back(azure, settle, tmp_path):
    document = """
    purview:
      account: sovereign-purview
      classifications: [{name: PII.Other, description: What else is personal.}, PII.More]
      classificationRules:
        - {name: accounts, classification: MICROSOFT.FINANCIAL.US.ABA_ROUTING_NUMBER, columnPatterns: [aba]}
      sources:
        - {name: lake, resource: "{LAKE}", scans: [{name: one, filter: {excludeRegexes: ['.*/drafts/.*']}}]}
    """
    assert settle(document).empty
    assert live_body(azure, "filters", "lake", "one")["properties"]["excludeRegexes"] == [".*/drafts/.*"]
    names = {one.text("name") for one in connect_purview("sovereign-purview", azure).classifications.bodies()}
    assert "MICROSOFT.FINANCIAL.US.ABA_ROUTING_NUMBER" not in names - set()  # the service's own, which nobody makes
    export = export_purview(azure, "sovereign-purview")
    assert export.complete, export.left_out
    told = export.document["purview"]
    assert told["classifications"] == ["PII.More", {"name": "PII.Other", "description": "What else is personal."}]
    assert told["sources"][0]["scans"][0]["filter"] == {"excludeRegexes": [".*/drafts/.*"]}
    assert replanned(azure, export, tmp_path, prune=True).empty


def test_collections_in_one_that_is_left_out_are_kept_however_deep(azure, settle, tmp_path, monkeypatch):
    inner = "{name: bbb, collections: [{name: ccc, collections: [{name: ddd}]}]}"
    settle(f"purview: {{account: sovereign-purview, collections: [{{name: aaa, collections: [{inner}]}}]}}")
    patched(
        monkeypatch, "collection",
        lambda item: dataclasses.replace(
            item, body={**item.body, "friendlyName": "Blank "} if item.name == "aaa" else item.body
        ),
    )  # fmt: skip
    export = export_purview(azure, "sovereign-purview")
    assert [kept["name"] for kept in export.document["purview"]["keep"]] == ["aaa", "bbb", "ccc", "ddd"]
    plan = replanned(azure, export, tmp_path, prune=True)
    assert plan.empty, [change.to_dict() for change in plan.changes]


def test_nulls_inside_of_properties_are_left_out(azure, settle, tmp_path, monkeypatch):
    settle(EVERYTHING)
    more = {"resourceTypes": {"One": {"credential": None, "resourceNameFilter": {"excludePrefixes": None}}}}
    patched(
        monkeypatch, "source",
        lambda item: dataclasses.replace(item, body={**item.body, "properties": {**item.body["properties"], **more}})
        if item.name == "fabric" else item,
    )  # fmt: skip
    export = export_purview(azure, "sovereign-purview")
    assert "null" not in export.yaml
    assert replanned(azure, export, tmp_path, prune=True).empty


def test_what_refers_to_nothing_is_left_out_with_the_reason(azure, settle, tmp_path, monkeypatch):
    settle(EVERYTHING)
    rule = {"scanRulesetName": "gone-rules", "scanRulesetType": "Custom"}
    patched(
        monkeypatch, "scan",
        lambda item: dataclasses.replace(item, body={**item.body, "properties": {**item.body["properties"], **rule}})
        if item.name.endswith("salesdb") else item,
    )  # fmt: skip
    patched(
        monkeypatch, "classification-rule",
        lambda item: dataclasses.replace(
            item, body={**item.body, "properties": {**item.body["properties"], "classificationName": "pii.card"}}
        ),
    )  # fmt: skip
    export = export_purview(azure, "sovereign-purview")
    assert export.left_out == (
        "left out: classification-rule cards: it refers to the classification pii.card, which is not there",
        "left out: scan sql-of-sales/salesdb: it refers to the ruleset gone-rules, which is not there",
    )
    plan = replanned(azure, export, tmp_path, prune=True)
    assert plan.empty, [change.to_dict() for change in plan.changes]
    assert not plan.errors


def test_who_has_a_role_by_another_name_than_an_id_is_left_out(azure, settle, tmp_path, monkeypatch):
    settle(EVERYTHING)
    patched(
        monkeypatch, "roles",
        lambda item: dataclasses.replace(
            item, body={"collectionAdministrators": ["x=somebody"], "dataReaders": ["me"]}
        ),
    )  # fmt: skip
    export = export_purview(azure, "sovereign-purview")
    assert "roles" not in export.document["purview"]
    assert any("x=somebody" in line for line in export.left_out)
    assert any("me of the role dataReaders" in line for line in export.left_out)
    assert replanned(azure, export, tmp_path, prune=True).empty


def test_an_export_beside_a_policy_takes_new_scans(azure, settle, write_mesh):
    from purview.test_rulesets import CLASSIFYING

    scans = "scans: [{name: one}]"
    source = f"{{name: lake, resource: '{{LAKE}}', {scans}}}"
    settle(f"purview: {{account: sovereign-purview, sources: [{source}]}}", policy=CLASSIFYING)
    export = export_purview(azure, "sovereign-purview")
    assert plan_purview(azure, load_mesh(write_mesh(export.yaml, policy=CLASSIFYING))).empty
    more = export.yaml.replace("    scans:\n", "    scans:\n    - {name: two}\n")
    assert more != export.yaml
    plan = plan_purview(azure, load_mesh(write_mesh(more, policy=CLASSIFYING)))
    assert not plan.errors
    assert [change.item.name for change in plan.changes] == ["lake/two"]
    assert plan.changes[0].item.body["properties"]["scanRulesetName"] == "sovereignmesh-AdlsGen2"
