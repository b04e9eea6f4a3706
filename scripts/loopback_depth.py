"""An Azure whose resources have children, on loopback: what an audit at full depth reads, under the quotas of ARM.

SQL servers with a database each, storage accounts, and namespaces of Event Hubs and Service Bus, evenly over the
subscriptions, one in twenty of each with a partner abroad. Each read draws a token of its subscription's bucket, those
of the storage provider one more of the region's; a read too many is refused with 429 and counted. `/batch` answers
twenty reads in the time of one. The rest is that of loopback.py.
"""

from __future__ import annotations

import argparse
import collections
import functools
import json
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from loopback import MARK, Answer, Azure, Estate, Failure, Place, Row, Subscription, listen, places, projected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVERS, ACCOUNTS, NAMESPACES, SUBSCRIPTIONS = 2_000, 2_000, 500, 50
ABROAD_IN: Final = 20  # one resource in so many has a partner abroad
ABROAD: Final = "eastus"
LARGEST_BATCH: Final = 20
REGIONS = tuple(f"Region {number}" for number in range(60))  # of SQL: about as many as Azure has
# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
TOKENS, REFILL = 250, 25.0  # of a subscription, and a second
STORAGE_LISTS, STORAGE_READS, STORAGE_WINDOW = 100, 800, 300.0  # of a subscription and a region

SERVER, DATABASE = "microsoft.sql/servers", "microsoft.sql/servers/databases"
ACCOUNT, VAULT = "microsoft.storage/storageaccounts", "microsoft.keyvault/vaults"
EVENTS, BUS = "microsoft.eventhub/namespaces", "microsoft.servicebus/namespaces"


# The estate


@functools.cache
def known_places() -> tuple[Place, ...]:
    return tuple(places(""))


@functools.cache
def template(place: Place, kind: str) -> Row:
    """A compliant body of the kind: of the place, else of any."""
    row = next(each.row for source in (place, *known_places()) for each in source.clean if each.row["type"] == kind)
    if kind == ACCOUNT:  # one with a hierarchical namespace copies nothing elsewhere, and is not asked
        return {**row, "properties": {**row["properties"], "isHnsEnabled": False}}
    return row


def marked(here: Subscription, kind: str) -> bytes:
    """The body as it is here, with a mark where a copy's number goes."""
    source = template(here.place, kind)
    text = here.own(json.dumps(source).replace(source["id"].split("/")[2], here.place.subscription).encode())
    name = here.own(source["id"].split("/")[8].encode())
    return text.replace(name, name + MARK.encode())


def patterns(here: Subscription, counts: dict[str, int]) -> Iterator[tuple[Row, int]]:
    """What the subscription's resources are copies of, with a mark in their names, and how many copies there are."""
    for each in here.place.clean:
        if each.row["type"] == VAULT:
            yield json.loads(here.own(json.dumps(each.row).encode())), 1
    for kind, count in counts.items():
        row: Row = json.loads(marked(here, kind))
        yield row, count
        if kind == SERVER:
            master: Row = json.loads(marked(here, DATABASE))
            yield {**master, "id": f"{row['id']}/databases/master", "name": "master"}, count
            sku = {"name": "GP_Gen5_2", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2}
            copies = dict.fromkeys(("currentBackupStorageRedundancy", "requestedBackupStorageRedundancy"), "Zone")
            own = {"kind": "v12.0,user,vcore", "sku": sku, "properties": {**master["properties"], **copies}}
            yield {**master, **own, "id": f"{row['id']}/databases/orders", "name": "orders"}, count


def numbered(text: bytes, number: int) -> bytes:
    return text.replace(MARK.encode(), b"%03d" % number)


@dataclass(frozen=True, eq=False)
class Deep(Subscription):
    """A subscription with resources of its own."""

    patterns: tuple[tuple[Row, int], ...]

    @functools.cached_property
    def order(self) -> list[tuple[str, int, int]]:
        """Of each row in the order of the ids: its id, its pattern and its number."""
        rows = ((place, number) for place, (_, count) in enumerate(self.patterns) for number in range(count))
        ids = ((self.patterns[place][0]["id"].replace(MARK, f"{number:03d}"), place, number) for place, number in rows)
        return sorted(ids)

    def every(self) -> Iterator[Row]:
        """All rows, whole."""
        texts = [json.dumps(row).encode() for row, _ in self.patterns]
        return (json.loads(numbered(texts[place], number)) for _, place, number in self.order)

    def page(self, first: int, last: int, query: str) -> Iterator[bytes]:
        texts = [projected(query, row) for row, _ in self.patterns]
        return (numbered(texts[place], number) for _, place, number in self.order[first:last])

    def summary(self, names: dict[str, str], *, containers: bool) -> Row:
        rows = self.place.containers if containers else [row for row, _ in self.patterns]
        count = len(rows) if containers else self.rows
        return {
            name: count if what == "count" else sorted({str(row.get(what)) for row in rows})
            for name, what in names.items()
        }


