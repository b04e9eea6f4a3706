"""What a document of a standard may say: its keys by part and version, and everything in it that is not so."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard

from sovereignmesh.mesh.words import did_you_mean, found, listed
from sovereignmesh.result import Problem, printable
from sovereignmesh.yamlfile import json_path, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.yamlfile import Document, Path

__all__ = ["Standard", "Version", "check_words", "is_number", "keys_of", "read_version"]

Standard = Literal["odcs", "odps"]
Version = tuple[int, int]

_VERSIONS: Final[dict[Standard, tuple[Version, ...]]] = {"odcs": ((3, 0), (3, 1), (3, 2)), "odps": ((1, 0), (1, 1))}
_NAMES: Final[dict[Standard, str]] = {
    "odcs": "the Open Data Contract Standard",
    "odps": "the Open Data Product Standard",
}
# What refuses keys that it does not know: version 3.0 does so in few places.
_CLOSED_IN_3_0: Final = frozenset({"contract", "object"})
_OPEN: Final = frozenset({"server"})

_KINDS: Final[dict[str, tuple[str, Callable[[object], bool]]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: is_number(value) and not value % 1),
    "number": ("a number", lambda value: is_number(value)),  # noqa: PLW0108 - it stands below
    "mapping": ("a mapping", lambda value: isinstance(value, dict)),
    "scalar": ("a string, a number, true or false", lambda value: not isinstance(value, dict | list)),
    "any": ("anything", lambda _: True),
}  # fmt: skip


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number; true and false are none."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, float) and math.isfinite(value)
    )


@dataclass(frozen=True, slots=True)
class _Key:
    """What a key may hold, each with the version that began it; or, if there are any, which words."""

    holds: tuple[tuple[str, Version], ...]
    words: tuple[tuple[str, Version], ...]
    since: Version
    required: bool
    required_before: Version


def read_version(document: Document, standard: Standard) -> tuple[Version, Problem | None]:
    """The version of the standard that a document says it is of, or the problem that it is of none that is known."""
    said = document.value.get("apiVersion")
    match = re.fullmatch(r"v?([0-9]{1,3})\.([0-9]{1,3})(?:\.[0-9]+)?", said) if isinstance(said, str) else None
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version in _VERSIONS[standard]:
        return version, None
    known = ", ".join(f"v{major}.{minor}" for major, minor in _VERSIONS[standard])
    what = f"found {found(said)}" if "apiVersion" in document.value else "the key 'apiVersion' is missing"
    message = f"{what}, wants a version of {_NAMES[standard]} that is read here: {known}"
    return version, Problem(document.locate(("apiVersion",)), "$.apiVersion", message)


def keys_of(standard: Standard, part: str, version: Version) -> tuple[str, ...]:
    """The keys that a part of a document has in this version of the standard."""
    return tuple(name for name, key in _table(standard)[part].items() if key.since <= version)


def check_words(
    document: Document, standard: Standard, version: Version, part: str, path: Path = ()
) -> Iterator[Problem]:
    """Every key that this version of the standard does not know, lacks, or wants to hold something else, in order."""
    value = document.value
    for step in path:
        value = value[step]
    yield from _Check(document, _table(standard), version).part(value, part, path)


@dataclass(frozen=True, slots=True)
class _Check:
    document: Document
    table: dict[str, dict[str, _Key]]
    version: Version

    def part(self, value: dict[str, Any], part: str, path: Path) -> Iterator[Problem]:
        keys = self.table[part]
        for name, key in keys.items():
            if name not in value and (key.required or self.version < key.required_before):
                yield self.problem(path, f"the key '{name}' is missing")
        known = [name for name, key in keys.items() if key.since <= self.version]
        for name, inner in value.items():
            if name in known:
                yield from self.value(inner, keys[name], (*path, name))
            elif self.closed(part):
                later = f", which version {_dotted(keys[name].since)} began" if name in keys else ""
                message = f"unknown key '{name}'{later or did_you_mean(name, known)}; known here: {listed(known)}"
                yield self.problem((*path, name), message, key=True)

    def closed(self, part: str) -> bool:
        return part not in _OPEN and (self.version != (3, 0) or part in _CLOSED_IN_3_0)

    def value(self, value: Any, key: _Key, path: Path) -> Iterator[Problem]:
        words = [word for word, since in key.words if since <= self.version]
        holds = [kind for kind, since in key.holds if since <= self.version]
        if words:
            if value not in words:
                guess = did_you_mean(value, words) if isinstance(value, str) else ""
                yield self.problem(path, f"found {found(value)}, wants one of {listed(words)}{guess}")
            return
        kind = next((kind for kind in holds if self.fits(value, kind)), None)
        if kind is None:
            wanted = " or ".join(dict.fromkeys(_wanted(kind) for kind in holds))
            yield self.problem(path, f"found {found(value)}, wants {wanted}")
        elif kind.startswith("["):
            inner = _Key(((kind[1:-1], (0, 0)),), (), (0, 0), required=False, required_before=(0, 0))
            for index, item in enumerate(value):
                yield from self.value(item, inner, (*path, index))
        elif kind not in _KINDS:
            yield from self.part(value, kind, path)

    def fits(self, value: Any, kind: str) -> bool:
        if kind.startswith("["):
            return isinstance(value, list)
        return _KINDS[kind][1](value) if kind in _KINDS else isinstance(value, dict)

    def problem(self, path: Path, message: str, *, key: bool = False) -> Problem:
        return Problem(self.document.locate(path, key=key), json_path(path), printable(message))


def _wanted(kind: str) -> str:
    return "a list" if kind.startswith("[") else _KINDS.get(kind, ("a mapping",))[0]


@cache
def _table(standard: Standard) -> dict[str, dict[str, _Key]]:
    content = files(__package__).joinpath(f"{standard}.yaml").read_bytes()
    rows = parse(content, f"standards/{standard}.yaml").require()
    table = {part: {name: _key(text) for name, text in keys.items()} for part, keys in rows.items()}
    if "property" in table:  # an item of an array is a property that needs no name
        table["item"] = {**table["property"], "name": _key("string")}
    return table


def _key(text: str) -> _Key:
    what, *rest = text.split(", ")
    limits = dict(part.rsplit(" ", 1) for part in rest if " " in part)
    words = what.removeprefix("one of ").split() if what.startswith("one of ") else []
    return _Key(
        holds=tuple(map(_dated, [] if words else what.split(" or "))),
        words=tuple(map(_dated, words)),
        since=_version(limits.get("since", "0.0")),
        required="required" in rest,
        required_before=_version(limits.get("required before", "0.0")),
    )


def _dated(word: str) -> tuple[str, Version]:
    name, _, since = word.partition("@")
    return name, _version(since or "0.0")


def _version(text: str) -> Version:
    major, minor = text.split(".")
    return int(major), int(minor)


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
