"""The contract of bench_contracts.py in other tools, each in an environment of its own, beside the product's time."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import bench_contracts as bench
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 3
LIMIT = 600  # seconds that a peer may take
MISSING = 10  # percent of a field's values, at most
AGE = dt.timedelta(hours=1)
# How DuckDB reads each column: without a type datacontract-cli cannot make its table.
TYPES = {
    "id": "VARCHAR",
    "code": "VARCHAR",
    "email_hash": "VARCHAR",
    "country": "VARCHAR",
    "segment": "VARCHAR",
    "amount": "DOUBLE",
    "score": "DOUBLE",
    "count": "BIGINT",
    "active": "BOOLEAN",
    "updatedAt": "TIMESTAMP_TZ",
}
EXPECTATIONS = f"""
import datetime as dt, json, sys
import great_expectations as gx
import great_expectations.expectations as gxe

fields, patterns = {list(bench.FIELDS)!r}, {bench.PATTERNS!r}
oldest = dt.datetime.fromisoformat({(bench.AT - AGE).isoformat()!r})
suite = gx.ExpectationSuite(
    name="Big",
    expectations=[
        gxe.ExpectTableColumnsToMatchSet(column_set=fields, exact_match=True),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name, mostly={1 - MISSING / 100}) for name in fields),
        *(
            gxe.ExpectColumnValuesToMatchRegex(column=name, regex=r"\\A(?:" + pattern + r")\\Z")
            for name, pattern in patterns.items()
        ),
        gxe.ExpectColumnMaxToBeBetween(column="updatedAt", min_value=oldest, strict_min=True),
    ],
)
batch = gx.get_context(mode="ephemeral").data_sources.pandas_default.read_parquet(sys.argv[1])
result = batch.validate(suite, result_format="BASIC")
with open(sys.argv[2], "w") as file:
    json.dump(result.to_json_dict(), file)
"""


class Wrong(Exception):  # noqa: N818 - no error of the bench: a peer that gave no answer, or another one
    pass


class Answer(NamedTuple):
    """What a tool says of the file: `held` has each check's verdict by its kind and field."""

    rows: int
    missing: dict[str, int]
    broken: dict[str, int]
    held: dict[tuple[str, str], bool]


class Peer(NamedTuple):
    name: str
    folder: str
    packages: tuple[str, ...]
    command: Callable[[Path, Path, Path], list[str]]  # of its environment's commands, the data, a folder for its files
    read: Callable[[Any], Answer]  # of the file `result.json`, which it leaves in that folder
    kinds: frozenset[str]  # of the checks that it runs
    ended: tuple[int, ...]  # how it ends when it has judged
    goal: int  # times as long as the product, at least
    remarks: str


def of_product(said: str) -> Answer:
    """The same from the product's own output, with the verdict that a threshold for each field would give."""
    result = json.loads(said)
    rows = result["rows"]
    missing = {name: round(rows * (1 - share / 100)) for name, share in result["quality"]["fields"].items()}
    states = {check["check"]: check["state"] == "compliant" for check in result["checks"] if not check["field"]}
    fresh = [check["state"] == "compliant" for check in result["checks"] if check["check"] == "freshness"]
    broken = {check["field"]: check["broken"] for check in result["checks"] if check["check"] == "pattern"}
    held = {("missing", name): 100 * count <= MISSING * rows for name, count in missing.items()}
    held |= {("pattern", name): not count for name, count in broken.items()}
    held |= {("fresh", "updatedAt"): fresh == [True], ("columns", ""): states["allowed-fields"]}
    held |= {("present", name): states["present-fields"] for name in bench.FIELDS}
    return Answer(rows, missing, broken, held)


def compared(mine: Answer, theirs: Answer, kinds: frozenset[str]) -> int:
    """How many checks a peer ran: all of these kinds, with the counts and the verdicts of the product."""
    wanted = {check: held for check, held in mine.held.items() if check[0] in kinds}
    for what, expected, found in (
        ("rows", mine.rows, theirs.rows),
        ("counts of missing values", mine.missing, theirs.missing),
        ("counts of broken patterns", mine.broken, theirs.broken),
        ("verdicts", wanted, theirs.held),
    ):
        if expected != found:
            raise Wrong(f"it disagrees on the {what}: {found}, not {expected}")
    return len(theirs.held)


