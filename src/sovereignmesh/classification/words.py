"""What the name of a column says, whatever way it is spelled: `eMailAddress`, `E_MAIL_ADDRESS`, `emailaddress`."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["joined", "phrases_in", "split"]

_MOST: Final = 16  # words of a name that are looked at: nobody names a column in longer sentences
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W0-9_A-Za-z]+")
_LETTERS: Final = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ł": "l", "Ł": "L", "đ": "d"})
# What is written behind a word without a blank, and leaves its meaning.
_TAILS: Final = re.compile(r"(?<=..)(?:numbers?|numb?|nummern?|numero|num|nr|no|id|code|address)$")


def split(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case and without accents.

    >>> split("customerEMail_Address2"), split("SSN"), split("Téléphone portable")
    (('customer', 'e', 'mail', 'address', '2'), ('ssn',), ('telephone', 'portable'))
    """
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return tuple(part.lower() for part in _PART.findall(plain))


def joined(phrase: str) -> str:
    """A phrase as `phrases_in` has it: without its blanks; one that begins with `=` is the whole name.

    >>> joined("Date of Birth"), joined("=name")
    ('dateofbirth', '=name')
    """
    return ("=" if phrase.startswith("=") else "") + "".join(split(phrase))


def phrases_in(name: str) -> frozenset[str]:
    """All phrases that a name has: every run of its words without blanks, and the whole with `=` in front.

    >>> sorted(phrases_in("home_phoneNumber"))
    ['=homephonenumber', 'home', 'homephone', 'homephonenumber', 'number', 'phone', 'phonenumber']
    """
    words = split(name)[:_MOST]
    runs = {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)}
    shorter = {_TAILS.sub("", word) for word in words}
    return frozenset(runs | shorter | {f"={''.join(words)}"})
