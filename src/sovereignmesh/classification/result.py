"""What is found in data, and what Microsoft Purview would assign: two things."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from sovereignmesh.result.notebook import table_html

__all__ = ["NO_VALUES", "Classification", "ClassifiedColumn", "Confidence", "Detection", "Outcome", "Prediction"]

NO_VALUES: Final = "no values"
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
    def examined(self) -> bool:
        """Whether nothing is unknown; where no value is there, the name is all that there is to look at."""
        return not self.unknown or self.unknown == (NO_VALUES,)

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


@dataclass(frozen=True, slots=True, repr=False)
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
        """The columns of which something is unknown that there is."""
        return tuple(one.name for one in self.columns if not one.examined)

    @property
    def extent(self) -> str:
        """How many rows were looked at, in words."""
        return f"{'the first ' if self.sampled else ''}{self.rows:,} row{'s' * (self.rows != 1)}"

    @property
    def title(self) -> str:
        """How many columns are classified, in words."""
        found = sum(bool(one.detections) for one in self.columns)
        return f"{found} of {len(self.columns)} columns classified, from {self.extent}"

    @property
    def table(self) -> list[tuple[str, ...]]:
        """A row for each detection, for a person: column, classification, how, how sure, values, masked, Purview's."""
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
            for column in self.columns
            for one in column.detections
        ]

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

    def __repr__(self) -> str:
        return f"<Classification: {self.title}>"

    def _repr_html_(self) -> str:
        notes = [f"suggested excludedFields: {', '.join(self.suggested_excluded_fields) or 'none'}"]
        unread = [(one.name, "; ".join(one.unknown)) for one in self.columns if not one.examined]
        return table_html(self.title, _HEAD, self.table, notes=notes, unread=unread)


_HEAD = ("column", "classification", "found by", "confidence", "values", "evidence", "Purview")


def _plain(one: Detection | Prediction) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(one).items()}
