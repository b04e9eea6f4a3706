"""The catalog of a Purview account on loopback, for `bench_catalog.py`: what an audit of its assets asks for.

Twenty collections of uneven size, each with the tables of a SQL server or the files of a data lake. One hit in twenty
lacks a description, an owner or a label; half of those the index has not seen yet, and the asset itself has them. What
stands around the assets is loopback_purview.py's, the wire loopback.py's. Words are those of the examples of the Data
Map's specification 2023-09-01; what a token looks like is nowhere said.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from loopback import Answer, Failure, Row, listen
from loopback_purview import READER, Estate, PurviewService, packed, title

if TYPE_CHECKING:
    from collections.abc import Iterator

COLLECTIONS: Final = 20
WIDEST: Final = 15  # times the smallest collection is the largest
LACKING_IN: Final = 20  # one hit in so many lacks something
FOLDER_IN: Final = 50  # one asset in so many is a folder, which carries no label
PAGE: Final = 1000  # hits at most
OWNER: Final = "30435ff9-9b96-44af-a5a9-e05c8b1ae2df"
LABEL: Final = "Microsoft.Label.9B2C1E6A-0B1F-4C2B-8D0E-0D3B1C7E5F11"
NOT_TERMS: Final = {"not": {"objectType": "Glossary terms"}}
BULK: Final = "/datamap/api/atlas/v2/entity/bulk"

Lack = Literal["", "description", "owner", "label"]
LACKS: Final[tuple[Lack, ...]] = ("description", "owner", "label")


class Asset(NamedTuple):
    """What is true of an asset."""

    collection: int
    number: int
    name: str
    qualified_name: str
    type: str
    object_type: str
    lack: Lack  # what the index does not show
    only_there: bool  # and the asset itself has

    @property
    def id(self) -> str:
        return f"{self.collection:08x}-5f0b-4b5e-98b5-{self.number:012x}"


@dataclass(frozen=True)
class Catalog:
    """The assets, and what is around them: a source for each collection."""

    assets: int
    around: Estate = field(default_factory=lambda: Estate(COLLECTIONS, COLLECTIONS))

    @cached_property
    def sizes(self) -> list[int]:
        """How many assets are in each collection, in no order of size."""
        weights = [WIDEST ** (number * 3 % COLLECTIONS / (COLLECTIONS - 1)) for number in range(COLLECTIONS)]
        sizes = [int(weight * self.assets / sum(weights)) for weight in weights]
        return [*sizes[:-1], self.assets - sum(sizes[:-1])]

    def all(self) -> Iterator[Asset]:
        for collection, size in enumerate(self.sizes):
            yield from (self.asset(collection, number) for number in range(size))

    def asset(self, collection: int, number: int) -> Asset:
        place = self.around.resource(collection).rpartition("/")[2]
        if self.around.is_lake(collection):
            path = f"raw/orders/{number % 365:03d}"
            folder = number % FOLDER_IN == 1
            name = f"part-{number:06d}" + ("" if folder else ".parquet")
            kind, word = "azure_datalake_gen2_path", "Folders" if folder else "Files"
            qualified = f"https://{place}.dfs.core.windows.net/{path}/{name}"
        else:
            name = f"Orders_{number:06d}"
            kind, word = "azure_sql_view" if number % 4 == 3 else "azure_sql_table", "Tables"
            qualified = f"mssql://{place}.database.windows.net/db-{number % 2}/dbo/{name}"
        turn, rest = divmod(number, LACKING_IN)
        lack = "" if rest else LACKS[turn % len(LACKS)]
        return Asset(collection, number, name, qualified, kind, word, lack, not turn // len(LACKS) % 2)

    def find(self, guid: str) -> Asset | None:
        """The asset with this guid."""
        try:
            asset = self.asset(int(guid[:8], 16), int(guid[-12:], 16))
        except (ValueError, IndexError):
            return None
        there = asset.id == guid and asset.collection < COLLECTIONS and asset.number < self.sizes[asset.collection]
        return asset if there else None

    @property
    def doubtful(self) -> int:
        """How many hits lack something."""
        return sum(-(-size // LACKING_IN) for size in self.sizes)

    def hits(self, collection: int) -> list[bytes]:
        return packed(hit(self.asset(collection, number)) for number in range(self.sizes[collection]))


def home(asset: Asset) -> str:
    return f"domain-{asset.collection:03d}"


def about(asset: Asset) -> str:
    return f"Orders as they came in, part {asset.number:,} of {title(asset.collection)}: one row for each line."


def hit(asset: Asset) -> Row:
    """What the index shows."""
    sql = asset.object_type == "Tables"
    contacts = [{"id": READER, "info": "", "contactType": "Expert"}]
    if asset.lack != "owner":
        contacts.append({"id": OWNER, "info": "Answers for it", "contactType": "Owner"})
    terms = [{"name": "Order", "glossaryName": "Glossary", "guid": "b4ebc8be-cef4-860a-bee9-28cc34cb5caa"}]
    labelled = asset.lack != "label" and asset.object_type != "Folders"
    return {
        "@search.score": 1.0, "objectType": asset.object_type, "createTime": 1553072455110,
        "updateTime": 1773303342173, "id": asset.id, "name": asset.name, "qualifiedName": asset.qualified_name,
        "entityType": asset.type, "description": None if asset.lack == "description" else about(asset),
        "endorsement": None, "owner": "dbo" if sql else "$superuser",
        "classification": ["MICROSOFT.PERSONAL.EMAIL", "MICROSOFT.PERSONAL.NAME"], "label": [LABEL] * labelled,
        "term": terms, "contact": contacts,
        "assetType": ["Azure SQL Database"] if sql else ["Azure Data Lake Storage Gen2"],
        "collectionId": home(asset),  # recorded, not in the examples: purviewcli, doc/commands/search/query.md
    }  # fmt: skip


def entity(asset: Asset) -> Row:
    """What the asset itself says: more than the index, or not."""
    lack = "" if asset.only_there else asset.lack
    contacts = {"Expert": [{"id": READER, "info": ""}]}
    if lack != "owner":
        contacts["Owner"] = [{"id": OWNER, "info": "Answers for it"}]
    names = ["MICROSOFT.PERSONAL.EMAIL", "MICROSOFT.PERSONAL.NAME"]
    names += [LABEL] * (lack != "label" and asset.object_type != "Folders")
    relations: dict[str, Any] = {"inputToProcesses": [], "outputFromProcesses": [], "meanings": [], "schema": []}
    return {
        "typeName": asset.type,
        "attributes": {
            "owner": None, "qualifiedName": asset.qualified_name, "name": asset.name, "description": None,
            "userDescription": None if lack == "description" else about(asset), "displayName": None,
        },
        "guid": asset.id, "status": "ACTIVE", "createdBy": READER, "updatedBy": READER, "createTime": 1553072455110,
        "updateTime": 1773303342173, "version": 0, "lastModifiedTS": "1",
        "collectionId": home(asset),
        "classifications": [
            {"typeName": name, "lastModifiedTS": "1", "entityGuid": asset.id, "entityStatus": "ACTIVE"}
            for name in names
        ],
        "contacts": contacts, "relationshipAttributes": relations,
    }  # fmt: skip


class Refusal(Failure):
    """A failure as the Data Map words it: AtlasErrorResponse."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.answer.body = json.dumps({"requestId": OWNER, "errorCode": code, "errorMessage": message}).encode()


