"""What is written of a product makes the same product again, and is what the standards allow."""

import json
from functools import cache
from importlib.resources import files

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard
from products import EVERYTHING as SAID
from products import products, schemas

from sovereignmesh.mesh import DataProduct
from sovereignmesh.standards import export_contracts, export_odcs, export_odps, import_odcs, import_odps
from sovereignmesh.standards.words import check_words
from sovereignmesh.yamlfile import Document, dump, parse

EVERYTHING = DataProduct.model_validate(SAID)
ODCS = ("3.2", "3.1", "3.0")
SLOW = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@SLOW
@example(EVERYTHING, "3.2")
@example(EVERYTHING, "3.1")
@example(EVERYTHING, "3.0")
@given(products(), st.sampled_from(ODCS))
def test_a_contract_makes_its_product_again(product, version):
    for contract in product.data_contracts:
        first = next(one for one in product.data_contracts if party(one) == party(contract))
        document = export_odcs(product, contract.consumer, version=version)
        imported = import_odcs(document)
        assert imported.product == product.model_copy(update={"data_contracts": (first,)})
        assert imported.notes == ()
        assert (
            DataProduct.model_validate(parse(imported.yaml.encode(), "x").require()["dataProduct"]) == imported.product
        )


@SLOW
@given(products(least=0), st.sampled_from(ODCS), st.randoms())
def test_a_product_and_its_contracts_make_it_again(product, version, random):
    documents = [export_odps(product), *export_contracts(product, version=version)]
    random.shuffle(documents)
    imported = import_odps(*documents)
    assert imported.product == product
    assert imported.notes == ()


@SLOW
@given(schemas(["a", "b"]), st.sampled_from(ODCS))
def test_every_word_of_a_schema_survives(schema, version):
    agreed = {"consumer": "Finance", "purpose": "Reports", "fields": ["a", "b"]}
    product = {"name": "P", "domain": "Sales", "owner": "me", "schema": schema, "dataContracts": [agreed]}
    product = DataProduct.model_validate(product)
    imported = import_odcs(export_odcs(product, "Finance", version=version))
    assert (imported.product, imported.notes) == (product, ())


@SLOW
@example(EVERYTHING, "3.2")
@example(EVERYTHING, "3.1")
@example(EVERYTHING, "3.0")
@given(products(least=0), st.sampled_from(ODCS))
def test_what_is_written_is_of_its_version(product, version):
    """The standard's own schema of 3.2 knows the older versions' words; ours knows which were not yet there."""
    for document in export_contracts(product, version=version):
        assert document == yaml.safe_load(dump(document)) == json.loads(json.dumps(document))
        renamed = json.dumps(document).replace('"rule": "rowCount"', '"metric": "rowCount"')  # as 3.1 did
        validator().validate(json.loads(renamed))
        major, minor = map(int, version.split("."))
        assert list(check_words(Document("x", document, ()), "odcs", (major, minor), "contract")) == []
        OpenDataContractStandard.model_validate(document)
    assert list(check_words(Document("x", export_odps(product), ()), "odps", (1, 1), "product")) == []


def party(contract):
    return contract.consumer.casefold().removesuffix(" domain")


@cache
def validator():
    """The standard's schema in its package; where a property has no type it took each for all, as later ones do not."""
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
    for branch in schema["$defs"]["SchemaBaseProperty"]["allOf"]:
        branch.get("if", {})["required"] = ["logicalType"]
    return Draft201909Validator(schema)
