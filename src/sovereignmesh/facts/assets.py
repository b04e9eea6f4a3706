"""What Purview's Data Map says of assets: which can carry a sensitivity label, which classifications are personal."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from sovereignmesh.facts.rows import check_date, check_sources, refuse_unknown
from sovereignmesh.facts.tables import read_table

__all__ = ["LabelSupport", "can_carry_label", "is_label", "is_personal", "label_support"]

_FILE: Final = "assets.yaml"
_LABEL: Final = "microsoft.label."  # recorded in both cases


class LabelSupport(NamedTuple):
    """Entity types in lower case, and the pages that say it."""

    carried: frozenset[str]
    not_carried: frozenset[str]
    groups: tuple[str, ...]
    object_types: frozenset[str]
    source: str


class _Personal(NamedTuple):
    families: tuple[str, ...]
    others: frozenset[str]


@cache
def label_support() -> LabelSupport:
    """Which entity types can carry a sensitivity label, and which cannot."""
    block = _block("labels", {"carried", "not_carried", "groups", "object_types", "unverified"})
    return LabelSupport(
        frozenset(name.lower() for name in block["carried"]),
        frozenset(name.lower() for name in block["not_carried"]),
        tuple(block["groups"]),
        frozenset(name.lower() for name in block["object_types"]),
        " ".join(block["source"]),
    )


def can_carry_label(entity_type: str, object_type: str = "") -> bool | None:
    """Whether an asset of a type can carry a sensitivity label; None where no page tells.

    `object_type` is the search index's word for it, "" where it has none.

    >>> can_carry_label("azure_sql_table"), can_carry_label("azure_sql_server"), can_carry_label("some_thing")
    (True, False, None)
    """
    known, kind = label_support(), entity_type.lower()
    if object_type.lower() in known.object_types or kind in known.not_carried:
        return False
    if kind in known.carried:
        return True
    return False if kind.endswith(known.groups) else None


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
    refuse_unknown(table, {"labels", "personal"}, _FILE)
    block: dict[str, Any] = table[name]
    refuse_unknown(block, {"source", "checked", *fields}, f"{_FILE}: {name}")
    check_sources(block, f"{_FILE}: {name}")
    check_date(block, f"{_FILE}: {name}")
    return block
