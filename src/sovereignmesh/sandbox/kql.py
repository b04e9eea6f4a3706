"""The shim between Resource Graph's dialect of KQL and duckdb-kql: what one writes and the other wants otherwise."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from antlr4 import CommonTokenStream, InputStream, Token  # type: ignore[import-untyped]  # ANTLR's runtime is untyped
from antlr4.error.ErrorListener import ErrorListener  # type: ignore[import-untyped]  # as above
from duckdb_kql._antlr.KqlLexer import KqlLexer
from duckdb_kql._antlr.KqlParser import KqlParser

from sovereignmesh.sandbox.tables import HELD, HIDDEN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ParserFailure", "Query", "read_query"]

_DEFAULT: Final = "resources"
_HIDDEN: Final = HIDDEN.lower()
_SHAPING: Final = frozenset({"project", "extend", "summarize", "distinct", "project-rename"})
_LIMITS: Final = frozenset({"limit", "take", "sample"})
_TAKES_KIND: Final = frozenset({"join", "union", "parse", "parse-where", "mv-expand", "mvexpand", "mv-apply", "lookup"})
_EXPANDS: Final = frozenset({"mv-expand", "mvexpand"})
_OPERATORS: Final = frozenset(
    {
        *_SHAPING, *_LIMITS, *_TAKES_KIND, "where", "filter", "count", "order", "sort", "top", "project-away",
        "project-keep", "project-reorder", "search", "serialize", "as", "evaluate", "getschema", "render",
    }
)  # fmt: skip
_FIRST: Final = _OPERATORS - {"union", "search", "evaluate"}  # of these, a query begins with none but on a table
_NO_TABLE: Final = frozenset({"(", "="})
_SIDES: Final = frozenset({"$left", "$right"})


class ParserFailure(Exception):  # noqa: N818 - the service's word
    """The query is no KQL: the place and the token where the parser gave up, counted in the query as it was sent."""

    def __init__(self, line: int, column: int, token: str) -> None:
        super().__init__(f"{line}:{column} {token}")
        self.line, self.column, self.token = line, column, token


class Query(NamedTuple):
    """A query for duckdb-kql. `limited`: it cuts its rows itself. `hidden`: it names the column `apiVersion` itself."""

    text: str
    limited: bool
    hidden: bool
    sent: str
    pieces: tuple[tuple[str, Any], ...]

    def fail(self) -> None:
        """Raises ParserFailure where the query is no KQL: duckdb-kql knows that, but not the place."""
        _check(self.text, self.sent, self.pieces)


@lru_cache(maxsize=64)
def read_query(text: str) -> Query:
    """The query as duckdb-kql takes it."""
    tokens = _tokens(text)
    pieces: list[tuple[str, Any]] = []  # text, and the token that it stands for
    if tokens and tokens[0].text.lower() in _FIRST:
        pieces.append((f"{_DEFAULT} | ", tokens[0]))
    before = operator = ""
    limited = hidden = False
    position = 0
    skipped = -1
    for index, token in enumerate(tokens):
        word = token.text.lower()
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if before in ("", "|") and word in _OPERATORS:
            operator = word
            limited |= word in _LIMITS
        hidden |= word == _HIDDEN and operator in _SHAPING
        gap = text[position : token.start]
        written = token.text
        if index == skipped:
            written = f"['{written}']"
        elif word == "." and before not in _SIDES and following and _is_reserved(tokens[index + 1]):
            written, skipped = "", index + 1
        elif word == "kind" and not (before in _TAKES_KIND or (following == "=" and operator in _TAKES_KIND)):
            written = "['kind']"
        elif word in HELD and before != "." and following not in _NO_TABLE:
            written = word
        elif before in _EXPANDS and (name := _path_name(tokens[index:])):
            written = f"{name} = {written}"
        pieces.append((gap + written, token))
        position = token.stop + 1
        before = word
    pieces.append((text[position:], None))
    return Query("".join(piece for piece, _ in pieces), limited, hidden, text, tuple(pieces))


def _tokens(text: str) -> list[Any]:
    lexer = KqlLexer(InputStream(text))
    lexer.removeErrorListeners()  # what is no token fails in the parser
    return [token for token in lexer.getAllTokens() if token.channel == Token.DEFAULT_CHANNEL]


def _is_reserved(token: Any) -> bool:
    """Whether a name after a dot is one of the language's own words, which duckdb-kql takes for that."""
    return bool(token.type != KqlLexer.IDENTIFIER and token.text.replace("_", "").isalnum() and token.text[0].isalpha())


def _path_name(tokens: Sequence[Any]) -> str:
    """The column's name that Kusto gives to a path (`a.b.c`: a_b_c); "" where the tokens do not begin with one."""
    names: list[str] = []
    for index, token in enumerate(tokens):
        if index % 2 == 0 and token.text.replace("_", "").isalnum():
            names.append(token.text)
        elif index % 2 == 0 or token.text != ".":
            break
    ends = tokens[len(names) * 2 - 1].text if len(tokens) >= len(names) * 2 and names else "|"
    return "_".join(names) if len(names) > 1 and ends in ("|", "to", ")", ",", "limit") else ""


class _Watched(CommonTokenStream):  # type: ignore[misc]  # the runtime of ANTLR is untyped
    """Tokens that remember how far the parser looked: that is where it finds that nothing fits."""

    furthest = 0

    def LT(self, k: int) -> Any:  # noqa: N802 - ANTLR's name
        token = super().LT(k)
        if token is not None:
            self.furthest = max(self.furthest, token.tokenIndex)
        return token

    def LA(self, i: int) -> Any:  # noqa: N802 - ANTLR's name
        return self.LT(i).type


class _Stop(ErrorListener):  # type: ignore[misc]  # the runtime of ANTLR is untyped
    def syntaxError(self, *_: Any) -> None:  # noqa: N802 - ANTLR's name
        raise _FoundError


class _FoundError(Exception):
    pass


def _check(query: str, text: str, pieces: Sequence[tuple[str, Any]]) -> None:
    lexer = KqlLexer(InputStream(query))
    lexer.removeErrorListeners()
    stream = _Watched(lexer)
    parser = KqlParser(stream)
    parser.removeErrorListeners()
    parser.addErrorListener(_Stop())
    try:
        parser.top()  # type: ignore[no-untyped-call]  # generated by ANTLR, without types
    except _FoundError:
        wrong = stream.tokens[stream.furthest]
    else:
        return
    starts = [0]
    for piece, _ in pieces:
        starts.append(starts[-1] + len(piece))
    origin = None if wrong.type == Token.EOF else pieces[bisect_right(starts, wrong.stop) - 1][1]
    if origin is not None:
        raise ParserFailure(origin.line, origin.column, origin.text)
    lines = text.split("\n")
    raise ParserFailure(len(lines), len(lines[-1]), "<EOF>")
