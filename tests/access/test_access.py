"""Asking, deciding and listing against the sandbox; what fails is recorded as what it was."""

import dataclasses
import datetime as dt
import json
import os

import pytest
from access.conftest import CALLER, OTHER
from clock import open_still

import sovereignmesh as sm
from sovereignmesh.access.asking import was_sent
from sovereignmesh.access.listing import STATUSES, AccessList, AccessRequest
from sovereignmesh.access.record import Entry
from sovereignmesh.azure.caller import Caller, find_caller
from sovereignmesh.azure.purview import Operation, Workflow, WorkflowRun, WorkflowTask
from sovereignmesh.azure.purview.line import Line
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import (
    AccessError,
    AnswerError,
    DeniedError,
    RecordError,
    RejectedError,
    UnreachableError,
)
from sovereignmesh.plan import Unread
from sovereignmesh.purview.workflows import workflow_id

ACCOUNT = "sovereign-purview"
ASSET = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def ask(azure, mesh, record):
    def run(product="Customer 360", consumer="Sales", reason="Churn report", **options):
        return sm.request_access(azure, mesh, product, consumer, reason, record=record, **options)

    return run


@pytest.fixture
def decide(azure, record):
    def run(request, decision="approve", comment="As agreed"):
        return sm.decide_access(azure, ACCOUNT, request, decision, comment=comment, record=record)

    return run


@pytest.fixture
def desk(ask, decide):
    return ask, decide


def outcomes(record):
    told, broken = record.read()
    assert broken == ""
    return [(entry.action, entry.outcome) for entry in told]


def test_a_request_is_asked_for_decided_and_listed(azure, ask, decide, record, mesh):
    first = ask(person="data-steward@Sales", asset=ASSET)
    assert (first.product, first.consumer, first.approvers) == ("Customer 360", "Sales", ("data-steward@Customer",))
    (pending,) = sm.list_access(azure, ACCOUNT, record).requests
    assert (pending.id, pending.status, pending.requestor, pending.person) == (first.id, "Pending", CALLER, OTHER)
    assert (pending.product, pending.consumer, pending.reason) == ("Customer 360", "Sales", "Churn report")
    told = decide(first.id, "reject", "Too wide")
    assert dataclasses.astuple(told)[:4] == (first.id, "Customer 360", "Sales", "Rejected")
    (entry,) = sm.connect_purview(ACCOUNT, azure).workflow_tasks.list("history")
    assert told.task == entry.id
    second = ask(consumer="sales domain")
    assert decide(second.id).status == "Approved"
    found = sm.list_access(azure, ACCOUNT, record, mesh=mesh, everybody=True)
    assert found.complete
    by = {one.id: one for one in found.requests}
    assert (by[first.id].status, by[first.id].comment) == ("Rejected", "Too wide")
    assert (by[second.id].status, by[second.id].decided_by, by[second.id].source) == ("Approved", CALLER, "service")
    assert {row[7] for row in found.table[1]} == {"data-steward@Customer"}
    who = [("accepted", ""), ("accepted", CALLER)]  # no token says it here, and the service only after it is decided
    assert [(entry.action, entry.outcome, entry.actor) for entry in record.read().entries] == [
        (action, outcome, actor)
        for action, taken in (("request", who[1:]), ("reject", who), ("request", who[1:]), ("approve", who))
        for outcome, actor in (("sending", ""), *taken)
    ]
    assert {one.status for one in found.requests} <= set(STATUSES)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"product": "Customer 350"}, "did you mean 'Customer 360'"),
        ({"consumer": "Customer"}, "its dataContracts are with Sales Domain"),
        ({"product": "Sales Analytics"}, "it has no dataContracts"),
        ({"consumer": "Sails"}, "did you mean 'Sales'"),
        ({"person": "nobody"}, "nobody knows who 'nobody' is"),
    ],
)
def test_without_a_contract_nothing_is_sent(ask, record, exchanges, options, said):
    exchanges.clear()
    with pytest.raises(AccessError, match=said):
        ask(**options)
    assert exchanges.operations == set()
    assert not record.path.exists()


