import datetime as dt
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh import yamlfile
from sovereignmesh.errors import MeshError
from sovereignmesh.result import Location, printable
from sovereignmesh.yamlfile import dump, json_path, parse, parse_all


@pytest.fixture(params=[yamlfile._Loader, yamlfile._PureLoader], ids=["fast", "pure"], autouse=True)
def _both_loaders(request, monkeypatch):
    monkeypatch.setattr(yamlfile, "_Loader", request.param)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("2024-06-30", "2024-06-30"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-5", -5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.INF", -math.inf),
        ("+.inf", math.inf),
        (".", "."),
        ("-", [None]),
        ("~", None),
        ("Null", None),
        ("", None),
        ("TRUE", True),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_core_schema(text, value):
    document = parse(text.encode(), "x")
    assert document.value == value
    assert type(document.value) is type(value)
    assert document.problems == ()


def test_no_merge_and_no_number():
    assert parse(b"a: {<<: {b: 1}}", "x").value == {"a": {"<<": {"b": 1}}}
    assert math.isnan(parse(b".nan", "x").value)


def test_all_defects_of_a_document():
    document = parse(b"a: 1\nb: !!set {x}\na: 2\n3: x\n? [k]\n: v\nc: !!int x\n", "x.yaml")
    assert [(problem.location.line, problem.location.column, problem.path) for problem in document.problems] == [
        (2, 4, "$.b"),
        (3, 1, "$.a"),
        (4, 1, "$"),
        (5, 3, "$"),
        (7, 4, "$.c"),
    ]
    with pytest.raises(MeshError) as caught:
        document.require()
    assert caught.value.problems == document.problems


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: b: c",
        "a: 'x",
        "a: *x",
        "\ta: 1",
        "a: @x",
        "a: 1\n}",
        "a: {b",
        '"\\q"',
        "a: |x",
        "&a",
    ],
)
def test_a_syntax_error_has_a_place(text):
    problems = [problem for document in parse_all(text.encode(), "x") for problem in document.problems]
    if text == "&a":  # an anchor on an empty value is YAML
        assert not problems
        return
    (problem,) = problems
    assert problem.location.line >= 1
    assert problem.location.column >= 1
    assert "not valid YAML" in problem.message


def test_long_numbers_are_refused_and_not_raised():
    (problem,) = parse(b"a: " + b"9" * 5000, "x").problems
    assert "is no int" in problem.message


def test_locations():
    document = parse("# c\na:\n  - b: é\n    c: [x, y]\n".encode(), "x")
    assert document.locate(("a", 0, "c", 1)) == Location("x", 4, 12)
    assert document.locate(("a", 0, "c"), key=True) == Location("x", 4, 5)
    assert document.locate(("a", 0), key=True) == Location("x", 3, 5)
    assert document.locate(("a", 0, "missing", "deep")) == Location("x", 3, 5)
    assert document.locate(("a", 7)) == document.locate(("a",)) == Location("x", 3, 3)
    assert document.locate(()) == Location("x", 2, 1)
    assert parse(b"", "x").locate(("a",)) == Location("x", 1, 1)


def test_several_documents():
    first, second = parse_all(b"a: 1\n---\nb: 2\n", "x")
    assert (first.value, second.value) == ({"a": 1}, {"b": 2})
    assert second.locate(("b",)) == Location("x", 3, 4)
    assert "only one is expected" in parse(b"a: 1\n---\nb: 2\n", "x").problems[0].message
    assert parse_all(b"a: 1\n---\nb: [", "x")[0].value == {"a": 1}


def test_byte_order_mark_does_not_move_columns():
    assert parse(b"\xef\xbb\xbfa: 1\na: 2", "x").problems[0].location == Location("x", 2, 1)


def test_aliases():
    assert parse(b"a: &x [1]\nb: *x", "x").value == {"a": [1], "b": [1]}
    (problem,) = parse(b"a: &x {b: *x}", "x").problems
    assert "cannot hold itself" in problem.message
    levels = "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(9))
    document = parse(f"a0: &a0 [1]\n{levels}\n".encode(), "x")
    (problem,) = document.problems
    assert "100,000" in problem.message
    assert document.value is None


def test_many_rows_without_aliases_are_no_bomb():
    rows = "".join(f"r{n}: {{a: {n}, b: x, c: [1, 2]}}\n" for n in range(15_000))
    assert parse(rows.encode(), "x").require()["r14999"]["a"] == 14_999


def test_paths_and_words():
    assert json_path(()) == "$"
    assert json_path(("a", 1, "b-c", "d e\n")) == r"$.a[1].b-c['d e\\n']"
    assert printable("a\u202eb\n") == r"a\u202eb\n"


data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(data)
def test_json_like_data_survives(value):
    # Escaped, so that every character is plain text in the file; the writer's 1.1 words are quoted by default_style.
    text = yaml.safe_dump(value, default_style='"', allow_unicode=False)
    expected = yaml.safe_load(text)
    assert parse(text.encode(), "x").value == expected


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!'\"|>#%@` \n\t?,0", max_size=60).map(str.encode))
def test_anything_gives_data_or_problems_with_a_place(content):
    document = parse(content, "x")
    for problem in document.problems:
        assert problem.location.line >= 1
        assert str(problem).isprintable()
    assert not isinstance(document.value, dt.date)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff", "\x07", "\t", "\x9b"])
def test_what_cannot_be_seen_is_spelled_out_and_reads_back(character):
    value = {"one": f"a{character}b", "two": [f"{character}: #"]}
    written = dump(value)
    assert character not in written
    assert parse(written.encode(), "x").require() == value
