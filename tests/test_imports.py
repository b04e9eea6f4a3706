"""What may import what, and what must stay cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "sovereignmesh"

# Room -> the rooms that it may import, besides those that all may. A new room gets its line with its first module.
MAY_IMPORT = {
    "errors": "",
    "ownfile": "",
    "yamlfile": "",
    "result": "",
    "facts": "",
    "frames": "",
    "contracts": "classification mesh frames patterns",
    "report": "",
    "mesh": "facts patterns",
    "azure": "",
    "patterns": "",
    "plan": "",
    "sandbox": "azure",
    "audit": "mesh facts azure",
    "access": "mesh azure plan purview",
    "purview": "mesh facts azure plan patterns",
    "catalog": "azure mesh audit facts plan",
    "classification": "mesh frames patterns facts",
    "cli": "access audit azure catalog classification contracts facts frames mesh plan purview report sandbox scans "
    "standards",
    "scans": "azure plan purview",
    "standards": "mesh patterns",
}
SHARED = {"errors", "ownfile", "result", "yamlfile"}


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sovereignmesh."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("sovereignmesh."))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path):
    room = room_of(path)
    if room == "__init__":
        return
    allowed = SHARED | {room} | set(MAY_IMPORT[room].split())
    if room in SHARED:
        allowed -= SHARED - {room} - {"errors", "result"}
    assert set(imported_rooms(path)) <= allowed


def test_modules_stay_short():
    long = {str(path): count for path in PACKAGE.rglob("*.py") if (count := len(path.read_text().splitlines())) > 400}
    assert not long


def modules_after(statement):
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


HEAVY = {"azure", "duckdb", "pydantic", "rich", "pandas", "jmespath", "orjson", "yaml", "narwhals", "polars", "pyarrow"}
HEAVY |= {"phonenumbers", "stdnum"}


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import sovereignmesh", set()),
        ("from sovereignmesh.cli import main; main(['--help'], standalone_mode=False)", set()),
        ("import sovereignmesh.result", set()),
        ("import sovereignmesh.facts; sovereignmesh.facts.resource_types()", {"jmespath", "yaml"}),
        ("import sovereignmesh.audit", {"jmespath", "yaml", "orjson"}),
        ("import sovereignmesh.classification", {"jmespath", "pydantic", "yaml"}),
        ("import sovereignmesh.frames", set()),
        ("import sovereignmesh.contracts", {"pydantic", "yaml", "jmespath", "orjson"}),
        ("import sovereignmesh.azure", {"azure", "orjson", "yaml"}),
    ],
)
def test_nothing_heavy_comes_along(statement, heavy):
    assert modules_after(statement) & HEAVY <= heavy
