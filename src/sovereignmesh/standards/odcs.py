"""Contracts in the Open Data Contract Standard (https://bitol-io.github.io/open-data-contract-standard/): both ways."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.products import (
    DataContractWish,
    DataProduct,
    DataSchema,
    ProductResidency,
    QualityMetrics,
    RowCount,
    ServiceLevel,
)
from sovereignmesh.mesh.words import did_you_mean, listed
from sovereignmesh.standards.files import checked, read_documents, refused
from sovereignmesh.standards.reading import CUSTOM, Part, Source, customs
from sovereignmesh.standards.servers import read_servers, read_sla, write_servers, write_sla
from sovereignmesh.standards.tables import measured, object_name, read_table, write_table
from sovereignmesh.yamlfile import dump

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from sovereignmesh.result import Problem
    from sovereignmesh.standards.words import Version
    from sovereignmesh.yamlfile import Document

__all__ = [
    "RELEASE",
    "STATUS",
    "VERSIONS",
    "Given",
    "Imported",
    "contract_id",
    "export_odcs",
    "find_owner",
    "import_odcs",
    "make_id",
    "read_contract",
    "write_contract",
]

VERSIONS: Final[dict[str, Version]] = {"3.2": (3, 2), "3.1": (3, 1), "3.0": (3, 0)}
_WRITTEN: Final[dict[Version, str]] = {(3, 2): "v3.2.0", (3, 1): "v3.1.0", (3, 0): "v3.0.2"}
_TEAM_SINCE: Final = (3, 1)
_SPACE: Final = uuid.UUID("7a1f6f1e-0f0c-5d53-9d0a-6f0b6c2f7d11")  # of all ids here; another would change them
_OWNERS: Final = frozenset({"owner", "data owner", "product owner", "data product owner", "dataowner"})
RELEASE: Final = "1.0.0"  # our documents have no version of their own
STATUS: Final = "active"

# What the standard has no word for: the custom property, and the key of ours, of the contract and of the product.
_OF_CONTRACT: Final = {
    "consumer": "consumer", "excludedFields": "excluded_fields", "excludeSimilar": "exclude_similar",
    "excludedClassifications": "excluded_classifications", "allowedClassifications": "allowed_classifications",
    "promisedMetrics": "quality_metrics", "optionalFields": "optional_fields",
}  # fmt: skip
_OF_PRODUCT: Final = {
    "product": "name", "sources": "sources", "dataResidency": "data_residency", "qualityMetrics": "quality_metrics",
}  # fmt: skip
_EMPTY: Final = {"schema": DataSchema(), "sla": ServiceLevel()}  # said, and said to be empty


@dataclass(frozen=True, slots=True)
class Imported:
    """A product as a document of the mesh: `product`, and `notes` on everything that it could not take over.

    `yaml` is the document. A note has its place in the file that was read.
    """

    product: DataProduct
    notes: tuple[Problem, ...]

    @property
    def yaml(self) -> str:
        """The product as a file of a mesh."""
        return dump({"dataProduct": self.product.model_dump(mode="json", by_alias=True, exclude_defaults=True)})


@dataclass(frozen=True, slots=True)
class Given:
    """What whoever imports says beside the document, or instead of it."""

    consumer: str | None = None
    domain: str | None = None
    owner: str | None = None
    purpose: str | None = None
    name: str | None = None


def export_odcs(product: DataProduct, consumer: str, *, version: str = "3.2") -> dict[str, Any]:
    """The contract of a product with one consumer, as plain data of the Open Data Contract Standard.

    `version` is 3.2, 3.1 or 3.0. `import_odcs` makes the same product of it, with this contract alone. Raises MeshError
    where the product has no contract with the consumer.
    """
    names = [contract.consumer for contract in product.data_contracts]
    folded = [_party(name) for name in names]
    if _party(consumer) not in folded:
        known = f"; its consumers: {listed(names)}" if names else ": it has no dataContracts"
        message = (
            f"the product '{product.name}' has no contract with '{consumer}'{did_you_mean(consumer, names)}{known}"
        )
        raise refused(product.name, message)
    return write_contract(product, folded.index(_party(consumer)), VERSIONS[version])


def import_odcs(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    version: str | None = None,
    schema: str | None = None,
    consumer: str | None = None,
    domain: str | None = None,
    owner: str | None = None,
    purpose: str | None = None,
) -> Imported:
    """The product, with one contract, that a contract of the Open Data Contract Standard 3.0 to 3.2 describes.

    `source` is a file of YAML or JSON, or plain data; `version` is the one that it must be of; `schema` names the
    object of several; the rest is said instead of what the document says. Raises MeshError with the places of what is
    no such contract, and with what is missing and cannot be derived.
    """
    documents = read_documents(source)
    if len(documents) > 1:
        raise MeshError([Source(documents[1], (0, 0)).problem((), "a second document: a contract is one")])
    wanted = VERSIONS[version] if version else None
    given = Given(consumer=consumer, domain=domain, owner=owner, purpose=purpose)
    return read_contract(documents[0], given, schema=schema, wanted=wanted)


def contract_id(product: DataProduct, index: int) -> str:
    """The id of a product's contract, the same in every export."""
    consumers = [_party(contract.consumer) for contract in product.data_contracts[: index + 1]]
    return make_id(product.domain, product.name, consumers[-1], str(consumers.count(consumers[-1])))


