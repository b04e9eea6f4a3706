"""What the mesh wishes is what is planned, and after it is applied there is nothing left to plan."""

import contextlib

import pytest
from purview.conftest import names

from sovereignmesh.azure.purview import connect_purview
from sovereignmesh.errors import MeshError, NotFoundError, PlanError
from sovereignmesh.mesh import load_mesh
from sovereignmesh.plan import Key
from sovereignmesh.purview import apply_purview, plan_purview

ACCOUNT = "purview: {account: sovereign-purview}"


def body(plan, kind, name):
    return next(item.body for item in plan.desired if item.key == Key(kind, name.casefold()))


def messages(plan, severity="error"):
    return [str(problem) for problem in plan.problems if problem.severity == severity]


def test_the_seed_becomes_a_source_its_scan_and_the_compiled_policy(azure, seed):
    plan = plan_purview(azure, seed)
    assert names(plan) == [
        "create collection customer",
        "create collection sales",
        "create classification PII.Contact",
        "create classification PII.HighRisk",
        "create classification-rule PII-Contact",
        "create classification-rule PII-HighRisk",
        "create ruleset sovereignmesh-AzureSqlDatabase",
        "create source sales-domain",
        "create scan sales-domain/salesdb",
        "create workflow Customer",
        "create workflow Sales",
    ]
    properties = body(plan, "source", "sales-domain")["properties"]
    assert properties["serverEndpoint"] == "sales-sql.database.windows.net"
    assert properties["location"] == "westeurope"
    assert properties["resourceGroup"] == "sales-rg"
    assert properties["resourceId"].endswith("/servers/sales-sql")
    assert properties["collection"]["referenceName"] == "sales"
    scan = body(plan, "scan", "sales-domain/salesdb")
    assert scan["kind"] == "AzureSqlDatabaseMsi"
    assert scan["properties"]["databaseName"] == "salesdb"
    assert scan["properties"]["scanRulesetName"] == "sovereignmesh-AzureSqlDatabase"
    rule = body(plan, "classification-rule", "PII-HighRisk")["properties"]
    assert rule["classificationName"] == "PII.HighRisk"
    assert rule["columnPatterns"] == [{"kind": "Regex", "pattern": "SSN|Social Security"}]
    ruleset = body(plan, "ruleset", "sovereignmesh-AzureSqlDatabase")["properties"]
    assert ruleset["includedCustomClassificationRuleNames"] == ["PII-Contact", "PII-HighRisk"]
    assert not plan.errors
    assert any("social_security_no" in message for message in messages(plan, "warning"))
    assert any("SQL interface sales-sql.database.windows.net is the source sales-domain" in note for note in plan.notes)


def test_after_it_is_applied_nothing_is_left_to_do(azure, seed):
    outcomes = list(apply_purview(plan_purview(azure, seed)))
    assert [outcome.state for outcome in outcomes] == ["done"] * 11
    again = plan_purview(azure, seed)
    assert again.empty
    assert again.unchanged == 11
    assert list(apply_purview(again)) == []
    assert plan_purview(azure, seed, prune=True).empty


def test_a_second_apply_makes_no_new_version_of_a_rule(azure, seed):
    for _ in range(2):
        list(apply_purview(plan_purview(azure, seed)))
    rules = connect_purview("sovereign-purview", azure).classification_rules
    assert rules.body("PII-HighRisk").within("properties").number("version") == 1


@pytest.mark.parametrize("estate", ["seed", "contoso"])
def test_reads_that_lag_are_waited_for(open_azure, estate):
    from sovereignmesh.sandbox import estate_mesh

    azure, mesh = open_azure(estate, faults=["lagging-reads"]), load_mesh(estate_mesh(estate))
    outcomes = list(apply_purview(plan_purview(azure, mesh)))
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert plan_purview(azure, mesh).empty


