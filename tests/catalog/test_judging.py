"""What is judged of one asset, and when it is looked up."""

import copy
import dataclasses
import textwrap
from types import SimpleNamespace

import pytest
from catalog.conftest import LABEL, OWNER, asset, entity
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.azure.purview import DataMap
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.catalog.judging import Judges
from sovereignmesh.catalog.placing import Place
from sovereignmesh.catalog.reading import Read
from sovereignmesh.errors import AnswerError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import CATALOG_CHECKS

POLICY = """
    governancePolicies:
      dataCatalog: {requireDescription: true, requireOwner: true, requireSensitivityLabel: true}
      dataClassification: {rules: [{pattern: "(?i).*ssn.*", classification: PII.HighRisk}]}
"""
SAYS_NONE = """
    dataProduct:
      name: Ledger
      domain: Finance
      owner: finance@contoso.com
      dataResidency: {piiHandling: None}
"""
SHARES = """
    dataProduct:
      name: Customers
      domain: Customer
      owner: customer@contoso.com
      dataContracts:
        - {consumer: Customer, purpose: Offers, fields: [Id, mail], allowedClassifications: [PII.Contact]}
"""


@pytest.fixture
def judge(write_mesh):
    def judge(read, *products):
        mesh = write_mesh(POLICY, *products)
        place = Place.of("", mesh.products)
        judges = Judges(mesh, CATALOG_CHECKS)
        found = {}
        for check, judgement, source in judges.judge(read, place):
            assert source.startswith("https://")
            found.setdefault(check, []).append(judgement)
        return found, judges.in_doubt(read, place)

    return judge


def states(found):
    return {check: judgement.state for check, (judgement,) in found.items()}


def test_an_asset_that_lacks_nothing_is_not_looked_up(judge):
    found, doubt = judge(Read(asset(), "c"))
    assert not doubt
    assert states(found) == dict.fromkeys(CATALOG_CHECKS, "compliant") | {"asset-classification": "not-applicable"}


@pytest.mark.parametrize(
    ("lacks", "check", "reason", "has"),
    [
        ({"description": ""}, "asset-description", "no-description", {"description": "It says."}),
        ({"owners": ()}, "asset-owner", "no-owner", {"owners": (OWNER,)}),
        ({"labels": ()}, "sensitivity-label", "no-label", {"classifications": (LABEL.upper(),)}),
    ],
)
def test_what_the_index_lacks_the_asset_decides(judge, lacks, check, reason, has):
    hit = asset(**lacks)
    found, doubt = judge(Read(hit, "c", entity(hit)))
    assert doubt
    assert (found[check][0].state, found[check][0].reason) == ("non-compliant", reason)
    assert judge(Read(hit, "c", entity(hit, **has)))[0][check][0].state == "compliant"
    (unknown,) = judge(Read(hit, "c", missing="denied"))[0][check]
    assert (unknown.state, unknown.reason, unknown.actual) == ("unknown", "asset-not-read", "denied")


@pytest.mark.parametrize("labels", [("confidential",), ("Microsoft.Label",), ("MICROSOFT.PERSONAL.EMAIL",)])
def test_free_text_is_no_sensitivity_label(judge, labels):
    hit = asset(labels=labels)
    assert judge(Read(hit, "c", entity(hit)))[0]["sensitivity-label"][0].reason == "no-label"


@pytest.mark.parametrize(
    ("kind", "object_type", "state", "reason"),
    [
        ("azure_sql_server", "", "not-applicable", "no-label-support"),
        ("azure_sql_dw_table", "", "not-applicable", "no-label-support"),
        ("azure_datalake_gen2_path", "Folders", "not-applicable", "no-label-support"),
        ("azure_datalake_gen2_path", "Files", "non-compliant", "no-label"),
        ("some_new_thing", "", "unknown", "label-support-unknown"),
    ],
)
def test_types_that_cannot_carry_a_label(judge, kind, object_type, state, reason):
    hit = asset(type=kind, object_type=object_type, labels=())
    (judgement,) = judge(Read(hit, "c", entity(hit)))[0]["sensitivity-label"]
    assert (judgement.state, judgement.reason) == (state, reason)


