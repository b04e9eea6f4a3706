import datetime as dt
import inspect
import itertools
import json
import os
import sys
import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.audit import audit_inventory, engine
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import AZURE_CHECKS, REASONS

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP = f"{SUBSCRIPTION}/resourceGroups/sales-rg"
VAULT = {
    "type": "Microsoft.KeyVault/vaults",
    "id": f"{GROUP}/providers/Microsoft.KeyVault/vaults/keys",
    "properties": {"enablePurgeProtection": True},
}
POLICY = """
governancePolicies:
  dataResidency: {enforced: true, allowedRegions: [westeurope, northeurope]}
"""


def a_mesh(folder, text, name="policy.yaml"):
    (folder / name).write_text(text)
    return load_mesh(folder)


@pytest.fixture
def mesh(tmp_path):
    return a_mesh(tmp_path, POLICY)


def storage(name="st1", location="westeurope", **more):
    return {
        "id": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}",
        "name": name,
        "type": "microsoft.storage/storageaccounts",
        "location": location,
        "sku": {"name": "Standard_LRS"},
        "properties": {},
        **more,
    }


def group(**more):
    return {
        "id": GROUP, "name": "sales-rg", "type": "microsoft.resources/subscriptions/resourcegroups",
        "location": "westeurope", **more,
    }  # fmt: skip


def found(audit, check=None):
    return [(f.check, f.state, f.reason) for f in audit.findings if check in (None, f.check)]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("westeurope", []),
        ("West Europe", []),
        ("WESTEUROPE", []),
        ("francecentral", [("region", "non-compliant", "outside-policy")]),
        ("uksouth", [("region", "non-compliant", "outside-area")]),
        ("switzerlandnorth", [("region", "non-compliant", "outside-area")]),
        ("global", [("region", "unknown", "global-unknown")]),
        ("DummyLocation", [("region", "unknown", "unknown-location")]),
        ("", [("region", "unknown", "no-location")]),
        (None, [("region", "unknown", "no-location")]),
        (7, [("region", "unknown", "no-location")]),
    ],
)
def test_region(mesh, location, expected):
    assert found(audit_inventory([storage(location=location)], mesh, checks=["region"])) == expected


def test_every_check_has_a_worst_severity(mesh):
    from sovereignmesh.audit.severity import severity_of
    from sovereignmesh.result import CATALOG_CHECKS, CHECKS

    for check in {*CHECKS, *CATALOG_CHECKS}:
        assert severity_of(check, "not-in-inventory", mesh.policy_for(None), {}, None) in ("high", "medium", "low"), (
            check
        )


def test_severity_follows_the_area(mesh):
    audit = audit_inventory([storage("a", "eastus"), storage("b", "francecentral")], mesh, checks=["region"])
    assert [f.severity for f in audit.findings] == ["high", "medium"]
    assert audit.fails_at("high")
    assert not audit.compliant


def test_a_resource_group_abroad_is_low(mesh):
    audit = audit_inventory([group(location="eastus")], mesh)
    assert [(f.check, f.severity) for f in audit.findings] == [("region", "low")]
    assert not audit.fails_at("medium")


def test_not_enforced_is_judged_and_does_not_count(tmp_path):
    mesh = a_mesh(tmp_path, POLICY.replace("true", "false"))
    audit = audit_inventory([storage(location="eastus")], mesh)
    assert [f.advisory for f in audit.findings] == [True]
    assert audit.compliant
    assert audit.summary["region"]["non-compliant"] == 1


def test_what_was_not_asked_is_listed_and_not_summed_up(mesh):
    audit = audit_inventory([storage()], mesh)
    assert "customer-managed-key" in audit.policy.not_asked
    assert set(audit.summary) == {"region", "replica-region", "backup-region", "key-residency"}


SALES = """
dataProduct:
  name: Sales Analytics
  domain: Sales
  owner: sales@contoso.com
  dataResidency: {region: EU, storageLocations: [westeurope]}
"""


