"""Runs Resource Graph queries on the rows that a caller may see, in DuckDB."""

from __future__ import annotations

import datetime as dt
import re
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
import duckdb_kql
import orjson

from sovereignmesh.sandbox.kql import read_query
from sovereignmesh.sandbox.nulls import Nulls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Answer", "Column", "Engine", "UnknownColumnError", "UnknownTableError", "UnsupportedError", "object_rows"]

_TEXTS: Final = (
    "id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy",
)  # fmt: skip
_OBJECTS: Final = ("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation")
_HIDDEN: Final = "apiVersion"
_TABLES: Final = ("resources", "resourcecontainers")
_COLUMNS: Final = {
    **dict.fromkeys(_TEXTS, "VARCHAR"), **dict.fromkeys(_OBJECTS, "JSON"), _HIDDEN: "VARCHAR",
}  # fmt: skip
_HIDDEN_AGAIN: Final = re.compile(rf"{_HIDDEN}\d*")  # a join adds a number
_REMEMBERED: Final = 8  # answers, for the pages that follow
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


class Engine:
    """Tables of resources and their containers, loaded when they have changed."""

    def __init__(self, rows: Callable[[], tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> None:
        """`rows` gives the rows of `resources` and of `resourcecontainers`."""
        self._rows = rows
        self._loaded: int | None = None
        self._scope: frozenset[str] | None = frozenset()
        self._answers: OrderedDict[tuple[str, frozenset[str] | None], Answer] = OrderedDict()
        self._nulls = Nulls()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def run(self, text: str, subscriptions: frozenset[str] | None, version: int) -> Answer:
        """The answer to a query over some subscriptions (lower-case ids; None: the whole tenant).

        Raises ParserFailure, UnknownTableError, UnsupportedError.
        """
        if self._loaded != version:
            self._load(version)
        key = (text, subscriptions)
        if key not in self._answers:
            self._answers[key] = self._run(text, subscriptions)
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return self._answers[key]

    def _load(self, version: int) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = duckdb_kql.connect()
            connection.execute(
                "CREATE SCHEMA held"
            )  # out of a query's sight; names of its own, or duckdb-kql takes neither
        self._answers.clear()
        self._nulls = Nulls()
        for table, rows in zip(_TABLES, self._rows(), strict=True):
            _fill(connection, f"held.all_{table}", [self._nulls.without(row) for row in rows])
        self._loaded, self._scope = version, frozenset()

    def _run(self, text: str, subscriptions: frozenset[str] | None) -> Answer:
        query = read_query(text)
        connection = self._connection
        assert connection is not None, "`run` loads first"
        if self._scope != subscriptions:
            _narrow(connection, subscriptions)
            self._scope = subscriptions
        try:
            relation = connection.sql(_in_sql(query.text))
            rows = relation.fetchall()
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
        kinds = [str(kind) for kind in relation.types]
        kept = [
            index for index, name in enumerate(relation.columns) if query.hidden or not _HIDDEN_AGAIN.fullmatch(name)
        ]
        names = [relation.columns[index] for index in kept]
        converted = [tuple(_value(row[index], kinds[index]) for index in kept) for row in rows]
        columns = tuple(Column(name, _column_type(kinds[index])) for name, index in zip(names, kept, strict=True))
        return Answer(columns, self._nulls.restored(names, converted), query.limited)


@lru_cache(maxsize=64)
def _in_sql(query: str) -> str:
    """The query in SQL. Long ones take half a second, and every sandbox is asked the same."""
    found = duckdb_kql.to_sql(query, schema={table: list(_COLUMNS) for table in _TABLES}, allow_write=False)
    if found.parameters or found.unbound:
        raise UnsupportedError("query parameters")
    return str(found)


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    shape = orjson.dumps([_COLUMNS]).decode()
    connection.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT r.* FROM (SELECT unnest(from_json(?, '{shape}')) AS r)",  # noqa: S608
        [orjson.dumps(list(rows)).decode()],
    )


def _narrow(connection: duckdb.DuckDBPyConnection, subscriptions: frozenset[str] | None) -> None:
    """Makes the tables of the query: those of the subscriptions alone, or everything with the management groups."""
    for table in _TABLES:
        where = ""
        if subscriptions is not None:
            listed = ", ".join("'{}'".format(identity.replace("'", "''")) for identity in sorted(subscriptions))
            where = f' WHERE lower("subscriptionId") IN ({listed})'
        connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM held.all_{table}{where}")  # noqa: S608


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
