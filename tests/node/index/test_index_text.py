"""Folding: a word is found whatever its case, accents and endings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horoi.node.index.text import MAX_WORD_CHARACTERS, MAX_WORDS, words_in_place, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Παρέλαβε ΒΑΡΈΛΙΑ", ["παρελαβε", "βαρελια"]),
        ("λόγος ΛΌΓΟΣ", ["λογοσ"]),
        ("Café café CAFE\u0301", ["cafe"]),
        ("Straße STRASSE", ["strasse"]),
        ("don't_stop 6.327", ["don", "t", "stop", "6", "327"]),
        ("x" * 40, ["x" * MAX_WORD_CHARACTERS]),
        ("… ! 👍", []),
    ],
)
def test_words_are_folded(text: str, words: list[str]) -> None:
    assert list(words_of(text)) == words


@given(st.text(max_size=200))
def test_words_are_bounded_and_fold_to_themselves(text: str) -> None:
    words = words_of(text)
    assert len(words) <= MAX_WORDS
    assert all(0 < len(word) <= MAX_WORD_CHARACTERS and not word.isspace() for word in words)


@given(st.text(max_size=100))
def test_words_in_place_lie_in_the_text(text: str) -> None:
    for word in words_in_place(text):
        assert 0 <= word.start < word.end <= len(text)


def test_marked_words_are_those_that_are_found() -> None:
    text = "Ὁ Λόγος τοῦ λόγου"
    found = [text[word.start : word.end] for word in words_in_place(text) if word.folded == "λογοσ"]
    assert found == ["Λόγος"]


@given(st.text(st.characters(max_codepoint=127), max_size=100))
def test_plain_letters_fold_as_they_do_beside_others(text: str) -> None:
    assert words_of(text) == words_of(f"{text} 👍")