def test_the_domain_is_that_of_the_tag_else_of_the_group_else_of_the_subscription(tmp_path):
    a_mesh(tmp_path, POLICY)
    mesh = a_mesh(tmp_path, SALES, "sales.yaml")
    rows = [
        storage("own", "northeurope", tags={"domain": "sales"}),
        storage("from-group", "northeurope"),
        {**storage("from-subscription", "northeurope"), "id": f"{SUBSCRIPTION}/resourceGroups/other/providers/x/y/z"},
    ]
    containers = [
        group(tags={"Domain": "Sales"}),
        {"id": SUBSCRIPTION, "name": "sales", "type": "microsoft.resources/subscriptions", "tags": {"Domain": "Sales"}},
    ]
    for inventory in (rows + containers, containers + rows):
        audit = audit_inventory(inventory, mesh, checks=["region"])
        assert {f.resource_name: f.domain for f in audit.findings} == {
            "own": "Sales", "from-group": "Sales", "from-subscription": "Sales",
        }  # fmt: skip


@pytest.mark.parametrize("shape", ["list", "lines", "escaped lines", "pages one a line", "array", "pipe"])
def test_containers_are_found_wherever_they_stand(tmp_path, monkeypatch, shape):
    monkeypatch.setattr(engine, "_MANY", 1)
    (tmp_path / "mesh").mkdir()
    a_mesh(tmp_path / "mesh", POLICY)
    mesh = a_mesh(tmp_path / "mesh", SALES, "sales.yaml")
    rows = [*(storage(name, "northeurope") for name in "aab"), group(tags={"Domain": "Sales"}), storage("c", "eastus")]
    path = tmp_path / "export"
    text = {
        "lines": "\n".join(map(json.dumps, rows)),
        "escaped lines": "\n".join(map(json.dumps, rows)).replace("/", "\\/"),
        "pages one a line": "\n".join(json.dumps({"data": [row]}) for row in rows),
        "array": json.dumps(rows),
        "pipe": "\n".join(map(json.dumps, rows)),
    }.get(shape)
    if shape == "pipe":
        os.mkfifo(path)
        threading.Thread(target=path.write_text, args=(text,), daemon=True).start()
    elif text:
        path.write_text(text)
    audit = audit_inventory(path if text else rows, mesh, checks=["region"])
    assert [(f.resource_name, f.domain) for f in audit.findings] == [("c", "Sales"), ("a", "Sales"), ("b", "Sales")]
    assert audit.complete


OWNER = {
    "id": f"{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Databricks/workspaces/w", "name": "w",
    "type": "Microsoft.Databricks/workspaces", "location": "westeurope", "properties": {}, "tags": {"Domain": "Sales"},
}  # fmt: skip


def test_without_its_containers_a_resource_s_domain_is_a_gap(tmp_path):
    a_mesh(tmp_path, POLICY)
    mesh = a_mesh(tmp_path, SALES, "sales.yaml")
    audit = audit_inventory([storage("a", "northeurope"), storage("b", tags={"Domain": "Sales"})], mesh)
    assert not audit.complete
    assert [gap.what for gap in audit.coverage.gaps] == [GROUP.lower()]


@pytest.mark.parametrize("name", ["sales-prod", SUBSCRIPTION.rsplit("/", 1)[-1]])
def test_a_subscription_is_a_domain_s_by_name_or_id(tmp_path, name):
    a_mesh(tmp_path, POLICY)
    a_mesh(tmp_path, f"domain: {{name: Sales, subscriptions: [{name}]}}", "domain.yaml")
    mesh = a_mesh(tmp_path, SALES, "sales.yaml")
    rows = [
        storage("a", "northeurope", tags={"Domain": " "}), group(),
        {"id": SUBSCRIPTION, "name": "Sales-Prod", "type": "microsoft.resources/subscriptions"},
    ]  # fmt: skip
    audit = audit_inventory(rows, mesh, checks=["region"])
    assert [(f.domain, f.reason) for f in audit.findings] == [("Sales", "outside-policy")]


