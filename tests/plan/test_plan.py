"""The plan is pure: what it does to a model of an account is what was wished, and then there is nothing left to do."""

import threading

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sovereignmesh.errors import PlanError, RejectedError, SignInError
from sovereignmesh.plan import (
    Change,
    Item,
    Key,
    Kind,
    Plan,
    carry_out,
    carry_out_together,
    compare,
    diff,
    fold,
    merged,
    plan_lines,
)
from sovereignmesh.result import Location, Problem

KINDS = {
    "box": Kind("box", 0),
    "thing": Kind(
        "thing", 1, frozenset({"version", "seen.at"}), frozenset({"tags"}), {"where": fold, "tags": fold}
    ),
}  # fmt: skip


def item(kind, name, body=None, needs=()):
    return Item(kind, name, body or {}, frozenset(needs))


def test_what_is_wished_and_not_there_is_created_in_order():
    wish = [item("thing", "a", needs=[Key("box", "b"), Key("box", "a")]), item("box", "a", needs=[Key("box", "b")])]
    changes = diff([*wish, item("box", "b")], [], KINDS, prune=False)
    assert [(change.action, *change.key) for change in changes] == [
        ("create", "box", "b"), ("create", "box", "a"), ("create", "thing", "a"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({"a": 1}, {"a": 1.0, "b": 2}),
        ({"a": []}, {"a": None}),
        ({"a": ""}, {}),
        ({"version": 1}, {"version": 2}),
        ({"seen": {"at": 1, "by": "x"}}, {"seen": {"at": 2, "by": "x"}}),
        ({"where": "Sales"}, {"where": "sales"}),
        ({"tags": ["a", "B"]}, {"tags": ["b", "A"]}),
        ({"rows": [{"a": 1}]}, {"rows": [{"a": 1, "b": None}]}),
    ],
)
def test_what_means_the_same_is_no_difference(wish, found):
    assert not list(compare(wish, found, KINDS["thing"]))


@pytest.mark.parametrize(
    ("wish", "found", "path"),
    [
        ({"a": 1}, {"a": 2}, "a"),
        ({"a": 1}, {"a": True}, "a"),
        ({"a": 0}, {"a": False}, "a"),
        ({"a": False}, {}, "a"),
        ({"a": 0}, {"a": None}, "a"),
        ({"a": {"b": "x"}}, {"a": {"b": "X"}}, "a.b"),
        ({"a": {"b": 1}}, {"a": None}, "a"),
        ({"rows": [1, 2]}, {"rows": [2, 1]}, "rows"),
        ({"tags": ["a", "a"]}, {"tags": ["a"]}, "tags"),
        ({"where": "Sales"}, {"where": None}, "where"),
        ({"rows": [{"a": 1}]}, {"rows": [{"a": 1, "b": 2}]}, "rows"),
    ],
)
def test_what_means_something_else_is_one(wish, found, path):
    assert [difference.path for difference in compare(wish, found, KINDS["thing"])] == [path]


def test_nothing_is_deleted_unless_asked_and_then_backwards():
    live = [item("box", "a"), item("thing", "a", needs=[Key("box", "a")]), item("thing", "b")]
    assert diff([], live, KINDS, prune=False) == []
    gone = diff([item("thing", "B")], live, KINDS, prune=True)
    assert [(change.action, *change.key) for change in gone] == [("delete", "thing", "a"), ("delete", "box", "a")]


def test_a_merge_keeps_what_the_wish_leaves_out_and_sends_nothing_computed():
    found = {"a": {"b": 2, "c": None, "d": [1]}, "version": 3, "seen": {"at": 1, "by": "x"}}
    assert merged(found, {"a": {"b": 1}}, KINDS["thing"]) == {"a": {"b": 1, "d": [1]}, "seen": {"by": "x"}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("abAB", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["a", "b", "tags", "version"]), JSON, max_size=4)
NAMES = st.sampled_from(["a", "b", "c"])


@given(wish=BODIES, found=BODIES)
def test_after_a_merge_nothing_differs(wish, found):
    kind = Kind("any", 0, frozenset({"version"}))
    assert not list(compare(wish, merged(found, wish, kind), kind))


