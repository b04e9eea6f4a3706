"""Who the caller is, what they can reach, and which role is missing for what: for `doctor`, and for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from azure.core.exceptions import AzureError as SdkError

from sovereignmesh.azure import queries
from sovereignmesh.azure.caller import claims_in
from sovereignmesh.azure.connection import CONNECTIONS
from sovereignmesh.azure.directory import (
    list_locations,
    list_management_groups,
    list_permissions,
    list_subscriptions,
    list_subscriptions_below,
    list_tenants,
    reads_everything,
)
from sovereignmesh.azure.graph import query_rows
from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.azure.policies import CREDENTIAL_FAILURES
from sovereignmesh.azure.sign_in import WAYS_TO_SIGN_IN
from sovereignmesh.errors import AnswerError, AzureError, DeniedError, SignInError, UnreachableError
from sovereignmesh.result import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.directory import Subscription

__all__ = ["Diagnosis", "diagnose"]

_SHOWN: Final = 5
_READER: Final = "ask for the role Reader at the subscription, or at a management group above it"


class Diagnosis(NamedTuple):
    """One thing that was tried. `state` is "ok", "role" (one is missing), "network", "sign-in" or "note".

    `part` is what it is for, `detail` what was seen, `remedy` what to do ("" where nothing is).
    """

    part: str
    state: str
    detail: str
    remedy: str = ""


def diagnose(azure: Azure, knows_region: Callable[[str], bool] | None = None) -> Iterator[Diagnosis]:
    """What works and what does not, one after the other; what builds on something that failed is not tried.

    `knows_region` tells whether a region's name is known to whoever will judge by it. Raises nothing of Azure's: a
    failure is a diagnosis.
    """
    yield (identity := _identity(azure))
    if identity.state != "ok":
        return
    try:
        tenants = ", ".join(f"{tenant.name or 'unnamed'} ({tenant.id})" for tenant in list_tenants(azure))
        yield Diagnosis("Azure Resource Manager", "ok", f"{azure.cloud.resource_manager} answers; tenants: {tenants}")
        subscriptions = list(list_subscriptions(azure))
    except AzureError as error:
        yield _failure("Azure Resource Manager", error, "")
        return
    if not subscriptions:
        yield Diagnosis("audit", "role", "no subscription can be seen", _READER)
        return
    yield from _roles(azure, subscriptions)
    yield from _graph(azure, subscriptions)
    yield from _management_groups(azure)
    if knows_region is not None:
        yield from _regions(azure, subscriptions[0], knows_region)


def _identity(azure: Azure) -> Diagnosis:
    try:
        token = azure.credential.get_token(azure.cloud.scope).token
    except (SdkError, *CREDENTIAL_FAILURES) as error:
        text = getattr(error, "message", "") or str(error)
        tried = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
        return Diagnosis("identity", "sign-in", f"not signed in\n{tried}", WAYS_TO_SIGN_IN)
    claims = claims_in(token)
    names = ("upn", "unique_name", "preferred_username", "app_displayname", "appid", "oid")
    name = next((str(claims[key]) for key in names if claims.get(key)), "an opaque token")
    details = [f"{key} {claims[key]}" for key in ("oid", "tid") if claims.get(key)]
    return Diagnosis("identity", "ok", ", ".join((name, *details)))


def _roles(azure: Azure, subscriptions: list[Subscription]) -> Iterator[Diagnosis]:
    """For each subscription whether the caller may read everything in it."""
    found: dict[str, AzureError | bool] = {}

    def ask(subscription: Subscription) -> Callable[[], Iterator[None]]:
        def answer() -> Iterator[None]:
            try:
                granted = list_permissions(azure, f"/subscriptions/{subscription.id}")
                found[subscription.id] = reads_everything(granted)
            except AzureError as error:
                found[subscription.id] = error
            yield None

        return answer

    for _ in in_parallel([ask(subscription) for subscription in subscriptions], CONNECTIONS):
        pass
    good = [subscription for subscription in subscriptions if found[subscription.id] is True]
    if good:
        yield Diagnosis("audit", "ok", f"may read everything in {_named(good)}")
    short = [each for each in subscriptions if found[each.id] is False or isinstance(found[each.id], DeniedError)]
    if short:
        yield Diagnosis("audit", "role", f"may not read everything in {_named(short)}", _READER)
    failed: dict[str, list[Subscription]] = {}
    errors: dict[str, AzureError] = {}
    for subscription in subscriptions:
        error = found[subscription.id]
        if isinstance(error, AzureError) and not isinstance(error, DeniedError):
            kind = f"{type(error).__name__} {error.status}"
            failed.setdefault(kind, []).append(subscription)
            errors[kind] = error
    for kind, some in failed.items():
        state, remedy = _state_of(errors[kind])
        detail = f"could not find out what may be read in {_named(some)}: {errors[kind]}"
        yield Diagnosis("audit", state, detail, remedy)


def _graph(azure: Azure, subscriptions: list[Subscription]) -> Iterator[Diagnosis]:
    try:
        some = [subscription.id for subscription in subscriptions]
        count = sum(
            row["rows"] for row in query_rows(azure, queries.COUNT_RESOURCES, some) if isinstance(row.get("rows"), int)
        )
        yield Diagnosis("Resource Graph", "ok", f"shows {count:,} resources, besides groups and subscriptions")
    except AzureError as error:
        yield _failure("Resource Graph", error, _READER)


def _management_groups(azure: Azure) -> Iterator[Diagnosis]:
    """Whether what is below a group can be listed; seeing the group itself takes less."""
    part, remedy = "--management-group", "only where groups are to be audited: ask for Reader at the group"
    try:
        groups = [group.name for group in list_management_groups(azure)]
        below = sum(1 for _ in list_subscriptions_below(azure, groups[0])) if groups else 0
    except AzureError as error:
        yield _failure(part, error, remedy)
        return
    if groups:
        detail = f"can list {listed(groups, _SHOWN)}; {below} subscriptions below {groups[0]}"
        yield Diagnosis(part, "ok", detail)
    else:
        yield Diagnosis(part, "note", "no management group can be seen", remedy)


def _regions(azure: Azure, subscription: Subscription, knows: Callable[[str], bool]) -> Iterator[Diagnosis]:
    try:
        locations = list(list_locations(azure, subscription.id))
    except AzureError as error:
        yield _failure("regions", error, _READER)
        return
    strange = [location.name for location in locations if not knows(location.name)]
    if strange:
        detail = f"{len(strange)} of {len(locations)} are not in the tables: {listed(strange, _SHOWN)}"
        yield Diagnosis("regions", "note", detail, "what is there is judged unknown; update, or report them")
    else:
        yield Diagnosis("regions", "ok", f"all {len(locations)} of {subscription.name} are in the tables")


def _failure(part: str, error: AzureError, remedy: str) -> Diagnosis:
    """Role and network told apart: one is mended by an administrator of the tenant, the other by one of the network."""
    if isinstance(error, DeniedError):
        return Diagnosis(part, "role", str(error), remedy or _READER)
    state, mend = _state_of(error)
    return Diagnosis(part, state, str(error), mend)


def _state_of(error: AzureError) -> tuple[str, str]:
    if isinstance(error, SignInError):
        return "sign-in", WAYS_TO_SIGN_IN
    if isinstance(error, UnreachableError) and not error.status:
        return "network", "check the name, HTTPS_PROXY, REQUESTS_CA_BUNDLE and the firewall of this machine"
    if isinstance(error, AnswerError):
        return "note", "what answers is not Azure, or not in a way that is known: a proxy or a sign-in page between?"
    return "note", "try again later; it was the service, neither a role nor the network"


def _named(subscriptions: list[Subscription]) -> str:
    return f"{len(subscriptions):,}: {listed([subscription.name for subscription in subscriptions], _SHOWN)}"
