"""The Data Map of a Purview account: what its search index tells of assets, and the entities themselves.

Search pages by a token and so has no end; the index lags behind the entities, which are the truth.
https://learn.microsoft.com/rest/api/purview/datamapdataplane/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec
import orjson

from sovereignmesh.azure.purview.line import DATA_MAP, segment
from sovereignmesh.azure.sdk import Facts
from sovereignmesh.errors import AnswerError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sovereignmesh.azure.purview.line import Line

__all__ = ["AT_ONCE", "Asset", "Column", "Contact", "DataMap", "Entity", "Hit", "Page"]

_LARGEST: Final = 1000  # hits of a page: the most that the specification allows
# A guid in a query takes 42 characters: these keep the address below 8 KB. No limit is documented.
AT_ONCE: Final = 100
_SEARCH: Final = "/datamap/api/search/query"
_ENTITIES: Final = "/datamap/api/atlas/v2/entity"
_DEEPEST: Final = 2  # steps from a file over its schema to the columns
# The relationships of the types in the specification and of Microsoft's samples that lead to columns.
_SCHEMAS: Final = frozenset({"tabular_schema", "attachedSchema"})
_COLUMNS: Final = ("column", "columns", "field", "fields")  # how their names end, and those of the types there


class Contact(msgspec.Struct, frozen=True, gc=False):
    """Somebody whom a hit names: an object id, and Owner or Expert."""

    id: str | None = None
    type: str | None = msgspec.field(name="contactType", default=None)


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A hit of a search as the API has it. One of another shape is no answer; terms of a glossary are no assets.

    `collection` is the reference name of the one that it is in: the specification has it not, but it was recorded in
    hits, https://github.com/tayganr/purviewcli (doc/commands/search/query.md).
    """

    id: Annotated[str, msgspec.Meta(min_length=1)]
    qualified_name: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(name="qualifiedName")
    type: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(name="entityType")
    name: str | None = None
    object_type: str | None = msgspec.field(name="objectType", default=None)
    description: str | None = None
    contacts: tuple[Contact, ...] | None = msgspec.field(name="contact", default=None)
    classifications: tuple[str, ...] | None = msgspec.field(name="classification", default=None)
    labels: tuple[str, ...] | None = msgspec.field(name="label", default=None)
    collection: str | None = msgspec.field(name="collectionId", default=None)


class Asset(NamedTuple):
    """What the search index tells of an asset.

    `owners` are the object ids of the contacts of type Owner; the attribute of that name is the technical one and
    says nothing of who answers for it. `classifications` are those of the asset and of its columns; `labels` are
    sensitivity labels, as `Microsoft.Label.GUID`.
    """

    id: str
    name: str
    qualified_name: str
    type: str
    object_type: str = ""
    description: str = ""
    owners: tuple[str, ...] = ()
    classifications: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, hit: Hit) -> Asset:
        """The one that a hit describes."""
        return cls(
            hit.id,
            hit.name or hit.qualified_name.rpartition("/")[2],
            hit.qualified_name,
            hit.type,
            hit.object_type or "",
            (hit.description or "").strip(),
            tuple(one.id for one in hit.contacts or () if one.type == "Owner" and one.id),
            hit.classifications or (),
            hit.labels or (),
        )


class Page(msgspec.Struct, frozen=True):
    """A page of hits: how many the whole query finds, whether that is not exact, the token of the next page if any."""

    hits: list[Hit] = msgspec.field(name="value")
    total: int = msgspec.field(name="@search.count")
    approximate: bool | None = msgspec.field(name="@search.count.approximate", default=None)
    token: str | None = msgspec.field(name="continuationToken", default=None)


_PAGES: Final = msgspec.json.Decoder(Page)  # many times faster than any JSON that is looked through afterwards


