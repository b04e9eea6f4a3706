"""Writes an audit as Markdown for a pull request: the verdict, what was not read, and the worst of what was found.

What comes from resources and meshes stands in code spans, where GitHub sees no mention, no link and no HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TextIO

from sovereignmesh.result import CHECKS, REASONS, printable
from sovereignmesh.result.azure_policy import OUTCOMES
from sovereignmesh.result.controls import controls_in_brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sovereignmesh.result import Audit, Check, Finding, State
    from sovereignmesh.result.azure_policy import AzurePolicy

__all__ = ["write_markdown"]

_FINDINGS: Final = 50
_FEW: Final = 10
_LONGEST: Final = 160  # characters of a text
_BAR: Final = 10
_TICKS: Final = re.compile("`+")


def write_markdown(audit: Audit, stream: TextIO) -> None:
    """A summary in GitHub's Markdown, small whatever the audit's size: no list is longer than 50 rows."""
    for part in (
        _verdict(audit), _not_read(audit), _checks(audit), _findings(audit), _waivers(audit), _policy(audit),
        _read(audit), _controls(audit),
    ):  # fmt: skip
        stream.writelines(line + "\n" for line in part)


def _code(text: str) -> str:
    """A text as it is, in a code span."""
    text = printable(text)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    if not text.strip():
        return ""
    ticks = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    space = " " if "`" in (text[0], text[-1]) or " " in (text[0], text[-1]) else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _cell(text: str) -> str:
    """A text as it is, in a table's cell."""
    return _code(text).replace("|", "\\|")


