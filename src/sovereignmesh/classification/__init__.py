"""What the columns of data are: personal, financial, secret; by their names and their values.

::

    classify_columns(data, policy=None, *, rows=1000) -> Classification
        data    any frame that narwhals knows: pandas, Polars (eager, lazy), PyArrow, DuckDB, Spark; or
                frames.Data, as `open_data` gives it for a file, a folder or an address
        policy  Mesh, GovernancePolicies or None: whose rules are applied beside the library
        rows    how many of the first rows are read
        raises  FrameError: no frame, two columns of one name, the extra `frames` is not installed

    Classification    .columns (by name)  .rows  .sampled  .suggested_excluded_fields  .not_examined
                      .column(name)    .title  .table  .to_dict()  ._repr_html_()
    ClassifiedColumn  .name  .dtype  .values  .distinct  .detections (of the policy, then the surest)
                      .purview (Predictions)  .unknown (reasons)  .personal
    Detection         .classification  .title  .detector  .rule  .by ("name" | "values" | "both")
                      .confidence ("high" | "medium" | "low")  .matching  .distinct  .share  .why
                      .evidence (masked)  .rivals  .personal
    Prediction        .classification  .outcome ("assigned" | "not-assigned" | "cannot-be-predicted")  .reason
    detectors() -> tuple[Detector, ...]

Classifications are named as Purview's system classifications, `MICROSOFT...`, where it has one; else `Personal.`,
`Financial.`, `Business.` or `Secret.`, then the country or the matter, then the identifier. What Purview would assign
is told apart from what is found: three e-mail addresses are found, and Purview wants eight values.
`evidence` says how sure a detection is, `predicting` what is known of Purview's scan, and what is assumed.
"""

from __future__ import annotations

from sovereignmesh.classification.classify import classify_columns
from sovereignmesh.classification.library import Detector, detectors
from sovereignmesh.classification.result import (
    Classification,
    ClassifiedColumn,
    Detection,
    Prediction,
)

__all__ = [
    "Classification",
    "ClassifiedColumn",
    "Detection",
    "Detector",
    "Prediction",
    "classify_columns",
    "detectors",
]
