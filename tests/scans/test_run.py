"""Runs are started once, followed to their ends, and what is not known of them is said."""

import datetime as dt
from functools import partial

import pytest
import requests
from sandbox.purview_client import without_what_is_above, write_contoso
from scans.conftest import ACCOUNT, ARCHIVE, FAILS, RUN, Seen, at_path, at_polls, is_poll, saying

import sovereignmesh as sm
from sovereignmesh.errors import NotFoundError
from sovereignmesh.sandbox import Fault
from sovereignmesh.sandbox.purview.answers import denied, missing, purview_refusal
from sovereignmesh.scans import AT_ONCE
from sovereignmesh.scans.watch import INTERRUPTED


def history(azure, *scan):
    return sm.scan_history(azure, ACCOUNT, *scan).runs


def mine(azure):
    """What is known of the run under our id: there may be no more than one."""
    return [run.status for run in history(azure, *ARCHIVE) if run.id == RUN]


def run_it(azure, seen=None, scan=ARCHIVE, **options):
    return sm.run_scan(azure, ACCOUNT, *scan, **{"run_id": RUN, "progress": seen, **options})


def test_a_run_is_followed_to_its_end(azure, seen):
    found = run_it(azure, seen, level="full")
    assert found.complete
    assert found.succeeded
    assert seen.statuses == ["not started", "Accepted", "Queued", "InProgress", "Succeeded"]
    assert {run.id for run in seen.runs} == {RUN}
    (run,) = found.runs
    assert (run.run.discovered, run.run.classified, run.run.failed, run.run.level) == (412, 380, 0, "Full")
    assert found.failures == ()


def test_all_scans_run_and_the_one_that_fails_is_named_with_its_reason(azure, seen):
    found = sm.run_scans(azure, ACCOUNT, progress=seen)
    assert found.complete
    assert not found.succeeded
    (failed,) = found.failures
    assert (failed.source, failed.scan) == FAILS
    assert "Storage Blob Data Reader" in failed.reason
    assert {run.status for run in found.runs if run is not failed} == {"Succeeded"}
    assert len({run.id for run in found.runs}) == len(found.runs) == 4


def test_the_same_id_again_starts_nothing(azure):
    first, again = run_it(azure), run_it(azure)
    assert first.succeeded
    assert again.succeeded
    assert mine(azure) == ["Succeeded"]


# Between a request and its answer.


@pytest.mark.parametrize(
    "fault",
    ["reset", "reset-always", "truncated", "truncated-always", "server-errors", "throttled", "throttled-silent", "html",
     "token-expired"],
)  # fmt: skip
def test_whatever_becomes_of_the_answer_one_run_is_started(open_azure, fault):
    azure = open_azure(faults=[f"{fault}:purview-writes@1"])
    assert run_it(azure).succeeded
    assert mine(azure) == ["Succeeded"]


@pytest.mark.parametrize("fault", ["reset", "truncated", "server-errors", "throttled", "lagging-reads", "html"])
def test_a_fault_while_it_runs_changes_nothing(open_azure, fault):
    azure = open_azure(faults=[f"{fault}:purview@3"])
    assert run_it(azure).succeeded
    assert mine(azure) == ["Succeeded"]


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("server-down", "unknown", "503"),  # nobody knows what a server did that is down
        ("html-always", "unknown", "no JSON"),
        ("throttled-a-day", "not started", "429"),
        ("purview-denied", "not started", "you lack a role"),
        ("purview-closed", "not started", "does not answer this network"),
    ],
)
def test_what_cannot_be_started_is_said(open_azure, seen, fault, status, said):
    azure = open_azure(faults=[f"{fault}:purview-writes"])
    found = run_it(azure, seen)
    assert not found.complete
    assert not found.succeeded
    assert found.runs[0].status == status
    assert said in found.runs[0].reason
    assert seen.runs[0].id == RUN, "it was told before anything was sent"
    assert mine(azure) == []