class Column(NamedTuple):
    """A column of a table or a file, and the names of its classifications."""

    name: str
    classifications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """An asset itself: `contacts` by type, as the API has them; `body` is the whole of what it says.

    `unresolved` says that it refers to columns which the answer does not bring.
    """

    id: str
    type: str
    qualified_name: str
    description: str
    owners: tuple[str, ...]
    classifications: tuple[str, ...]
    columns: tuple[Column, ...]
    contacts: Mapping[str, Any]
    body: Mapping[str, Any]
    unresolved: bool = False

    @property
    def relations(self) -> Mapping[str, Any]:
        """What it is related to, by relationship attribute; one without a value relates it to nothing."""
        found = self.body.get("relationshipAttributes")
        return found if isinstance(found, dict) else {}

    def references(self, attribute: str) -> list[tuple[str, str]]:
        """The types and qualified names of the entities that an attribute refers to; of one without a name its guid."""
        found = (self.body.get("attributes") or {}).get(attribute)
        each = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return [(str(one.get("typeName")), _name_in(one)) for one in each]


def _name_in(reference: Mapping[str, Any]) -> str:
    unique = reference.get("uniqueAttributes")
    name = unique.get("qualifiedName") if isinstance(unique, dict) else None
    return str(name or reference.get("guid") or "")


class DataMap:
    """Search, and entities. Every method raises an `AzureError` as the connection does."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def search(self, query: Mapping[str, Any], *, limit: int = _LARGEST, token: str = "") -> Page:
        """One page of what a filter finds; `query` is the filter in the API's words, {} for everything."""
        body: dict[str, Any] = {"limit": limit}
        if query:
            body["filter"] = dict(query)
        if token:
            body["continuationToken"] = token
        page = self._line.decoded(_page, "POST", _SEARCH, DATA_MAP, body).body
        if not isinstance(page, Page):
            raise AnswerError(f"{_SEARCH}: the answer is empty")
        return page

    def pages(self, query: Mapping[str, Any]) -> Iterator[Page]:
        """Every page of what a filter finds. Raises AnswerError where a token leads back to where it came from."""
        seen: set[str] = set()
        token = ""
        while True:
            page = self.search(query, token=token)
            yield page
            token = page.token or ""
            if not token:
                return
            if token in seen:
                raise AnswerError("the search gave a continuation token again: its pages do not end")
            seen.add(token)

    def entities(self, ids: Sequence[str]) -> dict[str, Entity]:
        """The entities with these guids, by guid; those that are gone are left out. At most AT_ONCE are asked for."""
        try:
            answer = self._line.object("GET", f"{_ENTITIES}/bulk", DATA_MAP, guid=list(ids))
        except NotFoundError:  # one that is missing refuses all of them
            if len(ids) == 1:
                return {}
            middle = len(ids) // 2
            return {**self.entities(ids[:middle]), **self.entities(ids[middle:])}
        return {entity.id: entity for entity in _entities(answer)}

    def entity(self, identity: str) -> Entity | None:
        """The entity with this guid, None where it is gone."""
        try:
            answer = self._line.object("GET", f"{_ENTITIES}/guid/{segment(identity)}", "")  # no version
        except NotFoundError:
            return None
        if "entity" not in answer.body:
            raise AnswerError(f"{answer.place}: an answer without `entity`")
        both = {"entities": [answer.body["entity"]], "referredEntities": answer.body.get("referredEntities")}
        return next(_entities(Facts(both, answer.place)), None)

    def named(self, kind: str, qualified_names: Sequence[str]) -> dict[str, Entity]:
        """The entities of a type with these qualified names, by that name; those that are not there are left out."""
        wanted = {f"attr_{number}:qualifiedName": name for number, name in enumerate(qualified_names)}
        path = f"{_ENTITIES}/bulk/uniqueAttribute/type/{segment(kind)}"
        try:
            answer = self._line.object("GET", path, "", **wanted)  # this one bears no version but that in its path
        except NotFoundError:
            if len(qualified_names) == 1:
                return {}
            middle = len(qualified_names) // 2
            return {**self.named(kind, qualified_names[:middle]), **self.named(kind, qualified_names[middle:])}
        return {entity.qualified_name: entity for entity in _entities(answer)}

    def write(self, *entities: Mapping[str, Any]) -> None:
        """Creates entities, or changes what is in them, all or none. New ones are put into the root collection.

        Each is found by its guid, else by its type and qualified name. Attributes that are left out stay as they are,
        as in Apache Atlas (EntityGraphMapper.mapAttributes); what becomes of contacts that are left out is not
        documented. Nor is how many a request may hold; 200 are known to work
        (https://learn.microsoft.com/answers/questions/5922338), and a caller should keep to AT_ONCE.
        """
        body = {"referredEntities": {}, "entities": entities}
        self._line.send("POST", f"{_ENTITIES}/bulk", DATA_MAP, body)

    def delete(self, identity: str) -> None:
        """Removes an entity; what is not there is removed already."""
        try:
            self._line.send("DELETE", f"{_ENTITIES}/guid/{segment(identity)}", "")
        except NotFoundError:
            return


