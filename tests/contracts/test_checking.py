"""What is found in data, said of it, and shown."""

import datetime as dt
import json
from importlib.resources import files
from typing import ClassVar

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.contracts import DataContract, DataContractValidator, check_contract, measure_quality
from sovereignmesh.errors import (
    ContractError,
    ContractViolation,
    DataContractViolation,
    DataQualityViolation,
    FrameError,
)

AT = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
CLEAN = {"customerId": ["1", "2", "3", "4", "5"], "segment": ["a"] * 5, "region": ["x"] * 5}
CUSTOMER = DataContract(
    allowed_fields=["customerId", "segment", "region"], excluded_fields=["email", "phone", "address"], min_completeness=98  # noqa: E501
)  # fmt: skip
VALIDATOR = DataContractValidator()


@pytest.fixture(params=[pd.DataFrame, pl.DataFrame, pl.LazyFrame], ids=["pandas", "polars", "lazy"])
def frame(request):
    return request.param


class TestTheSeedsValidator:
    def test_clean(self, frame):
        assert VALIDATOR.validate_output(frame(CLEAN), CUSTOMER) is True

    def test_email(self, frame):
        with pytest.raises(DataContractViolation) as caught:
            VALIDATOR.validate_output(frame({**CLEAN, "email": ["e"] * 5}), CUSTOMER)
        assert str(caught.value) == "Unauthorized fields: {'email'}; PII fields included: {'email'}"
        assert {check.check for check in caught.value.result.violations} == {"allowed-fields", "excluded-fields"}

    def test_an_extra_field(self, frame):
        with pytest.raises(DataContractViolation, match=r"^Unauthorized fields: \{'iban'\}$"):
            VALIDATOR.validate_output(frame({**CLEAN, "iban": ["i"] * 5}), CUSTOMER)

    def test_nulls(self, frame):
        with pytest.raises(DataQualityViolation) as caught:
            VALIDATOR.validate_output(frame({**CLEAN, "region": ["x", "y", None, None, None]}), CUSTOMER)
        assert str(caught.value) == "Completeness below threshold: 80 %: region 40 %, expected at least 98 %"
        assert caught.value.result.quality.completeness == 80

    def test_no_rows_are_no_proof(self, frame):
        with pytest.raises(DataQualityViolation, match="could not be checked: there are no rows"):
            VALIDATOR.validate_output(frame({name: [] for name in CLEAN}), CUSTOMER)

    def test_both_are_caught_as_one(self, frame):
        with pytest.raises(ContractViolation):
            VALIDATOR.validate_output(frame({**CLEAN, "email": ["e"] * 5}), CUSTOMER)

    def test_calculate_quality(self, frame):
        quality = VALIDATOR.calculate_quality(frame({"a": [1.0, None], "b": ["x", "y"]}))
        assert (quality.completeness, quality.rows, quality.fields) == (75, 2, {"a": 50, "b": 100})
        assert (quality.accuracy, quality.timeliness) == (None, None)


def test_five_thousand_columns_are_named_shortly():
    data = pl.DataFrame({f"c{number}": [1] for number in range(5000)})
    with pytest.raises(DataContractViolation, match=r"and 4,980 more") as caught:
        VALIDATOR.validate_output(data, CUSTOMER)
    assert len(str(caught.value)) < 1000
    assert len(caught.value.result.violations[0].names) == 5000
    assert measure_quality(data).completeness == 100


@pytest.mark.parametrize(
    "name",
    ["E-Mail", "EMAILS", "email_address", "customerEmail", "e.mail", "emаil", "ｅｍａｉｌ", "émail", "e_mail2", "custemail", "ema1l"],  # noqa: E501, RUF001
)  # fmt: skip
def test_names_like_an_excluded_one(name):
    contract = DataContract(allowed_fields=[name, "a"], excluded_fields=["email"], exclude_similar=True)
    result = check_contract(pl.DataFrame({name: ["x"], "a": [1]}), contract)
    (violation,) = result.violations
    assert (violation.check, violation.names, violation.severity) == ("excluded-fields", (name,), "high")


@pytest.mark.parametrize("name", ["mailing", "e", "mail", "segment", "region"])
def test_names_unlike_it(name):
    contract = DataContract(allowed_fields=[name], excluded_fields=["email"], exclude_similar=True)
    assert check_contract(pl.DataFrame({name: ["x"]}), contract).ok


def test_nested_deeply():
    data = pl.DataFrame({"a": [{"b": [{"contact": {"eMail": "x"}}]}]})
    contract = DataContract(allowed_fields=["a"], excluded_fields=["email"], exclude_similar=True)
    assert check_contract(data, contract).violations[0].names == ("a.b.contact.eMail",)


