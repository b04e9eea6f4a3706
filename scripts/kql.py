"""Prints every Resource Graph query that we send, as JSON: for a parser, and for the sandbox."""

from __future__ import annotations

import json

from sovereignmesh.audit.azure_policy import cited_definitions
from sovereignmesh.azure import queries
from sovereignmesh.facts import properties_read

# The Microsoft cloud security benchmark, which every subscription with Defender for Cloud has.
_SET = "/providers/microsoft.authorization/policysetdefinitions/1f3afdf9-d0c9-4c3d-847f-89da613e70a8"


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
        "resources of some types": queries.list_resources_of(["Microsoft.Sql/servers"]),
        "policy assignments": queries.POLICY_ASSIGNMENTS,
        "policy exemptions": queries.POLICY_EXEMPTIONS,
        "policy states": queries.list_policy_states(cited_definitions()),
        "policy initiatives": queries.list_policy_sets([_SET]),
    }


if __name__ == "__main__":
    print(json.dumps(all_queries()))