def _page(content: bytes) -> Page:
    """The page in an answer; half of one is no JSON, and asked for again. Raises AnswerError for another shape."""
    try:
        return _PAGES.decode(content)
    except msgspec.ValidationError as error:
        raise AnswerError(f"{_SEARCH}: the answer is not as the API says: {error}") from error
    except msgspec.DecodeError as error:
        raise orjson.JSONDecodeError(str(error), "", 0) from error


def _entities(answer: Facts) -> Iterator[Entity]:
    if "entities" not in answer.body:
        raise AnswerError(f"{answer.place}: an answer without `entities`")
    referred = answer.body.get("referredEntities") or {}
    if not isinstance(referred, dict):
        raise AnswerError(f"{answer.place}: `referredEntities` should be an object")
    for one in answer.each("entities"):
        if one.text("guid") and one.text("status") != "DELETED":  # deleted entities are kept for a while
            yield _entity(one, referred)


def _entity(one: Facts, referred: Mapping[str, Any]) -> Entity:
    attributes = one.within("attributes")
    contacts = one.body.get("contacts") or {}
    owners = Facts(contacts, one.place).each("Owner") if isinstance(contacts, dict) else iter(())
    described = attributes.text("userDescription").strip() or attributes.text("description").strip()
    columns = list(_columns(one.body, referred, one.place, _DEEPEST))
    return Entity(
        one.text("guid"),
        one.text("typeName"),
        attributes.text("qualifiedName"),
        described,
        tuple(owner.text("id") for owner in owners if owner.text("id")),
        _classifications(one),
        tuple(column for column in columns if column is not None),
        contacts,
        one.body,
        None in columns,
    )


def _classifications(one: Facts) -> tuple[str, ...]:
    return tuple(each.text("typeName") for each in one.each("classifications"))


def _columns(body: Mapping[str, Any], referred: Mapping[str, Any], place: str, steps: int) -> Iterator[Column | None]:
    """The columns that an entity refers to, of a file those of its schema; None for each that the answer lacks.

    A schema is there for its columns: one without any was not read.
    """
    if not steps or str(body.get("typeName")).endswith(_COLUMNS):  # whose schema is the whole table's
        return
    for name, value in (body.get("relationshipAttributes") or {}).items():
        for reference in value if isinstance(value, list) else (value,):
            if not isinstance(reference, dict):
                continue
            found = referred.get(str(reference.get("guid")))
            told = found if isinstance(found, dict) else reference
            kind = str(told.get("typeName") or "")
            if "DELETED" in (told.get("status"), told.get("entityStatus")):
                continue
            if kind.endswith(_COLUMNS) or name.endswith(_COLUMNS):
                yield _column(Facts(found, place)) if isinstance(found, dict) else None
            elif name in _SCHEMAS or kind == "tabular_schema":
                schema = found if isinstance(found, dict) else {}
                yield from list(_columns(schema, referred, place, steps - 1)) or [None]


def _column(one: Facts) -> Column:
    return Column(one.within("attributes").text("name"), _classifications(one))
