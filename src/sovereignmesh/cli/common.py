"""What several commands do alike."""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import click

from sovereignmesh.result import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sovereignmesh.azure import Azure

__all__ = [
    "Interruptions",
    "azure_options",
    "coloured",
    "duration",
    "find_mesh",
    "folder_of",
    "open_azure",
    "reading",
    "tell_forgotten",
    "write_new",
]

Command = TypeVar("Command", bound="Callable[..., Any]")
_DEFAULT: Final = Path("mesh")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_LEAN: Final = {
    "POLARS_ROW_GROUP_PREFETCH_SIZE": "2",
    "POLARS_IDEAL_MORSEL_SIZE": "20000",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:50,muzzy_decay_ms:0",  # read when Polars is imported
}
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


def find_mesh(given: Path | None, estate: str | None = None) -> Path:
    """The mesh that a command works on: the one given, else the sandbox estate's own, else ./mesh.

    Ends the command where there is none.
    """
    if given is None and estate is not None:
        from sovereignmesh.sandbox import estate_mesh  # noqa: PLC0415 - only for the sandbox

        return estate_mesh(estate)
    path = given or _DEFAULT
    if not path.exists():
        hint = f"no mesh at {printable(str(path))}: write one with `sovereignmesh init`, or give the path of yours"
        raise click.ClickException(hint)
    return path


def folder_of(file: Path) -> Path:
    """The file, when a file can be put there. Raises BadParameter before any work is done for it."""
    if not file.parent.is_dir():
        raise click.BadParameter(f"{file}: there is no folder {file.parent}")
    return file


@contextmanager
def reading(data: str) -> Iterator[None]:
    """While data is read: that it is, on a terminal, and Polars holds less of a file at once than it would.

    Its allocator gives memory back sooner, too. Measured by `scripts/bench contracts`: 360 MB instead of 640, for the
    same time. A user's own settings stay.
    """
    for name, value in _LEAN.items():
        os.environ.setdefault(name, value)
    from rich.console import Console  # noqa: PLC0415 - only for data
    from rich.markup import escape  # noqa: PLC0415

    # Whatever ends it, no half of a file is left.
    with Interruptions(), Console(stderr=True).status(f"reading {escape(printable(data))}"):
        yield


def write_new(file: Path, text: str) -> None:
    """Writes a file that is not there; one that cannot be written whole is taken away again.

    Ends the command where it is there, or cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            try:
                opened.write(text)
                opened.flush()
            except OSError:
                file.unlink()
                raise
    except OSError as error:
        raise click.ClickException(f"{printable(str(file))} cannot be written: {error.strerror}") from error


def coloured(text: str, colour: str) -> str:
    """The text in a colour, "" for none; click takes it away where the output is no terminal, NO_COLOR everywhere."""
    return click.style(text, fg=colour) if colour and not os.environ.get("NO_COLOR") else text


def duration(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """The seconds of 90, 90s, 15m or 2h; an option's callback."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", value.strip())
    if not found or not float(found[1]):
        raise click.BadParameter(f"{value!r} is no duration: 90, 90s, 15m or 2h")
    return float(found[1]) * _UNITS[found[2]]


def _faults(ctx: click.Context, _param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """The faults by name; with `help` among them, a list of all, and the end."""
    if "help" in names:
        from sovereignmesh.sandbox import FAULTS  # noqa: PLC0415 - only for the sandbox

        for name, says in FAULTS.items():
            click.echo(f"{name:{max(map(len, FAULTS))}}  {says}")
        ctx.exit()
    return names


class Interruptions:
    """While it lasts, the first Ctrl-C or SIGTERM interrupts; more of them must not lose what the first one kept.

    After `enough()` none interrupts any more: what was read is being told. `act` is done instead of interrupting, by
    what would lose more if it were.
    """

    def __init__(self, act: Callable[[], object] | None = None) -> None:
        self._act = act
        self._before: list[tuple[signal.Signals, Any]] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = [(number, signal.signal(number, self._interrupt)) for number in _SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)

    def enough(self) -> None:
        """Lets nothing interrupt any more."""
        for number, _ in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, *_: object) -> None:
        self.enough()
        if self._act is None:
            raise KeyboardInterrupt
        self._act()


_AZURE_OPTIONS: Final = (
    click.option("--sandbox", is_flag=True, help="An Azure in the process, with a sample estate; no account needed."),
    click.option(
        "--estate",
        metavar="NAME|DIR",
        help="The sandbox's estate (default: the state's, else contoso); implies --sandbox.",
    ),
    click.option(
        "--state",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Keep what is written to the sandbox in FILE, for the next command; implies --sandbox.",
    ),
    click.option(
        "--fault",
        "faults",
        metavar="NAME",
        multiple=True,
        callback=_faults,
        help="Let the sandbox's Azure fail so; `help` lists the names; may be repeated.",
    ),
    click.option(
        "--cloud",
        metavar="NAME|FILE",
        help="public (default), usgovernment, china, or a YAML file that describes another.",
    ),
    click.option("--tenant", metavar="ID", help="The tenant to sign in to, where the account knows several."),
)


def azure_options(command: Command) -> Command:
    """The options of every command that reaches Azure; `open_azure` takes them."""
    for option in reversed(_AZURE_OPTIONS):
        command = option(command)
    return command


def tell_forgotten(what: str, *, sandbox: bool, estate: str | None, state: Path | None, **_: Any) -> None:
    """Says on standard error where a sandbox keeps nothing of what was done in it."""
    if state is None and (sandbox or estate is not None):
        click.echo(f"a sandbox without a state forgets what is {what} it: add --state FILE", err=True)


def open_azure(
    *,
    sandbox: bool,
    estate: str | None,
    state: Path | None,
    faults: tuple[str, ...],
    cloud: str | None,
    tenant: str | None,
) -> tuple[Azure, str | None]:
    """The Azure that the options mean, real or not, and the name of the sandbox's estate if it is one."""
    if sandbox or estate is not None or state is not None:
        if cloud or tenant:
            raise click.UsageError("--cloud and --tenant are of the real Azure: leave them out with --sandbox")
        from sovereignmesh.sandbox import estate_of, open_sandbox  # noqa: PLC0415 - only for the sandbox

        if state is not None and not state.exists():
            click.echo(f"{printable(str(state))} is not there yet: a new sandbox begins", err=True)
        name = estate or (estate_of(state) if state is not None else None) or "contoso"
        return open_sandbox(name, state=state, faults=faults), name
    if faults:
        raise click.UsageError("--fault is of the sandbox: add --sandbox")
    from sovereignmesh.azure import connect  # noqa: PLC0415 - the SDK, for live commands only

    return connect(cloud=cloud or "public", tenant=tenant), None
