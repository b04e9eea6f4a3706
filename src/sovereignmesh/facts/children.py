"""Reads `children/*.yaml`: what only child resources tell, and how Azure Resource Manager is asked for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import FactsError
from sovereignmesh.facts.rows import check_date, check_sources, find_resource_type, load_exclusions, refuse_unknown
from sovereignmesh.facts.tables import read_table

if TYPE_CHECKING:
    from sovereignmesh.facts.rules import Exclusion
    from sovereignmesh.result.checks import Check

__all__ = ["BUCKETS", "ChildRead", "child_reads", "load_reads"]

BUCKETS: Final = ("", "storage-lists")
_KEYS: Final = {
    "child", "list", "get", "api_version", "source", "checked", "unless", "bucket", "replaces", "types",
}  # fmt: skip
_VERSION: Final = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")


@dataclass(frozen=True, slots=True)
class ChildRead:
    """One call for children of a resource: GET `path`, which gives a list (`many`) or one object.

    The path continues the parent's id; one that begins with a slash continues that of its subscription. `{group}`,
    `{location}` and, for the keys of a vault, `{key}` stand in it. In the cases `unless` a parent has no such children.
    `bucket`: whose quota it draws on besides that of Azure Resource Manager. `replaces`: the children's answers stand
    in for the parent's own.
    """

    parent: str
    child: str
    path: str
    many: bool
    api_version: str
    source: tuple[str, ...]
    checked: str
    unless: tuple[Exclusion, ...]
    bucket: str
    replaces: bool

    @property
    def checks(self) -> frozenset[Check]:
        """The checks that the children answer."""
        row = find_resource_type(self.child)
        assert row is not None, "the loader has looked"
        return frozenset(row.rules)


@cache
def child_reads() -> dict[str, tuple[ChildRead, ...]]:
    """All reads by the type of the parent, in lower case."""
    found: dict[str, tuple[ChildRead, ...]] = {}
    for file in sorted(files(__package__).joinpath("children").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yaml"):
            for read in load_reads(read_table(f"children/{file.name}"), f"facts/children/{file.name}"):
                found[read.parent] = (*found.get(read.parent, ()), read)
    return found


def load_reads(table: dict[str, Any], file: str) -> list[ChildRead]:
    """The reads of one table. Raises FactsError naming the file, the entry and the rule that it breaks."""
    found = []
    for parent, entries in table.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            where = f"{file}: {parent}: {entry.get('child')}"
            found += [_load(name, entry, where) for name in entry.get("types", [parent])]
    return found


def _load(parent: str, entry: dict[str, Any], where: str) -> ChildRead:
    refuse_unknown(entry, _KEYS, where)
    row = find_resource_type(str(entry.get("child")))
    if row is None or not row.rules:
        raise FactsError(f"{where}: its `child` has no row that answers a check: nothing would be read for")
    if ("list" in entry) == ("get" in entry):
        raise FactsError(f"{where}: needs one of `list` and `get`")
    if not _VERSION.fullmatch(str(entry.get("api_version"))):
        raise FactsError(f"{where}: `api_version` is none")
    if entry.get("bucket", "") not in BUCKETS:
        raise FactsError(f"{where}: `bucket` is one of {', '.join(BUCKETS[1:])}")
    return ChildRead(
        parent=parent.lower(),
        child=row.name,
        path=entry.get("list") or entry["get"],
        many="list" in entry,
        api_version=entry["api_version"],
        source=check_sources(entry, where),
        checked=check_date(entry, where),
        unless=load_exclusions(entry, "unless", where),
        bucket=entry.get("bucket", ""),
        replaces=entry.get("replaces", False),
    )
