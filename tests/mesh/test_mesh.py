import shutil
from datetime import date

import pytest

from sovereignmesh.facts import area_regions
from sovereignmesh.mesh import TagRule, load_mesh, validate

EU = area_regions("EU")
BOTH = frozenset({"westeurope", "northeurope"})
WEST = frozenset({"westeurope"})
PRODUCT = "---\ndataProduct: {{name: {}, domain: {}, owner: me, dataResidency: {{{}}}}}\n"


@pytest.fixture
def contoso(fixtures):
    return load_mesh(fixtures / "mesh/contoso")


def mesh_of(tmp_path, text, name="mesh.yaml"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return load_mesh(file)


def test_policies_of_contoso(contoso):
    sales = contoso.policy_for("Sales")
    assert (sales.domain, sales.products, sales.key, sales.personal) == (
        "Sales",
        ("Sales Analytics",),
        "required",
        False,
    )
    assert sales.residency.allowed == WEST
    assert sales.residency.replicas == BOTH
    assert (sales.residency.area, sales.residency.area_name) == (EU, "EU")
    assert sales.public_access_denied
    assert sales.private_endpoint_required
    customer = contoso.policy_for("Customer")
    assert customer.personal
    assert customer.residency.allowed == customer.residency.replicas == BOTH
    assert contoso.domains == ("Sales", "Customer", "Finance")


def test_the_same_arguments_give_the_same_object(contoso):
    assert contoso.policy_for("SALES") is contoso.policy_for("sales")
    assert contoso.policy_for("Sales", "sales analytics") is contoso.policy_for("Sales", "Sales Analytics")
    assert contoso.policy_for("Sales", "nonsense") is contoso.policy_for("Sales")
    assert contoso.policy_for("Nobody") is contoso.policy_for(None) is contoso.policy_for("", "Customer 360")
    assert contoso.policy_for(None).domain is None


def test_spellings_do_not_grow_without_end(contoso):
    for number in range(10_100):
        contoso.policy_for("Sales", f"p{number}")
    assert len(contoso._spellings) <= 10_000
    assert contoso.policy_for("Sales", "p10099") is contoso.policy_for("Sales")


def test_domains_by_name(contoso):
    assert contoso.domain_named(" sales ") == "Sales"
    assert contoso.domain_named("sale") is None


def test_subscriptions(tmp_path):
    mesh = mesh_of(tmp_path, "governancePolicies: {}\n---\ndomain: {name: Sales, subscriptions: [Data-Prod, 00-aa]}\n")
    assert mesh.domain_of_subscription("data-prod") == mesh.domain_of_subscription("00-AA") == "Sales"
    assert mesh.domain_of_subscription("other") is None
    assert mesh.asked == frozenset()
    assert mesh.policy_for("sales").domain == "Sales"


def test_waivers(contoso):
    legacy = contoso.waivers[0]
    resource = legacy.resource
    last = date(2099, 12, 31)
    assert contoso.waiver_for("customer-managed-key", resource.upper(), last) is legacy
    assert contoso.waiver_for("customer-managed-key", resource, date(2100, 1, 1)) is None
    assert contoso.waiver_for("region", resource, last) is None
    assert contoso.waiver_for("customer-managed-key", resource + "/blobServices/x", last) is None
    customer = "/subscriptions/1/resourcegroups/Customer-RG/providers/Microsoft.Sql/servers/s"
    assert contoso.waiver_for("private-endpoint", customer, date(2024, 6, 30)) is contoso.waivers[1]
    assert contoso.waiver_for("private-endpoint", customer, date(2024, 7, 1)) is None


def test_expired_is_said_by_the_day_that_is_given(fixtures):
    path = fixtures / "mesh/contoso"
    assert validate(path, today=date(2024, 6, 30)) == []
    (problem,) = validate(path, today=date(2024, 7, 1))
    assert problem.severity == "warning"
    assert problem.path == "$.governancePolicies.waivers[1].expires"


@pytest.mark.parametrize(
    ("policy", "product", "allowed", "area", "name"),
    [
        ("allowedRegions: [westeurope]", "", WEST, EU, "EU"),
        ("allowedRegions: [westeurope, norwayeast]", "", {"westeurope", "norwayeast"}, area_regions("EUDB"), "EUDB"),
        ("allowedRegions: [westeurope, uksouth]", "", {"westeurope", "uksouth"}, {"westeurope", "uksouth"},
         "allowed regions"),
        ("region: eu", "", EU, EU, "EU"),
        ("region: EU", "storageLocations: [westeurope]", WEST, EU, "EU"),
        ("region: EU", "region: Ireland", {"northeurope"}, {"northeurope"}, "Ireland"),
        ("allowedRegions: [westeurope, eastus]", "region: EU", WEST, EU, "EU"),
        ("", "region: EU, storageLocations: [West Europe]", WEST, EU, "EU"),
        ("", "storageLocations: [westeurope]", WEST, EU, "EU"),
    ],
)  # fmt: skip
def test_area(policy, product, allowed, area, name, tmp_path):  # noqa: PLR0917 - one row of the table
    text = f"governancePolicies: {{dataResidency: {{{policy}}}}}\n" + PRODUCT.format("P", "D", product)
    residency = mesh_of(tmp_path, text).policy_for("d", "p").residency
    assert (residency.allowed, residency.area, residency.area_name) == (allowed, area, name)
    assert residency.allowed <= residency.replicas <= residency.area


def test_several_products_of_a_domain(tmp_path):
    text = (
        "governancePolicies: {encryption: {customerManagedKeys: recommended, keyType: hsm}, implicitReplicas: deny}\n"
    )
    text += PRODUCT.format("A", "D", "region: Ireland") + PRODUCT.format(
        "B", "d", "region: Sweden, piiHandling: Encrypted-CMK"
    )
    text += PRODUCT.format("C", "E", "piiHandling: None")
    mesh = mesh_of(tmp_path, text)
    both, exact = mesh.policy_for("D"), mesh.policy_for("D", "A")
    assert both.products == ("A", "B")
    assert both.residency.area_name == "Ireland or Sweden"
    assert both.residency.allowed == area_regions("Ireland") | area_regions("Sweden")
    assert both.residency.implicit == "deny"
    assert (both.key, both.personal, both.hsm) == ("required", True, True)
    assert (exact.key, exact.personal) == ("recommended", False)
    assert exact.residency.allowed == {"northeurope"}
    assert mesh.policy_for("E").residency is None
    assert not mesh.policy_for("E").personal
    assert mesh.domains == ("D", "E")


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ("requiredTags: [A]", {"required-tags"}),
        ("network: {publicAccess: denied}", {"public-access"}),
        ("network: {privateEndpoints: required}", {"private-endpoint"}),
        ("encryption: {customerManagedKeys: recommended}", {"customer-managed-key"}),
        (
            "dataResidency: {region: EU}",
            {"region", "replica-region", "backup-region", "processing-region", "log-region", "key-residency"},
        ),
        ("dataResidency: {}", set()),
        ("severity: {region: low}", set()),
    ],
)
def test_asked(policy, asked, tmp_path):
    assert mesh_of(tmp_path, f"governancePolicies: {{{policy}}}").asked == asked


