"""Measurements of the audit of a Purview account's catalog, against one on loopback."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bench_live import ROOT, Credential, Server, verdict
from bench_purview import AT_ONCE, LATENCY, OPERATIONS, Collecting, Ran, pages, run, session_to, show
from loopback_catalog import BULK, COLLECTIONS, FOLDER_IN, PAGE, Catalog
from loopback_purview import HOST, NAME, SUBSCRIPTIONS, title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TIME_LIMIT, MEMORY_LIMIT = 1.3, 300
TOGETHER: Final = 100  # assets of a confirmation
EACH: Final = 4  # collections, of which a product has all but the last
CHECKS: Final = {"description": "asset-description", "owner": "asset-owner", "label": "sensitivity-label"}


class CatalogServer(Server):
    """A Purview account with assets, from entering to leaving."""

    def __init__(self, assets: int) -> None:
        super().__init__(assets)
        self._command = [sys.executable, str(ROOT / "scripts" / "loopback_catalog.py"), "--latency", str(LATENCY)]
        self._command += ["--assets", str(assets)]


# The wish, and what is to be found


def write_mesh(folder: Path, catalog: Catalog) -> None:
    """A mesh that asks for everything, with a product for the sources of a few collections."""
    wish = "{requireDescription: true, requireOwner: true, requireSensitivityLabel: true}"
    (folder / "policy.yaml").write_text(f"governancePolicies:\n  dataCatalog: {wish}\n")
    (folder / "purview.yaml").write_text(f"purview:\n  account: {NAME}\n")
    for first in range(0, COLLECTIONS, EACH):
        sources = ", ".join(catalog.around.name(number) for number in range(first, first + EACH - 1))
        told = f"{{name: Orders {first}, domain: {title(first)}, owner: orders@contoso.com, sources: [{sources}]}}"
        (folder / f"product-{first}.yaml").write_text(f"dataProduct: {told}\n")


def planted(catalog: Catalog) -> Iterator[tuple[str, ...]]:
    """What is to be found: what an asset lacks, its name, its domain and its collection."""
    for asset in catalog.all():
        if asset.lack and not asset.only_there:
            first, rest = divmod(asset.collection, EACH)
            domain = title(first * EACH) if rest < EACH - 1 else ""
            yield CHECKS[asset.lack], "non-compliant", asset.qualified_name, domain, title(asset.collection)


# What has to be asked, and how long that takes


def least(catalog: Catalog) -> dict[str, int]:
    """The requests that an audit takes at least: by what they read."""
    return {
        "GET subscriptions": 1,
        "GET accounts of a subscription": len(SUBSCRIPTIONS),  # the mesh names the account, and no more
        "GET collections": pages(COLLECTIONS + 1, 100),
        "GET scan/datasources": pages(COLLECTIONS, 100),
        "POST search: page": 1 + sum(pages(size, PAGE) for size in catalog.sizes),  # one for the account's own
        "POST search: count": 1,
        "GET entity/bulk": pages(catalog.doubtful, TOGETHER),
    }


def bound(catalog: Catalog) -> tuple[float, str]:
    """The seconds that the requests take at least, and what makes it so."""
    requests = sum(least(catalog).values())
    return max(
        (requests * LATENCY / 1000 / AT_ONCE, f"{requests} calls, {AT_ONCE} at once"),
        (max(pages(size, PAGE) for size in catalog.sizes) * LATENCY / 1000, "the longest collection"),
        (requests / OPERATIONS, "capacity"),
    )


# The calls, each in a process of its own that has imported everything


def fetch_once(address: str, certificate: str, assets: str) -> dict[str, Any]:
    """The floor: fetches every page and every asset in doubt, ten at once, and reads the JSON; nothing is judged.

    It knows beforehand how large each collection is and which assets are in doubt, and begins with the largest.
    """
    import orjson  # noqa: PLC0415 - imported on first use, else

    catalog, session = Catalog(int(assets)), session_to(address, certificate)
    session.headers["Authorization"] = "Bearer bench"
    doubtful = [asset.id for asset in catalog.all() if asset.lack]

    def search(number: int) -> int:
        body: dict[str, Any] = {"limit": PAGE, "filter": {"collectionId": catalog.around.collection(number)}}
        read = 0
        while True:
            answer = session.post(
                f"https://{HOST}/datamap/api/search/query?api-version=2023-09-01", json=body, timeout=60
            )
            answer.raise_for_status()
            page = orjson.loads(answer.content)
            read += len(page["value"])
            if "continuationToken" not in page:
                return read
            body["continuationToken"] = page["continuationToken"]

    def look_up(first: int) -> int:
        wanted = {"api-version": "2023-09-01", "guid": doubtful[first : first + TOGETHER]}
        answer = session.get(f"https://{HOST}{BULK}", params=wanted, timeout=60)
        answer.raise_for_status()
        return len(orjson.loads(answer.content)["entities"])

    largest = sorted(range(COLLECTIONS), key=lambda number: -catalog.sizes[number])
    started, busy = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = pool.map(search, largest)
        looked_up = pool.map(look_up, range(0, len(doubtful), TOGETHER))
        got = sum(read), sum(looked_up)
    taken, busy = time.perf_counter() - started, time.process_time() - busy
    assert got == (catalog.assets, len(doubtful)), got
    return {"seconds": taken, "busy": busy}


def audit_once(folder: str, address: str, certificate: str, assets: str) -> dict[str, Any]:
    """Audits once, and says how long that took. What is found is what was planted, and no more."""
    from sovereignmesh.azure import connect  # noqa: PLC0415
    from sovereignmesh.catalog import audit_catalog  # noqa: PLC0415
    from sovereignmesh.mesh import load_mesh  # noqa: PLC0415

    mesh = load_mesh(folder)
    with connect(credential=Credential(), session=session_to(address, certificate)) as azure:
        collecting, started, busy = Collecting(), time.perf_counter(), time.process_time()
        audit = audit_catalog(azure, mesh)
        taken, busy = time.perf_counter() - started, time.process_time() - busy
        collected = collecting.end()
    catalog = Catalog(int(assets))
    assert audit.complete, audit.coverage.gaps[:3]
    assert audit.coverage.resources == catalog.assets, audit.coverage.resources
    found = [(each.check, each.state, each.resource_id, each.domain, each.collection) for each in audit.findings]
    assert sorted(found) == sorted(planted(catalog)), "what was found is not what was planted"
    lakes = (size for number, size in enumerate(catalog.sizes) if catalog.around.is_lake(number))
    folders = sum((size - 2) // FOLDER_IN + 1 for size in lakes)
    assert audit.summary["sensitivity-label"]["not-applicable"] == folders, audit.summary
    return {"seconds": taken, "busy": busy, "collected": collected, "findings": len(found)}


# What is measured


def catalog(*, quick: bool) -> bool:
    assets, runs = (20_000, 3) if quick else (200_000, 5)
    estate = Catalog(assets)
    wanted = least(estate)
    asked, ours, floors = [], [], []
    with CatalogServer(assets) as server, tempfile.TemporaryDirectory() as folder:
        write_mesh(Path(folder), estate)
        where = urlsplit(server.url).netloc, str(server.certificate), str(assets)
        for _ in range(runs):
            before = server.counts()
            ours.append(run("audit_once", folder, *where, script=__file__))
            after = server.counts()
            asked.append({kind: after[kind] - before.get(kind, 0) for kind in after if " " in kind})
            floors.append(run("fetch_once", *where, script=__file__))
        refused = server.counts().get("rejected", 0)
    for done in asked[:1]:
        show(done, wanted)
    exact = all(done == wanted for done in asked) and not refused
    print(
        f"audit of {assets:,} assets in {COLLECTIONS} collections, {LATENCY} ms: "
        f"{max(sum(done.values()) for done in asked)} requests of {sum(wanted.values())}, {refused} refused, "
        f"{ours[0].told['findings']:,} findings as planted, {'asks what it must' if exact else 'ASKS OTHERWISE'}",
        flush=True,
    )
    return all([exact, in_time(estate, ours, floors), in_memory(ours)])


def in_time(estate: Catalog, ours: Sequence[Ran], floors: Sequence[Ran]) -> bool:
    seconds, why = bound(estate)
    middle: Callable[[Sequence[Ran], str], float] = lambda ran, name: statistics.median(e.told[name] for e in ran)  # noqa: E731
    taken, fetched = middle(ours, "seconds"), middle(floors, "seconds")
    ratio = taken / max(seconds, fetched)
    each_run = ", ".join(f"{one.told['seconds']:.2f}" for one in ours)
    print(
        f"  {taken:.2f} s ({each_run}; {middle(ours, 'busy'):.2f} s busy, {middle(ours, 'collected'):.2f} s of it "
        f"collecting garbage), bound {seconds:.2f} s ({why}), ratio "
        f"{taken / seconds:.2f}; fetched and parsed alone {fetched:.2f} s ({middle(floors, 'busy'):.2f} s busy); ratio "
        f"to the larger {ratio:.2f}, {verdict(held := ratio <= TIME_LIMIT)} {TIME_LIMIT:g}",
        flush=True,
    )
    return held


def in_memory(ours: Sequence[Ran]) -> bool:
    peak = max(each.peak for each in ours)
    print(f"  peak {peak} MB resident, {verdict(held := peak < MEMORY_LIMIT)} {MEMORY_LIMIT}", flush=True)
    return held


if __name__ == "__main__":
    calls: dict[str, Callable[..., dict[str, Any]]] = {each.__name__: each for each in (audit_once, fetch_once)}
    print(json.dumps(calls[sys.argv[1]](*sys.argv[2:])))
