"""Every fault does what it says, to the calls that it says, and to no others."""

import json
from pathlib import Path

import pytest
import requests
from sandbox.tiny import ONE, TWO

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox import FAULTS, find_fault
from sovereignmesh.sandbox.faults import JOURNEYS

LIST = f"/subscriptions/{ONE}/resources"
QUERY = "resources | project id, name | order by id asc"
LOST = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)


def statuses(client, count, path=LIST):
    return [client.get(path).status_code for _ in range(count)]


def is_json(client):
    try:
        client.get(LIST).json()
    except requests.JSONDecodeError:
        return False
    return True


def is_whole(client):
    try:
        client.get(LIST)
    except LOST:
        return False
    return True


def test_throttled(open_client):
    client = open_client(faults=["throttled"])
    first = client.get(LIST)
    assert (first.status_code, first.headers["Retry-After"]) == (429, "1")
    assert statuses(client, 3) == [429, 200, 200]


def test_throttled_silent(open_client):
    client = open_client(faults=["throttled-silent"])
    first = client.get(LIST)
    assert (first.status_code, "Retry-After" in first.headers) == (429, False)
    assert statuses(client, 2) == [429, 200]


def test_throttled_a_day(open_client):
    client = open_client(faults=["throttled-a-day"])
    assert client.get(LIST).headers["Retry-After"] == "86400"
    assert statuses(client, 5) == [429] * 5


def test_server_errors(open_client):
    assert statuses(open_client(faults=["server-errors"]), 6) == [500, 502, 503, 504, 200, 200]


def test_server_down(open_client):
    assert statuses(open_client(faults=["server-down"]), 5) == [503] * 5


@pytest.mark.parametrize(("fault", "whole"), [("reset", [False, True, True]), ("reset-always", [False] * 3)])
def test_reset(open_client, fault, whole):
    client = open_client(faults=[fault])
    assert [is_whole(client) for _ in range(3)] == whole


def test_reset_while_a_stream_is_read(open_client):
    client = open_client(faults=["reset"])
    answer = client.get(LIST, stream=True)
    assert answer.status_code == 200
    with pytest.raises(LOST):
        answer.json()


@pytest.mark.parametrize(
    ("fault", "good"),
    [
        ("truncated", [False, True, True]),
        ("truncated-always", [False] * 3),
        ("html", [False, True, True]),
        ("html-always", [False] * 3),
    ],
)
def test_bodies_that_are_no_json(open_client, fault, good):
    client = open_client(faults=[fault])
    assert [is_json(client) for _ in range(3)] == good


