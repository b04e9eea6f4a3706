"""Many reads at once: in batches, one by one where there are none, and each failure told with its read."""

import datetime as dt
import json

import pytest

from sovereignmesh.azure import Ask, BucketKey, Buckets, Reader

GROUP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers"
NOT_ASKED = "not asked for by itself, since nothing came any more"
TRIES = 5  # of a server error
NOON = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


def ask(name, *, many=True):
    return Ask(f"{GROUP}/{name}", "2025-01-01", many)


def inner(*answers):
    """A batch's answer; an answer is (status, content)."""

    def answer(request):
        asked = json.loads(request.body)["requests"]
        responses = [
            {"name": one["name"], "httpStatusCode": status, "headers": {}, "content": content}
            for one, (status, content) in zip(asked, answers, strict=True)
        ]
        return 200, {"responses": responses[::-1]}

    return answer


@pytest.fixture
def reader(azure):
    return Reader(azure, Buckets(azure.pace.clock), lambda: NOON)


def test_a_batch_is_one_call_and_keeps_the_order(service, reader):
    service.says(
        "/batch", inner((200, {"value": [{"id": "a"}]}), (200, {"id": "b"}), (200, {"value": []})), method="POST"
    )
    told = reader.read([ask("a"), ask("b", many=False), ask("c")])
    assert [one.items for one in told] == [[{"id": "a"}], [{"id": "b"}], []]
    assert {one.failed for one in told} == {""}
    assert {one.at for one in told} == {"2026-11-29T12:00:00Z"}
    (request,) = service.requests
    assert json.loads(request.body) == {
        "requests": [
            {"httpMethod": "GET", "name": str(number), "url": f"{GROUP}/{name}?api-version=2025-01-01"}
            for number, name in enumerate("abc")
        ]
    }


def test_no_batch_holds_more_than_twenty(service, reader):
    def answer(request):
        asked = json.loads(request.body)["requests"]
        assert len(asked) <= 20
        return 200, {
            "responses": [{"name": one["name"], "httpStatusCode": 200, "content": {"value": []}} for one in asked]
        }

    service.says("/batch", answer, method="POST")
    assert len(reader.read([ask(str(number)) for number in range(45)])) == 45
    assert len(service.requests) == 3


@pytest.mark.parametrize("status", [403, 404, 405])
def test_where_there_is_no_batch_each_is_asked_alone_and_none_tried_again(service, reader, status):
    service.says("/batch", (status, {"error": {"code": "No"}}), method="POST")
    service.says(f"{GROUP}/a", {"value": [{"id": "a"}]})
    service.says(f"{GROUP}/b", {"value": []})
    for _ in range(2):
        assert [one.items for one in reader.read([ask("a"), ask("b")])] == [[{"id": "a"}], []]
    assert [request.method for request in service.requests] == ["POST", "GET", "GET", "GET", "GET"]


@pytest.mark.parametrize(
    "odd",
    [
        (200, {}), (200, {"responses": None}), (200, []), (200, {"responses": [7, {"name": "9"}]}), (202, None),
        (200, {"responses": [{"name": "0", "httpStatusCode": 429, "content": {}},
                             {"name": "1", "httpStatusCode": 500}]}),
        (200, {"responses": [{"name": "0", "httpStatusCode": 200, "content": {"value": [1]}},
                             {"name": "1", "httpStatusCode": 200, "content": {"value": [], "nextLink": "x"}}]}),
    ],
)  # fmt: skip
def test_what_a_batch_does_not_answer_is_asked_alone(service, reader, odd):
    service.says("/batch", odd, method="POST")
    service.says(f"{GROUP}/a", {"value": [{"id": "a"}]})
    service.says(f"{GROUP}/b", {"value": []})
    assert [one.items for one in reader.read([ask("a"), ask("b")])] == [[{"id": "a"}], []]


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("status", "code", "failed"),
    [(403, "AuthorizationFailed", "403 AuthorizationFailed"), (404, "ResourceNotFound", "404 ResourceNotFound"),
     (400, "NotSupported", "400 NotSupported")],
)  # fmt: skip
def test_a_refusal_is_told_alike_in_a_batch_and_alone(service, reader, batched, status, code, failed):  # noqa: PLR0917
    error = {"error": {"code": code, "message": "no"}}
    if batched:
        service.says("/batch", inner((status, error), (200, {"value": []})), method="POST")
    else:
        service.says("/batch", (404, {}), method="POST")
        service.says(f"{GROUP}/a", (status, error))
        service.says(f"{GROUP}/b", {"value": []})
    first, second = reader.read([ask("a"), ask("b")])
    assert (first.items, first.failed) == ([], failed)
    assert not second.failed


