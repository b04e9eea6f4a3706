"""The runs that an account's scans have had, of many scans at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.errors import AzureError, DeadlineError, SignInError
from sovereignmesh.plan import Unread
from sovereignmesh.purview.live import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.azure.purview import Purview, Run

__all__ = ["read_runs"]


def read_runs(purview: Purview, scans: Iterable[str]) -> tuple[dict[str, list[Run]], list[Unread]]:
    """The runs of each scan (SOURCE/SCAN), over all pages and in no order, and whose runs could not be read.

    Raises what concerns all of them: SignInError, DeadlineError.
    """

    def of(name: str) -> Iterator[tuple[str, list[Run] | AzureError]]:
        try:
            yield name, list(purview.runs.list(*name.split("/", 1)))
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            yield name, error

    found: dict[str, list[Run]] = {}
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