@pytest.mark.parametrize(
    ("name", "fails"),
    [
        ("PII.HighRisk", True),
        ("pii.highrisk", True),
        ("MICROSOFT.PERSONAL.EMAIL", True),
        ("MICROSOFT.FINANCIAL.CREDIT_CARD_NUMBER", True),
        ("MICROSOFT.GOVERNMENT.CITY_NAME", False),
        ("Order.Number", False),
        (LABEL, False),
    ],
)
def test_a_product_that_says_it_holds_no_personal_data(judge, name, fails):
    hit = asset(classifications=(name,))
    columns = [("iban", []), ("holder", [name])]
    found, doubt = judge(Read(hit, "c", entity(hit, columns=columns)), SAYS_NONE)
    assert doubt, "columns are known to the asset alone"
    (judgement,) = found["asset-classification"]
    if not fails:
        assert judgement.state == "compliant"
        return
    assert (judgement.state, judgement.reason) == ("non-compliant", "classified-against-product")
    assert (judgement.subject, judgement.actual) == (f"column holder: {name}", name)
    assert judgement.expected == "Ledger says that it holds no personal data"


FILE = "azure_datalake_gen2_path"


def test_a_file_without_columns_is_judged_as_a_whole(judge):
    hit = asset(type=FILE, object_type="Files")
    whole = entity(hit, classifications=("PII.HighRisk",), relations={"tabular_schema": None})
    (judgement,) = judge(Read(hit, "c", whole), SAYS_NONE)[0]["asset-classification"]
    assert judgement.subject == "PII.HighRisk"


@pytest.mark.parametrize("documents", [SAYS_NONE, SHARES])
@pytest.mark.parametrize(
    "kind", ["azure_sql_table", "azure_sql_dw_table", "azure_sql_dw_view", "DataSet", FILE, "own_service"]
)
def test_columns_that_are_not_told_are_unknown_and_no_pass(judge, documents, kind):
    hit = asset(type=kind)
    told = dataclasses.replace(entity(hit, columns=[("id", [])]), unresolved=True)
    (judgement,) = judge(Read(hit, "c", told), documents)[0]["asset-classification"]
    assert (judgement.state, judgement.reason) == ("unknown", "columns-not-read")


LISTED = {"columns": [("notes", [])]}
NO_SCHEMA = {"relations": {"tabular_schema": None}}


@pytest.mark.parametrize(
    ("kind", "object_type", "says", "state"),
    [
        *((kind, "Tables", LISTED, "compliant") for kind in ("azure_sql_table", "azure_sql_dw_table", "some_table")),
        *(
            (kind, "Tables", {"relations": relations}, "unknown")
            for kind in ("azure_sql_table", "azure_sql_dw_table", "azure_sql_dw_view", "DataSet", "some_table")
            for relations in (
                {},
                {"dbSchema": {"guid": "s"}},
                {"columns": None},
                {"columns": []},  # no table is without: whoever made it gave none
                {"attachedSchema": [], "tabular_schema": None},
            )
        ),
        # Columns of another attribute are not all that there are.
        ("azure_sql_table", "Tables", {**LISTED, "relations": {"partitionColumns": [{"guid": "p"}]}}, "unknown"),
        ("some_table", "Tables", {**LISTED, "relations": {"fields": [{"guid": "p"}]}}, "compliant"),
        (FILE, "Files", NO_SCHEMA, "compliant"),
        (FILE, "Files", {**LISTED, "relations": {"attachedSchema": [{"guid": "s"}]}}, "compliant"),
        (FILE, "Files", {"relations": {"attachedSchema": []}}, "unknown"),
        (FILE, "Files", {"relations": {}}, "unknown"),
        (FILE, "Folders", {"relations": {}}, "compliant"),
        *(
            (kind, "", {"relations": {}}, "compliant")
            for kind in ("azure_sql_server", "azure_sql_db", "azure_sql_schema", "azure_sql_dw", "azure_sql_column")
        ),
        ("tabular_schema", "", {"relations": {}}, "unknown"),
    ],
)
def test_who_has_columns_must_list_them(judge, kind, object_type, says, state):
    hit = asset(type=kind, object_type=object_type)
    (judgement,) = judge(Read(hit, "c", entity(hit, **says)), SAYS_NONE)[0]["asset-classification"]
    assert judgement.state == state
    assert judgement.reason == ("columns-not-read" if state == "unknown" else "")


