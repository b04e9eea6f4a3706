"""From a mesh and an account to a plan, and from a plan to an account that is as the mesh wishes."""

from __future__ import annotations

import dataclasses
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.azure.purview import connect_purview, find_purview_account
from sovereignmesh.errors import NotFoundError
from sovereignmesh.mesh.purview_references import collections_in
from sovereignmesh.mesh.words import did_you_mean
from sovereignmesh.patterns import slug
from sovereignmesh.plan import Difference, Item, Key, Plan, Unread, diff
from sovereignmesh.purview.desired import Around, compile_desired
from sovereignmesh.purview.kinds import KINDS
from sovereignmesh.purview.live import Live, with_needs
from sovereignmesh.purview.residency import residency_problems
from sovereignmesh.purview.resources import Visible, read_resources
from sovereignmesh.purview.rules import compile_rules, pattern_problems
from sovereignmesh.purview.sources import DISCOVERED, find_sources, needed_resources
from sovereignmesh.purview.staying import Staying, staying
from sovereignmesh.purview.tree import Tree
from sovereignmesh.purview.workflows import asks_approval, exactly, no_service

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import Purview, PurviewAccount
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.purview import DiscoverWish, PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.plan import Change
    from sovereignmesh.purview.desired import Desired
    from sovereignmesh.purview.resources import Resources
    from sovereignmesh.purview.sources import Wanted
    from sovereignmesh.result import Problem

__all__ = ["PurviewPlan", "comparable", "is_unfinished", "plan_purview", "read_lists_of", "read_rest"]

_ADMINISTRATOR: Final = "collectionAdministrators"
_IDENTITY: Final = ("resourceId", "endpoint", "serverEndpoint", "accountUri")


@dataclass(frozen=True, repr=False)
class PurviewPlan(Plan):
    """A plan for a Purview account, which it was made for and by which it is applied."""

    purview: Purview = dataclasses.field(kw_only=True, repr=False, compare=False)
    desired: tuple[Item, ...] = dataclasses.field(default=(), kw_only=True, repr=False)
    prune: bool = dataclasses.field(default=False, kw_only=True)

    @property
    def touched(self) -> list[Change]:
        """What changes or goes; who gets a role beside others takes nothing from anybody."""
        return [change for change in super().touched if change.item.kind != "roles" or change.late]

    @property
    def excess(self) -> str:
        """Why this is more than anybody does by the way: much of the account, or who administers it."""
        reasons = [more] if (more := super().excess) else []
        root = Key("roles", self.purview.account.name.casefold())
        for change in self.changes:
            losing = set(change.before.get(_ADMINISTRATOR, ())) - set(change.item.body.get(_ADMINISTRATOR, ()))
            if change.key == root and losing:
                reasons.append(
                    f"the plan takes the role Collection Administrator of the whole account from {len(losing)}"
                )
        return "; ".join(reasons)


class _Asked(NamedTuple):
    """What a plan is made for."""

    document: Loaded[PurviewAccountWish]
    prune: bool
    visible: Callable[[str], object]


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
    document = mesh.purview_document
    wish, visible = document.model, Visible(azure)
    named = wish.account if account is None else account
    try:
        found = find_purview_account(azure, named, lambda: visible.names) if isinstance(named, str) else named
    except NotFoundError as error:
        if account is None and wish.account_resource is not None:
            raise NotFoundError(f"{error}; `purview account apply` makes it", status=error.status) from error
        raise
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
        if asks_approval(mesh) is not None:
            live.read_workflows(_domains_of(desired.items), every=prune)
    scanned = {source.name for source in sources if source.scans}
    if bare := len({source.name for source in sources} - scanned):
        desired.notes.append(f"{bare} of {len(sources)} sources have no scan that is wished")
    if wish.discovers is not None:
        problems += _unknown_domains(mesh, document, wish.discovers, resources)
        seen = len(resources.names)
        desired.notes.append(f"sources are discovered in the {seen} subscription{'s' * (seen != 1)} that you see")
    problems += _no_workflows(mesh, live, desired.items)
    return _compared(purview, live, desired, problems, _Asked(document, prune, resources.find))


def _domains_of(items: Iterable[Item]) -> list[str]:
    return [item.name for item in items if item.kind == "workflow"]


def _no_workflows(mesh: Mesh, live: Live, desired: Iterable[Item]) -> Iterator[Problem]:
    """That approvals are wished where no workflow can be."""
    document = mesh.policies_document
    if live.no_workflows and document is not None and _domains_of(desired):
        message = no_service(live.purview.account.name, live.no_workflows)
        yield document.problem(("accessControl", "requireApproval"), message)


