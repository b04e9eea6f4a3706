"""Which subscriptions are read: by id, by name, below groups, less what is excluded, and what cannot be seen."""

import threading

import pytest

from sovereignmesh.azure import Subscription, find_asked
from sovereignmesh.errors import AnswerError, AzureError, DeadlineError, DeniedError, NotFoundError

A, B, C, D = (f"{letter * 8}-0000-0000-0000-000000000000" for letter in "abcd")
UNSEEN = "eeeeeeee-0000-0000-0000-000000000000"
NAMES = {A: "Sales", B: "Finance", C: "twin", D: "Twin"}
SEEN = {identity: Subscription(identity, name, "Enabled", "t") for identity, name in NAMES.items()}
GROUPS = "/providers/Microsoft.Management/managementGroups"


def listed(service, identities=(A, B, C, D)):
    service.says(
        "/subscriptions",
        {"value": [{"subscriptionId": identity.upper(), "displayName": NAMES[identity], "state": "Enabled",
                    "tenantId": "t"} for identity in identities]},
    )  # fmt: skip


def group(service, name, identities):
    value = [{"name": identity, "type": "Microsoft.Management/managementGroups/subscriptions",
              "properties": {"displayName": NAMES.get(identity, "hidden")}} for identity in identities]  # fmt: skip
    service.says(f"{GROUPS}/{name}/descendants", {"value": value})


def no_group(service, name, status=404, above=None):
    """A group that may not be listed; `above` says by subscription in which groups Resource Graph shows it."""
    service.says(f"{GROUPS}/{name}/descendants", (status, {"error": {"code": "AuthorizationFailed", "message": "no"}}))
    rows = [
        {"subscriptionId": identity.upper(), "ancestors": [{"name": group.upper()} for group in groups]}
        for identity, groups in (above or {}).items()
    ]
    service.graph({"totalRecords": len(rows), "count": len(rows), "data": rows, "resultTruncated": "false"})


def visible(asked):
    return [subscription.id for subscription in asked.visible]


def test_without_a_wish_all_that_can_be_seen_is_read(azure, service):
    listed(service)
    asked = find_asked(azure)
    assert asked.visible == tuple(SEEN.values())
    assert (asked.unseen, asked.excluded, asked.management_groups) == ((), (), ())
    assert asked.denominator == "visible-only"


@pytest.mark.parametrize(
    "name", [A, A.upper(), f"/subscriptions/{A}", f"/subscriptions/{A}/", "Sales", "SALES", "sales"]
)
def test_a_subscription_is_known_by_id_and_by_name(azure, service, name):
    listed(service)
    asked = find_asked(azure, subscriptions=[name])
    assert asked.visible == (SEEN[A],)
    assert asked.unseen == ()
    assert asked.denominator == "asked"


def test_a_subscription_that_is_named_twice_is_read_once(azure, service):
    listed(service)
    assert visible(find_asked(azure, subscriptions=[B, "finance", A])) == [A, B]


@pytest.mark.parametrize("name", ["twin", "TWIN"])
def test_a_name_of_several_is_refused(azure, service, name):
    listed(service)
    with pytest.raises(AzureError, match=rf"2 subscriptions are called '{name}': give an id: {C}, {D}"):
        find_asked(azure, subscriptions=[name])
    assert visible(find_asked(azure, subscriptions=[D])) == [D]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (UNSEEN, Subscription(UNSEEN, UNSEEN, "", "")),
        (UNSEEN.upper(), Subscription(UNSEEN, UNSEEN.upper(), "", "")),
        (f"/subscriptions/{UNSEEN}", Subscription(UNSEEN, f"/subscriptions/{UNSEEN}", "", "")),
        ("Hidden", Subscription("Hidden", "Hidden", "", "")),
    ],
)
def test_what_cannot_be_seen_is_told(azure, service, name, found):
    listed(service)
    asked = find_asked(azure, subscriptions=[A, name])
    assert visible(asked) == [A]
    assert asked.unseen == (found,)


def test_where_nothing_that_is_asked_for_can_be_seen_there_is_nothing_to_read(azure, service):
    listed(service)
    with pytest.raises(DeniedError, match=rf"{UNSEEN}, hidden: .* you can see Finance, Sales, Twin, twin"):
        find_asked(azure, subscriptions=[UNSEEN, "hidden"])


