"""What is in an account: each list read once, and of single objects only those that somebody asks about."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.parallel import in_parallel
from sovereignmesh.azure.purview import Collection
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import AnswerError, AzureError, DeadlineError, NotFoundError, SignInError
from sovereignmesh.facts.purview import metadata_roles
from sovereignmesh.plan import Item, Key, Unread
from sovereignmesh.purview.kinds import FILTERS, KINDS, is_system, names_of, objects_of
from sovereignmesh.purview.roles import assigned
from sovereignmesh.purview.workflows import AccessWorkflows

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from sovereignmesh.azure.purview import MetadataPolicy, Purview

__all__ = ["WORKERS", "Live", "by_name", "scan_needs", "spelled", "with_needs"]

WORKERS: Final = 10  # requests at once; the account's capacity bounds how many in a second
# Parts of objects that are looked into.
_OBJECTS: Final = (
    "properties", "parentCollection", "properties.collection", "properties.connectedVia", "properties.credential",
    "properties.recurrence", "properties.recurrence.schedule", "properties.scanningRule", "properties.typeProperties",
)  # fmt: skip
_LISTS: Final = (
    "columnPatterns", "dataPatterns", "excludedSystemClassifications", "includedCustomClassificationRuleNames",
    *FILTERS,
)  # fmt: skip
_LISTED: Final = ("collection", "key-vault", "credential", "classification-rule", "ruleset", "source")
_WITHIN: Final = {"scan": "source", "filter": "scan", "trigger": "scan"}
_WORDS: Final = {
    "filter": "the filter of", "trigger": "the trigger of", "scan": "the scans of source",
    "workflow": "the workflow of",
}  # fmt: skip


class Live:
    """The objects of an account that were read, as items; what could not be read is in `unread`."""

    def __init__(self, purview: Purview) -> None:
        self.purview = purview
        self.items: dict[Key, Item] = {}
        self.policies: dict[str, MetadataPolicy] = {}
        self.unread: list[Unread] = []
        self.lost: set[str] = set()  # kinds, and KIND/PARENT, of which nobody knows what is there
        self.system: dict[str, list[str]] = {}
        self.no_workflows = ""  # why an account has no service of workflows
        self.done, self.total = 0, 0  # requests and lists that were asked for

    def read_lists(self, kinds: Container[str]) -> None:
        """Reads whole lists: kinds, `classification` and `roles` among them.

        Raises an `AzureError` where collections cannot be read: then nothing can.
        """
        todo = [kind for kind in (*_LISTED, "classification", "roles") if kind in kinds]
        for kind, found in self._all([(kind, "", partial(self._list, kind)) for kind in todo]):
            for item in found:
                self.items[item.key] = item
            self.lost.discard(kind)

    def read_scans(self, sources: Iterable[str]) -> None:
        """Reads the scans of sources that are there."""
        known = [name for name in dict.fromkeys(sources) if Key("source", name.casefold()) in self.items]
        for _, found in self._all([("scan", name, partial(self._scans, name)) for name in known]):
            self.items |= {item.key: item for item in found}

    def read_single(self, kind: str, scans: Iterable[str]) -> None:
        """Reads the filter or the trigger of scans (SOURCE/SCAN) that are there."""
        known = [name for name in dict.fromkeys(scans) if Key("scan", name.casefold()) in self.items]
        for _, found in self._all([(kind, name, partial(self._single, kind, name)) for name in known]):
            self.items |= {item.key: item for item in found}

    def read_workflows(self, domains: Iterable[str], *, every: bool) -> None:
        """Reads the workflows of domains, `every`: of whichever there are; where there is no such service, none."""
        workflows, wanted = AccessWorkflows(self.purview), {name.casefold(): name for name in domains}
        if not wanted and not every:
            return
        try:
            listed = list(workflows.domains())
        except (SignInError, DeadlineError):
            raise
        except NotFoundError as error:
            self.no_workflows = str(error)
            return
        except AzureError as error:
            self.lost.add("workflow")
            self.unread.append(Unread("workflow", str(error)))
            return
        for name in listed if every else ():
            wanted.setdefault(name.casefold(), name)
        names = wanted.values()
        for _, found in self._all([("workflow", name, partial(self._single, "workflow", name)) for name in names]):
            self.items |= {item.key: item for item in found}

    def extensions(self, kind: str) -> list[str] | None:
        """The file extensions of the system ruleset of a kind of source, none where it has none; None: not read."""
        if kind not in self.system:
            try:
                properties = self.purview.system_rulesets.get(kind).properties
            except (SignInError, DeadlineError):
                raise
            except AzureError as error:
                self.unread.append(Unread(f"the system ruleset of {kind}", str(error)))
                return None
            rule = properties.get("scanningRule")
            extensions = rule.get("fileExtensions") if isinstance(rule, dict) else None
            self.system[kind] = [str(each) for each in extensions] if isinstance(extensions, list) else []
        return self.system[kind]

    def of(self, kind: str) -> Iterator[Item]:
        """The items of a kind."""
        return (item for key, item in self.items.items() if key.kind == kind)

    def collections(self) -> Iterator[Collection]:
        """The collections that were read."""
        return (Collection.of(Facts(dict(item.body), item.name)) for item in self.of("collection"))

    def knows(self, item: Item) -> bool:
        """Whether what is there of a wished item was read: of what lies in something lost nobody knows."""
        kind, name = item.kind, item.key.name
        while kind:
            above, inside = _WITHIN.get(kind, ""), name.rpartition("/")[0] if kind == "scan" else name
            if kind in self.lost or f"{kind}/{inside}" in self.lost:
                return False
            kind, name = above, inside
        return True

    def _all(self, work: list[tuple[str, str, Callable[[], list[Item]]]]) -> Iterator[tuple[str, list[Item]]]:
        """What each reads, in parallel; what cannot be read is noted. An error that concerns all is raised."""

        def one(kind: str, name: str, read: Callable[[], list[Item]]) -> Iterator[tuple[str, str, Any]]:
            try:
                yield kind, name, read()
            except (SignInError, DeadlineError):
                raise
            except AzureError as error:
                if kind == "collection":
                    raise
                yield kind, name, error

        azure = self.purview.azure
        crew = in_parallel(
            [partial(one, *each) for each in work], WORKERS, waiting=0, stopped=lambda: azure.pace.stopped
        )
        left = len(work)
        self.total += left
        for kind, name, found in crew:
            left -= 1
            self.done += 1
            if isinstance(found, AzureError):
                self.lost.add(f"{kind}/{name}".casefold() if name else kind)
                self.unread.append(Unread(f"{_WORDS.get(kind, kind)} {name}".strip(), str(found)))
            else:
                yield kind, found
        if left:  # the crew ends without those that hang: what they would tell is not nothing
            raise DeadlineError("the time given was up, or the run was stopped, before the account was read")

    def _list(self, kind: str) -> list[Item]:
        if kind == "classification":
            own = (one for one in self.purview.classifications.bodies() if not is_system(_name(one)))
            return [Item(kind, _name(one), one.body) for one in own]
        if kind == "roles":
            self.policies = {policy.collection.casefold(): policy for policy in self.purview.policies.list()}
            return [
                Item(kind, name, by_name(assigned(policy.document, policy.collection)))
                for name, policy in self.policies.items()
            ]
        objects: Any = objects_of(self.purview, kind)
        return [_item(kind, _name(one), one.body) for one in objects.bodies() if one.body.get("kind") != "System"]

    def _scans(self, source: str) -> list[Item]:
        return [_item("scan", f"{source}/{_name(one)}", one.body) for one in self.purview.scans.bodies(source)]

    def _single(self, kind: str, name: str) -> list[Item]:
        objects = objects_of(self.purview, kind)
        assert objects is not None, "of filters, triggers and workflows"
        try:
            item = _item(kind, name, {})
            return [_item(kind, name, objects.body(*names_of(item)).body)]
        except NotFoundError:
            return []


def _name(one: Facts) -> str:
    """The name of an object in a list. Raises AnswerError where it has none, or properties that are none."""
    name = one.text("name")
    if not name:
        raise AnswerError(f"{one.place}: an object without a name")
    return name


def _item(kind: str, name: str, body: Mapping[str, Any]) -> Item:
    """An object as it is there. Raises AnswerError where a part of it is of another sort than the API says."""
    assert kind in KINDS, "a kind of the table"
    for path in _OBJECTS:
        value: Any = body
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict):
            raise AnswerError(f"{kind} {name}: `{path}` should be an object, and is {value!r:.100}")
    properties = body.get("properties") or {}
    for part in _LISTS:
        if not isinstance(properties.get(part) or [], list):
            raise AnswerError(f"{kind} {name}: `properties.{part}` should be a list, and is {properties[part]!r:.100}")
    if not isinstance(body.get("triggers") or [], list) or not isinstance(body.get("actionDag") or {}, dict):
        raise AnswerError(f"{kind} {name}: `triggers` should be a list, and `actionDag` an object")
    if not all(isinstance(trigger, dict) for trigger in body.get("triggers") or ()):
        raise AnswerError(f"{kind} {name}: a trigger should be an object")
    patterns = [*(properties.get("columnPatterns") or ()), *(properties.get("dataPatterns") or ())]
    if not all(isinstance(pattern, dict) for pattern in patterns):
        raise AnswerError(f"{kind} {name}: a pattern should be an object")
    return Item(kind, name, spelled(kind, body))


def with_needs(item: Item) -> Item:
    """An object that is there with what it refers to, which can go only after it."""
    needs = _needs(item.kind, item.name, item.body, item.body.get("properties") or {})
    return dataclasses.replace(item, needs=frozenset(needs))


def scan_needs(properties: Mapping[str, Any]) -> Iterator[Key]:
    """The ruleset and the credential of a scan, and those of each type of resource in it."""
    types = properties.get("resourceTypes")
    inside = types.values() if isinstance(types, dict) else ()
    for each in (properties, *(one for one in inside if isinstance(one, dict))):
        yield from _referred("credential", each.get("credential"))
        if each.get("scanRulesetType") == "Custom" and each.get("scanRulesetName"):
            yield Key("ruleset", str(each["scanRulesetName"]).casefold())


def _referred(kind: str, reference: Any) -> Iterator[Key]:
    if isinstance(reference, dict) and reference.get("referenceName"):
        yield Key(kind, str(reference["referenceName"]).casefold())


def by_name(roles: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Role assignments by the names that the mesh has for roles; a role without one goes by its id."""
    names = {identity: name for name, identity in metadata_roles().items()}
    return {names.get(role, role): people for role, people in roles.items()}


