"""Files and folders: read as they are meant, refused where they are broken."""

import datetime as dt
import json

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sovereignmesh.contracts import DataContract, check_contract, measure_quality
from sovereignmesh.errors import FrameError
from sovereignmesh.frames import open_data

AT = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
FRAME = pl.DataFrame({"id": ["001", "002", None], "n": [1, 2, 3], "t": [AT, None, AT - dt.timedelta(hours=2)]})


def refused(path, words):
    with pytest.raises(FrameError, match=words) as caught:
        open_data(path)
    assert "\n" not in str(caught.value)


class TestKinds:
    def test_parquet(self, tmp_path):
        FRAME.write_parquet(tmp_path / "a.parquet")
        data = open_data(tmp_path / "a.parquet")
        assert {name: column.kind for name, column in data.columns.items()} == {
            "id": "string", "n": "integer", "t": "timestamp",
        }  # fmt: skip
        assert data.footers.rows == 3

    def test_csv_is_text_until_a_schema_says_more(self, tmp_path):
        (tmp_path / "a.csv").write_text('id,n,t\n001,1,2026-11-24T12:00:00Z\n"002",x,\n,3.5,2026-11-24 13:00:00\n')
        contract = DataContract(
            allowed_fields=["id", "n", "t"],
            freshness="2h",
            data_schema={
                "fields": [{"name": "id", "type": "string", "pattern": "[0-9]{3}"}, {"name": "n", "type": "integer", "minimum": 2}],  # noqa: E501
                "timestamp_column": "t",
            },
        )  # fmt: skip
        result = check_contract(tmp_path / "a.csv", contract, at=AT + dt.timedelta(hours=2))
        found = {f"{check.check} {check.field}".strip(): (check.state, check.broken) for check in result.checks}
        assert found["type n"] == ("non-compliant", 2)
        assert found["pattern id"] == ("compliant", 0)
        assert found["range n"] == ("non-compliant", 3)
        assert found["freshness t"] == ("compliant", None)
        assert result.quality.latest == AT + dt.timedelta(hours=1)

    def test_what_rules_compare_is_read_as_numbers(self, tmp_path):
        (tmp_path / "a.csv").write_text("a,b\n9,10\n10,9\n")
        contract = DataContract(
            allowed_fields=["a", "b"],
            data_schema={
                "fields": [{"name": "b", "allowed_values": [9, 10]}],
                "validity_rules": [{"name": "big", "rule": "a >= 10"}],
            },
        )
        found = {check.check: check.broken for check in check_contract(tmp_path / "a.csv", contract).checks}
        assert (found["validity-rule"], found["allowed-values"]) == (1, 0)

    def test_tsv_and_a_byte_order_mark(self, tmp_path):
        (tmp_path / "a.tsv").write_bytes(b"\xef\xbb\xbfid\tn\n1\t2\n")
        assert list(open_data(tmp_path / "a.tsv").columns) == ["id", "n"]

    def test_a_key_of_a_late_row_is_a_column(self, tmp_path):
        rows = [json.dumps({"a": number}) for number in range(3000)] + ['{"a": 1, "email": "x"}']
        (tmp_path / "a.jsonl").write_text("\n".join(rows))
        result = check_contract(tmp_path / "a.jsonl", DataContract(allowed_fields=["a"]))
        assert result.violations[0].names == ("email",)

    def test_delta(self, tmp_path):
        FRAME.write_delta(tmp_path / "table")
        assert measure_quality(tmp_path / "table").rows == 3

    def test_a_folder(self, tmp_path):
        folder = tmp_path / "lake" / "year=2026"
        folder.mkdir(parents=True)
        for number in range(2):
            FRAME.write_parquet(folder / f"{number}.parquet")
        (tmp_path / "lake" / "_SUCCESS").touch()
        data = open_data(tmp_path / "lake")
        assert list(data.columns) == ["id", "n", "t", "year"]
        assert measure_quality(data).rows == 6


