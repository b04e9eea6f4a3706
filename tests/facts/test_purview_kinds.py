import gzip
import json
from importlib.resources import files

import pytest

from sovereignmesh.errors import FactsError
from sovereignmesh.facts import purview
from sovereignmesh.facts.purview import (
    all_scan_kinds,
    all_source_kinds,
    credential_kinds,
    endpoint_of,
    kind_of_id,
    kind_of_resource,
    limits,
    metadata_roles,
    scan_properties,
    scanner_regions,
    source_kinds,
    unverified,
)
from sovereignmesh.facts.tables import read_table

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
# What the service computes, and the collection, which is no property of the kind.
COMPUTED = {"createdAt", "lastModifiedAt", "dataSourceCollectionMovingState", "collection"}


class Spec:
    """The official description of the scanning API."""

    def __init__(self, folder):
        self.definitions = json.loads((folder / "scanningService.json").read_text())["definitions"]

    def properties(self, name):
        own = self.definitions[name]
        inherited = [self.properties(part["$ref"].rpartition("/")[2]) for part in own.get("allOf", ())]
        return {key: value for each in (*inherited, own.get("properties", {})) for key, value in each.items()}

    def inside(self, name, key="properties"):
        return self.properties(self.properties(name)[key]["$ref"].rpartition("/")[2])

    def variants(self, base):
        """The models below `base`, by what tells them apart."""
        return {
            model["x-ms-discriminator-value"]: name
            for name, model in self.definitions.items()
            if any(part["$ref"].endswith(f"/{base}") for part in model.get("allOf", ()))
        }

    def words(self, base):
        kind = self.definitions[base]["properties"]["kind"]
        return set((self.definitions[kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind)["enum"])


@pytest.fixture(scope="module")
def folder(recorded):
    return recorded / "purview-specs" / "scanning-2023-09-01"


@pytest.fixture(scope="module")
def spec(folder):
    return Spec(folder)


@pytest.fixture(scope="module")
def rows():
    """The resources of the sample estate, as Resource Graph gives them."""
    packed = files("sovereignmesh.sandbox").joinpath("estates/contoso/resources.jsonl.gz").read_bytes()
    found = {}
    for line in gzip.decompress(packed).decode().splitlines():
        row = json.loads(line)
        found.setdefault(row["type"], []).append(row)
    return found


def test_the_kinds_of_sources_and_their_properties_are_those_of_the_api(spec):
    models = spec.variants("DataSource")
    assert all_source_kinds() == spec.words("DataSource")
    assert len(all_source_kinds()) == 38
    assert source_kinds().keys() == models.keys()
    for name, kind in source_kinds().items():
        found = spec.inside(models[name])
        assert set(kind.allowed) == found.keys() - COMPUTED, name
        assert kind.azure_resource == ({"resourceName", "location"} <= found.keys()), name
        assert kind.numbers == {key for key in kind.properties if found[key]["type"] == "integer"}, name


def test_the_kinds_of_scans_and_their_properties_are_those_of_the_api(spec):
    models = spec.variants("Scan")
    assert all_scan_kinds() == spec.words("Scan")
    assert scan_properties().keys() == models.keys()
    for name, properties in scan_properties().items():
        assert set(properties) == spec.inside(models[name]).keys() - COMPUTED, name


def test_rulesets_choose_files_where_the_api_has_a_rule_for_it(spec):
    models = spec.variants("ScanRuleset")
    with_files = {name for name, model in models.items() if "scanningRule" in spec.inside(model)}
    assert {name for name, kind in source_kinds().items() if kind.files} == with_files


def test_credentials_have_the_properties_of_the_api(spec):
    models = spec.variants("Credential")
    assert credential_kinds().keys() == models.keys() == spec.words("Credential")
    for name, kind in credential_kinds().items():
        properties = spec.inside(models[name])["typeProperties"]["$ref"].rpartition("/")[2]
        found = spec.properties(properties)
        secrets = {key for key, value in found.items() if value.get("$ref", "").endswith("/KeyVaultSecret")}
        assert {*kind.texts.values(), *kind.secrets.values()} == found.keys(), name
        assert set(kind.secrets.values()) == secrets, name


def test_official_examples_of_sources_are_accepted(folder):
    seen = 0
    for path in sorted((folder / "examples").glob("DataSources_*.json")):
        for body in bodies(json.loads(path.read_text())):
            if body["kind"] in source_kinds():
                seen += 1
                names = body["properties"].keys() - COMPUTED
                assert names <= set(source_kinds()[body["kind"]].allowed), path.name
    assert seen >= 3


def test_official_examples_of_scans_are_accepted(folder):
    found = [
        body
        for path in sorted((folder / "examples").glob("Scans_*.json"))
        for body in bodies(json.loads(path.read_text()))
        if body["kind"] in scan_properties()
    ]
    assert found
    for body in found:
        assert body["properties"].keys() - COMPUTED <= set(scan_properties()[body["kind"]])


def bodies(value):
    if isinstance(value, dict) and "kind" in value and "properties" in value:
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from bodies(part)


def test_system_rulesets_are_named_as_recorded(recorded):
    path = recorded / "recordings" / "purview"
    text = (path / "java-transcribed" / "SystemScanRulesets_testListAll.json").read_text()
    listed = json.loads(text)["Entries"][0]["ResponseBody"]["value"]
    found = {row["kind"]: row["name"] for row in listed if row["kind"] in source_kinds()}
    assert len(found) > 10
    assert {name: source_kinds()[name].ruleset for name in found} == found


def test_roles_are_those_of_a_recorded_account(recorded):
    path = recorded / "recordings" / "purview" / "python"
    (recording,) = path.glob("*meta_roles_smoke_test.json")
    entries = json.loads(recording.read_text())["Entries"]
    listed = next(entry["ResponseBody"]["values"] for entry in entries if "metadataRoles" in entry["RequestUri"])
    assert set(metadata_roles().values()) == {role["id"] for role in listed}
    assert metadata_roles()["dataReaders"] == "purviewmetadatarole_builtin_purview-reader"


@pytest.mark.parametrize(
    ("resource_type", "kind"),
    [
        ("microsoft.sql/servers", "AzureSqlDatabase"),
        ("microsoft.sql/managedinstances", "AzureSqlDatabaseManagedInstance"),
        ("microsoft.synapse/workspaces", "AzureSynapseWorkspace"),
        ("microsoft.dbforpostgresql/flexibleservers", "AzurePostgreSql"),
        ("microsoft.dbformysql/flexibleservers", "AzureMySql"),
        ("microsoft.documentdb/databaseaccounts", "AzureCosmosDb"),
        ("microsoft.kusto/clusters", "AzureDataExplorer"),
        ("microsoft.resources/subscriptions", "AzureSubscription"),
        ("microsoft.resources/subscriptions/resourcegroups", "AzureResourceGroup"),
    ],
)
def test_the_sample_estate_tells_kind_and_endpoint(rows, resource_type, kind):
    assert rows[resource_type]
    for row in rows[resource_type]:
        found = kind_of_resource(row)
        assert found
        assert found.kind == kind
        assert kind_of_resource({**row, "type": row["type"].upper()}) == found
        assert endpoint_of(found, row["name"], row).keys() - {"port"} == set(found.endpoint)


def test_storage_accounts_of_the_sample_estate_are_lakes_or_blobs_and_one_does_not_tell(rows):
    kinds = {row["name"]: kind_of_resource(row) for row in rows["microsoft.storage/storageaccounts"]}
    others = {name: kind.kind if kind else None for name, kind in kinds.items() if not kind or kind.kind != "AdlsGen2"}
    # The estate has a row without properties: whether it is a lake is not known.
    assert others == {
        "stcustomerdevlake": None, "stfinancecopy": "AzureStorage", "stfinanceprodinvoices": "AzureStorage",
    }  # fmt: skip
    for row in rows["microsoft.storage/storageaccounts"]:
        kind = kinds[row["name"]]
        if kind:
            assert endpoint_of(kind, row["name"], None) == endpoint_of(kind, row["name"], row)


@pytest.mark.parametrize(
    "kind", ["AzureSqlDatabase", "AzureSynapseWorkspace", "AzurePostgreSql", "AzureMySql", "AzureCosmosDb"]
)
def test_a_template_spells_what_a_body_says(rows, kind):
    for row in rows[source_kinds()[kind].resource_types[-1]]:
        assert endpoint_of(source_kinds()[kind], row["name"], None) == endpoint_of(
            source_kinds()[kind], row["name"], row
        )


def test_other_resources_are_no_sources(rows):
    known = {resource_type for kind in source_kinds().values() for resource_type in kind.resource_types}
    others = [row for resource_type, each in rows.items() if resource_type not in known for row in each]
    assert len(others) > 100
    assert not [row["id"] for row in others if kind_of_resource(row)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"kind": "StorageV2", "properties": {"isHnsEnabled": True}}, "AdlsGen2"),
        ({"kind": "StorageV2", "properties": {"isHnsEnabled": False}}, "AzureStorage"),
        ({"kind": "Storage", "properties": {}}, "AzureStorage"),
        ({"kind": "FileStorage", "properties": {}}, None),
        ({"kind": "StorageV2"}, None),
        ({"kind": "StorageV2", "properties": None}, None),
    ],
)
def test_a_storage_account_is_a_lake_or_blobs_or_unknown(body, kind):
    found = kind_of_resource({"type": "Microsoft.Storage/storageAccounts", **body})
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("kind", "apis", "found"),
    [
        ("GlobalDocumentDB", "Sql", True),
        ("GlobalDocumentDB", None, True),
        ("GlobalDocumentDB", "Gremlin, Sql", False),
        ("GlobalDocumentDB", "Cassandra", False),
        ("MongoDB", "MongoDB", False),
    ],
)
def test_only_cosmos_accounts_for_nosql_are_sources(kind, apis, found):
    body = {"type": "Microsoft.DocumentDB/databaseAccounts", "kind": kind, "properties": {"EnabledApiTypes": apis}}
    assert bool(kind_of_resource(body)) is found


