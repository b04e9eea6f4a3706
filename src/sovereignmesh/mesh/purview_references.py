"""What only the whole of a `purview` document can tell to be wrong, and the policy's rules that it compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from sovereignmesh.facts.purview import kind_of_id, kinds_of_id, may_register, scan_properties, source_kinds
from sovereignmesh.mesh.purview_account import ACCOUNT_ID
from sovereignmesh.mesh.purview_words import is_object_name
from sovereignmesh.mesh.words import did_you_mean, listed, repeated
from sovereignmesh.patterns import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sovereignmesh.facts.purview import SourceKind
    from sovereignmesh.mesh.documents import ClassificationRule, GovernancePolicies
    from sovereignmesh.mesh.purview import CollectionWish, PurviewAccountWish, ScanWish, SourceWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.result.location import Problem
    from sovereignmesh.yamlfile import Path

__all__ = ["SECRETS", "check_purview", "collections_in", "parents_in", "rule_name", "scan_kind", "source_kind"]


# Properties of scans that would be secrets in plain text.
SECRETS: Final = frozenset({"password"})


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def check_purview(
    accounts: list[Loaded[PurviewAccountWish]], policies: list[Loaded[GovernancePolicies]]
) -> Iterator[Problem]:
    """Every problem in the documents that needs no account to be seen."""
    for policy in policies:
        yield from _rules(policy)
    rules = [rule for policy in policies[:1] for rule in _rules_of(policy.model)]
    compiled = {rule_name(rule).casefold(): rule.classification for rule in rules}
    for other in accounts[1:]:
        yield other.problem(
            (), f"a second purview; the first is at {accounts[0].locate()}: a mesh has one, so write both as one"
        )
    for account in accounts[:1]:
        yield from _resource(account)
        yield from _collections(account)
        model = account.model
        named: dict[str, Sequence[_Named]] = {
            "keyVaults": model.key_vaults,
            "credentials": model.credentials,
            "classificationRules": model.classification_rules,
            "rulesets": model.rulesets,
        }
        for key, every in named.items():
            yield from _twice(account, (key,), [one.name for one in every], "name")
        if not model.roles.get("collectionAdministrators", ("somebody",)):
            message = "somebody must administer the root collection"
            yield account.problem(("roles", "collectionAdministrators"), message)
        for index, rule in enumerate(model.classification_rules):
            if compiled.get(rule.name.casefold(), rule.classification) != rule.classification:
                message = f"the rule '{rule.name}' is what a rule of the policy becomes, for another classification"
                yield account.problem(("classificationRules", index, "name"), f"{message}: remove one of them")
        yield from _sources(account)


def _resource(account: Loaded[PurviewAccountWish]) -> Iterator[Problem]:
    """What is wrong between the account's name or id and what it is to be."""
    model, wish = account.model, account.model.account_resource
    if wish is None:
        return
    given = ACCOUNT_ID.fullmatch(model.account)
    name = model.parts[2]
    if not given and "/" in model.account:
        yield account.problem(("account",), f"'{model.account}' is no resource id of a Purview account")
    elif not is_object_name(name):
        message = f"'{name}' can be no account: letters, digits and single hyphens between them, 3 to 63 characters"
        yield account.problem(("account",), message)
    if given is None and wish.resource_group is None:
        yield account.problem(("accountResource",), "the key 'resourceGroup' is missing: where the account is made")
    told = zip(("subscription", "resourceGroup"), (wish.subscription, wish.resource_group), strict=True)
    for (key, value), other in zip(told, given.groups() if given else ("", ""), strict=False):
        if value is not None and other and value.casefold() != other.casefold():
            yield account.problem(("accountResource", key), f"'account' is in {other}: leave one of them out")


def rule_name(rule: ClassificationRule) -> str:
    """The name of the rule in Purview. Rules of one classification with patterns of names alone are one rule there."""
    if rule.name is not None:
        return rule.name
    name = slug(rule.classification)
    if rule.applies_to == "data":
        return slug(f"{name}-data")
    return slug(f"{name}-both") if rule.data_pattern is not None else name


