"""The JSON Schema of a mesh's documents: what an editor completes and underlines while one is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from sovereignmesh.mesh.documents import Directory, Domain, GovernancePolicies
from sovereignmesh.mesh.products import DataProduct
from sovereignmesh.mesh.purview import PurviewAccountWish

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["schema"]


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of any one document of a mesh, told apart by its top-level key.

    Looser than `validate`, which also knows every spelling of a region and what documents say about each other.
    """
    models: dict[str, type[BaseModel]] = {
        "governancePolicies": GovernancePolicies,
        "dataProduct": DataProduct,
        "domain": Domain,
        "directory": Directory,
        "purview": PurviewAccountWish,
    }
    references, generated = models_json_schema([(model, "validation") for model in models.values()])
    documents = [_document(key, references[model, "validation"]) for key, model in models.items()]
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "A document of a sovereignmesh mesh",
        "oneOf": documents,
        "$defs": generated["$defs"],
    }


def _document(key: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: content}, "required": [key], "additionalProperties": False}
