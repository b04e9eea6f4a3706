"""What tests a value that looks right: the arithmetic is python-stdnum's and phonenumbers'."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import FactsError, FrameError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["find_validator"]

# ISO 3166, as phonenumbers has them.
_EU: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - a line
)
_DATE: Final = re.compile(r"[0-9]{4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{4}")
_EXTENSION: Final = re.compile(r" ?(?:x|ext\.?|Ext\.?) ?[0-9]{1,6}$")
# Where a zero before the area code is written, with numbers of the lengths that there are.
_WITH_ZERO: Final = ("DE", "FR", "GB", "SE")
_SHORTEST, _LONGEST = 6, 15  # digits of a subscriber's number; E.164


@cache
def find_validator(kind: str, argument: str = "") -> Callable[[str], bool]:
    """The function that says whether a value passes; FrameError where the library that knows is not installed.

    >>> find_validator("stdnum", "iban")("BE31 4354 1116 1155"), find_validator("luhn")("4111 1111 1111 1112")
    (True, False)
    """
    made = {"stdnum": _stdnum, "luhn": _luhn, "ipaddress": _address, "phonenumbers": _phone}.get(kind)
    if made is None:
        raise FactsError(f"no validator is called {kind}")
    try:
        return made(argument)
    except ImportError as error:
        raise missing(error) from error


def missing(error: ImportError) -> FrameError:
    """What to do where a library of the extra is not there."""
    return FrameError(f"{error.name} is not installed, which data needs: pip install 'sovereignmesh[frames]'")


def _stdnum(name: str) -> Callable[[str], bool]:
    from importlib import import_module  # noqa: PLC0415 - a module of hundreds, by its name

    is_valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid

    def valid(value: str) -> bool:
        try:
            return bool(is_valid(value))
        except (LookupError, ValueError):  # for some numbers, as stdnum.cn.ric for those of unknown counties
            return False

    return valid


def _luhn(_: str) -> Callable[[str], bool]:
    from stdnum import luhn  # noqa: PLC0415 - imported on first use
    from stdnum.util import clean  # noqa: PLC0415

    return lambda value: bool(luhn.is_valid(clean(value, " -")))


def _address(version: str) -> Callable[[str], bool]:
    from ipaddress import ip_interface  # noqa: PLC0415 - imported on first use

    def valid(value: str) -> bool:
        try:
            return ip_interface(value).version == int(version)
        except ValueError:
            return False

    return valid


def _phone(where: str) -> Callable[[str], bool]:
    import phonenumbers  # noqa: PLC0415 - megabytes of metadata

    def possible(value: str, region: str | None) -> phonenumbers.PhoneNumber | None:
        try:
            number = phonenumbers.parse(_EXTENSION.sub("", value), region)
        except phonenumbers.NumberParseException:
            return None
        return number if phonenumbers.is_possible_number(number) else None

    def international(value: str) -> bool:
        number = possible(value.replace("+ ", "+", 1), "DE")  # where 00 leads abroad
        if number is None:
            return False
        region = phonenumbers.region_code_for_country_code(number.country_code or 0)
        return (region in _EU) == (where == "EU") and region != phonenumbers.UNKNOWN_REGION

    def digits(value: str) -> int:
        return 0 if _DATE.fullmatch(value) else sum(one.isdigit() for one in _EXTENSION.sub("", value))

    def national(value: str) -> bool:
        return digits(value) > 8 and any(possible(value, region) for region in _WITH_ZERO)  # noqa: PLR2004 - a date's

    def plain(value: str) -> bool:
        return _SHORTEST <= digits(value) <= _LONGEST

    return {"national": national, "plain": plain}.get(where, international)
