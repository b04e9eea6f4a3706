"""The values of all columns in one table: each distinct text once, and which columns have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sovereignmesh.classification.sampling import PURVIEW_ROWS
from sovereignmesh.classification.scanning import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from sovereignmesh.classification.sampling import SampledColumn

__all__ = ["Values"]


class Values:
    """`table` has a row for each distinct value of a column: `column`, the text's position `at`, and whether `early`.

    `draw` is a number by which a part of them is drawn, the same in every run. `texts` are those texts; `distinct` and
    `early` count them by column, early ones being among Purview's first rows.
    """

    def __init__(self, columns: Sequence[SampledColumn]) -> None:
        import polars as pl  # noqa: PLC0415 - heavy

        parts = [
            one.texts.select(column=pl.lit(at, pl.UInt32), text=pl.col("text"), early=pl.col("first") < PURVIEW_ROWS)
            for at, one in enumerate(columns)
            if one.texts is not None
        ]
        empty = pl.DataFrame(schema={"column": pl.UInt32, "text": pl.String, "early": pl.Boolean})
        whole = pl.concat([empty, *parts])
        self.texts = Texts(whole["text"])
        places = self.texts.distinct.alias("text").to_frame().with_row_index("at")
        self.table = whole.join(places, on="text").select("column", "at", "early", draw=pl.col("text").hash(seed=0))
        counts = self.table.group_by("column").agg(pl.len().alias("distinct"), pl.col("early").sum())
        known = {column: (distinct, early) for column, distinct, early in counts.iter_rows()}
        self.distinct = [known.get(at, (0, 0))[0] for at in range(len(columns))]
        self.early = [known.get(at, (0, 0))[1] for at in range(len(columns))]

    def text(self, at: pl.Series) -> list[str]:
        """The texts at these positions."""
        return list(self.texts.distinct.gather(at))
