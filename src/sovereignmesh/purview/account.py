"""From a mesh to a plan for the Purview account itself: to make it, to adopt it, or to change what may change."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sovereignmesh.azure import list_subscriptions
from sovereignmesh.azure.purview.account import account_place, look_for_accounts
from sovereignmesh.azure.purview.resource import (
    default_account,
    group_tags,
    name_refusal,
    read_account,
    read_provider,
    tags_in,
)
from sovereignmesh.errors import AzureError, DeadlineError, MeshError, NotFoundError, SignInError
from sovereignmesh.facts import find_region
from sovereignmesh.plan import Item, Plan, Unread, diff, fold
from sovereignmesh.purview.kinds import ACCOUNT
from sovereignmesh.purview.residency import home_problems
from sovereignmesh.result import Location, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.sdk import Facts
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.purview import PurviewAccountWish
    from sovereignmesh.mesh.purview_account import AccountResourceWish
    from sovereignmesh.mesh.references import Loaded

__all__ = [
    "LOST", "READY", "PurviewAccountPlan", "Tenant", "as_wished", "plan_purview_account", "state_of", "why_failed",
]  # fmt: skip

Told = TypeVar("Told")

_IDENTITIES: Final = "userAssignedIdentities"
READY: Final = "Succeeded"
# The others of the specification of 2021-12-01, and any that it does not name, may still become Succeeded.
LOST: Final = frozenset({"Failed", "Canceled", "Deleting", "SoftDeleting", "SoftDeleted"})
_REGISTERED: Final = "Registered"
_AT: Final = "accountResource"


@dataclass(frozen=True, repr=False)
class PurviewAccountPlan(Plan):
    """A plan for one Purview account; `target` is its resource id, there or not."""

    azure: Azure = dataclasses.field(kw_only=True, repr=False, compare=False)
    tenant: Tenant = dataclasses.field(kw_only=True, repr=False, compare=False)

    @property
    def excess(self) -> str:
        """Why this is more than anybody does by the way: who reaches the account, or as whom it reads."""
        changed = {path: (before, after) for change in self.changes for path, before, after in change.differences}
        reasons = []
        if changed.get("properties.publicNetworkAccess", ("", ""))[1] == "Disabled":
            reasons.append("the plan shuts out everybody who reaches the account over a public network")
        if changed.get("identity.type", ("", ""))[0] not in ("", "None"):
            reasons.append("the plan takes from the account the identity as which it reads its sources")
        return "; ".join(reasons)


@dataclass(frozen=True, slots=True)
class Tenant:
    """The accounts that a caller sees in a tenant, by resource id; `denied`: subscriptions that may not be asked."""

    id: str
    accounts: tuple[str, ...]
    denied: int

    def told(self, azure: Azure) -> str:
        """Which accounts there are, as far as the caller can know; "" where none is known. The default comes first."""
        try:
            default = default_account(azure, self.id) if self.id else ""
        except (SignInError, DeadlineError):
            raise
        except AzureError as error:
            default, unknown = "", [f"which one is the tenant's default could not be told: {error}"]
        else:
            unknown = []
        others = [each for each in self.accounts if each.casefold() != default.casefold()]
        found = [*([f"{default} (the tenant's default)"] if default else []), *others, *unknown]
        if self.denied:
            found.append(f"{self.denied} of your subscriptions could not be asked")
        return "; ".join(found)


@dataclass(slots=True)
class _Looking:
    """A plan in the making."""

    azure: Azure
    mesh: Mesh
    document: Loaded[PurviewAccountWish]
    wish: AccountResourceWish
    allow: bool
    problems: list[Problem] = dataclasses.field(default_factory=list)
    unread: list[Unread] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def say(self, message: str, *path: str, severity: str = "error") -> None:
        self.problems.append(self.document.problem(path, message, severity))

    def ask(self, what: str, read: Callable[[], Told]) -> Told | None:
        """What `read` gives; None where that cannot be read, which is a hole in the plan."""
        try:
            return read()
        except (SignInError, DeadlineError, NotFoundError):
            raise
        except AzureError as error:
            self.unread.append(Unread(what, str(error)))
            return None


def plan_purview_account(azure: Azure, mesh: Mesh, *, allow_drift: bool = False) -> PurviewAccountPlan:
    """What is to be done so that the account that the mesh names is there, and is as it wishes. Only reads.

    An account that is there by that name, wherever, is adopted: what may change is changed, and nothing else; one is
    never deleted. `allow_drift` makes warnings of what the policy does not allow.
    Raises MeshError where the mesh does not say what the account is to be, or where it would be made; an `AzureError`
    where nobody can tell whether it is there. What else cannot be read is in the plan's `unread`, and what is wrong
    with the wish in `problems`.
    """
    document = mesh.purview
    if document is None or document.model.account_resource is None:
        message = "nothing says what the account is to be: write `accountResource` in a `purview` document"
        raise MeshError(
            [document.problem((), message) if document else Problem(Location(str(mesh.path)), "$", message)]
        )
    looking = _Looking(azure, mesh, document, document.model.account_resource, allow_drift)
    subscriptions = list(list_subscriptions(azure))
    bodies, denied = look_for_accounts(azure, [each.id for each in subscriptions])
    subscription, group, name = document.model.parts
    found = next((body for body in bodies if body.text("name").casefold() == name.casefold()), None)
    if found is None:
        subscription = subscription or _only(document, [each.id for each in subscriptions])
        found = _hidden(azure, subscription, group, name)
    if found is not None:
        identity = found.text("id")
        wished = _adopted(looking, found)
        live = [Item("account", found.text("name"), as_wished(found, wished.body))]
    else:
        identity = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Purview/accounts/{name}"
        wished, live = _made(looking, subscription, group, name), []
    tenants = {each.id: each.tenant_id for each in subscriptions}
    tenant = Tenant(
        tenants.get(subscription.lower(), "") or next(iter(tenants.values()), ""),
        tuple(body.text("id") for body in bodies),
        len(denied),
    )
    if found is None and (there := tenant.told(azure)):
        message = f"the tenant may have its one account already ({there}): then no other can be made"
        looking.say(f"{message}; to adopt one, write its name as 'account'", "account", severity="warning")
    changes = tuple(diff([wished], live, {"account": ACCOUNT}, prune=False))
    return PurviewAccountPlan(
        target=identity,
        changes=changes,
        existing=len(live),
        unchanged=len(live) - len(changes) if live else 0,
        problems=tuple(sorted(set(looking.problems))),
        unread=tuple(looking.unread),
        notes=tuple(looking.notes),
        azure=azure,
        tenant=tenant,
    )


def state_of(account: Facts) -> str:
    """The account's provisioning state in the service's words."""
    return account.within("properties").text("provisioningState")


def why_failed(account: Facts) -> str:
    """What the service says of a state that is none to go on from; api-versions before 2021-12-01 say no reason."""
    properties, said = account.within("properties"), ""
    if properties.body.get("accountStatus"):
        status = properties.within("accountStatus")
        details = status.within("errorDetails") if status.body.get("errorDetails") else status
        said = f"{details.text('code')}: {details.text('message')}".strip(": ")
    return said or "the service does not say why; the activity log of its resource group may"


def as_wished(account: Facts, wish: Mapping[str, Any]) -> dict[str, Any]:
    """What an account has of what is wished, in the wish's shape: others' tags and identities are left out."""
    tags = {name.casefold(): value for name, value in tags_in(account).items()}
    identity = account.within("identity") if account.body.get("identity") is not None else None
    named = identity.body.get(_IDENTITIES) or {} if identity else {}
    wanted = {fold(each) for each in wish.get("identity", {}).get(_IDENTITIES, ())}
    properties = account.within("properties")
    return {
        "location": account.text("location"),
        "tags": {name: tags[name.casefold()] for name in wish.get("tags", ()) if name.casefold() in tags},
        "identity": {
            "type": identity.text("type") if identity else "",
            _IDENTITIES: sorted(each for each in named if fold(each) in wanted),
        },
        "properties": {name: properties.text(name) for name in wish.get("properties", ())},
    }


def _hidden(azure: Azure, subscription: str, group: str, name: str) -> Facts | None:
    """The account where the mesh has it, though no list shows it: a role on it alone does not show its neighbours."""
    try:
        return read_account(
            azure, f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Purview/accounts/{name}"
        )
    except NotFoundError:
        return None


def _only(document: Loaded[PurviewAccountWish], subscriptions: Sequence[str]) -> str:
    if len(subscriptions) == 1:
        return subscriptions[0]
    seen = f"you see {len(subscriptions)} subscriptions" if subscriptions else "you see no subscription"
    raise MeshError([document.problem((_AT,), f"{seen}: give the 'subscription' in which the account is made")])


def _adopted(looking: _Looking, found: Facts) -> Item:
    """The wish for an account that is there: what may change, of what is written."""
    wish, document = looking.wish, looking.document
    subscription, group, name = document.model.parts
    own, there, _ = account_place(found.text("id"))
    if (subscription and fold(own) != fold(subscription)) or (group and fold(there) != fold(group)):
        if document.model.account != name:
            looking.say(f"the account is {found.text('id')}: write that id, or its name", "account")
        looking.notes.append(
            f"{name} is adopted where it is: in {there} of the subscription {own}, not where the mesh says"
        )
    region = find_region(found.text("location"))
    if (region.name if region else found.text("location")) != wish.location:
        message = f"the account is in {found.text('location')}, and no account can move: write that, or another name"
        looking.say(message, _AT, "location")
    managed = found.within("properties").text("managedResourceGroupName")
    if wish.managed_resource_group_name and fold(managed) != fold(wish.managed_resource_group_name):
        if managed:
            looking.say(f"the managed resource group is {managed}, and cannot change", _AT, "managedResourceGroupName")
        else:  # whether newer accounts have one at all is not documented
            said = "the account does not tell its managed resource group: nobody can compare it"
            looking.say(said, _AT, "managedResourceGroupName", severity="warning")
    looking.problems += home_problems(
        looking.mesh, document, found.text("location"), (_AT, "location"), allow=looking.allow
    )
    state = state_of(found)
    if state in LOST:
        looking.say(
            f"the account is {state}: {why_failed(found).rstrip('.')}. Nothing is sent before that is mended", "account"
        )
    body = _body(wish)
    body.pop("location")
    body["properties"].pop("managedResourceGroupName", None)
    if body["properties"].get("publicNetworkAccess") == "NotSpecified":
        del body["properties"]["publicNetworkAccess"]  # the service answers with what it has chosen
    if state not in LOST:
        body["properties"]["provisioningState"] = READY
    _hold_against_policy(
        looking,
        str(body["properties"].get("publicNetworkAccess") or found.within("properties").text("publicNetworkAccess")),
        {**tags_in(found), **wish.tags},
        (own, there),
    )
    return Item("account", found.text("name"), body, place=str(document.locate(_AT)))


def _made(looking: _Looking, subscription: str, group: str, name: str) -> Item:
    """The wish for an account that is not there, with what would keep it from being made."""
    azure, wish, document = looking.azure, looking.wish, looking.document
    body = _body(wish)
    # Without one the creation fails: https://github.com/Azure/azure-rest-api-specs/issues/23289
    body.setdefault("identity", {"type": "SystemAssigned"})
    looking.problems += home_problems(looking.mesh, document, wish.location, (_AT, "location"), allow=looking.allow)
    refusal = looking.ask("whether the name can be had", lambda: name_refusal(azure, subscription, name))
    if refusal:
        looking.say(
            f"no account can be called '{name}': {refusal.rstrip('.')}. Is it one that you do not see?", "account"
        )
    provider = looking.ask("where accounts can be", lambda: read_provider(azure, subscription))
    if provider is not None:
        known = {region.name for region in map(find_region, provider.locations) if region}
        if wish.location not in known:
            message = f"no account can be in {wish.location}: Azure names {', '.join(sorted(known)) or 'no region'}"
            looking.say(message, _AT, "location")
        if provider.state != _REGISTERED:
            message = f"the subscription {subscription} is not registered for Microsoft.Purview ({provider.state})"
            looking.say(f"{message}: az provider register --namespace Microsoft.Purview", _AT)
    _hold_against_policy(
        looking, body["properties"].get("publicNetworkAccess", "Enabled"), wish.tags, (subscription, group), new=True
    )
    return Item("account", name, body, place=str(document.locate(_AT)))


def _body(wish: AccountResourceWish) -> dict[str, Any]:
    """What is written, as Azure words it; identities in a list, which `as_wished` compares."""
    body: dict[str, Any] = {"location": wish.location, "properties": {}}
    if wish.tags:
        body["tags"] = dict(wish.tags)
    if wish.identity is not None:
        named = sorted(wish.identity.user_assigned_identities)
        body["identity"] = {"type": wish.identity.type, **({_IDENTITIES: named} if named else {})}
    for name, value in (
        ("managedResourceGroupName", wish.managed_resource_group_name),
        ("publicNetworkAccess", wish.public_network_access),
    ):
        if value is not None:
            body["properties"][name] = value
    return body


def _hold_against_policy(
    looking: _Looking, access: str, tags: Mapping[str, str], where: tuple[str, str], *, new: bool = False
) -> None:
    """Says what the audit would say of the account: an open network, and tags that are missing."""
    policy, wish = looking.mesh.policy_for(None), looking.wish
    if policy.public_access_denied and access != "Disabled":
        decided = new or wish.public_network_access is not None
        severity = "error" if decided and not looking.allow else "warning"
        path = (_AT, "publicNetworkAccess") if wish.public_network_access else (_AT,)
        message = f"public network access would be {access or 'what nobody tells'}, and the policy denies it"
        looking.say(f"{message}: write 'publicNetworkAccess: Disabled'", *path, severity=severity)
    inherited = _group(looking, *where, needed=new or policy.inherit_tags)
    own = {name.lower(): value for name, value in tags.items()}
    above = {name.lower(): value for name, value in (inherited or {}).items()} if policy.inherit_tags else {}
    for rule in policy.tags:
        if not rule.accepts(own.get(rule.key, above.get(rule.key, ""))):
            path = (_AT, "tags") if wish.tags else (_AT,)
            looking.say(f"the account would lack a tag that is required: {rule.wanted}", *path, severity="warning")


def _group(looking: _Looking, subscription: str, group: str, *, needed: bool) -> dict[str, str] | None:
    """The tags of the account's resource group; that it is not there is an error."""
    if not needed:
        return None
    try:
        return looking.ask(f"the resource group {group}", lambda: group_tags(looking.azure, subscription, group))
    except NotFoundError:
        message = f"there is no resource group {group} in the subscription {subscription}"
        made = f"az group create --subscription {subscription} --name {group} --location {looking.wish.location}"
        looking.say(f"{message}: make it first, {made}", _AT, "resourceGroup")
        return None
