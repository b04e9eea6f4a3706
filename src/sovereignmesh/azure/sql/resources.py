"""What the SQL service keeps where, in Azure's terms. A text is "" where Azure does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

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
    "TransparentDataEncryption",
]


@dataclass(frozen=True, slots=True)
class EncryptionProtector:
    """The key that protects a server's or an instance's databases.

    `key_type` is ServiceManaged or AzureKeyVault; `uri` and `thumbprint` are "" for a service-managed key;
    `auto_rotation` is None where Azure does not say.
    """

    id: str
    key_type: str
    key_name: str
    uri: str
    thumbprint: str
    auto_rotation: bool | None


@dataclass(frozen=True, slots=True)
class TransparentDataEncryption:
    """Whether a database's files are encrypted: `state` is Enabled, Disabled, or "" where Azure does not say."""

    id: str
    state: str
    scan_state: str


@dataclass(frozen=True, slots=True)
class PartnerServer:
    """A server on the other side of a failover group: its resource id, its region and its role."""

    id: str
    location: str
    role: str


@dataclass(frozen=True, slots=True)
class FailoverGroup:
    """A failover group, as one of its servers has it: the server's `role`, the databases' ids and the partners."""

    id: str
    name: str
    role: str
    state: str
    partners: tuple[PartnerServer, ...]
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplicationLink:
    """A copy of a database: which server, database and region are on the other side.

    `type` is GEO, NAMED or STANDBY; `role` and `partner_role` are Primary, Secondary, NonReadableSecondary, Source or
    Copy.
    """

    id: str
    type: str
    role: str
    state: str
    partner_server: str
    partner_database: str
    partner_location: str
    partner_role: str


@dataclass(frozen=True, slots=True)
class PartnerRegion:
    """A region on the other side of an instance failover group, and its role."""

    location: str
    role: str


@dataclass(frozen=True, slots=True)
class InstancePair:
    """Two managed instances, by their ids, of which one copies the other."""

    primary: str
    partner: str


@dataclass(frozen=True, slots=True)
class InstanceFailoverGroup:
    """A failover group of managed instances."""

    id: str
    name: str
    role: str
    state: str
    regions: tuple[PartnerRegion, ...]
    pairs: tuple[InstancePair, ...]


@dataclass(frozen=True, slots=True)
class BackupRedundancy:
    """How a database's or an instance's backups are stored: Geo, GeoZone, Local or Zone; now, and as asked for."""

    id: str
    location: str
    current: str
    requested: str


@dataclass(frozen=True, slots=True)
class LongTermRetentionBackup:
    """A backup that is kept for years, whether or not its database and its server still exist.

    `region` is where it is; `server` is the server's or the instance's name; `database_deleted` is None for a database
    that still exists; `redundancy` is Geo, GeoZone, Local or Zone.
    """

    id: str
    region: str
    server: str
    database: str
    redundancy: str
    taken: dt.datetime | None
    expires: dt.datetime | None
    database_deleted: dt.datetime | None


@dataclass(frozen=True, slots=True)
class AuditingSettings:
    """Where a server's or a database's audit log goes: a storage account's blob endpoint, Azure Monitor, or both.

    `state` is Enabled or Disabled; `azure_monitor` and `retention_days` are None where Azure does not say.
    """

    id: str
    state: str
    storage_endpoint: str
    storage_subscription: str
    azure_monitor: bool | None
    retention_days: int | None


@dataclass(frozen=True, slots=True)
class OperationResult:
    """How far an operation is: InProgress, Succeeded, Failed, Canceled or the service's own word.

    `error` is "" unless it failed; it begins with the error's code.
    """

    status: str
    error: str
