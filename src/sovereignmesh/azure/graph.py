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
# https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language#authorization-scope
_ABOVE: Final = {"authorizationScopeFilter": "AtScopeAboveAndBelow"}
_TOO_LARGE: Final = "ResponsePayloadTooLarge"  # more than 16 MiB


class Page(NamedTuple):
    """A page: its rows, and how many rows the service says that the query has in all."""

    rows: list[dict[str, Any]]
    total: int


def query_rows(
    azure: Azure, query: str, subscriptions: Sequence[str], *, above: bool = False
) -> Iterator[dict[str, Any]]:
    """The query's rows over all its pages, for any number of subscriptions.

    `above`: also rows of the management groups above them, in the tables that have such. Raises AnswerError at the end
    where they are not as many as the service says.
    """
    for start in range(0, len(subscriptions), LARGEST_SCOPE):
        given = total = 0
        for rows, total in query_pages(azure, query, subscriptions[start : start + LARGEST_SCOPE], above=above):
            given += len(rows)
            if given > total + LARGEST_PAGE:
                raise AnswerError(f"Resource Graph gives more and more rows: {given} of {total} so far")
            yield from rows
        if given != total:
            raise AnswerError(f"Resource Graph gave {given} of {total} rows")


def query_pages(azure: Azure, query: str, subscriptions: Sequence[str], *, above: bool = False) -> Iterator[Page]:
    """The query's pages, in the order of the query, which must end in `order by` a column that is unique.

    Each is asked for within the quota. A page that is too large for one answer is asked for in halves. Raises
    AnswerError where pages make no sense: no rows, a token that comes again, an answer cut short without a token.
    """
    top, began, given, skip = LARGEST_PAGE, LARGEST_PAGE, 0, 0
    token: str | None = None
    seen: set[int] = set()
    while True:
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": top, **(_ABOVE if above else {})}
        if token is not None:
            options["$skipToken"] = token
        try:
            body = _ask(azure, {"subscriptions": list(subscriptions), "query": query, "options": options})
        except RejectedError as error:
            too_large = _TOO_LARGE in str(error)
            if too_large and top > 1:
                top = top // 2
            elif not too_large and token is not None and top < began:
                # The token may be bound to the size of page that it came with: begin again, once for each size.
                token, skip, began = None, given, top
                seen.clear()
            else:
                raise
            continue
        rows, total = body.get("data"), body.get("totalRecords")
        if not isinstance(rows, list) or type(total) is not int or not all(type(row) is dict for row in rows):
            raise AnswerError("Resource Graph answered without `data` or `totalRecords`")
        fresh, skip = rows[skip:], max(0, skip - len(rows))
        given += len(fresh)
        yield Page(fresh, total)
        token = _next(body, rows, seen)
        if token is None:
            return


def _next(body: dict[str, Any], rows: list[dict[str, Any]], seen: set[int]) -> str | None:
    """The token of the next page, None where there is none."""
    token = body.get("$skipToken")
    if token in (None, ""):
        if str(body.get("resultTruncated")).strip().lower() == "true":
            raise AnswerError("Resource Graph cut its answer short and gave no token to go on with")
        return None
    if not isinstance(token, str) or hash(token) in seen:
        raise AnswerError("Resource Graph gave the token of a page that was read already, or one that is none")
    if not rows:
        raise AnswerError("Resource Graph gave an empty page with a token for more")
    seen.add(hash(token))
    return token


def _ask(azure: Azure, request: dict[str, Any]) -> dict[str, Any]:
    taken = azure.quota.take()
    headers = None
    try:
        body, headers, _ = azure.send("POST", _PATH, _VERSION, request)
    finally:
        azure.quota.learn(headers, taken)
    if not isinstance(body, dict):
        raise AnswerError("Resource Graph answered with something that is no object")
    if str(headers.get("x-ms-tenant-subscription-limit-hit", "")).strip().lower() == "true":
        raise AnswerError("Resource Graph says that it left out subscriptions (x-ms-tenant-subscription-limit-hit)")
    return body