def test_a_scan_that_is_not_there_is_not_started_and_the_others_are(azure):
    found = sm.run_scans(azure, ACCOUNT, [ARCHIVE, ("nowhere", "weekly"), ("..", "weekly")],
                         progress=None)  # fmt: skip
    assert [run.status for run in found.runs] == ["Succeeded", "not started", "not started"]
    assert "could not be found" in found.runs[1].reason
    assert not found.complete


def test_an_account_that_is_not_there_is_an_error(azure):
    for ask in (sm.run_scans, sm.watch_scans, sm.scan_history):
        with pytest.raises(NotFoundError, match="no Purview account"):
            ask(azure, "nowhere")


def test_a_start_that_is_refused_as_that_of_a_run_there_is_one(open_azure):
    """Should the service not take an id twice: undocumented."""
    twice = purview_refusal(409, "ScanResult_Exists", "There is a run of that id.").reply
    azure = open_azure(faults=[Fault("taken", "", lambda hit: (hit.reply(), twice)[1], "purview-writes", times=None)])
    assert run_it(azure).succeeded


class Starts:
    """Sees each start that is sent: `lost` of them are not answered, `taken` or not."""

    def __init__(self, lost, *, taken, reply=None):
        self.ids, self.lost, self.taken, self.reply = [], lost, taken, reply
        self.fault = Fault("starts", "", self._hit, "purview-writes", times=None)

    def _hit(self, hit):
        if not hit.call.path.endswith(":run"):
            return hit.reply()
        self.ids.append(hit.call.query["runid"])
        if len(self.ids) > self.lost:
            return hit.reply()
        if self.taken:
            hit.reply()
        if self.reply is not None:
            return self.reply
        raise requests.ConnectionError("reset")


SERVER_ERROR = purview_refusal(500, "InternalServerError", "").reply


@pytest.mark.parametrize("reply", [None, SERVER_ERROR])
def test_a_start_that_was_taken_and_not_answered_is_sent_once(open_azure, reply):
    starts = Starts(9, taken=True, reply=reply)
    assert run_it(open_azure(faults=[starts.fault]), run_id=None).succeeded
    assert len(starts.ids) == 1, "should the service not take an id once, a second run would have begun"


@pytest.mark.parametrize("reply", [None, SERVER_ERROR])
@pytest.mark.parametrize(("lost", "sent", "status"), [(1, 2, "Succeeded"), (4, 5, "Succeeded"), (9, 5, "unknown")])
def test_one_that_was_not_taken_is_sent_again_under_its_id(open_azure, reply, lost, sent, status):
    starts = Starts(lost, taken=False, reply=reply)
    azure = open_azure(faults=[starts.fault])
    (run,) = run_it(azure).runs
    assert starts.ids == [RUN] * sent
    assert run.status == status
    assert bool(run.why) is (status == "unknown")
    assert azure.pace.clock.slept.count(0.5) == 1, "it waits before it looks"


def test_where_nobody_can_look_no_start_is_sent_again(open_azure):
    starts = Starts(1, taken=True)
    azure = open_azure(faults=[starts.fault, at_path("/runs/", denied().reply)])
    (run,) = run_it(azure, run_id=None).runs
    assert (run.status, len(starts.ids)) == ("unknown", 1)


@pytest.mark.parametrize("known", [True, False])
def test_with_an_id_of_the_caller_s_it_looks_before_it_starts(open_azure, tmp_path, known):
    state = tmp_path / "state.json"
    if known:
        sm.connect_purview(ACCOUNT, open_azure(state=state)).runs.start(*ARCHIVE, RUN)
    starts = Starts(0, taken=True)
    assert run_it(open_azure(state=state, faults=[starts.fault])).succeeded
    assert starts.ids == ([] if known else [RUN])


def test_an_id_under_which_nobody_can_look_is_not_started(open_azure):
    starts = Starts(0, taken=True)
    (run,) = run_it(open_azure(faults=[starts.fault, at_path("/runs/", denied().reply)])).runs
    assert (run.status, starts.ids) == ("unknown", [])


