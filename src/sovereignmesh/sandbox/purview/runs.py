"""The runs of scans: each look at one finds it a step further, and it ends as the estate says."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.purview.account import ANY_ROLE, Account, routes
from sovereignmesh.sandbox.purview.answers import flag, goes_on, invalid, missing, page, purview_refusal
from sovereignmesh.sandbox.purview.policies import check_allowed
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["LEVELS", "ROUTES", "SCAN", "allowed_scan", "give_runs", "last_run", "scan_key", "scan_of"]

_ADMIN: Final = frozenset({"data-source-administrator"})
LEVELS: Final = ("Full", "Incremental")
# https://learn.microsoft.com/purview/how-to-manage-quotas: concurrent scans of an account, by default; others wait.
_AT_ONCE: Final = 5
_READ, _WRITE = "scan/read", "scan/write"  # data actions, as the roles have them
_PLANTED: Final = "endings"  # by SOURCE/SCAN, what the estate says of the runs of a scan
_NEXT: Final = {"Accepted": "Queued", "Queued": "InProgress"}
# By how a run ends, how its phases do: of discovery ScanStatus, of ingestion IngestionPhaseStatus, as the specification
# spells them. Which of them go together is synthetic but for Succeeded, which the official example has.
_PHASES: Final = {
    "Succeeded": ("Succeeded", "Succeeded"),
    "Canceled": ("Cancelled", "Canceled"),
    "Failed": ("Failed", "None"),
    "CompletedWithExceptions": ("CompletedWithExceptions", "Succeeded"),
}
_OTHER: Final = ("Failed", "Failed")  # of a status that nobody documents
_NO_ASSETS: Final = {"discovered": 0, "classified": 0, "failed": 0}
_SAID: Final = ("status", "errorMessage", "error", "diagnostics")  # of a run's end, where the estate says it


def scan_of(account: Account, names: dict[str, str]) -> Body:
    """The scan that a path names. Raises Refusal where it is not there."""
    found = account.get(f"scans/{names['source'].lower()}", names["scan"])
    if found is None:
        raise missing("Scan", f"{names['source']}/scans/{names['scan']}")
    return found


def allowed_scan(account: Account, names: dict[str, str], action: str = _READ) -> Body:
    """The scan that a path names. Raises Refusal where it is not there, or the caller may not do that to it."""
    found = scan_of(account, names)
    check_allowed(account, found, action)
    return found


def scan_key(names: dict[str, str]) -> str:
    """What the things of a scan are kept by."""
    return f"{names['source']}/{names['scan']}".lower()


def last_run(account: Account, scan: Body) -> Body:
    """A scan's body in an answer, with what its last run came to."""
    runs = account.all(f"runs/{scan['dataSourceName']}/{scan['name']}".lower())
    return {**scan, "lastRunResult": list(runs.values())[-1]} if runs else scan


def give_runs(account: Account, planted: Mapping[str, Mapping[str, Any]]) -> None:
    """Keeps how the runs of scans will end, and makes those that were before. Raises SandboxError for what is none."""
    for name, given in planted.items():
        source, _, scan = name.partition("/")
        body = account.get(f"scans/{source.lower()}", scan)
        if body is None:
            raise SandboxError(f"account {account.name}: it says how the runs of {name} end, and has no such scan")
        try:
            account.put(_PLANTED, name, {"assets": {**given.get("assets", {})}, **_said(given)})
            for past in given.get("history", ()):
                run = _new(account, body, past["id"], level=past["level"], kind=past["type"], began=past["started"])
                run |= {"status": "InProgress", "pipelineStartTime": past["started"]}
                end = {"status": "Succeeded", **_said(past)}
                account.put(f"runs/{name.lower()}", past["id"], _ended(run, past["ended"], end, past.get("assets", {})))
        except (KeyError, TypeError, AttributeError) as error:
            raise SandboxError(f"account {account.name}: the runs of {name} are none: {error}") from error


def _said(given: Mapping[str, Any]) -> Body:
    return {name: given[name] for name in _SAID if name in given}


def count_assets(account: Account, key: str) -> Body:
    """How many assets a run finds, classifies and fails at: what the estate says of the scan, else none."""
    planted = account.get(_PLANTED, key)
    return {**_NO_ASSETS, **(planted["assets"] if planted else {})}


def _run(account: Account, call: Call, names: dict[str, str]) -> Reply:
    """Starts a run; that the same id again is the same run is undocumented."""
    scan = allowed_scan(account, names, _WRITE)
    try:
        identity = str(uuid.UUID(call.query.get("runid") or str(uuid.uuid4())))
    except ValueError:
        raise invalid("ScanResult", f"The run id '{call.query['runid']}' is no GUID.") from None
    # The specification's default.
    level = flag(call.query.get("scanlevel"), LEVELS, "Incremental", "level of a scan", "ScanResult")
    run = account.get(f"runs/{scan_key(names)}", identity)
    if run is None:
        run = _new(account, scan, identity, level=level, kind="Manual", began=account.now)
        account.put(f"runs/{scan_key(names)}", identity, run)
    where = f"https://{call.host}/scan/{scan['id']}/runs/{identity}?api-version={call.query['api-version']}"
    return json_reply(run, 202, {"Operation-Location": where})


def _new(account: Account, scan: Body, identity: str, *, level: str, kind: str, began: str) -> Body:
    """A run that was accepted."""
    source = account.get("datasources", scan["dataSourceName"])
    assert source is not None, "a scan has a source"
    return {
        "parentId": None,
        "id": identity,
        "ingestionJobId": None,
        "resourceId": source["properties"].get("resourceId"),
        "status": "Accepted",
        "diagnostics": {"notifications": [], "exceptionCountMap": {}},
        "startTime": began,
        "queuedTime": began,
        "pipelineStartTime": None,
        "endTime": None,
        "scanRulesetVersion": _ruleset_version(account, scan),
        "scanRulesetType": scan["properties"].get("scanRulesetType") or "System",
        "scanLevelType": level,
        "errorMessage": None,
        "error": None,
        "runType": kind,
        "dataSourceType": source["kind"],
    }


