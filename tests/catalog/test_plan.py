"""What a catalog gets from the mesh: planned, written, and nothing left to do."""

import dataclasses
import gzip
import json
import random
import re

import jsonschema
import pytest
from catalog.conftest import PACKAGED, asset, collection
from estates.building import CATALOG_TRUTH

import sovereignmesh as sm
from sovereignmesh.azure.purview.datamap import DataMap
from sovereignmesh.catalog.kinds import MADE
from sovereignmesh.catalog.placing import Place, Places
from sovereignmesh.catalog.reading import CatalogReading
from sovereignmesh.catalog.wishes import Wishes
from sovereignmesh.errors import AnswerError, PlanError, RejectedError, SignInError, UnreachableError
from sovereignmesh.plan import Key

TRUTH = json.loads(CATALOG_TRUTH.read_text())
TEAM = "00000000-0000-0000-0000-0000c0570e3a"
LINEAGE = {
    ("data-set", f"{MADE}products/Customer/Customer 360"),
    ("data-set", f"{MADE}domains/Sales"),
    ("data-set", f"{MADE}domains/Finance"),
    ("process", f"{MADE}products/Customer/Customer 360/data"),
    ("process", f"{MADE}contracts/Customer/Customer 360/Sales"),
    ("process", f"{MADE}contracts/Customer/Customer 360/Finance"),
}


def mendable():
    """What of the planted truth a plan can mend: by qualified name what is written."""
    names = {"description": "description", "owner": "owners"}
    told = {
        one["qualifiedName"]: {names[each] for each in one["missing"] if each in names} for one in TRUTH["findings"]
    }
    return {name: lacks for name, lacks in told.items() if lacks}


@pytest.fixture
def azure(open_azure, small):
    return open_azure(small)


def purview_of(azure):
    return sm.connect_purview("pview-customer-prod", azure)


def test_the_plan_is_what_is_missing_and_can_be_mended(azure, mesh):
    plan = sm.plan_catalog(azure, mesh)
    assert (plan.errors, plan.unread, plan.notes) == ((), (), ())
    assets = {change.item.name: set(change.item.body) for change in plan.changes if change.item.kind == "asset"}
    assert assets == mendable()
    assert {(change.item.kind, change.item.name) for change in plan.changes if change.action == "create"} == LINEAGE
    assert plan.unchanged == TRUTH["hits"] - len(assets)


def test_apply_then_plan_is_empty_and_only_labels_are_left(azure, mesh):
    plan = sm.plan_catalog(azure, mesh)
    applied = sm.apply_catalog(plan, expect=plan.digest)
    assert {outcome.state for outcome in applied} == {"done"}
    assert sm.plan_catalog(azure, mesh, prune=True).empty
    audit = sm.audit_catalog(azure, mesh)
    assert audit.complete
    assert {finding.check for finding in audit.findings if finding.state != "exempt"} == {"sensitivity-label"}
    assert audit.coverage.resources == TRUTH["hits"] + len(LINEAGE)
    assert {outcome.state for outcome in sm.apply_catalog(plan)} == {"already"}


def posts(azure, monkeypatch, refuse=lambda entities: None):
    """How many entities each write has."""
    written, write = [], DataMap.write

    def counted(data_map, *entities):
        refuse(entities)
        written.append(len(entities))
        write(data_map, *entities)

    monkeypatch.setattr(DataMap, "write", counted)
    return written


def test_assets_are_written_together(azure, mesh, monkeypatch):
    written = posts(azure, monkeypatch)
    assert sm.apply_catalog(sm.plan_catalog(azure, mesh)).complete
    assert sorted(written) == [*[1] * len(LINEAGE), len(mendable())]


def test_one_that_is_refused_fails_alone(azure, mesh, monkeypatch):
    plan = sm.plan_catalog(azure, mesh)
    refused = plan.ids[next(change.key for change in plan.changes if change.item.kind == "asset")]

    def refuse(entities):
        if any(each["guid"] == refused for each in entities):
            raise RejectedError("not this one", status=400)

    written = posts(azure, monkeypatch, refuse)
    failed = [outcome for outcome in sm.apply_catalog(plan) if outcome.state != "done"]
    assert [(plan.ids[outcome.change.key], outcome.reason) for outcome in failed] == [(refused, "not this one")]
    assert set(written) == {1}


def test_a_write_that_nobody_answered_is_read_again_and_not_repeated(azure, mesh, monkeypatch):
    plan, write = sm.plan_catalog(azure, mesh), DataMap.write

    def lost(data_map, *entities):
        write(data_map, *entities)
        if len(entities) > 1:
            raise UnreachableError("no answer")
        assert entities[0]["typeName"] in {"DataSet", "Process"}, "assets are written once"

    monkeypatch.setattr(DataMap, "write", lost)
    assert sm.apply_catalog(plan).complete
    monkeypatch.undo()
    assert sm.plan_catalog(azure, mesh).empty


