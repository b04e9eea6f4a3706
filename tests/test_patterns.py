import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovereignmesh.patterns import (
    PatternProblem,
    better_spelling,
    check_pattern,
    explain_misses,
    missed_spellings,
    runs_away,
    slug,
)

PURVIEW_NAME = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")

FINE = [
    "SSN|Social Security",
    r"[0-9]{3}-[0-9]{2}-[0-9]{4}\z",
    "(?i).*(?:SSN|Social[ _-]?Security).*",
    "(?<area>[0-9]{3})x",
    r"[\-\].a-z-]\x41\.\t\\",
    "[]a][^]a][a-b-c][+--]",
    r"\p{L}[\p{Lu}\P{N}]",
    "a{2}{ a{ {x} }]",
    "(?m)^a$",
    "(?s-i:a)b*?c{2,3}?",
    "é|\U0001f600",
    "",
]

# pattern, position, words of the message: what .NET or RE2 refuses, tried on both
ERRORS = [
    ("a(?P<n>b)", 1, ".NET refuses (?P<n>: write (?<name>...)"),
    ("(?P=n)", 0, ".NET and RE2 refuse (?P=n)"),
    ("(?P>n)", 0, ".NET and RE2 refuse (?P>n)"),
    ("xa++", 3, ".NET and RE2 refuse + behind a repetition"),
    ("a*??", 3, "refuse ? behind a repetition"),
    ("a{2}{3}", 4, "refuse {3} behind a repetition"),
    (r"\N{BULLET}", 0, "write the character itself"),
    (r"\U0001F600", 0, "write the character itself"),
    ("(?a)x", 0, "refuses a in (?a)"),
    ("(?L)x", 0, "refuses L in (?L)"),
    ("(?u)x", 0, "refuses u in (?u)"),
    ("(?x)x", 0, "RE2 refuses x in (?x)"),
    ("(?n:x)", 0, "RE2 refuses n in (?n:"),
    ("(?U)x", 0, ".NET refuses U in (?U)"),
    ("(?i-)x", 0, "write flags as in (?i)"),
    ("(?)", 0, "write flags as in (?i)"),
    ("a(b", 1, "a ( is not closed"),
    ("ab)", 2, "a ) closes nothing"),
    ("a[b", 1, "a [ is not closed"),
    ("[]", 0, "a [ is not closed"),
    ("[z-a]", 1, "z-a is reversed"),
    (r"[\x42-\x41]", 1, "is reversed"),
    (r"[a-\d]", 1, "does not end with a character"),
    ("a{3,1}", 1, "{3,1} is reversed, which .NET and RE2 refuse: write {1,3}"),
    ("*a", 0, "nothing to repeat for *"),
    ("a|+", 2, "nothing to repeat for +"),
    ("(?i)?", 4, "nothing to repeat for ?"),
    (r"a\y", 1, r"refuses \y"),
    (r"\_", 0, r".NET refuses \_: write _"),
    (r"\é", 0, r"refuses \é"),
    ("a\\", 1, "at the end"),
    (r"\Z", 0, r"write \z"),
    (r"\Ga", 0, r"RE2 refuses \G"),
    (r"\C", 0, r".NET refuses \C"),
    (r"\Qa.b\E", 0, r".NET refuses \Q..\E"),
    (r"\pN", 0, r"\p{L}"),
    (r"\p{Greek}", 0, "general category"),
    (r"\p{IsGreek}", 0, "general category"),
    (r"\x{41}", 0, r".NET refuses \x{41}"),
    (r"\x4", 0, "two hexadecimal digits"),
    (r"\u0041", 0, r"RE2 refuses \u0041"),
    (r"\cA", 0, "control character"),
    (r"\e", 0, r"write \x1b"),
    (r"[\b]", 1, r"write \x08"),
    (r"[\z]", 1, "in brackets"),
    ("(?=a)b", 0, "RE2 refuses lookaround as (?="),
    ("(?<!a)b", 0, "RE2 refuses lookaround as (?<!"),
    (r"(a)\1", 3, "RE2 refuses backreferences"),
    (r"(?<n>a)\k<n>", 7, r"RE2 refuses backreferences as \k<n>"),
    ("(?>a)", 0, "atomic"),
    ("(?(a)b|c)", 0, "conditionals"),
    ("(?#note)a", 0, "RE2 refuses comments"),
    ("(?<o-c>a)", 0, "balancing"),
    ("(?'n'a)", 0, "RE2 refuses (?'n'"),
    ("(?<1>a)", 0, "no digit first"),
    ("(?|a)", 0, "refuse (?|"),
    ("[a-z-[aeiou]]", 4, "RE2 has no subtraction"),
    ("[A-[b]", 2, "RE2 has no subtraction"),
    ("[[:foo:]]", 1, "RE2 refuses [:"),
    ("a{1001}", 1, "RE2 refuses more than 1000 repetitions"),
    ("(a{100}){11}", 8, "inside each other multiplied"),
    (r"\p{L}{1000}", 0, "too large"),
    ("[\U0001f600]", 1, "two characters in .NET"),
    ("\ud800", 0, "half of a character"),
    ("a" * 10_001, 0, "longer than 10,000"),
    ("(" * 10_000, 100, "more than 100 groups"),
    ("(" * 5000 + ")" * 5000, 100, "more than 100 groups"),
]

