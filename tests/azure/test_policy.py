"""Azure Policy's view: what stands in the rows comes out, and what could not be read is said."""

import datetime as dt
import json

import duckdb_kql
import pytest

from sovereignmesh.azure import queries
from sovereignmesh.azure.policy import PolicyState, Selector, read_policy_view
from sovereignmesh.sandbox.kql import read_query

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
BLOBS, QUEUES = "6fac406b-40ca-413b-bf8e-0bf964659c25", "f0e5abd0-2554-4736-b7c0-4ffef23475ef"
BUILT_IN = "/providers/Microsoft.Authorization/policyDefinitions/"
GROUP = "/providers/Microsoft.Management/managementGroups/contoso"
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/Keys"
SET = f"{GROUP}/providers/Microsoft.Authorization/policySetDefinitions/Sovereign"
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Sales/providers/Microsoft.Storage/storageAccounts/stSales"


def state(number, definition=BUILT_IN + BLOBS, word="NonCompliant", resource=ACCOUNT, reference="Blobs"):
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.PolicyInsights/policyStates/{number:03d}",
        "resourceId": resource,
        "complianceState": word,
        "policyDefinitionId": definition,
        "policyAssignmentId": ASSIGNMENT,
        "policyDefinitionReferenceId": reference,
        "timestamp": "2026-11-28T05:00:00.1234567Z",
    }


def exemption(scope=f"/subscriptions/{SUBSCRIPTION}", name="old-app", **said):
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/policyExemptions/{name}",
        "name": name,
        "policyAssignmentId": ASSIGNMENT,
        "policyDefinitionReferenceIds": None,
        "exemptionCategory": "Waiver",
        "expiresOn": "",
        "displayName": "Old application",
        "description": "",
        "resourceSelectors": None,
        **said,
    }


def assignment(definition=SET):
    return {"id": ASSIGNMENT, "displayName": "Customer keys", "policyDefinitionId": definition}


@pytest.fixture
def table(service):
    """Answers by what a query asks for; a value that is no list is an answer of its own."""

    def fill(**rows):
        kinds = {
            "policystates": "states", "policyexemptions": "exemptions", "policyassignments": "assignments",
            "policysetdefinitions": "sets", "resourcecontainers": "ancestors",
        }  # fmt: skip

        def answer(request):
            query = json.loads(request.body)["query"]
            found = rows.get(next(kind for word, kind in kinds.items() if word in query), [])
            if not isinstance(found, list):
                return found
            return 200, {"totalRecords": len(found), "count": len(found), "data": found, "resultTruncated": "false"}

        service.graph(answer)
        return service

    return fill


def read(azure, *subscriptions):
    return read_policy_view(azure, subscriptions or [SUBSCRIPTION.upper()], [BLOBS, QUEUES.upper()])


def test_a_state_comes_out_as_it_stands_in_its_row(azure, table):
    table(states=[state(1)], assignments=[assignment(BUILT_IN + BLOBS)])
    reading = read(azure)
    assert reading.states == (
        PolicyState(
            ACCOUNT.lower(), BLOBS, ASSIGNMENT.lower(), "blobs", "NonCompliant", "2026-11-28T05:00:00.1234567Z"
        ),
    )
    assert reading.assignments == {ASSIGNMENT.lower(): "Customer keys"}
    assert (reading.unread, reading.unread_subscriptions, reading.exemptions) == ((), frozenset(), ())


def test_a_custom_definition_with_the_name_of_a_built_in_is_none(azure, table):
    table(states=[state(1, f"{GROUP}{BUILT_IN}{BLOBS}"), state(2, resource=None), state(3, None), {}])
    assert read(azure).states == ()


def test_a_time_that_is_none_is_left_out(azure, table):
    table(states=[state(1) | {"timestamp": "| soon"}])
    assert read(azure).states[0].at == ""


