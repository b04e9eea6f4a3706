"""Finds what runs away: a pattern that a backtracking engine, as .NET's, may try in ever more ways on one value.

The pattern becomes an automaton of its characters (Glushkov's), and what counts is whether one text has two ways
through it: around a loop, then each round doubles the ways, or in two endless repetitions beside each other, then they
grow with the square of the length. See Weber and Seidl, On the degree of ambiguity of finite automata (1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sovereignmesh.patterns.reading import ENDLESS, Node, Reader

__all__ = ["TOO_LARGE", "find_ambiguity", "runs_away"]

_MOST_STEPS: Final = 100_000
_FEW: Final = 3  # as often written out, two endless repetitions with something between them are no reason to warn
_MANY: Final = 25  # from here on a bounded repetition costs as much as an endless one

Span = tuple[int, int]
TOO_LARGE: Final[Span] = (0, 0)


def runs_away(pattern: str) -> str:
    r"""The part of the pattern that may run away, "" where there is none, or where it is too large to tell.

    >>> runs_away("^(a+)+$")
    '(a+)+'
    >>> runs_away(r"(a|ab|b)*c"), runs_away(".*.*x")
    ('(a|ab|b)*', '.*.*')
    >>> runs_away(r"(\d{3}-)?\d+"), runs_away("[a-z]+@[a-z]+"), runs_away("(a|ab)*c")
    ('', '', '')
    """
    start, end = find_ambiguity(Reader(pattern).root) or TOO_LARGE
    return pattern[start:end]


def find_ambiguity(root: Node) -> Span | None:
    """Where the part begins and ends; None for none; TOO_LARGE where finding out takes too long."""
    automaton = _Automaton()
    try:
        automaton.part(root, in_loop=False)
        return automaton.twice or automaton.two_ways() or automaton.neighbours()
    except _TooLargeError:
        return TOO_LARGE


class _TooLargeError(Exception):
    """Never leaves this module."""


@dataclass(slots=True)
class _Part:
    """What a part of the pattern may begin and end with, and how long it is (None: that varies)."""

    first: list[int]
    last: list[int]
    empty: bool
    length: int | None
    endless: bool = False


class _Automaton:
    """A state is one place in the pattern that takes a character."""

    def __init__(self) -> None:
        self.masks: list[int] = []
        self.follow: list[set[int]] = []
        self.loops: list[tuple[range, Span]] = []  # the states that a loop goes round, inner loops first
        self.outermost: list[int] = []  # of each state, -1 for none
        self.endless: dict[int, Span] = {}  # a single set, repeated without end
        self.twice: Span | None = None  # the first loop that leads where another way led already
        self.steps = 0

    def part(self, node: Node, *, in_loop: bool) -> _Part:
        match node.kind:
            case "set":
                return self._state(node)
            case "repeat":
                return self._repeated(node, in_loop=in_loop)
            case "look":
                for part in node.parts:
                    self.part(part, in_loop=in_loop)
                return _Part([], [], empty=True, length=0)
            case "any":
                return _either([self.part(part, in_loop=in_loop) for part in node.parts])
            case "all":
                return self._joined([self.part(part, in_loop=in_loop) for part in node.parts])

    def _state(self, node: Node) -> _Part:
        state = len(self.masks)
        self.masks.append(node.mask)
        self.follow.append(set())
        self.outermost.append(-1)
        return _Part([state], [state], empty=False, length=1)

    def _joined(self, parts: list[_Part]) -> _Part:
        whole = _Part([], [], empty=True, length=0)
        for part in parts:
            self._connect(whole.last, part.first)
            whole = _Part(
                [*whole.first, *part.first] if whole.empty else whole.first,
                [*whole.last, *part.last] if part.empty else part.last,
                whole.empty and part.empty,
                None if whole.length is None or part.length is None else whole.length + part.length,
                whole.endless or part.endless,
            )
        return whole

    def _repeated(self, node: Node, *, in_loop: bool) -> _Part:
        start, many = len(self.masks), node.most >= _MANY
        body = self.part(node.parts[0], in_loop=in_loop or many)
        endless = node.most == ENDLESS
        varies = node.least != node.most or body.length is None
        if node.most > 1 and (endless or (varies and (body.endless or in_loop or many))):
            span = (node.start, node.end)
            if self._connect(body.last, body.first) and self.twice is None:
                self.twice = span
            if endless and len(self.masks) == start + 1:
                self.endless[start] = span
            self.loops.append((range(start, len(self.masks)), span))
            if endless or many or in_loop or node.most > _FEW:
                self.outermost[start:] = [len(self.loops) - 1] * (len(self.masks) - start)
        length = None if varies or body.length is None else body.length * node.least
        return _Part(body.first, body.last, body.empty or node.least == 0, length, body.endless or endless)

    def _connect(self, before: list[int], after: list[int]) -> bool:
        """Leads from each to each; whether one of these ways was there before."""
        self._spend(len(before) * len(after))
        again = False
        for state in before:
            again = again or not self.follow[state].isdisjoint(after)
            self.follow[state].update(after)
        return again

    def _spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > _MOST_STEPS:
            raise _TooLargeError

    def _pairs(self, one: int, other: int) -> list[tuple[int, int]]:
        """Where two ways may go on together, with one character and without leaving their loop."""
        self._spend(len(self.follow[one]) * len(self.follow[other]))
        loop = self.outermost[one]
        return [
            (left, right)
            for left in self.follow[one]
            for right in self.follow[other]
            if loop == self.outermost[left] == self.outermost[right] and self.masks[left] & self.masks[right]
        ]

    def two_ways(self) -> Span | None:
        """A loop in which two ways part and meet again."""
        looping = [state for state, loop in enumerate(self.outermost) if loop >= 0]
        waiting = [pair for state in looping for pair in self._pairs(state, state) if pair[0] < pair[1]]
        seen = set(waiting)
        while waiting:
            pair = waiting.pop()
            for left, right in self._pairs(*pair):
                if left == right:
                    return self._smallest(*pair)
                if (after := (min(left, right), max(left, right))) not in seen:
                    seen.add(after)
                    waiting.append(after)
        return None

    def _smallest(self, one: int, other: int) -> Span:
        return next(span for states, span in self.loops if one in states and other in states)

    def neighbours(self) -> Span | None:
        """Two endless repetitions beside each other that take the same character."""
        for state, span in self.endless.items():
            for after in sorted(self.follow[state] & self.endless.keys() - {state}):
                if self.masks[state] & self.masks[after]:
                    return span[0], self.endless[after][1]
        return None


def _either(parts: list[_Part]) -> _Part:
    lengths = {part.length for part in parts}
    return _Part(
        [state for part in parts for state in part.first],
        [state for part in parts for state in part.last],
        any(part.empty for part in parts),
        lengths.pop() if len(lengths) == 1 else None,
        any(part.endless for part in parts),
    )
