"""The reads of children: each is for something, what only a child tells has one, and bad entries are refused."""

import datetime as dt
import re

import pytest

from sovereignmesh.errors import FactsError
from sovereignmesh.facts import child_reads, find_resource_type, resource_types
from sovereignmesh.facts.children import load_reads
from sovereignmesh.yamlfile import parse

SUBSCRIPTION = "microsoft.resources/subscriptions"
KEYS = {"Microsoft.KeyVault/vaults/keys", "Microsoft.KeyVault/managedHSMs/keys"}
READS = [read for reads in child_reads().values() for read in reads]

# What only a child tells, and no GET lists: the reason.
NOT_READ = {
    ("Microsoft.Compute/restorePointCollections", "customer-managed-key"): (
        "restore points have no list; a collection gives them with $expand alone"
    ),
    ("Microsoft.NetApp/netAppAccounts/capacityPools/volumes", "replica-region"): (
        "the volume names its replicas where it has any; what lists them besides is a POST"
    ),
}
# Previews, where no stable version has what is read.
PREVIEWS = {
    ("Microsoft.Insights/diagnosticSettings", "2021-05-01-preview"): "the stable one knows one setting a resource",
    ("Microsoft.Insights/privateLinkScopes/privateEndpointConnections", "2021-07-01-preview"): "there is no stable one",
}
# Types that have a row without `child_of`: the reason.
WITHOUT_PARENT = {
    "Microsoft.Insights/diagnosticSettings": "an extension, which stands on many types",
    "Microsoft.SignalRService/SignalR/replicas": "tracked, with a location of its own: an inventory may list it too",
    "Microsoft.SignalRService/webPubSub/replicas": "tracked, with a location of its own: an inventory may list it too",
}


def left_to_children():
    """Every row and check, and the copy's name, whose answer the row leaves to a child."""
    for row in resource_types().values():
        for check, rule in row.rules.items():
            copies = getattr(rule, "copies", ())
            if getattr(rule, "absent", None) == "child" or any(copy.absent == "child" for copy in copies):
                yield row.name, check


@pytest.mark.parametrize(("name", "check"), sorted(left_to_children()))
def test_what_only_a_child_tells_is_read(name, check):
    read_for = [read.child for read in child_reads().get(name.lower(), ()) if check in read.checks]
    assert bool(read_for) != ((name, check) in NOT_READ), "either a read, or a reason why there is none"


def test_each_reason_is_needed():
    assert NOT_READ.keys() <= set(left_to_children())
    assert PREVIEWS.keys() == {(read.child, read.api_version) for read in READS if "preview" in read.api_version}
    listed_below = {read.child for read in READS if read.parent != SUBSCRIPTION}
    orphans = {child for child in listed_below if not find_resource_type(child).child_of}
    assert orphans == WITHOUT_PARENT.keys()


@pytest.mark.parametrize("read", READS, ids=lambda read: f"{read.parent} {read.path}")
def test_a_read_is_of_a_known_child_of_a_known_parent(read):
    child = find_resource_type(read.child)
    assert child is not None
    assert read.checks, "nothing would be judged by it"
    if read.parent != SUBSCRIPTION:
        assert find_resource_type(read.parent) is not None
    if read.child not in WITHOUT_PARENT and read.parent != SUBSCRIPTION:
        assert child.child_of is not None
        assert child.child_of.lower() == read.parent


@pytest.mark.parametrize("read", READS, ids=lambda read: f"{read.parent} {read.path}")
def test_a_read_can_be_asked(read):
    assert dt.date.fromisoformat(read.api_version.removesuffix("-preview"))
    assert set(re.findall(r"{(\w*)}", read.path)) <= {"group", "location", "key"}
    assert not set("?#& ") & set(read.path)
    assert ("{key}" in read.path) == (read.child in KEYS)
    assert not read.path.startswith("/") or read.parent != SUBSCRIPTION, "a list of the subscription needs no slash"


def test_no_resource_is_asked_twice_for_the_same():
    asked = [(read.parent, read.path.lower()) for read in READS]
    assert len(asked) == len(set(asked))


GOOD = """
Microsoft.Storage/storageAccounts:
  - child: Microsoft.Storage/storageAccounts/objectReplicationPolicies
    list: objectReplicationPolicies
    api_version: '2025-01-01'
    source: https://learn.microsoft.com/rest/api/storagerp/object-replication-policies/list
    checked: '2026-11-29'
    bucket: storage-lists
    unless: [{at: kind, is: [Storage], because: such an account has none}]
"""


def load(text):
    return load_reads(parse(text.encode(), "test.yaml").value, "facts/children/test.yaml")


def test_a_complete_entry_loads():
    (read,) = load(GOOD)
    assert (read.parent, read.path, read.many) == (
        "microsoft.storage/storageaccounts",
        "objectReplicationPolicies",
        True,
    )
    assert read.checks == {"replica-region"}


# What is changed, and what the loader says.
BAD = {
    "no child": (r"child: .*", "title: policies", "means nothing here"),
    "a child without a row": (
        r"objectReplicationPolicies\n    list", "inventories\n    list", "has no row that answers"
    ),
    "a child that answers no check": (
        r"child: .*", "child: Microsoft.Network/routeTables", "has no row that answers a check"
    ),
    "neither list nor get": (r"    list: .*\n", "", "needs one of `list` and `get`"),
    "both list and get": (r"(    list: .*\n)", r"\1    get: policies/one" + "\n", "needs one of `list` and `get`"),
    "no version": (r"    api_version: .*\n", "", "`api_version` is none"),
    "a version that is none": (r"'2025-01-01'", "latest", "`api_version` is none"),
    "no source": (r"    source: .*\n", "", "`source` must be"),
    "a source that is none": (r"source: \S+", "source: everybody knows", "`source` must be"),
    "no date": (r"    checked: .*\n", "", "`checked` must be"),
    "a date that is none": (r"'2026-11-29'", "'29 November'", "`checked` must be"),
    "an unknown bucket": (r"storage-lists", "storage-writes", "`bucket` is one of"),
    "an unknown meaning of 404": (r"(    bucket: .*)", r"\1" + "\n    missing: maybe", "`missing` means nothing here"),
    "a case without a reason": (r", because: [^}]*", "", "`because` is missing"),
    "a broken expression": (r"at: kind", "at: kind..of", "is not JMESPath"),
    "an unknown key": (r"(    bucket: .*)", r"\1" + "\n    bukcet: none", "`bukcet` means nothing here"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_entry_is_refused(case):
    pattern, change, message = BAD[case]
    text, count = re.subn(pattern, change, GOOD, count=1)
    assert count
    with pytest.raises(FactsError, match=re.escape(message)) as error:
        load(text)
    assert "facts/children/test.yaml: Microsoft.Storage/storageAccounts" in str(error.value)
