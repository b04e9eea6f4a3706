"""Reads an export of resources: JSON lines, a JSON array, `az graph query` or ARM list output, gzip of any of these.

A plan of resources, too: see `audit.planned`.

Nothing is loaded whole and nothing is dropped: what cannot be read comes out as `Unread`, in its place.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import stat
import sys
import zlib
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

import orjson

from sovereignmesh.audit.children import OURS, azures
from sovereignmesh.audit.pages import ENVELOPE, ROWS, Pages, Unread, page_rows
from sovereignmesh.audit.planned import planned_rows
from sovereignmesh.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Inventory", "Unread"]

_CHUNK: Final = 1 << 18
_LONGEST_LINE: Final = 1 << 24  # a longer first line is one document: it is streamed, not held
_LARGEST_VALUE: Final = 1 << 26  # ARM answers at most 16 MiB; a value that does not end by here is broken
_ESCAPE: Final = re.compile(rb"\\[/u]")
_BROKEN_GZIP: Final = (EOFError, gzip.BadGzipFile, zlib.error)
_SPACE: Final = " \t\r\n"
_HOW: Final = "export with `az graph query -q 'resources' -o json` or one JSON object a line"


class Inventory:
    """An export of resources in a file; iterate over it for its rows, each a parsed JSON value or an `Unread`.

    `position` and `size` are bytes of the file, for a progress bar. `missing`, known after the iteration, is how many
    rows the export itself says it does not hold: a first page alone names its total.
    """

    def __init__(self, path: Path | str) -> None:
        self.name = str(path)
        self.size = self.position = self.missing = 0
        self._twice = False  # whether it can be read twice
        self._pages = Pages()
        self._begun: Iterator[Any] | None = None
        self._planned = False
        if self.name == "-":
            return
        try:
            about = Path(path).stat()
            self.size, self._twice = about.st_size, stat.S_ISREG(about.st_mode)
            if not stat.S_ISFIFO(about.st_mode):  # opening and closing a pipe would end it
                Path(path).open("rb").close()
        except OSError as error:
            raise InventoryError(f"{self.name}: cannot be opened: {error.strerror}; {_HOW}") from error

    def __iter__(self) -> Iterator[Any]:
        begun, self._begun = self._begun, None
        return begun or self._read()

    def is_plan(self) -> bool:
        """Whether the file says what is planned: looks at its first row, which the iteration gives all the same."""
        rows, first = self._read(), []
        for row in rows:
            first.append(row)
            if type(row) is not Unread:
                break
        self._begun = _continued(first, rows)
        return self._planned

    def _read(self) -> Iterator[Any]:
        self._pages = Pages()
        try:
            with self._text() as text:
                yield from self._rows(text)
        except _BROKEN_GZIP as error:
            yield Unread(f"{self.name}, after byte {self.position}", f"broken gzip: {error}", final=True)
        except OSError as error:
            yield Unread(f"{self.name}, after byte {self.position}", f"cannot be read: {error.strerror}", final=True)
        complaints = list(self._pages.complaints())
        self.missing = self._pages.missing
        yield from (Unread(self.name, why, final=True) for why in complaints)

    def ahead(self, types: Iterable[str]) -> Iterator[Any] | None:
        """The rows of these types (in lower case) and perhaps some others, read from the file's beginning.

        None where that cannot be done: a pipe is read once, and only JSON lines can be passed over unparsed.
        """
        if not self._twice:
            return None
        twin = Inventory(self.name)  # which may be read while this one is
        try:
            with twin._text() as text:
                as_lines = twin._head(text)[2]
        except (*_BROKEN_GZIP, OSError):
            return None
        return twin._of_types(types) if as_lines else None

    def _of_types(self, types: Iterable[str]) -> Iterator[Any]:
        wanted = re.compile(b"|".join(re.escape(f'"{name}"'.encode()) for name in types))
        # What breaks the reading is said when all rows are read.
        with suppress(*_BROKEN_GZIP, OSError), self._text() as text:
            for line in iter(lambda: text.readline(_LARGEST_VALUE), b""):
                hidden = b"\\" in line and _ESCAPE.search(line)  # an escape may hide the type
                if hidden or wanted.search(line.lower()):
                    value = _parse(line)
                    rows = page_rows(value)
                    yield from planned_rows(value, self.name) or _theirs((value,) if rows is None else rows)

    @contextmanager
    def _text(self) -> Iterator[IO[bytes]]:
        """The file's text from its beginning, as UTF-8 bytes, whatever wraps it."""
        self.position = 0
        if self.name == "-" and sys.stdin is None:
            raise InventoryError("standard input is closed: name a file, or pipe an export to it")
        with nullcontext(sys.stdin.buffer) if self.name == "-" else Path(self.name).open("rb") as raw:
            counted = io.BufferedReader(_Counted(raw, self), _CHUNK)
            stream: io.BufferedReader[Any] = counted
            if counted.peek(2)[:2] == b"\x1f\x8b":
                stream = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=counted)), _CHUNK)
            mark = stream.peek(3)[:3]
            if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                # What `>` writes in Windows PowerShell.
                yield cast("IO[bytes]", codecs.EncodedFile(stream, "utf-8", "utf-16", errors="replace"))
                return
            if mark == codecs.BOM_UTF8:
                stream.read(3)
            yield stream

    def _head(self, stream: IO[bytes]) -> tuple[int, list[bytes], bool]:
        """How many lines are blank, the first lines after them, and whether each line is a value of its own."""
        blank, first = _next_line(stream)
        mark = first.lstrip()[:1]
        if mark not in (b"[", b"{", b""):
            raise InventoryError(f"{self.name}: is not JSON: it starts with {first.lstrip()[:20]!r}; {_HOW}")
        as_lines = mark == b"{" and len(first) < _LONGEST_LINE and first.strip() != b"{"
        if not as_lines or _parse(first) is not None:
            return blank, [first], as_lines
        between, second = _next_line(stream)
        goes_on = first.rstrip().endswith(b"[")  # a page or a plan of several lines
        return blank, [first, *[b"\n"] * between, second], not goes_on and type(_parse(second)) is dict

    def _rows(self, stream: IO[bytes]) -> Iterator[Any]:
        blank, head, as_lines = self._head(stream)
        if not head[0].strip():
            yield Unread(self.name, "the file is empty", final=True)
            return
        if as_lines:
            values = self._lines(blank, head, stream)
        else:
            values = _Document(self.name, blank, b"".join(head), stream).values(self)
        for value in values:
            if type(value) is dict and "id" in value and OURS.isdisjoint(value):  # nearly always: a row by itself
                yield value
                continue
            rows = page_rows(value)
            if rows is None:
                planned = planned_rows(value, self.name)
                self._planned |= planned is not None
                yield from (_theirs((value,)) if planned is None else planned)
            else:
                yield from _theirs(rows)
                self.page(value, len(rows))

    def _lines(self, blank: int, head: list[bytes], stream: IO[bytes]) -> Iterator[Any]:
        number = blank
        for lines in (head, iter(partial(stream.readline, _LARGEST_VALUE), b"")):
            for line in lines:
                number += 1
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    if line.strip():
                        yield Unread(f"{self.name}:{number}", f"broken JSON: {error.msg}")
                if len(line) >= _LARGEST_VALUE and not line.endswith(b"\n"):
                    why = f"a line of more than {_LARGEST_VALUE >> 20} MB"
                    yield Unread(f"{self.name}:{number}", why, final=True)
                    return

    def page(self, envelope: dict[str, Any], rows: int) -> None:
        """Takes note of what a page says about itself."""
        self._pages.add(envelope, rows)


