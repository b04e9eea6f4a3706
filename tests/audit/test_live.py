"""The audit of the sandbox, which knows nothing of it: complete and right, or incomplete and saying where."""

import importlib.util
import json
import signal
from collections import Counter
from pathlib import Path

import pytest
from audit.estates import DEVELOPMENT, STRIKING, subscription_of
from estates.building import TRUTH

from sovereignmesh.audit import audit_azure, audit_inventory
from sovereignmesh.azure import diagnose, list_subscriptions, query_rows
from sovereignmesh.errors import AzureError, DeniedError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.sandbox import estate_mesh

ROOT = Path(__file__).parents[2]
COLUMNS = ("check", "resource_id", "subject", "state", "severity", "reason")
SALES = "11111111-1111-1111-1111-111111111111"
GROUPS = ("microsoft.resources/subscriptions/resourcegroups",)


@pytest.fixture(scope="module")
def truth():
    return {tuple(finding[column] for column in COLUMNS) for finding in json.loads(TRUTH.read_text())}


def audit_list(azure, mesh, **options):
    """An audit of what Resource Graph lists, and no more."""
    return audit_azure(azure, mesh, depth="inventory", **options)


def findings_of(audit):
    return {tuple(getattr(finding, column) for column in COLUMNS) for finding in audit.findings}


def judged(findings):
    """What was judged, however it came out."""
    return {finding[:3] for finding in findings}


def failures(findings):
    return {finding for finding in findings if finding[3] == "non-compliant"}


def test_the_sandbox_holds_what_was_planted(open_estate, mesh, truth, now):
    audit = audit_list(open_estate(), mesh, now=now)
    assert audit.complete
    assert findings_of(audit) == truth
    assert {scope.state for scope in audit.coverage.scopes} == {"read"}
    assert audit.coverage.expected == audit.coverage.resources == sum(scope.read for scope in audit.coverage.scopes)
    assert (audit.scope.cloud, audit.scope.denominator, len(audit.scope.subscriptions)) == (
        "sandbox",
        "visible-only",
        6,
    )


@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_the_size_of_pages_changes_nothing(open_estate, mesh, now, page_size):
    one = audit_list(open_estate(page_size=page_size), mesh, subscriptions=["customer-dev"], now=now)
    other = audit_list(open_estate(), mesh, subscriptions=["customer-dev"], now=now)
    assert findings_of(one) == findings_of(other)
    assert one.complete


def test_a_live_audit_says_what_an_export_says(open_estate, mesh, now, fixtures):
    live = audit_list(open_estate(), mesh, now=now, show_compliant=True)
    export = audit_inventory(fixtures / "estates" / "contoso.jsonl", mesh, now=now, show_compliant=True)
    assert findings_of(live) == findings_of(export)
    assert live.summary == export.summary


def test_the_three_holes_are_named(open_estate, now):
    audit = audit_list(open_estate("contoso-partial"), load_mesh(estate_mesh("contoso-partial")), now=now)
    assert not audit.complete
    holes = json.loads(TRUTH.with_name("contoso-partial.truth.json").read_text())["holes"]
    found = {scope.id: scope for scope in audit.coverage.scopes if scope.state != "read"}
    words = {
        "missing": "not among the subscriptions",
        "group-only": "only what you may read",
        "denied": "only what you may read",
    }
    assert {hole["subscription"]: hole["state"] for hole in holes} == {key: scope.state for key, scope in found.items()}
    for hole in holes:
        assert words[hole["why"]] in found[hole["subscription"]].reason
        assert found[hole["subscription"]].expected is None
    assert {gap.scope for gap in audit.coverage.gaps} >= set(found)
    assert len([scope for scope in audit.coverage.scopes if scope.state == "read"]) == 3


def test_what_is_asked_for_is_what_is_read(open_estate, mesh, now):
    azure = open_estate()
    audit = audit_list(azure, mesh, management_groups=["mg-sales"], exclude=["sales-dev"], now=now)
    assert [scope.name for scope in audit.coverage.scopes] == ["sales-prod"]
    assert audit.scope.denominator == "asked"
    assert audit.scope.management_groups == ("mg-sales",)
    assert audit.scope.excluded == ("22222222-2222-2222-2222-222222222222",)
    audit = audit_list(azure, mesh, subscriptions=[SALES, "99999999-9999-9999-9999-999999999999"], now=now)
    assert {scope.id: scope.state for scope in audit.coverage.scopes} == {
        SALES: "read", "99999999-9999-9999-9999-999999999999": "denied",
    }  # fmt: skip
    assert not audit.complete


def test_nothing_readable_is_no_audit(open_estate, mesh):
    with pytest.raises(DeniedError, match=r"sales-dev.*Reader"):
        audit_list(open_estate("contoso-partial"), mesh, subscriptions=["sales-dev"])


def test_a_management_group_that_cannot_be_listed_is_a_hole(open_estate, mesh, now):
    audit = audit_list(open_estate("contoso-partial"), mesh, management_groups=["mg-finance"], now=now)
    assert not audit.complete
    assert {(scope.kind, scope.name, scope.state) for scope in audit.coverage.scopes} == {
        ("subscription", "finance-prod", "read"), ("management-group", "mg-finance", "partial"),
    }  # fmt: skip
    (group,) = [scope for scope in audit.coverage.scopes if scope.kind == "management-group"]
    assert "descendants/read" in group.reason


