"""The audit of a catalog against what was planted in it, and what it says where it could not look."""

import dataclasses
import datetime as dt
import json

import jsonschema
import pytest
from estates.building import BUILD, CATALOG_TRUTH

import sovereignmesh as sm
from sovereignmesh.errors import (
    AnswerError,
    ClosedNetworkError,
    DeadlineError,
    DeniedError,
    MeshError,
    SignInError,
    ThrottledError,
    UnreachableError,
)
from sovereignmesh.result import CATALOG_CHECKS

NAMES = {"description": "asset-description", "owner": "asset-owner", "label": "sensitivity-label"}
TRUTH = json.loads(CATALOG_TRUTH.read_text())


def planted(truth):
    """The findings of a truth: qualified name, check, state. Both conflicts are waived by the sample mesh."""
    found = set()
    for told in truth["findings"]:
        found |= {(told["qualifiedName"], NAMES[name], "non-compliant") for name in told["missing"]}
        found |= {(told["qualifiedName"], "asset-classification", "exempt") for _ in told["conflicts"]}
    return found


def told(audit):
    return {(finding.resource_id, finding.check, finding.state) for finding in audit.findings}


@pytest.fixture(scope="module")
def audit(small, mesh):
    with sm.open_sandbox(small) as azure:
        yield sm.audit_catalog(azure, mesh, show_compliant=True)


def failed(audit):
    return {one for one in told(audit) if one[2] not in ("compliant", "not-applicable")}


def test_the_findings_are_what_was_planted(audit):
    assert failed(audit) == planted(TRUTH)
    assert audit.complete
    assert audit.coverage.resources == TRUTH["hits"]
    assert {scope.id: scope.read for scope in audit.coverage.scopes if scope.read} == TRUTH["collections"]
    assert {kind.type: kind.resources for kind in audit.coverage.types} == TRUTH["types"]


def test_every_asset_gets_an_answer_to_every_check(audit):
    assert set(audit.summary) == set(CATALOG_CHECKS)
    for check, states in audit.summary.items():
        assert sum(states.values()) == TRUTH["hits"], check
    labels = audit.summary["sensitivity-label"]
    cannot = sum(TRUTH["types"][name] for name in TRUTH["labels"]["cannot"])
    assert labels["not-applicable"] == cannot + len(TRUTH["labels"]["cannot_although_of_such_a_type"])


def test_a_finding_says_where_it_is(audit):
    (finding,) = (one for one in audit.findings if one.state == "exempt" and "ledger" in one.resource_id)
    assert (finding.collection, finding.domain, finding.resource_type) == ("Finance", "Finance", "azure_sql_table")
    assert finding.subject == "column account: PII.HighRisk"
    assert finding.path == "ledger/dbo/ledger_accounts_history"
    assert finding.waiver["owner"] == "finance-data-team@contoso.com"
    assert finding.severity == "medium"


def test_the_json_fits_its_schema(audit, schema):
    told = audit.to_dict()
    jsonschema.validate(told, schema)
    assert (told["kind"], told["scope"]["account"]) == ("catalog", "pview-customer-prod")
    assert told["policy"]["not_asked"] == []
    assert {scope["kind"] for scope in told["coverage"]["scopes"]} == {"collection"}
    assert {waiver["check"] for waiver in told["policy"]["waivers"]} == {"asset-classification"}


@pytest.mark.parametrize("size", [7, 100])
def test_the_size_of_pages_changes_nothing(audit, open_azure, small, mesh, size):
    again = sm.audit_catalog(open_azure(small, page_size=size), mesh, show_compliant=True)
    assert told(again) == told(audit)
    assert again.complete


def one_of_each_kind():
    """A planting of each kind of fault."""
    kinds = {}
    for planting in BUILD.ASSET_PLANTINGS:
        kinds.setdefault((planting.missing, planting.seems, planting.conflict and 1, planting.kind), planting)
    return list(kinds.values())


@pytest.mark.parametrize("planting", one_of_each_kind(), ids=lambda planting: planting.name)
def test_a_planting_taken_back_takes_its_findings_with_it(open_azure, write_estate, mesh, planting):
    estate = write_estate(BUILD.build_assets(without=[planting.name]))
    found = failed(sm.audit_catalog(open_azure(estate), mesh))
    assert found == planted(TRUTH) - {one for one in planted(TRUTH) if one[0] == planting.name}


