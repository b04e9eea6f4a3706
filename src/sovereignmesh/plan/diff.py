"""From what is wished and what is there to what is to be done. Nothing here reads or writes anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.plan.items import Change, Difference, Item, Key, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["bare", "compare", "diff", "merged"]

# A service gives back null for an empty list, and the other way round.
_NOTHING: Final[tuple[Any, ...]] = ((), {}, [], "", None)


def diff(desired: Iterable[Item], live: Iterable[Item], kinds: Mapping[str, Kind], *, prune: bool) -> list[Change]:
    """What is to be done so that everything wished is there as wished; with `prune` also so that nothing else is.

    In the order in which it can be done: by rank, what is needed before what needs it; deletions last and backwards.
    Only what a wish says is compared: what it leaves out stays as it is.
    """
    wished = list(desired)
    wanted = {item.key: item for item in wished}
    assert len(wanted) == len(wished), "each object is wished once"
    there = {item.key: item for item in live}
    changes = []
    for key, item in wanted.items():
        found = there.get(key)
        if found is None:
            changes.append(Change("create", item))
        elif differences := tuple(compare(item.body, found.body, kinds[item.kind])):
            # Under the name that is there: another spelling may be another object to the service.
            changes.append(Change("update", replace(item, name=found.name), differences, found.body))
    gone = [Change("delete", item, before=item.body) for key, item in there.items() if prune and key not in wanted]
    return [*_ordered(changes, kinds), *reversed(_ordered(gone, kinds))]


def compare(wish: Mapping[str, Any], found: Mapping[str, Any], kind: Kind) -> Iterator[Difference]:
    """Where the body that is there is not as the wish says.

    >>> list(compare({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}, "d": 4}, Kind("any", 0)))
    [Difference(path='a.b', before=2, after=1)]
    """
    yield from _within(wish, found, kind, "")


def merged(found: Mapping[str, Any], wish: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The body to send where a write replaces the whole: what is there, less what is computed, with the wish in it.

    Of an object whose `kind` changes nothing is kept: its properties were those of another kind. What the wish has as
    None is left out.

    >>> merged({"a": {"b": 2, "c": 3}, "version": 7}, {"a": {"b": 1}}, Kind("any", 0, frozenset({"version"})))
    {'a': {'b': 1, 'c': 3}}
    """
    if "kind" in wish and found.get("kind") != wish["kind"]:
        return dict(bare(wish))
    return _overlaid(found, wish, kind, "")


def _overlaid(found: Mapping[str, Any], wish: Mapping[str, Any], kind: Kind, path: str) -> dict[str, Any]:
    body = {}
    for name in (*found, *(name for name in wish if name not in found)):
        at = f"{path}{name}"
        if at in kind.computed:
            continue
        old, new = found.get(name), wish.get(name)
        if isinstance(old, dict) and (name not in wish or isinstance(new, dict)):
            body[name] = _overlaid(old, new or {}, kind, f"{at}.")
        elif (kept := new if name in wish else old) is not None:
            body[name] = bare(kept)
    return body


def bare(value: Any) -> Any:
    """What there is to tell of a value: objects, in lists too, without what is None in them, which says nothing.

    >>> bare({"a": {"b": 1, "c": None}, "d": [{"e": None}]})
    {'a': {'b': 1}, 'd': [{}]}
    """
    if isinstance(value, Mapping):
        return {name: bare(each) for name, each in value.items() if each is not None}
    return [bare(each) for each in value] if isinstance(value, list) else value


def _within(wish: Mapping[str, Any], found: Mapping[str, Any], kind: Kind, path: str) -> Iterator[Difference]:
    for name, new in wish.items():
        at = f"{path}{name}"
        if at in kind.computed:
            continue
        old = found.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _within(new, old, kind, f"{at}.")
        elif not _is_same(new, old, kind, at):
            yield Difference(at, old, new)


def _is_same(new: Any, old: Any, kind: Kind, at: str) -> bool:
    if new == old and type(new) is str:  # as nearly all are, many thousands of times
        return True
    if old in _NOTHING and (
        new in _NOTHING or (isinstance(new, dict) and all(each in _NOTHING for each in new.values()))
    ):
        return True
    by = kind.same.get(at)
    if isinstance(new, list) and isinstance(old, list):
        left, right = [_plain(each, by) for each in new], [_plain(each, by) for each in old]
        return Counter(map(repr, left)) == Counter(map(repr, right)) if at in kind.unordered else left == right
    if by is not None and new is not None and old is not None:
        return bool(by(new) == by(old))
    return (type(new) is not bool and type(old) is not bool and new == old) or new is old


def _plain(value: Any, by: Any) -> Any:
    """A value in a list as it is compared: objects without what is null, and in the order of their names."""
    if isinstance(value, dict):
        return {name: _plain(value[name], None) for name in sorted(value) if value[name] is not None}
    if isinstance(value, list):
        return [_plain(each, None) for each in value]
    return value if by is None else by(value)


def _ordered(changes: list[Change], kinds: Mapping[str, Kind]) -> list[Change]:
    """By rank and name, and each after those that it needs."""
    waiting = {
        change.key: change for change in sorted(changes, key=lambda each: (kinds[each.item.kind].rank, each.key))
    }
    done: dict[Key, Change] = {}
    for key in list(waiting):
        _take(key, waiting, done)
    return list(done.values())


def _take(key: Key, waiting: dict[Key, Change], done: dict[Key, Change]) -> None:
    """Moves a change, and before it what it needs; what needs itself comes where it is met."""
    path = [key]
    seen = {key}
    while path:
        change = waiting.get(path[-1])
        if change is None or path[-1] in done:
            path.pop()
            continue
        needed = next((need for need in sorted(change.item.needs) if need in waiting and need not in seen), None)
        if needed is not None:
            seen.add(needed)
            path.append(needed)
            continue
        done[path.pop()] = change
