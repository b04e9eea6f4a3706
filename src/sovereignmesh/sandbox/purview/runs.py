"""What belongs to a scan: its filter, its trigger and its runs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, Account, routes
from sovereignmesh.sandbox.purview.answers import (
    body_of,
    created,
    flag,
    gone,
    invalid,
    missing,
    object_in,
    page,
    purview_refusal,
)
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES", "last_run"]

_ADMIN: Final = frozenset({"data-source-administrator"})
_LEVELS: Final = ("Full", "Incremental")
_FREQUENCIES: Final = ("Hour", "Day", "Week", "Month")
_STATES: Final = ("Enabled", "Disabled")
_SCHEDULE: Final = ("minutes", "hours", "weekDays", "monthDays", "monthlyOccurrences")
_NEXT: Final = {"Accepted": "Queued", "Queued": "InProgress", "InProgress": "Succeeded", "Canceling": "Canceled"}
_FINAL: Final = frozenset({"Succeeded", "Canceled"})


def _scan_of(account: Account, names: dict[str, str]) -> Body:
    """The scan that a path names. Raises Refusal where it is not there."""
    found = account.get(f"scans/{names['source'].lower()}", names["scan"])
    if found is None:
        raise missing("Scan", f"{names['source']}/scans/{names['scan']}")
    return found


def _key(names: dict[str, str]) -> str:
    return f"{names['source']}/{names['scan']}".lower()


def _get_filter(account: Account, _: Call, names: dict[str, str]) -> Reply:
    _scan_of(account, names)
    return json_reply(account.shown("filters", _key(names), "Filter"))


def _put_filter(account: Account, call: Call, names: dict[str, str]) -> Reply:
    scan = _scan_of(account, names)
    given = object_in(body_of(call, "Filter"), "properties", "Filter")
    required, optional = ("excludeUriPrefixes", "includeUriPrefixes"), ("excludeRegexes", "includeRegexes")
    kept = {
        "properties": {
            **{key: _texts(given, key) for key in required},
            **{key: _texts(given, key) for key in optional if given.get(key) is not None},
        },
        "id": f"{scan['id']}/filters/custom",
        "name": "custom",
    }
    new = account.get("filters", _key(names)) is None
    account.put("filters", _key(names), kept)
    return created(call, kept, new=new)


def _texts(given: dict[str, Any], key: str) -> list[str]:
    found = given.get(key) or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise invalid("Filter", f"The request body is invalid: '{key}' must be a list of texts.")
    return found


def _get_trigger(account: Account, _: Call, names: dict[str, str]) -> Reply:
    _scan_of(account, names)
    return json_reply(account.shown("triggers", _key(names), "Trigger"))


def _put_trigger(account: Account, call: Call, names: dict[str, str]) -> Reply:
    scan = _scan_of(account, names)
    given = object_in(body_of(call, "Trigger"), "properties", "Trigger")
    recurrence = given.get("recurrence")
    if not isinstance(recurrence, dict) and not given.get("recurrenceInterval"):
        raise invalid("Trigger", "Trigger is invalid: 'recurrence' or 'recurrenceInterval' is required.")
    before = account.get("triggers", _key(names))
    properties = {
        **({"recurrence": _recurrence(recurrence)} if isinstance(recurrence, dict) else {}),
        "recurrenceInterval": given.get("recurrenceInterval"),
        "createdAt": before["properties"]["createdAt"] if before else account.now,
        "lastModifiedAt": account.now,
        "lastScheduled": before["properties"]["lastScheduled"] if before else None,
        "state": flag(given.get("state"), _STATES, "Enabled", "state of a trigger", "Trigger"),
        "scanLevel": flag(given.get("scanLevel"), _LEVELS, "Full", "level of a scan", "Trigger"),
    }
    if given.get("incrementalScanStartTime"):
        properties["incrementalScanStartTime"] = given["incrementalScanStartTime"]
    kept = {"properties": properties, "id": f"{scan['id']}/triggers/default", "name": "default"}
    account.put("triggers", _key(names), kept)
    return created(call, kept, new=before is None)


def _recurrence(given: dict[str, Any]) -> Body:
    """A recurrence as it was recorded: what the specification calls timeZone comes back as timezone."""
    schedule = given.get("schedule") or {}
    if not isinstance(schedule, dict):
        raise invalid("Trigger", "Trigger is invalid: 'schedule' must be an object.")
    frequency = flag(given.get("frequency"), _FREQUENCIES, "", "frequency", "Trigger")
    if frequency == "Month" and not (schedule.get("monthDays") or schedule.get("monthlyOccurrences")):
        # The words are those of an example in the specification.
        raise invalid("Trigger", "Trigger is invalid: monthDays or monthlyOccurrences is required.")
    zone = given.get("timezone", given.get("timeZone"))
    return {
        **({"frequency": frequency} if frequency else {}),
        "interval": given.get("interval", 1),
        **({"startTime": given["startTime"]} if given.get("startTime") else {}),
        "endTime": given.get("endTime"),
        "schedule": {key: schedule.get(key) for key in _SCHEDULE},
        **({"timezone": zone} if zone else {}),
    }


def _delete_trigger(account: Account, _: Call, names: dict[str, str]) -> Reply:
    account.drop("triggers", _key(names))
    return gone()


def _enable(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return _set_state(account, names, "Enabled")


def _disable(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return _set_state(account, names, "Disabled")


def _set_state(account: Account, names: dict[str, str], state: str) -> Reply:
    _scan_of(account, names)
    found = account.get("triggers", _key(names))
    if found is None:
        raise missing("Trigger", "default")
    kept = {**found, "properties": {**found["properties"], "state": state, "lastModifiedAt": account.now}}
    account.put("triggers", _key(names), kept)
    return json_reply(kept)


def _runs(names: dict[str, str]) -> str:
    return f"runs/{_key(names)}"


def last_run(account: Account, scan: Body) -> Body:
    """A scan's body in an answer, with what its last run came to."""
    runs = account.all(f"runs/{scan['dataSourceName']}/{scan['name']}".lower())
    return {**scan, "lastRunResult": list(runs.values())[-1]} if runs else scan


