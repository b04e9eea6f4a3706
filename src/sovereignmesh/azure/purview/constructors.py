"""One constructor for each kind of source that Purview's scanning API models, and the names that a body may have.

Keywords are the API's names in Python's spelling; what is empty is left out of the body. `properties` are further ones
in the API's own words. TypeError for a name that the kind does not have.
"""

# Written by scripts/purview_kinds.py from src/sovereignmesh/facts/purview.yaml: change the table, then run the script.
# ruff: noqa: N802
# fmt: off

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview.objects import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SCAN_PROPERTIES", "SOURCE_PROPERTIES", "AdlsGen1", "AdlsGen2", "AmazonAccount", "AmazonPostgreSql", "AmazonS3",
    "AmazonSql", "AzureCosmosDb", "AzureDataExplorer", "AzureFileService", "AzureMySql", "AzurePostgreSql",
    "AzureResourceGroup", "AzureSqlDataWarehouse", "AzureSqlDatabase", "AzureSqlDatabaseManagedInstance",
    "AzureStorage", "AzureSubscription", "AzureSynapse", "AzureSynapseWorkspace", "Oracle", "PowerBI", "SapEcc",
    "SapS4Hana", "SqlServerDatabase", "Teradata",
]

_AZURE: Final = ("resourceGroup", "subscriptionId", "location", "resourceName", "resourceId", "dataUseGovernance")
_SCAN: Final = (
    "scanRulesetName", "businessRuleSetName", "scanRulesetType", "domain", "workers", "connectedVia", "isPresetScan",
    "isLiveViewEnabled", "parallelScanCount", "logLevel",
)
# What `properties` may have, besides the collection.
SOURCE_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "AzureSubscription": ("subscriptionId", "resourceId", "dataUseGovernance"),
    "AzureResourceGroup": ("subscriptionId", "resourceGroup", "resourceId", "dataUseGovernance"),
    "AzureSynapseWorkspace": ("dedicatedSqlEndpoint", "serverlessSqlEndpoint", *_AZURE),
    "AzureSynapse": ("sqlEndpoint", "sqlOnDemandEndpoint", *_AZURE),
    "AdlsGen1": ("endpoint", *_AZURE),
    "AdlsGen2": ("endpoint", *_AZURE),
    "AmazonAccount": ("awsAccountId", "roleARN"),
    "AmazonS3": ("serviceUrl", "roleARN"),
    "AmazonSql": ("serverEndpoint", "port", "vpcEndpointServiceName"),
    "AzureCosmosDb": ("accountUri", *_AZURE),
    "AzureDataExplorer": ("endpoint", *_AZURE),
    "AzureFileService": ("endpoint", *_AZURE),
    "AzureSqlDatabase": ("serverEndpoint", *_AZURE),
    "AmazonPostgreSql": ("serverEndpoint", "port", "vpcEndpointServiceName"),
    "AzurePostgreSql": ("serverEndpoint", "port", *_AZURE),
    "SqlServerDatabase": ("serverEndpoint", *_AZURE),
    "AzureSqlDatabaseManagedInstance": ("serverEndpoint", *_AZURE),
    "AzureSqlDataWarehouse": ("serverEndpoint", *_AZURE),
    "AzureMySql": ("serverEndpoint", "port", *_AZURE),
    "AzureStorage": ("endpoint", *_AZURE),
    "Teradata": ("host",),
    "Oracle": ("host", "port", "service"),
    "SapS4Hana": ("applicationServer", "systemNumber"),
    "SapEcc": ("applicationServer", "systemNumber"),
    "PowerBI": ("tenant",),
}
SCAN_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "AzureSubscriptionMsi": ("resourceTypes", "credential", *_SCAN),
    "AzureSubscriptionCredential": ("resourceTypes", "credential", *_SCAN),
    "AzureResourceGroupMsi": ("resourceTypes", "credential", *_SCAN),
    "AzureResourceGroupCredential": ("resourceTypes", "credential", *_SCAN),
    "AzureSynapseWorkspaceMsi": ("resourceTypes", "credential", *_SCAN),
    "AzureSynapseWorkspaceCredential": ("resourceTypes", "credential", *_SCAN),
    "AzureSynapseMsi": ("resourceTypes", "credential", *_SCAN),
    "AzureSynapseCredential": ("resourceTypes", "credential", *_SCAN),
    "AdlsGen1Msi": (*_SCAN,),
    "AdlsGen1Credential": ("credential", *_SCAN),
    "AdlsGen2Msi": (*_SCAN,),
    "AdlsGen2Credential": ("credential", *_SCAN),
    "AmazonAccountCredential": ("resourceTypes", "credential", *_SCAN),
    "AmazonS3Credential": ("credential", "roleARN", "isMauiScan", *_SCAN),
    "AmazonS3RoleARN": ("credential", "roleARN", "isMauiScan", *_SCAN),
    "AmazonSqlCredential": ("credential", "serverEndpoint", "databaseName", "port", "vpcEndpointServiceName", *_SCAN),
    "AzureCosmosDbCredential": ("credential", "databaseName", *_SCAN),
    "AzureDataExplorerMsi": ("database", *_SCAN),
    "AzureDataExplorerCredential": ("credential", "database", *_SCAN),
    "AzureFileServiceCredential": ("credential", "shareName", *_SCAN),
    "AzureSqlDatabaseMsi": ("serverEndpoint", "databaseName", *_SCAN),
    "AzureSqlDatabaseCredential": ("serverEndpoint", "databaseName", "credential", *_SCAN),
    "AmazonPostgreSqlCredential": ("credential", "serverEndpoint", "databaseName", "port", "vpcEndpointServiceName",
                                   *_SCAN),
    "AzurePostgreSqlCredential": ("credential", "serverEndpoint", "databaseName", "port", "sslMode", *_SCAN),
    "SqlServerDatabaseCredential": ("serverEndpoint", "databaseName", "credential", *_SCAN),
    "AzureSqlDatabaseManagedInstanceMsi": ("serverEndpoint", "databaseName", *_SCAN),
    "AzureSqlDatabaseManagedInstanceCredential": ("serverEndpoint", "databaseName", "credential", *_SCAN),
    "AzureSqlDataWarehouseMsi": ("serverEndpoint", "databaseName", *_SCAN),
    "AzureSqlDataWarehouseCredential": ("serverEndpoint", "databaseName", "credential", *_SCAN),
    "AzureMySqlCredential": ("serverEndpoint", "port", "databaseName", "credential", *_SCAN),
    "AzureStorageMsi": (*_SCAN,),
    "AzureStorageCredential": ("credential", *_SCAN),
    "TeradataTeradataCredential": ("maximumMemoryAllowedInGb", "mitiCache", "credential", "schema", "driverLocation",
                                   "storedProcedureDetails", *_SCAN),
    "TeradataUserPass": ("username", "password", *_SCAN),
    "TeradataTeradataUserPass": ("maximumMemoryAllowedInGb", "mitiCache", "username", "password", "schema",
                                 "driverLocation", *_SCAN),
    "OracleOracleCredential": ("maximumMemoryAllowedInGb", "mitiCache", "credential", "schema", "driverLocation",
                               "storedProcedureDetails", *_SCAN),
    "OracleOracleUserPass": ("maximumMemoryAllowedInGb", "mitiCache", "username", "password", "schema",
                             "driverLocation", *_SCAN),
    "SapS4HanaSapS4HanaCredential": ("maximumMemoryAllowedInGb", "mitiCache", "clientId", "credential",
                                     "jCoLibraryPath", *_SCAN),
    "SapS4HanaSapS4HanaUserPass": ("maximumMemoryAllowedInGb", "mitiCache", "clientId", "username", "password",
                                   "jCoLibraryPath", *_SCAN),
    "SapEccSapEccCredential": ("maximumMemoryAllowedInGb", "mitiCache", "clientId", "credential", "jCoLibraryPath",
                               *_SCAN),
    "SapEccSapEccUserPass": ("maximumMemoryAllowedInGb", "mitiCache", "clientId", "username", "password",
                             "jCoLibraryPath", *_SCAN),
    "PowerBIMsi": ("includePersonalWorkspaces", *_SCAN),
    "PowerBIDelegated": ("tenant", "authenticationType", "clientId", "userName", "password",
                         "includePersonalWorkspaces", *_SCAN),
}


