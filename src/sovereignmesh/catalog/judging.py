"""What the mesh asks of an asset, and what comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sovereignmesh.audit.judgement import COMPLIANT, Judgement
from sovereignmesh.facts.assets import can_carry_label, columns_of, is_label, is_personal, label_support

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sovereignmesh.azure.purview import Entity
    from sovereignmesh.catalog.placing import Place
    from sovereignmesh.catalog.reading import Read
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.products import DataProduct
    from sovereignmesh.result import Check

__all__ = ["Judges"]

_NO_LABEL: Final = (Judgement("not-applicable", reason="no-label-support"),)
_NO_LIMIT: Final = (Judgement("not-applicable", reason="no-classification-limit"),)
_SEARCH: Final = "https://learn.microsoft.com/rest/api/purview/datamapdataplane/discovery/query"
_ENTITY: Final = "https://learn.microsoft.com/rest/api/purview/datamapdataplane/entity/list-by-guids"


class Judges:
    """Judges assets by the checks that were asked for."""

    def __init__(self, mesh: Mesh, checks: Sequence[Check]) -> None:
        known: dict[Check, tuple[Callable[[Read, Place], Sequence[Judgement]], str]] = {
            "asset-classification": (self._classification, _ENTITY),
            "sensitivity-label": (self._label, label_support().source),
            "asset-owner": (self._owner, _SEARCH),
            "asset-description": (self._description, _SEARCH),
        }
        self._steps = [(check, *known[check]) for check in checks]
        self._asked = frozenset(checks)
        classification = mesh.policies and mesh.policies.data_classification
        rules = classification.rules if classification else ()
        self._personal = frozenset(rule.classification.casefold() for rule in rules)

    def in_doubt(self, read: Read, place: Place) -> bool:
        """Whether the search index leaves something open that the asset itself tells: it lags behind."""
        asset, asked = read.asset, self._asked
        if not asset.description and "asset-description" in asked:
            return True
        if not asset.owners and "asset-owner" in asked:
            return True
        if "sensitivity-label" in asked and not _is_labelled(read) and _may_carry(read) is not False:
            return True
        return place.limited and "asset-classification" in asked

    def judge(self, read: Read, place: Place) -> Iterator[tuple[Check, Judgement, str]]:
        """The judgements of an asset, each with its check and the page that the answer rests on."""
        for check, judge, source in self._steps:
            for judgement in judge(read, place):
                yield check, judgement, source

    def _description(self, read: Read, _: Place) -> Sequence[Judgement]:
        if (read.entity or read.asset).description:  # of an asset that was looked up, what itself says
            return COMPLIANT
        return (_absent(read, "no-description", "a description"),)

    def _owner(self, read: Read, _: Place) -> Sequence[Judgement]:
        if (read.entity or read.asset).owners:
            return COMPLIANT
        return (_absent(read, "no-owner", "a contact of type Owner"),)

    def _label(self, read: Read, _: Place) -> Sequence[Judgement]:
        if _is_labelled(read):
            return COMPLIANT
        carries = _may_carry(read)
        if carries is False:
            return _NO_LABEL
        if carries is None and not read.missing:
            return (Judgement("unknown", "", "label-support-unknown", "a sensitivity label", "no label"),)
        return (_absent(read, "no-label", "a sensitivity label"),)

    def _classification(self, read: Read, place: Place) -> Sequence[Judgement]:
        limiting = [product for product in place.products if product.limits_classifications]
        if not limiting:
            return _NO_LIMIT
        if read.entity is None:
            return (_not_read(read, _limits(limiting)),)
        found = tuple(self._beyond(read.entity, limiting))
        return found + tuple(self._open(read, read.entity, limiting)) or COMPLIANT

    def _beyond(self, entity: Entity, products: Sequence[DataProduct]) -> Iterator[Judgement]:
        """What was found and a product of the asset does not allow: of columns, or of the asset as a whole."""
        for subject, names in (*entity.columns, ("", entity.classifications)):
            for name in dict.fromkeys(names):
                against = [limit for product in products if (limit := self._limit(product, subject, name))]
                if against:
                    where = f"column {subject}: {name}" if subject else name
                    said = "; ".join(dict.fromkeys(against))
                    yield Judgement("non-compliant", where, "classified-against-product", said, name)

    def _open(self, read: Read, entity: Entity, products: Sequence[DataProduct]) -> Iterator[Judgement]:
        """What may have been found too: in columns that were not told, or that only the index knows of."""
        if not _columns_told(read, entity):
            what = "columns that the Data Map does not tell"
            yield Judgement("unknown", "columns", "columns-not-read", _limits(products), what)
        told = {name for _, names in entity.columns for name in names}
        for name in dict.fromkeys((*entity.classifications, *read.asset.classifications)):
            if name in told or is_label(name):
                continue
            refused = (self._refused(product, name, whole=name in entity.classifications) for product in products)
            if against := list(dict.fromkeys(filter(None, refused))):
                yield Judgement("unknown", name, "columns-not-read", "; ".join(against), f"{name}, of no column")

    def _refused(self, product: DataProduct, name: str, *, whole: bool) -> str:
        """What a product says against a classification in a column that nobody knows."""
        if not whole and (limit := self._limit(product, "", name)):
            return limit
        for contract in product.data_contracts:
            allowed = contract.allowed_classifications
            if allowed is not None and name.casefold() not in {each.casefold() for each in allowed}:
                return f"{product.name} shares fields with {contract.consumer} as {', '.join(allowed) or 'nothing'}"
        return ""

    def _limit(self, product: DataProduct, column: str, name: str) -> str:
        """What a product says against a classification, "" where it says nothing."""
        if is_label(name):
            return ""
        if product.holds_no_personal_data and (name.casefold() in self._personal or is_personal(name)):
            return f"{product.name} says that it holds no personal data"
        for contract in product.data_contracts:
            allowed = contract.allowed_classifications
            shared = column.casefold() in {each.casefold() for each in contract.fields}
            if allowed is not None and shared and name.casefold() not in {each.casefold() for each in allowed}:
                return f"{product.name} shares {column} with {contract.consumer} as {', '.join(allowed) or 'nothing'}"
        return ""


def _is_labelled(read: Read) -> bool:
    """Whether either says so: no page tells which of the two has every label."""
    asset, entity = read.asset, read.entity
    if any(map(is_label, asset.labels)) or any(map(is_label, asset.classifications)):
        return True
    return entity is not None and any(map(is_label, entity.classifications))


def _may_carry(read: Read) -> bool | None:
    return can_carry_label(read.asset.type, read.asset.object_type)


def _columns_told(read: Read, entity: Entity) -> bool:
    """Whether every column of an asset is known: that it lists none proves that only of what may have none."""
    if entity.unresolved:
        return False
    where = columns_of(read.asset.type, read.asset.object_type)
    if where is None:
        return True
    if where.optional:
        return bool(entity.columns) or where.attribute in entity.relations
    return bool(entity.columns and (not where.attribute or entity.relations.get(where.attribute)))


def _absent(read: Read, reason: str, expected: str) -> Judgement:
    """What both the index and the asset lack; where only the index could be asked, nobody knows."""
    if read.missing:
        return _not_read(read, expected)
    return Judgement("non-compliant", "", reason, expected, "none")


def _not_read(read: Read, expected: str) -> Judgement:
    return Judgement("unknown", "", "asset-not-read", expected, read.missing)


def _limits(products: Sequence[DataProduct]) -> str:
    return "; ".join(f"what {product.name} allows" for product in products)
