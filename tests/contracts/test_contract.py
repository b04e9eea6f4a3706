"""A contract by itself: what it is made of, and how it is written and read."""

import datetime as dt
from pathlib import Path

import pytest

from sovereignmesh.contracts import DataContract
from sovereignmesh.errors import ContractError, MeshError
from sovereignmesh.mesh import load_mesh, validate

PRODUCT = """
dataProduct:
  name: Customer 360
  domain: Customer
  owner: customer-data-team@contoso.com
  dataResidency: {region: EU, storageLocations: [westeurope]}
  sla: {freshness: "< 1 hour"}
  qualityMetrics: {completeness: 98, accuracy: 99}
  schema:
    fields:
      - {name: customerId, type: string, required: true, unique: true, pattern: "C[0-9]{6}"}
      - {name: segment, type: string, allowedValues: [a, b]}
      - {name: email, type: string}
      - {name: updatedAt, type: timestamp}
    primaryKey: [customerId]
    validityRules:
      - {name: known, rule: "segment is not None"}
      - {name: reachable, rule: "email is not None"}
    timestampColumn: updatedAt
  dataContracts:
    - consumer: Sales Domain
      purpose: Customer enrichment
      fields: [customerId, segment, updatedAt]
      excludedFields: [email]
      excludeSimilar: true
      excludedClassifications: [PII.HighRisk]
      qualityMetrics: {completeness: 99.5}
    - {consumer: Finance, purpose: Invoicing, fields: [customerId]}
"""
POLICY = """
governancePolicies:
  dataResidency: {region: EU, allowedRegions: [westeurope, northeurope]}
  dataClassification: {rules: [{pattern: SSN, classification: PII.HighRisk}]}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "product.yaml"
    path.write_text(PRODUCT + "---\n" + POLICY)
    return path


def test_the_seed_s_names(fixtures):
    contract = DataContract.from_mesh(load_mesh(fixtures / "mesh/seed"), "Customer 360")
    assert contract.allowed_fields == ("customerId", "segment", "region")
    assert contract.excluded_fields == ("email", "phone", "address")
    assert contract.min_completeness is None
    assert (contract.consumer, contract.purpose) == ("Sales Domain", "Customer enrichment")
    assert contract.residency == ("northeurope", "westeurope")


def test_a_contract_has_what_is_of_its_fields(file):
    contract = DataContract.from_yaml(file, consumer="sales")
    assert [one.name for one in contract.data_schema.fields] == ["customerId", "segment", "updatedAt"]
    assert [rule.name for rule in contract.data_schema.validity_rules] == ["known"]
    assert contract.data_schema.primary_key == ("customerId",)
    assert (contract.min_completeness, contract.min_accuracy) == (99.5, 99)
    assert contract.max_age == dt.timedelta(hours=1)
    assert contract.residency == ("westeurope",)
    assert [rule.classification for rule in contract.classification_rules] == ["PII.HighRisk"]


@pytest.mark.parametrize("consumer", ["Sales Domain", "finance"])
def test_to_yaml_and_back(file, tmp_path, consumer):
    contract = DataContract.from_yaml(file, "customer/Customer 360", consumer)
    written = tmp_path / "written.yaml"
    written.write_text(contract.to_yaml())
    assert DataContract.from_yaml(written) == contract


def test_a_contract_without_names_is_not_written():
    with pytest.raises(ContractError, match="without product, domain, owner, consumer, purpose"):
        DataContract(allowed_fields=["a"]).to_yaml()


def test_it_is_frozen():
    contract = DataContract(allowed_fields=["a"])
    with pytest.raises(ValueError, match="frozen"):
        contract.allowed_fields = ("b",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "the key 'allowed_fields' is missing"),
        ({"allowed_fields": []}, "the list is empty"),
        ({"allowed_fields": "a"}, "found the string 'a', wants a list"),
        ({"allowed_fields": ["a"], "excluded_fields": ["A"]}, "both allowed and excluded: A"),
        ({"allowed_fields": ["a"], "min_completeness": 100.1}, "min_completeness: found the number 100.1, wants at most"),  # noqa: E501
        ({"allowed_fields": ["a"], "min_accuracy": -1}, "wants at least 0"),
        ({"allowed_fields": ["a"], "min_timeliness": float("nan")}, "wants"),
        ({"allowed_fields": ["a"], "freshness": "soon"}, "wants a duration"),
        ({"allowed_fields": ["a"], "freshness": "0 hours"}, "wants a duration"),
        ({"allowed_fields": ["a"], "data_schema": {"fields": [{"name": "a", "pattern": "("}]}}, "not closed"),
        ({"allowed_fields": ["a"], "data_schema": {"fields": [{"name": "a", "pattern": "(?=a)"}]}}, "lookaround"),
        ({"allowed_fields": ["a"], "data_schema": {"fields": [{"name": "a", "pattern": r"\bа"}]}}, "letters of Unicode"),  # noqa: E501
        ({"allowed_fields": ["a"], "data_schema": {"fields": [{"name": "a", "minimum": 2, "maximum": 1}]}}, "no value fits"),  # noqa: E501
        ({"allowed_fields": ["a"], "data_schema": {"fields": [{"name": "a", "minimum": "x", "maximum": 1}]}}, "two of a kind"),  # noqa: E501
        ({"allowed_fields": ["a"], "data_schema": {"validity_rules": [{"name": "r", "rule": "__import__('os')"}]}}, "no comparison"),  # noqa: E501
        ({"allowed_fields": ["a"], "allowed_fieldz": ["b"]}, "allowed_fieldz"),
        ({"allowed_fields": ["a"], "allowed_classifications": ["X"], "excluded_classifications": ["X"]}, "it is one of them"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_said(given, words):
    with pytest.raises(ContractError, match=words.replace("(", r"\(")):
        DataContract(**given)


@pytest.mark.parametrize(
    ("product", "consumer", "words"),
    [
        ("Customer 36", None, "did you mean 'Customer 360'"),
        ("Customer 360", None, "several contracts: Sales Domain, Finance"),
        ("Customer 360", "Nobody", "no contract with 'Nobody': it has them with Sales Domain, Finance"),
    ],
)
def test_which_one_is_said_where_it_is_not_clear(file, product, consumer, words):
    with pytest.raises(ContractError, match=words):
        DataContract.from_yaml(file, product, consumer)


def test_a_product_without_contracts(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("dataProduct: {name: P, domain: D, owner: o}")
    with pytest.raises(ContractError, match="it has no dataContracts"):
        DataContract.from_yaml(path)
    path.write_text("domain: {name: D}")
    with pytest.raises(ContractError, match="it describes none"):
        DataContract.from_yaml(path)


def test_two_domains_may_have_a_product_of_one_name(tmp_path):
    path = tmp_path / "p.yaml"
    one = "dataProduct: {name: P, domain: %s, owner: o, dataContracts: [{consumer: X, purpose: p, fields: [a]}]}\n"
    path.write_text(one % "A" + "---\n" + one % "B")
    with pytest.raises(ContractError, match="several products: A/P, B/P"):
        DataContract.from_yaml(path, "P")
    assert DataContract.from_yaml(path, "b/p").domain == "B"


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ("schema: {fields: [{name: a, type: text}]}", "schema.fields[0].type"),
        ("sla: {freshness: soon}", "sla.freshness"),
        ("qualityMetrics: {completeness: 101}", "qualityMetrics.completeness"),
        ("schema: {validityRules: [{name: r, rule: 'a > '}]}", "schema.validityRules[0].rule"),
        ("schema: {fields: [{name: a, allowed_values: [1]}]}", "schema.fields[0].allowed_values"),
        ("data_schema: {}", "data_schema"),
    ],
)
def test_errors_in_yaml_have_a_place(tmp_path, monkeypatch, broken, place):
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(f"dataProduct:\n  name: P\n  domain: D\n  owner: o\n  {broken}\n")
    with pytest.raises(MeshError) as caught:
        DataContract.from_yaml("p.yaml")
    (problem,) = caught.value.problems
    assert problem.path == f"$.dataProduct.{place}"
    assert problem.location.line == 5


class TestValidate:
    def said(self, tmp_path, product):
        path = tmp_path / "mesh"
        path.mkdir()
        (path / "m.yaml").write_text(f"{POLICY}---\ndomain: {{name: Sales}}\n---\ndomain: {{name: D}}\n---\n{product}")
        return {(problem.path.removeprefix("$.dataProduct."), problem.severity) for problem in validate(path)}

    def product(self, rest):
        return "dataProduct:\n  name: P\n  domain: D\n  owner: o\n  dataResidency: {region: EU}\n" + rest

    def test_promises_that_nobody_can_measure(self, tmp_path):
        product = self.product("  qualityMetrics: {accuracy: 99, timeliness: 95}\n")
        assert self.said(tmp_path, product) == {
            ("qualityMetrics.accuracy", "warning"), ("qualityMetrics.timeliness", "warning"),
        }  # fmt: skip

    def test_rules_and_a_timestamp_measure_them(self, tmp_path):
        product = self.product(
            "  sla: {freshness: 1h}\n  qualityMetrics: {accuracy: 99, timeliness: 95}\n"
            "  schema: {fields: [{name: a, minimum: 0}, {name: t}], timestampColumn: t}\n"
        )
        assert self.said(tmp_path, product) == set()

    def test_names_that_are_not_there_twice_or_alike(self, tmp_path):
        product = self.product(
            "  schema: {fields: [{name: a}, {name: A}, {name: mail}], primaryKey: [b], timestampColumn: c,\n"
            "    validityRules: [{name: r, rule: 'd > 1'}, {name: r, rule: 'a > 1'}]}\n"
            "  dataContracts: [{consumer: Sales, purpose: p, fields: [a, E-Mail], excludedFields: [email],\n"
            "    allowedClassifications: [X], excludedClassifications: [X]}]\n"
        )
        assert self.said(tmp_path, product) == {
            ("schema.fields[1].name", "error"), ("schema.primaryKey[0]", "warning"), ("schema.timestampColumn", "warning"),  # noqa: E501
            ("schema.validityRules[0].rule", "warning"), ("schema.validityRules[1].name", "error"),
            ("dataContracts[0].excludedFields[0]", "warning"), ("dataContracts[0].fields[1]", "warning"),
            ("dataContracts[0].excludedClassifications[0]", "error"),
        }  # fmt: skip

    def test_a_consumer_that_cannot_see_how_fresh_it_is(self, tmp_path):
        product = self.product(
            "  sla: {freshness: 1h}\n  schema: {timestampColumn: t}\n"
            "  dataContracts: [{consumer: Sales, purpose: p, fields: [a]}]\n"
        )
        assert self.said(tmp_path, product) == {("dataContracts[0].fields", "warning")}
