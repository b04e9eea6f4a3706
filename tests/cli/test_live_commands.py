"""`audit` and `doctor` on the sandbox, as a person types them."""

import json
import signal
import subprocess
import sys
import time

import jsonschema
import pytest
from azure.core.exceptions import ClientAuthenticationError
from click.testing import CliRunner
from estates.building import TRUTH

from sovereignmesh.cli import main
from sovereignmesh.cli.mesh_commands import _audit_schema

COLUMNS = ("check", "resource_id", "subject", "state", "severity", "reason")


def run(*words):
    return CliRunner().invoke(main, list(words))


def test_the_first_command_of_all():
    result = run("audit", "--sandbox", "--format", "json")
    assert result.exit_code == 3, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(_audit_schema()))
    assert document["complete"]
    truth = [tuple(finding[column] for column in COLUMNS) for finding in json.loads(TRUTH.read_text())]
    assert sorted(tuple(finding[column] for column in COLUMNS) for finding in document["findings"]) == sorted(truth)
    assert document["scope"]["cloud"] == "public"
    assert {scope["kind"] for scope in document["coverage"]["scopes"]} == {"subscription"}


def test_holes_come_before_findings():
    result = run("audit", "--estate", "contoso-partial", "--format", "json")
    assert result.exit_code == 4
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(_audit_schema()))
    assert [scope["state"] for scope in document["coverage"]["scopes"] if scope["state"] != "read"]


def test_the_table_names_the_holes():
    result = run("audit", "--estate", "contoso-partial")
    assert result.exit_code == 4
    text = " ".join(result.stdout.split())
    for words in ("partial customer-dev", "denied sales-dev", "not among the subscriptions that you can see"):
        assert words in text
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["audit", "--sandbox", "--subscription", "sales-prod"], 3, ""),
        (["audit", "--sandbox", "--management-group", "mg-finance", "--exclude", "finance-dev"], 3, ""),
        (["audit", "--sandbox", "--subscription", "sales-prd"], 1, "sales-prd"),
        (["audit", "--sandbox", "--subscription", "sales-prd", "--subscription", "sales-prod"], 4, ""),
        (["audit", "--sandbox", "--management-group", "mg-none"], 1, "mg-none"),
        (["audit", "--sandbox", "--exclude", "nobody"], 1, "nobody"),
        (["audit", "--estate", "nowhere"], 1, "contoso"),
        (["audit", "--sandbox", "--fault", "nonsense"], 1, "throttled"),
        (["audit", "--sandbox", "--fault", "denied-mid-run:graph@1"], 1, "AuthorizationFailed"),
        (["audit", "--sandbox", "--fault", "throttled-a-day"], 1, "86400"),
        (["audit", "--sandbox", "--fault", "token-rejected"], 1, "az login"),
        (["audit", "--sandbox", "--cloud", "china"], 2, "--sandbox"),
        (["audit", "--fault", "html"], 2, "--sandbox"),
        (["audit", "--sandbox", "--deadline", "soon"], 2, "90s"),
        (["audit", "--sandbox", "--deadline", "0"], 2, "90s"),
        (["audit", "--inventory", "x.json", "--subscription", "y"], 2, "--subscription"),
        (["audit", "--inventory", "x.json", "--sandbox"], 2, "--sandbox"),
        (["audit", "--cloud", "mars", "mesh"], 1, "usgovernment"),
        (["doctor", "--sandbox"], 0, ""),
        (["doctor", "--estate", "contoso-partial"], 4, ""),
        (["doctor", "--sandbox", "--fault", "token-rejected"], 1, ""),
    ],
)  # fmt: skip
def test_every_way_ends_as_it_says(words, code, told):
    result = run(*words)
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_the_faults_are_listed():
    result = run("audit", "--fault", "help")
    assert result.exit_code == 0
    assert "row-twice" in result.stdout


def test_without_a_credential_the_way_is_shown(monkeypatch, fixtures):
    class Nobody:
        def __init__(self, **_):
            pass

        def get_token(self, *_, **__):
            raise ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token.\nAttempted: all")

    monkeypatch.setattr("azure.identity.DefaultAzureCredential", Nobody)
    result = run("audit", str(fixtures / "mesh" / "contoso"))
    assert result.exit_code == 1
    assert "az login" in result.stderr
    assert "--sandbox" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_deadline_too_short_still_ends_with_what_there_is():
    result = run("audit", "--sandbox", "--deadline", "20s", "--fault", "throttled:graph@3", "--format", "json")
    assert result.exit_code in (3, 4)


def test_the_doctor_says_who_and_what(tmp_path):
    file = tmp_path / "shape.json"
    result = run("doctor", "--sandbox", "--shape", str(file))
    assert "may read everything in 6" in result.stdout
    shape = json.loads(file.read_text())
    assert shape["schema"] == "sovereignmesh.shape/v1"
    accounts = shape["types"]["microsoft.storage/storageaccounts"]
    (found,) = accounts.values()
    assert found["paths"]["properties.encryption.keySource"] == ["string"]
    text = file.read_text().lower()
    for word in ("contoso", "sales", "westeurope", "1111", 'microsoft.keyvault"', "standard_"):
        assert word not in text, word


def test_the_doctor_tells_a_role_from_a_network(monkeypatch):
    result = run("doctor", "--estate", "contoso-partial")
    assert "role    audit: may not read everything in 2" in result.stdout
    assert "Reader" in result.stdout
    result = run("doctor", "--sandbox", "--fault", "reset-always")
    assert "network Azure Resource Manager" in result.stdout
    assert "HTTPS_PROXY" in result.stdout


def test_an_interrupted_command_keeps_what_it_has(tmp_path):
    code = "import sys; from sovereignmesh.cli import main; sys.argv[0] = 'sovereignmesh'; main()"
    words = ["audit", "--sandbox", "--fault", "slow-page:graph@4", "--format", "json"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        time.sleep(0)
        for _ in range(100):  # until it reads: it says nothing before
            if process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 4, err
    document = json.loads(out)
    assert not document["complete"]
    assert any("interrupted" in scope["reason"] for scope in document["coverage"]["scopes"])
