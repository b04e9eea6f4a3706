"""A contract's checks, quality and changes, as tables that fit the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from sovereignmesh.cli.fitting import fit, open_console, print_rows, table_of
from sovereignmesh.contracts import percent
from sovereignmesh.mesh.validity import fields_of, parse_rule
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from rich.console import Console

    from sovereignmesh.contracts import CheckResult, ContractChange, ContractResult, Quality

__all__ = ["print_changes", "print_contract", "print_failing", "print_quality"]

_STATE: Final = ""
_WORDS: Final = {"compliant": "ok", "non-compliant": "FAIL", "unknown": "unknown"}
_STYLES: Final = {
    "ok": "green",
    "FAIL": "bold red",
    "unknown": "magenta",
    "BREAKING": "bold red",
    "compatible": "green",
}
_ORDER: Final = ("non-compliant", "unknown", "compliant")
_BAR: Final = 20


def print_contract(result: ContractResult, *, show_compliant: bool) -> None:
    """Prints every check that is not compliant, what fails first, and the others in one line, or likewise."""
    console = open_console()
    console.print(Text(printable(result.title), "bold green" if result.ok else "bold red"), soft_wrap=True)
    names = (_STATE, "check", "field", "severity", "expected", "observed")
    shown = [check for check in result.checks if show_compliant or check.state != "compliant"]
    rows = [
        (_WORDS[check.state], check.check, check.field, check.severity, check.expected, _observed(check))
        for check in sorted(shown, key=lambda check: _ORDER.index(check.state))
    ]
    if rows:
        _print(console, names, rows, folded=("expected", "observed", "field"), least=("severity", "expected"))
    if fine := [f"{check.check} {check.field}".strip() for check in result.checks if check not in shown]:
        console.print(Text.assemble(("ok ", "green"), printable(", ".join(fine))))


def _observed(check: CheckResult) -> str:
    return check.reason if check.state == "unknown" else check.observed


def print_failing(result: ContractResult, rows: Sequence[dict[str, Any]]) -> None:
    """Prints rows that break a rule, with the fields that the rules read, and the key; what is masked stays so."""
    console = open_console()
    if not rows:
        return
    schema = result.contract.data_schema
    read = {rule.name: fields_of(parse_rule(rule.rule)) for rule in schema.validity_rules}
    told = {*schema.primary_key}
    for row in rows:
        for name in row["broken"]:
            check, _, field = name.partition(" ")
            told |= read[field] if check == "validity-rule" else {field}
    names = [name for name in rows[0]["row"] if name in told]
    cells = [
        (", ".join(row["broken"]), *("" if row["row"][name] is None else str(row["row"][name]) for name in names))
        for row in rows
    ]
    _print(console, ("broken", *names), cells, folded=("broken", *names), status="broken")


def print_quality(quality: Quality, wanted: Iterable[tuple[str, float | None]], checks: Sequence[CheckResult]) -> None:
    """Prints each figure with a bar against what is promised, then the completeness of each field."""
    console = open_console()
    states: dict[str, str] = {check.check: _WORDS[check.state] for check in checks}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", overflow="fold")
    table.add_column("measured", no_wrap=True)
    table.add_column("promised", no_wrap=True)
    table.add_column(_STATE, overflow="fold")
    for name, least in wanted:
        value = getattr(quality, name)
        state = states.get(name, "")
        why = quality.reasons.get(name, "") if value is None else ""
        told = Text(printable(f"{state} {why}".strip()), _STYLES.get(state, ""))
        table.add_row(Text(name, "bold"), _bar(value), "" if least is None else percent(least), told)
    for name, share in quality.fields.items():
        table.add_row(Text(printable(f"  {name}")), _bar(share), "", "")
    console.print(table)
    for check in checks:
        if check.check in ("freshness", "present-fields", "row-count") and check.state != "compliant":
            state = _WORDS[check.state]
            words = f"  {_observed(check)}; expected {check.expected}"
            console.print(Text.assemble((f"{check.check} ", "bold"), (state, _STYLES[state]), printable(words)))


def _bar(value: float | None) -> Text:
    if value is None:
        return Text("unknown", "magenta")
    filled = int(_BAR * value / 100)
    return Text.assemble(("█" * filled, "green"), ("░" * (_BAR - filled), "red"), f" {percent(value)}")


def print_changes(changes: Sequence[ContractChange]) -> None:
    """Prints each change, what breaks first."""
    console = open_console()
    names = (_STATE, "contract", "what", "old", "new", "why")
    rows = [
        ("BREAKING" if one.breaking else "compatible", one.contract, one.what, one.old, one.new, one.why)
        for one in sorted(changes, key=lambda one: not one.breaking)
    ]
    if rows:
        _print(console, names, rows, folded=("contract", "old", "new", "why"), least=("contract", "old"))
    breaking = sum(one.breaking for one in changes)
    told = f"{len(changes)} change{'s' * (len(changes) != 1)}, {breaking} breaking" if changes else "nothing changes"
    console.print(Text(told, "bold"), soft_wrap=True)


def _print(
    console: Console,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    folded: Sequence[str] = (),
    least: Sequence[str] = (),
    status: str = _STATE,
) -> None:
    kept, shown = fit(names, rows, console.width, least, folded=set(folded))
    styles = [_STYLES.get(row[kept.index(status)], "") for row in shown] if status in kept else [""] * len(shown)
    print_rows(console, table_of(kept, shown, status, styles), names)
