"""Several calls in one, as the portal sends them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

import orjson

from sovereignmesh.sandbox.wire import HOST, Call, Refusal, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["answer_batch"]

_MOST: Final = 20  # requests that are answered at once; more than those are polled for
_OF_OUTER: Final = {"content-type", "cache-control"}


def answer_batch(call: Call, answer: Callable[[Call], Reply]) -> Reply:
    """The answers to the calls in a call's body, each as if it had come alone.

    A request has httpMethod, url (or relativeUrl), and may have name and content; an answer has name, httpStatusCode,
    headers and content. Raises Refusal for anything else.
    """
    if call.method != "POST":
        raise Refusal(405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported at '{call.path}'.")
    body = call.json()
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests or not all(isinstance(asked, dict) for asked in requests):
        raise Refusal(400, "InvalidRequestContent", "The request content was invalid: it has no list of requests.")
    if len(requests) > _MOST:
        # https://maciejporebski.github.io/azure-management-batch-api
        raise Refusal(501, "SandboxUnsupported", f"the sandbox (not Azure) answers {_MOST} requests of a batch at most")
    return json_reply({"responses": [_inner(call, asked, answer) for asked in requests]})


def _inner(outer: Call, asked: dict[str, Any], answer: Callable[[Call], Reply]) -> dict[str, Any]:
    url = str(asked.get("url") or asked.get("relativeUrl") or "")
    if url.startswith("/"):
        url = f"https://{HOST}{url}"
    content = asked.get("content")
    data = b"" if content is None else orjson.dumps(content)
    try:
        call = Call.of(str(asked.get("httpMethod", "GET")), url, outer.headers, data)
        if call.host != HOST:
            raise Refusal(400, "InvalidRequestUri", f"The request uri '{url}' is not of this host.")  # noqa: TRY301
        reply = answer(call)
    except Refusal as refusal:
        reply = refusal.reply
    own = {key: value for key, value in reply.headers.items() if key.lower() not in _OF_OUTER}
    return {
        "name": asked.get("name") or str(uuid.uuid4()),
        "httpStatusCode": reply.status,
        "headers": own,
        "content": reply.json(),
    }
