"""Whether the parameters in a URL are what an operation declares."""

import re

from openapi.exceptions import QUERY_ANYWAY
from openapi.schemas import error_of

_NUMBERED = re.compile(r"attr_\d+:")  # the specification writes N for the number
_LIMITS = ("type", "format", "pattern", "minLength", "maxLength", "enum", "minimum", "maximum")
_READERS = {
    "boolean": lambda text: {"true": True, "false": False}.get(text, text),
    "integer": lambda text: int(text) if re.fullmatch(r"[+-]?\d+", text) else text,
    "number": lambda text: float(text) if re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text) else text,
}


def check_value(declared, text):
    """What is wrong with one value. Enums are closed, also those of `modelAsString`: what we send is ours to know."""
    if declared.get("type") == "array":
        multi = declared.get("collectionFormat") == "multi"
        return [it for one in ([text] if multi else text.split(",")) for it in check_value(declared["items"], one)]
    value = _READERS.get(declared.get("type"), str)(text)
    wrong = error_of({key: declared[key] for key in _LIMITS if key in declared}, value)
    return [wrong] if wrong else []


def check_query(operation, pairs, also):
    """What is wrong with a query; `also` are names that may be there whatever is declared."""
    wrong, seen = [], set()
    for name, text in pairs:
        declared = operation.query.get(_NUMBERED.sub("attr_N:", name))
        if declared is None:
            if name not in also and (operation.id, name) not in QUERY_ANYWAY:
                wrong.append(f"{operation.id} has no parameter {name}")
            continue
        if name in seen and declared.get("collectionFormat") != "multi":
            wrong.append(f"{name} stands there twice")
        seen.add(name)
        wrong += [f"{name}: {it}" for it in check_value(declared, text)]
    missing = [name for name, declared in operation.query.items() if declared.get("required") and name not in seen]
    return wrong + [f"{name} is missing" for name in missing]
