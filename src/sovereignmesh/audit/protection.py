"""How a resource is protected: its key, its vault, its networks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh.audit.children import children_in
from sovereignmesh.audit.judgement import (
    ABSENT,
    COMPLIANT,
    MANAGED,
    NO_WISH,
    Judgement,
    Resource,
    excepted,
    first_case,
    looked_at,
    not_yet_known,
    one_of,
    places_at,
    region_of,
    told_by_children,
    unsettled,
)
from sovereignmesh.audit.places import outside
from sovereignmesh.audit.references import keys_in, vault_name
from sovereignmesh.facts import StateRule, VaultRule, find_resource_type
from sovereignmesh.result import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sovereignmesh.audit.children import Children
    from sovereignmesh.audit.index import Index
    from sovereignmesh.audit.references import VaultName
    from sovereignmesh.facts import Answer, Expression, KeyStateRule, Reading
    from sovereignmesh.mesh import Policy, Residency
    from sovereignmesh.result import Check, Finding

__all__ = [
    "NO_KEY", "UNREFERENCED", "holder_unseen", "judge_key", "judge_state", "judge_vault", "unconcerned", "vault_unseen",
]  # fmt: skip

_LATEST: Final = 253_402_300_799  # the end of the year 9999, in seconds since 1970
UNREFERENCED: Final = "no-reference-seen"
NO_KEY: Final = Judgement("not-applicable", reason="no-customer-key")
_EXPECTED: Final[dict[Check, str]] = {
    "customer-managed-key": "a customer-managed key",
    "public-access": "no public network access",
    "private-endpoint": "an approved private endpoint",
    "key-residency": "purge protection",
}
_FAILURE: Final[dict[Check, str]] = {
    "customer-managed-key": "platform-key",
    "public-access": "public-network",
    "private-endpoint": "no-private-endpoint",
}


def _wished(check: Check, policy: Policy) -> bool:
    if check == "key-residency":
        return policy.residency is not None
    if check == "customer-managed-key":
        return policy.key != "off"
    return policy.public_access_denied if check == "public-access" else policy.private_endpoint_required


def judge_state(rule: StateRule, index: Index, resource: Resource) -> Iterable[Judgement]:
    """Whether the resource has what the check asks for; item by item where the row names a list."""
    if not _wished(rule.check, resource.policy):
        return NO_WISH
    if rule.check == "customer-managed-key" and resource.answered_for(rule.check):
        return MANAGED
    if holders := places_at(rule.held_by, resource):
        return [_at_holder(holder, index, _EXPECTED[rule.check]) for holder in holders]
    answers = _answers(rule, resource)
    if rule.only_with:
        return _where_concerned(answers, children_in(resource.row, rule.only_with))
    if rule.check == "customer-managed-key" and resource.policy.hsm:
        return [_in_hardware(answer, index, resource) for answer in answers]
    return answers


def _where_concerned(answers: Sequence[Judgement], children: Children | None) -> Sequence[Judgement]:
    """The answers where the check concerns only a resource with such children.

    They may not have been looked for; or only those that something refers to were, and whether all that may refer to
    them was seen is known only in the end (`UNREFERENCED`).
    """
    if children is not None and (children.items or children.failed):
        return answers
    failing = {"non-compliant"} if children is None else {"non-compliant", "unknown"}
    reason = "needs-child-read" if children is None else UNREFERENCED
    return [
        answer._replace(state="unknown", reason=reason) if answer.state in failing else answer for answer in answers
    ]


def unconcerned(finding: Finding) -> Finding:
    """The finding of a vault that may be used, where nobody uses it."""
    return replace(
        finding, state=NO_KEY.state, reason=NO_KEY.reason, severity="low", expected="", actual="", waiver=None
    )


def _in_hardware(answer: Judgement, index: Index, resource: Resource) -> Judgement:
    """Where the policy wants keys in hardware: one in a managed HSM is; one in a vault says it itself, once read."""
    row = find_resource_type(resource.type)
    rule = row.rules.get("key-residency") if row else None
    expected = "a key held in hardware"
    if answer.state != "compliant" or not isinstance(rule, VaultRule):
        unknown = Judgement("unknown", answer.subject, "key-type-unknown", expected, "a customer-managed key")
        return unknown if answer.state == "compliant" else answer
    vaults = [vault_name(name) for name in places_at(rule.vault, resource)]
    soft_vaults = {name.name if name else "" for name in vaults if name is None or name.kind == "vault"}
    keys = [key for key in keys_in(rule, resource.row, nameless=True) if key.vault.kind == "vault"]
    types = [(key.vault.name, *index.key_type(key)) for key in keys]
    soft = next((found for _, found, _ in types if found and not found.upper().endswith("-HSM")), "")
    if soft:
        return Judgement("non-compliant", answer.subject, "key-not-in-hardware", expected, f"a key of type {soft}")
    if why := next((why for _, _, why in types if why), ""):
        return Judgement("unknown", answer.subject, "child-not-read", expected, why)
    if vaults and soft_vaults <= {vault for vault, _, _ in types} and all(found for _, found, _ in types):
        return answer
    return Judgement("unknown", answer.subject, "key-type-unknown", expected, "a customer-managed key")


def _answers(rule: StateRule, resource: Resource) -> Sequence[Judgement]:
    """What the body says, whether anybody asks or not."""
    if case := first_case(rule.not_applicable, resource):
        return (excepted(case),)
    if rule.each is None:
        return (_settled(rule, resource, resource.row, ""),)
    items = rule.each.find(resource.row)
    if type(items) is not list or not items:
        return (_silent(rule, resource, "", rule.each.label),)
    return [_settled(rule, resource, item, _name(rule.subject, item, at)) for at, item in enumerate(items, 1)]


def _settled(rule: StateRule, resource: Resource, item: Any, subject: str) -> Judgement:
    """Any yes passes; an unrecognised value is unknown; then a no fails; silence is as the row says."""
    answered: dict[Answer, Reading] = {}
    for reading in rule.readings:
        answer = reading.answer(item)
        if answer == "yes":
            return _passed(rule, subject)
        answered.setdefault(answer, reading)
    expected = _EXPECTED[rule.check]
    if case := first_case(rule.incapable, resource):
        if resource.policy.key == "required":
            return Judgement("non-compliant", subject, "sku-without-keys", expected, case.because)
        return excepted(case, subject)
    told = answered.get("unrecognised") or answered.get("no")
    if told is not None:
        reason = "unrecognised-value" if "unrecognised" in answered else _failure(rule)
        others = (not_yet_known(resource, looked_at(reading)) for reading in rule.readings if reading is not told)
        reason = next(filter(None, others), reason)
        return Judgement(REASONS[reason].state, subject, reason, expected, told.at.found(told.at.find(item)))
    there = any(reading.at.find(item) is not None for reading in rule.readings)
    label = rule.readings[0].at.label if rule.readings else "answer in the body"
    return _silent(rule, resource, subject, label, there=there)


def _passed(rule: StateRule, subject: str) -> Judgement:
    if rule.passes_as:
        return Judgement("not-applicable", subject, rule.passes_as)
    return Judgement("compliant", subject) if subject else COMPLIANT[0]


def _silent(rule: StateRule, resource: Resource, subject: str, at: str, *, there: bool = False) -> Judgement:
    """What silence means. A property that is `there` and blank, an empty list, is no matter of the api-version."""
    expected, actual = _EXPECTED[rule.check], f"no {at}"
    if rule.absent == "child":
        told = told_by_children(resource, rule.check)._replace(subject=subject, expected=expected)
        if told.reason != "no-copy" or not rule.childless_fails:
            return told._replace(reason="no-children") if told.reason == "no-copy" else told
        return Judgement("non-compliant", subject, _failure(rule), expected, actual)
    if reason := (None if there else unsettled(rule, resource)) or ABSENT.get(rule.absent):
        return Judgement("unknown", subject, reason, expected, actual)
    if rule.absent == "inherits":
        return Judgement("not-applicable", subject, "held-elsewhere")
    return Judgement("non-compliant", subject, _failure(rule), expected, actual)


def _failure(rule: StateRule) -> str:
    return rule.fails_as or _FAILURE[rule.check]


def _name(expression: Expression | None, item: Any, position: int) -> str:
    name = expression.find(item) if expression else None
    return name if type(name) is str and name else f"#{position}"


def judge_vault(rule: VaultRule, index: Index, resource: Resource) -> Iterator[Judgement]:
    """Whether the vault that holds the resource's key is where the policy allows."""
    residency = resource.policy.residency
    index.hides = index.hides or _hides_vault(rule, index, resource)
    if residency is None:
        yield NO_WISH[0]
    elif resource.answered_for(rule.check):
        yield MANAGED[0]
    elif case := first_case(rule.not_applicable, resource):
        yield excepted(case)
    else:
        holders = places_at(rule.through, resource)
        references = places_at(rule.vault, resource, keep_missing=True)
        for holder in holders:
            yield _at_holder(holder, index, one_of(residency.allowed))
        if references:
            named = {vault_name(reference): reference for reference in references if reference}
            yield from dict.fromkeys(_in_vault(name, reference, index, residency) for name, reference in named.items())
        if rule.rotates is not None:
            yield from _pinned(rule, rule.rotates, resource)
        if "" in references:
            yield Judgement(
                "unknown", "", "missing-property", one_of(residency.allowed), "a key whose vault is not named"
            )
        if not holders and not references:
            yield _without_vault(resource, residency)


