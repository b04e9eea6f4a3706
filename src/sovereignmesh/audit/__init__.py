"""An inventory, the facts and a mesh in; an `Audit` out."""

from sovereignmesh.audit.children import DepthForecast
from sovereignmesh.audit.engine import Depth
from sovereignmesh.audit.export import Inventory
from sovereignmesh.audit.live import audit_azure
from sovereignmesh.audit.offline import audit_inventory
from sovereignmesh.audit.pages import Unread

__all__ = ["Depth", "DepthForecast", "Inventory", "Unread", "audit_azure", "audit_inventory"]
