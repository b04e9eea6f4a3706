"""Opening a sandbox: estates by name and by path, what is missing, what comes along, and the SDK above it."""

import builtins
import gzip
import json
import subprocess
import sys
import threading

import pytest
from sandbox.tiny import ONE, TWO, Client

from sovereignmesh.azure import list_subscriptions
from sovereignmesh.errors import SandboxError
from sovereignmesh.sandbox import estate_mesh, estates, open_adapter, open_sandbox
from sovereignmesh.sandbox.credential import SandboxCredential
from sovereignmesh.sandbox.estate import load_estate

ROLES = [("/", "Reader")]


def test_packaged_estates_are_described():
    for name, description in estates().items():
        assert description.strip()
        assert "\n" not in description
        assert load_estate(name).rows
        assert estate_mesh(name).is_dir()


def test_a_folder_and_its_file(build_estate):
    folder = build_estate(ROLES)
    assert load_estate(folder).name == load_estate(folder / "estate.json").name == "tiny"
    assert estate_mesh(folder) == (folder / "mesh").resolve()


def test_packed_and_plain_rows_are_the_same(build_estate):
    folder = build_estate(ROLES)
    plain = load_estate(folder).rows
    (folder / "resources.jsonl.gz").write_bytes(gzip.compress((folder / "resources.jsonl").read_bytes()))
    described = json.loads((folder / "estate.json").read_text())
    (folder / "estate.json").write_text(json.dumps({**described, "resources": "resources.jsonl.gz"}))
    assert load_estate(folder).rows == plain


def test_an_estate_is_read_again_where_a_file_of_it_is_another(build_estate):
    folder = build_estate(ROLES)
    before, rows = load_estate(folder), folder / "resources.jsonl"
    assert load_estate(folder) is before
    lines = rows.read_bytes().splitlines(keepends=True)
    rows.write_bytes(b"".join(lines[:-1]))
    assert load_estate(folder).rows == before.rows[:-1]
    rows.unlink()
    with pytest.raises(SandboxError, match=r"resources\.jsonl"):
        load_estate(folder)
    rows.write_bytes(b"".join(lines))
    assert load_estate(folder).rows == before.rows


def test_what_is_written_in_one_sandbox_is_in_no_other(build_estate):
    folder = build_estate([("/", "Owner")])
    account = f"/subscriptions/{ONE}/resourceGroups/Data-RG/providers/Microsoft.Storage/storageAccounts/st1"
    query = "resources | where id contains 'Data-RG' | project id, tags | order by id asc"
    first, other = Client(folder), Client(folder)
    before = first.rows(query)
    changed = first.call("PATCH", account, json={"tags": {"Domain": "Other"}, "properties": {"number": 7}})
    assert changed.json()["tags"] == {"Domain": "Other"}
    assert first.call("DELETE", account.replace("st1", "st2")).status_code == 200
    shown = first.rows(query)
    assert len(shown) == len(before) - 1
    assert {"id": account, "tags": {"Domain": "Other"}} in shown
    for client in (other, Client(folder)):
        assert client.rows(query) == before
        assert client.get(account).json()["tags"] == {"Domain": "Sales"}
        assert client.get(account).json()["properties"]["number"] == 1
        assert client.get(account.replace("st1", "st2")).status_code == 200


def test_who_is_asked_for_by_one_sandbox_is_not_by_another(build_estate):
    """Estates that differ in nothing but who may read what."""
    folder = build_estate(ROLES)
    every = Client(folder).rows("resources | project id")
    described = json.loads((folder / "estate.json").read_text())
    roles = [{"scope": f"/subscriptions/{TWO}", "role": "Reader"}]
    (folder / "estate.json").write_text(json.dumps({**described, "roles": roles}))
    some = Client(folder).rows("resources | project id")
    assert len(every) > len(some) == 1


@pytest.mark.parametrize("name", ["nowhere", "../estates", "", "/"])
def test_an_estate_that_is_none(name):
    with pytest.raises(SandboxError, match="no estate is called"):
        open_adapter(name)


@pytest.mark.parametrize("content", ["nonsense", "[]", "{}", '{"tenant": 1}', "\xff"])
def test_an_estate_that_cannot_be_read(build_estate, content):
    folder = build_estate(ROLES)
    (folder / "estate.json").write_text(content, encoding="latin-1")
    with pytest.raises(SandboxError, match=r"estate\.json"):
        open_adapter(folder)


@pytest.mark.parametrize("content", [None, "nonsense\n", "[1]\n"])
def test_rows_that_cannot_be_read(build_estate, content):
    folder = build_estate(ROLES)
    path = folder / "resources.jsonl"
    path.unlink()
    if content:
        path.write_text(content)
    with pytest.raises(SandboxError, match=r"estate\.json|resources\.jsonl"):
        open_adapter(folder)


def test_an_unknown_fault(build_estate):
    with pytest.raises(SandboxError, match="no fault is called 'nonsense'"):
        open_adapter(build_estate(ROLES), faults=["nonsense"])


def test_without_its_extra(build_estate, monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **options):
        if name.partition(".")[0] in ("duckdb", "duckdb_kql"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **options)

    for name in [name for name in sys.modules if name.startswith("sovereignmesh.sandbox.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SandboxError, match=r"needs duckdb, .*pip install 'sovereignmesh\[sandbox\]'"):
        open_adapter(build_estate(ROLES))


def test_nothing_heavy_comes_along():
    code = (
        "import sovereignmesh.sandbox as s; s.estates(); list(s.FAULTS); import sys; "
        "print(*[name for name in ('duckdb', 'duckdb_kql', 'azure', 'requests', 'antlr4') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == []


def test_the_sdk_above_it(build_estate):
    with open_sandbox(build_estate(ROLES), page_size=1) as azure:
        assert [found.id for found in list_subscriptions(azure)][:2] == [ONE, TWO]


def test_tokens_differ():
    credential = SandboxCredential()
    first, second = credential.get_token("x"), credential.get_token("x")
    assert first.token != second.token
    credential.close()


def test_many_threads_at_once(build_estate):
    client = Client(build_estate(ROLES), page_size=2)
    found = []

    def ask(number):
        query = f"resources | where properties.number != {number} | project id, name | order by id asc"
        found.append(client.post_query(query).json()["totalRecords"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert min(found) >= 4


@pytest.mark.parametrize("name", [name for name in estates() if name == "contoso"])
def test_a_packaged_estate_comes_out_as_it_went_in(name):
    client = Client(name)
    shown = {}
    for table in ("resources", "resourcecontainers"):
        token = {}
        while True:
            page = client.query(f"{table} | extend apiVersion | order by id asc", **token)
            shown |= {row["id"]: row for row in page["data"]}
            if "$skipToken" not in page:
                break
            token = {"token": page["$skipToken"]}
    for row in load_estate(name).rows:
        known = shown[row["id"]]
        different = {key for key, value in row.items() if known[key] != value}
        assert not different, (row["id"], different)