def test_an_account_is_found_by_id_and_another_may_be_given(azure, write_mesh):
    account = connect_purview("sovereign-purview", azure).account
    mesh = load_mesh(write_mesh("purview: {account: elsewhere}"))
    for given in ("SOVEREIGN-PURVIEW", account.id, account):
        assert plan_purview(azure, mesh, given).target == account.id
    with pytest.raises(NotFoundError, match="sovereign-purview"):
        plan_purview(azure, mesh)


def test_a_mesh_without_the_document_says_so(azure, write_mesh):
    with pytest.raises(MeshError, match="no `purview` document"):
        plan_purview(azure, load_mesh(write_mesh()))


SALES = "purview: {account: sovereign-purview, collections: [{name: Sales}, {name: Other}], sources: %s}"


@pytest.mark.parametrize(
    ("sources", "place", "says"),
    [
        ("[{name: one-db, resource: '{SQL}', collection: Nowhere}]", ".collection)", "no collection 'Nowhere'"),
        ("[{name: lake, kind: AdlsGen2, properties: {endpoint: 'https://x.dfs.core.windows.net/'}}]", "[0])", "where"),
        (
            "[{name: one-db, resource: '{SQL}', scans: [{name: abc, database: db, credential: none-there}]}]",
            ".credential)",
            "no credential 'none-there'",
        ),
        ("[{name: one-db, resource: '{SQL}', scans: [{name: abc, ruleset: no-such}]}]", ".ruleset)", "no ruleset"),
        (
            "[{name: one-db, resource: '{SQL}', collection: Sales, scans: [{name: abc, collection: Other}]}]",
            ".scans[0].collection)",
            "Purview refuses such a scan",
        ),
        ("[{name: one-db, resource: '{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.Sql/servers/gone'}]", "[0])",
         "not visible"),
        ("[{name: lake, resource: '{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.Storage/storageAccounts/gone'}]",
         ".resource)", "give a 'kind'"),
    ],
)  # fmt: skip
def test_what_only_the_account_shows_to_be_wrong_is_said_where_it_stands(azure, write_mesh, sources, place, says):
    plan = plan_purview(azure, load_mesh(write_mesh(SALES % sources)))
    assert [message for message in messages(plan) if says in message and place in message], messages(plan)
    assert all(problem.location.line for problem in plan.problems)
    with pytest.raises(PlanError, match="nothing was sent"):
        apply_purview(plan)


def test_a_source_of_another_name_or_kind_is_refused(azure, write_mesh, settle):
    settle("purview: {account: sovereign-purview, sources: [{name: first, resource: '{SQL}'}]}")
    other = "purview: {account: sovereign-purview, sources: [{name: other, resource: '{SQL}'}]}"
    (message,) = messages(plan_purview(azure, load_mesh(write_mesh(other))))
    assert "already registered as 'first'" in message
    kind = "purview: {account: sovereign-purview, sources: [{name: first, resource: '{LAKE}'}]}"
    (message,) = messages(plan_purview(azure, load_mesh(write_mesh(kind))))
    assert "there as a AzureSqlDatabase" in message


def test_what_is_discovered_goes_by_the_name_that_it_has(azure, write_mesh, settle):
    settle("purview: {account: sovereign-purview, sources: [{name: from-the-portal, resource: '{SQL}'}]}")
    found = "purview: {account: sovereign-purview, sources: {discover: {types: [Microsoft.Sql/servers]}}}"
    plan = plan_purview(azure, load_mesh(write_mesh(found)))
    assert "create source sales-sql" not in names(plan)
    assert {item.name for item in plan.desired if item.kind == "source"} == {"from-the-portal", "customer-sql"}


