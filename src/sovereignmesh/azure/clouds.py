"""The clouds that Azure runs in, and those that a customer describes: Azure Local, Azure Stack, a proxy."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sovereignmesh.errors import AzureError, MeshError
from sovereignmesh.yamlfile import parse

__all__ = ["CLOUDS", "Cloud", "find_cloud"]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a cloud's services answer.

    `resource_manager` is the endpoint of Azure Resource Manager, `audience` whom tokens for it are for, `authority` who
    issues them, `purview` the suffix of Purview accounts' hosts ("" where the cloud has none),
    `purview_audience` whom tokens for these are for: public sources contradict each other about other clouds than the
    public one, so it may have to be set. `unified_catalog` is the endpoint of Purview's Unified Catalog, "" where none
    is documented.
    """

    name: str
    resource_manager: str
    audience: str
    authority: str
    purview: str = ""
    purview_audience: str = "https://purview.azure.net"
    unified_catalog: str = ""

    @property
    def purview_scope(self) -> str:
        """What a token for Purview accounts is asked for with."""
        return self.purview_audience.rstrip("/") + "/.default"

    @property
    def scope(self) -> str:
        """What a token for Azure Resource Manager is asked for with."""
        return self.audience.rstrip("/") + "/.default"

    @property
    def host(self) -> str:
        """The only host (and port, where it is not 443) that a token for Azure Resource Manager may go to."""
        return urlsplit(self.resource_manager).netloc.lower().removesuffix(":443")


# https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure and
# https://learn.microsoft.com/azure/china/resources-developer-guide, as azure-core's AzureClouds has them; Purview:
# https://learn.microsoft.com/purview/data-gov-classic-private-link; the Unified Catalog: the one endpoint that its
# specification allows, https://learn.microsoft.com/rest/api/purview/purview-unified-catalog/data-products/list.
CLOUDS: Final = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "public",
            "https://management.azure.com",
            "https://management.azure.com",
            "https://login.microsoftonline.com",
            "purview.azure.com",
            unified_catalog="https://api.purview-service.microsoft.com",
        ),
        Cloud(
            "usgovernment",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net",
            "https://login.microsoftonline.us",
            "purview.azure.us",
        ),
        Cloud(
            "china",
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
            "purview.azure.cn",
        ),
    )
}
_NAMES: Final = tuple(field.name for field in fields(Cloud))
_ENDPOINTS: Final = ("resource_manager", "audience", "authority")


def find_cloud(cloud: str | Path | Cloud) -> Cloud:
    """The cloud: by its name (public, usgovernment, china), from a YAML file, or as it is.

    A file holds the fields of `Cloud`: name, resource_manager, audience, authority, and purview, purview_audience and
    unified_catalog where there is one.
    Raises AzureError for a name that is no cloud's and no file's, and for a file that is not complete or not https.
    """
    if isinstance(cloud, Cloud):
        return cloud
    known = CLOUDS.get(str(cloud).lower())
    return known or _read(Path(cloud))


def _is_endpoint(address: str) -> bool:
    try:
        url = urlsplit(address)
        return url.scheme == "https" and bool(url.hostname) and not url.username and not {"{", "}"} & set(address)
    except ValueError:
        return False


def _read(path: Path) -> Cloud:
    if not path.is_file():
        raise AzureError(f"no cloud {str(path)!r}: give {', '.join(CLOUDS)}, or a YAML file with {', '.join(_NAMES)}")
    try:
        document = parse(path.read_bytes(), str(path)).require()
    except (OSError, MeshError) as error:
        raise AzureError(f"{path}: {error}" if isinstance(error, OSError) else str(error)) from error
    if not isinstance(document, dict):
        raise AzureError(f"{path}: must hold {', '.join(_NAMES)}")
    if strange := document.keys() - set(_NAMES):
        raise AzureError(f"{path}: {', '.join(sorted(strange))} means nothing here; known: {', '.join(_NAMES)}")
    for name in ("name", *_ENDPOINTS):
        value = document.get(name)
        if not isinstance(value, str) or not value.strip():
            raise AzureError(f"{path}: `{name}` is missing")
        if name in _ENDPOINTS and not _is_endpoint(value):
            raise AzureError(f"{path}: `{name}` must be an https address: tokens go nowhere else")
    for name in ("purview_audience", "unified_catalog"):
        told = document.get(name)
        if told is not None and (not isinstance(told, str) or not _is_endpoint(told)):
            raise AzureError(f"{path}: `{name}` must be an https address")
    return Cloud(**{name: str(value) for name, value in document.items() if value is not None})
