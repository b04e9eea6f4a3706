"""One store of everything, by path: what ARM reads and writes, and what Resource Graph shows."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.estate import read_state
from sovereignmesh.sandbox.purview.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.sandbox.estate import Estate

__all__ = ["ACCOUNT", "GROUP", "SUBSCRIPTION", "Record", "Store", "type_in"]

SUBSCRIPTION: Final = "microsoft.resources/subscriptions"
GROUP: Final = "microsoft.resources/subscriptions/resourcegroups"
ACCOUNT: Final = "microsoft.purview/accounts"
_ARM_TYPES: Final = {GROUP: "Microsoft.Resources/resourceGroups"}
_BODY: Final = (
    "location", "kind", "managedBy", "sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation",
)  # fmt: skip
_OBJECTS: Final = ("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation")
_SUBSCRIPTION_LEVEL, _GROUP_LEVEL = 2, 4  # segments of a path


class Record(NamedTuple):
    """A resource: its id as it was written, its type as the id spells it, its ARM body, the graph's api-version."""

    id: str
    type: str
    body: dict[str, Any]
    api_version: str


@lru_cache(maxsize=1 << 14)
def type_in(path: str) -> str:
    """The resource type that a path names, in the path's case; "" where it names none.

    >>> type_in("/subscriptions/1/resourceGroups/rg/providers/Microsoft.Sql/servers/s/databases/d")
    'Microsoft.Sql/servers/databases'
    """
    _, found, last = path.rpartition("/providers/")
    if found:
        segments = last.split("/")
        return "/".join([segments[0], *segments[1::2]])
    count = len(path.strip("/").split("/"))
    return {_SUBSCRIPTION_LEVEL: SUBSCRIPTION, _GROUP_LEVEL: GROUP}.get(count, "")


class _Estates(NamedTuple):
    """What an estate begins with. Stores share it: each copies what it changes."""

    records: dict[str, Record]
    below: dict[str, dict[str, None]]  # by path, what is anywhere below it
    given: frozenset[str]  # what Resource Graph knows of
    unlisted: frozenset[str]
    graph_types: frozenset[str]


@lru_cache(maxsize=8)
def _records_of(estate: Estate) -> _Estates:
    given = {str(record.id).lower(): record for record in map(_record_of, estate.rows)}
    children = {str(body["id"]).lower(): Record(body["id"], type_in(body["id"]), body, "") for body in estate.children}
    records = {**given, **children}
    below: dict[str, dict[str, None]] = {}
    for key in records:
        for above in _paths_above(key):
            below.setdefault(above, {})[key] = None
    types = frozenset(str(row["type"]).lower() for row in estate.rows)
    return _Estates(records, below, frozenset(given), frozenset(children), types)


