"""The rows of a plan: made of what is known, tied to each other, and with what the service itself fills in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.children import packed
from sovereignmesh.audit.index import type_of
from sovereignmesh.audit.judgement import looked_at
from sovereignmesh.audit.pages import Unread
from sovereignmesh.facts import child_reads, find_region, find_resource_type, spellings
from sovereignmesh.facts.terraform import filled_in, made_on_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.facts import ChildRead
    from sovereignmesh.facts.terraform import FilledIn
    from sovereignmesh.result import Check

__all__ = ["Planned", "disks_of", "finish", "put", "tell_unknown"]

_PATHS: Final = 500  # that are noted one by one; of the others what they are in, as far as the judging tells apart
_UNSURE: Final = "whether it will be there is not known before deployment"
_MORE: Final = "there may be others than those of the plan"
_CONNECTIONS: Final = "properties.privateEndpointConnections"
_APPROVED: Final = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
_PROFILE: Final = "properties.storageProfile"
_DISKS: Final = ("properties", _PROFILE, f"{_PROFILE}.osDisk", f"{_PROFILE}.dataDisks")
# https://learn.microsoft.com/azure/templates/microsoft.compute/virtualmachines, createOption; the other one is attach:
# such a disk is there already, a resource of its own.
_MAKES_DISK: Final = frozenset({"fromimage", "empty", "copy", "restore"})
_DISK: Final = {
    "diskEncryptionSet.id": "properties.encryption.diskEncryptionSetId",
    "securityProfile.diskEncryptionSet.id": "properties.securityProfile.secureVMDiskEncryptionSetId",
    "securityProfile.securityEncryptionType": "properties.securityProfile.securityType",
}


@dataclass(slots=True)
class Planned:
    """A resource as the plan tells of it.

    `label` is how the plan calls it. `whether` are the conditions, not decided before deployment, on which it will be
    there. `new`: whether the plan creates it. `parent` is the id of the resource that it belongs to, where its own id
    does not begin with that.
    """

    row: dict[str, Any]
    label: str
    whether: frozenset[str] = frozenset()
    new: bool = False
    parent: str = ""

    def sure_with(self, other: Planned) -> bool:
        """Whether it will be there for certain where the other one is."""
        return self.whether <= other.whether


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Writes a value at a dotted path."""
    *outer, last = path.split(".")
    for name in outer:
        inner = body.setdefault(name, {})
        if type(inner) is not dict:
            return
        body = inner
    body[last] = value


def tell_unknown(row: dict[str, Any], path: str) -> None:
    """Notes that what stands at a dotted path is not known before deployment."""
    unknown = row.setdefault("notKnown", [])
    if len(unknown) >= _PATHS:
        path = ".".join(path.split(".")[:2]) if path.startswith("properties.") else path.partition(".")[0]
    if path not in (unknown if len(unknown) < _PATHS else unknown[-1:]):
        unknown.append(path)


def finish(resources: Iterable[Planned]) -> Iterator[dict[str, Any] | Unread]:
    """The rows as the audit takes them, each with an id of its own."""
    every = list(resources)
    for one in every:
        _tell_respelled(one.row)
    for one in list(every):
        for disk in disks_of(one):
            if isinstance(disk, Unread):
                yield disk
            else:
                every.append(disk)
    _tell_apart(every)
    known = {one.row["id"].lower(): one for one in every}
    _connect(every, known)
    for one in every:
        if type(one.row.get("apiVersion")) is not str:
            one.row.pop("apiVersion", None)
        for fill in filled_in(one.row["type"]):
            _fill(fill, one, known)
    attached = _attach(every, known)
    for one in every:
        if id(one) not in attached:
            yield one.row


def _tell_respelled(row: dict[str, Any]) -> None:
    """Notes the names that differ by case alone from those that are looked at: services may take them for the same."""
    names = spellings(row["type"].lower())
    waiting: list[tuple[Any, str]] = [(row.get("properties"), "properties")]
    while waiting:
        value, at = waiting.pop()
        if type(value) is list:
            waiting += ((item, at) for item in value)
        elif type(value) is dict:
            for key, inner in value.items():
                known = names.get(key.lower(), (key,))
                if key not in known:
                    tell_unknown(row, f"{at}.{known[0]}")
                waiting.append((inner, f"{at}.{known[0]}"))


