"""Sandboxes in time that nobody waits for, and what a run was seen to do."""

import contextlib
import dataclasses

import orjson
import pytest

from sovereignmesh.sandbox import Fault

ACCOUNT = "pview-customer-prod"
ARCHIVE = ("stsalesprodarchive", "monthly")
FAILS = ("stcustomerprodlake", "weekly")
RUN = "0f8fad5b-d9cb-469f-a165-70867728950e"


class Seen:
    """A progress that shows nothing and remembers what it was told."""

    def __init__(self, then=lambda run: None):
        self.runs, self.then, self.watching = [], then, None

    @contextlib.contextmanager
    def __call__(self, watching):
        self.watching = watching
        yield self.tell

    def tell(self, run):
        self.runs.append(run)
        self.then(run)

    @property
    def statuses(self):
        return [run.status for run in self.runs]


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def azure(open_azure):
    return open_azure()


def is_poll(call):
    return call.method == "GET" and "/runs/" in call.path


def at_polls(act, times=None):
    """A fault that hits looks at one run alone: `act` gets the hit and how often it has hit."""
    count = iter(range(1, 1_000_000))

    def hit_polls(hit):
        if not is_poll(hit.call) or (times is not None and (nth := next(count)) > times):
            return hit.reply()
        return act(hit) if times is None else act(hit) if nth <= times else hit.reply()

    return Fault("at-polls", "", hit_polls, "purview", times=None)


def saying(**body):
    """A fault after which every run says so of itself."""

    def change(hit):
        reply = hit.reply()
        if reply.status == 200:
            reply.body = orjson.dumps({**reply.json(), **body})
        return reply

    return at_polls(change)


def at_path(part, reply, method="GET", *, ends=False):
    """A fault that answers so where a path has a part, or ends so."""

    def act(hit):
        fits = hit.call.path.endswith(part) if ends else part in hit.call.path
        if fits and hit.call.method == method:
            return dataclasses.replace(reply, headers=dict(reply.headers))
        return hit.reply()

    return Fault("at-path", "", act, "purview", times=None)
