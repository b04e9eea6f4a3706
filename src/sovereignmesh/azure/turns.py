"""Whose turn it is: work of many queues, of which a queue whose quota is spent holds no other one up."""

from __future__ import annotations

import heapq
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from sovereignmesh.azure.buckets import seconds_for
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from sovereignmesh.azure.buckets import BucketKey, Buckets
    from sovereignmesh.azure.pace import Pace
    from sovereignmesh.azure.parallel import Crew

__all__ = ["Turns", "take_turns"]

Item = TypeVar("Item")
_SHORTEST: Final = 0.01  # seconds


class _Turn(NamedTuple, Generic[Item]):
    item: Item
    needs: Mapping[BucketKey, int]


class Turns(Generic[Item]):
    """Work in queues, each piece with what it draws on quotas. Fill it, then any number of threads take from it."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._queues: dict[Hashable, deque[_Turn[Item]]] = {}
        # When a queue is worth another look, in whose turn among equals, and the queue.
        self._due: list[tuple[float, int, deque[_Turn[Item]]]] = []
        self._turn = 0
        self._lock = threading.Lock()
        self.calls: Counter[BucketKey] = Counter()

    def add(self, queue: Hashable, item: Item, needs: Mapping[BucketKey, int]) -> None:
        """Puts a piece of work at the end of its queue."""
        waiting = self._queues.get(queue)
        if waiting is None:
            waiting = self._queues[queue] = deque()
            self._put(0.0, waiting)
        waiting.append(_Turn(item, needs))
        self.calls.update(needs)

    @property
    def seconds(self) -> float:
        """How long the quotas make the work last at least."""
        return max((seconds_for(key.kind, calls) for key, calls in self.calls.items()), default=0.0)

    def take(self, pace: Pace) -> Item | None:
        """The next piece whose quotas allow it, waiting for them; None when nothing is left.

        Raises DeadlineError where the wait would end after the run's deadline.
        """
        while True:
            found, wait = self._look(pace.clock())
            if wait is None:
                return found
            pace.wait(max(wait, _SHORTEST))

    def _look(self, now: float) -> tuple[Item | None, float | None]:
        """A piece and None, or how long to wait for the first that fits."""
        with self._lock:
            while self._due and self._due[0][0] <= now:
                _, _, queue = heapq.heappop(self._due)
                turn = queue[0]
                wait = self._buckets.take(turn.needs)
                if wait:
                    self._put(now + wait, queue)
                    continue
                queue.popleft()
                if queue:
                    self._put(now, queue)
                return turn.item, None
            return None, self._due[0][0] - now if self._due else None

    def _put(self, when: float, queue: deque[_Turn[Item]]) -> None:
        self._turn += 1
        heapq.heappush(self._due, (when, self._turn, queue))


def take_turns(turns: Turns[Callable[[], Iterable[Item]]], pace: Pace, workers: int = 16) -> Crew[Item]:
    """What the pieces of work give, as it comes, from so many threads at once; ends early with the run's time."""

    def work() -> Iterator[Item]:
        while True:
            try:
                piece = turns.take(pace)
            except DeadlineError:
                return
            if piece is None:
                return
            yield from piece()

    return in_parallel([work] * workers, workers, waiting=1000, stopped=lambda: pace.stopped)