def _hides_vault(rule: VaultRule, index: Index, resource: Resource) -> bool:
    """Whether the body leaves open in which vault the resource's key is, whoever asks for it."""
    if first_case(rule.not_applicable, resource):
        return False
    holders, references = places_at(rule.through, resource), places_at(rule.vault, resource, keep_missing=True)
    if holders or references:
        unseen = any(holder.lower() not in index.holders for holder in holders)
        return unseen or any(vault_name(reference) is None for reference in references)
    row = find_resource_type(resource.type)
    keys = row.rules.get("customer-managed-key") if row else None
    answers = _answers(keys, resource) if isinstance(keys, StateRule) else ()
    return not answers or any(answer.state in ("compliant", "unknown") for answer in answers)


def _pinned(rule: VaultRule, follows: Reading | Literal["versionless"], resource: Resource) -> Iterator[Judgement]:
    """Whether the resource follows its key's new versions; each key by itself."""
    keys = list(keys_in(rule, resource.row))
    rotates = "no" if follows == "versionless" or not keys else follows.answer(resource.row)
    if not keys and rule.key is not None and any(map(vault_name, places_at(rule.vault, resource))):
        yield Judgement("unknown", "version", "missing-property", "a key that is named", "a vault without a key")
    for key in keys:
        subject, expected = f"{key.vault.name}/{key.name} version", "a key that is followed when it is rotated"
        if not key.version or rotates == "yes":
            yield Judgement("compliant", subject)
        elif rotates == "unrecognised":
            yield Judgement("unknown", subject, "unrecognised-value", expected, f"version {key.version}")
        else:
            yield Judgement("non-compliant", subject, "key-version-pinned", expected, f"version {key.version}")