@given(
    desired=st.dictionaries(st.tuples(st.sampled_from(["box", "thing"]), NAMES), BODIES),
    live=st.dictionaries(st.tuples(st.sampled_from(["box", "thing"]), NAMES), BODIES),
    prune=st.booleans(),
)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(desired, live, prune):
    wish = [item(kind, name, body) for (kind, name), body in desired.items()]
    there = dict(live)
    for change in diff(wish, [item(kind, name, body) for (kind, name), body in live.items()], KINDS, prune=prune):
        key = (change.item.kind, change.item.name)
        if change.action == "delete":
            del there[key]
        else:
            there[key] = merged(there.get(key, {}), change.item.body, KINDS[change.item.kind])
    assert diff(wish, [item(kind, name, body) for (kind, name), body in there.items()], KINDS, prune=prune) == []
    assert prune is False or there.keys() == desired.keys()


def chain(*names, fail=()):
    """Boxes that each need the one before; `write` notes them, and fails for some."""
    wish = [item("box", name, needs=[Key("box", names[at - 1])] if at else []) for at, name in enumerate(names)]
    seen = []

    def write(change):
        seen.append(change.item.name)
        if change.item.name in fail:
            raise RejectedError("no")
        return True

    return diff(wish, [], KINDS, prune=False), write, seen


def states(outcomes):
    return {outcome.change.item.name: outcome.state for outcome in outcomes}


def test_each_waits_for_what_it_needs_and_a_failure_leaves_what_needs_it():
    changes, write, seen = chain("a", "b", "c", fail=["b"])
    changes += diff([item("thing", "alone")], [item("box", "old")], KINDS, prune=True)
    outcomes = list(carry_out(changes, write, 4))
    assert states(outcomes) == {"a": "done", "b": "failed", "c": "left", "alone": "done", "old": "left"}
    assert set(seen) == {"a", "b", "alone"}
    assert next(outcome.reason for outcome in outcomes if outcome.state == "failed") == "no"


def test_deletions_come_last_and_users_before_what_they_use():
    live = [item("box", "a"), item("thing", "t", needs=[Key("box", "a")])]
    changes = diff([item("box", "new")], live, KINDS, prune=True)
    seen = []
    assert states(carry_out(changes, lambda change: seen.append(change.item.name) or True, 8)) == {
        "new": "done", "t": "done", "a": "done",
    }  # fmt: skip
    assert seen == ["new", "t", "a"]


def test_as_many_at_once_as_allowed_and_no_more():
    barrier, most, now, lock = threading.Barrier(3, timeout=10), [0], [0], threading.Lock()

    def write(_):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait()
        with lock:
            now[0] -= 1
        return True

    changes = diff([item("box", str(number)) for number in range(9)], [], KINDS, prune=False)
    assert len(list(carry_out(changes, write, 3))) == 9
    assert most == [3]


def test_those_that_can_be_done_together_are_and_each_has_its_own_end():
    changes, _, _ = chain("a", "b", "c")
    changes += diff([item("thing", name) for name in "efg"], [], KINDS, prune=False)
    groups = []

    def write(some):
        groups.append([change.item.name for change in some])
        return [PlanError("no") if change.item.name == "f" else change.item.name != "g" for change in some]

    told = states(carry_out_together(changes, write, lambda _: 2, 1))
    assert told == {"a": "done", "b": "done", "c": "done", "e": "done", "f": "failed", "g": "already"}
    assert sorted(name for group in groups for name in group) == list("abcefg")
    assert max(map(len, groups)) == 2


def test_of_those_that_are_refused_together_each_is_tried_alone():
    changes = diff([item("thing", name) for name in "abcd"], [], KINDS, prune=False)
    groups = []

    def write(some):
        groups.append([change.item.name for change in some])
        if "b" in groups[-1]:
            raise RejectedError("not b")
        return [True for _ in some]

    told = states(carry_out_together(changes, write, lambda _: 3, 1))
    assert told == {"a": "done", "b": "failed", "c": "done", "d": "done"}
    assert groups == [["a", "b", "c"], ["a"], ["b"], ["c"], ["d"]]
    groups.clear()
    outcomes = list(carry_out_together(changes, write, lambda _: 3, 1, stopped=lambda: bool(groups)))
    assert states(outcomes) == dict.fromkeys("abcd", "left")
    assert groups == [["a", "b", "c"]]


@pytest.mark.parametrize("ends", [0, 1, 3])
def test_ends_that_are_too_few_or_too_many_are_no_success(ends):
    changes, told = diff([item("thing", name) for name in "ab"], [], KINDS, prune=False), []
    with pytest.raises(RuntimeError, match=f"2 changes have {ends} ends"):
        told.extend(carry_out_together(changes, lambda _: [True] * ends, lambda _: 2, 1))


