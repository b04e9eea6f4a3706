"""Several producers, one consumer: everything comes, once, and nobody goes on when nobody listens."""

import threading

import pytest

from sovereignmesh.azure.parallel import in_parallel, within_time
from sovereignmesh.errors import DeadlineError

LONG = 60  # seconds that a test would wait for what does not happen


def numbers(start, count=100):
    return lambda: iter(range(start, start + count))


@pytest.mark.parametrize("workers", [1, 3, 50])
@pytest.mark.parametrize("waiting", [1, 7, 1000])
def test_everything_comes_once(workers, waiting):
    producers = [numbers(start * 100) for start in range(20)]
    assert sorted(in_parallel(producers, workers, waiting=waiting)) == list(range(2000))


def test_what_one_producer_yields_keeps_its_order():
    found = list(in_parallel([numbers(0), numbers(1000)], 2))
    assert [number for number in found if number < 1000] == list(range(100))
    assert [number for number in found if number >= 1000] == list(range(1000, 1100))


def test_one_worker_takes_one_producer_after_the_other():
    assert list(in_parallel([numbers(0), numbers(100)], 1)) == list(range(200))


def test_producers_may_come_from_a_generator():
    assert sorted(in_parallel((numbers(start, 1) for start in range(5)), 2)) == [0, 1, 2, 3, 4]


def test_nothing_comes_of_nothing():
    assert list(in_parallel([], 4)) == []
    assert list(in_parallel([list] * 9, 4)) == []


def test_nothing_is_an_item_too():
    assert list(in_parallel([lambda: iter([None, False, 0, ""])], 2)) == [None, False, 0, ""]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_a_producer_raises_is_raised_here(kind):
    def failing():
        yield 1
        raise kind("no")

    items = in_parallel([failing], 2)
    assert next(items) == 1
    with pytest.raises(kind, match="no"):
        next(items)


def test_a_producer_that_cannot_even_begin_raises_here():
    def failing():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(in_parallel([failing, numbers(0)], 2))


def endless(number, reached, ended):
    """Goes on until it is closed."""

    def produce():
        try:
            while True:
                reached.set()
                yield number
        finally:
            ended.release()

    return produce


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_the_producers_end_with_the_consumer(taken):
    reached, ended = threading.Event(), threading.Semaphore(0)
    others = [endless(number, reached, ended) for number in range(4)]
    items = in_parallel(others, 4, waiting=2)
    for _ in range(taken):
        assert next(items) in range(4)
    assert reached.wait(LONG)
    items.close()
    assert list(items) == []
    assert ended.acquire(timeout=LONG)


def test_the_producers_end_when_one_of_them_fails():
    reached, ended = threading.Event(), threading.Semaphore(0)

    def failing():
        assert reached.wait(LONG)
        raise ValueError("no")
        yield

    with pytest.raises(ValueError, match="no"):
        list(in_parallel([endless(1, reached, ended), failing], 2, waiting=2))
    assert ended.acquire(timeout=LONG)


def test_no_producer_begins_when_nobody_listens_any_more():
    begun = []
    reached, ended = threading.Event(), threading.Semaphore(0)

    def late():
        begun.append(True)
        yield 1

    items = in_parallel([endless(1, reached, ended), late], 1, waiting=1)
    next(items)
    items.close()
    assert ended.acquire(timeout=LONG)
    assert begun == []


def test_as_many_work_at_once_as_there_are_workers():
    together = threading.Barrier(3)

    def meeting():
        together.wait(LONG)
        yield 1

    assert list(in_parallel([meeting] * 3, 3)) == [1, 1, 1]


def test_no_more_work_at_once_than_there_are_workers():
    lock, at_work, most = threading.Lock(), 0, 0

    def busy():
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        yield 1
        with lock:
            at_work -= 1

    assert list(in_parallel([busy] * 40, 3)) == [1] * 40
    assert most <= 3


def test_no_more_is_ready_than_may_wait():
    """A producer is at most one item ahead of what may lie ready."""
    made = 0

    def produce():
        nonlocal made
        for number in range(100):
            made += 1
            yield number

    taken = 0
    for number in in_parallel([produce], 1, waiting=3):
        assert number == taken
        taken += 1
        assert made <= taken + 3 + 1
    assert taken == 100


def test_once_stopped_what_hangs_is_left_behind():
    stop, hang = threading.Event(), threading.Event()

    def hanging():
        yield 1
        stop.set()
        hang.wait(LONG)
        yield 2

    items = in_parallel([hanging], 1, stopped=stop.is_set)
    assert list(items) == [1]
    hang.set()


def test_a_crew_that_was_closed_gives_nothing_more():
    crew = in_parallel([numbers(0)], 1)
    assert next(crew) == 0
    crew.close()
    crew.close()
    assert list(crew) == []


def test_a_crew_that_has_failed_gives_nothing_more():
    def failing():
        raise ValueError("no")

    crew = in_parallel([failing], 1)
    with pytest.raises(ValueError, match="no"):
        next(crew)
    assert list(crew) == []


def test_what_is_ready_when_the_run_is_stopped_still_comes():
    assert sorted(in_parallel([numbers(0), numbers(100)], 2, stopped=lambda: True)) == list(range(200))


def test_what_is_done_in_time_is_given():
    assert within_time(lambda: [1, 2], lambda: False) == [1, 2]
    assert within_time(lambda: None, lambda: True) is None


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_what_fails_in_time_is_raised(kind):
    def failing():
        raise kind("no")

    with pytest.raises(kind, match="no"):
        within_time(failing, lambda: False)


def test_what_is_not_done_in_time_is_left_behind():
    hang = threading.Event()
    try:
        with pytest.raises(DeadlineError, match="before anything could be read"):
            within_time(lambda: hang.wait(LONG), lambda: True)
    finally:
        hang.set()
