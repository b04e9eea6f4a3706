"""Keeps findings: each once, in a stable order, in bounded memory."""

from __future__ import annotations

import dataclasses
import heapq
import pickle
import tempfile
import weakref
from itertools import islice
from typing import IO, TYPE_CHECKING

from sovereignmesh.result.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FindingStore"]

_FIELDS = tuple(field.name for field in dataclasses.fields(Finding))


class FindingStore:
    """A sorted collection of findings; what is past `limit` waits on disk in an unnamed temporary file.

    Iterating gives the findings in `Finding.order`, however many there are and in whatever order they were added.
    """

    def __init__(self, limit: int = 25_000) -> None:
        self._limit = limit
        self._fresh: list[Finding] = []
        self._spilled: list[tuple[int, int]] = []
        self._file: IO[bytes] | None = None
        # Ids by how bad they are: failures and exemptions, unknowns, the rest.
        self._known: tuple[set[int], set[int], set[int]] = (set(), set(), set())

    def __len__(self) -> int:
        return len(set.union(*self._known))

    def __repr__(self) -> str:
        return f"<FindingStore: {len(self)} findings>"

    def __getitem__(self, index: int) -> Finding:
        """The finding at that place of the order, counted from the worst."""
        if index < 0:
            index += len(self)
        found = next(islice(self, index, None), None) if index >= 0 else None
        if found is None:
            raise IndexError(f"there are {len(self)} findings")
        return found

    def add(self, finding: Finding) -> bool:
        """Keeps the finding; False where one with the same id that is as bad or worse is kept already.

        Where two rows of one resource contradict each other, the worst of them is what iterating gives.
        """
        key, rank = _key(finding), _rank(finding)
        if any(key in known for known in self._known[: rank + 1]):
            return False
        self._known[rank].add(key)
        self._fresh.append(finding)
        if len(self._fresh) > self._limit:
            self._spill()
        return True

    def __iter__(self) -> Iterator[Finding]:
        self._fresh.sort(key=_order)
        runs = [self._read(start, count) for start, count in self._spilled]
        merged = heapq.merge(*runs, self._fresh, key=_order) if runs else self._fresh
        return (finding for finding in merged if not self._worse(finding))

    def _worse(self, finding: Finding) -> bool:
        """Whether something worse is known of the same judgement."""
        return any(_key(finding) in known for known in self._known[: _rank(finding)])

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="sovereignmesh-")  # noqa: SIM115 - closed with the store
            weakref.finalize(self, self._file.close)
        self._fresh.sort(key=_order)
        start = self._file.seek(0, 2)
        for finding in self._fresh:
            pickle.dump(tuple(getattr(finding, name) for name in _FIELDS), self._file, protocol=5)
        self._spilled.append((start, len(self._fresh)))
        self._fresh = []

    def _read(self, start: int, count: int) -> Iterator[Finding]:
        file = self._file
        assert file is not None
        position = start
        for _ in range(count):
            file.seek(position)  # the runs are merged, so each keeps its own place in the one file
            values = pickle.load(file)  # noqa: S301 - written by this process, in a file without a name
            position = file.tell()
            yield Finding(*values)


def _key(finding: Finding) -> int:
    return int(finding.id[:16], 16)


def _rank(finding: Finding) -> int:
    return 2 if finding.passed else finding.state == "unknown"


def _order(finding: Finding) -> tuple[int, int, int, str, str]:
    return finding.order