def test_digest_is_of_the_content(fixtures, tmp_path):
    shutil.copytree(fixtures / "mesh/seed", tmp_path / "mesh")
    before = load_mesh(tmp_path / "mesh").digest
    assert before.startswith("sha256:")
    (tmp_path / "mesh/sales.yaml").rename(tmp_path / "mesh/a.yml")
    policy = tmp_path / "mesh/policy.yaml"
    text = policy.read_text(encoding="utf-8").replace('"westeurope"', "West Europe # moved")
    policy.write_text(text + "  inheritTags: false\n", encoding="utf-8")
    assert load_mesh(tmp_path / "mesh").digest == before
    policy.write_text(text + "  inheritTags: true\n", encoding="utf-8")
    assert load_mesh(tmp_path / "mesh").digest != before


def test_severity_and_inherited_tags(tmp_path):
    mesh = mesh_of(tmp_path, "governancePolicies: {severity: {required-tags: high}, inheritTags: true}")
    assert mesh.severity == {"required-tags": "high"}
    assert mesh.inherits_tags
    with pytest.raises(TypeError):
        mesh.severity["region"] = "low"
    with pytest.raises(AttributeError):
        mesh.digest = ""


def test_tag_rules(contoso):
    domain, owner, classification, region = contoso.policy_for(None).tags
    assert domain.accepts("Sales")
    assert not domain.accepts("sales")
    assert owner.accepts("a@b")
    assert not owner.accepts("mail a@b now")
    assert region.accepts("EU")
    assert not region.accepts(" ")
    assert [rule.wanted.split(":")[0] for rule in (domain, owner, classification, region)] == [
        "Domain", "DataOwner", "Classification", "Region",
    ]  # fmt: skip
    assert "Public" in classification.wanted
    assert TagRule("A").wanted == "A"


def test_a_pattern_that_may_never_end_is_a_warning(tmp_path):
    path = tmp_path / "policy.yaml"
    for pattern, count in (
        ("([a-z]+)+@x", 1),
        ("(a|b*)*", 1),
        (r"[^@\s]+@[^@\s]+", 0),
        (r"(\d{3}-)+x", 0),
        ("(ab)+c*", 0),
    ):
        path.write_text(f"governancePolicies: {{requiredTags: [{{name: Owner, pattern: '{pattern}'}}]}}")
        assert len(validate(path)) == count, pattern


def test_a_linked_folder_that_is_hidden_is_refused(tmp_path):
    (tmp_path / ".real").mkdir()
    (tmp_path / "policy.yaml").write_text("governancePolicies: {}")
    (tmp_path / "products").symlink_to(tmp_path / ".real")
    assert any("hidden" in problem.message for problem in validate(tmp_path))


def test_a_directory_knows_people_by_name_and_by_domain(tmp_path):
    one, two = "00000000-0000-0000-0000-0000000000aa", "00000000-0000-0000-0000-0000000000BB"
    (tmp_path / "mesh.yaml").write_text(
        "governancePolicies: {dataResidency: {allowedRegions: [westeurope]}}\n---\n"
        f"directory: {{data-steward@Sales: {one}, Ana@contoso.com: {two}}}\n---\n"
        f"directory: {{owner@domain: {one}}}\n"
    )
    mesh = load_mesh(tmp_path)
    assert mesh.object_id_of("data-steward@domain", "SALES") == one
    assert mesh.object_id_of("data-steward@domain", "Customer") is None
    assert mesh.object_id_of("owner@domain", "Customer") == one  # as it is written, for whichever domain
    assert mesh.object_id_of("ana@CONTOSO.com") == two.lower()
    assert mesh.object_id_of(two) == two.lower()
    assert mesh.object_id_of("nobody") is None
    assert mesh.name_of(one.upper()) == "data-steward@Sales"
    stranger = "00000000-0000-0000-0000-0000000000cc"
    assert mesh.name_of(stranger) == stranger
