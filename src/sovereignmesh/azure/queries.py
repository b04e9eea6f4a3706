"""The Resource Graph queries that we send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ANCESTORS",
    "CONTAINERS",
    "COUNT_CONTAINERS",
    "COUNT_RESOURCES",
    "POLICY_ASSIGNMENTS",
    "POLICY_EXEMPTIONS",
    "list_policy_sets",
    "list_policy_states",
    "list_resources",
    "list_resources_of",
]

_SUBSCRIPTIONS_AND_GROUPS: Final = (
    "resourcecontainers\n"
    "| where type in~ ('microsoft.resources/subscriptions', 'microsoft.resources/subscriptions/resourcegroups')\n"
)
COUNT_CONTAINERS: Final = (
    f"{_SUBSCRIPTIONS_AND_GROUPS}| summarize rows = count() by subscriptionId\n| order by subscriptionId asc"
)
COUNT_RESOURCES: Final = (
    "resources\n| summarize rows = count(), types = make_set(type) by subscriptionId\n| order by subscriptionId asc"
)
CONTAINERS: Final = (
    f"{_SUBSCRIPTIONS_AND_GROUPS}| project id, name, type, location, tags, managedBy, apiVersion\n| order by id asc"
)
ANCESTORS: Final = (
    "resourcecontainers\n"
    "| where type =~ 'microsoft.resources/subscriptions'\n"
    "| project subscriptionId, ancestors = properties.managementGroupAncestorsChain\n"
    "| order by subscriptionId asc"
)
# https://learn.microsoft.com/azure/governance/policy/samples/resource-graph-samples
POLICY_ASSIGNMENTS: Final = (
    "policyresources\n"
    "| where type =~ 'microsoft.authorization/policyassignments'\n"
    "| project id, displayName = tostring(properties.displayName), "
    "policyDefinitionId = tostring(properties.policyDefinitionId)\n"
    "| order by id asc"
)
# https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure
POLICY_EXEMPTIONS: Final = (
    "policyresources\n"
    "| where type =~ 'microsoft.authorization/policyexemptions'\n"
    "| project id, name, policyAssignmentId = tostring(properties.policyAssignmentId), "
    "policyDefinitionReferenceIds = properties.policyDefinitionReferenceIds, "
    "exemptionCategory = tostring(properties.exemptionCategory), expiresOn = tostring(properties.expiresOn), "
    "displayName = tostring(properties.displayName), description = tostring(properties.description), "
    "resourceSelectors = properties.resourceSelectors\n"
    "| order by id asc"
)


def list_policy_states(definitions: Iterable[str]) -> str:
    """The query for the compliance states of Azure Policy definitions, which are given by name (built-ins: a GUID)."""
    return (
        "policyresources\n"
        "| where type =~ 'microsoft.policyinsights/policystates'\n"
        f"| where tostring(properties.policyDefinitionName) in~ ({_listed(definitions)})\n"
        "| project id, resourceId = tostring(properties.resourceId), "
        "complianceState = tostring(properties.complianceState), "
        "policyDefinitionId = tostring(properties.policyDefinitionId), "
        "policyAssignmentId = tostring(properties.policyAssignmentId), "
        "policyDefinitionReferenceId = tostring(properties.policyDefinitionReferenceId), "
        "timestamp = tostring(properties.timestamp)\n"
        "| order by id asc"
    )


def list_resources_of(types: Iterable[str]) -> str:
    """Resources of some types (as Azure spells them, in any case), with all that tells what and where they are."""
    wanted = ", ".join(f"'{kind}'" for kind in sorted(types))
    return (
        f"resources\n| where type in~ ({wanted})\n"
        "| project id, name, type, kind, location, tags, subscriptionId, resourceGroup, properties\n| order by id asc"
    )


def list_policy_sets(ids: Iterable[str]) -> str:
    """The query for the members of initiatives, which are given by id; one whose id is not plain is left out."""
    return (
        "policyresources\n"
        "| where type =~ 'microsoft.authorization/policysetdefinitions'\n"
        f"| where id in~ ({_listed(ids)})\n"
        "| project id, policyDefinitions = properties.policyDefinitions\n"
        "| order by id asc"
    )


def _listed(names: Iterable[str]) -> str:
    """Names as a list of strings in a query; those that could be more than a string there are left out."""
    return ", ".join(
        f"'{name}'" for name in sorted({name.lower() for name in names}) if "'" not in name and _fits(name)
    )


def _fits(name: str) -> bool:
    return name.isprintable() and "\\" not in name


def list_resources(types: Iterable[str] = (), properties: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """The query for all resources with the columns that an audit reads.

    Of the `types` that are there, `properties` says what inside their `properties` column is wanted: for one that it
    does not name, nothing. A type that is not among `types` keeps the whole column, as all do without `properties`.
    """
    return (
        "resources\n"
        "| project id, name, type, kind, location, sku, tags, managedBy, apiVersion, "
        f"properties = {_trimmed(types, properties) if properties else 'properties'}\n"
        "| order by id asc"
    )


def _trimmed(types: Iterable[str], properties: Mapping[str, tuple[str, ...]]) -> str:
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in sorted({name.lower() for name in types if _is_plain(name)}):
        alike.setdefault(properties.get(name, ()), []).append(name)
    if not alike:
        return "properties"
    cases = ["isnull(properties), properties"]
    for names, of_types in sorted(alike.items()):
        packed = ", ".join(f"'{name}', properties.{name}" for name in names)
        listed = ", ".join(f"'{name}'" for name in of_types)
        cases.append(f"type in~ ({listed}), {f'bag_pack({packed})' if names else 'dynamic(null)'}")
    return f"case({', '.join(cases)}, properties)"


def _is_plain(name: str) -> bool:
    """Whether the type's name can stand in a query; all that Azure has can."""
    return name.isascii() and all(letter.isalnum() or letter in "./-_" for letter in name)
