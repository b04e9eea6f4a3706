"""The judge of what goes to Purview: official examples and recordings pass it, and every kind of slip is found."""

import copy
import json
import re
from collections import defaultdict

import pytest
import requests
import responses
from openapi.examples import examples
from openapi.exceptions import NULL_NUMBERS, QUERY_ANYWAY, SENT_ANYWAY
from openapi.hosts import is_purview
from openapi.misfits import DIFFERENCES, FREE, LEFTOVERS, MISFITS
from openapi.recordings import recordings
from openapi.specs import load_specs
from openapi.watch import Exchanges

ROOT = "https://contoso.purview.azure.com"
SCAN, MAP, FLOW = f"{ROOT}/scan", f"{ROOT}/datamap/api", f"{ROOT}/workflow"
OLD_SCAN = "https://contoso.scan.purview.azure.com"
ARM = "https://management.azure.com"
ACCOUNTS = f"{ARM}/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.Purview/accounts"
V, FLOW_V = "api-version=2023-09-01", "api-version=2023-10-01-preview"
ID = "12345678-1234-1234-1234-123456789012"
SOURCE = {
    "kind": "AzureSqlDatabase",
    "properties": {"serverEndpoint": "x", "collection": {"referenceName": "c", "type": "CollectionReference"}},
}


@pytest.fixture(scope="module")
def folder(recorded):
    return recorded / "purview-specs"


@pytest.fixture(scope="module")
def specs(folder):
    return load_specs(folder)


@pytest.fixture(scope="module")
def official(specs, folder):
    return list(examples(specs, folder))


def test_examples_fit(specs, official):
    wrong = defaultdict(list)
    for example in official:
        operation, found = specs.check_request(example.method, example.url, example.body)
        wrong[example.id] += found
        if not found:
            assert operation == example.operation
        for status, body in example.answers.items():
            wrong[example.id] += specs.check_response(example.operation, status, body)
    of = {example.id: example.operation for example in official}
    expected = {
        it: [f"{of[it]} has no parameter {name}" for name in names.split()] for it, names in LEFTOVERS.items()
    } | MISFITS
    assert {it: sorted(found) for it, found in wrong.items() if found} == {
        it: sorted(found) for it, found in expected.items()
    }
    assert len(official) > 300


def test_every_operation_has_an_example(specs, official):
    assert specs.operations.keys() == {example.operation for example in official}


def test_recordings_fit(specs, recorded):
    wrong, fit = {}, set()
    for it in recordings(recorded / "recordings" / "purview"):
        if not is_purview(it.url):
            continue
        operation, found = specs.check_request(it.method, it.url, it.body)
        if operation is not None:
            fit.add(operation)
            found += [f"{it.status} {one}" for one in specs.check_response(operation, it.status, it.answer)]
        if found:
            wrong[it.id] = found
    assert wrong.keys() == DIFFERENCES.keys()
    for it, found in wrong.items():
        assert len(found) == len(DIFFERENCES[it]), found
        assert all(any(one.endswith(end) for one in found) for end in DIFFERENCES[it]), found
    assert len(fit) >= 40


