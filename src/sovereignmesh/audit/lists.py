"""What a subscription lists by itself: its own settings, and what outlives the resource that it belonged to."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.audit.children import location_in
from sovereignmesh.audit.pages import Unread
from sovereignmesh.azure import LARGEST_BATCH, Ask, BucketKey, Turns, take_turns
from sovereignmesh.facts import properties_read, squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sovereignmesh.audit.checkpoint import KeepingReader
    from sovereignmesh.azure import Buckets, Pace, Told
    from sovereignmesh.facts import ChildRead

    Job = Callable[[], Iterable[tuple[Any, Any]]]

__all__ = ["Lists", "Place"]

Row = dict[str, Any]
_TOO_LATE: Final = "the time was up, or the run was stopped"
_BY_REGION: Final = re.compile(r"providers/([\w.]+)/(locations)/\{location\}/(\w+)")
_PROVIDERS: Final = "2021-04-01"  # https://learn.microsoft.com/rest/api/resources/providers/get


class Place(NamedTuple):
    """A list of a subscription, in one region where there is one in each."""

    subscription: str
    read: ChildRead
    region: str = ""


class Lists:
    """The lists of subscriptions, whose ids `names` has by their last part in lower case: rows, and what is unread.

    Some are by region, and backups can lie in one where nothing else is left: the provider says in which regions it
    has such lists, and each of them is asked, unless the subscription has never been registered with the provider.
    """

    def __init__(
        self, reader: KeepingReader, buckets: Buckets, pace: Pace, reads: Sequence[ChildRead], names: Mapping[str, str]
    ) -> None:
        self._reader, self._buckets, self._pace, self._reads, self._names = reader, buckets, pace, reads, names
        self._left = {Place(name, read): None for name in names for read in reads}

    def fill(self, turns: Turns[Job]) -> Iterator[Unread]:
        """Adds what is to be asked, once the providers have said where; gives what cannot be found out."""
        by_region = [place for place in self._left if _BY_REGION.search(place.read.path)]
        found, unread = self._in_regions(by_region)
        for place in by_region:
            del self._left[place]
        self._left |= dict.fromkeys(found)
        yield from (self._unread(place, why) for place, why in unread.items())
        self._add(turns, {place: self._ask(place) for place in self._left})

    def rows(self, place: Place, told: Told) -> Iterator[Row | Unread]:
        """What one answer says, each row with `readAt`."""
        del self._left[place]
        if told.failed:
            yield self._unread(place, told.failed)
        yield from ({**_located(item), "type": place.read.child, "readAt": told.at} for item in told.items)

    def rest(self) -> Iterator[Unread]:
        """What has not been read."""
        yield from (self._unread(place, _TOO_LATE) for place in self._left)
        self._left.clear()

    def _in_regions(self, places: list[Place]) -> tuple[list[Place], dict[Place, str]]:
        """The places again, one for each region that the provider names; and those that cannot be told so, and why."""
        asks = {place: self._provider_of(place) for place in places}
        once = {ask: place for place, ask in asks.items()}
        told = {asks[place]: answer for place, answer in self._answers({place: ask for ask, place in once.items()})}
        found: list[Place] = []
        unread: dict[Place, str] = {}
        for place, ask in asks.items():
            answer = told.get(ask)
            if answer is None or answer.failed:
                unread[place] = answer.failed if answer else _TOO_LATE
            elif _is_used(answer.items):
                regions = _regions_in(answer.items, place.read)
                found += [place._replace(region=region) for region in regions]
                if not regions:
                    unread[place] = "the provider does not say in which regions it has such lists"
        return found, unread

    def _provider_of(self, place: Place) -> Ask:
        found = _BY_REGION.search(place.read.path)
        assert found is not None, "only lists by region are asked for"
        return Ask(f"{self._names[place.subscription]}/providers/{found[1]}", _PROVIDERS, many=False)

    def _answers(self, wanted: Mapping[Place, Ask]) -> Iterator[tuple[Place, Told]]:
        turns: Turns[Job] = Turns(self._buckets)
        self._add(turns, wanted)
        with closing(take_turns(turns, self._pace)) as crew:
            yield from crew

    def _add(self, turns: Turns[Job], wanted: Mapping[Place, Ask]) -> None:
        by_name: dict[str, list[tuple[Place, Ask]]] = {name: [] for name in self._names}
        for place, ask in wanted.items():
            by_name[place.subscription].append((place, ask))
        for name, portion in by_name.items():
            for start in range(0, len(portion), LARGEST_BATCH):
                some = portion[start : start + LARGEST_BATCH]
                needs: Counter[BucketKey] = Counter()
                for place, ask in some:
                    if not self._reader.knows(ask):
                        needs[BucketKey("arm", name)] += 1
                        if place.read.bucket:
                            needs[BucketKey(place.read.bucket, name)] += 1
                turns.add((name, ""), partial(self._read, some), needs)

    def _read(self, portion: list[tuple[Place, Ask]]) -> Iterator[tuple[Place, Told]]:
        answers = self._reader.read([ask for _, ask in portion])
        return zip((place for place, _ in portion), answers, strict=True)

    def _ask(self, place: Place) -> Ask:
        path = place.read.path.replace("{location}", place.region)
        kept = properties_read().get(place.read.child.lower())
        return Ask(f"{self._names[place.subscription]}/{path}", place.read.api_version, place.read.many, kept)

    def _unread(self, place: Place, why: str) -> Unread:
        region = f" in {place.region}" if place.region else ""
        return Unread(
            self._names[place.subscription], f"{place.read.child}{region} could not be read: {why}",
            final=True, checks=place.read.checks, scope=place.subscription,
        )  # fmt: skip


def _is_used(providers: Sequence[Row]) -> bool:
    """Whether the subscription has ever been registered with the provider; what is not said counts as yes."""
    return any(str(provider.get("registrationState")).lower() != "notregistered" for provider in providers)


def _regions_in(providers: Sequence[Row], read: ChildRead) -> list[str]:
    """The regions in which a provider says that it has such lists."""
    found = _BY_REGION.search(read.path)
    assert found is not None, "only lists by region are asked for"
    wanted = f"{found[2]}/{found[3]}".lower()
    regions: set[str] = set()
    for provider in providers:
        types = provider.get("resourceTypes")
        for kind in types if type(types) is list else ():
            places = kind.get("locations") if type(kind) is dict else None
            if type(places) is list and str(kind.get("resourceType")).lower() == wanted:
                regions.update(squeeze(place) for place in places if type(place) is str)
    return sorted(regions)


def _located(item: Row) -> Row:
    """An item with its region, which may stand in its id alone."""
    return {**item, "location": item.get("location") or location_in(str(item.get("id")))}
