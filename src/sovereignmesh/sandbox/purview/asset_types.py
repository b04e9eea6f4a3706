"""The Data Map's types of entities that the sandbox knows: what search calls them, and what they are made of."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["ASSET_TYPES", "AssetType", "above", "attributes_of", "required_of"]


class AssetType(NamedTuple):
    """A type: its direct supertypes, its service, its own attributes, and what search says of its entities.

    `object_type` is "" where search has none. What is not `found` is part of something else, and no hit by itself.
    """

    supers: tuple[str, ...]
    service: str = ""
    object_type: str = ""
    attributes: tuple[str, ...] = ()
    found: bool = True
    parts: str = ""  # the relationship attribute that holds its columns
    also: tuple[str, ...] = ()  # further asset types of its entities
    required: tuple[str, ...] = ()  # attributes that no write may leave out


_SQL: Final = "Azure SQL Database"
_LAKE: Final = "Azure Data Lake Storage Gen2"
_TIMES: Final = ("createTime", "modifiedTime")
_FILE: Final = ("path", "isFile", "size", "contentType", "groups", "modifiedTime")
# Supertypes, services and columns: https://learn.microsoft.com/purview/data-gov-api-custom-types (azure_sql_table,
# azure_sql_column) and https://atlas.apache.org/2.0.0/TypeSystem.html (Referenceable to Process); asset types of the
# lake's were recorded: https://github.com/tayganr/purviewcli (doc/commands/search/query.md). Object types are those of
# the specification's example Discovery_Query_ObjectType; which type has which is undocumented but for tables and files.
# What is required, and that it is in updates too: https://github.com/wjohnson/pyapacheatlas/issues/116.
# Columns are no hits: https://github.com/wjohnson/pyapacheatlas/issues/285.
ASSET_TYPES: Final = {
    "Referenceable": AssetType((), attributes=("qualifiedName",), required=("qualifiedName",)),
    "Asset": AssetType(
        ("Referenceable",),
        attributes=("name", "description", "userDescription", "displayName", "owner"),
        required=("name",),
    ),
    "DataSet": AssetType(("Asset",)),
    "Process": AssetType(("Asset",), "", "Data pipelines", ("inputs", "outputs")),
    "azure_sql_server": AssetType(("Asset",), _SQL, also=("Azure SQL Server",)),
    "azure_sql_db": AssetType(("Asset",), _SQL, attributes=_TIMES),
    "azure_sql_schema": AssetType(("Asset",), _SQL, attributes=_TIMES),
    "azure_sql_table": AssetType(("DataSet",), _SQL, "Tables", ("principalId", "objectType", *_TIMES), parts="columns"),
    "azure_sql_view": AssetType(("DataSet",), _SQL, "Tables", ("principalId", "objectType", *_TIMES), parts="columns"),
    "azure_sql_column": AssetType(
        ("DataSet",), _SQL, attributes=("data_type", "length"), found=False, required=("data_type",)
    ),
    "azure_sql_stored_procedure": AssetType(("Process",), _SQL, "Stored procedures"),
    "azure_storage_account": AssetType(
        ("Asset",),
        "Azure Blob Storage",
        attributes=("publicAccessLevel", *_TIMES),
        also=("Azure Files", "Azure Table Storage", _LAKE),
    ),
    "azure_datalake_gen2_service": AssetType(("Asset",), _LAKE, attributes=_TIMES),
    "azure_datalake_gen2_filesystem": AssetType(("Asset",), _LAKE, attributes=_TIMES),
    "azure_datalake_gen2_path": AssetType(("DataSet",), _LAKE, "Files", _FILE),
    "azure_datalake_gen2_resource_set": AssetType(
        ("DataSet",), _LAKE, "Files", ("partitionCount", "schemaCount", "totalSizeBytes", "modifiedTime")
    ),
    "azure_datafactory_process": AssetType(("Process",), "Azure Data Factory", "Data pipelines"),
    "adf_copy_activity": AssetType(("Process",), "Azure Data Factory", "Data pipelines", ("status", "lastRunTime")),
}  # fmt: skip


def above(name: str) -> tuple[str, ...]:
    """A type and every type above it, nearest first."""
    return (name, *(found for parent in ASSET_TYPES[name].supers for found in above(parent)))


def attributes_of(name: str) -> tuple[str, ...]:
    """Every attribute that entities of a type may have."""
    return tuple(attribute for kind in above(name) for attribute in ASSET_TYPES[kind].attributes)


def required_of(name: str) -> tuple[tuple[str, str], ...]:
    """(type that says so, attribute) of all that entities of a type must have."""
    return tuple((kind, attribute) for kind in above(name) for attribute in ASSET_TYPES[kind].required)
