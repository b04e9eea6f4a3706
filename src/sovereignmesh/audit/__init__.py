"""An inventory, the facts and a mesh in; an `Audit` out."""

from sovereignmesh.audit.engine import CHECKS_OF_AN_INVENTORY, audit_inventory
from sovereignmesh.audit.export import Inventory, Unread

__all__ = ["CHECKS_OF_AN_INVENTORY", "Inventory", "Unread", "audit_inventory"]
