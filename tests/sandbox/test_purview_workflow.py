"""Workflows, requests and approvals of the sandbox, over the wire."""

import json
import uuid

import pytest
from sandbox.purview_client import Purview, code, collection

FLOW = "/workflow"
CALLER, OTHER = "00000000-0000-0000-0000-00005eed0001", "00000000-0000-0000-0000-00005eed0002"
ONE, TWO = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
GRANT = "when_data_access_grant_is_requested"


class Client(Purview):
    def ask(self, method, path, version="2023-10-01-preview", **options):
        return super().ask(method, path, version if path.startswith(FLOW) else None, **options)

    def post(self, path, body=None):
        return self.ask("POST", f"{FLOW}{path}", json=body if body is not None else {})

    def request(self, **payload):
        answer = self.post("/userrequests", {"operations": [{"type": "GrantDataAccess", "payload": payload}]})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tasks(self, **query):
        return self.read(f"{FLOW}/workflowtasks", params=query)["value"]

    def runs(self, **query):
        return self.read(f"{FLOW}/workflowruns", params=query)["value"]


def workflow(*approvers, under=None, how="PendingOnAny", enabled=True):
    told = {"approvalType": how, "title": "Access", "assignedTo": list(approvers)}
    ask = {"type": "Approval", "inputs": {"parameters": told}, "runAfter": {}}
    trigger = {"type": GRANT, **({"underCollection": under} if under else {})}
    return {
        "name": "Access", "description": "", "isEnabled": enabled, "triggers": [trigger],
        "actionDag": {"actions": {"Ask": ask} if approvers else {}},
    }  # fmt: skip


@pytest.fixture
def purview():
    client = Client()
    client.make(("/collections/sales", collection()), ("/collections/orders", collection("sales")))
    return client


@pytest.fixture
def asked(purview):
    """A client with a workflow for the collection sales, that asks the caller or another."""
    purview.put(f"{FLOW}/workflows/{ONE}", workflow(CALLER, OTHER, under="sales"))
    return purview


def test_a_workflow_is_kept_as_it_was_recorded(purview, recorded):
    file = recorded / "recordings/purview/js/workflow/get_a_workflow/recording_should_create_a_workflow.json"
    (entry,) = json.loads(file.read_text())["Entries"]
    identity = entry["ResponseBody"]["id"]
    answer = purview.put(f"{FLOW}/workflows/{identity}", entry["RequestBody"])
    now = {"createdTime", "createdBy", "lastUpdateTime", "updatedBy"}
    assert answer.status_code == entry["StatusCode"]
    told, was = answer.json(), entry["ResponseBody"]
    assert told.keys() == was.keys()
    assert {key: told[key] for key in told.keys() - now} == {key: was[key] for key in was.keys() - now}
    assert purview.read(f"{FLOW}/workflows/{identity}") == told


def test_a_request_and_decisions_answer_as_they_were_recorded(asked, recorded):
    folder = recorded / "recordings/purview/js/workflow"
    (entry,) = json.loads((folder / "submit_a_user_request/recording_should_submit_a_user_request.json").read_text())[
        "Entries"
    ]
    answer = asked.post(
        "/userrequests",
        {"operations": [{"type": "GrantDataAccess", "payload": {"collectionName": "orders"}}], "comment": "Thanks!"},
    )
    was, told = entry["ResponseBody"], answer.json()
    assert told.keys() == was.keys()
    assert told["operations"][0].keys() == was["operations"][0].keys()
    assert (told["status"], told["comment"]) == (was["status"], was["comment"])
    assert told["operations"][0]["workflowRunIds"] == [told["requestId"]]
    assert was["operations"][0]["workflowRunIds"] == [was["requestId"]]
    (task,) = asked.tasks(viewMode="received")
    for name in ("approve", "reject"):
        file = folder / f"operate_the_workflow_task/recording_should_{name}_a_workflow_task.json"
        (entry,) = json.loads(file.read_text())["Entries"]
        answer = asked.post(f"/workflowtasks/{task['id']}/{name}-approval", entry["RequestBody"])
        if name == "approve":
            assert (answer.status_code, answer.content) == (entry["StatusCode"], b"")
        else:
            assert code(answer) == (400, "InvalidTaskStatus")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"triggers": [{"type": "when_it_rains"}]}, "when_it_rains"),
        ({"triggers": [{"type": GRANT, "underCollection": "nowhere"}]}, "nowhere"),
        pytest.param({"name": None}, "'name' is required", marks=pytest.mark.off_spec("name")),
        ({"actionDag": workflow("somebody")["actionDag"]}, "ids of users"),
        ({"actionDag": workflow(CALLER, how="PendingOnLuck")["actionDag"]}, "approvalType"),
    ],
)
def test_what_is_no_workflow_is_refused_and_validated(purview, change, word):
    body = {**workflow(CALLER), **change}
    answer = purview.put(f"{FLOW}/workflows/{ONE}", body)
    assert code(answer) == (400, "Workflow_Invalid")
    assert word in answer.text
    found = purview.post(f"/workflows/{ONE}/validate", body).json()["value"]
    assert any(word in violation["message"] for violation in found)
    assert purview.read(f"{FLOW}/workflows")["value"] == []


def test_the_nearest_workflow_that_is_on_takes_a_request(asked):
    asked.put(f"{FLOW}/workflows/{TWO}", workflow(OTHER))
    assert asked.request(collectionName="orders")["status"] == "InProgress"
    assert [run["workflowId"] for run in asked.runs()] == [ONE]
    asked.put(f"{FLOW}/workflows/{ONE}", workflow(CALLER, under="sales", enabled=False))
    asked.request(collectionName="orders")
    assert {run["workflowId"] for run in asked.runs()} == {ONE, TWO}
    asked.delete(f"{FLOW}/workflows/{TWO}")
    done = asked.request(collectionName="orders")
    assert done["status"] == "Completed"
    assert "workflowRunIds" not in done["operations"][0]


