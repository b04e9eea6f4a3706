"""`scan` on the sandbox, as a person types it."""

import datetime as dt
import io
import json
import signal
import subprocess
import sys
import types
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from clock import Clock, open_still
from rich.console import Console

from sovereignmesh import sandbox
from sovereignmesh.azure.purview import Run
from sovereignmesh.azure.purview.service import Sources
from sovereignmesh.cli import fitting, main, scan_table
from sovereignmesh.sandbox.estate import estate_folder
from sovereignmesh.scans import ScanRun

SCAN = ["stsalesprodarchive", "monthly"]
FAILS = ["stcustomerprodlake", "weekly"]
RUN = "0f8fad5b-d9cb-469f-a165-70867728950e"


class _Clock(Clock):
    interrupt_at = None

    def sleep(self, seconds):
        super().sleep(seconds)
        if len(self.slept) == self.interrupt_at:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def time(monkeypatch):
    """Sandboxes whose waits take no time; `interrupt_at` says which is interrupted."""

    time = _Clock()
    monkeypatch.setattr(sandbox, "open_sandbox", partial(open_still, clock=time))
    return time


@pytest.fixture(autouse=True)
def bare_mesh(monkeypatch, tmp_path_factory):
    """The mesh of contoso in these tests: it names the account, and wishes nothing in it."""
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "purview.yaml").write_text("purview: {account: pview-customer-prod}")
    own = sandbox.estate_mesh
    monkeypatch.setattr(sandbox, "estate_mesh", lambda name: folder if name == "contoso" else own(name))


def run(*words):
    result = CliRunner().invoke(main, ["scan", *words])
    assert "Traceback" not in result.output
    return result


def told(*words):
    return json.loads(run(*words, "--format", "json").stdout)


@pytest.fixture
def state(tmp_path):
    return ["--state", str(tmp_path / "state.json")]


def test_all_scans_run_and_the_one_that_fails_is_named():
    result = run("run", "--all", "--wait", "--sandbox")
    assert result.exit_code == 3
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("stcustomerprodlake/weekly: Failed")]
    assert "Storage Blob Data Reader" in line
    assert result.stdout.count("Succeeded") == 3
    assert "stsalesprodarchive/monthly: InProgress" in result.stderr
    assert "stsalesprodarchive/monthly: Succeeded, after 0 s, 412 discovered, 380 classified" in result.stderr


def test_a_run_that_was_not_waited_for_is_watched_later(state):
    started = run("run", *SCAN, *state, "--run-id", RUN, "--level", "Full")
    assert started.exit_code == 0
    assert f"run {RUN} is being started" in started.stderr
    assert RUN in started.stdout
    watched = run("watch", *state)
    assert watched.exit_code == 0, watched.output
    assert RUN in watched.stdout
    again = run("watch", *state)
    assert again.exit_code == 0
    assert again.stdout == "pview-customer-prod: no run is under way\n"
    last = told("history", *SCAN, *state)["runs"][0]
    assert (last["run_id"], last["status"], last["level"], last["discovered"]) == (RUN, "Succeeded", "Full", 412)


def test_asked_twice_with_one_id_one_run_is_started(state):
    for _ in range(2):
        assert run("run", *SCAN, *state, "--run-id", RUN).exit_code == 0
    assert [one["run_id"] for one in told("history", *SCAN, *state)["runs"]].count(RUN) == 1


def test_a_run_that_is_cancelled_did_not_succeed(state):
    assert run("run", *SCAN, *state, "--run-id", RUN).exit_code == 0
    cancelled = run("cancel", *SCAN, RUN, *state, "--format", "json")
    assert (cancelled.exit_code, cancelled.stderr) == (0, "")
    assert told("history", *SCAN, *state)["runs"][0]["status"] == "Canceled"
    again = run("cancel", *SCAN, RUN, *state)
    assert again.exit_code == 0
    assert again.stderr == f"run {RUN} of {'/'.join(SCAN)} had ended already (Canceled): nothing was cancelled\n"
    followed = run("run", *SCAN, "--wait", "--run-id", RUN, *state)
    assert followed.exit_code == 3
    assert "stsalesprodarchive/monthly: Canceled" in followed.stdout
    nothing = run("cancel", *SCAN, *state)
    assert (nothing.exit_code, nothing.stdout) == (
        0,
        "pview-customer-prod: no run of stsalesprodarchive/monthly is under way\n",
    )