def _names(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield path, name
            yield from _names(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _names(inner, (*path, index))


def test_a_misspelt_property_is_found(specs, official):
    tried, missed = 0, defaultdict(list)
    for example in official:
        if example.method != "PUT" or example.body is None:
            continue
        known = specs.check_request(example.method, example.url, example.body)[1]
        for path, name in _names(json.loads(example.body)):
            body = json.loads(example.body)
            place = body
            for step in path:
                place = place[step]
            place[name + name[-1]] = place.pop(name)
            tried += 1
            if set(specs.check_request(example.method, example.url, json.dumps(body).encode())[1]) <= set(known):
                missed[example.id].append(".".join("*" if isinstance(step, int) else step for step in (*path, name)))
    assert missed.keys() == FREE.keys()
    assert all(re.fullmatch(FREE[it], place) for it, places in missed.items() for place in places)
    assert tried > 700


def _source(**changes):
    changed = copy.deepcopy(SOURCE)
    changed["properties"] |= changes.pop("properties", {})
    return {**changed, **changes}


PUT_SOURCE = ("PUT", f"{SCAN}/datasources/sql-one?{V}")
NIGHTLY = f"{SCAN}/datasources/sql-one/scans/nightly"
RUN = f"{NIGHTLY}:run"
UNIQUE = f"{MAP}/atlas/v2/entity/bulk/uniqueAttribute/type/t"


@pytest.mark.parametrize(
    ("method", "url", "body", "operation"),
    [
        (*PUT_SOURCE, SOURCE, "DataSources_CreateOrReplace"),
        # A kind that is listed and has no model says what it likes.
        (*PUT_SOURCE, {"kind": "Fabric", "properties": {"tenant": ID}}, "DataSources_CreateOrReplace"),
        ("POST", f"{RUN}?runId={ID}&scanLevel=Full&{V}", None, "ScanResult_RunScan"),
        ("POST", f"{NIGHTLY}/runs/{ID}:cancel?{V}", None, "ScanResult_CancelScan"),
        ("POST", f"{NIGHTLY}/triggers/default:enable?{V}", None, "Triggers_Enable"),
        ("GET", f"{SCAN}/systemScanRulesets/versions/latest?{V}", None, "SystemScanRulesets_GetLatest"),
        ("GET", f"{SCAN}/systemScanRulesets/versions/3?{V}", None, "SystemScanRulesets_GetByVersion"),
        ("GET", f"{MAP}/atlas/v2/types/typedefs", None, "Type_List"),
        ("GET", f"{MAP}/atlas/v2/entity/bulk?guid={ID}&guid={ID}&{V}", None, "Entity_ListByGuids"),
        ("GET", f"{UNIQUE}?attr_0:qualifiedName=a&attr_1:qualifiedName=b", None, "Entity_ListByUniqueAttributes"),
        ("GET", f"{FLOW}/workflowtasks?taskTypes=approval,simpleTask&{FLOW_V}", None, "WorkflowTasks_List"),
        ("GET", f"{ROOT}/collections?api-version=2019-11-01-preview", None, "Collections_ListCollections"),
        ("GET", f"{ROOT}/account/collections?api-version=2023-10-01-preview", None, "Collections_ListCollections"),
        ("GET", f"{ROOT}/account?api-version=2019-11-01-preview", None, "Accounts_GetAccountProperties"),
        ("GET", f"{OLD_SCAN}/datasources?api-version=2018-12-01-preview", None, "DataSources_ListAll"),
        (
            "GET",
            f"{ACCOUNTS.replace('accounts', 'ACCOUNTS')}?api-version=2021-07-01",
            None,
            "Accounts_ListBySubscription",
        ),
    ],
)
def test_a_fitting_request(specs, method, url, body, operation):
    found, wrong = specs.check_request(method, url, body and json.dumps(body).encode())
    assert (found.partition("/")[2], wrong) == (operation, [])


def test_the_version_chooses_the_specification(specs):
    for version in ("2019-11-01-preview", "2023-10-01-preview"):
        found = specs.check_request("GET", f"{ROOT}/account/collections?api-version={version}", None)
        assert found == (f"account-{version}/Collections_ListCollections", [])


@pytest.mark.parametrize(
    ("method", "url", "body", "found"),
    [
        ("PUT", f"{SCAN}/datasources/sql_one?{V}", SOURCE, "dataSourceName: 'sql_one' does not match"),
        ("PUT", f"{SCAN}/datasources/ab?{V}", SOURCE, "dataSourceName: 'ab' is too short"),
        ("PUT", f"{SCAN}/datasources/{'a' * 64}?{V}", SOURCE, "is too long"),
        ("GET", f"{FLOW}/workflows/first?{FLOW_V}", None, "workflowId: 'first' is not a 'uuid'"),
        ("GET", f"{SCAN}/systemScanRulesets/datasources/Sql?{V}", None, "dataSourceType: 'Sql' is not one of"),
        ("GET", f"{SCAN}/systemScanRulesets/versions/last?{V}", None, "version: 'last' is not of type 'integer'"),
        ("GET", f"{SCAN}/datasources?{V}&top=5", None, "has no parameter top"),
        ("GET", f"{SCAN}/datasources?{V}&{V}", None, "api-version stands there twice"),
        ("GET", f"{SCAN}/datasources", None, "api-version is missing"),
        ("GET", f"{SCAN}/datasources?api-version=2024-01-01", None, "no specification of scanning has the api-version"),
        ("POST", f"{MAP}/atlas/v2/types/typedefs?{V}", {}, "has no parameter api-version"),
        ("POST", f"{RUN}?{V}", None, "runId is missing"),
        ("POST", f"{RUN}?{V}&runId=1", None, "runId: '1' "),
        ("POST", f"{RUN}?{V}&runId={ID}&scanLevel=Half", None, "scanLevel: 'Half' is not one of"),
        ("GET", f"{MAP}/atlas/v2/entity/guid/{ID}?minExtInfo=yes", None, "minExtInfo: 'yes' is not of type 'boolean'"),
        ("GET", f"{MAP}/atlas/v2/entity/bulk?{V}", None, "guid is missing"),
        ("GET", f"{FLOW}/workflowtasks?taskTypes=approval,x&{FLOW_V}", None, "taskTypes: 'x' is not"),
        (*PUT_SOURCE, _source(propertys={}), "('propertys' was unexpected)"),
        (*PUT_SOURCE, _source(properties={"serverEndPoint": "x"}), "$.properties: Additional properties"),
        (*PUT_SOURCE, _source(properties={"serverEndpoint": 1}), "$.properties.serverEndpoint: 1 is not of type"),
        (*PUT_SOURCE, _source(properties={"serverEndpoint": None}), "$.properties.serverEndpoint: None is not of type"),
        (*PUT_SOURCE, {**SOURCE, "properties": []}, "$.properties: [] is not of type 'object'"),
        (*PUT_SOURCE, _source(name="sql-one"), "$.name: is read-only"),
        (*PUT_SOURCE, _source(properties={"createdAt": "2026-01-01T00:00:00Z"}), "createdAt: is read-only"),
        (*PUT_SOURCE, _source(kind="AdlsGen2"), "('serverEndpoint' was unexpected)"),
        (*PUT_SOURCE, _source(kind="Sql"), "'Sql' is no kind that there is"),
        (*PUT_SOURCE, _source(kind=["AdlsGen2"]), "$.kind: ['AdlsGen2'] is not of type 'string'"),
        (*PUT_SOURCE, {"properties": {}}, "'kind' is a required property"),
        (*PUT_SOURCE, {"kind": "Fabric", "property": {}}, "('property' was unexpected)"),
        (*PUT_SOURCE, [], "[] is not of type 'object'"),
        (*PUT_SOURCE, None, "there is no body"),
        ("POST", f"{RUN}?{V}&runId={ID}", {}, "there is a body where none belongs"),
        ("DELETE", f"{SCAN}/datasources/sql-one?{V}", {}, "there is a body where none belongs"),
        ("POST", f"{SCAN}/datasources/sql-one?{V}", SOURCE, "scanning-2023-09-01 has only DELETE, GET, PUT there"),
        ("PUT", f"{SCAN}/datasources/sql-one/scans/nightly/runs/{ID}?{V}", None, "has only GET there"),
        ("GET", f"{SCAN}/sources?{V}", None, "scanning-2023-09-01 has nothing there"),
        ("GET", f"{SCAN}//datasources?{V}", None, "scanning-2023-09-01 has nothing there"),
        ("GET", f"{SCAN}/datasources/?{V}", None, "scanning-2023-09-01 has nothing there"),
        ("GET", f"{SCAN}/DataSources?{V}", None, "scanning-2023-09-01 has nothing there"),
        ("GET", "https://contoso.purview.azure.com/catalog/api/atlas/v2/glossary", None, "no specification has"),
        ("GET", f"{ACCOUNTS}?api-version=2020-01-01", None, "no specification of arm has the api-version 2020-01-01"),
    ],
)  # fmt: skip
def test_a_slip_is_found(specs, method, url, body, found):
    wrong = specs.check_request(method, url, None if body is None else json.dumps(body).encode())[1]
    assert any(found in one for one in wrong), wrong


def test_a_body_that_is_no_json(specs):
    assert specs.check_request(*PUT_SOURCE, b"kind: Sql")[1][0].startswith("the body is no JSON")


def test_a_word_outside_an_open_enum_is_soft(specs):
    trigger = {"properties": {"state": "Enbled", "recurrence": {"frequency": "Day", "interval": 1}}}
    url = f"{SCAN}/datasources/sql-one/scans/nightly/triggers/default?{V}"
    soft = []
    assert specs.check_request("PUT", url, json.dumps(trigger).encode(), soft=soft)[1] == []
    assert ["$.properties.state: 'Enbled' is none" in one for one in soft] == [True]


@pytest.mark.parametrize(
    ("operation", "status", "body", "found"),
    [
        ("scanning-2023-09-01/DataSources_Get", 202, SOURCE, "status 202 is not declared"),
        ("scanning-2023-09-01/DataSources_Get", 200, None, "there is no body with status 200"),
        ("scanning-2023-09-01/DataSources_Get", 200, {"properties": {}}, "'kind' is a required property"),
        ("scanning-2023-09-01/DataSources_Get", 200, _source(properties={"serverEndpoint": 1}), "1 is not of type"),
        ("scanning-2023-09-01/DataSources_List", 200, {"value": [_source(kind=1)]}, "1 is not of type"),
        ("scanning-2023-09-01/DataSources_Get", 200, _source(properties={"createdAt": "now"}), "'now' is not a"),
        ("scanning-2023-09-01/DataSources_List", 200, {"value": {}}, "{} is not of type 'array'"),
        ("scanning-2023-09-01/DataSources_Get", 404, {"code": "x", "message": "y"}, "'error' is a required property"),
        ("scanning-2023-09-01/DataSources_Get", 404, None, "None is not of type 'object'"),
        ("datamap-2023-09-01/Entity_Get", 404, {"error": {"code": "x", "message": "y"}}, "'errorCode' is a required"),
        ("datamap-2023-09-01/Entity_Get", 404, {"errorCode": 404, "errorMessage": ""}, "404 is not of type 'string'"),
    ],
)  # fmt: skip
def test_a_slip_in_an_answer_is_found(specs, operation, status, body, found):
    wrong = specs.check_response(operation, status, None if body is None else json.dumps(body).encode())
    assert any(found in one for one in wrong), wrong


@pytest.mark.parametrize(
    ("operation", "status", "body"),
    [
        ("scanning-2023-09-01/DataSources_Get", 200, _source(kind="Lately", name=None, properties={"more": 1})),
        ("scanning-2023-09-01/DataSources_Get", 404, {"error": {"code": "x", "message": "y", "target": None}}),
        ("datamap-2023-09-01/Entity_Get", 404, {"requestId": "r", "errorCode": "ATLAS-404-00-005", "errorMessage": ""}),
        ("datamap-2023-09-01/Entity_Get", 429, {"error": {"code": "TooManyRequests", "message": "later"}}),
        ("scanning-2023-09-01/DataSources_Delete", 204, None),
    ],
)  # fmt: skip
def test_a_fitting_answer(specs, operation, status, body):
    assert specs.check_response(operation, status, None if body is None else json.dumps(body).encode()) == []


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        (f"{ACCOUNTS}/contoso?api-version=2021-07-01", True),
        (f"{ACCOUNTS}/contoso/providers/microsoft.insights/diagnosticSettings?api-version=x", False),
        (f"{ARM}/subscriptions?api-version=2022-12-01", False),
        ("https://contoso.purview.azure.com.example.net/scan/datasources", False),
        ("https://contoso.purview.azure.com:443/scan/datasources", True),
    ],
)
def test_what_is_purview(url, is_ours):
    assert is_purview(url) is is_ours


