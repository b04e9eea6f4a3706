"""The sample estate: what was planted is found, exactly, and nothing else."""

import json
import random
import re
from collections import Counter

import pytest
from bodies import deletions, without
from estates.building import BUILD, SAMPLE, TRUTH

from sovereignmesh.audit import audit_inventory
from sovereignmesh.audit.engine import CHECKS_OF_AN_INVENTORY
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import REASONS

CONTAINERS = ("microsoft.resources/subscriptions", "microsoft.resources/subscriptions/resourcegroups")
# What cannot be said under this mesh, which reports edge caches and wants no keys in hardware; nor of what is there, as
# it is of plans; nor where every child can be read.
UNREACHABLE = {
    "edge-cache",
    "key-type-unknown",
    "key-not-in-hardware",
    "not-before-deployment",
    "not-translated",
    "child-not-read",
    "no-reference-seen",
}
# What only assets in a catalog have.
OF_ASSETS = {
    "asset-not-read",
    "classified-against-product",
    "columns-not-read",
    "label-support-unknown",
    "no-description",
    "no-label",
    "no-owner",
}


# Those that a list of resources shows.
NAMES = [planting.name for planting in BUILD.PLANTINGS if planting.findings("inventory")]


@pytest.fixture(scope="module")
def mesh(fixtures):
    return load_mesh(fixtures / "mesh" / "contoso")


@pytest.fixture(scope="module")
def estate():
    return BUILD.build_estate()


def found(audit):
    return {(f.check, f.resource_id, f.subject, f.state, f.severity, f.reason) for f in audit.findings}


def expected(findings):
    columns = ("check", "resource_id", "subject", "state", "severity", "reason")
    return {tuple(finding[column] for column in columns) for finding in findings}


def planted_by(name):
    """What the planting brings about."""
    return expected(BUILD.truth()) - expected(BUILD.truth(without=[name]))


def test_names_are_made_up(estate):
    text = json.dumps(estate)
    assert set(re.findall(r"[\w.+-]+@([\w.-]+)", text)) == {"contoso.com"}
    guids = re.findall(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", text)
    assert guids
    for guid in guids:
        assert guid.startswith("00000000-0000-0000-0000-0000") or len(set(guid)) == 2, guid


def test_the_findings_are_many_and_varied(estate, mesh, now):
    audit = audit_inventory(estate, mesh, now=now)
    assert {summary.domain for summary in audit.domains} >= {"Sales", "Customer", "Finance"}
    assert audit.complete
    for check in CHECKS_OF_AN_INVENTORY:
        failing = [f for f in audit.findings if f.check == check and f.state == "non-compliant"]
        assert len(failing) >= 3, check
        assert len({f.resource_type.lower() for f in failing}) >= 3, check


def test_every_reason_for_a_finding_is_planted():
    planted = {finding["reason"] for depth in BUILD.DEPTHS for finding in BUILD.truth(depth=depth)}
    wanted = {code for code, reason in REASONS.items() if reason.state in ("non-compliant", "unknown")}
    assert wanted - planted == UNREACHABLE | OF_ASSETS


def test_plantings_are_apart_from_each_other():
    touched = [owner for planting in BUILD.PLANTINGS for owner in (planting.resource, *planting.elsewhere)]
    assert [name for name, count in Counter(touched).items() if count > 1] == []
    assert len(NAMES) == len(set(NAMES)) >= 150
    assert len(BUILD.PLANTINGS) >= len(NAMES) + 10


def test_what_is_found_is_what_was_planted(estate, mesh, now):
    assert found(audit_inventory(estate, mesh, now=now)) == expected(BUILD.truth())
    assert found(audit_inventory(SAMPLE, mesh, now=now)) == expected(json.loads(TRUTH.read_text(encoding="utf-8")))


def test_without_plantings_there_is_nothing_to_find(mesh, now):
    audit = audit_inventory(BUILD.build_base(), mesh, now=now)
    assert found(audit) == expected(BUILD.base_truth())  # what only children tell
    assert not audit.fails_at("low", allow_unknown=True)
    assert audit.complete


def test_the_waivers_do_what_they_say(estate, mesh, now):
    audit = audit_inventory(estate, mesh, now=now)
    assert [(waiver.state, waiver.findings) for waiver in audit.policy.waivers] == [
        ("in force", 1), ("expired", 0), ("matches nothing", 0),
    ]  # fmt: skip
    (exempt,) = [finding for finding in audit.findings if finding.state == "exempt"]
    assert exempt.waiver["owner"] == "sales-data-team@contoso.com"


@pytest.mark.parametrize("name", NAMES)
def test_a_planting_taken_back_takes_its_findings_and_no_others(mesh, now, name):
    everything = expected(BUILD.truth())
    own = planted_by(name)
    assert own
    assert found(audit_inventory(BUILD.build_estate(without=[name]), mesh, now=now)) == everything - own


def plain(audit):
    return {key: value for key, value in audit.to_dict().items() if key not in ("started_at", "finished_at")}


@pytest.mark.parametrize("order", ["reversed", 1, 2, 3])
def test_the_order_of_rows_never_changes_the_result(estate, mesh, now, order):
    rows = estate[::-1]
    if order != "reversed":
        random.Random(order).shuffle(rows)
    assert plain(audit_inventory(rows, mesh, now=now)) == plain(audit_inventory(estate, mesh, now=now))


def surroundings(estate, row):
    """What the row is judged by: its containers, and every vault and key holder that its body names."""
    text = json.dumps(row).lower()
    for other in estate:
        own = other["id"].lower()
        if own == row["id"].lower():
            continue
        inside = other["type"] in CONTAINERS and row["id"].lower().startswith(own + "/")
        vault = other["type"].startswith("microsoft.keyvault/") and f"{other['name'].lower()}." in text
        if inside or vault or f'"{own}"' in text:
            yield other


FAILING = {}
for finding in BUILD.truth():
    FAILING.setdefault(finding["resource_id"], set()).add(finding["check"])


@pytest.mark.parametrize("resource_id", FAILING)
def test_deleting_a_property_never_makes_compliant(estate, mesh, now, resource_id):
    (row,) = [row for row in estate if row["id"] == resource_id]
    around = list(surroundings(estate, row))
    checks = FAILING[resource_id]
    for path in deletions(row):
        if path in (("id",), ("type",)):  # no resource any more: a gap
            continue
        rows = [*around, without(row, path)]
        states = {}
        for judged in audit_inventory(rows, mesh, checks=checks, show_compliant=True, now=now).findings:
            if judged.resource_id == resource_id:
                states.setdefault(judged.check, set()).add(judged.state)
        for check in checks:
            assert states.get(check, {"compliant"}) != {"compliant"}, (check, ".".join(map(str, path)))
