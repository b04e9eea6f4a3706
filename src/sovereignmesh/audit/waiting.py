"""Rows that wait for what they point at."""

from __future__ import annotations

import tempfile
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, runtime_checkable

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Holding", "Shelf", "WaitingRoom"]

_IN_MEMORY: Final = 1 << 24
_AS_IT_IS: Final = (
    orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


@runtime_checkable
class Holding(Protocol):
    """An inventory that holds rows back for what it still has to read about them."""

    def rest(self) -> Iterable[Any]:
        """What is still held after an interruption, as far as it is known."""


class WaitingRoom:
    """Keeps rows until all have been seen: beyond the first megabytes on disk, in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._odd: list[dict[str, Any]] = []
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, row: dict[str, Any]) -> None:
        """Takes a row in."""
        self._count += 1
        try:
            self._file.write(orjson.dumps(row, option=_AS_IT_IS))
        except orjson.JSONEncodeError:  # holds something that JSON does not have
            self._odd.append(row)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            yield orjson.loads(line)
        yield from self._odd


class Shelf:
    """Rows on disk, beyond the first megabytes, each to be had again by the number that putting it gave."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close
        self._lock = threading.Lock()
        self._end = 0

    def close(self) -> None:
        """Throws all of them away."""
        self._file.close()

    def put(self, row: dict[str, Any]) -> int:
        """Keeps a row, which must be JSON."""
        data = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
        with self._lock:
            number = self._end
            self._file.seek(number)
            self._file.write(data)
            self._end += len(data)
        return number

    def get(self, number: int) -> dict[str, Any]:
        """The row again."""
        with self._lock:
            self._file.seek(number)
            line = self._file.readline()
        row: dict[str, Any] = orjson.loads(line)
        return row
