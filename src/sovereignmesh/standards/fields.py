"""One field and its property in a contract: a row for each thing that is said of it, with both directions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.mesh.products import FieldWish
from sovereignmesh.standards.checks import METRICS_SINCE, metric_of, none_may, severity_of, take_check, write_check
from sovereignmesh.standards.ecma import from_ecma, to_ecma
from sovereignmesh.standards.reading import CUSTOM, customs
from sovereignmesh.standards.sql import not_among, outside

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.standards.reading import Part
    from sovereignmesh.standards.words import Version
    from sovereignmesh.yamlfile import Path

__all__ = ["read_field", "write_field"]

_ENUM_SINCE: Final = (3, 2)
_NUMBERS: Final = frozenset({"number", "integer"})
_MOMENTS: Final = frozenset({"date", "timestamp", "time"})
_BEFORE_3_1: Final = {"timestamp": "date", "time": "string"}  # 3.0 has one type for days and moments
_NEARBY: Final = {"map": "object", "vector": "array"}  # types that only the standard has
_COUNTS: Final = {"nullValues": "required", "duplicateValues": "unique", "duplicateCount": "unique"}
_LONGEST: Final = 1000  # of a repetition in a pattern
OPTIONS: Final = "logicalTypeOptions"


def write_field(wish: FieldWish, version: Version) -> dict[str, Any]:
    """The property of a field in a contract of this version of the standard."""
    written = _Written(version)
    for row in _ROWS:
        row.write(wish, written)
    found = {"name": wish.name, **written.keys, OPTIONS: written.options, "quality": written.quality}
    found = {key: value for key, value in found.items() if value not in ({}, [])}
    hidden = written.hidden or ({} if len(found) > 1 else {"described": True})
    return found | ({CUSTOM: customs(version, hidden)} if hidden else {})


def read_field(part: Part) -> FieldWish | None:
    """The field that a property describes; None where the property has no more than its name."""
    found = _Found({"name": part.get("name")}, {"name": (*part.path, "name")})
    for row in _ROWS:
        row.read(part, found)
    described = len(found.values) > 1 or part.custom("described")
    field = part.build(FieldWish, found.values, found.places)  # whose name is checked in any case
    return field if described else None


@dataclass(slots=True)
class _Written:
    """What a property says: in the standard's own words, or hidden where it has none."""

    version: Version
    keys: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    hidden: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What was found of a field, where, and which checks said it."""

    values: dict[str, Any]
    places: dict[str, Path]
    checks: list[Part] = field(default_factory=list)

    def add(self, key: str, value: Any, place: Path, check: Part | None = None) -> bool:
        """Keeps the value unless another is there already; whether it is kept."""
        if value is None or self.values.get(key, value) != value:
            return False
        self.values[key] = value
        self.places.setdefault(key, place)
        if check is not None:
            take_check(check)
            self.checks.append(check)
        return True


@dataclass(frozen=True, slots=True)
class _Row:
    """One thing that is said of a field: how it is written, and how it is read, also where others wrote it."""

    write: Callable[[FieldWish, _Written], None]
    read: Callable[[Part, _Found], None]


def _same(key: str) -> _Row:
    """A word that both have."""

    def write(wish: FieldWish, written: _Written) -> None:
        written.keys |= {key: getattr(wish, key)} if getattr(wish, key) else {}

    def read(part: Part, found: _Found) -> None:
        found.add(key, part.get(key) or None, (*part.path, key))

    return _Row(write, read)


def _type_in(version: Version, kind: str | None) -> str | None:
    return _BEFORE_3_1.get(kind or "", kind) if version < METRICS_SINCE else kind


def _write_type(wish: FieldWish, written: _Written) -> None:
    kind = _type_in(written.version, wish.type)
    written.keys |= {"logicalType": kind} if kind else {}
    written.hidden |= {"type": wish.type} if kind != wish.type else {}


def _read_type(part: Part, found: _Found) -> None:
    kind, hidden = part.value.get("logicalType"), part.custom("type", take=False)
    if isinstance(hidden, str) and _type_in(part.source.version, hidden) == kind:
        kind = part.custom("type")
    elif kind in _NEARBY:
        part.note("logicalType", f"'{kind}' is no type of a field here, '{_NEARBY[kind]}' is taken instead")
        kind = _NEARBY[kind]
    part.take("logicalType")
    found.add("type", kind, (*part.path, "logicalType"))


def _write_pattern(wish: FieldWish, written: _Written) -> None:
    if wish.pattern is None:
        return
    ecma = to_ecma(wish.pattern)
    if ecma is not None and written.keys.get("logicalType") == "string":
        written.options["pattern"] = ecma
    elif ecma is not None and written.version >= METRICS_SINCE:
        what = {"metric": "invalidValues", "arguments": {"pattern": ecma}}
        written.quality.append(write_check(what, wish.severity))
    else:
        ecma = None
    written.hidden |= {"pattern": wish.pattern} if ecma is None or from_ecma(ecma) != wish.pattern else {}


def _read_pattern(part: Part, found: _Found) -> None:
    open_ones: list[tuple[Part, Part | None]] = []
    if "pattern" in part.part(OPTIONS).value:
        open_ones.append((part.part(OPTIONS), None))
    for item in part.parts("quality"):
        arguments = item.part("arguments")
        if isinstance(arguments.value.get("pattern"), str) and metric_of(item) == "invalidValues" and none_may(item):
            open_ones.append((arguments, item))
    hidden, place = part.custom("pattern", take=False), part.place_of("pattern")
    if place and _still_says(hidden, [holder.value["pattern"] for holder, _ in open_ones], part):
        found.add("pattern", part.custom("pattern"), place)
        for holder, check in open_ones:
            holder.take("pattern")
            found.add("pattern", hidden, place, check)
        return
    for holder, check in open_ones:
        try:
            pattern = from_ecma(holder.value["pattern"])
        except ValueError as error:
            holder.note("pattern", f"the data is not held against it here, as {error}")
            continue
        if found.add("pattern", pattern, (*holder.path, "pattern"), check):
            holder.take("pattern")
    _read_lengths(part.part(OPTIONS), found)


def _still_says(hidden: object, open_ones: list[str], part: Part) -> bool:
    """Whether a hidden pattern is what the open ones say: nobody changed them since."""
    try:
        ecma = to_ecma(hidden) if isinstance(hidden, str) else None
    except ValueError:
        return True  # the model says what is wrong with it
    lost = not open_ones and ecma is not None and part.value.get("logicalType") == "string"
    return not lost and all(ecma == each for each in open_ones)


def _read_lengths(options: Part, found: _Found) -> None:
    least, most = options.value.get("minLength") or 0, options.value.get("maxLength")
    if (least or most is not None) and max(least, most or 0) <= _LONGEST:
        pattern = rf"[\s\S]{{{int(least)},{'' if most is None else int(most)}}}"
        if found.add("pattern", pattern, (*options.path, "minLength" if most is None else "maxLength")):
            options.take("minLength", "maxLength")


def _write_values(wish: FieldWish, written: _Written) -> None:
    values = list(wish.allowed_values or ())
    different = len({(isinstance(value, bool), value) for value in values}) == len(values)
    if written.version >= _ENUM_SINCE and values and different:
        written.keys["enum"] = [{"value": value} for value in values]
    elif values and written.version >= METRICS_SINCE:
        what = {"metric": "invalidValues", "arguments": {"validValues": values}}
        written.quality.append(write_check(what, wish.severity))
    elif values:
        _write_query(wish, written, "allowedValues", values, not_among(values))


def _read_values(part: Part, found: _Found) -> None:
    if listed := part.parts("enum"):
        found.add("allowedValues", [item.get("value") for item in listed], (*part.path, "enum"))
    hidden = part.custom("allowedValues", take=False)
    if isinstance(hidden, list) and all(isinstance(value, str | int | float) for value in hidden):
        _read_query(part, found, "allowedValues", not_among(hidden))
    for item in part.parts("quality"):
        old, new = metric_of(item) == "validValues", metric_of(item) == "invalidValues" and none_may(item)
        for holder in (item, item.part("arguments")):
            values = holder.value.get("validValues")
            fits = (old or new) and isinstance(values, list)
            if fits and found.add("allowedValues", values, (*holder.path, "validValues"), item):
                holder.take("validValues")


def _bound(key: str, operator: str, step: int) -> _Row:
    """A bound: an option of some types, and for the others a query."""

    def write(wish: FieldWish, written: _Written) -> None:
        bound = getattr(wish, key)
        if bound is None:
            return
        if written.keys.get("logicalType") in (_MOMENTS if isinstance(bound, str) else _NUMBERS):
            written.options[key] = bound
        else:
            _write_query(wish, written, key, bound, outside(operator, bound))

    def read(part: Part, found: _Found) -> None:
        options, hidden = part.part(OPTIONS), part.custom(key, take=False)
        if isinstance(hidden, str | int | float):
            _read_query(part, found, key, outside(operator, hidden))
        found.add(key, _least(options, key, step, part.value.get("logicalType")), (*options.path, key))

    return _Row(write, read)


def _write_query(wish: FieldWish, written: _Written, key: str, value: Any, query: str) -> None:
    """Says by a query what this version, or this type, has no word for."""
    written.quality.append(write_check({"type": "sql", "query": query}, wish.severity))
    written.hidden[key] = value


def _read_query(part: Part, found: _Found, key: str, query: str) -> None:
    """Takes the hidden value where a check still has the query of it."""
    for item in part.parts("quality"):
        if item.value.get("query") == query and none_may(item):
            item.take("query")
            found.add(key, part.custom(key), part.place_of(key) or part.path, item)


def _least(options: Part, key: str, step: int, kind: object) -> Any:
    """The bound that the options say, itself allowed. One that is not has another word for whole numbers alone."""
    word = f"exclusive{key.capitalize()}"
    excluded, bound = options.value.get(word), options.value.get(key)
    if excluded is True and kind == "integer" and isinstance(bound, int | float):
        options.take(key, word)
        return _next(bound, step)
    if isinstance(excluded, int | float) and not isinstance(excluded, bool) and kind == "integer":
        options.take(word)
        beside = _next(excluded, step)
        return max(options.get(key) * step, beside * step) * step if isinstance(bound, int | float) else beside
    if excluded is False:
        options.take(word)
    return options.get(key)


def _next(bound: float, step: int) -> int:
    return math.floor(bound) + 1 if step > 0 else math.ceil(bound) - 1


def _read_counts(part: Part, found: _Found) -> None:
    """Checks that nothing is missing or there twice, which here are words of the field."""
    for item in part.parts("quality"):
        key = _COUNTS.get(metric_of(item) or "")
        if key and none_may(item):
            found.add(key, True, item.path, item)
            item.expect("dimension", "completeness" if key == "required" else "uniqueness")


def _write_severity(wish: FieldWish, written: _Written) -> None:
    written.hidden |= {"severity": wish.severity} if wish.severity else {}


def _read_severity(part: Part, found: _Found) -> None:
    found.add("severity", part.custom("severity"), part.place_of("severity") or part.path)
    for item in found.checks:
        if found.add("severity", severity_of(item), (*item.path, "severity")):
            item.take("severity")


_ROWS: Final = (
    _Row(_write_type, _read_type),
    _same("description"),
    _same("required"),
    _same("unique"),
    _Row(_write_values, _read_values),
    _Row(_write_pattern, _read_pattern),
    _bound("minimum", "<", 1),
    _bound("maximum", ">", -1),
    _Row(lambda _wish, _written: None, _read_counts),
    _Row(_write_severity, _read_severity),
)