def test_where_nothing_would_approve_nothing_is_sent(open_azure, mesh, record, azure):
    free = dataclasses.replace(mesh, policies=mesh.policies.model_copy(update={"access_control": None}))
    with pytest.raises(AccessError, match="requireApproval"):
        sm.request_access(azure, free, "Customer 360", "Sales", "x", record=record)
    with pytest.raises(AccessError, match="purview apply"):
        sm.request_access(open_azure(), mesh, "Customer 360", "Sales", "x", record=record)
    purview = sm.connect_purview(ACCOUNT, azure)
    for workflow in list(purview.workflows.list()):
        whole = purview.workflows.get(workflow.id)
        purview.workflows.put(dataclasses.replace(whole, enabled=False), whole.id)
    with pytest.raises(AccessError, match="switched off"):
        sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
    for workflow in list(purview.workflows.list()):
        purview.workflows.delete(workflow.id)
    with pytest.raises(AccessError, match="no workflow that approves access to data of Customer"):
        sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
    assert not record.path.exists()


def grant_alone(body):
    body["actionDag"] = {"actions": {"Grant access": {"type": "GrantDataAccess", "runAfter": {}}}}


def grant_beside(body):
    body["actionDag"]["actions"]["Grant anyway"] = {"type": "GrantDataAccess", "runAfter": {}}


def another_approver(body):
    body["actionDag"]["actions"]["Start and wait for an approval"]["inputs"]["parameters"]["assignedTo"] = [OTHER]


def another_trigger(body):
    body["triggers"] = [{**body["triggers"][0], "underCollection": ACCOUNT}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (grant_alone, "Start and wait for an approval"),
        (grant_beside, "Grant anyway"),
        (another_approver, "assignedTo"),
        (another_trigger, "triggers"),
    ],
)
def test_a_workflow_that_is_not_as_the_mesh_wants_it_is_asked_nothing(azure, ask, exchanges, change, said):
    purview = sm.connect_purview(ACCOUNT, azure)
    identity = workflow_id(purview.account.id, "Customer")
    body = json.loads(json.dumps(purview.workflows.body(identity).body))
    change(body)
    purview.workflows.write({key: body[key] for key in Workflow("", "", ()).body()}, identity)
    with pytest.raises(AccessError, match=f"is not as the mesh wants it .*{said}.*`sovereignmesh purview apply` mends"):
        ask()
    assert "workflow-2023-10-01-preview/UserRequests_Submit" not in exchanges.operations


def test_an_account_on_the_unified_catalog_is_refused_with_the_reason(open_azure, build_seed, mesh, record):
    azure = open_azure(build_seed(catalog="unified"))
    quiet = dataclasses.replace(mesh, policies=None, policies_document=None)
    assert sm.apply_purview(sm.plan_purview(azure, quiet)).complete
    with pytest.raises(AccessError, match="Unified Catalog"):
        sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
    with pytest.raises(AccessError, match="Unified Catalog"):
        sm.decide_access(azure, ACCOUNT, ASSET, "approve", comment="", record=record)
    found = sm.list_access(azure, ACCOUNT, record)
    assert not found.complete
    assert all("Unified Catalog" in unread.why for unread in found.unread)
    assert not record.path.exists()


def test_an_account_on_the_unified_catalog_is_told_to_apply_nothing(open_azure, build_seed, mesh, record):
    azure = open_azure(build_seed(catalog="unified"))  # with no collection of the domain either
    with pytest.raises(AccessError, match="Unified Catalog requests are approved by workflows of its own") as raised:
        sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
    assert "purview apply" not in str(raised.value)


def test_without_a_record_nothing_is_sent(ask, decide, record, exchanges, monkeypatch):
    request = ask().id
    exchanges.clear()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for act in (ask, lambda: decide(request)):
            with pytest.raises(RecordError, match="No space left"):
                act()
    assert not exchanges.operations & {
        "workflow-2023-10-01-preview/UserRequests_Submit",
        "workflow-2023-10-01-preview/Approval_Approve",
    }


def test_what_was_taken_and_could_not_be_recorded_is_said_with_its_id(ask, monkeypatch):
    count = iter((0, 28))

    def soon_full(_):
        if number := next(count):
            raise OSError(number, "No space left on device")

    monkeypatch.setattr(os, "fsync", soon_full)
    with pytest.raises(RecordError, match=r"the service has taken the request of [0-9a-f-]{36}, which nothing here"):
        ask()


