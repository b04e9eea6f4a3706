"""Prints every Resource Graph query that we send, as JSON: for a parser, and for the sandbox."""

from __future__ import annotations

import json

from sovereignmesh.azure import queries
from sovereignmesh.facts import properties_read


def all_queries() -> dict[str, str]:
    """By name, as they are sent; the longest is that for an estate which has all types that the tables know."""
    properties = properties_read()
    return {
        "count resources": queries.COUNT_RESOURCES,
        "count containers": queries.COUNT_CONTAINERS,
        "containers": queries.CONTAINERS,
        "management groups above": queries.ANCESTORS,
        "resources": queries.list_resources(),
        "resources, trimmed": queries.list_resources(properties, properties),
    }


if __name__ == "__main__":
    print(json.dumps(all_queries()))