@pytest.mark.parametrize("documents", [SAYS_NONE, SHARES])
@pytest.mark.parametrize("columns", [[("notes", [])], [("id", ["PII.Contact"])]])
def test_what_only_the_index_knows_is_of_a_column_that_nobody_knows(judge, documents, columns):
    if documents is SAYS_NONE and columns[0][1]:
        columns = [("id", ["Order.Number"])]
    hit = asset(classifications=("PII.HighRisk",))
    (judgement,) = judge(Read(hit, "c", entity(hit, columns=columns)), documents)[0]["asset-classification"]
    assert (judgement.state, judgement.reason, judgement.subject) == ("unknown", "columns-not-read", "PII.HighRisk")


def test_a_contract_and_a_table_that_is_classified_as_a_whole(judge):
    hit = asset()
    whole = entity(hit, classifications=("PII.HighRisk",), columns=[("notes", [])])
    (judgement,) = judge(Read(hit, "c", whole), SHARES)[0]["asset-classification"]
    assert (judgement.state, judgement.expected) == ("unknown", "Customers shares fields with Customer as PII.Contact")
    of_a_column = entity(hit, classifications=("PII.HighRisk",), columns=[("notes", ["PII.HighRisk"])])
    assert judge(Read(hit, "c", of_a_column), SHARES)[0]["asset-classification"][0].state == "compliant"


def test_what_the_asset_itself_no_longer_has_is_lacking(judge):
    hit = asset()
    found = judge(Read(hit, "c", entity(hit)))[0]
    assert {found[check][0].reason for check in ("asset-description", "asset-owner")} == {"no-description", "no-owner"}


def test_what_could_not_be_looked_up_is_unknown_and_no_pass(judge):
    (judgement,) = judge(Read(asset(), "c", missing="denied"), SAYS_NONE)[0]["asset-classification"]
    assert judgement.state == "unknown"


def test_a_contract_limits_the_fields_that_it_shares(judge):
    hit = asset()
    columns = [("ID", ["PII.HighRisk"]), ("Mail", ["pii.contact"]), ("notes", ["PII.HighRisk"])]
    (judgement,) = judge(Read(hit, "c", entity(hit, columns=columns)), SHARES)[0]["asset-classification"]
    assert judgement.subject == "column ID: PII.HighRisk"
    assert judgement.expected == "Customers shares ID with Customer as PII.Contact"


def test_two_classifications_of_a_column_are_two_findings(judge):
    hit = asset()
    columns = [("ssn", ["PII.HighRisk", "MICROSOFT.PERSONAL.NAME", "PII.HighRisk"])]
    found = judge(Read(hit, "c", entity(hit, columns=columns)), SAYS_NONE)[0]["asset-classification"]
    assert len({judgement.subject for judgement in found}) == len(found) == 2


ORDER = {"compliant": 0, "not-applicable": 0, "unknown": 1, "non-compliant": 1}


def worst(policy_judges, read):
    """By check, whether anything stands against the asset."""
    judges, place = policy_judges
    found = dict.fromkeys(CATALOG_CHECKS, 0)
    for check, judgement, _ in judges.judge(read, place):
        found[check] = max(found[check], ORDER[judgement.state])
    return found


