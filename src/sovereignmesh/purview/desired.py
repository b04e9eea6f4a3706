"""What is to be in the account: the mesh, its policy and its resources, as the objects of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.facts.purview import credential_kinds, scan_properties, source_kinds
from sovereignmesh.mesh.purview import RulesetWish
from sovereignmesh.mesh.purview_references import collections_in, scan_kind
from sovereignmesh.plan import Item, Key, Unread
from sovereignmesh.purview.kinds import FILTERS
from sovereignmesh.purview.live import scan_needs
from sovereignmesh.purview.recurrence import is_known_zone
from sovereignmesh.purview.rules import compile_rules, mesh_ruleset, policy_rules
from sovereignmesh.purview.sources import match_interfaces
from sovereignmesh.purview.workflows import compile_workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.purview import PurviewAccountWish, ScanWish, TriggerWish
    from sovereignmesh.mesh.purview_words import Roles
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.purview.sources import Wanted
    from sovereignmesh.purview.tree import Tree
    from sovereignmesh.result import Problem
    from sovereignmesh.yamlfile import Path

__all__ = ["Around", "Desired", "compile_desired"]


# Of a filter's lists the API requires these, also where they are empty.
_NO_PREFIXES: Final[Mapping[str, list[str]]] = {"includeUriPrefixes": [], "excludeUriPrefixes": []}


@dataclass(frozen=True, slots=True)
class Around:
    """What of the account a wish refers to: kinds of its credentials, kinds of its rulesets, its key vaults, its rules.

    All by name in lower case. `extensions` gives the file extensions of the system ruleset of a kind, None where it
    could not be read; `lost` are the kinds whose lists could not; `placed` are the collections of sources.
    """

    credentials: Mapping[str, str]
    rulesets: Mapping[str, str]
    key_vaults: frozenset[str]
    rules: frozenset[str]
    extensions: Callable[[str], Sequence[str] | None]
    lost: frozenset[str] = frozenset()
    placed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Desired:
    """The objects that are wished, what is wrong with the wish, and what is worth knowing about it."""

    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compile_desired(
    mesh: Mesh, document: Loaded[PurviewAccountWish], sources: Sequence[Wanted], tree: Tree, around: Around
) -> Desired:
    """Everything that is to be there. Nothing is read for it but what `around` gives."""
    return _Compiler(mesh, document, tree, around).compiled(sources)


class _Compiler:
    def __init__(self, mesh: Mesh, document: Loaded[PurviewAccountWish], tree: Tree, around: Around) -> None:
        self._mesh, self._document, self._tree, self._around = mesh, document, tree, around
        self._wish = document.model
        self._found = Desired()
        self._credentials = {one.name.casefold(): str(one.kind) for one in self._wish.credentials}
        self._rulesets = {one.name.casefold(): one.kind for one in self._wish.rulesets}
        self._rules = policy_rules(mesh)
        self._written = [rule.name for rule in self._wish.classification_rules]
        self._used: dict[str, Path] = {}  # the kinds of sources whose scans take the mesh's own ruleset
        self._unruled: dict[str, None] = {}  # and those whose scans have none

    def compiled(self, sources: Sequence[Wanted]) -> Desired:
        found = self._found
        found.items += compile_rules(self._mesh)
        placed = self._placed(sources)
        for source in sources:
            self._source(source, placed[source.name])
        for kind in self._unruled:
            found.notes.append(
                f"scans of {kind} are sent without a ruleset: the policy's classification rules do not reach them"
            )
        found.items += self._key_vaults()
        found.items += self._all_credentials()
        found.items += self._all_rulesets()
        found.items += self._roles()
        # Last: what is placed by domain may have made a collection.
        found.items += self._tree.items()
        for path, message in self._tree.problems:
            self._say(path, message)
        self._workflows()
        return found

    def _placed(self, sources: Sequence[Wanted]) -> dict[str, str]:
        """By source its collection: as written, else that of the product which names its host, else of its domain."""
        domains: dict[str, str] = {}
        for product, interface, source in match_interfaces(self._mesh.products, sources):
            what = f"{product.name}: its {interface.type} interface {interface.endpoint}"
            if source is None:
                self._say(("sources",), f"{what} is no source that is wished: its data is not scanned", "warning")
                continue
            domains.setdefault(source.name, product.domain)
            self._found.notes.append(f"{what} is the source {source.name}")
        placed = {}
        for source in sources:
            if source.collection is not None:
                found = self._tree.find(source.collection)
                if found is None:
                    self._say((*source.path, "collection"), self._tree.unknown(source.collection))
                placed[source.name] = found or self._tree.root
                continue
            domain = source.domain or domains.get(source.name, "")
            # One whose domain nobody knows stays where it is: its resource may be hidden from this caller.
            there = self._around.placed.get(source.name.casefold(), self._tree.root)
            placed[source.name] = self._tree.of_domain(domain) if domain else there
        return placed

    def _source(self, source: Wanted, collection: str) -> None:
        body = {"kind": source.kind_name, "properties": {"collection": _reference(collection), **source.properties}}
        needs = frozenset({Key("collection", collection)})
        self._add("source", source.name, body, needs, source.path)
        for scan, path in source.scans:
            self._scan(source, scan, collection, path)

    def _scan(self, source: Wanted, scan: ScanWish, home: str, path: Path) -> None:
        kind = scan_kind(scan, source.kind)
        if not kind:
            self._say(path, f"a scan of a {source.kind_name} wants a 'kind': it has no model")
            return
        collection = self._collection_of(scan, home, path)
        name = f"{source.name}/{scan.name}"
        allowed = scan_properties().get(kind)
        properties: dict[str, Any] = {"collection": _reference(collection)}
        for shared in ("serverEndpoint", "port"):
            if allowed and shared in allowed and shared in source.properties:
                properties[shared] = source.properties[shared]
        if scan.database and source.kind is not None and source.kind.database:
            properties[source.kind.database] = scan.database
        if scan.runtime:
            properties["connectedVia"] = {"referenceName": scan.runtime}
        needs = {Key("source", source.name.casefold()), Key("collection", collection)}
        properties |= self._ruleset_of(source, scan, needs, path)
        told = self._credential_of(scan, needs, path)
        if told is None:
            self._found.unread.append(Unread(f"the credential of scan {name}", "the list of credentials was not read"))
            return
        properties |= told
        properties |= scan.properties
        body = {"kind": kind, "properties": properties}
        self._add("scan", name, body, frozenset({*needs, *scan_needs(properties)}), path)
        own = frozenset({Key("scan", name.casefold())})
        if scan.filter is not None:
            lists = scan.filter.model_dump(by_alias=True)
            kept = {name: list(lists[key]) or _NO_PREFIXES.get(name) for name, key in FILTERS.items()}
            self._add("filter", name, {"properties": kept}, own, (*path, "filter"))
        if scan.trigger is not None:
            self._add("trigger", name, _trigger(scan.trigger), own, (*path, "trigger"))
            zone = scan.trigger.recurrence.time_zone
            if zone is not None and not is_known_zone(zone):
                message = f"the time zone '{zone}' is not known here, where Windows' names of Europe's zones are"
                place = (*path, "trigger", "recurrence", "timeZone")
                self._say(
                    place, f"{message}: Purview may not take it, and `status` cannot tell the next run", "warning"
                )

    def _collection_of(self, scan: ScanWish, home: str, path: Path) -> str:
        if scan.collection is None:
            return home
        found = self._tree.find(scan.collection)
        if found is None:
            self._say((*path, "collection"), self._tree.unknown(scan.collection))
        elif not self._tree.lies_in(found, home):
            title = self._tree.title(home)
            message = f"the collection '{scan.collection}' is not the source's, '{title}', nor below it"
            self._say((*path, "collection"), f"{message}: Purview refuses such a scan")
        return found or home

    def _ruleset_of(self, source: Wanted, scan: ScanWish, needs: set[Key], path: Path) -> dict[str, str | None]:
        """The ruleset: the one named, else the mesh's own where it classifies, else the kind's system ruleset.

        Kinds whose scans have none, and kinds that are not modelled, get one only where it is named.
        """
        system = source.kind.ruleset if source.kind else ""
        name, sort = scan.ruleset or system, scan.ruleset_type
        if sort == "none":
            return {"scanRulesetName": None, "scanRulesetType": None}
        if scan.ruleset is None and sort is None and self._classifies:
            if source.kind is not None and system:
                name = mesh_ruleset(source.kind_name)
                self._used.setdefault(source.kind_name, source.path)
            elif "resourceTypes" not in scan.properties:
                self._unruled.setdefault(source.kind_name)
        if not name:
            if sort is not None:
                self._say((*path, "rulesetType"), f"a {source.kind_name} has no ruleset of the system: leave it out")
            return {}
        if sort is None and name.casefold() == system.casefold():
            name, sort = system, "System"
        if sort != "System":
            needs.add(Key("ruleset", name.casefold()))
            if scan.ruleset is not None:
                self._check_ruleset(scan.ruleset, source.kind_name, system, (*path, "ruleset"))
        return {"scanRulesetName": name, "scanRulesetType": sort or "Custom"}

    def _check_ruleset(self, name: str, wanted: str, system: str, path: Path) -> None:
        kind = self._rulesets.get(name.casefold()) or self._around.rulesets.get(name.casefold())
        if kind is None and "ruleset" not in self._around.lost:
            usual = f"; the system's is '{system}'" if system else ""
            self._say(path, f"no ruleset '{name}' is wished or there{usual}")
        elif kind is not None and kind != wanted:
            self._say(path, f"the ruleset '{name}' is for {kind}, and this is a {wanted}")

    @property
    def _classifies(self) -> bool:
        classification = self._mesh.policies.data_classification if self._mesh.policies else None
        return classification is not None and classification.auto_classify and bool(self._rules or self._written)

    def _credential_of(self, scan: ScanWish, needs: set[Key], path: Path) -> dict[str, Any] | None:
        """The credential's reference, with its kind; None where nobody knows the kind."""
        if scan.credential is None:
            return {}
        folded = scan.credential.casefold()
        kind = self._credentials.get(folded) or self._around.credentials.get(folded)
        if kind is None and "credential" in self._around.lost:
            return None
        if kind is None:
            self._say((*path, "credential"), f"no credential '{scan.credential}' is wished or there")
            return {}
        needs.add(Key("credential", folded))
        return {"credential": {"referenceName": scan.credential, "credentialType": kind}}

    def _key_vaults(self) -> Iterator[Item]:
        for at, vault in enumerate(self._wish.key_vaults):
            body = {"properties": {"baseUrl": vault.base_url, **_told(description=vault.description)}}
            yield Item("key-vault", vault.name, body, place=self._place("keyVaults", at))

    def _all_credentials(self) -> Iterator[Item]:
        vaults = {one.name.casefold() for one in self._wish.key_vaults} | self._around.key_vaults
        for at, one in enumerate(self._wish.credentials):
            if one.key_vault and one.key_vault.casefold() not in vaults and "key-vault" not in self._around.lost:
                path = ("credentials", at, "keyVault")
                self._say(path, f"no key vault connection '{one.key_vault}' is wished or there")
            kept = credential_kinds()[one.kind].type_properties(one.told)
            body = {"kind": one.kind, "properties": {"typeProperties": kept, **_told(description=one.description)}}
            needs = frozenset({Key("key-vault", one.key_vault.casefold())} if one.key_vault else ())
            yield Item("credential", one.name, body, needs, self._place("credentials", at))

    def _all_rulesets(self) -> Iterator[Item]:
        for kind, path in self._used.items():
            if mesh_ruleset(kind).casefold() in self._rulesets:
                continue  # it is written out, as an export does
            words = "The classification rules of the data mesh, with all of the system's"
            own = RulesetWish.model_validate(
                {
                    "name": mesh_ruleset(kind),
                    "kind": kind,
                    "description": words,
                    "classificationRules": self._written,
                }
            )
            yield from self._ruleset(own, path)
        for at, one in enumerate(self._wish.rulesets):
            written = (rule.name.casefold() for rule in self._wish.classification_rules)
            known = {*(name.casefold() for name in self._rules), *written, *self._around.rules}
            for index, rule in enumerate(one.classification_rules):
                if rule.casefold() not in known and "classification-rule" not in self._around.lost:
                    where = ("rulesets", at, "classificationRules", index)
                    self._say(where, f"no classification rule '{rule}' is wished or there")
            yield from self._ruleset(one, ("rulesets", at))

    def _ruleset(self, one: RulesetWish, path: Path) -> Iterator[Item]:
        rules = [*self._rules, *(rule for rule in one.classification_rules if rule not in self._rules)]
        known = source_kinds().get(one.kind)
        extensions = one.file_extensions
        if extensions is None and known is not None and known.files:
            usual = self._around.extensions(one.kind)
            if usual is None:
                return  # without its files it would scan none; that they were not read is said
            extensions = tuple(usual)
        properties: dict[str, Any] = _told(description=one.description)
        if rules or "classification_rules" in one.model_fields_set:
            properties["includedCustomClassificationRuleNames"] = sorted(rules)
        if "excluded_system_classifications" in one.model_fields_set:
            properties["excludedSystemClassifications"] = sorted(one.excluded_system_classifications)
        if extensions or one.file_extensions is not None:
            properties["scanningRule"] = {"fileExtensions": list(extensions or ())}
        body = {"kind": one.kind, "scanRulesetType": "Custom", "properties": properties}
        needs = frozenset(Key("classification-rule", rule.casefold()) for rule in rules)
        yield Item("ruleset", one.name, body, needs, self._place(*path))

    def _roles(self) -> Iterator[Item]:
        """One for each collection in which the document gives roles: by the role those who are to have it."""
        given: list[tuple[str, Roles, Path]] = [(self._tree.root, self._wish.roles, ("roles",))]
        given += [
            (self._tree.find(one.name) or one.name.casefold(), one.roles, (*path, "roles"))
            for one, _, path in collections_in(self._wish)
        ]
        for collection, roles, path in given:
            if roles:
                body = {role: sorted(set(people)) for role, people in roles.items()}
                needs = frozenset({Key("collection", collection)})
                yield Item("roles", collection, body, needs, self._place(*path))

    def _workflows(self) -> None:
        for found in compile_workflows(self._mesh, self._tree):
            into: list[Any] = (
                self._found.items
                if isinstance(found, Item)
                else self._found.notes
                if isinstance(found, str)
                else self._found.problems
            )
            into.append(found)

    def _add(self, kind: str, name: str, body: dict[str, Any], needs: frozenset[Key], path: Path) -> None:
        self._found.items.append(Item(kind, name, body, needs, self._place(*path)))

    def _say(self, path: Path, message: str, severity: str = "error") -> None:
        self._found.problems.append(self._document.problem(path, message, severity))

    def _place(self, *path: str | int) -> str:
        return str(self._document.locate(*path))


def _reference(collection: str) -> dict[str, str]:
    return {"referenceName": collection, "type": "CollectionReference"}


def _told(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _trigger(wish: TriggerWish) -> dict[str, Any]:
    recurrence = wish.recurrence.model_dump(mode="json", by_alias=True, exclude_none=True)
    # A trigger that somebody has paused stays so, unless the mesh says that it is on.
    state = {"state": "Enabled" if wish.enabled else "Disabled"} if "enabled" in wish.model_fields_set else {}
    return {"properties": {"recurrence": recurrence, "scanLevel": wish.level, **state}}
