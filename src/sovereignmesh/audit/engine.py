"""The audit itself: rows stream in, an `Audit` comes out; memory does not grow with what is compliant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Literal

from sovereignmesh import __version__
from sovereignmesh.audit.children import text_at, unread_children
from sovereignmesh.audit.export import Inventory
from sovereignmesh.audit.index import Container, Index, containers_in, name_of, said, tag_undecided, tags_of, type_of
from sovereignmesh.audit.judgement import Judgement, Resource, child_resources
from sovereignmesh.audit.pages import Unread, kind_of
from sovereignmesh.audit.plan import Surroundings, make_plan
from sovereignmesh.audit.protection import UNREFERENCED, unconcerned
from sovereignmesh.audit.severity import severity_of
from sovereignmesh.audit.tally import Tally, TypeTally, timestamp, waiver_view
from sovereignmesh.audit.waiting import Holding, WaitingRoom
from sovereignmesh.facts import in_words
from sovereignmesh.result import AZURE_CHECKS, Audit, Finding, FindingStore, PolicyView, ScopeView, finding_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.audit.azure_policy import PolicyComparison
    from sovereignmesh.mesh import Mesh, Policy, Waiver
    from sovereignmesh.result import Check, Scope

__all__ = ["CHECKS_OF_AN_INVENTORY", "Depth", "Run"]

Depth = Literal["inventory", "full"]

# What a list of resources can answer; the other checks need more than the list.
CHECKS_OF_AN_INVENTORY: Final[tuple[Check, ...]] = tuple(
    check for check in AZURE_CHECKS if check not in ("processing-region", "log-region")
)
_RESIDENCY: Final = frozenset(
    {"region", "replica-region", "backup-region", "processing-region", "log-region", "key-residency"}
)
_MANY: Final = 10_000  # rows that wait: looking ahead pays where what they wait for is far
_AT_CHILDREN: Final = (Judgement("not-applicable", reason="held-elsewhere"),)
_NO_CONTAINER: Final = Container({})


class Run:
    """One run: what it has judged so far, in `tally`. The arguments are those of `audit_inventory`."""

    def __init__(
        self,
        mesh: Mesh,
        checks: Iterable[Check],
        now: Callable[[], dt.datetime] | None,
        *,
        show_compliant: bool,
        depth: Depth = "inventory",
        live: bool = False,
    ) -> None:
        """`live`: what comes is read now, unless it says when."""
        wanted = set(checks)
        if strange := wanted - set(AZURE_CHECKS):
            raise ValueError(f"no check that can be answered: {', '.join(sorted(map(str, strange)))}")
        if not wanted:
            raise ValueError("no check was asked for: nothing would be judged")
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._mesh, self.started, self._show = mesh, self._now(), show_compliant
        self._read_at = timestamp(self.started) if live else ""
        self._today = self.started.date()
        self.checks = tuple(check for check in AZURE_CHECKS if check in wanted and check in mesh.asked)
        by_default = wanted == set(CHECKS_OF_AN_INVENTORY) and depth == "inventory"
        self._not_answerable = tuple(check for check in AZURE_CHECKS if by_default and check not in wanted)
        self._owned = ("domain",) * bool(mesh.domains) + ("dataproduct",) * bool(mesh.products)
        self._index = Index()
        self._around = Surroundings(self._index, mesh.policy_for(None).residency, self.started.timestamp())
        self._findings = FindingStore()
        self.azure_policy: PolicyComparison | None = None  # set before `read`
        self.tally = Tally(self.checks)
        self._unreferenced = FindingStore()  # what holds where not all was read that may refer to a vault
        self._uncounted: set[int] = set()  # hashes of the ids of those that have not been counted by an earlier row
        self._seen: set[int] = set()  # hashes of ids: a string each would break the memory bound

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Those that rows were in."""
        return tuple(sorted(self.tally.subscriptions - {""}))

    def read(self, rows: Iterable[Any]) -> None:
        """Judges every row; one that points at what has not come yet waits until all have been seen.

        An interruption ends the reading: what was read by then is judged, and the rest is a gap.
        """
        source = iter(rows)
        with WaitingRoom() as waiting:
            interrupted = False
            try:
                indexed = False
                for number, row in enumerate(source, 1):
                    if self._accept(row, number, indexed=indexed) and not self._take(row, indexed=indexed, last=False):
                        waiting.add(row)
                        if len(waiting) == _MANY:
                            indexed = self._read_ahead(rows)
            except KeyboardInterrupt:
                interrupted = True
                self.tally.gap("interrupted", f"after {self.tally.rows} rows", rows=0)
                if isinstance(source, Generator):
                    source.close()  # it may hold threads and connections
            try:
                if interrupted and isinstance(rows, Holding):
                    for row in rows.rest():
                        if self._accept(row, 0, indexed=False):
                            waiting.add(row)
                self._settle(waiting)
            except KeyboardInterrupt:
                self.tally.gap("interrupted", "before all rows were judged", rows=0)
        self._last_gaps()

    def _settle(self, waiting: WaitingRoom) -> None:
        """Judges what waited, again while owners of groups turn up; what is left has none, and is judged itself."""
        with ExitStack() as closing:
            before = len(waiting) + 1
            while len(waiting) < before:
                before, rows = len(waiting), waiting
                waiting = closing.enter_context(WaitingRoom())
                for row in rows:
                    if not self._take(row, indexed=True, last=False):
                        waiting.add(row)
            for row in waiting:
                self._take(row, indexed=True, last=True)

    def _last_gaps(self) -> None:
        """What is known to be wrong only when all rows have been seen."""
        for resource_id in sorted(self._index.contradicted):
            self.tally.gap(
                "two rows of it contradict each other, so that others may be judged by either", resource_id, rows=0
            )
        if not self.tally.rows and not self.tally.gaps:
            self.tally.gap("the inventory holds no resource", "nothing was judged", rows=0)

    def _read_ahead(self, rows: Iterable[Any]) -> bool:
        """Keeps what others point at before it comes, where the inventory allows it: then hardly a row has to wait."""
        pointed_at = rows.ahead(sorted(self._index.kept)) if isinstance(rows, Inventory) else None
        for row in pointed_at or ():
            if type(row) is dict and type(row.get("id")) is str and type(row.get("type")) is str:
                self._index.add(row["type"].strip().lower(), row["id"].rstrip("/"), row)
        return pointed_at is not None

    def _accept(self, row: Any, number: int, *, indexed: bool) -> bool:
        """Counts a row and keeps what others point at, if not yet; False, with a gap, where it is no resource."""
        if type(row) is Unread:
            self.tally.gap(row.why, row.where, rows=0 if row.final else 1, checks=row.checks, scope=row.scope)
            return False
        if type(row) is not dict:
            self.tally.gap(f"a row must be an object, not {kind_of(row)}", f"row {number}")
            return False
        resource_id, resource_type = row.get("id"), row.get("type")
        if type(resource_id) is not str or not resource_id:
            self.tally.gap("a row without an id", f"row {number}")
            return False
        if type(resource_type) is not str or not resource_type:
            self.tally.gap("a resource without a type", resource_id)
            return False
        self.tally.rows += 1
        if not indexed and (kind := resource_type.strip().lower()) in self._index.kept:
            self._index.add(kind, resource_id.rstrip("/"), row)
        return True

    def _take(self, row: dict[str, Any], *, indexed: bool, last: bool) -> bool:
        """Judges a row; False where it must wait.

        `indexed`: what others point at is known. `last`: no owner of a group will turn up any more.
        """
        resource = self._resource(row, indexed=indexed, last=last)
        if resource is None:
            return False
        is_child = "readAt" in row
        kind = self._kind_of(resource.type, child=is_child)
        children = tuple(self._children_of(resource, kind)) if "children" in row else ()
        if not indexed and (kind.plan.must_wait(resource) or any(of.plan.must_wait(one) for one, of in children)):
            return False
        identity = resource.id.lower()
        if not is_child and kind.facts_missed(identity):
            self.tally.gap("its id names another type, of which more is known", resource.id, rows=0)
        key = hash(identity)
        fresh = key not in self._seen
        if fresh:
            self._seen.add(key)
            self.tally.count(resource, kind, child=is_child, owned=self._owned)
        else:
            self.tally.repeated += 1
        self._judge(resource, kind, fresh=fresh)
        if "children" not in row:
            return True
        for read, why in unread_children(row, kind.plan.reads) if fresh else ():
            self.tally.gap(
                f"{read.child} could not be read: {why}", resource.id,
                rows=0, checks=read.checks, scope=resource.subscription,
            )  # fmt: skip
        for child, its_kind in children:
            if fresh:
                its_kind.add(child.row)
                self.tally.children += 1
            self._judge(child, its_kind, fresh=fresh)
        return True

    def _children_of(self, resource: Resource, kind: TypeTally) -> Iterator[tuple[Resource, TypeTally]]:
        """The children that travel with a resource, and how each is judged."""
        for name in dict.fromkeys(read.child for read in kind.plan.reads):
            its_kind = self._kind_of(name.lower(), child=True)
            yield from ((child, its_kind) for child in child_resources(resource, name))

    def _judge(self, resource: Resource, kind: TypeTally, *, fresh: bool) -> None:
        """Counts and lists what comes out. A repeated row adds its failures alone: what it passes has been counted."""
        summary, show, azure_policy = self.tally.summary, self._show, self.azure_policy
        replaced = kind.plan.replaced(resource.row) if "children" in resource.row else ()
        for check, judge, source in kind.plan.steps:
            for judgement in _AT_CHILDREN if check in replaced else judge(resource):
                state = judgement.state
                failed = state not in ("compliant", "not-applicable")
                if failed and judgement.reason == UNREFERENCED:
                    finding, _ = self._finding(resource, check, judgement, source, kind)
                    if self._unreferenced.add(finding) and fresh:
                        self._uncounted.add(hash(finding.id))
                    continue
                if azure_policy and not failed:
                    azure_policy.note(resource.id, check, state, judgement.reason, source)
                if failed or (show and fresh):
                    self._list(resource, check, judgement, source, kind)
                elif fresh:
                    summary[check][state] += 1
        if show and fresh:
            for check, judgement, source in kind.plan.settled:
                self._list(resource, check, judgement, source, kind)

    def _resource(self, row: dict[str, Any], *, indexed: bool, last: bool) -> Resource | None:
        """The row in its surroundings, None where they have not been seen and may still come."""
        resource_id, resource_type = row["id"].rstrip("/"), row["type"].strip().lower()
        subscription, group = containers_in(resource_id)
        key = subscription.lower()
        inner = self._index.groups.get((key, group.lower())) if group else None
        outer = self._index.subscriptions.get(key)
        if not indexed and group and inner is None:
            return None
        containers = (inner or _NO_CONTAINER, outer or _NO_CONTAINER)
        owner = containers[0].owner
        owner_seen = bool(owner) and not last and hash(owner.lower()) in self._seen
        if owner and not owner_seen and not last:
            return None
        tags = tags_of(row)
        named, undecided = said(tags, "domain"), "notKnown" in row and tag_undecided(row, tags, "domain")
        if not named and not undecided:
            named = said(containers[0].tags, "domain") or said(containers[1].tags, "domain")
        if not indexed and subscription and outer is None and (not named or self._mesh.inherits_tags):
            return None
        if subscription and not named and not undecided:
            named = self._listed_domain(subscription, containers[1])
            # What outlives a resource can outlive its group too.
            unplaced = outer is None or (group and inner is None and "readAt" not in row)
            if not named and self._mesh.domains and unplaced:
                self.tally.unplaced.add(resource_id.lower().partition("/providers/")[0])
        domain = self._mesh.domain_named(named) or named
        policy = self._mesh.policy_for(domain or None, said(tags, "dataproduct") or None)
        self.tally.subscriptions.add(key)
        return Resource(
            row, resource_id, resource_type, row.get("location"), subscription, group, tags, containers, domain, policy,
            type_of(owner) if owner_seen else "", read_at=text_at(row, "readAt"),
        )  # fmt: skip

    def _listed_domain(self, subscription: str, container: Container) -> str:
        """The domain whose document lists the subscription, by id or by name."""
        by_id = self._mesh.domain_of_subscription(subscription)
        return by_id or (container.name and self._mesh.domain_of_subscription(container.name)) or ""

    def _kind_of(self, resource_type: str, *, child: bool = False) -> TypeTally:
        key = (resource_type, child)
        kind = self.tally.types.get(key)
        if kind is None:
            plan = make_plan(resource_type, self.checks, self._around, child=child)
            kind = self.tally.types[key] = TypeTally(resource_type, plan)
        return kind

    def _list(self, resource: Resource, check: Check, judgement: Judgement, source: str, kind: TypeTally) -> None:
        """Lists a judgement that somebody should see."""
        finding, waiver = self._finding(resource, check, judgement, source, kind)
        if self.azure_policy and not finding.passed:
            self.azure_policy.note(resource.id, check, finding.state, judgement.reason, source)
        if self._findings.add(finding):
            self.tally.add(finding, waiver)

    def _finding(
        self, resource: Resource, check: Check, judgement: Judgement, source: str, kind: TypeTally
    ) -> tuple[Finding, Waiver | None]:
        """Makes a finding of a judgement, and says by which waiver it is exempt."""
        policy = resource.policy
        passed = judgement.state in ("compliant", "not-applicable")
        waiver = None if passed else self._waiver_for(check, resource)
        excuse = waiver_view(waiver) if waiver else None
        if self.azure_policy and not passed and excuse is None:
            excuse = self.azure_policy.exemption_for(check, source, resource.id, resource.location)
        finding = Finding(
            id=finding_id(check, resource.id, judgement.subject),
            check=check,
            state="exempt" if excuse else judgement.state,
            severity="low"
            if passed
            else severity_of(check, judgement.reason, policy, self._mesh.severity, kind.plan.row),
            advisory=check in _RESIDENCY and _is_advisory(policy),
            resource_id=resource.id,
            resource_name=name_of(resource.row) or resource.id.rsplit("/", 1)[-1],
            resource_type=resource.type if resource.parent else resource.row["type"],
            subscription_id=resource.subscription,
            resource_group=resource.group,
            location=_text(resource.location),
            domain=resource.domain,
            subject=judgement.subject,
            expected=judgement.expected,
            actual=judgement.actual,
            reason=judgement.reason,
            source=source,
            waiver=excuse,
            read_at=resource.read_at or self._read_at,
        )
        return finding, waiver

    def _waiver_for(self, check: Check, resource: Resource) -> Waiver | None:
        """A waiver of the resource, or of the one that it is a child of."""
        own = self._mesh.waiver_for(check, resource.id, self._today)
        return own or (self._mesh.waiver_for(check, resource.parent, self._today) if resource.parent else None)

    def _judge_unreferenced(self, *, whole: bool) -> None:
        """A vault to which nothing refers needs no protection, where all was read that may and names its vault."""
        nobody = whole and not self._index.hides
        for finding in self._unreferenced:
            found = unconcerned(finding) if nobody else finding
            waiver = None if nobody else self._mesh.waiver_for(found.check, found.resource_id, self._today)
            if found.passed and not self._show:
                self.tally.summary[found.check][found.state] += hash(found.id) in self._uncounted
            elif self._findings.add(found):
                self.tally.add(found, waiver)

    def result(self, name: str, view: ScopeView, scopes: Callable[[], tuple[Scope, ...]]) -> Audit:
        """What came out of the inventory called `name`; `scopes` are asked for when all gaps are known."""
        tally, mesh = self.tally, self._mesh
        if not self._show:
            tally.add_settled()
        tally.place_gaps()
        for what, why in self.azure_policy.unread if self.azure_policy else ():
            tally.gap(why, what, rows=0)
        seen = scopes()
        coverage = tally.coverage(name, seen)
        whole = coverage.complete and view.denominator != "asked" and not view.excluded
        self._judge_unreferenced(whole=whole)
        read = {scope.id for scope in seen if scope.state == "read"}

        def unread(target: str) -> bool:
            subscription = containers_in(target.lower())[0]
            return subscription not in read if subscription and view.denominator != "file" else not whole

        waivers = (waiver for waiver in mesh.waivers if waiver.check in AZURE_CHECKS)
        return Audit(
            kind="azure",
            tool_version=__version__,
            started_at=timestamp(self.started),
            finished_at=timestamp(self._now()),
            scope=view,
            policy=PolicyView(
                digest=mesh.digest,
                files=mesh.files,
                not_asked=tuple(
                    check for check in AZURE_CHECKS if check not in mesh.asked and check not in self._not_answerable
                ),
                waivers=tuple(tally.waiver_uses(waivers, self._today, unread)),
                not_answerable=self._not_answerable,
            ),
            coverage=coverage,
            summary=tally.summary,
            domains=tally.domain_summaries(),
            findings=self._findings,
            worst=tally.worst,
            azure_policy=self.azure_policy.result() if self.azure_policy else None,
        )


def _is_advisory(policy: Policy) -> bool:
    return policy.residency is not None and not policy.residency.enforced


def _text(value: Any) -> str:
    return value if type(value) is str else "" if value is None else in_words(value)