def _ruleset_version(account: Account, scan: Body) -> int:
    own = account.get("scanrulesets", str(scan["properties"].get("scanRulesetName")))
    return int(own["version"]) if own and scan["properties"].get("scanRulesetType") == "Custom" else 1


def _moved_on(account: Account, key: str, run: Body) -> Body:
    """A run as it is at this look: a step further, unless it waits for a place.

    Then what holds the places goes on instead, or nobody who looks at this one alone would see it begin.
    """
    if run["status"] == "Queued" and len(busy := _in_progress(account)) >= _AT_ONCE:
        _step(account, *busy[0])
        return run
    return run if run["endTime"] else _step(account, key, run)


def _in_progress(account: Account) -> list[tuple[str, Body]]:
    """The runs of the account that are in progress, with the keys of their scans, the oldest first."""
    found = [
        (shelf.partition("/")[2], run)
        for shelf in account.shelves("runs")
        for run in account.all(shelf).values()
        if run["status"] == "InProgress"
    ]
    return sorted(found, key=lambda one: str(one[1]["pipelineStartTime"]))


def _step(account: Account, key: str, run: Body) -> Body:
    assets, status = count_assets(account, key), run["status"]
    if status in _NEXT:
        run = {**run, "status": _NEXT[status]}
        if run["status"] == "InProgress":
            run["pipelineStartTime"] = account.now
            if assets["discovered"]:
                run["discoveryExecutionDetails"] = _discovery(
                    run, {**_NO_ASSETS, "discovered": assets["discovered"] // 2}
                )
    elif status == "Canceling":
        run = _ended(run, account.now, {"status": "Canceled"}, {})
    else:
        run = _ended(run, account.now, {"status": "Succeeded", **_said(account.get(_PLANTED, key) or {})}, assets)
    account.move(f"runs/{key}", run["id"], run)
    return run


def _discovery(run: Body, assets: Body, status: str = "Running", ended: str | None = None) -> Body:
    return {
        "discoveryStartTime": run["pipelineStartTime"] or run["startTime"],
        "discoveryEndTime": ended,
        "status": status,
        "statistics": {"assets": assets},
        "isErrorLogAvailable": False,
    }


def _ended(run: Body, when: str, end: Body, assets: Mapping[str, int]) -> Body:
    """A run that has ended, with what it found."""
    counts = {**_NO_ASSETS, **assets}
    discovery, ingestion = _PHASES.get(end["status"], _OTHER)
    return {
        **run,
        **end,
        "endTime": when,
        "discoveryExecutionDetails": _discovery(run, counts, discovery, when),
        "ingestionExecutionDetails": {
            "ingestionStartTime": run["pipelineStartTime"] or run["startTime"],
            "ingestionEndTime": when,
            "status": ingestion,
            "statistics": {
                "assets": {"succeeded": counts["discovered"] - counts["failed"], "failed": 0, "processing": 0},
                "relationships": {"succeeded": 0, "failed": 0, "processing": 0},
            },
            "estimatedTimeRemainingInSeconds": 0,
            "isErrorLogAvailable": False,
        },
    }


def _seen(account: Account, key: str, shown: Body) -> Body:
    """What a reader is shown of a run; one that sees an older state of it does not move it."""
    current = account.get(f"runs/{key}", shown["id"])
    return _moved_on(account, key, shown) if shown is current else shown


def _list_runs(account: Account, call: Call, names: dict[str, str]) -> Reply:
    allowed_scan(account, names)
    key = scan_key(names)
    found = account.listed(f"runs/{key}", call)
    if not goes_on(call):  # a further page is still the same look
        found = [_seen(account, key, run) for run in found]
    return page(call, found[::-1], account.page_size)


def _get_run(account: Account, _: Call, names: dict[str, str]) -> Reply:
    allowed_scan(account, names)
    key = scan_key(names)
    return json_reply(_seen(account, key, account.shown(f"runs/{key}", names["run"], "ScanResult")))


def _cancel(account: Account, call: Call, names: dict[str, str]) -> Reply:
    scan = allowed_scan(account, names, _WRITE)
    shelf = f"runs/{scan_key(names)}"
    run = account.get(shelf, names["run"])
    if run is None:
        raise missing("ScanResult", names["run"])
    if run["endTime"]:
        # The code is synthetic.
        raise purview_refusal(
            409, "ScanResult_AlreadyCompleted", f"The run '{run['id']}' is over: its status is '{run['status']}'."
        )
    account.put(shelf, run["id"], {**run, "status": "Canceling"})
    body = {
        "scanResultId": run["id"], "startTime": run["startTime"], "endTime": None, "status": "Accepted", "error": None,
    }  # fmt: skip
    where = f"https://{call.host}/scan/{scan['id']}/runs/{run['id']}?api-version={call.query['api-version']}"
    return json_reply(body, 202, {"Operation-Location": where})


SCAN: Final = r"/datasources/(?P<source>[^/]+)/scans/(?P<scan>[^/:]+)"
_RUN: Final = rf"{SCAN}/runs/(?P<run>[^/:]+)"
ROUTES: Final = routes(
    "/scan",
    ("POST", rf"{SCAN}/?:run", _run, _ADMIN),
    ("GET", rf"{SCAN}/runs", _list_runs, ANY_ROLE),
    ("GET", _RUN, _get_run, ANY_ROLE),
    ("POST", rf"{_RUN}/?:cancel", _cancel, _ADMIN),
)
