"""`audit` and `doctor` on the sandbox, as a person types them."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from azure.core.exceptions import ClientAuthenticationError
from click.testing import CliRunner
from clock import open_still
from estates.building import DEPTH_TRUTH

from sovereignmesh import sandbox
from sovereignmesh.cli import audit_options, main
from sovereignmesh.cli.mesh_commands import _audit_schema
from sovereignmesh.errors import ReportError

COLUMNS = ("check", "resource_id", "subject", "state", "severity", "reason")


@pytest.fixture
def real_time():
    """The sandbox as the command opens it, quotas and all."""


@pytest.fixture(autouse=True)
def _no_waits(request, monkeypatch):
    if "real_time" not in request.fixturenames:
        monkeypatch.setattr(sandbox, "open_sandbox", open_still)


def run(*words):
    return CliRunner().invoke(main, list(words))


def test_the_first_command_of_all(real_time):
    result = run("audit", "--sandbox", "--format", "json")
    assert result.exit_code == 3, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(_audit_schema()))
    assert document["complete"]
    truth = [tuple(finding[column] for column in COLUMNS) for finding in json.loads(DEPTH_TRUTH.read_text())]
    assert sorted(tuple(finding[column] for column in COLUMNS) for finding in document["findings"]) == sorted(truth)
    assert document["scope"]["cloud"] == "sandbox"
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


@pytest.mark.parametrize("fault", ["slow-page", "slow-page:lists", "slow-page:permissions"])
def test_a_deadline_ends_in_time(fault, real_time):
    began = time.monotonic()
    result = run("audit", "--sandbox", "--deadline", "2s", "--fault", fault, "--format", "json")
    assert time.monotonic() - began < 9  # a slow page takes ten seconds
    assert result.exit_code in (1, 4), result.output
    assert "deadline" in result.output


# Where the doctor finds nothing missing, the audit has no hole; where it sees no way, there is no audit.
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--sandbox"], 0), (["--estate", "contoso-partial"], 4), (["--sandbox", "--fault", "token-rejected"], 1),
        (["--sandbox", "--fault", "html-always:permissions@2"], 4), (["--sandbox", "--fault", "server-down:graph"], 1),
    ],
)  # fmt: skip
def test_the_doctor_agrees_with_the_audit(words, code):
    assert run("doctor", *words).exit_code == code
    assert run("audit", *words).exit_code == (code or 3)


def test_the_doctor_names_a_sign_in_that_is_refused():
    result = run("doctor", "--sandbox", "--fault", "token-rejected")
    assert "sign-in Azure Resource Manager" in result.stdout
    assert "HTTPS_PROXY" not in result.stdout


def test_a_report_that_cannot_be_written_is_refused_before_the_audit():
    result = run("audit", "--sandbox", "-o", "nowhere/findings.csv")
    assert result.exit_code == 2
    assert "no folder" in result.stderr
    assert run("doctor", "--sandbox", "--shape", "nowhere/shape.json").exit_code == 2


def test_a_csv_of_an_incomplete_audit_is_announced_as_such(tmp_path):
    file = tmp_path / "findings.csv"
    result = run("audit", "--estate", "contoso-partial", "-o", str(file))
    assert "findings alone" in result.stderr
    assert file.exists()


def test_a_waiver_for_what_was_not_read_is_no_waiver_too_many():
    whole = run("audit", "--sandbox")
    part = run("audit", "--sandbox", "--subscription", "sales-dev")
    assert "waiver matches nothing" in whole.stdout
    assert "waiver matches nothing" not in part.stdout


def test_what_passes_is_no_finding_of_the_table():
    shown = run("audit", "--sandbox", "--show-compliant").stdout
    assert shown.splitlines()[:40] == run("audit", "--sandbox").stdout.splitlines()[:40]


@pytest.mark.parametrize("width", ["40", "60", "80"])
def test_no_number_is_cut(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    head = run("audit", "--sandbox").stdout.splitlines()[3:13]
    if width != "40":
        assert all("…" not in line for line in head), head


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


def test_the_doctor_tells_a_role_from_a_network():
    result = run("doctor", "--estate", "contoso-partial")
    assert "role    audit: may not read everything in 2" in result.stdout
    assert "Reader" in result.stdout
    result = run("doctor", "--sandbox", "--fault", "reset-always")
    assert "network Azure Resource Manager" in result.stdout
    assert "HTTPS_PROXY" in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_keeps_what_it_has(tmp_path, number):
    code = (
        "import sys, sovereignmesh.sandbox.faults as faults\n"
        "from sovereignmesh.cli import main\n"
        "def slow(hit):\n"
        "    print('reading', file=sys.stderr, flush=True)\n"
        "    hit.sleep(60)\n"
        "    return hit.reply()\n"
        "import dataclasses\n"
        "faults._FAULTS['slow-page'] = dataclasses.replace(faults._FAULTS['slow-page'], act=slow, nth=4)\n"
        "main(['audit', '--sandbox', '--fault', 'slow-page', '--format', 'json'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stderr.readline() == "reading\n"
        for _ in range(2):  # twice: the second must not lose what the first kept
            process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 4, err
    document = json.loads(out)
    assert not document["complete"]
    assert any("interrupted" in scope["reason"] for scope in document["coverage"]["scopes"])


def test_what_was_read_is_kept_until_the_result_is_written(tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    words = ("audit", "--sandbox", "--subscription", "sales-dev", "--resume", str(kept), "--format", "json")

    def full(*_):
        raise ReportError("report.json: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(audit_options, "write_report", full)
        failed = run(*words, "-o", str(tmp_path / "report.json"))
    assert failed.exit_code == 1
    assert "No space left" in failed.output
    assert kept.exists()
    done = run(*words)
    assert done.exit_code == 3
    assert "known from --resume" in done.stderr
    assert not kept.exists()


def test_a_checkpoint_that_stays_costs_no_result(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    kept = tmp_path / "kept"
    words = ("audit", "--sandbox", "--subscription", "sales-dev", "--resume", str(kept), "--format", "json")
    done = run(*words)
    assert done.exit_code == 3
    assert json.loads(done.stdout)["complete"]
    assert "could not be removed: Permission denied" in done.stderr


def test_a_link_is_no_checkpoint(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    result = run("audit", "--sandbox", "--resume", str(tmp_path / "link"))
    assert result.exit_code == 1
    assert "it is a link" in result.output
