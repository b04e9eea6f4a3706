"""The sources that are wished: each with its kind, its endpoint, where it is and whose data it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sovereignmesh.facts import find_region
from sovereignmesh.facts.purview import endpoint_of, kind_of_id, kind_of_resource, kinds_of_id, source_kinds
from sovereignmesh.mesh.purview import ScanWish, SourceWish
from sovereignmesh.mesh.purview_references import source_kind
from sovereignmesh.patterns import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sovereignmesh.facts.purview import SourceKind
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.products import DataProduct, Interface
    from sovereignmesh.mesh.purview import PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.purview.resources import Resources
    from sovereignmesh.result import Problem
    from sovereignmesh.yamlfile import Path

__all__ = [
    "DISCOVERED",
    "Wanted",
    "find_sources",
    "kinds_named",
    "match_interfaces",
    "needed_resources",
    "wished_scans",
]

DISCOVERED: Final = ("sources", "discover")  # where sources stand that nobody wrote out
_NO_SCHEME: Final = "//"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source that is wished: `path` is where in the document; `region` "" where nobody knows it.

    `kind` is None for one that is not modelled. `located`: it is in a region of Azure, or could say so. `hosts` are
    those of its endpoints.
    """

    name: str
    kind_name: str
    kind: SourceKind | None
    properties: Mapping[str, Any]
    scans: tuple[tuple[ScanWish, Path], ...]
    path: Path
    collection: str | None = None
    domain: str = ""
    region: str = ""
    located: bool = True
    hosts: frozenset[str] = field(default_factory=frozenset)


def needed_resources(wish: PurviewAccountWish) -> tuple[set[str], set[str] | None]:
    """The types of the resources that have to be looked at, and the subscriptions: None for all."""
    types, subscriptions = set[str](), set[str]()
    for source in wish.registered:
        if server := _resource_of(source):
            kinds = {known for kind in kinds_of_id(server) for known in kind.resource_types}
            types |= kinds | set(known.resource_types if (known := source_kinds().get(source.kind or "")) else ())
            subscriptions.add(server.lower().split("/", 3)[2])
    discovers = wish.discovers
    if discovers is None:
        return types, subscriptions
    return types | {known for kind in kinds_named(discovers.types) for known in kind.resource_types}, None


def wished_scans(wish: PurviewAccountWish) -> dict[str, list[str]]:
    """By source that the document writes out, the names of its scans; what is discovered has no names before it is."""
    return {source.name: [scan.name for scan, _ in _scans(source, ())] for source in wish.registered}


def find_sources(
    mesh: Mesh, account: Loaded[PurviewAccountWish], resources: Resources, cloud: str
) -> tuple[list[Wanted], list[Problem]]:
    """The sources that the document wishes, those first that it writes out; and what is wrong with them."""
    finder = _Finder(mesh, account, resources, cloud)
    found, problems = finder.registered()
    return [*found, *finder.discovered(found)], problems


def match_interfaces(
    products: Iterable[DataProduct], sources: Iterable[Wanted]
) -> Iterator[tuple[DataProduct, Interface, Wanted | None]]:
    """Each interface of a product that is no API with the source that it leads to; None where there is none."""
    by_host = {host: source for source in sources for host in source.hosts}
    for product in products:
        for interface in product.interfaces:
            found = by_host.get(_host(interface.endpoint))
            if found is not None or interface.type.casefold() != "api":
                yield product, interface, found


