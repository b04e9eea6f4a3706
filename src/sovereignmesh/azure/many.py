"""Many small reads at once: Azure Resource Manager's batch, and one by one where it has none."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.azure.buckets import BucketKey, Buckets
from sovereignmesh.azure.channel import items_in, next_link
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sovereignmesh.azure.connection import Azure

__all__ = ["LARGEST_BATCH", "PROVIDERS_VERSION", "Ask", "Reader", "Told", "never_registered", "why_not"]

# Not in Microsoft's reference; the portal and Azure Quick Review use it so:
# https://github.com/Azure/azqr/blob/main/internal/scanners/diagnostics_settings.go
_BATCH: Final = "/batch"
_BATCH_VERSION: Final = "2020-06-01"
LARGEST_BATCH: Final = 20
_OK: Final = 200
_NO_BATCH: Final = frozenset({403, 404, 405})  # another refusal is about what was asked for
_REMAINING: Final = "x-ms-ratelimit-remaining-subscription-reads"
_NONE: Final = frozenset({404, 409})
_SURE: Final = frozenset({400, 403, 404, 409})
# Said of a provider that the subscription was never registered for, which has nothing there, and of one that it is not
# registered for any more, of which something may be left:
# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider
_NOT_REGISTERED: Final = "MissingSubscriptionRegistration"
PROVIDERS_VERSION: Final = "2021-04-01"  # https://learn.microsoft.com/rest/api/resources/providers/get
_PROVIDER: Final = re.compile(r"(/subscriptions/[^/]+)/(?:.*/)?providers/([^/]+)/", re.IGNORECASE)
_TWICE: Final = "a list that names one child twice"
_WORDS: Final[dict[type[AzureError], str]] = {
    DeadlineError: "the time was up, or the run was stopped",
    SignInError: "not signed in any more",
    AnswerError: "an answer that makes no sense",
    AzureError: "no connection, or none that lasted",
}
_NOT_ASKED: Final = "not asked for by itself, since nothing came any more"
_LOST: Final = frozenset({_WORDS[DeadlineError], _WORDS[SignInError], _WORDS[AzureError]})
_SHORTEST: Final = 0.01  # seconds
_ENOUGH: Final = 3
_HOPELESS: Final = 5
_REFUSED: Final = (RejectedError, DeniedError, NotFoundError)


class Ask(NamedTuple):
    """One GET: of a list with all its pages (`many`), or of one object.

    Of what an answer has below `properties`, the names `properties` are kept; None: all. `bucket` is the quota that it
    draws on besides that of Azure Resource Manager.
    """

    path: str
    api_version: str
    many: bool
    properties: tuple[str, ...] | None = None
    bucket: BucketKey | None = None

    @property
    def arm(self) -> BucketKey:
        """Azure Resource Manager's quota for its subscription."""
        parts = self.path.split("/", 3)
        return BucketKey("arm", parts[2].lower() if len(parts) > 2 else "")  # noqa: PLR2004 - "", subscriptions, ID, ...

    def kept(self, item: dict[str, Any]) -> dict[str, Any]:
        """What is kept of an item: lists can be very long, and little is looked at."""
        inside = item.get("properties")
        if self.properties is None or not isinstance(inside, dict):
            return item
        return {**item, "properties": {name: inside[name] for name in self.properties if name in inside}}


class Told(NamedTuple):
    """The answer to one: its items (of one object: that one), why there are none, and when it came."""

    items: list[dict[str, Any]]
    failed: str
    at: str


def why_not(error: AzureError) -> str:
    """Why, in words that are the same for all that failed alike: they are counted by them."""
    if error.status:
        return f"{error.status} {error.code}".strip()
    return next(words for kind, words in _WORDS.items() if isinstance(error, kind))


def never_registered(provider: dict[str, Any]) -> bool:
    """Whether the body of a provider says that its subscription never was; what is not said counts as no."""
    return str(provider.get("registrationState")).lower() == "notregistered"


