import copy
import json
import random
from pathlib import Path

import pytest
from bodies import deletions, without
from hypothesis import given, settings
from hypothesis import strategies as st
from work import at_most

from sovereignmesh.audit import Inventory, Unread, audit_inventory
from sovereignmesh.audit.children import children_in
from sovereignmesh.audit.planned import expressions, planned_rows
from sovereignmesh.audit.planned.expressions import Unknown, evaluate, parse
from sovereignmesh.audit.planned.scope import Frame, Place, Template
from sovereignmesh.facts import find_resource_type, properties_read
from sovereignmesh.facts.terraform import passed_over, planned_types
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import AZURE_CHECKS

FIXTURES = Path(__file__).parents[2] / "fixtures"
PLANS = ["terraform", "template", "what-if"]
GROUP = "/subscriptions/{subscription}/resourceGroups/{resourceGroup}"


@pytest.fixture(scope="module")
def mesh():
    return load_mesh(FIXTURES / "mesh" / "contoso")


def plan_of(name):
    return json.loads((FIXTURES / "plans" / f"{name}.json").read_text())


def read(plan):
    rows = list(planned_rows(plan, "plan.json"))
    return [r for r in rows if not isinstance(r, Unread)], [r for r in rows if isinstance(r, Unread)]


def row_called(rows, name):
    (found,) = [row for row in rows if row["id"].rpartition("/")[2] == name]
    return found


def called(finding):
    return finding.resource_id.rpartition("/")[2]


@pytest.mark.parametrize("name", PLANS)
def test_the_findings_of_a_plan_are_its_truth(mesh, name):
    truth = json.loads((FIXTURES / "plans" / f"{name}.truth.json").read_text())
    audit = audit_inventory(FIXTURES / "plans" / f"{name}.json", mesh, checks=truth["checks"])
    failures = [[f.check, f.reason, called(f), f.subject] for f in audit.findings if f.state == "non-compliant"]
    assert sorted(failures) == truth["failures"]
    unknown = [[f.check, called(f)] for f in audit.findings if f.state == "unknown"]
    assert [one for one in truth["unknown"] if one not in unknown] == []
    assert [[gap.what.split(": ")[-1].split("/")[-1], gap.why] for gap in audit.coverage.gaps] == truth["gaps"]
    assert not audit.complete
    assert audit.scope.denominator == "file"


@pytest.mark.parametrize("name", PLANS)
def test_indented_or_on_one_line_or_zipped_a_plan_is_the_same(tmp_path, name):
    whole = list(Inventory(FIXTURES / "plans" / f"{name}.json"))
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan_of(name)))
    again = list(Inventory(path))
    assert [row for row in again if isinstance(row, dict)] == [row for row in whole if isinstance(row, dict)]
    assert all("id" in row and "type" in row for row in again if isinstance(row, dict))


def states(mesh, plan):
    rows = [row for row in planned_rows(plan, "plan.json") if isinstance(row, dict)]
    audit = audit_inventory(rows, mesh, checks=AZURE_CHECKS, show_compliant=True)
    found = {}
    for finding in audit.findings:
        found.setdefault((finding.check, finding.resource_id.lower()), set()).add(finding.state)
    return found


FACTS = {"terraform": ("resource_changes", "after"), "template": ("resources", ""), "what-if": ("changes", "after")}


def facts_of(name, plan):
    """Paths to everything that the plan says of a resource."""
    part, inner = FACTS[name]
    for path in deletions(plan[part]):
        # Without its scope a nested template means its caller's parameters: other words, no fact less.
        if (not inner or inner in path) and "expressionEvaluationOptions" not in path:
            yield (part, *path)


@pytest.mark.parametrize("name", PLANS)
def test_leaving_out_a_fact_never_makes_compliant(mesh, name):
    plan = plan_of(name)
    before = states(mesh, plan)
    paths = list(facts_of(name, plan))

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.sampled_from(paths))
    def leave_out(path):
        after = states(mesh, without(plan, path))
        for key, was in before.items():
            now = after.get(key, set())
            if "compliant" not in was and was & {"non-compliant", "unknown"}:
                assert not ("compliant" in now and not now & {"non-compliant", "unknown"}), (path, key, was, now)

    leave_out()


@pytest.mark.parametrize("name", PLANS)
def test_nothing_that_a_plan_holds_raises(name):
    plan = plan_of(name)
    paths = list(deletions(plan))
    odd = st.sampled_from(
        [None, 7, "", "x", True, [], {}, [[]], [None], {"a": 1}, "[x(", "[concat('a', 1)]", "[parameters('a')]"]
    )

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(st.sampled_from(paths), odd)
    def change(path, value):
        changed = without(plan, path)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        rows = planned_rows(changed, "plan.json")
        for row in rows or ():
            assert isinstance(row, Unread) or (isinstance(row["id"], str) and isinstance(row["type"], str)), path

    change()


def nested(depth):
    value = {}
    for _ in range(depth):
        value = [{"a": value}]
    return value


ODD = [
    None, 0, -7, 7.5, 10**400, 2**63, True, "", "x", "²", "/", "{", "a/b@1", [], {}, [[]], [None], [7], {"a": 1},
    [{"id": []}], "[x(", "[parameters('a')]", f"[div({10**400}, 1)]", "[format('{²}', 'a')]", "[createObject(1, 2)]",
    {"name": "x", "count": 10**9}, [{"name": "x", "count": 10**9, "input": 1}], nested(40), nested(300),
]  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_nothing_that_a_plan_holds_stops_an_audit(mesh, name):
    text = (FIXTURES / "plans" / f"{name}.json").read_text()
    paths = list(deletions(json.loads(text)))
    chosen = random.Random(7)
    for _ in range(200):
        plan = json.loads(text)
        for path in chosen.sample(paths, chosen.choice((1, 1, 3))):
            inner = plan
            for key in path[:-1]:
                inner = inner.get(key) if isinstance(inner, dict) else None
            if isinstance(inner, dict) or (isinstance(inner, list) and isinstance(path[-1], int)):
                inner[path[-1]] = json.loads(json.dumps(chosen.choice(ODD)))
        rows = planned_rows(plan, "plan.json")
        if rows is not None:
            audit = audit_inventory(rows, mesh, checks=AZURE_CHECKS)
            assert audit.coverage.resources or audit.coverage.gaps


@pytest.mark.parametrize("name", PLANS)
def test_nobody_is_told_to_read_a_plan_at_full_depth(mesh, name):
    audit = audit_inventory(FIXTURES / "plans" / f"{name}.json", mesh, checks=AZURE_CHECKS)
    assert {f.reason for f in audit.findings} & {"needs-child-read", "child-not-read"} == set()


@pytest.mark.parametrize("kind", ["format_version", "$schema", "status"])
def test_a_plan_that_is_nested_too_deeply_is_a_gap(kind):
    deep = {"id": "/subscriptions/s/resourceGroups/g/providers/a/b/c", "type": "a/b"}
    inner = deep
    for _ in range(5000):
        inner["properties"] = inner = {}
    plan = {
        "format_version": a_plan(a_change("azapi_resource", "y", {"type": "a/b@1", "name": "x", "body": deep})),
        "$schema": a_template([{"name": "x", **deep}]),
        "status": {"status": "Succeeded", "changes": [{"changeType": "Create", "after": deep}]},
    }[kind]
    _, unread = read(plan)
    assert any("deeply" in one.why for one in unread) or kind == "$schema"


