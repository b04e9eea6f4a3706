"""Access to the data of a product: asked for by contract, approved by people, and recorded."""

from sovereignmesh.access.asking import Submitted, request_access
from sovereignmesh.access.deciding import Decided, decide_access
from sovereignmesh.access.listing import AccessList, AccessRequest, list_access
from sovereignmesh.access.record import AccessRecord, Entry

__all__ = [
    "AccessList",
    "AccessRecord",
    "AccessRequest",
    "Decided",
    "Entry",
    "Submitted",
    "decide_access",
    "list_access",
    "request_access",
]