def test_discovery_registers_each_server_and_account_once_in_its_domains_collection(azure, write_mesh):
    found = """
        purview:
          account: sovereign-purview
          sources:
            discover: {domains: all, types: [microsoft.sql/servers, Microsoft.Storage/storageAccounts]}
            register: [{name: lake-of-sales, resource: '{LAKE}'}]
        """
    plan = plan_purview(azure, load_mesh(write_mesh(found)))
    sources = {item.name: item.body for item in plan.desired if item.kind == "source"}
    assert {name: source["kind"] for name, source in sources.items()} == {
        "lake-of-sales": "AdlsGen2", "sales-sql": "AzureSqlDatabase", "customer-sql": "AzureSqlDatabase",
        "customerfiles": "AzureStorage",
    }  # fmt: skip
    placed = {name: source["properties"]["collection"]["referenceName"] for name, source in sources.items()}
    assert placed == {
        "lake-of-sales": "sales", "sales-sql": "sales", "customer-sql": "customer", "customerfiles": "customer",
    }  # fmt: skip
    assert {item.name for item in plan.desired if item.kind == "collection"} == {"sales", "customer"}
    one = found.replace("domains: all", "domains: [customer]")
    sources = {item.name for item in plan_purview(azure, load_mesh(write_mesh(one))).desired if item.kind == "source"}
    assert sources == {"lake-of-sales", "customer-sql", "customerfiles"}


@pytest.mark.parametrize("allowed", ["northeurope", "swedencentral"])
def test_what_would_be_outside_the_policy_is_refused_before_anything_is_sent(azure, write_mesh, allowed):
    policy = f"governancePolicies: {{dataResidency: {{allowedRegions: [{allowed}]}}}}"
    mesh = load_mesh(write_mesh("purview: {account: sovereign-purview, sources: [{name: sales, resource: '{SQL}'}]}",
                                policy=policy))  # fmt: skip
    plan = plan_purview(azure, mesh)
    said = "\n".join(messages(plan))
    assert "the account keeps metadata in westeurope" in said
    assert "the source 'sales' is in westeurope, which is not allowed for Sales" in said
    with pytest.raises(PlanError, match="nothing was sent"):
        apply_purview(plan)
    drifting = plan_purview(azure, mesh, allow_drift=True)
    assert not drifting.errors
    assert "the account keeps metadata in westeurope" in "\n".join(messages(drifting, "warning"))
    assert {outcome.state for outcome in apply_purview(drifting)} == {"done"}


def test_a_scanner_that_falls_back_to_the_accounts_region_is_seen(azure, write_mesh):
    policy = "governancePolicies: {dataResidency: {allowedRegions: [swedencentral]}}"
    source = "{name: abc, kind: AzureStorage, location: swedencentral, properties: {endpoint: 'https://x.y'}}"
    mesh = load_mesh(write_mesh(f"purview: {{account: sovereign-purview, sources: [{source}]}}", policy=policy))
    assert any("no scanner is known to run" in message for message in messages(plan_purview(azure, mesh)))
    near = load_mesh(write_mesh(f"purview: {{account: sovereign-purview, sources: [{source}]}}",
                                policy=policy.replace("[sweden", "[westeurope, sweden")))  # fmt: skip
    assert not messages(plan_purview(azure, near))


def test_a_policy_that_is_not_enforced_warns(azure, write_mesh):
    policy = "governancePolicies: {dataResidency: {enforced: false, allowedRegions: [northeurope]}}"
    plan = plan_purview(azure, load_mesh(write_mesh(ACCOUNT, policy=policy)))
    assert not plan.errors
    assert any("keeps metadata" in message for message in messages(plan, "warning"))


def test_roles_are_added_to_those_that_are_there_and_taken_with_prune(azure, settle):
    one, two = "11111111-aaaa-bbbb-cccc-000000000001", "22222222-aaaa-bbbb-cccc-000000000002"

    def wish(*people):
        listed = ", ".join(people)
        return f"""
            purview:
              account: sovereign-purview
              roles: {{dataReaders: [{listed}]}}
              collections: [{{name: Sales, roles: {{dataCurators: [{listed}], dataReaders: [{two}]}}}}]
            """

    def curators(collection="sales"):
        from sovereignmesh.purview.roles import assigned

        policies = connect_purview("sovereign-purview", azure).policies.list()
        policy = next(each for each in policies if each.collection == collection)
        return assigned(policy.document, collection)

    before = curators("sovereign-purview")
    assert settle(wish(one)).empty
    assert settle(wish(two)).empty
    assert curators()["purviewmetadatarole_builtin_data-curator"] == [one, two]
    assert settle(wish(two), prune=True).empty
    assert curators()["purviewmetadatarole_builtin_data-curator"] == [two]
    role = "purviewmetadatarole_builtin_collection-administrator"
    assert curators("sovereign-purview")[role] == before[role]  # nobody named it