def test_a_body_without_a_type_is_no_source():
    assert kind_of_resource({}) is None
    assert kind_of_resource({"type": None}) is None


@pytest.mark.parametrize(
    ("below", "kind", "source", "database"),
    [
        ("Microsoft.Sql/servers/sql", "AzureSqlDatabase", "Microsoft.Sql/servers/sql", ""),
        ("Microsoft.Sql/servers/sql/databases/Orders", "AzureSqlDatabase", "Microsoft.Sql/servers/sql", "Orders"),
        ("microsoft.sql/SERVERS/sql/DataBases/x", "AzureSqlDatabase", "microsoft.sql/SERVERS/sql", "x"),
        (
            "Microsoft.Sql/managedInstances/mi/databases/crm",
            "AzureSqlDatabaseManagedInstance",
            "Microsoft.Sql/managedInstances/mi",
            "crm",
        ),
        (
            "Microsoft.DBforPostgreSQL/flexibleServers/pg/databases/app",
            "AzurePostgreSql",
            "Microsoft.DBforPostgreSQL/flexibleServers/pg",
            "app",
        ),
        (
            "Microsoft.DocumentDB/databaseAccounts/c/sqlDatabases/app",
            "AzureCosmosDb",
            "Microsoft.DocumentDB/databaseAccounts/c",
            "app",
        ),
        ("Microsoft.Kusto/clusters/k/databases/logs", "AzureDataExplorer", "Microsoft.Kusto/clusters/k", "logs"),
        (
            "Microsoft.Storage/storageAccounts/st/fileServices/default/shares/hr",
            "AzureFileService",
            "Microsoft.Storage/storageAccounts/st",
            "hr",
        ),
        ("Microsoft.Synapse/workspaces/w", "AzureSynapseWorkspace", "Microsoft.Synapse/workspaces/w", ""),
        ("Microsoft.Storage/storageAccounts/st", None, "Microsoft.Storage/storageAccounts/st", ""),
        ("Microsoft.Sql/servers/sql/elasticPools/p", None, "Microsoft.Sql/servers/sql/elasticPools/p", ""),
        ("Microsoft.Sql/servers", None, "Microsoft.Sql/servers", ""),
        ("Microsoft.Compute/disks/d", None, "Microsoft.Compute/disks/d", ""),
    ],
)
def test_an_id_tells_kind_source_and_database(below, kind, source, database):
    found, source_id, name = kind_of_id(f"{GROUP}/providers/{below}")
    assert (found.kind if found else None, source_id, name) == (kind, f"{GROUP}/providers/{source}", database)


