"""What is said of runs: in a table, as JSON, in a notebook, in a line; and when one is over."""

import dataclasses
import datetime as dt
import io
import sys
import types

import pytest
from clock import Clock, pace_of
from hypothesis import given
from hypothesis import strategies as st
from scans.conftest import ACCOUNT, ARCHIVE, RUN

import sovereignmesh as sm
from sovereignmesh.azure.purview import Run
from sovereignmesh.plan import Unread
from sovereignmesh.scans import Watching
from sovereignmesh.scans.progress import change_line, show_runs
from sovereignmesh.scans.states import SUCCEEDED, has_ended, is_known

NOW = dt.datetime(2026, 11, 30, 3, 0, tzinfo=dt.UTC)
BEGAN = NOW - dt.timedelta(minutes=75)
WORDS = st.sampled_from(
    ["Accepted", "Queued", "Throttled", "InProgress", "Canceling", "Succeeded", "Failed", "Canceled",
     "CompletedWithExceptions", "TransientFailure", "Quarantined", ""]
)  # fmt: skip


def runs(*several, **more):
    return sm.ScanRuns("own", several, NOW, **more)


def a_run(status=SUCCEEDED, ended=NOW, **more):
    return sm.ScanRun("lake", "weekly", RUN, Run(RUN, status, "Full", BEGAN, ended, **more))


@given(WORDS | st.text(), st.none() | st.just(NOW), st.text())
def test_only_a_run_that_says_that_it_succeeded_did(status, ended, error):
    run = a_run(status, ended, error=error)
    assert run.succeeded is (status == SUCCEEDED)
    if not is_known(status):
        assert has_ended(run.run) is (ended is not None)
    found = runs(run, waited=True)
    assert found.complete is run.ended
    assert found.succeeded is run.succeeded
    assert (run in found.failures) is (run.ended and not run.succeeded)
    if run.ended and not run.succeeded:
        assert run.reason


@given(st.lists(WORDS, max_size=4), st.booleans(), st.sampled_from(["", "interrupted"]), st.booleans())
def test_nothing_that_is_not_known_is_a_success(statuses, waited, stopped, lost):
    several = [a_run(status, None) for status in statuses]
    unread = (Unread("the runs of lake/weekly", "denied"),) if lost else ()
    found = runs(*several, waited=waited, stopped=stopped, unread=unread)
    if stopped or lost:
        assert not found.complete
    assert found.succeeded <= found.complete
    assert found.succeeded <= all(status == SUCCEEDED for status in statuses)
    assert not runs(sm.ScanRun("lake", "weekly", RUN), waited=waited).complete, "it was not started"


def test_as_json():
    told = runs(a_run(discovered=5, classified=None, failed=0, type="Scheduled")).to_dict()
    assert told == {
        "schema": "sovereignmesh.scans/v1", "account": "own", "at": "2026-11-30T03:00:00Z", "waited": False,
        "complete": True, "succeeded": True, "stopped": None, "unread": [],
        "runs": [{
            "source": "lake", "scan": "weekly", "run_id": RUN, "status": "Succeeded", "ended": True, "succeeded": True,
            "reason": None, "level": "Full", "type": "Scheduled", "started_at": "2026-11-30T01:45:00Z",
            "ended_at": "2026-11-30T03:00:00Z", "elapsed_seconds": 4500.0, "discovered": 5, "classified": None,
            "failed": 0,
        }],
    }  # fmt: skip
    bare = runs(sm.ScanRun("lake", "weekly", RUN)).to_dict()["runs"][0]
    assert (bare["status"], bare["ended"], bare["level"], bare["elapsed_seconds"]) == ("not started", False, None, None)


def test_as_a_table():
    names, rows = runs(a_run(discovered=1234), sm.ScanRun("lake", "nightly", RUN, why="denied", unsure=True)).table
    assert names == ["Source", "Scan", "Status", "Started (UTC)", "Elapsed", "Discovered", "Level", "Run"]
    assert rows[0][2:] == ["Succeeded", "2026-11-30 01:45", "1 h 15 min", "1,234", "Full", RUN]
    assert rows[1] == ["lake", "nightly", "unknown", "", "", "", "", RUN]
    assert repr(runs(a_run())) == "<ScanRuns of own: 1 runs, 1 of them succeeded>"


