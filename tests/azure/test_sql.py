"""What the SQL wrappers read, against recorded answers and against the SDK's own requests."""

import datetime as dt
import inspect
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from sovereignmesh.azure import Pace, connect
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.azure.sql import (
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
    Sql,
    TransparentDataEncryption,
    connect_sql,
)
from sovereignmesh.azure.sql.reading import API_VERSION
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
    ThrottledError,
    UnreachableError,
)

ONE = "/subscriptions/11111111-1111-4111-8111-111111111111"
TWO = "/subscriptions/22222222-2222-4222-8222-222222222222"
SQL = f"{ONE}/resourceGroups/sales-data/providers/Microsoft.Sql"
SERVER = f"{SQL}/servers/contoso-sales"
DATABASE = f"{SERVER}/databases/orders"
INSTANCE = f"{SQL}/managedInstances/contoso-erp"
MANAGED = f"{INSTANCE}/databases/ledger"
LOCATION = f"{ONE}/providers/Microsoft.Sql/locations/westeurope"


@pytest.fixture
def sql(azure):
    return connect_sql(azure)


def path_of(url):
    return urlsplit(url).path


# The recordings: older versions of the service, the same paths.


@pytest.fixture
def read(recordings, service, sql):
    """Each recorded GET whose path holds `part`, with what `method` makes of it."""

    def read(part, method):
        for exchange in recordings("sql_tde.jsonl"):
            path = path_of(exchange["url"])
            if exchange["method"] == "GET" and path.endswith(part) and "/Microsoft.Sql/" in path:
                service.mock.reset()
                service.says(path, (exchange["status"], exchange["response"]))
                yield exchange["response"], getattr(sql, method)(path)
                (request,) = service.requests
                assert (request.method, path_of(request.url)) == ("GET", path)

    return read


@pytest.mark.parametrize("kind", ["servers", "managedInstances"])
def test_recorded_protectors(read, kind):
    seen = []
    for body, found in read("/encryptionProtector/current", "get_encryption_protector"):
        if f"/{kind}/" not in body["id"]:
            continue
        facts = body["properties"]
        assert found == EncryptionProtector(
            body["id"], facts["serverKeyType"], facts.get("serverKeyName", ""), facts.get("uri", ""),
            facts.get("thumbprint", ""), facts.get("autoRotationEnabled"),
        )  # fmt: skip
        assert (found.uri.startswith("https://") and found.key_name != "ServiceManaged") == (
            found.key_type == "AzureKeyVault"
        )
        seen.append(found.key_type)
    assert set(seen) == {"ServiceManaged", "AzureKeyVault"}
    assert len(seen) >= {"servers": 9, "managedInstances": 3}[kind]


def test_recorded_encryption(read):
    states = []
    for body, found in read("/transparentDataEncryption/current", "get_transparent_data_encryption"):
        assert found.id == body["id"]
        # 2014-04-01 spelled it `status`. Who asks for 2025-01-01 is never told that: it is not taken for a state.
        assert found.state == body["properties"].get("state", "")
        states.append(found.state)
    assert states.count("Enabled") == 1
    assert states.count("Disabled") == 1
    assert states.count("") >= 9


@pytest.fixture
def outcomes(recordings, service, sql):
    """Each recorded GET of an operation: its address, its body and what is made of it."""
    found = []
    for exchange in recordings("sql_tde.jsonl"):
        path = path_of(exchange["url"])
        if exchange["method"] == "GET" and ("AsyncOperation/" in path or "peration" in path.rpartition("/")[0]):
            service.mock.reset()
            service.says(path, (exchange["status"], exchange["response"]))
            found.append((path, exchange["response"], sql.get_operation_result(exchange["url"])))
            assert service.urls == [exchange["url"]]
    return found


def test_recorded_operations(outcomes):
    for path, body, found in outcomes:
        if "AzureAsyncOperation/" in path:
            assert found == OperationResult(body["status"], "")
        else:
            assert found == OperationResult("Succeeded", "")
            assert "status" not in body
    assert {found.status for _, _, found in outcomes} == {"InProgress", "Succeeded"}
    assert len(outcomes) >= 22


