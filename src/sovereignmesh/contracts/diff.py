"""What changes between two contracts, and what of it breaks: for the consumer, or for those whose data it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.mesh.products import DataSchema, FieldWish, RowCount
from sovereignmesh.mesh.words import party
from sovereignmesh.result.text import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sovereignmesh.contracts.contract import DataContract

__all__ = ["ContractChange", "diff_contracts"]


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One change: `breaking` where the consumer may get less or worse, or more may be shared; `why` says which."""

    contract: str
    what: str
    old: str
    new: str
    breaking: bool
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The change as plain data."""
        return {
            "contract": self.contract,
            "what": self.what,
            "old": self.old,
            "new": self.new,
            "breaking": self.breaking,
            "why": self.why,
        }


def diff_contracts(
    old: DataContract | Iterable[DataContract], new: DataContract | Iterable[DataContract]
) -> list[ContractChange]:
    """Every change from the old contracts to the new, by contract; empty where they promise the same.

    Contracts are the same where domain, product and consumer are, without case.
    """
    before, after = _by_name(old), _by_name(new)
    changes: list[ContractChange] = []
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            gone = before[name].title
            changes.append(ContractChange(gone, "contract", gone, "", breaking=True, why="the contract is gone"))
        elif name not in before:
            changes.append(ContractChange(after[name].title, "contract", "", after[name].title, breaking=False))
        else:
            changes += _of_contract(before[name], after[name])
    return changes


def _by_name(contracts: DataContract | Iterable[DataContract]) -> dict[tuple[str, ...], DataContract]:
    from sovereignmesh.contracts.contract import DataContract  # noqa: PLC0415 - which one it is, not what it is of

    several = [contracts] if isinstance(contracts, DataContract) else contracts
    found: dict[tuple[str, ...], DataContract] = {}
    for one in several:
        name = (one.domain.casefold(), one.product.casefold(), party(one.consumer))
        # A consumer may have several contracts: they are compared in their order.
        found[*name, str(sum(each[:3] == name for each in found))] = one
    return found


# What a change means is a function of old and new: the reason why it breaks, "" where it does not.


def _same(why: str) -> Callable[[Any, Any], str]:
    """Any change breaks, but what is said for the first time."""
    return lambda old, _new: why if old else ""


def _not_less(why: str) -> Callable[[Any, Any], str]:
    """A promise that is lower, or gone."""
    return lambda old, new: why if old is not None and (new is None or _other(old, new) or new < old) else ""


def _not_more(why: str) -> Callable[[Any, Any], str]:
    """A bound that is higher, or gone."""
    return lambda old, new: why if old is not None and (new is None or _other(old, new) or new > old) else ""


def _other(old: Any, new: Any) -> bool:
    """Whether one is a text and the other a number: these have no order."""
    return isinstance(old, str) != isinstance(new, str)


def _none_gone(why: str) -> Callable[[Any, Any], str]:
    return lambda old, new: why if set(old or ()) - set(new or ()) else ""


def _none_new(why: str) -> Callable[[Any, Any], str]:
    """A list that lets more through: with new members, or given up. None lets everything through."""
    return lambda old, new: why if old is not None and (new is None or set(new) - set(old)) else ""


def _kept(why: str) -> Callable[[Any, Any], str]:
    return lambda old, new: why if old and not new else ""


_NO: Final = lambda _old, _new: ""  # noqa: E731 - a row of the table
_WORSE, _MORE, _OTHER = "the consumer may get worse data", "more may be shared", "the consumer gets other data"
_CONTRACT: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "allowed_fields": _none_gone("the consumer loses fields"),
    "required_fields": _none_gone("fields may be missing"),
    "excluded_fields": _none_gone(_MORE),
    "exclude_similar": _kept(_MORE),
    "excluded_classifications": _none_gone(_MORE),
    "allowed_classifications": _none_new(_MORE),
    "purpose": _same("the data is shared for another purpose"),
    "residency": lambda old, new: "the data may be in more regions" if old and (not new or set(new) - set(old)) else "",
    "min_completeness": _not_less(_WORSE),
    "min_accuracy": _not_less(_WORSE),
    "min_timeliness": _not_less(_WORSE),
    "max_age": _not_more("the data may be older"),
    "owner": _NO,
    "classification_rules": _NO,
}
_SCHEMA: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "primary_key": _same("rows are told apart otherwise"),
    "timestamp_column": _same("another column tells how fresh it is"),
}
_FIELD: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "type": lambda old, new: _OTHER if old and (old, new) != ("number", "integer") else "",
    "required": _kept("values may be missing"),
    "unique": _kept("values may come twice"),
    "pattern": _same("values may look otherwise"),
    "allowed_values": _none_new("there may be other values"),
    "minimum": _not_less("values may be lower"),
    "maximum": _not_more("values may be higher"),
    "description": _NO,
    "severity": _NO,
}
_ROWS: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "minimum": _not_less("there may be fewer rows"),
    "maximum": _not_more("there may be more rows"),
}
_RULE: Final[Mapping[str, Callable[[Any, Any], str]]] = {"rule": _same("rows may break the old rule")}


def _of_contract(old: DataContract, new: DataContract) -> Iterator[ContractChange]:
    title = new.title
    yield from _compared(title, "", old, new, _CONTRACT)
    if regained := [name for name in new.allowed_fields if name in old.excluded_fields]:
        names = ", ".join(regained)
        yield ContractChange(title, "allowed fields", f"excluded: {names}", names, breaking=True, why=_MORE)
    yield from _of_schema(title, old.data_schema, new.data_schema)


def _of_schema(title: str, old: DataSchema, new: DataSchema) -> Iterator[ContractChange]:
    yield from _compared(title, "", old, new, _SCHEMA)
    yield from _compared(title, "row count ", old.row_count or RowCount(), new.row_count or RowCount(), _ROWS)
    fields = [{one.name: one for one in schema.fields} for schema in (old, new)]
    for name in dict.fromkeys((*fields[0], *fields[1])):
        nothing = FieldWish(name=name)
        yield from _compared(title, f"{name} ", fields[0].get(name, nothing), fields[1].get(name, nothing), _FIELD)
    rules = [{one.name: one for one in schema.validity_rules} for schema in (old, new)]
    for name in dict.fromkeys((*rules[0], *rules[1])):
        yield from _compared(title, f"{name} ", rules[0].get(name), rules[1].get(name), _RULE)


def _compared(
    title: str, before: str, old: Any, new: Any, table: Mapping[str, Callable[[Any, Any], str]]
) -> Iterator[ContractChange]:
    for name, judge in table.items():
        one, other = getattr(old, name, None), getattr(new, name, None)
        if one != other:
            why = judge(one, other)
            what = f"{before}{name.replace('_', ' ').removeprefix('min ')}"
            yield ContractChange(title, what, _shown(one), _shown(other), breaking=bool(why), why=why)


def _shown(value: Any) -> str:
    if value is None or value == () or value is False:
        return ""
    if isinstance(value, dt.timedelta):
        return spoken(value)
    if isinstance(value, tuple):
        return ", ".join(getattr(each, "pattern", None) or str(each) for each in value)
    return "yes" if value is True else str(value)
