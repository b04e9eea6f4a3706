"""What a collection without an asset proves: nothing where assets may be in it."""

import threading
from types import SimpleNamespace

import pytest
from catalog.conftest import collection
from clock import Clock, pace_of

from sovereignmesh.azure.purview import Scan
from sovereignmesh.catalog.coverage import scopes_of
from sovereignmesh.catalog.opening import Catalog
from sovereignmesh.catalog.placing import Places
from sovereignmesh.errors import DeniedError
from sovereignmesh.result import Scope

TREE = [collection("pview", parent=""), collection("Sales"), collection("old", parent="Sales"), collection("other")]


class Account:
    """An account with sources in collections, and their scans."""

    def __init__(self, scans=None):
        self.azure = SimpleNamespace(pace=pace_of(Clock()))
        self.scans = self
        self.told, self.asked = scans or {}, []

    def list(self, source):
        self.asked.append(source)
        found = self.told.get(source, [])
        if isinstance(found, Exception):
            raise found
        return iter(found)


@pytest.fixture
def scopes(write_mesh):
    """The scopes by name, of which those in `read` have so many assets and no other has any."""
    mesh = write_mesh("governancePolicies: {dataCatalog: {requireOwner: true}}")

    def scopes(account, sources, error=None, **read):
        catalog = Catalog(account, Places(mesh, TREE, ()), TREE, sources, error, ())
        told = [Scope("collection", one.name, one.name, "read", read.get(one.name, 0), 0) for one in TREE]
        return {scope.id: scope for scope in scopes_of(catalog, SimpleNamespace(scopes=lambda _: told))}

    return scopes


def scan(name, where):
    return Scan(name, "AzureSqlDatabaseMsi", {}, where)


def test_a_collection_that_is_scanned_into_is_in_doubt(scopes):
    account = Account({"sql": [scan("orders", "SALES"), scan("all", "pview")], "lake": [scan("weekly", "other")]})
    found = scopes(account, {"pview": ["sql", "lake"]}, pview=3)
    assert (found["Sales"].state, found["other"].state, found["old"].state) == ("partial", "partial", "read")
    assert "sql/orders" in found["Sales"].reason
    assert "sql/all" not in found["Sales"].reason
    assert "Data Reader" in found["Sales"].reason
    assert "lake/weekly" in found["other"].reason
    assert sorted(account.asked) == ["lake", "sql"], "each once"


def test_a_source_is_asked_only_where_its_scans_may_lead_to_what_seems_empty(scopes):
    account = Account()
    sources = {"sales": ["sql"], "other": ["lake"], "pview": ["top"]}
    assert {scope.state for scope in scopes(account, sources, pview=1, Sales=1, old=1, other=1).values()} == {"read"}
    assert account.asked == []
    assert scopes(account, sources, pview=1, Sales=1, other=1)["old"].state == "read"
    assert sorted(account.asked) == ["sql", "top"]


def test_a_collection_with_sources_is_in_doubt_whatever_its_scans_say(scopes):
    account = Account()
    found = scopes(account, {"other": ["lake"]}, Sales=1, old=1)
    assert (found["other"].state, found["pview"].state) == ("partial", "read")
    assert account.asked == []


def test_scans_that_cannot_be_listed_are_no_proof(scopes):
    account = Account({"sql": DeniedError("you lack a role"), "lake": [scan("weekly", "other")]})
    found = scopes(account, {"pview": ["sql", "lake"]}, pview=1)
    assert {scope.state for name, scope in found.items() if name != "pview"} == {"partial"}
    assert "lake/weekly" in found["other"].reason
    assert found["old"].reason.endswith("whether a scan of sql leads into it could not be read: you lack a role")


def test_a_run_that_is_stopped_lists_no_scans(scopes):
    account, over = Account(), threading.Event()
    account.list = lambda _: over.wait(60)
    account.azure.pace.stop()
    assert "the time given was up" in scopes(account, {"pview": ["sql"]}, pview=1)["other"].reason
    over.set()


def test_sources_that_cannot_be_listed_are_no_proof(scopes):
    found = scopes(Account(), {}, DeniedError("you lack a role"), pview=1)
    assert {scope.state for name, scope in found.items() if name != "pview"} == {"partial"}
