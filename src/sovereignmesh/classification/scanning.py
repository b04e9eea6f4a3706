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
# How a text begins is told by a bit more: with a digit, a letter, or else; and which classes these are.
_DIGIT, _LETTER = BEYOND << 1, BEYOND << 2
_FIRST: Final = {0: ~3, _DIGIT: 1, _LETTER: 2}
_OTHERS: Final = r"[\x00-\x7f&&[^0-9A-Za-z @-]]"


class Texts:
    """Distinct texts, ready for any number of patterns; `distinct` is the series that positions count in."""

    def __init__(self, texts: pl.Series) -> None:
        import polars as pl  # noqa: PLC0415 - heavy

        self.distinct = texts.unique()
        text = pl.col("text")
        tests = [text.str.contains("[0-9]"), text.str.contains("[A-Za-z]")]
        tests += [text.str.contains(one, literal=True) for one in CLASSES[2:]]
        tests += [text.str.contains(_OTHERS), text.str.len_bytes() != text.str.len_chars()]
        assert 1 << len(tests) == BEYOND << 1, "a test for each class"
        bits = [test.cast(pl.Int32) * (1 << at) for at, test in enumerate(tests)]
        letter = ((text >= "A") & (text < "[")) | ((text >= "a") & (text < "{"))  # "[" follows "Z", "{" follows "z"
        bits += [((text >= "0") & (text < ":")).cast(pl.Int32) * _DIGIT, letter.cast(pl.Int32) * _LETTER]
        length = text.str.len_chars().clip(upper_bound=_LONG)
        keyed = self.distinct.alias("text").to_frame().select(text, length=length, classes=pl.sum_horizontal(bits))
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

        spans = list(self._spans(pattern)) or [(0, 0)]  # of no texts, what cannot be run is refused as well
        texts, at = ([one.slice(*span) for span in spans] for one in (self._texts, self._at))
        if len(spans) == 1:
            return at[0].filter(texts[0].str.contains(pattern))
        return pl.concat(at, rechunk=False).filter(pl.concat(texts, rechunk=False).str.contains(pattern))

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
