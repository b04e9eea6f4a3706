"""The account itself: planned, made, adopted and changed, and what is said where it cannot be."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sovereignmesh.errors import AnswerError, AzureError, MeshError, NotFoundError, PlanError, SignInError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.plan import plan_lines
from sovereignmesh.purview import apply_purview_account, plan_purview, plan_purview_account
from sovereignmesh.sandbox import Fault
from sovereignmesh.sandbox.wire import Reply, arm_error, json_reply

SUBSCRIPTION = "77777777-7777-7777-7777-777777777777"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/governance-rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Purview/accounts/sovereign-purview"
UAMI = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/scanner"
VERSION = "2021-07-01"
TAGS = {
    "Domain": "Governance",
    "DataOwner": "data-steward@contoso.com",
    "Classification": "Confidential",
    "Region": "EU",
}
OPEN = "governancePolicies: {dataResidency: {allowedRegions: [westeurope]}}"


@pytest.fixture
def wish(write_mesh):
    """A mesh that wishes an account so."""

    def load(
        more="", *, name="sovereign-purview", where="resourceGroup: governance-rg, location: westeurope", policy=OPEN
    ):
        text = f"purview: {{account: {name}, accountResource: {{{where}{more and chr(44)} {more}}}}}"
        return load_mesh(write_mesh(text, policy=policy))

    return load


@pytest.fixture
def gone(azure):
    """An Azure in which the account was deleted; who has made one stays registered."""
    azure.send("DELETE", ACCOUNT, VERSION)
    return azure


def body(azure, identity=ACCOUNT):
    return azure.get(identity, VERSION)


def settle(azure, mesh, **options):
    """Applies a plan; gives what became of it, and the plan of the same wish after it."""
    plan = plan_purview_account(azure, mesh)
    applied = apply_purview_account(plan, expect=plan.digest, **options)
    return applied, plan_purview_account(azure, mesh)


def errors(plan):
    return [problem.message for problem in plan.errors]


def warnings(plan):
    return [problem.message for problem in plan.problems if problem.severity == "warning"]


def changes(plan):
    return [tuple(difference) for change in plan.changes for difference in change.differences]


def fault(act, journey="any", nth=1, times=None):
    return Fault("of-this-test", "what this test is about", act, journey, nth, times)


def at(method, part, reply):
    """A fault: what asks so is answered so."""

    def act(hit):
        return reply if hit.call.method == method and part in hit.call.path.lower() else hit.reply()

    return fault(act)


DENIED = arm_error(403, "AuthorizationFailed", "The client does not have authorization to perform this action.")


def test_the_document_s_account_is_as_it_says(azure, seed):
    plan = plan_purview_account(azure, seed)
    assert (plan.empty, plan.complete, plan.problems, plan.unchanged) == (True, True, (), 1)
    assert plan.target == ACCOUNT


def test_the_document_s_account_is_made(gone, seed):
    plan = plan_purview_account(gone, seed)
    assert [change.to_dict() | {"place": ""} for change in plan.changes] == [
        {
            "action": "create",
            "kind": "account",
            "name": "sovereign-purview",
            "body": {
                "location": "westeurope",
                "properties": {"managedResourceGroupName": "purview-managed-rg"},
                "identity": {"type": "SystemAssigned"},
            },
            "place": "",
        }
    ]
    assert plan.problems == ()
    applied, after = settle(gone, seed)
    assert applied.summary == "1 done"
    assert after.empty
    made = body(gone)
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert made["properties"]["managedResources"]["resourceGroup"].endswith("/purview-managed-rg")
    assert made["identity"]["principalId"]
    assert plan_purview(gone, seed).count("create") == 11  # what is in it can be planned at once


def test_whoever_has_no_document_or_says_nothing_of_the_account_is_told(azure, write_mesh):
    for documents in ([], ["purview: {account: sovereign-purview}"]):
        with pytest.raises(MeshError, match="accountResource"):
            plan_purview_account(azure, load_mesh(write_mesh(*documents)))


WISHES = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.dictionaries(
            st.sampled_from(["domain", "Region", "Extra", "costCenter"]), st.sampled_from(["a", "B", ""]), min_size=1
        ),
        "publicNetworkAccess": st.sampled_from(["Enabled", "Disabled", "NotSpecified"]),
        "identity": st.sampled_from(["SystemAssigned", {"type": "UserAssigned", "userAssignedIdentities": [UAMI]}]),
        "managedResourceGroupName": st.just("purview-managed-rg"),
    },
)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wished=WISHES, there=st.booleans())
def test_after_an_apply_there_is_nothing_to_do_and_what_was_not_wished_is_as_it_was(open_azure, wish, wished, there):
    azure = open_azure()
    before = body(azure)
    if not there:
        azure.send("DELETE", ACCOUNT, VERSION)
    mesh = wish(json.dumps(wished)[1:-1])
    applied, after = settle(azure, mesh, force=True)
    assert applied.complete
    assert (after.empty, after.errors) == (True, ())
    made = body(azure)
    tags = {name.casefold(): value for name, value in (before["tags"] if there else {}).items()}
    wanted = tags | {name.casefold(): value for name, value in wished.get("tags", {}).items()}
    assert {name.casefold(): value for name, value in made["tags"].items()} == wanted
    if there and not wished.keys() & {"publicNetworkAccess", "identity"}:
        for name in ("identity", "location", "sku"):
            assert made[name] == before[name]
        assert made["properties"]["publicNetworkAccess"] == before["properties"]["publicNetworkAccess"]


def test_a_tag_is_changed_under_the_name_that_it_has_and_the_others_stay(azure, wish):
    mesh = wish("tags: {domain: Sales, Extra: x}")
    plan = plan_purview_account(azure, mesh)
    assert changes(plan) == [("tags.domain", "Governance", "Sales"), ("tags.Extra", None, "x")]
    _, after = settle(azure, mesh)
    assert after.empty
    assert body(azure)["tags"] == {**TAGS, "Domain": "Sales", "Extra": "x"}


def test_identities_that_are_there_stay_and_are_compared_without_case(azure, wish):
    ids = f'identity: {{type: UserAssigned, userAssignedIdentities: ["{UAMI}"]}}'
    with pytest.raises(PlanError, match="the identity as which it reads"):
        settle(azure, wish(ids))
    settle(azure, wish(ids), force=True)
    plan = plan_purview_account(azure, wish(ids.replace("scanner", "SCANNER")))
    assert plan.empty
    settle(azure, wish(ids.replace("scanner", "other")))
    assert {each.rpartition("/")[2] for each in body(azure)["identity"]["userAssignedIdentities"]} == {
        "scanner",
        "other",
    }


def test_shutting_the_public_network_has_to_be_meant(azure, wish):
    mesh = wish("publicNetworkAccess: Disabled")
    plan = plan_purview_account(azure, mesh)
    assert changes(plan) == [("properties.publicNetworkAccess", "Enabled", "Disabled")]
    with pytest.raises(PlanError, match="--force"):
        apply_purview_account(plan)
    applied, after = settle(azure, mesh, force=True)
    assert applied.complete
    assert after.empty
    assert settle(azure, wish("publicNetworkAccess: Enabled"))[1].empty  # to open it shuts nobody out
    with pytest.raises(PlanError, match="the plan is not the one expected"):
        apply_purview_account(plan, expect="sha256:other")


def test_what_cannot_change_is_an_error(azure, wish):
    moved = wish(where="resourceGroup: governance-rg, location: northeurope", policy="governancePolicies: {}")
    assert errors(plan_purview_account(azure, moved)) == [
        "the account is in westeurope, and no account can move: write that, or another name"
    ]
    managed = plan_purview_account(azure, wish("managedResourceGroupName: other-rg"))
    assert errors(managed) == ["the managed resource group is purview-managed-rg, and cannot change"]
    with pytest.raises(PlanError, match="cannot change"):
        apply_purview_account(managed)
    assert plan_purview_account(azure, wish("managedResourceGroupName: PURVIEW-managed-RG")).problems == ()


def test_a_managed_group_that_is_not_told_is_not_taken_for_the_wished_one(open_azure, wish):
    def silent(hit):
        reply = hit.reply()
        return Reply(reply.status, reply.body.replace(b"managedResourceGroupName", b"other"), reply.headers)

    plan = plan_purview_account(
        open_azure(faults=[fault(silent)]), wish("managedResourceGroupName: purview-managed-rg")
    )
    assert warnings(plan) == ["the account does not tell its managed resource group: nobody can compare it"]


@pytest.mark.parametrize(
    ("policy", "severity"),
    [
        ("governancePolicies: {dataResidency: {allowedRegions: [northeurope]}}", "error"),
        ("governancePolicies: {dataResidency: {region: Germany}}", "error"),
        ("governancePolicies: {dataResidency: {allowedRegions: [northeurope], enforced: false}}", "warning"),
        (OPEN, None),
        ("governancePolicies: {}", None),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_region_is_held_against_the_policy(azure, wish, policy, severity, there):
    if not there:
        azure.send("DELETE", ACCOUNT, VERSION)
    mesh = wish(policy=policy)
    plan = plan_purview_account(azure, mesh)
    assert [problem.severity for problem in plan.problems] == ([severity] if severity else [])
    assert all("keeps metadata in westeurope" in problem.message for problem in plan.problems)
    assert plan_purview_account(azure, mesh, allow_drift=True).errors == ()


CLOSED = "governancePolicies: {network: {publicAccess: denied}}"


@pytest.mark.parametrize(
    ("more", "there", "severity"),
    [
        ("", True, "warning"),  # it is not this plan that opens it
        ("publicNetworkAccess: Enabled", True, "error"),
        ("publicNetworkAccess: NotSpecified", True, "error"),
        ("publicNetworkAccess: Disabled", True, None),
        ("", False, "error"),  # what a new account has
        ("publicNetworkAccess: NotSpecified", False, "error"),
        ("publicNetworkAccess: Disabled", False, None),
    ],
)
def test_an_open_network_is_held_against_the_policy(azure, wish, more, there, severity):
    if not there:
        azure.send("DELETE", ACCOUNT, VERSION)
    mesh = wish(more, policy=CLOSED)
    found = [problem for problem in plan_purview_account(azure, mesh).problems if "public network" in problem.message]
    assert [problem.severity for problem in found] == ([severity] if severity else [])
    assert plan_purview_account(azure, mesh, allow_drift=True).errors == ()


def test_tags_that_are_required_are_missed_wherever_they_may_come_from(gone, wish):
    required = "requiredTags: [{name: domain, allowedValues: [Governance]}, Cost]"
    policy = f"governancePolicies: {{{required}}}"
    assert warnings(plan_purview_account(gone, wish(policy=policy))) == [
        "the account would lack a tag that is required: Cost",
        "the account would lack a tag that is required: domain: one of Governance",
    ]
    assert warnings(plan_purview_account(gone, wish("tags: {Domain: Governance, COST: x}", policy=policy))) == []
    inherits = f"governancePolicies: {{{required}, inheritTags: true}}"
    assert warnings(plan_purview_account(gone, wish(policy=inherits))) == [
        "the account would lack a tag that is required: Cost"
    ]


def test_tags_of_an_account_that_is_there_count(azure, wish):
    policy = "governancePolicies: {requiredTags: [Domain, Cost]}"
    plan = plan_purview_account(azure, wish(policy=policy))
    assert warnings(plan) == ["the account would lack a tag that is required: Cost"]


def test_an_account_that_is_elsewhere_is_adopted(azure, wish):
    plan = plan_purview_account(azure, wish(where="resourceGroup: other-rg, location: westeurope"))
    assert (plan.target, plan.empty, plan.errors) == (ACCOUNT, True, ())
    told = f"sovereign-purview is adopted where it is: in governance-rg of the subscription {SUBSCRIPTION}, not where"
    assert plan.notes == (f"{told} the mesh says",)
    other = ACCOUNT.replace("governance-rg", "other-rg")
    by_id = plan_purview_account(azure, wish(name=other, where="location: westeurope"))
    assert errors(by_id) == [f"the account is {ACCOUNT}: write that id, or its name"]
    mine = plan_purview_account(
        azure, wish(name=ACCOUNT.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), where="location: westeurope")
    )
    assert (mine.problems, mine.notes, mine.empty) == ((), (), True)


def test_who_may_see_the_account_alone_finds_it(open_azure, wish):
    denied = at("GET", f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.purview/accounts", DENIED)
    plan = plan_purview_account(open_azure(faults=[denied]), wish())
    assert (plan.target, plan.empty, plan.complete) == (ACCOUNT, True, True)


def test_another_account_of_a_tenant_that_has_its_one_is_refused_and_told_which(azure, wish):
    mesh = wish(name="second-purview")
    plan = plan_purview_account(azure, mesh)
    (warning,) = warnings(plan)
    assert f"{ACCOUNT} (the tenant's default)" in warning
    (outcome,) = apply_purview_account(plan)
    assert outcome.state == "failed"
    assert "An Enterprise Tenant-level Purview Account already exists" in outcome.reason
    assert f"({ACCOUNT} (the tenant's default))" in outcome.reason
    assert "To adopt it, write its name as 'account'" in outcome.reason


def test_a_tenant_s_account_that_nobody_sees_is_refused_and_said(open_azure, wish):
    refused = (
        "Validation failed for x. An Enterprise Tenant-level Purview Account already exists for tenant with ID: t."
    )
    azure = open_azure(faults=[at("PUT", "/microsoft.purview/accounts/", arm_error(409, "35001", refused))])
    azure.send("DELETE", ACCOUNT, VERSION)
    (outcome,) = apply_purview_account(plan_purview_account(azure, wish()))
    assert "you see none: ask who administers the tenant" in outcome.reason


def test_a_default_that_cannot_be_told_is_said(open_azure, wish):
    azure = open_azure(faults=[at("GET", "getdefaultaccount", DENIED)])
    (warning,) = warnings(plan_purview_account(azure, wish(name="second-purview")))
    assert "which one is the tenant's default could not be told" in warning
    assert ACCOUNT in warning


@pytest.mark.parametrize(
    ("method", "part", "what"),
    [
        ("POST", "checknameavailability", "whether the name can be had"),
        ("GET", "/providers/microsoft.purview", "where accounts can be"),
        ("GET", "/resourcegroups/governance-rg", "the resource group governance-rg"),
    ],
)
def test_what_cannot_be_asked_is_a_hole(open_azure, wish, method, part, what):
    def act(hit):
        ends = hit.call.path.lower().endswith(part)
        return DENIED if hit.call.method == method and ends else hit.reply()

    azure = open_azure(faults=[fault(act)])
    azure.send("DELETE", ACCOUNT, VERSION)
    plan = plan_purview_account(azure, wish())
    assert [unread.what for unread in plan.unread] == [what]
    assert not plan.complete
    assert plan.count("create") == 1


def test_what_keeps_an_account_from_being_made_is_an_error(gone, wish):
    nowhere = plan_purview_account(gone, wish(where="resourceGroup: nowhere-rg, location: westeurope"))
    (message,) = errors(nowhere)
    assert message.startswith(f"there is no resource group nowhere-rg in the subscription {SUBSCRIPTION}")
    assert "az group create" in message
    south = wish(where="resourceGroup: governance-rg, location: francesouth", policy="governancePolicies: {}")
    (message,) = errors(plan_purview_account(gone, south))
    assert message.startswith("no account can be in francesouth: Azure names australiaeast, ")


@pytest.mark.parametrize("state", ["NotRegistered", "Registering", ""])
def test_a_provider_that_is_not_registered_is_an_error(open_azure, wish, state):
    def act(hit):
        reply = hit.reply()
        if hit.call.path.lower().endswith("/providers/microsoft.purview"):
            return Reply(200, reply.body.replace(b'"Registered"', json.dumps(state).encode()), reply.headers)
        return reply

    azure = open_azure(faults=[fault(act)])
    azure.send("DELETE", ACCOUNT, VERSION)
    (message,) = errors(plan_purview_account(azure, wish()))
    assert "az provider register --namespace Microsoft.Purview" in message


def test_a_provider_that_does_not_say_where_is_a_hole(open_azure, wish):
    told = json_reply({"registrationState": "Registered", "resourceTypes": [{"resourceType": "operations"}]})

    def act(hit):
        return told if hit.call.path.lower().endswith("/providers/microsoft.purview") else hit.reply()

    azure = open_azure(faults=[fault(act)])
    azure.send("DELETE", ACCOUNT, VERSION)
    assert [unread.what for unread in plan_purview_account(azure, wish()).unread] == ["where accounts can be"]


def test_a_name_that_is_taken_is_an_error(open_azure, wish):
    taken = json_reply({"nameAvailable": False, "reason": "AlreadyExists", "message": "It is taken."})
    azure = open_azure(faults=[at("POST", "checknameavailability", taken)])
    azure.send("DELETE", ACCOUNT, VERSION)
    assert errors(plan_purview_account(azure, wish())) == [
        "no account can be called 'sovereign-purview': It is taken. Is it one that you do not see?"
    ]


@pytest.mark.off_spec("nameAvailable")
def test_an_answer_that_does_not_say_whether_the_name_is_free_is_a_hole(open_azure, wish):
    for answer in ({}, {"nameAvailable": "true"}):
        azure = open_azure(faults=[at("POST", "checknameavailability", json_reply(answer))])
        azure.send("DELETE", ACCOUNT, VERSION)
        assert [unread.what for unread in plan_purview_account(azure, wish()).unread] == ["whether the name can be had"]


def test_a_subscription_is_guessed_only_where_there_is_one(open_azure, wish):
    azure = open_azure("contoso")
    where = "resourceGroup: any-rg, location: westeurope"
    with pytest.raises(MeshError, match="you see 6 subscriptions: give the 'subscription'"):
        plan_purview_account(azure, wish(name="new-purview", where=where))
    one = "11111111-1111-1111-1111-111111111111"
    plan = plan_purview_account(azure, wish(f"subscription: {one}", name="new-purview", where=where))
    assert plan.target.startswith(f"/subscriptions/{one}/resourceGroups/any-rg/")


STATES = {
    "Creating": ("update", []), "Moving": ("update", []), "Unknown": ("update", []), "Paused": ("update", []),
    "Failed": (None, ["Failed"]), "Canceled": (None, ["Canceled"]), "SoftDeleted": (None, ["SoftDeleted"]),
}  # fmt: skip


def in_state(state, more=None):
    """A fault: accounts that are read are in that state."""

    def change(found):
        found["properties"] = {**found["properties"], "provisioningState": state, **(more or {})}

    def act(hit):
        reply = hit.reply()
        of_accounts = hit.call.method == "GET" and "/microsoft.purview/accounts" in hit.call.path.lower()
        if not of_accounts or reply.status != 200:
            return reply
        told = reply.json()
        for one in told.get("value", [told]):
            change(one)
        return json_reply(told)

    return fault(act)


@pytest.mark.parametrize("state", STATES)
def test_an_account_that_is_not_ready_is_not_as_wished(open_azure, wish, state):
    action, failing = STATES[state]
    plan = plan_purview_account(open_azure(faults=[in_state(state)]), wish())
    assert [change.action for change in plan.changes] == ([action] if action else [])
    assert [word for message in errors(plan) for word in failing if f"is {word}: " in message] == failing
    if action:
        assert changes(plan) == [("properties.provisioningState", state, "Succeeded")]
        (outcome,) = apply_purview_account(plan)  # waits for it, and no longer than half an hour
        assert outcome.state == "failed"
        assert f"is {state}, after 1800 s" in outcome.reason


def test_a_failure_is_told_with_the_reason(open_azure, wish):
    status = {"accountStatus": {"errorDetails": {"code": "2005", "message": "No more accounts in this region."}}}
    plan = plan_purview_account(open_azure(faults=[in_state("Failed", status)]), wish())
    assert errors(plan) == [
        "the account is Failed: 2005: No more accounts in this region. Nothing is sent before that is mended"
    ]
    failing = open_azure(faults=[in_state("Failed")])
    failing.send("DELETE", ACCOUNT, VERSION)
    (outcome,) = apply_purview_account(plan_purview_account(failing, wish()))
    unknown = "the service does not say why; the activity log of its resource group may"
    assert outcome.state == "failed"
    assert outcome.reason == f"written, but the account sovereign-purview is Failed: {unknown}"


@pytest.mark.parametrize("there", [True, False])
def test_a_role_that_is_missing_is_named_and_nothing_is_written(open_azure, wish, there, tmp_path):
    state = tmp_path / "state.json"
    denied = [at(method, "/microsoft.purview/accounts/", DENIED) for method in ("PUT", "PATCH")]
    if not there:
        open_azure(state=state).send("DELETE", ACCOUNT, VERSION)
    azure, mesh = open_azure(state=state, faults=denied), wish("tags: {Extra: x}")
    (outcome,) = apply_purview_account(plan_purview_account(azure, mesh))
    assert outcome.state == "failed"
    assert "403 AuthorizationFailed" in outcome.reason
    applied, after = settle(open_azure(state=state), mesh)
    assert applied.complete
    assert after.empty


@pytest.mark.parametrize(
    "name",
    ["throttled", "throttled-silent", "server-errors", "reset", "truncated", "html", "token-expired", "server-down"],
)
@pytest.mark.parametrize("there", [True, False])
def test_under_faults_nothing_is_said_to_be_done_that_is_not(open_azure, wish, tmp_path, name, there):
    mesh = wish("tags: {Extra: x}, publicNetworkAccess: Enabled")
    for nth in range(1, 12, 2):
        state = tmp_path / f"{nth}.json"
        if not there:
            open_azure(state=state).send("DELETE", ACCOUNT, VERSION)
        azure, applied = open_azure(state=state, faults=[f"{name}@{nth}"]), None
        with suppress(AzureError):  # then nothing is said to be done
            applied = apply_purview_account(plan_purview_account(azure, mesh))
        after = plan_purview_account(open_azure(state=state), mesh)
        if applied is not None and applied.complete:
            assert after.empty
        settled, last = settle(open_azure(state=state), mesh)
        assert settled.complete
        assert last.empty


def test_an_account_that_somebody_made_meanwhile_is_not_replaced(gone, wish):
    same, other = wish(), wish("publicNetworkAccess: Disabled")
    plans = [plan_purview_account(gone, mesh) for mesh in (same, other)]
    settle(gone, same)
    assert [outcome.state for outcome in apply_purview_account(plans[0])] == ["already"]
    (outcome,) = apply_purview_account(plans[1])
    assert (outcome.state, "was made since the plan" in outcome.reason) == ("failed", True)
    assert body(gone)["properties"]["publicNetworkAccess"] == "Enabled"


def test_a_change_that_somebody_made_meanwhile_is_not_undone(azure, wish):
    plan = plan_purview_account(azure, wish("tags: {Domain: Sales}"))
    azure.send("PATCH", ACCOUNT, VERSION, {"tags": {"Domain": "Customer"}})
    (outcome,) = apply_purview_account(plan)
    assert (outcome.state, "tags.Domain was changed since the plan" in outcome.reason) == ("failed", True)
    azure.send("PATCH", ACCOUNT, VERSION, {"tags": {"Domain": "Sales"}})
    assert [outcome.state for outcome in apply_purview_account(plan)] == ["already"]


def test_an_account_that_is_busy_is_waited_for(azure, wish):
    mesh = wish("tags: {Extra: x}")
    plan = plan_purview_account(azure, mesh)
    azure.send("PATCH", ACCOUNT, VERSION, {"tags": {**TAGS, "Other": "y"}})
    assert apply_purview_account(plan).complete
    assert body(azure)["tags"] == {**TAGS, "Other": "y", "Extra": "x"}


@pytest.mark.parametrize(("times", "state"), [(2, "done"), (9, "failed")])
def test_a_conflict_is_tried_again_and_not_for_ever(open_azure, wish, times, state):
    def busy(hit):
        if hit.call.method == "PATCH" and hit.memory.setdefault("busy", 0) < times:
            hit.memory["busy"] += 1
            return arm_error(409, "AccountBusy", "The account is being changed.")
        return hit.reply()

    azure = open_azure(faults=[fault(busy)])
    (outcome,) = apply_purview_account(plan_purview_account(azure, wish("tags: {Extra: x}")))
    assert (outcome.state, "AccountBusy" in outcome.reason) == (state, state == "failed")


def test_who_stops_while_an_account_is_made_is_told_and_the_next_plan_goes_on(open_azure, wish, tmp_path):
    state = tmp_path / "state.json"
    azure, mesh = open_azure(state=state), wish()
    azure.send("DELETE", ACCOUNT, VERSION)
    plan = plan_purview_account(azure, mesh)
    azure.pace = azure.pace.renewed(2.0)
    (outcome,) = apply_purview_account(plan)
    assert outcome.state == "failed"
    assert outcome.reason.startswith("written, but the account sovereign-purview is Creating, and ")
    again = open_azure(state=state)
    plan = plan_purview_account(again, mesh)
    assert changes(plan) == [("properties.provisioningState", "Creating", "Succeeded")]
    assert apply_purview_account(plan).complete
    assert plan_purview_account(again, mesh).empty
    plan = plan_purview_account(again, wish("tags: {Extra: x}"))
    assert [outcome.state for outcome in apply_purview_account(plan, stopped=lambda: True)] == ["left"]


@pytest.mark.parametrize("there", [True, False])
def test_a_run_that_is_stopped_does_not_wait_for_the_account(open_azure, wish, there):
    azure, mesh = open_azure(faults=[in_state("Creating")]), wish()
    if not there:
        azure.send("DELETE", ACCOUNT, VERSION)
    plan, looks = plan_purview_account(azure, mesh), []

    def stopped():
        return looks.append(None) or len(looks) > 9

    (outcome,) = apply_purview_account(plan, stopped=stopped)
    assert (outcome.state, outcome.reason.removeprefix("written, but ")) == (
        "failed",
        "the account sovereign-purview is Creating, and the run was stopped: plan again",
    )
    assert azure.pace.clock() < 60


def test_reads_that_lag_are_waited_for(open_azure, wish):
    def late(hit):
        own = hit.call.path.lower() == ACCOUNT.lower()
        if hit.call.method == "PUT" and own:
            hit.memory["made"] = 0
        elif hit.call.method == "GET" and own and hit.memory.get("made", 9) < 2:
            hit.memory["made"] += 1
            return arm_error(404, "ResourceNotFound", "It is not there.")
        return hit.reply()

    azure, mesh = open_azure(faults=[fault(late)]), wish()
    azure.send("DELETE", ACCOUNT, VERSION)
    applied, after = settle(azure, mesh)
    assert applied.complete
    assert after.empty


@pytest.mark.parametrize(("method", "status"), [("PUT", 504), ("PUT", 201), ("PATCH", 504), ("PATCH", 202)])
def test_what_arrived_is_found_though_its_answer_was_lost(open_azure, wish, method, status):
    """A gateway that does not wait for the answer lets the request be sent twice; half an answer says nothing."""
    sent = []

    def act(hit):
        if hit.call.method != method:
            return hit.reply()
        sent.append(hit.call)
        reply = hit.reply()
        if len(sent) > 1:
            return reply
        if status == 504:
            return arm_error(504, "GatewayTimeout", "The gateway did not receive a response.")
        reply.body, reply.broken = b"", ConnectionResetError(104, "Connection reset by peer")
        return reply

    azure, mesh = open_azure(faults=[fault(act)]), wish("tags: {Extra: x}")
    if method == "PUT":
        azure.send("DELETE", ACCOUNT, VERSION)
    applied, after = settle(azure, mesh)
    assert applied.complete, applied.outcomes
    assert after.empty
    assert len(sent) <= 2


def test_who_plans_what_is_in_an_account_that_is_not_there_is_told_how_to_make_it(gone, wish):
    with pytest.raises(NotFoundError, match="`purview account apply` makes it"):
        plan_purview(gone, wish())


@pytest.mark.off_spec("is not of type")
@pytest.mark.parametrize("part", ["properties", "identity", "tags", "name"])
def test_an_answer_that_is_none_is_no_account(open_azure, wish, part):
    def act(hit):
        reply = hit.reply()
        if hit.call.path.lower().endswith("/microsoft.purview/accounts"):
            return json_reply({"value": [{**one, part: ["x"]} for one in reply.json()["value"]]})
        return reply

    with pytest.raises(AnswerError, match=f"`{part}` should be|in another shape than the service's"):
        plan_purview_account(open_azure(faults=[fault(act)]), wish())


def test_who_is_not_signed_in_is_told_at_once(open_azure, wish):
    with pytest.raises(SignInError):
        plan_purview_account(open_azure(faults=["token-rejected"]), wish())


def test_a_plan_is_shown_by_name_and_with_its_digest(gone, wish):
    plan = plan_purview_account(gone, wish("tags: {Extra: '\\u001b[31m'}"))
    text = [line.text for line in plan_lines(plan)]
    assert text[0] == "+ account sovereign-purview"
    assert "\x1b" not in "".join(text)
    assert plan.digest in text[-1]
    assert "sovereign-purview" in repr(plan)
