"""Makes a Purview account, or changes one, as a plan says; and waits until it can be used."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview.resource import create_account, read_account, tags_in, update_account
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    DeadlineError,
    NotFoundError,
    PlanError,
    RejectedError,
    UnreachableError,
)
from sovereignmesh.plan import Change, carry_out, check_applicable, compare, told
from sovereignmesh.purview.account import LOST, READY, as_wished, state_of, why_failed
from sovereignmesh.purview.kinds import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sovereignmesh.azure import Pace
    from sovereignmesh.azure.sdk import Facts
    from sovereignmesh.plan import Applied, Outcome
    from sovereignmesh.purview.account import PurviewAccountPlan

    Stopped = Callable[[], bool]

__all__ = ["apply_purview_account"]

# 409 with the code 35001: https://github.com/Azure/azure-rest-api-specs/issues/34027 has the words.
_ONE_ALREADY: Final = re.compile(r"tenant-level purview account already exists", re.IGNORECASE)
_CONFLICT: Final = 409
_ACCESS: Final = "publicNetworkAccess"
_STATE: Final = "properties.provisioningState"
_READY_WITHIN: Final = 1800.0  # seconds; recorded were three and a half minutes
_SHORTEST, _LONGEST = 1.0, 15.0  # seconds between two looks
_TICK: Final = 1.0  # seconds between two looks at whether the run was stopped
_ATTEMPTS: Final = 4  # at an account that is busy
_UNSURE: Final = (RejectedError, UnreachableError, AnswerError)  # after which what was sent may have been done


def apply_purview_account(
    plan: PurviewAccountPlan,
    *,
    expect: str | None = None,
    force: bool = False,
    on_outcome: Callable[[Outcome], object] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Applied:
    """Does what the plan says; what became of it. `on_outcome` is told of it as it comes.

    `expect` is the digest of the plan that was shown: another is not applied. `force` goes on where the plan closes
    the account's public network, or changes its identity. It is done when the account is ready and shows what was
    written, which may take minutes; the wait ends with the run's deadline, or when the run is stopped, and is then told
    as failed: the next plan goes on from there. Raises PlanError, before anything is written, for a plan that must not
    be applied.
    """
    check_applicable(plan, expect, force=force)
    return told(partial(_applied, plan), on_outcome, stopped)


def _applied(plan: PurviewAccountPlan, stopped: Callable[[], bool]) -> Iterator[Outcome]:
    return carry_out(plan.changes, partial(_write, plan, stopped), 1, stopped=stopped)


def _write(plan: PurviewAccountPlan, stopped: Stopped, change: Change) -> bool:
    """Does the change; False where it was done already."""
    return _create(plan, change, stopped) if change.action == "create" else _update(plan, change, stopped)


def _create(plan: PurviewAccountPlan, change: Change, stopped: Stopped) -> bool:
    shown = _shown(change.item.body)
    try:
        found = read_account(plan.azure, plan.target)
    except NotFoundError:
        pass
    else:
        if list(compare(shown, as_wished(found, shown), ACCOUNT)):
            raise PlanError(f"the account {change.item.name} was made since the plan: plan again")
        return False
    try:
        create_account(plan.azure, plan.target, _as_sent(change.item.body))
    except _UNSURE as error:
        if _ONE_ALREADY.search(str(error)):
            raise RejectedError(_which(plan, error), status=error.status, code=error.code) from error
        if not _is_there(plan):
            raise
    _finish(plan, shown, stopped)
    return True


def _is_there(plan: PurviewAccountPlan) -> bool:
    """Whether what was sent arrived though its answer did not, or though a second sending was refused for the first."""
    try:
        read_account(plan.azure, plan.target)
    except AzureError:
        return False
    return True


def _which(plan: PurviewAccountPlan, error: AzureError) -> str:
    """The refusal to make a second account of a tenant, with the one that there is."""
    there = plan.tenant.told(plan.azure) or "you see none: ask who administers the tenant"
    return (
        f"{error}; a tenant has one such account ({there}). To adopt it, write its name as 'account' in the mesh's "
        "purview document, and plan again"
    )


def _update(plan: PurviewAccountPlan, change: Change, stopped: Stopped) -> bool:
    wish = change.item.body
    for attempt in range(_ATTEMPTS):
        found = _settled(plan, stopped)
        differences = list(compare(wish, as_wished(found, wish), ACCOUNT))
        if not differences:
            return attempt > 0
        planned = {path: before for path, before, _ in change.differences}
        for path, now, _ in differences:
            if path not in planned or planned[path] != now:
                raise PlanError(f"the account {change.item.name}: {path} was changed since the plan: plan again")
        try:
            update_account(plan.azure, plan.target, _as_changed(found, wish, {path for path, _, _ in differences}))
        except _UNSURE as error:  # somebody else changes it, or nobody knows what became of the change: looked at again
            if (isinstance(error, RejectedError) and error.status != _CONFLICT) or attempt + 1 == _ATTEMPTS:
                raise
            _wait(plan.azure.pace, plan.azure.pace.backoff(attempt), stopped)
        else:
            break
    _finish(plan, wish, stopped)
    return True


def _shown(wish: Mapping[str, Any]) -> dict[str, Any]:
    """What shows that a new account is as wished: it is ready, and has what every account tells."""
    shown = {name: value for name, value in wish["properties"].items() if name == _ACCESS and value != "NotSpecified"}
    return {**wish, "properties": {**shown, "provisioningState": READY}}


def _as_sent(wish: Mapping[str, Any]) -> dict[str, Any]:
    """A wish as Azure words it: identities are the names of an object."""
    identity = dict(wish.get("identity") or {})
    if "userAssignedIdentities" in identity:
        identity["userAssignedIdentities"] = {each: {} for each in identity["userAssignedIdentities"]}
    return {**wish, **({"identity": identity} if identity else {})}


def _as_changed(found: Facts, wish: Mapping[str, Any], paths: set[str]) -> dict[str, Any]:
    """What to send of a wish: what differs, with the tags that are there besides, since a change may replace them."""
    parts = {path.partition(".")[0] for path in paths}
    body: dict[str, Any] = {}
    if "tags" in parts:
        there = tags_in(found)
        spelled = {name.casefold(): name for name in there}
        body["tags"] = {**there, **{spelled.get(name.casefold(), name): value for name, value in wish["tags"].items()}}
    if "identity" in parts:
        body["identity"] = _as_sent(wish)["identity"]
    if "properties" in parts:
        sent = {name: value for name, value in wish["properties"].items() if f"properties.{name}" in paths - {_STATE}}
        body |= {"properties": sent} if sent else {}
    return body


def _settled(plan: PurviewAccountPlan, stopped: Stopped) -> Facts:
    """The account when nobody is changing it. Raises AnswerError where its state is none to go on from."""
    return _waited(plan, lambda _: True, "", stopped)


def _finish(plan: PurviewAccountPlan, wish: Mapping[str, Any], stopped: Stopped) -> None:
    """Waits until the account is ready and shows what was written."""
    _waited(plan, lambda found: not list(compare(wish, as_wished(found, wish), ACCOUNT)), "written, but ", stopped)


def _wait(pace: Pace, seconds: float, stopped: Stopped) -> None:
    """Waits, and looks meanwhile whether the run was stopped. Raises DeadlineError where it was."""
    while seconds > 0:
        if stopped():
            raise DeadlineError("the run was stopped")
        pace.wait(min(seconds, _TICK))
        seconds -= _TICK


def _waited(plan: PurviewAccountPlan, is_good: Callable[[Facts], bool], so_far: str, stopped: Stopped) -> Facts:
    pace, name = plan.azure.pace, plan.target.rpartition("/")[2]
    waited, wait, state = 0.0, _SHORTEST, "not there"
    try:
        while True:
            found = _look(plan, late=bool(so_far))
            state = state_of(found) if found is not None else state
            if found is not None and state == READY and is_good(found):
                return found
            if found is not None and state in LOST:
                raise AnswerError(f"{so_far}the account {name} is {state}: {why_failed(found)}")
            if waited >= _READY_WITHIN:
                what = "ready, and not as it was written" if state == READY else state or "in no state that is told"
                raise AnswerError(f"{so_far}the account {name} is {what}, after {_READY_WITHIN:.0f} s: plan again")
            _wait(pace, wait, stopped)
            waited, wait = waited + wait, min(wait * 2, _LONGEST)
    except DeadlineError as error:
        raise DeadlineError(f"{so_far}the account {name} is {state}, and {error}: plan again") from error


def _look(plan: PurviewAccountPlan, *, late: bool) -> Facts | None:
    """The account as it is now. Reads may lag behind writes: then one that was written is not there yet."""
    try:
        return read_account(plan.azure, plan.target)
    except NotFoundError:
        if not late:
            raise
        return None