def _unknown_domains(
    mesh: Mesh, document: Loaded[PurviewAccountWish], wish: DiscoverWish, resources: Resources
) -> Iterator[Problem]:
    """Domains to discover that neither the mesh nor any resource knows."""
    if wish.domains == "all":
        return
    known = {resources.domain_of(mesh, row) for row in resources.rows} | set(mesh.domains)
    folded = {name.casefold() for name in known}
    for index, name in enumerate(wish.domains):
        if name.casefold() not in folded:
            message = f"no resource is of a domain '{name}'{did_you_mean(name, filter(None, known))}"
            yield document.problem(("sources", "discover", "domains", index), message, "warning")


def _lists(mesh: Mesh, wish: PurviewAccountWish, sources: Collection[Wanted], *, prune: bool) -> set[str]:
    """The lists that have to be read: those of kinds that are wished or referred to, with `prune` all."""
    scans = [scan for source in sources for scan, _ in source.scans]
    rules = next(compile_rules(mesh), None) is not None
    named = bool(wish.roles) or any(one.roles for one, _, _ in collections_in(wish))
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
    return {*(("source",) if kinds & {"scan", "filter", "trigger"} else ()), *kinds}


def _around(live: Live) -> Around:
    return Around(
        credentials={item.key.name: str(item.body.get("kind")) for item in live.of("credential")},
        rulesets={item.key.name: str(item.body.get("kind")) for item in live.of("ruleset")},
        key_vaults=frozenset(item.key.name for item in live.of("key-vault")),
        rules=frozenset(item.key.name for item in live.of("classification-rule")),
        extensions=live.extensions,
        lost=frozenset(live.lost),
        placed={item.key.name: placed for item in live.of("source") if (placed := _collection_of(item))},
    )