def spelled(kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object in the specification's spelling: the service was recorded with `timezone` in triggers."""
    if kind != "trigger":
        return body
    properties = body.get("properties") or {}
    recurrence = properties.get("recurrence") or {}
    told = {"timeZone" if name == "timezone" else name: value for name, value in recurrence.items()}
    return {**body, "properties": {**properties, "recurrence": told}}


def _needs(kind: str, name: str, body: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Key]:
    if kind == "workflow":
        places = (trigger.get("underCollection") for trigger in body.get("triggers") or ())
        yield from (Key("collection", place.casefold()) for place in places if isinstance(place, str))
        return
    source = name.rpartition("/")[0]
    if source:
        yield Key("scan", name.casefold()) if kind in ("filter", "trigger") else Key("source", source.casefold())
    yield from _referred("collection", properties.get("collection"))
    yield from _referred("collection", body.get("parentCollection"))
    yield from scan_needs(properties)
    for rule in properties.get("includedCustomClassificationRuleNames") or ():
        yield Key("classification-rule", str(rule).casefold())
    if (classification := str(properties.get("classificationName") or "")) and not is_system(classification):
        yield Key("classification", classification.casefold())
    for secret in (properties.get("typeProperties") or {}).values():
        if isinstance(secret, dict) and isinstance(secret.get("store"), dict):
            yield Key("key-vault", str(secret["store"].get("referenceName")).casefold())