@pytest.mark.parametrize("name", PLANS)
def test_what_is_not_known_is_in_no_body(name):
    for row in read(plan_of(name))[0]:
        for path in row.get("notKnown", ()):
            inner = row
            for step in path.split("."):
                inner = inner.get(step) if isinstance(inner, dict) else None
            assert not isinstance(inner, str), (row["id"], path)
        assert "{" not in json.dumps(row.get("location", ""))


# Terraform


def a_change(kind, name, after, unknown=None, **more):
    return {
        "address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name,
        "provider_name": "registry.terraform.io/hashicorp/azurerm",
        "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown or {"id": True}},
        **more,
    }  # fmt: skip


def a_plan(*changes, config=(), **more):
    return {
        "format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": list(changes),
        "configuration": {"root_module": {"resources": list(config)}}, **more,
    }  # fmt: skip


MUCH = 10_000_000  # calls of functions: some seconds
STORAGE = {
    "name": "st1", "resource_group_name": "rg", "location": "westeurope", "account_tier": "Standard",
    "account_replication_type": "LRS", "account_kind": "StorageV2",
}  # fmt: skip


def test_spelling():
    (row,), unread = read(a_plan(a_change("azurerm_storage_account", "a", STORAGE)))
    assert unread == []
    assert (
        row["id"] == "/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1"
    )
    assert (row["sku"], row["kind"]) == ({"name": "Standard_LRS", "tier": "Standard"}, "StorageV2")
    assert row["apiVersion"] == "2024-01-01"
    assert row["notKnown"] == []


def test_two_of_unknown_names_stay_two():
    after = {key: value for key, value in STORAGE.items() if key != "name"}
    changes = [a_change("azurerm_storage_account", name, after, {"id": True, "name": True}) for name in "ab"]
    rows, _ = read(a_plan(*changes))
    assert {row["name"] for row in rows} == {"{azurerm_storage_account.a}", "{azurerm_storage_account.b}"}


def test_what_the_service_fills_in_is_as_if_it_were_not_there_and_what_somebody_writes_is_not_known():
    unknown = {"id": True, "network_rules": True, "account_replication_type": True}
    after = {key: value for key, value in STORAGE.items() if key != "account_replication_type"}
    written = {
        "address": "azurerm_storage_account.a",
        "expressions": {"account_replication_type": {"references": ["local.x"]}},
    }
    plan = a_plan(a_change("azurerm_storage_account", "a", after, unknown), config=[written])
    (row,), _ = read(plan)
    assert row["notKnown"] == ["sku.name"]
    written["expressions"]["network_rules"] = [{"default_action": {"references": ["local.y"]}}]
    (row,), _ = read(plan)
    assert row["notKnown"] == ["sku.name", "properties.networkAcls.defaultAction"]


def test_what_is_there_already_may_have_what_the_provider_does_not_spell():
    change = a_change("azurerm_storage_account", "a", {**STORAGE, "id": f"{GROUP}/providers/x/y/st1"})
    change["change"]["actions"] = ["update"]
    (row,), _ = read(a_plan(change))
    assert "properties.privateEndpointConnections" in row["notKnown"]


def test_references_go_through_modules_and_loops():
    rows, unread = read(plan_of("terraform"))
    assert len(unread) == 1
    vault = row_called(rows, "kv-sales-plan")
    (setting,) = vault["children"]["microsoft.insights/diagnosticsettings"]["items"]
    assert setting["properties"]["workspaceId"].endswith("/Microsoft.OperationalInsights/workspaces/log-sales-us")
    (key,) = vault["children"]["microsoft.keyvault/vaults/keys"]["items"]
    assert key["properties"]["attributes"] == {"enabled": True, "exp": 1893456000}
    assert (
        row_called(rows, "sql-sales-plan")["properties"]["keyId"]
        == "https://kv-sales-plan.vault.azure.net/keys/storage"
    )


def test_a_child_belongs_to_its_parent_and_says_where_it_processes(mesh):
    factory = {"name": "adf", "resource_group_name": "rg", "location": "westeurope", "tags": {"Domain": "Sales"}}
    runtimes = [
        a_change(
            "azurerm_data_factory_integration_runtime_azure", name, {"name": name, "location": place},
            {"id": True, "data_factory_id": True},
        )
        for name, place in (("abroad", "eastus"), ("auto", "AutoResolve"), ("home", "West Europe"))
    ]  # fmt: skip
    config = [
        {
            "address": f"azurerm_data_factory_integration_runtime_azure.{name}",
            "expressions": {"data_factory_id": {"references": ["azurerm_data_factory.f.id", "azurerm_data_factory.f"]}},
        }
        for name in ("abroad", "auto", "home")
    ]
    rows, _ = read(a_plan(a_change("azurerm_data_factory", "f", factory), *runtimes, config=config))
    audit = audit_inventory(rows, mesh, checks=["processing-region"])
    found = [(called(f), f.reason) for f in audit.findings if f.resource_type.lower().endswith("integrationruntimes")]
    assert found == [("abroad", "outside-area"), ("auto", "auto-resolve")]


def test_a_reference_that_may_be_several_is_not_known():
    plan = plan_of("terraform")
    resources = plan["configuration"]["root_module"]["resources"]
    (account,) = [one for one in resources if one["address"] == "azurerm_storage_account.good"]
    key = account["expressions"]["customer_managed_key"][0]["key_vault_key_id"]
    key["references"] += ["azurerm_key_vault_key.abroad.id", "azurerm_key_vault_key.abroad"]
    row = row_called(read(plan)[0], "stsalesplangood")
    assert row["notKnown"] == ["properties.encryption.keyvaultproperties.keyvaulturi"]
    key["references"] = ["local.key"]
    assert row_called(read(plan)[0], "stsalesplangood")["notKnown"] == row["notKnown"]


@pytest.mark.parametrize("public", [True, False])
def test_what_the_table_does_not_translate_is_no_value_that_is_not_known(mesh, public):
    app = {
        "name": "app1", "resource_group_name": "rg", "location": "westeurope", "tags": {"Domain": "Sales"},
        "public_network_access_enabled": public,
    }  # fmt: skip
    rows, _ = read(a_plan(a_change("azurerm_linux_web_app", "a", app, {"id": True})))
    audit = audit_inventory(rows, mesh, checks=["public-access", "region"])
    assert [(f.check, f.state, f.reason) for f in audit.findings] == [("public-access", "unknown", "not-translated")]
    later = a_plan(a_change("azurerm_linux_web_app", "a", {**app, "location": None}, {"id": True, "location": True}))
    audit = audit_inventory(read(later)[0], mesh, checks=["region"])
    assert [(f.state, f.reason) for f in audit.findings] == [("unknown", "not-before-deployment")]


def test_a_setting_of_a_resource_outside_the_plan_is_a_gap():
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/other"
    change = a_change(
        "azurerm_storage_account_network_rules", "a", {"default_action": "Deny", "storage_account_id": account}
    )
    rows, (unread,) = read(a_plan(change))
    assert rows == []
    assert unread.where == "plan.json: azurerm_storage_account_network_rules.a"


def test_an_endpoint_whose_resource_is_not_known_may_be_anybodys():
    connection = {"is_manual_connection": False, "name": "x"}
    endpoint = {
        "name": "pe",
        "resource_group_name": "rg",
        "location": "westeurope",
        "private_service_connection": [connection],
    }
    unknown = {"id": True, "private_service_connection": [{"private_connection_resource_id": True}]}
    rows, _ = read(
        a_plan(
            a_change("azurerm_storage_account", "a", STORAGE),
            a_change("azurerm_private_endpoint", "e", endpoint, unknown),
        )
    )
    assert "properties.privateEndpointConnections" in row_called(rows, "st1")["notKnown"]


