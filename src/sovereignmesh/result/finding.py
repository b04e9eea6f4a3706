"""One judgement that a person should see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sovereignmesh.result.checks import CHECKS, SEVERITIES, STATES
from sovereignmesh.result.controls import controls_of
from sovereignmesh.result.reasons import REASONS

if TYPE_CHECKING:
    from sovereignmesh.result.checks import Check, Severity, State

__all__ = ["Finding", "finding_id"]

_RANK: Final = {
    name: rank
    for names in (SEVERITIES, CHECKS, ("non-compliant", "unknown", "exempt", "compliant", "not-applicable"))
    for rank, name in enumerate(names)
}
assert set(STATES) <= set(_RANK)


def finding_id(check: str, resource_id: str, subject: str) -> str:
    """The fingerprint of a judgement, 32 hexadecimal digits: it survives a change of wording.

    >>> finding_id("region", "/subscriptions/A", "") == finding_id("region", "/SUBSCRIPTIONS/a", "")
    True
    """
    parts = f"{check}\0{resource_id.lower()}\0{subject}"
    return hashlib.blake2b(parts.encode(errors="surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """What, where, expected, actual, why it matters, how to mend it, and the source of the rule.

    `subject` says which tag, replica, backup or key of the resource is meant; empty where the check has one answer
    for the whole resource. `reason` is a code of `sovereignmesh.result.reasons`; `why` and `remediation` are its
    words. `waiver` is None or the waiver's reason, owner and expiry ("" where it does not expire).
    `read_at` is when what it rests on was read, in UTC; empty where nobody knows: a file does not say it.

    Of an asset of the catalog, `resource_id` is the qualified name, `resource_type` the entity type, and `collection`
    the title of the collection that it is in; subscription and resource group are empty.
    """

    id: str
    check: Check
    state: State
    severity: Severity
    advisory: bool
    resource_id: str
    resource_name: str
    resource_type: str
    subscription_id: str
    resource_group: str
    location: str
    domain: str
    subject: str
    expected: str
    actual: str
    reason: str
    source: str
    waiver: dict[str, str] | None = None
    read_at: str = ""
    collection: str = ""

    COLUMNS: ClassVar = (
        "id", "check", "state", "severity", "advisory", "resource_id", "resource_name", "resource_type",
        "subscription_id", "resource_group", "location", "domain", "subject", "expected", "actual", "reason", "why",
        "remediation", "source", "read_at", "collection",
    )  # fmt: skip

    @property
    def passed(self) -> bool:
        """Whether it is listed only because somebody asked to see what passed or did not apply."""
        return self.state in ("compliant", "not-applicable")

    @property
    def path(self) -> str:
        """The resource's name with those of its parents: `server/database`."""
        if self.collection:
            return self.resource_id.partition("://")[2].partition("/")[2] or self.resource_name
        names = [name for part in self.resource_id.split("/providers/")[1:] for name in part.split("/")[2::2]]
        return "/".join(names) if len(names) > 1 else self.resource_name

    @property
    def why(self) -> str:
        return REASONS[self.reason].why if self.reason else ""

    @property
    def remediation(self) -> str:
        return REASONS[self.reason].remedy if self.reason else ""

    @property
    def controls(self) -> tuple[str, ...]:
        """The controls of laws and standards that its check is evidence for: `NIS2 Art. 21(2)(h)`."""
        return tuple(control.name for control in controls_of(self.check))

    @property
    def order(self) -> tuple[int, int, int, str, str]:
        """Worst first, then by check, then by resource: the same order whatever order the rows came in."""
        return (
            _RANK[self.state],
            _RANK[self.severity],
            _RANK[self.check],
            self.resource_id.lower(),
            self.subject,
        )

    def as_dict(self) -> dict[str, Any]:
        """The finding as the JSON contract has it."""
        return {column: getattr(self, column) for column in (*self.COLUMNS, "waiver")}
