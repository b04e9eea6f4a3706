"""Where a template stands: its parameters, variables, outputs, and the resources that it can refer to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.planned.expressions import Meter, Unknown, evaluate, find_key, resolve, text_of, unknown
from sovereignmesh.audit.planned.functions import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sovereignmesh.audit.planned.expressions import Node

__all__ = ["Frame", "Place", "Template", "resource_id"]

_GROUP: Final = "Microsoft.Resources/resourceGroups"
_DEPLOYMENTS: Final = "microsoft.resources/deployments"
_DEEPEST: Final = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is deployed: subscription and resource group, each known or not; "" for no group."""

    subscription: Any
    group: Any

    @property
    def id(self) -> str:
        """The id of the group, or of the subscription where there is no group."""
        outer = f"/subscriptions/{text_of(self.subscription)}"
        return f"{outer}/resourceGroups/{text_of(self.group)}" if self.group != "" else outer


def resource_id(place: str, kind: str, names: Iterable[Any]) -> str:
    """The id of a resource of that type and name below `place`, an id; what is not known stands in braces."""
    provider, *types = kind.split("/")
    segments = [text_of(name) for name in names]
    if kind.lower() == _GROUP.lower():
        return f"{place.partition('/resourceGroups/')[0]}/resourceGroups/{segments[-1]}"
    pairs = "".join(f"/{one}/{name}" for one, name in zip(types, segments, strict=False))
    return f"{place}/providers/{provider}{pairs}"