def test_the_time_may_be_up_between_a_start_and_the_look_after_it(open_azure):
    starts = Starts(9, taken=False)
    found = run_it(open_azure(faults=[starts.fault]), timeout=0.4)
    assert (found.runs[0].status, len(starts.ids)) == ("unknown", 1)
    assert "the time given" in found.stopped


# While it is followed.


@pytest.mark.parametrize("ended_at", [None, "2026-11-30T02:10:00Z"])
def test_a_status_that_nobody_knows_ends_a_run_only_when_the_service_says_when(open_azure, ended_at):
    azure = open_azure(faults=[saying(status="Quarantined", endTime=ended_at)])
    found = run_it(azure, timeout=600)
    (run,) = found.runs
    assert run.status == "Quarantined"
    assert not run.succeeded
    assert run.ended is found.complete is (ended_at is not None)
    assert ("nobody knows" in run.reason) is (ended_at is not None)
    assert ("the time given was up" in found.stopped) is (ended_at is None)


def test_a_status_that_means_going_on_ends_nothing(open_azure):
    azure = open_azure(faults=[saying(status="InProgress", endTime="2026-11-30T02:10:00Z")])
    assert not run_it(azure, timeout=60).complete


@pytest.mark.off_spec("is not a 'date-time'")
def test_moments_without_a_zone_are_told_and_put_in_order(open_azure):
    """A run that says so beside others that have one, and while it is followed."""

    def change(hit):
        reply = hit.reply()
        if "/runs" in hit.call.path and hit.call.method == "GET":
            reply.body = reply.body.replace(b".0000000Z", b"")
        return reply

    azure = open_azure(faults=[Fault("no-zone", "", change, "purview", times=None)])
    assert run_it(azure, timeout=600).succeeded
    times = [run.run.started for run in history(azure)]
    assert times == sorted(times, reverse=True)
    saying_none = open_azure(faults=[saying(startTime="2021-10-12T09:30:00", status="InProgress", endTime=None)])
    (run,) = run_it(saying_none, timeout=60).runs
    assert run.elapsed(run.run.started + dt.timedelta(minutes=1)) == 60


def test_an_end_without_a_status_is_no_success(open_azure):
    (run,) = run_it(open_azure(faults=[saying(status=None, endTime="2026-11-30T02:10:00Z")])).runs
    assert (run.status, run.ended, run.succeeded) == ("unknown", True, False)


@pytest.mark.parametrize("status", ["Failed", "Canceled", "CompletedWithExceptions"])
def test_every_other_end_is_no_success(open_azure, status):
    found = run_it(open_azure(faults=[saying(status=status, endTime=None)]))
    assert found.complete
    assert not found.succeeded
    assert found.failures[0].reason == "the service gives no reason"


def test_the_time_is_up_and_the_run_goes_on(azure):
    found = run_it(azure, timeout=1.5)
    assert not found.complete
    assert "the time given was up" in found.stopped
    assert not found.runs[0].ended
    assert azure.pace.clock.now <= 1.5
    watched = sm.watch_scans(azure, ACCOUNT, progress=None)
    assert [run.id for run in watched.runs] == [RUN]
    assert watched.succeeded, "the connection is as good as before"


def test_nobody_waits_longer_than_the_time_given_for_a_service_that_is_down(open_azure):
    down = at_polls(lambda hit: purview_refusal(503, "ServiceUnavailable", "down").reply)
    azure = open_azure(faults=[down])
    found = run_it(azure, timeout=20)
    assert not found.complete
    assert azure.pace.clock.now <= 20


