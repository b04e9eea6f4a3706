"""The documents do what they say."""

import importlib.util
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from sovereignmesh.cli import main
from sovereignmesh.mesh import validate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


LIVE = ("audit", "doctor")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def docs_script():
    spec = importlib.util.spec_from_file_location("docs", ROOT / "scripts" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    ["docs/coverage.md", "docs/children.md", "docs/controls.md", "docs/reasons.md", "docs/commands.md", "docs/mesh.md",
     "docs/purview.md", "README.md"],
)  # fmt: skip
def test_what_is_written_from_the_code_is_in_step(name):
    assert (ROOT / name).read_text() == docs_script().DOCUMENTS[name](), "run scripts/docs.py"


def test_the_notebook_s_cells_run(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    for cell in blocks("python"):
        exec(cell, names)
    assert len(names["audit"].findings) > 0
    assert capsys.readouterr().out.splitlines() == [
        "fog-sales-prod Primary ['UK South']",
        "Completeness below threshold: 75 %: segment 50 %, expected at least 98 %",
    ]
    assert "sm-audit" in names["audit"]._repr_html_()
    assert [source.name for source in names["purview"].sources.list()] == ["sales"]
    assert (names["published"].complete, len(names["published"])) == (True, 4)


def test_the_commands_run_as_written(tmp_path, monkeypatch, fixtures):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sovereignmesh.scans.watch._FIRST", 0.0)  # nobody waits for the sandbox's scans
    rows = [json.loads(line) for line in (fixtures / "estates" / "contoso.jsonl").read_text().splitlines()]
    containers = [row for row in rows if row["type"].startswith("microsoft.resources/")]
    for name, page in (("containers", containers), ("resources", [row for row in rows if row not in containers])):
        answer = {"count": len(page), "data": page, "skip_token": None, "total_records": len(page)}
        Path(f"{name}.json").write_text(json.dumps(answer, indent=2))
    Path("plan.json").write_bytes((fixtures / "plans" / "terraform.json").read_bytes())
    (product,) = (text for text in blocks("yaml") if text.startswith("dataProduct:"))
    Path("product.yaml").write_text(product)
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    codes = []
    for line in lines:
        if line.startswith(("cat ", "printf ")):
            subprocess.run(line, shell=True, check=True)
        elif line.startswith("sovereignmesh "):
            words = shlex.split(line)[1:]
            if words[0] in LIVE and not {"--inventory", "--estate", "--sandbox"} & set(words):
                words.append("--sandbox")  # there is no account here
            codes.append(CliRunner().invoke(main, words).exit_code)
    assert codes == [3, 0, 0, 0, 3, 4, 3, 4, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 3, 0, 0, 0, 0, 0, 3, 3, 0, 0]
    assert Path("findings.csv").exists()
    assert Path("summary.md").read_text().startswith("## Data sovereignty: not compliant, incomplete")
    assert not Path("audit.resume").exists(), "all was read"


def test_the_documents_of_a_mesh_are_right(tmp_path):
    documents = [text for text in blocks("yaml") if text.startswith("purview:")]
    for number, text in enumerate(documents):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        assert validate(file) == []
    assert len(documents) == 2


def test_every_link_between_documents_leads_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_fact_tables_page_s_examples_load():
    from sovereignmesh.facts import load_rows
    from sovereignmesh.facts.children import load_reads
    from sovereignmesh.yamlfile import parse

    text = (ROOT / "docs" / "fact-tables.md").read_text()
    *rows, reads = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    loaded = load_rows(parse("".join(rows).encode(), "fact-tables.md").value, "fact-tables.md")
    assert [set(row.rules) for row in loaded] == [
        {"customer-managed-key", "replica-region"}, {"log-region"}, {"processing-region"},
    ]  # fmt: skip
    (read,) = load_reads(parse(reads.encode(), "fact-tables.md").value, "fact-tables.md")
    assert read.checks == {"replica-region"}


def test_fixtures_hold_no_secret_and_no_address_but_contoso_s():
    secret = re.compile(
        r"AccountKey=|SharedAccessKey|sig=[A-Za-z0-9%]{20}|eyJ[A-Za-z0-9_-]{20,}\.|-----BEGIN|"
        r"(?:password|secret|connectionString)\"\s*:\s*\"[^\"]{6,}\"|[A-Za-z0-9+/]{86}==",
        re.IGNORECASE,
    )
    address = re.compile(r"[\w.+-]+@(?!contoso\.(?:com|eu|onmicrosoft\.com)|domain\b)[\w-]+\.[\w.]+")
    for path in (ROOT / "fixtures").rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not secret.search(text), path
            assert not address.search(text), path


def test_words_speak_of_the_project_alone():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:  # an unpacked archive
        return
    machine = re.compile(r"/(?:work|root)/\w|" + "/" + r"tmp/\w")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".txt", ""} and path.is_file() and path != Path(__file__):
            assert not machine.search(path.read_text(errors="replace")), name
