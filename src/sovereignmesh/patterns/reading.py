"""Takes a pattern apart: its tree, and what .NET or RE2 would say of it.

No pattern is too long, too deep or too broken: reading ends after a few looks at each character, and never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from sovereignmesh.patterns.constructs import INSIDE, OUTSIDE, Row, Severity
from sovereignmesh.result.text import printable

__all__ = ["ENDLESS", "FOLDED", "Node", "PatternProblem", "Reader"]

ENDLESS: Final = 1 << 30
_LONGEST: Final = 10_000  # characters of a pattern
_DEEPEST: Final = 100  # groups inside each other
_MOST_REPEATS: Final = 1000  # RE2's limit, also for the product of counts inside each other
_LARGEST: Final = 349_000  # instructions, what RE2's default memory holds
_ASCII: Final = 127
_SHOWN: Final = 40
_TWO_UNITS: Final = 0xFFFF  # a character beyond is two in .NET, whose strings are UTF-16

_REPEAT: Final = re.compile(r"([*+?]|\{([0-9]+)(?:(,)([0-9]*))?\})(\??)")
_NUL: Final = r"\x00"
_SIMPLE: Final = {"*": (0, ENDLESS), "+": (1, ENDLESS), "?": (0, 1)}
_CONTROLS: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "e": 27}
_PROPERTY: Final = re.compile(r"\\[pP]\{([A-Z])")
_SIZES: Final = {"L": 800, "M": 370, "S": 320}  # of a general category, tried on RE2
_CATEGORIES: Final = {"L": "w", "M": "w", "N": "d", "Z": "s"}
_FLAGS: Final = re.compile(r"[ims]+(?:-[ims]+)?|-[ims]+")
_WHO_REFUSES: Final = {"n": "RE2 refuses", "x": "RE2 refuses", "U": ".NET refuses"}
FOLDED: Final = frozenset("\u0130\u0131\u212a\u017f\u03c2")  # dotted I, dotless i, Kelvin sign, long s, final sigma
# Sets are compared by what they hold of these: ASCII, and letters, digits, blanks and others beyond.
_SAMPLES: Final = (
    "".join(map(chr, range(_ASCII + 1))) + "\u00e9\u0416\u4e2d\u0663\u096b\u00a0\u2003\u2013\u20ac\U0001f600"
)


@dataclass(frozen=True, slots=True)
class PatternProblem:
    """One defect of a pattern: `message` says what and what to write instead, `position` counts characters from 0."""

    message: str
    position: int
    severity: Severity


@dataclass(slots=True, eq=False)
class Node:
    """A part of a pattern. `mask` has a bit for each sample that a set holds; `look` matches nothing itself."""

    kind: Literal["set", "all", "any", "repeat", "look"]
    start: int
    end: int
    parts: list[Node] = field(default_factory=list)
    mask: int = 0
    least: int = 1
    most: int = 1
    size: int = 1  # instructions of RE2, roughly
    counts: int = 1  # the product of the counts inside each other


@dataclass(slots=True)
class _Group:
    start: int
    flags: frozenset[str]
    looks: bool = False
    choices: list[Node] = field(default_factory=list)
    parts: list[Node] = field(default_factory=list)


class Reader:
    """Reads a pattern once, left to right; `root` and `problems`, by their words, are what comes out."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.problems: dict[str, PatternProblem] = {}
        self._at = 0
        self._end = len(pattern)
        self._names: set[str] = set()
        self._groups = [_Group(0, frozenset())]
        self._samples = _SAMPLES + "".join(sorted({one for one in pattern[:_LONGEST] if ord(one) > _ASCII})[:64])
        if self._end > _LONGEST:
            self._report(f"the pattern is longer than {_LONGEST:,} characters: divide it", 0)
            self._end = 0
        while self._at < self._end:
            self._token()
        while len(self._groups) > 1:
            self._report("a ( is not closed, which .NET and RE2 refuse: add ), or write \\(", self._groups[-1].start)
            self._leave()
        self.root = self._whole(self._groups[0])
        if self.root.size > _LARGEST:
            self._report("RE2 refuses the pattern as too large: lower its counts", 0)

    def _report(self, words: str, position: int, severity: Severity = "error") -> None:
        words = printable(words)
        if words not in self.problems:
            self.problems[words] = PatternProblem(words, position, severity)

    def _take(self, rows: tuple[Row, ...]) -> tuple[Row, str]:
        """The first row that fits here, and its text, behind which reading goes on."""
        row, found = next((row, found) for row in rows if (found := row.looks.match(self.pattern, self._at)))
        if row.words and not (found[0] == "$" and "m" in self._groups[-1].flags):
            self._report(row.words.replace("{}", found[0][:_SHOWN]), self._at, row.severity)
        self._at = found.end()
        return row, found[0]

    def _token(self) -> None:
        start = self._at
        row, text = self._take(OUTSIDE)
        match row.becomes:
            case "open" | "look":
                self._enter(start, text, looks=row.becomes == "look")
            case "close":
                self._close(start)
            case "bar":
                self._choose()
            case "flags":
                self._flags(start, text)
            case "repeat":
                self._report(
                    f"nothing to repeat for {text[:_SHOWN]}, which .NET refuses, and mostly RE2: write \\ before it",
                    start,
                )
                self._at += self.pattern.startswith("?", self._at)
            case "class":
                self._quantify(self._class(start))
            case "set":
                self._quantify(self._set(start, _members(text), text))
            case "point":
                self._quantify(Node("look", start, self._at))
            case "skip":
                pass

    def _enter(self, start: int, text: str, *, looks: bool = False) -> None:
        if len(self._groups) > _DEEPEST:
            self._report(f"more than {_DEEPEST} groups inside each other: RE2 has a limit as well", start)
            self._end = 0
            self._groups = self._groups[:1]  # what was open is not a defect of its own
            return
        name = text.removeprefix("(?<").removesuffix(">") if text.endswith(">") else ""
        if name in self._names:
            self._report(
                f"the name {name} is given twice, which .NET takes for one group: rename one", start, "warning"
            )
        self._names |= {name} - {""}
        self._groups.append(_Group(start, self._groups[-1].flags, looks))

    def _choose(self) -> None:
        group = self._groups[-1]
        group.choices.append(_combined("all", group.parts, group.start, self._at))
        group.parts = []

    def _whole(self, group: _Group) -> Node:
        choices = [*group.choices, _combined("all", group.parts, group.start, self._at)]
        return _combined("look" if group.looks else "any", choices, group.start, self._at)

    def _leave(self) -> Node:
        node = self._whole(self._groups.pop())
        self._groups[-1].parts.append(node)
        return node

    def _close(self, start: int) -> None:
        if len(self._groups) == 1:
            self._report("a ) closes nothing, which .NET and RE2 refuse: write \\)", start)
            return
        node = self._leave()
        self._groups[-1].parts.pop()
        self._quantify(node)

    def _flags(self, start: int, text: str) -> None:
        given = text[2:-1]
        for letter in sorted(set(given) - set("ims-")):
            who = _WHO_REFUSES.get(letter, ".NET or RE2 refuses")
            self._report(f"{who} {letter} in {text[:_SHOWN]}: only the flags i, m and s are known to both", start)
        if not set(given) - set("ims-") and not _FLAGS.fullmatch(given):
            self._report(f".NET or RE2 refuses {text[:_SHOWN]}: write flags as in (?i), (?s-i) or (?i:...)", start)
        on, _, off = given.partition("-")
        if text.endswith(":"):
            self._enter(start, text)
        self._groups[-1].flags = self._groups[-1].flags.union(on).difference(off)

    def _set(self, start: int, members: str, text: str = "") -> Node:
        folds = "i" in self._groups[-1].flags
        if folds and FOLDED.intersection(text):
            self._report(f"(?i) folds {text} in .NET otherwise than in RE2: write both cases", start, "warning")
        if "\ud800" <= text <= "\udfff":
            self._report("half of a character, which RE2 refuses: write the whole one", start)
        size = 1 + sum(_SIZES.get(letter, 80) for letter in _PROPERTY.findall(text))
        return Node("set", start, self._at, mask=_mask(members, self._samples, folds=folds, dot=text == "."), size=size)

    def _class(self, start: int) -> Node:
        """A class, from behind its bracket on. RE2 closes it at the first bracket, with or without a subtraction."""
        first = self._at = self._at + self.pattern.startswith("^", self._at)
        members = ""
        while self._at < self._end and (self.pattern[self._at] != "]" or self._at == first):
            self._subtraction(first)
            low_at = self._at
            low = self._inside()
            if self._code_range(low):
                self._at += 1
                self._subtraction(first, behind=1)
                members += self._range(low, self._inside(), low_at)
            else:
                members += _members(low)
        if self._at >= self._end:
            self._report("a [ is not closed, which .NET and RE2 refuse: add ], or write \\[", start)
        self._at += 1
        negated = "^" if self.pattern[start + 1 : first] else ""
        return self._set(start, f"[{negated}{members or _NUL}]", self.pattern[start : self._at])

    def _code_range(self, low: str) -> bool:
        """Whether a range begins with what was just read: its `-` is not the last in the class."""
        here = self.pattern[self._at : self._at + 2]
        return here[:1] == "-" and len(here) > 1 and here[1] != "]" and _code(low) >= 0

    def _subtraction(self, first: int, behind: int = 0) -> None:
        at = self._at - behind
        if at > first and self.pattern.startswith("-[", at):
            self._report("RE2 has no subtraction of classes as in [a-z-[aeiou]]: write what is left, or \\[", at)

    def _inside(self) -> str:
        start = self._at
        colon = self.pattern.startswith("[:", start)
        row, text = self._take(INSIDE)
        if colon and len(text) == 1 and self.pattern.find(":]", start + 2) >= 0:
            self._report("RE2 refuses [: in brackets where no class follows: write \\[:", start)
        if len(text) == 1 and ord(text) > _TWO_UNITS:
            self._report(f"{text} is two characters in .NET, which no brackets hold: write (?:{text}|...)", start)
        return text if row.becomes == "set" else "\\\\"

    def _range(self, low: str, high: str, start: int) -> str:
        text = f"{low}-{high}"
        if _code(high) < 0:
            self._report(
                f"{text} does not end with a character, which .NET and RE2 refuse: write {low}\\-{high}", start
            )
        elif _code(low) > _code(high):
            self._report(f"{text} is reversed, which .NET and RE2 refuse: write {high}-{low}", start)
        else:
            return f"{_members(low)}-{_members(high)}"
        return _members(low) + _members(high)

    def _quantify(self, node: Node) -> None:
        """Adds the node to its group, with the repetition that follows."""
        found = _REPEAT.match(self.pattern, self._at)
        if found:
            node = self._repeat(node, found)
            self._at = found.end()
        self._groups[-1].parts.append(node)
        while found and (found := _REPEAT.match(self.pattern, self._at)):
            words = ".NET and RE2 refuse {} behind a repetition: write one repetition, or (?:...) around the first"
            self._report(words.replace("{}", found[0][:_SHOWN]), self._at)
            self._at = found.end()

    def _repeat(self, node: Node, found: re.Match[str]) -> Node:
        start, text = self._at, found[0][:_SHOWN]
        if node.kind == "look" and not node.parts:
            self._report(f"{text} repeats a position, which changes nothing: leave it out", start, "warning")
        if text[0] != "{":
            least, most = _SIMPLE[text[0]]
            return Node("repeat", node.start, found.end(), [node], 0, least, most, node.size, node.counts)
        numbers = [min(int(digits[:9]), ENDLESS - 1) for digits in (found[2], found[4] or found[2])]
        least, most = numbers[0], ENDLESS if found[3] and not found[4] else numbers[1]
        if least > most:
            self._report(f"{text} is reversed, which .NET and RE2 refuse: write {{{most},{least}}}", start)
        times = max(least if most == ENDLESS else most, 1)
        counts = min(node.counts * times, ENDLESS)
        if counts > _MOST_REPEATS:
            inside = ", those inside each other multiplied" if node.counts > 1 else ""
            self._report(f"RE2 refuses more than {_MOST_REPEATS} repetitions{inside}: lower {text}, or write *", start)
        size = min(node.size * times, ENDLESS)
        return Node("repeat", node.start, found.end(), [node], 0, least, most, size, counts)


