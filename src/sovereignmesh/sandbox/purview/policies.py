"""Who has which role in a collection: one policy document for each, and the roles that there are."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.account import ANY_ROLE, COLLECTIONS, Account, reference, routes
from sovereignmesh.sandbox.purview.answers import body_of, denied, invalid, missing, object_in, page, purview_refusal
from sovereignmesh.sandbox.wire import json_reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.sandbox.purview.objects import Body
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ROUTES", "adopt_policy", "check_allowed", "drop_policy", "give_policies", "permitted", "put_policy", "seen"]

_SHELF: Final = "policies"
_BUILT_IN: Final = "purviewmetadatarole_builtin_"
_ADMIN: Final = "collection-administrator"
_OF_ROOT: Final = (_ADMIN, "purview-reader", "data-curator", "data-source-administrator")
_WORKFLOWS: Final = "workflow-administrator"  # no rule of it was recorded at a root where nobody has it
# Name, name to read, and the data actions; the order is the recorded one.
_ROLES: Final = (
    (
        "data-curator",
        "Data Curator",
        ("data/read", "data/write", "collection/read", "policy/read", "insights/read"),
    ),
    (
        "data-source-administrator",
        "Data Source Administrator",
        (
            "source/read", "source/write", "scan/read", "scan/write", "collection/read", "policy/bind",
            "policy/bind/action", "policy/read",
        ),
    ),
    (_ADMIN, "Collection Administrator", ("collection/read", "collection/write")),
    ("purview-reader", "Purview Reader", ("data/read", "collection/read")),
    (
        "data-share-contributor",
        "Data share contributor",
        ("share/read", "share/write", "source/read", "source/write", "collection/read"),
    ),
    (
        "policy-author",
        "Policy Author",
        ("policy/read", "policy/write", "collection/read", "source/read", "data/read"),
    ),
    (
        _WORKFLOWS,
        "Workflow Administrator",
        ("workflow/read", "workflow/write", "workflow/bind/action", "collection/read"),
    ),
    ("insights-reader", "Insights Reader", ("insights/read", "data/read", "collection/read")),
)  # fmt: skip


def give_policies(account: Account) -> None:
    """Makes the policy of an account's root collection: who calls has there the roles that the estate says."""
    root = account.name
    there = (*_OF_ROOT, *({_WORKFLOWS} & account.roles))
    holders = {role: [account.principal] if role in account.roles else [] for role in there}
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, account.record.id.lower()))
    account.objects.give(f"{root}/{_SHELF}", identity, _policy(identity, root, None, holders))


def put_policy(account: Account, collection: str, parent: str) -> None:
    """Makes the policy of a new collection: its creator administers it, and the parent's roles are inherited."""
    identity = str(uuid.uuid4())
    account.put(_SHELF, identity, _policy(identity, collection, parent, {_ADMIN: [account.principal]}))


def drop_policy(account: Account, collection: str) -> None:
    """Forgets the policy of a collection that is gone."""
    account.drop(_SHELF, _of(account, collection)["id"])


def adopt_policy(account: Account, collection: str, old: str | None, new: str) -> None:
    """Makes the policy of a moved collection inherit from the new parent."""
    before = _of(account, collection)
    rules = [
        {**rule, "dnfCondition": [[_moved(matcher, f":{old}", f":{new}") for matcher in every] for every in conditions]}
        for rule in before["properties"]["attributeRules"]
        for conditions in (rule["dnfCondition"],)
    ]
    properties = {**before["properties"], "attributeRules": rules, "parentCollectionName": new}
    account.put(_SHELF, before["id"], {**before, "version": before["version"] + 1, "properties": properties})


