"""Reads YAML and knows its lines: YAML 1.2's core schema, safely, with every defect at its place.

`no`, `on` and dates are strings here; `<<` is a key like any other. Only data comes out: mappings with string keys,
lists, strings, numbers, booleans and None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from sovereignmesh.errors import MeshError
from sovereignmesh.result.location import Location, Problem
from sovereignmesh.result.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MAX_BYTES", "Document", "Path", "dump", "json_path", "parse", "parse_all"]

Path = tuple[str | int, ...]

NodeT = TypeVar("NodeT", MappingNode, SequenceNode)

MAX_BYTES: Final = 5_000_000
MAX_DEPTH: Final = 50
_WIDTH: Final = 120
MAX_REPEATED: Final = 100_000  # nodes that aliases add to those that are written out

# Not text, or (the last five) read as a line break by one version of YAML and not by another: lines would be wrong.
_UNSEEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
)  # double quotes spell these out
_REFUSED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = re.compile(rb"\xff\xfe|\xfe\xff|\x00[^\x00]|[^\x00]\x00")

_CORE: Final = "tag:yaml.org,2002:"
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), "null"),
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), "bool"),
}
_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_BASES: Final = {"0o": 8, "0x": 16}

# What the parser says, without its version's wording, and what it usually means.
_HINTS: Final = {
    "mapping values are not allowed": "a second ':' on a line, or wrong indentation; quote a value that holds ': '",
    "did not find expected key": "wrong indentation, or an unclosed quote above",
    "expected <block end>": "wrong indentation, or an unclosed quote above",
    "did not find expected '-' indicator": "wrong indentation of a list item",
    "could not find expected ':'": "a key without ':', or wrong indentation",
    "cannot start any token": "indent with spaces, not tabs; quote a value that begins with @, ` or %",
    "expected ',' or ']'": "a list that '[' opened is not closed, or a comma is missing",
    "expected ',' or '}'": "a mapping that '{' opened is not closed, or a comma is missing",
    "unexpected end of stream": "a quote is not closed",
    "undefined alias": "'*' begins an alias; quote the value if it is meant as text",
    "unknown escape character": "in double quotes '\\' begins an escape; use single quotes",
}


class _TooDeepError(yaml.MarkedYAMLError):
    """Nested deeper than any document that a person writes."""


class _CoreSchema:
    """The hooks that both of PyYAML's composers call: which tag a node without one has, and how deep we are."""

    depth = 0
    composed = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is not ScalarNode:
            return _CORE + ("map" if kind is MappingNode else "seq")
        return _CORE + (_plain_kind(value) if implicit[0] else "str")

    def descend_resolver(self, parent: Node | None, _index: object) -> None:
        self.depth += 1
        self.composed += 1
        if self.depth > MAX_DEPTH:
            mark = parent.start_mark if parent else None
            raise _TooDeepError(problem=f"nested more than {MAX_DEPTH} levels deep", problem_mark=mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class _PureLoader(_CoreSchema, Reader, Scanner, Parser, Composer):
    def __init__(self, stream: bytes) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


_Loader: Any = _PureLoader
if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class _FastLoader(_CoreSchema, CParser):
        pass

    _Loader = _FastLoader


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its plain data in `value`, and all that is wrong with it in `problems`, in file order.

    `value` is the best reading there is when `problems` is not empty, None when nothing could be read.
    """

    name: str
    value: Any
    problems: tuple[Problem, ...]
    # Lines and columns by path, and those of the keys: they cost a collector of garbage less than YAML's own nodes.
    _values: dict[Path, tuple[int, int]] = field(default_factory=dict, repr=False)
    _keys: dict[Path, tuple[int, int]] = field(default_factory=dict, repr=False)

    def locate(self, path: Path, *, key: bool = False) -> Location:
        """Where the value at `path` stands, or with `key` the key that holds it (a list's item has none: the item).

        A path that does not exist leads to its nearest ancestor that does.
        """
        while path and path not in self._values:
            path = path[:-1]
        found = self._keys.get(path) if key else None
        return Location(self.name, *(found or self._values.get(path, (1, 1))))

    def require(self) -> Any:
        """The value; raises `MeshError` with all problems if there are any."""
        if self.problems:
            raise MeshError(self.problems)
        return self.value


def parse(data: bytes, name: str) -> Document:
    """The single document in `data`; `name` is the file's name in every location.

    A second document in it is a problem. Nothing is raised for what is wrong in the data: see `Document.problems`.

    >>> parse(b"answer: no", "a.yaml").value
    {'answer': 'no'}
    """
    first, *rest = parse_all(data, name)
    problems = list(first.problems)
    for document in rest:
        message = "another document: only one is expected here, remove the '---' above it"
        problems += document.problems or [Problem(document.locate(()), "$", message)]
    return replace(first, problems=tuple(problems))


def parse_all(data: bytes, name: str) -> list[Document]:
    """The documents in `data`, separated by `---`; at least one (None for an empty file).

    A syntax error ends the list with a document of its own that holds the problem.
    """
    refusal = _refusal(data, name)
    if refusal:
        return [Document(name, None, (refusal,))]
    return list(_documents(data.removeprefix(_BYTE_ORDER_MARK), name)) or [Document(name, None, ())]


class _Dumper(yaml.SafeDumper):
    """Quotes what this module would not read as a string, besides what YAML 1.1 would not."""


def _written(dumper: _Dumper, text: str) -> Node:
    plain = not text or _plain_kind(text) == "str"
    style = '"' if _UNSEEN.search(text) else None if plain else "'"
    return dumper.represent_scalar(f"{_CORE}str", text, style=style)


_Dumper.add_representer(str, _written)


def dump(data: Any) -> str:
    r"""Plain data as YAML that this module reads back as it was.

    >>> dump({"name": "5e1234"})
    "name: '5e1234'\n"
    """
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH))


def json_path(path: Path) -> str:
    """`path` as people write it.

    >>> json_path(("domain", "subscriptions", 0, "a b"))
    "$.domain.subscriptions[0]['a b']"
    """
    return "$" + "".join(_step(step) for step in path)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[A-Za-z_][\w-]*", step) else f"[{printable(step)!r}]"


def _refusal(data: bytes, name: str) -> Problem | None:
    """Why these bytes are no YAML file at all."""
    if len(data) > MAX_BYTES:
        return Problem(Location(name, 1, 1), "$", f"the file is larger than {MAX_BYTES:,} bytes: split it")
    if _UTF_16.match(data):
        return Problem(Location(name, 1, 1), "$", "the file looks like UTF-16: save it as UTF-8")
    try:
        text = data.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        what = f"byte 0x{error.object[error.start]:02x} at offset {error.start} is not UTF-8: save the file as UTF-8"
        return Problem(_location_after(before, name), "$", what)
    refused = _REFUSED.search(text)
    if refused:
        what = f"control character U+{ord(refused.group()):04X}: remove it, or write it as an escape in double quotes"
        return Problem(_location_after(text[: refused.start()], name), "$", what)
    return None


def _location_after(before: str, name: str) -> Location:
    lines = re.split(r"\r\n|\r|\n", before)
    return Location(name, len(lines), len(lines[-1]) + 1)


def _documents(data: bytes, name: str) -> Iterator[Document]:
    loader = _Loader(data)
    try:
        while loader.check_node():
            root = loader.get_node()
            builder = _Builder(name, loader.composed + MAX_REPEATED)
            value = builder.build(root, ())
            read = None if builder.overrun else value
            yield Document(name, read, tuple(builder.problems), builder.values, builder.keys)
    except yaml.YAMLError as error:
        yield Document(name, None, (_syntax_problem(error, name),))


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    location = Location(name, mark.line + 1, mark.column + 1) if mark else Location(name)
    said = str(getattr(error, "problem", None) or error)
    if isinstance(error, _TooDeepError):
        return Problem(location, "$", said)
    context, begin = getattr(error, "context", None), getattr(error, "context_mark", None)
    where = f" {context}" if context else ""
    where += f" that begins in line {begin.line + 1}" if context and begin and begin.line + 1 != location.line else ""
    hint = next((f" ({hint})" for words, hint in _HINTS.items() if words in said), "")
    return Problem(location, "$", printable(f"not valid YAML{where}: {said}{hint}"))


def _plain_kind(value: str) -> str:
    if value in _WORDS:
        return _WORDS[value]
    if value[0] in "+-.0123456789":
        if _INT.fullmatch(value):
            return "int"
        if _FLOAT.fullmatch(value):
            return "float"
    return "str"


def _integer(text: str) -> int:
    base = _BASES.get(text[:2])
    return int(text[2:], base) if base else int(text)


_SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    f"{_CORE}null": {word: None for word, kind in _WORDS.items() if kind == "null"}.__getitem__,
    f"{_CORE}bool": {word: word[0] in "tT" for word, kind in _WORDS.items() if kind == "bool"}.__getitem__,
    f"{_CORE}int": _integer,
    f"{_CORE}float": lambda text: float(text.replace(".", "", 1) if text[-1] in "fFnN" else text),
    f"{_CORE}str": str,
}


def _location(name: str, node: Node) -> Location:
    return Location(name, node.start_mark.line + 1, node.start_mark.column + 1)


class _Builder:
    """Makes plain data of nodes, and collects what is wrong with them."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.left = limit
        self.overrun = False
        self.problems: list[Problem] = []
        self.open: set[int] = set()
        self.values: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}

    def build(self, node: Node, path: Path) -> object:
        self.values[path] = node.start_mark.line + 1, node.start_mark.column + 1
        convert = _SCALARS.get(node.tag)
        if convert and type(node) is ScalarNode:
            try:
                return convert(node.value)
            except (ValueError, KeyError):
                self.refuse(node, path, f"'{node.value[:40]}' is no {node.tag.removeprefix(_CORE)}")
                return None
        if isinstance(node, MappingNode) and node.tag == f"{_CORE}map":
            return self.collection(node, path, self.mapping)
        if isinstance(node, SequenceNode) and node.tag == f"{_CORE}seq":
            return self.collection(node, path, self.sequence)
        tag = node.tag.replace(_CORE, "!!")
        self.refuse(node, path, f"the tag {tag} is not allowed here: only plain data is read")
        return None

    def collection(self, node: NodeT, path: Path, make: Callable[[NodeT, Path], object]) -> object:
        if id(node) in self.open:
            self.refuse(node, path, "an alias (*) inside refers back to this: data cannot hold itself")
            return None
        if self.overrun:
            return None
        self.left -= len(node.value)
        self.overrun = self.left < 0 or len(path) > MAX_DEPTH
        if self.overrun:
            self.refuse(node, path, f"the aliases (*) repeat more than {MAX_REPEATED:,} nodes, or nest too deep")
            return None
        self.open.add(id(node))
        built = make(node, path)
        self.open.remove(id(node))
        return built

    def sequence(self, node: SequenceNode, path: Path) -> list[object]:
        return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]

    def mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        built: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, ScalarNode):
                self.refuse(key_node, path, "a collection cannot be a key: a key must be a string")
                continue
            if key_node.tag != f"{_CORE}str":
                self.refuse(key_node, path, f"the key '{key}' is no string: put it in quotes")
            if key in built:
                first = _location(self.name, next(other for other, _ in node.value if other.value == key)).line
                self.refuse(key_node, (*path, key), f"the key '{key}' is already in line {first}: remove one of them")
            else:
                self.keys[*path, key] = key_node.start_mark.line + 1, key_node.start_mark.column + 1
                built[key] = self.build(value_node, (*path, key))
        return built

    def refuse(self, node: Node, path: Path, message: str) -> None:
        self.problems.append(Problem(_location(self.name, node), json_path(path), printable(message)))
