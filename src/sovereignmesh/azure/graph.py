"""Resource Graph: one query over any number of pages, as parsed JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.errors import AnswerError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sovereignmesh.azure.connection import Azure

__all__ = ["LARGEST_PAGE", "LARGEST_SCOPE", "Page", "query_pages", "query_rows"]

# https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
_PATH: Final = "/providers/Microsoft.ResourceGraph/resources"
_VERSION: Final = "2022-10-01"
LARGEST_PAGE: Final = 1000
LARGEST_SCOPE: Final = 300  # subscriptions of one query: fewer queries than one each, and answers still in one piece
_TOO_LARGE: Final = "ResponsePayloadTooLarge"  # more than 16 MiB


class Page(NamedTuple):
    """A page: its rows, and how many rows the service says that the query has in all."""

    rows: list[dict[str, Any]]
    total: int


def query_rows(azure: Azure, query: str, subscriptions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The query's rows over all its pages, for any number of subscriptions."""
    for start in range(0, len(subscriptions), LARGEST_SCOPE):
        for page in query_pages(azure, query, subscriptions[start : start + LARGEST_SCOPE]):
            yield from page.rows


def query_pages(azure: Azure, query: str, subscriptions: Sequence[str]) -> Iterator[Page]:
    """The query's pages, in the order of the query, which must end in `order by` a column that is unique.

    Each is asked for within the quota. A page that is too large for one answer is asked for in halves. Raises
    AnswerError where pages make no sense: no rows, a token that comes again, an answer cut short without a token.
    """
    top = LARGEST_PAGE
    token: str | None = None
    seen: set[int] = set()
    while True:
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": top}
        if token is not None:
            options["$skipToken"] = token
        try:
            body = _ask(azure, {"subscriptions": list(subscriptions), "query": query, "options": options})
        except RejectedError as error:
            if _TOO_LARGE not in str(error) or top == 1:
                raise
            top = top // 2
            continue
        rows, total = body.get("data"), body.get("totalRecords")
        if not isinstance(rows, list) or not isinstance(total, int) or not all(type(row) is dict for row in rows):
            raise AnswerError("Resource Graph answered without `data` or `totalRecords`")
        yield Page(rows, total)
        token = body.get("$skipToken")
        if not token:
            if str(body.get("resultTruncated")).lower() == "true":
                raise AnswerError("Resource Graph cut its answer short and gave no token to go on with")
            return
        if not isinstance(token, str) or hash(token) in seen:
            raise AnswerError("Resource Graph gave the token of a page that was read already")
        seen.add(hash(token))


def _ask(azure: Azure, request: dict[str, Any]) -> dict[str, Any]:
    taken = azure.quota.take()
    headers = None
    try:
        body, headers = azure.send("POST", _PATH, _VERSION, request)
    finally:
        azure.quota.learn(headers, taken)
    if not isinstance(body, dict):
        raise AnswerError("Resource Graph answered with something that is no object")
    if str(headers.get("x-ms-tenant-subscription-limit-hit", "")).lower() == "true":
        raise AnswerError("Resource Graph says that it left out subscriptions: more than 10,000 were asked for")
    return body