def permitted(account: Account, roles: frozenset[str]) -> frozenset[str]:
    """The collections in which the caller has any of the roles, its own or inherited, as the policies say."""
    own: set[str] = set()
    below: dict[str, list[str]] = {}
    for policy in account.all(_SHELF).values():
        collection = _collection(policy)
        rules = {rule["id"]: rule["dnfCondition"] for rule in policy["properties"]["attributeRules"]}
        held = (conditions for role in roles for conditions in rules.get(f"{_BUILT_IN}{role}:{collection}", ()))
        if any(account.principal in matcher.get("attributeValueIncludedIn", ()) for every in held for matcher in every):
            own.add(collection)
        above = policy["properties"].get("parentCollectionName")
        inherits = f"permission:{above}"
        if any(
            matcher.get("attributeValueIncludes") == inherits
            for every in rules.get(f"permission:{collection}", ())
            for matcher in every
        ):
            below.setdefault(str(above), []).append(collection)
    left = list(own)
    while left:
        left += (more := set(below.get(left.pop(), ())) - own)
        own |= more
    return frozenset(own)


def seen(account: Account, bodies: Iterable[Body], action: str) -> list[Body]:
    """Those of the objects in whose collections the caller has a role with that data action.

    The actions are the recorded roles'. That a list has these and says nothing of the others is documented of searches
    alone, and inferred here.
    """
    allowed = permitted(account, _with(action))
    return [body for body in bodies if _home(body) in allowed]


def check_allowed(account: Account, body: Body, action: str) -> None:
    """Raises Refusal where the caller has no role with that data action in the object's collection."""
    if _home(body) not in permitted(account, _with(action)):
        raise denied()


def _with(action: str) -> frozenset[str]:
    return frozenset(role for role, _, actions in _ROLES if action in actions)


def _home(body: Body) -> str:
    return reference(body["properties"]["collection"]).lower()