def test_where_nothing_runs_it_is_said_of_what(state):
    assert run("run", *FAILS, *state).exit_code == 0
    of = "pview-customer-prod: no run of stsalesprodarchive"
    assert run("cancel", *SCAN, *state).stdout == f"{of}/monthly is under way\n"
    assert run("watch", *SCAN, *state).stdout == f"{of}/monthly is under way\n"
    assert run("watch", SCAN[0], *state).stdout == f"{of} is under way\n"
    none = run("history", "sales-sql", "orders", *state).stdout
    assert none == "pview-customer-prod: there was no run of sales-sql/orders\n"


def test_the_history_is_a_table_or_json():
    table = run("history", "--sandbox")
    assert table.exit_code == 0
    assert "CompletedWithExceptions" in table.stdout
    (line,) = [line for line in table.stdout.splitlines() if "3 x UnsupportedFileEncoding" in line]
    assert line.startswith("stsalesprodarchive/monthly, run 00000000-"), "there are several of it"
    found = told("history", SCAN[0], "--sandbox")
    assert found["complete"]
    assert [one["started_at"][:7] for one in found["runs"]] == ["2026-11", "2026-10", "2026-09"]
    assert found["runs"][0]["elapsed_seconds"] == 510


@pytest.mark.parametrize("more", [[], ["--wait"]])
def test_a_job_that_sees_no_scan_is_not_green(more):
    result = run("run", "--all", *more, "--estate", "seed")
    assert result.exit_code == 4
    assert result.stdout.startswith("not read: the scans of the account: none is seen: it has none, or you lack")
    assert not told("run", "--all", *more, "--estate", "seed")["complete"]
    assert "not every scan was seen" in " ".join(run("run", "--help").output.split())


@pytest.mark.parametrize("command", ["watch", "history"])
def test_nor_is_one_that_sees_no_scan_whose_runs_to_tell(command):
    result = run(command, "--estate", "seed")
    assert result.exit_code == 4
    assert result.stdout.startswith("not read: the scans of the account: none is seen: it has none, or you lack")


@pytest.mark.parametrize("words", [["run", "--all", "--wait"], ["run", "--all"], ["watch"], ["history"]])
def test_what_the_mesh_wishes_and_no_list_shows_is_told(words, state, monkeypatch):
    wishes = ["--mesh", str(estate_folder("contoso") / "mesh")]
    ends = 3 if "--wait" in words else 0
    assert run(*words, *wishes, *state).exit_code == ends, "what is not applied is none of the account's"
    assert CliRunner().invoke(main, ["purview", "apply", wishes[1], *state, "--yes"]).exit_code == 0
    assert run(*words, *wishes, *state).exit_code == ends
    every = Sources.bodies
    monkeypatch.setattr(Sources, "bodies", lambda own: (one for one in every(own) if one.text("name") != "sales-lake"))
    result = run(*words, *wishes, *state)
    assert result.exit_code == 4
    assert "not read: the source sales-lake: the mesh wishes it, it is there, and no list shows it" in result.stdout
    elsewhere = run(*words, *wishes, *state, "--account", "pview-customer-prod")
    assert "wishes" not in elsewhere.output, "it may be another than the mesh is about"


def test_of_a_source_by_name_only_its_own_is_wished():
    wishes = ["--mesh", str(estate_folder("contoso") / "mesh"), "--sandbox"]
    assert run("history", "stsalesprodarchive", *wishes).exit_code == 0
    assert run("watch", *SCAN, *wishes).exit_code == 0
    gone = run("history", "sales-lake", *wishes)
    assert (gone.exit_code, gone.stdout.count("not read")) == (4, 1)


