"""Nulls inside objects: Resource Graph keeps them, and counts them as missing where it compares.

duckdb-kql takes an explicit null for a value. So the tables hold objects without them, and answers get them back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Nulls"]

_OBJECTS = ("sku", "plan", "properties", "tags", "identity", "extendedLocation")


class Nulls:
    """What was taken out of which row, by the row's id."""

    def __init__(self) -> None:
        self._taken: dict[str, dict[bytes, Any]] = {}

    def without(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with no null inside its objects."""
        objects = {key: row[key] for key in _OBJECTS if isinstance(row.get(key), dict)}
        if not any(map(_has_null, objects.values())):
            return row
        taken: dict[bytes, Any] = {}
        bare = {key: _bare(value, taken) for key, value in objects.items()}
        # A whole column comes back whole, whatever is alike inside it.
        taken |= {_key(value): row[key] for key, value in bare.items()}
        self._taken[row["id"]] = taken
        return {**row, **bare}

    def restored(self, names: Sequence[str], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows with their nulls, where an object is one that they were taken from; needs the column `id`."""
        if "id" not in names or not self._taken:
            return rows
        at = names.index("id")
        return [self._restored(row, self._taken[row[at]]) if row[at] in self._taken else row for row in rows]

    def _restored(self, row: tuple[Any, ...], taken: dict[bytes, Any]) -> tuple[Any, ...]:
        return tuple(_filled(value, taken) for value in row)


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(item is None or _has_null(item) for item in value.values())
    return isinstance(value, list) and any(map(_has_null, value))


def _bare(value: Any, taken: dict[bytes, Any]) -> Any:
    if isinstance(value, list):
        return [_bare(item, taken) for item in value]
    if not isinstance(value, dict):
        return value
    bare = {key: _bare(item, taken) for key, item in value.items() if item is not None}
    key = _key(bare)
    # Two objects that differ in their nulls alone cannot be told apart afterwards: neither is restored.
    taken[key] = value if taken.get(key, value) == value else None
    return bare


def _filled(value: Any, taken: dict[bytes, Any]) -> Any:
    if isinstance(value, list):
        return [_filled(item, taken) for item in value]
    if not isinstance(value, dict):
        return value
    before = taken.get(_key(value))
    return before if before is not None else {key: _filled(item, taken) for key, item in value.items()}


def _key(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
