"""The inventory of live subscriptions, and the proof of how much of it was read."""

from __future__ import annotations

import heapq
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sovereignmesh.azure import queries
from sovereignmesh.azure.asked import UNSEEN
from sovereignmesh.azure.directory import list_permissions, reads_everything
from sovereignmesh.azure.graph import LARGEST_PAGE, LARGEST_SCOPE, query_pages, query_rows
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.errors import AnswerError, AzureError, DeadlineError, DeniedError, RejectedError
from sovereignmesh.result import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sovereignmesh.azure.asked import Asked
    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.directory import Subscription
    from sovereignmesh.azure.parallel import Crew

__all__ = ["AzureInventory", "Forecast"]

Item = TypeVar("Item")

_QUERIES_AT_ONCE: Final = 4
_PROOFS_AT_ONCE: Final = 8
_WORTH_A_READER: Final = 5 * LARGEST_PAGE  # rows: fewer in one more query would cost more pages than they save time
_QUOTA, _WINDOW = 15, 5  # queries, seconds
_SHOWN: Final = 5
_TABLES: Final = ("resourcecontainers", "resources")
_TOO_LATE: Final = "the time given with the deadline was up"
_INTERRUPTED: Final = "the run was interrupted before it was read"
_NOT_ASKED: Final = "what you may read there was not found out before the run ended"
_NOT_PROVEN: Final = "only what you may read was seen: no role of yours at the subscription grants */read (Reader does)"


class Forecast(NamedTuple):
    """What the reading will cost. `seconds` is what Resource Graph's quota makes it last at least."""

    rows: int
    queries: int
    other_calls: int
    seconds: int


@dataclass(slots=True)
class _Share:
    """What is known of one subscription: what the service counts, what came, and what went wrong."""

    subscription: Subscription
    counts: dict[str, int] = field(default_factory=dict)  # by table
    seen: array[int] = field(default_factory=lambda: array("q"))  # hashes of ids: a string each would take memory
    pending: int | None = None  # tables still to be read; None: not yet begun
    error: AzureError | None = None
    proven: bool = False
    doubt: str = _NOT_ASKED

    @property
    def read(self) -> int:
        return len(set(self.seen))

    @property
    def counted(self) -> int:
        return sum(self.counts.values())

    @property
    def shows_something(self) -> bool:
        """Whether there is more to see than the row of the subscription itself, which is no more than its name."""
        return self.counted > 1 or self.counts.get("resources", 0) > 0

    @property
    def disagrees(self) -> bool:
        """Whether everything came, and it is not as much as the service counts."""
        return self.error is None and self.pending == 0 and self.read != self.counted

    def end(self, why: str) -> None:
        """The reading is over; what has not come by now has not been read, for this reason."""
        if self.error is None and self.pending != 0:
            self.error = DeadlineError(why)

    def begin_again(self) -> None:
        self.counts, self.seen, self.pending = {}, array("q"), None

    def scope(self) -> Scope:
        read = self.read
        state, expected, reason = self._verdict(read)
        return Scope("subscription", self.subscription.id, self.subscription.name, state, read, expected, reason)

    def _verdict(self, read: int) -> tuple[str, int | None, str]:
        if self.error is not None:
            denied = isinstance(self.error, DeniedError)
            state = "partial" if read else "denied" if denied else "failed"
            return state, self.counted if self.proven and self.counts else None, str(self.error)
        if not self.proven:
            return ("partial" if self.shows_something else "denied"), None, self.doubt
        if not self.counts.get("resourcecontainers"):
            return "partial", None, "Resource Graph does not know the subscription, or not yet"
        if read != self.counted:
            why = f"Resource Graph counts {self.counted} rows and gave {read} different ones, asked twice"
            return "partial", self.counted, why
        return "read", self.counted, ""


