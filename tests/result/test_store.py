import random

import pytest

from sovereignmesh.result import Finding, FindingStore, finding_id


def finding(number, state="non-compliant", severity="high"):
    resource = f"/subscriptions/s/resourceGroups/g/providers/p/t/{number:05}"
    return Finding(
        id=finding_id("region", resource, ""), check="region", state=state, severity=severity, advisory=False,
        resource_id=resource, resource_name=str(number), resource_type="p/t", subscription_id="s", resource_group="g",
        location="eastus", domain="", subject="", expected="", actual="eastus", reason="outside-area", source="",
    )  # fmt: skip


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_the_order_is_the_same_however_much_is_spilled(limit):
    numbers = list(range(300))
    random.Random(4).shuffle(numbers)
    store = FindingStore(limit)
    for number in numbers:
        store.add(finding(number, severity=("high", "medium", "low")[number % 3]))
    listed = list(store)
    assert listed == sorted(listed, key=lambda found: found.order)
    assert len(listed) == len(store) == 300
    assert list(store) == listed, "it can be read again"


def test_two_readers_at_once_see_the_same():
    store = FindingStore(3)
    for number in range(20):
        store.add(finding(number))
    one, two = iter(store), iter(store)
    assert [next(one) == next(two) for _ in range(20)] == [True] * 20


def test_each_finding_is_kept_once():
    store = FindingStore(2)
    assert [store.add(finding(number)) for number in (1, 2, 3, 1, 2, 3)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("limit", [1, 100])
def test_a_failure_wins_over_a_pass_of_the_same_resource(limit):
    for states in (("compliant", "non-compliant"), ("non-compliant", "compliant")):
        store = FindingStore(limit)
        for state in states:
            store.add(finding(1, state))
        assert [found.state for found in store] == ["non-compliant"]
        assert len(store) == 1


def test_the_fingerprint_is_pinned():
    # Published ids must survive: people's tickets and baselines name them.
    assert finding_id("region", "/Subscriptions/A", "x") == finding_id("region", "/subscriptions/a", "x")
    assert finding_id("region", "/subscriptions/a", "x") == "3ef12fcff5cfd92e91c78a4b93f763be"
