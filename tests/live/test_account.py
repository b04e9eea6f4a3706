"""The journeys on a real account: `az login`, then `scripts/test -m live`. They only read."""

import pytest

from sovereignmesh.audit import audit_azure
from sovereignmesh.azure import connect, diagnose, list_locations, list_subscriptions
from sovereignmesh.facts import find_region
from sovereignmesh.mesh import load_mesh
from sovereignmesh.sandbox import estate_mesh

pytestmark = [pytest.mark.live, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def azure():
    with connect() as connection:
        yield connection


def test_the_doctor_finds_no_fault_of_ours(azure):
    found = list(diagnose(azure, lambda name: find_region(name) is not None))
    assert not [diagnosis for diagnosis in found if diagnosis.state in ("sign-in", "network")]


def test_regions_are_known(azure):
    subscription = next(iter(list_subscriptions(azure)))
    assert [
        location.name for location in list_locations(azure, subscription.id) if not find_region(location.name)
    ] == []


def test_what_is_readable_is_read(azure):
    audit = audit_azure(azure, load_mesh(estate_mesh("contoso")))
    assert audit.coverage.resources
    assert not [scope for scope in audit.coverage.scopes if scope.state == "failed"]
