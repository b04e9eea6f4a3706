"""The audit of a Purview account's catalog: what its assets lack of what the mesh asks."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from sovereignmesh import __version__
from sovereignmesh.audit.severity import severity_of
from sovereignmesh.audit.tally import Tally, timestamp, waiver_view
from sovereignmesh.azure.purview.line import DATA_MAP
from sovereignmesh.catalog.coverage import holes, scopes_of, unplaced
from sovereignmesh.catalog.judging import Judges
from sovereignmesh.catalog.opening import open_catalog
from sovereignmesh.catalog.reading import CatalogReading
from sovereignmesh.catalog.settling import Settler
from sovereignmesh.result import (
    CATALOG_CHECKS,
    Audit,
    Coverage,
    Finding,
    FindingStore,
    PolicyView,
    ScopeView,
    TypeCoverage,
    finding_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from sovereignmesh.audit.judgement import Judgement
    from sovereignmesh.azure import Azure
    from sovereignmesh.azure.purview import PurviewAccount
    from sovereignmesh.catalog.opening import Catalog
    from sovereignmesh.catalog.placing import Place
    from sovereignmesh.catalog.reading import Read
    from sovereignmesh.mesh import Mesh
    from sovereignmesh.result import Check, State

__all__ = ["audit_catalog"]

_RESERVE: Final = 0.03  # of the deadline, for judging what waits and writing the result
_PASSED: Final = ("compliant", "not-applicable")
_SETTLED: Final[dict[Check, State]] = {"asset-classification": "not-applicable"}  # of what no product limits


def audit_catalog(
    azure: Azure,
    mesh: Mesh,
    account: str | PurviewAccount | None = None,
    *,
    checks: Iterable[Check] | None = None,
    show_compliant: bool = False,
    deadline: float | None = None,
    now: Callable[[], dt.datetime] | None = None,
    progress: Callable[[CatalogReading], AbstractContextManager[object]] = nullcontext,
) -> Audit:
    """The audit of the assets in a Purview account against the mesh. Only reads.

    `account` is another than the mesh names: its name, its resource id, or as found before. What is read: every asset
    in every collection in which the caller is Data Reader. An asset that seems to lack something in the search index,
    which lags, is looked up itself. Judged is what the policy's `dataCatalog` requires (asset-description, asset-owner,
    sensitivity-label), and what was classified against what a product says of itself and in its contracts
    (asset-classification); `checks` narrows that. `show_compliant` also lists what passed; `deadline` is in seconds:
    what could not be read by then is a gap. `progress` makes a context that is entered with the reading.

    What could not be read, or is fewer than the search counts, is named in `Audit.coverage`, and the audit is
    incomplete. Raises MeshError where neither the mesh nor `account` names an account, an AzureError where the account
    or its collections cannot be read, ValueError for a check that is none of these.
    """
    wanted = tuple(checks) if checks is not None else CATALOG_CHECKS
    if strange := set(wanted) - set(CATALOG_CHECKS):
        raise ValueError(f"no check of the catalog: {', '.join(sorted(map(str, strange)))}")
    azure.begin(None if deadline is None else deadline * (1 - _RESERVE))
    try:
        catalog = open_catalog(azure, mesh, account)
        run = _Run(mesh, catalog, wanted, now or (lambda: dt.datetime.now(dt.UTC)), show_compliant=show_compliant)
        with progress(run.reading):
            run.read()
        run.note_holes()
        return run.result()
    finally:
        azure.begin()  # the connection outlives the run's deadline and its end


class _Run:
    """One run: what it has judged so far, in `tally`."""

    def __init__(
        self,
        mesh: Mesh,
        catalog: Catalog,
        wanted: Iterable[Check],
        now: Callable[[], dt.datetime],
        *,
        show_compliant: bool,
    ) -> None:
        self._mesh, self._catalog, self._now, self._show = mesh, catalog, now, show_compliant
        self._started = now()
        self._today, self._read_at = self._started.date(), timestamp(self._started)
        asked = set(wanted) & mesh.asked
        self.checks = tuple(check for check in CATALOG_CHECKS if check in asked)
        self._judges = Judges(mesh, self.checks)
        self._findings = FindingStore()
        self._types: Counter[str] = Counter()
        self.tally = Tally(self.checks)
        # Who wants to see what passed must look at everything.
        settlers = () if show_compliant else (Settler(self.checks, catalog.places),)
        self.reading = CatalogReading(catalog.purview, catalog.collections, self._in_doubt, *settlers)

    def _in_doubt(self, read: Read) -> bool:
        return self._judges.in_doubt(read, self._place(read))

    def _place(self, read: Read) -> Place:
        return self._catalog.places.find(read.asset.qualified_name, read.collection)

    def read(self) -> None:
        """Judges every asset; an interruption ends the reading, and what was read is told."""
        try:
            for read in self.reading:
                self._take(read)
        except KeyboardInterrupt:
            self.tally.gap("interrupted", f"after {self.reading.done:,} assets", rows=0)
        for (kind, domain), count in self.reading.settled.items():
            self._count(kind, domain, count)
            for check in self.checks:
                self.tally.summary[check][_SETTLED.get(check, "compliant")] += count

    def note_holes(self) -> None:
        """Notes what was not seen, and which products' assets cannot be told from others."""
        for what, why in holes(self._catalog, self.reading):
            self.tally.gap(why, what, rows=0)
        of_products: tuple[Check, ...] = ("asset-classification",)
        for what, why in unplaced(self._catalog):
            self.tally.gap(why, what, rows=0, checks=of_products)

    def _take(self, read: Read) -> None:
        tally, place = self.tally, self._place(read)
        self._count(read.asset.type, place.domain, 1)
        for check, judgement, source in self._judges.judge(read, place):
            if judgement.state in _PASSED and not self._show:
                tally.summary[check][judgement.state] += 1
            else:
                self._list(read, place, check, judgement, source)

    def _count(self, kind: str, domain: str, count: int) -> None:
        self.tally.rows += count
        self.tally.domains[domain] += count
        self._types[kind] += count

    def _list(self, read: Read, place: Place, check: Check, judgement: Judgement, source: str) -> None:
        """Lists a judgement that somebody should see."""
        asset, passed = read.asset, judgement.state in _PASSED
        waiver = None if passed else self._mesh.waiver_for(check, asset.qualified_name, self._today)
        state: State = "exempt" if waiver else judgement.state
        policy = self._mesh.policy_for(place.domain or None)
        finding = Finding(
            id=finding_id(check, asset.id, judgement.subject),
            check=check,
            state=state,
            severity="low" if passed else severity_of(check, judgement.reason, policy, self._mesh.severity, None),
            advisory=False,
            resource_id=asset.qualified_name,
            resource_name=asset.name,
            resource_type=asset.type,
            subscription_id="",
            resource_group="",
            location="",
            domain=place.domain,
            subject=judgement.subject,
            expected=judgement.expected,
            actual=judgement.actual,
            reason=judgement.reason,
            source=source,
            waiver=waiver_view(waiver) if waiver else None,
            read_at=self._read_at,
            collection=self._catalog.places.title(read.collection),
        )
        if self._findings.add(finding):
            self.tally.add(finding, waiver)

    def result(self) -> Audit:
        """What came out."""
        mesh, tally, purview = self._mesh, self.tally, self._catalog.purview
        scopes = scopes_of(self._catalog, self.reading)
        types = (TypeCoverage(name, self._types[name], (DATA_MAP,), self.checks, ()) for name in sorted(self._types))
        coverage = Coverage(
            tally.rows, self.reading.repeated, scopes, tuple(types), tally.gaps_in(purview.account.id, scopes)
        )
        waivers = (waiver for waiver in mesh.waivers if waiver.check in CATALOG_CHECKS)
        return Audit(
            kind="catalog",
            tool_version=__version__,
            started_at=timestamp(self._started),
            finished_at=timestamp(self._now()),
            scope=ScopeView(
                purview.azure.cloud.name, purview.azure.tenant, (), (), "visible-only", depth="full",
                account=purview.account.name,
            ),
            policy=PolicyView(
                digest=mesh.digest,
                files=mesh.files,
                not_asked=tuple(check for check in CATALOG_CHECKS if check not in mesh.asked),
                waivers=tuple(tally.waiver_uses(waivers, self._today, lambda _: not coverage.complete)),
            ),
            coverage=coverage,
            summary=tally.summary,
            domains=tally.domain_summaries(),
            findings=self._findings,
            worst=tally.worst,
        )  # fmt: skip
