"""A Purview account's services through the SDK's clients: one set of objects of each kind, each call with its version.

The clients' own operations send previews of the APIs; `send_request` sends what is released through the same pipeline:
https://learn.microsoft.com/rest/api/purview/.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from azure.purview.administration.account import PurviewAccountClient
from azure.purview.administration.metadatapolicies import PurviewMetadataPoliciesClient
from azure.purview.catalog import PurviewCatalogClient
from azure.purview.scanning import PurviewScanningClient

from sovereignmesh.azure.connection import connect
from sovereignmesh.azure.purview.account import PurviewAccount, find_purview_account
from sovereignmesh.azure.purview.objects import (
    Classification,
    ClassificationRule,
    Collection,
    Credential,
    Filter,
    KeyVaultConnection,
    MetadataPolicy,
    MetadataRole,
    Ruleset,
    Run,
    Scan,
    Source,
    Trigger,
)
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import AnswerError, ClosedNetworkError, DeniedError, NotFoundError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.core.pipeline import Pipeline
    from azure.core.rest import HttpRequest, HttpResponse

    from sovereignmesh.azure.channel import Answer, Channel, Client
    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.pace import Pace

__all__ = ["Objects", "Purview", "connect_purview"]

SCANNING: Final = "2023-09-01"
DATA_MAP: Final = "2023-09-01"
ACCOUNT: Final = "2019-11-01-preview"  # no release of this plane exists; the SDK's own version
POLICIES: Final = "2021-07-01-preview"  # likewise
# What a missing role is told with, inside a closed network too:
# https://learn.microsoft.com/answers/questions/5857327/service-principal-getting-403-not-authorized-to-ac
_NO_ROLE: Final = "Not authorized to access account"
_TYPES: Final = "/datamap/api/atlas/v2/types"
# https://learn.microsoft.com/purview/concept-elastic-data-map: 10 capacity units without asking, of 25 operations each.
OPERATIONS: Final = 250.0  # a second

Kind = TypeVar("Kind", bound="_Writable")
Read = TypeVar("Read")


class _Writable(Protocol):
    def body(self) -> dict[str, Any]:
        """The body of the request that writes it."""


class Capacity:
    """Lets requests out no faster than an account takes them."""

    def __init__(self, pace: Callable[[], Pace], operations: float = OPERATIONS) -> None:
        self._pace, self._interval = pace, 1 / operations
        self._lock = threading.Lock()
        self._next = 0.0

    def take(self) -> None:
        """Returns when a request may go out."""
        pace = self._pace()
        with self._lock:
            now = pace.clock()
            self._next = max(self._next, now) + self._interval
            wait = self._next - self._interval - now
        if wait > 0:
            pace.wait(wait)


class _Metered:
    """A client of the SDK each of whose requests, further pages among them, waits until the account takes it."""

    def __init__(self, client: Client, capacity: Capacity) -> None:
        self._client, self._capacity = client, capacity

    def send_request(self, request: HttpRequest) -> HttpResponse:
        """Sends a request through the client's pipeline."""
        self._capacity.take()
        return self._client.send_request(request)


class _Line:
    """Requests to one endpoint of an account."""

    def __init__(self, channel: Channel, endpoint: str, account: PurviewAccount) -> None:
        self._channel, self._endpoint, self._account = channel, endpoint, account
        self._answered = False  # then the network is open, whatever follows

    def send(self, method: str, path: str, version: str, body: Any = None, **parameters: str) -> Answer:
        with self._told_apart():
            return self._channel.send(method, f"{self._endpoint}{path}", version, body, **parameters)

    def items(self, path: str, version: str, key: str = "value", **parameters: str) -> Iterator[Facts]:
        with self._told_apart():
            place = f"{self._endpoint}{path}"
            for item in self._channel.items(place, version, key=key, **parameters):
                self._answered = True
                yield Facts(item, place)

    def object(self, method: str, path: str, version: str, body: Any = None, **parameters: str) -> Facts:
        answer = self.send(method, path, version, body, **parameters)
        if not isinstance(answer.body, dict):
            raise AnswerError(f"{self._endpoint}{path}: the answer should be an object, and is {answer.body!r:.100}")
        return Facts(answer.body, f"{self._endpoint}{path}")

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        """A 403 is raised as what it is: a missing role, or a network from which the account does not answer."""
        try:
            yield
            self._answered = True
        except NotFoundError:
            self._answered = True
            raise
        except DeniedError as error:
            name, off = self._account.name, self._account.public_network == "Disabled"
            sure = isinstance(error, ClosedNetworkError)
            closed = sure or (off and not self._answered and _NO_ROLE not in str(error))
            if closed:
                said = f"the account {name} does not answer this network (public network access is off): "
                what = said + "ask from where its private endpoint is"
                what += "" if sure else "; where you do, you lack a role in its collections"
            else:
                what = (
                    f"you lack a role in the account {name}: have one assigned to you in its collections (Data Source "
                    "Administrator for sources and scans, Data Curator for classifications, Collection Administrator "
                    "for collections and roles)"
                )
            kind = ClosedNetworkError if closed else DeniedError
            raise kind(
                f"{error}; {what}",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
                target=error.target,
            ) from error