@pytest.mark.parametrize(
    ("resource_id", "kind"),
    [
        ("/subscriptions/1", "AzureSubscription"),
        ("/Subscriptions/1/resourcegroups/rg", "AzureResourceGroup"),
        ("/subscriptions/1/resourceGroups", None),
        ("/providers/Microsoft.Management/managementGroups/mg", None),
        ("sql-server", None),
        ("", None),
    ],
)
def test_scopes_are_sources_and_nonsense_is_none(resource_id, kind):
    found, same, database = kind_of_id(resource_id)
    assert (found.kind if found else None, same, database) == (kind, resource_id, "")


def test_an_extension_of_a_server_is_not_the_server():
    diagnostics = f"{GROUP}/providers/Microsoft.Sql/servers/sql/providers/Microsoft.Insights/diagnosticSettings/d"
    assert kind_of_id(diagnostics) == (None, diagnostics, "")


@pytest.mark.parametrize(
    ("kind", "cloud", "found"),
    [
        ("AzureSqlDatabase", "public", {"serverEndpoint": "x.database.windows.net"}),
        ("AzureSqlDatabase", "usgovernment", {"serverEndpoint": "x.database.usgovcloudapi.net"}),
        ("AzureSqlDatabase", "china", {"serverEndpoint": "x.database.chinacloudapi.cn"}),
        ("AzureSqlDatabase", "local", {}),
        ("AzureStorage", "public", {"endpoint": "https://x.blob.core.windows.net/"}),
        ("AzureFileService", "china", {"endpoint": "https://x.file.core.chinacloudapi.cn/"}),
        ("AzureMySql", "public", {"serverEndpoint": "x.mysql.database.azure.com", "port": 3306}),
        ("AzureSynapseWorkspace", "usgovernment", {}),
        ("AzureDataExplorer", "public", {}),
        ("AzureSqlDatabaseManagedInstance", "public", {}),
        ("Oracle", "public", {}),
    ],
)
def test_a_host_is_spelled_as_the_cloud_does_and_never_guessed(kind, cloud, found):
    assert endpoint_of(source_kinds()[kind], "x", None, cloud) == found


