"""Measurements of planning and applying what a Purview account is to hold, against one on loopback."""

from __future__ import annotations

import gc
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import loopback_purview as served
from bench_live import ROOT, Credential, Server, verdict
from loopback_purview import HOST, NAME, SCANS, SUBSCRIPTIONS, Estate
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

LATENCY = 50  # milliseconds
AT_ONCE = 10  # requests to an account that are under way at most
OPERATIONS = 250  # a second, that an account takes
APPLY_LIMIT, LOCAL_LIMIT, MEMORY_LIMIT = 1.3, 2.0, 200
REPEATED = "repeated"


class AccountServer(Server):
    """A Purview account and the resources around it, from entering to leaving."""

    def __init__(self, sources: int, *, registered: bool) -> None:
        super().__init__(sources)
        self._command = [sys.executable, str(ROOT / "scripts" / "loopback_purview.py"), "--latency", str(LATENCY)]
        self._command += ["--sources", str(sources), *(() if registered else ("--unregistered",))]


# The wish


def write_mesh(folder: Path, estate: Estate) -> None:
    """A mesh of all that the estate has, and of all that it might have."""
    policy = ["governancePolicies:", "  dataResidency: {enforced: true, region: EU, allowedRegions: [westeurope]}"]
    if estate.registered:
        policy += ["  dataClassification:", "    autoClassify: true", "    rules:"]
        policy += [
            f'      - {{pattern: "{served.pattern(number)}", classification: {estate.classification(number)}}}'
            for number in range(estate.rules)
        ]
    (folder / "policy.yaml").write_text("\n".join([*policy, ""]))
    (folder / "purview.yaml").write_text("\n".join([*purview_lines(estate), ""]))


def purview_lines(estate: Estate) -> Iterator[str]:
    yield from ("purview:", f"  account: {NAME}", "  collections:")
    roles = f", roles: {{dataReaders: [{served.READER}]}}" if estate.registered else ""
    for number in range(estate.collections):
        yield f"    - {{name: {estate.collection(number)}, friendlyName: {served.title(number)}{roles}}}"
    if estate.registered:
        yield f"  keyVaults: [{{name: {served.VAULT}, baseUrl: '{served.vault_url()}'}}]"
        told = f"name: {served.CREDENTIAL}, kind: SqlAuth, user: purview, secret: password, keyVault: {served.VAULT}"
        yield f"  credentials: [{{{told}}}]"
    yield "  sources:"
    for number in range(estate.sources):
        yield f"    - name: {estate.name(number)}"
        yield f"      resource: {estate.resource(number)}"
        yield f"      collection: {estate.collection(number)}"
        if estate.registered:
            yield "      scans:"
            yield from (line for scan in range(SCANS) for line in scan_lines(estate, number, scan))


def scan_lines(estate: Estate, number: int, scan: int) -> Iterator[str]:
    yield f"        - name: scan-{scan}"
    if not estate.is_lake(number):
        yield f"          database: db-{scan}"
        if scan:
            yield f"          credential: {served.CREDENTIAL}"
    if estate.trigger(number, scan):
        yield f"          trigger: {{recurrence: {json.dumps(estate.recurrence)}}}"
    if estate.filter(number, scan):
        yield f"          filter: {{include: ['{served.prefix(estate.name(number))}']}}"


# What has to be asked


def least(estate: Estate) -> dict[str, int]:
    """The requests that planning takes at least: by what they read."""
    lists = {path.removeprefix("/"): pages(len(items), served.PAGE) for path, items in estate.lists().items()}
    needed = {
        "subscriptions": 1,
        "accounts of a subscription": len(SUBSCRIPTIONS),  # the mesh names the account, and no more
        "Resource Graph: resources": pages(estate.sources, served.GRAPH_PAGE),
        "Resource Graph: groups and subscriptions": pages(len(SUBSCRIPTIONS) * (served.GROUPS + 1), served.GRAPH_PAGE),
        "collections": lists["collections"],
        "scan/datasources": lists["scan/datasources"],
    }
    if estate.registered:
        needed |= lists | {
            "datamap/api/atlas/v2/types/typedefs": 1,
            "scan/systemScanRulesets/datasources/{}": 1,  # of lakes: which file extensions there are
            "scan/datasources/{}/scans": estate.sources,
            "scan/datasources/{}/scans/{}/triggers/default": estate.triggers,
            "scan/datasources/{}/scans/{}/filters/custom": estate.filters,
        }
    return needed


