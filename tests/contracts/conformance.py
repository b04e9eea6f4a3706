"""The same cases on every engine: what a contract says of data must not depend on who reads it.

`table()` prints cases x engines; the tests beside run the same.
"""

import datetime as dt
import importlib.util
import os
import shutil
import sys
import warnings
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from sovereignmesh.contracts import DataContract, DataContractValidator, check_contract
from sovereignmesh.errors import ContractViolation

AT = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
NAN = float("nan")
ROWS = ["C000001", "C000002", "C000003", "C000004", "C000005"]
SEED = {"allowed_fields": ["customerId", "segment", "region"], "excluded_fields": ["email", "phone", "address"]}
CLEAN = {"customerId": ROWS, "segment": ["a", "b", "a", "c", "b"], "region": ["DE", "FR", "NL", "DE", "FR"]}


def of(name, values, **said):
    """A contract of one field with what is said of it."""
    return {
        "columns": {name: values},
        "contract": {"allowed_fields": [name], "data_schema": {"fields": [{"name": name, **said}]}},
    }


@dataclass
class Case:
    """Columns (a Polars dtype where it matters), a contract, and what is true: by check the state and the broken rows."""

    columns: dict
    contract: dict
    expect: dict
    dtypes: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    unread_as: dict = field(default_factory=dict)  # by engine what it says instead, and it has to

    def frame(self):
        return pl.DataFrame(self.columns, schema_overrides=self.dtypes, strict=False)


def figures(**values):
    return {"contract": {"allowed_fields": list(values["columns"]), **values["contract"]}, "columns": values["columns"]}


UTC = pl.Datetime("us", "UTC")
BERLIN = pl.Datetime("us", "Europe/Berlin")
PLAIN = pl.Datetime("us")
MOMENTS = [AT - dt.timedelta(minutes=5), AT - 2 * HOUR, AT - dt.timedelta(minutes=59), None]
LOCAL = [None if one is None else one.replace(tzinfo=None) for one in MOMENTS]
FRESH = {
    "allowed_fields": ["t"],
    "freshness": "< 1 hour",
    "min_timeliness": 50,
    "data_schema": {"timestamp_column": "t"},
}