def test_a_sandbox_that_forgets_what_is_started_says_so(state):
    forgets = "a sandbox without a state forgets what is started in it: add --state FILE"
    assert forgets not in run("run", "nope", "nope", "--sandbox").stderr, "nothing was started"
    assert forgets in run("run", *SCAN, "--sandbox", "--wait", "--timeout", "2").stderr
    for where in (["--sandbox"], ["--estate", "contoso"]):
        assert run("run", *SCAN, *where).stderr.count(forgets) == 1
    assert forgets not in run("run", *SCAN, *state).stderr
    assert forgets not in run("run", *SCAN, "--sandbox", "--wait").stderr


# What does not go well.


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", *SCAN, "--wait", "--timeout", "1", "--sandbox"], 4, "no longer watching (the time given was up)"),
        (["run", *SCAN, "--sandbox", "--fault", "purview-denied:purview-writes"], 4, "you lack a role"),
        (["run", *SCAN, "--sandbox", "--fault", "server-down:purview-writes"], 4, "503"),
        (["run", "nowhere", "weekly", "--sandbox"], 4, "could not be found"),
        (["run", "..", "weekly", "--sandbox"], 4, "nothing was sent"),
        (["history", "nowhere", "--sandbox"], 4, "not read: the scans of source nowhere"),
        (["history", *SCAN, "--sandbox", "--fault", "purview-denied"], 4, "not read: the runs of stsalesprodarchive"),
        (["watch", "--sandbox", "--fault", "server-down:purview"], 4, "not read: source"),
        (["cancel", *SCAN, RUN, "--sandbox"], 4, "could not be found"),
        (["run", "--all", "--sandbox", "--account", "pview-sales-prod"], 4, "does not answer this network"),
        (["watch", "--sandbox", "--account", "nowhere"], 1, "pview-customer-prod"),
        (["watch", "--sandbox", "--mesh", "no-such-mesh"], 1, "no mesh at"),
        (["history", "--sandbox", "--mesh", "fixtures/mesh/seed"], 1, "--account"),
        (["history", "--estate", "seed", "--account", " "], 2, "is empty"),
        (["run", "--sandbox"], 2, "--all"),
        (["run", "stsalesprodarchive", "--sandbox"], 2, "--all"),
        (["run", *SCAN, "--all", "--sandbox"], 2, "--all"),
        (["run", *SCAN, "--timeout", "2h", "--sandbox"], 2, "--timeout is of --wait"),
        (["run", *SCAN, "--wait", "--timeout", "soon", "--sandbox"], 2, "no duration"),
        (["run", "--all", "--concurrency", "2", "--sandbox"], 2, "--concurrency is of --all with --wait"),
        (["run", *SCAN, "--wait", "--concurrency", "2", "--sandbox"], 2, "--concurrency is of --all with --wait"),
        (["run", "--all", "--wait", "--concurrency", "0", "--sandbox"], 2, "--concurrency"),
        (["run", "--all", "--run-id", RUN, "--sandbox"], 2, "--run-id is of one run"),
        (["run", *SCAN, "--run-id", "seven", "--sandbox"], 2, "--run-id"),
        (["run", *SCAN, "--level", "half", "--sandbox"], 2, "--level"),
        (["cancel", *SCAN, "seven", "--sandbox"], 2, "RUN_ID"),
        (["cancel", SCAN[0], "", "--sandbox"], 2, "is empty"),
        (["cancel", " ", SCAN[1], "--sandbox"], 2, "is empty"),
        (["watch", "", "--sandbox"], 2, "is empty"),
        (["history", SCAN[0], "", "--sandbox"], 2, "is empty"),
        (["run", SCAN[0], "", "--sandbox"], 2, "is empty"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(words, code, said):
    result = run(*words)
    assert (result.exit_code, said in " ".join(result.output.split())) == (code, True), result.output


@pytest.mark.parametrize(
    "words",
    [["run", "nowhere", "weekly"], ["history", "nowhere"], ["watch", SCAN[0], "wekly"], ["cancel", *SCAN, RUN]],
)
def test_a_name_that_is_not_there_is_told_where_those_are_that_are(words):
    hint = "`sovereignmesh purview status` shows which sources and scans there are"
    assert run(*words, "--sandbox").stderr.count(hint) == 1
    assert hint not in run(*words, "--sandbox", "--fault", "purview-denied").stderr


def test_incomplete_comes_before_failed():
    result = run("run", "--all", "--wait", "--timeout", "1", "--sandbox", "--format", "json")
    assert result.exit_code == 4
    found = json.loads(result.stdout)
    assert not found["complete"]
    assert found["stopped"] == "the time given was up"


@pytest.mark.parametrize("words", [["run", "--all", "--wait"], ["run", *SCAN, "--wait"], ["watch"]])
def test_the_time_may_be_up_before_anything_is_started(words):
    result = run(*words, "--timeout", "0.5", "--sandbox", "--fault", "server-down", "--format", "json")
    assert result.exit_code == 4, result.output
    assert "no longer watching (the time given with the deadline was up" in result.stderr
    assert ") before anything was started or followed" in result.stderr
    assert not json.loads(result.stdout)["complete"]


def test_concurrency_is_obeyed(state):
    assert run("run", "--all", "--wait", "--concurrency", "1", *state).exit_code == 3
    said = run("run", "--all", "--wait", "--concurrency", "1", *state).stderr
    order = [line.split(":")[0] for line in said.splitlines()]
    assert order == sorted(order), "one after the other"


def test_an_interruption_says_how_to_find_the_runs_again(time, state):
    time.interrupt_at = 8
    result = run("run", "--all", "--wait", *state)
    assert result.exit_code == 4
    assert "no longer watching (interrupted)" in result.stderr
    assert "sovereignmesh scan watch" in result.stderr
    assert "what ended meanwhile stands in `sovereignmesh scan history`" in result.stderr
    assert run("watch", *state).exit_code in (0, 3)


def test_an_interruption_before_all_is_read_started_nothing(monkeypatch, state):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sovereignmesh.purview.live.Live.read_lists", interrupted)
    for words in (["run", "--all", "--wait"], ["watch"]):
        result = run(*words, *state)
        assert result.exit_code == 4
        assert "before anything was started" in result.stderr


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_was_cut_off_loses_no_run(state, with_signal):
    script = str(Path(sys.executable).with_name("sovereignmesh"))
    command = [script, "scan", "run", *SCAN, "--wait", "--run-id", RUN, *state]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as began:
        for line in began.stderr:
            if "Accepted" in line:
                began.send_signal(with_signal)
                break
        said = began.stderr.read()
    assert began.returncode == (4 if with_signal == signal.SIGINT else -signal.SIGKILL)
    assert ("scan watch" in said) is (with_signal == signal.SIGINT)
    watched = run("watch", *state)
    assert watched.exit_code == 0, watched.output
    assert RUN in watched.stdout


@pytest.mark.parametrize("words", [[], ["--format", "json"]])
@pytest.mark.parametrize(
    ("command", "said"), [("run", "was started, and could not be told"), ("cancel", "asked to end, and could not")]
)
def test_what_was_started_and_could_not_be_told_is_said(state, words, command, said):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    if command == "cancel":
        assert run("run", *SCAN, *state).exit_code == 0
    script = [sys.executable, "-c", "from sovereignmesh.cli import main; main()", "scan", command, *SCAN]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*script, *state, *words], stdout=full, stderr=subprocess.PIPE, check=False, text=True, timeout=60
        )
    assert (ended.returncode, said in ended.stderr) == (4, True), ended.stderr


