"""What is in an account, is not wished, and stays when what is not wished is deleted."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sovereignmesh.mesh.words import listed
from sovereignmesh.plan import Key, merged
from sovereignmesh.purview.kinds import KINDS
from sovereignmesh.purview.live import with_needs
from sovereignmesh.purview.sources import kinds_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sovereignmesh.mesh.purview import DiscoverWish, PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.plan import Item
    from sovereignmesh.purview.live import Live
    from sovereignmesh.result import Problem

__all__ = ["Staying", "staying"]


@dataclass(frozen=True, slots=True)
class Staying:
    """The keys of what stays, what is worth knowing about it, and what is wrong with the wish."""

    keys: set[Key] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def staying(
    live: Live, document: Loaded[PurviewAccountWish], desired: Sequence[Item], visible: Callable[[str], object]
) -> Staying:
    """What wished objects need, what the document keeps, and sources of which nobody can tell whether they are gone.

    `visible` gives a resource by its id, if the caller sees it.
    """
    found = Staying(_referred_to(live, desired))
    asked = {Key(one.kind, one.name.casefold()): at for at, one in enumerate(document.model.keep)}
    for key, at in asked.items():
        if key not in live.items:
            message = f"no {key.kind} '{document.model.keep[at].name}' is there to keep"
            found.problems.append(document.problem(("keep", at), message, "warning"))
    found.keys.update(asked, _with_all_inside(live, {key for key in asked if key.kind == "source"}))
    found.keys.update(_referred_to(live, [live.items[key] for key in asked if key in live.items]))
    if document.model.discovers is not None:
        unsure = _undecided(live, desired, document.model.discovers, visible)
        found.keys.update(unsure)
        if names := sorted(key.name for key in unsure - asked.keys() if key.kind == "source"):
            found.notes.append(
                f"{len(names)} source{'s' * (len(names) != 1)} of kinds that are discovered, and whose resources you "
                f"do not see, stay, since nobody can tell whether they are gone: {listed(names)}"
            )
    return found


def _referred_to(live: Live, desired: Iterable[Item]) -> set[Key]:
    """What is there and wished objects need, directly or not, when all is written: it stays, whoever wrote it."""
    wishes = {item.key: item for item in desired}
    waiting = [need for item in wishes.values() for need in (item.key, *item.needs)]
    kept: set[Key] = set()
    while waiting:
        key = waiting.pop()
        if key in kept:
            continue
        kept.add(key)
        if (there := live.items.get(key)) is not None:
            if (wish := wishes.get(key)) is not None:  # what the wish does not name stays as it is
                there = dataclasses.replace(there, body=merged(there.body, wish.body, KINDS[key.kind]))
            waiting += with_needs(there).needs
    return kept


def _undecided(live: Live, desired: Iterable[Item], wish: DiscoverWish, visible: Callable[[str], object]) -> set[Key]:
    """Sources that are there, of kinds that are discovered, and were not; with their scans and all that these need.

    Resource Graph shows what the caller may read: a resource that is not in it need not be gone.
    """
    kinds, wanted = {kind.kind for kind in kinds_named(wish.types)}, {item.key for item in desired}
    sources = [item for item in live.of("source") if item.body.get("kind") in kinds and item.key not in wanted]
    return _with_all_inside(live, {item.key for item in sources if not visible(_resource(item))})


def _resource(source: Item) -> str:
    return str((source.body.get("properties") or {}).get("resourceId") or "")


def _with_all_inside(live: Live, sources: set[Key]) -> set[Key]:
    """Sources with the scans and triggers in them, and all that these need."""
    inside = [item for item in live.of("scan") if Key("source", item.key.name.rpartition("/")[0]) in sources]
    inside += [item for key in sources if (item := live.items.get(key))]
    kept = {item.key for item in inside}
    kept |= {Key("trigger", key.name) for key in kept if key.kind == "scan"}
    return kept | _referred_to(live, inside)
