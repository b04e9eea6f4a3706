"""Real bodies that nobody here wrote: all are counted, judged without a crash, and said in the contract's words."""

import gzip
import json
from importlib.resources import files

import jsonschema
import pytest

from sovereignmesh.audit import audit_inventory
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import REASONS


@pytest.fixture(scope="module")
def audit(recorded, fixtures):
    mesh = load_mesh(fixtures / "mesh" / "contoso")
    return audit_inventory(recorded / "estates" / "recorded-arm.bodies.jsonl.gz", mesh)


def test_every_body_is_counted(audit, recorded):
    with gzip.open(recorded / "estates" / "recorded-arm.bodies.jsonl.gz") as lines:
        count = sum(1 for _ in lines)
    (scope,) = audit.coverage.scopes
    assert scope.read == scope.expected == audit.coverage.resources + audit.coverage.repeated == count
    assert sum(kind.resources for kind in audit.coverage.types) == audit.coverage.resources


def test_the_result_is_the_schema_s(audit):
    schema = json.loads(files("sovereignmesh.result").joinpath("audit.schema.json").read_text())
    jsonschema.validate(audit.to_dict(), schema)


def test_each_unknown_has_a_reason_of_the_list(audit):
    unknown = [finding for finding in audit.findings if finding.state == "unknown"]
    assert unknown
    assert all(REASONS[finding.reason].state == "unknown" for finding in unknown)


def test_the_summary_counts_the_findings(audit):
    for check, counts in audit.summary.items():
        for state in ("non-compliant", "unknown", "exempt"):
            assert counts[state] == sum(1 for f in audit.findings if (f.check, f.state) == (check, state))
