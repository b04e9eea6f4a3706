"""What there is to plan with: kinds of objects, the objects that are wished and that are there, and what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Action", "Change", "Difference", "Item", "Key", "Kind", "fold"]

Action = Literal["create", "update", "delete"]
ACTIONS: Final[tuple[Action, ...]] = ("create", "update", "delete")


def fold(value: Any) -> Any:
    """What texts that differ in case alone are compared by; other values as they are."""
    return value.casefold() if isinstance(value, str) else value


class Key(NamedTuple):
    """What an object is known by: its kind, and its name without case."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects: when it is its turn, and what of its bodies is compared how.

    `rank` orders creation, and backwards deletion. Paths are dotted. What lies below one of `computed` is the
    service's own and never compared or sent; `unordered` are lists whose order means nothing; `same` gives, by path,
    what two values are compared by, for instance their lower case.
    """

    name: str
    rank: int
    computed: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    same: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """An object, as it is wished or as it is there.

    `body` of a wished one holds what was written and no more. `needs` are the objects that must be there before it;
    `place` says where it was wished (file:line:col), "" of one that is there. `key` is what it is known by.
    """

    kind: str
    name: str
    body: Mapping[str, Any]
    needs: frozenset[Key] = frozenset()
    place: str = ""
    key: Key = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", Key(self.kind, self.name.casefold()))


class Difference(NamedTuple):
    """One value that is not as wished, at a dotted path; None: there is none."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do: create or update `item`, the wish, or delete it, as it is there.

    `differences` say what an update changes; `before` is the body that is there. `late`: the update takes something
    away that the others may need, and waits for them as a deletion does.
    """

    action: Action
    item: Item
    differences: tuple[Difference, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    late: bool = False

    @property
    def takes_away(self) -> bool:
        """Whether it waits until everything else is done."""
        return self.late or self.action == "delete"

    @property
    def key(self) -> Key:
        """The object's."""
        return self.item.key

    def to_dict(self) -> dict[str, Any]:
        """The change as JSON: what is created whole, what is updated by its differences."""
        told: dict[str, Any] = {"action": self.action, "kind": self.item.kind, "name": self.item.name}
        if self.action == "create":
            told["body"] = self.item.body
        if self.differences:
            told["differences"] = [difference._asdict() for difference in self.differences]
        if self.item.place:
            told["place"] = self.item.place
        return told
