"""Measurements of looking for many patterns in many short texts, against Python's `re` in the same run.

Ours is from a column as it comes, duplicates and all, to the positions of all that is found; `re` has its patterns
compiled before, looks at a part of the texts, and is taken in proportion. What both find is compared. The ratio is of
the processor's time on all cores, which a busy machine changes little; where cores are free, the wall's is larger.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl

FACTOR = 20
RULES: Final = 200
TEXTS: Final = 1_000_000
REPEATED: Final = 20_000  # distinct texts of the repeated data
SUBSET: Final = 4_000  # texts that `re` looks at; its time is in proportion to them
SEED: Final = 20261130


class Taken(NamedTuple):
    """Seconds: the processor's on all cores, and the wall's."""

    busy: float
    wall: float

    @classmethod
    def now(cls) -> Taken:
        return cls(time.process_time(), time.perf_counter())

    def __sub__(self, other: Taken) -> Taken:
        return Taken(self.busy - other.busy, self.wall - other.wall)


def rules() -> list[str]:
    """The detectors' patterns, then variants: other letters in front, other lengths, until there are enough."""
    from sovereignmesh.classification import detectors  # noqa: PLC0415 - imported on first use, as below
    from sovereignmesh.patterns import check_pattern  # noqa: PLC0415

    found = [one.pattern for one in detectors()]
    digits = ("{8}", "{9}", "{10}", "{11}", "{12}")
    variants = (
        f"^{letters}-?[0-9]{count}[A-Z]?$" for letters in ("[A-Z]{2}", "EMP", "CUST", "K", "P[0-9]") for count in digits
    )
    more = (
        f"^(?:{prefix})[-_/][A-Z0-9]{count}$"
        for prefix in ("INV|ORD", "TKT", "MED|PAT", "ACC", "REF")
        for count in digits
    )
    found += [*variants, *more]
    assert len(found) >= RULES
    assert not any(problem.severity == "error" for pattern in found for problem in check_pattern(pattern))
    return found[:RULES]


def made() -> Iterator[str]:
    """Short texts as columns have them: of ten kinds, as many of each."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word(least: int = 3, most: int = 9) -> str:
        return "".join(rng.choices(letters, k=rng.randint(least, most)))

    kinds: tuple[Callable[[], str], ...] = (
        lambda: str(rng.randrange(10**5, 10**12)),
        lambda: f"{word()}.{word()}@{word()}.com",
        lambda: f"{word().capitalize()} {word().capitalize()}",
        lambda: f"20{rng.randrange(10, 27)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02} {rng.randrange(86400)}",
        lambda: f"{rng.randrange(10**6)}.{rng.randrange(100):02}",
        lambda: f"DE{rng.randrange(10**20):020}",
        lambda: f"+49 {rng.randrange(30, 999)} {rng.randrange(10**5, 10**8)}",
        lambda: f"ORD-{rng.randrange(10**7)}",
        lambda: f"{word().capitalize()} {rng.randrange(200)}, {rng.randrange(10**5):05} {word().capitalize()}",
        lambda: f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}",
    )
    while True:
        for kind in kinds:
            yield kind()


def of_python(texts: list[str], patterns: list[str]) -> tuple[Taken, list[int]]:
    """The seconds of `re` alone, patterns compiled before, and how many texts each is found in."""
    letters = {r"[\p{L}\p{N}": r"[\w", r"\p{L}": r"\w", r"\p{M}": "", r"\p{N}": ""}  # which `re` does not know
    for theirs, ours in letters.items():
        patterns = [pattern.replace(theirs, ours) for pattern in patterns]
    searches = [re.compile(pattern).search for pattern in patterns]
    started = Taken.now()
    found = [sum(1 for text in texts if search(text)) for search in searches]
    return Taken.now() - started, found


def of_ours(series: pl.Series, patterns: list[str]) -> tuple[Taken, list[int]]:
    """The seconds from the texts as they come to the positions of all that is found, and how many that are."""
    from sovereignmesh.classification.scanning import Texts  # noqa: PLC0415

    started = Taken.now()
    texts = Texts(series)
    found = [len(texts.find(pattern)) for pattern in patterns]
    return Taken.now() - started, found


def classify(*, quick: bool) -> bool:
    import polars as pl  # noqa: PLC0415

    from sovereignmesh.patterns.dialect import portable  # noqa: PLC0415

    count, runs = (TEXTS // 5, 1) if quick else (TEXTS, 3)
    patterns = rules()
    source = made()
    mostly = [next(source) for _ in range(count)]
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    few = mostly[: REPEATED * count // TEXTS]
    held = []
    for title, texts in (("mostly distinct", mostly), ("repeated", rng.choices(few, k=count))):
        series = pl.Series(texts)
        subset = texts[:SUBSET]
        _, expected = of_python(sorted(set(subset)), patterns)
        _, same = of_ours(pl.Series(subset), [portable(pattern) for pattern in patterns])
        differing = [
            pattern
            for pattern, one, other in zip(patterns, expected, same, strict=True)
            if one != other and r"\p{" not in pattern
        ]
        assert not differing, f"finds otherwise than `re`: {differing[:3]}"
        pairs = [(of_ours(series, patterns)[0], of_python(subset, patterns)[0]) for _ in range(runs)]
        scale = count / SUBSET
        ratio = statistics.median(theirs.busy * scale / ours.busy for ours, theirs in pairs)
        on_the_wall = statistics.median(theirs.wall * scale / ours.wall for ours, theirs in pairs)
        busy, wall = (statistics.median(ours[at] for ours, _ in pairs) for at in (0, 1))
        theirs = statistics.median(theirs.busy for _, theirs in pairs) * scale
        held.append(ratio >= FACTOR)
        print(
            f"{len(patterns)} rules over {count:,} texts, {title} ({series.n_unique():,} distinct): {busy:.2f} s busy "
            f"({wall:.2f} s on the wall, {count / wall / 1e6:.2f} M texts a second); Python's re {theirs:.1f} s busy "
            f"(scaled from {SUBSET:,} of them); {ratio:.1f} times as fast ({on_the_wall:.1f} on the wall), "
            f"{'held' if held[-1] else 'NOT HELD'}: at least {FACTOR}",
            flush=True,
        )
    return all(held)