def disks_of(machine: Planned) -> Iterator[Planned | Unread]:
    """The disks that come with a machine, of which no plan tells as resources of their own."""
    row = machine.row
    if row["type"].lower() != "microsoft.compute/virtualmachines":
        return
    profile = _at(row, "properties.storageProfile")
    system = _at(profile, "osDisk")
    if system is None and _at(profile, "imageReference") and f"{_PROFILE}.osDisk" not in row.get("notKnown", ()):
        system = {"createOption": "FromImage"}  # what is made of an image where nothing else is written
    written = [("osDisk", system)]
    data = _at(profile, "dataDisks")
    unknown = row.get("notKnown", ())
    misses_one = machine.new and (type(system) is not dict or type(data) not in (list, type(None)))
    if misses_one or any(at in unknown for at in _DISKS):
        yield Unread(machine.label, "which disks it will have is not known before deployment")
    written += [(f"dataDisks[{at}]", disk) for at, disk in enumerate(data if type(data) is list else ())]
    for label, disk in written:
        if disk is None or (type(disk) is dict and "vhd" in disk):
            continue
        option = str(disk.get("createOption")).lower() if type(disk) is dict else ""
        if option in _MAKES_DISK and machine.new:
            yield _disk(machine, label, disk)
        elif option != "attach" and (machine.new or (label != "osDisk" and not _at(disk, "managedDisk.id"))):
            yield Unread(f"{machine.label}.{label}", "whether a disk is made with it is not known before deployment")


def _disk(machine: Planned, label: str, disk: dict[str, Any]) -> Planned:
    """A disk as the resource that it will be."""
    row, name = machine.row, disk.get("name")
    own = name if type(name) is str and name else f"{{{row['name']}.{label}}}"
    managed = disk.get("managedDisk")
    managed = managed if type(managed) is dict else {}
    body: dict[str, Any] = {key: row[key] for key in ("location", "tags", "apiVersion") if key in row}
    body |= {
        "id": f"{row['id'].rpartition('/providers/')[0]}/providers/Microsoft.Compute/disks/{own.replace('/', '|')}",
        "name": own, "type": "Microsoft.Compute/disks", "properties": {},
        "sku": {"name": managed["storageAccountType"]} if "storageAccountType" in managed else {},
    }  # fmt: skip
    for at, path in _DISK.items():
        if (value := _at(managed, at)) is not None:
            put(body, path, value)
    ways = {"location": "location", "tags": "tags"}
    ways |= {f"properties.storageProfile.{label}.managedDisk.{at}": path for at, path in _DISK.items()}
    ways[f"properties.storageProfile.{label}.managedDisk.storageAccountType"] = "sku.name"
    for way, path in ways.items():
        if any(way == one or way.startswith(f"{one}.") for one in row.get("notKnown", ())):
            tell_unknown(body, path)
    return Planned(body, f"{machine.label}.{label}", machine.whether, machine.new)


def _tell_apart(resources: list[Planned]) -> None:
    """Different resources whose names are not known yet must not count as one."""
    seen: set[str] = set()
    for one in resources:
        identity = one.row["id"]
        if identity.lower() in seen and "{" in identity:
            label = one.label.replace("/", "|")
            one.row["id"] = identity = f"{identity}{{{label}}}"
        seen.add(identity.lower())


def _at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if type(body) is dict else None
    return body


def _connect(resources: list[Planned], known: dict[str, Planned]) -> None:
    """A private endpoint that is not approved by hand connects its resource, which the resource's own body then shows.

    Who has no right to approve asks for approval by hand
    (https://learn.microsoft.com/azure/private-link/manage-private-endpoint).
    """
    loose = False
    for one in resources:
        if one.row["type"].lower() != "microsoft.network/privateendpoints":
            continue
        connections = _at(one.row, "properties.privateLinkServiceConnections")
        for connection in connections if type(connections) is list else ():
            target = _at(connection, "properties.privateLinkServiceId")
            found = _around(target, known) if type(target) is str else None
            if type(target) is not str:
                loose = True
            elif found is None:
                continue
            elif one.sure_with(found):
                _approve(found.row)
            else:
                tell_unknown(found.row, _CONNECTIONS)
        unknown = one.row.get("notKnown", ())
        loose = loose or any(path.startswith("properties.privateLinkServiceConnections") for path in unknown)
    for one in resources if loose else ():  # an endpoint whose resource is not known may be anybody's
        tell_unknown(one.row, _CONNECTIONS)


