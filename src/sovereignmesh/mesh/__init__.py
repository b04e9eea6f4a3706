"""The wish: YAML documents of a mesh in, checked models and the policy of every resource out."""

from sovereignmesh.mesh.documents import Directory, Domain, GovernancePolicies, Waiver
from sovereignmesh.mesh.load import load_mesh, load_products, validate
from sovereignmesh.mesh.mesh import Mesh
from sovereignmesh.mesh.policy import Policy, Residency, TagRule
from sovereignmesh.mesh.products import DataContractWish, DataProduct

__all__ = [
    "DataContractWish",
    "DataProduct",
    "Directory",
    "Domain",
    "GovernancePolicies",
    "Mesh",
    "Policy",
    "Residency",
    "TagRule",
    "Waiver",
    "load_mesh",
    "load_products",
    "validate",
]
