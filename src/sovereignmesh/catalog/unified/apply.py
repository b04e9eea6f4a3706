"""Makes the Unified Catalog as a plan says: created as drafts, then published, domains before their products."""

from __future__ import annotations

import contextlib
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.catalog.unified.desired import AT_FIRST, DOMAIN, DRAFT, KINDS, PUBLISHED
from sovereignmesh.catalog.unified.live import Live, as_wished, owners_of
from sovereignmesh.catalog.unified.planning import comparable
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    DeniedError,
    NotFoundError,
    PlanError,
    RejectedError,
    UnreachableError,
)
from sovereignmesh.plan import (
    Applied,
    Item,
    Outcome,
    bare,
    carry_out,
    check_applicable,
    compare,
    diff,
    fold,
    looked_for,
    told,
    until_shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sovereignmesh.azure.purview.unified import Entities
    from sovereignmesh.catalog.unified.planning import UnifiedPlan
    from sovereignmesh.plan import Change

__all__ = ["apply_unified"]

_WORKERS: Final = 4  # at once; the service takes five requests a second
_IDENTITY: Final = ("name", "domain")  # what an object is known by: no update changes it


def apply_unified(
    plan: UnifiedPlan,
    *,
    expect: str | None = None,
    force: bool = False,
    on_outcome: Callable[[Outcome], object] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Applied:
    """Does what the plan says; what became of each change. `on_outcome` is told of each as it comes.

    `expect` is the digest of the plan that was shown: another is not applied. `force` goes on where the plan changes
    much of what is there. Once `stopped()`, what is under way ends and the rest is left. What was made and could not be
    published stays a draft, is told as failed, and is published by the next apply. After the last change the lists are
    read until they show what was written; what does not show within a minute is told as failed.
    Raises PlanError, before anything is written, for a plan that must not be applied.
    """
    check_applicable(plan, expect, force=force)
    return told(partial(_applied, plan), on_outcome, stopped)


def _applied(plan: UnifiedPlan, stopped: Callable[[], bool]) -> Iterator[Outcome]:
    if plan.empty:
        return
    outcomes = carry_out(plan.changes, _Writer(_read(plan), stopped).write, _WORKERS, stopped=stopped)
    pace = plan.catalog.azure.pace
    yield from until_shown(outcomes, partial(_hidden, plan), "the catalog's lists", pace, stopped=stopped)


def _read(plan: UnifiedPlan) -> Live:
    """What is there now: minutes may have passed. Raises an `AzureError` where not all of it can be read."""
    live = Live(plan.catalog)
    live.read(plan.domains)
    changed = {key for change in plan.changes for key in (change.key, *change.item.needs)}
    if live.lost & changed:
        raise AzureError(f"{live.unread[0].what}: {live.unread[0].why}")
    return live


def _hidden(plan: UnifiedPlan, done: list[Outcome]) -> list[Outcome]:
    """Those of what was written that a plan of the same wish would write again."""
    live = _read(plan)
    keys = {outcome.change.key for outcome in done}
    wished = [item for item in plan.desired if item.key in keys]
    again = {change.key for change in diff(wished, comparable(live, wished, prune=False), KINDS, prune=False)}
    again |= {o.change.key for o in done if o.change.action == "delete" and o.change.key in live.items}
    return [outcome for outcome in done if outcome.change.key in again]


class _Writer:
    """Writes changes, any number at once."""

    def __init__(self, now: Live, stopped: Callable[[], bool]) -> None:
        self._now, self._catalog, self._ids, self._stopped = now, now.catalog, dict(now.ids), stopped

    def write(self, change: Change) -> bool:
        """Does one change; False where it was done already. Raises PlanError where it is another since the plan."""
        found = self._now.items.get(change.key)
        if change.key in self._now.twice:
            raise PlanError(f"{change.item.kind} {change.item.name} is there more than once: plan again")
        entities = self._catalog.domains if change.item.kind == DOMAIN else self._catalog.products
        if change.action == "delete":
            return found is not None and self._delete(change, found, entities)
        if change.action == "update":
            return self._update(change, entities)
        if found is None:
            self._create(change.item, entities)
            return True
        if any(compare(change.item.body, as_wished(found, change.item).body, KINDS[change.item.kind])):
            raise _changed(change.item)
        return False

    def _create(self, item: Item, entities: Entities) -> None:
        """Creates a draft, and publishes it where that is wished."""
        body = {"id": str(uuid.uuid4()), **AT_FIRST[item.kind], **bare(item.body), "status": DRAFT}
        if item.kind != DOMAIN:
            body["domain"] = self._domain_of(item)
        made = self._made(item, entities, body)
        identity = str(made.get("id") or "")
        if not identity:
            raise AnswerError(f"{item.kind} {item.name} was made, and the answer does not say its id: plan again")
        self._ids[item.key] = identity
        if item.body.get("status") == PUBLISHED and fold(made.get("status")) != fold(PUBLISHED):
            self._publish(item, entities, identity, bare({**body, **made, "id": identity}))

    def _made(self, item: Item, entities: Entities, body: dict[str, Any]) -> Mapping[str, Any]:
        """What came of a POST, which is never sent again: without an answer it is looked for, as lists may lag.

        By its id, which is ours; that the service keeps it is not documented, so that the lists are read too.
        """
        found: Mapping[str, Any] = {}

        def look() -> bool:
            nonlocal found
            with contextlib.suppress(NotFoundError):
                found = entities.get(body["id"]).body
                return True
            there = Live(self._catalog)
            there.read([item.name] if item.kind == DOMAIN else [key.name for key in item.needs])
            if item.key not in there.items:
                return False
            wish = {name: value for name, value in item.body.items() if name != "status"}
            if any(compare(wish, as_wished(there.items[item.key], item).body, KINDS[item.kind])):
                raise _changed(item)  # somebody else's
            found = there.items[item.key].body
            return True

        try:
            return entities.create(body).body
        except (UnreachableError, AnswerError) as error:
            why = "it does not show in the catalog"
            try:
                if looked_for(look, self._catalog.azure.pace, stopped=self._stopped):
                    return found
            except AzureError as later:
                why = f"nobody could look: {later}"
            raise _worded(
                error, f"{error}; {item.kind} {item.name} may have been made, but {why}: plan again"
            ) from error

    def _publish(self, item: Item, entities: Entities, identity: str, body: dict[str, Any]) -> None:
        hint = "" if item.kind == DOMAIN else " (the portal asks for a data asset and an access policy first)"
        with _half_done(f"{item.kind} {item.name} is there as a draft, and was not published{hint}"):
            entities.update(identity, {**body, "status": PUBLISHED})

    def _update(self, change: Change, entities: Entities) -> bool:
        """Replaces the whole of what is there now, with the wish in it; owners are added, never taken away."""
        item = change.item
        identity = self._ids.get(change.key)
        if identity is None:
            raise _changed(change.item)
        found = entities.get(identity).body
        seen = as_wished(Item(item.kind, item.name, found), item).body
        differences = list(compare(item.body, seen, KINDS[item.kind]))
        if not differences:
            return False
        then = {difference.path: difference.before for difference in change.differences}
        if any(path not in then or then[path] != before for path, before, _ in differences):
            raise _changed(change.item)
        body = {**found, **{name: value for name, value in item.body.items() if name not in _IDENTITY}}
        if wanted := owners_of(item.body):
            there = owners_of(found)
            known = {str(each.get("id")).casefold() for each in there}
            missing = [each for each in wanted if each["id"].casefold() not in known]
            body["contacts"] = {**(found.get("contacts") or {}), "owner": [*there, *missing]}
        entities.update(identity, bare({**body, "id": identity}))
        return True

    def _delete(self, change: Change, found: Item, entities: Entities) -> bool:
        """Deletes a product, a published one after it is a draft again, as the portal does.

        What is linked to it is somebody's work: the service may refuse while there is any.
        """
        if bare(found.body) != bare(change.before):
            raise _changed(change.item)
        identity = self._ids[change.key]
        if fold(found.body.get("status")) == fold(PUBLISHED):
            entities.update(identity, bare({**found.body, "status": DRAFT}))
        with _half_done(f"{change.item.kind} {change.item.name} is a draft, and was not deleted"):
            entities.delete(identity)
        return True

    def _domain_of(self, item: Item) -> str:
        for key in item.needs:
            if key in self._ids:
                return self._ids[key]
        raise PlanError(f"the domain of {item.kind} {item.name} is not there any more: plan again")


@contextlib.contextmanager
def _half_done(said: str) -> Iterator[None]:
    """What is refused within is raised with what there is now."""
    try:
        yield
    except (RejectedError, DeniedError) as error:
        raise _worded(error, f"{said}: {error}") from error


def _worded(error: AzureError, message: str) -> AzureError:
    """The same error with more words."""
    return type(error)(message, status=error.status, code=error.code, request_id=error.request_id, target=error.target)


def _changed(item: Item) -> PlanError:
    return PlanError(f"{item.kind} {item.name} was made or changed since the plan: plan again")
