"""The connection: the SDK's pipeline over one session, and what comes out of it as plain JSON."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypedDict
from urllib.parse import urlencode, urlsplit

import orjson
import requests
from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import CustomHookPolicy, HeadersPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.resource.resources import ResourceManagementClient
from requests.adapters import HTTPAdapter

from sovereignmesh import __version__
from sovereignmesh.azure.clouds import find_cloud
from sovereignmesh.azure.pace import LONGEST_WAIT, Pace, Quota
from sovereignmesh.azure.policies import OneHostPolicy, OneTokenPolicy, PatientRetryPolicy
from sovereignmesh.azure.sign_in import HOW_TO_SIGN_IN, default_credential
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
    ThrottledError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.policies import HTTPPolicy, SansIOHTTPPolicy

    from sovereignmesh.azure.clouds import Cloud

__all__ = ["CONNECTIONS", "Answer", "Azure", "ClientOptions", "connect", "error_in", "items_in", "next_link"]

# Without a handler of the program's own, what the SDK warns of would be printed beside the exception that says it.
logging.getLogger("azure").addHandler(logging.NullHandler())

CONNECTIONS: Final = 16  # requests under way at once, at most
_READINGS: Final = 3  # of an answer that is no JSON
_OK: Final = range(200, 300)
_LONGEST_LIST: Final = 10_000  # pages
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = 500
_KINDS: Final[dict[int, type[AzureError]]] = {
    401: SignInError, 403: DeniedError, 404: NotFoundError, 429: ThrottledError,
}  # fmt: skip


class Answer(NamedTuple):
    """What Azure answered: the parsed body (None where there is none), the headers and the status."""

    body: Any
    headers: Mapping[str, str]
    status: int


class ClientOptions(TypedDict):
    """What the SDK's clients of Azure Resource Manager are built with, to send what they send as a connection does."""

    credential: TokenCredential
    base_url: str
    credential_scopes: list[str]
    pipeline: Pipeline[HttpRequest, HttpResponse]


def connect(
    credential: TokenCredential | None = None,
    cloud: str | Path | Cloud = "public",
    tenant: str | None = None,
    *,
    session: requests.Session | None = None,
    pace: Pace | None = None,
) -> Azure:
    """A connection to Azure. Nothing is sent yet.

    `credential` is any azure-identity credential; without one, DefaultAzureCredential signs in: environment, managed
    identity, Azure CLI and the others it knows. `cloud` is public, usgovernment, china, a YAML file or a `Cloud`;
    `tenant` is the id of the tenant to sign in to, where the account knows several. Proxies and certificates are those
    that requests takes from the environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE). `session` is for who has their own: it
    stays open when the connection is closed. What goes wrong later is an `AzureError`; its kinds are in
    `sovereignmesh.errors`: SignInError, DeniedError, ThrottledError and so on.
    """
    where = find_cloud(cloud)
    signed_in = credential or default_credential(where, tenant)
    return Azure(
        where, signed_in, session or _session(where.resource_manager), pace or Pace(), tenant, own=session is None
    )


def _session(address: str) -> requests.Session:
    session = requests.Session()
    # Proxies and certificates of the environment, looked up once and not for each request; and without ~/.netrc, which
    # would put a password of its own in the token's place.
    found = session.merge_environment_settings(address, {}, stream=None, verify=None, cert=None)
    session.trust_env, session.proxies, session.verify = False, dict(found["proxies"]), found["verify"]
    session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=0))
    return session


