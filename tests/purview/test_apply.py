"""Whatever goes wrong while a plan is applied is named, and the next apply finishes it."""

import dataclasses
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from click.testing import CliRunner
from clock import open_still

from sovereignmesh import sandbox
from sovereignmesh.azure.purview import Scan, Trigger, connect_purview
from sovereignmesh.cli import main
from sovereignmesh.errors import ClosedNetworkError, DeadlineError, DeniedError, SovereignMeshError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.purview import apply_purview, plan_purview
from sovereignmesh.sandbox import FAULTS, Fault, estate_mesh, open_sandbox
from sovereignmesh.sandbox.wire import arm_error

COMMAND = [sys.executable, "-c", "from sovereignmesh.cli import main; main()"]
JOURNEYS = ("purview", "purview-writes")
# Faults of other services than Purview, or that nobody can get past; the latter are looked at by themselves.
OTHERS = {
    "row-twice", "total-changes", "total-changes-always", "payload-too-large", "slow-page", "repeated-skip-token",
    "denied-mid-run", "part-throttled", "part-throttled-always", "part-denied", "part-lost", "no-batch",
    "subscription-limit", "token-rejected", "foreign-next-link",
}  # fmt: skip
OTHERS |= {name for name in FAULTS if name.startswith(("search-", "entity-"))}  # of the Data Map
NTHS = (1, 5, 11, 17)


def contents(state):
    """What is in the account that a state keeps: all that its services tell, and the versions of its rules."""
    with open_sandbox("seed", state=state) as azure:
        rules = connect_purview("sovereign-purview", azure).classification_rules.bodies()
        return live(azure), sorted((rule.text("name"), rule.within("properties").number("version")) for rule in rules)


def live(azure):
    """What is in the account, through its own services."""
    from sovereignmesh.purview import export_purview

    return export_purview(azure, "sovereign-purview").yaml


@pytest.fixture(scope="module")
def wished(seed):
    """What one apply makes of an empty account."""
    with open_still("seed") as azure:
        list(apply_purview(plan_purview(azure, seed)))
        return live(azure)


@pytest.mark.parametrize(
    "fault", [f"{fault}:{journey}" for fault in sorted(FAULTS.keys() - OTHERS) for journey in JOURNEYS]
)
def test_under_every_fault_a_failure_is_told_and_the_next_apply_finishes(open_azure, seed, wished, tmp_path, fault):
    state = tmp_path / "state.json"
    for nth in NTHS:
        state.unlink(missing_ok=True)
        told, failed = None, None
        try:
            azure = open_azure(state=state, faults=[f"{fault}@{nth}"])
            plan = plan_purview(azure, seed)
            told = list(apply_purview(plan))
        except SovereignMeshError as error:
            failed = error
        azure = open_azure(state=state)
        after = plan_purview(azure, seed)
        if told is not None and plan.complete and {outcome.state for outcome in told} <= {"done", "already"}:
            assert after.empty, (fault, nth)  # who says that all is done has done it
        else:
            assert failed is not None or any(outcome.reason for outcome in told) or plan.unread
        outcomes = list(apply_purview(after))
        assert {outcome.state for outcome in outcomes} <= {"done", "already"}
        assert live(azure) == wished, (fault, nth)


def test_a_missing_role_and_a_closed_network_are_told_apart(open_azure, seed):
    for fault, kind, words in (
        ("purview-denied", DeniedError, "Collection Administrator"),
        ("purview-closed", ClosedNetworkError, "private endpoint"),
    ):
        with pytest.raises(kind, match=words) as caught:
            plan_purview(open_azure(faults=[fault]), seed)
        assert type(caught.value) is kind
        assert caught.value.status == 403


def denied_at(*parts):
    """A fault: 403 for whatever has one of these parts in its path."""

    def act(hit):
        if any(part in hit.call.path for part in parts):
            return arm_error(403, "Unauthorized", "Not authorized to access account")
        return hit.reply()

    return Fault("denied-at", "some are denied", act, "purview", times=None)


