"""Makes an account as a plan says: each object once, in order, several at once, and then waited for until it shows."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import AnswerError, AzureError, NotFoundError, PlanError, RejectedError, UnreachableError
from sovereignmesh.facts.purview import metadata_roles
from sovereignmesh.plan import (
    Applied,
    Change,
    Item,
    Key,
    Outcome,
    bare,
    carry_out,
    check_applicable,
    compare,
    diff,
    merged,
    told,
    until_shown,
)
from sovereignmesh.purview.kinds import KINDS, VERSIONED, names_of, objects_of
from sovereignmesh.purview.live import WORKERS, Live, by_name, spelled
from sovereignmesh.purview.planning import comparable, is_unfinished, read_lists_of, read_rest
from sovereignmesh.purview.roles import assigned, with_roles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sovereignmesh.azure.purview import MetadataPolicy, Purview
    from sovereignmesh.purview.planning import PurviewPlan

__all__ = ["apply_purview"]

_CONFLICT: Final = 409
_CONFLICTS: Final = (_CONFLICT, 412)
_PROVISIONED: Final = 120.0  # seconds that a collection may take
_SHORTEST, _LONGEST = 0.2, 5.0  # seconds between two looks at a collection
_SINGLE: Final = ("scan", "filter", "trigger", "workflow")  # which no list tells whole: looked at one by one
_ATTEMPTS: Final = 4  # at a document that others write too


def apply_purview(
    plan: PurviewPlan,
    *,
    expect: str | None = None,
    force: bool = False,
    on_outcome: Callable[[Outcome], object] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Applied:
    """Does what the plan says; what became of each change. `on_outcome` is told of each as it comes.

    `expect` is the digest of the plan that was shown: another is not applied. `force` goes on where the plan changes
    much of what is there. Once `stopped()`, what is under way ends and the rest is left. After the last change the
    account's lists are read until they show what was written, for they lag; what does not show within a minute is told
    as failed. Raises PlanError, before anything is written, for a plan that must not be applied.
    """
    check_applicable(plan, expect, force=force)
    return told(partial(_applied, plan), on_outcome, stopped)


def _applied(plan: PurviewPlan, stopped: Callable[[], bool]) -> Iterator[Outcome]:
    if plan.empty:
        return
    outcomes = carry_out(plan.changes, _Writer(plan.purview, _now(plan)).write, WORKERS, stopped=stopped)
    pace = plan.purview.azure.pace
    yield from until_shown(outcomes, partial(_hidden, plan), "the account's lists", pace, stopped=stopped)


def _now(plan: PurviewPlan) -> dict[Key, Item]:
    """What is there now of what the plan makes or deletes, as far as lists tell: minutes may have passed."""
    live = Live(plan.purview)
    touched = [change.item for change in plan.changes if change.action != "update" and change.item.kind not in _SINGLE]
    live.read_lists({item.kind for item in touched})
    if live.unread:
        raise AzureError(f"{live.unread[0].what}: {live.unread[0].why}")
    return live.items


def _hidden(plan: PurviewPlan, done: list[Outcome]) -> list[Outcome]:
    """Those of what was written that a plan of the same wish would write again. Only what was written is read.

    Raises an `AzureError` for what could not be read.
    """
    keys = {outcome.change.key for outcome in done}
    wished = [item for item in plan.desired if item.key in keys]
    touched = [*wished, *(outcome.change.item for outcome in done if outcome.change.action == "delete")]
    live = Live(plan.purview)
    live.read_lists(read_lists_of(touched))
    read_rest(live, touched, prune=False)
    live.read_workflows([item.name for item in touched if item.kind == "workflow"], every=False)
    if live.unread:
        raise AzureError(f"{live.unread[0].what}: {live.unread[0].why}")
    gone = [outcome.change.key for outcome in done if outcome.change.action == "delete"]
    found = [item for item in comparable(live, wished, prune=plan.prune) if item.key in keys]
    again = {change.key for change in diff(wished, found, KINDS, prune=False) if change.item.kind != "roles"}
    again |= {outcome.change.key for outcome in done if not _has_roles(outcome.change, live)}
    again |= {key for key in gone if key in live.items}
    return [outcome for outcome in done if outcome.change.key in again]


def _has_roles(change: Change, live: Live) -> bool:
    """Whether roles are as a change makes them; who else got one meanwhile is nobody's concern here."""
    if change.item.kind != "roles":
        return True
    there = live.items[change.key].body if change.key in live.items else {}
    return all(
        set(people) <= set(there.get(role, ()))
        and not (set(change.before.get(role, ())) - set(people)) & set(there.get(role, ()))
        for role, people in change.item.body.items()
    )