def test_a_management_group_is_what_is_below_it(azure, service):
    listed(service)
    group(service, "mg-a", [B, A, UNSEEN])
    asked = find_asked(azure, management_groups=["mg-a"])
    assert asked.visible == (SEEN[A], SEEN[B])
    assert asked.unseen == (Subscription(UNSEEN, "hidden", "", ""),)
    assert asked.management_groups == ("mg-a",)
    assert asked.denominator == "asked"


def test_a_management_group_may_be_given_by_its_id(azure, service):
    listed(service)
    group(service, "mg-a", [A])
    asked = find_asked(azure, management_groups=[f"{GROUPS}/mg-a"])
    assert visible(asked) == [A]
    assert asked.management_groups == ("mg-a",)


def test_groups_and_subscriptions_add_up(azure, service):
    listed(service)
    group(service, "mg-a", [A])
    group(service, "mg-b", [A, B])
    assert visible(find_asked(azure, subscriptions=[C], management_groups=["mg-a", "mg-b"])) == [A, B, C]


def test_a_group_that_may_not_be_listed_says_which_role_is_missing(azure, service):
    listed(service)
    no_group(service, "mg-a", 403)
    with pytest.raises(DeniedError, match=r"Microsoft\.Management/managementGroups/descendants/read") as caught:
        find_asked(azure, management_groups=["mg-a"])
    assert (caught.value.status, caught.value.code) == (403, "AuthorizationFailed")


def test_of_a_group_that_may_not_be_listed_what_can_be_seen_is_read(azure, service):
    listed(service)
    no_group(service, "mg-a", 403, {A: ["mg-a", "root"], B: ["mg-b", "root"], C: [], UNSEEN: ["mg-a"]})
    asked = find_asked(azure, management_groups=["mg-a"])
    assert visible(asked) == [A]
    assert asked.unseen == ()
    assert list(asked.unlisted) == ["mg-a"]
    assert "Microsoft.Management/managementGroups/descendants/read" in asked.unlisted["mg-a"]
    assert "not known to be below it or elsewhere: twin, Twin" in asked.unlisted["mg-a"]
    (body,) = service.asked_of_graph
    assert body["subscriptions"] == [A, B, C, D]


def test_who_sees_nothing_asks_for_no_ancestors(azure, service):
    """A query without subscriptions would be one of the whole tenant."""
    listed(service, [])
    no_group(service, "mg-a", 403, {A: ["mg-a"]})
    with pytest.raises(DeniedError, match="descendants/read"):
        find_asked(azure, management_groups=["mg-a"])
    assert service.asked_of_graph == []


def test_of_a_group_that_may_not_be_listed_what_can_be_seen_is_excluded(azure, service):
    listed(service)
    no_group(service, "mg-a", 403, {A: ["mg-a"], B: ["mg-b"]})
    assert visible(find_asked(azure, exclude=["mg-a"])) == [B, C, D]


def test_a_group_that_is_not_there_is_an_error(azure, service):
    listed(service)
    no_group(service, "mg-a")
    with pytest.raises(NotFoundError, match="mg-a"):
        find_asked(azure, management_groups=["mg-a"])


def test_a_group_without_a_subscription_is_an_error(azure, service):
    listed(service)
    group(service, "mg-a", [])
    with pytest.raises(AzureError, match="mg-a"):
        find_asked(azure, management_groups=["mg-a"])


@pytest.mark.parametrize("name", [B, B.upper(), f"/subscriptions/{B}", "finance", "Finance"])
def test_a_subscription_can_be_excluded(azure, service, name):
    listed(service)
    asked = find_asked(azure, exclude=[name])
    assert visible(asked) == [A, C, D]
    assert asked.excluded == (SEEN[B],)


def test_all_below_a_group_can_be_excluded(azure, service):
    listed(service)
    group(service, "mg-a", [A, B, UNSEEN])
    asked = find_asked(azure, exclude=["mg-a"])
    assert visible(asked) == [C, D]
    assert asked.excluded == (SEEN[A], SEEN[B])


def test_what_cannot_be_seen_can_be_excluded(azure, service):
    listed(service)
    group(service, "mg-a", [A, UNSEEN])
    asked = find_asked(azure, management_groups=["mg-a"], exclude=[UNSEEN])
    assert visible(asked) == [A]
    assert asked.unseen == ()


