"""Which controls of laws, standards and benchmarks a check gives evidence for, by check and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.result.checks import CHECKS
from sovereignmesh.result.frameworks import CONTROLS, FRAMEWORKS, Control, Framework

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sovereignmesh.result.checks import Check

__all__ = [
    "CONTROLS",
    "FRAMEWORKS",
    "Control",
    "Framework",
    "controls_by_check",
    "controls_in_brief",
    "controls_markdown",
    "controls_of",
]

_OF: Final[dict[Check, tuple[Control, ...]]] = {
    check: tuple(control for control in CONTROLS if check in control.checks) for check in CHECKS
}


def controls_of(check: Check) -> tuple[Control, ...]:
    """The controls that a check is evidence for, by framework.

    >>> controls_of("private-endpoint")[0].name
    'GDPR Art. 32'
    """
    return _OF[check]


def controls_in_brief(check: Check) -> str:
    """The controls of a check in a line, each framework named once.

    >>> controls_in_brief("private-endpoint")[:34]
    'GDPR Art. 32; NIS2 Art. 21(2)(e); '
    """
    by_framework: dict[str, list[str]] = {}
    for control in _OF[check]:
        by_framework.setdefault(control.framework.name, []).append(control.id)
    return "; ".join(f"{name} {', '.join(ids)}" for name, ids in by_framework.items())


def controls_by_check(checks: Iterable[Check]) -> dict[str, list[dict[str, Any]]]:
    """The controls of some checks, as the JSON contract has them."""
    return {
        check: [
            {
                "framework": control.framework.name,
                "version": control.framework.title,
                "id": control.id,
                "title": control.title,
                "because": control.checks[check],
                "url": control.framework.url,
            }
            for control in _OF[check]
        ]
        for check in checks
    }


def controls_markdown() -> str:
    """The page docs/controls.md: every check with its controls, and the frameworks."""
    lines = [
        "# Controls",
        "",
        "Written by `scripts/docs.py` from `sovereignmesh.result.frameworks`. Which controls of laws, standards and",
        "benchmarks a check gives evidence for. A check that passes is evidence for a part of the control, never for",
        "the whole of it, and no legal advice. What a framework says nothing of has no row: NIS2 has no rule on the",
        "place of data, and the Microsoft cloud security benchmark none on regions.",
        "",
        "| framework | version |",
        "|---|---|",
        *(f"| {framework.name} | [{framework.title}]({framework.url}) |" for framework in FRAMEWORKS),
        "",
    ]
    for check in CHECKS:
        lines += [f"## {check}", "", "| control | title | because |", "|---|---|---|"]
        lines += [f"| {control.name} | {control.title} | {control.checks[check]} |" for control in _OF[check]]
        lines.append("")
    return "\n".join(lines)