def test_what_recorded_writes_sent_is_never_sent(recordings, service, sql):
    """Every path that was written to, when it is read."""
    written = {path_of(each["url"]) for each in recordings("sql_tde.jsonl") if each["method"] == "PUT"}
    readers = {
        "encryptionProtector": sql.get_encryption_protector,
        "transparentDataEncryption": sql.get_transparent_data_encryption,
    }
    for path in (path for path in written if "/Microsoft.Sql/" in path):
        service.says(path, {"id": path, "properties": {}})
        readers[path.split("/")[-2]](path)
    assert len(service.requests) >= 6
    assert {(request.method, request.body) for request in service.requests} == {("GET", None)}


# Each read: its path, its version, and what becomes of the body.

READS = [
    (
        lambda sql: sql.get_encryption_protector(SERVER),
        f"{SERVER}/encryptionProtector/current",
        {
            "id": f"{SERVER}/encryptionProtector/current",
            "kind": "azurekeyvault",
            "properties": {
                "serverKeyName": "contoso-keys_sales_0123",
                "serverKeyType": "AzureKeyVault",
                "uri": "https://contoso-keys.vault.azure.net/keys/sales/0123",
                "thumbprint": "00112233",
                "autoRotationEnabled": True,
            },
        },
        EncryptionProtector(
            f"{SERVER}/encryptionProtector/current",
            "AzureKeyVault",
            "contoso-keys_sales_0123",
            "https://contoso-keys.vault.azure.net/keys/sales/0123",
            "00112233",
            auto_rotation=True,
        ),
    ),
    (
        lambda sql: sql.get_encryption_protector(INSTANCE),
        f"{INSTANCE}/encryptionProtector/current",
        {"id": "an id", "properties": {"serverKeyType": "ServiceManaged", "serverKeyName": "ServiceManaged"}},
        EncryptionProtector("an id", "ServiceManaged", "ServiceManaged", "", "", None),
    ),
    (
        lambda sql: sql.get_transparent_data_encryption(DATABASE),
        f"{DATABASE}/transparentDataEncryption/current",
        {"id": "an id", "properties": {"state": "Enabled", "scanState": "Complete"}},
        TransparentDataEncryption("an id", "Enabled", "Complete"),
    ),
    (
        lambda sql: sql.get_transparent_data_encryption(MANAGED),
        f"{MANAGED}/transparentDataEncryption/current",
        {"id": "an id", "properties": {"state": "Disabled"}},
        TransparentDataEncryption("an id", "Disabled", ""),
    ),
    (
        lambda sql: sql.get_backup_redundancy(DATABASE),
        DATABASE,
        {
            "id": DATABASE,
            "location": "westeurope",
            "properties": {"currentBackupStorageRedundancy": "Geo", "requestedBackupStorageRedundancy": "Local"},
        },
        BackupRedundancy(DATABASE, "westeurope", "Geo", "Local"),
    ),
    (
        lambda sql: sql.get_backup_redundancy(INSTANCE),
        INSTANCE,
        {
            "id": INSTANCE,
            "location": "westeurope",
            "properties": {"currentBackupStorageRedundancy": "GeoZone", "requestedBackupStorageRedundancy": "GeoZone"},
        },
        BackupRedundancy(INSTANCE, "westeurope", "GeoZone", "GeoZone"),
    ),
    (
        lambda sql: sql.get_auditing_settings(SERVER),
        f"{SERVER}/auditingSettings/default",
        {
            "id": "an id",
            "properties": {
                "state": "Enabled",
                "storageEndpoint": "https://contosologs.blob.core.windows.net/",
                "storageAccountSubscriptionId": "11111111-1111-4111-8111-111111111111",
                "isAzureMonitorTargetEnabled": False,
                "retentionDays": 0,
            },
        },
        AuditingSettings(
            "an id",
            "Enabled",
            "https://contosologs.blob.core.windows.net/",
            "11111111-1111-4111-8111-111111111111",
            azure_monitor=False,
            retention_days=0,
        ),
    ),
    (
        lambda sql: sql.get_auditing_settings(DATABASE),
        f"{DATABASE}/auditingSettings/default",
        {"id": "an id", "properties": {"state": "Disabled"}},
        AuditingSettings("an id", "Disabled", "", "", None, None),
    ),
    (
        lambda sql: sql.list_failover_groups(SERVER),
        f"{SERVER}/failoverGroups",
        {
            "value": [
                {
                    "id": f"{SERVER}/failoverGroups/sales",
                    "name": "sales",
                    "properties": {
                        "replicationRole": "Primary",
                        "replicationState": "CATCH_UP",
                        "partnerServers": [
                            {"id": f"{SERVER}-2", "location": "East US", "replicationRole": "Secondary"}
                        ],
                        "databases": [DATABASE],
                    },
                },
            ],
        },
        [
            FailoverGroup(
                f"{SERVER}/failoverGroups/sales",
                "sales",
                "Primary",
                "CATCH_UP",
                (PartnerServer(f"{SERVER}-2", "East US", "Secondary"),),
                (DATABASE,),
            ),
        ],
    ),
    (
        lambda sql: sql.list_instance_failover_groups(INSTANCE, "westeurope"),
        f"{SQL}/locations/westeurope/instanceFailoverGroups",
        {
            "value": [
                {
                    "id": "an id",
                    "name": "erp",
                    "properties": {
                        "replicationRole": "Primary",
                        "partnerRegions": [{"location": "North Europe", "replicationRole": "Secondary"}],
                        "managedInstancePairs": [
                            {"primaryManagedInstanceId": INSTANCE, "partnerManagedInstanceId": f"{INSTANCE}-2"},
                        ],
                    },
                },
            ],
        },
        [
            InstanceFailoverGroup(
                "an id",
                "erp",
                "Primary",
                "",
                (PartnerRegion("North Europe", "Secondary"),),
                (InstancePair(INSTANCE, f"{INSTANCE}-2"),),
            ),
        ],
    ),
    (
        lambda sql: sql.list_replication_links(SERVER),
        f"{SERVER}/replicationLinks",
        {
            "value": [
                {
                    "id": "an id",
                    "properties": {
                        "linkType": "GEO",
                        "role": "Primary",
                        "replicationState": "SEEDING",
                        "partnerServer": "contoso-sales-2",
                        "partnerDatabase": "orders",
                        "partnerLocation": "East US",
                        "partnerRole": "Secondary",
                    },
                },
            ],
        },
        [ReplicationLink("an id", "GEO", "Primary", "SEEDING", "contoso-sales-2", "orders", "East US", "Secondary")],
    ),
    (lambda sql: sql.list_replication_links(DATABASE), f"{DATABASE}/replicationLinks", {"value": []}, []),
    (
        lambda sql: sql.list_long_term_retention_backups(ONE, "westeurope"),
        f"{LOCATION}/longTermRetentionBackups",
        {
            "value": [
                {
                    "id": f"{LOCATION}/longTermRetentionServers/gone/longTermRetentionDatabases/orders"
                    "/longTermRetentionBackups/1;2",
                    "properties": {
                        "serverName": "gone",
                        "databaseName": "orders",
                        "backupStorageRedundancy": "Geo",
                        "backupTime": "2026-02-03T04:05:06.7891234Z",
                        "backupExpirationTime": "2033-02-03T04:05:06Z",
                        "databaseDeletionTime": "2026-03-04T00:00:00Z",
                    },
                },
            ],
        },
        [
            LongTermRetentionBackup(
                f"{LOCATION}/longTermRetentionServers/gone/longTermRetentionDatabases/orders"
                "/longTermRetentionBackups/1;2",
                "westeurope",
                "gone",
                "orders",
                "Geo",
                dt.datetime(2026, 2, 3, 4, 5, 6, 789123, dt.UTC),
                dt.datetime(2033, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
                dt.datetime(2026, 3, 4, tzinfo=dt.UTC),
            ),
        ],
    ),
    (
        lambda sql: sql.list_long_term_retention_backups(ONE.rpartition("/")[2], "westeurope", instances=True),
        f"{LOCATION}/longTermRetentionManagedInstanceBackups",
        {"value": [{"id": f"{LOCATION}/x", "properties": {"managedInstanceName": "erp", "databaseName": "ledger"}}]},
        [LongTermRetentionBackup(f"{LOCATION}/x", "westeurope", "erp", "ledger", "", None, None, None)],
    ),
    (
        lambda sql: sql.get_operation_result(f"{LOCATION}/encryptionProtectorAzureAsyncOperation/0123"),
        f"{LOCATION}/encryptionProtectorAzureAsyncOperation/0123",
        {"name": "0123", "status": "Failed", "error": {"code": "KeyMissing", "message": "No such key."}},
        OperationResult("Failed", "KeyMissing: No such key."),
    ),
]
PATHS = [path.replace(ONE, "") for _, path, _, _ in READS]


def test_every_public_method_reads_and_is_tried_here():
    names = {name for name, _ in inspect.getmembers(Sql, inspect.isfunction) if not name.startswith("_")}
    tried = {name for read, *_ in READS for name in read.__code__.co_names}
    assert names <= tried
    assert all(name.startswith(("get_", "list_")) for name in names)


@pytest.mark.parametrize("row", READS, ids=PATHS)
def test_each_read(sql, service, row):
    read, path, body, expected = row
    service.says(path, body)
    found = read(sql)
    assert (found if not isinstance(expected, list) else list(found)) == expected
    (request,) = service.requests
    assert (request.method, path_of(request.url), request.body) == ("GET", path, None)
    query = parse_qs(urlsplit(request.url).query)
    assert query.pop("api-version") == ["2025-01-01"]
    assert query == ({"databaseState": ["All"]} if "longTermRetention" in path else {})


def test_the_version_of_an_operation_is_that_of_the_sdk():
    from azure.mgmt.sql import SqlManagementClient

    client = SqlManagementClient(object(), "0")
    assert client._config.api_version == API_VERSION


@pytest.mark.parametrize("row", READS, ids=PATHS)
def test_a_missing_fact_is_never_filled_in(sql, service, row):
    """Without its properties every answer is refused; with empty ones each fact is "" or None."""
    read, path, body, _ = row
    empty = {"id": f"{LOCATION}/x"}
    for properties, fails in (({}, True), ({"properties": None}, True), ({"properties": {}}, False)):
        service.mock.reset()
        item = {**empty, **properties}
        service.says(path, {"value": [item]} if "value" in body else item)
        if "peration" in path.rpartition("/")[0]:
            assert read(sql) == OperationResult("Succeeded", "")  # it made something
            continue
        if fails:
            with pytest.raises(AnswerError, match="without `properties`"):
                _ = list(read(sql)) if "value" in body else read(sql)
            continue
        (found,) = list(read(sql)) if "value" in body else [read(sql)]
        values = [getattr(found, name) for name in type(found).__slots__ if name not in ("id", "region")]
        assert not any(values)
        assert not any(value is False or value == 0 for value in values)


WRONG = [7, True, "no", ["a"], {"a": 1}, [None]]


@pytest.mark.parametrize("row", READS, ids=PATHS)
def test_a_fact_of_another_kind_is_no_fact(sql, service, row):
    """Whatever stands in a property: an answer as typed as before, or AnswerError."""
    read, path, body, expected = row

    def kinds(found):
        return [type(getattr(found, name)) for name in type(found).__slots__]

    if isinstance(expected, OperationResult) or expected == []:
        return
    item = body["value"][0] if "value" in body else body
    wanted = kinds(expected[0] if isinstance(expected, list) else expected)
    tried = 0
    for name, value in item["properties"].items():
        for wrong in WRONG:
            if type(wrong) is type(value) and not isinstance(value, list):
                continue
            service.mock.reset()
            changed = {**item, "properties": {**item["properties"], name: wrong}}
            service.says(path, {"value": [changed]} if "value" in body else changed)
            try:
                found = next(read(sql)) if "value" in body else read(sql)
            except AnswerError:
                tried += 1
            else:
                assert kinds(found) == wanted
    assert tried


# Ids.


@pytest.mark.parametrize(
    ("method", "id_"),
    [
        ("get_encryption_protector", DATABASE.replace("Microsoft.Sql", "Microsoft.Storage")),
        ("get_encryption_protector", "contoso-sales"),
        ("get_encryption_protector", ""),
        ("get_encryption_protector", f"{SQL}/servers/.."),
        ("get_encryption_protector", f"{SQL}/servers/../../x"),
        ("get_encryption_protector", f"{SQL}/servers//databases/x"),
        ("get_encryption_protector", ONE + "/resourceGroups/sales-data"),
        ("get_transparent_data_encryption", SERVER),
        ("get_transparent_data_encryption", INSTANCE),
        ("get_backup_redundancy", SERVER),
        ("get_auditing_settings", INSTANCE),
        ("list_failover_groups", INSTANCE),
        ("list_replication_links", MANAGED),
    ],
)
def test_what_is_no_such_id_is_not_asked_for(sql, service, method, id_):
    def ask():
        found = getattr(sql, method)(id_)
        return next(found)

    with pytest.raises(AzureError, match="is not the id of") as caught:
        ask()
    assert caught.value.status == 0
    assert not service.requests


@pytest.mark.parametrize(("subscription", "location"), [("", "westeurope"), ("a/b", "westeurope"), (ONE, "west/eu")])
def test_a_place_that_is_none_is_not_asked_for(sql, service, subscription, location):
    with pytest.raises(AzureError, match="is not"):
        next(sql.list_long_term_retention_backups(subscription, location))
    assert not service.requests


def test_case_does_not_matter_and_what_is_inside_will_do(sql, service):
    service.says(f"{SERVER}/encryptionProtector/current", {"id": "x", "properties": {}})
    spelled = SERVER.replace("resourceGroups", "RESOURCEGROUPS").replace(
        "Microsoft.Sql/servers", "microsoft.sql/Servers"
    )
    sql.get_encryption_protector(spelled)
    sql.get_encryption_protector(DATABASE)
    assert len(service.requests) == 2


def test_names_are_quoted(sql, service):
    name = "or ders?a={b}"
    service.mock.add("GET", f"https://management.azure.com{SERVER}/databases/or%20ders%3Fa%3D%7Bb%7D",
                     json={"id": "x", "properties": {}})  # fmt: skip
    assert sql.get_backup_redundancy(f"{SERVER}/databases/{name}").id == "x"


# The connection: one token, one host, the same patience.


def test_all_subscriptions_share_the_connection(azure, sql, service, credential):
    for subscription in (ONE, TWO):
        server = SERVER.replace(ONE, subscription)
        service.says(f"{server}/encryptionProtector/current", {"id": server, "properties": {}})
        assert sql.get_encryption_protector(server).id == server
    service.says("/subscriptions", {"value": []})
    azure.get("/subscriptions", "2022-12-01")
    assert len(credential.asked) == 1
    assert credential.asked[0][0] == ("https://management.azure.com/.default",)
    assert {request.headers["Authorization"] for request in service.requests} == {"Bearer secret-token-1"}
    assert {request.headers["User-Agent"].split("/")[0] for request in service.requests} == {"sovereignmesh"}
    assert len({request.headers["x-ms-client-request-id"] for request in service.requests}) == 3


def test_pages_are_followed(sql, service):
    here = f"https://management.azure.com{SERVER}/failoverGroups"
    pages = {
        "": {"value": [{"id": "1", "properties": {}}], "nextLink": f"{here}?api-version=2020-11-01&$skipToken=a%20b"},
        "a b": {"value": [], "nextLink": f"{here}?$skipToken=c"},
        "c": {"value": [{"id": "2", "properties": {}}, {"id": "3", "properties": {}}]},
    }

    def page(request):
        query = parse_qs(urlsplit(request.url).query)
        assert query["api-version"] == ["2025-01-01"]
        return pages[query.get("$skipToken", [""])[0]]

    service.says(f"{SERVER}/failoverGroups", page)
    assert [group.id for group in sql.list_failover_groups(SERVER)] == ["1", "2", "3"]
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/failoverGroups", "http://management.azure.com/x", "https://management.azure.com.evil.example",
        "https://management.azure.com@evil.example/", "https://[", 7, {"a": 1}, True,
        "https://{endpoint}.evil.example/", "https://management.azure.com/{x}",
    ],
)  # fmt: skip
def test_a_foreign_link_is_not_followed(sql, service, credential, link):
    service.says(f"{SERVER}/failoverGroups", {"value": [], "nextLink": link})
    with pytest.raises(AnswerError):
        list(sql.list_failover_groups(SERVER))
    assert len(service.requests) == 1