class Single(Generic[Kind]):
    """Objects of which each is there once: get, put. Names are those of the object after those of what it lies in.

    Every method raises an `AzureError` as the connection does: NotFoundError for what is not there, DeniedError for a
    missing role, ClosedNetworkError for a network that is kept out, RejectedError for what the service refuses.
    `body` and `write` are the same without types: the API's JSON.
    """

    def __init__(self, line: _Line, path: str, version: str, read: Callable[[Facts], Kind]) -> None:
        """`path` has a `{}` for each name."""
        self._line, self._path, self._version, self._read = line, path, version, read

    def get(self, *names: str) -> Kind:
        """The one with that name."""
        return self._read(self.body(*names))

    def put(self, one: Kind, *names: str) -> Kind:
        """Creates it, or replaces the whole of it; what came of it."""
        return self._read(self.write(one.body(), *names))

    def body(self, *names: str) -> Facts:
        """The one with that name as the service words it."""
        return self._line.object("GET", self._at(*names), self._version)

    def write(self, body: dict[str, Any], *names: str) -> Facts:
        """Writes the body; what came of it."""
        return self._line.object("PUT", self._at(*names), self._version, body)

    def _at(self, *names: str) -> str:
        return self._path.format(*map(_segment, names))


class Removable(Single[Kind]):
    """Objects that can be removed too."""

    def delete(self, *names: str) -> None:
        """Removes it; what is not there is removed already."""
        with contextlib.suppress(NotFoundError):
            self._line.send("DELETE", self._at(*names), self._version)


class Objects(Removable[Kind]):
    """Objects of one kind that a list tells: its last name is the object's own. `bodies` is `list` without types."""

    def list(self, *parents: str) -> Iterator[Kind]:
        """Every one, over all pages."""
        return map(self._read, self.bodies(*parents))

    def bodies(self, *parents: str) -> Iterator[Facts]:
        """Every one as the service words it, over all pages."""
        path = self._path.rpartition("/")[0].format(*map(_segment, parents))
        return self._line.items(path, self._version)


def _segment(name: str) -> str:
    """The name as one segment of a path. Raises RejectedError for one that would name what is above it."""
    if name in ("", ".", ".."):
        raise RejectedError(f"nothing in a Purview account can be called {name!r}: nothing was sent")
    return quote(name, safe="")


class Sources(Objects[Source]):
    """The data sources of an account."""

    def register(self, source: Source) -> Source:
        """Registers a source, or changes it; what the service made of it."""
        return self.put(source, source.name)


class Classifications:
    """Type definitions of classifications in the Data Map."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def bodies(self) -> Iterator[Facts]:
        """Every definition as the service words it, the system's own among them."""
        found = self._line.object("GET", f"{_TYPES}/typedefs", DATA_MAP, type="CLASSIFICATION")
        return found.each("classificationDefs")

    def list(self) -> Iterator[Classification]:
        """Every classification, the system's own among them."""
        return map(Classification.of, self.bodies())

    def get(self, name: str) -> Classification:
        """The one with that name."""
        # The types' API bears no version but that in its path.
        return Classification.of(self._line.object("GET", f"{_TYPES}/classificationdef/name/{_segment(name)}", ""))

    def create(self, *bodies: dict[str, Any]) -> None:
        """Creates definitions. Raises RejectedError where there is one of that name."""
        self._line.send("POST", f"{_TYPES}/typedefs", "", {"classificationDefs": list(bodies)})

    def update(self, *bodies: dict[str, Any]) -> None:
        """Changes definitions that are there."""
        self._line.send("PUT", f"{_TYPES}/typedefs", "", {"classificationDefs": list(bodies)})

    def delete(self, name: str) -> None:
        """Removes a definition; what is not there is removed already."""
        with contextlib.suppress(NotFoundError):
            self._line.send("DELETE", f"{_TYPES}/typedef/name/{_segment(name)}", "")


