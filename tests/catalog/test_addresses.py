"""Addresses are read as `urlsplit` reads them, and faster."""

from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from sovereignmesh.catalog.placing import address

PIECES = ["https", "mssql", "://", "//", "a.b", "A.B:1", "u@", "/x", "?", "#", "é", "1", "-", "[", "]", " ", "%", ":"]


def as_split(text):
    try:
        parts = urlsplit(text.strip() if "://" in text else f"//{text.strip()}")
        host = parts.hostname
    except ValueError:
        return None
    return (host, f"{parts.path.casefold().rstrip('/')}/") if host and "." in host else None


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("mssql://Sales.database.windows.net:1433/Db/dbo/Orders?x=1#y")
@example("host.net/path?to=https://other.net/")
@example("1a://b.c/d")
@example("https://[::1.2.3.4]/x")
def test_addresses(text):
    assert address(text) == as_split(text)
