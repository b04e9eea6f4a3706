"""What is no contract of the standard is refused with its place, and nothing that is in a file harms."""

import contextlib
import copy
import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from products import EVERYTHING

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh import DataProduct
from sovereignmesh.standards import Imported, export_contracts, export_odcs, export_odps, import_odcs, import_odps
from sovereignmesh.yamlfile import dump

PRODUCT = DataProduct.model_validate(EVERYTHING)
CONTRACT = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "1", "version": "1.0.0", "status": "active", "name": "n",
    "domain": "D", "description": {"purpose": "p"}, "team": [{"username": "me", "role": "owner"}],
    "schema": [{"name": "t", "properties": [{"name": "a"}]}],
}  # fmt: skip


def with_property(**words):
    return {"schema": [{"name": "t", "properties": [{"name": "a"} | words]}]}


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """What is said of a file with this content."""
    monkeypatch.chdir(tmp_path)

    def run(content, name="c.yaml", **given):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(MeshError) as error:
            import_odcs(name, **({"consumer": "Sales"} | given))
        return str(error.value)

    return run


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "c.yaml:2:1: error: not valid YAML"),
        ("", "c.yaml:1:1: error: found nothing, wants a mapping ($)"),
        ("- a", "c.yaml:1:1: error: found a list, wants a mapping ($)"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"\xc3", "is not UTF-8"),
        ("a: !!python/object/apply:os.system [id]", "tag"),
        ("a: &a [*a]", "data cannot hold itself"),
        ("a: 1\na: 2", "already in line 1"),
        (dump(CONTRACT) + "---\n" + dump(CONTRACT), "a second document: a contract is one"),
        ("[" * 60, "more than 50 levels"),
        (
            "\n".join([f"l0: &l0 [{'x, ' * 9}x]", *(f"l{n}: &l{n} [{f'*l{n - 1}, ' * 9}]" for n in range(1, 12))]),
            "repeat",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_no_document(refused, content, message):
    assert message in refused(content)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MeshError, match="cannot be read: No such file"):
        import_odcs(tmp_path / "none.yaml")
    with pytest.raises(MeshError, match="file is in this folder"):
        import_odps(tmp_path)


@pytest.mark.parametrize(
    ("change", "at", "message"),
    [
        ({"apiVersion": "v2.2.2"}, "v2.2.2", "the string 'v2.2.2', wants a version of the Open Data Contract Standard"),
        ({"apiVersion": "v4.0.0"}, "v4.0.0", "that is read here: v3.0, v3.1, v3.2"),
        ({"apiVersion": 3}, "3", "found the number 3"),
        ({"apiVersion": None}, "kind", "the key 'apiVersion' is missing"),
        ({"kind": "DataProduct"}, "DataProduct", "wants one of DataContract"),
        ({"id": None}, "apiVersion", "the key 'id' is missing"),
        ({"version": 1}, "1", "found the number 1, wants a string"),
        ({"status": None}, "apiVersion", "the key 'status' is missing"),
        ({"domian": "x"}, "domian", "unknown key 'domian'; did you mean 'domain'?"),
        ({"context": "x"}, "context", "unknown key 'context', which version 3.2 began"),
        ({"schema": {"name": "t"}}, "name: t", "found a mapping, wants a list"),
        ({"schema": ["t"]}, "t", "found the string 't', wants a mapping"),
        ({"schema": [{"properties": []}]}, "properties", "the key 'name' is missing"),
        ({"team": "me"}, "me", "wants a mapping or a list"),
        ({"team": [{"name": "me"}]}, "name: me", "the key 'username' is missing"),
        ({"slaProperties": [{"property": "x", "value": [1]}]}, "- 1", "wants a string, a number, true or false"),
        ({"servers": [{"server": "a"}]}, "server: a", "the key 'type' is missing"),
        ({"domain": "a\nb"}, "'a", "one line without spaces around it"),
        (with_property(requred=True), "requred", "did you mean 'required'?"),
        (with_property(logicalType="text"), "text", "wants one of string"),
        (with_property(enum=[{"value": 1}]), "enum", "version 3.2 began"),
        (with_property(required="yes"), "'yes'", "wants true or false"),
        (with_property(name=" a"), "' a'", "one line without spaces around it"),
    ],
)  # fmt: skip
def test_no_contract_of_the_standard(refused, change, at, message):
    text = dump({key: value for key, value in (CONTRACT | change).items() if value is not None})
    said = refused(text)
    assert message in said
    file, line, column, _ = said.split(":", 3)
    assert (file, text.splitlines()[int(line) - 1][int(column) - 1 :].startswith(at)) == ("c.yaml", True)


def test_3_0_allows_other_keys_inside(tmp_path):
    table = {"name": "t", "properties": [{"name": "a", "quality": [{"rule": "x", "ours": 1}]}]}
    old = CONTRACT | {"apiVersion": "v3.0.1", "schema": [table]}
    imported = import_odcs(old, consumer="Sales")
    left = {"$.id", "$.schema[0].name", "$.schema[0].properties[0].quality"}
    assert {note.path for note in imported.notes} == left


def test_another_version_than_asked_for(refused):
    assert "found version 3.1, wants 3.2, as was asked for" in refused(dump(CONTRACT), version="3.2")