def test_a_link_that_comes_again_is_not_followed(sql, service):
    again = f"https://management.azure.com{SERVER}/failoverGroups?$skipToken=a"
    service.says(f"{SERVER}/failoverGroups", {"value": [], "nextLink": again})
    with pytest.raises(AnswerError, match="followed already"):
        list(sql.list_failover_groups(SERVER))
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    "body", [{}, {"value": None}, {"value": {}}, {"value": [None]}, {"value": ["a"]}, [], "a", None]
)
def test_a_list_without_value_is_not_empty(sql, service, body):
    service.says(f"{SERVER}/failoverGroups", json.dumps(body))
    with pytest.raises(AnswerError, match="without `value`"):
        list(sql.list_failover_groups(SERVER))


@pytest.mark.parametrize("body", [[], "a", None, 7])
def test_an_answer_that_is_no_object_is_none(sql, service, body):
    service.says(f"{SERVER}/encryptionProtector/current", json.dumps(body))
    with pytest.raises(AnswerError, match="should be an object"):
        sql.get_encryption_protector(SERVER)


# Errors.

READERS = {
    "get": (lambda sql: sql.get_encryption_protector(SERVER), f"{SERVER}/encryptionProtector/current"),
    "list": (lambda sql: list(sql.list_replication_links(SERVER)), f"{SERVER}/replicationLinks"),
    "operation": (lambda sql: sql.get_operation_result(f"{LOCATION}/a/b"), f"{LOCATION}/a/b"),
}
GOOD = {"get": {"id": "x", "properties": {}}, "list": {"value": []}, "operation": {"status": "Succeeded"}}