def test_only_what_the_policy_asks_is_judged(open_azure, small, mesh):
    policies = mesh.policies.model_copy(update={"data_catalog": None})
    quiet = dataclasses.replace(mesh, policies=policies)
    audit = sm.audit_catalog(open_azure(small), quiet)
    assert set(audit.summary) == {"asset-classification"}
    assert set(audit.policy.not_asked) == set(CATALOG_CHECKS) - {"asset-classification"}
    one = sm.audit_catalog(open_azure(small), mesh, checks=["asset-owner"])
    assert set(one.summary) == {"asset-owner"}
    with pytest.raises(ValueError, match="no check of the catalog: region"):
        sm.audit_catalog(open_azure(small), mesh, checks=["region"])


def test_a_waiver_ends(open_azure, small, mesh):
    later = sm.audit_catalog(open_azure(small), mesh, now=lambda: dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    assert {one.state for one in later.findings if one.check == "asset-classification"} == {"non-compliant"}
    assert {waiver.state for waiver in later.policy.waivers} == {"expired"}


def test_an_account_that_nobody_names(open_azure, small, write_mesh):
    nameless = write_mesh("governancePolicies: {dataCatalog: {requireOwner: true}}")
    with pytest.raises(MeshError, match="no `purview` document"):
        sm.audit_catalog(open_azure(small), nameless)
    named = sm.audit_catalog(open_azure(small), nameless, "pview-customer-prod")
    assert named.summary["asset-owner"]["non-compliant"] == 15


def test_a_collection_of_sources_without_an_asset_is_no_pass(open_azure, write_estate, mesh):
    assets = [one for one in BUILD.build_assets() if one["collectionId"] != "finance"]
    audit = sm.audit_catalog(open_azure(write_estate(assets)), mesh)
    (finance,) = (scope for scope in audit.coverage.scopes if scope.id == "finance")
    sources = open_azure(write_estate(assets))
    there = {source.collection for source in sm.connect_purview("pview-customer-prod", sources).sources.list()}
    assert "finance" in there
    assert finance.state == "partial"
    assert "Data Reader" in finance.reason
    assert not audit.complete
    plan = sm.plan_catalog(open_azure(write_estate(assets)), mesh)
    assert "Data Reader" in {one.what: one.why for one in plan.unread}["collection Finance"]


def test_a_collection_that_is_scanned_into_without_an_asset_is_no_pass(open_azure, write_estate, mesh):
    """The sources lie above it, and a scan of one puts its assets there."""
    assets = [one for one in BUILD.build_assets() if one["collectionId"] != "sales"]
    objects = json.loads((write_estate() / "objects.json").read_text())
    for one in objects:
        if one["path"].startswith("/scan/datasources/") and "/scans/" not in one["path"]:
            one["body"]["properties"]["collection"]["referenceName"] = "pview-customer-prod"
    audit = sm.audit_catalog(open_azure(write_estate(assets, objects=objects)), mesh)
    (sales,) = (scope for scope in audit.coverage.scopes if scope.id == "sales")
    assert (sales.state, sales.read) == ("partial", 0)
    assert "sales-sql/orders" in sales.reason
    assert any("sales-sql/orders" in gap.why for gap in audit.coverage.gaps)


@pytest.mark.parametrize("fault", ["entity-deleted", "html-always:entities"])
def test_an_asset_that_cannot_be_looked_up_is_unknown(open_azure, small, mesh, fault):
    audit = sm.audit_catalog(open_azure(small, faults=[fault]), mesh)
    unknown = [finding for finding in audit.findings if finding.state == "unknown"]
    assert unknown
    assert {finding.reason for finding in unknown} == {"asset-not-read"}
    assert audit.fails_at("low", allow_unknown=False)


def test_a_collection_that_the_mesh_wishes_and_nobody_sees_is_a_gap(open_azure, write_estate, mesh):
    assets = [one for one in BUILD.build_assets() if one["collectionId"] != "consent"]
    objects = [
        one
        for one in json.loads((write_estate() / "objects.json").read_text())
        if "consent" not in json.dumps(one).casefold()
    ]
    audit = sm.audit_catalog(open_azure(write_estate(assets, objects=objects)), mesh)
    assert not audit.complete
    assert any("collection Consent" in gap.what for gap in audit.coverage.gaps)


@pytest.mark.parametrize("roles", [[], ["data-source-administrator"]])
def test_without_a_role_nothing_passes(open_azure, write_estate, mesh, roles):
    azure = open_azure(write_estate(roles=roles))
    if not roles:
        with pytest.raises(DeniedError, match="you lack a role"):
            sm.audit_catalog(azure, mesh)
        return
    audit = sm.audit_catalog(azure, mesh)
    assert not audit.complete
    assert audit.coverage.resources == 0


@pytest.mark.parametrize(
    "fault",
    [
        "throttled", "server-errors", "reset", "truncated", "html", "token-expired", "total-changes",
        "total-changes-always", "lagging-reads", "search-token-refused", "entity-lost",
    ],
)  # fmt: skip
def test_what_passes_by_changes_nothing(open_azure, small, mesh, fault):
    audit = sm.audit_catalog(open_azure(small, faults=[fault], page_size=100), mesh)
    assert audit.complete
    assert failed(audit) == planted(TRUTH)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("server-down", UnreachableError),
        ("reset-always", UnreachableError),
        ("truncated-always", AnswerError),
        ("html-always", AnswerError),
        ("throttled-a-day", ThrottledError),
        ("token-rejected", SignInError),
        ("token-rejected:search", SignInError),
        ("purview-denied", DeniedError),
        ("purview-closed", ClosedNetworkError),
        ("purview-closed:search", ClosedNetworkError),
    ],
)
def test_where_nothing_can_be_read_nothing_is_told(open_azure, small, mesh, fault, error):
    with pytest.raises(error):
        sm.audit_catalog(open_azure(small, faults=[fault]), mesh)


