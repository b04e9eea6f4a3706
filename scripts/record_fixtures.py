"""Records what Azure answers to a few journeys: one JSON file for each exchange, with nothing of the customer's in it.

    python scripts/record_fixtures.py all
    python scripts/record_fixtures.py audit graph-pages --live --date 2026-12-01 --subscription NAME -o DIRECTORY

Without --live it is the sandbox that answers, and the files say so. With it, the account that `sovereignmesh.connect`
signs in with is read: nothing but GETs and Resource Graph queries is sent. Read the files before you publish them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from scrubber import BATCH, GRAPH, TOKEN_KEYS, Exchange, RecordingError, Scrubber, vars_of

from sovereignmesh.audit import audit_azure
from sovereignmesh.azure import (
    Azure,
    Pace,
    connect,
    find_cloud,
    list_ancestors,
    list_locations,
    list_management_groups,
    list_permissions,
    list_subscriptions,
    list_subscriptions_below,
    list_tenants,
    query_rows,
)
from sovereignmesh.azure.queries import COUNT_CONTAINERS, COUNT_RESOURCES
from sovereignmesh.errors import AzureError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.sandbox import estate_mesh, open_adapter
from sovereignmesh.sandbox.credential import SandboxCredential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["JOURNEYS", "Exchange", "Journey", "Recorder", "RecordingError", "Scrubber", "record", "write"]

ROOT: Final = Path(__file__).parents[1]
SYNTHETIC: Final = "synthetic: sandbox {}"


_HEADERS: Final = re.compile(
    r"retry-after|x-ms-user-quota-(remaining|resets-after)|x-ms-ratelimit-remaining-[a-z-]+|"
    r"x-ms-tenant-subscription-limit-hit|location|operation-location|azure-asyncoperation|content-type",
    re.IGNORECASE,
)
_STREAMS: Final = ("application/octet-stream", "text/event-stream", "application/x-ndjson")


class Recorder(BaseAdapter):
    """Passes requests on to another adapter, and keeps what was said; of the headers, only the harmless ones.

    It lets out to `host` alone, and only what reads. `page_size` is the most rows that a query may ask for: it is
    lowered on the way, so that a small tenant has several pages too.
    """

    def __init__(self, adapter: BaseAdapter, host: str, page_size: int | None = None) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []
        self._adapter, self._host, self._page_size = adapter, host, page_size
        self._lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, stream: bool = False, **options: Any) -> requests.Response:  # type: ignore[override]
        """The answer. Raises RecordingError for what is for another host, writes, or is a stream."""
        url, method = urlsplit(request.url or ""), request.method or ""
        if url.scheme != "https" or url.netloc.lower().removesuffix(":443") != self._host:
            raise RecordingError(f"not for {self._host}, and so neither sent nor recorded: {url.netloc}")
        body = request.body
        if stream or not isinstance(body, str | bytes | None):
            raise RecordingError("a stream cannot be recorded")
        asked = json.loads(body) if body else None
        if method != "GET" and not (method == "POST" and _only_reads(url.path.lower(), asked)):
            raise RecordingError(f"{method} {url.path} does not only read")
        response = self._adapter.send(self._smaller(request, asked), stream=False, **options)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in _STREAMS:
            raise RecordingError(f"a stream cannot be recorded: {kind}")
        content = response.content
        headers = {name: value for name, value in response.headers.items() if _HEADERS.fullmatch(name)}
        exchange = Exchange(method, request.url or "", asked, response.status_code, headers, _parsed(content))
        with self._lock:
            self.exchanges.append(exchange)
        return response

    def close(self) -> None:
        """Closes the adapter that does the work."""
        self._adapter.close()

    def _smaller(self, request: requests.PreparedRequest, asked: Any) -> requests.PreparedRequest:
        options = asked.get("options") if isinstance(asked, dict) else None
        if self._page_size is None or not isinstance(options, dict):
            return request
        least = min(options.get("$top", self._page_size), self._page_size)
        smaller = request.copy()
        smaller.prepare_body(None, None, {**asked, "options": {**options, "$top": least}})
        return smaller


def _only_reads(path: str, asked: Any) -> bool:
    """Whether a POST is a query, or a batch of GETs."""
    parts = asked.get("requests") if isinstance(asked, dict) and path == BATCH else None
    reads = isinstance(parts, list) and all(isinstance(one, dict) and one.get("httpMethod") == "GET" for one in parts)
    return path == GRAPH or reads


def _parsed(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return {"text": content.decode("utf-8", "replace")}


# The order: it follows from what was said, not from which thread was first


_LINK_KEYS: Final = frozenset({"nextlink", "@odata.nextlink"})


def in_order(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The exchanges by what was asked, page after page; repetitions of one request as they came."""
    came_from = {follow: index for index, each in enumerate(exchanges) for follow in _follows(each.response)}

    def key(each: Exchange) -> tuple[str, int]:
        depth, seen = 0, set()
        while (named := _continues(each)) in came_from and came_from[named] not in seen:
            seen.add(came_from[named])
            depth, each = depth + 1, exchanges[came_from[named]]
        asked = json.dumps(_without_tokens(each.request), sort_keys=True)
        path, _, query = each.url.partition("?")
        return f"{each.method} {path.lower()} {query} {asked}", depth

    return sorted(exchanges, key=key)


