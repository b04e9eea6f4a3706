"""The constructs of regular expressions, and which of .NET and RE2 objects to them.

From the quick reference of .NET (https://learn.microsoft.com/dotnet/standard/base-types/) and its neighbours on
character escapes, classes, grouping and anchors, and from https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, cast

__all__ = ["INSIDE", "OUTSIDE", "Becomes", "Row", "Severity"]

Severity = Literal["error", "warning"]
Becomes = Literal["set", "point", "skip", "open", "look", "close", "bar", "class", "repeat", "flags"]


class Row(NamedTuple):
    """How a construct looks, what becomes of it, and what is to be said; `{}` in the words is the text found."""

    looks: re.Pattern[str]
    becomes: Becomes
    severity: Severity
    words: str


def _rows(table: str) -> tuple[Row, ...]:
    """A row a line: its regular expression, what becomes of it, words, two blanks between them.

    A line with three blanks in front goes on with the words; words with `?` in front are a warning.
    """
    rows = []
    for line in re.sub(r"\n {7,}", " ", table).splitlines():
        if not line.strip():
            continue
        looks, rest = line.strip().split("  ", maxsplit=1)
        becomes, _, words = rest.partition(" ")
        severity: Severity = "warning" if words.lstrip().startswith("?") else "error"
        looks_like = re.compile(looks, re.DOTALL | re.ASCII)
        rows.append(Row(looks_like, cast("Becomes", becomes), severity, words.strip(" ?")))
    return tuple(rows)


# What counts is the first row that fits.
_CHARACTERS: Final = r"""
    \\[dD]  set  ?.NET reads {} over all of Unicode, RE2 over ASCII: write [0-9] or [^0-9]
    \\[wW]  set  ?.NET reads {} over all of Unicode, RE2 over ASCII: write [A-Za-z0-9_] or [^A-Za-z0-9_]
    \\[sS]  set  ?.NET reads {} over all of Unicode and \v, RE2 as [\t\n\f\r ]: write the characters
    \\x[0-9A-Fa-f]{2}  set
    \\x\{[0-9A-Fa-f]*\}  set  .NET refuses {}: write two digits as in \x41, or the character itself
    \\x  set  .NET and RE2 want two hexadecimal digits after {}
    \\u[0-9A-Fa-f]{4}  set  RE2 refuses {}: write the character itself, or two digits as in \x41
    \\c[A-Za-z@\[\\\]^_]  set  RE2 refuses {}: write the control character as in \x01
    \\e  set  RE2 refuses {}: write \x1b
    \\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})  set  ?{} is an octal number,
        or in .NET a backreference where there are so many groups: write \x and two hexadecimal digits
    \\[pP]\{(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)\}  set
    \\[pP]\{[^}]*\}  set  .NET or RE2 refuses {}: write a general category as in \p{L}, or the characters
    \\[pP]\w?  set  .NET refuses {}: write a general category in braces as in \p{L}
    \\[afnrtv]  set
    \\_  set  .NET refuses {}: write _ alone
    \\[\x00-\x2f:-@\[-^`{-\x7f]  set
    \\\Z  skip  .NET and RE2 refuse a \ at the end: write \\ for the character
"""
OUTSIDE: Final = _rows(
    r"""
    \\[bB]  point  ?{} goes by the letters of all of Unicode in .NET, of ASCII in RE2:
        write the characters that may stand there
    \\[Az]  point
    \\Z  point  RE2 refuses {}, and in .NET it also matches before a newline at the end: write \z
    \\G  point  RE2 refuses {}: leave it out
    \\C  set  .NET refuses {}: write (?s:.)
    \\Q.*?(?:\\E|\Z)  set  .NET refuses \Q..\E: put \ before each special character
    \\k(?:<\w*>|'\w*'|\{\w*\})?  point  RE2 refuses backreferences as {}: write out what may follow
    """
    + _CHARACTERS
    + r"""
    \\[0-9]+  point  RE2 refuses backreferences as {}: write out what may follow
    \\N\{[^}]*\}|\\U[0-9A-Fa-f]{8}  set  .NET and RE2 refuse {}: write the character itself
    \\.  set  .NET or RE2 refuses {}: write the character without the \
    \(\?\#[^)]*\)?  skip  RE2 refuses comments: leave {} out
    \(\?P(?:=|>|&)\w*\)  point  .NET and RE2 refuse {}: write out what may follow
    \(\?P<(?:\w*>)?  open  .NET refuses {}: write (?<name>...) or (?:...)
    \(\?<?[=!]  look  RE2 refuses lookaround as {}: write what may stand there, or take a second pattern
    \(\?>  open  RE2 refuses atomic groups: write (?:...)
    \(\?(?=\()  open  RE2 refuses conditionals: write alternatives as in (?:...|...)
    \(\?\|  open  .NET and RE2 refuse {}: write (?:...|...)
    \(\?<\w*-\w*>  open  RE2 refuses balancing groups as {}: write (?:...)
    \(\?'[\w-]*'  open  RE2 refuses {}: write (?<name>...) or (?:...)
    \(\?<[A-Za-z_]\w*>  open
    \(\?<  open  .NET and RE2 do not both take every name of a group: write (?<name>...),
        of ASCII letters, digits and _, no digit first
    \(\?:  open
    \(\?[A-Za-z+-]*\)  flags
    \(\?[A-Za-z+-]+:  flags
    \(\?  open  .NET and RE2 refuse {} here: write (?:...), or \(
    \(  open
    \)  close
    \|  bar
    \[  class
    [*+?]|\{[0-9]+(?:,[0-9]*)?\}  repeat
    \{(?=,[0-9]+\})  set  ?a repetition without its first number is text in .NET and RE2, a repetition elsewhere:
        write {0,3} for it, \{ for the text
    \^  point
    \$  point  ?$ also matches before a newline at the end in .NET, not in RE2: write \z
    .  set
    """
)
INSIDE: Final = _rows(
    r"""
    \\b  set  RE2 refuses {} in brackets: write \x08
    """
    + _CHARACTERS
    + r"""
    \\[1-7]  set  RE2 refuses {} in brackets: write \x and two hexadecimal digits
    \\.  set  .NET or RE2 refuses {} in brackets: write the character without the \
    \[:\^?(?:al(?:num|pha)|ascii|blank|cntrl|x?digit|graph|lower|print|punct|space|upper|word):\]  set
        ?{} is a class in RE2 and not in .NET: write its characters, as in a-zA-Z
    .  set
    """
)