@dataclass(frozen=True, slots=True)
class _Finder:
    """Makes sources of what the document says and of what the resources are."""

    mesh: Mesh
    account: Loaded[PurviewAccountWish]
    resources: Resources
    cloud: str

    def registered(self) -> tuple[list[Wanted], list[Problem]]:
        """Those that the document writes out, and what is wrong with others."""
        found: list[Wanted] = []
        problems: list[Problem] = []
        for index, source in enumerate(self.account.model.registered):
            path: Path = (*self.account.model.steps, index)
            server = _resource_of(source)
            row = self.resources.find(server) if server else None
            problems += self._elsewhere(source, row, path)
            if source.resource is None:
                found.append(_in_full(source, path, _region((row or {}).get("location"))))
                continue
            kind = source_kind(source) or (kind_of_resource(row) if row else None)
            if kind is None:
                seen = "no kind fits it" if row else "it is not visible to you, and its id does not tell its kind"
                problems.append(self.account.problem((*path, "resource"), f"{server}: {seen}: give a 'kind'"))
                continue
            if row is None and source.location:
                message = f"{server} is not visible to you: that it is in {source.location} is the mesh's word alone"
                problems.append(self.account.problem((*path, "location"), message, "warning"))
            wanted = self._of_resource(source, kind, server, row, path)
            if not any(wanted.properties.get(spelled) for spelled in kind.endpoint):
                seen = "does not tell it" if row else "is not visible to you"
                message = f"{server} {seen}: {kind.kind} is known by {' or '.join(kind.endpoint)}"
                problems.append(self.account.problem((*path, "resource"), f"{message}: give it in 'properties'"))
            found.append(wanted)
        return found, problems

    def _elsewhere(self, source: SourceWish, row: Mapping[str, Any] | None, path: Path) -> Iterator[Problem]:
        """Regions that are written and that Azure contradicts: nobody moves data by writing.

        A warning for a source that is written out, as an export does: Azure's is what counts for the policy.
        """
        severity = "error" if source.resource else "warning"
        real = _region((row or {}).get("location"))
        written = {("location",): source.location, ("properties", "location"): source.properties.get("location")}
        for key, value in written.items():
            if real and value and _region(value) != real:
                message = f"the resource is in {real}, not in {value}, as Azure says"
                yield self.account.problem((*path, *key), message, severity)

    def discovered(self, registered: Iterable[Wanted]) -> Iterator[Wanted]:
        """Those that the resources are, and that are not registered; by name, whatever the order of the rows."""
        wish = self.account.model.discovers
        if wish is None:
            return
        kinds = {kind.kind for kind in kinds_named(wish.types)}
        domains = None if wish.domains == "all" else {name.casefold() for name in wish.domains}
        taken = {str(wanted.properties.get("resourceId", "")).lower() for wanted in registered}
        names = {wanted.name.casefold() for wanted in registered}
        for _, row in sorted(self.resources.rows.items()):
            kind, resource = kind_of_resource(row), str(row["id"])
            if kind is None or kind.kind not in kinds or resource.lower() in taken:
                continue
            if domains is not None and self.resources.domain_of(self.mesh, resource).casefold() not in domains:
                continue
            name = slug(str(row["name"]))
            if name.casefold() in names:
                name = slug(f"{row['name']}-{row['resourceGroup']}-{str(row['subscriptionId'])[:8]}")
            names.add(name.casefold())
            source = SourceWish(name=name, resource=resource, kind=kind.kind)
            yield self._of_resource(source, kind, resource, row, DISCOVERED)

    def _of_resource(
        self, source: SourceWish, kind: SourceKind, server: str, row: Mapping[str, Any] | None, path: Path
    ) -> Wanted:
        """A source of an Azure resource: what the document leaves out follows from the id and from the resource."""
        parts = server.split("/")
        name = str(row["name"]) if row else parts[-1]
        location = source.location or _region((row or {}).get("location"))
        place = {
            "subscriptionId": parts[2],
            "resourceGroup": parts[4] if len(parts) > 4 else "",  # noqa: PLR2004 - /subscriptions/ID/resourceGroups/NAME
            "location": location,
            "resourceName": name,
            "resourceId": str(row["id"]) if row else server,
        }
        told = {**place, **endpoint_of(kind, name, row, self.cloud), **source.properties}
        properties = {key: value for key, value in told.items() if value and key in kind.allowed}
        return Wanted(
            source.name,
            kind.kind,
            kind,
            properties,
            tuple(_scans(source, path)),
            path,
            source.collection,
            self.resources.domain_of(self.mesh, server),
            location,
            bool(location) or kind.azure_resource,
            _hosts(properties.get(spelled) for spelled in kind.endpoint),
        )


def _resource_of(source: SourceWish) -> str:
    """The id of the server or account that a source is, "" where the document names none."""
    named = source.resource or source.properties.get("resourceId")
    known = isinstance(named, str) and named.lower().startswith("/subscriptions/")
    return kind_of_id(named)[1] if known and isinstance(named, str) else ""


def _in_full(source: SourceWish, path: Path, region: str) -> Wanted:
    """A source of which the document says all; `region` is where Azure says that its resource is, if it does."""
    kind = source_kind(source)
    region = region or source.location or _region(source.properties.get("location"))
    return Wanted(
        source.name,
        str(source.kind),
        kind,
        source.properties,
        tuple(_scans(source, path)),
        path,
        source.collection,
        region=region,
        located=bool(region) or (kind is not None and kind.azure_resource),
        hosts=_hosts(source.properties.get(spelled) for spelled in (kind.endpoint if kind else ())),
    )


def _scans(source: SourceWish, path: Path) -> Iterator[tuple[ScanWish, Path]]:
    """The scans that are written, and one of the database whose id stands for the source, unless one of them is."""
    database = kind_of_id(source.resource)[2] if source.resource else ""
    for at, scan in enumerate(source.scans):
        fitting = scan if scan.database or not database else scan.model_copy(update={"database": database})
        yield fitting, (*path, "scans", at)
    if database and all(scan.database not in (None, database) for scan in source.scans):
        yield ScanWish(name=slug(database), database=database), path


def kinds_named(named: Iterable[str]) -> Iterator[SourceKind]:
    """The kinds that names of kinds, or of resource types in lower case, mean."""
    for name in named:
        yield from (kind for kind in source_kinds().values() if name == kind.kind)
        yield from (kind for kind in source_kinds().values() if name in kind.resource_types and not kind.on_request)


def _region(value: object) -> str:
    region = find_region(value) if isinstance(value, str) and value else None
    return region.name if region else ""


def _hosts(addresses: Iterable[Any]) -> frozenset[str]:
    return frozenset(_host(address) for address in addresses if isinstance(address, str)) - {""}


def _host(address: str) -> str:
    """The host that an address names, with or without a scheme, in lower case; "" where it is none."""
    text = address.strip()
    try:
        return (urlsplit(text if _NO_SCHEME in text else f"{_NO_SCHEME}{text}").hostname or "").lower()
    except ValueError:
        return ""
