"""Leaving texts out by length and kind never loses a match."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovereignmesh.classification import detectors
from sovereignmesh.classification.outline import outline_of
from sovereignmesh.classification.scanning import Texts
from sovereignmesh.classification.words import phrases_in, split
from sovereignmesh.patterns.dialect import portable
from sovereignmesh.patterns.reading import ENDLESS

POOL = sorted({value for one in detectors() for value in (*one.positive, *one.negative)})
ODD = [
    "",
    " ",
    "\n",
    "a\n",
    "1\n",
    "é",
    "Ж9",
    "中@文.com",
    "@",
    "1@2",
    "\U0001f600",
    "x" * 5000,
    "1" * 5000,
    "\u0661",
    "A\u030a",
]
PATTERNS = [
    *(one.pattern for one in detectors()),
    *(
        "",
        "a",
        "^a",
        "a$",
        "^",
        "^$",
        "^a|b$",
        "(?i)^k$",
        "^(?:a|)$",
        "^[^a]$",
        "^.$",
        "(?s)^.$",
        "^\\D+$",
        "^[é]+$",
    ),
    *(
        "^(?:a|b@)$",
        "^[0-9]{2,}$",
        "^\\p{L}+$",
        "^\\p{M}?$",
        "^[\\p{M}]$",
        "^[\\p{Lu}-]+$",
        "^[^\\p{L}]$",
        "^\\P{L}$",
        "^[\\p{P}a]$",
        "^(?:1|\\x40)$",
        "^a{0}$",
        "(^a$)",
        "^(?:^a$)$",
        "^[\\s\\S]*$",
        "^@?[0-9]+$",
    ),
]


def plainly(pattern, texts):
    return set(texts.filter(texts.str.contains(pattern)))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_found_is_what_is_there(pattern):
    series = pl.Series([*POOL, *ODD])
    texts = Texts(series)
    assert set(texts.distinct.gather(texts.find(portable(pattern)))) == plainly(portable(pattern), series)


ATOMS = st.sampled_from(["a", "[0-9]", "[a-z]", "@", "-", ".", "[^a]", "\\.", "é", "[A-Z0-9]", "\\p{L}", "^", "$"])
REPEATS = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}"])
PARTS = st.builds(lambda atom, repeat: atom + (repeat if atom not in "^$" else ""), ATOMS, REPEATS)
GROUPS = st.builds(lambda one, two: f"(?:{one}|{two})", PARTS, PARTS)
WHOLE = st.lists(PARTS | GROUPS, max_size=5).map("".join)


@settings(max_examples=300, deadline=None)
@given(WHOLE, st.booleans(), st.lists(st.text("aZ09@-.é\n", max_size=6), min_size=1, max_size=30))
def test_no_pattern_loses_a_match(body, anchored, values):
    pattern = portable(f"^{body}$" if anchored else body)
    series = pl.Series(values, dtype=pl.String)
    texts = Texts(series)
    assert set(texts.distinct.gather(texts.find(pattern))) == plainly(pattern, series)


def test_outlines():
    digits, letters, hyphen = 1, 2, 1 << 3
    told = outline_of(r"^[0-9]{8}-?[A-Z]\z")
    assert (told.least, told.most, told.allowed, told.needed) == (9, 10, digits | letters | hyphen, digits | letters)
    assert outline_of(r"\A[0-9]{3,5}\z") == outline_of("^[0-9]{3,5}$")
    assert (outline_of("[0-9]").most, outline_of("[0-9]").needed) == (ENDLESS, digits)
    assert told.first == digits
    assert outline_of("^-?[0-9]$").first == hyphen | digits
    assert outline_of("(").needed == outline_of("(").least == 0


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("customerEMailAddress", "email"),
        ("E_MAIL", "email"),
        ("e-mail", "email"),
        ("Numéro de sécurité sociale", "numerodesecuritesociale"),
        ("SteuerID", "steuerid"),
        ("kontonummer", "konto"),
        ("HOME_PHONE2", "homephone"),
        ("fødselsnummer", "fodselsnummer"),
        ("ΑΦΜ", "αφμ"),
        ("name", "=name"),
    ],
)
def test_names_have_phrases(name, phrase):
    assert phrase in phrases_in(name)


@pytest.mark.parametrize(
    ("name", "phrase"), [("mailbox", "mail"), ("product_name", "=name"), ("page", "age"), ("zipped", "zip")]
)
def test_names_have_not(name, phrase):
    assert phrase not in phrases_in(name)


@given(st.text(max_size=50))
def test_any_name_has_words(name):
    assert all(word == word.lower() for word in split(name))
    assert len(phrases_in(name)) < 400
