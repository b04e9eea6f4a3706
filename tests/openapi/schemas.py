"""Swagger 2.0 schemas as JSON Schema: strict for what is sent, lenient for what is received.

Sent: a property that the schema does not name, a read-only one and a null are errors, and a word outside an open enum
(`modelAsString`) is a soft one. Received: further properties, further words of an open enum and nulls in place of
strings, arrays and objects are fine, for so the service answers.
"""

import re
from datetime import datetime

from jsonschema import Draft7Validator, FormatChecker, ValidationError, validators

SOFT = "soft-enum"  # the `validator` of an error that is none: a word outside an open enum
READ_ONLY = "read-only"

_COPIED = ("pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems")
_FORMATS = FormatChecker(formats=())
_INT32, _INT64 = 1 << 31, 1 << 63
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value):
    if not isinstance(value, str):
        return True
    found = _TIME.fullmatch(value)
    return found is not None and datetime.fromisoformat(found[1]) is not None


@_FORMATS.checks("uuid")
def _is_uuid(value):
    return not isinstance(value, str) or _UUID.fullmatch(value) is not None


@_FORMATS.checks("int32")
def _is_int32(value):
    return not isinstance(value, int) or -_INT32 <= value < _INT32


@_FORMATS.checks("int64")
def _is_int64(value):
    return not isinstance(value, int) or -_INT64 <= value < _INT64


class Schemas:
    """The definitions of one specification."""

    def __init__(self, definitions):
        self._definitions = definitions
        self._nodes = {}
        self._validators = {}

    def errors(self, schema, body, *, sent):
        """What is wrong with a body, each a ValidationError. `schema` is the specification's own dictionary."""
        key = (id(schema), sent)
        if key not in self._validators:
            converted = self.convert(schema, sent=sent)
            self._validators[key] = schema, _Validator(converted, format_checker=_FORMATS)  # keeps the id's owner
        return self._validators[key][1].iter_errors(body)

    def convert(self, raw, *, sent):
        """The JSON Schema of a schema that stands somewhere in the specification."""
        target = _target(raw)
        if sent and raw.get("readOnly"):
            return {READ_ONLY: True}
        return {"of": self._node(target, sent=sent)} if target else self._plain(raw, sent=sent)

    def _node(self, name, *, sent):
        return self._nodes.setdefault((name, sent), _Node(self, name, sent))

    def build(self, name, *, sent):
        """The JSON Schema of a definition; of one with a discriminator, that of the kind which a body says it is."""
        raw = self._definitions[name]
        if "discriminator" not in raw:
            return self._plain(raw, sent=sent)
        subtypes = {
            definition.get("x-ms-discriminator-value", other): self._node(other, sent=sent)
            for other, definition in self._definitions.items()
            if other != name and name in self._ancestors(other)
        }
        listed = self._flat(raw)["properties"][raw["discriminator"]]
        while _target(listed):
            listed = self._definitions[_target(listed)]
        # A kind that is listed and has no model keeps its properties for itself.
        spare = {**self._flat(raw)["properties"], "properties": {"type": "object"}}
        kinds = {
            "property": raw["discriminator"],
            "subtypes": subtypes,
            "listed": frozenset(listed.get("enum", ())) if sent else None,
            "base": self._plain(raw, sent=sent),
            "spare": self._plain({**raw, "properties": spare}, sent=sent),
        }
        return {"kinds": kinds}

    def _ancestors(self, name):
        parents = {_target(parent) for parent in self._definitions[name].get("allOf", ())} - {None}
        return parents.union(*(self._ancestors(parent) for parent in parents))

    def _flat(self, raw):
        """A schema and all that it extends as one."""
        flat = {"properties": {}, "required": []}
        for part in (*raw.get("allOf", ()), {key: value for key, value in raw.items() if key != "allOf"}):
            if "$ref" in part:
                more = self._flat(self._definitions[part["$ref"].rpartition("/")[2]])
            else:
                more = self._flat(part) if "allOf" in part else part
            joined = {"properties": {**flat["properties"], **more.get("properties", {})}}
            joined["required"] = [*flat["required"], *more.get("required", ())]
            flat = {**flat, **more, **joined}
        return flat

    def _plain(self, raw, *, sent):
        flat = self._flat(raw)
        properties, kind = flat["properties"], flat.get("type")
        made = {key: flat[key] for key in _COPIED if key in flat}
        if kind is None and (properties or "additionalProperties" in flat):
            kind = "object"
        if kind in ("string", "array", "object"):
            made["type"] = kind if sent else [kind, "null"]
        elif kind not in (None, "file"):
            made["type"] = kind
        if "format" in flat:
            made["format"] = flat["format"]
        if "enum" in flat:
            made |= _enum(flat, sent=sent)
        if "items" in flat:
            made["items"] = self.convert(flat["items"], sent=sent)
        if kind == "object":
            made |= self._object(flat, sent=sent)
        return made

    def _object(self, flat, *, sent):
        properties = {name: self.convert(raw, sent=sent) for name, raw in flat["properties"].items()}
        made = {"properties": properties}
        required = [name for name in flat["required"] if not (sent and READ_ONLY in properties.get(name, ()))]
        if required:
            made["required"] = required
        more = flat.get("additionalProperties")
        if more:
            made["additionalProperties"] = self.convert(more, sent=sent)
        elif more is False or (more is None and sent and properties):
            made["additionalProperties"] = False
        return made