def test_a_collection_from_the_portal_is_adopted_by_its_title(azure, write_mesh, settle):
    from sovereignmesh.azure.purview import Collection

    collections = connect_purview("sovereign-purview", azure).collections
    collections.put(Collection("x8f3k2", "Sales", "sovereign-purview"), "x8f3k2")
    azure.pace.wait(5)
    collections.get("x8f3k2")
    plan = settle("purview: {account: sovereign-purview, sources: [{name: sales, resource: '{SQL}'}]}")
    assert plan.empty
    assert [one.name for one in collections.list() if one.friendly_name == "Sales"] == ["x8f3k2"]
    plan = settle("purview: {account: sovereign-purview, collections: [{name: Sales, description: Of sales}]}")
    assert plan.empty
    assert collections.get("x8f3k2").description == "Of sales"


def test_a_collection_moves_and_keeps_the_title_that_nobody_wrote(azure, settle):
    first = "purview: {account: sovereign-purview, collections: [{name: abc, friendlyName: A title}, {name: xyz}]}"
    second = "purview: {account: sovereign-purview, collections: [{name: xyz, collections: [{name: abc}]}]}"
    assert settle(first).empty
    assert settle(second).empty
    moved = connect_purview("sovereign-purview", azure).collections.get("abc")
    assert (moved.friendly_name, moved.parent) == ("A title", "xyz")


EVERYTHING = """
    purview:
      account: sovereign-purview
      collections: [{name: Sales, collections: [{name: Lake}]}]
      keyVaults: [{name: kv-one, baseUrl: 'https://kv-one.vault.azure.net/'}]
      credentials: [{name: reader, kind: SqlAuth, user: me, secret: word, keyVault: kv-one}]
      classifications: [PII.Other]
      classificationRules:
        - {name: cards, classification: PII.Card, columnPatterns: [card], dataPatterns: ['^[0-9]{16}$']}
      rulesets:
        - {name: lake-rules, kind: AdlsGen2, fileExtensions: [CSV, PARQUET], classificationRules: [cards],
           excludedSystemClassifications: [MICROSOFT.PERSONAL.EMAIL]}
      sources:
        - name: lake
          resource: "{LAKE}"
          scans:
            - name: weekly
              collection: Lake
              ruleset: lake-rules
              filter: {include: ['https://saleslake.dfs.core.windows.net/a/']}
              trigger:
                level: Full
                recurrence: {frequency: Week, interval: 2, startTime: '2026-01-04T02:00:00Z',
                             timeZone: W. Europe Standard Time, schedule: {weekDays: [Sunday], hours: [2]}}
        - name: sql-of-sales
          resource: "{SQL}/databases/salesdb"
          scans: [{name: with-credential, database: other, credential: reader}]
        - {name: fabric, kind: Fabric, properties: {tenant: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee}}
    """


def test_everything_at_once_and_nothing_left(settle):
    plan = settle(EVERYTHING)
    assert plan.empty
    assert not plan.errors


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("interval: 2", "interval: 3", "trigger lake/weekly"),
        ("hours: [2]", "hours: [3, 2]", "trigger lake/weekly"),
        ("level: Full", "level: Incremental", "trigger lake/weekly"),
        ("net/a/", "net/b/", "filter lake/weekly"),
        ("[CSV, PARQUET]", "[CSV]", "ruleset lake-rules"),
        ("MICROSOFT.PERSONAL.EMAIL", "MICROSOFT.PERSONAL.NAME", "ruleset lake-rules"),
        ("columnPatterns: [card]", "columnPatterns: [card, pan]", "classification-rule cards"),
        ("user: me", "user: you", "credential reader"),
        ("https://kv-one.vault", "https://kv-two.vault", "key-vault kv-one"),
        ("database: other", "database: third", "scan sql-of-sales/with-credential"),
    ],
)
def test_each_change_of_the_wish_is_one_update_and_then_none(azure, settle, write_mesh, old, new, change):  # noqa: PLR0917
    settle(EVERYTHING)
    assert old in EVERYTHING
    changed = EVERYTHING.replace(old, new)
    plan = plan_purview(azure, load_mesh(write_mesh(changed)))
    assert names(plan) == [f"update {change}"]
    assert settle(changed).empty


