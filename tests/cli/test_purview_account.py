"""`purview account` on the sandbox, as a person types it."""

import json

import jsonschema
import pytest
from click.testing import CliRunner

from sovereignmesh.cli import main
from sovereignmesh.sandbox import open_sandbox

ACCOUNT = (
    "/subscriptions/77777777-7777-7777-7777-777777777777/resourceGroups/governance-rg/providers/Microsoft.Purview/"
    "accounts/sovereign-purview"
)


def run(*words, **options):
    return CliRunner().invoke(main, ["purview", "account", *words], **options)


@pytest.fixture
def where(tmp_path):
    """The options of a seed whose account was deleted."""
    state = tmp_path / "state.json"
    with open_sandbox("seed", state=state) as azure:
        azure.send("DELETE", ACCOUNT, "2021-07-01")
    return ["--estate", "seed", "--state", str(state)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Nobody waits for the sandbox's accounts."""
    monkeypatch.setattr("sovereignmesh.purview.account_apply._SHORTEST", 0.001)
    monkeypatch.setattr("sovereignmesh.purview.account_apply._LONGEST", 0.001)


def test_an_account_is_planned_made_and_then_as_wished(where):
    planned = run("plan", *where, "--detailed-exitcode")
    assert planned.exit_code == 3
    assert planned.output.startswith("+ account sovereign-purview\n")
    assert "1 to create, 0 to update, 0 to delete" in planned.output
    digest = planned.output.strip().rpartition(" ")[2]
    made = run("apply", *where, "--yes", "--expect", digest)
    assert (made.exit_code, made.output.splitlines()[-1]) == (0, "1 done")
    assert run("plan", *where, "--detailed-exitcode").exit_code == 0
    assert run("apply", *where, "--yes").exit_code == 0
    holds = CliRunner().invoke(main, ["purview", "plan", *where])
    assert "11 to create" in holds.output


def test_the_json_fits_the_schema_of_plans(where):
    schema = json.loads(CliRunner().invoke(main, ["schema", "plan"]).stdout)
    told = json.loads(run("plan", *where, "--format", "json").stdout)
    jsonschema.validate(told, schema)
    assert (told["target"], told["changes"][0]["kind"]) == (ACCOUNT, "account")
    applied = run("apply", *where, "--yes", "--format", "json")
    told = json.loads(applied.stdout)
    jsonschema.validate(told, schema)
    assert told["applied"]["complete"]
    assert "+ account sovereign-purview: done" in applied.stderr


def test_nothing_is_written_where_nobody_can_be_asked(where):
    result = run("apply", *where)
    assert (result.exit_code, "--yes" in result.output) == (1, True)
    assert run("plan", *where, "--detailed-exitcode").exit_code == 3


def write(tmp_path, *lines):
    folder = tmp_path / "mesh"
    folder.mkdir()
    text = "\n".join(f"    {line}" for line in ("resourceGroup: governance-rg", "location: westeurope", *lines))
    (folder / "purview.yaml").write_text(f"purview:\n  account: sovereign-purview\n  accountResource:\n{text}\n")
    return str(folder)


def test_what_takes_access_away_wants_force(tmp_path):
    mesh, where = write(tmp_path, "publicNetworkAccess: Disabled"), ["--state", str(tmp_path / "s.json")]
    refused = run("apply", mesh, "--estate", "seed", *where, "--yes")
    assert refused.exit_code == 1
    assert "shuts out everybody who reaches the account over a public network" in refused.output
    assert run("apply", mesh, "--estate", "seed", *where, "--yes", "--force").exit_code == 0
    assert run("plan", mesh, "--estate", "seed", *where, "--detailed-exitcode").exit_code == 0


def test_drift_is_an_error_with_its_place_and_can_be_allowed(tmp_path):
    mesh = write(tmp_path)
    policy = "governancePolicies: {dataResidency: {allowedRegions: [northeurope]}}\n"
    (tmp_path / "mesh" / "policy.yaml").write_text(policy)
    planned = run("plan", mesh, "--estate", "seed")
    assert planned.exit_code == 1
    assert "purview.yaml:5:15: error: the account keeps metadata in westeurope" in planned.output
    applied = run("apply", mesh, "--estate", "seed", "--yes")
    assert (applied.exit_code, "nothing was sent" in applied.output) == (1, True)
    assert run("plan", mesh, "--estate", "seed", "--allow-drift").exit_code == 0


def test_what_failed_is_exit_4(tmp_path):
    mesh, where = write(tmp_path, "tags: {Extra: x}"), ["--estate", "seed", "--state", str(tmp_path / "s.json")]
    failed = run("apply", mesh, *where, "--yes", "--fault", "denied-mid-run:writes@1")
    assert failed.exit_code == 4
    assert "the next apply goes on from here" in failed.output
    assert run("apply", mesh, *where, "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plan", "fixtures/mesh/seed", "--estate", "seed"], 1, "accountResource"),
        (["plan", "--sandbox"], 1, "accountResource"),
        (["plan", "--estate", "seed", "--cloud", "china"], 2, "--cloud"),
        (["plan", "no-such-mesh", "--estate", "seed"], 1, "no mesh at"),
        (["apply", "--estate", "seed", "--format", "json"], 2, "--yes"),
        (["plan", "--estate", "seed", "--fault", "token-rejected"], 1, "az login"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(words, code, said):
    result = run(*words)
    assert result.exit_code == code, result.output
    assert said in result.output
    assert "Traceback" not in result.output