CASES = {
    "seed: clean": Case(CLEAN, {**SEED, "min_completeness": 98}, {"allowed-fields": "ok", "excluded-fields": "ok", "completeness": "ok"}, quality={"completeness": 100.0}),
    "seed: email": Case({**CLEAN, "email": ["e"] * 5}, SEED, {"allowed-fields": "FAIL", "excluded-fields": "FAIL"}),
    "seed: iban": Case({**CLEAN, "iban": ["i"] * 5}, SEED, {"allowed-fields": "FAIL", "excluded-fields": "ok"}),
    "seed: a field less": Case({name: CLEAN[name] for name in ("customerId", "segment")}, SEED, {"allowed-fields": "ok"}),
    "seed: a field less, promised": Case(
        {name: CLEAN[name] for name in ("customerId", "segment")}, {**SEED, "min_completeness": 98},
        {"completeness": "FAIL"}, quality={"completeness": 200 / 3},
    ),
    "seed: 20 % nulls": Case({**CLEAN, "region": ["DE", None, None, None, "FR"]}, {**SEED, "min_completeness": 98}, {"completeness": "FAIL"}, quality={"completeness": 80.0}),
    "completeness: exactly the threshold": Case({"a": [1, None], "b": [None, 2]}, {"allowed_fields": ["a", "b"], "min_completeness": 50}, {"completeness": "ok"}, quality={"completeness": 50.0}),
    "completeness: NaN is missing": Case({"f": [1.0, NAN, None, 2.0]}, {"allowed_fields": ["f"], "min_completeness": 50.1}, {"completeness": "FAIL"}, quality={"completeness": 50.0}),
    "completeness: an empty text is a value": Case({"s": ["", "a"]}, {"allowed_fields": ["s"], "min_completeness": 100}, {"completeness": "ok"}),
    "no rows": Case({"a": []}, {"allowed_fields": ["a"], "min_completeness": 0}, {"row-count": "unknown", "completeness": "unknown"}, {"a": pl.Int64}, {"completeness": None}),
    "no rows, allowed": Case({"a": []}, {"allowed_fields": ["a"], "data_schema": {"row_count": {"minimum": 0}, "fields": [{"name": "a", "minimum": 1}]}}, {"row-count": "ok", "range a": "ok"}, {"a": pl.Int64}),
    "row count: too few": Case({"a": [1]}, {"allowed_fields": ["a"], "data_schema": {"row_count": {"minimum": 2}}}, {"row-count": "FAIL"}),
    "row count: too many": Case({"a": [1, 2]}, {"allowed_fields": ["a"], "data_schema": {"row_count": {"maximum": 1}}}, {"row-count": "FAIL"}),
    "required": Case(**of("a", [1, None, 3], required=True), expect={"required a": 1, "present-fields": "ok"}),
    "required: not there": Case({"b": [1]}, {"allowed_fields": ["a", "b"], "data_schema": {"fields": [{"name": "a", "required": True}]}}, {"present-fields": "FAIL"}),
    "required: NaN": Case(**of("f", [1.0, NAN, None], required=True), expect={"required f": 2}),
    "unique": Case(**of("a", [1, 2, 2, None, None, 2], unique=True), expect={"unique a": 2}),
    "unique: NaN and null are no values": Case(**of("f", [1.0, NAN, NAN, None, None], unique=True), expect={"unique f": "ok"}),
    "unique: texts": Case(**of("s", ["a", "A", "a ", "a"], unique=True), expect={"unique s": 1}),
    "primary key: one": Case({"a": [1, 1, None]}, {"allowed_fields": ["a"], "data_schema": {"primary_key": ["a"]}}, {"primary-key a": 2}),
    "primary key: two": Case(
        {"a": [1, 1, 1, 2, None], "b": ["x", "y", "x", "x", "x"]},
        {"allowed_fields": ["a", "b"], "data_schema": {"primary_key": ["a", "b"]}}, {"primary-key a, b": 2},
    ),
    "pattern: digits of ASCII": Case(**of("s", ["12", "1a", "", "\u0661\u0662", "12\n", None, "3", "x3"], pattern=r"\d+"), expect={"pattern s": 5}),
    "pattern: the whole value": Case(**of("s", ["ab", "xab", "abx", "a", "b"], pattern="a|ab"), expect={"pattern s": 3}),
    "pattern: words and blanks": Case(**of("s", ["a_1", "\u00e9", "a b", "a\u00a0b", "a\tb"], pattern=r"\w+(\s\w+)?"), expect={"pattern s": 2}),
    "pattern: end of text": Case(**of("s", ["ab", "ab\n", "ab\r\n"], pattern="^ab$"), expect={"pattern s": 2}),
    "pattern: a point is no line": Case(**of("s", ["a.b", "a\nb", "a\rb", "a\u0085b", "a\u2028b"], pattern="a.b"), expect={"pattern s": 1}),
    "pattern: case": Case(**of("s", ["abc", "ABC", "\u00c9", "\u00e9"], pattern="(?i)abc|\u00e9"), expect={"pattern s": "ok"}),
    "pattern: classes": Case(**of("s", ["a-b", "[x]", "a&&b", "^", "a b"], pattern=r"[\w&\[\]^-]+"), expect={"pattern s": 1}),
    "pattern: not these": Case(**of("s", ["ab", "a1", "\u0661"], pattern=r"[^\d]+"), expect={"pattern s": 1}),
    "pattern: beyond the plane": Case(**of("s", ["\U0001f600", "ab", "a"], pattern="."), expect={"pattern s": 1}),
    "pattern: of numbers": Case(**of("a", [12, 3], pattern=r"\d+"), expect={"pattern a": "unknown"}),
    "allowed values": Case(**of("s", ["a", "b", "A", None, ""], allowed_values=["a", "b"]), expect={"allowed-values s": 2}),
    "allowed values: numbers": Case(**of("a", [1, 2, 3, None], allowed_values=[1, 3]), expect={"allowed-values a": 1}),
    "allowed values: floats": Case(**of("f", [1.0, 2.5, NAN, None], allowed_values=[1]), expect={"allowed-values f": 1}),
    "allowed values: truths": Case(**of("b", [True, False, None], allowed_values=[True]), expect={"allowed-values b": 1}),
    "allowed values: of another type": Case(**of("a", [1, 2], allowed_values=["1", "2"]), expect={"allowed-values a": "unknown"}),
    "range": Case(**of("a", [-1, 0, 5, 10, 11, None], minimum=0, maximum=10), expect={"range a": 2}),
    "range: floats and NaN": Case(**of("f", [-0.1, 0.0, NAN, None, 1e300], minimum=0), expect={"range f": 1}),
    "range: decimals": Case(
        **of("d", [Decimal("0.10"), Decimal("0.30"), Decimal("99.99"), None], type="number", minimum=0.2, maximum=99.99),
        expect={"range d": 1, "type d": "ok"}, dtypes={"d": pl.Decimal(10, 2)},
    ),
    "range: texts": Case(**of("s", ["a", "b", "c"], minimum="b", maximum="b"), expect={"range s": 2}),
    "range: days": Case(**of("d", [dt.date(2026, 1, 1), dt.date(2026, 1, 2), None], minimum="2026-01-02"), expect={"range d": 1}),
    "range: moments in a zone": Case(**of("t", [AT, AT - HOUR], minimum="2026-11-24T12:30:00+01:00"), expect={"range t": 1}, dtypes={"t": BERLIN}),
    "range: moments without a zone": Case(**of("t", LOCAL, minimum="2026-11-24T11:30:00Z"), expect={"range t": 2}, dtypes={"t": PLAIN}),
    "type: right": Case({"a": [1], "f": [1.0], "s": ["x"], "b": [True], "d": [dt.date(2026, 1, 1)], "t": [AT]},
        {"allowed_fields": ["a", "f", "s", "b", "d", "t"], "data_schema": {"fields": [
            {"name": "a", "type": "integer"}, {"name": "f", "type": "number"}, {"name": "s", "type": "string"},
            {"name": "b", "type": "boolean"}, {"name": "d", "type": "date"}, {"name": "t", "type": "timestamp"}]}},
        {f"type {name}": "ok" for name in "afsbdt"}, dtypes={"t": UTC}),
    "type: wrong": Case(**of("s", ["1", "2"], type="integer"), expect={"type s": "FAIL"}),
    "type: an integer is a number": Case(**of("a", [1], type="number"), expect={"type a": "ok"}),
    "type: a number is no integer": Case(**of("f", [1.0], type="integer"), expect={"type f": "FAIL"}),
    "rule: two fields": Case(
        {"a": [1, 2, 3, None, 5], "b": [1, 3, 2, 4, None]},
        {"allowed_fields": ["a", "b"], "min_accuracy": 60, "data_schema": {"validity_rules": [{"name": "order", "rule": "a <= b"}]}},
        {"validity-rule order": 3, "accuracy": "FAIL"}, quality={"accuracy": 40.0},
    ),
    "rule: null or right": Case(
        {"a": [1.0, 2.0, NAN, None]},
        {"allowed_fields": ["a"], "data_schema": {"validity_rules": [{"name": "r", "rule": "a is None or a < 2"}]}},
        {"validity-rule r": 1}, quality={"accuracy": 75.0},
    ),
    "rule: not": Case(
        {"s": ["x", "y", None], "a": [1, 2, 3]},
        {"allowed_fields": ["s", "a"], "data_schema": {"validity_rules": [{"name": "r", "rule": "not (s == 'x' and a == 1)"}]}},
        {"validity-rule r": 1},
    ),
    "rule: unlike": Case(
        {"f": [1.0, NAN, None, 2.0]},
        {"allowed_fields": ["f"], "data_schema": {"validity_rules": [{"name": "r", "rule": "f != 1"}]}},
        {"validity-rule r": 3},
    ),
    "rule: a chain, in, truths": Case(
        {"a": [1, 5, 9], "s": ["x", "y", "z"], "b": [True, True, False]},
        {"allowed_fields": ["a", "s", "b"], "data_schema": {"validity_rules": [
            {"name": "chain", "rule": "0 < a < 9"}, {"name": "in", "rule": "s in ('x', 'z')"}, {"name": "b", "rule": "b == True"}]}},
        {"validity-rule chain": 1, "validity-rule in": 1, "validity-rule b": 1}, quality={"accuracy": 100 / 3},
    ),
    "rule: moments": Case(
        {"t": [AT, AT], "u": [AT - HOUR, AT + HOUR]},
        {"allowed_fields": ["t", "u"], "data_schema": {"validity_rules": [{"name": "r", "rule": "u >= t"}]}},
        {"validity-rule r": 1}, dtypes={"t": UTC, "u": UTC},
    ),
    "rule: what is not compared": Case(
        {"s": ["x"], "a": [1]},
        {"allowed_fields": ["s", "a"], "min_accuracy": 1, "data_schema": {"validity_rules": [{"name": "r", "rule": "s == a"}]}},
        {"validity-rule r": "unknown", "accuracy": "unknown"}, quality={"accuracy": None},
    ),
    "accuracy: any rule": Case(
        {"a": [1, 20, None, 4], "s": ["x", "x", "y", "z"]},
        {"allowed_fields": ["a", "s"], "min_accuracy": 50, "data_schema": {"fields": [
            {"name": "a", "required": True, "maximum": 10}, {"name": "s", "pattern": "[xy]"}]}},
        {"required a": 1, "range a": 1, "pattern s": 1, "accuracy": "FAIL"}, quality={"accuracy": 25.0},
    ),
    "accuracy: without rules": Case({"a": [1]}, {"allowed_fields": ["a"], "min_accuracy": 1}, {"accuracy": "unknown"}, quality={"accuracy": None}),
    "timeliness: UTC": Case({"t": MOMENTS}, FRESH, {"timeliness": "ok", "freshness t": "ok"}, {"t": UTC}, {"timeliness": 50.0}),
    "timeliness: a zone": Case({"t": MOMENTS}, FRESH, {"timeliness": "ok", "freshness t": "ok"}, {"t": BERLIN}, {"timeliness": 50.0}),
    "timeliness: no zone is UTC": Case({"t": LOCAL}, FRESH, {"timeliness": "ok", "freshness t": "ok"}, {"t": PLAIN}, {"timeliness": 50.0}),
    "timeliness: old": Case({"t": [AT - 2 * HOUR, AT - HOUR]}, FRESH, {"timeliness": "FAIL", "freshness t": "FAIL"}, {"t": UTC}, {"timeliness": 0.0}),
    "timeliness: the future": Case({"t": [AT + HOUR, AT]}, FRESH, {"timeliness": "ok", "freshness t": "FAIL"}, {"t": UTC}, {"timeliness": 50.0}),
    "timeliness: days": Case({"t": [dt.date(2026, 11, 24), dt.date(2026, 11, 23)]}, {**FRESH, "freshness": "24 hours"}, {"timeliness": "ok", "freshness t": "ok"}, quality={"timeliness": 50.0}),
    "timeliness: nothing but nulls": Case({"t": [None, None]}, FRESH, {"timeliness": "FAIL", "freshness t": "unknown"}, {"t": UTC}, {"timeliness": 0.0}),
    "timeliness: no such column": Case({"t": [1]}, {**FRESH, "data_schema": {"timestamp_column": "u"}}, {"timeliness": "unknown", "freshness u": "unknown"}),
    "timeliness: no moments": Case({"t": ["x"]}, FRESH, {"timeliness": "unknown", "freshness t": "unknown"}),
    "excluded: in a struct": Case(
        {"contact": [{"email": "e", "city": "x"}]}, {"allowed_fields": ["contact"], "excluded_fields": ["email"]},
        {"allowed-fields": "ok", "excluded-fields": "FAIL"},
    ),
    "excluded: in a list of structs": Case(
        {"contacts": [[{"email": "e"}]]}, {"allowed_fields": ["contacts"], "excluded_fields": ["email"]}, {"excluded-fields": "FAIL"},
    ),
    "excluded: like it": Case(
        {"E-Mail": ["e"], "x": [1]}, {"allowed_fields": ["E-Mail", "x"], "excluded_fields": ["email"], "exclude_similar": True},
        {"excluded-fields": "FAIL"},
    ),
    "excluded: like it, and not asked": Case(
        {"E-Mail": ["e"]}, {"allowed_fields": ["E-Mail"], "excluded_fields": ["email"]}, {"excluded-fields": "ok"},
    ),
    "names that would hurt": Case(
        {"a b": [1, 2], "select": [1, None], "quote'\"": [1, 1]},
        {"allowed_fields": ["a b", "select", "quote'\""], "data_schema": {"fields": [
            {"name": "a b", "maximum": 1}, {"name": "select", "required": True}, {"name": "quote'\"", "unique": True}]}},
        {"range a b": 1, "required select": 1, "unique quote'\"": 1},
    ),
}  # fmt: skip