def test_what_the_wish_leaves_out_of_an_object_stays_as_it_is(azure, settle):
    settle(EVERYTHING)
    purview = connect_purview("sovereign-purview", azure)
    by_hand = {
        "scanningRule": {"fileExtensions": ["CSV", "PARQUET"]},
        "includedCustomClassificationRuleNames": ["cards"],
        "excludedSystemClassifications": ["MICROSOFT.PERSONAL.EMAIL"],
        "description": "by hand",
    }
    purview.rulesets.write({"kind": "AdlsGen2", "scanRulesetType": "Custom", "properties": by_hand}, "lake-rules")
    assert settle(EVERYTHING.replace("[CSV, PARQUET]", "[CSV]")).empty
    after = purview.rulesets.body("lake-rules").body["properties"]
    assert after["scanningRule"]["fileExtensions"] == ["CSV"]
    assert after["includedCustomClassificationRuleNames"] == ["cards"]
    assert after["description"] == "by hand"


def test_prune_deletes_what_nobody_wishes_in_the_order_in_which_it_can(azure, settle, write_mesh):
    settle(EVERYTHING)
    bare = load_mesh(write_mesh(ACCOUNT))
    assert plan_purview(azure, bare).empty
    plan = plan_purview(azure, bare, prune=True)
    assert {change.action for change in plan.changes} == {"delete"}
    with pytest.raises(PlanError, match="more than 30%"):
        apply_purview(plan)
    outcomes = list(apply_purview(plan, force=True))
    assert {outcome.state for outcome in outcomes} == {"done"}, outcomes
    assert plan_purview(azure, bare, prune=True).empty


def test_only_the_plan_that_was_shown_is_applied(azure, seed):
    shown = plan_purview(azure, seed)
    with pytest.raises(PlanError, match=shown.digest):
        apply_purview(shown, expect="sha256:other")
    assert plan_purview(azure, seed).digest == shown.digest
    assert {outcome.state for outcome in apply_purview(shown, expect=shown.digest)} == {"done"}
    assert plan_purview(azure, seed).digest != shown.digest


def test_what_somebody_changed_since_the_plan_is_not_overwritten(azure, settle, write_mesh):
    settle(EVERYTHING)
    changed = EVERYTHING.replace("database: other", "database: third")
    plan = plan_purview(azure, load_mesh(write_mesh(changed)))
    settle(EVERYTHING.replace("database: other", "database: fourth"))
    (outcome,) = apply_purview(plan)
    assert outcome.state == "failed"
    assert "plan again" in outcome.reason
    assert settle(changed).empty


def test_json_says_what_the_plan_is(azure, seed):
    import json

    plan = plan_purview(azure, seed)
    told = json.loads(json.dumps(plan.to_dict()))
    assert told["summary"] == {"create": 11, "update": 0, "delete": 0, "unchanged": 0}
    assert told["digest"] == plan.digest
    assert told["changes"][0]["place"].endswith(".yaml:10:7") or told["changes"][0]["place"]
    assert len(told["problems"]) == 2


def test_prune_keeps_what_the_wish_refers_to_whoever_wrote_it(azure, settle, write_mesh):
    settle(EVERYTHING)
    bare = """
        purview:
          account: sovereign-purview
          sources:
            - name: lake
              resource: "{LAKE}"
              collection: lake
              scans: [{name: weekly, ruleset: lake-rules}]
            - name: sql-of-sales
              resource: "{SQL}"
              scans: [{name: with-credential, database: other, credential: reader}]
        """
    plan = plan_purview(azure, load_mesh(write_mesh(bare)), prune=True)
    gone = {change.key for change in plan.changes if change.action == "delete"}
    assert gone == {
        Key("source", "fabric"), Key("scan", "sql-of-sales/salesdb"), Key("classification", "pii.other"),
        Key("trigger", "lake/weekly"),
    }  # fmt: skip
    assert settle(bare, prune=True).empty


