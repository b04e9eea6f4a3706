"""`accessControl` in a plan: one workflow for each domain, ours alone, refused where there can be none."""

import json

import pytest
from purview.conftest import names

import sovereignmesh as sm
from sovereignmesh.azure.purview import Workflow
from sovereignmesh.mesh import load_mesh
from sovereignmesh.purview.workflows import workflow_id

ANA, BOB = "00000000-0000-0000-0000-0000000000aa", "00000000-0000-0000-0000-0000000000bb"
ACCOUNT = """
purview:
  account: sovereign-purview
  collections: [{name: Sales}, {name: Customer}]
"""
DOMAINS = """
domain: {name: Sales}
---
domain: {name: Customer}
---
domain: {name: Elsewhere}
"""
PEOPLE = f"directory: {{data-steward@Sales: {ANA}, data-steward@customer: {BOB}, ana@contoso.com: {ANA}}}"
ASSIGNED = "actionDag.actions.Start and wait for an approval.inputs.parameters.assignedTo"


def policy(control):
    return f"governancePolicies: {{dataResidency: {{allowedRegions: [westeurope]}}, accessControl: {control}}}"


STEWARDS = policy('{requireApproval: true, approvers: ["data-steward@domain"]}')


@pytest.fixture
def plan(azure, write_mesh):
    def run(control=STEWARDS, people=PEOPLE, account=ACCOUNT, **options):
        return sm.plan_purview(azure, load_mesh(write_mesh(account, DOMAINS, people, policy=control)), **options)

    return run


@pytest.fixture
def purview(azure):
    return sm.connect_purview("sovereign-purview", azure)


def applied(plan):
    outcomes = sm.apply_purview(plan, force=True).outcomes
    assert {outcome.state for outcome in outcomes} <= {"done"}, outcomes
    return outcomes


def of_workflows(plan):
    return [each for each in names(plan) if " workflow " in each]


def test_each_domain_with_a_collection_has_a_workflow_of_its_own_approvers(plan, purview):
    first = plan()
    assert first.errors == ()
    assert of_workflows(first) == ["create workflow Customer", "create workflow Sales"]
    assert any("Elsewhere" in note for note in first.notes)
    applied(first)
    assert names(plan()) == []
    for domain, who in (("sales", ANA), ("customer", BOB)):
        found = purview.workflows.get(workflow_id(purview.account.id, domain))
        assert found.triggers == ({"type": "when_data_access_grant_is_requested", "underCollection": domain},)
        approval = found.actions["actions"]["Start and wait for an approval"]["inputs"]["parameters"]
        assert (approval["approvalType"], approval["assignedTo"]) == ("PendingOnAny", [who])
        assert purview.workflows.validate(found) == []


def test_what_is_granted_is_granted_after_an_approval_alone(plan):
    for change in plan().changes:
        if change.item.kind == "workflow":
            actions = change.item.body["actionDag"]["actions"]
            approval, condition = actions
            assert actions[condition]["runAfter"] == {approval: ["Succeeded"]}
            assert approval in json.dumps(actions[condition]["expression"])
            grants = [one for one in actions[condition]["actions"].values() if one["type"] == "GrantDataAccess"]
            assert len(grants) == json.dumps(actions).count("GrantDataAccess") == 1


def test_another_approver_changes_the_workflow_that_is_there(plan):
    applied(plan())
    people = policy(f'{{requireApproval: true, approvers: [ANA@contoso.com, "{BOB}", "data-steward@domain"]}}')
    second = plan(people)
    assert of_workflows(second) == ["update workflow Customer", "update workflow Sales"]
    (sales,) = (change for change in second.changes if change.item.name == "Sales")
    assert sales.differences == ((ASSIGNED, [ANA], [ANA, BOB]),)
    applied(second)
    assert names(plan(people)) == []


def test_an_action_beside_ours_is_taken_out(plan, purview):
    applied(plan())
    identity = workflow_id(purview.account.id, "Sales")
    body = json.loads(json.dumps(purview.workflows.body(identity).body))
    body["actionDag"]["actions"]["Grant anyway"] = {"type": "GrantDataAccess", "runAfter": {}}
    purview.workflows.write({key: body[key] for key in Workflow("", "", ()).body()}, identity)
    again = plan()
    assert of_workflows(again) == ["update workflow Sales"]
    (change,) = again.changes
    assert [each.path for each in change.differences] == ["actionDag.actions.Grant anyway"]
    applied(again)
    assert names(plan()) == []
    assert "Grant anyway" not in purview.workflows.get(identity).actions["actions"]


