"""Where something stands in a file, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Location", "Problem"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file: `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One defect of a document: where, at which `$.path`, and what to do about it.

    `severity` is "error" (the mesh is refused) or "warning" (said, and loaded).
    """

    location: Location
    path: str
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.location}: {self.severity}: {self.message} ({self.path})"