def test_prune_never_deletes_what_was_discovered_and_is_not_seen_any_more(azure, settle, write_mesh, monkeypatch):
    found = "purview: {account: sovereign-purview, sources: {discover: {types: [Microsoft.Sql/servers]}}}"
    settle(found)
    from sovereignmesh.purview import planning

    read = planning.read_resources

    def hidden(*arguments):
        seen = read(*arguments)
        rows = {key: row for key, row in seen.rows.items() if not key.endswith("/sales-sql")}
        return type(seen)(rows, seen.tags, seen.names)

    monkeypatch.setattr(planning, "read_resources", hidden)
    plan = plan_purview(azure, load_mesh(write_mesh(found)), prune=True)
    assert plan.empty
    assert any("nobody can tell whether they are gone" in note for note in plan.notes)


def test_a_domain_takes_no_collection_that_is_another_s(write_mesh):
    from sovereignmesh.azure.purview import Collection
    from sovereignmesh.purview.tree import Tree

    wish = load_mesh(write_mesh(ACCOUNT)).purview
    live = [
        Collection("sovereign-purview", "sovereign-purview"),
        Collection("human-resources", "An archive", "sovereign-purview"),
        Collection("one-x", "Sales", "sovereign-purview"),
        Collection("two-x", "Sales", "human-resources"),
    ]
    tree = Tree(wish, live, "sovereign-purview")
    tree.of_domain("Human Resources")
    tree.of_domain("Sales")
    assert [message for _, message in tree.problems] == [
        (
            "the domain 'Human Resources' has no collection, and 'human-resources' is that of 'An archive': write a "
            "collection for the domain, with a name of its own"
        ),
        "several collections are called 'Sales': one-x, two-x: say in 'collection' of a source which of them is meant",
    ]
    assert list(tree.items()) == []
    long = "A domain with a very long name that goes on"
    first, second = tree.of_domain(f"{long} one"), tree.of_domain(f"{long} two")
    assert first != second
    assert max(len(first), len(second)) <= 36


def test_the_order_of_collections_in_the_file_means_nothing(azure, write_mesh):
    from sovereignmesh.azure.purview import Collection

    collections = connect_purview("sovereign-purview", azure).collections
    for name, title, parent in (("zzz111", "Sales", "sovereign-purview"), ("zzz222", "Inner", "zzz111")):
        collections.put(Collection(name, title, parent), name)
        azure.pace.wait(2)
        collections.get(name)
    wish = "purview: {account: sovereign-purview, collections: [{name: Inner, parent: Sales}, {name: Sales}]}"
    assert plan_purview(azure, load_mesh(write_mesh(wish))).empty


def test_a_name_that_another_resource_has_is_not_taken(azure, settle, write_mesh):
    other = (
        "{name: sales-sql, kind: AzureSqlDatabase, location: westeurope, "
        "properties: {serverEndpoint: other.database.windows.net}}"
    )
    settle(f"purview: {{account: sovereign-purview, sources: [{other}]}}")
    found = "purview: {account: sovereign-purview, sources: {discover: {types: [Microsoft.Sql/servers]}}}"
    plan = plan_purview(azure, load_mesh(write_mesh(found)))
    assert "create source sales-sql-sales-rg-77777777" in names(plan)
    assert not [change for change in plan.changes if change.action == "update"]
    written = "purview: {account: sovereign-purview, sources: [{name: sales-sql, resource: '{SQL}'}]}"
    (message,) = messages(plan_purview(azure, load_mesh(write_mesh(written))))
    assert "is there for other.database.windows.net" in message


