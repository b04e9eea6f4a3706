"""What every audit does alike: which checks, how the result is told and written, and how the command ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from sovereignmesh.cli.common import folder_of
from sovereignmesh.errors import ReportError
from sovereignmesh.report import SUFFIXES, write_json, write_report
from sovereignmesh.result import Severity, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sovereignmesh.result import Audit, Check

__all__ = ["audit_options", "exit_code", "say", "tell_audit"]

Command = TypeVar("Command", bound="Callable[..., Any]")


def _checked_suffix(_ctx: click.Context, _param: click.Parameter, files: tuple[Path, ...]) -> tuple[Path, ...]:
    for file in files:
        if file.suffix not in SUFFIXES:
            raise click.BadParameter(f"{file}: a report is written by suffix; known: {', '.join(SUFFIXES)}")
        folder_of(file)
    return files


def audit_options(checks: Sequence[Check]) -> Callable[[Command], Command]:
    """The options of an audit that can answer these checks."""
    options = (
        click.option(
            "--check",
            "checks",
            multiple=True,
            type=click.Choice(checks),
            help="Only this check; may be repeated.",
        ),
        click.option(
            "--fail-on",
            type=click.Choice([*get_args(Severity), "never"]),
            default="low",
            show_default=True,
            help="Exit 3 for a finding this bad or worse.",
        ),
        click.option("--allow-unknown", is_flag=True, help="What is unknown does not count for the exit code."),
        click.option("--show-compliant", is_flag=True, help="Also list what passed, in JSON and files."),
        click.option("--format", "output", type=click.Choice(["table", "json"]), default="table", show_default=True),
        click.option(
            "-o",
            "reports",
            metavar="FILE",
            multiple=True,
            type=click.Path(path_type=Path, dir_okay=False),
            callback=_checked_suffix,
            help=f"Also write a report, by suffix {' '.join(SUFFIXES)}; may be repeated.",
        ),
    )

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def tell_audit(result: Audit, reports: tuple[Path, ...], output: str, resume: Path | None = None) -> None:
    """Writes the reports, and the result to standard output; one that cannot be written holds no other up."""
    failed: list[ReportError] = []
    for file in reports:
        try:
            write_report(result, file)
        except ReportError as error:
            failed.append(error)
            continue
        if file.suffix == ".csv" and not result.complete:
            say(f"{printable(str(file))} holds findings alone; what was not read is in the table, a .json or a .md")
    if resume and not result.complete:
        say(f"to go on with what was read: the same command with --resume {printable(str(resume))}")
    if output == "json":
        write_json(result, sys.stdout)
    else:
        from sovereignmesh.result.table import print_audit  # noqa: PLC0415 - rich is not needed for JSON

        print_audit(result)
    if failed:
        raise ReportError("; ".join(map(str, failed)))


def exit_code(result: Audit, fail_on: Any, *, allow_unknown: bool) -> int:
    """How the command ends: incomplete before not compliant."""
    if not result.complete:
        return 4
    return 3 if fail_on != "never" and result.fails_at(fail_on, allow_unknown=allow_unknown) else 0


def say(words: str) -> None:
    """A line on standard error, above a bar if there is one, which takes what is written to it."""
    sys.stderr.write(f"{words}\n")