def test_keys_in_hardware_are_proven_only_by_a_managed_hsm(tmp_path):
    mesh = a_mesh(tmp_path, POLICY + "  encryption: {customerManagedKeys: required, keyType: hsm}\n")
    for host, expected in (
        ("https://k.managedhsm.azure.net", []),
        ("https://k.vault.azure.net", [("customer-managed-key", "unknown", "key-type-unknown")]),
    ):
        encryption = {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {"keyvaulturi": host, "keyname": "cmk"}}
        account = storage(properties={"encryption": encryption}, sku={"name": "Premium_LRS", "tier": "Premium"})
        audit = audit_inventory([account], mesh, checks=["customer-managed-key"])
        assert found(audit)[:1] == expected


def test_an_inventory_without_a_resource_is_a_gap(tmp_path, mesh):
    path = tmp_path / "export.json"
    for content in ("[]", '{"count": 0, "data": [], "total_records": 0}'):
        path.write_text(content)
        audit = audit_inventory(path, mesh)
        assert not audit.complete
        assert audit.coverage.scopes[0].state == "failed"


def test_what_a_repeated_row_passes_is_counted_once_whether_it_is_shown_or_not(mesh):
    rows = [storage(location="eastus"), storage(location="westeurope")]
    counts = [audit_inventory(rows, mesh, checks=["region"], show_compliant=show).summary for show in (False, True)]
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("owner", "judged"),
    [
        (OWNER, False),
        (None, True),  # nobody is there to answer for it
        (
            {
                **OWNER,
                "type": "Microsoft.Nothing/here",
                "id": OWNER["id"].replace("Databricks/workspaces", "Nothing/here"),
            },
            True,
        ),
    ],
)
def test_a_managed_group_counts_for_its_owner_if_that_is_judged(tmp_path, owner, judged):
    mesh = a_mesh(tmp_path, POLICY + "  requiredTags: [Domain]\n  encryption: {customerManagedKeys: required}\n")
    owner_id = (owner or OWNER)["id"]
    rows = [storage(), group(managedBy=owner_id, tags={"Domain": "Sales"}), *([owner] if owner else [])]
    checks = ["customer-managed-key", "key-residency"]
    for inventory in (rows, rows[::-1]):
        audit = audit_inventory(inventory, mesh, checks=checks)
        assert any(f.resource_name == "st1" for f in audit.findings) is judged
        tags = audit_inventory(inventory, mesh, checks=["required-tags"])
        assert any(f.resource_name == "st1" for f in tags.findings) is (owner is None)


def test_tags(tmp_path):
    rules = "  requiredTags: [DataOwner, {name: Domain, allowedValues: [Sales]}]\n"
    mesh = a_mesh(tmp_path, POLICY + rules)
    audit = audit_inventory(
        [
            storage("a", tags={"dataowner": "x", "DOMAIN": "Sales"}),
            storage("b", tags={"DataOwner": " ", "Domain": "sales"}),
            storage("c", tags=None),
            {**storage("d"), "type": "Microsoft.Nothing/here"},
        ],
        mesh,
        checks=["required-tags"],
    )
    assert [(f.resource_name, f.subject, f.reason) for f in audit.findings] == [
        ("b", "DataOwner", "tag-not-allowed"),
        ("b", "Domain", "tag-not-allowed"),
        ("c", "DataOwner", "tag-missing"),
        ("c", "Domain", "tag-missing"),
        ("d", "DataOwner", "tag-support-unknown"),
        ("d", "Domain", "tag-support-unknown"),
    ]


def test_tags_are_inherited_only_where_the_policy_says_so(tmp_path):
    owner = group(tags={"DataOwner": "x"})
    for inherit, count in (("true", 0), ("false", 1)):
        mesh = a_mesh(tmp_path, POLICY + f"  requiredTags: [DataOwner]\n  inheritTags: {inherit}\n")
        assert len(found(audit_inventory([storage(), owner], mesh, checks=["required-tags"]))) == count


WAIVED = (
    POLICY
    + """
  waivers:
    - {resource: "%s", check: region, reason: being moved, owner: a@contoso.com, expires: 2026-11-24}
    - {pattern: "*/old", check: region, reason: was being moved, owner: a@contoso.com, expires: 2026-11-23}
    - {pattern: "*/nothing", check: region, reason: gone, owner: a@contoso.com, expires: 2099-01-01}
"""
)


