"""A Purview account on loopback, with what of Azure Resource Manager a plan for it asks: for `bench_purview.py`.

Sources with two scans each, SQL servers and data lakes in turn, evenly over the collections; what scans need; one scan
in twenty has a trigger, one in forty a filter, which no list tells. Bodies are as the service words them, serialised
once. Hosts are told apart by the header that names them. Lists show a write after a while. The wire is loopback.py's.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from loopback import REASONS, TENANT, Answer, Failure, Row, listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAME: Final = "pview-bench"
HOST: Final = f"{NAME}.purview.azure.com"
SUBSCRIPTIONS: Final = tuple(f"{number:08x}-bbbb-4bbb-8bbb-{number:012x}" for number in range(1, 11))
GROUPS: Final = 5  # in each subscription
REGION: Final = "westeurope"
SCANS: Final = 2  # of a source
TRIGGER_IN, FILTER_IN = 20, 40  # one scan in so many
PAGE, GRAPH_PAGE = 100, 1000  # items of a page at most
SYSTEM_CLASSIFICATIONS: Final = 200  # about as many as come with an account
LAG: Final = 1.0  # seconds until lists show what was written
WHEN: Final = "2026-03-12T08:15:42.1734561Z"
READER: Final = "00000000-0000-0000-0000-0000411769e3"
BUILT_IN: Final = "purviewmetadatarole_builtin_"
EXTENSIONS: Final = ("CSV", "JSON", "PARQUET", "AVRO", "ORC", "TXT", "XML")
SQL, LAKE = "AzureSqlDatabase", "AdlsGen2"
VAULT, CREDENTIAL = "kv-scans", "scan-reader"


@dataclass(frozen=True)
class Estate:
    """What there is. Without `registered` the account has collections alone, beside resources to register."""

    sources: int
    collections: int = 20
    rules: int = 5
    registered: bool = True

    @property
    def scans(self) -> int:
        return self.sources * SCANS * self.registered

    @property
    def triggers(self) -> int:
        return -(-self.scans // TRIGGER_IN)

    @property
    def filters(self) -> int:
        return -(-self.scans // FILTER_IN)

    @property
    def objects(self) -> int:
        """Those that a mesh of the whole wishes."""
        rest = 2 * self.collections + 2 * self.rules + len(self.rulesets) + 2 if self.registered else self.collections
        return rest + self.sources + self.scans + self.triggers + self.filters

    def collection(self, number: int) -> str:
        return f"domain-{number % self.collections:03d}"

    @staticmethod
    def name(number: int) -> str:
        return f"source-{number:05d}"

    @staticmethod
    def is_lake(number: int) -> bool:
        return bool(number % 2)

    @staticmethod
    def trigger(number: int, scan: int) -> bool:
        return not (number * SCANS + scan) % TRIGGER_IN

    @staticmethod
    def filter(number: int, scan: int) -> bool:
        return not (number * SCANS + scan) % FILTER_IN

    def classification(self, number: int) -> str:
        return f"BENCH.KIND{number:03d}"

    def rule(self, number: int) -> str:
        return self.classification(number).replace(".", "-")

    # Azure Resource Manager

    def resource(self, number: int) -> str:
        kind = "Storage/storageAccounts" if self.is_lake(number) else "Sql/servers"
        subscription = SUBSCRIPTIONS[number % len(SUBSCRIPTIONS)]
        group = f"bench-{number // len(SUBSCRIPTIONS) % GROUPS}-rg"
        return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.{kind}/bench{number:05d}"

    def row(self, number: int) -> Row:
        """The resource of a source, in Resource Graph."""
        identity = self.resource(number)
        parts = identity.split("/")
        if self.is_lake(number):
            endpoints = {
                name: f"https://{parts[-1]}.{name}.core.windows.net/" for name in ("dfs", "blob", "file", "queue")
            }
            properties: Row = {"isHnsEnabled": True, "primaryEndpoints": endpoints, "accessTier": "Hot"}
        else:
            properties = {"fullyQualifiedDomainName": f"{parts[-1]}.database.windows.net", "version": "12.0"}
        kind = "/".join(parts[6:8]).lower()
        return {
            "id": identity, "name": parts[-1], "type": kind, "kind": "", "location": REGION, "tags": {"Region": REGION},
            "subscriptionId": parts[2], "resourceGroup": parts[4], "properties": properties,
        }  # fmt: skip

    @cached_property
    def rows(self) -> list[bytes]:
        return packed(sorted(map(self.row, range(self.sources)), key=lambda row: row["id"]))

    @cached_property
    def containers(self) -> list[bytes]:
        kind = "microsoft.resources/subscriptions"
        ids = [f"/subscriptions/{each}" for each in SUBSCRIPTIONS]
        groups = [f"{each}/resourceGroups/bench-{number}-rg" for each in ids for number in range(GROUPS)]
        rows = [{"id": each, "type": kind, "tags": {}} for each in ids]
        rows += [{"id": each, "type": f"{kind}/resourcegroups", "tags": {}} for each in groups]
        return packed(sorted(rows, key=lambda row: str(row["id"])))

    @property
    def account(self) -> Row:
        group = f"/subscriptions/{SUBSCRIPTIONS[0]}/resourceGroups/bench-0-rg"
        endpoints = {"catalog": f"https://{HOST}/catalog", "scan": f"https://{HOST}/scan"}
        return {
            "id": f"{group}/providers/Microsoft.Purview/accounts/{NAME}", "name": NAME, "location": REGION,
            "type": "Microsoft.Purview/accounts",
            "properties": {"endpoints": endpoints, "publicNetworkAccess": "Enabled", "provisioningState": "Succeeded"},
        }  # fmt: skip

    # The account

    def lists(self) -> dict[str, list[bytes]]:
        """By path what its lists hold, but for the scans."""
        whole = self.registered
        return {
            "/collections": packed(self._collections()),
            "/policyStore/metadataPolicies": packed(self._policies()),
            "/scan/azureKeyVaults": packed([self._vault()] if whole else []),
            "/scan/credentials": packed([self._credential()] if whole else []),
            "/scan/classificationrules": packed(self._rule(number) for number in range(self.rules * whole)),
            "/scan/scanrulesets": packed(self.rulesets if whole else []),
            "/scan/datasources": packed(self.source(number) for number in range(self.sources * whole)),
        }

    def types(self) -> bytes:
        """The type definitions of classifications, which come in one piece."""
        own = [self.classification(number) for number in range(self.rules * self.registered)]
        names = [*(f"MICROSOFT.BENCH.KIND{number:03d}" for number in range(SYSTEM_CLASSIFICATIONS)), *own]
        found = [
            {
                "category": "CLASSIFICATION", "name": name, "typeVersion": "1.0", "guid": name, "createdBy": "admin",
                "updatedBy": "admin", "createTime": 1615361058210, "updateTime": 1615361058210, "version": 1,
                "description": "", "options": {}, "attributeDefs": [], "superTypes": [], "entityTypes": [],
            }
            for name in names
        ]  # fmt: skip
        return json.dumps({"classificationDefs": found}).encode()

    def scans_of(self, number: int) -> list[bytes]:
        return packed(self._scan(number, scan) for scan in range(SCANS))

    def source(self, number: int) -> Row:
        parts = self.resource(number).split("/")
        endpoint = (
            {"endpoint": f"https://{parts[-1]}.dfs.core.windows.net/"}
            if self.is_lake(number)
            else {"serverEndpoint": f"{parts[-1]}.database.windows.net"}
        )
        told = {
            **endpoint, "subscriptionId": parts[2], "resourceGroup": parts[4], "location": REGION,
            "resourceName": parts[-1], "resourceId": self.resource(number),
            "collection": {"referenceName": self.collection(number), "type": "CollectionReference"},
        }  # fmt: skip
        return kept_source(self.name(number), {"kind": LAKE if self.is_lake(number) else SQL, "properties": told})

    def _scan(self, number: int, scan: int) -> Row:
        lake = self.is_lake(number)
        source, name = self.name(number), f"scan-{scan}"
        properties: Row = {
            "scanRulesetName": f"sovereignmesh-{LAKE if lake else SQL}", "scanRulesetType": "Custom",
            "collection": placed(self.collection(number)), "createdAt": WHEN, "lastModifiedAt": WHEN,
        }  # fmt: skip
        kind = f"{LAKE}Msi" if lake else f"{SQL}Msi"
        if not lake:
            properties["serverEndpoint"] = f"{self.resource(number).rpartition('/')[2]}.database.windows.net"
            properties["databaseName"] = f"db-{scan}"
            if scan:
                kind = f"{SQL}Credential"
                properties["credential"] = {"referenceName": CREDENTIAL, "credentialType": "SqlAuth"}
        return {
            "properties": properties, "kind": kind, "scanId": f"{source}-{name}", "dataSourceName": source,
            "creationType": "Manual", "id": f"datasources/{source}/scans/{name}", "name": name,
        }  # fmt: skip

    @property
    def recurrence(self) -> Row:
        schedule = {"weekDays": ["Sunday"], "hours": [2], "minutes": [30]}
        return {"frequency": "Week", "interval": 1, "startTime": "2026-01-04T02:00:00Z", "schedule": schedule}

    def trigger_of(self, source: str, scan: str) -> Row:
        properties = {
            "recurrence": self.recurrence, "recurrenceInterval": None, "scanLevel": "Incremental", "state": "Enabled",
            "lastScheduled": WHEN, "createdAt": WHEN, "lastModifiedAt": WHEN,
        }  # fmt: skip
        return {
            "name": "default",
            "id": f"datasources/{source}/scans/{scan}/triggers/default",
            "properties": properties,
        }

    def filter_of(self, source: str, scan: str) -> Row:
        properties = {"includeUriPrefixes": [prefix(source)], "excludeUriPrefixes": []}
        return {"name": "custom", "id": f"datasources/{source}/scans/{scan}/filters/custom", "properties": properties}

    def _collections(self) -> Iterator[Row]:
        who = {"createdBy": READER, "createdByType": "Application", "createdAt": WHEN, "lastModifiedAt": WHEN}
        state = {"systemData": who, "collectionProvisioningState": "Succeeded"}
        yield {"name": NAME, "friendlyName": NAME, "description": "The root collection.", **state}
        above = {"type": "CollectionReference", "referenceName": NAME}
        for number in range(self.collections):
            yield {"name": self.collection(number), "friendlyName": title(number), "parentCollection": above, **state}

    def _policies(self) -> Iterator[Row]:
        for name in (NAME, *map(self.collection, range(self.collections))):
            role = f"{BUILT_IN}purview-reader"
            condition = [
                {"attributeName": "principal.microsoft.id", "attributeValueIncludedIn": [READER]},
                {"fromRule": role, "attributeName": "derived.purview.role", "attributeValueIncludes": role},
            ]
            rule = {
                "kind": "attributerule",
                "id": f"{role}:{name}",
                "name": f"{role}:{name}",
                "dnfCondition": [condition],
            }
            properties = {
                "description": "", "decisionRules": [], "attributeRules": [rule], "parentCollectionName": NAME,
                "collection": {"type": "CollectionReference", "referenceName": name},
            }  # fmt: skip
            yield {"name": f"policy_collection_{name}", "id": f"id-{name}", "version": 1, "properties": properties}

    @staticmethod
    def _vault() -> Row:
        return {"name": VAULT, "id": f"azureKeyVaults/{VAULT}", "properties": {"baseUrl": vault_url(), **MADE}}

    @staticmethod
    def _credential() -> Row:
        store = {"referenceName": VAULT, "type": "LinkedServiceReference"}
        secret = {"type": "AzureKeyVaultSecret", "secretName": "password", "secretVersion": "", "store": store}
        told = {"typeProperties": {"user": "purview", "password": secret}, "description": "", **MADE}
        return {"name": CREDENTIAL, "id": f"credentials/{CREDENTIAL}", "kind": "SqlAuth", "properties": told}

    def _rule(self, number: int) -> Row:
        properties = {
            "minimumDistinctMatchCount": None, "minimumPercentageMatch": None, "classificationAction": "Keep",
            "dataPatterns": [], "columnPatterns": [{"kind": "Regex", "pattern": pattern(number)}],
            "classificationRuleBloomFilter": None, "description": "", "version": 1, "owner": None,
            "classificationName": self.classification(number), "ruleStatus": "Enabled", "collection": None, **MADE,
        }  # fmt: skip
        name = self.rule(number)
        return {"properties": properties, "kind": "Custom", "id": f"classificationrules/{name}", "name": name}

    @property
    def rulesets(self) -> list[Row]:
        words = "The classification rules of the data mesh, with all of the system's"
        found = []
        for kind in (SQL, LAKE):
            files = {"scanningRule": {"fileExtensions": EXTENSIONS, "customFileExtensions": None}}
            properties = {
                **(files if kind == LAKE else {}), **MADE, "collection": None, "description": words,
                "excludedSystemClassifications": [], "temporaryResourceFilters": None,
                "includedCustomClassificationRuleNames": [self.rule(number) for number in range(self.rules)],
            }  # fmt: skip
            name = f"sovereignmesh-{kind}"
            rest = {"scanRulesetType": "Custom", "status": "Enabled", "version": 1, "id": f"scanrulesets/{name}"}
            found.append({"properties": properties, "kind": kind, "name": name, **rest})
        return found

    def system_ruleset(self, kind: str) -> Row:
        rule = {"scanningRule": {"fileExtensions": EXTENSIONS, "customFileExtensions": None}} if kind == LAKE else {}
        rest = {"scanRulesetType": "System", "status": "Enabled", "version": 1, "id": f"systemscanrulesets/{kind}"}
        return {"properties": {**rule, **MADE}, "kind": kind, "name": kind, **rest}


MADE: Final = {"createdAt": WHEN, "lastModifiedAt": WHEN}


def packed(bodies: Iterable[Any]) -> list[bytes]:
    return [json.dumps(body, separators=(",", ":")).encode() for body in bodies]


def title(number: int) -> str:
    return f"Domain {number:03d}"


def pattern(number: int) -> str:
    return f"(?i).*field[ _-]?{number:03d}.*"


def prefix(source: str) -> str:
    return f"https://{source}.bench.example/orders/"


def vault_url() -> str:
    return f"https://{VAULT}.vault.azure.net/"


def placed(collection: str) -> Row:
    return {"lastModifiedAt": WHEN, "referenceName": collection, "type": "CollectionReference"}


def kept_source(name: str, given: Row) -> Row:
    """A source as the service keeps what it was sent."""
    told = {**given["properties"], "collection": placed(given["properties"]["collection"]["referenceName"])}
    own = {"parentCollection": None, "dataSourceCollectionMovingState": "0", "dataUseGovernance": "Disabled", **MADE}
    rest = {"kind": given["kind"], "creationType": "Manual", "id": f"datasources/{name}", "name": name}
    return {"properties": {**told, **own}, **rest}


# What is answered

SOURCE: Final = re.compile(r"/scan/datasources/([^/]+)(/scans)?")
SINGLE: Final = re.compile(r"/scan/datasources/([^/]+)/scans/([^/]+)/(triggers/default|filters/custom)")
VARIABLE: Final = re.compile(r"(?<=/)(datasources|scans)/[^/]+")
SKIP: Final = "skipToken"


class PurviewService:
    """Every path that is served, and how often each was asked for."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.counts: collections.Counter[str] = collections.Counter()
        self._asked: set[tuple[str, str, bytes]] = set()
        self._lock = threading.Lock()
        self._lists = estate.lists()
        self._types = estate.types()
        numbers = range(estate.sources * estate.registered)
        self._scans = {estate.name(number): estate.scans_of(number) for number in numbers}
        self._written: dict[str, tuple[float, bytes]] = {}

    def count(self, kind: str) -> None:
        with self._lock:
            self.counts[kind] += 1

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        url = urlsplit(target)
        if url.path == "/_counts":
            with self._lock:
                return Answer(json.dumps(self.counts).encode())
        try:
            if not headers.get("authorization", "").startswith("Bearer "):
                raise Failure(401, "AuthenticationFailed", "The 'Authorization' header is missing.")  # noqa: TRY301
            host = headers["host"]
            serve = self._purview if host == HOST else self._manager
            kind, answer = serve(method, url.path, parse_qs(url.query), body)
        except Failure as failure:
            self.count("rejected")
            return failure.answer
        except (ValueError, KeyError, TypeError) as error:
            self.count("rejected")
            return Failure(400, "BadRequest", repr(error)).answer
        with self._lock:
            self.counts[f"{method} {kind}"] += 1
            asked = (method, host + target, body)
            self.counts["repeated"] += asked in self._asked
            self._asked.add(asked)
        return answer

    # Azure Resource Manager

    def _manager(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[str, Answer]:
        lower = path.lower()
        if method == "POST" and lower == "/providers/microsoft.resourcegraph/resources":
            return self._graph(json.loads(body))
        if method != "GET" or "api-version" not in query:
            raise Failure(400, "BadRequest", f"{method} {path}")
        if lower == "/subscriptions":
            found = [
                {"subscriptionId": each, "displayName": f"bench-{number}", "state": "Enabled", "tenantId": TENANT}
                for number, each in enumerate(SUBSCRIPTIONS)
            ]
            return "subscriptions", Answer(json.dumps({"value": found}).encode())
        identity = self.estate.account["id"]
        if lower == identity.lower():
            return "account", Answer(json.dumps(self.estate.account).encode())
        if lower.endswith("/providers/microsoft.purview/accounts"):
            found = [self.estate.account] if lower.split("/")[2] in identity else []
            return "accounts of a subscription", Answer(json.dumps({"value": found}).encode())
        raise Failure(404, "ResourceNotFound", f"{path} is not served.")

    def _graph(self, asked: Row) -> tuple[str, Answer]:
        containers = asked["query"].startswith("resourcecontainers")
        rows = self.estate.containers if containers else self.estate.rows
        options = asked["options"]
        first = int(options.get("$skipToken", 0))
        last = min(first + min(int(options["$top"]), GRAPH_PAGE), len(rows))
        more = b',"$skipToken":"%d"' % last if last < len(rows) else b""
        head = b'{"totalRecords":%d,"count":%d,"resultTruncated":"false"%b,"data":[' % (len(rows), last - first, more)
        kind = "Resource Graph: groups and subscriptions" if containers else "Resource Graph: resources"
        return kind, Answer(b"".join((head, b",".join(rows[first:last]), b"]}")))

    # The account

    def _purview(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[str, Answer]:
        kind = VARIABLE.sub(r"\1/{}", path.removeprefix("/"))
        source = SOURCE.fullmatch(path)
        if method == "PUT" and source is not None and not source[2]:
            return kind, self._write(source[1], json.loads(body))
        if method != "GET":
            raise Failure(405, "MethodNotAllowed", f"{method} is not served.")
        if path.startswith("/datamap/api/atlas/v2/types/typedefs"):
            return kind, Answer(self._types)
        if path in self._lists:
            items = self._shown() if path == "/scan/datasources" else self._lists[path]
            return kind, page(items, path, query, "values" if path.startswith("/policyStore/") else "value")
        if source is not None and source[2] and source[1] in self._scans:
            return kind, page(self._scans[source[1]], path, query)
        if single := SINGLE.fullmatch(path):
            make = self.estate.trigger_of if single[3].startswith("triggers") else self.estate.filter_of
            return kind, Answer(json.dumps(make(single[1], single[2])).encode())
        if path.startswith("/scan/systemScanRulesets/datasources/"):
            return kind, Answer(json.dumps(self.estate.system_ruleset(path.rpartition("/")[2])).encode())
        raise Failure(404, "ResourceNotFound", f"{path} is not served.")

    def _write(self, name: str, given: Row) -> Answer:
        kept = json.dumps(kept_source(name, given)).encode()
        with self._lock:
            new = name not in self._written
            self._written[name] = (time.monotonic() + LAG, kept)
        return Answer(kept, 201 if new else 200)

    def _shown(self) -> list[bytes]:
        """The sources that the list shows by now."""
        now = time.monotonic()
        with self._lock:
            return [*self._lists["/scan/datasources"], *(body for when, body in self._written.values() if when <= now)]


def page(items: Sequence[bytes], path: str, query: dict[str, list[str]], key: str = "value") -> Answer:
    first = int(query.get(SKIP, ["0"])[0])
    last = first + PAGE
    link = f',"nextLink":"https://{HOST}{path}?api-version={query["api-version"][0]}&{SKIP}={last}"'
    tail = b"],%b%b}" % (b'"count":%d' % len(items), link.encode() if last < len(items) else b"")
    return Answer(b"".join((b'{"%b":[' % key.encode(), b",".join(items[first:last]), tail)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--sources", type=int, default=2_000)
    parser.add_argument("--unregistered", action="store_true", help="an account without sources")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds of each call")
    options = parser.parse_args()
    REASONS[201] = "Created"
    estate = Estate(options.sources, registered=not options.unregistered)
    listen(PurviewService(estate), options.port, options.latency / 1000)


if __name__ == "__main__":
    main()
