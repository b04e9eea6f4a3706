"""Documents that others wrote: what they say becomes a product, and what cannot is said with its place."""

import json

import pytest

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh import validate
from sovereignmesh.standards import import_odcs, import_odps

HEAD = {
    "3.2": "apiVersion: v3.2.0\nkind: DataContract\nid: 0815\nversion: 2.1.0\n",
    "3.1": "apiVersion: v3.1.0\nkind: DataContract\nid: '0815'\nversion: 2.1.0\nstatus: draft\n",
    "3.0": "apiVersion: v3.0.2\nkind: DataContract\nid: '0815'\nversion: 2.1.0\nstatus: draft\n",
}
HEAD["3.2"] = HEAD["3.2"].replace("0815", "'0815'")
REST = """\
name: parcels
domain: Logistics
description: {purpose: Where parcels are}
team: [{username: gone, role: Owner, dateOut: 2020-01-01}, {username: kim@contoso.com, role: Data Owner}]
"""
GIVEN = {"consumer": "Sales"}


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Imports the properties, or the text of a whole contract, from a file."""
    monkeypatch.chdir(tmp_path)

    def run(text="", *, version="3.2", properties=None, quality=None, **given):
        table = {"name": "parcels", "properties": properties or [{"name": "id"}], "quality": quality or []}
        body = text or f"{REST}schema: {json.dumps([table])}\n"
        (tmp_path / "c.yaml").write_text(HEAD[version] + body)
        return import_odcs("c.yaml", **(GIVEN | given))

    return run


def field_of(imported):
    return imported.product.data_schema.fields[0].model_dump(exclude_defaults=True, exclude={"name"}, by_alias=True)


def said(imported):
    return {note.path: note.message for note in imported.notes}


@pytest.mark.parametrize("version", ["3.2", "3.1", "3.0"])
def test_a_plain_contract(read, version):
    imported = read(version=version, properties=[{"name": "id", "required": True}, {"name": "place"}])
    product = imported.product
    assert (product.name, product.domain, product.owner) == ("parcels", "Logistics", "kim@contoso.com")
    assert [field.name for field in product.data_schema.fields] == ["id"]
    (contract,) = product.data_contracts
    assert (contract.consumer, contract.purpose, contract.fields) == ("Sales", "Where parcels are", ("id", "place"))
    assert {"$.id", "$.version", "$.team[0]"} <= said(imported).keys()
    assert all(note.severity == "warning" and note.location.file == "c.yaml" for note in imported.notes)


FIELDS = [
    ({"logicalType": "timestamp"}, {"type": "timestamp"}, []),
    ({"logicalType": "map", "map": {"key": {}, "value": {}}}, {"type": "object"}, ["logicalType", "map"]),
    ({"logicalType": "vector"}, {"type": "array"}, ["logicalType"]),
    ({"logicalType": "object", "properties": [{"name": "x"}]}, {"type": "object"}, ["properties"]),
    ({"logicalType": "array", "items": {"logicalType": "string"}}, {"type": "array"}, ["items"]),
    ({"required": True, "unique": True}, {"required": True, "unique": True}, []),
    ({"logicalType": "string", "logicalTypeOptions": {"pattern": "^[A-Z]+$"}}, {"pattern": "[A-Z]+"}, []),
    ({"logicalType": "string", "logicalTypeOptions": {"pattern": "[0-9]"}},
     {"pattern": r"[\s\S]*(?:[0-9])[\s\S]*"}, []),
    ({"logicalType": "string", "logicalTypeOptions": {"pattern": "(?=a)b"}}, {}, ["logicalTypeOptions.pattern"]),
    ({"logicalType": "string", "logicalTypeOptions": {"minLength": 2, "maxLength": 9}},
     {"pattern": r"[\s\S]{2,9}"}, []),
    ({"logicalType": "string", "logicalTypeOptions": {"minLength": 3}}, {"pattern": r"[\s\S]{3,}"}, []),
    ({"logicalType": "string", "logicalTypeOptions": {"maxLength": 4000}}, {}, ["logicalTypeOptions.maxLength"]),
    ({"logicalType": "string", "logicalTypeOptions": {"format": "email"}}, {}, ["logicalTypeOptions.format"]),
    ({"logicalType": "integer", "logicalTypeOptions": {"minimum": 1, "maximum": 5}}, {"minimum": 1, "maximum": 5}, []),
    ({"logicalType": "integer", "logicalTypeOptions": {"exclusiveMinimum": 0.5, "exclusiveMaximum": 5}},
     {"minimum": 1, "maximum": 4}, []),
    ({"logicalType": "integer", "logicalTypeOptions": {"exclusiveMinimum": 3, "minimum": 1}}, {"minimum": 4}, []),
    ({"logicalType": "integer", "logicalTypeOptions": {"exclusiveMinimum": True, "minimum": 1}}, {"minimum": 2}, []),
    ({"logicalType": "integer", "logicalTypeOptions": {"exclusiveMinimum": False, "minimum": 1}}, {"minimum": 1}, []),
    ({"logicalType": "number", "logicalTypeOptions": {"exclusiveMinimum": 3}}, {},
     ["logicalTypeOptions.exclusiveMinimum"]),
    ({"logicalType": "number", "logicalTypeOptions": {"minimum": 9, "maximum": 1}}, {},
     ["logicalTypeOptions.minimum", "logicalTypeOptions.maximum"]),
    ({"logicalType": "date", "logicalTypeOptions": {"minimum": "2020-01-01"}}, {"minimum": "2020-01-01"}, []),
    ({"enum": [{"value": 1}, {"value": 2, "label": "two"}]}, {"allowedValues": (1, 2)}, ["enum[1].label"]),
    ({"enum": [{"value": None}]}, {}, ["enum"]),
    ({"quality": [{"metric": "nullValues", "mustBe": 0, "type": "library", "dimension": "completeness"}]},
     {"required": True}, []),
    ({"quality": [{"metric": "nullValues", "mustBeLessThan": 1, "unit": "rows", "severity": "error"}]},
     {"required": True, "severity": "high"}, []),
    ({"quality": [{"metric": "nullValues", "mustBeLessThan": 1, "unit": "percent"}]}, {}, ["quality"]),
    ({"quality": [{"metric": "duplicateValues", "mustBeLessOrEqualTo": 0}]}, {"unique": True}, []),
    ({"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a"]}}]},
     {"allowedValues": ("a",)}, []),
    ({"quality": [{"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "^a$"}}]}, {"pattern": "a"}, []),
    ({"quality": [{"metric": "invalidValues", "mustBe": 3, "arguments": {"pattern": "^a$"}}]}, {}, ["quality"]),
    ({"quality": [{"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": [""]}}]}, {}, ["quality"]),
    ({"quality": [{"type": "sql", "query": "SELECT 1", "mustBe": 1}]}, {}, ["quality"]),
    ({"quality": [{"type": "custom", "engine": "soda", "implementation": "x"}]}, {}, ["quality"]),
    ({"quality": [{"type": "text", "description": "good"}]}, {}, ["quality"]),
    ({"description": " "}, {}, ["description"]),
    ({"classification": "restricted", "tags": ["x"]}, {}, ["classification", "tags"]),
]  # fmt: skip


@pytest.mark.parametrize(("property_", "expected", "left"), FIELDS, ids=lambda value: str(value)[:50])
def test_what_a_property_says(read, property_, expected, left):
    imported = read(properties=[{"name": "id"} | property_ | {"required": True}])
    found = field_of(imported)
    wanted = {"required": True} | ({"type": property_["logicalType"]} if "logicalType" in property_ else {}) | expected
    assert found == wanted
    below = "$.schema[0].properties[0]"
    assert {path.removeprefix(f"{below}.") for path in said(imported) if path.startswith(below)} == set(left)


def test_what_is_asked_and_not_judged_here_is_said(read):
    imported = read(properties=[{"name": "id", "logicalType": "string", "logicalTypeOptions": {"pattern": "(?!x)"}}])
    message = said(imported)["$.schema[0].properties[0].logicalTypeOptions.pattern"]
    assert message.startswith("not taken over: the data is not held against it here, as RE2 refuses lookaround")
    imported = read(quality=[{"type": "sql", "query": "SELECT 1", "mustBe": 1}])
    assert said(imported)["$.schema[0].quality"] == "'quality' is not taken over: the data is not held against it here"


def test_the_old_words(read):
    old = {"name": "id", "quality": [{"rule": "validValues", "validValues": ["a", "b"]}]}
    rows = [{"rule": "rowCount", "mustBeBetween": [1, 9]}]
    imported = read(version="3.0", properties=[old], quality=rows)
    assert imported.product.data_schema.fields[0].allowed_values == ("a", "b")
    count = imported.product.data_schema.row_count
    assert (count.minimum, count.maximum) == (1, 9)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"mustBe": 3}, (3, 3)), ({"mustBeGreaterThan": 10}, (11, None)), ({"mustBeGreaterOrEqualTo": 9.5}, (10, None)),
        ({"mustBeLessThan": 10}, (None, 9)), ({"mustBeLessOrEqualTo": 10}, (None, 10)),
        ({"mustBeBetween": [2, 3]}, (2, 3)),
    ],
)  # fmt: skip
def test_how_many_rows(read, limit, expected):
    imported = read(quality=[{"metric": "rowCount"} | limit])
    count = imported.product.data_schema.row_count
    assert (count.minimum, count.maximum) == expected
    assert not [path for path in said(imported) if "quality" in path]


@pytest.mark.parametrize(
    "limit", [{"mustNotBe": 3}, {"mustBe": "x"}, {"mustBe": 1, "unit": "percent"}, {"mustBe": True}]
)
def test_how_many_rows_cannot_be_said_so(read, limit):
    imported = read(quality=[{"metric": "rowCount"} | limit])
    assert imported.product.data_schema is None
    assert "$.schema[0].quality" in said(imported)


def test_keys_servers_and_service_levels(read):
    keys = [
        {"name": "b", "primaryKey": True, "primaryKeyPosition": 2},
        {"name": "a", "primaryKey": True, "primaryKeyPosition": 1},
    ]
    servers = [
        {"server": "x", "type": "postgres", "host": "h", "port": 5432, "database": "d", "schema": "s"},
        {"server": "y", "type": "api", "location": "https://x", "roles": [{"role": "r", "access": "read"}]},
        {"server": "z", "type": "kinesis", "format": "json"},
    ]
    levels = [
        {"property": "ly", "value": 4, "unit": "d", "element": "parcels.seen"},
        {"property": "availability", "value": "99.5%"},
        {"property": "retention", "value": 3, "unit": "y"},
    ]  # fmt: skip
    text = REST + f"schema: {json.dumps([{'name': 'parcels', 'properties': keys}])}\nservers: {json.dumps(servers)}\n"
    imported = read(text + f"slaProperties: {json.dumps(levels)}\n")
    product = imported.product
    assert product.data_schema.primary_key == ("a", "b")
    assert [(one.type, one.endpoint, one.scopes) for one in product.interfaces] == [
        ("postgres", "h:5432/d/s", ()), ("API", "https://x", ("r",)),
    ]  # fmt: skip
    assert (product.sla.availability, product.sla.freshness, product.sla.latency) == (99.5, "4 d", None)
    assert product.data_schema.timestamp_column == "seen"
    notes = said(imported)
    assert "does not say where" in notes["$.servers[2]"]
    assert "taken as freshness" in notes["$.slaProperties[0].property"]
    assert {"$.slaProperties[2]", "$.servers[1].roles[0].access"} <= notes.keys()


def test_what_is_missing_is_asked_for_at_once(read):
    with pytest.raises(MeshError) as refused:
        read("schema: [{name: t, properties: [{name: id}]}]\n", consumer=None)
    assert [problem.message.split(":")[0] for problem in refused.value.problems] == [
        f"the contract does not say the {what}" for what in ("domain", "owner", "consumer", "purpose")
    ]
    imported = read(
        "schema: [{name: t, properties: [{name: id}]}]\n", domain="A", owner="me", purpose="why", consumer="Sales"
    )
    assert (imported.product.name, imported.product.domain, imported.product.owner) == ("t", "A", "me")


def test_of_several_objects_one_is_named(read):
    text = REST + "schema: [{name: a, properties: [{name: x}]}, {name: b, properties: [{name: y}]}]\n"
    with pytest.raises(MeshError, match="has a, b: a product has one: name it"):
        read(text)
    with pytest.raises(MeshError, match="no object 'c'"):
        read(text, schema="c")
    imported = read(text, schema="b")
    assert imported.product.data_contracts[0].fields == ("y",)
    assert "$.schema[0]" in said(imported)


def test_a_contract_without_fields(read):
    with pytest.raises(MeshError, match="has no schema: a contract here has fields"):
        read(REST)
    with pytest.raises(MeshError, match="'t' has no properties"):
        read(REST + "schema: [{name: t}]\n")


def test_the_team_says_who_owns_it(read):
    table = "schema: [{name: t, properties: [{name: id}]}]\n"
    rest = REST.split("team:", maxsplit=1)[0] + table
    assert read(rest + "team: {name: Crew, members: [{username: a, role: analyst}]}\n").product.owner == "Crew"
    assert read(rest + "team: {name: Crew, members: [{username: a, role: owner}]}\n").product.owner == "a"
    with pytest.raises(MeshError, match="--owner"):
        read(rest + "team: [{username: a, role: analyst}]\n")


def test_it_is_a_document_of_a_mesh(read, tmp_path):
    imported = read(properties=[{"name": "id", "required": True, "logicalType": "string"}])
    folder = tmp_path / "mesh"
    folder.mkdir()
    (folder / "parcels.yaml").write_text(imported.yaml)
    (folder / "sales.yaml").write_text(
        "domain: {name: Sales}\n---\ndomain: {name: Logistics}\n---\n"
        "governancePolicies: {dataResidency: {region: EU}}\n"
    )
    assert [problem for problem in validate(folder) if problem.severity == "error"] == []


ODPS = """\
apiVersion: v1.0.0
kind: DataProduct
id: p1
status: active
name: Parcels
domain: Logistics
tenant: Contoso
description: {purpose: All about parcels, usage: Ask}
team: {members: [{username: kim, role: owner}]}
inputPorts: [{name: scans, version: 1.0.0, contractId: s}]
outputPorts:
  - {name: tracks, version: 2.1.0, contractId: '0815', description: Where parcels are}
  - {name: lost, version: 1.0.0, contractId: nowhere}