def as_pandas(frame):
    return frame.to_pandas(date_as_object=True)


def as_arrow_pandas(frame):
    return frame.to_pandas(use_pyarrow_extension_array=True)


def as_duckdb(frame):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set timezone='Asia/Tokyo'")
    connection.register("of_arrow", frame.to_arrow())
    return connection.sql("select * from of_arrow")


def as_parquet(frame, folder=None):
    import tempfile

    path = Path(folder or tempfile.mkdtemp()) / "case.parquet"
    frame.write_parquet(path)
    return path


class Spark:
    """One session, in another time zone than anything else here."""

    session = None

    def __call__(self, frame):
        from pyspark.sql import types

        if Spark.session is None:
            Spark.session = start_spark()
        fields = [types.StructField(name, _spark_type(types, dtype)) for name, dtype in frame.schema.items()]
        rows = [tuple(row.values()) for row in frame.rows(named=True)]
        return Spark.session.createDataFrame(rows, types.StructType(fields))


def _spark_type(types, dtype):
    if isinstance(dtype, pl.Decimal):
        return types.DecimalType(dtype.precision, dtype.scale)
    if isinstance(dtype, pl.Datetime):
        return types.TimestampType() if dtype.time_zone else types.TimestampNTZType()
    if isinstance(dtype, pl.Struct):
        return types.StructType([types.StructField(one.name, _spark_type(types, one.dtype)) for one in dtype.fields])
    if isinstance(dtype, pl.List):
        return types.ArrayType(_spark_type(types, dtype.inner))
    return {pl.Int64: types.LongType, pl.Float64: types.DoubleType, pl.String: types.StringType,
            pl.Boolean: types.BooleanType, pl.Date: types.DateType}[type(dtype) if not isinstance(dtype, type) else dtype]()  # fmt: skip


