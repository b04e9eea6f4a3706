"""Measurements of the audit of a live Azure at the depth of its inventory, against a loopback server (loopback.py)."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
MESH = ROOT / "fixtures" / "mesh" / "contoso"
COMMAND = str(Path(sys.executable).with_name("sovereignmesh"))
QUERY = (
    "resources | project id, name, type, kind, location, sku, tags, managedBy, apiVersion, properties | order by id asc"
)
GRAPH = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
PAGE, QUERIES, WINDOW = 1000, 15, 5
FLOOR_LIMIT, COMMAND_LIMIT, QUOTA_LIMIT, MEMORY_LIMIT = 1.5, 3.0, 1.1, 300
PEER_LIMIT = 600  # seconds that a peer may take
WHO = {
    "AZURE_TENANT_ID": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
    "AZURE_CLIENT_ID": "cccccccc-cccc-cccc-cccc-cccccccccccc",
    "AZURE_CLIENT_SECRET": "made-up",
}


class Server:
    """Azure Resource Manager in a process of its own, from entering to leaving."""

    def __init__(
        self,
        resources: int,
        subscriptions: int = 50,
        *,
        latency: float = 0,
        quota: bool = False,
        copied: str = "",
    ) -> None:
        self.resources = resources
        command = [sys.executable, str(ROOT / "scripts" / "loopback.py"), "--resources", str(resources)]
        command += ["--subscriptions", str(subscriptions), "--latency", str(latency), "--copied", copied]
        self._command = [*command, "--quota"] if quota else command
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as closing:
            self.folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
            process = closing.enter_context(
                subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True),
            )
            closing.callback(process.terminate)
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline() or "{}")
            if not ready:
                raise RuntimeError("the loopback server did not start")
            self.port: int = ready["port"]
            self.url = f"https://127.0.0.1:{self.port}"
            self.certificate = self.folder / "loopback.crt"
            self.certificate.write_text(ready["certificate"])
            self.cloud = self.folder / "cloud.yaml"
            names = ("resource_manager", "audience", "authority")
            self.cloud.write_text("\n".join(["name: bench", *(f"{name}: {self.url}" for name in names), ""]))
            self.counts()
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def environment(self) -> dict[str, str]:
        """Of a command that signs in here, and nowhere else."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "ARM_"))}
        return {**kept, **WHO, "REQUESTS_CA_BUNDLE": str(self.certificate)}

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.certificate)
        session.headers["Authorization"] = "Bearer bench"
        return session

    def counts(self) -> dict[str, int]:
        """How many calls of each kind were answered so far, and how many were refused for the quota."""
        with self.session() as session:
            counted: dict[str, int] = session.get(self.url + "/_counts", timeout=60).json()
        return counted

    def last_query(self) -> str:
        """The last query that listed resources: the floor asks what the product asked."""
        with self.session() as session:
            asked: str = session.get(self.url + "/_query", timeout=60).json()
        return asked

    def subscriptions(self) -> list[str]:
        with self.session() as session:
            answer = session.get(self.url + "/subscriptions?api-version=2022-12-01", timeout=60)
        answer.raise_for_status()
        return [each["subscriptionId"] for each in answer.json()["value"]]


def pages(server: Server, subscriptions: Sequence[str], query: str) -> Iterator[dict[str, Any]]:
    """The pages of one query, one after the other, each read as JSON."""
    options: dict[str, Any] = {"$top": PAGE, "resultFormat": "objectArray"}
    with server.session() as session:
        while True:
            body = {"subscriptions": list(subscriptions), "query": query, "options": options}
            answer = session.post(server.url + GRAPH, json=body, timeout=60)
            answer.raise_for_status()
            page = json.loads(answer.content)
            yield page
            if "$skipToken" not in page:
                return
            options = {**options, "$skipToken": page["$skipToken"]}


