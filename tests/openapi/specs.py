"""The official specifications, and whether a request or an answer fits them."""

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from openapi.exceptions import NULL_NUMBERS, SENT_ANYWAY
from openapi.hosts import route
from openapi.parameters import check_query, check_value
from openapi.schemas import SOFT, Schemas, error_of
from openapi.unified import NAME as UNIFIED
from openapi.unified import SPEC

# Each family by its versions, the newest last.
_FOLDERS = {
    "scanning": {"2018-12-01-preview": "scanning-2018-12-01-preview", "2023-09-01": "scanning-2023-09-01"},
    "account": {"2019-11-01-preview": "account-2019-11-01-preview", "2023-10-01-preview": "account-2023-10-01-preview"},
    "policies": {"2021-07-01-preview": "metadatapolicies-2021-07-01-preview"},
    "datamap": {"2023-09-01": "datamap-2023-09-01"},
    "workflow": {"2023-10-01-preview": "workflow-2023-10-01-preview"},
    "unified": {"2026-03-20-preview": UNIFIED},
    # azure-mgmt-purview sends 2021-07-01, for which there is no specification here: its operations are among these.
    "arm": {"2021-07-01": "arm-purview-2021-12-01", "2021-12-01": "arm-purview-2021-12-01"},
}
_TEXT = {"type": "string"}
_ATLAS = {
    "type": "object",
    "required": ["errorCode", "errorMessage"],
    "properties": {"requestId": _TEXT, "errorCode": _TEXT, "errorMessage": _TEXT},
}
_ERROR = {"type": "object", "required": ["code", "message"], "properties": {"code": _TEXT, "message": _TEXT}}
_ERRORS = {"type": "object", "required": ["error"], "properties": {"error": _ERROR}}
_GATEWAY = frozenset({401, 403, 429})  # said, as everything from 500 on, by what stands before the Data Map


@dataclass(frozen=True)
class Operation:
    """One operation of one specification; `id` is FOLDER/OPERATION."""

    id: str
    family: str
    method: str
    path: str
    raw: dict = field(repr=False)
    pattern: re.Pattern = field(repr=False)
    rank: tuple = field(repr=False)
    query: dict = field(repr=False)
    in_path: dict = field(repr=False)
    body: dict | None = field(repr=False)
    form: bool = field(repr=False)
    schemas: Schemas = field(repr=False)


def load_specs(folder):
    """The specifications in the folders of `folder`, and the Unified Catalog's, which is written here.

    A validator is made when it is first needed.
    """
    found = {UNIFIED: list(_operations(UNIFIED, "unified", SPEC))}
    for family, versions in _FOLDERS.items():
        for name in dict.fromkeys(versions.values()):
            if name == UNIFIED:
                continue
            (path,) = (folder / name).glob("*.json")
            found[name] = list(_operations(name, family, json.loads(path.read_bytes())))
    return Specs(found)


