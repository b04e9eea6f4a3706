"""Our judgements beside Azure Policy's: what agrees, what does not and why, and whom an exemption excuses."""

import datetime as dt

import pytest

from sovereignmesh.audit import audit_inventory
from sovereignmesh.audit.azure_policy import COMPARED, PolicyComparison, cited_definitions
from sovereignmesh.azure.policy import Exemption, PolicyReading, PolicyState, Selector
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import AZURE_CHECKS
from sovereignmesh.result.azure_policy import OUTCOMES

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/sales"
BLOBS, TABLES, QUEUES = (
    "6fac406b-40ca-413b-bf8e-0bf964659c25", "7c322315-e26d-4174-a99e-f49d351b4688",
    "f0e5abd0-2554-4736-b7c0-4ffef23475ef",
)  # fmt: skip
PRIVATE = "6edd7eda-6dd8-40f7-810d-67160c639cd9"
KEYS = f"policy:{BLOBS} policy:{TABLES} policy:{QUEUES} https://learn.microsoft.com/azure"
ASSIGNMENT = "/providers/microsoft.management/managementgroups/contoso/providers/x/policyassignments/keys"


def account(name="stsales"):
    return f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}"


def state(word, definition=BLOBS, resource=None, at="2026-11-28T05:00:00Z"):
    return PolicyState((resource or account()).lower(), definition, ASSIGNMENT, "", word, at)


def exemption(scope=GROUP, definitions=(BLOBS,), expires=None, **said):
    values = {
        "id": f"{scope}/e", "name": "old-app", "scope": scope.lower(), "assignment": ASSIGNMENT,
        "references": frozenset(), "category": "Waiver", "expires": expires, "title": "Old",
        "description": "until then", "selectors": (), "definitions": frozenset(definitions), **said,
    }  # fmt: skip
    return Exemption(**values)


def comparison(*states, exemptions=(), checks=AZURE_CHECKS, compare=True, honour=True, ancestors=None, unread=()):
    reading = PolicyReading(
        tuple(states), tuple(exemptions), {ASSIGNMENT: "Keys"}, ancestors or {},
        tuple((name, "no role") for name in unread), frozenset(unread),
    )  # fmt: skip
    return PolicyComparison(reading, compare=compare, honour=honour, checks=checks, now=NOW)


def outcome(azure, ours, reason=""):
    found = comparison(*(state(word, *rest) for word, *rest in azure))
    found.note(account(), "customer-managed-key", ours, reason, KEYS)
    return found.result()


@pytest.mark.parametrize(
    ("azure", "ours", "expected"),
    [
        ("NonCompliant", "non-compliant", "agree"), ("NonCompliant", "compliant", "azure-only"),
        ("NonCompliant", "not-applicable", "azure-only"), ("NonCompliant", "exempt", "excused"),
        ("NonCompliant", "unknown", "undecided"), ("Compliant", "compliant", "agree"),
        ("Compliant", "non-compliant", "ours-only"), ("Compliant", "unknown", "undecided"),
        ("Compliant", "exempt", "excused"), ("Exempt", "exempt", "agree"), ("Exempt", "non-compliant", "excused"),
        ("Conflict", "compliant", "undecided"), ("Protected", "non-compliant", "undecided"),
        ("", "compliant", "undecided"), ("noncompliant", "non-compliant", "agree"),
    ],
)  # fmt: skip
def test_each_pair_of_states_has_an_outcome(azure, ours, expected):
    result = outcome([(azure,)], ours, "platform-key" if ours == "non-compliant" else "")
    assert result.outcomes == {expected: 1}
    assert result.different == len(result.differences) == (expected != "agree")
    assert all(difference.why for difference in result.differences)
    assert all(difference.definitions == (BLOBS,) for difference in result.differences)


def test_the_worst_of_azure_s_states_and_of_ours_is_compared():
    found = comparison(state("Compliant"), state("NonCompliant", TABLES), state("Exempt", QUEUES))
    for ours in ("compliant", "non-compliant", "not-applicable"):
        found.note(account(), "customer-managed-key", ours, "platform-key", KEYS)
    assert found.result().outcomes == {"agree": 1}