@pytest.mark.parametrize(
    ("control", "people", "said"),
    [
        (STEWARDS, f"directory: {{data-steward@Sales: {ANA}}}", "'data-steward@domain' of the domain Customer"),
        (policy("{requireApproval: true, approvers: [nobody@contoso.com]}"), PEOPLE, "'nobody@contoso.com'"),
        (policy("{requireApproval: true}"), PEOPLE, "there is nobody in 'approvers'"),
    ],
)
def test_approvers_that_nobody_knows_are_an_error_at_their_place(plan, control, people, said):
    found = plan(control, people)
    assert found.errors
    for problem in found.errors:
        assert said in problem.message
        assert str(problem.location).endswith(f"0.yaml:1:{problem.location.column}")
    with pytest.raises(sm.PlanError):
        sm.apply_purview(found)


def test_the_seed_validates_as_written(fixtures):
    assert [it for it in sm.validate(fixtures / "mesh" / "seed") if it.severity == "error"] == []


@pytest.mark.parametrize("control", ["{requireApproval: false, approvers: [x]}", "{approvers: [x]}"])
def test_without_approval_there_is_no_workflow_and_prune_takes_ours_away(plan, purview, control):
    theirs = Workflow(workflow_id(purview.account.id, "other"), "Access to data of Sales", ())
    purview.workflows.put(theirs, theirs.id)
    applied(plan())
    other = policy(control)
    assert of_workflows(plan(other)) == []
    pruned = plan(other, prune=True)
    assert of_workflows(pruned) == ["delete workflow Sales", "delete workflow Customer"]
    applied(pruned)
    assert [one.id for one in purview.workflows.list()] == [theirs.id]


def test_a_mesh_that_says_nothing_of_access_leaves_workflows_alone(plan):
    applied(plan())
    silent = "governancePolicies: {dataResidency: {allowedRegions: [westeurope]}}"
    assert names(plan(silent, prune=True)) == []


def test_a_domain_that_is_gone_loses_its_workflow_with_prune(azure, write_mesh, plan):
    applied(plan())
    account = ACCOUNT.replace("[{name: Sales}, {name: Customer}]", "[{name: Sales}]")
    mesh = load_mesh(write_mesh(account, "domain: {name: Sales}", PEOPLE, policy=STEWARDS))
    pruned = sm.plan_purview(azure, mesh, prune=True)
    assert names(pruned) == ["delete workflow Customer", "delete collection customer"]
    applied(pruned)


def unified(tmp_path):
    from sovereignmesh.sandbox.estate import estate_folder

    described = json.loads((estate_folder("seed") / "estate.json").read_text())
    described["purview"]["sovereign-purview"]["catalog"] = "unified"
    folder = tmp_path / "unified"
    folder.mkdir()
    for name in ("resources", "children"):
        (folder / described[name]).write_bytes((estate_folder("seed") / described[name]).read_bytes())
    (folder / "estate.json").write_text(json.dumps(described))
    return folder


def test_an_account_on_the_unified_catalog_is_refused_with_the_reason(open_azure, write_mesh, tmp_path):
    azure = open_azure(unified(tmp_path))
    mesh = load_mesh(write_mesh(ACCOUNT, DOMAINS, PEOPLE, policy=STEWARDS))
    (problem,) = sm.plan_purview(azure, mesh).errors
    assert "Unified Catalog" in problem.message
    assert "404" in problem.message
    assert problem.path == "$.governancePolicies.accessControl.requireApproval"
    for control in ("{requireApproval: false}", "{}"):
        quiet = load_mesh(write_mesh(ACCOUNT, DOMAINS, PEOPLE, policy=policy(control)))
        for prune in (False, True):
            found = sm.plan_purview(azure, quiet, prune=prune)
            assert (found.errors, found.unread) == ((), ())


def test_workflows_that_cannot_be_read_are_said_and_nothing_is_planned_or_deleted(open_azure, write_mesh, monkeypatch):
    azure = open_azure()
    mesh = load_mesh(write_mesh(ACCOUNT, DOMAINS, PEOPLE, policy=STEWARDS))
    applied(sm.plan_purview(azure, mesh))

    def denied(self):
        raise sm.AzureError("nobody may list workflows", status=403)

    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.Workflows.list", denied)
    empty = load_mesh(write_mesh(ACCOUNT, DOMAINS, PEOPLE, policy=policy("{requireApproval: false}")))
    for wished in (mesh, empty):
        found = sm.plan_purview(azure, wished, prune=True)
        assert [unread.what for unread in found.unread] == ["workflow"]
        assert names(found) == []
        assert not found.complete
