"""What a pattern tells of its matches before any is tried: how long they are, and of which classes of characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Final

from sovereignmesh.patterns.reading import ENDLESS, Node, Reader

__all__ = ["BEYOND", "CLASSES", "Outline", "outline_of"]

# Every character is of exactly one class. The last one of ASCII is what is in none of the others; then all beyond.
CLASSES: Final = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", " ", "-", "@")
_OTHERS: Final = 1 << len(CLASSES)
BEYOND: Final = _OTHERS << 1
_ALL: Final = (BEYOND << 1) - 1
_ASCII: Final = (1 << 128) - 1
_MASKS: Final = tuple(sum(1 << ord(one) for one in members) for members in CLASSES)
_NAMED: Final = reduce(int.__or__, _MASKS)
_PROPERTY: Final = re.compile(r"\\p\{([LMN])[a-z]?\}")
_ANY_PROPERTY: Final = re.compile(r"\\[pP]")
_OF_ASCII: Final = {"L": "A-Za-z", "M": "", "N": "0-9"}
_FLAGS: Final = re.compile(r"\(\?([a-z]+)")


@dataclass(frozen=True, slots=True)
class Outline:
    """What a text has in which the pattern is found: `least` to `most` characters, of the classes in `allowed` alone.

    It has some of each class in `needed`, and begins with one in `first`, unless it is empty. A bit stands for a class,
    the lowest for the first of CLASSES.
    """

    least: int
    most: int
    allowed: int
    needed: int
    first: int


_ANYTHING: Final = Outline(0, ENDLESS, _ALL, 0, _ALL)


@lru_cache(maxsize=4096)
def outline_of(pattern: str) -> Outline:
    """What every text in which the pattern is found has in common; a pattern that is not understood may match anything.

    >>> outline_of("^[0-9]{8}-?[A-Z]$")
    Outline(least=9, most=10, allowed=11, needed=3, first=1)
    """
    reader = Reader(pattern)
    if any(problem.severity == "error" for problem in reader.problems.values()):
        return _ANYTHING
    flags = "".join(_FLAGS.findall(pattern))
    least, most = _length(reader.root)
    _classify(reader.root, pattern)
    needed = _needed(reader.root)
    whole = "m" not in flags and all(_is_whole(choice, pattern) for choice in _choices(reader.root))
    if not whole:
        return Outline(least, ENDLESS, _ALL, needed, _ALL)
    beyond = BEYOND if "i" in flags else 0  # without case a letter may be one beyond ASCII: the Kelvin sign is a k
    return Outline(least, most, _allowed(reader.root) | beyond, needed, _first(reader.root) | beyond)


def _classify(node: Node, pattern: str) -> None:
    """Puts classes in the place of what a set holds."""
    if node.kind == "set":
        node.mask = _classes(_members(node, pattern[node.start : node.end]))
    for part in node.parts:
        _classify(part, pattern)


def _members(node: Node, text: str) -> int:
    """What a set holds, 0 for unknown: sets with a property of Unicode are taken for others elsewhere, roughly."""
    if not _ANY_PROPERTY.search(text):
        return node.mask
    plain = _PROPERTY.sub(lambda found: _OF_ASCII[found[1]], text)
    if _ANY_PROPERTY.search(plain) or text.startswith("[^") or "[" in text[1:]:
        return 0
    if not plain.strip("[]"):
        return ~_ASCII
    looks = re.compile(plain if plain.startswith("[") else f"[{plain}]")
    return sum(1 << code for code in range(128) if looks.match(chr(code))) | ~_ASCII


def _choices(root: Node) -> list[Node]:
    return root.parts if root.kind == "any" else [root]


def _is_whole(choice: Node, pattern: str) -> bool:
    """Whether the text must match from its beginning to its end."""
    ends = [pattern[part.start : part.end] for part in (choice.parts[:1] + choice.parts[-1:]) if part.kind == "look"]
    return len(ends) == 2 and ends[0] in ("^", r"\A") and ends[1] in ("$", r"\z")  # noqa: PLR2004 - two ends


def _length(node: Node) -> tuple[int, int]:
    if node.kind in ("set", "look"):
        return (1, 1) if node.kind == "set" else (0, 0)
    lengths = [_length(part) for part in node.parts] or [(0, 0)]
    if node.kind == "any":
        return min(low for low, _ in lengths), max(high for _, high in lengths)
    low, high = sum(low for low, _ in lengths), sum(high for _, high in lengths)
    if node.kind == "repeat":
        low, high = low * node.least, high * node.most
    return min(low, ENDLESS), min(high, ENDLESS)


def _classes(mask: int) -> int:
    """The classes of which a set has members; of a set of which nothing is known, all."""
    if not mask:
        return _ALL
    found = sum(1 << at for at, members in enumerate(_MASKS) if mask & members)
    return found | (_OTHERS if mask & _ASCII & ~_NAMED else 0) | (BEYOND if mask & ~_ASCII else 0)


def _allowed(node: Node) -> int:
    if node.kind == "set":
        return node.mask
    return reduce(int.__or__, map(_allowed, node.parts), 0)


def _needed(node: Node) -> int:
    if node.kind == "set":
        return node.mask if node.mask.bit_count() == 1 else 0
    if node.kind == "look" or (node.kind == "repeat" and node.least == 0):
        return 0
    each = [_needed(part) for part in node.parts]
    return reduce(int.__and__, each, each[0] if each else 0) if node.kind == "any" else reduce(int.__or__, each, 0)


def _first(node: Node) -> int:
    """The classes that a match can begin with."""
    if node.kind == "set":
        return node.mask
    found = 0
    for part in node.parts:
        found |= _first(part)
        if node.kind == "all" and _length(part)[0]:
            break  # what follows is never the first
    return found