def collections_in(account: PurviewAccountWish) -> Iterator[tuple[CollectionWish, str, Path]]:
    """Every collection with the name of the one above, "" for the root, and where it stands in the document."""
    waiting: list[tuple[CollectionWish, str, Path]] = [
        (one, one.parent or "", ("collections", at)) for at, one in enumerate(account.collections)
    ]
    while waiting:
        collection, above, path = waiting.pop(0)
        yield collection, above, path
        waiting += [
            (one, one.parent or collection.name, (*path, "collections", at))
            for at, one in enumerate(collection.collections)
        ]


def parents_in(account: PurviewAccountWish) -> dict[str, str]:
    """By collection the one above, both in lower case; "" is the root."""
    found: dict[str, str] = {}
    for one, above, _ in collections_in(account):
        found.setdefault(one.name.casefold(), above.casefold())
    return found


def source_kind(source: SourceWish) -> SourceKind | None:
    """The kind as far as the document tells it; None where only the resource does, or where none is modelled."""
    if source.kind is not None:
        return source_kinds().get(source.kind)
    return kind_of_id(source.resource)[0] if source.resource else None


def scan_kind(scan: ScanWish, kind: SourceKind | None) -> str:
    """The kind of a scan of a source of that kind, "" where it has to be given."""
    if scan.kind is not None:
        return scan.kind
    if kind is None:
        return ""
    return kind.credential if scan.credential else kind.default_scan


def _rules_of(policy: GovernancePolicies) -> tuple[ClassificationRule, ...]:
    return policy.data_classification.rules if policy.data_classification else ()


def _rules(policy: Loaded[GovernancePolicies]) -> Iterator[Problem]:
    seen: dict[str, tuple[str, str, int]] = {}
    for index, rule in enumerate(_rules_of(policy.model)):
        path = ("dataClassification", "rules", index)
        name, alone = rule_name(rule), rule.data_pattern is not None or rule.name is not None
        before = seen.setdefault(name.casefold(), (rule.classification, "alone" if alone else "", index))
        if before[2] == index:
            continue
        first = policy.locate("dataClassification", "rules", before[2])
        if before[0] != rule.classification:
            message = f"'{rule.classification}' and '{before[0]}' ({first}) would both be the rule '{name}' in Purview"
            yield policy.problem((*path, "classification"), f"{message}: give one of them a 'name'")
        elif alone or before[1]:
            yield policy.problem(path, f"the rule '{name}' is already at {first}: give this one a 'name' of its own")


def _twice(account: Loaded[PurviewAccountWish], path: Path, names: Iterable[str], key: str) -> Iterator[Problem]:
    names = list(names)
    for index, first in repeated(names):
        place = account.locate(*path, first, key)
        yield account.problem((*path, index, key), f"the name '{names[index]}' is already taken at {place}")


def _collections(account: Loaded[PurviewAccountWish]) -> Iterator[Problem]:
    every = list(collections_in(account.model))
    for index, first in repeated(one.name for one, _, _ in every):
        place = account.locate(*every[first][2], "name")
        yield account.problem(
            (*every[index][2], "name"), f"the collection '{every[index][0].name}' is already at {place}"
        )
    parents, root = parents_in(account.model), account.model.account.rpartition("/")[2].casefold()
    for one, above, path in every:
        key = (*path, "parent") if one.parent else path
        if one.name.casefold() == root and above and above.casefold() != root:
            yield account.problem(key, f"'{one.name}' is the root collection, and lies in no other")
            continue
        if above and above.casefold() not in parents and above.casefold() != root:
            near = did_you_mean(above, [known.name for known, _, _ in every])
            yield account.problem(key, f"no collection '{above}' is in this document{near}")
        elif above and one.name.casefold() in _above(one.name.casefold(), parents):
            yield account.problem(key, f"the collection '{one.name}' would lie in itself, by way of '{above}'")


def _above(name: str, parents: dict[str, str]) -> set[str]:
    """Every collection above one; itself among them where there is a cycle."""
    found: set[str] = set()
    while (name := parents.get(name, "")) and name not in found:
        found.add(name)
    return found