def test_a_batch_that_is_refused_for_what_is_in_it_is_tried_again(service, reader):
    service.says(
        "/batch", (400, {"error": {"code": "BadUrl"}}), inner((200, {"value": []}), (200, {"value": []})), method="POST"
    )
    service.says(f"{GROUP}/a", {"value": [{"id": "a"}]})
    service.says(f"{GROUP}/b", {"value": []})
    for _ in range(2):
        reader.read([ask("a"), ask("b")])
    assert [request.method for request in service.requests] == ["POST", "GET", "GET", "POST"]


UNREGISTERED = "409 MissingSubscriptionRegistration"


@pytest.mark.parametrize(
    ("provider", "failed"),
    [
        ((200, {"registrationState": "NotRegistered"}), ""),
        ((200, {"registrationState": "Unregistered"}), UNREGISTERED),  # of which something may be left
        ((200, {}), UNREGISTERED),
        ((200, [1]), UNREGISTERED),
        ((403, {}), UNREGISTERED),
    ],
)
@pytest.mark.parametrize("batched", [True, False])
def test_only_a_provider_that_was_never_used_has_nothing(service, reader, batched, provider, failed):
    error = {"error": {"code": "MissingSubscriptionRegistration"}}
    service.says("/subscriptions/s/providers/Microsoft.Sql", provider)
    lists = [Ask(f"/subscriptions/s/providers/Microsoft.Sql/locations/{at}/backups", "1", many=True) for at in "ab"]
    if batched:
        service.says("/batch", inner((409, error), (409, error)), method="POST")
    else:
        service.says("/batch", (404, {}), method="POST")
        for one in lists:
            service.says(one.path, (409, error))
    assert [(one.items, one.failed) for one in reader.read(lists)] == [([], failed)] * 2
    asked = [request.url.partition("?")[0] for request in service.requests]
    assert sum(url.endswith("/providers/Microsoft.Sql") for url in asked) == 1


def test_that_a_provider_was_never_used_is_not_believed_of_what_it_has(service, reader):
    error = {"error": {"code": "MissingSubscriptionRegistration"}}
    service.says("/subscriptions/s/providers/Microsoft.Sql", {"registrationState": "NotRegistered"})
    service.says("/subscriptions/s/providers/Microsoft.Insights", {"registrationState": "NotRegistered"})
    logs = ask("a/providers/Microsoft.Insights/diagnosticSettings")
    service.says("/batch", inner((409, error), (409, error)), method="POST")
    assert [one.failed for one in reader.read([ask("a"), logs])] == [UNREGISTERED, ""]


def test_one_broken_provider_is_no_reason_to_ask_nobody_else(service, reader):
    service.says("/batch", (404, {}), method="POST")
    service.says(f"{GROUP}/a", (500, {"error": {"code": "Broken"}}))
    service.says(f"{GROUP}/b", {"value": [{"id": "b"}]})
    told = reader.read([ask("a"), ask("b"), ask("a"), ask("b")])
    assert [one.failed for one in told] == ["500 Broken", "", "500 Broken", ""]


def test_a_broken_provider_for_long_is_no_reason_either_while_batches_get_through(service, reader):
    down, good = (503, {"error": {"code": "Down"}}), (200, {"value": []})
    service.says("/batch", *[inner(*[down] * 4)] * 6, inner(down, *[good] * 3), method="POST")
    service.says(f"{GROUP}/a", down)
    for _ in range(6):
        assert all(one.failed for one in reader.read([ask("a")] * 4))
    assert [one.failed for one in reader.read([ask("a")] * 4)] == ["503 Down", "", "", ""]