FAILURES = [
    (DeniedError("no", status=403), "refused"),
    (RejectedError("no", status=400), "refused"),
    (RejectedError("no answer in time", status=408), "unknown"),
    (UnreachableError("no answer"), "unknown"),
    (UnreachableError("server error", status=503), "unknown"),
    (AnswerError("half a page"), "unknown"),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_what_the_service_did_not_take_is_recorded_as_what_it_was(azure, desk, record, monkeypatch, failure):
    (ask, decide), (error, outcome) = desk, failure
    request = ask().id

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.UserRequests.submit", fail)
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowTasks.approve", fail)
    for act in (ask, lambda: decide(request)):
        with pytest.raises(type(error), match="nobody knows" if outcome == "unknown" else "^no$"):
            act()
    assert outcomes(record)[2:] == [
        ("request", "sending"), ("request", outcome), ("approve", "sending"), ("approve", outcome)
    ]  # fmt: skip
    assert str(error) in record.read().entries[-1].why
    lost = [one for one in sm.list_access(azure, ACCOUNT, record).requests if one.source == "record"]
    assert [(one.id, one.status) for one in lost] == [("", outcome.capitalize())]


def interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("action", ["request", "approve"])
def test_a_run_that_was_interrupted_while_it_sent_is_unknown(azure, desk, record, monkeypatch, action):
    ask, decide = desk
    request = ask().id
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.UserRequests.submit", interrupt)
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowTasks.approve", interrupt)
    with pytest.raises(KeyboardInterrupt, match="nobody knows: look with `sovereignmesh access list`") as raised:
        ask() if action == "request" else decide(request)
    assert was_sent(raised.value)
    assert outcomes(record)[2:] == [(action, "sending"), (action, "unknown")]
    assert "interrupted" in record.read().entries[-1].why
    assert {one.status for one in sm.list_access(azure, ACCOUNT, record).requests if one.source == "record"} <= {
        "Unknown"
    }


def test_what_was_taken_is_recorded_though_it_was_interrupted_then(desk, record, monkeypatch):
    ask, decide = desk
    request, sync, calls = ask().id, os.fsync, iter(range(9))

    def interrupted(handle):
        if next(calls) == 1:
            raise KeyboardInterrupt
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt, match="the service has taken the approve") as raised:
            decide(request)
    assert was_sent(raised.value)
    assert outcomes(record)[2:] == [("approve", "sending"), ("approve", "accepted")]


def test_a_run_that_was_killed_while_it_sent_is_unknown(azure, record):
    with record.writing() as add:
        add(Entry("request", "sending", sm.connect_purview(ACCOUNT, azure).account.id))
    (lost,) = sm.list_access(azure, ACCOUNT, record).requests
    assert (lost.status, lost.source) == ("Unknown", "record")


def test_a_decision_is_recorded_before_anything_else_is_read(desk, record, monkeypatch):
    ask, decide = desk
    request = ask().id
    seen = []

    def look(*_):
        seen.extend(outcomes(record))
        raise KeyboardInterrupt

    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowTasks.get", look)
    assert decide(request).status == ""
    assert seen[2:] == outcomes(record)[2:] == [("approve", "sending"), ("approve", "accepted")]


def test_only_what_was_sent_was_sent(azure, desk, monkeypatch):
    ask, decide = desk
    request = ask().id
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowTasks.list", interrupt)
    with pytest.raises(KeyboardInterrupt) as raised:
        decide(request)
    assert not was_sent(raised.value)


@pytest.mark.parametrize("fault", ["throttled:purview-writes", "reset-always:purview-writes"])
def test_a_post_is_sent_twice_only_where_it_was_not_taken(state, open_azure, mesh, record, fault):
    azure = open_azure(state=state, faults=[fault])
    if fault.startswith("reset"):
        with pytest.raises(UnreachableError):
            sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
        assert outcomes(record)[-1] == ("request", "unknown")
    else:
        sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
        assert len(sm.list_access(azure, ACCOUNT, record).requests) == 1