@pytest.fixture(params=READERS)
def reader(request, sql, service):
    """One way to read: what it is, and a call of it after which the service says what is given."""
    read, path = READERS[request.param]

    def ask(*answers):
        service.says(path, *answers)
        return read(sql)

    ask.kind, ask.path = request.param, path
    return ask


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, RejectedError), (401, SignInError), (403, DeniedError), (404, NotFoundError), (409, RejectedError),
     (302, AnswerError), (429, ThrottledError), (500, UnreachableError), (503, UnreachableError)],
)  # fmt: skip
def test_a_refusal_is_an_error_of_ours(reader, credential, status, kind):
    with pytest.raises(kind) as caught:
        reader((status, {"error": {"code": "Because", "message": "So it is."}}, {"x-ms-request-id": "r-1"}))
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, "Because", "r-1")
    assert str(error).startswith(f"{reader.path}: {status} Because")
    assert status == 302 or "So it is." in str(error)
    while error is not None:
        assert "secret-token" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def test_a_throttled_call_is_asked_again(reader, clock):
    reader((429, {}, {"Retry-After": "7"}), GOOD[reader.kind])
    assert clock.slept == [7.0]


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b'{"value": [', b'{"id": "x", "prop', b"\xff"])
def test_what_is_no_json_is_asked_for_again_and_then_an_error(reader, service, clock, body):
    with pytest.raises(AnswerError, match="is no JSON") as caught:
        reader((200, body, {"Content-Type": "text/html"}))
    assert reader.path in str(caught.value)
    assert len(service.requests) > 1


