"""When triggers fire next, and how an account stands."""

import dataclasses
import datetime as dt
import json
import weakref

import pytest
from purview.test_apply import denied_at
from purview.test_planning import EVERYTHING

from sovereignmesh.azure.purview import Run, connect_purview
from sovereignmesh.purview import apply_purview, plan_purview, purview_status
from sovereignmesh.purview.recurrence import next_occurrence

MONDAY = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        ({"frequency": "Hour", "interval": 6, "startTime": "2026-03-01T00:15:00Z"}, "2026-03-02T12:15"),
        ({"frequency": "Hour", "startTime": "2026-03-01T00:15:00Z", "schedule": {"minutes": [5, 45]}},
         "2026-03-02T10:05"),
        ({"frequency": "Day", "startTime": "2026-03-01T09:30:00Z"}, "2026-03-03T09:30"),
        ({"frequency": "Day", "interval": 3, "startTime": "2026-03-01T23:30:00Z"}, "2026-03-04T23:30"),
        ({"frequency": "Day", "startTime": "2026-04-01T09:30:00Z"}, "2026-04-01T09:30"),
        ({"frequency": "Day", "startTime": "2026-01-01T00:00:00", "schedule": {"hours": [4, 22], "minutes": [30, 0]}},
         "2026-03-02T22:00"),
        ({"frequency": "Week", "startTime": "2026-02-24T08:00:00Z"}, "2026-03-03T08:00"),
        ({"frequency": "Week", "interval": 2, "startTime": "2026-02-24T08:00:00Z"}, "2026-03-10T08:00"),
        ({"frequency": "Week", "startTime": "2026-01-01T02:00:00Z", "schedule": {"weekDays": ["Monday", "Sunday"]}},
         "2026-03-08T02:00"),
        ({"frequency": "Month", "startTime": "2026-01-31T02:00:00Z"}, "2026-03-31T02:00"),
        ({"frequency": "Month", "startTime": "2026-01-01T02:00:00Z", "schedule": {"monthDays": [-1]}},
         "2026-03-31T02:00"),
        ({"frequency": "Month", "interval": 4, "startTime": "2026-01-10T02:00:00Z"}, "2026-05-10T02:00"),
        ({"frequency": "Month", "startTime": "2026-01-01T02:00:00Z",
          "schedule": {"monthlyOccurrences": [{"day": "Wednesday", "occurrence": 2}]}}, "2026-03-11T02:00"),
        ({"frequency": "Month", "startTime": "2026-01-01T02:00:00Z",
          "schedule": {"monthlyOccurrences": [{"day": "Sunday", "occurrence": -1}]}}, "2026-03-29T02:00"),
        ({"frequency": "Day", "startTime": "2026-03-01T03:00:00", "timeZone": "W. Europe Standard Time"},
         "2026-03-03T02:00"),
        ({"frequency": "Day", "startTime": "2026-07-01T03:00:00", "timeZone": "Europe/Berlin"}, "2026-07-01T01:00"),
    ],
)  # fmt: skip
def test_the_next_occurrence(recurrence, expected):
    assert next_occurrence(recurrence, MONDAY) == dt.datetime.fromisoformat(f"{expected}:00+00:00")


def test_a_recurrence_that_has_ended_has_no_next():
    ended = {"frequency": "Day", "startTime": "2026-01-01T00:00:00Z", "endTime": "2026-02-01T00:00:00Z"}
    assert next_occurrence(ended, MONDAY) is None


@pytest.mark.parametrize(
    "recurrence",
    [
        {"frequency": "Year", "startTime": "2026-01-01T00:00:00Z"},
        {},
        {"frequency": "Day", "interval": "two"},
        {"frequency": "Day", "interval": -1},
        {"frequency": "Week", "interval": 10**9},
        {"frequency": "Day", "schedule": ["Monday"]},
        {"frequency": "Day", "startTime": "soon"},
        {"frequency": "Day", "timeZone": "Tokyo Standard Time"},
        {"frequency": "Day", "timeZone": "../etc/passwd"},
    ],
)
def test_what_is_not_understood_is_said(recurrence):
    with pytest.raises(ValueError, match=r"\w"):
        next_occurrence(recurrence, MONDAY)


def test_sources_with_their_scans_last_runs_and_next(azure, settle):
    settle(EVERYTHING)
    purview = connect_purview("sovereign-purview", azure)
    purview.runs.start("lake", "weekly", "00000000-0000-0000-0000-000000000001", "Full")
    for _ in range(5):
        purview.runs.get("lake", "weekly", "00000000-0000-0000-0000-000000000001")
    status = purview_status(azure, "sovereign-purview", now=lambda: MONDAY)
    assert status.complete
    found = {(scan.source, scan.scan): scan for scan in status.scans}
    assert set(found) == {
        ("lake", "weekly"), ("sql-of-sales", "salesdb"), ("sql-of-sales", "with-credential"), ("fabric", ""),
    }  # fmt: skip
    weekly = found["lake", "weekly"]
    assert weekly.run == "Succeeded"
    assert weekly.collection == "Sales"
    assert weekly.next_run == dt.datetime(2026, 3, 15, 1, 0, tzinfo=dt.UTC)
    assert found["sql-of-sales", "salesdb"].run == ""
    assert found["fabric", ""].kind == "Fabric"
    assert json.loads(json.dumps(status.to_dict(), default=str))["scans"][0]["source"] == "fabric"