class CatalogService(PurviewService):
    """The account, with its assets."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.around)
        self.catalog = catalog
        self._hits = {catalog.around.collection(number): catalog.hits(number) for number in range(COLLECTIONS)}

    def _purview(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[str, Answer]:
        if (method, path) == ("POST", "/datamap/api/search/query"):
            return self._search(json.loads(body))
        if (method, path) == ("GET", BULK):
            return "entity/bulk", self._bulk(query["guid"])
        return super()._purview(method, path, query, body)

    def _search(self, asked: Row) -> tuple[str, Answer]:
        limit = asked.get("limit", 50)
        if not 1 <= limit <= PAGE or asked.keys() - {"limit", "filter", "continuationToken"}:
            raise Refusal(400, "SearchBadRequest", f"{asked} is not served.")
        wanted = asked["filter"]
        if wanted == NOT_TERMS and limit == 1:
            first = self._hits[self.catalog.around.collection(0)][:1]
            return "search: count", hits_page(first, self.catalog.assets, "1")
        found = self._hits.get(wanted["collectionId"], [])  # the account's own collection holds no asset
        begin = int(asked.get("continuationToken", 0))
        end = begin + limit
        return "search: page", hits_page(found[begin:end], len(found), str(end) if end < len(found) else "")

    def _bulk(self, guids: list[str]) -> Answer:
        assets = [self.catalog.find(guid) for guid in guids]
        if None in assets:
            missing = guids[assets.index(None)]
            raise Refusal(404, "ATLAS-404-00-005", f"Given instance guid {missing} is invalid/not found")
        found = [entity(asset) for asset in assets if asset]
        return Answer(json.dumps({"referredEntities": {}, "entities": found}, separators=(",", ":")).encode())


def hits_page(hits: list[bytes], total: int, token: str) -> Answer:
    more = b'"continuationToken":"%b",' % token.encode() if token else b""
    head = b'{"@search.count":%d,"@search.count.approximate":false,%b"value":[' % (total, more)
    return Answer(b"".join((head, b",".join(hits), b"]}")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--assets", type=int, default=200_000)
    parser.add_argument("--latency", type=float, default=0, help="milliseconds of each call")
    options = parser.parse_args()
    listen(CatalogService(Catalog(options.assets)), options.port, options.latency / 1000)


if __name__ == "__main__":
    main()
