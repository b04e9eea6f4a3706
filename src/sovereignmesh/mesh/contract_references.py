"""What is wrong between a product's schema, its promises and its contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sovereignmesh.mesh.validity import fields_of, parse_rule
from sovereignmesh.mesh.values import instant
from sovereignmesh.mesh.words import consumer_in, did_you_mean, listed, repeated
from sovereignmesh.patterns import resembles, runs_away

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sovereignmesh.mesh.products import DataContractWish, DataProduct, DataSchema, FieldWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.result.location import Problem
    from sovereignmesh.yamlfile import Path

__all__ = ["check_contracts"]


def check_contracts(product: Loaded[DataProduct], domains: Mapping[str, str] | None) -> Iterator[Problem]:
    """Every problem of a product's schema and contracts; `domains` by case-folded name, None where they are unknown."""
    if product.model.data_schema is not None:
        yield from _schema(product, product.model.data_schema)
    yield from _promises(product)
    for index, contract in enumerate(product.model.data_contracts):
        path: Path = ("dataContracts", index)
        if domains is not None and consumer_in(domains, contract.consumer) is None:
            near = did_you_mean(contract.consumer.casefold().removesuffix(" domain"), domains.values())
            message = f"the consumer '{contract.consumer}' is no domain of this mesh{near}; known: "
            known = listed(dict.fromkeys(domains.values()))
            yield product.problem((*path, "consumer"), message + known)
        yield from _fields(product, contract, path)
        yield from _unseen(product, contract, path)


def _fields(product: Loaded[DataProduct], contract: DataContractWish, path: Path) -> Iterator[Problem]:
    given = {name.casefold() for name in contract.fields}
    for at, name in enumerate(contract.excluded_fields):
        place = (*path, "excludedFields", at)
        if name.casefold() in given:
            yield product.problem(place, f"the field '{name}' is in 'fields' as well: a field is given or excluded")
            continue
        near = [field for field in contract.fields if resembles(field, name)]
        if near:
            word = "refused by 'excludeSimilar'" if contract.exclude_similar else "given nevertheless"
            message = f"the field '{near[0]}' of 'fields' resembles '{name}', which is excluded: it is {word}"
            yield product.problem(place, message, "warning")
    for at, name in enumerate(contract.fields):
        if name in contract.fields[:at]:
            yield product.problem((*path, "fields", at), f"the field '{name}' is given twice")
    for at, name in enumerate(contract.optional_fields):
        if name not in contract.fields:
            message = f"the field '{name}' is not in 'fields'{did_you_mean(name, contract.fields)}"
            yield product.problem((*path, "optionalFields", at), message)
    yield from _classifications(product, contract, path)
    schema = product.model.data_schema
    described = {field.name for field in schema.fields} if schema else set()
    for at, name in enumerate(contract.fields if described else ()):
        if name not in described and (guess := did_you_mean(name, described)):
            message = f"the field '{name}' is not in the product's schema{guess}"
            yield product.problem((*path, "fields", at), message, "warning")


def _classifications(product: Loaded[DataProduct], contract: DataContractWish, path: Path) -> Iterator[Problem]:
    doubly = set(contract.allowed_classifications or ()) & set(contract.excluded_classifications)
    for name in sorted(doubly):
        at = contract.excluded_classifications.index(name)
        message = f"the classification '{name}' is in 'allowedClassifications' as well: it is allowed or excluded"
        yield product.problem((*path, "excludedClassifications", at), message)


def _unseen(product: Loaded[DataProduct], contract: DataContractWish, path: Path) -> Iterator[Problem]:
    """What the consumer's fields leave nobody to check."""
    schema, sla = product.model.data_schema, product.model.sla
    column = schema.timestamp_column if schema else None
    if column and sla and sla.freshness and column not in contract.fields:
        message = f"the timestampColumn '{column}' is not among them: freshness cannot be checked in what is shared"
        yield product.problem((*path, "fields"), message, "warning")