def test_groups_have_roles_too(azure, settle):
    one, group = "11111111-aaaa-bbbb-cccc-000000000001", "22222222-aaaa-bbbb-cccc-000000000002"
    wish = "purview: {account: sovereign-purview, roles: {dataReaders: [%s]}}"
    assert settle(wish % f"{one}, 'group:{group}'").empty
    from sovereignmesh.purview.roles import assigned

    (policy,) = connect_purview("sovereign-purview", azure).policies.list()
    role = "purviewmetadatarole_builtin_purview-reader"
    assert {one, f"group:{group}"} <= set(assigned(policy.document, "sovereign-purview")[role])
    assert settle(wish % f"'group:{group}'", prune=True).empty
    (policy,) = connect_purview("sovereign-purview", azure).policies.list()
    assert assigned(policy.document, "sovereign-purview")[role] == [f"group:{group}"]


def test_who_administers_the_account_loses_it_last_and_only_when_that_is_meant(azure, write_mesh):
    wish = """
        purview:
          account: sovereign-purview
          roles: {collectionAdministrators: [11111111-aaaa-bbbb-cccc-000000000001]}
          collections: [{name: Sales, roles: {dataReaders: [11111111-aaaa-bbbb-cccc-000000000001]}}]
        """
    plan = plan_purview(azure, load_mesh(write_mesh(wish)), prune=True)
    assert plan.changes[-1].key == Key("roles", "sovereign-purview")
    with pytest.raises(PlanError, match="Collection Administrator of the whole account"):
        apply_purview(plan)
    outcomes = list(apply_purview(plan, force=True))
    assert [outcome.state for outcome in outcomes] == ["done"] * 3
    assert outcomes[-1].change.key == Key("roles", "sovereign-purview")


def test_a_scan_that_changes_its_kind_keeps_nothing_of_the_old_one(azure, settle):
    settle(EVERYTHING)
    assert settle(EVERYTHING.replace("database: other, credential: reader", "database: other")).empty
    scan = connect_purview("sovereign-purview", azure).scans.body("sql-of-sales", "with-credential").body
    assert scan["kind"] == "AzureSqlDatabaseMsi"
    assert not scan["properties"].get("credential")


def test_the_root_collection_may_be_described(azure, settle):
    plan = settle("purview: {account: sovereign-purview, collections: [{name: sovereign-purview, description: All}]}")
    assert plan.empty
    assert connect_purview("sovereign-purview", azure).collections.get("sovereign-purview").description == "All"


def test_two_wishes_for_one_object_are_refused(azure, settle, write_mesh):
    settle("purview: {account: sovereign-purview, collections: [{name: abc, friendlyName: Title}]}")
    two = "purview: {account: sovereign-purview, collections: [{name: abc}, {name: xyz, friendlyName: Title}]}"
    assert any(
        "as another one here does" in message for message in messages(plan_purview(azure, load_mesh(write_mesh(two))))
    )
    settle("purview: {account: sovereign-purview, classifications: [pii.card]}")
    said = messages(plan_purview(azure, load_mesh(write_mesh(EVERYTHING))))
    assert any("is there as 'pii.card'" in message for message in said)


def test_a_list_that_was_not_read_is_no_error_of_the_wish(open_azure, write_mesh, tmp_path):
    from purview.test_apply import denied_at

    state = tmp_path / "state.json"
    mesh = load_mesh(write_mesh(EVERYTHING))
    list(apply_purview(plan_purview(open_azure(state=state), mesh)))
    refers = load_mesh(
        write_mesh(
            "purview: {account: sovereign-purview, sources: [{name: lake, resource: '{LAKE}', collection: sales, "
            "scans: [{name: weekly, ruleset: lake-rules}, "
            "{name: other, credential: reader, kind: AdlsGen2Credential}]}]}"
        )
    )
    for part in ("/scanrulesets", "/credentials"):
        plan = plan_purview(open_azure(state=state, faults=[denied_at(part)]), refers)
        assert not plan.errors
        assert not plan.complete


