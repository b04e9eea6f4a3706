"""Which scans an account has, which runs they have had, and what of both may be there and is not seen."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import AzureError, DeadlineError, NotFoundError, SignInError
from sovereignmesh.plan import Item, Unread
from sovereignmesh.purview.history import read_runs
from sovereignmesh.purview.live import Live
from sovereignmesh.scans.result import ScanRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sovereignmesh.azure.purview import Purview, Run

    Expected = Mapping[str, Iterable[str]]

__all__ = ["find_runs", "find_scans"]

_NONE_SEEN: Final = "none is seen: it has none, or you lack the role Data Source Administrator in its collections"


def find_scans(
    purview: Purview, source: str | None = None, expected: Expected | None = None
) -> tuple[list[tuple[str, str]], list[Unread]]:
    """The scans of the account, or of a source, as (source, scan) in order; and what could not be read, or is not seen.

    A list leaves out what the caller may not read: whoever lost a role sees as little as whoever has no scans. So an
    account that shows none is told as not read, and so are sources and scans that are `expected`, not among them, and
    not said to be missing when they are asked for by name.
    """
    expected = expected or {}
    if source is not None:
        try:
            found = sorted((source, scan.name) for scan in purview.scans.list(source))
            if not found:
                purview.sources.get(source)  # none of it is only of a source that can be read
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            return [], [Unread(f"the scans of source {source}", str(error))]
        own = {name: scans for name, scans in expected.items() if name.casefold() == source.casefold()}
        return found, list(_unseen(purview, own, {source.casefold()}, found))
    live = Live(purview)
    live.read_lists({"source"})
    live.read_scans(item.name for item in live.of("source"))
    names = (item.name.partition("/") for item in live.of("scan"))
    found = sorted((of, scan) for of, _, scan in names)
    if not found and not live.unread:
        return [], [Unread("the scans of the account", _NONE_SEEN)]
    # Of what lies in a list that could not be read, that list is told.
    known = {
        name: [scan for scan in scans if live.knows(Item("scan", f"{name}/{scan}", {}))]
        for name, scans in expected.items()
        if live.knows(Item("source", name, {}))
    }
    return found, [*live.unread, *_unseen(purview, known, {item.name.casefold() for item in live.of("source")}, found)]


def _unseen(
    purview: Purview, expected: Expected, sources: set[str], scans: Iterable[tuple[str, str]]
) -> Iterator[Unread]:
    """What is expected, in no list, and asked for by name not said to be missing."""
    seen = {"/".join(each).casefold() for each in scans}
    for source, names in expected.items():
        if source.casefold() not in sources:
            yield from _hidden(f"the source {source}", partial(purview.sources.get, source))
            continue
        for name in names:
            if f"{source}/{name}".casefold() not in seen:
                yield from _hidden(f"the scan {source}/{name}", partial(purview.scans.get, source, name))


def _hidden(what: str, read: Callable[[], object]) -> Iterator[Unread]:
    try:
        read()
    except NotFoundError:  # it is not applied, and none of the account's
        return
    except (SignInError, DeadlineError):
        raise
    except AzureError as error:
        yield Unread(what, f"the mesh wishes it, and no list shows it: {error}")
    else:
        yield Unread(what, "the mesh wishes it, it is there, and no list shows it")


def find_runs(
    purview: Purview,
    source: str | None,
    scan: str | None,
    keep: Callable[[Iterator[Run]], list[Run]],
    expected: Expected | None = None,
) -> tuple[list[ScanRun], list[Unread]]:
    """The runs that there were, newest first, as far as they are to be kept; and what could not be read."""
    scans, unread = find_scans(purview, source, expected) if source is None or scan is None else ([(source, scan)], [])
    found, more = read_runs(purview, ["/".join(each) for each in scans], keep)

    def told() -> Iterator[ScanRun]:
        for name, runs in found.items():
            for run in runs:
                of, _, its = name.partition("/")
                yield ScanRun(of, its, run.id, run)

    never = dt.datetime.max.replace(tzinfo=dt.UTC)  # what does not say when it began may just begin
    ordered = sorted(told(), key=lambda each: ((each.run and each.run.started) or never, each.name), reverse=True)
    return ordered, [*unread, *more]
