"""What our requests pass through besides the SDK's own policies: one host only, and patience with a limit."""

from __future__ import annotations

import datetime as dt
import re
import threading
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.policies import HTTPPolicy, SansIOHTTPPolicy
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from sovereignmesh.azure.pace import LONGEST_WAIT, seconds_in
from sovereignmesh.errors import AnswerError, DeadlineError, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineRequest, PipelineResponse

    from sovereignmesh.azure.pace import Pace

__all__ = [
    "CONNECT_SECONDS",
    "CREDENTIAL_FAILURES",
    "READ_SECONDS",
    "OneHostPolicy",
    "OneTokenPolicy",
    "PatientRetryPolicy",
    "may_repeat",
    "wait_in",
]

CONNECT_SECONDS, READ_SECONDS = 20.0, 90.0  # that one attempt may take, at most
# A credential is anybody's code: what it raises besides azure-core's own.
CREDENTIAL_FAILURES: Final = (
    ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError, OSError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
_SAFE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
# Queries, GETs together, and entities that are found by guid or name and so are made or changed once.
_SAFE_POSTS: Final = (
    "/providers/microsoft.resourcegraph/resources", "/batch", "/datamap/api/search/query", "/atlas/v2/entity/bulk",
    "/providers/microsoft.purview/checknameavailability",
)  # fmt: skip
# Ending a run of a scan does no more when it is asked again. Starting one is not among these: until 2022 it was a PUT
# at the id that the caller makes; that the POST of 2023-09-01 takes an id once is nowhere said.
_CANCELLING: Final = re.compile(r"/datasources/[^/]+/scans/[^/]+/runs/[^/]+:cancel(?:\?|$)")
_PASSING: Final = frozenset({408, 500, 502, 503, 504})
_THROTTLED: Final = 429
_UNAUTHORISED: Final = 401
_ATTEMPTS: Final = 5


class OneHostPolicy(SansIOHTTPPolicy[Any, Any]):
    """Refuses a request to any host but the cloud's own: a link in an answer must not carry the token elsewhere."""

    def __init__(self, host: str) -> None:
        self._host = host

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Raises AnswerError for a foreign host, before a token is attached."""
        try:
            url = urlsplit(request.http_request.url)
        except ValueError as error:
            raise AnswerError("an answer links to something that is no address") from error
        if url.scheme != "https" or url.netloc.lower().removesuffix(":443") != self._host:
            raise AnswerError(
                f"an answer links to {url.scheme}://{url.netloc}, not to {self._host}: it was not followed"
            )


class OneTokenPolicy(ARMChallengeAuthenticationPolicy):
    """Asks for a token one thread at a time, and gives each request the one that it got.

    azure-core's own drops the token at a 401 while another thread is about to read it.
    """

    def __init__(self, credential: TokenCredential, scope: str) -> None:
        super().__init__(credential, scope)
        self._lock = threading.Lock()

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Adds the token; only https gets here, see OneHostPolicy."""
        self._update_headers(request.http_request.headers, self._given(*self._scopes, anew=False))

    def authorize_request(self, request: PipelineRequest[Any], *scopes: str, **options: Any) -> None:
        """Adds a token that meets a challenge."""
        self._update_headers(request.http_request.headers, self._given(*scopes, anew=True, **options))

    def _given(self, *scopes: str, anew: bool, **options: Any) -> str:
        with self._lock:
            try:
                kept = self._token  # read once: a 401 in another thread drops it at any moment
                if anew or kept is None or self._need_new_token:
                    kept = self._token = self._get_token(*scopes, **options)
                token = kept.token
                fits = bool(token) and token.isascii() and token.isprintable() and " " not in token
            except CREDENTIAL_FAILURES as error:
                raise SignInError(f"the credential failed: {type(error).__name__}: {error}") from error
        if not fits:
            raise SignInError("the credential gave a token that cannot stand in a header")
        return token

    def on_challenge(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether the challenge could be met; one that makes no sense cannot."""
        try:
            return super().on_challenge(request, response)
        except ValueError:
            return False


class PatientRetryPolicy(HTTPPolicy[Any, Any]):
    """Asks again what may be asked again, within the run's pace.

    A 429 as long as the service says, unless that is longer than `LONGEST_WAIT`; server errors, resets and time-outs
    a few times with growing waits; a 401 once, after asking the credential again. azure-core's own policy would wait a
    day for `Retry-After: 86400`, and asks no POST again.
    """

    def __init__(self, pace: Callable[[], Pace]) -> None:
        """`pace` gives the run's."""
        self._pace = pace

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The answer of the last attempt. Raises what that raised, or DeadlineError."""
        pace, attempt, refused = self._pace(), 0, False
        while True:
            pace.check()
            options = request.context.options
            options["connection_timeout"] = pace.left(CONNECT_SECONDS)
            options["read_timeout"] = pace.left(READ_SECONDS)
            response: PipelineResponse[Any, Any] | None = None
            failure: SdkError | None = None
            try:
                response = self.next.send(request)
            except (ServiceRequestError, ServiceResponseError, DecodeError) as error:
                failure = error
            except ClientAuthenticationError:
                raise
            except HttpResponseError as error:
                if error.response is not None or error.status_code is not None:
                    raise
                failure = error  # a body that ended too soon
            status = response.http_response.status_code if response is not None else 0
            if status == _UNAUTHORISED and not refused:
                refused = True  # the authentication policy has dropped its token
                continue
            wait = _wait(pace, request, response, attempt)
            if wait is None:
                if failure is not None:
                    raise failure
                assert response is not None
                return response
            try:
                pace.wait(wait)
            except DeadlineError as late:
                last = failure if failure is not None else f"an answer with status {status}"
                raise DeadlineError(f"{late}; last came: {str(last)[:200]}") from failure
            attempt += 1


def _wait(
    pace: Pace, request: PipelineRequest[Any], response: PipelineResponse[Any, Any] | None, attempt: int
) -> float | None:
    """Seconds until the next attempt, None where there is to be none."""
    if attempt + 1 >= _ATTEMPTS:
        return None
    if response is None:
        return pace.backoff(attempt) if _may_repeat(request) else None
    status, headers = response.http_response.status_code, response.http_response.headers
    if status != _THROTTLED and not (status in _PASSING and _may_repeat(request)):
        return None
    named = wait_in(headers)
    if named is None and status == _THROTTLED:
        named = seconds_in(headers.get("x-ms-user-quota-resets-after"))
    if named is None:
        return pace.backoff(attempt)
    return pace.after(named) if named <= LONGEST_WAIT else None


def wait_in(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait: as a number, a duration, a date, or in milliseconds."""
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = seconds_in(headers.get(name))
        if milliseconds is not None:
            return milliseconds / 1000
    text = headers.get("Retry-After")
    seconds = seconds_in(text)
    if seconds is not None or not text:
        return seconds
    try:
        until = parsedate_to_datetime(text)
    except (OverflowError, ValueError):
        return None
    if until.tzinfo is None:
        return None
    return max(0.0, (until - dt.datetime.now(dt.UTC)).total_seconds())


def _may_repeat(request: PipelineRequest[Any]) -> bool:
    return may_repeat(request.http_request.method, request.http_request.url)


def may_repeat(method: str, url: str) -> bool:
    """Whether a request does nothing more when it is sent twice."""
    address = url.lower()
    if method.upper() != "POST":
        return method.upper() in _SAFE
    return address.partition("?")[0].endswith(_SAFE_POSTS) or _CANCELLING.search(address) is not None