def _combined(kind: Literal["all", "any", "look"], parts: list[Node], start: int, end: int) -> Node:
    counts = max((part.counts for part in parts), default=1)
    return Node(kind, start, end, parts, size=sum(part.size for part in parts) + 1, counts=counts)


def _code(text: str) -> int:
    """The code of one character as it is written; -1 for what stands for many."""
    if len(text) == 1:
        return ord(text)
    letter, digits = text[1], re.sub("[^0-9A-Fa-f]", "", text[2:])
    if letter in "xu":
        return min(int(digits[:8] or "0", 16), 0x10FFFF)
    if letter in "01234567":
        return int(text[1:], 8) & 0xFF if re.fullmatch("[0-7]+", text[1:]) else 0
    if letter == "c" and text[2:]:
        return ord(text[2].upper()) ^ 64
    return -1 if letter in "dDwWsSpPQNU" or text[0] == "[" else _CONTROLS.get(letter, ord(letter))


def _members(text: str) -> str:
    r"""The text of a set as members of a class of Python's: `\p` and `[:alpha:]` only roughly."""
    if text == ".":
        return "."
    if (code := _code(text)) >= 0:
        return f"\\U{code:08x}"
    if text[0] == "[" or text[1] in "QNU":
        return r"\w"
    if text[1] in "pP":
        letter = _CATEGORIES.get(text[2:].strip("{}^")[:1], "W")
        return "\\" + (letter if text[1] == "p" else letter.swapcase())
    return text


@lru_cache(maxsize=1024)
def _mask(members: str, samples: str, *, folds: bool, dot: bool) -> int:
    if members[:2] == r"\U" and not folds:
        return 1 << samples.index(one) if (one := members.encode().decode("unicode_escape")) in samples else 0
    looks = members if dot or members[0] == "[" else f"[{members}]"
    return sum(1 << found.start() for found in re.finditer(looks, samples, re.IGNORECASE if folds else 0))