def test_only_what_is_assigned_above_is_asked_for_upwards(azure, table):
    service = table()
    read(azure)
    options = {
        body["query"].split("'")[1]: body["options"].get("authorizationScopeFilter") for body in service.asked_of_graph
    }
    assert options == {
        "microsoft.policyinsights/policystates": None,
        "microsoft.authorization/policyexemptions": "AtScopeAboveAndBelow",
        "microsoft.authorization/policyassignments": "AtScopeAboveAndBelow",
    }


@pytest.mark.parametrize(
    ("references", "about"),
    [(None, {BLOBS, QUEUES}), ([], {BLOBS, QUEUES}), (["QUEUES"], {QUEUES}), (["other"], set())],
)
def test_an_exemption_is_about_what_the_initiative_lists(azure, table, references, about):
    members = [
        {"policyDefinitionId": BUILT_IN + BLOBS, "policyDefinitionReferenceId": "Blobs"},
        {"policyDefinitionId": BUILT_IN + QUEUES, "policyDefinitionReferenceId": "Queues"},
        {"policyDefinitionId": GROUP + BUILT_IN + "custom", "policyDefinitionReferenceId": "Custom"},
        "not a member",
    ]
    table(
        exemptions=[exemption(policyDefinitionReferenceIds=references)],
        assignments=[assignment()],
        sets=[{"id": SET, "policyDefinitions": members}],
    )
    (found,) = read(azure).exemptions
    assert (found.definitions, found.flaw) == (about, "")


def test_states_tell_what_an_initiative_holds_that_is_not_visible(azure, table):
    table(
        exemptions=[exemption(policyDefinitionReferenceIds=["Blobs"])], states=[state(1), state(2, BUILT_IN + QUEUES)]
    )
    (found,) = read(azure).exemptions
    assert found.definitions >= {BLOBS}
    assert not found.flaw


@pytest.mark.parametrize("assignments", [[], [assignment()]])
def test_what_nobody_can_tell_is_a_flaw(azure, table, assignments):
    table(exemptions=[exemption()], assignments=assignments)
    (found,) = read(azure).exemptions
    assert "not visible" in found.flaw
    assert not found.definitions


def test_an_exemption_of_one_custom_policy_is_about_no_built_in(azure, table):
    table(exemptions=[exemption()], assignments=[assignment(GROUP + BUILT_IN + "custom")])
    (found,) = read(azure).exemptions
    assert (found.definitions, found.flaw) == (frozenset(), "")


@pytest.mark.parametrize(
    ("said", "expires", "flaw"),
    [
        ("", None, ""),
        ("2026-12-31T23:59:00.0000000Z", dt.datetime(2026, 12, 31, 23, 59, tzinfo=dt.UTC), ""),
        ("2026-12-31T23:59:00", dt.datetime(2026, 12, 31, 23, 59, tzinfo=dt.UTC), ""),
        ("2026-12-31t23:59:00+01:00", dt.datetime(2026, 12, 31, 22, 59, tzinfo=dt.UTC), ""),
        ("next year", None, "expiry"),
        ("2026-13-31T23:59:00Z", None, "expiry"),
        (20260630, None, "expiry"),
        ([], None, "expiry"),
        (False, None, "expiry"),
    ],
)
def test_an_expiry_that_is_not_understood_is_a_flaw(azure, table, said, expires, flaw):
    table(exemptions=[exemption(expiresOn=said)], assignments=[assignment(BUILT_IN + BLOBS)])
    (found,) = read(azure).exemptions
    assert found.expires == expires
    assert (flaw in found.flaw) if flaw else not found.flaw


