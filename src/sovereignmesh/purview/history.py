"""The runs that an account's scans have had, of many scans at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.errors import AzureError, DeadlineError, SignInError
from sovereignmesh.plan import Unread
from sovereignmesh.purview.live import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.azure.purview import Purview, Run

__all__ = ["read_runs"]

Kept = TypeVar("Kept")


def read_runs(
    purview: Purview, scans: Iterable[str], keep: Callable[[Iterator[Run]], Kept]
) -> tuple[dict[str, Kept], list[Unread]]:
    """What `keep` keeps of the runs of each scan (SOURCE/SCAN), and whose runs could not be read.

    `keep` is given the runs as they come, over all pages and in no order: there may be years of them. Raises what
    concerns all of them: SignInError, DeadlineError.
    """

    def of(name: str) -> Iterator[tuple[str, Kept | AzureError]]:
        try:
            yield name, keep(purview.runs.list(*name.split("/", 1)))
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            yield name, error

    found: dict[str, Kept] = {}
    unread = []
    pace, tasks = purview.azure.pace, [partial(of, name) for name in scans]
    for name, runs in in_parallel(tasks, WORKERS, waiting=0, stopped=lambda: pace.stopped):
        if isinstance(runs, AzureError):
            unread.append(Unread(f"the runs of {name}", str(runs)))
        else:
            found[name] = runs
    if len(found) + len(unread) < len(tasks):
        raise DeadlineError("the time given was up, or the run was stopped, before the runs were read")
    return found, unread
