"""Progress of long work, on standard error, on a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from sovereignmesh.result.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["with_bar"]

Row = TypeVar("Row")
_EVERY = 1000  # rows between two looks at the position


@contextmanager
def with_bar(rows: Iterable[Row], position: Callable[[], int], total: int, title: str) -> Iterator[Iterable[Row]]:
    """The rows, with a bar that follows `position` towards `total` while they are taken."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(printable(title), total=total)

        def counted() -> Iterator[Row]:
            for number, row in enumerate(rows):
                if number % _EVERY == 0:
                    progress.update(task, completed=position())
                yield row

        yield counted()
