"""One host, and what goes to it and comes back: requests through the SDK's pipeline, answers as plain JSON."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

import orjson
from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import ClientAuthenticationError, DeserializationError, HttpResponseError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import CustomHookPolicy, HeadersPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from sovereignmesh import __version__
from sovereignmesh.azure.pace import LONGEST_WAIT, seconds_in
from sovereignmesh.azure.policies import OneHostPolicy, OneTokenPolicy, PatientRetryPolicy, may_repeat
from sovereignmesh.azure.sign_in import HOW_TO_SIGN_IN
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    ClosedNetworkError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
    ThrottledError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import requests
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.policies import HTTPPolicy, SansIOHTTPPolicy

    from sovereignmesh.azure.pace import Pace

__all__ = ["Answer", "Channel", "Client", "error_in", "items_in", "make_pipeline", "next_link"]

_BLOCK: Final = 1 << 17  # bytes that are read at once: in the SDK's 4 KB, pages of a megabyte take many steps
_READINGS: Final = 3  # of an answer that is no JSON
_OK: Final = range(200, 300)
_LONGEST_LIST: Final = 10_000  # pages
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = 500
_KINDS: Final[dict[int, type[AzureError]]] = {
    401: SignInError, 403: DeniedError, 404: NotFoundError, 429: ThrottledError,
}  # fmt: skip
# How services say that it is the network, and no role, that keeps the caller out.
_CLOSED: Final = re.compile(r"public ?network ?access|private ?(?:endpoint|link)|firewall", re.IGNORECASE)
_REQUEST_IDS: Final = ("x-ms-request-id", "x-ms-correlation-request-id")


class Answer(NamedTuple):
    """What Azure answered: the parsed body (None where there is none), the headers and the status."""

    body: Any
    headers: Mapping[str, str]
    status: int


class Client(Protocol):
    """What the SDK's clients have in common."""

    def send_request(self, request: HttpRequest) -> HttpResponse:
        """Sends a request through the client's pipeline."""


def make_pipeline(
    host: str, scope: str, credential: TokenCredential, session: requests.Session, pace: Callable[[], Pace]
) -> Pipeline[HttpRequest, HttpResponse]:
    """The pipeline of the SDK's clients for one host: nothing else gets its token.

    No policy in it registers providers: an audit only reads.
    """
    policies: list[HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]] = [
        OneHostPolicy(host),
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json"}),
        UserAgentPolicy(user_agent=f"sovereignmesh/{__version__}"),
        PatientRetryPolicy(pace),
        CustomHookPolicy(),  # below the retries: an answer in which a hook finds a fault is asked for again
        OneTokenPolicy(credential, scope),
    ]
    transport = RequestsTransport(
        session=session,
        session_owner=False,
        connection_verify=session.verify,
        connection_data_block_size=_BLOCK,
    )
    return Pipeline(transport, policies)


class Channel:
    """Requests to one host. What it raises is an `AzureError` whose class says what went wrong."""

    def __init__(self, client: Client, pace: Callable[[], Pace], check_open: Callable[[], None]) -> None:
        """`pace` gives the run's; `check_open` raises where nothing may be sent any more."""
        self._client, self._pace, self._check_open = client, pace, check_open

    def get(self, path: str, api_version: str, **parameters: str) -> Any:
        """The body at a path below Azure Resource Manager, or at a link that it gave."""
        return self.send("GET", path, api_version, **parameters).body

    def items(self, path: str, api_version: str, *, key: str = "value", **parameters: str) -> Iterator[dict[str, Any]]:
        """The items of a list, over all its pages; `key` is where a page holds them.

        Raises AnswerError for a list without `value`, for a link to another host and for one that comes again.
        """
        body = self.get(path, api_version, **parameters)
        seen: set[str] = set()
        while True:
            yield from items_in(body, path, key)
            link = next_link(body, path, seen)
            if not link:
                return
            body = self.send("GET", link, "").body

    def send(
        self, method: str, path: str, api_version: str, body: Any = None, **parameters: str | Sequence[str]
    ) -> Answer:
        """Sends one request through the pipeline, and parses the answer; a parameter that is a list stands there again.

        Raises an `AzureError` whose class says what went wrong; nothing of the request's token is in it.
        """
        return self.decoded(orjson.loads, method, path, api_version, body, **parameters)

    def decoded(
        self,
        decode: Callable[[bytes], Any],
        method: str,
        path: str,
        api_version: str,
        body: Any = None,
        **parameters: str | Sequence[str],
    ) -> Answer:
        """As `send`; `decode` makes a body of what came, and raises JSONDecodeError where that is no JSON."""
        self._check_open()
        query = {**({"api-version": api_version} if api_version else {}), **parameters}
        url = f"{path}?{urlencode(query, doseq=True, safe='$')}" if query else path
        url = url.replace("{", "%7B").replace("}", "%7D")  # the SDK would take them for a template's
        readings = _READINGS if may_repeat(method, url) else 1
        for reading in range(readings):
            self._pace().check()
            response = self._once(HttpRequest(method, url, json=body), path)
            try:
                data = response.content
                return Answer(decode(data) if data else None, response.headers, response.status_code)
            except orjson.JSONDecodeError:
                kind = response.headers.get("Content-Type", "no content type")
                if reading + 1 < readings:
                    self._pace().wait(self._pace().backoff(reading))
        raise _no_json(path, kind)

    def _once(self, request: HttpRequest, path: str) -> HttpResponse:
        with self.translated(path):
            response = self._client.send_request(request)
        if response.status_code in _OK:
            return response
        raise _refusal(response, path)

    @contextlib.contextmanager
    def translated(self, path: str) -> Iterator[None]:
        """Whatever the SDK raises within is raised as an `AzureError`; `path` is what was asked for."""
        self._check_open()
        try:
            yield
        except HttpResponseError as error:
            response = error.response
            if not isinstance(response, HttpResponse):
                raise self._failure(error, path) from error
            asked = urlsplit(response.request.url).path
            if response.status_code not in _OK:  # the SDK's own operations raise what `_once` gets as an answer
                raise _refusal(response, asked) from error
            raise _no_json(asked, response.headers.get("Content-Type", "no content type")) from error
        except DeserializationError as error:  # of the SDK's models, which our own operations do not use
            said = str(error).splitlines()[0][:200]
            raise AnswerError(f"{_place(path)}: an answer in another shape than the service's: {said}") from error
        except SdkError as error:
            raise self._failure(error, path) from error
        except OSError as error:  # of a session that is not ours
            raise UnreachableError(f"{_place(path)}: {type(error).__name__}: {error}"[:600]) from error

    def _failure(self, error: SdkError, path: str) -> AzureError:
        """The exception that no answer means."""
        if isinstance(error, ClientAuthenticationError):
            return SignInError(f"not signed in: {HOW_TO_SIGN_IN} ({_first_line(error).rstrip('.')})")
        if self._pace().stopped:  # what the deadline cut off was no fault of the network
            return DeadlineError(f"{_place(path)}: the time was up; last came: {_first_line(error)}")
        return UnreachableError(f"{_place(path)}: {_first_line(error)}")