def test_any_or_all_of_the_approvers(purview):
    purview.put(f"{FLOW}/workflows/{ONE}", workflow(CALLER, OTHER, how="PendingOnAll"))
    run = purview.request()["requestId"]
    (task,) = purview.tasks()
    assert purview.post(f"/workflowtasks/{task['id']}/approve-approval").status_code == 200
    (task,) = purview.tasks()
    assert task["approvalDetail"]["status"] == "Pending"
    assert purview.read(f"{FLOW}/workflowruns/{run}")["status"] == "InProgress"
    assert purview.post(f"/workflowtasks/{task['id']}/reject-approval", {"comment": "No"}).status_code == 200
    (task,) = purview.tasks(viewMode="history")
    assert task["approvalDetail"]["status"] == "Rejected"
    assert task["approvalDetail"]["approvers"][CALLER]["comment"] == "No"
    assert purview.read(f"{FLOW}/workflowruns/{run}")["status"] == "Completed"


def test_who_is_no_approver_is_denied(purview):
    purview.put(f"{FLOW}/workflows/{ONE}", workflow(OTHER))
    purview.request()
    (task,) = purview.tasks(viewMode="sent")
    assert purview.tasks(viewMode="received") == []
    assert code(purview.post(f"/workflowtasks/{task['id']}/approve-approval")) == (403, "Forbidden")
    assert purview.tasks()[0]["approvalDetail"]["status"] == "Pending"


def test_lists_are_filtered_and_paged(purview):
    purview = Client(page_size=2)
    purview.put(f"{FLOW}/workflows/{ONE}", workflow(CALLER))
    ids = [purview.request()["requestId"] for _ in range(5)]
    assert sorted(run["id"] for run in purview.every(f"{FLOW}/workflowruns")) == sorted(ids)
    assert len(purview.every(f"{FLOW}/workflowtasks")) == 5
    assert len(purview.runs(maxpagesize=1)) == 1
    assert purview.runs(workflowIds=TWO) == purview.runs(requestors=OTHER) == purview.tasks(assignees=OTHER) == []
    assert purview.runs(runStatuses="Failed,Canceled") == purview.tasks(taskTypes="simpleTask") == []
    assert len(purview.runs(runStatuses="InProgress", timeWindow="1d", viewMode="admin")) == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/workflows/{TWO}", 404),
        ("GET", f"/workflowruns/{TWO}", 404),
        ("GET", f"/workflowtasks/{TWO}", 404),
        ("POST", f"/workflowtasks/{TWO}/approve-approval", 404),
        ("POST", f"/workflowruns/{TWO}/cancel", 404),
        pytest.param("GET", "/workflowruns?timeWindow=1y", 400, marks=pytest.mark.off_spec("timeWindow")),
        ("GET", "/workflowtasks?viewMode=theirs", 400),
        pytest.param("GET", "/workflows/first", 400, marks=pytest.mark.off_spec("workflowId")),
        ("DELETE", f"/workflows/{TWO}", 204),
    ],
)
def test_what_is_not_there(asked, method, path, status):
    answer = asked.ask(method, f"{FLOW}{path}", **({"json": {}} if method == "POST" else {}))
    assert answer.status_code == status


def test_a_run_is_cancelled_once(asked):
    run = asked.request(collectionName="sales")["requestId"]
    assert asked.post(f"/workflowruns/{run}/cancel", {"comment": "Never mind"}).status_code == 200
    told = asked.read(f"{FLOW}/workflowruns/{run}")
    assert (told["status"], told["cancelComment"]) == ("Canceled", "Never mind")
    assert asked.tasks()[0]["approvalDetail"]["status"] == "Canceled"
    assert code(asked.post(f"/workflowruns/{run}/cancel")) == (400, "InvalidRunStatus")


def test_a_request_for_a_collection_that_is_not_there(asked):
    body = {"operations": [{"type": "GrantDataAccess", "payload": {"collectionName": "nowhere"}}]}
    assert code(asked.post("/userrequests", body)) == (400, "UserRequest_Invalid")


@pytest.fixture
def build_seed(tmp_path):
    """The estate of the seed, with another word on its account."""
    from sovereignmesh.sandbox.estate import estate_folder

    def build(**account):
        described = json.loads((estate_folder("seed") / "estate.json").read_text())
        described["purview"]["sovereign-purview"] |= account
        for name in ("resources", "children"):
            (tmp_path / described[name]).write_bytes((estate_folder("seed") / described[name]).read_bytes())
        (tmp_path / "estate.json").write_text(json.dumps(described))
        return tmp_path

    return build


def test_an_account_on_the_unified_catalog_has_no_workflows(build_seed):
    client = Client(build_seed(catalog="unified"))
    assert code(client.ask("GET", f"{FLOW}/workflows")) == (404, "ResourceNotFound")
    assert client.ask("GET", "/collections").status_code == 200


def test_only_who_administers_workflows_writes_them(build_seed):
    client = Client(build_seed(roles=["purview-reader"]))
    assert code(client.put(f"{FLOW}/workflows/{ONE}", workflow(CALLER))) == (403, "Unauthorized")
    assert client.read(f"{FLOW}/workflows")["value"] == []
    assert code(client.ask("GET", f"{FLOW}/workflowruns", params={"viewMode": "admin"})) == (403, "Unauthorized")


def test_a_catalog_that_is_none_is_no_estate(build_seed):
    from sovereignmesh.errors import SandboxError
    from sovereignmesh.sandbox.estate import load_estate

    with pytest.raises(SandboxError, match="'old' is no catalog"):
        load_estate(build_seed(catalog="old"))