class Reader:
    """Reads for one run; any number of threads may use it. What goes wrong with one read is told in its answer.

    Who calls has taken from `buckets` what one request for each read needs; further requests are taken here, but for
    those that are tried again after a failure, which wait for much longer than the quota would have them.
    """

    def __init__(self, azure: Azure, buckets: Buckets, now: Callable[[], dt.datetime]) -> None:
        self._azure, self._buckets, self._now = azure, buckets, now
        self._has_batch = True
        self._lost = 0  # portions in a row of which nothing came
        self._never: dict[tuple[str, str], bool] = {}  # by subscription and provider
        self._lock = threading.Lock()

    def read(self, asks: Sequence[Ask]) -> list[Told]:
        """The answers, in the order of `asks`."""
        found: list[Told] = []
        for start in range(0, len(asks), LARGEST_BATCH):
            some = asks[start : start + LARGEST_BATCH]
            try:
                self._settle(some[0], unsent=len(asks) - start - len(some))
            except DeadlineError as error:
                found += [self._failed(error)] * len(some)
                continue
            batched = self._has_batch and len(some) > 1
            first = self._batch(some) if batched else [None] * len(some)
            if isinstance(first, list):
                found += self._alone(some, first, again=batched)
            elif first.failed in _LOST or self._lost >= _HOPELESS:
                found += [first] * len(some)
            else:
                found += self._alone(some, [None] * len(some), again=True)
        return found

    def _alone(self, asks: Sequence[Ask], told: Sequence[Told | None], *, again: bool) -> list[Told]:
        """The answers, with those that are missing asked for one by one, until it shows that nothing gets through.

        `again`: they have been asked for once. Where nothing came for long, one of each portion finds out whether that
        is over.
        """
        found: list[Told] = []
        gets_through = any(known is not None and not known.failed for known in told)
        lost = ""  # what is told of those that are not asked for any more
        failures = _ENOUGH - 1 if self._lost >= _HOPELESS and not gets_through else 0  # server errors in a row
        for ask, known in zip(asks, told, strict=True):
            if known is not None:
                found.append(known)
            elif failures >= _ENOUGH:
                found.append(Told([], lost, self._when()))
            else:
                one = self._one(ask, again=again)
                found.append(one)
                failures = _ENOUGH if one.failed in _LOST else failures + 1 if one.failed[:1] == "5" else 0
                lost = f"{_NOT_ASKED}: {one.failed}"
        with self._lock:
            self._lost = self._lost + 1 if failures >= _ENOUGH and not gets_through else 0
        return found

    def _failed(self, error: AzureError) -> Told:
        return Told([], why_not(error), self._when())

    def _one(self, ask: Ask, *, again: bool) -> Told:
        try:
            if again:
                self._take(ask)
            answer = self._azure.send("GET", ask.path, ask.api_version)
            self._learn(ask, answer.headers.get(_REMAINING))
            items = self._items(ask, answer.body)
        except AzureError as error:
            none = self._has_nothing(ask, error.status, error.code)
            return Told([], "", self._when()) if none else self._failed(error)
        return Told(items, _TWICE if _repeats(items) else "", self._when())

    def _items(self, ask: Ask, body: Any) -> list[dict[str, Any]]:
        """What an answer and its further pages hold: the items of a list, or one object, which may be a list itself."""
        if not isinstance(body, dict):
            raise AnswerError("what came is no object")
        if not ask.many and not _goes_on(body):
            return [ask.kept(body)]
        values: list[dict[str, Any]] = []
        page, seen = body, set[str]()
        while True:
            values += map(ask.kept, items_in(page, ask.path))
            link = next_link(page, ask.path, seen)
            if not link:
                return values if ask.many else [{**body, "value": values}]
            self._take(ask)
            page = self._azure.send("GET", link, "").body

    def _settle(self, ask: Ask, unsent: int) -> None:
        """Waits where more was taken together than the quota holds. Raises DeadlineError where that is too long."""
        while wait := self._buckets.overdrawn(ask.arm, unsent):
            self._azure.pace.wait(max(wait, _SHORTEST))

    def _take(self, ask: Ask) -> None:
        """Takes what one more request draws on, waiting for it. Raises DeadlineError where the wait is too long."""
        while wait := self._buckets.take(dict.fromkeys(filter(None, (ask.arm, ask.bucket)), 1)):
            self._azure.pace.wait(max(wait, _SHORTEST))

    def _has_nothing(self, ask: Ask, status: int | None, code: str) -> bool:
        """Whether a refusal means that nothing is there: the subscription never was registered for the provider."""
        found = _PROVIDER.match(ask.path)
        if code != _NOT_REGISTERED or status not in _NONE or found is None or _lies_in(ask.path):
            return False
        key = (found[1].lower(), found[2].lower())
        if key not in self._never:
            try:
                self._take(ask._replace(bucket=None))
                body = self._azure.get(f"{found[1]}/providers/{found[2]}", PROVIDERS_VERSION)
            except DeadlineError:
                return False  # the refusal itself says why it is not known
            except AzureError:
                body = None
            self._never[key] = isinstance(body, dict) and never_registered(body)
        return self._never[key]

    def _batch(self, asks: Sequence[Ask]) -> list[Told | None] | Told:
        """The answers of one batch, None for what has to be asked by itself; or why no answer came at all."""
        requests = [
            {"httpMethod": "GET", "name": str(number), "url": f"{ask.path}?api-version={ask.api_version}"}
            for number, ask in enumerate(asks)
        ]
        try:
            body = self._azure.send("POST", _BATCH, _BATCH_VERSION, {"requests": requests}).body
        except _REFUSED as error:
            self._has_batch &= error.status not in _NO_BATCH
            return [None] * len(asks)
        except AzureError as error:
            return self._failed(error)
        responses = body.get("responses") if isinstance(body, dict) else None
        named: dict[str, Any] = {}
        for one in responses if isinstance(responses, list) else ():
            name = one.get("name") if isinstance(one, dict) else None
            if isinstance(name, str):
                named[name] = None if name in named else one  # two answers to one question are none
        return [self._inner(ask, named.get(str(number))) for number, ask in enumerate(asks)]

    def _inner(self, ask: Ask, response: dict[str, Any] | None) -> Told | None:
        """An answer inside a batch; None where it is none, may pass, or has more pages than the first."""
        if response is None:
            return None
        headers = response.get("headers")
        if isinstance(headers, dict):
            self._learn(ask, {str(name).lower(): value for name, value in headers.items()}.get(_REMAINING))
        status, content = response.get("httpStatusCode"), response.get("content")
        if not isinstance(content, dict) or status not in (_OK, *_SURE) or _goes_on(content):
            return None
        if status != _OK:
            error = content.get("error")
            code = str(error.get("code", "")) if isinstance(error, dict) else ""
            none = self._has_nothing(ask, status, code)
            return Told([], "" if none else f"{status} {code}".strip(), self._when())
        if not ask.many:
            return Told([ask.kept(content)], "", self._when())
        values = content.get("value")
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values) or _repeats(values):
            return None
        return Told([ask.kept(value) for value in values], "", self._when())

    def _learn(self, ask: Ask, remaining: Any) -> None:
        self._buckets.learn(ask.arm, str(remaining))

    def _when(self) -> str:
        return self._now().astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _lies_in(path: str) -> bool:
    """Whether it is a child of a resource of the same provider, which is there: so is its provider."""
    lowered = path.lower()
    return "/resourcegroups/" in lowered and lowered.count("/providers/") == 1


def _repeats(items: list[dict[str, Any]]) -> bool:
    """Whether an id comes twice: then it may stand in the place of another."""
    ids = [item["id"].lower() for item in items if isinstance(item.get("id"), str)]
    return len(set(ids)) < len(ids)


def _goes_on(body: dict[str, Any]) -> bool:
    """Whether it is a page after which there are more."""
    return body.get("nextLink") not in (None, "")
