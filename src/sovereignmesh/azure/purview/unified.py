"""Microsoft Purview's Unified Catalog: governance domains and data products, in one catalog for a whole tenant.

A public preview; what is sent follows its specification,
https://github.com/Azure/azure-rest-api-specs/tree/main/specification/purviewdatagovernance/data-plane/Azure.Analytics.Purview.UnifiedCatalog
(2026-03-20-preview), which the pages below
https://learn.microsoft.com/rest/api/purview/purview-unified-catalog/ are made of. The API names no account: the tenant
of the token says which catalog it is. What it calls a business domain, the portal calls a governance domain.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azure.core import PipelineClient

from sovereignmesh.azure.purview.line import Capacity, Metered, segment
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import AnswerError, AzureError, ClosedNetworkError, DeniedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.azure.channel import Channel
    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.purview.account import PurviewAccount

__all__ = ["Entities", "UnifiedCatalog", "connect_unified"]

VERSION: Final = "2026-03-20-preview"
_SUBSCRIPTIONS: Final = "2022-12-01"  # https://learn.microsoft.com/rest/api/resources/subscriptions/get
_ROOT: Final = "/datagovernance/catalog"
# https://learn.microsoft.com/rest/api/purview/purview-unified-catalog/data-products/list: 100 requests in 20 seconds;
# of which some may come at once. Writes may come twice as often (.../critical-data-elements/create); here they may not.
_BURST: Final = 20
_REQUESTS: Final = (100 - _BURST) / 20  # a second
# https://learn.microsoft.com/purview/data-governance-roles-permissions
_ROLES: Final = (
    "have one assigned to you in the Microsoft Purview portal, below Unified Catalog (Global Catalog Reader to read, "
    "Governance Domain Creator for new domains, Governance Domain Owner to change one, Data Product Owner for products)"
)


def connect_unified(azure: Azure, account: PurviewAccount) -> UnifiedCatalog:
    """The Unified Catalog of the tenant that an account is of. The catalog itself is not asked yet.

    Raises an `AzureError` where the connection's cloud has none that is documented (a cloud file may say where one is),
    and where the connection signs in to another tenant than the account's, or may: that one's catalog would answer.
    """
    if not azure.cloud.unified_catalog:
        raise AzureError(
            f"no Unified Catalog is documented for the cloud {azure.cloud.name}: where there is one, a cloud file with "
            "`unified_catalog` says where it answers"
        )
    _check_tenant(azure, account)
    return UnifiedCatalog(azure)


def _check_tenant(azure: Azure, account: PurviewAccount) -> None:
    """Raises AzureError where a token may be another tenant's: subscriptions can be managed from elsewhere."""
    place = f"/subscriptions/{segment(account.id.split('/')[2])}"
    subscription = Facts(azure.get(place, _SUBSCRIPTIONS), place)
    home, told = subscription.text("tenantId").casefold(), (azure.tenant or "").casefold()
    if not home:
        raise AnswerError(f"{place}: the answer does not say the subscription's tenant")
    # https://learn.microsoft.com/azure/lighthouse/concepts/architecture
    managed = next(subscription.each("managedByTenants"), None) is not None
    if (told and told != home) or (managed and not told):
        where = f"tenant {told}" if told else "a tenant that is not said, and others manage that subscription too"
        raise AzureError(
            f"the account {account.name} is of tenant {home}, and you sign in to {where}: the Unified Catalog is that "
            f"of the tenant that you sign in to, so say --tenant {home}, or connect(tenant=...)"
        )


class Entities:
    """Objects of one kind, known by their ids (GUIDs); bodies are the API's JSON.

    Every method raises an `AzureError` as the connection does, and DeniedError with the roles that there are.
    """

    def __init__(self, channel: Channel, place: str) -> None:
        """`place` is the address of the list."""
        self._channel, self._place = channel, place

    def list(self, **filters: str) -> Iterator[Facts]:
        """Every one that the caller may see, over all pages. Raises NotFoundError where there is no catalog."""
        with self._told():
            try:
                for body in self._channel.items(self._place, VERSION, **filters):
                    yield Facts(body, self._place)
            except NotFoundError as error:
                raise NotFoundError(
                    f"this tenant has no Unified Catalog, or none that answers ({error}): it comes with a Purview "
                    "account in the new portal, https://learn.microsoft.com/purview/unified-catalog",
                    status=error.status,
                    code=error.code,
                    request_id=error.request_id,
                ) from error

    def get(self, identity: str) -> Facts:
        """The one with that id."""
        return self._object("GET", f"/{segment(identity)}")

    def create(self, body: dict[str, Any]) -> Facts:
        """Creates one; what came of it. It is a POST, which is never sent twice."""
        return self._object("POST", "", body)

    def update(self, identity: str, body: dict[str, Any]) -> Facts:
        """Replaces the whole of one; what came of it."""
        return self._object("PUT", f"/{segment(identity)}", body)

    def delete(self, identity: str) -> None:
        """Removes one; what is not there is removed already."""
        with self._told(), contextlib.suppress(NotFoundError):
            self._channel.send("DELETE", f"{self._place}/{segment(identity)}", VERSION)

    def _object(self, method: str, path: str, body: dict[str, Any] | None = None) -> Facts:
        place = f"{self._place}{path}"
        with self._told():
            answer = self._channel.send(method, place, VERSION, body)
        if not isinstance(answer.body, dict):
            raise AnswerError(f"{place}: the answer should be an object, and is {answer.body!r:.100}")
        return Facts(answer.body, place)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """A 403 is raised with what it may mean: a role is missing, or there is no catalog to have one in."""
        try:
            yield
        except ClosedNetworkError:
            raise
        except DeniedError as error:
            raise DeniedError(
                f"{error}; you lack a role in the Unified Catalog, or the tenant has none, which looks alike: {_ROLES}",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
                target=error.target,
            ) from error


class UnifiedCatalog:
    """A tenant's Unified Catalog: `domains` and `products`."""

    def __init__(self, azure: Azure) -> None:
        self.azure = azure
        endpoint = azure.cloud.unified_catalog.rstrip("/")
        host = urlsplit(endpoint).netloc.lower().removesuffix(":443")
        client: PipelineClient[Any, Any] = PipelineClient(
            endpoint, pipeline=azure.pipeline_for(host, azure.cloud.purview_scope)
        )
        channel = azure.channel(Metered(client, Capacity(lambda: azure.pace, _REQUESTS, _BURST)))
        self.domains = Entities(channel, f"{endpoint}{_ROOT}/businessdomains")
        self.products = Entities(channel, f"{endpoint}{_ROOT}/dataProducts")

    def __repr__(self) -> str:
        return f"<UnifiedCatalog at {self.azure.cloud.unified_catalog}>"
