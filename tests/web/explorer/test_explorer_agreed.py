"""What a signer agrees to has words for every kind of sentence in both languages, the English being that of the terminal."""

from __future__ import annotations

import re
from string import Formatter
from typing import get_args

import pytest
from tests.web.explorer.test_explorer_words import SOURCE, words

from horoi.node.wallet.explain import CLAUSES, ENGLISH
from horoi.node.wallet.sentences import SentenceKind

KINDS = get_args(SentenceKind)


def places(text: str) -> set[str]:
    """What is to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_kind_has_words_at_the_terminal() -> None:
    assert tuple(ENGLISH) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_in_both_languages(kind: SentenceKind) -> None:
    english, greek = words()[f"agreed.{kind}"]
    assert english == ENGLISH[kind]
    assert places(greek) == places(english)


def test_the_dictionary_has_no_other_kinds() -> None:
    assert {key.partition(".")[2] for key in words() if key.startswith("agreed.")} == set(KINDS)


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_has_words_in_both_languages(clause: str) -> None:
    assert words()[f"clause.{clause}"][0] == CLAUSES[clause]


def test_the_page_fills_every_place_that_a_sentence_has() -> None:
    text = (SOURCE / "parts" / "agreed.js").read_text()
    filled = text.partition("function partsOf")[2].partition("\n}")[0].partition("  return {")[2]
    names = set(re.findall(r"^    (\w+)[:,]", filled, re.MULTILINE))
    assert names == {name for sentence in ENGLISH.values() for name in places(sentence)}