def _run(account: Account, call: Call, names: dict[str, str]) -> Reply:
    """Starts a run; the same id again is the same run, so that a caller may ask twice."""
    scan = _scan_of(account, names)
    try:
        identity = str(uuid.UUID(call.query.get("runid") or str(uuid.uuid4())))
    except ValueError:
        raise invalid("ScanResult", f"The run id '{call.query['runid']}' is no GUID.") from None
    level = flag(call.query.get("scanlevel"), _LEVELS, "Full", "level of a scan", "ScanResult")
    source = account.get("datasources", names["source"])
    assert source is not None, "a scan has a source"
    run = account.get(_runs(names), identity)
    if run is None:
        run = {
            "parentId": None,
            "id": identity,
            "ingestionJobId": None,
            "resourceId": source["properties"].get("resourceId"),
            "status": "Accepted",
            "diagnostics": {"notifications": [], "exceptionCountMap": {}},
            "startTime": account.now,
            "queuedTime": account.now,
            "pipelineStartTime": None,
            "endTime": None,
            "scanRulesetVersion": _ruleset_version(account, scan),
            "scanRulesetType": scan["properties"].get("scanRulesetType") or "System",
            "scanLevelType": level,
            "errorMessage": None,
            "error": None,
            "runType": "Manual",
            "dataSourceType": source["kind"],
        }
        account.put(_runs(names), identity, run)
    where = f"https://{call.host}/scan/{scan['id']}/runs/{identity}?api-version={call.query['api-version']}"
    return json_reply(run, 202, {"Operation-Location": where})


def _ruleset_version(account: Account, scan: Body) -> int:
    own = account.get("scanrulesets", str(scan["properties"].get("scanRulesetName")))
    return int(own["version"]) if own and scan["properties"].get("scanRulesetType") == "Custom" else 1


