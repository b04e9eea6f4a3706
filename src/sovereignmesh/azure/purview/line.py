"""Requests to one endpoint of a Purview account, and the objects that are read and written there one by one."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote

import orjson

from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import AnswerError, ClosedNetworkError, DeniedError, NotFoundError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from azure.core.rest import HttpRequest, HttpResponse

    from sovereignmesh.azure.channel import Answer, Channel, Client
    from sovereignmesh.azure.pace import Pace
    from sovereignmesh.azure.purview.account import PurviewAccount

__all__ = ["DATA_MAP", "OPERATIONS", "Capacity", "Line", "Metered", "Objects", "Removable", "Single", "segment"]

DATA_MAP: Final = "2023-09-01"  # of the Data Map
# What a missing role is told with, inside a closed network too:
# https://learn.microsoft.com/answers/questions/5857327/service-principal-getting-403-not-authorized-to-ac
_NO_ROLE: Final = "Not authorized to access account"
# https://learn.microsoft.com/purview/concept-elastic-data-map: 10 capacity units without asking, of 25 operations each.
OPERATIONS: Final = 250.0  # a second

Kind = TypeVar("Kind", bound="_Writable")


class _Writable(Protocol):
    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""


class Capacity:
    """Lets requests out no faster than an account takes them: `operations` a second, after `burst` at once."""

    def __init__(self, pace: Callable[[], Pace], operations: float = OPERATIONS, burst: int = 0) -> None:
        self._pace, self._interval, self._burst = pace, 1 / operations, burst / operations
        self._lock = threading.Lock()
        self._next = 0.0

    def take(self) -> None:
        """Returns when a request may go out."""
        pace = self._pace()
        with self._lock:
            now = pace.clock()
            self._next = max(self._next, now - self._burst) + self._interval
            wait = self._next - self._interval - now
        if wait > 0:
            pace.wait(wait)


class Metered:
    """A client of the SDK each of whose requests, further pages among them, waits until the account takes it."""

    def __init__(self, client: Client, capacity: Capacity) -> None:
        self._client, self._capacity = client, capacity

    def send_request(self, request: HttpRequest) -> HttpResponse:
        """Sends a request through the client's pipeline."""
        self._capacity.take()
        return self._client.send_request(request)


class Line:
    """Requests to one endpoint of an account."""

    def __init__(self, channel: Channel, endpoint: str, account: PurviewAccount) -> None:
        self._channel, self._endpoint, self._account = channel, endpoint, account
        self._answered = False  # then the network is open, whatever follows

    def send(self, method: str, path: str, version: str, body: Any = None, **parameters: str | Sequence[str]) -> Answer:
        return self.decoded(orjson.loads, method, path, version, body, **parameters)

    def decoded(
        self,
        decode: Callable[[bytes], Any],
        method: str,
        path: str,
        version: str,
        body: Any = None,
        **parameters: str | Sequence[str],
    ) -> Answer:
        with self._told_apart():
            return self._channel.decoded(decode, method, f"{self._endpoint}{path}", version, body, **parameters)

    def items(self, path: str, version: str, key: str = "value", **parameters: str) -> Iterator[Facts]:
        with self._told_apart():
            place = f"{self._endpoint}{path}"
            for item in self._channel.items(place, version, key=key, **parameters):
                self._answered = True
                yield Facts(item, place)

    def object(
        self, method: str, path: str, version: str, body: Any = None, **parameters: str | Sequence[str]
    ) -> Facts:
        return self.told(method, path, version, body, **parameters)[0]

    def told(
        self, method: str, path: str, version: str, body: Any = None, **parameters: str | Sequence[str]
    ) -> tuple[Facts, Mapping[str, str]]:
        """The object of an answer, and its headers."""
        answer = self.send(method, path, version, body, **parameters)
        if not isinstance(answer.body, dict):
            raise AnswerError(f"{self._endpoint}{path}: the answer should be an object, and is {answer.body!r:.100}")
        return Facts(answer.body, f"{self._endpoint}{path}"), answer.headers

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        """A 403 is raised as what it is: a missing role, or a network from which the account does not answer."""
        try:
            yield
            self._answered = True
        except NotFoundError:
            self._answered = True
            raise
        except DeniedError as error:
            name, off = self._account.name, self._account.public_network == "Disabled"
            sure = isinstance(error, ClosedNetworkError)
            closed = sure or (off and not self._answered and _NO_ROLE not in str(error))
            if closed:
                said = f"the account {name} does not answer this network (public network access is off): "
                what = said + "ask from where its private endpoint is"
                what += "" if sure else "; where you do, you lack a role in its collections"
            else:
                what = (
                    f"you lack a role in the account {name}: have one assigned to you in its collections (Data Source "
                    "Administrator for sources and scans, Data Curator for classifications, Collection Administrator "
                    "for collections and roles, Data Reader for assets, Workflow Administrator for workflows)"
                )
            kind = ClosedNetworkError if closed else DeniedError
            raise kind(
                f"{error}; {what}",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
                target=error.target,
            ) from error


class Single(Generic[Kind]):
    """Objects of which each is there once: get, put. Names are those of the object after those of what it lies in.

    Every method raises an `AzureError` as the connection does: NotFoundError for what is not there, DeniedError for a
    missing role, ClosedNetworkError for a network that is kept out, RejectedError for what the service refuses.
    `body` and `write` are the same without types: the API's JSON.
    """

    def __init__(self, line: Line, path: str, version: str, read: Callable[[Facts], Kind]) -> None:
        """`path` has a `{}` for each name."""
        self._line, self._path, self._version, self._read = line, path, version, read

    def get(self, *names: str) -> Kind:
        """The one with that name."""
        return self._read(self.body(*names))

    def put(self, one: Kind, *names: str) -> Kind:
        """Creates it, or replaces the whole of it; what came of it."""
        return self._read(self.write(one.body(), *names))

    def body(self, *names: str) -> Facts:
        """The one with that name as the service words it."""
        return self._line.object("GET", self._at(*names), self._version)

    def write(self, body: dict[str, Any], *names: str) -> Facts:
        """Writes the body; what came of it."""
        return self._line.object("PUT", self._at(*names), self._version, body)

    def _at(self, *names: str) -> str:
        return self._path.format(*map(segment, names))


class Removable(Single[Kind]):
    """Objects that can be removed too."""

    def delete(self, *names: str) -> None:
        """Removes it; what is not there is removed already."""
        with contextlib.suppress(NotFoundError):
            self._line.send("DELETE", self._at(*names), self._version)


class Objects(Removable[Kind]):
    """Objects of one kind that a list tells: its last name is the object's own. `bodies` is `list` without types."""

    def list(self, *parents: str) -> Iterator[Kind]:
        """Every one, over all pages."""
        return map(self._read, self.bodies(*parents))

    def bodies(self, *parents: str) -> Iterator[Facts]:
        """Every one as the service words it, over all pages."""
        path = self._path.rpartition("/")[0].format(*map(segment, parents))
        return self._line.items(path, self._version)


def segment(name: str) -> str:
    """The name as one segment of a path. Raises RejectedError for one that would name what is above it."""
    if name in ("", ".", ".."):
        raise RejectedError(f"nothing in a Purview account can be called {name!r}: nothing was sent")
    return quote(name, safe="")
