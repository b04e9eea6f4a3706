"""From matches to detections: which detectors are believed, where several fit the same values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sovereignmesh.classification.evidence import judge
from sovereignmesh.classification.library import Detector, detectors, find_detector
from sovereignmesh.classification.masking import mask
from sovereignmesh.classification.predicting import predict_system
from sovereignmesh.classification.result import Confidence, Detection, Prediction
from sovereignmesh.classification.words import phrases_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sovereignmesh.classification.evidence import Counts
    from sovereignmesh.classification.matching import ColumnMatches

__all__ = ["EVIDENCE", "decide", "look_at_names"]

EVIDENCE: Final = 3  # masked values that are shown
_RANK: Final[dict[Confidence, int]] = {"high": 2, "medium": 1, "low": 0}
_SAME: Final = 0.5  # of a detector's values: with as many of another's it speaks of the same
_MORE: Final = 1.1  # times as many values: the better explanation, since the other is refuted by what it leaves
_STRICTER: Final = 2  # times less likely to be passed by chance: what is not the stricter would not pass its test
_ALL: Final = 0.95


class _Candidate(NamedTuple):
    detector: Detector
    counts: Counts
    confidence: Confidence
    why: str
    named: int
    positions: frozenset[int]

    @property
    def order(self) -> tuple[int, bool, int, float, str]:
        better = (-_RANK[self.confidence], not self.named, -self.counts.passing)
        return (*better, self.detector.chance, self.detector.name)

    def beats(self, other: _Candidate) -> bool:
        """Whether it explains the same values better."""
        shared = len(self.positions & other.positions)
        if shared < _SAME * len(other.positions):
            return False
        if 0 < self.detector.chance * _STRICTER <= other.detector.chance and shared >= _ALL * len(other.positions):
            return True
        surer = _RANK[self.confidence] > _RANK[other.confidence] or (bool(self.named) and not other.named)
        return surer or self.counts.passing >= _MORE * other.counts.passing

    def rivals(self, other: _Candidate) -> bool:
        """Whether both are as good for the same values, and mean something else."""
        shared = len(self.positions & other.positions)
        small = min(len(self.positions), len(other.positions))
        return shared >= _SAME * small and self.detector.classification != other.detector.classification


def look_at_names(name: str) -> dict[str, int]:
    """The detectors that have a phrase of a column's name, with the length of the longest."""
    present = phrases_in(name)
    lengths = {one.name: max((len(word) for word in one.words if word in present), default=0) for one in detectors()}
    return {name: length for name, length in lengths.items() if length}


def decide(
    matches: ColumnMatches, named: Mapping[str, int], *, cut: bool
) -> tuple[tuple[Detection, ...], tuple[Prediction, ...]]:
    """What a column is, the surest first, and what Purview would make of each."""
    kept = _best(sorted(_candidates(matches, named), key=lambda one: one.order))
    kept = list({one.detector.classification: one for one in reversed(kept)}.values())[::-1]
    found = tuple(_detection(one, kept, matches) for one in sorted(kept, key=lambda one: one.order))
    told = tuple(predict_system(one.detector, one.counts, matches.early, cut=cut) for one in kept)
    return tuple(sorted(found, key=lambda one: -_RANK[one.confidence])), told


def _candidates(matches: ColumnMatches, named: Mapping[str, int]) -> Iterator[_Candidate]:
    longest = max(named.values(), default=0)
    for name in matches.accepted if matches.distinct else named:
        detector = find_detector(name)
        assert detector is not None, "names are the library's"
        length = named.get(name, 0)
        if not matches.distinct and length < longest:
            continue  # the name alone tells what its longest phrase says
        counts = matches.counts(name)
        judged = judge(detector, counts, named=bool(length))
        if judged is not None:
            yield _Candidate(detector, counts, *judged, length, matches.positions(name))


def _best(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    kept: list[_Candidate] = []
    for one in candidates:
        if not any(better.beats(one) for better in kept):
            kept.append(one)
    return kept


def _detection(one: _Candidate, kept: Sequence[_Candidate], matches: ColumnMatches) -> Detection:
    detector, counts = one.detector, one.counts
    rivals = tuple(sorted(other.detector.classification for other in kept if other is not one and one.rivals(other)))
    doubted = rivals and one.confidence == "high"  # a name that tells which has beaten them
    evidence = tuple(dict.fromkeys(map(mask, matches.some(detector.name, EVIDENCE))))
    return Detection(
        classification=detector.classification,
        title=detector.title,
        detector=detector.name,
        rule="",
        by="both" if one.named and counts.passing else "name" if one.named else "values",
        confidence="medium" if doubted else one.confidence,
        matching=counts.passing,
        distinct=counts.distinct,
        share=counts.passing / counts.distinct if counts.distinct else 0.0,
        why=f"{one.why}; as good for {', '.join(rivals)}" if rivals else one.why,
        evidence=evidence,
        rivals=rivals,
        personal=detector.personal,
    )