def pages(items: int, size: int) -> int:
    return max(1, math.ceil(items / size))


def bound(requests: int) -> tuple[float, str]:
    """The seconds that so many requests to an account take at least, and what makes it so."""
    latency, capacity = requests * LATENCY / 1000 / AT_ONCE, requests / OPERATIONS
    return (capacity, "capacity") if capacity > latency else (latency, "parallel calls")


def by_operation(counts: dict[str, int]) -> dict[str, int]:
    """The reads alone, by what they read."""
    found = (kind.partition(" ") for kind in counts)
    return {what: counts[f"{method} {what}"] for method, _, what in found if method == "GET" or "Graph" in what}


def writes_in(counts: dict[str, int]) -> dict[str, int]:
    words = ("PUT", "POST", "PATCH", "DELETE")
    return {kind: count for kind, count in counts.items() if kind.startswith(words) and "Graph" not in kind}


def show(done: dict[str, int], wanted: dict[str, int]) -> None:
    for kind in sorted({*done, *wanted}):
        mark = "" if wanted.get(kind, 0) == done.get(kind, 0) else "  <- differs"
        print(f"  {done.get(kind, 0):6,} of {wanted.get(kind, 0):6,}  {kind}{mark}", flush=True)


# The calls, each in a process of its own that has imported everything


class Ran(NamedTuple):
    told: dict[str, Any]
    busy: float  # seconds on a processor, of the whole process
    peak: int  # MB resident, of the whole process