# On a terminal.


@pytest.fixture
def terminal(monkeypatch):
    """What a terminal of 120 columns, or of `columns`, is sent."""
    sent = io.StringIO()
    sent.columns = 120

    def console(**options):
        options.pop("stderr", None)
        return Console(**{**options, "file": sent, "force_terminal": True, "width": sent.columns, "height": 40})

    for module in (scan_table, fitting):
        monkeypatch.setattr(module, "Console", console)
    monkeypatch.setattr("sovereignmesh.cli.scan_commands.sys", type("Sys", (), {"stderr": Tty()}))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return sent


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_a_row_for_each_run(terminal, time):
    assert run("run", "--all", "--wait", "--sandbox").exit_code == 3
    sent = terminal.getvalue()
    assert "to be started" in sent
    assert "of 4 runs have ended; Ctrl-C stops watching, not the runs" in sent
    assert "stsalesprodarchive/monthly: run " in sent, "the id stays above the table"
    assert "\x1b[31m" in sent, "the one that fails is red"
    assert "\x1b[32m" in sent


def test_of_a_thousand_runs_those_are_made_rows_that_a_terminal_has_lines_for(monkeypatch):
    """The table is made anew several times a second."""
    made, cells = [], ScanRun.cells
    monkeypatch.setattr(ScanRun, "cells", lambda run, now: (made.append(run.scan), cells(run, now))[1])
    runs = [ScanRun("lake", f"scan-{number}", RUN) for number in range(1000)]
    runs[:3] = [replace(runs[0], why="denied"), *(replace(run, run=Run(RUN, "Succeeded")) for run in runs[1:3])]
    runs[700] = replace(runs[700], run=Run(RUN, "InProgress"))
    watching = types.SimpleNamespace(runs=runs, now=lambda: dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
    sent = io.StringIO()
    Console(file=sent, width=120).print(scan_table._moving(watching, 120, 20))
    lines = sent.getvalue().splitlines()
    assert made == ["scan-700", *(f"scan-{number}" for number in range(3, 22))]
    assert len(lines) == 20 + 2
    assert "scan-700" in lines[1]
    assert lines[-1] == "2 of 1000 runs have ended, 980 more are not shown; Ctrl-C stops watching, not the runs"
    small = scan_table._moving(watching, 120, -3)
    Console(file=sent, width=120).print(small)
    assert made[20:] == ["scan-700"], "one at the least"


def test_a_narrow_terminal_does_without_some_columns(terminal):
    assert run("history", "--sandbox").exit_code == 0
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines[1:5])) <= 120 + 20, "but for colours"
    assert "stsalesprodarchive" in lines[2]
    assert "Scheduled" not in terminal.getvalue()
    assert "--format json" in terminal.getvalue()