class Azure:
    """A connection to one cloud; real or not, nothing else knows. Close it, or use it in a `with`.

    One run at a time uses it, with any number of threads: the pace is the run's.
    """

    def __init__(
        self,
        cloud: Cloud,
        credential: TokenCredential,
        session: requests.Session,
        pace: Pace,
        tenant: str | None = None,
        *,
        own: bool = True,
    ) -> None:
        """`own`: closing the connection closes the session too."""
        self.cloud, self.pace, self.tenant, self.credential = cloud, pace, tenant, credential
        self.quota = Quota(lambda: self.pace)
        self._session, self._own = session, own
        self._closed = False
        # No policy that registers providers: an audit only reads.
        policies: list[HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]] = [
            OneHostPolicy(cloud.host),
            RequestIdPolicy(),
            HeadersPolicy({"Accept": "application/json"}),
            UserAgentPolicy(user_agent=f"sovereignmesh/{__version__}"),
            PatientRetryPolicy(lambda: self.pace),
            CustomHookPolicy(),  # below the retries: an answer in which a hook finds a fault is asked for again
            OneTokenPolicy(credential, cloud.scope),
        ]
        transport = RequestsTransport(
            session=self._session, session_owner=False, connection_verify=self._session.verify
        )
        self._pipeline: Pipeline[HttpRequest, HttpResponse] = Pipeline(transport, policies)
        self._client = ResourceManagementClient(
            subscription_id="00000000-0000-0000-0000-000000000000",  # its own operations want one; requests name theirs
            **self.client_options(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets nothing more out, and closes the session unless it was given."""
        self._closed = True
        self.pace.stop()
        if self._own:
            self._session.close()

    def client_options(self) -> ClientOptions:
        """What any other client of the SDK is built with, so that it shares the token, the retries and the one host.

        `SqlManagementClient(subscription_id=..., **azure.client_options())`; ask through `azure.sdk`, which raises our
        errors.
        """
        return ClientOptions(
            credential=self.credential,
            base_url=self.cloud.resource_manager.rstrip("/"),
            credential_scopes=[self.cloud.scope],
            pipeline=self._pipeline,
        )

    def begin(self, deadline: float | None = None) -> None:
        """A new run, `deadline` seconds long; whatever still waits in the last one is not let on by it."""
        self.pace.stop()
        self.pace = self.pace.renewed(deadline)

    def get(self, path: str, api_version: str, **parameters: str) -> Any:
        """The body at a path below Azure Resource Manager, or at a link that it gave."""
        return self.send("GET", path, api_version, **parameters).body

    def items(self, path: str, api_version: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """The items of a list, over all its pages.

        Raises AnswerError for a list without `value`, for a link to another host and for one that comes again.
        """
        body = self.get(path, api_version, **parameters)
        seen: set[str] = set()
        while True:
            yield from items_in(body, path)
            link = next_link(body, path, seen)
            if not link:
                return
            body = self.send("GET", link, "").body

    def send(self, method: str, path: str, api_version: str, body: Any = None, **parameters: str) -> Answer:
        """Sends one request through the pipeline, and parses the answer.

        Raises an `AzureError` whose class says what went wrong; nothing of the request's token is in it.
        """
        self._check_open()
        query = {**({"api-version": api_version} if api_version else {}), **parameters}
        url = f"{path}?{urlencode(query, safe='$')}" if query else path
        url = url.replace("{", "%7B").replace("}", "%7D")  # the SDK would take them for a template's
        for reading in range(_READINGS):
            self.pace.check()
            response = self._once(HttpRequest(method, url, json=body), path)
            try:
                data = response.content
                return Answer(orjson.loads(data) if data else None, response.headers, response.status_code)
            except orjson.JSONDecodeError:
                kind = response.headers.get("Content-Type", "no content type")
                if reading + 1 < _READINGS:
                    self.pace.wait(self.pace.backoff(reading))
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
        except SdkError as error:
            raise self._failure(error, path) from error
        except OSError as error:  # of a session that is not ours
            raise UnreachableError(f"{_place(path)}: {type(error).__name__}: {error}"[:600]) from error

    def _check_open(self) -> None:
        if self._closed:
            raise UnreachableError("the connection was closed")

    def _failure(self, error: SdkError, path: str) -> AzureError:
        """The exception that no answer means."""
        if isinstance(error, ClientAuthenticationError):
            return SignInError(f"not signed in: {HOW_TO_SIGN_IN} ({_first_line(error).rstrip('.')})")
        if self.pace.stopped:  # what the deadline cut off was no fault of the network
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
    kind = _KINDS.get(status, UnreachableError if status >= _SERVER_ERRORS else RejectedError)
    if status in _REDIRECTS:
        kind, message = AnswerError, "a redirect, which is not followed: is there a proxy or a sign-in page between?"
    text = f"{_place(path)}: {status} {code}".rstrip() + (f": {message}" if message else "")
    if kind is SignInError:
        text += f"; {HOW_TO_SIGN_IN}"
    elif kind is ThrottledError and (wait := response.headers.get("Retry-After")):
        text += f"; the service asks to wait {wait[:20]} s, and longer than {LONGEST_WAIT:.0f} s is not waited"
    return kind(text, status=status, code=code, request_id=response.headers.get("x-ms-request-id", ""))


def error_in(body: Any) -> tuple[str, str]:
    """Code and message, with the code and message of the innermost detail, which says what it is really about."""
    error = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    code = str(error.get("code") or error.get("Code") or error.get("ErrorCode") or "")
    message = error.get("message") or error.get("Message") or error.get("title") or ""
    if isinstance(message, dict):
        message = message.get("value") or message.get("Value")
    message = message if isinstance(message, str) else ""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and detail.get("code"):
            message += f" {detail['code']}: {detail.get('message', '')}"
            code = code if code not in ("", "BadRequest") else str(detail["code"])
    return code, " ".join(message.split())[:600]


def items_in(body: Any, path: str) -> list[dict[str, Any]]:
    """The items of a page of a list. Raises AnswerError where it has no `value`: that is not an empty list."""
    values = body.get("value") if isinstance(body, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise AnswerError(f"{path}: a list without `value`, or with items that are none")
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
