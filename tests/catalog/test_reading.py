"""Reading every asset: pages, counts, lookups together, and what goes wrong in the middle."""

from collections import Counter

import pytest
from catalog.conftest import Account, asset, collection, entity

from sovereignmesh.azure.purview.datamap import AT_ONCE
from sovereignmesh.catalog.reading import CatalogReading
from sovereignmesh.catalog.settling import Settled
from sovereignmesh.errors import AnswerError, ClosedNetworkError, DeniedError, SignInError, UnreachableError


def hits(count, start=0, **changes):
    return [asset(start + number, **changes) for number in range(count)]


def read(account, *names, in_doubt=lambda read: not read.asset.description):
    reading = CatalogReading(account, [collection(name) for name in names], in_doubt)
    found = list(reading)
    return found, {scope.id: scope for scope in reading.scopes(str)}, reading


def test_every_page_of_every_collection():
    account = Account({"a": hits(5), "b": hits(3, 10), "c": []})
    found, scopes, reading = read(account, "a", "b", "c")
    assert len({each.asset.id for each in found}) == len(found) == 8
    assert {each.collection for each in found} == {"a", "b"}
    assert [(scopes[name].state, scopes[name].read, scopes[name].expected) for name in "abc"] == [
        ("read", 5, 5), ("read", 3, 3), ("read", 0, 0),
    ]  # fmt: skip
    assert (reading.done, reading.total) == (8, 8)
    assert account.asked == []


def test_those_in_doubt_are_looked_up_together():
    doubted = hits(2 * AT_ONCE + 7, description="")
    account = Account({"a": [*doubted, *hits(5, 1000)]}, map(entity, doubted), size=1000)
    found, _, _ = read(account, "a")
    assert sorted(map(len, account.asked)) == [7, AT_ONCE, AT_ONCE]
    assert sum(each.entity is not None for each in found) == len(doubted)
    assert len(found) == len(doubted) + 5


def test_what_is_gone_since_the_search_is_said():
    gone, there = hits(2, description="")
    found, _, _ = read(Account({"a": [gone, there]}, [entity(there)]), "a")
    missing = {each.asset.id: each.missing for each in found}
    assert "no more" in missing[gone.id]
    assert missing[there.id] == ""


def test_a_lookup_that_fails_loses_no_asset():
    account = Account({"a": hits(3, description="")})
    account.known = UnreachableError("no answer")
    found, scopes, reading = read(account, "a")
    assert [each.missing for each in found] == ["no answer"] * 3
    assert reading.unread == [(account.known, 3)]
    assert scopes["a"].state == "read"


@pytest.mark.parametrize(
    ("error", "after", "state"),
    [
        (DeniedError("no role"), 0, "denied"),
        (DeniedError("no role"), 1, "partial"),
        (AnswerError("a token again"), 2, "partial"),
        (UnreachableError("no answer"), 0, "failed"),
    ],
)
def test_a_collection_that_fails_is_told_and_the_others_are_read(error, after, state):
    account = Account({"a": hits(5), "b": hits(3, 10)})
    account.errors["a"] = (after, error)
    found, scopes, _ = read(account, "a", "b")
    assert len(found) == 2 * after + 3
    assert (scopes["a"].state, scopes["a"].reason) == (state, str(error))
    assert scopes["b"].state == "read"


@pytest.mark.parametrize("error", [SignInError("not signed in"), ClosedNetworkError("closed")])
def test_what_concerns_all_is_raised(error):
    account = Account({"a": hits(5)})
    account.errors["a"] = (1, error)
    with pytest.raises(type(error)):
        read(account, "a")


@pytest.mark.parametrize("total", [4, 6, 100_001])
def test_a_count_that_differs_is_a_hole(total):
    account = Account({"a": hits(5)})
    account.totals["a"] = total
    _, scopes, _ = read(account, "a")
    assert scopes["a"].state == "partial"
    assert f"counts {total:,} assets and gave 5" in scopes["a"].reason


def test_an_asset_that_comes_twice_is_one():
    found, scopes, reading = read(Account({"a": [*hits(2), *hits(2)]}), "a")
    assert (len(found), reading.repeated) == (2, 2)
    assert scopes["a"].state == "partial", "the other two are somewhere else"


