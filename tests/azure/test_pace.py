"""How fast we ask: within the service's quota, never past the deadline, and no longer than anybody wants."""

import math
import random
import threading
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovereignmesh.azure import Pace
from sovereignmesh.azure.pace import LONGEST_WAIT, Quota, seconds_in
from sovereignmesh.errors import DeadlineError

WINDOW = 5
REMAINING, RESETS = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"


def quota_of(pace):
    return Quota(lambda: pace)


# The clock.


def test_without_a_deadline_there_is_all_the_time(clock, pace):
    pace.wait(1e9)
    pace.check()
    assert pace.left(90.0) == 90.0
    assert not pace.stopped
    assert clock.slept == [1e9]


def test_a_deadline_is_in_seconds_from_now(clock):
    pace = Pace(10, clock=clock, sleep=clock.sleep)
    assert pace.left(90.0) == 10.0
    pace.wait(4)
    assert pace.left(90.0) == 6.0
    assert pace.left(5.0) == 5.0
    clock.now += 6
    assert pace.stopped
    assert pace.left(90.0) == 0.1  # a time-out of nothing would be none
    with pytest.raises(DeadlineError, match="deadline"):
        pace.check()


@pytest.mark.parametrize("seconds", [10, 10.5, 1e9])
def test_a_wait_that_ends_after_the_deadline_is_not_begun(clock, seconds):
    pace = Pace(10, clock=clock, sleep=clock.sleep)
    with pytest.raises(DeadlineError):
        pace.wait(seconds)
    assert clock.slept == []
    pace.wait(9.9)


def test_a_run_that_was_stopped_asks_nothing_more_until_the_next(clock, pace):
    pace.stop()
    for ask in (pace.check, lambda: pace.wait(0)):
        with pytest.raises(DeadlineError, match="stopped"):
            ask()
    assert pace.stopped
    assert clock.slept == []
    following = pace.renewed(5)
    following.check()
    assert following.left(90.0) == 5.0
    assert following.renewed(None).left(90.0) == 90.0
    assert pace.stopped


def test_who_is_stopped_in_a_wait_learns_of_it(clock):
    pace = Pace(clock=clock, sleep=lambda seconds: pace.stop())
    with pytest.raises(DeadlineError, match="stopped"):
        pace.wait(1)


def test_a_stop_wakes_all_who_wait():
    """With the clock of the machine, on which these waits would take an hour."""
    pace = Pace()
    waiting, ended = threading.Barrier(4), []

    def wait():
        waiting.wait()
        try:
            pace.wait(3600)
        except DeadlineError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=wait, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    waiting.wait()
    pace.stop()
    for thread in threads:
        thread.join(60)
    assert ended == ["the run was stopped"] * 3


def test_a_stop_wakes_who_waits_for_the_quota():
    pace = Pace()
    quota = Quota(lambda: pace)
    taken = [quota.take() for _ in range(15)]
    quota.learn({REMAINING: "0", RESETS: "00:01:00"}, taken[0])
    begun, ended = threading.Event(), []

    def wait():
        begun.set()
        try:
            quota.take()
        except DeadlineError:
            ended.append(True)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    begun.wait()
    pace.stop()
    thread.join(60)
    assert ended == [True]


@given(attempt=st.integers(0, 5), luck=st.floats(0, 1, exclude_max=True))
@settings(derandomize=True)
def test_a_wait_of_ours_grows_and_differs(attempt, luck):
    pace = Pace(jitter=lambda: luck)
    assert 2**attempt / 2 <= pace.backoff(attempt) <= 2**attempt
    assert 7 <= pace.after(7) <= 7.7 + 1e-9  # 7 + 10 % in floating point


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:05", 5), ("00:01:05", 65), ("01:00:00", 3600), ("00:00:04.5", 4.5), ("7", 7), (" 7 ", 7), ("0", 0),
        ("1.5", 1.5), (None, None), ("", None), ("soon", None), ("-1", None), ("1:2", None), ("1:2:3:4", None),
        ("::", None), (".", None), ("1e3", None), ("nan", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)  # fmt: skip
def test_seconds_are_read_in_both_spellings(text, seconds):
    assert seconds_in(text) == seconds


@given(st.text())
@settings(derandomize=True)
def test_no_text_is_too_strange_for_seconds(text):
    assert seconds_in(text) is None or seconds_in(text) >= 0


