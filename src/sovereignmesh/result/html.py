"""An audit for a notebook: the same parts as the table, as HTML with its own style and nothing fetched."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Final

from sovereignmesh.result.checks import CHECKS
from sovereignmesh.result.controls import controls_of
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.result.audit import Audit

__all__ = ["audit_html"]

_SHOWN: Final = 50
_NAMED: Final = 10
_COLOURS: Final = {"high": "#c62828", "medium": "#b26a00", "low": "#00719c", "unknown": "#7b1fa2", "exempt": "#607d8b"}
_STYLE: Final = """
.sm-audit{font:13px/1.45 system-ui,sans-serif;max-width:72em}
.sm-audit table{border-collapse:collapse;margin:.8em 0;font:inherit}
.sm-audit th,.sm-audit td{text-align:left;padding:.2em .8em;vertical-align:top;border-bottom:1px solid #8883}
.sm-audit td.n{text-align:right;font-variant-numeric:tabular-nums}
.sm-audit .bar{display:inline-block;width:9em;height:.7em;background:#c6282855;border-radius:.2em;overflow:hidden}
.sm-audit .bar i{display:block;height:100%;background:#2e7d32}
.sm-audit .tag{color:#fff;border-radius:.25em;padding:0 .45em;white-space:nowrap}
.sm-audit small{opacity:.7;overflow-wrap:anywhere}
.sm-audit .todo{min-width:20em}
"""


def audit_html(audit: Audit) -> str:
    """A fragment of HTML; everything that comes from a resource or a mesh is escaped."""
    return "".join(
        (f"<div class='sm-audit'><style>{_STYLE}</style>", *_verdict(audit), *_checks(audit), *_findings(audit),
         *_domains(audit), *_policy(audit), *_coverage(audit), *_controls(audit), "</div>")
    )  # fmt: skip


def _text(value: object) -> str:
    return escape(printable(str(value)))


def _tag(label: str, colour: str) -> str:
    return f"<span class='tag' style='background:{colour}'>{_text(label)}</span>"


def _table(headings: Iterable[str], rows: Iterable[str]) -> Iterator[str]:
    yield "<table><thead><tr>" + "".join(f"<th>{heading}</th>" for heading in headings) + "</tr></thead><tbody>"
    yield from (f"<tr>{row}</tr>" for row in rows)
    yield "</tbody></table>"


def _numbers(*numbers: int) -> str:
    return "".join(f"<td class='n'>{number:,}</td>" for number in numbers)


def _verdict(audit: Audit) -> Iterator[str]:
    good, bad = "#2e7d32", "#c62828"
    yield _tag("compliant", good) if audit.compliant else _tag("not compliant", bad)
    yield " " + (_tag("complete", good) if audit.complete else _tag("incomplete", bad))
    yield (f" <small>{_text(audit.extent)}; {_text(audit.scope.place)} {_text(audit.finished_at)}</small>")
    if holes := audit.coverage.holes:
        yield f"<p><b>Not fully read: {_text(listed(holes, _NAMED))}.</b> The reasons are at the end.</p>"


def _checks(audit: Audit) -> Iterator[str]:
    rows = []
    for check in CHECKS:
        if check not in audit.summary:
            continue
        counts = audit.summary[check]
        good, bad = counts.get("compliant", 0), counts.get("non-compliant", 0) + counts.get("unknown", 0)
        share = int(100 * good / (good + bad)) if good + bad else None
        bar = (
            "nothing to judge"
            if share is None
            else f"<span class='bar'><i style='width:{share}%'></i></span> {share} %"
        )
        numbers = _numbers(
            counts.get("non-compliant", 0), counts.get("unknown", 0), counts.get("exempt", 0),
            counts.get("not-applicable", 0),
        )  # fmt: skip
        rows.append(f"<td>{check}</td><td>{bar}</td>{numbers}")
    yield from _table(("check", "compliant", "fail", "unknown", "exempt", "n/a"), rows)


def _findings(audit: Audit) -> Iterator[str]:
    rows = []
    for finding in islice(audit.findings, _SHOWN):
        label = finding.severity if finding.state == "non-compliant" else finding.state
        what = ": ".join(part for part in (finding.subject, finding.actual or finding.reason) if part)
        rows.append(
            f"<td>{_tag(label, _COLOURS.get(label, '#2e7d32'))}</td><td>{_text(finding.check)}</td>"
            f"<td title='{_text(finding.resource_id)}'>{_text(finding.path)}<br>"
            f"<small>{_text(finding.resource_type)} in "
            f"{_text(finding.collection or finding.resource_group)}</small></td>"
            f"<td>{_text(what)}<br><small>expected {_text(finding.expected)}</small></td>"
            f"<td class='todo' title='{_text(finding.why)}'>{_text(finding.remediation)}</td>"
        )
    if rows:
        yield from _table(("", "check", audit.thing, "found", "what to do"), rows)
    if len(audit.findings) > _SHOWN:
        yield f"<p><small>The worst {_SHOWN} of {len(audit.findings):,} findings; all of them: to_pandas()</small></p>"


def _domains(audit: Audit) -> Iterator[str]:
    if any(domain.domain for domain in audit.domains):
        rows = (
            f"<td>{_text(domain.domain or 'no domain')}</td>"
            + _numbers(domain.resources, domain.high, domain.medium, domain.low, domain.unknown)
            for domain in audit.domains
        )
        yield from _table(("domain", f"{audit.thing}s", "high", "medium", "low", "unknown"), rows)


def _policy(audit: Audit) -> Iterator[str]:
    view = audit.azure_policy
    if view is None:
        return
    yield f"<p><b>Azure Policy.</b> {_text(view.sentence)}</p>"
    if view.differences:
        rows = (
            f"<td>{_text(item.outcome)}</td><td>{_text(item.check)}</td>"
            f"<td title='{_text(item.resource_id)}'>{_text(item.resource_id.rpartition('/')[2])}</td>"
            f"<td>{_text(item.azure)}</td><td>{_text(item.ours or 'not judged')}</td><td>{_text(item.why)}</td>"
            for item in view.differences[:_NAMED]
        )
        yield from _table(("difference", "check", "resource", "Azure Policy", "here", "why"), rows)
        if (more := view.different - min(_NAMED, len(view.differences))) > 0:
            yield f"<p><small>and {more:,} more differences</small></p>"
    used = [use for use in view.exemptions if use.state != "matches nothing"]
    if used:
        rows = (
            f"<td>{_text(use.name)}<br><small>{_text(use.category)}</small></td><td>{_text(use.state)} "
            f"{_text(use.why)}</td><td>{_text(use.expires)}</td>{_numbers(use.findings)}"
            for use in used[:_NAMED]
        )
        yield from _table(("exemption", "state", "until", f"findings ({len(used):,})"), rows)


def _controls(audit: Audit) -> Iterator[str]:
    rows = [
        f"<td>{check}</td><td>"
        + ", ".join(
            f"<span title='{_text(control.title)}'>{_text(control.name)}</span>" for control in controls_of(check)
        )
        + "</td>"
        for check in CHECKS
        if check in audit.summary
    ]
    if rows:
        yield "<details><summary>Controls that the checks are evidence for</summary>"
        yield from _table(("check", "controls"), rows)
        yield "</details>"


def _coverage(audit: Audit) -> Iterator[str]:
    scopes = [scope for some in audit.coverage.by_state.values() for scope in some]
    rows = (
        f"<td>{_text(scope.state)}</td><td>{_text(scope.name)}</td>{_numbers(scope.read)}"
        f"<td class='n'>{'' if scope.expected is None else f'{scope.expected:,}'}</td><td>{_text(scope.reason)}</td>"
        for scope in scopes[:_SHOWN]
    )
    yield from _table(("coverage", "scope", "read", "expected", "why not all"), rows)
    if len(scopes) > _SHOWN:
        yield f"<p><small>and {len(scopes) - _SHOWN:,} more scopes</small></p>"
    if audit.depth_in_words:
        yield f"<p><small>{_text(audit.depth_in_words)}</small></p>"
    if audit.unseen:
        yield f"<p><small>{_text(audit.unseen)}</small></p>"
    gaps = audit.coverage.gaps_inside
    rows = (f"<td>{_text(gap.why)}</td><td>{_text(gap.what)}</td>" for gap in gaps[:_SHOWN])
    if gaps:
        yield from _table(("gap", f"what ({len(gaps):,})"), rows)
    for waiver in audit.policy.waivers:
        if waiver.state in ("expired", "matches nothing"):
            yield f"<p>Waiver {waiver.state}: {_text(waiver.check)} for {_text(waiver.target)}</p>"
    unjudged = [*audit.policy.not_answerable, *audit.policy.not_asked]
    if unjudged:
        yield f"<p><small>Not judged: {_text(', '.join(unjudged))}</small></p>"
    partly = [kind for kind in audit.coverage.types if kind.not_assessed]
    if partly:
        names = ", ".join(kind.type for kind in partly[:5]) + (", …" if len(partly) > 5 else "")  # noqa: PLR2004
        yield f"<p><small>{len(partly)} types have no facts for some of the checks: {_text(names)}</small></p>"
