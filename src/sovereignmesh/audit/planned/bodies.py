"""Spells a planned resource of the azurerm provider as ARM does, by the table facts/terraform.yaml."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh.audit.planned.rows import put, tell_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sovereignmesh.audit.planned.references import Change, References
    from sovereignmesh.facts.terraform import Spelling

__all__ = ["Body", "look_up"]

State = Literal["known", "absent", "unknown"]
Path = tuple[str | int, ...]
_KEY: Final = re.compile(r"/keys/([^/]+)")


def look_up(change: Change, attribute: str, prefix: Path = ()) -> tuple[State, Any, Path]:
    """What the plan says of an attribute, a dotted path, and where it stands; of a list of blocks the first counts."""
    value: Any = change.after
    unknown = change.unknown
    found: list[str | int] = []
    steps = attribute.split(".") if attribute != "@" else ()
    for step in (*prefix, *steps):
        if unknown is True:
            return "unknown", None, (*prefix, *steps)
        if type(value) is list and type(step) is str:
            value = value[0] if value else None
            unknown = unknown[0] if type(unknown) is list and unknown else unknown if unknown is True else None
            found.append(0)
            if unknown is True:
                return "unknown", None, (*prefix, *steps)
        if type(step) is int:
            value = value[step] if type(value) is list and step < len(value) else None
            unknown = unknown[step] if type(unknown) is list and step < len(unknown) else None
        else:
            value = value.get(step) if type(value) is dict else None
            unknown = unknown.get(step) if type(unknown) is dict else None
        found.append(step)
    if unknown is True:
        return "unknown", None, tuple(found)
    if value is None or value == "":
        return "absent", None, tuple(found)
    return "known", value, tuple(found)


def _nested(path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = {}
    put(body, path, value)
    return body


def _seconds(text: str) -> Any:
    """A time as seconds; as it is where it is none."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return int((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp())


