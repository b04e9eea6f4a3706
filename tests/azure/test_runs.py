"""What an answer says of a run, and which requests for one may be sent twice."""

import datetime as dt

import pytest

from sovereignmesh.azure.policies import may_repeat
from sovereignmesh.azure.purview import Run
from sovereignmesh.azure.sdk import Facts

SCAN = "https://own.purview.azure.com/scan/datasources/lake/scans/weekly"
ID = "7bcde71f-4a4e-4e01-9226-c99d15fa0f30"


def run(**body):
    return Run.of(Facts({"id": ID, "status": "Failed", **body}, "here"))


def phase(status, **assets):
    return {"status": status, "statistics": {"assets": assets}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, ""),
        ({"errorMessage": None, "error": None, "diagnostics": None}, ""),
        ({"diagnostics": {"notifications": [], "exceptionCountMap": {}}}, ""),
        ({"errorMessage": "no\n access"}, "no access"),
        ({"error": {"code": "E1", "message": "no access"}}, "E1: no access"),
        ({"error": {"code": "E1", "message": "no access"}, "errorMessage": "no access"}, "E1: no access"),
        (
            {"error": {"code": "E1", "message": "no.", "details": [{"code": "E2", "message": "a role lacks"}]}},
            "E1: no. E2: a role lacks",
        ),
        ({"diagnostics": {"notifications": [{"message": "too large", "code": 4}]}}, "too large (4)"),
        ({"diagnostics": {"notifications": [{"message": None}, {"code": 4}, {}]}}, "(4)"),
        ({"diagnostics": {"exceptionCountMap": {"Encoding": 3, "Size": 0, "Depth": 1}}}, "3 x Encoding, 1 x Depth"),
        ({"discoveryExecutionDetails": phase("Failed")}, "discovery: Failed"),
        ({"ingestionExecutionDetails": phase("PartialSucceeded")}, "ingestion: PartialSucceeded"),
        ({"ingestionExecutionDetails": phase("Queued"), "discoveryExecutionDetails": phase("Succeeded")}, ""),
        ({"diagnostics": [], "error": [], "ingestionExecutionDetails": 7}, ""),
        (
            {"errorMessage": "first", "diagnostics": {"exceptionCountMap": {"Size": 2}}},
            "first; 2 x Size",
        ),
    ],
)
def test_the_reason_stands_wherever_the_service_writes_it(body, reason):
    assert run(**body).error == reason


def test_a_reason_has_an_end():
    assert len(run(errorMessage="x" * 9000).error) == 2000


@pytest.mark.parametrize(
    ("discovery", "ingestion", "failed"),
    [
        ({"discovered": 5}, {}, None),  # recorded: https://learn.microsoft.com/answers/questions/5832694/
        ({"discovered": 5}, {"failed": 2}, 2),
        ({"failed": 1}, {"failed": 2}, 3),
        ({"failed": 1}, {}, 1),
    ],
)
def test_what_failed_in_either_phase_counts(discovery, ingestion, failed):
    found = run(
        discoveryExecutionDetails=phase("Succeeded", **discovery),
        ingestionExecutionDetails=phase("Succeeded", **ingestion),
    )
    assert (found.discovered, found.failed) == (discovery.get("discovered"), failed)


@pytest.mark.parametrize("said", ["2021-10-12T09:30:00", "2021-10-12T09:30:00Z", "2021-10-12T11:30:00+02:00"])
def test_a_moment_without_a_zone_is_utc(said):
    assert run(startTime=said).started == dt.datetime(2021, 10, 12, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        (f"{SCAN}/runs/{ID}:cancel?api-version=2023-09-01", True),
        (f"{SCAN}/runs/{ID}:cancel", True),
        (f"{SCAN}:run?api-version=2023-09-01&runId={ID}&scanLevel=Full", False),  # nobody says that it takes an id once
        (f"{SCAN}:run", False),
        (f"{SCAN}/runs/{ID}:cancelled", False),
        (f"{SCAN}/triggers/default:enable?runId={ID}", False),
    ],
)
def test_of_posts_about_runs_only_a_cancellation_is_repeated(url, safe):
    assert may_repeat("POST", url) is safe
