"""The expressions of ARM templates: parsed, and evaluated as far as that is decided before deployment.

The language: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions. A value that only
Azure knows is an `Unknown`; whatever depends on one is one, so that nothing is ever guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LONGEST",
    "Call",
    "Get",
    "Literal",
    "Meter",
    "Scope",
    "TooMuchError",
    "Unknown",
    "evaluate",
    "find_key",
    "parse",
    "resolve",
    "text_of",
    "unknown",
]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>[+-]?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w$]*)|(?P<mark>[()\[\].,?]))"
)
# A template may have 4 MB when all is worked out
# (https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits).
LONGEST: Final = 4 * 2**20
_STEPS: Final = 1_000_000
_LONGEST_NAME: Final = 60
_LOOKS: Final = 8  # values that are looked at in the time of a step
_LETTERS: Final = 64  # letters that are written in the time of a step
_DEEPEST: Final = 100
# Properties that only name the resource that they are of: whoever is given one is tied to that resource.
_NAMING: Final = ("vaulturi", "keyuri", "keyuriwithversion", "primaryendpoints", "hsmuri", "fullyqualifieddomainname")
_MOST: Final = 800  # https://learn.microsoft.com/azure/azure-resource-manager/templates/copy-resources#copy-limits


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is not known before deployment.

    `text` is what it is, with `{}` around what is not known: two of the same text have the same value. `target` is the
    id of the resource that the value names or is an address of, `of` that of the resource of which it is the body.
    """

    text: str
    target: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Partly(Unknown):
    """An object some of whose names are not known: `others`, as far as they are. No function can tell what is in it.

    `size` is that of what is known, as `Meter.weigh` has it.
    """

    known: dict[str, Any] = field(default_factory=dict, compare=False)
    others: tuple[str, ...] = field(default=(), compare=False)
    size: int = field(default=0, compare=False)


class TooMuchError(Exception):
    """A template takes more steps than are made for one."""