def _made(kind: str, name: str, collection: str, more: Mapping[str, Any], *values: object) -> Source:
    if strange := sorted(more.keys() - set(SOURCE_PROPERTIES[kind])):
        raise TypeError(f"the kind {kind} has no {strange[0]!r}, but {SOURCE_PROPERTIES[kind]}; Source() takes any")
    written = dict(zip(SOURCE_PROPERTIES[kind], values, strict=False))
    return Source(name, kind, {**{key: value for key, value in written.items() if value}, **more}, collection)


def AzureSubscription(
    name: str, *, collection: str = "", subscription_id: str = "", resource_id: str = "", **properties: Any,
) -> Source:
    """Azure subscription: the source to register, of the kind `AzureSubscription`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-multiple-sources.md
    """
    return _made("AzureSubscription", name, collection, properties, subscription_id, resource_id)


def AzureResourceGroup(
    name: str, *, collection: str = "", subscription_id: str = "", resource_group: str = "", resource_id: str = "",
    **properties: Any,
) -> Source:
    """Azure resource group: the source to register, of the kind `AzureResourceGroup`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-multiple-sources.md
    """
    return _made("AzureResourceGroup", name, collection, properties, subscription_id, resource_group, resource_id)


def AzureSynapseWorkspace(
    name: str, *, collection: str = "", dedicated_sql_endpoint: str = "", serverless_sql_endpoint: str = "",
    resource_id: str = "", resource_group: str = "", subscription_id: str = "", location: str = "",
    resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Synapse Analytics (workspace): the source to register, of the kind `AzureSynapseWorkspace`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-synapse-workspace.md
    """
    return _made("AzureSynapseWorkspace", name, collection, properties, dedicated_sql_endpoint,
                 serverless_sql_endpoint, resource_group, subscription_id, location, resource_name, resource_id)


def AzureSynapse(
    name: str, *, collection: str = "", sql_endpoint: str = "", sql_on_demand_endpoint: str = "", resource_id: str = "",
    resource_group: str = "", subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Synapse Analytics: the source to register, of the kind `AzureSynapse`.

    Source: https://github.com/Azure/azure-rest-api-specs/blob/main/specification/purview/data-plane/Azure.Analytics.Purview.Scanning/stable/2023-09-01/scanningService.json
    """
    return _made("AzureSynapse", name, collection, properties, sql_endpoint, sql_on_demand_endpoint, resource_group,
                 subscription_id, location, resource_name, resource_id)


def AdlsGen1(
    name: str, *, collection: str = "", endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Data Lake Storage Gen1: the source to register, of the kind `AdlsGen1`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-adls-gen1.md
    """
    return _made("AdlsGen1", name, collection, properties, endpoint, resource_group, subscription_id, location,
                 resource_name, resource_id)


def AdlsGen2(
    name: str, *, collection: str = "", endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Data Lake Storage Gen2: the source to register, of the kind `AdlsGen2`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-adls-gen2.md
    """
    return _made("AdlsGen2", name, collection, properties, endpoint, resource_group, subscription_id, location,
                 resource_name, resource_id)


def AmazonAccount(
    name: str, *, collection: str = "", aws_account_id: str = "", role_arn: str = "", **properties: Any,
) -> Source:
    """Amazon Web Services account: the source to register, of the kind `AmazonAccount`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-amazon-s3.md
    """
    return _made("AmazonAccount", name, collection, properties, aws_account_id, role_arn)


def AmazonS3(
    name: str, *, collection: str = "", service_url: str = "", role_arn: str = "", **properties: Any,
) -> Source:
    """Amazon S3: the source to register, of the kind `AmazonS3`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-amazon-s3.md
    """
    return _made("AmazonS3", name, collection, properties, service_url, role_arn)


def AmazonSql(
    name: str, *, collection: str = "", server_endpoint: str = "", port: int = 0, vpc_endpoint_service_name: str = "",
    **properties: Any,
) -> Source:
    """Amazon RDS for SQL Server: the source to register, of the kind `AmazonSql`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-amazon-rds.md
    """
    return _made("AmazonSql", name, collection, properties, server_endpoint, port, vpc_endpoint_service_name)


def AzureCosmosDb(
    name: str, *, collection: str = "", account_uri: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Cosmos DB for NoSQL: the source to register, of the kind `AzureCosmosDb`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-cosmos-database.md
    """
    return _made("AzureCosmosDb", name, collection, properties, account_uri, resource_group, subscription_id, location,
                 resource_name, resource_id)


def AzureDataExplorer(
    name: str, *, collection: str = "", endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Data Explorer: the source to register, of the kind `AzureDataExplorer`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-data-explorer.md
    """
    return _made("AzureDataExplorer", name, collection, properties, endpoint, resource_group, subscription_id,
                 location, resource_name, resource_id)


def AzureFileService(
    name: str, *, collection: str = "", endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Files: the source to register, of the kind `AzureFileService`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-files-storage-source.md
    """
    return _made("AzureFileService", name, collection, properties, endpoint, resource_group, subscription_id, location,
                 resource_name, resource_id)


def AzureSqlDatabase(
    name: str, *, collection: str = "", server_endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure SQL Database: the source to register, of the kind `AzureSqlDatabase`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-sql-database.md
    """
    return _made("AzureSqlDatabase", name, collection, properties, server_endpoint, resource_group, subscription_id,
                 location, resource_name, resource_id)


def AmazonPostgreSql(
    name: str, *, collection: str = "", server_endpoint: str = "", port: int = 0, vpc_endpoint_service_name: str = "",
    **properties: Any,
) -> Source:
    """Amazon RDS for PostgreSQL: the source to register, of the kind `AmazonPostgreSql`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-amazon-rds.md
    """
    return _made("AmazonPostgreSql", name, collection, properties, server_endpoint, port, vpc_endpoint_service_name)


def AzurePostgreSql(
    name: str, *, collection: str = "", server_endpoint: str = "", port: int = 5432, resource_id: str = "",
    resource_group: str = "", subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Database for PostgreSQL: the source to register, of the kind `AzurePostgreSql`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-postgresql.md
    """
    return _made("AzurePostgreSql", name, collection, properties, server_endpoint, port, resource_group,
                 subscription_id, location, resource_name, resource_id)


def SqlServerDatabase(
    name: str, *, collection: str = "", server_endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """SQL Server: the source to register, of the kind `SqlServerDatabase`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-on-premises-sql-server.md
    """
    return _made("SqlServerDatabase", name, collection, properties, server_endpoint, resource_group, subscription_id,
                 location, resource_name, resource_id)


def AzureSqlDatabaseManagedInstance(
    name: str, *, collection: str = "", server_endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure SQL Managed Instance: the source to register, of the kind `AzureSqlDatabaseManagedInstance`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-sql-managed-instance.md
    """
    return _made("AzureSqlDatabaseManagedInstance", name, collection, properties, server_endpoint, resource_group,
                 subscription_id, location, resource_name, resource_id)


def AzureSqlDataWarehouse(
    name: str, *, collection: str = "", server_endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure dedicated SQL pool (formerly SQL DW): the source to register, of the kind `AzureSqlDataWarehouse`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-synapse-analytics.md
    """
    return _made("AzureSqlDataWarehouse", name, collection, properties, server_endpoint, resource_group,
                 subscription_id, location, resource_name, resource_id)


def AzureMySql(
    name: str, *, collection: str = "", server_endpoint: str = "", port: int = 3306, resource_id: str = "",
    resource_group: str = "", subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Database for MySQL: the source to register, of the kind `AzureMySql`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-mysql-database.md
    """
    return _made("AzureMySql", name, collection, properties, server_endpoint, port, resource_group, subscription_id,
                 location, resource_name, resource_id)


def AzureStorage(
    name: str, *, collection: str = "", endpoint: str = "", resource_id: str = "", resource_group: str = "",
    subscription_id: str = "", location: str = "", resource_name: str = "", **properties: Any,
) -> Source:
    """Azure Blob Storage: the source to register, of the kind `AzureStorage`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-azure-blob-storage-source.md
    """
    return _made("AzureStorage", name, collection, properties, endpoint, resource_group, subscription_id, location,
                 resource_name, resource_id)


def Teradata(name: str, *, collection: str = "", host: str = "", **properties: Any) -> Source:
    """Teradata: the source to register, of the kind `Teradata`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-teradata-source.md
    """
    return _made("Teradata", name, collection, properties, host)


def Oracle(
    name: str, *, collection: str = "", host: str = "", port: str = "", service: str = "", **properties: Any,
) -> Source:
    """Oracle: the source to register, of the kind `Oracle`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-oracle-source.md
    """
    return _made("Oracle", name, collection, properties, host, port, service)


def SapS4Hana(
    name: str, *, collection: str = "", application_server: str = "", system_number: str = "", **properties: Any,
) -> Source:
    """SAP S/4HANA: the source to register, of the kind `SapS4Hana`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-saps4hana-source.md
    """
    return _made("SapS4Hana", name, collection, properties, application_server, system_number)


def SapEcc(
    name: str, *, collection: str = "", application_server: str = "", system_number: str = "", **properties: Any,
) -> Source:
    """SAP ECC: the source to register, of the kind `SapEcc`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-sapecc-source.md
    """
    return _made("SapEcc", name, collection, properties, application_server, system_number)


def PowerBI(name: str, *, collection: str = "", tenant: str = "", **properties: Any) -> Source:
    """Power BI: the source to register, of the kind `PowerBI`.

    Source: https://github.com/MicrosoftDocs/azure-docs/blob/main/articles/purview/register-scan-power-bi-tenant.md
    """
    return _made("PowerBI", name, collection, properties, tenant)
