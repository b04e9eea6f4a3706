"""The catalog that `scripts/bench catalog` measures against: whether it answers on the specification, and its truth."""

import io
from pathlib import Path

import msgspec
import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from work import at_most

from sovereignmesh.azure import connect
from sovereignmesh.azure.purview.datamap import Hit
from sovereignmesh.catalog import audit_catalog
from sovereignmesh.catalog.placing import Places
from sovereignmesh.catalog.settling import Settler
from sovereignmesh.mesh import load_mesh
from sovereignmesh.result import CATALOG_CHECKS

ASSETS = 1_500
MOST = 16  # calls of functions for a hit that is settled


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "scripts")
    import bench_catalog

    return bench_catalog


@pytest.fixture
def loopback(bench):
    import loopback_catalog

    return loopback_catalog


class InProcess(BaseAdapter):
    """Asks the service without a socket, and keeps what was asked and answered."""

    def __init__(self, service):
        super().__init__()
        self.service, self.seen = service, []

    def send(self, request, **_):
        host, _, target = request.url.removeprefix("https://").partition("/")
        headers = {"host": host, "authorization": request.headers["Authorization"]}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        answer = self.service.answer(request.method, f"/{target}", headers, body)
        self.seen.append((request.method, request.url, body or None, answer))
        response = requests.Response()
        response.raw = HTTPResponse(io.BytesIO(answer.body), status=answer.status, preload_content=False)
        response.status_code, response.url, response.request = answer.status, request.url, request
        response.headers["Content-Type"] = "application/json"
        return response

    def close(self):
        """Nothing is open."""


@pytest.fixture
def audited(bench, loopback, tmp_path):
    """An audit of a small catalog: the catalog, what came out, and who answered."""
    catalog = loopback.Catalog(ASSETS)
    bench.write_mesh(tmp_path, catalog)
    adapter = InProcess(loopback.CatalogService(catalog))
    with requests.Session() as session:
        session.mount("https://", adapter)
        with connect(credential=bench.Credential(), session=session) as azure:
            yield catalog, audit_catalog(azure, load_mesh(tmp_path)), adapter


def test_what_is_found_is_what_was_planted(bench, audited):
    catalog, audit, _ = audited
    assert audit.complete
    assert audit.coverage.resources == sum(catalog.sizes) == ASSETS
    found = {(each.check, each.state, each.resource_id, each.domain, each.collection) for each in audit.findings}
    assert found == set(bench.planted(catalog))
    assert {check for check, *_ in found} == set(bench.CHECKS.values())


def test_no_request_is_made_that_need_not_be(bench, audited):
    catalog, _, adapter = audited
    made = {kind: count for kind, count in adapter.service.counts.items() if " " in kind}
    assert made == bench.least(catalog)


def test_what_is_answered_is_on_the_specification(audited, exchanges):
    _, _, adapter = audited
    specs = exchanges.specs
    wrong, operations = [], set()
    for method, url, body, answer in adapter.seen:
        if ".purview.azure.com/" not in url:
            continue
        operation, unfit = specs.check_request(method, url, body)
        operations.add(operation)
        wrong += [*unfit, *specs.check_response(operation, answer.status, answer.body)]
    assert wrong == []
    assert {"datamap-2023-09-01/Discovery_Query", "datamap-2023-09-01/Entity_ListByGuids"} <= operations


def test_who_is_not_there_is_refused_in_the_data_maps_words(loopback, exchanges):
    service = loopback.CatalogService(loopback.Catalog(ASSETS))
    headers = {"host": "pview-bench.purview.azure.com", "authorization": "Bearer bench"}
    for guid in ("no guid at all", "00000001-5f0b-4b5e-98b5-00000000ffff", "00000063-5f0b-4b5e-98b5-000000000000"):
        answer = service.answer("GET", f"/datamap/api/atlas/v2/entity/bulk?guid={guid}", headers, b"")
        assert answer.status == 404
        assert exchanges.specs.check_response("datamap-2023-09-01/Entity_ListByGuids", 404, answer.body) == []


def test_a_hit_is_settled_in_few_steps(loopback, tmp_path):
    """The local work beside the network's: what a page of a thousand hits takes, on any machine."""
    hits = [msgspec.json.decode(each, type=Hit) for each in loopback.Catalog(20_000).hits(13)[:1000]]
    (tmp_path / "policy.yaml").write_text("governancePolicies: {dataCatalog: {requireOwner: true}}")
    settle = Settler(CATALOG_CHECKS, Places(load_mesh(tmp_path), [], []))
    with at_most(MOST * len(hits)):
        settled = [settle(hit, "sales") for hit in hits]
    assert len(settled) - settled.count(None) > 0.9 * len(hits)


@pytest.mark.parametrize("name", ["id", "name", "qualifiedName", "entityType", "objectType", "description"])
@pytest.mark.parametrize("value", [7, False, [], {}])
def test_what_is_no_text_is_not_taken_for_none(loopback, name, value):
    hit = loopback.hit(loopback.Catalog(ASSETS).asset(0, 1)) | {name: value}
    with pytest.raises(msgspec.ValidationError, match=rf"got .* at `\$\.{name}`"):
        msgspec.convert(hit, Hit)
