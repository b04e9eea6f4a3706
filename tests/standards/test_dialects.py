"""Patterns and rules in the words of others mean the same."""

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from products import PATTERNS

from sovereignmesh.patterns import whole
from sovereignmesh.standards.ecma import from_ecma, to_ecma
from sovereignmesh.standards.sql import filled, not_among, outside, rows_that_break


def matches_here(pattern, value):
    ((found,),) = duckdb.execute("SELECT regexp_matches(?, ?)", [value, whole(pattern)]).fetchall()
    return found


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(PATTERNS), st.text(alphabet="ab1\\.-_]x{,3} \né\x07", max_size=4))
def test_a_written_pattern_finds_the_values_that_match_here(pattern, value):
    """Python's engine stands for ECMA's: they read the written patterns alike, but for the end and what \\d holds."""
    written = to_ecma(pattern)
    if written is not None:
        python = re.compile(re.sub(r"\$(?=\)*$|\|)", r"\\Z", written), re.ASCII)
        assert bool(python.search(value)) == matches_here(pattern, value)
        assert matches_here(from_ecma(written), value) == matches_here(pattern, value)


FOREIGN = [
    "a",
    "^a",
    "a$",
    "^a$",
    "a|b",
    "^a|b$",
    "^(a|b)$",
    "^(?:a|b)$",
    "^(?:a)|(?:b)$",
    r"\$",
    "[|]a",
    r"a\|b",
    "(a|b)",
    "",
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(FOREIGN), st.text(alphabet="ab$|", max_size=4))
def test_a_pattern_of_others_finds_the_same_here(pattern, value):
    assert matches_here(from_ecma(pattern), value) == bool(re.search(pattern, value))


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "a{1001}", "(", r"\b", "(?<!a)b"])
def test_patterns_that_cannot_be_read(pattern):
    with pytest.raises(ValueError, match=r"\w"):
        from_ecma(pattern)


ROWS = "(VALUES (1, 2, 'x'), (5, 2, 'y'), (NULL, 2, NULL), (3, NULL, 'it''s')) AS t(a, b, c)"


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("a < b", 3),  # also where one of them is missing: it does not hold
        ("a < b or a is None", 2),
        ("a is None or b is None or a < b", 1),
        ("not a < b", 3),
        ("c in ('x', \"it's\")", 2),
        ("c not in ('x',)", 2),
        ("1 <= a <= 3", 2),
        ("a != 5 and (c == 'x' or c == 'y' or b is None)", 2),
    ],
)
def test_a_rule_s_query_counts_the_rows_that_break_it(rule, broken):
    assert duckdb.sql(rows_that_break(rule).replace("{object}", ROWS)).fetchall() == [(broken,)]


@pytest.mark.parametrize(
    ("query", "number"),
    [(outside("<", 3), 1), (outside(">", 3), 1), (not_among([1, 5]), 1), (filled(["a", "b", "c"]), 75.0)],
)
def test_other_queries(query, number):
    assert duckdb.sql(query.replace("{object}", ROWS).replace("{property}", "a")).fetchall() == [(number,)]