def test_a_request_that_no_workflow_took_is_no_success(azure, mesh, record, monkeypatch):
    from sovereignmesh.sandbox.purview import requests

    monkeypatch.setattr(requests, "workflow_for", lambda *_: None)
    with pytest.raises(AccessError, match="no workflow did: its status is Completed") as caught:
        sm.request_access(azure, mesh, "Customer 360", "Sales", "x", record=record)
    assert outcomes(record)[-1] == ("request", "accepted")
    last = record.read().entries[-1]
    assert (last.request, last.why) == (caught.value.request, str(caught.value))
    (found,) = sm.list_access(azure, ACCOUNT, record).requests
    assert (found.id, found.status) == (last.request, "Unknown"), "no workflow is to decide it"


def test_only_what_is_pending_and_the_callers_is_decided(azure, ask, decide, record):
    request = ask().id
    decide(request)
    with pytest.raises(AccessError, match=f"decided already .Approved: Approved by {CALLER}"):
        decide(request, "reject")
    with pytest.raises(AccessError, match="shows you no request"):
        decide(ASSET)
    purview = sm.connect_purview(ACCOUNT, azure)
    other = ask().id
    (task,) = (one for one in purview.workflow_tasks.list("received") if one.run == other)
    purview.workflow_tasks.reassign(task.id, CALLER, OTHER)
    with pytest.raises(AccessError, match=f"not yours to decide: it waits for {OTHER}"):
        decide(other)
    assert outcomes(record)[-1] == ("request", "accepted")
    assert {one.id: one.status for one in sm.list_access(azure, ACCOUNT, record).requests}[other] == "Pending"


STEERING = [(how, silent) for how in ("changed", "decided", "of another account", "refused") for silent in (0, 1)]


@pytest.mark.parametrize("steering", STEERING)
def test_what_a_record_says_of_other_runs_lets_nothing_be_decided(azure, desk, record, monkeypatch, steering):
    (ask, decide), (how, silent) = desk, steering
    victim, invented = ask().id, ASSET
    account = sm.connect_purview(ACCOUNT, azure).account.id
    if how == "changed":
        other = ask().id
        decide(other)
        path = record.path
        path.write_bytes(path.read_bytes().replace(f'"runs": ["{other}"]'.encode(), f'"runs": ["{victim}"]'.encode()))
        invented = other
    else:
        entries = {
            "decided": Entry("approve", "accepted", account, request=invented, runs=(victim,)),
            "of another account": Entry("request", "accepted", account + "2", request=invented, runs=(victim,)),
            "refused": Entry("request", "refused", account, request=invented, runs=(victim,)),
        }
        with record.writing() as add:
            add(entries[how])
    if silent:
        monkeypatch.setattr(
            "sovereignmesh.azure.purview.workflow.WorkflowRuns.get",
            lambda *_: WorkflowRun(victim, "1", CALLER, "GrantDataAccess", "", "InProgress"),
        )
    said = "decided already.*not whole .line 4" if how == "changed" else "shows you no request"
    with pytest.raises(AccessError, match=said):
        decide(invented)
    assert {one.id: one.status for one in sm.list_access(azure, ACCOUNT, record).requests}[victim] == "Pending"


def test_the_service_s_word_on_a_request_goes_before_the_record_s(azure, desk, record, monkeypatch):
    ask, decide = desk
    victim = ask().id
    account = sm.connect_purview(ACCOUNT, azure).account.id
    with record.writing() as add:
        add(Entry("request", "accepted", account, request=ASSET, runs=(victim,)))
    with pytest.raises(AccessError, match="shows you no request"):
        decide(ASSET)
    run = WorkflowRun(victim, "1", CALLER, "GrantDataAccess", "", "InProgress", ASSET)
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowRuns.get", lambda *_: run)
    record.path.unlink()
    assert decide(ASSET).request == ASSET


def test_what_the_service_has_forgotten_the_record_tells(open_azure, desk, record, mesh):
    ask, decide = desk
    approved, asked = ask().id, ask().id
    decide(approved, comment="As agreed")
    fresh = open_azure()
    assert sm.apply_purview(sm.plan_purview(fresh, mesh)).complete
    found = sm.list_access(fresh, ACCOUNT, record)
    assert found.complete
    by = {one.id: one for one in found.requests}
    assert {one.source for one in found.requests} == {"record"}
    assert (by[approved].status, by[approved].decided_by, by[approved].comment) == ("Approved", CALLER, "As agreed")
    assert (by[asked].status, by[asked].product, by[asked].reason) == ("Unknown", "Customer 360", "Churn report")
    assert {row[6] for row in found.table[1]} == {"Approved (record)", "Unknown (record)"}