WARNINGS = [
    (r"a\d", 1, "[0-9]"),
    (r"[\w-]", 1, "[A-Za-z0-9_]"),
    (r"\S", 0, "RE2 as"),
    (r"\bx", 0, "letters of all of Unicode"),
    ("a$", 1, r"write \z"),
    ("(?m)$(?-m)$", 10, r"write \z"),
    ("(?i)\u0131d", 4, "otherwise than in RE2"),
    ("(?i)[\u212aa]", 4, "otherwise than in RE2"),
    ("[[:alpha:]]", 1, "write its characters"),
    ("a{,3}", 1, "write {0,3}"),
    (r"\012", 0, "octal"),
    (r"\12", 0, "octal"),
    ("^*a", 1, "repeats a position"),
    ("(?<n>a)(?<n>b)", 7, "given twice"),
    ("x(a+)+", 1, "(a+)+ matches one text in many ways"),
    ("(" + "a?" * 1000 + ")", 0, "too large to tell"),
]

RUNS_AWAY = [
    ("^(a+)+$", "(a+)+"),
    ("(a|a)*", "(a|a)*"),
    ("(a|ab|b)*c", "(a|ab|b)*"),
    (".*.*x", ".*.*"),
    (r"(\w+\s?)*!", r"(\w+\s?)*"),
    ("(a*)*", "(a*)*"),
    ("(a?b?)*x", "(a?b?)*"),
    ("x(?:(?:ab)+)+y", "(?:(?:ab)+)+"),
    ("(([a-z])+.)+[A-Z]", "(([a-z])+.)+"),
    (r"([a-z]|\w)*", r"([a-z]|\w)*"),
    (r"(?i)(k|K)*", "(k|K)*"),
    ("(é|é)+x", "(é|é)+"),
    ("(a{1,30}){1,30}", "(a{1,30}){1,30}"),
    ("(?:a{2,3})*b", "(?:a{2,3})*"),
    ("(.*a){10}", "(.*a){10}"),
    (r"\s*\s+x", r"\s*\s+"),
    ("(a+){3}", "(a+){3}"),
    (r"([\w.]+ ?){1,5}@", r"([\w.]+ ?){1,5}"),
]

STAYS = [
    r"(\d{3}-)?\d+",
    "(ab)+",
    "(a|ab)*c",  # a and ab, but not b alone: only one way through any text
    r"\d+\.\d+",
    "[a-z]+@[a-z]+",
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    "(?i).*(?:SSN|Social[ _-]?Security).*",
    r"(?:\d{4}[ -]?){3}\d{4}",
    r"(?:[^\"\\]|\\.)*\"",
    r"(\d{1,3}\.){3}\d{1,3}",
    r"(?:\d{1,3} ?){5}",
    r"(\w+,)*\w+",
    r"(\w+\W+)*x",
    r"([^a]+a)*",
    "(a{20})+",
    "(a|A)*",
    "(?:b(a|a*)){1,2}",
    r"(?:[a-z0-9]+\.)+[a-z]{2,6}",
    "",
]


@pytest.mark.parametrize("pattern", FINE)
def test_what_both_engines_read_alike_is_no_problem(pattern):
    assert check_pattern(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "position", "words", "severity"),
    [(*row, "error") for row in ERRORS] + [(*row, "warning") for row in WARNINGS],
)
def test_a_problem_says_what_where_and_what_instead(pattern, position, words, severity):
    found = [problem for problem in check_pattern(pattern) if words in problem.message]
    assert [(problem.position, problem.severity) for problem in found] == [(position, severity)]
    assert all(problem.severity == "warning" for problem in check_pattern(pattern)) == (severity == "warning")


def test_everything_is_told_once_and_in_order():
    problems = check_pattern(r"\d(?=x)\d[z-a")
    assert [problem.position for problem in problems] == [0, 2, 9, 10]


def test_a_problem_is_a_value():
    assert check_pattern("$") == [PatternProblem(check_pattern("$")[0].message, 0, "warning")]


@pytest.mark.parametrize(("pattern", "part"), RUNS_AWAY)
def test_what_runs_away_is_shown(pattern, part):
    assert runs_away(pattern) == part


@pytest.mark.parametrize("pattern", STAYS)
def test_what_has_one_way_does_not_run_away(pattern):
    assert not runs_away(pattern)


