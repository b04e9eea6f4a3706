"""Measurements of an audit at full depth, against Azure Resource Manager on loopback (loopback_depth.py)."""

from __future__ import annotations

import collections
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from bench_live import MESH, ROOT, Credential, Server, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

LATENCY = 50  # milliseconds
TIME_LIMIT, MEMORY_LIMIT = 1.3, 400
AT_ONCE = 16  # requests that one connection has under way at most
BATCH = 20
TOKENS, REFILL = 250, 25
KEY = re.compile(r'https://([^./"]+)\.vault\.azure\.net/keys/([^/"]+)')
PARTNERS = {  # where a partner stands; what is told of a namespace's is that it is not in the inventory
    "microsoft.sql/servers/failovergroups",
    "microsoft.sql/servers/databases/replicationlinks",
    "microsoft.eventhub/namespaces/disasterrecoveryconfigs",
    "microsoft.servicebus/namespaces/disasterrecoveryconfigs",
}
SUBSCRIPTION = "microsoft.resources/subscriptions"


class DeepServer(Server):
    """The children, too, from entering to leaving."""

    def __init__(self, *, batch: bool = True, **sizes: int) -> None:
        super().__init__(0)
        self._command = [sys.executable, str(ROOT / "scripts" / "loopback_depth.py"), "--latency", str(LATENCY)]
        self._command += [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
        self._command += [] if batch else ["--no-batch"]

    def __enter__(self) -> Self:
        super().__enter__()
        self.resources = self.counts()["estate"]
        return self


def needs(**sizes: int) -> tuple[collections.Counter[str], collections.Counter[str]]:
    """The reads that the fact tables ask for: by their kind, and by subscription."""
    from loopback_depth import ACCOUNTS, NAMESPACES, REGIONS, SERVERS, SUBSCRIPTIONS, VAULT, DeepEstate  # noqa: PLC0415

    from sovereignmesh.facts import child_reads  # noqa: PLC0415

    whole = {"servers": SERVERS, "accounts": ACCOUNTS, "namespaces": NAMESPACES, "subscriptions": SUBSCRIPTIONS}
    estate = DeepEstate(**{**whole, **sizes})
    reads = child_reads()
    kinds: collections.Counter[str] = collections.Counter()
    calls: collections.Counter[str] = collections.Counter()
    keys = {found for row in estate.rows.values() for found in referred(row)}
    for each in estate.subscriptions.values():
        rows = list(each.every())
        for row in rows:
            for read in reads.get(row["type"], ()):
                count = int(not any(case.holds(row) for case in read.unless))
                if row["type"] == VAULT and "{key}" in read.path:
                    count = sum(vault == row["name"] for vault, _ in keys)
                kinds[f"{read.parent}: {read.path.lower()}"] += count
                calls[each.id] += count
        for read in reads.get(SUBSCRIPTION, ()):
            count = len(REGIONS) if "{location}" in read.path else 1
            kinds[f"{read.parent}: {read.path.lower()}"] += count
            calls[each.id] += count
        kinds[f"{SUBSCRIPTION}: providers/microsoft.sql"] += 1  # in which regions it has such lists
        calls[each.id] += 1
    return +kinds, calls


def referred(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The vault and the name of every key that a body refers to."""
    yield from KEY.findall(json.dumps(row["properties"]))
    encryption = row["properties"].get("encryption") or {}
    several = encryption.get("keyVaultProperties") or encryption.get("keyvaultproperties") or []
    for each in several if isinstance(several, list) else [several]:
        uri = each.get("keyVaultUri") or each.get("keyvaulturi") or ""
        name = each.get("keyName") or each.get("keyname")
        if uri and name:
            yield uri.split("/")[2].split(".")[0], name


class Ran(NamedTuple):
    seconds: float  # of the call
    busy: float  # on a processor, of the whole process
    peak: int  # MB resident, of the whole process
    findings: list[dict[str, str]]


def audit_deep(server: Server) -> Ran:
    """The call, in a process of its own that has imported everything."""
    words = [sys.executable, str(Path(__file__)), server.url]
    with tempfile.TemporaryFile() as told:
        with subprocess.Popen(words, stdout=told, env=server.environment) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert not process.returncode, f"the audit ended {process.returncode}"
        told.seek(0)
        found = json.load(told)
    return Ran(found["seconds"], usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, found["findings"])


def call(url: str) -> None:
    """Audits what is at the address, and prints how long that took and what was found."""
    import sovereignmesh.audit.live  # noqa: PLC0415 - imported on first use, else
    from sovereignmesh.azure import Cloud, connect  # noqa: PLC0415
    from sovereignmesh.mesh import load_mesh  # noqa: PLC0415

    mesh = load_mesh(MESH)
    cloud = Cloud(name="bench", resource_manager=url, audience=url, authority=url)
    started = time.perf_counter()
    with connect(credential=Credential(), cloud=cloud) as azure:
        audit = sovereignmesh.audit.live.audit_azure(azure, mesh, depth="full")
    taken = time.perf_counter() - started
    assert not audit.coverage.gaps, audit.coverage.gaps[:3]
    findings = [{"check": each.check, "resource_type": each.resource_type} for each in audit.findings]
    print(json.dumps({"seconds": taken, "findings": findings}))


def bound(calls: collections.Counter[str], *, batch: bool) -> tuple[float, str]:
    """The seconds that it lasts at least, and what makes it so."""
    most = max(calls.values()) + 1  # the permissions
    buckets = (most - TOKENS) / REFILL
    requests = sum(math.ceil(count / BATCH) if batch else count for count in calls.values())
    latency = requests * LATENCY / 1000 / AT_ONCE
    return (buckets, "buckets") if buckets > latency else (latency, "parallel calls")


def deep(name: str, *, batch: bool = True, **sizes: int) -> bool:
    wanted, calls = needs(**sizes)
    least, why = bound(calls, batch=batch)
    with DeepServer(batch=batch, **sizes) as server:
        ran = audit_deep(server)
        counts = server.counts()
    done = {kind.removeprefix("child "): count for kind, count in counts.items() if kind.startswith("child ")}
    refused = {kind.removeprefix("refused "): count for kind, count in counts.items() if kind.startswith("refused ")}
    refused["graph"] = counts.get("throttled", 0)
    for kind in sorted({*wanted, *done}):
        mark = "" if wanted[kind] == done.get(kind, 0) else "  <- differs"
        print(f"  {done.get(kind, 0):6,} of {wanted[kind]:6,}  {kind}{mark}", flush=True)
    planted = counts["abroad"]
    abroad = sum(
        finding["check"] == "replica-region" and finding["resource_type"].lower() in PARTNERS
        for finding in ran.findings
    )
    ratio = ran.seconds / least
    total = sum(refused.values())
    exact = wanted == collections.Counter(done) and not counts.get("unknown") and not counts.get("rejected")
    held = ratio <= TIME_LIMIT and ran.peak <= MEMORY_LIMIT and not total and exact and abroad == planted
    print(
        f"{name}: {ran.seconds:.1f} s ({ran.busy:.1f} s busy), bound {least:.1f} s ({why}), ratio {ratio:.2f}, "
        f"{sum(done.values()):,} reads of {sum(wanted.values()):,} in {counts.get('batches', 0):,} batches, {total} "
        f"refused, peak {ran.peak} MB, {abroad} of {planted} partners abroad found, {verdict(held)} {TIME_LIMIT:g}, 0 "
        f"and {MEMORY_LIMIT} MB",
        flush=True,
    )
    if total:
        print(f"  refused: {', '.join(f'{kind} {count}' for kind, count in refused.items() if count)}", flush=True)
    return held


def audit_depth(*, quick: bool) -> bool:
    held = [deep("full depth, 2,000 SQL servers, 2,000 storage accounts, 500 namespaces, 50 subscriptions, 50 ms")]
    if not quick:
        held.append(deep("a fifth of it without batches", batch=False, servers=400, accounts=400, namespaces=100))
    return all(held)


if __name__ == "__main__":
    call(sys.argv[1])