def _approve(row: dict[str, Any]) -> None:
    """Adds an approved connection; what is no list of connections stays as it is."""
    written = _at(row, _CONNECTIONS)
    if written is None or type(written) is list:
        put(row, _CONNECTIONS, [*(written or ()), _APPROVED])


def _around(identity: str, known: dict[str, Planned]) -> Planned | None:
    """The planned resource with the id, or the nearest around it."""
    identity = identity.lower()
    while identity:
        if identity in known:
            return known[identity]
        identity = identity.rpartition("/")[0]
    return None


def _fill(fill: FilledIn, one: Planned, known: dict[str, Planned]) -> None:
    """Adds what the service fills in when it creates the resource, and where the resources are that it names."""
    if fill.pair:
        location = one.row.get("location")
        place = find_region(location) if type(location) is str else None
        unknown = any(f"{fill.at}.".startswith(f"{path}.") for path in one.row.get("notKnown", ()))
        if one.new and not unknown and place and place.pair and fill.holds(one.row) and _at(one.row, fill.at) is None:
            put(one.row, fill.at, place.pair)
        return
    items = _at(one.row, fill.at)
    for item in items if type(items) is list else ():
        target = item.get(fill.of) if type(item) is dict else None
        found = known.get(target.lower()) if type(target) is str else None
        if found and "location" not in item and found.row.get("location"):
            item["location"] = found.row["location"]


def _attach(resources: list[Planned], known: dict[str, Planned]) -> set[int]:
    """Gives children to the resource that they are read with in Azure; says which ones went."""
    gone: set[int] = set()
    homeless: set[str] = set()
    unsure: set[tuple[int, str]] = set()
    for one in resources:
        child = one.row["type"].lower()
        above = one.parent or one.row["id"].rpartition("/")[0]
        parent = _around(above, known)
        if parent is not None and parent is not one and any(read.child.lower() == child for read in _reads(parent)):
            box = parent.row.setdefault("children", {}).setdefault(child, packed((), "", ""))
            box["items"].append(one.row)
            gone.add(id(one))
            if not one.sure_with(parent):
                unsure.add((id(parent), child))
        else:
            _stand_alone(one, parent, above)
            if parent is None and ("{" in above or not above.lower().startswith("/subscriptions/")):
                homeless.add(child)  # it may be anybody's
    for one in resources:
        one.row.setdefault("notKnown", [])
        for read in _reads(one):
            child = read.child.lower()
            _close(one, read, unsure=(id(one), child) in unsure, homeless=child in homeless)
    return gone


def _reads(one: Planned) -> tuple[ChildRead, ...]:
    return child_reads().get(one.row["type"].lower(), ())


def _close(one: Planned, read: ChildRead, *, unsure: bool, homeless: bool) -> None:
    """Says of the children of one kind that a resource has in the plan whether those are all, if that is known.

    A list is whole where the plan makes the resource, and its children are there only where somebody makes them.
    """
    child = read.child.lower()
    boxes = one.row.get("children", {})
    whole = one.new and child in made_on_request() and not homeless
    if child not in boxes and read.many and whole:
        one.row["children"] = boxes | {child: packed((), "", "")}
    elif child in boxes and unsure:
        boxes[child]["failed"] = _UNSURE
        if read.replaces:
            _forget(one.row, read.checks)
    elif child in boxes and read.many and not whole:
        boxes[child]["failed"] = _MORE


def _forget(row: dict[str, Any], checks: frozenset[Check]) -> None:
    """Takes out what a child that may be there would answer otherwise."""
    known = find_resource_type(row["type"])
    rules = [known.rules[check] for check in checks if check in known.rules] if known else []
    for path in sorted(frozenset[str]().union(*map(looked_at, rules))):
        outer, _, last = path.rpartition(".")
        body = _at(row, outer) if outer else row
        if outer == "properties" and type(body) is dict:
            body.pop(last, None)
        if outer == "properties":
            tell_unknown(row, path)


def _stand_alone(one: Planned, parent: Planned | None, above: str) -> None:
    """What has no location of its own is where its parent is."""
    row = one.row
    known = find_resource_type(row["type"])
    if "location" in row or "location" in row.get("notKnown", ()) or (known is not None and known.child_of):
        return
    if parent is not None and type_of(above).startswith(parent.row["type"].lower()):
        if "location" in parent.row:
            row["location"] = parent.row["location"]
        elif "location" in parent.row.get("notKnown", ()):
            tell_unknown(row, "location")
