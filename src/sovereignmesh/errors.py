"""Every exception that the package raises on purpose.

::

    SovereignMeshError          the root: catch this to catch all of them
    ├── MeshError               the mesh's documents are wrong; `problems` lists all of them with file:line:col
    ├── InventoryError          an export could not be opened, or is no export at all
    ├── ReportError             a report could not be written
    ├── CheckpointError         the file of an interrupted run cannot be used
    ├── PlanError               a plan is not carried out: it has errors, changes too much, or is not the one expected
    ├── AccessError             access is not asked for, or not decided: no contract, no workflow, nothing to decide
    ├── RecordError             the record of decisions cannot be read or written
    ├── FrameError              data cannot be read: not there, broken, of no known kind; or an extra is not installed
    ├── ContractError           a contract cannot be used: it contradicts itself, or there is none of that name
    ├── ContractViolation       data breaks its contract; with the whole `result`
    │   ├── DataContractViolation   it holds what the contract does not allow, or lacks what it wants
    │   └── DataQualityViolation    it is not as good as the contract promises
    ├── AzureError              Azure could not be asked, or refused; with `status`, `code`, `target` and `request_id`
    │   ├── SignInError         no credential, or one that Azure does not accept
    │   ├── DeniedError         the caller lacks a role (403)
    │   │   └── ClosedNetworkError  not the role is missing: the network that the caller is in may not ask (403)
    │   ├── NotFoundError       what was asked for is not there, or not for this caller (404)
    │   ├── RejectedError       the request itself was refused (other 4xx)
    │   ├── ThrottledError      too many requests, and waiting as long as the service wants is no option
    │   ├── UnreachableError    no connection, or none that lasted: name, proxy, certificate, time-out, server errors
    │   ├── AnswerError         an answer that is none: HTML, half a page, a link to another host
    │   └── DeadlineError       the time given was up, or the run was stopped
    ├── SandboxError            the sandbox cannot be opened: unknown estate or fault, or its extra is not installed
    └── FactsError              a table of this package is malformed: a defect here, not in your input

`str(error)` is one paragraph for a person: what, where, what to do. The command prints it and exits 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sovereignmesh.result.location import Problem

__all__ = [
    "AccessError",
    "AnswerError",
    "AzureError",
    "CheckpointError",
    "ClosedNetworkError",
    "ContractError",
    "ContractViolation",
    "DataContractViolation",
    "DataQualityViolation",
    "DeadlineError",
    "DeniedError",
    "FactsError",
    "FrameError",
    "InventoryError",
    "MeshError",
    "NotFoundError",
    "PlanError",
    "RecordError",
    "RejectedError",
    "ReportError",
    "SandboxError",
    "SignInError",
    "SovereignMeshError",
    "ThrottledError",
    "UnreachableError",
]


class SovereignMeshError(Exception):
    """The root of the package's exceptions."""


class MeshError(SovereignMeshError):
    """The mesh cannot be used; `problems` holds every defect found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InventoryError(SovereignMeshError):
    """An inventory file could not be opened, or is no JSON at all."""


class ReportError(SovereignMeshError):
    """A report could not be written: the path and the reason."""


class CheckpointError(SovereignMeshError):
    """The file of an interrupted run cannot be read or written, or is another's."""


class PlanError(SovereignMeshError):
    """A plan is not carried out: it has errors, it changes too much, or it is not the one that was shown."""


class AccessError(SovereignMeshError):
    """Access is not asked for, or not decided: no contract allows it, no workflow handles it, nothing is pending.

    Nothing was sent, unless `request` has the id of a request: the service took it, and nobody is asked.
    """

    def __init__(self, message: str, *, request: str = "") -> None:
        super().__init__(message)
        self.request = request


class RecordError(SovereignMeshError):
    """The record of who decided what cannot be read or written: without it nothing is sent."""


class FrameError(SovereignMeshError):
    """Data cannot be read: nothing is there, it is broken or of no known kind, or an extra is not installed."""


class ContractError(SovereignMeshError):
    """A contract cannot be used: it contradicts itself, or the mesh has none for this product and consumer."""


class ContractViolation(SovereignMeshError):  # noqa: N818 - so these are called where data contracts are
    """Data breaks its contract. `result` is the whole ContractResult."""

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class DataContractViolation(ContractViolation):
    """Data holds what its contract does not allow, or lacks what it wants."""


class DataQualityViolation(ContractViolation):
    """Data is not as good as its contract promises."""


class AzureError(SovereignMeshError):
    """Azure could not be asked, or refused. `status` is 0 and the others are empty where no answer came."""

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", request_id: str = "", target: str = ""
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.request_id, self.target = status, code, request_id, target


class SignInError(AzureError):
    """There is no credential, or Azure does not accept it."""


class DeniedError(AzureError):
    """The caller lacks a role for what was asked (403)."""


class ClosedNetworkError(DeniedError):
    """No role is missing: the service does not answer the network that the caller is in (403)."""


class NotFoundError(AzureError):
    """What was asked for is not there, or not for this caller (404)."""


class RejectedError(AzureError):
    """The request itself was refused (any other 4xx)."""


class ThrottledError(AzureError):
    """Too many requests, and waiting as long as the service wants is no option."""


class UnreachableError(AzureError):
    """No connection, or none that lasted: name, proxy, certificate, time-out, or nothing but server errors."""


class AnswerError(AzureError):
    """An answer that is none: HTML where JSON belongs, half a page, a link to another host."""


class DeadlineError(AzureError):
    """The time given was up, or the run was stopped."""


class SandboxError(SovereignMeshError):
    """The sandbox cannot be opened: unknown estate or fault, or the extra `sandbox` is not installed."""


class FactsError(SovereignMeshError):
    """A fact table is malformed. Says the file, the row and the rule that it breaks."""
