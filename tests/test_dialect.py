"""One pattern, three engines: RE2, Rust's regex, and what is refused where they differ."""

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovereignmesh.patterns import portable, whole

VALUES = ["", "a", "ab", "12", "1a", "a-b", "a b", "a\nb", "ab\n", "\u0661", "\u00e9", "A", "[x]", "a&&b", "^", "\\", "\t", "x{,3}", "\U0001f600"]  # fmt: skip  # noqa: E501


def matches(pattern, values):
    """What Rust and RE2 say of each value; they must agree."""
    text = whole(pattern)
    rust = pl.Series(values).str.contains(text).to_list()
    re2 = [duckdb.execute("select regexp_matches(?, ?)", [value, text]).fetchone()[0] for value in values]
    assert rust == re2, text
    return [value for value, hit in zip(values, rust, strict=True) if hit]


@pytest.mark.parametrize(
    ("pattern", "hits"),
    [
        (r"\d+", ["12"]),
        (r"[^\d]", ["a", "\u0661", "\u00e9", "A", "^", "\\", "\t", "\U0001f600"]),
        (r"\w+", ["a", "ab", "12", "1a", "A"]),
        (r"[\w\s]+", ["a", "ab", "12", "1a", "a b", "a\nb", "ab\n", "A", "\t"]),
        (r"^ab$", ["ab"]),
        (r"(?s)a.b|(?:x)", ["a-b", "a b", "a\nb"]),
        (r"(?<name>a)b?", ["a", "ab"]),
        (r"[[x\]]+", ["[x]"]),
        (r"[a&]+b", ["ab", "a&&b"]),
        (r"[]\\^-]", ["^", "\\"]),
        (r"[^^a]", ["\u0661", "\u00e9", "A", "\\", "\t", "\U0001f600"]),
        (r"a\-b|\x41", ["a-b", "A"]),
        (r"x{,3}", ["x{,3}"]),
        (r"[a-c-]+", ["a", "ab", "a-b"]),
        (r"\p{Lu}", ["A"]),
        (r"", [""]),
    ],
)
def test_engines_agree(pattern, hits):
    assert matches(pattern, VALUES) == hits


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\1", "(", "[a", r"\ba", r"a\B", "[[:alpha:]]", "a**", "(?P<n>a)", r"\Q.\E", "(?x) a"]
)
def test_what_engines_read_otherwise_is_refused(pattern):
    with pytest.raises(ValueError, match=r"\S"):
        portable(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab1-^[]().*+?|\\dwsnS$&~{},", max_size=12))
def test_whatever_is_not_refused_is_read_alike(pattern):
    try:
        whole(pattern)
    except ValueError:
        return
    matches(pattern, VALUES)
