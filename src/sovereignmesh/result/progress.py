"""Progress of long work, on standard error, on a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from sovereignmesh.result.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import RenderableType

__all__ = ["follow"]


class _Following(Progress):
    """Looks at the work whenever it draws itself."""

    look: Callable[[], Any] | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.look is not None:
            self.look()
        return super().get_renderables()


@contextmanager
def follow(position: Callable[[], int], total: Callable[[], int], title: str) -> Iterator[None]:
    """A bar that follows `position` towards `total` while the context lasts; a total of 0 is not known yet."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with _Following(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(printable(title), total=total() or None)
        progress.look = lambda: progress.update(task, completed=position(), total=total() or None)
        yield
        progress.refresh()