def _collection_of(source: Item) -> str:
    reference = (source.body.get("properties") or {}).get("collection")
    return str(reference.get("referenceName") or "").casefold() if isinstance(reference, dict) else ""


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

    An account has each resource once: one that is discovered goes by the name that it has, or by a longer one where
    another has its name. One that is written out and does not fit what is there is an error.
    """
    there: dict[tuple[str, str], str] = {}
    for item in live.of("source"):
        for value in _identities(item.body.get("properties") or {}):
            there.setdefault((str(item.body.get("kind")), value), item.name)
    found, problems = [], []
    taken = {source.name.casefold() for source in sources if source.path != DISCOVERED}
    for source in sources:
        values = _identities(source.properties)
        name = next((there[key] for value in values if (key := (source.kind_name, value)) in there), None)
        if source.path != DISCOVERED:
            problems += [document.problem(source.path, message) for message in _misfits(source, values, name, live)]
            found.append(source)
            continue
        if name is None:
            name = source.name
            if name.casefold() in taken or Key("source", name.casefold()) in live.items:
                place = source.properties
                name = slug(f"{name}-{place.get('resourceGroup')}-{str(place.get('subscriptionId'))[:8]}")
        taken.add(name.casefold())
        found.append(dataclasses.replace(source, name=name))
    return found, problems


def _misfits(source: Wanted, values: list[str], registered: str | None, live: Live) -> Iterator[str]:
    """Why a source that is written out cannot be what the account has."""
    known = live.items.get(Key("source", source.name.casefold()))
    if registered is not None and registered.casefold() != source.name.casefold():
        message = f"what the source '{source.name}' means is already registered as '{registered}'"
        yield f"{message}: an account has it once; give it that name here"
    elif known is not None and known.body.get("kind") != source.kind_name:
        message = f"the source '{source.name}' is there as a {known.body.get('kind')}, and no source changes its kind"
        yield f"{message}: give this one another name"
    elif known is not None and values:
        others = _identities(known.body.get("properties") or {})
        if others and not set(others) & set(values):
            yield (
                f"the source '{source.name}' is there for {others[0]}, not for {values[0]}: its scans would read "
                "something else; give this one another name, or delete that one first"
            )


def _identities(properties: Mapping[str, Any]) -> list[str]:
    """What tells a source from others of its kind."""
    values = (properties.get(name) for name in _IDENTITY)
    return [value.casefold().rstrip("/") for value in values if isinstance(value, str) and value]


def _compared(purview: Purview, live: Live, desired: Desired, problems: list[Problem], wish: _Asked) -> PurviewPlan:
    document, prune = wish.document, wish.prune
    problems += _unlike(document, desired.items, live)
    wished = list({item.key: item for item in desired.items if live.knows(item)}.values())
    lost = len(desired.items) - len(wished)
    unread = [*live.unread, *desired.unread]
    notes = list(desired.notes)
    if prune and unread:
        prune = False
        notes.append("nothing is deleted, since not all could be read")
    stay = staying(live, document, desired.items, wish.visible) if prune else Staying()
    notes += stay.notes
    problems += stay.problems
    there = list(comparable(live, desired.items, prune=prune, kept=stay.keys))
    wished = [exactly(item, live.items.get(item.key)) for item in wished]
    found = [_told_whole(each, live, prune=prune) for each in diff(wished, there, KINDS, prune=prune)]
    changes = _in_order(found, Key("roles", purview.account.name.casefold()), prune=prune)
    touched = {change.key for change in changes if change.action != "delete"}
    if lost and not unread:
        unread.append(Unread(f"{lost} wished objects", "nobody knows what is there"))
    return PurviewPlan(
        target=purview.account.id,
        changes=tuple(changes),
        existing=len(there),
        unchanged=sum(item.key not in touched for item in wished),
        problems=tuple(sorted(set(problems))),
        unread=tuple(unread),
        notes=tuple(dict.fromkeys(notes)),
        purview=purview,
        desired=tuple(wished),
        prune=prune,
    )


def _unlike(document: Loaded[PurviewAccountWish], desired: list[Item], live: Live) -> Iterator[Problem]:
    """Objects that would be one, and classifications that are there in another case, which is another name."""
    for key, count in Counter(item.key for item in desired).items():
        if count > 1:
            yield document.problem((), f"{count} objects would be the {key.kind} '{key.name}': give them other names")
    for item in desired:
        known = live.items.get(item.key)
        if item.kind == "classification" and known is not None and known.name != item.name:
            message = f"the classification '{item.name}' is there as '{known.name}', and case tells them apart"
            yield document.problem((), f"{message}: write it so in the rule at {item.place}")


def _told_whole(change: Change, live: Live, *, prune: bool) -> Change:
    """A change of roles with everybody who has them, before and after: without `prune` only the wished are compared."""
    if change.item.kind != "roles" or prune:
        return change
    there = live.items[change.key].body if change.key in live.items else {}
    differences = [
        Difference(role, sorted(there.get(role, ())), sorted({*there.get(role, ()), *after}))
        for role, _, after in change.differences
    ]
    return dataclasses.replace(change, differences=tuple(differences))


def _in_order(changes: list[Change], root: Key, *, prune: bool) -> list[Change]:
    """The changes with those at the end that take roles away: the caller may need them until all else is done.

    With `prune` also those of new collections: the service makes who creates one its administrator. The last is that
    of the `root`, whose administrators may write all others.
    """
    found, late = [], []
    for change in changes:
        people = change.item.body.items() if change.item.kind == "roles" else ()
        fresh = prune and change.action == "create" and bool(people)
        if fresh or any(set(change.before.get(role, ())) - set(wished) for role, wished in people):
            needs = change.item.needs | ({root} - {change.key})
            late.append(dataclasses.replace(change, item=dataclasses.replace(change.item, needs=needs), late=True))
        else:
            found.append(change)
    first = [change for change in found if change.action != "delete"]
    late.sort(key=lambda change: change.key == root)
    return [*first, *late, *(change for change in found if change.action == "delete")]


def comparable(live: Live, desired: list[Item], *, prune: bool, kept: Container[Key] = frozenset()) -> Iterator[Item]:
    """What is there as it is compared: of role assignments those that are wished, unless others are to go.

    What is `kept` does not go though nobody wishes it.
    """
    roles = {item.key: item for item in desired if item.kind == "roles"}
    root = live.purview.account.name.casefold()
    wanted = {item.key for item in desired}
    for key, item in live.items.items():
        if key.kind == "roles":
            wish = roles.get(key)
            if wish is not None:
                yield dataclasses.replace(item, body=_roles(item.body, wish.body, prune=prune))
        elif is_unfinished(item) and key in wanted:
            continue  # it is made again
        elif key in wanted or not prune:
            yield item
        elif key in kept or (key.kind == "collection" and key.name == root):
            continue
        elif key.kind == "filter" or (key.kind == "trigger" and Key("scan", key.name) not in wanted):
            continue  # it goes with its scan; a filter goes with nothing else
        else:
            yield with_needs(item)


def is_unfinished(item: Item) -> bool:
    """Whether it is a collection that the service could not make."""
    return item.kind == "collection" and item.body.get("collectionProvisioningState") == "Failed"


def _roles(there: Any, wish: Any, *, prune: bool) -> dict[str, list[str]]:
    found = {}
    for role, people in wish.items():
        have = [person for person in there.get(role, []) if "=" not in person]  # who is named otherwise stays
        found[role] = have if prune else sorted(set(have) & set(people))
    return found
