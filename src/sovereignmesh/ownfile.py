"""Files that one run keeps for itself and its owner: never through a link, never waiting for a pipe, locked."""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING, Final

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]  # typeshed has no module that may be missing

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lock", "open_to_append", "open_to_read"]

# A pipe that nobody reads would hold the run up, and a link could lead anywhere.
_CAREFULLY: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NOCTTY", 0)
_WORDS: Final = {errno.ELOOP: "it is a link", errno.EISDIR: "it is a folder"}
_NO_FILES: Final = (
    (stat.S_ISFIFO, "it is a pipe"), (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISCHR, "it is a device"), (stat.S_ISBLK, "it is a device"),
)  # fmt: skip


def open_to_read(path: Path) -> IO[bytes]:
    """The file. Raises OSError, whose `strerror` says it in words, where there is none or it is no ordinary file."""
    return _opened(path, os.O_RDONLY, "rb")


def open_to_append(path: Path) -> IO[bytes]:
    """The file, to be read and appended to; made where there is none, for its owner alone. Raises as above."""
    return _opened(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, "rb+")


def lock(file: IO[bytes]) -> None:
    """Holds the file for one run alone, where the system can. Raises BlockingIOError where another has it."""
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _opened(path: Path, how: int, mode: str) -> IO[bytes]:
    try:
        handle = os.open(path, how | _CAREFULLY, 0o600)
    except OSError as error:
        raise type(error)(error.errno, _WORDS.get(error.errno or 0, error.strerror), str(path)) from error
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return open(handle, mode)  # noqa: PTH123 - a handle
    os.close(handle)
    raise OSError(errno.EINVAL, next((word for is_it, word in _NO_FILES if is_it(kind)), "no ordinary file"), str(path))
