"""The collections: those that are wished, those that are there, and where the data of a domain belongs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sovereignmesh.mesh.purview_references import collections_in
from sovereignmesh.mesh.words import did_you_mean
from sovereignmesh.patterns import slug
from sovereignmesh.plan import Item, Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.azure.purview import Collection
    from sovereignmesh.mesh.purview import CollectionWish, PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.yamlfile import Path

__all__ = ["Tree"]

_LONGEST = 36


class Tree:
    """Collections by reference name in lower case, as accounts answer with it; the root bears the account's name."""

    def __init__(self, wish: Loaded[PurviewAccountWish], live: Iterable[Collection], root: str) -> None:
        """A wish for a collection that is there under another reference name, by title and place, means that one.

        The portal gives collections random reference names.
        """
        self.root = root.casefold()
        self._wish = wish
        self._parents: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        for collection in live:
            name = collection.name.casefold()
            self._parents[name] = collection.parent.casefold()
            self._titles[name] = collection.friendly_name or collection.name
        self._live = frozenset(self._parents)
        # The account that the document names is the root of whichever the wish is planned for.
        named = wish.model.account.rpartition("/")[2].casefold()
        self._meant: dict[str, str] = {"": self.root, named: self.root, self.root: self.root}
        self._wished: dict[str, tuple[str, str, str, Path]] = {}  # name -> title, parent, description, path
        self.problems: list[tuple[Path, str]] = []
        self._untitled: set[str] = set()  # those that are there and whose title nobody wrote
        for one, above, path in _from_above(list(collections_in(wish.model))):
            parent = self._meant.get(above.casefold(), above.casefold())
            name = self._adopted(one.name.casefold(), one.title, parent)
            if name in self._wished:
                self.problems.append((path, f"'{one.name}' means the collection '{name}', as another one here does"))
            self._meant[one.name.casefold()] = name
            title = one.title
            if one.friendly_name is None and name in self._live:
                self._untitled.add(name)
                title = self._titles[name]
            self._wished[name] = (title, parent, one.description or "", path)
        for name, (title, parent, _, _) in self._wished.items():
            if name != self.root:
                self._parents[name] = self._meant.get(parent, parent)
            self._titles[name] = title

    def find(self, name: str) -> str | None:
        """The reference name of a collection that somebody wrote: wished or there, by reference name, else by title."""
        folded = name.casefold()
        if folded in self._meant:
            return self._meant[folded]
        if folded in self._parents:
            return folded
        same = [known for known, title in self._titles.items() if title.casefold() == folded]
        return same[0] if len(same) == 1 else None

    def unknown(self, name: str) -> str:
        """Why a name means no collection."""
        same = sorted(known for known, title in self._titles.items() if title.casefold() == name.casefold())
        if same:
            return f"several collections are called '{name}': {', '.join(same)}; give the reference name"
        near = did_you_mean(name, sorted({*self._titles, *self._titles.values()}))
        return f"no collection '{name}' is wished or there{near}"

    def of_domain(self, domain: str) -> str:
        """The collection of a domain: that which bears its name; where there is none, one is wished below the root.

        One that is there with the reference name and another title, and two domains for one, are in `problems`.
        """
        found = self.find(domain)
        if found is not None:
            return found
        same = [name for name, title in self._titles.items() if title.casefold() == domain.casefold()]
        name = _reference_name(domain)
        path: Path = ("collections",) if self._wish.model.collections else ("account",)
        taken = self._titles.get(name, "")
        if same:
            message = f"several collections are called '{domain}': {', '.join(sorted(same))}"
            self.problems.append((path, f"{message}: say in 'collection' of a source which of them is meant"))
        elif taken:
            message = f"the domain '{domain}' has no collection, and '{name}' is that of '{taken}'"
            self.problems.append((path, f"{message}: write a collection for the domain, with a name of its own"))
        else:
            self._wished[name] = (domain, self.root, "", ("account",))
            self._parents[name], self._titles[name] = self.root, domain
        return name

    def lies_in(self, name: str, above: str) -> bool:
        """Whether a collection is another or lies in it."""
        seen: set[str] = set()
        while name != above:
            seen.add(name)
            name = self._parents.get(name, "")
            if not name or name in seen:
                return False
        return True

    def title(self, name: str) -> str:
        """What people see of a collection."""
        return self._titles.get(name, name)

    def items(self) -> Iterator[Item]:
        """The collections that are wished."""
        for name, (title, parent, description, path) in self._wished.items():
            above = self._meant.get(parent, parent)
            if name == self.root:
                told = {"friendlyName": title} if name not in self._untitled else {}
                described = {"description": description} if description else {}
                yield Item("collection", name, {**told, **described}, place=str(self._wish.locate(*path)))
                continue
            body = {
                **({} if name in self._untitled else {"friendlyName": title}),
                "parentCollection": {"referenceName": above, "type": "CollectionReference"},
                **({"description": description} if description else {}),
            }
            needs = frozenset({Key("collection", above)}) if above in self._wished else frozenset()
            yield Item("collection", name, body, needs, str(self._wish.locate(*path)))

    def _adopted(self, name: str, title: str, parent: str) -> str:
        if name in self._live:
            return name
        same = [
            known
            for known in self._live
            if self._titles[known].casefold() == title.casefold() and self._parents[known] == parent
        ]
        return same[0] if len(same) == 1 else name


def _reference_name(domain: str) -> str:
    """A reference name for the collection of a domain; a long one keeps what tells it from others."""
    name = slug(domain)
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 9].rstrip('-')}-{hashlib.sha256(domain.encode()).hexdigest()[:8]}"
    return name.casefold()


def _from_above(every: list[tuple[CollectionWish, str, Path]]) -> Iterator[tuple[CollectionWish, str, Path]]:
    """The collections, each after the one that it lies in, whatever their order in the file."""
    names = {one.name.casefold() for one, _, _ in every}
    done: set[str] = set()
    while every:
        ready: list[tuple[CollectionWish, str, Path]] = []
        rest: list[tuple[CollectionWish, str, Path]] = []
        for each in every:
            above = each[1].casefold()
            (ready if above in done or above not in names else rest).append(each)
        yield from ready or rest
        done |= {one.name.casefold() for one, _, _ in ready}
        every = rest if ready else []