@pytest.mark.parametrize("part", ["/providers/Microsoft.Purview/accounts", "/scan/datasources"])
@pytest.mark.parametrize(
    ("ask", "runs"),
    [(sm.run_scans, 0), (sm.watch_scans, 0), (lambda *all_, **by: sm.run_scans(*all_, [ARCHIVE], **by), 1)],
)
def test_the_time_given_has_what_comes_before_the_runs_in_it(open_azure, part, ask, runs):
    time = []

    def slow(hit):
        if part.casefold() in hit.call.path.casefold():
            time[0].now += 30.0
        return hit.reply()

    azure = open_azure(faults=[Fault("slow-lists", "", slow, times=None)])
    time.append(azure.pace.clock)
    found = ask(azure, ACCOUNT, timeout=20, progress=None)
    assert "the time given" in found.stopped
    assert (len(found.runs), found.complete, found.account) == (runs, False, ACCOUNT)
    assert azure.pace.clock.now <= 20 + 30 * 3, "but for the requests under way"
    assert all("the time given" in run.reason for run in found.runs)
    assert sm.scan_history(azure, ACCOUNT).complete, "the connection is as good as before"


@pytest.mark.parametrize(("refusal", "looks"), [(denied(), 1), (missing("ScanResult", RUN), 5)])
def test_who_cannot_read_a_run_gives_up(open_azure, refusal, looks):
    count = []
    azure = open_azure(faults=[at_polls(lambda hit: (count.append(1), refusal.reply)[1])])
    found = run_it(azure, run_id=None)
    assert not found.complete
    assert "given up" in found.runs[0].reason
    assert len(count) == looks
    assert not found.stopped, "others would be followed on"


def test_one_that_cannot_be_read_holds_no_other_up(open_azure):
    azure = open_azure(faults=[at_path("stsalesprodarchive/scans/monthly/runs/", denied().reply)])
    found = sm.run_scans(azure, ACCOUNT, progress=None)
    assert [run.status for run in found.runs if run.source != ARCHIVE[0]] == ["Succeeded", "Failed", "Succeeded"]
    assert not found.complete


def test_an_interruption_ends_the_watching_and_not_the_runs(azure):
    progress = Seen(interrupt_at("InProgress"))
    found = sm.run_scans(azure, ACCOUNT, concurrency=2, progress=progress)
    assert found.stopped == INTERRUPTED
    assert not found.complete
    assert [run.status for run in found.runs[2:]] == ["not started"] * 2
    assert all("interrupted" in run.reason for run in found.runs)
    watched = sm.watch_scans(azure, ACCOUNT, progress=None)
    assert {run.id for run in watched.runs} <= {run.id for run in found.runs[:2]}
    assert watched.complete


def test_an_interruption_while_a_run_is_started_says_that_nobody_knows(azure):
    (run,) = run_it(azure, Seen(interrupt_at("not started"))).runs
    assert (run.status, run.why) == ("unknown", "given up: interrupted")


def interrupt_at(status):
    """Somebody who interrupts once, as soon as a run has that status."""
    left = [KeyboardInterrupt]

    def interrupt(run):
        if left and run.status == status:
            raise left.pop()

    return interrupt


def test_so_many_run_at_once_as_was_asked(azure):
    most = []

    def count(run):
        runs = progress.watching.runs
        most.append(sum(each.run is not None and not each.ended for each in runs))

    progress = Seen(count)
    assert sm.run_scans(azure, ACCOUNT, concurrency=2, progress=progress).complete
    assert max(most) == 2
    with pytest.raises(ValueError, match="0 runs"):
        sm.run_scans(azure, ACCOUNT, concurrency=0)


def test_without_waiting_all_are_started_and_none_is_followed(azure):
    found = sm.run_scans(azure, ACCOUNT, wait=False, progress=None)
    assert [run.status for run in found.runs] == ["Accepted"] * 4
    assert found.complete
    assert not found.succeeded
    assert azure.pace.clock.now < 0.1, "but for the account's capacity"
    assert AT_ONCE == 5


