"""The client of the Unified Catalog: where it asks, what it sends, and what it makes of refusals."""

import contextlib
import dataclasses
import itertools
import uuid

import pytest
from clock import open_still

from sovereignmesh.azure import CLOUDS, connect
from sovereignmesh.azure.clouds import find_cloud
from sovereignmesh.azure.purview.account import PurviewAccount
from sovereignmesh.azure.purview.unified import connect_unified
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    ClosedNetworkError,
    DeniedError,
    NotFoundError,
    RejectedError,
    UnreachableError,
)

TENANT, OTHER = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb", "cccccccc-cccc-cccc-cccc-cccccccccccc"


def account(subscription, name):
    identity = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Purview/accounts/{name}"
    return PurviewAccount(identity, name, "westeurope", "", "")


ACCOUNT = SEED = account("77777777-7777-7777-7777-777777777777", "sovereign-purview")
CONTOSO = account("33333333-3333-3333-3333-333333333333", "pview-customer-prod")
ROOT = "https://api.purview-service.microsoft.com/datagovernance/catalog"
DOMAINS, PRODUCTS = f"{ROOT}/businessdomains", f"{ROOT}/dataProducts"


def domains_of(azure, account):
    return list(connect_unified(azure, account).domains.list())


@pytest.fixture
def open_seed(clock):
    with contextlib.ExitStack() as opened:
        yield lambda estate="seed-unified", **options: opened.enter_context(open_still(estate, clock=clock, **options))


@pytest.fixture
def managed(service):
    """Azure Resource Manager, which says whose subscription the account is in."""
    service.says(f"/subscriptions/{ACCOUNT.id.split('/')[2]}", {"tenantId": TENANT, "managedByTenants": []})
    return service


@pytest.fixture
def catalog(open_seed):
    return connect_unified(open_seed(), SEED)


def domain(name, **more):
    lists = {"thumbnail": {}, "domains": [], "managedAttributes": []}
    return {"id": str(uuid.uuid4()), "name": name, "type": "DataDomain", "status": "DRAFT", **lists, **more}


def product(name, of, **more):
    return {"id": str(uuid.uuid4()), "name": name, "domain": of, "type": "Analytical", "status": "DRAFT", **more}


def test_objects_are_made_read_changed_and_removed(catalog):
    made = catalog.domains.create(domain("Sales")).body
    of_it = catalog.products.create(product("Orders", made["id"])).body
    assert catalog.domains.get(made["id"]).body == made
    changed = catalog.products.update(of_it["id"], {**of_it, "businessUse": "Reports."}).body
    assert changed["businessUse"] == "Reports."
    assert [each.text("name") for each in catalog.products.list(domainId=made["id"])] == ["Orders"]
    for _ in range(2):  # what is gone is removed already
        catalog.products.delete(of_it["id"])
    assert list(catalog.products.list()) == []


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_the_size_of_pages_changes_nothing(open_seed, size):
    catalog = connect_unified(open_seed(page_size=size), SEED)
    made = [catalog.domains.create(domain(f"Domain {number}")).text("id") for number in range(3)]
    for of, number in itertools.product(made, range(3)):
        catalog.products.create(product(f"Product {number}", of))
    assert [each.text("id") for each in catalog.domains.list()] == made
    assert len(list(catalog.products.list())) == 9
    assert {each.text("domain") for each in catalog.products.list(domainId=made[1])} == {made[1]}


def test_whether_a_tenant_has_a_catalog(open_seed):
    assert domains_of(open_seed("seed-unified"), SEED) == []
    with pytest.raises(NotFoundError, match="this tenant has no Unified Catalog"):
        domains_of(open_seed("contoso"), CONTOSO)


def test_who_has_no_role_does_not_know(open_seed):
    with pytest.raises(DeniedError, match=r"or the tenant has none, which looks alike: .*Global Catalog Reader"):
        domains_of(open_seed(faults=["purview-denied"]), SEED)
    with pytest.raises(ClosedNetworkError) as caught:
        domains_of(open_seed(faults=["purview-closed"]), SEED)
    assert "role" not in str(caught.value)


@pytest.mark.parametrize("name", ["usgovernment", "china"])
def test_a_cloud_without_a_documented_one_is_not_asked(service, credential, name):
    with connect(credential, name) as azure, pytest.raises(AzureError, match=f"for the cloud {name}"):
        domains_of(azure, ACCOUNT)
    assert service.urls == []


