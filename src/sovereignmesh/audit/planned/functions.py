"""The functions of ARM templates whose value their arguments decide.

Their meaning: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.planned.expressions import LONGEST, Unknown, find_key, text_of, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.audit.planned.expressions import Meter

__all__ = ["apply"]

_LARGEST: Final = 2**63  # numbers are of 64 bits
_DIGITS: Final = 4
_MARKS: Final = 100


def apply(name: str, arguments: list[Any], meter: Meter) -> Any:
    """The value of the function called `name` (in lower case); an `Unknown` where it has none before deployment."""
    if name in _TEXTS:
        found = _joined(name, arguments)
        return meter.bounded(found, name) if type(found) is list else found
    function, through = _FUNCTIONS.get(name, (None, False))
    if function is None or any(isinstance(one, Unknown) for one in arguments):
        return unknown(name, *arguments)
    if not through and _holds_unknown(arguments):
        return unknown(name, *arguments)
    try:
        found = function(*arguments)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, ZeroDivisionError, RecursionError):
        return unknown(name, *arguments)  # the deployment would say what is wrong with it
    if found is NotImplemented or (type(found) is int and not -_LARGEST <= found < _LARGEST):
        return unknown(name, *arguments)
    return meter.bounded(found, name)


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, Unknown):
        return True
    if type(value) is dict:
        value = value.values()
    elif type(value) is not list:
        return False
    return any(_holds_unknown(item) for item in value)


def _joined(name: str, arguments: list[Any]) -> Any:
    """A text made of others: where one is not known, the others still tell two of them apart."""
    if name == "concat" and arguments and all(type(one) is list for one in arguments):
        return [item for one in arguments for item in one]
    if name == "format":
        pattern, *values = arguments or [""]
        if type(pattern) is not str:
            return unknown(name, *arguments)
        parts = _formatted(pattern, values)
    else:
        parts = arguments
    if parts is None or any(type(part) in (list, dict) or part is None for part in parts):
        return unknown(name, *arguments)
    shown = [_shown(part) for part in parts]
    if sum(map(len, shown)) > LONGEST:
        return unknown(name, *arguments)
    text = "".join(shown)
    if not any(isinstance(part, Unknown) for part in parts):
        return text
    spoken = [part for part in parts if part != ""]
    first = spoken[0] if spoken else None
    return Unknown(text, first.target if isinstance(first, Unknown) else None)


def _shown(value: Any) -> str:
    return str(value) if type(value) is bool else text_of(value)  # .NET writes True and False


def _formatted(pattern: str, values: list[Any]) -> list[Any] | None:
    """The parts of a composite format; None for one with an alignment or a format of its own."""
    parts: list[Any] = []
    rest = pattern.replace("{{", "\0").replace("}}", "\1")
    while rest:
        before, open_brace, rest = rest.partition("{")
        parts.append(before.replace("\0", "{").replace("\1", "}"))
        if not open_brace:
            return parts
        number, close, rest = rest.partition("}")
        if not close or not number.isdecimal() or len(number) > _DIGITS or int(number) >= len(values):
            return None
        parts.append(values[int(number)])
    return parts


def _union(*values: Any) -> Any:
    if all(type(value) is list for value in values):
        found = {(type(item), text_of(item)): item for value in reversed(values) for item in reversed(value)}
        return NotImplemented if _holds_unknown(list(values)) else list(reversed(found.values()))
    if not all(type(value) is dict for value in values):
        return NotImplemented
    merged: dict[str, Any] = {}
    names: dict[str, str] = {}
    for value in values:
        for key, item in value.items():
            same = names.setdefault(key.lower(), key)
            merged[same] = _merged(merged[same], item) if same in merged else item
    return merged


def _merged(old: Any, new: Any) -> Any:
    """One value of a union: two objects become one, so that it is not known where one of them is not."""
    objects = type(old) is dict, type(new) is dict
    if all(objects):
        return _union(old, new)
    if any(objects) and (isinstance(old, Unknown) or isinstance(new, Unknown)):
        return unknown("union", old, new)
    return unknown("union", old, new) if isinstance(old, Unknown) and isinstance(new, Unknown) else new


def _contains(container: Any, item: Any) -> Any:
    if type(container) is dict:
        return any(key.lower() == str(item).lower() for key in container)
    if type(container) is list and _holds_unknown(container):
        return True if item in container else NotImplemented
    return text_of(item) in container if type(container) is str else item in container


def _empty(value: Any) -> bool:
    return value is None or len(value) == 0


def _equals(one: Any, other: Any) -> Any:
    if type(one) is bool or type(other) is bool:
        return type(one) is type(other) and one == other
    return one == other


def _replace(text: str, old: str, new: str) -> Any:
    fits = old and len(text) + text.count(old) * len(new) <= LONGEST
    return text.replace(old, new) if fits else NotImplemented


def _join(items: list[Any], mark: str) -> Any:
    texts = [_to_text(item) for item in items]
    fits = sum(map(len, texts)) + len(texts) * len(mark) <= LONGEST
    return mark.join(texts) if fits else NotImplemented


def _substring(text: str, start: int, length: int | None = None) -> Any:
    end = len(text) if length is None else start + length
    return text[start:end] if 0 <= start <= end <= len(text) else NotImplemented


def _split(text: str, marks: str | list[str]) -> Any:
    every = marks if type(marks) is list else [str(marks)]
    if not all(every) or not 0 < len(every) <= _MARKS:
        return NotImplemented
    return re.split("|".join(map(re.escape, every)), text)


def _to_int(value: Any) -> Any:
    return int(value) if type(value) in (int, str) else NotImplemented


def _to_bool(value: Any) -> Any:
    if type(value) is int:
        return value != 0
    known = {"true": True, "false": False}
    return value if type(value) is bool else known.get(value.lower(), NotImplemented)


def _to_text(value: Any) -> Any:
    return value if type(value) is str else str(value) if type(value) in (int, bool) else json.dumps(value)


def _integers(compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    return lambda one, other: compute(one, other) if type(one) is int and type(other) is int else NotImplemented


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    return lambda one, other: compare(one, other) if type(one) is type(other) else NotImplemented


def _divide(one: int, other: int) -> int:
    """What is left of the fraction goes, so that -7 by 2 is -3."""
    whole = abs(one) // abs(other)
    return whole if (one < 0) == (other < 0) else -whole


def _items(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": table[key]} for key in sorted(table, key=str.lower)]


def _try_get(value: Any, *keys: Any) -> Any:
    for key in keys:
        if type(value) is list and type(key) is int:
            value = value[key] if 0 <= key < len(value) else None
        else:
            value = find_key(value, key)
    return value


def _make_object(*pairs: Any) -> Any:
    named = all(type(name) is str for name in pairs[::2])
    return dict(zip(pairs[::2], pairs[1::2], strict=True)) if named else NotImplemented


_TEXTS: Final = frozenset({"concat", "format"})
# Each with whether what is not known inside its arguments may pass through it.
_FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], bool]]] = {
    "add": (_integers(lambda one, other: one + other), False),
    "array": (lambda value: value if type(value) is list else [value], True),
    "bool": (_to_bool, False),
    "contains": (_contains, True),
    "createarray": (lambda *items: list(items), True),
    "createobject": (_make_object, True),
    "div": (_integers(_divide), False),
    "empty": (_empty, True),
    "endswith": (lambda text, end: text.lower().endswith(end.lower()), False),
    "equals": (_equals, False),
    "false": (lambda: False, False),
    "first": (lambda value: value[0] if value else (None if type(value) is list else ""), True),
    "flatten": (lambda lists: [item for one in lists for item in one], True),
    "greater": (_ordered(lambda one, other: one > other), False),
    "greaterorequals": (_ordered(lambda one, other: one >= other), False),
    "indexof": (lambda text, part: text.lower().find(part.lower()) if type(text) is str else NotImplemented, False),
    "int": (_to_int, False),
    "items": (_items, True),
    "join": (_join, False),
    "json": (json.loads, False),
    "last": (lambda value: value[-1] if value else (None if type(value) is list else ""), True),
    "length": (len, True),
    "less": (_ordered(lambda one, other: one < other), False),
    "lessorequals": (_ordered(lambda one, other: one <= other), False),
    "mod": (_integers(lambda one, other: one - other * _divide(one, other)), False),
    "mul": (_integers(lambda one, other: one * other), False),
    "not": (lambda value: not value if type(value) is bool else NotImplemented, False),
    "null": (lambda: None, False),
    "objectkeys": (lambda table: sorted(table, key=str.lower), True),
    "range": (lambda start, count: list(range(start, start + count)) if count <= 800 else NotImplemented, False),  # noqa: PLR2004 - the most that a loop may run
    "replace": (_replace, False),
    "skip": (lambda value, count: value[max(count, 0) :], True),
    "split": (_split, False),
    "startswith": (lambda text, start: text.lower().startswith(start.lower()), False),
    "string": (_to_text, False),
    "sub": (_integers(lambda one, other: one - other), False),
    "substring": (_substring, False),
    "take": (lambda value, count: value[: max(count, 0)], True),
    "tolower": (str.lower, False),
    "toupper": (str.upper, False),
    "trim": (str.strip, False),
    "true": (lambda: True, False),
    "tryget": (_try_get, True),
    "union": (_union, True),
}
