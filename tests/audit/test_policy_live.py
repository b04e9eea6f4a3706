"""Azure Policy beside a live audit of the sandbox: what was planted comes out, or what could not be read is said."""

import datetime as dt
import gzip
import json
from collections import Counter

import pytest
from audit.estates import STRIKING
from estates.building import POLICY_TRUTH

from sovereignmesh.audit import audit_azure
from sovereignmesh.audit.azure_policy import COMPARED
from sovereignmesh.errors import DeadlineError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.sandbox import estate_mesh, open_sandbox

BOTH = {"compare_azure_policy": True, "honour_azure_exemptions": True}
WEB = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/sales-prod-data-rg/providers/Microsoft.Storage/storageAccounts/stsalesprodweb"  # noqa: E501
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
# The queries are for states, exemptions, assignments and initiatives. Each fault strikes at the first; those that
# leave something out at every one.
STRIKES = [(fault, 1) for fault in STRIKING] + [
    (fault, query)
    for fault in ("denied-mid-run", "row-twice", "total-changes-always", "html-always")
    for query in (2, 3, 4)
]
# The faults of which an audit need not say anything: it gets over them.
PASSING = {
    "throttled", "throttled-silent", "server-errors", "reset", "truncated", "html", "token-expired",
    "payload-too-large", "slow-page",
}  # fmt: skip


@pytest.fixture(scope="module")
def truth():
    return json.loads(POLICY_TRUTH.read_text())


@pytest.fixture
def audit(open_estate, mesh):
    """An audit of what Resource Graph lists, in the checks that are compared."""

    def audit(faults=(), estate="contoso", mesh=mesh, page_size=100, **options):
        azure = open_estate(estate, faults=faults, page_size=page_size)
        return audit_azure(azure, mesh, depth="inventory", checks=COMPARED, now=lambda: NOW, **options)

    return audit


def findings_of(audit):
    """Findings by what they are about."""
    return {(finding.check, finding.resource_id, finding.subject): finding.state for finding in audit.findings}


def outcomes_of(audit):
    """Outcomes by check and resource (lower case), of those that are listed."""
    return {
        (difference.check, difference.resource_id.lower()): difference.outcome
        for difference in audit.azure_policy.differences
    }


@pytest.mark.parametrize("honour", [False, True])
def test_what_was_planted_comes_out(audit, truth, honour):
    result = audit(compare_azure_policy=True, honour_azure_exemptions=honour)
    planted = {
        (said["check"], said["resource_id"].lower()): said["honoured" if honour else "outcome"] for said in truth
    }
    view = result.azure_policy
    assert result.complete
    assert outcomes_of(result) == {about: outcome for about, outcome in planted.items() if outcome != "agree"}
    alone = {outcome: count for outcome, count in view.outcomes.items() if outcome != "not-evaluated"}
    assert alone == Counter(planted.values())
    assert view.states == len(truth)
    assert view.unread == ()
    exempt = {
        (finding.check, finding.resource_id.lower()): finding.waiver
        for finding in result.findings
        if finding.state == "exempt" and finding.waiver["owner"] == "Azure Policy"
    }
    assert exempt.keys() == {
        (said["check"], said["resource_id"].lower()) for said in truth if honour and said["exempt"]
    }
    assert {exemption.name: (exemption.state, exemption.findings) for exemption in view.exemptions} == {
        "public-website": ("in force", 1) if honour else ("not honoured", 0),
        "firewall": ("in force", 1) if honour else ("not honoured", 0),
        "vaults": ("matches nothing" if honour else "not honoured", 0),
        "migration": ("expired", 0),
    }
    assert {assignment.name: assignment.states for assignment in view.assignments} == {
        "Sovereignty": 7, "Storage by private link": 1,
    }  # fmt: skip
    if honour:
        waiver = exempt["public-access", WEB.lower()]
        assert waiver["expires"] == "2027-03-31"
        assert "public-website (Waiver): It serves the public website." in waiver["reason"]


def test_honoured_exemptions_change_their_findings_and_nothing_else(audit, truth):
    plain, compared, honoured = audit(), audit(compare_azure_policy=True), audit(honour_azure_exemptions=True)
    assert plain.azure_policy is None
    assert findings_of(compared) == findings_of(plain)
    assert compared.summary == plain.summary
    before, after = findings_of(plain), findings_of(honoured)
    assert before.keys() == after.keys()
    changed = {about[:2] for about in after if after[about] != before[about]}
    assert changed == {(said["check"], said["resource_id"]) for said in truth if said["exempt"]}
    assert (honoured.azure_policy.compared, honoured.azure_policy.outcomes) == (False, {})
    assert honoured.azure_policy.exempted == 2


