"""A contract's checks, quality and changes, as tables that fit the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from sovereignmesh.cli.fitting import fit, open_console, print_rows, table_of
from sovereignmesh.contracts import percent
from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def print_contract(result: ContractResult) -> None:
    """Prints every check, what fails first."""
    console = open_console()
    console.print(Text(printable(result.title), "bold green" if result.ok else "bold red"), soft_wrap=True)
    names = (_STATE, "check", "field", "expected", "observed")
    checks = sorted(result.checks, key=lambda check: _ORDER.index(check.state))
    rows = [(_WORDS[check.state], check.check, check.field, check.expected, _observed(check)) for check in checks]
    _print(console, names, rows, folded=("expected", "observed", "field"), least=("expected",))


def _observed(check: CheckResult) -> str:
    return check.reason if check.state == "unknown" else check.observed


def print_failing(rows: Sequence[dict[str, object]]) -> None:
    """Prints rows that break a rule; values that nobody may see are masked already."""
    console = open_console()
    if rows:
        names = ("broken", *(name for name in rows[0] if name != "broken"))
        shown = [
            (", ".join(row["broken"]), *("" if row[name] is None else str(row[name]) for name in names[1:]))  # type: ignore[arg-type]
            for row in rows
        ]
        _print(console, names, shown, folded=names, status="broken")


def print_quality(quality: Quality, wanted: Iterable[tuple[str, float | None]], checks: Sequence[CheckResult]) -> None:
    """Prints each figure with a bar against what is promised, then the completeness of each field."""
    console = open_console()
    states: dict[str, str] = {check.check: _WORDS[check.state] for check in checks}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "measured", "promised", _STATE):
        table.add_column(name, overflow="fold")
    for name, least in wanted:
        value = getattr(quality, name)
        state = states.get(name, "")
        promised = "" if least is None else percent(least)
        why = quality.reasons.get(name, "") if value is None else ""
        table.add_row(
            Text(name, "bold"), _bar(value), promised, Text(printable(f"{state} {why}".strip()), _STYLES.get(state, ""))
        )
    for name, share in quality.fields.items():
        table.add_row(Text(printable(f"  {name}")), _bar(share), "", "")
    console.print(table)
    for check in checks:
        if check.check == "freshness":
            state = _WORDS[check.state]
            words = f"  {check.observed or check.reason}; expected {check.expected}"
            console.print(
                Text.assemble(("freshness ", "bold"), (state, _STYLES[state]), printable(words)), soft_wrap=True
            )


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
        _print(console, names, rows, folded=("contract", "old", "new", "why"), least=("why", "contract"))
    breaking = sum(one.breaking for one in changes)
    told = (
        "nothing changes" if not changes else f"{len(changes)} change{'s' * (len(changes) != 1)}, {breaking} breaking"
    )
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
