"""What Purview's Data Map says of assets: which can carry a label, where columns are told, what is personal."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.facts.rows import check_date, check_sources, refuse_unknown
from sovereignmesh.facts.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Columns", "LabelSupport", "can_carry_label", "columns_of", "is_label", "is_personal", "label_support"]

_FILE: Final = "assets.yaml"
_LABEL: Final = "microsoft.label."  # recorded in both cases
_TOLD: Final = {"source", "checked", "unverified"}


class LabelSupport(NamedTuple):
    """Entity types in lower case, and the pages that say it."""

    carried: frozenset[str]
    not_carried: frozenset[str]
    source: str


class Columns(NamedTuple):
    """Where an asset tells its columns: the relationship attribute, "" where no page tells which.

    `optional`: it may be without, and says so where the attribute has no value. Else one that lists none was not read.
    """

    attribute: str = ""
    optional: bool = False


class _Holders(NamedTuple):
    types: frozenset[str]
    ends: tuple[str, ...]
    object_types: frozenset[str]


class _Personal(NamedTuple):
    families: tuple[str, ...]
    others: frozenset[str]


@cache
def label_support() -> LabelSupport:
    """Which entity types can carry a sensitivity label, and which cannot, besides those that hold others."""
    block = _block("labels", {"carried", "not_carried"})
    return LabelSupport(_lower(block["carried"]), _lower(block["not_carried"]), " ".join(block["source"]))


def can_carry_label(entity_type: str, object_type: str = "") -> bool | None:
    """Whether an asset of a type can carry a sensitivity label; None where no page tells.

    `object_type` is the search index's word for it, "" where it has none.

    >>> can_carry_label("azure_sql_table"), can_carry_label("azure_sql_server"), can_carry_label("some_thing")
    (True, False, None)
    """
    known, kind = label_support(), entity_type.lower()
    if object_type.lower() in _holders().object_types or kind in known.not_carried:
        return False
    if kind in known.carried:
        return True
    return False if _holds(kind) else None


def columns_of(entity_type: str, object_type: str = "") -> Columns | None:
    """Where an asset of a type tells its columns; None for one that has none, since it holds others or is one itself.

    `object_type` is the search index's word for it, "" where it has none.

    >>> columns_of("azure_sql_table"), columns_of("azure_sql_server"), columns_of("some_thing").attribute
    (Columns(attribute='columns', optional=False), None, '')
    """
    known, parts = _columns()
    kind = entity_type.lower()
    if object_type.lower() in _holders().object_types:
        return None
    if kind in known:
        return known[kind]
    return None if _holds(kind) or kind.endswith(parts) else _NOBODY_KNOWS


_NOBODY_KNOWS: Final = Columns()


@cache
def _columns() -> tuple[Mapping[str, Columns], tuple[str, ...]]:
    block = _block("columns", {"listed", "attached", "parts"})
    listed = {name.lower(): Columns(attribute) for name, attribute in block["listed"].items()}
    attached = {name.lower(): Columns(attribute, optional=True) for name, attribute in block["attached"].items()}
    return {**listed, **attached}, tuple(block["parts"])


def _holds(kind: str) -> bool:
    return kind in _holders().types or kind.endswith(_holders().ends)


@cache
def _holders() -> _Holders:
    block = _block("holders", {"types", "ends", "object_types"})
    return _Holders(_lower(block["types"]), tuple(block["ends"]), _lower(block["object_types"]))


def _lower(names: list[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def is_label(classification: str) -> bool:
    """Whether the name of a classification is that of a sensitivity label.

    >>> is_label("Microsoft.Label.9B2C1E6A-0B1F-4C2B-8D0E-0D3B1C7E5F11"), is_label("MICROSOFT.PERSONAL.EMAIL")
    (True, False)
    """
    return classification[: len(_LABEL)].lower() == _LABEL


def is_personal(classification: str) -> bool:
    """Whether a system classification is of personal data.

    >>> is_personal("MICROSOFT.PERSONAL.EMAIL"), is_personal("MICROSOFT.GOVERNMENT.CITY_NAME")
    (True, False)
    """
    known, name = _personal(), classification.upper()
    return name.startswith(known.families) and name not in known.others


@cache
def _personal() -> _Personal:
    block = _block("personal", {"families", "except"})
    return _Personal(tuple(block["families"]), frozenset(block["except"]))


def _block(name: str, fields: set[str]) -> dict[str, Any]:
    table = read_table(_FILE)
    refuse_unknown(table, {"holders", "labels", "columns", "personal"}, _FILE)
    block: dict[str, Any] = table[name]
    refuse_unknown(block, _TOLD | fields, f"{_FILE}: {name}")
    check_sources(block, f"{_FILE}: {name}")
    check_date(block, f"{_FILE}: {name}")
    return block
