"""What is written is there: over the wire, below its parents, in the graph, and in a later process."""

import json
import os

import pytest
from sandbox.tiny import ONE, TWO, Client, rows

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox import open_sandbox
from sovereignmesh.sandbox.estate import estate_of, load_estate
from sovereignmesh.sandbox.store import Store, type_in

GROUP = f"/subscriptions/{ONE}/resourceGroups/Data-RG"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/new"


def test_the_graph_has_the_rows_that_the_estate_has(build_estate):
    store = Store(load_estate(build_estate([])))
    shown = {row["id"]: row for row in store.graph_rows()}
    for row in rows():
        if row["type"] == "microsoft.resources/subscriptions":
            continue
        assert shown[row["id"]] == row
    chain = shown[f"/subscriptions/{ONE}"]["properties"]["managementGroupAncestorsChain"]
    assert [group["name"] for group in chain] == ["mg-left", "mg-top", "aaaaaaaa-0000-0000-0000-000000000000"]
    assert chain[2]["displayName"] == "Tenant Root Group"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"/subscriptions/{ONE}", "microsoft.resources/subscriptions"),
        (GROUP, "microsoft.resources/subscriptions/resourcegroups"),
        (ACCOUNT, "Microsoft.Storage/storageAccounts"),
        (f"{ACCOUNT}/providers/Microsoft.Insights/diagnosticSettings/x", "Microsoft.Insights/diagnosticSettings"),
        ("/tenants", ""),
    ],
)
def test_a_path_names_a_type(path, kind):
    assert type_in(path) == kind


def test_put_get_patch_delete(owner):
    created = owner.call("PUT", ACCOUNT, json={"location": "westeurope", "tags": {"a": "1", "b": "2"}})
    assert created.status_code == 201
    assert created.json()["id"] == ACCOUNT
    assert created.json()["type"] == "Microsoft.Storage/storageAccounts"
    again = owner.call("PUT", ACCOUNT.upper(), json={"location": "westeurope", "tags": {"a": "1", "b": "2"}})
    assert again.status_code == 200
    assert again.json() == created.json(), "an id keeps its case"
    patched = owner.call("PATCH", ACCOUNT, json={"tags": {"b": None, "c": "3"}, "properties": {"x": 1}})
    assert patched.json()["tags"] == {"a": "1", "c": "3"}
    assert owner.get(ACCOUNT).json() == patched.json()
    assert owner.rows("resources | where name == 'new' | project name, tags.c, apiVersion") == [
        {"name": "new", "tags_c": "3", "apiVersion": "2024-01-01"}
    ]
    assert owner.call("DELETE", ACCOUNT).status_code == 200
    assert owner.call("DELETE", ACCOUNT).status_code == 204
    assert owner.get(ACCOUNT).status_code == 404
    assert owner.rows("resources | where name == 'new'") == []


def test_a_group_takes_what_is_in_it_with_it(owner):
    path = f"/subscriptions/{ONE}/resourcegroups/App-RG"
    assert owner.call("HEAD", path).status_code == 204
    assert owner.call("DELETE", path).status_code == 200
    assert owner.call("HEAD", path).status_code == 404
    assert owner.rows("resources | where resourceGroup == 'app-rg'") == []
    assert owner.call("PUT", path, json={}).json()["error"]["code"] == "LocationRequired"
    assert owner.call("PUT", path, json={"location": "westeurope"}).status_code == 201
    moved = owner.call("PUT", path, json={"location": "eastus"})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "InvalidResourceGroupLocation")


def test_what_the_graph_does_not_list(owner):
    setting = (
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st0/providers/Microsoft.Insights/diagnosticSettings/x"
    )
    child = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st0/encryptionScopes/x"
    for path in (setting, child):
        assert owner.call("PUT", path, json={"properties": {}}).status_code == 201
        assert owner.get(path).status_code == 200
    assert owner.rows("resources | where id has 'diagnosticSettings' or id has 'encryptionScopes'") == []


