"""Who has asked for access, and what was decided: what the service shows, and what the record says besides."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.access.deciding import WINDOW, readable_of, runs_in, tasks_of, text_in
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.azure.purview.workflow import GRANT_ACCESS
from sovereignmesh.errors import AnswerError, AzureError, DeadlineError, NotFoundError, SignInError
from sovereignmesh.plan import Unread
from sovereignmesh.purview.live import WORKERS
from sovereignmesh.purview.workflows import no_service
from sovereignmesh.result.notebook import table_html
from sovereignmesh.result.text import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.access.record import AccessRecord, Entry
    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount, WorkflowRun, WorkflowTask
    from sovereignmesh.mesh import Mesh

    _Refuse = Callable[[AnswerError], None]

__all__ = ["STATUSES", "AccessList", "AccessRequest", "list_access"]

# Of approvals and of runs, as the specification has them, and what the record alone knows.
STATUSES: Final = (
    "Pending", "Approved", "Rejected", "Canceled", "NotStarted", "InProgress", "Completed", "Failed", "Canceling",
    "CancellationFailed", "Refused", "Unknown",
)  # fmt: skip
_WRONG: Final = ("Failed", "Canceled", "Canceling", "CancellationFailed")
_PENDING: Final = "Pending"
_UNKNOWN: Final = "Unknown"
_GOES_ON: Final = "InProgress"  # of a run
_TABLE: Final = (
    "request", "product", "consumer", "requestor", "for", "asked (UTC)", "status", "decided by", "when (UTC)", "reason",
    "comment",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request for access: what is asked for, by whom and why, and what became of it.

    `status` is the service's word, and an open set: of the approval, or of the run where that went wrong. `source` is
    service, or record where the service does not show the request any more. What nobody says is "" or None.
    """

    id: str
    product: str = ""
    consumer: str = ""
    requestor: str = ""
    person: str = ""
    reason: str = ""
    status: str = ""
    asked: str = ""
    decided_by: str = ""
    decided_at: str = ""
    comment: str = ""
    source: str = "service"


