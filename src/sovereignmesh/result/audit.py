"""The outcome of an audit: findings, what was covered, and the policy that was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.result.azure_policy import AzurePolicy, ExemptionUse, PolicyAssignment, PolicyDifference
from sovereignmesh.result.checks import CHECKS, SEVERITIES, STATES
from sovereignmesh.result.controls import controls_by_check
from sovereignmesh.result.finding import Finding
from sovereignmesh.result.text import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from sovereignmesh.result.checks import Check, Severity, State
    from sovereignmesh.result.store import FindingStore

__all__ = ["Audit", "Coverage", "DomainSummary", "Gap", "PolicyView", "Scope", "ScopeView", "TypeCoverage", "WaiverUse"]

SCOPE_STATES: Final = ("failed", "denied", "partial", "read")
SCHEMA: Final = "sovereignmesh.audit/v1"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was asked for and could not be judged: where, for which checks, what, and why."""

    scope: str
    checks: tuple[Check, ...]
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing that was read: a subscription or a file. `expected` is None where nobody knows."""

    kind: str
    id: str
    name: str
    state: str
    read: int
    expected: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TypeCoverage:
    """What was looked at for one resource type, and which asked checks have no facts for it."""

    type: str
    resources: int
    api_versions: tuple[str, ...]
    assessed: tuple[Check, ...]
    not_assessed: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was looked at. `complete` is False when anything asked for was not fully read.

    `resources` counts different resources; `repeated` counts further rows of a resource that was seen already;
    `children` counts what was read besides, because only it tells something of a resource.
    """

    resources: int
    repeated: int
    scopes: tuple[Scope, ...]
    types: tuple[TypeCoverage, ...]
    gaps: tuple[Gap, ...]
    children: int = 0

    @property
    def by_state(self) -> dict[str, list[Scope]]:
        """The scopes by state, what was not read first; states that none has are left out."""
        found = {state: [scope for scope in self.scopes if scope.state == state] for state in SCOPE_STATES}
        return {state: scopes for state, scopes in found.items() if scopes}

    @property
    def holes(self) -> tuple[str, ...]:
        """The names of the subscriptions and groups that were not fully read."""
        return tuple(scope.name for scope in self.scopes if scope.state != "read" and scope.kind != "file")

    @property
    def gaps_inside(self) -> tuple[Gap, ...]:
        """The gaps that are not a whole scope: what was met while reading."""
        whole = {(scope.id, scope.reason) for scope in self.scopes}
        return tuple(gap for gap in self.gaps if (gap.scope, gap.why) not in whole)

    @property
    def complete(self) -> bool:
        return not self.gaps and all(scope.state == "read" for scope in self.scopes)

    @property
    def expected(self) -> int | None:
        expected = [scope.expected for scope in self.scopes]
        return None if None in expected else sum(count for count in expected if count is not None)


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """What a waiver did in this run.

    `state` is "in force", "expired", "matches nothing", "not read" (what it may be meant for was not) or "not judged"
    (its check was not).
    """

    target: str
    check: Check
    owner: str
    expires: str
    state: str
    findings: int


@dataclass(frozen=True, slots=True)
class DomainSummary:
    """One domain's share: its resources, and what counts of its findings: failures by severity, and unknowns.

    `domain` "" stands for what has no domain.
    """

    domain: str
    resources: int
    high: int
    medium: int
    low: int
    unknown: int


@dataclass(frozen=True, slots=True)
class PolicyView:
    """The mesh that was asked: its digest, its files, the checks it has no wish for, and its waivers' fate.

    `not_answerable` are checks that this kind of audit cannot judge at all, whatever the mesh wants.
    """

    digest: str
    files: tuple[str, ...]
    not_asked: tuple[Check, ...]
    waivers: tuple[WaiverUse, ...] = ()
    not_answerable: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeView:
    """What the audit was pointed at; `excluded` names the subscriptions that were left out on purpose.

    `denominator` says where the list of what was to be read comes from: "asked" (named by the caller), "visible-only"
    (what the caller happens to see; there may be more) or "file". `depth` is "inventory" where only the list of
    resources was read, "full" where the children too that tell what the list does not show. `account` is the Purview
    account of an audit of a catalog.
    """

    cloud: str | None
    tenant_id: str | None
    subscriptions: tuple[str, ...]
    management_groups: tuple[str, ...]
    denominator: str
    excluded: tuple[str, ...] = ()
    depth: str = "inventory"
    account: str = ""

    @property
    def place(self) -> str:
        """The cloud with the tenant, or the Purview account, in words; "" for a file."""
        if self.account:
            return f"{self.cloud}, Purview account {self.account}"
        return f"{self.cloud}, tenant {self.tenant_id or 'not one alone'}" if self.cloud else ""


