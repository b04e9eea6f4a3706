"""Sources: which kind, where they are, and what of them nobody may make up."""

import pytest
from purview.conftest import SQL

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.errors import MeshError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.purview import plan_purview
from sovereignmesh.purview.sources import wished_scans

WEST, NORTH = "westeurope", "northeurope"


def problems(azure, write_mesh, *sources, **options):
    sources = [source.replace("IN_FULL", "serverEndpoint: sales-sql.database.windows.net") for source in sources]
    document = f"purview: {{account: sovereign-purview, sources: [{', '.join(sources)}]}}"
    plan = plan_purview(azure, load_mesh(write_mesh(document)), **options)
    return [(problem.severity, problem.message) for problem in plan.problems]


def errors(*arguments):
    return [message for severity, message in problems(*arguments) if severity == "error"]


@pytest.mark.parametrize(
    "source",
    [
        "{name: abc, resource: '{SQL}', location: northeurope}",
        "{name: abc, resource: '{SQL}', properties: {location: northeurope}}",
        "{name: abc, kind: AzureSqlDatabase, location: northeurope, properties: {resourceId: '{SQL}', IN_FULL}}",
    ],
)
def test_a_region_that_azure_contradicts_is_an_error(azure, write_mesh, source):
    in_full = "IN_FULL" in source
    for options in ({}, {"allow_drift": True}):  # no way around: what would be allowed is not what is there
        found = problems(azure, write_mesh, source, **options)
        severity = "warning" if in_full else "error"
        assert found == [(severity, f"the resource is in {WEST}, not in {NORTH}, as Azure says")]
    assert not problems(azure, write_mesh, source.replace(NORTH, "West Europe"))


def test_where_azure_says_that_a_resource_is_counts_though_it_is_written_out(azure, write_mesh):
    policy = "governancePolicies: {dataResidency: {allowedRegions: [northeurope]}}"
    source = "{name: abc, kind: AzureSqlDatabase, properties: {resourceId: '{SQL}', serverEndpoint: a.example}}"
    document = f"purview: {{account: sovereign-purview, sources: [{source}]}}"
    plan = plan_purview(azure, load_mesh(write_mesh(document, policy=policy)))
    assert any("the source 'abc' is in westeurope, which is not allowed" in error.message for error in plan.errors)


def test_a_source_without_an_endpoint_is_an_error(azure, write_mesh):
    gone = "{name: abc, location: westeurope, resource: '" + SQL.replace("sales-sql", "nope") + "'}"
    (message,) = errors(azure, write_mesh, gone)
    assert "is not visible to you: AzureSqlDatabase is known by serverEndpoint: give it in 'properties'" in message
    assert not errors(azure, write_mesh, gone.replace("'}", "', properties: {serverEndpoint: nope.example}}"))


def test_subscriptions_and_groups_are_discovered(azure, write_mesh):
    found = (
        "purview: {account: sovereign-purview, sources: {discover: {types: [AzureSubscription, AzureResourceGroup]}}}"
    )
    plan = plan_purview(azure, load_mesh(write_mesh(found)))
    assert not plan.errors
    sources = {item.name: item.body for item in plan.desired if item.kind == "source"}
    assert {body["kind"] for body in sources.values()} == {"AzureSubscription", "AzureResourceGroup"}
    group = sources["sales-rg"]["properties"]
    assert group["collection"]["referenceName"] == "sales"
    assert (group["subscriptionId"], group["resourceGroup"]) == ("77777777-7777-7777-7777-777777777777", "sales-rg")
    assert "location" not in group


def test_what_is_seen_and_not_wished_any_more_goes_with_prune(azure, settle):
    discover = "{domains: [DOMAIN], types: [Microsoft.Sql/servers]}"
    found = f"purview: {{account: sovereign-purview, sources: {{discover: {discover}}}}}"
    settle(found.replace("DOMAIN", "Sales, Customer"))
    assert settle(found.replace("DOMAIN", "Customer"), prune=True).empty
    assert [source.name for source in connect_purview("sovereign-purview", azure).sources.list()] == ["customer-sql"]


def test_what_is_kept_stays_with_all_that_it_needs(azure, settle, write_mesh):
    all_of_it = """
    purview:
      account: sovereign-purview
      collections: [{name: Lake}]
      keyVaults: [{name: kv-one, baseUrl: 'https://kv-one.vault.azure.net/'}]
      credentials: [{name: reader, kind: AccountKey, secret: word, keyVault: kv-one}]
      sources:
        - name: lake
          resource: "{LAKE}"
          collection: Lake
          scans:
            - name: one
              credential: reader
              trigger: {recurrence: {frequency: Day, startTime: '2026-01-01T02:00:00Z'}}
    """
    settle(all_of_it)
    kept = "purview: {account: sovereign-purview, keep: [{kind: source, name: Lake}, {kind: scan, name: lake/none}]}"
    plan = plan_purview(azure, load_mesh(write_mesh(kept)), prune=True)
    assert plan.empty, [change.to_dict() for change in plan.changes]
    assert [problem.message for problem in plan.problems] == ["no scan 'lake/none' is there to keep"]
    plan = plan_purview(azure, load_mesh(write_mesh("purview: {account: sovereign-purview}")), prune=True)
    assert plan.count("delete") == 5  # a trigger goes with its scan