def test_what_is_not_asked_for_is_never_given_another_s_answer(service, reader):
    down = {"error": {"code": "Down"}}
    answers = [(500, down), (500, down), (500, down), (200, {"value": [{"id": "good"}]}), (500, down)]
    service.says("/batch", inner(*answers), method="POST")
    service.says(f"{GROUP}/a", (500, down))
    told = reader.read([ask("a")] * 5)
    assert [(one.items, one.failed) for one in told] == [
        ([], "500 Down"), ([], "500 Down"), ([], "500 Down"), ([{"id": "good"}], ""), ([], f"{NOT_ASKED}: 500 Down"),
    ]  # fmt: skip


def test_nobody_is_asked_for_ever_who_never_answers(service, reader):
    service.says("/batch", (503, {}), method="POST")
    service.says(f"{GROUP}/a", (503, {"error": {"code": "Down"}}))
    told = [one for _ in range(20) for one in reader.read([ask("a")] * 20)]
    assert {one.failed for one in told} == {"503", "503 Down", f"{NOT_ASKED}: 503 Down"}
    singles = [request for request in service.requests if request.method == "GET"]
    assert len(service.requests) - len(singles) == 20 * TRIES  # each batch finds out whether it is over
    assert len(singles) == 5 * 3 * TRIES  # and nobody is asked alone any more


def test_without_a_batch_one_finds_out_whether_it_is_over(service, reader):
    service.says("/batch", (404, {}), method="POST")
    service.says(f"{GROUP}/a", (503, {"error": {"code": "Down"}}))
    told = [one for _ in range(20) for one in reader.read([ask("a")] * 20)]
    assert {one.failed for one in told} == {"503 Down", f"{NOT_ASKED}: 503 Down"}
    assert len(service.requests) == 1 + (5 * 3 + 15) * TRIES


def test_when_it_is_over_everything_is_asked_for_again(service, reader):
    down = (503, {"error": {"code": "Down"}})
    service.says("/batch", *[down] * 5 * TRIES, inner(*[(200, {"value": []})] * 20), method="POST")
    service.says(f"{GROUP}/a", *[down] * 5 * 3 * TRIES, {"value": [{"id": "a"}]})
    for _ in range(5):
        assert all(one.failed for one in reader.read([ask("a")] * 20))
    assert {one.failed for one in reader.read([ask("a")] * 20)} == {""}
    before = len(service.requests)
    assert {one.failed for one in reader.read([ask("a")] * 20)} == {""}
    assert len(service.requests) == before + 1


@pytest.mark.parametrize("batched", [True, False])
def test_a_list_that_names_one_child_twice_may_lack_another(service, reader, batched):
    twice = {"value": [{"id": "/A"}, {"id": "/b"}, {"id": "/a"}]}
    service.says("/batch", inner((200, twice), (200, {"value": [{}, {}]})) if batched else (404, {}), method="POST")
    service.says(f"{GROUP}/a", twice)
    service.says(f"{GROUP}/b", {"value": [{}, {}]})
    told = reader.read([ask("a"), ask("b")])
    assert told[0].failed == "a list that names one child twice"
    assert told[1].failed == ""


def test_what_is_asked_again_and_each_further_page_draw_on_the_quotas(service, azure):
    buckets = Buckets(azure.pace.clock)
    reader = Reader(azure, buckets, lambda: NOON)
    lists = BucketKey("storage-lists", "s")
    following = f"https://management.azure.com{GROUP}/a2?api-version=2025-01-01"
    service.says("/batch", inner((429, {}), (200, {"value": []})), method="POST")
    service.says(f"{GROUP}/a", {"value": [], "nextLink": following})
    service.says(f"{GROUP}/a2", {"value": []})
    reader.read([ask("a")._replace(bucket=lists), ask("b")])
    assert buckets.take({lists: 99}) > 0  # two of its hundred are gone
    assert buckets.take({lists: 98}) == 0