class TestFailingRows:
    CONTRACT = DataContract(
        allowed_fields=["a", "s", "contact"],
        excluded_fields=["email"],
        data_schema={"fields": [{"name": "a", "maximum": 2}, {"name": "s", "pattern": "x+"}]},
    )
    DATA: ClassVar = {"a": [1, 3, 4, 2], "s": ["x", "xx", "y", None], "email": ["e1", "e2", None, "e4"],
            "contact": [{"email": "n"}] * 4}  # fmt: skip

    def test_which_and_why_without_what_is_secret(self):
        result = check_contract(pl.DataFrame(self.DATA), self.CONTRACT)
        assert result.failing_rows() == [
            {"row": {"a": 3, "s": "xx", "email": "***", "contact": "***"}, "broken": ["range a"]},
            {"row": {"a": 4, "s": "y", "email": None, "contact": "***"}, "broken": ["range a", "pattern s"]},
        ]
        assert len(result.failing_rows(1)) == 1
        assert result.failing_rows(0) == []

    def test_none_where_nothing_is_said_of_values(self):
        assert check_contract(pl.DataFrame({"a": [1]}), DataContract(allowed_fields=["a"])).failing_rows() == []

    def test_a_column_called_broken(self):
        contract = DataContract(
            allowed_fields=["broken", "broken 0"],
            data_schema={"fields": [{"name": "broken", "maximum": 0}, {"name": "broken 0", "maximum": 0}]},
        )
        (row,) = check_contract(pl.DataFrame({"broken": [1], "broken 0": [1]}), contract).failing_rows()
        assert row == {"row": {"broken": 1, "broken 0": 1}, "broken": ["range broken", "range broken 0"]}


class TestResults:
    def test_as_plain_data_it_fits_its_schema(self):
        import jsonschema

        contract = DataContract(
            allowed_fields=["a", "t"], min_completeness=100, min_accuracy=1, freshness="1h",
            data_schema={"fields": [{"name": "a", "required": True}], "timestamp_column": "t"},
        )  # fmt: skip
        result = check_contract(pl.DataFrame({"a": [1, None], "b": ["x", "y"], "t": [AT, AT]}), contract, at=AT)
        schema = json.loads(files("sovereignmesh.contracts").joinpath("contract.schema.json").read_text())
        plain = json.loads(json.dumps(result.to_dict()))
        jsonschema.validate(plain, schema)
        assert plain["ok"] is False
        assert len(result.to_pandas()) == len(result.checks)

    def test_a_notebook_shows_it_escaped(self):
        name = "<script>alert(1)</script>"
        html = check_contract(pl.DataFrame({name: [1]}), DataContract(allowed_fields=["a"]))._repr_html_()
        assert "&lt;script&gt;" in html
        assert "<script>" not in html
        assert "NOT OK" in html
        assert "quality of 1 rows" in measure_quality(pl.DataFrame({"a": [1]}))._repr_html_()

    def test_what_is_unknown_is_not_ok(self):
        contract = DataContract(allowed_fields=["a"], min_timeliness=0)
        result = check_contract(pl.DataFrame({"a": [1]}), contract)
        assert not result.violations
        assert (result.ok, result.complete) == (False, False)
        assert result.unknown[0].reason == "the schema has no timestampColumn"

    def test_objects_of_several_types(self):
        contract = DataContract(
            allowed_fields=["a"], data_schema={"fields": [{"name": "a", "type": "string", "pattern": ".*"}]}
        )
        result = check_contract(pd.DataFrame({"a": [1, "x", None]}), contract)
        assert {check.check: check.state for check in result.checks if check.field} == {
            "type": "non-compliant", "pattern": "unknown",
        }  # fmt: skip
        assert result.quality.fields["a"] == pytest.approx(200 / 3)

    def test_no_type_tells_nothing(self):
        contract = DataContract(allowed_fields=["a"], data_schema={"fields": [{"name": "a", "type": "string"}]})
        for data in (pl.DataFrame({"a": [None]}), pd.DataFrame({"a": [None]}, dtype=object)):
            (unknown,) = check_contract(data, contract).unknown
            assert unknown.check == "type"

    def test_severity_is_the_contract_s(self):
        contract = DataContract(
            allowed_fields=["a"], data_schema={"fields": [{"name": "a", "maximum": 0, "severity": "low"}]}
        )
        assert check_contract(pl.DataFrame({"a": [1]}), contract).violations[0].severity == "low"


class TestMoments:
    def test_a_moment_needs_a_zone(self):
        with pytest.raises(ContractError, match="has no time zone"):
            check_contract(pl.DataFrame({"a": [1]}), DataContract(allowed_fields=["a"]), at=dt.datetime(2026, 1, 1))  # noqa: DTZ001

    def test_today_is_the_default(self):
        contract = DataContract(allowed_fields=["t"], freshness="1h", data_schema={"timestamp_column": "t"})
        now = dt.datetime.now(dt.UTC)
        assert check_contract(pl.DataFrame({"t": [now]}), contract).ok
        assert not check_contract(pl.DataFrame({"t": [now - dt.timedelta(hours=2)]}), contract).ok


def test_no_frame_is_said():
    for data in (None, 42, {"a": [1]}, pd.Series([1])):
        with pytest.raises(FrameError, match="wants a frame"):
            check_contract(data, CUSTOMER)


@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True), st.integers(-5, 5).map(float)), min_size=1, max_size=30),
    st.integers(0, 29),
)
def test_taking_a_value_away_makes_nothing_better(values, at):
    """Unknown is never a pass: not one value more missing makes a check compliant that was not."""
    fields = [{"name": "f", "required": True}]
    contract = DataContract(
        allowed_fields=["f"], min_completeness=60, min_accuracy=60,
        data_schema={"fields": fields, "validity_rules": [{"name": "r", "rule": "f < 1"}]},
    )  # fmt: skip
    before = check_contract(pl.DataFrame({"f": values}, schema={"f": pl.Float64}), contract)
    fewer = [None if place == at % len(values) else value for place, value in enumerate(values)]
    after = check_contract(pl.DataFrame({"f": fewer}, schema={"f": pl.Float64}), contract)
    for one, other in zip(before.checks, after.checks, strict=True):
        assert one.state == "compliant" or other.state != "compliant", one.check