def odcs(data: Path) -> dict[str, Any]:
    """The contract in the Open Data Contract Standard. It has no moment to judge at: freshness is a rule in SQL."""

    def rules(name: str) -> list[dict[str, Any]]:
        kind = {"metric": "nullValues"}
        if TYPES[name] == "DOUBLE":
            kind = {"metric": "missingValues", "arguments": {"missingValues": [math.nan]}}
        found = [{"type": "library", **kind, "unit": "percent", "mustBeLessOrEqualTo": MISSING}]
        if name in bench.PATTERNS:
            whole = {"pattern": f"^(?:{bench.PATTERNS[name]})$"}
            found.append({"type": "library", "metric": "invalidValues", "arguments": whole, "mustBe": 0})
        if name == "updatedAt":
            age = f"epoch(TIMESTAMPTZ '{bench.AT.isoformat(' ')}') - epoch(max({{property}}))"
            query = f"SELECT {age} FROM {{object}}"  # noqa: S608 - constants
            found.append({"type": "sql", "query": query, "mustBeLessThan": int(AGE.total_seconds())})
        return found

    fields = [{"name": name, "physicalType": TYPES[name], "quality": rules(name)} for name in bench.FIELDS]
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "big",
        "version": "1.0.0",
        "status": "active",
        "servers": [{"server": "local", "type": "local", "format": "parquet", "path": str(data)}],
        "schema": [{"name": "Big", "properties": fields}],
    }


def datacontract(commands: Path, data: Path, folder: Path) -> list[str]:
    contract = folder / "contract.yaml"
    contract.write_text(yaml.safe_dump(odcs(data), sort_keys=False))
    output = ["--output", str(folder / "result.json"), "--output-format", "json"]
    return [str(commands / "datacontract"), "test", *output, str(contract)]


def of_datacontract(result: Any) -> Answer:
    kinds = {
        "field_is_present": "present",
        "field_null_values": "missing",
        "field_missing_values": "missing",
        "field_invalid_values": "pattern",
        "field_quality_sql": "fresh",
    }
    counts: dict[str, dict[str, int]] = {"missing": {}, "pattern": {}}
    held, rows = {}, set()
    for check in result["checks"]:
        if check["result"] not in {"passed", "failed"} or check["type"] not in kinds or not check.get("diagnostics"):
            raise Wrong(f"{check.get('name')}: {check['result']}, {check.get('reason')}")
        kind, field, found = kinds[check["type"]], check["field"], check["diagnostics"]
        held[kind, field] = check["result"] == "passed"
        if kind in counts:
            counts[kind][field] = found["value"]
            rows.add(found["row_count"])
    if len(rows) != 1:
        raise Wrong(f"it read {sorted(rows)} rows")
    return Answer(rows.pop(), counts["missing"], counts["pattern"], held)


def great_expectations(commands: Path, data: Path, folder: Path) -> list[str]:
    script = folder / "expectations.py"
    script.write_text(EXPECTATIONS)
    return [str(commands / "python"), str(script), str(data), str(folder / "result.json")]


def of_great_expectations(result: Any) -> Answer:
    kinds = {
        "expect_table_columns_to_match_set": "columns",
        "expect_column_values_to_not_be_null": "missing",
        "expect_column_values_to_match_regex": "pattern",
        "expect_column_max_to_be_between": "fresh",
    }
    counts: dict[str, dict[str, int]] = {"missing": {}, "pattern": {}}
    held, rows = {}, set()
    for check in result["results"]:
        config, found = check["expectation_config"], check["result"]
        kind, field = kinds[config["type"]], config["kwargs"].get("column", "")
        if check["exception_info"].get("raised_exception") is not False or not found:
            raise Wrong(f"{config['type']} of {field}: {check['exception_info']}")
        held[kind, field] = check["success"]
        if kind in counts:
            counts[kind][field] = found["unexpected_count"]
            rows.add(found["element_count"])
    if len(rows) != 1:
        raise Wrong(f"it read {sorted(rows)} rows")
    return Answer(rows.pop(), counts["missing"], counts["pattern"], held)