def make_id(*names: str) -> str:
    """An id that follows from names, without case."""
    return str(uuid.uuid5(_SPACE, "\0".join(name.casefold() for name in names)))


def write_contract(product: DataProduct, index: int, version: Version) -> dict[str, Any]:
    """The contract with that index of the product."""
    contract = product.data_contracts[index]
    table = write_table(product, contract, version)
    schema, members = product.data_schema or DataSchema(), [{"username": product.owner, "role": "owner"}]
    level, lost = write_sla(product.sla or ServiceLevel(), schema.timestamp_column, table["name"])
    servers = write_servers(product.interfaces, version)
    row_count = product.data_schema and product.data_schema.row_count
    empty = [
        key for key, nothing in _EMPTY.items() if (product.data_schema if key == "schema" else product.sla) == nothing
    ]
    empty += ["rowCount"] if row_count == RowCount() else []
    hidden = {name: _plain(contract, key) for name, key in _OF_CONTRACT.items()}
    hidden |= {name: _plain(product, key) for name, key in _OF_PRODUCT.items()}
    hidden |= lost | {"emptySections": empty or None, "additionalFields": False}
    return {
        "apiVersion": _WRITTEN[version],
        "kind": "DataContract",
        "id": contract_id(product, index),
        "name": _title(product.name, contract.consumer),
        "version": RELEASE,
        "status": STATUS,
        "domain": product.domain,
        "description": {"purpose": contract.purpose},
        "team": {"members": members} if version >= _TEAM_SINCE else members,
        **({"servers": servers} if servers else {}),
        "schema": [table],
        **({"slaProperties": level} if level else {}),
        CUSTOM: customs(version, hidden),
    }


def read_contract(
    document: Document,
    given: Given,
    *,
    schema: str | None = None,
    wanted: Version | None = None,
    linked: bool = False,
) -> Imported:
    """The product of a contract that was read, `linked` by its id. Raises MeshError as `import_odcs` does."""
    source = Source(document, checked(document, "odcs", "contract", wanted))
    contract = source.root
    contract.take("apiVersion", "kind", *(("id",) if linked else ()))
    table = _table(contract, schema)
    names, data = read_table(table)
    level, timestamp = read_sla(contract, table.value["name"])
    name = _product_name(contract, table, given)
    values: dict[str, Any] = {
        "name": name,
        "domain": _said(contract, "domain", given.domain),
        "owner": find_owner(contract, given.owner),
        "description": table.get("description"),
        "sla": level,
        "interfaces": read_servers(contract),
        "sources": contract.custom("sources"),
    }
    wish: dict[str, Any] = {
        "consumer": given.consumer or contract.custom("consumer"),
        "purpose": _said(contract.part("description"), "purpose", given.purpose),
        "fields": names,
    }
    contract.take_customs(("consumer",))
    _demand(contract, {key: value for key, value in (values | wish).items() if key in _DEMANDED})
    wish |= {key: contract.custom(key) for key in _OF_CONTRACT if key not in ("consumer", "promisedMetrics")}
    wish["qualityMetrics"] = contract.custom("promisedMetrics")
    values |= {key: contract.custom(key) for key in _OF_PRODUCT if key not in ("product", "sources")}
    _read_empty(contract, values, data)
    data |= {"timestampColumn": timestamp} if timestamp else {}
    places = {key: contract.place_of(key) or () for key in (*_OF_CONTRACT, *_OF_PRODUCT)}
    places |= {"qualityMetrics": contract.place_of("promisedMetrics") or (), "purpose": ("description", "purpose")}
    agreed = contract.build(DataContractWish, wish, places | {"fields": (*table.path, "properties")})
    if data or values.pop("schema", None) is not None:
        values["schema"] = table.build(DataSchema, data, {"timestampColumn": ()})
    places |= {"qualityMetrics": contract.place_of("qualityMetrics") or (), "domain": ("domain",)}
    places["description"] = (*table.path, "description")
    product = contract.build(DataProduct, values | {"dataContracts": (agreed,)}, places)
    _take_what_follows(contract, table, product)
    return Imported(product, source.leave())


