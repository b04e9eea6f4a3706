"""Tables that fit the terminal, and what could not be read below them: what several commands print alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from sovereignmesh.plan import Unread

__all__ = ["fit", "open_console", "print_rows", "print_unread", "table_of"]

_PIPED: Final = 240  # columns where nobody's terminal says how many there are
_FOLDED: Final = 16  # columns that a text which may be folded has at the least, or as many as it needs
_BETWEEN: Final = 2  # columns of space between two of a table


def open_console() -> Console:
    """The console that results are printed on."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED)


def fit(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    least: Iterable[str] = (),
    folded: Container[str] = (),
) -> tuple[list[str], list[list[str]]]:
    """The columns that a terminal has place for, and the rows with them; empty columns go first, then the `least`."""
    wide = {name: max(map(len, (name, *column))) for name, *column in zip(names, *rows, strict=True)}
    wide = {name: _BETWEEN + (min(size, _FOLDED) if name in folded else size) for name, size in wide.items()}
    kept = list(names)
    empty = [name for name, *column in zip(names, *rows, strict=True) if not any(column)]
    for name in (*empty, *least):
        if sum(wide[each] for each in kept) - _BETWEEN > width and name in kept:
            kept.remove(name)
    places = [names.index(name) for name in kept]
    return kept, [[row[place] for place in places] for row in rows]


def table_of(
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    status: str,
    styles: Iterable[str],
    *,
    numbers: Container[str] = (),
    whole: Container[str] = (),
) -> Table:
    """A table; by row the style of what is in the column `status`. What is `whole` is never folded: it is copied."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(
            name, overflow="fold", justify="right" if name in numbers else "left", no_wrap=name in whole
        )  # fmt: skip
    for row, style in zip(rows, styles, strict=True):
        cells = [Text(printable(cell)) for cell in row]
        cells[names.index(status)].stylize(style)
        table.add_row(*cells)
    return table


def print_rows(console: Console, table: Table, names: Sequence[str]) -> None:
    """Prints a table, and where it lacks some of the columns with these names, that there are more."""
    console.print(table)
    if len(table.columns) < len(names):
        console.print(Text("a wider terminal, or --format json, has more columns", "dim"), soft_wrap=True)


def print_unread(console: Console, unread: Iterable[Unread]) -> None:
    """Prints what could not be read, and why."""
    for what, why in unread:
        console.print(Text(printable(f"not read: {what}: {why}"), "red"), soft_wrap=True)
