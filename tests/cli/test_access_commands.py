"""`access` on the sandbox, as a person types it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sovereignmesh.access.listing import STATUSES, AccessList
from sovereignmesh.azure.purview.line import Line
from sovereignmesh.cli import access_commands, main

ASK = ["request", "Customer 360", "--consumer", "Sales", "--reason", "Churn report"]


def run(*words):
    return CliRunner().invoke(main, ["access", *words])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A state of contoso in which the account is as its mesh wishes."""
    file = tmp_path_factory.mktemp("contoso") / "state.json"
    result = CliRunner().invoke(main, ["purview", "apply", "--state", str(file), "--yes"])
    assert result.exit_code == 0, result.output
    return file.read_bytes()


@pytest.fixture
def state(made, tmp_path):
    file = tmp_path / "state.json"
    file.write_bytes(made)
    return ["--state", str(file)]


def asked(result):
    assert result.exit_code == 0, result.output
    return re.search(r"request ([0-9a-f-]{36})", result.output)[1]


def test_request_reject_request_approve_list(state, tmp_path):
    first = asked(run(*ASK, *state))
    rejected = run("reject", first, "--comment", "Too wide", *state)
    assert rejected.exit_code == 0, rejected.output
    said = rf"request {first} \(Customer 360 for Sales\): Rejected \(task [0-9a-f-]{{36}}\)\n"
    assert re.fullmatch(said, rejected.output)
    second = asked(run(*ASK, "--for", "data-steward@Sales", *state))
    approved = run("approve", second, *state)
    assert "Approved" in approved.output
    told = json.loads(run("list", *state, "--format", "json").stdout)
    assert {one["id"]: one["status"] for one in told["requests"]} == {first: "Rejected", second: "Approved"}
    assert told["complete"]
    assert told["record"]["file"] == str(tmp_path / "state.json.access-record.jsonl")
    table = run("list", *state, "--status", "rejected", "--all")
    assert table.exit_code == 0
    assert first in table.output
    assert second not in table.output
    assert "data-steward@Customer" in table.output


