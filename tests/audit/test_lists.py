"""Lists of subscriptions by region: asked wherever the provider says; a gap where it does not."""

import pytest

from sovereignmesh.audit.checkpoint import KeepingReader
from sovereignmesh.audit.lists import Lists
from sovereignmesh.azure import Buckets, Pace, Told, Turns, take_turns
from sovereignmesh.facts import child_reads

READS = [read for read in child_reads()["microsoft.resources/subscriptions"] if "longTermRetentionBackups" in read.path]
KIND = "locations/longTermRetentionBackups"


class Reader:
    def __init__(self, provider):
        self.provider, self.asked = provider, []

    def read(self, asks):
        self.asked += [ask.path for ask in asks]
        return [self.provider if ask.path.endswith("/Microsoft.Sql") else Told([], "", "now") for ask in asks]


def outcome(provider):
    """The paths that were asked for after the provider's, and why some were not."""
    reader, pace = Reader(provider), Pace()
    lists = Lists(KeepingReader(reader, None), Buckets(pace.clock), pace, READS, {"s": "/subscriptions/s"})
    turns = Turns(Buckets(pace.clock))
    lists.fill(turns)
    for place, told in take_turns(turns, pace):
        assert list(lists.rows(place, told)) == []
    return reader.asked[1:], [one.why for one in lists.rest()]


def provider(state="Registered", kinds=({"resourceType": KIND, "locations": ["West Europe", "UK South"]},)):
    return Told([{"registrationState": state, "resourceTypes": kinds and list(kinds)}], "", "now")


def test_every_region_that_the_provider_names_is_asked():
    asked, why = outcome(provider())
    assert [path.rpartition("/locations/")[2] for path in asked] == [
        "uksouth/longTermRetentionBackups", "westeurope/longTermRetentionBackups",
    ]  # fmt: skip
    assert why == []


def test_where_the_provider_was_never_used_there_is_nothing():
    assert outcome(provider(state="NotRegistered")) == ([], [])


@pytest.mark.parametrize(
    "answer",
    [provider(kinds=()), provider(kinds=None), provider(kinds=({"resourceType": KIND, "locations": []},)),
     provider(kinds=({"resourceType": KIND},)),
     provider(kinds=("x", {"resourceType": "servers", "locations": ["UK South"]})),
     Told([{}], "", "now"), Told([], "403 AuthorizationFailed", "now")],
)  # fmt: skip
def test_a_provider_that_does_not_say_where_is_a_gap(answer):
    asked, why = outcome(answer)
    assert asked == []
    assert len(why) == 1
    assert "could not be read" in why[0]


def answered(*items, name="/subscriptions/s"):
    """The rows that one list of that subscription gives."""
    (read,) = [one for one in child_reads()["microsoft.resources/subscriptions"] if "diagnosticSettings" in one.path]
    pace = Pace()
    lists = Lists(KeepingReader(Reader(None), None), Buckets(pace.clock), pace, [read], {"s": name})
    turns = Turns(Buckets(pace.clock))
    lists.fill(turns)
    ((place, _),) = take_turns(turns, pace)
    return list(lists.rows(place, Told(list(items), "", "now")))


@pytest.mark.parametrize(
    ("written", "identity"),
    [
        ("/subscriptions/s/providers/p/diagnosticSettings/d", "/subscriptions/s/providers/p/diagnosticSettings/d"),
        # so in Microsoft's examples
        ("subscriptions/S/providers/p/diagnosticSettings/d", "/subscriptions/S/providers/p/diagnosticSettings/d"),
        ("/subscriptions/other/providers/p/x/d", "/subscriptions/s/providers/Microsoft.Insights/diagnosticSettings/d"),
        (None, "/subscriptions/s/providers/Microsoft.Insights/diagnosticSettings/d"),
    ],
)
def test_what_a_subscription_lists_is_in_the_subscription(written, identity):
    (row,) = answered({"id": written, "name": "d", "type": None})
    assert row["id"] == identity
    assert row["type"] == "Microsoft.Insights/diagnosticSettings"


def test_items_without_a_name_are_not_one():
    assert len({row["id"] for row in answered({}, {"name": 7}, {"id": "x"})}) == 3


def test_a_list_that_cannot_be_read_in_many_regions_is_one_gap():
    reader, pace = Reader(provider()), Pace()
    lists = Lists(KeepingReader(reader, None), Buckets(pace.clock), pace, READS, {"s": "/subscriptions/s"})
    turns = Turns(Buckets(pace.clock))
    lists.fill(turns)
    for place, _ in take_turns(turns, pace):
        assert list(lists.rows(place, Told([], "503 Down", "now"))) == []
    (gap,) = lists.rest()
    assert gap.why.endswith("longTermRetentionBackups in 2 regions could not be read: 503 Down")
    assert list(lists.rest()) == []
