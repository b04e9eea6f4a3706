"""How runs go: a step at each look, five at once, and to the end that the estate says."""

import uuid

import pytest
from sandbox.purview_client import SALES, WEEKLY, Purview, code, scan, write_contoso

from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox.estate import load_estate

ARCHIVE = "/scan/datasources/stsalesprodarchive/scans/monthly"
LAKE = "/scan/datasources/stcustomerprodlake/scans/weekly"
BEFORE = 3  # runs of the archive's scan that come with the estate


def contoso(**options):
    return Purview("contoso", "pview-customer-prod", **options)


def start(client, path, **more):
    answer = client.ask("POST", f"{path}:run", params={"runId": str(uuid.uuid4()), **more})
    assert answer.status_code == 202
    return f"{path}/runs/{answer.json()['id']}"


def end_of(client, run):
    """The body of a run once it has ended, and the statuses that were seen until then."""
    seen = []
    while not (body := client.read(run))["endTime"]:
        seen.append(body["status"])
        assert len(seen) < 50, seen
    return body, [*dict.fromkeys(seen)]


def test_a_run_finds_what_the_estate_says():
    client = contoso()
    body, seen = end_of(client, start(client, ARCHIVE))
    assert seen == ["Queued", "InProgress"]
    assert (body["status"], body["runType"], body["scanLevelType"]) == ("Succeeded", "Manual", "Incremental")
    assets = body["discoveryExecutionDetails"]["statistics"]["assets"]
    assert assets == {"discovered": 412, "classified": 380, "failed": 0}


def test_a_run_fails_as_the_estate_says():
    client = contoso()
    body, _ = end_of(client, start(client, LAKE))
    assert body["status"] == "Failed"
    assert "Storage Blob Data Reader" in body["error"]["details"][0]["message"]
    assert body["discoveryExecutionDetails"]["status"] == "Failed"
    assert code(client.ask("POST", f"{LAKE}/runs/{body['id']}:cancel")) == (409, "ScanResult_AlreadyCompleted")
    assert client.read(LAKE)["lastRunResult"]["status"] == "Failed"


def test_exactly_one_scan_of_the_estate_fails():
    client = contoso()
    ends = {}
    for source in client.names("/scan/datasources"):
        for name in client.names(f"/scan/datasources/{source}/scans"):
            path = f"/scan/datasources/{source}/scans/{name}"
            ends[path] = end_of(client, start(client, path))[0]["status"]
    assert [path for path, status in ends.items() if status != "Succeeded"] == [LAKE]


def test_an_estate_comes_with_earlier_runs():
    runs = contoso(page_size=2).every(f"{ARCHIVE}/runs")
    assert [run["status"] for run in runs] == ["Succeeded", "CompletedWithExceptions", "Succeeded"]
    assert [run["runType"] for run in runs] == ["Scheduled", "Scheduled", "Manual"]
    assert runs[1]["diagnostics"]["exceptionCountMap"] == {"UnsupportedFileEncoding": 3}
    assert runs[1]["discoveryExecutionDetails"]["status"] == "CompletedWithExceptions"
    assert {run["pipelineStartTime"][:7] for run in runs} == {"2026-09", "2026-10", "2026-11"}


def test_five_run_at_once_and_who_waits_comes_on():
    client = Purview().make(SALES)
    paths = [f"/scan/datasources/sales-sql/scans/scan-{number}" for number in range(7)]
    client.make(*((path, scan()) for path in paths))
    runs = [start(client, path) for path in paths]
    for run in runs:
        assert client.read(run)["status"] == "Queued"
    for run in runs[:5]:
        assert client.read(run)["status"] == "InProgress"
    waiting = client.read(runs[5])
    assert (waiting["status"], waiting["pipelineStartTime"]) == ("Queued", None)
    assert end_of(client, runs[6])[0]["status"] == "Succeeded", "though nobody looks at the others"


def test_a_run_that_waits_can_be_cancelled():
    client = Purview().make(SALES, WEEKLY)
    run = start(client, WEEKLY[0])
    assert client.read(run)["status"] == "Queued"
    assert client.ask("POST", f"{run}:cancel").status_code == 202
    body, _ = end_of(client, run)
    assert body["status"] == "Canceled"
    assert body["discoveryExecutionDetails"]["status"] == "Cancelled"


def test_a_run_goes_on_in_a_later_process(tmp_path):
    state = tmp_path / "state.json"
    run = start(contoso(state=state), ARCHIVE)
    assert contoso(state=state).read(run)["status"] == "Queued"
    assert contoso(state=state).read(run)["status"] == "InProgress"
    later = contoso(state=state)
    assert later.read(run)["status"] == "Succeeded"
    assert len(later.every(f"{ARCHIVE}/runs")) == BEFORE + 1


def test_a_further_page_of_a_list_is_the_same_look():
    client = Purview(page_size=1).make(SALES, WEEKLY)
    for _ in range(3):
        start(client, WEEKLY[0])
    assert {run["status"] for run in client.every(f"{WEEKLY[0]}/runs")} == {"Queued"}


def test_reads_that_lag_do_not_move_a_run_back():
    client = Purview(faults=["lagging-reads"]).make(SALES, WEEKLY)
    run = start(client, WEEKLY[0])
    assert [client.ask("GET", run).status_code for _ in range(3)] == [404, 404, 200]
    assert end_of(client, run)[1] == ["InProgress"], "the read before has seen it queued"


@pytest.fixture
def build_account(tmp_path):
    """The estate contoso, in which something else is said of runs."""

    def build(runs):
        return write_contoso(tmp_path, runs=runs)

    return build


@pytest.mark.parametrize(
    ("status", "phases"),
    [("CompletedWithExceptions", ["CompletedWithExceptions", "Succeeded"]), ("Quarantined", ["Failed", "Failed"])],
)
def test_a_run_may_end_in_any_way(build_account, status, phases):
    said = {"status": status, "assets": {"discovered": 9, "failed": 2}, "errorMessage": "two could not be read"}
    client = Purview(build_account({"sales-sql/orders": said}), "pview-customer-prod")
    body, _ = end_of(client, start(client, "/scan/datasources/sales-sql/scans/orders"))
    assert (body["status"], body["errorMessage"]) == (status, "two could not be read")
    details = [body[f"{phase}ExecutionDetails"] for phase in ("discovery", "ingestion")]
    assert [one["status"] for one in details] == phases
    assert [one["statistics"]["assets"] for one in details] == [
        {"discovered": 9, "classified": 0, "failed": 2}, {"succeeded": 7, "failed": 0, "processing": 0},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ({"nowhere/weekly": {}}, "has no such scan"),
        ({"sales-sql/orders": {"history": [{"id": "1"}]}}, "'level'"),
        ({"sales-sql/orders": {"history": [7]}}, "are none"),
    ],
)
def test_what_an_estate_says_wrongly_is_told(build_account, runs, said):
    folder = build_account(runs)
    assert load_estate(folder).purview
    with pytest.raises(SandboxError, match=said):
        Purview(folder, "pview-customer-prod").ask("GET", "/collections")


def test_what_an_estate_says_of_runs_is_an_object(build_account):
    for runs in ([], {"sales-sql/orders": "well"}):
        with pytest.raises(SandboxError, match="not an estate's description"):
            load_estate(build_account(runs))
