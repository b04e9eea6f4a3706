"""Resource Graph: every row of a query, or an exception; never fewer rows without a word."""

import json

import pytest
import responses.matchers

from sovereignmesh.azure import query_rows
from sovereignmesh.azure.graph import LARGEST_PAGE, LARGEST_SCOPE, query_pages
from sovereignmesh.azure.policies import _ATTEMPTS as ATTEMPTS
from sovereignmesh.errors import AnswerError, AzureError, DeadlineError, RejectedError, ThrottledError

QUERY = "resources\n| project id\n| order by id asc"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TOO_LARGE = {
    "error": {
        "code": "BadRequest",
        "message": "Please provide below info when asking for support: timestamp = ..., correlationId = ....",
        "details": [{"code": "ResponsePayloadTooLarge", "message": "Response payload size is 17254432, and has exceeded"
                     " the limit of 16777216. Please consider querying less data at a time and make paginated call"
                     " if needed."}],
    }
}  # fmt: skip


def rows_of(numbers):
    return [{"id": f"/subscriptions/{SUBSCRIPTION}/r{number:05d}"} for number in numbers]


def answer(rows, *, token=None, total=None, **more):
    body = {"totalRecords": len(rows) if total is None else total, "count": len(rows), "data": rows, "facets": []}
    return {**body, "resultTruncated": "false", **({"$skipToken": token} if token else {}), **more}


def asked(azure):
    return list(query_rows(azure, QUERY, [SUBSCRIPTION]))


# What was recorded.


def test_each_recorded_answer_comes_out_as_its_rows(recordings, azure, service):
    found = 0
    for number, record in enumerate(recordings("arg.jsonl")):
        request, response = record["request"], record["response"]
        if record["status"] != 200 or not request or not isinstance(response["data"], list):
            continue
        found += 1
        query, token = f"{request['query']} // {number}", response.get("$skipToken")

        def replay(sent, record=record, query=query, token=token):
            body = json.loads(sent.body)
            assert body["query"] == query
            if "$skipToken" in body["options"]:  # the recording ends here
                assert body["options"]["$skipToken"] == token
                return 200, answer([], total=record["response"]["totalRecords"])
            return 200, record["response"], record["headers"] | {"content-length": None, "content-encoding": None}

        service.mock.reset()
        service.graph(replay)
        pages = list(query_pages(azure, query, request.get("subscriptions", [])))
        assert pages[0].rows == response["data"]
        assert pages[0].total == response["totalRecords"]
        assert len(pages) == (2 if token else 1)
        assert [body["subscriptions"] for body in service.asked_of_graph] == [request.get("subscriptions", [])] * len(
            pages
        )
    assert found >= 30


def test_each_recorded_table_is_refused(recordings, azure, service):
    """The other format, which we do not ask for."""
    tables = [record for record in recordings("arg.jsonl") if isinstance(record["response"].get("data"), dict)]
    assert len(tables) >= 10
    for record in tables:
        service.mock.reset()
        service.graph((200, record["response"]))
        with pytest.raises(AnswerError):
            asked(azure)


def test_each_recorded_parser_error_names_itself(recordings, azure, service):
    errors = [record for record in recordings("arg.jsonl") if record["status"] == 400]
    assert len(errors) >= 8
    for record in errors:
        service.mock.reset()
        service.graph((400, record["response"]))
        with pytest.raises(RejectedError, match=r"InvalidQuery.*ParserFailure") as caught:
            asked(azure)
        assert caught.value.status == 400
        assert caught.value.code == "InvalidQuery"
        assert len(service.requests) == 1


# What is asked.


def test_the_request_is_as_documented(azure, service):
    """https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources"""
    service.mock.add(
        "POST",
        "https://management.azure.com/providers/Microsoft.ResourceGraph/resources",
        json=answer(rows_of([1])),
        match=[
            responses.matchers.query_param_matcher({"api-version": "2022-10-01"}),
            responses.matchers.json_params_matcher(
                {
                    "subscriptions": [SUBSCRIPTION, "b"],
                    "query": QUERY,
                    "options": {"resultFormat": "objectArray", "$top": 1000},
                }
            ),
            responses.matchers.header_matcher({"Content-Type": "application/json"}),
        ],
    )
    assert list(query_rows(azure, QUERY, (SUBSCRIPTION, "b"))) == rows_of([1])