def run(part: str, *more: str, script: str = __file__) -> Ran:
    words = [sys.executable, script, part, *more]
    with tempfile.TemporaryFile() as told:
        with subprocess.Popen(words, stdout=told) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert not process.returncode, f"{part} ended {process.returncode}"
        told.seek(0)
        return Ran(json.load(told), usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


class Detour(HTTPAdapter):
    """Takes the requests for every host to one address; the host stands in the header."""

    def __init__(self, address: str) -> None:
        super().__init__(pool_connections=1, pool_maxsize=16, max_retries=0)
        self._address = address

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        request.headers["Host"] = url.netloc
        request.url = url._replace(netloc=self._address).geturl()
        return super().send(request, *arguments, **options)


def session_to(address: str, certificate: str) -> requests.Session:
    import requests  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False
    session.verify = certificate
    session.mount("https://", Detour(address))
    return session


def plan_once(folder: str, address: str, certificate: str) -> dict[str, Any]:
    """Plans once, and says how long that took."""
    from sovereignmesh.azure import connect  # noqa: PLC0415 - imported on first use, else
    from sovereignmesh.mesh import load_mesh  # noqa: PLC0415
    from sovereignmesh.purview import plan_purview  # noqa: PLC0415

    mesh = load_mesh(folder)
    with connect(credential=Credential(), session=session_to(address, certificate)) as azure:
        started, busy = time.perf_counter(), time.process_time()
        plan = plan_purview(azure, mesh)
        taken = time.perf_counter() - started
        busy = time.process_time() - busy
    assert plan.complete, plan.unread[:3]
    assert not plan.errors, plan.errors[:3]
    return {"seconds": taken, "busy": busy, "changes": len(plan.changes), "unchanged": plan.unchanged}


def apply_once(folder: str, address: str, certificate: str) -> dict[str, Any]:
    """Plans, applies and waits until it shows; and plans again."""
    from sovereignmesh.azure import connect  # noqa: PLC0415
    from sovereignmesh.mesh import load_mesh  # noqa: PLC0415
    from sovereignmesh.purview import apply_purview, plan_purview  # noqa: PLC0415

    mesh = load_mesh(folder)
    session = session_to(address, certificate)

    def counts() -> dict[str, int]:
        counted: dict[str, int] = session.get(f"https://{HOST}/_counts", timeout=60).json()
        return counted

    with connect(credential=Credential(), session=session) as azure:
        plan = plan_purview(azure, mesh)
        assert plan.complete, plan.unread[:3]
        assert not plan.errors, plan.errors[:3]
        planned = counts()
        told: list[float] = []

        def tell(_: object) -> None:
            told.append(time.perf_counter())
            if len(told) == len(plan.changes):
                told.append(time.process_time())

        started, busy = time.perf_counter(), time.process_time()
        outcomes = apply_purview(plan, expect=plan.digest, on_outcome=tell)
        ended = time.perf_counter()
        states = [outcome.state for outcome in outcomes]
        written, busy = told[len(plan.changes) - 1], told[len(plan.changes)] - busy
        taken, waited = written - started, ended - written
        applied = counts()
        again = plan_purview(azure, mesh)
    return {
        "seconds": taken, "busy": busy, "waited": waited, "changes": len(plan.changes), "states": sorted(set(states)),
        "left": len(again.changes), "planned": planned, "applied": applied,
    }  # fmt: skip


# A plan without a network


class Kept:
    """Objects of one kind, as JSON that is parsed when it is asked for."""

    def __init__(self, texts: dict[tuple[str, ...], list[bytes]]) -> None:
        """`texts` are lists by the names of what they lie in, or single objects by their own."""
        self._texts = texts

    def bodies(self, *names: str) -> Iterator[Any]:
        return (facts(text) for text in self._texts[names])

    def body(self, *names: str) -> Any:
        return facts(self._texts[names][0])


def facts(text: bytes) -> Any:
    import orjson  # noqa: PLC0415 - imported on first use, else

    from sovereignmesh.azure.sdk import Facts  # noqa: PLC0415

    return Facts(orjson.loads(text), "")


def in_memory(estate: Estate, azure: Any, *, there: bool) -> Any:
    """An account that gives at once what it has: all of the estate, or nothing."""
    from sovereignmesh.azure.purview import MetadataPolicy, PurviewAccount, Ruleset  # noqa: PLC0415

    filled = estate if there else Estate(0, collections=0, registered=False)
    lists = {path: Kept({(): texts}) for path, texts in filled.lists().items()}
    types = filled.types()
    scans = {(filled.name(number),): filled.scans_of(number) for number in range(filled.sources)}
    named = [(filled.name(number), f"scan-{scan}") for number in range(filled.sources) for scan in range(SCANS)]
    return SimpleNamespace(
        azure=azure,
        account=PurviewAccount(estate.account["id"], NAME, served.REGION, f"https://{HOST}", f"https://{HOST}/scan"),
        collections=lists["/collections"],
        key_vaults=lists["/scan/azureKeyVaults"],
        credentials=lists["/scan/credentials"],
        classification_rules=lists["/scan/classificationrules"],
        rulesets=lists["/scan/scanrulesets"],
        sources=lists["/scan/datasources"],
        scans=Kept(scans),
        triggers=Kept({names: served.packed([filled.trigger_of(*names)]) for names in named}),
        filters=Kept({names: served.packed([filled.filter_of(*names)]) for names in named}),
        policies=SimpleNamespace(
            list=lambda: map(MetadataPolicy.of, lists["/policyStore/metadataPolicies"].bodies()),
        ),
        classifications=SimpleNamespace(bodies=lambda: facts(types).each("classificationDefs")),
        system_rulesets=SimpleNamespace(
            get=lambda kind: Ruleset.of(facts(*served.packed([estate.system_ruleset(kind)])))
        ),
    )


def resources_of(estate: Estate) -> Callable[..., Any]:
    """What reads the resources, as Resource Graph gives them."""
    from sovereignmesh.purview.resources import Resources  # noqa: PLC0415

    rows, containers = estate.rows, estate.containers

    def read(*_: object) -> Resources:
        found, groups = ([facts(text).body for text in texts] for texts in (rows, containers))
        return Resources(
            {row["id"].lower(): row for row in found},
            {row["id"].lower(): row["tags"] for row in groups},
            {each: each for each in SUBSCRIPTIONS},
        )

    return read


class Collecting:
    """How long a processor was busy collecting garbage: that grows with all that is held, the mesh's YAML too."""

    def __init__(self) -> None:
        self._seconds = self._started = 0.0
        gc.callbacks.append(self._tell)

    def _tell(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._started = time.thread_time()
        else:
            self._seconds += time.thread_time() - self._started

    def end(self) -> float:
        gc.callbacks.remove(self._tell)
        return self._seconds


def plan_in_memory(folder: str, words: str) -> dict[str, Any]:
    """Plans with an account in memory, and says how long a processor was busy with it.

    In that is all that `plan_purview` does once the answers are there: parsing their JSON, making the wish of the
    mesh's models and checking it, ten threads, comparing and ordering. HTTP and the SDK are not, nor is the YAML.
    """
    from sovereignmesh.azure import connect  # noqa: PLC0415
    from sovereignmesh.mesh import load_mesh  # noqa: PLC0415
    from sovereignmesh.plan import plan_lines  # noqa: PLC0415
    from sovereignmesh.purview import plan_purview, planning  # noqa: PLC0415

    told = json.loads(words)
    estate = Estate(**told["estate"])
    started = time.process_time()
    mesh = load_mesh(folder)
    loading = time.process_time() - started
    azure = connect(credential=Credential())
    account, read = in_memory(estate, azure, there=told["there"]), resources_of(estate)
    with (
        mock.patch.object(planning, "connect_purview", return_value=account),
        mock.patch.object(planning, "read_resources", read),
    ):
        collecting = Collecting()
        clock, started = time.perf_counter(), time.process_time()
        plan = plan_purview(azure, mesh, account.account)
        busy, seconds = time.process_time() - started, time.perf_counter() - clock
        collected = collecting.end()
    started = time.process_time()
    lines = len(list(plan_lines(plan)))
    showing = time.process_time() - started
    assert plan.complete, plan.unread[:3]
    assert not plan.errors, plan.errors[:3]
    return {
        "loading": loading, "busy": busy, "collected": collected, "seconds": seconds, "showing": showing,
        "lines": lines, "changes": len(plan.changes), "unchanged": plan.unchanged,
    }  # fmt: skip


# What is measured


def planned(sources: int) -> bool:
    """Everything is there: what is asked for, and how long that takes."""
    estate = Estate(sources)
    with AccountServer(sources, registered=True) as server, tempfile.TemporaryDirectory() as folder:
        write_mesh(Path(folder), estate)
        ran = run("plan_once", folder, urlsplit(server.url).netloc, str(server.certificate))
        counts = server.counts()
    wanted, done = least(estate), by_operation(counts)
    show(done, wanted)
    reads, needed, told = sum(done.values()), sum(wanted.values()), ran.told
    seconds, why = bound(needed)
    other = sum(writes_in(counts).values()) + counts.get("rejected", 0)
    held = done == wanted and not counts[REPEATED] and not other and not told["changes"]
    print(
        f"plan of {sources:,} sources and {estate.scans:,} scans, {LATENCY} ms: reads {reads:,} of {needed:,}, "
        f"{counts[REPEATED]} repeated, {told['changes']} changes of {estate.objects:,}, {told['seconds']:.1f} s "
        f"({told['busy']:.1f} s busy), bound {seconds:.1f} s ({why}), ratio {told['seconds'] / seconds:.2f}, peak "
        f"{ran.peak} MB, {'reads what it must' if held else 'READS OTHERWISE'}",
        flush=True,
    )
    return held


def applied(sources: int) -> bool:
    """New sources: one write for each, as fast as the account takes them."""
    estate = Estate(sources, registered=False)
    with AccountServer(sources, registered=False) as server, tempfile.TemporaryDirectory() as folder:
        write_mesh(Path(folder), estate)
        ran = run("apply_once", folder, urlsplit(server.url).netloc, str(server.certificate))
    told = ran.told
    before, after = told["planned"], told["applied"]
    writes = writes_in(after)
    wanted = least(estate)
    reads = {kind: count - by_operation(before).get(kind, 0) for kind, count in by_operation(after).items()}
    show(by_operation(before), wanted)
    print("  reads until all shows: " + ", ".join(f"{count} {kind}" for kind, count in reads.items() if count))
    seconds, why = bound(sources)
    ratio = told["seconds"] / seconds
    exact = writes == {"PUT scan/datasources/{}": sources} and told["states"] == ["done"] and not told["left"]
    exact = exact and told["changes"] == sources and not after.get("rejected")
    held = exact and ratio <= APPLY_LIMIT
    print(
        f"apply of {sources:,} new sources, {LATENCY} ms: {sum(writes.values()):,} writes of {told['changes']:,} "
        f"changes, {told['seconds']:.1f} s ({told['busy']:.1f} s busy), bound {seconds:.1f} s ({why}), "
        f"ratio {ratio:.2f}, {verdict(held)} {APPLY_LIMIT:g}; {sum(by_operation(before).values())} reads of "
        f"{sum(wanted.values())} to plan, {sum(reads.values())} in {told['waited']:.1f} s until lists show it (they "
        f"lag {served.LAG:g} s), {told['left']} changes then, peak {ran.peak} MB",
        flush=True,
    )
    return held


def locally(sources: int, *, collections: int, rules: int, there: bool, runs: int) -> bool:
    """The plan's own work."""
    sizes = {"sources": sources, "collections": collections, "rules": rules}
    estate = Estate(**sizes)
    with tempfile.TemporaryDirectory() as folder:
        write_mesh(Path(folder), estate)
        words = json.dumps({"estate": sizes, "there": there})
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
        ran = [run("plan_in_memory", folder, words) for _ in range(runs)]
    told = [each.told for each in ran]
    middle: Callable[[str], float] = lambda name: statistics.median(each[name] for each in told)  # noqa: E731
    peak = max(each.peak for each in ran)
    objects = estate.objects
    unchanged, changes = {each["unchanged"] for each in told}, {each["changes"] for each in told}
    exact = (unchanged, changes) == (({objects}, {0}) if there else ({0}, {objects}))
    each_run = ", ".join(f"{one['busy']:.2f}" for one in told)
    held = middle("busy") <= LOCAL_LIMIT and peak <= MEMORY_LIMIT and exact
    print(
        f"plan of {objects:,} objects {'as wished' if there else 'to create'}, in memory: {middle('busy'):.2f} s "
        f"busy ({each_run}; {middle('collected'):.2f} s of it collecting garbage; "
        f"{middle('seconds'):.2f} s on the clock), peak {peak} MB, {verdict(held)} {LOCAL_LIMIT:g} s and "
        f"{MEMORY_LIMIT} MB; besides it {middle('loading'):.2f} s to load {size:.1f} MB of YAML, "
        f"{middle('showing'):.2f} s for {told[0]['lines']:,} lines and the digest",
        flush=True,
    )
    return held


def purview(*, quick: bool) -> bool:
    part = 10 if quick else 1
    large = {"sources": 3_000 // part, "collections": 200 // part, "rules": 73 // part}
    held = [planned(2_000 // part), applied(1_000 // part)]
    held += [locally(**large, there=there, runs=3) for there in (True, False)]
    return all(held)


if __name__ == "__main__":
    calls: dict[str, Callable[..., dict[str, Any]]] = {
        each.__name__: each for each in (plan_once, apply_once, plan_in_memory)
    }
    print(json.dumps(calls[sys.argv[1]](*sys.argv[2:])))
