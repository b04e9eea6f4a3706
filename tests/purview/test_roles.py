"""Role assignments are changed in the shared document, and nothing else in it."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sovereignmesh.errors import AnswerError
from sovereignmesh.purview.roles import assigned, with_roles

CURATOR = "purviewmetadatarole_builtin_data-curator"
ADMINISTRATOR = "purviewmetadatarole_builtin_collection-administrator"
READER = "purviewmetadatarole_builtin_purview-reader"
PEOPLE = st.lists(st.sampled_from([f"00000000-0000-0000-0000-00000000000{digit}" for digit in range(6)]), unique=True)


@pytest.fixture
def documents(recorded):
    found = []
    for path in (recorded / "recordings/purview").rglob("*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        for entry in (told, *told.get("Entries", [])) if isinstance(told, dict) else ():
            body = entry.get("ResponseBody")
            if isinstance(body, dict) and "/metadataPolicies" in entry.get("RequestUri", ""):
                found += body.get("values", [])
    assert len(found) >= 3
    return found


def test_recorded_documents_are_read_and_written_back_as_they_were(documents):
    for document in documents:
        collection = document["properties"]["collection"]["referenceName"]
        roles = assigned(document, collection)
        assert roles.get(ADMINISTRATOR), document["name"]
        same = with_roles(document, collection, roles)
        assert assigned(same, collection) == roles
        assert len(same["properties"]["attributeRules"]) == len(document["properties"]["attributeRules"])
        assert {key: same[key] for key in ("id", "name", "version")} == {
            key: document[key] for key in ("id", "name", "version")
        }
        assert '"kind"' not in json.dumps(same)


def test_adding_and_taking_away_touches_that_role_alone(documents):
    for document in documents:
        collection = document["properties"]["collection"]["referenceName"]
        before = assigned(document, collection)
        changed = with_roles(document, collection, {CURATOR: ["00000000-0000-0000-0000-0000000000aa"]})
        after = assigned(changed, collection)
        assert after.pop(CURATOR) == ["00000000-0000-0000-0000-0000000000aa"]
        before.pop(CURATOR, None)
        assert after == before
        permission = next(
            rule for rule in changed["properties"]["attributeRules"] if rule["id"] == f"permission:{collection}"
        )
        given = [one["attributeValueIncludes"] for row in permission["dnfCondition"] for one in row]
        assert given.count(f"{CURATOR}:{collection}") == 1


INHERITED = {
    "id": "1",
    "version": 1,
    "properties": {
        "attributeRules": [
            {
                "id": f"{READER}:sales",
                "name": f"{READER}:sales",
                "dnfCondition": [
                    [{"attributeName": "derived.purview.permission", "attributeValueIncludes": f"{READER}:above"}]
                ],
            }
        ],
        "collection": {"referenceName": "sales"},
    },
}


@given(first=PEOPLE, second=PEOPLE)
def test_what_is_inherited_stays_whoever_is_named(first, second):
    named = with_roles(with_roles(INHERITED, "sales", {READER: first}), "sales", {READER: second})
    assert assigned(named, "sales")[READER] == sorted(second)
    rows = named["properties"]["attributeRules"][0]["dnfCondition"]
    assert INHERITED["properties"]["attributeRules"][0]["dnfCondition"][0] in rows
    assert len(rows) == 1 + bool(second)
    assert assigned(INHERITED, "sales") == {READER: []}


def test_a_document_without_rules_takes_roles():
    made = with_roles({"id": "1", "properties": {"attributeRules": []}}, "sales", {CURATOR: ["b", "a", "group:c"]})
    assert assigned(made, "sales") == {CURATOR: ["a", "b", "group:c"]}


@pytest.mark.parametrize(
    "rules",
    [None, {}, "x", [1], [{"dnfCondition": "x"}], [{"dnfCondition": [1]}], [{"dnfCondition": [[1]]}],
     [{"dnfCondition": [[{"attributeValueIncludedIn": 5}]]}]],
)  # fmt: skip
def test_a_document_that_is_none_is_an_error(rules):
    with pytest.raises(AnswerError):
        assigned({"name": "policy", "properties": {"attributeRules": rules}}, "sales")


def test_who_is_named_otherwise_is_seen_and_stays():
    row = [{"attributeName": "principal.microsoft.other", "attributeValueIncludedIn": ["X"]}]
    document = {"properties": {"attributeRules": [{"id": f"{CURATOR}:sales", "dnfCondition": [row]}]}}
    assert assigned(document, "sales") == {CURATOR: ["principal.microsoft.other=x"]}
    changed = with_roles(document, "sales", {CURATOR: ["a"]})
    assert assigned(changed, "sales") == {CURATOR: ["a", "principal.microsoft.other=x"]}
