"""The seed's estate with its workflows, a mesh to ask by, and a record, in time that nobody waits for."""

import datetime as dt
import json

import pytest
from clock import open_still

import sovereignmesh as sm
from sovereignmesh.sandbox.estate import estate_folder, estate_mesh

CALLER, OTHER = "00000000-0000-0000-0000-00005eed0001", "00000000-0000-0000-0000-00005eed0002"


@pytest.fixture
def build_seed(tmp_path):
    """The estate of the seed, with another word on its account."""

    def build(**account):
        described = json.loads((estate_folder("seed") / "estate.json").read_text())
        described["purview"]["sovereign-purview"] |= account
        folder = tmp_path / "estate"
        folder.mkdir()
        for name in ("resources", "children"):
            (folder / described[name]).write_bytes((estate_folder("seed") / described[name]).read_bytes())
        (folder / "estate.json").write_text(json.dumps(described))
        return folder

    return build


@pytest.fixture
def open_azure(open_azure):
    """Sandboxes of another estate than most tests have."""
    return lambda estate="seed", **options: open_azure(estate, **options)


@pytest.fixture(scope="session")
def mesh():
    return sm.load_mesh(estate_mesh("seed"))


@pytest.fixture(scope="session")
def made(tmp_path_factory, mesh):
    """What a state holds in which the account is as the mesh wishes."""
    file = tmp_path_factory.mktemp("seed") / "state.json"
    with open_still("seed", state=file) as azure:
        assert sm.apply_purview(sm.plan_purview(azure, mesh)).complete
    return file.read_bytes()


@pytest.fixture
def state(tmp_path, made):
    file = tmp_path / "state.json"
    file.write_bytes(made)
    return file


@pytest.fixture
def azure(state, open_azure):
    return open_azure(state=state)


@pytest.fixture
def record(tmp_path):
    return sm.AccessRecord(tmp_path / "record.jsonl", lambda: dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC))
