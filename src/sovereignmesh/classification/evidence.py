"""How much the values and the name of a column tell, by rules that a person can follow.

- *Values*: where the look is fully telling (an e-mail address), three of them are telling, and fewer are fair, as any
  number of a rather telling look is. Elsewhere other data of the same look passes by chance, so much of it as the
  detector's `chance` says; the odds that it would pass as often as seen are bounded from above by Chernoff and
  Hoeffding (https://doi.org/10.1080/01621459.1963.10500830). Below one in a million is telling, below one in a thousand
  fair; else the values are weak, and say no more than that they do not contradict. Unless the look is fully telling, a
  tenth of the distinct values must match.
- *Share*: whether most of the distinct values match, 60 % as Purview has it.
- *Name*: whether the column's name has a phrase of the detector.

=========  ==========================  ==========================
values     most of them match          fewer match
=========  ==========================  ==========================
telling    high                        low, with the name medium
fair       medium, with the name high  low, with the name medium
weak       nothing, with name medium   nothing, with the name low
none       with the name low
=========  ==========================  ==========================

Where the same values are as good for another classification, `high` is `medium`, unless the name tells which. Deleting
matching values never raises what is found; nor does a name that says nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sovereignmesh.classification.library import Detector
    from sovereignmesh.classification.result import Confidence

__all__ = ["MOST", "Counts", "judge", "odds"]

MOST: Final = 0.6
_SOME: Final = 0.1  # of the values, where the look is common
_FEW: Final = 3
_TELLING: Final = 1e-6
_FAIR: Final = 1e-3


class Counts(NamedTuple):
    """Distinct values: all, those of the look, those that pass the test as well, and these of the first 128 rows."""

    distinct: int
    shaped: int
    passing: int
    early: int


def odds(passing: int, shaped: int, chance: float) -> float:
    """At most how likely other values pass as often, each with `chance`: 1 where that is to be expected.

    >>> f"{odds(8, 8, 0.1):.0e}", odds(1, 10, 0.1)
    ('1e-08', 1.0)
    """
    share = passing / shaped
    if share <= chance:
        return 1.0
    if chance <= 0:
        return 0.0
    divergence = share * math.log(share / chance)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / (1 - chance))
    return math.exp(-shaped * divergence)


def judge(detector: Detector, counts: Counts, *, named: bool) -> tuple[Confidence, str] | None:
    """How sure it is that the column is of what the detector looks for, and why; None where nothing says so."""
    if detector.needs_name and not named:
        return None
    if not counts.distinct:
        return ("low", "the name says so, and there are no values to test") if named else None
    if not counts.passing or counts.passing < MOST * counts.shaped:
        return None
    share = counts.passing / counts.distinct
    if detector.telling != "fully" and share < _SOME:
        return None
    by_chance = odds(counts.passing, counts.shaped, detector.chance)
    strength = _strength(detector, counts.passing, by_chance)
    if not strength and not named:
        return None
    level = strength + named if share >= MOST else min(strength, 1) + named - 1
    return _LEVELS[level], _why(detector, counts, by_chance, named=named)


def _strength(detector: Detector, passing: int, by_chance: float) -> int:
    """2 for telling, 1 for fair, 0 for weak."""
    if detector.telling:
        return 2 if detector.telling == "fully" and passing >= _FEW else 1
    return 2 if by_chance <= _TELLING else 1 if by_chance <= _FAIR else 0


_LEVELS: Final[tuple[Confidence, ...]] = ("low", "medium", "high", "high")


def _why(detector: Detector, counts: Counts, by_chance: float, *, named: bool) -> str:
    said = f"{counts.passing} of {counts.distinct} distinct values"
    if detector.telling:
        said += f" look so, as {'hardly anything' if detector.telling == 'fully' else 'little'} else does"
    elif detector.chance == 1:
        said += " may be, as may others that look so"
    elif counts.shaped > counts.passing:
        said += f" pass of {counts.shaped} that look so; of others one in {1 / detector.chance:.0f} would"
    else:
        said += f" pass, of others one in {1 / detector.chance:.0f} would"
    if 0 < by_chance < 1:
        said += f": odds below 1 in {_round(1 / by_chance)}"
    return f"{said}; the name says so" if named else said


def _round(number: float) -> str:
    return f"{number:,.0f}" if number < 1 / _TELLING else "a million"
