"""An inventory, the facts and a mesh in; an `Audit` out."""

from sovereignmesh.audit.engine import CHECKS_OF_AN_INVENTORY, audit_inventory
from sovereignmesh.audit.export import Inventory, Unread
from sovereignmesh.audit.live import audit_azure

__all__ = ["CHECKS_OF_AN_INVENTORY", "Inventory", "Unread", "audit_azure", "audit_inventory"]