def test_what_an_asset_has_stays(azure, mesh):
    purview = purview_of(azure)
    name = "mssql://sql-customer-prod.database.windows.net/crm/dbo/preferences_history"
    before = purview.data_map.named("azure_sql_table", [name])[name]
    sm.apply_catalog(sm.plan_catalog(azure, mesh))
    after = purview.data_map.named("azure_sql_table", [name])[name]
    assert before.description == ""
    assert after.description == "Who the customers are, what they bought and what they agreed to."
    kept = {key: value for key, value in after.body["attributes"].items() if key != "userDescription"}
    assert kept == {key: value for key, value in before.body["attributes"].items() if key != "userDescription"}
    assert (after.owners, after.classifications, after.columns) == (
        before.owners,
        before.classifications,
        before.columns,
    )


def test_an_expert_stays_beside_the_owner(azure, mesh):
    purview = purview_of(azure)
    name = "mssql://finance-sql.database.windows.net/ledger/dbo/invoices_monthly"
    before = purview.data_map.named("azure_sql_table", [name])[name]
    sm.apply_catalog(sm.plan_catalog(azure, mesh))
    after = purview.data_map.named("azure_sql_table", [name])[name]
    assert before.owners == ()
    assert before.contacts["Expert"] == after.contacts["Expert"]
    assert len(after.owners) == 1


def test_lineage_leads_from_the_tables_to_the_consumer(azure, mesh):
    sm.apply_catalog(sm.plan_catalog(azure, mesh))
    data_map = purview_of(azure).data_map
    names = [name for kind, name in LINEAGE if kind == "process"]
    processes = data_map.named("Process", names)
    product = ("DataSet", f"{MADE}products/Customer/Customer 360")
    data = processes[f"{MADE}products/Customer/Customer 360/data"]
    assert data.references("outputs") == [product]
    inputs = data.references("inputs")
    assert {kind for kind, _ in inputs} == {
        "azure_sql_table", "azure_datalake_gen2_path", "azure_datalake_gen2_resource_set",
    }  # fmt: skip
    assert all("customer" in name for _, name in inputs)
    sales = processes[f"{MADE}contracts/Customer/Customer 360/Sales"]
    assert (sales.references("inputs"), sales.references("outputs")) == (
        [product],
        [("DataSet", f"{MADE}domains/Sales")],
    )
    assert sales.description == (
        "Customer enrichment. Fields: customerId, segment, region. Without: email, phone, address."
    )
    assert sales.owners == (TEAM,)


def test_a_contract_that_ends_goes_with_prune_alone(azure, mesh):
    sm.apply_catalog(sm.plan_catalog(azure, mesh))
    products = tuple(
        product.model_copy(update={"data_contracts": product.data_contracts[:1]}) for product in mesh.products
    )
    fewer = dataclasses.replace(mesh, products=products)
    assert not [change for change in sm.plan_catalog(azure, fewer).changes if change.action == "delete"]
    plan = sm.plan_catalog(azure, fewer, prune=True)
    assert {change.item.name for change in plan.changes if change.action == "delete"} == {
        f"{MADE}contracts/Customer/Customer 360/Finance", f"{MADE}domains/Finance",
    }  # fmt: skip
    with pytest.raises(PlanError, match="deletes 2 of the 6 objects"):
        sm.apply_catalog(plan)
    assert {outcome.state for outcome in sm.apply_catalog(plan, force=True)} == {"done"}
    assert sm.plan_catalog(azure, fewer, prune=True).empty


def test_lineage_of_a_domain_that_the_mesh_does_not_know_stays(azure, mesh, write_mesh):
    """Several meshes may share an account."""
    sm.apply_catalog(sm.plan_catalog(azure, mesh))
    other = write_mesh("purview: {account: pview-customer-prod}", "domain: {name: Sales}")
    plan = sm.plan_catalog(azure, other, prune=True)
    assert not [change for change in plan.changes if change.action == "delete"]
    assert "the lineage of the domain Customer stays: this mesh does not know it" in plan.notes
    assert f"{MADE}domains/Sales stays: lineage that stays leads to it" in plan.notes


def test_what_could_not_be_read_takes_no_input_out_of_lineage(azure, open_azure, mesh, tmp_path, write_estate):
    state = tmp_path / "state.json"
    estate = write_estate()
    sm.apply_catalog(sm.plan_catalog(open_azure(estate, state=state), mesh))
    plan = sm.plan_catalog(open_azure(estate, state=state, faults=["search-loses-rows"]), mesh, prune=True)
    assert not plan.complete
    assert [change for change in plan.changes if change.item.kind != "asset"] == []


