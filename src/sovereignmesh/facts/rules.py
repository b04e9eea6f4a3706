"""The forms that a fact takes: what a row of the resource tables says about one check.

Every condition is a list of values that must be *there*: no negation, nothing that a missing value satisfies. So
deleting a property can take a pass away and can never give one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh.facts.expressions import compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable

    from sovereignmesh.result.checks import Check

__all__ = [
    "Answer",
    "CopiesRule",
    "Copy",
    "Exclusion",
    "Expression",
    "KeyStateRule",
    "NeverRule",
    "ProcessingRule",
    "Reading",
    "ResourceType",
    "Rule",
    "StateRule",
    "VaultRule",
]


_PATH: Final = re.compile(r"[A-Za-z]\w*(?:\.\w+)*")
_CELL: Final = 80  # characters that a table's cell can show


# What a body answers to one reading. Plain strings: an enumeration's hash is the dearest thing in the hot path.
Answer = Literal["yes", "no", "absent", "unrecognised"]


def fold(value: Any) -> str:
    """A value as the tables compare it: without case; true and false as YAML and JSON write them."""
    return str(value).casefold()


def in_words(value: Any) -> str:
    """A value for people; what is nested is not spelled out."""
    return "an object" if type(value) is dict else "a list" if type(value) is list else str(value)


def is_blank(value: Any) -> bool:
    """Whether the value says nothing; false and 0 say something."""
    return value is None or value in ("", [], {})


_NESTED: Final = (dict, list)


def says_something(value: Any) -> bool:
    """Whether there is any text in it: a key, an id, an address. A bare false or a number names nothing."""
    if type(value) is str:
        return bool(value.strip())
    if type(value) in _NESTED:
        for item in value.values() if type(value) is dict else value:
            if says_something(item):
                return True
    return False


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression: its text, the function that it means, and the property that people know it by."""

    text: str
    find: Callable[[Any], Any]
    label: str

    @classmethod
    def of(cls, text: str, where: str, *, keep_missing: bool = False) -> Expression:
        """The expression that `text` writes; `where` names its place in a message."""
        path = _PATH.search(text)
        return cls(
            text,
            compile_expression(text, where, keep_missing=keep_missing),
            path[0].removeprefix("properties.") if path else text,
        )

    def found(self, value: Any) -> str:
        """What was found there, for people: with the property's name where the expression is no more than that."""
        text = in_words(value)
        short = text if len(text) <= _CELL else text[: _CELL - 1] + "…"
        return f"{self.label}: {short}" if _PATH.fullmatch(self.text) else short


