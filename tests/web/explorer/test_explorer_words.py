"""The dictionary: every word in both languages, with the same places to fill, none missing and none that nobody says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "src" / "horoi" / "web" / "explorer" / "source"
ENTRY = re.compile(r'^  "([^"]+)": \[\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)",?\s*\],$', re.MULTILINE)
SAID = re.compile(r"""\b(?:t|say|has)\(\s*(?:[\w.!?= ]+\? *)?["']([^"']+)["'](?: *: *["']([^"']+)["'])?""")
MADE = re.compile(r"`([a-z-]+\.[a-z.-]*)\$\{")  # a key with a part that varies: all words that begin so may be said
NAMED = re.compile(r'named\("([a-z.-]+)"')
SAME_IN_BOTH = re.compile(
    r"[^a-zA-Z]*|[Hh]ash(es)?|a hash|Nonce|Bytes|SHA-256|Token|W3C PROV JSON|OpenAPI|chmod 700|English|Ελληνικά"
)

WORDLESS_IN_GREEK = {"part.amount"}  # an amount and its asset stand side by side


def words() -> dict[str, tuple[str, str]]:
    """Key -> (English, Greek), of all files; a key that is in two says the same in both."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((SOURCE / "words").glob("*.js")):
        for key, english, greek in ENTRY.findall(path.read_text()):
            assert found.setdefault(key, (english, greek)) == (english, greek), f"{key} says two things"
    return found


def code() -> str:
    """All that is not the dictionary."""
    files = [path for path in sorted(SOURCE.rglob("*.js")) if path.parent.name != "words"]
    return "\n".join(path.read_text() for path in files)


def test_every_line_of_the_dictionary_is_a_pair() -> None:
    for path in sorted((SOURCE / "words").glob("*.js")):
        text = path.read_text()
        lines = [line for line in text.splitlines() if re.match(r'  "', line)]
        assert len(lines) == len(ENTRY.findall(text)), f"{path.name}: each word is a key, its English, its Greek"


@pytest.mark.parametrize(("key", "pair"), sorted(words().items()))
def test_both_languages_fill_the_same_places(key: str, pair: tuple[str, str]) -> None:
    english, greek = pair
    assert english
    assert greek
    assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", greek))
    assert english.count("|") == greek.count("|") <= 1
    if key not in WORDLESS_IN_GREEK and not SAME_IN_BOTH.fullmatch(re.sub(r" ?\{\w+\}", "", english)):
        assert re.search(r"[α-ωά-ώΑ-Ω]", greek), "this is not Greek"


def test_every_word_that_is_said_is_there() -> None:
    known = words()
    said = {key for pair in SAID.findall(code()) for key in pair if "." in key}
    assert len(said) > 100
    assert sorted(key for key in said if key not in known) == []


def test_no_word_is_never_said() -> None:
    text = code()
    prefixes = (*MADE.findall(text), *(f"{prefix}." for prefix in NAMED.findall(text)))
    idle = [key for key in words() if f'"{key}"' not in text and not key.startswith(prefixes)]
    assert idle == []