def test_the_disk_of_a_machine_is_judged(mesh):
    machine = {
        "name": "vm1", "resource_group_name": "rg", "location": "westeurope", "tags": {"Domain": "Sales"},
        "os_disk": [{"storage_account_type": "Premium_LRS", "disk_encryption_set_id": None, "name": None}],
    }  # fmt: skip
    unknown = {"id": True, "os_disk": [{"name": True}]}
    rows, _ = read(a_plan(a_change("azurerm_linux_virtual_machine", "a", machine, unknown)))
    assert [row["type"] for row in rows] == ["Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"]
    audit = audit_inventory(rows, mesh, checks=["customer-managed-key"])
    assert [(f.reason, f.resource_type) for f in audit.findings] == [("platform-key", "Microsoft.Compute/disks")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format_version": "2.0"}, "format"),
        ({"format_version": None}, "format"),
        ({"resource_changes": None}, "resource_changes"),
        ({"resource_changes": [7]}, "no change"),
        ({"resource_changes": [{"type": "azurerm_subnet", "change": {"actions": ["create"]}}]}, "no change"),
        ({"errored": True}, "error"),
        ({"complete": False}, "not complete"),
        ({"complete": None}, "not complete"),
        ({"deferred_changes": 7}, "put it off"),
        ({"deferred_changes": [{"resource_change": {"address": "a.b"}}]}, "put it off"),
    ],
)
def test_a_broken_plan_is_one_gap(change, why):
    rows, (unread,) = read(a_plan(**change))
    assert rows == []
    assert why in unread.why
    assert unread.where.startswith("plan.json")


def test_every_row_of_the_table_is_of_a_type_that_the_facts_know():
    types = planned_types()
    for row in types.values():
        assert row.into or row.silent or find_resource_type(row.type), row.provider
        assert all(find_resource_type(child.type) for child in row.children), row.provider
        assert row.source
    assert [name for name in types if passed_over(name)] == []


def test_the_table_spells_what_the_facts_look_at():
    """A property that no fact looks at is a slip of the pen, but for those that other rows are made of."""
    serves = {"storageProfile", "privateLinkServiceConnections", "linkedRedisCacheId", "encryptionType", "model", "sku"}
    for row in planned_types().values():
        if row.type and not row.silent:
            assert row.spelled - set(properties_read()[row.type.lower()]) <= serves, row.provider


def test_other_providers_are_passed_over():
    changes = [
        a_change(kind, "x", {"name": "x"}) for kind in ("azuread_group", "aws_s3_bucket", "random_id", "azurerm_subnet")
    ]
    assert read(a_plan(*changes)) == ([], [])


def test_the_subscription_is_that_of_the_provider_or_of_what_it_has_made():
    group = {"id": "/subscriptions/s1/resourceGroups/rg", "name": "rg", "location": "westeurope"}
    made = a_change("azurerm_resource_group", "g", group)
    made["change"]["actions"] = ["no-op"]
    config = [
        {"address": "azurerm_resource_group.g", "provider_config_key": "azurerm"},
        {"address": "azurerm_storage_account.a", "provider_config_key": "azurerm"},
    ]
    plan = a_plan(made, a_change("azurerm_storage_account", "a", STORAGE), config=config)
    assert {row["id"].split("/")[2] for row in read(plan)[0]} == {"s1"}
    provider = {"expressions": {"subscription_id": {"constant_value": "s2"}}}
    plan["configuration"]["provider_config"] = {"azurerm": provider}
    assert row_called(read(plan)[0], "st1")["id"].startswith("/subscriptions/s2/")


@pytest.mark.parametrize("body", [{"properties": {"a": {"b": 1}}}, '{"properties": {"a": {"b": 1}}}'])
def test_azapi_says_what_arm_has(body):
    after = {"type": "Microsoft.X/ys@2024-01-01", "name": "y", "parent_id": GROUP, "location": "uksouth", "body": body}
    (row,), _ = read(a_plan(a_change("azapi_resource", "y", after)))
    assert row["id"] == f"{GROUP}/providers/Microsoft.X/ys/y"
    assert (row["apiVersion"], row["properties"], row["location"]) == ("2024-01-01", {"a": {"b": 1}}, "uksouth")


def test_azapi_without_a_known_body():
    after = {"type": "Microsoft.X/ys@2024-01-01", "name": "y", "parent_id": GROUP, "location": "uksouth"}
    (row,), _ = read(a_plan(a_change("azapi_resource", "y", after, {"body": True})))
    assert "properties" not in row
    assert row["notKnown"] == ["properties", "sku", "kind"]


# Templates


def a_value(text, document=None):
    template = Template(document or {}, Place(Unknown("{subscription}"), "rg"))
    node = parse(text)
    assert node is not None
    return evaluate(node, Frame(template))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("concat('a', 'b', 1)", "ab1"),
        ("format('{0}-{1}', 'a', 2)", "a-2"),
        ("toLower('AbC')", "abc"),
        ("if(equals(1, 1), 'yes', 'no')", "yes"),
        ("if(true(), 'yes', reference('x'))", "yes"),
        ("union(createObject('a', 1), createObject('b', 2))", {"a": 1, "b": 2}),
        ("union(createArray(1, 2), createArray(2, 3))", [1, 2, 3]),
        ("createArray('a', 'b')[1]", "b"),
        ("createObject('A', 'x').a", "x"),
        ("and(false(), equals(reference('x'), 1))", False),
        ("or(true(), equals(reference('x'), 1))", True),
        ("replace('it''s', '''', '-')", "it-s"),
        ("length(range(0, 4))", 4),
        ("resourceGroup().name", "rg"),
        ("coalesce(null(), 'b')", "b"),
        ("json('{\"a\": [1]}').a[0]", 1),
    ],
)
def test_expressions(text, value):
    assert a_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "uniqueString(resourceGroup().id)", "reference('x').y", "listKeys('x', '2021-01-01').key", "newGuid()",
        "parameters('p')", "subscription().subscriptionId", "resourceGroup().location", "equals(parameters('p'), 1)",
        "and(true(), parameters('p'))", "toLower(parameters('p'))", "union(createObject('a', 1), parameters('p'))",
        "if(parameters('p'), 'a', 'b')", "nosuchfunction(1)", "concat('a', parameters('p'))", "createArray(1)[7]",
        "environment().suffixes.keyvaultDns", "createObject('a', 1).b", "copyIndex()", "div(1, 0)", "my.function('a')",
    ],
)  # fmt: skip
def test_what_only_azure_knows_is_unknown(text):
    assert isinstance(a_value(text), Unknown)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_none(text):
    node = parse(text)
    assert node is None or evaluate(node, Frame(Template({}, Place("s", "g")))) is not NotImplemented


def a_template(resources, **more):
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": resources, **more}