def test_what_is_no_json_once_does_no_harm(reader, service):
    reader((200, b"<html>"), GOOD[reader.kind])
    assert len(service.requests) == 2


@pytest.mark.parametrize("kind", ["get", "list"])
def test_an_empty_answer_is_none(sql, service, kind):
    read, path = READERS[kind]
    service.says(path, (200, b""))
    with pytest.raises(AnswerError):
        read(sql)


def test_no_connection_is_an_error_of_ours(reader):
    with pytest.raises(UnreachableError, match="nobody there"):
        reader(requests.ConnectionError("nobody there"))


def test_a_closed_connection_stays_closed(azure, reader, service):
    azure.close()
    with pytest.raises(UnreachableError, match="was closed"):
        reader({})
    assert not service.requests


def test_the_deadline_holds(azure, reader, service):
    azure.begin(5)
    with pytest.raises(DeadlineError):
        reader((429, {}, {"Retry-After": "7"}))
    assert len(service.requests) == 1


def test_no_sign_in_is_an_error_of_ours(new_credential, clock, service):
    credential = new_credential(ClientAuthenticationError("no token"))
    with connect(credential, pace=Pace(clock=clock, sleep=clock.sleep)) as azure:
        for read, _ in READERS.values():
            with pytest.raises(SignInError, match="not signed in"):
                read(connect_sql(azure))
    assert not service.requests


