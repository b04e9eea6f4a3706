r"""One pattern that RE2, Rust's regex and Java read alike: what differs between them is written out.

Polars runs Rust's regex (https://docs.rs/regex/latest/regex/#syntax), DuckDB runs RE2
(https://github.com/google/re2/wiki/Syntax), Spark runs Java's
(https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html). Classes as `\d` are of
ASCII, as RE2 has them; `$` is the end of the text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sovereignmesh.patterns.check import check_pattern

__all__ = ["portable", "whole"]

_CLASSES: Final = {"d": "0-9", "w": "0-9A-Z_a-z", "s": "\\t\\n\\f\\r "}
_REST: Final = {  # the complement, for where brackets cannot be put around
    "D": "\\x00-/:-\U0010ffff",
    "W": "\\x00-/:-@\\[-\\^`{-\U0010ffff",
    "S": "\\x00-\\x08\\x0b\\x0e-\\x1f!-\U0010ffff",
}
_CONTROLS: Final = {"a": "\\x07", "e": "\\x1b", "v": "\\x0b", "f": "\\f", "n": "\\n", "r": "\\r", "t": "\\t"}
_META: Final = frozenset("\\.+*?()|[]{}^$")
_SET_META: Final = frozenset("\\[]^-&~|")
_TOKEN: Final = re.compile(
    r"""\\x(?P<hex>[0-9A-Fa-f]{2})|\\(?P<octal>0[0-7]{0,2}|[1-7][0-7]{1,2})|(?P<property>\\[pP]\{[^}]*\})|\\(?P<escaped>.)
    |(?P<group>\(\?<[A-Za-z_]\w*>)|(?P<flags>\(\?[a-z-]+[:)])|(?P<repeat>\{[0-9]+(?:,[0-9]*)?\})|(?P<posix>\[:\^?[a-z]+:\])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@lru_cache(maxsize=1024)
def portable(pattern: str) -> str:
    r"""The pattern in the words that all three engines read alike. Raises ValueError where it has none.

    >>> portable(r"^\d+$"), portable(r"[\w.-]+"), portable("(?<a>x)|[^\\D]")
    ('^[0-9]+\\z', '[0-9A-Z_a-z.\\-]+', '(?:x)|[^\\x00-/:-\U0010ffff]')
    """
    problem = next((problem for problem in check_pattern(pattern) if problem.severity == "error"), None)
    if problem is not None:
        raise ValueError(problem.message)
    written: list[str] = []
    inside = False
    at = 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        assert found is not None, "any character is a token"
        at = found.end()
        if not inside and found["other"] == "[":
            negated = pattern.startswith("^", at)
            at += negated
            written.append("[^" if negated else "[")
            inside = True
            if pattern.startswith("]", at):  # the first is a member
                written.append("\\]")
                at += 1
            continue
        if inside and found["other"] == "]":
            written.append("]")
            inside = False
            continue
        written.append(_member(found, pattern, at) if inside else _outside(found))
    return "".join(written)


def whole(pattern: str) -> str:
    r"""The same as one that the whole value must match.

    >>> whole("a|b")
    '\\A(?:a|b)\\z'
    """
    return f"\\A(?:{portable(pattern)})\\z"


def _outside(found: re.Match[str]) -> str:
    letter = found["escaped"]
    if letter in ("b", "B"):
        raise ValueError(f"\\{letter} goes by letters of Unicode or of ASCII: write what may stand there")
    if letter is not None:
        return _escaped(letter)
    if found["flags"] and "m" in found["flags"]:
        raise ValueError(f"{found[0]}: what begins and ends a line is not the same everywhere: leave m out")
    if found["other"] == "$":
        return "\\z"
    if found["other"] in ("{", "}"):
        return f"\\{found[0]}"
    return "(?:" if found["group"] else _shared(found) or found[0]


def _escaped(letter: str) -> str:
    if letter in _CLASSES:
        return f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES:
        return f"[^{_CLASSES[letter.lower()]}]"
    return f"\\{letter}" if letter in _META or letter in "Az" else _CONTROLS.get(letter, letter)


def _member(found: re.Match[str], pattern: str, at: int) -> str:
    """A member of a class. Rust and Java know classes in classes and operators on them: RE2 does not."""
    if found["posix"]:
        raise ValueError(f"{found['posix']} is a class in RE2 alone: write its characters, as in a-zA-Z")
    if (text := _shared(found)) is not None:
        return text
    letter = found["escaped"]
    if letter is not None and (letter in _CLASSES or letter in _REST):
        return _CLASSES.get(letter) or _REST[letter]
    if letter is not None and letter in _CONTROLS:
        return _CONTROLS[letter]
    one = letter or found[0][0]
    rest = found[0][1:] if letter is None else ""
    if one == "-" and letter is None:
        is_range = at < len(pattern) and pattern[at] != "]" and pattern[at - 2] != "["
        is_range = is_range and not re.search(r"\\[dwsDWS]$", pattern[: at - 1])
        return "-" if is_range and not pattern[:at].endswith(("[-", "[^-")) else "\\-"
    return (f"\\{one}" if one in _SET_META else one) + "".join(f"\\{c}" if c in _SET_META else c for c in rest)


def _shared(found: re.Match[str]) -> str | None:
    if found["hex"]:
        return f"\\x{found['hex']}"
    if found["octal"]:
        return f"\\x{int(found['octal'], 8) & 0xFF:02x}"
    return found["property"]
