"""What our requests pass through besides the SDK's own policies: one host only, and patience with a limit."""

from __future__ import annotations

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

from sovereignmesh.azure.pace import LONGEST_WAIT, seconds_in
from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

    from sovereignmesh.azure.pace import Pace

__all__ = ["CONNECT_SECONDS", "READ_SECONDS", "OneHostPolicy", "PatientRetryPolicy"]

CONNECT_SECONDS, READ_SECONDS = 20.0, 90.0  # that one attempt may take, at most
_SAFE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_SAFE_POST: Final = "/providers/microsoft.resourcegraph/resources"  # a query: asking twice changes nothing
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
        url = urlsplit(request.http_request.url)
        if url.scheme != "https" or url.netloc.lower().removesuffix(":443") != self._host:
            raise AnswerError(
                f"an answer links to {url.scheme}://{url.netloc}, not to {self._host}: it was not followed"
            )


class PatientRetryPolicy(HTTPPolicy[Any, Any]):
    """Asks again what may be asked again, within the run's pace.

    A 429 as long as the service says, unless that is longer than `LONGEST_WAIT`; server errors, resets and time-outs
    a few times with growing waits; a 401 once, with a new token. azure-core's own policy would wait a day for
    `Retry-After: 86400`, and asks no POST again.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The answer of the last attempt. Raises what that raised, or DeadlineError."""
        attempt, refused = 0, False
        while True:
            self._pace.check()
            options = request.context.options
            options["connection_timeout"] = self._pace.left(CONNECT_SECONDS)
            options["read_timeout"] = self._pace.left(READ_SECONDS)
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
            wait = self._wait(request, response, attempt)
            if wait is None:
                if failure is not None:
                    raise failure
                assert response is not None
                return response
            self._pace.wait(wait)
            attempt += 1

    def _wait(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any] | None, attempt: int
    ) -> float | None:
        """Seconds until the next attempt, None where there is to be none."""
        if attempt + 1 >= _ATTEMPTS:
            return None
        if response is None:
            return self._pace.backoff(attempt) if _may_repeat(request) else None
        status, headers = response.http_response.status_code, response.http_response.headers
        if status != _THROTTLED and not (status in _PASSING and _may_repeat(request)):
            return None
        named = seconds_in(headers.get("Retry-After"))
        if named is None and status == _THROTTLED:
            named = seconds_in(headers.get("x-ms-user-quota-resets-after"))
        if named is None:
            return self._pace.backoff(attempt)
        return self._pace.after(named) if named <= LONGEST_WAIT else None


def _may_repeat(request: PipelineRequest[Any]) -> bool:
    method = request.http_request.method.upper()
    return method in _SAFE or (method == "POST" and _SAFE_POST in request.http_request.url.lower())
