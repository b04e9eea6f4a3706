"""A connection whose clock passes only when somebody sleeps, and the HTTP that it meets."""

import heapq
import itertools
import json
import re
import threading

import pytest
import responses
from azure.core.credentials import AccessToken
from clock import Clock, pace_of

from sovereignmesh.azure import connect

ARM = "https://management.azure.com"
IN_2100 = 4102444800


class Credential:
    """Gives a new token each time that it is asked, or raises `error`."""

    def __init__(self, error=None):
        self.error = error
        self.asked = []

    def get_token(self, *scopes, **options):
        self.asked.append((scopes, options))
        if self.error is not None:
            raise self.error
        return AccessToken(f"secret-token-{len(self.asked)}", IN_2100)


class Service:
    """What answers: one answer after the other for an address, the last one for ever."""

    def __init__(self, mock):
        self.mock = mock

    @property
    def requests(self):
        return [call.request for call in self.mock.calls]

    @property
    def urls(self):
        return [request.url for request in self.requests]

    def says(self, path, *answers, method="GET"):
        """`answers`: a body, (status, body), (status, body, headers), an exception, or a callable that makes one.

        `path` is below Azure Resource Manager, without a query, or a whole address.
        """
        base, host, rest = re.fullmatch(
            r"(https://)([^/]+)(.*)", path if path.startswith("https:") else ARM + path
        ).groups()
        url = base + host.lower() + rest  # as requests sends it
        matcher = re.compile(re.escape(url) + r"(\?.*)?$")
        queue = list(answers)

        def answer(request):
            following = queue.pop(0) if len(queue) > 1 else queue[0]
            if callable(following) and not isinstance(following, type):
                following = following(request)
            if isinstance(following, Exception):
                raise following
            status, body, *rest = following if isinstance(following, tuple) else (200, following)
            headers = {"Content-Type": "application/json", **(rest[0] if rest else {})}
            named = {name: value for name, value in headers.items() if value is not None}
            return status, named, body if isinstance(body, (bytes, str)) else json.dumps(body)

        # The headers name the type of the content.
        self.mock.add_callback(method, matcher, callback=answer, content_type=None)

    def graph(self, *answers):
        self.says("/providers/Microsoft.ResourceGraph/resources", *answers, method="POST")

    @property
    def asked_of_graph(self):
        """The bodies of the queries, in their order."""
        return [json.loads(request.body) for request in self.requests if request.method == "POST"]


class Turns:
    """Threads of which one at a time runs, until it sleeps: the same order in every run, and nobody really waits."""

    LONGEST = 100_000

    def __init__(self):
        self.now = 0.0
        self._sleeping = []
        self._number = itertools.count()
        self._lock = threading.Lock()

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert self.now < self.LONGEST, "somebody waits for ever"
        turn = self._queue(self.now + seconds)
        self._next()
        turn.wait()

    def run(self, jobs):
        errors = []

        def body(turn, job):
            turn.wait()
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - raised below
                errors.append(error)
            finally:
                self._next()

        threads = [threading.Thread(target=body, args=(self._queue(self.now), job)) for job in jobs]
        for thread in threads:
            thread.start()
        self._next()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _queue(self, at):
        turn = threading.Event()
        with self._lock:
            heapq.heappush(self._sleeping, (at, next(self._number), turn))
        return turn

    def _next(self):
        with self._lock:
            if self._sleeping:
                at, _, turn = heapq.heappop(self._sleeping)
                self.now = max(self.now, at)
                turn.set()


@pytest.fixture
def clock():
    return Clock(1000.0)


@pytest.fixture(scope="session")
def new_turns():
    return Turns


@pytest.fixture
def new_credential():
    return Credential


@pytest.fixture
def credential():
    return Credential()


@pytest.fixture
def pace(clock):
    return pace_of(clock)


@pytest.fixture
def azure(credential, pace):
    with connect(credential, pace=pace) as connection:
        yield connection


@pytest.fixture
def service():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock)


@pytest.fixture
def recordings(recorded):
    """The recorded exchanges of one file."""

    def read(name):
        with (recorded / "recordings" / "arm" / name).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    return read
