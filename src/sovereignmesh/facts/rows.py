"""Reads `types/*.yaml`: where each Azure resource type keeps its keys, copies and exposure.

The loader refuses a row that leaves a question open. The format is described in docs/fact-tables.md.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, cast

from sovereignmesh.errors import FactsError
from sovereignmesh.facts.rules import (
    CopiesRule,
    Copy,
    Exclusion,
    Expression,
    KeyStateRule,
    NeverRule,
    ProcessingRule,
    Reading,
    ResourceType,
    Rule,
    StateRule,
    VaultRule,
    fold,
)
from sovereignmesh.facts.tables import read_table
from sovereignmesh.result.checks import CHECKS, Check
from sovereignmesh.result.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "check_date", "check_sources", "find_resource_type", "load_exclusions", "load_rows", "refuse_unknown",
    "resource_types",
]  # fmt: skip

_TYPE_NAME = re.compile(r"[A-Za-z0-9.]+(/[A-Za-z0-9]+)+")
_SOURCE = re.compile(r"https://\S+|policy:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STATE = {
    "readings", "absent", "absent_because", "incapable", "held_by", "held_by_type", "each", "subject", "fails_as",
    "passes_as", "only_with", "childless",
}  # fmt: skip
_COPY = {
    "name", "exists", "at", "of", "of_type", "pair", "absent", "implicit", "not_applicable", "not_in", "empty",
    "unclear",
}  # fmt: skip
_COMMON = {"source", "checked", "not_applicable", "since", "deviates_from", "preview"}


@cache
def resource_types() -> dict[str, ResourceType]:
    """All rows, by lower-case type name."""
    found: dict[str, ResourceType] = {}
    for file in sorted(files(__package__).joinpath("types").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".yaml"):
            continue
        rows = load_rows(read_table(f"types/{file.name}"), f"facts/types/{file.name}")
        for row in rows:
            if row.name.lower() in found:
                raise FactsError(f"facts/types/{file.name}: {row.name} has a row in another file already")
            found[row.name.lower()] = row
    return found


def find_resource_type(name: str) -> ResourceType | None:
    """The row of the type called `name` (without case), None where the tables have none."""
    return resource_types().get(name.lower())


def load_rows(table: dict[str, Any], file: str) -> list[ResourceType]:
    """The rows of one table. Raises FactsError naming the file, the row and the rule that it breaks."""
    return [_load_type(name, row, f"{file}: {name}") for name, row in table.items()]


def _load_type(name: str, row: dict[str, Any], where: str) -> ResourceType:
    if not _TYPE_NAME.fullmatch(name):
        raise FactsError(f"{where}: not a resource type name")
    checks: dict[Check, Any] = {check: row[check] for check in CHECKS if check in row}
    refuse_unknown(
        row, {"title", "metadata", "holds_no_data", "processes_data", "child_of", "replica", "note", *checks}, where
    )
    if "title" not in row:
        raise FactsError(f"{where}: `title` is missing")
    if not checks and not row.get("holds_no_data") and not row.get("metadata"):
        raise FactsError(f"{where}: says nothing about any check; give a rule or `holds_no_data`")
    return ResourceType(
        name=name,
        title=row["title"],
        rules={check: _load_rule(check, fields, f"{where}: {check}") for check, fields in checks.items()},
        metadata=row.get("metadata", False),
        holds_no_data=row.get("holds_no_data"),
        processes_data=row.get("processes_data", False),
        child_of=row.get("child_of"),
        replica=load_exclusions(row, "replica", where),
        note=row.get("note"),
    )


def _load_rule(check: Check, written: dict[str, Any], where: str) -> Rule:
    fields = {**read_table("defaults.yaml").get(check, {}), **written}
    common = {
        "check": check,
        "source": check_sources(fields, where),
        "checked": check_date(fields, where),
        "not_applicable": load_exclusions(fields, "not_applicable", where),
        "since": fields.get("since"),
        "deviates_from": fields.get("deviates_from"),
        "preview": fields.get("preview", False),
    }
    load = next((load for key, load in _FORMS.items() if key in written), None) or (
        _state_rule if "readings" in fields else None
    )
    if load is None:
        raise FactsError(f"{where}: has none of {', '.join(_FORMS)}")
    return load(common, fields, where)


def _never_rule(common: dict[str, Any], fields: dict[str, Any], where: str) -> NeverRule:
    refuse_unknown(fields, {*_COMMON, "never", *read_table("defaults.yaml").get(common["check"], {})}, where)
    return NeverRule(**common, because=fields["never"])


def _state_rule(common: dict[str, Any], fields: dict[str, Any], where: str) -> StateRule:
    refuse_unknown(fields, {*_COMMON, *_STATE}, where)
    if not (fields["readings"] or fields.get("held_by") or fields.get("absent") in ("child", "inherits")):
        raise FactsError(f"{where}: `readings` is empty; only with `held_by`, `absent: child` or `inherits` may it be")
    if bool(fields.get("held_by")) != bool(fields.get("held_by_type")):
        raise FactsError(f"{where}: `held_by` and `held_by_type` go together")
    return StateRule(
        **common,
        readings=tuple(_reading(reading, where) for reading in fields["readings"]),
        absent=_choice(fields, "absent", ("no", "unknown", "child", "inherits"), where),
        absent_because=fields.get("absent_because", ""),
        incapable=load_exclusions(fields, "incapable", where),
        held_by=_optional(fields, "held_by", where),
        held_by_type=fields.get("held_by_type"),
        each=_optional(fields, "each", where),
        subject=_optional(fields, "subject", where),
        fails_as=_reason(fields, "fails_as", where),
        passes_as=_reason(fields, "passes_as", where),
        only_with=fields.get("only_with"),
        childless_fails="childless" in fields and _choice(fields, "childless", ("no",), where) == "no",
    )


def _copies_rule(common: dict[str, Any], fields: dict[str, Any], where: str) -> CopiesRule:
    refuse_unknown(fields, {*_COMMON, "copies", "some"}, where)
    copies = tuple(_copy(copy, where) for copy in fields["copies"])
    return CopiesRule(**common, copies=copies, some=fields.get("some", False))


def _copy(fields: dict[str, Any], where: str) -> Copy:
    where = f"{where}: copy {fields.get('name')!r}"
    refuse_unknown(fields, _COPY, where)
    implicit = fields.get("implicit", False)
    places = sum(bool(fields.get(key)) for key in ("at", "of", "pair", "unclear"))
    if places != 1 and not (places == 0 and fields.get("absent") == "child"):
        raise FactsError(
            f"{where}: needs one of `at`, `of`, `pair: true` and `unclear`, unless only a child resource tells"
        )
    if bool(fields.get("of")) != bool(fields.get("of_type")):
        raise FactsError(f"{where}: `of` and `of_type` go together")
    if fields.get("unclear") and "exists" not in fields:
        raise FactsError(f"{where}: `unclear` needs `exists`")
    if implicit and "exists" in fields:
        raise FactsError(f"{where}: an implicit copy always exists; drop `exists`")
    return Copy(
        name=fields["name"],
        exists=_reading(fields["exists"], where) if "exists" in fields else None,
        at=_optional(fields, "at", where, keep_missing=True),
        pair=fields.get("pair", False),
        absent="unknown" if implicit else _choice(fields, "absent", ("none", "unknown", "child"), where),
        implicit=implicit,
        not_applicable=load_exclusions(fields, "not_applicable", where),
        not_in=frozenset(fields.get("not_in", ())),
        empty=fields.get("empty") == "none",
        of=_optional(fields, "of", where, keep_missing=True),
        of_types=tuple(map(str.lower, fields.get("of_type", ()))),
        unclear=_reason(fields, "unclear", where),
    )


def _vault_rule(common: dict[str, Any], fields: dict[str, Any], where: str) -> VaultRule:
    refuse_unknown(fields, {*_COMMON, "vault", "through", "through_type", "key", "rotates"}, where)
    if bool(fields.get("through")) != bool(fields.get("through_type")):
        raise FactsError(f"{where}: `through` and `through_type` go together")
    return VaultRule(
        **common,
        vault=_optional(fields, "vault", where, keep_missing=True),
        through=_optional(fields, "through", where),
        through_type=fields.get("through_type"),
        key=_optional(fields, "key", where, keep_missing=True),
        rotates=_rotation(fields.get("rotates"), where),
    )


def _rotation(written: Any, where: str) -> Reading | Literal["versionless"] | None:
    if written is None or written == "versionless":
        return cast("Literal['versionless'] | None", written)
    return _reading(written, f"{where}: rotates")


def _key_state_rule(common: dict[str, Any], fields: dict[str, Any], where: str) -> KeyStateRule:
    refuse_unknown(fields, {*_COMMON, "key_state"}, where)
    state = fields["key_state"]
    refuse_unknown(state, {"enabled", "expires", "type"}, f"{where}: key_state")
    return KeyStateRule(
        **common,
        enabled=Reading(Expression.of(state["enabled"], where), frozenset({"true"}), frozenset({"false"})),
        expires=Expression.of(state["expires"], where),
        type=Expression.of(state["type"], where),
    )


def _processing_rule(common: dict[str, Any], fields: dict[str, Any], where: str) -> ProcessingRule:
    refuse_unknown(fields, {*_COMMON, "processing", "absent"}, where)
    said = fields["processing"]
    refuse_unknown(said, {"at", "named", "anywhere", "zone", "geography", "here", "auto"}, f"{where}: processing")
    return ProcessingRule(
        **common,
        at=Expression.of(said["at"], where),
        anywhere=_folded(said, "anywhere"),
        zone=_folded(said, "zone"),
        geography=_folded(said, "geography"),
        here=_folded(said, "here"),
        auto=_folded(said, "auto"),
        named=said.get("named", False),
        absent=_choice(fields, "absent", ("unknown", "here", "auto", "child"), where),
    )


def _folded(fields: dict[str, Any], key: str) -> frozenset[str]:
    return frozenset(map(fold, fields.get(key, ())))


def _reason(fields: dict[str, Any], key: str, where: str) -> str | None:
    code: str | None = fields.get(key)
    if code is not None and code not in REASONS:
        raise FactsError(f"{where}: `{key}`: {code!r} is no reason of result/reasons.py")
    return code


def _reading(fields: dict[str, Any], where: str) -> Reading:
    refuse_unknown(fields, {"at", "yes", "no"}, where)
    yes = fields.get("yes", [])
    return Reading(
        at=Expression.of(fields["at"], where),
        yes=None if yes == "*" else frozenset(map(fold, yes)),
        no=frozenset(map(fold, fields.get("no", []))),
    )


def load_exclusions(fields: dict[str, Any], key: str, where: str) -> tuple[Exclusion, ...]:
    found = []
    for case in fields.get(key, []):
        refuse_unknown(case, {"at", "is", "because"}, f"{where}: {key}")
        if not case.get("because"):
            raise FactsError(f"{where}: {key}: `because` is missing")
        found.append(Exclusion(Expression.of(case["at"], where), frozenset(map(fold, case["is"])), case["because"]))
    return tuple(found)


def _optional(fields: dict[str, Any], key: str, where: str, *, keep_missing: bool = False) -> Expression | None:
    return Expression.of(fields[key], where, keep_missing=keep_missing) if fields.get(key) else None


def check_sources(fields: dict[str, Any], where: str) -> tuple[str, ...]:
    written = fields.get("source")
    sources = tuple(written) if isinstance(written, list) else (written,)
    if not all(isinstance(source, str) and _SOURCE.fullmatch(source) for source in sources):
        raise FactsError(f"{where}: `source` must be a page's address or policy:GUID, or a list of them")
    return sources


def check_date(fields: dict[str, Any], where: str) -> str:
    try:
        return dt.date.fromisoformat(fields.get("checked", "")).isoformat()
    except ValueError as error:
        raise FactsError(f"{where}: `checked` must be the date on which the source was read") from error


def _choice(fields: dict[str, Any], key: str, allowed: tuple[str, ...], where: str) -> Any:
    if fields.get(key) not in allowed:
        raise FactsError(f"{where}: `{key}` must be one of {', '.join(allowed)}")
    return fields[key]


# What an entry's form is known by.
_FORMS: dict[str, Callable[[dict[str, Any], dict[str, Any], str], Rule]] = {
    "never": _never_rule,
    "readings": _state_rule,
    "copies": _copies_rule,
    "vault": _vault_rule,
    "through": _vault_rule,
    "key_state": _key_state_rule,
    "processing": _processing_rule,
}


def refuse_unknown(fields: dict[str, Any], known: set[str], where: str) -> None:
    for key in fields:
        if key not in known:
            raise FactsError(f"{where}: `{key}` means nothing here; known: {', '.join(sorted(known))}")