def a_resource(name="st1", **more):
    return {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2024-01-01", "name": name, **more}


def test_a_template_of_the_older_form_with_children_and_a_loop():
    child = {"type": "encryptionScopes", "apiVersion": "2024-01-01", "name": "scope", "properties": {"source": "x"}}
    resources = [
        a_resource("[concat('st', copyIndex(1))]", copy={"name": "loop", "count": 2}, location="westeurope"),
        a_resource("with-child", location="westeurope", resources=[child]),
        a_resource("never", condition="[equals(1, 2)]"),
    ]
    rows, unread = read(a_template(resources))
    assert unread == []
    names = [row["id"].partition("/storageAccounts/")[2] for row in rows]
    assert [name for name in names if name != "with-child/encryptionScopes/scope"] == ["st1", "st2", "with-child"]


def test_a_loop_whose_number_is_not_known_is_a_gap_and_one_of_it_is_judged():
    rows, (unread,) = read(
        a_template([a_resource("[format('s{0}', copyIndex())]", copy={"name": "l", "count": "[parameters('n')]"})])
    )
    assert len(rows) == 1
    assert "how many" in unread.why


def test_an_outer_scope_evaluates_with_the_outer_parameters_and_an_inner_with_its_own():
    def nested(scope, given):
        inner = a_template([a_resource(f"{scope}", location="[parameters('place')]")])
        inner["parameters"] = {"place": {"type": "string", "defaultValue": "uksouth"}}
        properties = {"template": inner, "parameters": given, "expressionEvaluationOptions": {"scope": scope}}
        return {
            "type": "Microsoft.Resources/deployments",
            "name": scope,
            "resourceGroup": "other",
            "properties": properties,
        }

    outer = {"place": {"type": "string", "defaultValue": "westeurope"}}
    rows, _ = read(a_template([nested("outer", {}), nested("inner", {})], parameters=outer))
    assert {row["name"]: row["location"] for row in rows} == {"outer": "westeurope", "inner": "uksouth"}
    assert all("/resourceGroups/other/" in row["id"] for row in rows)


def test_a_template_that_refers_to_itself_ends():
    variables = {"a": "[variables('b')]", "b": "[variables('a')]"}
    (row,), _ = read(a_template([a_resource("x", location="[variables('a')]")], variables=variables))
    assert row["notKnown"] == ["location"]


def test_a_subscription_template_makes_groups():
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2021-04-01",
        "name": "rg",
        "location": "uksouth",
    }
    template = a_template([group])
    template["$schema"] = template["$schema"].replace("deploymentTemplate", "subscriptionDeploymentTemplate")
    (row,), _ = read(template)
    assert row["id"] == "/subscriptions/{subscription}/resourceGroups/rg"


@pytest.mark.parametrize("resources", [None, 7, [7], [{"name": "x"}], {"a": {"type": 7}}])
def test_a_broken_template_is_one_gap(resources):
    rows, (unread,) = read(a_template(resources))
    assert rows == []
    assert unread.where.startswith("plan.json")


# What-if


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"changeType": "Unsupported", "unsupportedReason": "because"}, "because"),
        ({"changeType": "Deploy"}, "FullResourcePayloads"),
        ({"changeType": "Vanish", "after": {}}, "not known: Vanish"),
        ({"resourceId": "/x"}, "without its changeType"),
        (7, "without its changeType"),
        ({"changeType": "Create", "after": {"type": "a/b"}}, "without the id"),
    ],
)
def test_a_change_that_does_not_tell_is_a_gap(change, why):
    rows, (unread,) = read({"status": "Succeeded", "changes": [change]})
    assert rows == []
    assert why in unread.why


def test_what_a_change_leaves_out_may_stay():
    before = {
        "id": f"{GROUP}/providers/a/b/c",
        "type": "a/b",
        "tags": {"a": "b"},
        "properties": {"x": {"y": 1, "z": 2}, "w": 1},
    }
    after = {**before, "tags": {}, "properties": {"x": {"y": 1}}}
    (row,), _ = read({"status": "Succeeded", "changes": [{"changeType": "Modify", "before": before, "after": after}]})
    assert row["notKnown"] == ["properties.x.z", "properties.w"]


def test_the_rest_answer_and_one_that_failed():
    after = {"id": f"{GROUP}/providers/a/b/c", "type": "a/b"}
    rows, unread = read({"status": "succeeded", "properties": {"changes": [{"changeType": "Create", "after": after}]}})
    assert [row["name"] for row in rows] == ["c"]
    assert unread == []
    _, (unread,) = read(
        {"status": "Failed", "error": {"code": "x", "message": "no such group"}, "properties": {"changes": []}}
    )
    assert "no such group" in unread.why


@pytest.mark.parametrize(
    "value", [{}, {"id": "x", "changes": []}, {"changes": 7}, {"changes": []}, [], {"$schema": "x"}, 7]
)
def test_anything_else_is_no_plan(value):
    assert planned_rows(value, "x") is None


# What may never be there


SERVER = f"{GROUP}/providers/Microsoft.Sql/servers/s"
PROTECTOR = {"serverKeyType": "AzureKeyVault", "uri": "https://kv.vault.azure.net/keys/k/1"}


def a_server(**more):
    return {
        "type": "Microsoft.Sql/servers", "apiVersion": "2021-11-01", "name": "s", "location": "westeurope",
        "tags": {"Domain": "Sales"}, "properties": {}, **more,
    }  # fmt: skip


def a_protector(**more):
    kind = "Microsoft.Sql/servers/encryptionProtector"
    return {"type": kind, "apiVersion": "2021-11-01", "name": "s/current", "properties": PROTECTOR, **more}


def answers(mesh, rows, check="customer-managed-key"):
    """What is said of the server itself."""
    audit = audit_inventory(rows, mesh, checks=[check], show_compliant=True)
    return {(f.state, f.reason) for f in audit.findings if f.resource_type.lower() == "microsoft.sql/servers"}


UNDECIDED = {"cmk": {"type": "bool"}, "n": {"type": "int"}}
LOOP = {"name": "loop", "count": "[parameters('n')]"}


@pytest.mark.parametrize(
    "more", [{"condition": "[parameters('cmk')]"}, {"copy": LOOP}, {"copy": {**LOOP, "count": 10**9}}]
)
def test_a_child_that_may_never_be_there_answers_for_nobody(mesh, more):
    rows, _ = read(a_template([a_server(), a_protector(**more)], parameters=UNDECIDED))
    (row,) = rows
    assert "whether it will be there" in children_in(row, "Microsoft.Sql/servers/encryptionProtector").failed
    assert {state for state, _ in answers(mesh, rows)} == {"unknown"}
    assert answers(mesh, rows) == {("unknown", "not-before-deployment")}
    rows, _ = read(
        a_template([a_server(properties={"keyId": "https://kv.vault.azure.net/keys/k/1"}), a_protector(**more)])
    )
    assert {state for state, _ in answers(mesh, rows)} == {"unknown"}


def test_a_child_that_is_there_wherever_its_parent_is_answers_for_it(mesh):
    more = {"condition": "[parameters('cmk')]"}
    for resources in ([a_server(), a_protector()], [a_server(**more), a_protector(**more)]):
        rows, _ = read(a_template(resources, parameters=UNDECIDED))
        assert answers(mesh, rows) == {("not-applicable", "held-elsewhere")}
    inner = a_template([a_server(), a_protector()])
    deployment = {"type": "Microsoft.Resources/deployments", "name": "d", "properties": {"template": inner}, **more}
    rows, _ = read(a_template([deployment], parameters=UNDECIDED))
    assert answers(mesh, rows) == {("not-applicable", "held-elsewhere")}


def test_a_potential_change_answers_for_nobody(mesh):
    def change(identity, kind, properties):
        body = {"id": identity, "type": kind, "apiVersion": "2021-11-01", "location": "westeurope", **properties}
        return {"resourceId": identity, "changeType": "Create", "after": body}

    server = change(SERVER, "Microsoft.Sql/servers", {"properties": {}, "tags": {"Domain": "Sales"}})
    identity = f"{SERVER}/encryptionProtector/current"
    protector = change(identity, "Microsoft.Sql/servers/encryptionProtector", {"properties": PROTECTOR})
    properties = {"changes": [server], "potentialChanges": [protector]}
    rows, _ = read({"status": "Succeeded", "properties": properties})
    assert answers(mesh, rows) == {("unknown", "not-before-deployment")}
    rows, _ = read({"status": "Succeeded", "properties": {"changes": [server, protector]}})
    assert answers(mesh, rows) == {("not-applicable", "held-elsewhere")}


