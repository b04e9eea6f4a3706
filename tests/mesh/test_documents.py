import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.facts import regions
from sovereignmesh.mesh import load_mesh, validate
from sovereignmesh.mesh.json_schema import GenerateJsonSchema, schema
from sovereignmesh.mesh.load import _Reader
from sovereignmesh.yamlfile import parse, parse_all

KEYS = {
    "governancePolicies": ["dataResidency", "inheritTags", "encryption", "network", "implicitReplicas", "waivers"],
    "dataProduct": ["interfaces", "qualityMetrics", "dataContracts", "dataResidency"],
    "domain": ["subscriptions", "description", "owner"],
}


def errors_of(text):
    reader = _Reader()
    for document in parse_all(text.encode(), "x.yaml"):
        reader.accept(document)
    return reader, [problem for problem in reader.problems if problem.severity == "error"]


def test_the_seed_loads_as_written(fixtures):
    problems = validate(fixtures / "mesh/seed")
    assert {problem.severity for problem in problems} == {"warning"}
    assert [problem.path.rpartition(".")[2] for problem in problems] == ["accuracy", "timeliness"]
    mesh = load_mesh(fixtures / "mesh/seed")
    assert mesh.files == ("customer.yaml", "policy.yaml", "sales.yaml")
    customer, sales = mesh.products
    (contract,) = customer.data_contracts
    assert contract.fields == ("customerId", "segment", "region")
    assert contract.excluded_fields == ("email", "phone", "address")
    assert sales.interfaces[0].scopes == ("sales.read", "sales.aggregate")
    assert sales.sla.availability == 99.9
    assert mesh.policies.data_classification.rules[0].classification == "PII.HighRisk"


def test_each_document_of_the_seed_is_a_mesh_or_part_of_one(fixtures):
    for name in ("policy.yaml", "sales.yaml"):
        assert load_mesh(fixtures / "mesh/seed" / name).files == (name,)
    error, warning = sorted(validate(fixtures / "mesh/seed/customer.yaml"), key=lambda problem: problem.severity)
    assert "'Sales Domain' is no domain" in error.message
    assert "no governancePolicies" in warning.message


@given(st.sampled_from(sorted(regions().values(), key=lambda region: region.name)), st.data())
def test_any_spelling_of_any_region_loads(region, data):
    spelling = data.draw(st.sampled_from([region.name, region.display_name]))
    spelling = data.draw(st.sampled_from([str, str.upper, str.lower, str.title]))(spelling)
    spelling = spelling.replace(" ", data.draw(st.sampled_from([" ", "", "-"])))
    reader, errors = errors_of(f"governancePolicies: {{dataResidency: {{allowedRegions: ['{spelling}']}}}}")
    assert not errors
    assert reader.policies[0].model.data_residency.allowed_regions == (region.name,)


@given(st.data())
def test_a_typo_in_any_key_is_reported_at_its_own_line(data):
    top = data.draw(st.sampled_from(sorted(KEYS)))
    key = data.draw(st.sampled_from(KEYS[top]))
    at = data.draw(st.integers(1, len(key) - 1))
    typo = key[:at] + data.draw(st.sampled_from("xqzj")) + key[at:]
    before = data.draw(st.integers(0, 5))
    text = f"{top}:\n" + "  # a comment\n" * before + f"  {typo}: 1\n"
    _, errors = errors_of(text)
    (unknown,) = [problem for problem in errors if "unknown key" in problem.message]
    assert unknown.location.line == before + 2
    assert unknown.location.column == 3
    assert unknown.path == f"$.{top}.{typo}"
    assert f"did you mean '{key}'?" in unknown.message


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=5)
    | st.just([])
    | st.just({})
)


@given(st.sampled_from(sorted(KEYS)), st.dictionaries(st.sampled_from(sum(KEYS.values(), [])), scalars))  # noqa: RUF017
def test_wrong_values_give_problems_and_never_raise(top, content):
    _, errors = errors_of(json.dumps({top: content}))
    for error in errors:
        assert error.path.startswith(f"$.{top}")
        assert error.location.line == 1
        assert "Input should" not in error.message


def test_a_mesh_of_a_purview_document_alone_is_one(tmp_path):
    (tmp_path / "purview.yaml").write_text("purview: {account: x}\n", encoding="utf-8")
    assert validate(tmp_path) == []
    mesh = load_mesh(tmp_path)
    assert mesh.purview.model.account == "x"
    assert mesh.policies is None


@pytest.mark.parametrize(
    ("documents", "fragment"),
    [
        ("governancePolicies: {dataResidency: {enforced: false, region: EU}}", "advisory"),
        ("governancePolicies: {dataResidency: {enforced: true}}", "bounds nothing"),
        (
            "governancePolicies: {dataResidency: {allowedRegions: [westeurope, northeurope, chinanorth2]}}",
            "most others",
        ),
        ("governancePolicies: {}\n---\ndataProduct: {name: P, domain: D, owner: o}", "no dataResidency"),
    ],
)
def test_warnings(documents, fragment, tmp_path):
    file = tmp_path / "mesh.yaml"
    file.write_text(documents, encoding="utf-8")
    (problem,) = validate(file)
    assert problem.severity == "warning"
    assert fragment in problem.message
    assert problem.location.line >= 1
    load_mesh(file)


def test_schema_takes_what_loads_and_refuses_what_does_not(fixtures):
    assert schema()["$schema"] == GenerateJsonSchema.schema_dialect == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    for name in ("seed", "contoso"):
        for file in (fixtures / "mesh" / name).rglob("*.yaml"):
            for document in parse_all(file.read_bytes(), file.name):
                validator.validate(document.value)
    for case in ("10-unknown-key", "11-wrong-types", "28-severity", "12-unknown-region"):
        value = parse((fixtures / "mesh/broken" / case / "policy.yaml").read_bytes(), "x").value
        assert validator.is_valid(value) == (case == "12-unknown-region")  # an editor completes regions only


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, str(2**63), ".inf", "-.inf", ".nan", "1e400"])
def test_a_number_that_json_cannot_hold_is_an_error_with_its_place(tmp_path, number):
    source = f"{{name: abc, kind: Teradata, properties: {{host: {number}}}}}"
    (tmp_path / "purview.yaml").write_text(f"purview: {{account: sovereign-purview, sources: [{source}]}}")
    (problem,) = validate(tmp_path)
    assert "64 bits" in problem.message
    assert problem.location.line == 1