@pytest.mark.parametrize(
    ("selectors", "understood"),
    [
        ([{"name": "a", "selectors": [{"kind": "resourceLocation", "in": ["West Europe"]}]}],
         ((Selector("resourcelocation", frozenset({"west europe"}), negated=False),),)),
        ([{"selectors": [{"kind": "resourceType", "notIn": ["Microsoft.Sql/servers"]}]}],
         ((Selector("resourcetype", frozenset({"microsoft.sql/servers"}), negated=True),),)),
        ([{"selectors": [{"kind": "resourceWithoutLocation", "in": ["subscriptionLevelResources"]}]}], None),
        ([{"selectors": [{"kind": "resourceType", "in": ["a"], "notIn": ["b"]}]}], None),
        ([{"selectors": [{"kind": "resourceType"}]}], None),
        ([{"selectors": []}], None),
        ([{}], None),
        ("all", None),
        ([{"selectors": [{"kind": "resourceType", "in": [1]}]}], None),
    ],
)  # fmt: skip
def test_selectors_that_are_not_understood_are_a_flaw(azure, table, selectors, understood):
    table(exemptions=[exemption(resourceSelectors=selectors)], assignments=[assignment(BUILT_IN + BLOBS)])
    (found,) = read(azure).exemptions
    assert found.selectors == (understood or ())
    assert ("selectors" in found.flaw) == (understood is None)


def test_an_exemption_s_scope_is_what_its_id_says(azure, table):
    scopes = [GROUP, f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Sales", ACCOUNT]
    chain = [{"subscriptionId": SUBSCRIPTION, "ancestors": [{"name": "Contoso"}, {"name": "root"}]}]
    table(exemptions=[*(exemption(scope) for scope in scopes), {"id": "/strange"}], ancestors=chain)
    reading = read(azure)
    assert [found.scope for found in reading.exemptions] == [scope.lower() for scope in scopes]
    assert reading.ancestors == {SUBSCRIPTION: frozenset({"contoso", "root"})}


def test_what_cannot_be_read_is_said_and_the_rest_is_there(azure, table):
    refused = (403, {"error": {"code": "Forbidden", "message": "no role"}})
    table(states=refused, exemptions=[exemption()], assignments=refused)
    reading = read(azure)
    assert reading.unread_subscriptions == {SUBSCRIPTION}
    assert [what for what, _ in reading.unread] == [
        f"compliance states of Azure Policy in {SUBSCRIPTION}", f"assignments of Azure Policy in {SUBSCRIPTION}",
    ]  # fmt: skip
    assert all("no role" in why for _, why in reading.unread)
    assert len(reading.exemptions) == 1


def test_an_answer_that_is_cut_short_is_unread(azure, table):
    table(states=(200, {"totalRecords": 5, "count": 1, "data": [state(1)], "resultTruncated": "false"}))
    reading = read(azure, SUBSCRIPTION, OTHER)
    assert reading.unread_subscriptions == {SUBSCRIPTION, OTHER}
    assert "1 of 5 rows" in reading.unread[0][1]
    assert "2 subscriptions" in reading.unread[0][0]


def test_the_end_of_the_time_is_a_hole_and_no_exception(azure, table):
    table()
    azure.begin(0.0)
    reading = read(azure)
    assert len(reading.unread) == 3
    assert reading.unread_subscriptions == {SUBSCRIPTION}


@pytest.mark.parametrize(
    "query",
    [
        queries.POLICY_ASSIGNMENTS, queries.POLICY_EXEMPTIONS, queries.list_policy_states([BLOBS, QUEUES]),
        queries.list_policy_sets([SET]),
    ],
)  # fmt: skip
def test_the_queries_are_kql_and_in_an_order(query):
    parsed = read_query(query)
    parsed.fail()
    schema = {"policyresources": ["id", "name", "type", "properties"]}
    assert duckdb_kql.to_sql(parsed.text, schema=schema, allow_write=False)
    assert query.endswith("| order by id asc")
    assert "project id, " in query


def test_nothing_can_be_smuggled_into_a_query():
    hostile = ["a') or true //", "a\\", "a\nb", BLOBS]
    for query in (queries.list_policy_states(hostile), queries.list_policy_sets(hostile)):
        assert f"in~ ('{BLOBS}')\n" in query
