"""What a scan of Microsoft Purview would assign, as far as its documentation tells.

A scan reads the first 128 rows of a table or a structured file, or 1 MB
(https://learn.microsoft.com/purview/data-map-classification). A system classification wants at least 8 distinct values
and 60 % of them to match (https://learn.microsoft.com/purview/data-map-classification-supported-list). A custom rule
wants its patterns of the name and of the values, if it has both, and its own share, 60 % if it gives none
(https://learn.microsoft.com/purview/data-map-classification-custom).

Assumed, since no page says it: that the detectors' patterns are those of the system's rules, which are documented in
words; that a system rule wants no keyword; that blanks around a value do not count; that a custom rule has no least
number of distinct values. Where a pattern of a rule may be read in several ways, all are tried. The limit of 1 MB is
not counted: with long values a scan may see fewer rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sovereignmesh.classification.evidence import MOST
from sovereignmesh.classification.result import Outcome, Prediction
from sovereignmesh.classification.sampling import PURVIEW_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.classification.evidence import Counts
    from sovereignmesh.classification.library import Detector
    from sovereignmesh.classification.rules import Rule

__all__ = ["predict_rule", "predict_system"]

_FEWEST: Final = 8
_MODELS: Final = {
    "bloom-filter": "a Bloom filter of its own decides, which nobody can ask here",
    "machine-learning": "a model of its own decides, which nobody can ask here",
    "undocumented": "how Purview finds it is not documented",
}
_CUT = f"fewer than the {PURVIEW_ROWS} rows that a scan reads were looked at: take more"


def predict_system(detector: Detector, counts: Counts, early: int, *, cut: bool) -> Prediction:
    """Whether a scan assigns the detector's classification to a column with `early` distinct values in its sample."""
    outcome, reason = _system(detector, counts, early, cut=cut)
    return Prediction(detector.classification, outcome, reason)


def _system(detector: Detector, counts: Counts, early: int, *, cut: bool) -> tuple[Outcome, str]:
    matching = f"{counts.early} of {early} distinct values in the first {PURVIEW_ROWS} rows match"
    assumed = "assumed: its pattern is as documented, and it wants no keyword in the column's name"
    wide = f"{matching} a format that much else has; how Purview weighs its keywords is not documented"
    few = f"{early} distinct values in the first {PURVIEW_ROWS} rows, and Purview wants at least {_FEWEST}"
    rows: tuple[tuple[bool, Outcome, str], ...] = (  # the first that holds
        (detector.means == "none", "not-assigned", "Purview has no such classification: only a custom rule assigns it"),
        (cut, "cannot-be-predicted", _CUT),
        (early < _FEWEST, "not-assigned", few),
        (detector.means in _MODELS, "cannot-be-predicted", _MODELS.get(detector.means, "")),
        (counts.early < MOST * early, "not-assigned", f"{matching}, and Purview wants {MOST:.0%}"),
        (detector.needs_name, "cannot-be-predicted", wide),
        (True, "assigned", f"{matching}; {assumed}"),
    )
    return next((outcome, reason) for holds, outcome, reason in rows if holds)


def predict_rule(
    rule: Rule, names: Mapping[str, bool], matching: Mapping[str, int], early: int, *, cut: bool
) -> Prediction:
    """Whether a scan assigns a rule's classification: for each reading, whether the name matches and how many values.

    `names` is empty for a rule without patterns of names, `matching` for one without patterns of values.
    """
    outcome, reason = _custom(rule, names, matching, early, cut=cut)
    return Prediction(rule.classification, outcome, reason)


def _custom(
    rule: Rule, names: Mapping[str, bool], matching: Mapping[str, int], early: int, *, cut: bool
) -> tuple[Outcome, str]:
    enough = {reading: 100 * count >= rule.minimum * early for reading, count in matching.items()}
    most, least = max(matching.values(), default=0), min(matching.values(), default=0)
    values = f"{{}} of {early} distinct values in the first {PURVIEW_ROWS} rows match: {rule.minimum:g} % must"
    doubts = [
        f"{what} only if {' or '.join(reading for reading, holds in readings.items() if holds)}"
        for what, readings in (("the name matches", names), ("enough values match", enough))
        if not all(readings.values())
    ]
    met = ["the name matches in every reading of the rule"] if names else []
    met += [values.format(least)] if matching else []
    rows: tuple[tuple[bool, Outcome, str], ...] = (  # the first that holds
        (not any(names.values()) and bool(names), "not-assigned", "the name matches the rule in no reading of it"),
        (
            not early and bool(matching),
            "not-assigned",
            f"no values in the first {PURVIEW_ROWS} rows, and the rule wants some",
        ),
        (cut and bool(matching), "cannot-be-predicted", _CUT),
        (not any(enough.values()) and bool(matching), "not-assigned", values.format(most)),
        (bool(doubts), "cannot-be-predicted", f"{', and '.join(doubts)}: how Purview reads patterns is not documented"),
        (True, "assigned", ", and ".join(met)),
    )
    return next((outcome, reason) for holds, outcome, reason in rows if holds)
