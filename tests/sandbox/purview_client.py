"""A client that speaks to the Purview account of an estate over the wire, and bodies to send it."""

import json

from sandbox.tiny import Client

from sovereignmesh.sandbox.estate import estate_folder

SCAN, ACCOUNT, POLICY = "2023-09-01", "2019-11-01-preview", "2021-07-01-preview"
TYPES = "/datamap/api/atlas/v2/types"
SUBSCRIPTION = "/subscriptions/77777777-7777-7777-7777-777777777777"
SQL = f"{SUBSCRIPTION}/resourceGroups/sales-rg/providers/Microsoft.Sql/servers/sales-sql"


class Purview(Client):
    """A session on the account `account`; `put` and the like raise no errors but give the answer."""

    def __init__(self, folder="seed", account="sovereign-purview", **options):
        super().__init__(folder, **options)
        self.account = f"https://{account}.purview.azure.com"

    def ask(self, method, path, version=None, **options):
        if path.startswith("https:"):
            return self.session.request(method, path, **options)
        if version is None:
            version = next(
                (
                    own
                    for start, own in (("/scan", SCAN), ("/policy", POLICY), ("/datamap", ""))
                    if path.startswith(start)
                ),
                ACCOUNT,
            )
        return self.call(method, self.account + path, version, **options)

    def put(self, path, body, **options):
        return self.ask("PUT", path, json=body, **options)

    def read(self, path, **options):
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def delete(self, path):
        return self.ask("DELETE", path)

    def every(self, path):
        """All of a list, page by page."""
        body = self.read(path)
        found = body["value"]
        while "nextLink" in body:
            assert body["nextLink"].startswith(self.account)
            body = self.ask("GET", body["nextLink"]).json()
            found += body["value"]
        return found

    def names(self, path):
        return [body["name"] for body in self.every(path)]

    def make(self, *steps):
        """Sends (path, body) pairs, which must be new, and classifications."""
        for path, body in steps:
            answer = self.ask("POST", path, json=body) if path.startswith(TYPES) else self.put(path, body)
            assert answer.status_code in (200, 201), answer.text
        return self


def write_contoso(folder, **more):
    """The estate contoso in a folder of its own, in which something else is said of its Purview account."""
    given = estate_folder("contoso")
    described = json.loads((given / "estate.json").read_text())
    for name in ("resources", "children", "policy"):
        described[name] = str(given / described[name])
    account = described["purview"]["pview-customer-prod"]
    account |= {name: str(given / account[name]) for name in ("objects", "assets")} | more
    (folder / "estate.json").write_text(json.dumps(described))
    return folder


def without_what_is_above(policy, collection):
    """A collection's policy as it is once its roles are no longer those of the collection above."""
    (permission,) = [
        rule for rule in policy["properties"]["attributeRules"] if rule["id"] == f"permission:{collection}"
    ]
    inherited = permission["dnfCondition"].pop()
    assert inherited[0]["attributeValueIncludes"].startswith("permission:")
    return policy


def code(answer):
    error = answer.json()["error"]
    assert answer.headers["x-ms-error-code"] == error["code"]
    assert error["message"]
    return answer.status_code, error["code"]


def collection(parent="sovereign-purview", **more):
    return {"parentCollection": {"referenceName": parent}, **more}


def source(kind="AzureSqlDatabase", collection="sovereign-purview", **properties):
    own = properties or {"serverEndpoint": "sales-sql.database.windows.net", "resourceId": SQL}
    where = {"referenceName": collection, "type": "CollectionReference"}
    return {"kind": kind, "properties": {**own, "collection": where}}


def scan(kind="AzureSqlDatabaseMsi", collection="sovereign-purview", **properties):
    own = {"scanRulesetName": "AzureSqlDatabase", "scanRulesetType": "System", "databaseName": "salesdb"}
    where = {"referenceName": collection, "type": "CollectionReference"}
    given = {key: value for key, value in {**own, **properties, "collection": where}.items() if value is not None}
    return {"kind": kind, "properties": given}


def rule(name="PII.HighRisk", **properties):
    patterns = [{"kind": "Regex", "pattern": "ssn"}]
    return {"kind": "Custom", "properties": {"classificationName": name, "columnPatterns": patterns, **properties}}


def ruleset(*rules, kind="AzureSqlDatabase", **properties):
    own = {"includedCustomClassificationRuleNames": list(rules)} if rules else {}
    return {"kind": kind, "scanRulesetType": "Custom", "properties": {**own, **properties}}


def classification(*names):
    return {"classificationDefs": [{"category": "CLASSIFICATION", "name": name} for name in names]}


TRIGGER = {
    "properties": {
        "scanLevel": "Incremental",
        "recurrence": {
            "frequency": "Week",
            "interval": 1,
            "startTime": "2026-01-05T02:00:00Z",
            "timeZone": "W. Europe Standard Time",
            "schedule": {"hours": [2], "minutes": [0], "weekDays": ["Monday"]},
        },
    }
}
SALES = ("/scan/datasources/sales-sql", source())
WEEKLY = ("/scan/datasources/sales-sql/scans/weekly", scan())
VAULT = ("/scan/azureKeyVaults/main-vault", {"properties": {"baseUrl": "https://kv-one.vault.azure.net/"}})
SECRET = {"type": "AzureKeyVaultSecret", "secretName": "p", "store": {"referenceName": "main-vault"}}
CREDENTIAL = (
    "/scan/credentials/sql-login",
    {"kind": "SqlAuth", "properties": {"typeProperties": {"user": "scanner", "password": SECRET}}},
)
