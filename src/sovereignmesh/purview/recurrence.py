"""When a trigger fires next, from the recurrence that the service keeps."""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["is_known_zone", "next_occurrence"]

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEK: Final = 7
_YEAR: Final = 366
_LARGEST: Final = 1000  # of an interval; days are walked through one by one
# Windows' names of the zones of Europe, which the portal writes:
# https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml
_ZONES: Final = {
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "E. Europe Standard Time": "Europe/Chisinau",
    "FLE Standard Time": "Europe/Kyiv",
    "GMT Standard Time": "Europe/London",
    "GTB Standard Time": "Europe/Bucharest",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "Romance Standard Time": "Europe/Paris",
    "W. Europe Standard Time": "Europe/Berlin",
}


def next_occurrence(recurrence: Mapping[str, Any], now: dt.datetime) -> dt.datetime | None:
    """The next moment after `now` (aware), in UTC; None where there is none any more.

    Raises ValueError for a recurrence that is not understood: an unknown zone or frequency, no number, no moment; and
    for one that does not tell when it began, where that decides when it goes on.

    >>> weekly = {"frequency": "Week", "startTime": "2026-01-04T02:00:00Z", "schedule": {"hours": [3], "minutes": [30]}}
    >>> next_occurrence(weekly, dt.datetime(2026, 1, 5, tzinfo=dt.UTC)).isoformat()
    '2026-01-11T03:30:00+00:00'
    """
    try:
        return _next(recurrence, now)
    except (AttributeError, OverflowError, TypeError) as error:
        raise ValueError(f"the recurrence is not understood: {error}") from error


def is_known_zone(name: str) -> bool:
    """Whether a time zone is one of Europe's, as Windows names them, or one that IANA names."""
    try:
        _zone(name)
    except ValueError:
        return False
    return True


def _next(recurrence: Mapping[str, Any], now: dt.datetime) -> dt.datetime | None:
    zone = _zone(recurrence.get("timeZone"))
    schedule = recurrence.get("schedule") or {}
    start = _moment(recurrence.get("startTime"), zone)
    if start is None:
        if not _stands_alone(recurrence, schedule):
            raise ValueError("it has no startTime, from which it is counted")
        start = now.astimezone(zone)
    end = _moment(recurrence.get("endTime"), zone)
    interval = recurrence.get("interval") or 1
    if not isinstance(interval, int) or not 1 <= interval <= _LARGEST:
        raise ValueError(f"the interval {interval!r} is none of 1 to {_LARGEST}")
    for moment in _moments(str(recurrence.get("frequency")), interval, schedule, start, now):
        if end is not None and moment > end:
            return None
        if moment > now and moment >= start:
            return moment.astimezone(dt.UTC)
    return None


def _stands_alone(recurrence: Mapping[str, Any], schedule: Mapping[str, Any]) -> bool:
    """Whether the schedule says all: minutes, hours and days of every period."""
    frequency = str(recurrence.get("frequency"))
    days = {"Week": schedule.get("weekDays"), "Month": schedule.get("monthDays") or schedule.get("monthlyOccurrences")}
    hours = frequency == "Hour" or schedule.get("hours")
    return bool(
        (recurrence.get("interval") or 1) == 1 and schedule.get("minutes") and hours and days.get(frequency, True)
    )


def _moments(
    frequency: str, interval: int, schedule: Mapping[str, Any], start: dt.datetime, now: dt.datetime
) -> Iterator[dt.datetime]:
    """Moments in their order, from about `now` on, for as long as one must come."""
    if frequency == "Hour":
        passed = max(0, int((now - start).total_seconds() // 3600) // interval)
        for step in range(passed, passed + 2 * _YEAR):
            hour = start + dt.timedelta(hours=step * interval)
            for minute in sorted(schedule.get("minutes") or [start.minute]):
                yield hour.replace(minute=minute, second=0, microsecond=0)
        return
    if frequency not in ("Day", "Week", "Month"):
        raise ValueError(f"the frequency {frequency!r} is not known")
    first = max(start.date(), now.astimezone(start.tzinfo).date() - dt.timedelta(days=1))
    for ahead in range(_YEAR * max(1, interval) + 31):
        day = first + dt.timedelta(days=ahead)
        if not _is_day(frequency, interval, schedule, start.date(), day):
            continue
        for hour in sorted(schedule.get("hours") or [start.hour]):
            for minute in sorted(schedule.get("minutes") or [start.minute]):
                yield dt.datetime.combine(day, dt.time(hour, minute), start.tzinfo)


def _is_day(frequency: str, interval: int, schedule: Mapping[str, Any], start: dt.date, day: dt.date) -> bool:
    if frequency == "Day":
        return (day - start).days % interval == 0
    if frequency == "Week":
        weeks = (_monday(day) - _monday(start)).days // _WEEK
        return weeks % interval == 0 and _DAYS[day.weekday()] in (schedule.get("weekDays") or [_DAYS[start.weekday()]])
    months = (day.year - start.year) * 12 + day.month - start.month
    if months % interval:
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    occurrences = schedule.get("monthlyOccurrences") or []
    if any(_is_occurrence(one, day, last) for one in occurrences):
        return True
    wanted = schedule.get("monthDays") or ([] if occurrences else [start.day])
    return day.day in wanted or (day.day == last and -1 in wanted)


def _is_occurrence(wanted: Mapping[str, Any], day: dt.date, last: int) -> bool:
    """Whether a day is the nth of its weekday in its month, or the last where -1 is wanted."""
    if wanted.get("day") != _DAYS[day.weekday()]:
        return False
    nth = wanted.get("occurrence")
    return nth == (day.day - 1) // _WEEK + 1 or (nth == -1 and day.day + _WEEK > last)


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def _zone(name: object) -> dt.tzinfo:
    if name in (None, "", "UTC"):
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(_ZONES.get(str(name), str(name)))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"the time zone {name!r} is not known here") from error


def _moment(text: object, zone: dt.tzinfo) -> dt.datetime | None:
    """A moment in the zone, which one without a zone is in; None where none is given."""
    if text in (None, ""):
        return None
    moment = dt.datetime.fromisoformat(str(text))
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
