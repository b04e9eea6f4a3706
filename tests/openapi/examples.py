"""The examples that the specifications come with, as exchanges."""

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from openapi.hosts import ARM, UNIFIED

_ROOTS = {
    "scanning": "https://contoso.purview.azure.com/scan",
    "account": "https://contoso.purview.azure.com/account",
    "policies": "https://contoso.purview.azure.com/policyStore",
    "datamap": "https://contoso.purview.azure.com/datamap/api",
    "workflow": "https://contoso.purview.azure.com/workflow",
    "arm": f"https://{ARM}",
    "unified": f"https://{UNIFIED}/datagovernance/catalog",
}


@dataclass(frozen=True)
class Example:
    """A request, and its answers by status; bodies are bytes or None. `id` is FOLDER/FILE without its ending."""

    id: str
    operation: str
    method: str
    url: str
    body: bytes | None
    answers: dict[int, bytes | None]


def examples(specs, folder):
    """Every example of every specification that was loaded from `folder`."""
    for operation in specs.operations.values():
        name = operation.id.partition("/")[0]
        for title, reference in operation.raw.get("x-ms-examples", {}).items():
            if "value" in reference:  # in place, not in a file beside
                yield _example(f"{name}/{title}", operation, reference["value"])
                continue
            path = folder / name / reference["$ref"]
            yield _example(f"{name}/{path.stem}", operation, json.loads(path.read_bytes()))


def _example(identity, operation, raw):
    # The endpoint stands in the host; how it is spelt differs.
    given = {key: value for key, value in raw["parameters"].items() if key.lower() != "endpoint"}
    path = operation.path
    for name in operation.in_path:
        path = path.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=""))
    body = None
    if operation.body is not None:
        body = given.pop(operation.body["name"], None)
    elif operation.form:
        body = given.pop("file")
    query = {key.replace("attr_N:", "attr_1:"): _text(value) for key, value in given.items()}
    return Example(
        identity,
        operation.id,
        operation.method,
        f"{_ROOTS[operation.family]}{path}?{urlencode(query, doseq=True)}",
        None if body is None else json.dumps(body).encode(),
        {
            int(status): json.dumps(answer["body"]).encode() if answer.get("body") is not None else None
            for status, answer in raw["responses"].items()
        },
    )


def _text(value):
    return json.dumps(value) if isinstance(value, bool | dict) else value
