"""Watches what goes over `requests` to Purview, and judges it."""

import re
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import parse_qsl, urljoin, urlsplit

import orjson
import requests

from openapi.hosts import is_purview

_LINKS = ("Location", "Operation-Location", "Azure-AsyncOperation")
_SANDBOX = "sovereignmesh.sandbox"


class Exchanges:
    """What was seen since the last `clear`.

    `operations` are the ids of the operations that were called, each FOLDER/OPERATION. `violations` are what does not
    fit, each with its request; `soft` the words in requests that are outside of an open enum.
    """

    def __init__(self, folder):
        """`folder` has the specifications; they are read when Purview is first spoken to."""
        self._folder = folder
        self.clear()

    def clear(self):
        """Forgets all of it."""
        self.operations = set()
        self.violations = []
        self.soft = []
        self._links = {}

    @cached_property
    def specs(self):
        """The specifications."""
        from openapi.specs import load_specs  # with jsonschema, which most runs never need

        return load_specs(self._folder)

    def sent(self, method, url, body):
        """Judges a request; gives back its operation's id, or None."""
        parts = urlsplit(url)
        also = self._links.get(parts.path) if method == "GET" else None
        soft = []
        operation, wrong = self.specs.check_request(method, url, body, also=also or (), soft=soft)
        if operation is not None:
            self.operations.add(operation)
        elif also is not None:
            wrong = []  # the service itself said to ask there
        self.violations += [f"{method} {url}: {it}" for it in wrong]
        self.soft += soft
        return operation

    def answered(self, operation, url, response, *, ours):
        """Judges an answer, if it is `ours`: the sandbox's, and not broken on purpose."""
        for name in _LINKS:
            self._follow(urljoin(url, response.headers.get(name, "")))
        if "json" not in response.headers.get("Content-Type", "json"):
            return
        try:
            value = orjson.loads(response.content or b"null")
        except ValueError:
            return
        if isinstance(value, dict) and isinstance(value.get("nextLink"), str):
            self._follow(urljoin(url, value["nextLink"]))
        if ours and operation is not None:
            wrong = self.specs.check_response(operation, response.status_code, response.content)
            asked = f"{response.status_code} for {response.request.method} {url}"
            self.violations += [f"{asked}: {it}" for it in wrong]

    def _follow(self, link):
        parts = urlsplit(link)
        names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        self._links.setdefault(parts.path, set()).update(names)

    def unforgiven(self, patterns):
        """The violations that none of the regular expressions finds, and a word for each of those that finds none."""
        left = [it for it in self.violations if not any(re.search(pattern, it) for pattern in patterns)]
        idle = [pattern for pattern in patterns if not any(re.search(pattern, it) for it in self.violations)]
        return left + [f"nothing was seen that is off the specification as in {pattern!r}" for pattern in idle]

    @contextmanager
    def watching(self):
        """Watches all sessions of `requests`, whatever adapter is behind them."""
        original = requests.Session.send

        def send(session, request, **options):
            if not is_purview(request.url):
                return original(session, request, **options)
            body = request.body.encode() if isinstance(request.body, str) else request.body
            operation = self.sent(request.method, request.url, body)
            response = original(session, request, **options)
            adapter = type(session.get_adapter(request.url))
            self.answered(operation, request.url, response, ours=adapter.__module__.startswith(_SANDBOX))
            return response

        requests.Session.send = send
        try:
            yield self
        finally:
            requests.Session.send = original
