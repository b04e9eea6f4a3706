"""What a product's data looks like, and the one object in the schema of a contract that says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.products import DataSchema, FieldWish, QualityMetrics, RowCount, ValidityRule
from sovereignmesh.mesh.validity import fields_of, parse_rule
from sovereignmesh.standards.checks import (
    METRICS_SINCE,
    limits,
    metric_of,
    none_may,
    severity_of,
    take_check,
    write_check,
)
from sovereignmesh.standards.fields import read_field, write_field
from sovereignmesh.standards.reading import CUSTOM, Part, customs
from sovereignmesh.standards.sql import filled, rows_that_break
from sovereignmesh.standards.words import check_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sovereignmesh.mesh.products import DataContractWish, DataProduct
    from sovereignmesh.standards.words import Version

__all__ = ["measured", "object_name", "read_table", "write_table"]

_EMPTY: Final = DataSchema()
_METRICS: Final = {
    "accuracy": "of the rows break no rule on their values",
    "timeliness": "of the rows are younger than the freshness of the service level",
}


def object_name(product: str) -> str:
    """The name of the object that holds a product's data, which tools take for a table's.

    >>> object_name("Sales Analytics")
    'sales_analytics'
    """
    return re.sub(r"\W+", "_", product.casefold()).strip("_") or "data"


def write_table(product: DataProduct, contract: DataContractWish, version: Version) -> dict[str, Any]:
    """The object: the contract's fields are its properties, what else is known of the data stands beside them."""
    schema = product.data_schema or _EMPTY
    described = {field.name: field for field in reversed(schema.fields)}
    properties = [_property(name, described, version) for name in contract.fields]
    others = [field for field in schema.fields if field.name not in contract.fields]
    for item in properties:
        if item["name"] in schema.primary_key:
            item["primaryKey"] = True
            item["primaryKeyPosition"] = schema.primary_key.index(item["name"]) + 1
    seen = [fields_of(parse_rule(rule.rule)) <= {*contract.fields} for rule in schema.validity_rules]
    names = [field.name for field in schema.fields]
    usual = [name for name in dict.fromkeys(contract.fields) if name in described] + [field.name for field in others]
    hidden = {
        "otherFields": [write_field(field, version) for field in others] or None,
        "otherRules": _other_rules(schema, seen) or None,
        "fieldOrder": names if names != usual else None,
        "primaryKey": list(schema.primary_key) if list(schema.primary_key) != _keys_of(properties) else None,
    }
    rules = [_rule(rule, version) for rule, all_given in zip(schema.validity_rules, seen, strict=True) if all_given]
    checks = [*_row_count(schema.row_count, version), *rules]
    checks += _promises(product, contract)
    return {
        "name": object_name(product.name),
        "logicalType": "object",
        **({"description": product.description} if product.description else {}),
        "properties": properties,
        **({"quality": checks} if checks else {}),
        **({CUSTOM: customs(version, hidden)} if any(hidden.values()) else {}),
    }


