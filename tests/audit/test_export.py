import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovereignmesh.audit import Inventory, Unread
from sovereignmesh.audit import export as export_module
from sovereignmesh.errors import InventoryError

ROWS = [{"id": f"/subscriptions/s/resourceGroups/g/{n}", "type": "a/b", "tags": {"k": "ü\n"}} for n in range(7)]


def read(path):
    inventory = Inventory(path)
    rows = list(inventory)
    return [r for r in rows if not isinstance(r, Unread)], [r for r in rows if isinstance(r, Unread)], inventory


SHAPES = {
    "lines": "\n".join(json.dumps(r) for r in ROWS),
    "lines with blanks": "\n\n" + "\n\n".join(json.dumps(r) for r in ROWS) + "\n\n",
    "array": json.dumps(ROWS),
    "pretty array": json.dumps(ROWS, indent=2, ensure_ascii=False),
    "az graph query": json.dumps({"count": 7, "data": ROWS, "skip_token": None, "total_records": 7}, indent=2),
    "az graph query on one line": json.dumps({"count": 7, "data": ROWS, "skip_token": None, "total_records": 7}),
    "arm list": json.dumps({"value": ROWS}),
    "arm list, a row on a line": '{"value":[\n' + ",\n".join(json.dumps(r) for r in ROWS) + "\n]}\n",
    "pages one a line": "\n".join(
        json.dumps({"totalRecords": 7, "count": len(p), "data": p, "$skipToken": t})
        for p, t in ((ROWS[:4], "next"), (ROWS[4:], None))
    ),
    "pages one after the other": "\n".join(
        json.dumps({"total_records": 7, "data": p, "skip_token": t}, indent=1)
        for p, t in ((ROWS[:4], "next"), (ROWS[4:], None))
    ),
    "table format": json.dumps(
        {
            "totalRecords": 7,
            "data": {
                "columns": [{"name": "id"}, {"name": "type"}, {"name": "tags"}],
                "rows": [[r["id"], r["type"], r["tags"]] for r in ROWS],
            },
        }
    ),
    "objects one after the other": "\n".join(json.dumps(r, indent=2) for r in ROWS),
}