def test_waivers(tmp_path, now):
    mesh = a_mesh(tmp_path, WAIVED % storage("moving")["id"].upper())
    audit = audit_inventory([storage("moving", "eastus"), storage("old", "eastus")], mesh, checks=["region"], now=now)
    assert [(f.resource_name, f.state) for f in audit.findings] == [("old", "non-compliant"), ("moving", "exempt")]
    assert [(w.state, w.findings) for w in audit.policy.waivers] == [
        ("in force", 1), ("expired", 0), ("matches nothing", 0),
    ]  # fmt: skip
    assert list(audit.findings)[1].waiver == {
        "reason": "being moved", "owner": "a@contoso.com", "expires": "2026-11-24",
    }  # fmt: skip


BAD_ROWS = {
    "a string": ("text", "a row must be an object, not a string"),
    "null": (None, "a row must be an object, not null"),
    "a list": ([], "a row must be an object, not a list"),
    "no id": ({"type": "a/b"}, "a row without an id"),
    "an id that is none": ({"id": 7, "type": "a/b"}, "a row without an id"),
    "no type": ({"id": "/x"}, "a resource without a type"),
    "a type that is none": ({"id": "/x", "type": []}, "a resource without a type"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_what_cannot_be_judged_is_a_gap(mesh, case):
    row, why = BAD_ROWS[case]
    audit = audit_inventory([row, storage()], mesh)
    assert [gap.why for gap in audit.coverage.gaps] == [why]
    assert not audit.complete
    (scope,) = audit.coverage.scopes
    assert (scope.state, scope.read, scope.expected) == ("partial", 1, 2)


def test_many_gaps_of_one_kind_are_counted(mesh):
    audit = audit_inventory([None] * 1000, mesh)
    assert len(audit.coverage.gaps) == 21
    assert audit.coverage.gaps[-1].what == "and 980 more"
    assert audit.coverage.scopes[0].state == "failed"


@pytest.mark.parametrize("properties", [None, [], "x", {"encryption": None}, {"encryption": "x"}])
def test_odd_properties_are_no_crash_and_no_pass(tmp_path, properties):
    mesh = a_mesh(tmp_path, POLICY + "  encryption: {customerManagedKeys: required}\n")
    audit = audit_inventory([storage(properties=properties)], mesh, checks=["customer-managed-key"])
    assert [f.state for f in audit.findings] != []


def test_a_repeated_row_counts_once(mesh):
    rows = [storage(location="eastus")] * 3 + [{**storage(location="eastus"), "id": storage()["id"].upper()}]
    audit = audit_inventory(rows, mesh, checks=["region"])
    assert len(found(audit)) == 1
    assert (audit.coverage.resources, audit.coverage.repeated) == (1, 3)
    assert audit.complete


def test_a_repeated_row_that_fails_is_found_whichever_comes_first(mesh):
    rows = [storage(location="westeurope"), storage(location="eastus")]
    for inventory in (rows, rows[::-1]):
        for show in (False, True):
            audit = audit_inventory(inventory, mesh, checks=["region"], show_compliant=show)
            assert found(audit) == [("region", "non-compliant", "outside-area")]


def test_a_key_held_elsewhere(tmp_path):
    mesh = a_mesh(tmp_path, POLICY + "  encryption: {customerManagedKeys: required}\n")
    uri = "https://Contoso-Keys.vault.azure.net"
    encryption = {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {"keyvaulturi": uri, "keyname": "cmk"}}
    account = storage(properties={"encryption": encryption})
    vault = {**VAULT, "id": f"{GROUP}/providers/Microsoft.KeyVault/vaults/contoso-keys"}
    for rows, expected in (
        ([account], [("key-residency", "unknown", "not-in-inventory")]),
        ([account, {**vault, "location": "northeurope"}], []),
        ([{**vault, "location": "eastus"}, account], [("key-residency", "non-compliant", "outside-area")]),
        ([account, {**vault, "location": "eastus"}], [("key-residency", "non-compliant", "outside-area")]),
    ):
        assert found(audit_inventory(rows, mesh, checks=["key-residency"])) == expected


def test_an_interrupted_audit_keeps_what_it_has(mesh):
    def rows():
        yield storage(location="eastus")
        raise KeyboardInterrupt

    audit = audit_inventory(rows(), mesh, checks=["region"])
    assert len(found(audit)) == 1
    assert not audit.complete
    assert audit.coverage.gaps[0].why == "interrupted"


def test_times_come_from_the_clock(mesh, now):
    audit = audit_inventory([storage()], mesh, now=now)
    assert audit.started_at == audit.finished_at == "2026-11-24T12:00:00Z"
    assert dt.datetime.fromisoformat(audit.started_at) == now()


def test_an_unknown_check_is_refused(mesh):
    with pytest.raises(ValueError, match="regoin"):
        audit_inventory([], mesh, checks=["regoin"])


values = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["westeurope", "global"])
tree = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
resources = st.fixed_dictionaries(
    {},
    optional={
        "id": values | st.just("/subscriptions/s/resourceGroups/g/providers/p/t/n"),
        "type": values | st.sampled_from(["Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"]),
        "location": tree,
        "tags": tree,
        "properties": tree,
        "sku": tree,
        "name": tree,
        "apiVersion": values,
        "managedBy": tree,
    },
)


@pytest.fixture(scope="module")
def strict(fixtures):
    return load_mesh(fixtures / "mesh" / "cases")


@given(st.lists(resources | tree, max_size=6))
def test_no_row_crashes_and_every_row_is_counted(strict, rows):
    audit = audit_inventory(rows, strict, show_compliant=True)
    (scope,) = audit.coverage.scopes
    assert scope.expected == len(rows)
    json.dumps(audit.to_dict())
    for finding in audit.findings:
        assert finding.check in AZURE_CHECKS
        assert finding.reason in REASONS or (finding.reason == "" and finding.state == "compliant")


def keyed(vault):
    encryption = {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {"keyvaulturi": vault, "keyname": "cmk"}}
    return storage(properties={"encryption": encryption})


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("https://keys.vault.azure.net", None),
        ("https://KEYS.vault.azure.net:443/", None),
        ("https://keys.vault.azure.net.evil.example", "unrecognised-value"),
        ("https://keys.vault.evil.example", "unrecognised-value"),
        ("https://evil/providers/microsoft.keyvault/vaults/keys", "unrecognised-value"),
        (VAULT["id"].upper(), None),
        (VAULT["id"].replace("sales-rg", "other-rg"), "not-in-inventory"),
    ],
)
def test_only_the_vault_itself_answers_for_a_key(mesh, reference, reason):
    rows = [keyed(reference), {**VAULT, "location": "westeurope"}]
    audit = audit_inventory(rows, mesh, checks=["key-residency"])
    assert [f.reason for f in audit.findings] == ([reason] if reason else [])