def _schema(product: Loaded[DataProduct], schema: DataSchema) -> Iterator[Problem]:
    names = [field.name for field in schema.fields]
    for index, first in repeated(names):
        message = f"the field '{names[index]}' is already described in line "
        line = product.locate("schema", "fields", first).line
        yield product.problem(("schema", "fields", index, "name"), f"{message}{line}")
    rules = [rule.name for rule in schema.validity_rules]
    for index, first in repeated(rules):
        line = product.locate("schema", "validityRules", first).line
        message = f"a rule '{rules[index]}' is already in line {line}"
        yield product.problem(("schema", "validityRules", index, "name"), message)
    for index, field in enumerate(schema.fields):
        if field.pattern and (part := runs_away(field.pattern)):
            message = f"{part} matches one text in many ways: not here, but elsewhere it may never end"
            yield product.problem(("schema", "fields", index, "pattern"), message, "warning")
        yield from _misfits(product, field, ("schema", "fields", index))
    used: list[tuple[Path, str]] = [(("primaryKey", at), name) for at, name in enumerate(schema.primary_key)]
    used += [(("timestampColumn",), schema.timestamp_column)] if schema.timestamp_column else []
    for at, rule in enumerate(schema.validity_rules):
        used += [(("validityRules", at, "rule"), name) for name in sorted(fields_of(parse_rule(rule.rule)))]
    for path, name in used if names else ():
        if name not in names:
            message = f"the field '{name}' is not described in 'fields'{did_you_mean(name, names)}"
            yield product.problem(("schema", *path), message, "warning")


def _misfits(product: Loaded[DataProduct], field: FieldWish, path: Path) -> Iterator[Problem]:
    """Rules that values of the field's type can never be held to."""
    if field.type is None:
        return
    if field.pattern is not None and field.type != "string":
        message = f"values of type {field.type} have no text to match: this will be unknown"
        yield product.problem((*path, "pattern"), message, "warning")
    named = {"minimum": field.minimum, "maximum": field.maximum}
    given = [(key, value) for key, value in named.items() if value is not None]
    given += [("allowedValues", value) for value in field.allowed_values or ()]
    for key, value in given:
        if not _fits(field.type, value):
            message = f"{value!r} is no value of type {field.type}: this will be unknown"
            yield product.problem((*path, key), message, "warning")
            return


def _fits(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int | float):
        return kind in ("integer", "number")
    return kind == "string" or (kind in ("date", "timestamp") and instant(str(value)) is not None)


def _promises(product: Loaded[DataProduct]) -> Iterator[Problem]:
    """Figures that are promised and cannot be measured: their checks are unknown."""
    model = product.model
    schema, freshness = model.data_schema, model.sla.freshness if model.sla else None
    promises: list[Path] = [("qualityMetrics",)] if model.quality_metrics else []
    metrics = [model.quality_metrics] if model.quality_metrics else []
    for index, contract in enumerate(model.data_contracts):
        if contract.quality_metrics:
            promises.append(("dataContracts", index, "qualityMetrics"))
            metrics.append(contract.quality_metrics)
    for path, metric in zip(promises, metrics, strict=True):
        if metric.accuracy is not None and not (schema and schema.judges_values):
            message = "accuracy cannot be measured without rules on values in 'schema': its check will be unknown"
            yield product.problem((*path, "accuracy"), message, "warning")
        if metric.timeliness is not None:
            lacks = [] if schema and schema.timestamp_column else ["a timestampColumn in 'schema'"]
            lacks += [] if freshness else ["a freshness in 'sla'"]
            if lacks:
                message = f"timeliness cannot be measured without {' and '.join(lacks)}: its check will be unknown"
                yield product.problem((*path, "timeliness"), message, "warning")
    if freshness and model.data_contracts and not (schema and schema.timestamp_column):
        message = "freshness cannot be checked without a timestampColumn in 'schema': its check will be unknown"
        yield product.problem(("sla", "freshness"), message, "warning")
