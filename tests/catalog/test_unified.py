"""The mesh in the Unified Catalog: what is published, what is left to people, and what a cut apply leaves behind."""

import dataclasses
import itertools
import textwrap
import uuid

import pytest

from sovereignmesh.azure.purview import find_purview_account
from sovereignmesh.azure.purview.unified import Entities, connect_unified
from sovereignmesh.catalog import apply_unified, plan_unified
from sovereignmesh.errors import (
    AzureError,
    DeniedError,
    MeshError,
    NotFoundError,
    PlanError,
    RejectedError,
    UnreachableError,
)
from sovereignmesh.mesh import load_mesh
from sovereignmesh.plan import plan_lines
from sovereignmesh.sandbox import estate_mesh, find_fault
from sovereignmesh.sandbox.faults import Fault

ACCOUNT = "sovereign-purview"
ADA, BOB = "00000000-0000-0000-0000-0000000000ad", "00000000-0000-0000-0000-0000000000b0"
SALES = """
domain: {name: Sales, description: What is sold., owner: sales@contoso.com}
"""
ORDERS = f"""
dataProduct:
  name: Orders
  domain: sales
  owner: {ADA}
  description: Every order.
  sla: {{freshness: "< 24 hours"}}
  dataContracts:
    - {{consumer: Sales, purpose: Forecasts, fields: [id]}}
    - {{consumer: Sales, purpose: "Reports.", fields: [id]}}
    - {{consumer: Sales, purpose: Forecasts, fields: [region]}}
"""
RETURNS = "dataProduct: {name: Returns, domain: Sales, owner: sales-team, sla: {freshness: 5 minutes}}"
BOTH = (SALES, ORDERS, RETURNS)
_ERROR = b'{"error": {"code": "ServiceUnavailable", "message": "Try again."}}'


@pytest.fixture
def open_azure(open_azure):
    """Sandboxes of another estate than most tests have."""
    return lambda estate="seed-unified", **options: open_azure(estate, **options)


@pytest.fixture
def azure(open_azure):
    return open_azure()


def catalog_of(azure):
    return connect_unified(azure, find_purview_account(azure, ACCOUNT))


@pytest.fixture
def catalog(azure):
    return catalog_of(azure)