def test_rows_that_contradict_each_other_give_the_worst_in_any_order(tmp_path):
    mesh = a_mesh(tmp_path, POLICY + "  requiredTags: [DataOwner]\n")
    vaults = [{**VAULT, "location": "westeurope"}, {**VAULT, "location": "eastus"}]
    groups = [group(tags={"DataOwner": "x"}), group(managedBy=OWNER["id"], tags={"DataOwner": "x"}), OWNER]
    places = [storage("twice", "atlantis"), storage("twice", "eastus")]
    rows = [keyed("https://keys.vault.azure.net"), *vaults, *groups, *places]
    results = []
    for inventory in (rows, rows[::-1], [*rows[3:], *rows[:3]]):
        audit = audit_inventory(inventory, mesh)
        results.append({(f.resource_name, f.check, f.subject, f.reason) for f in audit.findings})
        assert ("st1", "key-residency", "keys", "outside-area") in results[-1]
        assert ("twice", "region", "", "outside-area") in results[-1]
        assert ("twice", "region", "", "unknown-location") not in results[-1]
        assert ("st1", "required-tags", "DataOwner", "tag-missing") in results[-1]
    assert results[0] == results[1] == results[2]


def test_an_id_that_names_a_type_with_facts_is_a_gap_where_the_type_has_none(mesh):
    audit = audit_inventory([{**storage(), "type": "Microsoft.Nothing/here"}], mesh)
    assert [gap.why for gap in audit.coverage.gaps] == ["its id names another type, of which more is known"]
    assert audit_inventory([{**storage(), "type": " microsoft.Storage/storageAccounts "}], mesh).complete