@dataclass(frozen=True, slots=True, repr=False)
class Audit:
    """What an audit found. In a notebook it shows itself; `rows()` and `to_pandas()` give its findings as a table.

    `summary[check][state]` counts judgements: one for each resource and subject. `compliant` is True where nothing
    is non-compliant or unknown that is not advisory; `complete` says whether everything asked for was read.
    `azure_policy` is Azure Policy's view of the same resources, where it was asked for.
    """

    kind: str
    tool_version: str
    started_at: str
    finished_at: str
    scope: ScopeView
    policy: PolicyView
    coverage: Coverage
    summary: Mapping[Check, Mapping[State, int]]
    domains: tuple[DomainSummary, ...]
    findings: FindingStore
    worst: Mapping[tuple[State, Severity], int] = field(default_factory=dict)
    azure_policy: AzurePolicy | None = None

    def __repr__(self) -> str:
        found = "compliant" if self.compliant else "not compliant"
        read = "complete" if self.complete else "incomplete"
        return f"<Audit: {found}, {read}, {self.coverage.resources} {self.thing}s, {len(self.findings)} findings>"

    @property
    def complete(self) -> bool:
        return self.coverage.complete

    @property
    def thing(self) -> str:
        """What is judged: a resource, or an asset of the catalog."""
        return "asset" if self.kind == "catalog" else "resource"

    @property
    def extent(self) -> str:
        """How much was looked at: `12 resources, 3 types, 1 subscription`."""
        scopes = sum(scope.kind == "collection" for scope in self.coverage.scopes)
        inside = ("collection", scopes) if self.kind == "catalog" else ("subscription", len(self.scope.subscriptions))
        parts = ((self.thing, self.coverage.resources), ("type", len(self.coverage.types)), inside)
        return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in parts)

    @property
    def unseen(self) -> str:
        """What the caller may not see, and how to see it; "" where the caller said what is to be read."""
        if self.scope.denominator != "visible-only":
            return ""
        how = (
            "Data Reader in a collection shows its assets"
            if self.kind == "catalog"
            else "name subscriptions or a management group to count it"
        )
        return f"what you cannot see is not counted: {how}"

    @property
    def depth_in_words(self) -> str:
        """How far the reading went; "" for a file, which holds what it holds, and for a catalog."""
        if self.scope.denominator == "file" or self.kind == "catalog":
            return ""
        if self.scope.depth == "full":
            return f"full depth: {self.coverage.children:,} children read besides"
        return "the list alone: what only children tell, as the state of keys and where logs go, was not read"

    @property
    def compliant(self) -> bool:
        return not self.fails_at("low")

    def fails_at(self, severity: Severity, *, allow_unknown: bool = False) -> bool:
        """Whether a finding at `severity` or worse counts: not advisory, not exempt, and not unknown if allowed."""
        counted = SEVERITIES[: SEVERITIES.index(severity) + 1]
        states: tuple[State, ...] = ("non-compliant",) if allow_unknown else ("non-compliant", "unknown")
        return any(self.worst.get((state, level), 0) for state in states for level in counted)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The findings as flat dictionaries, worst first."""
        return (finding.as_dict() for finding in self.findings)

    def to_pandas(self) -> pd.DataFrame:
        """The findings as a data frame, one row each. Needs pandas installed."""
        import pandas as pd  # noqa: PLC0415 - heavy, and only here

        rows = [
            {name: encodable(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
            for row in self.rows()
        ]
        return pd.DataFrame(rows, columns=[*Finding.COLUMNS, "waiver"])

    def head(self) -> dict[str, Any]:
        """The JSON contract without its findings."""
        extra = {} if self.azure_policy is None else {"azure_policy": _policy_view(self.azure_policy)}
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "tool_version": self.tool_version,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "scope": _plain(self.scope, ScopeView.__slots__),
            "policy": {
                "digest": self.policy.digest,
                "files": list(self.policy.files),
                "not_asked": list(self.policy.not_asked),
                "not_answerable": list(self.policy.not_answerable),
                "waivers": _plain_all(self.policy.waivers, WaiverUse.__slots__),
            },
            "compliant": self.compliant,
            "complete": self.complete,
            "coverage": {
                "complete": self.coverage.complete,
                "resources": self.coverage.resources,
                "repeated": self.coverage.repeated,
                "children": self.coverage.children,
                "expected": self.coverage.expected,
                "scopes": _plain_all(self.coverage.scopes, Scope.__slots__),
                "types": _plain_all(self.coverage.types, TypeCoverage.__slots__),
                "gaps": _plain_all(self.coverage.gaps, Gap.__slots__),
            },
            "summary": {
                check: {state: self.summary[check].get(state, 0) for state in STATES}
                for check in CHECKS
                if check in self.summary
            },
            "domains": _plain_all(self.domains, DomainSummary.__slots__),
            "controls": controls_by_check(check for check in CHECKS if check in self.summary),
            **extra,
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole result as the JSON contract `sovereignmesh.audit/v1` has it, all findings in memory."""
        return {**self.head(), "findings": list(self.rows())}

    def _repr_html_(self) -> str:
        from sovereignmesh.result.html import audit_html  # noqa: PLC0415 - only a notebook asks

        return audit_html(self)


def _policy_view(view: AzurePolicy) -> dict[str, Any]:
    return {
        **_plain(view, AzurePolicy.__slots__),
        "outcomes": dict(view.outcomes),
        "assignments": _plain_all(view.assignments, PolicyAssignment.__slots__),
        "differences": _plain_all(view.differences, PolicyDifference.__slots__),
        "exemptions": _plain_all(view.exemptions, ExemptionUse.__slots__),
    }


def _plain(value: object, names: Iterable[str]) -> dict[str, Any]:
    fields = {name: getattr(value, name) for name in names}
    return {name: list(part) if isinstance(part, tuple) else part for name, part in fields.items()}


def _plain_all(values: Iterable[object], names: tuple[str, ...] | Iterable[str]) -> list[dict[str, Any]]:
    return [_plain(value, names) for value in values]
