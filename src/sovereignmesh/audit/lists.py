"""What a subscription lists by itself: its own settings, and what outlives the resource that it belonged to."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.audit.children import location_in
from sovereignmesh.audit.pages import Unread
from sovereignmesh.azure import (
    LARGEST_BATCH,
    PROVIDERS_VERSION,
    Ask,
    BucketKey,
    Turns,
    never_registered,
    take_turns,
)
from sovereignmesh.facts import properties_read, squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sovereignmesh.audit.checkpoint import KeepingReader
    from sovereignmesh.azure import Buckets, Pace, Told
    from sovereignmesh.facts import ChildRead

    Job = Callable[[], Iterable[tuple[Any, Any]]]

__all__ = ["Lists", "Place", "ask_for"]

Row = dict[str, Any]
_TOO_LATE: Final = "the time was up, or the run was stopped"
_BY_REGION: Final = re.compile(r"providers/([\w.]+)/(locations)/\{location\}/(\w+)")


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
        self._failed: dict[tuple[str, ChildRead, str], list[str]] = {}  # the regions

    def fill(self, turns: Turns[Job]) -> None:
        """Adds what is to be asked, once the providers have said where."""
        by_region = [place for place in self._left if _BY_REGION.search(place.read.path)]
        found, unread = self._in_regions(by_region)
        for place in by_region:
            del self._left[place]
        self._left |= dict.fromkeys(found)
        for place, why in unread.items():
            self._fail(place, why)
        self._add(turns, {place: self._ask(place) for place in self._left})

    def rows(self, place: Place, told: Told) -> Iterator[Row]:
        """What one answer says, each row with `readAt`."""
        del self._left[place]
        if told.failed:
            self._fail(place, told.failed)
        for number, item in enumerate(told.items, 1):
            identity = _identity(item, self._names[place.subscription], place, number)
            location = item.get("location") or location_in(identity)
            yield {**item, "id": identity, "location": location, "type": place.read.child, "readAt": told.at}

    def rest(self) -> Iterator[Unread]:
        """What has not been read: once for each list of a subscription and each reason, in however many regions."""
        for place in self._left:
            self._fail(place, _TOO_LATE)
        self._left.clear()
        for (subscription, read, why), regions in self._failed.items():
            where = f" in {regions[0]}" if len(regions) == 1 else f" in {len(regions)} regions" if regions else ""
            yield Unread(
                self._names[subscription], f"{read.child}{where} could not be read: {why}",
                final=True, checks=read.checks, scope=subscription,
            )  # fmt: skip
        self._failed.clear()

    def _fail(self, place: Place, why: str) -> None:
        self._failed.setdefault((place.subscription, place.read, why), []).extend(filter(None, (place.region,)))

    def _in_regions(self, places: list[Place]) -> tuple[list[Place], dict[Place, str]]:
        """The places again, one for each region that the provider names; and those that cannot be told so, and why."""
        asks = {place: self._provider_of(place) for place in places}
        once = {ask: place for place, ask in asks.items()}
        sharing: dict[Ask, list[Place]] = {}
        for place, ask in asks.items():
            sharing.setdefault(ask, []).append(place)
        found: list[Place] = []
        unread = dict.fromkeys(places, _TOO_LATE)
        for first, answer in self._answers({place: ask for ask, place in once.items()}):
            for place in sharing[asks[first]]:
                del unread[place]
                if answer.failed:
                    unread[place] = answer.failed
                elif not all(map(never_registered, answer.items)):
                    regions = _regions_in(answer.items, place.read)
                    found += [place._replace(region=region) for region in regions]
                    if not regions:
                        unread[place] = "the provider does not say in which regions it has such lists"
        return found, unread

    def _provider_of(self, place: Place) -> Ask:
        found = _BY_REGION.search(place.read.path)
        assert found is not None, "only lists by region are asked for"
        return Ask(f"{self._names[place.subscription]}/providers/{found[1]}", PROVIDERS_VERSION, many=False)

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
                for _, ask in some:
                    if not self._reader.knows(ask):
                        needs.update(filter(None, (ask.arm, ask.bucket)))
                turns.add((name, ""), partial(self._read, some), needs)

    def _read(self, portion: list[tuple[Place, Ask]]) -> Iterator[tuple[Place, Told]]:
        answers = self._reader.read([ask for _, ask in portion])
        return zip((place for place, _ in portion), answers, strict=True)

    def _ask(self, place: Place) -> Ask:
        path = place.read.path.replace("{location}", place.region)
        quota = BucketKey(place.read.bucket, place.subscription) if place.read.bucket else None
        return ask_for(place.read, f"{self._names[place.subscription]}/{path}", quota)


def ask_for(read: ChildRead, path: str, quota: BucketKey | None) -> Ask:
    """The read at a path; of the answer only what the tables look at is kept."""
    return Ask(path, read.api_version, read.many, properties_read().get(read.child.lower()), quota)


def _identity(item: Row, subscription: str, place: Place, number: int) -> str:
    """The id of an item, below the subscription whose list it is in.

    Microsoft's examples of a subscription's diagnostic settings have ids without a slash before them. An id that is of
    another subscription, or none, is not believed: the policy of the one that was asked holds.
    """
    written = item.get("id")
    identity = "/" + written.strip().strip("/") if type(written) is str else ""
    if identity.lower().startswith(f"{subscription.lower()}/"):
        return identity
    name = item.get("name")
    own = name if type(name) is str and name else f"{place.region}{number}"
    return f"{subscription}/providers/{place.read.child}/{own.replace('/', '|')}"


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