def raw_client(server: Server, subscriptions: Sequence[str], query: str = QUERY, *, parallel: int = 1) -> float:
    """The floor: the seconds that fetching and reading every page takes. In parallel, each has its subscriptions."""

    def rows(share: Sequence[str]) -> int:
        return sum(len(page["data"]) for page in pages(server, share, query))

    shares = [subscriptions[number::parallel] for number in range(min(parallel, len(subscriptions)))]
    started = time.perf_counter()
    if len(shares) == 1:
        read = rows(shares[0])
    else:
        with ThreadPoolExecutor(len(shares)) as pool:
            read = sum(pool.map(rows, shares))
    taken = time.perf_counter() - started
    assert read == server.resources, f"{read:,} rows of {server.resources:,}"
    return taken


class Credential:
    """A token that is there: signing in is part of the whole command, not of the ratio."""

    @staticmethod
    def get_token(*_scopes: str, **_options: Any) -> Any:
        from azure.core.credentials import AccessToken  # noqa: PLC0415 - slow to import

        return AccessToken("bench", int(time.time()) + 3600)


@contextlib.contextmanager
def trusted(certificate: Path) -> Iterator[None]:
    """The SDK takes the certificate from the environment of the process."""
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
    try:
        yield
    finally:
        if before is None:
            del os.environ["REQUESTS_CA_BUNDLE"]
        else:
            os.environ["REQUESTS_CA_BUNDLE"] = before


class Ran(NamedTuple):
    seconds: float
    peak: int  # MB resident


def command(server: Server) -> Ran:
    """The whole command, with sign-in."""
    words = [COMMAND, "audit", str(MESH), "--depth", "inventory", "--cloud", str(server.cloud), "--format", "json"]
    before = server.counts().get("rows", 0)
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said, env=server.environment) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        taken = time.perf_counter() - started
        said.seek(0)
        assert process.returncode in (0, 3), f"the audit ended {process.returncode}: {said.read().decode()[-2000:]}"
    counts = server.counts()
    assert not counts.get("rejected"), "the loopback server does not know a query"
    read = counts.get("rows", 0) - before
    assert read >= server.resources, f"the audit asked for {read:,} rows of {server.resources:,}"
    return Ran(taken, usage.ru_maxrss // 1024)


def product(server: Server) -> float:
    """The seconds of the call, in a process that has imported everything."""
    from sovereignmesh import audit_azure, load_mesh  # noqa: PLC0415 - the other measurements do without
    from sovereignmesh.azure import Cloud, connect  # noqa: PLC0415

    mesh = load_mesh(MESH)
    cloud = Cloud(name="bench", resource_manager=server.url, audience=server.url, authority=server.url)
    started = time.perf_counter()
    with connect(credential=Credential(), cloud=cloud) as azure:
        found = audit_azure(azure, mesh, depth="inventory")
    taken = time.perf_counter() - started
    assert found.coverage.resources >= server.resources, f"{found.coverage.resources:,} resources"
    assert not found.coverage.gaps, found.coverage.gaps[:3]
    return taken


def against_the_floor(server: Server, name: str, runs: int) -> bool:
    """The call and the floor in turn."""
    subscriptions = server.subscriptions()
    with trusted(server.certificate):
        product(server)  # what is imported on first use
        query = server.last_query()
        raw_client(server, subscriptions, query)
        pairs = [(product(server), raw_client(server, subscriptions, query)) for _ in range(runs)]
        spread = statistics.median(raw_client(server, subscriptions, query, parallel=4) for _ in range(runs))
    assert not server.counts().get("rejected"), "the loopback server does not know a query"
    middle = statistics.median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"{name}: {mine:.2f} s, floor {theirs:.2f} s (four at once {spread:.2f} s), ratio {middle:.2f}, "
        f"{verdict(held := middle <= FLOOR_LIMIT)} {FLOOR_LIMIT:g}",
        flush=True,
    )
    return held


def verdict(held: bool) -> str:
    return "within" if held else "OVER"


def whole_command(server: Server, name: str, runs: int) -> bool:
    taken = statistics.median(command(server).seconds for _ in range(runs))
    held = taken <= COMMAND_LIMIT
    print(f"{name}, whole command: {taken:.2f} s, {verdict(held)} {COMMAND_LIMIT:g} s", flush=True)
    return held


