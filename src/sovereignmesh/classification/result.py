"""What is found in data, and what Microsoft Purview would assign: two things."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from sovereignmesh.result.notebook import table_html
from sovereignmesh.result.text import printable

__all__ = ["Classification", "ClassifiedColumn", "Confidence", "Detection", "Outcome", "Prediction", "render_text"]

Confidence = Literal["high", "medium", "low"]
Outcome = Literal["assigned", "not-assigned", "cannot-be-predicted"]


@dataclass(frozen=True, slots=True)
class Detection:
    """A classification that a column has, as this library finds it.

    `detector` is the name of a row of the library, or "" where `rule`, one of the policy's, found it. `matching` of
    `distinct` different values match; `share` is their quotient, 0 where there is no value. `confidence` is `why` in
    one word. `rivals` are other classifications that the same values fit as well. `evidence` are masked values.
    """

    classification: str
    title: str
    detector: str
    rule: str
    by: Literal["name", "values", "both"]
    confidence: Confidence
    matching: int
    distinct: int
    share: float
    why: str
    evidence: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    personal: bool = True


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a scan of Purview would do with one classification, as far as its documentation tells."""

    classification: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class ClassifiedColumn:
    """One column. `unknown` says what could not be examined, and why: then no detection does not mean nothing there."""

    name: str
    dtype: str
    values: int
    distinct: int
    detections: tuple[Detection, ...] = ()
    purview: tuple[Prediction, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether any detection says that it is about a person, or is a secret."""
        return any(one.personal for one in self.detections)

    def to_dict(self) -> dict[str, Any]:
        """The column as plain data."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "values": self.values,
            "distinct": self.distinct,
            "detections": [_plain(one) for one in self.detections],
            "purview": [_plain(one) for one in self.purview],
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class Classification:
    """The columns of data, by name. `rows` were looked at; with `sampled` there are more."""

    columns: tuple[ClassifiedColumn, ...]
    rows: int
    sampled: bool

    @property
    def suggested_excluded_fields(self) -> tuple[str, ...]:
        """The `excludedFields` of a contract that wants nothing personal or secret: a suggestion, to be reviewed.

        What could not be examined is not in it: see `not_examined`.
        """
        return tuple(one.name for one in self.columns if one.personal)

    @property
    def not_examined(self) -> tuple[str, ...]:
        """The columns of which something is unknown."""
        return tuple(one.name for one in self.columns if one.unknown)

    def column(self, name: str) -> ClassifiedColumn:
        """The column of a name; KeyError where there is none."""
        for one in self.columns:
            if one.name == name:
                return one
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """The whole as plain data, ready for JSON."""
        return {
            "rows": self.rows,
            "sampled": self.sampled,
            "columns": [one.to_dict() for one in self.columns],
            "suggested_excluded_fields": list(self.suggested_excluded_fields),
            "not_examined": list(self.not_examined),
        }

    def _repr_html_(self) -> str:
        unread = [(one.name, "; ".join(one.unknown)) for one in self.columns if one.unknown]
        return table_html(_title(self), _HEAD, _rows(self), unread=unread)


_HEAD = ("column", "classification", "found by", "confidence", "values", "evidence", "Purview")


def render_text(result: Classification) -> str:
    """The result as lines of text: a line for each detection, then what could not be examined, then the suggestion."""
    lines = [_title(result), *("  ".join(cell for cell in row if cell) for row in _rows(result))]
    lines += [f"not examined: {one.name}: {reason}" for one in result.columns for reason in one.unknown]
    excluded = ", ".join(result.suggested_excluded_fields) or "none"
    return "\n".join(map(printable, [*lines, f"suggested excludedFields: {excluded}"]))


def _title(result: Classification) -> str:
    found = sum(bool(one.detections) for one in result.columns)
    of = "the first " if result.sampled else ""
    return f"{found} of {len(result.columns)} columns classified, from {of}{result.rows:,} rows"


def _rows(result: Classification) -> list[tuple[str, ...]]:
    return [
        (
            column.name,
            one.classification,
            one.by,
            one.confidence,
            f"{one.matching} of {one.distinct}" if one.by != "name" else "",
            ", ".join(one.evidence),
            next((told.outcome for told in column.purview if told.classification == one.classification), ""),
        )
        for column in result.columns
        for one in column.detections
    ]


def _plain(one: Detection | Prediction) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(one).items()}
