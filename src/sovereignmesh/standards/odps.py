"""A product in the Open Data Product Standard (https://bitol-io.github.io/open-data-product-standard/): both ways.

A product is one document, and one contract of the Open Data Contract Standard for each of its consumers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.products import DataProduct
from sovereignmesh.mesh.words import found
from sovereignmesh.standards.files import checked, read_documents, refused
from sovereignmesh.standards.odcs import (
    RELEASE,
    STATUS,
    Given,
    Imported,
    contract_id,
    find_owner,
    make_id,
    read_contract,
    write_contract,
)
from sovereignmesh.standards.odcs import VERSIONS as CONTRACTS
from sovereignmesh.standards.reading import CUSTOM, Part, Source, customs

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from sovereignmesh.result import Problem
    from sovereignmesh.standards.words import Version
    from sovereignmesh.yamlfile import Document

__all__ = ["VERSIONS", "export_contracts", "export_odps", "import_odps"]

VERSIONS: Final[dict[str, Version]] = {"1.1": (1, 1)}
_READ: Final[dict[str, Version]] = {**VERSIONS, "1.0": (1, 0)}
_WRITTEN: Final[dict[Version, str]] = {(1, 1): "v1.1.0"}
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Custom properties: always, and only where there is no contract that says it.
_ALWAYS: Final = ("dataResidency", "sources", "qualityMetrics")
_ALONE: Final = ("interfaces", "sla", "schema")


def export_odps(product: DataProduct, *, version: str = "1.1") -> dict[str, Any]:
    """The product as plain data of the Open Data Product Standard, with an output port for each of its contracts.

    The contracts themselves are `export_contracts`; `import_odps` makes the same product of both.
    """
    said = product.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    names = (*_ALWAYS, *(_ALONE if not product.data_contracts else ()))
    hidden = customs(VERSIONS[version], {name: said.get(name) for name in names})
    mail = _MAIL.fullmatch(product.owner)
    return {
        "apiVersion": _WRITTEN[VERSIONS[version]],
        "kind": "DataProduct",
        "id": make_id(product.domain, product.name),
        "name": product.name,
        "version": RELEASE,
        "status": STATUS,
        "domain": product.domain,
        **({"description": {"purpose": product.description}} if product.description else {}),
        "team": {"members": [{"username": product.owner, "role": "owner"}]},
        **({"support": [_support(product.owner)]} if mail else {}),
        "outputPorts": [_port(product, index) for index in range(len(product.data_contracts))],
        **({CUSTOM: hidden} if hidden else {}),
    }


def export_contracts(product: DataProduct, *, version: str = "3.2") -> list[dict[str, Any]]:
    """The contracts of a product with all its consumers, in their order, as `export_odcs` writes each."""
    return [write_contract(product, index, CONTRACTS[version]) for index in range(len(product.data_contracts))]


def import_odps(
    *sources: str | os.PathLike[str] | Mapping[str, Any],
    version: str | None = None,
    schema: str | None = None,
    consumer: str | None = None,
    domain: str | None = None,
    owner: str | None = None,
    purpose: str | None = None,
) -> Imported:
    """The product that a document of the Open Data Product Standard 1.0 or 1.1 and its contracts describe.

    `sources` are files, folders or plain data, the product and its contracts in any order. `consumer` and `purpose` are
    of the contracts that do not say theirs; the rest is as in `import_odcs`. Raises MeshError as it does.
    """
    documents = [document for source in sources for document in read_documents(source)]
    products = [document for document in documents if document.value.get("kind") == "DataProduct"]
    contracts = [document for document in documents if document.value.get("kind") == "DataContract"]
    others = [document for document in documents if document not in products and document not in contracts]
    if others:
        raise MeshError([_no_kind(document) for document in others])
    if len(products) != 1:
        places = [document.locate(()).file for document in products] or [str(source) for source in sources[:1]]
        what = "more than one document is a DataProduct" if products else "no document is a DataProduct"
        raise refused(", ".join(places), f"{what}: give one, with its contracts beside it")
    given = Given(consumer=consumer, domain=domain, owner=owner, purpose=purpose)
    return _Reading(products[0], contracts, given, schema, _READ[version] if version else None).result()


def _no_kind(document: Document) -> Problem:
    message = f"found {found(document.value.get('kind'))} as 'kind', wants DataProduct or DataContract"
    return Source(document, (0, 0)).problem(("kind",), message)


class _Reading:
    """One product and its contracts as they are put together."""

    def __init__(
        self,
        product: Document,
        contracts: list[Document],
        given: Given,
        schema: str | None,
        wanted: Version | None,
    ) -> None:
        self.source = Source(product, checked(product, "odps", "product", wanted))
        for document in contracts:
            checked(document, "odcs", "contract")
        self.contracts = contracts
        self.given = given
        self.schema = schema
        self.notes: list[Problem] = []

    def result(self) -> Imported:
        root = self.source.root
        root.take("apiVersion", "kind")
        own: dict[str, Any] = {
            "name": root.get("name"),
            "domain": self.given.domain or root.get("domain"),
            "owner": find_owner(root, self.given.owner),
        }
        root.take("domain")
        advice = {"name": "add one", "domain": "give it (--domain)", "owner": "no member of its team is: --owner"}
        if missing := [key for key, value in own.items() if not value]:
            message = "the product does not say its {0}: {1}"
            raise MeshError([self.source.problem((), message.format(key, advice[key])) for key in missing])
        agreed = list(self.agreed(root, own))
        first = agreed[0][1] if agreed else None
        shared = {key: getattr(first, info) for key, info in _SHARED.items()} if first else {}
        own["description"] = root.part("description").get("purpose") or shared.get("description")
        said = {key: root.custom(key) for key in (*_ALWAYS, *_ALONE)}
        values = shared | own | {key: value for key, value in said.items() if value is not None}
        values["dataContracts"] = tuple(product.data_contracts[0] for _, product in agreed)
        places = {key: root.place_of(key) or (key,) for key in values}
        product = root.build(DataProduct, values, places | {"description": ("description", "purpose")})
        self.compare(product, agreed)
        self.take_what_follows(root, product)
        return Imported(product, (*self.source.leave(), *self.notes))

    def agreed(self, root: Part, own: dict[str, Any]) -> list[tuple[Document, DataProduct]]:
        """The contracts behind the output ports, each as the product that it describes."""
        by_id = {document.value.get("id"): document for document in self.contracts}
        read: list[tuple[Document, DataProduct]] = []
        for port in root.parts("outputPorts"):
            document = by_id.pop(port.value.get("contractId"), None)
            if document is None:
                said = port.value.get("contractId")
                lack = f"the contract '{said}' is not among the files" if said else "it has no contractId"
                self.source.note(port.path, f"not taken over: {lack}")
                continue
            imported = self.contract(document, port, own)
            self.notes += imported.notes
            read.append((document, imported.product))
            port.take("contractId")
        for document in by_id.values():
            message = "not taken over: no output port of the product has the contract's id"
            self.notes.append(Source(document, (0, 0)).problem(("id",), message, "warning"))
        return read

    def contract(self, document: Document, port: Part, own: dict[str, Any]) -> Imported:
        """One contract, whose gaps the product fills."""
        said = Source(document, (0, 0)).root
        description = document.value.get("description")
        purpose = description.get("purpose") if isinstance(description, dict) else None
        missing = None if purpose else self.given.purpose or port.get("description")
        consumer = None if said.place_of("consumer") else self.given.consumer
        given = Given(consumer=consumer, purpose=missing, **own)
        imported = read_contract(document, given, schema=self.schema, linked=True)
        agreed = imported.product.data_contracts[0]
        for key, value in {
            "name": agreed.consumer,
            "description": agreed.purpose,
            "version": document.value["version"],
        }.items():
            port.expect(key, value)
        return imported

    def compare(self, product: DataProduct, agreed: list[tuple[Document, DataProduct]]) -> None:
        """Says where a contract does not say of the product what the product, or its first contract, says."""
        for document, other in agreed:
            differing = [key for key, name in _SHARED.items() if getattr(other, name) != getattr(product, name)]
            differing += ["domain"] if document.value.get("domain", product.domain) != product.domain else []
            if differing:
                what = f"not taken over: its {' and '.join(differing)} differ from those of the product"
                self.notes.append(Source(document, (0, 0)).problem((), what, "warning"))

    def take_what_follows(self, root: Part, product: DataProduct) -> None:
        root.expect("id", make_id(product.domain, product.name))
        root.expect("version", RELEASE)
        root.expect("status", STATUS)
        root.expect("support", [_support(product.owner)])


# What a product says once, whichever of its contracts repeats it.
_SHARED: Final = {
    "description": "description", "dataResidency": "data_residency", "interfaces": "interfaces", "sources": "sources",
    "sla": "sla", "qualityMetrics": "quality_metrics", "schema": "data_schema",
}  # fmt: skip


def _port(product: DataProduct, index: int) -> dict[str, Any]:
    contract = product.data_contracts[index]
    return {
        "name": contract.consumer,
        "description": contract.purpose,
        "version": RELEASE,
        "contractId": contract_id(product, index),
    }


def _support(owner: str) -> dict[str, str]:
    return {"channel": owner, "url": f"mailto:{owner}", "tool": "email"}