def test_html_says_what_it_is(open_client):
    page = open_client(faults=["html"]).get(LIST)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_truncated_has_the_right_status(open_client):
    half = open_client(faults=["truncated"]).get(LIST)
    assert (half.status_code, half.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert half.text.startswith('{"value":[')


def test_row_twice(open_client):
    client = open_client(faults=["row-twice@1"], page_size=4)
    for _ in range(2):
        answer = client.query(QUERY)
        assert answer["count"] == len(answer["data"]) == 4
        assert answer["data"][0] == answer["data"][3]
        assert len({row["id"] for row in answer["data"]}) == 3
    table = client.query(QUERY, resultFormat="table")["data"]["rows"]
    assert table[0] == table[3]
    assert len(client.get(LIST).json()["value"]) == 4


@pytest.mark.parametrize(("fault", "totals"), [("total-changes", [9, 10, 9]), ("total-changes-always", [9, 9, 10, 11])])
def test_total_changes(open_client, fault, totals):
    client = open_client(faults=[fault])
    assert [client.query(QUERY)["totalRecords"] for _ in totals] == totals


def test_counts_change_with_totals(open_client):
    client = open_client(faults=["total-changes"])
    count = "summarize rows = count() by subscriptionId | order by subscriptionId asc"
    assert [[row["rows"] for row in client.rows(count)] for _ in range(3)] == [[8, 1], [9, 2], [8, 1]]


def test_token_expired(open_client):
    client = open_client(faults=["token-expired"])
    assert statuses(client, 2) == [200, 200]
    refused = client.get(LIST)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert "invalid_token" in refused.headers["WWW-Authenticate"]
    assert statuses(client, 2) == [200, 200]


def test_token_rejected(open_client):
    client = open_client(faults=["token-rejected"])
    assert statuses(client, 3) == [401] * 3
    assert client.get(LIST).json()["error"]["code"] == "InvalidAuthenticationToken"


def test_foreign_next_link(open_client):
    client = open_client(faults=["foreign-next-link"])
    for path in ("/subscriptions", LIST):
        assert client.get(path).json()["nextLink"].startswith("https://management.azure.com.example.net/")
    assert "nextLink" not in client.query(QUERY)
    assert "nextLink" not in client.get(f"/subscriptions/{ONE}").json()


def test_payload_too_large(open_client):
    client = open_client(faults=["payload-too-large"])
    for options in ({}, {"top": 1000}, {"top": 251}):
        refused = client.post_query(QUERY, **options)
        assert refused.status_code == 400
        assert refused.json()["error"]["details"][0]["code"] == "ResponsePayloadTooLarge"
    assert client.post_query(QUERY, top=250).status_code == 200


def test_slow_page(open_client):
    client = open_client(faults=["slow-page"])
    client.query(QUERY)
    client.query(QUERY)
    client.get(LIST)
    assert client.slept == [10.0, 10.0]


@pytest.mark.parametrize("size", [3, 1000])
def test_repeated_skip_token(open_client, size):
    client = open_client(faults=["repeated-skip-token"], page_size=size)
    first = client.query(QUERY)
    second = client.query(QUERY, token=first["$skipToken"])
    third = client.query(QUERY, token=second["$skipToken"])
    assert first["$skipToken"] == second["$skipToken"] == third["$skipToken"]
    assert second["data"] == third["data"]


def test_denied_mid_run(open_client):
    client = open_client(faults=["denied-mid-run"])
    assert [client.post_query(QUERY).status_code for _ in range(4)] == [200, 403, 403, 403]
    assert client.post_query(QUERY).json()["error"]["code"] == "AuthorizationFailed"
    assert statuses(client, 2) == [200, 200]


def test_subscription_limit(open_client):
    client = open_client(faults=["subscription-limit"])
    assert client.post_query(QUERY).headers["x-ms-tenant-subscription-limit-hit"] == "true"


BATCH_OF = [f"/subscriptions/{ONE}?api-version=2022-12-01", f"/subscriptions/{TWO}?api-version=2022-12-01"]


def parts(client):
    """The statuses inside a batch."""
    requests = [{"httpMethod": "GET", "name": str(number), "url": url} for number, url in enumerate(BATCH_OF)]
    answer = client.call("POST", "/batch", "2020-06-01", json={"requests": requests})
    assert answer.status_code == 200
    return [part["httpStatusCode"] for part in answer.json()["responses"]]


@pytest.mark.parametrize(
    ("fault", "first"), [("part-throttled", [429, 429, 200, 200]), ("part-throttled-always", [429] * 4)]
)
def test_part_throttled(open_client, fault, first):
    client = open_client(faults=[fault])
    assert [parts(client) for _ in range(4)] == [[status, 200] for status in first]


@pytest.mark.parametrize(("fault", "inside"), [("part-denied", [403, 200]), ("part-lost", [200])])
def test_parts_of_a_batch(open_client, fault, inside):
    client = open_client(faults=[fault])
    assert [parts(client) for _ in range(2)] == [inside] * 2
    assert statuses(client, 1) == [200]


def test_a_part_says_why(open_client):
    client = open_client(faults=["part-throttled"])
    sent = {"requests": [{"httpMethod": "GET", "url": BATCH_OF[0]}]}
    (part,) = client.call("POST", "/batch", "2020-06-01", json=sent).json()["responses"]
    assert part["headers"]["Retry-After"] == "1"
    assert part["content"]["error"]["code"] == "TooManyRequests"


def test_no_batch(open_client):
    client = open_client(faults=["no-batch"])
    for _ in range(2):
        assert client.call("POST", "/batch", "2020-06-01", json={"requests": []}).status_code == 404
    assert statuses(client, 1) == [200]


def test_a_fault_of_children_hits_batches_too(open_client):
    client = open_client(faults=["server-down:children"])
    assert client.call("POST", "/batch", "2020-06-01", json={"requests": []}).status_code == 503
    assert client.get(f"/subscriptions/{ONE}/providers/Microsoft.KeyVault/deletedVaults").status_code == 503
    assert statuses(client, 1) == [200]


@pytest.mark.parametrize("fault", ["lagging-reads", "purview-denied", "purview-closed"])
def test_faults_of_purview_leave_the_rest_alone(open_client, fault):
    assert statuses(open_client(faults=[fault]), 3) == [200] * 3


def test_every_fault_is_tested_and_described():
    told = Path(__file__).read_text() + Path(__file__).with_name("test_purview_datamap.py").read_text()
    for name, says in FAULTS.items():
        assert f'"{name}' in told
        assert says
        assert "\n" not in says
        assert find_fault(name).says == says


def test_another_journey_and_another_call(open_client):
    client = open_client(faults=["server-down:permissions"])
    assert statuses(client, 1) == [200]
    path = f"/subscriptions/{TWO}/providers/Microsoft.Authorization/permissions"
    assert statuses(client, 2, path) == [503, 503]
    client.session.close()


def test_from_the_nth_call_on(open_client):
    client = open_client(faults=["html:graph@3"])
    answers = [client.post_query(QUERY) for _ in range(4)]
    assert [answer.headers["content-type"].split(";")[0] for answer in answers] == [
        "application/json", "application/json", "text/html", "application/json",
    ]  # fmt: skip


def test_faults_together(open_client):
    client = open_client(faults=["throttled", find_fault("html@1")])
    assert statuses(client, 2) == [429, 429]
    assert client.get(LIST).headers["content-type"].startswith("text/html")
    assert json.loads(client.get(LIST).text)["value"]


@pytest.mark.parametrize(
    ("journey", "method", "path", "fits"),
    [
        ("graph", "POST", "/providers/Microsoft.ResourceGraph/resources", True),
        ("policy", "POST", "/providers/Microsoft.ResourceGraph/resources", False),
        ("policy", "GET", f"/subscriptions/{ONE}", False),
        ("subscriptions", "GET", "/subscriptions", True),
        ("subscriptions", "GET", f"/subscriptions/{ONE}", False),
        ("locations", "GET", f"/subscriptions/{ONE}/locations", True),
        ("management-groups", "GET", "/providers/Microsoft.Management/managementGroups/mg-top/descendants", True),
        ("batch", "POST", "/batch", True),
        ("batch", "POST", "/providers/Microsoft.ResourceGraph/resources", False),
        ("children", "POST", "/batch", True),
        ("children", "GET", f"/subscriptions/{ONE}/providers/Microsoft.KeyVault/deletedVaults", True),
        (
            "children",
            "GET",
            f"/subscriptions/{ONE}/resourceGroups/x/providers/Microsoft.Sql/servers/s/failoverGroups",
            True,
        ),
        ("children", "GET", f"/subscriptions/{ONE}/providers/Microsoft.Authorization/permissions", False),
        ("children", "GET", f"/subscriptions/{ONE}/resources", False),
        ("children", "GET", "/providers/Microsoft.Management/managementGroups/mg-top/descendants", False),
        ("writes", "PUT", f"/subscriptions/{ONE}/resourceGroups/x", True),
        ("writes", "GET", f"/subscriptions/{ONE}/resourceGroups/x", False),
    ],
)
def test_journeys(journey, method, path, fits):
    from sovereignmesh.sandbox.wire import Call

    assert JOURNEYS[journey](Call.of(method, f"https://management.azure.com{path}", {})) is fits


def test_a_journey_may_be_the_queries_of_one_table(open_client):
    client = open_client(faults=["server-down:policy@2"])
    assert client.rows("resources")
    assert client.rows("PolicyResources | project id")
    assert client.post_query("policyresources").status_code == 503
    assert client.rows("resources")


@pytest.mark.parametrize("spec", ["nonsense", "html:nowhere", "html@0", "html:graph@x", "", "HTML"])
def test_a_fault_that_is_none(spec):
    with pytest.raises(SandboxError, match="there are: "):
        find_fault(spec)
