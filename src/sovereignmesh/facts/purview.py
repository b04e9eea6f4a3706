"""Reads `purview.yaml`: the kinds of Purview's sources and scans, credentials, roles, and where its scanners run.

The format is described at the head of the table. The loader refuses a row that leaves a question open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import FactsError
from sovereignmesh.facts.credentials import CredentialKind
from sovereignmesh.facts.regions import find_region
from sovereignmesh.facts.rows import check_date, check_sources, refuse_unknown
from sovereignmesh.facts.rules import fold
from sovereignmesh.facts.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Condition", "CredentialKind", "Limits", "SourceKind", "all_scan_kinds", "all_source_kinds", "credential_kinds",
    "endpoint_of", "kind_of_id", "kind_of_resource", "kinds_of_id", "limits", "may_register", "metadata_roles",
    "scan_properties", "scanner_regions", "source_kinds", "unverified",
]  # fmt: skip

_FILE: Final = "facts/purview.yaml"
_KIND: Final = {
    "title", "properties", "numbers", "endpoint", "azure_resource", "resources", "on_request", "when", "inside", "from",
    "template", "port", "msi", "credential", "others", "files", "ruleset", "database", "source", "checked",
}  # fmt: skip
_FIELD: Final = re.compile(r"\{(\w+)\}")
_SUBSCRIPTION: Final = "microsoft.resources/subscriptions"
_GROUP: Final = "microsoft.resources/subscriptions/resourcegroups"
_SCOPES: Final = {("subscriptions",): _SUBSCRIPTION, ("subscriptions", "resourcegroups"): _GROUP}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a body must say for a kind: the value at the path is one of `values`, or, with `absent`, there is none."""

    at: str
    values: frozenset[str]
    absent: bool

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether the body says so. One that lacks all that the path leads through says nothing."""
        parent, _, name = self.at.rpartition(".")
        around = _at(body, parent) if parent else body
        if not hasattr(around, "keys"):
            return False
        value = around.get(name)
        return self.absent if value is None else fold(value) in self.values


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind of source that the scanning API models.

    `properties` are the names allowed besides the common ones, `numbers` those of them that are no text, `endpoint`
    those that identify the source, in order. `paths` lead to these in a resource's body, `templates` spell them where
    there is none. `resource_types`, in lower case, are what it registers; one with `on_request` is never chosen by a
    type alone. `inside` maps types of children, in lower case, to the scan property that names one: `database`, ""
    where there is none. `scans` maps its kinds of scan to their properties besides the common ones; `msi` and
    `credential` name the one of each sort, or "". `files`: its rulesets choose file extensions. `ruleset` is the name
    of its system ruleset, "" where its scans have none.
    """

    kind: str
    title: str
    properties: tuple[str, ...]
    numbers: frozenset[str]
    endpoint: tuple[str, ...]
    azure_resource: bool
    resource_types: tuple[str, ...]
    on_request: bool
    when: tuple[Condition, ...]
    inside: Mapping[str, str]
    paths: Mapping[str, str]
    templates: Mapping[str, str]
    port: int | None
    msi: str
    credential: str
    scans: Mapping[str, tuple[str, ...]]
    files: bool
    ruleset: str
    database: str
    source: tuple[str, ...]
    checked: str

    @property
    def default_scan(self) -> str:
        """The kind of scan where none is asked for: with the account's own identity wherever there is one."""
        return self.msi or self.credential

    @property
    def allowed(self) -> tuple[str, ...]:
        """All names that a source of the kind may have in `properties`, besides its collection."""
        common = _table()["common"]
        return (*self.properties, *common["source"], *(common["azure_resource"] if self.azure_resource else ()))


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account has by default."""

    collections: int
    concurrent_scans: int
    operations_per_unit: int
    capacity_units: int


@cache
def source_kinds() -> Mapping[str, SourceKind]:
    """All kinds that are modelled, by name.

    >>> source_kinds()["AzureSqlDatabase"].endpoint
    ('serverEndpoint',)
    """
    return {name: _kind(name, row, f"{_FILE}: kinds: {name}") for name, row in _table()["kinds"].items()}


@cache
def all_source_kinds() -> frozenset[str]:
    """All kinds that the API names, those without a model among them."""
    return frozenset({*source_kinds(), *_names("kinds_without_model")})


@cache
def scan_properties() -> Mapping[str, tuple[str, ...]]:
    """All names that a scan may have in `properties`, besides its collection, by the kind of scan."""
    common = tuple(_table()["common"]["scan"])
    return {scan: (*names, *common) for kind in source_kinds().values() for scan, names in kind.scans.items()}


@cache
def all_scan_kinds() -> frozenset[str]:
    """All kinds of scan that the API names, those without a model among them."""
    return frozenset({*scan_properties(), *_names("scan_kinds_without_model")})


def kind_of_resource(body: Mapping[str, Any]) -> SourceKind | None:
    """The kind that registers a resource, from its row in Resource Graph; None where none does or the body is silent.

    A database is no source of its own: its server is.

    >>> kind_of_resource({"type": "Microsoft.Storage/storageAccounts", "properties": {"isHnsEnabled": True}}).kind
    'AdlsGen2'
    >>> kind_of_resource({"type": "Microsoft.Storage/storageAccounts"}) is None
    True
    """
    found = _by_type().get(str(body.get("type")).lower(), ())
    return next((kind for kind in found if all(condition.holds(body) for condition in kind.when)), None)


@lru_cache(maxsize=1 << 14)
def kind_of_id(resource_id: str) -> tuple[SourceKind | None, str, str]:
    """The kind that an id alone tells, the id of the source's resource, and the database that the id names, or "".

    The kind is None where no kind registers the type, and where several do and only a body tells which: the id of a
    storage account does not say whether it is a data lake. An id below a server whose type means no database is
    nobody's, and comes back as it is.

    >>> kind, server, database = kind_of_id(
    ...     "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Sql/servers/sql/databases/orders"
    ... )
    >>> kind.kind, server.rpartition("/")[2], database
    ('AzureSqlDatabase', 'sql', 'orders')
    """
    parts = resource_id.strip("/").split("/")
    resource_type, end = _type_of(parts)
    inside = _by_child().get(resource_type)
    if inside and len(parts) > end:
        return inside, "/" + "/".join(parts[:end]), parts[-1]
    found = _by_type().get(resource_type, ())
    return (found[0] if len(found) == 1 else None), resource_id, ""


def kinds_of_id(resource_id: str) -> tuple[SourceKind, ...]:
    """Every kind that may register the resource, by the type in its id alone."""
    return _by_type().get(_type_of(resource_id.strip("/").split("/"))[0], ())


def may_register(kind: SourceKind, resource_id: str) -> bool:
    """Whether a kind registers the type that an id names; one that has no types of its own may be anything."""
    return not kind.resource_types or _type_of(resource_id.strip("/").split("/"))[0] in kind.resource_types


def endpoint_of(kind: SourceKind, name: str, body: Mapping[str, Any] | None, cloud: str = "public") -> dict[str, Any]:
    """What identifies the source: from the resource's body, else as the cloud spells it for the name.

    With the default port, where the kind has one. What neither tells is not there: a host is never guessed.

    >>> endpoint_of(source_kinds()["AzurePostgreSql"], "psql-sales", None)
    {'serverEndpoint': 'psql-sales.postgres.database.azure.com', 'port': 5432}
    """
    found: dict[str, Any] = {}
    suffixes = _table()["clouds"].get(cloud, {})
    for spelled in kind.endpoint:
        value = _at(body or {}, kind.paths.get(spelled, "")) or _spelled(
            kind.templates.get(spelled, ""), name, suffixes
        )
        if value:
            found[spelled] = value
    return found | ({"port": kind.port} if found and kind.port else {})


def metadata_roles() -> Mapping[str, str]:
    """The roles in a collection, by the name that a mesh has for them: the id of the metadata role."""
    names: dict[str, str] = _block("roles")["names"]
    return names


@cache
def credential_kinds() -> Mapping[str, CredentialKind]:
    """How each kind of credential is described, by kind."""
    found = {}
    for name, row in _block("credentials")["kinds"].items():
        refuse_unknown(row, {"texts", "secrets"}, f"{_FILE}: credentials: {name}")
        block = _block("credentials")
        types = block["secret_type"], block["store_type"]
        found[name] = CredentialKind(name, row.get("texts", {}), row.get("secrets", {}), *types)
    return found


@cache
def scanner_regions() -> frozenset[str]:
    """The names of the regions in which the scanners run.

    A source in another region is scanned from the region of the account, as far as the list is known: see
    `unverified("scanner_regions")`.
    """
    found = [(place, find_region(place)) for place in _block("scanner_regions")["regions"]]
    for place, region in found:
        if region is None:
            raise FactsError(f"{_FILE}: scanner_regions: {place!r} is no region")
    return frozenset(region.name for _, region in found if region)


@cache
def limits() -> Limits:
    """What an account has by default."""
    block = _block("account_limits")
    return Limits(**{name: block[name] for name in Limits.__slots__})


def unverified(block: str) -> str:
    """What of a block of the table (`scanner_regions`, `credentials`, `account_limits`) no source settles, or ""."""
    return str(_block(block).get("unverified", ""))


@cache
def _table() -> dict[str, Any]:
    table = read_table("purview.yaml")
    blocks = {
        "specification", "common", "kinds", "kinds_without_model", "scan_kinds_without_model", "clouds", "roles",
        "credentials", "scanner_regions", "account_limits",
    }  # fmt: skip
    refuse_unknown(table, blocks, _FILE)
    for name, cloud in table["clouds"].items():
        check_sources(cloud, f"{_FILE}: clouds: {name}")
        check_date(cloud, f"{_FILE}: clouds: {name}")
    return table


def _block(name: str) -> dict[str, Any]:
    block: dict[str, Any] = _table()[name]
    check_sources(block, f"{_FILE}: {name}")
    check_date(block, f"{_FILE}: {name}")
    return block


def _names(block: str) -> list[str]:
    names: list[str] = _block(block)["names"]
    return names


def _kind(name: str, row: dict[str, Any], where: str) -> SourceKind:
    refuse_unknown(row, _KIND, where)
    scans = {sort: row.get(sort, {}) for sort in ("msi", "credential", "others")}
    kind = SourceKind(
        kind=name,
        title=row["title"],
        properties=tuple(row["properties"]),
        numbers=frozenset(row.get("numbers", ())),
        endpoint=tuple(row["endpoint"]),
        azure_resource=row["azure_resource"],
        resource_types=tuple(resource.lower() for resource in row.get("resources", ())),
        on_request=row.get("on_request", False),
        when=tuple(_condition(written, where) for written in row.get("when", ())),
        inside={child.lower(): spelled for child, spelled in row.get("inside", {}).items()},
        paths=row.get("from", {}),
        templates=row.get("template", {}),
        port=row.get("port"),
        msi=next(iter(scans["msi"]), ""),
        credential=next(iter(scans["credential"]), ""),
        scans={scan: tuple(names) for sort in scans.values() for scan, names in sort.items()},
        files=row.get("files", False),
        ruleset=row.get("ruleset", name),
        database=row.get("database", ""),
        source=check_sources(row, where),
        checked=check_date(row, where),
    )
    for defect in _defects(kind):
        raise FactsError(f"{where}: {defect}")
    return kind


def _condition(written: dict[str, Any], where: str) -> Condition:
    refuse_unknown(written, {"at", "is", "absent"}, where)
    return Condition(written["at"], frozenset(fold(value) for value in written["is"]), written.get("absent", False))


def _defects(kind: SourceKind) -> Iterator[str]:
    """What makes a row contradict itself."""
    if not set(kind.endpoint) <= set(kind.properties) or not kind.endpoint:
        yield "`endpoint` names what is not in `properties`"
    if not {*kind.paths, *kind.templates} <= set(kind.endpoint):
        yield "`from` or `template` spells what is no endpoint"
    if (kind.port is not None) and "port" not in kind.properties:
        yield "a `port` without the property"
    if not kind.default_scan:
        yield "neither `msi` nor `credential`: no scan would be the default"
    if set(kind.inside.values()) - {kind.database}:
        yield "`inside` names another scan property than `database`"
    if kind.database and not all(kind.database in names for names in kind.scans.values()):
        yield "`database` is not a property of every scan"
    known = {"name", *_table()["clouds"]["public"]}
    if any(field not in known for template in kind.templates.values() for field in _FIELD.findall(template)):
        yield "a template has a word in braces that no cloud spells"


@cache
def _by_type() -> dict[str, tuple[SourceKind, ...]]:
    found: dict[str, tuple[SourceKind, ...]] = {}
    for kind in source_kinds().values():
        for resource_type in () if kind.on_request else kind.resource_types:
            found[resource_type] = (*found.get(resource_type, ()), kind)
    return found


@cache
def _by_child() -> dict[str, SourceKind]:
    return {child: kind for kind in source_kinds().values() for child in kind.inside}


def _type_of(parts: list[str]) -> tuple[str, int]:
    """The type that an id names, in lower case, and where the id of its outermost resource ends."""
    folded = [part.lower() for part in parts]
    if "providers" not in folded:
        return _SCOPES.get(tuple(folded[::2]), "") if len(parts) % 2 == 0 else "", len(parts)
    at = len(folded) - 1 - folded[::-1].index("providers")
    names = folded[at + 2 :]
    return ("/".join([*folded[at + 1 : at + 2], *names[::2]]) if len(names) % 2 == 0 else ""), at + 4


def _at(body: Any, path: str) -> Any:
    """What stands at the path, None where nothing does."""
    found: Any = body if path else None
    for name in path.split("."):
        found = found.get(name) if hasattr(found, "keys") else None
    return found


def _spelled(template: str, name: str, suffixes: Mapping[str, Any]) -> str:
    """The template filled in, "" where a word in it is not known for the cloud."""
    words = {"name": name, **suffixes}
    known = all(field in words for field in _FIELD.findall(template))
    return _FIELD.sub(lambda field: str(words[field[1]]), template) if known and name else ""
