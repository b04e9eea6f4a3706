"""The quotas of Azure Resource Manager and its providers, kept before a service has to say no."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LIMITS", "BucketKey", "Buckets", "Limit", "seconds_for"]


class Limit(NamedTuple):
    """A quota of `size` calls: tokens that come back by `refill` a second, or as many in any `window` seconds."""

    size: int
    refill: float = 0.0
    window: float = 0.0


class BucketKey(NamedTuple):
    """Whose quota it is: the kind of it, the subscription, and the region where the provider counts by region."""

    kind: str
    subscription: str
    region: str = ""


# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling, which has the
# storage provider's limits too: https://learn.microsoft.com/azure/storage/common/scalability-targets-resource-provider
# ARM's bucket holds 250. A batch is kept back: what was sent apart can arrive together, when a full bucket has not
# taken in what came back between.
LIMITS: Final[Mapping[str, Limit]] = {
    "arm": Limit(230, refill=25),
    "storage-lists": Limit(100, window=300),
}


_NOTHING: Final = 1e-6  # of a call: what floating-point numbers may leave


def seconds_for(kind: str, calls: int) -> float:
    """The seconds that so many calls last at least, from a full bucket."""
    limit = LIMITS[kind]
    if limit.window:
        return (max(calls, 1) - 1) // limit.size * limit.window
    return max(0.0, (calls - limit.size) / limit.refill)


@dataclass(slots=True)
class _Bucket:
    limit: Limit
    left: float
    since: float
    taken: deque[tuple[float, int]] = field(default_factory=deque)  # in the window: when, and how many

    def wait_for(self, calls: int, now: float) -> float:
        """Seconds until so many calls fit; more than the bucket holds never fit, and count as a full one."""
        self.turn(now)
        missing = min(calls, self.limit.size) - self.left
        if missing <= _NOTHING:
            return 0.0
        if self.limit.refill:
            return missing / self.limit.refill
        for moment, count in self.taken:
            missing -= count
            if missing <= 0:
                return moment + self.limit.window - now
        return self.limit.window

    def take(self, calls: int, now: float) -> None:
        self.left -= calls
        if self.limit.window:
            self.taken.append((now, calls))

    def turn(self, now: float) -> None:
        """Lets come back what has come back by now."""
        if self.limit.refill:
            self.left = min(float(self.limit.size), self.left + (now - self.since) * self.limit.refill)
        while self.taken and now - self.taken[0][0] >= self.limit.window:
            self.left += self.taken.popleft()[1]
        self.since = now


class Buckets:
    """All quotas of one caller. Any number of threads may ask; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[BucketKey, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, needs: Mapping[BucketKey, int]) -> float:
        """Takes all or nothing: 0 where it was taken, else the seconds until it may be worth asking again."""
        with self._lock:
            now = self._clock()
            buckets = [(self._bucket(key, now), calls) for key, calls in needs.items()]
            wait = max((bucket.wait_for(calls, now) for bucket, calls in buckets), default=0.0)
            if not wait:
                for bucket, calls in buckets:
                    bucket.take(calls, now)
            return wait

    def overdrawn(self, key: BucketKey, unsent: int) -> float:
        """Seconds until what was taken beyond a bucket has come back, but for `unsent` calls that can wait."""
        with self._lock:
            now = self._clock()
            bucket = self._bucket(key, now)
            bucket.turn(now)
            missing = -bucket.left - unsent
            return missing / bucket.limit.refill if missing > _NOTHING and bucket.limit.refill else 0.0

    def learn(self, key: BucketKey, remaining: str | None) -> None:
        """What a header says is left of a bucket: others may draw on it too. More than was reckoned is not believed."""
        if remaining is None or not remaining.isdecimal() or len(remaining) > 9:  # noqa: PLR2004 - no quota is so large
            return
        with self._lock:
            now = self._clock()
            bucket = self._bucket(key, now)
            bucket.turn(now)
            bucket.left = min(bucket.left, float(remaining))

    def _bucket(self, key: BucketKey, now: float) -> _Bucket:
        limit = LIMITS[key.kind]
        return self._known.setdefault(key, _Bucket(limit, float(limit.size), now))
