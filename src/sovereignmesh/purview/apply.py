"""Makes an account as a plan says: each object once, in order, several at once, and then waited for until it shows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import AnswerError, AzureError, NotFoundError, PlanError, RejectedError, UnreachableError
from sovereignmesh.plan import Change, Outcome, carry_out, compare, diff, merged
from sovereignmesh.purview.kinds import KINDS, VERSIONED, names_of, objects_of
from sovereignmesh.purview.live import WORKERS, Live, spelled
from sovereignmesh.purview.planning import comparable, read_lists_of, read_rest
from sovereignmesh.purview.roles import assigned, with_roles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sovereignmesh.azure.purview import MetadataPolicy, Purview
    from sovereignmesh.purview.planning import PurviewPlan

__all__ = ["apply_purview"]

_CONFLICT: Final = 409
_PROVISIONED: Final = 120.0  # seconds that a collection may take
_SHOWN: Final = 60.0  # seconds in which what was written should show in lists
_SHORTEST, _LONGEST = 0.2, 5.0  # seconds between two looks
_ATTEMPTS: Final = 4  # at a document that others write too


def apply_purview(
    plan: PurviewPlan,
    *,
    expect: str | None = None,
    force: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Does what the plan says, and tells of each change what became of it, as it comes.

    `expect` is the digest of the plan that was shown: another is not applied. `force` goes on where the plan changes
    much of what is there. Once `stopped()`, what is under way ends and the rest is left. After the last change the
    account's lists are read until they show what was written, for they lag; what does not show within a minute is told
    as failed. Raises PlanError, before anything is written, for a plan that must not be applied.
    """
    _check(plan, expect, force=force)
    return _applied(plan, stopped)


def _check(plan: PurviewPlan, expect: str | None, *, force: bool) -> None:
    if expect is not None and expect != plan.digest:
        raise PlanError(f"the plan is not the one expected: its digest is {plan.digest}. Look at it, then expect that")
    if plan.errors:
        listed = "\n".join(map(str, plan.errors))
        raise PlanError(f"nothing was sent, since the plan has errors:\n{listed}")
    if plan.excess and not force:
        raise PlanError(f"{plan.excess}: nothing was sent. If that is meant, look at it and apply it with --force")


def _applied(plan: PurviewPlan, stopped: Callable[[], bool]) -> Iterator[Outcome]:
    writer = _Writer(plan.purview)
    done: list[Outcome] = []
    for outcome in carry_out(plan.changes, writer.write, WORKERS, stopped=stopped):
        if outcome.state == "done":
            done.append(outcome)
        yield outcome
    if done and not stopped():
        yield from _unseen(plan, done, stopped)


def _unseen(plan: PurviewPlan, done: list[Outcome], stopped: Callable[[], bool]) -> Iterator[Outcome]:
    """What was written and does not show in the account's lists: the next plan would write it again."""
    pace, waited, wait = plan.purview.azure.pace, 0.0, _SHORTEST
    while True:
        keys = {outcome.change.key for outcome in done}
        hidden = keys & {change.key for change in _differing(plan, done)}
        done = [outcome for outcome in done if outcome.change.key in hidden]
        if not done or stopped():
            return
        if waited >= _SHOWN:
            break
        pace.wait(wait)
        waited, wait = waited + wait, min(wait * 2, _LONGEST)
    for outcome in done:
        why = f"written, but it does not show in the account's lists after {_SHOWN:.0f} s: plan again later"
        yield Outcome(outcome.change, "failed", why)


def _differing(plan: PurviewPlan, done: list[Outcome]) -> list[Change]:
    """What a plan of the same wish would do again to what was done. Only what was written is read."""
    keys = {outcome.change.key for outcome in done}
    wished = [item for item in plan.desired if item.key in keys]
    touched = [*wished, *(outcome.change.item for outcome in done if outcome.change.action == "delete")]
    live = Live(plan.purview)
    live.read_lists(read_lists_of(touched))
    read_rest(live, touched, prune=False)
    found = [item for item in comparable(live, wished, prune=plan.prune) if item.key in keys]
    return diff(wished, found, KINDS, prune=True)


class _Writer:
    """Writes changes, any number at once."""

    def __init__(self, purview: Purview) -> None:
        self._purview = purview
        self._policies: dict[str, str] = {}  # ids by collection
        self._lock = threading.Lock()

    def write(self, change: Change) -> bool:
        """Does one change; False where it was done already."""
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
        if change.item.kind == "collection":
            self._provisioned(names[0])
        return True

    def _body(self, change: Change, objects: Any, names: list[str]) -> dict[str, Any] | None:
        """What to send: a write replaces the whole, so that what is there now is kept; None where it is as wished."""
        kind = KINDS[change.item.kind]
        if change.action == "create" and change.item.kind not in VERSIONED:
            return dict(change.item.body)
        try:
            found = spelled(change.item.kind, objects.body(*names).body)
        except NotFoundError:
            if change.action == "create":
                return dict(change.item.body)
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
            return self._created(dict(change.item.body))
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
            there = assigned(policy.document, policy.collection)
            wish = _people(change, there)
            if all(there.get(role, []) == people for role, people in wish.items()):
                return False
            try:
                self._purview.policies.update(with_roles(policy.document, policy.collection, wish))
            except RejectedError as error:
                if error.status != _CONFLICT:
                    raise
                last = error
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


def _people(change: Change, there: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Who is to have each role: those who are wished, and whoever has it and was not planned to lose it."""
    wish = {}
    for role, people in change.item.body.items():
        losing = set(change.before.get(role, ())) - set(people)
        wish[role] = sorted({*people, *there.get(role, ())} - losing)
    return wish


def _check_unchanged(change: Change, found: Mapping[str, Any]) -> None:
    """Raises PlanError where somebody else has changed what the plan would change since it was made."""
    kind = KINDS[change.item.kind]
    then = {path: before for path, before, _ in change.differences}
    for path, now, _ in compare(change.item.body, found, kind):
        if change.action == "create" or path not in then or then[path] != now:
            raise PlanError(f"{change.item.kind} {change.item.name}: {path} was changed since the plan: plan again")