def test_all_pages_are_read(azure, service):
    service.graph(
        answer(rows_of(range(1000)), token="a==", total=2500),
        answer(rows_of(range(1000, 2000)), token="b==", total=2500),
        answer(rows_of(range(2000, 2500)), total=2500),
    )
    pages = list(query_pages(azure, QUERY, [SUBSCRIPTION]))
    assert [len(page.rows) for page in pages] == [1000, 1000, 500]
    assert {page.total for page in pages} == {2500}
    assert [row for page in pages for row in page.rows] == rows_of(range(2500))
    assert [body["options"].get("$skipToken") for body in service.asked_of_graph] == [None, "a==", "b=="]
    assert all(body["options"]["$top"] == LARGEST_PAGE for body in service.asked_of_graph)
    assert all(body["query"] == QUERY for body in service.asked_of_graph)


def test_a_page_is_asked_for_when_it_is_wanted(azure, service):
    service.graph(answer(rows_of([1]), token="a", total=2), answer(rows_of([2]), total=2))
    pages = query_pages(azure, QUERY, [SUBSCRIPTION])
    assert service.requests == []
    next(pages)
    assert len(service.requests) == 1


def test_nothing_found_is_no_row(azure, service):
    service.graph(answer([]))
    assert asked(azure) == []


# Answers that make no sense.


def test_a_token_that_comes_again_is_refused(azure, service):
    service.graph(answer(rows_of([1]), token="a", total=9), answer(rows_of([2]), token="b", total=9),
                  answer(rows_of([3]), token="a", total=9))  # fmt: skip
    with pytest.raises(AnswerError, match="read already"):
        asked(azure)
    assert len(service.requests) == 3


@pytest.mark.parametrize("token", [7, True, ["a"], {"a": 1}])
def test_a_token_that_is_no_text_is_refused(azure, service, token):
    service.graph(answer(rows_of([1]), token=token))
    with pytest.raises(AnswerError):
        asked(azure)


def test_an_empty_page_with_a_token_is_refused(azure, service):
    service.graph(answer(rows_of([1]), token="a", total=2), answer([], token="b", total=2))
    with pytest.raises(AnswerError, match="an empty page with a token"):
        asked(azure)


@pytest.mark.parametrize("total", [0, 1, 3])
@pytest.mark.parametrize("pages", [1, 2])
def test_other_rows_than_the_service_counts_are_an_error_in_the_end(azure, service, total, pages):
    bodies = [answer(rows_of([1, 2]), total=total)]
    if pages == 2:
        bodies = [answer(rows_of([1]), token="a", total=9), answer(rows_of([2]), total=total)]
    service.graph(*bodies)
    rows = query_rows(azure, QUERY, [SUBSCRIPTION])
    assert [next(rows), next(rows)] == rows_of([1, 2])
    with pytest.raises(AnswerError, match=f"gave 2 of {total} rows"):
        next(rows)


def test_each_query_of_many_subscriptions_is_counted_for_itself(azure, service):
    service.graph(answer(rows_of([1]), total=1), answer(rows_of([2, 3]), total=2), answer(rows_of([4]), total=2))
    rows = query_rows(azure, QUERY, [str(number) for number in range(2 * LARGEST_SCOPE + 1)])
    assert [next(rows) for _ in range(4)] == rows_of([1, 2, 3, 4])
    with pytest.raises(AnswerError, match="gave 1 of 2 rows"):
        next(rows)
    assert [len(body["subscriptions"]) for body in service.asked_of_graph] == [LARGEST_SCOPE, LARGEST_SCOPE, 1]


def test_no_subscription_is_no_query(azure, service):
    """One without subscriptions would be of the whole tenant."""
    assert list(query_rows(azure, QUERY, [])) == []
    assert service.requests == []


@pytest.mark.parametrize("truncated", ["true", "True", True])
def test_an_answer_cut_short_without_a_token_is_refused(azure, service, truncated):
    service.graph(answer(rows_of([1]), total=2, resultTruncated=truncated))
    with pytest.raises(AnswerError, match="cut its answer short"):
        asked(azure)


