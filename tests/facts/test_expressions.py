import gzip
import json

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.errors import FactsError
from sovereignmesh.facts import CopiesRule, StateRule, VaultRule, resource_types
from sovereignmesh.facts.expressions import compile_expression

EXAMPLES = [
    "a", "a.b", "a.b.c", "a[0]", "a[-1].b", "a.b[0].c", "a.b[].c[0].d", "a[]", "a[].b", "a[].b[]", "a[*].b", "a.*",
    "a.*.b", "a || b", "a && b", "a[?b == 'x']", "a[?b.c == `1`].d", "a == 'x'", "a[].b | [0]", "(a || b).c",
    "[a, b][]", "a[?@ == 'x']",
]  # fmt: skip


def expressions_of(rule):
    if isinstance(rule, StateRule):
        yield from (reading.at.text for reading in (*rule.readings, *rule.not_applicable, *rule.incapable))
        yield from (found.text for found in (rule.each, rule.subject) if found)
    elif isinstance(rule, CopiesRule):
        for copy in rule.copies:
            yield from (found.text for found in (copy.at, copy.exists and copy.exists.at) if found)
    elif isinstance(rule, VaultRule):
        yield from (found.text for found in (rule.vault, rule.through) if found)


def all_expressions():
    found = {text for row in resource_types().values() for rule in row.rules.values() for text in expressions_of(rule)}
    return sorted(found | set(EXAMPLES))


def lowered(value):
    """What makes JMESPath's own comparison ignore case, as ours does."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, dict):
        return {key: lowered(inner) for key, inner in value.items()}
    return [lowered(inner) for inner in value] if isinstance(value, list) else value


def lowered_literals(text):
    parts = text.split("'")
    return "'".join(part if at % 2 == 0 else part.casefold() for at, part in enumerate(parts))


def agrees(text, body):
    ours = compile_expression(lowered_literals(text), "test")(lowered(body))
    theirs = jmespath.search(lowered_literals(text), lowered(body))
    assert ours == theirs, (text, body)


@pytest.mark.parametrize("text", all_expressions())
def test_closures_agree_with_the_library_on_every_case(text, fixtures):
    for path in (fixtures / "resources").rglob("*.json"):
        agrees(text, json.loads(path.read_text())["resource"])


def test_closures_agree_with_the_library_on_recorded_bodies(recorded):
    with gzip.open(recorded / "estates" / "recorded-arm.bodies.jsonl.gz") as lines:
        bodies = [json.loads(line) for line in lines]
    table = resource_types()
    for body in bodies:
        row = table.get(body["type"].lower())
        for rule in row.rules.values() if row else ():
            for text in expressions_of(rule):
                agrees(text, body)


bodies = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "X", "", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(EXAMPLES), bodies)
def test_closures_agree_with_the_library_on_any_body(text, body):
    agrees(text, body)


@pytest.mark.parametrize("text", ["a != 'x'", "a > `1`", "!a", "length(a)", "{x: a}", "a[1:2]"])
def test_what_a_missing_value_could_satisfy_is_refused(text):
    with pytest.raises(FactsError, match="fact tables"):
        compile_expression(text, "test")


def test_what_is_no_expression_is_refused():
    with pytest.raises(FactsError, match=r"somewhere: 'a\.\.b' is not JMESPath"):
        compile_expression("a..b", "somewhere")


def test_an_item_that_lacks_the_property_can_be_kept():
    body = {"a": [{"b": "x"}, {}, None]}
    assert compile_expression("a[].b", "test")(body) == ["x"]
    assert compile_expression("a[].b", "test", keep_missing=True)(body) == ["x", "", ""]
    assert compile_expression("[a, c][]", "test", keep_missing=True)({"a": ["x"]}) == ["x"]
