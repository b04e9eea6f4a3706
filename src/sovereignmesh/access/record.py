"""The record of who asked, who decided, and why: lines that are only ever added, each bound to the one before."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Literal, NamedTuple

from sovereignmesh.errors import RecordError
from sovereignmesh.ownfile import lock, open_to_append, open_to_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["AccessRecord", "Entry", "Outcome", "Recorded"]

Outcome = Literal["sending", "accepted", "refused", "unknown"]
_HASH: Final = "hash"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: what was done (`action`: request, approve or reject), by whom, to which request, and what came of it.

    `outcome` is sending before something is sent, then accepted or refused by the service; unknown: no answer came, as
    where a `sending` is followed by nothing. `at` is in UTC, `actor` an object id with a name, "" where nobody said.
    """

    action: str
    outcome: Outcome
    account: str
    at: str = ""
    actor: str = ""
    request: str = ""
    runs: tuple[str, ...] = ()
    product: str = ""
    consumer: str = ""
    person: str = ""
    comment: str = ""
    why: str = ""


class Recorded(NamedTuple):
    """What a record says: its entries, and why it is not whole, "" where it is."""

    entries: tuple[Entry, ...]
    broken: str


class AccessRecord:
    """A file of JSON lines, each with a hash of itself and of the hash before it.

    A line that was changed, taken out or put in shows. That lines are missing at the end, only a copy of the last hash
    would show.
    """

    def __init__(self, path: Path, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self.path, self._now = path, now

    def read(self) -> Recorded:
        """What it says; nothing, where there is no such file. Raises RecordError where it cannot be read."""
        try:
            with open_to_read(self.path) as file:
                data = file.read()
        except FileNotFoundError:
            return Recorded((), "")
        except OSError as error:
            raise self._unusable("read", error) from error
        return _parsed(data)[0]

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[Entry], None]]:
        """What adds an entry, while nobody else writes. Raises RecordError, then too, where it cannot be written."""
        try:
            file = open_to_append(self.path)
        except OSError as error:
            raise self._unusable("written", error) from error
        with file:
            try:
                lock(file)
            except BlockingIOError as error:
                raise RecordError(f"{self.path}: another run writes the record: try again when it has ended") from error
            try:
                data = file.read()
            except OSError as error:
                raise self._unusable("read", error) from error
            told, last = _parsed(data)
            if data.strip() and not told.entries:
                raise self._no_record("written", "it is another file, and has no entry")
            cut = bool(data) and not data.endswith(b"\n")  # where a run was ended: the half line stays, for all to see

            def add(entry: Entry) -> None:
                nonlocal last, cut
                before = last
                at = self._now().astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                told = {**dataclasses.asdict(entry), "at": at}
                last = _hashed(last, told)
                line = json.dumps({**told, _HASH: last}, ensure_ascii=False).encode(errors="backslashreplace")
                try:
                    _append(file, (b"\n" if cut else b"") + line + b"\n")
                except BaseException as error:
                    last = before
                    if isinstance(error, OSError):
                        raise self._unusable("written", error) from error
                    raise
                cut = False

            yield add

    def _unusable(self, what: str, error: OSError) -> RecordError:
        return self._no_record(what, error.strerror or "nobody says why")

    def _no_record(self, what: str, why: str) -> RecordError:
        return RecordError(f"{self.path}: the record of decisions cannot be {what}: {why}; name another with --record")


def _append(file: IO[bytes], line: bytes) -> None:
    """Writes a line to the disk itself, the whole of it or nothing."""
    length = os.fstat(file.fileno()).st_size
    left = memoryview(line)
    try:
        while left:
            left = left[os.write(file.fileno(), left) :]
        os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), length)
        raise


def _hashed(before: str, told: dict[str, Any]) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=True)
    return "sha256:" + hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _parsed(data: bytes) -> tuple[Recorded, str]:
    """The entries, and the last hash."""
    entries, broken, last = [], "", ""
    for number, line in enumerate(data.splitlines(), 1):
        try:
            told = json.loads(line)
            said = told.pop(_HASH)
            entry = _entry(told)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            broken = broken or f"line {number} is no entry"
            continue
        if said != _hashed(last, told):
            broken = broken or f"line {number} is not what was written there, or a line before it is missing"
        last = str(said)
        entries.append(entry)
    return Recorded(tuple(entries), broken), last


def _entry(told: dict[str, Any]) -> Entry:
    """Raises TypeError for what is none."""
    runs = told.get("runs")
    entry = Entry(**{**told, "runs": tuple(runs) if isinstance(runs, list) else None})
    texts = (value for field, value in dataclasses.asdict(entry).items() if field != "runs")
    if not all(isinstance(text, str) for text in (*texts, *entry.runs)):
        raise TypeError("a text is wanted")
    return entry
