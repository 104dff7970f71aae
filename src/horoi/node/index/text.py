"""Words of a text, folded so that people find them: case, accents and final letters do not matter.

Unicode's compatibility decomposition (UAX 15, NFKD) takes accents off letters, in Greek as in Latin; case folding (Unicode
chapter 3.13) makes one letter of a capital, a small one and the final sigma. A word is a run of letters and digits.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import combining, normalize

MAX_WORD_CHARACTERS = 32  # longer words are found by their beginning; a guess, hashes are looked up elsewhere
MAX_WORDS = 400  # of one post that are indexed: its 2,000 characters have at most 1,000, honest ones 350
MAX_KEPT_LETTERS = 20_000  # more than any living script has; who writes all of Unicode pays for it in time alone

_RUN = re.compile(r"[^\W_]+")


class _Letters(dict[int, str]):
    """What each character becomes, for ``str.translate``; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        folded = _fold_letter(chr(code))
        if len(self) < MAX_KEPT_LETTERS:
            self[code] = folded
        return folded


def _fold_letter(letter: str) -> str:
    """Letters and digits bare of marks and case; a mark alone is nothing; all else parts words."""
    bare = "".join(part for part in normalize("NFKD", letter) if not combining(part)).casefold()
    return "".join(part if part.isalnum() else " " for part in bare)


_LETTERS = _Letters()
_ASCII = bytes(ord(_fold_letter(chr(code))) for code in range(128)) + bytes(128)
"""The same for the first 128 characters, each of which becomes one: ten times as quick."""


def _fold(text: str) -> str:
    if text.isascii():
        return text.encode().translate(_ASCII).decode()
    return text.translate(_LETTERS)


class Word(NamedTuple):
    """A word in a text: folded, and where it stands."""

    folded: str
    start: int
    end: int


def words_of(text: str) -> dict[str, None]:
    """The folded words of a text, each once, in order of appearance."""
    found = dict.fromkeys(_fold(text).split())
    if found and max(map(len, found)) > MAX_WORD_CHARACTERS:
        found = dict.fromkeys(word[:MAX_WORD_CHARACTERS] for word in found)
    if len(found) > MAX_WORDS:
        return dict.fromkeys(list(found)[:MAX_WORDS])
    return found


def words_in_place(text: str) -> list[Word]:
    """Every word of a text with its place, for marking what was found."""
    return [
        Word("".join(_fold(match[0]).split())[:MAX_WORD_CHARACTERS], *match.span()) for match in _RUN.finditer(text)
    ]