def test_a_stop_leaves_what_was_not_read_unread():
    account = Account({"a": hits(5), "b": hits(3, 10)})
    reading = CatalogReading(account, [collection("a"), collection("b")], lambda _: False)
    found = []
    for each in reading:
        found.append(each)
        account.azure.pace.stop()
        break
    states = {scope.state for scope in reading.scopes(str)}
    assert states <= {"partial", "failed"}
    assert len(found) == 1


def test_an_asset_in_two_collections_is_one_and_the_count_tells():
    """It moved while the collections were read."""
    found, scopes, reading = read(Account({"a": hits(3), "b": hits(2)}), "a", "b")
    assert (len(found), reading.repeated) == (3, 2)
    assert "partial" in {scope.state for scope in scopes.values()}


TREE = {"top": ["Mid", "low"], "Mid": ["low"]}


def three(**options):
    return Account({"top": hits(3), "Mid": hits(5, 10), "low": hits(7, 20)}, **options)


@pytest.mark.parametrize("below", [{}, TREE])
@pytest.mark.parametrize("told", [str, str.upper, str.lower])
def test_a_hit_is_counted_where_it_says_that_it_is(below, told):
    """Whether the search of a collection finds what is below it is undocumented."""
    found, scopes, reading = read(three(below=below, told=told), "top", "Mid", "low")
    assert [(name, scope.state, scope.read, scope.expected) for name, scope in scopes.items()] == [
        ("low", "read", 7, 7), ("Mid", "read", 5, 5), ("top", "read", 3, 3),
    ]  # fmt: skip
    assert Counter(each.collection for each in found) == {"top": 3, "Mid": 5, "low": 7}
    assert (reading.done, reading.total) == (15, 15)


def test_what_is_settled_is_settled_where_it_says_that_it_is():
    account = three(below=TREE)
    asked = []

    def settle(hit, name):
        asked.append((hit.id, name))
        return Settled(hit.id, hit.type, name)

    reading = CatalogReading(
        account, [collection("top"), collection("Mid"), collection("low")], lambda _: False, settle
    )
    assert list(reading) == []
    assert reading.settled == {
        ("azure_sql_table", "top"): 3,
        ("azure_sql_table", "Mid"): 5,
        ("azure_sql_table", "low"): 7,
    }
    assert len(set(asked)) == 15, "each in one collection"


def test_what_only_another_search_finds_is_counted_for_its_own():
    """It moved while the collections were read: nobody else will tell of it."""
    account = Account({"a": hits(3)}, told=lambda _: "b")
    found, scopes, reading = read(account, "a", "b")
    assert {each.collection for each in found} == {"b"}
    assert (scopes["a"].state, scopes["a"].read, scopes["a"].expected) == ("read", 0, 0)
    assert (scopes["b"].state, scopes["b"].read, scopes["b"].expected) == ("partial", 3, 0)
    assert reading.total == 0, "the account counts three"


def test_hits_of_another_collection_hide_no_loss():
    """Two come twice in place of others, which are lost: what is of another collection is counted once."""
    account = three(below={"top": ["low"]})
    low = account.hits["low"]
    account.hits["low"] = [*low, *low[:2]]
    account.totals["top"] = 3 + len(low) + 2
    account.totals["low"] = len(low)
    _, scopes, _ = read(account, "top", "low")
    assert (scopes["top"].state, scopes["top"].read, scopes["top"].expected) == ("partial", 3, 5)
    assert scopes["low"].state == "read"


@pytest.mark.parametrize("told", [lambda _: None, lambda _: "", lambda _: "unlisted"])
def test_a_hit_of_no_collection_that_was_listed_is_of_the_one_that_was_asked(told):
    found, scopes, _ = read(Account({"a": hits(3)}, told=told), "a")
    assert {each.collection for each in found} == {"a"}
    assert (scopes["a"].state, scopes["a"].read) == ("read", 3)


def test_a_collection_that_is_denied_has_what_another_search_finds_of_it():
    account = three(below=TREE)
    account.errors["low"] = (0, DeniedError("no role"))
    found, scopes, _ = read(account, "top", "Mid", "low")
    assert len(found) == 15
    assert (scopes["low"].state, scopes["low"].read, scopes["low"].expected) == ("partial", 7, None)