GONE = ("entity-deleted",)  # the asset itself is there no more, which is an answer


@pytest.mark.parametrize(
    "fault",
    [
        "search-denied", "search-denied-one", "search-loses-rows", "search-token-refused-always", "html-always:search",
        "throttled-a-day:search", "html-always:entities", "throttled-a-day:entities", "token-rejected:entities", *GONE,
    ],
)  # fmt: skip
def test_what_is_lost_is_named_and_nothing_passes_by_it(open_azure, small, mesh, audit, fault):
    """What would fail is found, or unknown, or in a collection that is told as not read; nothing else is said."""
    lossy = sm.audit_catalog(open_azure(small, faults=[fault], page_size=100), mesh)
    holes = {scope.name for scope in lossy.coverage.scopes if scope.state != "read"}
    unknown = {(name, check) for name, check, state in told(lossy) if state == "unknown"}
    assert holes or unknown
    assert {state for *_, state in told(lossy) - told(audit)} <= {"unknown"}
    lost = failed(audit) - told(lossy)
    for one in audit.findings:
        if (one.resource_id, one.check, one.state) in lost:
            assert (one.resource_id, one.check) in unknown or one.collection in holes
    for check, states in audit.summary.items():
        assert lossy.summary[check]["compliant"] <= states["compliant"]
    assert lossy.complete == (fault in GONE)
    assert bool(lossy.coverage.gaps) == (not lossy.complete)


def test_a_deadline_before_anything_is_read_ends_the_run(open_azure, small, mesh):
    with pytest.raises(DeadlineError):
        sm.audit_catalog(open_azure(small, faults=["throttled"]), mesh, deadline=0.5)


@pytest.mark.parametrize("fault", ["throttled:search", "throttled:entities"])
def test_a_deadline_leaves_a_gap(open_azure, small, mesh, fault):
    audit = sm.audit_catalog(open_azure(small, faults=[fault]), mesh, deadline=0.5)
    assert not audit.complete
    assert any("the time given with the deadline was up" in gap.why for gap in audit.coverage.gaps)
    assert sm.audit_catalog(open_azure(small, faults=[fault]), mesh, deadline=20).complete


def test_an_interruption_keeps_what_was_read(open_azure, small, mesh, monkeypatch):
    from sovereignmesh.catalog import judging

    judged = []
    judge = judging.Judges.judge

    def interrupted(self, read, place):
        judged.append(read)
        if len(judged) > 50:
            raise KeyboardInterrupt
        return judge(self, read, place)

    monkeypatch.setattr(judging.Judges, "judge", interrupted)
    audit = sm.audit_catalog(open_azure(small), mesh)
    assert not audit.complete
    assert any(gap.why == "interrupted" for gap in audit.coverage.gaps)
    assert 0 < audit.coverage.resources < TRUTH["hits"]


@pytest.fixture(scope="module")
def schema():
    from importlib.resources import files

    return json.loads(files("sovereignmesh.result").joinpath("audit.schema.json").read_bytes())
