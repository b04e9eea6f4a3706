"""The values in a mesh's documents: each kind of text or number, checked and normalised when it is read."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from sovereignmesh.facts import areas, find_region, regions
from sovereignmesh.mesh.words import did_you_mean, found
from sovereignmesh.patterns import check_pattern, portable, slug

__all__ = [
    "AnyClassificationName",
    "AreaName",
    "ClassificationName",
    "Day",
    "Duration",
    "Model",
    "Name",
    "Names",
    "ObjectId",
    "Pattern",
    "Percent",
    "RegionName",
    "RegionNames",
    "ResourceId",
    "RuleName",
    "RulePattern",
    "SomeNames",
    "Text",
    "ValuePattern",
    "age",
    "as_named",
    "instant",
    "is_object_id",
    "wrong",
]


def wrong(message: str) -> PydanticCustomError:
    # The message is passed as a value: braces in what a person wrote are no placeholders.
    return PydanticCustomError("mesh", "{said}", {"said": message})


def _text(value: str) -> str:
    if not value.strip():
        raise wrong("found an empty string, wants some text")
    return value


def _name(value: str) -> str:
    if value != _text(value).strip() or not value.isprintable():
        raise wrong(f"found {found(value)}, wants one line without spaces around it")
    return value


def _region(spelling: str) -> str:
    region = find_region(spelling)
    if region is None:
        names = [name for known in regions().values() for name in (known.name, known.display_name)]
        raise wrong(f"found {found(spelling)}, wants an Azure region{did_you_mean(spelling, names)}")
    return region.name


def _area(spelling: str) -> str:
    names = {name.casefold(): name for name in areas()}
    if spelling.casefold() not in names:
        guess = did_you_mean(spelling, names.values())
        raise wrong(f"found {found(spelling)}, wants an area: EU, EUDB or a country with a region{guess}")
    return names[spelling.casefold()]


# As Apache Atlas, on which the Data Map is built, says in its refusal ATLAS-400-00-019; Purview's own names have dots.
_TYPE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_. ]*")


def _pattern(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python will read differently one day is refused today
            re.compile(value)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise wrong(f"found {found(value)}, wants a regular expression: {error}") from None
    return value


def _rule_pattern(value: str) -> str:
    problem = next((problem for problem in check_pattern(value) if problem.severity == "error"), None)
    if problem is not None:
        raise wrong(f"found {found(value)}, wants a pattern for Purview: {problem.message}")
    return value


def _value_pattern(value: str) -> str:
    try:
        portable(value)
    except ValueError as error:
        raise wrong(f"found {found(value)}, wants a pattern that every engine reads alike: {error}") from None
    return value


_AGE: Final = re.compile(r"(?:<=?|\N{LESS-THAN OR EQUAL TO})?\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)", re.IGNORECASE)
_ISO_AGE: Final = re.compile(r"P(?:([0-9]+)W|(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?)")
_SECONDS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
    **dict.fromkeys(("month", "months"), 31 * 86_400),  # the longest that it may be
    **dict.fromkeys(("quarter", "quarters"), 92 * 86_400),
    **dict.fromkeys(("y", "year", "years"), 366 * 86_400),
}
_EVERY: Final = {
    "hourly": "1 hour", "daily": "1 day", "weekly": "1 week", "monthly": "1 month", "quarterly": "1 quarter",
    "yearly": "1 year",
}  # fmt: skip
_ISO_UNITS: Final = (604_800, 86_400, 3600, 60, 1)
_LONGEST_AGE: Final = 100 * 366 * 86_400


def age(text: str) -> timedelta | None:
    """The duration that an sla's freshness means; None where it is none.

    >>> age("< 1 hour"), age("PT15M"), age("soon")
    (datetime.timedelta(seconds=3600), datetime.timedelta(seconds=900), None)
    """
    seconds = 0.0
    text = _EVERY.get(text.strip().lower(), text)
    if (told := _AGE.fullmatch(text.strip())) and told[2].lower() in _SECONDS:
        seconds = float(told[1]) * _SECONDS[told[2].lower()]
    elif told := _ISO_AGE.fullmatch(text.strip()):
        seconds = sum(int(part or 0) * unit for part, unit in zip(told.groups(), _ISO_UNITS, strict=True))
    return timedelta(seconds=seconds) if 0 < seconds <= _LONGEST_AGE else None


def instant(text: str) -> datetime | None:
    """The moment that ISO 8601 text means, in UTC where it says no offset; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _duration(value: str) -> str:
    if age(value) is None:
        raise wrong(f"found {found(value)}, wants a duration: '< 1 hour', 15m, 2 days, PT1H")
    return value


