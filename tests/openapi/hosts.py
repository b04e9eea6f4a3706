"""Which address is for which of Purview's specifications."""

import re
from urllib.parse import urlsplit

ARM = "management.azure.com"
UNIFIED = "api.purview-service.microsoft.com"
_CATALOG = "/datagovernance/catalog"

_PREFIXES = (
    ("/scan", "scanning"),
    ("/policyStore", "policies"),
    ("/datamap/api", "datamap"),
    ("/workflow", "workflow"),
    ("/account", "account"),  # what is the account's own stands below it and at the root
    ("/catalog", None),  # the Data Map before 2023
)
# Up to 2022 each part had a host of its own.
_HOST = re.compile(r"[a-z0-9-]+\.(?:(?P<part>scan|account|catalog)\.)?purview\.azure\.(?:com|us|cn)")
_PARTS = {"scan": "scanning", "account": "account", "catalog": None, None: "account"}


def is_purview(url):
    """Whether it is for the specifications to say what may be sent there."""
    if "purview" not in url.lower():
        return False
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host != ARM:
        return host == UNIFIED or _HOST.fullmatch(host) is not None
    # What hangs below an account, such as its diagnostic settings, is another provider's.
    head, _, provider = parts.path.lower().rpartition("/providers/")
    return provider.startswith("microsoft.purview/") and "/providers/" not in head


def route(url):
    """The family of specifications that an address is for, or None, and the path within it."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path or "/"
    if host == ARM:
        return "arm", path
    if host == UNIFIED:
        return ("unified", path[len(_CATALOG) :]) if path.startswith(f"{_CATALOG}/") else (None, path)
    found = _HOST.fullmatch(host)
    if found is None:
        return None, path
    for prefix, family in _PREFIXES:
        if path == prefix or path.startswith(f"{prefix}/"):
            return family, path[len(prefix) :] or "/"
    return _PARTS[found["part"]], path