class Specs:
    """Every operation that there is. `operations` has them by their ids."""

    def __init__(self, found):
        self.operations = {operation.id: operation for many in found.values() for operation in many}
        self._index = {}
        for name, many in found.items():
            for operation in many:
                self._index.setdefault((name, operation.path.count("/")), []).append(operation)
        # The lists of what comes with every account are the same in each answer.
        self._wrong_in = lru_cache(maxsize=256)(self._check_response)

    def find(self, method, url):
        """The operation that a request is for or None, its path within the family, and what is wrong with that."""
        family, path = route(url)
        if family is None:
            return None, path, [f"no specification has {url}"]
        versions = _FOLDERS[family]
        asked = dict(parse_qsl(urlsplit(url).query)).get("api-version", next(reversed(versions)))
        if asked not in versions:
            return None, path, [f"no specification of {family} has the api-version {asked}"]
        name = versions[asked]
        there = [it for it in self._index.get((name, path.count("/")), ()) if it.pattern.fullmatch(path)]
        fits = [operation for operation in there if operation.method == method]
        if not fits:
            methods = ", ".join(sorted({operation.method for operation in there}))
            why = f"only {methods}" if methods else "nothing"
            return None, path, [f"{method} {path}: {name} has {why} there"]
        best = min(operation.rank for operation in fits)
        first, *others = (operation for operation in fits if operation.rank == best)
        return first, path, [f"{path} is {first.id} and {other.id}" for other in others]

    def check_request(self, method, url, body, *, also=(), soft=None):
        """The id of the operation or None, and all that does not fit it.

        `body` is bytes or None. `also` are names of query parameters which the service itself has put into a link that
        is followed. `soft` is a list that gets the words outside of open enums; they are not errors.
        """
        operation, path, wrong = self.find(method, url)
        if operation is None:
            return None, wrong
        values = operation.pattern.fullmatch(path).groups()
        for (name, declared), value in zip(operation.in_path.items(), values, strict=True):
            wrong += [f"{name}: {it}" for it in check_value(declared, unquote(value))]
        wrong += check_query(operation, parse_qsl(urlsplit(url).query, keep_blank_values=True), also)
        return operation.id, wrong + _check_body(operation, body, [] if soft is None else soft)

    def check_response(self, operation_id, status, body):
        """All that does not fit in an answer; `body` is bytes or None."""
        return list(self._wrong_in(operation_id, status, body))

    def _check_response(self, operation_id, status, body):
        operation = self.operations[operation_id]
        try:
            value = orjson.loads(body) if body else None
        except orjson.JSONDecodeError as error:
            return [f"the body is no JSON: {error}"]
        declared = operation.raw["responses"].get(str(status))
        if declared is None:
            return _check_error(operation, status, value) if status >= 400 else [f"status {status} is not declared"]
        if "schema" not in declared:
            return []
        if not body:
            return [f"there is no body with status {status}"]
        errors = operation.schemas.errors(declared["schema"], value, sent=False)
        return [
            _told(error) for error in errors if not (_kind(error) == "null" and error.absolute_path[-1] in NULL_NUMBERS)
        ]


def _operations(name, family, spec):
    schemas, shared = Schemas(spec["definitions"]), spec.get("parameters", {})
    for path, methods in spec["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        pattern = "([^/]+)".join(re.escape(part) for part in re.split(r"\{\w+\}", path))
        for method, raw in methods.items():
            parameters = [_resolved(one, shared) for one in raw.get("parameters", ())]
            by = {where: {one["name"]: one for one in parameters if one["in"] == where} for where in ("query", "path")}
            yield Operation(
                id=f"{name}/{raw['operationId']}",
                family=family,
                method=method.upper(),
                path=path,
                raw=raw,
                pattern=re.compile(pattern, re.IGNORECASE if family == "arm" else 0),
                # A literal segment wins over one with a template in it, and that over one that is nothing else.
                rank=tuple(2 if re.fullmatch(r"\{\w+\}", it) else int("{" in it) for it in path.split("/")),
                query=by["query"],
                in_path={one: by["path"].get(one, {"type": "string"}) for one in names},
                body=next((one for one in parameters if one["in"] == "body"), None),
                form=any(one["in"] == "formData" for one in parameters),
                schemas=schemas,
            )


def _resolved(parameter, shared):
    return shared[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter


def _check_body(operation, body, soft):
    if operation.form:
        return [] if body else ["there is no form"]
    if operation.body is None:
        return ["there is a body where none belongs"] if body else []
    if not body:
        return ["there is no body"] if operation.body.get("required") else []
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return [f"the body is no JSON: {error}"]
    hard = []
    for error in operation.schemas.errors(operation.body.get("schema", {}), value, sent=True):
        if error.validator == SOFT:
            soft.append(f"{operation.id} {_told(error)}")
        elif (operation.id, _place(error), _kind(error)) not in SENT_ANYWAY:
            hard.append(_told(error))
    return hard


def _check_error(operation, status, value):
    other = isinstance(value, dict) and "error" in value and (status in _GATEWAY or status >= 500)
    model = _ATLAS if operation.family == "datamap" and not other else _ERRORS
    wrong = error_of(model, value)
    return [f"the error of status {status}: {wrong}"] if wrong else []


def _told(error):
    message = error.message if len(error.message) < 300 else f"{error.message[:200]} ... {error.message[-90:]}"
    return f"{error.json_path}: {message}"


def _kind(error):
    return "null" if error.instance is None and error.validator == "type" and error.absolute_path else error.validator


def _place(error):
    """Where an error is, with a star for each index."""
    return ".".join("*" if isinstance(part, int) else part for part in error.absolute_path)