def test_a_broken_record_is_no_complete_list(azure, ask, record):
    ask()
    record.path.write_bytes(record.path.read_bytes().replace(b"Churn", b"Audit"))
    found = sm.list_access(azure, ACCOUNT, record)
    assert not found.complete
    assert found.broken.startswith("line 1")
    assert json.loads(json.dumps(found.to_dict()))["record"]["broken"] == found.broken


def test_a_page_acts_on_no_name():
    evil = "<script>\x1b[2J"
    one = AccessRequest(evil, evil, evil, evil, status=evil, comment=evil)
    page = AccessList("/x/own", (one,), (Unread(evil, evil),), evil, evil)._repr_html_()
    assert "<div>Requests for access, account own</div>" in page
    assert "<script>" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") == 10


def test_requests_of_others_and_of_other_things_are_not_the_callers(azure, ask, record, monkeypatch):
    ask()
    purview = sm.connect_purview(ACCOUNT, azure)
    purview.user_requests.submit(Operation("CreateTerm", {"glossaryTerm": {"name": "term"}}))
    assert len(sm.list_access(azure, ACCOUNT, record).requests) == 1
    term = WorkflowTask("1", "Approval", "2", "3", OTHER, "CreateTerm", "term", "Pending")
    run = WorkflowRun("3", "2", OTHER, "CreateTerm", "term", "InProgress")
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowTasks.list", lambda *_: iter([term]))
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowRuns.list", lambda *_: iter([run]))
    assert [one.source for one in sm.list_access(azure, ACCOUNT, record).requests] == ["record"]


@pytest.mark.parametrize("first", [True, False])
def test_of_several_approvals_the_pending_one_tells(azure, ask, record, monkeypatch, first):
    ask()
    (task,) = sm.connect_purview(ACCOUNT, azure).workflow_tasks.list("received")
    later = task.updated + dt.timedelta(days=1)
    said = [dataclasses.replace(task, id=ASSET, status="Approved", updated=later), task]
    shown = "sovereignmesh.azure.purview.workflow.WorkflowTasks.list"
    monkeypatch.setattr(shown, lambda *_: iter(said if first else said[::-1]))
    (found,) = sm.list_access(azure, ACCOUNT, record).requests
    assert found.status == "Pending"
    said[1] = dataclasses.replace(task, status="Rejected")
    (found,) = sm.list_access(azure, ACCOUNT, record).requests
    assert found.status == "Approved", "it came last"


def test_a_run_that_failed_after_the_approval_is_not_approved(azure, ask, decide, record, monkeypatch):
    request = ask().id
    decide(request)
    (run,) = sm.connect_purview(ACCOUNT, azure).workflow_runs.list()
    failed = dataclasses.replace(run, status="Failed")
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowRuns.list", lambda *_: iter([failed]))
    (found,) = sm.list_access(azure, ACCOUNT, record).requests
    assert (found.status, found.decided_by) == ("Failed", CALLER)


def test_an_unknown_status_is_shown_as_it_is(azure, ask, record, monkeypatch):
    request = ask().id
    tasks = list(sm.connect_purview(ACCOUNT, azure).workflow_tasks.list("received"))
    odd = [dataclasses.replace(task, status="Pondering") for task in tasks]
    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowTasks.list", lambda *_: iter(odd))
    (found,) = sm.list_access(azure, ACCOUNT, record).requests
    assert (found.id, found.status) == (request, "Pondering")
    with pytest.raises(AccessError, match="Pondering"):
        sm.decide_access(azure, ACCOUNT, request, "approve", comment="", record=record)


WRONG = [("createdTime", 5), ("createdTime", "soon"), ("approvalDetail", {"status": []}), ("id", "")]
WRONG += [(name, "0001-01-01T00:00:00+14:00") for name in ("createdTime", "lastUpdateTime", "responseTime")]


