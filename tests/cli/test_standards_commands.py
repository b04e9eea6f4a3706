import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sovereignmesh.cli import main
from sovereignmesh.mesh import load_mesh, validate


@pytest.fixture
def run(tmp_path, monkeypatch, fixtures):
    monkeypatch.chdir(tmp_path)
    Path("mesh").symlink_to(fixtures / "mesh/contoso")

    def invoke(*words):
        return CliRunner().invoke(main, [str(word) for word in words], prog_name="sovereignmesh")

    return invoke


def product_named(name):
    return next(product for product in load_mesh("mesh").products if product.name == name)


@pytest.mark.parametrize("version", ["3.2", "3.1", "3.0"])
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_contract_there_and_back(run, version, suffix):
    file = f"c.odcs.{suffix}"
    options = ("--product", "customer 360", "--consumer", "sales", "--odcs", version, "-o", file)
    written = run("contract", "export", *options)
    assert (written.exit_code, written.output) == (0, f"wrote {file}\n")
    read = run("contract", "import", file, "--odcs", version, "-o", "p.yaml")
    assert (read.exit_code, read.stdout, read.stderr) == (0, "wrote p.yaml\n", "")
    again = run("contract", "export", *options)
    assert (again.exit_code, "exists, and is not overwritten" in again.stderr) == (1, True)
    assert run("contract", "import", file).stdout == Path("p.yaml").read_text()


def test_a_product_there_and_back(run, fixtures):
    written = run("product", "export", "--product", "Customer/Customer 360", "-o", "out")
    assert written.exit_code == 0
    assert written.stdout.splitlines()[0] == "wrote out/customer_360.odps.yaml"
    read = run("product", "import", "out", "-o", "p.yaml")
    assert (read.exit_code, read.stdout, read.stderr) == (0, "wrote p.yaml\n", "")
    Path("new").mkdir()
    for file in (fixtures / "mesh/contoso").rglob("*.yaml"):
        if file.name != "customer-360.yaml":
            (Path("new") / file.name).write_text(file.read_text())
    Path("new/p.yaml").write_text(Path("p.yaml").read_text())
    assert [problem for problem in validate("new") if problem.severity == "error"] == []
    name = "Customer 360"
    (found,) = [product for product in load_mesh("new").products if product.name == name]
    assert found == product_named(name)
    again = run("product", "export", "--product", name, "-o", "out")
    assert (again.exit_code, "exists, and is not overwritten" in again.stderr) == (1, True)


def test_a_product_in_one_file(run):
    assert run("product", "export", "--product", "Customer 360", "-o", "all.yaml").exit_code == 0
    assert Path("all.yaml").read_text() == run("product", "export", "--product", "Customer 360").stdout
    read = run("product", "import", "all.yaml")
    assert (read.exit_code, read.stderr) == (0, "")
    refused = run("product", "export", "--product", "Customer 360", "-o", "all.json")
    assert (refused.exit_code, "give a folder" in refused.stderr) == (2, True)


def test_what_is_not_taken_over_is_told(run):
    run("contract", "export", "--product", "Customer 360", "--consumer", "Sales", "-o", "c.json")
    document = json.loads(Path("c.json").read_text())
    Path("c.json").write_text(json.dumps(document | {"tenant": "Contoso"}, indent=1))
    read = run("contract", "import", "c.json")
    assert read.exit_code == 0
    assert read.stdout.startswith("dataProduct:\n")
    assert read.stderr.endswith(": warning: 'tenant' is not taken over ($.tenant)\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--product", "Custmer 360", "--consumer", "Sales"), "no product 'Custmer 360'; did you mean 'Customer 360'?"),
        (("--product", "Customer 360", "--consumer", "Nobody"), "no contract with 'Nobody'"),
        (("--product", "Customer 360", "--consumer", "Sales", "--mesh", "nowhere"), "no mesh at nowhere"),
    ],
)
def test_what_is_not_there(run, words, message):
    result = run("contract", "export", *words)
    assert result.exit_code == 1
    assert message in (result.stderr or str(result.exception))


def test_usage(run):
    assert run("product", "import").exit_code == 2
    assert run("product", "export", "--product", "Customer 360", "--odps", "0.9").exit_code == 2
    assert run("product", "import", "nowhere.yaml").exit_code == 1
    assert run("contract", "import", "c.yaml", "--odcs", "2.2").exit_code == 2
    for words in (("product", "--help"), ("product", "export", "--help"), ("product", "import", "--help")):
        assert "Example: sovereignmesh product" in run(*words).stdout
    for word in ("export", "import"):
        assert "Example: sovereignmesh contract" in run("contract", word, "--help").stdout