def _moved(matcher: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {
        key: value.removesuffix(old) + new if isinstance(value, str) and value.endswith(old) else value
        for key, value in matcher.items()
    }


def _of(account: Account, collection: str) -> Body:
    return next(body for body in account.all(_SHELF).values() if _collection(body) == collection)


def _collection(policy: Body) -> str:
    return str(policy["properties"]["collection"]["referenceName"])


def _policy(identity: str, collection: str, parent: str | None, holders: dict[str, list[str]]) -> Body:
    own = [f"{_BUILT_IN}{role}:{collection}" for role in holders]
    rules = [
        _attribute_rule(rule, [[_principals(who), _derived("role", f"{_BUILT_IN}{role}")]])
        for rule, (role, who) in zip(own, holders.items(), strict=True)
    ]
    permission = [[_derived("permission", rule)] for rule in own]
    if parent is not None:
        rules[0]["dnfCondition"].append([_derived("permission", f"{_BUILT_IN}{_ADMIN}:{parent}")])
        permission.append([_derived("permission", f"permission:{parent}")])
    rules.append(_attribute_rule(f"permission:{collection}", permission))
    at = {"attributeName": "resource.purview.collection", "attributeValueIncludes": collection}
    decision = {
        "kind": "decisionrule",
        "effect": "Permit",
        "dnfCondition": [[at, _derived("permission", f"permission:{collection}")]],
    }
    properties = {
        "description": "",
        "decisionRules": [decision],
        "attributeRules": rules,
        "collection": {"type": "CollectionReference", "referenceName": collection},
        **({"parentCollectionName": parent} if parent is not None else {}),
    }
    return {"name": f"policy_{collection}", "id": identity, "version": 1, "properties": properties}


def _attribute_rule(name: str, conditions: list[list[dict[str, Any]]]) -> dict[str, Any]:
    return {"kind": "attributerule", "id": name, "name": name, "dnfCondition": conditions}


def _principals(who: list[str]) -> dict[str, Any]:
    return {"attributeName": "principal.microsoft.id", "attributeValueIncludedIn": who}


def _derived(what: str, value: str) -> dict[str, Any]:
    return {"fromRule": value, "attributeName": f"derived.purview.{what}", "attributeValueIncludes": value}


def _roles(_: Account, __: Call, ___: dict[str, str]) -> Reply:
    found = [
        {
            "id": f"{_BUILT_IN}{name}",
            "name": name,
            "type": "Microsoft.Purview/role",
            "properties": {
                "provisioningState": "Provisioned",
                "roleType": "BuiltIn",
                "friendlyName": friendly,
                "cnfCondition": [
                    [
                        {
                            "attributeName": "request.azure.dataAction",
                            "attributeValueIncludedIn": [f"Microsoft.Purview/accounts/{action}" for action in actions],
                        }
                    ]
                ],
                "version": 1,
            },
        }
        for name, friendly, actions in _ROLES
    ]
    return json_reply({"values": found})


def _list(account: Account, call: Call, _: dict[str, str]) -> Reply:
    found = account.listed(_SHELF, call)
    if wanted := call.query.get("collectionname", "").lower():
        if account.get(COLLECTIONS, wanted) is None:
            raise missing("Collection", wanted)
        found = [body for body in found if _collection(body) == wanted]
    return page(call, found, account.page_size, key="values", counted=False)


def _get(account: Account, _: Call, names: dict[str, str]) -> Reply:
    return json_reply(account.shown(_SHELF, names["policy"], "MetadataPolicy"))


def _put(account: Account, call: Call, names: dict[str, str]) -> Reply:
    """Replaces a policy. Raises Refusal where it was read before somebody else wrote it."""
    identity = names["policy"].lower()
    before = account.get(_SHELF, identity)
    if before is None:
        raise missing("MetadataPolicy", identity)
    body = body_of(call, "MetadataPolicy")
    given = object_in(body, "properties", "MetadataPolicy")
    if str(body.get("id", "")).lower() != identity or body.get("version") != before["version"]:
        # The code is synthetic.
        raise purview_refusal(
            409,
            "MetadataPolicy_Conflict",
            f"The policy '{identity}' has version {before['version']}; the body has id '{body.get('id')}' and version "
            f"{body.get('version')}. Read it again and repeat the change.",
        )
    collection = _collection(before)
    if reference(given.get("collection")).lower() != collection:
        raise invalid("MetadataPolicy", f"The policy '{identity}' is of the collection '{collection}' and stays so.")
    rules = {key: _rules(given, key) for key in ("decisionRules", "attributeRules")}
    properties = {**before["properties"], **rules, "description": str(given.get("description") or "")}
    kept = {**before, "version": before["version"] + 1, "properties": properties}
    account.put(_SHELF, identity, kept)
    return json_reply(kept)


def _rules(properties: Body, key: str) -> list[Body]:
    """The rules in a body, with what the service adds to them. Raises Refusal where there are none."""
    rules = properties.get(key)
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise invalid("MetadataPolicy", f"The request body is invalid: 'properties.{key}' must be a list of rules.")
    kind = key.removesuffix("s").lower()
    return [{"kind": kind, **rule, "dnfCondition": _conditions(rule)} for rule in rules]


def _conditions(rule: Body) -> list[list[Body]]:
    try:
        return [[_with_rule(matcher) for matcher in every] for every in rule["dnfCondition"]]
    except (KeyError, TypeError, AttributeError):
        raise invalid(
            "MetadataPolicy", "The request body is invalid: 'dnfCondition' must be a list of lists of matchers."
        ) from None


def _with_rule(matcher: Body) -> Body:
    if str(matcher.get("attributeName")).startswith("derived.") and "attributeValueIncludes" in matcher:
        return {"fromRule": matcher["attributeValueIncludes"], **matcher}
    return dict(matcher)


ROUTES: Final = routes(
    "/policyStore",
    ("GET", r"/metadataRoles", _roles, ANY_ROLE),
    ("GET", r"/metadataPolicies", _list, ANY_ROLE),
    ("GET", r"/metadataPolicies/(?P<policy>[^/]+)", _get, ANY_ROLE),
    ("PUT", r"/metadataPolicies/(?P<policy>[^/]+)", _put, frozenset({_ADMIN})),
)
