"""What an audit is asked to read: subscriptions by id, by name, below management groups, less what is excluded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sovereignmesh.azure.directory import (
    Subscription,
    list_ancestors,
    list_subscriptions,
    list_subscriptions_below,
)
from sovereignmesh.azure.parallel import within_time
from sovereignmesh.errors import AnswerError, AzureError, DeniedError, NotFoundError
from sovereignmesh.result import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sovereignmesh.azure.connection import Azure

__all__ = ["UNSEEN", "Asked", "find_asked"]

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHOWN: Final = 10
UNSEEN: Final = "not among the subscriptions that you can see: no role in it, another tenant's, or misspelt"


@dataclass(frozen=True, slots=True)
class Asked:
    """The subscriptions to read, and those that were asked for and cannot be seen.

    `unlisted` are management groups whose subscriptions the caller may not list, with the reason: of them only what
    can be seen anyway is read. `denominator` is "asked" where the caller named what to read, "visible-only" where it
    is what they happen to see. `excluded` is what was left out.
    """

    visible: tuple[Subscription, ...]
    unseen: tuple[Subscription, ...]
    unlisted: dict[str, str]
    management_groups: tuple[str, ...]
    excluded: tuple[Subscription, ...]
    denominator: str


def find_asked(
    azure: Azure,
    *,
    subscriptions: Sequence[str] = (),
    management_groups: Sequence[str] = (),
    exclude: Sequence[str] = (),
    expected: Iterable[str] = (),
) -> Asked:
    """What to read. All names are ids or display names, without case; `exclude` also takes management groups.

    `expected` are subscriptions that somebody else (the mesh) says there are: where nothing is asked for, they are
    added to what is visible. Raises AzureError where a name fits several subscriptions, an exclusion fits nothing, or
    nothing is left to read; DeniedError and NotFoundError for a management group; DeadlineError when the time is up.
    """
    if blank := [name for name in (*subscriptions, *management_groups, *exclude) if not name.strip()]:
        raise AzureError(f"{blank[0]!r} names no subscription and no management group")
    seen = within_time(lambda: _visible(azure), lambda: azure.pace.stopped)
    wanted: dict[str, Subscription] = {}
    for name in subscriptions or (() if management_groups else expected):
        try:
            found = _find(name, seen)
        except AzureError as error:
            raise (
                error if subscriptions else AzureError(f"a domain of the mesh lists a subscription: {error}")
            ) from error
        wanted[found.id] = found
    unlisted: dict[str, str] = {}
    for group in management_groups:
        below, why_not_all = _below(azure, group, seen)
        wanted |= {found.id: seen.get(found.id, found) for found in below}
        if why_not_all:
            unlisted[_last(group)] = why_not_all
    asked = bool(subscriptions or management_groups)
    if not asked:
        wanted |= seen
    out = dict.fromkeys(identity for name in exclude for identity in _excluded(azure, name, wanted, seen))
    excluded = [wanted.pop(identity) for identity in out]
    if excluded and not wanted:
        raise AzureError("every subscription is excluded: nothing is left to read")
    visible = tuple(found for identity, found in sorted(wanted.items()) if identity in seen)
    unseen = tuple(found for identity, found in sorted(wanted.items()) if identity not in seen)
    if not visible:
        raise DeniedError(_nothing_to_see(unseen, seen))
    return Asked(
        visible=visible,
        unseen=unseen,
        unlisted=unlisted,
        management_groups=tuple(map(_last, management_groups)),
        excluded=tuple(excluded),
        denominator="asked" if asked else "visible-only",
    )


def _visible(azure: Azure) -> dict[str, Subscription]:
    """The subscriptions that can be seen, by id; a list that names one twice may lack another, and is asked again."""
    for _ in range(2):
        found = list(list_subscriptions(azure))
        known = {subscription.id: subscription for subscription in found}
        if len(known) == len(found):
            return known
    raise AnswerError("the list of subscriptions names one twice, so that another may be missing from it")


def _find(name: str, seen: dict[str, Subscription]) -> Subscription:
    """The subscription of that id or name; one that cannot be seen is known by nothing else."""
    found = _matching(name, seen)
    bare = _bare(name)
    return seen[found[0]] if found else Subscription(bare if _GUID.fullmatch(bare) else name, name, "", "")


def _bare(name: str) -> str:
    return name.lower().removeprefix("/subscriptions/").rstrip("/")


def _matching(name: str, known: dict[str, Subscription]) -> list[str]:
    lowered = _bare(name)
    if lowered in known:
        return [lowered]
    fitting = [identity for identity, found in known.items() if found.name.lower() == lowered]
    if len(fitting) > 1:
        raise AzureError(f"{len(fitting)} subscriptions are called {name!r}: give an id: {', '.join(sorted(fitting))}")
    return fitting


def _last(group: str) -> str:
    return group.rstrip("/").rpartition("/")[2]


def _below(azure: Azure, group: str, seen: dict[str, Subscription]) -> tuple[list[Subscription], str]:
    """The subscriptions below a management group, and why these may not be all.

    Who may not list them still sees above each subscription that they can read which groups it is in.
    """
    name = _last(group)
    try:
        found = within_time(lambda: list(list_subscriptions_below(azure, name)), lambda: azure.pace.stopped)
    except DeniedError as error:
        return _shown_below(azure, name, seen, error)
    if not found:
        raise AzureError(f"the management group {name!r} has no subscription below it")
    return found, ""


def _shown_below(
    azure: Azure, group: str, seen: dict[str, Subscription], denied: DeniedError
) -> tuple[list[Subscription], str]:
    """What of `seen` shows that it is below the group. Raises DeniedError where nothing does."""
    why = (
        f"the management group {group} cannot be listed: it is not there, or needs a role with "
        f"Microsoft.Management/managementGroups/descendants/read at it, as Reader has ({denied.code or denied.status})"
    )
    try:
        ancestors = within_time(lambda: list_ancestors(azure, list(seen)), lambda: azure.pace.stopped) if seen else {}
    except DeniedError:
        ancestors = {}
    found = [found for identity, found in seen.items() if group.lower() in ancestors.get(identity, ())]
    if not found:
        raise DeniedError(why, status=denied.status, code=denied.code, request_id=denied.request_id) from denied
    if silent := [found.name for identity, found in seen.items() if not ancestors.get(identity)]:
        why += f"; not known to be below it or elsewhere: {listed(silent, _SHOWN)}"
    return found, why


def _excluded(azure: Azure, name: str, wanted: dict[str, Subscription], seen: dict[str, Subscription]) -> list[str]:
    """The ids, of those that would be read, that an exclusion means."""
    found = _matching(name, {**seen, **wanted})
    if not found:
        try:
            found = [below.id for below in _below(azure, name, seen)[0]]
        except (DeniedError, NotFoundError) as error:
            raise AzureError(
                f"--exclude {name}: neither a subscription that you can see nor a management group that you can list"
            ) from error
    if not any(identity in wanted for identity in found):
        raise AzureError(f"--exclude {name}: nothing of it would be read")
    return [identity for identity in found if identity in wanted]


def _nothing_to_see(unseen: Iterable[Subscription], seen: dict[str, Subscription]) -> str:
    """Says what is missing, and what there is, since a name may be misspelt."""
    missing = ", ".join(found.name for found in unseen)
    if seen:
        names = sorted(found.name for found in seen.values())
        return f"{missing}: {UNSEEN}; you can see {listed(names, _SHOWN)}"
    return (f"{missing}: {UNSEEN}; " if missing else "") + (
        "you can see no subscription at all: sign in to the right tenant (--tenant), or ask for Reader on what to audit"
    )