@given(
    dropped=st.sets(st.sampled_from(["description", "owners", "labels"])),
    kept=st.sets(st.sampled_from(["description", "owners", "classifications"])),
    read=st.booleans(),
)
def test_taking_a_fact_away_never_makes_compliant(policy_judges, dropped, kept, read):
    """Whatever is taken from the hit, the entity or the reading, nothing passes that did not before."""
    empty = {"description": "", "owners": (), "labels": ()}
    whole = {"description": "It says.", "owners": (OWNER,), "classifications": (LABEL,), "columns": [("id", [])]}

    def judged(hit, found):
        return worst(policy_judges, Read(hit, "c", found) if found else Read(hit, "c", missing="denied"))

    hit = asset(**{name: empty[name] for name in dropped})
    more = judged(hit, entity(hit, **whole))
    less = judged(hit, entity(hit, **{name: whole[name] for name in kept}) if read else None)
    assert all(less[check] >= more[check] for check in CATALOG_CHECKS)
    assert less["asset-classification"], "who lists no columns, or could not be read, may have any"


def answer_of(kind, names):
    """What the Data Map answers of an asset with a column for each of the lists of classifications."""

    def told(guid, kind, **more):
        return {"guid": guid, "typeName": kind, "attributes": {"qualifiedName": guid, "name": guid}, **more}

    columns = {
        f"c{number}": told(f"c{number}", "some_column", classifications=[{"typeName": name} for name in each])
        for number, each in enumerate(names)
    }
    related = {"columns": [{"guid": guid} for guid in columns], "dbSchema": {"guid": "d"}, "attachedSchema": []}
    referred = columns
    if kind == FILE:
        schema = told("s", "tabular_schema", relationshipAttributes={"columns": related["columns"]})
        referred, related = {**columns, "s": schema}, {"tabular_schema": {"guid": "s"}, "attachedSchema": []}
    return {"entities": [told("e", kind, relationshipAttributes=related)], "referredEntities": referred}


def parts_of(value, path=()):
    """The paths to everything in an answer but what it says of an asset or a column itself."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if name in ("typeName", "guid", "attributes", "classifications") or (name == 0 and path == ("entities",)):
            pass
        elif path[-1:] != ("columns",):  # of a list that lacks one nobody can tell
            yield (*path, name)
        if isinstance(inner, dict | list) and name not in ("attributes", "classifications"):
            yield from parts_of(inner, (*path, name))


def taken(answer, path):
    *way, last = path
    for step in way:
        answer = answer.get(step) if isinstance(answer, dict) else answer[step]
        if answer is None:
            return  # gone already
    answer.pop(last, None)


@given(
    kind=st.sampled_from(["azure_sql_table", "azure_sql_dw_table", "some_type", FILE]),
    names=st.lists(st.lists(st.sampled_from(["PII.HighRisk", "Order.Number"]), max_size=2), min_size=1, max_size=3),
    data=st.data(),
)
def test_taking_a_part_of_the_answer_away_never_makes_compliant(policy_judges, kind, names, data):
    """Whatever an answer lacks of how an asset and its columns hang together, nothing passes that did not before."""
    hit, answer = asset(id="e", type=kind), answer_of(kind, names)

    def judged():
        line = SimpleNamespace(object=lambda *_, **__: Facts(copy.deepcopy(answer), "here"))
        try:
            read = Read(hit, "c", DataMap(line).entities(["e"]).get("e"), "")
        except AnswerError as error:
            read = Read(hit, "c", missing=str(error))
        return worst(policy_judges, read)["asset-classification"]

    before = judged()
    assert before == any("PII.HighRisk" in each for each in names)
    parts = sorted(parts_of(answer), key=str)
    for path in data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3)):
        taken(answer, path)
    assert judged() >= before


@pytest.fixture(scope="module")
def policy_judges(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "policy.yaml").write_text(f"{textwrap.dedent(POLICY)}---{textwrap.dedent(SAYS_NONE)}")
    mesh = load_mesh(folder)
    return Judges(mesh, CATALOG_CHECKS), Place.of("", mesh.products)
