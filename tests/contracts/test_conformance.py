"""Every case on every engine; Spark in one test, so that one process starts it."""

import pytest
from contracts.conformance import CASES, ENGINES, SEED_SAYS, no_spark, run, seed_says


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "PySpark"])
@pytest.mark.parametrize("name", CASES)
def test_an_engine_answers_as_every_other(name, engine):
    assert run(CASES[name], engine) == []


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "PySpark"])
def test_the_seed_s_validator_says_the_same(engine):
    assert seed_says(engine) == [words for _, words in SEED_SAYS]


@pytest.mark.skipif(bool(no_spark()), reason=no_spark())
def test_spark_answers_as_every_other():
    wrong = {name: said for name, case in CASES.items() if (said := run(case, "PySpark"))}
    assert wrong == {}
    assert seed_says("PySpark") == [words for _, words in SEED_SAYS]
