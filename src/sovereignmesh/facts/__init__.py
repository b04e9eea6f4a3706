"""Azure's truth, as tables: where each resource type keeps its keys, copies and exposure; regions; tag support."""

from sovereignmesh.facts.children import ChildRead, child_reads
from sovereignmesh.facts.columns import paths_in, properties_read, spellings
from sovereignmesh.facts.regions import Region, area_regions, areas, find_region, geography_regions, regions, squeeze
from sovereignmesh.facts.rows import find_resource_type, load_rows, resource_types
from sovereignmesh.facts.rules import (
    Answer,
    CopiesRule,
    Copy,
    Exclusion,
    Expression,
    KeyStateRule,
    NeverRule,
    ProcessingRule,
    Reading,
    ResourceType,
    Rule,
    StateRule,
    VaultRule,
    fold,
    in_words,
    is_blank,
)
from sovereignmesh.facts.services import GlobalService, find_global_service, supports_tags

__all__ = [
    "Answer",
    "ChildRead",
    "CopiesRule",
    "Copy",
    "Exclusion",
    "Expression",
    "GlobalService",
    "KeyStateRule",
    "NeverRule",
    "ProcessingRule",
    "Reading",
    "Region",
    "ResourceType",
    "Rule",
    "StateRule",
    "VaultRule",
    "area_regions",
    "areas",
    "child_reads",
    "find_global_service",
    "find_region",
    "find_resource_type",
    "fold",
    "geography_regions",
    "in_words",
    "is_blank",
    "load_rows",
    "paths_in",
    "properties_read",
    "regions",
    "resource_types",
    "spellings",
    "squeeze",
    "supports_tags",
]
