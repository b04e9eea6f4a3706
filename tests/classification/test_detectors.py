"""Every detector does what its cases say, and its chance is no smaller than what is measured."""

import random

import polars as pl
import pytest

from sovereignmesh.classification import detectors
from sovereignmesh.classification.library import load_detectors, system_classifications
from sovereignmesh.classification.validators import find_validator
from sovereignmesh.errors import FactsError
from sovereignmesh.patterns import check_pattern
from sovereignmesh.patterns.dialect import portable

BY_NAME = {one.name: one for one in detectors()}
CASES = [
    pytest.param(one, value, accepted, id=f"{one.name}-{'yes' if accepted else 'no'}-{value[:24]}")
    for one in detectors()
    for accepted, values in ((True, one.positive), (False, one.negative))
    for value in values
]


def accepts(detector, value):
    looks = pl.Series([value]).str.contains(detector.pattern)[0]
    return bool(looks and (detector.validator is None or find_validator(*detector.validator)(value)))


@pytest.mark.parametrize(("detector", "value", "accepted"), CASES)
def test_cases(detector, value, accepted):
    assert accepts(detector, value) is accepted


def test_there_are_enough():
    assert len(detectors()) >= 140
    assert len(CASES) > 900


@pytest.mark.parametrize("detector", detectors(), ids=lambda one: one.name)
def test_a_pattern_is_read_alike_everywhere(detector):
    """Its classes are written out, so that `\\d` is no question, and nothing in it may run away in .NET."""
    said = [problem.message for problem in check_pattern(detector.pattern)]
    assert [message for message in said if "$ also matches" not in message and "reads" not in message] == []
    values = pl.Series([*detector.positive, *detector.negative])
    assert values.str.contains(detector.pattern).to_list() == values.str.contains(portable(detector.pattern)).to_list()


KINDS = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def shuffled(value, rng, kinds):
    """A value of the same shape: other digits for digits, other letters for letters."""
    return "".join(rng.choice(next((kind for kind in kinds if one in kind), one)) for one in value)


@pytest.mark.parametrize("detector", [one for one in detectors() if 0 < one.chance < 1], ids=lambda one: one.name)
def test_a_chance_is_no_smaller_than_measured(detector):
    """Letters are kept where others would not look so, as the `AT` of a number of Austria."""
    rng = random.Random(1)
    start = [rng.choice(detector.positive) for _ in range(3000)]
    for kinds in (KINDS, KINDS[:1]):
        made = pl.Series([shuffled(value, rng, kinds) for value in start])
        shaped = made.filter(made.str.contains(detector.pattern) & ~made.is_in(detector.positive)).to_list()
        if len(shaped) > 100:
            break
    passing = sum(map(find_validator(*detector.validator), shaped))
    slack = 2 * (detector.chance / max(len(shaped), 1)) ** 0.5  # of a sample of that size
    assert passing <= (detector.chance + slack) * max(len(shaped), 1)


@pytest.mark.parametrize("detector", [one for one in detectors() if one.validator], ids=lambda one: one.name)
def test_no_value_that_looks_right_is_too_much_for_a_validator(detector):
    rng = random.Random(2)
    made = [shuffled(rng.choice(detector.positive), rng, KINDS[:1]) for _ in range(1000)]
    made += [
        f"20{rng.randrange(27):02}{rng.randrange(1, 13):02}{rng.randrange(10**12):012}"[:size] for size in range(6, 19)
    ]
    valid = find_validator(*detector.validator)
    assert all(valid(value) in (True, False) for value in made)


def test_a_number_that_the_library_fails_on_is_not_valid():
    assert find_validator("stdnum", "cn.ric")("328268201205235286") is False


STATES = "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se is li no ch gb us".split()  # noqa: SIM905 - a line


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_an_identifier_of_persons(state):
    assert any(one.name.startswith(f"{state}-") and one.personal for one in detectors())


def test_names_that_are_purview_s_are_in_its_list():
    assert len(system_classifications()) == 208
    own = {one.classification for one in detectors()} - system_classifications()
    assert {name.split(".")[0] for name in own} == {"Personal", "Financial", "Business", "Secret"}
    assert all(one.means == "none" for one in detectors() if one.classification in own)


ROW = {
    "name": "x", "classification": "Personal.X", "title": "X", "pattern": "^x$", "telling": "fully",
    "source": "https://contoso.com", "checked": "2026-11-30", "positive": ["x"], "negative": ["y"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"classification": "MICROSOFT.OURS"}, "none of Purview's own"),
        ({"pattern": "x"}, "from ^ to $"),
        ({"pattern": "^(?=x)x$"}, "lookaround"),
        ({"telling": "much"}, "fully, rather"),
        ({"telling": "", "chance": 0.9}, "needs `needsName`"),
        ({"needsName": True}, "without `words`"),
        ({"positive": [1]}, "quotes"),
        ({"negative": []}, "both kinds"),
        ({"checked": "yesterday"}, "the date"),
        ({"surprise": 1}, "surprise"),
        ({"means": "magic"}, "means"),
    ],
)
def test_a_wrong_row_is_refused(change, said):
    assert next(load_detectors({"detectors": [ROW]}, "x.yaml")).name == "x"
    with pytest.raises(FactsError, match=r"x\.yaml: x") as caught:
        list(load_detectors({"detectors": [ROW | change]}, "x.yaml"))
    assert said in str(caught.value)