def test_several_assignments_of_one_built_in_count_as_their_worst():
    assert outcome([("Compliant",), ("NonCompliant",), ("Exempt",)], "non-compliant").outcomes == {"agree": 1}
    assert outcome([("Unknown",), ("Conflict",)], "non-compliant").differences[0].azure == "Conflict"


def test_what_azure_fails_and_we_did_not_judge_is_said():
    found = comparison(
        state("NonCompliant"), state("NonCompliant", resource=account("unseen")), state("Compliant", TABLES),
        state("NonCompliant", PRIVATE), checks={"region", "customer-managed-key"},
    )  # fmt: skip
    found.note(account(), "region", "compliant", "", "https://learn.microsoft.com")
    result = found.result()
    assert result.outcomes == {"not-judged": 2, "not-asked": 1}
    whys = {difference.resource_id: difference.why for difference in result.differences}
    assert whys == {
        account().lower(): "the facts of its type do not cite this built-in",
        account("unseen").lower(): "the resource is not in what was read",
    }


def test_what_we_fail_and_nobody_evaluates_is_counted_once():
    found = comparison(state("Compliant", PRIVATE))
    for _ in range(3):
        found.note(account("other"), "customer-managed-key", "non-compliant", "platform-key", KEYS)
        found.note(account("good"), "customer-managed-key", "compliant", "", KEYS)
        found.note(account("far"), "region", "non-compliant", "outside-area", "https://learn.microsoft.com")
    result = found.result()
    assert (result.outcomes, result.different) == ({"not-evaluated": 1}, 0)


def test_where_states_could_not_be_read_nothing_is_concluded():
    found = comparison(unread=[SUBSCRIPTION])
    found.note(account(), "customer-managed-key", "non-compliant", "platform-key", KEYS)
    assert found.result().outcomes == {"not-read": 1}
    assert found.result().unread == (f"{SUBSCRIPTION}: no role",)
    assert "not all of it could be read" in found.result().sentence


def test_a_child_answers_for_the_resource_that_azure_names():
    server = f"{GROUP}/providers/Microsoft.Sql/servers/sql"
    definition = "0a370ff3-6cab-4e85-8995-295fd854c5b8"
    found = comparison(state("NonCompliant", definition, server))
    source = f"policy:{definition}"
    found.note(f"{server}/encryptionProtector/current", "customer-managed-key", "non-compliant", "platform-key", source)
    assert found.result().outcomes == {"agree": 1}


def test_a_documented_deviation_is_the_reason():
    rows = (
        (definition, check) for definition, checks in cited_definitions().items() for check in sorted(checks)
    )  # fmt: skip
    from sovereignmesh.facts import resource_types

    deviating = {
        f"policy:{definition}": (row.name, check, row.rules[check].deviates_from)
        for definition, check in rows
        for row in resource_types().values()
        if check in row.rules and f"policy:{definition}" in row.rules[check].source and row.rules[check].deviates_from
        and row.name.count("/") == 1
    }  # fmt: skip
    assert deviating
    for source, (kind, check, words) in deviating.items():
        resource = f"{GROUP}/providers/{kind}/one"
        found = comparison(state("NonCompliant", source.removeprefix("policy:"), resource))
        found.note(resource, check, "compliant", "", source)
        (difference,) = found.result().differences
        assert difference.why == f"documented: {words.rstrip('.')}"


