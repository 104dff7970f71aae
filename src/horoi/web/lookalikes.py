"""Names that could be taken for another's. Anybody may define an asset of any name: where the name alone would mislead, pages
show the beginning of the id beside it.

Three ways: another asset has the same name; the name differs only in what nobody sees (spaces); it has letters of another
alphabet that look the same ("Τhasos" with a Greek T). Of the last, words that mix alphabets are found, as in Unicode's UTS 39,
section 5.1; a word that is written in another alphabet altogether is not.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ALIKE = frozenset(("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL"))
"""Alphabets with letters in common, by the first word of their letters' names."""


@lru_cache(maxsize=4096)
def is_odd(name: str) -> bool:
    """True for a name that reads as another: blank or unusual spaces, or a word of several alphabets.

    >>> is_odd("Petrol 95"), is_odd("Πετρέλαιο"), is_odd("Petrol  95"), is_odd("Πetrol")
    (False, False, True, True)
    """
    words = name.split()
    return not words or name != " ".join(words) or any(map(_mixes, words))


def _mixes(word: str) -> bool:
    alphabets = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
    return len(alphabets & ALIKE) > 1
