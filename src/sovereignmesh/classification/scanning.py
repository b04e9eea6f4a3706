"""Many patterns over many texts at once: distinct texts, sorted by kind and length, and each pattern on few of them.

Rust's regular expressions (behind Polars) need time that is linear in the text, so no pattern can run away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sovereignmesh.classification.outline import KINDS, outline_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["Texts"]

_LONG: Final = 1 << 12  # texts at least so long are one group


class Texts:
    """Distinct texts, ready for any number of patterns; `distinct` is the series that positions count in."""

    def __init__(self, texts: pl.Series) -> None:
        import polars as pl  # noqa: PLC0415 - heavy

        self.distinct = texts.unique(maintain_order=True)
        text = pl.col("text")
        kind = (
            pl.when(text.str.contains("^[0-9]+$"))
            .then(0)
            .when(text.str.contains("^[0-9A-Za-z]+$"))
            .then(1)
            .when(text.str.contains("@", literal=True))
            .then(2)
            .otherwise(3)
        )
        length = text.str.len_chars().clip(upper_bound=_LONG)
        keyed = self.distinct.alias("text").to_frame().select(text, key=kind.cast(pl.Int32) * (_LONG + 1) + length)
        order = keyed["key"].arg_sort()
        self._order = order
        self._sorted = keyed["text"].gather(order)
        self._keys = keyed["key"].gather(order)

    def find(self, pattern: str) -> pl.Series:
        """The positions of the texts in which the pattern is found; polars' ComputeError for one that Rust refuses."""
        import polars as pl  # noqa: PLC0415 - heavy

        found = [
            self._order.slice(start, end - start).filter(self._sorted.slice(start, end - start).str.contains(pattern))
            for start, end in self._spans(pattern)
        ]
        return pl.concat(found) if found else self._order.clear()

    def _spans(self, pattern: str) -> Iterator[tuple[int, int]]:
        """Where in the sorted texts a match can be: for each kind, a run of lengths."""
        outline = outline_of(pattern)
        if len(outline.kinds) == len(KINDS) and not outline.least and outline.most >= _LONG:
            yield 0, len(self._sorted)
            return
        for kind in outline.kinds:
            first = kind * (_LONG + 1)
            lowest, highest = first + min(outline.least, _LONG), first + min(outline.most, _LONG)
            start = self._keys.search_sorted(lowest, side="left")
            end = self._keys.search_sorted(highest, side="right")
            if start < end:
                yield start, end