# Operations.


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((202, b""), OperationResult("InProgress", "")),
        ((202, {"operation": "DropServer", "startTime": "2026-01-01"}), OperationResult("InProgress", "")),
        ((204, b""), OperationResult("Succeeded", "")),
        ((200, {"status": "Canceled", "error": {"code": "Stopped"}}), OperationResult("Canceled", "Stopped")),
        ((200, {"status": "Encrypting", "error": None}), OperationResult("Encrypting", "")),
        ((200, {"id": "x", "properties": {}}), OperationResult("Succeeded", "")),
    ],
)  # fmt: skip
def test_operations(sql, service, answer, expected):
    service.says(f"{LOCATION}/a/b", answer)
    assert (
        sql.get_operation_result(f"https://management.azure.com{LOCATION}/a/b?api-version=2024-01-01&t=1") == expected
    )
    assert service.urls == [f"https://management.azure.com{LOCATION}/a/b?api-version=2024-01-01&t=1"]


@pytest.mark.parametrize("body", [[], {}, {"value": []}, {"status": 7}, {"status": None}])
def test_what_says_no_status_is_no_result(sql, service, body):
    service.says(f"{LOCATION}/a/b", (200, json.dumps(body)))
    with pytest.raises(AnswerError):
        sql.get_operation_result(f"{LOCATION}/a/b")


def test_an_operation_elsewhere_is_not_asked_for(sql, service):
    with pytest.raises(AnswerError, match="not to management"):
        sql.get_operation_result("https://evil.example/operations/1?api-version=2025-01-01")
    assert not service.requests


def test_facts_are_read_strictly():
    facts = Facts({"a": "x", "n": 1, "b": True, "l": ["x"], "t": "yesterday"}, "here")
    assert (facts.text("a"), facts.number("n"), facts.flag("b"), facts.texts("l")) == ("x", 1, True, ("x",))
    assert (facts.text("-"), facts.number("-"), facts.flag("-"), facts.texts("-"), facts.time("-")) == (
        "", None, None, (), None,
    )  # fmt: skip
    for read, name in ((facts.text, "n"), (facts.number, "b"), (facts.flag, "n"), (facts.texts, "a"), (facts.time, "t"),
                       (facts.within, "a"), (facts.within, "-")):  # fmt: skip
        with pytest.raises(AnswerError, match="here"):
            read(name)