def test_the_children_of_what_is_there_already_are_not_all_in_the_plan(mesh):
    group = {"type": "Microsoft.Sql/servers/failoverGroups", "apiVersion": "2023-08-01", "properties": {}}
    server = {"id": SERVER, **a_server()}
    changes = [
        {"resourceId": SERVER, "changeType": "NoChange", "after": server},
        {"resourceId": f"{SERVER}/failoverGroups/f", "changeType": "Create", "after": group},
    ]
    rows, _ = read({"status": "Succeeded", "changes": changes})
    assert "may be others" in children_in(rows[0], "Microsoft.Sql/servers/failoverGroups").failed
    assert ("unknown", "not-before-deployment") in answers(mesh, rows, "replica-region")


# What acts without telling


@pytest.mark.parametrize("kind", ["azapi_resource_action", "azapi_data_plane_resource", "azapi_update_resource"])
@pytest.mark.parametrize("method", ["PATCH", None, 7])
def test_what_changes_something_without_telling_what_is_a_gap(kind, method):
    after = {"type": "Microsoft.Storage/storageAccounts@2023-01-01", "resource_id": f"{GROUP}/x", "method": method}
    rows, (unread,) = read(a_plan(a_change(kind, "a", after)))
    assert rows == []
    assert unread.where == f"plan.json: {kind}.a"


@pytest.mark.parametrize("more", [{"method": "GET"}, {"method": "get"}, {"method": "POST", "when": "destroy"}])
def test_an_action_that_changes_nothing_is_none(more):
    assert read(a_plan(a_change("azapi_resource_action", "a", {"type": "a/b@1", **more}))) == ([], [])


# Limits


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("div(-7, 2)", -3),
        ("mod(-7, 2)", -1),
        ("div(9007199254740993, 1)", 9007199254740993),
        (
            "union(createObject('a', createObject('b', 1)), createObject('A', createObject('c', 2)))",
            {"a": {"b": 1, "c": 2}},
        ),
    ],
)
def test_whole_numbers_and_unions(text, value):
    assert a_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        f"div({10**400}, 1)", f"mul({2**40}, {2**40})", "format('{²}', 'a')", "createObject(1, 2)",
        "union(variables('unknown'), variables('object')).a", "union(variables('object'), variables('unknown')).a",
    ],
)  # fmt: skip
def test_what_azure_would_refuse_or_alone_knows_is_unknown(text):
    variables = {"unknown": {"a": "[parameters('p')]"}, "object": {"a": {"b": 1}}}
    assert isinstance(a_value(text, {"variables": variables}), Unknown)


@pytest.mark.parametrize(
    "step", ["concat({0}, {0})", "createArray({0}, {0})", "union(createArray({0}), createArray({0}))"]
)
def test_expressions_that_grow_end(step):
    variables = {"v0": "abc", **{f"v{n}": f"[{step}]".format(f"variables('v{n - 1}')") for n in range(1, 60)}}
    with at_most(MUCH):
        rows, unread = read(
            a_template(
                [a_resource("[string(variables('v59'))]", tags={"a": "[variables('v59')]"})], variables=variables
            )
        )
    assert len(rows) + len(unread) == 1


def test_a_loop_longer_than_azure_runs_is_a_gap_that_says_so():
    _, (unread,) = read(a_template([a_resource("[format('s{0}', copyIndex())]", copy={"name": "l", "count": 10**9})]))
    assert "1000000000" in unread.why
    assert "800" in unread.why


def test_loops_inside_loops_end(monkeypatch):
    monkeypatch.setattr(expressions, "_STEPS", 20_000)
    template = a_template([a_resource("[format('s{0}', copyIndex())]", copy={"name": "l", "count": 800})])
    for _ in range(3):
        deployment = {
            "type": "Microsoft.Resources/deployments", "name": "[format('d{0}', copyIndex())]",
            "copy": {"name": "d", "count": 800}, "properties": {"template": template},
        }  # fmt: skip
        template = a_template([deployment])
    rows, (unread,) = read(template)
    assert rows == []
    assert unread.final
    assert "more than 20,000 steps" in unread.why


def test_a_large_plan_takes_no_longer_for_each_resource():
    def work(count):
        changes = [
            a_change(
                "azurerm_storage_account", f"a{at}", {**STORAGE, "name": f"st{at}"}, {"id": True, "network_rules": True}
            )
            for at in range(count)
        ]
        config = [{"address": f"azurerm_storage_account.a{at}", "expressions": {}} for at in range(count)]
        with at_most(MUCH) as made:
            assert len(read(a_plan(*changes, config=config))[0]) == count
        return made()

    work(10)  # what is worked out once
    assert work(2000) < 5.5 * work(400)


@pytest.mark.parametrize("connections", [5, {"a": 1}, "x"])
def test_connections_that_are_no_list_stay_as_they_are(connections):
    resource = a_resource(properties={"privateEndpointConnections": connections})
    target = "[resourceId('Microsoft.Storage/storageAccounts', 'st1')]"
    endpoint = {
        "type": "Microsoft.Network/privateEndpoints", "apiVersion": "2023-01-01", "name": "pe",
        "properties": {"privateLinkServiceConnections": [{"properties": {"privateLinkServiceId": target}}]},
    }  # fmt: skip
    rows, _ = read(a_template([resource, endpoint]))
    assert row_called(rows, "st1")["properties"]["privateEndpointConnections"] == connections


ELSEWHERE = {
    "imports": {"graph": {"provider": "MicrosoftGraph", "version": "1.0.0"}},
    "extensions": {
        "k8s": {"name": "Kubernetes", "version": "1.0.0"},
        "az": {"name": "AzureResourceManager", "version": "0.2.881"},
        "mine": {"name": "contoso", "version": "1.0.0"},
        "none": None,
    },
}


@pytest.mark.parametrize(
    ("more", "rows", "gaps"),
    [
        ({"import": "graph", "type": "Microsoft.Graph/groups@v1.0"}, 0, 0),
        ({"extension": "k8s", "type": "apps/Deployment@v1"}, 0, 0),
        ({"extension": "az"}, 1, 0),
        ({"extension": None, "import": None}, 1, 0),
        ({"extension": "mine"}, 0, 1),
        ({"extension": "none"}, 0, 1),
        ({"extension": "nobody"}, 0, 1),
        ({"import": "k8s"}, 0, 1),
        ({"import": 7}, 0, 1),
        ({"import": "graph", "extension": "az"}, 0, 1),
        ({"type": "Microsoft.Storage/storageAccounts@2023-01-01"}, 0, 1),
    ],
)
def test_only_what_the_template_says_to_be_of_another_extension_is_passed_over(more, rows, gaps):
    found, unread = read(a_template({"one": a_resource(**more)}, **ELSEWHERE))
    assert (len(found), len(unread)) == (rows, gaps)
    assert all("extension" in gap.why and not gap.final for gap in unread)


def test_what_a_template_imports_is_for_itself_alone():
    inner = a_template({"one": a_resource(extension="k8s")})
    deployment = {"type": "Microsoft.Resources/deployments", "name": "d", "properties": {"template": inner}}
    rows, unread = read(a_template({"outer": deployment}, **ELSEWHERE))
    assert rows == []
    assert len(unread) == 1


def test_only_a_template_of_symbolic_names_refers_to_what_exists():
    assert read(a_template({"one": a_resource(existing=True)})) == ([], [])
    deployment = {"type": "Microsoft.Resources/deployments", "name": "d", "existing": True}
    assert read(a_template({"one": deployment})) == ([], [])
    for resources in ([a_resource(existing=True)], {"one": a_resource(existing="[true()]")}):
        assert len(read(a_template(resources))[0]) == 1


