"""A compiled ARM template, as `bicep build` makes it: what it deploys, as far as the template alone decides that.

Its form: https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax; nested deployments:
https://learn.microsoft.com/azure/azure-resource-manager/templates/linked-templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.audit.pages import Unread
from sovereignmesh.audit.planned.expressions import Partly, TooMuchError, Unknown, find_key, resolve, text_of
from sovereignmesh.audit.planned.rows import Planned, finish, tell_unknown
from sovereignmesh.audit.planned.scope import Frame, Place, Template, resource_id
from sovereignmesh.facts.terraform import without_data

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["template_rows"]

_DEPLOYMENTS: Final = "microsoft.resources/deployments"
_BODY: Final = ("location", "tags", "sku", "kind", "properties", "apiVersion", "managedBy", "identity", "zones")
_DEEPEST: Final = 30
_MOST: Final = 800
_STEPS: Final = 20  # that a resource takes beside its expressions
# What `extension NAME` in Bicep compiles to, by whether its resources are those of Azure Resource Manager
# (https://github.com/Azure/bicep/blob/main/src/Bicep.Core.Samples/Files/baselines/Extensions_CRLF/main.sourcemap.bicep,
# https://github.com/Azure/bicep/blob/main/src/Bicep.Core/Semantics/Namespaces/MicrosoftGraphNamespaceType.cs).
_EXTENSIONS: Final = {"azureresourcemanager": True, "kubernetes": False, "microsoftgraph": False}


def template_rows(document: dict[str, Any], name: str) -> Iterator[Any]:
    """The rows of what the template deploys, and an `Unread` for each part that tells nothing.

    A resource whose condition is not known before deployment is judged as if it will be there, but answers for none
    that will be there without it; one that may be there already is judged as if the template made it.
    """
    subscription = Unknown("{subscription}")
    place = Place(subscription, "" if _at_subscription(document) else Unknown("{resourceGroup}"))
    try:
        found = list(_Walk(name).template(Template(document, place), place, ""))
    except TooMuchError as error:  # what it would have told may be a child of what it has told
        yield Unread(name, str(error), final=True)
        return
    yield from (one for one in found if isinstance(one, Unread))
    yield from finish(one for one in found if isinstance(one, Planned))


def _at_subscription(document: dict[str, Any]) -> bool:
    schema = document.get("$schema")
    return type(schema) is str and "subscriptiondeploymenttemplate" in schema.lower()


class _Parent(NamedTuple):
    kind: str
    name: Any


class _Around(NamedTuple):
    """What is around a list of resources: the conditions of all of them, and the resource whose children they are."""

    whether: frozenset[str]
    parent: _Parent | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One resource of a template, at one turn of its loop."""

    written: dict[str, Any]
    frame: Frame
    label: str
    kind: str
    id: str
    name: str
    whether: frozenset[str]
    existing: bool


