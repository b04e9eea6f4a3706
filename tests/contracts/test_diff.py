"""What breaks and what does not, key by key."""

import pytest

from sovereignmesh.contracts import DataContract, diff_contracts

BASE = {
    "allowed_fields": ["a", "b"], "excluded_fields": ["email", "c"], "exclude_similar": True, "min_completeness": 98,
    "min_accuracy": 97, "min_timeliness": 96, "freshness": "1h", "excluded_classifications": ["X"],
    "allowed_classifications": ["Y"], "residency": ["westeurope"], "consumer": "Sales", "purpose": "p", "product": "P",
    "domain": "D", "owner": "o",
}  # fmt: skip
SCHEMA = {
    "fields": [
        {"name": "a", "type": "integer", "required": True, "unique": True, "minimum": 1, "maximum": 9},
        {"name": "b", "type": "string", "pattern": "x+", "allowed_values": ["x", "xx"]},
    ],
    "primary_key": ["a"],
    "row_count": {"minimum": 1, "maximum": 5},
    "validity_rules": [{"name": "r", "rule": "a > 1"}],
    "timestamp_column": "t",
}


def contract(**other):
    return DataContract(**{**BASE, "data_schema": SCHEMA, **other})


def schema(**other):
    return {"data_schema": {**SCHEMA, **other}}


def field(name, **other):
    fields = [{**one, **other} if one["name"] == name else one for one in SCHEMA["fields"]]
    return schema(fields=[{key: value for key, value in one.items() if value is not None} for one in fields])


@pytest.mark.parametrize(
    ("other", "what", "breaking"),
    [
        ({"allowed_fields": ["a"], **schema(fields=SCHEMA["fields"][:1])}, "allowed fields", True),
        ({"allowed_fields": ["a", "b", "d"]}, "allowed fields", False),
        ({"excluded_fields": ["email"]}, "excluded fields", True),
        ({"excluded_fields": ["email", "c", "d"]}, "excluded fields", False),
        ({"exclude_similar": False}, "exclude similar", True),
        ({"excluded_classifications": []}, "excluded classifications", True),
        ({"excluded_classifications": ["X", "Z"]}, "excluded classifications", False),
        ({"allowed_classifications": ["Y", "Z"]}, "allowed classifications", True),
        ({"allowed_classifications": None}, "allowed classifications", True),
        ({"allowed_classifications": []}, "allowed classifications", False),
        ({"residency": ["westeurope", "northeurope"]}, "residency", True),
        ({"purpose": "q"}, "purpose", True),
        ({"owner": "x"}, "owner", False),
        ({"min_completeness": 97.9}, "completeness", True),
        ({"min_completeness": 98.1}, "completeness", False),
        ({"min_accuracy": None}, "accuracy", True),
        ({"min_timeliness": 95}, "timeliness", True),
        ({"freshness": "2h"}, "max age", True),
        ({"freshness": None}, "max age", True),
        ({"freshness": "30m"}, "max age", False),
        (field("a", type="number"), "a type", True),
        (field("a", type=None), "a type", True),
        (field("a", required=False), "a required", True),
        (field("a", unique=False), "a unique", True),
        (field("a", minimum=0), "a minimum", True),
        (field("a", minimum=2), "a minimum", False),
        (field("a", maximum=None), "a maximum", True),
        (field("b", pattern="y+"), "b pattern", True),
        (field("b", allowed_values=["x"]), "b allowed values", False),
        (field("b", allowed_values=["x", "y"]), "b allowed values", True),
        (field("b", description="d"), "b description", False),
        (schema(primary_key=[]), "primary key", True),
        (schema(row_count={"minimum": 1, "maximum": 6}), "row count maximum", True),
        (schema(row_count=None), "row count minimum", True),
        (schema(validity_rules=[]), "r rule", True),
        (schema(validity_rules=[*SCHEMA["validity_rules"], {"name": "s", "rule": "a < 9"}]), "s rule", False),
        (schema(timestamp_column=None), "timestamp column", True),
    ],
)
def test_a_change(other, what, breaking):
    changes = {change.what: change for change in diff_contracts(contract(), contract(**other))}
    assert changes[what].breaking is breaking
    assert bool(changes[what].why) is breaking
    assert changes[what].old != changes[what].new


def test_the_same_in_other_words():
    assert diff_contracts(contract(), contract(freshness="60 minutes", consumer="sales domain")) == []


def test_an_excluded_field_that_is_given():
    changes = diff_contracts(contract(), contract(allowed_fields=["a", "b", "c"], excluded_fields=["email"]))
    assert any(change.what == "allowed fields" and change.breaking for change in changes)


def test_contracts_come_and_go():
    one, other = contract(), contract(consumer="Finance")
    assert [(each.new, each.breaking) for each in diff_contracts(one, [one, other])] == [("P for Finance", False)]
    assert [(each.old, each.breaking) for each in diff_contracts([one, other], one)] == [("P for Finance", True)]
    assert diff_contracts([one, other], [other, one]) == []


def test_every_key_of_a_contract_is_compared():
    """A key that is new is judged, or a change of it would not be seen."""
    from sovereignmesh.contracts.diff import _CONTRACT, _FIELD, _ROWS, _RULE, _SCHEMA
    from sovereignmesh.mesh.products import DataSchema, FieldWish, RowCount, ValidityRule

    names = {"consumer", "product", "domain", "data_schema"}
    assert {*_CONTRACT} | names == {*DataContract.model_fields} - {"freshness"} | {"max_age"}
    assert {*_FIELD} == {*FieldWish.model_fields} - {"name"}
    assert {*_ROWS} == {*RowCount.model_fields}
    assert {*_SCHEMA} | {"fields", "row_count", "validity_rules"} == {*DataSchema.model_fields}
    assert {*_RULE} <= {*ValidityRule.model_fields}
