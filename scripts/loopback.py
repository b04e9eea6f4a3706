"""Azure Resource Manager on loopback: Resource Graph, subscriptions, permissions and a token endpoint over HTTPS.

The estate is the sample estate's bodies again and again with their own ids, spread evenly over the subscriptions, one
row in twenty with findings. Pages are made on demand from bodies that are serialised once, so that a million rows take
no memory. Prints one line of JSON when it listens: the port and the certificate. Ends when its standard input does.
"""

from __future__ import annotations

import argparse
import base64
import bisect
import collections
import contextlib
import datetime as dt
import functools
import importlib
import ipaddress
import itertools
import json
import math
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Row = dict[str, Any]

ROOT: Final = Path(__file__).parents[1]
CONTAINERS: Final = ("microsoft.resources/subscriptions", "microsoft.resources/subscriptions/resourcegroups")
COLUMNS: Final = ("id", "name", "type", "kind", "location", "sku", "tags", "managedBy", "apiVersion", "properties")
ONE_IN: Final = 20  # rows with findings: 5 %
PAGE: Final = 1000  # the rows of a page at most, and where $top is absent
WINDOW: Final = 5.0  # seconds
QUERIES: Final = 15  # in a window
KEPT: Final = 96 << 20  # bytes of pages that are kept
MARK: Final = "@own@"  # where a copy's own suffix goes
TENANT: Final = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


# Queries: what of Kusto is needed to answer the ones that are asked


def apart(text: str) -> list[str]:
    """The parts between commas that stand in no bracket and no quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, letter in enumerate(text):
        quoted ^= letter == "'"
        if not quoted:
            depth += (letter in "([{") - (letter in ")]}")
            if letter == "," and not depth:
                parts.append(text[start:place].strip())
                start = place + 1
    return [*parts, text[start:].strip()]


def value_of(expression: str, row: Row) -> Any:
    """A column, a path below one, dynamic(...), bag_pack(...) or case(...)."""
    call = re.fullmatch(r"(\w+)\((.*)\)", expression, re.DOTALL)
    if call is None:
        for name in expression.split("."):
            row = row.get(name) if isinstance(row, dict) else None  # type: ignore[assignment]
        return row
    if call[1] == "dynamic":
        return json.loads(call[2])
    arguments = apart(call[2])
    if call[1] == "bag_pack":
        names, values = arguments[::2], arguments[1::2]
        return {name.strip("'"): value_of(value, row) for name, value in zip(names, values, strict=True)}
    if call[1] != "case":
        raise ValueError(f"{call[1]} is not served")
    *cases, otherwise = arguments
    for condition, value in zip(cases[::2], cases[1::2], strict=True):
        if holds(condition, row):
            return value_of(value, row)
    return value_of(otherwise, row)


def holds(condition: str, row: Row) -> bool:
    if null := re.fullmatch(r"isnull\((.+)\)", condition, re.DOTALL):
        return value_of(null[1], row) is None
    if among := re.fullmatch(r"(\w+)\s+in~\s+\((.*)\)", condition, re.DOTALL):
        return str(row.get(among[1])).lower() in {word.strip("'").lower() for word in apart(among[2])}
    raise ValueError(f"the condition {condition} is not served")


@functools.lru_cache(maxsize=64)
def projection(query: str) -> tuple[tuple[str, str], ...]:
    """The names of the columns and what they hold, of the query's last `project`."""
    found = re.search(r".*\|\s*project\s+([^|]+)", query, re.DOTALL)
    if found is None:
        return tuple((name, name) for name in COLUMNS)
    sides = (each.partition("=") for each in apart(found[1].strip()))
    return tuple((name.strip(), expression.strip() or name.strip()) for name, _, expression in sides)


