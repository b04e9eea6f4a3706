"""Whose an asset is: the products whose interface or source it comes from, else the domain of its collection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from sovereignmesh.catalog.kinds import MADE, domain_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sovereignmesh.azure.purview import Collection, Source
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.products import DataProduct

__all__ = ["Place", "Places", "address"]

# The properties by which a source names what it reads.
_ENDPOINTS: Final = (
    "endpoint", "serverEndpoint", "accountUri", "dedicatedSqlEndpoint", "serverlessSqlEndpoint", "serviceUrl", "host",
)  # fmt: skip
# As `urlsplit` has it (RFC 3986): who answers, and the path.
_PROTOCOL: Final = re.compile(r"^tcp:", re.IGNORECASE)  # of a SQL Server: tcp:HOST,PORT
_ADDRESS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//([^/?#]*)([^?#]*)", re.IGNORECASE | re.ASCII)


class Place(NamedTuple):
    """Whose an asset is: the domain's name, "" for none, and its products, none where no product claims it."""

    domain: str
    products: tuple[DataProduct, ...] = ()
    limited: bool = False  # whether a product says what may be found in it

    @classmethod
    def of(cls, domain: str, products: Sequence[DataProduct]) -> Place:
        """The place of what these products claim."""
        return cls(domain, tuple(products), any(product.limits_classifications for product in products))


_NOBODY: Final = Place("")
_NOT_YET: Final = Place("", ())  # none that was ever found
_REMEMBERED: Final = 10_000  # hosts, and names that have none


class Places:
    """Finds whose assets are. Names are compared without case.

    A product's are those at the endpoints of its interfaces and of the sources that it names, and of several claims
    the one with the longest path. What no product claims is of the domain whose name the collection bears, or one
    above it; it is the product's where the domain has one alone.
    """

    def __init__(self, mesh: Mesh, collections: Iterable[Collection], sources: Iterable[Source]) -> None:
        self._mesh = mesh
        self._collections = {one.name.casefold(): one for one in collections}
        claims: dict[str, dict[str, list[DataProduct]]] = {}
        named = {source.name.casefold(): source for source in sources}
        self.unknown: list[tuple[DataProduct, str]] = []  # sources that a product names and the account has not
        claiming: set[str] = set()
        for product in mesh.products:
            places = [interface.endpoint for interface in product.interfaces]
            for name in product.sources:
                source = named.get(name.casefold())
                if source is None:
                    self.unknown.append((product, name))
                else:
                    places += _endpoints(source.properties)
            for host, path in filter(None, map(address, places)):
                claiming.add(product.name)
                products = claims.setdefault(host, {}).setdefault(path, [])
                if product not in products:
                    products.append(product)
        # By host, what is claimed there: the longest path first, which each ends with a slash.
        self._claims = {
            host: [(path, self._shared(paths[path])) for path in sorted(paths, key=len, reverse=True)]
            for host, paths in claims.items()
        }
        self._domains = {name: self._domain_of(name) for name in self._collections}
        claiming |= {product.name for place in self._domains.values() for product in place.products}
        told = {product.name for product, _ in self.unknown}
        # What such a product says of classifications, nobody can hold against any asset.
        self.unclaimed = [
            product
            for product in mesh.products
            if product.limits_classifications and product.name not in claiming | told
        ]
        self._at: dict[tuple[str, str], Place | None] = {}  # by host as it is written, and collection

    def find(self, qualified_name: str, collection: str) -> Place:
        """Whose an asset is, by its qualified name and the reference name of its collection."""
        if qualified_name.startswith(MADE):  # the lineage of a plan's: its names tell the domain
            return Place(self._mesh.domain_named(domain_in(qualified_name)) or "")
        parts = qualified_name.split("/", 3)
        # Of a large catalog nearly all names begin alike: what does not hang on the path is found once for each host.
        hosted = len(parts) > 2 and not parts[1] and parts[0].endswith(":")  # noqa: PLR2004 - x://host
        key = (parts[2] if hosted else qualified_name, collection)
        known = self._at.get(key, _NOT_YET)
        if known is _NOT_YET:
            known = self._of_host(qualified_name, collection)
            if len(self._at) < _REMEMBERED:
                self._at[key] = known
        return known or self._of_path(qualified_name, collection)

    def _of_host(self, qualified_name: str, collection: str) -> Place | None:
        """The place of everything at the host of a name, None where it hangs on the path."""
        found = address(qualified_name)
        claims = self._claims.get(found[0]) if found else None
        if not claims:
            return self._of_collection(collection)
        return claims[0][1] if claims[0][0] == "/" else None  # the longest path is that of the whole host

    def _of_path(self, qualified_name: str, collection: str) -> Place:
        found = address(qualified_name)
        claims = self._claims[found[0]] if found else ()
        fitting = (place for path, place in claims if found and found[1].startswith(path))
        return next(fitting, None) or self._of_collection(collection)

    def _of_collection(self, collection: str) -> Place:
        return self._domains.get(collection.casefold(), _NOBODY)

    def title(self, collection: str) -> str:
        """The title of a collection, its name where it has none."""
        known = self._collections.get(collection.casefold())
        return (known.friendly_name or known.name) if known else collection

    def above(self, collection: str) -> Iterator[str]:
        """The names without case of a collection and of those above it, nearest first."""
        seen: set[str] = set()
        name = collection.casefold()
        while name in self._collections and name not in seen:
            seen.add(name)
            yield name
            name = self._collections[name].parent.casefold()

    def _shared(self, products: list[DataProduct]) -> Place:
        domains = {self._mesh.domain_named(product.domain) or product.domain for product in products}
        return Place.of(domains.pop() if len(domains) == 1 else "", products)

    def _domain_of(self, collection: str) -> Place:
        for name in self.above(collection):
            one = self._collections[name]
            domain = self._mesh.domain_named(one.friendly_name) or self._mesh.domain_named(one.name)
            if domain is not None:
                own = [each for each in self._mesh.products if each.domain.casefold() == domain.casefold()]
                return Place.of(domain, own if len(own) == 1 else ())
        return _NOBODY


def address(text: str) -> tuple[str, str] | None:
    """The host and the path of an endpoint or a qualified name, without case; the path ends with a slash.

    None for what names no host.

    >>> address("mssql://sales-sql.database.windows.net/salesdb/dbo/Orders")
    ('sales-sql.database.windows.net', '/salesdb/dbo/orders/')
    >>> address("sales-sql.database.windows.net")
    ('sales-sql.database.windows.net', '/')
    >>> address("tcp:sales-sql.database.windows.net,1433")
    ('sales-sql.database.windows.net', '/')
    """
    text = text.strip()
    found = _ADDRESS.match(text if "://" in text else f"//{_PROTOCOL.sub('', text)}")
    host = _host(found[1].partition(",")[0]) if found else None  # HOST,PORT as SQL Server has it
    return (host, f"{found[2].casefold().rstrip('/')}/") if found and host and "." in host else None


def _host(authority: str) -> str | None:
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:
        return None


def _endpoints(properties: Mapping[str, Any]) -> Iterator[str]:
    return (value for name in _ENDPOINTS if isinstance(value := properties.get(name), str) and value)