def test_what_ends_a_group_ends_all_of_it_and_the_run():
    changes = diff([item("box", name) for name in "abcd"], [], KINDS, prune=False)

    def write(_):
        raise SignInError("nobody")

    outcomes = list(carry_out_together(changes, write, lambda _: 2, 1))
    assert [(outcome.change.item.name, outcome.state) for outcome in outcomes] == [
        ("a", "failed"), ("b", "failed"), ("c", "left"), ("d", "left"),
    ]  # fmt: skip


def test_a_stopped_run_leaves_the_rest_and_says_so():
    changes, write, seen = chain("a", "b", "c")
    outcomes = list(carry_out(changes, write, 1, stopped=lambda: bool(seen)))
    assert states(outcomes) == {"a": "done", "b": "left", "c": "left"}


def test_an_exception_that_is_none_of_ours_is_told_and_then_raised():
    changes, _, _ = chain("a", "b")
    told = []
    with pytest.raises(ZeroDivisionError):
        told.extend(carry_out(changes, lambda _: 1 / 0, 1))
    outcomes = carry_out(changes, lambda _: 1 / 0, 1)
    assert states([next(outcomes), next(outcomes)]) == {"a": "failed", "b": "left"}


def test_what_takes_away_waits_for_everything_else():
    changes = [Change("update", item("box", "roles"), late=True), *diff([item("box", "b")], [], KINDS, prune=False)]
    seen = []
    assert states(carry_out(changes, lambda change: seen.append(change.item.name) or True, 4)) == {
        "roles": "done", "b": "done",
    }  # fmt: skip
    assert seen == ["b", "roles"]


def test_what_needs_itself_is_left_and_said():
    changes = diff([item("box", "a", needs=[Key("box", "a")])], [], KINDS, prune=False)
    (outcome,) = carry_out(changes, lambda _: True, 2)
    assert (outcome.state, outcome.reason) == ("left", "it needs itself")


def test_nothing_of_another_kind_is_kept():
    kind = Kind("any", 0)
    found = {"kind": "B", "properties": {"credential": "c", "name": "n"}}
    assert merged(found, {"kind": "A", "properties": {"name": "n"}}, kind) == {"kind": "A", "properties": {"name": "n"}}


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_guard_counts_what_is_touched(existing, gone):
    live = [item("box", str(number)) for number in range(existing)]
    changes = diff(live[min(gone, existing) :], live, KINDS, prune=True)
    plan = Plan("x", tuple(changes), existing=existing)
    assert bool(plan.excess) == (min(gone, existing) > 0.3 * existing)
    touched = [Change("update", item("box", str(number))) for number in range(min(gone, existing))]
    assert bool(Plan("x", tuple(touched), existing=existing).excess) == (
        existing >= 10 and len(touched) > 0.3 * existing
    )


def test_a_digest_is_that_of_what_is_done():
    def digest(*wish, target="x"):
        return Plan(target, tuple(diff(wish, [item("box", "a", {"n": 1})], KINDS, prune=True))).digest

    assert digest(item("box", "a", {"n": 2})) == digest(Item("box", "a", {"n": 2}, place="elsewhere.yaml:3:1"))
    different = {
        digest(), digest(target="y"), digest(item("box", "a", {"n": 2})), digest(item("box", "a", {"n": 3})),
        digest(item("box", "b"), item("box", "a")),
    }  # fmt: skip
    assert len(different) == 5


def test_lines_hold_nothing_that_moves_the_cursor():
    changes = diff([item("box", "a\x1b[2J", {"n": 2})], [item("box", "b", {"n": "\x07"})], KINDS, prune=True)
    problem = Problem(Location("m\x1b.yaml", 1, 1), "$", "why\x1b", "warning")
    plan = Plan("x\x1b", tuple(changes), problems=(problem,), notes=("n\x1b",))
    assert all(line.text.isprintable() for line in plan_lines(plan))
    assert "<script>" not in Plan("<script>", ())._repr_html_()


def test_errors_are_said_last_also_where_there_is_nothing_to_do():
    wrong = Problem(Location("mesh"), "$", "bad")
    *_, last = (line.text for line in plan_lines(Plan("a/b", (), unchanged=1, problems=(wrong,))))
    assert last.startswith("b: nothing to do, 1 as wished; 1 error: it cannot be applied. Digest sha256:")
    change = Change("create", Item("thing", "one", {}))
    *_, last = (line.text for line in plan_lines(Plan("a/b", (change,), problems=(wrong, wrong))))
    assert last.startswith("b: 1 to create, 0 to update, 0 to delete, 0 as wished; 2 errors: it cannot be applied.")
