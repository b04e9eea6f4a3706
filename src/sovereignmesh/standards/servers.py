"""Where a product's data is had and what of it may be relied on: interfaces and servers, the sla and its properties."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.mesh.products import Interface, ServiceLevel
from sovereignmesh.mesh.values import age
from sovereignmesh.standards.reading import CUSTOM, customs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.standards.reading import Part
    from sovereignmesh.standards.words import Version

__all__ = ["read_servers", "read_sla", "write_servers", "write_sla"]

# A type of ours, without case -> the standard's; and back.
_KINDS: Final = {"api": "api", "sql": "sqlserver"}
_TYPES: Final = {"api": "API", "sqlserver": "SQL"}
_SQL: Final = ("host", "database", "schema")  # what a sqlserver cannot be without
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_PLACES: Final = ("location", "endpointUrl", "catalogUrl")  # an address that needs nothing else
_STEPS: Final = (  # what together is one, in this order
    "host", "account", "project", "serviceName", "catalog", "database", "dataset", "namespace", "path", "schema",
)  # fmt: skip
_HIDDEN: Final = {"authentication": "authentication", "accessLevel": "access_level", "rateLimit": "rate_limit"}
_UNITS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_AVAILABLE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


def write_servers(interfaces: Sequence[Interface], version: Version) -> list[dict[str, Any]]:
    """The servers of a contract, one for each interface."""
    return [_server(interface, number, version) for number, interface in enumerate(interfaces, 1)]


def read_servers(contract: Part) -> tuple[Interface, ...]:
    """The interfaces that a contract's servers are."""
    found = []
    for number, server in enumerate(contract.parts("servers"), 1):
        kind, endpoint = server.value["type"], _endpoint(server)
        if endpoint is None:
            server.source.note(server.path, "not taken over: it does not say where the server is")
            continue
        server.take("type")
        server.expect("server", f"{kind}-{number}")
        values: dict[str, Any] = {
            "type": server.custom("interfaceType") or _TYPES.get(kind, kind),
            "endpoint": endpoint,
            "scopes": tuple(role.get("role") for role in server.parts("roles")),
        }
        values |= {key: server.custom(key) for key in _HIDDEN}
        places = {key: server.place_of(key) or server.path for key in values}
        found.append(server.build(Interface, values, places))
    return tuple(found)


