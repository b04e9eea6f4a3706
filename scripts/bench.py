"""Measurements. Each runs whole processes in turn, floor and product, and prints the median ratio."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_catalog import catalog
from bench_classify import classify
from bench_contracts import contracts
from bench_depth import audit_depth
from bench_live import audit_live
from bench_purview import purview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
COMMAND = str(Path(PYTHON).with_name("sovereignmesh"))
CONTAINERS = ("microsoft.resources/subscriptions", "microsoft.resources/subscriptions/resourcegroups")
FLOOR = "import json, sys\nfor line in open(sys.argv[1], 'rb'):\n    json.loads(line)\n"
ONE_IN = 20  # rows with findings: 5 %


def estate(*, planted: bool) -> list[dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("build", ROOT / "fixtures" / "estates" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build"] = module
    sys.path.insert(0, str(ROOT / "fixtures" / "estates"))
    spec.loader.exec_module(module)
    rows: list[dict[str, Any]] = module.build_estate() if planted else module.build_base()
    return rows


def rows(count: int, *, containers_last: bool = False) -> Iterator[str]:
    """`count` rows: the sample estate's bodies again and again with their own ids, one in twenty with findings."""
    base, planted = estate(planted=False), estate(planted=True)
    good = {row["id"]: row for row in base}
    containers = [row for row in base if row["type"] in CONTAINERS]
    clean = [row for row in base if row["type"] not in CONTAINERS]
    dirty = [row for row in planted if row["type"] not in CONTAINERS and row != good.get(row["id"])]
    if not containers_last:
        yield from map(json.dumps, containers)
    for number in range(count - len(containers)):
        source = dirty if number >= len(clean) and number % ONE_IN == 0 else clean
        row = source[(number // ONE_IN if source is dirty else number) % len(source)]
        suffix = f"-{number}" if number >= len(clean) else ""  # the first round keeps its names: others point at them
        yield json.dumps({**row, "id": row["id"] + suffix, "name": row["name"] + suffix})
    if containers_last:
        yield from map(json.dumps, containers)


def seconds(*command: str, **options: Any) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, **options)
    taken = time.perf_counter() - started
    assert done.returncode in (0, 3), f"{command} ended {done.returncode}"
    return taken


def ratio(name: str, ours: tuple[str, ...], floor: tuple[str, ...], limit: float, runs: int) -> bool:
    """Runs both in turn, prints the median of the ratios, and says whether it is within the limit."""
    pairs = [(seconds(*ours), seconds(*floor)) for _ in range(runs)]
    middle = statistics.median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    verdict = "within" if middle <= limit else "OVER"
    print(f"{name}: {mine:.2f} s, floor {theirs:.2f} s, ratio {middle:.2f}, {verdict} {limit:g}", flush=True)
    return middle <= limit


def memory(name: str, count: int, limit: int) -> bool:
    """The peak resident size of the whole command on `count` rows from a pipe."""
    command = [COMMAND, "audit", str(ROOT / "fixtures/mesh/contoso"), "--inventory", "-", "--format", "json"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        for row in rows(count):
            process.stdin.write(row + "\n")
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 3), f"the audit ended {process.returncode}"
    peak = usage.ru_maxrss // 1024
    verdict = "within" if peak <= limit else "OVER"
    taken = time.perf_counter() - started
    print(f"{name}: {count:,} rows, peak {peak} MB resident, {verdict} {limit} ({taken:.0f} s)", flush=True)
    return peak <= limit


def audit_export(*, quick: bool) -> bool:
    runs, many = (3, 100_000) if quick else (7, 1_000_000)
    held = [
        ratio("--help", (COMMAND, "--help"), (PYTHON, "-c", "import click"), 2, runs),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, last in (("audit 100,000 rows", False), ("audit 100,000 rows, containers last", True)):
            path = Path(folder) / "export.jsonl"
            with path.open("w") as file:
                file.writelines(row + "\n" for row in rows(100_000, containers_last=last))
            ours = (COMMAND, "audit", str(ROOT / "fixtures/mesh/contoso"), "--inventory", str(path), "--format", "json")
            held.append(ratio(name, ours, (PYTHON, "-c", FLOOR, str(path)), 3, runs))
    held.append(memory("audit from a pipe", many, 300))
    return all(held)


BENCHES: dict[str, Callable[..., bool]] = {
    "audit-export": audit_export,
    "audit-live": audit_live,
    "audit-depth": audit_depth,
    "purview": purview,
    "catalog": catalog,
    "classify": classify,
    "contracts": contracts,
}


def flags_of(name: str) -> dict[str, str]:
    """The flags of a bench, with the argument that each sets."""
    return {f"--{argument}": argument for argument in inspect.signature(BENCHES[name]).parameters}


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    given = set(sys.argv[1:]) - set(words)
    if len(words) != 1 or words[0] not in BENCHES or given - flags_of(words[0]).keys():
        known = (" ".join((name, *(f"[{flag}]" for flag in flags_of(name)))) for name in BENCHES)
        sys.exit("usage: scripts/bench " + " | ".join(known))
    sys.exit(not BENCHES[words[0]](**{argument: flag in given for flag, argument in flags_of(words[0]).items()}))
