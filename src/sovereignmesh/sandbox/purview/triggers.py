"""What belongs to a scan besides its runs: its filter and its trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, Account, routes
from sovereignmesh.sandbox.purview.answers import body_of, created, flag, gone, invalid, missing, object_in
from sovereignmesh.sandbox.purview.runs import LEVELS, SCAN, allowed_scan, scan_key, scan_of
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES"]

_ADMIN: Final = frozenset({"data-source-administrator"})
_FREQUENCIES: Final = ("Hour", "Day", "Week", "Month")
_STATES: Final = ("Enabled", "Disabled")
_SCHEDULE: Final = ("minutes", "hours", "weekDays", "monthDays", "monthlyOccurrences")


def _get_filter(account: Account, _: Call, names: dict[str, str]) -> Reply:
    allowed_scan(account, names)
    return json_reply(account.shown("filters", scan_key(names), "Filter"))


def _put_filter(account: Account, call: Call, names: dict[str, str]) -> Reply:
    scan = scan_of(account, names)
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
    new = account.get("filters", scan_key(names)) is None
    account.put("filters", scan_key(names), kept)
    return created(call, kept, new=new)


def _texts(given: dict[str, Any], key: str) -> list[str]:
    found = given.get(key) or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise invalid("Filter", f"The request body is invalid: '{key}' must be a list of texts.")
    return found


def _get_trigger(account: Account, _: Call, names: dict[str, str]) -> Reply:
    allowed_scan(account, names)
    return json_reply(account.shown("triggers", scan_key(names), "Trigger"))


def _put_trigger(account: Account, call: Call, names: dict[str, str]) -> Reply:
    scan = scan_of(account, names)
    given = object_in(body_of(call, "Trigger"), "properties", "Trigger")
    recurrence = given.get("recurrence")
    if not isinstance(recurrence, dict) and not given.get("recurrenceInterval"):
        raise invalid("Trigger", "Trigger is invalid: 'recurrence' or 'recurrenceInterval' is required.")
    before = account.get("triggers", scan_key(names))
    properties = {
        **({"recurrence": _recurrence(recurrence)} if isinstance(recurrence, dict) else {}),
        "recurrenceInterval": given.get("recurrenceInterval"),
        "createdAt": before["properties"]["createdAt"] if before else account.now,
        "lastModifiedAt": account.now,
        "lastScheduled": before["properties"]["lastScheduled"] if before else None,
        "state": flag(given.get("state"), _STATES, "Enabled", "state of a trigger", "Trigger"),
        "scanLevel": flag(given.get("scanLevel"), LEVELS, "Full", "level of a scan", "Trigger"),
    }
    if given.get("incrementalScanStartTime"):
        properties["incrementalScanStartTime"] = given["incrementalScanStartTime"]
    kept = {"properties": properties, "id": f"{scan['id']}/triggers/default", "name": "default"}
    account.put("triggers", scan_key(names), kept)
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
    account.drop("triggers", scan_key(names))
    return gone()


def _enable(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return _set_state(account, names, "Enabled")


def _disable(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return _set_state(account, names, "Disabled")


def _set_state(account: Account, names: dict[str, str], state: str) -> Reply:
    scan_of(account, names)
    found = account.get("triggers", scan_key(names))
    if found is None:
        raise missing("Trigger", "default")
    kept = {**found, "properties": {**found["properties"], "state": state, "lastModifiedAt": account.now}}
    account.put("triggers", scan_key(names), kept)
    return json_reply(kept)


ROUTES: Final = routes(
    "/scan",
    ("GET", rf"{SCAN}/filters/custom", _get_filter, ANY_ROLE),
    ("PUT", rf"{SCAN}/filters/custom", _put_filter, _ADMIN),
    ("GET", rf"{SCAN}/triggers/default", _get_trigger, ANY_ROLE),
    ("PUT", rf"{SCAN}/triggers/default", _put_trigger, _ADMIN),
    ("DELETE", rf"{SCAN}/triggers/default", _delete_trigger, _ADMIN),
    ("POST", rf"{SCAN}/triggers/default/?:enable", _enable, _ADMIN),
    ("POST", rf"{SCAN}/triggers/default/?:disable", _disable, _ADMIN),
)
