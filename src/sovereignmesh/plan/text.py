"""A plan in words: one line for each change, and one for each value that an update changes."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.plan.carry import Outcome
    from sovereignmesh.plan.items import Action, Change
    from sovereignmesh.plan.plan import Plan

__all__ = ["Line", "outcome_line", "plan_html", "plan_lines"]

_SIGNS: Final[dict[Action, str]] = {"create": "+", "update": "~", "delete": "-"}
_COLOURS: Final[dict[Action, str]] = {"create": "green", "update": "yellow", "delete": "red"}
_ON_PAPER: Final = {"yellow": "darkgoldenrod"}  # a notebook may be white
_LONGEST: Final = 300
_PLAIN: Final = frozenset({"properties", "referenceName", "pattern", "qualifiedName"})  # named by what is around them
_SILENT: Final = frozenset(
    {"kind", "type", "category", "typeVersion", "resourceName", "subscriptionId", "resourceGroup"}
)


class Line(NamedTuple):
    """A line that a terminal can show, and the colour that says what it is about; "" for none."""

    text: str
    colour: str = ""


def plan_lines(plan: Plan) -> Iterator[Line]:
    """The plan for a terminal: problems, changes, what could not be read, and the sum of it."""
    for problem in plan.problems:
        yield Line(printable(str(problem)), "red" if problem.severity == "error" else "yellow")
    for change in plan.changes:
        yield from _change_lines(change)
    for note in plan.notes:
        yield Line(printable(note))
    for unread in plan.unread:
        yield Line(printable(f"not read: {unread.what}: {unread.why}"), "red")
    yield Line(printable(_summary(plan)))


def outcome_line(outcome: Outcome) -> Line:
    """What became of one change."""
    change = outcome.change
    words = f"{_SIGNS[change.action]} {change.item.kind} {change.item.name}: {outcome.state}"
    if outcome.state in ("failed", "left"):
        return Line(printable(f"{words}: {outcome.reason}"), "red" if outcome.state == "failed" else "yellow")
    return Line(printable(words), _COLOURS[change.action])


def plan_html(plan: Plan) -> str:
    """The plan for a notebook."""
    lines = (
        (html.escape(line.text), _ON_PAPER.get(line.colour, line.colour) or "inherit") for line in plan_lines(plan)
    )
    rows = "".join(f'<div style="color:{colour}">{text}</div>' for text, colour in lines)
    return f'<div style="font-family:monospace;white-space:pre-wrap">{rows}</div>'


def _change_lines(change: Change) -> Iterator[Line]:
    colour = _COLOURS[change.action]
    yield Line(printable(f"{_SIGNS[change.action]} {change.item.kind} {change.item.name}{_about(change)}"), colour)
    if change.action == "create" and (told := ", ".join(_told(change.item.body))):
        yield Line(printable(f"    {told if len(told) <= _LONGEST else told[:_LONGEST] + '...'}"), colour)
    for path, before, after in change.differences:
        yield Line(printable(f"    {path}: {_value(before)} -> {_value(after)}"), colour)


def _about(change: Change) -> str:
    """What of a body a reader wants to see beside the name."""
    kind = change.item.body.get("kind")
    return f" ({kind})" if isinstance(kind, str) else ""


def _told(body: Any, name: str = "") -> Iterator[str]:
    """What is created, value by value, less what says nothing to a reader."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _told(value, name if key in _PLAIN else key)
    elif isinstance(body, list):
        values = [" ".join(_told(value)) if isinstance(value, dict) else str(value) for value in body]
        yield f"{name}: {' | '.join(values)}" if name else " | ".join(values)
    elif name not in _SILENT and body not in (None, ""):
        yield f"{name}: {body}" if name else str(body)


def _value(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _summary(plan: Plan) -> str:
    done = f"{plan.counts}, {plan.unchanged} as wished{plan.verdict}"
    return f"{plan.target.rpartition('/')[2]}: {done}. Digest {plan.digest}"