@dataclass(frozen=True, slots=True)
class AccessList:
    """The requests, the newest first; what could not be read, and whether the record is whole."""

    account: str
    requests: tuple[AccessRequest, ...]
    unread: tuple[Unread, ...] = ()
    record: str = ""
    broken: str = ""
    names: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def complete(self) -> bool:
        """Whether everything could be read, and the record is as it was written."""
        return not self.unread and not self.broken

    @property
    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The names of columns, and rows of texts."""
        rows: list[tuple[str, ...]] = [
            (
                one.id, one.product, one.consumer, self._named(one.requestor), self._named(one.person),
                _minute(one.asked), _status(one), self._named(one.decided_by), _minute(one.decided_at), one.reason,
                one.comment,
            )
            for one in self.requests
        ]  # fmt: skip
        return _TABLE, rows

    def _named(self, who: str) -> str:
        return self.names.get(who.partition(" ")[0], who)

    def _repr_html_(self) -> str:
        broken = [f"the record {self.record} is not whole: {self.broken}"] if self.broken else []
        title = f"Requests for access, account {self.account.rpartition('/')[2]}"
        return table_html(title, *self.table, notes=broken, unread=self.unread)

    def to_dict(self) -> dict[str, Any]:
        """The list as JSON."""
        return {
            "schema": "sovereignmesh.access/v1",
            "account": self.account,
            "complete": self.complete,
            "requests": [dataclasses.asdict(one) for one in self.requests],
            "record": {"file": self.record, "broken": self.broken},
            "unread": [unread._asdict() for unread in self.unread],
        }


def _minute(when: str) -> str:
    """A time as it is shown: to the minute.

    >>> _minute("2026-11-30T12:00:00Z")
    '2026-11-30 12:00'
    """
    return when[: len("2026-11-30T12:00")].replace("T", " ")


def _status(one: AccessRequest) -> str:
    return one.status if one.source == "service" else f"{one.status} (record)"


def list_access(
    azure: Azure,
    account: str | PurviewAccount,
    record: AccessRecord | None = None,
    *,
    mesh: Mesh | None = None,
    everybody: bool = False,
) -> AccessList:
    """The requests for access of the last 90 days, which is the longest that the service knows, and of the record.

    Those that the caller has made, has to decide, or has decided; `everybody`: of the whole account, which takes the
    role Workflow Administrator. `mesh` has the names of people. Raises an `AzureError` where the account is not found,
    RecordError where there is a record that cannot be read.
    """
    told = record.read() if record is not None else None
    purview = connect_purview(account, azure)
    unread: list[Unread] = []
    runs: dict[str, WorkflowRun] = {}
    tasks: dict[str, WorkflowTask] = {}

    def read(what: str, some: Callable[[_Refuse], Iterator[Any]], into: Callable[[Any], None]) -> None:
        def refuse(error: AnswerError) -> None:
            one = Unread(what, str(error))
            if one not in unread:  # several views may show it
                unread.append(one)

        try:
            for _ in readable_of(map(into, some(refuse)), refuse):
                pass
        except (SignInError, DeadlineError):
            raise
        except NotFoundError as error:
            unread.append(Unread(what, no_service(purview.account.name, str(error))))
        except AzureError as error:
            unread.append(Unread(what, str(error)))

    view = "admin" if everybody else "mine"
    read("the runs of workflows", lambda _: purview.workflow_runs.list(view, WINDOW), partial(_keep, runs))
    read("the approvals", partial(tasks_of, purview), partial(_keep_task, tasks))
    untold = _ask_of(purview, runs, [identity for identity in runs if identity not in tasks])
    unread += [Unread(f"what was asked for in {count} runs of workflows", why) for why, count in untold.items()]
    entries = [entry for entry in told.entries if _is_of(entry, purview)] if told else []
    known = _Known(entries, {} if told is None or told.broken else runs_in(entries, purview.account.id))
    found = [_shown(identity, runs.get(identity), tasks.get(identity), known) for identity in {**runs, **tasks}]
    shown = {one.id for one in found}
    found += [one for one in known.requests() if one.id not in shown]
    return AccessList(
        purview.account.id,
        tuple(sorted(found, key=lambda one: (one.asked, one.id), reverse=True)),
        tuple(unread),
        str(record.path) if record is not None else "",
        told.broken if told else "",
        {identity: name for name, identity in mesh.directory.items()} if mesh else {},
    )


def _ask_of(purview: Purview, runs: dict[str, WorkflowRun], wanted: list[str]) -> Counter[str]:
    """Replaces runs by what a read of each alone tells besides; why some could not be read, and how many.

    In a list runs do not say what was asked for; where the caller has no task of theirs, nothing else does.
    """

    def read(identity: str) -> Iterator[tuple[str, WorkflowRun | AzureError]]:
        try:
            yield identity, purview.workflow_runs.get(identity)
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            yield identity, error

    untold: Counter[str] = Counter()
    seen, pace = 0, purview.azure.pace
    asked = [partial(read, identity) for identity in wanted]
    for identity, one in in_parallel(asked, WORKERS, waiting=0, stopped=lambda: pace.stopped):
        seen += 1
        if isinstance(one, AzureError):
            untold[str(one)] += 1
        else:
            runs[identity] = dataclasses.replace(
                runs[identity], payload=one.payload, approving=one.approving, status=one.status
            )
    if seen < len(wanted):
        raise DeadlineError("the time given was up, or the run was stopped, before the runs were read")
    return untold


def _keep(runs: dict[str, WorkflowRun], run: WorkflowRun) -> None:
    if run.type == GRANT_ACCESS:
        _check_moments(f"the run {run.id}", run.started, run.ended)
        runs[run.id] = run


def _keep_task(tasks: dict[str, WorkflowTask], task: WorkflowTask) -> None:
    """Of several approvals of a run one that is pending, else what was decided last."""
    if task.asks == GRANT_ACCESS:
        _check_moments(f"the approval {task.id}", task.created, task.updated, *(one.at for one in task.approvers))
        tasks[task.run] = max(tasks.get(task.run, task), task, key=_weight)


def _weight(task: WorkflowTask) -> tuple[bool, float]:
    moment = task.updated or task.created
    return task.status == _PENDING, moment.timestamp() if moment else 0.0


def _check_moments(what: str, *moments: dt.datetime | None) -> None:
    """Raises AnswerError for a moment that is none in UTC, as those at the ends of the calendar."""
    for moment in moments:
        try:
            _moment(moment)
        except (OverflowError, ValueError, OSError) as error:
            raise AnswerError(f"{what} has a time that is no moment: {moment}") from error


def _is_of(entry: Entry, purview: Purview) -> bool:
    return entry.account.casefold() == purview.account.id.casefold()


class _Last(NamedTuple):
    """What the record says last of one request: that it was made, and that it was decided."""

    asked: Entry | None
    decided: Entry | None


class _Known:
    """What the record says, by the ids of requests and of runs."""

    def __init__(self, entries: Iterable[Entry], requests: dict[str, str]) -> None:
        self._said: dict[str, _Last] = {}
        for entry in entries:
            if not entry.request:  # sent, and not taken or not answered: it never had an id
                continue
            before = self._said.get(entry.request, _Last(None, None))
            asks = entry.action == "request"
            if not asks and before.decided and before.decided.outcome == "accepted" != entry.outcome:
                continue  # decided once, it stays so, whatever else was tried
            self._said[entry.request] = before._replace(**{"asked" if asks else "decided": entry})
        self._requests = requests
        self._lost = [entry for entry in _unanswered(entries) if not entry.request]

    def request_of(self, run: str) -> str:
        """The request that started a run; a run's own id is that of its request, as was recorded."""
        return self._requests.get(run, run)

    def of(self, request: str) -> _Last:
        """What is said of a request."""
        return self._said.get(request, _Last(None, None))

    def requests(self) -> Iterable[AccessRequest]:
        """Every request that the record knows, as it stands there; those that nobody answered have no id."""
        for name, (asked, decided) in self._said.items():
            yield _told(AccessRequest(name, source="record"), asked, decided)
        for entry in self._lost:
            status = "Refused" if entry.outcome == "refused" else _UNKNOWN
            yield _told(AccessRequest("", status=status, source="record", comment=entry.why), entry, None)