@pytest.mark.parametrize(("days", "given_up"), [(6, False), (8, True)])
def test_a_run_that_hangs_is_not_watched_for_ever(open_azure, days, given_up):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    found = run_it(open_azure(faults=[saying(status="InProgress", endTime=None)]), timeout=60, now=lambda: later)
    assert not found.complete
    assert ("7 days" in found.runs[0].reason) is given_up
    assert bool(found.stopped) is not given_up


@pytest.mark.parametrize("said", [{"startTime": None}, {"startTime": "2099-01-01T00:00:00Z"}])
def test_nor_is_one_that_does_not_say_when_it_began(open_azure, monkeypatch, said):
    monkeypatch.setattr("sovereignmesh.scans.watch._LONGEST_RUN", 600.0)
    azure = open_azure(faults=[saying(status="InProgress", endTime=None, **said)])
    found = run_it(azure, timeout=3600)
    assert "7 days" in found.runs[0].reason
    assert 600 < azure.pace.clock.now < 600 + 60


# How often is asked.


def test_looks_become_few_where_nothing_changes(open_azure):
    count, time = [], []

    def act(hit):
        reply = hit.reply()
        if is_poll(hit.call):
            count.append(1)
            if time[0].now < 3600:
                reply.body = reply.body.replace(b'"Succeeded"', b'"InProgress"')
        return reply

    azure = open_azure(faults=[Fault("slow", "", act, "purview", times=None)])
    time.append(azure.pace.clock)
    assert run_it(azure).succeeded
    assert 3600 <= azure.pace.clock.now < 3600 + 60
    assert 3600 / 30 < len(count) < 3600 / 30 + 15


@pytest.mark.parametrize(("header", "waited"), [("45", 45), ("86400", 120), ("soon", 1)])
def test_the_next_look_is_when_the_service_wants_it(open_azure, header, waited):
    def ask_to_wait(hit):
        reply = hit.reply()
        reply.headers["Retry-After"] = header
        return reply

    azure = open_azure(faults=[at_polls(ask_to_wait)])
    assert run_it(azure).succeeded
    assert max(azure.pace.clock.slept) == pytest.approx(waited, abs=1)


# Watching what others started.


def test_with_nothing_running_there_is_nothing_to_watch(azure):
    found = sm.watch_scans(azure, ACCOUNT)
    assert found.runs == ()
    assert found.complete
    assert found.succeeded


def test_whatever_runs_is_found(azure, seen):
    purview = sm.connect_purview(ACCOUNT, azure)
    purview.runs.start(*ARCHIVE, RUN)
    purview.runs.start(*FAILS)
    found = sm.watch_scans(azure, ACCOUNT, progress=seen)
    assert {run.name: run.status for run in found.runs} == {"/".join(ARCHIVE): "Succeeded", "/".join(FAILS): "Failed"}
    assert found.complete
    assert not found.succeeded
    purview.runs.start(*FAILS)
    assert sm.watch_scans(azure, ACCOUNT, ARCHIVE[0], progress=seen).runs == ()
    assert sm.watch_scans(azure, ACCOUNT, *ARCHIVE, progress=seen).runs == ()
    assert len(sm.watch_scans(azure, ACCOUNT, *FAILS, progress=seen).runs) == 1


def test_a_list_that_cannot_be_read_is_said(open_azure):
    azure = open_azure(faults=[at_path("stfinanceprodlake/scans/nightly/runs", denied().reply)])
    found = sm.watch_scans(azure, ACCOUNT, progress=None)
    assert [what for what, _ in found.unread] == ["the runs of stfinanceprodlake/nightly"]
    assert not found.complete


# What there was.


def test_the_history_has_every_page_newest_first(open_azure):
    found = sm.scan_history(open_azure(page_size=1), ACCOUNT)
    assert [f"{run.run.started:%Y-%m-%d} {run.source}" for run in found.runs] == [
        "2026-11-23 stfinanceprodlake", "2026-11-01 stsalesprodarchive", "2026-10-01 stsalesprodarchive",
        "2026-09-01 stsalesprodarchive",
    ]  # fmt: skip
    assert [run.run.type for run in found.runs][1:3] == ["Scheduled"] * 2
    assert found.complete
    assert "3 x UnsupportedFileEncoding" in found.runs[2].reason