@pytest.mark.parametrize("columns", [80, 60])
def test_names_and_statuses_are_whole_in_any_terminal(terminal, columns):
    terminal.columns = columns
    assert run("history", "--sandbox").exit_code == 0
    table = terminal.getvalue().splitlines()
    assert {line.split()[1] for line in table if line.startswith("stsalesprodarchive")} == {"monthly"}
    assert "CompletedWithExceptions" in terminal.getvalue()
    assert "Failed" in table[0]


def test_no_colour_where_none_is_wanted(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert run("history", "--sandbox").exit_code == 0
    assert "\x1b[3" not in terminal.getvalue()
    assert "CompletedWithExceptions" in terminal.getvalue()


@pytest.mark.off_spec("dataSourceName")
def test_names_cannot_move_the_cursor():
    result = run("run", "\x1b[2Jx", "weekly", "--sandbox")
    assert result.exit_code == 4
    assert "\x1b" not in result.output


def test_every_command_has_an_example_and_its_exit_codes():
    for name in ("run", "watch", "history", "cancel"):
        text = run(name, "--help").output
        assert "Example" in text
        assert "Exit codes: 0" in text


def test_a_second_interruption_loses_nothing_of_the_result(state, time, monkeypatch):
    time.interrupt_at = 8
    tell = scan_table.print_runs

    def interrupted_again(*told):
        signal.raise_signal(signal.SIGINT)
        tell(*told)

    monkeypatch.setattr(scan_table, "print_runs", interrupted_again)
    result = run("run", "--all", "--wait", *state)
    assert result.exit_code == 4
    assert "stsalesprodarchive" in result.stdout
    assert "no longer watching (interrupted)" in result.stderr
