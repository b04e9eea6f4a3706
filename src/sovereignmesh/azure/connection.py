"""The connection: one session, the pipelines over it, and the channel to Azure Resource Manager."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Self, TypedDict

import requests
from azure.mgmt.resource.resources import ResourceManagementClient
from requests.adapters import HTTPAdapter

from sovereignmesh.azure.channel import Channel, make_pipeline
from sovereignmesh.azure.clouds import find_cloud
from sovereignmesh.azure.pace import Pace, Quota
from sovereignmesh.azure.sign_in import default_credential
from sovereignmesh.errors import UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import Pipeline
    from azure.core.rest import HttpRequest, HttpResponse

    from sovereignmesh.azure.channel import Client
    from sovereignmesh.azure.clouds import Cloud

__all__ = ["CONNECTIONS", "Azure", "ClientOptions", "connect"]

# Without a handler of the program's own, what the SDK warns of would be printed beside the exception that says it.
logging.getLogger("azure").addHandler(logging.NullHandler())

CONNECTIONS: Final = 16  # requests under way at once, at most
_HOSTS: Final = 4  # that connections are kept to: Azure Resource Manager, and Purview accounts


class ClientOptions(TypedDict):
    """What the SDK's clients of Azure Resource Manager are built with, to send what they send as a connection does."""

    credential: TokenCredential
    base_url: str
    credential_scopes: list[str]
    pipeline: Pipeline[HttpRequest, HttpResponse]


def connect(
    credential: TokenCredential | None = None,
    cloud: str | Path | Cloud = "public",
    tenant: str | None = None,
    *,
    session: requests.Session | None = None,
    pace: Pace | None = None,
) -> Azure:
    """A connection to Azure. Nothing is sent yet.

    `credential` is any azure-identity credential; without one, DefaultAzureCredential signs in: environment, managed
    identity, Azure CLI and the others it knows. `cloud` is public, usgovernment, china, a YAML file or a `Cloud`;
    `tenant` is the id of the tenant to sign in to, where the account knows several. Proxies and certificates are those
    that requests takes from the environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE). `session` is for who has their own: it
    stays open when the connection is closed. What goes wrong later is an `AzureError`; its kinds are in
    `sovereignmesh.errors`: SignInError, DeniedError, ThrottledError and so on.
    """
    where = find_cloud(cloud)
    signed_in = credential or default_credential(where, tenant)
    return Azure(
        where, signed_in, session or _session(where.resource_manager), pace or Pace(), tenant, own=session is None
    )


def _session(address: str) -> requests.Session:
    session = requests.Session()
    # Proxies and certificates of the environment, looked up once and not for each request; and without ~/.netrc, which
    # would put a password of its own in the token's place.
    found = session.merge_environment_settings(address, {}, stream=None, verify=None, cert=None)
    session.trust_env, session.proxies, session.verify = False, dict(found["proxies"]), found["verify"]
    session.mount("https://", HTTPAdapter(pool_connections=_HOSTS, pool_maxsize=CONNECTIONS, max_retries=0))
    return session


class Azure(Channel):
    """A connection to one cloud; real or not, nothing else knows. Close it, or use it in a `with`.

    One run at a time uses it, with any number of threads: the pace is the run's.
    """

    def __init__(
        self,
        cloud: Cloud,
        credential: TokenCredential,
        session: requests.Session,
        pace: Pace,
        tenant: str | None = None,
        *,
        own: bool = True,
    ) -> None:
        """`own`: closing the connection closes the session too."""
        self.cloud, self.pace, self.tenant, self.credential = cloud, pace, tenant, credential
        self.quota = Quota(lambda: self.pace)
        self._session, self._own = session, own
        self._closed = False
        self._pipeline = make_pipeline(cloud.host, cloud.scope, credential, session, lambda: self.pace)
        client = ResourceManagementClient(
            subscription_id="00000000-0000-0000-0000-000000000000",  # its own operations want one; requests name theirs
            **self.client_options(),
        )
        super().__init__(client, lambda: self.pace, self._require_open)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets nothing more out, and closes the session unless it was given."""
        self._closed = True
        self.pace.stop()
        if self._own:
            self._session.close()

    def client_options(self) -> ClientOptions:
        """What any other client of the SDK is built with, so that it shares the token, the retries and the one host.

        `SqlManagementClient(subscription_id=..., **azure.client_options())`; ask through `azure.sdk`, which raises our
        errors.
        """
        return ClientOptions(
            credential=self.credential,
            base_url=self.cloud.resource_manager.rstrip("/"),
            credential_scopes=[self.cloud.scope],
            pipeline=self._pipeline,
        )

    def pipeline_for(self, host: str, scope: str) -> Pipeline[HttpRequest, HttpResponse]:
        """The pipeline for another host than Azure Resource Manager's, over the same session and in the same pace."""
        return make_pipeline(host, scope, self.credential, self._session, lambda: self.pace)

    def channel(self, client: Client) -> Channel:
        """Requests through a client of the SDK that was built on a pipeline of `pipeline_for`."""
        return Channel(client, lambda: self.pace, self._require_open)

    def begin(self, deadline: float | None = None) -> None:
        """A new run, `deadline` seconds long; whatever still waits in the last one is not let on by it."""
        self.pace.stop()
        self.pace = self.pace.renewed(deadline)

    def _require_open(self) -> None:
        if self._closed:
            raise UnreachableError("the connection was closed")