@pytest.mark.parametrize("value", ["abc", True, 7, [], {"microsoft.sql/servers/failovergroups": {"items": []}}])
@pytest.mark.parametrize("key", ["children", "readAt", "notKnown", "inList"])
@pytest.mark.parametrize(("kind", "at"), [("Create", "after"), ("Ignore", "before"), ("Modify", "after")])
def test_what_a_change_holds_of_our_own_keys_is_left_out(kind, at, key, value):
    identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/sql"
    body = {"id": identity, "type": "Microsoft.Sql/servers", "location": "westeurope", "properties": {"a": "[x()]"}}
    plan = {"status": "Succeeded", "changes": [{"changeType": kind, "resourceId": identity, at: body}]}
    expected, none = read(plan)
    assert none == []
    changed = {**plan, "changes": [{"changeType": kind, "resourceId": identity, at: {**body, key: value}}]}
    rows, (unread,) = read(changed)
    assert rows == expected
    assert unread.final
    assert key in unread.why


@pytest.mark.parametrize(
    "kind", ["contoso", "//", "a/", "/b", "a//b", "a/b/providers/", "a/b/providers/c", "a/providers/b"]
)
@pytest.mark.parametrize("name", ["x", None, 7, ["x"]])
def test_a_type_that_is_none_is_a_gap_or_its_own(kind, name):
    rows, unread = read(a_template([{"type": kind, "name": name}]))
    assert len(rows) + len(unread) == 1


@pytest.mark.parametrize(
    "text",
    [
        "resourceId('Microsoft.Resources/resourceGroups')",
        "subscriptionResourceId('Microsoft.Resources/resourceGroups')",
        "extensionResourceId('a', 'Microsoft.Resources/resourceGroups')",
        "resourceId('Contoso.App/things')",
        "split('a', '')",
        "split('a', createArray())",
        "div(mul(9223372036854775807, 9223372036854775807), 1)",
    ],
)
def test_calls_that_azure_would_refuse_are_unknown(text):
    assert isinstance(a_value(text), Unknown)


@pytest.mark.parametrize(
    ("text", "value"),
    [("split('a;b,c', createArray(',', ';'))", ["a", "b", "c"]), ("split('a.b', '.')", ["a", "b"])],
)
def test_a_text_is_split_at_every_mark(text, value):
    assert a_value(text) == value


@pytest.mark.parametrize("deferred", [7, "x", {"a": 1}, [7], [{"resource_change": 7}]])
def test_whatever_is_put_off_is_a_gap(deferred):
    _, unread = read(a_plan(deferred_changes=deferred))
    assert [gap.why for gap in unread] == ["Terraform has put it off to a later plan"]


MANY = {"copy": {"name": "l", "count": 800}}
MANY_TAGS = range(100)


@pytest.mark.parametrize(
    "written",
    [
        "[concat(variables('text'), string(copyIndex()))]",
        "[equals(variables('list'), copyIndex())]",
        "[unheard(variables('list'), copyIndex())]",
        "[if(unheard(), variables('list'), copyIndex())]",
        "[and(unheard(), variables('list'))]",
        "[variables('list')[unheard(copyIndex())]]",
        "[variables('table')[string(copyIndex())]]",
        "[string(variables('list'))]",
    ],
)
def test_large_values_that_are_gone_through_again_and_again_end(written):
    variables = {"text": "x" * 1_000_000, "list": list(range(100_000)), "table": {f"k{n}": n for n in range(100_000)}}
    resource = a_resource("[format('s{0}', copyIndex())]", tags={f"t{n}": written for n in MANY_TAGS}, **MANY)
    rows, (unread,) = read(a_template([resource], variables=variables))
    assert rows == []
    assert unread.final
    assert "steps to work out" in unread.why


@pytest.mark.parametrize(
    "inner",
    [
        [a_resource("[format('s{0}', copyIndex())]", **MANY)],
        [a_resource("[format('s{0}', copyIndex())]", resources=[a_resource("[string(copyIndex())]", **MANY)], **MANY)],
        [7] * 2000,
        {"k" * 100_000: a_resource()},
    ],
)
def test_resources_without_number_end(inner):
    template = a_template(inner)
    for _ in range(2):
        deployment = {
            "type": "Microsoft.Resources/deployments", "name": "[format('d{0}', copyIndex())]",
            "properties": {"template": template}, **MANY,
        }  # fmt: skip
        template = a_template([deployment])
    rows, (unread,) = read(template)
    assert rows == []
    assert unread.final
    assert "steps to work out" in unread.why


@pytest.mark.parametrize("name", ["template", "what-if"])
def test_a_body_of_which_much_is_not_known(name):
    properties = {**{f"p{n}": "[x()]" for n in range(40_000)}, "encryption": {"keySource": "[x()]"}}
    resource = a_resource(properties=properties, tags={"Domain.Of": "[x()]"})
    identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st1"
    change = {"changeType": "Create", "resourceId": identity, "after": {**resource, "id": identity}}
    with at_most(MUCH):
        (row,), _ = read(a_template([resource]) if name == "template" else {"status": "Succeeded", "changes": [change]})
    assert {"properties.p0", "properties.p39999", "properties.encryption"} <= set(row["notKnown"])
    assert {"tags", "tags.Domain.Of"} & set(row["notKnown"])


def test_outputs_that_refer_to_each_other_end():
    outputs = {f"o{n}": {"expression": {"references": [f"module.m.o{k}" for k in range(12)]}} for n in range(12)}
    module = {"outputs": {f"o{n}": {"expression": {"references": ["each.key"]}} for n in range(12)}}
    for _ in range(10):
        module = {"outputs": outputs, "module_calls": {"m": {"module": module}}}
    plan = a_plan(a_change("azurerm_storage_account", "a", STORAGE, {"id": True, "resource_group_name": True}))
    written = {"resource_group_name": {"references": ["module.m.o1"]}}
    plan["configuration"] = {
        "root_module": {
            "resources": [{"address": "azurerm_storage_account.a", "expressions": written}],
            "module_calls": {"m": {"module": module}},
        }
    }
    with at_most(MUCH):
        assert len(read(plan)[0]) == 1


def a_machine(*disks, **disk):
    profile = {"osDisk": disk, "dataDisks": list(disks)}
    return {
        "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm", "location": "westeurope",
        "properties": {"storageProfile": profile},
    }  # fmt: skip


@pytest.mark.parametrize("option", ["FromImage", "fromImage", "empty", "Copy", "RESTORE"])
def test_every_way_to_make_a_disk_makes_one(option):
    rows, unread = read(a_template([a_machine({"createOption": option}, createOption=option)]))
    assert [row["type"].rpartition("/")[2] for row in rows] == ["virtualMachines", "disks", "disks"]
    assert unread == []


def test_a_disk_that_is_there_already_is_a_resource_of_its_own():
    rows, unread = read(a_template([a_machine(createOption="attach")]))
    assert [row["type"].rpartition("/")[2] for row in rows] == ["virtualMachines"]
    assert unread == []


@pytest.mark.parametrize("option", ["[parameters('o')]", "Teleport", None, 7])
def test_a_disk_of_which_it_is_not_known_whether_it_is_made_is_a_gap(option):
    rows, (unread,) = read(a_template([a_machine({"createOption": "Empty"}, createOption=option)]))
    assert [row["type"].rpartition("/")[2] for row in rows] == ["virtualMachines", "disks"]
    assert "whether a disk is made" in unread.why


