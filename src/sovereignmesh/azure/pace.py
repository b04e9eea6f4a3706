"""How fast to ask: quotas that services tell, waits that end with the deadline, and a stop that all threads see."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LONGEST_WAIT", "QUERIES", "WINDOW", "Pace", "Quota", "seconds_in"]

LONGEST_WAIT: Final = 120.0  # seconds that a service may ask for; more is as good as a refusal
# https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
QUERIES: Final = 15
WINDOW: Final = 5  # seconds
_SECONDS: Final = (3600, 60, 1)
_INSTANT: Final = 0.1


class Pace:
    """The clock of a run. `deadline` is in seconds from now; `clock` and `sleep` are for tests."""

    def __init__(
        self,
        deadline: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock
        self._stop = threading.Event()
        self._given, self._sleep = sleep, sleep or self._stop.wait
        self._jitter = jitter
        self._end = None if deadline is None else clock() + deadline

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped or its time is up."""
        return self._stop.is_set() or (self._end is not None and self.clock() >= self._end)

    def stop(self) -> None:
        """Ends every wait and lets no further request out."""
        self._stop.set()

    def renewed(self, deadline: float | None) -> Pace:
        """The pace of the next run, `deadline` seconds long; who still waits at this one's is not let on by it."""
        return Pace(deadline, clock=self.clock, sleep=self._given, jitter=self._jitter)

    def remaining(self) -> float | None:
        """The seconds until the deadline, None without one."""
        return None if self._end is None else self._end - self.clock()

    def left(self, most: float) -> float:
        """The seconds that a request may take: `most`, or what is left of the time, and never nothing."""
        return most if self._end is None else max(_INSTANT, min(most, self._end - self.clock()))

    def check(self) -> None:
        """Raises DeadlineError where no more may be asked."""
        if self._stop.is_set():
            raise DeadlineError("the run was stopped")
        if self.stopped:
            raise DeadlineError("the time given with the deadline was up")

    def wait(self, seconds: float) -> None:
        """Waits. Raises DeadlineError at once where the wait would end after the deadline, and when stopped."""
        self.check()
        if self._end is not None and self.clock() + seconds >= self._end:
            raise DeadlineError("the time given with the deadline was up")
        self._sleep(seconds)
        self.check()

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after failure `attempt` (from 0) where the service names none: half to all of 1, 2, 4."""
        return float(2**attempt) * (0.5 + self._jitter() / 2)

    def after(self, seconds: float) -> float:
        """A wait that the service named, up to a tenth longer, so that not all callers come back in one moment."""
        return seconds * (1 + self._jitter() / 10)


class Quota:
    """Resource Graph's quota of queries in a window, kept before the service has to say no.

    It counts what is sent itself; the headers of the answers correct it: for who has another quota, and for others
    who spend the same principal's.
    """

    def __init__(self, pace: Callable[[], Pace]) -> None:
        """`pace` gives the run's."""
        self._pace = pace
        self._lock = threading.Lock()
        self._size, self._sent, self._others, self._flying = QUERIES, 0, 0, 0
        self._late = 0  # answers that came when the next window may have begun
        self._sure = 0.0  # until when the window lasts for sure
        self._ends: float | None = None  # when it has ended for sure; None: no query has been answered in it yet

    def take(self) -> float:
        """Returns when a query may be sent, and says when that was; follow it with `learn`."""
        pace = self._pace()
        while True:
            with self._lock:
                now = pace.clock()
                if self._ends is not None and now >= self._ends:
                    # The new window counts what is under way, and may have counted what was answered late.
                    self._sent, self._others, self._late, self._ends = self._flying + self._late, 0, 0, None
                if self._sent + self._others < self._size:
                    self._sent += 1
                    self._flying += 1
                    return now
                wait = WINDOW / 10 if self._ends is None else self._ends - now
            pace.wait(wait)

    def learn(self, headers: Mapping[str, str] | None, taken: float) -> None:
        """What the headers of the answer say of the window; None where there was none. `taken` is what `take` said."""
        headers = headers or {}
        remaining, resets = headers.get("x-ms-user-quota-remaining"), headers.get("x-ms-user-quota-resets-after")
        with self._lock:
            now = self._pace().clock()
            self._flying -= 1
            if self._ends is not None and now > self._sure:
                self._late += 1
            seconds = seconds_in(resets)
            if remaining is None or not _is_small(remaining) or seconds is None:
                if self._ends is None:
                    self._sure = self._ends = now + WINDOW
                return
            left, seconds = int(remaining), min(seconds, LONGEST_WAIT)
            if self._ends is None:  # whole seconds, and nobody says whether rounded up or down
                self._sure = taken + seconds - 1
                self._ends = now + min(seconds + 1, max(seconds, WINDOW))
            self._size = max(self._size, left + 1)
            spent_by_others = self._size - left - self._sent  # at least: what is in flight may not be counted yet
            if spent_by_others > self._others:
                self._others = min(spent_by_others + self._flying, self._size)


def _is_small(text: str) -> bool:
    return text.isdecimal() and len(text) < 10  # noqa: PLR2004 - a longer number is no quota


def seconds_in(text: str | None) -> float | None:
    """The seconds of hh:mm:ss or of a number; None where it is neither.

    >>> seconds_in("00:00:05"), seconds_in("7"), seconds_in("soon")
    (5.0, 7.0, None)
    """
    parts = (text or "").strip().split(":")
    if not all(part.replace(".", "", 1).isdecimal() for part in parts):
        return None
    if len(parts) == 1:
        return float(parts[0])
    if len(parts) != len(_SECONDS):
        return None
    return sum(float(part) * unit for part, unit in zip(parts, _SECONDS, strict=True))
