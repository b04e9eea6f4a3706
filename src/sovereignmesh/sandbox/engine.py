"""Runs Resource Graph queries on the rows that a caller may see, in DuckDB."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
import duckdb_kql
import orjson

from sovereignmesh.sandbox.kql import read_query
from sovereignmesh.sandbox.nulls import Nulls
from sovereignmesh.sandbox.tables import HELD, HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Rows = Callable[[], Mapping[str, Iterable[dict[str, Any]]]]

__all__ = [
    "Answer",
    "Column",
    "Engine",
    "Scope",
    "UnknownColumnError",
    "UnknownTableError",
    "UnsupportedError",
    "object_rows",
]

_POLICY: Final = "policyresources"
_SUBSCRIPTION: Final = 'lower("subscriptionId")'
_PLACE: Final = "regexp_replace(lower(id), '/providers/[^/]+/[^/]+/[^/]+$', '')"  # what a policy, or a state, is of
_HIDDEN_AGAIN: Final = re.compile(rf"{HIDDEN}\d*")  # a join adds a number
_REMEMBERED: Final = 64  # answers, for the pages that follow and for the sandboxes that share an engine
_TYPES: Final = {
    "VARCHAR": "string", "JSON": "object", "BOOLEAN": "boolean", "DOUBLE": "number", "BIGINT": "integer",
    "INTEGER": "integer", "HUGEINT": "integer", "TIMESTAMP": "datetime",
}  # fmt: skip
_NO_TABLE: Final = re.compile(r"Table with name (\S+) does not exist")
_NO_COLUMN: Final = re.compile(r'[Cc]olumn "([^"]+)" (?:not found in FROM clause|referenced that exists in the SELECT)')


class UnknownTableError(Exception):
    """A table that is not there; its name is the argument."""


class UnknownColumnError(Exception):
    """A column that is not there; its name is the argument."""


class UnsupportedError(Exception):
    """What the engine cannot run, and why."""


class Column(NamedTuple):
    """A column of an answer; `type` in Resource Graph's words."""

    name: str
    type: str


class Answer(NamedTuple):
    """All rows of a query. `limited`: the query itself says how many."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    limited: bool


class Scope(NamedTuple):
    """What a query looks at; ids of subscriptions and paths are in lower case.

    `subscriptions` are those whose rows count, "" for rows that are of none. Of policies the rows count that are
    anywhere in the subscriptions `whole`, and those that are of one of the `places` itself.
    """

    subscriptions: frozenset[str]
    whole: frozenset[str]
    places: frozenset[str]


class Engine:
    """The tables, loaded when they have changed. Any number of threads may ask; nobody changes an answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: int | None = None
        self._narrowed = False  # to `_scope`
        self._scope: Scope | None = None
        self._answers: OrderedDict[tuple[str, Scope | None], Answer] = OrderedDict()
        self._nulls = Nulls()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def run(self, text: str, scope: Scope | None, version: int, rows: Rows) -> Answer:
        """The answer to a query (`scope` None: of the whole tenant). `rows` gives the rows of every table that is HELD.

        They are taken where they are of another version than before. Raises ParserFailure, UnknownTableError,
        UnsupportedError.
        """
        with self._lock:
            if self._loaded != version:
                self._load(version, rows)
            key = (text, scope)
            if key not in self._answers:
                self._answers[key] = self._run(text, scope)
                while len(self._answers) > _REMEMBERED:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            return self._answers[key]

    def _load(self, version: int, rows: Rows) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = duckdb_kql.connect()
            connection.execute(
                "CREATE SCHEMA held"
            )  # out of a query's sight; names of its own, or duckdb-kql takes neither
        self._answers.clear()
        self._nulls = Nulls()
        for table, held in rows().items():
            _fill(connection, table, [self._nulls.without(row) for row in held])
        self._loaded, self._narrowed = version, False

    def _run(self, text: str, scope: Scope | None) -> Answer:
        query = read_query(text)
        connection = self._connection
        assert connection is not None, "`run` loads first"
        if not self._narrowed or self._scope != scope:
            _narrow(connection, scope)
            self._narrowed, self._scope = True, scope
        try:
            rows = connection.execute(_in_sql(query.text)).fetchall()
            described = [(str(name), str(kind)) for name, kind, *_ in connection.description or ()]
        except duckdb.CatalogException as error:
            missing = _NO_TABLE.search(str(error))
            raise (UnknownTableError(missing[1]) if missing else UnsupportedError(str(error))) from error
        except duckdb.BinderException as error:
            missing = _NO_COLUMN.search(str(error))
            raise (UnknownColumnError(missing[1]) if missing else UnsupportedError(str(error))) from error
        except duckdb_kql.KqlSyntaxError as error:
            query.fail()
            raise UnsupportedError(str(error)) from error
        except duckdb_kql.KqlSchemaError as error:
            no_table = "(unknown table" in str(error)
            raise (UnknownTableError(error.name) if no_table else UnsupportedError(str(error))) from error
        except (duckdb.Error, duckdb_kql.KqlError) as error:
            raise UnsupportedError(str(error).splitlines()[0]) from error
        kept = [
            (index, name, kind)
            for index, (name, kind) in enumerate(described)
            if query.hidden or not _HIDDEN_AGAIN.fullmatch(name)
        ]
        converted = [tuple(_value(row[index], kind) for index, _, kind in kept) for row in rows]
        columns = tuple(Column(name, _column_type(kind)) for _, name, kind in kept)
        return Answer(columns, self._nulls.restored([name for _, name, _ in kept], converted), query.limited)


@lru_cache(maxsize=64)
def _in_sql(query: str) -> str:
    """The query in SQL. Long ones take half a second, and every sandbox is asked the same."""
    found = duckdb_kql.to_sql(
        query, schema={table: list(columns) for table, columns in HELD.items()}, allow_write=False
    )
    if found.parameters or found.unbound:
        raise UnsupportedError("query parameters")
    return str(found)


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    shape = orjson.dumps([HELD[table]]).decode()
    connection.execute(
        f"CREATE OR REPLACE TABLE held.all_{table} AS SELECT r.* FROM (SELECT unnest(from_json(?, '{shape}')) AS r)",  # noqa: S608
        [orjson.dumps(list(rows)).decode()],
    )


def _narrow(connection: duckdb.DuckDBPyConnection, scope: Scope | None) -> None:
    """Makes the tables of the query: what is in its scope alone."""
    for table in HELD:
        where = ""
        if scope is not None and table == _POLICY:
            where = f" WHERE {_is_among(_SUBSCRIPTION, scope.whole)} OR {_is_among(_PLACE, scope.places)}"
        elif scope is not None:
            where = f" WHERE {_is_among(_SUBSCRIPTION, scope.subscriptions)}"
        connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM held.all_{table}{where}")  # noqa: S608


def _is_among(expression: str, values: Iterable[str]) -> str:
    listed = ", ".join("'{}'".format(value.replace("'", "''")) for value in sorted(values))
    return f"{expression} IN ({listed})" if listed else "false"


def _column_type(kind: str) -> str:
    return "object" if kind.endswith("[]") else _TYPES.get(kind, "string")


def _value(value: Any, kind: str) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if kind == "JSON":
        return orjson.loads(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().removesuffix("+00:00") + "Z"
    if isinstance(value, list):
        inner = kind.removesuffix("[]")
        return [_value(item, inner) for item in value]
    return str(value)


def object_rows(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as objects."""
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]
