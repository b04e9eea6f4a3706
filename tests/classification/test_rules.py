"""The policy's rules: what they find here, and what Purview would make of them."""

import polars as pl
import pytest

from sovereignmesh.classification import classify_columns
from sovereignmesh.classification.rules import policy_rules
from sovereignmesh.mesh import GovernancePolicies, load_mesh

SEED = [
    {"pattern": "SSN|Social Security", "classification": "PII.HighRisk"},
    {"pattern": "email|phone", "classification": "PII.Contact"},
]
UNDOCUMENTED = "how Purview reads patterns is not documented"
ENOUGH = "distinct values in the first 128 rows match: 60 % must"


def policy(*rules):
    return GovernancePolicies.model_validate({"dataClassification": {"autoClassify": True, "rules": list(rules)}})


def judged(data, *rules, **options):
    """By column: the rules' detections and predictions alone, as (by, confidence) and (outcome, reason)."""
    result = classify_columns(pl.DataFrame(data), policy(*rules), **options)
    return {
        column.name: (
            [(one.by, one.confidence) for one in column.detections if one.rule],
            [(one.outcome, one.reason) for one in column.purview if one.classification.startswith("PII")],
        )
        for column in result.columns
    }


def test_the_seed_s_rules():
    told = judged({"SSN": ["x"], "ssn": ["x"], "customer_email": ["x"], "email": ["x"], "total": [1]}, *SEED)
    assert told["email"] == ([("name", "medium")], [("assigned", "the name matches in every reading of the rule")])
    assert told["SSN"][1][0][0] == "assigned"
    assert told["ssn"][1] == [
        (
            "cannot-be-predicted",
            f"the name matches only if searched, whatever the case or as a whole, whatever the case: {UNDOCUMENTED}",
        )
    ]
    assert told["customer_email"][1][0] == (
        "cannot-be-predicted",
        f"the name matches only if searched, whatever the case or searched, with case: {UNDOCUMENTED}",
    )
    assert told["total"] == ([], [])


def test_what_the_policy_names_is_suggested():
    result = classify_columns(pl.DataFrame({"ssn": ["x"], "total": [1]}), policy(*SEED))
    assert result.suggested_excluded_fields == ("ssn",)
    (detection,) = result.column("ssn").detections
    assert (detection.rule, detection.detector, detection.classification) == ("PII-HighRisk", "", "PII.HighRisk")


EMPLOYEE = {"pattern": "^E[0-9]{4}$", "classification": "PII.Employee", "appliesTo": "data"}


@pytest.mark.parametrize(
    ("matching", "minimum", "found", "outcome"),
    [(6, None, True, "assigned"), (5, None, False, None), (5, 50, True, "assigned"), (10, 100, True, "assigned")],
)
def test_a_rule_of_values_counts_distinct_ones(matching, minimum, found, outcome):
    values = [*(f"E100{number}" for number in range(matching)), *(f"x{number}" for number in range(10 - matching))]
    rule = EMPLOYEE | ({"minimumPercentageMatch": minimum} if minimum else {})
    detections, predictions = judged({"c1": values * 2 + values[:1] * 30}, rule)["c1"]
    assert detections == ([("values", "high")] if found else [])
    assert [told for told, _ in predictions] == ([outcome] if outcome else [])


def test_a_rule_of_both_wants_both():
    rule = {"pattern": "employee", "classification": "PII.Employee", "dataPattern": "^E[0-9]{4}$"}
    values = [f"E100{number}" for number in range(10)]
    told = judged({"employee": values, "staff": values, "employee_since": ["2026"] * 10}, rule)
    assert told["employee"] == (
        [("both", "high")],
        [
            (
                "assigned",
                f"the name matches in every reading of the rule, and 10 of 10 {ENOUGH}",
            )
        ],
    )
    assert told["staff"] == ([], [])
    assert told["employee_since"] == ([], [])