def test_collections_of_one_title_are_not_told_to_be_missing(azure, settle, write_mesh):
    two = "collections: [{name: abc, friendlyName: Same}, {name: xyz, friendlyName: Same}]"
    source = "{name: lake, resource: '{LAKE}', collection: WHICH}"
    document = f"purview: {{account: sovereign-purview, {two}, sources: [{source}]}}"
    plan = plan_purview(azure, load_mesh(write_mesh(document.replace("WHICH", "Same"))))
    assert [error.message for error in plan.errors] == [
        "several collections are called 'Same': abc, xyz; give the reference name"
    ]
    plan = plan_purview(azure, load_mesh(write_mesh(document.replace("WHICH", "Sama"))))
    assert [error.message for error in plan.errors] == ["no collection 'Sama' is wished or there; did you mean 'Same'?"]


def test_a_change_of_roles_is_told_with_all_who_have_them(azure, write_mesh):
    one = "11111111-aaaa-bbbb-cccc-000000000001"
    wish = f"purview: {{account: sovereign-purview, roles: {{collectionAdministrators: [{one}]}}}}"
    (change,) = plan_purview(azure, load_mesh(write_mesh(wish))).changes
    ((_, before, after),) = change.differences
    assert before
    assert after == sorted([*before, one])


def test_a_time_zone_that_nobody_knows_is_a_warning(azure, write_mesh):
    trigger = (
        "trigger: {recurrence: {frequency: Day, startTime: '2026-01-01T02:00:00Z', timeZone: W Europe Standard Time}}"
    )
    document = (
        f"purview: {{account: sovereign-purview, sources: [{{name: lake, resource: '{{LAKE}}', scans: "
        f"[{{name: one, {trigger}}}]}}]}}"
    )
    plan = plan_purview(azure, load_mesh(write_mesh(document)))
    (problem,) = plan.problems
    assert (problem.severity, problem.path) == (
        "warning", "$.purview.sources[0].scans[0].trigger.recurrence.timeZone",
    )  # fmt: skip


def test_a_kind_without_a_model_follows_from_no_resource(write_mesh):
    document = "purview: {account: sovereign-purview, sources: [{name: abc, kind: Snowflake, resource: '{SQL}'}]}"
    with pytest.raises(MeshError, match="Snowflake has no model, so that nothing of it follows from a resource"):
        load_mesh(write_mesh(document))


def test_a_kind_that_no_type_means_alone_is_not_discovered(write_mesh):
    found = "purview: {account: sovereign-purview, sources: {discover: {types: [AzureFileService]}}}"
    with pytest.raises(MeshError, match="register its sources one by one"):
        load_mesh(write_mesh(found))


def test_where_a_group_is_said_to_be_is_held_against_the_policy(azure, write_mesh):
    group = "{name: abc, location: eastus, resource: '{SUBSCRIPTION}/resourceGroups/sales-rg'}"
    assert any("is in eastus, which is not allowed" in message for message in errors(azure, write_mesh, group))


IN_TYPES = """
    purview:
      account: sovereign-purview
      WRITTEN
      sources:
        - name: abc
          kind: AzureResourceGroup
          properties: {subscriptionId: 77777777-7777-7777-7777-777777777777, resourceGroup: sales-rg}
          scans:
            - name: one
              properties:
                resourceTypes:
                  azureSqlDatabase:
                    scanRulesetName: my-rules
                    scanRulesetType: Custom
                    credential: {referenceName: reader, credentialType: SqlAuth}
    """
WRITTEN = (
    "{rulesets: [{name: my-rules, kind: AzureSqlDatabase}], keyVaults: [{name: kv-one, baseUrl: "
    "'https://kv-one.vault.azure.net/'}], "
    "credentials: [{name: reader, kind: SqlAuth, user: me, secret: word, keyVault: kv-one}]}"
)


def test_what_a_type_of_resource_in_a_scan_needs_is_needed(azure, settle, write_mesh):
    rest = WRITTEN[1:-1].replace("], ", "]\n      ")
    assert settle(IN_TYPES.replace("WRITTEN", rest)).empty
    plan = plan_purview(azure, load_mesh(write_mesh(IN_TYPES.replace("WRITTEN", ""))), prune=True)
    assert plan.empty, [change.to_dict() for change in plan.changes]
    (scan,) = (item for item in plan.desired if item.kind == "scan")
    assert {key.kind for key in scan.needs} == {"source", "collection", "ruleset", "credential"}


def test_the_scans_that_a_mesh_writes_out_are_those_that_are_planned(azure, write_mesh):
    """The id of a database is its server and a scan of the database; what is discovered has no names before it is."""
    mesh = load_mesh(
        write_mesh(f"""
        purview:
          account: sovereign-purview
          sources:
            discover: {{types: [Microsoft.Storage/storageAccounts]}}
            register:
              - {{name: one, resource: "{SQL}/databases/salesdb"}}
              - {{name: two, kind: Fabric, properties: {{tenant: abc}}, scans: [{{name: all, kind: FabricMsi}}]}}
              - {{name: bare, kind: Fabric, properties: {{tenant: def}}}}
        """)
    )
    wished = wished_scans(mesh.purview.model)
    assert wished == {"one": ["salesdb"], "two": ["all"], "bare": []}
    planned = {change.key.name for change in plan_purview(azure, mesh).changes if change.key.kind == "scan"}
    assert {f"{source}/{scan}" for source, scans in wished.items() for scan in scans} == planned