def test_what_the_mesh_has_not_either_is_no_wish_that_came_true(azure, mesh):
    bare = tuple(product.model_copy(update={"description": None}) for product in mesh.products)
    plan = sm.plan_catalog(azure, dataclasses.replace(mesh, products=bare))
    told = [
        re.fullmatch(
            r"(\d+) assets of (.+) have no description as the search tells, and the mesh has none for them", one
        )
        for one in plan.notes
    ]
    assert {one[2] for one in told} == {product.name for product in mesh.products}
    counted = sum(int(one[1]) for one in told)
    assert counted >= sum("description" in lacks for lacks in mendable().values()), "the index may lack more"
    owners = {name for name, lacks in mendable().items() if "owners" in lacks}
    assets = {change.item.name: set(change.item.body) for change in plan.changes if change.item.kind == "asset"}
    assert assets == {name: {"owners"} for name in owners}
    only = {name for name, lacks in mendable().items() if lacks == {"owners"}}
    assert plan.unchanged == TRUTH["hits"] - counted - len(only)


def test_lineage_that_somebody_changes_meanwhile_is_not_overwritten(azure, mesh):
    sm.apply_catalog(sm.plan_catalog(azure, mesh))
    name = f"{MADE}contracts/Customer/Customer 360/Sales"
    products = tuple(
        product.model_copy(
            update={
                "data_contracts": tuple(one.model_copy(update={"purpose": "Else"}) for one in product.data_contracts)
            }
        )
        for product in mesh.products
    )
    plan = sm.plan_catalog(azure, dataclasses.replace(mesh, products=products))
    data_map = purview_of(azure).data_map
    there = data_map.named("Process", [name])[name]
    attributes = {**there.body["attributes"], "userDescription": "By hand."}
    data_map.write({"typeName": "Process", "guid": there.id, "attributes": attributes})
    failed = [outcome for outcome in sm.apply_catalog(plan) if outcome.state == "failed"]
    assert [outcome.change.item.name for outcome in failed] == [name]
    assert "since the plan" in failed[0].reason
    assert data_map.named("Process", [name])[name].description == "By hand."


def test_what_somebody_writes_meanwhile_stays(azure, mesh):
    plan = sm.plan_catalog(azure, mesh)
    data_map = purview_of(azure).data_map
    name = "mssql://sales-sql.database.windows.net/salesdb/dbo/campaigns"
    there = data_map.named("azure_sql_table", [name])[name]
    own = {"qualifiedName": name, "name": "campaigns", "userDescription": "By hand."}
    data_map.write({"typeName": there.type, "guid": there.id, "attributes": own})
    applied = sm.apply_catalog(plan)
    assert [outcome.change.item.name for outcome in applied if outcome.state == "already"] == [name]
    assert data_map.named("azure_sql_table", [name])[name].description == "By hand."


def test_an_asset_that_is_gone_fails_alone(azure, mesh):
    plan = sm.plan_catalog(azure, mesh)
    name = "mssql://sales-sql.database.windows.net/salesdb/dbo/campaigns"
    purview_of(azure).data_map.delete(plan.ids[Key("asset", name)])
    applied = sm.apply_catalog(plan)
    (failed,) = (outcome for outcome in applied if outcome.state == "failed")
    assert "is gone since the plan" in failed.reason
    assert applied.count("done") == len(plan.changes) - 1


def test_another_plan_than_the_one_that_was_shown_is_not_applied(azure, mesh):
    with pytest.raises(PlanError, match="not the one expected"):
        sm.apply_catalog(sm.plan_catalog(azure, mesh), expect="sha256:0")


def test_an_apply_that_is_stopped_is_finished_by_the_next(azure, mesh, monkeypatch):
    monkeypatch.setattr("sovereignmesh.catalog.apply.AT_ONCE", 2)
    plan = sm.plan_catalog(azure, mesh)
    seen = []
    applied = sm.apply_catalog(plan, on_outcome=seen.append, stopped=lambda: len(seen) >= 5)
    assert applied.count("left") > 0
    again = sm.plan_catalog(azure, mesh)
    assert len(again.changes) == len(plan.changes) - applied.count("done")
    assert sm.apply_catalog(again).complete
    assert sm.plan_catalog(azure, mesh).empty


@pytest.mark.parametrize("fault", ["throttled", "server-errors", "reset", "search-denied-one", "purview-denied@9"])
def test_what_cannot_be_read_is_said_and_nothing_is_deleted(open_azure, small, mesh, fault):
    plan = sm.plan_catalog(open_azure(small, faults=[fault]), mesh, prune=True)
    if plan.complete:
        assert {change.item.name for change in plan.changes if change.item.kind == "asset"} == set(mendable())
    else:
        assert "nothing is deleted, since not all could be read" in plan.notes
    assert not [change for change in plan.changes if change.action == "delete"]


