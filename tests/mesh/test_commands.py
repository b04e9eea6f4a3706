import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from sovereignmesh.cli import main
from sovereignmesh.mesh import load_mesh
from sovereignmesh.mesh.json_schema import schema


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def test_init_then_validate_is_clean(run):
    written = run("init")
    assert written.exit_code == 0
    result = run("validate")
    assert (result.exit_code, result.stdout) == (0, "mesh: 0 errors, 0 warnings\n")
    assert [rule.name for rule in load_mesh("mesh").policy_for(None).tags] == [
        "Domain", "DataOwner", "Classification", "Region",
    ]  # fmt: skip
    assert json.loads(Path("mesh/sovereignmesh.schema.json").read_text(encoding="utf-8")) == schema()
    for file in Path("mesh").rglob("*.yaml"):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        reference = first.removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / reference).resolve() == Path("mesh/sovereignmesh.schema.json").resolve()


def test_init_overwrites_nothing(run):
    Path("here/domains").mkdir(parents=True)
    Path("here/domains/sales.yaml").write_text("mine", encoding="utf-8")
    result = run("init", "here")
    assert result.exit_code == 1
    assert "here/domains/sales.yaml" in result.stderr
    assert [file for file in Path("here").rglob("*") if file.is_file()] == [Path("here/domains/sales.yaml")]


def test_init_where_a_file_is(run):
    Path("file").write_text("", encoding="utf-8")
    result = run("init", "file")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_validate_prints_a_line_for_each_problem(run, fixtures):
    result = run("validate", fixtures / "mesh/broken/11-wrong-types")
    *problems, summary = result.stdout.splitlines()
    assert result.exit_code == 1
    assert result.stderr == ""
    assert len(problems) == 3
    path = "$.governancePolicies.dataResidency.enforced"
    assert problems[0].endswith(f"policy.yaml:3:15: error: found the string 'true', wants true or false ({path})")
    assert summary.endswith(": 3 errors, 0 warnings")


def test_warnings_are_allowed(run, fixtures):
    result = run("validate", fixtures / "mesh/contoso")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].endswith(": 0 errors, 1 warning")


def test_names_are_relative_to_where_we_are(run):
    Path("mesh").mkdir()
    Path("mesh/x.yaml").write_text("nonsense: 1", encoding="utf-8")
    assert run("validate", Path("mesh").resolve()).stdout.startswith("mesh/x.yaml:1:1: error:")


def test_no_mesh_names_init(run):
    result = run("validate")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "sovereignmesh init" in result.stderr


def test_schemas(run):
    assert json.loads(run("schema", "mesh").stdout) == schema()
    assert json.loads(run("schema", "audit").stdout)["$schema"].startswith("https://json-schema.org/")
    assert run("schema", "mesh", "-o", "s.json").stdout == ""
    assert json.loads(Path("s.json").read_text(encoding="utf-8")) == schema()
    refused = run("schema", "mesh", "-o", "no/where.json")
    assert refused.exit_code == 1
    assert "cannot be written" in refused.stderr


def test_usage(run):
    assert run("schema", "nonsense").exit_code == 2
    assert run("validate", "a", "b").exit_code == 2


@pytest.mark.parametrize("command", ["init", "validate", "schema"])
def test_help_has_an_example(run, command):
    assert f"Example: sovereignmesh {command}" in run(command, "--help").stdout


def test_templates_are_plain_yaml_for_any_reader(run):
    run("init")
    for file in Path("mesh").rglob("*.yaml"):
        assert len(yaml.safe_load(file.read_text(encoding="utf-8"))) == 1
