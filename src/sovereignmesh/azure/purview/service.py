"""A Purview account's services through the SDK's clients: one set of objects of each kind, each call with its version.

The clients' own operations send previews of the APIs; `send_request` sends what is released through the same pipeline:
https://learn.microsoft.com/rest/api/purview/.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from azure.purview.administration.account import PurviewAccountClient
from azure.purview.administration.metadatapolicies import PurviewMetadataPoliciesClient
from azure.purview.catalog import PurviewCatalogClient
from azure.purview.scanning import PurviewScanningClient

from sovereignmesh.azure.connection import connect
from sovereignmesh.azure.policies import wait_in
from sovereignmesh.azure.purview.account import PurviewAccount, find_purview_account
from sovereignmesh.azure.purview.datamap import DataMap
from sovereignmesh.azure.purview.line import (
    DATA_MAP,
    Capacity,
    Line,
    Metered,
    Objects,
    Removable,
    Single,
    segment,
)
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
    Scan,
    Source,
    Trigger,
)
from sovereignmesh.azure.purview.run import Run
from sovereignmesh.azure.purview.workflow import (
    WORKFLOWS,
    UserRequests,
    Workflow,
    WorkflowRuns,
    Workflows,
    WorkflowTasks,
)
from sovereignmesh.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.pipeline import Pipeline
    from azure.core.rest import HttpRequest, HttpResponse

    from sovereignmesh.azure.connection import Azure
    from sovereignmesh.azure.sdk import Facts

__all__ = ["Objects", "Purview", "connect_purview"]

SCANNING: Final = "2023-09-01"
ACCOUNT: Final = "2019-11-01-preview"  # no release of this plane exists; the SDK's own version
POLICIES: Final = "2021-07-01-preview"  # likewise
_TYPES: Final = "/datamap/api/atlas/v2/types"


class Sources(Objects[Source]):
    """The data sources of an account."""

    def register(self, source: Source) -> Source:
        """Registers a source, or changes it; what the service made of it."""
        return self.put(source, source.name)


class Classifications:
    """Type definitions of classifications in the Data Map."""

    def __init__(self, line: Line) -> None:
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
        return Classification.of(self._line.object("GET", f"{_TYPES}/classificationdef/name/{segment(name)}", ""))

    def create(self, *bodies: dict[str, Any]) -> None:
        """Creates definitions. Raises RejectedError where there is one of that name."""
        self._line.send("POST", f"{_TYPES}/typedefs", "", {"classificationDefs": list(bodies)})

    def update(self, *bodies: dict[str, Any]) -> None:
        """Changes definitions that are there."""
        self._line.send("PUT", f"{_TYPES}/typedefs", "", {"classificationDefs": list(bodies)})

    def delete(self, name: str) -> None:
        """Removes a definition; what is not there is removed already."""
        with contextlib.suppress(NotFoundError):
            self._line.send("DELETE", f"{_TYPES}/typedef/name/{segment(name)}", "")


class Policies:
    """Role assignments: one document for each collection."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def roles(self) -> Iterator[MetadataRole]:
        """The roles that there are."""
        return map(MetadataRole.of, self._line.items("/policyStore/metadataRoles", POLICIES, "values"))

    def list(self) -> Iterator[MetadataPolicy]:
        """The policy of every collection."""
        return map(MetadataPolicy.of, self._line.items("/policyStore/metadataPolicies", POLICIES, "values"))

    def get(self, identity: str) -> MetadataPolicy:
        """The policy with that id."""
        path = f"/policyStore/metadataPolicies/{segment(identity)}"
        return MetadataPolicy.of(self._line.object("GET", path, POLICIES))

    def update(self, document: dict[str, Any]) -> MetadataPolicy:
        """Replaces a policy by a document that was read and changed; its version must still be the current one."""
        path = f"/policyStore/metadataPolicies/{segment(str(document['id']))}"
        return MetadataPolicy.of(self._line.object("PUT", path, POLICIES, document))