def test_an_audit_of_real_rows_is_compared(fixtures, now):
    keys = {"stone": "Microsoft.Storage", "sttwo": "Microsoft.Storage", "stkey": "Microsoft.Keyvault"}
    services = {"table": {"keyType": "Account"}, "queue": {"keyType": "Account"}}
    rows = [
        {"id": account(name), "name": name, "type": "microsoft.storage/storageaccounts", "location": "westeurope",
         "properties": {"encryption": {"keySource": source, "services": services}}}
        for name, source in keys.items()
    ]  # fmt: skip
    audit = audit_inventory(rows, load_mesh(fixtures / "mesh" / "cases"), now=now, show_compliant=True)
    found = comparison(
        state("NonCompliant", resource=account("stone")), state("Compliant", resource=account("sttwo")),
        state("NonCompliant", resource=account("stkey")),
    )  # fmt: skip
    for finding in audit.findings:
        found.note(finding.resource_id, finding.check, finding.state, finding.reason, finding.source)
    result = found.result()
    of_keys = {item.resource_id: item.outcome for item in result.differences if item.check == "customer-managed-key"}
    assert of_keys == {account("stkey"): "azure-only", account("sttwo"): "ours-only"}
    assert result.outcomes["agree"] == 1
    whys = {item.resource_id: item.why for item in result.differences}
    assert whys[account("sttwo")] == "Azure Policy evaluates 1 of the 3 built-ins that the facts cite"
    assert "judged compliant" in whys[account("stkey")]


def test_the_list_of_differences_is_bounded_and_the_worst_come_first():
    names = [f"st{number:04d}" for number in range(900)]
    found = comparison(*(state("NonCompliant", resource=account(name)) for name in names))
    for number, name in enumerate(names):
        ours = "compliant" if number % 3 == 0 else "unknown"
        found.note(account(name), "customer-managed-key", ours, "missing-property", KEYS)
    result = found.result()
    assert (len(result.differences), result.different) == (200, 900)
    assert {item.outcome for item in result.differences} == {"azure-only"}
    assert list(result.outcomes) == [word for word in OUTCOMES if word in result.outcomes]


# Exemptions.


def exempt(
    *exemptions, states=(), source=KEYS, check="customer-managed-key", resource=None, location="westeurope", **said
):
    found = comparison(*states, exemptions=exemptions, **said)
    return found.exemption_for(check, source, resource or account(), location), found.result()


@pytest.mark.parametrize(
    "scope",
    [account(), GROUP, f"/subscriptions/{SUBSCRIPTION}", "/providers/Microsoft.Management/managementGroups/Contoso"],
)
def test_an_exemption_excuses_what_is_in_its_scope(scope):
    waiver, result = exempt(exemption(scope), ancestors={SUBSCRIPTION: frozenset({"contoso"})})
    assert waiver == {
        "reason": "Azure Policy exemption old-app (Waiver): until then", "owner": "Azure Policy", "expires": "",
    }  # fmt: skip
    assert [(use.state, use.findings) for use in result.exemptions] == [("in force", 1)]
    assert result.exempted == 1


@pytest.mark.parametrize(
    "scope",
    [
        account("other"), account()[:-1], f"{GROUP}s", "/subscriptions/22222222-2222-2222-2222-222222222222",
        "/providers/Microsoft.Management/managementGroups/other", "",
    ],
)  # fmt: skip
def test_and_nothing_else(scope):
    waiver, result = exempt(exemption(scope), ancestors={SUBSCRIPTION: frozenset({"contoso"})})
    assert waiver is None
    assert [use.state for use in result.exemptions] == ["matches nothing"]


def test_a_child_is_in_the_scope_of_its_parent():
    waiver, _ = exempt(exemption(account()), resource=f"{account()}/encryptionScopes/one")
    assert waiver


@pytest.mark.parametrize(
    ("expires", "excused"),
    [
        (NOW + dt.timedelta(seconds=1), True), (NOW, False), (NOW - dt.timedelta(days=30), False), (None, True),
    ],
)  # fmt: skip
def test_one_that_has_expired_excuses_nothing(expires, excused):
    waiver, result = exempt(exemption(expires=expires))
    assert (waiver is not None) == excused
    assert result.exemptions[0].state == ("in force" if excused else "expired")
    assert result.exemptions[0].expires == (expires.date().isoformat() if expires else "")


def test_nothing_is_excused_unless_somebody_asked_for_it():
    waiver, result = exempt(exemption(), honour=False)
    assert waiver is None
    assert [use.state for use in result.exemptions] == ["not honoured"]


