"""Operations of the SDK's clients over our connection: what they read comes out as the JSON that Azure sent.

The SDK knows the paths, the versions and the pages. Its models are not used: they turn the text "false" into True, and
a list without `value` into an empty one.
"""

from __future__ import annotations

import collections
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from azure.core.exceptions import DecodeError
from azure.core.pipeline.policies import ContentDecodePolicy

from sovereignmesh.azure.channel import items_in, next_link
from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from azure.core.pipeline import PipelineResponse

    from sovereignmesh.azure.connection import Azure

__all__ = ["Facts", "get_one", "list_all", "write"]

_WRITTEN: Final = (200, 201)  # 202 may come without a body


@dataclass(frozen=True, slots=True)
class Facts:
    """A JSON object, read strictly: what is absent or null is "" or None, what is of another kind an AnswerError.

    >>> facts = Facts({"sku": {"name": "Basic"}, "zoneRedundant": False}, "here")
    >>> facts.within("sku").text("name"), facts.flag("zoneRedundant"), facts.text("kind")
    ('Basic', False, '')
    """

    body: dict[str, Any]
    place: str

    def _given(self, name: str, kind: type) -> Any:
        value = self.body.get(name)
        if value is not None and type(value) is not kind:
            raise AnswerError(f"{self.place}: `{name}` should be of type {kind.__name__}, and is {value!r:.100}")
        return value

    def text(self, name: str) -> str:
        """The text, "" where there is none."""
        return self._given(name, str) or ""

    def flag(self, name: str) -> bool | None:
        """The truth value, None where there is none."""
        value: bool | None = self._given(name, bool)
        return value

    def number(self, name: str) -> int | None:
        """The whole number, None where there is none."""
        value: int | None = self._given(name, int)
        return value

    def time(self, name: str) -> dt.datetime | None:
        """The moment, None where there is none; without a zone it is UTC, as the services answer."""
        text = self.text(name)
        if not text:
            return None
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise AnswerError(f"{self.place}: `{name}` should be a moment, and is {text!r:.100}") from error
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC)

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a list, empty where there is none."""
        values = self._given(name, list) or ()
        if values and set(map(type, values)) != {str}:
            raise AnswerError(f"{self.place}: `{name}` should be a list of texts")
        return tuple(values)

    def each(self, name: str) -> Iterator[Facts]:
        """The objects of a list, none where there is none."""
        for value in self._given(name, list) or ():
            if not isinstance(value, dict):
                raise AnswerError(f"{self.place}: `{name}` should be a list of objects")
            yield Facts(value, self.place)

    def within(self, name: str) -> Facts:
        """An object inside. Raises AnswerError where it is missing."""
        value = self._given(name, dict)
        if value is None:
            raise AnswerError(f"{self.place}: an answer without `{name}`")
        return Facts(value, self.place)


class _Answers:
    """Sees each answer before the SDK does, and keeps what it says."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.last: dict[str, Any] | None = None

    def __call__(self, answer: PipelineResponse[Any, Any]) -> None:
        response = answer.http_response
        if response.status_code not in range(200, 300):
            return
        try:
            body = orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise DecodeError("no JSON", response=response) from error  # asked again, like a broken connection
        answer.context[ContentDecodePolicy.CONTEXT_NAME] = body  # older clients want it decoded by a policy
        self.take(body)

    def take(self, body: Any) -> None:
        """Raises AnswerError where the body is none."""
        if not isinstance(body, dict):
            raise AnswerError(f"{self.place}: the answer should be an object, and is {body!r:.100}")
        self.last = body


class _Pages(_Answers):
    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.items: collections.deque[dict[str, Any]] = collections.deque()
        self._seen: set[str] = set()

    def take(self, body: Any) -> None:
        self.items.extend(items_in(body, self.place))
        link = next_link(body, self.place, self._seen)
        if {"{", "}"} & set(link):  # the SDK would take them for a template's
            raise AnswerError(f"an answer links to {link[:100]!r}, which is no address")


def get_one(azure: Azure, place: str, operation: Callable[..., object], *arguments: object, **options: Any) -> Facts:
    """What a reading operation of an SDK client answers; `place` is what errors name.

    Raises an `AzureError`, as `Azure.get` does.
    """
    answers = _Answers(place)
    with azure.translated(place):
        operation(*arguments, raw_response_hook=answers, **options)
    if answers.last is None:
        raise AnswerError(f"{place}: the answer is empty")
    return Facts(answers.last, place)


def list_all(
    azure: Azure, place: str, operation: Callable[..., Iterable[object]], *arguments: str, **options: Any
) -> Iterator[Facts]:
    """The items that a listing operation of an SDK client finds, over all pages; `place` is what errors name.

    Raises an `AzureError`, as `Azure.items` does.
    """
    pages = _Pages(place)
    with azure.translated(place):
        for _ in operation(*arguments, raw_response_hook=pages, **options):
            yield Facts(pages.items.popleft(), place)


def write(azure: Azure, place: str, operation: Callable[..., object], *arguments: object) -> None:
    """Lets a long-running operation of an SDK client (`begin_...`) begin, and does not wait for its end.

    The body among the `arguments` is bytes, so that what is written is what is sent. Whoever calls looks at the
    resource until it is as it should be, in the pace of the run: the SDK's own polling would sleep outside of it.
    Raises an `AzureError`, as `Azure.send` does; an answer that is no JSON says nothing of what was written.
    """
    with azure.translated(place):
        operation(*arguments, polling=False, raw_response_hook=_check_written)


def _check_written(answer: PipelineResponse[Any, Any]) -> None:
    """Raises DecodeError where a page, a proxy's or a sign-in's, stands where the resource should."""
    response = answer.http_response
    if response.status_code not in _WRITTEN:
        return
    try:
        orjson.loads(response.read())
    except orjson.JSONDecodeError as error:
        raise DecodeError("no JSON", response=response) from error
