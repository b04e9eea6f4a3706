"""Every asset that the caller may see: collection by collection, several at once, and those in doubt looked up.

A search pages by a token, each page after the one before it, so that collections are what can be read side by side.
Whether that of a collection finds what is in those below it too is undocumented: a hit is counted where it says it is.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.azure.purview.datamap import AT_ONCE, Asset
from sovereignmesh.errors import AzureError, ClosedNetworkError, DeniedError, SignInError
from sovereignmesh.result import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.azure.purview import Collection, Entity, Purview
    from sovereignmesh.azure.purview.datamap import Hit, Page
    from sovereignmesh.catalog.settling import Settled

    Settle = Callable[[Hit, str], Settled | None]

__all__ = ["NO_TERMS", "WORKERS", "CatalogReading", "Read"]

WORKERS: Final = 10  # requests at once; the account's capacity bounds how many in a second
_AHEAD: Final = 4 * WORKERS  # lookups that may be under way or wait for who judges them
NO_TERMS: Final = {"not": {"objectType": "Glossary terms"}}  # the search finds terms too, which no collection holds
_KIND: Final = attrgetter("type", "domain")
_HOPELESS: Final = (SignInError, ClosedNetworkError)  # whatever is asked next fails too


class Read(NamedTuple):
    """An asset as it was found in a collection, by its reference name.

    `entity` is what the asset itself says, where it was looked up; `missing` says why it was and could not be.
    """

    asset: Asset
    collection: str
    entity: Entity | None = None
    missing: str = ""


@dataclass(slots=True)
class _Found:
    """How far a collection is read. `others` are hits of its search that are of other collections: hashes of ids."""

    collection: Collection
    read: int = 0
    counted: int | None = None
    approximate: bool = False
    ended: bool = False
    error: AzureError | None = None
    others: set[int] = field(default_factory=set)

    @property
    def total(self) -> int | None:
        """How many of its own its search counts."""
        return None if self.counted is None else self.counted - len(self.others)


class CatalogReading:
    """Reads the assets of collections; what could not be is in `scopes`, which are asked for at the end.

    `done` and `total` are of assets, as far as they are known; `settled` counts, by type and domain, those that are not
    given to anybody; `unread` are lookups that failed: why, and of how many assets. Of every asset a number is kept:
    some 60 bytes each.
    """

    def __init__(
        self,
        purview: Purview,
        collections: Iterable[Collection],
        in_doubt: Callable[[Read], bool],
        settle: Settle = lambda _hit, _collection: None,
    ) -> None:
        """`in_doubt` says which assets are to be looked up, `settle` which need nobody to look at them."""
        self.purview, self._in_doubt, self._settle = purview, in_doubt, settle
        self.settled: Counter[tuple[str, str]] = Counter()
        self.unread: list[tuple[AzureError, int]] = []
        self._found = {one.name.casefold(): _Found(one) for one in collections}
        self._ids: set[int] = set()  # hashes: a string each would break the memory bound
        self.done = self.repeated = 0

    @property
    def total(self) -> int:
        """How many assets there are, in what has been asked about."""
        return sum(found.total or 0 for found in self._found.values())

    def __iter__(self) -> Iterator[Read]:
        """The assets as they come. Raises SignInError or ClosedNetworkError, with which nothing can be read."""
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="lookup")
        try:
            yield from self._read(pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, pool: ThreadPoolExecutor) -> Iterator[Read]:
        waiting: list[Read] = []
        lookups: deque[Future[list[Read]]] = deque()
        for read in self._hits():
            if not self._in_doubt(read):
                yield read
                continue
            waiting.append(read)
            if len(waiting) == AT_ONCE:
                lookups.append(pool.submit(self._look_up, waiting))
                waiting = []
            while lookups and (len(lookups) > _AHEAD or lookups[0].done()):
                yield from lookups.popleft().result()
        if waiting:
            lookups.append(pool.submit(self._look_up, waiting))
        for lookup in lookups:
            yield from lookup.result()

    def _hits(self) -> Iterator[Read]:
        pace = self.purview.azure.pace
        tasks = [partial(self._pages, found) for found in self._found.values()]
        for found, page in in_parallel(tasks, WORKERS, waiting=WORKERS, stopped=lambda: pace.stopped):
            if isinstance(page, AzureError):
                found.error = page
                if isinstance(page, _HOPELESS):
                    raise page
                continue
            if page is None:
                found.ended = True
                continue
            if found.counted is None:
                found.counted, found.approximate = page.total, bool(page.approximate)
            # Here and not where it is fetched: threads that reckon hold up those that read.
            yield from self._sorted(found, page)

    def _sorted(self, found: _Found, page: Page) -> Iterator[Read]:
        """Counts what is settled of a page, and gives the rest to be looked at."""
        told = {hit.collection for hit in page.hits}
        if told <= {None, found.collection.name}:
            return self._sorted_in(found, page.hits)
        homes: dict[str, list[Hit]] = {}
        for hit in page.hits:
            # One that nobody listed is below the one that was asked, or new.
            name = (hit.collection or found.collection.name).casefold()
            homes.setdefault(name if name in self._found else found.collection.name.casefold(), []).append(hit)
        for name, hits in homes.items():
            if self._found[name] is not found:
                found.others.update(hash(hit.id) for hit in hits)
        return chain.from_iterable([self._sorted_in(self._found[name], hits) for name, hits in homes.items()])

    def _sorted_in(self, found: _Found, hits: list[Hit]) -> Iterator[Read]:
        name, settle, settled, rest = found.collection.name, self._settle, [], []
        for hit in hits:
            if (done := settle(hit, name)) is not None:
                settled.append(done)
            else:
                rest.append(hit)
        self.settled.update(map(_KIND, self._fresh(found, settled)))
        return (Read(Asset.of(hit), name) for hit in self._fresh(found, rest))

    def _fresh(self, found: _Found, some: list[Any]) -> list[Any]:
        """Those that have not come before: pages may overlap, and assets move, where the index changes meanwhile."""
        keyed = {hash(one.id): one for one in some}
        fresh = [one for key, one in keyed.items() if key not in self._ids]
        self._ids.update(keyed)  # in place: `|=` of a view copies all that came before
        found.read += len(fresh)
        self.done += len(fresh)
        self.repeated += len(some) - len(fresh)
        return fresh

    def _pages(self, found: _Found) -> Iterator[tuple[_Found, Page | AzureError | None]]:
        """The pages of a collection, and None after the last; an error ends them."""
        try:
            for page in self.purview.data_map.pages({"collectionId": found.collection.name}):
                yield found, page
            yield found, None
        except AzureError as error:
            yield found, error

    def _look_up(self, reads: list[Read]) -> list[Read]:
        try:
            entities = self.purview.data_map.entities([read.asset.id for read in reads])
        except AzureError as error:
            self.unread.append((error, len(reads)))
            return [read._replace(missing=str(error)) for read in reads]
        return [
            read._replace(entity=entity) if (entity := entities.get(read.asset.id)) else self._look_again(read)
            for read in reads
        ]

    def _look_again(self, read: Read) -> Read:
        """An asset that an answer of many lacks: only one that is asked for alone says that it is gone."""
        try:
            entity = self.purview.data_map.entity(read.asset.id)
        except AzureError as error:
            self.unread.append((error, 1))
            return read._replace(missing=str(error))
        missing = "" if entity else "the search finds it, and the Data Map has it no more"
        return read._replace(entity=entity, missing=missing)

    def scopes(self, title: Callable[[str], str]) -> tuple[Scope, ...]:
        """What was read of each collection, by title; `title` gives that of a name."""
        stopped = self.purview.azure.pace.stopped
        found = (_scope(each, title(each.collection.name), stopped=stopped) for each in self._found.values())
        return tuple(sorted(found, key=lambda scope: (scope.name.casefold(), scope.id)))


def _scope(found: _Found, title: str, *, stopped: bool) -> Scope:
    def told(state: str, reason: str = "") -> Scope:
        return Scope("collection", found.collection.name, title, state, found.read, found.total, reason)

    if found.error is not None:
        state = "partial" if found.read else "denied" if isinstance(found.error, DeniedError) else "failed"
        return told(state, str(found.error))
    if not found.ended:
        why = "the time given was up, or the run was stopped" if stopped else "the reading was interrupted"
        return told("partial" if found.read else "failed", why)
    if found.total != found.read:
        about = "about " if found.approximate else ""
        return told("partial", f"the search counts {about}{found.total:,} assets and gave {found.read:,}")
    return told("read")
