"""A mesh for the seed's estate, written by each test, and plans for it in time that nobody waits for."""

import itertools
import re
import textwrap

import pytest

from sovereignmesh.mesh import load_mesh
from sovereignmesh.purview import apply_purview, plan_purview
from sovereignmesh.sandbox import estate_mesh

SUBSCRIPTION = "/subscriptions/77777777-7777-7777-7777-777777777777"
SQL = f"{SUBSCRIPTION}/resourceGroups/sales-rg/providers/Microsoft.Sql/servers/sales-sql"
LAKE = f"{SUBSCRIPTION}/resourceGroups/sales-rg/providers/Microsoft.Storage/storageAccounts/saleslake"
FILES = f"{SUBSCRIPTION}/resourceGroups/customer-rg/providers/Microsoft.Storage/storageAccounts/customerfiles"
WORDS = {"SQL": SQL, "LAKE": LAKE, "FILES": FILES, "SUBSCRIPTION": SUBSCRIPTION}
WORD = re.compile("\\{(SQL|LAKE|FILES|SUBSCRIPTION)\\}")
POLICY = """
governancePolicies:
  dataResidency: {allowedRegions: [westeurope, northeurope]}
"""


@pytest.fixture
def write_mesh(tmp_path):
    """Writes documents as a mesh; {SQL} and the like are the estate's resources."""
    count = itertools.count()

    def write(*documents, policy=POLICY):
        folder = tmp_path / f"mesh-{next(count)}"
        folder.mkdir()
        for number, text in enumerate((policy, *documents)):
            filled = WORD.sub(lambda word: WORDS[word[1]], text)
            (folder / f"{number}.yaml").write_text(textwrap.dedent(filled), encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def seed():
    return load_mesh(estate_mesh("seed"))


@pytest.fixture
def open_azure(open_azure):
    """Sandboxes of another estate than most tests have."""
    return lambda estate="seed", **options: open_azure(estate, **options)


@pytest.fixture
def azure(open_azure):
    return open_azure()


@pytest.fixture
def settle(azure, write_mesh):
    """Plans documents, applies the plan, and gives the plan of the same documents after it."""

    def run(*documents, policy=POLICY, **options):
        mesh = load_mesh(write_mesh(*documents, policy=policy))
        outcomes = list(apply_purview(plan_purview(azure, mesh, **options), force=True))
        assert {outcome.state for outcome in outcomes} <= {"done"}, outcomes
        return plan_purview(azure, mesh, **options)

    return run


def names(plan):
    """What a plan does, in order."""
    return [f"{change.action} {change.item.kind} {change.item.name}" for change in plan.changes]
