"""`catalog` on the sandbox, as a person types it."""

import csv
import json

import pytest
from click.testing import CliRunner
from clock import open_still
from estates.building import CATALOG_TRUTH

from sovereignmesh import sandbox
from sovereignmesh.cli import main

TRUTH = json.loads(CATALOG_TRUTH.read_text())
LABELS = sum("label" in one["missing"] for one in TRUTH["findings"])
LACKING = sum(bool({"description", "owner"} & set(one["missing"])) for one in TRUTH["findings"])
MADE = 6  # data sets and processes of the sample mesh's contracts


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    monkeypatch.setattr(sandbox, "open_sandbox", open_still)


def run(*words):
    result = CliRunner().invoke(main, ["catalog", *map(str, words)])
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_audit_apply_audit(tmp_path):
    state = ("--state", tmp_path / "state.json")
    before = run("audit", *state, "--format", "json")
    assert before.exit_code == 3
    told = json.loads(before.stdout)
    assert told["kind"] == "catalog"
    assert told["coverage"]["resources"] == TRUTH["hits"]
    applied = run("apply", *state, "--yes")
    assert (applied.exit_code, applied.stdout.splitlines()[-1]) == (0, f"{LACKING + MADE} done")
    again = run("plan", *state, "--detailed-exitcode")
    assert again.exit_code == 0
    assert "nothing to do," in again.stdout
    after = run("audit", *state, "--format", "json")
    left = [one for one in json.loads(after.stdout)["findings"] if one["state"] != "exempt"]
    assert {one["check"] for one in left} == {"sensitivity-label"}
    assert len(left) == LABELS


def test_the_table_names_what_lacks(tmp_path):
    result = run("audit", "--sandbox")
    assert result.exit_code == 3
    for word in ("sensitivity-label", "asset-owner", "asset-description", "asset-classification"):
        assert word in result.stdout
    assert "\x1b" not in result.stdout, "plain where nobody looks"


def test_reports_in_every_format(tmp_path):
    names = ["catalog.json", "catalog.csv", "catalog.md"]
    files = [tmp_path / name for name in names]
    result = run("audit", "--sandbox", *(word for file in files for word in ("-o", file)))
    assert result.exit_code == 3, result.output
    assert all(file.stat().st_size for file in files)
    rows = list(csv.DictReader(files[1].read_text().splitlines()))
    assert {row["check"] for row in rows} >= {"asset-owner", "sensitivity-label"}
    assert all(row["collection"] for row in rows)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["audit", "--sandbox", "--check", "asset-classification"], 0),
        (["audit", "--sandbox", "--fail-on", "never"], 0),
        (["audit", "--sandbox", "--check", "region"], 2),
        (["audit", "--sandbox", "--account", "nowhere"], 1),
        (["audit", "--sandbox", "--fault", "purview-closed"], 1),
        (["audit", "--sandbox", "--fault", "search-denied-one"], 4),
        (["audit", "--sandbox", "--fault", "entity-lost", "--check", "asset-classification"], 0),
        (["audit", "--sandbox", "--fault", "entity-deleted", "--check", "asset-classification"], 3),
        (["plan", "--sandbox"], 0),
        (["plan", "--sandbox", "--detailed-exitcode"], 3),
        (["plan", "--sandbox", "--to", "unified"], 1),
        (["apply", "--sandbox"], 1),
        (["apply", "--sandbox", "--yes", "--expect", "sha256:0"], 1),
        (["plan", "--sandbox", "--to", "nowhere"], 2),
    ],
)
def test_exit_codes(words, code):
    result = run(*words)
    assert result.exit_code == code, result.output


def test_a_state_tells_its_estate(tmp_path):
    """Who made it with --estate need not say so again."""
    state = tmp_path / "state.json"
    made = run("apply", "--to", "unified", "--estate", "seed-unified", "--state", state, "--yes")
    assert made.exit_code == 0, made.output
    again = run("plan", "--to", "unified", "--state", state)
    assert again.exit_code == 0, again.output
    assert "nothing to do," in again.stdout
    other = run("plan", "--estate", "contoso", "--state", state)
    assert other.exit_code == 1
    assert "is the state of the estate seed-unified, not of contoso: give that estate" in other.output


def test_faults_have_a_line_each():
    lines = run("plan", "--fault", "help").stdout.splitlines()
    assert all("  " in line for line in lines)


def test_a_sandbox_says_where_it_keeps_nothing_and_where_it_begins(tmp_path):
    forgets, begins = (
        "a sandbox without a state forgets what is written to it",
        "is not there yet: a new sandbox begins",
    )
    unified = ("apply", "--to", "unified", "--estate", "seed-unified", "--yes")
    assert forgets in run(*unified).stderr
    first = run(*unified, "--state", tmp_path / "state.json")
    assert begins in first.stderr
    again = run(*unified, "--state", tmp_path / "state.json")
    assert "nothing to do" in again.stdout
    for quiet in (first, again):
        assert forgets not in quiet.stderr
    assert begins not in again.stderr