def write_sla(level: ServiceLevel, timestamp: str | None, table: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The properties of a service level, and what of it they do not say as it was written.

    `timestamp` is the column of the object `table` that freshness goes by.
    """
    written: list[dict[str, Any]] = []
    hidden: dict[str, Any] = {}
    if level.availability is not None:
        written.append({"property": "availability", "value": level.availability, "unit": "percent"})
    if level.latency is not None:
        written.append({"property": "latency", "value": level.latency})
    if level.freshness is not None:
        number, unit = _span(level.freshness)
        element = {"element": f"{table}.{timestamp}"} if timestamp and "," not in timestamp else {}
        written.append({"property": "freshness", "value": number, "unit": unit, **element})
        hidden["freshness"] = level.freshness if level.freshness != f"{number} {unit}" else None
    else:
        element = {}
    hidden["timestampColumn"] = timestamp if not element else None
    return written, hidden


def read_sla(contract: Part, table: str) -> tuple[ServiceLevel | None, str | None]:
    """The service level and the column that its freshness goes by; None for what the contract does not say."""
    values: dict[str, Any] = {}
    places: dict[str, Any] = {}
    timestamp = contract.custom("timestampColumn")
    names = {item.value["property"].casefold() for item in contract.parts("slaProperties")}
    for item in contract.parts("slaProperties"):
        key = {"av": "availability", "ly": "latency"}.get(word := item.value["property"].casefold(), word)
        column = _column(item, table)
        if key == "latency" and column and "freshness" not in names:
            key = "freshness"  # the standard prefers latency to freshness as the word for how old data is
            item.source.note(
                (*item.path, "property"), "the latency of a column is taken as freshness: the age of its newest row"
            )
        if key in values or key not in _READ or (value := _READ[key](item, contract)) is None:
            continue
        item.take("property", "value", "unit")
        values[key], places[key] = value, (*item.path, "value")
        if key == "freshness" and column and timestamp in (None, column):
            item.take("element")
            timestamp = column
    return (contract.build(ServiceLevel, values, places) if values else None), timestamp


def _server(interface: Interface, number: int, version: Version) -> dict[str, Any]:
    kind, steps = _KINDS.get(interface.type.casefold()), interface.endpoint.split("/")
    if kind == "api" and _URI.fullmatch(interface.endpoint):
        place = {"location": interface.endpoint}
    elif kind == "sqlserver" and len(steps) == len(_SQL) and all(steps):
        place = dict(zip(_SQL, steps, strict=True))
    else:  # the standard wants more of such a server than is known: its own type wants nothing
        kind = "custom"
        place = {"location" if _URI.fullmatch(interface.endpoint) else "host": interface.endpoint}
    hidden = {key: getattr(interface, name) for key, name in _HIDDEN.items()}
    hidden["interfaceType"] = interface.type if _TYPES.get(kind) != interface.type else None
    written = customs(version, hidden)
    return {
        "server": f"{kind}-{number}",
        "type": kind,
        **place,
        **({"roles": [{"role": scope} for scope in interface.scopes]} if interface.scopes else {}),
        **({CUSTOM: written} if written else {}),
    }


def _endpoint(server: Part) -> str | None:
    """The address of a server, made of the keys that are taken."""
    for key in _PLACES:
        if isinstance(found := server.value.get(key), str):
            server.take(key)
            return found
    steps = {key: server.value[key] for key in _STEPS if isinstance(server.value.get(key), str)}
    server.take(*steps)
    if "host" in steps and isinstance(port := server.value.get("port"), int | str):
        server.take("port")
        steps["host"] += f":{port}"
    return "/".join(steps.values()) or None


def _span(text: str) -> tuple[int | float, str]:
    """A duration as a number and the largest unit that it is a whole number of."""
    span = age(text)
    assert span is not None, "the model has checked it"
    seconds = span.total_seconds()
    unit, size = next(((unit, size) for unit, size in _UNITS if not seconds % size), _UNITS[-1])
    number = int(seconds // size) if not seconds % size else seconds
    return number, unit if number == 1 else f"{unit}s"


def _column(item: Part, table: str) -> str | None:
    """The column that a property of the service level goes by, where it is one of this table."""
    element = item.value.get("element")
    if not element or "," in element:
        return None
    column = str(element).removeprefix(f"{table}.")
    return column if column != element or "." not in column else None


def _availability(item: Part, _contract: Part) -> float | None:
    value = item.value["value"]
    told = _AVAILABLE.fullmatch(value.strip()) if isinstance(value, str) else None
    if told and item.value.get("unit") in (None, "%", "percent"):
        return float(told[1])
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and item.value.get("unit") in ("%", "percent") else None


def _latency(item: Part, _contract: Part) -> str | None:
    return _told(item)


def _freshness(item: Part, contract: Part) -> str | None:
    said, hidden = _told(item), contract.custom("freshness", take=False)
    if (
        isinstance(hidden, str)
        and age(hidden) is not None
        and _span(hidden) == (item.value["value"], item.value.get("unit"))
    ):
        contract.custom("freshness")
        return hidden
    return said if said and age(said) is not None else None


def _told(item: Part) -> str | None:
    """Number and unit in words."""
    value, unit = item.value["value"], item.value.get("unit")
    if value is None or isinstance(value, bool):
        return None
    return f"{value} {unit}" if unit else str(value)


_READ: Final = {"availability": _availability, "latency": _latency, "freshness": _freshness}