def read_table(table: Part) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the properties, and what the object says of a `DataSchema`, by its keys."""
    table.expect("logicalType", "object")
    properties = table.parts("properties")
    names = tuple(item.value["name"] for item in properties)
    known: dict[str, FieldWish] = {}
    for item in (*properties, *_others(table)):
        field = read_field(item)
        item.expect("primaryKey", value=False)
        item.expect("primaryKeyPosition", -1)
        if field is not None:
            known.setdefault(field.name, field)
    order = table.custom("fieldOrder", take=False)
    if isinstance(order, list) and sorted(map(str, order)) == sorted(known):
        table.custom("fieldOrder")
        known = {name: known[name] for name in order}
    found = {
        "fields": tuple(known.values()),
        "primaryKey": _read_keys(table, properties),
        "rowCount": _read_row_count(table),
        "validityRules": tuple(_all_rules(table)),
    }
    return names, {key: value for key, value in found.items() if value not in ((), None)}


def measured(product: DataProduct, contract: DataContractWish, table: Part) -> None:
    """Takes the checks that say the figures which a product, or its contract, promises."""
    promises = list(_promises(product, contract))
    for item in table.parts("quality"):
        if item.value in promises:
            item.take()


def _property(name: str, described: dict[str, FieldWish], version: Version) -> dict[str, Any]:
    return write_field(described[name], version) if name in described else {"name": name}


def _others(table: Part) -> Iterator[Part]:
    """The fields of the product that its consumer does not get. Raises MeshError where they are none."""
    place, source = table.place_of("otherFields"), table.source
    others = table.custom("otherFields", take=False)
    if place is None or not isinstance(others, list) or not all(isinstance(item, dict) for item in others):
        return
    for index, item in enumerate(others):
        path = (*place, index)
        if problems := list(check_words(source.document, "odcs", source.version, "property", path)):
            raise MeshError(problems)
        yield Part(source, path, item)
    source.taken.update((*place[:-1], key) for key in ("property", "vendor"))


def _keys_of(properties: list[dict[str, Any]]) -> list[str]:
    """The names of those that are marked, by their position. Names that are there twice count once."""
    marked = [item for item in properties if item.get("primaryKey") is True]
    marked.sort(key=lambda item: item.get("primaryKeyPosition", -1))
    return list(dict.fromkeys(item["name"] for item in marked))


def _read_keys(table: Part, properties: list[Part]) -> tuple[str, ...]:
    for item in properties:
        if item.value.get("primaryKey"):
            item.take("primaryKey", "primaryKeyPosition")
    found = _keys_of([item.value for item in properties])
    hidden = table.custom("primaryKey", take=False)
    names = {item.value["name"] for item in properties}
    is_list = isinstance(hidden, list) and all(isinstance(key, str) for key in hidden)
    if is_list and [key for key in dict.fromkeys(hidden) if key in names] == found:
        table.custom("primaryKey")
        return tuple(hidden)
    return tuple(found)


def _row_count(count: RowCount | None, version: Version) -> Iterator[dict[str, Any]]:
    least, most = (count.minimum, count.maximum) if count else (None, None)
    if least is None and most is None:
        return
    limit: dict[str, Any]
    if least == most:
        limit = {"mustBe": least}
    elif least is not None and most is not None:
        limit = {"mustBeBetween": [least, most]}
    else:
        limit = {"mustBeLessOrEqualTo": most} if least is None else {"mustBeGreaterOrEqualTo": least}
    yield {"type": "library", "metric" if version >= METRICS_SINCE else "rule": "rowCount", **limit, "unit": "rows"}


def _read_row_count(table: Part) -> RowCount | None:
    for item in table.parts("quality"):
        bounds = limits(item)
        if metric_of(item) == "rowCount" and bounds is not None:
            take_check(item)
            least, most = (bound if bound is None else max(bound, 0) for bound in bounds)
            values = {"minimum": least, "maximum": most}
            return item.build(RowCount, values, dict.fromkeys(values, item.path))
    return None


def _rule(rule: ValidityRule, version: Version) -> dict[str, Any]:
    what = {"type": "sql", "name": rule.name, "query": rows_that_break(rule.rule)}
    text = {"description": rule.description} if rule.description else {}
    return write_check(what, rule.severity) | text | {CUSTOM: customs(version, {"rule": rule.rule})}


def _read_rules(table: Part) -> Iterator[ValidityRule]:
    """The checks that are rules of ours: whose query is still that of the rule that they name."""
    for item in table.parts("quality"):
        rule, place = item.custom("rule", take=False), item.place_of("rule")
        if place is None or not isinstance(rule, str) or not none_may(item):
            continue
        try:
            query = rows_that_break(rule)
        except ValueError:
            continue
        if item.value.get("query") == query and "name" in item.value:
            take_check(item, "query")
            severity = severity_of(item)
            item.take(*(("severity",) if severity else ()))
            values = {
                "name": item.get("name"), "rule": item.custom("rule"), "description": item.get("description"),
                "severity": severity,
            }  # fmt: skip
            yield item.build(ValidityRule, values, {key: (*item.path, key) for key in values})


def _other_rules(schema: DataSchema, seen: list[bool]) -> list[dict[str, Any]]:
    """The rules on fields that the consumer does not get: a query of theirs would find no such column."""
    return [
        {"position": at, **rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
        for at, rule in enumerate(schema.validity_rules)
        if not seen[at]
    ]


def _all_rules(table: Part) -> list[ValidityRule]:
    """The rules in their order, those on fields that the consumer does not get among them."""
    rules = list(_read_rules(table))
    place, others = table.place_of("otherRules"), table.custom("otherRules")
    for index, item in enumerate(others if isinstance(others, list) else ()):
        if place is not None and isinstance(item, dict):
            values = {key: value for key, value in item.items() if key != "position"}
            rule = table.build(ValidityRule, values, {key: (*place, index, key) for key in values})
            position = item.get("position")
            rules.insert(position if isinstance(position, int) and position >= 0 else len(rules), rule)
    return rules


def _promises(product: DataProduct, contract: DataContractWish) -> Iterator[dict[str, Any]]:
    """The checks of the figures that this consumer is promised: its own, else the product's."""
    levels: Sequence[QualityMetrics | None] = (product.quality_metrics, contract.quality_metrics)
    promised: dict[str, float] = {}
    for level in levels:
        promised |= level.model_dump(exclude_none=True) if level else {}
    if "completeness" in promised:
        query = filled(tuple(dict.fromkeys(contract.fields)))
        limit = {"mustBeGreaterOrEqualTo": promised["completeness"], "unit": "percent"}
        yield {"type": "sql", "name": "completeness", "query": query, **limit, "dimension": "completeness"}
    for name, words in _METRICS.items():
        if name in promised:
            text = f"At least {promised[name]:g} % {words}."
            yield {"type": "text", "name": name, "description": text, "dimension": name}