@pytest.mark.parametrize(
    "encode",
    [str.encode, lambda t: gzip.compress(t.encode()), lambda t: t.encode("utf-8-sig"), lambda t: t.encode("utf-16")],
    ids=["plain", "gzip", "bom", "utf-16"],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(tmp_path, shape, encode):
    path = tmp_path / "export"
    path.write_bytes(encode(SHAPES[shape]))
    rows, unread, inventory = read(path)
    assert rows == ROWS
    assert unread == []
    assert inventory.missing == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_chunks_of_any_size_give_the_same_rows(tmp_path, monkeypatch, shape):
    path = tmp_path / "export"
    path.write_text(SHAPES[shape])
    for size in (1, 2, 3, 17):
        monkeypatch.setattr(export_module, "_CHUNK", size)
        monkeypatch.setattr(export_module, "_LONGEST_LINE", 64)
        assert read(path)[0] == ROWS


@pytest.mark.parametrize("shape", ["lines", "pretty array", "az graph query"])
def test_a_cut_anywhere_loses_nothing_before_it_and_is_said(tmp_path, shape):
    text = SHAPES[shape].encode()
    path = tmp_path / "export"
    for cut in range(1, len(text) - 1, 5):
        path.write_bytes(text[:cut])
        rows, unread, _ = read(path)
        assert rows == ROWS[: len(rows)]
        whole_lines = shape == "lines" and (text[cut : cut + 1] == b"\n" or text[cut - 1 : cut] == b"\n")
        assert unread or whole_lines, cut


def test_a_broken_line_is_named_and_the_others_are_read(tmp_path):
    path = tmp_path / "export"
    path.write_text('{"id": "a", "type": "t"}\n{"id": \n{"id": "b", "type": "t"}\n')
    rows, unread, _ = read(path)
    assert [r["id"] for r in rows] == ["a", "b"]
    assert unread[0].where == f"{path}:2"
    assert "broken JSON" in unread[0].why


def test_a_first_line_that_is_broken_does_not_hide_the_rest(tmp_path):
    path = tmp_path / "export"
    path.write_text('{"id": \n{"id": "b", "type": "t"}\n')
    rows, unread, _ = read(path)
    assert [r["id"] for r in rows] == ["b"]
    assert unread[0].where == f"{path}:1"


def test_a_broken_array_names_its_line(tmp_path):
    path = tmp_path / "export"
    path.write_text('[\n{"id": "a", "type": "t"},\n{"id": oops}\n]')
    rows, unread, _ = read(path)
    assert len(rows) == 1
    assert unread[0].where == f"{path}:3"
    assert unread[0].final


def test_a_gzip_that_ends_early_is_said(tmp_path):
    path = tmp_path / "export.gz"
    path.write_bytes(gzip.compress(SHAPES["lines"].encode() * 500)[:-20])
    rows, unread, _ = read(path)
    assert rows
    assert "broken gzip" in unread[-1].why


def test_a_first_page_alone_is_said(tmp_path):
    path = tmp_path / "export"
    path.write_text(json.dumps({"count": 7, "data": ROWS, "skip_token": "x", "total_records": 5000}))
    rows, unread, inventory = read(path)
    assert len(rows) == 7
    assert inventory.missing == 4993
    assert "4993 more rows" in unread[0].why


def test_two_first_pages_of_two_queries_are_not_taken_for_one_whole(tmp_path):
    page = json.dumps({"total_records": 10, "data": ROWS[:5], "skip_token": "next"})
    path = tmp_path / "export"
    path.write_text(page + "\n" + page)
    assert read(path)[1]


def test_pages_of_two_queries_are_each_held_to_their_own_total(tmp_path):
    whole = {"total_records": 5, "data": ROWS[:5], "skip_token": None}
    path = tmp_path / "export"
    path.write_text(json.dumps(whole) + "\n" + json.dumps({**whole, "total_records": 9}))
    _, unread, inventory = read(path)
    assert inventory.missing == 4
    assert len(unread) == 1


def test_a_link_to_a_further_page_is_said(tmp_path):
    path = tmp_path / "export"
    path.write_text(json.dumps({"value": ROWS, "nextLink": "https://management.azure.com/next"}, indent=1))
    _, unread, _ = read(path)
    assert "further page" in unread[0].why


@pytest.mark.parametrize("content", ["", " \n\n"])
def test_an_empty_file_is_said(tmp_path, content):
    path = tmp_path / "export"
    path.write_text(content)
    assert read(path)[1][0].why == "the file is empty"


def test_what_is_not_json_is_refused_with_the_way_to_export(tmp_path):
    path = tmp_path / "export"
    path.write_text("id,type,location\n")
    with pytest.raises(InventoryError, match="az graph query"):
        read(path)
    with pytest.raises(InventoryError, match="cannot be opened"):
        Inventory(tmp_path / "missing")


def test_a_body_nested_too_deeply_is_no_crash(tmp_path):
    path = tmp_path / "export"
    path.write_text('[{"id":"a","type":"t"},{"id":' + "[" * 100_000 + "]" * 100_000 + "}]")
    rows, unread, _ = read(path)
    assert len(rows) == 1
    assert unread


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(json_values, min_size=1, max_size=5))
def test_any_array_of_values_comes_out_as_it_is(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("export") / "array"
    path.write_text(json.dumps([{"type": "t", "v": v} for v in values], indent=1))
    assert [r["v"] for r in read(path)[0]] == values


LOST = {
    "rows under both names": {"data": [], "value": ROWS[:1]},
    "a row with a list called value": {"name": "x", "location": "eastus", "value": []},
    "an error beside no rows": {"error": {"code": "AuthorizationFailed"}, "value": []},
    "a table whose rows are longer than its columns": {"data": {"columns": [{"name": "id"}], "rows": [["a", "b"]]}},
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("case", LOST)
def test_what_only_looks_like_a_page_is_not_lost(tmp_path, case, indent):
    path = tmp_path / "export"
    path.write_text(json.dumps(LOST[case], indent=indent))
    rows, _, _ = read(path)
    assert rows


@pytest.mark.parametrize("value", ["9" * 5000, "NaN"])
@pytest.mark.parametrize("text", ['[{"id": "/a"}, {"id": "/b", "x": %s}]', '{"total_records": %s,\n"data": []}'])
def test_a_number_that_is_none_is_said(tmp_path, text, value):
    path = tmp_path / "export"
    path.write_text(text % value)
    _, unread, _ = read(path)
    assert unread


def test_blank_lines_and_lines_without_end_are_not_held(tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "_LARGEST_VALUE", 100)
    path = tmp_path / "export.gz"
    path.write_bytes(gzip.compress(b"\n" * 50 + b'{"id": "a", "type": "t"}\n' + b"x" * 500 + b"\n{}\n"))
    rows, unread, _ = read(path)
    assert [row["id"] for row in rows] == ["a"]
    assert unread[-1].why.startswith("a line of more than")
    assert unread[-1].where == f"{path}:52"


CUT_FIRST = {
    "a further page of the first is missing": [(2, "x", 5), (1, None, 1)],
    "one row short, then a whole one": [(1, "x", 2), (3, None, 3)],
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("case", CUT_FIRST)
def test_a_query_cut_short_is_said_though_a_whole_one_follows(tmp_path, case, indent):
    path = tmp_path / "export"
    pages = [{"count": n, "data": ROWS[:n], "skip_token": t, "total_records": all_} for n, t, all_ in CUT_FIRST[case]]
    path.write_text("\n".join(json.dumps(page, indent=indent) for page in pages))
    _, unread, inventory = read(path)
    assert unread
    assert inventory.missing == CUT_FIRST[case][0][2] - CUT_FIRST[case][0][0]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("marks", [{"resultTruncated": "true"}, {"count": 9}])
def test_a_page_that_says_it_is_cut_short_is_believed(tmp_path, marks, indent):
    path = tmp_path / "export"
    path.write_text(json.dumps({"data": ROWS, **marks}, indent=indent))
    assert read(path)[1]


@pytest.mark.parametrize("page", [{"data": [], "value": ROWS[:1]}, {"value": ROWS[:1], "data": []}])
def test_rows_under_both_names_are_not_lost_when_pretty_either(tmp_path, page):
    path = tmp_path / "export"
    path.write_text(json.dumps(page, indent=1))
    rows, _, _ = read(path)
    assert rows == ROWS[:1]


@pytest.mark.parametrize("key", ["children", "readAt", "notKnown", "inList"])
def test_what_is_ours_is_not_taken_from_a_file(tmp_path, key):
    row = {
        "id": "/subscriptions/s/providers/a/b/c",
        "type": "a/b",
        key: {"a/b/d": {"items": [], "failed": "", "at": ""}},
    }
    for name, text in {"lines": json.dumps(row), "page": json.dumps({"data": [row]})}.items():
        (tmp_path / name).write_text(text)
        said, kept = Inventory(tmp_path / name)
        assert key in said.why
        assert kept == {"id": row["id"], "type": "a/b"}


@pytest.mark.parametrize("text", [b'[{"id":"caf\xe9"}]', b'{"id":"caf\xe9"}\n', b'{"a":"\xed\xa0\x80"}'])
def test_what_is_not_utf_8_is_a_gap(tmp_path, text):
    path = tmp_path / "export"
    path.write_bytes(text)
    rows, (unread, *_), _ = read(path)
    assert rows == []
    assert "UTF-8" in unread.why or "broken JSON" in unread.why


def test_standard_input_that_is_closed_is_said(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InventoryError, match="standard input is closed"):
        list(Inventory("-"))


@pytest.mark.parametrize("total", ["5.0", "-5", "99999999999999999999999999", '"5"', "true"])
def test_a_total_that_cannot_be_understood_is_said(tmp_path, total):
    path = tmp_path / "export"
    path.write_text(f'{{"data": [{json.dumps(ROWS[0])}], "count": 1, "totalRecords": {total}}}')
    rows, unread, inventory = read(path)
    assert len(rows) == 1
    assert inventory.missing or "cannot be understood" in unread[0].why