def test_what_was_taken_beyond_the_quota_is_sent_as_it_comes_back(service, azure):
    buckets = Buckets(azure.pace.clock)
    reader = Reader(azure, buckets, lambda: NOON)
    sent = []

    def answer(request):
        asked = json.loads(request.body)["requests"]
        sent.append((azure.pace.clock(), len(asked)))
        return 200, {
            "responses": [{"name": one["name"], "httpStatusCode": 200, "content": {"value": []}} for one in asked]
        }

    service.says("/batch", answer, method="POST")
    assert buckets.take({BucketKey("arm", "s"): 600}) == 0
    began = azure.pace.clock()
    assert len(reader.read([ask(str(number)) for number in range(600)])) == 600
    for moment, _ in sent:
        assert sum(count for at, count in sent if at <= moment) <= 230 + 25 * (moment - began) + 1e-6


def test_what_a_service_says_is_left_is_believed(service, azure):
    buckets = Buckets(azure.pace.clock)
    responses = [
        {"name": str(number), "httpStatusCode": 200, "content": {"value": []},
         "headers": {"X-Ms-Ratelimit-Remaining-Subscription-Reads": "3"}}
        for number in range(2)
    ]  # fmt: skip
    service.says("/batch", {"responses": responses}, method="POST")
    Reader(azure, buckets, lambda: NOON).read([ask("a"), ask("b")])
    assert buckets.take({BucketKey("arm", "s"): 4}) > 0


@pytest.mark.parametrize("path", ["/x", "/", "x", "//"])
def test_a_path_that_names_no_subscription_is_asked_and_told(service, reader, path):
    service.says("/batch", inner((404, {}), (404, {})), method="POST")
    assert [one.failed for one in reader.read([Ask(path, "1", many=True)] * 2)] == ["404"] * 2


def test_an_object_that_is_none_is_no_answer(service, reader):
    service.says(f"{GROUP}/a", [1])
    assert reader.read([ask("a", many=False)])[0].failed == "an answer that makes no sense"


def test_a_list_goes_on_to_its_last_page(service, reader):
    service.says(
        "/batch", inner((200, {"value": [{"id": 1}], "nextLink": "https://x"}), (200, {"value": []})), method="POST"
    )
    following = f"https://management.azure.com{GROUP}/a2?api-version=2025-01-01"
    service.says(f"{GROUP}/a", {"value": [{"id": 1}], "nextLink": following})
    service.says(f"{GROUP}/a2", {"value": [{"id": 2}]})
    assert reader.read([ask("a"), ask("b")])[0].items == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("batched", [True, False])
def test_one_object_that_is_a_list_is_read_to_its_last_page(service, reader, batched):
    link = f"https://management.azure.com{GROUP}/a?api-version=2025-01-01&page=2"
    first = (200, {"value": [{"id": "a"}], "nextLink": link})
    service.says("/batch", inner(first, (200, {"id": "b"})) if batched else (404, {}), method="POST")
    service.says(f"{GROUP}/a", first, (200, {"value": [{"id": "b"}], "nextLink": ""}))
    service.says(f"{GROUP}/b", {"id": "b"})
    told = reader.read([ask("a", many=False), ask("b", many=False)])
    assert [one["id"] for one in told[0].items[0]["value"]] == ["a", "b"]
    assert told[1].items == [{"id": "b"}]
    assert [one.failed for one in told] == ["", ""]


@pytest.mark.parametrize("batched", [True, False])
def test_only_what_is_looked_at_is_kept(service, reader, batched):
    bodies = [
        {"id": "a", "location": "eastus", "properties": {"state": "On", "much": "x" * 999}},
        {"id": "b", "properties": {}}, {"id": "c", "properties": None}, {"id": "d"},
    ]  # fmt: skip
    kept = [{"id": "a", "location": "eastus", "properties": {"state": "On"}}, *bodies[1:]]
    answers = (200, {"value": bodies}), (200, bodies[0])
    service.says("/batch", inner(*answers) if batched else (404, {}), method="POST")
    service.says(f"{GROUP}/a", answers[0])
    service.says(f"{GROUP}/b", answers[1])
    asks = [one._replace(properties=("state", "kind")) for one in (ask("a"), ask("b", many=False))]
    assert [one.items for one in reader.read(asks)] == [kept, kept[:1]]
