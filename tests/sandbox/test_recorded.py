"""The sandbox beside what Azure answered: the same request has the same shape of answer."""

import json

import pytest
from sandbox.tiny import ONE

RECORDED_VERSIONS = {"2019-04-01", "2020-04-01-preview", "2021-03-01", "2022-10-01"}


@pytest.fixture(scope="session")
def exchanges(recorded):
    lines = (recorded / "recordings/arm/arg.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [exchange for exchange in found if exchange["request"] and exchange["request"].get("query")]


def ask(client, exchange):
    """The sandbox's answer to a recorded request, None where it says that it cannot run it or had no such version."""
    version = exchange["url"].partition("api-version=")[2]
    if version not in RECORDED_VERSIONS:
        return None
    body = json.loads(json.dumps(exchange["request"]))
    if "subscriptions" in body:
        body["subscriptions"] = [ONE]
    if "managementGroups" in body:
        body["managementGroups"] = ["mg-top"]
    if "$skipToken" in body.get("options", {}):
        del body["options"]["$skipToken"]  # it was theirs
    client.now += 5
    answer = client.call("POST", "/providers/Microsoft.ResourceGraph/resources", version, json=body)
    return None if answer.status_code == 501 else answer


def shape(body):
    data = body["data"]
    if isinstance(data, dict):
        return {"columns": data["columns"]}
    return {"keys": sorted(data[0])} if data else {}


def test_answers_have_the_recorded_shape(client, exchanges):
    compared = 0
    for exchange in exchanges:
        answer = ask(client, exchange)
        if exchange["status"] != 200 or answer is None:
            continue
        assert answer.status_code == 200, (exchange["request"], answer.text)
        ours, theirs = answer.json(), exchange["response"]
        assert set(theirs) - {"$skipToken"} == set(ours) - {"$skipToken"}
        assert {key: type(value) for key, value in theirs.items()} == {
            **{key: type(value) for key, value in ours.items()},
            **({"$skipToken": str} if "$skipToken" in theirs else {}),
        }
        assert ours["resultTruncated"] == theirs["resultTruncated"]
        if shape(ours) and shape(theirs):
            assert shape(ours) == shape(theirs)
        told = {name for name in exchange["headers"] if name.startswith("x-ms-user-quota")}
        assert told <= set(answer.headers)
        for name in told:
            assert len(answer.headers[name]) in (1, 2, len(exchange["headers"][name]))
        assert answer.headers["content-type"] == exchange["headers"]["content-type"]
        for mine, recorded_facet in zip(ours["facets"], theirs["facets"], strict=True):
            assert set(mine) == set(recorded_facet)
            assert mine["resultType"] == recorded_facet["resultType"]
            assert mine.get("errors") == recorded_facet.get("errors")
            assert type(mine.get("data")) is type(recorded_facet.get("data"))
            if isinstance(mine.get("data"), dict):
                assert mine["data"]["columns"] == recorded_facet["data"]["columns"]
        compared += 1
    assert compared > 15


def test_parser_errors_name_the_recorded_place(client, exchanges):
    compared = 0
    for exchange in exchanges:
        answer = ask(client, exchange)
        if exchange["status"] != 400 or answer is None:
            continue
        ours, theirs = answer.json()["error"], exchange["response"]["error"]
        assert (answer.status_code, ours["code"], set(ours)) == (400, theirs["code"], set(theirs))
        assert ours["details"][0] == theirs["details"][0]
        mine, recorded_failure = ours["details"][1], theirs["details"][1]
        assert len(mine.pop("expectedToken")) == len(recorded_failure.pop("expectedToken")) == 1
        assert mine == recorded_failure
        compared += 1
    assert compared >= 4


def test_rows_of_recorded_resources_read_back_as_they_were(build_estate, recorded, open_client):
    """Real bodies through the store and the engine: nothing is lost, added or turned into something else."""
    import gzip

    from sandbox.tiny import Client, rows

    folder = build_estate([("/", "Reader")])
    with gzip.open(recorded / "estates/recorded-arm.bodies.jsonl.gz") as lines:
        bodies = [json.loads(line) for line in lines]
    group = f"/subscriptions/{ONE}/resourceGroups/Data-RG/providers/"
    put = {}
    for number, body in enumerate(bodies[:600]):
        kind = body.get("type")
        if not isinstance(kind, str) or kind.count("/") != 1 or not isinstance(body.get("properties"), dict):
            continue
        namespace, last = kind.split("/")
        identity = f"{group}{namespace}/{last}/r{number}"
        template = rows()[7]
        put[identity] = {
            **template, "id": identity, "name": f"r{number}", "type": kind.lower(), "properties": body["properties"],
        }  # fmt: skip
    (folder / "resources.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows()[:4], *put.values()]))
    client = Client(folder)
    found = {row["id"]: row for row in client.rows("resources | order by id asc")}
    assert len(put) > 150
    assert set(found) == set(put)
    for identity, row in put.items():
        assert found[identity]["properties"] == row["properties"], identity