_DEMANDED: Final = {
    "domain": "give it (--domain)",
    "owner": "no member of its team is the owner: give one (--owner)",
    "consumer": "the standard has no word for it: give the domain that the contract is for (--consumer)",
    "purpose": "give it (--purpose)",
}


def _demand(contract: Part, values: dict[str, Any]) -> None:
    missing = [key for key in _DEMANDED if not values.get(key)]
    if missing:
        raise MeshError(
            [contract.source.problem((), f"the contract does not say the {key}: {_DEMANDED[key]}") for key in missing]
        )


def _table(contract: Part, name: str | None) -> Part:
    """The object of the schema that is meant. Raises MeshError where it is not clear, or has no properties."""
    tables = contract.parts("schema")
    names = [table.value["name"] for table in tables]
    known = f"the contract has {listed(names)}" if names else "the contract has no schema"
    if name is not None and name not in names:
        raise MeshError(
            [contract.source.problem(("schema",), f"no object '{name}': {known}{did_you_mean(name, names)}")]
        )
    if name is None and len(tables) != 1:
        advice = "a product has one: name it (--schema)" if names else "a contract here has fields"
        raise MeshError([contract.source.problem(("schema",), f"{known}: {advice}")])
    table = tables[names.index(name) if name is not None else 0]
    if not table.value.get("properties"):
        message = f"the object '{table.value['name']}' has no properties: a contract here has fields"
        raise MeshError([contract.source.problem(table.path, message)])
    return table


def _product_name(contract: Part, table: Part, given: Given) -> str:
    """The product's name: the one given, else the contract's word for it, else the contract's or the object's own."""
    hidden, known = contract.custom("product"), contract.value
    if given.name:
        return given.name
    if isinstance(hidden, str):
        return hidden
    key = next((key for key in ("dataProduct", "name") if str(known.get(key) or "").strip()), None)
    name = contract.get(key) if key else table.get("name")
    return str(name).strip()


def _said(part: Part, key: str, given: str | None) -> Any:
    """What is given, else what the document says; which is taken in both cases: who gives it has seen it."""
    said = part.get(key)
    return given or said


def find_owner(contract: Part, given: str | None) -> str | None:
    """Who owns the product: a member of the team with that role who has not left."""
    team = contract.value.get("team")
    holder = contract.part("team") if isinstance(team, dict) else contract
    members = holder.parts("members" if isinstance(team, dict) else "team")
    owners = [
        one for one in members if str(one.value.get("role", "")).casefold() in _OWNERS and "dateOut" not in one.value
    ]
    if owners:
        owners[0].take("username", "role")
        return given or str(owners[0].value["username"])
    if given is None and isinstance(team, dict) and team.get("name"):
        return str(holder.get("name"))
    return given


def _read_empty(contract: Part, values: dict[str, Any], data: dict[str, Any]) -> None:
    """Sections that are there with nothing in them."""
    empty = contract.custom("emptySections")
    for key in empty if isinstance(empty, list) else ():
        if key in _EMPTY:
            values[key] = values.get(key) or _EMPTY[key]
        elif key == "rowCount":
            data.setdefault("rowCount", RowCount())


def _take_what_follows(contract: Part, table: Part, product: DataProduct) -> None:
    """Takes what an export of the product says again."""
    agreed = product.data_contracts[0]
    follows = {
        "id": contract_id(product, 0), "name": _title(product.name, agreed.consumer), "version": RELEASE,
        "status": STATUS, "dataProduct": product.name,
    }  # fmt: skip
    for key, value in follows.items():
        contract.expect(key, value)
    table.expect("name", object_name(product.name))
    table.expect("physicalName", table.value["name"])
    if contract.custom("additionalFields", take=False) is False:
        contract.custom("additionalFields")
    measured(product, agreed, table)


def _plain(model: DataContractWish | DataProduct, key: str) -> Any:
    """What a document says of a key; None for its default."""
    default = type(model).model_fields[key].default
    value = getattr(model, key)
    if value == default:
        return None
    if isinstance(value, QualityMetrics | ProductResidency):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return list(value) if isinstance(value, tuple) else value


def _title(product: str, consumer: str) -> str:
    return f"{product} for {consumer}"


def _party(name: str) -> str:
    """The domain that a consumer means, which may add the word: `Sales Domain` is `Sales`."""
    return name.strip().casefold().removesuffix(" domain").rstrip()