@pytest.mark.parametrize(
    ("part", "lost"),
    [
        ("/typedefs", 2),
        ("/classificationrules", 2),
        ("/scanrulesets", 1),
        ("/datasources", 2),
        ("/scans", 1),
    ],
)
def test_a_list_that_is_denied_is_a_hole_and_the_rest_is_planned(open_azure, seed, part, lost, tmp_path):
    state = tmp_path / "state.json"
    azure = open_azure(state=state)
    list(apply_purview(plan_purview(azure, seed)))
    plan = plan_purview(open_azure(state=state, faults=[denied_at(part)]), seed)
    assert not plan.complete
    assert plan.empty  # nothing that nobody could see is planned to be made again
    assert plan.unchanged == 11 - lost
    assert plan_purview(open_azure(state=state, faults=[denied_at(part)]), seed, prune=True).empty
    assert any("Not authorized" in unread.why for unread in plan.unread)


def test_collections_that_are_denied_are_an_error(open_azure, seed):
    with pytest.raises(DeniedError, match="you lack a role"):
        plan_purview(open_azure(faults=[denied_at("/collections")]), seed)


def test_what_could_not_be_looked_at_after_writing_is_told_and_not_raised(open_azure, seed):
    calls = []

    def act(hit):
        calls.append(hit.call.method)
        if hit.call.method == "GET" and "PUT" in calls and hit.call.path.endswith("/datasources"):
            return arm_error(403, "Unauthorized", "Not authorized to access account")
        return hit.reply()

    azure = open_azure(faults=[Fault("later", "lists end", act, "purview", times=None)])
    told = []
    outcomes = apply_purview(plan_purview(azure, seed), on_outcome=told.append)
    assert [outcome.state for outcome in told] == ["done"] * 11 + ["failed"] * 11
    assert list(outcomes) == [outcome for outcome in told if outcome.state == "failed"]  # the last word counts
    assert all("nobody could look" in outcome.reason for outcome in outcomes)


def test_a_deadline_while_reading_is_no_empty_account(open_azure, seed, tmp_path):
    state = tmp_path / "state.json"
    list(apply_purview(plan_purview(open_azure(state=state), seed)))

    def act(hit):
        if hit.call.path.endswith("/datasources"):
            azure.pace.stop()
            gate.wait(20)
        return hit.reply()

    gate = threading.Event()
    azure = open_azure(state=state, faults=[Fault("hangs", "a list hangs", act, "purview", times=None)])
    try:
        with pytest.raises(DeadlineError):
            plan_purview(azure, seed)
    finally:
        gate.set()


def test_a_write_that_is_denied_leaves_what_needs_it(open_azure, seed, tmp_path):
    state = tmp_path / "state.json"

    def act(hit):
        if hit.call.method == "PUT" and "/datasources" in hit.call.path:
            return arm_error(403, "Unauthorized", "Not authorized to access account")
        return hit.reply()

    azure = open_azure(state=state, faults=[Fault("no-writes", "no source is written", act, "purview", times=None)])
    outcomes = {outcome.change.item.name: outcome for outcome in apply_purview(plan_purview(azure, seed))}
    assert outcomes["sales-domain"].state == "failed"
    assert "Data Source Administrator" in outcomes["sales-domain"].reason
    assert outcomes["sales-domain/salesdb"].state == "left"
    again = open_azure(state=state)
    assert {outcome.state for outcome in apply_purview(plan_purview(again, seed))} == {"done"}
    assert plan_purview(again, seed).empty


def test_a_run_that_is_stopped_says_what_it_left(open_azure, seed):
    azure = open_azure()
    told = []
    plan = plan_purview(azure, seed)
    outcomes = list(apply_purview(plan, on_outcome=told.append, stopped=lambda: bool(told)))
    states = [outcome.state for outcome in outcomes]
    assert len(states) == 11
    assert {"done", "left"} == set(states)
    assert all("stopped" in outcome.reason for outcome in outcomes if outcome.state == "left")
    assert {outcome.state for outcome in apply_purview(plan_purview(azure, seed))} == {"done"}
    assert plan_purview(azure, seed).empty


def test_an_account_that_is_full_of_others_work_keeps_it(open_azure, seed):
    from sovereignmesh.azure.purview import Collection, sources

    azure = open_azure()
    purview = connect_purview("sovereign-purview", azure)
    purview.collections.put(Collection("theirs", "Theirs", "sovereign-purview"), "theirs")
    purview.collections.get("theirs")
    lake = sources.AdlsGen2("their-lake", collection="theirs", endpoint="https://theirs.dfs.core.windows.net/")
    purview.sources.register(lake)
    list(apply_purview(plan_purview(azure, seed)))
    assert purview.sources.get("their-lake").collection == "theirs"


