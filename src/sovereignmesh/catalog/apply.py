"""Writes what a plan tells of assets, and the lineage of contracts: each entity once, several at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sovereignmesh.azure.purview.datamap import AT_ONCE
from sovereignmesh.catalog.kinds import KINDS, PROCESS, TYPES
from sovereignmesh.catalog.planning import live_item
from sovereignmesh.catalog.reading import WORKERS
from sovereignmesh.errors import AnswerError, AzureError, PlanError, UnreachableError
from sovereignmesh.plan import carry_out_together, check_applicable, compare, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sovereignmesh.azure.purview import Entity
    from sovereignmesh.catalog.planning import CatalogPlan
    from sovereignmesh.plan import Applied, Change, Item, Key, Outcome, Written

__all__ = ["apply_catalog"]


def apply_catalog(
    plan: CatalogPlan,
    *,
    expect: str | None = None,
    force: bool = False,
    on_outcome: Callable[[Outcome], object] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Applied:
    """Does what the plan says; what became of each change. `on_outcome` is told of each as it comes.

    Each is read again before it is written: what somebody has written into an asset meanwhile stays, and lineage that
    somebody has changed since the plan fails, to be planned again. The search index
    shows what was written later; the entities show it at once. `expect` is the digest of the plan that was shown:
    another is not applied; `force` goes on where much would be deleted; once `stopped()`, what is under way ends and
    the rest is left. Raises PlanError, before anything is written, for a plan that must not be applied.
    """
    check_applicable(plan, expect, force=force)
    return told(partial(_applied, plan), on_outcome, stopped)


def _applied(plan: CatalogPlan, stopped: Callable[[], bool]) -> Iterator[Outcome]:
    return carry_out_together(plan.changes, partial(_write, plan), _at_once, WORKERS, stopped=stopped)


def _at_once(change: Change) -> int:
    return AT_ONCE if change.item.kind == "asset" else 1


def _write(plan: CatalogPlan, changes: list[Change]) -> list[Written]:
    if changes[0].item.kind == "asset":
        return _complete_all(plan, changes)
    return [_write_one(plan, change) for change in changes]


def _complete_all(plan: CatalogPlan, changes: list[Change]) -> list[Written]:
    """Gives assets what they lack still, in one write; after one without an answer they are read again."""
    lacking = _lacking(plan, changes)
    wanted = [body for body in lacking.values() if body]
    told: dict[Key, Written] = {key: bool(body) for key, body in lacking.items()}
    try:
        if wanted:
            plan.purview.data_map.write(*wanted)
    except (UnreachableError, AnswerError) as error:
        try:
            still = _lacking(plan, changes)
        except AzureError:
            raise error from None
        told |= {key: error for key, body in lacking.items() if body and still.get(key, body)}
    gone = PlanError("it is gone since the plan: plan again")
    return [told.get(change.key, gone) for change in changes]


def _lacking(plan: CatalogPlan, changes: list[Change]) -> dict[Key, dict[str, Any]]:
    """What to write of each asset that is there: minutes may have passed since the plan. Empty: it lacks nothing."""
    found = plan.purview.data_map.entities([plan.ids[change.key] for change in changes])
    return {
        change.key: _completed(change, there)
        for change in changes
        if (there := found.get(plan.ids[change.key])) is not None
    }


def _write_one(plan: CatalogPlan, change: Change) -> bool:
    """Does one change; False where it was done already. Raises PlanError where somebody has changed it meanwhile."""
    item, there = change.item, _now(plan, change)
    if change.action == "delete" and there is None:
        return False
    if change.action != "delete" and there is not None and _is(item.body, item, there):
        return False
    if (there is None) != (change.action == "create") or (there is not None and not _is(change.before, item, there)):
        raise PlanError(f"{item.name} was changed by somebody since the plan: plan again")
    if change.action == "delete" and there is not None:
        plan.purview.data_map.delete(there.id)
    else:
        plan.purview.data_map.write(_made(change, there))
    return True


def _is(body: Mapping[str, Any], item: Item, there: Entity) -> bool:
    """Whether what is there is as the body says."""
    return not list(compare(body, live_item(item.kind, item.name, there).body, KINDS[item.kind]))


def _now(plan: CatalogPlan, change: Change) -> Entity | None:
    """What is there now: minutes may have passed since the plan."""
    known = plan.ids.get(change.key)
    if known is not None:
        return plan.purview.data_map.entities([known]).get(known)
    return plan.purview.data_map.named(TYPES[change.item.kind], [change.item.name]).get(change.item.name)


def _completed(change: Change, there: Entity) -> dict[str, Any]:
    """The entity of an asset with what it lacks still; empty where it lacks nothing.

    Its own attributes go along as they were read: those that its type demands are wanted in every write.
    """
    wish = change.item.body
    describe, own = "description" in wish and not there.description, "owners" in wish and not there.owners
    if not describe and not own:
        return {}
    attributes = {name: value for name, value in (there.body.get("attributes") or {}).items() if value is not None}
    if describe:
        attributes["userDescription"] = wish["description"]
    body: dict[str, Any] = {"typeName": there.type, "guid": there.id, "attributes": attributes}
    if own:
        body["contacts"] = {**there.contacts, "Owner": _contacts(wish["owners"])}
    return body


def _made(change: Change, there: Entity | None) -> dict[str, Any]:
    """The entity of a product, a consumer or a contract."""
    item, wish = change.item, change.item.body
    attributes: dict[str, Any] = {"qualifiedName": item.name, "name": wish["name"]}
    if "description" in wish:
        attributes["userDescription"] = wish["description"]
    if item.kind == PROCESS:
        for name in ("inputs", "outputs"):
            attributes[name] = [
                {"typeName": each["type"], "uniqueAttributes": {"qualifiedName": each["qualifiedName"]}}
                for each in wish[name]
            ]
    body: dict[str, Any] = {"typeName": TYPES[item.kind], "guid": there.id if there else "-1", "attributes": attributes}
    if "owners" in wish:
        body["contacts"] = {**(there.contacts if there else {}), "Owner": _contacts(wish["owners"])}
    return body


def _contacts(owners: list[str]) -> list[dict[str, str]]:
    return [{"id": owner, "info": ""} for owner in owners]
