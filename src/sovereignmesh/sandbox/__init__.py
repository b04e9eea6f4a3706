"""An Azure in the process: an estate of resources behind the real SDK pipeline, with the service's own manners.

It knows neither the fact tables nor the checks, or it would agree with itself.
"""

from __future__ import annotations

import importlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sovereignmesh.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sovereignmesh.azure import Azure, Pace
    from sovereignmesh.sandbox.adapter import SandboxAdapter
    from sovereignmesh.sandbox.estate import estate_mesh, estate_of, estates
    from sovereignmesh.sandbox.faults import FAULTS, Fault, find_fault

__all__ = [
    "FAULTS",
    "Fault",
    "SandboxAdapter",
    "estate_mesh",
    "estate_of",
    "estates",
    "find_fault",
    "open_adapter",
    "open_sandbox",
]

_HOME: Final = {
    "FAULTS": "faults",
    "Fault": "faults",
    "SandboxAdapter": "adapter",
    "estate_mesh": "estate",
    "estate_of": "estate",
    "estates": "estate",
    "find_fault": "faults",
}


def open_sandbox(
    estate: str | Path = "contoso",
    *,
    state: str | Path | None = None,
    faults: Iterable[str | Fault] = (),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    page_size: int = 1000,
    pace: Pace | None = None,
) -> Azure:
    """A connection to a sandbox; nothing that uses it can tell.

    `estate` is the name of a packaged estate (`estates()`) or the path of an estate's folder. `state` is a file that
    keeps what is written, for a later process to continue with. `faults` are names of FAULTS, or what `find_fault`
    gives; `page_size` is the most items of any page; `clock` and `sleep` are the service's own; `pace` the caller's.
    Raises SandboxError for an unknown estate or fault, and where the extra `sandbox` is not installed. What an estate
    of your own has in Purview and could not be sent there is a SandboxError too, without a state when Purview is first
    asked.
    """
    adapter = open_adapter(estate, state=state, faults=faults, clock=clock, sleep=sleep, page_size=page_size)
    import requests  # noqa: PLC0415 - with the SDK below a third of a second

    from sovereignmesh.azure import CLOUDS, Azure, Pace  # noqa: PLC0415
    from sovereignmesh.sandbox.credential import SandboxCredential  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False  # no proxy stands before it
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    cloud = replace(CLOUDS["public"], name="sandbox")  # in every result: nobody takes it for the real one
    return Azure(cloud, SandboxCredential(), session, pace or Pace())


def open_adapter(
    estate: str | Path = "contoso",
    *,
    state: str | Path | None = None,
    faults: Iterable[str | Fault] = (),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    page_size: int = 1000,
) -> SandboxAdapter:
    """The adapter of a sandbox, to mount on a `requests.Session`. Arguments and errors are `open_sandbox`'s."""
    try:
        from sovereignmesh.sandbox.service import Service  # noqa: PLC0415 - DuckDB, and only who opens one needs it
    except ModuleNotFoundError as error:
        raise SandboxError(
            f"the sandbox needs {error.name}, which is not installed: pip install 'sovereignmesh[sandbox]'"
        ) from error
    from sovereignmesh.sandbox.adapter import Patience, SandboxAdapter  # noqa: PLC0415
    from sovereignmesh.sandbox.estate import load_estate  # noqa: PLC0415
    from sovereignmesh.sandbox.faults import Faulty  # noqa: PLC0415

    loaded = load_estate(estate)
    service = Service(loaded, state=Path(state) if state is not None else None, page_size=page_size, clock=clock)
    patience = Patience(sleep)
    faulty = Faulty(service.handle, faults, estate=loaded, sleep=patience.sleep)
    return SandboxAdapter(faulty.handle, patience, service.close, service.serves)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
