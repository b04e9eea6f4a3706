"""Names that mean the same to a reader: case, separators, words around, and letters that look like others.

What looks alike is from Unicode's security data for names (https://www.unicode.org/reports/tr39/#Confusable_Detection):
of its table what stands for a Latin letter in Cyrillic, Greek and Armenian, digits, and the fullwidth and mathematical
letters, which NFKC undoes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

__all__ = ["resembles"]

_ALIKE: Final = str.maketrans(
    "аеорсухіјѕԁһӏԛԝѵвмнткгпиьзԍɡɑıƖłøđ"
    "αεονρτυχικηωβγ"
    "օոսհցզք"  # noqa: RUF001
    "01i354",
    "aeopcyxljsdhlqwvbmhtkrnubzggalllod"
    "aeovptuxlknwby"
    "onuhgqp"
    "ollesa",
)  # fmt: skip
_SIGNS: Final = str.maketrans("|!$@", "llsa")
_WORD: Final = re.compile(r"[^\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONG: Final = 5  # from so many letters on a name is found inside a word


def resembles(name: str, other: str) -> bool:
    """Whether `name` has the words of `other` in it, whatever their case, separators or look-alike letters.

    A name of five letters or more is also found inside a word. What is meant is not known: `emailOptIn` resembles
    `email`.

    >>> [resembles(name, "email") for name in ("E-Mail", "customer_email", "contact.eMail", "emaïl", "custemail")]
    [True, True, True, True, True]
    >>> resembles("mail_order", "email"), resembles("zipped", "zip"), resembles("zip_code", "zip")
    (False, False, True)
    """
    words, wanted = _words(name), "".join(_words(other)).removesuffix("s")
    if not wanted:  # nothing but signs
        return name == other
    if len(wanted) >= _LONG and wanted in "".join(words):
        return True
    return any(_begins(words, start, wanted) for start in range(len(words)))


def _begins(words: tuple[str, ...], start: int, wanted: str) -> bool:
    """Whether the words from there on, put together, are what is wanted."""
    joined = ""
    for at in range(start, len(words)):
        joined += words[at]
        if len(joined) > len(wanted) + 1:
            return False
        if joined in (wanted, f"{wanted}s"):
            return True
    return False


@lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKC", name).translate(_SIGNS)
    parts = (part for word in _WORD.findall(plain) for part in _CAMEL.split(word))
    return tuple(_skeleton(part) for part in parts if part)


def _skeleton(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in folded if not unicodedata.combining(one)).translate(_ALIKE)
