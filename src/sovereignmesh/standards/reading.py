"""A document as it is taken over: what is read of it is remembered, and what is left of it is said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.words import explain
from sovereignmesh.result import Problem, printable
from sovereignmesh.yamlfile import Document, json_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sovereignmesh.standards.words import Version
    from sovereignmesh.yamlfile import Path

__all__ = ["CUSTOM", "Part", "Source", "customs"]

ModelT = TypeVar("ModelT", bound=BaseModel)
CUSTOM: Final = "customProperties"
_PREFIX: Final = "sovereignmesh"
_VENDOR_SINCE: Final[tuple[Version, ...]] = ((3, 2), (1, 1))  # of a contract, and of a product
_FIRST_CONTRACT: Final = (3, 0)


def customs(version: Version, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The custom properties for what a standard has no word for, named in camel case as it asks; None is left out."""
    vendor = {"vendor": _PREFIX} if version >= _VENDOR_SINCE[version < _FIRST_CONTRACT] else {}
    return [
        {"property": _PREFIX + name[0].upper() + name[1:], "value": value, **vendor}
        for name, value in values.items()
        if value is not None
    ]


@dataclass(slots=True)
class Source:
    """The document, which of it was taken over, and what is said of the rest."""

    document: Document
    version: Version
    taken: set[Path] = field(default_factory=set)
    notes: list[Problem] = field(default_factory=list)

    @property
    def root(self) -> Part:
        """The whole document."""
        return Part(self, (), self.document.value)

    def problem(self, path: Path, message: str, severity: str = "error") -> Problem:
        """A problem, or with another severity a note, at a place of the document."""
        return Problem(self.document.locate(path), json_path(path), printable(message), severity)

    def note(self, path: Path, message: str) -> None:
        """Says of a place that it is not taken over as it is; it is taken then."""
        self.taken.add(path)
        self.notes.append(self.problem(path, message, "warning"))

    def leave(self) -> tuple[Problem, ...]:
        """All notes in the document's order, with one for each part that nobody took."""
        touched = {path[:length] for path in self.taken for length in range(len(path))}
        left = self._left(self.document.value, (), touched)
        return tuple(sorted({*self.notes, *(self.problem(path, _left_out(path), "warning") for path in left)}))

    def _left(self, value: Any, path: Path, touched: set[Path]) -> Iterator[Path]:
        if path in self.taken or value in ([], {}):
            return
        if path in touched:
            for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self._left(inner, (*path, step), touched)
        else:
            yield path


# What asks something of the data: a check, or one of its words that say what it asks.
_ASKS: Final = re.compile(
    r".*\.(?:quality|logicalTypeOptions|quality\[\d+\](?:\.(?:must\w+|query|arguments|metric|rule|implementation))?"
    r"|logicalTypeOptions\.\w+)"
)


def _left_out(path: Path) -> str:
    """What is said of a part that nobody took; more where it asks something of the data."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "the document")
    asks = ": the data is not held against it here" if _ASKS.fullmatch(json_path(path)) else ""
    return f"'{key}' is not taken over{asks}"


@dataclass(frozen=True, slots=True)
class Part:
    """A mapping in the document, whose keys hold what the standard says: that was checked before."""

    source: Source
    path: Path
    value: dict[str, Any]

    def take(self, *keys: str) -> None:
        """Marks the keys, without any the whole part, as taken over."""
        self.source.taken.update([(*self.path, key) for key in keys] or [self.path])

    def get(self, key: str) -> Any:
        """What the key holds, which is taken; None where it is not there."""
        self.take(key)
        return self.value.get(key)

    def expect(self, key: str, value: object) -> None:
        """Takes the key where it says just this, which needs no word."""
        if self.value.get(key) == value and type(self.value.get(key)) is type(value):
            self.take(key)

    def part(self, key: str) -> Part:
        """The mapping below a key; an empty one where there is none."""
        return Part(self.source, (*self.path, key), self.value.get(key) or {})

    def parts(self, key: str) -> list[Part]:
        """The mappings in the list below a key."""
        found = enumerate(self.value.get(key) or ())
        return [Part(self.source, (*self.path, key, index), item) for index, item in found]

    def note(self, key: str, message: str) -> None:
        """Says why what the key holds is not taken over."""
        self.source.note((*self.path, key), f"not taken over: {message}")

    def place_of(self, name: str) -> Path | None:
        """Where this project's custom property of that name has its value; None where it is not there."""
        wanted = _PREFIX + name[0].upper() + name[1:]
        items = (item for item in self.parts(CUSTOM) if item.value.get("property") == wanted)
        found = next(items, None)
        return None if found is None else (*found.path, "value")

    def custom(self, name: str, *, take: bool = True) -> Any:
        """The value of this project's custom property of that name; None where it is not there."""
        place = self.place_of(name)
        if place is None:
            return None
        if take:
            self.source.taken.add(place[:-1])
        return self.value[CUSTOM][place[-2]]["value"]

    def take_customs(self, names: Iterable[str]) -> None:
        """Marks custom properties of this project as taken."""
        for name in names:
            self.custom(name)

    def build(self, model: type[ModelT], values: Mapping[str, Any], places: Mapping[str, Path]) -> ModelT:
        """The model of the values that were found at `places`.

        What it may do without and does not accept is noted. Raises MeshError for what it needs.
        """
        wanted = {key: value for key, value in values.items() if value is not None}
        needed = {info.alias for info in model.model_fields.values() if info.is_required()}
        while True:
            try:
                return model.model_validate(wanted)
            except ValidationError as error:
                said = list(explain(error, Document("", None, ()), "x", model))
                keys = {str(details["loc"][0]) for details in error.errors() if details["loc"]}
                wrong = sorted(keys or {"minimum", "maximum"} & wanted.keys())  # one is above the other
                words = {key: (places.get(key, self.path), _words_on(key, said)) for key in wrong}
                if not needed.isdisjoint(wrong):
                    raise MeshError([self.source.problem(*words[key]) for key in wrong]) from None
                for key, (place, message) in words.items():
                    self.source.note(place, f"not taken over: {message}")
                    del wanted[key]


def _words_on(key: str, said: list[Problem]) -> str:
    below = json_path(("x", key))
    return next((problem.message for problem in said if problem.path.startswith(below)), said[0].message)
