"""Reads `terraform.yaml`: how the azurerm provider's resources are spelled in ARM, and what a plan need not say.

The loader refuses a row that leaves a question open. The format is described at the head of the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh.errors import FactsError
from sovereignmesh.facts.rows import check_date, check_sources, refuse_unknown
from sovereignmesh.facts.rules import Expression, fold
from sovereignmesh.facts.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Child", "FilledIn", "PlannedType", "Spelling", "filled_in", "find_planned_type", "made_on_request",
    "passed_over", "planned_types", "without_data",
]  # fmt: skip

_FILE: Final = "facts/terraform.yaml"
_FIELD: Final = re.compile(r"\{(\w+)\}")
_TYPE: Final = re.compile(r"[A-Za-z0-9.]+(/[A-Za-z0-9]+)+")
_VERSION: Final = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")
_WAYS: Final[dict[str, Literal["", "address", "region", "name"]]] = {
    "at": "", "when": "", "epoch": "", "ref": "address", "region_of": "region", "name_of": "name",
}  # fmt: skip
_PLACES: Final = frozenset({"parent", "within", "scope", "path", "into"})


@dataclass(frozen=True, slots=True)
class Spelling:
    """Where a property of the ARM body comes from.

    `at` are the provider's attributes, of which the first that says something counts. `values` spell them otherwise.
    `text` is put together of attributes in braces. `always` is there wherever one of `at` is. `refers`: the value is
    the id or address of another resource; `meant` tells what of it: the address, its region, or the name of the key.
    `epoch`: a time, as seconds. `only`: other values than those of `values` say nothing. `each` is a list of blocks,
    each of which becomes an object with the properties `items`, where its attributes are as `where` says.
    """

    at: tuple[str, ...] = ()
    values: Mapping[str, Any] | None = None
    text: str | None = None
    always: Any = None
    meant: Literal["", "address", "region", "name"] = ""
    epoch: bool = False
    only: bool = False
    each: str | None = None
    where: Mapping[str, Any] | None = None
    items: Mapping[str, Spelling] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The attributes that the text is put together of."""
        return tuple(_FIELD.findall(self.text or ""))


@dataclass(frozen=True, slots=True)
class Child:
    """A resource of its own that the provider writes as a block, `each`, of another."""

    type: str
    each: str
    name: str
    body: Mapping[str, Spelling]


@dataclass(frozen=True, slots=True)
class PlannedType:
    """A resource of the provider: its type and body in ARM.

    Its id continues that of `parent` or `scope` (attributes with ids), of the resource whose name is at `within`, or is
    written by `path`; otherwise it lies in its resource group. `into`: it is no resource but sets properties of the one
    whose id is at that attribute. `name` stands where it has none of its own. `tied` names an attribute with the id of
    the resource that it belongs to. `computed`: blocks that the service fills in where nobody writes them. `silent`: it
    is only referred to. `partial`: the table spells location and tags alone.
    """

    provider: str
    type: str
    api_version: str
    parent: str | None
    within: str | None
    scope: str | None
    path: str | None
    into: str | None
    name: str | None
    tied: str | None
    computed: frozenset[str]
    body: Mapping[str, Spelling]
    children: tuple[Child, ...]
    source: tuple[str, ...]
    checked: str
    silent: bool = False
    partial: bool = False

    @property
    def spelled(self) -> frozenset[str]:
        """The names inside `properties` that the table spells."""
        return frozenset(path.split(".")[1].removesuffix("[]") for path in self.body if path.startswith("properties."))


@dataclass(frozen=True, slots=True)
class FilledIn:
    """What a service fills in by itself: the `pair` of the region in the case `when`, or where the resource `of` is."""

    at: str
    pair: bool
    when: Expression | None
    values: frozenset[str]
    of: str

    def holds(self, body: Any) -> bool:
        """Whether the body is of the case."""
        value = self.when.find(body) if self.when else None
        return value is not None and fold(value) in self.values


def find_planned_type(provider: str) -> PlannedType | None:
    """What the provider's resource type is in ARM, None where the table does not say."""
    return planned_types().get(provider)


def passed_over(provider: str) -> bool:
    """Whether the provider's type is known to hold no data of its own."""
    return provider in _named("passed_over")


def without_data(resource_type: str) -> bool:
    """Whether an ARM type that stands on others, and that no inventory lists, is known to hold no data."""
    return resource_type.lower() in _named("without_data")


@cache
def made_on_request() -> frozenset[str]:
    """Types of children that are there only where somebody makes them: a new resource has those of its plan."""
    return _named("made_on_request")


@cache
def _table() -> dict[str, Any]:
    table = read_table("terraform.yaml")
    refuse_unknown(table, {"types", "plain", "passed_over", "without_data", "made_on_request", "filled_in"}, _FILE)
    return table


