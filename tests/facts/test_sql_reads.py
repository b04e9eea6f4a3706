"""The reads of SQL children are those of the SDK: its operations send the path and the version that the table has."""

from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.paging import ItemPaged
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.sql import SqlManagementClient

from sovereignmesh.facts import child_reads

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
GROUP, LOCATION = "sales-data", "westeurope"
SERVER, DATABASE = (GROUP, "contoso-sales"), (GROUP, "contoso-sales", "orders")
SQL = f"{ROOT}/resourceGroups/{GROUP}/providers/Microsoft.Sql"
PARENTS = {
    "microsoft.resources/subscriptions": ROOT,
    "microsoft.sql/servers": f"{SQL}/servers/contoso-sales",
    "microsoft.sql/servers/databases": f"{SQL}/servers/contoso-sales/databases/orders",
    "microsoft.sql/managedinstances": f"{SQL}/managedInstances/contoso-sales",
    "microsoft.sql/managedinstances/databases": f"{SQL}/managedInstances/contoso-sales/databases/orders",
}
# Parent and child -> the operation of the SDK's client, and what it is given.
OPERATIONS = {
    ("servers", "servers/encryptionProtector"): ("encryption_protectors.get", (*SERVER, "current")),
    ("servers", "servers/failoverGroups"): ("failover_groups.list_by_server", SERVER),
    ("servers", "servers/databases/replicationLinks"): ("replication_links.list_by_server", SERVER),
    ("servers", "servers/restorableDroppedDatabases"): ("restorable_dropped_databases.list_by_server", SERVER),
    ("servers", "servers/auditingSettings"): ("server_blob_auditing_policies.get", SERVER),
    ("servers", "servers/devOpsAuditingSettings"): ("server_dev_ops_audit_settings.list_by_server", SERVER),
    ("servers/databases", "servers/databases/transparentDataEncryption"): (
        "transparent_data_encryptions.get",
        (*DATABASE, "current"),
    ),
    ("servers/databases", "servers/databases/auditingSettings"): ("database_blob_auditing_policies.get", DATABASE),
    ("managedInstances", "managedInstances/encryptionProtector"): (
        "managed_instance_encryption_protectors.get",
        (*SERVER, "current"),
    ),
    ("managedInstances", "locations/instanceFailoverGroups"): (
        "instance_failover_groups.list_by_location",
        (GROUP, LOCATION),
    ),
    ("managedInstances/databases", "managedInstances/databases/transparentDataEncryption"): (
        "managed_database_transparent_data_encryption.get",
        (*DATABASE, "current"),
    ),
    ("", "locations/longTermRetentionServers/longTermRetentionDatabases/longTermRetentionBackups"): (
        "long_term_retention_backups.list_by_location",
        (LOCATION,),
    ),
    (
        "",
        "locations/longTermRetentionManagedInstances/longTermRetentionDatabases/longTermRetentionManagedInstanceBackups",
    ): ("long_term_retention_managed_instance_backups.list_by_location", (LOCATION,)),
}
KNOWN = {(parent.lower(), child.lower()): operation for (parent, child), operation in OPERATIONS.items()}
READS = [
    (parent.partition("microsoft.sql/")[2], read)
    for parent, reads in child_reads().items()
    for read in reads
    if read.child.lower().startswith("microsoft.sql/")
]


class NotSentError(Exception):
    """Instead of an answer."""


class Seen(SansIOHTTPPolicy):
    """Keeps a request, and lets it go no further."""

    def on_request(self, request):
        self.request = request.http_request
        raise NotSentError


@pytest.mark.parametrize(("parent", "read"), READS, ids=[f"{parent}-{read.child}" for parent, read in READS])
def test_a_read_is_what_the_sdk_sends(parent, read):
    place = read.child.lower().removeprefix("microsoft.sql/")
    assert (parent, place) in KNOWN, "name the SDK's operation in this table"
    name, arguments = KNOWN[parent, place]
    seen = Seen()
    client = SqlManagementClient(object(), SUBSCRIPTION, pipeline=Pipeline(RequestsTransport(), [seen]))
    group, _, method = name.partition(".")
    kinds = []

    def ask():
        answer = getattr(getattr(client, group), method)(*arguments)
        kinds.append(type(answer))
        next(answer)

    with pytest.raises(NotSentError):
        ask()
    ours = f"{ROOT}{read.path}" if read.path.startswith("/") else f"{PARENTS[read.parent]}/{read.path}"
    theirs = urlsplit(seen.request.url)
    assert seen.request.method == "GET"
    assert ours.replace("{group}", GROUP).replace("{location}", LOCATION) == theirs.path
    assert parse_qs(theirs.query) == {"api-version": [read.api_version]}
    assert read.many == (kinds == [ItemPaged])  # a get sends at once


def test_every_operation_is_that_of_a_read():
    there = {(parent, read.child.lower().removeprefix("microsoft.sql/")) for parent, read in READS}
    assert KNOWN.keys() == there
