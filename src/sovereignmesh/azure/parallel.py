"""Several producers at once, one consumer; nothing outlives the consumer."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["in_parallel"]

Item = TypeVar("Item")
_TICK: Final = 0.1  # seconds between two looks at whether anybody still listens


class _End(NamedTuple):
    """A producer has ended, with an error or without."""

    error: BaseException | None = None


def in_parallel(
    producers: Iterable[Callable[[], Iterable[Item]]], workers: int, *, waiting: int = 1000
) -> Iterator[Item]:
    """What the producers yield, as it comes, from at most `workers` at once.

    At most `waiting` items lie ready, with 0 any number. The producers start at once, before the first item is taken.
    What one raises is raised where its items are taken. When the consumer stops early, so do they, at their next item;
    the threads are daemons, so that one which hangs in a request holds nobody up.
    """
    crew = _Crew[Item](list(producers), waiting)
    for _ in range(min(workers, crew.count)):
        threading.Thread(target=crew.work, daemon=True).start()
    return crew.items()


class _Crew(Generic[Item]):
    """The producers, and what they have ready."""

    def __init__(self, producers: list[Callable[[], Iterable[Item]]], waiting: int) -> None:
        self.count = len(producers)
        self.left = threading.Event()  # the consumer has
        self._tasks: queue.SimpleQueue[Callable[[], Iterable[Item]]] = queue.SimpleQueue()
        self._ready: queue.Queue[Item | _End] = queue.Queue(waiting)
        for producer in producers:
            self._tasks.put(producer)

    def items(self) -> Iterator[Item]:
        """What is ready, until all producers have ended."""
        ended = 0
        try:
            while ended < self.count:
                item = self._ready.get()
                if not isinstance(item, _End):
                    yield item
                elif item.error is not None:
                    raise item.error
                else:
                    ended += 1
        finally:
            self.left.set()

    def work(self) -> None:
        """A worker: one producer after the other."""
        while not self.left.is_set():
            try:
                producer = self._tasks.get_nowait()
            except queue.Empty:
                return
            self._run(producer)

    def _run(self, producer: Callable[[], Iterable[Item]]) -> None:
        try:
            for item in producer():
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            self._put(_End(error))
        else:
            self._put(_End())

    def _put(self, item: Item | _End) -> bool:
        """False where nobody listens any more."""
        while not self.left.is_set():
            try:
                self._ready.put(item, timeout=_TICK)
            except queue.Full:
                continue
            return True
        return False
