"""The whole of the sandbox's Azure: who may come in, and which service answers."""

from __future__ import annotations

import threading
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING

import requests

from sovereignmesh.sandbox.access import Access
from sovereignmesh.sandbox.arm import Arm
from sovereignmesh.sandbox.batch import answer_batch
from sovereignmesh.sandbox.graph import LARGEST_ANSWER, Graph
from sovereignmesh.sandbox.groups import ManagementGroups
from sovereignmesh.sandbox.purview.service import Purview
from sovereignmesh.sandbox.refusals import unauthorised
from sovereignmesh.sandbox.store import Store
from sovereignmesh.sandbox.wire import BATCH, GRAPH, GROUPS, HOST, Call, Refusal, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sovereignmesh.sandbox.estate import Estate

__all__ = ["Service"]


class Service:
    """Answers calls to Azure Resource Manager and to Purview. One call at a time: callers may be many threads."""

    def __init__(
        self,
        estate: Estate,
        *,
        state: Path | None = None,
        page_size: int = 1000,
        clock: Callable[[], float] = time.monotonic,
        largest: int = LARGEST_ANSWER,
    ) -> None:
        self.estate = estate
        self.store = Store(estate, state)
        access = Access(estate)
        self._arm = Arm(estate, self.store, access, page_size)
        self._groups = ManagementGroups(estate, self.store, access, page_size)
        self._graph = Graph(estate, self.store, access, self._groups, page_size=page_size, clock=clock, largest=largest)
        self._open_purview = partial(Purview, estate, self.store, page_size, clock)
        # What an estate has in Purview takes as long as all else, and most commands never ask; but what a state keeps
        # of it must be there before the state is written again.
        self._purview_or_not = self._open_purview() if state is not None else None
        self._lock = threading.RLock()
        self._closed = False

    @property
    def _purview(self) -> Purview:
        with self._lock:
            if self._purview_or_not is None:
                self._purview_or_not = self._open_purview()
            return self._purview_or_not

    def close(self) -> None:
        """Answers nothing more; DuckDB must not be in the middle of something when the process ends."""
        with self._lock:
            self._closed = True

    def serves(self, host: str) -> bool:
        """Whether there is something at a host."""
        return host == HOST or self._purview.has(host)

    def handle(self, call: Call) -> Reply:
        """The answer to a call."""
        try:
            self._check_token(call)
            with self._lock:
                if self._closed:
                    raise requests.ConnectionError("the sandbox was closed")
                reply = self._route(call)
        except Refusal as refusal:
            reply = refusal.reply
        identity = str(uuid.uuid4())
        reply.headers |= {
            "x-ms-request-id": identity,
            "x-ms-correlation-request-id": identity,
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
        }
        return reply

    def _check_token(self, call: Call) -> None:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if not scheme:
            raise unauthorised(self.estate, "AuthenticationFailed", "The 'Authorization' header is missing.")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorised(
                self.estate,
                "AuthenticationFailedInvalidHeader",
                "The 'Authorization' header is provided in an invalid format.",
            )

    def _route(self, call: Call) -> Reply:
        if call.host != HOST:
            return self._purview.answer(call)
        _check_version(call)
        path = call.path.lower()
        if path == BATCH:
            return answer_batch(call, self._part)
        if path == GRAPH:
            return self._graph.answer(call)
        if path == GROUPS or path.startswith(f"{GROUPS}/"):
            return self._groups.answer(call)
        return self._arm.answer(call)

    def _part(self, call: Call) -> Reply:
        self._check_token(call)
        return self._route(call)


def _check_version(call: Call) -> None:
    if not call.query.get("api-version"):
        raise Refusal(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