@pytest.mark.parametrize(
    ("scan", "what"), [(("nowhere",), "source nowhere"), (("nowhere", "weekly"), "runs of nowhere/weekly")]
)
def test_the_history_of_what_is_not_there_is_not_read(azure, scan, what):
    found = sm.scan_history(azure, ACCOUNT, *scan)
    assert not found.complete
    assert what in found.unread[0].what


@pytest.mark.parametrize(
    ("ask", "options", "said"),
    [
        (sm.run_scan, {"source": "lake", "scan": "weekly", "level": "Full"}, "'Full': give one of incremental, full"),
        (sm.run_scan, {"source": "lake", "scan": "weekly", "run_id": "seven"}, "UUID"),
        (sm.run_scans, {"level": "half"}, "'half': give one of incremental, full"),
        (sm.run_scans, {"concurrency": 0}, "0 runs at once"),
        (sm.cancel_scan, {"source": "lake", "scan": "weekly", "run_id": "seven"}, "UUID"),
        (sm.scan_history, {"scan": "weekly"}, "its source"),
        (sm.watch_scans, {"scan": "weekly"}, "its source"),
    ],
)
def test_what_means_nothing_is_said_before_anything_is_asked(azure, exchanges, ask, options, said):
    exchanges.clear()
    with pytest.raises(ValueError, match=said):
        ask(azure, ACCOUNT, **options)
    assert exchanges.operations == set()
    assert "ValueError" in ask.__doc__ or "as with `run_scan`" in ask.__doc__


WHOLE = [
    lambda azure, name, **more: sm.run_scans(azure, name, progress=None, **more),
    lambda azure, name, **more: sm.run_scans(azure, name, wait=False, progress=None, **more),
    lambda azure, name, **more: sm.watch_scans(azure, name, progress=None, **more),
    sm.scan_history,
]


@pytest.mark.parametrize("ask", WHOLE)
def test_an_account_that_shows_no_scan_is_not_read(open_azure, ask, tmp_path):
    lost = open_azure(write_contoso(tmp_path, roles=["purview-reader", "collection-administrator"]))
    for azure, account in ((open_azure("seed"), "sovereign-purview"), (lost, ACCOUNT)):
        found = ask(azure, account)
        assert not found.complete
        assert [what for what, _ in found.unread] == ["the scans of the account"]
    assert sm.run_scans(open_azure("seed"), "sovereign-purview", [], progress=None).complete


@pytest.mark.off_spec("metadataPolicies")  # sends back what it read
@pytest.mark.parametrize("ask", WHOLE)
def test_what_is_expected_and_not_seen_is_not_read(azure, ask):
    """A role that is lost in one collection takes what is in it out of every list, and nothing says so."""
    expected = {"stfinanceprodlake": ["nightly"], "SALES-SQL": ["Orders"], ARCHIVE[0]: []}
    assert ask(azure, ACCOUNT, expected=expected).complete
    lose_role(azure, "finance")
    found = ask(azure, ACCOUNT, expected={**expected, ARCHIVE[0]: ["monthly", "daily"], "not-applied": ["weekly"]})
    assert [what for what, _ in found.unread] == ["the source stfinanceprodlake"]
    assert "no list shows it: " in found.unread[0].why
    assert "you lack a role" in found.unread[0].why
    assert not found.complete
    assert ask(azure, ACCOUNT).complete, "nobody knows of them"


@pytest.mark.off_spec("metadataPolicies")
@pytest.mark.parametrize("ask", [partial(sm.watch_scans, progress=None), sm.scan_history])
def test_a_source_that_shows_no_scan_is_read_where_it_is(azure, ask):
    purview = sm.connect_purview(ACCOUNT, azure)
    purview.scans.delete("sales-sql", "orders")
    assert ask(azure, ACCOUNT, "sales-sql").complete
    assert ask(azure, ACCOUNT, "sales-sql", expected={"sales-sql": ["orders"], "elsewhere": ["nightly"]}).complete
    lose_role(azure, "finance")
    found = ask(azure, ACCOUNT, "stfinanceprodlake")
    assert [what for what, _ in found.unread] == ["the scans of source stfinanceprodlake"]