@pytest.mark.parametrize("status", [403, 404])
def test_an_exclusion_that_fits_nothing_is_refused(azure, service, status):
    listed(service)
    no_group(service, "finanse", status)
    with pytest.raises(AzureError, match="--exclude finanse: neither") as caught:
        find_asked(azure, exclude=["finanse"])
    assert type(caught.value) is AzureError


def test_an_exclusion_of_a_group_with_nothing_that_is_read_is_refused(azure, service):
    listed(service)
    group(service, "mg-b", [B])
    with pytest.raises(AzureError, match="mg-b"):
        find_asked(azure, subscriptions=[A], exclude=["mg-b"])


def test_an_exclusion_of_what_is_not_asked_for_is_refused(azure, service):
    listed(service)
    no_group(service, "finance")
    with pytest.raises(AzureError, match="--exclude finance"):
        find_asked(azure, subscriptions=[A], exclude=["finance"])


def test_something_must_be_left(azure, service):
    listed(service, [A])
    with pytest.raises(AzureError, match="every subscription is excluded"):
        find_asked(azure, exclude=[A])


def test_something_must_be_there(azure, service):
    listed(service, [])
    with pytest.raises(AzureError, match="you can see no subscription"):
        find_asked(azure)


def test_what_the_mesh_expects_is_added_to_what_can_be_seen(azure, service):
    listed(service, [A, B])
    asked = find_asked(azure, expected=["SALES", UNSEEN])
    assert asked.visible == (SEEN[A], SEEN[B])
    assert [subscription.id for subscription in asked.unseen] == [UNSEEN]
    assert asked.denominator == "visible-only"


def test_where_nothing_can_be_seen_what_the_mesh_expects_is_named(azure, service):
    listed(service, [])
    with pytest.raises(DeniedError, match=rf"{UNSEEN}: .* you can see no subscription at all"):
        find_asked(azure, expected=[UNSEEN])


def test_a_list_that_names_one_twice_is_asked_for_again(azure, service):
    """Pages shift while they are read: what comes twice may have pushed another out."""
    item = {"subscriptionId": A, "displayName": "Sales"}
    service.says("/subscriptions", {"value": [item, item]}, {"value": [item, {"subscriptionId": B}]})
    assert visible(find_asked(azure)) == [A, B]
    service.mock.reset()
    service.says("/subscriptions", {"value": [item, item]})
    with pytest.raises(AnswerError, match="twice"):
        find_asked(azure)


@pytest.mark.parametrize("wish", [{"subscriptions": [A]}, {"management_groups": ["mg-a"]}])
def test_what_the_mesh_expects_does_not_count_where_something_is_asked_for(azure, service, wish):
    listed(service)
    group(service, "mg-a", [A])
    asked = find_asked(azure, **wish, expected=[B, UNSEEN])
    assert (visible(asked), asked.unseen) == ([A], ())


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
@pytest.mark.parametrize("kind", ["subscriptions", "management_groups", "exclude"])
def test_a_blank_name_is_refused(azure, service, kind, name):
    with pytest.raises(AzureError, match="names no subscription and no management group"):
        find_asked(azure, **{kind: [A, name]})
    assert service.requests == []


def test_an_ambiguous_name_of_the_mesh_is_said_to_be_the_mesh_s(azure, service):
    listed(service)
    with pytest.raises(
        AzureError, match=r"a domain of the mesh lists a subscription: 2 subscriptions are called 'twin'"
    ):
        find_asked(azure, expected=["twin"])


def test_a_group_that_is_given_by_its_id_and_may_not_be_listed_is_known_by_its_name(azure, service):
    listed(service)
    no_group(service, "mg-a", 403, {A: ["mg-a"], B: ["mg-b"], C: ["mg-b"], D: ["mg-b"]})
    asked = find_asked(azure, management_groups=[f"{GROUPS}/mg-a/"])
    assert (visible(asked), list(asked.unlisted), asked.management_groups) == ([A], ["mg-a"], ("mg-a",))
    assert "not known" not in asked.unlisted["mg-a"]


def test_what_hangs_ends_with_the_time(azure, service, clock):
    """A list that never comes holds nobody up once the time is up."""
    hang = threading.Event()

    def hanging(request):
        clock.now += 11
        hang.wait(60)
        return {"value": []}

    azure.begin(10)
    service.says("/subscriptions", hanging)
    try:
        with pytest.raises(DeadlineError, match="before anything could be read"):
            find_asked(azure)
    finally:
        hang.set()