PEERS = (
    Peer(
        "datacontract-cli 1.2.8",
        "datacontract-cli",
        (
            "datacontract-cli[duckdb,parquet]==1.2.8",
            "duckdb==1.5.6",
            "ibis-framework[duckdb]==12.0.0",
            "pandas==3.1.1",
            "pyarrow==26.0.1",
        ),
        datacontract,
        of_datacontract,
        frozenset({"present", "missing", "pattern", "fresh"}),
        (0, 1),
        3,
        "not checked: a column too many, which it does not reject; freshness is a rule in SQL, its own takes no moment",
    ),
    Peer(
        "Great Expectations 1.24.1 on pandas",
        "great-expectations",
        ("great-expectations==1.24.1", "pandas==3.1.1", "pyarrow==26.0.1"),
        great_expectations,
        of_great_expectations,
        frozenset({"columns", "missing", "pattern", "fresh"}),
        (0,),
        8,
        "nothing left out",
    ),
)


def last_line(said: str) -> str:
    return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "no output")


def environment() -> dict[str, str]:
    """Of a peer: none of the product's modules, nothing sent home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GX_", "DATACONTRACT_"))}
    return {**kept, "GX_ANALYTICS_ENABLED": "False"}


def install(peer: Peer) -> Path:
    """Its commands, in an environment of its own that is made once for these versions."""
    folder = Path(tempfile.gettempdir()) / "sovereignmesh-bench-peers" / peer.folder
    commands, ready, wanted = folder / "bin", folder / "ready", "\n".join((sys.version, *peer.packages))
    if not ready.exists() or ready.read_text() != wanted:
        for words in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(commands / "python"), "-m", "pip", "install", "--quiet", *peer.packages],
        ):
            try:
                done = subprocess.run(
                    words, env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
                )
            except subprocess.TimeoutExpired:
                raise Wrong(f"installing it took more than {LIMIT} s") from None
            if done.returncode:
                raise Wrong(f"it could not be installed: {last_line(done.stderr or done.stdout)}")
        ready.write_text(wanted)
    return commands


def run(peer: Peer, commands: Path, data: Path) -> tuple[bench.Run, Answer]:
    """The whole process once, and what it found."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile("w+") as said:
        folder = Path(name)
        words = peer.command(commands, data, folder)
        started = time.perf_counter()
        with subprocess.Popen(words, stdout=said, stderr=said, cwd=folder, env=environment()) as process:
            watch = threading.Timer(LIMIT, process.kill)
            watch.start()
            _, status, usage = os.wait4(process.pid, 0)
            taken = time.perf_counter() - started
            watch.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read()
        if taken >= LIMIT:
            raise Wrong(f"more than {LIMIT} s")
        result = folder / "result.json"
        if process.returncode not in peer.ended or not result.exists():
            raise Wrong(f"it ended {process.returncode}: {last_line(output)}")
        try:
            answer = peer.read(json.loads(result.read_text()))
        except (Wrong, LookupError, TypeError, ValueError) as error:
            raise Wrong(f"its result is no answer ({error}): {last_line(output)}") from error
        return bench.Run(taken, usage.ru_maxrss // 1024, output), answer


def compare(data: Path, ours: float) -> bool:
    """A line for each peer, beside the seconds that the product takes for this file."""
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.yaml"
        mesh.write_text(bench.MESH)
        mine = of_product(bench.ours(data, mesh).output)
    failed: dict[str, str] = {}
    taken: dict[str, list[bench.Run]] = {peer.name: [] for peer in PEERS}
    checks: dict[str, int] = {}
    for _ in range(RUNS):
        for peer in PEERS:
            if peer.name in failed:
                continue
            try:
                one, theirs = run(peer, install(peer), data)
                checks[peer.name] = compared(mine, theirs, peer.kinds)
            except (Wrong, OSError) as error:
                failed[peer.name] = str(error)
            else:
                taken[peer.name].append(one)
    held = []
    for peer in PEERS:
        if peer.name in failed:
            held.append(False)
            print(f"{peer.name}: FAILED, {failed[peer.name]}", flush=True)
            continue
        seconds = statistics.median(each.seconds for each in taken[peer.name])
        resident = max(each.resident for each in taken[peer.name])
        held.append(seconds >= peer.goal * ours)
        print(
            f"{peer.name}: {seconds:.2f} s, ours {ours:.2f} s, ratio {seconds / ours:.1f}, "
            f"{'within' if held[-1] else 'SHORT of'} {peer.goal}; peak {resident} MB resident; "
            f"{checks[peer.name]} checks ran and agree; {peer.remarks}",
            flush=True,
        )
    return all(held)
