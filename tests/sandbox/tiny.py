"""A tiny estate's rows, and a client that speaks to a sandbox over the wire."""

import requests

from sovereignmesh.sandbox import open_adapter

HOST = "https://management.azure.com"
TENANT = "aaaaaaaa-0000-0000-0000-000000000000"
ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"
HIDDEN = "33333333-3333-3333-3333-333333333333"
UNKNOWN = "99999999-9999-9999-9999-999999999999"


def _row(path, of_type, **columns):
    segments = path.split("/")
    return {
        "id": path,
        "name": segments[-1],
        "type": of_type.lower(),
        "tenantId": TENANT,
        "kind": "",
        "location": "",
        "resourceGroup": segments[4].lower() if len(segments) > 4 else "",
        "subscriptionId": segments[2],
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": {},
        "tags": None,
        "identity": None,
        "zones": None,
        "extendedLocation": None,
        "apiVersion": "2024-01-01",
        **columns,
    }


def _subscription(identity, name):
    chain = [{"name": "mg-left" if identity != TWO else "mg-right"}]
    properties = {"state": "Enabled", "managedByTenants": [], "subscriptionPolicies": {"spendingLimit": "Off"}}
    return _row(
        f"/subscriptions/{identity}",
        "microsoft.resources/subscriptions",
        name=name,
        properties={**properties, "managementGroupAncestorsChain": chain},
        tags={"Domain": name},
        apiVersion="2022-12-01",
    )


def _group(subscription, name):
    return _row(
        f"/subscriptions/{subscription}/resourceGroups/{name}",
        "microsoft.resources/subscriptions/resourcegroups",
        location="westeurope",
        properties={"provisioningState": "Succeeded"},
    )


def _storage(subscription, group, name, **properties):
    return _row(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}",
        "Microsoft.Storage/storageAccounts",
        kind="StorageV2",
        location="westeurope",
        sku={"name": "Standard_LRS", "tier": "Standard"},
        properties=properties,
        tags={"Domain": "Sales"},
    )


def rows():
    found = [_subscription(ONE, "one"), _subscription(TWO, "two"), _subscription(HIDDEN, "hidden")]
    found += [_group(ONE, "Data-RG"), _group(ONE, "App-RG"), _group(TWO, "Data-RG"), _group(HIDDEN, "Data-RG")]
    found += [
        _storage(ONE, "Data-RG", f"st{number}", encryption={"keySource": "Microsoft.Storage"}, number=number)
        for number in range(5)
    ]
    found.append(
        _storage(
            ONE, "App-RG", "stkeys", encryption={"keySource": "Microsoft.Keyvault", "identity": None}, networkAcls=None
        )
    )
    found += [_storage(TWO, "Data-RG", "sttwo"), _storage(HIDDEN, "Data-RG", "sthidden")]
    sql = f"/subscriptions/{ONE}/resourceGroups/App-RG/providers/Microsoft.Sql/servers/sql"
    found.append(_row(sql, "Microsoft.Sql/servers", location="northeurope", zones=["1", "2"]))
    found.append(_row(f"{sql}/databases/db", "Microsoft.Sql/servers/databases", managedBy=sql))
    return found


SETTINGS = "providers/microsoft.insights/diagnosticSettings"


def children():
    """Bodies that Resource Graph does not list, in every shape that ids have."""
    scope = f"/subscriptions/{ONE}"
    group, located = f"{scope}/resourceGroups/App-RG", "providers/{}/locations/westeurope"
    sql, account = (
        f"{group}/providers/Microsoft.{name}" for name in ("Sql/servers/sql", "Storage/storageAccounts/stkeys")
    )
    in_sql, in_sub = located.format("Microsoft.Sql"), f"{scope}/{located}"
    retention = "longTermRetentionServers/gone/longTermRetentionDatabases/db/longTermRetentionBackups"
    ids = [
        *(f"{sql}/failoverGroups/fog{number}" for number in range(3)),
        f"{sql}/encryptionProtector/current",
        f"{sql}/databases/db/transparentDataEncryption/current",
        *(f"{sql}/databases/db/replicationLinks/link{number}" for number in range(2)),
        f"{sql}/{SETTINGS}/of-server",
        f"{sql}/databases/db/{SETTINGS}/of-database",
        f"{account}/{SETTINGS}/of-account",
        f"{account}/blobServices/default/{SETTINGS}/of-blobs",
        f"{scope}/{SETTINGS}/of-subscription",
        f"{group}/{in_sql}/instanceFailoverGroups/fog",
        f"{scope}/{in_sql}/{retention}/1;2;Hot",
        f"{in_sub.format('Microsoft.KeyVault')}/deletedVaults/kv",
        f"{in_sub.format('Microsoft.Storage')}/deletedAccounts/st",
        f"{in_sub.format('Microsoft.CognitiveServices')}/resourceGroups/App-RG/deletedAccounts/lang",
        f"{in_sub.format('Microsoft.DocumentDB')}/restorableDatabaseAccounts/cosmos",
        f"/subscriptions/{HIDDEN}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/hidden",
    ]
    return [{"id": identity, "name": identity.rpartition("/")[2], "type": "as it was written"} for identity in ids]


TOP, LEFT, RIGHT = (f"/providers/Microsoft.Management/managementGroups/mg-{name}" for name in ("top", "left", "right"))


def policies():
    """Rows of policyresources at every kind of scope."""
    account = f"/subscriptions/{ONE}/resourceGroups/App-RG/providers/Microsoft.Storage/storageAccounts/stkeys"
    states, assignments = "Microsoft.PolicyInsights/policyStates", "Microsoft.Authorization/policyAssignments"
    scopes = {
        "of-top": TOP, "of-left": LEFT, "of-right": RIGHT, "of-one": f"/subscriptions/{ONE}",
        "of-two": f"/subscriptions/{TWO}", "of-hidden": f"/subscriptions/{HIDDEN}",
    }  # fmt: skip
    found = [(f"{scope}/providers/{assignments}/{name}", assignments) for name, scope in scopes.items()]
    found.append((f"{account}/providers/{states}/of-account", states))
    columns = ("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "properties")
    whole = [_row(path, kind, properties={"note": None, "at": path.rpartition("/")[2]}) for path, kind in found]
    for row in whole:
        if row["id"].startswith("/providers/"):
            row |= {"subscriptionId": "", "resourceGroup": ""}
    return [{column: row[column] for column in columns} for row in whole]


class Client:
    """A session on a sandbox; `clock` is the service's, in seconds."""

    def __init__(self, folder, **options):
        self.now = 0.0
        self.slept = []
        adapter = open_adapter(folder, clock=lambda: self.now, sleep=self.slept.append, **options)
        self.session = requests.Session()
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self.session.headers["Authorization"] = "Bearer sandbox"

    def call(self, method, path, version="2024-01-01", **options):
        url = path if path.startswith("http") else HOST + path
        parameters = {"api-version": version} if version else {}
        return self.session.request(method, url, params={**parameters, **options.pop("params", {})}, **options)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post_query(self, query, *, version="2022-10-01", body=None, **options):
        """`options` with the names that Resource Graph has, `top` and `skip` for those with a dollar."""
        sent = {"query": query, **(body or {})}
        named = {{"top": "$top", "skip": "$skip", "token": "$skipToken"}.get(k, k): v for k, v in options.items()}
        if named:
            sent["options"] = named
        self.now += 1  # within the quota
        return self.call("POST", "/providers/Microsoft.ResourceGraph/resources", version, json=sent)

    def query(self, query, **options):
        answer = self.post_query(query, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, query, **options):
        return self.query(query, **options)["data"]
