"""An audit of no more than what Azure is asked for gives what an audit of whole bodies gives."""

import gzip
import json
from pathlib import Path

import pytest

from sovereignmesh.audit import audit_inventory
from sovereignmesh.facts import find_resource_type, properties_read
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import AZURE_CHECKS

FOLDER = Path(__file__).parents[2] / "fixtures"
CASES = {
    str(path.relative_to(FOLDER)): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((FOLDER / "resources").rglob("*.json"))
}
MESHES = ("cases", "contoso")
COLUMNS = ("id", "name", "type", "kind", "location", "sku", "tags", "managedBy", "apiVersion", "children")
CONTAINER_COLUMNS = ("id", "name", "type", "location", "tags", "managedBy", "apiVersion")
CONTAINERS = ("microsoft.resources/subscriptions", "microsoft.resources/subscriptions/resourcegroups")


def trimmed(row):
    """The row as the query gives it, without the columns that it does not have; see `azure.queries`."""
    kind = row["type"].lower()
    known = find_resource_type(kind)
    if "readAt" in row or (known and known.child_of):
        return row  # a child comes from Azure Resource Manager, whole
    if kind in CONTAINERS:
        return {name: row[name] for name in CONTAINER_COLUMNS if name in row}
    cut = {name: row[name] for name in COLUMNS if name in row}
    wanted, properties = properties_read().get(kind, ()), row.get("properties")
    if properties is None:  # the query passes null on
        return {**cut, "properties": None} if "properties" in row else cut
    if not isinstance(properties, dict):
        return {**cut, "properties": dict.fromkeys(wanted) if wanted else None}
    return {**cut, "properties": {name: properties.get(name) for name in wanted} if wanted else None}


def as_columns(row):
    """As Resource Graph gives every row all columns: no text is "", nothing else is null."""
    empty = dict.fromkeys(("kind", "location", "managedBy", "name"), "")
    row = {**empty, "sku": None, "tags": None, "apiVersion": None, "properties": None, **row}
    return {name: empty.get(name, value) if value is None else value for name, value in row.items()}


def told(audit):
    """Everything that the audit says, but when and from what."""
    said = audit.to_dict()
    for key in ("started_at", "finished_at"):
        del said[key]
    return said


def audit_of(rows, mesh, now):
    return told(audit_inventory(rows, mesh, checks=AZURE_CHECKS, show_compliant=True, now=now))


@pytest.fixture(scope="module", params=MESHES)
def mesh(request, fixtures):
    return load_mesh(fixtures / "mesh" / request.param)


@pytest.fixture(scope="module")
def recorded_rows(recorded):
    with gzip.open(recorded / "estates" / "recorded-arm.bodies.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def estate(fixtures):
    with (fixtures / "estates" / "contoso.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_the_meshes_ask_everything(fixtures):
    """Nothing is the same only because nobody asked."""
    asked = {check for name in MESHES for check in load_mesh(fixtures / "mesh" / name).asked}
    audit = audit_inventory([], load_mesh(fixtures / "mesh" / "contoso"))
    assert asked >= set(audit.summary)
    assert audit.policy.not_asked == ()


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_judged_the_same(mesh, now, name):
    rows = [CASES[name]["resource"], *CASES[name].get("with", [])]
    whole = audit_of(rows, mesh, now)
    assert audit_of([trimmed(row) for row in rows], mesh, now) == whole


def test_recorded_bodies_are_judged_the_same(mesh, now, recorded_rows):
    whole, cut = audit_of(recorded_rows, mesh, now), audit_of(map(trimmed, recorded_rows), mesh, now)
    assert cut["findings"] == whole["findings"]
    assert cut == whole


def test_the_estate_is_judged_the_same(mesh, now, estate):
    whole, cut = audit_of(estate, mesh, now), audit_of(map(trimmed, estate), mesh, now)
    assert cut["findings"] == whole["findings"]
    assert cut == whole


def test_columns_that_are_empty_say_no_more_than_columns_that_are_not_there(mesh, now, recorded_rows):
    cut = [trimmed(row) for row in recorded_rows]
    assert audit_of(map(as_columns, cut), mesh, now)["findings"] == audit_of(cut, mesh, now)["findings"]


def test_less_is_fetched(estate):
    """Otherwise all of this is for nothing."""
    whole, cut = (len(json.dumps(rows)) for rows in (estate, [trimmed(row) for row in estate]))
    assert cut < whole / 2


def test_a_property_that_a_table_reads_is_not_cut(mesh, now, estate):
    """The comparison sees what is missing: without any property the findings are others."""
    bare = [{**trimmed(row), "properties": None} for row in estate]
    assert audit_of(bare, mesh, now)["findings"] != audit_of(estate, mesh, now)["findings"]