@pytest.mark.parametrize("location", ["we\ufb06europe", "west\u200beurope", "westeurope\x00", "West-Europe!!"])
def test_a_look_alike_of_a_region_is_none(mesh, location):
    audit = audit_inventory([storage(location=location)], mesh, checks=["region"])
    assert [f.reason for f in audit.findings] == ["unknown-location"]


def test_odd_values_of_a_library_s_rows_are_gaps_or_words(mesh):
    deep = "x"
    for _ in range(2000):
        deep = [deep]
    rows = [
        storage(name="a", location=deep, tags={1: "x"}, properties={"publicNetworkAccess": deep}),
        types.MappingProxyType({}), (), {1}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    ]  # fmt: skip
    audit = audit_inventory(rows, mesh)
    assert [gap.why for gap in audit.coverage.gaps] == [
        f"a row must be an object, not a {name}" for name in ("mappingproxy", "tuple", "set", "datetime")
    ]
    assert list(audit_inventory([], mesh).to_pandas().columns)


CONTRADICTIONS = {
    "vault": [
        keyed("https://keys.vault.azure.net"),
        {**VAULT, "location": "westeurope"},
        {**VAULT, "location": "eastus"},
    ],
    "group": [storage(), group(tags={"Domain": "A"}), group(tags={"Domain": "B"})],
    "type": [storage(), {**storage(), "type": "Microsoft.Nothing/here"}, group()],
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_rows_that_contradict_each_other_make_a_run_incomplete_in_any_order(mesh, case):
    for rows in itertools.permutations(CONTRADICTIONS[case]):
        assert not audit_inventory(rows, mesh).complete


@pytest.mark.parametrize("host", ["vault.azure.cn", "vault.usgovcloudapi.net"])
def test_a_vault_of_another_cloud_is_another_vault(mesh, host):
    rows = [keyed(f"https://keys.{host}"), {**VAULT, "location": "westeurope"}]
    audit = audit_inventory(rows, mesh, checks=["key-residency"])
    assert [f.reason for f in audit.findings] == ["not-in-inventory"]


def test_nobody_answers_for_the_group_that_it_is_in(tmp_path):
    mesh = a_mesh(tmp_path, POLICY + "  requiredTags: [DataOwner]\n")
    owner = f"{GROUP}/providers/Microsoft.Databricks/workspaces/w"
    rows = [storage(), group(managedBy=owner, tags={"DataOwner": "x"}), {**OWNER, "id": owner}]
    for inventory in itertools.permutations(rows):
        audit = audit_inventory(inventory, mesh, checks=["required-tags"])
        assert {f.resource_name for f in audit.findings} == {"st1", "w"}


def test_owners_of_each_other_s_groups_excuse_nobody_in_any_order(tmp_path):
    mesh = a_mesh(tmp_path, POLICY + "  requiredTags: [DataOwner]\n")
    other = f"{SUBSCRIPTION}/resourceGroups/other-rg"
    one, two = (f"{box}/providers/Microsoft.Databricks/workspaces/w" for box in (GROUP, other))
    rows = [
        group(managedBy=two, tags={"DataOwner": "x"}), {**group(managedBy=one, tags={"DataOwner": "x"}), "id": other},
        {**OWNER, "id": one, "name": "one"}, {**OWNER, "id": two, "name": "two"}, storage(),
    ]  # fmt: skip
    for inventory in itertools.permutations(rows):
        audit = audit_inventory(inventory, mesh, checks=["required-tags"])
        assert {f.resource_name for f in audit.findings} == {"one", "two", "st1"}


def test_what_does_not_apply_says_why(mesh):
    audit = audit_inventory([{**storage(), "type": "microsoft.network/virtualnetworks"}], mesh, show_compliant=True)
    shown = {f.check: f.actual for f in audit.findings if f.state == "not-applicable"}
    assert shown["replica-region"].endswith(".")


@pytest.mark.parametrize("version", [20240101, True, {"x": 1}, 0, False, []])
def test_a_key_s_version_that_is_no_text_is_no_crash_and_no_pass(mesh, version):
    properties = {
        "encryption": {
            "keySource": "Microsoft.Keyvault",
            "keyvaultproperties": {"keyvaulturi": "https://v.vault.azure.net/", "keyname": "k", "keyversion": version},
        }
    }
    audit = audit_inventory([storage(properties=properties)], mesh, checks=["key-residency"], show_compliant=True)
    followed = [finding.state for finding in audit.findings if finding.subject.endswith("version")]
    assert followed
    assert "compliant" not in followed


def test_groups_that_are_managed_in_many_layers_end(mesh):
    base = "/subscriptions/s/resourceGroups/g{}"
    rows = []
    for number in range(300):
        owner = f"{base.format(number + 1)}/providers/Microsoft.Databricks/workspaces/w{number + 1}"
        managed = {"managedBy": owner} if number < 299 else {}
        rows.append(group(id=base.format(number), name=f"g{number}", **managed))
        identity = f"{base.format(number)}/providers/Microsoft.Databricks/workspaces/w{number}"
        rows.append({"id": identity, "name": f"w{number}", "type": "Microsoft.Databricks/workspaces"})
    audit_inventory(rows[:2], mesh)  # all that is loaded once has been
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 200)
    try:
        assert audit_inventory(rows, mesh).coverage.resources == 600
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    ("row", "hides"),
    [
        ({"properties": {"encryption": {"keySource": "Microsoft.Storage"}}}, False),
        ({"properties": {"encryption": {"keySource": "Microsoft.Keyvault"}}}, True),
        ({"properties": {"encryption": {"keySource": "Teleport"}}}, True),
        ({}, True),
        ({"properties": {"encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {
            "keyvaulturi": "https://keys.vault.azure.net", "keyname": "k"}}}}, False),
        ({"properties": {"encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": {
            "keyvaulturi": "https://keys.example.com", "keyname": "k"}}}}, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("all_ask", [True, False])