@pytest.fixture
def mesh_of(tmp_path):
    count = itertools.count()

    def write(*documents):
        folder = tmp_path / f"mesh-{next(count)}"
        folder.mkdir()
        policy = "governancePolicies: {dataResidency: {allowedRegions: [westeurope]}}"
        for number, text in enumerate((policy, *documents)):
            (folder / f"{number}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
        return load_mesh(folder)

    return write


def names(plan):
    return [f"{change.action} {change.item.kind} {change.item.name}" for change in plan.changes]


def states(applied):
    return {f"{outcome.change.item.kind} {outcome.change.item.name}": outcome.state for outcome in applied}


def there(catalog):
    """What the catalog has: by name the body, of domains and of products."""
    found = [*catalog.domains.list(), *catalog.products.list()]
    return {each.text("name"): each.body for each in found}


def published(azure, mesh, **options):
    applied = apply_unified(plan_unified(azure, mesh, ACCOUNT, **options), force=True)
    assert applied.complete, [outcome.reason for outcome in applied]
    return applied


def test_what_the_mesh_says_is_published_and_no_more(azure, catalog, mesh_of, exchanges):
    mesh = mesh_of(*BOTH)
    plan = plan_unified(azure, mesh, ACCOUNT)
    assert names(plan) == [
        "create governance-domain Sales", "create data-product Sales/Orders", "create data-product Sales/Returns",
    ]  # fmt: skip
    assert there(catalog) == {}, "a plan only reads"
    apply_unified(plan, expect=plan.digest)
    found = there(catalog)
    assert {body["status"] for body in found.values()} == {"PUBLISHED"}
    assert found["Sales"]["description"] == "What is sold."
    assert (
        found["Orders"]
        | {
            "domain": found["Sales"]["id"],
            "description": "Every order.",
            "businessUse": "Forecasts. Reports.",
            "updateFrequency": "Daily",
            "contacts": {"owner": [{"id": ADA}]},
        }
        == found["Orders"]
    )
    assert not {"contacts", "updateFrequency", "businessUse", "description"} & found["Returns"].keys()
    assert {it.rpartition("/")[2] for it in exchanges.operations if it.startswith("unified")} == {
        "BusinessDomain_Enumerate", "BusinessDomain_Create", "BusinessDomain_Update", "DataProducts_List",
        "DataProducts_Create", "DataProducts_Update",
    }  # fmt: skip


def test_a_second_apply_changes_nothing(azure, catalog, mesh_of):
    mesh = mesh_of(*BOTH)
    published(azure, mesh)
    before = there(catalog)
    plan = plan_unified(azure, mesh, ACCOUNT)
    assert (names(plan), plan.unchanged, plan.existing) == ([], 3, 3)
    assert len(apply_unified(plan)) == 0
    assert there(catalog) == before


def test_the_seed_is_published_from_its_own_mesh(azure):
    mesh = load_mesh(estate_mesh("seed-unified"))
    assert states(apply_unified(plan_unified(azure, mesh))) == {
        "governance-domain Sales": "done",
        "governance-domain Customer": "done",
        "data-product Sales/Sales Analytics": "done",
        "data-product Customer/Customer 360": "done",
    }
    assert plan_unified(azure, mesh).empty


def test_what_is_not_said_there_is_said_here(azure, mesh_of):
    said = "\n".join(line.text for line in plan_lines(plan_unified(azure, mesh_of(*BOTH), ACCOUNT)))
    for words in ("one for the tenant", "sales-team", "a role, given in the portal", "5 minutes", "3 data contracts"):
        assert words in said
    assert ADA not in said.partition("no owner is set")[2]


@pytest.mark.parametrize(
    ("freshness", "frequency"),
    [
        ("< 1 hour", "Hourly"), ("60 minutes", "Hourly"), ("<= 1 Day", "Daily"),
        ("\N{LESS-THAN OR EQUAL TO}7 days", "Weekly"),
        ("monthly", "Monthly"), ("3 months", "Quarterly"), ("1 year", "Yearly"),
        ("2 hours", None), ("< 5 minutes", None), ("90 minutes", None), ("1 hours", None),
    ],
)  # fmt: skip
def test_a_freshness_is_a_frequency_where_it_is_exactly_one(azure, catalog, mesh_of, freshness, frequency):
    published(azure, mesh_of(f"dataProduct: {{name: P, domain: D, owner: o, sla: {{freshness: '{freshness}'}}}}"))
    assert there(catalog)["P"].get("updateFrequency") == frequency


class TestRefusals:
    def test_a_classic_account(self, open_azure):
        azure = open_azure("contoso")
        with pytest.raises(NotFoundError, match="this tenant has no Unified Catalog"):
            plan_unified(azure, load_mesh(estate_mesh("contoso")))

    def test_nobody_knows(self, open_azure, mesh_of):
        with pytest.raises(DeniedError, match="or the tenant has none, which looks alike"):
            plan_unified(open_azure(faults=["purview-denied"]), mesh_of(*BOTH), ACCOUNT)

    def test_no_account_is_named_or_there(self, azure, mesh_of):
        with pytest.raises(MeshError, match="no `purview` document"):
            plan_unified(azure, mesh_of(*BOTH))
        with pytest.raises(NotFoundError, match="no Purview account is called 'nowhere'"):
            plan_unified(azure, mesh_of(*BOTH), "nowhere")

    def test_another_plan_than_the_one_shown(self, azure, catalog, mesh_of):
        plan = plan_unified(azure, mesh_of(*BOTH), ACCOUNT)
        with pytest.raises(PlanError, match="is not the one expected"):
            apply_unified(plan, expect="sha256:other")
        assert there(catalog) == {}


class TestPeople:
    """What people do in the portal stays theirs."""

    def test_what_no_wish_says_stays(self, azure, catalog, mesh_of):
        mesh = mesh_of(*BOTH)
        published(azure, mesh)
        body = there(catalog)["Orders"]
        owners = [{"id": BOB, "description": "stands in"}, {"id": ADA.upper(), "description": "Ada"}]
        theirs = {
            "type": "Master", "endorsed": True, "audience": ["Executive"], "name": "ORDERS",
            "contacts": {"owner": owners, "expert": [{"id": BOB}]},
        }  # fmt: skip
        catalog.products.update(body["id"], {**body, **theirs})
        assert plan_unified(azure, mesh, ACCOUNT).empty
        changed = mesh_of(SALES, ORDERS.replace("Every order.", "All orders."), RETURNS)
        published(azure, changed)
        found = there(catalog)["ORDERS"]
        assert found | theirs | {"description": "All orders."} == found

    def test_markup_makes_no_other_text(self, azure, catalog, mesh_of):
        mesh = mesh_of(*BOTH)
        published(azure, mesh)
        body = there(catalog)["Orders"]
        rich = {"description": "<div><b>Every</b>&nbsp;order.</div>", "businessUse": "<p>Forecasts.</p><p>Reports.</p>"}
        catalog.products.update(body["id"], {**body, **rich})
        assert plan_unified(azure, mesh, ACCOUNT).empty
        catalog.products.update(body["id"], {**body, **rich, "description": "<div>Every order but one.</div>"})
        assert names(plan_unified(azure, mesh, ACCOUNT)) == ["update data-product Sales/Orders"]

    def test_an_owner_is_added_beside_others(self, azure, catalog, mesh_of):
        mesh = mesh_of(*BOTH)
        published(azure, mesh)
        body = there(catalog)["Orders"]
        catalog.products.update(body["id"], {**body, "contacts": {"owner": [{"id": BOB}]}})
        plan = plan_unified(azure, mesh, ACCOUNT)
        assert [difference.path for difference in plan.changes[0].differences] == ["contacts.owner"]
        assert apply_unified(plan).complete
        assert there(catalog)["Orders"]["contacts"]["owner"] == [{"id": BOB}, {"id": ADA}]

    def test_a_domain_of_theirs_is_adopted_in_any_case(self, azure, catalog, mesh_of):
        made = catalog.domains.create(_domain("SALES", description="Ours.", type="LineOfBusiness")).body
        plan = plan_unified(azure, mesh_of(*BOTH), ACCOUNT)
        assert names(plan)[0] == "update governance-domain SALES"
        apply_unified(plan)
        found = there(catalog)
        assert found["SALES"]["id"] == made["id"] == found["Orders"]["domain"]
        assert (found["SALES"]["type"], found["SALES"]["description"]) == ("LineOfBusiness", "What is sold.")

    def test_a_name_that_comes_twice_is_nobody_s_to_choose(self, azure, catalog, mesh_of):
        for _ in range(2):
            catalog.domains.create(_domain("Sales"))
        plan = plan_unified(azure, mesh_of(*BOTH), ACCOUNT)
        with pytest.raises(PlanError, match="several objects in the catalog are the governance-domain 'Sales'"):
            apply_unified(plan)

    @pytest.mark.parametrize("kind", ["domain", "product"])
    def test_what_somebody_has_ended_is_not_published_again(self, azure, catalog, mesh_of, kind):
        mesh = mesh_of(SALES, ORDERS)
        published(azure, mesh)
        name, entities = ("Sales", catalog.domains) if kind == "domain" else ("Orders", catalog.products)
        entities.update(there(catalog)[name]["id"], {**there(catalog)[name], "status": "EXPIRED"})
        plan = plan_unified(azure, mesh, ACCOUNT)
        assert (plan.empty, len(plan.problems)) == (True, 1)
        assert "is EXPIRED in the catalog" in plan.problems[0].message
        if kind == "domain":  # what is new in it stays a draft
            published(azure, mesh_of(*BOTH))
            assert there(catalog)["Returns"]["status"] == "DRAFT"

    def test_what_is_deleted_softly_is_not_there(self, azure, mesh_of, monkeypatch, catalog):
        mesh = mesh_of(*BOTH)
        published(azure, mesh)
        original = type(catalog.domains).list

        def soft(entities, **filters):
            for each in original(entities, **filters):
                each.body["systemData"]["provisioningState"] = "SoftDeleted"
                yield each

        monkeypatch.setattr(type(catalog.domains), "list", soft)
        assert names(plan_unified(azure, mesh, ACCOUNT))[0] == "create governance-domain Sales"


class TestPrune:
    def test_only_products_of_domains_that_the_mesh_knows_go(self, azure, catalog, mesh_of):
        other = mesh_of("dataProduct: {name: Costs, domain: Finance, owner: f}")
        published(azure, other)
        published(azure, mesh_of(*BOTH))
        fewer = mesh_of(SALES, ORDERS)
        assert plan_unified(azure, fewer, ACCOUNT).empty
        plan = plan_unified(azure, fewer, ACCOUNT, prune=True)
        assert names(plan) == ["delete data-product Sales/Returns"]
        published(azure, fewer, prune=True)
        assert there(catalog).keys() == {"Sales", "Orders", "Finance", "Costs"}
        assert plan_unified(azure, fewer, ACCOUNT, prune=True).empty

    def test_much_at_once_is_asked_about(self, azure, mesh_of):
        published(azure, mesh_of(*BOTH))
        plan = plan_unified(azure, mesh_of(SALES), ACCOUNT, prune=True)
        with pytest.raises(PlanError, match="--force"):
            apply_unified(plan)

    def test_a_refused_deletion_is_told_with_what_is_left(self, azure, catalog, mesh_of, monkeypatch):
        published(azure, mesh_of(*BOTH))
        plan = plan_unified(azure, mesh_of(SALES, ORDERS), ACCOUNT, prune=True)

        def refuse(_, identity):
            raise RejectedError(f"{identity}: 409 still linked", status=409)

        monkeypatch.setattr(type(catalog.products), "delete", refuse)
        (outcome,) = apply_unified(plan, force=True)
        assert outcome.state == "failed"
        assert "Returns is a draft, and was not deleted: " in outcome.reason
        assert there(catalog)["Returns"]["status"] == "DRAFT"

    def test_what_changed_meanwhile_does_not_go(self, azure, catalog, mesh_of):
        published(azure, mesh_of(*BOTH))
        plan = plan_unified(azure, mesh_of(SALES, ORDERS), ACCOUNT, prune=True)
        body = there(catalog)["Returns"]
        catalog.products.update(body["id"], {**body, "description": "Wanted again."})
        (outcome,) = apply_unified(plan, force=True)
        assert (outcome.state, "changed since the plan" in outcome.reason) == ("failed", True)
        assert "Returns" in there(catalog)


class TestApply:
    @pytest.mark.parametrize("nth", range(1, 7))
    def test_an_apply_that_was_cut_off_is_finished_by_the_next(self, open_azure, mesh_of, nth):
        """Whichever write fails, what is there is whole, and the next plan makes the rest of it."""
        azure = open_azure(faults=[dataclasses.replace(find_fault(f"purview-denied:purview-writes@{nth}"), times=1)])
        mesh = mesh_of(*BOTH)
        first = apply_unified(plan_unified(azure, mesh, ACCOUNT))
        assert not first.complete
        assert {outcome.state for outcome in first} <= {"done", "failed", "left"}
        second = apply_unified(plan_unified(azure, mesh, ACCOUNT))
        assert second.complete
        assert plan_unified(azure, mesh, ACCOUNT).empty
        found = there(catalog_of(azure))
        assert len(found) == 3, "nothing was made twice"
        assert {body["status"] for body in found.values()} == {"PUBLISHED"}

    @pytest.mark.parametrize("fault", ["reset", "server-errors", "throttled"])
    @pytest.mark.parametrize("nth", range(1, 7))
    def test_passing_faults_leave_no_second_object(self, open_azure, mesh_of, fault, nth):
        azure = open_azure(faults=[f"{fault}:purview-writes@{nth}"])
        mesh = mesh_of(*BOTH)
        runs = [apply_unified(plan_unified(azure, mesh, ACCOUNT)) for _ in range(5)]
        assert runs[-1].complete
        found = [each.text("name") for each in catalog_of(azure).products.list()]
        assert sorted(found) == ["Orders", "Returns"]
        assert plan_unified(azure, mesh, ACCOUNT).empty

    @pytest.mark.parametrize("said", ["unavailable", "a proxy's page"])
    @pytest.mark.parametrize("knows_our_id", [True, False])
    def test_a_post_that_was_taken_and_not_answered_makes_no_second_object(
        self, open_azure, mesh_of, monkeypatch, said, knows_our_id
    ):
        def lose(hit):
            reply = hit.reply()
            if hit.call.method == "POST":
                reply.status, reply.body = (503, _ERROR) if said == "unavailable" else (200, b"<html></html>")
            return reply

        if not knows_our_id:
            get = Entities.get

            def refuse(entities, identity):
                if not any(each.text("id") == identity for each in entities.list()):
                    raise NotFoundError("there is none", status=404)
                return get(entities, identity)

            monkeypatch.setattr(Entities, "get", refuse)
        faults = [Fault("lost", "", lose, "purview-writes", times=None), "lagging-reads"]
        azure, mesh = open_azure(faults=faults), mesh_of(*BOTH)
        applied = apply_unified(plan_unified(azure, mesh, ACCOUNT))
        assert applied.complete, applied.outcomes
        assert sorted(each.text("name") for each in catalog_of(azure).products.list()) == ["Orders", "Returns"]
        assert [each.text("name") for each in catalog_of(azure).domains.list()] == ["Sales"]

    def test_what_somebody_else_made_meanwhile_is_not_published(self, azure, catalog, mesh_of, monkeypatch):
        create = Entities.create

        def meanwhile(entities, body):  # ours is not taken, and somebody makes one of that name
            create(entities, {**body, "id": str(uuid.uuid4()), "description": "Somebody else's."})
            raise UnreachableError("no answer")

        def get(entities, identity):
            raise NotFoundError("there is none", status=404)

        plan = plan_unified(azure, mesh_of(SALES), ACCOUNT)
        monkeypatch.setattr(Entities, "create", meanwhile)
        monkeypatch.setattr(Entities, "get", get)
        (outcome,) = apply_unified(plan)
        assert (outcome.state, "made or changed since the plan" in outcome.reason) == ("failed", True)
        assert there(catalog)["Sales"]["status"] == "DRAFT"

    @pytest.mark.parametrize("later", [DeniedError("a role is missing"), None])
    def test_what_may_have_been_made_is_said(self, azure, mesh_of, monkeypatch, later):
        def lost(entities, body):
            raise UnreachableError("no answer")

        def get(entities, identity):
            raise later or NotFoundError("there is none", status=404)

        plan = plan_unified(azure, mesh_of(SALES), ACCOUNT)
        monkeypatch.setattr(Entities, "create", lost)
        monkeypatch.setattr(Entities, "get", get)
        (outcome,) = apply_unified(plan)
        said = "nobody could look: a role is missing" if later else "it does not show in the catalog"
        assert outcome.reason == f"no answer; governance-domain Sales may have been made, but {said}: plan again"

    def test_lists_that_lag_are_waited_for(self, open_azure, mesh_of):
        azure = open_azure(faults=["lagging-reads"])
        mesh = mesh_of(*BOTH)
        assert apply_unified(plan_unified(azure, mesh, ACCOUNT)).complete
        assert plan_unified(azure, mesh, ACCOUNT).empty

    def test_a_refused_publication_is_told_and_leaves_a_draft(self, azure, catalog, mesh_of, monkeypatch):
        mesh = mesh_of(*BOTH)
        published(azure, mesh_of(SALES))
        plan = plan_unified(azure, mesh, ACCOUNT)
        sales = there(catalog)["Sales"]
        original = type(catalog.products).create

        def meanwhile(entities, body):  # somebody withdraws the domain
            made = original(entities, body)
            catalog.domains.update(sales["id"], {**sales, "status": "DRAFT"})
            return made

        monkeypatch.setattr(type(catalog.products), "create", meanwhile)
        applied = apply_unified(plan)
        assert {outcome.state for outcome in applied} == {"failed"}
        assert all("is there as a draft, and was not published" in outcome.reason for outcome in applied)
        monkeypatch.undo()
        published(azure, mesh)
        assert {body["status"] for body in there(catalog).values()} == {"PUBLISHED"}

    def test_what_somebody_made_or_changed_meanwhile_is_not_overwritten(self, azure, catalog, mesh_of):
        plan = plan_unified(azure, mesh_of(*BOTH), ACCOUNT)
        catalog.domains.create(_domain("Sales", description="Ours."))
        found = states(apply_unified(plan))
        assert found == {
            "governance-domain Sales": "failed",
            "data-product Sales/Orders": "left",
            "data-product Sales/Returns": "left",
        }

    def test_the_same_plan_again_finds_it_done(self, azure, mesh_of):
        plan = plan_unified(azure, mesh_of(*BOTH), ACCOUNT)
        assert set(states(apply_unified(plan)).values()) == {"done"}
        assert set(states(apply_unified(plan)).values()) == {"already"}

    def test_a_stopped_run_leaves_the_rest(self, azure, catalog, mesh_of):
        told = []
        applied = apply_unified(
            plan_unified(azure, mesh_of(*BOTH), ACCOUNT), on_outcome=told.append, stopped=lambda: bool(told)
        )
        assert not applied.complete
        assert [outcome.change.item.name for outcome in told] == [outcome.change.item.name for outcome in applied]
        assert there(catalog).keys() == {"Sales"}


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_the_size_of_pages_changes_nothing(open_azure, mesh_of, size):
    azure = open_azure(page_size=size)
    mesh = mesh_of(*BOTH, "domain: {name: Finance}", "dataProduct: {name: Orders, domain: Finance, owner: f}")
    published(azure, mesh)
    plan = plan_unified(azure, mesh, ACCOUNT, prune=True)
    assert (plan.empty, plan.unchanged) == (True, 5)


class TestUnread:
    @pytest.mark.parametrize(
        "change", [{"contacts": ["ada"]}, {"contacts": {"owner": ["ada"]}}, {"status": None}, {"id": ""}]
    )
    def test_a_product_that_makes_no_sense_is_said(self, azure, catalog, mesh_of, monkeypatch, change):
        mesh = mesh_of(*BOTH)
        published(azure, mesh)
        original = type(catalog.products).list

        def odd(entities, **filters):
            for each in original(entities, **filters):
                yield dataclasses.replace(each, body={**each.body, **(change if filters else {})})

        monkeypatch.setattr(type(catalog.products), "list", odd)
        plan = plan_unified(azure, mesh, ACCOUNT, prune=True)
        assert (plan.complete, names(plan), [unread.what for unread in plan.unread]) == (
            False, [], ["the data products of Sales"],
        )  # fmt: skip

    def test_products_that_cannot_be_read_are_said_and_not_planned(self, azure, catalog, mesh_of, monkeypatch):
        finance = "dataProduct: {name: Costs, domain: Finance, owner: f}"
        published(azure, mesh_of(SALES, "domain: {name: Finance}", finance))
        refused = there(catalog)["Sales"]["id"]
        original = type(catalog.products).list

        def some(entities, **filters):
            if filters.get("domainId") == refused:
                raise AzureError("asked in vain")
            return original(entities, **filters)

        monkeypatch.setattr(type(catalog.products), "list", some)
        mesh = mesh_of(*BOTH, "domain: {name: Finance}", finance)
        plan = plan_unified(azure, mesh, ACCOUNT, prune=True)
        assert (plan.complete, names(plan)) == (False, [])
        assert plan.unread == (("the data products of Sales", "asked in vain"),)
        assert any("nothing is deleted" in note for note in plan.notes)

    @pytest.mark.parametrize("fault", ["html-always:purview", "truncated-always:purview", "server-down:purview"])
    def test_domains_that_cannot_be_read_end_it(self, open_azure, mesh_of, fault):
        with pytest.raises(AzureError):
            plan_unified(open_azure(faults=[fault]), mesh_of(*BOTH), ACCOUNT)

    def test_progress_is_counted(self, azure, mesh_of):
        published(azure, mesh_of(*BOTH))
        seen = []

        class Watching:
            def __init__(self, live):
                seen.append(live)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                seen.append((seen[0].done, seen[0].total))

        plan_unified(azure, mesh_of(*BOTH), ACCOUNT, progress=Watching)
        assert seen[1] == (2, 2)


def _domain(name, **more):
    lists = {"thumbnail": {}, "domains": [], "managedAttributes": []}
    return {"id": str(uuid.uuid4()), "name": name, "type": "DataDomain", "status": "DRAFT", **lists, **more}