def _unanswered(entries: Iterable[Entry]) -> list[Entry]:
    """The requests that were refused, or of which nobody knows whether they were taken.

    Writing holds the record alone, so that a `sending` and what came of it follow each other.
    """
    found: list[Entry] = []
    for entry in entries:
        if entry.action != "request":
            continue
        if entry.outcome != "sending" and found and found[-1].outcome == "sending":
            found.pop()
        if entry.outcome != "accepted":
            found.append(entry)
    return found


def _shown(identity: str, run: WorkflowRun | None, task: WorkflowTask | None, known: _Known) -> AccessRequest:
    """A request as the service shows it, with what the record says where the service says nothing."""
    request = (run.request if run else "") or known.request_of(identity)
    asked, decided = known.of(request)
    asks = task or run
    waits = run is not None and run.approving and run.status == _GOES_ON
    approval = task.status if task else _PENDING if waits else ""
    status = run.status if run is not None and (run.status in _WRONG or not approval) else approval
    made = (run.started if run else None) or (task.created if task else None)
    reply = next((one for one in task.approvers if one.reply not in ("Pending", "")), None) if task else None
    first = AccessRequest(
        request,
        text_in(asks, "dataProduct"),
        text_in(asks, "consumer"),
        (run.requestor if run else "") or (task.requestor if task else ""),
        text_in(asks, "requestedFor"),
        text_in(asks, "note"),
        status,
        _moment(made),
        reply.id if reply else "",
        _moment(reply.at if reply else None),
        reply.comment if reply else "",
    )
    return _told(first, asked, decided if decided and decided.outcome == "accepted" else None)


def _told(one: AccessRequest, asked: Entry | None, decided: Entry | None) -> AccessRequest:
    """The request with what the record says, where it says nothing itself."""
    about = asked or decided
    said = {"status": _UNKNOWN}  # what the service does not show any more may have been decided since
    if about is not None:
        said |= {"product": about.product, "consumer": about.consumer, "person": about.person}
    if asked is not None:
        said |= {"requestor": asked.actor, "reason": asked.comment, "asked": asked.at, "comment": asked.why}
    if decided is not None:
        words = {"approve": "Approved", "reject": "Rejected"} if decided.outcome == "accepted" else {}
        said["status"] = words.get(decided.action, _UNKNOWN)
        said |= {"decided_by": decided.actor, "decided_at": decided.at, "comment": decided.comment}
    return dataclasses.replace(one, **{key: value for key, value in said.items() if not getattr(one, key)})


def _moment(when: dt.datetime | None) -> str:
    return timestamp(when) if when else ""