def _sources(account: Loaded[PurviewAccountWish]) -> Iterator[Problem]:
    sources, steps = account.model.registered, account.model.steps
    yield from _twice(account, steps, [source.name for source in sources], "name")
    resources = [kind_of_id(source.resource)[1] if source.resource else f"\0{source.name}" for source in sources]
    for index, first in repeated(f"{resource}\0{sources[at].kind or ''}" for at, resource in enumerate(resources)):
        place = account.locate(*steps, first, "resource")
        message = f"{resources[index]} is already the source '{sources[first].name}' at {place}"
        yield account.problem((*steps, index, "resource"), f"{message}: an account has it once; put the scans there")
    for index, source in enumerate(sources):
        yield from _source(account, source, (*steps, index))


def _source(account: Loaded[PurviewAccountWish], source: SourceWish, path: Path) -> Iterator[Problem]:
    kind = source_kind(source)
    if source.resource and source.kind is None and kind is None and not kinds_of_id(source.resource):
        message = f"no kind of source registers {source.resource.rpartition('/providers/')[2] or source.resource}"
        yield account.problem((*path, "resource"), f"{message}: give a 'kind', or the id of a server or an account")
    if source.resource is not None and source.kind is not None and kind is None:
        message = f"a {source.kind} has no model, so that nothing of it follows from a resource"
        yield account.problem((*path, "resource"), f"{message}: leave it out, and give 'properties'")
    server = kind_of_id(source.resource)[1] if source.resource else ""
    if kind is not None and server and not may_register(kind, server):
        names = listed([each.kind for each in kinds_of_id(server)]) or "none that is known"
        yield account.problem(
            (*path, "kind"), f"{kind.kind} registers other resources; the kind of this one is {names}"
        )
    if kind is not None:
        yield from _names(account, (*path, "properties"), source.properties, kind.allowed, kind.kind)
        if source.resource is None and not set(kind.endpoint) & source.properties.keys():
            message = f"a {kind.kind} is known by {' or '.join(kind.endpoint)}, or by a 'resource'"
            yield account.problem((*path, "kind"), f"{message}: give one")
    yield from _twice(account, (*path, "scans"), [scan.name for scan in source.scans], "name")
    for at, scan in enumerate(source.scans):
        yield from _scan(account, scan, source, kind, (*path, "scans", at))


def _scan(
    account: Loaded[PurviewAccountWish], scan: ScanWish, source: SourceWish, kind: SourceKind | None, path: Path
) -> Iterator[Problem]:
    name = scan_kind(scan, kind)
    if not name:
        if source.resource is None:
            yield account.problem(path, f"a scan of a {source.kind} wants a 'kind': it has no model")
        return
    if kind is not None and name not in kind.scans:
        message = f"a {name} is no scan of a {kind.kind}: {listed(kind.scans)}"
        yield account.problem((*path, "kind"), message)
        return
    if kind is not None and name == kind.credential and not kind.msi and scan.credential is None:
        message = f"a {kind.kind} is not scanned with the account's own identity: name a 'credential'"
        yield account.problem(path, message)
    for secret in sorted(SECRETS & scan.properties.keys()):
        message = f"a {secret} stands in no mesh: keep it in a key vault, and name a 'credential'"
        yield account.problem((*path, "properties", secret), message)
    allowed = scan_properties().get(name)
    if allowed is not None:
        yield from _names(account, (*path, "properties"), scan.properties, allowed, name)
        if scan.database is not None and kind is not None and not kind.database:
            yield account.problem((*path, "database"), f"a {name} names no database")


def _names(
    account: Loaded[PurviewAccountWish], path: Path, properties: Iterable[str], allowed: Iterable[str], what: str
) -> Iterator[Problem]:
    known = list(allowed)
    for name in properties:
        if name not in known:
            message = f"a {what} has no '{name}'{did_you_mean(name, known)}; known here: {listed(known)}"
            yield account.problem((*path, name), message)