class AzureInventory:
    """The resources, groups and subscriptions that were asked for; iterate over it for its rows, once.

    `scopes()`, after the iteration or what there was of it, says for each subscription whether it was read: only where
    as many different rows came as Resource Graph counts and the caller's permissions at the subscription grant
    reading everything. `properties` says by type which properties are wanted (see `queries.list_resources`).
    `position` and `size` are rows, for a progress bar; `on_forecast` is told what the reading will cost before it
    begins. Raises DeniedError where nothing at all can be read.
    """

    name = "Azure"

    def __init__(
        self,
        azure: Azure,
        asked: Asked,
        properties: Mapping[str, tuple[str, ...]] | None = None,
        on_forecast: Callable[[Forecast], None] | None = None,
    ) -> None:
        self.asked = asked
        self.position = self.size = 0
        self._azure, self._properties, self._on_forecast = azure, properties, on_forecast
        self._shares = {subscription.id: _Share(subscription) for subscription in asked.visible}
        self._types: set[str] = set()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        shares = list(self._shares.values())
        finished = False
        proofs = self._in_parallel([partial(self._prove, share) for share in shares], _PROOFS_AT_ONCE, waiting=0)
        try:
            yield from self._read(shares, proofs)
            _exhaust(proofs)
            if doubtful := [share for share in shares if share.disagrees]:
                for share in doubtful:  # rows come and go while they are read: once more tells
                    share.begin_again()
                yield from self._read(doubtful, proofs)
            finished = True
        finally:
            proofs.close()
            if not finished:
                self._azure.pace.stop()  # who waits for the quota need not wait on
            for share in shares:
                share.end(_INTERRUPTED if not finished else _TOO_LATE)

    def _in_parallel(
        self, producers: Iterable[Callable[[], Iterable[Item]]], workers: int, *, waiting: int
    ) -> Crew[Item]:
        return in_parallel(producers, workers, waiting=waiting, stopped=lambda: self._azure.pace.stopped)

    def scopes(self) -> tuple[Scope, ...]:
        """Each subscription with its state: read, partial, denied or failed, and why."""
        unseen = (
            Scope("subscription", subscription.id, subscription.name, "denied", 0, None, UNSEEN)
            for subscription in self.asked.unseen
        )
        unlisted = (
            Scope("management-group", group, group, "partial", 0, None, f"only what can be seen anyway was read: {why}")
            for group, why in self.asked.unlisted.items()
        )
        read = (share.scope() for share in self._shares.values())
        return tuple(sorted((*read, *unseen, *unlisted), key=lambda scope: scope.name))

    def _read(self, shares: list[_Share], proofs: Crew[None]) -> Iterator[dict[str, Any]]:
        """The rows of these subscriptions; `proofs`, exhausted, has found out what may be read there."""
        _exhaust(self._in_parallel(list(self._counts(shares)), _QUERIES_AT_ONCE, waiting=0))
        ready = [share for share in shares if share.error is None and len(share.counts) == len(_TABLES)]
        if not any(share.shows_something for share in ready):
            _exhaust(proofs)
            self._refuse_nothing()
        for share in ready:
            share.pending = len([count for count in share.counts.values() if count])
        trimmed, whole = queries.list_resources(self._types, self._properties), queries.list_resources()
        wanted = dict(zip(_TABLES, ((queries.CONTAINERS,), (trimmed, whole)), strict=True))
        groups = {table: _groups(ready, table) for table in _TABLES}
        self._tell_forecast(groups)
        with ExitStack() as closing:
            pages = []
            for table, some in groups.items():
                producers = [partial(self._pages, group, wanted[table]) for group in some]
                pages.append(self._in_parallel(producers, _QUERIES_AT_ONCE, waiting=1))
                closing.callback(pages[-1].close)
            for some_pages in pages:  # the containers first: what is in them need not wait for them
                yield from self._rows(some_pages)

    def _counts(self, shares: list[_Share]) -> Iterator[Callable[[], Iterator[None]]]:
        for start in range(0, len(shares), LARGEST_SCOPE):
            some = shares[start : start + LARGEST_SCOPE]
            for table, query in zip(_TABLES, (queries.COUNT_CONTAINERS, queries.COUNT_RESOURCES), strict=True):
                yield partial(self._count, some, table, query)

    def _count(self, shares: list[_Share], table: str, query: str) -> Iterator[None]:
        known = {share.subscription.id: share for share in shares}
        try:
            counted: dict[str, int] = {}
            for row in query_rows(self._azure, query, list(known)):
                rows, subscription, types = row.get("rows"), row.get("subscriptionId"), row.get("types")
                if type(rows) is not int or not isinstance(subscription, str):
                    raise AnswerError("Resource Graph's count is none")
                counted[subscription.lower()] = rows
                self._types.update(name for name in types or () if isinstance(name, str))
            for identity, share in known.items():
                share.counts[table] = counted.get(identity, 0)
        except AzureError as error:
            _fail(shares, error)
        yield None

    def _prove(self, share: _Share) -> Iterator[None]:
        try:
            share.proven = reads_everything(list_permissions(self._azure, f"/subscriptions/{share.subscription.id}"))
            share.doubt = _NOT_PROVEN
        except DeniedError:
            share.doubt = _NOT_PROVEN  # who may read everything may read this too
        except AzureError as error:
            share.doubt = f"what you may read there could not be found out: {error}"
        yield None

    def _refuse_nothing(self) -> None:
        """Raises where nothing can be read: the first failure, one that was not about roles before others."""
        shares = list(self._shares.values())
        errors = [share.error for share in shares if share.error is not None]
        if len(errors) == len(shares):
            raise min(errors, key=lambda error: isinstance(error, DeniedError))
        if not any(share.proven for share in shares):
            names = ", ".join(share.subscription.name for share in shares[:_SHOWN])
            raise DeniedError(f"nothing can be read in {names}: ask for the role Reader there")

    def _tell_forecast(self, groups: Mapping[str, list[list[_Share]]]) -> None:
        sizes = [sum(share.counts[table] for share in group) for table, some in groups.items() for group in some]
        pages = sum(-(-rows // LARGEST_PAGE) for rows in sizes)
        self.size += sum(sizes)
        if self._on_forecast:
            self._on_forecast(Forecast(sum(sizes), pages, len(self._shares), pages // _QUOTA * _WINDOW))

    def _pages(self, group: list[_Share], wanted: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """The pages of a group. The first of the queries that the service takes counts: a long one may be refused."""
        subscriptions = [share.subscription.id for share in group]
        *_, last = wanted
        for query in wanted:
            begun = False
            try:
                for page in query_pages(self._azure, query, subscriptions):
                    begun = True
                    yield page.rows
            except RejectedError as error:
                if begun or query == last:
                    _fail(group, error)
                    return
            except AzureError as error:
                _fail(group, error)
                return
            else:
                for share in group:
                    if share.pending:
                        share.pending -= 1
                return

    def _rows(self, pages: Crew[list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
        for rows in pages:
            for row in rows:
                identity = row.get("id")
                if type(identity) is str:
                    lowered = identity.rstrip("/").lower()
                    share = self._shares.get(lowered.split("/", 3)[2] if lowered.startswith("/subscriptions/") else "")
                    if share is not None:
                        share.seen.append(hash(lowered))
                yield row
            self.position += len(rows)


def _exhaust(crew: Crew[None]) -> None:
    for _ in crew:
        pass


def _fail(shares: list[_Share], error: AzureError) -> None:
    for share in shares:
        share.error = share.error or error


def _groups(shares: list[_Share], table: str) -> list[list[_Share]]:
    """The shares that have rows in the table, in groups of about the same size, as few as keep the readers busy."""
    filled = sorted((share for share in shares if share.counts.get(table)), key=lambda share: -share.counts[table])
    rows = sum(share.counts[table] for share in filled)
    count = max(min(_QUERIES_AT_ONCE, rows // _WORTH_A_READER), -(-len(filled) // LARGEST_SCOPE), 1)
    heap: list[tuple[int, int, list[_Share]]] = [(0, number, []) for number in range(count)]
    full: list[list[_Share]] = []
    for share in filled:
        size, number, group = heapq.heappop(heap)
        group.append(share)
        if len(group) == LARGEST_SCOPE:
            full.append(group)
        else:
            heapq.heappush(heap, (size + share.counts[table], number, group))
    return [group for group in (*full, *(group for _, _, group in sorted(heap))) if group]
