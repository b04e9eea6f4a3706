"""Finds what the columns of data are, by their names and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.classification.deciding import decide, look_at_names
from sovereignmesh.classification.library import detectors
from sovereignmesh.classification.matching import match_detectors
from sovereignmesh.classification.policing import apply_rules
from sovereignmesh.classification.result import Classification, ClassifiedColumn
from sovereignmesh.classification.rules import policy_rules
from sovereignmesh.classification.sampling import PURVIEW_ROWS, take_sample
from sovereignmesh.classification.tables import Values

if TYPE_CHECKING:
    from sovereignmesh.mesh import GovernancePolicies, Mesh

__all__ = ["classify_columns"]

_ROWS: Final = 1000


def classify_columns(
    data: Any, policy: Mesh | GovernancePolicies | None = None, *, rows: int = _ROWS
) -> Classification:
    """What each column of a frame is: what this library finds, and what Microsoft Purview's scan would assign.

    `data` is any frame that narwhals knows (of pandas, Polars, also lazy, PyArrow, DuckDB, Spark), or what
    `frames.open_data` gives for a file or an address. Its first `rows` are read, by the engine that it belongs to;
    without an order of its own (DuckDB, Spark) they may be others each time. The rules of `policy` are applied beside
    the library of detectors. Values are nowhere in the result, except masked.

    Raises FrameError for what is no frame, for two columns of one name, and where the extra `frames` is not installed;
    a column that cannot be read is in the result with the reason, in `unknown`.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"id": [1, 2, 3], "contact": ["ada@contoso.com", "bob@contoso.com", "eve@contoso.eu"]})
    >>> found = classify_columns(frame).column("contact")
    >>> found.detections[0].classification, found.detections[0].confidence, found.detections[0].evidence
    ('MICROSOFT.PERSONAL.EMAIL', 'high', ('a***@***.com', 'b***@***.com', 'e***@***.eu'))
    >>> found.purview[0].outcome, found.purview[0].reason
    ('not-assigned', '3 distinct values in the first 128 rows, and Purview wants at least 8')
    """
    if rows < 1:
        raise ValueError(f"rows is {rows}, wants at least 1")
    rules = policy_rules(policy)
    sample = take_sample(data, rows)
    cut = sample.more and sample.rows < PURVIEW_ROWS
    values = Values(sample.columns)
    named = [look_at_names(column.name) for column in sample.columns]
    matches = match_detectors(values, detectors(), named)
    own = apply_rules(values, rules, [column.name for column in sample.columns], cut=cut)
    columns = []
    for at, column in enumerate(sample.columns):
        found, predicted = decide(matches[at], named[at], cut=cut)
        ruled = own[at]
        unknown = (*filter(None, [column.reason]), *ruled.unknown)
        columns.append(
            ClassifiedColumn(
                column.name,
                column.dtype,
                column.values,
                values.distinct[at],
                (*ruled.detections, *found),
                tuple(sorted((*ruled.predictions, *predicted), key=lambda told: (told.classification, told.reason))),
                unknown,
            )
        )
    return Classification(tuple(columns), sample.rows, sample.more)
