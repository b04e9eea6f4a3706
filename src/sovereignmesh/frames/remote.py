"""Data at an address, with Entra authentication: a lake over `abfss://`, a table of Azure SQL or Fabric over `mssql://`.

Polars reads Parquet and Delta where they are. What it cannot read row by row as strictly as a file is copied, piece by
piece, into a temporary file that goes with the data: CSV and JSON lines of a lake, and tables of SQL.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from sovereignmesh.frames.data import Data, refused
from sovereignmesh.frames.files import SUFFIXES, open_path
from sovereignmesh.frames.kinds import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

__all__ = ["open_address"]

# Where a token of the caller may go: storage of the clouds, OneLake; Azure SQL of the clouds, Fabric.
# https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints
# https://learn.microsoft.com/fabric/onelake/onelake-access-api
# https://learn.microsoft.com/azure/azure-sql/database/connectivity-architecture
_LAKES: Final = (
    ".dfs.core.windows.net", ".dfs.core.usgovcloudapi.net", ".dfs.core.chinacloudapi.cn", ".dfs.fabric.microsoft.com",
)  # fmt: skip
_SERVERS: Final = (
    ".database.windows.net", ".database.usgovcloudapi.net", ".database.chinacloudapi.cn", ".sql.azuresynapse.net",
    ".datawarehouse.fabric.microsoft.com", ".database.fabric.microsoft.com",
)  # fmt: skip
_PARTS: Final = {".parquet", ".pq"}
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]+")
_NAME: Final = re.compile(r"[^\[\]\x00-\x1f;{}='\"]{1,128}")
_ROWS: Final = 65_536
_CHUNK: Final = 8 * 1024 * 1024


def open_address(address: str) -> Data:
    """The data at `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH` or `mssql://SERVER/DATABASE/SCHEMA.TABLE`.

    The caller is whoever azure-identity finds: `az login`, a managed identity, a service principal.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise refused(address, f"is no address: {error}") from None
    match parts.scheme:
        case "abfss":
            return _lake(address, parts)
        case "mssql":
            return _table(address, parts)
        case scheme:
            raise refused(address, f"'{scheme}' is no known kind of address: abfss://, mssql://, or a path")


def _trusted(address: str, host: str | None, known: tuple[str, ...]) -> str:
    """The host, where a token of the caller may go to it."""
    if not host or not host.endswith(known) or not _HOST.fullmatch(host):
        hosts = ", ".join(f"*{suffix}" for suffix in known)
        raise refused(address, f"'{host or ''}' is no host of Azure that a token is sent to: {hosts}")
    return host


def _lake(address: str, parts: SplitResult) -> Data:
    host, container = _trusted(address, parts.hostname, _LAKES), parts.username
    if not container or parts.password or parts.port or not parts.path.strip("/"):
        raise refused(address, "wants abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH")
    suffix = Path(parts.path).suffix.lower()
    if suffix in SUFFIXES and suffix not in _PARTS:
        return _copied(address, _open_lake(address, host, f"{unquote(container)}{unquote(parts.path)}"), suffix)
    import narwhals as nw  # noqa: PLC0415 - an extra
    import polars as pl  # noqa: PLC0415
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - only for addresses

    caller: Any = pl.CredentialProviderAzure(credential=DefaultAzureCredential())
    if suffix in _PARTS:
        frame = pl.scan_parquet(address, credential_provider=caller, glob=False)
    else:
        # A folder without a suffix is a table: what else lies in it could not be told from what belongs to it.
        frame = pl.scan_delta(address, credential_provider=caller)
    lazy = nw.from_native(frame)
    return Data(lazy, address, columns_of(lazy))


def _open_lake(address: str, host: str, path: str) -> Iterator[bytes]:
    try:
        from adlfs import AzureBlobFileSystem  # noqa: PLC0415 - an extra
    except ImportError:
        raise refused(address, "needs the extra `lake`: pip install 'sovereignmesh[lake]'") from None
    account, _, rest = host.partition(".")
    system = AzureBlobFileSystem(
        account_name=account, account_host=f"{account}.{rest.replace('dfs.', 'blob.', 1)}", anon=False
    )
    with system.open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _copied(address: str, chunks: Iterator[bytes], suffix: str) -> Data:
    kept = _Folder()
    file = kept.path / f"data{suffix}"
    with file.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
    return _renamed(open_path(file), address, kept)


class _Folder:
    """A temporary folder that goes when nobody holds it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sovereignmesh-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _renamed(data: Data, address: str, kept: Any) -> Data:
    return Data(data.frame, address, data.columns, text=data.text, footers=data.footers, kept=kept)


def _table(address: str, parts: SplitResult) -> Data:
    host = _trusted(address, parts.hostname, _SERVERS)
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if len(names) != 2 or parts.username or parts.password:  # noqa: PLR2004 - a database and a table
        raise refused(address, "wants mssql://SERVER/DATABASE/SCHEMA.TABLE; who signs in is found, not written")
    database, (schema, _, table) = names[0], names[1].rpartition(".")
    if not all(_NAME.fullmatch(name) for name in (database, table, schema or "dbo")):
        raise refused(address, "a name has a character that no address may have: [ ] ; { } = and quotes")
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        import mssql_python  # noqa: PLC0415 - an extra
    except ImportError:
        raise refused(address, "needs the extra `sql`: pip install 'sovereignmesh[sql]'") from None
    kept = _Folder()
    file = kept.path / "table.parquet"
    login = (
        f"Server=tcp:{host},{parts.port or 1433};Database={database};Authentication=ActiveDirectoryDefault;Encrypt=yes;"
    )
    try:
        with mssql_python.connect(login) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM [{schema or 'dbo'}].[{table}]")  # noqa: S608 - names without a bracket
            reader = cursor.arrow_reader(batch_size=_ROWS)
            with pq.ParquetWriter(file, reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
    except mssql_python.Error as error:
        raise refused(address, f"cannot be read: {str(error)[:300]}") from error
    return _renamed(open_path(file), address, kept)