# The quota.


class Counter:
    """Resource Graph's count of queries: windows on a grid, or from the first query after the last window.

    How it rounds the seconds until the window ends is not documented.
    """

    def __init__(self, now, *, size=15, begins=0.0, grid=True, rounding=math.ceil):
        self._now, self.size, self._begins, self._grid, self._rounding = now, size, begins, grid, rounding
        self.counts, self.refused, self._ends = {}, 0, -1.0

    def ask(self):
        """Counts a query; the headers of the answer."""
        now = self._now()
        if now >= self._ends - 1e-9:
            passed = math.floor((now - self._begins) / WINDOW + 1e-9) if self._grid else 0
            self._ends = (self._begins + (passed + 1) * WINDOW) if self._grid else now + WINDOW
        count = self.counts[self._ends] = self.counts.get(self._ends, 0) + 1
        self.refused += count > self.size
        seconds = self._rounding(max(self._ends - now, 0))
        return {REMAINING: str(max(self.size - count, 0)), RESETS: f"00:00:{seconds:02d}"}


def read(turns, counter, quota, queries, latencies, *, pauses=(0.0,)):
    """A reader: asks its queries one after the other; a query is counted when it has arrived."""
    for number in range(queries):
        there, back = latencies[number % len(latencies)]
        turns.sleep(pauses[number % len(pauses)])
        taken = quota.take()
        turns.sleep(there)
        headers = counter.ask()
        turns.sleep(back)
        quota.learn(headers, taken)


LATENCIES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5)