@pytest.mark.parametrize("at", ["osDisk", "dataDisks", "profile", "properties"])
def test_disks_that_are_not_known_are_a_gap(at):
    machine = a_machine(createOption="FromImage")
    if at.endswith(("Disk", "Disks")):
        machine["properties"]["storageProfile"][at] = "[parameters('d')]"
    elif at == "profile":
        machine["properties"]["storageProfile"] = "[parameters('p')]"
    else:
        machine["properties"] = "[parameters('p')]"
    _, unread = read(a_template([machine]))
    assert any("which disks" in one.why for one in unread)


@pytest.mark.parametrize(
    ("disk", "gaps"),
    [
        ({"lun": 0, "createOption": "Empty", "diskSizeGB": 64}, 1),
        ({"lun": 0, "createOption": "Empty", "managedDisk": {"id": "/disks/d"}}, 0),
        ({"lun": 0, "createOption": "Attach", "managedDisk": {"id": "/disks/d"}}, 0),
    ],
)
def test_a_disk_that_a_machine_gets_later_is_a_gap(disk, gaps):
    machine = {"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1", **a_machine(createOption="FromImage")}
    after = copy.deepcopy(machine)
    after["properties"]["storageProfile"]["dataDisks"] = [disk]
    change = {"resourceId": machine["id"], "changeType": "Modify", "before": machine, "after": after}
    rows, unread = read({"status": "Succeeded", "changes": [change]})
    assert len(rows) == 1
    assert len(unread) == gaps
    before = copy.deepcopy(machine)
    del machine["properties"]["storageProfile"]["dataDisks"]  # it had none, and has none
    change = {"resourceId": machine["id"], "changeType": "Modify", "before": before, "after": machine}
    assert read({"status": "Succeeded", "changes": [change]})[1] == []


def test_the_children_of_a_resource_that_is_not_deployed_may_be():
    database = {"type": "databases", "apiVersion": "2023-08-01", "name": "db", "location": "eastus"}
    server = {
        "type": "Microsoft.Sql/servers", "apiVersion": "2023-08-01", "name": "sql", "location": "westeurope",
        "condition": "[equals(parameters('newOrExisting'), 'new')]", "resources": [database],
    }  # fmt: skip
    parameters = {"newOrExisting": {"type": "string", "defaultValue": "existing"}}
    rows, unread = read(a_template([server], parameters=parameters))
    assert [row["id"].partition("/Microsoft.Sql/")[2] for row in rows] == ["servers/sql/databases/db"]
    assert rows[0]["location"] == "eastus"
    assert unread == []


@pytest.mark.parametrize("actions", [["forget"], ["create", "forget"]])
def test_what_terraform_forgets_is_not_gone(actions):
    change = a_change("azurerm_storage_account", "old", STORAGE if "create" in actions else None)
    change["change"] |= {"actions": actions, "before": STORAGE}
    nothing = {**change, "type": "azurerm_subnet", "address": "azurerm_subnet.a"}
    rows, (unread,) = read(a_plan(change, nothing))
    assert len(rows) == ("create" in actions)
    assert unread.where == "plan.json: azurerm_storage_account.old"
    assert "Azure keeps it" in unread.why


def test_a_member_that_no_object_can_have_is_unknown():
    assert isinstance(a_value("variables('x')[createArray(1)]", {"variables": {"x": {"a": 1}}}), Unknown)


def test_half_a_character_in_a_long_name_is_no_crash():
    rows, _ = read(a_template([a_resource(location="[foo('\ud800" + "a" * 80 + "')]")]))
    assert len(rows) == 1


GATEWAY = {
    "name": "apim", "location": "westeurope", "sku": {"name": "Premium", "capacity": 1},
    "properties": {"publisherEmail": "a@b.c", "publisherName": "x"},
}  # fmt: skip


def of_gateway(mesh, rows):
    audit = audit_inventory(rows, mesh, checks=["replica-region"], show_compliant=True)
    return {(found.state, found.reason) for found in audit.findings if found.resource_type.endswith("service")}


def in_template(properties, **more):
    resource = {"type": "Microsoft.ApiManagement/service", "apiVersion": "2023-05-01-preview", **GATEWAY}
    return read(a_template([{**resource, "properties": {**GATEWAY["properties"], **properties}}], **more))[0]


UNKNOWN_NAME = {"parameters": {"k": {"type": "string"}}, "variables": {"m": {"[parameters('k')]": 1, "x": 2}}}


def test_a_service_that_is_written_in_full_has_no_copy(mesh):
    assert of_gateway(mesh, in_template({})) == {("not-applicable", "no-copy")}


@pytest.mark.parametrize(
    "properties",
    [
        {"[parameters('k')]": [{"location": "eastus"}]},
        {"additionalLocations": "[if(contains(variables('m'), 'us'), createArray(), createArray('x'))]"},
        {"additionalLocations": "[if(equals(length(variables('m')), 2), createArray(), createArray('x'))]"},
        {"AdditionalLocations": [{"location": "eastus"}]},
    ],
)
def test_names_that_may_be_others_leave_the_answer_open(mesh, properties):
    assert {state for state, _ in of_gateway(mesh, in_template(properties, **UNKNOWN_NAME))} == {"unknown"}


def in_azapi(body, action="create", config=(), **after):
    properties = {"type": "Microsoft.ApiManagement/service@2023-05-01-preview", "name": "apim", "body": body, **after}
    change = a_change("azapi_resource", "a", {**properties, "parent_id": GROUP, "location": "westeurope"})
    change["change"]["actions"] = [action]
    return read(a_plan(change, config=config))[0]


@pytest.mark.parametrize("action", ["update", "no-op"])
def test_what_azapi_does_not_write_of_what_is_there_is_not_known(mesh, action):
    body = {"sku": GATEWAY["sku"], "properties": GATEWAY["properties"]}
    assert of_gateway(mesh, in_azapi(body)) == {("not-applicable", "no-copy")}
    assert of_gateway(mesh, in_azapi(body, action)) == {("unknown", "not-before-deployment")}
    body["properties"] = {**body["properties"], "additionalLocations": [{"location": "eastus"}]}
    assert {state for state, _ in of_gateway(mesh, in_azapi(body, action))} == {"non-compliant"}


@pytest.mark.parametrize("in_plan", [True, False])
def test_a_part_of_a_body_that_is_secret_may_say_anything(mesh, in_plan):
    body = {"sku": GATEWAY["sku"], "properties": GATEWAY["properties"]}
    written = {"address": "azapi_resource.a", "expressions": {"sensitive_body": {"references": ["var.s"]}}}
    rows = in_azapi(body, sensitive_body={"x": 1}) if in_plan else in_azapi(body, config=[written])
    assert of_gateway(mesh, rows) == {("unknown", "not-before-deployment")}
    body["properties"] = {**body["properties"], "publicNetworkAccess": "Disabled"}
    rows = in_azapi(body, config=[written])
    audit = audit_inventory(rows, mesh, checks=["public-access", "region"], show_compliant=True)
    states = {found.check: found.state for found in audit.findings if found.resource_type.endswith("service")}
    assert states == {"public-access": "unknown", "region": "compliant"}


@pytest.mark.parametrize(("level", "gaps"), [("Warning", 1), ("Error", 1), (None, 1), ("Info", 0)])
@pytest.mark.parametrize("inside", [True, False])
def test_what_azure_left_out_is_a_gap(level, gaps, inside):
    identity = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1"
    change = {"resourceId": identity, "changeType": "Create", "after": {**a_resource(), "id": identity}}
    told = {"level": level, "code": "NestedDeploymentShortCircuited", "message": "skipped", "target": "/d/nested"}
    answer = {"changes": [change], "diagnostics": [told]}
    rows, unread = read({"status": "Succeeded", **({"properties": answer} if inside else answer)})
    assert len(rows) == 1
    assert [one.where for one in unread] == ["plan.json: /d/nested"] * gaps


