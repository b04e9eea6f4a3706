"""Contracts on data: the command on a big Parquet file beside a hand-written Polars query that answers the same."""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
COMMAND = str(Path(sys.executable).with_name("sovereignmesh"))
AT = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
CHUNK = 1_000_000
RATIO, RESIDENT, RESIDENT_LARGE = 1.2, 400, 1000
FIELDS = ("id", "code", "email_hash", "country", "segment", "amount", "score", "count", "active", "updatedAt")
PATTERNS = {"id": "C[0-9]{8}", "code": "[A-Z]{2}-[0-9]{4}", "email_hash": "[0-9a-f]{16}", "country": "[A-Z]{2}"}
# 10 completeness, 4 regular expressions, allowed and excluded fields, freshness.
MESH = f"""
governancePolicies: {{dataResidency: {{region: EU}}}}
---
domain: {{name: Sales}}
---
dataProduct:
  name: Big
  domain: Sales
  owner: sales@contoso.com
  dataResidency: {{region: EU}}
  sla: {{freshness: "< 1 hour"}}
  qualityMetrics: {{completeness: 90}}
  schema:
    fields: {json.dumps([{"name": name, "pattern": pattern} for name, pattern in PATTERNS.items()])}
    timestampColumn: updatedAt
  dataContracts:
    - {{consumer: Sales, purpose: bench, fields: {json.dumps(FIELDS)}, excludedFields: [email, phone]}}
"""
# The same answers, as somebody would write them for this one file.
BY_HAND = f"""
import sys, json, datetime as dt
import polars as pl
patterns = {PATTERNS!r}
lazy = pl.scan_parquet(sys.argv[1])
names = lazy.collect_schema().names()
allowed, excluded = set({FIELDS!r}), {{"email", "phone"}}
at = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
floats = {{"amount", "score"}}
def missing(name):
    null = pl.col(name).is_null()
    return null | pl.col(name).is_nan() if name in floats else null
asked = [pl.len().alias("rows")]
asked += [missing(name).sum().alias("missing " + name) for name in names]
broken = {{
    name: pl.col(name).is_not_null() & ~pl.col(name).str.contains(r"\\A(?:" + pattern + r")\\z")
    for name, pattern in patterns.items()
}}
asked += [each.fill_null(False).sum().alias("pattern " + name) for name, each in broken.items()]
asked += [pl.any_horizontal(*(each.fill_null(False) for each in broken.values())).sum().alias("broken")]
asked += [pl.col("updatedAt").max().alias("latest")]
asked += [((pl.col("updatedAt") > at - dt.timedelta(hours=1)) & (pl.col("updatedAt") <= at)).sum().alias("young")]
answer = lazy.select(asked).collect(engine="streaming").row(0, named=True)
answer["unauthorised"] = sorted(set(names) - allowed)
answer["excluded"] = sorted(set(names) & excluded)
print(json.dumps(answer, default=str))
"""


class Run(NamedTuple):
    seconds: float
    resident: int  # MB, at the peak
    output: str


def make(path: Path, rows: int) -> None:
    """A file of so many rows, in groups of a million: some nulls, some NaN, some that break a pattern."""
    import numpy as np  # noqa: PLC0415 - only where it runs
    import polars as pl  # noqa: PLC0415 - only where it runs
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where it runs

    random = np.random.default_rng(7)
    writer = None
    for start in range(0, rows, CHUNK):
        size = min(CHUNK, rows - start)
        number = np.arange(start, start + size)

        def holes(values: Any, one_in: int, size: int = size) -> Any:
            return pl.Series(values).scatter(np.flatnonzero(random.integers(0, one_in, size) == 0), None)

        frame = pl.DataFrame(
            {
                "id": "C" + pl.Series(number).cast(pl.String).str.zfill(8),
                "code": holes(pl.Series(random.choice(["AB-1234", "CD-5678", "EF-9012", "bad"], size, p=[0.4, 0.3, 0.29, 0.01])), 50),  # noqa: E501
                "email_hash": pl.Series(number).hash(3).cast(pl.String).str.zfill(20).str.slice(0, 16),
                "country": pl.Series(random.choice(["DE", "FR", "NL", "it"], size, p=[0.4, 0.3, 0.29, 0.01])),
                "segment": holes(pl.Series(random.choice(["a", "b", "c"], size)), 20),
                "amount": pl.Series(np.where(random.integers(0, 100, size) == 0, np.nan, random.normal(100, 20, size))),
                "score": holes(pl.Series(random.random(size)), 30),
                "count": holes(pl.Series(random.integers(0, 1000, size)), 10),
                "active": pl.Series(random.integers(0, 2, size).astype(bool)),
                "updatedAt": pl.Series(AT.timestamp() * 1_000_000 - random.integers(1, 7_200_000_000, size)).cast(pl.Int64).cast(pl.Datetime("us", "UTC")),  # noqa: E501
            }
        )  # fmt: skip
        table = frame.to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=250_000)
    assert writer is not None, "no rows make no file"
    writer.close()


