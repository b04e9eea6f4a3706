"""The policy compiled: classification rules of the mesh as Purview's classifications, rules and rulesets."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.azure.purview import Classification, ClassificationRule
from sovereignmesh.mesh.purview_references import rule_name
from sovereignmesh.patterns import check_pattern, explain_misses, slug
from sovereignmesh.plan import Item, Key
from sovereignmesh.purview.kinds import is_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.mesh import Mesh
    from sovereignmesh.mesh.documents import ClassificationRule as RuleWish
    from sovereignmesh.mesh.purview import PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.result import Problem

__all__ = ["compile_rules", "mesh_ruleset", "pattern_problems", "policy_rules"]

_SEVERAL: Final = 60  # per cent, fixed by the service where a rule has several patterns of data


def compile_rules(mesh: Mesh) -> Iterator[Item]:
    """The classifications and rules that the policy wishes, and those that the `purview` document writes out.

    Rules of one classification that look at names alone, or at values alone, are one rule with several patterns;
    one that looks at both stands for itself, since both must match.
    """
    rules: dict[str, ClassificationRule] = {}
    places: dict[str, str] = {}
    for index, wish in enumerate(_wishes(mesh)):
        name = rule_name(wish)
        places.setdefault(name, _place(mesh.policies_document, "dataClassification", "rules", index))
        rules[name] = _joined(rules.get(name), wish, name)
    for index, written in enumerate(mesh.purview.model.classification_rules if mesh.purview else ()):
        places[written.name] = _place(mesh.purview, "classificationRules", index)
        rules[written.name] = ClassificationRule(
            written.name,
            written.classification,
            written.column_patterns,
            written.data_patterns,
            written.minimum_percentage_match,
            written.description or "",
            written.enabled,
        )
    own = {name: rule.classification for name, rule in rules.items() if not is_system(rule.classification)}
    named = {classification: (places[name], "") for name, classification in own.items()}
    for index, one in enumerate(mesh.purview.model.classifications if mesh.purview else ()):
        place = named.get(one.name, (_place(mesh.purview, "classifications", index), ""))[0]
        named[one.name] = place, one.description or ""
    for classification, (place, description) in named.items():
        yield Item("classification", classification, Classification(classification, description).body(), place=place)
    for name, rule in rules.items():
        needs = frozenset({Key("classification", own[name].casefold())} if name in own else ())
        yield Item("classification-rule", name, rule.body(), needs, places[name])


def policy_rules(mesh: Mesh) -> list[str]:
    """The names of the rules that the policy's become: every ruleset of the mesh has them."""
    return list(dict.fromkeys(map(rule_name, _wishes(mesh))))


@cache
def mesh_ruleset(kind: str) -> str:
    """The name of the ruleset that has the mesh's rules for a kind of source."""
    return slug(f"sovereignmesh-{kind}")


def pattern_problems(mesh: Mesh) -> Iterator[Problem]:
    """What .NET reads otherwise, what may run away, and which usual spellings a pattern misses; warnings all."""
    document = mesh.policies_document
    shared = Counter(map(rule_name, _wishes(mesh)))
    if mesh.purview is not None:
        yield from _written_problems(mesh.purview)
    for index, wish in enumerate(_wishes(mesh)):
        assert document is not None, "rules are of a policy"
        path = ("dataClassification", "rules", index)
        for key, pattern in (("pattern", wish.pattern), ("dataPattern", wish.data_pattern)):
            for problem in check_pattern(pattern) if pattern else ():
                yield document.problem((*path, key), problem.message, "warning")
        if wish.applies_to == "column" and (missed := explain_misses(wish.pattern)):
            yield document.problem((*path, "pattern"), missed, "warning")
        several = wish.applies_to == "data" and shared[rule_name(wish)] > 1
        if several and wish.minimum_percentage_match not in (None, _SEVERAL):
            message = f"with several patterns of data Purview takes {_SEVERAL} % whatever is given: give it a 'name'"
            yield document.problem((*path, "minimumPercentageMatch"), message, "warning")


def _written_problems(document: Loaded[PurviewAccountWish]) -> Iterator[Problem]:
    """The same of the rules that the `purview` document writes out."""
    for index, rule in enumerate(document.model.classification_rules):
        for key, patterns in (("columnPatterns", rule.column_patterns), ("dataPatterns", rule.data_patterns)):
            for at, pattern in enumerate(patterns):
                path = ("classificationRules", index, key, at)
                for problem in check_pattern(pattern):
                    yield document.problem(path, problem.message, "warning")
                if key == "columnPatterns" and (missed := explain_misses(pattern)):
                    yield document.problem(path, missed, "warning")


def _wishes(mesh: Mesh) -> tuple[RuleWish, ...]:
    classification = mesh.policies.data_classification if mesh.policies else None
    return classification.rules if classification else ()


def _joined(rule: ClassificationRule | None, wish: RuleWish, name: str) -> ClassificationRule:
    """The rule with one more of the mesh's in it."""
    columns = (wish.pattern,) if wish.applies_to == "column" else ()
    data = (wish.pattern,) if wish.applies_to == "data" else (wish.data_pattern,) if wish.data_pattern else ()
    match = wish.minimum_percentage_match
    if rule is None:
        return ClassificationRule(name, wish.classification, columns, data, match, wish.description or "")
    if len(rule.data_patterns) + len(data) > 1:
        match = None  # the service takes its own, whatever is given
    return ClassificationRule(
        name,
        rule.classification,
        (*rule.column_patterns, *columns),
        (*rule.data_patterns, *data),
        rule.minimum_percentage_match if match is None else match,
        rule.description or wish.description or "",
    )


def _place(document: Loaded[Any] | None, *path: str | int) -> str:
    return str(document.locate(*path)) if document else ""
