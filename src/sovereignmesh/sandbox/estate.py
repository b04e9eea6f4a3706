"""An estate: a folder with who is asking, where subscriptions hang, and every resource there is."""

from __future__ import annotations

import errno
import gzip
import json
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from sovereignmesh.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Estate", "GivenAccount", "ManagementGroup", "estate_folder", "estate_mesh", "estate_of", "estates", "load_estate",
    "read_state",
]  # fmt: skip

_PACKAGED: Final = Path(__file__).with_name("estates")
_FILE: Final = "estate.json"
_PURVIEW_ROLES: Final = {
    "collection-administrator", "data-source-administrator", "data-curator", "purview-reader", "workflow-administrator",
    # Of the Unified Catalog: https://learn.microsoft.com/purview/data-governance-roles-permissions.
    "global-catalog-reader", "governance-domain-creator", "governance-domain-owner", "data-product-owner",
}  # fmt: skip
_CATALOGS: Final = ("classic", "unified")
_REMEMBERED: Final = 8  # estates, for who opens one again and again


@dataclass(frozen=True, slots=True)
class ManagementGroup:
    """A management group; `parent` is a name, None for the tenant's root."""

    name: str
    display_name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class GivenAccount:
    """What an estate says of an account of Purview: the caller's roles, the (path, body) of each object, the assets.

    `catalog` is classic or unified: where its people find data. The service of workflows is the classic one's, and the
    tenant's Unified Catalog is that of the account that has it.
    `of_tenant`: it is the tenant's own, its default, beside which no other can be made.

    `runs` has by SOURCE/SCAN how many `assets` its runs find, how they end where they do not succeed (`status`,
    `errorMessage`, `error`, `diagnostics` as the service words them), and those of before in `history`: `id`, `level`,
    `type`, `started`, `ended`, and how each ended.
    """

    roles: tuple[str, ...]
    objects: tuple[tuple[str, dict[str, Any]], ...] = ()
    catalog: str = "classic"
    assets: tuple[dict[str, Any], ...] = ()  # entities of the Data Map
    of_tenant: bool = False
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Estate:
    """What an estate folder says. `groups`, `parents` (of subscriptions), `purview` are by lower-case name.

    Sandboxes share it: nobody changes what is in it.
    """

    name: str
    tenant: dict[str, str]
    principal: dict[str, str]
    groups: dict[str, ManagementGroup]
    parents: dict[str, str]
    roles: tuple[tuple[str, str], ...]  # scope, role
    role_definitions: dict[str, dict[str, list[str]]]
    rows: tuple[dict[str, Any], ...]
    children: tuple[dict[str, Any], ...] = ()  # ARM bodies of what Resource Graph does not list
    policy: tuple[dict[str, Any], ...] = ()  # rows of Resource Graph's table policyresources
    purview: dict[str, GivenAccount] = field(default_factory=dict)

    @property
    def tenant_id(self) -> str:
        """The tenant's id, which is also the name of its root management group."""
        return self.tenant["id"]

    def groups_above(self, group: str | None) -> Iterator[ManagementGroup]:
        """The group of that name and the ones above it, nearest first."""
        while group is not None and (found := self.groups.get(group.lower())):
            yield found
            group = found.parent

    def groups_over(self, subscription: str) -> Iterator[ManagementGroup]:
        """The groups above a subscription, nearest first; one without a parent hangs on the tenant's root."""
        return self.groups_above(self.parents.get(subscription.lower(), self.tenant_id))


def estates() -> dict[str, str]:
    """The packaged estates by name, each with a line that describes it."""
    if not _PACKAGED.is_dir():
        return {}
    found = (path for path in sorted(_PACKAGED.iterdir()) if (path / _FILE).is_file())
    return {path.name: str(_read(path)["description"]) for path in found}


def estate_folder(estate: str | Path) -> Path:
    """The folder of a packaged estate's name, or of a path. Raises SandboxError where there is none."""
    packaged = _PACKAGED / str(estate)
    # A name, not a way out of the package.
    if Path(estate).name == str(estate) and (packaged / _FILE).is_file():
        return packaged
    folder = Path(estate)
    if folder.name == _FILE:
        folder = folder.parent
    if (folder / _FILE).is_file():
        return folder
    known = ", ".join(estates()) or "none"
    raise SandboxError(f"no estate is called {str(estate)!r} and no folder there has {_FILE}; packaged: {known}")


def estate_of(state: Path) -> str | None:
    """The packaged estate that a state file is of; None where there is no such file, or none that says so."""
    try:
        kept = orjson.loads(read_state(state))
    except (OSError, ValueError):  # who opens it tells what is wrong
        return None
    name = kept.get("estate") if isinstance(kept, dict) else None
    return name if isinstance(name, str) and name in estates() else None


def read_state(state: Path) -> bytes:
    """What a state file holds. Raises OSError also for what is no file: a pipe would hold the command up."""
    if state.exists() and not state.is_file():
        raise OSError(errno.EINVAL, "it is no ordinary file", str(state))
    return state.read_bytes()


