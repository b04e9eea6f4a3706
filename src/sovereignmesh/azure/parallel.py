"""Several producers at once, one consumer; nothing outlives the consumer."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Self, TypeVar

from sovereignmesh.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Crew", "in_parallel", "within_time"]

Item = TypeVar("Item")
_TICK: Final = 0.1  # seconds between two looks at whether anybody still listens
_MOMENT: Final = 5  # ticks that producers have once the run is stopped


class _Item(NamedTuple, Generic[Item]):
    """Something that a producer yielded."""

    value: Item


class _End(NamedTuple):
    """A producer has ended, with an error or without."""

    error: BaseException | None = None


def in_parallel(
    producers: Iterable[Callable[[], Iterable[Item]]],
    workers: int,
    *,
    waiting: int = 1000,
    stopped: Callable[[], bool] = lambda: False,
) -> Crew[Item]:
    """What the producers yield, as it comes, from at most `workers` at once.

    At most `waiting` items lie ready, with 0 any number. The producers start at once, before the first item is taken.
    What one raises is raised where its items are taken. When the consumer closes the crew or leaves it, so do they, at
    their next item. Once `stopped()`, producers have a moment to end; after it the iteration ends without them: the
    threads are daemons, so that one which hangs in a request holds nobody up.
    """
    crew = Crew[Item](list(producers), waiting, stopped)
    for _ in range(min(workers, crew.count)):
        threading.Thread(target=crew.work, daemon=True).start()
    return crew


def within_time(work: Callable[[], Item], stopped: Callable[[], bool]) -> Item:
    """What `work` gives. Raises what it raises, and DeadlineError once the run is stopped, whatever it waits for."""
    for found in in_parallel([lambda: (work(),)], 1, stopped=stopped):
        return found
    raise DeadlineError("the time given with the deadline was up before anything could be read")


class Crew(Generic[Item]):
    """The producers, and what they have ready: an iterator."""

    def __init__(
        self, producers: list[Callable[[], Iterable[Item]]], waiting: int, stopped: Callable[[], bool]
    ) -> None:
        self.count = len(producers)
        self._stopped = stopped
        self._left = threading.Event()  # the consumer has
        self._tasks: queue.SimpleQueue[Callable[[], Iterable[Item]]] = queue.SimpleQueue()
        self._ready: queue.Queue[_Item[Item] | _End] = queue.Queue(waiting)
        self._ended = 0
        for producer in producers:
            self._tasks.put(producer)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        while self._ended < self.count:
            item = self._take()
            if item is None:
                break
            if not isinstance(item, _End):
                return item.value
            if item.error is not None:
                self.close()
                raise item.error
            self._ended += 1
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Lets the producers go."""
        self._left.set()
        self._ended = self.count

    def _take(self) -> _Item[Item] | _End | None:
        """What is ready next; None where the run is stopped and nothing comes any more."""
        quiet = 0
        while quiet < _MOMENT:
            try:
                return self._ready.get(timeout=_TICK)
            except queue.Empty:
                quiet = quiet + 1 if self._stopped() else 0
        return None

    def work(self) -> None:
        """A worker: one producer after the other."""
        while not self._left.is_set():
            try:
                producer = self._tasks.get_nowait()
            except queue.Empty:
                return
            self._run(producer)

    def _run(self, producer: Callable[[], Iterable[Item]]) -> None:
        try:
            for item in producer():
                if not self._put(_Item(item)):
                    return
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            self._put(_End(error))
        else:
            self._put(_End())

    def _put(self, item: _Item[Item] | _End) -> bool:
        """False where nobody listens any more."""
        while not self._left.is_set():
            try:
                self._ready.put(item, timeout=_TICK)
            except queue.Full:
                continue
            return True
        return False