def _no_json(path: str, kind: str) -> AnswerError:
    return AnswerError(
        f"{_place(path)}: what came ({kind.partition(';')[0]}) is no JSON, or half of it: is there a proxy or a "
        "sign-in page between?"
    )


def _refusal(response: HttpResponse, path: str) -> AzureError:
    """The exception that an error answer means; ARM, and its providers, write errors in several shapes."""
    status = response.status_code
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    code, message = error_in(body)
    error = body.get("error", body) if isinstance(body, dict) else None
    target = error.get("target") if isinstance(error, dict) else None
    kind = _KINDS.get(status, UnreachableError if status >= _SERVER_ERRORS else RejectedError)
    if status in _REDIRECTS:
        kind, message = AnswerError, "a redirect, which is not followed: is there a proxy or a sign-in page between?"
    if kind is DeniedError and _CLOSED.search(f"{code} {message}"):
        kind = ClosedNetworkError
    text = f"{_place(path)}: {status} {code}".rstrip() + (f": {message}" if message else "")
    if kind is SignInError:
        text += f"; {HOW_TO_SIGN_IN}"
    elif kind is ThrottledError and (wait := response.headers.get("Retry-After")):
        long = (seconds_in(wait) or 0) > LONGEST_WAIT
        text += f"; the service asks to wait {wait[:20]} s" + (
            f", and longer than {LONGEST_WAIT:.0f} s is not waited"
            if long
            else ", and refused whenever it was asked again"
        )
    return kind(
        text,
        status=status,
        code=code,
        target=target if isinstance(target, str) else "",
        request_id=_request_id(response.headers, body),
    )


def _request_id(headers: Mapping[str, str], body: Any) -> str:
    """What the service's operators find the request by; the Data Map says it in the body alone."""
    named = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), "")
    told = body.get("requestId") if isinstance(body, dict) else ""
    return named or (told if isinstance(told, str) else "")


def error_in(body: Any) -> tuple[str, str]:
    """Code and message, with the code and message of the innermost detail, which says what it is really about."""
    error = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    code = str(error.get("code") or error.get("Code") or error.get("ErrorCode") or error.get("errorCode") or "")
    said = ("message", "Message", "errorMessage", "title")
    message: Any = next((error[name] for name in said if error.get(name)), "")
    if isinstance(message, dict):
        message = message.get("value") or message.get("Value")
    message = message if isinstance(message, str) else ""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("code"):
            message += f" {detail['code']}: {detail.get('message', '')}"
            code = code if code not in ("", "BadRequest") else str(detail["code"])
    return code, " ".join(message.split())[:600]


def items_in(body: Any, path: str, key: str = "value") -> list[dict[str, Any]]:
    """The items of a page of a list. Raises AnswerError where it has no `key`: that is not an empty list."""
    values = body.get(key) if isinstance(body, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise AnswerError(f"{path}: a list without `{key}`, or with items that are none")
    return values


def next_link(body: dict[str, Any], path: str, seen: set[str]) -> str:
    """The link to the next page, "" after the last. Raises AnswerError for one that is none, or that was `seen`."""
    link = body.get("nextLink")
    if link in (None, ""):
        return ""
    if not isinstance(link, str) or link in seen or len(seen) >= _LONGEST_LIST:
        raise AnswerError(f"{path}: the link to the next page is none, or one that was followed already")
    seen.add(link)
    try:
        urlsplit(link)
    except ValueError as error:
        raise AnswerError(f"an answer links to {link[:100]!r}, which is no address") from error
    return link


def _place(path: str) -> str:
    return path.partition("?")[0]


def _first_line(error: SdkError) -> str:
    text = str(error.message or error).strip()
    return text.splitlines()[0][:600] if text else type(error).__name__
