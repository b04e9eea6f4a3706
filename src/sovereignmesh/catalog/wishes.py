"""What the mesh knows of assets that lack it, and the lineage of its contracts, as items of a plan."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.catalog.kinds import DATA_SET, MADE, PROCESS, TYPES
from sovereignmesh.facts.assets import can_carry_label
from sovereignmesh.plan import Item, Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.azure.purview import Asset
    from sovereignmesh.catalog.placing import Place
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.products import DataContractWish, DataProduct

__all__ = ["Wishes"]

_MOST: Final = 500  # assets that lineage is drawn from: nobody can look at more, and a process is one body


class Wishes:
    """What is wished of the catalog. `notes` say what could not be."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._described = {each.name.casefold(): each for each in mesh.domain_documents}
        self._data: dict[str, list[Asset]] = {}  # by the product's name, what its data is in
        self._products = {self._product_name(each): each for each in mesh.products if each.data_contracts}
        self.notes: dict[str, None] = {}

    def description_for(self, place: Place) -> str:
        """The description that an asset gets, "" where the mesh has none, or several."""
        described = list(dict.fromkeys(product.description for product in place.products if product.description))
        if len(described) > 1:
            names = ", ".join(product.name for product in place.products)
            self.notes[f"assets of several products ({names}) get no description: which is meant is not told"] = None
            return ""
        return described[0] if described else ""

    def owners_for(self, place: Place) -> list[str]:
        """The object ids of those who answer for an asset: the owners of its products, else of its domain."""
        named = [product.owner for product in place.products]
        if not named and place.domain:
            document = self._described.get(place.domain.casefold())
            named = [document.owner] if document is not None and document.owner else []
        found: dict[str, None] = {}
        for name in named:
            identity = self._mesh.object_id_of(name, place.domain)
            if identity is None:
                self._note_nobody(name)
            else:
                found[identity] = None
        return list(found)

    def note_data(self, asset: Asset, place: Place) -> None:
        """Keeps an asset for the lineage of its product: tables, files and sets of files, not what holds them."""
        if len(place.products) != 1 or can_carry_label(asset.type, asset.object_type) is not True:
            return
        name = self._product_name(place.products[0])
        if name in self._products and len(data := self._data.setdefault(name, [])) <= _MOST:
            data.append(asset)

    def lineage(self) -> Iterator[Item]:
        """The data sets and processes of every contract: assets, their product, the contract, its consumer."""
        consumers: dict[str, str] = {}
        for name, product in self._products.items():
            about = product.description or f"The data product {product.name} of the domain {self._domain(product)}."
            yield self._data_set(name, product.name, about, product.domain, product.owner)
            data = self._data.get(name, [])
            if len(data) > _MOST:
                self.notes[f"{product.name} has more than {_MOST} tables and files: its lineage begins with it"] = None
            elif data:
                yield self._process(
                    f"{name}/data",
                    product,
                    title=product.name,
                    about=f"What {product.name} is made of.",
                    # In one order: collections are read in any, and the same plan is to have the same digest.
                    inputs=[_reference(*each) for each in sorted((asset.type, asset.qualified_name) for asset in data)],
                    output=name,
                )
            shared: Counter[str] = Counter()
            for contract in product.data_contracts:
                domain = self._mesh.consumer_named(contract.consumer) or contract.consumer
                shared[domain] += 1
                more = f" {shared[domain]}" if shared[domain] > 1 else ""  # contracts of a product with one consumer
                consumer = f"{MADE}domains/{domain}"
                consumers[consumer] = domain
                yield self._process(
                    f"{MADE}contracts/{self._domain(product)}/{product.name}/{domain}{more}",
                    product,
                    title=f"Contract: {product.name} to {domain}{more}",
                    about=_told(contract),
                    inputs=[_reference(TYPES[DATA_SET], name)],
                    output=consumer,
                )
        for name, domain in consumers.items():
            document = self._described.get(domain.casefold())
            about = (document.description if document else None) or f"The domain {domain}, which consumes data."
            yield self._data_set(name, f"{domain} domain", about, domain, (document.owner if document else None) or "")

    def _domain(self, product: DataProduct) -> str:
        return self._mesh.domain_named(product.domain) or product.domain

    def _product_name(self, product: DataProduct) -> str:
        return f"{MADE}products/{self._domain(product)}/{product.name}"

    def _owners(self, owner: str, domain: str) -> list[str]:
        identity = self._mesh.object_id_of(owner, domain) if owner else None
        if identity is None:
            self._note_nobody(owner) if owner else self.notes.setdefault(
                f"the domain {domain} has no owner in the mesh: its end of the lineage gets none"
            )
        return [identity] if identity else []

    def _note_nobody(self, name: str) -> None:
        self.notes[f"{name} has no object id in the mesh's `directory`: nothing gets this owner"] = None

    def _data_set(self, name: str, title: str, about: str, domain: str, owner: str) -> Item:
        body = {"name": title, "description": about, "owners": self._owners(owner, domain)}
        return Item(DATA_SET, name, {key: value for key, value in body.items() if value})

    def _process(
        self, name: str, product: DataProduct, *, title: str, about: str, inputs: list[dict[str, str]], output: str
    ) -> Item:
        outputs = [_reference(TYPES[DATA_SET], output)]
        body: dict[str, Any] = {"name": title, "description": about, "inputs": inputs, "outputs": outputs}
        if owners := self._owners(product.owner, product.domain):
            body["owners"] = owners
        made = (each["qualifiedName"] for each in (*inputs, *outputs) if each["type"] == TYPES[DATA_SET])
        return Item(PROCESS, name, body, frozenset(Key(DATA_SET, each.casefold()) for each in made))


def _reference(kind: str, qualified_name: str) -> dict[str, str]:
    return {"type": kind, "qualifiedName": qualified_name}


def _told(contract: DataContractWish) -> str:
    """A contract in a sentence or two."""
    without = f" Without: {', '.join(contract.excluded_fields)}." if contract.excluded_fields else ""
    return f"{contract.purpose.rstrip('.')}. Fields: {', '.join(contract.fields)}.{without}"
