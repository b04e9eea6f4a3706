"""The Resource Graph queries that we send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ANCESTORS", "CONTAINERS", "COUNT_CONTAINERS", "COUNT_RESOURCES", "list_resources"]

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
