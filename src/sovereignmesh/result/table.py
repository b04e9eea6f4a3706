"""An audit for a terminal: the verdict, each check with its worst findings, the domains, and what was covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sovereignmesh.result.checks import CHECKS
from sovereignmesh.result.controls import controls_in_brief
from sovereignmesh.result.reasons import REASONS
from sovereignmesh.result.text import listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from sovereignmesh.result.audit import Audit, Coverage, Scope
    from sovereignmesh.result.azure_policy import AzurePolicy
    from sovereignmesh.result.checks import Check, State
    from sovereignmesh.result.finding import Finding

__all__ = ["print_audit"]

_SHOWN: Final = 8  # findings of a check; all of them are in a report
_BAR, _SHORTEST = 18, 4
_NUMBERS: Final = 58  # characters of a check's row besides its bar
_NARROWEST: Final = 20
_DOMAINS: Final = 30
_PLACES: Final = 2  # of a gap
_PLAIN: Final = str.maketrans({"█": "#", "░": "-", "…": "~"})  # for an output that knows no more than ASCII
_STYLES: Final = {"high": "bold red", "medium": "yellow", "low": "cyan", "unknown": "magenta", "exempt": "dim"}
_PASS, _FAIL = "bold green", "bold red"


def print_audit(audit: Audit, console: Console | None = None) -> None:
    """Prints the audit; without colour and control codes where the output is no terminal or NO_COLOR is set."""
    console = console or Console(highlight=False, soft_wrap=False)
    if console.width < _NARROWEST:
        console.width = 80
    if console.is_terminal:
        for part in _parts(audit, console.width):
            console.print(part)
        return
    with console.capture() as capture:
        for part in _parts(audit, console.width):
            console.print(part)
    plain = None if console.encoding.lower().startswith("utf") else _PLAIN
    for line in capture.get().splitlines():  # no cell's padding where a program may read
        console.file.write(line.rstrip().translate(plain or {}) + "\n")


def _parts(audit: Audit, width: int) -> Iterator[RenderableType]:
    yield _verdict(audit)
    yield from _not_read(audit)
    yield _checks(audit, max(_SHORTEST, min(_BAR, width - _NUMBERS)))
    for check, findings, count in _by_check(audit):
        yield ""
        wanted = {finding.expected for finding in findings}
        same = f"; expected {printable(wanted.pop())}" if len(wanted) == 1 and wanted != {""} else ""
        yield Text.assemble((check, "bold"), (f"  {_counted(count, 'finding')}{same}", "dim"))
        yield Text(_controls(check), "dim")
        yield _findings(findings, say_expected=not same)
        for reason in dict.fromkeys(finding.reason for finding in findings if finding.remediation):
            yield _note(f"{reason}: {REASONS[reason].remedy}", "italic")
        if count > len(findings):
            yield _note(f"and {count - len(findings):,} more: -o findings.csv, or --format json")
    if any(domain.domain for domain in audit.domains):
        yield ""
        yield _domains(audit)
    if audit.azure_policy is not None:
        yield ""
        yield from _policy(audit.azure_policy)
    yield ""
    yield from _coverage(audit)


def _verdict(audit: Audit) -> Text:
    coverage = audit.coverage
    nothing = ("NOTHING JUDGED", _FAIL)
    good = ("compliant", _PASS) if coverage.resources else nothing
    words = Text.assemble(
        good if audit.compliant else ("NOT COMPLIANT", _FAIL),
        ", ",
        ("complete", _PASS) if audit.complete else ("INCOMPLETE", _FAIL),
    )
    words.append(f"    {audit.extent}", "dim")
    return words.append(f"\n{printable(audit.scope.place)}", "dim") if audit.scope.place else words


def _not_read(audit: Audit) -> Iterator[Text]:
    """What makes the audit incomplete, in a line: it comes before anything that was found."""
    names = [printable(name) for name in audit.coverage.holes]
    if names:
        yield Text(f"not fully read: {listed(names, _SHOWN)}; the reasons are at the end", _FAIL)


def _checks(audit: Audit, bar: int) -> RenderableType:
    between = 1 if bar == _SHORTEST else 2  # a narrow terminal has no room for more
    table = Table(box=None, pad_edge=False, padding=(0, between, 0, 0), header_style="dim")
    table.add_column("check", no_wrap=True)
    table.add_column("compliant", no_wrap=True)
    for heading in ("fail", "unknown", "exempt", "n/a"):
        table.add_column(heading, justify="right", no_wrap=True)
    for check in CHECKS:
        if check in audit.summary:
            counts = audit.summary[check]
            table.add_row(check, _bar(counts, bar), *_numbers(counts))
        elif why := _why_not_judged(audit, check):
            table.add_row(Text(check, "dim"), Text(why, "dim"))
    return Padding(table, (1, 0, 0, 0))


def _why_not_judged(audit: Audit, check: Check) -> str:
    if check in audit.policy.not_answerable:
        return "not in a list of resources"
    return "not asked by the mesh" if check in audit.policy.not_asked else ""


def _bar(counts: Mapping[State, int], width: int) -> Text:
    good, bad = counts.get("compliant", 0), counts.get("non-compliant", 0) + counts.get("unknown", 0)
    if not good + bad:
        return Text("nothing to judge", "dim")
    share = good / (good + bad)
    filled = int(share * width)  # rounded down: a full bar means that all passed
    percent = f" {int(share * 100):3d} %"
    return Text.assemble(("█" * filled, "green"), ("░" * (width - filled), "red"), percent)


def _numbers(counts: Mapping[State, int]) -> Iterator[Text]:
    styles: tuple[tuple[State, str], ...] = (
        ("non-compliant", "red"), ("unknown", "magenta"), ("exempt", ""), ("not-applicable", "dim"),
    )  # fmt: skip
    for state, style in styles:
        number = counts.get(state, 0)
        yield Text(f"{number:,}", style if number else "dim")


def _by_check(audit: Audit) -> Iterator[tuple[Check, list[Finding], int]]:
    """Each check's worst findings and how many there are; the check with the worst comes first."""
    worst: dict[Check, list[Finding]] = {}
    count: dict[Check, int] = {}
    for finding in audit.findings:
        if finding.passed:  # listed in reports alone; the summary counts it
            continue
        count[finding.check] = count.get(finding.check, 0) + 1
        shown = worst.setdefault(finding.check, [])
        if len(shown) < _SHOWN:
            shown.append(finding)
    return ((check, worst[check], count[check]) for check in sorted(worst, key=lambda check: worst[check][0].order))