def start_spark():
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    for name, value in {
        "spark.sql.session.timeZone": "America/New_York", "spark.sql.shuffle.partitions": "1",
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "1g",
    }.items():  # fmt: skip
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def no_spark():
    """Why Spark cannot run here, "" where it can."""
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed"
    return "" if shutil.which("java") else "PySpark needs Java 17"


ENGINES = {
    "pandas": as_pandas,
    "pandas (Arrow)": as_arrow_pandas,
    "Polars": lambda frame: frame,
    "Polars lazy": lambda frame: frame.lazy(),
    "PyArrow": lambda frame: frame.to_arrow(),
    "DuckDB": as_duckdb,
    "Parquet": as_parquet,
    "PySpark": Spark(),
}
# Columns, and what the validator says of them under the seed's Customer contract with a completeness of 98; "" is True.
SEED_SAYS = [
    (CLEAN, ""),
    (
        {**CLEAN, "email": ["e"] * 5},
        "DataContractViolation: Unauthorized fields: {'email'}; PII fields included: {'email'}",
    ),
    ({**CLEAN, "iban": ["i"] * 5}, "DataContractViolation: Unauthorized fields: {'iban'}"),
    (
        {**CLEAN, "region": ["DE", None, None, None, "FR"]},
        "DataQualityViolation: Completeness below threshold: 80 %: region 40 %, expected at least 98 %",
    ),
]


