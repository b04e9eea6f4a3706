"""`classify`, as a person runs it."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from sovereignmesh.cli import common, main

RULES = (
    'governancePolicies: {dataClassification: {rules: [{pattern: "segment", classification: "Internal.Segment"}]}}\n'
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in common._LEAN.items():
        monkeypatch.setenv(name, value)  # what the command sets is taken back
    pl.DataFrame({"mail": ["ada@contoso.com"] * 5, "segment": ["a"] * 5}).write_csv("data.csv")
    return lambda *words: CliRunner().invoke(main, ["classify", *words])


def test_the_table_shows_no_value(run):
    result = run("data.csv")
    assert result.exit_code == 0
    assert "MICROSOFT.PERSONAL.EMAIL" in result.stdout
    assert "a***@***.com" in result.stdout
    assert "ada@" not in result.stdout
    assert result.stdout.splitlines()[-1] == "suggested excludedFields: mail"


def test_a_mesh_brings_its_rules(run):
    Path("mesh").mkdir()
    Path("mesh/policy.yaml").write_text(RULES)
    assert "Internal.Segment" in run("data.csv").stdout
    plain = json.loads(run("data.csv", "--mesh", "mesh/policy.yaml", "--format", "json", "--rows", "2").stdout)
    assert (plain["rows"], plain["sampled"]) == (2, True)
    assert plain["columns"][1]["detections"][0]["rule"] == "Internal-Segment"


def test_what_could_not_be_examined_ends_with_4(run):
    pl.DataFrame({"a": [{"b": 1}]}).write_parquet("nested.parquet")
    result = run("nested.parquet")
    assert result.exit_code == 4
    assert "not examined: a: nested" in result.stdout


@pytest.mark.parametrize(("words", "code"), [(("none.csv",), 1), (("data.csv", "--mesh", "none"), 1), (("data.csv", "--rows", "0"), 2)])  # fmt: skip  # noqa: E501
def test_what_cannot_be(run, words, code):
    assert run(*words).exit_code == code
