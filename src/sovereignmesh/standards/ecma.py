r"""Patterns in two dialects: ours, which the whole value must match, and that of JSON Schema and of the standards.

`logicalTypeOptions.pattern` "follows regular expression syntax from ECMA-262"
(https://262.ecma-international.org/5.1/#sec-15.10.1), which looks for a match anywhere in the value.
"""

from __future__ import annotations

import re
from typing import Final

from sovereignmesh.patterns import portable

__all__ = ["from_ecma", "to_ecma"]

# What both dialects read alike. ECMA knows neither flags nor \A and \z, takes [] for a class and {,3} for text.
_ALIKE: Final = re.compile(
    r"""(?: [^\\()\[\]{}] | \\[dDwWsSnrtfv] | \\[^\w\s] | \\x[0-9A-Fa-f]{2} | \((?!\?) | \(\?: | \)
    | \{[0-9]+(?:,[0-9]*)?\} | \[\^?(?!\])(?: [^\\\[\]] | \\[dDwWsSnrtfv] | \\[^\w\s] | \\x[0-9A-Fa-f]{2} )+\] )*""",
    re.VERBOSE,
)
_ENDS: Final = {"\\A": "^", "\\z": "$"}
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_FLAGS: Final = re.compile(r"\(\?[ims-]+[:)]")
_PROPERTY: Final = re.compile(r"\\[pP]")


def to_ecma(pattern: str) -> str | None:
    r"""The pattern as ECMA-262 reads it; None where that dialect cannot say it.

    >>> to_ecma(r"[A-Z]{2}\d+"), to_ecma(r"\Aa|b\z"), to_ecma("(?i)eur")
    ('^(?:[A-Z]{2}\\d+)$', '^(?:^a|b$)$', None)
    """
    text = pattern
    if not _ALIKE.fullmatch(pattern):
        tokens = _TOKEN.findall(portable(pattern))
        text = "".join(_ENDS.get(token, token) for token in tokens)
        if _FLAGS.search(text) or _PROPERTY.search(text) or not text.isascii():
            return None
    return f"^(?:{text})$"


def from_ecma(pattern: str) -> str:
    r"""Ours of a pattern that looks for a match anywhere: what may stand around the match is written out.

    Raises ValueError where our engines cannot read it, in the words of why.

    >>> from_ecma("^(?:a|b)$"), from_ecma("^[A-Z]+$"), from_ecma("@"), from_ecma("^a|b$")
    ('a|b', '[A-Z]+', '[\\s\\S]*(?:@)[\\s\\S]*', '[\\s\\S]*(?:^a|b$)[\\s\\S]*')
    """
    portable(pattern)
    tokens = _TOKEN.findall(pattern)
    starts, ends = tokens[:1] == ["^"], tokens[-1:] == ["$"]
    if _chooses(tokens):
        return f"{_AROUND}(?:{pattern}){_AROUND}"
    if not (starts and ends):
        middle = "".join(tokens[starts : len(tokens) - ends])
        return f"{'' if starts else _AROUND}(?:{middle}){'' if ends else _AROUND}"
    inner = "".join(tokens[1:-1])
    group = inner[3:-1]
    return group if inner.startswith("(?:") and inner.endswith(")") and _balanced(group) else inner


_AROUND: Final = r"[\s\S]*"


def _chooses(tokens: list[str]) -> bool:
    """Whether there is a `|` outside all groups, which ^ and $ do not reach over."""
    depth = 0
    for part in tokens:
        depth += {"(": 1, ")": -1}.get(part, 0)
        if part == "|" and not depth:
            return True
    return False


def _balanced(pattern: str) -> bool:
    """Whether it is a pattern of its own, and not the middle of two groups."""
    depth = 0
    for token in _TOKEN.findall(pattern):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            return False
    return depth == 0