@pytest.mark.parametrize("truncated", ["false", False, None])
def test_an_answer_that_is_whole_is_taken(azure, service, truncated):
    service.graph(answer(rows_of([1]), resultTruncated=truncated))
    assert asked(azure) == rows_of([1])


def test_a_truncated_answer_with_a_token_goes_on(azure, service):
    service.graph(answer(rows_of([1]), total=2, token="a", resultTruncated="true"), answer(rows_of([2]), total=2))
    assert asked(azure) == rows_of([1, 2])


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "a", 7, None, {"totalRecords": 1}, {"totalRecords": 1, "data": None}, {"totalRecords": 1, "data": {}},
        {"totalRecords": 1, "data": "a"}, {"totalRecords": 1, "data": [{"id": "a"}, None]},
        {"totalRecords": 1, "data": [["a"]]}, {"totalRecords": 1, "data": [7]}, {"data": []},
        {"totalRecords": None, "data": []}, {"totalRecords": "1", "data": []}, {"error": {"code": "x"}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("page", [1, 2])
def test_an_answer_without_rows_is_refused(azure, service, body, page):
    service.graph(*[answer(rows_of([1]), token="a", total=2)] * (page - 1), (200, json.dumps(body)))
    with pytest.raises(AnswerError):
        asked(azure)


@pytest.mark.parametrize("body", [b"<html></html>", b'{"data": ['])
def test_an_answer_that_is_no_json_is_asked_for_again(azure, service, body):
    service.graph((200, body), answer(rows_of([1])))
    assert asked(azure) == rows_of([1])


@pytest.mark.parametrize("word", ["true", "True"])
def test_subscriptions_that_were_left_out_are_an_error(azure, service, word):
    service.graph((200, answer(rows_of([1])), {"x-ms-tenant-subscription-limit-hit": word}))
    with pytest.raises(AnswerError, match="left out subscriptions"):
        asked(azure)


def test_the_header_may_say_that_none_was_left_out(azure, service):
    service.graph((200, answer(rows_of([1])), {"x-ms-tenant-subscription-limit-hit": "false"}))
    assert asked(azure) == rows_of([1])


# Pages that are too large.


def heavy(largest):
    """A service of 2,500 rows that gives at most `largest(first row)` of them at once; its tokens are numbers."""
    data = rows_of(range(2500))

    def reply(request):
        options = json.loads(request.body)["options"]
        start, top = int(options.get("$skipToken", "0")), options["$top"]
        if top > largest(start):
            return 400, TOO_LARGE
        end = start + top
        return 200, answer(data[start:end], token=str(end) if end < len(data) else None, total=len(data))

    return reply


@pytest.mark.parametrize("largest", [1000, 999, 500, 130, 7])
def test_a_page_that_is_too_large_is_asked_for_in_halves(azure, service, largest):
    service.graph(heavy(lambda start: largest))
    assert asked(azure) == rows_of(range(2500))
    tops = [body["options"]["$top"] for body in service.asked_of_graph]
    assert max(tops) == tops[0] == 1000
    assert set(tops) <= {1000 // 2**halving for halving in range(10)}


def test_one_row_at_a_time_is_the_least(azure, service):
    service.graph(heavy(lambda start: 1 if start < 3 else 0))
    rows = query_rows(azure, QUERY, [SUBSCRIPTION])
    assert [next(rows) for _ in range(3)] == rows_of(range(3))
    with pytest.raises(RejectedError, match="ResponsePayloadTooLarge"):
        next(rows)
    tops = [body["options"]["$top"] for body in service.asked_of_graph]
    assert tops[:10] == [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1]
    assert tops[10:] == [1, 1, 1]


def test_rows_before_a_large_one_are_not_read_twice(azure, service):
    service.graph(heavy(lambda start: 1000 if start < 2000 else 10))
    assert asked(azure) == rows_of(range(2500))


def bound(largest, *, same_tokens=False, refuses=lambda start, top: False):
    """A service like `heavy` whose tokens hold for one size of page only, as Resource Graph's may.

    With `same_tokens` they do not show it. It is one that `refuses` what it is told to.
    """
    data, sizes = rows_of(range(2500)), {}

    def reply(request):
        options = json.loads(request.body)["options"]
        top, token = options["$top"], options.get("$skipToken")
        start = int(token.partition("/")[0]) if token else 0
        if token and (sizes.get(token) != top or refuses(start, top)):
            return 400, {"error": {"code": "BadRequest", "message": "the token is of another query"}}
        if top > largest(start):
            return 400, TOO_LARGE
        end = start + top
        following = f"{end}" if same_tokens else f"{end}/{top}"
        sizes[following] = top
        return 200, answer(data[start:end], token=following if end < len(data) else None, total=len(data))

    return reply


@pytest.mark.parametrize("same_tokens", [False, True])
@pytest.mark.parametrize(
    "largest",
    [
        lambda start: 1000,
        lambda start: 300,
        lambda start: 1000 if start < 1000 else 400,
        lambda start: 1000 if start < 1000 else 400 if start < 1800 else 90,
        lambda start: 1000 if start < 2000 else 40,
    ],
)
def test_where_a_token_holds_for_one_size_of_page_the_query_begins_again(azure, service, largest, same_tokens):
    """What was given is skipped: no row is lost, and none comes twice."""
    service.graph(bound(largest, same_tokens=same_tokens))
    pages = list(query_pages(azure, QUERY, [SUBSCRIPTION]))
    assert [row for page in pages for row in page.rows] == rows_of(range(2500))
    assert {page.total for page in pages} == {2500}


def test_a_query_begins_again_once_for_each_size_of_page(azure, service):
    """A service that takes no token after the first size is not asked for ever."""
    service.graph(bound(lambda start: 500, refuses=lambda start, top: top < 1000))
    rows = query_rows(azure, QUERY, [SUBSCRIPTION])
    assert [next(rows) for _ in range(500)] == rows_of(range(500))
    with pytest.raises(RejectedError, match="the token is of another query"):
        next(rows)
    assert [(body["options"]["$top"], body["options"].get("$skipToken")) for body in service.asked_of_graph] == [
        (1000, None), (500, None), (500, "500/500"), (500, None), (500, "500/500"),
    ]  # fmt: skip


def test_a_token_that_is_refused_at_the_first_size_is_an_error(azure, service):
    service.graph(bound(lambda start: 1000, refuses=lambda start, top: True))
    with pytest.raises(RejectedError, match="the token is of another query"):
        asked(azure)
    assert len(service.requests) == 2


def test_another_refusal_is_not_asked_again(azure, service):
    service.graph((400, {"error": {"code": "BadRequest", "message": "no"}}))
    with pytest.raises(RejectedError):
        asked(azure)
    assert len(service.requests) == 1


# The quota.


def test_more_queries_than_the_quota_wait_for_the_next_window(azure, service, clock):
    left = iter(range(14, -1, -1))
    service.graph(
        lambda request: (200, answer([]), {"x-ms-user-quota-remaining": str(next(left, 0)),
                                           "x-ms-user-quota-resets-after": "00:00:05"})
    )  # fmt: skip
    for _ in range(15):
        asked(azure)
    assert clock.slept == []
    asked(azure)
    assert clock.slept == [5.0]


def test_a_query_that_is_throttled_is_asked_again(azure, service, clock):
    reset = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:03"}
    service.graph((429, {"error": {"code": "RateLimiting", "message": "slow"}}, reset), answer(rows_of([1])))
    assert asked(azure) == rows_of([1])
    assert clock.slept == [3.0]


def test_a_query_that_is_throttled_for_ever_is_an_error(azure, service):
    service.graph((429, {"error": {"code": "RateLimiting", "message": "slow"}}))
    with pytest.raises(ThrottledError, match="RateLimiting"):
        asked(azure)
    assert len(service.requests) == ATTEMPTS


@pytest.mark.parametrize("failure", [(500, {}), (404, {}), (200, b"no"), ConnectionError("gone")])
def test_queries_that_fail_give_their_place_back(azure, service, clock, failure):
    service.graph(failure)
    for _ in range(40):
        with pytest.raises((AzureError, ConnectionError)):
            asked(azure)
    assert azure.quota._flying == 0


def test_no_query_is_sent_after_a_stop(azure, service):
    service.graph(answer(rows_of([1]), token="a", total=2))
    rows = query_rows(azure, QUERY, [SUBSCRIPTION])
    next(rows)
    azure.pace.stop()
    with pytest.raises(DeadlineError):
        next(rows)
    assert len(service.requests) == 1
