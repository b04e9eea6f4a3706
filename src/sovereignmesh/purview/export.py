"""A live account as a document of a mesh: the wish on which a plan for that account has nothing to do."""

from __future__ import annotations

import html
import re
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.facts.purview import credential_kinds, metadata_roles, scan_properties, source_kinds
from sovereignmesh.mesh.purview import PurviewAccountWish, TriggerWish
from sovereignmesh.mesh.purview_references import SECRETS, check_purview
from sovereignmesh.mesh.references import Loaded
from sovereignmesh.plan import Key, bare
from sovereignmesh.purview.kinds import FILTERS, KINDS, is_system
from sovereignmesh.purview.live import Live, with_needs
from sovereignmesh.yamlfile import Document, dump

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping
    from contextlib import AbstractContextManager

    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import PurviewAccount
    from sovereignmesh.plan import Item, Unread

__all__ = ["Export", "export_purview"]

_LISTS: Final = frozenset(KINDS) - {"scan", "filter", "trigger", "workflow"}  # workflows are a policy's
_SCHEDULE: Final = ("hours", "minutes", "weekDays", "monthDays", "monthlyOccurrences")
_SECTIONS: Final = {  # by key of the document, the kind of its objects
    "keyVaults": "key-vault", "credentials": "credential", "classifications": "classification",
    "classificationRules": "classification-rule", "rulesets": "ruleset", "sources": "source",
    "collections": "collection",
}  # fmt: skip
_REFERRED: Final = ("credential", "ruleset")
# What a classification may hold besides; those that are made in the portal are empty there.
_INSIDE: Final = ("attributeDefs", "entityTypes", "superTypes")