def test_the_plan_as_json(azure, mesh):
    from importlib.resources import files

    schema = json.loads(files("sovereignmesh.plan").joinpath("plan.schema.json").read_bytes())
    jsonschema.validate(sm.plan_catalog(azure, mesh).to_dict(), schema)


PRODUCT = """
    dataProduct:
      name: {name}
      domain: Sales
      owner: {owner}
      description: {about}
      dataResidency: {{region: EU}}
      interfaces: [{{type: SQL, endpoint: sql.database.windows.net}}]
"""
PEOPLE = "directory: {team@contoso.com: 00000000-0000-0000-0000-0000000000aa}"


def test_who_has_no_object_id_is_noted_and_nobody_is_made_up(write_mesh):
    mesh = write_mesh(PRODUCT.format(name="One", owner="nobody@contoso.com", about="It is one."))
    wishes = Wishes(mesh)
    assert wishes.owners_for(Place.of("Sales", mesh.products)) == []
    assert any("nobody@contoso.com" in note for note in wishes.notes)


def test_of_two_products_nobody_tells_which_describes_an_asset(write_mesh):
    documents = [PRODUCT.format(name=name, owner="team@contoso.com", about=f"It is {name}.") for name in ("One", "Two")]
    mesh = write_mesh(*documents, PEOPLE)
    wishes = Wishes(mesh)
    place = Places(mesh, [collection("pview", parent="")], ()).find("mssql://sql.database.windows.net/db", "pview")
    assert wishes.description_for(place) == ""
    assert wishes.owners_for(place) == ["00000000-0000-0000-0000-0000000000aa"]
    assert any("One, Two" in note for note in wishes.notes)


def test_lineage_of_very_many_tables_begins_with_the_product(write_mesh):
    text = PRODUCT.format(name="One", owner="team@contoso.com", about="It is one.")
    text += "      dataContracts: [{consumer: Sales Domain, purpose: Use, fields: [id]}]\n"
    mesh = write_mesh(text, PEOPLE)
    wishes = Wishes(mesh)
    for number in range(501):
        wishes.note_data(asset(number), Place.of("Sales", mesh.products))
    names = {item.name for item in wishes.lineage()}
    assert f"{MADE}products/Sales/One/data" not in names
    assert f"{MADE}contracts/Sales/One/Sales" in names
    assert any("more than 500 tables and files" in note for note in wishes.notes)


def test_in_whatever_order_assets_are_read_the_plan_is_the_same(open_azure, write_estate, mesh, monkeypatch):
    lines = gzip.decompress((PACKAGED / "contoso" / "assets.jsonl.gz").read_bytes()).splitlines()
    assets = list(map(json.loads, lines))
    bare = next(one for one in assets if one["typeName"] == "azure_sql_table" and not one.get("contacts"))
    azure = open_azure(write_estate([*assets, {**bare, "typeName": "azure_sql_view"}]))
    read, digests = CatalogReading.__iter__, set()
    for seed in range(4):
        order = random.Random(seed)
        monkeypatch.setattr(
            CatalogReading, "__iter__", lambda self, by=order.random: iter(sorted(read(self), key=lambda _: by()))
        )
        plan = sm.plan_catalog(azure, mesh)
        digests.add(plan.digest)
    assert len(digests) == 1
    assert (
        len([1 for change in plan.changes if change.item.name.startswith(f"{bare['attributes']['qualifiedName']} (")])
        == 2
    )


@pytest.mark.parametrize("error", [UnreachableError("no answer"), AnswerError("a page")])
def test_in_an_outage_assets_fail_together_and_at_once(azure, mesh, monkeypatch, error):
    plan, tried = sm.plan_catalog(azure, mesh), []

    def refuse(entities):
        tried.append(len(entities))
        raise error

    posts(azure, monkeypatch, refuse)
    applied = sm.apply_catalog(plan)
    assert applied.count("failed") + applied.count("left") == len(plan.changes)
    assert tried.count(len(mendable())) == 1
    assert len(tried) < len(LINEAGE) + 2, "none is tried again"


def test_who_is_signed_out_meanwhile_writes_no_more(azure, mesh, monkeypatch):
    plan, tried = sm.plan_catalog(azure, mesh), []

    def refuse(entities):
        tried.append(len(entities))
        raise RejectedError("not together", status=400) if len(entities) > 1 else SignInError("nobody")

    posts(azure, monkeypatch, refuse)
    applied = sm.apply_catalog(plan)
    assert not applied.count("done")
    assert len(tried) <= 2 * 10 + 1, "no more than are under way"
