"""Addresses: who is asked, as whom, and that what comes is read as any file. The readers are fakes."""

import gc
import sys
import types
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from sovereignmesh.contracts import DataContract, check_contract, measure_quality
from sovereignmesh.errors import FrameError
from sovereignmesh.frames import open_data


@pytest.fixture
def lake(monkeypatch, tmp_path):
    """A lake that is a folder; what it was opened with."""
    asked = {}

    class FileSystem:
        def __init__(self, **options):
            asked.update(options)

        def open(self, path, mode):
            asked["path"] = path
            return (tmp_path / Path(path).name).open(mode)

    monkeypatch.setitem(sys.modules, "adlfs", types.SimpleNamespace(AzureBlobFileSystem=FileSystem))
    return tmp_path, asked


def test_csv_of_a_lake_is_read_as_strictly_as_a_file(lake):
    folder, asked = lake
    (folder / "a.csv").write_text("a,b\n1,2\n")
    data = open_data("abfss://gold@stlake.dfs.core.windows.net/sales%20eu/a.csv")
    assert asked == {
        "account_name": "stlake", "account_host": "stlake.blob.core.windows.net", "anon": False,
        "path": "gold/sales eu/a.csv",
    }  # fmt: skip
    assert data.name.startswith("abfss://")
    assert data.text
    assert measure_quality(data).rows == 1
    (folder / "a.csv").write_text("a,b\n1\n")
    with pytest.raises(FrameError, match="not all alike"):
        open_data("abfss://gold@stlake.dfs.core.windows.net/a.csv")


def test_parquet_of_a_lake_is_read_where_it_is(monkeypatch, tmp_path):
    asked = {}
    file = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(file)
    scan = pl.scan_parquet

    def scanned(address, **options):
        asked.update(options, address=address)
        return scan(file)

    monkeypatch.setattr(pl, "scan_parquet", scanned)
    monkeypatch.setattr(pl, "CredentialProviderAzure", lambda credential: ("as", type(credential).__name__))
    address = "abfss://gold@onelake.dfs.fabric.microsoft.com/lake/a.parquet"
    assert measure_quality(address).rows == 1
    assert asked == {"address": address, "glob": False, "credential_provider": ("as", "DefaultAzureCredential")}


class TestSql:
    @pytest.fixture
    def server(self, monkeypatch):
        """A driver that answers with batches, or fails."""
        asked = {}

        class Error(Exception):
            pass

        class Cursor:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                asked["closed"] = True

            def execute(self, query):
                asked["query"] = query
                if "missing" in query:
                    raise Error("Invalid object name 'dbo.missing'.")

            def arrow_reader(self, batch_size):
                batches = [pa.record_batch({"a": [number], "email": ["e"]}) for number in range(3)]
                return pa.RecordBatchReader.from_batches(batches[0].schema, batches)

        class Connection(Cursor):
            def cursor(self):
                return Cursor()

        def connect(login):
            asked["login"] = login
            return Connection()

        monkeypatch.setitem(sys.modules, "mssql_python", types.SimpleNamespace(connect=connect, Error=Error))
        return asked

    def test_a_table_is_checked(self, server):
        address = "mssql://sales-sql.database.windows.net/salesdb/sales.Order%20Lines"
        result = check_contract(address, DataContract(allowed_fields=["a"], excluded_fields=["email"]))
        assert server["query"] == "SELECT * FROM [sales].[Order Lines]"
        assert server["login"] == (
            "Server=tcp:sales-sql.database.windows.net,1433;Database=salesdb;"
            "Authentication=ActiveDirectoryDefault;Encrypt=yes;"
        )
        assert (result.rows, result.data, server["closed"]) == (3, address, True)
        folder = result._failing._data.kept.path
        assert folder.is_dir()
        del result
        gc.collect()
        assert not folder.exists()

    def test_what_breaks_it(self, server):
        result = check_contract(
            "mssql://s.database.windows.net/db/t", DataContract(allowed_fields=["a"], excluded_fields=["email"])
        )
        assert {check.check for check in result.violations} == {"allowed-fields", "excluded-fields"}

    def test_a_table_without_its_schema(self, server):
        open_data("mssql://ws.datawarehouse.fabric.microsoft.com/lake/orders")
        assert server["query"] == "SELECT * FROM [dbo].[orders]"

    def test_what_the_server_says(self, server):
        with pytest.raises(FrameError, match="Invalid object name"):
            open_data("mssql://s.database.windows.net/db/dbo.missing")
        assert server["closed"]


@pytest.mark.parametrize(
    ("address", "module", "extra"),
    [
        ("abfss://c@stlake.dfs.core.windows.net/a.csv", "adlfs", "lake"),
        ("mssql://s.database.windows.net/db/t", "mssql_python", "sql"),
    ],
)
def test_an_extra_that_is_not_installed(monkeypatch, address, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FrameError, match=rf"needs the extra `{extra}`"):
        open_data(address)


def test_frames_are_an_extra_themselves(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(FrameError, match="need the extra `frames`"):
        open_data(pl.DataFrame({"a": [1]}))
