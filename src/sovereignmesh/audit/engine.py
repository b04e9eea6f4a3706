"""The audit itself: rows stream in, an `Audit` comes out; memory does not grow with what is compliant."""

from __future__ import annotations

import datetime as dt
import marshal
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sovereignmesh import __version__
from sovereignmesh.audit.export import Inventory, Unread
from sovereignmesh.audit.index import Container, Index, tags_of
from sovereignmesh.audit.judgement import Resource
from sovereignmesh.audit.plan import make_plan
from sovereignmesh.audit.severity import severity_of
from sovereignmesh.result import (
    CHECKS,
    SEVERITIES,
    Audit,
    Coverage,
    DomainSummary,
    Finding,
    FindingStore,
    Gap,
    PolicyView,
    Scope,
    ScopeView,
    TypeCoverage,
    WaiverUse,
    finding_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sovereignmesh.audit.judgement import Judgement
    from sovereignmesh.audit.plan import Plan
    from sovereignmesh.mesh import Mesh, Policy, Waiver
    from sovereignmesh.result import Check, Severity, State

__all__ = ["CHECKS_OF_AN_INVENTORY", "audit_inventory"]

# What a list of resources can answer; the other checks need more than the list.
CHECKS_OF_AN_INVENTORY: Final[tuple[Check, ...]] = tuple(
    check for check in CHECKS if check not in ("processing-region", "log-region")
)
_SHOWN_GAPS: Final = 20  # of one kind; the rest are counted
_IN_MEMORY: Final = 1 << 24
_EMPTY = Container({}, managed=False)


def audit_inventory(
    rows: Iterable[dict[str, Any]] | Path | str,
    mesh: Mesh,
    *,
    checks: Iterable[Check] = CHECKS_OF_AN_INVENTORY,
    show_compliant: bool = False,
    now: Callable[[], dt.datetime] | None = None,
) -> Audit:
    """The audit of an inventory against a mesh.

    `rows` are resource bodies as Resource Graph or ARM give them, in any order, or the path of an export: JSON lines,
    a JSON array, `az graph query` output, gzip of these. Rows of resource groups, subscriptions and vaults among them
    are used to judge the others. `checks` limits what is judged; `show_compliant` also lists what passed or did not
    apply; `now` is the clock (UTC), which decides whether a waiver is in force.

    Nothing that a row holds raises: what cannot be judged is a gap in `Audit.coverage`. Raises InventoryError where
    the path cannot be opened or holds no JSON, ValueError for a check that an inventory cannot answer.
    """
    asked = set(checks)
    if strange := asked - set(CHECKS_OF_AN_INVENTORY):
        raise ValueError(f"an inventory cannot answer {', '.join(sorted(strange))}")
    clock = now or (lambda: dt.datetime.now(dt.UTC))
    inventory = Inventory(rows) if isinstance(rows, (Path, str)) else rows
    run = _Run(mesh, tuple(check for check in CHECKS if check in asked), clock(), show_compliant=show_compliant)
    run.read(inventory)
    name = inventory.name if isinstance(inventory, Inventory) else "rows"
    return run.result(name, getattr(inventory, "missing", None), clock())


class _Run:
    """One run: what it has counted and found so far."""

    def __init__(self, mesh: Mesh, checks: tuple[Check, ...], started: dt.datetime, *, show_compliant: bool) -> None:
        self._mesh, self._started, self._show = mesh, started, show_compliant
        self._today = started.date()
        self._checks = tuple(check for check in checks if check in mesh.asked)
        self._index = Index()
        self._governed = mesh.policy_for(None).residency
        self._findings = FindingStore()
        self._summary: dict[Check, Counter[State]] = {check: Counter() for check in self._checks}
        self._worst: Counter[tuple[State, Severity]] = Counter()
        self._seen: set[int] = set()
        self._rows = self._repeated = self._unread = 0
        self._gaps: dict[str, list[str]] = {}
        self._gap_counts: Counter[str] = Counter()
        self._types: dict[str, _TypeCount] = {}
        self._subscriptions: set[str] = set()
        self._waivers: Counter[Waiver] = Counter()
        self._domains: Counter[str] = Counter()
        self._by_domain: Counter[tuple[str, Severity]] = Counter()

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, rows: Iterable[Any]) -> None:
        """Judges every row; one that points at what has not come yet waits until all have been seen.

        An interruption ends the reading: what was read by then is judged, and the rest is a gap.
        """
        with _Waiting() as waiting:
            try:
                for number, row in enumerate(rows, 1):
                    if type(row) is Unread:
                        self._note_unread(row)
                    elif self._accept(row, number) and not self._take(row, final=False):
                        waiting.add(row)
            except KeyboardInterrupt:
                self._gap("interrupted", f"after {self._rows} rows")
            for row in waiting:
                self._take(row, final=True)

    def _note_unread(self, part: Unread) -> None:
        self._gap(part.why, part.where)
        self._unread += not part.final

    def _accept(self, row: Any, number: int) -> bool:
        """Counts a row and keeps what others point at; False, with a gap, where it is no resource."""
        if type(row) is not dict:
            self._refuse(f"row {number}", f"a row must be an object, not {_kind(row)}")
            return False
        resource_id, resource_type = row.get("id"), row.get("type")
        if type(resource_id) is not str or not resource_id:
            self._refuse(f"row {number}", "a row without an id")
            return False
        if type(resource_type) is not str or not resource_type:
            self._refuse(resource_id, "a resource without a type")
            return False
        self._rows += 1
        self._index.add(resource_type.lower(), resource_id, row)
        return True

    def _refuse(self, what: str, why: str) -> None:
        self._unread += 1
        self._gap(why, what)

    def _gap(self, why: str, what: str) -> None:
        self._gap_counts[why] += 1
        shown = self._gaps.setdefault(why, [])
        if len(shown) < _SHOWN_GAPS:
            shown.append(what)

    # -- judging -----------------------------------------------------------------------------------------------------

    def _take(self, row: dict[str, Any], *, final: bool) -> bool:
        """Judges a row; False where it must wait for what it depends on."""
        resource = self._resource(row, final=final)
        if resource is None:
            return False
        count = self._type(resource)
        if not final and count.plan.waits is not None and count.plan.waits(resource):
            return False
        key = hash(resource.id.lower())
        fresh = key not in self._seen
        if fresh:
            self._seen.add(key)
            count.add(row)
            self._domains[resource.domain] += 1
        else:
            self._repeated += 1
        for check, step, source in count.plan.steps:
            for judgement in step(resource):
                self._record(resource, check, judgement, source, count.plan, fresh=fresh)
        return True

    def _resource(self, row: dict[str, Any], *, final: bool) -> Resource | None:
        """The row in its surroundings, None where its containers have not been seen and may still come."""
        resource_id, resource_type = row["id"], row["type"].lower()
        parts = resource_id.split("/", 5)
        subscription = parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""  # noqa: PLR2004
        group = parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""  # noqa: PLR2004
        box = self._index.groups.get((subscription.lower(), group.lower())) if group else None
        outer = self._index.subscriptions.get(subscription.lower())
        if not final and group and box is None:
            return None
        tags = tags_of(row)
        containers = (box or _EMPTY, outer or _EMPTY)
        named = next((found["domain"] for found in (tags, *(c.tags for c in containers)) if found.get("domain")), None)
        if not final and subscription and outer is None and (named is None or self._mesh.inherits_tags):
            return None
        if named is None and subscription:
            named = self._mesh.domain_of_subscription(subscription)
        domain = (self._mesh.domain_named(named) or named) if named else None
        policy = self._mesh.policy_for(domain, tags.get("dataproduct"))
        if subscription and subscription not in self._subscriptions:
            self._subscriptions.add(subscription)
        return Resource(
            row,
            resource_id,
            resource_type,
            row.get("location"),
            subscription,
            group,
            tags,
            containers,
            domain or "",
            policy,
        )

    def _type(self, resource: Resource) -> _TypeCount:
        count = self._types.get(resource.type)
        if count is None:
            count = self._types[resource.type] = _TypeCount(
                resource.row["type"], make_plan(resource.type, self._checks, self._index, self._governed)
            )
        return count

    def _record(
        self, resource: Resource, check: Check, judgement: Judgement, source: str, plan: Plan, *, fresh: bool
    ) -> None:
        state = judgement.state
        passed = state in ("compliant", "not-applicable")
        if passed and not self._show:
            self._summary[check][state] += fresh
            return
        policy = resource.policy
        severity = "low" if passed else severity_of(check, judgement.reason, policy, self._mesh.severity, plan.row)
        advisory = _is_advisory(check, policy)
        waiver = None if passed else self._mesh.waiver_for(check, resource.id, self._today)
        if waiver is not None:
            state = "exempt"
        finding = Finding(
            id=finding_id(check, resource.id, judgement.subject),
            check=check,
            state=state,
            severity=severity,
            advisory=advisory,
            resource_id=resource.id,
            resource_name=_text(resource.row.get("name")) or resource.id.rsplit("/", 1)[-1],
            resource_type=resource.row["type"],
            subscription_id=resource.subscription,
            resource_group=resource.group,
            location=_text(resource.location),
            domain=resource.domain,
            subject=judgement.subject,
            expected=judgement.expected,
            actual=judgement.actual,
            reason=judgement.reason,
            source=source,
            waiver=None if waiver is None else _waiver_view(waiver),
        )
        if not self._findings.add(finding):
            return
        self._summary[check][state] += 1
        if waiver is not None:
            self._waivers[waiver] += 1
        elif not advisory:
            self._worst[state, severity] += 1
            if not passed:
                self._by_domain[resource.domain, severity] += 1

    # -- the outcome -------------------------------------------------------------------------------------------------

    def result(self, name: str, missing: int | None, finished: dt.datetime) -> Audit:
        read = self._rows
        expected = read + self._unread + (missing or 0)
        failed = bool(self._gaps) and not read
        scope = Scope(
            kind="file",
            id=name,
            name=Path(name).name,
            state="failed" if failed else "partial" if self._gaps else "read",
            read=read,
            expected=expected,
            reason="; ".join(f"{why} ({count})" for why, count in self._gap_counts.items()),
        )
        return Audit(
            kind="azure",
            tool_version=__version__,
            started_at=_timestamp(self._started),
            finished_at=_timestamp(finished),
            scope=ScopeView(None, None, tuple(sorted(self._subscriptions)), (), "file"),
            policy=PolicyView(
                digest=self._mesh.digest,
                files=self._mesh.files,
                not_asked=tuple(check for check in CHECKS_OF_AN_INVENTORY if check not in self._mesh.asked),
                waivers=tuple(self._waiver_uses()),
            ),
            coverage=Coverage(
                resources=len(self._seen),
                repeated=self._repeated,
                scopes=(scope,),
                types=tuple(self._types[key].coverage() for key in sorted(self._types)),
                gaps=tuple(self._all_gaps(name)),
            ),
            summary=self._summary,
            domains=tuple(
                DomainSummary(domain, self._domains[domain], *(self._by_domain[domain, level] for level in SEVERITIES))
                for domain in sorted(self._domains, key=lambda name: (not name, name))
            ),
            findings=self._findings,
            worst=self._worst,
        )

    def _all_gaps(self, name: str) -> Iterator[Gap]:
        for why, shown in self._gaps.items():
            for what in shown:
                yield Gap(name, self._checks, what, why)
            if more := self._gap_counts[why] - len(shown):
                yield Gap(name, self._checks, f"and {more} more", why)

    def _waiver_uses(self) -> Iterator[WaiverUse]:
        for waiver in self._mesh.waivers:
            used = self._waivers[waiver]
            state = "expired" if waiver.expires < self._today else "in force" if used else "matches nothing"
            yield WaiverUse(waiver.target, waiver.check, waiver.owner, waiver.expires.isoformat(), state, used)