def test_whose_parameters_a_nested_template_uses_may_not_be_known():
    inner = a_template([a_resource()])
    properties = {"template": inner, "expressionEvaluationOptions": {"scope": "[parameters('s')]"}}
    deployment = {"type": "Microsoft.Resources/deployments", "name": "d", "properties": properties}
    rows, (unread,) = read(a_template([deployment], parameters={"s": {"type": "string"}}))
    assert rows == []
    assert "whose parameters" in unread.why


@pytest.mark.parametrize("profile", [{}, {"osDisk": None}, {"osDisk": "x"}, {"osDisk": {"createOption": "Attach"}}])
@pytest.mark.parametrize("data", [None, "abc", ["x"]])
def test_a_machine_that_does_not_say_its_disks_is_a_gap(profile, data):
    machine = a_machine()
    machine["properties"]["storageProfile"] = {**profile, **({"dataDisks": data} if data else {})}
    _, unread = read(a_template([machine]))
    assert bool(unread) == (bool(data) or "createOption" not in str(profile))


def test_a_machine_of_an_image_has_a_disk():
    machine = a_machine()
    machine["properties"]["storageProfile"] = {"imageReference": {"offer": "x"}}
    rows, unread = read(a_template([machine]))
    assert [row["type"].rpartition("/")[2] for row in rows] == ["virtualMachines", "disks"]
    assert unread == []
    machine["properties"]["storageProfile"]["osDisk"] = "[parameters('d')]"
    rows, unread = read(a_template([machine]))
    assert len(rows) == 1
    assert len(unread) == 1


def test_a_plan_that_says_it_failed_in_other_words_is_incomplete():
    _, (unread,) = read(a_plan(errored="true"))
    assert "ended with an error" in unread.why


def test_marks_of_what_is_not_known_that_are_none_mean_all():
    change = a_change("azurerm_storage_account", "a", STORAGE)
    change["change"]["after_unknown"] = "true"
    (row,), _ = read(a_plan(change))
    assert {"location", "tags"} <= set(row["notKnown"])


def in_group(*, tags, group="Customer", **more):
    """A storage account with these tags, in a group of that domain."""
    inner = {"resources": [a_resource(location="westeurope", tags=tags)], "contentVersion": "1.0.0.0"}
    deployment = {
        "type": "Microsoft.Resources/deployments", "name": "d", "resourceGroup": "rg",
        "properties": {"template": inner},
    }  # fmt: skip
    groups = {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2024-03-01", "name": "rg",
              "location": "westeurope", "tags": {"Domain": group}}  # fmt: skip
    schema = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
    return read({**a_template([groups, deployment], **more), "$schema": schema})[0]


LINK = "[concat('hidden-link:', resourceId('Microsoft.Web/serverfarms', 'p'))]"


@pytest.mark.parametrize(
    ("tags", "domain", "known"),
    [
        ({"Domain": "Sales", LINK: "Resource"}, "Sales", True),
        ({LINK: "Resource"}, "Customer", True),
        ({}, "Customer", True),
        ({"[parameters('k')]": "x"}, "", False),
        ({"Domain": "[parameters('k')]"}, "", False),
        ({"[concat('Do', parameters('k'))]": "x"}, "", False),
        ("[parameters('k')]", "", False),
        ({"Domain": "Sales", "DataProduct": "[parameters('k')]"}, "Sales", False),
    ],
)
def test_a_tag_that_is_not_known_is_not_inherited(mesh, tags, domain, known):
    rows = in_group(tags=tags, parameters={"k": {"type": "string"}})
    audit = audit_inventory(rows, mesh, checks=["region"], show_compliant=True)
    (found,) = [finding for finding in audit.findings if called(finding) == "st1"]
    assert found.domain == domain
    whose = [gap for gap in audit.coverage.gaps if "whose it is" in gap.why]
    assert bool(whose) is not known


def test_a_tag_that_may_replace_the_group_s_is_unknown(tmp_path):
    (tmp_path / "policy.yaml").write_text("governancePolicies:\n  requiredTags: [Owner]\n  inheritTags: true\n")
    mesh = load_mesh(tmp_path)
    rows = in_group(tags={"Owner": "[parameters('k')]"}, parameters={"k": {"type": "string"}})
    for row in rows:
        if row["type"].endswith("resourceGroups"):
            row["tags"]["Owner"] = "me"
    audit = audit_inventory(rows, mesh, checks=["required-tags"], show_compliant=True)
    states = {(found.state, found.reason) for found in audit.findings if called(found) == "st1"}
    assert states == {("unknown", "not-before-deployment")}


REGIONS = {"parameters": {"k": {"type": "string"}}, "variables": {"r": {"[parameters('k')]": "x", "a": "1"}}}


@pytest.mark.parametrize(
    "condition",
    [
        "contains(variables('r'), 'us')", "equals(length(variables('r')), 9)",
        "equals(length(items(variables('r'))), 9)",
        "equals(variables('r'), createObject('b', '1'))", "empty(variables('r'))",
        "contains(createArray(variables('r')), createObject('b', '1'))",
        "equals(string(variables('r')), '{}')", "equals(tryGet(variables('r'), 'us'), 'x')",
    ],
)  # fmt: skip
def test_nothing_hangs_on_names_that_are_not_known(mesh, condition):
    (row,), _ = read(a_template([a_resource(condition=f"[{condition}]", location="eastus")], **REGIONS))
    assert row["location"] == "eastus"
    app = {"publicNetworkAccess": f"[if({condition}, 'Enabled', 'Disabled')]"}
    rows, _ = read(a_template([a_resource(location="westeurope", properties=app)], **REGIONS))
    audit = audit_inventory(rows, mesh, checks=["public-access"], show_compliant=True)
    assert [found.state for found in audit.findings] == ["unknown"]


def test_how_many_names_that_are_not_known_there_are_is_a_gap():
    copies = {"name": "loop", "count": "[length(variables('r'))]"}
    _, (unread,) = read(a_template([a_resource("[concat('s', copyIndex())]", copy=copies)], **REGIONS))
    assert "how many" in unread.why


def test_objects_of_unknown_names_that_grow_end():
    variables = {"v0": "x"}
    for number in range(1, 30):
        inner = f"[variables('v{number - 1}')]"
        variables[f"v{number}"] = {"[newGuid()]": 1, "a": inner, "b": inner}
    with at_most(MUCH):
        read(a_template([a_resource(properties="[variables('v29')]")], variables=variables))


def test_a_product_that_is_not_known_is_no_gap_where_there_are_none(tmp_path):
    (tmp_path / "policy.yaml").write_text("governancePolicies:\n  requiredTags: [Domain]\n")
    (tmp_path / "sales.yaml").write_text("domain: {name: Sales, owner: a@b.c}\n")
    rows = in_group(tags={"Domain": "Sales", "[parameters('k')]": "x"}, parameters={"k": {"type": "string"}})
    audit = audit_inventory(rows, load_mesh(tmp_path))
    assert not [gap for gap in audit.coverage.gaps if "whose it is" in gap.why]


@pytest.mark.parametrize("odd", [5, None, [[1]], [{}], "properties.encryption"])
def test_odd_marks_crash_nothing(mesh, odd):
    row = {**a_resource(location="westeurope"), "id": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1"}
    row |= {"properties": {}, "notKnown": ["properties.encryption"], "notTranslated": odd}
    audit = audit_inventory([row], mesh, checks=["customer-managed-key"])
    assert [found.reason for found in audit.findings] == ["not-before-deployment"]