def aggregates(query: str) -> tuple[dict[str, str], bool] | None:
    """What the query summarizes, as `count` or as a column whose values are gathered, and whether by subscription."""
    found = re.search(r"\|\s*summarize\s+([^|]+)", query)
    if found is None:
        return None
    what, by, _ = re.split(r"(\bby\b|$)", found[1].strip(), maxsplit=1)
    names: dict[str, str] = {}
    for part in apart(what.strip()):
        name, _, call = (side.strip() for side in part.rpartition("="))
        if call == "count()":
            names[name or "count_"] = "count"
        elif gathered := re.fullmatch(r"make_set\((\w+)\)", call):
            names[name or f"set_{gathered[1]}"] = gathered[1]
        else:
            raise ValueError(f"{call} is not served")
    return names, bool(by)


# The estate


def load_estate() -> tuple[list[Row], list[Row]]:
    """The compliant rows, and rows with findings."""
    sys.path.insert(0, str(ROOT / "fixtures" / "estates"))
    build = importlib.import_module("build")
    base: list[Row] = build.build_base()
    good = {row["id"]: row for row in base}
    return base, [row for row in build.build_estate() if row != good.get(row["id"])]


def projected(query: str, row: Row) -> bytes:
    row = {name: value_of(expression, row) for name, expression in projection(query)}
    return json.dumps(row, separators=(",", ":")).encode()


