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
    unread = list(lists.fill(turns))
    for place, told in take_turns(turns, pace):
        unread += list(lists.rows(place, told))
    return reader.asked[1:], [one.why for one in (*unread, *lists.rest())]


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