def under_quota(resources: int, latency: float) -> bool:
    """The least that the quota allows, and no call refused."""
    bound = (math.ceil(resources / PAGE) - 1) // QUERIES * WINDOW
    with Server(resources, latency=latency, quota=True) as server:
        with trusted(server.certificate):
            taken = product(server)
        counts = server.counts()
    refused = counts.get("throttled", 0)
    queries = sum(counts.get(kind, 0) for kind in ("resources", "containers", "summaries"))
    held = taken <= QUOTA_LIMIT * bound and not refused
    print(
        f"{resources:,} resources at {latency:g} ms under the quota: {taken:.1f} s, bound {bound} s, ratio "
        f"{taken / bound:.2f}, {queries} queries, {refused} refused, {verdict(held)} {QUOTA_LIMIT:g} and 0",
        flush=True,
    )
    return held


def memory(resources: int) -> bool:
    with Server(resources) as server:
        taken, peak = command(server)
    held = peak < MEMORY_LIMIT
    print(
        f"audit of a live Azure: {resources:,} resources, peak {peak} MB resident, {verdict(held)} {MEMORY_LIMIT} "
        f"({taken:.0f} s)",
        flush=True,
    )
    return held


# Cloud Custodian knows four clouds by name and takes no address: its own table of addresses is told another one, and
# nothing else of it is changed.
CUSTODIAN = """
import sys
from msrestazure.azure_cloud import AZURE_PUBLIC_CLOUD
AZURE_PUBLIC_CLOUD.endpoints.resource_manager = sys.argv.pop(1)
from c7n.cli import main
main()
"""
POLICY = """
policies:
  - name: keys
    resource: azure.storage
    filters: [{type: value, key: properties.encryption.keySource, op: ne, value: Microsoft.Keyvault}]
"""


def custodian() -> Path:
    """Its Python, in an environment of its own that is made once."""
    folder = Path(tempfile.gettempdir()) / "sovereignmesh-bench-peers" / "c7n"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=PEER_LIMIT)
        install = [str(python), "-m", "pip", "install", "--quiet", "c7n", "c7n-azure"]
        subprocess.run(install, check=True, timeout=PEER_LIMIT, stderr=subprocess.DEVNULL)
        ready.touch()
    return python


def cloud_custodian() -> None:
    """One policy on the storage accounts of one subscription, which are nearly all there is; the product judges all."""
    name = "Cloud Custodian, one policy, 10,000 resources, 1 subscription, 50 ms"
    try:
        python = custodian()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{name}: skipped, it could not be installed: {error}", flush=True)
        return
    with Server(10_000, 1, latency=50, copied="microsoft.storage/storageaccounts") as server:
        policy = server.folder / "policy.yaml"
        policy.write_text(POLICY)
        output = server.folder / "output"
        words = [str(python), "-c", CUSTODIAN, server.url + "/", "run", "--output-dir", str(output), str(policy)]
        words += ["--cache-period", "0"]
        environment = {
            **server.environment,
            "AZURE_ACCESS_TOKEN": "bench",
            "AZURE_SUBSCRIPTION_ID": server.subscriptions()[0],
        }
        started = time.perf_counter()
        try:
            done = subprocess.run(
                words, env=environment, capture_output=True, text=True, timeout=PEER_LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            print(f"{name}: skipped, more than {PEER_LIMIT} s", flush=True)
            return
        taken = time.perf_counter() - started
        if done.returncode:
            print(f"{name}: skipped, it ended {done.returncode}: {done.stderr[-500:]}", flush=True)
            return
        found = len(json.loads((output / "keys" / "resources.json").read_text()))
        ours = command(server).seconds
        print(f"{name}: {taken:.1f} s ({found} found), whole audit here: {ours:.1f} s", flush=True)


def audit_live(*, quick: bool, peers: bool = False) -> bool:
    held = []
    name = "10,000 resources, 50 subscriptions, 50 ms"
    with Server(10_000, 50, latency=50) as server:
        held += [against_the_floor(server, name, 5), whole_command(server, name, 3 if quick else 5)]
    held += [under_quota(100_000, latency) for latency in ((50,) if quick else (0, 50))]
    held.append(memory(100_000 if quick else 1_000_000))
    if peers:
        cloud_custodian()
    return all(held)
