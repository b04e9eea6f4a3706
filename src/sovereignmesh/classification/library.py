"""The detectors: rows of `detectors/*.yaml`, checked as they are read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sovereignmesh.classification.words import joined
from sovereignmesh.errors import FactsError, MeshError
from sovereignmesh.patterns import check_pattern
from sovereignmesh.yamlfile import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Detector", "Means", "Telling", "detectors", "find_detector", "load_detectors", "system_classifications"]

Means = Literal["regex", "bloom-filter", "machine-learning", "undocumented", "none"]

Telling = Literal["fully", "rather", ""]

_ROOM: Final = "sovereignmesh.classification"
_SYSTEM: Final = "MICROSOFT."
_MEANS: Final = ("regex", "bloom-filter", "machine-learning", "undocumented")
_FIELDS: Final = {
    "name", "classification", "title", "pattern", "words", "needsName", "telling", "chance", "validator", "personal",
    "means", "source", "checked", "unverified", "positive", "negative",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to recognise a kind of value.

    `pattern` is what a value looks like, `validator` (its name and argument) what then tests it. `chance` is how many
    of the values that look so, but are something else, pass: about 0.1 for a check digit, 1 where nothing tells; such a
    detector `needs_name`. It is 0 where the look itself is `telling`: "fully" where hardly anything else looks so (an
    e-mail address), "rather" where little else does (a social security number with its hyphens). `words` are phrases of
    a column's name. `personal`: a field of it is suggested for exclusion. `means` is how Purview finds the
    classification, "none" where it has none. `unverified` says what of a row its source does not show.
    """

    name: str
    classification: str
    title: str
    pattern: str
    words: tuple[str, ...]
    needs_name: bool
    telling: Telling
    chance: float
    validator: tuple[str, str] | None
    personal: bool
    means: Means
    source: tuple[str, ...]
    checked: str
    unverified: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@cache
def detectors() -> tuple[Detector, ...]:
    """Every detector of the library, by name.

    >>> [one.classification for one in detectors() if one.name in ("email", "iban")]
    ['MICROSOFT.PERSONAL.EMAIL', 'MICROSOFT.FINANCIAL.INTERNATIONAL.BANK_ACCOUNT_NUMBER']
    """
    folder = files(_ROOM).joinpath("detectors")
    found: dict[str, Detector] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            table = parse(file.read_bytes(), file.name).require()
        except MeshError as error:
            raise FactsError(str(error)) from error
        for one in load_detectors(table, file.name):
            if one.name in found:
                raise FactsError(f"{file.name}: {one.name}: a second detector of that name")
            found[one.name] = one
    return tuple(found[name] for name in sorted(found))


@cache
def _by_name() -> dict[str, Detector]:
    return {one.name: one for one in detectors()}


def find_detector(name: str) -> Detector | None:
    """The detector of a name; None where the library has none."""
    return _by_name().get(name)


@cache
def system_classifications() -> frozenset[str]:
    """The names of Purview's system classifications: an account has these 208 from the beginning."""
    text = files(_ROOM).joinpath("system_classifications.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def load_detectors(table: dict[str, Any], file: str) -> Iterator[Detector]:
    """The detectors of one table; FactsError says the file, the row and the rule that it breaks."""
    if set(table) != {"detectors"}:
        raise FactsError(f"{file}: wants `detectors`, a list, and nothing else")
    for row in table["detectors"]:
        where = f"{file}: {row.get('name', '?')}"
        _check(row, where)
        written = row.get("validator")
        validator = (str(written), "") if isinstance(written, str) else next(iter(written.items())) if written else None
        system = row["classification"].startswith(_SYSTEM)
        yield Detector(
            name=row["name"],
            classification=row["classification"],
            title=row["title"],
            pattern=row["pattern"],
            words=tuple(joined(phrase) for phrase in row.get("words", ())),
            needs_name=row.get("needsName", False),
            telling=row.get("telling", ""),
            chance=0.0 if row.get("telling") else float(row.get("chance", 1.0)),
            validator=validator,
            personal=row.get("personal", True),
            means=cast("Means", row.get("means", "regex")) if system else "none",
            source=tuple(row["source"]) if isinstance(row["source"], list) else (row["source"],),
            checked=row["checked"],
            unverified=row.get("unverified", ""),
            positive=tuple(row["positive"]),
            negative=tuple(row["negative"]),
        )


def _check(row: dict[str, Any], where: str) -> None:
    missing = {"name", "classification", "title", "pattern", "source", "checked", "positive", "negative"} - set(row)
    if missing or set(row) - _FIELDS:
        raise FactsError(f"{where}: lacks {sorted(missing)}, or has unknown {sorted(set(row) - _FIELDS)}")
    name, pattern = row["classification"], row["pattern"]
    errors = [problem.message for problem in check_pattern(pattern) if problem.severity == "error"]
    anchored = pattern.startswith(("^", "(?i)^")) and pattern.endswith("$")
    tells = row.get("needsName") or row.get("telling") or row.get("chance", 1) <= 1 / 2
    cases = (row["positive"], row["negative"])
    rules = (
        (
            not name.startswith(_SYSTEM) or name in system_classifications(),
            f"{name} is none of Purview's own, which alone begin so",
        ),
        (anchored and not errors, f"`pattern` must be one for .NET and RE2, from ^ to $ {errors}"),
        (row.get("means", "regex") in _MEANS, f"`means` must be one of {', '.join(_MEANS)}"),
        (row.get("telling", "") in ("fully", "rather", ""), "`telling` must be one of fully, rather"),
        (tells, "a pattern that tells little, with a `chance` above a half, needs `needsName`"),
        (row.get("words") or not row.get("needsName"), "`needsName` without `words` finds nothing"),
        (all(cases), "a detector counts when it has cases of both kinds"),
        (all(isinstance(case, str) for case in (*cases[0], *cases[1])), "cases are strings: put quotes around them"),
    )
    for holds, rule in rules:
        if not holds:
            raise FactsError(f"{where}: {rule}")
    try:
        dt.date.fromisoformat(row["checked"])
    except ValueError as error:
        raise FactsError(f"{where}: `checked` must be the date on which the source was read") from error