@dataclass(frozen=True, eq=False)
class Template:
    """A body that is repeated; the suffix of its copies goes into its id and its name."""

    row: Row
    dirty: bool

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def letter(self) -> str:
        return "d" if self.dirty else "c"

    @functools.cache  # noqa: B019 - templates live as long as the process
    def text(self, query: str) -> bytes:
        """The row as the query projects it."""
        return projected(query, {**self.row, "id": self.id + MARK, "name": str(self.row.get("name", "")) + MARK})


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of one template that follow each other: the original, or its copies by number."""

    template: Template
    copies: int  # 0: the original itself

    @property
    def rows(self) -> int:
        return self.copies or 1

    @property
    def order(self) -> str:
        """What it is sorted by: its copies come after the original and before whatever is next."""
        return self.template.id + (f"-0{self.template.letter}" if self.copies else "")

    def suffixes(self, first: int, last: int) -> Iterator[bytes]:
        """Of the rows from `first` to before `last`."""
        if not self.copies:
            return iter((b"",))
        return (b"-0%b%06d" % (self.template.letter.encode(), number) for number in range(first, last))


@dataclass(frozen=True)
class Layout:
    blocks: tuple[Block, ...]
    starts: tuple[int, ...]  # of each block; one more for the end

    @staticmethod
    def of(blocks: Sequence[Block]) -> Layout:
        return Layout(tuple(blocks), (0, *itertools.accumulate(block.rows for block in blocks)))


@dataclass(frozen=True, eq=False)
class Place:
    """One subscription of the sample estate."""

    subscription: str
    slug: str  # sales-prod
    containers: tuple[Row, ...]
    clean: tuple[Template, ...]  # those that others name first
    dirty: tuple[Template, ...]
    copied: str  # the only type that is copied; empty: every type

    @functools.cache  # noqa: B019 - places live as long as the process
    def layout(self, rows: int) -> Layout:
        """`rows` rows in the order of their ids."""
        originals = self.clean[:rows]
        copies = rows - len(originals)
        clean, dirty = (
            tuple(template for template in templates if self.copied in ("", template.row["type"]))
            for templates in (originals, self.dirty)
        )
        bad = min(copies, rows // ONE_IN) if dirty else 0
        blocks = [Block(template, 0) for template in originals]
        for templates, count in ((clean, copies - bad), (dirty, bad)):
            if not count:
                continue
            shares = itertools.pairwise(count * part // len(templates) for part in range(len(templates) + 1))
            found = ((template, end - start) for template, (start, end) in zip(templates, shares, strict=True))
            blocks += [Block(template, share) for template, share in found if share]
        return Layout.of(sorted(blocks, key=lambda block: block.order))


def places(copied: str) -> list[Place]:
    base, planted = load_estate()
    found = []
    for subscription in sorted({row["subscriptionId"] for row in base}):
        own = [row for row in base if row["subscriptionId"] == subscription]
        clean = [row for row in own if row["type"] not in CONTAINERS]
        text = json.dumps([row["properties"] for row in clean]).lower()
        clean.sort(key=lambda row: (row["id"].lower() not in text and "/vaults" not in row["type"], row["id"]))
        dirty = [row for row in planted if row["subscriptionId"] == subscription and row["type"] not in CONTAINERS]
        containers = sorted((row for row in own if row["type"] in CONTAINERS), key=lambda row: row["id"])
        slug = next(row["name"] for row in containers if row["type"] == CONTAINERS[0])
        found.append(
            Place(
                subscription,
                slug,
                tuple(containers),
                tuple(Template(row, dirty=False) for row in clean),
                tuple(Template(row, dirty=True) for row in dirty),
                copied,
            ),
        )
    return found


@dataclass(frozen=True)
class Subscription:
    """A subscription that is served: a place again, with its own id and its own names."""

    id: str
    place: Place
    round: int
    rows: int

    @property
    def name(self) -> str:
        return f"{self.place.slug}-{self.round:02d}" if self.round else self.place.slug

    @property
    def layout(self) -> Layout:
        return self.place.layout(self.rows)

    def own(self, text: bytes) -> bytes:
        """A body of the place as it is here. The first round keeps its names."""
        if not self.round:
            return text
        slug = self.place.slug
        flat = slug.replace("-", "")
        text = text.replace(self.place.subscription.encode(), self.id.encode())
        text = text.replace(slug.encode(), self.name.encode())
        return text.replace(flat.encode(), f"{flat}{self.round:02d}".encode())

    def page(self, first: int, last: int, query: str) -> Iterator[bytes]:
        """The rows from `first` to before `last`, as JSON."""
        layout = self.layout
        number = bisect.bisect_right(layout.starts, first) - 1
        while first < last:
            block, start, end = layout.blocks[number], layout.starts[number], min(layout.starts[number + 1], last)
            pieces = self.own(block.template.text(query)).split(MARK.encode())
            for suffix in block.suffixes(first - start, end - start):
                yield suffix.join(pieces)
            first, number = end, number + 1

    def groups(self, query: str) -> list[bytes]:
        return [self.own(projected(query, row)) for row in self.place.containers]

    def summary(self, names: dict[str, str], *, containers: bool) -> Row:
        """Its row of a summary."""
        rows = self.place.containers if containers else [block.template.row for block in self.layout.blocks]
        count = len(rows) if containers else self.rows
        return {
            name: count if what == "count" else sorted({str(row.get(what)) for row in rows})
            for name, what in names.items()
        }


class Estate:
    """`resources` rows in `subscriptions` subscriptions."""

    def __init__(self, resources: int, subscriptions: int, copied: str = "") -> None:
        known = places(copied)
        ids = [
            known[number % len(known)].subscription
            if number < len(known)
            else f"{number:08x}-bbbb-4bbb-8bbb-{number:012x}"
            for number in range(subscriptions)
        ]
        each, more = divmod(resources, subscriptions)
        self.subscriptions = {
            key: Subscription(key, known[number % len(known)], number // len(known), each + (number < more))
            for number, key in enumerate(ids)
        }
        self._pages: collections.OrderedDict[tuple[Any, ...], tuple[bytes, int]] = collections.OrderedDict()
        self._kept = 0
        self._lock = threading.Lock()

    @functools.lru_cache(maxsize=256)  # noqa: B019 - there is one estate
    def _asked(self, ids: tuple[str, ...]) -> tuple[list[Subscription], list[int]]:
        chosen = [self.subscriptions[key] for key in sorted(set(ids)) if key in self.subscriptions]
        return chosen, [0, *itertools.accumulate(each.rows for each in chosen)]

    def asked(self, ids: tuple[str, ...]) -> tuple[list[Subscription], int]:
        """The subscriptions of these ids in order, those that there are, and how many rows they hold."""
        chosen, starts = self._asked(ids)
        return chosen, starts[-1]

    def page(self, ids: tuple[str, ...], first: int, last: int, query: str) -> bytes:
        key = (ids, first, last, query)
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key][0]
        chosen, starts = self._asked(ids)
        rows: list[bytes] = []
        number = bisect.bisect_right(starts, first) - 1
        for place in range(number, len(chosen)):
            if starts[place] >= last:
                break
            begin, end = max(first, starts[place]), min(last, starts[place + 1])
            rows.extend(chosen[place].page(begin - starts[place], end - starts[place], query))
        text = b",".join(rows)
        with self._lock:
            if key not in self._pages:
                self._pages[key] = text, len(text)
                self._kept += len(text)
                while self._kept > KEPT:
                    self._kept -= self._pages.popitem(last=False)[1][1]
        return text

    def of_type(self, subscription: str, resource_type: str) -> list[bytes]:
        """What a list of Azure Resource Manager holds: whole bodies of one type."""
        here = self.subscriptions[subscription]
        found: list[bytes] = []
        for block, start in zip(here.layout.blocks, here.layout.starts, strict=False):
            if block.template.row["type"].lower() == resource_type.lower():
                found.extend(here.page(start, start + block.rows, "resources"))
        return found


# What is answered


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Failure(Exception):  # noqa: N818 - an answer, not an error of the server
    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code)
        body = json.dumps({"error": {"code": code, "message": message}}).encode()
        self.answer = Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def clock(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


class Quota:
    """Queries of each principal in fixed windows, each of which starts with its first query."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self._windows: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def take(self, principal: str) -> tuple[bool, int, float]:
        """Whether one more may be asked, how many are left then, and the seconds to the next window."""
        if not self.on:
            return True, 999, WINDOW
        with self._lock:
            now = time.monotonic()
            started, used = self._windows.get(principal, (-math.inf, 0))
            if now - started >= WINDOW:
                started, used = now, 0
            allowed = used < QUERIES
            self._windows[principal] = started, used + allowed
            return allowed, QUERIES - used - allowed, WINDOW - (now - started)