@pytest.mark.parametrize("action", ["request", "approve", "reject"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_while_it_is_sent_is_exit_4(state, monkeypatch, action, number):
    words = ASK if action == "request" else [action, asked(run(*ASK, *state)), "--comment", "Why"]
    post = Line.send

    def interrupted(line, method, path, *rest, **more):
        if method == "POST":
            os.kill(os.getpid(), number)
        return post(line, method, path, *rest, **more)

    monkeypatch.setattr(Line, "send", interrupted)
    result = run(*words, *state)
    assert result.exit_code == 4
    assert "interrupted while it was sent" in result.stderr
    assert "nobody knows: look with `sovereignmesh access list`" in result.stderr


def test_what_no_answer_came_to_is_exit_4(state):
    result = run(*ASK, *state, "--fault", "reset-always:purview-writes")
    assert result.exit_code == 4
    assert "nobody knows" in result.stderr


def test_what_is_interrupted_before_it_is_sent_is_not_done(state, monkeypatch):
    monkeypatch.setattr(Line, "items", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    result = run(*ASK, *state)
    assert (result.exit_code, result.stderr) == (1, "\nAborted!\n")


def test_what_was_taken_and_cannot_be_told_is_told_elsewhere(state):
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    with Path("/dev/full").open("w") as out:
        command = [sys.executable, "-c", "from sovereignmesh.cli import main; main()", "access", *ASK, *state]
        taken = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert taken.returncode == 4, taken.stderr
    (said,) = taken.stderr.splitlines()
    assert re.match(r"taken, and could not be told .No space .*: request [0-9a-f-]{36}$", said)
    request = re.search("request ([0-9a-f-]{36})$", said)[1]
    assert request in run("list", *state).output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ["request", "Sales Analytics", "--consumer", "Customer", "--reason", "x"],
            1,
            "no contract lets Customer have",
        ),
        (["request", "Customer 360", "--consumer", "Sales", "--reason", " "], 2, "is empty"),
        (["request", "Customer 360", "--consumer", "Sales"], 2, "--reason"),
        ([*ASK, "--asset", "5"], 2, "is no GUID"),
        (["approve", "5"], 2, "is no GUID"),
        (["reject", "0f8fad5b-d9cb-469f-a165-70867728950e"], 2, "--comment"),
        (["approve", "0f8fad5b-d9cb-469f-a165-70867728950e"], 1, "shows you no request"),
        ([*ASK, "--record", "no/such/folder.jsonl"], 2, "there is no folder"),
        ([*ASK, "--record", ""], 2, "is empty"),
        ([*ASK, "--record", "."], 2, "is a directory"),
        ([*ASK, "--record", __file__], 1, "it is another file, and has no entry"),
        ([*ASK, "--account", "nowhere"], 1, "pview-customer-prod"),
        (["list", "--status", "Lost"], 2, "pending"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(state, words, code, said):
    result = run(*words, *state)
    assert result.exit_code == code, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_sandbox_that_forgets_is_asked_nothing():
    result = run(*ASK, "--sandbox")
    assert result.exit_code == 2
    assert "--state" in result.output
    listed = run("list", "--sandbox")
    assert (listed.exit_code, listed.output) == (0, "no request for access\n")


def shown(monkeypatch, width, *words):
    """What a terminal shows that has so many columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    result = run("list", *words)
    return result.exit_code, re.sub(r"\x1b\[[0-9;]*m", "", result.output).splitlines()


def test_a_table_has_the_reason_the_person_and_ids_that_can_be_copied(state, monkeypatch):
    reason = "Churn report, which the board wants to see before the end of the year"
    ask = ["request", "Customer 360", "--consumer", "Sales", "--for", "data-steward@Sales", "--reason", reason]
    request = asked(run(*ask, *state))
    wide = run("list", *state).output.splitlines()
    assert re.split(" {2,}", wide[0].strip()) == list(AccessList("", ()).table[0])
    assert request in wide[1]
    assert "data-steward@Sales" in wide[1]
    assert reason in wide[1]
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d ", wide[1])
    code, narrow = shown(monkeypatch, 80, *state)
    assert code == 0
    assert narrow[0].split() == ["request", "product", "consumer", "status"]
    assert narrow[1].split() == [request, "Customer", "360", "Sales", "Pending"]
    assert narrow[2:] == ["a wider terminal, or --format json, has more columns"]
    _, medium = shown(monkeypatch, 100, *state)
    assert request in medium[1]
    assert "reason" in medium[0]


def test_a_message_is_one_line_on_a_narrow_terminal(state, monkeypatch):
    code, lines = shown(monkeypatch, 40, *state, "--fault", "purview-denied")
    assert code == 4
    assert lines
    assert all(line.startswith("not read: ") for line in lines)


def test_there_is_no_request_only_where_all_was_read_and_none_left_out(state):
    asked(run(*ASK, *state))
    assert run("list", *state, "--status", "rejected", "--status", "failed").output == (
        "no request for access is Rejected or Failed\n"
    )
    assert "no request for access" not in run("list", *state, "--status", "failed", "--fault", "purview-denied").output


def test_without_the_workflow_it_is_said_how_to_make_it(tmp_path):
    result = run(*ASK, "--state", str(tmp_path / "empty.json"))
    assert result.exit_code == 1
    assert "`sovereignmesh purview apply`" in result.output


def test_what_no_workflow_took_was_sent_and_is_exit_4(state, monkeypatch):
    from sovereignmesh.sandbox.purview import requests

    monkeypatch.setattr(requests, "workflow_for", lambda *_: None)
    result = run(*ASK, *state)
    assert result.exit_code == 4, result.output
    assert "Error: the service took the request" in result.stderr
    listed = run("list", *state, "--status", "unknown")
    assert "Unknown (record)" in listed.output


def test_an_incomplete_list_is_exit_4(state, tmp_path):
    denied = run("list", *state, "--fault", "purview-denied")
    assert denied.exit_code == 4
    assert "not read" in denied.output
    asked(run(*ASK, *state))
    record = tmp_path / "state.json.access-record.jsonl"
    record.write_bytes(record.read_bytes().replace(b"Churn", b"\x1b[31"))
    broken = run("list", *state)
    assert broken.exit_code == 4
    assert "is not whole: line 1" in broken.output
    assert "\x1b" not in broken.output


def test_the_record_of_a_mesh_of_ones_own_lies_beside_it(state, tmp_path, fixtures):
    from shutil import copytree

    folder = copytree(fixtures / "mesh" / "contoso", tmp_path / "mesh")
    asked(run(*ASK, "--mesh", str(folder), "--record", str(tmp_path / "own.jsonl"), *state))
    assert (tmp_path / "own.jsonl").exists()
    listed = json.loads(run("list", "--mesh", str(folder), "--format", "json", *state).stdout)
    assert [one["product"] for one in listed["requests"]] == ["Customer 360"]


def test_the_statuses_are_those_of_the_library():
    assert access_commands._STATUSES == STATUSES