def _controls(check: Check) -> str:
    """The controls of a check, so short that most fit a line."""
    words = controls_in_brief(check)
    for long, short in (("Art. ", ""), ("DORA RTS", "RTS"), ("ISO 27001", "ISO")):
        words = words.replace(long, short)
    return words


def _findings(findings: list[Finding], *, say_expected: bool) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2), expand=True)
    table.add_column(no_wrap=True, width=8)
    table.add_column(ratio=3, overflow="ellipsis", no_wrap=True)
    table.add_column(ratio=4, overflow="fold")
    for finding in findings:
        label = finding.severity if finding.state == "non-compliant" else finding.state
        name = Text(printable(finding.path))
        name.append(f"\n{_place(finding)}", "dim")
        what = Text(_what(finding))
        for remark in _remarks(finding, say_expected=say_expected):
            what.append(f"\n{remark}", "dim")
        table.add_row(Text(label, _STYLES.get(label, "")), name, what)
    return table


def _place(finding: Finding) -> str:
    kind = finding.resource_type.lower().removeprefix("microsoft.")
    # The group first: where there is no room for both, the kind can be guessed from the name.
    place = finding.collection or finding.resource_group or finding.subscription_id or "no group"
    return printable(f"{place}, {kind}")


def _what(finding: Finding) -> str:
    actual = finding.actual or finding.reason
    if finding.subject.endswith(actual):
        return printable(finding.subject)
    return printable(f"{finding.subject}: {actual}" if finding.subject else actual)


def _remarks(finding: Finding, *, say_expected: bool) -> Iterator[str]:
    if finding.waiver:
        until = f" until {finding.waiver['expires']}" if finding.waiver["expires"] else ""
        yield printable(f"waived{until}: {finding.waiver['reason']}")
    elif say_expected and finding.expected:
        yield printable(f"expected {finding.expected}")
    if finding.advisory:
        yield "advisory: does not count"


def _domains(audit: Audit) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("domain", overflow="ellipsis", no_wrap=True, max_width=30)
    for heading in (f"{audit.thing}s", "high", "medium", "low", "unknown"):
        table.add_column(heading, justify="right")
    for domain in audit.domains[:_DOMAINS]:
        name = Text(printable(domain.domain)) if domain.domain else Text("no domain", "dim")
        numbers = (
            Text(f"{number:,}", _STYLES[level] if number else "dim")
            for level, number in (
                ("high", domain.high),
                ("medium", domain.medium),
                ("low", domain.low),
                ("unknown", domain.unknown),
            )
        )
        table.add_row(name, f"{domain.resources:,}", *numbers)
    if len(audit.domains) > _DOMAINS:
        table.add_row(Text(f"and {len(audit.domains) - _DOMAINS:,} more", "dim"))
    return table


