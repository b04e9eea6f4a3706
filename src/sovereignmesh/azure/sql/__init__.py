"""SQL servers, databases and managed instances as the SDK reads them, in Azure's terms. Nothing here writes."""

from sovereignmesh.azure.sql.reading import Sql, connect_sql
from sovereignmesh.azure.sql.resources import (
    AuditingSettings,
    BackupRedundancy,
    EncryptionProtector,
    FailoverGroup,
    InstanceFailoverGroup,
    InstancePair,
    LongTermRetentionBackup,
    OperationResult,
    PartnerRegion,
    PartnerServer,
    ReplicationLink,
    TransparentDataEncryption,
)

__all__ = [
    "AuditingSettings",
    "BackupRedundancy",
    "EncryptionProtector",
    "FailoverGroup",
    "InstanceFailoverGroup",
    "InstancePair",
    "LongTermRetentionBackup",
    "OperationResult",
    "PartnerRegion",
    "PartnerServer",
    "ReplicationLink",
    "Sql",
    "TransparentDataEncryption",
    "connect_sql",
]