def test_killed_at_any_moment_the_next_apply_makes_what_one_apply_makes(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "open_sandbox", open_still)  # of what is not killed
    whole = tmp_path / "whole.json"
    run = ["purview", "apply", "--estate", "seed", "--yes", "--state"]
    assert CliRunner().invoke(main, [*run, str(whole)]).exit_code == 0
    chance = random.Random(5)
    cut = 0
    for number in range(3):
        state = tmp_path / f"{number}.json"
        for _ in range(2):
            killed = subprocess.Popen([*COMMAND, *run, str(state)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            wanted = chance.randrange(9)
            for line in killed.stdout:  # at a moment that the run itself tells, not the clock
                if b": done" in line:
                    wanted -= 1
                if wanted < 0:
                    break
            time.sleep(chance.random() / 50)
            killed.send_signal(signal.SIGKILL)
            killed.stdout.close()
            cut += killed.wait() == -signal.SIGKILL
        finished = CliRunner().invoke(main, [*run, str(state)])
        assert finished.exit_code == 0, finished.output
        assert contents(state) == contents(whole)
    assert cut


def test_interrupted_the_command_tells_what_it_did_and_left(tmp_path):
    state = tmp_path / "state.json"
    run = [*COMMAND, "purview", "apply", "--estate", "seed", "--yes", "--state", str(state)]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if ": done" in line:
            process.send_signal(signal.SIGINT)
            break
    lines += process.stdout.readlines()
    process.stdout.close()
    code = process.wait()
    said = "".join(lines)
    assert code in (0, 4), said
    assert ("left" in lines[-1]) == (code == 4), said
    assert "Traceback" not in said
    azure = open_sandbox("seed", state=state)
    mesh = load_mesh(estate_mesh("seed"))
    assert {outcome.state for outcome in apply_purview(plan_purview(azure, mesh))} <= {"done", "already"}
    assert plan_purview(azure, mesh).empty
    azure.close()


def test_somebody_who_listens_and_fails_loses_nothing(open_azure, seed, tmp_path):
    azure = open_azure()
    told = []

    def listen(outcome):
        told.append(outcome)
        raise LookupError("the listener fails")

    with pytest.raises(LookupError, match="listener"):
        apply_purview(plan_purview(azure, seed), on_outcome=listen)
    assert len(told) == 1
    before = live(azure)
    time.sleep(0.3)
    assert live(azure) == before  # nothing goes on in the background
    apply_purview(plan_purview(azure, seed))
    assert plan_purview(azure, seed).empty


def test_stopped_before_it_shows_nobody_says_that_it_is_as_wished(open_azure, seed):
    azure = open_azure(faults=["lagging-reads"])
    plan = plan_purview(azure, seed)
    count = []
    applied = apply_purview(plan, on_outcome=count.append, stopped=lambda: len(count) >= len(plan.changes))
    assert not applied.complete
    assert any("before it showed" in outcome.reason for outcome in applied)


def test_what_was_cut_off_is_finished_without_force(open_azure, write_mesh):
    names = [f"part-{number}" for number in range(10)]
    roles = "roles: {dataReaders: [00000000-0000-0000-0000-0000a11ce001]}"
    collections = ", ".join(f"{{name: {name}, {roles}}}" for name in names)
    document = f"purview: {{account: sovereign-purview, collections: [{collections}]}}"
    mesh, azure = load_mesh(write_mesh(document)), open_azure()
    first = plan_purview(azure, mesh)
    made = [change for change in first.changes if change.item.kind == "collection"]
    apply_purview(dataclasses.replace(first, changes=tuple(made)))
    again = plan_purview(azure, mesh)
    assert {change.action for change in again.changes} == {"update"}
    assert not again.excess
    assert apply_purview(again).complete
    assert plan_purview(azure, mesh).empty


def test_with_prune_who_makes_a_collection_does_not_stay_its_administrator(open_azure, write_mesh):
    roles = "roles: {collectionAdministrators: [00000000-0000-0000-0000-0000a11ce001]}"
    mesh = load_mesh(write_mesh(f"purview: {{account: sovereign-purview, collections: [{{name: newcol, {roles}}}]}}"))
    azure = open_azure()
    plan = plan_purview(azure, mesh, prune=True)
    assert [change.item.kind for change in plan.changes] == ["collection", "roles"]
    assert apply_purview(plan).complete
    assert plan_purview(azure, mesh, prune=True).empty


SCANNED = """
    purview:
      account: sovereign-purview
      sources:
        - name: lake
          resource: "{LAKE}"
          scans:
            - {name: one, filter: {include: ['https://saleslake.dfs.core.windows.net/a/']},
               trigger: {recurrence: {frequency: Day, startTime: '2026-01-01T02:00:00Z'}}}
    """


def test_what_somebody_put_into_a_scan_since_the_plan_is_not_overwritten(open_azure, write_mesh):
    mesh, azure = load_mesh(write_mesh(SCANNED)), open_azure()
    plan = plan_purview(azure, mesh)
    assert apply_purview(plan_purview(azure, mesh)).complete
    purview = connect_purview("sovereign-purview", azure)
    purview.triggers.put(
        Trigger({"frequency": "Hour", "interval": 5, "startTime": "2026-01-01T05:00:00Z"}), "lake", "one"
    )
    applied = apply_purview(plan)
    states = {outcome.change.item.kind: outcome.state for outcome in applied}
    assert states == {"collection": "already", "source": "already", "scan": "already", "filter": "already",
                      "trigger": "failed"}  # fmt: skip
    assert purview.triggers.get("lake", "one").recurrence["frequency"] == "Hour"


def test_what_somebody_changed_since_the_plan_is_not_deleted(open_azure, write_mesh):
    mesh, azure = load_mesh(write_mesh(SCANNED)), open_azure()
    apply_purview(plan_purview(azure, mesh))
    nothing = load_mesh(write_mesh("purview: {account: sovereign-purview}"))
    plan = plan_purview(azure, nothing, prune=True)
    purview = connect_purview("sovereign-purview", azure)
    purview.scans.put(Scan("one", "AdlsGen2Msi", {"scanRulesetName": "AdlsGen2", "scanRulesetType": "System",
                                                  "workers": 3}), "lake", "one")  # fmt: skip
    changed = apply_purview(plan, force=True)
    assert not changed.complete
    assert purview.scans.get("lake", "one").properties["workers"] == 3
    plan = plan_purview(azure, nothing, prune=True)
    assert apply_purview(plan, force=True).complete
    assert {outcome.state for outcome in apply_purview(plan, force=True)} == {"already"}


ONE, TWO = "11111111-aaaa-bbbb-cccc-000000000001", "22222222-aaaa-bbbb-cccc-000000000002"


def roles_in(azure, collection):
    from sovereignmesh.purview.roles import assigned

    (policy,) = (
        each for each in connect_purview("sovereign-purview", azure).policies.list() if each.collection == collection
    )
    return assigned(policy.document, collection)


def given(azure, write_mesh, *people, collection="newcol", role="dataCurators"):
    """Somebody else gives a role, in a collection that may be new."""
    roles = f"roles: {{{role}: [{', '.join(people)}]}}"
    document = f"purview: {{account: sovereign-purview, collections: [{{name: {collection}, {roles}}}]}}"
    assert apply_purview(plan_purview(azure, load_mesh(write_mesh(document)))).complete


def test_who_was_given_a_role_since_the_plan_keeps_it(open_azure, write_mesh):
    azure, role = open_azure(), "purviewmetadatarole_builtin_data-curator"
    third = TWO.replace("2", "3")
    document = (
        f"purview: {{account: sovereign-purview, collections: [{{name: newcol, roles: {{dataCurators: [{ONE}]}}}}]}}"
    )
    mesh = load_mesh(write_mesh(document))
    plan = plan_purview(azure, mesh, prune=True)
    given(azure, write_mesh, TWO)  # and makes the collection
    assert apply_purview(plan).complete
    assert roles_in(azure, "newcol")[role] == [ONE, TWO]
    plan = plan_purview(azure, mesh, prune=True)
    given(azure, write_mesh, third)
    waits = azure.pace.clock()
    assert apply_purview(plan, force=True).complete
    assert azure.pace.clock() - waits < 30
    assert roles_in(azure, "newcol")[role] == [ONE, third]
