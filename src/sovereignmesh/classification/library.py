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

__all__ = ["Detector", "Means", "detectors", "find_detector", "load_detectors", "system_classifications"]

Means = Literal["regex", "bloom-filter", "machine-learning", "undocumented", "none"]

_ROOM: Final = "sovereignmesh.classification"
_SYSTEM: Final = "MICROSOFT."
_MEANS: Final = ("regex", "bloom-filter", "machine-learning", "undocumented")
_FIELDS: Final = {
    "name", "classification", "title", "pattern", "words", "needsName", "telling", "chance", "validator", "personal",
    "means", "source", "checked", "positive", "negative",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to recognise a kind of value.

    `pattern` is what a value looks like, `validator` (its name and argument) what then tests it. `chance` is how many
    of the values that look so, but are something else, pass: 0 where the look itself is telling, about 0.1 for a check
    digit, 1 where nothing tells; such a detector `needs_name`. `words` are phrases of a column's name. `personal`: a
    field of it is suggested for exclusion. `means` is how Purview finds the classification, "none" where it has none.
    """

    name: str
    classification: str
    title: str
    pattern: str
    words: tuple[str, ...]
    needs_name: bool
    chance: float
    validator: tuple[str, str] | None
    personal: bool
    means: Means
    source: tuple[str, ...]
    checked: str
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
        needs_name, telling = row.get("needsName", False), row.get("telling", False)
        written = row.get("validator")
        validator = (str(written), "") if isinstance(written, str) else next(iter(written.items())) if written else None
        system = row["classification"].startswith(_SYSTEM)
        yield Detector(
            name=row["name"],
            classification=row["classification"],
            title=row["title"],
            pattern=row["pattern"],
            words=tuple(joined(phrase) for phrase in row.get("words", ())),
            needs_name=needs_name,
            chance=0.0 if telling else float(row.get("chance", 1.0)),
            validator=validator,
            personal=row.get("personal", True),
            means=cast("Means", row.get("means", "regex")) if system else "none",
            source=tuple(row["source"]) if isinstance(row["source"], list) else (row["source"],),
            checked=row["checked"],
            positive=tuple(row["positive"]),
            negative=tuple(row["negative"]),
        )


def _check(row: dict[str, Any], where: str) -> None:
    missing = {"name", "classification", "title", "pattern", "source", "checked", "positive", "negative"} - set(row)
    if missing or set(row) - _FIELDS:
        raise FactsError(f"{where}: lacks {sorted(missing)}, or has unknown {sorted(set(row) - _FIELDS)}")
    if row["classification"].startswith(_SYSTEM) and row["classification"] not in system_classifications():
        raise FactsError(f"{where}: {row['classification']} is none of Purview's own, which alone begin so")
    errors = [problem.message for problem in check_pattern(row["pattern"]) if problem.severity == "error"]
    if errors or not (row["pattern"].startswith(("^", "(?i)^")) and row["pattern"].endswith("$")):
        raise FactsError(f"{where}: `pattern` must be one for .NET and RE2, from ^ to $ {errors}")
    if row.get("means", "regex") not in _MEANS:
        raise FactsError(f"{where}: `means` must be one of {', '.join(_MEANS)}")
    if not row.get("needsName") and not row.get("telling") and row.get("chance", 1) > 1 / 2:
        raise FactsError(f"{where}: a pattern that tells little, with a `chance` above a half, needs `needsName`")
    if row.get("needsName") and not row.get("words"):
        raise FactsError(f"{where}: `needsName` without `words` finds nothing")
    if not all(isinstance(case, str) for case in (*row["positive"], *row["negative"])):
        raise FactsError(f"{where}: cases are strings: put quotes around them")
    if not row["positive"] or not row["negative"]:
        raise FactsError(f"{where}: a detector counts when it has cases of both kinds")
    try:
        dt.date.fromisoformat(row["checked"])
    except ValueError as error:
        raise FactsError(f"{where}: `checked` must be the date on which the source was read") from error
