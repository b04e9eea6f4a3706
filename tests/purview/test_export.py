"""An export is the wish on which there is nothing to do."""

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
