"""The kinds of sources and scans that the scanning service of 2023-09-01 knows."""

from __future__ import annotations

from typing import Final

__all__ = ["AZURE_KINDS", "CREDENTIAL_KINDS", "NULLS", "SCAN_KINDS", "SOURCE_KINDS", "address_in", "source_kind_of"]

SOURCE_KINDS: Final = frozenset(
    """
    Fabric AzureSubscription AzureResourceGroup AzureSynapseWorkspace AzureSynapse AdlsGen1 AdlsGen2 AmazonAccount
    AmazonS3 AmazonSql AzureCosmosDb AzureDataExplorer AzureFileService AzureSqlDatabase ArcEnabledSqlServer
    AmazonPostgreSql AzurePostgreSql Databricks SqlServerDatabase AzureSqlDatabaseManagedInstance AzureSqlDataWarehouse
    AzureMySql Hdfs TableauServer AzureStorage Teradata Oracle PostgreSql AmazonRedShift DatabricksHms SapS4Hana SapEcc
    Snowflake PowerBI Trident Dataverse DatabricksUnityCatalog
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
# Those that are one Azure resource each, and say which.
AZURE_KINDS: Final = frozenset(
    """
    AzureSynapseWorkspace AzureSynapse AdlsGen1 AdlsGen2 AzureCosmosDb AzureDataExplorer AzureFileService
    AzureSqlDatabase AzurePostgreSql SqlServerDatabase AzureSqlDatabaseManagedInstance AzureSqlDataWarehouse AzureMySql
    AzureStorage
    """.split()  # noqa: SIM905
)
SCAN_KINDS: Final = frozenset(
    """
    AzureSubscriptionCredential AzureSubscriptionMsi AzureResourceGroupCredential AzureResourceGroupMsi
    AzureSynapseWorkspaceCredential AzureSynapseWorkspaceMsi AzureSynapseCredential AzureSynapseMsi AdlsGen1Credential
    AdlsGen1Msi AdlsGen2Credential AdlsGen2Msi AmazonAccountCredential AmazonS3Credential AmazonS3RoleARN
    AmazonSqlCredential AzureCosmosDbCredential AzureDataExplorerCredential AzureDataExplorerMsi
    AzureFileServiceCredential AzureSqlDatabaseCredential AzureSqlDatabaseMsi AzureSqlDatabaseNativeAuth
    ArcEnabledSqlServerCredential ArcEnabledSqlServerNativeAuth AmazonPostgreSqlCredential AzurePostgreSqlCredential
    DatabricksCredential SqlServerDatabaseCredential AzureSqlDatabaseManagedInstanceCredential
    AzureSqlDatabaseManagedInstanceMsi AzureSqlDatabaseManagedInstanceNativeAuth AzureSqlDataWarehouseCredential
    AzureSqlDataWarehouseMsi AzureMySqlCredential HdfsCredential AzureStorageCredential AzureStorageMsi
    TeradataTeradataCredential TeradataTeradataUserPass TeradataUserPass OracleOracleCredential OracleOracleUserPass
    DatabricksHmsCredential SapS4HanaSapS4HanaCredential SapS4HanaSapS4HanaUserPass SapEccSapEccCredential
    SapEccSapEccUserPass SnowflakeCredential PowerBICredential PowerBIDelegated PowerBIFpa PowerBIMsi FabricCredential
    FabricDelegated FabricFpa FabricMsi TridentCredential TridentDelegated TridentMsi DataverseCredential DataverseMsi
    """.split()  # noqa: SIM905
)
CREDENTIAL_KINDS: Final = frozenset(
    {
        "AccountKey", "ServicePrincipal", "BasicAuth", "SqlAuth", "AmazonARN", "ConsumerKeyAuth", "DelegatedAuth",
        "ManagedIdentity",
    }
)  # fmt: skip
# Properties that were recorded as null, or with a value, where nobody had given one.
NULLS: Final[dict[str, dict[str, object]]] = {
    "AmazonS3": {"roleARN": None},
    "AmazonAccount": {"roleARN": None},
    "AmazonS3Credential": {"roleARN": None, "isMauiScan": False},
    "AmazonS3RoleARN": {"roleARN": None, "isMauiScan": False},
}
_ADDRESSES: Final = (
    "endpoint", "serverEndpoint", "accountUri", "serviceUrl", "dedicatedSqlEndpoint", "serverlessSqlEndpoint",
    "sqlEndpoint", "sqlOnDemandEndpoint", "awsAccountId", "tenant", "host", "applicationServer",
)  # fmt: skip


def source_kind_of(scan_kind: str) -> str:
    """The kind of source that scans of a kind are for.

    >>> source_kind_of("AzureSqlDatabaseManagedInstanceMsi"), source_kind_of("TeradataTeradataUserPass")
    ('AzureSqlDatabaseManagedInstance', 'Teradata')
    """
    return max((kind for kind in SOURCE_KINDS if scan_kind.startswith(kind)), key=len)


def address_in(properties: dict[str, object]) -> str:
    """Where a source is, by the first property of its kind that says so; "" where none does."""
    found = (properties.get(name) for name in _ADDRESSES)
    return next((str(value).lower().rstrip("/") for value in found if value), "")