def test_a_management_group_that_nothing_shows_is_no_audit(open_estate, mesh):
    with pytest.raises(DeniedError, match="descendants/read"):
        audit_list(open_estate("contoso-partial"), mesh, management_groups=["mg-elsewhere"])


JOURNEYS = {
    "all": {},
    "subscription": {"subscriptions": ["finance-dev"]},
    "management group": {"management_groups": ["mg-contoso"]},
    "deadline": {"deadline": 60.0},
}
PLACES = ("graph@1", "graph@4", "graph@9", "permissions@2", "subscriptions")
# Each fault on each journey, where the sandbox puts it; and in each place of the plain one.
# Those of batches are for the children, which are not read here.
LISTED = [fault for fault in STRIKING if not fault.startswith("part-") and fault != "no-batch"]
STRIKES = [(fault, journey) for fault in LISTED for journey in JOURNEYS] + [
    (f"{fault}:{place}", "all") for fault in LISTED for place in PLACES
]


@pytest.fixture(scope="module")
def outcomes(small, mesh):
    """What an audit of the export of the small estate finds, for each journey."""

    def of(subscriptions):
        audit = audit_inventory([row for row in small[1] if subscription_of(row["id"]) in subscriptions], mesh)
        return findings_of(audit)

    return {
        name: of(["66666666-6666-6666-6666-666666666666"] if name == "subscription" else DEVELOPMENT)
        for name in JOURNEYS
    }


@pytest.fixture(scope="module")
def managed(small):
    """The groups that another resource manages: where that was not read, they are judged themselves."""
    return tuple(row["id"].lower() for row in small[1] if row["type"] in GROUPS and row["managedBy"])


def check_outcome(azure, mesh, journey, due, managed):
    """Complete and right; or incomplete, saying where; or nothing was read, and an error says why."""
    rows = []
    try:
        audit = audit_list(azure, mesh, progress=counting(rows), **JOURNEYS[journey])
    except AzureError as error:
        assert not rows, f"{len(rows)} rows were lost by {error}"  # noqa: PT017
        assert len(str(error)) > 20  # noqa: PT017 - exit 1, and why; most faults let the audit end
        return
    found = findings_of(audit)
    if audit.complete:
        assert found == due
        return
    scopes = audit.coverage.scopes
    assert all(scope.reason for scope in scopes if scope.state != "read")
    assert [scope for scope in scopes if scope.state != "read"] or audit.coverage.gaps
    assert sum(scope.read for scope in scopes) == audit.coverage.resources
    assert all(scope.read == scope.expected for scope in scopes if scope.state == "read")
    # What was read is judged in full; what points at something that was not is unknown, never passed.
    read = {scope.id for scope in scopes if scope.state == "read"}
    assert judged(found) >= judged({finding for finding in due if subscription_of(finding[1]) in read})
    more = failures(found) - failures(due)
    assert all(finding[1].lower().startswith(managed) for finding in more), more


def counting(rows):
    """A progress that counts the rows which were given."""

    class Counting:
        def __init__(self, inventory):
            self.inventory = inventory

        def __enter__(self):
            return self

        def __exit__(self, *_):
            rows.extend(range(self.inventory.position))

    return Counting


@pytest.mark.parametrize(("fault", "journey"), STRIKES)
def test_a_fault_never_makes_a_lie(open_estate, small, mesh, outcomes, managed, fault, journey):  # noqa: PLR0917
    check_outcome(open_estate(small[0], faults=[fault], page_size=20), mesh, journey, outcomes[journey], managed)


@pytest.mark.parametrize("place", ["graph@5", "graph@20", "graph@21", "graph@23", "graph@26"])
@pytest.mark.parametrize("second", ["denied-mid-run", "server-down", "throttled-a-day", "html-always", "slow-page"])
def test_a_second_reading_that_fails_loses_nothing(open_estate, small, mesh, outcomes, managed, second, place):  # noqa: PLR0917
    azure = open_estate(small[0], faults=["row-twice:graph@3", f"{second}:{place}"], page_size=20)
    check_outcome(azure, mesh, "all", outcomes["all"], managed)


@pytest.mark.parametrize("deadline", [5.0, 15.0, 35.0, 41.0, 45.0, 50.0, 100.0, 250.0, 320.0, 400.0])
def test_a_deadline_between_the_readings_loses_nothing(  # noqa: PLR0917
    open_estate, small, mesh, outcomes, managed, deadline, monkeypatch
):
    monkeypatch.setitem(JOURNEYS, "timed", {"deadline": deadline})
    azure = open_estate(small[0], faults=["slow-page", "row-twice:graph@3"], page_size=20)
    check_outcome(azure, mesh, "timed", outcomes["all"], managed)


