"""Role assignments: what a collection's policy document says, and the document with more or fewer of them in it.

One document holds all of a collection's roles, and much besides: it is read, changed and written back whole.
https://learn.microsoft.com/purview/tutorial-metadata-policy-collections-apis
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["assigned", "with_roles"]

_PRINCIPAL: Final = "principal.microsoft.id"
_PERMISSION: Final = "derived.purview.permission"
_ROLE: Final = "derived.purview.role"
_OWN: Final = frozenset({"kind", "fromRule"})


def assigned(document: Mapping[str, Any], collection: str) -> dict[str, list[str]]:
    """The principals that a document names itself, by the id of the role; those who inherit a role are not among them.

    >>> assigned({"properties": {"attributeRules": []}}, "sales")
    {}
    """
    found: dict[str, list[str]] = {}
    suffix = f":{collection}".casefold()
    for rule in _rules(document):
        identity = str(rule.get("id", ""))
        if identity.casefold().endswith(suffix) and not identity.startswith("permission:"):
            people = [person for each in _matchers(rule) for person in each.get("attributeValueIncludedIn") or ()]
            found[identity[: -len(suffix)]] = sorted({str(person).lower() for person in people})
    return found


def with_roles(document: Mapping[str, Any], collection: str, roles: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The document in which exactly these principals have these roles; roles that are not named stay as they are.

    What the service adds of its own (`kind`, `fromRule`) is left out, as in the specification's example.
    """
    changed: dict[str, Any] = _stripped(document)
    rules = changed.setdefault("properties", {}).setdefault("attributeRules", [])
    for role, people in roles.items():
        identity = f"{role}:{collection}"
        rule = next((one for one in rules if str(one.get("id", "")).casefold() == identity.casefold()), None)
        if rule is None:
            rule = {"id": identity, "name": identity, "dnfCondition": []}
            rules.insert(0, rule)
        _name(rule, role, sorted(people))
        _permit(rules, collection, identity)
    return changed


def _stripped(value: Any) -> Any:
    """A copy without what is the service's own."""
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _stripped(each) for name, each in value.items() if name not in _OWN}
    return value


def _rules(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    found = (document.get("properties") or {}).get("attributeRules")
    return found if isinstance(found, list) else ()


def _matchers(rule: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The conditions of a rule on who somebody is."""
    return (one for row in rule.get("dnfCondition") or () for one in row if one.get("attributeName") == _PRINCIPAL)


def _name(rule: dict[str, Any], role: str, people: list[str]) -> None:
    """Lets the rule name these people; rows that pass on what the collection above has stay."""
    rows = [row for row in rule.get("dnfCondition") or () if all(one.get("attributeName") != _PRINCIPAL for one in row)]
    own = [
        {"attributeName": _PRINCIPAL, "attributeValueIncludedIn": people},
        {"attributeName": _ROLE, "attributeValueIncludes": role},
    ]
    rule["dnfCondition"] = [own, *rows] if people else rows


def _permit(rules: list[dict[str, Any]], collection: str, identity: str) -> None:
    """Lets the collection's permission follow from the role, where it does not yet."""
    name = f"permission:{collection}"
    permission = next((one for one in rules if str(one.get("id", "")).casefold() == name.casefold()), None)
    if permission is None:
        permission = {"id": name, "name": name, "dnfCondition": []}
        rules.append(permission)
    rows = permission.setdefault("dnfCondition", [])
    given = {str(one.get("attributeValueIncludes", "")).casefold() for row in rows for one in row}
    if identity.casefold() not in given:
        rows.append([{"attributeName": _PERMISSION, "attributeValueIncludes": identity}])
