"""What was read of the children so far, in a file, so that an interrupted run need not ask for it again."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import re
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

import orjson

from sovereignmesh.audit.children import azures
from sovereignmesh.azure import Told
from sovereignmesh.errors import CheckpointError
from sovereignmesh.ownfile import lock, open_to_append

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.azure import Ask, Reader

__all__ = ["LONGEST_AGE", "Checkpoint", "KeepingReader"]

LONGEST_AGE: Final = dt.timedelta(hours=24)  # of an answer that is used again
_LOG: Final = logging.getLogger(__name__)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SCHEMA: Final = "sovereignmesh.checkpoint/v1"


class Checkpoint:
    """Answers by what was asked, appended to a file as they come; use it in a `with`.

    `scope` is whose answers they are (cloud and tenant): a file of another is refused. Answers older than a day, from
    the future, and failures are not used again; half a line, where a run was cut off, is passed over. Raises
    CheckpointError where the file cannot be read or written, or is no checkpoint.
    """

    def __init__(self, path: Path, scope: str, now: dt.datetime) -> None:
        self._path = path
        self._places: dict[bytes, int] = {}  # by a digest of what was asked: the whole of it would take much memory
        self._lock = threading.Lock()
        self._full = False
        head = {"schema": _SCHEMA, "scope": scope}
        try:
            self._file = _opened(path)
            try:
                if self._load(head, now):
                    self._rewrite(head)
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise CheckpointError(f"{path}: the checkpoint cannot be used: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written was said
            self._file.close()

    def __contains__(self, ask: Ask) -> bool:
        return _digest(_key(ask)) in self._places

    def find(self, ask: Ask) -> Told | None:
        """The answer that is known."""
        place = self._places.get(_digest(_key(ask)))
        if place is None:
            return None
        with self._lock:
            self._file.seek(place)
            entry = _parsed(self._file.readline())
        return Told(entry["items"], "", entry["at"]) if entry.get("asked") == _key(ask) else None

    def keep(self, ask: Ask, told: Told) -> None:
        """Keeps an answer; a failure is asked for again next time. That nothing more can be written is said once."""
        if told.failed:
            return
        entry = {"asked": _key(ask), "at": told.at, "items": told.items}
        try:
            line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # nested too deeply to be written: it is asked for again
            return
        with self._lock:
            try:
                if not self._full:
                    _append(self._file, line)
            except OSError as error:
                self._full = True
                _LOG.warning(
                    "%s: the checkpoint cannot be written, and nothing more is kept: %s", self._path, error.strerror
                )

    def remove(self) -> None:
        """Removes the file, which has done its work: everything was read."""
        self._path.unlink(missing_ok=True)

    def _load(self, head: dict[str, str], now: dt.datetime) -> bool:
        """Finds the answers in the file; whether it holds anything else, which nobody will use again."""
        ours = orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)
        first = self._file.readline()
        if first != ours and ours.startswith(first):  # nothing, or no more than where a run was cut off at once
            self._file.truncate(0)
            self._file.write(ours)
            self._file.flush()
            return False
        found = _parsed(first)
        if found.get("schema") != _SCHEMA:
            raise CheckpointError(f"{self._path}: no checkpoint of an audit: name another file, or none that is there")
        if found != head:
            raise CheckpointError(f"{self._path}: a checkpoint of {found.get('scope')}, not of {head['scope']}")
        oldest, latest = (
            moment.astimezone(dt.UTC).isoformat(timespec="seconds") for moment in (now - LONGEST_AGE, now)
        )
        place, stale = self._file.tell(), False
        for line in self._file:
            entry = _parsed(line)
            if line.endswith(b"\n") and _is_answer(entry, oldest, latest):
                self._places[_digest(entry["asked"])] = place
            else:
                stale = True
            place += len(line)
        return stale

    def _rewrite(self, head: dict[str, str]) -> None:
        """Writes the file anew with what is used again, so that one which no run finishes does not grow for ever."""
        places: dict[bytes, int] = {}
        anew = None
        try:
            with tempfile.NamedTemporaryFile(dir=self._path.parent, prefix=".checkpoint-", delete=False) as anew:
                anew.write(orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE))
                for asked, place in self._places.items():
                    places[asked] = anew.tell()
                    self._file.seek(place)
                    anew.write(self._file.readline())
            Path(anew.name).replace(self._path.resolve())
        except OSError:  # no room for both: the old one does as well
            if anew is not None:
                Path(anew.name).unlink(missing_ok=True)
            return
        self._file.close()
        self._file, self._places = _opened(self._path), places


class KeepingReader:
    """A reader that asks Azure only for what a checkpoint does not know, and keeps what comes there."""

    def __init__(self, reader: Reader, checkpoint: Checkpoint | None) -> None:
        self._reader, self._checkpoint = reader, checkpoint

    @property
    def remembers(self) -> bool:
        """Whether there is a checkpoint at all."""
        return self._checkpoint is not None

    def knows(self, ask: Ask) -> bool:
        """Whether the answer need not be asked for."""
        return self._checkpoint is not None and ask in self._checkpoint

    def read(self, asks: Sequence[Ask]) -> list[Told]:
        """The answers, in the order of `asks`: bodies of Azure's, without what only rows of this audit have."""
        return [told._replace(items=[azures(item) for item in told.items]) for told in self._read(asks)]

    def _read(self, asks: Sequence[Ask]) -> list[Told]:
        if self._checkpoint is None:
            return self._reader.read(asks)
        kept = [self._checkpoint.find(ask) for ask in asks]
        fresh = iter(self._reader.read([ask for ask, told in zip(asks, kept, strict=True) if told is None]))
        found = []
        for ask, told in zip(asks, kept, strict=True):
            one = told or next(fresh)
            if told is None:
                self._checkpoint.keep(ask, one)
            found.append(one)
        return found


def _opened(path: Path) -> IO[bytes]:
    """The file, for its owner and for one run alone. Raises CheckpointError where it is in use, OSError for no file."""
    file = open_to_append(path)
    try:
        lock(file)
        if os.chmod in os.supports_fd:  # not on every Windows
            os.chmod(file.fileno(), 0o600)  # noqa: PTH101 - a handle
    except BlockingIOError as error:
        file.close()
        raise CheckpointError(f"{path}: another run uses this checkpoint: name another file") from error
    return file


def _key(ask: Ask) -> str:
    """What was asked: another api-version gives another body, and other facts keep other properties of it."""
    return f"{ask.path}?{ask.api_version}" + ("" if ask.properties is None else f"&{','.join(ask.properties)}")


def _digest(asked: str) -> bytes:
    return hashlib.blake2b(asked.encode(errors="surrogatepass"), digest_size=16).digest()


def _append(file: IO[bytes], line: bytes) -> None:
    """Writes past the file's buffer: what could not be written must not come up again when it is read."""
    left = memoryview(line)
    while left:
        left = left[os.write(file.fileno(), left) :]


def _is_answer(entry: dict[str, Any], oldest: str, latest: str) -> bool:
    asked, at, items = entry.get("asked"), entry.get("at"), entry.get("items")
    if type(asked) is not str or type(at) is not str or type(items) is not list:
        return False
    in_time = _MOMENT.fullmatch(at) is not None and oldest <= at.replace("Z", "+00:00") <= latest
    return in_time and all(type(item) is dict for item in items)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