def _policy(view: AzurePolicy) -> Iterator[RenderableType]:
    yield Text.assemble(("Azure Policy", "bold"), (f"  {view.sentence}", "dim"))
    for item in view.differences[:_SHOWN]:
        name = printable(item.resource_id.rpartition("/")[2])
        azure = printable(f"Azure Policy: {item.azure}; here: {item.ours or 'not judged'}; {item.why}")
        yield _note(f"{item.outcome:11} {item.check}  {name}\n  {azure}", "")
    if (more := view.different - min(_SHOWN, len(view.differences))) > 0:
        yield _note(f"and {more:,} more differences: --format json")
    unused = [use for use in view.exemptions if use.state in ("expired", "not understood")]
    for use in unused[:_SHOWN]:
        because = f": {printable(use.why)}" if use.why else ""
        yield _note(f"exemption {printable(use.name)} {use.state}{because}", "yellow")
    if len(unused) > _SHOWN:
        yield _note(f"and {len(unused) - _SHOWN:,} more exemptions: --format json")


def _coverage(audit: Audit) -> Iterator[RenderableType]:
    coverage = audit.coverage
    yield from _scopes(coverage, audit.thing)
    gaps: dict[str, list[str]] = {}
    for gap in coverage.gaps_inside:
        gaps.setdefault(gap.why, []).append(gap.what)
    for why, places in list(gaps.items())[:_SHOWN]:
        yield _note(f"gap: {printable(why)}: {', '.join(map(printable, places[:_PLACES]))}", "red")
        if len(places) > _PLACES:
            yield _note("  and more: --format json", "red")
    if (left := len(gaps) - _SHOWN) > 0:
        yield _note(f"and {left:,} more reasons: --format json", "red")
    if audit.depth_in_words:
        yield _note(audit.depth_in_words)
    if audit.unseen:
        yield _note(audit.unseen)
    if audit.scope.excluded:
        yield _note(f"excluded: {printable(', '.join(audit.scope.excluded))}")
    yield from _not_judged(audit)


def _scopes(coverage: Coverage, thing: str) -> Iterator[Text]:
    """What was not read, with the reason, then what was: each where they are few, else how many."""
    for state, scopes in coverage.by_state.items():
        for scope in scopes[:_SHOWN]:
            yield _scope(scope, thing)
        if more := scopes[_SHOWN:]:
            count = sum(scope.read for scope in more)
            yield Text(f"{state:8}and {len(more):,} more: {count:,} {thing}s read", "dim" if state == "read" else _FAIL)


def _not_judged(audit: Audit) -> Iterator[RenderableType]:
    coverage = audit.coverage
    if coverage.repeated:
        yield _note(f"{_counted(coverage.repeated, 'row')} repeated a {audit.thing} that was read already")
    without: dict[Check, int] = {}
    for kind in coverage.types:
        for check in kind.not_assessed:
            without[check] = without.get(check, 0) + kind.resources
    if without:
        listed = ", ".join(f"{check} {count:,}" for check, count in without.items())
        yield _note(f"resources of types without facts for a check: {listed}")
    for waiver in audit.policy.waivers:
        if waiver.state in ("expired", "matches nothing"):
            yield _note(f"waiver {waiver.state}: {waiver.check} for {printable(waiver.target)}", "yellow")


def _scope(scope: Scope, thing: str) -> Text:
    expected = "" if scope.expected in (None, scope.read) else f" of {scope.expected:,}"
    style = "dim" if scope.state == "read" else _FAIL
    read = "" if scope.kind == "management-group" else f": {_counted(scope.read, thing, expected)} read"
    words = Text.assemble((f"{scope.state:8}", style), f"{printable(scope.name)}{read}")
    if scope.kind != "file" and scope.reason:
        words.append(f"; {printable(scope.reason)}", style)
    return words


def _note(words: str, style: str = "dim") -> Padding:
    """A line below something, with all that does not fit it."""
    return Padding(Text(words, style), (0, 0, 0, 2))


def _counted(number: int, noun: str, of: str = "") -> str:
    return f"{number:,}{of} {noun}" + ("" if number == 1 and not of else "s")
