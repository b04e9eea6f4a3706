"""From a mesh and an account to a plan, and from a plan to an account that is as the mesh wishes."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview import connect_purview, find_purview_account
from sovereignmesh.errors import MeshError
from sovereignmesh.plan import Item, Key, Plan, Unread, diff
from sovereignmesh.purview.desired import Around, compile_desired
from sovereignmesh.purview.kinds import KINDS
from sovereignmesh.purview.live import Live, with_needs
from sovereignmesh.purview.residency import residency_problems
from sovereignmesh.purview.resources import Visible, read_resources
from sovereignmesh.purview.rules import compile_rules, pattern_problems
from sovereignmesh.purview.sources import DISCOVERED, find_sources, needed_resources
from sovereignmesh.purview.tree import Tree
from sovereignmesh.result import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.purview import PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.purview.desired import Desired
    from sovereignmesh.purview.sources import Wanted

__all__ = ["PurviewPlan", "comparable", "plan_purview", "read_lists_of", "read_rest"]

_IDENTITY: Final = ("resourceId", "endpoint", "serverEndpoint", "accountUri")


@dataclass(frozen=True)
class PurviewPlan(Plan):
    """A plan for a Purview account, which it was made for and by which it is applied."""

    purview: Purview = dataclasses.field(kw_only=True, repr=False, compare=False)
    desired: tuple[Item, ...] = dataclasses.field(default=(), kw_only=True, repr=False)
    prune: bool = dataclasses.field(default=False, kw_only=True)
    allow_drift: bool = dataclasses.field(default=False, kw_only=True)


def plan_purview(
    azure: Azure,
    mesh: Mesh,
    account: str | PurviewAccount | None = None,
    *,
    prune: bool = False,
    allow_drift: bool = False,
    progress: Callable[[Live], AbstractContextManager[object]] = nullcontext,
) -> PurviewPlan:
    """What is to be done so that a Purview account is as the mesh wishes. Only reads.

    `account` is another than the mesh names: its name, its resource id, or as found before. `prune` also plans to
    delete what the mesh does not wish; `allow_drift` makes warnings of what would be outside the policy's regions;
    `progress` is a context in which the account is read, and is given what counts it.
    Raises MeshError where the mesh has no `purview` document, an `AzureError` where the account or its collections
    cannot be read; what else cannot be read is in the plan's `unread`, and what is wrong with the wish in `problems`.
    """
    document = mesh.purview
    if document is None:
        message = "no `purview` document in the mesh: write one that names the account"
        raise MeshError([Problem(Location(str(mesh.path)), "$", message)])
    wish, visible = document.model, Visible(azure)
    named = account or wish.account
    found = find_purview_account(azure, named, lambda: visible.names) if isinstance(named, str) else named
    purview = connect_purview(found, azure)
    resources = read_resources(azure, visible, *needed_resources(wish))
    sources, problems = find_sources(mesh, document, resources, azure.cloud.name)
    problems += residency_problems(mesh, document, purview.account, sources, allow=allow_drift)
    problems += pattern_problems(mesh)
    live = Live(purview)
    with progress(live):
        live.read_lists(_lists(mesh, wish, sources, prune=prune))
        sources, otherwise = _registered(document, sources, live)
        problems += otherwise
        tree = Tree(document, live.collections(), purview.account.name)
        desired = compile_desired(mesh, document, sources, tree, _around(live))
        problems += desired.problems
        read_rest(live, desired.items, prune=prune)
    if wish.discovers is not None:
        seen = len(resources.names)
        desired.notes.append(f"sources are discovered in the {seen} subscription{'s' * (seen != 1)} that you see")
    return _compared(purview, live, desired, problems, prune=prune, allow_drift=allow_drift)


def _lists(mesh: Mesh, wish: PurviewAccountWish, sources: Collection[Wanted], *, prune: bool) -> set[str]:
    """The lists that have to be read: those of kinds that are wished or referred to, with `prune` all."""
    scans = [scan for source in sources for scan, _ in source.scans]
    rules = next(compile_rules(mesh), None) is not None
    named = bool(wish.roles) or any(one.roles for one in _every(wish.collections))
    wanted = {
        "collection": True,
        "key-vault": bool(wish.key_vaults) or any(one.key_vault for one in wish.credentials),
        "credential": bool(wish.credentials) or any(scan.credential for scan in scans),
        "classification": rules,
        "classification-rule": rules or any(one.classification_rules for one in wish.rulesets),
        "ruleset": bool(wish.rulesets) or bool(scans),
        "source": bool(sources),
        "roles": named,
    }
    return {kind for kind, needed in wanted.items() if needed or (prune and kind != "roles")}


def read_lists_of(items: Iterable[Item]) -> set[str]:
    """The lists that tell of these objects: of what lies in a source, that of sources."""
    kinds = {item.kind for item in items}
    return {"collection", *(("source",) if kinds & {"scan", "filter", "trigger"} else ()), *kinds}


def _every(collections: Iterable[Any]) -> Iterator[Any]:
    for one in collections:
        yield one
        yield from _every(one.collections)


def _around(live: Live) -> Around:
    return Around(
        credentials={
            key.name: str(item.body.get("kind")) for key, item in live.items.items() if key.kind == "credential"
        },
        rulesets={key.name: str(item.body.get("kind")) for key, item in live.items.items() if key.kind == "ruleset"},
        key_vaults=frozenset(key.name for key in live.items if key.kind == "key-vault"),
        rules=frozenset(key.name for key in live.items if key.kind == "classification-rule"),
        extensions=live.extensions,
    )


def read_rest(live: Live, desired: list[Item], *, prune: bool) -> None:
    """Reads what no list tells: the scans of each source, and of scans their filters and triggers."""
    scans = [item.name for item in desired if item.kind in ("scan", "filter", "trigger")]
    every = [item.name for item in live.of("source")]
    live.read_scans(every if prune else [name.rpartition("/")[0] for name in scans])
    for kind in ("filter", "trigger"):
        named = [item.name for item in desired if item.kind == kind]
        live.read_single(kind, [item.name for item in live.of("scan")] if prune and kind == "trigger" else named)


def _registered(
    document: Loaded[PurviewAccountWish], sources: Iterable[Wanted], live: Live
) -> tuple[list[Wanted], list[Problem]]:
    """The sources, under the names that the account has for what they mean; and what it has otherwise than wished.

    An account has each resource once: one that is discovered goes by the name that it has, one that is written out
    under another name is an error.
    """
    there: dict[tuple[str, str], str] = {}
    for item in live.of("source"):
        for value in _identities(item.body.get("properties") or {}):
            there.setdefault((str(item.body.get("kind")), value), item.name)
    found, problems = [], []
    for source in sources:
        known = live.items.get(Key("source", source.name.casefold()))
        if known is not None and known.body.get("kind") != source.kind_name:
            message = (
                f"the source '{source.name}' is there as a {known.body.get('kind')}, and no source changes its kind"
            )
            problems.append(document.problem(source.path, f"{message}: give this one another name"))
        values = _identities(source.properties)
        name = next((there[key] for value in values if (key := (source.kind_name, value)) in there), source.name)
        if name.casefold() != source.name.casefold() and source.path != DISCOVERED:
            message = f"what the source '{source.name}' means is already registered as '{name}'"
            problems.append(document.problem(source.path, f"{message}: an account has it once; give it that name here"))
        found.append(dataclasses.replace(source, name=name) if source.path == DISCOVERED else source)
    return found, problems


def _identities(properties: Mapping[str, Any]) -> list[str]:
    """What tells a source from others of its kind."""
    values = (properties.get(name) for name in _IDENTITY)
    return [value.casefold().rstrip("/") for value in values if isinstance(value, str) and value]


def _compared(
    purview: Purview, live: Live, desired: Desired, problems: list[Problem], *, prune: bool, allow_drift: bool
) -> PurviewPlan:
    wished = [item for item in desired.items if live.knows(item)]
    lost = len(desired.items) - len(wished)
    there = list(comparable(live, desired.items, prune=prune))
    changes = diff(wished, there, KINDS, prune=prune)
    unread = [*live.unread, *([Unread(f"{lost} wished objects", "nobody knows what is there")] if lost else [])]
    touched = {change.key for change in changes if change.action != "delete"}
    return PurviewPlan(
        target=purview.account.id,
        changes=tuple(changes),
        existing=len(there),
        unchanged=sum(item.key not in touched for item in wished),
        problems=tuple(sorted(set(problems))),
        unread=tuple(unread),
        notes=tuple(dict.fromkeys(desired.notes)),
        purview=purview,
        desired=tuple(desired.items),
        prune=prune,
        allow_drift=allow_drift,
    )


def comparable(live: Live, desired: list[Item], *, prune: bool) -> Iterator[Item]:
    """What is there as it is compared: of role assignments those that are wished, unless others are to go."""
    roles = {item.key: item for item in desired if item.kind == "roles"}
    root = live.purview.account.name.casefold()
    wanted = {item.key for item in desired}
    for key, item in live.items.items():
        if key.kind == "roles":
            wish = roles.get(key)
            if wish is not None:
                yield dataclasses.replace(item, body=_roles(item.body, wish.body, prune=prune))
        elif key.kind == "collection" and key.name == root and key not in wanted:
            continue  # it is never wished, and cannot go
        elif key.kind in ("filter", "trigger") and key not in wanted and Key("scan", key.name) not in wanted:
            continue  # it goes with its scan
        elif key.kind == "filter" and key not in wanted:
            continue  # the service cannot remove one
        else:
            yield with_needs(item) if prune and key not in wanted else item


def _roles(there: Any, wish: Any, *, prune: bool) -> dict[str, list[str]]:
    found = {}
    for role, people in wish.items():
        have = there.get(role, [])
        found[role] = have if prune else sorted(set(have) & set(people))
    return found
