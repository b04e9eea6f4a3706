"""Carrying a plan out: each change when what it needs is done, several at once, and nothing lost when one fails."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh.errors import (
    ClosedNetworkError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
    SovereignMeshError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sovereignmesh.plan.items import Change, Key

__all__ = ["Outcome", "State", "Written", "carry_out", "carry_out_together"]

State = Literal["done", "already", "failed", "left"]
Written = bool | SovereignMeshError  # False: it was done already
_TICK: Final = 0.2  # seconds between two looks at whether the run was stopped
_REFUSED: Final = (RejectedError, DeniedError, NotFoundError)  # one refuses all that are sent with it
_HOPELESS: Final = (SignInError, ClosedNetworkError, DeadlineError)  # whatever is tried next fails too


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: done; already as wished; failed, or left undone, and why."""

    change: Change
    state: State
    reason: str = ""


def carry_out(
    changes: Sequence[Change],
    write: Callable[[Change], bool],
    workers: int,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Does the changes, at most `workers` at once, and tells each outcome as it comes.

    `write` does one; False says that it was done already. A change waits for those that it needs, a deletion for those
    of what needs it and for all that is created and updated. What needs one that failed is left. What `write` raises of
    this package's errors is that change's failure; after one that concerns all, and once `stopped()`, what is under way
    ends and the rest is left.
    """

    def alone(some: list[Change]) -> list[Written]:
        return [write(each) for each in some]

    return carry_out_together(changes, alone, lambda _: 1, workers, stopped=stopped)


def carry_out_together(
    changes: Sequence[Change],
    write: Callable[[list[Change]], list[Written]],
    at_once: Callable[[Change], int],
    workers: int,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Does the changes as above, where `write` does several of a kind and gives what became of each.

    `at_once` says how many like a change may be done together. Where the service refuses several, each of them is tried
    alone; any other error of ours that `write` raises is the failure of all of them.
    """
    waiting = _Waiting(changes)
    running: dict[Future[list[Written]], list[Change]] = {}
    pool = ThreadPoolExecutor(workers, thread_name_prefix="apply")
    halt = threading.Event()
    stranger: BaseException | None = None  # what is none of this package's errors is raised when all is told
    try:
        while True:
            yield from waiting.left()
            while not (halt.is_set() or stopped()) and len(running) < workers and (some := waiting.some(at_once)):
                running[pool.submit(write, some)] = some
            if not running:
                break
            try:
                done, _ = wait(running, _TICK, FIRST_COMPLETED)
            except KeyboardInterrupt:  # what is under way is told, whatever became of it
                if halt.is_set():
                    raise  # a second one is meant
                halt.set()
                continue
            for future in done:
                some = running.pop(future)
                written = _written(some, future, waiting)
                stranger = next(filter(_is_strange, written), stranger)
                if stranger is not None or any(isinstance(each, _HOPELESS) for each in written):
                    halt.set()
                for outcome in map(_outcome, some, written):
                    waiting.tell(outcome)
                    yield outcome
        yield from waiting.rest("the run was stopped before it")
        if stranger is not None:
            raise stranger
    finally:
        halt.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _written(some: list[Change], future: Future[list[Written]], waiting: _Waiting) -> list[Any]:
    """What became of each, where `write` raised, that; empty where they wait again, to be tried one by one."""
    error = future.exception()
    if len(some) > 1 and isinstance(error, _REFUSED) and not isinstance(error, _HOPELESS):
        waiting.part(some)
        return []
    if error is None and len(future.result()) != len(some):
        error = RuntimeError(f"{len(some)} changes have {len(future.result())} ends")
    return future.result() if error is None else [error] * len(some)


def _is_strange(written: object) -> bool:
    return isinstance(written, BaseException) and not isinstance(written, SovereignMeshError)


def _outcome(change: Change, written: Written | BaseException) -> Outcome:
    if not isinstance(written, BaseException):
        return Outcome(change, "done" if written else "already")
    said = str(written) if isinstance(written, SovereignMeshError) else f"{type(written).__name__}: {written}"
    return Outcome(change, "failed", said)


class _Waiting:
    """The changes that nobody has begun, and what each waits for."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = {change.key: change for change in changes}
        writes = {key for key, change in self._changes.items() if not change.takes_away}
        self._needs: dict[Key, set[Key]] = {
            key: set(change.item.needs) & writes if key in writes else set() for key, change in self._changes.items()
        }
        self._deletions = [key for key in self._changes if key not in writes]
        for key in self._deletions:
            for needed in self._changes[key].item.needs:
                if needed in self._needs and needed not in writes:
                    self._needs[needed].add(key)
        self._users: dict[Key, list[Key]] = {}
        for key, needs in self._needs.items():
            for needed in needs:
                self._users.setdefault(needed, []).append(key)
        self._writes_left = len(writes)
        self._ready = [key for key in self._changes if key in writes and not self._needs[key]]
        self._ready.reverse()
        self._apart: list[Change] = []
        self._lost: list[Outcome] = []
        self._failed = False
        self._open_deletions()

    def some(self, at_once: Callable[[Change], int]) -> list[Change]:
        """Some of a kind that can be done now; empty: none, or not yet."""
        if self._apart:
            return [self._apart.pop()]
        found: list[Change] = []
        while self._ready and (not found or self._ready[-1].kind == found[0].item.kind):
            found.append(self._changes.pop(self._ready.pop()))
            if len(found) >= at_once(found[0]):
                break
        return found

    def part(self, some: list[Change]) -> None:
        """Takes back those that were refused together, to be done one by one."""
        self._apart += reversed(some)

    def tell(self, outcome: Outcome) -> None:
        """Lets go on what waited for one that has ended, or leaves it."""
        change = outcome.change
        if outcome.state == "failed":
            self._lose(change)
        else:
            for user in self._users.get(change.key, ()):
                self._needs[user].discard(change.key)
                if not self._needs[user] and user in self._changes and self._is_open(user):
                    self._ready.append(user)
        if not change.takes_away:
            self._writes_left -= 1
            self._failed |= outcome.state == "failed"
            self._open_deletions()

    def left(self) -> Iterator[Outcome]:
        """Those that cannot be done any more."""
        while self._lost:
            yield self._lost.pop(0)

    def rest(self, why: str) -> Iterator[Outcome]:
        """Those that nobody came to."""
        yield from self.left()
        for change in reversed(self._apart):
            yield Outcome(change, "left", why)
        for key, change in self._changes.items():
            yield Outcome(change, "left", "it needs itself" if key in self._needs[key] else why)
        self._changes.clear()

    def _is_open(self, key: Key) -> bool:
        return not self._changes[key].takes_away or not self._writes_left

    def _open_deletions(self) -> None:
        """Deletions begin when everything else is done, and only if it was: what replaces something is there first."""
        if self._writes_left:
            return
        for key in reversed(self._deletions):
            if key not in self._changes:
                continue
            if self._failed:
                change = self._changes.pop(key)
                self._lost.append(Outcome(change, "left", "nothing is taken away where something could not be written"))
            elif not self._needs[key] and key not in self._ready:
                self._ready.append(key)

    def _lose(self, change: Change) -> None:
        """Leaves what needs a change that was not done, and what needs that."""
        because = f"it needs {change.item.kind} {change.item.name}, which failed"
        if change.takes_away:
            what = "deleted" if change.action == "delete" else "written"
            because = f"{change.item.kind} {change.item.name} still needs it, and could not be {what}"
        found = [change.key]
        while found:
            for user in self._users.get(found.pop(), ()):
                lost = self._changes.pop(user, None)
                if lost is not None:
                    self._lost.append(Outcome(lost, "left", because))
                    found.append(user)
                    self._writes_left -= not lost.takes_away
