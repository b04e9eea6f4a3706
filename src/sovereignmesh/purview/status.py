"""How an account stands: its sources, what became of the last run of each scan, and when the next one comes."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.plan import Key
from sovereignmesh.purview.history import read_runs
from sovereignmesh.purview.live import Live
from sovereignmesh.purview.recurrence import next_occurrence
from sovereignmesh.result.notebook import table_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount, Run
    from sovereignmesh.plan import Item, Unread

__all__ = ["PurviewStatus", "ScanStatus", "purview_status"]


@dataclass(frozen=True, slots=True)
class ScanStatus:
    """One scan of a source; of a source without scans one with an empty `scan`.

    `run` is the service's word for the state of the last run, "" where there was none and `unknown` where that could
    not be read; `ended` is None while it runs; `next_run` is in UTC, None where no trigger is on. `note` says what is
    not known, and why.
    """

    source: str
    kind: str
    collection: str
    scan: str = ""
    run: str = ""
    ended: dt.datetime | None = None
    next_run: dt.datetime | None = None
    note: str = ""


_COLUMNS: Final = ("Source", "Kind", "Collection", "Scan", "Last run", "Ended (UTC)", "Next run (UTC)", "Note")
_ALWAYS: Final = 5  # columns


@dataclass(frozen=True, slots=True, repr=False)
class PurviewStatus:
    """How an account stands; what could not be read is in `unread`."""

    account: str
    location: str
    scans: tuple[ScanStatus, ...]
    unread: tuple[Unread, ...]

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not self.unread

    @property
    def table(self) -> tuple[list[str], list[list[str]]]:
        """The names of the columns and, by scan, what is in them; without columns in which there is nothing."""
        rows = [
            [scan.source, scan.kind, scan.collection, scan.scan or "no scan",
             scan.run or ("never" if scan.scan else ""), _when(scan.ended), _when(scan.next_run), scan.note]
            for scan in self.scans
        ]  # fmt: skip
        kept = [at for at, _ in enumerate(_COLUMNS) if at < _ALWAYS or any(row[at] for row in rows)]
        return [_COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in rows]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.account} in {self.location}: {len(self.scans)} rows>"

    def _repr_html_(self) -> str:
        return table_html(f"Purview account {self.account} in {self.location}", *self.table, unread=self.unread)

    def to_dict(self) -> dict[str, Any]:
        """The status as JSON."""
        return {
            "account": self.account,
            "location": self.location,
            "complete": self.complete,
            "scans": [_dict(scan) for scan in self.scans],
            "unread": [unread._asdict() for unread in self.unread],
        }


def _when(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _dict(scan: ScanStatus) -> dict[str, Any]:
    """Times as ISO 8601, and null for what there is not."""
    told = {
        name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in asdict(scan).items()
    }
    return {name: value if value != "" else None for name, value in told.items()}


def purview_status(
    azure: Azure,
    account: str | PurviewAccount,
    *,
    progress: Callable[[Live], AbstractContextManager[object]] = nullcontext,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> PurviewStatus:
    """The sources of an account with their scans. Only reads.

    Raises an `AzureError` where the account or its collections cannot be read; what else cannot be is in `unread`.
    """
    purview = connect_purview(account, azure)
    live = Live(purview)
    with progress(live):
        live.read_lists({"collection", "source"})
        live.read_scans(item.name for item in live.of("source"))
        live.read_single("trigger", [item.name for item in live.of("scan")])
    scans = sorted(live.of("scan"), key=lambda item: item.key)
    runs, unread = _last_runs(purview, scans)
    titles = {collection.name.casefold(): collection.friendly_name for collection in live.collections()}
    found = [_scan(live, titles, scan, runs, now()) for scan in scans]
    scanned = {scan.source.casefold() for scan in found}
    for item in live.of("source"):
        if item.key.name not in scanned:
            hidden = f"scan/{item.key.name}" in live.lost
            found.append(ScanStatus(*_source(item, titles), note="its scans could not be read" if hidden else ""))
    return PurviewStatus(
        purview.account.name,
        purview.account.location,
        tuple(sorted(found, key=lambda scan: (scan.source.casefold(), scan.scan.casefold()))),
        (*live.unread, *unread),
    )


def _source(item: Item, titles: dict[str, str]) -> tuple[str, str, str]:
    reference = (item.body.get("properties") or {}).get("collection") or {}
    name = str(reference.get("referenceName", ""))
    return item.name, str(item.body.get("kind", "")), titles.get(name.casefold(), "") or name


def _scan(live: Live, titles: dict[str, str], scan: Item, runs: dict[str, Run | None], now: dt.datetime) -> ScanStatus:
    source, _, name = scan.name.rpartition("/")
    run = runs.get(scan.name)
    trigger = live.items.get(Key("trigger", scan.key.name))
    following, note = _next(trigger, now) if trigger else (None, "")
    if f"trigger/{scan.key.name}" in live.lost:
        note = "its trigger could not be read"
    if run is not None and run.error:
        note = f"{note}; {run.error}" if note else run.error
    return ScanStatus(
        *_source(live.items[Key("source", source.casefold())], titles),
        name,
        "unknown" if scan.name not in runs else run.status if run else "",
        run.ended if run else None,
        following,
        note,
    )


def _next(trigger: Item, now: dt.datetime) -> tuple[dt.datetime | None, str]:
    properties = trigger.body.get("properties") or {}
    if properties.get("state") == "Disabled":
        return None, "the trigger is off"
    if trigger.body.get("validationErrorInfo"):
        return None, f"the trigger does not fire: {trigger.body['validationErrorInfo']}"
    try:
        following = next_occurrence(properties.get("recurrence") or {}, now)
    except (ValueError, TypeError) as error:
        return None, f"when the trigger fires is not known: {error}"
    return following, "" if following else "the trigger has ended"


def _last_runs(purview: Purview, scans: list[Item]) -> tuple[dict[str, Run | None], list[Unread]]:
    """The last run of each scan; no order of its history is documented."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)

    def last(runs: Iterator[Run]) -> Run | None:
        return max(runs, key=lambda run: run.started or never, default=None)

    return read_runs(purview, [scan.name for scan in scans], last)
