"""Patterns for names of columns, and names that Purview takes.

Nobody documents whether Purview searches a column's name for a pattern or wants the whole name to match, nor whether
case counts. The one example, `Employee_ID|EmployeeID`, says neither
(https://learn.microsoft.com/purview/data-map-classification-custom). So all four readings are asked.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

from sovereignmesh.patterns.reading import FOLDED

__all__ = ["better_spelling", "explain_misses", "missed_spellings", "slug"]

_LONGEST: Final = 2000
_SEPARATOR: Final = re.compile(r"\\?[ _-]|\[[ _-]{1,4}\]\??|[ _-]\?")
_WORD: Final = re.compile(r"[^\W_]+")
# Around the words may stand what reads them more widely; an anchor says that the names are meant as they are.
_AROUND: Final = re.compile(r"(?:\(\?i\))?(?:\.\*)?(?:\((?:\?:)?(?P<group>[^()]*)\)|(?P<bare>[^()]*?))(?:\.\*)?")
# What often follows a word in the name of a column.
_TAILS: Final = {
    "account": "number",
    "card": "number",
    "email": "address",
    "ip": "address",
    "mail": "address",
    "passport": "number",
    "phone": "number",
    "security": "no",
}
_READINGS: Final = ("whatever the reading", "where case counts", "where the whole name must match")
_SHORTEST_NAME: Final = 3
_LONGEST_NAME: Final = 63


def missed_spellings(pattern: str) -> tuple[str, ...]:
    """Common names of columns that a pattern of plain words means and would miss, the surest misses first.

    A miss is one in any of the four readings: search or full match, with case or without. Empty for a pattern that is
    more than words and `|`: what that means is not guessed.

    >>> missed_spellings("SSN|Social Security")[:3]
    ('social_security_no', 'SocialSecurity', 'socialsecurity')
    >>> missed_spellings("^SSN$"), missed_spellings("(?i).*SSN.*")
    ((), ())
    """
    return tuple(name for name, _ in _misses(pattern))


def better_spelling(pattern: str) -> str:
    """A pattern for .NET and RE2 that misses none of them, whatever the reading; "" where nothing is missed.

    >>> better_spelling("SSN|Social Security"), better_spelling("email")
    ('(?i).*(?:SSN|Social[ _-]?Security).*', '(?i).*email.*')
    """
    return _better(_words(pattern)) if _misses(pattern) else ""


def explain_misses(pattern: str) -> str:
    r"""What is missed under which reading, and the better spelling, as the end of a sentence; "" for nothing.

    >>> print(*explain_misses("SSN|Social Security").split("; "), sep="\n")
    misses social_security_no, whatever the reading, and ssn where case counts
    better: (?i).*(?:SSN|Social[ _-]?Security).*
    """
    examples: dict[int, str] = {}
    for name, reading in _misses(pattern):
        examples.setdefault(reading, name)
    if not examples:
        return ""
    said = [f"{name}{',' if reading == 0 else ''} {_READINGS[reading]}" for reading, name in examples.items()]
    joined = (", and " if 0 in examples else " and ").join([", ".join(said[:-1]), said[-1]] if said[1:] else said)
    return f"misses {joined}; better: {better_spelling(pattern)}"


def slug(name: str) -> str:
    """The name as Purview takes it for rules, rule sets, sources and scans: 3 to 63 ASCII letters, digits and single -.

    Accents are dropped, everything else becomes -. A name that is too short gets `-x`; one that is too long is cut, and
    ends with a hash of the whole; one with nothing to keep is `x-` and such a hash. A name that fits stays as it is,
    and two names may give the same one.

    >>> slug("PII.HighRisk"), slug("Größe (cm)"), slug("db"), slug("名前")
    ('PII-HighRisk', 'Gro-e-cm', 'db-x', 'x-7ec26292')
    """
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    kept = re.sub("[^A-Za-z0-9]+", "-", plain).strip("-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    if not kept:
        return f"x-{digest}"
    if len(kept) > _LONGEST_NAME:
        return f"{kept[: _LONGEST_NAME - 9].rstrip('-')}-{digest}"
    return kept if len(kept) >= _SHORTEST_NAME else f"{kept}-x"


def _words(pattern: str) -> list[list[str]]:
    """The alternatives of a pattern of plain words, each as the words between its separators; else empty."""
    around = _AROUND.fullmatch(pattern) if len(pattern) <= _LONGEST else None
    if around is None or FOLDED.intersection(pattern):
        return []
    body = around["bare"] if around["group"] is None else around["group"]
    alternatives = [_SEPARATOR.split(alternative) for alternative in body.split("|")]
    return alternatives if all(_WORD.fullmatch(word) for words in alternatives for word in words) else []


def _better(alternatives: list[list[str]]) -> str:
    joined = "|".join(dict.fromkeys("[ _-]?".join(words) for words in alternatives))
    return f"(?i).*(?:{joined}).*" if "|" in joined else f"(?i).*{joined}.*"


def _spellings(words: list[str]) -> list[str]:
    """How a column may spell the words, the likeliest first: one word as it is, several as part of a longer name."""
    lower = [word.lower() for word in words]
    snake = "_".join(lower)
    tail = _TAILS.get(lower[-1])
    longer, other = (f"{snake}_{tail}", f"customer_{snake}") if tail else (f"customer_{snake}", f"{snake}_value")
    if len(words) == 1:
        return [snake, snake.upper(), snake.capitalize(), longer, other]
    pascal = "".join(word.capitalize() for word in words)
    return [longer, pascal, pascal.lower(), snake, snake.upper(), "-".join(lower), " ".join(lower), other]


@lru_cache(maxsize=256)
def _misses(pattern: str) -> tuple[tuple[str, int], ...]:
    """Each name that is missed, with the number of the reading that says it best, the surest first."""
    alternatives = _words(pattern)
    if not alternatives:
        return ()
    better, exact, folded = (re.compile(_better(alternatives)), re.compile(pattern), re.compile(pattern, re.IGNORECASE))
    found: dict[str, int] = {}
    for name in dict.fromkeys(name for words in alternatives for name in _spellings(words)):
        if FOLDED.intersection(name) or not better.fullmatch(name) or exact.fullmatch(name):
            continue  # missed by none, or spelled with a letter whose cases are not one to one
        seen_without_case = folded.search(name) or folded.fullmatch(name)
        found[name] = 0 if not seen_without_case else 1 if not exact.search(name) else 2
    return tuple(sorted(found.items(), key=lambda item: item[1]))
