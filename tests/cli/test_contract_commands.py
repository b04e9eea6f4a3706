"""`contract check|diff|project` and `quality`, as a person runs them."""

import datetime as dt
import json
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from click.testing import CliRunner

from sovereignmesh.cli import common, main

AT = "2026-11-24T12:00:00Z"
MESH = """
governancePolicies: {dataResidency: {region: EU, allowedRegions: [westeurope]}}
---
domain: {name: Sales}
---
domain: {name: Customer}
---
dataProduct:
  name: Customer 360
  domain: Customer
  owner: customer-data-team@contoso.com
  dataResidency: {region: EU}
  sla: {freshness: "< 1 hour"}
  qualityMetrics: {completeness: 98, accuracy: 90}
  schema:
    fields:
      - {name: customerId, type: string, required: true, pattern: "C[0-9]+"}
      - {name: segment, type: string, allowedValues: [a, b], severity: low}
      - {name: t, type: timestamp}
    timestampColumn: t
  dataContracts:
    - {consumer: Sales Domain, purpose: Enrichment, fields: [customerId, segment, t], excludedFields: [email]}
"""
MOMENT = dt.datetime(2026, 11, 24, 11, 30, tzinfo=dt.UTC)
GOOD = {"customerId": ["C1", "C2"], "segment": ["a", "b"], "t": [MOMENT, MOMENT]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in common._LEAN.items():
        monkeypatch.setenv(name, value)  # what the command sets is taken back
    Path("mesh.yaml").write_text(MESH)

    def run(data, *words):
        pl.DataFrame(data).write_parquet("data.parquet")
        return CliRunner().invoke(main, [*words, "--mesh", "mesh.yaml", "--at", AT])

    return run


CHECK = ("contract", "check", "data.parquet")


class TestCheck:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({}, 0),
            ({"email": ["e", "e"]}, 3),
            ({"customerId": ["C1", "x"]}, 3),
            ({"customerId": [None, "C2"]}, 3),
            ({"t": [MOMENT - dt.timedelta(hours=2)] * 2}, 3),
            ({"t": [None, None], "email": ["e", "e"]}, 4),
            ({"customerId": [1, 2]}, 4),
        ],
    )
    def test_codes(self, run, change, code):
        result = run({**GOOD, **change}, *CHECK)
        assert result.exit_code == code, result.output

    def test_the_table_says_what_fails_first(self, run):
        result = run({**GOOD, "email": ["e", "e"]}, *CHECK)
        lines = result.stdout.splitlines()
        assert lines[0].startswith("Customer 360 for Sales Domain: NOT OK, ")
        assert lines[2].split()[:2] == ["FAIL", "allowed-fields"]
        assert "email" in lines[2]

    def test_severity(self, run):
        data = {**GOOD, "segment": ["a", "c"]}
        assert run(data, *CHECK).exit_code == 3
        assert run(data, *CHECK, "--fail-on", "never").exit_code == 0
        data["customerId"] = ["x", "C2"]
        assert run(data, *CHECK, "--fail-on", "high").exit_code == 0

    def test_json_and_rows(self, run):
        result = run(
            {**GOOD, "customerId": ["C1", "x"], "email": ["e", "e"]}, *CHECK, "--rows", "5", "--format", "json"
        )
        plain = json.loads(result.stdout)
        (row,) = plain.pop("failing_rows")
        assert (row["row"]["customerId"], row["row"]["email"]) == ("x", "***")
        assert row["broken"] == ["pattern customerId"]
        plain["failing_rows"] = [row]
        schema = json.loads(CliRunner().invoke(main, ["schema", "contract"]).stdout)
        jsonschema.validate(plain, schema)

    def test_rows_in_the_table(self, run):
        result = run({**GOOD, "customerId": ["C1", "x"], "email": ["secret", "secret"]}, *CHECK, "--rows", "5")
        assert "pattern customerId" in result.stdout
        assert "secret" not in result.stdout

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("contract", "check", "none.parquet"), "there is no such file or folder"),
            ((*CHECK, "--product", "Custmer 360"), "did you mean 'Customer 360'"),
            ((*CHECK, "--consumer", "Nobody"), "no contract with 'Nobody'"),
        ],
    )
    def test_one_paragraph_for_what_cannot_be(self, run, words, said):
        result = run(GOOD, *words)
        assert result.exit_code == 1
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1

    def test_a_moment_that_is_none(self, run):
        run(GOOD, *CHECK)
        result = CliRunner().invoke(main, [*CHECK, "--at", "yesterday"])
        assert result.exit_code == 2
        assert "is no moment" in result.stderr


class TestQuality:
    @pytest.mark.parametrize(
        ("change", "code", "words"),
        [
            ({}, 0, "100 %"),
            ({"customerId": [None, "C2"]}, 3, "50 %"),
            ({"customerId": [1, 2]}, 4, "unknown"),
            ({"other": [1, None]}, 3, "87.5 %"),
        ],
    )
    def test_codes(self, run, change, code, words):
        result = run({**GOOD, **change}, "quality", "data.parquet")
        assert result.exit_code == code, result.output
        assert words in result.stdout
        assert "customerId" in result.stdout

    def test_json(self, run):
        result = run({**GOOD, "segment": ["a", None]}, "quality", "data.parquet", "--format", "json")
        plain = json.loads(result.stdout)
        assert plain["quality"]["fields"] == {"customerId": 100, "segment": 50, "t": 100}
        figures = {"completeness", "accuracy", "freshness", "row-count", "present-fields"}
        assert {check["check"] for check in plain["checks"]} == figures
        assert plain["ok"] is False
        jsonschema.validate(plain, json.loads(CliRunner().invoke(main, ["schema", "contract"]).stdout))


class TestDiffAndProject:
    def test_diff(self, run):
        run(GOOD, *CHECK)
        Path("new.yaml").write_text(MESH.replace("completeness: 98", "completeness: 90"))
        result = CliRunner().invoke(main, ["contract", "diff", "mesh.yaml", "new.yaml"])
        assert result.exit_code == 3
        assert "1 change, 1 breaking" in result.stdout
        back = CliRunner().invoke(main, ["contract", "diff", "new.yaml", "mesh.yaml", "--format", "json"])
        assert back.exit_code == 0
        assert json.loads(back.stdout)[0]["breaking"] is False
        same = CliRunner().invoke(main, ["contract", "diff", "mesh.yaml", "mesh.yaml", "--consumer", "sales"])
        assert (same.exit_code, same.stdout) == (0, "nothing changes\n")

    def test_project(self, run):
        run({**GOOD, "email": ["e", "e"]}, *CHECK)
        words = ["contract", "project", "data.parquet", "--mesh", "mesh.yaml", "-o", "out.parquet"]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == ["wrote out.parquet: customerId, segment, t", "left out: email"]
        again = CliRunner().invoke(main, words)
        assert again.exit_code == 1
        assert "is there already" in again.stderr
        assert CliRunner().invoke(main, [*words, "--force"]).exit_code == 0
        assert CliRunner().invoke(main, [*words[:-1], "nowhere/out.csv"]).exit_code == 2