def test_whether_values_are_searched_is_not_documented():
    detections, predictions = judged(
        {"c1": [f"id E100{number}." for number in range(9)]}, EMPLOYEE | {"pattern": "E[0-9]{4}"}
    )["c1"]
    assert detections == [("values", "high")]
    assert predictions == [("cannot-be-predicted", f"enough values match only if searched: {UNDOCUMENTED}")]


def test_with_several_patterns_of_values_60_percent_are_fixed():
    first = EMPLOYEE | {"minimumPercentageMatch": 10}
    (rule,) = policy_rules(policy(first, EMPLOYEE | {"pattern": "^F[0-9]{4}$"}))
    assert (rule.minimum, rule.data) == (60, ("^E[0-9]{4}$", "^F[0-9]{4}$"))
    assert policy_rules(policy(first))[0].minimum == 10


def test_the_flags_of_one_pattern_are_not_another_s():
    rules = [EMPLOYEE | {"pattern": "(?i)^e[0-9]{4}$"}, EMPLOYEE | {"pattern": "^f[0-9]{4}$"}]
    assert judged({"c1": [f"E100{n}" for n in range(9)], "c2": [f"F100{n}" for n in range(9)]}, *rules) == {
        "c1": ([("values", "high")], [("assigned", f"9 of 9 {ENOUGH}")]),
        "c2": ([], []),
    }


def test_no_values_to_test_are_unknown():
    rule = {"pattern": "employee", "classification": "PII.Employee", "dataPattern": "^E[0-9]{4}$"}
    result = classify_columns(pl.DataFrame({"employee": [None], "other": [None]}), policy(rule))
    assert result.column("employee").unknown == (
        "no values",
        "rule PII-Employee-both: the name matches, and there are no values to test",
    )
    assert result.column("other").unknown == ("no values",)


def test_a_pattern_that_cannot_be_run_is_unknown_and_never_an_exception():
    r"""`\b` goes by other letters in .NET; a repetition may be too large for Rust's engine."""
    for pattern in (r"\bE[0-9]+\b", r"^\w{1000}$"):
        result = classify_columns(pl.DataFrame({"c1": ["E1", "E2"]}), policy(EMPLOYEE | {"pattern": pattern}))
        column = result.column("c1")
        if pattern.startswith(r"\b"):
            assert "cannot be run here" in column.unknown[0]
        assert not column.detections


def test_a_pattern_that_would_run_away_does_not():
    values = ["a" * 5000 + "!" for _ in range(3)]
    told = judged(
        {"c1": values, "a" * 200 + "!": ["x"] * 3},
        EMPLOYEE | {"pattern": "^(a+)+$"},
        {"pattern": "^(a|a)*$", "classification": "PII.A"},
    )
    assert all(not detections for detections, _ in told.values())


def test_a_mesh_brings_the_rules_of_its_purview(tmp_path):
    rules = "[{pattern: email, classification: PII.Contact}]"
    (tmp_path / "policy.yaml").write_text(f"governancePolicies:\n  dataClassification:\n    rules: {rules}\n")
    (tmp_path / "purview.yaml").write_text(
        "purview:\n  account: contoso\n  classificationRules:\n"
        "    - {name: staff, classification: PII.Staff, columnPatterns: [staff], dataPatterns: ['^E[0-9]{4}$']}\n"
        "    - {name: off, classification: PII.Off, columnPatterns: [staff], enabled: false}\n"
    )
    mesh = load_mesh(tmp_path)
    assert [rule.name for rule in policy_rules(mesh)] == ["PII-Contact", "staff"]
    result = classify_columns(pl.DataFrame({"staff": ["E1000"], "email": ["x"]}), mesh)
    assert [one.rule for column in result.columns for one in column.detections] == ["PII-Contact", "staff"]


def test_no_policy_and_an_empty_one():
    assert policy_rules(None) == policy_rules(GovernancePolicies()) == ()