def seed_says(engine):
    """What the validator says of each of these on an engine."""
    contract = DataContract.from_yaml(Path(__file__).parents[2] / "fixtures/frames/customer-98.yaml")
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if engine == "PySpark" else "error")
        for columns, _ in SEED_SAYS:
            try:
                said.append(
                    ""
                    if DataContractValidator().validate_output(ENGINES[engine](pl.DataFrame(columns)), contract)
                    else "False"
                )
            except ContractViolation as error:
                said.append(f"{type(error).__name__}: {error}")
    return said


_STATES = {"ok": "compliant", "FAIL": "non-compliant", "unknown": "unknown"}


def run(case, engine):
    """What is not as it should be; nothing where all is."""
    with warnings.catch_warnings():
        if engine == "PySpark":
            warnings.simplefilter("ignore")  # of PySpark about pandas, which is not used
        data = ENGINES[engine](case.frame())
        result = check_contract(data, DataContract(**case.contract), at=AT)
    found = {f"{check.check} {check.field}".strip(): check for check in result.checks}
    wrong = []
    for name, expected in case.expect.items():
        check = found.get(name)
        state = _STATES.get(expected, "non-compliant")
        if check is None:
            wrong.append(f"{name}: no such check among {sorted(found)}")
        elif check.state != state or (isinstance(expected, int) and check.broken != expected):
            wrong.append(
                f"{name}: {check.state}, {check.broken} broken ({check.observed or check.reason}), expected {expected}"
            )
    for name, value in case.quality.items():
        got = getattr(result.quality, name)
        if (got is None) != (value is None) or (value is not None and abs(got - value) > 1e-9):
            wrong.append(f"{name} is {got}, expected {value}")
    unexpected = {name for name, check in found.items() if check.state != "compliant"} - case.expect.keys()
    wrong += [
        f"{name}: {found[name].state} ({found[name].observed or found[name].reason})" for name in sorted(unexpected)
    ]
    return wrong


def table():
    """Prints cases x engines."""
    engines = [name for name in ENGINES if name != "PySpark" or not no_spark()]
    if reason := no_spark():
        print(f"PySpark is left out: {reason}")
    width = max(map(len, CASES))
    print(f"{'':{width}}  " + "  ".join(engines))
    right = 0
    for name, case in CASES.items():
        marks = ["ok" if not run(case, engine) else "FAIL" for engine in engines]
        right += marks.count("ok")
        print(
            f"{name:{width}}  "
            + "  ".join(f"{mark:{len(engine)}}" for mark, engine in zip(marks, engines, strict=True)),
            flush=True,
        )
    for engine in engines:
        print(
            f"the seed's validator on {engine}: {'as written' if seed_says(engine) == [words for _, words in SEED_SAYS] else 'OTHERWISE'}"
        )
    print(f"{right} of {len(CASES) * len(engines)}: {len(CASES)} cases on {len(engines)} engines")
    return right == len(CASES) * len(engines)


if __name__ == "__main__":
    sys.exit(not table())