class Meter:
    """Counts the steps that a template takes, nested ones included, so that none runs for ever."""

    def __init__(self) -> None:
        self._left = _STEPS

    def spend(self, steps: int = 1) -> None:
        """Counts steps. Raises TooMuchError where there were too many."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchError(f"its expressions take more than {_STEPS:,} steps to work out")

    def write(self, *texts: str) -> None:
        """Counts the steps of writing texts. Raises TooMuchError where there were too many."""
        self.spend(sum(map(len, texts)) // _LETTERS)

    def weigh(self, value: Any) -> int:
        """Counts the steps of going through a value; how long it is, or more than a whole template may be."""
        if type(value) not in (str, list, dict):
            return value.size if type(value) is Partly else 0
        size, nodes, inside = 0, 0, [value]
        while inside and size <= LONGEST:
            one = inside.pop()
            nodes += 1
            size += 2 + (len(one) if type(one) is str else 0)  # with its marks
            if type(one) is dict:
                size += sum(map(len, one))
                inside += one.values()
            elif type(one) is list:
                inside += one
            elif type(one) is Partly:
                size += one.size
        self.spend(nodes // _LOOKS + size // _LETTERS)
        return size

    def bounded(self, value: Any, what: str) -> Any:
        """The value; an `Unknown` for one that is longer than a whole template may be."""
        return value if self.weigh(value) <= LONGEST else Unknown(f"{{{what} longer than {LONGEST} characters}}")


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Get:
    base: Node
    key: Node


Node = Literal | Call | Get


class Scope(Protocol):
    """Where an expression stands: it knows the functions."""

    @property
    def meter(self) -> Meter:
        """What counts the steps."""

    def call(self, name: str, arguments: tuple[Node, ...]) -> Any:
        """The value of a function."""

    def repeated(self, name: str, index: int) -> Scope:
        """The scope inside a copy loop."""


def unknown(what: str, *parts: Any, target: str | None = None) -> Unknown:
    """The unknown value of a function with these arguments."""
    inner = ",".join(text_of(part) for part in parts)
    text = f"{what}({inner})" if parts else what
    text = text.replace("/", "|").replace("{", "").replace("}", "")
    if len(text) > _LONGEST_NAME:
        digest = hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
        text = f"{what}#{digest[:12]}"
    return Unknown(f"{{{text}}}", target)


def text_of(value: Any) -> str:
    """The value as text; what is not known in it stands in braces."""
    if isinstance(value, Unknown):
        return value.text
    if type(value) is str:
        return value
    return json.dumps(value, default=text_of, sort_keys=True)


def find_key(table: Any, name: Any) -> Any:
    """What an object has under a name, compared without case; None where there is nothing."""
    if type(table) is not dict or type(name) is not str:
        return None
    if name in table:
        return table[name]
    return next((value for key, value in table.items() if key.lower() == name.lower()), None)


@lru_cache(maxsize=4096)
def parse(text: str) -> Node | None:
    """The expression that the text between the brackets writes; None where it is none."""
    try:
        tokens = list(_tokens(text))
        node, end = _expression(tokens, 0, 0)
    except (ValueError, IndexError):
        return None
    return node if end == len(tokens) else None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ValueError(text[at:])
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _expression(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    kind, text = tokens[at]
    at += 1
    node: Node
    if kind == "string":
        node = Literal(text[1:-1].replace("''", "'"))
    elif kind == "number":
        node = Literal(float(text) if "." in text else int(text))
    elif kind == "name":
        name = text
        while tokens[at] == ("mark", "."):  # a function of the user's own
            name, at = f"{name}.{tokens[at + 1][1]}", at + 2
        arguments, at = _list(tokens, at, depth)
        node = Call(name.lower(), arguments)
    else:
        raise ValueError(text)
    while at < len(tokens) and tokens[at][1] in (".", "["):
        if tokens[at][1] == ".":
            node, at = Get(node, Literal(tokens[at + 1][1])), at + 2
        else:
            key, at = _expression(tokens, at + 1, depth + 1)
            if tokens[at] != ("mark", "]"):
                raise ValueError("]")
            node, at = Get(node, key), at + 1
    return node, at


def _list(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[tuple[Node, ...], int]:
    if tokens[at] != ("mark", "("):
        raise ValueError("(")
    found: list[Node] = []
    at += 1
    while tokens[at] != ("mark", ")"):
        node, at = _expression(tokens, at, depth + 1)
        found.append(node)
        if tokens[at] == ("mark", ","):
            at += 1
        elif tokens[at] != ("mark", ")"):
            raise ValueError(tokens[at][1])
    return tuple(found), at + 1


def evaluate(node: Node, scope: Scope) -> Any:
    """The value of an expression. Raises TooMuchError where the template has taken too many steps."""
    scope.meter.spend()
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Call):
        return scope.call(node.name, node.arguments)
    base, key = evaluate(node.base, scope), evaluate(node.key, scope)
    if isinstance(base, Unknown) or isinstance(key, Unknown):
        scope.meter.weigh(base)
        return _member(base, key)
    if type(base) is list and type(key) is int and 0 <= key < len(base):
        return base[key]
    if type(base) is dict and type(key) is str and key in base:
        return base[key]
    scope.meter.spend(scope.meter.weigh(base) // _LOOKS)  # every name is looked at, in another case too
    found = find_key(base, key)
    return unknown("missing", base, key) if found is None and not _has(base, key) else found


def _member(base: Any, key: Any) -> Unknown:
    """A member of which the object or the name is not known."""
    if not isinstance(base, Unknown):
        return unknown("member", base, key)
    name = text_of(key)
    found = unknown(f"{base.text}.{name}", target=base.target)
    if base.of and name.lower() in _NAMING:
        return replace(found, target=base.of)
    return replace(found, of=base.of) if name.lower() == "properties" else found


def _has(table: Any, name: Any) -> bool:
    return type(table) is dict and type(name) is str and any(key.lower() == name.lower() for key in table)


def resolve(value: Any, scope: Scope) -> Any:
    """The value with its expressions evaluated, at any depth, and the copy loops of its properties run through.

    Raises TooMuchError where the template has taken too many steps.
    """
    return scope.meter.bounded(_resolve(value, scope, 0), "value")


def _resolve(value: Any, scope: Scope, depth: int) -> Any:
    scope.meter.spend()
    if depth > _DEEPEST:
        return unknown("nested too deeply")
    if type(value) is str:
        scope.meter.write(value)
        return _text(value, scope)
    if type(value) is list:
        return [_resolve(item, scope, depth + 1) for item in value]
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        others: list[str] = []
        for key, inner in value.items():
            if not _is_loop(key, inner):
                name, item = _text(key, scope), _resolve(inner, scope, depth + 1)
                if isinstance(name, Unknown):
                    others.append(name.text)
                else:
                    found[text_of(name)] = item
        for loop in value["copy"] if _is_loop("copy", value.get("copy")) else ():
            found[loop["name"]] = _repeat(loop, scope, depth)
        return _partly(found, others, scope) if others else found
    return value


def _partly(found: dict[str, Any], others: list[str], scope: Scope) -> Unknown:
    size = scope.meter.weigh(found)
    if size > LONGEST:
        return unknown("object longer than a template", *others)
    return Partly(unknown("object", found, *others).text, known=found, others=tuple(others), size=size)


def _text(value: str, scope: Scope) -> Any:
    if not (value.startswith("[") and value.endswith("]")):
        return value
    if value.startswith("[["):
        return value[1:]
    node = parse(value[1:-1])
    return unknown("expression", value) if node is None else evaluate(node, scope)


def _is_loop(key: str, value: Any) -> bool:
    """Whether this is a copy loop of properties and no property called copy."""
    return key == "copy" and type(value) is list and bool(value) and all(_is_copy(loop) for loop in value)


def _is_copy(loop: Any) -> bool:
    return type(loop) is dict and type(loop.get("name")) is str and {"count", "input"} <= loop.keys()


def _repeat(loop: dict[str, Any], scope: Scope, depth: int) -> Any:
    count = _resolve(loop["count"], scope, depth + 1)
    if type(count) is not int or not 0 <= count <= _MOST:
        return unknown("copy", loop["name"], count)
    return [_resolve(loop["input"], scope.repeated(loop["name"], index), depth + 1) for index in range(count)]