class Store:
    """Records by lower-cased path. `version` grows with every write; `state` is a file that keeps what was written.

    `accounts` are the records of Purview's accounts by lower-case name, `objects` what is kept in them.
    """

    def __init__(self, estate: Estate, state: Path | None = None) -> None:
        self.version = 0
        self._estate = estate
        self._state = state
        self.objects = Objects()
        self.accounts: dict[str, Record] = {}
        self._written: dict[str, dict[str, Any] | None] = {}
        self._objects_written: dict[str, dict[str, dict[str, Any] | None]] = {}
        self._estates = _records_of(estate)
        self._records = dict(self._estates.records)
        self._below = {path: dict(keys) for path, keys in self._estates.below.items()}
        for key, record in self._records.items():
            if record.type.lower() == ACCOUNT:
                self.accounts[key.rpartition("/")[2]] = record
        if state is not None and not state.parent.is_dir():
            raise SandboxError(f"{state}: there is no folder {state.parent}")
        self._seen = _stamp(state) if state is not None else None
        if state is not None and state.exists():
            self._load(state)

    def get(self, path: str) -> Record | None:
        """The record at a path, in any case."""
        return self._records.get(path.lower())

    def below(self, path: str = "") -> Iterator[Record]:
        """Every record below a path, in the order that they came in."""
        return (self._records[key] for key in self._keys_below(path))

    def chosen(self, path: str, fits: Callable[[str], bool]) -> Iterator[Record]:
        """Those of the records below a path whose id, in lower case, fits."""
        return (self._records[key] for key in self._keys_below(path) if fits(key))

    def _keys_below(self, path: str) -> Iterable[str]:
        return self._below.get(path.lower().rstrip("/"), ())

    def put(self, path: str, body: dict[str, Any], api_version: str) -> tuple[Record, bool]:
        """Writes a body; gives the record, and whether it is new. An id that is there keeps its case."""
        before = self.get(path)
        identity = before.id if before else path
        kept = {**body, **_named(identity)}
        record = Record(identity, type_in(identity), kept, before.api_version if before else api_version)
        self._hold(record)
        self._save({identity.lower(): {"id": identity, "body": kept, "apiVersion": record.api_version}})
        return record, before is None

    def delete(self, path: str) -> bool:
        """Removes a record and all below it; False where there was none."""
        if self.get(path) is None:
            return False
        gone = [path.lower(), *(record.id.lower() for record in self.below(path))]
        for key in gone:
            self._drop(key)
            if type_in(key) == ACCOUNT:
                self.objects.drop_all(f"{key.rpartition('/')[2]}/")
        self._save(dict.fromkeys(gone))
        return True

    @property
    def is_untouched(self) -> bool:
        """Whether the records are the estate's, and nobody has written any."""
        return not self._written

    def is_given(self, record: Record) -> bool:
        """Whether a record is part of the estate; what was made since is not."""
        return record.id.lower() in self._estates.given

    def uses(self, subscription: str, namespace: str) -> bool:
        """Whether a subscription has, or came with, a resource of a provider: whoever used it has registered it."""
        start, named = f"{subscription.lower()}/", f"/providers/{namespace.lower()}/"
        return any(key.startswith(start) and named in key for key in (*self._records, *self._estates.given))

    def restore_objects(self) -> None:
        """Gives the objects what the state has of them, once those that come with the estate are there."""
        try:
            self.objects.restore(self._objects_written)
        except (LookupError, TypeError, AttributeError) as error:
            raise SandboxError(f"{self._state}: not a state that a sandbox wrote: {error}") from error

    def save_objects(self) -> None:
        """Keeps what was written to the objects since the last time."""
        if self.objects.changed:
            self._keep()

    def lists(self, record: Record) -> bool:
        """Whether Resource Graph, and ARM's list of all resources, have a record; neither lists every child."""
        if record.id.lower() in self._estates.unlisted:
            return False
        return record.type.lower() in self._estates.graph_types or _is_top_level(record.id)

    def graph_rows(self) -> Iterator[dict[str, Any]]:
        """The rows that Resource Graph has, of all subscriptions."""
        return (self._row(record) for record in self._records.values() if self.lists(record))

    def _row(self, record: Record) -> dict[str, Any]:
        kind = record.type.lower()
        segments = record.id.split("/")
        body = record.body
        row = {
            "id": record.id,
            "name": body.get("displayName", "") if kind == SUBSCRIPTION else segments[-1],
            "type": kind,
            "tenantId": self._estate.tenant_id,
            "kind": body.get("kind") or "",
            "location": body.get("location") or "",
            "resourceGroup": segments[4].lower() if len(segments) > _GROUP_LEVEL else "",
            "subscriptionId": segments[2],
            "managedBy": body.get("managedBy") or "",
            **{column: body.get(column) for column in _OBJECTS},
            "apiVersion": record.api_version,
        }
        if kind == SUBSCRIPTION:
            row["properties"] = {
                **{key: body[key] for key in ("state", "managedByTenants", "subscriptionPolicies") if key in body},
                "managementGroupAncestorsChain": [
                    {"name": group.name, "displayName": group.display_name}
                    for group in self._estate.groups_over(segments[2])
                ],
            }
        return row

    def _hold(self, record: Record) -> None:
        key = record.id.lower()
        self._records[key] = record
        if record.type.lower() == ACCOUNT:
            self.accounts[key.rpartition("/")[2]] = record
        for above in _paths_above(key):
            self._below.setdefault(above, {})[key] = None

    def _drop(self, key: str) -> None:
        if self._records.pop(key, None) is not None:
            if type_in(key) == ACCOUNT:
                del self.accounts[key.rpartition("/")[2]]
            for above in _paths_above(key):
                del self._below[above][key]

    def _load(self, state: Path) -> None:
        try:
            kept = orjson.loads(read_state(state))
            if kept["estate"] != self._estate.name:
                raise SandboxError(
                    f"{state} is the state of the estate {kept['estate']}, not of {self._estate.name}: give that estate"
                )
            written, self._objects_written = kept["written"], kept.get("purview", {})
            for key, value in written.items():
                if value is None:
                    self._drop(key)
                else:
                    identity, body = value["id"], value["body"].copy()  # of an object, or no state
                    self._hold(Record(identity, type_in(identity), body, value["apiVersion"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SandboxError(f"{state}: not a state that a sandbox wrote: {error}") from error
        self._written = written

    def _save(self, changes: dict[str, dict[str, Any] | None]) -> None:
        self.version += 1
        self._written |= changes
        self._keep()

    def _keep(self) -> None:
        self.objects.changed = False
        if self._state is None:
            return
        if _stamp(self._state) != self._seen:
            raise SandboxError(
                f"{self._state}: another command has written the state since this one read it: start again"
            )
        kept = {"estate": self._estate.name, "written": self._written, "purview": self.objects.changes}
        try:
            with tempfile.NamedTemporaryFile(dir=self._state.parent, prefix=".state-", delete=False) as file:
                try:
                    file.write(orjson.dumps(kept))
                    file.flush()
                    seen = _told(os.fstat(file.fileno()))
                    os.replace(file.name, self._state)  # noqa: PTH105 - the file's name is a string
                except OSError:
                    Path(file.name).unlink(missing_ok=True)
                    raise
            self._seen = seen
        except OSError as error:
            raise SandboxError(f"{self._state}: the state cannot be written: {error}") from error


def _stamp(state: Path) -> tuple[int, int] | None:
    """What tells one writing of a state from another, None where there is none."""
    try:
        return _told(state.stat())
    except OSError:
        return None


def _told(about: os.stat_result) -> tuple[int, int]:
    return about.st_ino, about.st_mtime_ns


def _paths_above(key: str) -> Iterator[str]:
    while key:
        key = key.rpartition("/")[0]
        yield key


def _is_top_level(identity: str) -> bool:
    """Whether the graph would list a resource of a type that it has not shown: no child and no extension."""
    scope, _, named = identity.lower().partition("/providers/")
    return "/resourcegroups/" in scope and "/providers/" not in named and type_in(identity).count("/") == 1


def _named(identity: str) -> dict[str, str]:
    kind = type_in(identity)
    if kind == SUBSCRIPTION:
        return {"id": identity}
    return {"id": identity, "name": identity.rpartition("/")[2], "type": _ARM_TYPES.get(kind, kind)}


def _record_of(row: dict[str, Any]) -> Record:
    """The ARM body behind a row of Resource Graph: what is null or empty there is absent here."""
    identity = row["id"]
    body: dict[str, Any] = _named(identity)
    kind = type_in(identity)
    if kind == SUBSCRIPTION:
        properties = row.get("properties") or {}
        body |= {
            "authorizationSource": "RoleBased",
            "managedByTenants": properties.get("managedByTenants", []),
            "subscriptionId": row["subscriptionId"],
            "tenantId": row["tenantId"],
            "displayName": row["name"],
            "state": properties.get("state", "Enabled"),
            "subscriptionPolicies": properties.get("subscriptionPolicies", {}),
            **({"tags": row["tags"]} if row.get("tags") is not None else {}),
        }
    else:
        body |= {key: row[key] for key in _BODY if row.get(key) not in (None, "")}
    return Record(identity, kind, body, row.get("apiVersion") or "")
