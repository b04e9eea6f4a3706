"""What a search asks for: its filter and its keywords, each as a test of a hit.

The filters are those of the specification's examples (Discovery_Query_*.json). Where they leave it open, a filter takes
no notice of case, as a search of fields does: https://learn.microsoft.com/purview/how-to-search-catalog. That a
collection's filter leaves out the collections below it is undocumented.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.sandbox.purview.answers import atlas_refusal
from sovereignmesh.sandbox.purview.asset_types import above
from sovereignmesh.sandbox.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.sandbox.purview.objects import Body

__all__ = ["compile_filter", "compile_keywords", "refuse", "values_of"]


_DAY: Final = 86_400_000  # milliseconds
_RANGES: Final = {"LAST_24H": 1, "LAST_7D": 7, "LAST_30D": 30, "LAST_365D": 365}
_OLDER: Final = "MORE_THAN_365D"
_OF_CONTACTS: Final = {"contactId": "id", "contactType": "contactType"}
_OF_TERMS: Final = ("term", "termGuid", "glossary", "glossaryType", "termStatus", "termTemplate")
# Filters of a field that stand alone, each with what may stand beside it.
_FIELDS: Final = {
    **dict.fromkeys(("id", "objectType", "assetType", "collectionId", "label", *_OF_CONTACTS), frozenset()),
    "entityType": frozenset({"includeSubTypes"}),
    "classification": frozenset({"includeSubClassifications"}),
    "fileExtension": frozenset(),
    **dict.fromkeys(_OF_TERMS, frozenset({"glossary"})),
}
_TIMES: Final = ("createTime", "updateTime")
_SEARCHED: Final = ("name", "qualifiedName", "description", "entityType", "assetType", "classification", "contactId")


def refuse(why: str) -> Refusal:
    """The refusal of a query. The code is Apache Atlas' for bad parameters; which ones search has is undocumented."""
    return atlas_refusal(400, "ATLAS-400-00-01A", f"invalid parameters: {why}")


def values_of(hit: Body, field: str) -> list[Any]:
    """What a hit has in a field, as a list."""
    if field in _OF_CONTACTS:
        return [contact[_OF_CONTACTS[field]] for contact in hit["contact"]]
    value = hit.get(field)
    return value if isinstance(value, list) else [] if value is None else [value]


def compile_filter(given: Any, now: str) -> Callable[[Body, Body], bool]:
    """The test of a (hit, entity) that a filter stands for. Raises Refusal for one that there is not."""
    if given is None:
        return lambda _, __: True
    if not isinstance(given, dict) or not given:
        raise refuse("a filter must be an object that is not empty")
    key = next((key for key in ("and", "or", "not") if key in given), "")
    if key and len(given) > 1:
        raise refuse(f"{key!r} stands alone in a filter")
    if key == "not":
        test = compile_filter(given["not"] or {}, now)
        return lambda hit, entity: not test(hit, entity)
    if key:
        if not isinstance(given[key], list) or not given[key]:
            raise refuse(f"{key!r} must be a list of filters")
        tests = [compile_filter(one or {}, now) for one in given[key]]
        every = all if key == "and" else any
        return lambda hit, entity: every(test(hit, entity) for test in tests)
    if "attributeName" in given:
        return _attribute(given, now)
    time = next((field for field in _TIMES if field in given), "")
    if time:
        return _time(time, given, now)
    return _field(given)


def _field(given: Body) -> Callable[[Body, Body], bool]:
    field = next((field for field in _FIELDS if field in given), "")
    if not field or given.keys() - {field} - _FIELDS[field]:
        raise refuse(f"{', '.join(map(repr, given))} is no filter")
    if not isinstance(given[field], str):
        raise refuse(f"the filter {field!r} must be a string")
    wanted = given[field].lower()
    if field in _OF_TERMS:
        return lambda _, __: False  # the sandbox has no glossary, so nothing has a term
    if field == "fileExtension":
        return lambda hit, _: hit["objectType"] == "Files" and hit["qualifiedName"].lower().endswith(f".{wanted}")
    if field == "entityType" and given.get("includeSubTypes"):
        return lambda hit, _: wanted in map(str.lower, above(hit["entityType"]))
    return lambda hit, _: wanted in (str(value).lower() for value in values_of(hit, field))


def _time(field: str, given: Body, now: str) -> Callable[[Body, Body], bool]:
    value = given[field]
    if isinstance(value, dict) and value.keys() == {"operator", "timeThreshold"}:
        test = _operator(value["operator"], value["timeThreshold"], now)
    else:
        test = _operator("timerange", value, now)
    return lambda hit, _: test(hit[field])


def _attribute(given: Body, now: str) -> Callable[[Body, Body], bool]:
    if given.keys() != {"attributeName", "operator", "attributeValue"}:
        raise refuse("a filter of an attribute has attributeName, operator and attributeValue")
    name, test = str(given["attributeName"]), _operator(given["operator"], given["attributeValue"], now)

    def found(hit: Body, entity: Body) -> bool:
        values = values_of(hit, name) if name in hit or name in _OF_CONTACTS else [entity["attributes"].get(name)]
        return any(map(test, values or [None]))

    return found


def _operator(name: Any, wanted: Any, now: str) -> Callable[[Any], bool]:
    """The test of a value that an operator stands for."""
    if name == "timerange":
        return _range(wanted, now)
    if name in ("eq", "ne"):
        same = name == "eq"
        return lambda value: (_plain(value) == _plain(wanted)) is same
    if name in ("contains", "prefix"):
        if not isinstance(wanted, str):
            raise refuse(f"the operator {name!r} needs a string")
        text = wanted.lower()
        if name == "prefix":
            return lambda value: isinstance(value, str) and value.lower().startswith(text)
        return lambda value: isinstance(value, str) and text in value.lower()
    if name not in _COMPARED:
        raise refuse(f"{name!r} is no operator")
    if not _is_number(wanted):
        raise refuse(f"the operator {name!r} needs a number")
    compare = _COMPARED[name]
    return lambda value: _is_number(value) and compare(value, wanted)


_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": lambda value, wanted: value > wanted,
    "ge": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "le": lambda value, wanted: value <= wanted,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _range(wanted: Any, now: str) -> Callable[[Any], bool]:
    if wanted != _OLDER and wanted not in _RANGES:
        raise refuse(f"{wanted!r} is no range of time")
    at = dt.datetime.fromisoformat(now).timestamp() * 1000
    begin = at - _DAY * _RANGES.get(wanted, 365)
    older = wanted == _OLDER
    return lambda value: _is_number(value) and (value < begin) is older


def compile_keywords(given: Any) -> Callable[[Body], bool]:
    """The test of a hit that keywords stand for: any of the words in any of its fields; none, or a star, find all.

    https://learn.microsoft.com/purview/how-to-search-catalog says so, and has operators, which the sandbox has not.
    """
    if given is None or given in ("", "*"):
        return lambda _: True
    if not isinstance(given, str):
        raise refuse("keywords must be a string")
    if re.search(r'\b(?:AND|NOT)\b|[()":*]', given):
        raise Refusal(501, "SandboxUnsupported", "the sandbox (not Azure) has no operators in keywords")
    words = [word.lower() for word in re.split(r"[\s,-]+", given) if word and word != "OR"]

    def found(hit: Body) -> bool:
        text = "\n".join(_texts(hit)).lower()
        return any(word in text for word in words)

    return found


def _texts(hit: Body) -> Iterator[str]:
    return (str(value) for field in _SEARCHED for value in values_of(hit, field))