def test_what_could_not_be_read_is_said(open_azure, seed, tmp_path):
    state = tmp_path / "state.json"
    list(apply_purview(plan_purview(open_azure(state=state), seed)))
    status = purview_status(open_azure(state=state, faults=[denied_at("/runs")]), "sovereign-purview")
    assert not status.complete
    assert status.unread[0].what == "the runs of sales-domain/salesdb"
    assert [(scan.scan, scan.run) for scan in status.scans] == [("salesdb", "unknown")]
    status = purview_status(open_azure(state=state, faults=[denied_at("/scans")]), "sovereign-purview")
    assert [scan.note for scan in status.scans] == ["its scans could not be read"]
    status = purview_status(open_azure(state=state, faults=[denied_at("/triggers")]), "sovereign-purview")
    assert [scan.note for scan in status.scans] == ["its trigger could not be read"]


@pytest.mark.parametrize(
    ("recurrence", "known"),
    [
        ({"frequency": "Day", "schedule": {"hours": [3], "minutes": [0]}}, True),
        ({"frequency": "Day", "schedule": {"hours": [3]}}, False),
        ({"frequency": "Day", "interval": 2, "schedule": {"hours": [3], "minutes": [0]}}, False),
        ({"frequency": "Hour"}, False),
        ({"frequency": "Hour", "schedule": {"minutes": [10]}}, True),
        ({"frequency": "Week", "schedule": {"hours": [3], "minutes": [0]}}, False),
        ({"frequency": "Week", "schedule": {"hours": [3], "minutes": [0], "weekDays": ["Monday"]}}, True),
        ({"frequency": "Month", "schedule": {"hours": [3], "minutes": [0], "monthDays": [1]}}, True),
    ],
)
def test_without_a_start_only_what_the_schedule_tells_is_told(recurrence, known):
    if known:
        assert next_occurrence(recurrence, MONDAY) == next_occurrence(recurrence, MONDAY + dt.timedelta(seconds=90))
    else:
        with pytest.raises(ValueError, match="startTime"):
            next_occurrence(recurrence, MONDAY)


def test_what_does_not_fire_is_told_with_the_reason(azure, settle, monkeypatch):
    settle(EVERYTHING)
    from sovereignmesh.purview.live import Live

    single = Live._single
    more = {}

    def seen(self, kind, name):
        return [dataclasses.replace(item, body={**item.body, **more}) for item in single(self, kind, name)]

    monkeypatch.setattr(Live, "_single", seen)

    def note():
        found = purview_status(azure, "sovereign-purview", now=lambda: MONDAY)
        (scan,) = [scan for scan in found.scans if scan.scan == "weekly"]
        assert scan.next_run is None
        return scan.note

    more["validationErrorInfo"] = "Trigger is invalid: monthDays or monthlyOccurrences is required."
    assert note() == f"the trigger does not fire: {more.pop('validationErrorInfo')}"
    more["properties"] = {"recurrence": {"frequency": "Day", "startTime": "2026-01-01", "endTime": "2026-02-01"}}
    assert note() == "the trigger has ended"
    more["properties"] = {"recurrence": {"frequency": "Day"}}
    assert "it has no startTime" in note()


def test_in_a_notebook_it_is_a_table_in_which_nothing_is_markup(azure, settle):
    settle(EVERYTHING)
    status = purview_status(azure, "sovereign-purview", now=lambda: MONDAY)
    shown = dataclasses.replace(status, scans=(dataclasses.replace(status.scans[0], note="<b>"),))._repr_html_()
    assert ">Note</th>" in shown
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    names, rows = status.table
    assert "Note" not in names  # where there is nothing to say
    assert {len(row) for row in rows} == {len(names)}
    assert repr(status) == "<PurviewStatus of sovereign-purview in westeurope: 4 rows>"


def test_of_the_runs_that_there_were_only_the_last_is_held(open_azure, monkeypatch):
    most = []

    class Known(Run):
        """A run that can be seen to be forgotten."""

    def many(*_):
        alive = weakref.WeakSet()
        for number in range(200):
            run = Known(str(number), "Succeeded", started=MONDAY + dt.timedelta(days=number % 150))
            alive.add(run)
            most.append(len(alive))
            yield run

    monkeypatch.setattr("sovereignmesh.azure.purview.service.Runs.list", many)
    status = purview_status(open_azure("contoso"), "pview-customer-prod")
    assert {scan.run for scan in status.scans if scan.scan} == {"Succeeded"}
    assert 0 < max(most) <= 4
