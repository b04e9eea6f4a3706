"""Small results for a notebook: a title, a table, and what could not be read."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sovereignmesh.result.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["table_html"]


def table_html(
    title: str,
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    bar: tuple[int, int] | None = None,
    notes: Iterable[str] = (),
    unread: Iterable[tuple[str, str]] = (),
    colours: Mapping[str, str] | None = None,
) -> str:
    """A fragment of HTML in which everything is escaped; `bar` is how many of how many, `unread` is (what, why).

    Cells whose text is one of `colours` have that colour.
    """
    lines = [*notes, *(f"not read: {what}: {why}" for what, why in unread)]
    head = "".join(f"<th style='text-align:left;padding-right:1em'>{_text(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cell(cell, colours or {}) for cell in row)}</tr>" for row in rows)
    below = "".join(f"<div>{_text(line)}</div>" for line in lines)
    done = f' <progress value="{bar[0]}" max="{bar[1]}"></progress> {bar[0]} of {bar[1]}' if bar else ""
    return f"<div>{_text(title)}{done}</div><table><tr>{head}</tr>{body}</table>{below}"


def _cell(value: str, colours: Mapping[str, str]) -> str:
    style = (
        f"text-align:left;padding-right:1em;{f'color:{colours[value]};font-weight:bold' if value in colours else ''}"
    )
    return f"<td style='{style}'>{_text(value)}</td>"


def _text(value: str) -> str:
    return escape(printable(value))
