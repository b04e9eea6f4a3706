"""What is wrong or risky with a pattern, all at once."""

from __future__ import annotations

from sovereignmesh.patterns.ambiguity import TOO_LARGE, find_ambiguity
from sovereignmesh.patterns.reading import PatternProblem, Reader
from sovereignmesh.result.text import printable

__all__ = ["check_pattern"]


def check_pattern(pattern: str) -> list[PatternProblem]:
    r"""Everything that makes the pattern unusable in .NET or RE2 (errors) or risky (warnings), by position.

    A warning is for what the two read differently, and for what may run away in .NET, which tries all ways. What is
    wrong in several places the same way is told once.

    >>> for problem in check_pattern(r"(?P<area>\d{3})-\d+"):
    ...     print(problem.position, problem.severity, problem.message)
    0 error .NET refuses (?P<area>: write (?<name>...) or (?:...)
    9 warning .NET reads \d over all of Unicode, RE2 over ASCII: write [0-9] or [^0-9]
    >>> check_pattern("[0-9]{3}-[0-9]{2}-[0-9]{4}")
    []
    """
    reader = Reader(pattern)
    problems = [*reader.problems.values()]
    span = find_ambiguity(reader.root)
    if span == TOO_LARGE:
        words = "the pattern is too large to tell whether it runs away: divide it"
        problems.append(PatternProblem(words, 0, "warning"))
    elif span is not None:
        start, end = span
        part = printable(pattern[start:end][:60])
        words = f"{part} matches one text in many ways, and on a long value .NET may try all: let one way be left"
        problems.append(PatternProblem(words, start, "warning"))
    return sorted(problems, key=lambda problem: problem.position)
