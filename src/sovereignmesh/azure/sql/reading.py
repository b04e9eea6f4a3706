"""Reads SQL servers, databases and managed instances through the SDK's operations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azure.mgmt.sql import SqlManagementClient

from sovereignmesh.azure.channel import error_in
from sovereignmesh.azure.sdk import Facts, get_one, list_all
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
from sovereignmesh.errors import AnswerError, AzureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.azure.channel import Answer
    from sovereignmesh.azure.connection import Azure

__all__ = ["API_VERSION", "Sql", "connect_sql"]

_ID: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"(?:/providers/Microsoft\.Sql/(?P<kind>servers|managedInstances)/(?P<name>[^/]+)"
    r"(?:/databases/(?P<database>[^/]+))?(?:/.*)?)?",
    re.IGNORECASE,
)
_REGION: Final = re.compile(r"/locations/([^/]+)/", re.IGNORECASE)
_ACCEPTED: Final = 202
API_VERSION: Final = "2025-01-01"  # of an operation whose address says none: the SDK's own


@dataclass(frozen=True, slots=True)
class _Place:
    id: str
    subscription: str
    group: str
    managed: bool
    name: str
    database: str

    @property
    def server(self) -> tuple[str, str]:
        return self.group, self.name

    @property
    def whole(self) -> tuple[str, str, str]:
        return self.group, self.name, self.database


def connect_sql(azure: Azure) -> Sql:
    """The SQL servers, databases and managed instances of every subscription that the connection reaches.

    Nothing is sent yet.
    """
    return Sql(azure)


class Sql:
    """Reads SQL servers, databases and managed instances by their resource ids; an id of something inside will do.

    Every method raises an `AzureError` as the connection does; one without a status is about the id itself.
    """

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._clients: dict[str, SqlManagementClient] = {}

    def get_encryption_protector(self, server: str) -> EncryptionProtector:
        """The key of a server or a managed instance."""
        place = _place(server)
        client = self._client(place.subscription)
        operation = (
            client.managed_instance_encryption_protectors if place.managed else client.encryption_protectors
        ).get
        body = get_one(self._azure, place.id, operation, *place.server, "current")
        facts = body.within("properties")
        return EncryptionProtector(
            body.text("id"),
            facts.text("serverKeyType"),
            facts.text("serverKeyName"),
            facts.text("uri"),
            facts.text("thumbprint"),
            facts.flag("autoRotationEnabled"),
        )

    def get_transparent_data_encryption(self, database: str) -> TransparentDataEncryption:
        """The encryption of a database of a server or of a managed instance."""
        place = _place(database, "a database")
        client = self._client(place.subscription)
        operation: Callable[..., object] = client.transparent_data_encryptions.get
        if place.managed:
            operation = client.managed_database_transparent_data_encryption.get
        body = get_one(self._azure, place.id, operation, *place.whole, "current")
        facts = body.within("properties")
        return TransparentDataEncryption(body.text("id"), facts.text("state"), facts.text("scanState"))

    def get_backup_redundancy(self, resource: str) -> BackupRedundancy:
        """Of a server's database, or of a managed instance."""
        place = _place(resource)
        client = self._client(place.subscription)
        if place.managed:
            body = get_one(self._azure, place.id, client.managed_instances.get, *place.server)
        else:
            place = _place(resource, "a database")
            body = get_one(self._azure, place.id, client.databases.get, *place.whole)
        facts = body.within("properties")
        current, requested = "currentBackupStorageRedundancy", "requestedBackupStorageRedundancy"
        return BackupRedundancy(body.text("id"), body.text("location"), facts.text(current), facts.text(requested))

    def get_auditing_settings(self, resource: str) -> AuditingSettings:
        """Of a server, or of one of its databases. Managed instances have diagnostic settings instead."""
        place = _place(resource, "a server", managed=False)
        client = self._client(place.subscription)
        if place.database:
            body = get_one(self._azure, place.id, client.database_blob_auditing_policies.get, *place.whole)
        else:
            body = get_one(self._azure, place.id, client.server_blob_auditing_policies.get, *place.server)
        facts = body.within("properties")
        return AuditingSettings(
            body.text("id"),
            facts.text("state"),
            facts.text("storageEndpoint"),
            facts.text("storageAccountSubscriptionId"),
            facts.flag("isAzureMonitorTargetEnabled"),
            facts.number("retentionDays"),
        )

    def list_failover_groups(self, server: str) -> Iterator[FailoverGroup]:
        """The failover groups that a server is in."""
        place = _place(server, "a server", managed=False)
        operation = self._client(place.subscription).failover_groups.list_by_server
        for item in list_all(self._azure, place.id, operation, *place.server):
            facts = item.within("properties")
            partners = (
                PartnerServer(each.text("id"), each.text("location"), each.text("replicationRole"))
                for each in facts.each("partnerServers")
            )
            yield FailoverGroup(*_group(item, facts), tuple(partners), facts.texts("databases"))

    def list_instance_failover_groups(self, instance: str, location: str) -> Iterator[InstanceFailoverGroup]:
        """Those in the resource group of an id (an instance's, or the group's own) and in a region."""
        place = _place(instance, "")
        operation = self._client(place.subscription).instance_failover_groups.list_by_location
        for item in list_all(self._azure, place.id, operation, place.group, location):
            facts = item.within("properties")
            regions = (
                PartnerRegion(each.text("location"), each.text("replicationRole"))
                for each in facts.each("partnerRegions")
            )
            pairs = (
                InstancePair(each.text("primaryManagedInstanceId"), each.text("partnerManagedInstanceId"))
                for each in facts.each("managedInstancePairs")
            )
            yield InstanceFailoverGroup(*_group(item, facts), tuple(regions), tuple(pairs))

    def list_replication_links(self, resource: str) -> Iterator[ReplicationLink]:
        """The copies of a database, or of every database of a server."""
        place = _place(resource, "a server", managed=False)
        links = self._client(place.subscription).replication_links
        if place.database:
            found = list_all(self._azure, place.id, links.list_by_database, *place.whole)
        else:
            found = list_all(self._azure, place.id, links.list_by_server, *place.server)
        for item in found:
            facts = item.within("properties")
            yield ReplicationLink(
                item.text("id"),
                facts.text("linkType"),
                facts.text("role"),
                facts.text("replicationState"),
                facts.text("partnerServer"),
                facts.text("partnerDatabase"),
                facts.text("partnerLocation"),
                facts.text("partnerRole"),
            )

    def list_long_term_retention_backups(
        self, subscription: str, location: str, *, instances: bool = False
    ) -> Iterator[LongTermRetentionBackup]:
        """The backups in a region of a subscription, those of deleted databases and servers too.

        `instances`: those of managed instances' databases.
        """
        subscription = _word(subscription.lower().removeprefix("/subscriptions/"), "the id of a subscription")
        client = self._client(subscription)
        operation: Callable[..., Iterable[object]] = client.long_term_retention_backups.list_by_location
        server = "serverName"
        if instances:
            operation = client.long_term_retention_managed_instance_backups.list_by_location
            server = "managedInstanceName"
        place = f"/subscriptions/{subscription}/providers/Microsoft.Sql/locations/{location}"
        for item in list_all(self._azure, place, operation, _word(location, "a region"), database_state="All"):
            facts = item.within("properties")
            region = _REGION.search(item.text("id"))
            if region is None:
                raise AnswerError(f"{place}: a backup whose id names no region: {item.text('id')[:200]!r}")
            yield LongTermRetentionBackup(
                item.text("id"),
                region[1],
                facts.text(server),
                facts.text("databaseName"),
                facts.text("backupStorageRedundancy"),
                facts.time("backupTime"),
                facts.time("backupExpirationTime"),
                facts.time("databaseDeletionTime"),
            )

    def get_operation_result(self, operation: str) -> OperationResult:
        """How far an operation is, by the address that Azure gave (Azure-AsyncOperation, Location), or by its id."""
        path, _, query = operation.partition("?")
        version = "" if "api-version=" in query.lower() else API_VERSION
        answer = self._azure.send("GET", operation if version == "" else path, version)
        return _result(answer, path)

    def _client(self, subscription: str) -> SqlManagementClient:
        client = self._clients.get(subscription.lower())
        if client is None:
            client = SqlManagementClient(subscription_id=subscription, **self._azure.client_options())
            self._clients[subscription.lower()] = client
        return client