class TestPandas:
    def test_an_index_with_data_is_data(self):
        frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["ada@contoso.com", "bob@contoso.com"], name="email"))
        assert list(open_data(frame).columns) == ["email", "a"]
        assert list(open_data(frame.reset_index().set_index(["email", "a"]).assign(b=1)).columns) == ["email", "a", "b"]
        assert list(open_data(frame.rename_axis(None)).columns) == ["index", "a"]
        assert list(open_data(pd.DataFrame({"a": [1, 2, 3]}).query("a > 1")).columns) == ["a"]
        refused(frame.assign(email="x"), "two columns have the name email")

    def test_objects_that_are_no_text(self):
        data = open_data(pd.DataFrame({"a": [{"b": 1}, "x", None], "s": ["x", 1, None]}))
        assert (data.columns["a"].mixed, data.columns["a"].opaque) == (True, "dict")
        assert (data.columns["s"].mixed, data.columns["s"].opaque) == (True, "")


class TestFooters:
    def test_what_they_decide_is_not_read(self, tmp_path, monkeypatch):
        FRAME.write_parquet(tmp_path / "a.parquet")
        contract = DataContract(
            allowed_fields=["id", "n", "t"], min_completeness=77, freshness="1h", data_schema={"timestamp_column": "t"}
        )
        by_footer = check_contract(tmp_path / "a.parquet", contract.model_copy(update={"freshness": None}), at=AT)
        assert by_footer.quality.completeness == pytest.approx(700 / 9)
        monkeypatch.setattr("sovereignmesh.frames.footer.Footers.nulls", lambda *_: None)
        monkeypatch.setattr("sovereignmesh.frames.footer.Footers.latest", lambda *_: None)
        read = check_contract(tmp_path / "a.parquet", contract, at=AT)
        assert read.quality.completeness == by_footer.quality.completeness
        assert read.quality.latest == AT

    def test_nothing_is_asked_of_the_engine(self, tmp_path, monkeypatch):
        FRAME.write_parquet(tmp_path / "a.parquet")
        monkeypatch.setattr("sovereignmesh.frames.data.Data.fetch", lambda *_: pytest.fail("it was read"))
        assert measure_quality(tmp_path / "a.parquet").rows == 3

    def test_nan_is_not_in_a_footer(self, tmp_path):
        pl.DataFrame({"f": [1.0, float("nan")]}).write_parquet(tmp_path / "a.parquet")
        assert measure_quality(tmp_path / "a.parquet").completeness == 50

    def test_without_statistics_it_is_read(self, tmp_path):
        pq.write_table(FRAME.to_arrow(), tmp_path / "a.parquet", write_statistics=False)
        data = open_data(tmp_path / "a.parquet")
        assert (data.footers.nulls("id"), data.footers.latest("t")) == (None, None)
        assert measure_quality(data).completeness == pytest.approx(700 / 9)

    def test_a_group_of_nulls_has_no_greatest_and_needs_none(self, tmp_path):
        table = pa.table({"t": pa.array([None, AT], pa.timestamp("us", "UTC"))})
        pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
        assert open_data(tmp_path / "a.parquet").footers.latest("t") == AT