@dataclass(frozen=True, slots=True, repr=False)
class Export:
    """A `purview` document, as plain data and as YAML; `left_out` names what no document can say, and why.

    Objects that are left out whole are under `keep` in the document: a plan with `prune` leaves them where they are.
    """

    document: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that is in the account is in the document."""
        return not self.left_out and not self.unread

    @property
    def yaml(self) -> str:
        """The document as YAML, with what is missing from it in comments at its head."""
        missing = [*self.left_out, *(f"not read: {unread.what}: {unread.why}" for unread in self.unread)]
        head = "".join(f"# {_one_line(line)}\n" for line in missing)
        body = dump(dict(self.document))
        return f"{head}{body}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {'complete' if self.complete else f'{len(self.left_out)} left out'}>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.yaml)}</pre>"


def export_purview(
    azure: Azure,
    account: str | PurviewAccount,
    *,
    progress: Callable[[Live], AbstractContextManager[object]] = nullcontext,
) -> Export:
    """What is in a Purview account, as the document of a mesh. Only reads.

    `progress` is a context in which the account is read, and is given what counts it. Secrets are not in the document:
    an account does not tell them, only in which key vault they lie. Raises an `AzureError` where
    the account or its collections cannot be read.
    """
    purview = connect_purview(account, azure)
    live = Live(purview)
    with progress(live):
        live.read_lists(_LISTS)
        live.read_scans(item.name for item in live.of("source"))
        for kind in ("filter", "trigger"):
            live.read_single(kind, [item.name for item in live.of("scan")])
    return _Exporter(live).export(purview.account.name)


class _Exporter:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._left_out: list[str] = []
        self._keep: dict[tuple[str, str], None] = {}
        self._reached: set[str] = set()
        self._scans: dict[str, list[Item]] = {}
        for scan in live.of("scan"):
            self._scans.setdefault(scan.key.name.rpartition("/")[0], []).append(scan)

    def export(self, account: str) -> Export:
        root = account.casefold()
        told: dict[str, Any] = {"account": account}
        told |= self._roles(root)
        told |= {"collections": self._collections(root)}
        for item in self._live.of("collection"):
            if item.key.name not in (root, *self._reached):
                self._leave(item.kind, item.name, "nothing says where it lies")
        writers: dict[str, Callable[[Item], dict[str, Any] | str | None]] = {
            "keyVaults": self._key_vault,
            "credentials": self._credential,
            "classifications": self._classification,
            "classificationRules": self._rule,
            "rulesets": self._ruleset,
            "sources": self._source,
        }
        for key, write in writers.items():
            items = sorted(self._live.of(_SECTIONS[key]), key=lambda item: item.name)
            told[key] = [
                one for item in items if (one := write(item)) is not None and self._fits(key, one, item.kind, item.name)
            ]
        told["keep"] = [
            kept for kind, name in sorted(self._keep) if not _mistake("keep", kept := {"kind": kind, "name": name})
        ]
        document = {key: value for key, value in told.items() if value}
        return Export({"purview": document}, tuple(self._left_out), tuple(self._live.unread))

    def _fits(self, key: str, one: Any, kind: str, name: str) -> bool:
        """Whether a document may hold it: accounts have names from times when more was allowed."""
        mistake = _mistake(key, one)
        if mistake:
            self._leave(kind, name, mistake)
        return not mistake

    def _leave(self, kind: str, name: str, why: str) -> None:
        self._left_out.append(f"left out: {kind} {name}: {why}")
        self._keep[kind, name] = None

    def _roles(self, collection: str) -> dict[str, Any]:
        item = self._live.items.get(Key("roles", collection))
        names = metadata_roles()
        found: dict[str, list[str]] = {}
        for role, people in sorted((item.body if item else {}).items()):
            if role not in names:
                if people:
                    self._left_out.append(
                        f"left out: the role {role} in the collection {collection}: it has no name here"
                    )
                continue
            strange = [one for one in people if _mistake("collections", {"name": "any", "roles": {role: [one]}})]
            if strange:
                self._left_out.append(
                    f"left out: {', '.join(strange)} of the role {role} in the collection {collection}"
                )
            if kept := [person for person in people if person not in strange]:
                found[role] = kept
        return {"roles": found} if found else {}

    def _collections(self, above: str) -> list[dict[str, Any]]:
        found = []
        for item in sorted(self._live.of("collection"), key=lambda one: one.name):
            parent = item.body.get("parentCollection") or {}
            if str(parent.get("referenceName")).casefold() != above or item.key.name in self._reached:
                continue
            self._reached.add(item.key.name)
            told = {"name": item.name, **_some(item.body, "friendlyName", "description")}
            if not self._fits("collections", told, item.kind, item.name):
                for name in _names(self._collections(item.key.name)):
                    self._leave(item.kind, name, f"it lies in {item.name}")
                continue
            inside = self._collections(item.key.name)
            found.append({**told, **self._roles(item.key.name), **({"collections": inside} if inside else {})})
        return found

    def _key_vault(self, item: Item) -> dict[str, Any]:
        return {"name": item.name, **_some(_inside(item), "baseUrl", "description")}

    def _credential(self, item: Item) -> dict[str, Any] | None:
        properties = item.body.get("properties") or {}
        kind, told = str(item.body.get("kind")), properties.get("typeProperties") or {}
        known = credential_kinds().get(kind)
        flat = known.description(told) if known else None
        if flat is None:
            self._leave(item.kind, item.name, f"it is of the kind {kind} and holds something else")
            return None
        return {"name": item.name, "kind": kind, **_some(properties, "description"), **flat}

    def _classification(self, item: Item) -> dict[str, Any] | str | None:
        """One that rules bear comes with them, unless there is more to say of it."""
        if held := [name for name in _INSIDE if item.body.get(name)]:
            self._left_out.append(f"left out: {', '.join(held)} of the classification {item.name}")
        described = _some(item.body, "description")
        if described and described["description"] != item.name:  # which the Data Map gives to one that has none
            return {"name": item.name, **described}
        return None if item.name in self._ruled else item.name

    @cached_property
    def _ruled(self) -> set[str]:
        return {str(_inside(item).get("classificationName")) for item in self._live.of("classification-rule")}

    def _rule(self, item: Item) -> dict[str, Any] | None:
        properties = _inside(item)
        name = str(properties.get("classificationName"))
        known = self._live.items.get(Key("classification", name.casefold()))
        if not is_system(name) and "classification" not in self._live.lost and (known is None or known.name != name):
            self._leave(item.kind, item.name, f"it refers to the classification {name}, which is not there")
            return None
        told = {
            "name": item.name,
            "classification": properties.get("classificationName"),
            **{
                key: [pattern.get("pattern") for pattern in properties.get(key) or ()]
                for key in ("columnPatterns", "dataPatterns")
                if properties.get(key)
            },
            **_some(properties, "minimumPercentageMatch", "description"),
        }
        return {**told, "enabled": False} if properties.get("ruleStatus") == "Disabled" else told

    def _ruleset(self, item: Item) -> dict[str, Any]:
        properties = item.body.get("properties") or {}
        told = {"name": item.name, "kind": item.body.get("kind"), **_some(properties, "description")}
        rule = properties.get("scanningRule") or {}
        if rule.get("customFileExtensions"):
            self._left_out.append(f"left out: the custom file extensions of the ruleset {item.name}")
        known = source_kinds().get(str(item.body.get("kind")))
        if known is not None and known.files and not rule.get("fileExtensions"):
            told["fileExtensions"] = []  # where nothing is said, a plan takes those of the system's ruleset
        lists = {
            "fileExtensions": rule.get("fileExtensions"),
            "excludedSystemClassifications": properties.get("excludedSystemClassifications"),
            "classificationRules": properties.get("includedCustomClassificationRuleNames"),
        }
        return {**told, **{key: list(value) for key, value in lists.items() if value}}

    def _source(self, item: Item) -> dict[str, Any]:
        body = item.body
        kind = source_kinds().get(str(body.get("kind")))
        properties = self._known(item, kind.allowed if kind else None)
        if properties.get("dataUseGovernance") == "Disabled":
            del properties["dataUseGovernance"]  # what every source has
        told = {
            "name": item.name,
            "kind": body.get("kind"),
            "collection": self._collection(item),
            "properties": properties,
        }
        scans = []
        for scan in sorted(self._scans.get(item.key.name, ()), key=lambda one: one.name):
            if missing := self._missing(scan):
                self._leave(scan.kind, scan.name, f"it refers to {missing}, which is not there")
                continue
            written = self._scan(scan, item)
            if self._fits("sources", {**told, "scans": [written]}, scan.kind, scan.name):
                scans.append(written)
        return {**told, **({"scans": scans} if scans else {})}

    def _missing(self, item: Item) -> str:
        """What an object that is there needs and is not there, "" for nothing; what was not read may be there."""
        wanted = [key for key in sorted(with_needs(item).needs) if key.kind in _REFERRED]
        lost = next((key for key in wanted if key not in self._live.items and key.kind not in self._live.lost), None)
        return f"the {lost.kind} {lost.name}" if lost else ""

    def _known(self, item: Item, allowed: Container[str] | None) -> dict[str, Any]:
        """The properties of a source or a scan, less its collection and what the specification does not know."""
        properties = dict(_own(item, "properties"))
        properties.pop("collection", None)
        for name in SECRETS & properties.keys():
            del properties[name]
            self._left_out.append(f"left out: {name} of {item.kind} {item.name}: a secret stands in no document")
        for name in [name for name in properties if allowed is not None and name not in allowed]:
            del properties[name]
            self._left_out.append(
                f"left out: {name} of {item.kind} {item.name}: the specification has no such property"
            )
        return properties

    def _collection(self, item: Item) -> str:
        reference = (item.body.get("properties") or {}).get("collection")
        return str(reference.get("referenceName")) if isinstance(reference, dict) else self._live.purview.account.name

    def _scan(self, scan: Item, source: Item) -> dict[str, Any]:
        kind = source_kinds().get(str(source.body.get("kind")))
        allowed = scan_properties().get(str(scan.body.get("kind")))
        properties = self._known(scan, None if allowed is None else {*allowed, "credential"})
        told: dict[str, Any] = {"name": scan.name.rpartition("/")[2], "kind": scan.body.get("kind")}
        properties.pop("domain", None)  # the account's own, which its service gives to every scan
        system = kind.ruleset if kind else ""
        told |= _ruleset_told(properties.pop("scanRulesetName", ""), properties.pop("scanRulesetType", ""), system)
        for name, key in (("credential", "credential"), ("connectedVia", "runtime")):
            reference = (properties.pop(name, None) or {}).get("referenceName")
            told |= {key: reference} if reference else {}
        if kind is not None and kind.database in properties:
            told["database"] = properties.pop(kind.database)
        placed = isinstance(_inside(scan).get("collection"), dict)
        if placed and self._collection(scan).casefold() != self._collection(source).casefold():
            told["collection"] = self._collection(scan)
        for shared in ("serverEndpoint", "port"):
            if kind is not None and properties.get(shared) == (source.body.get("properties") or {}).get(shared):
                properties.pop(shared, None)
        told |= {"properties": properties} if properties else {}
        kept = self._live.items.get(Key("filter", scan.key.name))
        told |= {"filter": _filter(kept)} if kept else {}
        fires = self._live.items.get(Key("trigger", scan.key.name))
        return {**told, **(self._trigger(fires) if fires else {})}

    def _trigger(self, item: Item) -> dict[str, Any]:
        told = _trigger(item)
        if _inside(item).get("incrementalScanStartTime"):
            self._left_out.append(f"left out: incrementalScanStartTime of trigger {item.name}")
        try:
            TriggerWish.model_validate(told)
        except ValidationError as error:
            self._leave(item.kind, item.name, _first(error))
            return {}
        return {"trigger": told}


def _mistake(key: str, one: Any) -> str:
    """Why a document cannot hold an object, "" where it can."""
    try:
        model = PurviewAccountWish.model_validate({"account": "any", key: [one]})
    except ValidationError as error:
        return _first(error, 2)
    loaded = Loaded(model, Document("", None, ()), "purview")
    return next((problem.message for problem in check_purview([loaded], []) if problem.severity == "error"), "")


def _first(error: ValidationError, below: int = 0) -> str:
    """The first defect, with where it is below the object."""
    details = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in details["loc"][below:] if not str(step).startswith("<"))
    return f"{where} {details['msg']}".strip()


def _ruleset_told(name: str, sort: str, system: str) -> dict[str, str]:
    """The ruleset of a scan in a document's words; `system` is the name that stands for the system's."""
    if not name:
        return {"rulesetType": "none"} if system else {}
    usual = "System" if name.casefold() == system.casefold() else "Custom"
    return {"ruleset": name, **({"rulesetType": sort} if sort and sort != usual else {})}


def _own(item: Item, *within: str) -> Iterator[tuple[str, Any]]:
    """What of an object is not the service's own."""
    path = ".".join(within)
    for name, value in (item.body.get(within[0]) or {}).items():
        if f"{path}.{name}" not in KINDS[item.kind].computed and (kept := bare(value)) not in (None, [], {}, ""):
            yield name, kept


def _names(collections: list[dict[str, Any]]) -> Iterator[str]:
    """The names of collections and of all that lie in them."""
    for one in collections:
        yield one["name"]
        yield from _names(one.get("collections", []))


def _inside(item: Item) -> Mapping[str, Any]:
    properties = item.body.get("properties")
    return properties if isinstance(properties, dict) else {}


def _some(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if body.get(name) not in (None, "")}


def _filter(item: Item) -> dict[str, Any]:
    properties = _inside(item)
    return {key: list(properties[name]) for name, key in FILTERS.items() if properties.get(name)}


def _trigger(item: Item) -> dict[str, Any]:
    properties = _inside(item)
    recurrence = properties.get("recurrence") or {}
    schedule = _some(recurrence.get("schedule") or {}, *_SCHEDULE)
    told = _some(recurrence, "frequency", "interval", "startTime", "endTime", "timeZone")
    told |= {"schedule": schedule} if schedule else {}
    trigger = {"level": properties.get("scanLevel") or "Incremental", "recurrence": told}
    return {**trigger, "enabled": False} if properties.get("state") == "Disabled" else trigger


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+", " ", text)
