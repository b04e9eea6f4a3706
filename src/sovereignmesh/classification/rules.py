"""The policy's rules, as Purview has them: a rule's patterns of names, and of values, and how many must match."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sovereignmesh.mesh import GovernancePolicies, Mesh
from sovereignmesh.mesh.purview_references import rule_name
from sovereignmesh.patterns.dialect import portable, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Rule", "name_readings", "policy_rules", "value_readings"]

_USUAL: Final = 60.0  # per cent: Purview's default, and fixed where a rule has several patterns of values


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: with patterns of both kinds, one of each must match; `minimum` is in per cent of distinct values."""

    name: str
    classification: str
    columns: tuple[str, ...]
    data: tuple[str, ...]
    minimum: float


def policy_rules(policy: Mesh | GovernancePolicies | None) -> tuple[Rule, ...]:
    """The rules of a policy, joined as Purview joins those of one name; of a mesh also those of its `purview`."""
    wishes = policy.policies if isinstance(policy, Mesh) else policy
    classification = wishes.data_classification if wishes else None
    found: dict[str, Rule] = {}
    for wish in classification.rules if classification else ():
        name = rule_name(wish)
        columns = () if wish.applies_to == "data" else (wish.pattern,)
        data = (wish.pattern,) if wish.applies_to == "data" else (wish.data_pattern,) if wish.data_pattern else ()
        before = found.get(name) or Rule(name, wish.classification, (), (), _USUAL)
        minimum = before.minimum if wish.minimum_percentage_match is None else wish.minimum_percentage_match
        found[name] = replace(before, columns=before.columns + columns, data=before.data + data, minimum=minimum)
    document = policy.purview if isinstance(policy, Mesh) else None
    for written in document.model.classification_rules if document else ():
        if written.enabled:
            minimum = written.minimum_percentage_match or _USUAL
            found[written.name] = Rule(
                written.name, written.classification, written.column_patterns, written.data_patterns, minimum
            )
    several = {name: replace(rule, minimum=_USUAL) for name, rule in found.items() if len(rule.data) > 1}
    return tuple(sorted((found | several).values(), key=lambda rule: rule.name))


def name_readings(patterns: Sequence[str]) -> dict[str, str]:
    """The patterns of names as one, in the four ways in which Purview may read them; ValueError where Rust cannot.

    Nobody documents whether a name is searched or must match as a whole, nor whether case counts
    (https://learn.microsoft.com/purview/data-map-classification-custom).
    """
    searched, full = _any(map(portable, patterns)), _any(map(whole, patterns))
    return {
        "searched, whatever the case": f"(?i:{searched})",
        "searched, with case": f"(?:{searched})",
        "as a whole, whatever the case": f"(?i:{full})",
        "as a whole, with case": f"(?:{full})",
    }


def value_readings(patterns: Sequence[str]) -> dict[str, str]:
    """The patterns of values as one, in the two ways in which Purview may read them; ValueError where Rust cannot."""
    return {
        "searched": _any(map(portable, patterns)),
        "as a whole": _any(map(whole, patterns)),
    }


def _any(patterns: Iterable[str]) -> str:
    """One pattern for any of them; the flags of each end with it."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)