def test_a_page_acts_on_no_name():
    evil = "<script>\x1b[2J"
    page = runs(sm.ScanRun(evil, evil, evil, why=evil), unread=(Unread(evil, evil),))._repr_html_()
    assert "<script>" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") == 8


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (sm.ScanRun("lake", "weekly", RUN), f"lake/weekly: run {RUN} is being started"),
        (sm.ScanRun("lake", "weekly", RUN, why="denied"), "lake/weekly: not started: denied"),
        (a_run("InProgress", None), "lake/weekly: InProgress, after 1 h 15 min"),
        (
            a_run("Failed", discovered=1234, failed=2, error="no\x1b role"),
            "lake/weekly: Failed, after 1 h 15 min, 1,234 discovered, 2 failed: no\\x1b role",
        ),
        (
            a_run("Quarantined"),
            "lake/weekly: Quarantined, after 1 h 15 min: " + a_run("Quarantined").reason,
        ),
    ],
)
def test_as_a_line(run, line):
    assert change_line(run, NOW) == line


def test_clocks_that_differ_tell_no_negative_time():
    assert a_run("InProgress", None).elapsed(BEGAN - dt.timedelta(hours=1)) == 0
    assert a_run("Quarantined", None).elapsed(NOW) == 4500


@pytest.fixture
def notebook(monkeypatch):
    """What a kernel was told to display: one table, again and again."""
    shown = []

    class Handle:
        def update(self, found):
            shown.append(found)

    def display(found, *, display_id):
        assert display_id
        shown.append(found)
        return Handle()

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return shown


def test_a_notebook_shows_a_table_that_moves(azure, notebook, capsys):
    found = sm.run_scan(azure, ACCOUNT, *ARCHIVE)
    assert [one.runs[0].status for one in notebook] == [
        "not started", "Queued", "InProgress", "Succeeded", "Succeeded",
    ]  # fmt: skip
    assert notebook[-1].runs == found.runs
    assert '<progress value="0" max="1">' in notebook[1]._repr_html_()
    assert "<progress" not in notebook[-1]._repr_html_(), "all is over"
    assert "412" in notebook[-1]._repr_html_()
    assert capsys.readouterr() == ("", "")


def test_a_notebook_is_not_sent_a_table_for_each_of_a_thousand_changes(notebook):
    clock = Clock()
    runs = [a_run("InProgress", None, discovered=0) for _ in range(1000)]
    purview = types.SimpleNamespace(
        account=types.SimpleNamespace(name="own"), azure=types.SimpleNamespace(pace=pace_of(clock))
    )
    watching = Watching(purview, runs, lambda: NOW)
    with show_runs(watching) as tell:
        for run in runs:
            tell(run)
            clock.sleep(0.003)
        assert len(notebook) == 1 + 2, "three seconds have passed"
        clock.sleep(0.5)
        watching.rest()
        assert len(notebook) == 1 + 3, "before it waits it shows what was told too soon"
        watching.runs[0] = a_run()
        tell(watching.runs[0])
    assert len(notebook) == 1 + 4
    assert notebook[-1].runs[0].succeeded, "the last one shows how it ended"


@pytest.mark.parametrize("inside", [True, False])
def test_what_a_run_counts_moves_a_table_and_is_no_line(inside, request, monkeypatch, capsys):
    shown = request.getfixturevalue("notebook") if inside else []
    counted = [Run(RUN, "InProgress", started=BEGAN, discovered=count) for count in (None, 7, 7, 12)]
    polls = iter([*counted, dataclasses.replace(counted[-1], status=SUCCEEDED, ended=NOW)])
    purview = types.SimpleNamespace(
        account=types.SimpleNamespace(name="own"),
        azure=types.SimpleNamespace(pace=pace_of(Clock())),
        runs=types.SimpleNamespace(start=lambda *_: Run(RUN, "Accepted"), poll=lambda *_: (next(polls), None)),
    )
    monkeypatch.setattr("sovereignmesh.scans.run.connect_purview", lambda *_: purview)
    assert sm.run_scan(None, "own", "lake", "weekly").succeeded
    lines = [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    if inside:
        assert [one.runs[0].run and one.runs[0].run.discovered for one in shown] == [
            None, None, 7, 7, 12, 12, 12,
        ]  # fmt: skip
        assert lines == []
    else:
        assert [line.partition(",")[0] for line in lines[1:]] == ["Accepted", "InProgress", "Succeeded"]
        assert "12 discovered" in lines[-1]


def test_where_nobody_reads_on_runs_are_followed_all_the_same(azure, monkeypatch):
    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Closed())
    assert sm.run_scan(azure, ACCOUNT, *ARCHIVE).succeeded


def test_elsewhere_each_change_is_a_line(azure, capsys, monkeypatch):
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: None  # imported by something, and no kernel
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    sm.run_scan(azure, ACCOUNT, *ARCHIVE)
    said = capsys.readouterr()
    assert said.out == ""
    lines = [line.partition(": ")[2].partition(",")[0] for line in said.err.splitlines()]
    assert lines[1:] == ["Accepted", "Queued", "InProgress", "Succeeded"]
    sm.run_scan(azure, ACCOUNT, *ARCHIVE, progress=None)
    assert capsys.readouterr() == ("", "")