@cache
def _named(section: str) -> frozenset[str]:
    """The names of all groups of a section, each of which says why."""
    found: set[str] = set()
    for group in _table()[section]:
        where = f"{_FILE}: {section}"
        refuse_unknown(group, {"because", "source", "checked", "types"}, where)
        if not group.get("because") or not group.get("types"):
            raise FactsError(f"{where}: a group without `because` or `types`")
        if section != "passed_over":
            check_sources(group, where)
            check_date(group, where)
        found |= {name if section == "passed_over" else name.lower() for name in group["types"]}
    return frozenset(found)


@cache
def filled_in(resource_type: str) -> tuple[FilledIn, ...]:
    """What the service fills in for resources of the type."""
    rows = {name.lower(): row for name, row in _table()["filled_in"].items()}
    return tuple(_filled(row, f"{_FILE}: filled_in: {resource_type}") for row in rows.get(resource_type.lower(), ()))


def _filled(row: dict[str, Any], where: str) -> FilledIn:
    refuse_unknown(row, {"at", "pair", "when", "of", "source", "checked"}, where)
    check_sources(row, where)
    check_date(row, where)
    when = row.get("when")
    if bool(row.get("pair")) != bool(when) or bool(row.get("pair")) == bool(row.get("of")):
        raise FactsError(f"{where}: either `pair` and `when`, or `of`")
    return FilledIn(
        row["at"],
        bool(row.get("pair")),
        Expression.of(when["at"], where) if when else None,
        frozenset(fold(value) for value in when["is"]) if when else frozenset(),
        row.get("of", ""),
    )


@cache
def planned_types() -> dict[str, PlannedType]:
    """All rows by the provider's type."""
    plain = _table()["plain"]
    common = {"api_version": "1970-01-01", "source": plain["source"], "checked": plain["checked"]}
    rows = {
        name: replace(_load(name, {**common, "type": kind}, f"{_FILE}: {name}"), api_version="", partial=True)
        for name, kind in plain["types"].items()
    }
    return rows | {name: _load(name, row, f"{_FILE}: {name}") for name, row in _table()["types"].items()}


def _load(name: str, row: dict[str, Any], where: str) -> PlannedType:
    known = {
        "type",
        "api_version",
        "name",
        "tied",
        "computed",
        "silent",
        "body",
        "children",
        "source",
        "checked",
        *_PLACES,
    }
    refuse_unknown(row, known, where)
    if len(_PLACES & row.keys()) > 1:
        raise FactsError(f"{where}: more than one of {', '.join(sorted(_PLACES))}")
    if "into" in row:
        if {"type", "api_version"} & row.keys():
            raise FactsError(f"{where}: what goes `into` another resource has no type of its own")
    elif not _TYPE.fullmatch(row.get("type", "")) or not _VERSION.fullmatch(row.get("api_version", "")):
        raise FactsError(f"{where}: `type` and `api_version` are needed")
    return PlannedType(
        provider=name,
        type=row.get("type", ""),
        api_version=row.get("api_version", ""),
        parent=row.get("parent"),
        within=row.get("within"),
        scope=row.get("scope"),
        path=row.get("path"),
        into=row.get("into"),
        name=row.get("name"),
        tied=row.get("tied"),
        computed=frozenset(row.get("computed", ())),
        body=_body(row.get("body", {}), where),
        children=tuple(
            Child(child["type"], child["each"], child["name"], _body(child.get("body", {}), where))
            for child in row.get("children", ())
        ),
        source=check_sources(row, where),
        checked=check_date(row, where),
        silent=row.get("silent", False),
    )


def _body(written: dict[str, Any], where: str) -> dict[str, Spelling]:
    return {path: _spelling(value, f"{where}: {path}") for path, value in written.items()}


def _spelling(written: Any, where: str) -> Spelling:
    if isinstance(written, str):
        return Spelling(at=(written,))
    refuse_unknown(written, {*_WAYS, "values", "only", "text", "always", "each", "where", "items"}, where)
    if "each" in written:
        return Spelling(each=written["each"], where=written.get("where"), items=_body(written["items"], where))
    if "text" in written:
        return Spelling(text=written["text"])
    ways = [way for way in _WAYS if way in written]
    if len(ways) != 1 or (ways == ["when"]) != ("always" in written):
        raise FactsError(f"{where}: exactly one of {', '.join(_WAYS)}, and `always` with `when`")
    at = written[ways[0]]
    return Spelling(
        at=tuple(at) if isinstance(at, list) else (at,),
        values=written.get("values"),
        always=written.get("always"),
        meant=_WAYS[ways[0]],
        epoch=ways == ["epoch"],
        only=written.get("only", False),
    )
