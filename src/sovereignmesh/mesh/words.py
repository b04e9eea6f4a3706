"""What the words in a document mean, and what is said of wrong ones: what was found, is allowed, was probably meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel

from sovereignmesh.result.location import Problem
from sovereignmesh.result.text import printable
from sovereignmesh.yamlfile import json_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from sovereignmesh.yamlfile import Document, Path

__all__ = ["consumer_in", "did_you_mean", "explain", "found", "listed", "party", "repeated", "say_plainly"]

_PARTY: Final = " domain"
_LONGEST: Final = 60
_MOST: Final = 12

_WANTED: Final = {
    "bool_type": "true or false",
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def found(value: object) -> str:
    """`value` as a message shows it, with its kind: a `"true"` in quotes is not a `true`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            text = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
            return f"the string '{printable(text)}'"
        case int() | float():
            return f"the number {str(value)[:_LONGEST]}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def party(name: str) -> str:
    """What a consumer's name is compared by: without case, and without the word.

    >>> party("Sales Domain") == party("sales")
    True
    """
    return name.strip().casefold().removesuffix(_PARTY).rstrip()


def consumer_in(domains: Mapping[str, str], name: str) -> str | None:
    """The domain that a contract's consumer means, which may add "domain" to its name; None for an unknown one.

    `domains` are their canonical spellings by case-folded name.
    """
    folded = name.strip().casefold()
    return domains.get(folded) or domains.get(folded.removesuffix(_PARTY).rstrip())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the nearest known word, empty where none is near."""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f"; did you mean '{printable(by_fold[near[0]])}'?" if near else ""


def repeated(names: Iterable[str]) -> Iterator[tuple[int, int]]:
    """The index of each name that came before, without case, and the index of the first."""
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        first = seen.setdefault(name.casefold(), index)
        if first != index:
            yield index, first


def listed(known: Iterable[str]) -> str:
    """The words in their order, as far as a line holds them."""
    words = list(known)
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return printable(", ".join(words[:_MOST])) + more


def explain(error: ValidationError, document: Document, top: str, model: type[BaseModel]) -> Iterator[Problem]:
    """One problem for each defect that the validation of `document`'s `top` by `model` found."""
    for details in error.errors(include_url=False):
        # A choice between two models adds a step, in angle brackets, that no document has.
        steps = tuple(step for step in details["loc"] if not str(step).startswith("<"))
        if details["type"] == "too_short" and details["input"]:
            continue  # short of items that are wrong, each of which is said
        on_key = details["type"] == "extra_forbidden" or steps[-1:] == ("[key]",)
        path: Path = (top, *(step for step in steps if step != "[key]"))
        say = _SAY.get(details["type"])
        if details["type"] == "extra_forbidden":
            message = _unknown_key(str(steps[-1]), _keys(model, steps[:-1]))
        elif say:
            message = say(details)
        else:
            wanted = _WANTED.get(details["type"], details["msg"])
            message = f"found {found(details['input'])}, wants {wanted}"
        location = document.locate(path, key=on_key or details["type"] == "missing")
        yield Problem(location, json_path(path), message)


def say_plainly(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """What is wrong with values given in Python: where, what was found, what is wanted."""
    for details in error.errors(include_url=False):
        say = _SAY.get(details["type"])
        wanted = _WANTED.get(details["type"], details["msg"])
        message = say(details) if say else f"found {found(details['input'])}, wants {wanted}"
        if details["type"] == "extra_forbidden":
            known = list(model.model_fields) if len(details["loc"]) == 1 else []
            message = f"there is no such key{did_you_mean(str(details['loc'][-1]), known)}"
        where = ".".join(map(str, details["loc"]))
        yield f"{where}: {message}" if where else message


def _unknown_key(key: str, known: Iterable[str]) -> str:
    known = list(known)
    return f"unknown key '{printable(key)}'{did_you_mean(key, known)}; known here: {listed(known)}"


def _keys(model: type[BaseModel], steps: tuple[int | str, ...]) -> list[str]:
    """The keys that the mapping at `steps` below `model` may have."""
    for step in steps:
        if isinstance(step, str):
            fields = {field.alias: field for field in model.model_fields.values()}
            model = next(_models(fields[step].annotation))
    return [str(field.alias) for field in model.model_fields.values()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _not_a_word(details: ErrorDetails) -> str:
    allowed = re.findall(r"'([^']*)'", details["ctx"]["expected"])
    value = details["input"]
    guess = did_you_mean(value, allowed) if isinstance(value, str) else ""
    return f"found {found(value)}, wants one of {listed(allowed)}{guess}"


_SAY: Final[dict[str, Callable[[ErrorDetails], str]]] = {
    "literal_error": _not_a_word,
    "mesh": lambda details: details["msg"],
    "missing": lambda details: f"the key '{details['loc'][-1]}' is missing",
    "too_short": lambda _: "the list is empty: give at least one, or remove the key",
    "greater_than_equal": lambda details: f"found {found(details['input'])}, wants at least {details['ctx']['ge']}",
    "less_than_equal": lambda details: f"found {found(details['input'])}, wants at most {details['ctx']['le']}",
}
