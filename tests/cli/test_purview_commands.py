"""`purview` on the sandbox, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from clock import open_still

from sovereignmesh import sandbox
from sovereignmesh.cli import main


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    """Commands in this process wait for nothing; those in one of their own take the time that they take."""
    monkeypatch.setattr(sandbox, "open_sandbox", open_still)


def run(*words, **options):
    return CliRunner().invoke(main, ["purview", *words], **options)


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state.json")


@pytest.mark.parametrize("estate", ["contoso", "seed"])
def test_plan_apply_plan_export_plan(tmp_path, state, estate):
    where = ["--estate", estate, "--state", state]
    planned = run("plan", *where, "--detailed-exitcode")
    assert planned.exit_code == 3
    applied = run("apply", *where, "--yes")
    assert applied.exit_code == 0, applied.output
    assert "failed" not in applied.output
    again = run("plan", *where, "--detailed-exitcode")
    assert again.exit_code == 0
    assert "nothing to do" in again.output
    file = tmp_path / "mesh" / "purview.yaml"
    file.parent.mkdir()
    assert run("export", *where, "-o", str(file)).exit_code == 0
    exported = run("plan", str(file.parent), *where, "--detailed-exitcode", "--prune")
    assert exported.exit_code == 0, exported.output
    status = run("status", *where)
    assert status.exit_code == 0
    assert "never" in status.output
    assert json.loads(run("status", *where, "--format", "json").stdout)["complete"]


def test_the_json_fits_its_schema_and_the_digest_is_what_apply_expects(state, schema):
    where = ["--estate", "seed", "--state", state]
    told = json.loads(run("plan", *where, "--format", "json").stdout)
    jsonschema.validate(told, schema)
    assert told["summary"]["create"] == 11
    other = run("apply", *where, "--yes", "--expect", "sha256:0")
    assert other.exit_code == 1
    assert told["digest"] in other.output
    assert run("apply", *where, "--yes", "--expect", told["digest"]).exit_code == 0
    jsonschema.validate(json.loads(run("plan", *where, "--format", "json").stdout), schema)


@pytest.fixture(scope="module")
def schema():
    return json.loads(CliRunner().invoke(main, ["schema", "plan"]).stdout)


def applied_as_json(schema, *words):
    """What `apply` prints, its exit code, and what it says besides."""
    result = run("apply", *words, "--yes", "--format", "json")
    told = json.loads(result.stdout)
    jsonschema.validate(told, schema)
    return told, result.exit_code, result.stderr


def test_an_apply_tells_in_json_what_was_planned_and_what_became_of_it(state, schema):
    where = ["--estate", "seed", "--state", state]
    told, code, said = applied_as_json(schema, *where)
    assert code == 0
    assert told["applied"]["complete"]
    of = [(one["action"], one["kind"], one["name"]) for one in told["changes"]]
    assert sorted((one["action"], one["kind"], one["name"]) for one in told["applied"]["outcomes"]) == sorted(of)
    assert {one["state"] for one in told["applied"]["outcomes"]} == {"done"}
    assert "+ scan sales-domain/salesdb: done" in said
    told, code, _ = applied_as_json(schema, *where)
    assert (code, told["changes"], told["applied"]) == (0, [], None)


def test_an_apply_tells_in_json_what_failed(state, schema):
    told, code, _ = applied_as_json(
        schema, "--estate", "seed", "--state", state, "--fault", "reset-always:purview-writes"
    )
    assert code == 4
    assert not told["applied"]["complete"]
    wrong = [one for one in told["applied"]["outcomes"] if one["state"] != "done"]
    assert wrong
    assert all(one["reason"] for one in wrong)


def test_an_apply_in_json_asks_nothing(state):
    result = run("apply", "--estate", "seed", "--state", state, "--format", "json")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert not result.stdout


def test_nothing_is_written_where_nobody_can_be_asked(state):
    result = run("apply", "--estate", "seed", "--state", state)
    assert result.exit_code == 1
    assert "--yes" in result.output
    assert run("plan", "--estate", "seed", "--state", state, "--detailed-exitcode").exit_code == 3


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, 3), ("y\n", 0, 0)])
def test_a_person_is_asked(state, monkeypatch, answer, code, left):
    monkeypatch.setattr("sovereignmesh.cli.plan_commands.is_somebody_there", lambda: True)
    result = run("apply", "--estate", "seed", "--state", state, input=answer)
    assert "Apply these 11 changes?" in result.output
    assert result.exit_code == code
    assert run("plan", "--estate", "seed", "--state", state, "--detailed-exitcode").exit_code == left


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plan", "--sandbox", "--account", "pview-sales-prod"], 1, "does not answer this network"),
        (["plan", "--estate", "contoso-partial"], 1, "you lack a role"),
        (["plan", "--sandbox", "--account", "nowhere"], 1, "pview-customer-prod"),
        (["plan", "--estate", "seed", "--fault", "purview-denied"], 1, "you lack a role"),
        (["plan", "--estate", "seed", "--cloud", "china"], 2, "--cloud"),
        (["plan", "--estate", "seed", "--account", " "], 2, "is empty"),
        (["plan", "no-such-mesh", "--estate", "seed"], 1, "no mesh at"),
        (["export", "--estate", "seed", "-o", "no/such/folder.yaml"], 2, "there is no folder"),
        (["status", "fixtures/mesh/seed", "--estate", "seed"], 1, "--account"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(words, code, said):
    result = run(*words)
    assert result.exit_code == code, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_an_error_in_the_plan_is_exit_1_and_nothing_is_sent(tmp_path, state, schema):
    (tmp_path / "policy.yaml").write_text("governancePolicies: {dataResidency: {allowedRegions: [northeurope]}}\n")
    (tmp_path / "purview.yaml").write_text("purview: {account: sovereign-purview, collections: [{name: Sales}]}\n")
    where = [str(tmp_path), "--estate", "seed", "--state", state]
    planned = run("plan", *where)
    assert planned.exit_code == 1
    assert "purview.yaml:1:20: error: the account keeps metadata in westeurope" in planned.output
    applied = run("apply", *where, "--yes")
    assert applied.exit_code == 1
    assert "nothing was sent" in applied.output
    told, code, said = applied_as_json(schema, *where)
    assert (code, told["applied"]) == (1, None)
    assert any(problem["severity"] == "error" for problem in told["problems"])
    assert "nothing was sent" in said
    assert run("apply", *where, "--yes", "--allow-drift").exit_code == 0


def test_an_export_overwrites_nothing(tmp_path):
    file = tmp_path / "purview.yaml"
    file.write_text("mine")
    result = run("export", "--estate", "seed", "-o", str(file))
    assert result.exit_code == 1
    assert file.read_text() == "mine"
    assert run("export", "--estate", "seed").stdout.startswith("purview:\n")


def test_a_plan_that_is_refused_is_told_in_json_all_the_same(state, schema):
    told, code, said = applied_as_json(schema, "--estate", "seed", "--state", state, "--expect", "sha256:0")
    assert (code, told["applied"]) == (1, None)
    assert told["digest"] in said
    assert run("plan", "--estate", "seed", "--state", state, "--detailed-exitcode").exit_code == 3


COMMAND = [sys.executable, "-c", "from sovereignmesh.cli import main; main()", "purview"]


@pytest.mark.parametrize("words", [[], ["--format", "json"]])
def test_an_output_that_nobody_reads_stops_no_apply(state, words):
    if not Path("/dev/full").exists():
        pytest.skip("the machine has no file permissions to deny (root)")
    where = ["--estate", "seed", "--state", state]
    with Path("/dev/full").open("w") as full:
        errors = subprocess.DEVNULL if words else full
        ended = subprocess.run(
            [*COMMAND, "apply", *where, "--yes", *words], stdout=full, stderr=errors, check=False, timeout=60
        )
    left = run("plan", *where, "--detailed-exitcode").exit_code
    # Text is shown before anything is written, and what cannot be shown is not applied.
    assert (ended.returncode, left) == ((4, 0) if words else (1, 3))


def test_who_stops_reading_after_the_plan_finds_all_applied(state):
    where = ["--estate", "seed", "--state", state]
    with subprocess.Popen([*COMMAND, "apply", *where, "--yes"], stdout=subprocess.PIPE) as running:
        for line in running.stdout:
            if b": done" in line:
                break
        running.stdout.close()
    assert running.returncode == 4
    assert run("plan", *where, "--detailed-exitcode").exit_code == 0


@pytest.mark.parametrize("closed", [0, 2])
def test_a_stream_that_is_closed_is_no_crash(state, closed):
    words = [*COMMAND, "plan", "--estate", "seed", "--state", state]
    ended = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.close(closed),
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0
    assert b"11 to create" in ended.stdout


def test_an_export_to_a_dash_is_printed(state):
    assert run("export", "--estate", "seed", "--state", state, "-o", "-").stdout.startswith("purview:\n")
    assert not Path("-").exists()


def test_what_was_written_before_a_failure_is_told_in_json(state, schema, monkeypatch):
    from sovereignmesh.errors import AnswerError
    from sovereignmesh.purview import apply as applying

    def fails(outcomes, *_, **__):
        yield from outcomes
        raise AnswerError("the answer is a riddle")

    monkeypatch.setattr(applying, "until_shown", fails)
    told, code, said = applied_as_json(schema, "--estate", "seed", "--state", state)
    assert code == 4
    assert "the answer is a riddle" in said
    assert not told["applied"]["complete"]
    assert {one["state"] for one in told["applied"]["outcomes"]} == {"failed"}