def test_exceptions_are_needed(specs, official, monkeypatch):
    # The one on `sku` is proven by the recordings.
    proven = {it for it in SENT_ANYWAY if it[1] != "sku"}
    monkeypatch.setattr("openapi.specs.SENT_ANYWAY", {})
    monkeypatch.setattr("openapi.parameters.QUERY_ANYWAY", {})
    monkeypatch.setattr("openapi.specs.NULL_NUMBERS", {})
    wrong = defaultdict(list)
    for example in official:
        wrong[example.operation] += specs.check_request(example.method, example.url, example.body)[1]
        for status, body in example.answers.items():
            wrong["answers"] += specs.check_response(example.operation, status, body)
    for operation, place, _ in proven:
        start = re.compile(r"\$\." + re.escape(place).replace(r"\.\*", r"\[\d+\]") + ": ")
        assert any(start.match(one) for one in wrong[operation]), (operation, place)
    for operation, name in QUERY_ANYWAY:
        assert f"{operation} has no parameter {name}" in wrong[operation]
    assert any("workers: None is not of type" in one for one in wrong["answers"])
    assert NULL_NUMBERS.keys() == {"workers", "minimumPercentageMatch"}


@pytest.fixture
def seen(folder):
    """A watch of the test's own, so that what it finds is not held against the test."""
    return Exchanges(folder)


