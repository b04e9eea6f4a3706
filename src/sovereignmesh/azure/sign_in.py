"""The credential of whoever gives none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

    from sovereignmesh.azure.clouds import Cloud

__all__ = ["HOW_TO_SIGN_IN", "WAYS_TO_SIGN_IN", "default_credential"]

WAYS_TO_SIGN_IN: Final = (
    "sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or run where a managed "
    "identity is"
)
HOW_TO_SIGN_IN: Final = (
    f"{WAYS_TO_SIGN_IN}; `sovereignmesh doctor` shows what was tried, and `--sandbox` needs no account"
)
_KNOWN_AUTHORITIES: Final = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
    }
)


def default_credential(cloud: Cloud, tenant: str | None) -> TokenCredential:
    """azure-identity's DefaultAzureCredential for the cloud, in the tenant where one is given."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - half a second, and not always needed

    options: dict[str, Any] = {"authority": cloud.authority}
    if urlsplit(cloud.authority).hostname not in _KNOWN_AUTHORITIES:
        options["disable_instance_discovery"] = True  # the public cloud's does not know it
    if tenant is None:
        return DefaultAzureCredential(**options)
    return _InTenant(DefaultAzureCredential(**options, additionally_allowed_tenants=[tenant]), tenant)


class _InTenant:
    """Asks for tokens of one tenant; DefaultAzureCredential takes it with each request only."""

    def __init__(self, credential: TokenCredential, tenant: str) -> None:
        self._credential, self._tenant = credential, tenant

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return self._credential.get_token(*scopes, **{**options, "tenant_id": self._tenant})