def _follows(body: Any) -> Iterator[str]:
    """What the next page is asked for with."""
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, str) and name.lower() in TOKEN_KEYS | _LINK_KEYS:
            yield value


def _continues(each: Exchange) -> str:
    options = each.request.get("options") if isinstance(each.request, dict) else None
    token = options.get("$skipToken") if isinstance(options, dict) else None
    return token or each.url


def _without_tokens(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_tokens(inner) for name, inner in value.items() if name.lower() not in TOKEN_KEYS}
    return value


_QUOTA: Final = ("x-ms-user-quota-remaining", "x-ms-user-quota-resets-after")


def _dealt(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The same with the quota's headers dealt out in order: which thread was first is the sandbox's luck."""
    held = [index for index, each in enumerate(exchanges) if each.headers.get(_QUOTA[0], "").isdecimal()]
    hands = [{k: v for k, v in exchanges[index].headers.items() if _is_of_quota(k)} for index in held]
    hands.sort(key=lambda hand: (hand.get(_QUOTA[1], ""), int(hand[_QUOTA[0]])), reverse=True)
    found = list(exchanges)
    for index, hand in zip(held, hands, strict=True):
        kept = {name: value for name, value in found[index].headers.items() if not _is_of_quota(name)}
        found[index] = replace(found[index], headers=kept | hand)
    return found


def _is_of_quota(name: str) -> bool:
    return name.lower().startswith(("x-ms-user-quota", "x-ms-ratelimit"))


# The journeys


class Journey(NamedTuple):
    """What is asked. `run` takes a connection and the subscriptions that are chosen, and says what came of it.

    The rest is for the sandbox: its estate, its faults, the size of its pages, the subscriptions.
    """

    run: Callable[[Azure, Sequence[str]], Any]
    estate: str = "contoso"
    faults: tuple[str, ...] = ()
    page_size: int = 1000
    subscriptions: tuple[str, ...] = ()
    live: bool = True


NOBODYS: Final = "00000000-0000-0000-0000-000000099999"  # a subscription that is not there
PAGED: Final = (
    "resources\n"
    "| where type in~ ('microsoft.storage/storageaccounts', 'microsoft.keyvault/vaults')\n"
    "| project id, name, type, kind, location, sku, tags, properties\n"
    "| order by id asc"
)
WRONG: Final = (
    "resources | where",
    "resources | where nosuchcolumn == 1 | order by id asc",
    "nosuchtable | count",
)


def _ids(azure: Azure) -> list[str]:
    return sorted(subscription.id for subscription in list_subscriptions(azure))


def _tried(ask: Callable[[], Any]) -> Any:
    """What comes, or which error."""
    try:
        return ask()
    except AzureError as error:
        return f"{type(error).__name__} {error.status} {error.code}"


def subscriptions_and_tenants(azure: Azure, _: Sequence[str]) -> Any:
    return {"subscriptions": list(list_subscriptions(azure)), "tenants": list(list_tenants(azure))}


def locations(azure: Azure, _: Sequence[str]) -> Any:
    return list(list_locations(azure, _ids(azure)[0]))


def management_groups(azure: Azure, _: Sequence[str]) -> Any:
    """The groups, the subscriptions below each, and the groups above each subscription."""
    groups = list(list_management_groups(azure))
    below = {group.name: [found.id for found in list_subscriptions_below(azure, group.name)] for group in groups}
    above = list_ancestors(azure, sorted({identity for found in below.values() for identity in found}))
    return {"groups": groups, "below": below, "above": above}


def permissions(azure: Azure, _: Sequence[str]) -> Any:
    """Whether everything can be read, by subscription."""
    return {each: list_permissions(azure, f"/subscriptions/{each}") for each in _ids(azure)}


def graph_count(azure: Azure, _: Sequence[str]) -> Any:
    asked = _ids(azure)
    return [list(query_rows(azure, query, asked)) for query in (COUNT_RESOURCES, COUNT_CONTAINERS)]


def throttled(azure: Azure, _: Sequence[str]) -> Any:
    return list(query_rows(azure, COUNT_CONTAINERS, _ids(azure)))


def graph_pages(azure: Azure, _: Sequence[str]) -> Any:
    return list(query_rows(azure, PAGED, _ids(azure)[:1]))


def graph_errors(azure: Azure, _: Sequence[str]) -> Any:
    asked = _ids(azure)
    return [_tried(lambda query=query: list(query_rows(azure, query, asked))) for query in WRONG]


def denied(azure: Azure, _: Sequence[str]) -> Any:
    """What is said to who may not: below the tenant, and in a subscription that is not theirs."""
    found = list(list_subscriptions(azure))
    tenant = found[0].tenant_id
    return {
        "permissions": {each.id: _tried(lambda each=each: _permissions_of(azure, each.id)) for each in found},
        "below the tenant": _tried(lambda: [each.id for each in list_subscriptions_below(azure, tenant)]),
        "nobody's": _tried(lambda: list(query_rows(azure, COUNT_RESOURCES, [NOBODYS]))),
    }


def _permissions_of(azure: Azure, subscription: str) -> list[Any]:
    return list_permissions(azure, f"/subscriptions/{subscription}")


def audit(azure: Azure, subscriptions: Sequence[str]) -> Any:
    """The audit of the subscriptions against the sample mesh: what is asked does not depend on it."""
    return audit_azure(azure, load_mesh(estate_mesh("contoso")), subscriptions=subscriptions, depth="inventory")


def audit_at_depth(azure: Azure, subscriptions: Sequence[str]) -> Any:
    """The same with the children that tell where data is processed and where logs go."""
    mesh, checks = load_mesh(estate_mesh("contoso")), ("processing-region", "log-region")
    return audit_azure(azure, mesh, subscriptions=subscriptions, checks=checks)


JOURNEYS: Final = {
    "subscriptions": Journey(subscriptions_and_tenants, page_size=4),
    "locations": Journey(locations),
    "management-groups": Journey(management_groups, page_size=4),
    "permissions": Journey(permissions),
    "graph-count": Journey(graph_count),
    "graph-pages": Journey(graph_pages, page_size=5),
    "graph-errors": Journey(graph_errors),
    "denied": Journey(denied, estate="contoso-partial"),
    "audit": Journey(audit, page_size=20, subscriptions=("customer-dev",)),
    "audit-depth": Journey(audit_at_depth, subscriptions=("customer-dev",)),
    "throttled": Journey(throttled, faults=("throttled", "throttled:graph"), live=False),
}


# Recording and writing


@dataclass
class Clock:
    """A clock that moves only when somebody waits."""

    now: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds


def record(name: str) -> dict[str, str]:
    """The files of a journey through the sandbox, by name."""
    journey, clock = JOURNEYS[name], Clock()
    adapter = open_adapter(
        journey.estate, faults=journey.faults, clock=clock, sleep=clock.sleep, page_size=journey.page_size
    )
    recorder = Recorder(adapter, find_cloud("public").host)
    pace = Pace(clock=clock, sleep=clock.sleep, jitter=lambda: 0.0)
    with connect(SandboxCredential(), session=_session(recorder), pace=pace) as azure:  # type: ignore[arg-type]
        journey.run(azure, journey.subscriptions)
    return files(_dealt(in_order(recorder.exchanges)), SYNTHETIC.format(journey.estate))


def record_live(name: str, options: argparse.Namespace) -> dict[str, str]:
    """The files of a journey through the account that the environment signs in with."""
    cloud = find_cloud(options.cloud)
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=16, max_retries=0)
    recorder = Recorder(adapter, cloud.host, options.page_size)
    source = f"recorded: {options.date}" + (f", pages of {options.page_size}" if options.page_size else "")
    with connect(cloud=cloud, tenant=options.tenant, session=_session(recorder)) as azure:
        JOURNEYS[name].run(azure, options.subscription)
    return files(in_order(recorder.exchanges), source)


def _session(adapter: BaseAdapter) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


def files(exchanges: Sequence[Exchange], source: str) -> dict[str, str]:
    """The scrubbed exchanges as they are written, by file name. Raises RecordingError for what cannot be scrubbed."""
    found = {}
    for number, each in enumerate(Scrubber().scrub(exchanges), 1):
        body = {"source": source, **vars_of(each)}
        found[f"{number:02}-{each.method.lower()}-{_short(each)}.json"] = (
            json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        )
    return found


def _short(each: Exchange) -> str:
    if isinstance(each.request, dict) and isinstance(each.request.get("query"), str):
        table = re.match(r"\s*(\w*)", each.request["query"])
        return f"graph-{table[1].lower() if table else ''}"
    return re.sub(r"[^a-z0-9]+", "-", urlsplit(each.url).path.rpartition("/")[2].lower()) or "root"


def write(folder: Path, found: dict[str, str]) -> None:
    """Writes the files of a journey; what was recorded before goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _options(arguments: Iterable[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("journey", nargs="+", choices=(*JOURNEYS, "all"), metavar="JOURNEY", help=", ".join(JOURNEYS))
    parser.add_argument("--live", action="store_true", help="read a real account, not the sandbox")
    parser.add_argument("--date", help="the day of a live recording, which its files name")
    parser.add_argument("--cloud", default="public", help="public, usgovernment, china or a file")
    parser.add_argument("--tenant", help="the id of the tenant to sign in to")
    parser.add_argument("--subscription", action="append", default=[], help="what a live audit reads; may be repeated")
    parser.add_argument("--page-size", type=int, help="the most rows of a live query's page")
    parser.add_argument("-o", dest="folder", type=Path, default=ROOT / "fixtures" / "http", help="where to write")
    options = parser.parse_args(None if arguments is None else list(arguments))
    every = [name for name, journey in JOURNEYS.items() if journey.live or not options.live]
    options.journey = every if "all" in options.journey else list(dict.fromkeys(options.journey))
    if options.live:
        if not options.date:
            parser.error("--live needs --date")
        if "audit" in options.journey and not options.subscription:
            parser.error("a live audit needs --subscription: its recording must stay small")
        if closed := [name for name in options.journey if not JOURNEYS[name].live]:
            parser.error(f"{', '.join(closed)}: a real service is not provoked")
    return options


def main(arguments: Iterable[str] | None = None) -> int:
    options = _options(arguments)
    for name in options.journey:
        try:
            found = record_live(name, options) if options.live else record(name)
        except (AzureError, RecordingError) as error:
            print(f"{name}: nothing is written: {error}", file=sys.stderr)
            return 1
        write(options.folder / name, found)
        print(f"{name}: {len(found)} exchanges, {sum(map(len, found.values())):,} characters")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
