"""Reads what a list of resources does not show: the children that the fact tables name, for the resources listed."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import closing
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote

from sovereignmesh.audit.checkpoint import KeepingReader
from sovereignmesh.audit.children import IN_LIST, SUBSCRIPTIONS, DepthForecast, packed
from sovereignmesh.audit.lists import Lists, Place, ask_for
from sovereignmesh.audit.references import VAULT_TYPES, keys_in, vaults_in
from sovereignmesh.audit.waiting import Shelf
from sovereignmesh.azure import LARGEST_BATCH, Ask, BucketKey, Buckets, Reader, Told, Turns, take_turns
from sovereignmesh.facts import VaultRule, child_reads, find_resource_type, squeeze

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sovereignmesh.audit.checkpoint import Checkpoint
    from sovereignmesh.audit.lists import Job
    from sovereignmesh.audit.pages import Unread
    from sovereignmesh.azure import Azure, AzureInventory
    from sovereignmesh.facts import ChildRead
    from sovereignmesh.result import Check

__all__ = ["DeepInventory"]

Row = dict[str, Any]
_TOO_LATE: Final = "the time was up, or the run was stopped"


class _Held(NamedTuple):
    """A resource that waits for its children, by its number on the shelf; of a vault, the names of its keys."""

    number: int
    keys: tuple[str, ...] = ()


class _Portion(NamedTuple):
    """Resources whose children are asked for together, and how many calls that takes, by the quota they draw on."""

    held: list[_Held]
    needs: Counter[str]


class _Plan(NamedTuple):
    """Work for which turns are taken, and the portions of it that are not full yet, by their quotas."""

    turns: Turns[Job]
    portions: dict[tuple[str, str], _Portion]


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
        self._checks, self._on_forecast = frozenset(checks), on_forecast
        self._buckets = Buckets(self._pace.clock)
        self._reader = KeepingReader(Reader(azure, self._buckets, now), checkpoint)
        self._shelf = Shelf()
        self._waiting: dict[int, str] = {}  # numbers on the shelf of what has not been given yet, and their types
        self._vaults: dict[int, tuple[str, str]] = {}
        self._wanted: dict[str, tuple[ChildRead, ...]] = {}
        self._keys: dict[tuple[str, str], set[str]] = {}  # by vault: the keys that are referred to, "" for one unnamed
        self._subscriptions: dict[str, str] = {}
        self._listed: set[int] = set()  # hashes of the ids of children that the list shows
        self._lists: Lists | None = None
        self.calls: Counter[str] = Counter()
        self.requests = 0
        self._done = self._held = 0  # resources whose children are read

    def __iter__(self) -> Iterator[Row | Unread]:
        first = _Plan(Turns(self._buckets), {})
        for row in self._inventory:
            kind = _type_of(row)
            self._note(row, kind)
            if kind in _child_types():
                self._listed.add(_hash_of(row))
            if kind == SUBSCRIPTIONS or not self._reads(kind):
                yield row
                continue
            number = self._shelf.put(row)
            self._waiting[number] = kind
            if kind in VAULT_TYPES:
                self._vaults[number] = (VAULT_TYPES[kind], row["id"].rstrip("/").rpartition("/")[2].lower())
            else:
                self._plan(first, _Held(number), row)
        self._close(first)
        for scope in self._inventory.scopes():  # one whose own row did not come has lists all the same
            if scope.kind == "subscription" and scope.state == "read":
                self._subscriptions.setdefault(scope.id.lower(), f"/subscriptions/{scope.id}")
        self._lists = Lists(self._reader, self._buckets, self._pace, self._reads(SUBSCRIPTIONS), self._subscriptions)
        self._tell(first.turns)
        self._lists.fill(first.turns)
        yield from self._read(first.turns, self._lists)
        last = _Plan(Turns(self._buckets), {})
        for number in self._vaults:
            self._plan(last, _Held(number, self._keys_of(number)), self._shelf.get(number))
        self._close(last)
        yield from self._read(last.turns, self._lists)
        yield from self._lists.rest()
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
        lists = self._lists or Lists(
            self._reader, self._buckets, self._pace, self._reads(SUBSCRIPTIONS), self._subscriptions
        )
        yield from lists.rest()

    def _reads(self, kind: str) -> tuple[ChildRead, ...]:
        found = self._wanted.get(kind)
        if found is None:
            every = child_reads().get(kind, ())
            found = self._wanted[kind] = tuple(read for read in every if not read.checks.isdisjoint(self._checks))
        return found

    def _note(self, body: Row, kind: str) -> None:
        """Takes note of a subscription, and of the keys that a body refers to."""
        if kind == SUBSCRIPTIONS:
            identity = body["id"].rstrip("/")
            self._subscriptions[identity.rpartition("/")[2].lower()] = identity
        if (rule := _vault_rule(kind)) is not None:
            for key in keys_in(rule, body):
                self._keys.setdefault((key.vault.kind, key.vault.name), set()).add(key.name)
            for vault in vaults_in(rule, body):
                self._keys.setdefault((vault.kind, vault.name), {""})

    def _keys_of(self, number: int) -> tuple[str, ...]:
        return tuple(sorted(self._keys.get(self._vaults[number], ())))

    def _plan(self, plan: _Plan, one: _Held, row: Row) -> None:
        """Puts a resource into a portion of about one batch, with others that draw on the same quotas."""
        calls = list(self._calls(row, one))
        by_region = any(read.bucket for read, _ in calls)
        queue = (_subscription_of(row), _region_in(row) if by_region else "")
        portion = plan.portions.setdefault(queue, _Portion([], Counter()))
        portion.held.append(one)
        for read, key in calls:
            self.calls[read.child] += 1
            known = self._reader.remembers and self._reader.knows(_ask(read, row, key))
            portion.needs["known" if known else "arm"] += 1
            if read.bucket and not known:
                portion.needs[read.bucket] += 1
        if max(portion.needs["known"] + portion.needs["arm"], len(portion.held)) >= LARGEST_BATCH:
            self._add(plan.turns, queue, plan.portions.pop(queue))

    def _close(self, plan: _Plan) -> None:
        for queue, portion in plan.portions.items():
            self._add(plan.turns, queue, portion)

    def _add(self, turns: Turns[Job], queue: tuple[str, str], portion: _Portion) -> None:
        quotas = {kind: count for kind, count in portion.needs.items() if count and kind != "known"}
        needs = {BucketKey(kind, *(queue if kind != "arm" else queue[:1])): count for kind, count in quotas.items()}
        self.requests += -(-portion.needs["arm"] // LARGEST_BATCH)
        self._held += len(portion.held)
        turns.add(queue, partial(self._work, portion.held), needs)

    def _calls(self, row: Row, one: _Held) -> Iterator[tuple[ChildRead, str]]:
        """What is asked for a resource; for a vault, once for each key that others refer to."""
        for read in self._reads(self._waiting[one.number]):
            if any(case.holds(row) for case in read.unless):
                continue
            for key in filter(None, one.keys) if "{key}" in read.path else ("",):
                yield read, key

    def _tell(self, turns: Turns[Job]) -> None:
        if self._on_forecast is None:
            return
        calls = sum(self.calls.values())
        asked = sum(count for key, count in turns.calls.items() if key.kind == "arm")
        self._on_forecast(
            DepthForecast(self._held, dict(self.calls), calls - asked, self.requests, math.ceil(turns.seconds))
        )

    def _read(self, turns: Turns[Job], lists: Lists) -> Iterator[Row | Unread]:
        """The resources with their children, and what subscriptions list, as these come."""
        with closing(take_turns(turns, self._pace)) as crew:
            for whose, told in crew:
                if type(whose) is Place:
                    yield from lists.rows(whose, told)
                else:
                    yield self._complete(whose, told)

    def _complete(self, number: int, answers: list[tuple[ChildRead, Told]]) -> Row:
        found = [(read, self._once(told)) for read, told in answers]
        row = _with_children(self._shelf.get(number), found)
        del self._waiting[number]
        self._done += 1
        for read, told in found:
            for item in told.items:
                self._note(item, read.child.lower())
        return row

    def _once(self, told: Told) -> Told:
        """The answer without the bodies of children that the list has too."""
        if not self._listed:
            return told
        items = [{IN_LIST: True} if _hash_of(item) in self._listed else item for item in told.items]
        return told._replace(items=items)

    def _work(self, portion: list[_Held]) -> Iterator[tuple[int, list[tuple[ChildRead, Told]]]]:
        """Asks for the children of some resources together."""
        rows = [(one, self._shelf.get(one.number)) for one in portion]
        calls = [(one, row, list(self._calls(row, one))) for one, row in rows]
        answers = iter(self._reader.read([_ask(read, row, key) for _, row, some in calls for read, key in some]))
        for one, _, some in calls:
            found = [(read, next(answers)) for read, _ in some]
            asked = {read for read, _ in some}
            spared = [read for read in self._reads(self._waiting[one.number]) if read not in asked]
            found += ((read, Told(_unnamed(read, one), "", "")) for read in spared)
            yield one.number, found


def _unnamed(read: ChildRead, one: _Held) -> list[Row]:
    """What stands for a key that is used and not named: it cannot be read."""
    return [{IN_LIST: True}] if "{key}" in read.path and "" in one.keys else []


@cache
def _child_types() -> frozenset[str]:
    return frozenset(read.child.lower() for reads in child_reads().values() for read in reads)


def _hash_of(body: Row) -> int:
    identity = body.get("id")
    return hash(identity.rstrip("/").lower()) if type(identity) is str else 0


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


def _ask(read: ChildRead, row: Row, key: str) -> Ask:
    """The read for a resource, with a path that is fit to be sent."""
    parts = row["id"].rstrip("/").split("/")
    group = parts[4] if len(parts) > 4 else ""  # noqa: PLR2004 - "", subscriptions, ID, resourceGroups, NAME
    path = read.path.replace("{group}", group).replace("{location}", _region_in(row)).replace("{key}", key)
    whole = "/".join(parts[:3]) + path if path.startswith("/") else "/".join(parts) + "/" + path
    quota = BucketKey(read.bucket, _subscription_of(row), _region_in(row)) if read.bucket else None
    return ask_for(read, quote(whole, safe="/!$&'()*+,;=:@"), quota)


def _with_children(row: Row, found: Iterable[tuple[ChildRead, Told]]) -> Row:
    """The row with its children; several reads of one type are one answer."""
    children: dict[str, Row] = {}
    for read, told in found:
        before = children.get(read.child.lower(), packed([], "", told.at))
        times = [at for at in (before["at"], told.at) if at]  # what was not asked for has none
        children[read.child.lower()] = packed(
            [*before["items"], *told.items], before["failed"] or told.failed, min(times, default="")
        )
    return {**row, "children": children}
