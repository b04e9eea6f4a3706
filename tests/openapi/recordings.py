"""Recorded exchanges with Purview, in the two formats that there are."""

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import yaml

_PLACEHOLDER = re.compile(r"^https://endpoint/")
_VERSIONS = {"2022-05-01-preview": "2023-10-01-preview"}  # of workflows: the nearest that there is a specification of


@dataclass(frozen=True)
class Recorded:
    """A recorded exchange, at the address that the specifications have today; bodies are bytes or None."""

    id: str
    method: str
    url: str
    body: bytes | None
    status: int
    answer: bytes | None


def recordings(folder):
    """Every recorded exchange below a folder."""
    for path in sorted(folder.rglob("*.json")):
        for number, entry in enumerate(json.loads(path.read_bytes())["Entries"]):
            yield Recorded(
                f"{path.relative_to(folder)}[{number}]",
                entry["RequestMethod"],
                _address(entry["RequestUri"]),
                _bytes(entry["RequestBody"]),
                entry["StatusCode"],
                _bytes(entry["ResponseBody"]),
            )
    for path in sorted(folder.rglob("*.yaml")):
        cassette = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        for number, entry in enumerate(cassette["interactions"]):
            yield Recorded(
                f"{path.relative_to(folder)}[{number}]",
                entry["request"]["method"],
                _address(entry["request"]["uri"]),
                _bytes(entry["request"]["body"]),
                entry["response"]["status"]["code"],
                _bytes(entry["response"]["body"]["string"]),
            )


def _address(url):
    """Where the same is asked today: the Data Map was the catalog, and scanning had a host of its own."""
    parts = urlsplit(_PLACEHOLDER.sub("https://contoso.purview.azure.com/", url))
    host, path, query = parts.netloc, parts.path, parts.query
    if path.startswith("/datasources") and host == "contoso.purview.azure.com":
        path = f"/scan{path}"
    if host.endswith(".catalog.purview.azure.com"):
        host, path = host.replace(".catalog", ""), f"/catalog{path}"
    if path.startswith("/catalog/api/"):
        path = path.replace("/catalog/api/", "/datamap/api/")
        query = query.replace("api-version=2022-03-01-preview", "api-version=2023-09-01")
    for old, new in _VERSIONS.items():
        query = query.replace(f"api-version={old}", f"api-version={new}")
    return urlunsplit((parts.scheme, host, path, query, ""))


def _bytes(body):
    if body is None or body in ("", []):  # an empty one was recorded as any of these
        return None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
