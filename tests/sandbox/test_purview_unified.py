"""The sandbox's Unified Catalog, over the wire: shapes of its specification, and what it refuses."""

import json
import uuid

import pytest
from sandbox.tiny import Client

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox import estate_mesh
from sovereignmesh.sandbox.estate import load_estate

ROOT = "https://api.purview-service.microsoft.com/datagovernance/catalog"
VERSION = "2026-03-20-preview"
REST = {"thumbnail": {}, "domains": [], "managedAttributes": []}
NOBODY = "12345678-1234-1234-1234-123456789012"  # of nothing


@pytest.fixture
def client():
    return Client("seed-unified")


def ask(client, method, path, body=None, version=VERSION):
    return client.call(method, f"{ROOT}{path}", version, json=body)


def domain(client, name="Sales", **more):
    body = {"id": str(uuid.uuid4()), "name": name, "type": "FunctionalUnit", "status": "DRAFT", **REST, **more}
    answer = ask(client, "POST", "/businessdomains", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def product(of, **more):
    own = {"id": str(uuid.uuid4()), "name": "Orders", "domain": of["id"], "type": "Analytical", "status": "DRAFT"}
    return {**own, **more}


def refused(answer):
    error = answer.json()["error"]
    assert answer.headers["x-ms-error-code"] == error["code"]
    assert error["message"]
    return answer.status_code


def test_what_is_made_is_read_as_it_was_answered(client):
    made = domain(client, description="What is sold.")
    assert ask(client, "GET", f"/businessdomains/{made['id']}").json() == made
    assert made["systemData"]["createdBy"] == made["systemData"]["lastModifiedBy"]
    inside = ask(client, "POST", "/dataProducts", product(made)).json()
    assert ask(client, "GET", f"/dataProducts/{inside['id'].upper()}").json() == inside
    assert inside["additionalProperties"] == {"assetCount": 0}


def test_a_put_replaces_the_whole_and_keeps_who_made_it(client):
    made = domain(client, description="What is sold.")
    sent = {name: value for name, value in made.items() if name != "description"}
    changed = ask(client, "PUT", f"/businessdomains/{made['id']}", {**sent, "status": "PUBLISHED"}).json()
    assert "description" not in changed
    assert changed["status"] == "PUBLISHED"
    assert changed["systemData"]["createdAt"] == made["systemData"]["createdAt"]


def test_a_domain_is_published_before_its_products(client):
    made = domain(client)
    assert refused(ask(client, "POST", "/dataProducts", product(made, status="PUBLISHED"))) == 400
    ask(client, "PUT", f"/businessdomains/{made['id']}", {**made, "status": "PUBLISHED"})
    assert ask(client, "POST", "/dataProducts", product(made, status="PUBLISHED")).status_code == 201


def test_what_is_published_or_full_is_not_deleted(client):
    made = domain(client)
    inside = ask(client, "POST", "/dataProducts", product(made)).json()
    assert refused(ask(client, "DELETE", f"/businessdomains/{made['id']}")) == 409
    both = ((f"/businessdomains/{made['id']}", made), (f"/dataProducts/{inside['id']}", inside))
    for path, body in both:
        ask(client, "PUT", path, {**body, "status": "PUBLISHED"})
        assert refused(ask(client, "DELETE", path)) == 409
    for path, body in both:
        assert "expiredAt" in ask(client, "PUT", path, {**body, "status": "EXPIRED"}).json()["systemData"]
    for path in (f"/dataProducts/{inside['id']}", f"/businessdomains/{made['id']}"):
        assert ask(client, "DELETE", path).status_code == 204
        assert ask(client, "DELETE", path).status_code == 204
        assert refused(ask(client, "GET", path)) == 404
    assert ask(client, "GET", "/businessdomains").json() == {"value": []}


@pytest.mark.parametrize(
    "change",
    [
        *({"name": ""}, {"type": "Dataset"}, {"status": "Live"}, {"updateFrequency": "Often"}, {"domain": NOBODY}),
        *(
            pytest.param(change, marks=pytest.mark.off_spec("dataProducts"))
            for change in ({"id": None}, {"id": "orders"}, {"contacts": {"owner": [{"id": "ada"}]}}, {"contacts": []})
        ),
    ],
)
def test_a_wrong_body_is_refused(client, change):
    assert refused(ask(client, "POST", "/dataProducts", product(domain(client), **change))) == 400


def test_other_slips_are_refused(client):
    made = domain(client)
    path = f"/businessdomains/{made['id']}"
    assert refused(ask(client, "POST", "/businessdomains", made)) == 409
    assert refused(ask(client, "PUT", path, {**made, "id": str(uuid.uuid4())})) == 400
    assert refused(ask(client, "PUT", path, {**made, "parentId": str(uuid.uuid4())})) == 400
    assert refused(ask(client, "PUT", f"/businessdomains/{uuid.uuid4()}", made)) == 404


@pytest.mark.off_spec("has nothing there", "has only", "has the api-version")
def test_what_the_specification_does_not_have_is_refused(client):
    path = f"/businessdomains/{domain(client)['id']}"
    assert refused(ask(client, "GET", "/policies/all")) == 404
    assert refused(ask(client, "PATCH", path, {})) == 405
    assert refused(ask(client, "GET", "/dataProducts", version="2024-03-01-preview")) == 400


@pytest.mark.parametrize(
    ("estate", "status"), [("seed-unified", 200), ("seed", 404), ("contoso", 404), ("contoso-partial", 404)]
)
def test_which_estates_have_one(estate, status):
    assert ask(Client(estate), "GET", "/businessdomains").status_code == status


def _estate(tmp_path, catalog="unified", **changes):
    """A copy of the seed's estate whose account is described otherwise."""
    source = estate_mesh("seed").parent
    for path in source.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    described = json.loads((tmp_path / "estate.json").read_text())
    described["purview"]["sovereign-purview"] |= {"catalog": catalog, **changes}
    (tmp_path / "estate.json").write_text(json.dumps(described))
    return tmp_path


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ([], ()),
        (["collection-administrator", "data-curator"], ()),
        (["global-catalog-reader"], ("GET",)),
        (["governance-domain-creator"], ("GET", "POST")),
        (["data-product-owner"], ("GET",)),
    ],
)
def test_roles_of_the_catalog_are_its_own(tmp_path, roles, allowed):
    client = Client(_estate(tmp_path, roles=roles))
    body = {"id": str(uuid.uuid4()), "name": "Sales", **REST}
    for method, sent in (("GET", None), ("POST", body)):
        answer = ask(client, method, "/businessdomains", sent)
        assert answer.ok == (method in allowed)
        assert answer.ok or refused(answer) == 403


def test_what_an_estate_may_say(tmp_path):
    with pytest.raises(SandboxError, match="is no catalog of Purview: classic or unified"):
        load_estate(_estate(tmp_path, catalog="yes"))


def test_a_later_process_goes_on(tmp_path):
    state = tmp_path / "state.json"
    made = domain(Client("seed-unified", state=state))
    (found,) = ask(Client("seed-unified", state=state), "GET", "/businessdomains").json()["value"]
    assert found == made