def test_one_that_is_not_understood_excuses_nothing_and_is_said():
    waiver, result = exempt(exemption(flaw="its expiry 'soon' is not understood"))
    assert waiver is None
    assert [(use.state, use.why) for use in result.exemptions] == [
        ("not understood", "its expiry 'soon' is not understood")
    ]


@pytest.mark.parametrize(
    ("check", "source"),
    [
        ("customer-managed-key", f"policy:{PRIVATE}"),
        ("customer-managed-key", "https://learn.microsoft.com"),
        ("key-residency", KEYS),  # a key outside the area is no key less
        ("region", KEYS),
    ],
)
def test_a_built_in_that_the_finding_does_not_rest_on_excuses_nothing(check, source):
    assert exempt(exemption(), check=check, source=source)[0] is None


def test_what_azure_itself_fails_by_another_built_in_is_not_excused():
    assert exempt(exemption(), states=[state("NonCompliant", TABLES)])[0] is None
    assert exempt(exemption(definitions=(BLOBS, TABLES)), states=[state("NonCompliant", TABLES)])[0]
    assert exempt(exemption(), states=[state("Compliant", TABLES), state("NonCompliant", BLOBS)])[0]


def test_what_azure_itself_fails_by_another_assignment_is_not_excused():
    other = state("NonCompliant", BLOBS)._replace(assignment=f"{ASSIGNMENT}-2")
    own = state("NonCompliant", BLOBS)  # evaluated before there was the exemption
    assert exempt(exemption(), states=[own])[0]
    assert exempt(exemption(), states=[own, other])[0] is None
    assert exempt(exemption(), exemption(assignment=other.assignment, id="2"), states=[own, other])[0]


def test_an_exemption_of_one_reference_is_not_of_another():
    fails = state("NonCompliant", BLOBS)._replace(reference="b")
    assert exempt(exemption(references=frozenset("a")), states=[fails])[0] is None
    assert exempt(exemption(references=frozenset("ab")), states=[fails])[0]
    assert exempt(exemption(references=frozenset("b")), states=[fails])[0]


def test_where_what_azure_fails_is_not_known_nothing_is_excused():
    unread = [GROUP.split("/")[2]]
    assert exempt(exemption(), unread=unread)[0] is None
    assert exempt(exemption(definitions=(BLOBS, TABLES, QUEUES)), unread=unread)[0] is None
    assert exempt(exemption(), unread=["another"])[0]


STORAGE, SQL = "microsoft.storage/storageaccounts", "microsoft.sql/servers"


@pytest.mark.parametrize(
    ("groups", "location", "excused"),
    [
        ([[("resourcetype", {STORAGE}, False)]], "westeurope", True),
        ([[("resourcetype", {STORAGE}, True)]], "westeurope", False),
        ([[("resourcetype", {SQL}, True)]], "westeurope", True),
        ([[("resourcelocation", {"west europe"}, False)]], "West Europe", True),
        ([[("resourcelocation", {"northeurope"}, False)]], "westeurope", False),
        ([[("resourcelocation", {"northeurope"}, True)]], "westeurope", True),
        ([[("resourcelocation", {"northeurope"}, True)]], None, False),
        ([[("resourcetype", {STORAGE}, False), ("resourcelocation", {"eastus"}, False)]], "westeurope", False),
        ([[("resourcetype", {SQL}, False)], [("resourcelocation", {"westeurope"}, False)]], "westeurope", True),
    ],
)
def test_selectors_narrow_an_exemption(groups, location, excused):
    selectors = tuple(tuple(Selector(kind, frozenset(v), negated=n) for kind, v, n in group) for group in groups)
    assert (exempt(exemption(selectors=selectors), location=location)[0] is not None) == excused


def test_only_checks_that_ask_the_same_question_are_compared():
    assert set(COMPARED) < set(AZURE_CHECKS)
    assert all(checks <= set(COMPARED) for checks in cited_definitions().values())
    assert cited_definitions()[BLOBS] == {"customer-managed-key"}
    assert all(definition == definition.lower() for definition in cited_definitions())
