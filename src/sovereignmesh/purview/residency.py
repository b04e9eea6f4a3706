"""Where Purview itself keeps and reads data: the account's region, the sources' and the scanners', against the policy.

Metadata is stored in the account's region. Scanners run in the source's region where they are offered, else in the
account's: the table of Purview's facts says where, and how sure that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sovereignmesh.facts import find_region
from sovereignmesh.facts.purview import scanner_regions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sovereignmesh.azure.purview import PurviewAccount
    from sovereignmesh.mesh import Mesh, Residency
    from sovereignmesh.mesh.purview import PurviewAccountWish
    from sovereignmesh.mesh.references import Loaded
    from sovereignmesh.purview.sources import Wanted
    from sovereignmesh.result import Problem
    from sovereignmesh.yamlfile import Path

__all__ = ["home_problems", "residency_problems"]


def residency_problems(
    mesh: Mesh, document: Loaded[PurviewAccountWish], account: PurviewAccount, sources: Iterable[Wanted], *, allow: bool
) -> Iterator[Problem]:
    """What would be where the policy does not allow it, or where nobody knows. Errors, unless `allow`.

    A policy that is not enforced gives warnings alone.
    """
    home = find_region(account.location)
    yield from home_problems(mesh, document, account.location, ("account",), allow=allow)
    for source in sources:
        residency = mesh.policy_for(source.domain or None).residency
        if residency is None:
            continue
        if not source.located:
            message = f"where the source '{source.name}' ({source.kind_name}) is, is not told and not checked"
            yield document.problem(source.path, f"{message}: give a 'location' if Azure has it", "warning")
            continue
        severity = _severity(residency, allow=allow)
        for message in _source(source, residency, home.name if home else ""):
            yield document.problem(source.path, message, severity)


def home_problems(
    mesh: Mesh, document: Loaded[PurviewAccountWish], location: str, path: Path, *, allow: bool
) -> Iterator[Problem]:
    """What is wrong with the region of the account itself, said at a place in the document."""
    home, own = find_region(location), mesh.policy_for(None).residency
    if own is None:
        return
    severity = _severity(own, allow=allow)
    if home is None:
        message = f"the account is in {location or 'a region that is not told'}, which is not known"
        yield document.problem(path, message, severity)
    elif home.name not in own.allowed:
        message = f"the account keeps metadata in {home.name}, which is not allowed: {_allowed(own)}"
        yield document.problem(path, message, severity)


def _source(source: Wanted, residency: Residency, home: str) -> Iterator[str]:
    whose = f" for {source.domain}" if source.domain else ""
    what = f"the source '{source.name}'"
    if not source.region:
        why = "its resource is not visible to you" if source.properties.get("resourceId") else "it names no resource"
        yield f"where {what} is cannot be told: {why}; give a 'location', or the id of a resource that you may read"
        return
    if source.region not in residency.allowed:
        yield f"{what} is in {source.region}, which is not allowed{whose}: {_allowed(residency)}"
    if source.region not in scanner_regions() and home not in residency.allowed:
        yield (
            f"{what} is in {source.region}, where no scanner is known to run: it may be read from the account's region "
            f"{home or 'that is not known'}, which is not allowed{whose}: {_allowed(residency)}"
        )


def _severity(residency: Residency, *, allow: bool) -> str:
    return "warning" if allow or not residency.enforced else "error"


def _allowed(residency: Residency) -> str:
    return ", ".join(sorted(residency.allowed))
