"""The sandbox with a clock of the test's own, and an estate that is small enough for many runs."""

import gzip
import json

import pytest
from audit.estates import DEVELOPMENT, subscription_of
from clock import open_still

from sovereignmesh.mesh import load_mesh
from sovereignmesh.sandbox import estate_mesh


@pytest.fixture
def open_estate():
    def open_estate(estate="contoso", faults=(), deadline=None, page_size=100):
        return open_still(estate, faults=faults, deadline=deadline, page_size=page_size)

    return open_estate


@pytest.fixture(scope="module")
def mesh():
    return load_mesh(estate_mesh("contoso"))


def lines(path):
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def pack(path, rows):
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """An estate of the three development subscriptions: many runs on it take little time. Its folder and its rows."""
    source = estate_mesh("contoso").parent
    about = json.loads((source / "estate.json").read_text())
    del about["purview"]  # what is in an account is none of its resources
    about["subscriptions"] = {key: about["subscriptions"][key] for key in DEVELOPMENT}
    folder = tmp_path_factory.mktemp("small")
    (folder / "estate.json").write_text(json.dumps(about))
    kept = [row for row in lines(source / about["resources"]) if subscription_of(row["id"]) in DEVELOPMENT]
    pack(folder / about["resources"], kept)
    there = {"", *DEVELOPMENT}  # and what is in no subscription
    for name in (about[key] for key in ("children", "policy") if key in about):
        every = lines(source / name)
        pack(folder / name, [row for row in every if row.get("subscriptionId", subscription_of(row["id"])) in there])
    return folder, kept
