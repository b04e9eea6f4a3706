"""What a consumer gets: its fields, whole or not at all."""

import duckdb
import polars as pl
import pytest

from sovereignmesh.contracts import DataContract, project_contract
from sovereignmesh.errors import ContractError, FrameError

DATA = pl.DataFrame({"email": ["e"], "b": [2], "a": [1]})
CONTRACT = DataContract(allowed_fields=["a", "b", "c"], excluded_fields=["email"])


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_the_fields_in_the_contract_s_order(tmp_path, suffix):
    done = project_contract(DATA, CONTRACT, tmp_path / f"out.{suffix}")
    assert (done.fields, done.left_out, done.absent) == (("a", "b"), ("email",), ("c",))
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[suffix]
    assert read(done.path).to_dicts() == [{"a": 1, "b": 2}]
    assert [path.name for path in tmp_path.iterdir()] == [f"out.{suffix}"]


def test_text_stays_as_it_is(tmp_path):
    (tmp_path / "in.csv").write_text("a,b,email\n001,x,e\n")
    contract = DataContract(allowed_fields=["a", "b"], data_schema={"fields": [{"name": "a", "type": "integer"}]})
    done = project_contract(tmp_path / "in.csv", contract, tmp_path / "out.csv")
    assert done.path.read_text() == "a,b\n001,x\n"


def test_from_another_engine(tmp_path):
    done = project_contract(duckdb.sql("select 1 a, 2 b, 3 d"), CONTRACT, tmp_path / "out.parquet")
    assert pl.read_parquet(done.path).columns == ["a", "b"]


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ({"allowed_fields": ["a", "x"], "data_schema": {"fields": [{"name": "x", "required": True}]}}, "required and not there: x"),  # noqa: E501
        ({"allowed_fields": ["a", "x"], "data_schema": {"primary_key": ["x"]}}, "required and not there: x"),
        ({"allowed_fields": ["x"]}, "none of the contract's fields is there"),
        ({"allowed_fields": ["contact"], "excluded_fields": ["phone"]}, "excluded, and in what the contract gives: contact.phone"),  # noqa: E501
        ({"allowed_fields": ["e-mail"], "excluded_fields": ["email"], "exclude_similar": True}, "gives: e-mail"),
    ],
)  # fmt: skip
def test_refused(tmp_path, contract, words):
    data = DATA.with_columns(pl.struct(phone=pl.lit("p")).alias("contact"), pl.lit("x").alias("e-mail"))
    with pytest.raises(ContractError, match=words):
        project_contract(data, DataContract(**contract), tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    with pytest.raises(FrameError, match="is there already: nothing was written"):
        project_contract(DATA, CONTRACT, out)
    assert out.read_text() == "mine"
    project_contract(DATA, CONTRACT, out, overwrite=True)
    assert out.read_text() == "a,b\n1,2\n"


def test_a_failure_leaves_what_was_there(tmp_path):
    source, out = tmp_path / "in.parquet", tmp_path / "out.csv"
    pl.DataFrame({"a": [f"value {number}" for number in range(5000)]}).write_parquet(source)
    body = bytearray(source.read_bytes())
    body[40 : len(body) // 2] = bytes(len(body) // 2 - 40)
    source.write_bytes(bytes(body))
    out.write_text("mine")
    with pytest.raises(FrameError, match="cannot be written"):
        project_contract(source, CONTRACT, out, overwrite=True)
    assert out.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_name_and_a_folder_that_nobody_can_write(tmp_path):
    with pytest.raises(FrameError, match=r"wants a name that ends with \.parquet"):
        project_contract(DATA, CONTRACT, tmp_path / "out.xlsx")
    with pytest.raises(FrameError, match="cannot be written"):
        project_contract(DATA, CONTRACT, tmp_path / "nowhere" / "out.csv")