class Policies:
    """Role assignments: one document for each collection."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def roles(self) -> Iterator[MetadataRole]:
        """The roles that there are."""
        return map(MetadataRole.of, self._line.items("/policyStore/metadataRoles", POLICIES, "values"))

    def list(self) -> Iterator[MetadataPolicy]:
        """The policy of every collection."""
        return map(MetadataPolicy.of, self._line.items("/policyStore/metadataPolicies", POLICIES, "values"))

    def get(self, identity: str) -> MetadataPolicy:
        """The policy with that id."""
        path = f"/policyStore/metadataPolicies/{_segment(identity)}"
        return MetadataPolicy.of(self._line.object("GET", path, POLICIES))

    def update(self, document: dict[str, Any]) -> MetadataPolicy:
        """Replaces a policy by a document that was read and changed; its version must still be the current one."""
        path = f"/policyStore/metadataPolicies/{_segment(str(document['id']))}"
        return MetadataPolicy.of(self._line.object("PUT", path, POLICIES, document))


class Runs:
    """The runs of scans."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def start(self, source: str, scan: str, run_id: str | None = None, level: str = "Incremental") -> Run:
        """Starts a run. The id is the caller's, a GUID, or a new one: asked with the same again, none is started."""
        run_id = run_id or str(uuid.uuid4())
        path = f"{_scan(source, scan)}:run"
        return Run.of(self._line.object("POST", path, SCANNING, runId=run_id, scanLevel=level))

    def list(self, source: str, scan: str) -> Iterator[Run]:
        """The runs of a scan; in which order is not documented."""
        return map(Run.of, self._line.items(f"{_scan(source, scan)}/runs", SCANNING))

    def get(self, source: str, scan: str, run_id: str) -> Run:
        """How far a run is."""
        return Run.of(self._line.object("GET", f"{_scan(source, scan)}/runs/{_segment(run_id)}", SCANNING))

    def cancel(self, source: str, scan: str, run_id: str) -> None:
        """Asks a run to end."""
        self._line.send("POST", f"{_scan(source, scan)}/runs/{_segment(run_id)}:cancel", SCANNING)


def _scan(source: str, scan: str) -> str:
    return f"/datasources/{_segment(source)}/scans/{_segment(scan)}"


class SystemRulesets:
    """The rulesets that come with Purview: one for each kind of source, named like it."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def list(self) -> Iterator[Ruleset]:
        """Every one."""
        return map(Ruleset.of, self._line.items("/systemScanRulesets", SCANNING))

    def get(self, kind: str) -> Ruleset:
        """The one for a kind of source."""
        return Ruleset.of(self._line.object("GET", f"/systemScanRulesets/datasources/{_segment(kind)}", SCANNING))


def connect_purview(account: str | PurviewAccount, azure: Azure | None = None) -> Purview:
    """A Purview account by its name, its resource id, or as found before; `azure` defaults to `connect()`.

    A name is looked for in every subscription that the caller sees (Reader on the account suffices); what may be done
    in it is decided by roles in its collections. Raises NotFoundError where there is no such account.
    """
    where = azure or connect()
    return Purview(where, account if isinstance(account, PurviewAccount) else find_purview_account(where, account))


class Purview:
    """What is in a Purview account. Nothing is sent before something is asked for; any number of threads may ask."""

    def __init__(self, azure: Azure, account: PurviewAccount) -> None:
        self.azure, self.account = azure, account
        capacity = Capacity(lambda: azure.pace)
        scan_pipe, pipe = self._pipeline(account.scan), self._pipeline(account.endpoint)

        def line(client: Any, endpoint: str, pipeline: Pipeline[HttpRequest, HttpResponse]) -> _Line:
            made = client(endpoint=endpoint, credential=azure.credential, pipeline=pipeline)
            return _Line(azure.channel(_Metered(made, capacity)), endpoint, account)

        scanning = line(PurviewScanningClient, account.scan, scan_pipe)
        catalog = line(PurviewCatalogClient, account.endpoint, pipe)
        administration = line(PurviewAccountClient, account.endpoint, pipe)
        policies = line(PurviewMetadataPoliciesClient, account.endpoint, pipe)
        source, scan = "/datasources/{}", "/datasources/{}/scans/{}"
        self.collections: Objects[Collection] = Objects(administration, "/collections/{}", ACCOUNT, Collection.of)
        self.policies = Policies(policies)
        self.key_vaults: Objects[KeyVaultConnection] = Objects(
            scanning, "/azureKeyVaults/{}", SCANNING, KeyVaultConnection.of
        )
        self.credentials: Objects[Credential] = Objects(scanning, "/credentials/{}", SCANNING, Credential.of)
        self.classifications = Classifications(catalog)
        self.classification_rules: Objects[ClassificationRule] = Objects(
            scanning, "/classificationrules/{}", SCANNING, ClassificationRule.of
        )
        self.rulesets: Objects[Ruleset] = Objects(scanning, "/scanrulesets/{}", SCANNING, Ruleset.of)
        self.system_rulesets = SystemRulesets(scanning)
        self.sources: Sources = Sources(scanning, source, SCANNING, Source.of)
        self.scans: Objects[Scan] = Objects(scanning, scan, SCANNING, Scan.of)
        self.filters: Single[Filter] = Single(scanning, f"{scan}/filters/custom", SCANNING, Filter.of)
        self.triggers: Removable[Trigger] = Removable(scanning, f"{scan}/triggers/default", SCANNING, Trigger.of)
        self.runs = Runs(scanning)
        self._administration = administration

    def __repr__(self) -> str:
        return f"<Purview {self.account.name} in {self.account.location}>"

    def properties(self) -> Facts:
        """What the account's own service says of it."""
        return self._administration.object("GET", "/", ACCOUNT)

    def _pipeline(self, endpoint: str) -> Pipeline[HttpRequest, HttpResponse]:
        host = urlsplit(endpoint).netloc.lower().removesuffix(":443")
        return self.azure.pipeline_for(host, self.azure.cloud.purview_scope)