@pytest.mark.parametrize("rounding", [math.ceil, math.floor, round])
@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("readers", [1, 4, 12])
def test_readers_who_pause_never_ask_for_more_than_the_quota(new_turns, readers, grid, rounding):
    """Queries at any moment: also just before and just after a window's end, which nobody knows to the second."""
    luck = random.Random(f"{readers} {grid} {rounding.__name__}")
    for slowest in (0.05, 0.2, 1.0) * 10:
        turns = new_turns()
        counter = Counter(turns, begins=luck.uniform(0, WINDOW), grid=grid, rounding=rounding)
        quota = quota_of(Pace(clock=turns, sleep=turns.sleep))
        jobs = []
        for _ in range(readers):
            latencies = [(luck.uniform(0, slowest), luck.uniform(0, slowest)) for _ in range(7)]
            pauses = [luck.uniform(0, 6) if luck.random() < 0.2 else 0.0 for _ in range(11)]
            jobs.append(partial(read, turns, counter, quota, 80 // readers, latencies, pauses=pauses))
        turns.run(jobs)
        assert counter.refused == 0


@given(
    readers=st.integers(1, 12),
    size=st.sampled_from([15, 50]),
    begins=st.floats(0, WINDOW),
    grid=st.booleans(),
    rounding=st.sampled_from([math.ceil, math.floor, round]),
    latencies=LATENCIES,
)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_no_reader_ever_asks_for_more_than_the_quota(new_turns, *, readers, size, begins, grid, rounding, latencies):
    turns = new_turns()
    counter = Counter(turns, size=size, begins=begins, grid=grid, rounding=rounding)
    quota = quota_of(Pace(clock=turns, sleep=turns.sleep))
    turns.run([lambda: read(turns, counter, quota, 60 // readers + 1, latencies)] * readers)
    assert counter.refused == 0
    assert sum(counter.counts.values()) == readers * (60 // readers + 1)


@given(
    readers=st.integers(1, 4),
    begins=st.floats(0, WINDOW),
    grid=st.booleans(),
    rounding=st.sampled_from([math.ceil, math.floor, round]),
    latencies=LATENCIES,
    size=st.integers(4, 14),
)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_a_smaller_quota_is_found_out(new_turns, *, readers, begins, grid, rounding, latencies, size):
    """But for the queries that are under way at once: whether an answer counts them, nobody can know."""
    turns = new_turns()
    counter = Counter(turns, size=size, begins=begins, grid=grid, rounding=rounding)
    quota = quota_of(Pace(clock=turns, sleep=turns.sleep))
    turns.run([lambda: read(turns, counter, quota, 10, latencies)] * readers)
    assert max(counter.counts.values()) <= size + (readers - 1 if size > 5 else 0)


@pytest.mark.parametrize("others", [1, 2, 5, 10])
@pytest.mark.parametrize("readers", [1, 4])
def test_what_others_spend_is_heeded(new_turns, readers, others):
    """Another client of the same principal that spends its part at the beginning of each window.

    One reader learns from each answer what is left. Of several, all but one may be refused: an answer may count what
    is under way, or not yet.
    """
    turns = new_turns()
    counter = Counter(turns)
    quota = quota_of(Pace(clock=turns, sleep=turns.sleep))

    def other():
        for _ in range(20):
            for _ in range(others):
                counter.ask()
            turns.sleep(WINDOW)

    turns.run([other] + [lambda: read(turns, counter, quota, 80 // readers, [(0.01, 0.02)])] * readers)
    assert max(counter.counts.values()) < 15 + readers
    assert sum(counter.counts.values()) == 20 * others + 80


@pytest.mark.parametrize(("size", "queries"), [(15, 150), (50, 500)])
@pytest.mark.parametrize("readers", [4, 12])
def test_the_quota_is_used(new_turns, readers, size, queries):
    """150 queries at 15 in 5 s last 45 s; a second is lost in each window to what its end is rounded to."""
    turns = new_turns()
    counter = Counter(turns, size=size, grid=False)
    quota = quota_of(Pace(clock=turns, sleep=turns.sleep))
    turns.run([lambda: read(turns, counter, quota, -(-queries // readers), [(0.05, 0.05)])] * readers)
    assert turns.now <= 10 * (WINDOW + 1)
    assert counter.refused == 0


def test_answers_of_the_next_window_count_in_it(clock):
    """The service says `in 5 s` and means 4.1 s: what is asked in between is of its next window."""
    quota, counter = quota_of(Pace(clock=clock, sleep=clock.sleep)), Counter(clock, begins=1000.0)
    clock.now += 0.9
    for wait in (4.2, *[0.0] * 30):
        taken = quota.take()
        quota.learn(counter.ask(), taken)
        clock.now += wait
    assert counter.refused == 0


def test_a_service_without_headers_is_asked_as_documented(clock):
    quota = quota_of(Pace(clock=clock, sleep=clock.sleep))
    times = []
    for _ in range(45):
        times.append(quota.take())
        clock.now += 0.0625
        quota.learn({}, times[-1])
    assert [int(time - 1000) // WINDOW for time in times] == [0] * 15 + [1] * 15 + [2] * 15


@pytest.mark.parametrize(
    "headers",
    [
        None, {REMAINING: "3"}, {RESETS: "00:00:05"}, {REMAINING: "many", RESETS: "00:00:05"},
        {REMAINING: "-1", RESETS: "00:00:05"}, {REMAINING: "\xb2", RESETS: "\xb2"}, {REMAINING: "3", RESETS: "soon"},
    ],
)  # fmt: skip
def test_headers_that_say_nothing_change_nothing(clock, headers):
    quota = quota_of(Pace(clock=clock, sleep=clock.sleep))
    for _ in range(16):
        quota.learn(headers, quota.take())
    assert clock.slept == [WINDOW]


def test_a_reset_that_is_far_is_not_waited_for_longer_than_for_any_service(clock):
    quota = quota_of(Pace(clock=clock, sleep=clock.sleep))
    quota.learn({REMAINING: "0", RESETS: "24:00:00"}, quota.take())
    quota.take()
    assert sum(clock.slept) <= LONGEST_WAIT + 1


def test_a_query_that_never_answered_holds_nobody_up(clock):
    quota = quota_of(Pace(clock=clock, sleep=clock.sleep))
    for _ in range(40):
        quota.learn(None, quota.take())
    assert clock.now - 1000 <= 2 * WINDOW


def test_a_deadline_ends_the_wait_for_the_quota(clock):
    quota = quota_of(Pace(4, clock=clock, sleep=clock.sleep))
    for _ in range(15):
        quota.learn({}, quota.take())
    with pytest.raises(DeadlineError):
        quota.take()
    assert clock.slept == []


def test_who_waits_for_first_answers_waits_on(new_turns):
    """More readers than the quota: the window's end is not known before an answer."""
    turns = new_turns()
    counter, quota = Counter(turns, grid=False), quota_of(Pace(clock=turns, sleep=turns.sleep))
    turns.run([lambda: read(turns, counter, quota, 1, [(3.0, 3.0)])] * 40)
    assert counter.refused == 0
    assert sum(counter.counts.values()) == 40
