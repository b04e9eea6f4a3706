"""What Purview keeps: bodies by shelf and key, what was written of them, and what readers do not see yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Objects"]

_LATE: Final = 2  # reads of a list, or of an object, that do not show a write yet

Body = dict[str, Any]


class Objects:
    """Bodies by shelf (a path below an account's name) and key. Who gets a body does not change it.

    `changes` is what was written since the estate was loaded, None for what was deleted. While `lagging`, a write is
    seen by `shown` and `listed` only after two more reads; `get` and `all` see it at once, as the service itself does.
    """

    def __init__(self) -> None:
        self.changes: dict[str, dict[str, Body | None]] = {}
        self.changed = False
        self.lagging = False
        self._shelves: dict[str, dict[str, Body]] = {}
        self._late: dict[str, dict[str, _Late]] = {}

    def get(self, shelf: str, key: str) -> Body | None:
        """The body at a key, None where there is none."""
        return self._shelves.get(shelf, {}).get(key)

    def all(self, shelf: str) -> dict[str, Body]:
        """The bodies of a shelf by key, in the order that they came in."""
        return self._shelves.get(shelf, {})

    def shelves(self, prefix: str) -> Iterator[str]:
        """The names of the shelves that begin so and hold something."""
        return (name for name, shelf in self._shelves.items() if shelf and name.startswith(prefix))

    def put(self, shelf: str, key: str, body: Body) -> None:
        """Keeps a body."""
        self._remember(shelf, key)
        self.give(shelf, key, body)
        self._change(shelf, key, body)

    def move(self, shelf: str, key: str, body: Body) -> None:
        """Keeps what became of a body by itself: nobody wrote it, so that readers see it at once."""
        self.give(shelf, key, body)
        self._change(shelf, key, body)

    def drop(self, shelf: str, key: str) -> None:
        """Forgets a body, where there is one."""
        if self.get(shelf, key) is None:
            return
        self._remember(shelf, key)
        del self._shelves[shelf][key]
        self._change(shelf, key, None)

    def drop_all(self, prefix: str) -> None:
        """Forgets every body on the shelves that begin so."""
        for shelf in list(self.shelves(prefix)):
            for key in list(self._shelves[shelf]):
                self.drop(shelf, key)

    def give(self, shelf: str, key: str, body: Body) -> None:
        """Puts a body there that is part of the estate: nobody wrote it."""
        self._shelves.setdefault(shelf, {})[key] = body

    def forget_changes(self) -> None:
        """Takes what is there for part of the estate."""
        self.changes, self.changed = {}, False

    def restore(self, changes: dict[str, dict[str, Body | None]]) -> None:
        """Applies what an earlier process wrote."""
        for shelf, bodies in changes.items():
            for key, body in bodies.items():
                if body is None:
                    self._shelves.get(shelf, {}).pop(key, None)
                elif not isinstance(body, dict):
                    raise TypeError(f"{shelf}/{key} is no object")
                else:
                    self.give(shelf, key, body)
        self.changes = changes

    def shown(self, shelf: str, key: str) -> Body | None:
        """The body at a key as a reader sees it."""
        late = self._late.get(shelf, {}) if self.lagging else {}
        if key in late and late[key].is_late():
            return late[key].before
        late.pop(key, None)
        return self.get(shelf, key)

    def listed(self, shelf: str, *, goes_on: bool = False) -> list[Body]:
        """The bodies of a shelf as a reader sees them; a list that goes on with its next page is still one read."""
        late = self._late.get(shelf, {}) if self.lagging else {}
        if not late:
            return list(self.all(shelf).values())
        for key in [] if goes_on else [key for key, write in late.items() if not write.is_late()]:
            del late[key]
        bodies: dict[str, Body | None] = dict(self.all(shelf))
        bodies |= {key: write.before for key, write in late.items()}
        return [body for body in bodies.values() if body is not None]

    def _remember(self, shelf: str, key: str) -> None:
        if self.lagging:
            late = self._late.setdefault(shelf, {})
            late[key] = _Late(late[key].before if key in late else self.get(shelf, key))

    def _change(self, shelf: str, key: str, body: Body | None) -> None:
        self.changes.setdefault(shelf, {})[key] = body
        self.changed = True


class _Late:
    """A write that readers do not see yet; they see what was before, None for nothing."""

    def __init__(self, before: Body | None) -> None:
        self.before = before
        self._left = _LATE

    def is_late(self) -> bool:
        """Whether this read is too early to see it."""
        self._left -= 1
        return self._left >= 0