class _Walk:
    """Goes through the templates of the file `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def template(
        self, template: Template, place: Place, prefix: str, whether: frozenset[str] = frozenset()
    ) -> Iterator[Planned | Unread]:
        """What a template deploys to a place: first all are named, so that each can refer to any other."""
        written = template.document.get("resources")
        if type(written) not in (list, dict):
            yield self._unread(prefix, "a template without resources")
            return
        outer = template.outer if template.shares and template.outer is not None else Frame(template)
        entries: list[_Entry] = []
        frame = Frame(template, outer.turns, outer.turn)
        for found in self._entries(written, frame, place, prefix, _Around(whether)):
            if isinstance(found, Unread):
                yield found
            else:
                entries.append(found)
                symbol = found.label.removeprefix(prefix).lower()
                template.resources[symbol] = (found.id, found.kind, found.written.get("apiVersion"))
        nested = {one.label: self._nested(one, place) for one in entries if one.kind.lower() == _DEPLOYMENTS}
        for one in entries:
            if isinstance(inner := nested.get(one.label), tuple):
                for key in (one.id.lower(), one.label.removeprefix(prefix).lower()):
                    template.deployments[key] = inner[0]
        for one in entries:
            yield from self._deployed(one, nested.get(one.label))

    def _deployed(self, one: _Entry, nested: tuple[Template, Place] | Unread | None) -> Iterator[Planned | Unread]:
        if one.existing:
            return
        if isinstance(nested, Unread):
            yield nested
        elif nested is not None:
            yield from self.template(*nested, f"{one.label}.", one.whether)
        elif not without_data(one.kind):
            yield _planned(one)

    def _unread(self, label: str, why: str, *, final: bool = False) -> Unread:
        return Unread(f"{self._name}: {label}" if label else self._name, why, final=final)

    def _entries(
        self, written: Any, frame: Frame, place: Place, prefix: str, around: _Around
    ) -> Iterator[_Entry | Unread]:
        """The resources of a list or of an object of symbolic names, each turn of a loop by itself."""
        symbolic = type(written) is dict
        pairs = written.items() if symbolic else ((f"resources[{at}]", one) for at, one in enumerate(written))
        for label, resource in pairs:
            where = f"{prefix}{label}"
            frame.meter.spend(_STEPS)
            frame.meter.write(where)
            if type(resource) is not dict or type(resource.get("type")) is not str:
                yield self._unread(where, "a resource without a type")
                continue
            azures = _is_azures(resource, frame.template.document)
            if azures is None:
                yield self._unread(where, "it is not known of which extension it is, so that it may be one of Azure")
            if not azures:
                continue
            copy = resource.get("copy")
            if type(copy) is not dict:
                yield from self._entry(resource, frame, where, place, around, symbolic=symbolic)
                continue
            loop, count = str(copy.get("name", "copy")), resolve(copy.get("count"), frame)
            inside = around
            if type(count) is int and 0 <= count <= _MOST:
                turns: list[Any] = list(range(count))
            else:
                many = f"it would be there {count} times, and a loop may run {_MOST} times"
                why = "how many of it there will be is not known before deployment"
                yield self._unread(where, many if type(count) is int else why)
                turns = [Unknown("{copyIndex}")]
                inside = around._replace(whether=around.whether | {f"copy {text_of(count)}"})
            for number, turn in enumerate(turns):
                turned = frame.repeated(loop, turn)
                yield from self._entry(resource, turned, f"{where}[{number}]", place, inside, symbolic=symbolic)

    def _entry(
        self, resource: dict[str, Any], frame: Frame, label: str, place: Place, around: _Around, *, symbolic: bool
    ) -> Iterator[_Entry | Unread]:
        frame.meter.spend(_STEPS)
        frame.meter.write(label, resource["type"])
        condition = resolve(resource.get("condition", True), frame)
        parent = around.parent
        whether = around.whether if condition is True else around.whether | {text_of(condition)}
        kind, name = resource["type"], resolve(resource.get("name"), frame)
        if parent is not None and not kind.lower().startswith(f"{parent.kind.lower()}/"):
            kind, name = f"{parent.kind}/{kind}", f"{text_of(parent.name)}/{text_of(name)}"
        told = _identify(kind, name, resolve(resource.get("scope"), frame), place, label)
        if told is None:
            yield self._unread(label, f"a resource whose type is none: {kind}")
            return
        frame.meter.write(*told)
        existing = symbolic and resource.get("existing") is True  # elsewhere the word means nothing
        if condition is not False:  # which says nothing of its children
            yield _Entry(resource, frame, label, *told, whether, existing)
        children = find_key(resource, "resources")
        if type(children) in (list, dict) and kind.lower() != _DEPLOYMENTS:
            yield from self._entries(children, frame, place, f"{label}.", _Around(around.whether, _Parent(kind, name)))

    def _nested(self, entry: _Entry, place: Place) -> tuple[Template, Place] | Unread:
        """The template that a deployment deploys, and where to."""
        properties = entry.written.get("properties")
        inner = properties.get("template") if type(properties) is dict else None
        if type(properties) is not dict or type(inner) is not dict:
            return self._unread(entry.label, "its template is elsewhere: deployments that link to one are not followed")
        if entry.frame.template.depth >= _DEEPEST:
            return self._unread(entry.label, "the template is nested too deeply")
        options = resolve(properties.get("expressionEvaluationOptions"), entry.frame)
        scope = find_key(options, "scope")
        if isinstance(options, Unknown) or isinstance(scope, Unknown):
            return self._unread(entry.label, "whose parameters its template uses is not known before deployment")
        apart = str(scope).lower() == "inner"
        subscription = resolve(entry.written.get("subscriptionId"), entry.frame) or place.subscription
        group = resolve(entry.written.get("resourceGroup"), entry.frame) or place.group
        there = Place(subscription, "" if _at_subscription(inner) else group)
        given = properties.get("parameters")
        template = Template(
            inner,
            there if apart else entry.frame.template.place,
            given if apart and type(given) is dict else {},
            entry.frame,
            not apart,
            entry.frame.template.depth + 1,
        )
        return template, there


def _is_azures(resource: dict[str, Any], document: dict[str, Any]) -> bool | None:
    """Whether a resource is one of Azure Resource Manager and not of another extension; None where it is not clear."""
    known = set()
    for key, table, name in (("import", "imports", "provider"), ("extension", "extensions", "name")):
        if (alias := resource.get(key)) is not None:
            tables = document.get(table)
            told = tables.get(alias) if type(tables) is dict and type(alias) is str else None
            known.add(_EXTENSIONS.get(str(told.get(name)).lower()) if type(told) is dict else None)
    azures = known.pop() if len(known) == 1 else None if known else True
    return None if azures and "@" in resource["type"] else azures


def _identify(kind: str, name: Any, scope: Any, place: Place, label: str) -> tuple[str, str, str] | None:
    """Type, id and name of a resource; what stands on another one has that one's id before its own.

    None where the type is none.
    """
    if "/" not in kind or "" in kind.split("/"):
        return None
    below, names = place.id, text_of(name).split("/")
    host, on_another, extension = kind.partition("/providers/")
    if on_another:
        depth = host.count("/")
        below, names = resource_id(below, host, names[:depth]), names[depth:]
        kind, names = f"{names[0]}/{extension}" if names else extension, names[1:]
    elif scope is not None:
        around = text_of(scope).strip("/")
        first, *rest = around.split("/")
        if first.lower() in ("subscriptions", "providers", ""):
            below = f"/{around}" if around else ""
        else:
            below = resource_id(below, "/".join((first, *rest[::2])), rest[1::2])
    if "/" not in kind:
        return None
    if len(names) != kind.count("/"):
        names = [f"{{{label.replace('/', '|')}}}"] * kind.count("/")
    return kind, resource_id(below, kind, names), names[-1]


def _planned(entry: _Entry) -> Planned:
    row: dict[str, Any] = {"id": entry.id, "name": entry.name, "type": entry.kind, "properties": {}}
    written = {name.lower(): value for name, value in entry.written.items()}
    for key in _BODY:
        if key.lower() in written:
            value = resolve(written[key.lower()], entry.frame)
            if key == "properties":
                del row["properties"]
            known = _known(value, key, row)
            if known is not None:
                row[key] = known
            elif key == "properties" and value is None:
                row["properties"] = {}
    return Planned(row, entry.label, entry.whether, new=True)


def _known(value: Any, path: str, row: dict[str, Any]) -> Any:
    """The value without what is not known; None where nothing is left of it."""
    if type(value) is Partly:
        for name in value.others:
            beginning = name.partition("{")[0]  # of a tag it tells which it cannot be
            tell_unknown(row, f"tags.{beginning}*" if path == "tags" and beginning else path)
        return _known(value.known, path, row)
    if isinstance(value, Unknown):
        if value.target is None:
            tell_unknown(row, path)
        return value.target
    if type(value) is dict:
        pairs = ((key, _known(inner, f"{path}.{key}", row)) for key, inner in value.items() if inner is not None)
        return {key: inner for key, inner in pairs if inner is not None}
    if type(value) is list:
        items = [_known(item, path, row) for item in value if item is not None]
        if any(item is None for item in items):
            tell_unknown(row, path)
            return None  # a list with a gap in it would pass for the whole
        return items
    return value