class Azure:
    """Every path that is served."""

    def __init__(self, estate: Estate, *, quota: bool) -> None:
        self.estate = estate
        self.quota = Quota(on=quota)
        self.counts: collections.Counter[str] = collections.Counter()
        self.last_query = ""
        self._lock = threading.Lock()
        self._all = tuple(sorted(estate.subscriptions))

    def count(self, kind: str, number: int = 1) -> None:
        with self._lock:
            self.counts[kind] += number

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            return self._answer(method, target, headers, body)
        except Failure as failure:
            return failure.answer
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.count("rejected")
            return Failure(400, "BadRequest", repr(error)).answer

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        url = urlsplit(target)
        parts = url.path.strip("/").split("/")
        lower = [part.lower() for part in parts]
        if parts == ["_counts"]:
            with self._lock:
                return Answer(json.dumps(dict(self.counts)).encode())
        if parts == ["_query"]:
            return Answer(json.dumps(self.last_query).encode())
        if lower[-1] == "openid-configuration" or lower[-2:] == ["v2.0", "token"] or lower[-1] == "instance":
            return self._sign_in(parts, f"https://{headers['host']}")
        principal = headers.get("authorization", "")
        if not principal.startswith("Bearer "):
            self.count("unauthorized")
            raise Failure(
                401, "AuthenticationFailed", "The 'Authorization' header is missing.", WWW_Authenticate="Bearer"
            )
        if "api-version" not in parse_qs(url.query):
            raise Failure(
                400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
            )
        if lower == ["providers", "microsoft.resourcegraph", "resources"] and method == "POST":
            return self._graph(principal, json.loads(body))
        if method != "GET":
            raise Failure(405, "MethodNotAllowed", f"{method} is not served.")
        return self._get(lower, parts)

    def _sign_in(self, parts: list[str], host: str) -> Answer:
        if parts[-1] == "token":
            self.count("token")
            return Answer(b'{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"bench"}')
        self.count("discovery")
        if parts[-1] == "instance":
            found = f"{host}/{TENANT}/v2.0/.well-known/openid-configuration"
            return Answer(json.dumps({"tenant_discovery_endpoint": found, "metadata": []}).encode())
        tenant = f"{host}/{parts[0]}"
        metadata = {
            "issuer": f"{tenant}/v2.0",
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{tenant}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
        }
        return Answer(json.dumps(metadata).encode())

    def _get(self, lower: list[str], parts: list[str]) -> Answer:
        if lower == ["subscriptions"]:
            self.count("subscriptions")
            found = [self._subscription(each) for each in self.estate.subscriptions.values()]
            return Answer(json.dumps({"value": found, "count": {"type": "Total", "value": len(found)}}).encode())
        if lower == ["tenants"]:
            self.count("tenants")
            found = [
                {"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "Contoso", "tenantCategory": "Home"}
            ]
            return Answer(json.dumps({"value": found}).encode())
        if lower[0] != "subscriptions" or lower[1] not in self.estate.subscriptions:
            self.count("unknown")
            raise Failure(404, "ResourceNotFound", f"/{'/'.join(parts)} is not served.")
        rest = lower[2:]
        if not rest:
            self.count("subscription")
            return Answer(json.dumps(self._subscription(self.estate.subscriptions[lower[1]])).encode())
        if rest == ["providers", "microsoft.authorization", "permissions"]:
            self.count("permissions")
            may = {"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}
            return Answer(json.dumps({"value": [may]}).encode())
        if rest == ["locations"]:
            self.count("locations")
            return Answer(b'{"value":[]}')
        if rest[0] == "providers" and len(rest) > 2:
            self.count("lists")
            rows = self.estate.of_type(lower[1], "/".join(rest[1:]))
            return Answer(b'{"value":[' + b",".join(rows) + b"]}")
        self.count("unknown")
        raise Failure(404, "ResourceNotFound", f"/{'/'.join(parts)} is not served.")

    @staticmethod
    def _subscription(here: Subscription) -> Row:
        return {
            "id": f"/subscriptions/{here.id}",
            "subscriptionId": here.id,
            "tenantId": TENANT,
            "displayName": here.name,
            "state": "Enabled",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionPolicies": here.place.containers[0]["properties"].get("subscriptionPolicies", {}),
        }

    def _graph(self, principal: str, asked: Row) -> Answer:
        allowed, left, seconds = self.quota.take(principal)
        quota = {"x_ms_user_quota_remaining": str(left), "x_ms_user_quota_resets_after": clock(seconds)}
        if not allowed:
            self.count("throttled")
            wait = str(math.ceil(seconds))
            raise Failure(
                429, "RateLimiting", "Please provide below info when asking for support.", Retry_After=wait, **quota
            )
        answer = self._rows(asked)
        answer.headers = {name.replace("_", "-"): value for name, value in quota.items()}
        return answer

    def _rows(self, asked: Row) -> Answer:
        query = str(asked["query"]).strip()
        options = asked.get("options") or {}
        ids = tuple(str(key).lower() for key in asked.get("subscriptions") or self._all)
        chosen, total = self.estate.asked(ids)
        if not chosen:
            self.count("forbidden")
            raise Failure(403, "AuthorizationFailed", "None of the subscriptions may be read.")
        containers = query.lower().startswith("resourcecontainers")
        if not containers and not query.lower().startswith("resources"):
            raise Failure(400, "BadRequest", "Only resources and resourcecontainers are served.")
        top = max(1, min(int(options.get("$top") or PAGE), PAGE))
        token = options.get("$skipToken")
        first = int(base64.b64decode(token).removeprefix(b"skip:")) if token else int(options.get("$skip") or 0)
        if summary := aggregates(query):
            self.count("summaries")
            rows = self._summary(chosen, *summary, containers=containers)
        elif containers:
            self.count("containers")
            rows = [row for each in chosen for row in each.groups(query)]
        else:
            self.count("resources")
            last = min(first + top, total)
            self.count("rows", max(last - first, 0))
            self.last_query = query
            return page(self.estate.page(ids, first, last, query), first, last, total)
        last = min(first + top, len(rows))
        return page(b",".join(rows[first:last]), first, last, len(rows))

    @staticmethod
    def _summary(chosen: list[Subscription], names: dict[str, str], by: bool, *, containers: bool) -> list[bytes]:
        rows = [(each.id, each.summary(names, containers=containers)) for each in chosen if each.rows or containers]
        if by:
            return [json.dumps({"subscriptionId": key, **row}).encode() for key, row in rows]
        whole = {
            name: sum(row[name] for _, row in rows)
            if what == "count"
            else sorted({value for _, row in rows for value in row[name]})
            for name, what in names.items()
        }
        return [json.dumps(whole).encode()]


def page(data: bytes, first: int, last: int, total: int) -> Answer:
    count = max(last - first, 0)
    more = b',"$skipToken":"%b"' % base64.b64encode(b"skip:%d" % last) if last < total else b""
    head = b'{"totalRecords":%d,"count":%d,"facets":[],"resultTruncated":"false"%b,"data":[' % (total, count, more)
    return Answer(b"".join((head, data, b"]}")))


# The wire


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1, and its key."""
    from cryptography import x509  # noqa: PLC0415 - only the server needs it
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"),
        False,
    )
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, encipher_only=False, decipher_only=False, **usage
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "loopback.crt", folder / "loopback.key"
    public.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return public, private


REASONS: Final = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"} | {
    405: "Method Not Allowed",
    429: "Too Many Requests",
}


def requests_of(connection: ssl.SSLSocket) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """The requests of a connection, one after the other."""
    held = b""
    while True:
        while b"\r\n\r\n" not in held:
            more = connection.recv(1 << 16)
            if not more:
                return
            held += more
        head, _, held = held.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
        length = int(headers.get("content-length", 0))
        while len(held) < length:
            more = connection.recv(1 << 16)
            if not more:
                return
            held += more
        yield method, target, headers, held[:length]
        held = held[length:]


def serve(raw: socket.socket, context: ssl.SSLContext, azure: Azure, latency: float) -> None:
    """One connection. The answer goes out in one piece: in two, the second would wait for an acknowledgement."""
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError, ValueError), raw, context.wrap_socket(raw, server_side=True) as connection:
        for method, target, headers, body in requests_of(connection):
            started = time.perf_counter()
            answer = azure.answer(method, target, headers, body)
            head = [
                f"HTTP/1.1 {answer.status} {REASONS[answer.status]}",
                "Content-Type: application/json; charset=utf-8",
            ]
            head += [
                f"Content-Length: {len(answer.body)}",
                *(f"{key}: {value}" for key, value in answer.headers.items()),
            ]
            message = b"".join(("\r\n".join(head).encode(), b"\r\n\r\n", answer.body))
            left = latency - (time.perf_counter() - started)
            if left > 0 and not target.startswith("/_"):
                time.sleep(left)
            connection.sendall(message)


def end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--resources", type=int, default=10_000)
    parser.add_argument("--subscriptions", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0, help="milliseconds of each call")
    parser.add_argument("--quota", action="store_true", help=f"{QUERIES} queries in {WINDOW:g} seconds")
    parser.add_argument("--copied", default="", metavar="TYPE", help="the only type that is copied")
    options = parser.parse_args()
    listen(
        Azure(Estate(options.resources, options.subscriptions, options.copied), quota=options.quota),
        options.port,
        options.latency / 1000,
    )


def listen(azure: Azure, port: int, latency: float) -> None:
    """Serves until the process ends."""
    with tempfile.TemporaryDirectory() as temporary:
        public, private = certificate(Path(temporary))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public, private)
        listener = socket.create_server(("127.0.0.1", port), backlog=512)
        ready = {"port": listener.getsockname()[1], "certificate": public.read_text()}
    print(json.dumps(ready), flush=True)
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    while True:
        raw, _ = listener.accept()
        azure.count("connections")
        threading.Thread(target=serve, args=(raw, context, azure, latency), daemon=True).start()


if __name__ == "__main__":
    main()