def judge_key(rule: KeyStateRule, today: float, resource: Resource) -> Iterator[Judgement]:
    """Whether a key can be used at `today` (seconds since 1970)."""
    if resource.policy.residency is None:
        yield NO_WISH[0]
        return
    answer = rule.enabled.answer(resource.row)
    if answer == "yes":
        yield Judgement("compliant", "enabled")
    elif answer == "no":
        yield Judgement("non-compliant", "enabled", "key-disabled", "an enabled key", "disabled")
    else:
        reason = "missing-property" if answer == "absent" else "unrecognised-value"
        yield Judgement("unknown", "enabled", reason, "an enabled key", f"no {rule.enabled.at.label}")
    expires = rule.expires.find(resource.row)
    expected = "a key that has not expired"
    if expires is None and answer not in ("yes", "no"):  # the attributes are not there
        yield Judgement("unknown", "expiry", "missing-property", expected, f"no {rule.expires.label}")
    elif expires is None:
        yield Judgement("not-applicable", "expiry", "no-expiry")
    elif type(expires) is not int or expires > _LATEST:
        yield Judgement("unknown", "expiry", "unrecognised-value", expected, rule.expires.found(expires))
    elif expires <= today:
        yield Judgement("non-compliant", "expiry", "key-expired", expected, f"expired on {_date(expires)}")
    else:
        yield Judgement("compliant", "expiry")