def test_a_child_needs_its_parent(owner):
    refused = owner.call("PUT", f"{ACCOUNT}/blobServices/default", json={})
    assert refused.status_code == 404
    assert (
        "'Microsoft.Storage/storageAccounts/new' under resource group 'Data-RG'" in refused.json()["error"]["message"]
    )


@pytest.mark.parametrize("content", [b"nonsense", b"[]"])
def test_a_body_that_is_no_object(owner, content):
    refused = owner.call("PUT", ACCOUNT, data=content)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_a_later_process_goes_on(build_estate, tmp_path):
    folder, state = build_estate([("/", "Owner")]), tmp_path / "state.json"
    first = Client(folder, state=state)
    assert not state.exists()
    first.call("PUT", ACCOUNT, json={"location": "westeurope"})
    first.call("DELETE", f"/subscriptions/{TWO}/resourceGroups/Data-RG")
    second = Client(folder, state=state)
    assert second.get(ACCOUNT).json() == first.get(ACCOUNT).json()
    assert second.get(f"/subscriptions/{TWO}/resourceGroups/Data-RG").status_code == 404
    assert second.rows("resources | where name in ('new', 'sttwo') | project name") == [{"name": "new"}]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".state")] == []


@pytest.mark.parametrize("content", ["nonsense", "[]", json.dumps({"written": {"/x": {}}})])
def test_a_state_that_is_none(build_estate, tmp_path, content):
    state = tmp_path / "state.json"
    state.write_text(content)
    with pytest.raises(SandboxError, match=r"state\.json: not a state"):
        Client(build_estate([]), state=state)


def test_a_state_that_cannot_be_written(build_estate, tmp_path):
    with pytest.raises(SandboxError, match="there is no folder"):  # before anything is done, not after
        Client(build_estate([("/", "Owner")]), state=tmp_path / "nowhere" / "state.json")


def test_two_processes_on_one_state_lose_nothing_in_silence(build_estate, tmp_path):
    folder, state = build_estate([]), tmp_path / "state.json"
    one, other = Store(load_estate(folder), state), Store(load_estate(folder), state)
    one.put(ACCOUNT, {"location": "westeurope"}, "2023-01-01")
    one.put(f"{ACCOUNT}2", {"location": "westeurope"}, "2023-01-01")
    with pytest.raises(SandboxError, match="another command has written the state"):
        other.put(f"{ACCOUNT}3", {"location": "westeurope"}, "2023-01-01")
    later = Store(load_estate(folder), state)
    assert later.get(ACCOUNT)
    assert later.get(f"{ACCOUNT}2")
    assert not later.get(f"{ACCOUNT}3")


def test_a_state_that_cannot_be_replaced_leaves_nothing_behind(build_estate, tmp_path, monkeypatch):
    store = Store(load_estate(build_estate([])), tmp_path / "state.json")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sovereignmesh.sandbox.store.os.replace", full)
    with pytest.raises(SandboxError, match="cannot be written"):
        store.put(ACCOUNT, {"location": "westeurope"}, "2023-01-01")
    assert not list(tmp_path.glob(".state-*"))


@pytest.mark.parametrize(
    "kept",
    [
        {"written": {}, "purview": {"sovereign-purview/collections": {"x": 5}}},
        {"written": {"/subscriptions/1": {"id": "/subscriptions/1", "body": 5, "apiVersion": ""}}},
    ],
)
def test_a_state_whose_bodies_are_none(tmp_path, kept):
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"estate": "seed", **kept}))
    with pytest.raises(SandboxError, match="not a state that a sandbox wrote"):
        open_sandbox("seed", state=state)


def test_a_state_that_is_no_file_holds_nobody_up(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert estate_of(pipe) is None
    with pytest.raises(SandboxError, match="it is no ordinary file"):
        open_sandbox("seed", state=pipe)


def test_a_state_of_an_estate_that_is_no_name(tmp_path):
    state = tmp_path / "state.json"
    state.write_text('{"estate": ["contoso"], "written": {}}')
    assert estate_of(state) is None
    with pytest.raises(SandboxError, match="is the state of the estate"):
        open_sandbox(state=state)