def estate_mesh(estate: str | Path) -> Path:
    """The folder with the mesh that belongs to an estate. Raises SandboxError where the estate is unknown."""
    folder = estate_folder(estate)
    return (folder / str(_read(folder).get("mesh", "mesh"))).resolve()


class _Files:
    """The files of an estate, and what was in each of them when it was read."""

    def __init__(self) -> None:
        self._read: dict[Path, bytes] = {}

    def read(self, path: Path) -> bytes:
        """What is in a file."""
        self._read[path] = data = path.read_bytes()
        return data

    def are_as_read(self) -> bool:
        """Whether all that was read is there unchanged."""
        with suppress(OSError):
            return all(path.read_bytes() == data for path, data in self._read.items())
        return False


_known: OrderedDict[Path, tuple[_Files, Estate]] = OrderedDict()
_known_lock: Final = threading.Lock()


def load_estate(estate: str | Path) -> Estate:
    """The estate of that name or path: the same one again while its files are what they were.

    Raises SandboxError where it is unknown or cannot be read.
    """
    folder = estate_folder(estate)
    with _known_lock:
        known = _known.get(folder)
    files, loaded = known or (_Files(), None)
    if loaded is None or not files.are_as_read():
        files = _Files()
        loaded = _loaded(folder, files)
    with _known_lock:
        _known[folder] = files, loaded
        _known.move_to_end(folder)
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return loaded


def _loaded(folder: Path, files: _Files) -> Estate:
    described = _read(folder, files)
    try:
        root = described["tenant"]["id"]
        groups = {
            group["name"].lower(): ManagementGroup(group["name"], group["displayName"], group["parent"] or root)
            for group in described.get("management_groups", [])
        }
        groups[root.lower()] = ManagementGroup(root, _root_name(groups, root), None)
        return Estate(
            name=folder.name,
            tenant=described["tenant"],
            principal=described["principal"],
            groups=groups,
            parents={key.lower(): value["parent"] for key, value in described.get("subscriptions", {}).items()},
            roles=tuple((role["scope"], role["role"]) for role in described.get("roles", [])),
            role_definitions=described.get("role_definitions", {}),
            rows=tuple(_lines(files, folder / described["resources"], _row)),
            children=tuple(_lines(files, folder / described["children"], _child)) if "children" in described else (),
            policy=tuple(_lines(files, folder / described["policy"], _row)) if "policy" in described else (),
            purview={
                key.lower(): _account(folder, value, files) for key, value in described.get("purview", {}).items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxError(f"{folder / _FILE}: not an estate's description: {error}") from error


def _root_name(groups: dict[str, ManagementGroup], root: str) -> str:
    return groups[root.lower()].display_name if root.lower() in groups else "Tenant Root Group"


def _read(folder: Path, files: _Files | None = None) -> dict[str, Any]:
    path = folder / _FILE
    try:
        described = json.loads(files.read(path) if files else path.read_bytes())
    except (OSError, ValueError) as error:
        raise SandboxError(f"{path}: {error}") from error
    if not isinstance(described, dict):
        raise SandboxError(f"{path}: not an estate's description: no object")
    return described


def _account(folder: Path, value: dict[str, Any], files: _Files) -> GivenAccount:
    objects = _objects(files, folder / value["objects"]) if "objects" in value else ()
    roles = tuple(str(role) for role in value.get("roles", ()))
    if unknown := set(roles) - _PURVIEW_ROLES:
        raise SandboxError(f"{folder / _FILE}: {min(unknown)!r} is no role in Purview")
    catalog = value.get("catalog", "classic")
    if catalog not in _CATALOGS:
        raise SandboxError(f"{folder / _FILE}: {catalog!r} is no catalog of Purview: {' or '.join(_CATALOGS)}")
    assets = tuple(_lines(files, folder / value["assets"], _asset)) if "assets" in value else ()
    return GivenAccount(
        roles,
        objects,
        catalog,
        assets,
        of_tenant=bool(value.get("of_tenant")),
        runs={str(name): dict(given) for name, given in value.get("runs", {}).items()},
    )


def _objects(files: _Files, path: Path) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The objects in a file: a list of `{"path": ..., "body": {...}}` in an order in which a client could send them."""
    try:
        return tuple((str(one["path"]), dict(one["body"])) for one in json.loads(files.read(path)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SandboxError(f"{path}: not a list of Purview's objects: {error}") from error


def _lines(files: _Files, path: Path, read: Callable[[Any], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    try:
        data = files.read(path)
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
        for line in lines:
            if line.strip():
                yield read(orjson.loads(line))
    except (OSError, EOFError, ValueError) as error:
        raise SandboxError(f"{path}: {error}") from error


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not {"id", "type", "name", "subscriptionId"} <= value.keys():
        raise ValueError("a line that is no row of Resource Graph")
    return value


def _child(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not {"id", "name"} <= value.keys():
        raise ValueError("a line that is no body of Azure Resource Manager")
    return value


def _asset(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not {"typeName", "attributes", "collectionId"} <= value.keys():
        raise ValueError("a line that is no asset of the Data Map")
    return value
