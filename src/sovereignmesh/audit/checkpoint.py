"""What was read of the children so far, in a file, so that an interrupted run need not ask for it again."""

from __future__ import annotations

import datetime as dt
import os
import threading
from typing import IO, TYPE_CHECKING, Any, Final, Self

import orjson

from sovereignmesh.azure import Told
from sovereignmesh.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LONGEST_AGE", "Checkpoint"]

LONGEST_AGE: Final = dt.timedelta(hours=24)  # of an answer that is used again
_HEAD: Final = {"schema": "sovereignmesh.checkpoint/v1"}


class Checkpoint:
    """Answers by path, appended to a file as they come; use it in a `with`.

    `scope` is whose answers they are (cloud and tenant): a file of another is refused. Answers older than a day, and
    failures, are not used again; half a line, where a run was cut off, is passed over. Raises CheckpointError where the
    file cannot be read or written, or is no checkpoint.
    """

    def __init__(self, path: Path, scope: str, now: dt.datetime) -> None:
        self._path = path
        self._places: dict[str, int] = {}
        self._lock = threading.Lock()
        head = {**_HEAD, "scope": scope}
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._file: IO[bytes] = open(handle, "r+b")  # noqa: PTH123, SIM115 - a handle; closed by __exit__
        except OSError as error:
            raise CheckpointError(f"{path}: the checkpoint cannot be used: {error.strerror}") from error
        try:
            self._load(head, now)
        except BaseException:
            self._file.close()
            raise

    def _load(self, head: dict[str, str], now: dt.datetime) -> None:
        first = self._file.readline()
        if not first:
            self._file.write(orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE))
            self._file.flush()
            return
        found = _parsed(first)
        if found.get("schema") != head["schema"]:
            raise CheckpointError(
                f"{self._path}: no checkpoint of an audit: name another file, or one that is not there"
            )
        if found != head:
            raise CheckpointError(f"{self._path}: a checkpoint of {found.get('scope')}, not of {head['scope']}")
        place, oldest = self._file.tell(), (now - LONGEST_AGE).astimezone(dt.UTC).isoformat(timespec="seconds")
        for line in self._file:
            entry = _parsed(line)
            path, at, items = entry.get("path"), entry.get("at"), entry.get("items")
            if type(path) is str and type(at) is str and type(items) is list and at >= oldest.replace("+00:00", "Z"):
                self._places[path] = place
            place += len(line)
        if not line_ends(self._file, place):
            self._file.write(b"\n")

    def find(self, path: str) -> Told | None:
        """The answer that is known for a path."""
        place = self._places.get(path)
        if place is None:
            return None
        with self._lock:
            self._file.seek(place)
            entry = _parsed(self._file.readline())
        return Told(entry["items"], "", entry["at"])

    def keep(self, path: str, told: Told) -> None:
        """Keeps an answer; a failure is asked for again next time."""
        if told.failed:
            return
        line = orjson.dumps({"path": path, "at": told.at, "items": told.items}, option=orjson.OPT_APPEND_NEWLINE)
        with self._lock:
            try:
                self._file.seek(0, os.SEEK_END)
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                raise CheckpointError(f"{self._path}: the checkpoint cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def remove(self) -> None:
        """Removes the file, which has done its work: everything was read."""
        self._path.unlink(missing_ok=True)


def line_ends(file: IO[bytes], end: int) -> bool:
    """Whether the file, `end` bytes long, ends with a line's end."""
    file.seek(max(0, end - 1))
    return file.read(1) == b"\n"


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