def test_a_cloud_file_says_where_it_answers(tmp_path, service, credential):
    path = tmp_path / "cloud.yaml"
    lines = {field: getattr(CLOUDS["china"], field) for field in ("name", "resource_manager", "audience", "authority")}
    lines["unified_catalog"] = "https://catalog.contoso.com/"
    path.write_text("".join(f"{name}: {value}\n" for name, value in lines.items()), encoding="utf-8")
    arm = f"{CLOUDS['china'].resource_manager}/subscriptions/{ACCOUNT.id.split('/')[2]}"
    service.says(arm, {"tenantId": TENANT})
    service.says("https://catalog.contoso.com/datagovernance/catalog/businessdomains", {"value": []})
    with connect(credential, find_cloud(path)) as azure:
        assert domains_of(azure, ACCOUNT) == []
    url = service.urls[-1]
    assert url.startswith("https://catalog.contoso.com/datagovernance/catalog/businessdomains?")
    path.write_text(path.read_text(encoding="utf-8").replace("https://catalog", "http://catalog"), encoding="utf-8")
    with pytest.raises(AzureError, match="`unified_catalog` must be an https address"):
        find_cloud(path)


def test_a_token_goes_to_no_other_host(managed, credential):
    managed.says(DOMAINS, {"value": [{"id": "1"}], "nextLink": "https://evil.example/businessdomains"})
    with connect(credential, "public") as azure, pytest.raises(AnswerError, match=r"links to https://evil\.example"):
        list(connect_unified(azure, ACCOUNT).domains.list())
    assert len([url for url in managed.urls if url.startswith(ROOT)]) == 1


def test_a_post_is_never_sent_twice(managed, credential):
    managed.says(DOMAINS, (503, {}), method="POST")
    with connect(credential, "public") as azure, pytest.raises(UnreachableError):
        connect_unified(azure, ACCOUNT).domains.create(domain("Sales"))
    assert len([url for url in managed.urls if url.startswith(ROOT)]) == 1


@pytest.mark.parametrize("body", [{}, {"value": {}}, {"value": ["Sales"]}])
def test_an_answer_without_a_list_is_no_empty_one(managed, credential, body):
    managed.says(DOMAINS, body)
    with connect(credential, "public") as azure, pytest.raises(AnswerError):
        domains_of(azure, ACCOUNT)


def test_no_name_is_taken_for_a_path(catalog):
    for name in ("", ".", ".."):
        with pytest.raises(RejectedError, match="nothing was sent"):
            catalog.products.delete(name)


def test_requests_keep_the_documented_pace(open_seed, clock):
    catalog = connect_unified(open_seed(), SEED)
    sent = []
    for _ in range(150):
        list(catalog.domains.list())
        sent.append(clock.now)
    for index, moment in enumerate(sent):
        assert sum(moment <= other < moment + 20 for other in sent[index:]) <= 101  # at an instant, both ends count


def test_a_busy_service_is_asked_again(open_seed, clock):
    before = clock.now
    azure = open_seed(faults=["throttled:purview"])
    assert domains_of(azure, ACCOUNT) == []
    assert clock.now > before


def test_it_says_where_it_is(catalog):
    assert repr(catalog) == "<UnifiedCatalog at https://api.purview-service.microsoft.com>"
    assert dataclasses.replace(CLOUDS["public"], name="other").unified_catalog


@pytest.mark.parametrize(
    ("told", "managers", "goes"),
    [
        (None, [], True),
        (TENANT.upper(), [], True),
        (TENANT, [{"tenantId": OTHER}], True),
        (OTHER, [], False),
        (OTHER, [{"tenantId": OTHER}], False),
        (None, [{"tenantId": OTHER}], False),
    ],
)
def test_no_other_tenant_s_catalog_is_taken_for_the_account_s(service, credential, told, managers, goes):
    service.says(f"/subscriptions/{ACCOUNT.id.split('/')[2]}", {"tenantId": TENANT, "managedByTenants": managers})
    service.says(DOMAINS, {"value": []})
    with connect(credential, tenant=told) as azure:
        if goes:
            assert domains_of(azure, ACCOUNT) == []
        else:
            with pytest.raises(AzureError, match=f"is of tenant {TENANT}, .* say --tenant {TENANT}"):
                domains_of(azure, ACCOUNT)
    assert any(url.startswith(ROOT) for url in service.urls) == goes


def test_a_subscription_without_a_tenant_is_no_answer(service, credential):
    service.says(f"/subscriptions/{ACCOUNT.id.split('/')[2]}", {})
    with connect(credential) as azure, pytest.raises(AnswerError, match="does not say the subscription's tenant"):
        connect_unified(azure, ACCOUNT)