def _classification(value: str) -> str:
    if value.upper().startswith("MICROSOFT."):
        raise wrong(f"found {found(value)}, wants a name that does not begin with MICROSOFT.: these are Purview's own")
    return _any_classification(value)


def _any_classification(value: str) -> str:
    if not _TYPE_NAME.fullmatch(value):
        rule = "a letter, then letters, digits, spaces, '_' and '.'"
        raise wrong(f"found {found(value)}, wants a classification's name as the Data Map allows it: {rule}")
    return value


def _rule_name(value: str) -> str:
    if slug(value) != value:
        raise wrong(f"found {found(value)}, wants a name that Purview accepts, such as '{slug(value)}'")
    return value


def _date(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # a day that no month has is said like any other wrong date
    raise wrong(f"found {found(value)}, wants a date as YYYY-MM-DD")


def _resource_id(value: str) -> str:
    if "*" in value:
        raise wrong(f"found {found(value)}, wants one full resource id; write 'pattern' for a value with '*'")
    if not re.match(r"/(subscriptions|providers)/[^/]", value, re.IGNORECASE):
        raise wrong(f"found {found(value)}, wants a full resource id: /subscriptions/...")
    return value


_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_object_id(value: str) -> bool:
    """Whether it is written as an object id of Microsoft Entra ID is: a GUID."""
    return _GUID.fullmatch(value) is not None


def _object_id(value: str) -> str:
    if not is_object_id(value):
        raise wrong(f"found {found(value)}, wants an object id of Microsoft Entra ID, a GUID")
    return value.lower()


def as_named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _completions(known: list[str]) -> dict[str, Any]:
    """An editor offers these, and refuses no other spelling: `validate` knows them all."""
    return {"anyOf": [{"enum": known}, {"type": "string"}]}


Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_name)]
RegionName = Annotated[str, AfterValidator(_region), Field(json_schema_extra=_completions(sorted(regions())))]
AreaName = Annotated[str, AfterValidator(_area), Field(json_schema_extra=_completions(sorted(areas())))]
Pattern = Annotated[str, AfterValidator(_pattern), Field(json_schema_extra={"format": "regex"})]
RulePattern = Annotated[str, AfterValidator(_rule_pattern), Field(json_schema_extra={"format": "regex"})]
ClassificationName = Annotated[Name, AfterValidator(_classification)]
AnyClassificationName = Annotated[Name, AfterValidator(_any_classification)]
ValuePattern = Annotated[str, AfterValidator(_value_pattern), Field(json_schema_extra={"format": "regex"})]
Duration = Annotated[Name, AfterValidator(_duration)]
RuleName = Annotated[str, AfterValidator(_rule_name)]
Day = Annotated[
    date, BeforeValidator(_date, json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date"})])
]
ResourceId = Annotated[str, AfterValidator(_resource_id)]
ObjectId = Annotated[str, AfterValidator(_object_id), Field(json_schema_extra={"format": "uuid"})]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

# Lists become tuples; their items stay strict.
RegionNames = Annotated[tuple[RegionName, ...], Field(strict=False, min_length=1)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]
SomeNames = Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]


class Model(BaseModel):
    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        validate_by_name=True,  # in Python; a document is read by its own keys alone
        validate_by_alias=True,
        alias_generator=to_camel,
        model_title_generator=lambda model: model.__name__.removesuffix("Wish"),
    )