"""


def test_a_product_and_the_contract_of_its_port(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(ODPS)
    rest = REST.replace("description: {purpose: Where parcels are}\n", "").replace("Logistics", "Elsewhere")
    (tmp_path / "c.yaml").write_text(HEAD["3.1"] + rest + "schema: [{name: parcels, properties: [{name: id}]}]\n")
    imported = import_odps(tmp_path, consumer="Sales")
    product = imported.product
    assert (product.name, product.domain, product.owner, product.description) == (
        "Parcels", "Logistics", "kim", "All about parcels",
    )  # fmt: skip
    assert [(one.consumer, one.purpose) for one in product.data_contracts] == [("Sales", "Where parcels are")]
    notes = said(imported)
    assert "is not among the files" in notes["$.outputPorts[1]"]
    assert {"$.inputPorts", "$.tenant", "$.id", "$.description.usage", "$.outputPorts[0].name"} <= notes.keys()
    assert "differ from those of the product" in notes["$"]


def test_a_product_alone(tmp_path):
    (tmp_path / "p.yaml").write_text(ODPS)
    imported = import_odps(tmp_path / "p.yaml")
    assert imported.product.data_contracts == ()
    assert {"$.outputPorts[0]", "$.outputPorts[1]"} <= said(imported).keys()


def test_files_that_are_no_product(tmp_path):
    contract, strange = tmp_path / "c.yaml", tmp_path / "x.yaml"
    contract.write_text(HEAD["3.1"] + REST)
    strange.write_text("kind: Pod\n")
    with pytest.raises(MeshError, match="no document is a DataProduct"):
        import_odps(contract)
    with pytest.raises(MeshError, match="found the string 'Pod' as 'kind'"):
        import_odps(strange)
    (tmp_path / "p.yaml").write_text(ODPS + "---\n" + ODPS)
    with pytest.raises(MeshError, match="more than one document is a DataProduct"):
        import_odps(tmp_path / "p.yaml")
    (tmp_path / "p.yaml").write_text(ODPS.replace("name: Parcels\ndomain: Logistics\n", ""))
    with pytest.raises(MeshError, match=r"its name: add one[\s\S]*its domain: give it"):
        import_odps(tmp_path / "p.yaml")


def test_a_contract_that_no_port_names(tmp_path):
    (tmp_path / "p.yaml").write_text(ODPS.replace("'0815'", "other"))
    (tmp_path / "c.yaml").write_text(HEAD["3.1"] + REST + "schema: [{name: parcels, properties: [{name: id}]}]\n")
    notes = import_odps(tmp_path, consumer="Sales").notes
    assert [note.message for note in notes if note.location.file.endswith("c.yaml")] == [
        "not taken over: no output port of the product has the contract's id"
    ]