def _table(headings: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table; the alignment of a column is right where its heading ends in a colon."""
    names = headings.split("|")
    yield "| " + " | ".join(name.rstrip(":") for name in names) + " |"
    yield "|" + "|".join("---:" if name.endswith(":") else "---" for name in names) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _more(number: int) -> Iterator[str]:
    if number > 0:
        yield f"and {number:,} more"
        yield ""


def _verdict(audit: Audit) -> Iterator[str]:
    coverage = audit.coverage
    nothing = "nothing judged" if not coverage.resources else "compliant"
    words = nothing if audit.compliant else "not compliant"
    yield f"## Data sovereignty: {words}, {'complete' if audit.complete else 'incomplete'}"
    yield ""
    place = f"; {_code(audit.scope.place)}" if audit.scope.place else ""
    yield (f"{audit.extent}{place}; {audit.depth_in_words}{'; ' if audit.depth_in_words else ''}{audit.finished_at}")
    yield ""


def _not_read(audit: Audit) -> Iterator[str]:
    coverage = audit.coverage
    holes = [scope for scope in coverage.scopes if scope.state != "read"]
    gaps = coverage.gaps_inside
    if holes:
        yield "**Not fully read:**"
        yield ""
        yield from _table(
            "state|scope|read:|expected:|why",
            (
                (
                    scope.state, _cell(scope.name), f"{scope.read:,}",
                    "" if scope.expected is None else f"{scope.expected:,}", _cell(scope.reason),
                )
                for scope in holes[:_FEW]
            ),
        )  # fmt: skip
        yield from _more(len(holes) - _FEW)
    if gaps:
        yield from _table("gap|what", ((_cell(gap.why), _cell(gap.what)) for gap in gaps[:_FEW]))
        yield from _more(len(gaps) - _FEW)
    if audit.unseen:
        yield f"{audit.unseen[0].upper()}{audit.unseen[1:]}."
        yield ""


def _checks(audit: Audit) -> Iterator[str]:
    yield from _table(
        "check|compliant|fail:|unknown:|exempt:|n/a:",
        (
            (
                check, _bar(counts), f"{counts.get('non-compliant', 0):,}", f"{counts.get('unknown', 0):,}",
                f"{counts.get('exempt', 0):,}", f"{counts.get('not-applicable', 0):,}",
            )
            for check in CHECKS
            if (counts := audit.summary.get(check)) is not None
        ),
    )  # fmt: skip
    unjudged = [*audit.policy.not_answerable, *audit.policy.not_asked]
    if unjudged:
        yield f"Not judged: {', '.join(dict.fromkeys(unjudged))}"
        yield ""


def _bar(counts: Mapping[State, int]) -> str:
    good, bad = counts.get("compliant", 0), counts.get("non-compliant", 0) + counts.get("unknown", 0)
    if not good + bad:
        return "nothing to judge"
    filled = good * _BAR // (good + bad)  # rounded down: a full bar means that all passed
    return f"`{'█' * filled}{'░' * (_BAR - filled)}` {100 * good // (good + bad)} %"


def _findings(audit: Audit) -> Iterator[str]:
    worst: list[Finding] = []
    failures: Counter[Check] = Counter()
    unknown: Counter[str] = Counter()
    checks: dict[str, dict[Check, None]] = {}
    for finding in audit.findings:
        if finding.state == "non-compliant":
            failures[finding.check] += 1
            if failures[finding.check] <= _FINDINGS // (len(audit.summary) or 1):
                worst.append(finding)
        elif finding.state == "unknown":
            unknown[finding.reason] += 1
            checks.setdefault(finding.reason, {})[finding.check] = None
    if worst:
        yield f"### {_counted(failures.total(), 'finding')}, the worst of each check"
        yield ""
        names = {scope.id: scope.name for scope in audit.coverage.scopes if scope.kind == "subscription"}
        headings = f"severity|check|{audit.thing}|found|expected|reason"
        yield from _table(headings, (_row(finding, names) for finding in worst))
        if failures.total() > len(worst):
            yield f"and {failures.total() - len(worst):,} more, which a .csv or .json report has"
            yield ""
        reasons = dict.fromkeys(finding.reason for finding in worst if finding.remediation)
        yield from (f"- {reason}: {REASONS[reason].remedy}" for reason in reasons)
        yield ""
    if unknown:
        yield f"### {unknown.total():,} unknown"
        yield ""
        yield from _table(
            "findings:|reason|checks|what to do",
            (
                (f"{count:,}", reason, ", ".join(checks[reason]), REASONS[reason].remedy if reason else "")
                for reason, count in sorted(unknown.items(), key=lambda item: (-item[1], item[0]))
            ),
        )


def _row(finding: Finding, names: dict[str, str]) -> tuple[str, ...]:
    actual = finding.actual or finding.reason
    says_it = finding.subject.endswith(actual)
    found = finding.subject if says_it else ": ".join(part for part in (finding.subject, actual) if part)
    subscription = names.get(finding.subscription_id.lower(), finding.subscription_id)
    inside = " / ".join(name for name in (subscription, finding.resource_group, finding.collection) if name)
    kind = finding.resource_type.lower().removeprefix("microsoft.")
    place = f"{kind} in {inside}" if inside else kind
    return (
        f"{finding.severity}{', advisory' if finding.advisory else ''}", finding.check,
        f"{_cell(finding.path)}<br>{_cell(place)}", _cell(found), _cell(finding.expected), finding.reason,
    )  # fmt: skip


def _waivers(audit: Audit) -> Iterator[str]:
    waivers = [waiver for waiver in audit.policy.waivers if waiver.state != "not judged"]
    if waivers:
        waivers.sort(key=lambda waiver: waiver.state == "in force")  # what needs somebody comes first
        yield "### Waivers"
        yield ""
        yield from _table(
            "state|check|for|owner|until|findings:",
            (
                (
                    waiver.state, waiver.check, _cell(waiver.target), _cell(waiver.owner), waiver.expires,
                    f"{waiver.findings:,}",
                )
                for waiver in waivers[:_FINDINGS]
            ),
        )  # fmt: skip
        yield from _more(len(waivers) - _FINDINGS)


def _policy(audit: Audit) -> Iterator[str]:
    view = audit.azure_policy
    if view is None:
        return
    yield "### Azure Policy"
    yield ""
    yield view.sentence
    yield ""
    yield from _differences(view)
    used = [exemption for exemption in view.exemptions if exemption.state != "matches nothing"]
    if used:
        yield from _table(
            "exemption|state|category|until|findings:",
            (
                (
                    _cell(use.name), use.state + (f": {_cell(use.why)}" if use.why else ""), _cell(use.category),
                    use.expires, f"{use.findings:,}",
                )
                for use in used[:_FEW]
            ),
        )  # fmt: skip
        yield from _more(len(used) - _FEW)


def _differences(view: AzurePolicy) -> Iterator[str]:
    if view.outcomes:
        yield from _table(
            "outcome|resources and checks:|meaning",
            (
                (outcome, f"{view.outcomes[outcome]:,}", words)
                for outcome, words in OUTCOMES.items()
                if outcome in view.outcomes
            ),
        )
    if view.differences:
        yield from _table(
            "difference|check|resource|Azure Policy|here|why",
            (
                (
                    item.outcome, item.check, _cell(item.resource_id.rpartition("/")[2]), _cell(item.azure),
                    item.ours or "not judged", _cell(item.why),
                )
                for item in view.differences[:_FEW]
            ),
        )  # fmt: skip
        yield from _more(view.different - min(_FEW, len(view.differences)))


def _read(audit: Audit) -> Iterator[str]:
    """What was read, and of how many resources nothing is known for a check."""
    scopes = [scope for scope in audit.coverage.scopes if scope.state == "read"]
    if scopes:
        yield f"<details><summary>Read: {_counted(len(scopes), 'scope')}</summary>"
        yield ""
        yield from _table(
            "scope|id|resources:",
            ((_cell(scope.name), _cell(scope.id), f"{scope.read:,}") for scope in scopes[:_FINDINGS]),
        )
        yield from _more(len(scopes) - _FINDINGS)
        yield "</details>"
        yield ""
    without: Counter[Check] = Counter()
    for kind in audit.coverage.types:
        without.update(dict.fromkeys(kind.not_assessed, kind.resources))
    if without:
        counts = ", ".join(f"{check} {count:,}" for check, count in without.items())
        yield f"Resources of types without facts for a check: {counts}"
        yield ""


def _controls(audit: Audit) -> Iterator[str]:
    rows = [(check, controls_in_brief(check)) for check in CHECKS if check in audit.summary]
    if rows:
        yield "<details><summary>Controls that the checks are evidence for</summary>"
        yield ""
        yield from _table("check|controls", rows)
        yield "</details>"
