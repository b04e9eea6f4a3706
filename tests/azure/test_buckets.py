"""Quotas are kept by reckoning: with a clock that moves only when somebody waits, no bucket is ever overrun."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovereignmesh.azure import BucketKey, Buckets, Pace, Turns
from sovereignmesh.azure.buckets import LIMITS, seconds_for
from sovereignmesh.errors import DeadlineError

ARM = BucketKey("arm", "sub-a")
LISTS = BucketKey("storage-lists", "sub-a", "westeurope")


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


def overrun(taken, limit):
    """Whether anywhere more was taken than Azure would have allowed."""
    if limit.window:
        return any(
            sum(count for other, count in taken if moment <= other < moment + limit.window) > limit.size
            for moment, _ in taken
        )
    left, before = float(limit.size), taken[0][0] if taken else 0.0
    for moment, count in taken:
        left = min(limit.size, left + (moment - before) * limit.refill) - count
        before = moment
        if left < -1e-6:
            return True
    return False


@pytest.mark.parametrize("kind", LIMITS)
@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=60), pauses=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_bucket_is_never_overrun(kind, sizes, pauses):
    clock = Clock()
    buckets, key, taken = Buckets(clock), BucketKey(kind, "sub", "westeurope"), []
    for size in sizes:
        clock.now += pauses.choice([0, 0, 1, 30])
        while wait := buckets.take({key: size}):
            clock.sleep(wait)
        taken.append((clock.now, size))
    assert not overrun(taken, LIMITS[kind])


@pytest.mark.parametrize("kind", LIMITS)
def test_the_forecast_is_what_it_takes(kind):
    clock = Clock()
    buckets, key = Buckets(clock), BucketKey(kind, "sub", "westeurope")
    began = clock.now
    for _ in range(1010):
        while wait := buckets.take({key: 1}):
            clock.sleep(wait)
    assert clock.now - began == pytest.approx(seconds_for(kind, 1010), abs=0.1)


def test_all_or_nothing_is_taken():
    buckets = Buckets(Clock())
    assert buckets.take({LISTS: 100}) == 0
    assert buckets.take({ARM: 200, LISTS: 1}) == 300
    assert buckets.take({ARM: 230}) == 0  # the two hundred were not taken


def test_more_than_a_bucket_holds_is_taken_from_a_full_one():
    clock = Clock()
    buckets = Buckets(clock)
    assert buckets.take({ARM: 300}) == 0
    wait = buckets.take({ARM: 1})
    assert wait == pytest.approx(71 / 25)


def test_a_header_can_only_take_away():
    buckets = Buckets(Clock())
    buckets.learn(ARM, "5")
    assert buckets.take({ARM: 6}) == pytest.approx(1 / 25)
    for odd in ("11999", None, "", "many", "-1", "9" * 30):
        buckets.learn(ARM, odd)
    assert buckets.take({ARM: 6}) == pytest.approx(1 / 25)


def test_subscriptions_have_buckets_of_their_own():
    buckets = Buckets(Clock())
    assert buckets.take({ARM: 230}) == 0
    assert buckets.take({ARM._replace(subscription="sub-b"): 230}) == 0


def take_all(turns, pace):
    found = []
    while (item := turns.take(pace)) is not None:
        found.append(item)
    return found


def test_a_queue_whose_quota_is_spent_holds_no_other_one_up():
    clock = Clock()
    pace = Pace(clock=clock, sleep=clock.sleep)
    turns = Turns(Buckets(clock))
    for number in range(20):
        turns.add("slow", ("slow", number), {LISTS: 50})
        turns.add("quick", ("quick", number), {ARM._replace(subscription="sub-b"): 10})
    order = take_all(turns, pace)
    assert sorted(order) == sorted([(name, number) for name in ("slow", "quick") for number in range(20)])
    assert [number for name, number in order if name == "slow"] == list(range(20))
    assert set(order[:22]) == {("quick", number) for number in range(20)} | {("slow", 0), ("slow", 1)}
    assert clock.now - 100 == turns.seconds == 9 * 300
    assert turns.calls[LISTS] == 1000


def test_the_work_lasts_as_long_as_its_fullest_bucket():
    clock, order = Clock(), random.Random(1)
    turns = Turns(Buckets(clock))
    for number in range(400):
        name = f"sub-{order.randrange(10)}"
        turns.add(name, number, {BucketKey("arm", name): 20})
    assert len(take_all(turns, Pace(clock=clock, sleep=clock.sleep))) == 400
    assert turns.seconds - 0.001 <= clock.now - 100 <= turns.seconds * 1.05 + 1


def test_a_deadline_ends_the_waiting():
    clock = Clock()
    pace = Pace(10, clock=clock, sleep=clock.sleep)
    turns = Turns(Buckets(clock))
    turns.add("one", 1, {LISTS: 100})
    turns.add("one", 2, {LISTS: 1})
    assert turns.take(pace) == 1
    with pytest.raises(DeadlineError):
        turns.take(pace)
