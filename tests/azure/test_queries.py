"""The queries: no more of `properties` than the tables look at, and nothing in them that a name could smuggle in."""

import re

import pytest

from sovereignmesh.azure import queries
from sovereignmesh.facts import properties_read

COLUMNS = "id, name, type, kind, location, sku, tags, managedBy, apiVersion, properties = "


def properties_of(query):
    """The expression of the column `properties`."""
    first, project, order = query.split("\n")
    assert (first, order) == ("resources", "| order by id asc")
    assert project.startswith(f"| project {COLUMNS}")
    return project.removeprefix(f"| project {COLUMNS}")


def test_without_names_the_whole_column_is_asked_for():
    assert properties_of(queries.list_resources()) == "properties"
    assert properties_of(queries.list_resources(["a.b/c"])) == "properties"
    assert properties_of(queries.list_resources(["a.b/c"], {})) == "properties"
    assert properties_of(queries.list_resources([], {"a.b/c": ("x",)})) == "properties"


def test_types_with_the_same_properties_are_one_case():
    wanted = {"a.a/a": ("x", "y"), "a.a/b": ("z",), "a.a/c": ("x", "y"), "a.a/d": ()}
    query = queries.list_resources(["A.A/C", "a.a/b", "a.a/d", "a.a/a", "a.a/unknown"], wanted)
    assert properties_of(query) == (
        "case(isnull(properties), properties, "
        "type in~ ('a.a/d', 'a.a/unknown'), dynamic(null), "
        "type in~ ('a.a/a', 'a.a/c'), bag_pack('x', properties.x, 'y', properties.y), "
        "type in~ ('a.a/b'), bag_pack('z', properties.z), "
        "properties)"
    )


def test_a_type_that_was_not_counted_keeps_its_column():
    """It came to be after the count."""
    query = queries.list_resources(["a.a/a"], {"a.a/a": ("x",), "a.a/b": ("y",)})
    assert properties_of(query).endswith(", properties)")
    assert "a.a/b" not in query


def test_the_same_types_give_the_same_query():
    names = sorted(properties_read())
    assert queries.list_resources(names, properties_read()) == queries.list_resources(
        [name.upper() for name in reversed(names)] * 2, properties_read()
    )


@pytest.mark.parametrize(
    "name", ["a.a/a') or true //", "a'a", 'a"a', "a\\a", "a a", "a\na", "a;a", "a|a", "a(a", "größe/a", "a,a", "\x00"]
)
def test_a_name_that_is_not_plain_is_left_out(name):
    query = queries.list_resources([name, "a.a/a"], {"a.a/a": ("x",), name: ("y",)})
    assert query == queries.list_resources(["a.a/a"], {"a.a/a": ("x",)})
    assert properties_of(queries.list_resources([name], {"a.a/a": ("x",)})) == "properties"


def test_every_name_of_the_tables_can_stand_in_a_query():
    names = properties_read()
    query = queries.list_resources(names, names)
    for kind, wanted in names.items():
        assert f"'{kind}'" in query
        for name in wanted:
            assert re.fullmatch(r"[A-Za-z]\w*", name), "a plain name after a dot"


def test_the_counts_are_by_subscription():
    assert queries.COUNT_RESOURCES.startswith("resources\n| summarize rows = count(), types = make_set(type) by subscr")
    assert queries.COUNT_CONTAINERS.startswith("resourcecontainers\n| where type in~ (")
    for query in (queries.COUNT_RESOURCES, queries.COUNT_CONTAINERS):
        assert query.endswith("| order by subscriptionId asc")
    assert queries.CONTAINERS.endswith("| order by id asc")
