import csv
import json
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from sovereignmesh.cli import _COMMANDS, main
from sovereignmesh.errors import InventoryError, MeshError

GOOD = {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", "name": "v",
    "type": "microsoft.network/virtualnetworks", "location": "westeurope",
}  # fmt: skip
BAD = {**GOOD, "id": GOOD["id"] + "2", "location": "eastus"}
UNKNOWN = {**GOOD, "id": GOOD["id"] + "3", "location": "Atlantis"}
MEDIUM = {**GOOD, "id": GOOD["id"] + "4", "location": "francecentral"}
MESH = "governancePolicies:\n  dataResidency: {enforced: true, allowedRegions: [westeurope]}\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "policy.yaml").write_text(MESH)

    def run(*rows, args=(), tail=""):
        (tmp_path / "export.jsonl").write_text("\n".join(map(json.dumps, rows)) + tail)
        monkeypatch.chdir(tmp_path)
        return CliRunner().invoke(main, ["audit", "mesh", "--inventory", "export.jsonl", *args])

    return run


@pytest.mark.parametrize(
    ("rows", "tail", "args", "code"),
    [
        ([GOOD], "", [], 0),
        ([GOOD, BAD], "", [], 3),
        ([GOOD, UNKNOWN], "", [], 3),
        ([GOOD, UNKNOWN], "", ["--allow-unknown"], 0),
        ([GOOD, BAD], "", ["--fail-on", "never"], 0),
        ([GOOD, MEDIUM], "", ["--fail-on", "high"], 0),
        ([GOOD, MEDIUM], "", ["--fail-on", "medium"], 3),
        ([GOOD, BAD], "\n{", [], 4),
        ([GOOD], "\n{", ["--fail-on", "never"], 4),
        ([], "", [], 4),
        ([GOOD, BAD], "", ["--check", "replica-region"], 0),
        ([GOOD], "", ["--check", "everything"], 2),
        ([GOOD], "", ["-o", "findings.docx"], 2),
        ([GOOD], "", ["--fail-on", "extreme"], 2),
    ],
)
def test_exit_codes(run, rows, tail, args, code):
    result = run(*rows, args=args, tail=tail)
    assert result.exit_code == code, result.output


def test_json_goes_to_standard_output_alone(run):
    result = run(GOOD, BAD, args=["--format", "json"])
    document = json.loads(result.stdout)
    assert document["summary"]["region"]["non-compliant"] == 1
    assert result.stderr == ""


def test_reports_are_written_beside_the_table(run, tmp_path):
    result = run(GOOD, BAD, args=["-o", "a.csv", "-o", "a.json", "--show-compliant"])
    assert "NOT COMPLIANT" in result.stdout
    with (tmp_path / "a.csv").open() as file:
        assert [row["state"] for row in csv.DictReader(file) if row["check"] == "region"] == [
            "non-compliant", "compliant",
        ]  # fmt: skip
    assert json.loads((tmp_path / "a.json").read_text())["schema"] == "sovereignmesh.audit/v1"


def test_errors_are_one_paragraph_on_standard_error(run, tmp_path):
    result = CliRunner().invoke(main, ["audit", str(tmp_path / "nothing"), "--inventory", "x"])
    assert result.exit_code == 1
    assert "sovereignmesh init" in result.stderr
    assert result.stdout == ""
    missing = run(GOOD, args=["--inventory", "missing.jsonl"])
    assert missing.exit_code == 1
    assert "az graph query" in missing.stderr
    assert isinstance(
        CliRunner().invoke(main, ["--debug", "audit", str(tmp_path / "mesh"), "--inventory", "x"]).exception,
        InventoryError,
    )
    (tmp_path / "mesh" / "policy.yaml").write_text("governancePolicies: [")
    assert run(GOOD).exit_code == 1
    assert isinstance(
        CliRunner().invoke(main, ["--debug", "audit", str(tmp_path / "mesh"), "--inventory", "x"]).exception, MeshError
    )


def test_the_export_can_come_from_a_pipe(run, tmp_path):
    run(GOOD)
    command = [sys.executable, "-c", "from sovereignmesh.cli import main; main()", "audit", "mesh", "--inventory", "-"]
    done = subprocess.run(command, input=json.dumps(BAD), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 3
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_has_an_example_and_the_line_of_the_list(name):
    shown = CliRunner().invoke(main, [name, "--help"]).output
    assert f"sovereignmesh {name}" in " ".join(re.split("Examples?:", shown)[1].split())
    command = main.get_command(click.Context(main), name)
    assert command.get_short_help_str(200).rstrip(".").split(" (")[0] in command.help.replace("\n", " ")


def test_an_unknown_command_is_wrong_usage():
    assert CliRunner().invoke(main, ["adit"]).exit_code == 2


def test_a_report_never_replaces_the_inventory(run, tmp_path):
    result = run(GOOD, args=["--inventory", "export.json", "-o", "export.json"])
    assert result.exit_code == 1  # there is no such file yet
    (tmp_path / "export.json").write_text(json.dumps(GOOD))
    result = run(GOOD, args=["--inventory", "export.json", "-o", "export.json"])
    assert result.exit_code == 2
    assert json.loads((tmp_path / "export.json").read_text()) == GOOD


@pytest.mark.parametrize(
    "args", [["validate", "x" * 5000], ["init", "x" * 5000], ["audit", "x" * 5000, "--inventory", "y"]]
)
def test_what_the_system_refuses_is_one_message(args):
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


def test_a_name_in_a_message_cannot_move_the_cursor(run):
    result = run(GOOD, args=["--inventory", "no\r\x07\x1b[2Jpe"])
    assert result.exit_code == 1
    assert all(line.isprintable() for line in result.stderr.splitlines())


def test_an_output_that_knows_only_ascii_gets_no_traceback(run, tmp_path):
    run(GOOD, BAD)
    command = [
        sys.executable,
        "-c",
        "from sovereignmesh.cli import main; main()",
        "audit",
        "mesh",
        "--inventory",
        "export.jsonl",
    ]
    done = subprocess.run(
        command, capture_output=True, cwd=tmp_path, check=False, env={"PYTHONIOENCODING": "ascii", "COLUMNS": "0"}
    )
    assert done.returncode == 3
    assert b"####" in done.stdout
    assert done.stdout.isascii()