@pytest.mark.parametrize("wrong", WRONG)
def test_an_approval_that_cannot_be_read_takes_no_other_from_view(azure, desk, record, monkeypatch, wrong):
    (ask, decide), (name, value) = desk, wrong
    bad, good, items = ask().id, ask().id, Line.items

    def spoilt(line, path, *rest, **more):
        for facts in items(line, path, *rest, **more):
            body = json.loads(json.dumps(facts.body))
            if body.get("workflowRunId") == bad and name == "responseTime":
                body["approvalDetail"]["approvers"][CALLER][name] = value
            elif body.get("workflowRunId") == bad:
                body[name] = value
            yield Facts(body, facts.place)

    monkeypatch.setattr(Line, "items", spoilt)
    found = sm.list_access(azure, ACCOUNT, record)
    (unread,) = found.unread
    assert unread.what == "the approvals"
    assert (name == "approvalDetail" and "status" in unread.why) or name in unread.why or "is no moment" in unread.why
    assert {one.id: one.status for one in found.requests}[good] == "Pending"
    assert json.dumps(found.to_dict())
    assert decide(good).status == "Approved"


def test_an_approval_that_cannot_be_read_is_said_where_none_is_found(desk, monkeypatch):
    ask, decide = desk
    bad, items = ask().id, Line.items

    def spoilt(line, path, *rest, **more):
        for facts in items(line, path, *rest, **more):
            yield Facts({**facts.body, "createdTime": "soon"}, facts.place)

    monkeypatch.setattr(Line, "items", spoilt)
    with pytest.raises(AccessError, match=r"shows you no request .*not every approval can be read: .*createdTime"):
        decide(bad)


def test_what_only_a_workflow_administrator_may_see(state, open_azure, build_seed, record):
    azure = open_azure(build_seed(roles=["purview-reader"]))
    assert sm.list_access(azure, ACCOUNT, record).complete
    found = sm.list_access(azure, ACCOUNT, record, everybody=True)
    assert [unread.what for unread in found.unread] == ["the runs of workflows"]
    assert not found.complete


@pytest.fixture
def elses(open_azure, build_seed, mesh, record):
    """Opens an estate in which somebody else was asked by somebody else, and the caller is neither."""

    def build(tmp_path, **options):
        state = tmp_path / "elses.json"
        with open_still("seed", state=state) as azure:
            assert sm.apply_purview(sm.plan_purview(azure, mesh)).complete
            for consumer in ("Sales", "Sales Domain"):
                sm.request_access(azure, mesh, "Customer 360", consumer, "Churn report", record=record)
        state.write_text(state.read_text().replace(CALLER, OTHER))
        return open_azure(state=state, **options)

    return build


def test_all_tells_what_was_asked_for_of_runs_in_which_the_caller_has_no_task(elses, tmp_path):
    azure = elses(tmp_path)
    found = sm.list_access(azure, ACCOUNT, everybody=True)
    assert found.complete
    assert len(found.requests) == 2
    for one in found.requests:
        assert (one.product, one.consumer, one.reason) == ("Customer 360", "Sales", "Churn report")
        assert (one.status, one.requestor) == ("Pending", OTHER)
    assert sm.list_access(azure, ACCOUNT).requests == ()


def test_runs_that_cannot_be_read_are_said_once(elses, tmp_path, monkeypatch):
    def fail(*_):
        raise DeniedError("no", status=403)

    monkeypatch.setattr("sovereignmesh.azure.purview.workflow.WorkflowRuns.get", fail)
    found = sm.list_access(elses(tmp_path), ACCOUNT, everybody=True)
    assert [tuple(unread) for unread in found.unread] == [("what was asked for in 2 runs of workflows", "no")]
    assert [one.status for one in found.requests] == ["InProgress"] * 2


def test_a_token_tells_whose_it_is():
    import base64

    class Credential:
        def __init__(self, claims):
            self.claims = claims

        def get_token(self, *_):
            told = base64.urlsafe_b64encode(json.dumps(self.claims).encode()).decode().rstrip("=")
            return type("Token", (), {"token": f"x.{told}.y"})

    class Connection:
        credential = Credential({"oid": ASSET.upper(), "upn": "ana@contoso.com"})

    assert find_caller(Connection, "scope") == Caller(ASSET, "ana@contoso.com")
    Connection.credential = Credential([])
    assert find_caller(Connection, "scope") == Caller("", "")
