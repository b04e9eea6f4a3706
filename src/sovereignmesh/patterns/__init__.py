"""Regular expressions that two engines read: a rule's pattern is written once and must mean the same in both.

Purview runs the patterns of a custom classification rule on column names and values
(https://learn.microsoft.com/purview/data-map-classification-custom) as .NET regular expressions
(https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference); here they run on
RE2 (https://github.com/google/re2/wiki/Syntax). `slug` makes the name of such a rule.
"""

from __future__ import annotations

from sovereignmesh.patterns.ambiguity import runs_away
from sovereignmesh.patterns.check import check_pattern
from sovereignmesh.patterns.dialect import portable, whole
from sovereignmesh.patterns.names import better_spelling, explain_misses, missed_spellings, slug
from sovereignmesh.patterns.reading import PatternProblem
from sovereignmesh.patterns.similar import resembles

__all__ = [
    "PatternProblem",
    "better_spelling",
    "check_pattern",
    "explain_misses",
    "missed_spellings",
    "portable",
    "resembles",
    "runs_away",
    "slug",
    "whole",
]