@dataclass(frozen=True, slots=True)
class Reading:
    """One place in the body and what its values mean. `yes` None means: any value that is there."""

    at: Expression
    yes: frozenset[str] | None
    no: frozenset[str]

    def answer(self, body: Any) -> Answer:
        value = self.at.find(body)
        if type(value) in _NESTED:
            if not says_something(value):
                return "absent"
            return "yes" if self.yes is None else "unrecognised"
        if value is None or value == "":
            return "absent"
        if self.yes is None:
            return "yes" if says_something(value) else "unrecognised"
        folded = fold(value)
        if folded in self.yes:
            return "yes"
        return "no" if folded in self.no else "unrecognised"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A case that the check does not concern, or cannot be met in: where `at` has one of the values."""

    at: Expression
    values: frozenset[str]
    because: str

    def holds(self, body: Any) -> bool:
        value = self.at.find(body)
        return value is not None and type(value) not in _NESTED and fold(value) in self.values


@dataclass(frozen=True, slots=True)
class Rule:
    """What all forms share.

    `since`: the api-version from which the property exists at all. `preview`: the cited built-in is one.
    """

    check: Check
    source: tuple[str, ...]
    checked: str
    not_applicable: tuple[Exclusion, ...]
    since: str | None
    deviates_from: str | None
    preview: bool


@dataclass(frozen=True, slots=True)
class StateRule(Rule):
    """The check passes where any reading says yes.

    Otherwise it fails where one says no; a value that no reading knows is unknown. Where the body is silent, `absent`
    decides: "no" (documented to mean the default, which fails), "unknown", "child" (only a child resource tells), or
    "inherits" (counted at the parent). `each` names a list of subjects inside the body, judged one by one.
    `incapable`: cases in which the resource cannot pass whatever is configured. `held_by`: the id of a resource of
    `held_by_type` that answers for this one. `fails_as` and `passes_as` are reasons that stand in for the check's own:
    a yes with `passes_as` is no pass, the check being counted elsewhere. `only_with`: the check concerns the resource
    only where it has children of that type. `childless_fails`: a resource without the children that would tell fails.
    """

    readings: tuple[Reading, ...]
    absent: Literal["no", "unknown", "child", "inherits"]
    absent_because: str
    incapable: tuple[Exclusion, ...]
    held_by: Expression | None
    held_by_type: str | None
    each: Expression | None
    subject: Expression | None
    fails_as: str | None = None
    passes_as: str | None = None
    only_with: str | None = None
    childless_fails: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """One kind of copy of the data: a replica, a backup, or logs that are sent somewhere.

    `exists` tells whether there is one (None: there is one where `at` or `of` finds something). Its regions stand at
    `at`, or are those of the resources that `of` names, each of one of the types `of_types`, or it is in the region's
    `pair`, except in the regions `not_in`; `unclear` is the reason why nobody can say where it is. `absent` is what
    silence means: "none", "unknown" or "child" (only a child resource tells); `empty`: an empty list says that there is
    no copy. An `implicit` copy cannot be switched off.
    """

    name: str
    exists: Reading | None
    at: Expression | None
    pair: bool
    absent: Literal["none", "unknown", "child"]
    implicit: bool
    not_applicable: tuple[Exclusion, ...]
    not_in: frozenset[str]
    empty: bool
    of: Expression | None = None
    of_types: tuple[str, ...] = ()
    unclear: str | None = None


@dataclass(frozen=True, slots=True)
class CopiesRule(Rule):
    """Where the copies of a resource's data are; with `some` there is always one, so that none means not said."""

    copies: tuple[Copy, ...]
    some: bool = False


@dataclass(frozen=True, slots=True)
class VaultRule(Rule):
    """Which vault holds the key: a URI or resource id at `vault`, or a resource of another type that holds the key.

    `key` finds the keys: their URIs, or lists of the vault's address, the key's name and its version; without it they
    are those at `vault` that are URIs of keys. `rotates` tells whether the service follows new versions: by what a
    property says, or "versionless" where a reference without a version does; None: nobody says.
    """

    vault: Expression | None
    through: Expression | None
    through_type: str | None
    key: Expression | None = None
    rotates: Reading | Literal["versionless"] | None = None


@dataclass(frozen=True, slots=True)
class KeyStateRule(Rule):
    """Whether a key can be used: where the body of a key says that it is enabled, when it expires, and its type."""

    enabled: Reading
    expires: Expression
    type: Expression


@dataclass(frozen=True, slots=True)
class ProcessingRule(Rule):
    """Where data is processed, by what stands at `at`, folded.

    `anywhere`: in any region; `zone`: in the data zone of the resource's region; `geography`: in its geography; `here`:
    where the resource is; `auto`: the service chooses. `named`: any other value is a region's name.
    """

    at: Expression
    anywhere: frozenset[str]
    zone: frozenset[str]
    geography: frozenset[str]
    here: frozenset[str]
    auto: frozenset[str]
    named: bool
    absent: Literal["unknown", "here", "auto", "child"]


@dataclass(frozen=True, slots=True)
class NeverRule(Rule):
    """The check does not concern the type at all, which somebody has looked up."""

    because: str


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A row of the resource tables: one Azure resource type and what is known of it, by check.

    `replica`: the cases in which such a resource is itself a replica, which may be where replicas may be.
    `processes_data`: it holds none, and works on data all the same.
    """

    name: str
    title: str
    rules: dict[Check, Rule]
    metadata: bool
    holds_no_data: str | None
    processes_data: bool
    child_of: str | None
    replica: tuple[Exclusion, ...]
    note: str | None
