"""Role assignments: what a collection's policy document says, and the document with more or fewer of them in it.

One document holds all of a collection's roles, and much besides: it is read, changed and written back whole.
https://learn.microsoft.com/purview/tutorial-metadata-policy-collections-apis
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["assigned", "with_roles"]

_PRINCIPAL: Final = "principal.microsoft.id"
# Of groups: known from public policies and scripts; Microsoft's specification names no attribute at all.
_GROUPS: Final = "principal.microsoft.groups"
_ANYBODY: Final = "principal."
GROUP: Final = "group:"
_PERMISSION: Final = "derived.purview.permission"
_ROLE: Final = "derived.purview.role"
_OWN: Final = frozenset({"kind", "fromRule"})


def assigned(document: Mapping[str, Any], collection: str) -> dict[str, list[str]]:
    """Whom a document itself gives roles, by the id of the role; those who inherit a role are not among them.

    A user or a service principal is an object id, a group `group:ID`; who is named otherwise is `ATTRIBUTE=VALUE`.

    Raises AnswerError for a document that is none.

    >>> assigned({"properties": {"attributeRules": []}}, "sales")
    {}
    """
    found: dict[str, list[str]] = {}
    suffix = f":{collection}".casefold()
    for rule in _rules(document):
        identity = str(rule.get("id", ""))
        if identity.casefold().endswith(suffix) and not identity.startswith("permission:"):
            found[identity[: -len(suffix)]] = sorted({person for each in _matchers(rule) for person in _people(each)})
    return found


def with_roles(document: Mapping[str, Any], collection: str, roles: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The document in which exactly these principals have these roles; roles that are not named stay as they are.

    What the service adds of its own (`kind`, `fromRule`) is left out, as in the specification's example.
    """
    changed: dict[str, Any] = _stripped(document)
    rules = _rules(changed)
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


def _rules(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules of a document. Raises AnswerError where it is none: nobody guesses who has which role."""
    properties = document.get("properties")
    found = properties.get("attributeRules") if isinstance(properties, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(rule, Mapping) and _is_dnf(rule) for rule in found):
        raise AnswerError(f"the metadata policy {document.get('name')!r:.100} has no rules as they are known")
    return found


def _is_dnf(rule: Mapping[str, Any]) -> bool:
    rows = rule.get("dnfCondition") or []
    return isinstance(rows, list) and all(
        isinstance(row, list) and all(isinstance(one, Mapping) and _are_texts(one) for one in row) for row in rows
    )


def _are_texts(matcher: Mapping[str, Any]) -> bool:
    values = matcher.get("attributeValueIncludedIn") or []
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _matchers(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The conditions of a rule on who somebody is."""
    for row in rule.get("dnfCondition") or ():
        yield from (one for one in row if str(one.get("attributeName")).startswith(_ANYBODY))


def _people(matcher: Mapping[str, Any]) -> Iterator[str]:
    named = str(matcher.get("attributeName"))
    values = matcher.get("attributeValueIncludedIn") or [matcher.get("attributeValueIncludes")]
    prefix = {_PRINCIPAL: "", _GROUPS: GROUP}.get(named, f"{named}=")
    return (f"{prefix}{str(value).lower()}" for value in values if value)


def _name(rule: dict[str, Any], role: str, people: list[str]) -> None:
    """Lets the rule name these people; rows that pass on what the collection above has, or name others, stay."""
    own = (_PRINCIPAL, _GROUPS)
    rows = [row for row in rule.get("dnfCondition") or () if all(one.get("attributeName") not in own for one in row)]
    groups = [person.removeprefix(GROUP) for person in people if person.startswith(GROUP)]
    persons = [person for person in people if "=" not in person and not person.startswith(GROUP)]
    rule["dnfCondition"] = [
        *(
            [
                {"attributeName": attribute, "attributeValueIncludedIn": named},
                {"attributeName": _ROLE, "attributeValueIncludes": role},
            ]
            for attribute, named in ((_PRINCIPAL, persons), (_GROUPS, groups))
            if named
        ),
        *rows,
    ]


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