class DeepEstate(Estate):
    """Few enough rows that all of them are kept."""

    subscriptions: dict[str, Deep]  # type: ignore[assignment]

    def __init__(self, servers: int, accounts: int, namespaces: int, subscriptions: int) -> None:
        super().__init__(0, subscriptions)
        totals = {SERVER: servers, ACCOUNT: accounts, EVENTS: namespaces // 2, BUS: namespaces - namespaces // 2}
        for number, (key, here) in enumerate(list(self.subscriptions.items())):
            counts = {kind: (total + number) // subscriptions for kind, total in totals.items()}
            own = tuple(patterns(here, counts))
            self.subscriptions[key] = Deep(key, here.place, here.round, sum(count for _, count in own), own)
        self.rows = {str(row["id"]).lower(): row for each in self.subscriptions.values() for row in each.every()}
        self.resources = len(self.rows)
        partners = {SERVER: 2, EVENTS: 1, BUS: 1}  # a server has a failover group and a link
        self.abroad = sum(partners.get(row["type"], 0) for row in self.rows.values() if is_abroad(row))

    def of_type(self, subscription: str, resource_type: str) -> list[bytes]:
        rows = self.subscriptions[subscription].every()
        return [json.dumps(row).encode() for row in rows if row["type"] == resource_type.lower()]


# The children: bodies as small as they come, in the service's own shape


def is_abroad(row: Row) -> bool:
    """Whether the resource has a partner abroad: one in twenty, by its number."""
    number = re.search(r"(\d{3})$", row["id"].split("/")[8])
    return number is not None and int(number[1]) % ABROAD_IN == 0


def protector(row: Row) -> Row:
    uri = row["properties"].get("keyId", "")
    name = "_".join(uri.removeprefix("https://").replace(".vault.azure.net/keys/", "/").split("/"))
    return {
        "kind": "azurekeyvault",
        "location": row["location"],
        "properties": {
            "serverKeyName": name, "serverKeyType": "AzureKeyVault", "uri": uri, "autoRotationEnabled": True,
        },
    }  # fmt: skip


def failover_groups(row: Row) -> list[Row]:
    partner = {"id": row["id"] + "-us", "location": "East US", "replicationRole": "Secondary"}
    properties = {
        "readWriteEndpoint": {"failoverPolicy": "Manual"}, "replicationRole": "Primary",
        "replicationState": "CATCH_UP", "partnerServers": [partner], "databases": [row["id"] + "/databases/orders"],
    }  # fmt: skip
    return [{"name": "orders-fog", "properties": properties}] if is_abroad(row) else []


def replication_links(row: Row) -> list[Row]:
    properties = {
        "partnerServer": row["name"] + "-us", "partnerDatabase": "orders", "partnerLocation": "East US",
        "role": "Primary", "partnerRole": "Secondary", "replicationState": "CATCH_UP", "linkType": "GEO",
    }  # fmt: skip
    link = {"id": row["id"] + "/databases/orders/replicationLinks/1", "name": "1", "properties": properties}
    return [link] if is_abroad(row) else []


def audited(_: Row) -> Row:
    return {"properties": {"state": "Disabled", "isAzureMonitorTargetEnabled": False, "retentionDays": 0}}


def encryption(_: Row) -> Row:
    return {"properties": {"state": "Enabled"}}


def recovery_configs(row: Row) -> list[Row]:
    partner = row["id"].replace("/namespaces/", "/namespaces/us-")
    properties = {"provisioningState": "Succeeded", "partnerNamespace": partner, "role": "Primary"}
    return [{"name": "pair", "properties": properties}] if is_abroad(row) else []


def connections(row: Row) -> list[Row]:
    found: list[Row] = row["properties"].get("privateEndpointConnections") or []
    return found


def none(_: Row) -> list[Row]:
    return []


LOGS: Final = "providers/microsoft.insights/diagnosticsettings"
# By the type of the parent: what continues its id -> the object, or the list's items.
ROUTES: Final[dict[str, dict[str, Callable[[Row], Row | list[Row]]]]] = {
    SERVER: {
        "encryptionprotector/current": protector,
        "failovergroups": failover_groups,
        "replicationlinks": replication_links,
        "restorabledroppeddatabases": none,
        "auditingsettings/default": audited,
        "devopsauditingsettings": none,
        LOGS: none,
    },
    DATABASE: {"transparentdataencryption/current": encryption, "auditingsettings/default": audited, LOGS: none},
    ACCOUNT: {
        "objectreplicationpolicies": none,
        "encryptionscopes": none,
        **{f"{service}services/default/{LOGS}": none for service in ("blob", "file", "queue", "table")},
        LOGS: none,
    },
    EVENTS: {"disasterrecoveryconfigs": recovery_configs, "privateendpointconnections": connections, LOGS: none},
    BUS: {"disasterrecoveryconfigs": recovery_configs, "privateendpointconnections": connections, LOGS: none},
    VAULT: {LOGS: none},
}
KEY: Final = re.compile(r"keys/([^/]+)")


def child(row: Row, tail: str) -> Row | None:
    """The answer to a read below a resource, None where it has no such."""
    lower = tail.lower()
    if row["type"] == VAULT and (key := KEY.fullmatch(lower)):
        attributes = {"enabled": True, "created": 1700000000, "updated": 1700000000}
        properties = {"attributes": attributes, "kty": "RSA", "keySize": 3072}
        return {"id": f"{row['id']}/{tail}", "name": key[1], "location": row["location"], "properties": properties}
    make = ROUTES.get(row["type"], {}).get(lower)
    if make is None:
        return None
    found = make(row)
    base = f"{row['id']}/{tail}"
    if isinstance(found, list):
        return {"value": [{"id": f"{base}/{item.get('name', '')}", **item} for item in found]}
    return {"id": base, "name": tail.rpartition("/")[2], **found}


# Quotas


class Tokens:
    """A bucket that fills by and by."""

    def __init__(self, size: int, refill: float) -> None:
        self._size, self._refill = size, refill
        self.left, self._since = float(size), time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.left, self._since = min(self._size, self.left + (now - self._since) * self._refill), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Window:
    """So many in any window of time."""

    def __init__(self, size: int, seconds: float) -> None:
        self._size, self._seconds = size, seconds
        self.left = float(size)
        self._taken: collections.deque[float] = collections.deque()

    def take(self) -> bool:
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= self._seconds:
            self._taken.popleft()
        if len(self._taken) >= self._size:
            return False
        self._taken.append(now)
        return True


class Quotas:
    """The buckets of everybody, and how low each kind of them has been."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Tokens | Window] = {}
        self._lock = threading.Lock()
        self.refused: collections.Counter[str] = collections.Counter()

    def take(self, kind: str, *whose: str) -> bool:
        with self._lock:
            key = (kind, *whose)
            bucket = self._known.get(key)
            if bucket is None:
                bucket = self._known[key] = self._new(kind)
            taken = bucket.take()
            self.refused[kind] += not taken
            return taken

    def left(self, kind: str, *whose: str) -> int:
        with self._lock:
            bucket = self._known.get((kind, *whose))
            return int(bucket.left) if bucket else TOKENS

    @staticmethod
    def _new(kind: str) -> Tokens | Window:
        if kind == "arm":
            return Tokens(TOKENS, REFILL)
        return Window(STORAGE_LISTS if kind == "storage-lists" else STORAGE_READS, STORAGE_WINDOW)


# What is answered


class DeepAzure(Azure):
    """Every path of loopback.Azure, the children below its resources, and batches of them."""

    estate: DeepEstate

    def __init__(self, estate: DeepEstate, *, batch: bool) -> None:
        super().__init__(estate, quota=True)
        self._batch = batch
        self.quotas = Quotas()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path = target.partition("?")[0].lower()
        if path == "/_counts":
            with self._lock:
                refused = {f"refused {kind}": count for kind, count in self.quotas.refused.items()}
                more = {"estate": self.estate.resources, "abroad": self.estate.abroad}
                return Answer(json.dumps({**self.counts, **refused, **more}).encode())
        if path == "/batch" and method == "POST" and headers.get("authorization"):
            return self._together(json.loads(body))
        if method == "GET" and path.startswith("/subscriptions/") and headers.get("authorization"):
            status, found, told = self._one(target)
            if status:
                return Answer(json.dumps(found).encode(), status, told)
        return super().answer(method, target, headers, body)

    def _together(self, asked: Row) -> Answer:
        requests = asked["requests"]
        if not self._batch:
            return Failure(404, "ResourceNotFound", "There is no batch here.").answer
        if len(requests) > LARGEST_BATCH:
            self.count("rejected")
            return Failure(400, "BatchTooLarge", f"At most {LARGEST_BATCH} requests.").answer
        self.count("batches")
        responses = []
        for each in requests:
            status, found, told = self._one(each["url"])
            if not status:
                status, found = 404, {"error": {"code": "ResourceNotFound", "message": each["url"]}}
                self.count("unknown")
            text = {"name": each.get("name"), "httpStatusCode": status, "headers": told, "content": found}
            responses.append(text)
        return Answer(json.dumps({"responses": responses}).encode())

    def _one(self, target: str) -> tuple[int, Row, dict[str, str]]:
        """Status, body and headers of one read; status 0 for what is none of a child."""
        url = urlsplit(target)
        path = unquote(url.path)
        parts = path.strip("/").split("/")
        subscription = parts[1].lower()
        if subscription not in self.estate.subscriptions:
            return 0, {}, {}
        row, tail = self._parent(parts)
        kind, region = "microsoft.resources/subscriptions", ""
        found: Row | None
        if row is not None:
            kind, region, found = row["type"], row["location"], child(row, tail)
            tail = KEY.sub("keys/{key}", tail) if kind == VAULT else tail
        else:
            tail = "/".join(parts[2:])
            is_list = parts[2:3] == ["providers"] and "permissions" not in tail.lower()
            listed = is_list and "/".join(parts[3:]).lower() not in (SERVER, DATABASE, ACCOUNT, EVENTS, BUS, VAULT)
            found = {"value": []} if listed else None
            if parts[2:3] == ["providers"] and len(parts) == 4:
                found = provider(parts[3])
            region = parts[5] if parts[4:5] == ["locations"] else ""
            tail = re.sub(r"(?i)/locations/[^/]+", "/locations/{location}", tail)
        if found is None:
            if row is None:
                self.quotas.take("arm", subscription)
            return 0, {}, {}
        if "api-version" not in parse_qs(url.query):
            return 400, {"error": {"code": "MissingApiVersionParameter", "message": "api-version"}}, {}
        wanted: list[tuple[str, ...]] = [("arm", subscription)]
        if (kind == ACCOUNT and LOGS not in tail.lower()) or "/microsoft.storage/" in f"/{tail.lower()}":
            wanted.append(("storage-lists" if "value" in found else "storage-reads", subscription, region))
        for bucket in wanted:
            if not self.quotas.take(*bucket):
                error = {"code": "TooManyRequests", "message": f"The request is throttled: {bucket[0]}."}
                return 429, {"error": error}, {"Retry-After": "17" if bucket[0] != "arm" else "1"}
        self.count(f"child {kind}: {tail.lower()}")
        left = self.quotas.left("arm", subscription)
        return 200, found, {"x-ms-ratelimit-remaining-subscription-reads": str(left)}

    def _parent(self, parts: list[str]) -> tuple[Row | None, str]:
        """The resource that a path is below of, the closest there is, and what of the path continues its id."""
        for end in range(len(parts) - 1, 7, -1):
            row = self.estate.rows.get("/" + "/".join(parts[:end]).lower())
            if row is not None:
                return row, "/".join(parts[end:])
        return None, ""


def provider(namespace: str) -> Row:
    """What a resource provider is: in which regions it has lists."""
    kinds = ("locations/longTermRetentionBackups", "locations/longTermRetentionManagedInstanceBackups")
    types = [{"resourceType": kind, "locations": list(REGIONS)} for kind in kinds]
    return {"namespace": namespace, "registrationState": "Registered", "resourceTypes": types}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--servers", type=int, default=SERVERS)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--namespaces", type=int, default=NAMESPACES)
    parser.add_argument("--subscriptions", type=int, default=SUBSCRIPTIONS)
    parser.add_argument("--latency", type=float, default=0, help="milliseconds of each call, and of each batch")
    parser.add_argument("--no-batch", action="store_true", help="an Azure without /batch")
    options = parser.parse_args()
    estate = DeepEstate(options.servers, options.accounts, options.namespaces, options.subscriptions)
    listen(DeepAzure(estate, batch=not options.no_batch), options.port, options.latency / 1000)


if __name__ == "__main__":
    main()