def _theirs(rows: Iterable[Any]) -> Iterator[Any]:
    """The rows as they come, without what only our own reading says of a resource."""
    for row in rows:
        if type(row) is dict and not OURS.isdisjoint(row):
            kept = azures(row)
            found = ", ".join(sorted(OURS & row.keys()))
            yield Unread(str(row.get("id")), f"no property of a resource, and left out: {found}", final=True)
            yield kept
        else:
            yield row


def _continued(first: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    yield from first
    yield from rest


class _Counted(io.RawIOBase):
    """Passes bytes on and tells the inventory how many of the file's have gone by."""

    def __init__(self, raw: IO[bytes], inventory: Inventory) -> None:
        self._raw, self._inventory = raw, inventory

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._inventory.position += len(data)
        return len(data)


def _parse(line: bytes) -> Any:
    """The line's value, None where it is broken."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _next_line(stream: IO[bytes]) -> tuple[int, bytes]:
    """The next line that is not blank, or its beginning where it is very long, and how many blank ones came before."""
    blank = 0
    while line := stream.readline(_LONGEST_LINE):
        if line.strip():
            return blank, line
        blank += line.endswith(b"\n")
    return blank, b""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


class _Document:
    """Walks through JSON text of any size: top-level values, and inside arrays and pages value by value."""

    def __init__(self, name: str, blank: int, head: bytes, stream: IO[bytes]) -> None:
        self._name, self._stream = name, stream
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._scan = json.JSONDecoder(parse_constant=_refuse).raw_decode
        self._head, self._text, self._at = head, "", 0
        self._lines_before = blank

    def values(self, inventory: Inventory) -> Iterator[Any]:
        try:
            self._text = self._decode(self._head)
            while (mark := self._peek()) is not None:
                if mark == "[":
                    yield from self._array()
                elif mark == "{":
                    yield from self._object(inventory)
                else:
                    yield self._value()
        except json.JSONDecodeError as error:
            line = self._lines_before + self._text.count("\n", 0, error.pos) + 1
            yield Unread(f"{self._name}:{line}", f"broken JSON: {error.msg}", final=True)
        except RecursionError:
            yield Unread(f"{self._name}:{self._line()}", "broken JSON: nested too deeply", final=True)
        except UnicodeDecodeError as error:
            yield Unread(f"{self._name}, after line {self._line()}", f"not UTF-8: {error.reason}", final=True)
        except ValueError as error:  # NaN, or a number of thousands of digits
            yield Unread(f"{self._name}, after line {self._line()}", f"broken JSON: {error}", final=True)

    def _array(self) -> Iterator[Any]:
        self._take("[")
        if self._peek() == "]":
            self._take("]")
            return
        while True:
            yield self._value()
            if self._take(",", "]") == "]":
                return

    def _object(self, inventory: Inventory) -> Iterator[Any]:
        """A page's rows one by one; any other object as one value."""
        members: dict[str, Any] = {}
        rows = 0
        paged = False
        self._take("{")
        while self._peek() != "}":
            key = self._value()
            if type(key) is not str:
                raise json.JSONDecodeError("a member name must be a string", self._text, self._at)
            self._take(":")
            if key in ROWS and not paged and not members.keys() - ENVELOPE and self._peek() == "[":
                paged = True
                for value in self._array():
                    rows += 1
                    yield value
            else:
                members[key] = self._value()
            if self._take(",", "}") == "}":
                break
        else:
            self._take("}")
        if paged:
            inventory.page(members, rows)
        if (
            not paged or members.keys() - ENVELOPE or members.keys() & set(ROWS)
        ):  # an error beside the rows, or a resource that looked like a page
            yield members

    def _value(self) -> Any:
        self._peek()
        ended = False
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except json.JSONDecodeError:
                if ended:
                    raise
            else:
                if ended or end < len(self._text):  # `12` may be the beginning of `123`
                    self._at = end
                    return value
            waiting = len(self._text) - self._at
            ended = not self._more(waiting) or waiting > _LARGEST_VALUE

    def _take(self, *expected: str) -> str:
        found = self._peek()
        if found not in expected:
            raise json.JSONDecodeError(f"expected {' or '.join(expected)}", self._text, self._at)
        self._at += 1
        return found

    def _peek(self) -> str | None:
        """The next character that is not white space, None at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if not self._more():
                return None

    def _more(self, least: int = 0) -> bool:
        """Reads on, at least as much again as is waiting, so that a long value costs no square."""
        data = self._stream.read(max(_CHUNK, least))
        fresh = self._decode(data, final=not data)
        self._lines_before += self._text.count("\n", 0, self._at)
        self._text, self._at = self._text[self._at :] + fresh, 0
        return bool(data)

    def _line(self) -> int:
        return self._lines_before + self._text.count("\n", 0, self._at) + 1
