"""What is called read: as many different rows as are counted, and a grant that shows them all; all else says why."""

import json
import sys
import threading

import pytest

from sovereignmesh.azure import Asked, AzureInventory, Subscription
from sovereignmesh.azure.share import Share
from sovereignmesh.errors import AnswerError, AzureError, DeniedError, UnreachableError

A, B, C = (f"{letter * 8}-0000-0000-0000-000000000000" for letter in "abc")
SEEN = {identity: Subscription(identity, f"sub-{identity[0]}", "Enabled", "t") for identity in (A, B, C)}
KIND = "Contoso.Any/things"
READER, NOBODY = {"actions": ["*/read"], "notActions": []}, {"actions": ["a/b/read"]}
DENIED = (403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
REFUSED = (400, {"error": {"code": "BadRequest", "message": "too long"}})
COUNT_CONTAINERS, COUNT_RESOURCES, CONTAINERS, TRIMMED, RESOURCES = KINDS = (
    "count containers", "count resources", "containers", "trimmed", "resources",
)  # fmt: skip
NO_COUNT = [
    {"rows": -1}, {"rows": True}, {"rows": "1"}, {"rows": 1.0}, {"rows": None}, {"rows": [1]}, {"subscriptionId": None},
    {"subscriptionId": 7},
]  # fmt: skip


def kind_of(query):
    table = "containers" if query.startswith("resourcecontainers") else "resources"
    if "summarize" in query:
        return f"count {table}"
    return TRIMMED if "case(" in query else table


def thing(identity, name):
    return {"id": f"/subscriptions/{identity}/resourceGroups/g/providers/{KIND}/{name}", "name": name, "type": KIND}


def container(identity):
    return {"id": f"/subscriptions/{identity}", "name": identity, "type": "microsoft.resources/subscriptions"}


def answer(rows, **more):
    return {"totalRecords": len(rows), "count": len(rows), "data": rows, "resultTruncated": "false", **more}


class Wire:
    """Resource Graph and the permissions: what there is by subscription, but for what `first` and `always` say.

    `first` are answers, by kind of query, that come before all others; `always` is one for all of a kind. An answer is
    a body, or a status and a body, or is made of the request's body.
    """

    def __init__(self, service):
        self.resources = {A: [thing(A, "one"), thing(A, "two")]}
        self.containers = {}
        self.first, self.always, self.asked = {}, {}, []
        self.grants = {}
        self.lock = threading.Lock()
        service.graph(self.reply)
        for identity in SEEN:
            path = f"/subscriptions/{identity}/providers/Microsoft.Authorization/permissions"
            service.says(path, lambda request, identity=identity: self.permissions(identity))

    def permissions(self, identity):
        granted = self.grants.get(identity, READER)
        return granted if isinstance(granted, tuple) else (200, {"value": [granted]})

    def reply(self, request):
        body = json.loads(request.body)
        kind = kind_of(body["query"])
        with self.lock:
            self.asked.append(kind)
            queue = self.first.get(kind)
            said = queue.pop(0) if queue else self.always.get(kind, self.usual)
        said = said(body) if callable(said) else said
        return said if isinstance(said, tuple) else (200, said)

    def usual(self, body):
        found = []
        for identity in body["subscriptions"]:
            is_container = body["query"].startswith("resourcecontainers")
            rows = self.containers.get(identity, [container(identity)]) if is_container else self.resources[identity]
            if "summarize" not in body["query"]:
                found += rows
            elif rows:
                found.append({"subscriptionId": identity.upper(), "rows": len(rows), "types": [KIND]})
        return answer(found)

    def counts(self, *rows, total=None):
        """An answer to a count of resources."""
        found = [{"subscriptionId": identity, "rows": count} for identity, count in rows]
        return answer(found, **({} if total is None else {"totalRecords": total}))


@pytest.fixture
def wire(service):
    return Wire(service)


@pytest.fixture
def read(azure):
    """The rows of the subscriptions, and their scopes by id."""

    def read(*identities, properties=None, **about):
        asked = Asked(
            visible=tuple(SEEN[identity] for identity in identities or (A,)),
            unseen=about.get("unseen", ()),
            unlisted=about.get("unlisted", {}),
            management_groups=(),
            excluded=(),
            denominator="asked",
        )
        inventory = AzureInventory(azure, asked, properties)
        rows = list(inventory)
        assert inventory.position == len(rows)
        return rows, {scope.id: scope for scope in inventory.scopes()}

    return read


def ids_of(rows):
    return [row["id"] for row in rows]


def said(scope):
    return scope.state, scope.read, scope.expected


# All is well.


def test_what_is_counted_and_came_is_read(wire, read):
    wire.resources = {A: [thing(A, "one"), thing(A, "two")], B: [], C: [thing(C, "one")]}
    rows, scopes = read(A, B, C)
    assert ids_of(rows)[:3] == [f"/subscriptions/{identity}" for identity in (A, B, C)]
    assert sorted(ids_of(rows)[3:]) == sorted(ids_of([*wire.resources[A], *wire.resources[C]]))
    assert {identity: said(scope) for identity, scope in scopes.items()} == {
        A: ("read", 3, 3), B: ("read", 1, 1), C: ("read", 2, 2),
    }  # fmt: skip
    assert {scope.reason for scope in scopes.values()} == {""}
    counts = [COUNT_CONTAINERS, COUNT_RESOURCES]  # before and after the reading
    assert sorted(wire.asked) == sorted([*counts, CONTAINERS, RESOURCES, *counts])


def test_what_cannot_be_seen_or_listed_is_said(wire, read):
    hidden = Subscription("dddddddd-0000-0000-0000-000000000000", "hidden", "", "")
    _, scopes = read(A, unseen=(hidden,), unlisted={"mg-a": "no role"})
    assert said(scopes[hidden.id]) == ("denied", 0, None)
    assert "not among the subscriptions that you can see" in scopes[hidden.id].reason
    assert (scopes["mg-a"].kind, scopes["mg-a"].state) == ("management-group", "partial")
    assert scopes["mg-a"].reason.endswith("was read: no role")


# Counts.


def test_a_count_that_is_short_is_asked_for_again(wire, read):
    wire.resources[B] = [thing(B, "one")]
    wire.first[COUNT_RESOURCES] = [wire.counts((A, 2), total=2)]
    _, scopes = read(A, B)
    assert (said(scopes[A]), said(scopes[B])) == (("read", 3, 3), ("read", 2, 2))
    assert wire.asked.count(COUNT_RESOURCES) == 3  # the last one is that after the reading


def test_tables_do_not_make_up_for_each_other(wire, read):
    """A group more in one and a resource less in the other add up, and prove nothing."""
    wire.resources[A] = [thing(A, "one")]
    groups = [{**container(A), "id": f"/subscriptions/{A}/resourceGroups/{name}"} for name in ("g", "h")]
    wire.always[COUNT_CONTAINERS] = answer([{"subscriptionId": A, "rows": 2}])
    wire.containers[A] = [container(A), *groups]
    wire.always[RESOURCES] = wire.always[TRIMMED] = answer([])
    _, scopes = read(A)
    assert said(scopes[A])[:2] == ("partial", 3)


def test_what_may_be_read_only_after_the_count_is_read_again(wire, read):
    """A role that is given in mid-run would prove what was never shown."""
    wire.resources[A] = [thing(A, "one"), thing(A, "two"), thing(A, "three")]
    wire.first[COUNT_RESOURCES] = [wire.counts((A, 1))]
    wire.first[RESOURCES] = [answer([thing(A, "one")])]
    _, scopes = read(A)
    assert said(scopes[A]) == ("read", 4, 4)


def test_what_cannot_be_counted_again_is_not_proven(wire, read):
    wire.first[COUNT_RESOURCES] = [wire.counts((A, 2)), (403, {}), (403, {})]
    _, scopes = read(A)
    assert said(scopes[A])[:2] == ("partial", 3)


def test_a_count_that_stays_short_is_an_error(wire, read):
    """A subscription that it lacks is not one without resources."""
    wire.resources[B] = [thing(B, "one")]
    wire.always[COUNT_RESOURCES] = wire.counts((A, 2), total=2)
    with pytest.raises(AnswerError, match="Resource Graph gave 1 of 2 rows"):
        read(A, B)
    assert wire.asked.count(COUNT_RESOURCES) == 2
    assert RESOURCES not in wire.asked


@pytest.mark.parametrize("strange", NO_COUNT, ids=json.dumps)
@pytest.mark.parametrize("table", [COUNT_CONTAINERS, COUNT_RESOURCES])
def test_a_count_that_is_none_is_refused(wire, read, strange, table):
    strange = answer([{"subscriptionId": A, "rows": 2, **strange}])
    wire.first[table] = [strange]
    _, scopes = read()
    assert said(scopes[A]) == ("read", 3, 3)
    wire.always[table] = strange
    with pytest.raises(AnswerError, match="answered a count with something that is none"):
        read()


def test_a_subscription_that_is_counted_twice_is_refused(wire, read):
    wire.always[COUNT_RESOURCES] = wire.counts((A, 2), (A.upper(), 2))
    with pytest.raises(AnswerError, match="counted a subscription twice"):
        read()


def test_a_subscription_that_resource_graph_does_not_know_is_partial(wire, read):
    """However much of it came: its own row is the least that there is."""
    wire.containers[A] = []
    rows, scopes = read()
    assert {row["id"] for row in rows} == set(ids_of(wire.resources[A]))
    assert said(scopes[A]) == ("partial", 2, None)
    assert scopes[A].reason == "Resource Graph does not know the subscription, or not yet"
    assert wire.asked.count(COUNT_CONTAINERS) == 2, "it is asked once more"


def test_a_subscription_that_resource_graph_does_not_know_yet_is_read_in_the_end(wire, read):
    wire.first[COUNT_CONTAINERS] = [answer([])]
    _, scopes = read()
    assert said(scopes[A]) == ("read", 3, 3)


def test_a_subscription_of_which_nothing_is_known_is_no_empty_one(wire, read):
    wire.containers[A], wire.resources[A] = [], []
    rows, scopes = read()
    assert rows == []
    assert said(scopes[A]) == ("partial", 0, None)


def test_two_tables_counted_at_once_lose_no_count(azure, monkeypatch):
    """Each count is of one table, in a thread of its own."""
    asked = Asked((), (), {}, (), (), "asked")
    inventory = AzureInventory(azure, asked)
    shares = [Share(Subscription(str(number), "", "", "")) for number in range(3000)]
    monkeypatch.setattr(inventory, "_counted", lambda known, query: dict.fromkeys(known, 1))
    tables = ("resourcecontainers", "resources")
    threads = [
        threading.Thread(target=lambda table=table: list(inventory._count(shares, table, ""))) for table in tables
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert all(set(share.counts) == set(tables) for share in shares)


# Rows.


def test_ids_that_azure_takes_for_the_same_count_once(wire, read):
    one = thing(A, "one")["id"]
    alike = [one, one.upper(), one.lower(), f"{one}/", f"{one}//", f" {one} ", one.replace("/", "//")]
    wire.resources[A] = [{"id": identity} for identity in alike]
    wire.always[COUNT_RESOURCES] = wire.counts((A, 1))
    rows, scopes = read()
    assert len(rows) == 1 + len(alike)
    assert said(scopes[A]) == ("read", 2, 2)


def test_rows_that_come_twice_hide_no_others(wire, read):
    """As many as are counted, and not all of them."""
    wire.always[RESOURCES] = answer([thing(A, "one"), {"id": thing(A, "ONE")["id"] + "/"}])
    _, scopes = read()
    assert said(scopes[A]) == ("partial", 2, 3)
    assert "2 resources and gave 1 different ones, asked twice" in scopes[A].reason
    assert wire.asked.count(RESOURCES) == 2


def test_rows_that_come_later_are_read(wire, read):
    wire.first[RESOURCES] = [answer([thing(A, "one")])]
    rows, scopes = read()
    assert set(ids_of(rows)) == {f"/subscriptions/{A}", *ids_of(wire.resources[A])}
    assert said(scopes[A]) == ("read", 3, 3)


@pytest.mark.parametrize(
    "other",
    [
        thing(C, "one"), {"id": "/providers/Contoso.Any/things/one"}, {"id": A}, {"id": f"subscriptions/{A}/x"},
        {"id": ""}, {"id": "/"}, {"id": "/subscriptions"}, {"id": "/subscriptions/"}, {"id": 7}, {"id": None},
        {"name": "x"},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_rows_of_other_subscriptions_are_not_counted(wire, read, other):
    wire.always[RESOURCES] = answer([thing(A, "one"), other])
    _, scopes = read()
    assert list(scopes) == [A]
    assert said(scopes[A]) == ("partial", 2, 3)


def test_more_rows_than_are_counted_are_not_read(wire, read):
    wire.always[COUNT_RESOURCES] = wire.counts((A, 1))
    _, scopes = read()
    assert said(scopes[A]) == ("partial", 3, 2)


@pytest.mark.parametrize("table", [CONTAINERS, RESOURCES])
@pytest.mark.parametrize("more", [-1, 1])
def test_other_rows_than_the_query_has_in_all_are_partial(wire, read, table, more):
    """Whatever the other table says, and in whatever order they come."""

    def miscounted(body):
        usual = wire.usual(body)
        return {**usual, "totalRecords": usual["totalRecords"] + more}

    wire.always[table] = miscounted
    _, scopes = read()
    assert said(scopes[A]) == ("partial", 3, 3)
    given = {CONTAINERS: 1, RESOURCES: 2}[table]
    assert scopes[A].reason == f"Resource Graph gave {given} of {given + more} rows"


def test_more_and_more_rows_are_an_error(wire, read):
    def endless(body):
        page = int(body["options"].get("$skipToken", "0"))
        rows = [thing(A, f"{page}-{number}") for number in range(1000)]
        return answer(rows, **{"totalRecords": 2, "$skipToken": str(page + 1)})

    wire.always[RESOURCES] = endless
    rows, scopes = read()
    assert len(rows) < 4000
    assert scopes[A].state == "partial"
    assert "Resource Graph gives more and more rows: 2000 so far" in scopes[A].reason


# A query that may be too long.


PROPERTIES = {KIND.lower(): ("encryption",)}


def test_a_long_query_that_is_refused_is_asked_whole(wire, read):
    wire.always[TRIMMED] = REFUSED
    rows, scopes = read(properties=PROPERTIES)
    assert len(rows) == 3
    assert said(scopes[A]) == ("read", 3, 3)
    assert [kind for kind in wire.asked if kind in (TRIMMED, RESOURCES)] == [TRIMMED, RESOURCES]


def test_a_long_query_that_is_taken_is_enough(wire, read):
    _, scopes = read(properties=PROPERTIES)
    assert said(scopes[A]) == ("read", 3, 3)
    assert RESOURCES not in wire.asked


def test_a_long_query_that_is_refused_after_rows_is_not_asked_again(wire, read):
    """Rows would come twice."""
    wire.first[TRIMMED] = [answer([thing(A, "one")], **{"totalRecords": 2, "$skipToken": "x"})]
    wire.always[TRIMMED] = REFUSED
    _, scopes = read(properties=PROPERTIES)
    assert said(scopes[A]) == ("partial", 2, 3)
    assert "too long" in scopes[A].reason
    assert RESOURCES not in wire.asked


def test_a_query_that_is_refused_whole_too_is_a_hole(wire, read):
    wire.always |= {TRIMMED: REFUSED, RESOURCES: REFUSED}
    _, scopes = read(properties=PROPERTIES)
    assert said(scopes[A]) == ("partial", 1, 3)
    assert "too long" in scopes[A].reason
    assert wire.asked.count(RESOURCES) == 1


# Who may read.


def test_without_a_grant_nothing_is_proven(wire, read):
    wire.grants[A] = NOBODY
    rows, scopes = read()
    assert len(rows) == 3
    assert said(scopes[A]) == ("partial", 3, None)
    assert "grants */read" in scopes[A].reason


@pytest.mark.parametrize(
    ("granted", "why"),
    [
        (DENIED, "grants */read"),
        ((404, {}), "what you may read there could not be found out"),
        ((200, {"value": [{"actions": ["*"], "notActions": "*/read"}]}), "a grant in a shape that is not known"),
        ((200, {"value": [READER, {"actions": "*"}]}), "a grant in a shape that is not known"),
        ((200, {"value": [7]}), "what you may read there could not be found out"),
    ],
)
def test_a_grant_that_is_not_found_out_proves_nothing(wire, read, granted, why):
    wire.grants[A] = granted
    _, scopes = read()
    assert said(scopes[A]) == ("partial", 3, None)
    assert why in scopes[A].reason


def test_of_many_only_those_without_a_grant_are_holes(wire, read):
    wire.resources[B] = []
    wire.grants[B] = NOBODY
    _, scopes = read(A, B)
    assert (scopes[A].state, scopes[B].state) == ("read", "denied")


# Nothing at all.


def test_where_nothing_is_readable_there_is_no_inventory(wire, read):
    wire.resources = {A: [], B: []}
    wire.grants = {A: NOBODY, B: DENIED}
    with pytest.raises(DeniedError, match=r"nothing can be read in sub-a, sub-b: only what you may read.*Reader does"):
        read(A, B)
    assert not {CONTAINERS, RESOURCES} & set(wire.asked)


@pytest.mark.parametrize("table", [COUNT_CONTAINERS, COUNT_RESOURCES])
@pytest.mark.parametrize(("failure", "kind"), [(DENIED, DeniedError), ((503, {}), UnreachableError)])
def test_where_nothing_can_be_counted_there_is_no_inventory(wire, read, table, failure, kind):
    wire.always[table] = failure
    with pytest.raises(kind):
        read()


@pytest.mark.parametrize(("failure", "kind"), [(DENIED, DeniedError), ((503, {}), UnreachableError)])
def test_where_no_row_comes_there_is_no_inventory(wire, read, failure, kind):
    wire.always |= {CONTAINERS: failure, RESOURCES: failure}
    with pytest.raises(kind):
        read()


def test_an_empty_subscription_is_read(wire, read):
    wire.resources[A] = []
    rows, scopes = read()
    assert ids_of(rows) == [f"/subscriptions/{A}"]
    assert said(scopes[A]) == ("read", 1, 1)


# The second reading.


@pytest.mark.parametrize("failing", [COUNT_CONTAINERS, COUNT_RESOURCES, CONTAINERS, RESOURCES])
@pytest.mark.parametrize("failure", [DENIED, REFUSED, (503, {}), answer([], resultTruncated="true")])
def test_where_the_second_reading_fails_the_first_stands(wire, read, failing, failure):
    short = answer([thing(A, "one")])
    wire.first = {
        RESOURCES: [short],
        **({failing: [wire.usual]} if failing != RESOURCES else {}),
    }
    wire.always[failing] = failure
    rows, scopes = read()
    # What the second reading gave before it failed is there, and counts.
    assert said(scopes[A]) == ("partial", len(set(ids_of(rows))), 3)
    assert len(set(ids_of(rows))) == (3 if failing == CONTAINERS else 2)
    assert scopes[A].reason.startswith("it gave 2 of 3 rows, and reading it again failed: ")


def test_only_what_is_doubtful_is_read_again(wire, read):
    wire.resources[B] = [thing(B, "one")]
    wire.first[RESOURCES] = [lambda body: answer([*wire.resources[B], thing(A, "one")])]
    scopes_asked = []
    wire.always[RESOURCES] = lambda body: scopes_asked.append(body["subscriptions"]) or wire.usual(body)
    _, scopes = read(A, B)
    assert (said(scopes[A]), said(scopes[B])) == (("read", 3, 3), ("read", 2, 2))
    assert scopes_asked == [[A]]


# An end before the end.


def test_who_leaves_finds_out_what_was_not_read(azure, wire):
    inventory = AzureInventory(azure, Asked((SEEN[A],), (), {}, (), (), "asked"))
    rows = iter(inventory)
    assert next(rows)["id"] == f"/subscriptions/{A}"
    rows.close()
    (scope,) = inventory.scopes()
    assert (scope.state, scope.read) == ("partial", 1)
    assert "interrupted" in scope.reason
    with pytest.raises(AzureError, match="stopped"):
        azure.get("/subscriptions", "2022-12-01")


def test_a_deadline_during_the_reading_is_told(azure, wire, clock):
    begun = threading.Event()

    def late(body):
        assert begun.wait(60)
        clock.now += 11
        return answer([thing(A, "one")], **{"totalRecords": 2, "$skipToken": "x"})

    azure.begin(10)
    wire.always[RESOURCES] = late
    inventory = AzureInventory(azure, Asked((SEEN[A],), (), {}, (), (), "asked"))
    rows = iter(inventory)
    assert next(rows)["id"] == f"/subscriptions/{A}"
    begun.set()
    list(rows)
    (scope,) = inventory.scopes()
    assert scope.state == "partial"
    assert "deadline" in scope.reason