def run(*command: str) -> Run:
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(command, stdout=output, text=True) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode in (0, 3), f"{command[:3]} ended {process.returncode}"
        taken = time.perf_counter() - started
        output.seek(0)
        return Run(taken, usage.ru_maxrss // 1024, output.read())


def ours(data: Path, mesh: Path) -> Run:
    words = ("contract", "check", str(data), "--product", "Big", "--mesh", str(mesh))
    return run(COMMAND, *words, "--at", "2026-11-24T12:00:00Z", "--format", "json")


def agree(mine: str, theirs: str) -> None:
    """Both say the same, or neither figure means anything."""
    result, answer = json.loads(mine), json.loads(theirs)
    assert result["rows"] == answer["rows"]
    for name, share in result["quality"]["fields"].items():
        assert abs(share - 100 * (1 - answer[f"missing {name}"] / answer["rows"])) < 1e-9, name
    broken = {check["field"]: check["broken"] for check in result["checks"] if check["check"] == "pattern"}
    assert broken == {name: answer[f"pattern {name}"] for name in PATTERNS}
    assert abs(result["quality"]["accuracy"] - 100 * (1 - answer["broken"] / answer["rows"])) < 1e-9
    assert abs(result["quality"]["timeliness"] - 100 * answer["young"] / answer["rows"]) < 1e-9


def contracts(*, quick: bool, peers: bool = False) -> bool:
    rows, runs = (2_000_000, 3) if quick else (10_000_000, 7)
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.yaml"
        mesh.write_text(MESH)
        data = Path(folder) / "big.parquet"
        run(sys.executable, __file__, str(data), str(rows))  # a child begins with the memory of its parent
        size = data.stat().st_size // 1_000_000
        print(f"{rows:,} rows x {len(FIELDS)} columns, {size} MB of Parquet", flush=True)
        by_hand = (sys.executable, "-c", BY_HAND, str(data))
        agree(ours(data, mesh).output, run(*by_hand).output)
        pairs = [(ours(data, mesh), run(*by_hand)) for _ in range(runs)]
        ratio = statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs)
        mine, theirs = (statistics.median(each.seconds for each in side) for side in zip(*pairs, strict=True))
        resident = max(one.resident for one, _ in pairs)
        held = [ratio <= RATIO, resident <= RESIDENT]
        print(
            f"contract check: {mine:.2f} s, the query by hand {theirs:.2f} s, ratio {ratio:.2f}, "
            f"{'within' if held[0] else 'OVER'} {RATIO}; peak {resident} MB resident, "
            f"{'within' if held[1] else 'OVER'} {RESIDENT}",
            flush=True,
        )
        if peers:
            from bench_contracts_peers import compare  # noqa: PLC0415 - only where it runs

            held.append(compare(data, mine))
        if not quick:
            data.unlink()
            run(sys.executable, __file__, str(data), "200000000")
            large = ours(data, mesh)
            held.append(large.resident <= RESIDENT_LARGE)
            print(
                f"200,000,000 rows: {large.seconds:.1f} s, peak {large.resident} MB resident, "
                f"{'within' if held[-1] else 'OVER'} {RESIDENT_LARGE}"
            )
    return all(held)


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