def _moved_on(account: Account, names: dict[str, str], run: Body) -> Body:
    """A run as it is at this read: every read finds it a step further."""
    if run["status"] not in _NEXT:
        return run
    run = {**run, "status": _NEXT[run["status"]]}
    if run["status"] == "InProgress":
        run["pipelineStartTime"] = account.now
    if run["status"] in _FINAL:
        run |= {"endTime": account.now, **_counts(run, account.now)}
    account.put(_runs(names), run["id"], run)
    return run


def _counts(run: Body, now: str) -> Body:
    """What a run that has ended found; no asset is kept here, so it is nothing."""
    state, other = ("Succeeded", "Succeeded") if run["status"] == "Succeeded" else ("Cancelled", "Canceled")
    begun = run["pipelineStartTime"] or run["startTime"]
    assets = {"succeeded": 0, "failed": 0, "processing": 0}
    return {
        "discoveryExecutionDetails": {
            "discoveryStartTime": begun,
            "discoveryEndTime": now,
            "status": state,
            "statistics": {"assets": {"discovered": 0, "classified": 0, "failed": 0}},
            "isErrorLogAvailable": False,
        },
        "ingestionExecutionDetails": {
            "ingestionStartTime": begun,
            "ingestionEndTime": now,
            "status": other,
            "statistics": {"assets": assets, "relationships": assets},
            "estimatedTimeRemainingInSeconds": 0,
            "isErrorLogAvailable": False,
        },
    }


def _list_runs(account: Account, call: Call, names: dict[str, str]) -> Reply:
    _scan_of(account, names)
    found = [_moved_on(account, names, run) for run in list(account.all(_runs(names)).values())]
    return page(call, found[::-1], account.page_size)


def _get_run(account: Account, _: Call, names: dict[str, str]) -> Reply:
    _scan_of(account, names)
    run = account.get(_runs(names), names["run"])
    if run is None:
        raise missing("ScanResult", names["run"])
    return json_reply(_moved_on(account, names, run))


def _cancel(account: Account, call: Call, names: dict[str, str]) -> Reply:
    scan = _scan_of(account, names)
    run = account.get(_runs(names), names["run"])
    if run is None:
        raise missing("ScanResult", names["run"])
    if run["status"] in _FINAL:
        # The code is synthetic.
        raise purview_refusal(
            409, "ScanResult_AlreadyCompleted", f"The run '{run['id']}' is over: its status is '{run['status']}'."
        )
    account.put(_runs(names), run["id"], {**run, "status": "Canceling"})
    body = {
        "scanResultId": run["id"], "startTime": run["startTime"], "endTime": None, "status": "Accepted", "error": None,
    }  # fmt: skip
    where = f"https://{call.host}/scan/{scan['id']}/runs/{run['id']}?api-version={call.query['api-version']}"
    return json_reply(body, 202, {"Operation-Location": where})


_SCAN: Final = r"/datasources/(?P<source>[^/]+)/scans/(?P<scan>[^/:]+)"
_RUN: Final = rf"{_SCAN}/runs/(?P<run>[^/:]+)"
ROUTES: Final = routes(
    "/scan",
    ("GET", rf"{_SCAN}/filters/custom", _get_filter, ANY_ROLE),
    ("PUT", rf"{_SCAN}/filters/custom", _put_filter, _ADMIN),
    ("GET", rf"{_SCAN}/triggers/default", _get_trigger, ANY_ROLE),
    ("PUT", rf"{_SCAN}/triggers/default", _put_trigger, _ADMIN),
    ("DELETE", rf"{_SCAN}/triggers/default", _delete_trigger, _ADMIN),
    ("POST", rf"{_SCAN}/triggers/default/?:enable", _enable, _ADMIN),
    ("POST", rf"{_SCAN}/triggers/default/?:disable", _disable, _ADMIN),
    ("POST", rf"{_SCAN}/?:run", _run, _ADMIN),
    ("GET", rf"{_SCAN}/runs", _list_runs, ANY_ROLE),
    ("GET", _RUN, _get_run, ANY_ROLE),
    ("POST", rf"{_RUN}/?:cancel", _cancel, _ADMIN),
)
