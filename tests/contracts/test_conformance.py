"""Every case on every engine; Spark in one test, so that one process starts it."""

import pytest
from contracts.conformance import CASES, ENGINES, no_spark, run


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "PySpark"])
@pytest.mark.parametrize("name", CASES)
def test_an_engine_answers_as_every_other(name, engine):
    assert run(CASES[name], engine) == []


@pytest.mark.skipif(bool(no_spark()), reason=no_spark())
def test_spark_answers_as_every_other():
    wrong = {name: said for name, case in CASES.items() if (said := run(case, "PySpark"))}
    assert wrong == {}
