"""Every broken mesh of fixtures/mesh/broken says exactly what its expected.txt says, where it says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh import load_mesh, validate

BROKEN = Path(__file__).parents[2] / "fixtures/mesh/broken"
CASES = sorted(folder.name for folder in BROKEN.iterdir())


def test_there_are_many():
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES)
def test_broken(case, monkeypatch):
    monkeypatch.chdir(BROKEN / case)
    expected = [line.split(" ", 1) for line in Path("expected.txt").read_text(encoding="utf-8").splitlines()]
    errors = [problem for problem in validate(".") if problem.severity == "error"]
    for place, fragment in expected:
        assert [p for p in errors if str(p.location) == place and fragment in p.message], (place, fragment, errors)
    assert len(errors) == len(expected), "\n".join(map(str, errors))
    for error in errors:
        assert error.path.startswith("$")
        assert "pydantic" not in str(error)
        assert str(error).isprintable()


@pytest.mark.parametrize("case", CASES)
def test_load_raises_all_of_them(case):
    with pytest.raises(MeshError) as caught:
        load_mesh(BROKEN / case)
    assert list(caught.value.problems) == [p for p in validate(BROKEN / case) if p.severity == "error"]


@pytest.mark.parametrize(
    ("data", "place", "fragment"),
    [
        (b"a: 1\nb: \xff\xfe", "bad.yaml:2:4", "byte 0xff at offset 8 is not UTF-8"),
        (b"a: 1\nb: x\x00", "bad.yaml:2:5", "control character U+0000"),
        (b"a: \x1b[31m", "bad.yaml:1:4", "control character U+001B"),
        ("a: 1".encode("utf-16"), "bad.yaml:1:1", "UTF-16"),
        ("a: 1".encode("utf-16-be"), "bad.yaml:1:1", "UTF-16"),
        (b"#" * 5_000_001, "bad.yaml:1:1", "larger than 5,000,000 bytes"),
        (b"[" * 200, "bad.yaml:1:50", "nested more than 50 levels"),
        (b"", "bad.yaml:1:1", "the document is empty"),
        (b"- a", "bad.yaml:1:1", "found a list, wants a mapping"),
    ],
)
def test_what_is_no_text(data, place, fragment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_bytes(data)
    (problem,) = validate("bad.yaml")
    assert str(problem.location) == place
    assert fragment in problem.message


def test_control_characters_are_escaped(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text('governancePolicies:\n  "\\e[31mred": 1\n  implicitReplicas: "\\e[2J"\n', encoding="utf-8")
    problems = validate(file)
    assert len(problems) == 2
    assert all(str(problem).isprintable() and r"\x1b" in str(problem) for problem in problems)


def test_a_missing_folder_and_an_empty_one_name_init(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        (problem,) = validate(path)
        assert "sovereignmesh init" in problem.message


def test_links_and_hidden_folders(tmp_path):
    root = tmp_path / "mesh"
    (root / ".git").mkdir(parents=True)
    (root / ".git/x.yaml").write_text("nonsense", encoding="utf-8")
    (root / "real.yaml").write_text("domain: {name: Sales}", encoding="utf-8")
    (tmp_path / "secret.yaml").write_text("dataProduct: {}", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (root / "out.yaml").symlink_to("../secret.yaml")
    (root / "outer").symlink_to("../folder")
    (root / "within").symlink_to(".")
    (root / "loop.yaml").symlink_to("loop.yaml")
    (root / "odd.yaml").mkdir()
    (root / "gone.yaml").symlink_to("nothing.yaml")
    problems = validate(root)
    said = {Path(problem.location.file).name: problem.message for problem in problems}
    assert set(said) == {"out.yaml", "outer", "loop.yaml", "gone.yaml"}
    assert "leads out" in said["out.yaml"]
    assert "leads out" in said["outer"]
    assert "cannot be read" in said["loop.yaml"]
    assert "cannot be read" in said["gone.yaml"]


def test_a_file_that_cannot_be_read_leaves_references_open(tmp_path):
    (tmp_path / "a.yaml").write_text("domain: {name: Sales", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("domain: {name: Finance}", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("dataProduct: {name: X, domain: Sales, owner: me}", encoding="utf-8")
    assert [p.location.file.rsplit("/")[-1] for p in validate(tmp_path) if p.severity == "error"] == ["a.yaml"]