def test_json(refused, tmp_path):
    (tmp_path / "ok.json").write_text(json.dumps(CONTRACT, indent="\t"))
    assert import_odcs("ok.json", consumer="Sales").product.name == "n"
    (tmp_path / "smile.json").write_text(json.dumps(CONTRACT | {"description": {"purpose": "\U0001f600"}}))
    assert import_odcs("smile.json", consumer="Sales").product.data_contracts[0].purpose == "\U0001f600"
    assert "is no JSON: name it *.yaml" in refused("a: b", "c.json")
    assert "not valid YAML" in refused('{"a": ', "c.json")
    assert "already in line 1" in refused('{"a": 1, "a": 2}', "c.json")
    assert "found the number 1, wants a string" in refused(json.dumps(CONTRACT | {"id": 1}, indent="\t"), "c.json")
    assert "more than 50 levels" in refused('{"a":\t' + "[" * 99 + "]" * 99 + "}", "c.json")
    assert "c.json" in refused("[" * 100_000 + "]" * 100_000, "c.json")
    assert "c.json" in refused('{"a": "\\ud800"}', "c.json")
    assert "is no JSON" in refused('{"a": .nan}', "c.json")


def test_plain_data(tmp_path):
    dated = CONTRACT | {"team": [{"username": "me", "role": "owner", "dateIn": dt.date(2020, 1, 1)}]}
    assert import_odcs(dated, consumer="Sales").product.owner == "me"
    with pytest.raises(MeshError, match="the document: error: found the number 1"):
        import_odcs(CONTRACT | {"id": 1}, consumer="Sales")
    with pytest.raises(MeshError, match="is no plain data"):
        import_odcs({"a": object()})
    endless = {}
    endless["a"] = endless
    with pytest.raises(MeshError, match="data cannot hold itself"):
        import_odcs(endless)


def test_names_cannot_move_the_cursor(refused):
    said = refused(dump(CONTRACT | {"bad\x1b[2J": 1}))
    assert "\x1b" not in said
    assert "bad\\x1b[2J" in said


# What is changed in an export of ours counts as it is then; what its hidden words still say otherwise is told.
CHANGES = [
    (("schema", 0, "properties", 0, "logicalTypeOptions", "pattern"), "^[a-z]$", {"pattern": "[a-z]"}),
    (("schema", 0, "properties", 0, "required"), False, {"required": False}),
    (("schema", 0, "properties", 3, "logicalTypeOptions", "maximum"), 5, {"maximum": 5}),
    (("schema", 0, "properties", 1, "enum", 0, "value"), "new", {"allowed_values": ("new", "held")}),
    (("schema", 0, "properties", 4, "quality", 0, "query"), "SELECT 0", {"minimum": None}),
    (("schema", 0, "properties", 4, "quality", 0, "mustBe"), 7, {"minimum": None}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "expected"), CHANGES, ids=lambda value: str(value)[-30:])
def test_what_somebody_changed_counts(path, value, expected):
    document = export_odcs(PRODUCT, "Marketing")
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    imported = import_odcs(document)
    name = document["schema"][0]["properties"][path[3]]["name"]
    field = next(field for field in imported.product.data_schema.fields if field.name == name)
    assert {key: getattr(field, key) for key in expected} == expected
    hidden = path[-1] in {"query", "mustBe"}
    assert bool(imported.notes) is hidden


def test_a_rule_whose_query_somebody_changed_is_not_taken_over():
    document = export_odcs(PRODUCT, "Marketing")
    check = next(check for check in document["schema"][0]["quality"] if check.get("name") == "paid")
    check["query"] += " WHERE 1 = 0"
    imported = import_odcs(document)
    assert imported.product.data_schema.validity_rules == ()
    assert [note.message for note in imported.notes] == [
        "'quality' is not taken over: the data is not held against it here"
    ]


def test_hidden_words_that_are_wrong():
    document = export_odcs(PRODUCT, "Marketing")
    for item in document["customProperties"]:
        if item["property"] == "sovereignmeshDataResidency":
            item["value"] = {"region": "Atlantis"}
    imported = import_odcs(document)
    assert imported.product.data_residency is None
    assert "wants an area" in imported.notes[0].message


def test_hidden_fields_that_are_wrong():
    document = export_odcs(PRODUCT, "Marketing")
    document["schema"][0]["customProperties"][0]["value"][0]["logicalType"] = "text"
    with pytest.raises(MeshError, match="wants one of string"):
        import_odcs(document)


def test_a_consumer_without_a_contract():
    with pytest.raises(MeshError, match="no contract with 'Sales'; its consumers: Marketing Domain, Finance"):
        export_odcs(PRODUCT, "Sales")
    alone = PRODUCT.model_copy(update={"data_contracts": ()})
    with pytest.raises(MeshError, match="has no dataContracts"):
        export_odcs(alone, "Sales")


PLAIN = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.sampled_from(["", "a", "x/y", "[", "1e999 > a"])
)
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=4
)


def places(value, path=()):
    """Every place below a value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from places(inner, (*path, step))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(["3.2", "3.1", "3.0"]), st.data())
def test_whatever_stands_somewhere_is_read_or_refused(version, data):
    documents = [export_odps(PRODUCT), *copy.deepcopy(export_contracts(PRODUCT, version=version))]
    for _ in range(data.draw(st.integers(1, 3))):
        document = data.draw(st.sampled_from(documents))
        *above, last = data.draw(st.sampled_from(list(places(document))))
        for step in above:
            document = document[step]
        document[last] = data.draw(ANYTHING)
    with contextlib.suppress(MeshError):
        assert isinstance(import_odps(*documents), Imported)
