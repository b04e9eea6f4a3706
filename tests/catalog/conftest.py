"""Meshes written by each test, assets and entities made by hand, and an account that answers from them."""

import gzip
import itertools
import json
import shutil
import textwrap
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from clock import Clock, pace_of

import sovereignmesh.sandbox
from sovereignmesh.azure.purview import Asset, Collection, Column, Entity, Source
from sovereignmesh.azure.purview.datamap import Hit, Page
from sovereignmesh.mesh import load_mesh

OWNER = "00000000-0000-0000-0000-0000000000aa"
LABEL = "Microsoft.Label.1c2d3e4f-0000-4000-8000-000000000001"
ROOT = "pview"
PACKAGED = Path(sovereignmesh.sandbox.__file__).with_name("estates")


def asset(number=1, **changes):
    """A hit that lacks nothing."""
    told = {
        "id": f"00000000-0000-4000-8000-{number:012x}",
        "name": f"table{number}",
        "qualified_name": f"mssql://sales-sql.database.windows.net/db/dbo/table{number}",
        "type": "azure_sql_table",
        "description": "What it is.",
        "owners": (OWNER,),
        "labels": (LABEL,),
    }
    return Asset(**(told | changes))


def worded(one, where=None):
    """An asset as a search words it, in a collection."""
    contacts = [{"id": owner, "contactType": "Owner"} for owner in one.owners]
    return {
        "id": one.id, "name": one.name, "qualifiedName": one.qualified_name, "entityType": one.type,
        "objectType": one.object_type, "description": one.description, "contact": contacts,
        "classification": list(one.classifications), "label": list(one.labels), "collectionId": where,
    }  # fmt: skip


def hit_of(one, where=None):
    """An asset as a hit, in a collection."""
    return msgspec.convert(worded(one, where), Hit)


def entity(hit, *, columns=(), description="", owners=(), classifications=(), relations=None):
    """The asset itself, which says as much as it is given."""
    related = {"columns": [{"guid": name} for name, _ in columns]} if relations is None else relations
    return Entity(
        hit.id, hit.type, hit.qualified_name, description, owners, classifications,
        tuple(Column(name, tuple(names)) for name, names in columns), {}, {"relationshipAttributes": related},
    )  # fmt: skip


def collection(name, title="", parent=ROOT):
    return Collection(name, title or name, parent)


def source(name, **properties):
    return Source(name, "AzureSqlDatabase", properties, ROOT)


class Account:
    """A Data Map in the process: hits by collection in pages of two, entities by guid, and what is to go wrong.

    `below` are collections, by one above them, whose assets its search finds too; `told` is what a hit says of its own.
    """

    def __init__(self, hits, entities=(), *, size=2, below=None, told=lambda name: name):
        self.azure = SimpleNamespace(pace=pace_of(Clock()))
        self.data_map = self
        self.hits, self.size, self.below, self.told = hits, size, below or {}, told
        self.known = {each.id: each for each in entities}
        self.errors = {}  # by collection: after how many pages, and what
        self.totals = {}
        self.asked = []

    def pages(self, query):
        name = query["collectionId"]
        inside = (name, *self.below.get(name, ()))
        hits = [hit_of(one, self.told(each)) for each in inside for one in self.hits.get(each, [])]
        after, error = self.errors.get(name, (None, None))
        for page in range(max(1, -(-len(hits) // self.size))):
            if page == after:
                raise error
            yield Page(hits[page * self.size : (page + 1) * self.size], self.totals.get(name, len(hits)))

    def entities(self, ids):
        self.asked.append(list(ids))
        if isinstance(self.known, Exception):
            raise self.known
        return {identity: self.known[identity] for identity in ids if identity in self.known}

    def entity(self, identity):
        return self.entities([identity]).get(identity)


@pytest.fixture
def write_mesh(tmp_path):
    """Loads documents as a mesh."""
    count = itertools.count()

    def write(*documents):
        folder = tmp_path / f"mesh-{next(count)}"
        folder.mkdir()
        for number, text in enumerate(documents):
            (folder / f"{number}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
        return load_mesh(folder)

    return write


FEW = ("microsoft.resources/subscriptions", "microsoft.purview/accounts")


@pytest.fixture(scope="session")
def write_estate(tmp_path_factory, fixtures):
    """Writes the sample estate with its Purview account and no other resource, which opens at once."""
    rows = (fixtures / "estates" / "contoso.jsonl").read_text().splitlines()
    few = [row for row in rows if json.loads(row)["type"].lower() in FEW]

    def write(assets=None, *, roles=None, objects=None):
        folder = tmp_path_factory.mktemp("estate")
        told = json.loads((PACKAGED / "contoso" / "estate.json").read_text())
        (folder / "resources.jsonl").write_text("\n".join(few))
        told |= {"resources": "resources.jsonl", "mesh": str(fixtures / "mesh" / "contoso")}
        del told["children"], told["policy"]
        account = told["purview"]["pview-customer-prod"]
        lines = (gzip.decompress((PACKAGED / "contoso" / account["assets"]).read_bytes())).decode().splitlines()
        kept = lines if assets is None else map(json.dumps, assets)
        (folder / "assets.jsonl").write_text("\n".join(kept))
        shutil.copy(PACKAGED / "contoso" / account["objects"], folder / "objects.json")
        if objects is not None:
            (folder / "objects.json").write_text(json.dumps(objects))
        account |= {"assets": "assets.jsonl", "objects": "objects.json", **({} if roles is None else {"roles": roles})}
        (folder / "estate.json").write_text(json.dumps(told))
        return folder

    return write


@pytest.fixture(scope="session")
def small(write_estate):
    """The sample estate, small, to be read by any number of tests."""
    return write_estate()


@pytest.fixture(scope="session")
def mesh(fixtures):
    return load_mesh(fixtures / "mesh" / "contoso")