class _Waiting:
    """Rows that wait for what they point at: on disk, beyond the first megabytes, in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._count = 0
        self._odd: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: dict[str, Any]) -> None:
        try:
            data = marshal.dumps(row)  # twice as fast as pickle, and read by the process that wrote it
        except ValueError:  # holds something that JSON does not have
            self._odd.append(row)
            return
        self._file.write(len(data).to_bytes(8) + data)
        self._count += 1

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for _ in range(self._count):
            size = int.from_bytes(self._file.read(8))
            yield marshal.loads(self._file.read(size))  # noqa: S302 - written by this process
        yield from self._odd


class _TypeCount:
    """How many resources of a type were seen, in which api-versions, and the plan for judging them."""

    __slots__ = ("_api_versions", "_name", "_resources", "plan")

    def __init__(self, name: str, plan: Plan) -> None:
        self.plan = plan
        self._name = plan.row.name if plan.row else name
        self._resources = 0
        self._api_versions: set[str] = set()

    def add(self, row: dict[str, Any]) -> None:
        self._resources += 1
        version = row.get("apiVersion")
        if type(version) is str:
            self._api_versions.add(version)

    def coverage(self) -> TypeCoverage:
        return TypeCoverage(
            self._name, self._resources, tuple(sorted(self._api_versions)), self.plan.assessed, self.plan.not_assessed
        )


_RESIDENCY: Final = frozenset({"region", "replica-region", "backup-region", "key-residency"})


def _is_advisory(check: Check, policy: Policy) -> bool:
    return check in _RESIDENCY and policy.residency is not None and not policy.residency.enforced


def _waiver_view(waiver: Waiver) -> dict[str, str]:
    return {"reason": waiver.reason, "owner": waiver.owner, "expires": waiver.expires.isoformat()}


def _kind(value: Any) -> str:
    return {list: "a list", str: "a string", type(None): "null", bool: "true or false"}.get(type(value), "a number")


def _text(value: Any) -> str:
    return value if type(value) is str else "" if value is None else str(value)


def _timestamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