def _place(resource: str, what: str = "a server or a managed instance", *, managed: bool | None = None) -> _Place:
    """What an id names. Raises AzureError where that is not `what`; "" is any resource group or what is in it."""
    found = _ID.fullmatch(resource)
    if found is None or not {"", ".", ".."}.isdisjoint(resource.split("/")[1:]):
        raise AzureError(f"{resource[:200]!r} is not the id of {what or 'a resource in a resource group'}")
    name, database = found["name"] or "", found["database"] or ""
    kind = (found["kind"] or "").lower()
    is_managed = kind == "managedinstances"
    if what and (
        not name or (what == "a database" and not database) or (managed is not None and managed != is_managed)
    ):
        raise AzureError(f"{resource[:200]!r} is not the id of {what}")
    return _Place(resource, found["subscription"], found["group"], is_managed, name, database)


def _word(text: str, what: str) -> str:
    if not re.fullmatch(r"[\w -]+", text):
        raise AzureError(f"{text[:200]!r} is not {what}")
    return text


def _group(item: Facts, facts: Facts) -> tuple[str, str, str, str]:
    return item.text("id"), item.text("name"), facts.text("replicationRole"), facts.text("replicationState")


def _result(answer: Answer, place: str) -> OperationResult:
    # https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations: an Azure-AsyncOperation
    # says its status; a Location answers 202 while there is work, then with what the operation made.
    if answer.status == _ACCEPTED:
        return OperationResult("InProgress", "")
    if answer.body is None:
        return OperationResult("Succeeded", "")
    if not isinstance(answer.body, dict):
        raise AnswerError(f"{place}: an operation's result should be an object")
    body = Facts(answer.body, place)
    status = body.text("status")
    if not status and not body.text("id"):
        raise AnswerError(f"{place}: no status of an operation, and nothing that it made")
    code, message = error_in(answer.body) if isinstance(answer.body.get("error"), dict) else ("", "")
    return OperationResult(status or "Succeeded", f"{code}: {message}" if message else code)
