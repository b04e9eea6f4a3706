"""Every case in fixtures/resources: what its row makes of a body that the project did not write."""

import json
import re
from pathlib import Path

import pytest
from bodies import deletions, without

from sovereignmesh.audit import audit_inventory
from sovereignmesh.facts import find_resource_type
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import AZURE_CHECKS

FOLDER = Path(__file__).parents[2] / "fixtures" / "resources"
CASES = {str(path.relative_to(FOLDER)): json.loads(path.read_text()) for path in sorted(FOLDER.rglob("*.json"))}


@pytest.fixture(scope="module")
def mesh(fixtures):
    return load_mesh(fixtures / "mesh" / "cases")


def judged(mesh, case):
    """{check: {subject: "state reason"}} of the case's resource."""
    rows = [case["resource"], *case.get("with", [])]
    audit = audit_inventory(rows, mesh, checks=AZURE_CHECKS, show_compliant=True)
    found = {}
    for finding in audit.findings:
        if finding.resource_id == case["resource"]["id"]:
            words = f"{finding.state} {finding.reason}".strip()
            found.setdefault(finding.check, {})[finding.subject] = words
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_judged_as_documentation_says(mesh, name):
    case = CASES[name]
    found = judged(mesh, case)
    expected = {check: want if isinstance(want, dict) else {"": want} for check, want in case["expect"].items()}
    assert {check: found.get(check) for check in expected} == expected


@pytest.mark.parametrize("name", CASES)
def test_a_case_says_where_its_body_comes_from(name):
    case = CASES[name]
    assert case["from"].startswith("https://")
    assert case["expect"]
    assert set(case) <= {"from", "resource", "with", "expect", "note"}
    kind = case["resource"]["type"].lower()
    assert name.startswith(kind + "/"), "the folder is the type"
    assert find_resource_type(kind), "a case without a row"


@pytest.mark.parametrize("name", CASES)
def test_deleting_a_fact_never_makes_compliant(mesh, name):
    case = CASES[name]
    before = judged(mesh, case)
    failing = {check for check, words in before.items() if fails(words)}
    for path in deletions(case["resource"]):
        if path in (("id",), ("type",)):
            continue  # nothing is judged without them: a gap
        after = judged(mesh, {**case, "resource": without(case["resource"], path)})
        for check in failing:
            reasons = {words.partition(" ")[2] for words in after[check].values()}
            assert fails(after[check]) or reasons <= SETTLED_BY_ABSENCE.get(check, set()), (check, path)
            if reasons == {"no-customer-key"}:
                assert fails(after["customer-managed-key"]), path


def fails(words):
    return any(re.match("non-compliant|unknown", word) for word in words.values())


# Where documentation says what an absent property means, the check stops to apply. It is never compliant by that.
SETTLED_BY_ABSENCE = {
    "key-residency": {"no-customer-key"},
    "replica-region": {"no-copy", "documented-exception"},
    "backup-region": {"no-copy"},
    "log-region": {"no-copy"},
    "public-access": {"held-elsewhere"},
}