def test_a_body_goes_before_the_template():
    body = {"properties": {"primaryEndpoints": {"blob": "https://x.z12.blob.storage.azure.net/"}}}
    assert endpoint_of(source_kinds()["AzureStorage"], "x", body)["endpoint"] == "https://x.z12.blob.storage.azure.net/"
    assert endpoint_of(source_kinds()["AzureStorage"], "x", {"properties": None})["endpoint"].startswith(
        "https://x.blob"
    )


def test_the_default_scan_uses_the_account_identity_where_there_is_one():
    assert source_kinds()["AzureSqlDatabase"].default_scan == "AzureSqlDatabaseMsi"
    assert source_kinds()["AzureCosmosDb"].default_scan == "AzureCosmosDbCredential"
    assert source_kinds()["Oracle"].default_scan == "OracleOracleCredential"
    for kind in source_kinds().values():
        assert kind.default_scan in kind.scans


def test_a_secret_is_named_and_never_written():
    flat = {"consumerKey": "k", "secret": "a", "secretVersion": "7", "consumerSecret": "b", "keyVault": "kv"}
    found = credential_kinds()["ConsumerKeyAuth"].type_properties(flat)
    store = {"referenceName": "kv", "type": "LinkedServiceReference"}
    assert found == {
        "consumerKey": "k",
        "password": {"type": "AzureKeyVaultSecret", "secretName": "a", "secretVersion": "7", "store": store},
        "consumerSecret": {"type": "AzureKeyVaultSecret", "secretName": "b", "secretVersion": "", "store": store},
    }
    assert set(flat) <= set(credential_kinds()["ConsumerKeyAuth"].fields)
    assert credential_kinds()["AmazonARN"].fields == ("roleArn",)


def test_scanners_run_where_the_page_says_and_the_rest_is_said_to_be_unknown():
    assert {"westeurope", "northeurope", "germanywestcentral"} <= scanner_regions()
    assert "centralus" not in scanner_regions()
    assert "Korea Central" in unverified("scanner_regions")
    assert unverified("roles") == ""


def test_limits_of_an_account():
    assert limits().concurrent_scans == 5
    assert limits().capacity_units * limits().operations_per_unit == 250


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"endpoint": ["host"]}, "`endpoint` names"),
        ({"from": {"port": "x"}}, "is no endpoint"),
        ({"port": 1433}, "without the property"),
        ({"msi": {}, "credential": {}}, "neither `msi` nor `credential`"),
        ({"inside": {"Microsoft.Sql/servers/databases": "name"}}, "another scan property"),
        ({"database": "name", "inside": {}}, "not a property of every scan"),
        ({"template": {"serverEndpoint": "{name}.{dns}"}}, "no cloud spells"),
        ({"source": "a page"}, "`source` must be"),
        ({"checked": "lately"}, "`checked` must be"),
        ({"colour": "blue"}, "`colour` means nothing here"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(change, message):
    row = read_table("purview.yaml")["kinds"]["AzureSqlDatabase"]
    with pytest.raises(FactsError, match=message):
        purview._kind("AzureSqlDatabase", {**row, **change}, "facts/purview.yaml: kinds: AzureSqlDatabase")
