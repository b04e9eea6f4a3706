"""Counts while an audit runs: judgements, domains, types, waivers, and what could not be read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.audit.index import tag_undecided, type_of
from sovereignmesh.facts import find_resource_type
from sovereignmesh.result import STATES, Coverage, DomainSummary, Gap, Scope, TypeCoverage, WaiverUse
from sovereignmesh.result.text import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sovereignmesh.audit.judgement import Resource
    from sovereignmesh.audit.plan import Plan
    from sovereignmesh.mesh import Waiver
    from sovereignmesh.result import Check, Finding, Severity, State

__all__ = ["Tally", "TypeTally", "timestamp", "waiver_view"]

_SHOWN_GAPS: Final = 20  # of one kind; the rest are counted


class TypeTally:
    """How many resources of a type were seen, in which api-versions, and the plan for judging them."""

    __slots__ = ("_api_versions", "_facts", "_key", "_name", "_parent", "plan", "resources")

    def __init__(self, name: str, plan: Plan) -> None:
        self.plan = plan
        self._name = plan.row.name if plan.row else name.strip().lower()
        self._key = name.strip().lower()
        self._parent = f"/providers/{self._key}"  # what stands before the name in the id of a type without parents
        self._facts = plan.row is not None and bool(plan.row.rules)
        self.resources = 0
        self._api_versions: set[str] = set()

    def facts_missed(self, resource_id: str) -> bool:
        """Whether the id, in lower case, names another type, one with facts, while nothing is known of this type."""
        if self._facts or resource_id.rpartition("/")[0].endswith(self._parent):
            return False
        named = type_of(resource_id)
        row = None if named == self._key else find_resource_type(named)
        return row is not None and bool(row.rules)

    def add(self, row: dict[str, Any]) -> None:
        """Counts a resource."""
        self.resources += 1
        version = row.get("apiVersion")
        if type(version) is str:
            self._api_versions.add(version)

    def coverage(self) -> TypeCoverage:
        """What was looked at for the type."""
        return TypeCoverage(
            self._name, self.resources, tuple(sorted(self._api_versions)), self.plan.assessed, self.plan.not_assessed
        )


class Tally:
    """All counts of one run.

    `rows` are those that are resources, `repeated` those of a resource seen before, `children` what was read for them.
    `types` are by name in lower case, and whether they are children.
    """

    def __init__(self, checks: tuple[Check, ...]) -> None:
        self._checks = checks
        self.summary: dict[Check, dict[State, int]] = {check: dict.fromkeys(STATES, 0) for check in checks}
        self.worst: Counter[tuple[State, Severity]] = Counter()
        self.types: dict[tuple[str, bool], TypeTally] = {}
        self.subscriptions: set[str] = set()
        self.domains: Counter[str] = Counter()
        self.unplaced: set[str] = set()  # groups and subscriptions that would tell a domain, and are not there
        self.rows = self.repeated = self.children = 0
        self._unread = 0
        self._failures: Counter[tuple[str, Severity]] = Counter()
        self._unknown: Counter[str] = Counter()
        self._waivers: Counter[Waiver] = Counter()
        self._gaps: dict[tuple[str, tuple[Check, ...]], list[tuple[str, str]]] = {}  # why, checks: scope and what
        self._gap_counts: Counter[str] = Counter()

    @property
    def gaps(self) -> int:
        """How many gaps there are."""
        return self._gap_counts.total()

    def gap(self, why: str, what: str, *, rows: int = 1, checks: Collection[Check] = (), scope: str = "") -> None:
        """Notes something that could not be judged; `rows` of the inventory are lost by it.

        `checks` are those that are concerned, without them all; `scope` the subscription, without it the inventory.
        """
        self._unread += rows
        self._gap_counts[why] += 1
        concerned = tuple(check for check in self._checks if check in checks) or self._checks
        shown = self._gaps.setdefault((why, concerned), [])
        if len(shown) < _SHOWN_GAPS:
            shown.append((scope, what))

    def count(self, resource: Resource, kind: TypeTally, *, child: bool, owned: Collection[str]) -> None:
        """Counts a resource that has not come before; `owned` are the tags that tell which policy holds for it."""
        kind.add(resource.row)
        undecided = (tag_undecided(resource.row, resource.tags, name) for name in owned)
        if "notKnown" in resource.row and any(undecided):
            self.gap("not known before deployment whose it is, and which policy holds", resource.id, rows=0)
        if child:
            self.children += 1
        else:
            self.domains[resource.domain] += 1

    def add(self, finding: Finding, waiver: Waiver | None) -> None:
        """Counts a finding that is listed."""
        self.summary[finding.check][finding.state] += 1
        if waiver is not None:
            self._waivers[waiver] += 1
        elif finding.state != "exempt" and not finding.advisory and not finding.passed:
            self.worst[finding.state, finding.severity] += 1
            if finding.state == "unknown":
                self._unknown[finding.domain] += 1
            else:
                self._failures[finding.domain, finding.severity] += 1

    def add_settled(self) -> None:
        """Counts what is the same for every resource of its type: once, at the end, where nobody wants it listed."""
        for kind in self.types.values():
            for check, judgement, _ in kind.plan.settled:
                self.summary[check][judgement.state] += kind.resources

    def domain_summaries(self) -> tuple[DomainSummary, ...]:
        """The domains by name, what has none last."""
        return tuple(
            DomainSummary(
                domain=domain,
                resources=self.domains[domain],
                high=self._failures[domain, "high"],
                medium=self._failures[domain, "medium"],
                low=self._failures[domain, "low"],
                unknown=self._unknown[domain],
            )
            for domain in sorted(self.domains, key=lambda name: (not name, name))
        )

    def waiver_uses(
        self, waivers: Iterable[Waiver], today: dt.date, unread: Callable[[str], bool]
    ) -> Iterator[WaiverUse]:
        """What became of each waiver of the mesh; `unread` tells what it may be meant for and was not read."""
        for waiver in waivers:
            used = self._waivers[waiver]
            if waiver.expires < today:
                state = "expired"
            elif waiver.check not in self._checks:
                state = "not judged"
            elif used:
                state = "in force"
            else:
                state = "not read" if unread(waiver.target) else "matches nothing"
            yield WaiverUse(waiver.target, waiver.check, waiver.owner, waiver.expires.isoformat(), state, used)

    def file_scope(self, name: str, missing: int) -> Scope:
        """The inventory called `name` as one scope; it says itself that `missing` rows are not in it."""
        return Scope(
            kind="file",
            id=name,
            name=Path(name).name,
            state="read" if not self._gaps else "partial" if self.rows else "failed",
            read=self.rows,
            expected=self.rows + self._unread + missing,
            reason="; ".join(f"{why} ({count})" for why, count in self._gap_counts.items()),
        )

    def coverage(self, name: str, scopes: tuple[Scope, ...]) -> Coverage:
        """What was looked at in `scopes`; `name` is where gaps of no scope belong."""
        resources = sum(kind.resources for (_, child), kind in self.types.items() if not child)
        types = tuple(self.types[key].coverage() for key in sorted(self.types))
        return Coverage(resources, self.repeated, scopes, types, self.gaps_in(name, scopes), self.children)

    def gaps_in(self, name: str, scopes: tuple[Scope, ...]) -> tuple[Gap, ...]:
        """All gaps: the scopes that were not fully read, and what was met; `name` is where those of no scope belong."""
        holes = (
            Gap(scope.id, self._checks, f"{scope.kind} {scope.name}", scope.reason)
            for scope in scopes
            if scope.kind != "file" and scope.state != "read"
        )
        return (*holes, *self._all_gaps(name))

    def place_gaps(self) -> None:
        """Notes the containers that would tell the domain of what is inside, and were not seen."""
        for container in sorted(self.unplaced):
            self.gap("not in the inventory, so that the domain of what is inside is not known", container, rows=0)

    def _all_gaps(self, name: str) -> Iterator[Gap]:
        for (why, checks), shown in self._gaps.items():
            for scope, what in shown:
                yield Gap(scope or name, checks, what, why)
            if more := self._gap_counts[why] - len(shown):
                yield Gap(name, checks, f"and {more} more", why)


def waiver_view(waiver: Waiver) -> dict[str, str]:
    """A waiver as a finding tells it."""
    return {"reason": waiver.reason, "owner": waiver.owner, "expires": waiver.expires.isoformat()}
