"""The sample estate and its copies in the package: what they hold, that they agree, and that anybody can build them."""

import gzip
import json
from collections import Counter

import pytest
from estates.building import (
    ASSETS,
    BUILD,
    CATALOG_TRUTH,
    CHILDREN,
    DEPTH_TRUTH,
    PACKAGED,
    POLICY,
    POLICY_TRUTH,
    ROOT,
    SAMPLE,
    TRUTH,
)

from sovereignmesh.mesh import load_mesh, validate

SUBSCRIPTION, GROUP = BUILD.CONTAINERS
MESH = ROOT / "fixtures" / "mesh" / "contoso"
ESTATES = ("contoso", "contoso-partial")


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def children():
    return [json.loads(line) for line in CHILDREN.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(params=ESTATES)
def packaged(request):
    return PACKAGED / request.param


@pytest.fixture
def estate(packaged):
    return json.loads((packaged / "estate.json").read_text(encoding="utf-8"))


def contents(folder, what="*.*"):
    """What files hold, by path. Of gzip the content alone: how it is packed is the library's choice."""
    return {
        path.relative_to(folder).as_posix(): gzip.decompress(path.read_bytes())
        if path.suffix == ".gz"
        else path.read_bytes()
        for path in folder.rglob(what)
        if path.is_file()
    }


def test_it_is_large_and_varied(rows):
    resources = [row for row in rows if row["type"] not in BUILD.CONTAINERS]
    assert len(resources) >= 620
    assert len({row["type"] for row in resources}) >= 60
    assert len([row for row in rows if row["type"] == SUBSCRIPTION]) == 6
    assert len({row["resourceGroup"] for row in resources}) >= 40
    endpoints = [row for row in resources if row["type"] == "microsoft.network/privateendpoints"]
    assert len(endpoints) < len(resources) / 3  # they follow from other resources
    assert sum(len(json.dumps(row)) for row in resources) / len(resources) >= 1200


def test_every_id_is_there_once(rows):
    assert [own for own, count in Counter(row["id"].lower() for row in rows).items() if count > 1] == []


def test_every_row_stands_where_it_says(rows):
    subscriptions = {row["subscriptionId"] for row in rows if row["type"] == SUBSCRIPTION}
    groups = {row["id"].lower() for row in rows if row["type"] == GROUP}
    for row in rows:
        assert row["subscriptionId"] in subscriptions
        assert row["id"].startswith(f"/subscriptions/{row['subscriptionId']}")
        assert row["type"] == row["type"].lower()
        if row["type"] not in BUILD.CONTAINERS:
            group, _, resource = row["id"].lower().partition("/providers/")
            assert group in groups
            assert group.endswith(f"/{row['resourceGroup']}")
            provider, *parts = resource.split("/")
            assert "/".join([provider, *parts[::2]]) == row["type"]
            assert parts[-1] == row["name"].lower()


def test_machines_stand_on_what_is_there(rows):
    ids = {row["id"].lower() for row in rows}
    machines = [row["properties"] for row in rows if row["type"] == "microsoft.compute/virtualmachines"]
    assert len(machines) >= 15
    for machine in machines:
        assert machine["storageProfile"]["osDisk"]["managedDisk"]["id"].lower() in ids
        assert all(own["id"].lower() in ids for own in machine["networkProfile"]["networkInterfaces"])


def test_every_child_stands_below_what_is_there(rows, children):
    ids = {row["id"].lower() for row in rows}
    scopes = {row["id"].lower() for row in rows if row["type"] in BUILD.CONTAINERS}
    assert len({child["id"].lower() for child in children} - ids) == len(children)
    for child in children:
        scope, _, own = child["id"].lower().partition("/providers/")
        assert scope in scopes
        assert child["name"] == child["id"].rsplit("/", 1)[-1]
        if "/locations/" in own or own.startswith("microsoft.insights/"):
            continue  # of a subscription or a group itself
        parts = child["id"].lower().split("/")
        assert any("/".join(parts[:length]) in ids for length in range(9, len(parts))), child["id"]


def test_the_children_are_many_and_varied(children):
    kinds = Counter(child["type"].lower() for child in children)
    assert len(kinds) >= 40
    assert kinds["microsoft.insights/diagnosticsettings"] >= 250
    assert kinds["microsoft.keyvault/vaults/keys"] >= 70


def test_logs_go_to_what_is_there(rows, children):
    ids = {row["id"].lower() for row in rows}
    settings = [child["properties"] for child in children if child["type"] == "Microsoft.Insights/diagnosticSettings"]
    assert all(setting["workspaceId"] is None or setting["workspaceId"].lower() in ids for setting in settings)


def test_policies_are_of_what_is_there(rows):
    policy = [json.loads(line) for line in POLICY.read_text(encoding="utf-8").splitlines()]
    of_kind = {kind: [row for row in policy if row["type"].endswith(kind)] for kind in ("states", "exemptions")}
    assert len({row["id"].lower() for row in policy}) == len(policy)
    ids = {row["id"].lower() for row in rows} | {"/providers/microsoft.management/managementgroups/mg-contoso"}
    assigned = {row["id"].lower() for row in policy if row["type"].endswith("policyassignments")}
    gone = {
        said["resource_id"].lower() for said in json.loads(POLICY_TRUTH.read_text()) if said["outcome"] == "not-judged"
    }
    assert len(gone) == 1
    for row in policy:
        assert row["id"].lower().rsplit("/providers/", 1)[0] in ids | gone
        assert (row["subscriptionId"] or "managementGroups") in row["id"]
    for row in (row["properties"] for kind in of_kind.values() for row in kind):
        assert row["policyAssignmentId"].lower() in assigned
    assert len(of_kind["states"]) == 8
    assert {row["properties"]["resourceId"] for row in of_kind["states"]} >= gone


def test_nobody_changes_what_another_planting_changes():
    told = Counter(planting.name for planting in BUILD.PLANTINGS)
    assert [name for name, count in told.items() if count > 1] == []
    assert BUILD.build_estate()  # which refuses


def test_the_depths_differ_by_what_children_tell():
    inventory, full = (json.loads(path.read_text()) for path in (TRUTH, DEPTH_TRUTH))
    assert {finding["reason"] for finding in full}.isdisjoint({"needs-child-read"})
    only_full = [finding for finding in full if finding not in inventory]
    assert {finding["check"] for finding in inventory}.isdisjoint({"log-region", "processing-region"})
    assert {finding["check"] for finding in only_full} >= {"log-region", "processing-region", "replica-region"}
    assert {finding["reason"] for finding in only_full} >= {
        "processed-anywhere", "processed-in-zone", "processed-in-geography",
        "auto-resolve", "third-party-destination", "not-encrypted",
        "key-disabled", "key-expired", "outside-area", "outside-policy", "platform-key", "not-in-inventory",
    }  # fmt: skip
    for findings in (inventory, full):
        keys = [(finding["check"], finding["resource_id"].lower(), finding["subject"]) for finding in findings]
        assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("planting", BUILD.PLANTINGS, ids=lambda planting: planting.name)
def test_a_planting_taken_back_takes_its_findings_with_it(planting):
    for depth in BUILD.DEPTHS:
        whole, without = BUILD.truth(depth=depth), BUILD.truth(without=[planting.name], depth=depth)
        assert len(whole) - len(without) == len(planting.findings(depth))
        assert all(finding in whole for finding in without)
    assert any(planting.findings(depth) for depth in BUILD.DEPTHS)


def test_the_base_has_nothing_but_what_is_not_read():
    assert BUILD.base_truth("full") == []
    assert {finding["reason"] for finding in BUILD.base_truth()} == {"needs-child-read"}
    assert all(finding in BUILD.truth() for finding in BUILD.base_truth())


def test_the_management_groups_are_those_of_the_rows(rows, estate):
    groups = {group["name"]: group for group in estate["management_groups"]}
    assert len(groups) >= 3
    assert [name for name, group in groups.items() if group["parent"] is None] == [estate["tenant"]["id"]]
    chains = {}
    for subscription, entry in estate["subscriptions"].items():
        name, chain = entry["parent"], []
        while name:
            chain.append({"name": name, "displayName": groups[name]["displayName"]})
            name = groups[name]["parent"]
        chains[subscription] = chain
    assert chains == {
        row["subscriptionId"]: row["properties"]["managementGroupAncestorsChain"]
        for row in rows
        if row["type"] == SUBSCRIPTION
    }
    assert {row["tenantId"] for row in rows} == {estate["tenant"]["id"]}


def test_roles_are_of_scopes_that_exist(rows, estate):
    scopes = {row["id"] for row in rows if row["type"] in BUILD.CONTAINERS}
    scopes |= {
        f"/providers/Microsoft.Management/managementGroups/{group['name']}" for group in estate["management_groups"]
    }
    assert estate["roles"]
    for role in estate["roles"]:
        assert role["scope"] in scopes
        assert role["role"] in {"Reader", *estate["role_definitions"]}


def test_the_holes_are_what_the_roles_leave_open():
    partial = json.loads((PACKAGED / "contoso-partial" / "estate.json").read_text())
    truth = json.loads((ROOT / "tests" / "estates" / "contoso-partial.truth.json").read_text())
    wholly = {role["scope"] for role in partial["roles"] if role["role"] == "Reader"}
    read = {own for own in partial["subscriptions"] if f"/subscriptions/{own}" in wholly}
    assert {hole["subscription"] for hole in truth["holes"]} == set(partial["subscriptions"]) - read
    for hole in truth["holes"]:
        scope = f"/subscriptions/{hole['subscription']}"
        roles = [(role["scope"] == scope, role["role"]) for role in partial["roles"] if role["scope"].startswith(scope)]
        assert (
            roles
            == {
                "missing": [],
                "group-only": [(False, "Reader")],
                "denied": [(True, "Subscription Lister")],
            }[hole["why"]]
        )


@pytest.mark.parametrize(("key", "source"), [("resources", SAMPLE), ("children", CHILDREN), ("policy", POLICY)])
def test_the_packaged_rows_are_the_sample(packaged, estate, key, source):
    packed = (packaged / estate[key]).resolve()
    assert packed.is_relative_to(PACKAGED)
    assert gzip.decompress(packed.read_bytes()) == source.read_bytes()


def test_the_packaged_assets_are_the_sample():
    described = json.loads((PACKAGED / "contoso" / "estate.json").read_text())["purview"]["pview-customer-prod"]
    assert gzip.decompress((PACKAGED / "contoso" / described["assets"]).read_bytes()) == ASSETS.read_bytes()
    objects = json.loads((PACKAGED / "contoso" / described["objects"]).read_text())
    collections = {
        own["path"].rpartition("/")[2]: own["body"]["parentCollection"]["referenceName"]
        for own in objects
        if "parentCollection" in own["body"]
    }
    root = "pview-customer-prod"
    assert collections == {"sales": root, "customer": root, "consent": "customer", "finance": root}
    assets = [json.loads(line) for line in ASSETS.read_text(encoding="utf-8").splitlines()]
    assert {asset["collectionId"] for asset in assets} == set(collections)


def test_the_base_of_the_catalog_has_nothing():
    names = [planting.name for planting in BUILD.ASSET_PLANTINGS]
    told = BUILD.catalog_truth(without=names)
    assert (told["findings"], told["only_seem"]) == ([], [])
    for asset in BUILD.build_assets(without=names):
        attributes = asset["attributes"]
        assert "index" not in asset
        assert asset["contacts"]["Owner"]
        assert attributes.get("description") or attributes.get("userDescription")
        can = asset["typeName"] in told["labels"]["can"] and attributes.get("isFile") is not False
        assert ("classifications" in asset) is can


@pytest.mark.parametrize("planting", BUILD.ASSET_PLANTINGS, ids=lambda planting: planting.name)
def test_a_planting_of_the_catalog_taken_back_takes_its_truth_with_it(planting):
    whole, without = BUILD.catalog_truth(), BUILD.catalog_truth(without=[planting.name])
    for key, there in (("findings", planting.missing or planting.conflict), ("only_seem", planting.seems)):
        assert len(whole[key]) - len(without[key]) == bool(there)
        assert all(one in whole[key] for one in without[key])
    pairs = zip(BUILD.build_assets(), BUILD.build_assets(without=[planting.name]), strict=True)
    assert [one["attributes"]["qualifiedName"] for one, other in pairs if one != other] == [planting.name]


def test_what_the_catalog_lacks_belongs_to_products():
    told = json.loads(CATALOG_TRUTH.read_text())
    assert {one["product"] for one in told["findings"]} == {product.name for product in load_mesh(MESH).products}
    assert [one["product"] for one in told["findings"] if one["conflicts"]] == ["Finance Ledger", "Sales Analytics"]
    assert {what for one in told["findings"] for what in one["missing"]} == {"description", "owner", "label"}
    assert {what for one in told["only_seem"] for what in one["lacks"]} == {"description", "owner", "label"}


def test_the_packaged_mesh_is_the_sample_s():
    assert contents(PACKAGED / "contoso" / "mesh") == contents(MESH)


def test_the_partial_mesh_names_every_subscription(rows):
    folder = PACKAGED / "contoso-partial" / "mesh"
    assert validate(folder) == []
    own, mesh = load_mesh(folder), load_mesh(MESH)
    assert own.products == mesh.products
    assert own.domains == mesh.domains
    listed = [(domain.name, subscription) for domain in own.domain_documents for subscription in domain.subscriptions]
    assert sorted(listed) == sorted(
        (row["tags"]["Domain"], row["subscriptionId"]) for row in rows if row["type"] == SUBSCRIPTION
    )


def test_two_builds_are_the_same(tmp_path, capsys):
    for name in ("one", "other"):
        BUILD.main(tmp_path / name)
    one, other = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "other")
    )
    assert one == other
    assert len(one) == len(BUILD.render())


def test_the_build_gives_what_is_here(tmp_path, capsys):
    BUILD.main(tmp_path)
    for folder, what in ((SAMPLE.parent, "*.jsonl"), (TRUTH.parent, "*.json"), (PACKAGED, "*.*")):
        built = tmp_path / folder.relative_to(ROOT)
        assert contents(folder, what) == contents(built, what), "run python fixtures/estates/build.py"


def test_a_build_takes_away_what_has_no_source(tmp_path, capsys):
    stale = tmp_path / PACKAGED.relative_to(ROOT) / "contoso" / "mesh" / "old.yaml"
    stale.parent.mkdir(parents=True)
    stale.touch()
    BUILD.main(tmp_path)
    assert not stale.exists()


def test_the_archive_says_nothing_of_the_machine():
    for name in ("resources", "children", "policy", "assets"):
        header = (PACKAGED / "contoso" / f"{name}.jsonl.gz").read_bytes()[:10]
        assert header == b"\x1f\x8b\x08" + bytes(5) + b"\x02\xff"  # no name, no time, best compression, no system