class _Node:
    """A definition by its name, built when first needed: definitions refer to each other in circles."""

    def __init__(self, schemas, name, sent):
        self._schemas, self.name, self._sent = schemas, name, sent
        self._schema = None

    @property
    def schema(self):
        if self._schema is None:
            self._schema = self._schemas.build(self.name, sent=self._sent)
        return self._schema


def _target(raw):
    """The definition that a schema is nothing but a reference to; a lone allOf is one with a description."""
    parts = raw.get("allOf", ())
    if len(parts) == 1 and "$ref" in parts[0] and not {"properties", "x-ms-discriminator-value"} & raw.keys():
        raw = parts[0]
    return raw["$ref"].rpartition("/")[2] if "$ref" in raw else None


def _enum(flat, *, sent):
    if flat.get("x-ms-enum", {}).get("modelAsString"):
        return {SOFT: frozenset(flat["enum"])} if sent else {}
    return {"enum": [*flat["enum"], *(() if sent else (None,))]}


def _of(validator, node, instance, schema):
    yield from validator.descend(instance, node.schema)


def _kinds(validator, kinds, instance, schema):
    kind = instance.get(kinds["property"]) if isinstance(instance, dict) else None
    if not isinstance(kind, str):  # the base says that it must be there, and a string
        yield from validator.descend(instance, kinds["base"])
        return
    subtype = kinds["subtypes"].get(kind)
    if subtype is not None:
        yield from validator.descend(instance, subtype.schema)
        return
    listed = kinds["listed"]
    if listed is None or kind in listed:
        yield from validator.descend(instance, kinds["spare"])
        return
    yield ValidationError(f"{kind!r} is no {kinds['property']} that there is")
    yield from validator.descend(instance, kinds["base"])


def _read_only(validator, value, instance, schema):
    yield ValidationError("is read-only")


def _soft(validator, words, instance, schema):
    if isinstance(instance, str) and instance not in words:
        yield ValidationError(f"{instance!r} is none of the words that are listed")


_Validator = validators.extend(Draft7Validator, {"of": _of, "kinds": _kinds, READ_ONLY: _read_only, SOFT: _soft})


def error_of(schema, value):
    """What is wrong with a value, or nothing; for schemas without definitions."""
    key = repr(schema)
    if key not in _SMALL:
        _SMALL[key] = _Validator(schema, format_checker=_FORMATS)
    return next((error.message for error in _SMALL[key].iter_errors(value)), None)


_SMALL: dict[str, Draft7Validator] = {}
