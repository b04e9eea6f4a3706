"""The inventory of live subscriptions, and the proof of how much of it was read."""

from __future__ import annotations

import heapq
import re
import threading
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sovereignmesh.azure import queries
from sovereignmesh.azure.asked import UNSEEN
from sovereignmesh.azure.directory import list_permissions, reads_everything
from sovereignmesh.azure.graph import LARGEST_PAGE, LARGEST_SCOPE, query_pages, query_rows
from sovereignmesh.azure.pace import QUERIES, WINDOW
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.azure.share import TABLES, Share
from sovereignmesh.errors import AnswerError, AzureError, DeniedError, RejectedError
from sovereignmesh.result import Scope, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sovereignmesh.azure.asked import Asked
    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.parallel import Crew

__all__ = ["AzureInventory", "Forecast"]

Item = TypeVar("Item")
Rows = list[dict[str, Any]]

_QUERIES_AT_ONCE: Final = 4
_PROOFS_AT_ONCE: Final = 8
_WORTH_A_READER: Final = 5 * LARGEST_PAGE  # rows: fewer in one more query would cost more pages than they save time
_SHOWN: Final = 5
_SLASHES: Final = re.compile("//+")
_TOO_LATE: Final = "the time given with the deadline was up before it was read"
_INTERRUPTED: Final = "the run was interrupted before it was read"
_NOT_PROVEN: Final = "only what you may read was seen: no role of yours at the subscription grants */read (Reader does)"
_NOT_AGAIN: Final = "it could not be counted again after the reading: {0}"
_ASKED_TWICE: Final = "it gave {0} of {1} rows, and reading it again failed: {2}"


class Forecast(NamedTuple):
    """What the reading will cost. `seconds` is what Resource Graph's quota makes it last at least."""

    rows: int
    queries: int
    other_calls: int
    seconds: int