@pytest.mark.parametrize(
    ("part", "what"),
    [("/scan/datasources", ["source"]), ("/datasources/sales-sql/scans", ["the scans of source sales-sql"])],
)
def test_of_a_list_that_could_not_be_read_nothing_else_is_told(open_azure, part, what):
    azure = open_azure(faults=[at_path(part, denied().reply, ends=True)])
    found = sm.scan_history(azure, ACCOUNT, expected={"sales-sql": ["orders"]})
    assert [one.what for one in found.unread] == what


def lose_role(azure, collection):
    """Ends the caller's role in a collection, which came from the one above it."""
    policies = sm.connect_purview(ACCOUNT, azure).policies
    (policy,) = [one for one in policies.list() if one.collection == collection]
    policies.update(without_what_is_above(policy.document, collection))


# Cancelling.


def test_a_run_is_cancelled(azure):
    sm.connect_purview(ACCOUNT, azure).runs.start(*ARCHIVE, RUN)
    for before in (False, True):
        found = sm.cancel_scan(azure, ACCOUNT, *ARCHIVE, RUN)
        assert found.complete
        assert (found.runs[0].status, found.runs[0].ended_before) == ("Canceled", before)


def test_without_an_id_all_that_run_are_cancelled(azure):
    purview = sm.connect_purview(ACCOUNT, azure)
    for _ in range(2):
        purview.runs.start(*ARCHIVE)
    found = sm.cancel_scan(azure, ACCOUNT, *ARCHIVE)
    assert [run.status for run in found.runs] == ["Canceled"] * 2
    assert sm.cancel_scan(azure, ACCOUNT, *ARCHIVE).runs == ()
    assert len(history(azure, *ARCHIVE)) == 5


@pytest.mark.parametrize("fault", ["reset:purview-writes", "reset-always:purview-writes", "server-errors:purview"])
def test_a_cancellation_outlives_a_bad_line(open_azure, tmp_path, fault):
    state = tmp_path / "state.json"
    sm.connect_purview(ACCOUNT, open_azure(state=state)).runs.start(*ARCHIVE, RUN)
    found = sm.cancel_scan(open_azure(state=state, faults=[fault]), ACCOUNT, *ARCHIVE, RUN)
    assert found.complete is (fault != "reset-always:purview-writes")
    assert mine(open_azure(state=state)) == ["Canceled"]


def test_what_cannot_be_cancelled_is_said(open_azure):
    azure = open_azure(faults=["purview-denied:purview-writes"])
    found = sm.cancel_scan(azure, ACCOUNT, *ARCHIVE, RUN)
    assert not found.complete
    assert "you lack a role" in found.runs[0].reason
    found = sm.cancel_scan(open_azure(), ACCOUNT, *ARCHIVE, RUN)
    assert "could not be found" in found.runs[0].reason


@pytest.mark.parametrize("scan", [("", ""), (ARCHIVE[0], ""), ("", ARCHIVE[1]), (ARCHIVE[0], " ")])
def test_an_empty_name_stands_for_no_scan(azure, scan):
    sm.connect_purview(ACCOUNT, azure).runs.start(*ARCHIVE, RUN)
    for ask in (sm.cancel_scan, sm.watch_scans, sm.scan_history, sm.run_scan):
        with pytest.raises(ValueError, match="empty"):
            ask(azure, ACCOUNT, *scan)
    with pytest.raises(ValueError, match="UUID"):
        sm.cancel_scan(azure, ACCOUNT, *ARCHIVE, "")
    assert mine(azure) == ["Queued"], "it goes on"
