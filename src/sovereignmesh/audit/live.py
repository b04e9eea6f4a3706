"""The audit of live subscriptions."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from sovereignmesh.audit.azure_policy import PolicyComparison, cited_definitions
from sovereignmesh.audit.engine import CHECKS_OF_AN_INVENTORY, Depth, Run
from sovereignmesh.facts import properties_read
from sovereignmesh.result import AZURE_CHECKS, ScopeView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from sovereignmesh.audit.children import DepthForecast
    from sovereignmesh.audit.depth import DeepInventory
    from sovereignmesh.azure import Asked, Azure, AzureInventory, Forecast
    from sovereignmesh.azure.policy import PolicyReading
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.result import Audit, Check

__all__ = ["audit_azure"]

_SHARE_OF_POLICY: Final = 0.25  # of the time that is left: the resources matter more
_RESERVE: Final = 0.03  # of the deadline, for judging what waits and writing the result


def audit_azure(
    azure: Azure,
    mesh: Mesh,
    *,
    subscriptions: Sequence[str] | str = (),
    management_groups: Sequence[str] | str = (),
    exclude: Sequence[str] | str = (),
    checks: Iterable[Check] | None = None,
    depth: Depth = "full",
    resume: Path | str | None = None,
    forget: bool = True,
    compare_azure_policy: bool = False,
    honour_azure_exemptions: bool = False,
    show_compliant: bool = False,
    deadline: float | None = None,
    now: Callable[[], dt.datetime] | None = None,
    on_forecast: Callable[[Forecast | DepthForecast], None] | None = None,
    progress: Callable[[AzureInventory | DeepInventory], AbstractContextManager[object]] | None = None,
) -> Audit:
    """The audit of live subscriptions against a mesh.

    `azure` comes from `connect` or `open_sandbox`. What is read: the `subscriptions` (ids or names) and those below the
    `management_groups`; without either, all that the caller can see and all that a domain of the mesh lists; less
    those that `exclude` names. The role Reader at the subscriptions suffices.

    `depth` "full" also reads the children that tell what the list of resources does not show; "inventory" reads the
    list alone. Without `checks`, all are judged that the depth can answer. `resume` is a file that keeps the children
    as they are read: after a run that was cut off, the next one with the same file asks only for what is missing, and
    for what is older than a day; it is removed when everything has been read, but with `forget=False`, for who first
    wants to keep the result. `compare_azure_policy` sets Azure
    Policy's compliance states beside the findings (`Audit.azure_policy`); `honour_azure_exemptions` makes exempt what
    Azure Policy's exemptions are for, as the finding's waiver says. `deadline` is in seconds: what could not be read by
    then is a gap. `on_forecast` is told what the reading will cost before it begins, and again, with a DepthForecast,
    before children are read; `progress` makes a context that is entered with the inventory while it is read. The rest
    is as in `audit_inventory`.

    What could not be read, or not be proven to be all, is named in `Audit.coverage`, and the audit is incomplete.
    Raises an AzureError of `sovereignmesh.errors` where nothing at all could be read: SignInError without a credential
    that works, DeniedError without any role, DeadlineError where the time was up before the first row, and so on;
    CheckpointError where the file cannot be used, ValueError for another depth, and for `resume` without full depth.
    """
    # An audit of a file needs no SDK.
    from sovereignmesh.audit.checkpoint import Checkpoint  # noqa: PLC0415
    from sovereignmesh.audit.depth import DeepInventory  # noqa: PLC0415
    from sovereignmesh.azure import AzureInventory, find_asked  # noqa: PLC0415

    if depth not in get_args(Depth):
        raise ValueError(f"depth is one of {', '.join(get_args(Depth))}, not {depth!r}")
    if resume is not None and depth != "full":
        raise ValueError("resume is of the children, which are read at full depth alone")
    clock = now or (lambda: dt.datetime.now(dt.UTC))
    wanted = tuple(checks) if checks is not None else (AZURE_CHECKS if depth == "full" else CHECKS_OF_AN_INVENTORY)
    run = Run(mesh, wanted, clock, show_compliant=show_compliant, depth=depth, live=True)
    listed = [name for domain in mesh.domain_documents for name in domain.subscriptions or ()]
    azure.begin(None if deadline is None else deadline * (1 - _RESERVE))
    checkpoint = None
    try:
        asked = find_asked(
            azure,
            subscriptions=_names(subscriptions),
            management_groups=_names(management_groups),
            exclude=_names(exclude),
            expected=listed,
        )
        if compare_azure_policy or honour_azure_exemptions:
            run.azure_policy = PolicyComparison(
                _policy_reading(azure, asked),
                compare=compare_azure_policy,
                honour=honour_azure_exemptions,
                checks=run.checks,
                now=run.started,
            )
        inventory = AzureInventory(azure, asked, properties_read(), on_forecast)
        with ExitStack() as closing:
            rows: AzureInventory | DeepInventory = inventory
            if resume is not None:
                checkpoint = closing.enter_context(Checkpoint(Path(resume), _whose(azure, asked), clock()))
            if depth == "full":
                rows = closing.enter_context(
                    DeepInventory(inventory, azure, run.checks, clock, checkpoint=checkpoint, on_forecast=on_forecast)
                )
            closing.enter_context(nullcontext() if progress is None else progress(rows))
            run.read(rows)
    finally:
        azure.begin()  # the connection outlives the run's deadline and its end
    view = ScopeView(
        azure.cloud.name,
        _tenant(azure, asked),
        tuple(sorted(subscription.id for subscription in (*asked.visible, *asked.unseen))),
        asked.management_groups,
        asked.denominator,
        tuple(sorted(subscription.id for subscription in asked.excluded)),
        depth,
    )
    result = run.result("azure", view, inventory.scopes)
    if checkpoint is not None and result.complete and forget:
        checkpoint.remove()
    return result


def _policy_reading(azure: Azure, asked: Asked) -> PolicyReading:
    """What Azure Policy says; it may take a part of the run's time, since the resources come after it."""
    from sovereignmesh.azure import read_policy_view  # noqa: PLC0415

    pace, began = azure.pace, azure.pace.clock()
    left = pace.remaining()
    azure.begin(None if left is None else left * _SHARE_OF_POLICY)
    reading = read_policy_view(azure, [subscription.id for subscription in asked.visible], cited_definitions())
    azure.begin(None if left is None else left - (pace.clock() - began))
    return reading


def _tenant(azure: Azure, asked: Asked) -> str | None:
    tenants = {subscription.tenant_id for subscription in asked.visible if subscription.tenant_id}
    return tenants.pop() if len(tenants) == 1 else azure.tenant


def _whose(azure: Azure, asked: Asked) -> str:
    """Whose answers a checkpoint holds."""
    return f"{azure.cloud.name}, tenant {_tenant(azure, asked)}"


def _names(names: Sequence[str] | str) -> tuple[str, ...]:
    """The names; one alone may be given as it is."""
    return (names,) if isinstance(names, str) else tuple(names)