class Runs:
    """The runs of scans."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def start(self, source: str, scan: str, run_id: str | None = None, level: str = "Incremental") -> Run:
        """Starts a run under the caller's id, a GUID, or a new one.

        It is sent once: after UnreachableError or AnswerError `get` tells whether it was taken.
        """
        run_id = run_id or str(uuid.uuid4())
        path = f"{_scan(source, scan)}:run"
        return Run.of(self._line.object("POST", path, SCANNING, runId=run_id, scanLevel=level))

    def list(self, source: str, scan: str) -> Iterator[Run]:
        """The runs of a scan; in which order is not documented."""
        return map(Run.of, self._line.items(f"{_scan(source, scan)}/runs", SCANNING))

    def get(self, source: str, scan: str, run_id: str) -> Run:
        """How far a run is."""
        return self.poll(source, scan, run_id)[0]

    def poll(self, source: str, scan: str, run_id: str) -> tuple[Run, float | None]:
        """How far a run is, and after how many seconds the service wants to be asked again, None where it says none."""
        path = f"{_scan(source, scan)}/runs/{segment(run_id)}"
        found, headers = self._line.told("GET", path, SCANNING)
        return Run.of(found), wait_in(headers)

    def cancel(self, source: str, scan: str, run_id: str) -> None:
        """Asks a run to end."""
        self._line.send("POST", f"{_scan(source, scan)}/runs/{segment(run_id)}:cancel", SCANNING)


def _scan(source: str, scan: str) -> str:
    return f"/datasources/{segment(source)}/scans/{segment(scan)}"


class SystemRulesets:
    """The rulesets that come with Purview: one for each kind of source, named like it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def list(self) -> Iterator[Ruleset]:
        """Every one."""
        return map(Ruleset.of, self._line.items("/systemScanRulesets", SCANNING))

    def get(self, kind: str) -> Ruleset:
        """The one for a kind of source."""
        return Ruleset.of(self._line.object("GET", f"/systemScanRulesets/datasources/{segment(kind)}", SCANNING))


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

        def line(client: Any, endpoint: str, pipeline: Pipeline[HttpRequest, HttpResponse]) -> Line:
            made = client(endpoint=endpoint, credential=azure.credential, pipeline=pipeline)
            return Line(azure.channel(Metered(made, capacity)), endpoint, account)

        scanning = line(PurviewScanningClient, account.scan, scan_pipe)
        catalog = line(PurviewCatalogClient, account.endpoint, pipe)
        administration = line(PurviewAccountClient, account.endpoint, pipe)
        policies = line(PurviewMetadataPoliciesClient, account.endpoint, pipe)
        # Its own client is one more pre-release, and sends no more than `send_request` does.
        workflow = line(PurviewCatalogClient, f"{account.endpoint}/workflow", pipe)
        source, scan = "/datasources/{}", "/datasources/{}/scans/{}"
        self.collections: Objects[Collection] = Objects(administration, "/collections/{}", ACCOUNT, Collection.of)
        self.policies = Policies(policies)
        self.key_vaults: Objects[KeyVaultConnection] = Objects(
            scanning, "/azureKeyVaults/{}", SCANNING, KeyVaultConnection.of
        )
        self.credentials: Objects[Credential] = Objects(scanning, "/credentials/{}", SCANNING, Credential.of)
        self.classifications = Classifications(catalog)
        self.data_map = DataMap(catalog)
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
        self.workflows: Workflows = Workflows(workflow, "/workflows/{}", WORKFLOWS, Workflow.of)
        self.user_requests = UserRequests(workflow)
        self.workflow_runs = WorkflowRuns(workflow)
        self.workflow_tasks = WorkflowTasks(workflow)
        self._administration = administration

    def __repr__(self) -> str:
        return f"<Purview {self.account.name} in {self.account.location}>"

    def properties(self) -> Facts:
        """What the account's own service says of it."""
        return self._administration.object("GET", "/", ACCOUNT)

    def _pipeline(self, endpoint: str) -> Pipeline[HttpRequest, HttpResponse]:
        host = urlsplit(endpoint).netloc.lower().removesuffix(":443")
        return self.azure.pipeline_for(host, self.azure.cloud.purview_scope)
