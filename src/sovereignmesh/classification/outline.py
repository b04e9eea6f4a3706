"""What a pattern's text tells of its matches before any is tried: how long they are, and of which characters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sovereignmesh.patterns.reading import ENDLESS, Node, Reader

__all__ = ["KINDS", "Outline", "outline_of"]

_ASCII: Final = (1 << 128) - 1
_ALL: Final = -1


def _mask(characters: str) -> int:
    return sum(1 << ord(one) for one in characters)


_DIGITS: Final = _mask("0123456789")
_LETTERS: Final = _mask("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_WORD: Final = _DIGITS | _LETTERS
_AT: Final = _mask("@")

# Every text is of exactly one kind, and the engine keeps them apart.
KINDS: Final = ("digits", "letters and digits", "with @", "other")


@dataclass(frozen=True, slots=True)
class Outline:
    """`least` and `most` characters a match has, and the numbers in KINDS that it can be of.

    It promises only what no match breaks: a pattern that is not anchored, or not understood, may match anything.
    """

    least: int
    most: int
    kinds: tuple[int, ...]


_ANYTHING: Final = Outline(0, ENDLESS, tuple(range(len(KINDS))))


@lru_cache(maxsize=4096)
def outline_of(pattern: str) -> Outline:
    """What every text in which the pattern is found has in common.

    >>> outline_of("^[0-9]{8}-?[A-Z]$"), outline_of("[0-9]+").most == ENDLESS
    (Outline(least=9, most=10, kinds=(1, 3)), True)
    """
    reader = Reader(pattern)
    if any(problem.severity == "error" for problem in reader.problems.values()):
        return _ANYTHING
    bounds = [_anchored(choice, pattern) for choice in _choices(reader.root)]
    if not all(bounds) or "m" in "".join(part[0] for part in pattern.split("(?")[1:]):
        return _ANYTHING
    least, most = _length(reader.root)
    return Outline(least, most, tuple(kind for kind in range(len(KINDS)) if _can_be(reader.root, kind)))


def _choices(root: Node) -> list[Node]:
    return root.parts if root.kind == "any" else [root]


def _anchored(choice: Node, pattern: str) -> bool:
    parts = choice.parts
    ends = [pattern[part.start : part.end] for part in (parts[:1] + parts[-1:]) if part.kind == "look"]
    return len(ends) == 2 and ends[0] in ("^", r"\A") and ends[1] in ("$", r"\z")  # noqa: PLR2004 - two ends


def _length(node: Node) -> tuple[int, int]:
    if node.kind == "set":
        return 1, 1
    if node.kind == "look":
        return 0, 0
    lengths = [_length(part) for part in node.parts] or [(0, 0)]
    if node.kind == "any":
        return min(low for low, _ in lengths), max(high for _, high in lengths)
    low, high = sum(low for low, _ in lengths), sum(high for _, high in lengths)
    if node.kind == "repeat":
        low, high = low * node.least, high * node.most
    return min(low, ENDLESS), min(high, ENDLESS)


def _can_be(root: Node, kind: int) -> bool:
    """Whether a match can consist of what the kind has, and can have what makes it of that kind."""
    if kind == 0:
        return _fits(root, _DIGITS)
    if kind == 1:
        return _fits(root, _WORD) and _holds(root, _LETTERS)
    if kind == 2:  # noqa: PLR2004 - KINDS
        return _holds(root, _AT)
    return _length(root)[0] == 0 or _holds(root, ~(_WORD | _AT))


def _fits(node: Node, allowed: int) -> bool:
    if node.kind == "set":
        return node.mask == 0 or bool(node.mask & allowed)
    if node.kind == "look" or (node.kind == "repeat" and node.least == 0):
        return True
    fits = [_fits(part, allowed) for part in node.parts]
    return any(fits) if node.kind == "any" else all(fits)


def _holds(node: Node, wanted: int) -> bool:
    """Whether some set of it has one of the characters; a set of which nothing is known may have any."""
    if node.kind == "set":
        return node.mask == 0 or bool(node.mask & wanted)
    return node.kind != "look" and any(_holds(part, wanted) for part in node.parts)