def test_what_is_above_is_read_for_a_part_too(audit):
    result = audit(management_groups=["mg-sales"], **BOTH)
    assert result.complete
    assert [assignment.name for assignment in result.azure_policy.assignments] == ["Sovereignty"]
    assert {exemption.name: exemption.state for exemption in result.azure_policy.exemptions} == {
        "public-website": "in force", "migration": "expired",
    }  # fmt: skip
    assert result.azure_policy.states == 4


def test_the_size_of_pages_changes_nothing(audit, web, without_fault):
    assert audit(estate=web, page_size=1, **BOTH).azure_policy == without_fault[0].azure_policy


def test_who_may_not_read_above_hears_it(audit):
    own = load_mesh(estate_mesh("contoso-partial"))
    result = audit(estate="contoso-partial", mesh=own, **BOTH)
    assert not result.complete
    exemptions = {exemption.name: exemption for exemption in result.azure_policy.exemptions}
    # What states name is known without the initiative; what nothing names is not honoured.
    assert {name: exemption.state for name, exemption in exemptions.items()} == {
        "public-website": "in force", "firewall": "in force", "vaults": "not understood",
    }  # fmt: skip
    assert "not visible" in exemptions["vaults"].why
    assert {assignment.name for assignment in result.azure_policy.assignments} == {
        "sovereignty", "Storage by private link",  # the title of the first is above
    }  # fmt: skip
    # Only a group's data can be read in customer-dev, and nothing in sales-dev.
    assert result.azure_policy.states == 7
    assert ("customer-managed-key", "undecided") in {
        (check, outcome) for (check, identity), outcome in outcomes_of(result).items() if "customerdev" in identity
    }


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """An estate of the group that the website's data is in: many runs on it take little time."""
    source = estate_mesh("contoso").parent
    about = json.loads((source / "estate.json").read_text())
    del about["purview"]  # what is in an account is none of its resources
    subscription, group = WEB.split("/")[2], WEB.partition("/providers/")[0]
    about["subscriptions"] = {subscription: about["subscriptions"][subscription]}
    del about["children"]
    kept = [
        line
        for line in gzip.decompress((source / about["resources"]).read_bytes()).splitlines()
        if (identity := json.loads(line)["id"]) == f"/subscriptions/{subscription}"
        or f"{identity}/".startswith(f"{group}/")
    ]
    folder = tmp_path_factory.mktemp("web")
    (folder / about["resources"]).write_bytes(gzip.compress(b"\n".join(kept)))
    (folder / about["policy"]).write_bytes((source / about["policy"]).read_bytes())
    (folder / "estate.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="module")
def without_fault(web, mesh):
    """What an audit of that estate says, and what one says that does not ask for Azure Policy."""
    options = {"depth": "inventory", "checks": COMPARED, "now": lambda: NOW}
    return tuple(audit_azure(open_sandbox(web), mesh, **asked, **options) for asked in (BOTH, {}))


@pytest.mark.parametrize(("fault", "query"), STRIKES)
def test_a_fault_never_makes_a_lie(audit, web, without_fault, fault, query):
    right, plain = without_fault
    result = audit([f"{fault}:policy@{query}"], estate=web, page_size=2, **BOTH)
    found, before = findings_of(result), findings_of(plain)
    view = result.azure_policy
    if result.complete:
        assert view == right.azure_policy
        assert found == findings_of(right)
        return
    assert fault not in PASSING
    # Nothing is exempt but what an exemption that was read makes so.
    assert found.keys() == before.keys()
    changed = {about[:2] for about in found if found[about] != before[about]}
    assert changed <= {("public-access", WEB)}
    assert view.unread
    said = {line for line in view.unread if line.partition(" of Azure Policy in ")[1]}
    assert said == set(view.unread)
    assert {gap.what for gap in result.coverage.gaps} >= {line.partition(": ")[0] for line in said}
    assert "not all of it could be read" in view.sentence
    if any(line.startswith("compliance states") for line in said):
        assert view.outcomes["not-read"]


@pytest.mark.parametrize("deadline", [5.0, 15.0, 25.0, 35.0, 45.0, 60.0])
def test_the_time_given_ends_the_reading_of_policies_too(audit, web, without_fault, deadline):
    try:
        result = audit(["slow-page:policy"], estate=web, deadline=deadline, **BOTH)
    except DeadlineError as error:
        assert "deadline" in str(error)  # noqa: PT017 - exit 1, and why: nothing else was read
        return
    assert result.complete or result.azure_policy.unread
    assert findings_of(result).keys() == findings_of(without_fault[1]).keys()