class AzureInventory:
    """The resources, groups and subscriptions that were asked for; iterate over it for its rows, once.

    `scopes()`, after the iteration or what there was of it, says for each subscription whether it was read: only where
    as many different rows came as Resource Graph counts and the caller's permissions at the subscription grant
    reading everything. `properties` says by type which properties are wanted (see `queries.list_resources`).
    `position` and `size` are rows, for a progress bar; `on_forecast` is told what the reading will cost before it
    begins. Where nothing at all can be read, the iteration raises the AzureError that says why.
    """

    def __init__(
        self,
        azure: Azure,
        asked: Asked,
        properties: Mapping[str, tuple[str, ...]] | None = None,
        on_forecast: Callable[[Forecast], None] | None = None,
    ) -> None:
        self.asked = asked
        self.position = self.size = 0
        self._azure, self._pace = azure, azure.pace
        self._properties, self._on_forecast = properties, on_forecast
        self._shares = {subscription.id: Share(subscription) for subscription in asked.visible}
        self._lock = threading.Lock()
        self._types: set[str] = set()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        shares = list(self._shares.values())
        finished = False
        proofs = self._in_parallel([partial(self._prove, share) for share in shares], _PROOFS_AT_ONCE, waiting=0)
        try:
            self._count_all(shares)
            if not any(share.shows_something for share in shares):
                _exhaust(proofs)
                _refuse_nothing(shares)
            self._tell_forecast(shares)
            yield from self._read(self._shares)
            _exhaust(proofs)
            if not any(share.read for share in shares):
                for share in shares:
                    share.end(_TOO_LATE)
                _refuse_nothing(shares)
            self._count_after(shares)
            yield from self._read_again()
            finished = True
        finally:
            proofs.close()
            if not finished:
                self._pace.stop()  # who waits for the quota need not wait on
            for share in self._shares.values():
                share.end(_TOO_LATE if finished else _INTERRUPTED)

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

    def _in_parallel(
        self, producers: Iterable[Callable[[], Iterable[Item]]], workers: int, *, waiting: int
    ) -> Crew[Item]:
        return in_parallel(producers, workers, waiting=waiting, stopped=lambda: self._pace.stopped)

    def _read(self, shares: dict[str, Share]) -> Iterator[dict[str, Any]]:
        """The rows of what has been counted; `shares` take note of them."""
        ready = [share for share in shares.values() if share.error is None and len(share.counts) == len(TABLES)]
        for share in ready:
            share.pending = len([count for count in share.counts.values() if count])
        trimmed, whole = queries.list_resources(self._types, self._properties), queries.list_resources()
        wanted = dict(zip(TABLES, ((queries.CONTAINERS,), (trimmed, whole)), strict=True))
        with ExitStack() as closing:
            pages = []
            for table in TABLES:
                producers = [partial(self._pages, group, wanted[table]) for group in _groups(ready, table)]
                pages.append(self._in_parallel(producers, _QUERIES_AT_ONCE, waiting=1))
                closing.callback(pages[-1].close)
            for table, some_pages in zip(TABLES, pages, strict=True):
                # The containers first: what is in them need not wait for them.
                yield from self._rows(shares, table, some_pages)

    def _count_after(self, shares: list[Share]) -> None:
        """Has what came out as counted counted again: what the caller may read can have changed since.

        A role that was given after the count, and before it was asked for, would prove what was never shown.
        """
        settled = [share for share in shares if share.error is None and share.proof.given and not share.disagrees]
        after = {share.subscription.id: Share(share.subscription) for share in settled}
        if not after or self._pace.stopped:
            for share in settled:
                share.missing = _NOT_AGAIN.format(_TOO_LATE)
            return
        self._count_all(list(after.values()))
        for share in settled:
            again = after[share.subscription.id]
            if again.error is not None or len(again.counts) < len(TABLES):
                share.missing = _NOT_AGAIN.format(again.error or _TOO_LATE)
            elif again.counts != share.counts:
                share.missing = (
                    f"Resource Graph counted {share.counted} rows before the reading, {again.counted} after it"
                )

    def _read_again(self) -> Iterator[dict[str, Any]]:
        """What did not come out as counted, once more: rows come and go while they are read.

        What the first reading proved stands where the second fails.
        """
        doubtful = [share for share in self._shares.values() if share.disagrees]
        again = {share.subscription.id: Share(share.subscription, share.proof) for share in doubtful}
        if self._pace.stopped:
            for share in doubtful:
                share.missing = share.missing or _ASKED_TWICE.format(share.read, share.counted, _TOO_LATE)
            return
        if not again:
            return
        self._count_all(list(again.values()))
        yield from self._read(again)
        for identity, share in again.items():
            first = self._shares[identity]
            share.end(_TOO_LATE)
            if share.error is None:
                self._shares[identity] = share
            else:
                first.missing = _ASKED_TWICE.format(first.read, first.counted, share.error)
                for table, hashes in share.seen.items():
                    first.seen[table].extend(hashes)  # given all the same

    def _count_all(self, shares: list[Share]) -> None:
        """Has Resource Graph count the rows of each."""
        counts = [
            partial(self._count, shares[start : start + LARGEST_SCOPE], table, query)
            for start in range(0, len(shares), LARGEST_SCOPE)
            for table, query in zip(TABLES, (queries.COUNT_CONTAINERS, queries.COUNT_RESOURCES), strict=True)
        ]
        _exhaust(self._in_parallel(counts, _QUERIES_AT_ONCE, waiting=0))

    def _count(self, shares: list[Share], table: str, query: str) -> Iterator[None]:
        known = {share.subscription.id: share for share in shares}
        try:
            counted = self._counted(list(known), query)
            with self._lock:  # the tables are counted at once
                for identity, share in known.items():
                    share.counts = {**share.counts, table: counted.get(identity, 0)}
        except AzureError as error:
            _fail(shares, error)
        yield None

    def _counted(self, subscriptions: Sequence[str], query: str) -> dict[str, int]:
        """Rows by subscription; where the answer makes no sense, of a second one."""
        try:
            return self._counted_once(subscriptions, query)
        except AnswerError:
            return self._counted_once(subscriptions, query)

    def _counted_once(self, subscriptions: Sequence[str], query: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in query_rows(self._azure, query, subscriptions):
            rows, subscription, types = row.get("rows"), row.get("subscriptionId"), row.get("types")
            if type(rows) is not int or rows < 0 or not isinstance(subscription, str):
                raise AnswerError("Resource Graph answered a count with something that is none")
            if subscription.lower() not in subscriptions:
                raise AnswerError("Resource Graph counted a subscription that was not asked for")
            if subscription.lower() in found:
                raise AnswerError("Resource Graph counted a subscription twice, so that another may be missing")
            found[subscription.lower()] = rows
            if isinstance(types, list):
                with self._lock:
                    self._types = self._types.union(name for name in types if isinstance(name, str))
        return found

    def _prove(self, share: Share) -> Iterator[None]:
        try:
            share.proof.given = reads_everything(
                list_permissions(self._azure, f"/subscriptions/{share.subscription.id}")
            )
            share.proof.doubt = _NOT_PROVEN
        except DeniedError:
            share.proof.doubt = _NOT_PROVEN  # who may read everything may read this too
        except AzureError as error:
            share.proof.doubt = f"what you may read there could not be found out: {error}"
        yield None

    def _tell_forecast(self, shares: list[Share]) -> None:
        sizes = [sum(share.counts[table] for share in group) for table in TABLES for group in _groups(shares, table)]
        pages = sum(-(-rows // LARGEST_PAGE) for rows in sizes)
        self.size = sum(sizes)
        if self._on_forecast:
            self._on_forecast(Forecast(self.size, pages, len(shares), pages // QUERIES * WINDOW))

    def _pages(self, group: list[Share], wanted: Sequence[str]) -> Iterator[tuple[list[Share], Rows | None]]:
        """The pages of a group, None after the last one.

        The first of the queries that the service takes is used: a long one may be refused.
        """
        subscriptions = [share.subscription.id for share in group]
        *_, last = wanted
        for query in wanted:
            given = total = 0
            try:
                for rows, total in query_pages(self._azure, query, subscriptions):
                    given += len(rows)
                    yield group, rows
                    if given > total + LARGEST_PAGE:
                        raise AnswerError(f"Resource Graph gives more and more rows: {given} so far")
            except RejectedError as error:
                if given or query == last:
                    _fail(group, error)
                    return
            except AzureError as error:
                _fail(group, error)
                return
            else:
                if given != total:
                    for share in group:
                        share.missing = f"Resource Graph gave {given} of {total} rows"
                yield group, None
                return

    def _rows(
        self, shares: dict[str, Share], table: str, pages: Crew[tuple[list[Share], Rows | None]]
    ) -> Iterator[dict[str, Any]]:
        for group, rows in pages:
            if rows is None:
                for share in group:
                    if share.pending:
                        share.pending -= 1
                continue
            for row in rows:
                identity = row.get("id")
                if type(identity) is str:
                    lowered = _normal(identity)
                    whose = shares.get(lowered.split("/", 3)[2] if lowered.startswith("/subscriptions/") else "")
                    if whose is not None:
                        whose.seen[table].append(hash(lowered))
                yield row
            self.position += len(rows)


def _normal(identity: str) -> str:
    """An id as Azure compares ids."""
    lowered = identity.strip().rstrip("/").lower()
    return _SLASHES.sub("/", lowered) if "//" in lowered else lowered


def _exhaust(crew: Crew[None]) -> None:
    for _ in crew:
        pass


def _fail(shares: list[Share], error: AzureError) -> None:
    for share in shares:
        share.error = share.error or error


def _refuse_nothing(shares: list[Share]) -> None:
    """Raises where nothing can be read: the first failure, one that was not about roles before others."""
    errors = [share.error for share in shares if share.error is not None]
    if len(errors) == len(shares):
        raise min(errors, key=lambda error: isinstance(error, DeniedError))
    if any(share.proof.given for share in shares):
        return
    names = listed([share.subscription.name for share in shares], _SHOWN)
    doubts = "; ".join(dict.fromkeys(share.proof.doubt for share in shares if share.error is None))
    raise DeniedError(f"nothing can be read in {names}: {doubts}")


def _groups(shares: Iterable[Share], table: str) -> list[list[Share]]:
    """The shares that have rows in the table, in groups of about the same size, as few as keep the readers busy."""
    filled = sorted((share for share in shares if share.counts.get(table)), key=lambda share: -share.counts[table])
    rows = sum(share.counts[table] for share in filled)
    count = max(min(_QUERIES_AT_ONCE, rows // _WORTH_A_READER), -(-len(filled) // LARGEST_SCOPE), 1)
    heap: list[tuple[int, int, list[Share]]] = [(0, number, []) for number in range(count)]
    full: list[list[Share]] = []
    for share in filled:
        size, number, group = heapq.heappop(heap)
        group.append(share)
        if len(group) == LARGEST_SCOPE:
            full.append(group)
        else:
            heapq.heappush(heap, (size + share.counts[table], number, group))
    return [group for group in (*full, *(group for _, _, group in sorted(heap))) if group]