class Body:
    """The properties of one planned resource, or of one of its blocks."""

    def __init__(
        self,
        change: Change,
        references: References,
        address: Callable[[Change, str], str],
        computed: frozenset[str],
        prefix: Path = (),
    ) -> None:
        self._change, self._references, self._address = change, references, address
        self._computed, self._prefix = computed, prefix

    def of_item(self, each: str, number: int) -> Body:
        """The same inside one block of a list."""
        prefix = (*self._prefix, *each.split("."), number)
        return Body(self._change, self._references, self._address, self._computed, prefix)

    def write_common(self, row: dict[str, Any]) -> None:
        """Writes what the provider spells alike for all resources: location and tags."""
        self.write_location(row)
        self.write_tags(row)

    def write_location(self, row: dict[str, Any]) -> None:
        """Writes the location, known or not."""
        state, value, _ = self.look_up("location", plain=True)
        if state == "known":
            row["location"] = value
        elif state == "unknown":
            tell_unknown(row, "location")

    def write_tags(self, row: dict[str, Any]) -> None:
        """Writes the tags, each known or not."""
        state, tags, _ = self.look_up("tags")
        if state == "unknown":
            tell_unknown(row, "tags")
        elif type(tags) is dict:
            row["tags"] = {name: value for name, value in tags.items() if type(value) is str}
            unknown = self._change.unknown.get("tags") if type(self._change.unknown) is dict else None
            for name, mark in unknown.items() if type(unknown) is dict else ():
                if mark is True:
                    tell_unknown(row, f"tags.{name}")

    def write(self, row: dict[str, Any], spellings: Mapping[str, Spelling]) -> None:
        """Writes all properties that the spellings tell of."""
        for path, spelling in spellings.items():
            outer, listed, inner = path.partition("[].")
            state, value = self._value(spelling, row, outer)
            if state == "known":
                put(row, outer, [_nested(inner, value)] if listed else value)
            elif state == "unknown":
                tell_unknown(row, outer)

    def look_up(self, attribute: str, *, plain: bool = False) -> tuple[State, Any, Path]:
        """What the plan says of an attribute of this object; `plain`: it is no block.

        What nobody writes and only the service knows is not there, as in a body that leaves it to the service. Of
        blocks the table says which those are, since a dynamic block is written in no configuration.
        """
        state, value, path = look_up(self._change, attribute, self._prefix)
        may = (plain and len(path) == 1) or bool(path and path[0] in self._computed)
        if state == "unknown" and may and self._fills_in(str(path[0])):
            return "absent", None, path
        return state, value, path

    def _fills_in(self, attribute: str) -> bool:
        """Whether nobody writes the attribute, so that the service does."""
        written = self._references.written(self._change)
        expressions = written.get("expressions") if written else None
        return written is not None and (type(expressions) is not dict or attribute not in expressions)

    def _value(self, spelling: Spelling, row: dict[str, Any], root: str) -> tuple[State, Any]:
        if spelling.each is not None:
            return self._list(spelling, row, root)
        if spelling.text is not None:
            return self._text(spelling)
        unknown = False
        for attribute in spelling.at:
            state, value, path = self.look_up(attribute, plain=spelling.always is None)
            if state == "known":
                state, value = self._spelled(spelling, value)
            elif state == "unknown":
                state, value = self._referred(spelling, path)
            if state == "known":
                return state, value
            unknown = unknown or state == "unknown"
        return ("unknown", None) if unknown else ("absent", None)

    def _referred(self, spelling: Spelling, path: Path) -> tuple[State, Any]:
        """What an unknown value will refer to."""
        target = self._references.target(self._change, path) if spelling.meant or spelling.always is not None else None
        if target is None:
            return "unknown", None
        if spelling.always is not None:
            return "known", spelling.always
        if spelling.meant == "region":
            place = target.change.after.get("location")
            return ("known", place) if type(place) is str else ("unknown", None)
        if spelling.meant == "name":
            name = target.change.after.get("name")
            return ("known", name) if type(name) is str else ("unknown", None)
        return "known", self._address(target.change, target.attribute)

    @classmethod
    def _spelled(cls, spelling: Spelling, value: Any) -> tuple[State, Any]:
        if spelling.always is not None:
            return ("absent", None) if value in (False, []) else ("known", spelling.always)
        if spelling.meant in ("region", "name"):
            return cls._meant(spelling, value)
        if spelling.epoch:
            return "known", _seconds(str(value))
        values = spelling.values or {}
        key = str(value).lower() if type(value) is bool else str(value)
        return ("absent", None) if spelling.only and key not in values else ("known", values.get(key, value))

    @staticmethod
    def _meant(spelling: Spelling, value: Any) -> tuple[State, Any]:
        """What an id or address tells: the name of its key, and not where its resource is."""
        found = _KEY.search(str(value)) if spelling.meant == "name" else None
        return ("known", found[1]) if found else ("unknown", None)

    def _text(self, spelling: Spelling) -> tuple[State, Any]:
        assert spelling.text is not None
        text = spelling.text
        for name in spelling.fields:
            state, value, _ = self.look_up(name)
            if state != "known":
                return state, None
            text = text.replace(f"{{{name}}}", str(value))
        return "known", text

    def _list(self, spelling: Spelling, row: dict[str, Any], root: str) -> tuple[State, Any]:
        assert spelling.each is not None
        assert spelling.items is not None
        state, blocks, path = self.look_up(spelling.each)
        if state == "unknown":
            return self._one_of(spelling, path)
        if state != "known" or type(blocks) is not list:
            return state, None
        found = []
        for number in range(len(blocks)):
            body = self.of_item(spelling.each, number)
            answers = [body.look_up(name)[:2] == ("known", wanted) for name, wanted in (spelling.where or {}).items()]
            unclear = any(body.look_up(name)[0] == "unknown" for name in spelling.where or {})
            if unclear:
                tell_unknown(row, root)
            if not unclear and all(answers):
                item: dict[str, Any] = {}
                body.write_item(item, spelling.items, row, root)
                found.append(item)
        return ("known", found) if found or not spelling.where else ("absent", None)

    def _one_of(self, spelling: Spelling, path: Path) -> tuple[State, Any]:
        """A list of which nothing is known but what it refers to."""
        items = spelling.items or {}
        if not all(item.at == ("@",) for item in items.values()):
            return "unknown", None
        found = {name: self._referred(item, path) for name, item in items.items()}
        if any(state != "known" for state, _ in found.values()):
            return "unknown", None
        return "known", [{name: value for name, (_, value) in found.items()}]

    def write_item(self, item: dict[str, Any], items: Mapping[str, Spelling], row: dict[str, Any], root: str) -> None:
        """Writes one object of a list; what is not known is noted at the row."""
        for path, spelling in items.items():
            state, value = self._value(spelling, row, f"{root}.{path}")
            if state == "known":
                put(item, path, value)
            elif state == "unknown":
                tell_unknown(row, f"{root}.{path}")
