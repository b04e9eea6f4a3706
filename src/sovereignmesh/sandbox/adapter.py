"""The seam: a `requests` adapter behind the SDK's pipeline, so that everything above it is real."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from sovereignmesh.sandbox.wire import HOST, PURVIEW, UNIFIED, Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SandboxAdapter"]

_WORTH_PACKING: Final = 4096  # bytes


class SandboxAdapter(BaseAdapter):
    """Sends to a service of the sandbox what is for the hosts that it serves, and nothing anywhere else."""

    def __init__(
        self,
        handle: Callable[[Call], Reply],
        patience: Patience | None = None,
        close: Callable[[], None] | None = None,
        serves: Callable[[str], bool] = HOST.__eq__,
    ) -> None:
        """`patience` is told how long the caller waits for an answer; `close` ends the service.

        `serves` says whether there is something at a host: at Azure Resource Manager's, where it is not given.
        """
        super().__init__()
        self._handle, self._patience, self._close, self._serves = handle, patience, close, serves

    def send(  # noqa: PLR0917 - the signature is requests'
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Any = None,  # noqa: ARG002
    ) -> requests.Response:
        """The service's answer. Raises requests' ConnectionError for any other host."""
        assert request.url is not None, "a prepared request has a URL"
        parts = urlsplit(request.url)
        if parts.scheme != "https" or not self._serves(parts.netloc.lower().removesuffix(":443")):
            raise requests.ConnectionError(
                f"the sandbox has no {parts.scheme}://{parts.netloc}: it serves https://{HOST}, "
                f"https://{UNIFIED}, and https://ACCOUNT{PURVIEW} for the accounts of its estate",
                request=request,
            )
        began = time.perf_counter()
        body = request.body or b""
        assert isinstance(body, bytes | str), "the sandbox reads no streams"
        call = Call.of(
            request.method or "GET",
            request.url,
            dict(request.headers),
            body.encode() if isinstance(body, str) else body,
        )
        if self._patience is not None:
            self._patience.seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        response = _response(request, self._handle(call), call)
        response.elapsed = dt.timedelta(seconds=time.perf_counter() - began)
        if not stream:
            _ = response.content  # and whatever goes wrong while reading it
        return response

    def close(self) -> None:
        """Ends the service; what it still answers is waited for."""
        if self._close is not None:
            self._close()


class Patience(threading.local):
    """How long the caller in this thread waits for an answer."""

    seconds: float | None = None

    def __init__(self, sleep: Callable[[float], object]) -> None:
        self._sleep = sleep

    def sleep(self, seconds: float) -> None:
        """Lets time pass before an answer. Raises requests' ReadTimeout where the caller does not wait so long."""
        if self.seconds is not None and seconds > self.seconds:
            self._sleep(self.seconds)
            raise requests.ReadTimeout("Read timed out.")
        self._sleep(seconds)


class _Broken(io.BytesIO):
    """A body whose reading ends in an error."""

    def __init__(self, data: bytes, error: Exception) -> None:
        super().__init__(data)
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data or size is None or size < 0:
            raise self._error
        return data


def _response(request: requests.PreparedRequest, reply: Reply, call: Call) -> requests.Response:
    body, headers = reply.body, dict(reply.headers)
    if reply.broken is None:
        if len(body) > _WORTH_PACKING and "gzip" in call.headers.get("accept-encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        headers.setdefault("Content-Length", str(len(body)))
    headers["Date"] = dt.datetime.now(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    stream = io.BytesIO(body) if reply.broken is None else _Broken(body, reply.broken)
    reason = HTTPStatus(reply.status).phrase
    response = requests.Response()
    response.raw = HTTPResponse(
        body=stream, headers=headers, status=reply.status, reason=reason, preload_content=False, decode_content=False,
        request_method=call.method,
    )  # fmt: skip
    response.status_code = reply.status
    response.reason = reason
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    return response