# Faults that end, and that nobody needs to hear of.
@pytest.mark.parametrize(
    "fault", ["throttled", "throttled-silent", "server-errors@3", "reset", "truncated", "html", "token-expired",
              "payload-too-large", "slow-page", "total-changes"],
)  # fmt: skip
def test_what_passes_is_got_over(open_estate, mesh, truth, now, fault):
    audit = audit_list(open_estate(faults=[fault]), mesh, now=now)
    assert audit.complete
    assert findings_of(audit) == truth


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("row-twice", "gave"), ("total-changes-always", "rows"),
        ("denied-mid-run:graph@4", "AuthorizationFailed"),
        ("repeated-skip-token:graph@4", "read already"), ("throttled-a-day:graph@4", "86400"),
        ("truncated-always:graph@4", "half of it"), ("html-always:graph@4", "text/html"),
        ("server-down:graph@4", "503"), ("reset-always:graph@4", "reset"),
        ("subscription-limit:graph@4", "left out subscriptions"),
    ],
)  # fmt: skip
def test_what_stays_is_a_hole_with_its_reason(open_estate, mesh, now, fault, word):
    audit = audit_list(open_estate(faults=[fault]), mesh, now=now)
    assert not audit.complete
    reasons = [scope.reason for scope in audit.coverage.scopes if scope.state != "read"]
    assert reasons
    assert any(word in reason for reason in reasons), reasons


@pytest.mark.parametrize("fault", STRIKING)
def test_the_doctor_survives_and_says_what_it_saw(open_estate, fault):
    found = list(diagnose(open_estate(faults=[fault]), lambda _: True))
    assert found[0].part == "identity"
    assert all(diagnosis.detail for diagnosis in found)
    if fault == "token-rejected":
        assert any(diagnosis.state != "ok" for diagnosis in found)


def test_the_time_given_ends_with_what_there_is(open_estate, mesh, now):
    azure = open_estate(faults=["slow-page"])
    audit = audit_list(azure, mesh, deadline=45.0, now=now)
    assert azure.pace.clock.now <= 60
    assert not audit.complete
    assert any("deadline" in scope.reason for scope in audit.coverage.scopes)
    assert audit.coverage.resources


def test_an_interruption_keeps_what_was_read(open_estate, mesh, now):
    seen = Counter()

    def progress(inventory):
        class Watch:
            def __enter__(self):
                rows = inventory.__class__.__iter__

                def interrupted(this):
                    for row in rows(this):
                        seen["rows"] += 1
                        if seen["rows"] == 150:
                            signal.raise_signal(signal.SIGINT)
                        yield row

                self.patch = pytest.MonkeyPatch()
                self.patch.setattr(inventory.__class__, "__iter__", interrupted)

            def __exit__(self, *_):
                self.patch.undo()

        return Watch()

    azure = open_estate()
    audit = audit_list(azure, mesh, now=now, progress=progress)
    assert not audit.complete
    assert audit.coverage.resources >= 149
    assert any("interrupted" in scope.reason for scope in audit.coverage.scopes)
    assert len(list(list_subscriptions(azure))) == 6  # the connection can be used again
    assert audit_list(azure, mesh, now=now).complete


def test_every_query_runs_in_the_sandbox(open_estate):
    azure = open_estate()
    spec = importlib.util.spec_from_file_location("kql", ROOT / "scripts" / "kql.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    subscriptions = [subscription.id for subscription in list_subscriptions(azure)]
    counts = {name: len(list(query_rows(azure, query, subscriptions))) for name, query in module.all_queries().items()}
    assert counts == {
        "count resources": 6, "count containers": 6, "containers": 50, "management groups above": 6,
        "resources": 797, "resources, trimmed": 797, "resources of some types": 10, "policy assignments": 1,
        "policy exemptions": 4, "policy states": 8, "policy initiatives": 0,
    }  # fmt: skip


def test_the_forecast_is_told_before_the_reading(open_estate, mesh, now):
    told = []
    audit_list(open_estate(), mesh, now=now, on_forecast=told.append)
    (forecast,) = told
    assert forecast.rows == 847
    assert forecast.queries >= 2


def test_the_quota_is_kept(open_estate, mesh, now):
    azure = open_estate(page_size=10)
    audit = audit_list(azure, mesh, now=now)
    assert audit.complete
    assert azure.pace.clock.slept  # more than 15 queries
    assert all(wait <= 6 for wait in azure.pace.clock.slept)


def test_the_lists_are_lists(open_estate):
    assert len(list(list_subscriptions(open_estate(page_size=2)))) == 6


def test_a_notebook_shows_the_holes_first(open_estate, now):
    audit = audit_list(open_estate("contoso-partial"), load_mesh(estate_mesh("contoso-partial")), now=now)
    shown = audit._repr_html_()
    assert shown.index("Not fully read: 66666666-6666-6666-6666-666666666666, customer-dev") < shown.index("<table")
    assert "sandbox, tenant" in shown
    assert repr(audit).startswith("<Audit: not compliant, incomplete, 612 resources")
    assert audit.findings[0].severity == "high"
    assert audit.findings[-1] == list(audit.findings)[-1]
    with pytest.raises(IndexError, match="findings"):
        audit.findings[10_000]
