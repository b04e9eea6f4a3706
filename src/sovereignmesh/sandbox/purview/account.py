"""An account of Purview, as one call sees it: its objects, its root collection, who calls and when."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.sandbox.purview.answers import goes_on, invalid, missing, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Pattern

    from sovereignmesh.sandbox.purview.objects import Body, Objects
    from sovereignmesh.sandbox.store import Record
    from sovereignmesh.sandbox.wire import Call, Reply

__all__ = ["ANY_ROLE", "COLLECTIONS", "TYPEDEFS", "Account", "Route", "reference", "routes", "timestamp"]

COLLECTIONS: Final = "collections"
TYPEDEFS: Final = "typedefs"  # the only names whose case matters


class Route(NamedTuple):
    """What answers a method at the paths of a pattern, and any one of the roles that it `needs` (none: any role)."""

    method: str
    pattern: Pattern[str]
    answer: Callable[[Account, Call, dict[str, str]], Reply]
    needs: frozenset[str] = frozenset()


ANY_ROLE: Final[frozenset[str]] = frozenset()
Row = tuple[str, str, "Callable[[Account, Call, dict[str, str]], Reply]", frozenset[str]]


def routes(root: str, *rows: Row) -> tuple[Route, ...]:
    """The routes below a path: method, pattern (case aside), what answers, and any one of the roles that it needs."""
    return tuple(
        Route(method, re.compile(f"{root}{pattern}", re.IGNORECASE), answer, needs)
        for method, pattern, answer, needs in rows
    )


@dataclass(frozen=True, slots=True)
class Account:
    """An account during a call. `pending` has, by collection, when it was written and how often it was read since."""

    record: Record
    objects: Objects
    principal: str
    roles: frozenset[str]
    page_size: int
    clock: Callable[[], float]
    pending: dict[str, list[float]]
    now: str  # as the service writes times

    @property
    def name(self) -> str:
        """The account's name in lower case, which is also that of its root collection."""
        return self.record.id.rpartition("/")[2].lower()

    def get(self, shelf: str, name: str) -> Body | None:
        """The object of that name in any case, as the service itself sees it."""
        return self.objects.get(f"{self.name}/{shelf}", _key(shelf, name))

    def all(self, shelf: str) -> dict[str, Body]:
        """Every object on a shelf, as the service itself sees them."""
        return self.objects.all(f"{self.name}/{shelf}")

    def put(self, shelf: str, name: str, body: Body) -> None:
        """Keeps an object."""
        self.objects.put(f"{self.name}/{shelf}", _key(shelf, name), body)

    def move(self, shelf: str, name: str, body: Body) -> None:
        """Keeps what became of an object by itself."""
        self.objects.move(f"{self.name}/{shelf}", _key(shelf, name), body)

    def drop(self, shelf: str, name: str) -> None:
        """Forgets an object, where there is one."""
        self.objects.drop(f"{self.name}/{shelf}", _key(shelf, name))

    def drop_all(self, shelf: str) -> None:
        """Forgets what is on a shelf."""
        for name in list(self.all(shelf)):
            self.objects.drop(f"{self.name}/{shelf}", name)

    def shelves(self, below: str) -> Iterator[str]:
        """The shelves below one, that hold something."""
        start = len(self.name) + 1
        return (shelf[start:] for shelf in self.objects.shelves(f"{self.name}/{below}/"))

    def shown(self, shelf: str, name: str, kind: str) -> Body:
        """The object of that name as a reader sees it. Raises Refusal where there is none."""
        found = self.objects.shown(f"{self.name}/{shelf}", _key(shelf, name))
        if found is None:
            raise missing(kind, name)
        return found

    def listed(self, shelf: str, call: Call) -> list[Body]:
        """The objects on a shelf as a reader sees them."""
        return self.objects.listed(f"{self.name}/{shelf}", goes_on=goes_on(call))

    def page(self, shelf: str, call: Call) -> Reply:
        """A page of the objects on a shelf."""
        return page(call, self.listed(shelf, call), self.page_size)

    def above(self, collection: str) -> Iterator[str]:
        """A collection and those above it, nearest first."""
        name: str | None = collection
        while name is not None and (found := self.get(COLLECTIONS, name)) is not None:
            yield name
            name = found.get("parentCollection", {}).get("referenceName")

    def collection_in(self, properties: dict[str, Any], default: str, kind: str) -> str:
        """The collection that properties name, in lower case. Raises Refusal where it is none of the account's."""
        name = reference(properties.get("collection"))
        if not name:
            return default
        if self.get(COLLECTIONS, name) is None:
            raise invalid(kind, f"The collection '{name}' does not exist in account '{self.name}'.")
        return name.lower()

    def placed(self, collection: str, before: Body | None) -> Body:
        """The reference to a collection in an answer; it keeps the time of the last move."""
        old = before["properties"]["collection"] if before else {}
        when = old["lastModifiedAt"] if old.get("referenceName") == collection else self.now
        return {"lastModifiedAt": when, "referenceName": collection, "type": "CollectionReference"}


def reference(value: Any) -> str:
    """The name in a reference, "" where there is none."""
    name = value.get("referenceName") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""


def _key(shelf: str, name: str) -> str:
    return name if shelf == TYPEDEFS else name.lower()


def timestamp() -> str:
    """Now, as the service writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
