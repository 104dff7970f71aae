"""What a node may find of itself has words in both languages, the English being that of ``horoi doctor``."""

from __future__ import annotations

import re

import pytest
from tests.web.explorer.test_explorer_words import words

from horoi.node.findings import FINDINGS, finding

FORMAT = re.compile(r":[^{}]*\}")  # how the terminal rounds; the page leaves that to Intl


def known(about: str) -> dict[str, tuple[str, str]]:
    """The dictionary's findings, or advice, by code."""
    return {key.partition(".")[2]: pair for key, pair in words().items() if key.startswith(f"{about}.")}


def test_every_finding_and_nothing_else_has_words_in_both_languages() -> None:
    english = {code: pair[0] for code, pair in known("found").items()}
    assert english == {code: FORMAT.sub("}", found.found) for code, found in FINDINGS.items()}


def test_every_advice_and_nothing_else_has_words_in_both_languages() -> None:
    english = {code: pair[0] for code, pair in known("advice").items()}
    assert english == {code: found.advice for code, found in FINDINGS.items() if found.advice}


@pytest.mark.parametrize("code", FINDINGS)
def test_whatever_is_not_well_has_advice(code: str) -> None:
    assert bool(FINDINGS[code].advice) == (FINDINGS[code].verdict != "ok")


def test_a_finding_keeps_its_values() -> None:
    check = finding("disk", "space-low", free_gb=0.8123)
    assert (check.verdict, check.found, check.advice) == ("warn", "0.8 GB free", "free some space soon")
    assert check.values == {"free_gb": 0.8123}