@dataclass(slots=True)
class Template:
    """A template in its place, with the parameters that it was given."""

    document: dict[str, Any]
    place: Place  # what its functions mean by resource group and subscription
    given: Mapping[str, Any] = field(default_factory=dict)  # as the outer template writes them
    outer: Frame | None = None
    shares: bool = False  # its expressions are those of the outer template
    depth: int = 0
    deployments: dict[str, Template] = field(default_factory=dict)  # by symbolic name and by id, in lower case
    resources: dict[str, tuple[str, Any, Any]] = field(default_factory=dict)  # by symbolic name: id, type, api-version
    meter: Meter = field(default_factory=Meter)
    _values: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A nested template counts with the one around it."""
        if self.outer is not None:
            self.meter = self.outer.meter

    def value(self, kind: str, name: str) -> Any:
        """A parameter, variable or output."""
        if self.shares and self.outer is not None and kind != "outputs":
            return self.outer.template.value(kind, name)
        key = (kind, name.lower())
        if key not in self._values:
            self._values[key] = unknown(kind, name, self.place.id)  # what it is to one that refers to itself
            self._values[key] = self._find(kind, name)
        return self._values[key]

    def _find(self, kind: str, name: str) -> Any:
        frame = self.outer if self.shares and self.outer is not None else Frame(self)
        given = find_key(self.given, name) if kind == "parameters" else None
        if given is not None:
            if self.outer is None or type(given) is not dict or "value" not in given:
                self.meter.weigh(given)
                return unknown(kind, name, given, self.place.id)  # a secret, or none
            return resolve(given["value"], self.outer)
        table = self.document.get(kind)
        self.meter.spend(len(table) // 8 if type(table) is dict and name not in table else 0)  # each name is looked at
        written = find_key(table, name)
        if kind == "variables":
            if written is None and type(table) is dict and "copy" in table:
                written = find_key(resolve({"copy": table["copy"]}, frame), name)
                return unknown(kind, name, self.place.id) if written is None else written
            return unknown(kind, name, self.place.id) if written is None else resolve(written, frame)
        inner = "defaultValue" if kind == "parameters" else "value"
        if type(written) is not dict or inner not in written:
            return unknown(kind, name, self.place.id)
        return resolve(written[inner], frame)


@dataclass(frozen=True, slots=True)
class Frame:
    """The functions of a template, at one turn of the loops around."""

    template: Template
    turns: Mapping[str, Any] = field(default_factory=dict)
    turn: Any = None
    depth: int = 0

    @property
    def meter(self) -> Meter:
        return self.template.meter

    def repeated(self, name: str, index: Any) -> Frame:
        return replace(self, turns={**self.turns, name.lower(): index}, turn=index)

    def call(self, name: str, arguments: tuple[Node, ...]) -> Any:
        if self.depth > _DEEPEST:
            return unknown(name)
        inner = replace(self, depth=self.depth + 1)
        special = _LAZY.get(name)
        if special is not None:
            return special(inner, arguments)
        values = _values(inner, arguments)
        known = _KNOWN.get(name)
        return apply(name, values, self.meter) if known is None else known(self, values)


def _values(frame: Frame, arguments: tuple[Node, ...]) -> list[Any]:
    """The values of the arguments, counted with what it takes to go through them."""
    values = [evaluate(argument, frame) for argument in arguments]
    for value in values:
        frame.meter.weigh(value)
    return values


def _if(frame: Frame, arguments: tuple[Node, ...]) -> Any:
    if len(arguments) != 3:  # noqa: PLR2004 - condition, then, else
        return unknown("if")
    condition = evaluate(arguments[0], frame)
    if type(condition) is bool:
        return evaluate(arguments[1] if condition else arguments[2], frame)
    one, other = _values(frame, arguments[1:])
    return one if one == other else unknown("if", condition, one, other)


def _logic(stop: bool) -> Callable[[Frame, tuple[Node, ...]], Any]:
    def decide(frame: Frame, arguments: tuple[Node, ...]) -> Any:
        values = _values(frame, arguments)
        if any(value is stop for value in values):
            return stop
        return (not stop) if all(type(value) is bool for value in values) else unknown("or" if stop else "and", *values)

    return decide


def _coalesce(frame: Frame, arguments: tuple[Node, ...]) -> Any:
    for argument in arguments:
        value = evaluate(argument, frame)
        if value is not None:
            return value
    return None


def _named(kind: str) -> Callable[[Frame, list[Any]], Any]:
    def find(frame: Frame, values: list[Any]) -> Any:
        return frame.template.value(kind, values[0]) if values and type(values[0]) is str else unknown(kind, *values)

    return find


def _copy_index(frame: Frame, values: list[Any]) -> Any:
    named = bool(values) and type(values[0]) is str
    turn = frame.turns.get(values[0].lower()) if named else frame.turn
    offset = (values[1:] if named else values) or [0]
    if type(turn) is int and type(offset[0]) is int:
        return turn + offset[0]
    return unknown("copyIndex", *values)


def _group(frame: Frame, _: list[Any]) -> Any:
    place = frame.template.place
    return {
        "id": _identity(place.id),
        "name": place.group,
        "location": unknown("resourceGroup.location", place.id),
        "tags": unknown("resourceGroup.tags", place.id),
    }


def _subscription(frame: Frame, _: list[Any]) -> Any:
    subscription = frame.template.place.subscription
    whole = f"/subscriptions/{text_of(subscription)}"
    return {
        "id": _identity(whole),
        "subscriptionId": subscription,
        "tenantId": unknown("tenantId", whole),
        "displayName": unknown("subscription.displayName", whole),
    }


def _identity(text: str) -> Any:
    return Unknown(text, text) if "{" in text else text


def _typed(values: list[Any]) -> int:
    """Where the type stands among the arguments of a function for ids; -1 where it is not known."""
    return next((at for at, one in enumerate(values) if type(one) is str and "/" in one and "." in one), -1)


def _resource_id(frame: Frame, values: list[Any]) -> Any:
    at = _typed(values)
    if at not in (0, 1, 2) or not values[at + 1 :]:
        return unknown("resourceId", *values)
    place = frame.template.place
    if at:
        place = Place(values[0] if at == 2 else place.subscription, values[at - 1])  # noqa: PLR2004
    return _identity(resource_id(place.id, values[at], values[at + 1 :]))


def _subscription_id(frame: Frame, values: list[Any]) -> Any:
    at = _typed(values)
    if at not in (0, 1) or not values[at + 1 :]:
        return unknown("subscriptionResourceId", *values)
    place = Place(values[0] if at else frame.template.place.subscription, "")
    return _identity(resource_id(place.id, values[at], values[at + 1 :]))


def _extension_id(_: Frame, values: list[Any]) -> Any:
    if _typed(values[1:]) != 0 or not values[2:]:
        return unknown("extensionResourceId", *values)
    return _identity(resource_id(text_of(values[0]), values[1], values[2:]))


def _resource_info(frame: Frame, values: list[Any]) -> Any:
    found = frame.template.resources.get(str(values[0]).lower()) if values else None
    if found is None:
        return unknown("resourceInfo", *values)
    identity, kind, version = found
    return {"id": _identity(identity), "type": kind, "apiVersion": version, "name": identity.rpartition("/")[2]}


def _reference(frame: Frame, values: list[Any]) -> Any:
    """What a deployed resource will say of itself: for a nested deployment its outputs, otherwise what names it."""
    name = text_of(values[0]) if values else ""
    template = frame.template
    deployment = template.deployments.get(name.lower())
    if deployment is not None and deployment.depth < _DEEPEST:
        outputs = deployment.document.get("outputs")
        names = list(outputs) if type(outputs) is dict else []
        outputs = {one: {"value": deployment.value("outputs", one)} for one in names}
        return {"outputs": template.meter.bounded(outputs, "reference")}
    if name.lower() in template.resources:
        name = template.resources[name.lower()][0]
    if "/providers/" not in name or f"/providers/{_DEPLOYMENTS}/" in name.lower():
        return unknown("reference", *values)
    return replace(unknown("reference", name), of=name)


def _nothing_known(name: str) -> Callable[[Frame, list[Any]], Any]:
    return lambda frame, values: unknown(name, *values, frame.template.place.id)


_LAZY: Final[dict[str, Callable[[Frame, tuple[Node, ...]], Any]]] = {
    "if": _if, "and": _logic(stop=False), "or": _logic(stop=True), "coalesce": _coalesce,
}  # fmt: skip
_KNOWN: Final[dict[str, Callable[[Frame, list[Any]], Any]]] = {
    "parameters": _named("parameters"),
    "variables": _named("variables"),
    "copyindex": _copy_index,
    "resourcegroup": _group,
    "subscription": _subscription,
    "resourceid": _resource_id,
    "subscriptionresourceid": _subscription_id,
    "extensionresourceid": _extension_id,
    "resourceinfo": _resource_info,
    "reference": _reference,
    "deployment": _nothing_known("deployment"),
    "environment": _nothing_known("environment"),
    "tenant": _nothing_known("tenant"),
}
