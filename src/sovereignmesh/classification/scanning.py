"""Many patterns over many texts: distinct texts, sorted by classes of characters and length, each pattern on few.

Rust's regular expressions (behind Polars) need time that is linear in the text, so no pattern can run away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from sovereignmesh.classification.outline import BEYOND, CLASSES, outline_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["Texts"]

_LONG: Final = 1 << 12  # texts at least so long are one group
# How a text begins is told by a bit more: with a digit, a letter, or else.
_STARTS: Final = {"^[0-9]": BEYOND << 1, "^[A-Za-z]": BEYOND << 2}
_FIRST: Final = {0: ~7, BEYOND << 1: 1, BEYOND << 2: 6}  # the classes of what it begins with
_OTHERS: Final = r"[\x00-\x7f&&[^0-9A-Za-z @.-]]"


class Texts:
    """Distinct texts, ready for any number of patterns; `distinct` is the series that positions count in."""

    def __init__(self, texts: pl.Series) -> None:
        import polars as pl  # noqa: PLC0415 - heavy

        self.distinct = texts.unique()
        text = pl.col("text")
        single = [text.str.contains(one, literal=True) for one in CLASSES[3:]]
        tests = [*(text.str.contains(f"[{one[0]}-{one[-1]}]") for one in CLASSES[:3]), *single]
        tests += [text.str.contains(_OTHERS), text.str.len_bytes() != text.str.len_chars()]
        assert 1 << len(tests) == BEYOND << 1, "a test for each class"
        bits = [(test.cast(pl.Int32) * (1 << at)).alias(str(at)) for at, test in enumerate(tests)]
        bits += [text.str.contains(start).cast(pl.Int32).mul(bit).alias(start) for start, bit in _STARTS.items()]
        length = text.str.len_chars().clip(upper_bound=_LONG)
        keyed = self.distinct.alias("text").to_frame().select(text, *bits, length=length)
        keyed = keyed.select("text", "length", classes=pl.sum_horizontal([bit.meta.output_name() for bit in bits]))
        keyed = keyed.with_row_index("at").sort("classes", "length")
        self._at, self._texts = keyed["at"], keyed["text"]
        self._groups: dict[int, tuple[list[int], list[int]]] = {}
        self._found: dict[str, pl.Series] = {}
        start = 0
        for classes, size, count in keyed.group_by("classes", "length", maintain_order=True).len().iter_rows():
            lengths, starts = self._groups.setdefault(classes, ([], [start]))
            start += count
            lengths.append(size)
            starts.append(start)

    def find(self, pattern: str) -> pl.Series:
        """The positions of the texts in which the pattern is found; polars' ComputeError for one that Rust refuses."""
        if pattern not in self._found:
            self._found[pattern] = self._find(pattern)
        return self._found[pattern]

    def _find(self, pattern: str) -> pl.Series:
        import polars as pl  # noqa: PLC0415 - heavy

        spans = list(self._spans(pattern))
        if not spans:
            self._texts.clear().str.contains(pattern)  # which refuses what cannot be run
            return self._at.clear()
        texts = pl.concat([self._texts.slice(start, count) for start, count in spans], rechunk=False)
        at = pl.concat([self._at.slice(start, count) for start, count in spans], rechunk=False)
        return at.filter(texts.str.contains(pattern))

    def _spans(self, pattern: str) -> Iterator[tuple[int, int]]:
        """Where in the sorted texts a match can be, and how many are there: of a set of classes a run of lengths."""
        outline = outline_of(pattern)
        for classes, (lengths, starts) in self._groups.items():
            present, begins = classes & (2 * BEYOND - 1), _FIRST[classes & ~(2 * BEYOND - 1)]
            if present & ~outline.allowed or outline.needed & ~present or (present and not outline.first & begins):
                continue
            first = starts[bisect_left(lengths, min(outline.least, _LONG))]
            end = starts[bisect_right(lengths, min(outline.most, _LONG))]
            if first < end:
                yield first, end - first
