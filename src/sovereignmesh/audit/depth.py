"""Reads what a list of resources does not show: the children that the fact tables name, for the resources listed."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote

from sovereignmesh.audit.children import SUBSCRIPTIONS, DepthForecast, location_in, packed
from sovereignmesh.audit.pages import Unread
from sovereignmesh.audit.references import VAULT_TYPES, keys_in
from sovereignmesh.audit.waiting import Shelf
from sovereignmesh.azure import LARGEST_BATCH, Ask, BucketKey, Buckets, Reader, Told, Turns, in_parallel
from sovereignmesh.errors import DeadlineError
from sovereignmesh.facts import VaultRule, child_reads, find_region, find_resource_type, squeeze

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sovereignmesh.audit.checkpoint import Checkpoint
    from sovereignmesh.azure import Azure, AzureInventory
    from sovereignmesh.facts import ChildRead
    from sovereignmesh.result import Check

__all__ = ["DeepInventory"]

Row = dict[str, Any]
_WORKERS: Final = 16
_TOO_LATE: Final = "the time was up, or the run was stopped"


class _Held(NamedTuple):
    """A resource that waits for its children, by its number on the shelf, and the calls that it needs."""

    number: int
    calls: tuple[tuple[ChildRead, Ask], ...]


class _Listed(NamedTuple):
    """A list that a subscription has by itself, some of them in each region."""

    read: ChildRead
    subscription: str
    ask: Ask


class DeepInventory:
    """The rows of an inventory, each with the children that answer one of `checks`; iterate over it once.

    Rows that need none pass at once, the others when their children have come; vaults last, since only the keys that
    others refer to are read. What a subscription lists by itself follows as rows of its own. A child that could not be
    read is told with its parent. After an interruption `rest()` gives what was held, without what had not been read.
    """

    def __init__(
        self,
        inventory: AzureInventory,
        azure: Azure,
        checks: Collection[Check],
        now: Callable[[], dt.datetime],
        *,
        checkpoint: Checkpoint | None = None,
        on_forecast: Callable[[DepthForecast], None] | None = None,
    ) -> None:
        self._inventory, self._pace, self.asked = inventory, azure.pace, inventory.asked
        self._checks, self._now, self._checkpoint, self._on_forecast = frozenset(checks), now, checkpoint, on_forecast
        self._buckets = Buckets(self._pace.clock)
        self._reader = Reader(azure, self._buckets, now)
        self._shelf = Shelf()
        self._waiting: dict[int, str] = {}  # numbers on the shelf of what has not been given yet, and their types
        self._vaults: dict[int, tuple[str, str]] = {}
        self._wanted: dict[str, tuple[ChildRead, ...]] = {}
        self._keys: dict[tuple[str, str], set[str]] = {}  # by vault: the names of the keys that are referred to
        self._regions: dict[str, set[str]] = {}  # by subscription
        self._subscriptions: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.requests = 0
        self._done = self._held = 0  # resources whose children are read

    def __iter__(self) -> Iterator[Row | Unread]:
        for row in self._inventory:
            kind = _type_of(row)
            self._note(row, kind)
            if kind == SUBSCRIPTIONS or not self._reads(kind):
                yield row
            else:
                number = self._shelf.put(row)
                self._waiting[number] = kind
                if kind in VAULT_TYPES:
                    self._vaults[number] = (VAULT_TYPES[kind], row["id"].rstrip("/").rpartition("/")[2].lower())
        turns = self._turns((number, ()) for number in self._waiting if number not in self._vaults)
        self._tell(turns)
        yield from self._read(turns)
        yield from self._read(self._turns((number, self._keys_of(number)) for number in self._vaults))
        yield from self._of_subscriptions()
        if self._waiting:
            yield from self.rest()

    @property
    def position(self) -> int:
        """How far the reading is, in rows and again in rows whose children are read."""
        return self._inventory.position + self._done

    @property
    def size(self) -> int:
        """How far it will go, as far as that is known."""
        return self._inventory.size + self._held

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shelf.close()

    def rest(self) -> Iterator[Row | Unread]:
        """What is still held, each child of it told as not read."""
        for number, kind in self._waiting.items():
            none = ((read, Told([], _TOO_LATE, "")) for read in self._reads(kind))
            yield _with_children(self._shelf.get(number), none)
        self._waiting.clear()
        for subscription in self._subscriptions.values():
            yield from (_unread(read, subscription, _TOO_LATE) for read in self._reads(SUBSCRIPTIONS))
        self._subscriptions.clear()

    def _reads(self, kind: str) -> tuple[ChildRead, ...]:
        found = self._wanted.get(kind)
        if found is None:
            every = child_reads().get(kind, ())
            found = self._wanted[kind] = tuple(read for read in every if not read.checks.isdisjoint(self._checks))
        return found

    def _note(self, body: Row, kind: str) -> None:
        """Takes note of the keys that a body refers to, of its region, and of a subscription."""
        identity = body.get("id")
        subscription = identity.split("/", 3)[2].lower() if type(identity) is str and identity.count("/") > 1 else ""
        if kind == SUBSCRIPTIONS:
            self._subscriptions[subscription] = str(identity)
        region = find_region(location) if type(location := body.get("location")) is str else None
        if region is not None:
            self._regions.setdefault(subscription, set()).add(region.name)
        if (rule := _vault_rule(kind)) is not None:
            for key in keys_in(rule, body):
                self._keys.setdefault((key.vault.kind, key.vault.name), set()).add(key.name)

    def _keys_of(self, number: int) -> tuple[str, ...]:
        return tuple(sorted(self._keys.get(self._vaults[number], ())))

    def _turns(self, held: Iterable[tuple[int, tuple[str, ...]]]) -> Turns[list[_Held]]:
        """The calls that the resources need, in portions of about one batch, by the quotas that they draw on."""
        turns: Turns[list[_Held]] = Turns(self._buckets)
        open_portions: dict[tuple[str, str], list[_Held]] = {}
        for number, keys in held:
            row = self._shelf.get(number)
            one = _Held(number, tuple(self._asks(row, self._waiting[number], keys)))
            queue = (_subscription_of(row), _region_in(row) if any(read.bucket for read, _ in one.calls) else "")
            portion = open_portions.setdefault(queue, [])
            portion.append(one)
            if sum(len(held.calls) for held in portion) >= LARGEST_BATCH:
                self._add(turns, queue, open_portions.pop(queue))
        for queue, portion in open_portions.items():
            self._add(turns, queue, portion)
        return turns

    def _add(self, turns: Turns[list[_Held]], queue: tuple[str, str], portion: list[_Held]) -> None:
        needs: Counter[BucketKey] = Counter()
        asked = 0
        for read, ask in (call for held in portion for call in held.calls):
            self.calls[read.child] += 1
            if self._checkpoint is None or self._checkpoint.find(ask.path) is None:
                asked += 1
                needs[BucketKey("arm", queue[0])] += 1
                if read.bucket:
                    needs[BucketKey(read.bucket, *queue)] += 1
        self.requests += -(-asked // LARGEST_BATCH)
        self._held += len(portion)
        turns.add(queue, portion, needs)

    def _asks(self, row: Row, kind: str, keys: tuple[str, ...]) -> Iterator[tuple[ChildRead, Ask]]:
        for read in self._reads(kind):
            if any(case.holds(row) for case in read.unless):
                continue
            for key in keys if "{key}" in read.path else ("",):
                path = _path(read, row["id"], _region_in(row), key)
                yield read, Ask(path, read.api_version, read.many, read.none_on_404)

    def _tell(self, turns: Turns[list[_Held]]) -> None:
        if self._on_forecast is None:
            return
        calls = sum(self.calls.values())
        asked = sum(count for key, count in turns.calls.items() if key.kind == "arm")
        self._on_forecast(
            DepthForecast(self._held, dict(self.calls), calls - asked, self.requests, math.ceil(turns.seconds))
        )

    def _read(self, turns: Turns[list[_Held]]) -> Iterator[Row]:
        """The resources with their children, as these come."""
        crew = in_parallel(
            [partial(self._work, turns)] * _WORKERS, _WORKERS, waiting=1000, stopped=lambda: self._pace.stopped
        )
        with closing(crew):
            for number, found in crew:
                row = _with_children(self._shelf.get(number), found)
                del self._waiting[number]
                self._done += 1
                for read, told in found:
                    for item in told.items:
                        self._note(item, read.child.lower())
                yield row

    def _work(self, turns: Turns[list[_Held]]) -> Iterator[tuple[int, list[tuple[ChildRead, Told]]]]:
        """A worker: one portion after the other."""
        while True:
            try:
                portion = turns.take(self._pace)
            except DeadlineError:
                return
            if portion is None:
                return
            answers = iter(self._ask([ask for held in portion for _, ask in held.calls]))
            for held in portion:
                found = [(read, next(answers)) for read, _ in held.calls]
                asked = {read for read, _ in found}
                spared = (read for read in self._reads(self._waiting[held.number]) if read not in asked)
                yield held.number, [*found, *((read, Told([], "", "")) for read in spared)]

    def _ask(self, asks: Sequence[Ask]) -> list[Told]:
        """The answers: those that a checkpoint has, and the others from Azure."""
        kept = [self._checkpoint.find(ask.path) if self._checkpoint is not None else None for ask in asks]
        fresh = iter(self._reader.read([ask for ask, told in zip(asks, kept, strict=True) if told is None]))
        found = []
        for ask, told in zip(asks, kept, strict=True):
            one = told or next(fresh)
            if told is None and self._checkpoint is not None:
                self._checkpoint.keep(ask.path, one)
            found.append(one)
        return found

    def _of_subscriptions(self) -> Iterator[Row | Unread]:
        """What subscriptions list by themselves, some of it by region."""
        turns: Turns[list[_Listed]] = Turns(self._buckets)
        left: dict[_Listed, None] = {}
        for name, identity in self._subscriptions.items():
            lists = list(self._lists_of(name, identity))
            needs = Counter({BucketKey("arm", name): len(lists)})
            needs.update(BucketKey(one.read.bucket, name) for one in lists if one.read.bucket)
            turns.add(name, lists, needs)
            left |= dict.fromkeys(lists)
        crew = in_parallel(
            [partial(self._list, turns)] * _WORKERS, _WORKERS, waiting=0, stopped=lambda: self._pace.stopped
        )
        with closing(crew):
            for one, told in crew:
                del left[one]
                if told.failed:
                    yield _unread(one.read, one.subscription, told.failed)
                yield from ({**_located(item), "type": one.read.child, "readAt": told.at} for item in told.items)
        yield from (_unread(one.read, one.subscription, _TOO_LATE) for one in left)
        self._subscriptions.clear()

    def _lists_of(self, name: str, identity: str) -> Iterator[_Listed]:
        for read in self._reads(SUBSCRIPTIONS):
            for region in sorted(self._regions.get(name, ())) if "{location}" in read.path else ("",):
                yield _Listed(read, identity, Ask(_path(read, identity, region, ""), read.api_version, read.many))

    def _list(self, turns: Turns[list[_Listed]]) -> Iterator[tuple[_Listed, Told]]:
        while True:
            try:
                lists = turns.take(self._pace)
            except DeadlineError:
                return
            if lists is None:
                return
            yield from zip(lists, self._ask([one.ask for one in lists]), strict=True)


def _type_of(row: Any) -> str:
    kind = row.get("type") if type(row) is dict and type(row.get("id")) is str else None
    return kind.strip().lower() if type(kind) is str else ""


@cache
def _vault_rule(kind: str) -> VaultRule | None:
    row = find_resource_type(kind)
    rule = row.rules.get("key-residency") if row else None
    return rule if isinstance(rule, VaultRule) else None


def _subscription_of(row: Row) -> str:
    parts = row["id"].lower().split("/", 3)
    return parts[2] if len(parts) > 3 else ""  # noqa: PLR2004 - "", subscriptions, ID, ...


def _region_in(row: Row) -> str:
    location = row.get("location")
    return squeeze(location) if type(location) is str else ""


def _path(read: ChildRead, identity: str, region: str, key: str) -> str:
    """The path of a read for a resource, fit to be sent."""
    parts = identity.rstrip("/").split("/")
    group = parts[4] if len(parts) > 4 else ""  # noqa: PLR2004 - "", subscriptions, ID, resourceGroups, NAME
    path = read.path.replace("{group}", group).replace("{location}", region).replace("{key}", key)
    whole = "/".join(parts[:3]) + path if path.startswith("/") else "/".join(parts) + "/" + path
    return quote(whole, safe="/!$&'()*+,;=:@")


def _with_children(row: Row, found: Iterable[tuple[ChildRead, Told]]) -> Row:
    """The row with its children; several reads of one type are one answer."""
    children: dict[str, Row] = {}
    for read, told in found:
        before = children.get(read.child.lower(), packed([], "", told.at))
        children[read.child.lower()] = packed(
            [*before["items"], *told.items], before["failed"] or told.failed, min(before["at"], told.at) or told.at
        )
    return {**row, "children": children}


def _located(item: Row) -> Row:
    """An item of a subscription's list with its region, which may stand in its id alone."""
    return {**item, "location": item.get("location") or location_in(str(item.get("id")))}


def _unread(read: ChildRead, subscription: str, why: str) -> Unread:
    return Unread(subscription, f"its {read.child.rpartition('/')[2]} could not be read: {why}", final=True)
