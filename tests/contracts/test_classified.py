"""Classifications that must not be in the data: by names, by values, and where nobody can tell."""

import polars as pl
import pytest

from sovereignmesh.contracts import DataContract, DataContractValidator, check_contract, project_contract
from sovereignmesh.errors import ContractError, DataContractViolation

RULES = [
    {"pattern": "SSN|Social Security", "classification": "PII.HighRisk"},
    {"pattern": "C[0-9]{4}", "applies_to": "data", "classification": "Internal.Id"},
]
MAILS = [f"person{number}@contoso.com" for number in range(20)]
DATA = pl.DataFrame(
    {"id": [f"C{number:04}" for number in range(20)], "note": MAILS, "ssn_hash": ["x"] * 20, "n": range(20)}
)


def contract(**other):
    return DataContract(allowed_fields=DATA.columns, classification_rules=RULES, **other)


def states(data, **other):
    result = check_contract(data, contract(**other))
    return {check.check: check for check in result.checks if "classifications" in check.check}


@pytest.mark.parametrize(
    ("excluded", "names"),
    [("PII.HighRisk", ("ssn_hash",)), ("Internal.Id", ("id",)), ("MICROSOFT.PERSONAL.EMAIL", ("note",))],
)
def test_what_is_excluded_is_found(excluded, names):
    (check,) = states(DATA, excluded_classifications=[excluded]).values()
    assert (check.state, check.names, check.severity) == ("non-compliant", names, "high")
    assert "contoso" not in str(check)


def test_what_is_not_there():
    (check,) = states(DATA.select("id", "n"), excluded_classifications=["PII.HighRisk"]).values()
    assert (check.state, check.observed) == ("compliant", "none found in the names and 20 rows")


def test_what_nobody_finds_is_unknown():
    (check,) = states(DATA.select("n"), excluded_classifications=["PII.Nobody"]).values()
    assert (check.state, check.reason) == ("unknown", "no rule and no detector finds PII.Nobody")


def test_what_is_not_looked_into_is_unknown():
    data = DATA.select("n").with_columns(pl.struct(a=pl.lit("x")).alias("note"))
    (check,) = states(data, excluded_classifications=["PII.HighRisk"]).values()
    assert check.state == "unknown"
    assert "note was not examined: nested" in check.reason


def test_a_column_without_values_has_its_name():
    data = pl.DataFrame({"id": ["C0001"] * 3, "note": [None] * 3}, schema_overrides={"note": pl.String})
    (check,) = states(data, excluded_classifications=["PII.HighRisk"]).values()
    assert check.state == "compliant"


def test_only_what_is_allowed():
    allowed = ["Internal.Id", "PII.HighRisk", "MICROSOFT.PERSONAL.EMAIL"]
    assert states(DATA, allowed_classifications=allowed)["allowed-classifications"].state == "compliant"
    check = states(DATA, allowed_classifications=[])["allowed-classifications"]
    assert set(check.names) == {"id", "note", "ssn_hash"}


def test_the_validator_s_words():
    with pytest.raises(DataContractViolation, match=r"Classified data included: \{'note'\}"):
        DataContractValidator().validate_output(DATA, contract(excluded_classifications=["MICROSOFT.PERSONAL.EMAIL"]))


def test_classified_values_are_masked():
    rules = {"fields": [{"name": "note", "pattern": "x"}, {"name": "n", "maximum": 0}]}
    (row,) = check_contract(DATA, contract(data_schema=rules)).failing_rows(1)
    assert row == {"row": {"id": "***", "note": "***", "ssn_hash": "***", "n": 0}, "broken": ["pattern note"]}


def test_it_is_not_given_to_the_consumer(tmp_path):
    with pytest.raises(ContractError, match="excluded-classifications, note: MICROSOFT"):
        project_contract(DATA, contract(excluded_classifications=["MICROSOFT.PERSONAL.EMAIL"]), tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()
    less = DataContract(allowed_fields=["n"], classification_rules=RULES, excluded_classifications=["PII.HighRisk"])
    assert project_contract(DATA, less, tmp_path / "o.csv").fields == ("n",)