class _Writer:
    """Writes changes, any number at once."""

    def __init__(self, purview: Purview, now: Mapping[Key, Item]) -> None:
        self._purview, self._now = purview, now
        self._policies: dict[str, str] = {}  # ids by collection
        self._made: set[Key] = set()  # nobody else has put anything into these
        self._lock = threading.Lock()

    def write(self, change: Change) -> bool:
        """Does one change; False where it was done already."""
        if change.action != "update" and not self._is_due(change):
            return False
        if change.item.kind == "roles":
            return self._roles(change)
        if change.item.kind == "classification":
            return self._classification(change)
        objects: Any = objects_of(self._purview, change.item.kind)
        names = names_of(change.item)
        if change.action == "delete":
            objects.delete(*names)
            return True
        body = self._body(change, objects, names)
        if body is None:
            return False
        objects.write(body, *names)
        if change.action == "create":
            self._made.add(change.key)
        if change.item.kind == "collection":
            self._provisioned(names[0])
        return True

    def _is_due(self, change: Change) -> bool:
        """Whether what is made is not there yet, or what is deleted still is. Raises PlanError where it is another."""
        there = self._look(change) if change.item.kind in _SINGLE else self._now.get(change.key)
        if change.item.kind == "roles" or (there is not None and is_unfinished(there)):
            return True
        kind = KINDS[change.item.kind]
        if change.action == "delete":
            if there is None:
                return False
            differs = [*compare(change.before, there.body, kind), *compare(there.body, change.before, kind)]
        elif there is None:
            return True
        else:
            differs = list(compare(change.item.body, there.body, kind))
            if not differs:
                return False
        if differs:
            raise PlanError(f"{change.item.kind} {change.item.name} was made or changed since the plan: plan again")
        return True

    def _look(self, change: Change) -> Item | None:
        """What is there now of what no list of the account tells; nothing, in what this run has made."""
        item = change.item
        source = item.key.name.rpartition("/")[0]
        inside = Key("source", source) if item.kind == "scan" else Key("scan", item.key.name)
        if change.action == "create" and inside in self._made:
            return None
        objects: Any = objects_of(self._purview, item.kind)
        try:
            body = objects.body(*names_of(item)).body
        except NotFoundError:
            return None
        return Item(item.kind, item.name, spelled(item.kind, body))

    def _body(self, change: Change, objects: Any, names: list[str]) -> dict[str, Any] | None:
        """What to send: a write replaces the whole, so that what is there now is kept; None where it is as wished."""
        kind = KINDS[change.item.kind]
        if change.action == "create" and change.item.kind not in VERSIONED:
            return dict(bare(change.item.body))
        try:
            found = spelled(change.item.kind, objects.body(*names).body)
        except NotFoundError:
            if change.action == "create":
                return dict(bare(change.item.body))
            raise
        differences = list(compare(change.item.body, found, kind))
        if not differences:
            return None
        _check_unchanged(change, found)
        return merged(found, change.item.body, kind)

    def _provisioned(self, name: str) -> None:
        """Waits until a collection can be used."""
        pace, waited, wait = self._purview.azure.pace, 0.0, _SHORTEST
        while True:
            try:
                state = self._purview.collections.get(name).state
            except NotFoundError:  # reads lag behind writes
                state = "not there"
            if state in ("Succeeded", ""):
                return
            if state == "Failed":
                raise AnswerError(f"the service could not make the collection {name}: its state is Failed")
            if waited >= _PROVISIONED:
                raise AnswerError(f"the collection {name} is still {state} after {_PROVISIONED:.0f} s")
            pace.wait(wait)
            waited, wait = waited + wait, min(wait * 2, _LONGEST)

    def _classification(self, change: Change) -> bool:
        classifications = self._purview.classifications
        if change.action == "delete":
            classifications.delete(change.item.name)
        elif change.action == "update":
            classifications.update(merged(change.before, change.item.body, KINDS["classification"]))
        else:
            return self._created(bare(change.item.body))
        return True

    def _created(self, body: dict[str, Any]) -> bool:
        """Creates a classification. It is a POST, which nobody else tries again; here a second one does no harm."""
        for attempt in range(_ATTEMPTS):
            try:
                self._purview.classifications.create(body)
            except RejectedError as error:
                if error.status != _CONFLICT:
                    raise
                return False
            except UnreachableError:
                if attempt + 1 == _ATTEMPTS:
                    raise
                pace = self._purview.azure.pace
                pace.wait(pace.backoff(attempt))
            else:
                break
        return True

    def _roles(self, change: Change) -> bool:
        """Changes the shared document of a collection; somebody else's change in between is read and kept."""
        last: AzureError | None = None
        for attempt in range(_ATTEMPTS):
            policy = self._policy(change.item.name)
            if policy is None:
                last = NotFoundError(f"the collection {change.item.name} has no metadata policy, or not yet")
                self._purview.azure.pace.wait(_SHORTEST * 2**attempt)
                continue
            there = by_name(assigned(policy.document, policy.collection))
            made = Key("collection", change.key.name) in self._made
            wish = _people(change, there, strict=made and change.late)
            if all(there.get(role, []) == people for role, people in wish.items()):
                return False
            ids = {metadata_roles().get(role, role): people for role, people in wish.items()}
            try:
                self._purview.policies.update(with_roles(policy.document, policy.collection, ids))
            except RejectedError as error:
                if error.status not in _CONFLICTS:
                    raise
                last = error
                self._purview.azure.pace.wait(self._purview.azure.pace.backoff(attempt))
            else:
                return True
        assert last is not None, "an attempt ended so"
        raise last

    def _policy(self, collection: str) -> MetadataPolicy | None:
        """The document of a collection as it is now; the list of all is read once, and again for a new collection."""
        with self._lock:
            known = self._policies.get(collection.casefold())
            if known is None:
                listed = {policy.collection.casefold(): policy for policy in self._purview.policies.list()}
                self._policies = {name: policy.id for name, policy in listed.items()}
                return listed.get(collection.casefold())
        return self._purview.policies.get(known)


def _people(change: Change, there: Mapping[str, list[str]], *, strict: bool) -> dict[str, list[str]]:
    """Who is to have each role: those who are wished, and whoever has it and was not planned to lose it.

    `strict`: in a collection that this run has made, where nobody else is wished, who made it loses what he was given.
    """
    wish = {}
    for role, people in change.item.body.items():
        before = there if strict else change.before
        losing = set(before.get(role, ())) - set(people)
        wish[role] = sorted({*people, *there.get(role, ())} - losing)
    return wish


def _check_unchanged(change: Change, found: Mapping[str, Any]) -> None:
    """Raises PlanError where somebody else has changed what the plan would change since it was made."""
    kind = KINDS[change.item.kind]
    then = {path: before for path, before, _ in change.differences}
    for path, now, _ in compare(change.item.body, found, kind):
        if change.action == "create" or path not in then or then[path] != now:
            raise PlanError(f"{change.item.kind} {change.item.name}: {path} was changed since the plan: plan again")