def _date(seconds: int) -> str:
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"


def _at_holder(holder: str, index: Index, expected: str) -> Judgement:
    """Where another resource answers, it is judged there, once; if it is there."""
    name = holder.rsplit("/", 1)[-1].lower()
    if holder.lower() in index.holders:
        return Judgement("not-applicable", name, "held-elsewhere")
    return Judgement("unknown", name, "not-in-inventory", expected, holder)


def _in_vault(name: VaultName | None, written: str, index: Index, residency: Residency) -> Judgement:
    expected = one_of(residency.allowed)
    if name is None:
        return Judgement("unknown", "", "unrecognised-value", expected, written)
    locations = [
        location
        for location in index.vault_locations(name)
        if not name.cloud or (region := region_of(location)) is None or region.cloud == name.cloud
    ]
    if not locations:
        return Judgement("unknown", name.name, "not-in-inventory", expected, f"{name.kind} {name.name}")
    answer = Judgement("compliant", name.name)
    for location in locations:  # more than one only where rows contradict each other: the worst counts
        region = region_of(location)
        if region is None:
            actual = f"{name.kind} {name.name} in {location or 'no location'}"
            return Judgement("unknown", name.name, "unknown-location", expected, actual)
        if region.name not in residency.allowed:
            return outside(region, residency.area, name.name, expected)
        answer = Judgement("compliant", name.name, actual=region.name)
    return answer


def _without_vault(resource: Resource, residency: Residency) -> Judgement:
    """No vault is named: fine where there is no customer-managed key, unknown where there is or may be one."""
    row = find_resource_type(resource.type)
    rule = row.rules.get("customer-managed-key") if row else None
    keys = _answers(rule, resource) if isinstance(rule, StateRule) else (Judgement("compliant"),)
    expected, actual = one_of(residency.allowed), "no vault named"
    own = row.rules.get("key-residency") if row else None
    for judgement in keys:
        if judgement.state == "compliant":
            unknown = not_yet_known(resource, looked_at(own)) if own else ""
            reason = unknown or "missing-property"
            return Judgement("unknown", "", reason, expected, actual)
        if judgement.state == "unknown":
            return Judgement("unknown", "", judgement.reason, expected, actual)
    return NO_KEY


def holder_unseen(rule: StateRule, index: Index, resource: Resource) -> bool:
    """Whether the resource that answers for this one has not been seen yet."""
    return any(holder.lower() not in index.holders for holder in places_at(rule.held_by, resource))


def vault_unseen(rule: VaultRule, index: Index, resource: Resource) -> bool:
    """Whether the resource's key is held by something that has not been seen yet."""
    if any(holder.lower() not in index.holders for holder in places_at(rule.through, resource)):
        return True
    references = places_at(rule.vault, resource)
    return bool(references) and any(
        name is not None and not index.has_vault(name) for name in map(vault_name, references)
    )
