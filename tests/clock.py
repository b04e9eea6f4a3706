"""Time in which nobody waits: for the tests of whatever waits, and sandboxes that live in it."""

import threading

from sovereignmesh import sandbox
from sovereignmesh.azure import Pace

OPEN = sandbox.open_sandbox  # as it is: a test may put another there


class Clock:
    """Time that passes only when somebody sleeps, on any thread; `slept` has how long, each time."""

    def __init__(self, now=0.0):
        self.now, self.slept = now, []
        self._lock = threading.Lock()

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        with self._lock:
            self.now += seconds
            self.slept.append(seconds)


def pace_of(clock, deadline=None):
    """A pace in the clock's time, without luck."""
    return Pace(deadline, clock=clock, sleep=clock.sleep, jitter=lambda: 0.0)


def open_still(*words, clock=None, deadline=None, **options):
    """A sandbox in a clock's time, its own by default; its `pace.clock` is the clock."""
    clock = clock or Clock()
    return OPEN(*words, pace=pace_of(clock, deadline), clock=clock, sleep=clock.sleep, **options)