class TestBadInput:
    def test_nothing_there(self, tmp_path):
        refused(tmp_path / "none.parquet", "there is no such file or folder")
        refused(tmp_path, "no file is in this folder")

    def test_a_broken_footer(self, tmp_path):
        for name, body in {"a": b"PAR1xxxxPAR1", "b": b"", "c": b"not parquet at all"}.items():
            (tmp_path / f"{name}.parquet").write_bytes(body)
            refused(tmp_path / f"{name}.parquet", "cannot be read")

    def test_a_broken_page_is_unknown(self, tmp_path):
        path = tmp_path / "a.parquet"
        pl.DataFrame({"s": [f"value {number}" for number in range(5000)]}).write_parquet(path, compression="zstd")
        body = bytearray(path.read_bytes())
        body[40 : len(body) // 2] = bytes(len(body) // 2 - 40)
        path.write_bytes(bytes(body))
        contract = DataContract(allowed_fields=["s"], data_schema={"fields": [{"name": "s", "pattern": "v.*"}]})
        result = check_contract(path, contract)
        assert [check.check for check in result.unknown] == ["row-count", "pattern"]
        assert not result.ok

    def test_ragged_csv(self, tmp_path):
        for name, rows in {"short": "a,b\n1,2\n3\n", "long": "a,b\n1,2\n3,4,5\n"}.items():
            (tmp_path / f"{name}.csv").write_text(rows)
            refused(tmp_path / f"{name}.csv", "the rows are not all alike: line 3 has [13] of 2 cells")

    def test_csv_without_a_header_rows_or_names(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("")
        refused(path, "the file is empty")
        path.write_text("a,,c\n1,2,3\n")
        refused(path, "column 2 has no name")
        path.write_text("a,b,a\n1,2,3\n")
        refused(path, "two columns have the name a")
        path.write_bytes(b"\xff\xfea\x00")
        refused(path, "no CSV in UTF-8")
        path.write_text("a,b\n")
        assert not check_contract(path, DataContract(allowed_fields=["a", "b"])).ok

    def test_csv_of_other_bytes_than_utf_8(self, tmp_path):
        (tmp_path / "a.csv").write_bytes(b"a,b\n1,caf\xe9\n")
        with pytest.raises(FrameError, match=r"cannot be read|not all alike|UTF-8|utf-8"):
            open_data(tmp_path / "a.csv")

    def test_json_that_is_none(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text('{"a": 1}\n{"a": \n')
        refused(path, "cannot be read")
        path.write_text("")
        refused(path, "the file is empty")

    def test_kinds_that_nobody_knows_or_mixes(self, tmp_path):
        (tmp_path / "a.xlsx").touch()
        refused(tmp_path / "a.xlsx", "no known kind of data: a.xlsx")
        FRAME.write_parquet(tmp_path / "b.parquet")
        (tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
        refused(tmp_path, "mixes CSV and Parquet")

    def test_files_that_differ(self, tmp_path):
        FRAME.write_parquet(tmp_path / "a.parquet")
        FRAME.with_columns(email=pl.lit("e")).write_parquet(tmp_path / "b.parquet")
        refused(tmp_path, "b.parquet and a.parquet differ in the columns email")

    def test_no_columns_and_two_of_a_name(self):
        refused(pd.DataFrame(), "it has no columns")
        refused(pl.DataFrame(), "it has no columns")
        refused(pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns have the name a")
        refused(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "two columns have the name a")

    def test_addresses(self):
        refused("https://contoso.com/a.parquet", "'https' is no known kind of address")
        refused("abfss://c@evil.example/a.parquet", "'evil.example' is no host of Azure that a token is sent to")
        refused("abfss://c@stlake.dfs.core.windows.net/", "wants abfss://CONTAINER@ACCOUNT")
        refused("abfss://c:key@stlake.dfs.core.windows.net/a.csv", "wants abfss://CONTAINER@ACCOUNT")
        refused("mssql://evil.example/db/dbo.t", "is no host of Azure")
        refused("mssql://user:pw@s.database.windows.net/db/dbo.t", "who signs in is found, not written")
        refused("mssql://s.database.windows.net/db/dbo.t];DROP", "has a character")
        for host in ("evil.com;APP=.database.windows.net", "evil.com\\.database.windows.net", ".database.windows.net"):
            refused(f"mssql://{host}/db/t", "is no host of Azure")
        refused("mssql://s.database.windows.net:abc/db/t", "is no address")
        refused("mssql://s.database.windows.net/db;Authentication=x/dbo.t", "has a character")

    def test_a_name_that_would_move_the_cursor(self, tmp_path):
        with pytest.raises(FrameError) as caught:
            open_data(tmp_path / "a\x1b[31m.parquet")
        assert "\x1b" not in str(caught.value)