PIECES = st.lists(
    st.sampled_from(
        [
            *"ab01 _-.,:=!<>{}()[]^$*+?|\\#é\n",
            "(?:",
            "(?<n>",
            "(?i)",
            "[a-z]",
            "[^",
            r"\d",
            r"\x41",
            "{2,}",
            "{,3}",
            "++",
        ]
    ),
    max_size=12,
).map("".join)


@given(st.text(max_size=60) | PIECES)
@settings(max_examples=400)
def test_any_text_has_an_answer(pattern):
    for problem in check_pattern(pattern):
        assert 0 <= problem.position <= len(pattern)
        assert problem.message.isprintable()
    assert runs_away(pattern) in pattern
    assert isinstance(missed_spellings(pattern), tuple)
    assert explain_misses(pattern).isprintable()


@given(PIECES)
@settings(max_examples=400)
def test_a_pattern_without_a_problem_is_one_in_python_too(pattern):
    foreign = r"\(\?<|\(\?i|\\z"  # what Python spells in another way, or takes at the beginning only
    if not check_pattern(pattern) and not re.search(foreign, pattern):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `[[` may get a meaning in Python
            re.compile(pattern)


@pytest.mark.parametrize("unit", ["[", "(?<", "\\p{", "a?", "(a|", "[a-[", "\\", "a*", "(?i", "[[:", "é", "{1,2}"])
def test_a_long_pattern_is_bounded(unit):
    long = unit * (10_000 // len(unit))
    assert len(check_pattern(long)) < 10
    assert len(check_pattern(long * 100)) == 1


MISSED = [
    (
        "SSN|Social Security",
        ["social_security_no", "SocialSecurity", "socialsecurity", "SOCIAL_SECURITY", "social-security", "ssn"],
        "(?i).*(?:SSN|Social[ _-]?Security).*",
        "misses social_security_no, whatever the reading, and ssn where case counts",
    ),
    (
        "email|phone",
        ["EMAIL", "Email", "email_address", "phone_number"],
        "(?i).*(?:email|phone).*",
        "misses EMAIL where case counts and email_address where the whole name must match",
    ),
    ("(?i)ssn", ["customer_ssn"], "(?i).*ssn.*", "misses customer_ssn where the whole name must match"),
    ("(?i).*SSN", ["ssn_value"], "(?i).*SSN.*", "misses ssn_value where the whole name must match"),
    (
        r"date[ _]?of-birth",
        ["DateOfBirth", "date of birth"],
        "(?i).*date[ _-]?of[ _-]?birth.*",
        "misses customer_date_of_birth, whatever the reading",
    ),
]


@pytest.mark.parametrize(("pattern", "names", "better", "words"), MISSED)
def test_missed_spellings(pattern, names, better, words):
    missed = missed_spellings(pattern)
    assert [name for name in missed if name in names] == names if names[0] == missed[0] else set(names) <= set(missed)
    assert better_spelling(pattern) == better
    said = explain_misses(pattern)
    assert said.startswith(words)
    assert said.endswith(f"; better: {better}")


@pytest.mark.parametrize(
    "pattern",
    ["^SSN$", "a.b|c", "SSN|", "", ".*", "(a)(b)", r"\d+", "(?i).*(?:SSN|Tax[ _-]?No).*", "\u0131", "a" * 3000],
)
def test_what_is_no_plain_words_or_misses_nothing_is_not_guessed(pattern):
    assert missed_spellings(pattern) == ()
    assert not better_spelling(pattern)
    assert not explain_misses(pattern)


WORDS = st.lists(
    st.lists(st.text("abkisSTZ09éßΣ", min_size=1, max_size=5), min_size=1, max_size=3).map(" ".join),
    min_size=1,
    max_size=4,
)


@given(WORDS)
def test_the_better_spelling_misses_nothing_under_any_reading(words):
    pattern = "|".join(words)
    better = better_spelling(pattern)
    assert bool(better) == bool(missed_spellings(pattern))
    for name in missed_spellings(pattern):
        assert re.fullmatch(better, name)
    assert missed_spellings(better) == ()
    assert check_pattern(better) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PII.HighRisk", "PII-HighRisk"),
        ("  Café  --  Zoë ", "Cafe-Zoe"),
        ("db", "db-x"),
        ("a", "a-x"),
        ("abc", "abc"),
        ("x" * 63, "x" * 63),
        ("x" * 64, "x" * 54 + "-7ce100971f64e700"[:9]),
    ],
)
def test_slug(name, expected):
    assert slug(name) == expected


@given(st.text(max_size=100))
def test_a_slug_is_a_name_for_purview_and_stays(name):
    found = slug(name)
    assert PURVIEW_NAME.fullmatch(found)
    assert 3 <= len(found) <= 63
    assert slug(found) == found


def test_names_that_are_cut_stay_apart():
    assert slug("x" * 70 + "a") != slug("x" * 70 + "b")