class TestWatching:
    @responses.activate
    def test_what_was_sent(self, exchanges):
        responses.get(f"{SCAN}/datasources", json={"value": "a foreign service answers what it likes"})
        requests.get(f"{SCAN}/datasources?{V}", timeout=1)
        assert exchanges.operations == {"scanning-2023-09-01/DataSources_List"}
        assert (exchanges.violations, exchanges.soft) == ([], [])

    @responses.activate
    @pytest.mark.off_spec("has no parameter top")
    def test_a_slip_is_forgiven_where_it_is_expected(self, exchanges):
        responses.get(f"{SCAN}/datasources", json={"value": []})
        requests.get(f"{SCAN}/datasources?{V}&top=5", timeout=1)
        assert exchanges.violations == [
            f"GET {SCAN}/datasources?{V}&top=5: scanning-2023-09-01/DataSources_List has no parameter top"
        ]

    @responses.activate
    def test_links_of_the_service_are_followed(self, exchanges):
        link = f"{SCAN}/datasources?{V}&$skipToken=2"
        account = f"{ARM}/subscriptions/{ID}/resourceGroups/rg/providers/Microsoft.Purview/accounts/contoso"
        polled = f"{account}/operationResults/{ID}"
        responses.get(f"{SCAN}/datasources", json={"value": [], "nextLink": link})
        responses.delete(account, status=202, headers={"Location": f"{polled}?api-version=2021-07-01"})
        responses.get(polled, status=202)
        for method, url in (
            ("GET", f"{SCAN}/datasources?{V}"),
            ("GET", link),
            ("DELETE", f"{account}?api-version=2021-07-01"),
            ("GET", f"{polled}?api-version=2021-07-01"),
        ):
            requests.request(method, url, timeout=1)
        assert exchanges.violations == []

    def test_links_that_nobody_gave(self, seen):
        seen.sent("GET", f"{SCAN}/datasources?{V}&$skipToken=2", None)
        seen.sent("GET", f"{ACCOUNTS}/operationResults/{ID}?api-version=2021-07-01", None)
        assert len(seen.violations) == 2

    @pytest.mark.parametrize(
        ("status", "kind", "body", "wrong"),
        [
            (200, "application/json", b'{"value": {}}', 1),
            (404, "application/json", b'{"message": "gone"}', 1),
            (202, "application/json", b'{"value": []}', 1),
            (200, "application/json", b'{"value": []}', 0),
            # What a fault has broken on purpose.
            (200, "application/json", b'{"value": [{"ki', 0),
            (200, "text/html; charset=utf-8", b"<html></html>", 0),
            (503, "application/json", b'{"error": {"code": "ServiceUnavailable", "message": "Later."}}', 0),
        ],
    )
    def test_answers_of_the_sandbox(self, seen, status, kind, body, wrong):
        response = requests.Response()
        response.status_code, response._content = status, body
        response.headers["Content-Type"] = kind
        response.request = requests.Request("GET", f"{SCAN}/datasources?{V}").prepare()
        for ours in (True, False):
            seen.clear()
            operation = seen.sent("GET", response.request.url, None)
            seen.answered(operation, response.request.url, response, ours=ours)
            assert len(seen.violations) == (wrong if ours else 0)

    def test_forgiveness(self, seen):
        seen.sent("GET", f"{SCAN}/datasources?{V}&top=5", None)
        assert len(seen.unforgiven([])) == 1
        assert seen.unforgiven(["no parameter top"]) == []
        assert seen.unforgiven(["no parameter", "no operation"]) == [
            "nothing was seen that is off the specification as in 'no operation'"
        ]
        seen.clear()
        assert (seen.unforgiven([]), seen.operations) == ([], set())