def test_a_digest_is_not_changed_by_a_run(azure, settle, write_mesh):
    settle(EVERYTHING)
    changed = load_mesh(write_mesh(EVERYTHING.replace("database: other", "database: third")))
    before = plan_purview(azure, changed).digest
    purview = connect_purview("sovereign-purview", azure)
    purview.runs.start("sql-of-sales", "with-credential", "00000000-0000-0000-0000-000000000001")
    assert plan_purview(azure, changed).digest == before


def test_what_was_made_or_changed_since_the_plan_is_not_overwritten(azure, seed, settle, write_mesh):
    from sovereignmesh.azure.purview import Collection, sources

    purview = connect_purview("sovereign-purview", azure)
    plan = plan_purview(azure, seed)
    purview.collections.put(Collection("sales", "Vertrieb", "sovereign-purview", "theirs"), "sales")
    azure.pace.wait(2)
    outcomes = {outcome.change.item.name: outcome for outcome in apply_purview(plan)}
    assert outcomes["sales"].state == "failed"
    assert "since the plan" in outcomes["sales"].reason
    assert purview.collections.get("sales").description == "theirs"
    settle("purview: {account: sovereign-purview, sources: [{name: abc, resource: '{LAKE}'}]}")
    bare = plan_purview(azure, load_mesh(write_mesh(ACCOUNT)), prune=True)
    purview.sources.delete("abc")
    purview.sources.register(sources.AdlsGen2("abc", endpoint="https://other.dfs.core.windows.net/"))
    outcomes = {outcome.change.item.name: outcome for outcome in apply_purview(bare, force=True)}
    assert outcomes["abc"].state == "failed"
    assert purview.sources.get("abc").properties["endpoint"].startswith("https://other")


def test_the_same_person_twice_is_one(settle):
    wish = (
        "purview: {account: sovereign-purview, roles: {dataReaders: [11111111-aaaa-bbbb-cccc-00000000000a, "
        "11111111-AAAA-bbbb-cccc-00000000000A]}}"
    )
    assert settle(wish).empty


def test_a_domain_that_nobody_knows_is_warned_of(azure, write_mesh):
    found = "purview: {account: sovereign-purview, sources: {discover: {domains: [Sals], types: [AdlsGen2]}}}"
    plan = plan_purview(azure, load_mesh(write_mesh(found)))
    assert any("did you mean 'Sales'?" in message for message in messages(plan, "warning"))


def test_a_plan_shows_itself_and_so_does_what_became_of_it(azure, seed):
    plan = plan_purview(azure, seed)
    assert repr(plan) == "<PurviewPlan for sovereign-purview: 11 to create, 0 to update, 0 to delete>"
    applied = apply_purview(plan)
    assert repr(applied) == "<Applied: 11 done>"
    assert applied.complete
    assert len(applied) == 11
    assert "11 done" in applied._repr_html_()
    assert {outcome["state"] for outcome in applied.to_dict()["outcomes"]} == {"done"}


def test_what_is_read_is_counted_towards_a_total(open_azure, write_mesh):
    seen = []

    @contextlib.contextmanager
    def watched(live):
        yield
        seen.append((live.done, live.total))

    plan_purview(open_azure(), load_mesh(write_mesh(EVERYTHING)), prune=True, progress=watched)
    ((done, total),) = seen
    assert done == total > 5


def test_a_source_of_which_nobody_says_where_it_is_is_told(azure, write_mesh):
    bucket = "kind: AmazonS3, properties: {serviceUrl: 'https://theirs.s3.amazonaws.com'}"
    policy = "governancePolicies: {dataResidency: {allowedRegions: [westeurope]}}"
    wish = "purview: {account: sovereign-purview, sources: [{name: theirs, %s%s}]}"
    silent = plan_purview(azure, load_mesh(write_mesh(wish % (bucket, ""), policy=policy)))
    assert any("'theirs' (AmazonS3) is, is not told" in said for said in messages(silent, "warning"))
    told = plan_purview(azure, load_mesh(write_mesh(wish % (bucket, ", location: westeurope"), policy=policy)))
    assert not any("is not told" in said for said in messages(told, "warning"))