def test_it_is_known_whether_a_vault_is_hidden_whoever_asks(tmp_path, row, hides, all_ask):
    wish = "dataResidency: {region: EU, allowedRegions: [westeurope]}" if all_ask else "requiredTags: [Owner]"
    (tmp_path / "policy.yaml").write_text(f"governancePolicies:\n  {wish}\n")
    (tmp_path / "sales.yaml").write_text("domain: {name: Sales, owner: a@b.c}\n")
    product = "{name: orders, domain: Sales, owner: a@b.c, dataResidency: {storageLocations: [westeurope]}}"
    (tmp_path / "product.yaml").write_text(f"dataProduct: {product}\n")
    run = engine.Run(load_mesh(tmp_path), ["key-residency", "required-tags"], None, show_compliant=False)
    account = {**storage(), **row} if row else {key: value for key, value in storage().items() if key != "properties"}
    run.read([VAULT, account])
    assert run._index.hides is hides


@pytest.mark.parametrize("protected", list(itertools.product([True, False], repeat=2)))
@pytest.mark.parametrize("show", [True, False])
def test_a_vault_that_comes_twice_counts_once(tmp_path, protected, show):
    mesh = a_mesh(tmp_path, POLICY)
    keys = {"microsoft.keyvault/vaults/keys": {"items": [], "failed": "", "at": ""}}
    rows = [
        {**VAULT, "children": keys, "properties": {"enablePurgeProtection": True} if one else {}} for one in protected
    ]
    around = [{"id": SUBSCRIPTION, "name": "s", "type": "microsoft.resources/subscriptions"}, group()]
    audit = audit_inventory([*around, *rows], mesh, checks=["key-residency"], show_compliant=show)
    assert audit.complete
    assert sum(audit.summary["key-residency"].values()) == 3
